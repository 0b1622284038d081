"""One module of a plan on its way from source to value, and what became of it. Used by one thread, in one transaction."""

import types
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from ipyhot.core.model import Step
from ipyhot.core.once import Collected
from ipyhot.core.outline import Outline

__all__ = ["OWN_NAMES", "Staged", "State"]

OWN_NAMES: Final = frozenset(
    {"__builtins__", "__cached__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__"}
)


class State(Enum):
    """How far it is."""

    WAITING = auto()
    RUNNING = auto()
    DONE = auto()


@dataclass(slots=True, eq=False)
class Staged:
    """One module of a plan, on its way from source to value."""

    step: Step
    module: types.ModuleType | None
    outline: Outline | None = None
    code: types.CodeType | None = None
    collected: Collected | None = None
    carried: dict[str, Any] = field(default_factory=dict)
    starred: set[str] = field(default_factory=set)
    shadows: list[tuple[Any, Any]] = field(default_factory=list)  # what ran aside only, and the live object that it is for
    grown: dict[str, Any] = field(default_factory=dict)  # copies of the containers that statements add to
    spared: list[tuple[Any, Any]] = field(default_factory=list)  # containers of live classes, each with what it held before
    value: object = None
    state: State = State.WAITING
    error: BaseException | None = None
    traceback: types.TracebackType | None = None
    dependencies: set[str] = field(default_factory=set)

    def let_go(self) -> None:
        """Break the circles through the frames of an error: till they are collected, live classes seem to be held."""
        self.carried.clear()
        error, seen = self.error, set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            error = BaseException.with_traceback(error, None).__context__
        self.traceback = None

    def fail(self, error: BaseException) -> None:
        """Remember why this module cannot go live."""
        self.error, self.traceback, self.state = error, error.__traceback__, State.DONE
