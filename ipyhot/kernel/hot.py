"""The ``hot`` object: what a person looks at and calls. It decides nothing; the session behind it does."""

import time
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from ipyhot.core.errors import UnknownHandlerError, WaitTimeoutError
from ipyhot.core.model import Failure, Report
from ipyhot.kernel import page
from ipyhot.kernel.handlers import Handlers

if TYPE_CHECKING:
    from ipyhot.kernel.session import Session

__all__ = ["Errors", "History", "Hot"]

Callback = Callable[[Report], object]
C = TypeVar("C", bound=Callback)


_MANUAL: Final = """What is live in the watched folders.

hot.handlers              handler name -> value: hot.handlers.pricing, hot.handlers["billing.invoice"]
hot.errors                what is not live, where, why, and what is live instead
hot.history               what happened
hot.reload("pricing")     run a file again although nothing changed
hot.pin()                 with hot.pin() as then: ...  handlers that stay as they are
hot.wait(), hot.cancel(), hot.on_change()

The same as words: %hot status, errors, history, reload, cancel, cells. See also %hotwatch? and %%hotcell?
"""


class Errors(Mapping[str, Failure]):
    """Handler name → why its newest text is not live. Empty when all is well."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def __getitem__(self, name: str) -> Failure:
        return self._session.failures()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._session.failures())

    def __len__(self) -> int:
        return len(self._session.failures())

    def __repr__(self) -> str:
        found = self._session.failures()
        return "\n".join(f"{name}: {failure}\n{failure.text}".rstrip() for name, failure in found.items()) or "no errors"

    def _repr_html_(self) -> str:
        return page.failures(self._session.failures(), time.time())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython calls it so
        printer.text(self._session.painted(repr(self)) if self else repr(self))


class History(list[Report]):
    """Reports, oldest first."""

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "nothing happened yet"

    def _repr_html_(self) -> str:
        return page.history(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython calls it so
        printer.text(repr(self))  # else it would print a list of reports


class Hot(types.ModuleType):
    """The live handlers of this kernel, and how they came to be."""

    handlers: Handlers
    errors: Errors

    def __init__(self, session: "Session", handlers: Handlers) -> None:
        super().__init__("hot", _MANUAL)
        self._session = session
        self.handlers = handlers
        self.errors = Errors(session)

    def __dir__(self) -> list[str]:
        return ["cancel", "errors", "generation", "handlers", "history", "on_change", "pin", "reload", "wait"]

    def __repr__(self) -> str:
        failing = f", {len(self.errors)} not live" if self.errors else ""
        return f"<hot: generation {self.generation}, {len(self.handlers)} handlers{failing}>"

    def _repr_html_(self) -> str:
        return page.as_html(self._session.state())

    @property
    def generation(self) -> int:
        """How many times something went live."""
        return self._session.engine.generation

    @property
    def history(self) -> History:
        """The last reports, oldest first; bounded."""
        return History(self._session.engine.history)

    def wait(
        self, until: Callable[[], object] | None = None, *, generation: int | None = None, timeout: float = 10.0
    ) -> None:
        """Wait until a generation is live, a condition holds, or, without either, the next report has come.

        Args:
            until: asked after each report; anything true ends the wait.
            generation: the number to reach.
            timeout: seconds.

        Raises:
            WaitTimeoutError: it did not happen in time.
        """
        engine = self._session.engine
        number = engine.number
        if generation is not None:
            is_reached: Callable[[], object] = lambda: engine.generation >= generation  # noqa: E731 - one of three
        else:
            is_reached = until or (lambda: engine.number > number)
        end = time.monotonic() + timeout
        with engine.told:
            while not is_reached():
                left = end - time.monotonic()
                if left <= 0 or not engine.told.wait(left):
                    if is_reached():
                        return
                    raise WaitTimeoutError(self._nothing_came(timeout))

    def _nothing_came(self, timeout: float) -> str:
        idle = "; with --when idle nothing goes live while a cell runs" if self._session.when == "idle" else ""
        return f"nothing of the kind within {timeout} s; generation {self.generation} is live{idle}."

    def reload(self, *names: str) -> Report | None:
        """Run handlers' files again although nothing changed, with all that imports them; without names, all files.

        Raises:
            UnknownHandlerError: there is no such handler.
            BusyError: called by a file that is being loaded.
        """
        return self._session.reload(names)

    @contextmanager
    def pin(self) -> Iterator[Handlers]:
        """Give handlers that stay those of this generation, whatever is saved inside the block.

        Functions and module values stay, and what they call and read of other watched files; classes and their
        instances follow. What a pinned function assigns with ``global`` stays with the pin.
        """
        yield self._session.pinned()

    def cancel(self) -> str | None:
        """Stop the load that is under way; return the module's name, or None if nothing is loading."""
        return self._session.engine.cancel()

    @overload
    def on_change(self, handler: C) -> C: ...
    @overload
    def on_change(self, handler: str) -> Callable[[C], C]: ...
    def on_change(self, handler: Any) -> Any:
        """Call a function with the report after each generation, or after those that touched a handler.

        Use it as ``@hot.on_change`` or ``@hot.on_change("pricing")``. It runs in the thread that built the
        generation; a callback that raises is switched off, and ``hot.history`` says so.
        """
        if callable(handler):
            self._session.add_callback(handler, None)
            return handler
        if handler not in self.handlers and handler not in self.errors:
            raise UnknownHandlerError(f"no handler {handler!r}; there are {', '.join(self.handlers) or 'none'}")

        def register(callback: C) -> C:
            self._session.add_callback(callback, handler)
            return callback

        return register
