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
        for name, dependencies in (edges or {}).items():
            self.replace(name, dependencies)

    def replace(self, name: str, dependencies: Iterable[str]) -> None:
        """Record what the newest load of a module imported; what only an earlier load imported is forgotten."""
        self.remove(name)
        self._dependencies[name] = found = frozenset(dependencies) - {name}
        for dependency in found:
            self._dependents.setdefault(dependency, {})[name] = None

    def remove(self, name: str) -> None:
        """Forget what a module imported; those who import it still do."""
        for dependency in self._dependencies.pop(name, ()):
            others = self._dependents[dependency]
            del others[name]
            if not others:
                del self._dependents[dependency]

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
