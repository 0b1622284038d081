"""What is known of each watched module: which version is live, what it imports, what is wrong with its newest text.

Records, outlines and edges; no module object. Written under the engine's lock; ``live`` and ``failures`` are read by any
thread, in one call.
"""

import itertools
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ipyhot.core import failures
from ipyhot.core.errors import Cancelled
from ipyhot.core.graph import Graph
from ipyhot.core.imports import Loader
from ipyhot.core.model import Change, Failure, Version, Way
from ipyhot.core.stage import Stage
from ipyhot.core.staged import Staged
from ipyhot.core.texts import Texts

__all__ = ["Ledger"]


class Ledger:
    """The books of one engine, over all its generations."""

    def __init__(self) -> None:
        self.live: dict[str, Version] = {}
        self.failures: dict[str, Failure] = {}
        self.graph = Graph()
        self.texts = Texts()
        self.turns = itertools.count()  # for ``entered``
        self.entered: dict[str, int] = {}  # when each load first began: how a cycle is entered decides whether it loads
        self.left: dict[str, Version] = {}  # what was live when its folder was followed no more
        self._behind: dict[str, str] = {}  # live modules whose imports went live without them → what to say of it
        self._cancelled: set[str] = set()

    # -- what is live

    def generation_of(self, name: str) -> int | None:
        """Return the generation in which a module's version went live; None if none is live."""
        return self.live[name].generation if name in self.live else None

    def is_known(self, name: str) -> bool:
        """Tell whether a module is live, or should be."""
        return name in self.live or name in self.failures

    def arrive(self, version: Version, loader: object, turn: int) -> None:
        """Enter a module that was loaded outside of a transaction; without a loader of ours it has no text to edit."""
        source = version.source
        self.live[source.name] = version
        self.texts.arrive(source, loader)
        self.entered.setdefault(source.name, turn)
        self._link(version)
        self.failures.pop(source.name, None)

    def enter(self, staged: Staged, version: Version) -> None:
        """Enter what went live of a transaction."""
        name = version.source.name
        self.live.pop(name, None)  # the newest come last, so that those who show them need not look at all
        self.live[name] = version
        spec = staged.module.__spec__ if staged.module is not None else None
        loader = spec.loader if spec is not None else None
        if staged.value is not staged.module:  # what stands in its place is none of our making
            self.texts.arrive(version.source, None)
        elif isinstance(loader, Loader):
            self.texts.replace(loader, staged.outline, staged.code)
        self._link(version)
        if staged.step.way is not Way.PATCH:  # what some statements do is not yet what the whole text would
            self._behind.pop(name, None)

    def drop(self, name: str) -> None:
        """Strike out a module whose file is gone."""
        self.forget(name)
        self.left.pop(name, None)
        self.entered.pop(name, None)
        self._behind.pop(name, None)

    def forget(self, name: str) -> None:
        """Strike out a module that is followed no more."""
        if name in self.live:
            self.left[name] = self.live.pop(name)
        self.failures.pop(name, None)
        self.graph.remove(name)
        self.texts.forget(name)

    def _link(self, version: Version) -> None:
        name = version.source.name
        self.graph.replace(name, version.dependencies, is_inert=self.texts.is_inert(name))

    # -- what is behind

    def leave_behind(self, name: str, going: Collection[str]) -> None:
        """Take note of a module that stays as it is, should something that it imports be among those that went live."""
        if ahead := sorted(self.graph.dependencies(name).intersection(going)):
            self._behind[name] = f"{', '.join(ahead)} went live without it"

    def behind(self, name: str) -> str:
        """Return why a live module has to be executed again although its text is the live one, or the empty string."""
        return self._behind.get(name, "")

    # -- what is wrong

    def retried(self) -> Iterable[str]:
        """Return the modules that are tried again with each burst: a file that was cancelled is not."""
        return {name for name in self.failures if name not in self._cancelled}

    def fail(self, failure: Failure) -> None:
        """Write down what is wrong with a module, since it was first seen."""
        before = self.failures.get(failure.name)
        self.failures[failure.name] = replace(failure, since=before.since) if before is not None else failure

    def record(
        self,
        stage: Stage,
        changes: Mapping[str, Change],
        held: Mapping[str, Collection[str]],
        edges: Mapping[str, frozenset[str]],
    ) -> None:
        """Write down what failed, what is held back, and what no longer is.

        Args:
            stage: what was tried.
            changes: what was new in it.
            held: the modules that must not go live, each with those that hold it back.
            edges: what each module of the stage imports.
        """
        for name, staged in stage.results.items():
            since, live = time.time(), self.generation_of(name)
            culprit = stage.culprit(name)
            by = tuple(sorted(held.get(name, ()))) if culprit == name else (culprit,)
            is_told = name not in changes and name in self.failures  # of its newest text, and this is its live one
            if staged.error is not None and culprit == name and not is_told:
                self.fail(failures.describe(staged, since=since, live=live))
                self._cancelled.add(name) if isinstance(staged.error, Cancelled) else self._cancelled.discard(name)
            elif by and name in changes:
                tell = failures.gone if changes[name].source is None else failures.held
                self.fail(tell(name, changes[name].path, by, since=since, live=live))
            if staged.error is not None and name not in self.live:
                self.graph.replace(name, edges[name])
