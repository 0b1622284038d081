"""What makes a watch deaf, dead or blind: it is found out, mended or told, and nothing is lost."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import World
from watched import DEADLINE, Watched

from ipyhot.core.sources import Folder
from ipyhot.watch.links import hops
from ipyhot.watch.lookout import Lookout
from ipyhot.watch.mounts import kind_of, silent
from ipyhot.watch.observer import Observed
from ipyhot.watch.watcher import Watcher


def deafening_steps(watched: Watched) -> None:
    """What leaves stock watchdog 7.1 with a dead reader and every sign of life."""
    trash = watched.top / "trash"
    trash.mkdir()
    (watched.folder / "a").mkdir()
    watched.settle()
    os.rename(watched.folder / "a", trash / "a")
    (watched.folder / "a").mkdir()
    watched.settle()
    (watched.folder / "a").rmdir()
    (trash / "a").rmdir()


def test_the_steps_that_kill_watchdogs_reader_do_no_harm(watched: Watched) -> None:
    watched.start({"b.py": "B = 1\n"})
    deafening_steps(watched)
    watched.write({"b.py": "B = 22\n", "a/c.py": "C = 1\n"})
    watched.wait_for(b="B = 22\n", a__c="C = 1\n")
    watched.settle()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.usefixtures("often")
def test_a_reader_of_watchdog_that_died_is_replaced(watched: Watched) -> None:
    watched.start({"b.py": "B = 1\n"}, open_source=Observed)
    before = watched.lookout.source
    deafening_steps(watched)
    watched.write({"b.py": "B = 22\n", "a/c.py": "C = 1\n"})
    watched.wait_for(b="B = 22\n", a__c="C = 1\n")
    watched.wait(lambda: watched.lookout.source is not before)
    watched.write({"b.py": "B = 333\n"})
    watched.wait_for(b="B = 333\n")


@pytest.mark.usefixtures("often")
def test_a_source_that_says_nothing_is_helped_and_in_the_end_no_longer_relied_on(watched: Watched) -> None:
    opened = []

    def deaf(root: str, wake: Callable[[], object]) -> Observed:
        opened.append(Observed(root, lambda: None))
        opened[-1]._door.dispatch = lambda event: None
        return opened[-1]

    watched.start({"a.py": "A = 0\n"}, open_source=deaf)
    for number in range(1, 5):
        watched.write({"a.py": f"A = {number}{number}\n"})
        watched.wait_for(a=f"A = {number}{number}\n")
    assert len(opened) > 1
    watched.wait(lambda: any("events of it do not come" in note for note in watched.watcher.notes))


@pytest.mark.usefixtures("often")
def test_a_descriptor_that_somebody_closed_is_replaced(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    os.close(watched.lookout.source.fileno())
    watched.write({"a.py": "A = 22\n"})
    watched.wait_for(a="A = 22\n")
    watched.write({"a.py": "A = 333\n"})
    watched.wait_for(a="A = 333\n")
    watched.settle()


def test_more_events_than_the_system_keeps_lose_nothing(watched: Watched) -> None:
    watched.start({f"d{index}/m.py": "V = 0\n" for index in range(20)})
    entered, go = threading.Event(), threading.Event()
    take = watched.watcher._on_batch

    def slow(batch: object) -> None:
        take(batch)
        entered.set()
        go.wait(DEADLINE)

    watched.watcher._on_batch = slow
    watched.write({"first.py": "V = 1\n"})
    assert entered.wait(DEADLINE)
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(limit + 1):  # one event each
        os.utime(watched.folder / f"d{number % 20}" / "m.py")
    watched.write({"new/deep/n.py": "N = 1\n", "d7/m.py": "V = 77\n"})  # of which no event can tell any more
    go.set()
    watched.wait_for(new__deep__n="N = 1\n", d7__m="V = 77\n")
    watched.settle()
    watched.write({"new/deep/n.py": "N = 22\n"})
    watched.wait_for(new__deep__n="N = 22\n")


def test_more_folders_than_watchdog_can_bear_are_heard(watched: Watched) -> None:
    for index in range(4200):
        (watched.folder / f"d{index}").mkdir()
    watched.start({"d4100/m.py": "V = 1\n"})
    watched.write({"d4100/m.py": "V = 22\n", "d7/n.py": "N = 1\n"})
    watched.wait_for(d4100__m="V = 22\n", d7__n="N = 1\n")


# -- limits, in a user namespace of their own

LIMITED = """
import sys
from pathlib import Path
Path("/proc/sys/user/{limit}").write_text("{value}")
sys.path.insert(0, {tests!r})
from watched import Watched
watched = Watched(Path(sys.argv[1]))
watched.start({{f"d{{index}}/m.py": "V = 1\\n" for index in range(51)}})
assert watched.watcher.notes, "it was not told"
watched.write({{"d50/m.py": "V = 22\\n", "new/n.py": "N = 1\\n"}})
watched.wait_for(d50__m="V = 22\\n", new__n="N = 1\\n")
print(*watched.watcher.notes)
Path("/proc/sys/user/{limit}").write_text("1000")
watched.wait(lambda: not watched.watcher.notes)
watched.write({{"new/n.py": "N = 22\\n"}})
watched.wait_for(new__n="N = 22\\n")
watched.stop()
"""


@pytest.mark.parametrize(
    ("limit", "value", "told"),
    [("max_inotify_watches", 20, "lets no more folders be watched"), ("max_inotify_instances", 0, "gives no events")],
)
def test_a_limit_of_the_system_is_told_and_the_folder_is_looked_through(
    tmp_path: Path, limit: str, value: int, told: str
) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-Ur", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody have a user namespace of their own")
    code = LIMITED.format(limit=limit, value=value, tests=str(Path(__file__).parent))
    done = subprocess.run(
        [unshare, "-Ur", sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    assert told in done.stdout


# -- file systems

MOUNTS = """\
22 27 0:21 / /proc rw,nosuid - proc proc rw
27 1 259:1 / / rw,relatime - ext4 /dev/vda rw
40 27 0:36 / /home/me/shared rw - nfs4 server:/x rw
41 27 0:37 / /mnt/c rw - 9p drvfs rw
42 27 0:38 / /mnt/with\\040space rw shared:1 - fuse.sshfs somebody rw
43 40 0:39 / /home/me/shared/fast rw - tmpfs tmpfs rw
44 27 0:40 / /mnt/ntfs rw - fuseblk /dev/sdb1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "is_silent"),
    [
        ("/home/me", "ext4", False),
        ("/home/me/shared", "nfs4", True),
        ("/home/me/shared/hots", "nfs4", True),
        ("/home/me/shared/fast/hots", "tmpfs", False),
        ("/home/me/shared2", "ext4", False),
        ("/mnt/c/Users", "9p", True),
        ("/mnt/with space/hots", "fuse.sshfs", True),
        ("/mnt/ntfs", "fuseblk", False),
    ],
)
def test_file_systems_that_do_not_tell_of_every_change_are_known(
    tmp_path: Path, path: str, kind: str, is_silent: bool
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    assert kind_of(path, str(table)) == kind
    assert silent(path, str(table)) == (kind if is_silent else None)


def test_where_there_is_no_table_of_mounts_nothing_is_known_of_them(tmp_path: Path) -> None:
    assert kind_of("/", str(tmp_path / "none")) is None


def test_the_type_of_a_real_file_system_is_found() -> None:
    assert kind_of("/proc") == "proc"


# -- links, alone


def test_the_hops_of_a_link_are_its_links_and_its_end(tmp_path: Path) -> None:
    top = Path(os.path.realpath(tmp_path))
    (top / "real").mkdir()
    os.symlink("real", top / "folder")
    os.symlink("../folder/end.py", top / "real" / "middle.py")
    os.symlink(top / "folder" / "middle.py", top / "start.py")
    found = [os.path.relpath(hop, top) for hop in hops(str(top / "start.py"))]
    assert found == ["folder", "real/middle.py", "folder", "real/end.py"]


def test_the_hops_of_a_circle_come_to_an_end(tmp_path: Path) -> None:
    os.symlink("b", tmp_path / "a")
    os.symlink("a", tmp_path / "b")
    assert 0 < len(list(hops(str(tmp_path / "a")))) < 100


# -- our own faults, and the end


def test_a_fault_of_our_own_is_told_and_the_watch_goes_on(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    take, faults = watched.watcher._on_batch, [ValueError("our own fault")]

    def failing(batch: object) -> None:
        if faults:
            raise faults.pop()
        take(batch)

    watched.watcher._on_batch = failing
    watched.write({"b.py": "B = 1\n"})
    watched.wait(lambda: any("our own fault" in note for note in watched.watcher.notes))
    watched.write({"a.py": "A = 22\n"})
    watched.wait_for(a="A = 22\n")


def test_stopping_waits_for_no_file_that_is_being_loaded(tmp_path: Path) -> None:
    entered, go = threading.Event(), threading.Event()
    (tmp_path / "hots").mkdir()
    folder = Folder(os.path.realpath(tmp_path / "hots"), "hots", "all")
    watcher = Watcher(lambda batch: (entered.set(), go.wait(DEADLINE)))
    watcher.add(folder)
    (tmp_path / "hots" / "a.py").write_text("A = 1\n")
    assert entered.wait(DEADLINE)
    watcher.remove(folder)  # would time out otherwise
    watcher.stop()
    assert watcher.thread.is_alive()
    go.set()
    watcher.thread.join(DEADLINE)
    assert not watcher.thread.is_alive()


def test_a_stopped_watch_leaves_no_thread_and_no_descriptor(tmp_path: Path) -> None:
    (tmp_path / "hots").mkdir()
    folder = Folder(os.path.realpath(tmp_path / "hots"), "hots", "all")
    before = set(os.listdir("/proc/self/fd")), set(threading.enumerate())
    for _ in range(5):
        watcher = Watcher(lambda batch: None)
        watcher.add(folder)
        watcher.add(folder)
        watcher.remove(folder)
        watcher.add(folder)
        assert watcher.catch_up(DEADLINE)
        watcher.stop()
    assert (set(os.listdir("/proc/self/fd")), set(threading.enumerate())) == before


def test_ten_thousand_unchanged_files_are_looked_through_without_reading_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(100):
        (tmp_path / f"d{index}").mkdir()
        for number in range(100):
            (tmp_path / f"d{index}" / f"m{number}.py").write_bytes(b"V = 1\n")
    lookout = Lookout(Folder(os.path.realpath(tmp_path), "hots", "all"))
    opened = []
    monkeypatch.setattr(os, "open", lambda path, *rest: opened.append(path))
    assert len(lookout.table) == 10_000
    assert lookout.renew() == []
    assert lookout.sweep(60.0) == []
    assert not lookout.is_sweeping
    assert opened == []
    monkeypatch.undo()
    lookout.close()


# -- in a kernel


def test_stopping_is_possible_while_a_file_is_loading_for_ever(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.write({"a.py": "while True: pass\n"})
    world.ok("while hot._session.engine.loading is None: pass")
    world.ok("%hotwatch --stop")
    assert world.handlers == []
    world.watch({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2
