"""Things of the standard library that hold functions: methods, properties, caches, partials.

What they hold, and how they are made again around something else. Called by the thread that builds.
"""

import functools
import types
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, Final

from ipyhot.core import heap
from ipyhot.core.heap import is_a

__all__ = [
    "ABSENT",
    "ACCESSORS",
    "CACHED",
    "REBUILT",
    "WRAPPED",
    "all_is",
    "contents",
    "insides",
    "point_at_class",
    "rebuilt",
]

ABSENT: Final = object()  # stands where nothing does: an empty cell, a name that is not bound
CACHED: Final = type(functools.cache(int))
WRAPPED: Final = "~"  # ends the path of what a wrapper holds: f and what it wraps lead to different successors
ACCESSORS: Final = ("fget", "fset", "fdel")
REBUILT: Final = frozenset(
    {
        staticmethod,
        classmethod,
        property,
        partial,
        CACHED,
        functools.cached_property,
        functools.partialmethod,
        functools.singledispatchmethod,
    }
)


def rebuilt(value: Any, lead: Callable[[Any], Any]) -> Any:
    """Return a wrapper around what the parts of one lead to; the same if they stay, or if it lets its parts be set.

    Args:
        value: of one of the types in ``REBUILT``.
        lead: says what is to stand in place of a part.
    """
    if is_a(value, staticmethod | classmethod):
        function = lead(value.__func__)
        return value if function is value.__func__ else type(value)(function)
    if is_a(value, property):
        parts = [lead(getattr(value, part)) for part in ACCESSORS]
        is_same = all(part is getattr(value, name) for part, name in zip(parts, ACCESSORS, strict=True))
        return value if is_same else property(*parts, value.__doc__)  # type: ignore[call-arg]  # they are three
    if is_a(value, CACHED):
        function = lead(value.__wrapped__)
        return value if function is value.__wrapped__ else functools.lru_cache(**value.cache_parameters())(function)
    if is_a(value, partial):
        function = lead(value.func)
        parts = [lead(part) for part in value.args]
        named = {key: lead(part) for key, part in value.keywords.items()}
        is_same = function is value.func and all_is(parts, value.args)
        is_same = is_same and all_is(named.values(), value.keywords.values())
        return value if is_same else partial(function, *parts, **named)
    for key, part in list(vars(value).items()):
        vars(value)[key] = lead(part)
    return value


def insides(old: Any, new: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the functions that an outlived wrapper holds, each with what leads on."""
    if is_a(old, staticmethod | classmethod):
        yield old.__func__, getattr(new, "__func__", new)
    elif is_a(old, property) and is_a(new, property):
        for part in ACCESSORS:
            before, after = getattr(old, part), getattr(new, part)
            if before is not None and after is not None and before is not after:
                yield before, after
    elif is_a(old, partial) and callable(new):
        yield old.func, getattr(new, "func", new)


def contents(cell: types.CellType) -> Any:
    """Return what a cell holds; ``ABSENT`` if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def all_is(some: Collection[Any], others: Collection[Any]) -> bool:
    """Tell whether two collections hold the same objects in the same order."""
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def point_at_class(member: Any, staged: type, live: type) -> None:
    """Let ``super()`` in a function of a staged class mean the live class that takes the function over."""
    for function in _functions(member):
        cell = heap.closure(function).get("__class__") if function.__closure__ else None
        if cell is not None and contents(cell) is staged:
            cell.cell_contents = live


def _functions(member: Any) -> Iterator[types.FunctionType]:
    stack, seen = [member], set[int]()
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if is_a(value, types.FunctionType):
            yield value
            stack += [contents(cell) for cell in value.__closure__ or ()]
            stack.append(value.__dict__.get("__wrapped__"))
        elif is_a(value, staticmethod | classmethod | CACHED):
            stack.append(value.__wrapped__)
        elif is_a(value, property):
            stack += [value.fget, value.fset, value.fdel]
        elif type(value) in REBUILT:
            stack += [getattr(value, "func", None), *heap.attributes(value).values()]
