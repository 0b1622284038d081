"""How often Python looks through the whole heap for garbage, while much is made that stays. Any thread may call this."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["seldom_sought"]

_RARER: Final = 50
_MOST: Final = 2**31 - 1  # what a C int holds


@contextmanager
def seldom_sought() -> Iterator[None]:
    """Let full collections come fifty times more seldom inside the block; what dies young is collected as ever.

    Loading ten thousand files makes a million objects that stay, and Python would go through all of them a dozen times.
    The collector is not turned off: files may run for long, and make garbage. A threshold that they set themselves stays.
    """
    before = gc.get_threshold()
    rarer = (*before[:2], min(before[2] * _RARER, _MOST))
    gc.set_threshold(*rarer)
    try:
        yield
    finally:
        if gc.get_threshold() == rarer:
            gc.set_threshold(*before)
