"""Which statements an edit reaches: names that are bound anew, functions that behave differently, who computes with them.

Pure. ``Effects`` looks at outlines only; one plan uses one of it.
"""

import types
from collections.abc import Callable, Collection, Iterable, Mapping

from ipyhot.core.asides import Asides
from ipyhot.core.diff import Edit
from ipyhot.core.doubts import Doubts
from ipyhot.core.drafts import ALL, Draft, Drafts
from ipyhot.core.facts import Facts, Kind, Member
from ipyhot.core.growth import Growth
from ipyhot.core.lineage import Lineage
from ipyhot.core.model import HANDOVER
from ipyhot.core.outline import Outline, Statement
from ipyhot.core.reach import Reach
from ipyhot.core.reasons import Reasons
from ipyhot.core.stock import Stock

__all__ = ["Effects"]


class Effects:
    """Follows an edit from statement to statement until nothing more is reached.

    Args:
        outline_of: the live outline of a watched module, or None if there is none.
        dependents: who imports one of some modules while loading, as far as it matters to what they compute.
        edges: what a module's load imported, as recorded.
        is_module: whether there is a live module of a name.
        is_watched: whether a module belongs to a watched folder.
        grows: whether a statement may add to the object that a name of a module stands for, as it is.
        is_container: whether that is a plain container.
        holds: whether a name of a module stands for a function made of one of some code objects, or for what holds one.
        asked_by_bases: what a library asks of a class of a module, given its name and what else is asked of its objects.
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
        is_container: Callable[[str, str], bool],
        holds: Callable[[str, str, Collection[types.CodeType]], bool],
        asked_by_bases: Callable[[str, str, Iterable[str]], frozenset[str]],
        patches: bool = True,
    ) -> None:
        self._patches = patches
        self._holds = holds
        self.drafts = Drafts(outline_of, is_module)
        self._dependents = dependents
        self._edges = edges
        self._names = Reach(self.drafts, is_watched, asked_by_bases)
        self._lineage = Lineage(self.drafts, self._names)
        self._reasons = Reasons(self.drafts, self._names, self._lineage)
        self._doubts = Doubts(self._names, is_watched)
        self._stock = Stock(self.drafts, self._names)
        self._asides = Asides(self.drafts, self._names, self._reasons, patches=patches)
        self._growth = Growth(self.drafts, self._names, dependents=dependents, grows=grows, is_container=is_container)

    def settle(self) -> None:
        """Add what the drafts reach, until nothing is added any more."""
        for draft in list(self.drafts.values()):
            self._begin(draft)
        is_moving = True
        while is_moving:
            is_moving = False
            for draft in list(self.drafts.values()):
                is_moving |= self._stock.note(draft)
                is_moving |= self._advance(draft)
                is_moving |= self._asides.complete(draft)
            for draft in [draft for draft in self.drafts.values() if draft.doubt]:
                is_moving |= self._take_whole(draft, draft.doubt)
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
            for ref in self._names.all_writes(draft.name, old):
                self.drafts.replay(ref, draft.name)
        if draft.is_new and new is not None:
            self._let_grow(draft, new)
        if edit is None or old is None or new is None:
            return
        draft.touched |= edit.touched | _further_members(edit.touched, new)
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
                if self._lineage.is_made_by(member, draft.name, new, new.statements[index].facts):
                    self._run(draft, index, path)
        for index, was in edit.kept.items():
            if self._is_used_up(draft, old.statements[was], new.statements[index]):
                self._run(draft, index, draft.name)
        if edit.is_reordered and (old.stars or new.stars):
            self._take_whole(draft, "it imports everything from another module, and its lines changed places")
        if edit.is_reordered and _moves_what_reads_anything(new, edit):
            self._take_whole(draft, "its lines changed places around one that may read or write anything")
        if edit.is_reordered:
            self._reordered(draft, old, new, edit)

    def _let_grow(self, draft: Draft, outline: Outline) -> None:
        """Let a new file add to copies of what live modules hold: should it fail, nothing of it is there."""
        for module, name in self._growth.begun_by(draft, outline):
            other = self.drafts.take_in(module, draft.name)
            if not (other.is_new or name in other.rebound):
                other.grown.add(name)
                if not self._patches:
                    self._take_whole(other, f"{draft.name} changed")

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
            for module, name in self._names.reads(draft.name, new, statement):
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
                self.drafts.replay(ref, ref[1])

    def _removed(self, draft: Draft, old: Outline, index: int) -> None:
        statement = old.statements[index]
        edit, new = draft.edit, draft.outline
        changed = {name for i in edit.changed for name in new.statements[i].facts.binds} if edit and new else set()
        draft.rebound |= statement.facts.binds - changed
        if doubt := self._doubts.of_removing(draft, old, index):
            self._take_whole(draft, doubt)
        for ref in self._names.writes(draft.name, old, index):
            self.drafts.replay(ref, draft.name)

    def _take_whole(self, draft: Draft, why: str) -> bool:
        if draft.whole:
            return False
        draft.whole = why
        draft.is_open = any(outline is not None and bool(outline.stars) for outline in (draft.old, draft.outline))
        for outline in (draft.old, draft.outline):
            for statement in outline.statements if outline is not None else ():
                self._makes(draft, statement)
        if draft.outline is not None:
            for module, name in self._names.all_writes(draft.name, draft.outline):
                if module != draft.name:
                    self.drafts.replay((module, name), draft.name)
                elif name in draft.outline.globals:
                    draft.rebound.add(name)
        return True

    def _makes(self, draft: Draft, statement: Statement) -> None:
        """Note what the names that a statement binds stand for afterwards."""
        facts = statement.facts
        if facts.doubt:
            draft.rebound.add(ALL)  # a star import may find a name that no text shows
        draft.is_open |= facts.reads_anything and draft.edit is not None and not draft.is_new
        if facts.kind not in {Kind.FUNCTION, Kind.CLASS}:
            draft.rebound |= facts.binds
            return
        before = statement if draft.old is None else _definition(draft.old, facts.name)
        is_plain = draft.outline is not None and self._lineage.is_plain(draft.name, draft.outline, facts)
        parts = _changed_parts(before.facts, facts) if before is not None and is_plain else {facts.name}
        draft.touched |= parts | (_further_members(parts, draft.outline) if draft.outline is not None else set())
        if (
            before is None
            or before.facts.kind is not facts.kind
            or facts.is_decorated
            or before.facts.is_decorated
            or _is_reshaped(before.facts, facts)
        ):
            draft.rebound.add(facts.name)

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
        if not draft.whole and (doubt := self._doubts.of_running(draft, outline, index)):
            self._take_whole(draft, doubt)
        for star in outline.star_lines if statement.facts.stars else ():  # the last of them to take a name has it
            self._run(draft, star, cause)
        for base in statement.facts.stars:
            self._uncover(draft, outline, index, outline.resolve(base))
        if statement.facts.stars and any(other.facts.deletes for other in outline.statements[index + 1 :]):
            self._take_whole(draft, "it deletes names behind a star import")
        draft.aside.discard(index)
        for ref in self._names.writes(draft.name, outline, index):
            draft.rebound |= {ref[1]} & outline.globals if ref[0] == draft.name else set()
            if self._growth.is_last_of(draft, index, ref):
                other = draft if ref[0] == draft.name else self.drafts.take_in(ref[0], cause)
                other.grown.add(ref[1])
                other.touched.add(ref[1])
            else:
                self.drafts.replay(ref, cause)
                self.drafts.added_to |= {ref} if ref[0] != draft.name or ref[1] not in statement.facts.binds else set()
        new = draft.edit.changed if draft.edit is not None else ()
        for module, name in self._names.reads(draft.name, outline, statement):  # in the middle between those that write it
            writers = [i for i in outline.writers.get(str(name), ()) if i != index] if module == draft.name else []
            if writers and name is not None and writers[0] < index < max((i for i in writers if i not in new), default=0):
                self.drafts.replay((draft.name, name), cause)
        return True

    def _uncover(self, draft: Draft, outline: Outline, star: int, module: str) -> None:
        """Let run what binds a name that a star import below has taken so far, and takes no more."""
        source = self.drafts.get(module)
        if source is not None and source.old is not None:
            lost = source.old.names - (source.outline.names if source.outline is not None else frozenset())
            for index, statement in enumerate(outline.statements[:star]):
                if not lost.isdisjoint(statement.facts.binds):
                    self._run(draft, index, module)

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
            is_elsewhere = draft.old is None or draft.old.imported.get(bound) != draft.outline.imported.get(bound)
            if (is_changed and is_elsewhere) or any(other.rebinds(name) for other, name in drafts if name is not None):
                draft.rebound.add(bound)

    def _advance(self, draft: Draft) -> bool:
        """Let each statement run that has a reason to; return whether one was found."""
        outline = draft.outline
        if outline is None:
            return False
        if draft.is_new or draft.whole:
            return self._asides.advance(draft, outline, range(len(outline.statements)))
        is_moving = False
        for index in range(len(outline.statements)):
            if index not in draft.run:
                cause = self._reasons.of(draft, outline, index)
                if cause:
                    is_moving |= self._run(draft, index, cause)
        is_moving |= self._share_classes(draft, outline)
        return is_moving | self._asides.advance(draft, outline, [*draft.run, *draft.aside])

    def _share_classes(self, draft: Draft, outline: Outline) -> bool:
        """Take a class as another one if a statement that runs computes with it: what it keeps in itself begins anew."""
        names = {chain[0] for index in draft.run for chain in outline.statements[index].facts.used}
        made = {f.name for f in (outline.statements[i].facts for i in draft.run) if f.kind is Kind.CLASS}
        shared = (names & made) - draft.touched
        draft.touched |= shared
        return bool(shared)

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


def _moves_what_reads_anything(outline: Outline, edit: Edit) -> bool:
    """Tell whether a statement that may read or write anything stands on the other side of another one now."""
    return any(
        (index < other) != (was < edit.kept[other])
        for index, was in edit.kept.items()
        if outline.statements[index].facts.reads_anything
        for other in edit.kept
        if other != index
    )


def _changed_parts(before: Facts, facts: Facts) -> set[str]:
    """Return the qualified names of what is different in a definition; of a class only the members, if that is all."""
    if before.head != facts.head or not (before.members and facts.members):
        return {facts.name}
    names = before.members.keys() | facts.members.keys()
    changed = {f"{facts.name}.{name}" for name in names if before.members.get(name) != facts.members.get(name)}
    if _abstract(before) != _abstract(facts):  # whether there can be instances, of subclasses too
        changed.add(f"{facts.name}.__abstractmethods__")
    return changed if changed and not facts.is_decorated else {facts.name}


def _abstract(facts: Facts) -> set[str]:
    return {name for name, member in facts.members.items() if member.is_abstract}


def _further_members(touched: Iterable[str], outline: Outline) -> set[str]:
    """Return the members of classes that are made of touched ones, or that those were given to: ``@show.register``."""
    found: set[str] = set()
    for path in touched:
        name, _, member = path.partition(".")
        for index in outline.writers.get(name, ()) if member else ():
            members = outline.statements[index].facts.members
            met = {member.partition(".")[0]}
            while more := {n for n in members.keys() - met if any(_are_related(members, n, one) for one in met)}:
                met |= more
            found |= {f"{name}.{one}" for one in met}
    return found


def _are_related(members: Mapping[str, Member], one: str, other: str) -> bool:
    """Tell whether one of two attributes of a class is made of the other."""
    return other in members[one].reads or (other in members and one in members[other].reads)


def _is_reshaped(before: Facts, facts: Facts) -> bool:
    """Tell whether another class object may have to take a class's place."""
    if before is facts or facts.kind is not Kind.CLASS:
        return False
    return before.head != facts.head or before.members.get("__slots__") != facts.members.get("__slots__")


def _definition(outline: Outline, name: str) -> Statement | None:
    """Return the statement that defines a function or class of a name, if it is the only one that binds it."""
    found = [statement for statement in outline.statements if name in statement.facts.binds]
    return found[0] if len(found) == 1 and found[0].facts.kind in {Kind.FUNCTION, Kind.CLASS} else None
