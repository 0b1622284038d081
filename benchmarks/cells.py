"""What ipyhot costs when nothing is saved: a cell, and each way to reach a handler."""

import statistics
import time
import timeit
import types
from collections.abc import Iterator

from ground import Row, Scale, folder, hundred_lines, other_files, replace, shell
from IPython.core.interactiveshell import InteractiveShell


def cost(scale: Scale) -> Iterator[Row]:
    """A cell with nothing, with ipyhot and many handlers, and with autoreload on the same modules."""
    many = scale(10_000)
    with folder() as hots:
        other_files(hots, many)
        plain = InteractiveShell.instance()
        _cell(plain, 200)
        without = _cell(plain, 2000)
        with shell() as live:
            ours = _cell(live, 2000)
            live.run_line_magic("load_ext", "autoreload")
            live.run_line_magic("autoreload", "2")
            _cell(live, 3)
            autoreload = _cell(live, 20)
            live.run_line_magic("autoreload", "0")
    what = f"cell x = 1, {many} handlers (no extension)"
    bar = f"<= +50 us (autoreload: +{autoreload - without:.0f} us)"
    yield Row(what, f"{ours:.0f} us", f"{without:.0f} us", f"+{ours - without:.0f} us", bar)


def access(scale: Scale) -> Iterator[Row]:  # noqa: ARG001 - a nanosecond needs its rounds
    """Each way to reach a handler after a reload, beside plain Python."""
    with folder() as hots:
        replace(hots / "handler.py", hundred_lines(0))
        with shell() as live:
            live.run_cell("from hots.handler import probe as f; import hots.handler as m")
            hot = live.user_ns["hot"]
            replace(hots / "handler.py", hundred_lines(1))
            hot.wait(generation=2)
            names = {"m": live.user_ns["m"], "f": live.user_ns["f"], "hot": hot}
            for code, beside, bar in _WAYS:
                mine, theirs = _nanoseconds(code, names), _nanoseconds(beside, _plain())
                yield Row(
                    f"{code} after a reload (plain)", f"{mine:.1f} ns", f"{theirs:.1f} ns", f"{mine / theirs:.2f}", bar
                )


_WAYS = [
    ("m.RATE", "m.RATE", "1 within noise"),
    ("m.probe()", "m.probe()", "1 within noise"),
    ("f()", "f()", "1 within noise"),
    ("hot.handlers.handler", "h.m", "<= 3"),
]


def _plain() -> dict[str, object]:
    module = types.ModuleType("plain")
    exec(hundred_lines(1), vars(module))
    return {"m": module, "f": module.probe, "h": types.SimpleNamespace(m=module)}


def _cell(shell: InteractiveShell, rounds: int) -> float:
    """Return the median microseconds of a cell `x = 1`."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        shell.run_cell("x = 1")
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def _nanoseconds(code: str, names: dict[str, object]) -> float:
    timer = timeit.Timer(code, globals=names)
    return min(timer.repeat(7, 200_000)) / 200_000 * 1e9
