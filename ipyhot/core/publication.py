"""All that one commit does, as deeds: modules, what outlives, what ``once`` keeps, and those who take part.

Nothing is done here. Called by the thread that builds.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ipyhot.core import once
from ipyhot.core.commit import Deed, delete_item, set_item
from ipyhot.core.handover import Close, closer
from ipyhot.core.identities import Identities
from ipyhot.core.replacement import Participant
from ipyhot.core.stage import Stage
from ipyhot.core.staged import OWN_NAMES, Staged
from ipyhot.core.succession import Heir

__all__ = ["closers", "deeds", "guests"]


def deeds(
    stage: Stage,
    heirs: Mapping[str, Heir | None],
    succession: Iterable[Deed],
    identities: Identities,
    participants: Iterable[Participant],
) -> list[Deed]:
    """Return all that a commit does.

    Args:
        stage: what was run aside.
        heirs: the modules that go live or are dropped; those that keep their namespace each with what becomes of it.
        succession: what leads on from what is outlived.
        identities: which object each module is.
        participants: those who hold live things.
    """
    replacements = {name: identities.replacement(stage, name, heir) for name, heir in heirs.items()}
    found = [deed for replacement in replacements.values() for deed in identities.deeds(replacement)]
    found += [deed for heir in heirs.values() if heir for deed in _own_deeds(heir.module.live, heir.module.staged)]
    found += succession
    for name, replacement in replacements.items():
        found += _kept_deeds(stage.results[name], replacement.new_namespace)
    for participant in participants:
        found += participant.deeds(replacements)
    return found


def guests(stage: Stage, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the namespaces of the modules among some that were run aside at all."""
    modules = {name: stage.results[name].module for name in names}
    return {name: vars(module) for name, module in modules.items() if module is not None}


def closers(stage: Stage, going: Iterable[str]) -> Iterator[tuple[str, Close]]:
    """Yield what closes the versions that go, each with its module."""
    for name in going:
        live = None if name in stage.placed else stage.worn.get(name)
        if live is not None and stage.results[name].step.run is None:
            close = closer(object.__getattribute__(live, "__dict__"))
            if close is not None:
                yield name, close


def _own_deeds(live: dict[str, Any], staged: Mapping[str, Any]) -> Iterator[Deed]:
    """Yield what lets a module's namespace say which file and version it is of."""
    for key in OWN_NAMES - {"__builtins__", "__name__"}:
        if key in staged:
            if live.get(key, OWN_NAMES) != staged[key]:
                yield set_item(live, key, staged[key])
        elif key in live:
            yield delete_item(live, key)


def _kept_deeds(staged: Staged, namespace: Mapping[str, Any]) -> Iterator[Deed]:
    """Yield what keeps the values that ``once`` computed for a module."""
    name, collected = staged.step.name, staged.collected
    if staged.step.source is None:
        yield once.deeds(name, ())
    elif collected is not None and (collected.used or once.has_entries(name)):
        outline = staged.outline
        names = None if outline is None or collected.is_whole else outline.read_names
        yield once.deeds(name, collected.entries(names, namespace))
