"""``hot.handlers``: a read-only mapping from handler name to value, with attributes beside the items.

Values stand in plain dicts, so reading one costs what Python's own attribute costs. Only a commit changes them.
"""

import reprlib
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn

from ipyhot.core.commit import Deed, delete_item, set_item
from ipyhot.core.engine import Replacement

__all__ = ["Handlers"]

_SHOWN: Final = 40


class Handlers(dict[str, Any]):
    """Handler name → value: what the file binds to ``exports``, else its module.

    ``handlers["billing.invoice"]`` and ``handlers.billing.invoice`` are the same. A name that a mapping method has
    already, such as ``keys``, is reached by item only.
    """

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("hot.handlers follows the files; save a file to change it.")

    __setitem__ = __delitem__ = __setattr__ = __delattr__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __repr__(self) -> str:
        shown = [f"{name!r}: {_short(value)}" for name, value in list(self.items())[:_SHOWN]]
        more = [f"… {len(self) - _SHOWN} more"] if len(self) > _SHOWN else []
        return "{" + ", ".join([*shown, *more]) + "}"

    def __dir__(self) -> list[str]:
        return [name for name in vars(self) if name.isidentifier()]


_RESERVED: Final = frozenset(dir(dict)) | frozenset(vars(Handlers))


class HandlerTree:
    """Keeps ``hot.handlers`` in step with the modules; takes part in each commit."""

    def __init__(self, handler_of: Callable[[str], str | None]) -> None:
        self.root = Handlers()
        self._handler_of = handler_of
        self._groups: dict[str, Handlers] = {"": self.root}

    def deeds(self, replacements: Mapping[str, Replacement]) -> Iterator[Deed]:
        """Return what puts the new values in place of the old ones."""
        for replacement in replacements.values():
            name = self._handler_of(replacement.name)
            if name is None:
                continue
            if replacement.is_drop:
                yield from self._removal(name)
            elif replacement.new_namespace.get("__file__") is not None:
                yield from self._setting(name, replacement.new_namespace.get("exports", replacement.new))

    def forget(self, names: Iterable[str]) -> list[Deed]:
        """Return what removes some handlers."""
        return [deed for name in names for deed in self._removal(name)]

    def _setting(self, name: str, value: object) -> Iterator[Deed]:
        for group, rest in self._paths(name):
            yield set_item(group, rest, value)
            if "." not in rest and rest not in _RESERVED:
                yield set_item(vars(group), rest, value)

    def _removal(self, name: str) -> Iterator[Deed]:
        for group, rest in self._paths(name):
            yield delete_item(group, rest)
            if "." in rest:
                continue
            below = self._groups.get(name)
            yield set_item(vars(group), rest, below) if below else delete_item(vars(group), rest)

    def _paths(self, name: str) -> Iterator[tuple[Handlers, str]]:
        """Yield each group a handler stands in, with its name there; groups are made as needed."""
        parts = name.split(".")
        for depth in range(len(parts)):
            path = ".".join(parts[:depth])
            if path not in self._groups:
                self._groups[path] = Handlers()
                above = self._groups[".".join(parts[: depth - 1])]
                if parts[depth - 1] not in _RESERVED:
                    vars(above).setdefault(parts[depth - 1], self._groups[path])
            yield self._groups[path], ".".join(parts[depth:])


class _Repr(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60


_repr: Final = _Repr()


def _short(value: object) -> str:
    if isinstance(value, types.ModuleType):
        return f"<module {value.__name__!r}>"
    return _repr.repr(value)
