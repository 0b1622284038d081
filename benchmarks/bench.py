"""Everything the README and the issues put a number on, measured side by side in one run: `make bench`.

Each line gives ipyhot's figure, what it is compared with (in brackets), their ratio and the bar. Times are medians.
"""

import argparse
from collections.abc import Callable, Iterator

import cells
import growth
import pauses
import saves
import walks
from ground import Row, Scale

PARTS: dict[str, Callable[[Scale], Iterator[Row]]] = {
    "save": saves.one_file,
    "save-many": saves.among_many,
    "importers": saves.among_importers,
    "cell": cells.cost,
    "access": cells.access,
    "heap": walks.one_pass,
    "heap-scenarios": walks.in_scenarios,
    "pause": pauses.pauses,
    "growth": growth.growth,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog=f"Parts: {', '.join(PARTS)}.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    parser.add_argument("--only", metavar="WORD", default="", help="just the parts whose name contains a word")
    given = parser.parse_args()
    print(Row("what", "ipyhot", "beside", "ratio", "bar"))
    for name, part in PARTS.items():
        if given.only in name:
            for row in part(lambda rounds: max(1, rounds // 10) if given.quick else rounds):
                print(row, flush=True)


if __name__ == "__main__":
    main()
