"""--when idle: a save is built and published on the main thread, and only between cells."""

import pytest
from conftest import World


@pytest.fixture(autouse=True)
def now_again(world: World):
    yield
    world.ok("%hotwatch --stop --when now")


def test_a_save_while_a_cell_runs_waits_for_its_end(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    code = """
        import time
        session = hot._session
        while not session._waiting: time.sleep(0.001)
        seen = hot.handlers.a
    """
    request = world.kernel.start_running(code)
    world.write({"a.py": "exports = 2\n"})
    assert world.kernel.finish(request).error is None
    assert world.value("(seen, hot.handlers.a)") == (1, 2)


def test_an_await_of_a_cell_is_no_gap_between_cells(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    code = """
        import asyncio
        while not hot._session._waiting: await asyncio.sleep(0)
        for _ in range(99): await asyncio.sleep(0)
        seen = hot.handlers.a
    """
    request = world.kernel.start_running(code)
    world.write({"a.py": "exports = 2\n"})
    assert world.kernel.finish(request).error is None
    assert world.value("(seen, hot.handlers.a)") == (1, 2)


def test_it_is_built_on_the_main_thread(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    world.ok("import threading, time")
    request = world.kernel.start_running("while not hot._session._waiting: time.sleep(0.001)")
    world.write({"a.py": "import threading\nexports = threading.current_thread().name\n"})
    world.kernel.finish(request)
    assert world.value("hot.handlers.a") == "MainThread"


def test_saves_that_wait_become_one_generation_and_the_panel_says_that_they_wait(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"}, "--when idle")
    before = world.generation
    request = world.kernel.start_running(
        "import time\nwhile len(hot._session._waiting) < 2: time.sleep(0.001)\ntext = hot._session.state()"
    )
    world.write({"a.py": "exports = 2\n"})
    world.write({"b.py": "exports = 2\n"})
    world.kernel.finish(request)
    assert world.value("(hot.handlers.a, hot.handlers.b, hot.generation)") == (2, 2, before + 1)
    assert world.value("text.waiting") == 2


def test_an_idle_kernel_takes_a_save_without_a_cell(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    world.ok("import threading; came = threading.Event(); hot.on_change(lambda report: came.set())")
    world.write({"a.py": "exports = 2\n"})
    while True:  # the panel's update is the only thing that comes, since no cell runs
        message = world.kernel.client.get_iopub_msg(timeout=10)
        if message["msg_type"] == "update_display_data" and f"{world.package}.a patched" in str(message["content"]):
            break
    assert world.value("hot.handlers.a") == 2


def test_waiting_for_it_in_a_cell_says_why_it_does_not_come(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    world.write({"a.py": "exports = 2\n"})
    output = world.run("hot.wait(generation=10**9, timeout=0.01)")
    assert "with --when idle nothing goes live while a cell runs" in output.traceback


def test_a_broken_file_is_held_back_and_heals(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    waiting = "import time\nwhile not hot._session._waiting: time.sleep(0.001)"
    for text, value, broken in (("exports = (\n", 1, ["a"]), ("exports = 3\n", 3, [])):
        request = world.kernel.start_running(waiting)
        world.write({"a.py": text})
        world.kernel.finish(request)
        assert world.value("(hot.handlers.a, list(hot.errors))") == (value, broken)


def test_an_interrupt_stops_an_endless_load_and_not_the_kernel(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--when idle")
    request = world.kernel.start_running("import time\nwhile not hot._session._waiting: time.sleep(0.001)")
    world.write({"a.py": "print('begins')\nwhile True: pass\n"})
    world.kernel.finish(request)
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
