"""Code objects: what is inside them, what tells them apart, what they import. Pure; any thread."""

import dis
import itertools
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

__all__ = [
    "OPTIMIZED",
    "CodeKey",
    "absolute",
    "calls_unnamed",
    "codes_in",
    "imports",
    "inside",
    "instructions",
    "own_codes",
    "runs_at_once",
    "signature",
]

CodeKey = tuple[str, int]
OPTIMIZED: Final = 0x1  # the flag of functions, which class bodies and modules have not
_PLACE: Final = "__firstlineno__"
_COMPREHENSIONS: Final = frozenset({"<dictcomp>", "<genexpr>", "<listcomp>", "<setcomp>"})


def runs_at_once(code: types.CodeType) -> bool:
    """Tell whether a code object inside another one runs along with it: a class body, a comprehension."""
    return not code.co_flags & OPTIMIZED or code.co_name in _COMPREHENSIONS or code.co_name.startswith("<generic")


def inside(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield the code objects right inside another one."""
    return (const for const in code.co_consts if isinstance(const, types.CodeType))


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield every code object inside another one, outer ones first, in the order of the text."""
    for inner in inside(code):
        yield inner
        yield from codes_in(inner)


def own_codes(codes: Iterable[types.CodeType]) -> dict[CodeKey, types.CodeType]:
    """Return code objects by qualified name, with a number for those that share one."""
    found: dict[CodeKey, types.CodeType] = {}
    seen: dict[str, int] = {}
    for code in codes:
        number = seen[code.co_qualname] = seen.get(code.co_qualname, -1) + 1
        found[code.co_qualname, number] = code
    return found


def signature(code: types.CodeType, *, is_body: bool = False) -> object:
    """Return what tells two code objects apart, lines and the bodies of functions inside left out.

    Args:
        code: a code object.
        is_body: compare the functions inside as well.
    """
    named = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    if (
        _PLACE in code.co_names
    ):  # a class says where it stands, from 3.13 on; that may be one constant with a number of its own
        steps = instructions(code)
        told = [step for step, after in zip(steps, [*steps[1:], None], strict=True) if after != ("STORE_NAME", _PLACE)]
        does: object = tuple((name, _constant(value, is_body=is_body)) for name, value in told)
    else:
        does = code.co_code, tuple(_constant(const, is_body=is_body) for const in code.co_consts)
    return does, named, counts, getattr(code, "co_exceptiontable", b"")


def _constant(const: object, *, is_body: bool) -> object:
    if not isinstance(const, types.CodeType):
        return type(const).__name__, repr(const)
    if is_body or runs_at_once(const):
        return signature(const, is_body=is_body)
    return const.co_qualname


def instructions(code: types.CodeType) -> list[tuple[str, Any]]:
    """Return the name of each instruction and what it works on: a name, a constant, a free variable, or a bare number.

    ``dis`` finds lines, positions and targets of jumps as well, and takes six times as long.
    """
    found: list[tuple[str, Any]] = []
    data, high = code.co_code, 0
    for number, argument in zip(data[::2], data[1::2], strict=True):
        value: Any = argument | high
        high = value << 8 if number == _EXTENDED else 0
        if number in _NAME_FLAGS:
            value = code.co_names[value >> _NAME_FLAGS[number]]
        elif number in _CONSTANT:
            value = code.co_consts[value]
        elif number in _FREE:
            value = _variables(code)[value]
        if number not in _UNSEEN:
            found.append((dis.opname[number], value))
    return found


def _variables(code: types.CodeType) -> tuple[str, ...]:
    """Return a function's variables as CPython numbers them: an argument that is a cell, too, has one place."""
    cells = tuple(name for name in code.co_cellvars if name not in code.co_varnames)
    return code.co_varnames + cells + code.co_freevars


def _name_flags(number: int) -> int:
    """Return how many low bits of an instruction's argument are no part of the index of its name, which ``dis`` knows."""
    # CPython writes counters into the caches behind an instruction when it makes the code object: they have to be there.
    read = next(dis.get_instructions(_NUMBERED.replace(co_code=bytes([number, 8, *_CACHES]))))  # name 8, 4, 2 or 1
    return 4 - int(read.argval).bit_length()


_LAST: Final = 0xFF  # those above are the compiler's own
_CACHES: Final = bytes(2 * 16)  # more than any instruction has
_NUMBERED: Final = compile("", "", "exec").replace(co_names=tuple("012345678"))
_NAME_FLAGS: Final = {number: _name_flags(number) for number in dis.hasname if number <= _LAST}
_CONSTANT: Final = frozenset(dis.hasconst)
_FREE: Final = frozenset(dis.hasfree)
_EXTENDED: Final = dis.EXTENDED_ARG
_UNSEEN: Final = frozenset({dis.opmap["CACHE"], _EXTENDED})


def calls_unnamed(code: types.CodeType) -> bool:
    """Tell whether code calls a local variable, an item of something, or what a call has returned: ``TABLE[key]()``."""
    names: list[str] = []
    for number, argument in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        if number == _GLOBAL and argument & 1 and not _NULL_FOLLOWS:  # both in one
            names.append("PUSH_NULL")
        if number not in _UNSEEN:
            names.append(dis.opname[number])
    if _NULL_FOLLOWS:
        return any(name == "PUSH_NULL" and before.startswith(_UNNAMED) for before, name in itertools.pairwise(names))
    return any(_is_unnamed(names[index + 1 :]) for index, name in enumerate(names) if name == "PUSH_NULL")


_GLOBAL: Final = dis.opmap["LOAD_GLOBAL"]
_NULL_FOLLOWS: Final = sys.version_info >= (3, 13)  # what is called is pushed before the mark of a plain call, not after it
_UNNAMED: Final = ("BINARY_SUBSCR", "CALL", "LOAD_DEREF", "LOAD_FAST", "PUSH_NULL", "STORE_FAST_LOAD_FAST")


def _is_unnamed(names: Sequence[str]) -> bool:
    """Tell whether what instructions push first is not what a global name stands for, or an attribute of that."""
    if names[0].startswith(_UNNAMED):
        return True
    pushed = 0
    for name in names:
        if name in {"BINARY_SUBSCR", "LOAD_METHOD"}:
            return pushed == (2 if name == "BINARY_SUBSCR" else 1)  # else it belongs to an argument
        if not name.startswith("LOAD_"):
            return False
        pushed += name != "LOAD_ATTR"
    return False


def imports(code: types.CodeType, package: str, *, is_deep: bool = True) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each import statement of a code object: the module, and the names taken from it.

    Args:
        code: a compiled file.
        package: the package that relative imports start from; if it is empty, their dots are kept.
        is_deep: look into functions as well, not only at what runs while the file is loaded.
    """
    stack = [code]
    while stack:
        current = stack.pop()
        stack += [inner for inner in inside(current) if is_deep or runs_at_once(inner)]
        constants: list[object] = [None, None]
        for name, value in instructions(current):
            if name == "IMPORT_NAME":
                level, names = constants[-2:]
                base = absolute(package, level if isinstance(level, int) else 0, value)
                yield base, tuple(map(str, names)) if isinstance(names, tuple) else ()
            elif name.startswith("LOAD_"):
                constants.append(value)


def absolute(package: str, level: int, module: str) -> str:
    """Return the absolute name of what an import statement asks for; without a package its dots are kept."""
    if not level:
        return module
    if not package:
        return "." * level + module
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - (level - 1)], *([module] if module else [])])
