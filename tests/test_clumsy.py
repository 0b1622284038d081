"""Small programs that do clumsy things to a watched folder: what attacks on the watch have found, and what they have not."""

import contextlib
import os
import resource
import shutil
import threading
from pathlib import Path

import pytest
from conftest import World
from test_tools import need, run
from watched import Watched, watched_by_ordinary_user


@pytest.mark.parametrize(
    "name", ["with space", "größe", "数据", "it's", 'quo"te', "tab\there", "line\nbreak", "[a-z]", "\udcff", "a" * 250]
)
def test_a_file_with_any_name_is_seen(watched: Watched, name: str) -> None:
    path = watched.folder / f"{name}.py"
    watched.start()
    path.write_text("A = 1\n")
    watched.wait(lambda: watched.told.get(path.name) == b"A = 1\n")
    path.write_text("A = 22\n")
    watched.wait(lambda: watched.told.get(path.name) == b"A = 22\n")
    path.unlink()
    watched.wait(lambda: path.name not in watched.told)


def test_a_folder_with_any_name_may_be_watched(tmp_path: Path) -> None:
    top = tmp_path / "a b [c] größe\n"
    top.mkdir()
    watched = Watched(top)
    watched.start({"a.py": "A = 1\n"})
    watched.write({"a.py": "A = 22\n", "sub dir/b.py": "B = 1\n"})
    watched.wait(lambda: watched.told.get("a.py") == b"A = 22\n" and "sub dir/b.py" in watched.told)
    watched.stop()


def test_two_writers_that_replace_the_same_file_end_with_what_the_disk_holds(watched: Watched) -> None:
    watched.start({"a.py": "A = 0\n"})

    def write(who: int) -> None:
        for number in range(300):
            beside = watched.folder / f".new{who}"
            beside.write_text(f"A = {who}, {number}\n" * 50)
            os.replace(beside, watched.folder / "a.py")

    threads = [threading.Thread(target=write, args=[who]) for who in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watched.settle()
    assert all(text.count(b"\n") == 50 for text in watched.seen["a.py"])


def test_two_writers_of_the_same_file_never_show_half_of_it(watched: Watched) -> None:
    """A reader in between would see an empty file, or one that is cut off."""
    watched.start({"a.py": "A = 0\n" * 2000})
    for number in range(300):
        (watched.folder / "a.py").write_text(f"A = {number}\n" * 2000)
    watched.settle()
    assert all(text.count(b"\n") == 2000 for text in watched.seen["a.py"])


@pytest.mark.usefixtures("often")
def test_a_process_without_a_descriptor_left_reads_the_file_when_it_has_one_again(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    (watched.top / "new").write_text("A = 22\n")
    used = len(os.listdir("/proc/self/fd")) - 1
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))
    try:
        os.rename(watched.top / "new", watched.folder / "a.py")
        watched.wait(lambda: any(batch.files and not batch.texts for batch in watched.batches))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in held:
            os.close(descriptor)
    watched.wait_for(a="A = 22\n")


def test_the_watched_folder_may_be_out_of_reach_for_a_while() -> None:
    with watched_by_ordinary_user() as watched:
        watched.start({"a.py": "A = 1\n", "sub/b.py": "B = 1\n"})
        watched.folder.chmod(0)
        assert watched.watcher.catch_up(5)
        watched.folder.chmod(0o755)
        watched.write({"a.py": "A = 22\n", "sub/b.py": "B = 22\n"})
        watched.wait_for(a="A = 22\n", sub__b="B = 22\n")
        watched.settle()


def test_devices_and_sockets_with_the_name_of_a_module_hold_nobody_up(watched: Watched) -> None:
    for name, target in {"zero.py": "/dev/zero", "null.py": "/dev/null", "root.py": "/"}.items():
        os.symlink(target, watched.folder / name)
    watched.start()
    os.symlink("/dev/full", watched.folder / "full.py")
    os.symlink("/proc/self/mem", watched.folder / "mem.py")  # a file, and nobody can read it
    watched.write({"a.py": "A = 1\n"})
    watched.wait_for(a="A = 1\n")
    assert "zero.py" not in watched.told


def test_a_folder_that_is_filled_while_it_is_looked_through_is_seen_whole(watched: Watched) -> None:
    watched.start()
    stop = threading.Event()

    def fill() -> None:
        number = 0
        while not stop.is_set():
            watched.write({f"d{number % 30}/e{number % 7}/m{number}.py": f"V = {number}\n"})
            number += 1

    thread = threading.Thread(target=fill)
    thread.start()
    for _ in range(10):
        watched.watcher._ask(lambda: watched.lookout.__setattr__("sweep_at", 0.0))
        assert watched.watcher.catch_up(0.05) in {True, False}
    stop.set()
    thread.join()
    watched.settle()


def test_a_tree_that_is_built_elsewhere_and_swapped_in_is_seen_whole(watched: Watched) -> None:
    watched.start({"tree/m.py": "V = 0\n"})
    for number in range(10):
        new = watched.top / "new"
        for index in range(20):
            (new / f"d{index}").mkdir(parents=True)
            (new / f"d{index}" / "m.py").write_text(f"V = {number}\n")
        os.rename(watched.folder / "tree", watched.top / f"old{number}")
        os.rename(new, watched.folder / "tree")
        shutil.rmtree(watched.top / f"old{number}")
    watched.settle()
    watched.write({"tree/d7/m.py": "V = 'heard'\n"})
    watched.wait_for(tree__d7__m="V = 'heard'\n")


def test_a_file_that_is_renamed_round_and_round_ends_where_the_disk_has_it(watched: Watched) -> None:
    watched.start({"a.py": "A = 1\n"})
    names = ["a.py", "b.py", "c.py"]
    for number in range(299):
        os.rename(watched.folder / names[number % 3], watched.folder / names[(number + 1) % 3])
    watched.settle()


def test_links_that_are_made_and_broken_all_the_time_end_as_the_disk_has_them(watched: Watched) -> None:
    for number in (1, 2):
        (watched.top / f"v{number}").mkdir()
        (watched.top / f"v{number}" / "m.py").write_text(f"V = {number}\n")
    watched.start()
    for number in range(100):
        for name, target in (("link", f"v{number % 2 + 1}"), ("m.py", f"v{number % 2 + 1}/m.py")):
            with contextlib.suppress(FileNotFoundError):
                (watched.folder / name).unlink()
            if number % 5:
                os.symlink(watched.top / target, watched.folder / name)
    watched.settle()


# -- in a kernel


def test_a_branch_without_the_folder_and_back_keeps_its_handlers(world: World) -> None:
    need("git")
    git = lambda *arguments: run("git", *arguments, cwd=world.top)
    git("init", "-q", "-b", "empty")
    git("config", "user.email", "someone@example.org")
    git("config", "user.name", "Someone")
    (world.top / "other").touch()
    git("add", "other")
    git("commit", "-q", "-m", "empty")
    git("checkout", "-q", "-b", "full")
    world.write({"a.py": "exports = 1\n", "sub/b.py": "exports = 1\n"})
    git("add", "-A")
    git("commit", "-q", "-m", "full")
    world.watch()
    shutil.rmtree(world.folder / "__pycache__", ignore_errors=True)
    git("checkout", "-q", "empty")
    assert not world.folder.exists()
    git("checkout", "-q", "full")
    world.settle()
    assert world.handlers == ["a", "sub.b"]
    ways = world.value(
        "[w.value for r in hot.history for n, w in r.ways.items() if n.startswith('PKG.') and 'probe' not in n]"
    )
    assert set(ways) == {"loaded"}
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


def test_a_folder_that_is_renamed_while_its_file_is_loading_is_followed(world: World) -> None:
    world.watch({"sub/a.py": "exports = 1\n"})
    world.ok("import threading, builtins\nbuiltins.go_on = threading.Event()")
    (world.folder / "sub" / "a.py").write_text("go_on.wait(20)\nexports = 2\n")
    world.ok("while hot._session.engine.loading is None: pass")
    os.rename(world.folder / "sub", world.folder / "other")
    world.ok("go_on.set()\nhot.wait(lambda: dict(hot.handlers) == {'other.a': 2})")
    assert world.errors == {}


def test_a_process_that_was_forked_from_a_cell_disturbs_no_watch(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("""
        import os
        for _ in range(3):
            child = os.fork()
            if not child:
                hot._session._watcher.stop()
                os._exit(0)
            os.waitpid(child, 0)
    """)
    world.save({"a.py": "exports = 2\n"}, timeout=1.5)
    assert world.value("hot.handlers.a") == 2
