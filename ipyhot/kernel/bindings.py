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
from ipyhot.core.replacement import Replacement

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
        self._begin()

    def before_cell(self, text: str, transform: Callable[[str], str] = str) -> None:
        """Read which names a cell is going to import, and which of those it follows it is going to rebind."""
        self._begin()
        if "import" not in text and not any(name in text for name in self._bindings):
            return
        try:
            tree = ast.parse(transform(text))
        except (SyntaxError, ValueError):  # IPython is about to say so itself
            return
        for name, origin, is_certain in _stores([*tree.body, *_inside_magics(tree)]):
            if name == "*" and origin is not None:
                self._stars[origin[0]] = None
                self._fresh_stars.append(origin[0])
            elif origin is not None:
                known = self._bindings.get(name)
                if known is None or (known.module, known.attribute) != origin:
                    self._bindings[name] = _Binding(*origin)
                self._fresh.add(name)
                self._rebound.pop(name, None)
            else:
                self._rebound[name] = is_certain

    def after_cell(self, *, succeeded: bool) -> None:
        """Let go of the names that the cell bound to something else, and see what its imports bound."""
        for module in self._fresh_stars:
            self._see_star(module)
        for name in self._rebound.keys() & self._bindings.keys():
            binding = self._bindings[name]
            expected = _live(binding) if binding.value is _UNKNOWN else binding.value
            was_certainly_run = succeeded and self._rebound[name]
            if was_certainly_run or self._namespace.get(name, _UNKNOWN) is not expected:
                del self._bindings[name]
            elif name in self._former:
                self._fresh.add(name)
        for name in self._fresh & self._bindings.keys():
            self._settle(name, self._bindings[name])
        self._begin()

    def _settle(self, name: str, binding: _Binding) -> None:
        """See what a name holds after the cell that imports it: only what came from the module is followed."""
        now, live = self._namespace.get(name, _UNKNOWN), _live(binding)
        if live is not _UNKNOWN and any(now is former for former in self._former.get(name, ())):
            self._namespace[name] = now = live  # a generation went live between the import and now
        if now is not live or live is _UNKNOWN:
            del self._bindings[name]  # the import never ran, or something else was bound in a way its text does not show
        elif self._is_watched(binding.module):
            binding.value = now

    def _begin(self) -> None:
        self._rebound: dict[str, bool] = {}
        self._fresh: set[str] = set()
        self._fresh_stars: list[str] = []
        self._former: dict[str, list[Any]] = {}

    def _see_star(self, module: str) -> None:
        """Follow each name that a star import took, as if it had been named."""
        if not self._is_watched(module):
            return
        for name in _public(vars(sys.modules[module])) if module in sys.modules else ():
            if name not in self._rebound:
                self._bindings[name] = _Binding(module, name)
                self._fresh.add(name)

    def origin_of(self, name: str) -> str | None:
        """Return the module that a name of the user's follows, if it follows one."""
        binding = self._bindings.get(name)
        return None if binding is None else binding.module

    def deeds(self, replacements: Mapping[str, Replacement]) -> Iterator[Deed]:
        """Return what binds the user's names to the new values."""
        yield from self._module_deeds(replacements)
        for name, binding in list(self._bindings.items()):
            replacement = replacements.get(binding.module)
            if replacement is None or binding.attribute not in replacement.new_namespace:
                continue
            if name in self._fresh or name in self._rebound:
                self._former.setdefault(name, []).append(replacement.old_namespace.get(binding.attribute, _UNKNOWN))
            if name in self._rebound:
                continue  # the running cell binds it to something else, or has done so already
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
            is_new = now is _UNKNOWN and name not in old
            was_just_taken = replacement.name in self._fresh_stars and name in old and now is old[name]
            if is_new or was_just_taken:
                yield set_item(self._namespace, name, value)
                self._bindings.setdefault(name, _Binding(replacement.name, name))


def _live(binding: _Binding) -> object:
    return getattr(sys.modules.get(binding.module), binding.attribute, _UNKNOWN)


def _public(namespace: Mapping[str, Any]) -> dict[str, Any]:
    names = namespace.get("__all__") or [name for name in namespace if not name.startswith("_")]
    return {name: namespace[name] for name in names if name in namespace}


def _inside_magics(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that magics such as ``%time`` and ``%%time`` are given as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MAGICS:
            text = node.args[-1].value if node.args and isinstance(node.args[-1], ast.Constant) else None
            try:
                yield from ast.parse(text).body if isinstance(text, str) else ()
            except (SyntaxError, ValueError):  # that magic's text is no Python
                continue


_MAGICS: Final = frozenset({"run_cell_magic", "run_line_magic"})
_Store = tuple[str, tuple[str, str] | None, bool]


def _stores(statements: list[ast.stmt], *, is_certain: bool = True) -> Iterator[_Store]:
    """Yield each name that statements bind at the top level, in order.

    With it go module and attribute if an import does it, and whether the statement certainly runs: one of two branches,
    or the handler of an exception, may not.
    """
    for statement in statements:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                origin = (statement.module or "", alias.name) if not statement.level else None
                yield "*" if alias.name == "*" else alias.asname or alias.name, origin, is_certain
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0], None, is_certain
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name, None, is_certain
        else:
            yield from _inner_stores(statement, is_certain=is_certain)


def _inner_stores(statement: ast.stmt, *, is_certain: bool) -> Iterator[_Store]:
    for node in _own_nodes(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id, None, is_certain
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name, None, False
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest, None, False
    is_branch = isinstance(statement, ast.If | ast.Try | ast.TryStar | ast.Match | ast.While | ast.For)
    for field in ("body", "orelse", "finalbody"):
        yield from _stores(getattr(statement, field, []), is_certain=is_certain and not is_branch)
    for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
        yield from _stores(part.body, is_certain=False)


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement that run at the top level, without the statements inside it."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        yield node
        inner = ast.stmt | ast.Lambda
        stack += [child for child in ast.iter_child_nodes(node) if not isinstance(child, inner)]
