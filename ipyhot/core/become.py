"""Puts one object in the place of another one wherever it is held, as far as Python lets that be changed.

A holder that can change is changed; one that cannot (a tuple, a frozenset, ``list[C]``) is made again, and takes the
place of the one before in what holds that. Only a walk over the heap finds the holders, so this is done after a commit,
off the hot path, and only if something is held. Called by the thread that builds.
"""

import collections
import copyreg
import functools
import operator
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Final

from ipyhot.core import heap

__all__ = ["become"]

_ROUNDS: Final = 6
_Pairs = dict[int, tuple[Any, Any]]


def become(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Let each second object stand where the first one stood.

    Args:
        pairs: old and new objects. A list that holds the new one already loses the old one.
    """
    moving: _Pairs = {id(old): (old, new) for old, new in pairs}
    done: _Pairs = {}
    for _ in range(_ROUNDS):
        if not moving:
            return
        made: _Pairs = {}
        for holder in _holders(moving):
            _change(holder, moving, made)
        done.update(moving)  # keeps the ids taken
        moving = {key: pair for key, pair in made.items() if key not in done}


def _holders(moving: _Pairs) -> list[Any]:
    old = [pair[0] for pair in moving.values()]
    ours = {id(moving), id(old), *map(id, moving.values())}
    holders = [holder for holder in heap.referrers(old) if id(holder) not in ours]
    for one in old:
        holders += weakref.getweakrefs(one) if isinstance(one, type | types.FunctionType) else []
    return holders


def _change(holder: Any, moving: _Pairs, made: _Pairs) -> None:
    if isinstance(holder, types.FrameType | types.ModuleType) or id(holder) in moving:
        return
    kind = type(holder)
    if isinstance(holder, dict):
        _change_dict(holder, moving)
    elif isinstance(holder, list | collections.deque):
        _change_sequence(holder, moving)
    elif isinstance(holder, set):
        for value in [value for value in holder if id(value) in moving]:
            holder.discard(value)
            holder.add(moving[id(value)][1])
    elif kind is types.CellType:
        holder.cell_contents = _new(holder.cell_contents, moving)
    elif kind is types.FunctionType:
        _change_attributes(holder, ("__defaults__", "__kwdefaults__", "__annotations__"), moving, setattr)
    elif kind in _MAKERS or isinstance(holder, weakref.ref | frozenset):
        again = _made_again(holder, moving)
        if again is not None:
            made[id(holder)] = holder, again
    elif not isinstance(holder, type):
        _change_instance(holder, moving)


def _new(value: Any, moving: _Pairs) -> Any:
    found = moving.get(id(value))
    return value if found is None else found[1]


def _change_dict(holder: dict[Any, Any], moving: _Pairs) -> None:
    owner = _class_of(holder)
    if owner is not None:
        for key, value in list(holder.items()):
            if id(value) in moving:
                type.__setattr__(owner, key, moving[id(value)][1])
        return
    if any(id(key) in moving for key in holder):
        items = [(_new(key, moving), _new(value, moving)) for key, value in holder.items()]
        holder.clear()
        holder.update(items)
    for key, value in list(holder.items()):
        if id(value) in moving:
            holder[key] = moving[id(value)][1]
    if isinstance(holder, collections.defaultdict):
        holder.default_factory = _new(holder.default_factory, moving)
    _change_instance(holder, moving)


def _class_of(namespace: dict[Any, Any]) -> type | None:
    """Return the class that a dict is the namespace of: Python must hear of a change of that."""
    if "__module__" not in namespace or "__name__" in namespace:
        return None
    descriptor = namespace.get("__dict__") or namespace.get("__weakref__")
    owner = getattr(descriptor, "__objclass__", None)
    if isinstance(owner, type):
        return owner
    found = (holder for holder in heap.referrers([namespace]) if isinstance(holder, type))
    return next((cls for cls in found if list(vars(cls)) == list(namespace)), None)


def _change_sequence(holder: Any, moving: _Pairs) -> None:
    for index in range(len(holder) - 1, -1, -1):
        found = moving.get(id(holder[index]))
        if found is None:
            continue
        if isinstance(holder, list) and any(other is found[1] for other in holder):
            del holder[index]  # it was put in again by being made again
        else:
            holder[index] = found[1]


def _change_instance(holder: Any, moving: _Pairs) -> None:
    # Python 3.11 keeps an instance's attributes in the instance until somebody asks for its dict.
    attributes = getattr(holder, "__dict__", None)
    if isinstance(attributes, dict):
        for key, value in list(attributes.items()):
            if id(value) in moving:
                attributes[key] = moving[id(value)][1]
    names: Iterable[str] = copyreg._slotnames(type(holder))  # type: ignore[attr-defined]  # noqa: SLF001 - pickle asks it, too
    _change_attributes(holder, names, moving, object.__setattr__)
    if isinstance(holder, BaseException):
        _change_attributes(holder, ("args",), moving, setattr)


def _change_attributes(holder: Any, names: Iterable[str], moving: _Pairs, write: Callable[[Any, str, Any], None]) -> None:
    for name in names:
        try:
            value = object.__getattribute__(holder, name)
        except AttributeError:  # a slot that is empty
            continue
        if id(value) in moving:
            write(holder, name, moving[id(value)][1])


def _made_again(holder: Any, moving: _Pairs) -> Any:
    """Return what holds the new objects as a holder that cannot change holds the old ones; None if that cannot be made."""
    if isinstance(holder, weakref.ref):
        new = _new(holder(), moving)
        return None if new is holder() else weakref.ref(new, holder.__callback__)
    if isinstance(holder, frozenset):
        return type(holder)(_new(part, moving) for part in holder)
    return _MAKERS[type(holder)](holder, moving)


def _tuple(holder: tuple[Any, ...], moving: _Pairs) -> tuple[Any, ...]:
    return tuple(_new(part, moving) for part in holder)


def _alias(holder: Any, moving: _Pairs) -> Any:
    return types.GenericAlias(_new(holder.__origin__, moving), _tuple(holder.__args__, moving))


def _union(holder: Any, moving: _Pairs) -> Any:
    return functools.reduce(operator.or_, _tuple(holder.__args__, moving))


def _method(holder: types.MethodType, moving: _Pairs) -> Any:
    return types.MethodType(_new(holder.__func__, moving), _new(holder.__self__, moving))


def _partial(holder: Any, moving: _Pairs) -> Any:
    words = {key: _new(value, moving) for key, value in holder.keywords.items()}
    return functools.partial(_new(holder.func, moving), *_tuple(holder.args, moving), **words)


def _wrapped(holder: Any, moving: _Pairs) -> Any:
    return type(holder)(_new(holder.__func__, moving))


_MAKERS: Final[dict[type, Callable[[Any, _Pairs], Any]]] = {
    tuple: _tuple,
    types.GenericAlias: _alias,
    types.UnionType: _union,
    types.MethodType: _method,
    functools.partial: _partial,
    staticmethod: _wrapped,
    classmethod: _wrapped,
}
