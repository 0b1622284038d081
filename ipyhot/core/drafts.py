"""What is known so far of what an edit does to each module, while it is being planned. Pure; one plan uses one of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ipyhot.core.diff import Edit
from ipyhot.core.outline import Outline

__all__ = ["ALL", "CLASS_HOOKS", "EXISTS", "SHOWING", "STRANGERS_ASK", "Draft", "Drafts", "is_asked"]

EXISTS = "!"  # the name that stands for the module's being there at all
ALL = "*"  # the name that stands for whatever a star import takes
CLASS_HOOKS = frozenset({"__init_subclass__", "__set_name__", "__prepare__", "__mro_entries__", "__class_getitem__"})
_ASKING = frozenset({"attrgetter", "getattr", "getmembers", "methodcaller"})  # for attributes that no code names
_SHOWN: Final = frozenset({"__format__", "__repr__", "__str__"})
STRANGERS_ASK: Final = "repr"  # what code that is not watched is taken to ask for, of whatever it gets
SHOWING: Final = _SHOWN | {STRANGERS_ASK, "ascii", "format", "print", "str"}


@dataclass(slots=True, eq=False)
class Draft:
    """What is known so far of what an edit does to one module."""

    name: str
    outline: Outline | None
    old: Outline | None = None
    edit: Edit | None = None
    is_new: bool = False
    is_gone: bool = False
    whole: str = ""  # why the file is executed as a whole
    doubt: str = ""  # why it is to be
    run: set[int] = field(default_factory=set)
    rebound: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)  # functions by qualified name, or classes that are made again
    grown: set[str] = field(default_factory=set)  # names whose object new statements only add to
    # Names whose object keeps something that behaves differently: a function, or a class with that method.
    stocked: set[tuple[str, str]] = field(default_factory=set)
    aside: set[int] = field(default_factory=set)  # statements that run only so that others can call what they bind
    is_open: bool = False  # a star import may bind any name anew
    cause: str = ""

    @property
    def is_all_rebound(self) -> bool:
        """True when no name of the module is surely what it was."""
        return self.is_new or self.is_gone or self.is_open or (bool(self.whole) and self.outline is None)

    def rebinds(self, name: str | None) -> bool:
        """Tell whether a name may stand for another object afterwards; definitions keep theirs."""
        if self.is_all_rebound:
            return True
        if name in {EXISTS, None}:  # the module object stays
            return False
        if name == ALL:
            return bool(self.rebound)
        return name in self.rebound or (ALL in self.rebound and not self._shows(name))

    def _shows(self, name: str | None) -> bool:
        """Tell whether the text binds a name, before or after."""
        return any(outline is not None and name in outline.names for outline in (self.old, self.outline))

    def touches(self, name: str | None, asked: set[str] | None = None) -> bool:
        """Tell whether what a name stands for may behave differently.

        Args:
            name: a name of the module.
            asked: the attributes that are ever asked for; a method that nobody asks for is not called.
        """
        if self.rebinds(name):
            return True
        if name is None:
            return bool(self.touched or self.rebound)
        return any(_is_met(path, name, asked) for path in self.touched)

    def stock(self, name: str | None) -> set[str]:
        """Return the methods that behave differently of what a name's object keeps; of functions, the empty string."""
        return {member for owner, member in self.stocked if owner == name}

    def touches_hook(self, name: str | None) -> bool:
        """Tell whether what Python calls when a class is derived from this one behaves differently."""
        return any(p.startswith(f"{name}.") and p.rpartition(".")[2] in CLASS_HOOKS for p in self.touched)


def _is_met(path: str, name: str, asked: set[str] | None) -> bool:
    """Tell whether who uses a name may meet what has a qualified name."""
    if path == name:
        return True
    if not path.startswith(f"{name}."):
        return False
    member = path.removeprefix(f"{name}.").partition(".")[0]
    return asked is None or member == "<locals>" or is_asked(member, asked)


def is_asked(member: str, asked: set[str]) -> bool:
    """Tell whether a method may be called by who asks for some attributes; Python itself calls special ones."""
    if member in _SHOWN:
        return not (asked.isdisjoint(SHOWING) and _ASKING.isdisjoint(asked))
    is_special = member.startswith("_") and member.endswith("_")  # _missing_ as well
    return is_special or member in asked or not _ASKING.isdisjoint(asked)


class Drafts(dict[str, Draft]):
    """The drafts of one plan by module, and all other modules as they are live.

    Args:
        outline_of: the live outline of a watched module, or None if there is none.
        is_live: whether there is a live module of a name.
    """

    def __init__(self, outline_of: Callable[[str], Outline | None], is_live: Callable[[str], bool]) -> None:
        super().__init__()
        self.replayed: set[tuple[str, str]] = set()  # module and name of what is made again
        self.added_to: set[tuple[str, str]] = set()  # those that more than the statements that bind them run for
        self.rebuilt: set[tuple[str, str]] = set()  # the same of what is made once more, for others to look into
        self.is_stocked = False  # any of them has something in ``stocked``
        self._outline_of = outline_of
        self._is_live = is_live

    def outline(self, name: str) -> Outline | None:
        """Return the outline of a module as it is going to be."""
        draft = self.get(name)
        return draft.outline if draft is not None else self._outline_of(name)

    def was_bound(self, name: str, bound: str) -> bool:
        """Tell whether the text before bound a name of a module."""
        draft = self.get(name)
        return draft is not None and draft.old is not None and bound in draft.old.names

    def is_module(self, name: str) -> bool:
        """Tell whether there is, or is going to be, a watched module of a name."""
        return name in self or self._is_live(name)

    def take_in(self, name: str, cause: str = "") -> Draft:
        """Return the draft of a module, a new one if it has none yet."""
        if name not in self:
            self[name] = Draft(name, self._outline_of(name), cause=cause)
        return self[name]

    def replay(self, ref: tuple[str, str], cause: str) -> None:
        """Let all statements run, of whatever module, that make or change the object of a name."""
        if ref in self.replayed:
            return
        self.replayed.add(ref)
        if ref[0] in self:
            self[ref[0]].grown.discard(ref[1])
        elif self.outline(ref[0]) is not None:
            self.take_in(ref[0], cause)
