"""Whether git is at work in a folder: it holds a lock for as long as it writes files. Looks, and never touches."""

import os
from typing import Final

__all__ = ["Repository", "repository_of"]

_OLDEST: Final = 10.0  # seconds; an older lock was left behind


class Repository:
    """The git folder that a watched folder belongs to."""

    def __init__(self, git: str) -> None:
        self._lock = os.path.join(git, "index.lock")
        self._steps = [os.path.join(git, name) for name in ("rebase-merge", "rebase-apply", "sequencer")]
        self._held: tuple[int, float] | None = None  # the lock that is waited for, and since when

    def is_locked(self, changed: float, now: float) -> bool:
        """Tell whether git was at work when some files were changed, and still is.

        A lock that is younger than the changes means something else: editors ask for the status after a save.

        Args:
            changed: when the last of the files was changed, by its status time; seconds since the epoch.
            now: the time now.
        """
        try:
            found = os.stat(self._lock)
        except OSError:  # nobody holds it
            self._held = None
            return False
        if self._held is not None and self._held[0] == found.st_ino:
            return now - self._held[1] < _OLDEST  # git writes into it at its end, which makes it look younger
        is_held = found.st_mtime <= changed and now - found.st_mtime < _OLDEST
        self._held = (found.st_ino, now) if is_held else None
        return is_held

    @property
    def has_steps(self) -> bool:
        """True while git may release the lock and take it again, commit after commit."""
        return any(map(os.path.exists, self._steps))


def repository_of(folder: str) -> Repository | None:
    """Return the repository that a folder lies in."""
    while True:
        at = os.path.join(folder, ".git")
        if os.path.isdir(at):
            return Repository(at)
        if os.path.isfile(at):  # a linked worktree, or a submodule
            git = _led_to(at)
            return None if git is None else Repository(os.path.join(folder, git))
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _led_to(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            word, _, git = file.readline().partition(":")
    except OSError:  # unreadable: then git could not use it either
        return None
    return git.strip() if word == "gitdir" else None
