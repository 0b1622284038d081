"""What a module imports: as its load recorded it, or as far as its text shows. Pure, but for asking what lies on disk."""

from collections.abc import Iterable, Iterator

from ipyhot.core.codes import imports
from ipyhot.core.folders import Folders
from ipyhot.core.ledger import Ledger
from ipyhot.core.model import Source
from ipyhot.core.stage import Stage
from ipyhot.core.staged import Staged

__all__ = ["completed", "of_stage", "shown"]


def of_stage(stage: Stage, folders: Folders, ledger: Ledger) -> dict[str, frozenset[str]]:
    """Return what each staged module imports: as just recorded if it loaded, else what is known of it."""
    edges = {}
    for name, staged in stage.results.items():
        recorded = frozenset(staged.dependencies)
        if staged.error is None and staged.dependencies and staged.step.source is not None:
            recorded = completed(staged.step.source, recorded, folders, ledger)
        is_complete = staged.error is None and staged.code is not None
        edges[name] = recorded if is_complete else recorded | _kept(staged, ledger)
    return edges


def completed(source: Source, touched: Iterable[str], folders: Folders, ledger: Ledger) -> frozenset[str]:
    """Return what a load recorded, with the submodules that it took as attributes of their package."""
    touched = frozenset(touched)
    if not any(folders.is_package(name) for name in touched):
        return touched
    # ``from base import name`` does not look at module base.name if base has that attribute already.
    submodules = {f"{base}.{name}" for base, names in _imports(source) if base in touched for name in names}
    return touched | {name for name in submodules if ledger.is_known(name)}


def shown(source: Source) -> Iterator[str]:
    """Yield what a text may import, for a module whose load nobody watched.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    for base, names in _imports(source):
        parts = base.split(".")
        yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        yield from (f"{base}.{name}" for name in names)


def _imports(source: Source) -> Iterable[tuple[str, tuple[str, ...]]]:
    code = compile(source.data, source.path or source.name, "exec", dont_inherit=True)
    return imports(code, source.name if source.is_package else source.parent)


def _kept(staged: Staged, ledger: Ledger) -> frozenset[str]:
    """Return what a module was known to import and its text still shows, or never did."""
    name = staged.step.name
    known = ledger.graph.dependencies(name)
    before = ledger.texts.outline_of(name)
    if not known or staged.error is not None or before is None or staged.outline is None:
        return known
    return known - (before.shown - staged.outline.shown)
