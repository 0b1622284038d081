"""The tree of errors that ipyhot raises by itself.

HotError
├── FolderError      a folder that cannot be watched: missing, no folder, or its name is taken
├── BusyError        a reload was asked for from inside a file that is being loaded
├── UnknownHandlerError   a name that is no handler
└── WaitTimeoutError      ``hot.wait`` gave up
Cancelled            raised inside a file that is being loaded, by ``%hot cancel``; passes ``except Exception``
"""

__all__ = ["BusyError", "Cancelled", "FolderError", "HotError", "UnknownHandlerError", "WaitTimeoutError"]


class HotError(Exception):
    """Base of all errors raised by ipyhot."""


class FolderError(HotError):
    """The folder cannot be watched; nothing of it is."""


class BusyError(HotError):
    """A reload was asked for by code that a reload is running."""


class UnknownHandlerError(HotError, KeyError):
    """No handler has this name."""

    def __str__(self) -> str:
        return str(self.args[0])


class WaitTimeoutError(HotError, TimeoutError):
    """What was waited for did not happen in time."""


class Cancelled(BaseException):
    """The load of a file was cancelled by the user."""
