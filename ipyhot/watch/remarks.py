"""What the user should know of how a folder is watched. Looks at the disk, changes nothing; belongs to one thread."""

import os
from collections.abc import Iterator
from typing import Final

from ipyhot.core.sources import Folder

__all__ = ["Remarks"]

_SHOWN: Final = 3  # names of files


class Remarks:
    """Collects what is to be told of a folder; ``troubles`` are why it has to be looked through, by kind."""

    def __init__(self, folder: Folder) -> None:
        self.troubles: dict[str, str] = {}
        self._folder = folder
        self._led_to: str | None = None  # where the link leads now that the folder was named by, if that is elsewhere
        self._misnamed: set[str] = set()

    def note(self, path: str) -> None:
        """Take note of a Python file that is no module of the folder, if the user may wonder why."""
        if self._folder.is_misnamed(path):
            self._misnamed.add(path)

    def look(self) -> None:
        """See what has changed on the disk of what was told."""
        self._misnamed = set(filter(os.path.exists, self._misnamed))
        led_to = self._folder.root if self._folder.link is None else os.path.realpath(self._folder.link)
        self._led_to = led_to if led_to != self._folder.root else None

    def lines(self, *, is_gone: bool, asked: float | None, interval: float) -> Iterator[str]:
        """Yield what is to be told now, a sentence or two each.

        Args:
            is_gone: the folder is not there.
            asked: how often the user has asked to look through it, in seconds; None if not.
            interval: how often that is done, in seconds.
        """
        root = self._folder.root
        if is_gone:
            yield f"{root} is gone. What was live stays live, and is followed again when the folder is back."
            return
        if self._led_to is not None:
            yield (
                f"{self._folder.link} leads to {self._led_to} now; what is live, and followed, is still {root}. "
                f"%hotwatch --stop, and watching it again, changes over."
            )
        if self._misnamed:
            names = ", ".join(os.path.relpath(path, root) for path in sorted(self._misnamed)[:_SHOWN])
            more = f" and {len(self._misnamed) - _SHOWN} more" if len(self._misnamed) > _SHOWN else ""
            yield f"{names}{more}: no import can name a file with a dot in its name, so it is no handler. Rename it."
        if asked is not None:
            yield f"{root} is looked through every {asked:g} s, as was asked for."
        elif self.troubles:
            yield f"{root} is looked through every {interval:.2g} s: {'; '.join(self.troubles.values())}."
