"""Everything the README and the issues put a number on, measured side by side in one run: `make bench`.

Each line gives ipyhot's figure, what it is compared with (in brackets), their ratio and the bar. Times are medians.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Iterator

import bursts
import cells
import growth
import hearing
import notebook
import pauses
import saves
import walks
from ground import Row, Scale

PARTS: dict[str, Callable[[Scale], Iterator[Row]]] = {
    "save": saves.one_file,
    "save-many": saves.among_many,
    "watch-latency": hearing.latency,
    "watch-start": hearing.starts,
    "watch-idle": hearing.idle,
    "burst-checkout": bursts.checkout,
    "burst-storm": bursts.storm,
    "burst-churn": bursts.churn,
    "importers": saves.among_importers,
    "cell": cells.cost,
    "access": cells.access,
    "heap": walks.one_pass,
    "heap-scenarios": walks.in_scenarios,
    "pause": pauses.pauses,
    "growth": growth.growth,
    "notebook": notebook.in_the_browser,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog=f"Parts: {', '.join(PARTS)}.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    parser.add_argument("--only", metavar="WORD", default="", help="just the parts whose name contains a word")
    given = parser.parse_args()
    print(Row("what", "ipyhot", "beside", "ratio", "bar"), flush=True)
    spawn = multiprocessing.get_context("spawn")  # a process for each part: what jurigged hooks into one stays there
    failed = []
    for name in (name for name in PARTS if given.only in name):
        process = spawn.Process(target=run, args=(name, 10 if given.quick else 1))
        process.start()
        process.join()
        failed += [name] if process.exitcode else []
    sys.exit(f"not measured: {', '.join(failed)}" if failed else 0)


def run(name: str, share: int) -> None:
    """Print the rows of one part, measured with a share of its rounds."""
    for row in PARTS[name](lambda rounds: max(1, rounds // share)):
        print(row, flush=True)


if __name__ == "__main__":
    main()
