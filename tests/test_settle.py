"""Settling with a clock of our own; times in seconds."""

import pytest

from ipyhot.watch.settle import ELSEWHERE, LINUX, Hint, Kind, Settler, waits


def fed(*hints: tuple[Kind, str, float]) -> Settler:
    settler = Settler()
    for kind, path, at in hints:
        settler.feed(Hint(kind, path, at))
    return settler


def test_nothing_is_due_when_nothing_came() -> None:
    assert Settler().due() is None


def test_a_single_finished_save_is_due_at_once() -> None:
    settler = fed((Kind.DONE, "a", 5.0))
    assert settler.due() == 5.0
    assert settler.is_over(5.0)
    assert settler.take(5.0).keys() == {"a"}
    assert settler.due() is None


def test_each_further_change_of_a_burst_puts_the_end_off() -> None:
    settler = fed(*[(Kind.DONE, f"f{index}", index * 0.01) for index in range(10)])
    assert settler.due() == pytest.approx(0.09 + 0.040)


def test_a_burst_that_does_not_end_is_taken_after_its_upper_bound() -> None:
    settler = fed(*[(Kind.DONE, f"f{index % 9}", index * 0.03) for index in range(200)])
    assert settler.due() == pytest.approx(3.0)
    assert settler.is_endless(3.0)
    assert not settler.is_endless(2.9)


def test_a_deletion_waits_for_the_file_to_come_back() -> None:
    settler = fed((Kind.GONE, "a", 1.0))
    assert settler.due() == pytest.approx(1.0 + LINUX.grace)
    settler.feed(Hint(Kind.DONE, "a", 1.01))
    assert settler.due() == pytest.approx(1.01)


def test_what_has_been_gone_for_too_short_a_time_is_left_when_an_endless_burst_is_taken() -> None:
    settler = fed(*[(Kind.DONE, f"f{index % 9}", index * 0.03) for index in range(100)], (Kind.GONE, "f1", 2.95))
    assert "f1" not in settler.take(3.0)
    assert settler.due() == pytest.approx(2.95 + LINUX.grace)
    assert settler.take(3.2).keys() == {"f1"}


def test_an_empty_file_waits_for_its_text() -> None:
    settler = fed((Kind.EMPTY, "a", 1.0))
    assert settler.due() == pytest.approx(1.0 + LINUX.grace)


def test_a_file_that_was_found_different_waits_a_little() -> None:
    settler = fed((Kind.FOUND, "a", 1.0))
    assert settler.due() == pytest.approx(1.0 + LINUX.found)


@pytest.mark.parametrize("kind", [Kind.DONE, Kind.EMPTY, Kind.FOUND])
def test_what_was_found_different_is_no_news_if_more_is_known(kind: Kind) -> None:
    settler = fed((kind, "a", 1.0))
    before = settler.due()
    assert settler.feed(Hint(Kind.FOUND, "a", 1.001)) is False
    assert settler.due() == before


def test_a_file_that_is_written_waits_for_its_writer() -> None:
    settler = fed((Kind.OPEN, "a", 1.0))
    assert settler.due() == pytest.approx(1.0 + LINUX.open)
    assert not settler.burst
    assert settler.feed(Hint(Kind.FOUND, "a", 1.1)) is False
    settler.feed(Hint(Kind.DONE, "a", 1.2))
    assert settler.due() == pytest.approx(1.2)


def test_a_file_that_is_written_again_is_no_longer_complete() -> None:
    settler = fed((Kind.DONE, "a", 1.0), (Kind.OPEN, "a", 1.001))
    assert not settler.burst
    assert not settler.is_over(1.5)


def test_a_file_that_is_still_written_does_not_hold_up_another() -> None:
    settler = fed((Kind.OPEN, "slow", 1.0), (Kind.DONE, "a", 1.1))
    assert settler.due() == pytest.approx(1.1)
    assert settler.take(1.1).keys() == {"a"}
    assert settler.due() == pytest.approx(1.0 + LINUX.open)


def test_a_file_that_was_not_closed_long_after_its_last_write_is_given_up_once() -> None:
    settler = fed((Kind.OPEN, "a", 1.0), (Kind.OPEN, "b", 1.5), (Kind.OPEN, "a", 1.75))
    assert settler.abandoned(1.25 + LINUX.open) == []
    assert settler.abandoned(1.5 + LINUX.open) == ["b"]
    assert settler.abandoned(1.75 + LINUX.open) == ["a"]
    assert settler.abandoned(9.0 + LINUX.open) == []


def test_a_file_that_begins_while_another_ends_makes_a_burst() -> None:
    settler = fed((Kind.DONE, "a", 1.0), (Kind.OPEN, "b", 1.0))
    assert settler.due() == pytest.approx(1.015)


def test_a_tool_that_begins_something_else_makes_a_burst() -> None:
    settler = fed((Kind.DONE, "a", 1.0), (Kind.STIR, ".b.tmp", 1.0))
    assert settler.due() == pytest.approx(1.015)
    settler.take(1.015)
    settler.feed(Hint(Kind.DONE, "c", 5.0))
    assert settler.due() == pytest.approx(5.0)


def test_what_an_editor_began_before_its_save_makes_no_burst() -> None:
    settler = fed((Kind.STIR, ".a.swp", 1.0), (Kind.DONE, "a", 1.0))
    assert settler.due() == pytest.approx(1.0)


def test_files_saved_right_after_a_first_one_are_one_batch() -> None:
    settler = fed((Kind.DONE, "a", 1.0))
    settler.take(1.0)
    settler.feed(Hint(Kind.DONE, "b", 1.005))
    assert settler.due() == pytest.approx(1.005 + 0.040)


def test_the_same_file_saved_again_at_once_waits_for_nothing() -> None:
    settler = fed((Kind.DONE, "a", 1.0))
    settler.take(1.0)
    settler.feed(Hint(Kind.DONE, "a", 1.005))
    assert settler.due() == pytest.approx(1.005)


def test_a_burst_lasts_for_as_long_as_the_lock_is_held() -> None:
    settler = fed(*[(Kind.DONE, f"f{index}", 1.0) for index in range(9)])
    settler.lock(is_held=True)
    assert not settler.is_over(4.5)
    settler.lock(is_held=False)
    assert settler.due() == pytest.approx(1.0 + LINUX.unlocked)


def test_a_lock_that_is_never_released_is_waited_for_no_longer_than_its_bound() -> None:
    settler = fed((Kind.DONE, "a", 1.0))
    settler.lock(is_held=True)
    assert settler.is_over(1.0 + LINUX.lock)


def test_what_a_checkout_has_removed_needs_no_grace() -> None:
    settler = fed((Kind.GONE, "a", 1.0))
    settler.lock(is_held=True)
    settler.lock(is_held=False)
    assert settler.due() == pytest.approx(1.0 + LINUX.unlocked)


def test_a_lock_that_comes_and_goes_in_steps_is_waited_for_between_them() -> None:
    settler = fed((Kind.DONE, "a", 1.0))
    settler.lock(is_held=True, has_steps=True)
    settler.lock(is_held=False, has_steps=True)
    assert settler.due() == pytest.approx(1.0 + LINUX.steps)


def test_a_forgotten_path_is_in_no_burst() -> None:
    settler = fed((Kind.DONE, "a", 1.0), (Kind.OPEN, "b", 1.0))
    settler.forget("a")
    settler.forget("b")
    assert settler.due() is None


def test_where_nobody_tells_of_closing_each_save_is_waited_out() -> None:
    assert waits("linux") is LINUX
    for platform, patience in ELSEWHERE.items():
        settler = Settler(waits(platform))
        settler.feed(Hint(Kind.DONE, "a", 1.0))
        assert settler.due() == pytest.approx(1.0 + patience.quiet[0][1])
        assert patience.quiet[0][1] > 0
