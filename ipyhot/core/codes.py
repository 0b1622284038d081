"""Code objects: what is inside them, what tells them apart, what they import. Pure; any thread."""

import dis
import types
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["OPTIMIZED", "CodeKey", "absolute", "codes_in", "imports", "inside", "own_codes", "runs_at_once", "signature"]

CodeKey = tuple[str, int]
OPTIMIZED: Final = 0x1  # the flag of functions, which class bodies and modules have not
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
    line = code.co_firstlineno if "__firstlineno__" in code.co_names else None  # a class says where it stands, from 3.13 on
    consts = tuple("line" if const == line else _constant(const, is_body=is_body) for const in code.co_consts)
    named = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return code.co_code, consts, named, counts, getattr(code, "co_exceptiontable", b"")


def _constant(const: object, *, is_body: bool) -> object:
    if not isinstance(const, types.CodeType):
        return type(const).__name__, repr(const)
    if is_body or runs_at_once(const):
        return signature(const, is_body=is_body)
    return const.co_qualname


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
        for instruction in dis.get_instructions(current):
            if instruction.opname == "IMPORT_NAME":
                level, names = constants[-2:]
                base = absolute(package, level if isinstance(level, int) else 0, str(instruction.argval))
                yield base, tuple(map(str, names)) if isinstance(names, tuple) else ()
            elif instruction.opname.startswith("LOAD_"):
                constants.append(instruction.argval)


def absolute(package: str, level: int, module: str) -> str:
    """Return the absolute name of what an import statement asks for; without a package its dots are kept."""
    if not level:
        return module
    if not package:
        return "." * level + module
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - (level - 1)], *([module] if module else [])])
