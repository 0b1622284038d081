"""From an exception to a record of strings: what failed where, in the user's own lines only. Pure; any thread."""

import os
import traceback
from typing import Final

from ipyhot.core.errors import Cancelled, UntrustedError
from ipyhot.core.imports import Loader, WatchedSpec
from ipyhot.core.model import Failure, Source
from ipyhot.core.staged import Staged

__all__ = ["describe", "gone", "held", "unreadable"]

_OWN: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_IMPORT_SYSTEM: Final = "<frozen importlib"


def describe(staged: Staged, *, since: float, live: int | None) -> Failure:
    """Return why a staged module failed.

    Args:
        staged: a module whose ``error`` is set.
        since: when that was first seen, in seconds since the epoch.
        live: the generation that is still live, if one is.
    """
    source, error = staged.step.source, staged.error
    assert error is not None  # noqa: S101 - the caller's promise
    alias = _alias_of(staged)
    path = (source.path if source else None) or staged.step.name
    if isinstance(error, SyntaxError) and source is not None:
        _put_own_line(error, source, alias)
    told = traceback.TracebackException(type(error), error, staged.traceback, compact=True)
    _keep_user_frames(told)
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else None
    if line is None:
        line = next((frame.lineno for frame in reversed(told.stack) if frame.filename == path), None)
    text = _short("".join(told.format()).rstrip())
    return Failure(staged.step.name, path, line, _short(_summary(error, told), 500), text, since, live)


def _short(text: str, limit: int = 10_000) -> str:
    """Return a text of bounded length: an exception may carry megabytes, and reports are kept."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]} … {len(text) - limit} characters … {text[-half:]}"


def _summary(error: BaseException, told: traceback.TracebackException) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, Cancelled):
        return f"cancelled: {error}" if error.args else "cancelled while it was loading"
    last = list(told.format_exception_only())[-1].strip()
    return last.splitlines()[0] if last else type(error).__name__


def held(name: str, path: str, by: tuple[str, ...], *, since: float, live: int | None) -> Failure:
    """Return the record of a module that is sound and must wait for others."""
    return Failure(name, path, None, f"waits for {', '.join(by)}", "", since, live, by)


def gone(name: str, path: str, by: tuple[str, ...], *, since: float, live: int | None) -> Failure:
    """Return the record of a deleted file that others still import."""
    return Failure(name, path, None, f"the file is gone, but {', '.join(by)} still needs it", "", since, live, by)


def unreadable(name: str, path: str, error: OSError, *, since: float, live: int | None) -> Failure:
    """Return the record of a file that is there and cannot be read."""
    what = "is not trusted" if isinstance(error, UntrustedError) else "cannot be read"
    summary = f"{what}: {error.strerror}"
    return Failure(name, path, None, summary, summary, since, live)


def _alias_of(staged: Staged) -> str | None:
    spec = staged.module.__spec__ if staged.module is not None else None
    loader = spec.loader if isinstance(spec, WatchedSpec) else None
    return loader.alias if isinstance(loader, Loader) else None


def _put_own_line(error: SyntaxError, source: Source, alias: str | None) -> None:
    # CPython reads the text of some syntax errors from the file as it is now, not from what was compiled.
    if error.filename != alias:
        return
    error.filename = source.path
    lines = source.data.decode("utf-8", "replace").splitlines()
    if error.lineno is not None and 0 < error.lineno <= len(lines):
        error.text = lines[error.lineno - 1]


def _keep_user_frames(told: traceback.TracebackException) -> None:
    link: traceback.TracebackException | None = told
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        kept = [frame for frame in link.stack if not _is_ours(frame.filename)]
        for frame in kept:
            frame.filename = frame.filename if frame.filename.startswith("<") else os.path.abspath(frame.filename)
        link.stack[:] = kept
        link = link.__cause__ or link.__context__


def _is_ours(filename: str) -> bool:
    return filename.startswith((_OWN, _IMPORT_SYSTEM))
