"""Each edit is two class statements run as a module would, plus a third time the second one: what a fresh process has."""

import enum
import pickle
import sys
import textwrap
import types
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ipyhot.core.commit import Deed, commit
from ipyhot.core.enums import owned, successors

MODULE = "enums_under_test"


@pytest.fixture(autouse=True)
def module() -> Iterator[types.ModuleType]:
    sys.modules[MODULE] = types.ModuleType(MODULE)
    yield sys.modules[MODULE]
    del sys.modules[MODULE]


def run(text: str) -> Any:
    """Return the class C that a text defines."""
    space = {"__name__": MODULE, "enum": enum, **{name: getattr(enum, name) for name in enum.__all__}}
    exec(textwrap.dedent(text), space)  # noqa: S102 - as an import does
    return space["C"]


def edit(before: str, after: str) -> tuple[Any, Any, list[str]]:
    """Return the class that lives through an edit, one that a fresh process would have, and the notes."""
    old = run(before)
    return old, run(after), apply(old, after)


def apply(old: Any, after: str) -> list[str]:
    deeds, notes = successors(old, run(after))
    commit(deeds)
    return notes


def at_a_glance(value: object, cls: type) -> object:
    return (cls._member_map_.get(value._name_) is value, repr(value)) if isinstance(value, cls) else told(value, cls)


def told(value: object, cls: type) -> object:
    """Describe a value so that one of this class and its like of another one are told alike."""
    if isinstance(value, cls):
        kind = type(value)
        data = next((base.__repr__(value) for base in (int, str, tuple, float) if isinstance(value, base)), None)
        space = {key: at_a_glance(item, cls) for key, item in sorted(vars(value).items()) if key != "_inverted_"}
        return ("member", kind is cls, value._name_, repr(value), str(value), data, space)
    if value is cls:
        return "the class"
    if isinstance(value, dict):
        return [(told(key, cls), told(item, cls)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [told(item, cls) for item in value]
    if isinstance(value, types.MethodType):
        return value.__func__.__qualname__, told(value.__self__, cls)
    if isinstance(value, enum.property):
        return "redirect", value.name, value.clsname, told(getattr(value, "member", None), cls)
    return value


def looks(cls: Any) -> dict[str, object]:
    """Return all that one can ask an Enum class about its members."""
    found = {
        "iterated": [told(member, cls) for member in cls],
        "backwards": [member.name for member in reversed(cls)],
        "length": len(cls),
        "members": told(dict(cls.__members__), cls),
        "attributes": {name: getattr(cls, name) is cls.__members__[name] is cls[name] for name in cls.__members__},
        "contained": [member in cls for member in cls.__members__.values()],
        "by value": [cls(member.value) is member for member in cls.__members__.values()],
        "pickled": [pickle.loads(pickle.dumps(member)) is member for member in members_of(cls)],  # noqa: S301 - ours
        "dir": dir(cls),
        "owned": {name: told(vars(cls)[name], cls) for name in sorted(owned(cls)) if name != "_value2member_map_"},
        "mapped": [(value, told(cls._value2member_map_.get(value), cls)) for value in values_of(cls)],
    }
    if issubclass(cls, enum.Flag):
        found["combined"] = [told(one | other, cls) for one in cls for other in cls]
        found["common"] = [told(one & other, cls) for one in cls for other in cls]
        found["inverted"] = [told(~one, cls) for one in cls]
        found["parts"] = [[told(part, cls) for part in (one | other)] for one in cls for other in cls]
    return found


def members_of(cls: Any) -> list[Any]:
    sys.modules[MODULE].C = cls
    return list(cls.__members__.values())


def values_of(cls: Any) -> list[Any]:
    return [value for value in (member.value for member in cls.__members__.values()) if getattr(value, "__hash__", None)]


EDITS = {
    "added": ("class C(Enum): A = 1", "class C(Enum): A = 1; B = 2"),
    "removed": ("class C(Enum): A = 1; B = 2", "class C(Enum): B = 2"),
    "changed": ("class C(Enum): A = 1; B = 2", "class C(Enum): A = 10; B = 2"),
    "swapped": ("class C(Enum): A = 1; B = 2", "class C(Enum): A = 2; B = 1"),
    "reordered": ("class C(Enum): A = 1; B = 2; D = 3", "class C(Enum): D = 3; B = 2; A = 1"),
    "renamed": ("class C(Enum): A = 1; B = 2", "class C(Enum): X = 1; B = 2"),
    "auto": ("class C(Enum): A = auto(); B = auto()", "class C(Enum): Z = auto(); A = auto(); B = auto()"),
    "all gone": ("class C(Enum): A = 1", "class C(Enum): pass"),
    "first ones": ("class C(Enum): pass", "class C(Enum): A = 1"),
    "alias added": ("class C(Enum): A = 1", "class C(Enum): A = 1; B = 1"),
    "alias gone": ("class C(Enum): A = 1; B = 1", "class C(Enum): A = 1"),
    "alias to member": ("class C(Enum): A = 1; B = 1", "class C(Enum): A = 1; B = 2"),
    "member to alias": ("class C(Enum): A = 1; B = 2", "class C(Enum): A = 1; B = 1"),
    "alias and name swapped": ("class C(Enum): A = 1; B = 1", "class C(Enum): B = 1; A = 1"),
    "unhashable": ("class C(Enum): A = [1]; B = [2]", "class C(Enum): A = [1]; B = [3]; D = [4]"),
    "from and to unhashable": ("class C(Enum): A = 1; B = [2]", "class C(Enum): A = [1]; B = 2"),
    "hides attributes": ("class C(Enum): value = 1; A = 2", "class C(Enum): name = 3; value = 4"),
    "int": ("class C(IntEnum): A = 1; B = 2", "class C(IntEnum): A = 1; B = 3; D = 2"),
    "int swapped": ("class C(IntEnum): A = 1; B = 2", "class C(IntEnum): A = 2; B = 1"),
    "str": ("class C(StrEnum): A = 'a'; B = 'b'", "class C(StrEnum): A = 'a'; B = 'x'; D = auto()"),
    "str mixin": ("class C(str, Enum): A = 'a'; B = 'b'", "class C(str, Enum): B = 'b'; A = 'aa'"),
    "float mixin": ("class C(float, Enum): A = 0.0", "class C(float, Enum): A = -0.0"),
    "tuple mixin": ("class C(tuple, Enum): A = 1, 2; B = 1, 1", "class C(tuple, Enum): A = 1, 2; B = 1, True"),
    "flag": ("class C(Flag): R = 1; W = 2; X = 4", "class C(Flag): X = 1; R = 2; W = 8"),
    "flag with composite": ("class C(Flag): R = 1; W = 2", "class C(Flag): R = 1; W = 2; RW = 3; NONE = 0"),
    "flag disordered": ("class C(Flag): R = 1; W = 2", "class C(Flag): R = 2; W = 1"),
    "flag ordered": ("class C(Flag): R = 2; W = 1", "class C(Flag): R = 1; W = 2"),
    "flag removed": ("class C(Flag): R = 1; W = 2", "class C(Flag): W = 2"),
    "flag boundary": ("class C(Flag): R = 1; W = 4", "class C(Flag, boundary=CONFORM): R = 1; W = 4"),
    "int flag": ("class C(IntFlag): R = 1; W = 2", "class C(IntFlag): R = 1; W = 4; X = 2"),
    "flag to enum": ("class C(Flag): R = 1; W = 2", "class C(Enum): R = 1; W = 2"),
    "enum to flag": ("class C(Enum): R = 1; W = 2", "class C(Flag): R = 1; W = 2"),
    "init": (
        "class C(Enum):\n  A = 1, 'x'\n  def __init__(self, n, word): self.n = n; self.word = word",
        "class C(Enum):\n  A = 2, 'y'\n  B = 1, 'x'\n  def __init__(self, n, name): self.n = n; self.label = name",
    ),
    "new with data beside the value": (
        "class C(int, Enum):\n  A = 1, 'x'\n  def __new__(cls, n, s):\n    o = int.__new__(cls, n); o._value_ = s; return o\n  def __repr__(self): return self._name_",
        "class C(int, Enum):\n  A = 1, 'y'\n  B = 2, 'x'\n  def __new__(cls, n, s):\n    o = int.__new__(cls, n); o._value_ = s; return o\n  def __repr__(self): return self._name_",
    ),
    "members that know each other": (
        "class C(Enum):\n  A = 1\n  B = 2\nC.A.other, C.B.other, C.A.owner = C.B, C.A, C",
        "class C(Enum):\n  B = 1\n  D = 2\nC.B.other, C.D.other, C.D.owner = C.D, C.B, C",
    ),
    "bits that are counted": (
        "class C(Flag):\n  A = 1\n  B = 2\nC.A | C.B; ~C.A",
        "class C(Flag):\n  A = 2\n  B = 4\n  D = 1\nC.A | C.D; ~C.A",
    ),
}
PAIRS = [pytest.param(*pair, id=name) for name, pair in EDITS.items()]


def take_bases(old: Any, after: str) -> None:
    """Do what the caller does for the part that is not ours: bases, and what is no member."""
    new = run(after)
    if old.__bases__ != new.__bases__:
        type.__setattr__(old, "__bases__", new.__bases__)
    for name in [name for name in vars(old) if name not in vars(new) and name not in owned(old)]:
        type.__delattr__(old, name)
    for name, value in vars(new).items():
        if name not in owned(new) and name not in ("__dict__", "__weakref__"):
            type.__setattr__(old, name, value)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_class_looks_as_in_a_fresh_process(before: str, after: str) -> None:
    old = run(before)
    take_bases(old, after)
    apply(old, after)
    lived, fresh = looks(old), looks(run(after))
    assert lived == fresh


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_an_edit_and_its_opposite_lead_back(before: str, after: str) -> None:
    old = run(before)
    for text in (after, before, after, before):
        take_bases(old, text)
        apply(old, text)
    lived, fresh = looks(old), looks(run(before))
    assert lived == fresh


def state(cls: Any) -> object:
    """Return everything that deeds may touch, object by object."""
    space = {
        name: (id(value), list(value) if isinstance(value, (list, dict)) else None) for name, value in vars(cls).items()
    }
    objects = {id(member): member for member in (*cls._member_map_.values(), *cls._value2member_map_.values())}
    members = [(key, type(member), list(vars(member).items())) for key, member in objects.items()]
    return space, cls.__bases__, list(cls._member_map_.items()), members


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_nothing_has_changed_before_the_deeds_and_after_any_of_them_failed(before: str, after: str) -> None:
    old = run(before)
    if issubclass(old, enum.Flag):
        members = list(old)
        assert members[0] | members[-1]
    untouched = state(old)
    new = run(after)
    deeds, _ = successors(old, new)
    assert state(old) == untouched
    for at in range(len(deeds) + 1):
        with pytest.raises(ZeroDivisionError):
            commit([*deeds[:at], Deed(partial(divmod, 1, 0), int), *deeds[at:]])
        assert state(old) == untouched
        assert all(type(member) is new for member in new.__members__.values())
    for deed in deeds:
        deed.do()
    for deed in reversed(deeds):
        deed.undo()
    assert state(old) == untouched


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_both_halves_of_every_deed_are_c_code(before: str, after: str) -> None:
    deeds, _ = successors(run(before), run(after))
    for half in [half for deed in deeds for half in (deed.do, deed.undo)]:
        assert isinstance(half, partial)
        assert not hasattr(half.func, "__code__")


def test_a_held_member_is_the_member_of_its_name_and_has_the_new_value() -> None:
    old = run("class C(Enum): A = 1; B = 2")
    a, b = old.A, old.B
    assert apply(old, "class C(Enum): Z = 5; B = 3; A = 7") == []
    assert old.A is a is old["A"] is old(7)
    assert old.B is b is old(3)
    assert (a.value, b.value) == (7, 3)
    with pytest.raises(ValueError, match="1 is not a valid C"):
        old(1)


def test_a_dict_and_a_set_still_find_a_held_member() -> None:
    old = run("class C(Enum): A = 1; B = 2")
    ages, some = {old.A: "a"}, {old.B}
    apply(old, "class C(Enum): B = 1; A = 5")
    assert ages[old.A] == "a"
    assert old.B in some


def test_a_removed_member_is_gone_from_the_class_but_stays_what_it_is() -> None:
    old = run("class C(Enum): A = 1; B = 2")
    held = old.A
    apply(old, "class C(Enum): B = 2")
    assert not hasattr(old, "A")
    assert "A" not in old.__members__
    assert list(old) == [old.B]
    with pytest.raises(AttributeError):
        old.A  # noqa: B018 - reading it is what raises
    with pytest.raises(KeyError):
        old["A"]
    with pytest.raises(ValueError, match="1 is not a valid C"):
        old(1)
    assert (held.name, held.value, isinstance(held, old)) == ("A", 1, True)


def test_a_view_of_the_members_that_is_held_follows() -> None:
    old = run("class C(Enum): A = 1")
    view = old.__members__
    apply(old, "class C(Enum): B = 2; A = 1")
    assert list(view) == ["B", "A"]


def test_a_new_member_is_one_of_the_old_class() -> None:
    old, _, notes = edit("class C(IntEnum): A = 1", "class C(IntEnum): A = 1; B = 2")
    assert type(old.B) is old
    assert isinstance(old.B, old)
    assert old.B == 2
    assert old.B + old.A == 3
    assert notes == []


@pytest.mark.parametrize("base", ["IntEnum", "int, Enum", "IntFlag"])
def test_a_member_that_is_a_number_stays_itself_until_its_value_changes(base: str) -> None:
    old = run(f"class C({base}): A = 1; B = 2")
    a, b = old.A, old.B
    notes = apply(old, f"class C({base}): B = 4; A = 1")
    assert old.A is a
    assert old.B is not b
    assert (old.B, old.B.value, b, b.value) == (4, 4, 2, 2)
    assert type(old.B) is old
    assert notes == ["C.B is a new object: its data is inside of it and cannot change"]


def test_a_member_that_is_a_text_stays_itself_until_its_value_changes() -> None:
    old = run("class C(StrEnum): A = 'a'; B = 'b'")
    a, b = old.A, old.B
    notes = apply(old, "class C(StrEnum): A = 'a'; B = 'x'")
    assert old.A is a
    assert (str(old.B), str(b), old("x") is old.B) == ("x", "b", True)
    assert len(notes) == 1


def test_a_list_mixin_with_other_items_is_a_new_object() -> None:
    old = run("class C(list, Enum): A = [1]; B = [2]")
    a, b = old.A, old.B
    assert len(apply(old, "class C(list, Enum): A = [1]; B = [3]")) == 1
    assert old.A is a
    assert old.B is not b


def test_data_that_cannot_be_compared_makes_a_new_object() -> None:
    text = """
        class Odd:
            def __eq__(self, other): raise RuntimeError
            __hash__ = None
        class C(tuple, Enum): A = (Odd(),)
    """
    old, _, notes = edit(text, text)
    assert len(notes) == 1
    assert type(old.A) is old


def test_an_alias_that_becomes_a_member_leaves_the_held_object_to_its_name() -> None:
    old = run("class C(Enum): A = 1; B = 1")
    held = old.B
    assert apply(old, "class C(Enum): A = 1; B = 2") == []
    assert old.A is held
    assert old.B.name == "B"


def test_a_member_that_becomes_an_alias_is_named() -> None:
    old = run("class C(Enum): A = 1; B = 2")
    a, b = old.A, old.B
    assert apply(old, "class C(Enum): A = 1; B = 1") == ["C.B is a new object: it is an alias of A"]
    assert old.B is old.A is a
    assert (b.name, b.value) == ("B", 2)


def test_a_member_whose_alias_takes_its_place_stays_the_same_object() -> None:
    old = run("class C(Enum): A = 1")
    held = old.A
    notes = apply(old, "class C(Enum): B = 1; A = 1")
    assert old.A is old.B is held
    assert held.name == "B"
    assert notes == ["C.A is B now and has its hash: a dict or set does not find it"]


def test_a_combination_of_flags_means_the_same_names_afterwards() -> None:
    old = run("class C(Flag): R = 1; W = 2; X = 4")
    both = old.R | old.W
    apply(old, "class C(Flag): X = 1; R = 2; W = 8")
    assert both is old.R | old.W
    assert both.value == 10
    assert old.R in both
    assert old.X not in both
    assert list(both) == [old.R, old.W]
    assert ~both is old.X


def test_a_combination_becomes_the_member_that_now_has_its_value() -> None:
    old = run("class C(Flag): R = 1; W = 2")
    both = old.R | old.W
    apply(old, "class C(Flag): R = 1; W = 2; RW = 3")
    assert old.RW is both
    assert both.name == "RW"


def test_a_combination_with_a_removed_flag_keeps_its_value() -> None:
    old = run("class C(Flag): R = 1; W = 2")
    both = old.R | old.W
    assert apply(old, "class C(Flag): R = 1") == []
    assert both.value == 3
    with pytest.raises(ValueError, match="invalid value 3"):
        old(3)


def test_a_combination_outside_of_the_new_boundary_keeps_its_value() -> None:
    old = run("class C(Flag, boundary=KEEP): R = 1; W = 2")
    odd = old(9)
    apply(old, "class C(Flag): R = 1; W = 2")
    assert odd.value == 9
    with pytest.raises(ValueError, match="invalid value 9"):
        old(9)


def test_a_combination_of_numbers_stays_itself_until_its_value_changes() -> None:
    old = run("class C(IntFlag): R = 1; W = 2; X = 4")
    reading, writing = old.R | old.X, old.W | old.X
    notes = apply(old, "class C(IntFlag): R = 1; W = 8; X = 4")
    assert old.R | old.X is reading
    assert old.W | old.X == 12
    assert writing == 6
    assert "combinations of C made earlier keep their value: it is inside of them" in notes


def test_a_number_that_flags_do_not_name_stays_what_it_is() -> None:
    old = run("class C(IntFlag): R = 1")
    odd = old(9)
    apply(old, "class C(IntFlag): R = 1; W = 2")
    assert old(9) is odd


def test_what_flags_eject_is_no_combination() -> None:
    old = run("class C(Flag, boundary=KEEP): R = 1; W = 2")
    odd = old(9)
    apply(old, "class C(Flag, boundary=EJECT): R = 1; W = 2")
    assert old(9) == 9
    assert type(old(9)) is int
    assert odd.value == 9


def test_a_missing_hook_of_the_user_is_not_called() -> None:
    text = """
        class C(Flag):
            R = 1
            W = {}
            @classmethod
            def _missing_(cls, value):
                calls.append(value)
                return super()._missing_(value)
    """
    space: dict[str, Any] = {"__name__": MODULE, "Flag": enum.Flag, "calls": []}
    exec(textwrap.dedent(text.format(2)), space)  # noqa: S102 - as an import does
    old = space["C"]
    both = old.R | old.W
    exec(textwrap.dedent(text.format(4)), space)  # noqa: S102 - as an import does
    space["calls"].clear()
    deeds, _ = successors(old, space["C"])
    assert space["calls"] == []
    commit(deeds)
    assert old.R | old.W is both


def test_attributes_of_a_member_are_those_of_the_new_one() -> None:
    text = "class C(Enum):\n  A = 1\n  def __init__(self, n): self.{} = n"
    old = run(text.format("before"))
    old.A.from_outside = True
    apply(old, text.format("after"))
    assert {key for key in vars(old.A) if not key.startswith("_")} == {"after"}


@pytest.mark.parametrize("options", ["slots=True", "frozen=True"])
def test_fields_of_a_dataclass_mixin_follow(options: str) -> None:
    text = """
        from dataclasses import dataclass
        @dataclass(%s)
        class Data:
            size: int
            word: str = "w"
        class C(Data, Enum):
            A = %s
    """
    old = run(text % (options, "1"))
    held, mixin = old.A, old.__bases__[0]
    new = run(text % (options, "3, 'x'"))
    type.__setattr__(new, "__bases__", (mixin, enum.Enum))
    deeds, notes = successors(old, new)
    commit([*deeds])
    assert notes == []
    assert old.A is held
    assert (held.size, held.word) == (3, "x")
    for deed in reversed(deeds):
        deed.undo()
    assert (held.size, held.word) == (1, "w")


def test_a_mixin_that_ran_again_too_stays_the_live_class() -> None:
    text = """
        class Word(str):
            def __repr__(self): return "word"
        class C(Word, Enum): A = "a"; B = "{}"
    """
    old = run(text.format("b"))
    mixin, shown = old._member_type_, vars(old)["_value_repr_"]
    apply(old, text.format("c"))
    assert old._member_type_ is mixin
    assert vars(old)["_value_repr_"] is shown


def test_a_new_member_that_cannot_change_its_class_is_made_again() -> None:
    old, _, notes = edit(
        "class C(Enum):\n  __slots__ = ('size',)\n  A = 1\n  def __init__(self, n): self.size = n",
        "class C(Enum): A = 2; B = 3",
    )
    assert type(old.B) is old
    assert (old.B.name, old.B.value, old.A.value) == ("B", 3, 2)
    assert not hasattr(old.A, "size")
    assert notes == []


def test_members_with_another_layout_are_refused() -> None:
    old = run("class C(Enum): A = 1")
    untouched = state(old)
    with pytest.raises(TypeError, match="layout"):
        successors(old, run("class C(IntEnum): A = 1; B = 2"))
    with pytest.raises(TypeError, match="layout"):
        successors(old, run("class C(Enum):\n  __slots__ = ('size',)\n  B = 1\n  def __init__(self, n): self.size = n"))
    assert state(old) == untouched


def test_what_stands_for_the_new_class_and_its_members_is_told() -> None:
    old, new = run("class C(IntFlag): R = 1; W = 2; X = 4"), run("class C(IntFlag): R = 1; W = 8; X = 4; Y = 2")
    reading = old.R | old.X
    staged = {name: new.__members__[name] for name in "RWXY"} | {"R|X": new.R | new.X}
    standing: dict[int, Any] = {}
    deeds, _ = successors(old, new, standing=standing)
    commit(deeds)
    assert standing[id(new)] is old
    assert standing[id(staged["R|X"])] is reading
    assert all(standing[id(staged[name])] is old[name] for name in "RWXY")


def test_values_that_were_made_aside_are_led_to_what_stands_for_them() -> None:
    text = """
        class Other: pass
        class C(Enum):
            A = member(Other)
            def __init__(self, cls): self.cls = cls
    """
    old, new = run(text), run(text)
    other, made = old.A.cls, new.A.cls
    standing: dict[int, Any] = {id(made): other}
    deeds, _ = successors(old, new, standing=standing)
    commit(deeds)
    assert old.A.cls is old.A.value is other
    assert old(other) is old.A
    with pytest.raises(ValueError, match="is not a valid C"):
        old(made)


def test_owned_are_the_members_and_what_enum_keeps() -> None:
    cls = run(
        "class C(Enum):\n  A = 1\n  B = 1\n  word = nonmember(3)\n  def method(self): pass\n  @property\n  def size(self): pass"
    )
    names = owned(cls)
    assert {"A", "B", "_member_map_", "_member_names_", "_value2member_map_"} <= names
    assert not names & {
        "word",
        "method",
        "size",
        "__new__",
        "_new_member_",
        "_generate_next_value_",
        "__doc__",
        "__module__",
    }
    assert "_flag_mask_" not in names
    assert {"_flag_mask_", "_all_bits_", "_singles_mask_", "_boundary_"} <= owned(run("class C(Flag): A = 1"))
    assert "_iter_member_" not in owned(run("class C(Flag): A = 1"))
    assert "_iter_member_" in owned(run("class C(Flag): A = 2; B = 1"))


def test_everything_in_the_dict_of_an_enum_is_owned_or_known() -> None:
    """A name that a coming Python adds shows here."""
    known = {
        "__module__", "__qualname__", "__doc__", "__new__", "_new_member_", "_generate_next_value_", "__firstlineno__",
        "__static_attributes__", "__format__", "__str__", "__repr__", "__reduce_ex__", "__annotations__", "__annotate__",
        "__or__", "__and__", "__xor__", "__ror__", "__rand__", "__rxor__", "__invert__",
    }  # fmt: skip
    for base in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"):
        cls = run(f"class C({base}): A = auto(); B = auto()")
        assert vars(cls).keys() - owned(cls) <= known


def test_methods_and_attributes_are_left_to_the_caller() -> None:
    before = "class C(Enum):\n  A = 1\n  word = nonmember(3)\n  def method(self): return 1"
    after = "class C(Enum):\n  A = 2\n  word = nonmember(4)\n  def method(self): return 2\n  def more(self): return 3"
    old, _, _ = edit(before, after)
    assert (old.word, old.A.method(), hasattr(old, "more")) == (3, 1, False)


def test_a_member_that_became_a_method_is_left_to_the_caller() -> None:
    old, fresh, _ = edit("class C(Enum): A = 1; B = 2", "class C(Enum):\n  B = 2\n  def A(self): return self.value")
    assert "A" not in owned(fresh)
    type.__setattr__(old, "A", vars(fresh)["A"])
    assert old.B.A() == 2


def test_a_method_that_became_a_member_is_the_member() -> None:
    old, _, _ = edit("class C(Enum):\n  B = 2\n  def A(self): return self.value", "class C(Enum): A = 1; B = 2")
    assert old.A is old(1)


def test_names_that_the_caller_skips_are_left_alone() -> None:
    old = run("class C(Enum): A = 1; B = 2")
    deeds, _ = successors(old, run("class C(Enum): B = 3"), skip={"A", "_member_names_"}.__contains__)
    commit(deeds)
    assert "A" in vars(old)
    assert old._member_names_ == ["A", "B"]


def test_iterating_while_a_commit_adds_members_does_not_break() -> None:
    old = run("class C(Enum): A = 1; B = 2")
    running = iter(old)
    assert next(running) is old.A
    apply(old, "class C(Enum): A = 1; B = 2; D = 3")
    assert list(running) == [old.B, old.D]
