"""From a save to live code, beside the least that any reloader must do, and beside the peers."""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ground import (
    Row,
    Scale,
    folder,
    hundred_lines,
    in_turn,
    only_a_body,
    other_files,
    replace,
    save_and_wait,
    shell,
    wait,
)
from inotify import Inotify
from IPython.core.interactiveshell import InteractiveShell

Save = Callable[[int], float]  # version → seconds until it is live


def one_file(scale: Scale) -> Iterator[Row]:
    """An edit of a constant and of a body, beside the floor; then the peers' edit of the same body."""
    with folder() as hots, floor(hots.parent / "floor") as least:
        rate, body = hots / "rate.py", hots / "body.py"
        replace(rate, hundred_lines(0))
        replace(body, only_a_body(0))
        with shell() as live:
            base, constant, function = in_turn(scale(200), least, save_of_constant(live, rate), save_of_body(body))
    with folder() as hots:
        autoreload = autoreload_cell(hots.parent / "plain.py", scale(100))
    with folder() as hots:  # last: what jurigged hooks into the interpreter stays there
        jurigged = jurigged_save(hots.parent / "plain.py", scale(100))
    yield Row("save, 100 lines -> live (floor)", f"{constant:.2f} ms", f"{base:.2f} ms", f"{constant / base:.2f}", "<= 3")
    yield Row("save, one body -> live (floor)", f"{function:.2f} ms", f"{base:.2f} ms", f"{function / base:.2f}", "<= 2")
    faster = f"{jurigged / function:.0f} x faster"
    yield Row("save, one body -> live (jurigged)", f"{function:.2f} ms", f"{jurigged:.2f} ms", faster, ">= 10 x")
    what = "save, one body -> live (autoreload's part of a cell)"
    yield Row(what, f"{function:.2f} ms", f"{autoreload:.2f} ms", f"{function / autoreload:.2f}")


def among_many(scale: Scale) -> Iterator[Row]:
    """The same save with 10,000 files watched."""
    many = scale(10_000)
    with folder() as hots, constant_in(hots) as save:
        (alone,) = in_turn(scale(200), save)
    with folder() as hots:
        other_files(hots, many)
        with constant_in(hots) as save:
            (crowd,) = in_turn(scale(200), save)
    what = f"save, {many} files watched (one file)"
    yield Row(what, f"{crowd:.2f} ms", f"{alone:.2f} ms", f"{crowd / alone:.2f}", "<= 1.3")


def among_importers(scale: Scale) -> Iterator[Row]:
    """A body edit of a file that many import, beside that of a file in the same folder that none does."""
    many = scale(1000)
    first: list[list[float]] = [[], []]
    for start in range(scale(20)):
        with folder() as hots, imported_and_not(hots, many) as saves:
            first[start % 2].append(saves[start % 2](1))
    with folder() as hots, imported_and_not(hots, many) as saves:
        imported, alone = in_turn(scale(200), *saves)
        stale = [name for name in sys.modules if name.startswith("hots.user") and sys.modules[name].use() != scale(200)]
        assert not stale, f"{len(stale)} importers run the old body"  # noqa: S101 - a figure for wrong work is none
    what = f"body edit, {many} files import it (none does)"
    yield Row(what, f"{imported:.2f} ms", f"{alone:.2f} ms", f"{imported / alone:.2f}", "<= 1.2")
    imported, alone = (statistics.median(found) * 1000 for found in first)
    yield Row("  the first edit after a start", f"{imported:.2f} ms", f"{alone:.2f} ms", f"{imported / alone:.2f}")


@contextmanager
def floor(path: Path) -> Iterator[Save]:
    """Yield the least a save can cost: read inotify, read the file, compile, exec, in a thread that does nothing else."""
    path.mkdir()
    file = path / "floor.py"
    replace(file, only_a_body(0))
    seen: dict[str, Any] = {"probe": int}
    watch = Inotify(str(path))

    def work() -> None:
        for name in watch.saved():
            if name == file.name:
                namespace: dict[str, Any] = {}
                exec(compile(file.read_bytes(), str(file), "exec"), namespace)
                seen.update(namespace)

    threading.Thread(target=work, daemon=True).start()
    yield lambda version: save_and_wait(file, only_a_body(version), lambda: seen["probe"]() == version)
    watch.stop()


@contextmanager
def constant_in(hots: Path) -> Iterator[Save]:
    """Watch a folder with one more file, whose constant changes."""
    path = hots / "handler.py"
    replace(path, hundred_lines(0))
    with shell() as live:
        yield save_of_constant(live, path)


def save_of_constant(live: InteractiveShell, path: Path) -> Save:
    """Return how a file's constant is saved, until ``hot.handlers`` has it."""
    handlers = live.user_ns["hot"].handlers
    return lambda version: save_and_wait(path, hundred_lines(version), lambda: handlers[path.stem].RATE == version)


def save_of_body(path: Path) -> Save:
    """Return how a function's body is saved, until the function that somebody holds runs it."""
    held = sys.modules[f"hots.{path.stem}"].probe
    return lambda version: save_and_wait(path, only_a_body(version), lambda: held() == version)


@contextmanager
def imported_and_not(hots: Path, importers: int) -> Iterator[list[Save]]:
    """Watch a folder with two equal files, one of which all others import."""
    files = [hots / "base.py", hots / "alone.py"]
    for file in files:
        replace(file, only_a_body(0))
    for index in range(importers):
        (hots / f"user{index}.py").write_text("from .base import probe\n\n\ndef use():\n    return probe()\n")
    with shell():
        yield [save_of_body(file) for file in files]


def jurigged_save(path: Path, rounds: int) -> float:
    """Return the median of the same save of a body, with jurigged watching."""
    import jurigged

    replace(path, only_a_body(0))
    watcher = jurigged.watch(str(path.parent), logger=lambda _: None)
    import plain  # type: ignore[import-not-found]  # the file just written

    held = plain.probe

    def save(version: int) -> float:
        text = only_a_body(version)
        began = time.perf_counter()
        path.write_text(text)  # jurigged does not see a file that is renamed into place
        wait(lambda: held() == version, "jurigged's file")
        return time.perf_counter() - began

    (found,) = in_turn(rounds, save)
    watcher.stop()
    return found


def autoreload_cell(path: Path, rounds: int) -> float:
    """Return what ``%autoreload 2`` adds to the next cell after the same save: such a cell minus one without a save."""
    replace(path, only_a_body(0))
    live = InteractiveShell.instance()
    live.run_line_magic("load_ext", "autoreload")
    live.run_line_magic("autoreload", "2")
    live.run_cell("from plain import probe as held")
    live.run_cell("x = 1")
    was, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # byte code of the same second would hide an edit

    def cell(_: int) -> float:
        began = time.perf_counter()
        live.run_cell("x = 1")
        return time.perf_counter() - began

    def cell_after_edit(version: int) -> float:
        replace(path, only_a_body(version))
        seconds = cell(version)
        assert live.user_ns["held"]() == version, "autoreload missed an edit"  # noqa: S101 - as above
        return seconds

    try:
        without, after = in_turn(rounds, cell, cell_after_edit)
    finally:
        live.run_line_magic("autoreload", "0")
        sys.dont_write_bytecode = was
    return after - without
