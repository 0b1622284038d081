"""Plain containers of the standard library: what they hold is led elsewhere, or filled in from a copy.

Called by the thread that builds; what is live changes by the deeds only.
"""

import collections
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ipyhot.core.commit import Deed
from ipyhot.core.heap import is_a
from ipyhot.core.wrappers import all_is

__all__ = ["FILLED", "can_be_filled", "fill_deeds", "holds_the_same", "is_walked", "refilled"]

FILLED: Final = frozenset({dict, list, set})
_LARGE: Final = 256  # longer ones are left to the walk over the heap, which is only made if it is needed
_CONTAINERS: Final = frozenset(
    {list, dict, set, tuple, frozenset, collections.deque, collections.defaultdict, collections.OrderedDict}
)


def is_walked(value: Any) -> bool:
    """Tell whether a value is a container that is short enough to be looked into."""
    return type(value) in _CONTAINERS and len(value) <= _LARGE


def refilled(value: Any, lead: Callable[[Any], Any], is_led: Callable[[Any], bool]) -> Any:
    """Put in place of each part of a staged container what it leads to; return the container, or a new one if it is fixed.

    Args:
        value: the container.
        lead: says what is to stand in place of a part.
        is_led: tells whether a key may lead elsewhere at all.
    """
    if is_a(value, tuple | frozenset):
        parts = [lead(part) for part in value]
        return value if all_is(parts, value) else type(value)(parts)
    if is_a(value, set):
        for part in list(value):
            after = lead(part)
            if after is not part:
                value.discard(part)
                value.add(after)
        return value
    if is_a(value, dict):
        keys = {key: lead(key) for key in value if is_led(key)}
        if any(before is not after for before, after in keys.items()):
            items = [(keys.get(key, key), part) for key, part in value.items()]
            value.clear()
            value.update(items)
    if is_a(value, collections.defaultdict):
        value.default_factory = lead(value.default_factory)
    for key, part in list(value.items()) if is_a(value, dict) else list(enumerate(value)):
        after = lead(part)
        if after is not part:
            value[key] = after
    return value


def can_be_filled(live: Any, staged: Any) -> bool:
    """Tell whether a live container can hold what a staged one does, and is another one."""
    return live is not staged and type(live) is type(staged) and type(live) in FILLED


def holds_the_same(live: Any, before: Any) -> bool:
    """Tell whether a plain container holds the objects that a copy of it does; none of them is asked."""
    parts = [*live], [*before]
    values = ([*live.values()], [*before.values()]) if is_a(live, dict) else ([], [])
    return all_is(*parts) and all_is(*values)


def fill_deeds(live: Any, staged: Any) -> list[Deed]:
    """Return what lets a live container hold what its copy holds."""
    before = live.copy()
    if is_a(live, list):
        everything = slice(None)
        return [
            Deed(partial(list.__setitem__, live, everything, staged), partial(list.__setitem__, live, everything, before))
        ]
    kind = type(live)
    return [
        Deed(partial(kind.clear, live), partial(kind.update, live, before)),
        Deed(partial(kind.update, live, staged), partial(kind.clear, live)),
    ]
