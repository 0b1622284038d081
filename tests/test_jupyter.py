"""Each private part of IPython and ipykernel that kernel/jupyter.py uses is there, and without it all goes on."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest
from conftest import Kernel

from ipyhot.kernel import jupyter

PARTS = [
    "ip.kernel.get_parent('shell')['header']",
    "ip.kernel._parent_ident['shell']",
    "ip.display_pub.session.send",
    "ip.display_pub.pub_socket",
    "ip.display_pub.topic",
    "ip.set_thread_parent",
    "ip.reset_thread_parent",
    "ip.kernel.io_loop.add_callback",
    "ip.kernel._main_asyncio_lock.locked()",
    "ip.kernel.pre_handler_hook",
    "ip.kernel.post_handler_hook",
    "ip.kernel._publish_status",
    "ip.kernel._cancel_on_sigint",
    "ip.kernel.set_parent",
    "ip.displayhook.prompt_count",
    "ip.displayhook.semicolon_at_end_of_expression",
    "ip.compile.format_code_name",
    "ip.strdispatchers['complete_command'].strs",
    "ip.magics_manager.registry['AutoreloadMagics']._reloader.mark_module_skipped",
]


@pytest.mark.parametrize("part", PARTS)
def test_the_kernel_has_what_is_used_of_it(kernel: Kernel, part: str) -> None:
    kernel.run("ip = get_ipython()\n%load_ext autoreload")
    assert kernel.run(part).error is None


NOTHING = SimpleNamespace()
BARE_KERNEL = SimpleNamespace(kernel=SimpleNamespace())


@pytest.mark.parametrize("shell", [NOTHING, BARE_KERNEL])
def test_without_them_nothing_fails(shell: object) -> None:
    assert jupyter.parent_of_cell(shell) is None
    assert jupyter.request_of_cell(shell) is None
    assert jupyter.publish(shell, "stream", {}, None) is False
    assert jupyter.call_soon(shell, print) is False
    jupyter.at_prompt(shell, print)()
    assert jupyter.is_cell(shell, "x") is False
    assert jupyter.skip_in_autoreload(shell, ["a"]) is False
    assert isinstance(jupyter.when_between_cells(shell), contextlib.nullcontext)
    with jupyter.show_in(shell, {}), jupyter.interruptible(shell):
        pass
    jupyter.label_files(shell, str)()


def test_a_request_without_idents_can_still_be_made_again() -> None:
    parent = {"header": {"msg_id": "m"}, "metadata": {"cellId": "c"}}
    shell = SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda channel: parent))
    assert jupyter.request_of_cell(shell) == jupyter.Request(b"", parent, "c")


def test_the_lock_of_cells_is_what_a_job_holds() -> None:
    lock = asyncio.Lock()
    assert jupyter.when_between_cells(SimpleNamespace(kernel=SimpleNamespace(_main_asyncio_lock=lock))) is lock


def test_labels_of_tracebacks_are_taken_back() -> None:
    class Compiler:
        def format_code_name(self, name: str) -> tuple[str, str] | None:
            return ("Cell", name) if name == "cell" else None

    shell = SimpleNamespace(compile=Compiler())
    undo = jupyter.label_files(shell, {"aliased": "clean"}.get)
    assert [shell.compile.format_code_name(name) for name in ("aliased", "cell", "other")] == [
        ("File", "clean"),
        ("Cell", "cell"),
        None,
    ]
    assert [jupyter.is_cell(shell, name) for name in ("aliased", "cell", "other")] == [False, True, False]
    undo()
    assert shell.compile.format_code_name("aliased") is None
