"""State that a module hands over itself when its file is executed as a whole.

``__hot_getstate__()`` of the old version, then ``__hot_setstate__(state)`` of the new one, both before the commit;
``__hot_close__()`` of the old version after it, with the values that its globals had. Called by the thread that builds.
"""

import types
from collections.abc import Callable, Mapping
from typing import Any

from ipyhot.core.heap import is_a
from ipyhot.core.model import CLOSE, GET_STATE, SET_STATE

__all__ = ["Close", "closed", "closer", "hand_over"]

Close = Callable[[], object]


def hand_over(live: Mapping[str, Any], staged: Mapping[str, Any]) -> None:
    """Give the state of the live version to the staged one, if both want it.

    Raises:
        BaseException: what one of the two functions raised; the generation is to be rejected.
    """
    get, take = live.get(GET_STATE), staged.get(SET_STATE)
    if callable(get) and callable(take):
        take(get())


def closer(live: dict[str, Any]) -> Close | None:
    """Return what closes the live version, even after its namespace has become the next one's."""
    close: Any = live.get(CLOSE)
    if not is_a(close, types.FunctionType):
        return close if callable(close) else None
    before = dict(live)
    for name, value in live.items():
        if is_a(value, types.FunctionType) and value.__globals__ is live:
            before[name] = _over(value, before)
    return _over(close, before)


def closed(name: str, close: Close) -> str:
    """Close a version of a module that is live no more; return what there is to tell about it."""
    try:
        close()
    except BaseException as error:  # noqa: BLE001 - a file may raise anything, and what is live is live
        return f"{name}: {CLOSE}() of the version before raised {type(error).__name__}: {error}"
    return ""


def _over(function: types.FunctionType, namespace: dict[str, Any]) -> types.FunctionType:
    """Return a function that does the same over another namespace, with the code it has now."""
    made = types.FunctionType(function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made
