"""What TAB offers after ``%hotwatch`` and ``%hot``. Attributes of ``hot`` need nothing: they are plain attributes."""

import os
from collections.abc import Callable, Collection
from typing import Any, Final

from ipyhot.kernel import jupyter

__all__ = ["install"]

_CHOICES: Final = {"--when": ("idle", "now"), "--load": ("all", "imported")}


def install(shell: Any, options: Collection[str], words: Collection[str]) -> Callable[[], None]:
    """Offer folders and options after ``%hotwatch``, and words after ``%hot``; return what takes it back."""
    undo = [
        jupyter.complete_with(shell, "%hotwatch", lambda _, event: _after_hotwatch(options, event.line, event.symbol)),
        jupyter.complete_with(shell, "%hot", lambda _, event: [word for word in words if word.startswith(event.symbol)]),
    ]

    def take_back() -> None:
        for one in undo:
            one()

    return take_back


def _after_hotwatch(options: Collection[str], line: str, symbol: str) -> list[str]:
    words = line.split()
    before = words[-1] if line.endswith(" ") else words[-2] if len(words) > 1 else ""
    if before in _CHOICES:
        return [choice for choice in _CHOICES[before] if choice.startswith(symbol)]
    typed = "" if line.endswith(" ") else words[-1]
    if typed.startswith("-"):
        return [option for option in options if option.startswith(typed)]
    return _folders(typed)


def _folders(typed: str) -> list[str]:
    """Return the folders that a path may be going to name."""
    above = os.path.dirname(typed)
    try:
        entries = list(os.scandir(os.path.expanduser(above) or os.curdir))
    except OSError:  # what is typed so far names no folder
        return []
    names = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith((".", "__")))
    return [found for name in names if (found := os.path.join(above, name) + os.sep).startswith(typed)]
