"""Settling with a clock of our own; times in seconds."""

import pytest

from ipyhot.watch.settle import GLOW_QUIET, GONE_WAIT, NEW_WAIT, Hint, Kind, Settler


def fed(*hints: tuple[Kind, str, float]) -> Settler:
    settler = Settler()
    for kind, path, at in hints:
        settler.feed(Hint(kind, path, at))
    return settler


def test_nothing_is_due_when_nothing_came() -> None:
    assert Settler().deadline() is None


def test_a_single_finished_save_is_due_at_once() -> None:
    settler = fed((Kind.DONE, "a", 5.0))
    assert settler.deadline() == 5.0
    batch = settler.take(5.0)
    assert (batch.files, batch.first) == ({"a"}, 5.0)
    assert settler.deadline() is None


def test_each_further_event_of_a_burst_puts_the_end_off() -> None:
    settler = fed(*[(Kind.DONE, f"f{index}", index * 0.01) for index in range(10)])
    assert settler.deadline() == pytest.approx(0.09 + 0.040)


def test_a_burst_that_does_not_end_is_taken_after_its_upper_bound() -> None:
    settler = fed(*[(Kind.DONE, f"f{index % 9}", index * 0.03) for index in range(200)])
    assert settler.deadline() == pytest.approx(3.0)


def test_a_deletion_waits_for_the_file_to_come_back() -> None:
    settler = fed((Kind.GONE, "a", 1.0))
    assert settler.deadline() == pytest.approx(1.0 + GONE_WAIT)
    settler.feed(Hint(Kind.DONE, "a", 1.01))
    assert settler.deadline() == pytest.approx(1.01)


def test_a_file_that_is_only_created_waits_for_its_writer() -> None:
    settler = fed((Kind.NEW, "a", 1.0))
    assert settler.deadline() == pytest.approx(1.0 + NEW_WAIT)
    settler.feed(Hint(Kind.DONE, "a", 1.2))
    assert settler.deadline() == pytest.approx(1.2)


def test_a_file_that_is_still_written_does_not_hold_up_another() -> None:
    settler = fed((Kind.NEW, "slow", 1.0), (Kind.DONE, "a", 1.1))
    assert settler.deadline() == pytest.approx(1.1)
    assert settler.take(1.1).files == {"a"}
    assert settler.deadline() == pytest.approx(1.0 + NEW_WAIT)
    assert settler.take(1.0 + NEW_WAIT).files == {"slow"}


def test_files_saved_right_after_a_first_one_are_one_batch() -> None:
    settler = fed((Kind.DONE, "a", 1.0))
    settler.take(1.0)
    settler.feed(Hint(Kind.DONE, "b", 1.005))
    assert settler.deadline() == pytest.approx(1.005 + GLOW_QUIET)


def test_the_same_file_saved_again_at_once_waits_for_nothing() -> None:
    settler = fed((Kind.DONE, "a", 1.0))
    settler.take(1.0)
    settler.feed(Hint(Kind.DONE, "a", 1.005))
    assert settler.deadline() == pytest.approx(1.005)


def test_a_folder_is_handed_over_apart_from_files() -> None:
    batch = fed((Kind.FOLDER, "d", 1.0), (Kind.DONE, "a", 1.0)).take(2.0)
    assert (batch.files, batch.folders) == ({"a"}, {"d"})
