"""Tells a file that is written by its own loading from a file that is saved. Pure; one thread."""

from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["Echo"]

PATIENCE: Final = 10
QUIET: Final = 1.0
_TICK: Final = 0.005  # seconds that a file's time stamp may lie behind the clock


class Echo:
    """Counts, for each module, the times in a row that its file was written while it was being loaded.

    A person who happens to save just then, ten times in a row, waits for a second of quiet once and loses nothing.
    What goes on even then is a file that changes because it is loaded, and would go on for ever.
    """

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, float]] = {}
        self._rows: dict[str, int] = {}

    def hear(self, written: Mapping[str, float]) -> None:
        """Take note of a batch before it is loaded: when each module's file was written, in seconds since the epoch."""
        for name, at in written.items():
            began, ended = self._windows.get(name, (0.0, 0.0))
            self._rows[name] = self._rows.get(name, 0) + 1 if began - _TICK <= at <= ended else 0

    def loaded(self, names: Iterable[str], began: float, ended: float) -> None:
        """Take note of the time, in seconds since the epoch, that the files of a batch were executed."""
        self._windows = {name: window for name, window in self._windows.items() if window[1] + 2 * QUIET > began}
        self._windows.update(dict.fromkeys(names, (began, ended)))
        self._rows = {name: row for name, row in self._rows.items() if name in self._windows}

    def wait(self, names: Iterable[str]) -> float:
        """Return the seconds of quiet to wait for before a batch is loaded."""
        return QUIET if any(self._rows.get(name, 0) == PATIENCE for name in names) else 0.0

    def endless(self, names: Iterable[str]) -> frozenset[str]:
        """Return those modules that should not be loaded again."""
        return frozenset(name for name in names if self._rows.get(name, 0) > PATIENCE)
