"""What random programs take from the standard library: it must be the same after each save, whatever was edited."""

import abc
import dataclasses
import enum
import functools
import types
import typing
from typing import Any

_WATCHED_OVER: list[Any] = [
    enum,
    enum.Enum,
    enum.IntEnum,
    enum.Flag,
    enum.IntFlag,
    enum.EnumType,
    dataclasses,
    dataclasses.Field,
]
_WATCHED_OVER += [functools, functools.cached_property, typing, typing.Generic, abc, abc.ABC, abc.ABCMeta]
_PASSING = {"__abstractmethods__", "_abc_impl", "__warningregistry__"}


def _function_of(value: object) -> types.FunctionType | None:
    value = getattr(value, "__func__", value)
    return value if isinstance(value, types.FunctionType) else None


for _one in _WATCHED_OVER:
    getattr(_one, "__annotations__", None)  # the first to ask makes them, and IPython asks when it is imported
_MEMBERS = [{**vars(one)} for one in _WATCHED_OVER]
_FUNCTIONS = {fn for members in _MEMBERS for value in members.values() if (fn := _function_of(value)) is not None}
_STATES = [(fn, fn.__code__, fn.__defaults__, fn.__kwdefaults__) for fn in _FUNCTIONS]


def put_back() -> list[str]:
    """Return what was changed, and undo it, so that the next program does not suffer."""
    changed = []
    for one, before in zip(_WATCHED_OVER, _MEMBERS, strict=True):
        now = vars(one)
        for name in {*before, *now} - _PASSING:
            if now.get(name) is not before.get(name):
                changed.append(f"{one.__name__}.{name}")
                _set(one, name, before)
    for fn, code, defaults, kwdefaults in _STATES:
        if fn.__code__ is not code or fn.__defaults__ is not defaults or fn.__kwdefaults__ is not kwdefaults:
            changed.append(f"the function {fn.__module__}.{fn.__qualname__}")
            fn.__code__, fn.__defaults__, fn.__kwdefaults__ = code, defaults, kwdefaults
    return sorted(changed)


def _set(one: Any, name: str, before: dict[str, Any]) -> None:
    kind = type if isinstance(one, type) else type(one)
    kind.__setattr__(one, name, before[name]) if name in before else kind.__delattr__(one, name)
