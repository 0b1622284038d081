"""Imports go one way, the heart needs the standard library only, and importing ipyhot does nothing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ipyhot"

# A module may import modules of lower rows only.
ROWS = [
    [
        "core.codes",
        "core.commit",
        "core.errors",
        "core.garbage",
        "core.glance",
        "core.graph",
        "core.model",
        "core.patterns",
    ],
    ["core.scan"],
    ["core.heap", "core.trust"],
    ["core.libraries"],
    ["watch.echo", "watch.links", "watch.mounts", "watch.pace", "watch.repository", "watch.settle", "watch.source"],
    [
        "core.facts",
        "core.handover",
        "core.heads",
        "core.loading",
        "core.once",
        "core.placeholder",
        "core.relay",
        "core.replacement",
        "core.sources",
        "watch.inotify",
        "watch.observer",
    ],
    [
        "core.enums",
        "core.imports",
        "core.migrate",
        "core.outline",
        "core.swap",
        "core.wrappers",
        "watch.table",
    ],
    ["core.containers"],
    ["core.staged"],
    ["core.excerpt"],
    ["core.diff", "core.folders", "core.pairs", "core.stage", "core.texts"],
    ["core.drafts", "core.failures", "core.outlived", "core.verdict"],
    ["core.patch", "core.reach"],
    ["core.doubts", "core.growth", "core.lineage", "core.succession"],
    ["core.reasons", "core.stock"],
    ["core.asides"],
    ["watch.remarks"],
    ["watch.lookout"],
    ["watch.harvest"],
    ["watch.watcher"],
    ["core.effects"],
    ["core.plan"],
    ["core.ledger"],
    ["core.edges", "core.heirs", "core.identities", "core.revisions", "core.survey"],
    ["core.arrivals", "core.publication"],
    ["core.engine"],
    ["kernel.jupyter", "kernel.journal", "kernel.bindings", "kernel.pins"],
    ["kernel.panel", "kernel.door", "kernel.outlet", "kernel.completion", "kernel.tracebacks"],
    ["kernel.page"],
    ["kernel.teller", "kernel.notice", "kernel.handlers", "kernel.autoreload"],
    ["kernel.hot"],
    ["kernel.uses"],
    ["kernel.hotcells"],
    ["kernel.session"],
    ["kernel.magics"],
    ["kernel.extension"],
    ["", "__main__"],
]
RANK = {name: rank for rank, row in enumerate(ROWS) for name in row}


def modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        name = name.removesuffix("__init__").rstrip(".") if name.endswith("__init__") else name
        if name not in {"core", "watch", "kernel"}:
            found[name] = path
    return found


def imported(path: Path) -> set[str]:
    """Return what a file imports at run time, with imports inside functions, without those for types alone."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def test_every_module_has_its_place() -> None:
    assert modules().keys() == RANK.keys()


@pytest.mark.parametrize("name", sorted(RANK))
def test_imports_go_one_way(name: str) -> None:
    inner = {found.removeprefix("ipyhot.") for found in imported(modules()[name]) if found.startswith("ipyhot.")}
    assert [other for other in inner & RANK.keys() if RANK[other] >= RANK[name]] == []


@pytest.mark.parametrize("name", sorted(name for name in RANK if name.startswith("core.")))
def test_the_heart_imports_the_standard_library_only(name: str) -> None:
    tops = {found.partition(".")[0] for found in imported(modules()[name])}
    assert tops - sys.stdlib_module_names <= {"ipyhot"}


def test_importing_ipyhot_costs_and_does_nothing() -> None:
    code = (
        "import sys, threading; before = list(sys.meta_path); import ipyhot; "
        "print([name for name in ('IPython', 'watchdog', 'ipyhot.core') if name in sys.modules], "
        "sys.meta_path == before, threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True 1"


def test_importing_the_engine_writes_to_no_memory_that_is_not_its_own() -> None:
    code = "import ipyhot.core.engine"
    environment = {**os.environ, "PYTHONMALLOC": "debug"}  # looks for it whenever a block is freed
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


def test_the_facade_exports_the_two_hooks_of_an_extension_and_once() -> None:
    import ipyhot
    from ipyhot.core.once import once

    assert ipyhot.__all__ == ["load_ipython_extension", "once", "unload_ipython_extension"]
    assert ipyhot.once is once
    assert ipyhot.__version__
    with pytest.raises(AttributeError, match="'ipyhot' has no attribute 'twice'"):
        _ = ipyhot.twice
