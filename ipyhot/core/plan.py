"""Decides what a transaction runs, of each module all or some statements. Pure: records in, records out."""

import math
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ipyhot.core import diff
from ipyhot.core.drafts import Draft, Drafts
from ipyhot.core.effects import Effects
from ipyhot.core.facts import Facts, Kind
from ipyhot.core.graph import Graph
from ipyhot.core.model import Change, Plan, Remade, Step, Version, Way
from ipyhot.core.outline import Outline

__all__ = ["Revision", "make"]


@dataclass(frozen=True)
class Revision:
    """The outlines of a change: the live one and the new one; None where a text has none."""

    old: Outline | None = None
    new: Outline | None = None

    @cached_property
    def edit(self) -> diff.Edit | None:
        """What is different between the two; None if one of them is missing."""
        return None if self.old is None or self.new is None else diff.edit(self.old, self.new)


def make(  # noqa: PLR0917 - a plan is made of all of them, in one place
    changes: Mapping[str, Change],
    revisions: Mapping[str, Revision],
    graph: Graph,
    live: Mapping[str, Version],
    failing: Collection[str],
    entered: Mapping[str, int],
    *,
    outline_of: Callable[[str], Outline | None],
    is_watched: Callable[[str], bool],
    grows: Callable[[str, str], bool] = lambda _module, _name: False,
    is_container: Callable[[str, str], bool] = lambda _module, _name: True,
    holds: Callable[[str, str, Collection[types.CodeType]], bool] = lambda _module, _name, _codes: True,
    asked_by_bases: Callable[[str, str, Iterable[str]], frozenset[str]] = lambda _module, _name, _asked: frozenset(),
    patches: bool = True,
) -> Plan:
    """Return what to run for some changes: of each module the statements that the change reaches, or all of it.

    What one of them imports is loaded when it asks for it, so dependencies come first all the same. The order decides
    how a circular import is entered, and with that whether it loads at all.

    Args:
        changes: what differs from what is live, by module name.
        revisions: the outlines of the changes.
        graph: the edges of the live modules, and of the failing ones as far as they are known.
        live: the versions that are live now.
        failing: modules whose newest text was not live before this change.
        entered: when each module's load first began; a new one comes last, by its name.
        outline_of: the live outline of a module.
        is_watched: whether a module belongs to a watched folder.
        grows: whether what a name of a module stands for may be added to as it is.
        is_container: whether that is a plain container.
        holds: whether a name of a module stands for what holds a function made of one of some code objects.
        asked_by_bases: what a library asks of a class of a module, given its name and what else is asked of its objects.
        patches: take edits statement by statement; if not, every file that is reached is executed as a whole.
    """
    effects = Effects(
        outline_of=lambda name: outline_of(name) if name in live else None,
        dependents=lambda name, is_rebinding: [d for d in graph.importers(name, is_rebinding=is_rebinding) if d in live],
        edges=graph.dependencies,
        is_module=live.__contains__,
        is_watched=is_watched,
        grows=grows,
        is_container=is_container,
        holds=holds,
        asked_by_bases=asked_by_bases,
        patches=patches,
    )
    for name, change in changes.items():
        effects.drafts[name] = _draft(change, revisions.get(name, Revision()), is_live=name in live)
    effects.settle()
    steps: dict[str, Step] = {}
    for name in sorted(effects.drafts, key=lambda name: (entered.get(name, math.inf), name)):
        draft = effects.drafts[name]
        stale = effects.stale(draft)
        if name in changes or draft.run or draft.aside or draft.whole or draft.grown or stale:
            refilled = _refilled(draft, effects.drafts)
            step = _step(draft, changes.get(name), live.get(name))
            steps[name] = replace(step, stale=stale, refilled=refilled) if stale or refilled else step
    return Plan(steps, frozenset(name for name in steps if name not in live or name in failing))


def _draft(change: Change, revision: Revision, *, is_live: bool) -> Draft:
    draft = Draft(change.name, revision.new, revision.old, is_new=not is_live, is_gone=change.source is None)
    if draft.is_gone:
        draft.outline = None
    elif is_live and change.whole:
        draft.whole = change.whole
    elif is_live and (revision.old is None or revision.new is None):
        draft.whole, draft.outline = "its text cannot be taken apart", None
    draft.edit = revision.edit if is_live else None
    return draft


def _step(draft: Draft, change: Change | None, version: Version | None) -> Step:
    if change is not None and change.source is None:
        return Step(draft.name, Way.DROP, None, "its file is gone")
    source = change.source if change is not None else version.source if version is not None else None
    if version is None:
        return Step(draft.name, Way.LOAD, source, "it is new")
    if draft.whole or draft.outline is None:
        return Step(draft.name, Way.RELOAD, source, draft.whole or _words(draft), grown=frozenset(draft.grown))
    return Step(
        draft.name,
        Way.PATCH,
        source,
        _words(draft),
        tuple(sorted(draft.run)),
        aside=tuple(sorted(draft.aside - draft.run)),
        gone=_gone(draft),
        remade=_remade(draft),
        grown=frozenset(draft.grown),
        is_still=_is_still(draft),
    )


def _refilled(draft: Draft, drafts: Drafts) -> frozenset[str]:
    """Return the names whose object is made again, with the same containers, only for those who add to what it makes."""
    outline, edit = draft.outline, draft.edit
    if outline is None:
        return frozenset()
    changed = {
        name
        for statement in (outline.statements[index] for index in (edit.changed if edit is not None else ()))
        for name in statement.facts.binds
        if statement.facts.kind is not Kind.CLASS or (draft.name, name) not in drafts.added_to
    }
    own = outline.names - outline.imported.keys()
    found = {name for module, name in drafts.replayed if module == draft.name and name in own} - changed
    last_star = max(outline.star_lines, default=-1)  # what stands before it may be what it takes
    return frozenset(name for name in found if outline.writers[name][-1] > last_star)


def _is_still(draft: Draft) -> bool:
    """Tell whether an edit touches no more than lines and the bodies of functions, as far as its file goes."""
    edit = draft.edit
    is_complete = edit is None or not (edit.removed or edit.is_reordered)
    return is_complete and not (draft.run or draft.aside or draft.grown)


def _gone(draft: Draft) -> frozenset[str]:
    """Return the names that no statement binds any more."""
    if draft.old is None or draft.outline is None or (draft.edit is not None and not draft.edit.removed):
        return frozenset()
    return draft.old.names - draft.outline.names


def _remade(draft: Draft) -> dict[str, Remade]:
    """Return the classes whose own text changed, and that nothing else of the file adds to."""
    old, new, edit = draft.old, draft.outline, draft.edit
    if old is None or new is None or edit is None:
        return {}
    found = {}
    for index in edit.changed:
        facts = new.statements[index].facts
        before = next((s.facts for s in old.statements if s.facts.kind is Kind.CLASS and s.facts.name == facts.name), None)
        is_used = any(facts.name == chain[0] for i in draft.run - {index} for chain in new.statements[i].facts.used)
        if facts.kind is Kind.CLASS and before is not None and new.writers.get(facts.name) == [index] and not is_used:
            is_all = facts.is_decorated or facts.metaclass or before.head != facts.head or not before.members
            bound = frozenset() if is_all else frozenset(before.members)
            found[facts.name] = Remade(_kept(draft, before, facts), bound)
    return found


def _kept(draft: Draft, before: Facts, facts: Facts) -> frozenset[str]:
    """Return the attributes of a class that need not be computed again: neither they nor what they read changed."""
    kept = {
        name
        for name, member in facts.members.items()
        if not member.is_function
        and before.members.get(name) == member
        and (not member.reads or (not facts.used and member.reads.isdisjoint(draft.rebound)))
    }
    while stale := {name for name in kept if facts.members[name].reads & (facts.members.keys() - kept)}:
        kept -= stale
    return frozenset(kept)


def _words(draft: Draft) -> str:
    """Return what an edit touches, for people."""
    outline, edit = draft.outline, draft.edit
    names: dict[str, None] = {}
    if edit is not None and outline is not None:
        names.update(dict.fromkeys(sorted(edit.touched)))
        for index in edit.changed:
            names.update(dict.fromkeys(sorted(outline.statements[index].facts.binds)))
        if draft.old is not None:
            for index in edit.removed:
                names.update(dict.fromkeys(sorted(draft.old.statements[index].facts.binds)))
    if names:
        shown = ", ".join(list(names)[:3])
        return f"{shown} and {len(names) - 3} more changed" if len(names) > 3 else f"{shown} changed"  # noqa: PLR2004 - three names fit a line
    if edit is not None:
        is_moved = not (edit.changed or edit.removed)
        return "comments or lines changed" if is_moved else "its text changed"
    return f"{draft.cause or 'what it imports'} changed"
