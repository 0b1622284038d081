"""``hot.handlers``: a read-only mapping from handler name to value, with attributes beside the items.

Values stand in plain dicts, so reading one costs what Python's own attribute costs. Only a commit changes them.
"""

import reprlib
import types
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NoReturn

from ipyhot.core.commit import Deed, commit, delete_item, set_item
from ipyhot.core.replacement import Replacement
from ipyhot.kernel import page

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

    def _repr_html_(self) -> str:
        rows = [(name, _short(value)) for name, value in list(self.items())[:_SHOWN]]
        return page.values(rows, len(self))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython calls it so
        printer.text(repr(self))

    def __dir__(self) -> list[str]:
        return [name for name in vars(self) if name.isidentifier()]


_RESERVED: Final = frozenset(dir(dict)) | frozenset(vars(Handlers))


class HandlerTree:
    """Keeps ``hot.handlers`` in step with the modules; takes part in each commit."""

    def __init__(self, handler_of: Callable[[str], str | None]) -> None:
        self.root = Handlers()
        self._handler_of = handler_of
        self._owners: dict[str, str] = {}
        self._groups: dict[str, Handlers] = {"": self.root}

    def deeds(self, replacements: Mapping[str, Replacement]) -> list[Deed]:
        """Return what puts the new values in place of the old ones."""
        values: dict[str, Any] = {}
        gone: list[str] = []
        for replacement in replacements.values():
            name = self.name_of(replacement.name)
            if name is None:
                continue
            if replacement.is_drop or replacement.new_namespace.get("__file__") is None:
                gone.append(name)
            else:
                value = replacement.new_namespace.get("exports", replacement.new)
                if name not in self.root or self.root[name] is not value:
                    values[name] = value
        return self._changing(values, [name for name in gone if name in self.root])

    def name_of(self, module: str) -> str | None:
        """Return the handler of a module: the first to have the name keeps it, another is called by its module's name."""
        name = self._handler_of(module)
        if name is None:
            return None
        owner = self._owners.setdefault(name, module)
        return name if owner == module or name not in self.root else module

    def with_values(self, values: Mapping[str, Any]) -> Handlers:
        """Return handlers of the same shape, with values of their own, that nothing changes any more."""
        other = HandlerTree(self._handler_of)
        commit(other._changing(values, []))
        return other.root

    def path_of(self, group: Handlers) -> str:
        """Return the path of a group of handlers: empty for all of them."""
        return next((path for path, found in self._groups.items() if found is group), "")

    def size(self, path: str) -> int:
        """Return how many handlers are in a group."""
        return len(self._groups.get(path, ()))

    def forget(self, modules: Collection[str] | None = None) -> list[Deed]:
        """Return what removes the handlers of some modules, or all."""
        names = [name for name, owner in self._owners.items() if modules is None or owner in modules]
        for name in names:
            del self._owners[name]
        return self._changing({}, names)

    def _changing(self, values: Mapping[str, Any], gone: Collection[str]) -> list[Deed]:
        """Return what sets some handlers and removes others; groups that are empty then go too."""
        deeds = [delete_item(group, rest) for name in gone for group, rest in self._places(name)]
        filled: dict[str, None] = {}
        for name, value in values.items():
            groups = _above(name)
            filled.update(dict.fromkeys(groups))
            deeds += [set_item(group, rest, value) for group, rest in self._places(name, groups)]
        leaving = {*gone} - values.keys()
        for path in {**dict.fromkeys(path for name in gone for path in (*_above(name), name)), **filled, **values}:
            above, _, last = path.rpartition(".")
            if last not in _RESERVED:
                is_filled = path in filled
                deeds.append(self._attribute(vars(self._groups[above]), path, values, leaving, is_filled=is_filled))
        return deeds

    def _attribute(
        self, space: dict[str, Any], path: str, values: Mapping[str, Any], leaving: Collection[str], *, is_filled: bool
    ) -> Deed:
        """Return what lets an attribute be the handler of its path, else the group of those below it, else nothing."""
        last = path.rpartition(".")[2]
        if path in values or (path in self.root and path not in leaving):
            return set_item(space, last, values[path] if path in values else self.root[path])
        group = self._groups.get(path, Handlers())
        stays = any(f"{path}.{rest}" not in leaving for rest in group)
        if stays or is_filled:
            return set_item(space, last, group)
        return delete_item(space, last)

    def _places(self, name: str, above: Collection[str] | None = None) -> list[tuple[Handlers, str]]:
        """Return each group a handler stands in, with its name there; groups are made as needed."""
        above = _above(name) if above is None else above
        for path in above:
            if path not in self._groups:
                self._groups[path] = Handlers()
        return [(self.root, name), *((self._groups[path], name[len(path) + 1 :]) for path in above)]


def _above(name: str) -> list[str]:
    """Return the paths of the groups that a handler stands in, outer ones first, without that of all."""
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


class _Repr(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60


_repr: Final = _Repr()


def _short(value: object) -> str:
    if isinstance(value, types.ModuleType):
        return f"<module {value.__name__!r}>"
    return _repr.repr(value)
