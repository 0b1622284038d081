"""All that ipyhot uses of IPython's and ipykernel's private parts, each behind a guard.

Checked with ipykernel 7.4 and IPython 9.18; tests/test_jupyter.py has a test per item. Should one of them go away, its
function falls back to the behaviour named there.
"""

import ast
import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

__all__ = [
    "Parent",
    "Request",
    "at_prompt",
    "call_soon",
    "complete_with",
    "exempt_from_breakpoints",
    "in_notebook",
    "interrupt_next",
    "interruptible",
    "is_cell",
    "label_files",
    "parent_of_cell",
    "publish",
    "request_of_cell",
    "rerun",
    "show_in",
    "skip_in_autoreload",
    "when_between_cells",
]

Parent = Mapping[str, Any]
_TIMED: Final = frozenset({"<timed exec>", "<timed eval>", "<magic-timeit>"})
_OUTPUTS: Final = frozenset({"stream", "display_data", "execute_result", "error"})


@dataclass(frozen=True, slots=True)
class Request:
    """What a cell came with, kept to become that cell again; ``cell`` is the frontend's own name for it, if it has one."""

    ident: Any
    parent: Parent
    cell: str | None


def in_notebook(shell: Any) -> bool:
    """Tell whether the shell belongs to a kernel."""
    return getattr(shell, "kernel", None) is not None


def parent_of_cell(shell: Any) -> Parent | None:
    """Return the request that the running cell came with; None outside of a kernel."""
    kernel = getattr(shell, "kernel", None)
    get_parent = getattr(kernel, "get_parent", None)
    return None if get_parent is None else get_parent("shell")


def request_of_cell(shell: Any) -> Request | None:
    """Return all that is needed to become the running cell again; None outside of a kernel.

    Without ``_parent_ident`` the cell's ``input()`` reaches nobody; all else works.
    """
    parent = parent_of_cell(shell)
    if parent is None:
        return None
    idents = getattr(shell.kernel, "_parent_ident", {})
    return Request(idents.get("shell", b""), parent, parent.get("metadata", {}).get("cellId"))


def publish(shell: Any, kind: str, content: Mapping[str, Any], parent: Parent | None) -> bool:
    """Send one message as the output of a given cell, from any thread; tell whether it could be sent."""
    publisher = getattr(shell, "display_pub", None)
    session, socket = getattr(publisher, "session", None), getattr(publisher, "pub_socket", None)
    if session is None or socket is None:
        return False
    session.send(socket, kind, dict(content), parent=parent, ident=getattr(publisher, "topic", None))
    return True


@contextmanager
def show_in(shell: Any, parent: Parent | None) -> Iterator[None]:
    """Let what this thread prints inside the block appear in a given cell; elsewhere if the kernel cannot."""
    set_parent = getattr(shell, "set_thread_parent", None)
    if set_parent is None or parent is None:
        yield
        return
    token = set_parent(parent)
    try:
        yield
    finally:
        shell.reset_thread_parent(token)


def call_soon(shell: Any, job: Callable[[], Any]) -> bool:
    """Let the main thread call a function (or coroutine function) soon, from any thread; tell whether it will.

    In a kernel it is called by the event loop, in the terminal while the prompt waits. Where neither is, it is not.
    """
    loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    if loop is not None:
        loop.add_callback(job)
        return True
    app = _prompt(shell)
    prompt_loop = getattr(app, "loop", None)
    if app is None or prompt_loop is None or not app.is_running:
        return False
    from prompt_toolkit.application import run_in_terminal

    # What the job prints goes above the prompt, which is drawn again below it with what is half typed.
    prompt_loop.call_soon_threadsafe(lambda: app.context.run(run_in_terminal, job))
    return True


def at_prompt(shell: Any, job: Callable[[], object]) -> Callable[[], object]:
    """Call a function, on the main thread, whenever the terminal is about to draw its prompt; return what ends that.

    Where there is no such prompt it is never called.
    """
    event = getattr(_prompt(shell), "before_render", None)
    if event is None:
        return lambda: None

    def about_to_draw(_app: Any) -> None:
        job()

    event.add_handler(about_to_draw)
    return partial(event.remove_handler, about_to_draw)


def _prompt(shell: Any) -> Any:
    return getattr(getattr(shell, "pt_app", None), "app", None)


def when_between_cells(shell: Any) -> contextlib.AbstractAsyncContextManager[Any]:
    """Return what to hold while doing something that no cell, not even an ``await`` of one, may run beside.

    Without ``_main_asyncio_lock`` (ipykernel before 7.1) an asynchronous cell may.
    """
    lock: asyncio.Lock | None = getattr(getattr(shell, "kernel", None), "_main_asyncio_lock", None)
    return lock if lock is not None else contextlib.nullcontext()


@contextmanager
def interruptible(shell: Any) -> Iterator[None]:
    """Let an interrupt raise ``KeyboardInterrupt`` inside the block although no cell runs; else it is ignored."""
    kernel = getattr(shell, "kernel", None)
    begin, end = getattr(kernel, "pre_handler_hook", None), getattr(kernel, "post_handler_hook", None)
    if begin is None or end is None:
        yield
        return
    begin()
    try:
        yield
    finally:
        end()


@contextmanager
def _as_cell(shell: Any, request: Request) -> Iterator[None]:
    """Be a cell again: what is printed, displayed and raised inside the block is its output."""
    kernel = shell.kernel
    status = getattr(kernel, "_publish_status", lambda *_: None)
    before = request_of_cell(shell)
    kernel.set_parent(request.ident, request.parent)
    status("busy", "shell")
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        status("idle", "shell")
        if before is not None:
            kernel.set_parent(before.ident, before.parent)


@contextmanager
def _replacing(shell: Any, request: Request) -> Iterator[None]:
    """Let the first output inside the block take the place of what the cell shows; without one, that is cleared."""
    session = shell.kernel.session
    wanted = request.parent.get("header", {}).get("msg_id")
    send, sent = session.send, False

    def noticing(*args: Any, **kwargs: Any) -> Any:
        nonlocal sent
        message = send(*args, **kwargs) or {}
        is_own = message.get("parent_header", {}).get("msg_id") == wanted
        sent = sent or (is_own and message.get("msg_type") in _OUTPUTS)
        return message

    shell.display_pub.clear_output(wait=True)
    session.send = noticing
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        del session.send
        if not sent:  # a frontend that waits for the first output would show the old one for ever
            shell.display_pub.clear_output(wait=False)


@contextmanager
def _numbered(shell: Any, number: int, transformed: str) -> Iterator[None]:
    """Let a result be shown as that of ``In[number]``, and not at all if its text ends in a semicolon.

    IPython takes both from the history, in which a cell that runs again is not the last one.
    """
    hook = shell.displayhook
    before = shell.execution_count
    ahead = before - getattr(hook, "prompt_count", before)  # some versions count before a cell runs
    is_quiet = getattr(hook, "semicolon_at_end_of_expression", lambda _: False)
    shell.execution_count = number + ahead
    hook.quiet = lambda: is_quiet(transformed)
    try:
        yield
    finally:
        del hook.quiet
        shell.execution_count = before


async def rerun(shell: Any, request: Request, number: int, text: str) -> Any:
    """Run the text of ``In[number]`` again as that cell, in place of its output; return IPython's result.

    The caller holds ``when_between_cells``, on the main thread. The counter and the history stay as they are.
    """
    try:
        transformed = shell.transform_cell(text)
    except Exception:  # noqa: BLE001 - whatever is wrong with the text, running it says so in the cell
        transformed = text
    with _as_cell(shell, request), _replacing(shell, request), _numbered(shell, number, transformed):
        if shell.should_run_async(text, transformed_cell=transformed):
            return await _run_async(shell, text, transformed, request)
        with interruptible(shell):
            return shell.run_cell(text, store_history=False, cell_id=request.cell)


async def _run_async(shell: Any, text: str, transformed: str, request: Request) -> Any:
    cell = shell.run_cell_async(text, store_history=False, transformed_cell=transformed, cell_id=request.cell)
    future = asyncio.ensure_future(cell)
    # Without ``_cancel_on_sigint`` an interrupt is ignored; with the handler of a plain cell it would end the kernel.
    cancelling = getattr(shell.kernel, "_cancel_on_sigint", lambda _: contextlib.nullcontext())
    result = None
    with cancelling(future):
        try:
            result = await future
        except asyncio.CancelledError:
            print("interrupted", file=sys.stderr)  # noqa: T201 - the cell's own output
        finally:
            shell.events.trigger("post_execute")
            if result is not None:
                shell.events.trigger("post_run_cell", result)
    return result


def label_files(shell: Any, label: Callable[[str], str | None]) -> Callable[[], None]:
    """Let IPython's tracebacks name some files by a label; return what undoes it.

    Without ``format_code_name`` they name each by the path it was compiled under.
    """
    compiler = getattr(shell, "compile", None)
    before = getattr(compiler, "format_code_name", None)
    if before is None:
        return lambda: None

    def format_code_name(name: str) -> Any:
        found = label(name)
        return before(name) if found is None else ("File", found)

    def undo() -> None:
        if vars(compiler).get("format_code_name") is format_code_name:
            del compiler.format_code_name  # type: ignore[union-attr]  # it is there: ``before`` came from it

    compiler.format_code_name = format_code_name  # type: ignore[union-attr]  # likewise
    return undo


def complete_with(shell: Any, command: str, complete: Callable[[Any, Any], list[str]]) -> Callable[[], None]:
    """Let a function complete what follows a command; return what undoes it. It is called with the shell and the event."""
    shell.set_hook("complete_command", complete, str_key=command)
    commands = getattr(shell.strdispatchers.get("complete_command"), "strs", {})  # there is no call that takes a hook back
    return lambda: commands.pop(command, None)


def exempt_from_breakpoints() -> None:
    """Let ipyhot's threads, and watchdog's, go on while a cell stands at a breakpoint: debugpy stops all others."""
    for thread in threading.enumerate():
        if thread.name.startswith("ipyhot ") or type(thread).__module__.startswith(("ipyhot.", "watchdog.")):
            thread.pydev_do_not_trace = thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]  # debugpy's


def is_cell(shell: Any, file: str) -> bool:
    """Tell whether a code's file name is that of a cell, or of one that ``%%time`` or ``%%timeit`` runs."""
    format_code_name = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)
    return file in _TIMED or (format_code_name(file) or ("",))[0] == "Cell"  # ``label_files`` names others


def skip_in_autoreload(shell: Any, names: Iterable[str]) -> bool:
    """Tell ``%autoreload``, if it is on, to leave some modules alone; tell whether it is on."""
    registry = getattr(getattr(shell, "magics_manager", None), "registry", {})
    reloader = getattr(registry.get("AutoreloadMagics"), "_reloader", None)
    if reloader is None or not getattr(reloader, "enabled", False):
        return False
    for name in names:
        reloader.mark_module_skipped(name)
    return True


def interrupt_next(shell: Any) -> None:
    """Let the cell that is about to run end at once, as one that was interrupted; main thread."""
    shell.ast_transformers.append(_Interrupt(shell))


class _Interrupt(ast.NodeTransformer):
    """Stands in place of one cell's code."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def visit(self, node: ast.AST) -> ast.AST:
        self._shell.ast_transformers.remove(self)
        return ast.parse("raise KeyboardInterrupt")
