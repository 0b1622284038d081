"""One watched folder: its table, and the source of hints about it. Belongs to one thread after it was made.

Whatever a source says is held against the disk. What it does not say is found by looking through the folder now and
then, so rarely that it costs next to nothing; a source that had to be helped in this way is replaced.
"""

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ipyhot.core.sources import Folder
from ipyhot.core.trust import doubt_of
from ipyhot.watch.links import Links
from ipyhot.watch.mounts import silent
from ipyhot.watch.remarks import Remarks
from ipyhot.watch.repository import repository_of
from ipyhot.watch.settle import Hint, Kind
from ipyhot.watch.source import DeafError, Event, Silence, Source, What
from ipyhot.watch.table import UNREADABLE, UNTRUSTED, Entry, Key, Reading, key_of

__all__ = ["Lookout"]

_SWEEP: Final = 2.0  # seconds between two looks through a folder whose source speaks ...
_SWEEP_SHARE: Final = 0.002  # ... or more, so that they take this share of a processor at most
_POLL: Final = 1.0  # the same where the source may not speak
_POLL_SHARE: Final = 0.04
_MOMENT: Final = 0.05
_RETURN: Final = 0.2  # seconds between two looks for a folder that is gone
_PATIENCE: Final = 3  # how often a source is replaced before it is no longer relied on


_IS_LINUX: Final = sys.platform.startswith("linux")
_COMINGS: Final = {What.CREATED, What.MOVED, What.GONE}
_PLAIN: Final = {What.GONE: Kind.GONE, What.CLOSED: Kind.DONE, What.WRITTEN: Kind.OPEN}
_TO_BE_TRIED: Final = {UNREADABLE, UNTRUSTED}  # what is in the way may be gone, although the file looks as it did
_PLAIN_WITHOUT_CLOSING: Final = {**_PLAIN, What.WRITTEN: Kind.DONE}


class Lookout:
    """Watches one folder from the moment it is made.

    Args:
        folder: what to watch.
        poll: seconds between two looks through the folder, instead of listening; None listens.
        wake: is called from any thread when something is to be heard that no descriptor shows.
        open_source: makes the source of a folder; by default what suits the platform.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        poll: float | None = None,
        wake: Callable[[], object] = lambda: None,
        open_source: Callable[[str, Callable[[], object]], Source] | None = None,
    ) -> None:
        self.folder = folder
        self.table: dict[str, Entry] = {}
        self.folders: set[str] = set()  # that came, went or are other ones since somebody last cleared this
        self.is_gone = False
        self.is_deaf = False  # a change was found that the source did not tell of
        self._poll = poll
        self._wake = wake
        self._open_source = open_source or _suiting
        self._remarks = Remarks(folder)
        self._renewals = 0
        self._links = Links()
        self._known: set[str] = set()  # folders that were looked through
        self._trusted: set[str] = set()  # folders
        self._unannounced: set[str] = set()  # paths that a look found changed, and no event yet
        self._sweep: Iterator[Hint | None] | None = None
        self._cost = self._spent = 0.0
        self.repository = repository_of(folder.root)
        self.source = self._opened()
        for files in folder.walk(None, self._enter):
            self.table.update((entry.path, Entry(key)) for entry in files if (key := self._key(entry)) is not None)
        self.sweep_at = self._next_sweep()

    def _opened(self) -> Source:
        if self._poll is not None:
            return Silence()
        kind = silent(self.folder.root)
        if kind is not None:
            self._remarks.troubles["mount"] = f"its file system, {kind}, does not tell of every change"
        try:
            source = self._open_source(self.folder.root, self._wake)
        except OSError as error:
            self._remarks.troubles["source"] = f"the system gives no events ({error.strerror or error})"
            return Silence()
        self._remarks.troubles.pop("source", None)
        return source

    @property
    def notes(self) -> Iterator[str]:
        """What the user should know of how the folder is watched."""
        return self._remarks.lines(is_gone=self.is_gone, asked=self._poll, interval=self.sweep_interval)

    # -- the table

    def owns(self, path: str) -> bool:
        """Tell whether a path is that of a module in this folder."""
        return path in self.table or self.folder.name_of(path) is not None

    def doubt(self, path: str, found: os.stat_result) -> str | None:
        """Return why a file is not to be trusted, given what it is; None if it is."""
        folder = path.rpartition(os.sep)[0]
        if folder in self._trusted and not self._links:
            return doubt_of(found)
        reason = self.folder.doubt(path, found)
        if reason is None and not self.folder.is_trusted:
            self._trusted.add(folder)
        return reason

    def enter(self, path: str, reading: Reading | None) -> bool:
        """Write down what a path holds, or that it is gone; tell whether that is another content than before."""
        known = self.table.get(path)
        if reading is None:
            if known is None or self.is_gone:  # the files of a folder that is gone are not deleted one by one
                return False
            del self.table[path]
            self._links.forget(path)
        else:
            self.table[path] = Entry(reading.key, reading.digest)
        # what was never read is taken as changed: two saves in one tick of the clock may look the same
        is_same = known is not None and reading is not None and known.digest == reading.digest
        if path in self._unannounced:
            self._unannounced.discard(path)
            was_readable = known is None or known.digest != UNREADABLE
            self.is_deaf |= not is_same and was_readable and not self._is_quiet(path)
        return not is_same

    @property
    def is_back(self) -> bool:
        """True if the folder was gone, and is there. Any thread may ask."""
        return self.is_gone and os.path.isdir(self.folder.root)

    @property
    def is_blind(self) -> bool:
        """True if nothing tells of changes, and looking for them takes a moment only. Any thread may ask."""
        return isinstance(self.source, Silence) and self._cost < _MOMENT

    def announced(self, path: str) -> None:
        """Take note that the source did tell of a path."""
        self._unannounced.discard(path)

    def _is_quiet(self, path: str) -> bool:
        """Tell whether changes of a path may come without an event although all is well."""
        if isinstance(self.source, Silence) or self._remarks.troubles or os.path.realpath(path) != path:
            return True
        try:
            return os.stat(path).st_nlink > 1
        except OSError:  # it is gone, and nobody said so
            return False

    # -- hearing

    def hear(self, now: float) -> list[Hint]:
        """Return what the source has said, as hints about files. Never waits.

        Raises:
            DeafError: ``renew`` is needed.
        """
        return self._said_by(self.source, now)

    def _said_by(self, source: Source, now: float) -> list[Hint]:
        hints = []
        plain, table, links, current = self._plain, self.table, self._links, self.source
        for event in source.events():
            if self.source is not current:  # everything has been looked at since
                break
            what, path = event
            if what in plain and path in table and not links:  # almost always
                hints.append(Hint(plain[what], path, now))
            else:
                hints += [hint for hint in self._hints(event, now) if hint is not None]
        if self._unannounced:
            self._unannounced.difference_update(hint.path for hint in hints)
        return hints

    def _hints(self, event: Event, now: float) -> Iterator[Hint | None]:
        what, path = event
        if what is What.FOLDER or what is What.TOUCHED:
            self._trusted.clear()
        if what is What.LOST:
            yield from self._look(self.folder.root)
        elif what is What.FOLDER:
            yield from self._folder(path, now)
        elif what is What.TOUCHED and path in self._known:
            yield from self._look(path)  # what was out of reach in it may not be any more
        else:
            for link in self._links.at(path):
                if self.owns(link):
                    self._learn(link)
                    yield from self._file(what, link, now)
                else:
                    yield from self._look(link)
            if self.owns(path):
                yield from self._file(what, path, now)
            elif what in _COMINGS and self.folder.enters(path) and (path in self._known or os.path.isdir(path)):
                yield from self._folder(path, now)  # a link to a folder came or went
            elif what is What.CREATED or what is What.WRITTEN:
                yield Hint(Kind.STIR, path, now)

    def _file(self, what: What, path: str, now: float) -> Iterator[Hint]:
        kind = self._plain.get(what) or self._kind_of_new(what, path)
        if kind is not None:
            yield Hint(kind, path, now)

    @property
    def _plain(self) -> Mapping[What, Kind]:
        """What an event means if it says so by itself."""
        return _PLAIN if self.source.tells_closing else _PLAIN_WITHOUT_CLOSING

    def _kind_of_new(self, what: What, path: str) -> Kind | None:
        try:
            found = os.lstat(path)
        except OSError:  # it is gone already, which is an event of its own
            return None
        if stat.S_ISLNK(found.st_mode):
            self._learn(path)
            return Kind.DONE
        if not stat.S_ISREG(found.st_mode):
            return Kind.GONE if path in self.table else None
        if found.st_nlink > 1:  # another name of it may be the one that is written
            self._arm(path)
        if what is What.MOVED or found.st_nlink > 1 or not self.source.tells_closing:
            return Kind.DONE
        # One that was opened to be written is empty when it is created; what is not empty was linked here, or its
        # writing is the next thing to be heard.
        return Kind.FOUND if what is What.TOUCHED or found.st_size else Kind.OPEN

    def _folder(self, path: str, now: float) -> Iterator[Hint | None]:
        """Yield what differs because a folder came, went, or is another one now."""
        if path == self.folder.root:
            yield from self._look_for_root()
            return
        for link in self._links.below(path):
            yield from self._look_at(link, now) if self.owns(link) else self._look(link)
        if self.owns(path):  # a file that is listened to by itself, or a folder with the name of one
            yield from self._look_at(path, now)
        elif self.folder.enters(path):
            self.folders.add(path)
            if not os.path.isdir(path):
                yield Hint(Kind.VOID, path, now)
                self._known = {other for other in self._known if other != path and not other.startswith(path + os.sep)}
                self.source.disarm(path)
                yield from self._missing(path, set())
            elif self._arm(path) or path not in self._known:
                yield Hint(Kind.VOID, path, now)
                yield from self._look(path)

    def _arm(self, path: str) -> bool:
        try:
            return self.source.arm(path)
        except OSError as error:
            limit = " (more of them: sysctl fs.inotify.max_user_watches)" if error.errno == errno.ENOSPC else ""
            self._remarks.troubles["limit"] = f"the system lets no more folders be watched{limit}"
            return True

    def _learn(self, link: str) -> None:
        for folder in self._links.learn(link):
            self._arm(folder)

    # -- looking

    def _look_for_root(self) -> Iterator[Hint | None]:
        """Yield what differs because the watched folder itself may have come, gone, or become another one."""
        root = self.folder.root
        if not os.path.isdir(root):
            self.is_gone = True
            self.sweep_at = self._next_sweep()
            self._known.clear()
        elif self.is_gone or self._arm(root):
            self.is_gone = False
        else:
            return
        yield Hint(Kind.VOID, root, time.monotonic())
        self.source.disarm(root)  # what it says is of another folder
        if not self.is_gone:
            yield from self.renew()

    def renew(self) -> list[Hint]:
        """Replace the source; return what differs from the table, and what the old one had still to say."""
        old, self.source = self.source, self._opened()
        self._links = Links()
        self._known.clear()
        hints = [hint for hint in self._look(self.folder.root) if hint is not None]
        with contextlib.suppress(DeafError):
            hints += self._said_by(old, time.monotonic())
        old.close()
        return hints

    def help(self) -> list[Hint]:
        """Replace a source that did not tell of a change; return what else differs."""
        self.is_deaf = False
        self._renewals += 1
        if self._renewals >= _PATIENCE:
            self._remarks.troubles["deaf"] = "events of it do not come"
        return self.renew()

    def _look_at(self, path: str, now: float) -> Iterator[Hint]:
        """Yield whether a single file differs."""
        entry = self.table.get(path)
        try:
            key = key_of(os.stat(path))
        except OSError:  # gone, or out of reach: reading it will tell
            if entry is not None:
                yield Hint(Kind.GONE, path, now)
            return
        if entry is None or entry.key != key:
            yield Hint(Kind.FOUND, path, now)

    def _look(self, inside: str) -> Iterator[Hint | None]:
        """Yield what differs in a folder, and None after each folder in it; listen to all of them."""
        seen = set()
        is_known = inside == self.folder.root or inside in self._known
        for files in self.folder.walk(inside, self._enter):
            for entry in files:
                seen.add(entry.path)
                key, known = self._key(entry), self.table.get(entry.path)
                if key is not None and (known is None or known.key != key or known.digest in _TO_BE_TRIED):
                    yield Hint(Kind.FOUND, entry.path, time.monotonic())
            yield None
        if is_known:
            yield from self._missing(inside, seen)

    def _missing(self, inside: str, seen: set[str]) -> Iterator[Hint]:
        below = inside + os.sep
        for path in [path for path in self.table if path not in seen and path.startswith(below)]:
            if _is_gone(path):
                yield Hint(Kind.GONE, path, time.monotonic())

    def _enter(self, path: str) -> None:
        self._arm(path)
        self._known.add(path)
        if path != self.folder.root and os.path.islink(path):
            self._learn(path)

    def _key(self, entry: os.DirEntry[str]) -> Key | None:
        if not self.owns(entry.path):
            self._remarks.note(entry.path)
            return None
        try:
            found = entry.stat()
        except OSError:  # it has just gone
            return None
        if entry.is_symlink():
            self._learn(entry.path)
        elif found.st_nlink > 1:
            self._arm(entry.path)
        return key_of(found)

    # -- sweeping

    @property
    def is_sweeping(self) -> bool:
        """True in the midst of a look through the whole folder."""
        return self._sweep is not None

    def sweep(self, seconds: float) -> list[Hint]:
        """Look through the whole folder, or on from where it was left, for so long; return what differs."""
        if self._sweep is None:
            self._spent = 0.0
            self._sweep = self._swept()
        hints = []
        began = time.thread_time()
        was_gone = self.is_gone
        for hint in self._sweep:
            if hint is not None:
                hints.append(hint)
                if not was_gone:  # or no source could have told
                    self._unannounced.add(hint.path)
            if time.thread_time() - began >= seconds:
                break
        else:
            self._sweep = None
        self._spent += time.thread_time() - began
        if self._sweep is None:
            self._cost = self._spent
            self.sweep_at = self._next_sweep()
        return hints

    def _swept(self) -> Iterator[Hint | None]:
        if self.is_gone or not os.path.isdir(self.folder.root):
            yield from self._look_for_root()
            return
        self.repository = repository_of(self.folder.root)
        self._remarks.look()
        self._trusted.clear()
        self._remarks.troubles.pop("limit", None)  # until it is met again
        if "source" in self._remarks.troubles:
            yield from self.renew()
        yield from self._look(self.folder.root)

    def _next_sweep(self) -> float:
        return time.monotonic() + (_RETURN if self.is_gone else self.sweep_interval)

    @property
    def sweep_interval(self) -> float:
        """Seconds between two looks through the folder."""
        if self._poll is not None:
            return self._poll
        return max(_POLL, self._cost / _POLL_SHARE) if self._remarks.troubles else max(_SWEEP, self._cost / _SWEEP_SHARE)

    def close(self) -> None:
        """Listen no more. Waits for nothing."""
        self.source.close()


def _is_gone(path: str) -> bool:
    """Tell whether there is nothing at a path; what is only out of reach is not gone."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _suiting(root: str, wake: Callable[[], object]) -> Source:
    if _IS_LINUX:
        from ipyhot.watch.inotify import Inotify

        return Inotify()
    from ipyhot.watch.observer import Observed

    return Observed(root, wake)
