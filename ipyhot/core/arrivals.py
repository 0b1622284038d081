"""Modules that are imported outside of a transaction, or were before their folder was watched.

Whichever thread imports one leaves a note and never waits; the notes are taken up under the engine's lock.
"""

import collections
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass

from ipyhot.core import edges
from ipyhot.core.folders import Folders, read
from ipyhot.core.imports import WatchedSpec
from ipyhot.core.ledger import Ledger
from ipyhot.core.model import Source, Version
from ipyhot.core.replacement import Replacement
from ipyhot.core.sources import Folder
from ipyhot.core.staged import OWN_NAMES

__all__ = ["Arrivals"]


@dataclass(frozen=True, slots=True)
class _Arrival:
    source: Source
    loader: object
    dependencies: frozenset[str]
    generation: int
    turn: int


class Arrivals:
    """The notes that wait, and the modules that were outdated by the time they were taken up."""

    def __init__(self, folders: Folders, ledger: Ledger) -> None:
        self.stale: set[str] = set()
        self._folders = folders
        self._ledger = ledger
        self._waiting: collections.deque[_Arrival] = collections.deque()

    @property
    def are_waiting(self) -> bool:
        """True if somebody left a note that was not taken up yet."""
        return bool(self._waiting)

    def note(self, source: Source, loader: object, dependencies: frozenset[str], generation: int) -> None:
        """Leave word that a module was imported while a generation was live."""
        self._waiting.append(_Arrival(source, loader, dependencies, generation, next(self._ledger.turns)))

    def adopt(self, folder: Folder, generation: int) -> None:
        """Leave word of the modules of a folder that were imported while nobody watched; they become hot as they are."""
        coming = {arrival.source.name for arrival in self._waiting}
        foreign = {name: m for name, m in list(sys.modules.items()) if folder.holds(name) and self._is_foreign(name, m)}
        for name in folder.scan() if foreign else ():
            if name in foreign and name not in coming:
                self._adopt(folder, name, foreign[name], generation)

    def _is_foreign(self, name: str, module: object) -> bool:
        """Tell whether a module was imported and is not followed, or no more, without running code of it."""
        if name in self._ledger.live or not issubclass(type(module), types.ModuleType):
            return False
        spec = object.__getattribute__(module, "__dict__").get("__spec__")
        return not (isinstance(spec, WatchedSpec) and spec._initializing)  # noqa: SLF001 - see WatchedSpec

    def _adopt(self, folder: Folder, name: str, module: types.ModuleType, generation: int) -> None:
        source = read(folder, name)
        if source is None or source.path is None:
            return
        before = self._ledger.left.get(name)
        was_followed = isinstance(module.__spec__, WatchedSpec)
        if was_followed and (before is None or before.source.digest != source.digest):
            self.stale.add(name)  # the file may have changed while nobody looked
        spec = WatchedSpec(name, getattr(module, "__loader__", None), origin=source.path, is_package=source.is_package)
        spec.submodule_search_locations = getattr(module.__spec__, "submodule_search_locations", None)
        module.__spec__ = spec
        try:
            imported = frozenset(edges.shown(source))
        except (SyntaxError, ValueError):  # broken since it was imported: the next look at it says so
            imported = frozenset()
        self.note(source, None, imported, generation)

    def take(self, generation: int) -> Iterator[Replacement]:
        """Enter what has arrived as live in a generation, one after the other; yield each for those who take part."""
        while self._waiting:
            arrival = self._waiting.popleft()
            source = arrival.source
            folder = self._folders.of(source.name)
            module: object = sys.modules.get(source.name)
            if folder is None or module is None or source.name in self._ledger.live:
                continue
            namespace = getattr(module, "__dict__", {})
            names = frozenset(namespace) - OWN_NAMES
            loader = arrival.loader if isinstance(module, types.ModuleType) else None
            version = Version(source, generation, arrival.dependencies, names)
            self._ledger.arrive(version, loader, arrival.turn)
            yield Replacement(source.name, None, {}, module, namespace)
            if self._is_outdated(arrival, folder):
                self.stale.add(source.name)

    def take_stale(self) -> set[str]:
        """Return the modules that were outdated when they arrived, and are looked at again; they are told once."""
        found, self.stale = self.stale, set()
        return found

    def _is_outdated(self, arrival: _Arrival, folder: Folder) -> bool:
        """Tell whether the file, or what it imported, became new while it was being imported."""
        now = read(folder, arrival.source.name)
        live = self._ledger.live
        return (now is not None and now.digest != arrival.source.digest) or any(
            live[name].generation > arrival.generation for name in arrival.dependencies if name in live
        )
