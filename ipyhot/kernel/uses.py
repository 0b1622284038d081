"""Which watched modules a cell used while it ran: recorded, not guessed. Main thread.

Three things are recorded: what was imported; the code of every function that was called, by the interpreter's profiler;
and the names that the code which ran reads, the cell's own and that of watched functions: values that an import
bound, attributes of modules, ``hot.handlers``. Of a statement of the cell that ran, both branches count.
"""

import cProfile
import dis
import functools
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from ipyhot.core.imports import recording
from ipyhot.kernel.handlers import Handlers
from ipyhot.kernel.hot import Hot

__all__ = ["Recorder", "Uses", "Watched"]

_READS: Final = frozenset({"LOAD_NAME", "LOAD_GLOBAL"})
_ATTRIBUTES: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_METHODS: Final = frozenset({"get", "__getitem__", "__contains__"})


@dataclass(frozen=True, slots=True)
class Uses:
    """What a cell used: watched modules by name; ``is_all`` if it may have been any."""

    modules: frozenset[str] = frozenset()
    is_all: bool = False

    def __or__(self, other: "Uses") -> "Uses":
        return Uses(self.modules | other.modules, self.is_all or other.is_all)

    def __str__(self) -> str:
        return "anything" if self.is_all else ", ".join(sorted(self.modules)) or "nothing watched"

    def touches(self, modules: frozenset[str]) -> bool:
        """Tell whether one of some modules is among them."""
        return bool(modules) and (self.is_all or not self.modules.isdisjoint(modules))


@dataclass(frozen=True, slots=True)
class Watched:
    """What a recorder has to know of the watched folders.

    Args:
        is_watched: whether a module name belongs to one.
        name_of: returns the module that a file holds, if it is in one.
        module_of: returns the module of a handler, if there is one.
        origin_of: returns the module that a name of the user's was imported from, if one was.
        path_of: returns the path of a group of handlers, empty for all of them.
        is_cell: whether a code's file name is that of a cell.
    """

    is_watched: Callable[[str], bool]
    name_of: Callable[[str], str | None]
    module_of: Callable[[str], str | None]
    origin_of: Callable[[str], str | None]
    path_of: Callable[[Handlers], str]
    is_cell: Callable[[str], bool]


if sys.version_info >= (3, 12):

    class _Record:
        """The code that the main thread runs, by monitoring (PEP 669): a profiler mixes up what several threads run there.

        Raises:
            ValueError: others use all that there is for tools without a name.
        """

        def __init__(self) -> None:
            self._codes: set[types.CodeType] = set()
            self._thread = threading.get_ident()
            self._tool = next((tool for tool in (4, 3) if sys.monitoring.get_tool(tool) is None), 4)
            sys.monitoring.use_tool_id(self._tool, "ipyhot")
            sys.monitoring.register_callback(self._tool, sys.monitoring.events.PY_START, self._started)
            sys.monitoring.set_events(self._tool, sys.monitoring.events.PY_START)
            sys.monitoring.restart_events()

        def codes(self) -> Iterator[types.CodeType]:
            """Stop, and yield it."""
            sys.monitoring.set_events(self._tool, 0)
            sys.monitoring.register_callback(self._tool, sys.monitoring.events.PY_START, None)
            sys.monitoring.free_tool_id(self._tool)
            yield from self._codes

        def _started(self, code: types.CodeType, _offset: int) -> object:
            if threading.get_ident() != self._thread:
                return None
            self._codes.add(code)
            return sys.monitoring.DISABLE  # it is known; the next recording begins with a restart

else:

    class _Record:
        """The code that the main thread runs, by a profiler."""

        def __init__(self) -> None:
            self._profiler = cProfile.Profile(subcalls=False, builtins=False)
            self._profiler.enable()

        def codes(self) -> Iterator[types.CodeType]:
            """Stop, and yield it."""
            self._profiler.disable()
            yield from (entry.code for entry in self._profiler.getstats() if isinstance(entry.code, types.CodeType))


class Recorder:
    """Records what the main thread does between ``start`` and ``stop``.

    Args:
        namespace: the user's globals.
        watched: tells what is watched.
    """

    def __init__(self, namespace: dict[str, Any], watched: Watched) -> None:
        self._namespace = namespace
        self._watched = watched
        self._stack = ExitStack()
        self._imported: set[str] = set()
        self._ran: _Record | None = None

    def start(self) -> None:
        """Record from now on; what was recorded before is forgotten."""
        self.stop()
        self._imported = self._stack.enter_context(recording())
        try:
            self._ran = _Record()
        except ValueError:
            self._ran = None

    def stop(self) -> Uses:
        """Stop, and return what was used. If others left no room to record, that may be anything."""
        ran, self._ran = self._ran, None
        codes = list(ran.codes()) if ran is not None else []
        self._stack.close()
        imported, self._imported = self._imported, set()
        if ran is None:
            return Uses(frozenset(imported), is_all=True)
        found = Uses(frozenset(filter(self._watched.is_watched, imported)))
        for code in codes:
            found |= self._used_by(code)
        return found

    def _used_by(self, code: types.CodeType) -> Uses:
        if self._watched.is_cell(code.co_filename):
            return self._read_by(code, self._namespace)
        name = self._watched.name_of(_real(code.co_filename))
        if name is None:
            return Uses()
        return Uses(frozenset({name})) | self._read_by(code, _namespace_of(name))

    def _read_by(self, code: types.CodeType, namespace: dict[str, Any]) -> Uses:
        found = Uses()
        for chain in _chains(code):
            origin = self._watched.origin_of(chain[0]) if namespace is self._namespace else None
            if origin is not None and self._watched.is_watched(origin):
                found |= Uses(frozenset({origin}))
            if chain[0] in namespace:
                found |= self._meant(namespace[chain[0]], chain[1:])
        return found

    def _meant(self, value: object, attributes: tuple[str, ...]) -> Uses:
        """Return what a value, and then attributes of it, belong to."""
        if isinstance(value, Hot):
            return self._handler(value.handlers, "", attributes[1:]) if attributes[:1] == ("handlers",) else Uses()
        if isinstance(value, Handlers):
            return self._handler(value, self._watched.path_of(value), attributes)
        if not isinstance(value, types.ModuleType):
            owner = value if isinstance(value, type | types.FunctionType) else type(value)
            name = getattr(owner, "__module__", None)
            return Uses(frozenset({name})) if isinstance(name, str) and self._watched.is_watched(name) else Uses()
        if not self._watched.is_watched(value.__name__):
            return Uses()
        found = Uses(frozenset({value.__name__}))
        namespace: dict[str, Any] = object.__getattribute__(value, "__dict__")
        if attributes and attributes[0] in namespace:
            found |= self._meant(namespace[attributes[0]], attributes[1:])
        return found

    def _handler(self, handlers: Handlers, path: str, attributes: tuple[str, ...]) -> Uses:
        """Return what ``hot.handlers`` followed by attributes or one key belongs to; all handlers without one."""
        rest = attributes[1:] if attributes[:1] and attributes[0] in _METHODS else attributes
        if not rest:
            return Uses(is_all=True)
        full = f"{path}.{rest[0]}" if path else rest[0]
        group = vars(handlers).get(rest[0])
        if isinstance(group, Handlers):
            return self._handler(group, full, rest[1:])
        module = self._watched.module_of(full)
        return Uses(frozenset({module})) if module is not None else Uses(is_all=True)


def _chains(code: types.CodeType) -> Iterator[tuple[str, ...]]:
    """Yield each global name that a code reads, with the attributes, or the constant key, that it reads of it."""
    chain: tuple[str, ...] = ()
    for instruction in dis.get_instructions(code):
        if instruction.opname in _READS:
            if chain:
                yield chain
            chain = (str(instruction.argval),)
        elif chain and (
            instruction.opname in _ATTRIBUTES or (instruction.opname == "LOAD_CONST" and isinstance(instruction.argval, str))
        ):
            chain = (*chain, str(instruction.argval))
        elif chain:
            yield chain
            chain = ()
    if chain:
        yield chain


@functools.lru_cache(maxsize=10_000)
def _real(path: str) -> str:
    """Return the file that a version's code was compiled from: each version spells its path in its own way."""
    return os.path.normpath(path)


def _namespace_of(name: str) -> dict[str, Any]:
    module = sys.modules.get(name)
    return object.__getattribute__(module, "__dict__") if isinstance(module, types.ModuleType) else {}
