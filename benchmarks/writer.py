"""A process that saves a file again and again, and says when: `python writer.py HOW PATH OUTSIDE`.

For each line it is given it saves once, and prints the time just before the last system call of the save, in monotonic
nanoseconds.
"""

import os
import sys
import time


def in_place(path: str, _: str, text: str) -> int:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(file, text.encode())
    at = time.monotonic_ns()
    os.close(file)
    return at


def moved_out(path: str, outside: str, text: str) -> int:
    os.rename(path, outside)
    return in_place(path, outside, text)


def main() -> None:
    how, path, outside = sys.argv[1:]
    save = {"in-place": in_place, "moved-out": moved_out}[how]
    for line in sys.stdin:
        print(save(path, outside, f"VALUE = {line.strip()}\n" * 20), flush=True)


if __name__ == "__main__":
    main()
