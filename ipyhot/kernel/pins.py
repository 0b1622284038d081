"""``hot.pin()``: the handlers of one generation, kept as they are whatever is saved meanwhile.

Modules keep their objects and functions their identity over every reload, so what shall stay has to be copied: each
watched module's namespace, and the functions in it with that copy as their globals and a code of their own. Whoever does
not pin pays nothing. Classes, and with them all instances, are not copied, or ``isinstance`` would break: they follow.
"""

import functools
import operator
import types
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ipyhot.core.commit import Deed, set_attribute
from ipyhot.core.imports import keep_lines
from ipyhot.core.replacement import Replacement

__all__ = ["Commits", "pinned"]

_LARGE: Final = 10_000  # a container with more items is data, and so is what lies deeper than a registry's entries
_DEEP: Final = 3
_CACHED: Final = type(functools.lru_cache(int))
_MADE_OF_FUNCTIONS: Final = (types.FunctionType, functools.partial, _CACHED)


class Commits:
    """Counts the commits, in the same step as each: two equal counts, and nothing went live between them."""

    def __init__(self) -> None:
        self.count = 0

    def deeds(self, replacements: Mapping[str, Replacement]) -> Iterable[Deed]:
        """See ``Participant.deeds``."""
        return [set_attribute(self, "count", self.count + 1)]


def pinned(commits: Commits, modules: Mapping[str, types.ModuleType], handlers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the handlers with values that stay as they are; any thread.

    Args:
        commits: tells whether something went live meanwhile; then it is done once more.
        modules: the live modules by name; the same mapping that a commit changes, or a copy of it.
        handlers: their values by handler name.
    """
    while True:
        count = commits.count
        copies = _Copies(dict(modules))
        found = {name: copies.of(value) for name, value in dict(handlers).items()}
        copies.fill()
        if commits.count == count:
            return found


class _Copies:
    """Copies of modules and of the functions in them, each made once."""

    def __init__(self, modules: Mapping[str, types.ModuleType]) -> None:
        self._originals: list[object] = []  # an id is good for as long as its object lives
        self._copies: dict[int, Any] = {}
        self._homes: dict[int, dict[str, Any]] = {}
        self._namespaces: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._depth = 0
        for module in modules.values():
            live: dict[str, Any] = object.__getattribute__(module, "__dict__")
            copy = types.ModuleType(module.__name__)
            self._remember(module, copy)
            self._homes[id(live)] = vars(copy)
            self._namespaces.append((live, vars(copy)))

    def fill(self) -> None:
        """Put into each module's copy what the module holds."""
        for live, copy in self._namespaces:
            copy.update({name: self.of(value) for name, value in dict(live).items()})

    def of(self, value: Any) -> Any:
        """Return the copy of a module, a function or what holds one; anything else is returned as it is."""
        kind = type(value)
        if id(value) in self._copies:
            return self._copies[id(value)]
        if kind is types.FunctionType:
            home = self._homes.get(id(value.__globals__))
            return value if home is None else self._function(value, home)
        if kind is functools.partial:
            return self._other(value, functools.partial(self.of(value.func), *value.args, **value.keywords), value.func)
        if kind is _CACHED:
            wrapped = self.of(value.__wrapped__)
            return self._other(value, functools.lru_cache(**value.cache_parameters())(wrapped), value.__wrapped__)
        if kind in {list, tuple, set, frozenset, dict} and 0 < len(value) <= _LARGE and self._depth < _DEEP:
            return self._container(value)
        return value

    def _function(self, live: types.FunctionType, home: dict[str, Any]) -> types.FunctionType:
        cells = live.__closure__ or ()
        changing = {index: types.CellType() for index, cell in enumerate(cells) if _holds_function(cell)}
        closure = tuple(changing.get(index, cell) for index, cell in enumerate(cells))
        copy = types.FunctionType(_code(live.__code__), home, live.__name__, live.__defaults__, closure)
        self._remember(live, copy)
        for index, cell in changing.items():
            cell.cell_contents = self.of(cells[index].cell_contents)
        copy.__kwdefaults__ = dict(live.__kwdefaults__) if live.__kwdefaults__ else None
        copy.__qualname__, copy.__module__, copy.__doc__ = live.__qualname__, live.__module__, live.__doc__
        copy.__annotations__ = dict(live.__annotations__)
        vars(copy).update({name: self.of(value) for name, value in vars(live).items()})
        return copy

    def _container(self, live: Any) -> Any:
        """Return a copy of what holds functions; a container of anything else is state, and stays the same object."""
        self._remember(live, live)  # one that holds itself
        self._depth += 1
        items = list(live.values() if type(live) is dict else live)
        copies = [self.of(item) for item in items]
        self._depth -= 1
        if all(map(operator.is_, copies, items)):
            return live
        return self._remember(live, dict(zip(live, copies, strict=False)) if type(live) is dict else type(live)(copies))

    def _other(self, live: Any, copy: Any, inner: object) -> Any:
        return live if self.of(inner) is inner else self._remember(live, copy)

    def _remember(self, live: object, copy: Any) -> Any:
        self._originals.append(live)
        self._copies[id(live)] = copy
        return copy


def _code(live: types.CodeType) -> types.CodeType:
    """Return a copy: a reload finds what is made of a code object, made now or later, by that very object."""
    consts = tuple(_code(const) if isinstance(const, types.CodeType) else const for const in live.co_consts)
    copy = live.replace(co_consts=consts)
    keep_lines(copy, live)  # the lines of a version can be read for as long as a code of its own lives
    return copy


def _holds_function(cell: types.CellType) -> bool:
    try:
        return isinstance(cell.cell_contents, _MADE_OF_FUNCTIONS)
    except ValueError:  # it is empty
        return False
