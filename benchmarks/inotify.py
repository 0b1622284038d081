"""The thinnest reader of Linux's inotify: the floor that a watcher is measured against."""

import ctypes
import os
import struct
from collections.abc import Iterator

_CLOSE_WRITE, _MOVED_TO = 0x8, 0x80


class Inotify:
    """Reads one folder's finished writes."""

    def __init__(self, path: str) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(0)
        libc.inotify_add_watch(self._fd, os.fsencode(path), _CLOSE_WRITE | _MOVED_TO)
        self._is_open = True
        self._path = path

    def saved(self) -> Iterator[str]:
        """Yield the name of each file as it is closed after writing or moved here."""
        while self._is_open:
            data, at = os.read(self._fd, 65536), 0
            while at < len(data):
                _, _, _, size = struct.unpack_from("iIII", data, at)
                yield data[at + 16 : at + 16 + size].rstrip(b"\0").decode()
                at += 16 + size

    def stop(self) -> None:
        """Let the reader end: one last event wakes it."""
        self._is_open = False
        last = os.path.join(self._path, ".last")
        with open(last, "w", encoding="utf-8"):
            pass
