"""What those who hold live things are told of a commit, before it is done. Records; any thread."""

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ipyhot.core.commit import Deed

__all__ = ["Participant", "Replacement"]


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a commit is about to do with one module; alive only while the commit is being prepared.

    A live module stays the object that it is: then ``old`` is ``new``, and the namespaces are its names before and after.
    """

    name: str
    old: types.ModuleType | None
    old_namespace: dict[str, Any]
    new: Any
    new_namespace: dict[str, Any]
    covered: object = None  # what the old file had put into sys.modules in place of its module

    @property
    def is_drop(self) -> bool:
        """True when the module goes and nothing takes its place."""
        return self.new is None


class Participant(Protocol):
    """Somebody who holds live things and changes with the modules, in the same step."""

    def deeds(self, replacements: Mapping[str, Replacement]) -> Iterable[Deed]:
        """Return what to do in the commit."""
