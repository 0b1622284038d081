"""``%hotwatch`` and ``%hot``: read a line, ask the session."""

import os
from typing import Any, Final

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from traitlets import Unicode

from ipyhot.core.errors import HotError
from ipyhot.core.patterns import EVERYTHING, Patterns, Selection
from ipyhot.kernel import panel
from ipyhot.kernel.session import Session

__all__ = ["HotMagics"]

_LONGEST_POLL: Final = 86_400.0
_WORDS: Final = ("status", "errors", "history", "reload", "cancel")


@magics_class
class HotMagics(Magics):
    """Magics of ipyhot: files of a folder become live objects of this kernel."""

    folder = Unicode("hots", help="Watched as soon as the extension is loaded, if it exists; empty for none.").tag(
        config=True
    )

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell=shell)
        self._session = session

    def watch_default(self) -> None:
        """Watch the configured folder, if it exists."""
        if self.folder and os.path.isdir(self.folder):
            try:
                self._session.watch(self.folder)
            except HotError as error:
                print(f"ipyhot: {error}")  # noqa: T201 - loading the extension must not fail because of a folder

    @magic_arguments()
    @argument("folder", nargs="?", help="the folder to watch; without one, show what is watched")
    @argument("--load", choices=["all", "imported"], help="execute every file, or only what something imports")
    @argument(
        "--include", action="append", metavar="G", help="take only files that match, as in .gitignore; may be repeated"
    )
    @argument("--exclude", action="append", metavar="G", help="leave out files and folders that match; may be repeated")
    @argument("--poll", nargs="?", type=float, const=1.0, metavar="S", help="look through the folder every S seconds (1)")
    @argument("--trust", action="store_true", help="execute files that others may write")
    @argument("--quiet", action="store_true", help="show no panel")
    @argument("--stop", action="store_true", help="watch nothing any more")
    @line_magic
    def hotwatch(self, line: str) -> None:
        """Make the Python files of a folder live: a save is in ``hot.handlers`` and in every import milliseconds later.

        A file that does not compile or load is shown in the panel, and its last good version stays live.
        """
        given = parse_argstring(self.hotwatch, line)
        if given.stop:
            self._session.stop()
        elif given.folder is None:
            print(panel.as_text(self._session.state()))  # noqa: T201 - the answer to the question
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

    @line_magic
    def hot(self, line: str) -> None:
        """Say ``%hot status``, ``errors``, ``history``, ``reload [handler …]`` or ``cancel``."""
        word, *rest = line.split() or ["status"]
        hot = self._session.hot
        try:
            match word:
                case "status":
                    print(panel.as_text(self._session.state()))  # noqa: T201
                case "errors":
                    print(repr(hot.errors))  # noqa: T201
                case "history":
                    print(repr(hot.history))  # noqa: T201
                case "reload":
                    print(hot.reload(*rest) or "nothing to reload")  # noqa: T201
                case "cancel":
                    name = hot.cancel()
                    print(f"{name}: cancelled" if name else "nothing is loading")  # noqa: T201
                case _:
                    raise UsageError(f"%hot {word}: say one of {', '.join(_WORDS)}")
        except HotError as error:
            raise UsageError(str(error)) from None


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
