"""What an edit changes, and what a code object imports. Pure; any thread.

Trees of the ``ast`` module are not made here: CPython 3.11 keeps one counter for all threads that make some, so doing
it beside the main thread, where IPython does the same with each cell, ends in a SystemError for one of the two.

For now it tells people which names changed; which edits can be patched is decided here too, and until the patch way
exists the answer is always to reload.
"""

import dis
import re
import types
from collections.abc import Iterator
from typing import Final

from ipyhot.core.model import Edit, Source, Way

__all__ = ["edit", "imports"]

_BINDING: Final = re.compile(r"(?:async\s+def|def|class)\s+(\w+)|(\w+)\s*(?::[^=\n]*)?=(?!=)")


def edit(old: Source | None, new: Source) -> Edit:
    """Return what changed between two sources of one module, both of which compile."""
    if old is None:
        return Edit(Way.LOAD)
    before, after = _blocks(old.data), _blocks(new.data)
    changed = [name for name, text in after.items() if before.get(name) != text]
    removed = [name for name in before if name not in after]
    return Edit(Way.RELOAD, tuple(changed + removed))


def _blocks(data: bytes) -> dict[str, str]:
    """Return the names that lines without indentation bind, each with the text up to the next such line."""
    found: dict[str, str] = {}
    name = ""
    for line in data.decode("utf-8", "replace").splitlines():
        match = _BINDING.match(line)
        if match:
            name = match[1] or match[2]
        elif line[:1] not in {"", " ", "\t", "#", ")", "]", "}"}:
            name = ""
        if name and line.strip():
            found[name] = f"{found.get(name, '')}{line}\n"
    return found


def imports(code: types.CodeType, package: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each import statement of a code object and of those inside it: the module, and the names taken from it.

    Args:
        code: a compiled file.
        package: the package that relative imports start from.
    """
    stack = [code]
    while stack:
        current = stack.pop()
        stack += [const for const in current.co_consts if isinstance(const, types.CodeType)]
        constants: list[object] = [None, None]
        for instruction in dis.get_instructions(current):
            if instruction.opname == "IMPORT_NAME":
                level, names = constants[-2:]
                base = _absolute(package, level if isinstance(level, int) else 0, str(instruction.argval))
                yield base, tuple(map(str, names)) if isinstance(names, tuple) else ()
            elif instruction.opname.startswith("LOAD_"):
                constants.append(instruction.argval)


def _absolute(package: str, level: int, module: str) -> str:
    if not level:
        return module
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - (level - 1)], *([module] if module else [])])
