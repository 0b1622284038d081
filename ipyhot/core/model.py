"""The shape of everything that travels between modules: frozen records of strings, digests and numbers.

Nothing here holds a module, a frame or an exception, so a record may be kept for ever.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "CLOSE",
    "GET_STATE",
    "HANDOVER",
    "MIGRATE",
    "SET_STATE",
    "Change",
    "Failure",
    "Plan",
    "Remade",
    "Report",
    "Source",
    "Step",
    "Version",
    "Way",
]

GET_STATE: Final = "__hot_getstate__"
SET_STATE: Final = "__hot_setstate__"
CLOSE: Final = "__hot_close__"
HANDOVER: Final = frozenset({GET_STATE, SET_STATE, CLOSE})
MIGRATE: Final = "__hot_migrate__"


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of one file, read once: what is hashed is what is compiled.

    ``path`` is None for a folder without ``__init__.py`` (a namespace package), whose bytes are empty.
    """

    name: str
    path: str | None
    data: bytes
    digest: str
    is_package: bool = False

    @property
    def parent(self) -> str:
        """The module that this one lives in, or the empty string."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Version:
    """One source that went live: which text it was, in which generation, what its load imported and what it bound."""

    source: Source
    generation: int
    dependencies: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """One module whose source is no longer what was last looked at; without a source its file is gone."""

    name: str
    path: str
    source: Source | None
    whole: str = ""  # why it is executed as a whole, whatever the edit


class Way(enum.Enum):
    """How an edit is taken."""

    LOAD = "loaded"
    RELOAD = "reloaded"
    PATCH = "patched"
    DROP = "dropped"


@dataclass(frozen=True, slots=True)
class Remade:
    """A class whose own text changed: attributes that keep the value they have, and those that its text bound before."""

    kept: frozenset[str]
    bound: frozenset[str]


@dataclass(frozen=True, slots=True)
class Step:
    """What a transaction does with one module, and why.

    ``run`` says which of its statements run, by their index; without it the file is executed as a whole. What those of
    ``aside`` bind is only for these to call, and never goes live. ``gone`` are
    names that no statement binds any more, ``remade`` the classes whose own text changed.
    ``stale`` are definitions that give other results now, so that what they have cached is void; ``grown`` are names
    whose object new statements only add to, ``refilled`` those whose container, or class that keeps one, is made again
    because of who adds to it.
    ``is_still`` if nothing runs and every name stays bound to what it is.
    """

    name: str
    way: Way
    source: Source | None
    reason: str
    run: tuple[int, ...] | None = None
    aside: tuple[int, ...] = ()
    gone: frozenset[str] = frozenset()
    remade: Mapping[str, Remade] = field(default_factory=dict)
    stale: frozenset[str] = frozenset()
    grown: frozenset[str] = frozenset()
    refilled: frozenset[str] = frozenset()
    is_still: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Modules to stage, dependencies first; modules whose failure must not hold anybody back."""

    steps: Mapping[str, Step] = field(default_factory=dict)
    without_veto: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the newest text of a module is not live."""

    name: str
    path: str
    line: int | None
    summary: str
    text: str
    since: float
    live: int | None = None
    held_by: tuple[str, ...] = ()

    @property
    def is_held(self) -> bool:
        """True when nothing is wrong with the file itself: others hold it back."""
        return bool(self.held_by)

    @property
    def place(self) -> str:
        """``path:line``, as editors understand it."""
        return self.path if self.line is None else f"{self.path}:{self.line}"

    @property
    def still_live(self) -> str:
        """What runs instead, in words."""
        return "nothing of it is live" if self.live is None else f"generation {self.live} is still live"

    def __str__(self) -> str:
        held = f" (held back by {', '.join(self.held_by)})" if self.held_by else ""
        return f"{self.place}: {self.summary}{held}; {self.still_live}"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one batch of saves. Times are seconds since the epoch, durations milliseconds."""

    number: int
    generation: int
    at: float
    changed: tuple[str, ...]
    ways: Mapping[str, Way]
    reasons: Mapping[str, str]
    failures: Mapping[str, Failure]
    healed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    built_ms: float = 0.0
    live_ms: float = 0.0

    @property
    def built_at(self) -> float:
        """When the files had been executed, in seconds since the epoch."""
        return self.at - (self.live_ms - self.built_ms) / 1000

    @property
    def is_generation(self) -> bool:
        """True when something went live."""
        return bool(self.ways)

    def __str__(self) -> str:
        parts = [f"generation {self.generation}" if self.is_generation else f"still generation {self.generation}"]
        shown = [f"{name} {way.value}" for name, way in self.ways.items()]
        parts += [*shown[:5], f"and {len(shown) - 5} more"] if len(shown) > 5 else shown  # noqa: PLR2004 - a line holds five
        parts += [str(failure) for failure in self.failures.values()]
        return f"{', '.join(parts)} ({self.live_ms:.1f} ms)"

    def __repr__(self) -> str:
        return f"<Report {self}>"
