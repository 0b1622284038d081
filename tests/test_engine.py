"""The core alone, in this process: no observer, no kernel. Most of these were found by attacks on it."""

import functools
import gc
import pickle
import sys
import weakref

import pytest
from conftest import Files

from ipyhot.core import heap


def test_undoing_what_held_a_burst_back_lets_the_rest_go_live(files: Files) -> None:
    files.start(a="X = 1", b="Y = 1", user="from .a import X\nfrom .b import Y")
    files.save(a="X = 2", b="Z = 1")
    assert (files["a"].X, files.failures) == (1, {"a", "b", "user"})
    files.save(b="Y = 1")
    assert (files["a"].X, files["user"].X, files.failures) == (2, 2, set())


def test_a_deleted_file_that_comes_back_unchanged_leaves_nothing_held(files: Files) -> None:
    files.start(a="X = 1", b="from .a import X", c="Z = 1")
    files.save(a=None)
    assert files.failures == {"a", "b"}
    files.save(a="X = 1")
    assert files.failures == set()


def test_a_circular_import_is_entered_where_it_was_entered_first(files: Files) -> None:
    files.start(a="from .d import K\nV = K + 1", d="from . import a\nK = 1\ndef g(): return a.V")
    for number in (5, 6):
        files.save(d=f"from . import a\nK = {number}\ndef g(): return a.V")
        assert (files["a"].V, files["d"].g(), files.failures) == (number + 1, number + 1, set())


@pytest.mark.parametrize(
    "middle",
    ["", "from json import dumps as f", "class f: pass", "f = 3"],
    ids=["removed", "imported from elsewhere", "a class", "a value"],
)
def test_a_function_that_left_its_file_and_came_back_is_followed(files: Files, middle: str) -> None:
    files.start(a="def f(): return 1")
    held = files["a"].f
    files.save(a=middle)
    files.save(a="def f(): return 2")
    assert held() == 2


def test_a_class_that_left_its_file_and_came_back_takes_its_instances(files: Files) -> None:
    files.start(a="class A:\n    def m(self): return 1")
    held = files["a"].A()
    files.save(a="x = 1")
    files.save(a="class A:\n    def m(self): return 2")
    assert (held.m(), isinstance(held, files["a"].A)) == (2, True)


def test_another_modules_function_is_not_changed_when_a_name_for_it_comes_back(files: Files) -> None:
    files.start(a="from json import dumps as f")
    files.save(a="def f(): return 1")
    files.save(a="from json import dumps as f")
    import json

    assert json.dumps([1]) == "[1]"


def test_a_held_cache_forgets_what_the_old_function_returned(files: Files) -> None:
    files.start(a="from functools import lru_cache\n@lru_cache\ndef f(x): return (1, x)")
    held = files["a"].f
    held(1)
    files.save(a="from functools import lru_cache\n@lru_cache\ndef f(x): return (2, x)")
    assert held(1) == (2, 1)


def test_annotations_of_a_held_function_are_the_newest(files: Files) -> None:
    files.start(a="def f(a): pass")
    held = files["a"].f
    files.save(a="def f(a: int) -> str: pass")
    assert held.__annotations__ == {"a": int, "return": str}


def test_a_lambda_with_two_names_follows_the_first(files: Files) -> None:
    files.start(a="f = lambda: 1\ng = f")
    held = files["a"].f
    files.save(a="f = lambda: 2\ng = lambda: 5")
    assert held() == 2


def test_classes_of_a_deleted_file_are_freed(files: Files) -> None:
    files.start(c="class Base: pass", x="from .c import Base\nclass Child(Base): pass")
    child = weakref.ref(files["x"].Child)
    base = files["c"].Base
    files.save(x=None)
    gc.collect()
    assert child() is None
    assert base.__subclasses__() == []


def test_a_metaclass_is_not_said_to_keep_its_classes(files: Files) -> None:
    text = "class Meta(type): pass\nclass A(metaclass=Meta):\n    x = {n}\n"
    files.start(a=text.replace("{n}", "1"))
    held = files["a"].A()
    report = files.save(a=text.replace("{n}", "2"))
    assert report is not None
    assert (report.notes, held.x) == ((), 2)


@pytest.mark.parametrize("importer", ["from .a import X", "import PKG.a as aa\nX = aa.X", "from . import a\nX = a.X"])
def test_a_file_may_put_an_object_in_place_of_its_module(files: Files, importer: str) -> None:
    text = "import sys\nclass O:\n    X = {n}\nsys.modules[__name__] = O()"
    files.start(a=text.replace("{n}", "1"), t=importer)
    assert files["t"].X == 1
    files.save(a=text.replace("{n}", "2"))
    assert (files["t"].X, files["a"].X, sys.modules[files.package].a.X) == (2, 2, 2)


def test_layouts_that_cannot_follow_are_named(files: Files) -> None:
    files.start(a="class P:\n    __slots__ = ('x',)")
    held = files["a"].P()
    report = files.save(a="class P:\n    __slots__ = ('x', 'y')")
    assert report is not None
    assert report.notes == ("instances of P keep their class: its layout changed",)
    assert type(held) is not files["a"].P


def test_a_subclass_made_elsewhere_follows_its_base(files: Files) -> None:
    files.start(a="class Base:\n    def m(self): return 1")

    class Mine(files["a"].Base):
        def m(self) -> int:
            return super().m() * 10

    held = Mine()
    files.save(a="class Base:\n    def m(self): return 2")
    assert (held.m(), isinstance(held, files["a"].Base)) == (20, True)


def test_partials_bound_methods_and_callbacks_follow_over_many_generations(files: Files) -> None:
    text = "def f(x): return x * {n}\nclass C:\n    def m(self): return {n}\n    @classmethod\n    def c(cls): return {n}\n"
    files.start(a=text.replace("{n}", "1"))
    module = files["a"]
    held = [functools.partial(module.f, 1), module.C().m, module.C.c, {"f": module.f}["f"].__call__]
    for number in range(2, 6):
        files.save(a=text.replace("{n}", str(number)))
        assert [held[0](), held[1](), held[2](), held[3](1)] == [number] * 4


def test_instances_can_be_pickled_after_a_reload(files: Files) -> None:
    files.start(a="class C:\n    def __init__(self): self.x = 1")
    held = files["a"].C()
    files.save(a="class C:\n    def __init__(self): self.x = 2")
    assert pickle.loads(pickle.dumps(held)).x == 1  # noqa: S301 - our own bytes


def test_a_file_that_fails_and_a_change_it_depends_on_are_tried_together_again(files: Files) -> None:
    files.start(a="X = 1", b="from .a import X\nV = X")
    files.save(b="from .a import NEW\nV = NEW")
    assert files.failures == {"b"}
    files.save(a="X = 2\nNEW = 3")
    assert (files["b"].V, files.failures) == (3, set())


def test_a_failing_file_follows_with_its_last_good_text(files: Files) -> None:
    files.start(a="X = 1", b="from .a import X\nV = X")
    files.save(b="from .a import X\nV = X\nraise ValueError")
    files.save(a="X = 2")
    assert (files["a"].X, files["b"].V, files.failures) == (2, 2, {"b"})


def test_a_traceback_through_a_held_function_shows_the_newest_code(files: Files) -> None:
    files.start(a="def f():\n    raise ValueError('one')")
    held = files["a"].f
    files.save(a="\n\n\ndef f():\n    raise ValueError('two')")
    with pytest.raises(ValueError, match="two") as caught:
        held()
    assert [entry.lineno for entry in caught.traceback[1:]] == [4]


def test_a_text_of_megabytes_is_kept_short(files: Files) -> None:
    files.start(a="raise ValueError('boom' * 200_000)")
    (failure,) = files.engine.failures.values()
    assert len(failure.text) < 11_000
    assert len(failure.summary) < 600


def test_a_file_that_goes_on_failing_does_not_change_those_that_import_its_live_version(files: Files) -> None:
    files.start(a="K = 1", c="from .a import *")
    for _ in range(2):
        files.save(a="from .c import missing")
        assert (files["a"].K, files["c"].K, "a" in files.failures) == (1, 1, True)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("K: int = 1", "K = 1", None),
        ("x: int = 1\ny: str", "x: int = 2\ny: str", ["x", "y"]),
        ("x: int = 1\ny: str", "y: str\nx: int = 1", ["y", "x"]),
        ("x: int = 1", "x: int = 1\nz: str", ["x", "z"]),
    ],
)
def test_annotations_of_a_module_are_those_of_its_text(files: Files, old: str, new: str, names: list[str] | None) -> None:
    files.start(a=old)
    files.save(a=new)
    found = vars(files["a"]).get("__annotations__")
    assert (None if found is None else list(found)) == names


# -- what an edit costs


def test_an_edit_of_a_body_looks_at_no_object_but_those_of_its_file(files: Files) -> None:
    files.start(a="RATE = 2\n\n\ndef f():\n    return RATE\n\n\nclass C:\n    def m(self):\n        return 1\n")
    held, before = files["a"].C(), heap.Walks.count
    files.save(a="RATE = 2\n\n\ndef f():\n    return RATE + 1\n\n\nclass C:\n    def m(self):\n        return 2\n")
    assert (files["a"].f(), held.m(), heap.Walks.count) == (3, 2, before)


def test_closures_of_many_modules_are_found_in_one_walk(files: Files) -> None:
    text = "def make(first):\n    def inner():\n        return first, {n}\n    return inner\n"
    names = [f"a{index}" for index in range(10)]
    files.start(**dict.fromkeys(names, text.replace("{n}", "1")))
    held = [files[name].make(name) for name in names]
    before = heap.Walks.count
    files.save(**dict.fromkeys(names, text.replace("{n}", "2")))
    assert [inner() for inner in held] == [(name, 2) for name in names]
    assert heap.Walks.count == before + 1


def test_functions_that_fled_from_the_staging_of_many_modules_are_found_in_one_walk(files: Files) -> None:
    import types

    fled = []
    sys.modules["fled"] = types.SimpleNamespace(fled=fled)
    text = "from fled import fled\nX = {n}\nfled.append(lambda: X)\n"
    try:
        files.start(a=text.replace("{n}", "1"), b=text.replace("{n}", "1"))
        fled.clear()
        before = heap.Walks.count
        files.save(a=text.replace("{n}", "2"), b=text.replace("{n}", "2"))
        walks = heap.Walks.count - before
        files["a"].X = files["b"].X = 3
    finally:
        del sys.modules["fled"]
    assert ([f() for f in fled], walks) == ([3, 3], 1)


def test_nobody_sees_half_of_the_failures_that_come_or_go_together(files: Files) -> None:
    import threading

    users = {f"b{index}": "from .a import price\nT = price(1)\n" for index in range(4)}
    files.start(a="def price(n): return n\n", **users)
    stop, seen = threading.Event(), set()

    def look() -> None:
        while not stop.is_set():
            seen.add(frozenset(files.engine.failures))

    reader = threading.Thread(target=look)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    reader.start()
    try:
        for number in range(30):
            files.save(a=f"def cost(n): return n + {number}\n")
            files.save(a=f"def price(n): return n + {number}\n")
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        reader.join()
    assert sorted(map(len, seen)) == [0, 5]
