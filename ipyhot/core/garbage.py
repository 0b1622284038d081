"""How often Python looks through the whole heap for garbage, while much is made that stays. Any thread may call this."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["RESPITE", "seldom_sought"]

_RARER: Final = 50
_MOST: Final = 2**31 - 1  # what a C int holds


class _Respite:
    """Lets full collections come fifty times more seldom while somebody wants that; what dies young is collected as ever.

    Loading ten thousand files makes half a million objects that stay, and Python would go through all of them a dozen
    times. The collector is not turned off: files may run for long, and make garbage. Thresholds that others set stay.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._wanted = 0
        self._before = self._rarer = gc.get_threshold()

    def begin(self) -> None:
        """Want it from now on."""
        with self._lock:
            self._wanted += 1
            if self._wanted == 1:
                self._before = gc.get_threshold()
                self._rarer = (*self._before[:2], min(self._before[2] * _RARER, _MOST))
                gc.set_threshold(*self._rarer)

    def end(self) -> None:
        """Want it no more; each beginning has one end."""
        with self._lock:
            self._wanted -= 1
            if self._wanted == 0 and gc.get_threshold() == self._rarer:
                gc.set_threshold(*self._before)


RESPITE: Final = _Respite()  # thresholds are the process's


@contextmanager
def seldom_sought() -> Iterator[None]:
    """Want a respite inside the block."""
    RESPITE.begin()
    try:
        yield
    finally:
        RESPITE.end()
