"""Random changes of files and folders, and whether a watcher's table equals the disk afterwards.

`python tests/churn.py SEED SECONDS` runs one.
"""

import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watched import Watched

FOLDERS, FILES, DEEPEST = "abcdef", "xyzuvw", 4
PAUSE = 0.002


class Churn:
    """Does one random thing after the other in a folder, and in one beside it that is not watched."""

    def __init__(self, inside: Path, outside: Path, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - it must be the same for the same seed
        self._inside = inside
        self._outside = outside
        outside.mkdir()
        self._count = 0
        self.steps = 0

    def step(self) -> None:
        """Do one thing; what another thing has made impossible is left."""
        deeds: list[tuple[Callable[[], None], int]] = [
            (self.write, 8),
            (self.replace, 4),
            (self.delete, 3),
            (self.rename, 3),
            (self.make_folder, 4),
            (self.rename_folder, 3),
            (self.move_folder_out, 2),
            (self.move_folder_in, 2),
            (self.remove_folder, 2),
            (self.copy_folder, 1),
            (self.touch, 1),
            (self.recreate_folder, 1),
        ]
        deed = self._random.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])[0]
        try:
            deed()
        except OSError:
            return
        self.steps += 1

    def folder(self) -> Path:
        """Return a folder that exists, the watched one at the top included."""
        at = self._inside
        while self._random.random() < 0.6 and (inner := [path for path in at.iterdir() if path.is_dir()]):
            at = self._random.choice(sorted(inner))
        return at

    def subfolder(self) -> Path:
        found = self.folder()
        if found == self._inside:
            raise FileNotFoundError
        return found

    def file(self) -> Path:
        return self._random.choice(sorted(self.folder().glob("*.py")) or [self._inside / "none.py"])

    def path(self) -> Path:
        return self.folder() / f"{self._random.choice(FILES)}.py"

    def text(self) -> str:
        self._count += 1
        return f"X = {self._count}\n" * self._random.randint(1, 30)

    def write(self) -> None:
        self.path().write_text(self.text())

    def replace(self) -> None:
        path = self.path()
        beside = path.with_name(".new")
        beside.write_text(self.text())
        os.replace(beside, path)

    def delete(self) -> None:
        self.file().unlink()

    def rename(self) -> None:
        os.rename(self.file(), self.path())

    def touch(self) -> None:
        os.utime(self.file())

    def make_folder(self) -> None:
        at = self.folder()
        if len(at.relative_to(self._inside).parts) >= DEEPEST:
            return
        at = at / self._random.choice(FOLDERS)
        at.mkdir()
        if self._random.random() < 0.7:
            (at / "x.py").write_text(self.text())

    def rename_folder(self) -> None:
        os.rename(self.subfolder(), self.folder() / self._random.choice(FOLDERS))

    def move_folder_out(self) -> None:
        os.rename(self.subfolder(), self._outside / self._random.choice(FOLDERS))

    def move_folder_in(self) -> None:
        found = sorted(self._outside.iterdir())
        os.rename(self._random.choice(found or [self._outside / "none"]), self.folder() / self._random.choice(FOLDERS))

    def remove_folder(self) -> None:
        where = self._random.choice([self._inside, self._outside])
        found = [path for path in where.iterdir() if path.is_dir()]
        if found:
            shutil.rmtree(self._random.choice(sorted(found)))

    def copy_folder(self) -> None:
        found, into = self.subfolder(), self.folder()
        if not into.is_relative_to(found) and sum(1 for _ in found.rglob("*")) < 200:
            shutil.copytree(found, into / self._random.choice(FOLDERS))

    def recreate_folder(self) -> None:
        found = self.subfolder()
        os.rename(found, self._outside / "trash")
        found.mkdir()
        found.rmdir()
        shutil.rmtree(self._outside / "trash")
        found.mkdir()
        (found / "x.py").write_text(self.text())


def run(watched: Watched, seed: int, seconds: float, pause: float = PAUSE) -> int:
    """Churn for some seconds; check that the table equals the disk and that each folder is still heard.

    Returns:
        how many things were done.
    """
    churn = Churn(watched.folder, watched.top / "outside", seed)
    end = time.monotonic() + seconds
    clock = threading.Event()
    while time.monotonic() < end:
        churn.step()
        if churn.steps % 10 == 0:
            clock.wait(pause * 10)  # the pace of the changes, so that not all of them are one burst
    watched.settle()
    heard = [Path(top) for top, _, _ in os.walk(watched.folder)]
    probes = {
        f"{folder.relative_to(watched.folder)}/heard.py".removeprefix("./"): f"# {index}\n"
        for index, folder in enumerate(heard)
    }
    renewals = watched.lookout._renewals
    watched.write(probes)
    watched.wait(lambda: all(watched.told.get(name) == text.encode() for name, text in probes.items()))
    assert watched.lookout._renewals == renewals, "it was found by looking, not heard"
    assert watched.told == watched.on_disk()
    return churn.steps


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as top:
        watched = Watched(Path(top))
        watched.start()
        print(run(watched, int(sys.argv[1]), float(sys.argv[2])), watched.notes, watched.watcher.notes)  # noqa: T201 - a command's
        watched.stop()
