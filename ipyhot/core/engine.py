"""The transaction: prepare, commit or abort; generations, failures, and the only lock.

Any thread may ask for one; one runs at a time, in the thread that asked (the building thread). Imports outside of a
transaction never wait for the lock: they leave a note in ``_arrivals``, which is taken up under it.
"""

import collections
import os
import sys
import threading
import time
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from ipyhot.core import edges, once, plan, publication, survey, swap, verdict
from ipyhot.core.arrivals import Arrivals
from ipyhot.core.commit import commit
from ipyhot.core.containers import FILLED
from ipyhot.core.errors import BusyError
from ipyhot.core.folders import Folders
from ipyhot.core.garbage import seldom_sought
from ipyhot.core.handover import Close, closed
from ipyhot.core.heap import is_a
from ipyhot.core.heirs import bound, heir_of
from ipyhot.core.identities import Identities
from ipyhot.core.imports import Finder, ImportSwitch, Loader, WatchedSpec
from ipyhot.core.ledger import Ledger
from ipyhot.core.libraries import asked_by_bases
from ipyhot.core.loading import Loading, Progress
from ipyhot.core.model import Change, Failure, Plan, Report, Version, Way
from ipyhot.core.replacement import Participant
from ipyhot.core.revisions import Revisions
from ipyhot.core.sources import Folder
from ipyhot.core.stage import Stage
from ipyhot.core.succession import Heir, RejectedError, Succession
from ipyhot.core.verdict import Verdict

__all__ = ["HISTORY", "Engine"]

HISTORY: Final = 200


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
        self.history: collections.deque[Report] = collections.deque(maxlen=HISTORY)
        self.number = 0
        self.told = threading.Condition()
        self.on_stale: Callable[[], None] = lambda: None
        self.on_loading: Callable[[], None] = lambda: None
        self.patches = True  # take edits statement by statement, where that gives what executing the file would
        self._folders = Folders()
        self._ledger = Ledger()
        self.live = self._ledger.live
        self.failures: Mapping[str, Failure] = {}  # another mapping after each transaction: nobody sees half of one
        self._arrivals = Arrivals(self._folders, self._ledger)
        self._revisions = Revisions(self._folders, self._ledger)
        self._identities = Identities()
        self._succession = Succession()
        self.holders = self._succession.holders
        self._progress = Progress()
        self._switch = ImportSwitch()
        self._stage: Stage | None = None
        self._is_shut = False
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._finder = Finder(self)

    # -- folders

    @property
    def folders(self) -> tuple[Folder, ...]:
        """The watched folders."""
        return self._folders.watched

    @property
    def loading(self) -> Loading | None:
        """The file that is being loaded just now, if one is."""
        return self._progress.loading

    def add_folder(self, folder: Folder) -> list[str]:
        """Let imports find the folder's modules; those that are imported already become hot as they are.

        Returns:
            The modules that are hot no more: the folder took their files before, and leaves them out now.

        Raises:
            FolderError: a watched folder gives the same module names.
        """
        self._folders.refuse_clash(folder)
        with self._exclusively():
            self._folders.add(folder)
            if self._finder not in sys.meta_path:
                sys.meta_path.insert(0, self._finder)
            once.is_watched = self._folders.holds
            left_out = [name for name in self.live if self._folders.of(name) is folder and self._is_left_out(folder, name)]
            for name in left_out:
                self._ledger.forget(name)
            self._arrivals.adopt(folder, self.generation)
        return left_out

    def _is_left_out(self, folder: Folder, name: str) -> bool:
        path = self.live[name].source.path
        return path is not None and os.path.exists(path) and folder.locate(name) is None

    def remove_folder(self, folder: Folder) -> None:
        """Follow the folder no more. Its modules stay importable objects, as plain Python made them."""
        with self._exclusively():
            self._folders.remove(folder)
            for name in {*self.live, *self._ledger.failures}:
                if not self._folders.holds(name):
                    self._ledger.forget(name)
            if not self.folders:
                self._leave_imports()

    def shut(self) -> None:
        """Let nothing go live any more, at once, whatever a file that is being loaded does."""
        self._is_shut = True
        self._folders.clear()
        self._leave_imports()

    def _leave_imports(self) -> None:
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)

    def folder_of(self, name: str) -> Folder | None:
        """Return the watched folder that a module name belongs to."""
        return self._folders.of(name)

    # -- what the finder asks

    def admit(self, name: str) -> types.ModuleType | None:
        """See ``Importing.admit``."""
        return self._stage.admit(name) if self._stage is not None and self._owner == threading.get_ident() else None

    def loaded(self, spec: WatchedSpec, module: types.ModuleType | None, dependencies: frozenset[str]) -> None:
        """See ``Importing.loaded``."""
        if module is None:
            return
        found = edges.completed(spec.source, dependencies, self._folders, self._ledger)
        self._arrivals.note(spec.source, spec.loader, found, self.generation)
        self._take_arrivals_if_free()

    def _take_arrivals_if_free(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._take_arrivals()
            finally:
                self._lock.release()

    def _take_arrivals(self) -> None:
        for arrived in self._arrivals.take(self.generation):
            commit([deed for participant in self.participants for deed in participant.deeds({arrived.name: arrived})])
        if self._arrivals.stale:
            self.on_stale()

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
        with self._exclusively(), seldom_sought():
            self._take_arrivals()
            stale = self._arrivals.take_stale()
            try:
                report = self._transaction({*names, *stale}, {*names} if force else stale, began, texts or {})
            finally:
                self._revisions.clear()
        if report is not None:
            self._tell(report)
        return report

    def prepare(self, name: str, path: str, data: bytes) -> None:
        """Do ahead the pure part of an update that is to come: compile a text and compare it with the live one.

        Nothing of it can be seen, and nobody is waited for: while something else is under way it is left undone.

        Args:
            name: the module.
            path: its file.
            data: what that was just found to hold.
        """
        if self._lock.acquire(blocking=False):
            self._owner = threading.get_ident()
            try:
                self._revisions.prepare(name, path, data)
            finally:
                self.failures = dict(self._ledger.failures)
                self._owner = None
                self._lock.release()
            if self._arrivals.are_waiting:  # they came meanwhile, and found the lock taken
                self._take_arrivals_if_free()

    def cancel(self) -> str | None:
        """Raise ``Cancelled`` in the file that is being loaded; return its name, or None if there is none."""
        return self._progress.cancel()

    def after_fork(self) -> None:
        """Make the engine of a forked child usable: no thread of the parent is here to release its locks."""
        self._lock = threading.Lock()
        self._owner = None
        self.told = threading.Condition()
        self._progress.after_fork()

    def _tell(self, report: Report) -> None:
        with self.told:
            self.history.append(report)
            self.number = report.number
            self.told.notify_all()
        for listener in self.listeners:
            listener(report)

    def check_outside(self) -> None:
        """Refuse what a file that is being loaded must not do: change what is watched or live.

        Raises:
            BusyError: this thread is loading one.
        """
        if self._owner == threading.get_ident():
            raise BusyError("a file that is being loaded cannot reload or stop anything; do it from a cell or a callback.")

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        self.check_outside()
        with self._lock:
            self._owner = threading.get_ident()
            try:
                yield
            finally:
                self.failures = dict(self._ledger.failures)
                self._owner = None

    def _transaction(
        self, names: Collection[str], forced: Collection[str], began: float, texts: Mapping[str, bytes]
    ) -> Report | None:
        known = dict(self._ledger.failures)
        changes = survey.changes(names, forced, self._folders, self._ledger, texts)
        asked = tuple(sorted(name for name in changes if name in names))
        outcome = _Outcome()
        # Without a change nothing is tried again; a culprit that is as it was before is one, too.
        is_moved = bool(asked) or self._ledger.failures != known
        built = self._run(changes, outcome) if changes and is_moved else began
        outcome.notes += self._succession.settle()  # here, where nothing holds the old version any more
        outcome.notes += [note for name, close in outcome.closers if (note := closed(name, close))]
        if not outcome.ways and self._ledger.failures == known:
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
            failures={name: failure for name, failure in self._ledger.failures.items() if known.get(name) != failure},
            healed=tuple(sorted(known.keys() - self._ledger.failures.keys())),
            notes=tuple(outcome.notes),
            built_ms=(built - began) * 1000,
            live_ms=(live_at - began) * 1000,
        )

    def _run(self, changes: Mapping[str, Change], outcome: _Outcome) -> float:
        """Stage some changes and commit what may go live; return when it was built.

        What turns out broken leaves the changes, and the rest is planned anew without it. A module that was failing
        before then takes part with the text that is live, if what it imports is about to change.
        """
        failing = {name for name, failure in self._ledger.failures.items() if name in changes and not failure.is_held}
        loaders, revisions = self._revisions.of(changes)
        while True:
            wanted = self._plan(changes, revisions, failing.intersection(changes))
            rejected = None
            with self._staging(wanted, revisions, loaders) as stage:
                broken = stage.compile()
                if not broken:
                    with stage:
                        stage.run()
                    self._progress.end()
                built = time.monotonic()
                judged = self._judge(stage, wanted, changes)
                if not broken and not judged.fallen:
                    rejected = self._publish(stage, revisions, judged.held, outcome)
                    if rejected is None:
                        return built
                    stage.reject(rejected.module, rejected.error)
                    judged = self._judge(stage, wanted, changes)
            out = {*judged.held, *broken, *judged.fallen, *([rejected.module] if rejected is not None else [])}
            if out.isdisjoint(changes):  # a dependent that has no veto said no: nothing more can be tried
                return built
            changes = {name: change for name, change in changes.items() if name not in out}
            loaders = {name: loader for name, loader in loaders.items() if name in changes}
            revisions = {name: revision for name, revision in revisions.items() if name in changes}

    def _judge(self, stage: Stage, wanted: Plan, changes: Mapping[str, Change]) -> Verdict:
        """Write down what failed; return what that means for the rest."""
        if all(staged.error is None for staged in stage.results.values()):
            return Verdict()
        found = edges.of_stage(stage, self._folders, self._ledger)
        judged = verdict.judge(
            stage,
            wanted,
            changes.keys(),
            edges=found,
            live=self.live.keys(),
            live_edges=self._ledger.graph.dependencies,
        )
        self._ledger.record(stage, changes, judged.held, found)
        return judged

    def _plan(self, changes: Mapping[str, Change], revisions: Mapping[str, plan.Revision], failing: Collection[str]) -> Plan:
        return plan.make(
            changes,
            revisions,
            self._ledger.graph,
            self.live,
            failing,
            self._ledger.entered,
            outline_of=self._ledger.texts.outline_of,
            is_watched=self._folders.holds,
            grows=_grows,
            is_container=lambda module, name: type(_value(module, name)) in FILLED,
            holds=_holds,
            asked_by_bases=lambda module, name, asked: asked_by_bases(_value(module, name), asked, self._folders.holds),
            patches=self.patches,
        )

    @contextmanager
    def _staging(
        self, wanted: Plan, revisions: Mapping[str, plan.Revision], loaders: Mapping[str, Loader]
    ) -> Iterator[Stage]:
        outlines = {name: revisions[name].new if name in revisions else None for name in wanted.steps}
        for name, step in wanted.steps.items():
            if name not in revisions and step.run is not None:
                outlines[name] = self._ledger.texts.outline_of(name)
        stage = Stage(
            wanted,
            outlines=outlines,
            loaders=loaders,
            folder_of=self.folder_of,
            standins=self._identities.standins,
            switch=self._switch,
            on_load=self._move_to,
        )
        self._stage = stage
        try:
            yield stage
        finally:
            self._stage = None
            for staged in stage.results.values():
                if staged.module is not None:
                    self._succession.note_staged(vars(staged.module))
            stage.leave({name for name in stage.worn if _is_retired(stage, name)})

    def _move_to(self, name: str | None) -> None:
        self._progress.move_to(name)
        if name is not None:
            self.on_loading()

    def _publish(
        self, stage: Stage, revisions: Mapping[str, plan.Revision], held: Collection[str], outcome: _Outcome
    ) -> RejectedError | None:
        """Commit what was staged and is not held back; return who said no to it, then nothing is committed."""
        going = [name for name, staged in stage.results.items() if staged.error is None and name not in held]
        if not going or self._is_shut:
            return None
        stage.adopt_replacements({name: self._identities.of(stage, name) for name in stage.placed})
        edits = {name: revision.edit for name, revision in revisions.items()}
        heirs = {
            name: heir_of(stage, name, self._identities.of(stage, name), self._ledger, edits.get(name)) for name in going
        }
        staying = [heir for heir in heirs.values() if heir is not None]
        try:
            guests = publication.guests(stage, [name for name in going if heirs[name] is None])
            succession, notes = self._succession.deeds(staying, self._importing, guests)
        except RejectedError as error:
            return error
        deeds = publication.deeds(stage, heirs, succession, self._identities, self.participants)
        for name in stage.entered:
            self._ledger.entered.setdefault(name, next(self._ledger.turns))
        imported = edges.of_stage(stage, self._folders, self._ledger)  # before the commit: nothing after it may raise
        outcome.closers += publication.closers(stage, going)
        for staged in stage.results.values():
            staged.spared.clear()  # what was added to live classes stays
        commit(deeds)
        time.sleep(0)  # whoever waits for the GIL runs the new code before this thread does its book-keeping
        outcome.notes += notes
        for spent in (deeds, succession):
            spent.clear()
        for name in going:
            self._enter(stage, name, imported[name], heirs[name], outcome)
        for name in (stage.results.keys() & self.live.keys()).difference(going):
            self._ledger.leave_behind(name, going)
        return None

    def _importing(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the namespaces of the modules that import one."""
        for importer in self._ledger.graph.importers(name, is_rebinding=True):
            module = sys.modules.get(importer)
            if isinstance(module, types.ModuleType):
                yield object.__getattribute__(module, "__dict__")

    def _enter(self, stage: Stage, name: str, dependencies: frozenset[str], heir: Heir | None, outcome: _Outcome) -> None:
        staged = stage.results[name]
        step = staged.step
        outcome.ways[name], outcome.reasons[name] = step.way, step.reason
        if step.source is None or staged.module is None:
            self._identities.drop(name, stage.worn.get(name))
            self._ledger.drop(name)
            return
        version = Version(step.source, self.generation + 1, dependencies, bound(staged, heir, self._ledger))
        self._ledger.enter(staged, version)
        if name in self._ledger.failures and self._folders.is_newest(step.source) and not self._ledger.behind(name):
            del self._ledger.failures[name]


def _is_retired(stage: Stage, name: str) -> bool:
    """Tell whether what was staged stands in a module's place now."""
    staged = stage.results.get(name)
    return staged is not None and staged.value is not None and sys.modules.get(name) is staged.value


def _holds(module: str, name: str, codes: Collection[types.CodeType]) -> bool:
    """Tell whether a name of a live module stands for a function made of one of some code objects, or holds one."""
    ids = {*map(id, codes)}
    found = swap.values_in({name: _value(module, name)}, module)
    return any(id(value.__code__) in ids for value in found if is_a(value, types.FunctionType))


def _grows(module: str, name: str) -> bool:
    """Tell whether what a name stands for may be added to as it is: a container, an application, a class."""
    return not is_a(_value(module, name), types.ModuleType | types.FunctionType | None)


def _value(module: str, name: str) -> Any:
    """Return what a name of a live module stands for, without running any code of it."""
    found = sys.modules.get(module)
    return object.__getattribute__(found, "__dict__").get(name) if isinstance(found, types.ModuleType) else None
