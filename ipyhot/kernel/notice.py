"""One dim line in the next cell that runs while something is held back; when that is healed, the line goes."""

import os
import threading
from collections.abc import Mapping
from typing import Final

from ipyhot.core.model import Failure
from ipyhot.kernel import page
from ipyhot.kernel.outlet import Display, Outlet

__all__ = ["Notices"]

_NAMED: Final = 3


class Notices:
    """Tells each failure once to whoever runs a cell.

    Args:
        outlet: where the line is shown.
    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._lock = threading.Lock()  # the main thread tells, the building thread withdraws
        self._told: frozenset[str] = frozenset()
        self._shown: list[tuple[Display, frozenset[str]]] = []

    def cell_started(self, failures: Mapping[str, Failure]) -> None:
        """Tell the cell that runs on the main thread what is not live, unless a cell was told before."""
        with self._lock:
            fresh = {name: failure for name, failure in failures.items() if name not in self._told}
            self._told |= fresh.keys()
            if not fresh:
                return
            text = _words(fresh)
            if not self._outlet.is_notebook:
                self._outlet.write(self._outlet.dim(text))
                return
            self._shown.append((self._outlet.show(page.notice(text), text), frozenset(fresh)))

    def settle(self, failures: Mapping[str, Failure]) -> None:
        """Withdraw what is healed."""
        with self._lock:
            self._told &= failures.keys()
            for shown in [shown for shown in self._shown if shown[1].isdisjoint(failures)]:
                self._shown.remove(shown)
                self._outlet.update(shown[0], page.NOTHING, "")


def _words(failures: Mapping[str, Failure]) -> str:
    files = [os.path.basename(failure.place) for failure in failures.values()]
    named = ", ".join([*files[:_NAMED], f"and {len(files) - _NAMED} more"] if len(files) > _NAMED else files)
    if len(failures) == 1:
        (failure,) = failures.values()
        return f"ipyhot: {named} is not live ({failure.summary}); {failure.still_live}. hot.errors tells more."
    return f"ipyhot: {named} are not live; the last good versions are. hot.errors tells more."
