"""Hot reload for Python notebooks: save a file, and the running kernel runs the new code.

``%load_ext ipyhot`` then ``%hotwatch ./hots``. See README.md, and ``%hotwatch?`` in a notebook.

core/    from bytes to a committed generation; standard library only
watch/   from the disk to a batch of paths
kernel/  what a person sees and types
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipyhot.core.once import once as once

__all__ = ["load_ipython_extension", "once", "unload_ipython_extension"]


def load_ipython_extension(ipython: Any) -> None:
    """Start ipyhot in a shell; called by ``%load_ext ipyhot``."""
    from ipyhot.kernel.extension import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Remove ipyhot from a shell; called by ``%unload_ext ipyhot``."""
    from ipyhot.kernel.extension import unload

    unload(ipython)


def __getattr__(name: str) -> Any:
    if name == "once":
        from ipyhot.core.once import once

        return once
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("ipyhot")
