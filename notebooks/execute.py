"""Run quickstart.ipynb from top to bottom on a real kernel and keep its outputs: `make notebook`."""

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def execute(path: Path) -> nbformat.NotebookNode:
    """Return a notebook with fresh outputs, executed in an empty folder."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="quickstart-") as folder:
        NotebookClient(notebook, timeout=60, resources={"metadata": {"path": folder}}).execute()
    return notebook


if __name__ == "__main__":
    target = HERE / "quickstart.ipynb"
    nbformat.write(execute(target), target)
