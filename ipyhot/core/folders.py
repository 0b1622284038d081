"""The watched folders, and which of them a module belongs to. Changed under the engine's lock, read by any thread."""

import os
import sys

from ipyhot.core.errors import FolderError
from ipyhot.core.imports import WatchedSpec
from ipyhot.core.model import Source
from ipyhot.core.sources import Folder

__all__ = ["Folders", "read"]


class Folders:
    """All watched folders of one process; ``watched`` is replaced as a whole, never changed."""

    def __init__(self) -> None:
        self.watched: tuple[Folder, ...] = ()

    def refuse_clash(self, folder: Folder) -> None:
        """Make sure that a folder may be watched beside the others.

        Raises:
            FolderError: a watched folder gives the same module names.
        """
        for other in self.watched:
            if other.package == folder.package and other.root != folder.root:
                raise FolderError(f"{folder.root}: modules of {other.root}, which is watched, have the same names.")

    def add(self, folder: Folder) -> None:
        """Watch a folder, again if it is watched already."""
        _forget_elsewhere(folder)
        self.watched = (*(other for other in self.watched if other.root != folder.root), folder)

    def remove(self, folder: Folder) -> None:
        """Watch a folder no more."""
        self.watched = tuple(other for other in self.watched if other.root != folder.root)

    def clear(self) -> None:
        """Watch nothing."""
        self.watched = ()

    def of(self, name: str) -> Folder | None:
        """Return the watched folder that a module name belongs to."""
        watched = self.watched
        if len(watched) == 1:
            return watched[0] if watched[0].holds(name) else None
        fitting = [folder for folder in watched if folder.holds(name)]
        return max(fitting, key=lambda folder: len(folder.package)) if len(fitting) > 1 else next(iter(fitting), None)

    def holds(self, name: str) -> bool:
        """Tell whether a module name belongs to a watched folder."""
        return self.of(name) is not None

    def is_package(self, name: str) -> bool:
        """Tell whether a module of a name is there, and may have modules of its own."""
        folder = self.of(name)
        found = folder.locate(name) if folder is not None else None
        return found is not None and found[1]

    def is_newest(self, source: Source) -> bool:
        """Tell whether a source is what its watched file holds, as far as that can be read."""
        folder = self.of(source.name)
        now = None if folder is None else read(folder, source.name)
        return folder is not None and (now is None or now.digest == source.digest)


def read(folder: Folder, name: str) -> Source | None:
    """Return the source of a module; None if there is none that can be read."""
    try:
        return folder.read(name)
    except OSError:  # unreadable for now: whoever needs its text meets the error there
        return None


def _forget_elsewhere(folder: Folder) -> None:
    """Take modules of a folder of the same name, which is no longer watched, out of ``sys.modules``."""
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None) if folder.package and folder.parts_of(name) is not None else None
        if isinstance(spec, WatchedSpec):
            places = [spec.origin] if spec.origin else spec.submodule_search_locations or []
            if not any(place == folder.root or place.startswith(folder.root + os.sep) for place in places):
                del sys.modules[name]
