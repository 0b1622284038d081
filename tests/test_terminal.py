"""Terminal IPython under a pseudo terminal: one line above the prompt, and what is half typed stays."""

import os
import subprocess
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


def test_the_next_cell_says_in_one_line_what_is_not_live(terminal: object, tmp_path: Path) -> None:
    (tmp_path / "hots" / "a.py").write_text("x = (\n")
    terminal.expect("a.py:1: SyntaxError")
    terminal.send("40 + 2\r")
    terminal.expect("ipyhot: a.py:1 is not live")
    terminal.expect("42")


def test_a_hot_cell_runs_again_above_the_prompt(terminal: object, tmp_path: Path) -> None:
    for line in ("%%hotcell", "print('it is', hot.handlers.a)", ""):  # two empty lines end a cell magic in the terminal
        terminal.send(line)
        terminal.send("\r")
        terminal.expect(r"\.\.\.:")
    terminal.send("\r")
    terminal.expect("it is 1")
    terminal.expect(r"In \[2\]")
    terminal.send("hot.handlers.a * 10")
    (tmp_path / "hots" / "a.py").write_text("exports = 7\n")
    terminal.expect(r"ipyhot: In\[1\] again")
    terminal.expect("it is 7")
    terminal.send("0\r")
    terminal.expect("700")


def test_a_save_that_waits_for_idle_goes_live_after_the_cell_and_at_the_prompt(terminal: object, tmp_path: Path) -> None:
    terminal.send("%hotwatch ./hots --when idle\r")
    terminal.expect(r"In \[2\]")
    terminal.send("input('be' 'gins'); print(hot._session._watcher.catch_up(10), 'still', hot.handlers.a)\r")
    terminal.expect("begins")  # a save before that would go live at the prompt, while the rest is typed
    (tmp_path / "hots" / "a.py").write_text("exports = 7\n")
    terminal.send("\r")
    terminal.expect("True still 1")
    terminal.expect("generation 2, hots.a patched")
    (tmp_path / "hots" / "a.py").write_text("exports = 8\n")
    terminal.expect("generation 3, hots.a patched")
    terminal.send("hot.handlers.a * 100\r")
    terminal.expect("800")


SAVE_AND_BE_HEARD = (
    "save = lambda _: (open('hots/a.py', 'w').write('exports = 7\\n'), hot._session._watcher.catch_up(10)); "
    "get_ipython().events.register('post_run_cell', save)"
)


def test_a_save_that_is_heard_before_the_prompt_is_there_goes_live_at_the_prompt(terminal: object) -> None:
    terminal.send("%hotwatch ./hots --when idle\r")
    terminal.expect(r"In \[2\]")
    terminal.send(f"{SAVE_AND_BE_HEARD}\r")
    terminal.expect("generation 2, hots.a patched")
    terminal.send("hot.handlers.a * 100\r")
    terminal.expect("700")


@pytest.mark.parametrize(
    ("argument", "told"), [("./nope", "./nope: there is no such folder"), ("--help", "python -m ipyhot")]
)
def test_the_command_line_says_what_is_wrong_with_it(tmp_path: Path, argument: str, told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ipyhot", argument], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, told in done.stderr) == (1, True)
