"""Which file is being loaded just now, and how it is cancelled.

The thread that builds says what it loads; any other thread may look, and cancel.
"""

import ctypes
import threading
import time
from dataclasses import dataclass

from ipyhot.core.errors import Cancelled

__all__ = ["Loading", "Progress"]


@dataclass(frozen=True, slots=True)
class Loading:
    """The file that is being executed just now, and since when (monotonic seconds)."""

    name: str
    since: float
    thread: int


class Progress:
    """How far a transaction has come."""

    def __init__(self) -> None:
        self.loading: Loading | None = None
        self._lock = threading.Lock()  # a leaf: no user code runs under it
        self._is_cancelling = False

    def move_to(self, name: str | None) -> None:
        """Say which file this thread is loading from now on, if any."""
        self.loading = None if name is None else Loading(name, time.monotonic(), threading.get_ident())

    def cancel(self) -> str | None:
        """Raise ``Cancelled`` in the file that is being loaded; return its name, or None if there is none."""
        with self._lock:
            loading = self.loading
            if loading is None:
                return None
            self._is_cancelling = True
            # Never with NULL, to take it back: CPython 3.11 would then look for signals before each instruction, for ever.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(loading.thread), ctypes.py_object(Cancelled))
            return loading.name

    def end(self) -> None:
        """Say that the last file is loaded, and take delivery of a cancellation that came when it just was."""
        with self._lock:
            self.loading = None
            is_due, self._is_cancelling = self._is_cancelling, False
        try:
            for _ in range(100 * is_due):  # it is raised at a jump back, unless the file has caught it itself
                pass
        except Cancelled:
            return

    def after_fork(self) -> None:
        """Forget what a thread of the parent was doing: here is none to release its lock."""
        self._lock = threading.Lock()
        self.loading = None
