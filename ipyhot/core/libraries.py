"""What the classes of a library ask of those that are derived from them: which of their methods it may call."""

import functools
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from ipyhot.core.codes import codes_in
from ipyhot.core.heap import is_a

__all__ = ["ANYTHING", "asked_by_bases"]

ANYTHING: Final = frozenset({"getattr"})  # who asks for this, asks for any attribute
_MAKERS: Final = ("__init__", "__new__")
_KNOWN_METACLASSES: Final = frozenset({"abc", "builtins", "enum", "typing"})  # by module: they add no calls of methods
_MOST: Final = 300  # functions that are followed


def asked_by_bases(made: Any, asked: Iterable[str], is_watched: Callable[[str], bool]) -> frozenset[str]:
    """Return the attributes that bases of a class ask for, by all that their code names, in turn for what is asked of it.

    Args:
        made: a class; anything else has no bases.
        asked: attributes that are asked for of its objects, beside what makes them.
        is_watched: whether a module belongs to a watched folder; what such bases ask for is known from their text.
    """
    if not is_a(made, type):
        return frozenset()
    kind = type(made)
    if kind.__module__ not in _KNOWN_METACLASSES and not is_watched(kind.__module__):
        return ANYTHING
    strangers = tuple(one for one in made.__mro__ if one is not object and not is_watched(str(one.__module__)))
    return frozenset().union(*(_asked(strangers, name) for name in (*_MAKERS, *asked))) if strangers else frozenset()


@functools.lru_cache(4096)
def _asked(classes: tuple[type, ...], name: str) -> frozenset[str]:
    """Return the attributes that a method of some classes asks for, and those that it may call of them in turn."""
    asked: set[str] = set()
    waiting = [name]
    codes: set[types.CodeType] = set()
    while waiting:
        for function in _functions(classes, waiting.pop()):
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
        if is_a(found, classmethod | staticmethod):
            found = found.__func__
        elif is_a(found, property):
            found = found.fget
        if is_a(found, types.FunctionType):
            yield found
