"""All or nothing: a list of deeds, each with its inverse, done in one call of C code.

No bytecode runs between two deeds, so under the GIL no other thread does either. Any thread may call this.
"""

import collections
import contextlib
import gc
import operator
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

__all__ = ["Deed", "commit", "delete_item", "set_attribute", "set_item"]

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Deed:
    """One change of the live world. Both halves must be C callables, or the commit is not one step."""

    do: Callable[[], object]
    undo: Callable[[], object]


def set_item(mapping: dict[str, Any], key: str, value: object) -> Deed:
    """Return the deed that binds a key of a plain dict."""
    old = mapping.get(key, _ABSENT)
    undo = partial(dict.pop, mapping, key, None) if old is _ABSENT else partial(dict.__setitem__, mapping, key, old)
    return Deed(partial(dict.__setitem__, mapping, key, value), undo)


def delete_item(mapping: dict[str, Any], key: str) -> Deed:
    """Return the deed that removes a key of a plain dict; an absent key is no error."""
    old = mapping.get(key, _ABSENT)
    undo = partial(dict.get, mapping, key) if old is _ABSENT else partial(dict.__setitem__, mapping, key, old)
    return Deed(partial(dict.pop, mapping, key, None), undo)


def set_attribute(
    owner: object, name: str, value: object, *, write: Callable[[Any, str, Any], None] = object.__setattr__
) -> Deed:
    """Return the deed that sets an attribute which the owner itself has already."""
    return Deed(partial(write, owner, name, value), partial(write, owner, name, getattr(owner, name)))


def commit(deeds: Sequence[Deed]) -> None:
    """Do all deeds in order, or none.

    Raises:
        Exception: what the failing deed raised, after those before it were undone in reverse order.
    """
    remaining = iter([deed.do for deed in deeds])
    with _no_garbage_collection(), _no_warnings():
        try:
            _run(remaining)
        except BaseException:
            done = len(deeds) - operator.length_hint(remaining) - 1
            _run([deed.undo for deed in reversed(deeds[:done])])
            raise


def _run(deeds: Iterable[Callable[[], object]]) -> None:
    collections.deque(map(operator.call, deeds), maxlen=0)


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    # From Python 3.13 on a function that becomes a generator, or the reverse, is warned of, in Python code.
    if sys.version_info >= (3, 13):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Assigning a code object of non-matching type", DeprecationWarning)
            yield
    else:
        yield


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    # A collection inside the call would run finalisers, which are Python code: threads could switch there.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
