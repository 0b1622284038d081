"""Patterns are those of git: it is asked what it thinks of random ones."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from ipyhot.core.patterns import Patterns, Selection

PATHS = [
    "a.py", "b.py", "ab.py", "sub/a.py", "sub/deep/a.py", "sub/deep/ab.py", "deep/sub/b.py", "x y/a.py", "[a].py",
    "a/b/c/d.py", "b/a.py", "#a.py", "!a.py", "sub.py", "deep/a/b.py",
]  # fmt: skip
PIECES = [
    "a", "b", "ab", "sub", "deep", ".py", "*", "**", "?", "/", "/", "!", "[ab]", "[!a]", "[a-c]", "x y", "\\*", "[[]a]",
    "#", "\\#", "\\!", " ", "[", "[[:alpha:]]",
]  # fmt: skip


def by_git(lines: list[str], top: Path) -> set[str]:
    """Return the paths that git ignores."""
    (top / ".git" / "info" / "exclude").write_text("\n".join(lines) + "\n")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "--stdin"],  # noqa: S607 - whichever git there is
        input="\0".join(PATHS), cwd=top, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    return {path for path in done.stdout.split("\0") if path}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed here")
    top = tmp_path_factory.mktemp("patterns")
    subprocess.run(["git", "init", "-q", top], check=True)  # noqa: S607 - likewise
    for path in PATHS:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).touch()
    return top


KNOWN = [
    ["*.py"], ["/a.py"], ["sub/"], ["sub"], ["sub/a.py"], ["**/a.py"], ["sub/**"], ["a/**/d.py"], ["*", "!a.py"],
    ["sub/", "!sub/a.py"], ["deep/*"], ["/*", "!/sub"], ["?.py"], ["[ab].py"], ["[!a].py"], ["\\[a].py"], ["a.py "],
    ["a.py\\ "], ["#a.py"], ["\\#a.py"], ["\\!a.py"], [""], ["/"], ["**"], ["sub/*/a.py"], ["a**.py"], ["[z-a].py"],
]  # fmt: skip


@pytest.mark.parametrize("lines", KNOWN, ids=" ".join)
def test_a_pattern_matches_what_git_ignores(repository: Path, lines: list[str]) -> None:
    patterns = Patterns(lines)
    assert {path for path in PATHS if patterns.match(path)} == by_git(lines, repository)


@pytest.mark.parametrize("seed", range(4))
def test_random_patterns_match_what_git_ignores(repository: Path, seed: int) -> None:
    numbers = random.Random(seed)  # noqa: S311 - the same for the same seed
    for _ in range(60):
        lines = ["".join(numbers.choices(PIECES, k=numbers.randint(1, 5))) for _ in range(numbers.randint(1, 3))]
        patterns = Patterns(lines)
        assert {path for path in PATHS if patterns.match(path)} == by_git(lines, repository), lines


def test_a_selection_takes_what_is_included_and_not_excluded() -> None:
    selection = Selection(Patterns(["*.py"]), Patterns(["test_*", "old/"]))
    assert selection.takes("a.py")
    assert not selection.takes("test_a.py")
    assert not selection.takes("old/a.py")
    assert not selection.takes("a.txt")
    assert selection.enters("new")
    assert not selection.enters("old")
