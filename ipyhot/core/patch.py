"""Old objects take over what a staged module defined: functions new code, classes new members; identity stays.

A live module keeps its namespace for ever. What was staged in another one is led home: a definition that has an elder
becomes that elder, a new one is made again over the live namespace. ``Patch`` looks and returns deeds; ``commit`` does
them. Called by the thread that builds; one transaction uses one ``Patch``.
"""

import abc
import enum
import functools
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from ipyhot.core import enums, heap, wrappers
from ipyhot.core.commit import Deed, delete_item, set_attribute, set_item
from ipyhot.core.containers import can_be_filled, fill_deeds, is_walked, refilled
from ipyhot.core.heap import is_a
from ipyhot.core.outlived import Departed, Outlived
from ipyhot.core.pairs import OWN_PLACE, Module, Pairs
from ipyhot.core.relay import Relays
from ipyhot.core.wrappers import ABSENT, ACCESSORS, CACHED, REBUILT, WRAPPED, all_is, contents

__all__ = ["Patch"]

_ATTRIBUTES: Final = (
    "__defaults__",
    "__kwdefaults__",
    "__annotations__",
    "__doc__",
    "__name__",
    "__qualname__",
    "__module__",
)


class Patch:
    """The succession of one transaction.

    Args:
        modules: all that was staged over a live namespace.
        relays: where outlived functions lead.
        departed: what earlier transactions took away.
        guests: namespaces of modules that are new, by name; they go live as they are.
    """

    def __init__(
        self, modules: Iterable[Module], relays: Relays, departed: Departed, guests: Mapping[str, dict[str, Any]]
    ) -> None:
        self.deeds: list[Deed] = []
        self.notes: list[str] = []
        self.classes: dict[type, type] = {}  # those that retire, each with its successor
        self.staying: set[type] = set()  # elders that become what a staged class is
        self.caches: list[Any] = []
        self.abstract: list[tuple[type, type, bool]] = []  # with an ABC as elder: whether its registry is made anew
        self._modules = {module.name: module for module in modules}
        self._guests = [Module(name, space, space, (), ()) for name, space in guests.items()]
        self._pairs = Pairs(self._modules, self._guests)
        self.made_again = self._pairs.made_again
        self.outlived = Outlived(self._pairs, relays, departed, self.classes)
        self._returned = {(name, path): old for name in self._modules for path, old in departed.of(name)}

    def run(self) -> None:
        """Find a successor for everything, and the deeds that bring it about."""
        for module in self._modules.values():
            for name in module.names:
                new = module.staged[name]
                self._pairs.pair(self._elder(module.live, name, module, name, new), new, name)
        self._settle_pairs()
        own = {
            id(value)
            for module in self._modules.values()
            for name, value in ((name, module.staged[name]) for name in module.names)
            if _own_name(value) == name and value.__module__ == module.name
        }
        for module in self._modules.values():
            for staged, live in module.shadows:
                if id(staged) not in own:  # else it is no shadow: it was taken from the module that it goes live in
                    self.classes.update(self._pairs.shadow(staged, live))
            for name, copy in module.grown.items():
                self._pairs.stand(copy, module.live[name])
        for module in self._modules.values():
            for name in self._in_order(module):
                new = module.staged[name]
                old = self._elder(module.live, name, module, name, new)
                module.final[name] = self.successor(old, new, module, name)
                if old is not module.live.get(name, ABSENT) and name in module.live:
                    self.outlived.add(module.live[name], module.final[name], module, name)
        for guest in () if self._pairs.is_empty else self._guests:
            for name, value in list(guest.live.items()):
                after = self.at_home(value, guest, name)
                if after is not value:
                    guest.live[name] = after
        self.deeds += self.outlived.lead()
        for module in self._modules.values():
            self.deeds += self.outlived.lead_earlier(module)
            self._bind(module)
        self.notes += self.outlived.notes

    def _settle_pairs(self) -> None:
        deeds, notes = self._pairs.settle()
        self.deeds += deeds
        self.notes += notes

    def _elder(self, namespace: Mapping[str, Any], key: str, module: Module, path: str, new: Any) -> Any:
        """Return what stands under a name, or the definition that an earlier text had there and somebody still holds."""
        found = namespace.get(key, ABSENT)
        returned = self._returned.get((module.name, path))
        kind = type if is_a(new, type) else types.FunctionType
        return found if is_a(found, kind) or not is_a(returned, kind) else returned

    def _in_order(self, module: Module) -> list[str]:
        """Return the names to change, definitions under their own name first: an alias must not take their place."""
        return sorted(module.names, key=lambda name: _own_name(module.staged[name]) != name)

    def _bind(self, module: Module) -> None:
        for name, value in module.final.items():
            if module.live.get(name, ABSENT) is not value:
                self.deeds.append(set_item(module.live, name, value))
        for name, value in module.grown.items():
            self.deeds += fill_deeds(module.live[name], self._container_at_home(value.copy(), module, name))
        for name in module.gone:
            self.outlived.depart(module, name, module.live.get(name))
            self.deeds.append(delete_item(module.live, name))

    def module_of(self, staged: type) -> Module:
        """Return the module that a staged class belongs to."""
        return self._modules[staged.__module__]

    # -- successors

    def successor(self, old: Any, new: Any, module: Module, path: str) -> Any:
        """Return what is to stand where ``old`` stood: ``old`` itself where it can become what ``new`` is."""
        if old is new:
            return old
        result = self._successor(old, new, module, path)
        if type(new) in REBUILT:
            self._pairs.stand_first(new, result)
        self.outlived.place(old, result, module, path)
        return result

    def _successor(self, old: Any, new: Any, module: Module, path: str) -> Any:
        known = self._pairs.standing_for(new, ABSENT)
        if known is not ABSENT:
            self._finish(known, new, module, path)
            return known
        if is_a(new, types.FunctionType):
            if self._pairs.may_take_over(old, new, path):
                self._pairs.take_over(old, new)
                self._finish(old, new, module, path)
                return old
        elif is_a(new, type):
            if is_a(old, type) and self._pairs.is_same_class(old, new):
                self._pairs.pair(old, new, path)
                self._settle_pairs()
                if self._pairs.is_known(new):
                    return self.successor(old, new, module, path)
        elif type(old) is type(new):
            return self._wrapper(old, new, module, path)
        return self.at_home(new, module, path)

    def _finish(self, old: Any, new: Any, module: Module, path: str) -> None:
        """Let an old definition become the new one it was paired with, once."""
        if is_a(new, types.FunctionType):
            if self._pairs.begin_function(old, new):
                self.deeds += self._function(old, new, module, path)
        elif is_a(new, type):
            bases = self._pairs.begin_class(new)
            if bases is not None:
                self._class(old, new, bases, self._modules.get(new.__module__, module), new.__qualname__)

    def _function(self, old: types.FunctionType, new: types.FunctionType, module: Module, path: str) -> Iterator[Deed]:
        if old.__code__ is not new.__code__:
            yield set_attribute(old, "__code__", new.__code__)
        for name in _ATTRIBUTES:
            before, after = getattr(old, name), self.at_home(getattr(new, name), module, path)
            if before is not after:
                yield set_attribute(old, name, after)
        if getattr(old, "__type_params__", ()) is not getattr(new, "__type_params__", ()):
            yield set_attribute(old, "__type_params__", new.__type_params__)  # type: ignore[attr-defined,unused-ignore]  # from 3.12 on
        for key in [key for key in old.__dict__ if key not in new.__dict__]:
            yield delete_item(old.__dict__, key)
        for key, value in list(new.__dict__.items()):
            after = self.successor(old.__dict__.get(key, ABSENT), value, module, path + WRAPPED)
            if old.__dict__.get(key, ABSENT) is not after:
                yield set_item(old.__dict__, key, after)
        cells = heap.closure(new)
        for name, cell in heap.closure(old).items():
            yield from self._cell(name, cell, cells[name], module, path)

    def _cell(self, name: str, old: types.CellType, new: types.CellType, module: Module, path: str) -> Iterator[Deed]:
        if old is new or name == "__class__":
            return
        before, after = contents(old), contents(new)
        if after is ABSENT:
            return
        result = self.successor(before, after, module, path + WRAPPED)
        if result is not before and before is not ABSENT:
            yield set_attribute(old, "cell_contents", result)

    # -- classes

    def _class(self, old: type, new: type, bases: tuple[type, ...], module: Module, path: str) -> None:
        self.classes[new] = old
        self.staying.add(old)
        self._bases_at_home(new, module, path)
        if type(old) is not type(new):
            self.deeds.append(heap.switch(old, "__class__", type(old), self._pairs.base(type(new)), type.__setattr__))
        if bases != old.__bases__:
            self.deeds.append(heap.switch(old, "__bases__", old.__bases__, bases, type.__setattr__))
        skipped = set(OWN_PLACE)
        if is_a(old, enum.EnumType) and is_a(new, enum.EnumType):
            skipped |= enums.owned(old) | enums.owned(new)
        self._members(old, new, module, path, skipped)
        if is_a(old, abc.ABCMeta):
            self.abstract.append((old, new, path not in module.remade))

    def _members(self, old: type, new: type, module: Module, path: str, skipped: Collection[str]) -> None:
        before, after = dict(vars(old)), dict(vars(new))
        remade = module.remade.get(path)
        same = frozenset() if remade is None else remade.kept & before.keys()
        kept = frozenset() if path in module.refilled else same
        for key, value in after.items():
            if key in skipped or key in kept or is_a(value, types.MemberDescriptorType):
                continue
            held = before.get(key, ABSENT)
            if path in module.refilled and (remade is None or key in same) and can_be_filled(held, value):
                self._pairs.stand(value, held)
                self.deeds += fill_deeds(held, self._container_at_home(value.copy(), module, path))
                continue
            result = self.successor(self._elder(before, key, module, f"{path}.{key}", value), value, module, f"{path}.{key}")
            wrappers.point_at_class(result, new, old)
            if is_a(value, types.FunctionType) and value is not result:
                self.outlived.keep(value, result)
            if before.get(key, ABSENT) is not result:
                self.deeds.append(_set_member(old, key, before.get(key, ABSENT), result))
        for key, value in before.items():
            is_foreign = remade is not None and bool(remade.bound) and key not in remade.bound and not _is_special(key)
            if key in after or key in skipped or is_foreign:
                continue
            if not is_a(value, types.GetSetDescriptorType | types.MemberDescriptorType):
                self.outlived.lose(new, key, value, module, f"{path}.{key}")
                self.deeds.append(_delete_member(old, key, value))

    # -- wrappers

    def _wrapper(self, old: Any, new: Any, module: Module, path: str) -> Any:
        """Return what stands for a thing that holds functions, or for any other value."""
        inside = path + WRAPPED
        if is_a(new, staticmethod | classmethod):
            function = self.successor(old.__func__, new.__func__, module, inside)
            return old if function is old.__func__ else type(new)(function)
        if type(new) is property:
            parts = [
                self.successor(getattr(old, part), getattr(new, part), module, inside) if getattr(new, part) else None
                for part in ACCESSORS
            ]
            is_same = all(part is getattr(old, name) for part, name in zip(parts, ACCESSORS, strict=True))
            return old if is_same and old.__doc__ == new.__doc__ else property(*parts, new.__doc__)  # type: ignore[call-arg]  # they are three
        if is_a(new, CACHED):
            return self._cached(old, new, module, inside)
        if type(new) is partial:
            function = self.successor(old.func, new.func, module, inside)
            is_same = function is old.func and all_is(old.args, new.args) and old.keywords == new.keywords
            return old if is_same else self.at_home(new, module, path)
        if is_a(new, functools.cached_property | functools.partialmethod | functools.singledispatchmethod):
            return self._holder(old, new, module, path)
        return self.at_home(new, module, path)

    def _cached(self, old: Any, new: Any, module: Module, path: str) -> Any:
        function = self.successor(old.__wrapped__, new.__wrapped__, module, path)
        if function is old.__wrapped__ and old.cache_parameters() == new.cache_parameters():
            self.caches.append(old)
            return old
        if function is new.__wrapped__:  # it was only imported
            return new
        made = functools.lru_cache(**new.cache_parameters())(function)
        made.__dict__.update(new.__dict__)
        made.__dict__["__wrapped__"] = function
        self._pairs.stand(new, made)
        return made

    def _holder(self, old: Any, new: Any, module: Module, path: str) -> Any:
        """Let an object of the standard library that keeps a function in an attribute take over the new one's attributes."""
        for key, value in vars(new).items():
            if is_a(value, types.FunctionType) and self._pairs.may_take_over(vars(old).get(key), value, path):
                self._pairs.take_over(vars(old)[key], value)
        for key, value in list(vars(new).items()):
            before = vars(old).get(key, ABSENT)
            result = before if key == "lock" else self.successor(before, value, module, path + WRAPPED)
            if result is not before:
                self.deeds.append(set_item(vars(old), key, result))
        return old

    # -- bringing home

    def at_home(self, value: Any, module: Module, path: str) -> Any:
        """Return a staged value as it is to live on: over the live namespace, and holding elders for what has one."""
        known = self._pairs.standing_for(value, ABSENT)
        if known is not ABSENT:
            self._finish(known, value, module, path)
            return known
        if is_a(value, types.FunctionType):
            return self._function_at_home(value, module, path)
        if is_a(value, type):
            return self._class_at_home(value, module, path)
        if is_walked(value):
            return self._container_at_home(value, module, path)
        if type(value) in REBUILT:
            result = wrappers.rebuilt(value, lambda part: self.at_home(part, module, path))
            self._pairs.stand(value, result)
            return result
        cls = type(value)
        if cls.__module__ in self._modules and not self._pairs.is_known(cls):
            self._class_at_home(cls, module, path)  # nothing else may lead to it: its name may be deleted
        return value

    def _function_at_home(self, function: types.FunctionType, module: Module, path: str) -> types.FunctionType:
        home = self._pairs.home_of(function)
        result = function if home is None or home is function.__globals__ else _over(home, function)
        if result is not function and "." in path:
            self.outlived.keep(function, result)
        self._pairs.stand(function, result)
        if home is not None or (function.__closure__ and not self._pairs.is_carried(function)):
            self._contents_at_home(result, module, path)
        return result

    def _contents_at_home(self, function: types.FunctionType, module: Module, path: str) -> None:
        for name in ("__defaults__", "__kwdefaults__", "__annotations__"):
            before = getattr(function, name)
            after = self.at_home(before, module, path) if before else before
            if after is not before:
                setattr(function, name, after)
        for key, value in list(function.__dict__.items()):
            function.__dict__[key] = self.at_home(value, module, path)
        for name, cell in heap.closure(function).items():
            before = contents(cell)
            after = self.at_home(before, module, path) if before is not ABSENT and name != "__class__" else before
            if after is not before:
                cell.cell_contents = after

    def _class_at_home(self, cls: type, module: Module, path: str) -> type:
        self._pairs.stand(cls, cls)
        if cls.__module__ not in {*self._modules, module.name} or self._pairs.is_carried(cls):
            return cls
        path = cls.__qualname__
        self._bases_at_home(cls, module, path)
        for key, value in list(vars(cls).items()):
            if key in OWN_PLACE or is_a(value, types.MemberDescriptorType | types.GetSetDescriptorType):
                continue
            if is_a(cls, enum.EnumType) and key in enums.owned(cls):
                continue
            after = self.at_home(value, module, f"{path}.{key}")
            if after is not value:
                type.__setattr__(cls, key, after)
        return cls

    def _bases_at_home(self, cls: type, module: Module, path: str) -> None:
        for base in cls.__bases__:  # a class of the same name that it has been made of stands under no name
            if not self._pairs.is_known(base):
                self.at_home(base, module, path)

    def _container_at_home(self, value: Any, module: Module, path: str) -> Any:
        self._pairs.stand(value, value)
        result = refilled(value, lambda part: self.at_home(part, module, path), self._is_led)
        self._pairs.stand(value, result)
        return result

    def _is_led(self, value: Any) -> bool:
        return self._pairs.is_known(value) or is_a(value, types.FunctionType | type)


def _over(home: dict[str, Any], function: types.FunctionType) -> types.FunctionType:
    """Return a function that is the same over another namespace."""
    made = types.FunctionType(function.__code__, home, function.__name__, function.__defaults__, function.__closure__)
    for name in ("__kwdefaults__", "__annotations__", "__doc__", "__qualname__", "__module__", "__type_params__"):
        if hasattr(function, name):
            setattr(made, name, getattr(function, name))
    made.__dict__.update(function.__dict__)
    return made


def _own_name(value: Any) -> str | None:
    """Return the qualified name of a definition; anything else may be asked for nothing: it may raise."""
    return value.__qualname__ if is_a(value, types.FunctionType | type) else heap.attributes(value).get("__qualname__")


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _set_member(cls: type, key: str, old: Any, new: Any) -> Deed:
    undo = partial(type.__delattr__, cls, key) if old is ABSENT else partial(type.__setattr__, cls, key, old)
    return Deed(partial(type.__setattr__, cls, key, new), undo)


def _delete_member(cls: type, key: str, old: Any) -> Deed:
    return Deed(partial(type.__delattr__, cls, key), partial(type.__setattr__, cls, key, old))
