"""One thread that shows the latest state: in the panel of a notebook, or as lines above a terminal's prompt.

It takes the state when it has time for it, at most ten times a second; what came in between is never queued.
"""

import threading
from collections.abc import Callable
from typing import Final

from ipyhot.core.model import Report
from ipyhot.kernel import jupyter, page, panel
from ipyhot.kernel.outlet import Display, Outlet

__all__ = ["Teller"]

_PAUSE: Final = 0.1
_LOOK_AGAIN: Final = 1.0


class Teller:
    """Shows what is live.

    Args:
        outlet: where to.
        state: returns what to show now.
        is_loading: tells whether a file is being executed.
    """

    def __init__(self, outlet: Outlet, state: Callable[[], panel.State], is_loading: Callable[[], bool]) -> None:
        self._outlet = outlet
        self._state = state
        self._is_quiet = False
        self._display: Display | None = None
        self._shown = 0
        self._sending = threading.Lock()
        self._is_loading = is_loading
        self._is_dirty = False
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ipyhot panel", daemon=True)
        self._thread.pydev_do_not_trace = self._thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]  # debugpy's

    @property
    def parent(self) -> jupyter.Parent | None:
        """The request of the cell that the panel stands under."""
        return self._display.home if self._display is not None else None

    def open(self, *, is_quiet: bool = False, number: int | None = None) -> None:
        """Put the panel under the cell that is running, and let the place where it was before say so.

        Args:
            is_quiet: show no panel, and no line in a terminal.
            number: of that cell.
        """
        self._is_quiet = is_quiet
        if not self._thread.is_alive():
            self._thread.start()
        if is_quiet:
            return
        state = self._state()
        if not self._outlet.is_notebook:
            self._outlet.write(panel.as_text(state))
            return
        before = self._display
        if before is not None and self._outlet.is_here(before):  # a folder that was watched as the extension was loaded
            self._update()
            return
        self._shown = state.history[-1].number if state.history else 0
        self._display = self._outlet.show(page.as_html(state), panel.as_text(state))
        if before is not None:
            moved = "ipyhot: the panel has moved" + (f" to In[{number}]." if number is not None else ".")
            self._outlet.update(before, page.notice(moved), moved)

    def tell(self, report: Report | None) -> None:
        """Show what came of a batch; without a report, only that the state changed."""
        if self._is_quiet:
            return
        if report is not None and not self._outlet.is_notebook:
            text = panel.line(report)
            self._outlet.write(self._outlet.red(text) if report.failures else text)
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
            self._update()

    def cell_ended(self, number: int) -> None:
        """Bring a panel in a batch run up to date, on the main thread and as part of the cell that ends.

        Args:
            number: of the last report.
        """
        if self._display is not None and self._display.is_in_batch:
            self._update(unless=number)

    def _work(self) -> None:
        was_slow = False
        rest: float | None = None
        while not self._stopped.is_set():
            pause = _LOOK_AGAIN if self._is_loading() else rest
            has_aged = not self._wake.wait(pause) and pause is rest
            self._wake.clear()
            is_dirty, self._is_dirty = self._is_dirty or has_aged, False
            if not is_dirty and not was_slow and not self._is_loading():
                continue
            state = self._state()
            is_slow = state.loading is not None
            if self._outlet.is_notebook and (is_dirty or is_slow or was_slow):
                self._update()
                self._stopped.wait(_PAUSE)
            elif is_slow and not was_slow and not self._is_quiet:
                self._outlet.write(f"ipyhot: {panel.as_text(state).splitlines()[1]}")
            was_slow = is_slow
            rest = panel.next_change(state) if self._display is not None else None

    def _update(self, *, unless: int | None = None) -> None:
        """Show the state of now, unless the state as of some report has been sent already."""
        if self._display is None or self._is_quiet:
            return
        with self._sending:  # or an older state could be sent after a newer one
            if unless is not None and unless == self._shown:
                return
            state = self._state()
            self._outlet.update(self._display, page.as_html(state), panel.as_text(state))
            self._shown = state.history[-1].number if state.history else 0
