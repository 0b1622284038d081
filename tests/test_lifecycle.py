"""From %load_ext to the end of the kernel. Each test has a kernel of its own where it ends one."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Kernel, World

TRACES = """[
    sorted("".join(c for c in t.name if not c.isdigit()) for t in threading.enumerate()), sorted(type(f).__name__ if not isinstance(f, type) else f.__name__ for f in sys.meta_path),
    sorted(ip.magics_manager.magics["line"]), "HotMagics" in ip.magics_manager.registry, [type(c).__name__ for c in ip.configurables].count("HotMagics"),
    {name: len(found) for name, found in ip.events.callbacks.items()}, "hot" in globals(), builtins.__import__.__class__.__name__,
]"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel that the test may end."""
    (tmp_path / "hots").mkdir()
    (tmp_path / "hots" / "a.py").write_text("exports = 1\n")
    kernel = Kernel(tmp_path)
    kernel.run("import threading, sys, builtins\nip = get_ipython()")
    yield kernel
    kernel.stop()


def test_the_default_folder_is_watched_as_soon_as_the_extension_is_loaded(own: Kernel) -> None:
    own.run("%load_ext ipyhot")
    assert own.value("dict(hot.handlers)") == {"a": 1}


def test_unloading_leaves_nothing_behind(own: Kernel) -> None:
    own.run("%lsmagic")  # IPython fills its own tables when they are first looked at
    before = own.value(TRACES)
    own.run("%load_ext ipyhot")
    assert own.value(TRACES) != before
    own.run("%unload_ext ipyhot")
    assert own.value(TRACES) == before


def test_loading_twice_changes_nothing(own: Kernel) -> None:
    own.run("%load_ext ipyhot")
    before = own.value(TRACES)
    own.run("%load_ext ipyhot")
    assert own.value(TRACES) == before


def test_reloading_the_extension_goes_on_watching(own: Kernel, tmp_path: Path) -> None:
    own.run("%load_ext ipyhot")
    before = own.value(TRACES)
    own.run("%reload_ext ipyhot")
    assert own.value(TRACES) == before
    (tmp_path / "hots" / "a.py").write_text("exports = 2\n")
    assert own.run("hot.wait(lambda: hot.handlers.a == 2)").error is None


def test_the_kernel_ends_without_delay(own: Kernel) -> None:
    own.run("%load_ext ipyhot")
    began = time.monotonic()
    own.client.shutdown()
    own.manager.provisioner.process.wait(timeout=10)
    assert time.monotonic() - began < 3


def test_the_kernel_ends_although_a_file_is_loading_for_ever(own: Kernel, tmp_path: Path) -> None:
    own.run("%load_ext ipyhot")
    (tmp_path / "hots" / "slow.py").write_text("import threading\nthreading.Event().wait()\n")
    own.run("while hot._session.engine.loading is None: pass")
    own.client.shutdown()
    own.manager.provisioner.process.wait(timeout=10)


def test_a_forked_child_has_no_watcher_and_no_held_lock(own: Kernel) -> None:
    own.run("%load_ext ipyhot")
    output = own.run("""
        import os
        engine = hot._session.engine
        engine._lock.acquire()  # as if the builder were in the middle of a transaction
        child = os.fork()
        if not child:
            names = [t.name for t in threading.enumerate()]
            free = engine._lock.acquire(blocking=False)
            os._exit(0 if free and not any("ipyhot" in name for name in names) else 1)
        engine._lock.release()
        print("exit code", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """)
    assert "exit code 0\n" in output.text  # Python 3.12 warns of forks beside threads


def test_a_missing_folder_is_an_error_that_names_it_and_leaves_the_watch_as_it_was(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    output = world.run("%hotwatch ./no_such_folder")
    assert output.error == "UsageError" or "no_such_folder" in output.text + output.traceback
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


def test_watching_the_same_folder_again_runs_nothing_again(world: World) -> None:
    world.watch({"a.py": "import builtins\nbuiltins.runs = getattr(builtins, 'runs', 0) + 1\n"})
    world.ok(f"%hotwatch {world.folder}")
    assert world.value("__import__('builtins').runs") == 1
    assert world.handlers == ["a"]


def test_several_folders_may_be_watched(world: World, tmp_path: Path) -> None:
    world.watch({"a.py": "exports = 1\n"})
    other = tmp_path / f"more_{world.package}"
    other.mkdir()
    (other / "b.py").write_text("exports = 2\n")
    world.ok(f"%hotwatch {other}")
    assert world.value("dict(hot.handlers)") == {"a": 1, "b": 2}
    world.save({"a.py": "exports = 10\n"})
    (other / "b.py").write_text("exports = 20\n")
    world.ok("hot.wait(lambda: dict(hot.handlers) == {'a': 10, 'b': 20})")


def test_after_stop_nothing_is_followed_and_watching_again_is_possible(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("%hotwatch --stop")
    assert world.handlers == []
    world.write({"a.py": "exports = 2\n"})
    world.ok(f"%hotwatch {world.folder}")
    assert world.value("hot.handlers.a") == 2


def test_a_folder_of_the_same_name_elsewhere_takes_the_place_of_a_stopped_one(world: World, tmp_path: Path) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    world.ok("import PKG.b\n%hotwatch --stop")
    other = tmp_path / "elsewhere" / world.package
    other.mkdir(parents=True)
    (other / "a.py").write_text("exports = 'there'\n")
    world.ok(f"%hotwatch {other}")
    assert world.value("dict(hot.handlers)") == {"a": "there"}
    assert world.run("import importlib; importlib.import_module('PKG.b')").error == "ModuleNotFoundError"


def test_a_callback_is_called_with_the_report_of_what_it_asked_for(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    world.ok("""
        every, only = [], []
        hot.on_change(lambda report: every.append(list(report.ways)))
        @hot.on_change("b")
        def changed(report): only.append(list(report.ways))
    """)
    world.save({"a.py": "exports = 2\n"})
    world.save({"b.py": "exports = 2\n"})
    world.ok("hot.wait(lambda: len(every) == 2 and only)")
    assert world.value("(every, only)") == (
        [[f"{world.package}.a"], [f"{world.package}.b"]],
        [[f"{world.package}.b"]],
    )


def test_a_callback_that_raises_is_switched_off_and_told(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("calls = []\n@hot.on_change\ndef bad(report):\n    calls.append(1)\n    raise ValueError('bad')")
    world.save({"a.py": "exports = 2\n"})
    world.save({"a.py": "exports = 3\n"})
    world.settle()
    assert world.value("calls") == [1]
    assert "switched off" in world.ok("%hot status").text


def test_waiting_for_what_does_not_happen_ends_with_an_error(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    assert world.run("hot.wait(generation=10**9, timeout=0.01)").error == "WaitTimeoutError"


def test_an_unknown_handler_is_an_error_that_lists_the_known_ones(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    output = world.run("hot.reload('b')")
    assert output.error == "UnknownHandlerError"
    assert "there are a" in output.traceback


def test_a_reload_asked_for_by_a_file_that_is_loading_is_refused(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("import builtins\nbuiltins.hot_of_test = hot")
    world.save({"a.py": "hot_of_test.reload('a')\n"})
    assert "BusyError" in world.errors["a"]
    assert world.value("hot.handlers.a") == 1


def test_the_report_tells_when_it_was_built_and_when_it_was_live(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": "exports = 2\n"})
    assert world.value("0 < hot.history[-1].built_ms <= hot.history[-1].live_ms < 10_000") is True


def test_no_output_lands_in_other_cells(world: World) -> None:
    """What a file prints while it loads belongs to the cell with the panel; a cell that runs meanwhile gets nothing."""
    world.watch({"a.py": "exports = 1\n"})
    request = world.kernel.start("import threading\nhot.wait(lambda: hot.handlers.a == 2)\nprint('mine')")
    world.write({"a.py": "print('theirs')\nexports = 2\n"})
    assert world.kernel.finish(request).text.strip() == "mine"


def test_updates_between_cells_belong_to_the_cell_with_the_panel(own: Kernel, tmp_path: Path) -> None:
    watching = own.start("%load_ext ipyhot")
    own.finish(watching)
    own.run("1 + 1")
    (tmp_path / "hots" / "a.py").write_text("exports = 2\n")
    assert own.wait_for_panel('data-gen="2"')["parent_header"]["msg_id"] == watching


def test_two_files_with_one_handler_name_do_not_take_it_from_each_other(world: World, tmp_path: Path) -> None:
    world.watch({"a.py": "exports = 'first'\n"})
    other = tmp_path / f"more_{world.package}"
    other.mkdir()
    (other / "a.py").write_text("exports = 'second'\n")
    world.ok(f"%hotwatch {other}")
    assert world.value("dict(hot.handlers)") == {"a": "first", f"{other.name}.a": "second"}
    (other / "a.py").unlink()
    world.ok("hot.wait(lambda: len(hot.handlers) == 1)")
    assert world.value("hot.handlers.a") == "first"


def test_a_forked_child_that_stops_watching_leaves_the_parents_watch_alone(own: Kernel, tmp_path: Path) -> None:
    own.run("%load_ext ipyhot")
    own.run("""
        import os
        child = os.fork()
        if not child:
            try:
                ip.run_line_magic("hotwatch", "--stop")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    """)
    (tmp_path / "hots" / "a.py").write_text("exports = 2\n")
    assert own.run("hot.wait(lambda: hot.handlers.a == 2)").error is None
