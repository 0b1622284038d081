from ipyhot.core.graph import Graph


def test_dependents_are_found_through_others() -> None:
    graph = Graph({"c": {"b"}, "b": {"a"}, "x": {"y"}})
    assert graph.dependents(["a"]) == {"b": "a", "c": "b"}


def test_an_import_that_a_newer_load_did_not_make_is_forgotten() -> None:
    graph = Graph({"b": {"a"}})
    graph.replace("b", {"z"})
    assert graph.dependents(["a"]) == {}
    assert graph.dependents(["z"]) == {"b": "z"}


def test_a_name_that_is_not_there_yet_has_dependents() -> None:
    assert Graph({"b": {"missing"}}).dependents(["missing"]) == {"b": "missing"}


def test_a_module_that_imports_itself_does_not_depend_on_itself() -> None:
    graph = Graph({"a": {"a"}})
    assert graph.dependents(["a"]) == {}


def test_a_removed_module_is_still_imported_by_others() -> None:
    graph = Graph({"b": {"a"}, "a": {"z"}})
    graph.remove("a")
    assert graph.dependents(["a"]) == {"b": "a"}
    assert graph.dependents(["z"]) == {}
