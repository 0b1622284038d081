"""Living beside ``%autoreload``: it leaves the watched modules alone, and the user is told so once."""

from collections.abc import Callable, Collection
from typing import Any

from ipyhot.kernel import jupyter, page
from ipyhot.kernel.outlet import Outlet

__all__ = ["Autoreload"]


class Autoreload:
    """Keeps ``%autoreload`` away from some modules; main thread.

    Args:
        shell: the IPython shell.
        outlet: where the hint is shown.
        modules: returns the modules, a collection whose size tells whether there are others.
    """

    def __init__(self, shell: Any, outlet: Outlet, modules: Callable[[], Collection[str]]) -> None:
        self._shell = shell
        self._outlet = outlet
        self._modules = modules
        self._skipped = 0
        self._has_told = False

    def look_again(self) -> None:
        """Take note, in any thread, that there may be other modules."""
        self._skipped = 0

    def keep_away(self) -> None:
        """Let it skip the modules there are now, before and after each cell."""
        modules = self._modules()
        if len(modules) == self._skipped and self._has_told:
            return
        if not modules or not jupyter.skip_in_autoreload(self._shell, list(modules)):
            return
        self._skipped = len(modules)
        if not self._has_told:
            self._has_told = True
            text = f"ipyhot: %autoreload is on; it leaves the {len(modules)} watched modules to ipyhot."
            if self._outlet.is_notebook:
                self._outlet.show(page.notice(text), text)
            else:
                self._outlet.write(self._outlet.dim(text))
