"""What an edit changes: old and new statements of one file side by side. Pure; any thread."""

import difflib
import types
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipyhot.core.codes import OPTIMIZED, CodeKey, own_codes, signature
from ipyhot.core.facts import Kind
from ipyhot.core.outline import Outline, Statement, is_blank

__all__ = ["Edit", "edit", "pairs", "successors"]


@dataclass(frozen=True, slots=True)
class Edit:
    """How the statements of a newer outline follow from those of an older one.

    ``kept`` maps a new statement to the old one that did the same; bodies of functions in it may have changed. Those that
    have are in ``touched``, by qualified name. ``changed`` statements are new or do something else than before.
    """

    kept: Mapping[int, int]
    changed: tuple[int, ...]
    removed: tuple[int, ...]
    touched: frozenset[str]
    is_reordered: bool = False


def edit(old: Outline, new: Outline) -> Edit:
    """Return what is different between two outlines of one file."""
    before, after = old.statements, new.statements
    start, end = _ends(before, after)
    kept = dict(zip(range(start), range(start), strict=True))
    kept.update(zip(range(len(after) - end, len(after)), range(len(before) - end, len(before)), strict=True))
    kept.update(_same_text(before, after, start, end))
    free = set(range(start, len(before) - end)).difference(kept.values())
    twins = {}
    for index in [index for index in range(start, len(after) - end) if index not in kept]:
        twin = _twin(after[index], before, free)
        if twin is not None:
            twins[index] = twin
            free.discard(twin)
    kept |= twins
    touched = {name for index, was in twins.items() for name in _touched(before[was], after[index])}
    changed = tuple(
        index for index in range(start, len(after) - end) if index not in kept and not is_blank(after[index].text)
    )
    removed = tuple(index for index in sorted(free) if not is_blank(before[index].text))
    order = [kept[index] for index in sorted(kept)]
    return Edit(kept, changed, removed, frozenset(touched), order != sorted(order))


def _ends(before: Sequence[Statement], after: Sequence[Statement]) -> tuple[int, int]:
    """Return how many statements stayed at the beginning, and how many at the end."""
    start, end = 0, 0
    shorter = min(len(before), len(after))
    while start < shorter and _is_same(before[start], after[start]):
        start += 1
    while end < shorter - start and _is_same(before[-1 - end], after[-1 - end]):
        end += 1
    return start, end


def _same_text(before: Sequence[Statement], after: Sequence[Statement], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield new and old index of statements between both ends whose text stayed."""
    old = [_key(statement) for statement in before[start : len(before) - end]]
    new = [_key(statement) for statement in after[start : len(after) - end]]
    if set(old).isdisjoint(new):
        return
    left = dict(enumerate(old))
    for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            left.pop(block.a + offset)
            yield start + block.b + offset, start + block.a + offset
    unmatched = [i for i, text in enumerate(new) if text in left.values()]
    for index in unmatched:  # moved past others
        was = next((i for i, text in left.items() if text == new[index]), None)
        if was is not None:
            del left[was]
            yield start + index, start + was


def _key(statement: Statement) -> tuple[str, frozenset[str]]:
    return statement.text.rstrip(), statement.facts.binds  # a string binds the docstring, or nothing


def _is_same(was: Statement, now: Statement) -> bool:
    return was is now or (was.text == now.text and was.facts.binds == now.facts.binds)


def _twin(statement: Statement, before: Sequence[Statement], free: Iterable[int]) -> int | None:
    """Return the old statement that did the same as a new one whose text is another, but for the bodies of functions."""
    facts = statement.facts
    for index in sorted(free):
        was = before[index].facts
        if was.kind is facts.kind and was.binds == facts.binds and was.signature == facts.signature:
            return index
    return None


def _touched(was: Statement, now: Statement) -> Iterator[str]:
    """Yield the qualified names of functions whose code is another one."""
    before, after = own_codes(was.codes), own_codes(now.codes)
    changed = {key[0] for key in before.keys() - after.keys()}
    for key, code in after.items():
        if not code.co_flags & OPTIMIZED:
            continue  # the body of a class: it did the same, and the functions in it come by themselves
        known = before.get(key)
        if known is None or signature(known, is_body=True) != signature(code, is_body=True):
            changed.add(key[0])
    yield from changed
    if changed and now.facts.kind is Kind.OTHER:  # what it binds holds a lambda, or a definition of a branch
        yield from now.facts.binds


def pairs(old: Outline, new: Outline, edit: Edit) -> Iterator[tuple[types.CodeType, types.CodeType]]:
    """Yield old and new code object of each function that two outlines of a file have; the same one is left out."""
    kept = [(before, after) for after, before in edit.kept.items() if old.statements[before] is not new.statements[after]]
    seen = set[int]()
    for before, after in kept:
        was, now = old.statements[before], new.statements[after]
        for one, other in successors(own_codes(was.codes), own_codes(now.codes)):
            seen.update((id(one), id(other)))
            if one is not other:
                yield one, other
    yield from successors(
        _left(old, [*edit.removed, *(before for before, _ in kept)], seen),
        _left(new, [*edit.changed, *(after for _, after in kept)], seen),
    )


def _left(outline: Outline, indexes: Iterable[int], seen: Collection[int]) -> dict[CodeKey, types.CodeType]:
    """Return the code objects of some statements that have no partner yet."""
    statements = [outline.statements[index] for index in sorted(indexes)]
    return own_codes(code for statement in statements for code in statement.codes if id(code) not in seen)


def successors(
    old: Mapping[CodeKey, types.CodeType], new: Mapping[CodeKey, types.CodeType]
) -> Iterator[tuple[types.CodeType, types.CodeType]]:
    """Yield old and new code object of each function that both versions of a file have.

    Where several share a qualified name (lambdas, definitions in branches), those that stayed the same belong together;
    the others do if there are as many before as after, in order.
    """
    names: dict[str, tuple[list[types.CodeType], list[types.CodeType]]] = {}
    for side, codes in enumerate((old, new)):
        for (name, _), code in codes.items():
            names.setdefault(name, ([], []))[side].append(code)
    for before, after in names.values():
        yield from _paired(before, after)


def _paired(before: list[types.CodeType], after: list[types.CodeType]) -> Iterator[tuple[types.CodeType, types.CodeType]]:
    if len(before) == len(after) == 1:
        yield before[0], after[0]
        return
    rest = []
    for code in after:
        same = next((one for one in before if one is code), None) or next(
            (one for one in before if signature(one, is_body=True) == signature(code, is_body=True)), None
        )
        if same is None:
            rest.append(code)
        else:
            before = [one for one in before if one is not same]
            yield same, code
    if len(rest) == len(before):
        yield from zip(before, rest, strict=True)
