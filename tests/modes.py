"""The three modes the scenario suite runs in, and what tests compare the live world with.

patch    edits as they come
reload   every edit is taken by running the whole file again
failing  every commit is forced to fail at each of its steps in turn; nothing may have changed after each of
         them. Then it is really done.
"""

import gc
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ipyhot.core.commit import Deed

MODES = ("patch", "reload", "failing")
_MOST_FAILURES = 60
_ABSENT = object()


class _Refusal(Exception):  # noqa: N818 - nothing is wrong: it is how a commit is made to fail
    pass


def failing_everywhere(commit: Callable[[Sequence[Deed]], None], package: str, failed: list[int]) -> Callable[..., None]:
    """Return a commit that fails at each step, checks that nothing has changed, and then succeeds.

    How many steps failed is appended to ``failed``.
    """

    def commit_at_last(deeds: Sequence[Deed]) -> None:
        deeds = list(deeds)
        world = Snapshot(package)
        places = _spread(len(deeds))
        for place in places:
            try:
                commit([*deeds[:place], Deed(_refuse, _refuse), *deeds[place:]])
            except _Refusal:
                pass
            else:
                raise AssertionError(f"a commit survived the failure of step {place}")
            changes = world.changes()
            assert not changes, f"a commit of {len(deeds)} steps that failed at step {place} has changed {changes}"
        failed.append(len(places))
        commit(deeds)

    return commit_at_last


def _spread(steps: int) -> list[int]:
    """Return the places to fail at, the last of them after all steps."""
    if steps < _MOST_FAILURES:
        return list(range(steps + 1))
    return sorted({round(part * steps / (_MOST_FAILURES - 1)) for part in range(_MOST_FAILURES)})


def _refuse() -> None:
    raise _Refusal


class Snapshot:
    """The identity of all that an edit could change: names, functions, cells, classes, instances, containers.

    What is not reachable by a name is found through the collector: closures, and instances that a test holds. All that
    was seen is kept alive, so an identity cannot come to mean another object.
    """

    def __init__(self, package: str) -> None:
        self._prefix = package + "."
        namespaces = [object.__getattribute__(module, "__dict__") for module in self._modules().values()]
        classes = set(_classes(namespaces, package))
        found = gc.get_referrers(*namespaces, *classes) if namespaces else []
        self._functions = [value for value in found if type(value) is types.FunctionType]
        self._instances = [value for value in found if type(value) in classes and not isinstance(value, type)]
        self._before = dict(self._look())

    def changes(self) -> list[str]:
        """Name what is no longer the identical object, has come, or has gone."""
        now = dict(self._look())
        return sorted(at for at in {*self._before, *now} if self._before.get(at, _ABSENT) is not now.get(at, _ABSENT))

    def _modules(self) -> dict[str, object]:
        top = self._prefix[:-1]
        near = [name for name in list(sys.modules) if name.startswith(top)]
        return {name: sys.modules[name] for name in near if name == top or name.startswith(self._prefix)}

    def _look(self) -> Iterator[tuple[str, object]]:
        modules = self._modules()
        namespaces = []
        for name, module in modules.items():
            namespaces.append(object.__getattribute__(module, "__dict__"))
            yield f"sys.modules[{name}]", module
            yield f"type of {name}", type(module)
            yield from _items(name, namespaces[-1])
        classes = list(_classes(namespaces, self._prefix[:-1]))
        for function in {id(value): value for value in [*self._functions, *_functions(namespaces, classes)]}.values():
            yield from _function(f"{function.__qualname__} at {id(function):x}", function)
        for cls in classes:
            at = f"{cls.__qualname__} at {id(cls):x}"
            yield from _items(at, dict(vars(cls)))
            yield from _items(f"{at} bases", dict(enumerate(cls.__bases__)))
            yield f"{at} name", cls.__qualname__
        for value in self._instances:
            yield from _instance(f"{type(value).__qualname__} instance at {id(value):x}", value)


def _items(at: str, mapping: dict[Any, object]) -> Iterator[tuple[str, object]]:
    """Yield each value, and what the containers among them hold."""
    for key, value in mapping.items():
        yield f"{at}.{key}", value
        if type(value) is dict:
            yield from ((f"{at}.{key}[{inner!r}]", held) for inner, held in value.items() if key != "__builtins__")
        elif type(value) is list:
            yield from ((f"{at}.{key}[{index}]", held) for index, held in enumerate(value))
        elif type(value) is set:
            yield from ((f"{at}.{key} has {held!r}", held) for held in value)


def _classes(namespaces: list[dict[str, object]], package: str) -> Iterator[type]:
    seen: set[type] = set()
    waiting = [value for namespace in namespaces for value in namespace.values()]
    while waiting:
        value = waiting.pop()
        is_class = isinstance(value, type) and value not in seen
        if is_class and (value.__module__ + ".").startswith((package + ".", "test_")):
            seen.add(value)
            waiting += [*vars(value).values(), *type.__subclasses__(value)]
            yield value


def _functions(namespaces: list[dict[str, object]], classes: list[type]) -> Iterator[types.FunctionType]:
    for namespace in [*namespaces, *map(vars, classes)]:
        yield from (value for value in list(namespace.values()) if type(value) is types.FunctionType)


def _function(at: str, function: types.FunctionType) -> Iterator[tuple[str, object]]:
    for name in ("__code__", "__defaults__", "__kwdefaults__", "__doc__", "__name__", "__qualname__", "__module__"):
        yield f"{at} {name}", getattr(function, name)
    yield from _items(f"{at} __annotations__", dict(function.__annotations__))
    yield from _items(at, dict(vars(function)))
    for index, cell in enumerate(function.__closure__ or ()):
        try:
            yield f"{at} cell {index}", cell.cell_contents
        except ValueError:
            yield f"{at} cell {index}", _ABSENT


def _instance(at: str, value: object) -> Iterator[tuple[str, object]]:
    yield f"{at} class", type(value)
    for cls in [cls for cls in type(value).__mro__ if "__slots__" in vars(cls)]:
        for name, member in list(vars(cls).items()):
            if isinstance(member, types.MemberDescriptorType):
                try:
                    yield f"{at} {name}", member.__get__(value)
                except AttributeError:
                    yield f"{at} {name}", _ABSENT
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return
    yield from _items(at, dict(attributes))


@dataclass
class Cold:
    """What a text gives when a fresh process runs it: the measure of every edit."""

    text: str

    def __post_init__(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": "cold", "__doc__": None}
        exec(textwrap.dedent(self.text), self.namespace)  # noqa: S102 - our own texts

    @property
    def names(self) -> set[str]:
        """The names it binds."""
        return names_of(self.namespace)

    def value(self, expression: str) -> object:
        """Return what an expression is there."""
        return value_of(self.namespace, expression)


def names_of(namespace: dict[str, Any]) -> set[str]:
    """Return the names that a file bound, without those that every module has."""
    return {name for name in namespace if not name.startswith("__")}


def value_of(namespace: dict[str, Any], expression: str) -> object:
    """Return what an expression is for a module's functions."""
    return eval(expression, dict(namespace))  # noqa: S307 - our own expressions


def fill(text: str, number: int) -> str:
    """Return one version of a text: each ``{n}`` is a number."""
    return text.replace("{n}", str(number))


def counting(ran: list[str]) -> types.ModuleType:
    """Return a module that is not watched, whose ``ran(name, value)`` tells a test that a statement was run."""

    def run(name: str, value: object = None) -> object:
        ran.append(name)
        return value

    module = types.ModuleType("ran")
    vars(module).update(ran=run)
    return module
