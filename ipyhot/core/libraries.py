"""What the classes of a library ask of those that are derived from them, when an object of these is made."""

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any, Final

from ipyhot.core.codes import codes_in

__all__ = ["ANYTHING", "asked_by_bases"]

ANYTHING: Final = frozenset({"getattr"})  # who asks for this, asks for any attribute
_MAKERS: Final = ("__init__", "__new__")
_KNOWN_METACLASSES: Final = frozenset({"abc", "builtins", "enum", "typing"})  # by module: they add no calls of methods
_MOST: Final = 300  # functions that are followed


def asked_by_bases(made: object, is_watched: Callable[[str], bool]) -> frozenset[str]:
    """Return the attributes that bases of a class ask for while an object is made, by all that their code names.

    Args:
        made: a class; anything else has no bases.
        is_watched: whether a module belongs to a watched folder; what such bases ask for is known from their text.
    """
    if not issubclass(type(made), type):
        return frozenset()
    strangers = tuple(one for one in type.mro(made) if one is not object and not is_watched(one.__module__))  # type: ignore[arg-type]
    kind = type(made)
    if kind.__module__ not in _KNOWN_METACLASSES and not is_watched(kind.__module__):
        return ANYTHING
    return _asked(strangers) if strangers else frozenset()


@functools.lru_cache(256)
def _asked(classes: tuple[type, ...]) -> frozenset[str]:
    asked: set[str] = set()
    waiting = list(_MAKERS)
    codes: set[types.CodeType] = set()
    while waiting:
        name = waiting.pop()
        for function in _functions(classes, name):
            if function.__code__ in codes:
                continue
            codes.add(function.__code__)
            for code in (function.__code__, *codes_in(function.__code__)):
                waiting += set(code.co_names) - asked
                asked |= set(code.co_names)
        if len(codes) > _MOST:
            return ANYTHING
    return frozenset(asked)


def _functions(classes: tuple[type, ...], name: str) -> Iterator[types.FunctionType]:
    for one in classes:
        found: Any = vars(one).get(name)
        found = getattr(found, "__func__", getattr(found, "fget", found))
        if isinstance(found, types.FunctionType):
            yield found
