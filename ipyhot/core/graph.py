"""Who imported whom while loading. Pure bookkeeping: names in, names out; one thread at a time."""

from collections.abc import Iterable, Mapping

__all__ = ["Graph"]


class Graph:
    """The import edges that the last load of each module recorded, readable both ways.

    A name that was asked for and is not there is a node too: that is how a new file heals those who waited for it.
    """

    def __init__(self, edges: Mapping[str, Iterable[str]] | None = None) -> None:
        self._dependencies: dict[str, frozenset[str]] = {}
        self._dependents: dict[str, dict[str, None]] = {}
        self._computing: dict[str, dict[str, None]] = {}  # those of the dependents through which an edit may reach on
        self._inert: set[str] = set()
        for name, dependencies in (edges or {}).items():
            self.replace(name, dependencies)

    def replace(self, name: str, dependencies: Iterable[str], *, is_inert: bool = False) -> None:
        """Record what the newest load of a module imported; what only an earlier load imported is forgotten.

        Args:
            name: the module.
            dependencies: what it imported.
            is_inert: its load does nothing but define and import: what it imports may behave differently, and it
                need not be looked at, unless somebody imports it.
        """
        self.remove(name)
        if is_inert:
            self._inert.add(name)
        self._dependencies[name] = found = frozenset(dependencies) - {name}
        for dependency in found:
            self._dependents.setdefault(dependency, {})[name] = None
            if name not in self._inert or self._dependents.get(name):
                self._computing.setdefault(dependency, {})[name] = None
            if dependency in self._inert:
                for other in self._dependencies.get(dependency, ()):
                    self._computing.setdefault(other, {})[dependency] = None

    def remove(self, name: str) -> None:
        """Forget what a module imported; those who import it still do."""
        self._inert.discard(name)
        for dependency in self._dependencies.pop(name, ()):
            for table in (self._dependents, self._computing):
                others = table.get(dependency, {})
                others.pop(name, None)
                if not others:
                    table.pop(dependency, None)

    def importers(self, name: str, *, is_rebinding: bool) -> list[str]:
        """Return who imports a module: all, or those whom it may reach although the names it binds stay the same."""
        return list((self._dependents if is_rebinding else self._computing).get(name, ()))

    def dependencies(self, name: str) -> frozenset[str]:
        """Return what a module imported while it loaded."""
        return self._dependencies.get(name, frozenset())

    def dependents(self, names: Iterable[str]) -> dict[str, str]:
        """Return all that imports one of the names, directly or not, each with the module that led to it."""
        found: dict[str, str] = {}
        given = set(names)
        stack = list(given)
        while stack:
            name = stack.pop()
            for dependent in self._dependents.get(name, ()):
                if dependent not in found and dependent not in given:
                    found[dependent] = name
                    stack.append(dependent)
        return found
