"""What runs aside: definitions and objects that are not as they were, made once more for statements that look into them.

The live ones become what they are to be only at the commit, and what runs before that must not meet the old ones. One
plan uses one ``Asides``.
"""

from collections.abc import Iterable

from ipyhot.core.drafts import Draft, Drafts
from ipyhot.core.facts import Kind
from ipyhot.core.outline import Outline, Statement
from ipyhot.core.reach import Reach, Ref
from ipyhot.core.reasons import Reasons
from ipyhot.core.scan import Chain

__all__ = ["Asides"]


class Asides:
    """Lets statements run aside.

    Args:
        drafts: the drafts of the plan.
        names: what their statements reach and write.
        reasons: what else their statements may call.
        patches: whether statements run by themselves at all.
    """

    def __init__(self, drafts: Drafts, names: Reach, reasons: Reasons, *, patches: bool) -> None:
        self._drafts = drafts
        self._names = names
        self._reasons = reasons
        self._patches = patches

    def advance(self, draft: Draft, outline: Outline, running: Iterable[int]) -> bool:
        """Let run aside what statements that run may call, and what that is reached through."""
        is_moving = False
        running = list(running)
        needed = [ref for index in running for ref in self._names.needed(draft.name, outline, outline.statements[index])]
        if any(self._names.reads_anything(draft.name, outline, outline.statements[index]) for index in running):
            needed += [(other, None) for other in self._drafts]
        asked = {ref for index in running for ref in self._reasons.asked_of(draft, outline, index)}
        for ref in self._names.leading_to(needed, lambda ref: self._is_other(ref) or ref in asked):
            is_moving |= self._define(ref, draft)
        for index in draft.edit.changed if draft.edit is not None and not draft.whole else ():
            is_moving |= self._define_later(draft, outline, index)
        return is_moving

    def _is_other(self, ref: Ref) -> bool:
        """Tell whether a name is not what it was for what calls it."""
        draft = self._drafts.get(ref[0])
        return draft is not None and (draft.touches(ref[1]) or ref[1] in draft.grown or ref in self._drafts.rebuilt)

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
        where = self._drafts.outline(module)
        if where is None or name is None:
            return False
        lines = where.writers.get(name, ()) or where.star_lines
        if not lines:
            return False
        draft = self._drafts.take_in(module)
        if draft.whole or draft.is_new or name in draft.grown:
            return False
        if not self._patches:
            return _doubt(draft, f"{caller.name} changed")
        is_moving = False
        for index in lines:
            is_moving |= self._run_aside(draft, where, index)
        return is_moving

    def _run_aside(self, draft: Draft, outline: Outline, index: int) -> bool:
        if index in draft.run or index in draft.aside:
            return False
        statement = outline.statements[index]
        if statement.facts.doubt and not self._concerns_rebuilt_alone(draft, outline, statement):
            return _doubt(draft, f"line {statement.line} is needed, and {statement.facts.doubt}")
        writes = self._names.writes(draft.name, outline, index)
        grown = [ref for ref in writes if ref[0] in self._drafts and ref[1] in self._drafts[ref[0]].grown]
        for ref in grown:  # it would be added to twice
            self._drafts.replay(ref, draft.name)
        if grown:
            return True
        draft.aside.add(index)
        self._drafts.rebuilt |= writes
        for module, name in self._names.reads(draft.name, outline, statement):  # what a name stands for only for a while
            writers = outline.writers.get(str(name), []) if module == draft.name else []
            for writer in writers if writers and writers[0] < index < writers[-1] else ():
                self._run_aside(draft, outline, writer)
        return True

    def complete(self, draft: Draft) -> bool:
        """Let run aside what changes an object that is made aside, too: it has to be complete for who looks into it."""
        outline = draft.outline
        if outline is None or not self._drafts.rebuilt or draft.whole or draft.is_new:
            return False
        is_moving = False
        for index, statement in enumerate(outline.statements):
            is_written = not self._drafts.rebuilt.isdisjoint(self._names.writes(draft.name, outline, index))
            if is_written or self._calls_rebuilt(draft, outline, statement):
                is_moving |= self._run_aside(draft, outline, index)
        return is_moving

    def _calls_rebuilt(self, draft: Draft, outline: Outline, statement: Statement) -> bool:
        """Tell whether a statement calls a method of an object that is made aside, for what that does to it."""
        facts = statement.facts
        return (bool(facts.doubt) or not facts.binds) and any(
            len(chain) > 1 and self._is_rebuilt(draft, outline, chain) for chain in facts.used
        )

    def _concerns_rebuilt_alone(self, draft: Draft, outline: Outline, statement: Statement) -> bool:
        """Tell whether objects that are made aside are all that a statement uses."""
        facts = statement.facts
        return (
            self._calls_rebuilt(draft, outline, statement)
            and not facts.reads_anything
            and all(
                self._is_rebuilt(draft, outline, chain) or not any(self._names.refs(draft.name, outline, chain))
                for chain in facts.reads
            )
        )

    def _is_rebuilt(self, draft: Draft, outline: Outline, chain: Chain) -> bool:
        """Tell whether a chain begins with an object, not a function or class, that is made aside."""
        rebuilt = self._drafts.rebuilt.intersection(self._names.refs(draft.name, outline, chain[:1]))
        return any(maker.statement.facts.kind is Kind.OTHER for ref in rebuilt for maker in self._names.expand(ref)[0])


def _doubt(draft: Draft, why: str) -> bool:
    """Ask for a file to be executed as a whole; return whether that is new."""
    is_new = not (draft.whole or draft.doubt)
    draft.doubt = draft.doubt or why
    return is_new
