"""Why a file cannot be taken statement by statement: what its text does not show, in words for people.

Pure: drafts in, reasons out. One plan uses one ``Doubts``.
"""

from collections.abc import Callable

from ipyhot.core.drafts import Draft
from ipyhot.core.facts import Kind
from ipyhot.core.model import HANDOVER
from ipyhot.core.outline import Outline, Statement
from ipyhot.core.reach import Reach

__all__ = ["Doubts"]


class Doubts:
    """Looks for what makes it unsure that running some statements gives what executing the whole file would."""

    def __init__(self, names: Reach, is_watched: Callable[[str], bool]) -> None:
        self._names = names
        self._is_watched = is_watched

    def of_running(self, draft: Draft, outline: Outline, index: int) -> str:
        """Return why it is not enough to run a statement, or the empty string."""
        statement = outline.statements[index]
        doubt = "" if _is_mere_addition(draft, index) else self._of_effects(draft.name, outline, statement)
        if doubt:
            return f"line {statement.line} depends on what changed, and {doubt}"
        if outline.stars and not all(map(self._is_watched, outline.stars)):
            return "it imports everything from a module that is not watched"
        if statement.facts.binds and any(s.facts.stars for s in outline.statements[index + 1 :]):
            return "it imports everything from another module further down"
        if not outline.names.isdisjoint(HANDOVER):
            return "it hands over its state itself"
        if outline.stars and self._reads_before_bound(draft.name, outline, index):
            return f"line {statement.line} may read from a star import what is bound later"
        return ""

    def of_removing(self, draft: Draft, old: Outline, index: int) -> str:
        """Return why it is not enough to forget a statement of the old text, or the empty string."""
        statement = old.statements[index]
        if statement.facts.stars or (draft.outline is not None and draft.outline.stars):
            return "it imports everything from another module, and a name less by itself"
        doubt = self._of_effects(draft.name, old, statement)
        return f"line {statement.line} of the old text is gone, and {doubt}" if doubt else ""

    def _of_effects(self, name: str, outline: Outline, statement: Statement) -> str:
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

    def _reads_before_bound(self, name: str, outline: Outline, index: int) -> bool:
        """Tell whether a statement reads a name that only itself or later statements bind."""
        reads = self._names.reads(name, outline, outline.statements[index])
        return any(module == name and outline.writers.get(str(read), [-1])[0] >= index for module, read in reads)


def _is_mere_addition(draft: Draft, index: int) -> bool:
    """Tell whether a statement is new and stands behind all that does more than define."""
    edit, outline = draft.edit, draft.outline
    if edit is None or outline is None or index not in edit.changed or edit.removed:
        return False
    definitions = {Kind.FUNCTION, Kind.IMPORT}
    return all(statement.facts.kind in definitions for statement in outline.statements[index + 1 :])
