"""Folders: which path is which module, which module is which handler, and the bytes behind them.

Looks at the disk, changes nothing, remembers nothing but the folder itself. Any thread may call it.
"""

import hashlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from ipyhot.core import trust
from ipyhot.core.errors import FolderError, UntrustedError
from ipyhot.core.glance import Glance
from ipyhot.core.model import Source
from ipyhot.core.patterns import EVERYTHING, Selection

__all__ = ["READING", "Folder", "Load", "contents", "digest", "open_folder", "text_of"]

Load = Literal["all", "imported"]

SUFFIX: Final = ".py"
_INIT: Final = "__init__"
_MORE: Final = 1 << 16
# without waiting, or a pipe of that name would hold us for ever
READING: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages"})
_NAMESPACE_DIGEST: Final = "namespace"
_ENVIRONMENT: Final = "pyvenv.cfg"  # lies in the folder of a virtual environment


@dataclass(frozen=True, slots=True)
class Folder:
    """A watched folder: its real path, the module name it stands for (empty on ``sys.path``), and what is loaded.

    ``is_trusted`` says that files are executed whoever may write them, ``selection`` which of them count. ``link`` is the
    path that it was named by, if that only leads to it.
    """

    root: str
    package: str
    load: Load
    selection: Selection = EVERYTHING
    is_trusted: bool = False
    link: str | None = None  # that it was named by

    @property
    def _prefix(self) -> str:
        return self.root if self.root.endswith(os.sep) else self.root + os.sep

    def name_of(self, path: str) -> str | None:
        """Return the module that a path under the folder belongs to; None if it is no module of ours."""
        if not path.endswith(SUFFIX) or not path.startswith(self._prefix):
            return None
        *folders, file = path[len(self._prefix) :].split(os.sep)
        stem = file.removesuffix(SUFFIX)
        if not _is_module_name(stem) or not all(map(_is_folder_name, folders)) or not self._takes(path):
            return None
        return self.qualify([*folders] if stem == _INIT else [*folders, stem])

    def is_misnamed(self, path: str) -> bool:
        """Tell whether a file, in a folder that is looked through, looks like a module but no import can name it."""
        stem = os.path.basename(path).removesuffix(SUFFIX)
        return "." in stem and stem[0] not in ".#" and self._takes(path)

    def qualify(self, parts: list[str]) -> str | None:
        """Return the dotted module name of a path inside the folder, given as its parts."""
        return ".".join([self.package, *parts] if self.package else parts) or None

    def holds(self, name: str) -> bool:
        """Tell whether a module of a name would lie in the folder."""
        return not self.package or name == self.package or name.startswith(self.package + ".")

    def parts_of(self, name: str) -> list[str] | None:
        """Return a module's path inside the folder, as its parts; None if it lies elsewhere."""
        if not self.holds(name):
            return None
        if name == self.package:
            return []
        return name.removeprefix(self.package + ".").split(".") if self.package else name.split(".")

    def handler_of(self, name: str) -> str | None:
        """Return the handler name of a module; the folder's own ``__init__.py`` is handler ``__init__``."""
        parts = self.parts_of(name)
        return None if parts is None else ".".join(parts) or _INIT

    def locate(self, name: str, glance: Glance | None = None) -> tuple[str | None, bool] | None:
        """Return the file that Python would import for a name, and whether it is a package.

        A folder without ``__init__.py`` gives ``(None, True)``; nothing at all gives None.
        See https://docs.python.org/3/reference/import.html for the order. For ``glance`` see ``doubt``.
        """
        isfile, isdir = (os.path.isfile, os.path.isdir) if glance is None else (glance.is_file, glance.is_folder)
        parts = self.parts_of(name)
        if parts is None or not all(map(_is_module_name, parts)):
            return None
        base = os.path.join(self.root, *parts)
        init = os.path.join(base, _INIT + SUFFIX)
        is_folder = isdir(base)
        if is_folder and (self.package or parts) and isfile(init) and self._takes(init):
            return init, True
        if parts and isfile(base + SUFFIX) and self._takes(base + SUFFIX):
            return base + SUFFIX, False
        return (None, True) if is_folder and (not parts or self.enters(base)) else None

    def _takes(self, path: str) -> bool:
        return self.selection is EVERYTHING or self.selection.takes(self._relative(path))

    def _relative(self, path: str) -> str:
        return path[len(self._prefix) :].replace(os.sep, "/")

    def doubt(self, path: str, found: os.stat_result, glance: Glance | None = None) -> str | None:
        """Return why a file of the folder is not to be executed, given what it is; None if it may be.

        Args:
            path: the file.
            found: what it is, links followed.
            glance: the look at many files of this folder that this is part of, if it is.
        """
        return None if self.is_trusted else trust.doubt(path, self.root, found, glance)

    def read(self, name: str, texts: Mapping[str, bytes] | None = None, glance: Glance | None = None) -> Source | None:
        """Return what the disk holds for a module now; None if there is nothing.

        Args:
            name: the module.
            texts: files that were read already, by path; they are not read again.
            glance: see ``doubt``.

        Raises:
            OSError: the file is there and cannot be read.
            UntrustedError: somebody else may write it.
        """
        found = self.locate(name, glance)
        if found is None:
            return None
        path, is_package = found
        if path is None:
            return Source(name, None, b"", _NAMESPACE_DIGEST, is_package=True)
        data = texts.get(path) if texts is not None else None
        if data is None:
            try:
                file = os.open(path, READING)
            except FileNotFoundError:
                return None
            try:
                stat = os.fstat(file)
                doubt = self.doubt(path, stat, glance)
                if doubt is not None:
                    raise UntrustedError(f"{doubt}; %hotwatch --trust executes it all the same")
                data = contents(file, stat.st_size)
            finally:
                os.close(file)
        return Source(name, path, data, digest(data), is_package)

    def place_of(self, name: str) -> str:
        """Return the path that a module has, or would have."""
        found = self.locate(name)
        if found is not None and found[0] is not None:
            return found[0]
        return os.path.join(self.root, *(self.parts_of(name) or [_INIT])) + SUFFIX

    def scan(self, inside: str | None = None) -> list[str]:
        """Return the modules that have a file, in the folder or in a folder inside it; links to folders are followed."""
        found = {self.name_of(entry.path) for files in self.walk(inside) for entry in files}
        return sorted(name for name in found if name is not None)

    def walk(
        self, inside: str | None = None, entering: Callable[[str], object] | None = None
    ) -> Iterator[list[os.DirEntry[str]]]:
        """Yield the Python files of each folder in the folder, or in a folder inside it; links to folders are followed.

        Args:
            inside: the folder to look through; all by default.
            entering: is called with each folder before it is listed.
        """
        return self._walk(inside or self.root, (), entering or _ignore)

    def enters(self, path: str) -> bool:
        """Tell whether a path inside the folder can be that of a folder with modules, by its name."""
        if not path.startswith(self._prefix) or not all(map(_is_folder_name, path[len(self._prefix) :].split(os.sep))):
            return False
        return self.selection is EVERYTHING or self.selection.enters(self._relative(path))

    def _walk(self, top: str, above: tuple[str, ...], entering: Callable[[str], object]) -> Iterator[list[os.DirEntry[str]]]:
        entering(top)
        try:
            with os.scandir(top) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:  # it vanished, or may not be read: then it holds nothing that could be loaded
            return
        if above and any(entry.name == _ENVIRONMENT for entry in entries):
            return
        yield [entry for entry in entries if entry.name.endswith(SUFFIX) and _is_kind(entry, os.DirEntry.is_file)]
        above = (*above, top)
        for entry in entries:
            if not _is_folder_name(entry.name) or not _is_kind(entry, os.DirEntry.is_dir) or not self.enters(entry.path):
                continue
            if entry.is_symlink() and any(_is_same_folder(entry.path, other) for other in above):
                continue  # it leads round in a circle
            yield from self._walk(entry.path, above, entering)

    def children(self, inside: str) -> str:
        """Return the prefix of the modules that live in a folder."""
        parts = [part for part in os.path.relpath(inside, self.root).split(os.sep) if part != os.curdir]
        name = self.qualify(parts)
        return "" if name is None else name + "."


def open_folder(
    path: str | os.PathLike[str],
    load: Load | None = None,
    *,
    selection: Selection = EVERYTHING,
    is_trusted: bool = False,
) -> Folder:
    """Return the folder to watch at a path, named as Python names what is in it.

    Args:
        path: an existing folder, absolute or relative to the current one.
        load: ``all`` executes every file at once, ``imported`` follows what something imports; by default
            ``imported`` in a package and on ``sys.path``, else ``all``.
        selection: which of its files count.
        is_trusted: execute its files whoever may write them.

    Raises:
        FolderError: there is no such folder, its name already belongs to another module, or others may write it.
    """
    folder = _named(path, load)
    reason = None if is_trusted else trust.doubt_of(os.stat(folder.root))
    if reason is not None:
        raise FolderError(
            f"{path}: {folder.root} {reason}, and its files would be executed. Nothing is watched because of this; "
            f"--trust overrides it."
        )
    return replace(folder, selection=selection, is_trusted=is_trusted)


def _named(path: str | os.PathLike[str], load: Load | None) -> Folder:
    shown = Path(path)
    root = os.path.realpath(shown.expanduser())
    if not os.path.isdir(root):
        reason = "it is no folder" if os.path.exists(root) else "there is no such folder"
        raise FolderError(f"{shown}: {reason} (looked at {root}). Nothing is watched because of this.")
    if os.path.exists(os.path.join(root, _INIT + SUFFIX)):
        package, above = _package_of(root)
        top = package.partition(".")[0]
        _check_clash(top, os.path.join(above, top))
        return Folder(root, package, load or "imported")
    if root in {os.path.realpath(entry or os.getcwd()) for entry in sys.path}:
        return Folder(root, "", load or "imported")
    given = os.path.abspath(shown.expanduser())
    link = given if os.path.islink(given) else None
    package = os.path.basename(link or root)  # what Python would call it where the link is
    if not package.isidentifier():
        raise FolderError(f"{shown}: {package!r} can be no module name, so nothing in it could be imported. Rename it.")
    _check_clash(package, root)
    return Folder(root, package, load or "all", link=link)


def _package_of(root: str) -> tuple[str, str]:
    names = [os.path.basename(root)]
    above = os.path.dirname(root)
    while os.path.exists(os.path.join(above, _INIT + SUFFIX)):
        names.insert(0, os.path.basename(above))
        above = os.path.dirname(above)
    return ".".join(names), above


def _check_clash(top: str, place: str) -> None:
    """Raise if importing ``top`` would find anything but the folder at ``place``."""
    loaded = sys.modules.get(top)
    spec = getattr(loaded, "__spec__", None) if loaded is not None else _find_elsewhere(top)
    if (spec is None and loaded is None) or hasattr(spec, "source"):
        return  # nobody has the name, or a folder that is not watched any more
    places = [*(getattr(spec, "submodule_search_locations", None) or ()), *(getattr(loaded, "__path__", None) or ())]
    if place in map(os.path.realpath, places):
        return
    origin = getattr(spec, "origin", None) or next(iter(places), "built into Python")
    raise FolderError(
        f"{place}: its name, {top!r}, already means another module ({origin}). "
        f"Rename the folder; nothing is watched because of this."
    )


def _find_elsewhere(top: str) -> importlib.machinery.ModuleSpec | None:
    if top in sys.builtin_module_names or top in sys.stdlib_module_names:
        return importlib.machinery.ModuleSpec(top, None, origin="Python's standard library")
    return importlib.machinery.PathFinder.find_spec(top)


def contents(file: int, size: int) -> bytes:
    """Return all that a descriptor of a regular file holds, given what its size was a moment ago."""
    data = os.read(file, size + 1)  # mostly this gives all; each call less is a turn less at the GIL
    while len(data) != size and (more := os.read(file, max(size - len(data), 0) + _MORE)):
        data += more
    return data


def text_of(data: bytes) -> str:
    """Return the text of a file's bytes, with line feeds only, as ``importlib.util.decode_source`` does.

    Raises:
        SyntaxError, UnicodeDecodeError, LookupError: they are not in the encoding that they say.
    """
    is_plain = data.isascii() and b"\r" not in data and b"coding" not in data  # most are, and that is told ten times faster
    return data.decode("ascii") if is_plain else importlib.util.decode_source(data)


def digest(data: bytes) -> str:
    """Return what tells one content from another."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _ignore(_: str) -> None:
    """Do nothing."""


def _is_kind(entry: os.DirEntry[str], is_kind: Callable[[os.DirEntry[str]], bool]) -> bool:
    try:
        return is_kind(entry)
    except OSError:  # a link that leads round in a circle, or out of reach: neither a file nor a folder
        return False


def _is_same_folder(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:  # one of them has just gone
        return False


def _is_module_name(stem: str) -> bool:
    return bool(stem) and "." not in stem and not stem.startswith("#") and stem != "__main__"


def _is_folder_name(name: str) -> bool:
    return "." not in name and name not in _SKIPPED
