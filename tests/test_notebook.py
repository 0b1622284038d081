import runpy
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
# nbclient 0.11 and jupyter_client 8.10 warn about their own transport
pytestmark = pytest.mark.filterwarnings("ignore")


def said(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what each cell gave, without the panel, whose milliseconds differ each time."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                found.append(output.text)
            elif output.output_type == "execute_result":
                found.append(output.data["text/plain"])
            elif output.output_type == "error":
                found.append(output.ename)
    return found


def test_the_quickstart_runs_from_top_to_bottom_and_gives_what_is_committed() -> None:
    committed = nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4)
    execute = runpy.run_path(str(NOTEBOOKS / "execute.py"))["execute"]
    assert said(committed) == said(execute(NOTEBOOKS / "quickstart.ipynb"))
    assert "(20, 2, 2, 20)" in said(committed)


def test_the_demo_tells_its_story() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(NOTEBOOKS / "demo.py")], capture_output=True, text=True, timeout=60, check=True
    )
    for part in ("'hot': 111", "quote(7) = 21", "SyntaxError", "generation 3 is still live", "no database"):
        assert part in done.stdout
