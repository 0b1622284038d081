"""A file as a list of top-level statements: what each one binds, reads, calls and changes while it runs.

All of it is read from compiled code. Trees of the ``ast`` module are not made here: CPython 3.11 keeps one counter for all
threads that make some, so doing it beside the main thread, where IPython does the same with each cell, ends in a
SystemError for one of the two. Pure; any thread.
"""

import __future__

import bisect
import dis
import functools
import importlib.util
import operator
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import cached_property
from typing import Final

__all__ = ["Chain", "CodeKey", "Facts", "Kind", "Member", "NotSeparable", "Outline", "Statement", "outline", "revised", "signature"]

Chain = tuple[str, ...]
CodeKey = tuple[str, int]


class NotSeparable(Exception):  # noqa: N818 - it is no error of the user's: the file is taken whole then
    """A text cannot be cut into statements that compile alone."""


class Kind(Enum):
    """What a statement is."""

    FUNCTION = auto()
    CLASS = auto()
    IMPORT = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Member:
    """What makes an attribute of a class: its code, the names that reads, whether that defines a function."""

    made: object
    reads: frozenset[str]
    is_function: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What a statement's code says; it does not depend on the line it stands in.

    A chain is a name and the attributes read from it at once: ``a.b.c`` is ``("a", "b", "c")``.
    """

    kind: Kind
    name: str  # what a def or class binds
    binds: frozenset[str]
    held: frozenset[Chain]  # read by code that only stores what it reads
    used: frozenset[Chain]  # read by code that computes
    metaclass: frozenset[Chain]
    body: frozenset[Chain]  # read by the functions in it, when they are called
    mutates: frozenset[str]  # changed in place by the statement itself
    body_mutates: frozenset[str]  # changed in place, or bound, by the functions in it
    imports: tuple[tuple[str, tuple[str, ...]], ...]
    import_names: tuple[tuple[str, str, str | None], ...]  # name bound, module, attribute
    body_imports: tuple[tuple[str, tuple[str, ...]], ...]
    stars: tuple[str, ...]
    sets: frozenset[Chain]  # attributes of names that it sets or deletes
    doubt: str  # why its effects cannot be told, or the empty string
    reads_anything: bool
    body_reads_anything: bool  # the functions in it do
    is_alias: bool  # one name more for what another one stands for, and nothing else
    members: Mapping[str, Member]  # of a class, by attribute
    head: object  # of a class: all but its body
    asks: frozenset[str]  # every name and attribute that its code, or that of functions in it, ever asks for
    is_decorated: bool
    is_future: bool
    is_inert: bool
    signature: object

    @property
    def reads(self) -> frozenset[Chain]:
        """All chains that are read while it runs."""
        return self.held | self.used


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


# -- cutting

_LEXEME: Final = re.compile(
    r"#[^\n]*"
    r"|\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"
    r"|\"(?:\\.|[^\\\n\"])*\"|'(?:\\.|[^\\\n'])*'"
    r"|\\\n|[()\[\]{}\n]",
    re.DOTALL,
)
_CONTINUES: Final = re.compile(r"[ \t\f\n#)\]}]|(?:else|elif|except|finally)\b|\Z")
_DEFINITION: Final = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)


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


# -- reading code

_SILENT: Final = frozenset({"CACHE", "EXTENDED_ARG", "KW_NAMES", "NOP", "NOT_TAKEN", "PRECALL", "PUSH_NULL", "RESUME"})
_LOADS: Final = frozenset({"LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_GLOBALS", "LOAD_GLOBAL", "LOAD_NAME"})
_ATTRIBUTES: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_ASKS: Final = _LOADS | _ATTRIBUTES | {"IMPORT_FROM", "LOAD_SUPER_ATTR"}
_CALLS: Final = frozenset({"CALL", "CALL_FUNCTION_EX", "CALL_KW"})
_STORES: Final = frozenset({"STORE_GLOBAL", "STORE_NAME"})
_DELETES: Final = frozenset({"DELETE_GLOBAL", "DELETE_NAME"})
_INERT: Final = (
    _SILENT
    | _LOADS
    | _STORES
    | _DELETES
    | {
        "BUILD_CONST_KEY_MAP",
        "BUILD_LIST",
        "BUILD_MAP",
        "BUILD_TUPLE",
        "COPY",
        "IMPORT_FROM",
        "IMPORT_NAME",
        "IMPORT_STAR",
        "LOAD_ATTR",  # but for objects that are neither module nor class: see Effects
        "LOAD_CLOSURE",
        "LOAD_CONST",
        "LOAD_FAST",
        "LOAD_LOCALS",
        "LOAD_METHOD",
        "LOAD_SMALL_INT",
        "MAKE_CELL",
        "MAKE_FUNCTION",
        "POP_TOP",
        "RETURN_CONST",
        "RETURN_VALUE",
        "SETUP_ANNOTATIONS",
        "SET_FUNCTION_ATTRIBUTE",
        "STORE_DEREF",
        "STORE_FAST",
        "SWAP",
    }
)
_MUTATORS: Final = frozenset(
    "add append appendleft clear discard extend extendleft insert pop popitem popleft remove reverse rotate setdefault sort "
    "subtract update difference_update intersection_update symmetric_difference_update __setitem__ __delitem__".split()
)
_ANYTHING: Final = frozenset({"__import__", "eval", "exec", "globals", "locals", "vars"})
_ANY_MODULE: Final = frozenset({("sys", "modules"), ("importlib", "import_module"), ("importlib", "reload")})
_COMPREHENSIONS: Final = frozenset({"<dictcomp>", "<genexpr>", "<listcomp>", "<setcomp>"})
_OPTIMIZED: Final = 0x1


@dataclass(slots=True)
class _Scan:
    """What one code object does, without those inside it."""

    chains: set[Chain] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    mutates: set[str] = field(default_factory=set)
    sets: set[Chain] = field(default_factory=set)
    asks: set[str] = field(default_factory=set)
    calls: int = 0
    computes: bool = False
    effects: int = 0  # calls whose result is thrown away
    anything: str = ""


class _Reader:
    """Walks the instructions of one code object and notes which names meet which operations."""

    def __init__(self, code: types.CodeType) -> None:
        self.scan = _Scan()
        self._chain: list[str] = []
        self._operands: list[Chain] = []  # simple operands that were pushed last, chains of names; () is another one
        self._is_called = False
        instructions = [(i.opname, i.argval) for i in dis.get_instructions(code) if i.opname not in _SILENT]
        is_class_body = not code.co_flags & _OPTIMIZED and code.co_name != "<module>"
        self._local = _bound_in(instructions) if is_class_body else frozenset()
        for name, value in instructions:
            self._read(name, value)
        self._finish()

    def _read(self, name: str, value: object) -> None:
        if name in _ASKS:
            self.scan.asks.add(str(value))
        if name in _ATTRIBUTES and self._chain:
            self._chain.append(str(value))
            return
        self._finish()
        scan = self.scan
        scan.computes |= name not in _INERT
        if name in _LOADS and str(value) not in self._local:
            self._chain = [str(value)]
            return
        if name.startswith("LOAD_") and name not in _ATTRIBUTES:
            self._operands.append(("'",) if isinstance(value, str) and name == "LOAD_CONST" else ())
            return
        if name == "STORE_SUBSCR" and self._operands[-2:] == [("__annotations__",), ("'",)]:
            scan.computes = scan.computes and scan.calls > 0
        elif name in {"STORE_SUBSCR", "DELETE_SUBSCR"}:
            self._mutate(-2)
        elif name in {"STORE_ATTR", "DELETE_ATTR"}:
            self._mutate(-1)
            if self._operands and self._operands[-1] and self._operands[-1] != ("'",):
                scan.sets.add((*self._operands[-1], str(value)))
        elif name in _STORES | _DELETES:
            scan.binds.add(str(value))
        elif name == "POP_TOP" and self._is_called:
            scan.effects += 1
        self._is_called = name in _CALLS
        scan.calls += self._is_called
        self._operands.clear()

    def _mutate(self, position: int) -> None:
        """Note that the operand at a position is changed in place; if it is not a simple one, any name may be."""
        found = self._operands[position] if len(self._operands) >= -position else None
        names = {chain[0] for chain in self.scan.chains} if found is None else {found[0]} if found else set()
        self.scan.mutates |= names - {"'"}

    def _finish(self) -> None:
        if not self._chain:
            return
        chain = tuple(self._chain)
        self._chain = []
        self._operands.append(chain)
        if chain == ("__annotations__",):
            return
        self.scan.chains.add(chain)
        if len(chain) > 1 and chain[-1] in _MUTATORS:
            self.scan.mutates.add(chain[0])
        if chain[0] in _ANYTHING or chain[:2] in _ANY_MODULE:
            self.scan.anything = ".".join(chain[:2]) if chain[:2] in _ANY_MODULE else f"{chain[0]}()"


def _bound_in(instructions: Iterable[tuple[str, object]]) -> frozenset[str]:
    """Return the names that a class body binds for itself."""
    return frozenset({"__name__", *(str(value) for name, value in instructions if name in {"STORE_NAME", "DELETE_NAME"})})


def _runs_at_once(code: types.CodeType) -> bool:
    """Tell whether a code object inside another one runs along with it: a class body, a comprehension."""
    return not code.co_flags & _OPTIMIZED or code.co_name in _COMPREHENSIONS or code.co_name.startswith("<generic")


def _inside(code: types.CodeType) -> Iterator[types.CodeType]:
    return (const for const in code.co_consts if isinstance(const, types.CodeType))


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield every code object inside another one, outer ones first, in the order of the text."""
    for inner in _inside(code):
        yield inner
        yield from codes_in(inner)


def own_codes(codes: Iterable[types.CodeType]) -> dict[CodeKey, types.CodeType]:
    """Return code objects by qualified name, with a number for those that share one."""
    found: dict[CodeKey, types.CodeType] = {}
    seen: dict[str, int] = {}
    for code in codes:
        number = seen[code.co_qualname] = seen.get(code.co_qualname, -1) + 1
        found[code.co_qualname, number] = code
    return found


def signature(code: types.CodeType, *, is_body: bool = False) -> object:
    """Return what tells two code objects apart, lines and the bodies of functions inside left out.

    Args:
        code: a code object.
        is_body: compare the functions inside as well.
    """
    consts = tuple(_constant(const, is_body=is_body) for const in code.co_consts)
    named = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return code.co_code, consts, named, counts, getattr(code, "co_exceptiontable", b"")


def _constant(const: object, *, is_body: bool) -> object:
    if not isinstance(const, types.CodeType):
        return type(const).__name__, repr(const)
    if is_body or _runs_at_once(const):
        return signature(const, is_body=is_body)
    return const.co_qualname


def _facts(text: str, code: types.CodeType) -> Facts:
    top = _Reader(code).scan
    held: set[Chain] = set()
    used: set[Chain] = set()
    is_known = _is_known_effect(top, text)
    body: set[Chain] = set()
    mutates, body_mutates = set(top.mutates), set[str]()
    binds, sets, asks = set(top.binds), set(top.sets), set(top.asks)
    anything, body_anything = top.anything, False
    is_effect = top.effects > 0 and not is_known
    match = _DEFINITION.search(text) if text.startswith(("def", "async", "class", "@")) else None
    kind = Kind.OTHER if match is None else Kind.CLASS if match[0].startswith("class") else Kind.FUNCTION
    is_decorated = match is not None and text.startswith("@")
    is_plain_class = kind is Kind.CLASS and top.calls == 1 and not is_decorated
    (used if top.computes and not is_plain_class else held).update(top.chains)
    if is_known and top.calls == 1:  # what a container is given, it only holds
        held.update(chain for chain in used if chain[-1] not in _MUTATORS)
        used -= held
    for inner, is_run in _parts(code):
        scan = _Reader(inner).scan
        asks |= scan.asks
        if is_run:
            (used if scan.computes else held).update(scan.chains)
            mutates |= scan.mutates
            sets |= scan.sets
            anything = anything or scan.anything
            is_effect |= scan.effects > 0
            body_mutates |= scan.binds if inner.co_flags & _OPTIMIZED else set()
        else:
            body |= scan.chains
            body_mutates |= scan.mutates | scan.binds
            body_anything |= bool(scan.anything)
    found = tuple(imports(code, "", is_deep=False)) if "import" in text else ()
    everywhere = tuple(imports(code, "")) if "import" in text else ()
    stars = tuple(base for base, names in found if "*" in names)
    if kind is Kind.OTHER and found and not top.computes:
        kind = Kind.IMPORT
    mutates |= _decorated_by(text) if is_decorated else set()
    if ("next",) in used:
        mutates |= {chain[0] for chain in used if len(chain) == 1}
    return Facts(
        kind=kind,
        name=match[1] if match is not None else "",
        binds=frozenset(binds),
        held=frozenset(held),
        used=frozenset(used),
        metaclass=_metaclass(text) if kind is Kind.CLASS else frozenset(),
        body=frozenset(body),
        mutates=frozenset(mutates - _builtin_names),
        body_mutates=frozenset(body_mutates - _builtin_names),
        imports=found,
        import_names=tuple(_import_names(code)) if found else (),
        body_imports=tuple(one for one in everywhere if one not in found),
        stars=stars,
        sets=frozenset(sets),
        doubt=_doubt(anything, is_effect=is_effect),
        reads_anything=bool(anything),
        body_reads_anything=body_anything,
        is_alias=_is_alias(code),
        members=_members(code) if kind is Kind.CLASS else {},
        head=_head(code) if kind is Kind.CLASS else None,
        asks=frozenset(asks),
        is_decorated=is_decorated,
        is_inert=is_inert(code),
        is_future=any(base == "__future__" for base, _ in found),
        signature=signature(code),
    )


def _members(code: types.CodeType) -> dict[str, Member]:
    """Return what makes each attribute of a class, as long as the class body just runs down."""
    body = next((inner for inner in _inside(code) if not inner.co_flags & _OPTIMIZED), None)
    found: dict[str, Member] = {}
    made: list[object] = []
    reads: set[str] = set()
    is_function = False
    for instruction in dis.get_instructions(body) if body is not None else ():
        name, value = instruction.opname, instruction.argval
        if "JUMP" in name or name.startswith(("FOR_", "SETUP_FINALLY", "SETUP_WITH")):
            return {}
        if name == "STORE_NAME":
            found[str(value)] = Member(tuple(made), frozenset(reads), is_function)
            made, reads, is_function = [], set(), False
        elif isinstance(value, types.CodeType):
            is_function |= not _runs_at_once(value)
            made.append(signature(value, is_body=True))
        elif name not in _SILENT:
            made.append((name, type(value).__name__, repr(value)))
            reads |= {str(value)} if name in _LOADS else set()
    return found


def _head(code: types.CodeType) -> object:
    """Return what a class statement does but for the body of the class."""
    consts = tuple(
        (type(const).__name__, const.co_qualname if isinstance(const, types.CodeType) else repr(const))
        for const in code.co_consts
    )
    return code.co_code, consts, code.co_names


_builtin_names: Final = frozenset({"next", "super"})


def _parts(code: types.CodeType, *, is_run: bool = True) -> Iterator[tuple[types.CodeType, bool]]:
    """Yield the code objects inside another one, each with whether it runs while the file is loaded."""
    for inner in _inside(code):
        runs = is_run and _runs_at_once(inner)
        yield inner, runs
        yield from _parts(inner, is_run=runs)


def _doubt(anything: str, *, is_effect: bool) -> str:
    if anything:
        return f"{anything} may read or write anything"
    return "its effects are unknown" if is_effect else ""


def _is_alias(code: types.CodeType) -> bool:
    names = [i.opname for i in dis.get_instructions(code) if i.opname not in _SILENT]
    return names[:2] == ["LOAD_NAME", "STORE_NAME"] and set(names[2:]) <= {"LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


def _is_known_effect(scan: _Scan, text: str) -> bool:
    """Tell whether an expression statement changes a container in a way that is known, and does no more."""
    match = _MUTATION.match(text)
    return match is not None and match[1] in _MUTATORS and scan.effects == 1


_MUTATION: Final = re.compile(r"\w+(?:\.\w+)*\.(\w+)\(")
_DECORATOR: Final = re.compile(r"^@[ \t]*(\w+)[ \t]*\.", re.MULTILINE)
_METACLASS: Final = re.compile(r"\bmetaclass[ \t]*=[ \t]*([\w.]+)")


def _decorated_by(text: str) -> set[str]:
    """Return the objects whose methods decorate a definition: ``@app.route("/")`` leaves something in ``app``."""
    return set(_DECORATOR.findall(text))


def _metaclass(text: str) -> frozenset[Chain]:
    found = _METACLASS.search(text)
    return frozenset([tuple(found[1].split("."))]) if found else frozenset()


def imports(code: types.CodeType, package: str, *, is_deep: bool = True) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each import statement of a code object: the module, and the names taken from it.

    Args:
        code: a compiled file.
        package: the package that relative imports start from; if it is empty, their dots are kept.
        is_deep: look into functions as well, not only at what runs while the file is loaded.
    """
    stack = [code]
    while stack:
        current = stack.pop()
        stack += [inner for inner in _inside(current) if is_deep or _runs_at_once(inner)]
        constants: list[object] = [None, None]
        for instruction in dis.get_instructions(current):
            if instruction.opname == "IMPORT_NAME":
                level, names = constants[-2:]
                base = absolute(package, level if isinstance(level, int) else 0, str(instruction.argval))
                yield base, tuple(map(str, names)) if isinstance(names, tuple) else ()
            elif instruction.opname.startswith("LOAD_"):
                constants.append(instruction.argval)


def absolute(package: str, level: int, module: str) -> str:
    """Return the absolute name of what an import statement asks for; without a package its dots are kept."""
    if not level:
        return module
    if not package:
        return "." * level + module
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - (level - 1)], *([module] if module else [])])


def _import_names(code: types.CodeType) -> Iterator[tuple[str, str, str | None]]:
    """Yield what import statements bind at the top level: name, module (with its dots), attribute."""
    constants: list[object] = [None, None]
    base, attribute, is_from, is_open = "", None, False, False
    for instruction in dis.get_instructions(code):
        name, value = instruction.opname, instruction.argval
        if name == "IMPORT_NAME":
            level, names = constants[-2:]
            is_from = isinstance(names, tuple)
            base = absolute("", level if isinstance(level, int) else 0, str(value))
            attribute, is_open = None, True
        elif name == "IMPORT_FROM":
            attribute = str(value)
        elif name in _STORES and is_open:
            if is_from:
                yield str(value), base, attribute
            elif attribute is not None:  # import a.b as x: CPython fetches the parts one by one
                yield str(value), base, None
            else:
                yield str(value), base if str(value) != base.partition(".")[0] else str(value), None
            is_open = is_from
        elif name == "POP_TOP":
            is_open = False
        elif name.startswith("LOAD_"):
            constants.append(value)


# -- outlines


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
    def imports(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What import statements that run while the file is loaded ask for: module, and the names taken from it."""
        return tuple((self.resolve(base), names) for s in self.statements for base, names in s.facts.imports)

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
    maker = _Maker(filename, pin, before)
    made = [maker.make(piece) for piece in cut(text[start:end])]
    if made and after and not made[-1].text.endswith("\n"):
        raise NotSeparable("a statement would run into the next one")
    line = 1 + sum(statement.lines for statement in (*before, *made))
    moved = []
    for statement in after:
        moved.append(statement if statement.line == line else _moved(statement, line, filename, pin))
        line += statement.lines
    statements = (*before, *made, *moved)
    if moved and (moved[0].is_head or maker.is_head):
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
        return importlib.util.decode_source(data)
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
    if found and len(found) < len(statements):  # the last one may go on in the new text
        at -= len(found.pop().text)
    elif found and at < len(text):
        at -= len(found.pop().text)
    return found, at


def _common_end(statements: Sequence[Statement], text: str, start: int) -> tuple[list[Statement], int]:
    """Return the statements that a text ends with, and where they begin."""
    found: list[Statement] = []
    at = len(text)
    for statement in reversed(statements):
        begin = at - len(statement.text)
        if begin < start or not text.startswith(statement.text, begin) or (begin and text[begin - 1] != "\n"):
            break
        found.insert(0, statement)
        at = begin
    return found, at


class _Maker:
    """Compiles the pieces of one text, one after the other."""

    def __init__(self, filename: str, pin: object, before: Sequence[Statement] = ()) -> None:
        self.flags = 0
        self._filename = filename
        self._pin = pin
        self._line = 1
        self.is_head = True
        for statement in before:
            self._took(statement)

    def make(self, piece: str) -> Statement:
        """Return the statement of the next piece."""
        try:
            code = self._compile(piece)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise NotSeparable(str(error)) from error
        roots = tuple(_inside(code))
        statement = Statement(piece, self._line, code, roots, _facts(piece, code), self.is_head, self._pin)
        self.flags |= code.co_flags & _FUTURE
        self._took(statement)
        return statement

    def _took(self, statement: Statement) -> None:
        self._line += statement.lines
        self.is_head = self.is_head and _is_blank(statement.text)

    def _compile(self, piece: str) -> types.CodeType:
        return compile_piece(piece, self._line, self._filename, self.flags, is_head=self.is_head)


def compile_piece(piece: str, line: int, filename: str, flags: int, *, is_head: bool) -> types.CodeType:
    """Return the code of a piece of a file that begins in a line."""
    # A string is a docstring only where a file begins; behind a number it is none.
    is_plain = is_head or piece.startswith("from __future__")
    above = ("" if is_plain else "0") + "\n" * (line - 1)
    return compile(above + piece, filename, "exec", flags, dont_inherit=True)


def prepared(old: Outline, indexes: Iterable[int], filename: str, pin: object) -> Outline:
    """Return an outline in which some statements are compiled, ready to be run."""
    statements = list(old.statements)
    for index in indexes:
        was = statements[index]
        if was.code is None:
            code = compile_piece(was.text, was.line, filename, old.flags, is_head=was.is_head)
            statements[index] = replace(was, code=code, roots=tuple(_inside(code)), pin=pin)
    return Outline(old.package, tuple(statements), old.flags)


def rooted(old: Outline, code: types.CodeType) -> Outline:
    """Return an outline whose functions are made of a file compiled as a whole."""
    return Outline(old.package, tuple(_made_of(old.statements, code)), old.flags)


def is_inert(code: types.CodeType) -> bool:
    """Tell whether a file does nothing while it is loaded but define, import and store."""
    return not code.co_code[::2].translate(None, _INERT_CODES)


def _is_blank(text: str) -> bool:
    return all(line.lstrip()[:1] in {"", "#"} for line in text.splitlines())


def _moved(statement: Statement, line: int, filename: str, pin: object) -> Statement:
    roots = tuple(_shifted(root, line - statement.line, filename) for root in statement.roots)
    return replace(statement, line=line, code=None, roots=roots, pin=pin)


def _shifted(code: types.CodeType, lines: int, filename: str) -> types.CodeType:
    consts = tuple(_shifted(c, lines, filename) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return code.replace(co_firstlineno=code.co_firstlineno + lines, co_filename=filename, co_consts=consts)


def _made_of(statements: Sequence[Statement], code: types.CodeType) -> list[Statement]:
    """Return the statements with the code objects that the file as a whole was compiled to."""
    roots: list[list[types.CodeType]] = [[] for _ in statements]
    starts = [statement.line for statement in statements]
    for inner in _inside(code):
        roots[max(bisect.bisect_right(starts, inner.co_firstlineno) - 1, 0)].append(inner)
    return [replace(s, code=None, roots=tuple(found)) for s, found in zip(statements, roots, strict=True)]


_INERT_CODES: Final = bytes(
    number for name, number in dis.opmap.items() if name in _INERT - _ATTRIBUTES - {"IMPORT_STAR"} and number < 256  # noqa: PLR2004
)
_FUTURE: Final = functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
