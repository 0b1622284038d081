"""Old objects take over what a staged module defined: functions new code, classes new members; identity stays.

A live module keeps its namespace for ever. What was staged in another one is led home: a definition that has an elder
becomes that elder, a new one is made again over the live namespace. ``Patch`` looks and returns deeds; ``commit`` does
them. Called by the thread that builds; one transaction uses one ``Patch``.
"""

import abc
import collections
import enum
import functools
import sys
import types
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from ipyhot.core import enums, heap
from ipyhot.core.commit import Deed, delete_item, set_attribute, set_item
from ipyhot.core.heap import is_a
from ipyhot.core.model import Remade
from ipyhot.core.relay import Relays, relay_of

__all__ = ["Departed", "Module", "Patch"]

_GONE: Final = object()
_CACHED: Final = type(functools.cache(int))
_LARGE: Final = 256  # longer containers are left to the walk over the heap, which is only made if it is needed
_OWN_PLACE: Final = frozenset({"__dict__", "__weakref__", "__slots__", "_abc_impl"})


@dataclass(eq=False)
class Module:
    """One module on its way: its live namespace, the one it was staged in, and which of its names are to change."""

    name: str
    live: dict[str, Any]
    staged: dict[str, Any]
    names: Collection[str]
    gone: Collection[str]
    imported: Collection[str] = ()  # names that its old text took from elsewhere
    remade: Mapping[str, Remade] = field(default_factory=dict)  # classes whose own text changed
    grown: Mapping[str, Any] = field(default_factory=dict)  # name → a copy of its container, added to
    shadows: Collection[tuple[Any, Any]] = ()  # what ran aside only, each with the live object that it is for
    final: dict[str, Any] = field(default_factory=dict)


class Departed:
    """Definitions that the newest text of their module has no more: they follow again if it comes back."""

    def __init__(self) -> None:
        self._objects: weakref.WeakValueDictionary[tuple[str, str], Any] = weakref.WeakValueDictionary()

    def add(self, module: str, path: str, value: Any) -> None:
        """Remember a function or class for as long as somebody holds it."""
        self._objects[module, path] = value

    def of(self, module: str) -> Iterator[tuple[str, Any]]:
        """Yield the paths of a module at which something stood, and what."""
        for (owner, path), value in list(self._objects.items()):
            if owner == module:
                yield path, value


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
        self.gone: dict[type, None] = {}  # those that the newest text has no more
        self.caches: list[Any] = []
        self.outlived_caches: list[Any] = []  # somebody may hold them: they are emptied with every generation from now on
        self.abstract: list[tuple[type, type, bool]] = []  # with an ABC as elder: whether its registry is made anew
        self.replaced: dict[int, tuple[Any, Any]] = {}  # definitions that could not stay: id of the old one → old, new
        self._modules = {module.name: module for module in modules}
        self._guests = [Module(name, space, space, (), ()) for name, space in guests.items()]
        self._homes = {id(module.staged): module for module in [*self._modules.values(), *self._guests]}
        self._known: dict[int, tuple[Any, Any]] = {}  # id of a staged object → itself, what stands for it
        self._taken: dict[int, Any] = {}  # id of an old object → the staged one that it takes over
        self._outlived: list[tuple[Any, Any, Module, str]] = []
        self.made_again: list[tuple[type, type]] = []
        self._class_pairs: list[tuple[type, type]] = []
        self._growing: dict[int, tuple[type, ...]] = {}  # id of a staged class whose elder is to become it → its bases
        self._places: dict[tuple[str, str], Any] = {}  # module and path → what will stand there
        self._returned: dict[tuple[str, str], Any] = {}
        self._relays = relays
        self._departed = departed

    @functools.cached_property
    def _carried(self) -> set[int]:
        """The live definitions that stay under their name, by id."""
        return {
            id(value)
            for module in self._modules.values()
            for name, value in module.live.items()
            if name not in module.names
            and is_a(value, types.FunctionType | type)
            and (value.__module__ == module.name or value.__module__ not in self._modules)
        }

    def run(self) -> None:
        """Find a successor for everything, and the deeds that bring it about."""
        for module in self._modules.values():
            self._returned.update(((module.name, path), old) for path, old in self._departed.of(module.name))
            self._pair_definitions(module)
        self._pair_classes()
        for module in self._modules.values():
            for staged, live in module.shadows:
                self._shadow(staged, live)
            self._known.update((id(copy), (copy, module.live[name])) for name, copy in module.grown.items())
        for module in self._modules.values():
            for name in self._in_order(module):
                new = module.staged[name]
                old = self._elder(module.live, name, module, name, new)
                module.final[name] = self.successor(old, new, module, name)
                if old is not module.live.get(name, _GONE) and name in module.live:
                    self._outlived.append((module.live[name], module.final[name], module, name))
        for guest in self._guests if self._known else ():
            for name, value in list(guest.live.items()):
                after = self.at_home(value, guest, name)
                if after is not value:
                    guest.live[name] = after
        for outlived in self._outlived:  # only now it is known what lives on under another name
            self._outlive(*outlived)
        for module in self._modules.values():
            self._forward_outlived(module)
            self._bind(module)

    def _elder(self, namespace: Mapping[str, Any], key: str, module: Module, path: str, new: Any) -> Any:
        """Return what stands under a name, or the definition that an earlier text had there and somebody still holds."""
        found = namespace.get(key, _GONE)
        returned = self._returned.get((module.name, path))
        kind = type if is_a(new, type) else types.FunctionType
        return found if is_a(found, kind) or not is_a(returned, kind) else returned

    def _in_order(self, module: Module) -> list[str]:
        """Return the names to change, definitions under their own name first: an alias must not take their place."""
        return sorted(module.names, key=lambda name: _own_name(module.staged[name]) != name)

    def _bind(self, module: Module) -> None:
        for name, value in module.final.items():
            if module.live.get(name, _GONE) is not value:
                self.deeds.append(set_item(module.live, name, value))
        for name, value in module.grown.items():
            self.deeds += _filled(module.live[name], self._container_at_home(value.copy(), module, name))
        for name in module.gone:
            self._depart(module, name, module.live.get(name))
            self.deeds.append(delete_item(module.live, name))

    def _depart(self, module: Module, path: str, value: Any) -> None:
        if is_a(value, _CACHED):
            self.outlived_caches.append(value)
            value = value.__wrapped__
        if is_a(value, types.FunctionType | type) and _is_defined_in(value, module.name, path):
            self._departed.add(module.name, path, value)
            if is_a(value, type):
                self.gone[value] = None

    def module_of(self, staged: type) -> Module:
        """Return the module that a staged class belongs to."""
        return self._modules[staged.__module__]

    # -- pairs

    def _pair_definitions(self, module: Module) -> None:
        """Pair functions and classes that stand under their own name in both namespaces."""
        for name in module.names:
            new = module.staged[name]
            self._pair(self._elder(module.live, name, module, name, new), new, module, name)

    def _shadow(self, staged: Any, live: Any) -> None:
        """Let a live object stand for one that was only made for others to call or hold while they were loaded."""
        if staged is live or type(staged) in _ATOMS or id(staged) in self._known:
            return
        self._known[id(staged)] = (staged, live)
        if is_a(staged, type) and is_a(live, type):
            self.classes[staged] = live
            for key, value in vars(staged).items():
                if is_a(value, types.FunctionType | type) and key in vars(live):
                    self._shadow(value, vars(live)[key])

    def _pair(self, old: Any, new: Any, module: Module, path: str) -> None:
        if is_a(new, types.FunctionType) and self._may_take_over(old, new, path):
            self._take_over(old, new)
        elif is_a(new, type) and is_a(old, type) and self._is_same_class(old, new):
            self._taken[id(old)] = new
            self._class_pairs.append((old, new))
            for key, value in vars(new).items():
                inner = vars(old).get(key)
                if is_a(value, type) and inner is not None:
                    self._pair(inner, value, module, f"{path}.{key}")

    def _pair_classes(self) -> None:
        """Decide which of the paired classes can take the shape of the new one."""
        waiting, self._class_pairs = self._class_pairs, []
        self.made_again += waiting
        for old, new in waiting:
            self._known[id(new)] = (new, old)
        is_settled = False
        while not is_settled:  # one that cannot may be the base of another one
            is_settled = True
            for old, new in list(waiting):
                bases = tuple(self._base(base) for base in new.__bases__)
                self._growing[id(new)] = bases
                if not self._can_become(old, new, bases):
                    waiting.remove((old, new))
                    is_settled = False
                    del self._known[id(new)], self._growing[id(new)]
                    self._taken.pop(id(old), None)
        for old, new in waiting:
            if not self._members_stand(old, new):
                del self._known[id(new)], self._growing[id(new)]
                self._taken.pop(id(old), None)

    def _members_stand(self, old: type, new: type) -> bool:
        """Let the members of an enum that are held stand for the new ones of their name."""
        if not (is_a(old, enum.EnumType) and is_a(new, enum.EnumType)):
            return True
        standing = {key: result for key, (_, result) in self._known.items()}
        before = set(standing)
        try:
            deeds, notes = enums.successors(old, new, standing=standing)
        except TypeError:  # another layout
            return False
        self.deeds += deeds
        self.notes += notes
        self._known.update({key: (new, standing[key]) for key in standing.keys() - before})
        return True

    def _take_over(self, old: types.FunctionType, new: types.FunctionType) -> None:
        self._taken[id(old)] = new
        self._known[id(new)] = (new, old)

    def _may_take_over(self, old: Any, new: types.FunctionType, path: str) -> bool:
        """Tell whether a function is another version of an older one, and Python lets that become it."""
        if not is_a(old, types.FunctionType) or id(old) in self._taken or id(new) in self._known:
            return False
        before, after = old.__code__, new.__code__
        return (
            old is not new
            and _is_same_definition(before.co_qualname, after.co_qualname, path)
            and old.__globals__ is self._home(new.__globals__)
            and (id(new.__globals__) in self._homes or new.__closure__ is not None)  # a plain one is somebody else's
            and before.co_freevars == after.co_freevars
            and relay_of(old) is None
            and (id(old) not in self._carried or old.__qualname__ == path)
            and id(new) not in self._carried
            and not self._lives_elsewhere(new)
        )

    def _lives_elsewhere(self, function: types.FunctionType) -> bool:
        """Tell whether a function was only imported, from a module that stays as it is."""
        if function.__module__ in self._modules:
            return False
        module = sys.modules.get(function.__module__)
        return is_a(module, types.ModuleType) and any(value is function for value in vars(module).values())

    def _home(self, namespace: dict[str, Any]) -> dict[str, Any]:
        module = self._homes.get(id(namespace))
        return namespace if module is None else module.live

    def _is_same_class(self, old: type, new: type) -> bool:
        is_own = new.__module__ in self._modules and new.__module__ == old.__module__
        is_free = id(old) not in self._taken and id(new) not in self._known and id(new) not in self._carried
        return is_own and is_free and old is not new and old.__qualname__ == new.__qualname__

    # -- successors

    def successor(self, old: Any, new: Any, module: Module, path: str) -> Any:
        """Return what is to stand where ``old`` stood: ``old`` itself where it can become what ``new`` is."""
        if old is new:
            return old
        result = self._places[module.name, path] = self._successor(old, new, module, path)
        if type(new) in _REBUILT:
            self._known.setdefault(id(new), (new, result))
        if result is not old and old is not _GONE:
            self._outlived.append((old, result, module, path))
        return result

    def _successor(self, old: Any, new: Any, module: Module, path: str) -> Any:
        known = self._known.get(id(new))
        if known is not None:
            self._finish(known[1], new, module, path)
            return known[1]
        if is_a(new, types.FunctionType):
            if self._may_take_over(old, new, path):
                self._take_over(old, new)
                self._finish(old, new, module, path)
                return old
        elif is_a(new, type):
            if is_a(old, type) and self._is_same_class(old, new):
                self._pair(old, new, module, path)
                self._pair_classes()
                if id(new) in self._known:
                    return self.successor(old, new, module, path)
        elif type(old) is type(new):
            return self._wrapper(old, new, module, path)
        return self.at_home(new, module, path)

    def _finish(self, old: Any, new: Any, module: Module, path: str) -> None:
        """Let an old definition become the new one it was paired with, once."""
        if is_a(new, types.FunctionType) and self._taken.get(id(old)) is new:
            self._taken[id(old)] = None
            function: Any = new
            self.deeds += self._function(old, function, module, path)
        elif is_a(new, type) and id(new) in self._growing:
            home = self._modules.get(new.__module__, module)
            self._class(old, new, self._growing.pop(id(new)), home, new.__qualname__)

    def _function(self, old: types.FunctionType, new: types.FunctionType, module: Module, path: str) -> Iterator[Deed]:
        if old.__code__ is not new.__code__:
            yield set_attribute(old, "__code__", new.__code__)
        for name in _ATTRIBUTES:
            before, after = getattr(old, name), self.at_home(getattr(new, name), module, path)
            if before is not after:
                yield set_attribute(old, name, after)
        if getattr(old, "__type_params__", ()) is not getattr(new, "__type_params__", ()):
            yield set_attribute(old, "__type_params__", new.__type_params__)  # type: ignore[attr-defined,unused-ignore]
        for key in [key for key in old.__dict__ if key not in new.__dict__]:
            yield delete_item(old.__dict__, key)
        for key, value in list(new.__dict__.items()):
            after = self.successor(old.__dict__.get(key, _GONE), value, module, path + _WRAPPED)
            if old.__dict__.get(key, _GONE) is not after:
                yield set_item(old.__dict__, key, after)
        cells = heap.closure(new)
        for name, cell in heap.closure(old).items():
            yield from self._cell(name, cell, cells[name], module, path)

    def _cell(self, name: str, old: types.CellType, new: types.CellType, module: Module, path: str) -> Iterator[Deed]:
        if old is new or name == "__class__":
            return
        before, after = _contents(old), _contents(new)
        if after is _GONE:
            return
        result = self.successor(before, after, module, path + _WRAPPED)
        if result is not before and before is not _GONE:
            yield set_attribute(old, "cell_contents", result)

    # -- classes

    def _class(self, old: type, new: type, bases: tuple[type, ...], module: Module, path: str) -> None:
        self.classes[new] = old
        self.staying.add(old)
        self._bases_at_home(new, module, path)
        if type(old) is not type(new):
            self.deeds.append(heap.switch(old, "__class__", type(old), self._base(type(new)), type.__setattr__))
        if bases != old.__bases__:
            self.deeds.append(heap.switch(old, "__bases__", old.__bases__, bases, type.__setattr__))
        skipped = set(_OWN_PLACE)
        if is_a(old, enum.EnumType) and is_a(new, enum.EnumType):
            skipped |= enums.owned(old) | enums.owned(new)
        self._members(old, new, module, path, skipped)
        if is_a(old, abc.ABCMeta):
            self.abstract.append((old, new, path not in module.remade))

    def _base(self, base: type) -> type:
        """Return the live class that a staged one is going to be."""
        known = self._known.get(id(base))
        return base if known is None else known[1]

    def _can_become(self, old: type, new: type, bases: tuple[type, ...]) -> bool:
        """Tell whether Python lets a class take the shape of another one; its instances keep theirs."""
        if _shape(old) != _shape(new) or is_a(old, enum.EnumType) != is_a(new, enum.EnumType):
            return False
        if "__new__" in vars(old) and "__new__" not in vars(new):
            return False  # CPython goes on looking for it: bugs.python.org/issue5322
        if issubclass(old, tuple) and _fields(old) != _fields(new):
            return False  # held tuples would be read in another order
        meta = self._base(type(new))
        if type(old) is not meta and not heap.can(old, "__class__", type(old), meta, type.__setattr__):
            return False
        return bases == old.__bases__ or heap.can(old, "__bases__", old.__bases__, bases, type.__setattr__)

    def _members(self, old: type, new: type, module: Module, path: str, skipped: Collection[str]) -> None:
        before, after = dict(vars(old)), dict(vars(new))
        remade = module.remade.get(path)
        kept = frozenset() if remade is None else remade.kept & before.keys()
        for key, value in after.items():
            if key in skipped or key in kept or is_a(value, types.MemberDescriptorType):
                continue
            result = self.successor(self._elder(before, key, module, f"{path}.{key}", value), value, module, f"{path}.{key}")
            _point_at_class(result, new, old)
            if before.get(key, _GONE) is not result:
                self.deeds.append(_set_member(old, key, before.get(key, _GONE), result))
        for key, value in before.items():
            is_foreign = remade is not None and bool(remade.bound) and key not in remade.bound and not _is_special(key)
            if key in after or key in skipped or is_foreign:
                continue
            if not is_a(value, types.GetSetDescriptorType | types.MemberDescriptorType):
                self._depart(module, f"{path}.{key}", value)
                self.deeds.append(_delete_member(old, key, value))

    # -- wrappers

    def _wrapper(self, old: Any, new: Any, module: Module, path: str) -> Any:
        """Return what stands for a thing that holds functions, or for any other value."""
        inside = path + _WRAPPED
        if is_a(new, staticmethod | classmethod):
            function = self.successor(old.__func__, new.__func__, module, inside)
            return old if function is old.__func__ else type(new)(function)
        if type(new) is property:
            parts = [
                self.successor(getattr(old, part), getattr(new, part), module, inside) if getattr(new, part) else None
                for part in _ACCESSORS
            ]
            is_same = all(part is getattr(old, name) for part, name in zip(parts, _ACCESSORS, strict=True))
            return old if is_same and old.__doc__ == new.__doc__ else property(*parts, new.__doc__)  # type: ignore[call-arg]
        if is_a(new, _CACHED):
            return self._cached(old, new, module, inside)
        if type(new) is partial:
            function = self.successor(old.func, new.func, module, inside)
            is_same = function is old.func and _all_is(old.args, new.args) and old.keywords == new.keywords
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
        self._known[id(new)] = (new, made)
        return made

    def _holder(self, old: Any, new: Any, module: Module, path: str) -> Any:
        """Let an object of the standard library that keeps a function in an attribute take over the new one's attributes."""
        for key, value in vars(new).items():
            if is_a(value, types.FunctionType) and self._may_take_over(vars(old).get(key), value, path):
                self._take_over(vars(old)[key], value)
        for key, value in list(vars(new).items()):
            before = vars(old).get(key, _GONE)
            result = before if key == "lock" else self.successor(before, value, module, path + _WRAPPED)
            if result is not before:
                self.deeds.append(set_item(vars(old), key, result))
        return old

    # -- bringing home

    def at_home(self, value: Any, module: Module, path: str) -> Any:
        """Return a staged value as it is to live on: over the live namespace, and holding elders for what has one."""
        known = self._known.get(id(value))
        if known is not None:
            self._finish(known[1], value, module, path)
            return known[1]
        if is_a(value, types.FunctionType):
            return self._function_at_home(value, module, path)
        if is_a(value, type):
            return self._class_at_home(value, module, path)
        if type(value) in _CONTAINERS and len(value) <= _LARGE:
            return self._container_at_home(value, module, path)
        if type(value) in _REBUILT:
            return self._rebuilt(value, module, path)
        cls = type(value)
        if cls.__module__ in self._modules and id(cls) not in self._known:
            self._class_at_home(cls, module, path)  # nothing else may lead to it: its name may be deleted
        return value

    def _function_at_home(self, function: types.FunctionType, module: Module, path: str) -> types.FunctionType:
        home = self._homes.get(id(function.__globals__))
        result = function
        if home is not None and home.live is function.__globals__:
            self._known[id(function)] = (function, function)
        elif home is not None:
            result = types.FunctionType(
                function.__code__, home.live, function.__name__, function.__defaults__, function.__closure__
            )
            self._known[id(function)] = (function, result)
            for name in ("__kwdefaults__", "__annotations__", "__doc__", "__qualname__", "__module__", "__type_params__"):
                if hasattr(function, name):
                    setattr(result, name, getattr(function, name))
            result.__dict__.update(function.__dict__)
        else:
            self._known[id(function)] = (function, function)
            if id(function) in self._carried or not function.__closure__:
                return function
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
            before = _contents(cell)
            after = self.at_home(before, module, path) if before is not _GONE and name != "__class__" else before
            if after is not before:
                cell.cell_contents = after

    def _class_at_home(self, cls: type, module: Module, path: str) -> type:
        self._known[id(cls)] = (cls, cls)
        if cls.__module__ not in {*self._modules, module.name} or id(cls) in self._carried:
            return cls
        path = cls.__qualname__
        self._bases_at_home(cls, module, path)
        for key, value in list(vars(cls).items()):
            if key in _OWN_PLACE or is_a(value, types.MemberDescriptorType | types.GetSetDescriptorType):
                continue
            if is_a(cls, enum.EnumType) and key in enums.owned(cls):
                continue
            after = self.at_home(value, module, f"{path}.{key}")
            if after is not value:
                type.__setattr__(cls, key, after)
        return cls

    def _bases_at_home(self, cls: type, module: Module, path: str) -> None:
        for base in cls.__bases__:  # a class of the same name that it has been made of stands under no name
            if id(base) not in self._known:
                self.at_home(base, module, path)

    def _container_at_home(self, value: Any, module: Module, path: str) -> Any:
        self._known[id(value)] = (value, value)
        if is_a(value, tuple | frozenset):
            parts = [self.at_home(part, module, path) for part in value]
            result = value if _all_is(parts, value) else type(value)(parts)
            self._known[id(value)] = (value, result)
            return result
        if is_a(value, set):
            for part in list(value):
                after = self.at_home(part, module, path)
                if after is not part:
                    value.discard(part)
                    value.add(after)
            return value
        if is_a(value, dict):
            keys = {key: self.at_home(key, module, path) for key in value if self._is_led(key)}
            if any(before is not after for before, after in keys.items()):
                items = [(keys.get(key, key), part) for key, part in value.items()]
                value.clear()
                value.update(items)
        if is_a(value, collections.defaultdict):
            value.default_factory = self.at_home(value.default_factory, module, path)
        for key, part in list(value.items()) if is_a(value, dict) else list(enumerate(value)):
            after = self.at_home(part, module, path)
            if after is not part:
                value[key] = after
        return value

    def _is_led(self, value: Any) -> bool:
        return id(value) in self._known or is_a(value, types.FunctionType | type)

    def _rebuilt(self, value: Any, module: Module, path: str) -> Any:
        result: Any
        if is_a(value, staticmethod | classmethod):
            function = self.at_home(value.__func__, module, path)
            result = value if function is value.__func__ else type(value)(function)
        elif is_a(value, property):
            parts = [self.at_home(getattr(value, part), module, path) for part in _ACCESSORS]
            is_same = all(part is getattr(value, name) for part, name in zip(parts, _ACCESSORS, strict=True))
            result = value if is_same else property(*parts, value.__doc__)  # type: ignore[call-arg]
        elif is_a(value, _CACHED):
            function = self.at_home(value.__wrapped__, module, path)
            result = value
            if function is not value.__wrapped__:
                result = functools.lru_cache(**value.cache_parameters())(function)
        elif is_a(value, partial):
            function = self.at_home(value.func, module, path)
            parts = [self.at_home(part, module, path) for part in value.args]
            named = {key: self.at_home(part, module, path) for key, part in value.keywords.items()}
            is_same = function is value.func and _all_is(parts, value.args)
            is_same = is_same and _all_is(named.values(), value.keywords.values())
            result = value if is_same else partial(function, *parts, **named)
        else:
            for key, part in list(vars(value).items()):
                vars(value)[key] = self.at_home(part, module, path)
            result = value
        self._known[id(value)] = (value, result)
        return result

    # -- what is outlived

    def _outlive(self, old: Any, new: Any, module: Module, path: str) -> None:
        """Lead who holds an old definition to what its name means now."""
        if id(old) in self._carried or id(old) in self._taken:
            return  # it lives on, under another name
        owner = path.rstrip(_WRAPPED)
        if not (is_a(new, type) if is_a(old, type) else callable(new)):
            self._depart(module, path, old)
        if is_a(old, types.FunctionType):
            if callable(new) and self._belongs(old, module, owner):
                self.replaced[id(old)] = (old, new)
                self.deeds += self._relays.forward(module.name, path, old, new)
        elif is_a(old, type):
            if is_a(new, type) and old.__module__ == module.name and old.__qualname__ == path:
                self.replaced[id(old)] = (old, new)
                if _may_move(old, new):
                    self.classes[old] = new
                else:
                    self.notes.append(f"instances of {path} keep their class: they would be misread as the new one's")
                self._members_outlived(old, new, module, path)
        elif is_a(old, _CACHED):
            inner: Any = old.__wrapped__
            is_ours = is_a(inner, types.FunctionType) and self._belongs(inner, module, owner)
            if is_ours:
                self.outlived_caches.append(old)
            if is_ours and callable(new) and id(inner) not in self._taken:
                target = new.__wrapped__ if is_a(new, _CACHED) else new
                self.deeds += self._relays.forward(module.name, path + _WRAPPED, inner, target)
        else:
            for before, after in _insides(old, new):
                self._outlive(before, after, module, path + _WRAPPED)

    def _members_outlived(self, old: type, new: type, module: Module, path: str) -> None:
        """Let the methods of a class that could not follow lead to those of its successor."""
        for key, value in vars(old).items():
            after = vars(new).get(key, _GONE)
            if after is not _GONE and after is not value and key not in _OWN_PLACE:
                if is_a(value, types.FunctionType) and is_a(after, types.FunctionType):
                    if id(value) not in self._taken and self._belongs(value, module, f"{path}.{key}"):
                        self.deeds += self._relays.forward(module.name, f"{path}.{key}", value, after)
                elif not is_a(value, types.MemberDescriptorType):
                    self._outlive(value, after, module, f"{path}.{key}")

    def _belongs(self, old: types.FunctionType, module: Module, path: str) -> bool:
        """Tell whether a function is the module's own under this name, and not another one's that the name was given to."""
        name = old.__code__.co_qualname
        if self._lives_elsewhere(old):
            return False
        if old.__globals__ is not module.live:
            # A decorator elsewhere made it for us, or it was imported from who knows where.
            is_made_here = old.__closure__ is not None and ("<locals>" in name or old.__qualname__ == path)
            is_ours = old.__module__ == module.name or old.__module__ not in self._modules
            return is_made_here and is_ours and path.partition(".")[0] not in module.imported
        return name == path or name.endswith("<lambda>") or "<locals>" in name

    def _forward_outlived(self, module: Module) -> None:
        """Lead functions that were outlived earlier to the newest, too."""
        for path in self._relays.paths(module.name):
            known = self._places.get((module.name, path), _GONE)
            new = known if known is not _GONE or _WRAPPED in path else _at({**module.live, **module.final}, path)
            if callable(new):
                self.deeds += self._relays.lead(module.name, path, new)


_CONTAINERS: Final = frozenset(
    {list, dict, set, tuple, frozenset, collections.deque, collections.defaultdict, collections.OrderedDict}
)
_ATTRIBUTES: Final = (
    "__defaults__",
    "__kwdefaults__",
    "__annotations__",
    "__doc__",
    "__name__",
    "__qualname__",
    "__module__",
)
_ATOMS: Final = frozenset({int, str, float, bool, bytes, type(None)})
_WRAPPED: Final = "~"  # ends the path of what a wrapper holds: f and what it wraps lead to different successors
_ACCESSORS: Final = ("fget", "fset", "fdel")
_REBUILT: Final = frozenset(
    {
        staticmethod,
        classmethod,
        property,
        partial,
        _CACHED,
        functools.cached_property,
        functools.partialmethod,
        functools.singledispatchmethod,
    }
)


def _is_same_definition(before: str, after: str, path: str) -> bool:
    """Tell whether two qualified names mean one definition: a lambda that a name is given is one, too."""
    return before == after or {before, after} == {path, "<lambda>"}


def _own_name(value: Any) -> str | None:
    """Return the qualified name of a definition; anything else may be asked for nothing: it may raise."""
    return value.__qualname__ if is_a(value, types.FunctionType | type) else heap.attributes(value).get("__qualname__")


def _fields(cls: type) -> object:
    """Return the fields of a named tuple, without asking its metaclass."""
    return next((vars(base)["_fields"] for base in cls.__mro__ if "_fields" in vars(base)), None)


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return _GONE


def _at(namespace: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a dotted path of a namespace; ``_GONE`` if nothing does."""
    first, *rest = path.split(".")
    found = namespace.get(first, _GONE)
    for name in rest:
        found = vars(found).get(name, _GONE) if is_a(found, type) else _GONE
    return found


def _is_defined_in(value: Any, module: str, path: str) -> bool:
    return bool(value.__module__ == module and value.__qualname__ == path)


def _all_is(some: Collection[Any], others: Collection[Any]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _insides(old: Any, new: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the functions that an outlived wrapper holds, each with what leads on."""
    if is_a(old, staticmethod | classmethod):
        yield old.__func__, getattr(new, "__func__", new)
    elif is_a(old, property) and is_a(new, property):
        for part in _ACCESSORS:
            if (
                getattr(old, part) is not None
                and getattr(new, part) is not None
                and getattr(old, part) is not getattr(new, part)
            ):
                yield getattr(old, part), getattr(new, part)
    elif is_a(old, partial) and callable(new):
        yield old.func, getattr(new, "func", new)


def _shape(cls: type) -> tuple[object, ...]:
    """Return what the instances of a class look like in memory."""
    slots = vars(cls).get("__slots__", ())
    names = (slots,) if is_a(slots, str) else tuple(slots)
    return cls.__basicsize__, cls.__itemsize__, cls.__dictoffset__, cls.__weakrefoffset__, tuple(sorted(names))


def _may_move(old: type, new: type) -> bool:
    """Tell whether an instance of one class makes sense as one of another."""
    is_enum = is_a(old, enum.EnumType), is_a(new, enum.EnumType)
    is_tuple = issubclass(old, tuple) and _fields(old) != _fields(new)
    return is_enum[0] == is_enum[1] and not is_tuple


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _point_at_class(member: Any, staged: type, live: type) -> None:
    """Let ``super()`` in a function of a staged class mean the live class that takes the function over."""
    for function in _functions(member):
        cell = heap.closure(function).get("__class__") if function.__closure__ else None
        if cell is not None and _contents(cell) is staged:
            cell.cell_contents = live


def _functions(member: Any) -> Iterator[types.FunctionType]:
    stack, seen = [member], set[int]()
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if is_a(value, types.FunctionType):
            yield value
            stack += [_contents(cell) for cell in value.__closure__ or ()]
            stack.append(value.__dict__.get("__wrapped__"))
        elif is_a(value, staticmethod | classmethod | _CACHED):
            stack.append(value.__wrapped__)
        elif is_a(value, property):
            stack += [value.fget, value.fset, value.fdel]
        elif type(value) in _REBUILT:
            stack += [getattr(value, "func", None), *heap.attributes(value).values()]


def _filled(live: Any, staged: Any) -> list[Deed]:
    """Return what lets a container hold what its copy holds."""
    before = live.copy()
    if is_a(live, list):
        everything = slice(None)
        return [
            Deed(partial(list.__setitem__, live, everything, staged), partial(list.__setitem__, live, everything, before))
        ]
    kind = type(live)
    return [
        Deed(partial(kind.clear, live), partial(kind.update, live, before)),
        Deed(partial(kind.update, live, staged), partial(kind.clear, live)),
    ]


def _set_member(cls: type, key: str, old: Any, new: Any) -> Deed:
    undo = partial(type.__delattr__, cls, key) if old is _GONE else partial(type.__setattr__, cls, key, old)
    return Deed(partial(type.__setattr__, cls, key, new), undo)


def _delete_member(cls: type, key: str, old: Any) -> Deed:
    return Deed(partial(type.__delattr__, cls, key), partial(type.__setattr__, cls, key, old))
