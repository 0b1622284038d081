"""What a source of hints says: records that the readers of inotify, of watchdog and of nothing at all have in common."""

import enum
from collections.abc import Iterable
from typing import NamedTuple, Protocol

__all__ = ["DeafError", "Event", "Silence", "Source", "What"]


class What(enum.IntEnum):
    """What happened to a path. Numbers, because one is looked up for each event, and hashing other enums is slow."""

    CREATED = enum.auto()
    WRITTEN = enum.auto()
    CLOSED = enum.auto()  # by a writer: the content is complete
    MOVED = enum.auto()  # to this path: the content is complete, and it may be a link
    GONE = enum.auto()
    TOUCHED = enum.auto()  # its owner, mode, times or number of names
    FOLDER = enum.auto()  # a folder came, went, or is another one now
    LOST = enum.auto()  # events were lost; anything may have happened


class Event(NamedTuple):
    """One event; a tuple, because there may be ten thousand a second."""

    what: What
    path: str


class DeafError(Exception):
    """A source will never say anything again."""


class Source(Protocol):
    """Says what may have changed. For one thread at a time."""

    @property
    def tells_closing(self) -> bool:
        """True if it says when a writer closes a file."""

    def arm(self, path: str) -> bool:
        """Listen to a folder, or to a single file; tell whether it was not listened to before.

        Raises:
            OSError: the system refuses.
        """

    def disarm(self, path: str) -> None:
        """Listen no more to a folder and all below it."""

    def events(self) -> Iterable[Event]:
        """Return what has come, without waiting; to be gone through at once.

        Raises:
            DeafError: nothing will ever come again.
        """

    def fileno(self) -> int | None:
        """Return a descriptor that is readable when events wait; None if ``wake`` is called then."""

    def close(self) -> None:
        """Let go of what the system gave, without waiting for a thread."""


class Silence:
    """A source that never says anything: for folders that have to be looked through instead."""

    tells_closing = False

    def arm(self, path: str) -> bool:
        """See ``Source.arm``."""
        return False

    def disarm(self, path: str) -> None:
        """See ``Source.disarm``."""

    def events(self) -> list[Event]:
        """See ``Source.events``."""
        return []

    def fileno(self) -> int | None:
        """See ``Source.fileno``."""
        return None

    def close(self) -> None:
        """See ``Source.close``."""
