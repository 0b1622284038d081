"""One look at many files: each folder that much is asked about is listed once, and trusted once. One thread; not kept."""

import collections
import os
from typing import Final

__all__ = ["Glance"]

_FIRST: Final = 4  # questions about what is in one folder, after which it may be listed
_WORTH: Final = 16  # entries that are listed for each question, at most: a folder may hold very many others


class Glance:
    """Answers what ``os.path`` does, as of the first time it was asked about a folder.

    ``sound`` is for who looks whether folders are to be trusted: those that are.
    """

    def __init__(self) -> None:
        self.sound: set[str] = set()
        self._asked: collections.Counter[str] = collections.Counter()
        self._listed: dict[str, dict[str, os.DirEntry[str]]] = {}

    def is_folder(self, path: str) -> bool:
        """Tell whether there is a folder at a path, or a link to one."""
        listed, entry = self._entry(path)
        return (entry is not None and _is_folder(entry)) if listed else os.path.isdir(path)

    def is_file(self, path: str) -> bool:
        """Tell whether there is a regular file at a path, or a link to one."""
        listed, entry = self._entry(path)
        return (entry is not None and _is_file(entry)) if listed else os.path.isfile(path)

    def is_link(self, path: str) -> bool:
        """Tell whether there is a link at a path."""
        listed, entry = self._entry(path)
        return (entry is not None and entry.is_symlink()) if listed else os.path.islink(path)

    def _entry(self, path: str) -> tuple[bool, os.DirEntry[str] | None]:
        """Return whether a path's folder was listed, and what stands in it at the path."""
        folder, _, name = path.rpartition(os.sep)
        listed = self._listed.get(folder)
        if listed is None:
            asked = self._asked[folder] = self._asked[folder] + 1
            if asked < _FIRST or asked & (asked - 1):  # it is tried again when twice as much was asked
                return False, None
            listed = _listing(folder, asked * _WORTH)
            if listed is None:
                return False, None
            self._listed[folder] = listed
        return True, listed.get(name)


def _listing(folder: str, most: int) -> dict[str, os.DirEntry[str]] | None:
    """Return what is in a folder by name; None if it cannot be listed, or holds more."""
    found: dict[str, os.DirEntry[str]] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found[entry.name] = entry
                if len(found) > most:
                    return None
    except OSError:  # it is gone, or may not be read: each question is asked by itself then
        return None
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round in a circle, or out of reach
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # likewise
        return False
