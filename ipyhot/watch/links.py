"""Which links lead through which paths: a change there is a change of the link. Belongs to one thread."""

import os
from collections.abc import Iterator
from typing import Final

__all__ = ["Links", "hops"]

_MOST: Final = 40  # links in one path, as Linux has it


class Links:
    """The links of a folder, and what each leads through."""

    def __init__(self) -> None:
        self._through: dict[str, dict[str, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._through)

    def learn(self, link: str) -> list[str]:
        """Take note of where a link leads now; return the folders to listen to."""
        self.forget(link)
        found = list(hops(link))
        for hop in found:
            self._through.setdefault(hop, {})[link] = None
        return sorted({os.path.dirname(hop) for hop in found})

    def forget(self, link: str) -> None:
        """Drop what is known of a link."""
        for hop in [hop for hop, links in self._through.items() if link in links]:
            del self._through[hop][link]
            if not self._through[hop]:
                del self._through[hop]

    def at(self, path: str) -> list[str]:
        """Return the links that lead through just this path."""
        return list(self._through.get(path, ()))

    def below(self, folder: str) -> list[str]:
        """Return the links that lead through a folder, or through a path inside it."""
        prefix = folder + os.sep
        return [link for hop, links in self._through.items() if hop == folder or hop.startswith(prefix) for link in links]


def hops(link: str) -> Iterator[str]:
    """Yield what a link leads through, each with a real parent: further links, and the end, which may be missing."""
    try:
        path = os.path.join(os.path.realpath(os.path.dirname(link)), os.readlink(link))
    except OSError:  # it is no link any more
        return
    parts = path.split(os.sep)[::-1]
    at, count = "", 0
    while parts:
        part = parts.pop()
        if part in {"", os.curdir}:
            continue
        if part == os.pardir:
            at = os.path.dirname(at)
            continue
        at = f"{at}{os.sep}{part}"
        try:
            target = os.readlink(at)
        except OSError:  # the usual case: it is no link
            continue
        yield at
        count += 1
        if count > _MOST:
            return
        at = "" if os.path.isabs(target) else os.path.dirname(at)
        parts += target.split(os.sep)[::-1]
    yield at
