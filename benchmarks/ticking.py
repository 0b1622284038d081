"""A busy thread that notices when it does not get to run."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LEAST = 0.00002  # seconds; shorter gaps are the loop itself


class Ticker:
    """Ticks as fast as Python can, and keeps the gaps between its ticks."""

    def __init__(self) -> None:
        self._gaps: list[tuple[float, float]] = []
        self._is_running = True
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def _tick(self) -> None:
        last = time.perf_counter()
        while self._is_running:
            now = time.perf_counter()
            if now - last > _LEAST:
                self._gaps.append((last, now))
            last = now

    def longest(self, began: float, ended: float) -> float:
        """Return the longest gap in seconds that overlaps a span of time."""
        return max((now - last for last, now in self._gaps if last < ended and now > began), default=0.0)


@contextmanager
def ticking(interval: float | None = None) -> Iterator[Ticker]:
    """Yield a ticker that runs meanwhile, with the interpreter's switch interval set to some seconds."""
    ticker, before = Ticker(), sys.getswitchinterval()
    sys.setswitchinterval(before if interval is None else interval)
    ticker._thread.start()
    try:
        yield ticker
    finally:
        ticker._is_running = False
        ticker._thread.join()
        sys.setswitchinterval(before)
