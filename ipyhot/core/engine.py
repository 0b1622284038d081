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

from ipyhot.core import diff, failures, plan
from ipyhot.core.commit import Deed, commit, delete_item, set_item
from ipyhot.core.errors import BusyError, Cancelled, FolderError
from ipyhot.core.graph import Graph
from ipyhot.core.imports import Finder, ImportSwitch, Standin, WatchedSpec
from ipyhot.core.model import Change, Failure, Plan, Report, Source, Version, Way
from ipyhot.core.sources import Folder
from ipyhot.core.stage import Stage
from ipyhot.core.succession import Heirs

__all__ = ["Engine", "Loading", "Participant", "Replacement"]

HISTORY: Final = 200


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a commit is about to do with one module; alive only while the commit is being prepared."""

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
    dependencies: frozenset[str]
    generation: int
    turn: int


@dataclass(slots=True)
class _Outcome:
    """What a transaction came to, before it is told."""

    ways: dict[str, Way] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    before: dict[str, Version] = field(default_factory=dict)


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
        self._graph = Graph()
        self._heirs = Heirs()
        self.holders = self._heirs.holders
        self._standins: collections.defaultdict[str, Standin] = collections.defaultdict(Standin)
        self._switch = ImportSwitch()
        self._arrivals: collections.deque[_Arrival] = collections.deque()
        self._stale: set[str] = set()
        self._cancelled: set[str] = set()
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
        fitting = [folder for folder in self._folders if folder.parts_of(name) is not None]
        return max(fitting, key=lambda folder: len(folder.package), default=None)

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
        self._arrivals.append(_Arrival(source, imported, self.generation, next(self._turns)))

    # -- what the finder asks

    def admit(self, name: str) -> types.ModuleType | None:
        """See ``Importing.admit``."""
        return self._stage.admit(name) if self._stage is not None and self._owner == threading.get_ident() else None

    def loaded(self, spec: WatchedSpec, module: types.ModuleType | None, dependencies: frozenset[str]) -> None:
        """See ``Importing.loaded``."""
        if module is None:
            return
        found = self._with_submodules(spec.source, dependencies)
        self._arrivals.append(_Arrival(spec.source, found, self.generation, next(self._turns)))
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
            module = sys.modules.get(source.name)
            if folder is None or module is None or source.name in self.live:
                continue
            self.live[source.name] = Version(source, self.generation, arrival.dependencies)
            self._entered.setdefault(source.name, arrival.turn)
            self._graph.replace(source.name, arrival.dependencies)
            self.failures.pop(source.name, None)
            namespace = getattr(module, "__dict__", {})
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
        submodules = {f"{base}.{name}" for base, names in diff.imports(code, package) if base in touched for name in names}
        return touched | {name for name in submodules if name in self.live or name in self.failures}

    def _is_package(self, name: str) -> bool:
        folder = self.folder_of(name)
        found = folder.locate(name) if folder is not None else None
        return found is not None and found[1]

    # -- transactions

    def update(self, names: Iterable[str] = (), *, force: bool = False, seen: float | None = None) -> Report | None:
        """Bring some modules, and all that depends on them, up to what the disk holds now.

        Args:
            names: modules whose file may have changed; those that are being held back are looked at as well.
            force: run them although nothing changed.
            seen: when the change was noticed, in monotonic seconds; now by default.

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
            report = self._transaction({*names, *stale}, {*names} if force else stale, began)
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

    def _transaction(self, names: Collection[str], forced: Collection[str], began: float) -> Report | None:
        known = dict(self.failures)
        changes = self._changes(names, forced)
        asked = tuple(sorted(name for name in changes if name in names))
        outcome = _Outcome()
        # Without a change nothing is tried again; a culprit that is as it was before is one, too.
        is_moved = bool(asked) or self.failures != known
        built = self._run(changes, outcome) if changes and is_moved else began
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
            reasons=self._reasons(outcome),
            failures={name: failure for name, failure in self.failures.items() if known.get(name) != failure},
            healed=tuple(sorted(known.keys() - self.failures.keys())),
            notes=tuple(outcome.notes),
            built_ms=(built - began) * 1000,
            live_ms=(live_at - began) * 1000,
        )

    def _changes(self, names: Collection[str], forced: Collection[str]) -> dict[str, Change]:
        """Return what differs from what is live, among some names and all that is held back."""
        retried = {name for name in self.failures if name not in self._cancelled}
        changes: dict[str, Change] = {}
        for name in {*names, *retried}:
            folder = self.folder_of(name)
            if folder is None or not self._is_followed(folder, name):
                continue
            try:
                source = folder.read(name)
            except OSError as error:
                self._fail(failures.unreadable(name, folder.place_of(name), error, since=time.time(), live=self._live(name)))
                continue
            version = self.live.get(name)
            is_same = source is None if version is None else source is not None and _is_same(source, version.source)
            if not is_same or (name in forced and source is not None):
                path = source.path if source is not None else None
                changes[name] = Change(name, path or folder.place_of(name), source)
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
        while True:
            wanted = plan.make(changes, self._graph, self.live, failing, self._entered)
            with self._staging(wanted) as stage:
                broken = stage.compile()
                if not broken:
                    with stage:
                        stage.run()
                    self._swallow_late_cancel()
                built = time.monotonic()
                failed = self._failed(stage)
                held = plan.held_back(wanted, failed, self._edges(stage))
                self._record(stage, changes, held)
                fallen = {name for name in failed if name in changes and self._moved(stage, name, held)}
                if not broken and not fallen:
                    self._publish(stage, held, outcome)
                    return built
            out = {*held, *broken, *fallen}
            changes = {name: change for name, change in changes.items() if name not in out}

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

    def _moved(self, stage: Stage, name: str, held: Collection[str]) -> bool:
        """Tell whether a module without a veto failed, while something that its live version imports goes live."""
        going = {other for other, staged in stage.results.items() if staged.error is None and other not in held}
        return name in self.live and name not in held and not going.isdisjoint(self._graph.dependencies(name))

    def _failed(self, stage: Stage) -> list[str]:
        return [name for name, staged in stage.results.items() if staged.error is not None]

    @contextmanager
    def _staging(self, wanted: Plan) -> Iterator[Stage]:
        stage = Stage(
            wanted, folder_of=self.folder_of, standins=self._standins, switch=self._switch, on_load=self._set_loading
        )
        self._stage = stage
        try:
            yield stage
        finally:
            self._stage = None
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
            edges[name] = recorded if staged.error is None and staged.code else recorded | self._graph.dependencies(name)
        return edges

    def _record(self, stage: Stage, changes: Mapping[str, Change], held: Mapping[str, Collection[str]]) -> None:
        """Write down what failed, what is held back, and what no longer is."""
        origin: dict[int, str] = {}
        for name in stage.fallen:
            origin.setdefault(id(stage.results[name].error), name)
        for name, staged in stage.results.items():
            before = self.failures.get(name)
            since = before.since if before is not None else time.time()
            live = self._live(name)
            culprit = origin.get(id(staged.error), name)
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

    def _publish(self, stage: Stage, held: Collection[str], outcome: _Outcome) -> None:
        """Commit what was staged and is not held back."""
        going = [name for name, staged in stage.results.items() if staged.error is None and name not in held]
        if not going or self._is_shut:
            return
        stage.adopt_replacements()
        replacements = {name: self._replacement(stage, name) for name in going}
        deeds = [deed for replacement in replacements.values() for deed in self._module_deeds(replacement)]
        heirs, notes = self._heirs.deeds(
            {name: (r.old_namespace, r.new_namespace) for name, r in replacements.items() if not r.is_drop}
        )
        deeds += heirs
        for participant in self.participants:
            deeds += participant.deeds(replacements)
        for name in stage.entered:
            self._entered.setdefault(name, next(self._turns))
        edges = self._edges(stage)  # before the commit: nothing after it may raise
        commit(deeds)
        time.sleep(0)  # whoever waits for the GIL runs the new code before this thread does its book-keeping
        outcome.notes += notes
        self._heirs.retire([r.old_namespace for r in replacements.values()])
        for name in going:
            self._enter(stage, name, edges[name], outcome)

    def _enter(self, stage: Stage, name: str, dependencies: frozenset[str], outcome: _Outcome) -> None:
        step = stage.results[name].step
        outcome.ways[name], outcome.reasons[name] = step.way, step.reason
        version = self.live.get(name)
        if version is not None:
            outcome.before[name] = version
        if step.source is None:
            self._remember(stage.worn.get(name))
            self.live.pop(name, None)
            self._entered.pop(name, None)
            self._graph.remove(name)
            self.failures.pop(name, None)
            return
        self.live.pop(name, None)  # the newest come last, so that those who show them need not look at all
        self.live[name] = Version(step.source, self.generation + 1, dependencies)
        self._graph.replace(name, dependencies)
        folder = self.folder_of(name)
        if name in self.failures and folder is not None and _is_newest_text(folder, name, step.source):
            del self.failures[name]

    def _remember(self, module: types.ModuleType | None) -> None:
        """Keep a dropped module in sight for as long as anybody holds something of it: its file may come back."""
        spec = getattr(module, "__spec__", None)
        if module is not None and isinstance(spec, WatchedSpec):
            spec.module, spec.standin = module, self._standins.pop(spec.name)
            self._dropped[spec.name] = spec

    def _replacement(self, stage: Stage, name: str) -> Replacement:
        staged = stage.results[name]
        old = stage.worn.get(name)
        if name in stage.placed and (dropped := self._dropped.pop(name, None)) is not None:
            old = dropped.module
            self._standins[name] = dropped.standin
            self._standins[name].put_on(old)
        namespace = {} if old is None else object.__getattribute__(old, "__dict__")
        new_namespace = {} if staged.module is None else vars(staged.module)
        if staged.module is not None and staged.step.source is not None and staged.step.source.is_package:
            for key, value in namespace.items():
                if isinstance(value, types.ModuleType) and sys.modules.get(f"{name}.{key}") is value:
                    new_namespace.setdefault(key, value)
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
        if replacement.old is not None:
            yield from self._standins[name].answer_from_deeds(new)
        if is_module:
            yield set_item(namespace, attribute, new)

    def _reasons(self, outcome: _Outcome) -> dict[str, str]:
        reasons = dict(outcome.reasons)
        for name, before in outcome.before.items():
            version = self.live.get(name)
            if version is not None and before.source.digest != version.source.digest:
                reasons[name] = diff.edit(before.source, version.source).reason
        return reasons


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
    for base, names in diff.imports(code, source.name if source.is_package else source.parent):
        parts = base.split(".")
        yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        yield from (f"{base}.{name}" for name in names)


def _read(folder: Folder, name: str) -> Source | None:
    try:
        return folder.read(name)
    except OSError:  # unreadable for now: whoever needs its text meets the error there
        return None
