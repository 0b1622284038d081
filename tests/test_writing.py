"""Ways to write a file: whatever the tool and however slow, what goes live is what stands on the disk in the end."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import World


def ways_of(world: World, module: str) -> object:
    """Return what was done with a module, oldest first."""
    return world.value(f"[r.ways['PKG.{module}'].value for r in hot.history if 'PKG.{module}' in r.ways]")


def failed(world: World, module: str) -> object:
    """Tell whether a module was ever reported as broken."""
    return world.value(f"any('PKG.{module}' in r.failures for r in hot.history)")


# -- 38, 39: how editors write


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def by_vim(path: Path, text: str) -> None:
    probe, backup = path.with_name("4913"), path.with_name(f"{path.name}~")
    probe.touch()
    probe.unlink()
    os.rename(path, backup)
    path.write_text(text)
    path.chmod(0o644)
    backup.unlink()


def by_replacing(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.tmp.1234")
    beside.write_text(text)
    os.replace(beside, path)


def by_replacing_with_a_python_file(path: Path, text: str) -> None:
    beside = path.with_name(f".tmp_{path.name}")
    beside.write_text(text)
    os.replace(beside, path)


def by_moving_in(path: Path, text: str) -> None:
    outside = path.parent.parent / "outside.py"
    outside.write_text(text)
    os.replace(outside, path)


def by_deleting_first(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def by_linking(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.link")
    beside.write_text(text)
    path.unlink()
    os.link(beside, path)
    beside.unlink()


def in_pieces(path: Path, text: str) -> None:
    with path.open("w") as file:
        for character in text:
            file.write(character)
            file.flush()


def over_the_old_text(path: Path, text: str) -> None:
    with path.open("r+") as file:
        file.write(text)
        file.truncate()


WAYS = [
    in_place,
    by_vim,
    by_replacing,
    by_replacing_with_a_python_file,
    by_moving_in,
    by_deleting_first,
    by_linking,
    in_pieces,
    over_the_old_text,
]


@pytest.mark.parametrize("way", WAYS)
def test_a_save_is_one_change_and_never_a_deletion(world: World, way: Callable[[Path, str], None]) -> None:
    world.watch({"a.py": "exports = 1\n"})
    way(world.folder / "a.py", "exports = 2\n")
    world.settle()
    assert world.value("hot.handlers.a") == 2
    assert ways_of(world, "a") == ["loaded", "patched"]
    assert world.errors == {}
    assert world.handlers == ["a"]


@pytest.mark.parametrize("way", WAYS)
def test_each_of_ten_saves_in_a_row_is_seen(world: World, way: Callable[[Path, str], None]) -> None:
    world.watch({"a.py": "exports = 0\n"})
    for number in range(1, 11):
        way(world.folder / "a.py", f"exports = {number}\n")
        world.ok(f"hot.wait(lambda: hot.handlers.a == {number})")


def test_twenty_replacements_by_rename_are_all_seen(world: World) -> None:
    world.watch({"a.py": "exports = 0\n"})
    for number in range(1, 21):
        world.save({"a.py": f"exports = {number}\n"})
        assert world.value("hot.handlers.a") == number
    assert ways_of(world, "a") == ["loaded", *["patched"] * 20]


def test_an_appended_line_goes_live(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    with (world.folder / "a.py").open("a") as file:
        file.write("exports = 2\n")
    world.settle()
    assert world.value("hot.handlers.a") == 2


# -- 40, 41, 42: slow and broken-off writers


def write_slowly(path: Path, pieces: list[str], pause: float) -> None:
    """Write a file piece by piece in another thread, as a slow program does, and return when it has closed it."""

    def write() -> None:
        with path.open("w") as file:
            for piece in pieces:
                file.write(piece)
                file.flush()
                threading.Event().wait(pause)  # this thread is the slow writer that is being tested

    writer = threading.Thread(target=write)
    writer.start()
    writer.join()


BIG = "def f():\n    return sum([\n" + "".join(f"        {number},\n" for number in range(20_000)) + "    ])\n"


def test_a_file_truncated_and_written_later_is_never_seen_empty(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    write_slowly(world.folder / "a.py", ["", "exports = 2\n"], pause=0.05)
    world.settle()
    assert world.value("hot.handlers.a") == 2
    assert ways_of(world, "a") == ["loaded", "patched"]


def test_a_file_written_in_chunks_is_one_generation_of_its_final_bytes(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    step = len(BIG) // 5
    write_slowly(world.folder / "a.py", [BIG[at : at + step] for at in range(0, len(BIG), step)], pause=0.05)
    world.settle()
    assert world.value("hot.handlers.a.f()") == sum(range(20_000))
    assert ways_of(world, "a") == ["loaded", "patched"]


def test_a_file_written_in_chunks_is_never_reported_as_broken(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    write_slowly(world.folder / "a.py", ["def f(", "x=", "2):\n", "    return (", "x\n", ")\n"], pause=0.05)
    world.settle()
    assert world.value("hot.handlers.a.f()") == 2
    assert failed(world, "a") is False


def test_a_new_file_written_in_chunks_is_never_reported_as_broken(world: World) -> None:
    world.watch()
    write_slowly(world.folder / "a.py", ["def f(", "x=", "2):\n", "    return (", "x\n", ")\n"], pause=0.05)
    world.settle()
    assert world.value("hot.handlers.a.f()") == 2
    assert failed(world, "a") is False


def test_a_new_file_is_never_loaded_half_written(world: World) -> None:
    world.watch()
    write_slowly(world.folder / "a.py", ["value = 1\n", "other = 2\n"], pause=0.1)
    world.settle()
    assert world.value("(hot.handlers.a.value, hot.handlers.a.other)") == (1, 2)
    assert ways_of(world, "a") == ["loaded"]


def test_a_file_deleted_before_it_was_complete_is_never_seen(world: World) -> None:
    world.watch({"b.py": "exports = 1\n"})
    with (world.folder / "a.py").open("w") as file:
        file.write("def f(")
        file.flush()
        (world.folder / "a.py").unlink()
    world.settle()
    assert world.handlers == ["b"]
    assert ways_of(world, "a") == []
    assert failed(world, "a") is False


def test_a_file_that_is_created_and_deleted_at_once_is_never_seen(world: World) -> None:
    world.watch({"b.py": "exports = 1\n"})
    (world.folder / "a.py").touch()
    (world.folder / "a.py").unlink()
    world.settle()
    assert world.handlers == ["b"]
    assert failed(world, "a") is False


# -- 43, 44: what time stamps say does not count


def test_two_saves_of_one_size_in_one_moment_are_both_seen(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    for number in (2, 3):
        (world.folder / "a.py").write_text(f"exports = {number}\n")
        os.utime(world.folder / "a.py", (1_700_000_000, 1_700_000_000))
        world.ok(f"hot.wait(lambda: hot.handlers.a == {number})")


def test_two_saves_without_a_pause_leave_the_second_live(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.write({"a.py": "exports = 2\n"})
    world.write({"a.py": "exports = 3\n"})
    world.settle()
    assert world.value("hot.handlers.a") == 3


def test_a_file_older_than_the_live_one_is_seen(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    beside = world.folder / "restored"
    beside.write_text("exports = 2\n")
    os.utime(beside, (1_000_000_000, 1_000_000_000))
    os.replace(beside, world.folder / "a.py")
    world.settle()
    assert world.value("hot.handlers.a") == 2


def test_byte_code_of_another_text_is_never_loaded(world: World) -> None:
    world.write({"a.py": "value = 1\n"})
    os.utime(world.folder / "a.py", (1_700_000_000, 1_700_000_000))
    world.ok("import sys, PKG.a\nassert PKG.a.value == 1\ndel sys.modules['PKG.a'], sys.modules['PKG']")
    assert list((world.folder / "__pycache__").glob("a.*.pyc"))
    world.write({"a.py": "value = 2\n"})
    os.utime(world.folder / "a.py", (1_700_000_000, 1_700_000_000))
    world.watch()
    assert world.value("hot.handlers.a.value") == 2


# -- 45, 46: many files, many saves


def test_a_folder_of_a_hundred_files_swapped_for_another_is_one_generation(world: World) -> None:
    world.watch({f"sub/m{number}.py": "exports = 1\n" for number in range(100)})
    (world.top / "new").mkdir()
    for number in range(100):
        (world.top / "new" / f"m{number}.py").write_text("exports = 2\n")
    os.rename(world.folder / "sub", world.top / "old")
    os.rename(world.top / "new", world.folder / "sub")
    world.settle()
    assert world.value("[hot.handlers[f'sub.m{number}'] for number in range(100)]") == [2] * 100
    assert ways_of(world, "sub.m7") == ["loaded", "patched"]
    assert world.value("len({r.generation for r in hot.history for name in r.ways if name.startswith('PKG.sub.m')})") == 2


def test_a_hundred_files_saved_in_a_burst_are_few_generations(world: World) -> None:
    world.watch({f"m{number}.py": "exports = 1\n" for number in range(100)})
    world.write({f"m{number}.py": "exports = 2\n" for number in range(100)})
    world.settle()
    assert world.value("[hot.handlers[f'm{number}'] for number in range(100)]") == [2] * 100
    assert world.value("len({r.generation for r in hot.history for name in r.ways if name.startswith('PKG.m')})") <= 3


def test_a_burst_over_files_that_need_each_other_ends_in_the_newest_of_all(world: World) -> None:
    def chain(value: int) -> dict[str, str | bytes | None]:
        links = {f"m{number}.py": f"from PKG.m{number - 1} import v{value}\n" for number in range(1, 30)}
        return {"m0.py": f"v{value} = {value}\n", **links}

    world.watch(chain(1))
    world.write(chain(2))
    world.settle()
    assert world.value("hot.handlers.m29.v2") == 2
    assert world.errors == {}


def test_after_a_stream_of_saves_the_last_text_of_each_file_is_live(world: World) -> None:
    world.watch()

    def save_one_after_another() -> None:
        for number in range(30):
            world.write({f"m{number % 10}.py": f"exports = {number}\n"})
            threading.Event().wait(0.03)  # this thread is the tool that saves at this pace

    tool = threading.Thread(target=save_one_after_another)
    tool.start()
    tool.join()
    world.settle()
    assert world.value("[hot.handlers[f'm{number}'] for number in range(10)]") == list(range(20, 30))
    assert world.errors == {}


# -- 48, 49: saves while something is being loaded


def test_a_file_changed_while_the_folder_is_first_loaded_is_seen(world: World) -> None:
    world.watch(
        {
            "a.py": "exports = 1\n",
            "b.py": "import pathlib\npathlib.Path(__file__).with_name('a.py').write_text('exports = 2\\n')\n",
        },
    )
    world.ok("hot.wait(lambda: hot.handlers.a == 2)")


SLOW = "import builtins\nbuiltins.entered.set()\nassert builtins.gate.wait(10)\n"
GATE = "import builtins, threading\nbuiltins.entered, builtins.gate = threading.Event(), threading.Event()"


def test_a_file_saved_again_while_it_is_loaded_ends_in_its_last_text(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok(GATE)
    world.write({"a.py": SLOW + "exports = 2\n"})
    world.ok("assert builtins.entered.wait(10)")
    world.write({"a.py": "exports = 3\n"})
    world.ok("builtins.gate.set()")
    world.settle()
    assert world.value("hot.handlers.a") == 3
    assert ways_of(world, "a") == ["loaded", "reloaded", "reloaded"]


def test_another_file_saved_while_one_is_loaded_goes_live_after_it(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    world.ok(GATE)
    world.write({"a.py": SLOW + "exports = 2\n"})
    world.ok("assert builtins.entered.wait(10)")
    world.write({"b.py": "exports = 2\n"})
    assert world.value("(hot.handlers.a, hot.handlers.b)") == (1, 1)
    world.ok("builtins.gate.set()\nhot.wait(lambda: (hot.handlers.a, hot.handlers.b) == (2, 2))")


def test_a_dependency_saved_while_its_importer_is_loaded_is_in_it_in_the_end(world: World) -> None:
    world.watch({"a.py": "value = 1\n", "b.py": "from PKG.a import value\nexports = value\n"})
    world.ok(GATE)
    world.write({"b.py": "from PKG.a import value\n" + SLOW + "exports = value * 10\n"})
    world.ok("assert builtins.entered.wait(10)")
    world.write({"a.py": "value = 2\n"})
    world.ok("builtins.gate.set()\nhot.wait(lambda: hot.handlers.b == 20)")


def test_a_file_deleted_while_it_is_loaded_is_gone_in_the_end(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok(GATE)
    world.write({"a.py": SLOW + "exports = 2\n"})
    world.ok("assert builtins.entered.wait(10)")
    world.write({"a.py": None})
    world.ok("builtins.gate.set()\nhot.wait(lambda: 'a' not in hot.handlers)")
    assert world.errors == {}


def test_a_file_saved_by_a_running_cell_is_live_before_that_cell_ends(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    output = world.ok(
        "import pathlib\nfrom PKG.a import f\n"
        "pathlib.Path('PKG/a.py').write_text('def f():\\n    return 2\\n')\n"
        "hot.wait(lambda: f() == 2)\nprint(f(), hot.handlers.a.f())",
    )
    assert output.text == "2 2\n"


# -- 50: files that write files


def test_a_file_that_writes_data_beside_itself_is_loaded_once(world: World) -> None:
    world.watch()
    world.save({"a.py": "import pathlib\npathlib.Path(__file__).with_name('data.txt').write_text('x')\n"})
    world.settle()
    assert ways_of(world, "a") == ["loaded"]


def test_a_file_that_rewrites_itself_with_the_same_text_is_loaded_once(world: World) -> None:
    world.watch()
    world.save({"a.py": "import pathlib\nme = pathlib.Path(__file__)\nme.write_bytes(me.read_bytes())\n"})
    world.settle()
    assert ways_of(world, "a") == ["loaded"]


GENERATOR = "import pathlib\npathlib.Path(__file__).with_name('made.py').write_text('exports = {value}\\n')\n"


def test_a_file_that_writes_another_makes_it_a_handler(world: World) -> None:
    world.watch()
    world.save({"a.py": GENERATOR.replace("{value}", "1")})
    world.ok("hot.wait(lambda: hot.handlers.get('made') == 1)")
    world.save({"a.py": GENERATOR.replace("{value}", "2")})
    world.ok("hot.wait(lambda: hot.handlers.get('made') == 2)")
    world.settle()
    assert ways_of(world, "a") == ["loaded", "reloaded"]
    assert ways_of(world, "made") == ["loaded", "patched"]


ENDLESS = """
import builtins, pathlib
builtins.loads += 1
number = 0
me = pathlib.Path(__file__)
me.write_text(me.read_text().replace(f"number = {number}", f"number = {number + 1}"))
"""


def test_a_file_that_changes_itself_at_each_load_is_stopped_and_told(world: World) -> None:
    world.watch({"b.py": "exports = 1\n"})
    world.ok("import builtins\nbuiltins.loads = 0")
    world.write({"a.py": ENDLESS})
    world.kernel.wait_for_panel("changes each time it is loaded")
    loads = world.value("builtins.loads")
    assert loads < 30
    world.save({"b.py": "exports = 2\n"})
    world.settle()
    assert world.value("(hot.handlers.b, builtins.loads)") == (2, loads)
