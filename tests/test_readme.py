import re
import subprocess
from pathlib import Path

from conftest import Kernel

ROOT = Path(__file__).parent.parent


def test_the_ten_lines_of_the_readme_run(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    hots = tmp_path / "hots"
    hots.mkdir()
    (hots / "hot.py").write_text("hot = 1\nexports = hot\n")
    (hots / "pricing.py").write_text("RATE = 2\ndef quote(n): return n * RATE\n")
    first, second = re.findall(r"```python\n((?:%load_ext|hot\.handlers\.hot ).*?)```", readme, re.DOTALL)[-2:]
    kernel = Kernel(tmp_path)
    try:
        assert kernel.run(first).error is None
        assert kernel.run("hot.handlers").result == "{'hot': 1, 'pricing': <module 'hots.pricing'>}"
        (hots / "hot.py").write_text("hot = 111\nexports = hot\n")
        (hots / "pricing.py").write_text("RATE = 3\ndef quote(n): return n * RATE\n")
        kernel.run("hot.wait(lambda: hot.handlers.hot == 111 and hot.handlers.pricing.RATE == 3)")
        for line in second.strip().splitlines():
            expression, expected = line.split("#")
            assert kernel.run(expression.strip()).result == expected.strip()
    finally:
        kernel.stop()


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make (\w+)`", (ROOT / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_file_that_the_readme_links_to_exists() -> None:
    for link in re.findall(r"\]\(([\w./-]+\.\w+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / link).exists(), link


def test_make_help_lists_the_targets() -> None:
    done = subprocess.run(
        ["make", "help"],  # noqa: S607 - make is where the user has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"demo", "test", "check", "lab", "bench"} <= {line.split("\t")[0] for line in done.stdout.splitlines()}


def test_every_test_that_the_readme_names_exists() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", (ROOT / "README.md").read_text())
    assert named
    assert [name for name in named if f"def {name}(" not in tests] == []
