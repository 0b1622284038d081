"""How often the interpreter switches threads: more often while a save is on its way to go live."""

import math
import sys
from typing import Final

__all__ = ["Pace"]

_QUICK: Final = 0.0005  # seconds; each system call of ours may cost one such interval beside a busy cell


class Pace:
    """Shortens the switch interval and puts it back, unless somebody else has set it meanwhile."""

    def __init__(self) -> None:
        self._before: float | None = None

    def hurry(self) -> None:
        """Let this thread have its turn soon."""
        if self._before is None and sys.getswitchinterval() > _QUICK:
            self._before = sys.getswitchinterval()
            sys.setswitchinterval(_QUICK)

    def rest(self) -> None:
        """Put the interval back."""
        before, self._before = self._before, None
        if before is not None and math.isclose(sys.getswitchinterval(), _QUICK):
            sys.setswitchinterval(before)
