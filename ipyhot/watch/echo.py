"""Tells a file that is written by its own loading from a file that is saved. Pure; one thread."""

from collections.abc import Iterable
from typing import Final

__all__ = ["Echo"]

PATIENCE: Final = 10
QUIET: Final = 1.0
_LATE: Final = 0.05  # seconds that an event may need to arrive


class Echo:
    """Counts, for each module, the times in a row that it changed while it was being loaded.

    A person who saves that fast is made to wait for a second of quiet once, and loses nothing. What goes on even then
    is a file that changes because it is loaded, and would go on for ever.
    """

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, float]] = {}
        self._rows: dict[str, int] = {}

    def hear(self, names: Iterable[str], first: float) -> None:
        """Take note of the modules of a batch before it is loaded, and of the time of its first event."""
        for name in names:
            began, ended = self._windows.get(name, (0.0, -1.0))
            self._rows[name] = self._rows.get(name, 0) + 1 if began <= first <= ended + _LATE else 0

    def loaded(self, names: Iterable[str], began: float, ended: float) -> None:
        """Take note of the time that a batch took to load."""
        self._windows = {name: window for name, window in self._windows.items() if window[1] + 2 * QUIET > began}
        self._windows.update(dict.fromkeys(names, (began, ended)))
        self._rows = {name: row for name, row in self._rows.items() if name in self._windows}

    def wait(self, names: Iterable[str]) -> float:
        """Return the seconds of quiet to wait for before a batch is loaded."""
        return QUIET if any(self._rows.get(name, 0) == PATIENCE for name in names) else 0.0

    def endless(self, names: Iterable[str]) -> frozenset[str]:
        """Return those modules that should not be loaded again."""
        return frozenset(name for name in names if self._rows.get(name, 0) > PATIENCE)
