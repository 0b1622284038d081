"""What there is to show, and how it reads as text: the panel under the ``%hotwatch`` cell and the terminal's lines.

Pure: a state in, strings out; ``page`` has the same as HTML.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ipyhot.core.model import Failure, Report
from ipyhot.kernel.journal import Event, what_happened

__all__ = ["SHOWN", "Row", "State", "ago", "as_text", "clock", "headline", "line", "next_change", "past", "slow"]

SHOWN: Final = 30
_PAST: Final = 4
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Row:
    """One live handler."""

    name: str
    generation: int
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What the panel shows.

    ``latest`` are the handlers that changed last, ``sizes`` the number of handlers in each group of theirs; ``loading`` is
    a slow file and its seconds so far; ``during`` names, by report number, the cell that ran; ``waiting`` are the files
    that ``--when idle`` keeps until no cell runs; ``stopped`` is when the watch ended.
    """

    folders: tuple[str, ...]
    generation: int
    count: int
    latest: Sequence[Row]
    failures: Mapping[str, Failure]
    history: Sequence[Report]
    now: float
    sizes: Mapping[str, int] = field(default_factory=dict)
    during: Mapping[int, int] = field(default_factory=dict)
    loading: tuple[str, float] | None = None
    waiting: int = 0
    stopped: float | None = None
    notes: tuple[str, ...] = ()


def as_text(state: State) -> str:
    """Return the panel as plain text."""
    lines = [headline(state)]
    lines += [slow(state.loading)] if state.loading else []
    lines += [f"! {note}" for note in state.notes]
    for name, failure in state.failures.items():
        lines.append(f"✗ {name}: {failure} ({ago(failure.since, state.now)})")
        lines += [f"    {row}" for row in failure.text.splitlines()]
    lines += [_row(row) for row in state.latest]
    if state.count > len(state.latest):
        lines.append(f"  … {state.count - len(state.latest)} more")
    if state.history:
        lines.append(f"last: {past(state)[0]}")
    return "\n".join(lines)


def headline(state: State) -> str:
    """Return the panel's first line: what is watched, and what is live."""
    folders = ", ".join(state.folders) or "no folder"
    if state.stopped is not None:
        return f"{folders}: no longer watched since {clock(state.stopped)}; generation {state.generation} was live"
    if not state.folders:
        return "no folder is watched; %hotwatch ./hots watches one"
    troubled = f", {len(state.failures)} not live" if state.failures else ""
    files = "file" if state.waiting == 1 else "files"
    waiting = f"; {state.waiting} saved {files} wait for the running cell" if state.waiting else ""
    return f"{folders}: generation {state.generation}{troubled}{waiting}"


def slow(loading: tuple[str, float]) -> str:
    """Return what to say of a file that has been loading for long."""
    name, seconds = loading
    return f"{name} has been loading for {seconds:.0f} s; the last good version is live. %hot cancel stops it."


def past(state: State) -> list[str]:
    """Return what happened last, newest first, each in a few words."""
    return [_happened(report, state.during.get(report.number)) for report in list(state.history)[: -_PAST - 1 : -1]]


def line(report: Report) -> str:
    """Return a report as the one line a terminal shows."""
    sign = "✗" if report.failures else "✓"
    details = "".join(f"\n{failure.text}" for failure in report.failures.values() if failure.text)
    return f"{sign} ipyhot: {report}{details}"


def clock(at: float) -> str:
    """Return a time of day."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def ago(since: float, now: float) -> str:
    """Return how long ago something began, as exactly as it matters."""
    seconds = max(0.0, now - since)
    if seconds < _MINUTE:
        return "just now"
    number, unit = (seconds // _MINUTE, "min") if seconds < _HOUR else (seconds // _HOUR, "h")
    return f"{number:.0f} {unit} ago"


def next_change(state: State) -> float | None:
    """Return in how many seconds a text of the panel would read otherwise although nothing happens; None for never."""
    ages = [max(0.0, state.now - failure.since) for failure in state.failures.values()]
    if not ages or state.stopped is not None:
        return None
    return min((_MINUTE if age < _HOUR else _HOUR) - age % (_MINUTE if age < _HOUR else _HOUR) for age in ages)


def _row(row: Row) -> str:
    event = row.event
    details = f", {clock(event.at)}: {event.what} ({event.ms:.1f} ms)" if event is not None else ""
    return f"  {row.name}  generation {row.generation}{details}"


def _happened(report: Report, during: int | None) -> str:
    words = [f"{name} {what_happened(report, name)}" for name in report.ways]
    words += [f"{name} not live" for name in report.failures]
    words += [f"{name} healed" for name in report.healed if name not in report.ways]
    shown = "; ".join([*words[:2], f"and {len(words) - 2} more"] if len(words) > 3 else words)  # noqa: PLR2004 - a line
    number = f"generation {report.generation}" if report.is_generation else f"still generation {report.generation}"
    running = f", went live while In[{during}] was running" if during is not None else ""
    return f"{clock(report.at)} {number}: {shown}{running} ({report.live_ms:.1f} ms)"
