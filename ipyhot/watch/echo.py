"""Tells a file that is written by its own loading from a file that is saved. Pure; one thread."""

from typing import Final

__all__ = ["Echo"]

PATIENCE: Final = 10
QUIET: Final = 1.0
LIMIT: Final = 13


class Echo:
    """Counts batches in a row that arrived while the batch before them was being loaded, for the same modules.

    A person who saves that fast is made to wait for a second of quiet and loses nothing. What goes on even then is a
    file that changes because it is loaded, and would go on for ever.
    """

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()
        self._window = (0.0, -1.0)
        self._row = 0

    def hear(self, names: frozenset[str], first: float) -> None:
        """Take note of a batch before it is loaded."""
        began, ended = self._window
        is_echo = bool(names) and names <= self._names and began <= first <= ended
        self._row = self._row + 1 if is_echo else 0

    def loaded(self, names: frozenset[str], began: float, ended: float) -> None:
        """Take note of the time a batch took to load."""
        self._names, self._window = names, (began, ended)

    @property
    def wait(self) -> float:
        """Seconds of quiet to wait for before this batch is loaded."""
        return QUIET if self._row >= PATIENCE else 0.0

    @property
    def is_endless(self) -> bool:
        """True when this batch should not be loaded at all."""
        return self._row >= LIMIT
