"""``%load_ext`` and ``%unload_ext``: puts ipyhot into a shell, and takes it out without a trace."""

import atexit
from collections.abc import Callable
from typing import Any

from ipyhot.core.model import Report
from ipyhot.kernel import completion, jupyter, page, tracebacks
from ipyhot.kernel.hotcells import as_plain_cell
from ipyhot.kernel.magics import WORDS, HotMagics
from ipyhot.kernel.session import Session

__all__ = ["load", "unload"]

_KEY = "_ipyhot_magics"


def load(shell: Any) -> None:
    """Start a session in a shell that has none."""
    if getattr(shell, _KEY, None) is not None:
        return
    session = Session(shell)
    magics = HotMagics(shell, session)
    shell.register_magics(magics)
    shell.input_transformers_cleanup.append(as_plain_cell)
    shell.display_formatter.formatters["text/html"].for_type(Report, page.report)
    undo = [
        completion.install(shell, magics.options, WORDS),
        jupyter.label_files(shell, session.label_of),
        tracebacks.install(shell),
    ]
    setattr(shell, _KEY, (session, magics, undo))
    shell.user_ns["hot"] = session.hot
    shell.user_ns_hidden["hot"] = session.hot
    atexit.register(session.close)
    magics.watch_default()


def unload(shell: Any) -> None:
    """End the shell's session: no thread, hook, magic, finder or name of it is left."""
    found: tuple[Session, HotMagics, list[Callable[[], None]]] | None = getattr(shell, _KEY, None)
    if found is None:
        return
    session, magics, undo = found
    for one in undo:
        one()
    session.close()
    atexit.unregister(session.close)
    if as_plain_cell in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(as_plain_cell)
    shell.display_formatter.formatters["text/html"].pop(Report, None)
    manager = shell.magics_manager
    manager.registry.pop(type(magics).__name__, None)
    for table in manager.magics.values():
        for name in [name for name, function in table.items() if getattr(function, "__self__", None) is magics]:
            del table[name]
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    if shell.user_ns.get("hot") is session.hot:
        del shell.user_ns["hot"]
    shell.user_ns_hidden.pop("hot", None)
    delattr(shell, _KEY)
