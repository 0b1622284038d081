"""What only a walk over the heap can find: instances of a class, who holds it, functions made of a code object.

A walk costs some 20 ms for a million objects, so reference counts are asked first whether there is anything to find.
"""

import collections
import gc
import operator
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from ipyhot.core.commit import Deed

__all__ = [
    "Walks",
    "attributes",
    "can",
    "functions_of",
    "instance_deeds",
    "instances",
    "replace_in_containers",
    "switch",
    "unheld",
]


class Walks:
    """How many walks there were, for those who measure."""

    count = 0


def referrers(objects: Iterable[object]) -> list[Any]:
    """Return whatever refers to one of some objects."""
    Walks.count += 1
    return gc.get_referrers(*objects)


def functions_of(codes: Iterable[types.CodeType]) -> Iterator[types.FunctionType]:
    """Yield every function that is made of one of some code objects."""
    for holder in referrers(codes):
        if is_a(holder, types.FunctionType):
            yield holder


def homed_in(namespaces: Collection[dict[str, Any]]) -> list[types.FunctionType]:
    """Return every function whose globals are one of some namespaces."""
    homes = {id(namespace) for namespace in namespaces}
    return [f for f in referrers(namespaces) if is_a(f, types.FunctionType) and id(f.__globals__) in homes]


def instances(cls: type) -> list[Any]:
    """Return every instance of a class and of its subclasses."""
    family = [cls]
    for member in family:
        found: list[type] = type.__subclasses__(member)
        family += [sub for sub in found if sub not in family]
    return [one for one in referrers(family) if type(one) in family]


def instance_deeds(classes: Mapping[type, type], staying: Collection[type] = ()) -> Iterator[tuple[list[Deed], str | None]]:
    """Move instances and foreign subclasses of replaced classes; one walk over the heap finds them all.

    Args:
        classes: those that retire, each with its successor.
        staying: classes that are given their bases anyway.
    """
    refused: set[type] = set()
    for holder in referrers(classes):
        old = type(holder)
        if is_a(holder, type) and (holder in classes or holder in staying):
            continue
        if old in classes and old not in refused:
            write = type.__setattr__ if is_a(holder, type) else object.__setattr__
            if not can(holder, "__class__", old, classes[old], write):
                refused.add(old)
                yield [], f"instances of {old.__qualname__} keep their class: its layout changed"
            else:
                yield [switch(holder, "__class__", old, classes[old], write)], None
        elif is_a(holder, type) and holder not in classes and not set(holder.__bases__).isdisjoint(classes):
            before = holder.__bases__
            after = tuple(classes.get(base, base) for base in before)
            if can(holder, "__bases__", before, after, type.__setattr__):
                yield [switch(holder, "__bases__", before, after, type.__setattr__)], None
            else:
                yield [], f"{holder.__qualname__} keeps its old base: the layout changed"


def replace_in_containers(successors: Mapping[Any, Any], kind: type) -> None:
    """Put successors in place of objects of a kind in every list, dict, set, closure and instance."""
    own = {id(cell) for cls in successors if kind is type for cell in _class_cells(cls)}  # what super() means there
    for holder in referrers(successors):
        if holder is successors or is_a(holder, kind | types.FrameType) or id(holder) in own:
            continue
        if is_a(holder, list):
            _replace_in_list(holder, successors, kind)
        elif is_a(holder, set):
            for value in [value for value in holder if is_a(value, kind) and value in successors]:
                holder.discard(value)
                holder.add(successors[value])
        elif is_a(holder, types.CellType):
            if is_a(holder.cell_contents, kind):
                holder.cell_contents = successors.get(holder.cell_contents, holder.cell_contents)
        else:
            # Python 3.11 keeps an instance's attributes in the instance until somebody asks for its dict.
            found: dict[Any, Any] = holder if is_a(holder, dict) else attributes(holder)
            for key, value in list(found.items()):
                if is_a(value, kind) and value in successors:
                    found[key] = successors[value]


def is_a(value: Any, kind: Any) -> bool:
    """Tell what an object is, whatever it says itself: ``isinstance`` asks for ``__class__``, which may lie or raise."""
    return issubclass(type(value), kind)


def attributes(value: object) -> dict[str, Any]:
    """Return the attributes that an object keeps itself, without running any code of its class."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if is_a(found, dict) else {}


def _replace_in_list(holder: list[Any], successors: Mapping[Any, Any], kind: type) -> None:
    present = {id(value) for value in holder}  # a successor that stands here already was put in by being made again
    for index in range(len(holder) - 1, -1, -1):
        value = holder[index]
        if is_a(value, kind) and value in successors:
            if id(successors[value]) in present:
                del holder[index]
            else:
                holder[index] = successors[value]


class _Probe:
    """A class that nobody else ever holds."""


def unheld(classes: Mapping[type, Any], namespaces: Collection[dict[str, Any]], extra: int = 0) -> list[type]:
    """Return the classes that nothing but the namespaces and the classes themselves holds.

    Each reference to an object is in its reference count, an instance's to its class too. If those that can be named
    here make up the whole count, no instance exists, and the walk over the heap is spared. What cannot be named counts
    as an instance.

    Args:
        classes: the classes, as the keys of a mapping that holds each once.
        namespaces: dicts whose values are looked at.
        extra: how many more references to each the caller itself holds.
    """
    named = collections.Counter(
        id(value) for namespace in namespaces for value in list(namespace.values()) if is_a(value, type)
    )
    for cls in classes:
        for base in cls.__mro__[1:]:
            if base in classes:
                named[id(base)] += 1 + cls.__bases__.count(base) + (cls.__base__ is base)
    cls = base = None  # type: ignore[assignment]  # a variable that still held one would count as an instance
    named[id(_Probe)] = 1 - extra
    probe = _Probe
    # Its name in this module is counted, and its variable here holds it as the mapping holds the others. What more
    # there is, this loop holds, and of the others too.
    surplus = [sys.getrefcount(cls) - _own_references(cls) - named[id(cls)] for cls in (probe, *classes)]
    return [cls for cls, count in zip(classes, surplus[1:], strict=True) if count <= surplus[0]]


def _own_references(cls: type) -> int:
    """Return how many references a class, its own members and its subclasses hold to it."""
    own = sum(base is cls for base in cls.__mro__)
    own += sum(is_a(value, _DESCRIPTORS) and value.__objclass__ is cls for value in vars(cls).values())
    return own + len({id(cell) for cell in _class_cells(cls)})


def _class_cells(cls: type) -> Iterator[types.CellType]:
    """Yield the cells through which a class's own functions know it."""
    for value in vars(cls).values():
        function = value.__func__ if is_a(value, staticmethod | classmethod) else value
        if is_a(function, types.FunctionType) and "__class__" in function.__code__.co_freevars:
            cell = closure(function)["__class__"]
            if cell.cell_contents is cls:
                yield cell


_DESCRIPTORS: Final = (types.GetSetDescriptorType, types.MemberDescriptorType)


def closure(function: types.FunctionType) -> dict[str, types.CellType]:
    """Return a function's cells by the names of its free variables."""
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))


def switch(owner: Any, name: str, old: object, new: object, write: Callable[..., None]) -> Deed:
    """Return the deed that sets an attribute whose old value is known."""
    return Deed(partial(write, owner, name, new), partial(write, owner, name, old))


def can(owner: Any, name: str, old: object, new: object, write: Callable[..., None]) -> bool:
    """Tell whether Python lets an attribute change, by changing it there and back in one call."""
    tries: Iterable[Callable[[], None]] = [partial(write, owner, name, new), partial(write, owner, name, old)]
    try:
        collections.deque(map(operator.call, tries), maxlen=0)
    except Exception:  # noqa: BLE001 - Python says TypeError; a class that has a say in it may raise anything
        return False
    return True
