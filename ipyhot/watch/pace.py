"""What the interpreter does on the side while a save is on its way: threads switch more often, garbage has time."""

import math
import sys
from typing import Final

from ipyhot.core.garbage import RESPITE

__all__ = ["Pace"]

_QUICK: Final = 0.0005  # seconds; each system call of ours may cost one such interval beside a busy cell
_FEW: Final = 8  # files, whose code objects are no reason for a full collection


class Pace:
    """Shortens the switch interval and puts it back, unless somebody else has set it meanwhile; keeps the collector away."""

    def __init__(self) -> None:
        self._before: float | None = None
        self._is_hurrying = False

    def hurry(self, files: int) -> None:
        """Let this thread have its turn soon and, if that is about many files, full collections come when they are live."""
        if files > _FEW and not self._is_hurrying:
            self._is_hurrying = True
            RESPITE.begin()
        if self._before is None and sys.getswitchinterval() > _QUICK:
            self._before = sys.getswitchinterval()
            sys.setswitchinterval(_QUICK)

    def rest(self) -> None:
        """Let all be as it was."""
        if self._is_hurrying:
            self._is_hurrying = False
            RESPITE.end()
        before, self._before = self._before, None
        if before is not None and math.isclose(sys.getswitchinterval(), _QUICK):
            sys.setswitchinterval(before)
