"""A module is run here as an import or a run aside would do it: its text in a namespace that has its name."""

import functools
import gc
import textwrap
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipyhot.core import once as once_module
from ipyhot.core.commit import Deed, commit
from ipyhot.core.once import Collected, Entry, collecting, deeds, forget, once

NAME = "once_under_test"


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(once_module, "is_watched", {NAME, "other_under_test"}.__contains__)
    yield
    for name in list(once_module._live):
        forget(name)


class Calls(list[Any]):
    """What the functions of a module were called with, in order."""

    def __call__(self, *what: Any) -> Any:
        self.append(what)
        return object()


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def run(calls: Calls) -> Callable[..., dict[str, Any]]:
    def run(text: str, space: dict[str, Any] | None = None, *, name: str = NAME) -> dict[str, Any]:
        space = {} if space is None else space
        space |= {"__name__": name, "once": once, "call": calls}
        exec(textwrap.dedent(text), space)  # noqa: S102 - as an import does
        return space

    return run


def live(name: str = NAME) -> tuple[Entry, ...]:
    return once_module._live.get(name, ())


def reload(run: Callable[..., dict[str, Any]], text: str) -> dict[str, Any]:
    """Run all of a module's text aside and commit it."""
    with collecting(NAME, is_whole=True) as collected:
        space = run(text)
    commit([deeds(NAME, collected.entries())])
    return space


def patch(
    run: Callable[..., dict[str, Any]],
    text: str,
    space: dict[str, Any],
    *,
    names: set[str] | None = None,
    is_told_the_namespace: bool = True,
) -> dict[str, Any]:
    """Run some statements of a module aside, in a copy of what is live, and commit them."""
    with collecting(NAME, is_whole=False) as collected:
        after = run(text, dict(space))
    commit([deeds(NAME, collected.entries(names, after if is_told_the_namespace else None))])
    return after


LOAD = """
    def load(path="a"):
        return call(path)
"""
ONE = LOAD + "    model = once(load, 'a')\n"


# An ordinary import


def test_the_function_runs_once_and_its_value_is_returned_again(run: Any, calls: Calls) -> None:
    space = run(ONE + "    again = once(load, 'a')\n")
    assert space["model"] is space["again"]
    assert calls == [("a",)]


def test_other_arguments_are_computed_beside(run: Any, calls: Calls) -> None:
    space = run(ONE + "    other = once(load, 'b')\n    third = once(load, path='a')\n")
    assert calls == [("a",), ("b",), ("a",)]
    assert len({id(space[name]) for name in ("model", "other", "third")}) == 3


def test_a_second_import_finds_the_value_of_the_first(run: Any, calls: Calls) -> None:
    assert run(ONE)["model"] is run(ONE)["model"]
    assert len(calls) == 1


def test_modules_do_not_share_values(run: Any, calls: Calls) -> None:
    assert run(ONE)["model"] is not run(ONE, name="other_under_test")["model"]
    assert len(calls) == 2


def test_in_a_module_that_nobody_watches_it_just_computes(run: Any, calls: Calls) -> None:
    run(ONE + "    again = once(load, 'a')\n", name="unwatched")
    assert calls == [("a",), ("a",)]
    assert live("unwatched") == ()


def test_without_an_engine_nothing_is_watched() -> None:
    assert not once_module._nobody_watches(NAME)


def test_a_function_that_raises_leaves_nothing_behind(run: Any, calls: Calls) -> None:
    with pytest.raises(ZeroDivisionError):
        run("once(divmod, 1, 0)")
    assert live() == ()


def test_none_is_a_value_too(run: Any, calls: Calls) -> None:
    space = run("def load():\n    call()\nmodel = once(load), once(load)\n")
    assert space["model"] == (None, None)
    assert len(calls) == 1


def test_keyword_arguments_may_change_places(run: Any, calls: Calls) -> None:
    run("def load(**options): return call(options)\nx = once(load, a=1, b=2), once(load, b=2, a=1)")
    assert len(calls) == 1


def test_once_inside_of_once_is_kept_too(run: Any, calls: Calls) -> None:
    text = "def inner(): return call(1)\ndef outer(): return once(inner), call(2)\nx = once(outer), once(inner)"
    space = run(text)
    assert space["x"][0][0] is space["x"][1]
    assert len(calls) == 2


def test_forgotten_values_are_let_go_of(run: Any) -> None:
    class Model:
        pass

    space = run("model = once(make)", {"make": Model})
    held = weakref.ref(space["model"])
    del space
    gc.collect()
    assert held() is not None
    forget(NAME)
    gc.collect()
    assert held() is None


# What counts as the same source

SAME = {
    "lines moved": (ONE, "\n\n\n" + ONE),
    "a comment": (ONE, ONE.replace("return", "# why\n        return")),
    "a docstring": (ONE, ONE.replace("return", "'''What.'''\n        return")),
    "another docstring": (
        ONE.replace("return", "'''Was.'''\n        return"),
        ONE.replace("return", "'''Is.'''\n        return"),
    ),
    "types": (ONE, ONE.replace('path="a"', 'path: str = "a"')),
    "what it calls": (
        "def helper(): return 1\ndef load(): return call(helper())\nmodel = once(load)",
        "def helper(): return 2\ndef load(): return call(helper())\nmodel = once(load)",
    ),
    "a lambda that moved": ("model = once(lambda: call(1))", "\nx = 1\nmodel = once(lambda: call(1))"),
    "another lambda beside": ("model = once(lambda: call(1))", "x = lambda: 3; model = once(lambda: call(1))"),
    "a decorated function": ("{deco}\n@deco\ndef load(): return call()\nmodel = once(load)",) * 2,
    "a cached function": ("import functools\n@functools.cache\ndef load(): return call()\nmodel = once(load)",) * 2,
    "a partial": ("import functools\ndef load(a): return call(a)\nmodel = once(functools.partial(load, 3))",) * 2,
    "a class": ("class Load:\n  size = 3\n  def __init__(self): call()\nmodel = once(Load)",) * 2,
    "methods that changed places": (
        "class Load:\n  '''Was.'''\n  def a(self): pass\n  def __init__(self): call()\nmodel = once(Load)",
        "class Load:\n  '''Is.'''\n  def __init__(self): call()\n  def a(self): pass\nmodel = once(Load)",
    ),
    "a class that knows itself": (
        "class Load:\n  def __new__(cls): call(); return super().__new__(cls)\nmodel = once(Load)",
    )
    * 2,
    "a dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass Load:\n  x: int = 3\n  def __post_init__(self): call()\nmodel = once(Load)",
    )
    * 2,
    "a class method": ("class Load:\n  @classmethod\n  def go(cls): return call()\nmodel = once(Load.go)",) * 2,
    "a closure": ("def make(a):\n  def load(): return call(a)\n  return load\nmodel = once(make([1]))",) * 2,
    "a function that knows itself": (
        "def make():\n  def load(n): return load(n - 1) if n else call()\n  return load\nmodel = once(make(), 2)",
    )
    * 2,
    "a function as argument": ("def f(): return 1\ndef load(f): return call(f())\nmodel = once(load, f)",) * 2,
    "a class as argument": ("class A:\n  def f(self): return 1\ndef load(a): return call()\nmodel = once(load, [A])",) * 2,
    "containers": ("def load(a, **b): return call(a)\nmodel = once(load, [1, {2: (3,)}, {4}], x={'y': [5]})",) * 2,
    "not a number": ("def load(a): return call(a)\nmodel = once(load, float('nan'))",) * 2,
}
DECO = """
def deco(function):
    count = 0
    def wrapper(*args):
        nonlocal count
        count += 1
        return function(*args)
    return wrapper
"""


@pytest.mark.parametrize(("before", "after"), [pytest.param(*pair, id=name) for name, pair in SAME.items()])
def test_the_value_is_carried_when_the_source_stays(run: Any, calls: Calls, before: str, after: str) -> None:
    first = reload(run, before.replace("{deco}", DECO))
    second = reload(run, after.replace("{deco}", DECO))
    third = reload(run, after.replace("{deco}", DECO))
    assert first["model"] is second["model"] is third["model"]
    assert len(calls) == 1


CHANGED = {
    "code": (ONE, ONE.replace("call(path)", "call(path + '')")),
    "a constant": (
        LOAD.replace("path)", "1)") + "    model = once(load)",
        LOAD.replace("path)", "2)") + "    model = once(load)",
    ),
    "a constant of another type": (
        "def load(): call(); return 1\nmodel = once(load)",
        "def load(): call(); return True\nmodel = once(load)",
    ),
    "a constant that is the docstring too": (
        "def load():\n  'a'\n  call(); return 'a'\nmodel = once(load)",
        "def load():\n  'b'\n  call(); return 'b'\nmodel = once(load)",
    ),
    "a name": (
        "f = g = call\ndef load(): return f()\nmodel = once(load)",
        "f = g = call\ndef load(): return g()\nmodel = once(load)",
    ),
    "a default": (ONE, ONE.replace('"a"', '"b"')),
    "a keyword default": (
        "def load(*, a=1): return call(a)\nmodel = once(load)",
        "def load(*, a=2): return call(a)\nmodel = once(load)",
    ),
    "an inner function": (
        "def load():\n  def f(): return 1\n  return call(f())\nmodel = once(load)",
        "def load():\n  def f(): return 2\n  return call(f())\nmodel = once(load)",
    ),
    "a lambda": ("model = once(lambda: call(1))", "model = once(lambda: call(2))"),
    "what a decorator holds": (
        "{deco}\n@deco\ndef load(): return call(1)\nmodel = once(load)",
        "{deco}\n@deco\ndef load(): return call(2)\nmodel = once(load)",
    ),
    "a cached function": (
        "import functools\n@functools.cache\ndef load(): return call(1)\nmodel = once(load)",
        "import functools\n@functools.cache\ndef load(): return call(2)\nmodel = once(load)",
    ),
    "a partial's arguments": (
        "import functools\ndef load(a): return call(a)\nmodel = once(functools.partial(load, 3))",
        "import functools\ndef load(a): return call(a)\nmodel = once(functools.partial(load, 4))",
    ),
    "a method": (
        "class Load:\n  def __init__(self): call()\n  def f(self): return 1\nmodel = once(Load)",
        "class Load:\n  def __init__(self): call()\n  def f(self): return 2\nmodel = once(Load)",
    ),
    "a property": (
        "class Load:\n  def __init__(self): call()\n  @property\n  def f(self): return 1\nmodel = once(Load)",
        "class Load:\n  def __init__(self): call()\n  @property\n  def f(self): return 2\nmodel = once(Load)",
    ),
    "a method that became static": (
        "class Load:\n  def __init__(self): call()\n  def f(): return 1\nmodel = once(Load)",
        "class Load:\n  def __init__(self): call()\n  @staticmethod\n  def f(): return 1\nmodel = once(Load)",
    ),
    "a class attribute": (
        "class Load:\n  size = 3\n  def __init__(self): call()\nmodel = once(Load)",
        "class Load:\n  size = 4\n  def __init__(self): call()\nmodel = once(Load)",
    ),
    "a nested class": (
        "class Load:\n  class Inner:\n    def f(self): return 1\n  def __init__(self): call()\nmodel = once(Load)",
        "class Load:\n  class Inner:\n    def f(self): return 2\n  def __init__(self): call()\nmodel = once(Load)",
    ),
    "a base": (
        "class A: pass\nclass Load(A):\n  def __init__(self): call()\nmodel = once(Load)",
        "class A: pass\nclass Load:\n  def __init__(self): call()\nmodel = once(Load)",
    ),
    "a free variable": (
        "def make(a):\n  def load(): return call(a)\n  return load\nmodel = once(make([1]))",
        "def make(a):\n  def load(): return call(a)\n  return load\nmodel = once(make([2]))",
    ),
    "an argument": (ONE, ONE.replace("load, 'a'", "load, 'b'")),
    "an argument's type": (
        "def load(a): return call(a)\nmodel = once(load, [1])",
        "def load(a): return call(a)\nmodel = once(load, [1.0])",
    ),
    "an argument's sign": (
        "def load(a): return call(a)\nmodel = once(load, 0.0)",
        "def load(a): return call(a)\nmodel = once(load, -0.0)",
    ),
    "a function as argument": (
        "def f(): return 1\ndef load(f): return call(f())\nmodel = once(load, f)",
        "def f(): return 2\ndef load(f): return call(f())\nmodel = once(load, f)",
    ),
    "a class as argument": (
        "class A:\n  def f(self): return 1\ndef load(a): return call()\nmodel = once(load, A)",
        "class A:\n  def f(self): return 2\ndef load(a): return call()\nmodel = once(load, A)",
    ),
    "the function": ("def load(): return call()\nmodel = once(load)", "def read(): return call()\nmodel = once(read)"),
    "an argument that cannot be compared": ("def load(a): return call()\nmodel = once(load, object())",) * 2,
}


@pytest.mark.parametrize(("before", "after"), [pytest.param(*pair, id=name) for name, pair in CHANGED.items()])
def test_the_value_is_computed_anew_when_the_source_or_an_argument_changes(
    run: Any, calls: Calls, before: str, after: str
) -> None:
    first = reload(run, before.replace("{deco}", DECO))
    second = reload(run, after.replace("{deco}", DECO))
    assert len(calls) == 2
    assert len(live()) == 1
    assert first is not second


class Loader:
    """An object that can be called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> object:
        self.calls += 1
        return object()

    def method(self) -> object:
        return self()


@pytest.mark.parametrize("take", [lambda loader: loader, lambda loader: loader.method], ids=["itself", "a method"])
def test_an_object_that_is_called_is_the_same_as_long_as_it_is_the_same_object(run: Any, take: Any) -> None:
    loader = Loader()
    for function in (take(loader), take(loader), take(Loader())):
        space = run("model = once(function)", {"function": function})
        assert space["model"] is not None
    assert loader.calls == 1


@pytest.mark.parametrize("function", [dict, int, len, "x".upper, functools.partial(dict)])
def test_functions_and_classes_without_source_are_known_by_themselves(run: Any, function: Any) -> None:
    args = {len: ("x",), int: ("3",)}.get(function, ()) if isinstance(function, (type, types.BuiltinFunctionType)) else ()
    for _ in range(2):
        run("model = once(function, *args)", {"function": function, "args": args})
    assert len(live()) == 1


def test_the_function_behind_an_object_that_wraps_it_counts(run: Any, calls: Calls) -> None:
    class Wrapper:
        def __init__(self, function: Any) -> None:
            self.__wrapped__ = function

        def __call__(self) -> Any:
            return self.__wrapped__()

    text = "@wrap\ndef load(): return call({})\nmodel = once(load)"
    first = run(text.format(1), {"wrap": Wrapper})
    assert run(text.format(1), {"wrap": Wrapper})["model"] is first["model"]
    assert run(text.format(2), {"wrap": Wrapper})["model"] is not first["model"]


class Array:
    """Compares as numpy's do."""

    def __eq__(self, other: object) -> Any:
        return [True]

    __hash__ = None  # type: ignore[assignment]  # as Python says it


class Broken:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]  # as Python says it


@pytest.mark.parametrize("kind", [Array, Broken])
def test_what_cannot_be_compared_is_the_same_only_as_the_same_object(run: Any, calls: Calls, kind: type) -> None:
    text = LOAD + "    model = once(load, argument)\n"
    argument = kind()
    for given in (argument, argument, kind(), [kind()]):
        run(text, {"argument": given})
    assert len(calls) == 3


def test_a_list_that_was_changed_in_place_is_another_argument(run: Any, calls: Calls) -> None:
    options: dict[str, Any] = {"sizes": [1, 2]}
    text = LOAD + "    model = once(load, options)\n"
    run(text, {"options": options})
    options["sizes"].append(3)
    run(text, {"options": options})
    assert len(calls) == 2


def test_what_the_function_does_to_its_arguments_does_not_count(run: Any, calls: Calls) -> None:
    text = "def load(a): a.append(1); return call()\nmodel = once(load, [])"
    assert run(text)["model"] is run(text)["model"]


def test_a_list_that_holds_itself_can_be_an_argument(run: Any, calls: Calls) -> None:
    text = LOAD + "    a = [1]; a.append(a); model = once(load, a)\n"
    assert run(text)["model"] is run(text)["model"]
    assert len(calls) == 1


def test_a_free_variable_that_is_not_set_yet_is_no_obstacle(run: Any, calls: Calls) -> None:
    run("def make():\n  def load(): return call(0 and later)\n  model = once(load)\n  later = 1\nmake()")
    assert len(calls) == 1


# Runs aside


def test_a_run_aside_changes_nothing_until_its_deed_is_done(run: Any, calls: Calls) -> None:
    run(ONE)
    before = live()
    with collecting(NAME, is_whole=True) as collected:
        run(ONE.replace("'a'", "'b'"))
    assert live() is before
    deed = deeds(NAME, collected.entries())
    assert live() is before
    with pytest.raises(ZeroDivisionError):
        commit([deed, Deed(functools.partial(divmod, 1, 0), int)])
    assert live() is before
    commit([deed])
    assert [entry.args for entry in live()] == [("b",)]


def test_no_entries_are_no_key(run: Any) -> None:
    run(ONE)
    before = live()
    deed = deeds(NAME, ())
    deed.do()
    assert NAME not in once_module._live
    deed.undo()
    assert live() is before


def test_a_run_aside_that_fails_leaves_the_live_values(run: Any, calls: Calls) -> None:
    model = run(ONE)["model"]
    with pytest.raises(NameError), collecting(NAME, is_whole=True):
        run(ONE + "    broken\n")
    assert run(ONE)["model"] is model
    assert len(calls) == 1


def test_a_run_aside_uses_its_own_values_first(run: Any, calls: Calls) -> None:
    with collecting(NAME, is_whole=True) as collected:
        space = run(ONE + "    again = once(load, 'a')\n")
    assert space["model"] is space["again"]
    assert len(collected.entries()) == 1


def test_after_a_whole_run_only_what_it_used_is_left(run: Any, calls: Calls) -> None:
    reload(run, ONE + "    other = once(load, 'b')\n")
    reload(run, ONE)
    assert [entry.args for entry in live()] == [("a",)]
    reload(run, ONE + "    other = once(load, 'b')\n")
    assert calls == [("a",), ("b",), ("b",)]


def test_a_statement_that_is_gone_and_comes_back_is_fresh(run: Any, calls: Calls) -> None:
    space = reload(run, ONE)
    patch(run, "pass", space, names={"call"})
    assert live() == ()
    reload(run, ONE)
    assert len(calls) == 2


def test_values_of_statements_that_did_not_run_again_stay(run: Any, calls: Calls) -> None:
    space = reload(run, ONE)
    patch(run, "x = 1", space, names={"load", "once"})
    assert reload(run, ONE)["model"] is space["model"]
    assert len(calls) == 1


@pytest.mark.parametrize(
    "text",
    [
        "load = lambda: call()\nmodel = once(load)",
        "load = (lambda f: lambda: f())(call)\nmodel = once(load)",
        DECO + "@deco\ndef load(): return call()\nmodel = once(load)",
        "def other(): return call()\nload = other; del other; model = once(load)",
    ],
)
def test_a_function_goes_by_the_name_that_the_module_has_for_it(run: Any, calls: Calls, text: str) -> None:
    space = reload(run, text)
    patch(run, "pass", space, names={"load"})
    assert len(live()) == 1
    patch(run, "pass", space, names={"once"})
    assert live() == ()


def test_a_function_that_was_given_another_name_goes_by_that(run: Any, calls: Calls) -> None:
    space = reload(run, "f = lambda: call()\nmodel = once(f)")
    space = patch(run, "g = f; del f; model = once(g)", space, names={"g"})
    patch(run, "pass", space, names={"g"})
    assert len(live()) == 1
    assert len(calls) == 1


def test_a_lambda_without_a_name_is_not_taken_for_unread(run: Any) -> None:
    space = reload(run, "model = once(lambda: call())")
    patch(run, "pass", space, names=set())
    assert len(live()) == 1


def test_a_changed_function_leaves_no_value_of_the_old_one(run: Any, calls: Calls) -> None:
    space = reload(run, ONE + "    other = once(load, 'b')\n")
    patch(run, ONE.replace("call(path)", "call(path, 1)"), space, names={"load"})
    assert [entry.args for entry in live()] == [("a",)]


def test_with_other_arguments_the_old_value_goes_unless_the_module_holds_it(run: Any, calls: Calls) -> None:
    space = reload(run, ONE)
    kept = patch(run, "more = once(load, 'b')", space, names={"load"})
    assert [entry.args for entry in live()] == [("a",), ("b",)]
    patch(run, "model = once(load, 'c')", kept, names={"load"})
    assert [entry.args for entry in live()] == [("b",), ("c",)]


def test_with_other_arguments_the_old_value_stays_if_nothing_is_known_of_the_module(run: Any, calls: Calls) -> None:
    space = reload(run, ONE)
    patch(run, "model = once(load, 'b')", space, names={"load"}, is_told_the_namespace=False)
    assert [entry.args for entry in live()] == [("a",), ("b",)]


def test_a_changed_lambda_leaves_no_value_but_others_stay(run: Any, calls: Calls) -> None:
    space = reload(run, "a = once(lambda: call(1)); b = once(lambda: call(2))")
    after = patch(run, "b = once(lambda: call(3))", space, names=set())
    assert [entry.value for entry in live()] == [after["a"], after["b"]]


def test_a_value_used_again_stays_whatever_else_is_computed(run: Any, calls: Calls) -> None:
    space = reload(run, ONE)
    after = patch(run, "model = once(load, 'a'), once(load, 'b')", space, names={"load"})
    assert after["model"][0] is space["model"]
    assert [entry.args for entry in live()] == [("a",), ("b",)]


def test_runs_of_two_modules_do_not_mix(run: Any, calls: Calls) -> None:
    with collecting(NAME, is_whole=True) as one, collecting("other_under_test", is_whole=True) as other:
        run(ONE)
        run(ONE.replace("'a'", "'b'"), name="other_under_test")
    assert [entry.args for entry in one.entries()] == [("a",)]
    assert [entry.args for entry in other.entries()] == [("b",)]
    assert (live(), live("other_under_test")) == ((), ())


def test_a_run_of_a_module_inside_of_another_run_of_it_collects_for_itself(run: Any, calls: Calls) -> None:
    with collecting(NAME, is_whole=True) as outer:
        with collecting(NAME, is_whole=True) as inner:
            run(ONE)
        assert len(inner.entries()) == 1
        run(ONE)
    assert len(outer.entries()) == 1
    assert len(calls) == 2


def test_while_it_is_run_aside_a_module_counts_as_watched(run: Any, calls: Calls) -> None:
    with collecting("unwatched", is_whole=True) as collected:
        run(ONE + "    again = once(load, 'a')\n", name="unwatched")
    assert len(calls) == 1
    assert len(collected.entries()) == 1


def test_another_thread_is_not_collected_from(run: Any, calls: Calls) -> None:
    with collecting(NAME, is_whole=True) as collected:
        thread = threading.Thread(target=run, args=(ONE,))
        thread.start()
        thread.join()
    assert collected.entries() == ()
    assert len(live()) == 1


def test_a_live_module_that_a_run_calls_into_keeps_its_own_values(run: Any, calls: Calls) -> None:
    space = run("def load(): return call()\ndef get(): return once(load)")
    with collecting("other_under_test", is_whole=True) as collected:
        run("value = get(), get()", {"get": space["get"]}, name="other_under_test")
    assert collected.entries() == ()
    assert len(live()) == 1


def test_a_collection_can_be_asked_before_the_run_is_over() -> None:
    collected = Collected(NAME, is_whole=False)
    assert collected.entries({"load"}, {}) == ()
