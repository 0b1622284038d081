"""What is to become of a live module's namespace: which names change, which go, which functions get newer code.

It reads what was staged and what is live, and changes neither. Called by the thread that builds.
"""

import sys
import types
from collections.abc import Collection, Mapping
from typing import Any, Final

from ipyhot.core import diff
from ipyhot.core.containers import can_be_filled
from ipyhot.core.heads import heads_in
from ipyhot.core.heap import is_a
from ipyhot.core.ledger import Ledger
from ipyhot.core.outline import Outline
from ipyhot.core.pairs import Module
from ipyhot.core.stage import Stage
from ipyhot.core.staged import OWN_NAMES, Staged
from ipyhot.core.succession import Heir
from ipyhot.core.texts import codes_of

__all__ = ["bound", "heir_of"]


def heir_of(stage: Stage, name: str, live: types.ModuleType | None, ledger: Ledger, edit: diff.Edit | None) -> Heir | None:
    """Return what a live module takes over from what was staged; None if it goes, or becomes another object.

    Args:
        stage: what was run aside.
        name: the module.
        live: the object that stays, if there is one.
        ledger: what is known of the live version.
        edit: what is different between the two texts, if that is known.
    """
    staged = stage.results[name]
    if live is None or staged.module is None or staged.value is not staged.module or name in stage.covered:
        return None
    here, aside = object.__getattribute__(live, "__dict__"), vars(staged.module)
    names: Collection[str] = ()
    may_go: Collection[str] = ()
    if staged.step.run is None:
        names = [key for key in aside if key not in OWN_NAMES]
        may_go = ledger.live[name].names if name in ledger.live else frozenset(here) - OWN_NAMES
    elif not stage.is_still:
        names = [key for key, value in aside.items() if _is_other(key, value, staged.carried)]
        may_go = _unbound(staged)
    gone = [key for key in may_go if key in here and key not in aside and not _is_submodule(name, key, here[key])]
    before = ledger.texts.outline_of(name)
    if gone and before is not None and staged.outline is not None:
        gone = [key for key in gone if not _is_bound_once(key, before, staged.outline, here, aside)]
    imported = _imported(before, here)
    grown = {**staged.grown, **_refilled(staged, names, here, aside)}
    names = [key for key in names if key not in grown]
    step = staged.step
    module = Module(name, here, aside, names, gone, imported, step.remade, step.refilled, grown, staged.shadows)
    pairs = _code_pairs(staged, ledger, edit)
    pieces = [s.code for s in staged.outline.statements if s.code is not None] if staged.outline is not None else []
    parents = [*pieces, *([staged.code] if staged.code is not None else []), *(new for _, new in pairs)]
    return Heir(module, pairs, heads_in(parents), staged.step.stale)


def bound(staged: Staged, heir: Heir | None, ledger: Ledger) -> frozenset[str]:
    """Return the names that a module binds, once what was staged of it is live."""
    version = ledger.live.get(staged.step.name)
    if heir is not None and version is not None:
        return version.names.difference(heir.module.gone).union(heir.module.names)
    return frozenset(vars(staged.module) if staged.module is not None else ()) - OWN_NAMES


def _unbound(staged: Staged) -> set[str]:
    """Return the names that may be bound no more, where only some statements ran."""
    run = staged.step.run or ()
    made = {name for index in run if staged.outline for name in staged.outline.statements[index].facts.binds}
    return {*made, *staged.step.gone, *staged.carried, *staged.starred, "__annotations__"}


def _code_pairs(staged: Staged, ledger: Ledger, edit: diff.Edit | None) -> list[tuple[types.CodeType, types.CodeType]]:
    """Return old and new code object of each function of a module."""
    name = staged.step.name
    before = ledger.texts.outline_of(name)
    if before is None or staged.outline is None:
        found = diff.successors(ledger.texts.codes(name), codes_of(staged.outline, staged.code))
        return [(old, new) for old, new in found if old is not new]
    return list(diff.pairs(before, staged.outline, edit or diff.edit(before, staged.outline)))


def _is_bound_once(name: str, before: Outline, after: Outline, here: Mapping[str, Any], aside: Mapping[str, Any]) -> bool:
    """Tell whether a statement that stayed the same, and read the same, bound a name when it ran first, and only then.

    ``if not log.handlers:`` finds what its own first run has left behind.
    """
    texts = [before.statements[index].text for index in before.writers.get(name, ())]
    statements = [after.statements[index] for index in after.writers.get(name, ())]
    reads = {chain[0] for statement in statements for chain in statement.facts.reads} - {name}
    is_same = texts == [statement.text for statement in statements] and bool(texts)
    own = {bound for statement in statements for bound in statement.facts.binds}
    return is_same and all(_is_as_it_was(key, here, aside) for key in reads - own)


def _is_as_it_was(key: str, here: Mapping[str, Any], aside: Mapping[str, Any]) -> bool:
    was, now = here.get(key), aside.get(key)
    return was is now or (type(was) is type(now) and type(now) in _PLAIN and was == now)


_PLAIN: Final = (bool, bytes, float, int, str)


def _imported(outline: Outline | None, namespace: Mapping[str, Any]) -> set[str]:
    """Return the names of a namespace that its text took from elsewhere."""
    if outline is None:
        return set()
    return {*outline.imported, *(namespace.keys() - outline.names if outline.stars else ())}


def _refilled(staged: Staged, names: Collection[str], here: Mapping[str, Any], aside: Mapping[str, Any]) -> dict[str, Any]:
    """Return the containers whose content the live ones take over: whoever holds a registry goes on with it."""
    found = {name: (here[name], aside[name]) for name in staged.step.refilled & here.keys() if name in names}
    return {name: new for name, (old, new) in found.items() if can_be_filled(old, new)}


def _is_other(key: str, value: object, carried: Mapping[str, object]) -> bool:
    return key not in OWN_NAMES and (key not in carried or carried[key] is not value)


def _is_submodule(name: str, key: str, value: object) -> bool:
    return is_a(value, types.ModuleType) and sys.modules.get(f"{name}.{key}") is value
