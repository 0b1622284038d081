"""Which object a module is: a live one stays itself for ever, one whose file comes back takes its place again.

Owns the stand-ins by which outlived module objects answer, and the memory of dropped ones. Called by the thread that
builds; the deeds are done by ``commit``.
"""

import collections
import sys
import types
import weakref
from collections.abc import Iterator

from ipyhot.core.commit import Deed, delete_item, set_item
from ipyhot.core.heap import is_a
from ipyhot.core.imports import Standin, WatchedSpec
from ipyhot.core.placeholder import Placeholder, deed_of
from ipyhot.core.replacement import Replacement
from ipyhot.core.stage import Stage
from ipyhot.core.staged import OWN_NAMES
from ipyhot.core.succession import Heir

__all__ = ["Identities"]


class Identities:
    """The module objects of each name, over all generations."""

    def __init__(self) -> None:
        self.standins: collections.defaultdict[str, Standin] = collections.defaultdict(Standin)
        self._dropped: weakref.WeakValueDictionary[str, WatchedSpec] = weakref.WeakValueDictionary()

    def of(self, stage: Stage, name: str) -> types.ModuleType | None:
        """Return the module object that a staged module is a newer version of, even if its file was gone meanwhile."""
        if name not in stage.placed:
            return stage.worn.get(name)
        dropped = self._dropped.get(name)
        return None if dropped is None else dropped.module

    def drop(self, name: str, module: types.ModuleType | None) -> None:
        """Keep a dropped module in sight for as long as anybody holds something of it: its file may come back."""
        self.standins.pop(name, None)
        spec = getattr(module, "__spec__", None)
        if module is not None and isinstance(spec, WatchedSpec):
            spec.module = module
            self._dropped[spec.name] = spec

    def replacement(self, stage: Stage, name: str, heir: Heir | None) -> Replacement:
        """Return what a commit is going to do with a module; an heir keeps its object and its namespace."""
        staged = stage.results[name]
        if heir is None:
            old = stage.worn.get(name)
            namespace = {} if old is None else object.__getattribute__(old, "__dict__")
            new_namespace = {} if staged.module is None else vars(staged.module)
            return Replacement(name, old, namespace, staged.value, new_namespace, stage.covered.get(name))
        live, before, aside = self.of(stage, name), dict(heir.module.live), heir.module.staged
        leaving = OWN_NAMES.union(heir.module.gone)
        after = {key: value for key, value in before.items() if key not in leaving}
        after |= {key: aside[key] for key in OWN_NAMES & aside.keys()} | heir.module.final
        return Replacement(name, live, before, live, after)

    def deeds(self, replacement: Replacement) -> Iterator[Deed]:
        """Yield what puts a module into ``sys.modules`` and its package, or takes it out of both."""
        name, new = replacement.name, replacement.new
        package, _, attribute = name.rpartition(".")
        parent = sys.modules.get(package)
        namespace = object.__getattribute__(parent, "__dict__") if isinstance(parent, types.ModuleType) else {}
        held = namespace.get(attribute)
        is_module = held is None or is_a(held, types.ModuleType) or held is replacement.covered
        if replacement.is_drop:
            yield delete_item(sys.modules, name)
            if is_module:
                yield delete_item(namespace, attribute)
            return
        yield set_item(sys.modules, name, new)
        if type(replacement.old) is Placeholder:
            yield deed_of(replacement.old, new)
        elif replacement.old is not None and replacement.old is not new:
            yield from self.standins[name].answer_from_deeds(new)
        if is_module:
            yield set_item(namespace, attribute, new)
