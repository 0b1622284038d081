"""Terminal IPython under a pseudo terminal: one line above the prompt, and what is half typed stays."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pexpect = pytest.importorskip("pexpect", reason="pexpect comes with IPython, except on Windows")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[object]:
    (tmp_path / "hots").mkdir()
    (tmp_path / "hots" / "a.py").write_text("exports = 1\n")
    environment = {**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm", "IPYTHONDIR": str(tmp_path / "ipython")}
    child = pexpect.spawn(
        sys.executable, ["-m", "ipyhot", "./hots", "--colors=NoColor"], cwd=str(tmp_path), env=environment, timeout=30
    )
    child.setwinsize(40, 200)
    child.expect(r"In \[")
    yield child
    child.close(force=True)


def test_a_save_is_one_line_above_the_prompt_and_the_half_typed_input_survives(terminal: object, tmp_path: Path) -> None:
    terminal.send("hot.handlers.a * 10")
    terminal.expect("10")
    (tmp_path / "hots" / "a.py").write_text("exports = 7\n")
    terminal.expect("ipyhot: generation 2, hots.a patched")
    terminal.send("0\r")
    terminal.expect("700")


def test_an_error_is_shown_above_the_prompt_with_its_line(terminal: object, tmp_path: Path) -> None:
    (tmp_path / "hots" / "a.py").write_text("x = (\n")
    terminal.expect("a.py:1: SyntaxError")
    terminal.expect("generation 1 is still live")
