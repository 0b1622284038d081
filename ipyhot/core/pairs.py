"""Which live definition each staged one is a newer version of, and whether Python lets it become that.

``Pairs`` knows what stands for what; what a definition takes over is not its concern. Called by the thread that builds;
one transaction uses one.
"""

import enum
import functools
import sys
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipyhot.core import enums, heap
from ipyhot.core.commit import Deed
from ipyhot.core.heap import is_a
from ipyhot.core.model import Remade
from ipyhot.core.relay import relay_of

__all__ = ["OWN_PLACE", "Module", "Pairs", "fields"]

# What no class can take over, and its module, which it has already: setting that deletes ``__firstlineno__`` on Python 3.13.
OWN_PLACE: Final = frozenset({"__dict__", "__module__", "__slots__", "__weakref__", "_abc_impl"})
_ATOMS: Final = frozenset({int, str, float, bool, bytes, type(None)})


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
    refilled: Collection[str] = ()  # classes that are made again because of who adds to their containers
    grown: Mapping[str, Any] = field(default_factory=dict)  # name → a copy of its container, added to
    shadows: list[tuple[Any, Any]] = field(
        default_factory=list
    )  # what ran aside only, each with the live object that it is for
    final: dict[str, Any] = field(default_factory=dict)


class Pairs:
    """The elders of one transaction, and what stands for each staged object.

    Args:
        modules: all that was staged over a live namespace, by name.
        guests: modules that are new and go live as they are.
    """

    def __init__(self, modules: Mapping[str, Module], guests: Iterable[Module]) -> None:
        self.made_again: list[tuple[type, type]] = []  # classes, each with the staged one of its name
        self.modules = modules
        self._homes = {id(module.staged): module for module in [*modules.values(), *guests]}
        self._known: dict[int, tuple[Any, Any]] = {}  # id of a staged object → itself, what stands for it
        self._taken: dict[int, Any] = {}  # id of an old object → the staged one that it takes over
        self._waiting: list[tuple[type, type]] = []
        self._growing: dict[int, tuple[type, ...]] = {}  # id of a staged class whose elder is to become it → its bases

    @property
    def is_empty(self) -> bool:
        """True when nothing stands for anything."""
        return not self._known

    @functools.cached_property
    def _carried(self) -> set[int]:
        """The live definitions that stay under their name, by id."""
        return {
            id(value)
            for module in self.modules.values()
            for name, value in module.live.items()
            if name not in module.names
            and is_a(value, types.FunctionType | type)
            and (value.__module__ == module.name or value.__module__ not in self.modules)
        }

    # -- what stands for what

    def standing_for(self, staged: Any, default: Any) -> Any:
        """Return what stands for a staged object, if that is known by now."""
        known = self._known.get(id(staged))
        return default if known is None else known[1]

    def stand(self, staged: Any, live: Any) -> None:
        """Let an object stand for a staged one from now on."""
        self._known[id(staged)] = (staged, live)

    def stand_first(self, staged: Any, live: Any) -> None:
        """Let an object stand for a staged one unless another one does."""
        self._known.setdefault(id(staged), (staged, live))

    def is_known(self, staged: Any) -> bool:
        """Tell whether it is settled what stands for a staged object."""
        return id(staged) in self._known

    def is_carried(self, value: Any) -> bool:
        """Tell whether an object is a live definition that stays under its name."""
        return id(value) in self._carried

    def is_taken(self, old: Any) -> bool:
        """Tell whether a live definition takes a staged one over."""
        return id(old) in self._taken

    def home_of(self, function: types.FunctionType) -> dict[str, Any] | None:
        """Return the live namespace that a function belongs in; None if it is nothing to this transaction."""
        module = self._homes.get(id(function.__globals__))
        return None if module is None else module.live

    def base(self, base: type) -> type:
        """Return the live class that a staged one is going to be."""
        found: type = self.standing_for(base, base)
        return found

    def begin_function(self, old: Any, new: types.FunctionType) -> bool:
        """Tell whether a function has yet to take another one over; it is told so once."""
        is_due = self._taken.get(id(old)) is new
        if is_due:
            self._taken[id(old)] = None
        return is_due

    def begin_class(self, new: type) -> tuple[type, ...] | None:
        """Return the bases for the elder of a class that has yet to become it; it is told so once."""
        return self._growing.pop(id(new), None)

    def shadow(self, staged: Any, live: Any) -> Iterator[tuple[type, type]]:
        """Let a live object stand for one that was only made for others to call or hold while they were loaded.

        Yields:
            The classes among them, each with the live one.
        """
        if staged is live or type(staged) in _ATOMS or id(staged) in self._known:
            return
        self.stand(staged, live)
        if is_a(staged, type) and is_a(live, type):
            yield staged, live
            for key, value in vars(staged).items():
                if is_a(value, types.FunctionType | type) and key in vars(live):
                    yield from self.shadow(value, vars(live)[key])

    # -- pairing

    def pair(self, old: Any, new: Any, path: str) -> None:
        """Pair two definitions of one path, and the classes inside them; for classes ``settle`` has the last word."""
        if is_a(new, types.FunctionType) and self.may_take_over(old, new, path):
            self.take_over(old, new)
        elif is_a(new, type) and is_a(old, type) and self.is_same_class(old, new):
            self._taken[id(old)] = new
            self._waiting.append((old, new))
            for key, value in vars(new).items():
                inner = vars(old).get(key)
                if is_a(value, type) and inner is not None:
                    self.pair(inner, value, f"{path}.{key}")

    def settle(self) -> tuple[list[Deed], list[str]]:
        """Decide which of the paired classes can take the shape of the new one; return what that asks of enums' members."""
        waiting, self._waiting = self._waiting, []
        self.made_again += waiting
        for old, new in waiting:
            self.stand(new, old)
        is_settled = False
        while not is_settled:  # one that cannot may be the base of another one
            is_settled = True
            for old, new in list(waiting):
                bases = tuple(self.base(base) for base in new.__bases__)
                self._growing[id(new)] = bases
                if not self._can_become(old, new, bases):
                    waiting.remove((old, new))
                    is_settled = False
                    self._part(old, new)
        deeds: list[Deed] = []
        notes: list[str] = []
        for old, new in waiting:
            if is_a(old, enum.EnumType) and is_a(new, enum.EnumType):
                found = self._members(old, new)
                if found is None:
                    self._part(old, new)
                else:
                    deeds += found[0]
                    notes += found[1]
        return deeds, notes

    def _part(self, old: type, new: type) -> None:
        del self._known[id(new)], self._growing[id(new)]
        self._taken.pop(id(old), None)

    def _members(self, old: Any, new: Any) -> tuple[list[Deed], list[str]] | None:
        """Let the members of an enum that are held stand for the new ones of their name; None if their layout is another."""
        standing = {key: result for key, (_, result) in self._known.items()}
        before = set(standing)
        try:
            found = enums.successors(old, new, standing=standing)
        except TypeError:
            return None
        self._known.update({key: (new, standing[key]) for key in standing.keys() - before})
        return found

    def take_over(self, old: types.FunctionType, new: types.FunctionType) -> None:
        """Let a function become another version of itself."""
        self._taken[id(old)] = new
        self.stand(new, old)

    def may_take_over(self, old: Any, new: types.FunctionType, path: str) -> bool:
        """Tell whether a function is another version of an older one, and Python lets that become it."""
        if not is_a(old, types.FunctionType) or id(old) in self._taken or id(new) in self._known:
            return False
        before, after = old.__code__, new.__code__
        home = self.home_of(new)
        return (
            old is not new
            and _is_same_definition(before.co_qualname, after.co_qualname, path)
            and old.__globals__ is (new.__globals__ if home is None else home)
            and (home is not None or new.__closure__ is not None)  # a plain one is somebody else's
            and before.co_freevars == after.co_freevars
            and relay_of(old) is None
            and (id(old) not in self._carried or old.__qualname__ == path)
            and id(new) not in self._carried
            and not self.lives_elsewhere(new)
            and not self.lives_elsewhere(old)
        )

    def is_same_class(self, old: type, new: type) -> bool:
        """Tell whether a staged class is another version of an older one."""
        is_own = new.__module__ in self.modules and new.__module__ == old.__module__
        is_free = id(old) not in self._taken and id(new) not in self._known and id(new) not in self._carried
        return is_own and is_free and old is not new and old.__qualname__ == new.__qualname__

    def lives_elsewhere(self, function: types.FunctionType) -> bool:
        """Tell whether a function was only imported, from a module that stays as it is."""
        if function.__module__ in self.modules:
            return False
        module = sys.modules.get(function.__module__)
        return is_a(module, types.ModuleType) and any(value is function for value in vars(module).values())

    def _can_become(self, old: type, new: type, bases: tuple[type, ...]) -> bool:
        """Tell whether Python lets a class take the shape of another one; its instances keep theirs."""
        if _shape(old) != _shape(new) or is_a(old, enum.EnumType) != is_a(new, enum.EnumType):
            return False
        if "__new__" in vars(old) and "__new__" not in vars(new):
            return False  # CPython goes on looking for it: bugs.python.org/issue5322
        if issubclass(old, tuple) and fields(old) != fields(new):
            return False  # held tuples would be read in another order
        meta = self.base(type(new))
        if type(old) is not meta and not heap.can(old, "__class__", type(old), meta, type.__setattr__):
            return False
        return bases == old.__bases__ or heap.can(old, "__bases__", old.__bases__, bases, type.__setattr__)


def _is_same_definition(before: str, after: str, path: str) -> bool:
    """Tell whether two qualified names mean one definition: a lambda that a name is given is one, too."""
    return before == after or {before, after} == {path, "<lambda>"}


def fields(cls: type) -> object:
    """Return the fields of a named tuple, without asking its metaclass."""
    return next((vars(base)["_fields"] for base in cls.__mro__ if "_fields" in vars(base)), None)


def _shape(cls: type) -> tuple[object, ...]:
    """Return what the instances of a class look like in memory."""
    slots = vars(cls).get("__slots__", ())
    names = (slots,) if is_a(slots, str) else tuple(slots)
    return cls.__basicsize__, cls.__itemsize__, cls.__dictoffset__, cls.__weakrefoffset__, tuple(sorted(names))
