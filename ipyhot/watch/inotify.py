"""Linux: reads inotify itself, through watchdog's binding of it. One thread at a time, and none of its own.

watchdog's own reader is not used because it loses changes in silence (``docs/how-it-works.md``), listens to what nobody
wants to know, and holds back everything behind a move out of the tree for half a second. See inotify(7).
"""

import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from typing import Final

from watchdog.observers.inotify_c import (
    InotifyConstants,
    Mask,
    WatchDescriptor,
    inotify_add_watch,
    inotify_init,
    inotify_rm_watch,
)

from ipyhot.watch.source import DeafError, Event, What

__all__ = ["Inotify"]

_CREATE: Final = int(InotifyConstants.IN_CREATE)
_DELETE: Final = int(InotifyConstants.IN_DELETE)
_MOVED_FROM: Final = int(InotifyConstants.IN_MOVED_FROM)
_MOVED_TO: Final = int(InotifyConstants.IN_MOVED_TO)
_MODIFY: Final = int(InotifyConstants.IN_MODIFY)
_CLOSE_WRITE: Final = int(InotifyConstants.IN_CLOSE_WRITE)
_ATTRIB: Final = int(InotifyConstants.IN_ATTRIB)
_SELF: Final = InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF
_IGNORED: Final = int(InotifyConstants.IN_IGNORED)
_OVERFLOW: Final = int(InotifyConstants.IN_Q_OVERFLOW)
_FOLDER: Final = int(InotifyConstants.IN_ISDIR)
_LOST: Final = _SELF | InotifyConstants.IN_UNMOUNT | _IGNORED
# Neither opened nor read: our own imports would be events.
_MASK: Final = Mask(
    _CREATE | _DELETE | _MOVED_FROM | _MOVED_TO | _MODIFY | _CLOSE_WRITE | _ATTRIB | _SELF | InotifyConstants.IN_EXCL_UNLINK
)
_SIZE: Final = 1 << 16
_ZERO: Final = b"\0"
_BEGINNINGS: Final = {_CREATE: (_MODIFY, _CLOSE_WRITE), _MODIFY: (_CLOSE_WRITE,)}  # and how each may go on
_LARGEST: Final = 16 + 256  # one event with the longest name
_HEAD: Final = struct.Struct("iIII")
_OF_FILES: Final = {
    _CREATE: What.CREATED,
    _MODIFY: What.WRITTEN,
    _CLOSE_WRITE: What.CLOSED,
    _MOVED_TO: What.MOVED,
    _MOVED_FROM: What.GONE,
    _DELETE: What.GONE,
}
_GONE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class Inotify:
    """One inotify instance. What it is listening to is named by paths; one folder may have several (links).

    Raises:
        OSError: the system has no more instances.
    """

    tells_closing = True

    def __init__(self) -> None:
        self._fd: int = inotify_init()
        if self._fd == -1:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        fcntl.fcntl(self._fd, fcntl.F_SETFL, os.O_NONBLOCK)
        fcntl.fcntl(self._fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        self._watch_of: dict[str, WatchDescriptor] = {}
        self._paths_of: dict[WatchDescriptor, dict[str, None]] = {}

    def arm(self, path: str) -> bool:
        """See ``Source.arm``."""
        watch = inotify_add_watch(self._fd, os.fsencode(path), _MASK)
        number = ctypes.get_errno() if watch == -1 else 0
        known = self._watch_of.get(path)
        if watch == known or number == errno.EACCES:  # what is out of reach now is still listened to
            return False
        if known is not None:
            self._unname(path, self._watch_of.pop(path))
        if watch == -1:
            if number in _GONE:
                return False
            raise OSError(number, os.strerror(number))
        self._watch_of[path] = watch
        self._paths_of.setdefault(watch, {})[path] = None
        return True

    def disarm(self, path: str) -> None:
        """See ``Source.disarm``."""
        if path not in self._watch_of:
            return
        below = path + os.sep
        for other in [other for other in self._watch_of if other == path or other.startswith(below)]:
            self._unname(other, self._watch_of.pop(other))

    def _unname(self, path: str, watch: WatchDescriptor) -> None:
        names = self._paths_of.get(watch, {})
        names.pop(path, None)
        if not names and self._paths_of.pop(watch, None) is not None:
            inotify_rm_watch(self._fd, watch)  # or it follows a folder that was moved away; it may be gone already

    def events(self) -> Iterator[Event]:
        """See ``Source.events``. What is not listened to any more by the time that it is asked for is left out."""
        data = bytes(_SIZE)
        while len(data) >= _SIZE - _LARGEST:
            try:
                data = os.read(self._fd, _SIZE)
            except BlockingIOError:
                return
            except OSError as error:
                self._fd = -1  # somebody else closed it, and may have it anew
                raise DeafError(str(error)) from error
            yield from self._parsed(data)

    def _parsed(self, data: bytes) -> Iterator[Event]:
        at, end = 0, len(data)
        while at < end:
            watch, mask, _, size = _HEAD.unpack_from(data, at)
            name, at = data[at + 16 : at + 16 + size], at + 16 + size  # filled up with zeros
            if mask in _BEGINNINGS and data.startswith(
                tuple(_HEAD.pack(watch, on, 0, size) + name for on in _BEGINNINGS[mask]), at
            ):
                continue  # the next event is how the writing went on
            if mask & _OVERFLOW:
                yield Event(What.LOST, "")
            for path in (*self._paths_of.get(watch, ()),):
                if not mask & _LOST:
                    what = _OF_FILES.get(mask) or _meaning(mask)
                    yield Event(what, path + os.sep + os.fsdecode(name.rstrip(_ZERO)) if name else path)
                    continue
                if mask & _IGNORED:
                    self._drop(path, watch)
                yield Event(What.FOLDER, path)

    def _drop(self, path: str, watch: WatchDescriptor) -> None:
        self._paths_of.pop(watch, None)
        if self._watch_of.get(path) == watch:
            del self._watch_of[path]

    def fileno(self) -> int | None:
        """See ``Source.fileno``."""
        return None if self._fd == -1 else self._fd

    def close(self) -> None:
        """See ``Source.close``."""
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1


def _meaning(mask: int) -> What:
    if mask & _ATTRIB:
        return What.TOUCHED
    return What.FOLDER if mask & _FOLDER else _OF_FILES[mask]
