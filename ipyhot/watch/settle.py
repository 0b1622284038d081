"""When is a burst of changes over? A pure state machine: hints and the time go in, a deadline and a burst come out."""

import enum
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple

__all__ = ["ELSEWHERE", "LINUX", "Batch", "Hint", "Kind", "Settler", "Waits", "waits"]


class Kind(enum.Enum):
    """What is known of a path."""

    DONE = enum.auto()  # its content is complete: the writer closed it, or it was moved there
    OPEN = enum.auto()  # a writer has it: it was created or written, and not closed since
    FOUND = enum.auto()  # it looks different; nobody said whether a writer has it
    EMPTY = enum.auto()  # its writer closed it empty: many truncate first and write a moment later
    GONE = enum.auto()
    VOID = enum.auto()  # it is a folder that went, or is another one now: what was believed to be in it may not be
    STIR = enum.auto()  # something else began in its folder: a tool that does one file after the other


class Hint(NamedTuple):
    """What came to be known of a path, with the time in monotonic seconds. A tuple, because there may be very many."""

    kind: Kind
    path: str
    at: float


@dataclass(frozen=True, slots=True)
class Batch:
    """The paths of one burst whose content changed: files, and folders that came or went.

    ``texts`` is what the files were found to hold; one that is gone, or cannot be read, is not in it. ``first`` is when
    the burst began, in monotonic seconds.
    """

    files: frozenset[str]
    folders: frozenset[str] = frozenset()
    texts: Mapping[str, bytes] = field(default_factory=dict)
    first: float = 0.0


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds to wait for, by the size of a burst where a table stands.

    Where a system tells that a writer closed a file, a single save waits for nothing. The figures are those tried with
    editors, ``git``, ``sed -i``, rsync, unzip and formatters.
    """

    quiet: tuple[tuple[float, float], ...] = ((1, 0.0), (3, 0.015), (inf, 0.040))
    glow: float = 0.100  # a change this soon after a batch may belong to it ("save all"): then it waits as a burst does
    grace: float = 0.200  # for a file that is gone or empty to come back
    found: float = 0.040
    open: float = 2.0  # since its last write, for a file that is never closed; a busy disk holds a writer up for a second
    bound: tuple[tuple[float, float], ...] = ((3, 0.5), (inf, 3.0))  # for bursts that do not end
    lock: float = 10.0  # the same while a version control system says that it is at work
    unlocked: float = 0.002
    steps: float = 0.150  # the same if it does its work in several steps


LINUX: Final = Waits()
# FSEvents merges what happens within its latency; Windows sends several events for one save, the first at its start.
ELSEWHERE: Final = {
    "darwin": Waits(quiet=((1, 0.020), (inf, 0.060)), unlocked=0.060),
    "win32": Waits(quiet=((1, 0.050), (inf, 0.080)), unlocked=0.080),
}


def waits(platform: str = sys.platform) -> Waits:
    """Return what suits a platform."""
    return ELSEWHERE.get(platform, LINUX)


class Settler:
    """Folds hints into one burst. Not for two threads at once."""

    def __init__(self, waits: Waits = LINUX) -> None:
        self._waits = waits
        self._burst: dict[str, Hint] = {}
        self._open: dict[str, float] = {}  # path -> its last write
        self._first = 0.0
        self._last = 0.0
        self._is_stirred = False
        self._fired_at = -inf
        self._fired: frozenset[str] = frozenset()
        self._is_locked = False
        self._unlocked: float | None = None  # what to wait for after a lock that was held in this burst

    @property
    def burst(self) -> Mapping[str, Hint]:
        """What has come so far and is not being written."""
        return self._burst

    @property
    def first(self) -> float:
        """When the burst began."""
        return self._first

    @property
    def is_locked(self) -> bool:
        """True while a version control system is at work."""
        return self._is_locked

    def feed(self, hint: Hint) -> bool:
        """Take in what came to be known of a path; tell whether that was news.

        What is being written waits apart until it is closed.
        """
        path = hint.path
        if hint.kind is Kind.STIR:
            self._is_stirred |= bool(self._burst)
            return False
        if hint.kind is Kind.OPEN:
            self._burst.pop(path, None)
            self._open[path] = hint.at
            return True
        if hint.kind is Kind.FOUND and (path in self._open or self._knows_more(path)):
            return False
        self._open.pop(path, None)
        if not self._burst:
            self._first = hint.at
        self._last = hint.at
        self._burst[path] = hint
        return True

    def _knows_more(self, path: str) -> bool:
        known = self._burst.get(path)
        return known is not None and known.kind is not Kind.GONE

    def forget(self, path: str) -> None:
        """Drop what is known of a path."""
        self._burst.pop(path, None)
        self._open.pop(path, None)

    def there(self, folder: str) -> list[str]:
        """Return the paths that are believed to be in a folder and to have changed."""
        present = (path for path, hint in self._burst.items() if hint.kind is not Kind.GONE)
        return [path for path in (*present, *self._open) if path.startswith(folder + os.sep)]

    def lock(self, *, is_held: bool, has_steps: bool = False) -> None:
        """Take note of a lock that a version control system holds for as long as it writes files."""
        if is_held or self._is_locked:
            self._unlocked = self._waits.steps if has_steps else self._waits.unlocked
        self._is_locked = is_held

    def abandoned(self, now: float) -> list[str]:
        """Take out, and return, the files that were written long ago and never closed."""
        if not self._open:
            return []
        found = [path for path, at in self._open.items() if at + self._waits.open <= now]
        for path in found:
            del self._open[path]
        return found

    def due(self) -> float | None:
        """Return when to look again if nothing more comes; None if there is nothing to wait for."""
        written = min(self._open.values()) + self._waits.open if self._open else inf
        due = min(written, self._over())
        return None if due == inf else due

    def is_over(self, now: float) -> bool:
        """Tell whether the burst is to be taken."""
        return self._over() <= now

    def is_endless(self, now: float) -> bool:
        """Tell whether the burst is to be taken although it goes on."""
        return bool(self._burst) and self._first + self._bound() <= now

    def _over(self) -> float:
        if not self._burst:
            return inf
        bound = self._first + self._bound()
        if self._is_locked:
            return bound
        patient = max(hint.at + self._patience(hint.kind) for hint in self._burst.values())
        return min(max(self._last + self._quiet(), patient), bound)

    def _bound(self) -> float:
        return self._waits.lock if self._is_locked else _pick(self._waits.bound, len(self._burst))

    def _quiet(self) -> float:
        if self._unlocked is not None:
            return self._unlocked
        size = len(self._burst) + sum(at >= self._first for at in self._open.values())
        quiet = _pick(self._waits.quiet, max(size, 2 * self._is_stirred))
        is_afterglow = self._first - self._fired_at < self._waits.glow and not self._fired >= self._burst.keys()
        return max(quiet, self._waits.quiet[-1][1]) if is_afterglow else quiet

    def _patience(self, kind: Kind) -> float:
        if kind is Kind.GONE or kind is Kind.EMPTY:
            # what a version control system leaves when it is ready is meant to be so
            return self._waits.grace if self._unlocked is None else self._unlocked
        return self._waits.found if kind is Kind.FOUND else 0.0

    def take(self, now: float) -> dict[str, Hint]:
        """Return the burst and begin anew; what has been gone or empty for too short a time is left for the next."""
        taken = self._burst
        left = {path: hint for path, hint in taken.items() if hint.at + self._patience(hint.kind) > now}
        if left:
            taken = {path: hint for path, hint in taken.items() if path not in left}
        self._fired_at, self._fired = now, frozenset(taken)
        self._burst = left
        times = [hint.at for hint in left.values()] or [now]
        self._first, self._last = min(times), max(times)
        self._is_stirred = False
        self._unlocked = None
        return taken


def _pick(table: tuple[tuple[float, float], ...], size: int) -> float:
    for limit, value in table:
        if size <= limit:
            return value
    raise AssertionError(size)
