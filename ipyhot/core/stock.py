"""Objects that keep functions and classes of others: registries, dispatchers, hooks. Who calls them, calls what they keep.

Pure: it notes in the drafts of a plan what they keep. One plan uses one ``Stock``.
"""

from ipyhot.core.drafts import ALL, Draft, Drafts
from ipyhot.core.facts import Kind
from ipyhot.core.outline import Outline, Statement
from ipyhot.core.reach import Reach, Ref

__all__ = ["Stock"]


class Stock:
    """Follows what behaves differently into the objects that it was registered in."""

    def __init__(self, drafts: Drafts, names: Reach) -> None:
        self._drafts = drafts
        self._names = names

    def note(self, draft: Draft) -> bool:
        """Note which objects keep a function or class that behaves differently now; return whether one was found."""
        outline = draft.outline
        if outline is None:
            return False
        is_moving = False
        for index, statement in enumerate(outline.statements):
            keepers = list(self._names.kept_in(draft.name, outline, index))
            members = self._otherwise(draft, outline, statement) if keepers else set()
            for module, name in keepers if members else ():
                other = self._drafts.take_in(module, draft.name)
                new = {(name, member) for member in members} - other.stocked
                other.stocked |= new
                is_moving |= bool(new)
                self._drafts.is_stocked |= bool(new)
        return is_moving

    def _otherwise(self, draft: Draft, outline: Outline, statement: Statement) -> set[str]:
        """Return what of that which a statement registers behaves differently: methods, or any; of a function, ``""``."""
        facts = statement.facts
        is_definition = facts.kind in {Kind.FUNCTION, Kind.CLASS}
        given = [(draft.name, facts.name)] if is_definition else list(self._names.held(draft.name, outline, statement))
        found: set[str] = set()
        for module, name in given:
            if module in self._drafts:
                paths = (path.partition(".") for path in self._drafts[module].touched)
                found |= {member.partition(".")[0] for owner, _, member in paths if owner == name}
        reached = self._names.reach(given, of=None if is_definition else statement)
        if not found and any(writer is None and ref not in given and self._is_other(ref) for ref, writer, _ in reached):
            found.add("" if facts.kind is not Kind.CLASS else ALL)
        return found

    def _is_other(self, ref: Ref) -> bool:
        return ref[0] in self._drafts and self._drafts[ref[0]].touches(ref[1])
