"""What a transaction outlives: definitions that could not stay, and those that the newest text has no more.

Who holds one of them is led to what its name means now. Called by the thread that builds; one transaction uses one
``Outlived``, ``Departed`` is kept over all of them.
"""

import enum
import types
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from ipyhot.core import heap
from ipyhot.core.commit import Deed, set_attribute
from ipyhot.core.heap import is_a
from ipyhot.core.pairs import OWN_PLACE, Module, Pairs, fields
from ipyhot.core.relay import Relays
from ipyhot.core.wrappers import ABSENT, CACHED, WRAPPED, insides

__all__ = ["Departed", "Outlived", "at"]


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


class Outlived:
    """Collects what is outlived while successors are found, and leads on from it when all are known.

    Args:
        pairs: which definitions live on.
        relays: where outlived functions lead.
        departed: what earlier transactions took away.
        classes: those that retire, each with its successor; outlived ones are added.
    """

    def __init__(self, pairs: Pairs, relays: Relays, departed: Departed, classes: dict[type, type]) -> None:
        self.gone: dict[type, None] = {}  # classes that the newest text has no more
        self.replaced: dict[int, tuple[Any, Any]] = {}  # definitions that could not stay: id of the old one → old, new
        self.caches: list[Any] = []  # somebody may hold them: they are emptied with every generation from now on
        self.notes: list[str] = []
        self._classes = classes
        self._pairs = pairs
        self._relays = relays
        self._departed = departed
        self._found: list[tuple[Any, Any, Module, str]] = []
        self.weakly_held: list[tuple[types.FunctionType, types.FunctionType]] = []  # each behind what follows it
        self._places: dict[tuple[str, str], Any] = {}  # module and path → what will stand there

    def place(self, old: Any, new: Any, module: Module, path: str) -> None:
        """Take note of what is to stand at a path, and of what stood there."""
        self._places[module.name, path] = new
        if new is not old and old is not ABSENT:
            self.add(old, new, module, path)

    def add(self, old: Any, new: Any, module: Module, path: str) -> None:
        """Take note of what another object takes the place of."""
        self._found.append((old, new, module, path))

    def lead(self) -> Iterator[Deed]:
        """Yield what leads on from all that was outlived; only now it is known what lives on under another name."""
        for old, new, module, path in self._found:
            yield from self._lead(old, new, module, path)

    def lead_earlier(self, module: Module) -> Iterator[Deed]:
        """Yield what leads functions that were outlived earlier to the newest, too."""
        for path in self._relays.paths(module.name):
            known = self._places.get((module.name, path), ABSENT)
            new = known if known is not ABSENT or WRAPPED in path else at({**module.live, **module.final}, path)
            if callable(new):
                yield from self._relays.lead(module.name, path, new)

    def depart(self, module: Module, path: str, value: Any) -> None:
        """Take note of what nothing takes the place of."""
        if is_a(value, CACHED):
            self.caches.append(value)
            value = value.__wrapped__
        if is_a(value, types.FunctionType | type) and _is_defined_in(value, module.name, path):
            self._departed.add(module.name, path, value)
            if is_a(value, type):
                self.gone[value] = None

    def _lead(self, old: Any, new: Any, module: Module, path: str) -> Iterator[Deed]:
        """Lead who holds an old definition to what its name means now."""
        if self._pairs.is_carried(old) or self._pairs.is_taken(old):
            return  # it lives on, under another name
        owner = path.rstrip(WRAPPED)
        if not (is_a(new, type) if is_a(old, type) else callable(new)):
            self.depart(module, path, old)
        if is_a(old, types.FunctionType):
            if callable(new) and self._belongs(old, module, owner):
                self.replaced[id(old)] = (old, new)
                yield from self._relays.forward(module.name, path, old, new)
        elif is_a(old, type):
            if is_a(new, type) and old.__module__ == module.name and old.__qualname__ == path:
                self.replaced[id(old)] = (old, new)
                if _may_move(old, new):
                    self._classes[old] = new
                else:
                    self.notes.append(f"instances of {path} keep their class: they would be misread as the new one's")
                yield from self._lead_members(old, new, module, path)
        elif is_a(old, CACHED):
            inner: Any = old.__wrapped__
            is_ours = is_a(inner, types.FunctionType) and self._belongs(inner, module, owner)
            if is_ours:
                self.caches.append(old)
            if is_ours and callable(new) and not self._pairs.is_taken(inner):
                target = new.__wrapped__ if is_a(new, CACHED) else new
                yield from self._relays.forward(module.name, path + WRAPPED, inner, target)
        else:
            for before, after in insides(old, new):
                yield from self._lead(before, after, module, path + WRAPPED)

    def _lead_members(self, old: type, new: type, module: Module, path: str) -> Iterator[Deed]:
        """Let the methods of a class that could not follow lead to those of its successor."""
        stays = not _can_move(old, new)
        for key, value in vars(old).items():
            function = value.__func__ if is_a(value, classmethod) else value
            if not _may_move(old, new) and getattr(function, "__globals__", module.live) is not module.live:
                continue  # a named tuple's own methods know the old fields
            after = vars(new).get(key, self._inherited(new, key, value))
            if after is not ABSENT and after is not value and key not in OWN_PLACE:
                if is_a(value, types.FunctionType) and is_a(after, types.FunctionType):
                    if not self._pairs.is_taken(value) and self._belongs(value, module, f"{path}.{key}"):
                        yield from self._lead_method(value, after, module, f"{path}.{key}", stays=stays)
                elif not is_a(value, types.MemberDescriptorType):
                    yield from self._lead(value, after, module, f"{path}.{key}")

    def lose(self, cls: type, key: str, value: Any, module: Module, path: str) -> None:
        """Take note of an attribute that a class has no more; if it is inherited now, that is what follows it."""
        above = self._inherited(cls, key, value)
        if above is ABSENT:
            self.depart(module, path, value)
        else:
            self.place(value, above, module, path)

    def _inherited(self, cls: type, key: str, value: Any) -> Any:
        """Return the method that a class inherits under the name of one of its own that it had before."""
        above = next((vars(base)[key] for base in cls.__mro__[1:] if key in vars(base)), None)
        is_method = is_a(value, types.FunctionType) and is_a(above, types.FunctionType)
        return self._pairs.standing_for(above, above) if is_method else ABSENT

    def keep(self, function: types.FunctionType, successor: Any) -> None:
        """Let a method that only weak references hold live as long as what follows it: observers use ``WeakMethod``."""
        if weakref.getweakrefcount(function) and is_a(successor, types.FunctionType):
            self.weakly_held.append((successor, function))

    def _lead_method(
        self, old: types.FunctionType, new: types.FunctionType, module: Module, path: str, *, stays: bool
    ) -> Iterator[Deed]:
        """Lead one method on. If instances stay with their class, ``super()`` must go on meaning that class's base."""
        self.keep(old, new)
        if not stays:
            yield from self._relays.forward(module.name, path, old, new)
        elif old.__code__.co_freevars == new.__code__.co_freevars:
            for name in ("__code__", "__defaults__", "__kwdefaults__", "__doc__"):
                yield set_attribute(old, name, getattr(new, name))

    def _belongs(self, old: types.FunctionType, module: Module, path: str) -> bool:
        """Tell whether a function is the module's own under this name, and not another one's that the name was given to."""
        name = old.__code__.co_qualname
        if self._pairs.lives_elsewhere(old):
            return False
        if old.__globals__ is not module.live:
            # A decorator elsewhere made it for us, or it was imported from who knows where.
            is_made_here = old.__closure__ is not None and ("<locals>" in name or old.__qualname__ == path)
            is_ours = old.__module__ == module.name or old.__module__ not in self._pairs.modules
            return is_made_here and is_ours and path.partition(".")[0] not in module.imported
        return name == path or name.endswith("<lambda>") or "<locals>" in name


def at(namespace: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a dotted path of a namespace; ``ABSENT`` if nothing does."""
    first, *rest = path.split(".")
    found = namespace.get(first, ABSENT)
    for name in rest:
        found = vars(found).get(name, ABSENT) if is_a(found, type) else ABSENT
    return found


def _is_defined_in(value: Any, module: str, path: str) -> bool:
    return bool(value.__module__ == module and value.__qualname__ == path)


def _can_move(old: type, new: type) -> bool:
    """Tell whether Python lets an instance change from one class to the other, by trying it with one that nobody sees."""
    if any("__del__" in vars(base) for base in old.__mro__):
        return True
    try:
        probe: object = object.__new__(old)
    except TypeError:  # it is abstract, or holds more than attributes
        return True
    return heap.can(probe, "__class__", old, new, object.__setattr__)


def _may_move(old: type, new: type) -> bool:
    """Tell whether an instance of one class makes sense as one of another."""
    is_enum = is_a(old, enum.EnumType), is_a(new, enum.EnumType)
    is_tuple = issubclass(old, tuple) and fields(old) != fields(new)
    return is_enum[0] == is_enum[1] and not is_tuple
