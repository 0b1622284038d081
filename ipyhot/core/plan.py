"""Decides what a transaction runs, and what its failures hold back. Pure: records in, records out.

A changed file, the files that depend on it, and whatever else of the burst those depend on stand or fall together.
Only a module that was live and sound before has a veto: its failure would lose something.
"""

import math
from collections.abc import Collection, Iterable, Mapping

from ipyhot.core.graph import Graph
from ipyhot.core.model import Change, Plan, Step, Version, Way

__all__ = ["held_back", "make"]


def make(
    changes: Mapping[str, Change],
    graph: Graph,
    live: Mapping[str, Version],
    failing: Collection[str],
    entered: Mapping[str, int],
) -> Plan:
    """Return what to run for some changes: each changed module and all that imports it, in the order of a fresh start.

    What one of them imports is loaded when it asks for it, so dependencies come first all the same. The order decides
    how a circular import is entered, and with that whether it loads at all.

    Args:
        changes: what differs from what is live, by module name.
        graph: the edges of the live modules, and of the failing ones as far as they are known.
        live: the versions that are live now.
        failing: modules whose newest text was not live before this change.
        entered: when each module's load first began; a new one comes last, by its name.
    """
    led_by = graph.dependents(changes)
    steps: dict[str, Step] = {}
    for name in sorted({*changes, *led_by}, key=lambda name: (entered.get(name, math.inf), name)):
        if name in changes:
            steps[name] = _step_of_change(changes[name], name in live)
        elif name in live:
            steps[name] = Step(name, Way.RELOAD, live[name].source, f"{led_by[name]} changed")
    return Plan(steps, frozenset(name for name in steps if name not in live or name in failing))


def _step_of_change(change: Change, is_live: bool) -> Step:  # noqa: FBT001 - private, one call
    if change.source is None:
        return Step(change.name, Way.DROP, None, "its file is gone")
    way = Way.RELOAD if is_live else Way.LOAD
    return Step(change.name, way, change.source, "its text changed" if is_live else "it is new")


def held_back(plan: Plan, failed: Iterable[str], edges: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """Return the modules that must not go live, each with the failing modules that hold it back.

    Args:
        plan: what was staged.
        failed: modules of the plan that did not compile or load.
        edges: what each module of the plan imports, as far as known.
    """
    dependents: dict[str, list[str]] = {}
    for name in plan.steps:
        for dependency in edges.get(name, ()):
            dependents.setdefault(dependency, []).append(name)
    held: dict[str, frozenset[str]] = {}
    for culprit in failed:
        if culprit in plan.without_veto:
            continue
        reached: set[str] = set()
        stack = [culprit]
        while stack:
            name = stack.pop()
            if name in reached or name not in plan.steps:
                continue
            reached.add(name)
            stack += dependents.get(name, ())
            if name not in plan.without_veto:
                stack += edges.get(name, ())
        for name in reached:
            held[name] = held.get(name, frozenset()) | {culprit}
    return held
