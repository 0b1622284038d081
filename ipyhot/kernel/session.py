"""One kernel's wiring, its start and its stop. The only module that knows all the others; it should only wire.

=================  =====================================================================================
thread             what it may do
=================  =====================================================================================
``ipyhot builder`` hear, settle, build, commit, call listeners and ``on_change`` callbacks
``ipyhot panel``   show the latest state
main               run cells, hot cells and imports; build too, for ``%hotwatch``, ``hot.reload()`` and ``--when idle``
watchdog's         elsewhere than on Linux: put events behind a door (``watch.observer``)
=================  =====================================================================================
"""

import itertools
import os
import sys
import threading
import time
import traceback
import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal

from ipyhot.core import trust
from ipyhot.core.commit import commit
from ipyhot.core.engine import Engine
from ipyhot.core.errors import Cancelled, FolderError, UnknownHandlerError
from ipyhot.core.model import Failure, Report
from ipyhot.core.patterns import EVERYTHING, Selection
from ipyhot.core.sources import Load, open_folder
from ipyhot.kernel import jupyter, panel
from ipyhot.kernel.autoreload import Autoreload
from ipyhot.kernel.bindings import Bindings
from ipyhot.kernel.door import Door
from ipyhot.kernel.handlers import Handlers, HandlerTree
from ipyhot.kernel.hot import Hot
from ipyhot.kernel.hotcells import HotCells
from ipyhot.kernel.journal import Journal
from ipyhot.kernel.notice import Notices
from ipyhot.kernel.outlet import Outlet
from ipyhot.kernel.pins import Commits, pinned
from ipyhot.kernel.teller import Teller
from ipyhot.kernel.uses import Recorder, Watched
from ipyhot.watch.echo import Echo
from ipyhot.watch.settle import Batch
from ipyhot.watch.watcher import Watcher

__all__ = ["Session", "When"]

When = Literal["now", "idle"]

_SLOW: Final = 5.0
_CATCH_UP: Final = 1.0  # seconds that a cell waits for what was saved before it
_ECHO: Final = 0.2  # seconds in which an event of a file that a load wrote has surely come


class Session:
    """All of ipyhot in one IPython shell, from ``load_ipython_extension`` to ``unload_ipython_extension``."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._tree = HandlerTree(self._handler_of)
        self._bindings = Bindings(shell.user_ns, self._is_watched)
        self._commits = Commits()
        self._cell: int | None = None
        self._journal = Journal(self._cell_beside)
        self.engine = Engine([self._tree, self._bindings, self._commits, self._journal], [self._call_back, self._show])
        self.engine.holders.append(shell.user_ns)
        self.hot = Hot(self, self._tree.root)
        self.when: When = "now"
        self._waiting: dict[str, float] = {}
        self._waiting_lock = threading.Lock()
        self._door = Door(shell)
        self._outlet = Outlet(shell)
        self._notices = Notices(self._outlet)
        self._teller = Teller(self._outlet, self.state, lambda: self.engine.loading is not None)
        self._autoreload = Autoreload(shell, self._outlet, lambda: self.engine.live)
        self.hotcells = self._hot_cells()
        self.engine.on_loading = self._teller.loading_began
        self.engine.on_stale = lambda: self._watcher.look_at([])
        self._callbacks: list[tuple[Callable[[Report], object], str | None]] = []
        self._notes: list[str] = []
        self._endless: str | None = None
        self._unchecked: str | None = None
        self._late: str | None = None
        self._shown: dict[str, str] = {}
        self._polls: dict[str, float | None] = {}
        self._echo = Echo()
        self._loaded_at = 0.0
        self._closed_at: float | None = None
        self._watcher = Watcher(self._take, lambda: self._teller.tell(None), self._prepare)
        for cell in _cells_so_far(shell):  # names that were imported before the extension was loaded follow too
            self._bindings.before_cell(cell, shell.transform_cell)
            self._bindings.after_cell(succeeded=True)
        if cell := _cell_running(shell):
            self._bindings.before_cell(cell, shell.transform_cell)
        shell.events.register("pre_run_cell", self._before_cell)
        shell.events.register("post_run_cell", self._after_cell)
        _after_fork_in_child(self)

    # -- what the magics and ``hot`` ask for

    def watch(
        self,
        path: str,
        load: Load | None = None,
        *,
        selection: Selection = EVERYTHING,
        poll: float | None = None,
        is_trusted: bool = False,
        is_quiet: bool = False,
    ) -> None:
        """Watch a folder, load what it holds, and show the panel; the same folder again takes the place of the former.

        Args:
            path: the folder.
            load: see ``open_folder``.
            selection: which of its files count.
            poll: seconds between two looks through the folder, instead of listening.
            is_trusted: execute its files whoever may write them.
            is_quiet: show no panel.

        Raises:
            FolderError: it cannot be watched; nothing of it is, and other folders are as before.
        """
        self._check_open(path)
        folder = open_folder(path, load, selection=selection, is_trusted=is_trusted)
        is_known = folder in self.engine.folders and self._polls.get(folder.root) == poll  # what changes in it is heard
        if not is_known:
            commit(self._tree.forget(self.engine.add_folder(folder)))
            self._watcher.add(folder, poll=poll)  # armed before the first look, or a save in between would be lost
        self._shown[folder.root], self._polls[folder.root] = path, poll
        jupyter.exempt_from_breakpoints()
        if not trust.IS_CHECKED and not is_trusted:
            self._unchecked = "Who may write the files that are executed is not checked on this system."
        self.engine.update(self.engine.failures if is_known else folder.scan() if folder.load == "all" else ())
        self.show(is_quiet=is_quiet)

    def show(self, *, is_quiet: bool = False) -> None:
        """Show the panel under the cell that is running."""
        self._teller.open(is_quiet=is_quiet, number=self._cell)

    def stop(self) -> None:
        """Watch nothing any more; ``hot.handlers`` becomes empty, modules stay as they are.

        Raises:
            BusyError: called by a file that is being loaded.
        """
        if self._is_closed:
            return
        self.engine.check_outside()
        for folder in self.engine.folders:
            self._watcher.remove(folder)
            self.engine.cancel()  # or an endless load would hold this cell up
            self.engine.remove_folder(folder)
        commit(self._tree.forget())
        self._journal.clear()
        with self._waiting_lock:
            self._waiting.clear()
        self._notes.clear()
        self._endless = None
        self._teller.tell(None)

    @property
    def _is_closed(self) -> bool:
        return self._closed_at is not None

    def _check_open(self, path: str) -> None:
        if self._is_closed:
            raise FolderError(f"{path}: this process was forked from a kernel; only that one can watch.")

    def reload(self, handlers: Iterable[str]) -> Report | None:
        """See ``Hot.reload``."""
        self._endless = None
        names = [self._module_of(handler) for handler in handlers]
        for folder in self.engine.folders if not names else ():
            followed = {name for name in self.engine.live if self.engine.folder_of(name) is folder}
            names += folder.scan() if folder.load == "all" else sorted(followed)
        return self.engine.update(names, force=True)

    def add_callback(self, callback: Callable[[Report], object], handler: str | None) -> None:
        """Call back after each generation, or after those that touch a handler."""
        self._callbacks.append((callback, None if handler is None else self._module_of(handler)))

    def pinned(self) -> Handlers:
        """Return the handlers of now, with values that stay as they are."""
        modules = {name: sys.modules.get(name) for name in list(self.engine.live)}
        plain = {name: module for name, module in modules.items() if isinstance(module, types.ModuleType)}
        return self._tree.with_values(pinned(self._commits, plain, self._tree.root))

    def failures(self) -> dict[str, Failure]:
        """Return what is wrong, by handler name."""
        return {self._tree.name_of(name) or name: failure for name, failure in self.engine.failures.items()}

    def painted(self, text: str) -> str:
        """Return the text of an error as this shell's terminal shows it; in a notebook as it is."""
        return text if self._outlet.is_notebook else self._outlet.red(text)

    def state(self) -> panel.State:
        """Return what there is to show now."""
        newest = list(itertools.islice(reversed(self.engine.live.items()), panel.SHOWN))  # one call: no thread between
        latest = sorted(newest, key=lambda item: (-item[1].generation, item[0]))
        rows = tuple(
            panel.Row(self._tree.name_of(name) or name, version.generation, self._journal.event_of(name))
            for name, version in latest
            if version.source.path is not None
        )
        groups = {row.name[:end] for row in rows for end, letter in enumerate(row.name) if letter == "."}
        loading, history = self.engine.loading, tuple(self.engine.history)
        seconds = 0.0 if loading is None else time.monotonic() - loading.since
        return panel.State(
            folders=tuple(self._shown.get(folder.root, folder.root) for folder in self.engine.folders)
            or tuple(self._shown.values() if self._is_closed else ()),
            generation=self.engine.generation,
            count=len(self._tree.root),
            latest=rows,
            failures={name: replace(f, path=self._shown_path(f.path)) for name, f in self.failures().items()},
            history=history,
            now=time.time(),
            sizes={group: self._tree.size(group) for group in groups},
            during=self._journal.during(),
            loading=(loading.name, seconds) if loading is not None and seconds >= _SLOW else None,
            waiting=len(self._waiting),
            stopped=self._closed_at,
            notes=(*self._notes, *self._watcher.notes, *filter(None, (self._endless, self._unchecked, self._late))),
        )

    def label_of(self, file: str) -> str | None:
        """Return what a traceback should call a watched file, which each version spells in its own way."""
        path = os.path.normpath(file)
        return self._shown_path(path) if path != file and self._name_of(path) is not None else None

    def _shown_path(self, path: str) -> str:
        """Return a file's path as the user named the folder."""
        for root, shown in self._shown.items():
            if path.startswith(root + os.sep):
                return os.path.join(shown, path[len(root) + 1 :])
        return path

    def close(self) -> None:
        """Leave nothing behind: no thread, no event, no finder."""
        if self._is_closed:
            return
        self._closed_at = time.time()
        self.engine.shut()
        self._door.close()
        self.hotcells.stop()
        self._shell.events.unregister("pre_run_cell", self._before_cell)
        self._shell.events.unregister("post_run_cell", self._after_cell)
        self._watcher.stop()
        self._teller.stop()

    def after_fork(self) -> None:
        """Be harmless in a forked child, where no thread of ours lives."""
        self.engine.after_fork()
        self.engine.shut()
        self._watcher.abandon()
        self._closed_at = time.time()

    # -- the building thread

    def _take(self, batch: Batch) -> None:
        self._late = None
        names = self._names_of(batch)
        if batch.first - self._loaded_at < _ECHO:  # written later than that, it was not by a load
            self._echo.hear({name: at for name in names if (at := self._written(name)) is not None})
        else:
            self._echo = Echo()
        if endless := self._echo.endless(names):
            self._endless = f"{', '.join(sorted(endless))} changes each time it is loaded; %hot reload takes it up again."
            self._teller.tell(None)
            names -= endless
        texts = dict(batch.texts)
        if quiet := self._echo.wait(names):
            more = self._watcher.settle(quiet)
            names |= self._names_of(more)
            texts.update(more.texts)
        if self.when == "idle":
            with self._waiting_lock:
                for name in names:
                    self._waiting.setdefault(name, batch.first)
            self._teller.tell(None)
            self._door.knock(self._build_waiting, comes_first=True)
        else:
            self._build(names, batch.first, texts)

    def _prepare(self, path: str, data: bytes) -> None:
        name = self._name_of(path)
        try:
            if name is not None:
                self.engine.prepare(name, path, data)
        except Exception:  # noqa: BLE001 - the edge of the thread, as in _build; what is to be built is built all the same
            self._tell_fault()

    def _build_waiting(self) -> None:
        """Build, on the main thread between cells, what was saved since the last time."""
        with self._waiting_lock:
            waiting, self._waiting = self._waiting, {}
        self._build(frozenset(waiting), min(waiting.values(), default=time.monotonic()), {})

    def _build(self, names: frozenset[str], first: float, texts: Mapping[str, bytes]) -> None:
        began = time.time()
        report = None
        try:
            with jupyter.show_in(self._shell, self._teller.parent):
                report = self.engine.update(names, seen=first, texts=texts)
        except Cancelled:  # it came too late for the file it was meant for; look again
            self._watcher.look_at([path for name in names if (path := self._path_of(name)) is not None])
        except Exception:  # noqa: BLE001 - the edge of the thread: our own bug must be told, and must not end the watch
            self._tell_fault()
        self._echo.loaded(names, began, time.time() if report is None else report.built_at)
        self._loaded_at = time.monotonic()

    def _tell_fault(self) -> None:
        self._notes[:] = [f"ipyhot itself failed; please report it:\n{traceback.format_exc()}"]
        self._teller.tell(None)

    def _path_of(self, name: str) -> str | None:
        version, folder = self.engine.live.get(name), self.engine.folder_of(name)
        return version.source.path if version is not None else folder.place_of(name) if folder is not None else None

    def _written(self, name: str) -> float | None:
        path = self._path_of(name)
        try:
            return os.stat(path).st_mtime if path is not None else None
        except OSError:  # it is gone: that is no echo
            return None

    def _names_of(self, batch: Batch) -> frozenset[str]:
        """Return the modules of a batch; a folder without ``__init__.py`` is one, too, and goes with its last file."""
        names: set[str] = set()
        for folder in self.engine.folders:
            found = {name for path in batch.files if (name := folder.name_of(path)) is not None}
            found |= {folder.children(path)[:-1] for path in batch.folders if folder.enters(path)}
            above = {name.rpartition(".")[0] for name in found}
            names |= found | {name for name in above if name in self.engine.live}
        return frozenset(names - {""})

    def _show(self, report: Report) -> None:
        self._journal.take(report)
        self._teller.tell(report)
        self._notices.settle(self.failures())
        self._autoreload.look_again()
        self.hotcells.touched(frozenset(report.ways))

    def _call_back(self, report: Report) -> None:
        for entry in list(self._callbacks):
            callback, name = entry
            if not report.is_generation or (name is not None and name not in report.ways):
                continue
            try:
                callback(report)
            except Exception as error:  # noqa: BLE001 - a callback may do anything; it is switched off and told
                self._callbacks.remove(entry)
                self._notes.append(f"on_change callback {callback!r} raised {error!r} and is switched off.")

    # -- the main thread

    def _before_cell(self, info: Any) -> None:
        try:
            is_level = self._watcher.catch_up(_CATCH_UP)
        except KeyboardInterrupt:  # it is meant for the cell, which has not begun
            is_level = True
            jupyter.interrupt_next(self._shell)
        if not is_level:
            self._late = "A cell was started before what had been saved was live; it may have run the version before."
            self._teller.tell(None)
        self._door.cell_started()
        self._autoreload.keep_away()
        self._outlet.cell_started()
        self._cell = _number_of_next_cell(self._shell) if info.store_history else None
        self._notices.cell_started(self.failures())
        self._bindings.before_cell(info.raw_cell or "", self._shell.transform_cell)
        if self._cell is not None:
            self.hotcells.cell_started(info, self._cell)

    def _after_cell(self, result: Any) -> None:
        self.hotcells.cell_ended()
        self._autoreload.keep_away()
        self._cell = None
        self._teller.cell_ended(self.engine.number)
        self._outlet.cell_ended()
        self._bindings.after_cell(succeeded=bool(result.success))
        self._door.cell_ended()

    def _hot_cells(self) -> HotCells:
        watched = Watched(
            is_watched=self._is_watched,
            name_of=self._name_of,
            module_of=self._module_or_none,
            origin_of=self._bindings.origin_of,
            path_of=self._tree.path_of,
            is_cell=partial(jupyter.is_cell, self._shell),
        )
        return HotCells(
            self._shell,
            self._door,
            Recorder(self._shell.user_ns, watched),
            generation_of=lambda name: self.engine.live[name].generation if name in self.engine.live else 0,
            generation=lambda: self.engine.generation,
            live=lambda: list(self.engine.live),
            handler_of=self._tree.name_of,
        )

    def _name_of(self, path: str) -> str | None:
        found = (folder.name_of(path) for folder in self.engine.folders)
        return next((name for name in found if name is not None), None)

    def _module_or_none(self, handler: str) -> str | None:
        try:
            return self._module_of(handler)
        except UnknownHandlerError:  # a handler that is not there yet
            return None

    def _cell_beside(self) -> int | None:
        return None if threading.current_thread() is threading.main_thread() else self._cell

    def _is_watched(self, name: str) -> bool:
        return self.engine.folder_of(name) is not None

    def _handler_of(self, name: str) -> str | None:
        folder = self.engine.folder_of(name)
        return None if folder is None else folder.handler_of(name)

    def _module_of(self, handler: str) -> str:
        if handler in self.engine.live or handler in self.engine.failures:
            return handler
        for folder in self.engine.folders:
            name = folder.qualify([] if handler == "__init__" else handler.split("."))
            if name is not None and (name in self.engine.live or name in self.engine.failures):
                return name
        raise UnknownHandlerError(f"no handler {handler!r}; there are {', '.join(self._tree.root) or 'none'}")


def _cells_so_far(shell: Any) -> list[str]:
    found = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None) or [""]
    return list(found[1:-1])


def _number_of_next_cell(shell: Any) -> int:
    # In ``pre_run_cell`` the cell is not in the history yet; ``execution_count`` is its own or the next one's by version.
    return len(getattr(getattr(shell, "history_manager", None), "input_hist_raw", None) or [""])


def _cell_running(shell: Any) -> str:
    found = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None) or [""]
    return str(found[-1])


_sessions: Final[weakref.WeakSet[Session]] = weakref.WeakSet()
_is_registered = threading.Event()


def _after_fork_in_child(session: Session) -> None:
    # Registering cannot be undone, so it is done once for all sessions of this process.
    _sessions.add(session)
    if not _is_registered.is_set() and hasattr(os, "register_at_fork"):
        _is_registered.set()
        os.register_at_fork(after_in_child=partial(_forked, _sessions))


def _forked(sessions: Iterable[Session]) -> None:
    for session in list(sessions):
        session.after_fork()
