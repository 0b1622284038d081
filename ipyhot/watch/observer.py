"""Other systems than Linux: watchdog's observer, whose threads put events behind a door.

It may die or go deaf; whoever reads it compares with the disk now and then, and replaces it.
"""

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from ipyhot.watch.source import DeafError, Event, What

__all__ = ["Observed"]

_log = logging.getLogger(__name__)
logging.getLogger("watchdog").addHandler(logging.NullHandler())  # or its warnings land in a cell's output

# Without those of opening and reading: every import would be one, and above some 4,000 folders watchdog 7.1 then
# overflows for ever on Linux.
_WANTED = [
    events.FileModifiedEvent,
    events.FileClosedEvent,
    events.FileMovedEvent,
    events.FileCreatedEvent,
    events.FileDeletedEvent,
    events.DirMovedEvent,
    events.DirCreatedEvent,
    events.DirDeletedEvent,
]


class Observed:
    """A folder and all below it, as watchdog sees it.

    Args:
        root: the folder.
        wake: is called from watchdog's threads when an event waits.

    Raises:
        OSError: the system refuses.
    """

    tells_closing = sys.platform == "linux"

    def __init__(self, root: str, wake: Callable[[], object]) -> None:
        self._door = _Door(wake)
        self._root = root
        self._observer: BaseObserver = Observer()
        try:
            self._observer.schedule(self._door, root, recursive=True, event_filter=_WANTED)
            for thread in (self._observer, *self._observer.emitters):
                _calm(thread)
            self._observer.start()
        except BaseException:
            self.close()
            raise

    def arm(self, path: str) -> bool:
        """See ``Source.arm``; all below the folder is listened to from the start."""
        return path != self._root

    def disarm(self, path: str) -> None:
        """See ``Source.disarm``."""

    def _is_alive(self) -> bool:
        reader = getattr(self._observer, "_inotify_fd", self._observer)  # on Linux its death is seen nowhere else
        return self._observer.is_alive() and reader.is_alive() and all(e.is_alive() for e in self._observer.emitters)

    def events(self) -> list[Event]:
        """See ``Source.events``."""
        found = []
        while self._door.events:
            found.append(self._door.events.popleft())
        if not found and not self._is_alive():
            raise DeafError("watchdog's thread has died")
        return found

    def fileno(self) -> int | None:
        """See ``Source.fileno``."""
        return None

    def close(self) -> None:
        """See ``Source.close``: an emitter may sleep for half a second before it ends, so a thread waits for it."""
        if self._observer.is_alive():
            threading.Thread(target=self._observer.stop, name="ipyhot reaper", daemon=True).start()


def _calm(thread: threading.Thread) -> None:
    """Let a thread of watchdog end in silence: its traceback would land in a cell's output. It is missed soon."""
    run = thread.run

    def quietly() -> None:
        try:
            run()
        except Exception:  # noqa: BLE001 - whatever it is, the thread is dead and will be replaced
            _log.debug("a thread of watchdog has died", exc_info=True)

    thread.run = quietly  # type: ignore[method-assign]  # of this thread alone
    # debugpy stops every thread at a breakpoint but those that bear these flags; saves go live meanwhile.
    thread.pydev_do_not_trace = thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]  # debugpy's


class _Door(events.FileSystemEventHandler):
    """Keeps what watchdog says. Never raises: watchdog's thread would die of it."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self.events: deque[Event] = deque()
        self._wake = wake

    def dispatch(self, event: events.FileSystemEvent) -> None:
        self.events.extend(_meaning(event))
        self._wake()


def _meaning(event: events.FileSystemEvent) -> list[Event]:
    source, target = str(event.src_path), str(event.dest_path)
    if event.is_directory:
        return [Event(What.FOLDER, path) for path in (source, target) if path]
    if isinstance(event, events.FileMovedEvent):
        return [Event(What.GONE, source)] * bool(source) + [Event(What.MOVED, target)] * bool(target)
    if isinstance(event, events.FileDeletedEvent):
        return [Event(What.GONE, source)]
    if isinstance(event, events.FileCreatedEvent):
        return [Event(What.CREATED, source)]
    return [Event(What.CLOSED if isinstance(event, events.FileClosedEvent) else What.WRITTEN, source)]
