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


def test_a_hot_cell_runs_once_under_nbclient_whatever_is_saved(tmp_path: Path) -> None:
    from nbclient import NotebookClient

    (tmp_path / "hots").mkdir()
    (tmp_path / "hots" / "a.py").write_text("exports = 1\n")
    cells = [
        "%load_ext ipyhot",
        "runs = []",
        "%%hotcell\nruns.append(hot.handlers.a)\nprint(runs)",
        "open('hots/a.py', 'w').write('exports = 2\\n')\nhot.wait(lambda: len(hot.history) == 2)",  # live, and told
        "runs",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert book.cells[2].outputs[0].text == "[1]\n"
    assert book.cells[4].outputs[0].data["text/plain"] == "[1]"
    panel = next(output for output in book.cells[0].outputs if "ipyhot-panel" in output.get("data", {}).get("text/html", ""))
    assert 'data-gen="2"' in panel.data["text/html"]
