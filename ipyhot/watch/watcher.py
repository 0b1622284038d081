"""The building thread: hears what may have changed, lets it settle, and hands over one batch at a time.

All that the watch knows belongs to this thread. Others leave a request in ``_inbox`` and wake it; all else that they
may do is look at flags and descriptors. A folder's lookout is made by who asks for it, and handed over listening.
"""

import contextlib
import select
import selectors
import socket
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Collection, Iterable
from functools import partial
from math import inf
from typing import Final

from ipyhot.core.errors import Cancelled
from ipyhot.core.sources import Folder
from ipyhot.watch.harvest import Harvest
from ipyhot.watch.lookout import Lookout
from ipyhot.watch.pace import Pace
from ipyhot.watch.settle import Batch, Hint
from ipyhot.watch.source import DeafError, Source

__all__ = ["Watcher"]

_SLICE: Final = 0.002  # seconds of work after which the thread looks for events again
_LOCK_LOOK: Final = 0.002  # seconds between two looks at a repository's lock
_JOIN: Final = 1.0  # seconds; it ends in some milliseconds
_AFTER_FAULT: Final = 1.0


class Watcher:
    """Watches some folders in a thread of its own, which starts with the first of them.

    Args:
        on_batch: called with each batch, in that thread.
        on_note: called there when ``notes`` are others.
        on_reading: called there, while a burst is waited for, with the path and the content of a file of it. That may be
            in vain, and happens once for each content at most.
    """

    def __init__(
        self,
        on_batch: Callable[[Batch], None],
        on_note: Callable[[], None] = lambda: None,
        on_reading: Callable[[str, bytes], object] = lambda _path, _data: None,
    ) -> None:
        self._on_batch = on_batch
        self._on_note = on_note
        self._on_reading = on_reading
        self._all: tuple[Lookout, ...] = ()  # replaced, never changed: other threads look at it
        self._descriptors: dict[int, tuple[Lookout, Source]] = {}  # likewise
        self._undescribed: list[Lookout] = []  # those whose source has none
        self._harvest = Harvest()
        self._pace = Pace()
        self._told: tuple[str, ...] = ()
        self._fault = ""
        self._inbox: deque[Callable[[], None]] = deque()
        self._door, self._bell = socket.socketpair()
        self._door.setblocking(False)  # noqa: FBT003 - its only argument
        self._bell.setblocking(False)  # noqa: FBT003 - likewise
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._door, selectors.EVENT_READ)
        self._calm = threading.Condition()
        self._busy_since: float | None = None
        self._is_handing_over = False
        self._is_open = True
        self._thread = self._new_thread()

    def _new_thread(self) -> threading.Thread:
        thread = threading.Thread(target=self._work, name="ipyhot builder", daemon=True)
        # debugpy stops every thread at a breakpoint but those that bear these flags; saves go live meanwhile.
        thread.pydev_do_not_trace = thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]  # debugpy's
        return thread

    # -- for any thread

    @property
    def thread(self) -> threading.Thread:
        """The building thread."""
        return self._thread

    @property
    def notes(self) -> tuple[str, ...]:
        """What users should know: folders that are gone, or that have to be looked through."""
        found = [self._fault, *(note for lookout in self._all for note in lookout.notes)]
        return tuple(note for note in found if note)

    def add(self, folder: Folder, *, poll: float | None = None) -> None:
        """Watch one more folder, from this moment on; it takes the place of one with the same root.

        Args:
            folder: what to watch.
            poll: look through it every so many seconds instead of listening.
        """
        self.adopt(Lookout(folder, poll=poll, wake=self._wake))

    def adopt(self, lookout: Lookout) -> None:
        """Go on with a lookout that listens already."""
        self._ask(partial(self._take_over, lookout))
        if not self._thread.is_alive():
            self._thread.start()

    def remove(self, folder: Folder) -> None:
        """Watch a folder no more. Waits for nothing."""
        self._ask(partial(self._let_go, folder.root))

    def look_at(self, paths: Collection[str]) -> None:
        """Let a batch be made with some files, although no event came and their content may be as it was."""
        self._ask(partial(self._harvest.ask, frozenset(paths)))

    def catch_up(self, timeout: float) -> bool:
        """Wait until all that was saved before this call has been handed over; tell whether it was.

        Costs a flag and a look at some descriptors when nothing is under way, and a look through a folder of which
        nothing tells. What has been under way for longer than the timeout is not waited for.
        """
        if not self._thread.is_alive() or threading.current_thread() is self._thread:
            return True
        since = self._busy_since
        end = (time.monotonic() if since is None else since) + timeout
        self._look_again(lambda lookout: lookout.is_back or lookout.is_blind)
        while self._is_pending():
            with self._calm:
                if not self._calm.wait_for(lambda: not self._is_pending(), max(end - time.monotonic(), 0.0)):
                    return False
            self._look_again(lambda lookout: lookout.is_back)  # it was found gone meanwhile
        return True

    def _look_again(self, is_due: Callable[[Lookout], bool]) -> None:
        for lookout in self._all:
            if is_due(lookout):
                self._ask(partial(self._look_through, lookout))

    def _is_pending(self) -> bool:
        # In this order: the thread sets the flag before it reads, and clears it when nothing of it is left.
        return _is_readable([*self._descriptors]) or bool(self._inbox) or self._busy_since is not None

    def stop(self) -> None:
        """Stop watching and end the thread. A file that is being loaded in it is not waited for."""
        self._is_open = False
        self._wake()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            if not self._is_handing_over:
                self._thread.join(timeout=_JOIN)
        elif not self._thread.is_alive():
            self._end()

    def abandon(self) -> None:
        """Let go of everything without touching it: in a forked child it is the parent's."""
        self._is_open = False
        self._all, self._descriptors = (), {}

    def _ask(self, request: Callable[[], None]) -> None:
        self._inbox.append(request)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):  # it is full of unanswered rings, or nobody is there
            self._bell.send(b"!")

    # -- in the building thread

    def settle(self, quiet: float) -> Batch:
        """Wait in the building thread until nothing came for some seconds; return what came meanwhile."""
        while self._is_open and self._hear(quiet):
            pass
        self._harvest.prepare(self._all)
        return self._harvest.gather(self._all, time.monotonic()) or Batch(frozenset())

    def _work(self) -> None:
        failed_at = 0.0
        while self._is_open:
            try:
                self._turn()
            except Cancelled:  # it was meant for a file, and came too late: something here was left half done
                self._renew_all()
            except BaseException:  # noqa: BLE001 - the edge of the thread: our own fault must be told, not end the watch
                self._fault = f"the watch itself failed, and goes on; please report it:\n{traceback.format_exc()}"
                if time.monotonic() - failed_at < _AFTER_FAULT:
                    self._selector.select(_AFTER_FAULT)
                failed_at = time.monotonic()
                self._renew_all()
                self._tell()
        self._end()

    def _turn(self) -> None:
        self._hear(self._timeout(time.monotonic()))
        now = time.monotonic()
        self._harvest.take_up_abandoned(self._all, now)
        if self._harvest.is_growing:
            self._hurry(now)
            self._harvest.prepare(self._all, _SLICE)
            self._look_at_locks(now)
            if self._harvest.is_ripe(now):
                self._fire()
            elif self._harvest.is_read:
                self._harvest.show(self._on_reading, _SLICE)
        else:
            self._sweep(now)
        if not self._harvest.is_growing:
            self._rest()
        self._tell()

    def _timeout(self, now: float) -> float | None:
        if not self._harvest.is_read or self._harvest.has_unseen or any(lookout.is_sweeping for lookout in self._all):
            return 0.0
        times = [lookout.sweep_at for lookout in self._all]
        due = self._harvest.due()
        if due is not None:
            times.append(due)
        if self._harvest.settler.is_locked:
            times.append(now + _LOCK_LOOK)
        return max(0.0, min(times) - now) if times else None

    def _hurry(self, now: float) -> None:
        self._pace.hurry(len(self._harvest.settler.burst))
        if self._busy_since is None:
            self._busy_since = now

    def _rest(self) -> None:
        if self._busy_since is None:
            return
        self._pace.rest()
        with self._calm:
            self._busy_since = None
            self._calm.notify_all()

    def _hear(self, timeout: float | None) -> bool:
        """Wait for events or requests, and take them in; tell whether there was news."""
        ready = self._selector.select(timeout)
        if ready and self._busy_since is None:
            self._busy_since = time.monotonic()
        speaking = [*self._undescribed]
        for key, _ in ready:
            if key.fileobj is self._door:
                self._answer()
            elif key.fd in self._descriptors:
                speaking.append(self._descriptors[key.fd][0])
        now = time.monotonic()
        has_news = False
        for lookout in speaking:
            has_news |= self._harvest.feed(lookout, self._heard(lookout, now))
        return has_news

    def _answer(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._door.recv(4096):
                pass
        while self._inbox:
            self._inbox.popleft()()

    def _heard(self, lookout: Lookout, now: float) -> list[Hint]:
        source = lookout.source
        try:
            hints = lookout.hear(now)
        except DeafError:
            hints = lookout.renew()
        if lookout.source is not source:
            self._register()
        return hints

    def _register(self) -> None:
        """Let the selector know the descriptors that there are now."""
        sources = [(lookout, lookout.source) for lookout in self._all]
        wanted = {fd: pair for pair in sources if (fd := pair[1].fileno()) is not None}
        self._undescribed = [lookout for lookout, source in sources if source.fileno() is None]
        if wanted == self._descriptors:
            return
        for fd in self._descriptors:
            with contextlib.suppress(KeyError, OSError):  # a closed one was forgotten by the system
                self._selector.unregister(fd)
        for fd in wanted:
            self._selector.register(fd, selectors.EVENT_READ)
        self._descriptors = wanted

    def _look_at_locks(self, now: float) -> None:
        found = {id(r): r for lookout in self._all if (r := lookout.repository) is not None}.values()
        settler = self._harvest.settler
        if not found or not settler.burst:
            return
        changed = self._harvest.changed_at(now)
        held = [repository for repository in found if repository.is_locked(changed, time.time())]
        has_steps = (bool(held) or settler.is_locked) and any(repository.has_steps for repository in found)
        settler.lock(is_held=bool(held), has_steps=has_steps)

    def _fire(self) -> None:
        """Hand over the burst, unless more has come, or what was just read has changed again."""
        harvest = self._harvest
        has_news = self._hear(0.0)
        now = time.monotonic()
        if has_news or not harvest.is_read:
            is_whole = harvest.is_read and harvest.is_ripe(now)
            if not is_whole and not harvest.settler.is_endless(now):
                return
        batch = harvest.gather(self._all, now)
        for lookout in self._all:
            if lookout.is_deaf:
                harvest.feed(lookout, lookout.help())
                self._register()
        if batch is not None:
            self._is_handing_over = True
            try:
                self._on_batch(batch)
            finally:
                self._is_handing_over = False

    def _sweep(self, now: float) -> None:
        for lookout in self._all:
            if lookout.is_sweeping or lookout.sweep_at <= now:
                self._harvest.feed(lookout, self._heard(lookout, now))  # a source that died is found out here
                self._harvest.feed(lookout, lookout.sweep(_SLICE))
                self._register()

    def _look_through(self, lookout: Lookout) -> None:
        if lookout in self._all:
            for _ in range(1 + lookout.is_sweeping):  # a look that has begun may have passed what has changed since
                self._harvest.feed(lookout, lookout.sweep(inf))
            self._register()

    def _renew_all(self) -> None:
        self._harvest = Harvest()
        for lookout in self._all:
            self._harvest.feed(lookout, lookout.renew())
        self._register()

    def _tell(self) -> None:
        notes = self.notes
        if notes != self._told:
            self._told = notes
            self._on_note()

    def _take_over(self, lookout: Lookout) -> None:
        self._let_go(lookout.folder.root)
        self._all = (*self._all, lookout)
        self._register()
        self._told = self.notes  # who asked for it shows them

    def _let_go(self, root: str) -> None:
        gone = [lookout for lookout in self._all if lookout.folder.root == root]
        self._all = tuple(lookout for lookout in self._all if lookout not in gone)
        self._register()
        for lookout in gone:
            lookout.close()

    def _end(self) -> None:
        self._pace.rest()
        for lookout in self._all:
            self._let_go(lookout.folder.root)
        with self._calm:
            self._busy_since = None
            self._calm.notify_all()
        self._selector.close()
        self._door.close()
        self._bell.close()


def _is_readable(descriptors: Iterable[int]) -> bool:
    """Tell whether one of some descriptors can be read now."""
    if not hasattr(select, "poll"):  # Windows, where sources have none
        return False
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
