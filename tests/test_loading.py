"""Loading a file can do anything, and the kernel stays safe: it raises, leaves, never ends, or writes files."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import World

FOREVER = """
    import __main__
    exports = VERSION
    if exports and __main__.is_slow:
        __main__.begun.append(__name__)
        __main__.started.set()
        while True:
            pass
"""


@contextmanager
def loading(world: World, text: str = FOREVER) -> Iterator[None]:
    """Have version 2 of a.py loading without an end; version 1 is live. The load is cancelled in the end."""
    world.ok("import threading; is_slow, begun, started = False, [], threading.Event()")
    world.watch({"a.py": text.replace("VERSION", "1"), "b.py": "exports = 1\n"})
    world.ok("is_slow = True")
    world.write({"a.py": text.replace("VERSION", "2")})
    try:
        world.ok("assert started.wait(10)")
        yield
    finally:
        world.run("is_slow = False; hot.cancel()")


# -- it raises


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (b"def f(:\n", "SyntaxError: invalid syntax"),
        (b"exports = 2\0\n", "null bytes"),
        (b"# coding: nonsense\nexports = 2\n", "unknown encoding: nonsense"),
        (b"exports = '\xff'\n", "SyntaxError: (unicode error)"),
        (b"\xff\xfee\0", "SyntaxError"),
        (b"  exports = 2\n", "IndentationError: unexpected indent"),
        (b"if 1:\n\ta = 1\n        b = 2\n", "TabError"),
        (b"return 2\n", "SyntaxError: 'return' outside function"),
        (b"exports = " + b"(" * 1000 + b"\n", "SyntaxError: too many nested parentheses"),
        (b"exports = " + b"-" * 100_000 + b"1\n", "Error"),
    ],
    ids=["syntax", "null", "cookie", "utf8", "utf16", "indent", "tab", "return", "parentheses", "deep"],
)
def test_bytes_that_do_not_compile_never_go_live(world: World, text: bytes, summary: str) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": text})
    assert world.value("hot.handlers.a") == 1
    assert summary in str(world.errors)


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("raise ValueError('no')", "ValueError: no"),
        ("raise BaseException('no')", "BaseException: no"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import sys; sys.exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise StopIteration", "StopIteration"),
        ("raise MemoryError", "MemoryError"),
        ("def f():\n    f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
        ("raise ExceptionGroup('two', [ValueError(1), OSError(2)])", "ExceptionGroup: two (2 sub-exceptions)"),
        ("class E(Exception):\n    def __str__(self):\n        return 1 / 0\nraise E", "E: <exception str() failed>"),
        ("raise 7", "TypeError: exceptions must derive from BaseException"),
    ],
    ids=lambda value: None if ":" in value else value,
)
def test_whatever_a_file_raises_is_its_error(world: World, text: str, summary: str) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": f"exports = 2\n{text}\n"})
    assert world.value("hot.handlers.a") == 1
    assert summary in str(world.errors)


@pytest.mark.parametrize("text", ["raise SystemExit", "raise KeyboardInterrupt", "def f():\n    f()\nf()", "def f(:\n"])
def test_after_a_file_that_breaks_out_the_next_save_is_seen(world: World, text: str) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": text})
    world.save({"a.py": "exports = 3\n"})
    assert (world.value("hot.handlers.a"), world.errors) == (3, {})


@pytest.mark.parametrize("text", ["raise SystemExit", "raise KeyboardInterrupt", "1 / 0", "def f(:\n"])
def test_a_folder_with_a_broken_file_is_watched_and_the_others_are_live(world: World, text: str) -> None:
    world.watch({"a.py": text, "b.py": "exports = 1\n"})
    assert world.handlers == ["b"]
    assert list(world.errors) == ["a"]


def test_a_file_that_raises_leaves_no_module_behind(world: World) -> None:
    world.watch()
    world.save({"a.py": "1 / 0\n"})
    assert world.value("'PKG.a' in __import__('sys').modules") is False


def test_a_file_that_removes_itself_from_sys_modules_does_not_stop_the_watch(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "import sys\ndel sys.modules[__name__]\nexports = 2\n"})
    world.save({"a.py": "exports = 3\n"})
    assert world.value("hot.handlers.a") == 3


def test_a_file_that_prints_while_loading_does_not_print_into_another_cell(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    request = world.kernel.start_running("hot.wait(lambda: hot.handlers.a == 2)\nprint('from the cell')")
    world.write({"a.py": "print('from the file')\nexports = 2\n"})
    assert world.kernel.finish(request).text == "from the cell\n"


def test_a_file_that_asks_for_a_reload_while_it_loads_is_told_so(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "import __main__\n__main__.hot.reload()\n"})
    assert "BusyError" in str(world.errors)


# -- it does not end


def test_a_load_without_an_end_leaves_the_last_good_version_live(world: World) -> None:
    with loading(world):
        assert world.value("hot.handlers.a") == 1


def test_cells_run_during_a_load_without_an_end(world: World) -> None:
    with loading(world):
        assert world.value("1 + 1") == 2
        assert world.ok("from PKG.b import exports; import PKG.a").error is None


def test_cancel_names_what_it_stopped(world: World) -> None:
    with loading(world):
        assert world.value("hot.cancel()") == f"{world.package}.a"


def test_a_cancelled_load_leaves_the_last_good_version_live(world: World) -> None:
    with loading(world):
        world.ok("hot.cancel(); hot.wait(lambda: 'a' in hot.errors)")
    assert world.value("hot.handlers.a") == 1
    assert world.errors == {"a": "cancelled while it was loading"}


def test_the_magic_cancels_too(world: World) -> None:
    with loading(world):
        assert "PKG.a: cancelled".replace("PKG", world.package) in world.ok("%hot cancel").text
        world.ok("hot.wait(lambda: 'a' in hot.errors)")


def test_a_cancel_passes_a_file_that_catches_exceptions(world: World) -> None:
    text = FOREVER.replace(
        "        while True:\n            pass\n",
        "        while True:\n            try:\n                while True:\n                    pass\n"
        "            except Exception:\n                pass\n",
    )
    with loading(world, text):
        world.ok("hot.cancel(); hot.wait(lambda: 'a' in hot.errors)")


def test_after_a_cancel_the_next_save_is_seen(world: World) -> None:
    with loading(world):
        world.ok("hot.cancel(); hot.wait(lambda: 'a' in hot.errors)")
    world.save({"a.py": "exports = 3\n"})
    assert (world.value("hot.handlers.a"), world.errors) == (3, {})


def test_a_cancelled_file_is_not_tried_again_with_another_ones_save(world: World) -> None:
    with loading(world):
        world.ok("hot.cancel(); hot.wait(lambda: 'a' in hot.errors)")
        world.save({"b.py": "exports = 2\n"})
        assert world.value("(hot.handlers.b, len(begun))") == (2, 1)


def test_a_cancelled_file_loads_when_it_is_asked_for(world: World) -> None:
    with loading(world):
        world.ok("hot.cancel(); hot.wait(lambda: 'a' in hot.errors)")
    world.ok("%hot reload a")
    assert (world.value("hot.handlers.a"), world.errors) == (2, {})


def test_what_was_saved_during_a_long_load_goes_live_after_it(world: World) -> None:
    with loading(world):
        world.write({"b.py": "exports = 2\n"})
        world.ok("hot.cancel(); hot.wait(lambda: hot.handlers.b == 2)")


def test_a_fix_saved_during_a_load_without_an_end_goes_live_after_the_cancel(world: World) -> None:
    with loading(world):
        world.write({"a.py": "exports = 3\n"})
        world.ok("hot.cancel(); hot.wait(lambda: hot.handlers.a == 3)")
    assert world.errors == {}


def test_cancel_is_none_when_nothing_loads(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    assert world.value("hot.cancel()") is None


def test_the_magic_says_that_nothing_loads(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    assert "nothing is loading" in world.ok("%hot cancel").text


def test_a_load_that_takes_more_than_five_seconds_is_told_by_panel_and_status(world: World) -> None:
    with loading(world):
        world.kernel.wait_for_panel(f"{world.package}.a has been loading for")
        assert "a has been loading for 5 s" in world.ok("%hot status").text.replace(" 6 s", " 5 s")


# -- it writes files


def test_a_file_that_writes_the_same_file_each_time_it_loads_ends(world: World) -> None:
    world.ok("log = []")
    text = """
        from pathlib import Path
        from __main__ import log
        Path(__file__).with_name("b.py").write_text("exports = 1\\n")
        from PKG.b import exports
        log.append(exports)
    """
    world.watch({"a.py": text})
    world.settle()
    world.settle()
    assert world.handlers == ["a", "b"]
    assert world.value("len(log) <= 2")


def test_a_file_that_writes_itself_unchanged_is_loaded_once(world: World) -> None:
    world.ok("log = []")
    text = """
        from pathlib import Path
        from __main__ import log
        log.append(1)
        Path(__file__).write_bytes(Path(__file__).read_bytes())
    """
    world.watch()
    world.save({"a.py": text})
    world.settle()
    assert world.value("len(log)") == 1


def endless(world: World) -> None:
    """Watch a file that imports what it writes, another text each time, and wait until that is told."""
    world.ok("log = []")
    text = """
        from pathlib import Path
        from __main__ import log
        Path(__file__).with_name("b.py").write_text(f"exports = {len(log) + 1}\\n")
        from PKG.b import exports
        log.append(exports)
    """
    world.watch({"b.py": "exports = 0\n"})
    world.write({"a.py": text})
    world.kernel.wait_for_panel("changes each time it is loaded")


def test_a_file_that_writes_what_it_imports_anew_each_time_is_stopped_and_told(world: World) -> None:
    endless(world)
    count = world.value("len(log)")
    world.settle()
    assert isinstance(count, int)
    assert count < 40
    assert world.value("len(log)") == count
    assert "changes each time it is loaded" in world.ok("%hot status").text


# -- it needs what is not there yet


def without_package(world: World) -> str:
    """Watch a file that imports a package which is not there; return the package's name."""
    name = f"missing_{world.package}"
    (world.top / "site").mkdir()
    world.ok(f"import sys; sys.path.insert(0, {str(world.top / 'site')!r})")
    world.watch({"a.py": f"import {name}\nexports = {name}.X\n"})
    return name


def test_an_import_of_a_missing_package_names_it(world: World) -> None:
    name = without_package(world)
    assert world.errors == {"a": f"ModuleNotFoundError: No module named '{name}'"}


def test_a_file_heals_with_its_next_save_after_the_missing_package_was_installed(world: World) -> None:
    name = without_package(world)
    (world.top / "site" / f"{name}.py").write_text("X = 5\n")
    world.save({"a.py": f"import {name}\nexports = {name}.X\n"})
    assert (world.value("hot.handlers.a"), world.errors) == (5, {})


def test_a_file_heals_with_any_save_after_the_missing_package_was_installed(world: World) -> None:
    name = without_package(world)
    (world.top / "site" / f"{name}.py").write_text("X = 5\n")
    world.settle()
    assert (world.value("hot.handlers.a"), world.errors) == (5, {})


def test_a_file_heals_with_a_reload_after_the_missing_package_was_installed(world: World) -> None:
    name = without_package(world)
    (world.top / "site" / f"{name}.py").write_text("X = 5\n")
    world.ok("%hot reload")
    assert (world.value("hot.handlers.a"), world.errors) == (5, {})


def test_a_file_heals_when_the_missing_package_appears_in_the_folder(world: World) -> None:
    world.watch({"a.py": "from PKG.later import X\nexports = X\n"})
    assert list(world.errors) == ["a"]
    world.save({"later.py": "X = 5\n"})
    world.settle()
    assert (world.value("hot.handlers.a"), world.errors) == (5, {})
