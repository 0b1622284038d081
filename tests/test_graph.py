"""Who imported whom, and whom an edit may reach through it."""

import pytest

from ipyhot.core.graph import Graph


def test_dependents_are_found_through_others() -> None:
    graph = Graph({"c": {"b"}, "b": {"a"}, "x": {"y"}})
    assert graph.dependents(["a"]) == {"b": "a", "c": "b"}


def test_dependents_are_found_in_cycles_and_never_among_the_names_asked_for() -> None:
    graph = Graph({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert graph.dependents(["a"]) == {"c": "a", "b": "c"}
    assert graph.dependents(["a", "b", "c"]) == {}


def test_an_import_that_a_newer_load_did_not_make_is_forgotten() -> None:
    graph = Graph({"b": {"a"}})
    graph.replace("b", {"z"})
    assert graph.dependents(["a"]) == {}
    assert graph.dependents(["z"]) == {"b": "z"}
    assert graph.importers("a", is_rebinding=True) == graph.importers("a", is_rebinding=False) == []


def test_a_name_that_is_not_there_yet_has_dependents() -> None:
    assert Graph({"b": {"missing"}}).dependents(["missing"]) == {"b": "missing"}


def test_a_module_that_imports_itself_does_not_depend_on_itself() -> None:
    graph = Graph({"a": {"a"}})
    assert graph.dependents(["a"]) == {}
    assert graph.dependencies("a") == frozenset()


def test_a_removed_module_is_still_imported_by_others() -> None:
    graph = Graph({"b": {"a"}, "a": {"z"}})
    graph.remove("a")
    assert graph.dependents(["a"]) == {"b": "a"}
    assert graph.dependents(["z"]) == {}


def test_what_a_module_imported_is_known() -> None:
    graph = Graph({"b": {"a", "z"}})
    assert graph.dependencies("b") == {"a", "z"}
    assert graph.dependencies("unknown") == frozenset()


@pytest.mark.parametrize("is_rebinding", [True, False])
def test_importers_are_those_who_import_a_module_directly_first_come_first(is_rebinding: bool) -> None:
    graph = Graph({"z": {"a"}, "b": {"a"}, "c": {"b"}})
    assert graph.importers("a", is_rebinding=is_rebinding) == ["z", "b"]
    assert graph.importers("c", is_rebinding=is_rebinding) == []


# A leaf is imported by nobody; an inert one does nothing but define and import while it is loaded.


def test_an_inert_leaf_is_reached_only_when_names_are_bound_anew() -> None:
    graph = Graph()
    graph.replace("leaf", {"a"}, is_inert=True)
    graph.replace("other", {"a"})
    assert graph.importers("a", is_rebinding=True) == ["leaf", "other"]
    assert graph.importers("a", is_rebinding=False) == ["other"]


def test_an_inert_module_that_somebody_imports_is_reached_whoever_came_first() -> None:
    before, after = Graph(), Graph()
    before.replace("top", {"middle"})
    before.replace("middle", {"a"}, is_inert=True)
    after.replace("middle", {"a"}, is_inert=True)
    after.replace("top", {"middle"})
    assert before.importers("a", is_rebinding=False) == after.importers("a", is_rebinding=False) == ["middle"]


def test_a_chain_of_inert_modules_is_reached_but_for_its_last() -> None:
    graph = Graph()
    graph.replace("first", {"a"}, is_inert=True)
    graph.replace("second", {"first"}, is_inert=True)
    graph.replace("third", {"second"}, is_inert=True)
    assert [graph.importers(name, is_rebinding=False) for name in ("a", "first", "second")] == [["first"], ["second"], []]


def test_a_module_is_as_inert_as_its_newest_load() -> None:
    graph = Graph()
    graph.replace("leaf", {"a"}, is_inert=True)
    graph.replace("leaf", {"a"})
    assert graph.importers("a", is_rebinding=False) == ["leaf"]
    graph.replace("leaf", {"a"}, is_inert=True)
    assert graph.importers("a", is_rebinding=False) == []


def test_a_removed_importer_is_reached_no_more() -> None:
    graph = Graph()
    graph.replace("middle", {"a"}, is_inert=True)
    graph.replace("top", {"middle"})
    graph.remove("middle")
    assert graph.importers("a", is_rebinding=True) == graph.importers("a", is_rebinding=False) == []
    graph.replace("middle", {"a"}, is_inert=True)
    assert graph.importers("a", is_rebinding=False) == ["middle"]


def test_importers_of_names_that_are_not_there_yet_are_reached() -> None:
    graph = Graph()
    graph.replace("top", {"middle", "missing"})
    assert graph.importers("missing", is_rebinding=False) == ["top"]
    graph.replace("missing", {"a"}, is_inert=True)
    assert graph.importers("a", is_rebinding=False) == ["missing"]
