"""--when idle: a save is built and published on the main thread, and only between cells."""

import pytest
from conftest import World


@pytest.fixture(autouse=True)
def now_again(world: World):
    yield
    world.ok("%hotwatch --stop --when now")


def save_while_a_cell_runs(world: World, *saves: dict[str, str], then: str = "pass") -> None:
    """Save one after the other while a cell runs, which does something once all of it has been heard, and ends."""
    request = world.kernel.start_running(f"input()\nassert hot._session._watcher.catch_up(10)\n{then}")
    for files in saves:
        world.write(files)
    world.kernel.answer()
    output = world.kernel.finish(request)
    assert output.error is None, output.traceback


TURNS = "import asyncio\nfor _ in range(99): await asyncio.sleep(0)  # no time, but a turn of the event loop\n"


@pytest.mark.parametrize("awaits", ["", TURNS], ids=["busy", "awaiting"])
def test_a_save_while_a_cell_runs_waits_for_its_end(world: World, awaits: str) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    save_while_a_cell_runs(world, {"a.py": "exports = 2\n"}, then=f"{awaits}seen = hot.handlers.a")
    assert world.value("(seen, hot.handlers.a)") == (1, 2)


def test_it_is_built_on_the_main_thread(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    save_while_a_cell_runs(world, {"a.py": "import threading\nexports = threading.current_thread().name\n"})
    assert world.value("hot.handlers.a") == "MainThread"


def test_saves_that_wait_become_one_generation_and_the_panel_says_that_they_wait(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"}, "--when idle")
    before = world.generation
    saves = {"a.py": "exports = 2\n"}, {"b.py": "exports = 2\n"}
    save_while_a_cell_runs(world, *saves, then="text = hot._session.state()")
    assert world.value("(hot.handlers.a, hot.handlers.b, hot.generation)") == (2, 2, before + 1)
    assert world.value("text.waiting") == 2


def test_an_idle_kernel_takes_a_save_without_a_cell(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    world.write({"a.py": "exports = 2\n"})
    world.kernel.wait_for_panel(f"{world.package}.a patched")
    assert world.value("hot.handlers.a") == 2


def test_waiting_for_it_in_a_cell_says_why_it_does_not_come(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    world.write({"a.py": "exports = 2\n"})
    output = world.run("hot.wait(generation=10**9, timeout=0.01)")
    assert "with --when idle nothing goes live while a cell runs" in output.traceback


def test_a_broken_file_is_held_back_and_heals(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    for text, value, broken in (("exports = (\n", 1, ["a"]), ("exports = 3\n", 3, [])):
        save_while_a_cell_runs(world, {"a.py": text})
        assert world.value("(hot.handlers.a, list(hot.errors))") == (value, broken)


def test_an_interrupt_stops_an_endless_load_and_not_the_kernel(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    save_while_a_cell_runs(world, {"a.py": "print('begins')\nwhile True: pass\n"})
    world.kernel.wait_for_text("begins")
    world.kernel.manager.interrupt_kernel()
    assert "KeyboardInterrupt" in str(world.errors)
    assert world.value("hot.handlers.a") == 1


def test_config_sets_it(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("%config HotMagics.when = 'idle'")
    assert world.value("hot._session.when") == "idle"
    world.ok("%config HotMagics.when = 'now'")
    assert world.value("hot._session.when") == "now"
