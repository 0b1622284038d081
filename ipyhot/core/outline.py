"""A file as a list of top-level statements, each compiled alone, so that an edit can run some of them. Pure; any thread."""

import __future__

import bisect
import functools
import operator
import re
import types
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from ipyhot.core.codes import CodeKey, absolute, codes_in, inside, own_codes
from ipyhot.core.facts import Facts, facts_of
from ipyhot.core.sources import text_of

__all__ = ["NotSeparable", "Outline", "Statement", "cut", "is_blank", "outline", "prepared", "revised", "rooted"]


class NotSeparable(Exception):  # noqa: N818 - it is no error of the user's: the file is taken whole then
    """A text cannot be cut into statements that compile alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One top-level statement (or several on one line) of one version of a file."""

    text: str
    line: int
    code: types.CodeType | None  # only while it may be run
    roots: tuple[types.CodeType, ...]  # what its functions and classes are made of
    facts: Facts
    is_head: bool  # nothing but comments stands above
    pin: object = None  # keeps the lines of its version readable

    @property
    def lines(self) -> int:
        """How many line breaks its text holds."""
        return self.text.count("\n")

    @property
    def codes(self) -> Iterator[types.CodeType]:
        """Its code objects and those inside them, in the order of the text."""
        for root in self.roots:
            yield root
            yield from codes_in(root)


_LEXEME: Final = re.compile(
    r"#[^\n]*"
    r"|\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"
    r"|\"(?:\\.|[^\\\n\"])*\"|'(?:\\.|[^\\\n'])*'"
    r"|\\\n|[()\[\]{}\n]",
    re.DOTALL,
)
_CONTINUES: Final = re.compile(r"[ \t\f\n#)\]}]|(?:else|elif|except|finally)\b|\Z")


def cut(text: str) -> list[str]:
    """Return the pieces of a text, each of which starts with a top-level statement. Together they are the text.

    A text that does not compile may be cut anywhere.
    """
    pieces, start, depth = [], 0, 0
    is_decorator = text.startswith("@")
    for match in _LEXEME.finditer(text):
        lexeme = match[0]
        if lexeme in "([{":
            depth += 1
        elif lexeme in ")]}":
            depth -= 1
        elif lexeme == "\n" and depth <= 0:
            at = match.end()
            if _CONTINUES.match(text, at):
                continue
            if is_decorator:
                is_decorator = text.startswith("@", at)
                continue
            pieces.append(text[start:at])
            start, is_decorator = at, text.startswith("@", at)
    pieces.append(text[start:])
    return [piece for piece in pieces if piece]


@dataclass(frozen=True, eq=False)
class Outline:
    """One version of a file as its statements.

    ``flags`` are those of its ``from __future__`` imports.
    """

    package: str
    statements: tuple[Statement, ...]
    flags: int

    @cached_property
    def writers(self) -> dict[str, list[int]]:
        """Name → the statements that bind it or change its object in place, in order."""
        found: dict[str, list[int]] = {}
        for index, statement in enumerate(self.statements):
            for name in statement.facts.binds | (statement.facts.mutates & self.names):
                found.setdefault(name, []).append(index)
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that a statement binds."""
        return frozenset(name for statement in self.statements for name in statement.facts.binds)

    @cached_property
    def globals(self) -> frozenset[str]:
        """Every name that only functions bind, by ``global``."""
        return frozenset(n for s in self.statements for n in s.facts.body_binds) - self.names

    @cached_property
    def has_mutators(self) -> bool:
        """True when a function of the file changes an object of it in place, or binds a name of it."""
        return any(statement.facts.body_mutates for statement in self.statements)

    @cached_property
    def read_names(self) -> frozenset[str]:
        """Every name and attribute that the file's code reads."""
        chains = (s.facts.held | s.facts.used | s.facts.body for s in self.statements)
        return frozenset(part for found in chains for chain in found for part in chain)

    @cached_property
    def imported(self) -> dict[str, list[tuple[str, str | None]]]:
        """Name → where its import statements take it from, as module and attribute; without one it is the module."""
        found: dict[str, list[tuple[str, str | None]]] = {}
        for statement in self.statements:
            for name, base, attribute in statement.facts.import_names:
                found.setdefault(name, []).append((self.resolve(base), attribute))
        return found

    @cached_property
    def stars(self) -> tuple[str, ...]:
        """The modules that star imports take from."""
        return tuple(self.resolve(base) for statement in self.statements for base in statement.facts.stars)

    @cached_property
    def star_lines(self) -> tuple[int, ...]:
        """The indices of the statements with a star import."""
        return tuple(index for index, statement in enumerate(self.statements) if statement.facts.stars)

    @cached_property
    def imports(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What import statements that run while the file is loaded ask for: module, and the names taken from it."""
        return tuple((self.resolve(base), names) for s in self.statements for base, names in s.facts.imports)

    @cached_property
    def shown(self) -> frozenset[str]:
        """The modules that these import statements may load."""
        return frozenset(name for statement in self.statements for name in self.loads(statement))

    def loads(self, statement: Statement) -> Iterator[str]:
        """Yield the modules that a statement may load by importing them, packages first."""
        for base, names in statement.facts.imports:
            module = self.resolve(base)
            parts = module.split(".")
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
            yield from (f"{module}.{name}" for name in names)

    def resolve(self, base: str) -> str:
        """Return the absolute name of a module that may start with dots."""
        bare = base.lstrip(".")
        return absolute(self.package, len(base) - len(bare), bare)

    @cached_property
    def codes(self) -> dict[CodeKey, types.CodeType]:
        """Every code object of the file that is not the file's own, by its key."""
        return own_codes(code for statement in self.statements for code in statement.codes)


def outline(data: bytes, filename: str, package: str, *, code: types.CodeType | None = None, pin: object = None) -> Outline:
    """Return a file's outline.

    Args:
        data: its bytes.
        filename: what its code objects are to be called.
        package: the package that its relative imports start from.
        code: the file compiled as a whole, if its functions were made of that.
        pin: kept by each statement.

    Raises:
        NotSeparable: it does not compile, or not in pieces.
    """
    maker = _Maker(filename, pin)
    statements = [maker.make(piece) for piece in cut(decode(data))]
    if code is not None:
        statements = _made_of(statements, code)
    return Outline(package, tuple(statements), maker.flags)


def revised(old: Outline, data: bytes, filename: str, *, pin: object = None) -> Outline:
    """Return the outline of a file's newer bytes; what stands in both is neither cut nor compiled again.

    Raises:
        NotSeparable: they do not compile, or not in pieces.
    """
    text = decode(data)
    before, start = _common_start(old.statements, text)
    after, end = _common_end(old.statements[len(before) :], text, start)
    pieces = cut(text[start:end])
    if pieces and len(before) < len(old.statements) and pieces[0] == old.statements[len(before)].text:
        before.append(old.statements[len(before)])
        del pieces[0]
    maker = _Maker(filename, pin, before, old.flags if any(s.facts.is_future for s in before) else 0)
    made = [maker.make(piece) for piece in pieces]
    if made and after and not made[-1].text.endswith("\n"):
        raise NotSeparable("a statement would run into the next one")
    down = maker.line - after[0].line if after else 0
    moved = [_moved(statement, statement.line + down, filename, pin) for statement in after] if down else after
    statements = (*before, *made, *moved)
    if moved and moved[0].is_head is not maker.is_head:  # a docstring may have become none, or the reverse
        return outline(data, filename, old.package, pin=pin)
    if maker.flags != old.flags or any(s.facts.is_future for s in made):
        return outline(data, filename, old.package, pin=pin)
    return Outline(old.package, statements, maker.flags)


def decode(data: bytes) -> str:
    """Return the text of a file, with line feeds only.

    Raises:
        NotSeparable: its bytes are not in the encoding that it says.
    """
    try:
        return text_of(data)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise NotSeparable(str(error)) from error


def _common_start(statements: Sequence[Statement], text: str) -> tuple[list[Statement], int]:
    """Return the statements that a text starts with, and where they end."""
    found: list[Statement] = []
    at = 0
    for statement in statements:
        if not text.startswith(statement.text, at):
            break
        found.append(statement)
        at += len(statement.text)
    if found and (len(found) < len(statements) or at < len(text)):  # the last one may go on in the new text
        at -= len(found.pop().text)
    return found, at


def _common_end(statements: Sequence[Statement], text: str, start: int) -> tuple[list[Statement], int]:
    """Return the statements that a text ends with, and where they begin."""
    found: list[Statement] = []  # the last one first
    at = len(text)
    for statement in reversed(statements):
        begin = at - len(statement.text)
        if _CONTINUES.match(statement.text):  # a comment: it may belong to the statement above
            break
        if begin < start or not text.startswith(statement.text, begin) or (begin and text[begin - 1] != "\n"):
            break
        found.append(statement)
        at = begin
    return found[::-1], at


class _Maker:
    """Compiles the pieces of one text, one after the other."""

    def __init__(self, filename: str, pin: object, before: Sequence[Statement] = (), flags: int = 0) -> None:
        self.flags = flags
        self._filename = filename
        self._pin = pin
        self.line = before[-1].line + before[-1].lines if before else 1
        self.is_head = not before or (before[-1].is_head and is_blank(before[-1].text))
        self._may_be_future = all(map(_may_precede_future, before))

    def make(self, piece: str) -> Statement:
        """Return the statement of the next piece."""
        if piece.startswith("from __future__") and not self._may_be_future:
            raise NotSeparable("a __future__ import does not stand at the beginning")
        try:
            code = self._compile(piece)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise NotSeparable(str(error)) from error
        roots = tuple(inside(code))
        statement = Statement(
            piece, self.line, code, roots, facts_of(piece, code), self.is_head, self._pin if roots else None
        )
        self.flags |= code.co_flags & _FUTURE
        self.line += statement.lines
        self.is_head = self.is_head and is_blank(piece)
        self._may_be_future = self._may_be_future and _may_precede_future(statement)
        return statement

    def _compile(self, piece: str) -> types.CodeType:
        return compile_piece(piece, self.line, self._filename, self.flags, is_head=self.is_head)


def _may_precede_future(statement: Statement) -> bool:
    """Tell whether ``from __future__`` imports may stand below a statement."""
    is_doc = statement.is_head and statement.facts.binds == {"__doc__"}
    return is_doc or statement.facts.is_future or is_blank(statement.text)


def compile_piece(piece: str, line: int, filename: str, flags: int, *, is_head: bool) -> types.CodeType:
    """Return the code of a piece of a file that begins in a line."""
    above = "\n" * (line - 1)
    code: types.CodeType = compile(above + piece, filename, "exec", flags, dont_inherit=True)
    if is_head or code.co_names[:1] != ("__doc__",):
        return code
    # A string is a docstring only where a file begins; behind a number it is none.
    made: types.CodeType = compile(f"0{above}{piece}", filename, "exec", flags, dont_inherit=True)
    return made


def prepared(old: Outline, indexes: Iterable[int], filename: str, pin: object) -> Outline:
    """Return an outline in which some statements are compiled, ready to be run; the same one if they are already."""
    missing = [index for index in indexes if old.statements[index].code is None]
    if not missing:
        return old
    statements = list(old.statements)
    for index in missing:
        was = statements[index]
        code = compile_piece(was.text, was.line, filename, old.flags, is_head=was.is_head)
        statements[index] = replace(was, code=code, roots=tuple(inside(code)), pin=pin)
    return Outline(old.package, tuple(statements), old.flags)


def rooted(old: Outline, code: types.CodeType, pin: object) -> Outline:
    """Return an outline whose functions are made of a file compiled as a whole; ``pin`` keeps that file's lines."""
    statements = tuple(replace(statement, pin=pin) for statement in _made_of(old.statements, code))
    return Outline(old.package, statements, old.flags)


def is_blank(text: str) -> bool:
    """Tell whether a piece of a text holds nothing but comments."""
    return all(line.lstrip()[:1] in {"", "#"} for line in text.split("\n"))


def _moved(statement: Statement, line: int, filename: str, pin: object) -> Statement:
    roots = tuple(_shifted(root, line - statement.line, filename) for root in statement.roots)
    return replace(statement, line=line, code=None, roots=roots, pin=pin)


def _shifted(code: types.CodeType, lines: int, filename: str) -> types.CodeType:
    consts = tuple(_shifted(c, lines, filename) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    if "__firstlineno__" in code.co_names:  # a class says where it stands, from Python 3.13 on
        at = code.co_consts.index(code.co_firstlineno)
        consts = (*consts[:at], code.co_firstlineno + lines, *consts[at + 1 :])
    return code.replace(co_firstlineno=code.co_firstlineno + lines, co_filename=filename, co_consts=consts)


def _made_of(statements: Sequence[Statement], code: types.CodeType) -> list[Statement]:
    """Return the statements with the code objects that the file as a whole was compiled to."""
    roots: list[list[types.CodeType]] = [[] for _ in statements]
    starts = [statement.line for statement in statements]
    for inner in inside(code):
        roots[max(bisect.bisect_right(starts, inner.co_firstlineno) - 1, 0)].append(inner)
    return [replace(s, code=None, roots=tuple(found)) for s, found in zip(statements, roots, strict=True)]


_FUTURE: Final = functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
