"""What editors and other tools do with a file: each is one generation with the right content, and no handler flickers."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from conftest import World

OLD, NEW = "exports = 1\n", "exports = 2\n"


def need(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        assert os.environ.get("IPYHOT_TOOLS") != "required", f"{tool} is not installed here"
        pytest.skip(f"{tool} is not installed here")
    return found


def run(tool: str, *arguments: object, cwd: Path) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        [need(tool), *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ways_of(world: World, module: str) -> object:
    return world.value(f"[r.ways['PKG.{module}'].value for r in hot.history if 'PKG.{module}' in r.ways]")


def check_one_generation(world: World, value: object = 2) -> None:
    """The file ``a.py`` went from one content to the other in one step, without an error in between."""
    world.ok(f"hot.wait(lambda: hot.handlers['a'] == {value!r})")
    world.settle()
    assert ways_of(world, "a") == ["loaded", "patched"]
    assert world.value("[str(f) for r in hot.history if 'PKG.a' in r.changed for f in r.failures.values()]") == []
    assert world.handlers == ["a"]


# -- editors that are here

VIM = {
    "the default": "set backupcopy=auto",
    "a copy as backup": "set backup backupcopy=yes",
    "the old file as backup": "set backup backupcopy=no",
    "backups elsewhere": "set backup backupcopy=no backupdir={outside}",
}


@pytest.mark.parametrize("settings", VIM.values(), ids=VIM)
def test_a_save_of_vim_is_one_generation(world: World, settings: str) -> None:
    world.watch({"a.py": OLD})
    outside = world.top / "outside"
    outside.mkdir()
    set_up = settings.format(outside=outside) + " backupskip="
    run("vim", "-Nu", "NONE", "-es", "-c", set_up, "-c", "%s/1/2/", "-c", "wq", "a.py", cwd=world.folder)
    check_one_generation(world)


def test_a_save_of_nano_is_one_generation(world: World) -> None:
    world.watch({"a.py": OLD})
    nano = pexpect.spawn(
        need("nano"), ["--ignorercfiles", "a.py"], cwd=str(world.folder), env={**os.environ, "TERM": "xterm"}
    )
    nano.expect("exports")
    nano.send("\x0bexports = 2\r\x0f\r")  # cut the line, type, write out under the same name
    check_one_generation(world)
    nano.send("\x18")
    nano.expect(pexpect.EOF)
    nano.close()


# -- editors that are not here, by the system calls they make


def vscode(path: Path, outside: Path) -> None:
    with open(path, "r+b", buffering=0) as file:
        file.truncate()
        file.write(NEW.encode())


def pycharm(path: Path, outside: Path) -> None:
    temporary, old = path.with_name("a.py___jb_tmp___"), path.with_name("a.py___jb_old___")
    temporary.write_text(NEW)
    os.rename(path, old)
    os.rename(temporary, path)
    old.unlink()


def emacs_first(path: Path, outside: Path) -> None:
    lock = path.with_name(".#a.py")
    os.symlink("someone@here.1:2", lock)
    os.rename(path, path.with_name("a.py~"))
    path.write_text(NEW)
    path.chmod(0o644)
    lock.unlink()


def emacs_later(path: Path, outside: Path) -> None:
    lock = path.with_name(".#a.py")
    os.symlink("someone@here.1:2", lock)
    path.write_text(NEW)
    lock.unlink()


def jupyter_server(path: Path, outside: Path) -> None:
    before = path.with_name(".~a.py")
    shutil.copy2(path, before)
    path.write_text(NEW)
    before.unlink()


def gedit(path: Path, outside: Path) -> None:
    stream = path.with_name(".goutputstream-X1Y2Z3")
    stream.write_text(NEW)
    path.with_name("a.py~").unlink(missing_ok=True)
    os.link(path, path.with_name("a.py~"))
    os.replace(stream, path)


def from_outside(path: Path, outside: Path) -> None:
    (outside / "new").write_text(NEW)
    os.replace(outside / "new", path)


def old_one_moved_out(path: Path, outside: Path) -> None:
    os.rename(path, outside / "old")
    path.write_text(NEW)


def deleted_and_written(path: Path, outside: Path) -> None:
    path.unlink()
    path.write_text(NEW)


def mapped(path: Path, outside: Path) -> None:
    import mmap

    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:] = NEW.encode()


EDITORS: list[Callable[[Path, Path], None]] = [
    vscode,
    pycharm,
    emacs_first,
    emacs_later,
    jupyter_server,
    gedit,
    from_outside,
    old_one_moved_out,
    deleted_and_written,
    mapped,
]


@pytest.mark.parametrize("save", EDITORS, ids=lambda save: save.__name__)
def test_the_system_calls_of_a_save_are_one_generation(world: World, save: Callable[[Path, Path], None]) -> None:
    world.watch({"a.py": OLD})
    (world.top / "outside").mkdir()
    save(world.folder / "a.py", world.top / "outside")
    check_one_generation(world)


@pytest.mark.parametrize("save", EDITORS, ids=lambda save: save.__name__)
def test_the_second_save_of_an_editor_is_seen_as_well(world: World, save: Callable[[Path, Path], None]) -> None:
    world.watch({"a.py": "exports = 0\n"})
    (world.top / "outside").mkdir()
    for value in (3, 4):
        world.save({"a.py": f"exports = {value}\n"})
        save(world.folder / "a.py", world.top / "outside")
        world.ok("hot.wait(lambda: hot.handlers['a'] == 2)")
    assert world.handlers == ["a"]


# -- tools that write files


def sed(world: World) -> None:
    run("sed", "-i", "s/1/2/", "a.py", cwd=world.folder)


def cp(world: World) -> None:
    run("cp", world.top / "new" / "a.py", world.folder, cwd=world.top)


def cp_with_an_older_time(world: World) -> None:
    os.utime(world.top / "new" / "a.py", (10**9, 10**9))
    run("cp", "-p", world.top / "new" / "a.py", world.folder, cwd=world.top)


def mv(world: World) -> None:
    run("mv", world.top / "new" / "a.py", world.folder, cwd=world.top)


def install(world: World) -> None:
    run("install", world.top / "new" / "a.py", world.folder, cwd=world.top)


def rsync(world: World) -> None:
    run("rsync", "-ac", f"{world.top}/new/", f"{world.folder}/", cwd=world.top)


def rsync_in_place(world: World) -> None:
    run("rsync", "-ac", "--inplace", f"{world.top}/new/", f"{world.folder}/", cwd=world.top)


def tar(world: World) -> None:
    run("tar", "-cf", "new.tar", "-C", "new", "a.py", cwd=world.top)
    run("tar", "-xf", world.top / "new.tar", cwd=world.folder)


def unzip(world: World) -> None:
    need("unzip")
    shutil.make_archive(str(world.top / "new"), "zip", world.top / "new")
    run("unzip", "-qo", world.top / "new.zip", cwd=world.folder)


def shell_redirection(world: World) -> None:
    run("sh", "-c", f"cat {world.top}/new/a.py > a.py", cwd=world.folder)


@pytest.mark.parametrize(
    "tool",
    [sed, cp, cp_with_an_older_time, mv, install, rsync, rsync_in_place, tar, unzip, shell_redirection],
    ids=lambda tool: tool.__name__,
)
def test_what_a_tool_writes_is_one_generation(world: World, tool: Callable[[World], None]) -> None:
    world.watch({"a.py": OLD})
    (world.top / "new").mkdir()
    (world.top / "new" / "a.py").write_text(NEW)
    tool(world)
    check_one_generation(world)


# -- git

MANY = 60


def repository(world: World) -> list[str]:
    """Two branches, ``one`` and ``two``, that differ in many files; watched on ``one``."""
    names = [f"m{index}" for index in range(MANY)]
    git = lambda *arguments: run("git", *arguments, cwd=world.top)
    git("init", "-q", "-b", "one")
    git("config", "user.email", "someone@example.org")
    git("config", "user.name", "Someone")
    for branch, value in (("one", 1), ("two", 2)):
        if branch == "two":
            git("checkout", "-q", "-b", "two")
        world.write({f"{name}.py": f"exports = {value}\n" for name in names})
        git("add", "-A")
        git("commit", "-q", "-m", branch)
    git("checkout", "-q", "one")
    world.watch()
    return names


def ways_of_all(world: World) -> list[list[str]]:
    """Return how each module was taken, generation by generation; the probes of ``settle`` left out."""
    each = "[w.value for n, w in r.ways.items() if n.startswith('PKG.') and '.probe_' not in n]"
    return [ways for ways in world.value(f"[{each} for r in hot.history]") if ways]


def wait_for_all(world: World, value: int) -> None:
    world.ok(f"hot.wait(lambda: [v for n, v in hot.handlers.items() if n[0] == 'm'] == [{value}] * {MANY})")


def check_all_at_once(world: World, value: int) -> None:
    wait_for_all(world, value)
    world.settle()
    assert ways_of_all(world)[-1] == ["patched"] * MANY


def test_a_checkout_is_one_generation(world: World) -> None:
    repository(world)
    run("git", "checkout", "-q", "two", cwd=world.top)
    check_all_at_once(world, 2)


def test_a_stash_and_its_pop_are_one_generation_each(world: World) -> None:
    names = repository(world)
    world.write({f"{name}.py": "exports = 3\n" for name in names})
    wait_for_all(world, 3)
    run("git", "stash", "-q", cwd=world.top)
    check_all_at_once(world, 1)
    run("git", "stash", "pop", "-q", cwd=world.top)
    check_all_at_once(world, 3)


def test_a_hard_reset_is_one_generation(world: World) -> None:
    repository(world)
    run("git", "reset", "-q", "--hard", "two", cwd=world.top)
    check_all_at_once(world, 2)


def test_a_rebase_of_three_commits_is_one_generation(world: World) -> None:
    names = repository(world)
    for value in (7, 8, 9):
        world.write({f"other{value}.py": f"exports = {value}\n"})
        run("git", "add", "-A", cwd=world.top)
        run("git", "commit", "-q", "-m", str(value), cwd=world.top)
    world.ok("hot.wait(lambda: 'other9' in hot.handlers)")
    before = world.value("hot.generation")
    run("git", "rebase", "-q", "two", cwd=world.top)
    world.ok("hot.wait(lambda: hot.handlers['m0'] == 2)")
    world.settle()
    assert world.value(f"[hot.handlers[n] for n in {names!r}]") == [2] * MANY
    assert world.value("[hot.handlers[f'other{v}'] for v in (7, 8, 9)]") == [7, 8, 9]
    assert world.value("hot.generation") == before + 2  # the rebase, and the probe
    assert {way for ways in ways_of_all(world) for way in ways} == {"loaded", "patched"}


def test_a_lock_that_git_left_behind_holds_nothing_up(world: World) -> None:
    repository(world)
    lock = world.top / ".git" / "index.lock"
    lock.touch()
    os.utime(lock, (1, 1))
    world.save({"m0.py": "exports = 5\n"}, timeout=2)
    assert world.value("hot.handlers.m0") == 5


def test_a_fault_of_ours_in_the_quiet_time_is_told_and_holds_nothing_up(world: World) -> None:
    repository(world)
    lock = world.top / ".git" / "index.lock"
    world.ok("hot._session.engine.prepare = lambda *_: 1 / 0")
    try:
        lock.touch()
        world.write({"m0.py": "exports = 5\n", "m1.py": "exports = 5\n"})
        world.ok(  # a note alone is no report, so nobody who waits for one is woken by it
            "import time\nwhile not any('ZeroDivisionError' in note for note in hot._session.state().notes): time.sleep(0.01)"
        )
        lock.unlink()
        world.ok("hot.wait(lambda: hot.handlers.m0 == hot.handlers.m1 == 5)")
    finally:
        world.ok("del hot._session.engine.prepare")


def test_a_lock_that_came_after_a_save_does_not_hold_it_up(world: World) -> None:
    """Editors ask git for the status after a save, which takes the lock."""
    repository(world)
    file, later = world.folder / "m0.py", world.top / ".git" / "later"
    file.write_text("exports = 5\n")
    later.touch()
    while later.stat().st_mtime_ns <= file.stat().st_ctime_ns:  # a tick of the file system's clock
        later.touch()
    os.rename(later, world.top / ".git" / "index.lock")
    world.ok("hot.wait(lambda: hot.handlers.m0 == 5, timeout=2)")


def test_a_checkout_in_a_linked_worktree_is_one_generation(world: World) -> None:
    names = [f"m{index}" for index in range(MANY)]
    main = world.top / "main"
    main.mkdir()
    inner = main / world.package
    inner.mkdir()
    git = lambda *arguments: run("git", *arguments, cwd=main)
    git("init", "-q", "-b", "zero")
    for branch, value in (("zero", 0), ("one", 1), ("two", 2)):
        git("checkout", "-q", "-B", branch)
        for name in names:
            (inner / f"{name}.py").write_text(f"exports = {value}\n")
        git("add", "-A")
        git("-c", "user.email=s@example.org", "-c", "user.name=S", "commit", "-q", "-m", branch)
    shutil.rmtree(world.folder)
    git("worktree", "add", "-q", world.top / "linked", "one")
    world.folder = world.top / "linked" / world.package
    world.watch()
    run("git", "checkout", "-q", "--ignore-other-worktrees", "zero", cwd=world.folder)
    check_all_at_once(world, 0)


@pytest.mark.parametrize("tool", ["rsync", "tar", "unzip", "cp", "sed"])
def test_many_files_of_one_tool_are_live_once_each_and_nothing_flickers(world: World, tool: str) -> None:
    need(tool)
    world.watch({f"m{index}.py": OLD for index in range(MANY)})
    new = world.top / "new"
    shutil.copytree(world.folder, new, ignore=shutil.ignore_patterns("__pycache__"))
    for path in new.iterdir():
        path.write_text(NEW)
    shutil.make_archive(str(world.top / "new"), "zip", new)
    shutil.make_archive(str(world.top / "new"), "tar", new)
    commands = {
        "rsync": ["rsync", "-ac", f"{new}/", "."],
        "tar": ["tar", "-xf", f"{new}.tar"],
        "unzip": ["unzip", "-qo", f"{new}.zip"],
        "cp": ["cp", "-r", f"{new}/.", "."],
        "sed": ["sed", "-i", "s/1/2/", *(f"m{index}.py" for index in range(MANY))],
    }
    run(*commands[tool], cwd=world.folder)
    world.ok(f"hot.wait(lambda: set(hot.handlers.values()) == {{2}} and len(hot.handlers) == {MANY})")
    first, *later = ways_of_all(world)
    assert first == ["loaded"] * MANY
    assert [way for ways in later for way in ways] == ["patched"] * MANY
