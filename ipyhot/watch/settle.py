"""When is a burst of events over? A pure state machine: events and the time go in, a deadline and a batch come out."""

import enum
from dataclasses import dataclass
from math import inf
from typing import Final

__all__ = ["Batch", "Hint", "Kind", "Settler"]


class Kind(enum.Enum):
    """What an event says of a path."""

    DONE = enum.auto()  # its content is complete: the writer closed it, or it was moved there
    NEW = enum.auto()  # it was created; a writer may still hold it
    GONE = enum.auto()
    FOLDER = enum.auto()  # a folder came, went or moved: what lies below has to be looked up


@dataclass(frozen=True, slots=True)
class Hint:
    """One event, with its time in monotonic seconds."""

    kind: Kind
    path: str
    at: float


@dataclass(frozen=True, slots=True)
class Batch:
    """The paths of one burst: files, folders to be looked through, and when the first event came."""

    files: frozenset[str]
    folders: frozenset[str]
    first: float


# Seconds. A single finished save waits for nothing; the figures are those tried in `git checkout`, `sed -i`, rsync,
# unzip and formatter runs.
QUIET: Final = ((1, 0.0), (3, 0.015), (inf, 0.040))
NEW_WAIT: Final = 1.0  # a created file is followed by its closing; only a hard link, or a writer that hangs, is not
GONE_WAIT: Final = 0.080
GLOW: Final = 0.100
GLOW_QUIET: Final = 0.040
UPPER: Final = ((3, 0.5), (inf, 3.0))
_FOLDER_WEIGHT: Final = 8


class Settler:
    """Folds events into one batch. Not for two threads at once."""

    def __init__(self) -> None:
        self._files: dict[str, Hint] = {}
        self._folders: dict[str, Hint] = {}
        self._open: dict[str, float] = {}
        self._first = 0.0
        self._last = 0.0
        self._fired_at = -inf
        self._fired: frozenset[str] = frozenset()

    def feed(self, hint: Hint) -> None:
        """Take one event into the burst; a file that was just created waits apart until it is closed."""
        if hint.kind is Kind.NEW:
            self._open.setdefault(hint.path, hint.at)
            return
        self._open.pop(hint.path, None)
        if not self._files and not self._folders:
            self._first = hint.at
        self._last = hint.at
        (self._folders if hint.kind is Kind.FOLDER else self._files)[hint.path] = hint

    def deadline(self) -> float | None:
        """Return when the burst counts as over, if no further event comes; None if there is none."""
        created = min(self._open.values()) + NEW_WAIT if self._open else None
        size = len(self._files) + _FOLDER_WEIGHT * len(self._folders)
        if not size:
            return created
        quiet = _pick(QUIET, size)
        is_afterglow = self._first - self._fired_at < GLOW and not self._fired >= self._files.keys()
        if is_afterglow:
            quiet = max(quiet, GLOW_QUIET)
        gone = (hint.at + GONE_WAIT for hint in self._files.values() if hint.kind is Kind.GONE)
        over = min(max(self._last + quiet, *gone, self._last), self._first + _pick(UPPER, size))
        return over if created is None else min(over, created)

    def take(self, now: float) -> Batch:
        """Return the burst as a batch and begin anew; a file that is still open, and young, is left for later."""
        late = {path for path, at in self._open.items() if at + NEW_WAIT <= now}
        first = self._first if self._files or self._folders else min((self._open[path] for path in late), default=now)
        batch = Batch(frozenset(self._files) | late, frozenset(self._folders), first)
        self._fired_at, self._fired = now, batch.files
        self._files, self._folders = {}, {}
        self._open = {path: at for path, at in self._open.items() if path not in late}
        return batch


def _pick(table: tuple[tuple[float, float], ...], size: int) -> float:
    return next(value for limit, value in table if size <= limit)
