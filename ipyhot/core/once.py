"""What ``once`` computed, by module: carried across every change until the function's source or the arguments change.

Owns the values, what they were computed from, and what a run aside uses or adds. It decides nothing about modules: who
watches them says which ones (``is_watched``) and commits what a run collected (``deeds``). Any thread may call ``once``.
"""

import dis
import functools
import hashlib
import sys
import threading
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, ParamSpec, TypeVar, cast, final

from ipyhot.core.commit import Deed, delete_item, set_item
from ipyhot.core.heap import is_a

__all__ = ["Collected", "Entry", "Portrait", "collecting", "deeds", "forget", "once"]

P = ParamSpec("P")
R = TypeVar("R")


def _nobody_watches(_module: str) -> bool:
    return False


is_watched: Callable[[str], bool] = _nobody_watches
"""Tells whether a module's values are carried. The engine puts its own answer here; until then, none are."""


def once(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what the function returns, computed once per module and carried across every change of the file.

    It is computed anew when the function's source or the arguments change. The source is the function's own code and
    defaults (a class's: its methods), not what it calls. Arguments that cannot be compared count as changed, unless they
    are the same object; so an object that is changed in place is the same, but a plain list, dict, set or tuple is not.
    """
    space = sys._getframe(1).f_globals  # noqa: SLF001 - as namedtuple and Enum find the module that calls
    module = str(space.get("__name__"))
    collected = _collected(module)
    if collected is None and not is_watched(module):
        return function(*args, **kwargs)
    asked = _entry(function, args, kwargs, space)
    known = _live.get(module, ())
    for entry in known if collected is None else (*collected.used, *known):
        if entry.answers(asked):
            if collected is not None:
                collected.use(entry, asked.names)
            return cast("R", entry.value)
    entry = replace(asked, value=function(*args, **kwargs))
    if collected is not None:
        collected.add(entry)
    else:
        _live[module] = (*_live.get(module, ()), entry)
    return cast("R", entry.value)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """What a function or class was like. It holds neither, but what cannot be told in words: defaults, free variables."""

    module: str
    qualname: str
    digest: str
    held: tuple[object, ...] = ()


@final
@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One value, and what it was computed from.

    ``names`` are those the function goes by in its module: its own, and the globals that hold it.
    """

    function: Portrait
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    names: frozenset[str]
    value: object = None

    def answers(self, asked: "Entry") -> bool:
        """Tell whether this is what another call would compute."""
        return _is_same((self.function, self.args, self.kwargs), (asked.function, asked.args, asked.kwargs))

    def is_of(self, other: "Entry") -> bool:
        """Tell whether both are of one function, though it may have changed in between. Lambdas never are."""
        is_named = (self.function.module, self.function.qualname) == (other.function.module, other.function.qualname)
        return is_named and not self.names.isdisjoint(other.names)


@final
class Collected:
    """What one run of a module's statements, or of some of them, used and computed."""

    def __init__(self, module: str, *, is_whole: bool) -> None:
        self.module = module
        self.is_whole = is_whole
        self.used: list[Entry] = []
        self._computed: list[Entry] = []
        self._taken: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Count a value that this run has computed."""
        self._computed.append(entry)
        self.used.append(entry)

    def use(self, entry: Entry, names: frozenset[str]) -> None:
        """Count a live value as used in this run, under the names its function has today."""
        if not any(entry is other for other in self.used):
            self._taken.append(entry)
            self.used.append(replace(entry, names=names))

    def entries(
        self, names: Collection[str] | None = None, namespace: Mapping[str, object] | None = None
    ) -> tuple[Entry, ...]:
        """Return what the module has after the commit.

        After a whole run that is what the run used. After a run of some statements the live ones stay too, but for

        - those whose function the file does not read any more. One that goes by no name (a lambda) is not known to be gone;
        - those of a function that the run found to have changed, whatever the arguments: nothing finds them any more;
        - those of a function that the run computed with other arguments, if the module does not hold the value any more.
          A lambda's goes by this as well, when the run computed any other lambda's.

        Args:
            names: names and attributes that the file's statements read. Without, all count as read.
            namespace: the module's names after the commit. Without, every value counts as held.
        """
        if self.is_whole:
            return tuple(self.used)
        held = None if namespace is None else {id(value) for value in list(namespace.values())}
        others = [entry for entry in _live.get(self.module, ()) if not any(entry is taken for taken in self._taken)]
        stay = [entry for entry in others if _is_read(entry, names) and not self._supersedes(entry, held)]
        return (*stay, *self.used)

    def _supersedes(self, entry: Entry, held: set[int] | None) -> bool:
        is_held = held is None or id(entry.value) in held
        for new in self._computed:
            if entry.is_of(new) and not (is_held and _is_same(entry.function, new.function)):
                return True
            if not (is_held or entry.names or new.names):
                return True
        return False


def _is_read(entry: Entry, names: Collection[str] | None) -> bool:
    return names is None or not entry.names or not entry.names.isdisjoint(names)


@contextmanager
def collecting(module: str, *, is_whole: bool) -> Iterator[Collected]:
    """While this thread runs statements of a module aside, collect what ``once`` does there, and leave the live ones be."""
    collected = Collected(module, is_whole=is_whole)
    _thread.running.append(collected)
    try:
        yield collected
    finally:
        _thread.running.remove(collected)


def deeds(module: str, entries: tuple[Entry, ...]) -> Deed:
    """Return the deed that makes these the module's values; without any it is forgotten."""
    return set_item(_live, module, entries) if entries else delete_item(_live, module)


def has_entries(module: str) -> bool:
    """Tell whether a module has values that are kept."""
    return module in _live


def forget(module: str) -> None:
    """Let go of all values of a module."""
    _live.pop(module, None)


class _Thread(threading.local):
    def __init__(self) -> None:
        self.running: list[Collected] = []


_live: Final[dict[str, tuple[Entry, ...]]] = {}
_thread: Final = _Thread()


def _collected(module: str) -> Collected | None:
    return next((found for found in reversed(_thread.running) if found.module == module), None)


def _entry(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], space: dict[str, Any]) -> Entry:
    # What the arguments are now: the function may change them.
    own = str(getattr(function, "__name__", ""))
    names = {name for name, value in list(space.items()) if value is function} | ({own} if own.isidentifier() else set())
    return Entry(_callable(function), _kept(args), _kept(kwargs), frozenset(names))


# Portraits


def _callable(function: Any) -> Portrait:
    """Return the portrait of anything that can be called."""
    found = _kept(function)
    if isinstance(found, Portrait):
        return found
    wrapped = getattr(function, "__wrapped__", None)
    return _named(function, "callable", found if wrapped is None else _kept(wrapped), _kept(type(function)))


def _kept(value: Any, above: tuple[object, ...] = ()) -> Any:
    """Return what to keep of a value so that it can be compared with a later one: copies, portraits, or the value."""
    if type(value) in _ATOMS:
        return value
    if any(value is other for other in above):
        return Portrait("", "", "again")
    kept = functools.partial(_kept, above=(*above, value))
    if type(value) in (list, tuple):
        return type(value)(map(kept, value))
    if type(value) is dict:
        return {key: kept(item) for key, item in list(value.items())}
    if type(value) is set:
        return value.copy()
    if is_a(value, types.FunctionType):
        held = (value.__defaults__, value.__kwdefaults__, *_cells(value))
        return Portrait(value.__module__, value.__qualname__, _digest(value.__code__), tuple(map(kept, held)))
    if is_a(value, type):
        is_carried = is_watched(value.__module__) or _collected(value.__module__) is not None
        return _class(value, kept) if is_carried else value  # elsewhere a class cannot change
    if is_a(value, types.MethodType):
        return _named(value, "method", kept(value.__func__), kept(value.__self__))
    if is_a(value, functools.partial):
        return Portrait("", "", "partial", (kept(value.func), kept(value.args), kept(value.keywords)))
    return _named(value, "cached", kept(value.__wrapped__)) if is_a(value, _CACHED) else value


_ATOMS: Final = frozenset({int, str, float, bytes, bool, complex, types.NoneType})
_CACHED: Final = type(functools.cache(int))


def _named(value: object, digest: str, *held: object) -> Portrait:
    named = value if hasattr(value, "__qualname__") else type(value)
    return Portrait(str(named.__module__), str(getattr(named, "__qualname__", "")), digest, held)


def _cells(function: types.FunctionType) -> Iterator[object]:
    """Yield the free variables that a function never sets itself: what it sets is its state, not its source."""
    code = function.__code__
    own = _CLASS_SCOPE | {*(step.argval for step in dis.get_instructions(code) if step.opname == "STORE_DEREF")}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        if name not in own:
            try:
                yield cell.cell_contents
            except ValueError:  # not set yet
                yield None


def _class(cls: type, kept: Callable[[Any], Any]) -> Portrait:
    """Return the portrait of a class: its methods, nested classes and constants, whatever order they are in."""
    held: list[tuple[str, object]] = []
    for name, member in sorted(vars(cls).items()):
        is_nested = is_a(member, type) and member.__qualname__ == f"{cls.__qualname__}.{name}"
        if name in _ANNOTATING:
            continue
        if is_a(member, _METHODS) or is_nested:
            held.append((name, kept(member)))
        elif is_a(member, _WRAPPERS):
            held += [(name, kept(getattr(member, part))) for part in _PARTS if hasattr(member, part)]
        elif not name.startswith("__") and _is_constant(member):
            held.append((name, member))
    bases = " ".join(f"{base.__module__}.{base.__qualname__}" for base in cls.__bases__)
    kinds = [(name, type(vars(cls)[name]).__qualname__) for name, _ in held]
    return Portrait(cls.__module__, cls.__qualname__, _hash(bases, kinds), tuple(held))


# What the compiler puts beside a class's own names: "__classdict__" from 3.12 on, all of annotations in 3.14.
_CLASS_SCOPE: Final = frozenset({"__class__", "__classdict__", "__conditional_annotations__"})
_ANNOTATING: Final = frozenset({"__annotate__", "__annotate_func__"})
_METHODS: Final = (types.FunctionType, _CACHED)
_WRAPPERS: Final = (
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
    functools.partialmethod,
    functools.singledispatchmethod,
)
_PARTS: Final = ("__func__", "fget", "fset", "fdel", "func", "args", "keywords")


def _is_constant(value: Any) -> bool:
    return all(map(_is_constant, value)) if type(value) in (tuple, frozenset) else type(value) in _ATOMS


def _digest(code: types.CodeType) -> str:
    """Return a digest of what a code object does, without lines, files, and the docstring, which no instruction loads."""
    shape = (code.co_name, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    names = (code.co_varnames, code.co_cellvars, code.co_freevars)
    # Constants by value: their places shift with a docstring. So does EXTENDED_ARG, which only belongs to the place.
    steps = [
        (step.opname, _constant(step.argval)) if step.opcode in dis.hasconst else (step.opname, step.arg, step.argval)
        for step in dis.get_instructions(code)
        if step.opname != "EXTENDED_ARG"
    ]
    return _hash(shape, code.co_flags & ~_HAS_DOCSTRING, names, code.co_exceptiontable, steps)


_HAS_DOCSTRING: Final = 0x4000000  # CPython 3.13+, inspect.CO_HAS_DOCSTRING


def _constant(value: object) -> object:
    if isinstance(value, types.CodeType):
        return _digest(value)
    if isinstance(value, (tuple, frozenset)):
        inside = [repr(_constant(item)) for item in value]
        return type(value).__name__, inside if isinstance(value, tuple) else sorted(inside)
    return type(value).__name__, repr(value)


def _hash(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two kept values are the same, as far as can be told: what cannot be compared is not."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Portrait):
        words = (one.module, one.qualname, one.digest) == (other.module, other.qualname, other.digest)
        return words and _is_same(one.held, other.held)
    if type(one) in (list, tuple):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if type(one) is dict:
        return len(one) == len(other) and all(key in other and _is_same(item, other[key]) for key, item in one.items())
    if type(one) in (float, complex):  # by repr, since 0.0 is not -0.0, and nan is nan
        return repr(one) == repr(other)
    try:
        result = one == other
    except Exception:  # noqa: BLE001 - whatever a user's __eq__ raises, the value is then computed anew, which is right
        return False
    return result is True  # an array answers with an array
