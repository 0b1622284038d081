"""What outlives a generation is led into the next one: definitions, functions held anywhere, instances, subclasses.

``Succession`` is kept by the engine over all generations. For a commit it returns deeds; after it, it sweeps what only
the heap knows. Called by the thread that builds.
"""

import _abc  # type: ignore[import-not-found]  # private, in C: no stubs
import abc
import contextlib
import functools
import itertools
import sys
import types
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipyhot.core import heap, migrate, swap
from ipyhot.core.commit import Deed, set_item
from ipyhot.core.heads import Head
from ipyhot.core.heap import is_a
from ipyhot.core.outlived import Departed, at
from ipyhot.core.pairs import Module
from ipyhot.core.patch import Patch
from ipyhot.core.relay import Relays

__all__ = ["Heir", "RejectedError", "Succession"]


class RejectedError(Exception):
    """A module's own code said no to its next version."""

    def __init__(self, module: str, error: BaseException) -> None:
        super().__init__(module)
        self.module = module
        self.error = error


@dataclass(eq=False)
class Heir:
    """One live module of a transaction, before its commit: what is to change, and old and new code of its functions."""

    module: Module
    pairs: list[tuple[types.CodeType, types.CodeType]]
    heads: Mapping[int, Head]
    stale: Collection[str] = ()  # definitions whose caches hold what is no longer true
    after: dict[weakref.ref[types.CodeType], types.CodeType] = field(default_factory=dict)


class Succession:
    """Keeps track of what lives on outside of the namespaces.

    ``holders`` are namespaces outside of the modules that often hold a class, such as the user's.
    """

    def __init__(self) -> None:
        self.holders: list[dict[str, Any]] = []
        self._relays = Relays()
        self._departed = Departed()
        self._strays = swap.Strays()
        self._lingering: weakref.WeakSet[type] = weakref.WeakSet()
        # In tuples: whatever else holds a staged function is given its elder.
        self._weakly_held: weakref.WeakKeyDictionary[types.FunctionType, tuple[types.FunctionType, ...]]
        self._weakly_held = weakref.WeakKeyDictionary()
        self._outlived_caches: weakref.WeakSet[Any] = weakref.WeakSet()
        self._heirs: list[Heir] = []
        self._aside: list[dict[str, Any]] = []
        self._patch: Patch | None = None

    def note_staged(self, namespace: dict[str, Any]) -> None:
        """Remember a namespace that was staged, whatever became of it: its classes are to leave no trace."""
        self._aside.append(namespace)

    def deeds(
        self,
        heirs: list[Heir],
        importers: Callable[[str], Iterable[dict[str, Any]]],
        guests: Mapping[str, dict[str, Any]],
    ) -> tuple[list[Deed], list[str]]:
        """Return what to do so that all that outlives leads to what was staged, and notes on what cannot.

        Args:
            heirs: the modules that keep their namespace.
            importers: the namespaces of those who imported a module.
            guests: the namespaces of modules that are new, by name.

        Raises:
            RejectedError: a class cannot migrate its instances.
        """
        self._heirs = heirs
        try:
            return self._found(heirs, importers, guests)
        except RejectedError:
            self._patch, self._heirs = None, []  # nothing of it comes to pass
            raise

    def _found(
        self,
        heirs: list[Heir],
        importers: Callable[[str], Iterable[dict[str, Any]]],
        guests: Mapping[str, dict[str, Any]],
    ) -> tuple[list[Deed], list[str]]:
        self._patch = patch = Patch([heir.module for heir in heirs], self._relays, self._departed, guests)
        patch.run()
        deeds: list[Deed] = []
        migrations = [deed for old, new in patch.made_again for deed in _migrated(old, new, patch)]
        for heir in heirs:
            deeds += self._swaps(heir, patch)
        deeds += patch.deeds
        deeds += self._rebound(heirs, patch, importers)
        self._add_lingering(heirs, patch)
        notes = list(patch.notes)
        if self._are_held(patch.classes):
            for parts, note in heap.instance_deeds(patch.classes, patch.staying):
                deeds += parts
                notes += [note] if note is not None and note not in notes else []
        return deeds + migrations, notes

    def _swaps(self, heir: Heir, patch: Patch) -> Iterator[Deed]:
        heir.after = {weakref.ref(old): new for old, new in heir.pairs}
        codes = {id(old): new for old, new in heir.pairs}
        name, live = heir.module.name, heir.module.live
        yield from swap.deeds([*swap.values_in(live, name), *self._strays.of(name)], codes, heir.heads)
        if heir.stale:
            caching = {key: live[key] for key in heir.stale if key in live}
            patch.caches += swap.caches_in(caching, name)
            yield from swap.forgetting(caching, name, codes)

    def _rebound(
        self, heirs: list[Heir], patch: Patch, importers: Callable[[str], Iterable[dict[str, Any]]]
    ) -> Iterator[Deed]:
        """Yield what puts definitions that had to be replaced into the names that importing modules gave them."""
        if not patch.outlived.replaced:
            return
        seen = {id(heir.module.live) for heir in heirs}
        spaces = [(heir.module.live, heir.module.final) for heir in heirs]
        for namespace in itertools.chain.from_iterable(importers(heir.module.name) for heir in heirs):
            if id(namespace) not in seen:
                seen.add(id(namespace))
                spaces.append((namespace, {}))
        for namespace, final in spaces:
            for key, value in list(namespace.items()):
                found = patch.outlived.replaced.get(id(value)) if key not in final else None
                if found is not None and found[0] is value and is_a(value, types.FunctionType | type):
                    yield set_item(namespace, key, found[1])

    def _add_lingering(self, heirs: list[Heir], patch: Patch) -> None:
        """Take up again what a running thread held when its class was replaced."""
        names = {heir.module.name: heir.module for heir in heirs}
        for before in list(self._lingering):
            module = names.get(before.__module__)
            if module is None or before in patch.classes:
                continue
            after = at({**module.live, **module.final}, before.__qualname__)
            if is_a(after, type) and after is not before:
                patch.classes[before] = after

    def _namespaces(self, heirs: list[Heir]) -> list[dict[str, Any]]:
        spaces = [*self.holders]
        for heir in heirs:
            spaces += [heir.module.live, heir.module.staged, heir.module.final]
        return spaces

    def _are_held(self, classes: Mapping[type, type]) -> bool:
        return bool(classes) and len(heap.unheld(classes, self._namespaces(self._heirs), extra=_BY_PATCH)) < len(classes)

    def settle(self) -> list[str]:
        """After the commit: sweep what only the heap knows, let go of what was staged; return what cannot follow."""
        patch, heirs = self._patch, self._heirs
        self._patch, self._heirs = None, []
        aside, self._aside = self._aside, []
        if patch is None:
            _dismiss(_classes_of(aside), aside)
            return []
        self._relays.settle()
        self._outlived_caches.update(patch.outlived.caches)
        self._keep(patch.outlived.weakly_held)
        for cached in [*patch.caches, *self._outlived_caches]:
            cached.cache_clear()
        classes = dict(patch.classes)
        for old, new, is_fresh in patch.abstract:
            _ask_again(old, new, is_fresh=is_fresh, classes=classes)
        for heir in heirs:
            module = heir.module
            module.staged.update(module.live)  # whatever still runs in it sees the newest, as of now
            module.final.clear()
            module.shadows.clear()
            heir.pairs.clear()
        gone = patch.outlived.gone
        patch = None
        if classes:
            self._retire(classes, heirs)
        gone.update(_classes_of(aside))
        _dismiss(gone, [*aside, *(heir.module.live for heir in heirs)])
        return self._sweep(heirs)

    def _keep(self, weakly_held: Iterable[tuple[types.FunctionType, types.FunctionType]]) -> None:
        """Keep methods that only weak references hold, for as long as there are such."""
        for successor, function in weakly_held:
            self._weakly_held[successor] = (*self._weakly_held.get(successor, ()), function)
        for successor, functions in list(self._weakly_held.items()):
            held = tuple(function for function in functions if weakref.getweakrefcount(function))
            if held:
                self._weakly_held[successor] = held
            else:
                del self._weakly_held[successor]

    def _retire(self, classes: dict[type, type], heirs: list[Heir]) -> None:
        """Let containers and variables hold the classes that stay, and take the others out of use."""
        spaces = self._namespaces(heirs)
        if len(heap.unheld(classes, spaces)) < len(classes):
            heap.replace_in_containers(classes, type)
            _move(classes)  # instances that other threads made since they were looked for
        free = heap.unheld(classes, spaces)
        needed = {base for cls in classes if cls not in free for base in cls.__mro__}
        free = [cls for cls in free if cls not in needed]
        # What a running thread still holds is looked at again with the next generation.
        self._lingering.update(cls for cls in classes if cls not in free)
        self._lingering.difference_update(free)
        for cls in free:
            _empty(cls)

    def _sweep(self, heirs: list[Heir]) -> list[str]:
        """Find what only the heap knows: one walk for all that has older code, one for all that lives in what was staged."""
        heads = {key: head for heir in heirs for key, head in heir.heads.items()}
        deeds, notes = self._strays.find({heir.module.name: heir.after for heir in heirs}, heads)
        for deed in deeds:
            deed.do()
        homes: list[tuple[Module, dict[str, Any]]] = []
        for heir in heirs:
            staged, heir.module.staged = heir.module.staged, {}
            if sys.getrefcount(staged) > _BY_SWEEP:
                homes.append((heir.module, staged))
        if homes:
            self._lead_home(homes)
        return notes

    def _lead_home(self, homes: list[tuple[Module, dict[str, Any]]]) -> None:
        """Let functions that only a staged namespace is the home of run over the live one."""
        modules = {id(staged): module for module, staged in homes}
        found = tuple(heap.homed_in([staged for _, staged in homes]))  # no list: its own entries would be replaced
        elders = {f: elder for f in found if (elder := _elder(f, modules[id(f.__globals__)].live)) is not None}
        if elders:
            heap.replace_in_containers(elders, types.FunctionType)
        for function in found:
            module, new = modules[id(function.__globals__)], elders.get(function)
            if new is None:
                new = types.FunctionType(
                    function.__code__, module.live, function.__name__, function.__defaults__, function.__closure__
                )
                new.__kwdefaults__ = function.__kwdefaults__
            for deed in self._relays.forward(module.name, f"{function.__qualname__}#{id(function)}", function, new):
                deed.do()


def _migrated(old: type, new: type, patch: Patch) -> list[Deed]:
    home = patch.module_of(new)
    try:
        return list(migrate.deeds(old, new, lambda value: patch.at_home(value, home, new.__qualname__)))
    except BaseException as error:
        raise RejectedError(home.name, error) from error


_BY_PATCH: Final = 3  # its tables of what stands for what, and of what takes over what, hold each class
_HEAP_TYPE: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_BY_SWEEP: Final = 3  # the variable, the staged module, the call's argument


def _ask_again(cls: type, staged: type, *, is_fresh: bool, classes: Mapping[type, type]) -> None:
    """Let an abstract class forget whom it took for a subclass, and its subclasses what they have yet to define."""
    if is_fresh:
        registered = [ref() for ref in _abc._get_dump(staged)[0]]  # noqa: SLF001 - abc itself has no other way in
        _abc._reset_registry(cls)  # noqa: SLF001 - likewise
        for other in registered:
            if other is not None:
                abc.ABCMeta.register(cls, classes.get(other, other))  # type: ignore[arg-type]  # it is an ABC
    _abc._reset_caches(cls)  # noqa: SLF001 - likewise
    stack = [cls]
    while stack:
        found: list[type] = type.__subclasses__(stack.pop())
        for sub in found:
            if is_a(sub, abc.ABCMeta) and sub not in classes:
                abc.update_abstractmethods(sub)
                stack.append(sub)


def _classes_of(namespaces: list[dict[str, Any]]) -> dict[type, None]:
    """Return the classes that staged namespaces made, and that their live modules do not hold."""
    found: dict[type, None] = {}
    for namespace in namespaces:
        module = sys.modules.get(namespace.get("__name__", ""))
        live = {id(value) for value in vars(module).values()} if is_a(module, types.ModuleType) else set()
        for value in namespace.values():
            if is_a(value, type) and value.__module__ == namespace.get("__name__") and id(value) not in live:
                found[value] = None
    return found


def _move(classes: Mapping[type, type]) -> None:
    for parts, _ in heap.instance_deeds(classes):
        for part in parts:
            part.do()


def _dismiss(classes: dict[type, None], namespaces: list[dict[str, Any]]) -> None:
    """Take classes out of use that nothing but some namespaces holds; what is held stays as it is."""
    free = heap.unheld(classes, namespaces)
    needed = {base for cls in classes if cls not in free for base in cls.__mro__}
    for cls in free:
        if cls not in needed:
            _empty(cls)


@functools.cache
def _nobody(base: type) -> type:
    """Return the base of classes that are on their way out, by what their layout is built on."""
    return type("Nobody", (base,), {})


def _empty(cls: type) -> None:
    """Take a class that nobody holds out of its bases' sight, and its functions out of it.

    It would be garbage anyway, but a collection may be long in coming, and ``Base.__subclasses__()`` finds it till then.
    """
    with contextlib.suppress(TypeError):  # a layout that cannot change base: a collection will take it
        built_on = next(base for base in cls.__mro__ if not base.__flags__ & _HEAP_TYPE)
        type.__setattr__(cls, "__bases__", (_nobody(built_on),))
    for key, value in list(vars(cls).items()):
        if is_a(value, types.FunctionType):
            type.__delattr__(cls, key)


def _elder(function: types.FunctionType, live: Mapping[str, Any]) -> types.FunctionType | None:
    """Return the live function that was made of the same definition."""
    found = at(live, function.__qualname__)
    is_same = is_a(found, types.FunctionType) and found.__code__ is function.__code__
    return found if is_same else None
