"""What thousands of reloads leave behind: nothing. In process, so that objects can be counted."""

import gc
import itertools
import linecache
import sys
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


@pytest.mark.parametrize("text", [TEXT, TEXT + "raise ValueError(N)\n", TEXT + "x = (\n"], ids=["good", "raising", "broken"])
def test_reloads_leave_nothing_behind(engine: Engine, text: str) -> None:
    save(engine, TEXT.replace("{n}", "-1"))
    for n in range(250):  # the history, which is bounded, is full then
        save(engine, text.replace("{n}", str(n)))
    before = counts()
    for n in range(250, 1000):
        save(engine, text.replace("{n}", str(n)))
    objects, modules, lines = (now - then for now, then in zip(counts(), before, strict=True))
    assert (modules, lines) == (0, 0)
    assert objects < 75  # a tenth of an object a reload


def test_a_generation_that_nobody_holds_is_freed(engine: Engine) -> None:
    name = save(engine, TEXT.replace("{n}", "0"))
    old = weakref.ref(sys.modules[name])
    save(engine, TEXT.replace("{n}", "1"))
    gc.collect()
    assert old() is None


def test_a_held_function_keeps_its_own_generation_and_no_other(engine: Engine) -> None:
    name = save(engine, TEXT.replace("{n}", "0"))
    held = sys.modules[name].f
    save(engine, TEXT.replace("{n}", "1"))
    middle = weakref.ref(sys.modules[name].f)
    for n in range(2, 5):
        save(engine, TEXT.replace("{n}", str(n)))
    gc.collect()
    assert held() == 4
    assert middle() is None


def test_lines_of_a_version_live_as_long_as_its_functions(engine: Engine) -> None:
    name = save(engine, TEXT.replace("{n}", "0"))
    running = compile("", "", "exec")
    namespace = vars(sys.modules[name])
    alias = namespace["f"].__code__.co_filename
    save(engine, TEXT.replace("{n}", "1"))
    gc.collect()
    assert linecache.getlines(alias)[1] == "N = 0\n"
    del namespace, running
    gc.collect()
    assert alias not in linecache.cache
