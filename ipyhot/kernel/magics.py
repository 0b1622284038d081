"""``%hotwatch``, ``%hot`` and ``%%hotcell``: read a line, ask the session."""

import os
import re
from typing import Any, Final, cast

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from traitlets import Enum, Unicode

from ipyhot.core.errors import HotError
from ipyhot.core.patterns import EVERYTHING, Patterns, Selection
from ipyhot.kernel import panel
from ipyhot.kernel.session import Session, When

__all__ = ["WORDS", "HotMagics"]

_LONGEST_POLL: Final = 86_400.0
WORDS: Final = ("status", "errors", "history", "reload", "cancel", "cells")


@magics_class
class HotMagics(Magics):
    """Magics of ipyhot: files of a folder become live objects of this kernel."""

    folder = Unicode("hots", help="Watched as soon as the extension is loaded, if it exists; empty for none.").tag(
        config=True
    )
    when = Enum(
        ["now", "idle"], "now", help="When a save goes live: now, even while a cell runs, or only between cells (idle)."
    ).tag(config=True)

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell=shell)
        self._session = session
        self.observe(self._set_when, "when")
        session.when = cast("When", self.when)

    def _set_when(self, change: Any) -> None:
        self._session.when = change.new

    @property
    def options(self) -> list[str]:
        """The options of ``%hotwatch``."""
        return sorted(set(re.findall(r"--\w+", self.hotwatch.parser.format_help())) - {"--help"})

    def watch_default(self) -> None:
        """Watch the configured folder, if it exists."""
        if self.folder and os.path.isdir(self.folder):
            try:
                self._session.watch(self.folder)
            except HotError as error:
                print(f"ipyhot: {error}")  # loading the extension must not fail because of a folder

    @magic_arguments()
    @argument("folder", nargs="?", help="the folder to watch; without one, show what is watched")
    @argument("--load", choices=["all", "imported"], help="execute every file, or only what something imports")
    @argument(
        "--include", action="append", metavar="G", help="take only files that match, as in .gitignore; may be repeated"
    )
    @argument("--exclude", action="append", metavar="G", help="leave out files and folders that match; may be repeated")
    @argument("--poll", nargs="?", type=float, const=1.0, metavar="S", help="look through the folder every S seconds (1)")
    @argument("--trust", action="store_true", help="execute files that others may write")
    @argument("--when", choices=["now", "idle"], help="let saves go live at once, or only between cells")
    @argument("--quiet", action="store_true", help="show no panel")
    @argument("--stop", action="store_true", help="watch nothing any more")
    @line_magic
    def hotwatch(self, line: str) -> None:
        """Make the Python files of a folder live: a save is in ``hot.handlers`` and in every import milliseconds later.

        A file that does not compile or load is shown in the panel, and its last good version stays live.

        %hotwatch ./hots         watch a folder; a panel under this cell shows what is live, and what is wrong
        %hotwatch                show the panel here, as after the page was reloaded
        %hotwatch --stop         watch nothing any more

        hot.handlers             what is live: hot.handlers.pricing, hot.handlers["billing.invoice"]
        hot.errors, hot.history  what is wrong, and what happened
        %hot?                    the same as words at a prompt
        %%hotcell?               a cell that runs again when what it used changes
        %config HotMagics        settings
        """
        given = parse_argstring(self.hotwatch, line)
        if given.when is not None:
            self._session.when = given.when
        if given.stop and given.folder is not None:
            raise UsageError("--stop watches nothing any more; name no folder")
        if given.stop:
            try:
                self._session.stop()
            except HotError as error:
                raise UsageError(str(error)) from None
        elif given.folder is None:
            self._session.show()
        else:
            try:
                self._session.watch(
                    _unquoted(given.folder),
                    given.load,
                    selection=_selection(given.include, given.exclude),
                    poll=_seconds(given.poll),
                    is_trusted=given.trust,
                    is_quiet=given.quiet,
                )
            except HotError as error:
                raise UsageError(str(error)) from None

    @cell_magic
    def hotcell(self, line: str, cell: str) -> None:
        """Run a cell, and run it again in place whenever a module that it used changes.

        %%hotcell                 what the cell uses is recorded while it runs
        %%hotcell pricing rates   these handlers are watched instead, and nothing is recorded
        %hot cells                which cells are hot
        %hot cells --stop [12]    let all of them, or In[12], be hot no more

        The body is an ordinary cell. It runs again on the main thread, between cells, once for a burst of saves.
        """
        assert self.shell is not None  # noqa: S101 - it was given
        self.shell.run_cell(cell)  # reached by ``run_cell_magic`` alone: a cell of the user's is transformed before

    @line_magic
    def hot(self, line: str) -> None:
        """Say ``%hot status``, ``errors``, ``history``, ``reload [handler …]``, ``cancel`` or ``cells [--stop [n …]]``."""
        word, *rest = line.split() or ["status"]
        hot = self._session.hot
        try:
            match word:
                case "status":
                    print(panel.as_text(self._session.state()))
                case "errors":
                    print(repr(hot.errors))
                case "history":
                    print(repr(hot.history))
                case "reload":
                    print(hot.reload(*rest) or "nothing to reload")
                case "cancel":
                    name = hot.cancel()
                    print(f"{name}: cancelled" if name else "nothing is loading")
                case "cells":
                    print(self._cells(rest))
                case _:
                    raise UsageError(f"%hot {word}: say one of {', '.join(WORDS)}")
        except HotError as error:
            raise UsageError(str(error)) from None

    def _cells(self, words: list[str]) -> str:
        """Stop hot cells, or list them."""
        hotcells = self._session.hotcells
        if words[:1] == ["--stop"]:
            if not all(word.isdecimal() for word in words[1:]):
                raise UsageError("%hot cells --stop: give the numbers of cells, or nothing for all")
            return f"{hotcells.stop(map(int, words[1:]))} hot cells stopped"
        return "\n".join(map(str, hotcells)) or "no hot cells; %%hotcell as a cell's first line makes one"


def _selection(include: list[str] | None, exclude: list[str] | None) -> Selection:
    if not include and not exclude:
        return EVERYTHING
    return Selection(Patterns(map(_unquoted, include or ())), Patterns(map(_unquoted, exclude or ())))


def _seconds(poll: float | None) -> float | None:
    if poll is not None and not 0 < poll < _LONGEST_POLL:
        raise UsageError(f"--poll {poll:g}: say a number of seconds, more than 0")
    return poll


def _unquoted(path: str) -> str:
    return path[1:-1] if len(path) > 1 and path[0] == path[-1] and path[0] in "'\"" else path
