"""watchdog, asked for hints only. Its threads call ``Hints``, which keeps them and wakes the one who waits."""

import contextlib
import queue
import sys
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
        self._hints: queue.SimpleQueue[Hint | None] = queue.SimpleQueue()  # in C: it wakes the other side soonest
        self._is_open = True

    def dispatch(self, event: events.FileSystemEvent) -> None:
        """Keep what an event says. Never raises: watchdog's thread would die of it."""
        at = time.monotonic()
        for kind, path in _meaning(event):
            if kind is Kind.FOLDER or self._is_relevant(path):
                self._hints.put(Hint(kind, path, at))

    def put(self, hints: list[Hint]) -> None:
        """Keep hints of one's own; without any, only wake the one who waits."""
        for hint in hints:
            self._hints.put(hint)
        self._hints.put(None)

    def wait(self, timeout: float | None) -> list[Hint]:
        """Return the hints that came, as soon as there are some; after the timeout, or when woken, none."""
        found: list[Hint] = []
        with contextlib.suppress(queue.Empty):
            hint = self._hints.get(timeout=timeout)
            while True:
                if hint is not None:
                    found.append(hint)
                hint = self._hints.get_nowait()
        return found

    @property
    def is_open(self) -> bool:
        """False once nobody should wait any more."""
        return self._is_open

    def close(self) -> None:
        """Let the one who waits go."""
        self._is_open = False
        self._hints.put(None)


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
    observer: BaseObserver = _observer(hints)
    chosen = _FILTER if sys.platform == "linux" else [*_FILTER, events.FileModifiedEvent]
    try:
        for root in roots:
            observer.schedule(hints, root, recursive=True, event_filter=chosen)
        observer.start()
    except BaseException:
        observer.stop()
        raise
    return observer


def _observer(hints: Hints) -> Any:
    if sys.platform != "linux":
        from watchdog.observers import Observer

        return Observer()
    from watchdog.observers.inotify import InotifyFullEmitter, InotifyObserver
    from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

    InotifyMoveEventGrouper.delay = _PAIRING
    wanted = tuple(_FILTER)

    class Emitter(InotifyFullEmitter):  # type: ignore[misc,unused-ignore]  # untyped off Linux
        """Hands each event over at once, without the way through the observer's queue and thread."""

        def queue_event(self, event: events.FileSystemEvent) -> None:
            if isinstance(event, wanted):
                hints.dispatch(event)

    observer = InotifyObserver(generate_full_events=True)
    observer._emitter_class = Emitter  # noqa: SLF001 - it has no parameter for that
    return observer
