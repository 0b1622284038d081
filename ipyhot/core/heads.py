"""With which defaults a function inside another one is made, as far as the code around it says. Pure; any thread.

A closure that was made earlier takes over new code. Its defaults go along: those that are constants are known, those that
are computed stay what they were, by name.
"""

import dis
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipyhot.core.codes import inside, instructions

__all__ = ["Head", "heads_in", "led"]


class _Unknown:
    """A value that only running the code would tell."""


UNKNOWN: Final = _Unknown()
_POSITIONAL: Final = 1
_KEYWORD: Final = 2
_ANNOTATIONS: Final = 4
_CLOSURE: Final = 8
_FLAGS: Final = (_CLOSURE, _ANNOTATIONS, _KEYWORD, _POSITIONAL)  # as they lie on the stack, last first
_SINGLE: Final = frozenset(
    {
        "LOAD_CLASSDEREF",
        "LOAD_CLOSURE",
        "LOAD_DEREF",
        "LOAD_FAST",
        "LOAD_FAST_CHECK",
        "LOAD_GLOBAL",
        "LOAD_NAME",
    }
)
_SILENT: Final = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "PUSH_NULL", "RESUME"})


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Defaults of positional parameters and of those that are given by keyword; what is computed is unknown."""

    defaults: tuple[Any, ...]
    kwdefaults: Mapping[str, Any]


def heads_in(codes: Iterable[types.CodeType]) -> dict[int, Head]:
    """Return the heads of the functions right inside some code objects, by the id of their code.

    What cannot be followed is left out. From Python 3.13 on a function gets its parts one by one, which is not followed.
    """
    found: dict[int, Head] = {}
    if "SET_FUNCTION_ATTRIBUTE" in dis.opmap:
        return found
    for code in codes:
        if any(True for _ in inside(code)):
            _read(code, found)
    return found


def _read(code: types.CodeType, found: dict[int, Head]) -> None:
    stack: list[Any] = []
    for name, value in instructions(code):
        if name in _SILENT:
            continue
        if name == "LOAD_CONST":
            stack.append(value)
        elif name in _SINGLE:
            stack.append(UNKNOWN)
        elif name == "BUILD_TUPLE" and len(stack) >= value:
            stack[len(stack) - value :] = [tuple(stack[len(stack) - value :])]
        elif name == "BUILD_CONST_KEY_MAP" and len(stack) > value:
            keys = stack.pop()
            stack[len(stack) - value :] = [dict(zip(keys, stack[len(stack) - value :], strict=True))]
        elif name == "MAKE_FUNCTION" and stack and isinstance(stack[-1], types.CodeType):
            _note(stack, value, found)
        else:
            stack.clear()


def _note(stack: list[Any], flags: int, found: dict[int, Head]) -> None:
    """Take what a function is made of off the stack, and note its head."""
    code = stack.pop()
    parts: dict[int, Any] = {}
    for flag in _FLAGS:
        if flags & flag:
            if not stack:
                return
            parts[flag] = stack.pop()
    defaults, keywords = parts.get(_POSITIONAL, ()), parts.get(_KEYWORD, {})
    if isinstance(defaults, tuple) and isinstance(keywords, dict):
        found[id(code)] = Head(defaults, keywords)
    stack.append(UNKNOWN)


def led(function: types.FunctionType, new: types.CodeType, head: Head | None) -> Head | None:
    """Return the defaults that a function is to have with a newer code; None if they cannot be told.

    Args:
        function: as it is, with its older code.
        new: the code it is to take over.
        head: what the newer text says; None if that is not known.
    """
    old, defaults = function.__code__, function.__defaults__ or ()
    if head is None:
        # A definition that no function makes was not run again only if its defaults are the same.
        is_same = "<locals>" not in new.co_qualname or _parameters(old) == _parameters(new)
        return Head(defaults, function.__kwdefaults__ or {}) if is_same else None
    before = _by_name(function)
    names = new.co_varnames[: new.co_argcount]
    positional = names[len(names) - len(head.defaults) :]
    standing = defaults if len(defaults) == len(head.defaults) else (UNKNOWN,) * len(head.defaults)
    made = tuple(
        before.get(name, old_value) if value is UNKNOWN else value
        for name, value, old_value in zip(positional, head.defaults, standing, strict=True)
    )
    keywords = {name: before.get(name, UNKNOWN) if value is UNKNOWN else value for name, value in head.kwdefaults.items()}
    is_known = all(value is not UNKNOWN for value in (*made, *keywords.values()))
    return Head(made, keywords) if is_known else None


def _by_name(function: types.FunctionType) -> dict[str, Any]:
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    return dict(zip(names[len(names) - len(defaults) :], defaults, strict=True)) | (function.__kwdefaults__ or {})


def _parameters(code: types.CodeType) -> tuple[object, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    return code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_varnames[:count]
