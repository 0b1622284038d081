"""A watcher in this process that writes down what it was told, so that it can be held against the disk."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ipyhot.core.sources import Folder
from ipyhot.watch.lookout import Lookout
from ipyhot.watch.settle import Batch
from ipyhot.watch.source import Source
from ipyhot.watch.watcher import Watcher

DEADLINE = 15.0  # seconds
NOBODY = 65534


class Watched:
    """A folder ``hots`` that a watcher watches.

    ``told`` is what each file holds, going by the batches alone; ``seen`` is every text that any file was said to hold,
    and ``shown`` is what was shown ahead of a batch.
    """

    def __init__(self, top: Path) -> None:
        self.top = top
        self.folder = top / "hots"
        self.folder.mkdir()
        self.batches: list[Batch] = []
        self.told: dict[str, bytes] = {}
        self.seen: dict[str, list[bytes]] = {}
        self.notes: list[tuple[str, ...]] = []
        self._changed = threading.Condition()
        self.shown: dict[str, bytes] = {}
        self.watcher = Watcher(self._take, self._note, self._show)
        self.lookout: Lookout | None = None

    def start(
        self,
        files: dict[str, str] | None = None,
        *,
        poll: float | None = None,
        open_source: Callable[[str, Callable[[], object]], Source] | None = None,
    ) -> None:
        """Write files, then watch the folder."""
        self.write(files or {})
        folder = Folder(os.path.realpath(self.folder), "hots", "all")
        self.lookout = Lookout(folder, poll=poll, wake=self.watcher._wake, open_source=open_source)
        self.told = self.on_disk()
        self.watcher.adopt(self.lookout)
        assert self.watcher.catch_up(DEADLINE)

    def _take(self, batch: Batch) -> None:
        with self._changed:
            self.batches.append(batch)
            for path in batch.files:
                name = os.path.relpath(path, os.path.realpath(self.folder))
                if path in batch.texts:
                    self.told[name] = batch.texts[path]
                    self.seen.setdefault(name, []).append(batch.texts[path])
                else:
                    self.told.pop(name, None)
            self._changed.notify_all()

    def _show(self, path: str, data: bytes) -> None:
        with self._changed:
            self.shown[os.path.relpath(path, os.path.realpath(self.folder))] = data
            self._changed.notify_all()

    def _note(self) -> None:
        with self._changed:
            self.notes.append(self.watcher.notes)
            self._changed.notify_all()

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def on_disk(self) -> dict[str, bytes]:
        """Return what the folder holds: what Python could import, links followed."""
        found = {}
        for top, folders, files in os.walk(self.folder, followlinks=True):
            folders[:] = [name for name in folders if "." not in name and name != "__pycache__" and not _leads_up(top, name)]
            for name in files:
                path = os.path.join(top, name)
                if name.endswith(".py") and not name.startswith(".") and os.path.isfile(path):
                    found[os.path.relpath(path, self.folder)] = Path(path).read_bytes()
        return found

    def wait(self, is_so: Callable[[], bool], timeout: float = DEADLINE) -> None:
        """Wait until something is so; it is asked after each batch, each note and what is shown ahead."""
        with self._changed:
            assert self._changed.wait_for(is_so, timeout), (
                f"told {self.told}, on disk {self.on_disk()}, {self.watcher.notes}"
            )

    def wait_for(self, **told: str | None) -> None:
        """Wait until files are told to hold something; ``a__b`` is ``a/b.py``, None is gone."""
        wanted = {name.replace("__", "/") + ".py": text for name, text in told.items()}
        self.wait(
            lambda: all(self.told.get(name) == (text if text is None else text.encode()) for name, text in wanted.items())
        )

    def settle(self) -> None:
        """Wait until what was done so far has been taken in, and check that it was taken in rightly."""
        self.write({"probe.py": f"# {time.monotonic_ns()}\n"})
        self.wait(lambda: self.told.get("probe.py") == (self.folder / "probe.py").read_bytes())
        assert self.watcher.catch_up(DEADLINE)
        told, on_disk = dict(self.told), self.on_disk()
        differing = {name for name in {*told, *on_disk} if told.get(name) != on_disk.get(name)}
        assert not differing, {name: (told.get(name), on_disk.get(name)) for name in differing}

    def settle_others(self) -> None:
        """Wait until what was done so far has been taken in, but for files that are being written."""
        self.write({"probe.py": f"# {time.monotonic_ns()}\n"})
        self.wait(lambda: self.told.get("probe.py") == (self.folder / "probe.py").read_bytes())

    def stop(self) -> None:
        self.watcher.stop()
        self.watcher.thread.join(DEADLINE)
        assert not self.watcher.thread.is_alive()


def _leads_up(top: str, name: str) -> bool:
    path = os.path.join(top, name)
    return os.path.islink(path) and f"{top}{os.sep}".startswith(f"{os.path.realpath(path)}{os.sep}")


@contextmanager
def watched_by_ordinary_user() -> Iterator[Watched]:
    """Yield a watched folder in a process without root's rights, in which modes of files mean something."""
    with tempfile.TemporaryDirectory() as top:
        is_root = os.geteuid() == 0
        if is_root:
            os.chown(top, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        watched = Watched(Path(top))
        try:
            yield watched
        finally:
            watched.stop()
            if is_root:
                os.seteuid(0)
