"""What a class inherits, across files: whether it is an enum, whether anybody makes more of it than its members.

Pure: drafts in, answers out. One plan uses one ``Lineage``.
"""

from typing import Final

from ipyhot.core.drafts import Draft, Drafts
from ipyhot.core.facts import Facts, Kind
from ipyhot.core.model import MIGRATE
from ipyhot.core.outline import Outline
from ipyhot.core.reach import Reach
from ipyhot.core.scan import Chain

__all__ = ["Lineage"]

_PLAIN_BASES: Final = frozenset({"ABC", "Exception", "object"})
_ENUMS: Final = frozenset({"Enum", "Flag", "IntEnum", "IntFlag", "ReprEnum", "StrEnum"})
_RUN_BY_ENUMS: Final = frozenset({"__init__", "__new__", "_generate_next_value_"})
_RUN_BY_THEIR_CLASS: Final = frozenset({MIGRATE, "__subclasshook__", "__subclasscheck__", "__instancecheck__"})


class Lineage:
    """Follows bases through the files of a plan."""

    def __init__(self, drafts: Drafts, names: Reach) -> None:
        self._drafts = drafts
        self._names = names

    def is_plain(self, name: str, outline: Outline, facts: Facts, depth: int = 0) -> bool:
        """Tell whether a class is no more than its members: nobody makes something else of them."""
        if facts.kind is not Kind.CLASS or facts.metaclass or facts.is_decorated or depth > len(outline.statements):
            return False
        for chain in facts.bases:
            refs = [ref for ref in self._names.refs(name, outline, chain) if ref[0] != name or len(chain) == 1]
            binders = [
                (module, where, found)
                for module, attr in refs
                if attr is not None and (where := self._drafts.outline(module)) is not None
                for found in self._names.binders(where, attr)
                if found.kind is not Kind.IMPORT
            ]
            if not binders and chain[-1] not in _PLAIN_BASES:
                return False
            if not all(self.is_plain(module, where, found, depth + 1) for module, where, found in binders):
                return False
        return True

    def is_made_by(self, member: str, name: str, outline: Outline, facts: Facts) -> bool:
        """Tell whether a function of a class has run by the time that the class is made and taken into use."""
        return member in _RUN_BY_THEIR_CLASS or (member in _RUN_BY_ENUMS and self._is_enum(name, outline, facts))

    def is_hooked(self, own: str, outline: Outline, facts: Facts, other: Draft, name: str | None) -> bool:
        """Tell whether what Python calls to make a class of a base behaves differently."""
        if other.touches_hook(name):
            return True
        touched = {path.removeprefix(f"{name}.") for path in other.touched}
        return not touched.isdisjoint(_RUN_BY_ENUMS) and self._is_enum(own, outline, facts)

    def is_made_again(self, name: str, outline: Outline, chain: Chain) -> bool:
        """Tell whether an attribute is read of a class that is made again, or whose base is, and may be another one."""
        if {facts.kind for facts in self._names.binders(outline, chain[0])} != {Kind.CLASS}:
            return False
        for (module, attr), writer, _ in self._names.reach([(name, chain[0])]):
            draft = self._drafts.get(module)
            if draft is None or writer is None:
                continue
            member = writer.facts.members.get(chain[1])
            is_function = member is not None and member.is_function
            if attr in draft.touched or (f"{attr}.{chain[1]}" in draft.touched and not is_function):
                return True
        return False

    def _is_enum(self, name: str, outline: Outline, facts: Facts, depth: int = 0) -> bool:
        """Tell whether a class makes its members while it is made, as far as its text and its bases' show."""
        if facts.kind is not Kind.CLASS or depth > len(outline.statements):
            return False
        return any(chain[-1] in _ENUMS for chain in facts.bases) or any(
            self._is_enum(module, where, found, depth + 1)
            for chain in facts.bases
            for module, attr in self._names.refs(name, outline, chain)
            if attr is not None and (where := self._drafts.outline(module)) is not None
            for found in self._names.binders(where, attr)
        )
