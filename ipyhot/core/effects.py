"""Which statements an edit reaches: names that are bound anew, functions that behave differently, who computes with them.

Pure. ``Effects`` looks at outlines only; one plan uses one of it.
"""

import types
from collections.abc import Callable, Collection, Iterable

from ipyhot.core.diff import Edit
from ipyhot.core.drafts import ALL, EXISTS, Draft, Drafts
from ipyhot.core.facts import Chain, Facts, Kind
from ipyhot.core.model import HANDOVER, MIGRATE
from ipyhot.core.outline import Outline, Statement
from ipyhot.core.reach import Reach, Ref

__all__ = ["Effects"]

_PLAIN_BASES = frozenset({"ABC", "Exception", "object"})
_ENUMS = frozenset({"Enum", "Flag", "IntEnum", "IntFlag", "ReprEnum", "StrEnum"})
_RUN_BY_ENUMS = frozenset({"__init__", "__new__", "_generate_next_value_"})
_RUN_BY_THEIR_CLASS = frozenset({MIGRATE, "__subclasshook__", "__subclasscheck__", "__instancecheck__"})


class Effects:
    """Follows an edit from statement to statement until nothing more is reached.

    Args:
        outline_of: the live outline of a watched module, or None if there is none.
        dependents: who imports one of some modules while loading, as far as it matters to what they compute.
        edges: what a module's load imported, as recorded.
        is_module: whether there is a live module of a name.
        is_watched: whether a module belongs to a watched folder.
        grows: whether a statement may add to the object that a name of a module stands for, as it is.
        holds: whether a name of a module stands for a function made of one of some code objects, or for what holds one.
        patches: take edits statement by statement; if not, a file that is reached is executed as a whole.
    """

    def __init__(
        self,
        *,
        outline_of: Callable[[str], Outline | None],
        dependents: Callable[[str, bool], Iterable[str]],
        edges: Callable[[str], Collection[str]],
        is_module: Callable[[str], bool],
        is_watched: Callable[[str], bool],
        grows: Callable[[str, str], bool],
        holds: Callable[[str, str, Collection[types.CodeType]], bool],
        patches: bool = True,
    ) -> None:
        self._patches = patches
        self._grows = grows
        self._holds = holds
        self.drafts = Drafts(outline_of, is_module)
        self._dependents = dependents
        self._edges = edges
        self._is_watched = is_watched
        self._replayed: dict[tuple[str, str], str] = {}  # whose object is made again, and why
        self._names = Reach(self.drafts, is_watched)

    def settle(self) -> None:
        """Add what the drafts reach, until nothing is added any more."""
        for draft in list(self.drafts.values()):
            self._begin(draft)
        is_moving = True
        while is_moving:
            is_moving = False
            for draft in list(self.drafts.values()):
                is_moving |= self._advance(draft)
            is_moving |= self._reach_dependents()

    def stale(self, draft: Draft) -> frozenset[str]:
        """Return the definitions of a module that cache results, and would give others now."""
        outline = draft.outline
        if outline is None or draft.is_new:
            return frozenset()
        return frozenset(
            statement.facts.name
            for statement in outline.statements
            if "cache" in statement.text and statement.facts.kind in {Kind.FUNCTION, Kind.CLASS}
            for (module, name), _, _ in self._names.reach([(draft.name, statement.facts.name)])
            if module in self.drafts and self.drafts[module].touches(name)
        )

    def _begin(self, draft: Draft) -> None:
        edit, old, new = draft.edit, draft.old, draft.outline
        if draft.whole or not (self._patches or draft.is_new or draft.is_gone):
            why, draft.whole = draft.whole or "patching is off", ""
            self._take_whole(draft, why)
        if draft.is_gone and old is not None:
            for ref in self._all_writes(draft.name, old):
                self._replay(ref, draft.name)
        if draft.is_new and new is not None:
            self._let_grow(draft, new)
        if edit is None or old is None or new is None:
            return
        draft.touched |= edit.touched
        if old.flags != new.flags:
            self._take_whole(draft, "its __future__ imports changed")
        for index in edit.changed:
            self._run(draft, index, draft.name)
        for index in edit.removed:
            self._removed(draft, old, index)
        if (edit.changed or edit.removed) and not (old.names | new.names).isdisjoint(HANDOVER):
            self._take_whole(draft, "it hands over its state itself")
        for path in edit.touched:
            member = path.rpartition(".")[2]
            for index in new.writers.get(path.partition(".")[0], ()):
                is_enum = member in _RUN_BY_ENUMS and self._is_enum(draft.name, new, new.statements[index].facts)
                if is_enum or member in _RUN_BY_THEIR_CLASS:
                    self._run(draft, index, path)
        for index, was in edit.kept.items():
            if self._is_used_up(draft, old.statements[was], new.statements[index]):
                self._run(draft, index, draft.name)
        if edit.is_reordered and (old.stars or new.stars):
            self._take_whole(draft, "it imports everything from another module, and its lines changed places")
        if edit.is_reordered:
            self._reordered(draft, old, new, edit)

    def _is_used_up(self, draft: Draft, was: Statement, now: Statement) -> bool:
        """Tell whether functions in a statement are others now, and nothing that it binds holds the old ones."""
        facts = now.facts
        if was.text == now.text or not was.roots or not (facts.is_decorated or (facts.kind is Kind.OTHER and facts.used)):
            return False
        codes = set(was.codes)
        return not any(self._holds(draft.name, name, codes) for name in facts.binds)

    def _reordered(self, draft: Draft, old: Outline, new: Outline, edit: Edit) -> None:
        """Let statements run that stand on the other side now of what they read, or of what changes the same object."""
        for index, was in edit.kept.items():
            statement = new.statements[index]
            for module, name in self._reads(draft.name, new, statement):
                if module == draft.name and name is not None:
                    writers = [i for i in new.writers.get(name, ()) if i in edit.kept and i != index]
                    if any((writer < index) != (edit.kept[writer] < was) for writer in writers):
                        self._run(draft, index, name)
        for name, writers in new.writers.items():
            order = [edit.kept[index] for index in writers if index in edit.kept]
            if order != sorted(order):  # another one has the last word
                draft.rebound.add(name)
                for index in writers:
                    self._run(draft, index, name)
        orders: dict[tuple[str, str], list[int]] = {}
        for index in sorted(edit.kept):
            for ref in self._names.writes(draft.name, new, index):
                orders.setdefault(ref, []).append(edit.kept[index])
        for ref, order in orders.items():
            if order != sorted(order):
                self._replay(ref, ref[1])

    def _reads(self, name: str, outline: Outline, statement: Statement) -> set[Ref]:
        """Return what a statement reads while it runs, by calls as well."""
        found = set(self._names.held(name, outline, statement))
        return found | {ref for ref, _, _ in self._names.reach(self._names.used(name, outline, statement))}

    def _removed(self, draft: Draft, old: Outline, index: int) -> None:
        statement = old.statements[index]
        edit, new = draft.edit, draft.outline
        changed = {name for i in edit.changed for name in new.statements[i].facts.binds} if edit and new else set()
        draft.rebound |= statement.facts.binds - changed
        if statement.facts.stars or (new is not None and new.stars):
            self._take_whole(draft, "it imports everything from another module, and a name less by itself")
        doubt = self._doubt(draft.name, old, statement)
        if doubt:
            self._take_whole(draft, f"line {statement.line} of the old text is gone, and {doubt}")
        for ref in self._names.writes(draft.name, old, index):
            self._replay(ref, draft.name)

    def _doubt(self, name: str, outline: Outline, statement: Statement) -> str:
        """Return why the effects of running a statement again cannot be told."""
        if statement.facts.doubt:
            return statement.facts.doubt
        facts = statement.facts
        for changed in facts.mutates & outline.imported.keys():
            chains = {(changed,), *(chain[:2] for chain in facts.sets | facts.held | facts.used if chain[0] == changed)}
            refs = {ref for chain in chains for ref in self._names.refs(name, outline, chain)}
            if not any(module != name for module, attr in refs if attr is not None):
                return f"it changes {changed}, which another module made"
        return ""

    def _take_whole(self, draft: Draft, why: str) -> bool:
        if draft.whole:
            return False
        draft.whole = why
        draft.is_open = any(outline is not None and bool(outline.stars) for outline in (draft.old, draft.outline))
        for outline in (draft.old, draft.outline):
            for statement in outline.statements if outline is not None else ():
                self._makes(draft, statement)
        if draft.outline is not None:
            for module, name in self._all_writes(draft.name, draft.outline):
                if module != draft.name:
                    self._replay((module, name), draft.name)
                elif name in draft.outline.globals:
                    draft.rebound.add(name)
        return True

    def _all_writes(self, name: str, outline: Outline) -> set[tuple[str, str]]:
        return {ref for index in range(len(outline.statements)) for ref in self._names.writes(name, outline, index)}

    def _makes(self, draft: Draft, statement: Statement) -> None:
        """Note what the names that a statement binds stand for afterwards."""
        facts = statement.facts
        if facts.doubt:
            draft.rebound.add(ALL)  # a star import may find a name that no text shows
        if facts.kind not in {Kind.FUNCTION, Kind.CLASS}:
            draft.rebound |= facts.binds
            return
        before = statement if draft.old is None else _definition(draft.old, facts.name)
        is_plain = before is not None and draft.outline is not None and self._is_plain(draft.name, draft.outline, facts)
        draft.touched |= _changed_parts(before.facts, facts) if before is not None and is_plain else {facts.name}
        if before is None or facts.is_decorated or before.facts.is_decorated or _is_reshaped(before.facts, facts):
            draft.rebound.add(facts.name)

    def _is_plain(self, name: str, outline: Outline, facts: Facts, depth: int = 0) -> bool:
        """Tell whether a class is no more than its members: nobody makes something else of them."""
        if facts.kind is not Kind.CLASS or facts.metaclass or facts.is_decorated or depth > len(outline.statements):
            return False
        for chain in facts.bases:
            refs = [ref for ref in self._names.refs(name, outline, chain) if ref[0] != name or len(chain) == 1]
            binders = [
                (module, where, found)
                for module, attr in refs
                if attr is not None and (where := self.drafts.outline(module)) is not None
                for found in self._names.binders(where, attr)
                if found.kind is not Kind.IMPORT
            ]
            if not binders and chain[-1] not in _PLAIN_BASES:
                return False
            if not all(self._is_plain(module, where, found, depth + 1) for module, where, found in binders):
                return False
        return True

    def _run(self, draft: Draft, index: int, cause: str) -> bool:
        """Let a statement run; return whether that is new."""
        outline = draft.outline
        if outline is None or index in draft.run or draft.is_new:
            return False
        draft.run.add(index)
        if not self._patches:  # whole files: the mode that patching is compared with
            return self._take_whole(draft, f"{cause} changed")
        draft.cause = draft.cause or cause
        statement = outline.statements[index]
        self._makes_if_changed(draft, statement)
        doubt = "" if self._is_mere_addition(draft, index) else self._doubt(draft.name, outline, statement)
        if doubt:
            self._take_whole(draft, f"line {statement.line} depends on what changed, and {doubt}")
        if outline.stars and not all(map(self._is_watched, outline.stars)):
            self._take_whole(draft, "it imports everything from a module that is not watched")
        if statement.facts.binds and any(s.facts.stars for s in outline.statements[index + 1 :]):
            self._take_whole(draft, "it imports everything from another module further down")
        if not outline.names.isdisjoint(HANDOVER):
            self._take_whole(draft, "it hands over its state itself")
        if outline.stars and self._reads_before_bound(draft.name, outline, index):
            self._take_whole(draft, f"line {statement.line} may read from a star import what is bound later")
        for star in outline.star_lines if statement.facts.stars else ():  # the last of them to take a name has it
            self._run(draft, star, cause)
        if statement.facts.stars and any(other.facts.deletes for other in outline.statements[index + 1 :]):
            self._take_whole(draft, "it deletes names behind a star import")
        draft.aside.discard(index)
        for ref in self._names.writes(draft.name, outline, index):
            draft.rebound |= {ref[1]} & outline.globals if ref[0] == draft.name else set()
            if not self._is_last_of(draft, index, ref):
                self._replay(ref, cause)
        for module, name in self._reads(draft.name, outline, statement):  # in the middle between those that write it
            writers = [i for i in outline.writers.get(str(name), ()) if i != index] if module == draft.name else []
            if writers and name is not None and writers[0] < index < writers[-1]:
                self._replay((draft.name, name), cause)
        return True

    def _reads_before_bound(self, name: str, outline: Outline, index: int) -> bool:
        """Tell whether a statement reads a name that only itself or later statements bind."""
        reads = self._reads(name, outline, outline.statements[index])
        return any(module == name and outline.writers.get(str(read), [-1])[0] >= index for module, read in reads)

    def _makes_if_changed(self, draft: Draft, statement: Statement) -> None:
        facts, edit = statement.facts, draft.edit
        if draft.outline is None:
            return
        is_changed = edit is not None and any(draft.outline.statements[i] is statement for i in edit.changed)
        for star in facts.stars:
            source = self.drafts.get(draft.outline.resolve(star))
            draft.rebound |= source.rebound if source is not None else set()
            is_open = source is not None and (source.is_all_rebound or not source.rebound.isdisjoint({ALL, "__all__"}))
            draft.is_open |= is_changed or is_open
        if facts.kind is not Kind.IMPORT:
            self._makes(draft, statement)
            return
        for bound, base, attribute in facts.import_names:
            refs = list(self._names.imported(draft.outline.resolve(base), attribute, ()))
            drafts = [(self.drafts[module], name) for module, name in refs if module in self.drafts]
            if is_changed or any(other.rebinds(name) for other, name in drafts if name is not None):
                draft.rebound.add(bound)

    def _is_mere_addition(self, draft: Draft, index: int) -> bool:
        """Tell whether a statement is new and stands behind all that does more than define."""
        edit, outline = draft.edit, draft.outline
        if edit is None or outline is None or index not in edit.changed or edit.removed:
            return False
        definitions = {Kind.FUNCTION, Kind.IMPORT}
        return all(statement.facts.kind in definitions for statement in outline.statements[index + 1 :])

    def _is_last_of(self, draft: Draft, index: int, ref: tuple[str, str]) -> bool:
        """Tell whether a new statement only adds to an object, behind all others of the file that do."""
        edit, outline = draft.edit, draft.outline
        if edit is None or outline is None or index not in edit.changed:
            return False
        if ref in {(draft.name, bound) for bound in outline.statements[index].facts.binds}:
            return False
        if ref[0] != draft.name or not self._grows(*ref) or ref in self._replayed:
            return False
        others = [
            i for i in range(len(outline.statements)) if i != index and ref in self._names.writes(draft.name, outline, i)
        ]
        if not others or not all(other < index for other in others if other not in edit.changed):
            return False
        if any(other in edit.changed and ref[1] in outline.statements[other].facts.binds for other in others):
            return False
        if self._is_written_elsewhere(ref):
            return False
        draft.grown.add(ref[1])
        draft.touched.add(ref[1])
        return True

    def _let_grow(self, draft: Draft, outline: Outline) -> None:
        """Let a new file add to copies of what live modules hold: should it fail, nothing of it is there."""
        for module, name in self._all_writes(draft.name, outline):
            if module != draft.name and self.drafts.outline(module) is not None and self._grows(module, name):
                other = self.drafts.take_in(module, draft.name)
                if not (other.is_new or name in other.rebound):
                    other.grown.add(name)
                    _ = self._patches or self._take_whole(other, f"{draft.name} changed")

    def _is_written_elsewhere(self, ref: tuple[str, str]) -> bool:
        """Tell whether another module makes or changes the object of a name."""
        seen = {ref[0]}
        stack = [ref[0]]
        while stack:
            for name in self._dependents(stack.pop(), True):  # noqa: FBT003 - a callable has no keywords
                outline = None if name in seen else self.drafts.outline(name)
                seen.add(name)
                if outline is not None:
                    stack.append(name)
                    if any(ref in self._names.writes(name, outline, index) for index in range(len(outline.statements))):
                        return True
        return False

    def _replay(self, ref: tuple[str, str], cause: str) -> None:
        if ref not in self._replayed:
            self._replayed[ref] = cause
            if ref[0] in self.drafts:
                self.drafts[ref[0]].grown.discard(ref[1])
            if ref[0] not in self.drafts and self.drafts.outline(ref[0]) is not None:
                self.drafts.take_in(ref[0], cause)

    def _advance(self, draft: Draft) -> bool:
        """Let each statement run that has a reason to; return whether one was found."""
        outline = draft.outline
        if outline is None:
            return False
        if draft.is_new or draft.whole:
            return self._advance_definitions(draft, outline, range(len(outline.statements)))
        is_moving = False
        for index, statement in enumerate(outline.statements):
            if index not in draft.run:
                cause = self._reason(draft, outline, index, statement)
                if cause:
                    is_moving |= self._run(draft, index, cause)
        is_moving |= self._share_classes(draft, outline)
        return is_moving | self._advance_definitions(draft, outline, [*draft.run, *draft.aside])

    def _share_classes(self, draft: Draft, outline: Outline) -> bool:
        """Take a class as another one if a statement that runs computes with it: what it keeps in itself begins anew."""
        names = {chain[0] for index in draft.run for chain in outline.statements[index].facts.used}
        made = {f.name for f in (outline.statements[i].facts for i in draft.run) if f.kind is Kind.CLASS}
        shared = (names & made) - draft.touched
        draft.touched |= shared
        return bool(shared)

    def _reason(self, draft: Draft, outline: Outline, index: int, statement: Statement) -> str:
        """Return the name that makes a statement run, or the empty string."""
        facts = statement.facts
        if facts.is_independent and not self._replayed:
            return ""
        if facts.reads_anything and self._is_anything_other(draft, facts.binds):
            return "what it may read"
        if self._replayed:
            for ref in self._names.writes(draft.name, outline, index):
                if ref in self._replayed:
                    return ref[1]
        if facts.held or facts.imports:
            for module, name in self._names.held(draft.name, outline, statement):
                other = self.drafts.get(module)
                if other is not None and self._is_rebound_for(draft, index, other, name):
                    return name if name not in {None, EXISTS} else module
                if (
                    other is not None
                    and facts.kind is Kind.CLASS
                    and self._is_hooked(draft.name, outline, facts, other, name)
                ):
                    return str(name)
                if name is not None and self._is_made_up_otherwise(module, name):
                    return name
        for chain in facts.held:
            if (
                len(chain) > 1
                and not self._names.is_computed(outline, chain)
                and self._is_made_again(draft.name, outline, chain)
            ):
                return chain[0]
        reached: list[tuple[Ref, Draft]] = []  # what behaves differently, if the right attribute is asked for
        asked = set(facts.asks)
        for (module, name), writer, _ in self._names.reach(self._names.used(draft.name, outline, statement), of=statement):
            if writer is not None:
                asked |= writer.facts.asks
                if writer.facts.body_reads_anything and self._is_anything_other(self.drafts.get(module), facts.binds):
                    return name or module
                continue
            other = self.drafts.get(module)
            if other is None or self._is_own(draft, index, module, name):
                continue
            is_grown = name in other.grown and (module, name) in self._names.writes(draft.name, outline, index)
            if other.rebinds(name) and not is_grown:
                return name or module
            if other.touches(name) and not is_grown:
                reached.append(((module, name), other))
        return next((name or module for (module, name), other in reached if other.touches(name, asked)), "")

    def _is_hooked(self, own: str, outline: Outline, facts: Facts, other: Draft, name: str | None) -> bool:
        """Tell whether what Python calls to make a class of a base behaves differently."""
        if other.touches_hook(name):
            return True
        touched = {path.removeprefix(f"{name}.") for path in other.touched}
        return not touched.isdisjoint(_RUN_BY_ENUMS) and self._is_enum(own, outline, facts)

    def _is_enum(self, name: str, outline: Outline, facts: Facts, depth: int = 0) -> bool:
        """Tell whether a class makes its members while it is made, as far as its text and its bases' show."""
        if facts.kind is not Kind.CLASS or depth > len(outline.statements):
            return False
        return any(chain[-1] in _ENUMS for chain in facts.bases) or any(
            self._is_enum(module, where, found, depth + 1)
            for chain in facts.bases
            for module, attr in self._names.refs(name, outline, chain)
            if attr is not None and (where := self.drafts.outline(module)) is not None
            for found in self._names.binders(where, attr)
        )

    def _is_made_up_otherwise(self, module: str, name: str) -> bool:
        """Tell whether a name that only a module's ``__getattr__`` knows may be another object now."""
        outline = self.drafts.outline(module)
        if outline is None or name in {EXISTS, ALL} | outline.names or "__getattr__" not in outline.names:
            return False
        reached = self._names.reach([(module, "__getattr__")])
        return any(where in self.drafts and self.drafts[where].touches(read) for (where, read), _, _ in reached)

    def _is_made_again(self, name: str, outline: Outline, chain: Chain) -> bool:
        """Tell whether an attribute is read of a class that is made again, or whose base is, and may be another one."""
        if {facts.kind for facts in self._names.binders(outline, chain[0])} != {Kind.CLASS}:
            return False
        for (module, attr), writer, _ in self._names.reach([(name, chain[0])]):
            draft = self.drafts.get(module)
            if draft is None or writer is None:
                continue
            member = writer.facts.members.get(chain[1])
            is_function = member is not None and member.is_function
            if attr in draft.touched or (f"{attr}.{chain[1]}" in draft.touched and not is_function):
                return True
        return False

    def _is_anything_other(self, draft: Draft | None, own: Collection[str]) -> bool:
        """Tell whether there is a change that code which may read anything may read."""
        return any(
            other.is_all_rebound or bool((other.rebound | other.touched).difference(own if other is draft else ()))
            for other in self.drafts.values()
        )

    def _is_rebound_for(self, draft: Draft, index: int, other: Draft, name: str | None) -> bool:
        return other.rebinds(name) and not self._is_own(draft, index, other.name, name)

    def _is_own(self, draft: Draft, index: int, module: str, name: str | None) -> bool:
        """Tell whether a statement reads a name that it has bound itself, alone."""
        outline = draft.outline
        if module != draft.name or outline is None or name is None or outline.stars:
            return False
        return outline.writers.get(name, []) == [index]

    def _advance_definitions(self, draft: Draft, outline: Outline, running: Iterable[int]) -> bool:
        """Let run aside what statements that run may call, and what that is reached through."""
        is_moving = False
        needed = [ref for index in running for ref in self._names.needed(draft.name, outline, outline.statements[index])]
        for ref in self._names.leading_to(needed, self._is_other):
            is_moving |= self._define(ref, draft)
        for index in draft.edit.changed if draft.edit is not None and not draft.whole else ():
            is_moving |= self._define_later(draft, outline, index)
        return is_moving

    def _is_other(self, ref: Ref) -> bool:
        """Tell whether a name is not what it was for what calls it."""
        draft = self.drafts.get(ref[0])
        return draft is not None and (draft.touches(ref[1]) or ref[1] in draft.grown)

    def _define_later(self, draft: Draft, outline: Outline, index: int) -> bool:
        """Let run aside what a new statement calls, if that reads what is only bound further down."""

        def is_later(ref: Ref) -> bool:
            writers = outline.writers.get(str(ref[1]), []) if ref[0] == draft.name else []
            return bool(writers) and writers[0] > index

        is_moving = False
        needed = self._names.needed(draft.name, outline, outline.statements[index])
        for ref in self._names.leading_to(needed, is_later):
            is_moving |= self._define(ref, draft)
        return is_moving

    def _define(self, ref: Ref, caller: Draft) -> bool:
        """Let what binds a name run aside, because a statement that runs may reach through it what is not as it was."""
        module, name = ref
        where = self.drafts.outline(module)
        if where is None or name is None:
            return False
        lines = where.writers.get(name, ()) or where.star_lines
        if not lines:
            return False
        draft = self.drafts.take_in(module)
        if draft.whole or draft.is_new or name in draft.grown:
            return False
        if not self._patches:
            return self._take_whole(draft, f"{caller.name} changed")
        is_moving = False
        for index in lines:
            is_moving |= self._run_aside(draft, where, index)
        return is_moving

    def _run_aside(self, draft: Draft, outline: Outline, index: int) -> bool:
        if index in draft.run or index in draft.aside:
            return False
        statement = outline.statements[index]
        if statement.facts.doubt:
            return self._take_whole(draft, f"line {statement.line} is needed, and {statement.facts.doubt}")
        writes = self._names.writes(draft.name, outline, index)
        grown = [ref for ref in writes if ref[0] in self.drafts and ref[1] in self.drafts[ref[0]].grown]
        for ref in grown:  # it would be added to twice
            self._replay(ref, draft.name)
        if grown:
            return True
        draft.aside.add(index)
        for ref in writes:  # what it changes is to be another object, too
            for other in self.drafts.values():
                if other.outline is not None and not other.whole and not other.is_new:
                    for writer in range(len(other.outline.statements)):
                        if ref in self._names.writes(other.name, other.outline, writer):
                            self._run_aside(other, other.outline, writer)
        return True

    def _reach_dependents(self) -> bool:
        """Take in the modules that import a draft's module and may be reached through it."""
        is_moving = False
        for draft in list(self.drafts.values()):
            is_rebinding = bool(draft.rebound) or draft.is_all_rebound
            for name in self._dependents(draft.name, is_rebinding):
                if name not in self.drafts:
                    self.drafts.take_in(name)
                    is_moving = True
                if is_rebinding or draft.touched:
                    is_moving |= self._doubt_edge(self.drafts[name], draft)
        return is_moving

    def _doubt_edge(self, dependent: Draft, draft: Draft) -> bool:
        """Execute a dependent as a whole if its text does not show how it came to import a module."""
        if dependent.is_new or dependent.is_gone or dependent.whole:
            return False
        if dependent.outline is None:
            dependent.cause = draft.name
            return self._take_whole(dependent, f"{draft.name} changed")
        if draft.name in self._edges(dependent.name) and draft.name not in (dependent.old or dependent.outline).shown:
            return self._take_whole(dependent, f"it imports {draft.name} in a way that its text does not show")
        return False


def _changed_parts(before: Facts, facts: Facts) -> set[str]:
    """Return the qualified names of what is different in a definition; of a class only the members, if that is all."""
    if before.head != facts.head or not (before.members and facts.members):
        return {facts.name}
    names = before.members.keys() | facts.members.keys()
    changed = {f"{facts.name}.{name}" for name in names if before.members.get(name) != facts.members.get(name)}
    return changed if changed and not facts.is_decorated else {facts.name}


def _is_reshaped(before: Facts, facts: Facts) -> bool:
    """Tell whether another class object may have to take a class's place."""
    if before is facts or facts.kind is not Kind.CLASS:
        return False
    return before.head != facts.head or before.members.get("__slots__") != facts.members.get("__slots__")


def _definition(outline: Outline, name: str) -> Statement | None:
    """Return the statement that defines a function or class of a name, if it is the only one that binds it."""
    found = [statement for statement in outline.statements if name in statement.facts.binds]
    return found[0] if len(found) == 1 and found[0].facts.kind in {Kind.FUNCTION, Kind.CLASS} else None
