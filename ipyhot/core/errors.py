"""The tree of errors that ipyhot raises by itself.

HotError
├── FolderError      a folder that cannot be watched: missing, no folder, or its name is taken
├── BusyError        a reload was asked for from inside a file that is being loaded
├── UnknownHandlerError   a name that is no handler
├── UntrustedError   a file that somebody else may write
└── WaitTimeoutError      ``hot.wait`` gave up
Cancelled            raised inside a file that is being loaded, by ``%hot cancel``; passes ``except Exception``
"""

import errno

__all__ = ["BusyError", "Cancelled", "FolderError", "HotError", "UnknownHandlerError", "UntrustedError", "WaitTimeoutError"]


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


class UntrustedError(HotError, PermissionError):
    """Somebody else may write the file, so it is not executed."""

    def __init__(self, message: str) -> None:
        super().__init__(errno.EPERM, message)


class WaitTimeoutError(HotError, TimeoutError):
    """What was waited for did not happen in time."""


class Cancelled(BaseException):
    """The load of a file was cancelled by the user."""
