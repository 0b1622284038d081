"""What thousands of reloads leave behind: nothing. In process, so that objects can be counted."""

import gc
import itertools
import linecache
import sys
import types
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipyhot.core.engine import Engine
from ipyhot.core.sources import open_folder

_numbers = itertools.count(1)
TEXT = (
    "import sys\nN = {n}\n\ndef f(x=N):\n    return N\n\nclass C:\n    def m(self):\n        return super().__repr__(), N\n"
)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    folder = tmp_path / f"leaky_{next(_numbers)}"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    engine = Engine()
    engine.add_folder(open_folder(folder))
    yield engine
    for watched in engine.folders:
        engine.remove_folder(watched)


def save(engine: Engine, text: str, name: str = "m") -> str:
    folder = engine.folders[0]
    Path(folder.root, f"{name}.py").write_text(text)
    engine.update([f"{folder.package}.{name}"])
    return f"{folder.package}.{name}"


def counts() -> tuple[int, int, int]:
    gc.collect()
    return len(gc.get_objects()), len(sys.modules), len(linecache.cache)


@pytest.fixture(params=[True, False], ids=["patched", "reloaded"])
def either(request: pytest.FixtureRequest, engine: Engine) -> Engine:
    """An engine that patches, and one that executes each edited file as a whole."""
    engine.patches = request.param
    return engine


@pytest.mark.parametrize("text", [TEXT, TEXT + "raise ValueError(N)\n", TEXT + "x = (\n"], ids=["good", "raising", "broken"])
def test_reloads_leave_nothing_behind(either: Engine, text: str) -> None:
    save(either, TEXT.replace("{n}", "-1"))
    for n in range(250):  # the history, which is bounded, is full then
        save(either, text.replace("{n}", str(n)))
    before = counts()
    for n in range(250, 1000):
        save(either, text.replace("{n}", str(n)))
    objects, modules, lines = (now - then for now, then in zip(counts(), before, strict=True))
    assert (modules, lines) == (0, 0)
    assert objects < 75  # a tenth of an object a reload


def parts_of(module: types.ModuleType) -> list[weakref.ref]:
    """Return references to what each generation of TEXT has anew, whoever keeps identity."""
    return [weakref.ref(part) for part in (module.N, module.f.__code__, module.C.m.__code__)]


def numbered(number: int) -> str:
    """Return a text whose constant, default, function and method all differ from those of other numbers."""
    text = TEXT.replace("N = {n}", f"N = frozenset([{number}])")
    return text.replace("return N", f"return len(N) * {number}").replace(", N\n", f", {number}\n")


def test_a_generation_that_nobody_holds_is_freed(either: Engine) -> None:
    name = save(either, numbered(0))
    old = parts_of(sys.modules[name])
    save(either, numbered(1))
    gc.collect()
    assert [part() for part in old] == [None] * 3


def test_a_reload_leaves_one_module_object(either: Engine) -> None:
    name = save(either, numbered(0))
    live = sys.modules[name]
    for number in range(1, 4):
        save(either, numbered(number))
    gc.collect()
    found = [each for each in gc.get_objects() if isinstance(each, types.ModuleType) and each.__name__ == name]
    assert found == [live]


def test_a_held_function_keeps_its_own_generation_and_no_other(either: Engine) -> None:
    name = save(either, numbered(0))
    held = sys.modules[name].f
    save(either, numbered(1))
    middle = parts_of(sys.modules[name])
    for number in range(2, 5):
        save(either, numbered(number))
    gc.collect()
    assert held() == 4
    assert [part() for part in middle] == [None] * 3


CLOSURE = """
def make(a, b=0, c=0):
    def f():
        return {names}, {n}
    return f

f = make({n})
"""


def test_a_held_function_that_forwards_keeps_its_own_generation_and_no_other(either: Engine) -> None:
    def text(number: int) -> str:
        return CLOSURE.replace("{names}", ("a", "a, b", "a, b, c")[number % 3]).replace("{n}", str(number))

    name = save(either, text(0))
    held = sys.modules[name].f
    save(either, text(1))
    middle = weakref.ref(sys.modules[name].f)
    assert middle() is not held
    for number in range(2, 5):
        save(either, text(number))
    gc.collect()
    assert held() == (4, 0, 4)
    assert middle() is None


def test_lines_of_a_version_live_as_long_as_its_functions(either: Engine) -> None:
    name = save(either, numbered(0))
    running = sys.modules[name].f.__code__
    alias = running.co_filename
    save(either, numbered(1))
    gc.collect()
    assert linecache.getlines(alias)[1] == "N = frozenset([0])\n"
    del running
    gc.collect()
    assert alias not in linecache.cache
