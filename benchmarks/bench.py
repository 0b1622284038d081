"""Everything the README and the issues put a number on, measured side by side in one run: `make bench`.

Each line gives ipyhot's figure, what it is compared with, their ratio and the bar. Times are medians.
"""

import argparse
import gc
import io
import os
import random
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from inotify import Inotify
from IPython.core.interactiveshell import InteractiveShell

ROUNDS = 200
FUNCTION = "def f{index}(value, factor={factor}):\n    total = value * factor\n    return total + RATE\n\n\n"


def hundred_lines(version: int) -> str:
    """Return a file of 100 lines: imports, a constant, functions and a class."""
    head = f"import math\nimport os\n\n\nRATE = {version}\n\n\ndef probe():\n    return {version}\n\n\n"
    tail = (
        "class Order:\n    limit = 10\n\n    def __init__(self, amount):\n        self.amount = amount\n\n"
        "    def total(self):\n        return self.amount * RATE\n"
    )
    body = "".join(FUNCTION.format(index=index, factor=index) for index in range(16))
    return head + body + tail


def replace(path: Path, text: str) -> None:
    """Save as editors do: write beside, then rename."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    os.replace(beside, path)


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a new folder named `hots`, current and importable."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as top:
        os.chdir(top)
        sys.path.insert(0, top)
        path = Path(top, "hots")
        path.mkdir()
        try:
            yield path
        finally:
            os.chdir(before)
            sys.path.remove(top)
            for name in [name for name in sys.modules if name.split(".")[0] in {"hots", "plain"}]:
                del sys.modules[name]


@contextmanager
def shell() -> Iterator[InteractiveShell]:
    """Yield a real IPython shell with ipyhot loaded."""
    shell = InteractiveShell.instance()
    with redirect_stdout(io.StringIO()):
        shell.run_line_magic("load_ext", "ipyhot")
        try:
            yield shell
        finally:
            shell.run_line_magic("unload_ext", "ipyhot")
            shell.extension_manager.loaded.discard("ipyhot")


def median_ms(times: list[float]) -> float:
    return statistics.median(times) * 1000


def save_and_wait(path: Path, version: int, is_live: Callable[[int], bool]) -> float:
    """Return the seconds from just before a save's last system call until its code answers."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(hundred_lines(version))
    began = time.perf_counter()
    os.replace(beside, path)
    end = began + 5
    while not is_live(version):
        if time.perf_counter() > end:
            raise TimeoutError(f"version {version} never went live")
        time.sleep(0.00005)
    return time.perf_counter() - began


def floor(path: Path, rounds: int) -> float:
    """Return the median of: read inotify, read the file, compile, exec, in one thread that does nothing else."""
    replace(path, hundred_lines(0))
    seen: dict[str, object] = {}
    watch = Inotify(str(path.parent))

    def work() -> None:
        for name in watch.saved():
            if name == path.name:
                data = path.read_bytes()
                namespace: dict[str, object] = {}
                exec(compile(data, str(path), "exec"), namespace)
                seen.update(namespace)

    threading.Thread(target=work, daemon=True).start()
    times = [save_and_wait(path, version, lambda n: bool(seen.get("RATE") == n)) for version in range(1, rounds + 1)]
    watch.stop()
    return median_ms(times)


def ipyhot_save(path: Path, rounds: int, others: int = 0) -> float:
    """Return the median of a save until `hot.handlers` has it, with some other files watched."""
    replace(path, hundred_lines(0))
    for index in range(others):
        group = path.parent / f"group{index // 100}"
        group.mkdir(exist_ok=True)
        (group / f"other{index}.py").write_text(f"VALUE = {index}\n")
    with shell() as live:
        live.run_line_magic("hotwatch", "./hots --quiet")
        handlers = live.user_ns["hot"].handlers
        random_versions = range(1, rounds + 1)
        return median_ms([save_and_wait(path, n, lambda n: handlers.handler.RATE == n) for n in random_versions])


def jurigged_save(path: Path, rounds: int) -> float:
    """Return the median of a save until the module has it, with jurigged watching."""
    import jurigged

    path = path.parent.parent / "plain.py"
    replace(path, hundred_lines(0))
    watcher = jurigged.watch(str(path.parent), logger=lambda _: None)
    import plain  # type: ignore[import-not-found]  # written just above

    times = []
    for version in range(1, rounds + 1):
        text = hundred_lines(version)
        began = time.perf_counter()
        path.write_text(text)  # jurigged does not see a file that is renamed into place
        while plain.RATE != version or plain.probe() != version:
            time.sleep(0.00005)
        times.append(time.perf_counter() - began)
    watcher.stop()
    return median_ms(times)


def cell(shell: InteractiveShell, rounds: int) -> float:
    """Return the median microseconds of a cell `x = 1`."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        shell.run_cell("x = 1")
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def cells(path: Path, handlers: int) -> tuple[float, float, float]:
    """Return a cell's cost with nothing, with ipyhot and many handlers, and with autoreload on the same modules."""
    for index in range(handlers):
        group = path.parent / f"group{index // 100}"
        group.mkdir(exist_ok=True)
        (group / f"other{index}.py").write_text(f"VALUE = {index}\n")
    plain = InteractiveShell.instance()
    cell(plain, 200)
    without = cell(plain, 2000)
    with shell() as live:
        live.run_line_magic("hotwatch", "./hots --quiet")
        with_ipyhot = cell(live, 2000)
        live.run_line_magic("load_ext", "autoreload")
        live.run_line_magic("autoreload", "2")
        cell(live, 3)
        with_autoreload = cell(live, 20)
        live.run_line_magic("autoreload", "0")
    return without, with_ipyhot, with_autoreload


def access(path: Path) -> dict[str, tuple[float, float]]:
    """Return nanoseconds after a reload and in plain Python, for each way to reach a handler."""
    replace(path, hundred_lines(0))
    with shell() as live:
        live.run_line_magic("hotwatch", "./hots --quiet")
        live.run_cell("from hots.handler import probe as f; import hots.handler as m")
        hot = live.user_ns["hot"]
        replace(path, hundred_lines(1))
        hot.wait(generation=2)
        import types

        module = types.ModuleType("plain")
        exec(hundred_lines(1), vars(module))
        holder = types.SimpleNamespace(m=module)
        names = {"m": live.user_ns["m"], "f": live.user_ns["f"], "hot": hot}
        plain = {"m": module, "f": module.probe, "hot": types.SimpleNamespace(handlers=holder)}
        ours, theirs = {}, {}
        for code in ("m.RATE", "m.probe()", "f()", "hot.handlers.handler"):
            ours[code] = _nanoseconds(code, names)
            theirs[code] = _nanoseconds(code.replace("hot.handlers.handler", "hot.handlers.m"), plain)
        theirs["hot.handlers.handler"] = _nanoseconds("h.m", {"h": holder})
        return {code: (ours[code], theirs[code]) for code in ours}


def _nanoseconds(code: str, names: dict[str, object]) -> float:
    import timeit

    timer = timeit.Timer(code, globals=names)
    return min(timer.repeat(7, 200_000)) / 200_000 * 1e9


def growth(path: Path, good: int, bad: int) -> dict[str, list[int]]:
    """Return, at five points of many reloads, what the process holds; good ones first, then failing ones."""
    import linecache

    rows: dict[str, list[int]] = {"KiB": [], "objects": [], "modules": [], "lines": []}

    def note() -> None:
        gc.collect()
        rows["KiB"].append(_resident_kib())
        rows["objects"].append(len(gc.get_objects()))
        rows["modules"].append(len(sys.modules))
        rows["lines"].append(len(linecache.cache))

    replace(path, hundred_lines(0))
    with shell() as live:
        live.run_line_magic("hotwatch", "./hots --quiet")
        hot = live.user_ns["hot"]
        engine = hot._session.engine  # the observer is left out: 10,000 saves are one second of engine, minutes of disk
        for total, text in ((good, hundred_lines), (bad, lambda n: f"A = {n}\nraise ValueError(A)\n")):
            for index in range(1, 300):
                path.write_text(text(10**6 + index))
                engine.update(["hots.handler"])
            note()
            for index in range(total):
                path.write_text(text(index))
                engine.update(["hots.handler"])
                if (index + 1) % (total // 4) == 0:
                    note()
    return rows


def _resident_kib() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))


def row(what: str, ours: str, beside: str, ratio: str, bar: str) -> None:
    print(f"{what:<52}{ours:>14}{beside:>26}{ratio:>12}   {bar}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    quick = parser.parse_args().quick
    rounds, many = (20, 1000) if quick else (ROUNDS, 10_000)
    random.seed(1)
    row("what", "ipyhot", "beside", "ratio", "bar")
    with folder() as hots:
        base = floor(hots / "floor.py", rounds)
    with folder() as hots:
        one = ipyhot_save(hots / "handler.py", rounds)
    row("save, 100 lines -> live (floor)", f"{one:.2f} ms", f"{base:.2f} ms", f"{one / base:.2f}", "<= 3")
    with folder() as hots:
        crowd = ipyhot_save(hots / "handler.py", rounds, others=many)
    row(f"the same, {many} files watched (one file)", f"{crowd:.2f} ms", f"{one:.2f} ms", f"{crowd / one:.2f}", "<= 1.3")
    with folder() as hots:
        without, ours, autoreload = cells(hots / "handler.py", many)
    row(
        f"cell x = 1, {many} handlers (no extension)",
        f"{ours:.0f} us",
        f"{without:.0f} us",
        f"+{ours - without:.0f} us",
        f"<= +50 us (autoreload: +{autoreload - without:.0f} us)",
    )
    with folder() as hots:
        for code, (mine, plain) in access(hots / "handler.py").items():
            bar = "<= 3" if code.startswith("hot") else "1 within noise"
            row(f"{code} after a reload (plain)", f"{mine:.1f} ns", f"{plain:.1f} ns", f"{mine / plain:.2f}", bar)
    good, bad = (400, 200) if quick else (10_000, 2_000)
    with folder() as hots:
        for what, values in growth(hots / "handler.py", good, bad).items():
            half = len(values) // 2
            row(f"{what} over {good} good reloads", f"{values[half - 1] - values[0]:+d}", str(values[:half]), "", "flat")
            row(f"{what} over {bad} failing reloads", f"{values[-1] - values[half]:+d}", str(values[half:]), "", "flat")
    with folder() as hots:
        peer = jurigged_save(hots / "handler.py", max(10, rounds // 5))
    row("save -> live (jurigged)", f"{one:.2f} ms", f"{peer:.2f} ms", f"{peer / one:.0f} x faster", ">= 10 x")


if __name__ == "__main__":
    main()
