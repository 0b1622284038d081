"""Which file systems tell of changes. Network ones do not tell of those that others make."""

import os
import re
from typing import Final

__all__ = ["kind_of", "silent"]

_MOUNTS: Final = "/proc/self/mountinfo"
_SILENT: Final = re.compile(
    r"nfs.*|cifs|smb.*|ncpfs|9p|virtiofs|vboxsf|vmhgfs.*|prl_fs|drvfs|afs|ceph|gpfs|lustre|beegfs|glusterfs|fuse(\..*)?"
)


def silent(path: str, mounts: str = _MOUNTS) -> str | None:
    """Return the type of the file system a path lies on if changes may happen there without an event.

    Args:
        path: a real path.
        mounts: a table in the form of proc(5) ``mountinfo``.
    """
    kind = kind_of(path, mounts)
    return kind if kind is not None and _SILENT.fullmatch(kind) else None


def kind_of(path: str, mounts: str = _MOUNTS) -> str | None:
    """Return the type of the file system a path lies on; None where that cannot be known."""
    best, kind = "", None
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as table:
            for line in table:
                fields, _, rest = line.partition(" - ")
                point = _unescaped(fields.split(" ")[4])
                if len(point) >= len(best) and _lies_in(path, point):
                    best, kind = point, rest.split(" ")[0]
    except OSError:  # no Linux
        return None
    return kind


def _lies_in(path: str, point: str) -> bool:
    return point in {os.sep, path} or path.startswith(point + os.sep)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
