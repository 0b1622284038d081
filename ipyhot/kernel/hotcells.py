"""``%%hotcell``: cells that run again, in place, when a module that they used changes.

A hot cell is an ordinary cell first: its first line is a comment to Python, so ``await``, the counter, timing and errors are
as ever. What it used is recorded while it runs. A generation that touches that lets it run again on the main thread,
between cells: once for a burst, in the order in which the cells were first run, each in place of its own output.

A cell whose frontend gives it no name (nbclient, ``jupyter execute``, a bare client) runs once, as any cell does.
"""

import math
import re
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ipyhot.kernel import jupyter
from ipyhot.kernel.door import Door
from ipyhot.kernel.uses import Recorder, Uses

__all__ = ["HotCell", "HotCells", "as_plain_cell"]

_LINE: Final = re.compile(r"%%hotcell(?:[ \t]+(?P<names>.*))?\s*$")
_PATIENCE: Final = 10
_ECHO: Final = 0.5  # seconds after a cell's end in which a change may be its own doing
_SEPARATORS: Final = re.compile(r"[\s,]+")


@dataclass(slots=True)
class HotCell:
    """One hot cell; ``names`` are the handlers that its first line names, ``seen`` the generation it began to run with.

    ``echoes`` counts the runs in a row during which, or right after which, something that it used changed: its own doing,
    in the end. ``ended_at`` is when it last ended, in monotonic seconds.
    """

    id: str
    number: int
    text: str
    names: tuple[str, ...]
    request: jupyter.Request | None
    uses: Uses = field(default_factory=Uses)
    seen: int = 0
    runs: int = 1
    is_due: bool = False
    echoes: int = 0
    ended_at: float = -math.inf

    @property
    def can_rerun(self) -> bool:
        """False for a cell whose frontend gave it no name: nothing can be replaced there."""
        return self.request is None or self.request.cell is not None

    def __str__(self) -> str:
        uses = f"named {', '.join(self.names)}" if self.names else f"uses {self.uses}"
        how = f"ran {self.runs} times" if self.runs > 1 else "ran once"
        once = "" if self.can_rerun else "; its frontend gives cells no names, so it does not run again"
        return f"In[{self.number}]: {uses}; {how}{once}"


def as_plain_cell(lines: list[str]) -> list[str]:
    """Return a cell's lines for Python: the first one of a hot cell is a comment. Pure; lines keep their numbers."""
    if not lines or _LINE.match(lines[0]) is None:
        return lines
    comment = f"# {lines[0].lstrip('%')}"
    if len(lines) > 1 and lines[1].startswith("%%"):  # another cell magic has to come first
        return [lines[1], comment, *lines[2:]]
    return [comment, *lines[1:]]


# IPython leaves such a transformer out when it asks whether what is typed so far is complete: a cell magic is not before
# a blank line, a comment would be.
as_plain_cell.has_side_effects = True  # type: ignore[attr-defined]  # IPython looks for it


class HotCells:
    """Keeps the hot cells of one shell.

    Args:
        shell: the IPython shell.
        door: where they run again.
        recorder: records what a cell uses.
        generation_of: returns the generation of a live module; 0 if it is not live.
        generation: returns the number of the generation that is live.
        live: returns the live modules.
        handler_of: returns the handler of a module.
    """

    def __init__(
        self,
        shell: Any,
        door: Door,
        recorder: Recorder,
        *,
        generation_of: Callable[[str], int],
        generation: Callable[[], int],
        live: Callable[[], Collection[str]],
        handler_of: Callable[[str], str | None],
    ) -> None:
        self._shell = shell
        self._door = door
        self._recorder = recorder
        self._generation_of = generation_of
        self._generation = generation
        self._live = live
        self._handler_of = handler_of
        self._cells: dict[str, HotCell] = {}
        self._lock = threading.Lock()  # around is_due and the table: the building thread marks, the main thread runs
        self._running: HotCell | None = None

    def __iter__(self) -> Iterator[HotCell]:
        with self._lock:
            return iter(list(self._cells.values()))

    def cell_started(self, info: Any, number: int) -> None:
        """Take note of a cell that the user runs, ``In[number]``; main thread."""
        request = jupyter.request_of_cell(self._shell)
        text = (info.raw_cell or "").lstrip()
        found = _LINE.match(text.partition("\n")[0])
        key = info.cell_id or text
        if found is None:
            with self._lock:
                self._cells.pop(key, None)
            return
        names = tuple(filter(None, _SEPARATORS.split(found["names"] or "")))
        cell = HotCell(key, number, text, names, request)
        with self._lock:
            self._cells[key] = cell  # where an older one stood: the order is that of the first runs
        self._begin(cell)

    def cell_ended(self) -> None:
        """Take note that a cell has ended; main thread."""
        cell, self._running = self._running, None
        if cell is None:
            return
        if not cell.names:
            cell.uses = self._recorder.stop()
        cell.ended_at = time.monotonic()
        is_behind = self._is_behind(cell)  # what it used changed while it ran
        cell.echoes += is_behind
        if cell.echoes < _PATIENCE:
            self._mark([cell] if is_behind else [])
        else:
            cell.is_due = False
            if is_behind:  # no echo of this run is to come
                cell.echoes, cell.ended_at = 0, -math.inf
            told = "ipyhot: this cell changes what it uses each time it runs; it waits for the next save."
            print(told, file=sys.stderr)  # noqa: T201 - the cell's own output

    def touched(self, modules: frozenset[str]) -> None:
        """Let the cells that used some of the modules run again; any thread.

        The one that is running is looked at when it has ended.
        """
        with self._lock:
            cells = [cell for cell in self._cells.values() if cell is not self._running and self._concerns(cell, modules)]
        for cell in cells:
            cell.echoes = cell.echoes + 1 if time.monotonic() - cell.ended_at < _ECHO else 0
        self._mark(cell for cell in cells if cell.echoes <= _PATIENCE)

    def stop(self, numbers: Iterable[int] = ()) -> int:
        """Let cells be hot no more: those of some numbers, else all; return how many there were."""
        chosen = frozenset(numbers)
        with self._lock:
            gone = [key for key, cell in self._cells.items() if not chosen or cell.number in chosen]
            for key in gone:
                del self._cells[key]
        return len(gone)

    def _begin(self, cell: HotCell) -> None:
        self._running, cell.seen = cell, self._generation()
        if not cell.names:
            self._recorder.start()

    def _concerns(self, cell: HotCell, modules: frozenset[str]) -> bool:
        if not cell.names:
            return cell.uses.touches(modules)
        handlers = {name: self._handler_of(name) or name for name in modules}
        return any(
            wanted in {name, handler} or handler.startswith(f"{wanted}.")
            for name, handler in handlers.items()
            for wanted in cell.names
        )

    def _is_behind(self, cell: HotCell) -> bool:
        if cell.names:
            return self._concerns(cell, frozenset(name for name in self._live() if self._generation_of(name) > cell.seen))
        return any(self._generation_of(name) > cell.seen for name in cell.uses.modules) or (
            cell.uses.is_all and self._generation() > cell.seen
        )

    def _mark(self, cells: Iterable[HotCell]) -> None:
        with self._lock:
            due = [cell for cell in cells if cell.can_rerun]
            for cell in due:
                cell.is_due = True
        if due:
            self._door.knock(self._run_due if jupyter.in_notebook(self._shell) else self._run_due_in_terminal)

    async def _run_due(self) -> None:
        while (cell := self._next()) is not None and cell.request is not None:
            before = cell.uses
            self._begin(cell)
            result = await jupyter.rerun(self._shell, cell.request, cell.number, cell.text)
            self._finish(cell, before, result)

    def _run_due_in_terminal(self) -> None:
        while (cell := self._next()) is not None:
            if self._shell.should_run_async(cell.text, transformed_cell=self._shell.transform_cell(cell.text)):
                told = f"ipyhot: In[{cell.number}] awaits, which the prompt cannot do while it waits; run it again."
                print(told)  # noqa: T201 - as below
                continue
            before = cell.uses
            self._begin(cell)
            print(f"ipyhot: In[{cell.number}] again")  # noqa: T201 - the terminal has no place to replace
            self._finish(cell, before, self._shell.run_cell(cell.text, store_history=False))

    def _finish(self, cell: HotCell, before: Uses, result: Any) -> None:
        self.cell_ended()  # an interrupted one told nobody
        cell.runs += 1
        if result is None or not result.success:
            cell.uses |= before  # it did not come to the end: what would let it may be what it used then
            if self._is_behind(cell):
                self._mark([cell])

    def _next(self) -> HotCell | None:
        with self._lock:
            cell = next((cell for cell in self._cells.values() if cell.is_due), None)
            if cell is not None:
                cell.is_due = False
            return cell
