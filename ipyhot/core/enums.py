"""An Enum class that lives takes over what its changed class statement says, and so do the members that people hold.

Owns what CPython's ``enum`` keeps in a class and its members. Only looks and returns deeds; ``commit`` does them.
Methods and other attributes of the class are not its concern. Called by the thread that builds.
"""

import collections
import copy
import enum
import functools
import operator
import types
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, cast

from ipyhot.core.commit import Deed
from ipyhot.core.heap import is_a

__all__ = ["owned", "successors"]

# Private names of CPython's enum, read in Lib/enum.py of 3.11 to 3.14 and tried with 3.11.7, 3.12.1 and 3.13.0.
# _unhashable_values_map_ came with 3.13, _hashable_values_ with 3.12.5 and 3.13.1; those of flags are in flags only.
_BOOKKEEPING: Final = frozenset(
    {
        "_member_names_", "_member_map_", "_value2member_map_", "_member_type_", "_value_repr_", "_use_args_",
        "_hashable_values_", "_unhashable_values_", "_unhashable_values_map_",
        "_boundary_", "_flag_mask_", "_singles_mask_", "_all_bits_", "_inverted_",
    }
)  # fmt: skip
_IN_PLACE: Final = frozenset({"_member_names_", "_member_map_"})  # held: __members__ is a view of the map


def owned(cls: type[enum.Enum]) -> set[str]:
    """Return the names in a class's dict that ``successors`` takes care of."""
    names = {name for name in vars(cls) if name in _BOOKKEEPING or name in cls._member_map_}
    # EnumType binds this one to the class when flags are not in the order of their values. One by hand is no method yet.
    return names | {"_iter_member_"} if isinstance(vars(cls).get("_iter_member_"), types.MethodType) else names


def successors(
    old: type[enum.Enum],
    new: type[enum.Enum],
    skip: Callable[[str], bool] = frozenset[str]().__contains__,
    standing: dict[int, Any] | None = None,
) -> tuple[list[Deed], list[str]]:
    """Return what to do so that a live Enum class has the members of another, and notes on members that cannot follow.

    A held member stays the object it is and takes over all attributes of the new member of its name; attributes that
    were set on it from outside go. A removed one keeps its name and value, and its class does not know it any more.

    Of the class's dict this sets every name in ``owned(new)`` and deletes every name in ``owned(old)`` that ``new`` does
    not have: members under their names and enum's bookkeeping. All else in ``vars(new)`` is the caller's, also
    ``__new__``, ``_new_member_``, ``__new_member__``, ``_generate_next_value_``, ``_missing_``, what EnumType adds
    (``__str__``, ``__or__``, ...), and a method or attribute that has the name of a removed member.

    Args:
        old: the live class.
        new: the class that running its changed statement aside has made. Nothing else may use it after the commit.
        skip: tells which names in the class's dict to leave alone, beyond those.
        standing: what stands for which object that was made aside, by its id. Values and attributes of members are
            led by it, and it is told what stands for the new class, its members and its combinations of flags.

    Raises:
        TypeError: the members of ``new`` cannot become members of ``old``, whose instances have another layout.
    """
    standing = {} if standing is None else standing
    pairs = _pairs(old, new)
    kept = [pair for pair in pairs if _has_same_data(*pair)]
    deeds: list[Deed] = []
    members = list(_all_members(new))
    heirs: dict[int, Any] = {id(new): old, **{id(staged): held for staged, held in kept}}
    for staged in members:
        if id(staged) not in heirs:
            heirs[id(staged)], switch = _adopted(staged, old, new)
            deeds += switch
    standing |= heirs
    for staged in members:
        deeds += _state_deeds(standing[id(staged)], staged, standing)
    deeds += _class_deeds(old, new, standing, skip)
    return deeds, _notes(old, new, pairs, kept)


def _pairs(old: type[enum.Enum], new: type[enum.Enum]) -> list[tuple[enum.Enum, enum.Enum]]:
    """Return new members beside the held ones that mean the same, each of both once at most."""
    found: dict[int, tuple[enum.Enum, enum.Enum]] = {}
    taken: set[int] = set()
    for staged, held in (*_by_name(old, new), *_combinations(old, new)):
        if id(staged) not in found and id(held) not in taken:
            found[id(staged)] = staged, held
            taken.add(id(held))
    return list(found.values())


def _by_name(old: type[enum.Enum], new: type[enum.Enum]) -> Iterator[tuple[enum.Enum, enum.Enum]]:
    both = [(name, staged, old._member_map_[name]) for name, staged in new._member_map_.items() if name in old._member_map_]
    for name, staged, held in both:
        if staged._name_ == held._name_ == name:
            yield staged, held
    # An alias may have become the name, and the name an alias: any name in common will do then.
    for _, staged, held in both:
        yield staged, held


def _combinations(old: type[enum.Enum], new: type[enum.Enum]) -> Iterator[tuple[enum.Enum, enum.Enum]]:
    """Yield held combinations of flags beside the new members that the same names make up today."""
    if not (issubclass(old, enum.Flag) and issubclass(new, enum.Flag)):
        return
    named = {id(member) for member in old._member_map_.values()}
    for held in list(old._value2member_map_.values()):
        value = _combined(held._value_, old, new) if id(held) not in named else None
        staged = None if value is None else _combination(new, value)
        if staged is not None:
            yield staged, held


def _combined(value: object, old: type[enum.Flag], new: type[enum.Flag]) -> int | None:
    """Return the value that the flags in an old value make up today, unless one of them is gone."""
    if not isinstance(value, int):
        return None
    bits = {name: old._member_map_[name]._value_ for name in old._member_names_}
    inside = [name for name, bit in bits.items() if isinstance(bit, int) and bit & value]
    today = [new._member_map_[name]._value_ for name in inside if name in new._member_map_]
    if len(today) < len(inside) or not all(isinstance(bit, int) for bit in today):
        return None
    unnamed = value & ~functools.reduce(operator.or_, (bits[name] for name in inside), 0)
    return functools.reduce(operator.or_, today, unnamed)


def _combination(new: type[enum.Flag], value: int) -> enum.Enum | None:
    found = new._value2member_map_.get(value)
    if found is None:
        # The user's own _missing_ has made none of the held ones: it may only have passed on what Flag's made.
        make = cast("types.MethodType", enum.Flag._missing_).__func__
        try:
            found = make(new, value)
        except ValueError:  # outside of the new boundary, so it is as a removed member is
            return None
    return found if isinstance(found, new) else None  # with EJECT it is a mere number


def _carrier(cls: type) -> Any:
    """Return the base in C whose data lies inside of an instance, where nothing can change it: int, str, ..."""
    bases = (base for base in cls.__mro__ if base is not object)
    return next((base for base in bases if isinstance(vars(base).get("__new__"), types.BuiltinMethodType)), None)


def _has_same_data(staged: enum.Enum, held: enum.Enum) -> bool:
    carrier = _carrier(type(held))
    if carrier is not _carrier(type(staged)):
        return False
    if carrier is None:
        return True
    try:  # the repr tells 0.0 from -0.0, and 1 from True inside of a tuple
        return carrier.__eq__(held, staged) is True and bool(carrier.__repr__(held) == carrier.__repr__(staged))
    except Exception:  # noqa: BLE001 - a tuple's items compare as they like; what cannot be compared is named in a note
        return False


def _all_members(cls: type[enum.Enum]) -> Iterator[enum.Enum]:
    """Yield members and combinations of flags, each once."""
    found = {id(member): member for member in (*cls._member_map_.values(), *cls._value2member_map_.values())}
    yield from found.values()


def _adopted(staged: enum.Enum, old: type[enum.Enum], new: type[enum.Enum]) -> tuple[enum.Enum, list[Deed]]:
    """Return the member of the old class that a new member becomes: itself, wherever Python lets it."""
    switch = _set(staged, "__class__", old, new)
    try:  # there and back in one call of C code
        collections.deque(map(operator.call, (switch.do, switch.undo)), maxlen=0)
    except TypeError:  # so it is with int, tuple and bytes as direct bases: they vary in size
        carrier = _carrier(old)
        is_like = carrier is _carrier(new) and _slots(new) <= _slots(old)
        if carrier is None and is_like:
            return object.__new__(old), []
        if is_like and hasattr(carrier, "__getnewargs__"):
            return carrier.__new__(old, *carrier.__getnewargs__(staged)), []
        raise
    return staged, [switch]


def _state_deeds(member: enum.Enum, staged: enum.Enum, standing: Mapping[int, Any]) -> Iterator[Deed]:
    """Give a member the attributes that another has, with live members and the live class in place of new ones."""
    state = {key: standing.get(id(value), value) for key, value in vars(staged).items()}
    yield _set(member, "__dict__", state, vars(member))
    if member is not staged:
        for name in _slots(type(member)):
            before, after = _slot(member, name), _slot(staged, name)
            if before is not after:
                yield Deed(_write(member, name, standing.get(id(after), after)), _write(member, name, before))


def _slots(cls: type) -> set[str]:
    classes = [vars(base) for base in cls.__mro__ if "__slots__" in vars(base)]
    return {name for space in classes for name, value in space.items() if isinstance(value, types.MemberDescriptorType)}


_EMPTY: Final = object()


def _slot(member: enum.Enum, name: str) -> object:
    try:
        return object.__getattribute__(member, name)
    except AttributeError:  # not set, or no slot of this one
        return _EMPTY


def _write(member: enum.Enum, name: str, value: object) -> Callable[[], object]:
    if value is _EMPTY:
        return partial(object.__delattr__, member, name)
    return partial(object.__setattr__, member, name, value)


def _set(owner: object, name: str, new: object, old: object) -> Deed:
    return Deed(partial(object.__setattr__, owner, name, new), partial(object.__setattr__, owner, name, old))


def _class_deeds(
    old: type[enum.Enum], new: type[enum.Enum], standing: Mapping[int, Any], skip: Callable[[str], bool]
) -> Iterator[Deed]:
    before, after = vars(old), vars(new)
    names = owned(new)
    if not skip("_member_map_"):
        yield from _refill(old._member_map_, {name: standing[id(value)] for name, value in new._member_map_.items()})
    if not skip("_member_names_"):
        everything = slice(None)
        fill = partial(list[str].__setitem__, old._member_names_, everything)
        yield Deed(partial(fill, list(new._member_names_)), partial(fill, list(old._member_names_)))
    for name in sorted(names - _IN_PLACE):
        value = _taken(before.get(name), after[name], new, standing)
        if not skip(name) and (name not in before or before[name] is not value):
            # EnumType's own way to set refuses members; what undoes it must see descriptors as they are in the dict.
            yield Deed(partial(type.__setattr__, old, name, value), _restore(old, name))
    for name in sorted(owned(old) - after.keys()):
        if not skip(name):
            yield Deed(partial(type.__delattr__, old, name), _restore(old, name))


def _restore(cls: type, name: str) -> Callable[[], object]:
    if name in vars(cls):
        return partial(type.__setattr__, cls, name, vars(cls)[name])
    return partial(type.__delattr__, cls, name)


def _refill(mapping: dict[str, Any], content: dict[str, Any]) -> Iterator[Deed]:
    yield Deed(partial(dict.clear, mapping), partial(dict.update, mapping, dict(mapping)))
    yield Deed(partial(dict.update, mapping, content), partial(dict.clear, mapping))


def _taken(before: object, value: Any, new: type[enum.Enum], standing: Mapping[int, Any]) -> object:
    """Return what the old class has in place of something in the dict of the new one."""
    if id(value) in standing:
        return standing[id(value)]
    if isinstance(value, enum.property):  # the member's name is an attribute of a base: a redirect holds the member
        redirect: Any = copy.copy(value)
        redirect.member = standing.get(id(getattr(value, "member", None)))
        return redirect
    if isinstance(value, types.MethodType) and value.__self__ is new:
        return types.MethodType(value.__func__, standing[id(new)])
    if isinstance(value, dict):
        return {standing.get(id(key), key): _taken(None, item, new, standing) for key, item in value.items()}
    if isinstance(value, list):
        return [standing.get(id(item), item) for item in value]
    # A mixin that changed as well stays the class that it is, and its __repr__ the function.
    is_same = is_a(value, type | types.FunctionType) and _name(before) == _name(value)
    return before if is_same else value


def _name(value: Any) -> tuple[object, object]:
    return (value.__module__, value.__qualname__) if is_a(value, type | types.FunctionType) else (None, None)


def _notes(
    old: type[enum.Enum],
    new: type[enum.Enum],
    pairs: list[tuple[enum.Enum, enum.Enum]],
    kept: list[tuple[enum.Enum, enum.Enum]],
) -> list[str]:
    following = {id(held) for _, held in kept}
    notes = []
    for name, held in old._member_map_.items():
        if held._name_ != name or id(held) in following or name not in new._member_map_:
            continue
        now = new._member_map_[name]._name_
        why = "its data is inside of it and cannot change" if now == name else f"it is an alias of {now}"
        notes.append(f"{old.__qualname__}.{name} is a new object: {why}")
    named = {id(member) for member in old._member_map_.values()}
    if any(id(held) not in following and id(held) not in named for _, held in pairs):
        notes.append(f"combinations of {old.__qualname__} made earlier keep their value: it is inside of them")
    for staged, held in kept:
        if staged._name_ != held._name_ and type(held).__hash__ is enum.Enum.__hash__:
            name = f"{old.__qualname__}.{held._name_}"
            notes.append(f"{name} is {staged._name_} now and has its hash: a dict or set does not find it")
    return notes
