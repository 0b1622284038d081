"""%hotwatch and its options; a cell that is run right after a save."""

import os
import shutil
import threading

import pytest
from conftest import World


def test_a_cell_that_is_run_right_after_a_save_runs_the_new_code(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 0\n"})
    world.ok("from PKG.a import f")
    for number in range(1, 40):
        (world.folder / "a.py").write_text(f"def f():\n    return {number}\n")
        assert world.value("f()") == number


def test_a_cell_that_is_run_right_after_a_save_of_many_files_runs_the_new_code(world: World) -> None:
    world.watch({f"m{index}.py": "V = 0\n" for index in range(30)})
    for number in (1, 2, 3):
        world.write({f"m{index}.py": f"V = {number}\n" for index in range(30)})
        assert world.value("{m.V for n, m in hot.handlers.items()}") == {number}


def test_a_cell_waits_a_second_at_most_for_a_file_that_is_slow_to_load_and_is_told(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("import threading, builtins\nbuiltins.go_on = threading.Event()")
    (world.folder / "a.py").write_text("go_on.wait(30)\nexports = 2\n")
    assert world.value("hot.handlers.a") == 1
    assert "may have run the version before" in world.ok("%hot status").text
    world.ok("go_on.set()\nhot.wait(lambda: hot.handlers.a == 2)")
    world.save({"a.py": "exports = 3\n"})
    assert "may have run the version before" not in world.ok("%hot status").text


def test_the_switch_interval_is_as_before_after_a_batch(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    before = world.value("__import__('sys').getswitchinterval()")
    world.save({"a.py": "import sys\nexports = sys.getswitchinterval()\n"})
    assert world.value("hot.handlers.a") < before
    assert world.value("__import__('sys').getswitchinterval()") == before


def test_a_switch_interval_that_the_user_sets_during_a_batch_stays(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "import sys\nsys.setswitchinterval(0.25)\nexports = 2\n"})
    assert world.value("__import__('sys').getswitchinterval()") == 0.25
    world.ok("import sys\nsys.setswitchinterval(0.005)")


def test_a_save_goes_live_while_a_cell_keeps_the_interpreter_busy(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    request = world.kernel.start("while hot.handlers.a == 1: pass\nprint(hot.handlers.a)")
    (world.folder / "a.py").write_text("exports = 2\n")
    assert world.kernel.finish(request).text.strip() == "2"


def test_polling_is_told_and_sees_saves(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--poll 0.05")
    assert "is looked through every 0.05 s, as was asked for" in world.ok("%hot status").text
    world.save({"a.py": "exports = 2\n", "sub/b.py": "exports = 3\n"})
    world.ok("hot.wait(lambda: dict(hot.handlers) == {'a': 2, 'sub.b': 3})")


def test_polling_without_a_number_is_possible(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--poll")
    assert "every 1 s" in world.ok("%hot status").text


def test_polling_every_no_seconds_is_refused(world: World) -> None:
    output = world.run(f"%hotwatch {world.folder} --poll 0")
    assert "more than 0" in output.text + output.traceback
    assert world.handlers == []


def test_watching_again_with_other_options_replaces_the_first_watch(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--poll 0.05")
    world.ok(f"%hotwatch {world.folder}")
    assert "looked through" not in world.ok("%hot status").text
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


def test_a_folder_inside_a_watched_one_may_be_watched_too(world: World) -> None:
    world.watch({"sub/a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    world.run(f"%hotwatch {world.folder}/sub")
    world.write({"sub/a.py": "exports = 2\n", "b.py": "exports = 2\n"})
    world.ok("hot.wait(lambda: set(hot.handlers.values()) == {2})")
    world.ok(f"%hotwatch {world.folder}")
    world.write({"sub/a.py": "exports = 3\n", "b.py": "exports = 3\n"})
    world.ok("hot.wait(lambda: set(hot.handlers.values()) == {3})")


def test_a_relative_folder_is_followed_after_the_current_one_has_changed(world: World) -> None:
    world.write({"a.py": "exports = 1\n"})
    world.ok("%hotwatch ./PKG")
    (world.top / "elsewhere").mkdir()
    world.ok("%cd -q elsewhere")
    world.save({"a.py": "exports = 2\n", "sub/b.py": "exports = 3\n"})
    world.ok("hot.wait(lambda: dict(hot.handlers) == {'a': 2, 'sub.b': 3})")


def test_excluded_files_and_folders_are_no_handlers_and_are_not_listened_to(world: World) -> None:
    files = {"a.py": "exports = 1\n", "test_a.py": "1 / 0\n", "old/b.py": "1 / 0\n", "old/deep/c.py": "1 / 0\n"}
    world.watch(files, "--exclude test_* --exclude old/")
    assert world.handlers == ["a"]
    world.save({"a.py": "exports = 2\n", "test_b.py": "1 / 0\n", "old/d.py": "1 / 0\n"})
    world.settle()
    assert world.handlers == ["a"]
    assert world.errors == {}
    heard = world.value("[p for l in hot._session._watcher._all for p in l.source._watch_of]")
    assert heard == [os.path.realpath(world.folder)]


def test_an_excluded_file_can_be_imported_as_ever(world: World) -> None:
    world.watch({"a.py": "from PKG.plain import V\nexports = V\n", "plain.py": "V = 1\n"}, "--exclude plain.py")
    assert world.value("hot.handlers.a") == 1
    assert world.handlers == ["a"]
    world.write({"plain.py": "V = 2\n"})
    world.settle()
    assert world.value("(hot.handlers.a, sorted(hot.errors))") == (1, [])


def test_only_included_files_are_handlers(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "hot_b.py": "exports = 2\n", "sub/hot_c.py": "exports = 3\n"}, "--include 'hot_*'")
    assert world.handlers == ["hot_b", "sub.hot_c"]
    world.save({"hot_d.py": "exports = 4\n", "e.py": "exports = 5\n"})
    assert world.handlers == ["hot_b", "hot_d", "sub.hot_c"]


def test_a_folder_that_is_watched_again_with_less_of_it_leaves_out_the_rest(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 2\n", "sub/c.py": "exports = 3\n"})
    world.ok(f"%hotwatch {world.folder} --exclude 'b*' --exclude sub")
    assert world.handlers == ["a"]
    assert world.value("(len(dir(hot.handlers)), __import__('PKG.b').b.exports)") == (1, 2)
    world.save({"a.py": "exports = 4\n"})
    assert world.value("hot.handlers.a") == 4
    world.ok(f"%hotwatch {world.folder}")
    assert world.handlers == ["a", "b", "sub.c"]


def test_folders_of_tools_are_not_listened_to(world: World) -> None:
    inside = {".git/hooks/a.py", ".venv/lib/a.py", "env/lib/a.py", "node_modules/x/a.py", "__pycache__/a.py", ".cache/a.py"}
    world.write(dict.fromkeys(inside, "1 / 0\n"))
    (world.folder / "env" / "pyvenv.cfg").touch()
    world.watch({"a.py": "exports = 1\n"})
    assert world.handlers == ["a"]
    heard = world.value("[p for l in hot._session._watcher._all for p in l.source._watch_of]")
    assert [os.path.relpath(path, world.folder) for path in heard] == [".", "env"]


def test_a_watched_folder_that_is_gone_is_told_and_followed_again_when_it_is_back(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    os.rename(world.folder, world.top / "away")
    world.kernel.wait_for_panel("is gone")
    assert world.handlers == ["a", "b"]
    assert world.errors == {}
    (world.top / "away" / "a.py").write_text("exports = 2\n")
    (world.top / "away" / "b.py").unlink()
    os.rename(world.top / "away", world.folder)
    world.ok("hot.wait(lambda: dict(hot.handlers) == {'a': 2})")
    world.save({"a.py": "exports = 3\n"})
    assert world.value("hot.handlers.a") == 3
    assert "is gone" not in world.ok("%hot status").text


def test_a_cell_right_after_the_watched_folder_was_made_again_runs_what_is_in_it(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    for number in range(2, 12):
        if number % 2:
            os.rename(world.folder, world.top / f"away{number}")
        else:
            shutil.rmtree(world.folder)
        world.write({"a.py": f"exports = {number}\n"})
        assert world.value("hot.handlers.a") == number
    assert "is gone" not in world.ok("%hot status").text


def test_a_subfolder_that_is_made_again_and_removed_leaves_no_handler(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "sub/b.py": "exports = 1\n"})
    shutil.rmtree(world.folder / "sub")
    world.write({"sub/b.py": "exports = 2\n"})
    world.ok("hot.wait(lambda: hot.handlers.sub.b == 2)")
    shutil.rmtree(world.folder / "sub")
    world.ok("hot.wait(lambda: list(hot.handlers) == ['a'])")
    assert world.errors == {}


@pytest.mark.parametrize("times", range(3))
def test_a_cell_right_after_a_folder_was_moved_and_written_runs_what_is_there(world: World, times: int) -> None:
    names = ["a", "b", "sub.a", "sub.b"]
    world.watch({f"{name.replace('.', '/')}.py": "exports = 1\n" for name in names})
    for number in range(2, 12):
        away = world.top / f"away{number}"
        os.rename(world.folder, away)
        (away / "a.py").write_text(f"exports = {number}\n")
        os.rename(away, world.folder)
        (world.folder / "b.py").write_text(f"exports = {number}\n")
        assert world.value("(hot.handlers.a, hot.handlers.b)") == (number, number)
    for number, (old, new) in enumerate([("sub", "other"), ("other", "sub")] * 5):
        os.rename(world.folder / old, world.folder / new)
        (world.folder / new / "b.py").write_text(f"exports = {number}\n")
        assert world.value(f"'{old}.b' not in hot.handlers and hot.handlers['{new}.b']") == number


def test_a_link_to_a_folder_is_watched_by_its_own_name_and_told_when_it_leads_elsewhere(world: World) -> None:
    for number in (1, 2):
        world.write({f"../release-{number}/a.py": f"exports = {number}\n"})
    world.folder.rmdir()
    world.folder.symlink_to("release-1")
    world.watch()
    assert world.value("(hot.handlers.a, __import__('PKG.a').a.exports)") == (1, 1)
    world.write({"../release-1/a.py": "exports = 11\n"})
    assert world.value("hot.handlers.a") == 11
    (world.top / "new").symlink_to("release-2")
    (world.top / "new").rename(world.folder)
    world.kernel.wait_for_panel("leads to")
    world.ok("%hotwatch --stop\n%hotwatch ./PKG")
    assert world.value("(hot.handlers.a, __import__('PKG.a').a.exports)") == (2, 2)


def test_a_module_that_writes_a_file_beside_itself_makes_no_endless_loop(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "open(__file__[:-4] + 'made.py', 'w').write('exports = 1\\n')\nexports = 2\n"})
    world.ok("hot.wait(lambda: 'made' in hot.handlers)")
    world.settle()
    assert world.value("len([r for r in hot.history if 'PKG.a' in r.ways])") == 2


def test_two_thousand_writes_over_many_files_end_with_what_the_disk_holds(world: World) -> None:
    world.watch({f"m{index}.py": "exports = 0\n" for index in range(50)})

    def text(number: int) -> str:
        return f"exports = {number}\n" if number % 7 else f"exports = ({number}\n"

    def storm(numbers: range) -> None:
        for number in numbers:
            (world.folder / f"m{number % 50}.py").write_text(text(number))

    threads = [threading.Thread(target=storm, args=[range(part, 2000, 2)]) for part in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(2000, 2050):
        (world.folder / f"m{number % 50}.py").write_text(f"exports = {number}\n")
    last = {f"m{number % 50}": number for number in range(2000, 2050)}
    world.ok(f"hot.wait(lambda: dict(hot.handlers) == {last})")  # on the way there a file may be found empty: a module
    world.settle()
    assert world.errors == {}


@pytest.mark.parametrize("again", ["%hotwatch --stop", "%reload_ext ipyhot", "%hotwatch . --exclude used.py"])
def test_modules_that_were_imported_from_a_followed_folder_are_followed_again(world: World, again: str) -> None:
    name = f"used_{world.package}"
    world.ok(f"import os, sys\nos.makedirs('near_{name}')\n%cd -q near_{name}\nsys.path.insert(0, os.getcwd())")
    near = world.folder.parent / f"near_{name}"
    (near / f"{name}.py").write_text("A = 1\n")
    try:
        world.ok(f"%hotwatch .\nimport {name}\nfrom {name} import A")
        world.ok(again.replace("used", name))
        world.ok("%hotwatch .")
        (near / f"{name}.py").write_text("A = 3\n")
        assert world.value(f"hot.wait(lambda: {name}.A == 3) or (A, sorted(hot.handlers))") == (3, [name])
    finally:
        world.ok("%hotwatch --stop\nsys.path.pop(0)\n%cd -q ..")


def test_a_cell_that_is_interrupted_while_it_waits_for_a_save_does_not_run(world: World) -> None:
    world.watch({"m.py": "X = 1\n"})
    world.ok("import threading, PKG.m\nloading = threading.Event()")
    world.write(
        {"m.py": "import sys, threading\nsys.modules['__main__'].loading.set()\nthreading.Event().wait(0.9)\nX = 2\n"}
    )
    world.ok("loading.wait(10)")
    request = world.kernel.start("print('CELL RAN')")
    world.kernel.manager.interrupt_kernel()
    output = world.kernel.finish(request)
    assert ("CELL RAN" in output.text, "ipyhot" in output.text + output.traceback) == (output.error is None, False)
    world.ok("hot.wait(lambda: hot.handlers.m.X == 2)")


def test_a_file_that_is_loaded_cannot_stop_the_watch(world: World) -> None:
    text = "from IPython import get_ipython\nget_ipython().run_line_magic('hotwatch', '--stop')\n"
    world.watch({"m.py": "X = 1\n"})
    world.save({"e.py": text})
    assert "a file that is being loaded cannot" in world.value("hot.errors['e'].summary")
    world.save({"m.py": "X = 3\n"})
    assert world.value("hot.handlers.m.X") == 3


def test_stopping_one_folder_of_several_is_refused_rather_than_stopping_all(world: World) -> None:
    world.watch({"m.py": "X = 1\n"})
    assert "name no folder" in world.run(f"%hotwatch --stop {world.folder}").text + str(
        world.run(f"%hotwatch --stop {world.folder}").traceback
    )
    assert world.handlers == ["m"]
