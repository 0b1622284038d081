"""watchdog, asked for hints only. Its threads call ``Hints``, which keeps them and wakes the one who waits."""

import collections
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from watchdog import events
from watchdog.observers.api import BaseObserver

from ipyhot.watch.settle import Hint, Kind

__all__ = ["Hints", "observe"]

# Opened and closed-unwritten events are left out: every read of ours would be one, and above some 4,000 folders
# watchdog 7.1 then overflows its own queue for ever.
_FILTER: Final = [
    events.FileClosedEvent,
    events.FileMovedEvent,
    events.FileCreatedEvent,
    events.FileDeletedEvent,
    events.DirMovedEvent,
    events.DirCreatedEvent,
    events.DirDeletedEvent,
]
_PAIRING: Final = 0.01  # seconds that watchdog waits for the other half of a move; 0.5 by default


class Hints(events.FileSystemEventHandler):
    """The door between watchdog's threads and the building thread."""

    def __init__(self, is_relevant: Callable[[str], bool]) -> None:
        self._is_relevant = is_relevant
        self._hints: collections.deque[Hint] = collections.deque()
        self._changed = threading.Condition()
        self._is_open = True

    def dispatch(self, event: events.FileSystemEvent) -> None:
        """Keep what an event says. Never raises: watchdog's thread would die of it."""
        at = time.monotonic()
        found = [Hint(kind, path, at) for kind, path in _meaning(event) if kind is Kind.FOLDER or self._is_relevant(path)]
        if found:
            self.put(found)

    def put(self, hints: list[Hint]) -> None:
        """Keep hints of one's own."""
        with self._changed:
            self._hints.extend(hints)
            self._changed.notify()

    def wait(self, timeout: float | None) -> list[Hint]:
        """Return the hints that came, as soon as there are some; after the timeout, or when closed, none."""
        with self._changed:
            if not self._hints and self._is_open:
                self._changed.wait(timeout)
            found = list(self._hints)
            self._hints.clear()
            return found

    @property
    def is_open(self) -> bool:
        """False once nobody should wait any more."""
        return self._is_open

    def close(self) -> None:
        """Let the one who waits go."""
        with self._changed:
            self._is_open = False
            self._changed.notify()


def _meaning(event: events.FileSystemEvent) -> list[tuple[Kind, str]]:
    source, target = str(event.src_path), str(event.dest_path)
    if event.is_directory:
        return [(Kind.FOLDER, path) for path in (source, target) if path]
    if isinstance(event, events.FileMovedEvent):
        return [*([(Kind.GONE, source)] if source else []), *([(Kind.DONE, target)] if target else [])]
    if isinstance(event, events.FileDeletedEvent):
        return [(Kind.GONE, source)]
    if isinstance(event, events.FileCreatedEvent):
        return [(Kind.DONE if event.is_synthetic else Kind.NEW, source)]
    return [(Kind.DONE, source)]


def observe(hints: Hints, roots: list[str]) -> BaseObserver:
    """Return a running observer of some folders, each watched with all that is below it.

    Raises:
        OSError: the system allows no more watches.
    """
    observer: BaseObserver = _observer()
    chosen = _FILTER if sys.platform == "linux" else [*_FILTER, events.FileModifiedEvent]
    try:
        for root in roots:
            observer.schedule(hints, root, recursive=True, event_filter=chosen)
        observer.start()
    except BaseException:
        observer.stop()
        raise
    return observer


def _observer() -> Any:
    if sys.platform != "linux":
        from watchdog.observers import Observer

        return Observer()
    from watchdog.observers.inotify import InotifyObserver
    from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

    InotifyMoveEventGrouper.delay = _PAIRING
    return InotifyObserver(generate_full_events=True)
