"""How long another thread stands still while a hundred modules are committed."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ground import Row, Scale, engine, folder, in_turn
from ticking import ticking

from ipyhot.core import engine as engine_module
from ipyhot.core.commit import Deed, commit

IMPORTERS = 100
USER = "from .base import K\n\nVALUE = K + 1\n\n\ndef value():\n    return VALUE\n"
INTERVALS = (0.0001, 0.005)  # seconds between the interpreter's switches: short enough to see a pause, and Python's own

Span = tuple[float, float]


def pauses(scale: Scale) -> Iterator[Row]:
    """The longest gap of a busy thread during a commit, beside its gap over as long a span of the work that led to it."""
    with folder() as hots:
        base = hots / "base.py"
        base.write_text("K = 0\n")
        for index in range(IMPORTERS):
            (hots / f"user{index}.py").write_text(USER)
        with engine() as live, _spans_of_commits() as spans:
            for interval in INTERVALS:
                during = _gap(live, base, "K = {}\n", interval, lambda _: spans[-1])
                before = _gap(live, base, "K = -{}\n", interval, lambda began: _halfway(began, *spans[-1]))
                ours, without = in_turn(scale(200), during, before)
                what = f"pause by a commit, switches of {interval * 1000:g} ms (none)"
                yield Row(what, f"{ours:.2f} ms", f"{without:.2f} ms", f"{ours - without:+.2f} ms", "<= +2 ms")
            spans.clear()
            (whole,) = in_turn(scale(200), _edit(live, base, "K = {}\n"))
    spent = statistics.median(ended - began for began, ended in spans) * 1000
    what = f"  the commit of {IMPORTERS + 1} modules (the edit it ends)"
    yield Row(what, f"{spent:.2f} ms", f"{whole:.2f} ms", f"{spent / whole:.4f}")


def _halfway(edit_began: float, began: float, ended: float) -> Span:
    """Return a span as long as the commit, halfway between the beginning of the edit and the commit."""
    middle = (edit_began + began) / 2
    return middle, middle + (ended - began)


def _edit(live: Any, base: Path, text: str) -> Callable[[int], float]:
    """Return how the constant is edited, and the engine told of it."""

    def edit(number: int) -> float:
        base.write_text(text.format(number))
        began = time.perf_counter()
        report = live.update(["hots.base"])
        ended = time.perf_counter()
        assert len(report.ways) == IMPORTERS + 1  # noqa: S101 - a figure for something else is none
        return ended - began

    return edit


def _gap(live: Any, base: Path, text: str, interval: float, span_of: Callable[[float], Span]) -> Callable[[int], float]:
    """Return how a busy thread's longest gap is found that overlaps some span of an edit."""
    edit = _edit(live, base, text)

    def gap(number: int) -> float:
        with ticking(interval) as ticker:
            began = time.perf_counter()
            edit(number)
            time.sleep(0.01)  # the last gap ends with a tick
        return ticker.longest(*span_of(began))

    return gap


@contextmanager
def _spans_of_commits() -> Iterator[list[Span]]:
    """Yield a list to which each commit's beginning and end are added."""
    spans: list[Span] = []

    def timed(deeds: Sequence[Deed]) -> None:
        began = time.perf_counter()
        commit(deeds)
        spans.append((began, time.perf_counter()))

    engine_module.commit = timed
    try:
        yield spans
    finally:
        engine_module.commit = commit
