"""Why a statement whose text is the same has to run again: what it reads, calls or changes is not what it was.

Pure: it reads the drafts of a plan and changes none. One plan uses one ``Reasons``.
"""

from collections.abc import Collection

from ipyhot.core.drafts import ALL, EXISTS, SHOWING, STRANGERS_ASK, Draft, Drafts, is_asked
from ipyhot.core.facts import Kind
from ipyhot.core.lineage import Lineage
from ipyhot.core.outline import Outline
from ipyhot.core.reach import Reach, Ref

__all__ = ["Reasons"]


class Reasons:
    """Looks for what makes statements run, as far as the drafts know by now."""

    def __init__(self, drafts: Drafts, names: Reach, lineage: Lineage) -> None:
        self._drafts = drafts
        self._names = names
        self._lineage = lineage

    def of(self, draft: Draft, outline: Outline, index: int) -> str:
        """Return the name that makes a statement run, or the empty string."""
        statement = outline.statements[index]
        facts = statement.facts
        if facts.is_independent and not self._drafts.replayed:
            return ""
        if facts.reads_anything and self._is_anything_other(draft, facts.binds):
            return "what it may read"
        if self._drafts.replayed:
            for ref in self._names.writes(draft.name, outline, index):
                if ref in self._drafts.replayed:
                    return ref[1]
        return self._held(draft, outline, index) or self._met(draft, outline, index)

    def _held(self, draft: Draft, outline: Outline, index: int) -> str:
        """Return the name that a statement stores or imports, and that stands for something else now."""
        statement = outline.statements[index]
        facts = statement.facts
        if facts.held or facts.imports:
            for module, name in self._names.held(draft.name, outline, statement):
                other = self._drafts.get(module)
                if other is not None:
                    if other.rebinds(name) and not _is_own(draft, index, module, name):
                        return name if name not in {None, EXISTS} else module
                    if facts.kind is Kind.CLASS and self._lineage.is_hooked(draft.name, outline, facts, other, name):
                        return str(name)
                if name is not None and self._is_made_up_otherwise(module, name):
                    return name
                if module == draft.name and name is not None and self._is_in_between(draft, outline, index, name):
                    return name
        for chain in facts.held:
            is_attribute = len(chain) > 1 and not self._names.is_computed(outline, chain)
            if is_attribute and self._lineage.is_made_again(draft.name, outline, chain):
                return chain[0]
        return ""

    def _is_in_between(self, draft: Draft, outline: Outline, index: int, name: str) -> bool:
        """Tell whether a statement reads what a name stands for only for a while, and that is made again."""
        writers = outline.writers.get(name, [])
        return (draft.name, name) in self._drafts.replayed and bool(writers) and writers[0] < index < writers[-1]

    def _met(self, draft: Draft, outline: Outline, index: int) -> str:
        """Return the name that a statement computes with, directly or by calls, and that behaves differently now."""
        asked = set[str]()
        found = self._called(draft, outline, index, asked)
        if not found and not asked.isdisjoint(SHOWING):  # code that is not watched may call what nobody asks for
            found = self._called(draft, outline, index, asked, is_open=True)
        return found or next((name for _, name in self.asked_of(draft, outline, index)), "")

    def _called(self, draft: Draft, outline: Outline, index: int, asked: set[str], *, is_open: bool = False) -> str:
        """Return the name that a statement may call or read while it runs, and that behaves differently now.

        Args:
            draft: of the module.
            outline: its statements.
            index: of the statement.
            asked: what it asks for by attribute is added here.
            is_open: see ``Reach.reach``.
        """
        statement = outline.statements[index]
        facts = statement.facts
        reached: list[tuple[Ref, Draft]] = []  # what behaves differently, if the right attribute is asked for
        asked |= facts.asks | ({STRANGERS_ASK} if self._names.meets_strangers(outline, facts) else set())
        used = self._names.used(draft.name, outline, statement)
        for (module, name), writer, _ in self._names.reach(used, of=statement, asked=asked, is_open=is_open):
            if writer is not None:
                if writer.facts.body_reads_anything and self._is_anything_other(self._drafts.get(module), facts.binds):
                    return name or module
                continue
            other = self._drafts.get(module)
            if other is None or _is_own(draft, index, module, name):
                continue
            is_grown = name in other.grown and (module, name) in self._names.writes(draft.name, outline, index)
            if other.rebinds(name) and not is_grown:
                return name or module
            if other.touches(name) and not is_grown:
                reached.append(((module, name), other))
        return next((name or module for (module, name), other in reached if other.touches(name, asked)), "")

    def asked_of(self, draft: Draft, outline: Outline, index: int) -> list[tuple[str, str]]:
        """Return the names through whose object a statement may call what that keeps, and what behaves differently."""
        if not self._drafts.is_stocked:
            return []
        statement = outline.statements[index]
        found: dict[tuple[str, str], set[str]] = {}
        asked, calls_unnamed = set(statement.facts.asks), statement.facts.calls_unnamed
        for (module, name), writer, _ in self._names.reach(self._names.used(draft.name, outline, statement), of=statement):
            if writer is not None:
                asked |= writer.facts.asks
                calls_unnamed |= writer.facts.calls_unnamed
                is_called = writer.facts.kind is Kind.FUNCTION and module in self._drafts
                if is_called and "" in self._drafts[module].stock(name):
                    found[module, str(name)] = asked  # a dispatcher: who calls it, calls what it keeps
            elif module in self._drafts and (stock := self._drafts[module].stock(name)):
                found.setdefault((module, str(name)), stock)
        is_adding = statement.facts.kind is not Kind.OTHER or not statement.facts.binds
        own = self._names.writes(draft.name, outline, index) if is_adding else ()
        return [
            ref
            for ref, stock in found.items()
            if ref not in own
            and (stock is asked or not stock.isdisjoint(asked) or (calls_unnamed and _is_called(stock, asked)))
        ]

    def _is_made_up_otherwise(self, module: str, name: str) -> bool:
        """Tell whether a name that only a module's ``__getattr__`` knows may be another object now."""
        outline = self._drafts.outline(module)
        if outline is None or name in {EXISTS, ALL} | outline.names or "__getattr__" not in outline.names:
            return False
        reached = self._names.reach([(module, "__getattr__")])
        return any(where in self._drafts and self._drafts[where].touches(read) for (where, read), _, _ in reached)

    def _is_anything_other(self, draft: Draft | None, own: Collection[str]) -> bool:
        """Tell whether there is a change that code which may read anything may read."""
        return any(
            other.is_all_rebound or bool((other.rebound | other.touched).difference(own if other is draft else ()))
            for other in self._drafts.values()
        )


def _is_called(stock: set[str], asked: set[str]) -> bool:
    """Tell whether who calls something that has no name may call what behaves differently: a function, or a class."""
    return any(member in {"", ALL} or is_asked(member, asked) for member in stock)


def _is_own(draft: Draft, index: int, module: str, name: str | None) -> bool:
    """Tell whether a statement reads a name that it has bound itself, alone."""
    outline = draft.outline
    if module != draft.name or outline is None or name is None or outline.stars:
        return False
    return outline.writers.get(name, []) == [index]
