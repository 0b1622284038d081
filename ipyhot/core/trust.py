"""Who else may write what is about to be executed. Looks at the disk, changes nothing.

A file is trusted if it, its folder, and all folders up to the watched one belong to this user or to root, and not
everybody may write them. A link is trusted if what it leads to is. On Windows nothing is checked.
"""

import os
import stat
from collections.abc import Iterator
from typing import Final

from ipyhot.core.glance import Glance

__all__ = ["IS_CHECKED", "doubt", "doubt_of"]

IS_CHECKED: Final = hasattr(os, "geteuid")


def doubt(path: str, root: str, found: os.stat_result, glance: Glance | None = None) -> str | None:
    """Return why a file is not trusted, in words that name what is to be mended; None if it is.

    Args:
        path: the file.
        root: the watched folder it lies in.
        found: what it is, links followed.
        glance: the look at many files of that folder that this is part of, if it is.
    """
    if not IS_CHECKED:
        return None
    reason = doubt_of(found)
    if reason is not None:
        return f"{os.path.realpath(path)} {reason}"
    holder = os.path.dirname(path)
    if glance is not None and holder in glance.sound and not glance.is_link(path):
        return None
    for folder in dict.fromkeys(_folders(path, root)):
        reason = doubt_of(os.stat(folder))
        if reason is not None:
            return f"{folder} {reason}"
    if glance is not None:
        glance.sound.add(holder)
    return None


def doubt_of(found: os.stat_result) -> str | None:
    """Return why one file or folder is not trusted by itself; None if it is."""
    if not IS_CHECKED:
        return None
    if found.st_uid not in {os.geteuid(), 0}:
        return f"belongs to another user (number {found.st_uid})"
    return "may be written by everybody" if found.st_mode & stat.S_IWOTH else None


def _folders(path: str, root: str) -> Iterator[str]:
    """Yield the folders from a file up to the watched one, and for each link the folder that its end lies in."""
    at = path
    while len(at) > len(root):
        if os.path.islink(at):
            yield os.path.dirname(os.path.realpath(at))
        at = os.path.dirname(at)
        yield at
