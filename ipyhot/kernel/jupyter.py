"""All that ipyhot uses of IPython's and ipykernel's private parts, each behind a guard.

Checked with ipykernel 7.4. Should one of them go away, its function falls back to the behaviour named there.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["Parent", "parent_of_cell", "publish", "show_in", "terminal_is_waiting"]

Parent = Mapping[str, Any]


def parent_of_cell(shell: Any) -> Parent | None:
    """Return the request that the running cell came with; None outside of a kernel."""
    kernel = getattr(shell, "kernel", None)
    get_parent = getattr(kernel, "get_parent", None)
    return None if get_parent is None else get_parent("shell")


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


def terminal_is_waiting(shell: Any) -> bool:
    """Tell whether this is terminal IPython, standing at its prompt."""
    app = getattr(getattr(shell, "pt_app", None), "app", None)
    return bool(getattr(app, "is_running", False))
