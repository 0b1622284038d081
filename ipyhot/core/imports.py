"""How watched modules meet Python's import system.

``WatchedSpec`` sees every import of a watched module and records it as an edge of whatever this thread is loading.
``Loader`` loads one source as an ordinary import does, and adds no frame of its own to a traceback.
``Standin`` lets all module objects of one name answer from wherever they should, a different place for the thread
that builds. ``Finder`` is the one entry in ``sys.meta_path``. All of this is called by whichever thread imports.
"""

import builtins
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import linecache
import os
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Protocol

from ipyhot.core.commit import Deed
from ipyhot.core.model import Source
from ipyhot.core.sources import Folder, text_of

__all__ = [
    "Finder",
    "ImportSwitch",
    "Importing",
    "Loader",
    "Standin",
    "WatchedSpec",
    "keep_lines",
    "new_module",
    "recording",
    "take_off",
    "touch",
]

type_ = type


class _Loading(threading.local):
    """The modules that this thread is loading, innermost last, each as the set of names it imported so far."""

    def __init__(self) -> None:
        self.stack: list[set[str]] = []


_loading: Final = _Loading()
_versions: Final = itertools.count(1)


@contextmanager
def recording() -> Iterator[set[str]]:
    """Collect the watched names that this thread imports inside the block."""
    found: set[str] = set()
    _loading.stack.append(found)
    try:
        yield found
    finally:
        _loading.stack.pop()


def touch(name: str) -> None:
    """Record that what this thread is loading imports a name, whether there is such a module or not."""
    if _loading.stack:
        _loading.stack[-1].add(name)


class WatchedSpec(importlib.machinery.ModuleSpec):
    """The spec of one version of a watched module.

    The import system asks ``spec._initializing`` at each import of a module that is in ``sys.modules`` already, by
    statement or by ``import_module``, and sets it around a load. That makes it the one place that sees them all,
    without a proxy on any attribute access. Python 3.11 to 3.14 do so (``import_ensure_initialized`` in import.c and
    ``_load_unlocked`` in importlib/_bootstrap.py); a test holds them to it.
    """

    source: Source
    module: types.ModuleType
    standin: "Standin"
    began: Callable[[], None] | None = None
    ended: Callable[[], None] | None = None

    @property
    def _initializing(self) -> bool:
        touch(self.name)
        return bool(self.__dict__.get("_initializing", False))

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        was = self.__dict__.get("_initializing", False)
        self.__dict__["_initializing"] = value
        if value and not was and self.began is not None:
            self.began()
        elif was and not value and self.ended is not None:
            self.ended()


_to_code: Final = importlib.machinery.SourceFileLoader.source_to_code


class Loader(importlib.machinery.SourceFileLoader):
    """Loads the bytes it was given, under a file name of their own, and never a ``.pyc``.

    The standard loader executes; only where it looks for bytes and names is answered here. So every frame between
    the importing line and the imported file is importlib's own, which Python cuts out of tracebacks.
    """

    def __init__(self, source: Source) -> None:
        if source.path is None:
            raise ValueError(f"{source.name} is a namespace package; it has no bytes to load")
        super().__init__(source.name, source.path)
        self.source = source
        self.alias = _alias(source.path, next(_versions))
        self.pin = _Pin()
        # An ordinary import calls this; a cache in C, no method, keeps what it gave, and adds no frame to a traceback.
        self.source_to_code = functools.lru_cache(1)(partial(_to_code, None))  # type: ignore[method-assign,assignment,arg-type]  # see above

    def get_filename(self, name: str | None = None) -> str:
        """Return the name this version is compiled under: another spelling of the file's real path."""
        return self.alias

    def path_stats(self, path: str | bytes) -> dict[str, Any]:
        """Refuse to tell a time stamp, so that byte code is neither read nor written."""
        raise OSError(path)

    def get_data(self, path: str | bytes) -> bytes:
        """Return the bytes of this version; another path is read from disk."""
        return self.source.data if path == self.alias else super().get_data(str(path))

    def get_source(self, fullname: str) -> str:
        """Return this version's text."""
        return text_of(self.source.data)

    def compile(self) -> types.CodeType:
        """Return this version's code, always the same object.

        Raises:
            SyntaxError, ValueError, RecursionError, MemoryError: as ``compile`` does.
        """
        return self.source_to_code(self.source.data, self.alias)


class _Pin:
    """Lives as long as any code of one version; the lines of that version can be read for so long."""

    __slots__ = ("__weakref__",)


def keep_lines(code: types.CodeType, pin: object) -> None:
    """Let the lines of a version be readable for as long as one of its code objects lives."""
    weakref.finalize(code, _let_go, pin).atexit = False


def _let_go(pin: object) -> None:
    """Do nothing: to have been called is to hold the pin no longer."""


def _alias(path: str, version: int) -> str:
    """Return another spelling of a path, unique to a version, that the system resolves to the same file.

    Tracebacks, ``inspect`` and breakpoints then find the lines of just this version, for as long as it lives.
    """
    folder, separator, file = path.rpartition(os.sep)
    bits = "".join(f"{separator}." if bit == "1" else separator for bit in f"{version:b}")
    return f"{folder}{bits}{separator}{file}"


def _spec(source: Source, folder_of: Callable[[Source], str], loader: Loader | None = None) -> WatchedSpec:
    if loader is None and source.path is not None:
        loader = Loader(source)
    spec = WatchedSpec(source.name, loader, origin=source.path, is_package=source.is_package)
    spec.source = source
    if source.is_package:
        spec.submodule_search_locations = [folder_of(source)]
    if loader is not None:
        spec.has_location = True
        spec.cached = None
        _pin_lines(spec, loader)
    return spec


def _pin_lines(spec: WatchedSpec, loader: Loader) -> None:
    try:
        lines = loader.get_source(spec.name).splitlines(keepends=True)
    except (SyntaxError, UnicodeDecodeError):  # a bad encoding cookie: compiling it says so, with its place
        return
    linecache.cache[loader.alias] = (len(loader.source.data), None, lines, loader.alias)
    weakref.finalize(loader.pin, linecache.cache.pop, loader.alias, None).atexit = False


def new_module(source: Source, folder: Folder, loader: Loader | None = None) -> types.ModuleType:
    """Return a fresh module for a source, named and placed as the import system would; nothing is executed."""
    return importlib.util.module_from_spec(_spec(source, partial(_location, folder), loader))


def _location(folder: Folder, source: Source) -> str:
    if source.path is not None:
        return os.path.dirname(source.path)
    return os.path.join(folder.root, *(folder.parts_of(source.name) or []))


class _View(threading.local):
    """Where the module objects of one name read, write and delete: class attributes for everybody, own ones per thread."""

    read: Callable[[str], Any]
    write: Callable[[str, Any], None]
    delete: Callable[[str], None]


class Standin:
    """The class that module objects of one name wear while they are not simply the live module themselves.

    That is a live module during a transaction (it answers as ever, but with the staged one for the building thread), and a
    retired one for good (it answers from the newest).

    Everybody's path is C code from end to end: ``property``, ``partial``, ``getattr``, then the method of the module
    that answers. No bytecode runs in it, hence two attributes read in a row are of one generation (test_threads.py).
    """

    def __init__(self) -> None:
        self._view_class = type_("_View", (_View,), {})
        self._view = self._view_class()
        self._worn: dict[type, type] = {}

    def worn_over(self, base: type) -> type:
        """Return the class to wear for a module object whose own class is ``base``."""
        if base not in self._worn:
            body = {
                "__getattribute__": property(partial(getattr, self._view, "read")),
                "__setattr__": property(partial(getattr, self._view, "write")),
                "__delattr__": property(partial(getattr, self._view, "delete")),
                "__doc__": None,
                "__module__": base.__module__,
                "worn_over": base,
            }
            self._worn[base] = type_(base.__name__, (base,), body)
        return self._worn[base]

    def everybody(self, access: str) -> Callable[..., Any]:
        """Return how everybody reads, writes or deletes now."""
        return vars(self._view_class)[access].__func__  # type: ignore[no-any-return]  # a namespace has no types

    def answer_from(self, target: object) -> None:
        """Let everybody read, write and delete on a target, at once."""
        for name, access in _accessors(target):
            setattr(self._view_class, name, staticmethod(access))

    def answer_from_deeds(self, target: object) -> list[Deed]:
        """Return the deeds of a commit that does so."""
        return [
            Deed(
                partial(type.__setattr__, self._view_class, name, staticmethod(access)),
                partial(type.__setattr__, self._view_class, name, vars(self._view_class)[name]),
            )
            for name, access in _accessors(target)
        ]

    def divert(self, read: Callable[[str], Any], write: Callable[[str, Any], None], delete: Callable[[str], None]) -> None:
        """Let this thread read, write and delete elsewhere, until ``restore``."""
        self._view.read, self._view.write, self._view.delete = read, write, delete

    def restore(self) -> None:
        """Let this thread answer as everybody again."""
        self._view.__dict__.clear()

    def put_on(self, module: types.ModuleType) -> None:
        """Dress a module object; what it answers does not change by itself."""
        object.__setattr__(module, "__class__", self.worn_over(own_class(module)))


class ImportSwitch:
    """Stands for ``builtins.__import__`` during a transaction: another function for the thread that builds.

    As with ``Standin``, other threads' path through it is C code, and leaves no frame in their tracebacks.
    """

    def __init__(self) -> None:
        self._view_class = type_("_View", (threading.local,), {})
        self.original: Callable[..., Any] = builtins.__import__
        self._view: Any = self._view_class()
        body = {"__call__": property(partial(getattr, self._view, "call"))}
        self._function: Any = type_("builtin_function_or_method", (), body)()

    def turn_on(self, function: Callable[..., Any]) -> None:
        """Let import statements of this thread call a function."""
        self.original = builtins.__import__
        type.__setattr__(self._view_class, "call", staticmethod(self.original))
        self._view.call = function
        builtins.__import__ = self._function

    def turn_off(self) -> None:
        """Let import statements of this thread be as everybody's."""
        if builtins.__import__ is self._function:
            builtins.__import__ = self.original
        self._view.__dict__.clear()


def own_class(module: object) -> type:
    """Return the class of a module object, below what it may wear."""
    cls = type_(module)
    base: type = vars(cls).get("worn_over", cls)
    return base


def take_off(module: types.ModuleType) -> None:
    """Let a live module be plain again."""
    object.__setattr__(module, "__class__", own_class(module))


def _accessors(target: object) -> Iterable[tuple[str, Callable[..., Any]]]:
    if not isinstance(target, types.ModuleType):
        return ("read", partial(getattr, target)), ("write", partial(setattr, target)), ("delete", partial(delattr, target))
    cls = own_class(target)
    return (
        ("read", cls.__getattribute__.__get__(target)),
        ("write", cls.__setattr__.__get__(target)),
        ("delete", cls.__delattr__.__get__(target)),
    )


class Importing(Protocol):
    """What the finder asks of the engine."""

    @property
    def folders(self) -> Sequence[Folder]:
        """The watched folders, first one first."""

    def admit(self, name: str) -> types.ModuleType | None:
        """Return what stands for a module in this thread, if this thread is staging; None lets it load as usual."""

    def loaded(self, spec: WatchedSpec, module: types.ModuleType | None, dependencies: frozenset[str]) -> None:
        """Take note of an import that was not part of a transaction; without a module, it failed."""


class _Given(importlib.abc.Loader):
    """Leads an import statement to a module object that stands ready.

    The import system makes a module of its own first, which it may name and place, and which nobody keeps.
    """

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module

    def exec_module(self, module: types.ModuleType) -> None:
        """Put the given module in the other one's place, which the import system then takes for the result."""
        sys.modules[module.__name__] = self._module


class Finder:
    """Finds the modules of the watched folders; the only entry ipyhot puts into ``sys.meta_path``."""

    def __init__(self, importing: Importing) -> None:
        self._importing = importing

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a watched module, or None; see ``importlib.abc.MetaPathFinder``."""
        if name in sys.builtin_module_names:
            return None
        touch(name)
        for folder in self._importing.folders:
            if folder.locate(name) is None:
                continue
            given = self._importing.admit(name)
            if given is not None:
                return importlib.machinery.ModuleSpec(name, _Given(given))
            return self._natural(folder, name)
        return None

    def _natural(self, folder: Folder, name: str) -> WatchedSpec | None:
        try:
            source = folder.read(name)
        except OSError as error:
            raise ImportError(f"{folder.place_of(name)} cannot be read: {error.strerror}", name=name) from error
        if source is None:
            return None
        spec = _spec(source, partial(_location, folder))
        if source.path is not None:
            _watch_load(spec, self._importing)
        return spec


def _watch_load(spec: WatchedSpec, importing: Importing) -> None:
    """Record what an ordinary import of this spec imports, and report its end."""
    record = recording()
    found: set[str] = set()

    def began() -> None:
        nonlocal found
        found = record.__enter__()

    def ended() -> None:
        record.__exit__(None, None, None)
        spec.began = spec.ended = None
        importing.loaded(spec, sys.modules.get(spec.name), frozenset(found))

    spec.began, spec.ended = began, ended
