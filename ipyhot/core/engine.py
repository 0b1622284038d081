"""The transaction: prepare, commit or abort; generations, failures, and the only lock.

Any thread may ask for one; one runs at a time, in the thread that asked (the building thread). Imports outside of a
transaction never wait for the lock: they leave a note in ``_arrivals``, which is taken up under it.
"""

import collections
import ctypes
import itertools
import os
import sys
import threading
import time
import types
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from ipyhot.core import diff, failures, once, plan, swap
from ipyhot.core.codes import imports
from ipyhot.core.commit import Deed, commit, delete_item, set_item
from ipyhot.core.errors import BusyError, Cancelled, FolderError
from ipyhot.core.graph import Graph
from ipyhot.core.handover import Close, closer
from ipyhot.core.heads import heads_in
from ipyhot.core.imports import Finder, ImportSwitch, Loader, Standin, WatchedSpec
from ipyhot.core.model import CLOSE, Change, Failure, Plan, Report, Source, Version, Way
from ipyhot.core.outline import Outline
from ipyhot.core.patch import Module
from ipyhot.core.sources import Folder
from ipyhot.core.stage import OWN_NAMES, Stage, Staged
from ipyhot.core.succession import Heir, RejectedError, Succession
from ipyhot.core.texts import Texts, codes_of

__all__ = ["Engine", "Loading", "Participant", "Replacement"]

HISTORY: Final = 200


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a commit is about to do with one module; alive only while the commit is being prepared.

    A live module stays the object that it is: then ``old`` is ``new``, and the namespaces are its names before and after.
    """

    name: str
    old: types.ModuleType | None
    old_namespace: dict[str, Any]
    new: Any
    new_namespace: dict[str, Any]
    covered: object = None  # what the old file had put into sys.modules in place of its module

    @property
    def is_drop(self) -> bool:
        """True when the module goes and nothing takes its place."""
        return self.new is None


class Participant(Protocol):
    """Somebody who holds live things and changes with the modules, in the same step."""

    def deeds(self, replacements: Mapping[str, Replacement]) -> Iterable[Deed]:
        """Return what to do in the commit."""


@dataclass(frozen=True, slots=True)
class Loading:
    """The file that is being executed just now, and since when (monotonic seconds)."""

    name: str
    since: float
    thread: int


@dataclass(slots=True)
class _Arrival:
    source: Source
    loader: object
    dependencies: frozenset[str]
    generation: int
    turn: int


@dataclass(slots=True)
class _Outcome:
    """What a transaction came to, before it is told."""

    ways: dict[str, Way] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    closers: list[tuple[str, Close]] = field(default_factory=list)


class Engine:
    """Keeps the watched modules of one process live.

    Args:
        participants: take part in each commit.
        listeners: are called with each report, after the commit, in the building thread.
    """

    def __init__(self, participants: Iterable[Participant] = (), listeners: Iterable[Callable[[Report], None]] = ()) -> None:
        self.participants = list(participants)
        self.listeners = list(listeners)
        self.generation = 0
        self.live: dict[str, Version] = {}
        self.failures: dict[str, Failure] = {}
        self.history: collections.deque[Report] = collections.deque(maxlen=HISTORY)
        self.number = 0
        self.loading: Loading | None = None
        self.told = threading.Condition()
        self.on_stale: Callable[[], None] = lambda: None
        self.on_loading: Callable[[], None] = lambda: None
        self._folders: tuple[Folder, ...] = ()
        self.patches = True  # take edits statement by statement, where that gives what executing the file would
        self._graph = Graph()
        self._texts = Texts()
        self._succession = Succession()
        self.holders = self._succession.holders
        self._standins: collections.defaultdict[str, Standin] = collections.defaultdict(Standin)
        self._switch = ImportSwitch()
        self._arrivals: collections.deque[_Arrival] = collections.deque()
        self._stale: set[str] = set()
        self._cancelled: set[str] = set()
        self._behind: dict[str, str] = {}  # live modules whose imports went live without them → what to say of it
        self._entered: dict[
            str, int
        ] = {}  # name -> when its load first began: how a cycle is entered decides whether it loads
        self._turns = itertools.count()
        self._dropped: weakref.WeakValueDictionary[str, WatchedSpec] = weakref.WeakValueDictionary()
        self._stage: Stage | None = None
        self._is_shut = False
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._cancel_lock = threading.Lock()  # a leaf: no user code runs under it
        self._is_cancelling = False
        self._finder = Finder(self)

    # -- folders

    @property
    def folders(self) -> tuple[Folder, ...]:
        """The watched folders."""
        return self._folders

    def add_folder(self, folder: Folder) -> None:
        """Let imports find the folder's modules; those that are imported already become hot as they are.

        Raises:
            FolderError: a watched folder gives the same module names.
        """
        for other in self._folders:
            if other.package == folder.package and other.root != folder.root:
                raise FolderError(f"{folder.root}: modules of {other.root}, which is watched, have the same names.")
        with self._exclusively():
            _forget_elsewhere(folder)
            self._folders = (*(other for other in self._folders if other.root != folder.root), folder)
            if self._finder not in sys.meta_path:
                sys.meta_path.insert(0, self._finder)
            once.is_watched = self._is_watched
            for name in folder.scan():
                self._adopt(folder, name)

    def remove_folder(self, folder: Folder) -> None:
        """Follow the folder no more. Its modules stay importable objects, as plain Python made them."""
        with self._exclusively():
            self._folders = tuple(other for other in self._folders if other.root != folder.root)
            for name in [name for name in {*self.live, *self.failures} if self.folder_of(name) is None]:
                self.live.pop(name, None)
                self.failures.pop(name, None)
                self._graph.remove(name)
                self._texts.forget(name)
            if not self._folders and self._finder in sys.meta_path:
                sys.meta_path.remove(self._finder)

    def shut(self) -> None:
        """Let nothing go live any more, at once, whatever a file that is being loaded does."""
        self._is_shut = True
        self._folders = ()
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)

    def folder_of(self, name: str) -> Folder | None:
        """Return the watched folder that a module name belongs to."""
        fitting = [folder for folder in self._folders if folder.holds(name)]
        return max(fitting, key=lambda folder: len(folder.package)) if len(fitting) > 1 else next(iter(fitting), None)

    def _is_watched(self, name: str) -> bool:
        return self.folder_of(name) is not None

    def _adopt(self, folder: Folder, name: str) -> None:
        module = sys.modules.get(name)
        if not isinstance(module, types.ModuleType) or isinstance(module.__spec__, WatchedSpec) or name in self.live:
            return
        source = _read(folder, name)
        if source is None or source.path is None:
            return
        spec = WatchedSpec(name, getattr(module, "__loader__", None), origin=source.path, is_package=source.is_package)
        spec.submodule_search_locations = getattr(module.__spec__, "submodule_search_locations", None)
        module.__spec__ = spec
        try:
            imported = frozenset(_static_imports(source))
        except (SyntaxError, ValueError):  # broken since it was imported: the next look at it says so
            imported = frozenset()
        self._arrivals.append(_Arrival(source, None, imported, self.generation, next(self._turns)))

    # -- what the finder asks

    def admit(self, name: str) -> types.ModuleType | None:
        """See ``Importing.admit``."""
        return self._stage.admit(name) if self._stage is not None and self._owner == threading.get_ident() else None

    def loaded(self, spec: WatchedSpec, module: types.ModuleType | None, dependencies: frozenset[str]) -> None:
        """See ``Importing.loaded``."""
        if module is None:
            return
        found = self._with_submodules(spec.source, dependencies)
        self._arrivals.append(_Arrival(spec.source, spec.loader, found, self.generation, next(self._turns)))
        if self._lock.acquire(blocking=False):
            try:
                self._take_arrivals()
            finally:
                self._lock.release()

    def _take_arrivals(self) -> None:
        while self._arrivals:
            arrival = self._arrivals.popleft()
            source = arrival.source
            folder = self.folder_of(source.name)
            module: object = sys.modules.get(source.name)
            if folder is None or module is None or source.name in self.live:
                continue
            namespace = getattr(module, "__dict__", {})
            names = frozenset(namespace) - OWN_NAMES
            self.live[source.name] = Version(source, self.generation, arrival.dependencies, names)
            self._texts.arrive(source, arrival.loader if isinstance(module, types.ModuleType) else None)
            self._entered.setdefault(source.name, arrival.turn)
            is_inert = self._texts.is_inert(source.name)
            self._graph.replace(source.name, arrival.dependencies, is_inert=is_inert)
            self.failures.pop(source.name, None)
            arrived = Replacement(source.name, None, {}, module, namespace)
            commit([deed for participant in self.participants for deed in participant.deeds({source.name: arrived})])
            if self._is_outdated(arrival, folder):
                self._stale.add(source.name)
        if self._stale:
            self.on_stale()

    def _is_outdated(self, arrival: _Arrival, folder: Folder) -> bool:
        """Tell whether the file, or what it imported, became new while it was being imported."""
        now = _read(folder, arrival.source.name)
        return (now is not None and now.digest != arrival.source.digest) or any(
            self.live[name].generation > arrival.generation for name in arrival.dependencies if name in self.live
        )

    def _with_submodules(self, source: Source, touched: Iterable[str]) -> frozenset[str]:
        touched = frozenset(touched)
        if not any(self._is_package(name) for name in touched):
            return touched
        # ``from base import name`` does not look at module base.name if base has that attribute already.
        code = compile(source.data, source.path or source.name, "exec", dont_inherit=True)
        package = source.name if source.is_package else source.parent
        submodules = {f"{base}.{name}" for base, names in imports(code, package) if base in touched for name in names}
        return touched | {name for name in submodules if name in self.live or name in self.failures}

    def _is_package(self, name: str) -> bool:
        folder = self.folder_of(name)
        found = folder.locate(name) if folder is not None else None
        return found is not None and found[1]

    # -- transactions

    def update(
        self,
        names: Iterable[str] = (),
        *,
        force: bool = False,
        seen: float | None = None,
        texts: Mapping[str, bytes] | None = None,
    ) -> Report | None:
        """Bring some modules, and all that depends on them, up to what the disk holds now.

        Args:
            names: modules whose file may have changed; those that are being held back are looked at as well.
            force: run them although nothing changed.
            seen: when the change was noticed, in monotonic seconds; now by default.
            texts: files that were just read, by path, so that what was found complete is what is loaded.

        Returns:
            What came of it; None if nothing had changed.

        Raises:
            BusyError: called by a file that is being loaded.
        """
        began = time.monotonic() if seen is None else seen
        with self._exclusively():
            self._take_arrivals()
            stale = {*self._stale}
            self._stale.clear()
            report = self._transaction({*names, *stale}, {*names} if force else stale, began, texts or {})
        if report is not None:
            self._tell(report)
        return report

    def cancel(self) -> str | None:
        """Raise ``Cancelled`` in the file that is being loaded; return its name, or None if there is none."""
        with self._cancel_lock:
            loading = self.loading
            if loading is None:
                return None
            self._is_cancelling = True
            # Never with NULL, to take it back: CPython 3.11 would then look for signals before each instruction, for ever.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(loading.thread), ctypes.py_object(Cancelled))
            return loading.name

    def after_fork(self) -> None:
        """Make the engine of a forked child usable: no thread of the parent is here to release its locks."""
        self._lock = threading.Lock()
        self._cancel_lock = threading.Lock()
        self._owner = None
        self.told = threading.Condition()
        self.loading = None

    def _tell(self, report: Report) -> None:
        with self.told:
            self.history.append(report)
            self.number = report.number
            self.told.notify_all()
        for listener in self.listeners:
            listener(report)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        if self._owner == threading.get_ident():
            raise BusyError("a file that is being loaded cannot reload files; do it from a cell or a callback.")
        with self._lock:
            self._owner = threading.get_ident()
            try:
                yield
            finally:
                self._owner = None

    def _transaction(
        self, names: Collection[str], forced: Collection[str], began: float, texts: Mapping[str, bytes]
    ) -> Report | None:
        known = dict(self.failures)
        changes = self._changes(names, forced, texts)
        asked = tuple(sorted(name for name in changes if name in names))
        outcome = _Outcome()
        # Without a change nothing is tried again; a culprit that is as it was before is one, too.
        is_moved = bool(asked) or self.failures != known
        built = self._run(changes, outcome) if changes and is_moved else began
        outcome.notes += self._succession.settle()  # here, where nothing holds the old version any more
        outcome.notes += [note for name, close in outcome.closers if (note := _closed(name, close))]
        if not outcome.ways and self.failures == known:
            return None
        self.generation += bool(outcome.ways)
        live_at = time.monotonic()
        return Report(
            number=self.number + 1,
            generation=self.generation,
            at=time.time(),
            changed=asked,
            ways=outcome.ways,
            reasons=outcome.reasons,
            failures={name: failure for name, failure in self.failures.items() if known.get(name) != failure},
            healed=tuple(sorted(known.keys() - self.failures.keys())),
            notes=tuple(outcome.notes),
            built_ms=(built - began) * 1000,
            live_ms=(live_at - began) * 1000,
        )

    def _changes(self, names: Collection[str], forced: Collection[str], texts: Mapping[str, bytes]) -> dict[str, Change]:
        """Return what differs from what is live, among some names and all that is held back."""
        retried = {name for name in self.failures if name not in self._cancelled}
        changes: dict[str, Change] = {}
        for name in {*names, *retried}:
            folder = self.folder_of(name)
            if folder is None or not self._is_followed(folder, name):
                continue
            try:
                source = folder.read(name, texts)
            except OSError as error:
                self._fail(failures.unreadable(name, folder.place_of(name), error, since=time.time(), live=self._live(name)))
                continue
            version = self.live.get(name)
            is_same = source is None if version is None else source is not None and _is_same(source, version.source)
            is_asked = name in forced or name in self._behind  # what is live may be of this text, and of older imports
            if not is_same or (is_asked and source is not None):
                path = source.path if source is not None else None
                whole = "it was asked for" if name in forced else self._behind.get(name, "")
                changes[name] = Change(name, path or folder.place_of(name), source, whole)
            else:
                self.failures.pop(name, None)
        return changes

    def _is_followed(self, folder: Folder, name: str) -> bool:
        known = name in self.live or name in self.failures
        return known or folder.load == "all" or bool(self._graph.dependents([name]))

    def _live(self, name: str) -> int | None:
        return self.live[name].generation if name in self.live else None

    def _run(self, changes: Mapping[str, Change], outcome: _Outcome) -> float:
        """Stage some changes and commit what may go live; return when it was built.

        What turns out broken leaves the changes, and the rest is planned anew without it. A module that was failing
        before then takes part with the text that is live, if what it imports is about to change.
        """
        failing = {name for name, failure in self.failures.items() if name in changes and not failure.is_held}
        loaders = {name: Loader(c.source) for name, c in changes.items() if c.source is not None and c.source.path}
        revisions = {
            name: plan.Revision(self._texts.outline_of(name), self._texts.revise(loaders[name]) if name in loaders else None)
            for name in changes
            if self.live  # at the start there is nothing that a new file could reach
        }
        while True:
            wanted = self._plan(changes, revisions, failing)
            rejected = None
            with self._staging(wanted, revisions, loaders) as stage:
                broken = stage.compile()
                if not broken:
                    with stage:
                        stage.run()
                    self._swallow_late_cancel()
                built = time.monotonic()
                held, fallen = self._judge(stage, wanted, changes)
                if not broken and not fallen:
                    rejected = self._publish(stage, revisions, held, outcome)
                    if rejected is None:
                        return built
                    stage.reject(rejected.module, rejected.error)
                    held, fallen = self._judge(stage, wanted, changes)
            out = {*held, *broken, *fallen, *([rejected.module] if rejected is not None else [])}
            if out.isdisjoint(changes):  # a dependent that has no veto said no: nothing more can be tried
                return built
            changes = {name: change for name, change in changes.items() if name not in out}
            loaders = {name: loader for name, loader in loaders.items() if name in changes}
            revisions = {name: revision for name, revision in revisions.items() if name in changes}

    def _judge(
        self, stage: Stage, wanted: Plan, changes: Mapping[str, Change]
    ) -> tuple[dict[str, frozenset[str]], set[str]]:
        """Write down what failed; return what is held back, and what has to be tried with the text that is live."""
        failed = self._failed(stage)
        if not failed:
            return {}, set()
        edges = self._edges(stage)
        spoilers = self._spoilers(stage, wanted, failed) & changes.keys()
        held = {} if spoilers else plan.held_back(wanted, failed, edges, self._graph.dependencies)
        self._record(stage, changes, held)
        return held, spoilers or {name for name in failed if name in changes and self._moved(stage, name, held, edges)}

    def _spoilers(self, stage: Stage, wanted: Plan, failed: Iterable[str]) -> set[str]:
        """Return the live modules that fail as before, and take others along that could do with what is live."""
        blamed = {culprit for name in failed if (culprit := stage.culprit(name)) != name}
        return {name for name in blamed if name in wanted.without_veto and name in self.live}

    def _plan(self, changes: Mapping[str, Change], revisions: Mapping[str, plan.Revision], failing: Collection[str]) -> Plan:
        return plan.make(
            changes,
            revisions,
            self._graph,
            self.live,
            failing,
            self._entered,
            outline_of=self._texts.outline_of,
            is_watched=self._is_watched,
            grows=_grows,
            holds=_holds,
            patches=self.patches,
        )

    def _swallow_late_cancel(self) -> None:
        """Take delivery of a cancellation that came when the last file was just loaded."""
        with self._cancel_lock:
            self.loading = None
            is_due, self._is_cancelling = self._is_cancelling, False
        try:
            for _ in range(100 * is_due):  # it is raised at a jump back, unless the file has caught it itself
                pass
        except Cancelled:
            return

    def _moved(self, stage: Stage, name: str, held: Collection[str], edges: Mapping[str, Collection[str]]) -> bool:
        """Tell whether a module without a veto failed, and the rest cannot go live beside it.

        That is so if something that its live version imports goes live, or something that has just imported it, or
        something that it has added to.
        """
        going = {other for other, staged in stage.results.items() if staged.error is None and other not in held}
        if any(stage.results[other].step.grown for other in going.intersection(edges[name])):
            return True
        is_free = name in self.live and name not in held
        imports_it = any(name in edges[other] for other in going)
        return is_free and (imports_it or not going.isdisjoint(self._graph.dependencies(name)))

    def _failed(self, stage: Stage) -> list[str]:
        return [name for name, staged in stage.results.items() if staged.error is not None]

    @contextmanager
    def _staging(
        self, wanted: Plan, revisions: Mapping[str, plan.Revision], loaders: Mapping[str, Loader]
    ) -> Iterator[Stage]:
        outlines = {name: revisions[name].new if name in revisions else None for name in wanted.steps}
        for name, step in wanted.steps.items():
            if name not in revisions and step.run is not None:
                outlines[name] = self._texts.outline_of(name)
        stage = Stage(
            wanted,
            outlines=outlines,
            loaders=loaders,
            folder_of=self.folder_of,
            standins=self._standins,
            switch=self._switch,
            on_load=self._set_loading,
        )
        self._stage = stage
        try:
            yield stage
        finally:
            self._stage = None
            for staged in stage.results.values():
                if staged.module is not None:
                    self._succession.note_staged(vars(staged.module))
            stage.leave({name for name in stage.worn if self._retired(stage, name)})

    def _retired(self, stage: Stage, name: str) -> bool:
        staged = stage.results.get(name)
        return staged is not None and staged.value is not None and sys.modules.get(name) is staged.value

    def _set_loading(self, name: str | None) -> None:
        self.loading = None if name is None else Loading(name, time.monotonic(), threading.get_ident())
        if name is not None:
            self.on_loading()

    def _edges(self, stage: Stage) -> dict[str, frozenset[str]]:
        """Return what each staged module imports: as just recorded if it loaded, else what is known of it."""
        edges = {}
        for name, staged in stage.results.items():
            recorded = frozenset(staged.dependencies)
            if staged.error is None and staged.dependencies and staged.step.source is not None:
                recorded = self._with_submodules(staged.step.source, recorded)
            is_complete = staged.error is None and staged.code is not None
            edges[name] = recorded if is_complete else recorded | self._kept_edges(name, staged)
        return edges

    def _kept_edges(self, name: str, staged: Staged) -> frozenset[str]:
        """Return what a module was known to import and its text still shows, or never did."""
        known = self._graph.dependencies(name)
        before = self._texts.outline_of(name)
        if not known or staged.error is not None or before is None or staged.outline is None:
            return known
        return known - (before.shown - staged.outline.shown)

    def _record(self, stage: Stage, changes: Mapping[str, Change], held: Mapping[str, Collection[str]]) -> None:
        """Write down what failed, what is held back, and what no longer is."""
        for name, staged in stage.results.items():
            before = self.failures.get(name)
            since = before.since if before is not None else time.time()
            live = self._live(name)
            culprit = stage.culprit(name)
            by = tuple(sorted(held.get(name, ()))) if culprit == name else (culprit,)
            if staged.error is not None and culprit == name:
                self._fail(failures.describe(staged, since=since, live=live))
                self._cancelled.add(name) if isinstance(staged.error, Cancelled) else self._cancelled.discard(name)
            elif by and name in changes:
                tell = failures.gone if changes[name].source is None else failures.held
                self._fail(tell(name, changes[name].path, by, since=since, live=live))
            if staged.error is not None and name not in self.live:
                self._graph.replace(name, self._edges(stage)[name])

    def _fail(self, failure: Failure) -> None:
        before = self.failures.get(failure.name)
        self.failures[failure.name] = replace(failure, since=before.since) if before is not None else failure

    def _publish(
        self, stage: Stage, revisions: Mapping[str, plan.Revision], held: Collection[str], outcome: _Outcome
    ) -> RejectedError | None:
        """Commit what was staged and is not held back; return who said no to it, then nothing is committed."""
        going = [name for name, staged in stage.results.items() if staged.error is None and name not in held]
        if not going or self._is_shut:
            return None
        stage.adopt_replacements({name: self._live_module(stage, name) for name in stage.placed})
        edits = {name: revision.edit for name, revision in revisions.items()}
        heirs = {name: heir for name in going if (heir := self._heir(stage, name, edits.get(name))) is not None}
        try:
            succession, notes = self._succession.deeds(list(heirs.values()), self._importing, _guests(stage, going, heirs))
        except RejectedError as error:
            return error
        deeds = self._deeds(stage, going, heirs, succession)
        for name in stage.entered:
            self._entered.setdefault(name, next(self._turns))
        edges = self._edges(stage)  # before the commit: nothing after it may raise
        outcome.closers += self._closers(stage, going)
        commit(deeds)
        time.sleep(0)  # whoever waits for the GIL runs the new code before this thread does its book-keeping
        outcome.notes += notes
        for spent in (deeds, succession):
            spent.clear()
        for name in going:
            self._enter(stage, name, edges[name], heirs.get(name), outcome)
            self._behind.pop(name, None)
        for name in (stage.results.keys() & self.live.keys()).difference(going):
            if ahead := sorted(self._graph.dependencies(name).intersection(going)):
                self._behind[name] = f"{', '.join(ahead)} went live without it"
        heirs.clear()
        return None

    def _deeds(
        self, stage: Stage, going: Iterable[str], heirs: Mapping[str, Heir], succession: Iterable[Deed]
    ) -> list[Deed]:
        """Return all that a commit does."""
        replacements = {name: self._replacement(stage, name, heirs.get(name)) for name in going}
        deeds = [deed for replacement in replacements.values() for deed in self._module_deeds(replacement)]
        deeds += [deed for heir in heirs.values() for deed in _own_deeds(heir.module.live, heir.module.staged)]
        deeds += succession
        for name, replacement in replacements.items():
            deeds += _kept_deeds(stage.results[name], replacement.new_namespace)
        for participant in self.participants:
            deeds += participant.deeds(replacements)
        return deeds

    def _closers(self, stage: Stage, going: Iterable[str]) -> Iterator[tuple[str, Close]]:
        """Yield what closes the versions that go, each with its module."""
        for name in going:
            live = None if name in stage.placed else stage.worn.get(name)
            if live is not None and stage.results[name].step.run is None:
                close = closer(object.__getattribute__(live, "__dict__"))
                if close is not None:
                    yield name, close

    def _importing(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the namespaces of the modules that import one."""
        for importer in self._graph.importers(name, is_rebinding=True):
            module = sys.modules.get(importer)
            if isinstance(module, types.ModuleType):
                yield object.__getattribute__(module, "__dict__")

    def _heir(self, stage: Stage, name: str, edit: diff.Edit | None) -> Heir | None:
        """Return what is to become of a live module's namespace; None if the module goes, or is another object."""
        staged = stage.results[name]
        live = self._live_module(stage, name)
        if live is None or staged.module is None or staged.value is not staged.module or name in stage.covered:
            return None
        here, aside = object.__getattribute__(live, "__dict__"), vars(staged.module)
        names: list[str] = []
        gone: list[str] = []
        if staged.step.run is None:
            names = [key for key in aside if key not in OWN_NAMES]
            known = self.live[name].names if name in self.live else frozenset(here) - OWN_NAMES
            gone = [key for key in known if key in here and key not in aside and not _is_submodule(name, key, here[key])]
        elif not stage.is_still:
            names = [key for key, value in aside.items() if _is_other(key, value, staged.carried)]
            bound = {b for i in staged.step.run if staged.outline for b in staged.outline.statements[i].facts.binds}
            may_go = {*bound, *staged.step.gone, *staged.carried, *staged.starred, "__annotations__"}
            gone = [key for key in may_go if key in here and key not in aside and not _is_submodule(name, key, here[key])]
        before = self._texts.outline_of(name)
        module = Module(name, here, aside, names, gone, _imported(before, here), staged.step.remade)
        module.grown, module.shadows = staged.grown, staged.shadows
        pairs = self._code_pairs(stage, name, edit)
        pieces = [s.code for s in staged.outline.statements if s.code is not None] if staged.outline is not None else []
        parents = [*pieces, *([staged.code] if staged.code is not None else []), *(new for _, new in pairs)]
        return Heir(module, pairs, heads_in(parents), staged.step.stale)

    def _code_pairs(self, stage: Stage, name: str, edit: diff.Edit | None) -> list[tuple[types.CodeType, types.CodeType]]:
        """Return old and new code object of each function of a module."""
        staged, before = stage.results[name], self._texts.outline_of(name)
        if before is None or staged.outline is None:
            found = diff.successors(self._texts.codes(name), codes_of(staged.outline, staged.code))
            return [(old, new) for old, new in found if old is not new]
        return list(diff.pairs(before, staged.outline, edit or diff.edit(before, staged.outline)))

    def _live_module(self, stage: Stage, name: str) -> types.ModuleType | None:
        """Return the module object that a staged module is a newer version of, even if its file was gone meanwhile."""
        if name not in stage.placed:
            return stage.worn.get(name)
        dropped = self._dropped.get(name)
        return None if dropped is None else dropped.module

    def _enter(self, stage: Stage, name: str, dependencies: frozenset[str], heir: Heir | None, outcome: _Outcome) -> None:
        staged = stage.results[name]
        step = staged.step
        outcome.ways[name], outcome.reasons[name] = step.way, step.reason
        version = self.live.pop(name, None)  # the newest come last, so that those who show them need not look at all
        if step.source is None or staged.module is None:
            self._remember(stage.worn.get(name))
            self._standins.pop(name, None)
            self._entered.pop(name, None)
            self._graph.remove(name)
            self._texts.forget(name)
            self.failures.pop(name, None)
            return
        names = frozenset(vars(staged.module)) - OWN_NAMES
        if heir is not None and step.run is not None and version is not None:
            names = version.names.difference(heir.module.gone).union(heir.module.names)
        self.live[name] = Version(step.source, self.generation + 1, dependencies, names)
        loader = staged.module.__spec__.loader if staged.module.__spec__ is not None else None
        if staged.value is not staged.module:  # what stands in its place is none of our making
            self._texts.arrive(step.source, None)
        elif isinstance(loader, Loader):
            self._texts.replace(loader, staged.outline, staged.code)
        self._graph.replace(name, dependencies, is_inert=self._texts.is_inert(name))
        folder = self.folder_of(name)
        if name in self.failures and folder is not None and _is_newest_text(folder, name, step.source):
            del self.failures[name]

    def _remember(self, module: types.ModuleType | None) -> None:
        """Keep a dropped module in sight for as long as anybody holds something of it: its file may come back."""
        spec = getattr(module, "__spec__", None)
        if module is not None and isinstance(spec, WatchedSpec):
            spec.module = module
            self._dropped[spec.name] = spec

    def _replacement(self, stage: Stage, name: str, heir: Heir | None) -> Replacement:
        staged = stage.results[name]
        if heir is not None:
            live = self._live_module(stage, name)
            before = dict(heir.module.live)
            leaving = OWN_NAMES.union(heir.module.gone)
            names = {key: value for key, value in before.items() if key not in leaving}
            after = (
                names | {key: heir.module.staged[key] for key in OWN_NAMES & heir.module.staged.keys()} | heir.module.final
            )
            return Replacement(name, live, before, live, after)
        old = stage.worn.get(name)
        namespace = {} if old is None else object.__getattribute__(old, "__dict__")
        new_namespace = {} if staged.module is None else vars(staged.module)
        return Replacement(name, old, namespace, staged.value, new_namespace, stage.covered.get(name))

    def _module_deeds(self, replacement: Replacement) -> Iterator[Deed]:
        name, new = replacement.name, replacement.new
        package, _, attribute = name.rpartition(".")
        parent = sys.modules.get(package)
        namespace = object.__getattribute__(parent, "__dict__") if isinstance(parent, types.ModuleType) else {}
        held = namespace.get(attribute)
        is_module = isinstance(held, types.ModuleType | None) or held is replacement.covered
        if replacement.is_drop:
            yield delete_item(sys.modules, name)
            if is_module:
                yield delete_item(namespace, attribute)
            return
        yield set_item(sys.modules, name, new)
        if replacement.old is not None and replacement.old is not new:
            yield from self._standins[name].answer_from_deeds(new)
        if is_module:
            yield set_item(namespace, attribute, new)


def _closed(name: str, close: Close) -> str:
    """Close a version that is live no more; return what there is to tell about it."""
    try:
        close()
    except BaseException as error:  # noqa: BLE001 - a file may raise anything, and what is live is live
        return f"{name}: {CLOSE}() of the version before raised {type(error).__name__}: {error}"
    return ""


def _kept_deeds(staged: Staged, namespace: Mapping[str, Any]) -> Iterator[Deed]:
    """Yield what keeps the values that ``once`` computed for a module."""
    name, collected = staged.step.name, staged.collected
    if staged.step.source is None:
        yield once.deeds(name, ())
    elif collected is not None and (collected.used or once.has_entries(name)):
        outline = staged.outline
        names = None if outline is None or collected.is_whole else outline.read_names
        yield once.deeds(name, collected.entries(names, namespace))


def _holds(module: str, name: str, codes: Collection[types.CodeType]) -> bool:
    """Tell whether a name of a live module stands for a function made of one of some code objects, or holds one."""
    value = getattr(sys.modules.get(module), name, None)
    ids = {*map(id, codes)}
    return any(id(getattr(found, "__code__", None)) in ids for found in swap.values_in({name: value}, module))


def _guests(stage: Stage, going: Iterable[str], heirs: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the namespaces of the modules that go live as they were staged."""
    modules = {name: stage.results[name].module for name in going if name not in heirs}
    return {name: vars(module) for name, module in modules.items() if module is not None}


def _own_deeds(live: dict[str, Any], staged: Mapping[str, Any]) -> Iterator[Deed]:
    """Yield what lets a module's namespace say which file and version it is of."""
    for key in OWN_NAMES - {"__builtins__", "__name__"}:
        if key in staged:
            if live.get(key, OWN_NAMES) != staged[key]:
                yield set_item(live, key, staged[key])
        elif key in live:
            yield delete_item(live, key)


def _grows(module: str, name: str) -> bool:
    """Tell whether what a name stands for may be added to as it is: a container, an application, a registry."""
    value = getattr(sys.modules.get(module), name, None)
    return not isinstance(value, types.ModuleType | types.FunctionType | type | None)


def _imported(outline: Outline | None, namespace: Mapping[str, Any]) -> set[str]:
    """Return the names of a namespace that its text took from elsewhere."""
    if outline is None:
        return set()
    return {*outline.imported, *(namespace.keys() - outline.names if outline.stars else ())}


def _is_other(key: str, value: object, carried: Mapping[str, object]) -> bool:
    return key not in OWN_NAMES and (key not in carried or carried[key] is not value)


def _is_submodule(name: str, key: str, value: object) -> bool:
    return isinstance(value, types.ModuleType) and sys.modules.get(f"{name}.{key}") is value


def _is_same(source: Source, live: Source) -> bool:
    return source.digest == live.digest and source.path == live.path


def _is_newest_text(folder: Folder, name: str, source: Source) -> bool:
    now = _read(folder, name)
    return now is None or now.digest == source.digest


def _forget_elsewhere(folder: Folder) -> None:
    """Take modules of a folder of the same name, which is no longer watched, out of ``sys.modules``."""
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None) if folder.package and folder.parts_of(name) is not None else None
        if isinstance(spec, WatchedSpec):
            places = [spec.origin] if spec.origin else spec.submodule_search_locations or []
            if not any(place == folder.root or place.startswith(folder.root + os.sep) for place in places):
                del sys.modules[name]


def _static_imports(source: Source) -> Iterator[str]:
    """Yield what a text may import, for a module whose load nobody watched."""
    code = compile(source.data, source.path or source.name, "exec", dont_inherit=True)
    for base, names in imports(code, source.name if source.is_package else source.parent):
        parts = base.split(".")
        yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        yield from (f"{base}.{name}" for name in names)


def _read(folder: Folder, name: str) -> Source | None:
    try:
        return folder.read(name)
    except OSError:  # unreadable for now: whoever needs its text meets the error there
        return None
