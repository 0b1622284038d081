"""The world the tests live in: a real kernel for each test module, and a real folder for each test.

tmp_path/
hots_<n>/        the watched folder; its name is unique, so no test meets another one's modules
files_<n>/       the same for an engine in this process, without observer and kernel
"""

import ast
import gc
import itertools
import os
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import modes
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from watched import Watched

from ipyhot.core import engine as engine_module
from ipyhot.core.commit import commit
from ipyhot.core.engine import Engine
from ipyhot.core.model import Report, Way
from ipyhot.core.sources import open_folder
from ipyhot.watch import lookout

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # it hides bugs with stale byte code

pytest_plugins = ["lab"]

_numbers = itertools.count(1)


@dataclass
class Output:
    """What one cell gave: printed text, the result's repr and number, error name and traceback, and what it displayed.

    ``updates`` are those of all displays, whoever shows them, until the cell had ended.
    """

    text: str = ""
    result: str | None = None
    number: int | None = None
    error: str | None = None
    traceback: str = ""
    displays: list[dict] = field(default_factory=list)
    updates: list[dict] = field(default_factory=list)
    cleared: list[bool] = field(default_factory=list)


class Kernel:
    """A kernel process, spoken to as a notebook does."""

    def __init__(self, cwd: Path, *arguments: str) -> None:
        self._sockets = tempfile.TemporaryDirectory(prefix="ipyhot-")  # a socket's path has room for a hundred letters
        # Ports are chosen before the kernel binds them, and by then another process may have them; a socket's path is ours.
        place = {"transport": "ipc", "ip": f"{self._sockets.name}/kernel"} if os.name == "posix" else {}
        self.manager = KernelManager(kernel_name="python3", **place)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.manager.start_kernel(cwd=str(cwd), env=environment, extra_arguments=list(arguments))
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=30)

    def run(self, code: str, timeout: float = 20.0) -> Output:
        """Run a cell to its end."""
        return self.finish(self.start(code), timeout)

    def start(self, code: str, cell: str | None = None) -> str:
        """Send a cell and do not wait for it; ``cell`` is the name that a notebook gives it."""
        if cell is None:
            return self.client.execute(textwrap.dedent(code))
        content = {"code": textwrap.dedent(code), "silent": False, "store_history": True, "stop_on_error": True}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell})
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def start_running(self, code: str, cell: str | None = None) -> str:
        """Send a cell and wait until its code runs."""
        request = self.start(f"print('runs', flush=True)\n{textwrap.dedent(code)}", cell)
        self.wait_for_text("runs")
        return request

    def wait_for_text(self, part: str) -> None:
        """Wait until something is printed, by whichever cell."""
        while part not in self.client.get_iopub_msg(timeout=20)["content"].get("text", ""):
            pass

    def wait_for_panel(self, part: str) -> dict:
        """Wait until an update of a panel says something, in text or HTML; return the update's message."""
        while True:
            message = self.client.get_iopub_msg(timeout=20)
            if message["msg_type"] == "update_display_data" and part in "".join(message["content"]["data"].values()):
                return message

    def answer(self) -> None:
        """Let a cell go on that has called ``input``."""
        self.client.get_stdin_msg(timeout=20)
        self.client.input("")

    def finish(self, request: str, timeout: float = 20.0) -> Output:
        """Collect what a started cell gives until it has ended; called again, what it gives when it runs again."""
        output = Output()
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            kind, content = message["msg_type"], message["content"]
            is_own = message["parent_header"].get("msg_id") == request
            if kind == "update_display_data":
                output.updates.append(content)
            elif not is_own:
                continue
            elif kind == "display_data":
                output.displays.append(content)
            elif kind == "stream":
                output.text += content["text"]
            elif kind == "execute_result":
                output.result, output.number = content["data"]["text/plain"], content["execution_count"]
            elif kind == "clear_output":
                output.cleared.append(content["wait"])
            elif kind == "error":
                output.error = content["ename"]
                output.traceback = "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                return output

    def value(self, expression: str) -> object:
        """Return what a literal-valued expression is in the kernel."""
        output = self.run(f"print(repr({expression}))")
        assert output.error is None, output.traceback
        return ast.literal_eval(output.text)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self._sockets.cleanup()


class World:
    """One watched folder in one kernel."""

    def __init__(self, kernel: Kernel, top: Path) -> None:
        self.kernel = kernel
        self.top = top
        self.package = f"hots_{next(_numbers)}"
        self.folder = top / self.package
        self.folder.mkdir()
        self.run(f"%cd -q {top}")

    def write(self, files: dict[str, str | bytes | None]) -> None:
        """Write files (or delete them, for None) as an editor that replaces them does. PKG stands for the package's name."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            data = text if isinstance(text, bytes) else textwrap.dedent(text).replace("PKG", self.package).encode()
            beside = path.with_name(f".{path.name}.new")
            beside.write_bytes(data)
            os.replace(beside, path)

    def watch(self, files: dict[str, str | bytes | None] | None = None, options: str = "") -> Output:
        """Write files, then watch the folder."""
        self.write(files or {})
        output = self.run(f"%hotwatch {self.folder} {options}")
        assert output.error is None, output.traceback
        return output

    def save(self, files: dict[str, str | bytes | None], timeout: float = 10.0) -> Output:
        """Write files and wait until the kernel has reported on them; return what the waiting cell gave."""
        number = self.value("hot.history[-1].number if hot.history else 0")
        self.write(files)
        output = self.run(f"hot.wait(lambda: hot.history and hot.history[-1].number > {number}, timeout={timeout})")
        assert output.error is None, output.traceback
        return output

    def settle(self) -> Output:
        """Wait until everything saved so far has been looked at: a file written last is live."""
        probe = f"probe_{next(_numbers)}"
        self.write({f"{probe}.py": "exports = 1"})
        output = self.run(f"hot.wait(lambda: any('{self.package}.{probe}' in report.ways for report in hot.history))")
        assert output.error is None, output.traceback
        return output

    def run(self, code: str, timeout: float = 20.0) -> Output:
        """Run a cell, with PKG for the package's name."""
        return self.kernel.run(code.replace("PKG", self.package), timeout)

    def ok(self, code: str) -> Output:
        """Run a cell that must not fail."""
        output = self.run(code)
        assert output.error is None, output.traceback
        return output

    def value(self, expression: str) -> object:
        """Return a literal-valued expression's value in the kernel."""
        return self.kernel.value(expression.replace("PKG", self.package))

    @property
    def generation(self) -> object:
        return self.value("hot.generation")

    @property
    def handlers(self) -> object:
        """The names of the handlers that are live, without the probes of ``settle``."""
        return self.value("sorted(n for n in hot.handlers if not n.startswith('probe_'))")

    @property
    def errors(self) -> object:
        """Handler name → summary of what is wrong."""
        return self.value("{name: failure.summary for name, failure in hot.errors.items()}")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel with ipyhot loaded, for all tests of a module."""
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    assert kernel.run("%load_ext ipyhot").error is None
    yield kernel
    kernel.stop()


@pytest.fixture
def world(kernel: Kernel, tmp_path: Path) -> Iterator[World]:
    """A fresh folder, watched by nobody yet."""
    world = World(kernel, tmp_path)
    yield world
    kernel.run("%hotwatch --stop")


class Files:
    """A folder and an engine in this process that follows it: no observer, no kernel, no waiting."""

    def __init__(self, top: Path) -> None:
        self.package = f"files_{next(_numbers)}"
        self.folder = top / self.package
        self.folder.mkdir()
        self.engine = Engine()

    def start(self, **files: str) -> None:
        """Write files and load them all. ``a__b`` is ``a/b.py``; PKG stands for the package's name."""
        self.write(**files)
        watched = open_folder(self.folder)
        self.engine.add_folder(watched)
        self.engine.update(watched.scan())

    def write(self, **files: str | None) -> None:
        for name, text in files.items():
            path = self.folder / (name.replace("__", "/", 1) + ".py" if not name.startswith("__") else name + ".py")
            path.parent.mkdir(exist_ok=True)
            path.unlink() if text is None else path.write_text(textwrap.dedent(text).replace("PKG", self.package))

    def save(self, **files: str | None) -> Report | None:
        """Write files (or delete them, for None) and let the engine look at them."""
        self.write(**files)
        return self.engine.update([f"{self.package}.{name.replace('__', '.', 1)}" for name in files])

    def __getitem__(self, name: str) -> object:
        return sys.modules[f"{self.package}.{name}"]

    @property
    def failures(self) -> set[str]:
        return {name.removeprefix(self.package + ".") for name in self.engine.failures}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    monkeypatch.chdir(tmp_path)
    files = Files(tmp_path)
    yield files
    for folder in files.engine.folders:
        files.engine.remove_folder(folder)


class Story(Files):
    """A folder whose edits are taken in one of the three modes of ``modes``.

    A statement of a watched file that says ``from ran import ran`` and ``x = ran("x", value)`` leaves its name in
    ``ran`` each time it is run.
    """

    def __init__(self, top: Path, mode: str) -> None:
        super().__init__(top)
        self.mode = mode
        self.ran: list[str] = []
        self.failed: list[int] = []

    def save(self, **files: str | None) -> Report | None:
        """Write files and let the engine look at them; ``p____init__`` is ``p/__init__.py``."""
        self.ran.clear()
        self.write(**files)
        names = [f"{self.package}.{name.replace('__', '.', 1)}" for name in files]
        return self.engine.update([name.removesuffix(".__init__") for name in names])

    def ways(self, report: Report | None) -> dict[str, Way]:
        """Return which modules a save touched, and how."""
        assert report is not None
        return {name.removeprefix(self.package + "."): way for name, way in report.ways.items()}


def _in_mode(mode: str, top: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.chdir(top)
    story = Story(top, mode)
    monkeypatch.setitem(sys.modules, "ran", modes.counting(story.ran))
    if mode == "reload":
        story.engine.patches = False
    if mode == "failing":
        monkeypatch.setattr(engine_module, "commit", modes.failing_everywhere(commit, story.package, story.failed))
    gc.freeze()  # a walk over the heap need not look at what thousands of other tests have left
    yield story
    gc.unfreeze()
    for folder in story.engine.folders:
        story.engine.remove_folder(folder)


@pytest.fixture(params=modes.MODES)
def story(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """A folder in each mode: for claims that hold whatever way an edit is taken."""
    yield from _in_mode(request.param, tmp_path, monkeypatch)


@pytest.fixture(params=[mode for mode in modes.MODES if mode != "reload"])
def patching(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """The same without forced reloads: for claims that something was not run again."""
    yield from _in_mode(request.param, tmp_path, monkeypatch)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A folder that a watcher of this process watches: no kernel, nothing is executed."""
    watched = Watched(tmp_path)
    yield watched
    watched.stop()


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look through watched folders so often that a test that waits for it need not wait for two seconds."""
    monkeypatch.setattr(lookout, "_SWEEP", 0.2)
