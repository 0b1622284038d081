"""Sources of versions: tracebacks, inspect, ??, and breakpoints of old and new code."""

import re

import pytest
from conftest import Kernel, World

FIRST = "def f():\n    marker_one = 1\n    raise ValueError('one')\n"
SECOND = "# moved\n\n\ndef f():\n    marker_two = 2\n    raise ValueError('two')\n"


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_a_traceback_shows_the_lines_of_the_version_that_ran_and_a_clean_path(world: World) -> None:
    world.watch({"a.py": FIRST})
    world.save({"a.py": SECOND})
    shown = plain(world.run("hot.handlers.a.f()").traceback)
    assert "raise ValueError('two')" in shown
    assert f"{world.package}/a.py, line 6" in shown
    assert "/./" not in shown
    assert "//" not in shown.replace("://", "")


def test_the_source_of_an_old_and_of_a_new_version_can_be_read(world: World) -> None:
    world.watch({"a.py": FIRST + "gen = (marker_three for marker_three in [1])\n"})
    world.ok("import inspect\nthen = hot.pin().__enter__()")
    world.save({"a.py": SECOND})
    assert "marker_one" in world.value("inspect.getsource(then.a.f)")
    assert "marker_two" in world.value("inspect.getsource(hot.handlers.a.f)")
    for name, part in (("then.a.f", "marker_one"), ("hot.handlers.a.f", "marker_two")):
        world.ok(f"probe = {name}")
        reply = world.kernel.client.inspect("probe", detail_level=1, reply=True, timeout=20)["content"]
        assert part in plain(reply["data"]["text/plain"])


class Debugger:
    """What a frontend's debugger says on the control channel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.number = 0

    def ask(self, command: str, **arguments: object) -> dict:
        self.number += 1
        content = {"type": "request", "seq": self.number, "command": command, "arguments": arguments}
        client = self.kernel.client
        client.control_channel.send(client.session.msg("debug_request", content))
        return client.control_channel.get_msg(timeout=20)["content"]

    def attach(self) -> None:
        self.ask("initialize", clientID="test", adapterID="", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
        self.ask("attach", request="attach", justMyCode=False, rules=[])

    def event(self, name: str) -> dict:
        while True:
            message = self.kernel.client.get_iopub_msg(timeout=20)
            if message["msg_type"] == "debug_event" and message["content"]["event"] == name:
                return message["content"]


@pytest.mark.timeout(120)
def test_a_breakpoint_in_the_file_is_hit_after_a_reload_and_saves_go_on_while_a_cell_stands_there(world: World) -> None:
    world.watch({"a.py": "def f(n):\n    m = n + 1\n    return m\n", "b.py": "exports = 1\n"})
    world.save({"a.py": "def f(n):\n    m = n + 2\n    return m\n"})
    debugger = Debugger(world.kernel)
    debugger.attach()
    path = str(world.folder / "a.py")
    debugger.ask("setBreakpoints", source={"path": path}, breakpoints=[{"line": 3}], sourceModified=False)
    debugger.ask("configurationDone")
    request = world.kernel.start("print(hot.handlers.a.f(1))")
    stopped = debugger.event("stopped")["body"]
    frames = debugger.ask("stackTrace", threadId=stopped["threadId"])["body"]["stackFrames"]
    assert (frames[0]["name"], frames[0]["line"]) == ("f", 3)
    assert frames[0]["source"]["path"] == path
    world.write({"b.py": "exports = 2\n"})
    world.kernel.wait_for_panel("b patched exports")
    debugger.ask("continue", threadId=stopped["threadId"])
    assert world.kernel.finish(request).text == "3\n"
    debugger.ask("disconnect", restart=False, terminateDebuggee=False)
    assert world.value("hot.handlers.b") == 2
