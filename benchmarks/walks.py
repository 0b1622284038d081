"""What a walk over the heap costs, and how often one is needed."""

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ground import Row, Scale, engine, folder, in_turn
from ticking import ticking

from ipyhot.core import heap

HERE = Path(__file__).parent
MODULES = 20
MAKER = "def make(first):\n    def inner():\n        return first, {}\n\n    return inner\n"
SCENARIOS = [f"tests/test_{subject}.py" for subject in ("functions", "classes", "statements", "state")]


def one_pass(scale: Scale) -> Iterator[Row]:
    """A walk with many live objects, and an edit that needs one because only the heap knows a closure made earlier."""
    for millions in (1, 5):
        crowd = _objects(millions * 1_000_000)
        with folder() as hots, engine() as live:
            edits = Edits(hots / "maker.py", live)
            walk, pause, needing, plain = in_turn(scale(20), edits.walk, edits.pause, edits.needing_a_walk, edits.plain)
        del crowd
        what = f"heap pass, {millions} million objects (the pause it makes)"
        yield Row(what, f"{walk:.1f} ms", f"{pause:.1f} ms", f"{pause / walk:.2f}")
        ratio = f"{needing / plain:.1f}"
        yield Row("  an edit that needs one (that does not)", f"{needing:.1f} ms", f"{plain:.1f} ms", ratio)
    walks = _walks_for_many()
    yield Row(f"walks for {MODULES} modules that need one (for one)", f"{walks}", "1", f"{walks}")


class Edits:
    """A file that makes closures, its edits, and the walks that find those closures."""

    def __init__(self, path: Path, live: Any) -> None:
        self._path = path
        self._live = live
        self.plain(0)
        self._make = sys.modules["hots.maker"].make

    def plain(self, number: int) -> float:
        """Return the seconds of an edit while there is no closure."""
        self._path.write_text(MAKER.format(number))
        began = time.perf_counter()
        self._live.update(["hots.maker"])
        return time.perf_counter() - began

    def needing_a_walk(self, number: int) -> float:
        """Return the seconds of an edit while a local variable, which no namespace shows, holds a closure."""
        held, walks = self._make("first"), heap.Walks.count
        seconds = self.plain(-number)
        assert held() == ("first", -number)  # noqa: S101 - a figure for wrong work is none
        assert heap.Walks.count > walks  # noqa: S101 - as above
        return seconds

    def walk(self, _: int) -> float:
        """Return the seconds of the walk alone."""
        codes = [self._make("first").__code__]
        began = time.perf_counter()
        list(heap.functions_of(codes))
        return time.perf_counter() - began

    def pause(self, _: int) -> float:
        """Return the seconds that another thread stands still meanwhile."""
        with ticking(0.0001) as ticker:
            began = time.perf_counter()
            self.walk(0)
            return ticker.longest(began, time.perf_counter())


def _walks_for_many() -> int:
    """Return how many walks one generation takes, if somebody holds a closure of each of its modules."""
    names = [f"hots.maker{index}" for index in range(MODULES)]
    with folder() as hots, engine() as live:

        def save(number: int) -> None:
            for index in range(MODULES):
                (hots / f"maker{index}.py").write_text(MAKER.format(number))
            live.update(names)

        save(0)
        held = [sys.modules[name].make("first") for name in names]
        before = heap.Walks.count
        save(1)
        assert {closure() for closure in held} == {("first", 1)}  # noqa: S101 - as above
        return heap.Walks.count - before


def _objects(count: int) -> list[Any]:
    """Return that many live objects which the collector tracks: lists, and tuples that hold them."""
    gc.disable()  # or they are looked at again and again while they are made
    lists = [[index] for index in range(count // 2)]
    tuples = [(one, one) for one in lists]
    gc.enable()
    gc.collect()
    return tuples


def in_scenarios(_: Scale) -> Iterator[Row]:
    """How many edits of the scenario suite need a walk."""
    command = [sys.executable, "-m", "pytest", "-p", "walk_counter", "-q", "-k", "patch", *SCENARIOS]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])}
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False, env=environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"the scenarios did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    edits, needing, walks = (json.loads(lines[0])[key] for key in ("edits", "needing", "walks"))
    yield Row("edits of the scenario suite that need a walk (all)", f"{needing}", f"{edits}", f"{needing / edits:.2f}")
    yield Row("  walks (edits)", f"{walks}", f"{edits}", f"{walks / edits:.2f}")
