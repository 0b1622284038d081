"""From the disk to the batch, on real files: every change is told, once, whole, and with the right content."""

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from watched import Watched, watched_by_ordinary_user

from ipyhot.core.sources import Folder
from ipyhot.watch import lookout
from ipyhot.watch.harvest import Harvest
from ipyhot.watch.inotify import Inotify
from ipyhot.watch.lookout import Lookout
from ipyhot.watch.observer import Observed
from ipyhot.watch.settle import LINUX, Hint, Kind

SOURCES = {"inotify": {}, "watchdog": {"open_source": Observed}, "polling": {"poll": 0.02}}


# Stock watchdog warns of its own doings, in its own thread; a test that makes errors of that would kill it.
QUIET = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")


@pytest.fixture(params=[pytest.param(name, marks=QUIET if name == "watchdog" else ()) for name in SOURCES])
def start(watched: Watched, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Start watching in each of the ways there are."""
    return lambda files=None: watched.start(files, **SOURCES[request.param])


# -- whatever the source


def test_a_save_is_one_batch_with_its_content(watched: Watched, start: Callable[..., None]) -> None:
    start({"a.py": "A = 1\n", "b.py": "B = 1\n"})
    watched.write({"a.py": "A = 22\n"})
    watched.wait_for(a="A = 22\n")
    watched.settle()
    assert watched.seen["a.py"] == [b"A = 22\n"]


def test_new_renamed_and_deleted_files_are_told(watched: Watched, start: Callable[..., None]) -> None:
    start({"a.py": "A = 1\n", "b.py": "B = 1\n"})
    watched.write({"c.py": "C = 1\n"})
    os.rename(watched.folder / "a.py", watched.folder / "d.py")
    (watched.folder / "b.py").unlink()
    watched.wait_for(a=None, b=None, c="C = 1\n", d="A = 1\n")
    watched.settle()


def test_folders_that_come_move_and_go_are_told(watched: Watched, start: Callable[..., None]) -> None:
    start({"old/a.py": "A = 1\n", "gone/b.py": "B = 1\n"})
    os.rename(watched.folder / "old", watched.folder / "new")
    shutil.rmtree(watched.folder / "gone")
    watched.write({"x/y/z/c.py": "C = 1\n"})
    watched.wait_for(old__a=None, new__a="A = 1\n", gone__b=None, x__y__z__c="C = 1\n")
    watched.write({"new/a.py": "A = 22\n", "x/y/z/c.py": "C = 22\n"})
    watched.wait_for(new__a="A = 22\n", x__y__z__c="C = 22\n")
    watched.settle()


def test_the_watched_folder_itself_may_go_and_come_back(watched: Watched, start: Callable[..., None]) -> None:
    start({"a.py": "A = 1\n", "sub/b.py": "B = 1\n"})
    before = dict(watched.told)
    os.rename(watched.folder, watched.top / "away")  # in one step: file by file, it may take longer than the grace
    watched.wait(lambda: any("is gone" in note for note in watched.watcher.notes))
    assert watched.told == before  # what was live stays live
    watched.write({"a.py": "A = 22\n"})
    watched.wait_for(a="A = 22\n", sub__b=None)
    watched.wait(lambda: not any("is gone" in note for note in watched.watcher.notes))
    watched.write({"a.py": "A = 333\n", "sub/b.py": "B = 2\n"})
    watched.wait_for(a="A = 333\n", sub__b="B = 2\n")
    watched.settle()


def test_a_watched_folder_that_comes_back_again_and_again_is_still_listened_to(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    for number in range(2, 7):
        os.rename(watched.folder, watched.top / f"away{number}")
        watched.wait(lambda: any("is gone" in note for note in watched.watcher.notes))
        watched.write({"a.py": f"A = {number}\n"})
        watched.wait_for(a=f"A = {number}\n")
    watched.wait(lambda: watched.watcher.notes == ())


def test_a_polled_folder_is_looked_through_for_who_waits(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"}, poll=600.0)
    watched.write({"a.py": "A = 22\n"})
    assert watched.watcher.catch_up(10)
    assert watched.told["a.py"] == b"A = 22\n"


def test_a_fuller_folder_in_the_place_of_the_watched_one_is_followed(watched: Watched, start: Callable[..., None]) -> None:
    start({"a.py": "A = 1\n"})
    os.rename(watched.folder, watched.top / "before")
    watched.write({"a.py": "A = 22\n", "b.py": "B = 1\n"})
    watched.wait_for(a="A = 22\n", b="B = 1\n")
    (watched.top / "before" / "a.py").write_text("A = 'of the folder that is not watched any more'\n")
    watched.settle()
    assert watched.seen["a.py"] == [b"A = 22\n"]


def test_an_edit_between_the_first_look_and_the_first_hearing_is_seen(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    watched.write({"a.py": "A = 22\n"})
    watched.wait_for(a="A = 22\n")


# -- content is complete


def test_a_file_written_in_chunks_over_a_third_of_a_second_is_told_once(watched: Watched) -> None:
    watched.start({"a.py": "A = 0\n"})
    clock = threading.Event()
    with open(watched.folder / "a.py", "w", buffering=1) as file:
        for number in range(8):
            file.write(f"A = {number}\n")
            clock.wait(0.05)  # the pace of a slow writer is what is tested
    watched.settle()
    assert watched.seen["a.py"] == [b"".join(b"A = %d\n" % number for number in range(8))]


@pytest.mark.parametrize("is_new", [False, True], ids=["an old file", "a new file"])
def test_a_file_that_is_emptied_and_written_a_moment_later_is_never_told_empty(watched: Watched, is_new: bool) -> None:
    watched.start({} if is_new else {"a.py": "A = 1\n"})
    (watched.folder / "a.py").write_bytes(b"")
    threading.Event().wait(0.05)  # the moment between is what is tested
    (watched.folder / "a.py").write_text("A = 22\n")
    watched.settle()
    assert watched.seen["a.py"] == [b"A = 22\n"]


def test_an_emptied_file_is_told_after_a_grace(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    (watched.folder / "a.py").write_bytes(b"")
    watched.wait_for(a="")


def test_an_empty_package_file_is_told_at_once(watched: Watched) -> None:
    watched.start()
    watched.write({"p/__init__.py": "", "p/a.py": "A = 1\n"})
    watched.wait_for(p__a="A = 1\n")
    assert watched.told["p/__init__.py"] == b""  # it has not waited longer than the other


def test_what_a_program_only_begins_to_write_is_not_told_before_it_ends(watched: Watched) -> None:
    """A shell opens and empties the file; the program behind it takes longer than any wait."""
    watched.start({"a.py": "A = 1\n"})
    with open(watched.folder / "a.py", "w") as file:
        watched.settle_others()
        threading.Event().wait(LINUX.open + 0.1)  # the wait that it outlasts is what is tested
        watched.settle_others()
        assert "a.py" not in watched.seen
        file.write("A = 22\n")
    watched.wait_for(a="A = 22\n")
    assert watched.seen["a.py"] == [b"A = 22\n"]


def test_a_file_that_is_never_closed_is_told_when_its_writer_pauses(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    with open(watched.folder / "a.py", "w") as file:
        file.write("A = 22\n")
        file.flush()
        watched.wait_for(a="A = 22\n")


def test_a_file_that_is_being_written_holds_nothing_else_up(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    with open(watched.folder / "slow.py", "w") as file:
        file.write("SLOW")
        file.flush()
        watched.write({"a.py": "A = 22\n"})
        watched.wait_for(a="A = 22\n")
        assert "slow.py" not in watched.told


def test_a_file_that_is_written_and_deleted_before_it_is_complete_is_not_told(watched: Watched) -> None:
    watched.start()
    with open(watched.folder / "a.py", "w") as file:
        file.write("A = 1\n")
        (watched.folder / "a.py").unlink()
    watched.settle()
    assert "a.py" not in watched.seen


def test_saves_of_equal_size_and_time_are_all_seen(watched: Watched) -> None:
    watched.start({"a.py": "A = 0\n"})
    for number in range(1, 10):
        watched.write({"a.py": f"A = {number}\n"})
        os.utime(watched.folder / "a.py", (10**9, 10**9))
        watched.wait_for(a=f"A = {number}\n")


def test_a_time_that_goes_backwards_is_no_obstacle(watched: Watched) -> None:
    watched.start({"a.py": "A = 0\n"})
    for age in range(1, 4):
        (watched.top / "new").write_text(f"A = {age}\n")
        os.utime(watched.top / "new", (10**9 - age, 10**9 - age))
        os.replace(watched.top / "new", watched.folder / "a.py")
        watched.wait_for(a=f"A = {age}\n")


def test_a_file_replaced_twenty_times_is_seen_twenty_times(watched: Watched) -> None:
    watched.start({"a.py": "A = 0\n"})
    for number in range(1, 21):
        (watched.top / "new").write_text(f"A = {number}\n")
        os.replace(watched.top / "new", watched.folder / "a.py")
        watched.wait_for(a=f"A = {number}\n")


# -- what changes nothing


def test_touching_and_saving_without_a_change_is_told_to_nobody(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    watched.write({"a.py": "A = 22\n"})
    watched.wait_for(a="A = 22\n")
    for _ in range(50):
        os.utime(watched.folder / "a.py")
        (watched.folder / "a.py").chmod(0o600)
        (watched.folder / "a.py").chmod(0o644)
        watched.write({"a.py": "A = 22\n"})
    watched.settle()
    assert watched.seen["a.py"] == [b"A = 22\n"]


def test_reading_and_byte_code_are_told_to_nobody(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    before = len(watched.batches)
    for number in range(20):
        (watched.folder / "a.py").read_bytes()
        cache = watched.folder / "__pycache__"
        cache.mkdir(exist_ok=True)
        (cache / f"a.{number}.pyc").write_bytes(b"0")
        (cache / "a.py").write_bytes(b"0")
    watched.settle()
    assert len(watched.batches) == before + 1  # the probe


# -- folders


def test_a_folder_that_is_removed_and_restored_within_the_grace_never_goes(watched: Watched) -> None:
    watched.start({"sub/a.py": "A = 1\n", "sub/deep/b.py": "B = 1\n"})
    shutil.copytree(watched.folder / "sub", watched.top / "copy")
    shutil.rmtree(watched.folder / "sub")
    os.rename(watched.top / "copy", watched.folder / "sub")
    watched.settle()
    assert {path for batch in watched.batches for path in batch.files} - {
        path for batch in watched.batches for path in batch.texts
    } == set()  # nothing was ever told to be gone
    watched.write({"sub/deep/b.py": "B = 22\n"})
    watched.wait_for(sub__deep__b="B = 22\n")


def test_a_folder_that_was_moved_out_is_heard_no_more(watched: Watched) -> None:
    watched.start({"sub/a.py": "A = 1\n"})
    os.rename(watched.folder / "sub", watched.top / "outside")
    watched.wait_for(sub__a=None)
    (watched.top / "outside" / "a.py").write_text("A = 22\n")
    watched.settle()
    assert "sub/a.py" not in watched.seen


def test_two_folders_that_swap_their_names_swap_their_files(watched: Watched) -> None:
    watched.start({"x/a.py": "A = 1\n", "y/a.py": "A = 22\n"})
    os.rename(watched.folder / "x", watched.folder / "z")
    os.rename(watched.folder / "y", watched.folder / "x")
    os.rename(watched.folder / "z", watched.folder / "y")
    watched.wait_for(x__a="A = 22\n", y__a="A = 1\n")
    watched.write({"x/a.py": "A = 333\n", "y/a.py": "A = 4444\n"})
    watched.wait_for(x__a="A = 333\n", y__a="A = 4444\n")
    watched.settle()


def test_a_file_that_becomes_a_folder_and_back_is_followed(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    (watched.folder / "a.py").unlink()
    (watched.folder / "a.py").mkdir()
    watched.wait_for(a=None)
    (watched.folder / "a.py").rmdir()
    watched.write({"a.py": "A = 22\n"})
    watched.wait_for(a="A = 22\n")


def test_a_pipe_with_the_name_of_a_module_holds_nobody_up(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    os.mkfifo(watched.folder / "pipe.py")
    watched.settle()


def test_a_folder_renamed_while_a_batch_is_taken_is_followed(watched: Watched) -> None:
    watched.start({"sub/a.py": "A = 1\n", "b.py": "B = 1\n"})
    entered, go = threading.Event(), threading.Event()
    take = watched.watcher._on_batch

    def slow(batch) -> None:
        take(batch)
        entered.set()
        go.wait(10)

    watched.watcher._on_batch = slow
    watched.write({"b.py": "B = 22\n"})
    assert entered.wait(10)
    os.rename(watched.folder / "sub", watched.folder / "other")
    watched.write({"other/a.py": "A = 22\n", "b.py": "B = 333\n"})
    go.set()
    watched.wait_for(sub__a=None, other__a="A = 22\n", b="B = 333\n")


# -- links


def test_a_link_to_a_file_outside_follows_its_target(watched: Watched) -> None:
    target = watched.top / "outside.py"
    target.write_text("A = 1\n")
    watched.start()
    os.symlink(target, watched.folder / "a.py")
    watched.wait_for(a="A = 1\n")
    target.write_text("A = 22\n")
    watched.wait_for(a="A = 22\n")
    (watched.top / "new").write_text("A = 333\n")
    os.replace(watched.top / "new", target)
    watched.wait_for(a="A = 333\n")
    watched.settle()


def test_a_chain_of_links_is_followed_at_each_of_its_ends(watched: Watched) -> None:
    for number in (1, 2):
        (watched.top / str(number)).mkdir()
        (watched.top / str(number) / "end.py").write_text(f"A = {number}\n")
    os.symlink("1/end.py", watched.top / "middle")
    os.symlink(watched.top / "middle", watched.folder / "a.py")
    watched.start()
    os.symlink("2/end.py", watched.top / "other")
    os.replace(watched.top / "other", watched.top / "middle")
    watched.wait_for(a="A = 2\n")
    (watched.top / "2" / "end.py").write_text("A = 33\n")
    watched.wait_for(a="A = 33\n")


def test_a_link_to_a_folder_outside_follows_what_is_in_it(watched: Watched) -> None:
    outside = watched.top / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "a.py").write_text("A = 1\n")
    watched.start()
    os.symlink(outside, watched.folder / "link")
    watched.wait_for(link__deep__a="A = 1\n")
    (outside / "deep" / "a.py").write_text("A = 22\n")
    (outside / "b.py").write_text("B = 1\n")
    watched.wait_for(link__deep__a="A = 22\n", link__b="B = 1\n")
    watched.settle()


def test_a_link_to_a_folder_that_leads_elsewhere_now_is_followed(watched: Watched) -> None:
    for number in (1, 2):
        (watched.top / f"v{number}").mkdir()
        (watched.top / f"v{number}" / "a.py").write_text(f"A = {number}\n")
    os.symlink(watched.top / "v1", watched.folder / "link")
    watched.start()
    os.symlink(watched.top / "v2", watched.top / "new")
    os.replace(watched.top / "new", watched.folder / "link")
    watched.wait_for(link__a="A = 2\n")
    (watched.top / "v1" / "a.py").write_text("A = 'old'\n")
    (watched.top / "v2" / "a.py").write_text("A = 33\n")
    watched.wait_for(link__a="A = 33\n")
    (watched.folder / "link").unlink()
    watched.wait_for(link__a=None)


def test_a_broken_link_is_followed_from_the_moment_its_target_is_there(watched: Watched) -> None:
    watched.start()
    os.symlink(watched.top / "later.py", watched.folder / "a.py")
    watched.settle()
    (watched.top / "later.py").write_text("A = 1\n")
    watched.wait_for(a="A = 1\n")
    (watched.top / "later.py").unlink()
    watched.wait_for(a=None)


def test_links_that_lead_in_a_circle_hold_nobody_up(watched: Watched) -> None:
    os.symlink("b.py", watched.folder / "a.py")
    os.symlink("a.py", watched.folder / "b.py")
    os.symlink(".", watched.folder / "here")
    (watched.folder / "sub").mkdir()
    os.symlink("..", watched.folder / "sub" / "above")
    watched.start({"c.py": "C = 1\n"})
    watched.write({"c.py": "C = 22\n", "sub/d.py": "D = 1\n"})
    watched.wait_for(c="C = 22\n", sub__d="D = 1\n")


def test_a_link_to_a_file_in_the_folder_changes_with_it(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    os.symlink("a.py", watched.folder / "b.py")
    watched.wait_for(b="A = 1\n")
    watched.write({"a.py": "A = 22\n"})
    watched.wait_for(a="A = 22\n", b="A = 22\n")
    watched.settle()


def test_a_configuration_that_is_swapped_as_kubernetes_does_is_one_batch(watched: Watched) -> None:
    names = [f"c{index}.py" for index in range(5)]

    def version(number: int) -> Path:
        folder = watched.folder / f"..2026_{number}"
        folder.mkdir()
        for name in names:
            (folder / name).write_text(f"V = {number}\n")
        return folder

    before = version(1)
    os.symlink(before.name, watched.folder / "..data")
    for name in names:
        os.symlink(f"..data/{name}", watched.folder / name)
    watched.start()
    for number in (2, 3):
        after = version(number)
        os.symlink(after.name, watched.folder / "..data_tmp")
        os.replace(watched.folder / "..data_tmp", watched.folder / "..data")
        shutil.rmtree(before)
        before = after
        watched.wait(lambda number=number: watched.told.get("c0.py") == b"V = %d\n" % number)
        assert {watched.told[name] for name in names} == {b"V = %d\n" % number}
    assert [len(batch.files) for batch in watched.batches] == [5, 5]


def test_a_file_that_is_written_under_another_name_of_it_is_seen(watched: Watched) -> None:
    (watched.top / "other").write_text("A = 1\n")
    os.link(watched.top / "other", watched.folder / "a.py")
    watched.start()
    (watched.top / "other").write_text("A = 22\n")
    watched.wait_for(a="A = 22\n")
    os.link(watched.top / "other", watched.folder / "b.py")
    watched.wait_for(b="A = 22\n")
    (watched.top / "other").write_text("A = 333\n")
    watched.wait_for(a="A = 333\n", b="A = 333\n")
    assert len([batch for batch in watched.batches if batch.files]) == 3


# -- what cannot be read


def test_a_file_that_cannot_be_read_for_a_while_is_told_again_when_it_can() -> None:
    with watched_by_ordinary_user() as watched:
        watched.start({"a.py": "A = 1\n", "b.py": "B = 1\n"})
        (watched.folder / "a.py").chmod(0)
        watched.wait(lambda: any(path.endswith("a.py") for batch in watched.batches for path in batch.files))
        watched.write({"b.py": "B = 22\n"})
        watched.wait_for(b="B = 22\n")
        (watched.folder / "a.py").chmod(0o644)
        watched.wait_for(a="A = 1\n")


def test_a_folder_that_cannot_be_read_for_a_while_loses_nothing() -> None:
    with watched_by_ordinary_user() as watched:
        watched.start({"sub/a.py": "A = 1\n", "b.py": "B = 1\n"})
        (watched.folder / "sub").chmod(0)
        watched.write({"b.py": "B = 22\n"})
        watched.wait_for(b="B = 22\n")
        assert watched.told["sub/a.py"] == b"A = 1\n"
        (watched.folder / "sub").chmod(0o755)
        watched.write({"sub/a.py": "A = 22\n"})
        watched.wait_for(sub__a="A = 22\n")
        watched.settle()


def test_a_folder_that_could_not_be_read_from_the_start_is_looked_into_when_its_mode_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lookout, "_SWEEP", 600.0)  # an event has to tell
    with watched_by_ordinary_user() as watched:
        watched.write({"sub/a.py": "A = 1\n"})
        (watched.folder / "sub").chmod(0)
        watched.start({"b.py": "B = 1\n"})
        (watched.folder / "sub").chmod(0o755)
        watched.wait_for(sub__a="A = 1\n")
        watched.write({"sub/a.py": "A = 22\n"})
        watched.wait_for(sub__a="A = 22\n")


# -- bursts


def test_a_hundred_files_at_once_are_told_once_each(watched: Watched) -> None:
    watched.start({f"m{index}.py": "V = 0\n" for index in range(100)})
    watched.write({f"m{index}.py": "V = 11\n" for index in range(100)})
    watched.settle()
    assert all(watched.seen[f"m{index}.py"] == [b"V = 11\n"] for index in range(100))


def test_a_storm_of_saves_ends_with_what_the_disk_holds(watched: Watched) -> None:
    watched.start({f"m{index}.py": "V = 0\n" for index in range(40)})
    for number in range(4000):
        watched.write({f"m{number % 40}.py": f"V = {number}\n"})
    watched.settle()
    assert not any(b"" in texts for texts in watched.seen.values())


def test_a_flood_of_other_files_hides_no_save(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            (watched.folder / "noise.txt").write_text("x")

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        for number in range(5):
            watched.write({"a.py": f"A = {number}{number}\n"})
            watched.wait_for(a=f"A = {number}{number}\n")
    finally:
        stop.set()
        thread.join()


def test_thirty_saves_in_a_row_end_with_the_last(watched: Watched) -> None:
    watched.start()
    for number in range(30):
        watched.write({f"m{number}.py": f"V = {number}\n"})
        watched.wait_for(**{f"m{number}": f"V = {number}\n"})
    watched.settle()


@pytest.mark.usefixtures("often")
def test_another_name_that_a_file_gets_elsewhere_is_found_out_by_looking(watched: Watched) -> None:
    """Nothing tells of it, and nothing is wrong with the source because of that."""
    watched.start({"a.py": "A = 1\n"})
    source = watched.lookout.source
    os.link(watched.folder / "a.py", watched.top / "other")
    (watched.top / "other").write_text("A = 22\n")
    watched.wait_for(a="A = 22\n")
    assert watched.lookout.source is source


def test_nothing_is_under_way_when_nothing_happens(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    began = time.thread_time()
    assert watched.watcher.catch_up(5)
    assert time.thread_time() - began < 0.1


# -- the quiet time


def test_what_came_and_went_before_it_was_shown_keeps_nobody_awake(tmp_path: Path) -> None:
    lookout, harvest = Lookout(Folder(str(tmp_path), "hots", "all")), Harvest()
    path = tmp_path / "a.py"
    path.write_text("A = 1\n")
    harvest.feed(lookout, [Hint(Kind.DONE, str(path), 1.0)])
    harvest.prepare([lookout])
    assert harvest.has_unseen
    path.unlink()
    harvest.feed(lookout, [Hint(Kind.GONE, str(path), 2.0)])
    assert not harvest.is_growing
    assert not harvest.has_unseen
    harvest.show(lambda path, _data: pytest.fail(f"{path} was shown"), 1.0)
    lookout.close()


def test_what_was_read_is_shown_while_git_is_at_work_and_handed_over_when_it_is_ready(watched: Watched) -> None:
    lock = watched.top / ".git" / "index.lock"
    lock.parent.mkdir()
    watched.start({"a.py": "A = 1\n", "b.py": "B = 1\n"})
    lock.touch()
    texts = {"a.py": "A = 2\n", "b.py": "B = 2\n", "c.py": "C = 2\n"}
    watched.write(texts)
    watched.wait(lambda: watched.shown == {name: text.encode() for name, text in texts.items()})
    watched.write({"b.py": "B = 3\n"})
    watched.wait(lambda: watched.shown["b.py"] == b"B = 3\n")
    assert watched.batches == []
    lock.unlink()
    watched.wait_for(a="A = 2\n", b="B = 3\n", c="C = 2\n")
    assert len(watched.batches) == 1


def test_a_file_that_is_found_empty_late_has_its_grace_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("V = 1\n")
    lookout, harvest = Lookout(Folder(str(tmp_path), "hots", "all")), Harvest()
    harvest.feed(lookout, [Hint(Kind.DONE, str(path), time.monotonic() - 0.3)])  # longer than the grace
    path.write_text("")  # the next writer has begun, and that is not heard yet
    harvest.prepare([lookout])
    assert not harvest.is_ripe(time.monotonic())
    lookout.close()


def test_a_link_that_leads_to_the_same_folder_again_is_listened_to_anew(tmp_path: Path) -> None:
    folder, link, source = tmp_path / "folder", tmp_path / "link", Inotify()
    folder.mkdir()
    link.symlink_to("folder")
    assert (source.arm(str(folder)), source.arm(str(link))) == (True, True)
    link.unlink()
    assert not source.arm(str(link))
    link.symlink_to("folder")
    assert source.arm(str(link))
    (folder / "m.py").touch()
    assert str(link / "m.py") in {event.path for event in source.events()}
    source.close()
