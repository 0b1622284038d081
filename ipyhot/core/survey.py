"""What is new on the disk: the texts that differ from the live ones. Called under the engine's lock."""

import collections
import time
from collections.abc import Collection, Mapping

from ipyhot.core import failures
from ipyhot.core.folders import Folders
from ipyhot.core.glance import Glance
from ipyhot.core.ledger import Ledger
from ipyhot.core.model import Change, Source, Version
from ipyhot.core.sources import Folder

__all__ = ["changes"]


def changes(
    names: Collection[str], forced: Collection[str], folders: Folders, ledger: Ledger, texts: Mapping[str, bytes]
) -> dict[str, Change]:
    """Return what differs from what is live, among some names and all that is held back.

    What cannot be read is written down as a failure, and what is as it is live is one no more.

    Args:
        names: the modules to look at.
        forced: those that are executed again although nothing changed.
        folders: where they lie.
        ledger: what is known of them.
        texts: files that were just read, by path.
    """
    found: dict[str, Change] = {}
    glances: collections.defaultdict[str, Glance] = collections.defaultdict(Glance)
    for name in {*names, *ledger.retried(), *_bare_packages(names, ledger)}:
        folder = folders.of(name)
        if folder is None or not _is_followed(folder, name, ledger):
            continue
        try:
            source = folder.read(name, texts, glances[folder.root])
        except OSError as error:
            live = ledger.generation_of(name)
            ledger.fail(failures.unreadable(name, folder.place_of(name), error, since=time.time(), live=live))
            continue
        behind = ledger.behind(name)  # what is live may be of this text, and of older imports
        is_asked = name in forced or bool(behind)
        if not _is_live(source, ledger.live.get(name)) or (is_asked and source is not None):
            path = source.path if source is not None else None
            whole = "it was asked for" if name in forced else behind
            found[name] = Change(name, path or folder.place_of(name), source, whole)
        else:
            ledger.failures.pop(name, None)
    for name in [name for name, change in found.items() if change.source is None and _is_bare(name, ledger)]:
        if any(other.startswith(f"{name}.") and other not in found for other in ledger.live):
            del found[name]  # it goes with the last of what is in it, which may be back in a moment
    return found


def _bare_packages(names: Collection[str], ledger: Ledger) -> set[str]:
    """Return the folders without ``__init__.py`` that hold some modules, as far as they are live."""
    parts = (name.split(".") for name in names)
    above = {".".join(part[:end]) for part in parts for end in range(1, len(part))}
    return {name for name in above if _is_bare(name, ledger)}


def _is_bare(name: str, ledger: Ledger) -> bool:
    return name in ledger.live and ledger.live[name].source.path is None


def _is_followed(folder: Folder, name: str, ledger: Ledger) -> bool:
    return ledger.is_known(name) or folder.load == "all" or bool(ledger.graph.dependents([name]))


def _is_live(source: Source | None, version: Version | None) -> bool:
    """Tell whether what lies on the disk, be it nothing, is what is live."""
    if source is None or version is None:
        return source is None and version is None
    return source.digest == version.source.digest and source.path == version.source.path
