"""Where a kernel shows something: displays in cells that can be changed later, or lines in a terminal. Any thread.

An update belongs to the cell that is running, if one is, else to the display's own: JupyterLab goes by the display's id
alone, VS Code wants a cell that it ran, and nbclient takes only what comes from the cell it is executing.
"""

import uuid
from dataclasses import dataclass
from typing import Any, Final

from ipyhot.kernel import jupyter

__all__ = ["Display", "Outlet"]

_DIM: Final = "\x1b[2m"
_RED: Final = "\x1b[31m"
_PLAIN: Final = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Display:
    """Something shown in a cell: its id, and the request of that cell."""

    id: str
    home: jupyter.Parent | None

    @property
    def is_in_batch(self) -> bool:
        """True if the frontend names no cells: nbclient, which listens only while a cell runs."""
        return not (self.home or {}).get("metadata", {}).get("cellId")


class Outlet:
    """Shows text and HTML.

    Args:
        shell: the IPython shell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._running: jupyter.Parent | None = None
        self.is_notebook = jupyter.in_notebook(shell)

    def cell_started(self) -> None:
        """Take note of the cell that runs."""
        self._running = jupyter.parent_of_cell(self._shell)

    def cell_ended(self) -> None:
        """Take note that no cell runs."""
        self._running = None

    def show(self, html: str, text: str) -> Display:
        """Put something under the cell that is running just now, on the main thread."""
        display = Display(f"ipyhot-{uuid.uuid4().hex[:8]}", jupyter.parent_of_cell(self._shell))
        self._send("display_data", display, html, text, display.home)
        return display

    def is_here(self, display: Display) -> bool:
        """Tell whether a display stands under the cell that is running just now, on the main thread."""
        home, here = display.home or {}, jupyter.parent_of_cell(self._shell) or {}
        return bool(home) and home.get("header", {}).get("msg_id") == here.get("header", {}).get("msg_id")

    def update(self, display: Display, html: str, text: str) -> None:
        """Let a display show something else."""
        self._send("update_display_data", display, html, text, self._running or display.home)

    def write(self, text: str) -> None:
        """Print a line in the terminal; above the prompt, if that waits, and what is half typed stays."""
        print(text, flush=True)  # noqa: T201 - this is the terminal's panel

    def dim(self, text: str) -> str:
        """Return a text as the terminal shows what is of less weight."""
        return f"{_DIM}{text}{_PLAIN}" if self._has_colors else text

    def red(self, text: str) -> str:
        """Return a text whose first line stands out as an error in the terminal."""
        first, newline, rest = text.partition("\n")
        return f"{_RED}{first}{_PLAIN}{newline}{rest}" if self._has_colors else text

    @property
    def _has_colors(self) -> bool:
        return str(getattr(self._shell, "colors", "nocolor")).lower() != "nocolor"

    def _send(self, kind: str, display: Display, html: str, text: str, parent: jupyter.Parent | None) -> None:
        content = {
            "data": {"text/html": html, "text/plain": text},
            "metadata": {},
            "transient": {"display_id": display.id},
        }
        jupyter.publish(self._shell, kind, content, parent)
