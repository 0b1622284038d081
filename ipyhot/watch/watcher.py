"""The building thread: waits for hints, lets a burst settle, and hands over one batch at a time."""

import threading
import time
from collections.abc import Callable

from watchdog.observers.api import BaseObserver

from ipyhot.watch.observer import Hints, observe
from ipyhot.watch.settle import Batch, Hint, Kind, Settler

__all__ = ["Watcher"]


class Watcher:
    """Watches some folders in a thread of its own.

    Args:
        on_batch: called with each batch, in that thread. What it raises ends the thread, so it must not raise.
        is_relevant: whether an event of a file means anything.
    """

    def __init__(self, on_batch: Callable[[Batch], None], is_relevant: Callable[[str], bool]) -> None:
        self._on_batch = on_batch
        self._hints = Hints(is_relevant)
        self._observer: BaseObserver | None = None
        self._thread = threading.Thread(target=self._work, name="ipyhot builder", daemon=True)
        _exempt_from_breakpoints(self._thread)

    @property
    def thread(self) -> threading.Thread:
        """The building thread."""
        return self._thread

    def watch(self, roots: list[str]) -> None:
        """Watch just these folders from now on; the first call starts the thread.

        Raises:
            OSError: the system refuses the watch; what was watched before still is.
        """
        fresh = observe(self._hints, roots) if roots else None
        old, self._observer = self._observer, fresh
        _stop(old)
        for thread in threading.enumerate():
            if type(thread).__module__.startswith("watchdog."):
                _exempt_from_breakpoints(thread)
        if not self._thread.is_alive():
            self._thread.start()

    def look_at(self, paths: list[str]) -> None:
        """Let the building thread look at some files, although no event came."""
        now = time.monotonic()
        self._hints.put([Hint(Kind.DONE, path, now) for path in paths])

    def settle(self, quiet: float) -> Batch:
        """Wait in the building thread until no event came for some seconds; return what came meanwhile."""
        settler = Settler()
        while self._hints.is_open and (hints := self._hints.wait(quiet)):
            for hint in hints:
                settler.feed(hint)
        return settler.take(time.monotonic())

    def abandon(self) -> None:
        """Let go of the observer without stopping it: in a forked child it is the parent's."""
        self._observer = None

    def stop(self) -> None:
        """Stop watching and end the thread. A file that is being loaded in it is not waited for."""
        self._hints.close()
        _stop(self._observer)
        self._observer = None
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    def _work(self) -> None:
        settler = Settler()
        while self._hints.is_open:
            deadline = settler.deadline()
            timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
            hints = self._hints.wait(timeout)
            for hint in hints:
                settler.feed(hint)
            deadline = settler.deadline()
            now = time.monotonic()
            if deadline is not None and deadline <= now:
                self._on_batch(settler.take(now))


def _stop(observer: BaseObserver | None) -> None:
    if observer is not None:
        observer.stop()
        observer.join(timeout=1.0)  # it ends in some 10 ms; its threads are daemons, should one hang


def _exempt_from_breakpoints(thread: threading.Thread) -> None:
    # debugpy stops every thread at a breakpoint but those that bear these flags; saves go live meanwhile.
    thread.pydev_do_not_trace = thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]
