"""From a save to what a person sees in a real JupyterLab, and what the panel costs the page. Needs Chromium.

Times are taken by one clock: Python's just before a save's last system call, and the page's, by a MutationObserver.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ground import Row, Scale

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import lab

WATCH = "%load_ext ipyhot\n%hotwatch ./hots"
_SECONDS = 300.0  # that all rounds in one notebook may take
_WATCH_DOM = """selector => {
    window.seen = {};
    const look = () => {
        for (const found of document.querySelectorAll(selector)) {
            const text = found.dataset.gen ?? found.innerText.trim();
            window.seen[text] ??= performance.timeOrigin + performance.now();
        }
    };
    const all = {subtree: true, childList: true, characterData: true, attributes: true};
    new MutationObserver(look).observe(document.body, all);
}"""


def in_the_browser(scale: Scale) -> Iterator[Row]:
    """Panel and hot cell after a save; the page's main thread per update of the panel."""
    if (reason := lab.missing()) is not None:
        yield Row("in JupyterLab", "not measured", reason)
        return
    rounds = max(5, scale(20))
    with tempfile.TemporaryDirectory() as top, lab.serving(Path(top)) as (address, root), lab.browsing(address) as tab:
        page = tab.page()
        file = {"a.py": "exports = 0\n"}
        panel = _delays(lab.opened(page, root / "panel", [WATCH], file, seconds=_SECONDS), rounds, ".ipyhot-panel")
        lab.close_notebooks(page)
        cells = [WATCH, "%%hotcell\nprint('now', hot.handlers.a)"]
        book = lab.opened(page, root / "cell", cells, file, seconds=_SECONDS)
        cell = _delays(book, rounds, ".jp-OutputArea-output pre")
        lab.close_notebooks(page)
        costs = [_cost_of_updates(page, root / f"many{count}", count, rounds) for count in (30, 1000)]
    middle, worst = statistics.median(panel), max(panel)
    yield Row("save -> panel changed in the DOM, median", f"{middle:.1f} ms", bar="<= 15 ms")
    yield Row("  the slowest", f"{worst:.1f} ms", bar="<= 60 ms")
    yield Row("save -> hot cell's new output in the DOM, median", f"{statistics.median(cell):.1f} ms", bar="<= 40 ms")
    for count, cost, bar in zip((30, 1000), costs, (10, 15), strict=True):
        yield Row(f"page's main thread per panel update, {count} handlers", f"{cost:.1f} ms", bar=f"<= {bar} ms")


def _delays(book: lab.Notebook, rounds: int, selector: str) -> list[float]:
    """Return the milliseconds from each of some saves until the page shows it."""
    for index in range(book.locator(".jp-CodeCell").count()):
        book.run(index)
    book.panel(gen=1)
    book.evaluate(_WATCH_DOM, f"{lab.FRONT} {selector}")
    found = []
    for version in range(1, rounds + 1):
        path, beside = book.hots / "a.py", book.hots / ".a.py.new"
        beside.write_text(f"exports = {version}\n")
        began = time.time()
        os.replace(beside, path)
        wanted = str(version + 1) if "panel" in selector else f"now {version}"
        book.page.wait_for_function("wanted => wanted in window.seen", arg=wanted, polling=50)
        found.append(book.evaluate("wanted => window.seen[wanted]", wanted) - began * 1000)
        book.page.wait_for_timeout(250)  # as a person does: not within the tenth of a second that the panel rests
    return found


def _cost_of_updates(page: Any, folder: Path, count: int, rounds: int) -> float:
    """Return the milliseconds that the page's main thread is busy for one update, the idle page's own work taken off."""
    files = {f"group{n // 100}/m{n}.py": "exports = 0\n" for n in range(count)}
    book = lab.opened(page, folder, [WATCH], files, seconds=_SECONDS)
    book.run(0)
    book.panel(gen=1)
    meter = page.context.new_cdp_session(page)
    meter.send("Performance.enable")

    def busy() -> float:
        metrics = {entry["name"]: entry["value"] for entry in meter.send("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"])

    def seconds_of(work: bool) -> float:  # noqa: FBT001 - two runs of one loop
        before = busy()
        for version in range(1, rounds + 1):
            if work:
                book.save({"group0/m7.py": f"exports = {version}\n"})
            page.wait_for_timeout(250)
        return busy() - before

    idle, working = seconds_of(work=False), seconds_of(work=True)
    book.panel(gen=rounds + 1)
    lab.close_notebooks(page)
    return (working - idle) / rounds * 1000
