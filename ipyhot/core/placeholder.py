"""What stands in ``sys.modules`` for a module that is being loaded aside and was never live. It knows no plan.

The thread that builds meets in it what is staged; every other thread that looks into it waits until that is live, or has
come to nothing. A live module wears a stand-in instead (``core.imports``), where nobody waits.
"""

import sys
import threading
import types
from typing import Any, Final, Protocol

from ipyhot.core.commit import Deed, set_item

__all__ = ["Host", "Placeholder", "deed_of", "leave", "place"]

_HOST: Final = "host of the placeholder"  # no attribute is called so
_SUCCESSOR: Final = "successor of the placeholder"
_COULD_NOT_WAIT: Final = (
    "{name} is being loaded by a reload, which waits for an import that is under way here. Import it again."
)


class Host(Protocol):
    """What a placeholder asks of the stage that it belongs to."""

    builder: int
    over: threading.Event

    def read(self, name: str, attribute: str) -> Any:
        """Return an attribute of the staged module of a name."""

    def touch(self, name: str) -> Any:
        """Return the staged module of a name."""


class Placeholder(types.ModuleType):
    """A module object that answers from another one."""

    def __getattribute__(self, attribute: str) -> Any:
        own = object.__getattribute__(self, "__dict__")
        host = own.get(_HOST)
        if _SUCCESSOR not in own and host is not None and threading.get_ident() == host.builder:
            return host.read(own["__name__"], attribute)
        return getattr(_target(own, host), attribute)

    def __setattr__(self, attribute: str, value: object) -> None:
        own = object.__getattribute__(self, "__dict__")
        setattr(_target(own, own.get(_HOST)), attribute, value)

    def __delattr__(self, attribute: str) -> None:
        own = object.__getattribute__(self, "__dict__")
        delattr(_target(own, own.get(_HOST)), attribute)


def place(name: str, host: Host) -> types.ModuleType:
    """Put a placeholder into ``sys.modules``, unless something stands there; return what stands there now."""
    made = Placeholder(name)
    object.__getattribute__(made, "__dict__")[_HOST] = host
    return sys.modules.setdefault(name, made)


def deed_of(placeholder: types.ModuleType, successor: object) -> Deed:
    """Return the deed that lets a placeholder answer from a successor, for good."""
    return set_item(object.__getattribute__(placeholder, "__dict__"), _SUCCESSOR, successor)


def leave(placeholder: types.ModuleType) -> None:
    """Let go of the host. Without a successor, who still holds the placeholder imports the module anew."""
    object.__getattribute__(placeholder, "__dict__").pop(_HOST, None)


def _target(own: dict[str, Any], host: Host | None) -> Any:
    """Return what a placeholder answers from in this thread, waiting for it if need be."""
    if _SUCCESSOR in own:
        return own[_SUCCESSOR]
    name = own["__name__"]
    if host is not None:
        if threading.get_ident() == host.builder:
            return host.touch(name)
        while not host.over.wait(0.05):
            if _waits_for_an_import(host.builder):
                raise ImportError(_COULD_NOT_WAIT.format(name=name), name=name)
    __import__(name)
    return sys.modules[name]


def _waits_for_an_import(thread: int) -> bool:
    """Tell whether a thread stands in the lock of a module that another thread is importing."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - the documented way to look at another thread
    return (
        frame is not None
        and frame.f_code.co_filename == "<frozen importlib._bootstrap>"
        and frame.f_code.co_name == "acquire"
    )
