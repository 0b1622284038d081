"""What is broken never goes live, is told with its place, and heals by itself (scenarios 54 to 68)."""

import os
import re

import pytest
from conftest import World

BROKEN = "value = (\n"


def swap(world: World, name: str, files: dict[str, str]) -> None:
    """Replace a whole folder by two renames, which makes all its files one burst."""
    world.write({f"../next/{path}": text for path, text in files.items()})
    (world.folder / name).rename(world.top / "before")
    (world.top / "next").rename(world.folder / name)


def test_a_broken_save_leaves_the_last_good_handler_live(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    assert world.value("hot.handlers.a") == 1


def test_a_broken_save_is_no_generation(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    before = world.generation
    world.save({"a.py": BROKEN})
    assert world.generation == before


def test_a_syntax_error_is_told_with_its_file_and_line(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "exports = 2\ndef f(:\n    pass\n"})
    assert world.value("hot.errors['a'].place") == f"{world.folder}/a.py:2"
    assert world.errors == {"a": "SyntaxError: invalid syntax"}


def test_the_text_of_a_syntax_error_shows_the_wrong_line(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "exports = 2\ndef f(:\n    pass\n"})
    assert "def f(:" in str(world.value("hot.errors['a'].text"))


def test_an_exception_is_told_with_its_file_and_line(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "exports = 2\n\n1 / 0\n"})
    assert world.value("hot.errors['a'].place") == f"{world.folder}/a.py:3"
    assert world.errors == {"a": "ZeroDivisionError: division by zero"}


def test_the_line_told_is_of_the_failing_file_and_not_of_the_library_that_raised(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "import json\n\njson.loads('{')\n"})
    assert world.value("hot.errors['a'].line") == 3


def test_status_says_which_generation_runs_although_the_disk_differs(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    live = world.generation
    world.save({"a.py": BROKEN})
    assert f"generation {live} is still live" in world.ok("%hot status").text


def test_a_file_that_never_loaded_is_told_to_have_nothing_live(world: World) -> None:
    world.watch({"a.py": BROKEN})
    assert "nothing of it is live" in world.ok("%hot status").text


def test_an_error_does_not_land_in_the_output_of_other_cells(world: World) -> None:
    """The first of them gets one line that names the file, and nothing of the error's text; the next ones get nothing."""
    world.watch({"a.py": "exports = 1\n"})
    told = [world.save({"a.py": BROKEN}), world.ok("1 + 1")]
    after = world.ok("1 + 1")
    assert [output.text for output in (*told, after)] == ["", "", ""]
    assert after.displays == []
    (notice,) = (d for output in told for d in output.displays if "ipyhot-panel" not in d["data"]["text/html"])
    assert "\n" not in notice["data"]["text/plain"]
    assert "a.py:1 is not live" in notice["data"]["text/plain"]


def test_an_error_stays_in_hot_errors_until_it_is_healed(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    world.settle()
    assert "'(' was never closed" in (world.ok("hot.errors").result or "")


def test_the_same_error_is_reported_once(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    world.save({"b.py": "exports = 1\n"})
    assert world.value("list(hot.history[-1].failures)") == []
    assert list(world.errors) == ["a"]


def test_a_retried_error_keeps_the_time_it_was_first_seen(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    first = world.value("hot.errors['a'].since")
    world.save({"b.py": "exports = 1\n"})
    assert world.value("hot.errors['a'].since") == first


def test_a_fix_goes_live_and_clears_the_error(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    world.save({"a.py": "exports = 3\n"})
    assert world.value("hot.handlers.a") == 3
    assert world.errors == {}


def test_the_report_of_a_fix_names_what_it_healed(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    world.save({"a.py": "exports = 3\n"})
    assert world.value("hot.history[-1].healed") == (f"{world.package}.a",)


def test_an_error_after_another_error_takes_its_place(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    world.save({"a.py": "exports = nowhere\n"})
    assert world.errors == {"a": "NameError: name 'nowhere' is not defined"}


def test_a_fix_after_two_different_errors_goes_live(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    world.save({"a.py": "exports = nowhere\n"})
    world.save({"a.py": "exports = 3\n"})
    assert (world.value("hot.handlers.a"), world.errors) == (3, {})


def test_an_exception_halfway_shows_none_of_the_new_names(world: World) -> None:
    world.watch({"a.py": "A = 'old'\nB = 'old'\n"})
    world.ok("import PKG.a as a; from PKG.a import A")
    world.save({"a.py": "A = 'new'\nC = 'new'\n1 / 0\nB = 'new'\n"})
    assert world.value("(a.A, a.B, hasattr(a, 'C'), A)") == ("old", "old", False, "old")


def test_an_exception_halfway_leaves_the_old_functions_whole(world: World) -> None:
    world.watch({"a.py": "RATE = 1\ndef f():\n    return RATE\n"})
    world.ok("from PKG.a import f")
    world.save({"a.py": "RATE = 2\ndef f():\n    return -RATE\n1 / 0\n"})
    assert world.value("f()") == 1


def test_a_file_whose_dependent_raises_does_not_go_live(world: World) -> None:
    world.watch({"a.py": "RATE = 1\n", "b.py": "from PKG.a import RATE\nexports = RATE * 10\n"})
    world.save({"a.py": "RATES = 2\n"})
    assert world.value("(hot.handlers.a.RATE, hot.handlers.b)") == (1, 10)


def test_a_file_held_back_by_its_dependent_names_it(world: World) -> None:
    world.watch({"a.py": "RATE = 1\n", "b.py": "from PKG.a import RATE\n"})
    world.save({"a.py": "RATES = 2\n"})
    assert world.value("hot.errors['a'].held_by") == (f"{world.package}.b",)
    assert "cannot import name 'RATE'" in str(world.errors)


def test_what_was_held_back_goes_live_with_the_fix_of_its_dependent(world: World) -> None:
    world.watch({"a.py": "RATE = 1\n", "b.py": "from PKG.a import RATE\nexports = RATE * 10\n"})
    world.save({"a.py": "RATES = 2\n"})
    world.save({"b.py": "from PKG.a import RATES\nexports = RATES * 10\n"})
    assert world.value("(hot.handlers.a.RATES, hot.handlers.b)") == (2, 20)
    assert world.errors == {}


def test_an_unrelated_file_of_a_burst_goes_live_beside_a_broken_one(world: World) -> None:
    world.watch({"sub/a.py": "exports = 1\n", "sub/b.py": "exports = 1\n"})
    swap(world, "sub", {"a.py": BROKEN, "b.py": "exports = 2\n"})
    world.settle()
    assert world.value("(hot.handlers['sub.a'], hot.handlers['sub.b'])") == (1, 2)


def test_what_a_dependent_imports_is_never_a_mix_of_a_good_and_a_broken_save(world: World) -> None:
    world.watch(
        {
            "sub/a.py": "X = 1\n",
            "sub/b.py": "X = 1\n",
            "both.py": "from PKG.sub import a, b\nexports = (a.X, b.X)\n",
        }
    )
    swap(world, "sub", {"a.py": "X = 2\n", "b.py": "X = 2\n1 / 0\n"})
    world.settle()
    assert world.value("hot.handlers.both") == (1, 1)
    assert world.value("(hot.handlers.sub.a.X, hot.handlers.sub.b.X)") == (1, 1)


def test_a_return_to_the_original_text_is_fully_healthy(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    live = world.generation
    world.save({"a.py": BROKEN})
    world.save({"a.py": "exports = 1\n"})
    assert (world.errors, world.value("hot.handlers.a"), world.generation) == ({}, 1, live)


def test_after_a_return_to_the_original_text_the_next_edit_goes_live(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    world.save({"a.py": "exports = 1\n"})
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


def interrupt_a_reload(world: World) -> None:
    """Interrupt ``%hot reload a`` in the middle of a.py; what a.py blocks on is a pipe that the test reads."""
    os.mkfifo(world.top / "begun")
    text = f"""
        import __main__
        if __main__.is_slow:
            open({str(world.top / "begun")!r}, "w").close()
            while True:
                pass
        exports = __main__.number
    """
    world.ok("is_slow, number = False, 1")
    world.watch({"a.py": text})
    world.ok("is_slow, number = True, 2")
    cell = world.kernel.start("%hot reload a")
    (world.top / "begun").read_bytes()
    world.kernel.manager.interrupt_kernel()
    world.kernel.finish(cell)


def test_an_interrupted_reload_leaves_the_last_good_version_live(world: World) -> None:
    interrupt_a_reload(world)
    assert world.value("hot.handlers.a") == 1


def test_an_interrupted_reload_can_be_asked_for_again(world: World) -> None:
    interrupt_a_reload(world)
    world.ok("is_slow = False")
    world.ok("%hot reload a")
    assert (world.value("hot.handlers.a"), world.errors) == (2, {})


def test_sys_exit_in_a_file_is_an_error_of_that_file(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "import sys\nsys.exit(3)\n"})
    assert (world.value("hot.handlers.a"), world.errors) == (1, {"a": "SystemExit: 3"})


def test_a_callback_that_raises_does_not_stop_the_generation(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("@hot.on_change\ndef told(report):\n    1 / 0")
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


def test_a_callback_that_raises_does_not_keep_others_from_being_called(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("seen = []\n@hot.on_change\ndef raises(report):\n    1 / 0\nhot.on_change(lambda report: seen.append(1))")
    world.save({"a.py": "exports = 2\n"})
    world.ok("hot.wait(lambda: seen)")


def test_a_callback_that_raises_is_told(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("@hot.on_change\ndef told_of(report):\n    1 / 0")
    world.save({"a.py": "exports = 2\n"})
    world.settle()
    text = world.ok("%hot status").text
    assert "told_of" in text
    assert "ZeroDivisionError" in text


def test_the_text_of_an_error_shows_frames_of_the_user_only(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n", "b.py": "from PKG.a import f\nexports = f()\n"})
    world.save({"a.py": "def f():\n    return 1 / 0\n"})
    files = re.findall(r'File "([^"]*)"', str(world.value("hot.errors['b'].text")))
    assert files == [f"{world.folder}/b.py", f"{world.folder}/a.py"]


def test_the_text_of_an_error_shows_the_lines_that_ran(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n", "b.py": "from PKG.a import f\nexports = f()\n"})
    world.save({"a.py": "# moved\n\ndef f():\n    return 1 / 0  # the newest\n"})
    text = str(world.value("hot.errors['b'].text"))
    assert "return 1 / 0  # the newest" in text
    assert "line 4" in text


def test_a_traceback_in_a_cell_shows_the_text_of_the_newest_generation(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.ok("from PKG.a import f")
    world.save({"a.py": "# moved\n\ndef f():\n    raise ValueError('fourth line')\n"})
    assert "4     raise ValueError('fourth line')" in plain(world.run("f()").traceback)


def test_a_traceback_of_code_that_began_before_a_save_shows_the_text_it_runs(world: World) -> None:
    world.watch({"a.py": "def numbers():\n    yield 1\n    raise ValueError('old line')\n"})
    world.ok("from PKG.a import numbers; running = numbers(); next(running)")
    world.save({"a.py": "# moved\n\n# all\ndef numbers():\n    yield 2\n"})
    assert "3     raise ValueError('old line')" in plain(world.run("next(running)").traceback)


def test_a_forwarded_call_shows_no_frame_of_ipyhot(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.ok("from PKG.a import f; held = [f]")
    deco = "def deco(function):\n    def inner():\n        return function()\n    return inner\n\n@deco\n"
    world.save({"a.py": deco + "def f():\n    raise ValueError('newest')\n"})
    shown = plain(world.run("held[0]()").traceback)
    assert world.value("held[0] is not f")
    assert "raise ValueError('newest')" in shown
    assert "ipyhot" not in shown


@pytest.mark.parametrize("code", ["hot.reload('nope')", "hot.wait(timeout=0.01)", "hot.on_change('nope')(print)"])
def test_an_error_of_ipyhot_shows_the_line_of_the_cell_and_none_of_its_own(world: World, code: str) -> None:
    world.watch({"a.py": "exports = 1\n"})
    shown = plain(world.run(f"x = 1\n{code}").traceback)
    assert f"----> 2 {code}" in shown
    assert "ipyhot" not in shown


def test_after_a_failure_an_edit_of_a_leaf_reaches_its_dependents(world: World) -> None:
    world.watch({"leaf.py": "X = 1\n", "top.py": "from PKG.leaf import X\nexports = X\n"})
    world.save({"top.py": BROKEN})
    world.save({"top.py": "from PKG.leaf import X\nexports = -X\n"})
    world.save({"leaf.py": "X = 2\n"})
    assert world.value("hot.handlers.top") == -2


def test_after_a_failure_of_the_leaf_its_next_edit_reaches_its_dependents(world: World) -> None:
    world.watch({"leaf.py": "X = 1\n", "top.py": "from PKG.leaf import X\nexports = X\n"})
    world.save({"leaf.py": BROKEN})
    world.save({"leaf.py": "X = 2\n"})
    assert world.value("hot.handlers.top") == 2


def test_the_live_version_of_a_broken_dependent_follows_an_edit_of_its_leaf(world: World) -> None:
    world.watch({"leaf.py": "X = 1\n", "top.py": "from PKG.leaf import X\nexports = X\n"})
    world.save({"top.py": BROKEN})
    world.save({"leaf.py": "X = 2\n"})
    assert world.value("hot.handlers.top") == 2
    assert list(world.errors) == ["top"]


def test_a_fix_of_a_leaf_heals_the_dependent_that_failed_because_of_it(world: World) -> None:
    world.watch({"leaf.py": "X = 1\n", "top.py": "from PKG.leaf import X\nexports = X\n"})
    world.save({"top.py": "from PKG.leaf import X, Y\nexports = X + Y\n"})
    world.save({"leaf.py": "X = 1\nY = 5\n"})
    assert (world.value("hot.handlers.top"), world.errors) == (6, {})


def plain(text: str) -> str:
    """Return a traceback without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
