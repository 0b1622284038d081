"""What an edit changes, read from the two texts. Pure; any thread.

For now it tells people which names changed; which edits can be patched is decided here too, and until the patch way
exists the answer is always to reload.
"""

import ast
from collections.abc import Iterator

from ipyhot.core.model import Edit, Source, Way

__all__ = ["edit", "static_imports", "submodule_imports"]


def edit(old: Source | None, new: Source) -> Edit:
    """Return what changed between two sources of one module, both of which compile."""
    if old is None:
        return Edit(Way.LOAD)
    if old.digest == new.digest:
        return Edit(Way.RELOAD)
    before, after = _definitions(old), _definitions(new)
    changed = [name for name, found in after.items() if name not in before or not _is_same(before[name], found)]
    removed = [name for name in before if name not in after]
    return Edit(Way.RELOAD, tuple(changed + removed))


_Statements = list[tuple[bytes, ast.stmt]]


def _definitions(source: Source) -> dict[str, _Statements]:
    """Return the top-level names a text binds, each with the statements that do so and their text."""
    lines = source.data.splitlines(keepends=True)
    found: dict[str, _Statements] = {}
    for statement in ast.parse(source.data).body:
        text = b"".join(lines[statement.lineno - 1 : statement.end_lineno])
        for name in _bound(statement):
            found.setdefault(name, []).append((text, statement))
    return found


def _is_same(before: _Statements, after: _Statements) -> bool:
    """Tell whether two lists of statements differ in comments and places only; the same text is the usual case."""
    return [text for text, _ in before] == [text for text, _ in after] or (
        [ast.dump(statement) for _, statement in before] == [ast.dump(statement) for _, statement in after]
    )


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)


def submodule_imports(source: Source) -> Iterator[tuple[str, str]]:
    """Yield each ``from base import name`` of a text, wherever it stands, as absolute base and name.

    Such an import does not look at module ``base.name`` when ``base`` already has it as an attribute,
    so a load that touched ``base`` may have used ``base.name`` unseen.
    """
    for node in ast.walk(ast.parse(source.data)):
        if isinstance(node, ast.ImportFrom):
            base = _absolute(source, node.level, node.module)
            yield from ((base, alias.name) for alias in node.names if alias.name != "*")


def static_imports(source: Source) -> Iterator[str]:
    """Yield every module that a text may import, for a module whose load nobody watched."""
    for node in ast.walk(ast.parse(source.data)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(source, node.level, node.module)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _absolute(source: Source, level: int, module: str | None) -> str:
    if not level:
        return module or ""
    package = source.name if source.is_package else source.parent
    parts = package.split(".")[: len(package.split(".")) - (level - 1)]
    return ".".join([*parts, module] if module else parts)
