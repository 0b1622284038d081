"""From hints to a batch: what settled is read, held against the tables, and gathered if it changed. One thread.

The quiet time is used for reading, and for what others can do ahead with what was read. What was read counts only if
nothing was heard of the file after that: an empty or a half written file never gets into a batch.
"""

import os
import stat
import sys
import time
from collections.abc import Callable, Collection, Iterable
from math import inf
from typing import Final

from ipyhot.watch.lookout import Lookout
from ipyhot.watch.settle import Batch, Hint, Kind, Settler, waits
from ipyhot.watch.table import UNREADABLE, Reading, RestlessError, key_of, read

__all__ = ["Harvest"]

_MEANT_EMPTY: Final = "__init__.py"


class Harvest:
    """What is about to become a batch."""

    def __init__(self) -> None:
        self.settler = Settler(waits())
        self._readings: dict[str, Reading | None] = {}
        self._unseen: dict[str, None] = {}  # paths that were read, and not shown yet
        self._asked: set[str] | None = None

    def feed(self, lookout: Lookout, hints: Iterable[Hint]) -> bool:
        """Take in what a lookout heard; tell whether any of it was news."""
        has_news = False
        for hint in hints:
            if hint.kind is Kind.VOID:
                self._forget(self.settler.there(hint.path))
            elif hint.kind is Kind.GONE and hint.path not in lookout.table and not os.path.exists(hint.path):
                self._forget([hint.path])  # it came and went before anybody was told
            elif self.settler.feed(hint):
                self._readings.pop(hint.path, None)
                self._unseen.pop(hint.path, None)
                has_news = True
        return has_news

    def _forget(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.settler.forget(path)
            self._readings.pop(path, None)
            self._unseen.pop(path, None)

    def ask(self, paths: Collection[str]) -> None:
        """Let the next batch have these files, whatever they hold."""
        self._asked = (self._asked or set()).union(paths)

    @property
    def is_growing(self) -> bool:
        """True if there is something that will become a batch."""
        return bool(self.settler.burst) or self._asked is not None

    @property
    def is_read(self) -> bool:
        """True if all that settles has been read."""
        return self.settler.burst.keys() <= self._readings.keys()

    def changed_at(self, now: float) -> float:
        """Return when the last of the files that settle was changed, by the file system's clock; seconds since the epoch."""
        times = [reading.key[1] / 1e9 for path in self.settler.burst if (reading := self._readings.get(path)) is not None]
        return max(times, default=time.time() - (now - self.settler.first))

    def is_ripe(self, now: float) -> bool:
        """Tell whether the batch is due."""
        return self.settler.is_over(now) or (self._asked is not None and not self.settler.burst)

    def due(self) -> float | None:
        """Return when to look again, if nothing more comes."""
        return 0.0 if self._asked is not None and not self.settler.burst else self.settler.due()

    def take_up_abandoned(self, lookouts: Iterable[Lookout], now: float) -> None:
        """Let files that a writer never closed take part, unless they are empty: then it has only begun."""
        for path in self.settler.abandoned(now):
            try:
                is_begun = not os.path.getsize(path)
            except OSError:  # it is gone, or out of reach: reading it will tell
                is_begun = False
            if not is_begun or any(lookout.owns(path) and not lookout.source.tells_closing for lookout in lookouts):
                self.settler.feed(Hint(Kind.FOUND, path, now))
            else:
                self.settler.feed(Hint(Kind.OPEN, path, now))
            for lookout in lookouts:
                lookout.announced(path)

    def prepare(self, lookouts: Collection[Lookout], seconds: float = inf) -> None:
        """Read what settles, for so long."""
        end = time.monotonic() + seconds
        for path, hint in list(self.settler.burst.items()):
            if path not in self._readings:
                self._read(hint, lookouts)
                if time.monotonic() >= end:
                    return

    def _read(self, hint: Hint, lookouts: Collection[Lookout]) -> None:
        path = hint.path
        owners = _owners(path, lookouts)
        if not owners:
            self._forget([path])  # its folder is not watched any more
            return
        try:
            reading = read(path, owners[0].doubt)
        except RestlessError:
            self.settler.feed(Hint(Kind.OPEN, path, time.monotonic()))
            return
        if reading is None and hint.kind is not Kind.GONE:
            self.feed_all(lookouts, Hint(Kind.GONE, path, time.monotonic()))
            return
        if reading is not None and hint.kind is Kind.GONE:
            self.settler.feed(Hint(Kind.FOUND, path, time.monotonic()))
        elif reading is not None and reading.digest == UNREADABLE and sys.platform == "win32" and hint.kind is Kind.DONE:
            self.settler.feed(Hint(Kind.OPEN, path, time.monotonic()))  # the writer lets nobody else read
            return
        elif reading is not None and reading.data == b"" and not _is_meant(path, lookouts):
            # from now on: the next writer may just have emptied it, and the system is about to say so
            self.settler.feed(Hint(Kind.EMPTY, path, time.monotonic()))
        self._readings[path] = reading
        if reading is not None and reading.data is not None:
            self._unseen[path] = None

    @property
    def has_unseen(self) -> bool:
        """True if something that will be in a batch was read, and not shown to anybody yet."""
        return bool(self._unseen) and self.is_growing

    def show(self, look: Callable[[str, bytes], object], seconds: float) -> None:
        """Show what was read, each reading once, for so long: somebody may do ahead what does no harm if it is in vain."""
        end = time.monotonic() + seconds
        while self._unseen and time.monotonic() < end:
            path, _ = self._unseen.popitem()
            reading = self._readings.get(path)
            if reading is not None and reading.data is not None:
                look(path, reading.data)

    def feed_all(self, lookouts: Collection[Lookout], hint: Hint) -> None:
        """Take in a hint for each lookout that the path belongs to."""
        for lookout in _owners(hint.path, lookouts):
            self.feed(lookout, [hint])

    def gather(self, lookouts: Collection[Lookout], now: float) -> Batch | None:
        """Return the batch; None if nothing in it differs from what the tables say."""
        first = self.settler.first if self.settler.burst else now
        self._unseen.clear()
        files, texts = set(self._asked or ()), {}
        is_asked, self._asked = self._asked is not None, None
        for path, hint in self.settler.take(now).items():
            is_seen = (
                hint.kind is Kind.FOUND or hint.kind is Kind.GONE
            )  # by a look: nobody has to tell that it is other again
            if path not in self._readings or (is_seen and _moved_on(path, self._readings[path])):
                self._readings.pop(path, None)
                self.settler.feed(Hint(Kind.FOUND, path, now) if is_seen else hint)
                continue
            reading = self._readings.pop(path)
            is_changed = False
            for lookout in _owners(path, lookouts):
                is_changed |= lookout.enter(path, reading)
            if is_changed:
                files.add(path)
                if reading is not None and reading.data is not None:
                    texts[path] = reading.data
        folders = {path for lookout in lookouts for path in lookout.folders}
        for lookout in lookouts:
            lookout.folders.clear()
        return Batch(frozenset(files), frozenset(folders), texts, first) if files or folders or is_asked else None


def _owners(path: str, lookouts: Iterable[Lookout]) -> list[Lookout]:
    return [lookout for lookout in lookouts if lookout.owns(path)]


def _is_meant(path: str, lookouts: Iterable[Lookout]) -> bool:
    """Tell whether a file is empty on purpose: it was so before, or has a name for which that is usual."""
    for lookout in lookouts:
        known = lookout.table.get(path)
        if known is not None:
            return known.key[2] == 0
    return os.path.basename(path) == _MEANT_EMPTY


def _moved_on(path: str, reading: Reading | None) -> bool:
    """Tell whether a file, of which nobody says when it is complete, looks other than when it was read."""
    try:
        found = os.stat(path)
    except OSError:
        return reading is not None and reading.data is not None
    return stat.S_ISREG(found.st_mode) if reading is None else key_of(found) != reading.key
