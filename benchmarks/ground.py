"""What every part of the benchmark stands on: a folder, a shell, the file that is edited, and rows to print."""

import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

Scale = Callable[[int], int]  # full number of rounds → those to do
BLOCK = 20
PATIENCE = 10.0  # seconds

HEAD = "import math\nimport os\n\n\nRATE = {rate}\n\n\ndef probe():\n    return {probe}\n\n\n"
FUNCTION = "def f{index}(value, factor={index}):\n    total = value * factor\n    return total + RATE\n\n\n"
CLASS = (
    "class Order:\n    limit = 10\n\n    def __init__(self, amount):\n        self.amount = amount\n\n"
    "    def total(self):\n        return self.amount * RATE\n"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a figure, what it is beside, their ratio and the bar."""

    what: str
    ours: str
    beside: str = ""
    ratio: str = ""
    bar: str = ""

    def __str__(self) -> str:
        return f"{self.what:<52}{self.ours:>14}{self.beside:>26}{self.ratio:>12}   {self.bar}".rstrip()


def hundred_lines(probe: int, rate: int | None = None) -> str:
    """Return a file of 100 lines: imports, a constant, functions and a class.

    Args:
        probe: what the body of function ``probe`` returns.
        rate: the constant that all other functions read; the same number by default.
    """
    body = "".join(FUNCTION.format(index=index) for index in range(16))
    return HEAD.format(probe=probe, rate=probe if rate is None else rate) + body + CLASS


def only_a_body(probe: int) -> str:
    """Return the same file, of which only the body of ``probe`` ever changes."""
    return hundred_lines(probe, rate=0)


def replace(path: Path, text: str) -> None:
    """Save as editors do: write beside, then rename."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    os.replace(beside, path)


def save_and_wait(path: Path, text: str, is_live: Callable[[], bool]) -> float:
    """Return the seconds from just before a save's last system call until its code answers."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    began = time.perf_counter()
    os.replace(beside, path)
    wait(is_live, path.name)
    return time.perf_counter() - began


def wait(is_live: Callable[[], bool], what: str) -> None:
    """Look again and again, politely, until something is so."""
    end = time.perf_counter() + PATIENCE
    while not is_live():
        if time.perf_counter() > end:
            raise TimeoutError(f"{what} never went live")
        time.sleep(0.00005)


def in_turn(rounds: int, *measures: Callable[[int], float]) -> list[float]:
    """Return the median milliseconds of each measure; they take turns in blocks, so noise meets all of them.

    Args:
        rounds: how often each is taken.
        measures: are called with 1, 2, 3 ... and return seconds.
    """
    times: list[list[float]] = [[] for _ in measures]
    for first in range(1, rounds + 1, BLOCK):
        for measure, found in zip(measures, times, strict=True):
            found += [measure(number) for number in range(first, min(first + BLOCK, rounds + 1))]
    return [statistics.median(found) * 1000 for found in times]


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a new folder named `hots`, current and importable."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as top:
        os.chdir(top)
        sys.path.insert(0, top)
        path = Path(top, "hots")
        path.mkdir()
        try:
            yield path
        finally:
            os.chdir(before)
            sys.path.remove(top)
            for name in [name for name in sys.modules if name.split(".")[0] in {"hots", "plain"}]:
                del sys.modules[name]


@contextmanager
def shell() -> Iterator[InteractiveShell]:
    """Yield a real IPython shell in which ipyhot watches `hots`."""
    shell = InteractiveShell.instance()
    with redirect_stdout(io.StringIO()):
        shell.run_line_magic("load_ext", "ipyhot")
        shell.run_line_magic("hotwatch", "./hots --quiet")
    try:
        yield shell
    finally:
        shell.run_line_magic("unload_ext", "ipyhot")
        shell.extension_manager.loaded.discard("ipyhot")


@contextmanager
def engine() -> Iterator[Any]:
    """Yield the engine of such a shell, with the observer off: who saves a file tells the engine himself."""
    with shell() as live:
        session = live.user_ns["hot"]._session
        for watched in session.engine.folders:
            session._watcher.remove(watched)
        session._watcher.catch_up(PATIENCE)
        yield session.engine


def other_files(path: Path, count: int) -> None:
    """Write many small files, a hundred to a folder."""
    for index in range(count):
        group = path / f"group{index // 100}"
        group.mkdir(exist_ok=True)
        (group / f"other{index}.py").write_text(f"VALUE = {index}\n")
