"""Objects that keep functions and classes of others: registries, dispatchers, hooks. Who calls them, calls what they keep.

Pure: it notes in the drafts of a plan what they keep. One plan uses one ``Stock``.
"""

from ipyhot.core.drafts import Draft, Drafts
from ipyhot.core.facts import Kind
from ipyhot.core.outline import Statement
from ipyhot.core.reach import Reach

__all__ = ["Stock"]


class Stock:
    """Follows what behaves differently into the objects that it was registered in."""

    def __init__(self, drafts: Drafts, names: Reach) -> None:
        self._drafts = drafts
        self._names = names

    def note(self, draft: Draft) -> bool:
        """Note which objects keep a function or class that behaves differently now; return whether one was found."""
        outline = draft.outline
        is_moving = False
        for index, statement in enumerate(outline.statements if outline is not None else ()):
            members = self._kept_otherwise(draft, statement)
            for module, name in self._names.kept_in(draft.name, outline, index) if members and outline is not None else ():
                other = self._drafts.take_in(module, draft.name)
                new = {(name, member) for member in members} - other.stocked
                other.stocked |= new
                is_moving |= bool(new)
        return is_moving

    def _kept_otherwise(self, draft: Draft, statement: Statement) -> set[str]:
        """Return what of that which a statement may register behaves differently: methods; of a function, ``""``."""
        facts = statement.facts
        if facts.kind in {Kind.FUNCTION, Kind.CLASS}:
            paths = (path.partition(".") for path in draft.touched)
            return {member.partition(".")[0] for name, _, member in paths if name == facts.name}
        refs = self._names.held(draft.name, draft.outline, statement) if draft.outline is not None and facts.mutates else ()
        paths = (
            path.partition(".")
            for module, name in refs
            if module in self._drafts
            for path in self._drafts[module].touched
            if path == name or path.startswith(f"{name}.")
        )
        return {member.partition(".")[0] for _, _, member in paths}
