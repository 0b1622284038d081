"""Patterns of files as ``.gitignore`` has them (gitignore(5)). Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

__all__ = ["EVERYTHING", "Patterns", "Selection"]


class Patterns:
    """Patterns, of which the last that fits decides; one that begins with ``!`` takes back what others have matched.

    A pattern with a slash before its end is anchored at the folder, any other fits at every depth; one with a slash at
    its end fits folders only. What lies in a folder that matches, matches.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.lines = tuple(lines)
        self._rules = [rule for line in self.lines if (rule := _rule(line)) is not None]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patterns) and other.lines == self.lines

    def __hash__(self) -> int:
        return hash(self.lines)

    def match(self, path: str, *, is_folder: bool = False) -> bool:
        """Tell whether a path below the folder, with ``/`` between its parts, matches."""
        parts = path.split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts)))
        return any(self._fits(folder, is_folder=True) for folder in above) or self._fits(path, is_folder=is_folder)

    def _fits(self, path: str, *, is_folder: bool) -> bool:
        for rule in reversed(self._rules):
            if (is_folder or not rule.is_for_folders) and rule.regex.fullmatch(path):
                return not rule.takes_back
        return False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a folder count: those that ``include`` matches (all, if it has none), without ``exclude``'s."""

    include: Patterns = field(default_factory=Patterns)
    exclude: Patterns = field(default_factory=Patterns)

    def takes(self, path: str) -> bool:
        """Tell whether a file counts."""
        return (not self.include or self.include.match(path)) and not (self.exclude and self.exclude.match(path))

    def enters(self, path: str) -> bool:
        """Tell whether there may be files that count in a folder."""
        return not (self.exclude and self.exclude.match(path, is_folder=True))


EVERYTHING: Final = Selection()


@dataclass(frozen=True, slots=True)
class _Rule:
    regex: re.Pattern[str]
    takes_back: bool
    is_for_folders: bool


def _rule(line: str) -> _Rule | None:
    text = re.sub(r"(?<!\\) +$", "", line)
    if not text or text.startswith("#"):
        return None
    takes_back = text.startswith("!")
    text = text[takes_back:]
    is_for_folders = text.endswith("/")
    text = text.removesuffix("/")
    is_anchored = "/" in text
    text = text.removeprefix("/")
    if not text:
        return None
    head = "" if is_anchored else "(?:.*/)?"
    try:
        return _Rule(re.compile(head + "".join(_regex(text)), re.DOTALL), takes_back, is_for_folders)
    except re.error:  # a range such as [z-a], which fits nothing
        return None


def _regex(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        rest = text[at:]
        if rest.startswith("**/") and (at == 0 or text[at - 1] == "/"):
            yield "(?:.*/)?"
            at += 3
        elif rest == "**" and at and text[at - 1] == "/":
            yield ".+"
            at += 2
        elif rest[0] == "*":
            yield "[^/]*"
            at += len(rest) - len(rest.lstrip("*"))
        elif rest[0] == "?":
            yield "[^/]"
            at += 1
        elif rest[0] == "[":
            found = re.match(r"\[([!^]?)(\]?(?:\\.|\[:\w+:\]|[^\]\\])*)\]", rest, re.DOTALL)
            if found is None:
                yield "(?!)"  # an open bracket fits nothing
                return
            yield f"(?!/)[{'^' if found[1] else ''}{_range(found[2])}]"
            at += found.end()
        elif rest[0] == "\\":
            yield re.escape(rest[1:2]) if len(rest) > 1 else "(?!)"
            at += 2
        else:
            yield re.escape(rest[0])
            at += 1


_CLASSES: Final = {"digit": "0-9", "alpha": "a-zA-Z", "alnum": "a-zA-Z0-9", "lower": "a-z", "upper": "A-Z", "space": r"\s"}


def _range(text: str) -> str:
    text = re.sub(r"\[:(\w+):\]", lambda found: _CLASSES.get(found[1], ""), text)
    return re.sub(r"\\(.)", lambda found: re.escape(found[1]), text.replace("[", r"\["))
