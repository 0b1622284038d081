"""Very many changes at once: whether they are one generation, when it is live, and whether anything is lost."""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ground import PATIENCE, Row, Scale, folder, only_a_body, shell, wait

ALONE = "import sys, pathlib, bursts; print(bursts.compile_and_execute(pathlib.Path(sys.argv[1])))"
AFTERWARDS = 0.3  # seconds in which a second generation would have come
TESTS = Path(__file__).parent.parent / "tests"


def checkout(scale: Scale) -> Iterator[Row]:
    """A checkout that changes 500 files, idle and beside two busy processes."""
    files = scale(500)
    for what, busy in (("idle", 0), ("beside 2 busy processes", 2)):
        with folder() as hots, busy_processes(busy):
            git = repository(hots, files)
            with shell() as live:
                hot = live.user_ns["hot"]
                times, generations, bases, alone = [], [], [], []
                for number in range(10):
                    bases.append(compile_and_execute(hots))
                    alone.append(
                        float(subprocess.check_output([sys.executable, "-c", ALONE, str(hots)], cwd=Path(__file__).parent))
                    )
                    branch = ("two", "one")[number % 2]
                    before = hot.generation
                    git("checkout", "-q", branch)
                    last = max(path.stat().st_ctime for path in hots.glob("*.py"))
                    value = {"one": 1, "two": 2}[branch]
                    hot.wait(partial(are_all, hot, value), timeout=PATIENCE * 6)
                    time.sleep(AFTERWARDS)
                    generations.append(hot.generation - before)
                    times.append(hot.history[-1].at - last)
        own = statistics.median(times)
        for beside, seconds, bar in (("compile, exec", bases, "<= 1.5"), ("the same in a fresh process", alone, "")):
            base = statistics.median(seconds)
            label = f"checkout of {files} files, {what} ({beside})"
            yield Row(label, f"{own * 1e3:.0f} ms", f"{base * 1e3:.0f} ms", f"{own / base:.2f}", bar)
        yield Row(f"  generations of 10 checkouts, {what}", str(sum(generations)), str(generations), "", "10")


def are_all(hot: Any, value: int) -> bool:
    """Tell whether all modules are of one branch, and it has been told."""
    is_told = bool(hot.history) and hot.history[-1].generation == hot.generation
    return is_told and all(module.probe() == value for module in hot.handlers.values())


def repository(hots: Path, files: int):
    """Return git, in a repository with two branches."""

    def git(*arguments: str) -> None:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        subprocess.run(["git", *arguments], cwd=hots, env=environment, check=True)  # noqa: S607 - whichever there is

    git("init", "-q", "-b", "one")
    for branch, value in (("one", 1), ("two", 2)):
        git("checkout", "-q", "-B", branch)
        for index in range(files):
            (hots / f"m{index}.py").write_text(only_a_body(value))
        git("add", "-A")
        git("-c", "user.email=s@example.org", "-c", "user.name=S", "commit", "-q", "-m", branch)
    git("checkout", "-q", "one")
    return git


def compile_and_execute(hots: Path) -> float:
    """Return the seconds that compiling and executing all files takes."""
    texts = [path.read_bytes() for path in hots.glob("*.py")]
    began = time.perf_counter()
    for text in texts:
        exec(compile(text, "file", "exec"), {})
    return time.perf_counter() - began


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Keep some processors busy."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def storm(scale: Scale) -> Iterator[Row]:
    """Very many writes as fast as the disk takes them, some of them broken: `hot` must equal the disk afterwards."""
    writes, right, runs = scale(10_000), 0, 20
    longest = 0.0
    for _ in range(runs):
        with folder() as hots:
            for index in range(200):
                (hots / f"m{index}.py").write_text("exports = -1\n")
            with shell() as live:
                thread = threading.Thread(target=write_all, args=[hots, writes])
                thread.start()
                thread.join()
                began = time.perf_counter()
                wanted = {f"m{number % 200}": number for number in range(writes - 200, writes)}
                hot = live.user_ns["hot"]
                try:
                    wait(partial(equals, hot, wanted), "the storm")
                    right += 1
                except TimeoutError:
                    continue
                longest = max(longest, time.perf_counter() - began)
    yield Row(f"{writes} writes over 200 files: equal to the disk", f"{right}", f"{runs} runs", "", "every time")
    yield Row("  longest time after the last write", f"{longest * 1e3:.0f} ms")


def equals(hot: Any, wanted: dict[str, int]) -> bool:
    """Tell whether the handlers are just those, and nothing is wrong."""
    return dict(hot.handlers) == wanted and not hot.errors


def write_all(hots: Path, writes: int) -> None:
    """Write round after round; one in seven is broken, but for the last round."""
    for number in range(writes):
        is_broken = number % 7 == 0 and number < writes - 200
        (hots / f"m{number % 200}.py").write_text(f"exports = ({number}\n" if is_broken else f"exports = {number}\n")


def churn(scale: Scale) -> Iterator[Row]:
    """Random changes of files and folders; see tests/churn.py."""
    sys.path.insert(0, str(TESTS))
    import churn as walk
    from watched import Watched

    seeds, seconds, right, steps = scale(20), 10.0, 0, 0
    for seed in range(1000, 1000 + seeds):
        with tempfile.TemporaryDirectory() as top:
            watched = Watched(Path(top))
            watched.start()
            try:
                steps += walk.run(watched, seed, seconds)
                right += not watched.notes
            except AssertionError as error:
                print(f"seed {seed}: {error}", file=sys.stderr)
            watched.stop()
    yield Row(f"churn, {seconds:g} s each ({steps} changes): table = disk", f"{right}", f"{seeds} seeds", "", "every time")
