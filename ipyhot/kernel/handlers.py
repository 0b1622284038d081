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

    def deeds(self, replacements: Mapping[str, Replacement]) -> list[Deed]:
        """Return what puts the new values in place of the old ones."""
        values: dict[str, Any] = {}
        gone: list[str] = []
        for replacement in replacements.values():
            name = self._handler_of(replacement.name)
            if name is None:
                continue
            if replacement.is_drop or replacement.new_namespace.get("__file__") is None:
                gone.append(name)
            else:
                values[name] = replacement.new_namespace.get("exports", replacement.new)
        removals = self.forget(gone)
        return [*removals, *(deed for name, value in values.items() for deed in self._setting(name, value))]

    def forget(self, names: Iterable[str]) -> list[Deed]:
        """Return what removes some handlers, and the groups that are empty then."""
        gone = [name for name in names if name in self.root]
        deeds = [delete_item(group, rest) for name in gone for group, rest in self._places(name)]
        deeds += [delete_item(vars(group), rest) for name in gone for group, rest in self._places(name) if "." not in rest]
        for path, group in self._groups.items():
            above, _, last = path.rpartition(".")
            if path and all(f"{path}.{rest}" in gone for rest in group):
                deeds.append(delete_item(vars(self._groups[above]), last))
            elif path in gone:
                deeds.append(set_item(vars(self._groups[above]), last, group))
        return deeds

    def _setting(self, name: str, value: object) -> Iterator[Deed]:
        for group, rest in self._places(name):
            yield set_item(group, rest, value)
            first, _, more = rest.partition(".")
            path = name.removesuffix(rest) + first
            if first not in _RESERVED:
                shown = value if not more else self._shown(path)
                yield set_item(vars(group), first, shown)

    def _shown(self, path: str) -> object:
        """Return what stands at a path that has handlers below it: its own handler if it is one, else the group."""
        return self.root[path] if path in self.root else self._groups[path]

    def _places(self, name: str) -> list[tuple[Handlers, str]]:
        """Return each group a handler stands in, with its name there; groups are made as needed."""
        parts = name.split(".")
        paths = [".".join(parts[:depth]) for depth in range(len(parts))]
        for path in paths:
            self._groups.setdefault(path, Handlers())
        return [(self._groups[path], ".".join(parts[depth:])) for depth, path in enumerate(paths)]


class _Repr(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60


_repr: Final = _Repr()


def _short(value: object) -> str:
    if isinstance(value, types.ModuleType):
        return f"<module {value.__name__!r}>"
    return _repr.repr(value)
