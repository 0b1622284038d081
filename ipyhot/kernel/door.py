"""The door to the main thread: jobs that run there between cells, never beside one.

Any thread may knock. In a kernel the event loop opens, holding what each cell holds while it runs; in a terminal the
prompt does, while it waits. A cell that starts opens first for those jobs that it must not overtake.
"""

import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ipyhot.kernel import jupyter

__all__ = ["Door"]

Job = Callable[[], Awaitable[object] | None]


@dataclass(frozen=True, slots=True)
class _Knock:
    job: Job
    comes_first: bool


class Door:
    """Runs jobs on the main thread of a shell, in the order they came.

    Args:
        shell: the IPython shell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._knocks: list[_Knock] = []
        self._lock = threading.Lock()  # around the list; no job runs under it
        self._is_cell_running = False
        self._is_open = True
        self._leave_prompt = jupyter.at_prompt(shell, self._prompt_comes)

    def knock(self, job: Job, *, comes_first: bool = False) -> None:
        """Let a job run soon, from any thread; one that is waiting already is not added again.

        Args:
            job: a function, or a coroutine function. What it raises ends the turn, so it must not raise.
            comes_first: a cell that starts waits for it; such a job is a plain function.
        """
        knock = _Knock(job, comes_first)
        with self._lock:
            if not self._is_open or knock in self._knocks:
                return
            self._knocks.append(knock)
        jupyter.call_soon(self._shell, self._turn if jupyter.in_notebook(self._shell) else self._open_now)

    def cell_started(self) -> None:
        """Run, on the main thread and before a cell does, what it must not overtake."""
        is_nested = self._is_cell_running or threading.current_thread() is not threading.main_thread()
        self._is_cell_running = True
        if not is_nested:
            for knock in self._waiting():
                if knock.comes_first:
                    self._take(knock)

    def cell_ended(self) -> None:
        """Run what waited for the cell, where no event loop will."""
        self._is_cell_running = False
        if not jupyter.in_notebook(self._shell):
            self._open_now()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._lock:
            self._is_open = False
            self._knocks.clear()
        self._leave_prompt()

    def _prompt_comes(self) -> None:
        """Let those in that knocked when the cell had ended and no prompt was there yet."""
        if self._waiting():
            jupyter.call_soon(self._shell, self._open_now)

    def _open_now(self) -> None:
        if not self._is_cell_running and threading.current_thread() is threading.main_thread():
            for knock in self._waiting():
                self._take(knock)

    def _waiting(self) -> list[_Knock]:
        with self._lock:
            return list(self._knocks)

    def _take(self, knock: _Knock) -> Awaitable[object] | None:
        with self._lock:
            if knock not in self._knocks:  # it came in another way
                return None
            self._knocks.remove(knock)
        with jupyter.interruptible(self._shell):
            return knock.job()

    async def _turn(self) -> None:
        async with jupyter.when_between_cells(self._shell):
            for knock in self._waiting():
                running = self._take(knock)
                if running is not None:
                    await running
