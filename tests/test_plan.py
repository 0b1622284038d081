"""Who is run, and who holds whom back.

base ◀── left ◀── top        lone
     ◀── right ◀─┘
"""

from ipyhot.core import plan
from ipyhot.core.graph import Graph
from ipyhot.core.model import Change, Source, Version, Way

EDGES = {"left": {"base"}, "right": {"base"}, "top": {"left", "right"}, "lone": set()}
GRAPH = Graph(EDGES)


def source(name: str, text: str = "old") -> Source:
    return Source(name, f"/{name}.py", text.encode(), text)


ENTERED = {"base": 0, "left": 1, "right": 2, "top": 3}
LIVE = {name: Version(source(name), 1) for name in ["base", "left", "right", "top", "lone"]}


def change(*names: str) -> dict[str, Change]:
    return {name: Change(name, f"/{name}.py", source(name, "new")) for name in names}


def made(*names: str, failing: tuple[str, ...] = (), live: dict[str, Version] = LIVE) -> plan.Plan:
    return plan.make(change(*names), GRAPH, live, failing, ENTERED)


def held(wanted: plan.Plan, *failed: str) -> dict[str, set[str]]:
    return {name: set(by) for name, by in plan.held_back(wanted, failed, EDGES | {"base": set()}).items()}


def test_a_change_runs_its_dependents_after_it_and_nothing_else() -> None:
    assert list(made("base").steps) == ["base", "left", "right", "top"]
    assert list(made("lone").steps) == ["lone"]


def test_modules_run_in_the_order_in_which_they_were_first_entered_and_new_ones_last() -> None:
    entered = {"top": 0, "right": 1, "left": 2, "base": 3}
    wanted = plan.make(change("base", "brand_new"), GRAPH, LIVE, (), entered)
    assert list(wanted.steps) == ["top", "right", "left", "base", "brand_new"]


def test_a_changed_file_runs_its_new_text_and_a_dependent_the_live_one() -> None:
    steps = made("base").steps
    assert [steps[name].source.digest for name in ("base", "left")] == ["new", "old"]
    assert steps["top"].reason in {"left changed", "right changed"}


def test_a_file_that_is_gone_is_dropped() -> None:
    wanted = plan.make({"lone": Change("lone", "/lone.py", None)}, GRAPH, LIVE, (), ENTERED)
    assert wanted.steps["lone"].way is Way.DROP


def test_a_failing_file_holds_back_what_depends_on_it_and_what_that_depends_on() -> None:
    assert held(made("base", "lone"), "left").keys() == {"base", "left", "right", "top"}


def test_an_independent_file_of_the_burst_is_not_held_back() -> None:
    assert "lone" not in held(made("base", "lone"), "top")


def test_what_was_failing_before_has_no_veto() -> None:
    assert held(made("base", "top", failing=("top",)), "top") == {}


def test_what_was_never_live_has_no_veto() -> None:
    live = {name: version for name, version in LIVE.items() if name != "top"}
    assert held(made("base", "top", live=live), "top") == {}


def test_a_file_without_a_veto_does_not_tie_what_it_imports_together() -> None:
    live = {name: version for name, version in LIVE.items() if name != "top"}
    assert held(made("left", "right", "top", live=live), "left").keys() == {"left", "top"}


def test_everyone_knows_who_holds_it_back() -> None:
    assert held(made("base"), "left", "right")["base"] == {"left", "right"}
