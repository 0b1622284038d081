"""Functions that cannot take over new code pass their calls on to a successor.

All functions that a name has outlived share one relay, so ten generations lead straight to the eleventh, never in a
chain. Only the thread that builds calls this; the deeds are done by ``commit``.
"""

import types
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from typing import Any, Final

from ipyhot.core.commit import Deed, set_attribute, set_item

__all__ = ["Relay", "Relays", "relay_of"]

_KIND: Final = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE


class Relay:
    """Where all outlived functions of one name lead: ``__wrapped__`` is the newest, so ``inspect`` follows it too."""

    __slots__ = ("__weakref__", "__wrapped__", "followers")
    __wrapped__: Callable[..., Any]

    def __init__(self, new: Callable[..., Any]) -> None:
        self.__wrapped__ = new
        self.followers: weakref.WeakSet[types.FunctionType] = weakref.WeakSet()


class Relays:
    """The relays in use, by module and path."""

    def __init__(self) -> None:
        self._relays: weakref.WeakValueDictionary[tuple[str, str], Relay] = weakref.WeakValueDictionary()

    def lead(self, module: str, path: str, new: Callable[..., Any]) -> Iterator[Deed]:
        """Yield what leads everything that a name has outlived to its newest meaning."""
        relay = self._relays.get((module, path))
        if relay is None:
            return
        if relay.__wrapped__ is not new:
            yield set_attribute(relay, "__wrapped__", new)
        for follower in list(relay.followers):
            if relay_of(follower) is relay:  # or it has its own code again
                yield from _dressed(follower, relay, new)

    def settle(self) -> None:
        """After a commit: let outlived functions look like what their successor has become in it."""
        for relay in list(self._relays.values()):
            for follower in list(relay.followers):
                if relay_of(follower) is relay:
                    for name, value in _looks(relay.__wrapped__):
                        setattr(follower, name, value)

    def paths(self, module: str) -> list[str]:
        """Return the names of a module that outlived functions lead to."""
        return [path for owner, path in list(self._relays) if owner == module]

    def forward(self, module: str, path: str, old: types.FunctionType, new: Callable[..., Any]) -> Iterator[Deed]:
        """Yield what lets an outlived function pass its calls on."""
        yield from self.lead(module, path, new)
        relay = self._relays.get((module, path))
        if relay is None:
            relay = self._relays[module, path] = Relay(new)
        relay.followers.add(old)
        yield from _dressed(old, relay, new)
        yield set_item(old.__dict__, "__wrapped__", relay)


def relay_of(function: types.FunctionType) -> Relay | None:
    """Return the relay that a function passes its calls on to, if it does."""
    found = function.__dict__.get("__wrapped__")
    return found if isinstance(found, Relay) else None


def _dressed(old: types.FunctionType, relay: Relay, new: Callable[..., Any]) -> Iterator[Deed]:
    """Yield what makes a function call its relay, and look like the successor."""
    yield set_attribute(old, "__code__", _forwarding_code(old.__code__, relay, new))
    for name, value in (("__defaults__", None), ("__kwdefaults__", None), *_looks(new)):
        if getattr(old, name) is not value:
            yield set_attribute(old, name, value)


def _looks(new: Callable[..., Any]) -> tuple[tuple[str, Any], ...]:
    return ("__doc__", getattr(new, "__doc__", None)), ("__annotations__", getattr(new, "__annotations__", {}))


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


def _forwarding_code(old: types.CodeType, relay: Relay, new: object) -> types.CodeType:
    # From Python 3.11 on a call of a coroutine function makes the coroutine in its first instruction, so a plain body
    # may wear the flag: it returns the successor's coroutine (or generator), and inspect still sees what it was.
    template = _template(len(old.co_freevars))
    shown = getattr(new, "__code__", None) or old  # the lines of the old version may be gone by the time it raises
    kind = shown.co_flags & _KIND
    return template.replace(
        co_consts=tuple(relay if value == "relay" else value for value in template.co_consts),
        co_flags=(template.co_flags & ~_KIND) | kind,
        co_freevars=old.co_freevars,
        co_name=old.co_name,
        co_qualname=old.co_qualname,
        co_filename=shown.co_filename,
        co_firstlineno=shown.co_firstlineno,
    )
