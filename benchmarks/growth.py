"""What a process holds after very many reloads."""

import gc
import linecache
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from ground import Row, Scale, engine, folder, hundred_lines, replace


def growth(scale: Scale) -> Iterator[Row]:
    """Memory, objects, modules and cached lines at five points of many reloads; good ones first, then failing ones."""
    good, bad = scale(10_000), scale(2_000)
    with folder() as hots:
        for what, values in _held(hots / "handler.py", good, bad).items():
            half = len(values) // 2
            yield Row(
                f"{what} over {good} good reloads", f"{values[half - 1] - values[0]:+d}", str(values[:half]), "", "flat"
            )
            yield Row(
                f"{what} over {bad} failing reloads", f"{values[-1] - values[half]:+d}", str(values[half:]), "", "flat"
            )


def _held(path: Path, good: int, bad: int) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {"KiB": [], "objects": [], "modules": [], "lines": []}

    def note() -> None:
        gc.collect()
        rows["KiB"].append(_resident_kib())
        rows["objects"].append(len(gc.get_objects()))
        rows["modules"].append(len(sys.modules))
        rows["lines"].append(len(linecache.cache))

    replace(path, hundred_lines(0))
    with engine() as live:  # without the observer: 10,000 saves are some seconds of engine, and minutes of disk
        for total, text in ((good, hundred_lines), (bad, lambda n: f"A = {n}\nraise ValueError(A)\n")):
            for index in range(1, 300):
                path.write_text(text(10**6 + index))
                live.update(["hots.handler"])
            note()
            for index in range(total):
                path.write_text(text(index))
                live.update(["hots.handler"])
                if (index + 1) % (total // 4) == 0:
                    note()
    return rows


def _resident_kib() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))
