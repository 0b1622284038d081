"""What each watched file holds: the truth that hints are held against. Belongs to one thread."""

import os
import stat
from collections.abc import Callable
from typing import Final, NamedTuple

from ipyhot.core.sources import READING, contents, digest

__all__ = ["UNREADABLE", "UNTRUSTED", "Entry", "Key", "Reading", "RestlessError", "key_of", "read"]

Key = tuple[int, int, int, int, int]
UNREADABLE: Final = "unreadable"  # in place of a digest
UNTRUSTED: Final = "untrusted"
_NO_KEY: Final = (0, 0, 0, 0, 0)


class Entry(NamedTuple):
    """What a file looked like, and what it held if that was ever read."""

    key: Key
    digest: str | None = None


class Reading(NamedTuple):
    """What a file held at one moment; no data if it is there and cannot, or must not, be read."""

    key: Key
    data: bytes | None
    digest: str


class RestlessError(Exception):
    """A file changed while it was read."""


def key_of(found: os.stat_result) -> Key:
    """Return what is different after any change. Times tell that something changed, never that nothing did."""
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)


def read(path: str, doubt: Callable[[str, os.stat_result], object] = lambda *_: None) -> Reading | None:
    """Return what a file holds now; None if there is no file.

    It counts only if nothing is heard of the file, or if it looks the same, after that.

    Args:
        path: the file.
        doubt: is asked why a file is not to be trusted.

    Raises:
        RestlessError: somebody wrote it meanwhile.
    """
    try:
        file = os.open(path, READING)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return _unreadable(path)
    try:
        found = os.fstat(file)  # before reading: if anything changes after this, the file looks other than it was read
        if not stat.S_ISREG(found.st_mode):
            return None
        if doubt(path, found):
            return Reading(key_of(found), None, UNTRUSTED)
        data = contents(file, found.st_size)
    except OSError:
        return _unreadable(path)
    finally:
        os.close(file)
    if len(data) != found.st_size:
        raise RestlessError(path)
    return Reading(key_of(found), data, digest(data))


def _unreadable(path: str) -> Reading | None:
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return Reading(_NO_KEY, None, UNREADABLE)
    return Reading(key_of(found), None, UNREADABLE) if stat.S_ISREG(found.st_mode) else None
