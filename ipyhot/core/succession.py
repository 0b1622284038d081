"""What outlived an old version is led to the new one: its functions, its instances, and subclasses of its classes.

``Heirs`` only looks and returns deeds; ``commit`` does them. Called by the thread that builds.
"""

import collections
import contextlib
import dis
import functools
import gc
import operator
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from typing import Any, Final

from ipyhot.core import diff
from ipyhot.core.commit import Deed, set_attribute, set_item
from ipyhot.core.imports import Loader

__all__ = ["Heirs"]

_KIND: Final = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE
_INSIDE: Final = ("__func__", "fget", "fset", "fdel", "func", "__wrapped__")


class _Relay:
    """Where all outlived functions of one name lead: ``__wrapped__`` is the newest, so ``inspect`` follows it too."""

    __slots__ = ("__weakref__", "__wrapped__")
    __wrapped__: Callable[..., Any]


class Heirs:
    """Pairs what old versions defined with what the new ones did, by the names it stands under.

    ``holders`` are namespaces outside of the modules that often hold a class, such as the user's.

    Relays are shared by name, so three generations of one function lead to the fourth directly, never in a chain.
    """

    def __init__(self) -> None:
        self.holders: list[dict[str, Any]] = []
        self._retiring: dict[type, type] = {}
        self._caches: list[Any] = []
        self._lingering: weakref.WeakSet[type] = weakref.WeakSet()
        self._departed: weakref.WeakValueDictionary[tuple[str, str], Any] = weakref.WeakValueDictionary()
        self._relays: weakref.WeakValueDictionary[tuple[str, str], _Relay] = weakref.WeakValueDictionary()

    def deeds(self, replaced: Mapping[str, tuple[dict[str, Any], dict[str, Any]]]) -> tuple[list[Deed], list[str]]:
        """Return what to do so that the old namespaces of some modules lead to the new ones.

        Args:
            replaced: old and new namespace, by module name.

        Returns:
            The deeds, and notes on what cannot follow.
        """
        deeds: list[Deed] = []
        classes: dict[type, type] = {}
        methods: list[tuple[types.FunctionType, object]] = []
        for module, (old, new) in replaced.items():
            pairs = [*self._returned(module, new), *_pairs(module, old, new)]
            deeds += self._redirected(module, new, {path for path, _, after in pairs if after is not _GONE})
            for path, before, after in pairs:
                if after is _GONE:
                    self._departed[module, path] = before
                elif isinstance(before, _CACHED):
                    self._caches.append(before)
                elif isinstance(before, types.FunctionType):
                    deeds += self._forward(module, path, before, after)
                    methods += [(before, after)] if "__class__" in before.__code__.co_freevars else []
                else:
                    classes[before] = after
                before = after = None  # noqa: PLW2901 - a variable that still held a class would count as an instance
            pairs.clear()
            for before in list(self._lingering):
                after = _at(new, before.__qualname__) if before.__module__ == module and before not in classes else _GONE
                if isinstance(after, type) and after is not before:
                    classes[before] = after
            before = after = None
        notes: list[str] = []
        self._retiring = classes
        if not _are_held(classes, [*self.holders, *(old for old, _ in replaced.values())]):
            return deeds, notes
        for before, after in methods:
            deeds += _class_cell(before, after)
        for deed, note in _instance_deeds(classes):
            if note is None:
                deeds += deed
            else:
                notes.append(note)
        return deeds, notes

    def _returned(self, module: str, new: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
        """Yield what an earlier version defined and the last one did not, if it is back: cut, save, paste, save."""
        for key in [key for key in list(self._departed) if key[0] == module]:
            after = _at(new, key[1])
            before = self._departed.get(key)
            if before is not None and after is not _GONE and before is not after:
                del self._departed[key]
                yield key[1], before, after

    def _redirected(self, module: str, new: dict[str, Any], paired: set[str]) -> Iterator[Deed]:
        """Lead outlived functions to the newest even if the last version had something else under their name."""
        for key, relay in list(self._relays.items()):
            after = _at(new, key[1]) if key[0] == module and key[1] not in paired else _GONE
            if after is not _GONE and callable(after):
                yield set_attribute(relay, "__wrapped__", after)

    def retire(self, namespaces: list[dict[str, Any]]) -> None:
        """After the commit, let lists, dicts and variables hold the new classes, and take the old ones out of use.

        Old classes that nobody holds any more leave ``Base.__subclasses__()``: they are garbage, but a collection may
        be long in coming, and registries by ``__subclasses__`` would find them.
        """
        caches, self._caches = self._caches, []
        for cached in caches:  # held ones call the new function from now on; what the old one returned is stale
            cached.cache_clear()
        retiring, self._retiring = self._retiring, {}
        if _are_held(retiring, [*self.holders, *namespaces]):
            _replace_in_containers(retiring)
            for deed, _ in _instance_deeds(retiring):  # made by other threads since they were looked for
                collections.deque((part.do() for part in deed), maxlen=0)
        free = _unheld(retiring, [*self.holders, *namespaces])
        # What a running thread still holds is looked at again with the next generation.
        self._lingering.update(cls for cls in retiring if cls not in free)
        self._lingering.difference_update(free)
        for cls in free:
            with contextlib.suppress(TypeError):  # a layout that cannot change base: a collection will take it
                type.__setattr__(cls, "__bases__", (_Nobody,))

    def _forward(self, module: str, path: str, old: types.FunctionType, new: Callable[..., Any]) -> Iterator[Deed]:
        relay = self._relays.get((module, path))
        if relay is None:
            relay = self._relays[module, path] = _Relay()
            relay.__wrapped__ = new
        else:
            yield set_attribute(relay, "__wrapped__", new)
        yield set_attribute(old, "__code__", _forwarding_code(old.__code__, relay, new))
        doc = getattr(new, "__doc__", None)
        for name, before, after in (
            ("__defaults__", old.__defaults__, None),
            ("__kwdefaults__", old.__kwdefaults__, None),
            ("__doc__", old.__doc__, doc),
            ("__annotations__", old.__annotations__, getattr(new, "__annotations__", {})),
        ):
            if before is not after and before != after:
                yield set_attribute(old, name, after)
        yield set_item(old.__dict__, "__wrapped__", relay)


def _class_cell(old: types.FunctionType, new: object) -> list[Deed]:
    """Let ``super()`` in a call that is still running find the class its instance has been moved to."""
    before = _closure(old)["__class__"]
    after = _closure(new).get("__class__") if isinstance(new, types.FunctionType) else None
    return [set_attribute(before, "cell_contents", after.cell_contents)] if after is not None else []


def _closure(function: types.FunctionType) -> dict[str, types.CellType]:
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))


@cache
def _template(free: int) -> types.CodeType:
    """Return the code of a function with some free variables that only passes its arguments on."""
    names = [f"v{index}" for index in range(free)]
    head = f"    {' = '.join(names)} = None\n" if names else ""
    unused = f" and ({', '.join(names)})" if names else ""
    # All of it stands on one line, the one that a traceback will show: that of the def.
    inner = f"    def inner(*args, **kwargs): return 'relay'.__wrapped__(*args, **kwargs) if 1 else 0{unused}\n"
    scope: dict[str, Any] = {}
    exec(f"def outer():\n{head}{inner}    return inner\n", scope)  # noqa: S102 - fixed text
    code: types.CodeType = scope["outer"]().__code__
    return code


def _forwarding_code(old: types.CodeType, relay: _Relay, new: object) -> types.CodeType:
    # From Python 3.11 on a call of a coroutine function makes the coroutine in its first instruction, so a plain body
    # may wear the flag: it returns the successor's coroutine (or generator), and inspect still sees what it was.
    template = _template(len(old.co_freevars))
    kind = (getattr(new, "__code__", None) or old).co_flags & _KIND
    return template.replace(
        co_consts=tuple(relay if value == "relay" else value for value in template.co_consts),
        co_flags=(template.co_flags & ~_KIND) | kind,
        co_freevars=old.co_freevars,
        co_name=old.co_name,
        co_qualname=old.co_qualname,
        co_filename=old.co_filename,
        co_firstlineno=old.co_firstlineno,
    )


def _pairs(module: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, old and new of each function and class that the old module defined and that has a successor."""
    seen: set[int] = set()
    # The first name comes first: an alias bound later must not take a function that has a name of its own.
    stack = [(name, value, new.get(name, _GONE)) for name, value in reversed(list(old.items()))]
    while stack:
        path, before, after = stack.pop()
        if before is after or id(before) in seen:
            continue
        if isinstance(before, types.FunctionType):
            if not _is_defined_as(before, module, path.rstrip(_WRAPPED), old):
                continue
            seen.add(id(before))
            yield path, before, after if callable(after) else _GONE
        elif isinstance(before, type):
            is_own = before.__module__ == module and before.__qualname__ == path
            if not is_own:
                continue
            seen.add(id(before))
            yield path, before, after if isinstance(after, type) else _GONE
            if isinstance(after, type):
                members = vars(after)
                stack += [(f"{path}.{key}", value, members.get(key, _GONE)) for key, value in vars(before).items()]
            continue
        elif after is _GONE:
            continue
        elif isinstance(before, _CACHED) and path in getattr(before, "__qualname__", path):
            yield path, before, after
        for attribute in _INSIDE if not isinstance(before, types.FunctionType) else ("__wrapped__",):
            inner = _inside(before, attribute)
            if inner is not None:
                stack.append((path + _WRAPPED, inner, _inside(after, attribute) or after))


def _at(namespace: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a dotted path of a namespace; ``_GONE`` if nothing does, or only inside of a wrapper."""
    first, *rest = path.split(".")
    found = namespace.get(first, _GONE)
    for name in rest:
        found = vars(found).get(name, _GONE) if isinstance(found, type) else _GONE
    return found


_GONE: Final = object()
_CACHED: Final = type(functools.cache(int))
_WRAPPED: Final = "~"  # ends the path of what a wrapper holds: f and what it wraps lead to different successors


def _inside(value: object, attribute: str) -> Any:
    found = vars(value).get(attribute) if hasattr(value, "__dict__") else None
    if found is None and isinstance(value, _WRAPPERS):
        found = getattr(value, attribute, None)
    return found if isinstance(found, (types.FunctionType, *_WRAPPERS)) or hasattr(found, "__wrapped__") else None


_WRAPPERS: Final = (staticmethod, classmethod, property, partial)


def _is_defined_as(function: types.FunctionType, module: str, path: str, namespace: Mapping[str, Any]) -> bool:
    """Tell whether a function is this module's own under this name, and not another one's that the name was given to."""
    name = function.__qualname__
    if function.__module__ != module:
        # A decorator elsewhere made it for us, or it was imported from who knows where.
        return "<locals>" in name and path.partition(".")[0] not in _imported_names(namespace)
    return name == path or name.endswith("<lambda>") or "<locals>" in name


def _imported_names(namespace: Mapping[str, Any]) -> set[str]:
    """Return every name that the text of a namespace's module imports, or that it may take from another by a star."""
    loader = getattr(namespace.get("__spec__"), "loader", None)
    if not isinstance(loader, Loader):
        return set(namespace)
    code = loader.compile()
    names = {name for _, found in diff.imports(code, "") for name in found}
    return set(namespace) if "*" in names else names | _renamed(code)


def _renamed(code: types.CodeType) -> set[str]:
    """Return the names that ``import … as name`` statements of a module's top level store."""
    found, follows_import = set(), False
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith("STORE_") and follows_import:
            found.add(str(instruction.argval))
        follows_import = instruction.opname.startswith("IMPORT_")
    return found


def _instance_deeds(classes: Mapping[type, type]) -> Iterator[tuple[list[Deed], str | None]]:
    """Move instances and foreign subclasses of replaced classes; one walk over the heap finds them all."""
    refused: set[type] = set()
    for holder in gc.get_referrers(*classes):
        old = type(holder)
        if isinstance(holder, type) and holder in classes:
            continue
        if old in classes and old not in refused:
            if not _can(holder, "__class__", old, classes[old], object.__setattr__):
                refused.add(old)
                yield [], f"instances of {old.__qualname__} keep their class: its layout changed"
            else:
                yield [_switch(holder, "__class__", old, classes[old], object.__setattr__)], None
        elif isinstance(holder, type) and holder not in classes and not set(holder.__bases__).isdisjoint(classes):
            before = holder.__bases__
            after = tuple(classes.get(base, base) for base in before)
            if _can(holder, "__bases__", before, after, type.__setattr__):
                yield [_switch(holder, "__bases__", before, after, type.__setattr__)], None
            else:
                yield [], f"{holder.__qualname__} keeps its old base: the layout changed"


def _replace_in_containers(classes: Mapping[type, type]) -> None:
    """Put new classes in place of old ones in every list, dict, closure and instance."""
    for holder in gc.get_referrers(*classes):
        if holder is classes or isinstance(holder, type):
            continue
        if isinstance(holder, list):
            for index, value in enumerate(holder):
                if isinstance(value, type) and value in classes:
                    holder[index] = classes[value]
        elif isinstance(holder, types.CellType):
            holder.cell_contents = classes.get(holder.cell_contents, holder.cell_contents)
        else:
            # Python 3.11 keeps an instance's attributes in the instance until somebody asks for its dict.
            found = holder if isinstance(holder, dict) else getattr(holder, "__dict__", None)
            attributes: dict[Any, Any] = found if isinstance(found, dict) else {}
            for key, value in list(attributes.items()):
                if isinstance(value, type) and value in classes:
                    attributes[key] = classes[value]


class _Probe:
    """A class that nobody else ever holds."""


class _Nobody:
    """The base of classes that are on their way out."""


def _are_held(classes: Mapping[type, Any], namespaces: list[dict[str, Any]]) -> bool:
    """Tell whether anything but the namespaces and the classes themselves may hold one of the classes."""
    return bool(classes) and len(_unheld(classes, namespaces)) < len(classes)


def _unheld(classes: Mapping[type, Any], namespaces: list[dict[str, Any]]) -> list[type]:
    """Return the classes that nothing but the namespaces and the classes themselves holds.

    Each reference to an object is in its reference count, an instance's to its class too. If those that can be named
    here make up the whole count, no instance exists, and the walk over the heap (13 ms for a million objects) is spared.
    What cannot be named counts as an instance.
    """
    named = collections.Counter(
        id(value) for namespace in namespaces for value in list(namespace.values()) if isinstance(value, type)
    )
    named[id(_Probe)] = 1
    probe = _Probe
    # Its name in this module is counted, and its variable here holds it as the mapping holds the others. What more
    # there is, this loop holds, and of the others too.
    surplus = [sys.getrefcount(cls) - _own_references(cls) - named[id(cls)] for cls in (probe, *classes)]
    return [cls for cls, count in zip(classes, surplus[1:], strict=True) if count <= surplus[0]]


def _own_references(cls: type) -> int:
    """Return how many references a class, its own members and its subclasses hold to it."""
    own = sum(base is cls for base in cls.__mro__)
    cells = set()
    for value in vars(cls).values():
        own += getattr(value, "__objclass__", None) is cls and isinstance(value, _DESCRIPTORS)
        function = getattr(value, "__func__", value)
        if isinstance(function, types.FunctionType) and "__class__" in function.__code__.co_freevars:
            cells.add(id(_closure(function)["__class__"]))
    return own + len(cells)


_DESCRIPTORS: Final = (types.GetSetDescriptorType, types.MemberDescriptorType)


def _switch(owner: Any, name: str, old: object, new: object, write: Callable[..., None]) -> Deed:
    return Deed(partial(write, owner, name, new), partial(write, owner, name, old))


def _can(owner: Any, name: str, old: object, new: object, write: Callable[..., None]) -> bool:
    """Tell whether Python lets an attribute change, by changing it there and back in one call."""
    tries: Iterable[Callable[[], None]] = [partial(write, owner, name, new), partial(write, owner, name, old)]
    try:
        collections.deque(map(operator.call, tries), maxlen=0)
    except TypeError:
        return False
    return True
