"""Python's collector while files are loaded: full collections come more seldom, and nobody finds that changed."""

import gc
import sys
from collections.abc import Iterator

import pytest
from conftest import Files
from watched import Watched

from ipyhot.core.garbage import RESPITE
from ipyhot.watch.watcher import Watcher


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="there it collects in small steps, whatever is set")
def test_full_collections_come_more_seldom_only_while_files_are_loaded(
    files: Files, thresholds: tuple[int, int, int]
) -> None:
    files.start(a="import gc\nseen, is_on = gc.get_threshold(), gc.isenabled()\n")
    assert files["a"].seen[:2] == thresholds[:2]
    assert files["a"].seen[2] > thresholds[2]
    assert files["a"].is_on
    assert gc.get_threshold() == thresholds


def test_the_collector_is_as_before_when_a_file_cannot_be_loaded(files: Files, thresholds: tuple[int, int, int]) -> None:
    files.start(a="raise BaseException\n", b="def broken(:\n")
    assert files.failures == {"a", "b"}
    assert gc.get_threshold() == thresholds


def test_thresholds_that_a_file_sets_stay(files: Files) -> None:
    files.start(a="import gc\ngc.set_threshold(1000, 20, 30)\n")
    assert gc.get_threshold() == (1000, 20, 30)


def test_thresholds_that_are_very_high_already_are_no_error(files: Files) -> None:
    gc.set_threshold(700, 10, 2**31 - 1)
    files.start(a="x = 1\n")
    assert files["a"].x == 1
    assert gc.get_threshold() == (700, 10, 2**31 - 1)


def test_two_that_want_a_respite_at_once_may_end_in_any_order(thresholds: tuple[int, int, int]) -> None:
    RESPITE.begin()
    RESPITE.begin()
    RESPITE.end()
    during = gc.get_threshold()
    RESPITE.end()
    assert during != thresholds
    assert gc.get_threshold() == thresholds


def test_a_burst_is_read_and_handed_over_without_full_collections(
    watched: Watched, thresholds: tuple[int, int, int]
) -> None:
    seen = []
    watched.watcher.stop()
    watched.watcher = Watcher(lambda batch: (seen.append(gc.get_threshold()), watched._take(batch)))
    watched.start()
    watched.write({"a.py": "A = 1\n"})
    watched.wait_for(a="A = 1\n")
    assert watched.watcher.catch_up(10)
    assert seen == [thresholds]  # one file makes no garbage to speak of
    names = [f"m{number}" for number in range(100)]
    watched.write({f"{name}.py": "A = 1\n" for name in names})
    watched.wait_for(**dict.fromkeys(names, "A = 1\n"))
    assert watched.watcher.catch_up(10)
    assert set(seen) != {thresholds}
    assert gc.get_threshold() == thresholds
