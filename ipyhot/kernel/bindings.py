"""Names that cells imported: they follow their module exactly as the import statements said.

What a cell's text says is read before it runs, so that a save during the cell is followed too; which names the cell
then bound to something of the user's own is read after it. The main thread does both, the building thread commits.
"""

import ast
import dataclasses
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ipyhot.core.commit import Deed, set_attribute, set_item
from ipyhot.core.engine import Replacement

__all__ = ["Bindings"]

_UNKNOWN: Final = object()


@dataclasses.dataclass(slots=True)
class _Binding:
    """``from module import attribute as name``; ``value`` is what the name was last seen bound to by it."""

    module: str
    attribute: str
    value: Any = _UNKNOWN


class Bindings:
    """Follows the names in the user's namespace that import statements bound.

    Args:
        namespace: the user's globals.
        is_watched: whether a module name belongs to a watched folder.
    """

    def __init__(self, namespace: dict[str, Any], is_watched: Callable[[str], bool]) -> None:
        self._namespace = namespace
        self._is_watched = is_watched
        self._bindings: dict[str, _Binding] = {}
        self._stars: dict[str, None] = {}
        self._rebound: set[str] = set()
        self._fresh: set[str] = set()
        self._committed: set[str] = set()

    def before_cell(self, text: str, transform: Callable[[str], str] = str) -> None:
        """Read which names a cell is going to import, and which of those it follows it is going to rebind."""
        self._rebound, self._fresh, self._committed = set(), set(), set()
        if "import" not in text and not any(name in text for name in self._bindings):
            return
        try:
            tree = ast.parse(transform(text))
        except (SyntaxError, ValueError):  # IPython is about to say so itself
            return
        for name, origin in _stores(tree.body):
            if name == "*" and origin is not None:
                if self._is_watched(origin[0]):
                    self._stars[origin[0]] = None
            elif origin is not None and self._is_watched(origin[0]):
                known = self._bindings.get(name)
                if known is None or (known.module, known.attribute) != origin:
                    self._bindings[name] = _Binding(*origin)
                self._fresh.add(name)
                self._rebound.discard(name)
            else:
                self._rebound.add(name)

    def after_cell(self, *, succeeded: bool) -> None:
        """Let go of the names that the cell bound to something else, and see what its imports bound."""
        for name in self._rebound & self._bindings.keys():
            binding = self._bindings[name]
            if succeeded or self._namespace.get(name, _UNKNOWN) is not binding.value:
                del self._bindings[name]
        for name in self._fresh & self._bindings.keys():
            binding = self._bindings[name]
            live = getattr(sys.modules.get(binding.module), binding.attribute, _UNKNOWN)
            if name not in self._namespace:
                del self._bindings[name]
            elif binding.module in self._committed and live is not _UNKNOWN:
                # A generation went live between the import and now; the name may hold the one before.
                self._namespace[name] = binding.value = live
            else:
                binding.value = self._namespace[name]
        self._rebound, self._fresh = set(), set()

    def deeds(self, replacements: Mapping[str, Replacement]) -> Iterator[Deed]:
        """Return what binds the user's names to the new values."""
        self._committed |= replacements.keys()
        yield from self._module_deeds(replacements)
        for name, binding in list(self._bindings.items()):
            replacement = replacements.get(binding.module)
            if replacement is None or binding.attribute not in replacement.new_namespace:
                continue
            now = self._namespace.get(name, _UNKNOWN)
            expected = binding.value
            if expected is _UNKNOWN:
                expected = replacement.old_namespace.get(binding.attribute, _UNKNOWN)
            if now is expected and now is not _UNKNOWN:
                new = replacement.new_namespace[binding.attribute]
                yield set_item(self._namespace, name, new)
                yield set_attribute(binding, "value", new)
        for module in self._stars:
            if module in replacements:
                yield from self._star_deeds(replacements[module])

    def _module_deeds(self, replacements: Mapping[str, Replacement]) -> Iterator[Deed]:
        new = {id(r.old): r.new for r in replacements.values() if r.old is not None and not r.is_drop}
        for name, value in list(self._namespace.items()):
            if isinstance(value, types.ModuleType) and id(value) in new:
                yield set_item(self._namespace, name, new[id(value)])

    def _star_deeds(self, replacement: Replacement) -> Iterator[Deed]:
        old = _public(replacement.old_namespace)
        for name, value in _public(replacement.new_namespace).items():
            now = self._namespace.get(name, _UNKNOWN)
            if now is _UNKNOWN or (name in old and now is old[name] and name not in self._bindings):
                yield set_item(self._namespace, name, value)


def _public(namespace: Mapping[str, Any]) -> dict[str, Any]:
    names = namespace.get("__all__") or [name for name in namespace if not name.startswith("_")]
    return {name: namespace[name] for name in names if name in namespace}


def _stores(statements: list[ast.stmt]) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Yield each name that statements bind at the top level, in order, with module and attribute if an import does it."""
    for statement in statements:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                origin = (statement.module or "", alias.name) if not statement.level else None
                yield ("*" if alias.name == "*" else alias.asname or alias.name), origin
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0], None
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name, None
        else:
            for node in _own_nodes(statement):
                if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                    yield node.id, None
                elif isinstance(node, ast.ExceptHandler) and node.name:
                    yield node.name, None
            for field in ("body", "orelse", "finalbody"):
                yield from _stores(getattr(statement, field, []))
            for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
                yield from _stores(part.body)


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement that run at the top level, without the statements inside it."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        yield node
        inner = ast.stmt | ast.Lambda
        stack += [child for child in ast.iter_child_nodes(node) if not isinstance(child, inner)]
