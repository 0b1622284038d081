"""One thread that shows the latest state: in the panel of a notebook, or as lines above a terminal's prompt.

It takes the state when it has time for it, at most ten times a second; what came in between is never queued.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from ipyhot.core.model import Report
from ipyhot.kernel import jupyter, panel

__all__ = ["Teller"]

_PAUSE: Final = 0.1
_LOOK_AGAIN: Final = 1.0


class Teller:
    """Shows what is live.

    Args:
        shell: the IPython shell.
        state: returns what to show now.
        is_loading: tells whether a file is being executed.
    """

    def __init__(self, shell: Any, state: Callable[[], panel.State], is_loading: Callable[[], bool]) -> None:
        self._shell = shell
        self._state = state
        self._is_quiet = False
        self._in_notebook = getattr(shell, "kernel", None) is not None
        self._parent: jupyter.Parent | None = None
        self._running: jupyter.Parent | None = None
        self._display_id: str | None = None
        self._is_loading = is_loading
        self._is_dirty = False
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ipyhot panel", daemon=True)
        self._thread.pydev_do_not_trace = self._thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]

    @property
    def parent(self) -> jupyter.Parent | None:
        """The request of the cell that the panel stands under."""
        return self._parent

    def open(self, display_id: str, *, is_quiet: bool) -> None:
        """Put a new panel under the cell that is running; an older one is left as it is."""
        self._is_quiet = is_quiet
        if not self._thread.is_alive():
            self._thread.start()
        if is_quiet:
            return
        if not self._in_notebook:
            self._write(panel.as_text(self._state()))
            return
        self._parent = self._running = jupyter.parent_of_cell(self._shell)
        self._display_id = display_id
        self._send("display_data", self._state())

    def cell_started(self) -> None:
        """Take note of the cell that runs: updates belong to it meanwhile, or nbclient would drop them."""
        self._running = jupyter.parent_of_cell(self._shell)

    def cell_ended(self) -> None:
        """Take note that no cell runs."""
        self._running = None

    def tell(self, report: Report | None) -> None:
        """Show what came of a batch; without a report, only that the state changed."""
        if self._is_quiet:
            return
        if report is not None and not self._in_notebook:
            self._write(panel.line(report))
        self._is_dirty = True
        self._wake.set()

    def loading_began(self) -> None:
        """Take note that a file is being executed, so that a slow one is told."""
        self._wake.set()

    def stop(self) -> None:
        """Show the state for the last time and end the thread."""
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
            if self._in_notebook:
                self._send("update_display_data", self._state())

    def _work(self) -> None:
        was_slow = False
        while not self._stopped.is_set():
            self._wake.wait(_LOOK_AGAIN if self._is_loading() else None)
            self._wake.clear()
            is_dirty, self._is_dirty = self._is_dirty, False
            if not is_dirty and not was_slow and not self._is_loading():
                continue
            state = self._state()
            is_slow = state.loading is not None
            if self._in_notebook and (is_dirty or is_slow or was_slow):
                self._send("update_display_data", state)
                self._stopped.wait(_PAUSE)
            elif is_slow and not was_slow and not self._is_quiet:
                self._write(f"ipyhot: {panel.as_text(state).splitlines()[1]}")
            was_slow = is_slow

    def _send(self, kind: str, state: panel.State) -> None:
        if self._display_id is None or self._is_quiet:
            return
        content = {
            "data": {"text/html": panel.as_html(state), "text/plain": panel.as_text(state)},
            "metadata": {},
            "transient": {"display_id": self._display_id},
        }
        jupyter.publish(self._shell, kind, content, self._running or self._parent)

    def _write(self, text: str) -> None:
        # In the terminal, prompt_toolkit's patched stdout puts a line above the prompt and keeps what is half typed.
        print(text, flush=True)  # noqa: T201 - this is the terminal's panel
