"""How long another thread stands still while a hundred modules are committed."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ground import Row, Scale, engine, folder, in_turn
from ticking import ticking

from ipyhot.core import engine as engine_module
from ipyhot.core.commit import Deed, commit

IMPORTERS = 100
USER = "from .base import K\n\nVALUE = K + 1\n\n\ndef value():\n    return VALUE\n"
INTERVALS = (0.0001, 0.005)  # seconds between the interpreter's switches: short enough to see a pause, and Python's own


def pauses(scale: Scale) -> Iterator[Row]:
    """A busy thread's longest gap during a commit, beside its gap while the builder runs plain Python for as long."""
    with folder() as hots, _edits(hots) as edits:
        (whole,) = in_turn(scale(200), edits.run)
        for interval in INTERVALS:
            ours, without = in_turn(scale(200), partial(edits.gap, interval), partial(edits.gap_without, interval))
            what = f"pause by a commit, switches of {interval * 1000:g} ms (none)"
            yield Row(what, f"{ours:.2f} ms", f"{without:.2f} ms", f"{ours - without:+.2f} ms", "<= +2 ms")
        spent = statistics.median(edits.seconds) * 1000
        what = f"  the commit of {IMPORTERS + 1} modules (the edit it ends)"
        yield Row(what, f"{spent:.2f} ms", f"{whole:.2f} ms", f"{spent / whole:.4f}")


class Edits:
    """Edits of a constant that a hundred modules compute with. Their commit is watched, or preceded by a sham."""

    def __init__(self, path: Path, live: Any) -> None:
        self.seconds: list[float] = []  # of each commit
        self._path = path
        self._live = live
        self._is_sham = False
        self._span = (0.0, 0.0)

    def commit(self, deeds: Sequence[Deed]) -> None:
        """Commit, and remember when; or when plain Python ran for as long, just before."""
        if self._is_sham:
            self._span = _span(partial(_spin, statistics.median(self.seconds)))
            time.sleep(0.001)  # the other thread's gap is over
            commit(deeds)
        else:
            self._span = _span(partial(commit, deeds))
            self.seconds.append(self._span[1] - self._span[0])

    def run(self, number: int) -> float:
        """Return the seconds of an edit."""
        self._path.write_text(f"K = {number}\n")
        began = time.perf_counter()
        report = self._live.update(["hots.base"])
        ended = time.perf_counter()
        assert len(report.ways) == IMPORTERS + 1  # noqa: S101 - a figure for something else is none
        return ended - began

    def gap(self, interval: float, number: int) -> float:
        """Return the longest gap of a busy thread that overlaps the commit."""
        with ticking(interval) as ticker:
            self.run(number)
            time.sleep(0.001)
        return ticker.longest(*self._span)

    def gap_without(self, interval: float, number: int) -> float:
        """Return the longest gap that overlaps the sham."""
        self._is_sham = True
        try:
            return self.gap(interval, -number)
        finally:
            self._is_sham = False


@contextmanager
def _edits(hots: Path) -> Iterator[Edits]:
    base = hots / "base.py"
    base.write_text("K = 0\n")
    for index in range(IMPORTERS):
        (hots / f"user{index}.py").write_text(USER)
    with engine() as live:
        edits = Edits(base, live)
        engine_module.commit = edits.commit
        try:
            yield edits
        finally:
            engine_module.commit = commit


def _span(run: Callable[[], object]) -> tuple[float, float]:
    began = time.perf_counter()
    run()
    return began, time.perf_counter()


def _spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
