"""Functions whose definition stays take over the newest code object of it: new bodies, new line numbers.

Every function object that was ever made of one ``def`` shares its code object, so that is what they are found by: in the
module's namespace first, and by a walk over the heap if a code object turns out to be alive after the commit. Called by
the thread that builds.
"""

import collections
import functools
import sys
import types
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ipyhot.core import heap
from ipyhot.core.codes import signature
from ipyhot.core.commit import Deed, delete_item, set_attribute
from ipyhot.core.heads import Head, led
from ipyhot.core.heap import is_a
from ipyhot.core.relay import relay_of

__all__ = ["Strays", "caches_in", "deeds", "forgetting", "values_in"]

_LARGE: Final = 256
_CACHED: Final = type(functools.cache(int))


def deeds(values: Iterable[Any], codes: Mapping[int, types.CodeType], heads: Mapping[int, Head]) -> Iterator[Deed]:
    """Yield what gives functions their newest code and its defaults, and properties the docstring of theirs.

    Args:
        values: the functions and properties that may be concerned.
        codes: id of an old code object → its successor.
        heads: id of a successor → the defaults that the text gives it, as far as they are known.
    """
    for value in values:
        function: Any = value.fget if is_a(value, property) else value
        old = getattr(function, "__code__", None)
        new = codes.get(id(old))
        if new is None or new is old or old is None or new.co_freevars != old.co_freevars:
            continue
        head = led(function, new, heads.get(id(new)))
        if head is None:
            continue
        if function is value:
            yield set_attribute(function, "__code__", new)
            yield from _default_deeds(function, head)
        before, after = _doc(old), _doc(new)
        if before != after and value.__doc__ == before:
            yield set_attribute(value, "__doc__", after)


def _default_deeds(function: types.FunctionType, head: Head) -> Iterator[Deed]:
    defaults, keywords = function.__defaults__ or (), function.__kwdefaults__ or {}
    if len(defaults) != len(head.defaults) or any(a is not b for a, b in zip(defaults, head.defaults, strict=True)):
        yield set_attribute(function, "__defaults__", head.defaults or None)
    if keywords.keys() != head.kwdefaults.keys() or any(keywords[k] is not v for k, v in head.kwdefaults.items()):
        yield set_attribute(function, "__kwdefaults__", dict(head.kwdefaults) or None)


def _doc(code: types.CodeType) -> str | None:
    first = code.co_consts[0] if code.co_consts else None
    return first if is_a(first, str) else None


def caches_in(namespace: Mapping[str, Any], module: str) -> Iterator[Any]:
    """Yield the ``lru_cache`` wrappers that a namespace holds."""
    for value in values_in(namespace, module):
        if is_a(value, _CACHED):
            yield value


def forgetting(namespace: Mapping[str, Any], module: str, codes: Mapping[int, types.CodeType]) -> Iterator[Deed]:
    """Yield what makes instances forget what a ``cached_property`` has computed whose code does something else now."""
    for cls, found in _computed(namespace, module):
        new = codes.get(id(found.func.__code__)) if is_a(found.func, types.FunctionType) else None
        name = found.attrname
        if new is None or name is None or signature(new, is_body=True) == signature(found.func.__code__, is_body=True):
            continue
        for instance in heap.instances(cls):
            attributes = heap.attributes(instance)
            if (
                name in attributes
                and next(vars(base)[name] for base in type(instance).__mro__ if name in vars(base)) is found
            ):
                yield delete_item(attributes, name)


def _computed(namespace: Mapping[str, Any], module: str) -> Iterator[tuple[type, functools.cached_property[Any]]]:
    """Yield the cached properties of the classes that a module defines, and of those inside them."""
    for value in list(namespace.values()):
        if is_a(value, type) and value.__module__ == module:
            yield from ((value, member) for member in vars(value).values() if is_a(member, functools.cached_property))
            inside = f"{value.__qualname__}."
            yield from _computed(
                {key: m for key, m in vars(value).items() if is_a(m, type) and m.__qualname__.startswith(inside)}, module
            )


def values_in(namespace: Mapping[str, Any], module: str) -> Iterator[Any]:
    """Yield the functions, properties and caches that a namespace holds.

    It looks into classes of a module, into wrappers, closures, short containers and objects that can be called.
    """
    seen: set[int] = set()
    stack = [value for name, value in namespace.items() if name != "__builtins__"]  # 150 things, none of them a module's own
    while stack:
        value = stack.pop()
        kind = type(value)
        if kind in _PLAIN or id(value) in seen:
            continue
        seen.add(id(value))
        if kind is types.FunctionType:
            yield value
            if value.__closure__:
                stack += [cell.cell_contents for cell in value.__closure__ if _is_full(cell)]
            if value.__dict__:
                stack += value.__dict__.values()
            if value.__defaults__:
                stack += value.__defaults__
        elif is_a(value, type):
            if value.__module__ == module:
                stack += vars(value).values()
        elif kind in {list, tuple, set, dict} and len(value) <= _LARGE:
            stack += value.values() if kind is dict else value
        elif kind in {staticmethod, classmethod}:
            stack.append(value.__func__)
        elif kind is property:
            yield value
            stack += [value.fget, value.fset, value.fdel]
        elif kind is _CACHED:
            yield value
            stack.append(value.__wrapped__)
        elif kind is functools.partial:
            stack.append(value.func)
        elif is_a(value, _HOLDERS) or callable(value):
            stack += heap.attributes(value).values()


def _is_full(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - asking is how one learns
    except ValueError:
        return False
    return True


_PLAIN: Final = frozenset({int, str, float, bool, type(None), bytes, types.ModuleType})
_HOLDERS: Final = (functools.cached_property, functools.partialmethod, functools.singledispatchmethod)


class Strays:
    """Functions that live on outside of their module: closures made earlier, callbacks in somebody's containers.

    A walk over the heap finds them; from then on they are known, weakly, and no further walk is needed for them.
    """

    def __init__(self) -> None:
        self._known: dict[str, weakref.WeakSet[types.FunctionType]] = {}

    def of(self, module: str) -> list[types.FunctionType]:
        """Return those that are known to be made of a module's code."""
        return list(self._known.get(module, ()))

    def find(
        self, codes: Mapping[str, Mapping[weakref.ref[types.CodeType], types.CodeType]], heads: Mapping[int, Head]
    ) -> tuple[list[Deed], list[str]]:
        """Return what gives functions their newest code of which only the heap knows, and notes on what cannot have it.

        Args:
            codes: by module, old code objects that nobody should hold any more, each with its successor.
            heads: id of a successor → the defaults that the text gives it.
        """
        alive: dict[int, tuple[types.CodeType, types.CodeType]] = {}
        modules: dict[int, str] = {}
        for module, successors in codes.items():
            for ref, new in successors.items():
                code = ref()
                if code is not None:
                    alive[id(code)], modules[id(code)] = (code, new), module
        if not alive:
            return [], []
        code = None  # one variable less that holds the last of them
        running = _running()
        held = [code for key, (code, _) in alive.items() if sys.getrefcount(code) - running[key] > _BY_US]
        if not held:
            return [], []
        found = [f for f in heap.functions_of(held) if id(f.__code__) in alive and relay_of(f) is None]
        for function in found:
            self._known.setdefault(modules[id(function.__code__)], weakref.WeakSet()).add(function)
        notes = [
            _STUCK.format(name=name)
            for name in sorted({f.__code__.co_qualname for f in found if _is_stuck(f, alive, heads)})
        ]
        return list(deeds(found, {key: new for key, (_, new) in alive.items()}, heads)), notes

    def forget(self, module: str) -> None:
        """Let go of a module."""
        self._known.pop(module, None)


_STUCK: Final = "{name}: functions made of it earlier keep their code, its free variables or computed defaults changed"


def _is_stuck(
    function: types.FunctionType, alive: Mapping[int, tuple[object, types.CodeType]], heads: Mapping[int, Head]
) -> bool:
    new = alive[id(function.__code__)][1]
    return new.co_freevars != function.__code__.co_freevars or led(function, new, heads.get(id(new))) is None


_BY_US: Final = 3  # the mapping's tuple, the loop's variable, the call's argument


def _running() -> collections.Counter[int]:
    """Return how many frames of running functions hold each code object."""
    found: collections.Counter[int] = collections.Counter()
    frame: types.FrameType | None
    for frame in sys._current_frames().values():  # noqa: SLF001 - the documented way
        while frame is not None:
            found[id(frame.f_code)] += 1
            frame = frame.f_back  # noqa: PLW2901 - it walks down
    frame = None  # this frame is one of them: a variable that held it would keep it, and all below, alive
    return found
