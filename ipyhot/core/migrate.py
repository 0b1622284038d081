"""Live instances get what a changed class gives to new ones: defaults of new fields, and what ``__hot_migrate__`` does.

All of it is tried on the instances before the commit, taken back, and done again in it. Called by the thread that builds.
"""

import copyreg
import dataclasses
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from ipyhot.core import heap
from ipyhot.core.codes import signature
from ipyhot.core.commit import Deed, delete_item, set_item
from ipyhot.core.heap import is_a
from ipyhot.core.model import MIGRATE

__all__ = ["deeds"]

_ABSENT: Final = object()


def deeds(old: type, new: type, home: Callable[[Any], Any]) -> Iterator[Deed]:
    """Yield what brings the instances of a class up to its newest version.

    Args:
        old: the class as it is live.
        new: the class as running its statement has just made it.
        home: leads a staged value to what stands for it afterwards.

    Raises:
        BaseException: what a default factory or ``__hot_migrate__`` raised; every instance is as it was.
    """
    fields = [field for field in _new_fields(old, new) if field.init or field.default_factory is not dataclasses.MISSING]
    migrate = _new_migration(old, new)
    if not fields and migrate is None:
        return
    states = []
    for instance in heap.instances(old):
        before = _state(instance)
        try:
            with _as_new(instance, old, new):
                for field in fields:
                    _give(instance, field)
                if migrate is not None:
                    migrate(instance)
            states.append((instance, before, _state(instance)))
        finally:
            _restore(instance, before)
    for instance, before, after in states:
        yield from _changes(instance, before, {key: home(value) for key, value in after.items()})


@contextmanager
def _as_new(instance: Any, old: type, new: type) -> Iterator[None]:
    """Let an instance have the methods of the new class, where its layout allows that."""
    is_switched = type(instance) is old and heap.can(instance, "__class__", old, new, object.__setattr__)
    functions = [value for value in vars(new).values() if is_a(value, types.FunctionType)]
    cells = [cell for function in functions if (cell := heap.closure(function).get("__class__")) is not None]
    meant = [cell.cell_contents for cell in cells]
    if is_switched:
        object.__setattr__(instance, "__class__", new)
        for cell in cells:  # super() means the class that the instance has meanwhile
            cell.cell_contents = new
    try:
        yield
    finally:
        if is_switched:
            object.__setattr__(instance, "__class__", old)
            for cell, cls in zip(cells, meant, strict=True):
                cell.cell_contents = cls


def _new_fields(old: type, new: type) -> list[dataclasses.Field[Any]]:
    if not _is_dataclass(new):
        return []
    known = {field.name for field in dataclasses.fields(old)} if _is_dataclass(old) else set()
    return [field for field in dataclasses.fields(new) if field.name not in known]


def _is_dataclass(cls: type) -> bool:
    return any("__dataclass_fields__" in vars(base) for base in cls.__mro__)  # its metaclass is not asked: it may raise


def _give(instance: Any, field: dataclasses.Field[Any]) -> None:
    """Give an instance the default of a field, unless it has a value of that name."""
    try:
        object.__getattribute__(instance, field.name)
        if field.name in heap.attributes(instance):
            return
    except AttributeError:
        pass
    if field.default is not dataclasses.MISSING:
        object.__setattr__(instance, field.name, field.default)
    elif field.default_factory is not dataclasses.MISSING:
        object.__setattr__(instance, field.name, field.default_factory())


def _new_migration(old: type, new: type) -> Callable[[Any], object] | None:
    """Return a class's migration if this version brings it, or another one."""
    before: Any
    after: Any
    before, after = vars(old).get(MIGRATE), vars(new).get(MIGRATE)
    if not is_a(after, types.FunctionType):
        return None
    is_known = is_a(before, types.FunctionType) and _same(before.__code__, after.__code__)
    return None if is_known else after


def _same(before: types.CodeType, after: types.CodeType) -> bool:
    return signature(before, is_body=True) == signature(after, is_body=True)


def _state(instance: Any) -> dict[str, Any]:
    """Return what an instance holds, by attribute."""
    found = dict(heap.attributes(instance))
    for name in _slots(type(instance)):
        value = _slot(instance, name)
        if value is not _ABSENT:
            found[name] = value
    return found


def _slots(cls: type) -> Iterable[str]:
    return copyreg._slotnames(cls)  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001 - pickle asks it, too


def _slot(instance: Any, name: str) -> Any:
    try:
        return object.__getattribute__(instance, name)
    except AttributeError:
        return _ABSENT


def _restore(instance: Any, before: dict[str, Any]) -> None:
    for deed in _changes(instance, _state(instance), before):
        deed.do()


def _changes(instance: Any, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Deed]:
    """Yield what turns one state of an instance into another."""
    slots = {*_slots(type(instance))}
    for name in {**before, **after}:
        old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if old is new:
            continue
        if name in slots:
            if new is _ABSENT and _slot(instance, name) is _ABSENT:
                continue
            yield Deed(_write(instance, name, new), _write(instance, name, old))
        else:
            attributes = vars(instance)
            yield delete_item(attributes, name) if new is _ABSENT else _set(attributes, name, new, old)


def _set(attributes: dict[str, Any], name: str, new: Any, old: Any) -> Deed:
    deed = set_item(attributes, name, new)
    undo = partial(dict.pop, attributes, name, None) if old is _ABSENT else partial(dict.__setitem__, attributes, name, old)
    return Deed(deed.do, undo)


def _write(instance: Any, name: str, value: Any) -> Callable[[], object]:
    if value is _ABSENT:
        return partial(object.__delattr__, instance, name)
    return partial(object.__setattr__, instance, name, value)
