"""A real JupyterLab in Debian's Chromium: one server and one browser for all tests of a file, a notebook and a kernel for each.

Tests share a page for as long as they pass; after one that failed, the next gets a fresh one. Each has ``DEADLINE`` seconds.

Without Playwright, JupyterLab or Chromium every test here is skipped with one line, except where IPYHOT_BROWSER=required.
"""

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

TOKEN = "ipyhot"  # noqa: S105 - of a server that only this machine can reach, for as long as a test runs
FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"
LOG = "jupyter.log"  # what the server and the kernels write, beside the folder that is served
DEADLINE = 25.0  # seconds that a test has in all, from the moment its notebook is made
PATIENCE = 30_000  # milliseconds for what all tests share
LAB = (
    "--LabApp.expose_app_in_browser=True --LabApp.news_url= --LabApp.extension_manager=readonly --ServerApp.log_level=ERROR"
)


def missing() -> str | None:
    """Return what stands in the way of a browser, in words; None if nothing does."""
    for package in ("playwright", "jupyterlab", "matplotlib"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed (pip install '.[test,lab]')"
    return None if chromium() else "Chromium is not installed (apt-get install chromium)"


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def skip_without_browser() -> None:
    """Skip the module that asks, in one line; where IPYHOT_BROWSER=required, fail."""
    reason = missing()
    if reason is not None and os.environ.get("IPYHOT_BROWSER") == "required":
        pytest.fail(f"browser tests are required here, but {reason}", pytrace=False)
    if reason is not None:
        pytest.skip(f"no browser tests: {reason}", allow_module_level=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a JupyterLab and the folder it serves."""
    with serving(tmp_path_factory.mktemp("lab")) as found:
        yield found


@contextlib.contextmanager
def serving(top: Path) -> Iterator[tuple[str, Path]]:
    """Run a JupyterLab with all that it keeps in a folder; yield its address and the folder it serves."""
    root = top / "root"
    root.mkdir()
    places = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
    )
    environment = {**os.environ, **{name: str(top / name.lower()) for name in places}}
    settings = top / "jupyterlab_settings_dir" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    page = top / "jupyter_config_dir" / "labconfig"
    page.mkdir(parents=True)
    # A launcher opens by itself, when it likes, in front of the notebook of the test that comes next.
    (page / "page_config.json").write_text(json.dumps({"disabledExtensions": {"@jupyterlab/launcher-extension": True}}))
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    port = free_port()
    arguments = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    with (top / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *arguments, f"--ServerApp.root_dir={root}", *LAB.split()],
            env=environment | {"PYTHONFAULTHANDLER": "1"},  # a kernel that crashes says where
            cwd=root,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    wait_for_server(process, port)
    try:
        yield address, root
    finally:
        process.terminate()
        process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_server(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + PATIENCE / 1000
    pause = 0.05
    while time.monotonic() < end and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection,
        ):
            connection.request("GET", f"/api?token={TOKEN}")
            if connection.getresponse().status == http.client.OK:
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=pause)  # no longer than it lives
    pytest.fail("JupyterLab did not start")


class Tab:
    """The page that tests share: to load JupyterLab takes as long as to test something in it.

    Who asked for it says ``is_clean`` when nothing is left of what was done there; else the next one gets a fresh one.
    """

    def __init__(self, playwright: Any, address: str) -> None:
        self._playwright = playwright
        self._address = address
        self._browser: Any = None
        self._page: Any = None
        self._said: list[str] = []
        self.is_clean = True

    def page(self) -> Any:
        """Return the page; a browser is started and JupyterLab loaded if there is none, or what it shows is left over."""
        if self._page is None or not self.is_clean:
            self.drop()
            arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
            self._browser = self._playwright.chromium.launch(executable_path=chromium(), args=arguments)
            self._page = self._load(self._browser.new_page(viewport={"width": 1100, "height": 900}))
        self.is_clean = False
        return self._page

    def drop(self) -> None:
        """Close the browser: one that draws no frames does so in all its pages."""
        browser, self._browser, self._page = self._browser, None, None
        if browser is not None:
            browser.close()

    def _load(self, page: Any) -> Any:
        self._said.clear()
        page.on("console", lambda message: self._said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self._said.append(f"uncaught: {error}"))
        page.on("crash", lambda _: self._said.append("the page has crashed"))
        page.goto(f"{self._address}/lab?token={TOKEN}&reset", timeout=PATIENCE)
        wait_for(page, _IS_RESTORED)
        return page

    def state(self, picture: Path) -> str:
        """Return what may explain a failure: what the page shows and said; take a picture of it."""
        lines = []
        try:
            lines += [f"{name}: {value}" for name, value in bounded(self._page, _STATE).items()]
            self._page.screenshot(path=picture, timeout=3000)
            lines.append(f"picture: {picture}")
        except Exception as error:  # the page may be in any state; what is wrong with it is part of the answer
            lines.append(f"no more is known, because of {error}")
        return "\n".join([*lines, *self._said[-20:]])


def bounded(page: Any, script: str, argument: object = None, *, timeout: float = 5000) -> Any:
    """Return what a JavaScript function returns; Playwright itself would wait for it for ever.

    Args:
        page: the page.
        script: the function, of one argument.
        argument: what it is called with.
        timeout: milliseconds after which it has failed.
    """
    race = """([argument, timeout]) => Promise.race([
        Promise.resolve((SCRIPT)(argument)),
        new Promise((_, reject) => setTimeout(() => reject(new Error(`not done after ${timeout} ms`)), timeout)),
    ])"""
    return page.evaluate(race.replace("SCRIPT", script), [argument, timeout])


def wait_for(page: Any, condition: str, argument: object = None, *, timeout: float = PATIENCE) -> None:
    """Wait until a JavaScript function returns something true; asked by the clock, as a page may draw no frames."""
    page.wait_for_function(condition, arg=argument, timeout=timeout, polling=50)


@pytest.fixture(scope="module")  # Playwright's event loop runs in this thread, and no other may beside it
def lab_tab(server: tuple[str, Path]) -> Iterator[Tab]:
    """The tab that shows JupyterLab."""
    with browsing(server[0]) as tab:
        yield tab


@contextlib.contextmanager
def browsing(address: str) -> Iterator[Tab]:
    """Yield a tab of a Chromium that shows a JupyterLab."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        tab = Tab(playwright, address)
        yield tab
        tab.drop()


class Notebook:
    """A notebook in the browser, and the folder beside it."""

    def __init__(self, page: Any, folder: Path, seconds: float) -> None:
        self.page = page
        self.path = f"{folder.name}/book.ipynb"
        self.folder = folder
        self.hots = folder / "hots"
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the milliseconds that the test still has."""
        return max(1.0, (self._end - time.monotonic()) * 1000)

    def save(self, files: dict[str, str]) -> None:
        """Save as editors do: write beside, then rename."""
        for name, text in files.items():
            path = self.hots / name
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.new")
            beside.write_text(text)
            os.replace(beside, path)

    def open(self) -> None:
        """Open the notebook in JupyterLab, or bring it to the front, and wait until its kernel is there."""
        self.evaluate(_OPEN, self.path)
        self.wait_until_idle()

    def reload_page(self) -> None:
        """Load JupyterLab again, as a person does whose page hangs."""
        address = self.page.url.partition("/lab")[
            0
        ]  # the page's own names the notebook, which JupyterLab opens late, and again
        self.page.goto(f"{address}/lab?reset", timeout=self.left())
        wait_for(self.page, _IS_RESTORED, timeout=self.left())
        self.open()

    def wait_until_idle(self) -> None:
        """Wait until the page shows the notebook and its kernel is there."""
        self.page.wait_for_selector(f"{FRONT} .jp-CodeCell", timeout=self.left())
        wait_for(self.page, _IS_IDLE, self.path, timeout=self.left())

    def run(self, index: int, *, wait: bool = True) -> None:
        """Run a cell, and wait until it has ended."""
        self.evaluate(_RUN.replace("WAIT", "await" if wait else "void"), [self.path, index])

    def keep(self) -> None:
        """Save the notebook itself."""
        self.evaluate(f"path => ({_FIND})(path).context.save()", self.path)

    def locator(self, selector: str) -> Any:
        """Find something in the notebook that is in front; others may be there, hidden."""
        self.page.set_default_timeout(self.left())
        return self.page.locator(f"{FRONT} {selector}")

    def wait_for_text(self, text: str) -> None:
        """Wait until some output says it."""
        self.locator(".jp-Cell-outputArea").get_by_text(text).first.wait_for(timeout=self.left())

    def wait_until(self, condition: str, argument: object = None) -> None:
        """Wait until a JavaScript function, of the notebook's element and an argument, returns something true."""
        script = f"argument => ({condition})(document.querySelector('{FRONT}'), argument)"
        wait_for(self.page, script, argument, timeout=self.left())

    def cell(self, index: int) -> Any:
        """Return what a cell shows."""
        return self.locator(".jp-CodeCell").nth(index).locator(".jp-Cell-outputArea")

    def panel(self, **data: object) -> Any:
        """Wait for a panel with such data, and return it."""
        tests = "".join(f'[data-{name}="{value}"]' for name, value in data.items())
        return self.page.wait_for_selector(f"{FRONT} .ipyhot-panel{tests}", timeout=self.left())

    def picture(self, path: Path) -> None:
        """Take a picture of the cells."""
        boxes = [cell.bounding_box() for cell in self.locator(".jp-CodeCell").all()]
        left, top = boxes[0]["x"], boxes[0]["y"]
        width, bottom = boxes[0]["width"], boxes[-1]["y"] + boxes[-1]["height"]
        self.page.screenshot(
            path=path, timeout=self.left(), clip={"x": left, "y": top, "width": width, "height": bottom - top}
        )

    def evaluate(self, script: str, argument: object = None) -> Any:
        """Return what a JavaScript function of one argument returns."""
        return bounded(self.page, script, argument, timeout=self.left())


# Found by its path: which widget is the current one follows the focus, which anything may take at any time.
_FIND = "path => [...window.jupyterapp.shell.widgets('main')].find(widget => widget.context?.path === path)"
_RUN = f"""async ([path, index]) => {{
    const panel = ({_FIND})(path);
    panel.content.activeCellIndex = index;
    if (panel.content.activeCellIndex !== index) throw new Error(`there is no cell ${{index}} yet`);
    WAIT window.jupyterapp.commands.execute('notebook:run-cell', {{semanticWidget: panel.id, activate: false}});
}}"""
_IS_RESTORED = "() => window.jupyterapp && window.jupyterapp.restored.then(() => true)"
_IS_IDLE = f"""path => {{
    const panel = ({_FIND})(path), cells = panel?.content?.widgets?.length;
    return panel?.isVisible && panel.context.isReady && cells > 0 && cells === panel.content.model?.cells.length
        && panel.sessionContext.session?.kernel?.status === 'idle';
}}"""


@pytest.fixture
def open_notebook(server: tuple[str, Path], lab_tab: Tab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Return how to open a notebook of some cells beside a folder of some files."""
    failed = request.session.testsfailed
    page = lab_tab.page()

    def open_one(cells: list[str], files: dict[str, str], name: str = "") -> Notebook:
        return opened(page, server[1] / (name or request.node.name.split("[")[0]), cells, files)

    yield open_one
    if request.session.testsfailed == failed:
        close_notebooks(page)
        lab_tab.is_clean = True
    else:
        request.node.add_report_section("teardown", "browser", lab_tab.state(tmp_path / "failed.png"))
        request.node.add_report_section("teardown", "jupyter", (server[1].parent / LOG).read_text(errors="replace")[-4000:])


def opened(page: Any, folder: Path, cells: list[str], files: dict[str, str], *, seconds: float = DEADLINE) -> Notebook:
    """Return a new notebook in a folder, with files beside it, open in JupyterLab, and how long all with it may take."""
    (folder / "hots").mkdir(parents=True)
    kernel = {"name": "python3", "display_name": "Python 3"}
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel}
    )
    nbformat.write(book, folder / "book.ipynb")
    notebook = Notebook(page, folder, seconds)
    notebook.save(files)
    notebook.open()
    return notebook


def close_notebooks(page: Any) -> None:
    """Close all notebooks, and end their kernels."""
    bounded(page, _CLOSE, timeout=PATIENCE / 3)


_OPEN = "path => window.jupyterapp.commands.execute('docmanager:open', {path}).then(() => true)"
_CLOSE = """async () => {
    for (let dialog; (dialog = document.querySelector('.jp-Dialog')); ) {  // one that is removed blocks all later ones
        dialog.querySelector('.jp-Dialog-button.jp-mod-reject, .jp-Dialog-button').click();
        await new Promise(resolve => setTimeout(resolve));
    }
    for (const widget of [...window.jupyterapp.shell.widgets('main')]) if (widget.context) widget.dispose();
    await window.jupyterapp.serviceManager.sessions.shutdownAll();
}"""
_STATE = """() => ({
    open: [...window.jupyterapp.shell.widgets('main')].map(widget => ({
        path: widget.context?.path ?? widget.id, isVisible: widget.isVisible, isReady: widget.context?.isReady,
        kernel: widget.sessionContext?.session?.kernel?.status,
        connection: widget.sessionContext?.session?.kernel?.connectionStatus,
    })),
    current: window.jupyterapp.shell.currentWidget?.context?.path,
    dialogs: [...document.querySelectorAll('.jp-Dialog')].map(dialog => dialog.innerText),
    text: [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell')].map(cell => cell.innerText),
})"""
