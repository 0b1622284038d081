"""Errors of ours in a cell: shown where the user's code stands, without a line of ours."""

import os
import types
from collections.abc import Callable
from typing import Any, Final

from ipyhot.core.errors import HotError

__all__ = ["install"]

_OWN: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_ASKED: Final = "_render_traceback_"  # by IPython, of an exception that shows itself


def install(shell: Any) -> Callable[[], None]:
    """Let a shell show our errors in this way; return what undoes it."""

    def lines(error: HotError) -> Any:
        return shell.InteractiveTB.structured_traceback(type(error), error, _of_the_user(error.__traceback__))

    setattr(HotError, _ASKED, lines)
    return lambda: delattr(HotError, _ASKED)


def _of_the_user(traceback: types.TracebackType | None) -> types.TracebackType | None:
    if traceback is None:
        return None
    rest = _of_the_user(traceback.tb_next)
    if traceback.tb_frame.f_code.co_filename.startswith(_OWN):
        return rest
    return types.TracebackType(rest, traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno)
