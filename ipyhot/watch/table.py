"""What each watched file holds: the truth that hints are held against. Belongs to one thread."""

import os
import stat
from dataclasses import dataclass
from typing import Final

from ipyhot.core.sources import digest

__all__ = ["UNREADABLE", "Entry", "Key", "Reading", "RestlessError", "key_of", "read"]

Key = tuple[int, int, int, int, int]
UNREADABLE: Final = "unreadable"
_NO_KEY: Final = (0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file looked like, and what it held if that was ever read."""

    key: Key
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held at one moment; no data if it is there and cannot be read."""

    key: Key
    data: bytes | None
    digest: str


class RestlessError(Exception):
    """A file changed while it was read."""


def key_of(found: os.stat_result) -> Key:
    """Return what is different after any change. Times tell that something changed, never that nothing did."""
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)


def read(path: str) -> Reading | None:
    """Return what a file holds now; None if there is no file.

    Raises:
        RestlessError: somebody wrote it meanwhile.
    """
    try:
        # without waiting, or a pipe of that name would hold us for ever
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return _unreadable(path)
    try:
        before = os.fstat(file)
        if not stat.S_ISREG(before.st_mode):
            return None
        data = _bytes(file, before.st_size)
        after = os.fstat(file)
    except OSError:
        return _unreadable(path)
    finally:
        os.close(file)
    if key_of(before) != key_of(after) or len(data) != after.st_size:
        raise RestlessError(path)
    return Reading(key_of(after), data, digest(data))


def _bytes(file: int, size: int) -> bytes:
    data = os.read(file, size + 1)
    while 0 < len(data) <= size:  # on a regular file the first call gives all; each call less is a turn less at the GIL
        more = os.read(file, size + 1 - len(data))
        if not more:
            break
        data += more
    return data


def _unreadable(path: str) -> Reading | None:
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return Reading(_NO_KEY, None, UNREADABLE)
    return Reading(key_of(found), None, UNREADABLE) if stat.S_ISREG(found.st_mode) else None
