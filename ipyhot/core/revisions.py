"""What each change does to its text: the old outline, the new one, and what is different. Made ahead if there is time.

A burst of saves is waited for until it is over. Meanwhile what was read of it so far can be compiled and compared, which
is pure: nothing of it can be seen, and what turns out to be of another text is thrown away. One thread at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ipyhot.core.folders import Folders
from ipyhot.core.imports import Loader
from ipyhot.core.ledger import Ledger
from ipyhot.core.model import Change, Source
from ipyhot.core.plan import Revision
from ipyhot.core.sources import digest

__all__ = ["Revisions"]

_MOST: Final = 32 * 1024 * 1024  # bytes of texts that are compiled ahead


@dataclass(frozen=True, slots=True)
class _Ahead:
    loader: Loader
    revision: Revision


class Revisions:
    """The revisions of the changes that come next, as far as they are known."""

    def __init__(self, folders: Folders, ledger: Ledger) -> None:
        self._folders = folders
        self._ledger = ledger
        self._ahead: dict[str, _Ahead] = {}
        self._size = 0

    def prepare(self, name: str, path: str, data: bytes) -> None:
        """Compile and compare what a module's file was just found to hold; it may never go live."""
        self._drop(name)
        folder, live = self._folders.of(name), self._ledger.live.get(name)
        found = folder.locate(name) if folder is not None else None
        if folder is None or found is None or found[0] != path or self._size + len(data) > _MOST or not self._ledger.live:
            return
        source = Source(name, path, data, digest(data), found[1])
        is_idle = folder.load != "all" if live is None else source.digest == live.source.digest
        if is_idle:  # nobody imports it, or nothing changed
            return
        loader = Loader(source)
        if live is None:
            try:
                loader.compile()  # it keeps the code
            except (SyntaxError, ValueError, RecursionError, MemoryError):  # what it says is told when it is to go live
                return
        revision = self._made(name, loader)
        for outline in (revision.old, revision.new):
            if outline is not None:
                _ = outline.writers, outline.imported  # they are kept there, as is the difference
        _ = revision.edit
        self._ahead[name] = _Ahead(loader, revision)
        self._size += len(data)

    def of(self, changes: Mapping[str, Change]) -> tuple[dict[str, Loader], dict[str, Revision]]:
        """Return what loads each change that has a text, and the revision of each change.

        What was made ahead is given away, all of it: old code objects that are kept here would seem to be in use.
        """
        given, self._ahead = self._ahead, {}
        self._size = 0
        loaders: dict[str, Loader] = {}
        revisions: dict[str, Revision] = {}
        for name, change in changes.items():
            ahead = given.get(name)
            is_ready = ahead is not None and ahead.loader.source == change.source
            if ahead is not None and is_ready and ahead.revision.old is self._ledger.texts.outline_of(name):
                loaders[name], revisions[name] = ahead.loader, ahead.revision
                continue
            if change.source is not None and change.source.path is not None:
                loaders[name] = Loader(change.source)
            if self._ledger.live:  # at the start there is nothing that a new file could reach
                revisions[name] = self._made(name, loaders.get(name))
        return loaders, revisions

    def clear(self) -> None:
        """Throw away what was made ahead."""
        self._ahead.clear()
        self._size = 0

    def _made(self, name: str, loader: Loader | None) -> Revision:
        texts = self._ledger.texts
        return Revision(texts.outline_of(name), texts.revise(loader) if loader is not None else None)

    def _drop(self, name: str) -> None:
        before = self._ahead.pop(name, None)
        if before is not None:
            self._size -= len(before.loader.source.data)
