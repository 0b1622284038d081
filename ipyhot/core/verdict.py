"""What the failures of a stage mean for the rest of it: who is held back by whom, and who is tried again otherwise. Pure.

A changed file, the files that depend on it, and whatever else of the burst those depend on stand or fall together.
Only a module that was live and sound before has a veto: its failure would lose something.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ipyhot.core.model import Plan
from ipyhot.core.stage import Stage

__all__ = ["Verdict", "held_back", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Modules that must not go live, each with those that hold it back; and what has to be tried with the live text."""

    held: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fallen: Collection[str] = ()


def judge(
    stage: Stage,
    plan: Plan,
    changed: Collection[str],
    *,
    edges: Mapping[str, Collection[str]],
    live: Collection[str],
    live_edges: Callable[[str], Collection[str]],
) -> Verdict:
    """Return what failures mean for the rest.

    Args:
        stage: what was run aside.
        plan: the plan of it.
        changed: the modules whose text is new; others run again because of these.
        edges: what each module of the stage imports, as far as known.
        live: the modules of which a version is live.
        live_edges: what the live version of a module imports.
    """
    failed = [name for name, staged in stage.results.items() if staged.error is not None]
    spoilers = _spoilers(stage, plan, failed).intersection(live, changed)
    if spoilers:
        return Verdict(fallen=spoilers)
    held = held_back(plan, failed, edges, live_edges)
    going = {name for name in stage.results if name not in held}.difference(failed)
    idle: set[str] = set()
    for name in sorted(going.difference(changed)) if failed else ():
        if not _follows(name, going.intersection(changed), edges):  # it was to run for those that failed alone
            held[name] = frozenset(failed)
            going.discard(name)
            idle.add(name)

    def is_in_the_way(name: str) -> bool:
        """Tell whether the rest cannot go live beside a module without a veto that failed.

        That is so if something that its live version imports goes live, or something that has just imported it, or
        something that it has added to, or something that has taken what ran for it alone.
        """
        if any(not idle.isdisjoint(edges[other]) for other in going):
            return True
        if any(stage.results[other].step.grown for other in going.intersection(edges[name])):
            return True
        imports_it = any(name in edges[other] for other in going)
        return name in live and name not in held and (imports_it or not going.isdisjoint(live_edges(name)))

    return Verdict(held, {name for name in failed if name in changed and is_in_the_way(name)})


def _follows(name: str, others: Collection[str], edges: Mapping[str, Collection[str]]) -> bool:
    """Tell whether a module imports one of some others, directly or not."""
    seen: set[str] = set()
    stack = [name]
    while stack:
        name = stack.pop()
        if name in others:
            return True
        if name not in seen:
            seen.add(name)
            stack += edges.get(name, ())
    return False


def _spoilers(stage: Stage, plan: Plan, failed: Iterable[str]) -> set[str]:
    """Return the modules that fail as before, and take others along that could do with what is live of them."""
    return {culprit for name in failed if (culprit := stage.culprit(name)) != name and culprit in plan.without_veto}


def held_back(
    plan: Plan,
    failed: Iterable[str],
    edges: Mapping[str, Collection[str]],
    live_edges: Callable[[str], Collection[str]] = lambda _name: (),
) -> dict[str, frozenset[str]]:
    """Return the modules that must not go live, each with the failing modules that hold it back.

    Args:
        plan: what was staged.
        failed: modules of the plan that did not compile or load.
        edges: what each module of the plan imports, as far as known.
        live_edges: what the live version of a module imports. If it stays, what it imports stays, too, and if it could
            not follow those that it was run again for, so do they.
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
        stack = [culprit, *(name for name in plan.steps if culprit in live_edges(name))]
        while stack:
            name = stack.pop()
            if name in reached or name not in plan.steps:
                continue
            reached.add(name)
            stack += dependents.get(name, ())
            if name not in plan.without_veto:
                stack += [*edges.get(name, ()), *live_edges(name)]
        for name in reached:
            held[name] = held.get(name, frozenset()) | {culprit}
    return held
