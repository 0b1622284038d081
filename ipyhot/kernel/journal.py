"""What happened last to each module, in words: from reports to records. The building thread writes, any thread reads."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ipyhot.core.commit import Deed
from ipyhot.core.engine import HISTORY
from ipyhot.core.model import Report, Way
from ipyhot.core.replacement import Replacement

__all__ = ["Event", "Journal", "what_happened"]


@dataclass(frozen=True, slots=True)
class Event:
    """How a module came to be as it is: when (seconds since the epoch), in words, after how many milliseconds.

    ``during`` is the number of the cell that was running, if one was.
    """

    at: float
    what: str
    ms: float
    during: int | None = None


class Journal:
    """Remembers the last event of each live module, and which cell each of the last reports came into.

    It takes part in each commit, doing nothing: when the report comes, the cell may have ended.

    Args:
        cell: returns the number of the cell that is running beside the building thread, if one is.
    """

    def __init__(self, cell: Callable[[], int | None]) -> None:
        self._cell = cell
        self._committed_in: int | None = None
        self._events: dict[str, Event] = {}
        self._during: dict[int, int] = {}

    def deeds(self, replacements: Mapping[str, Replacement]) -> Iterable[Deed]:
        """See ``Participant.deeds``."""
        self._committed_in = self._cell()
        return ()

    def take(self, report: Report) -> None:
        """Take note of a report."""
        during = self._committed_in
        for name, way in report.ways.items():
            if way is Way.DROP:
                self._events.pop(name, None)
            else:
                self._events[name] = Event(report.at, what_happened(report, name), report.live_ms, during)
        if during is not None and report.is_generation:
            self._during[report.number] = during
            if len(self._during) > HISTORY:
                del self._during[next(iter(self._during))]

    def event_of(self, name: str) -> Event | None:
        """Return a module's last event; None if no report told of it, as for one that a cell imported."""
        return self._events.get(name)

    def during(self) -> dict[int, int]:
        """Return, by report number, the cell that each of the last reports was committed in."""
        return self._during.copy()

    def clear(self) -> None:
        """Forget everything."""
        self._events.clear()
        self._during.clear()


def what_happened(report: Report, name: str) -> str:
    """Return what a report says of one of its modules, for people."""
    way, reason = report.ways[name], report.reasons.get(name, "")
    match way:
        case Way.PATCH if reason.endswith(" changed"):
            return f"patched {reason.removesuffix(' changed')}"
        case Way.PATCH | Way.RELOAD if reason:
            return f"{way.value} because {reason}"
    return way.value
