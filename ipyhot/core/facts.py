"""What a top-level statement binds, reads, calls and changes while it runs, as its compiled code says.

Trees of the ``ast`` module are not made here: CPython 3.11 keeps one counter for all threads that make some, so doing it
beside the main thread, where IPython does the same with each cell, ends in a SystemError for one of the two. Pure; any
thread.
"""

import dis
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum, auto
from typing import Any, Final, TypeVar

from ipyhot.core.codes import (
    OPTIMIZED,
    absolute,
    calls_unnamed,
    codes_in,
    imports,
    inside,
    instructions,
    runs_at_once,
    signature,
)
from ipyhot.core.scan import LOADS, MUTATORS, SILENT, STORES, Chain, Scan, is_inert, scanned

__all__ = ["DEFINITION", "Facts", "Kind", "Member", "facts_of"]

_T = TypeVar("_T")
DEFINITION: Final = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)


class Kind(Enum):
    """What a statement is."""

    FUNCTION = auto()
    CLASS = auto()
    IMPORT = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Member:
    """What makes an attribute of a class: its code, the names that reads, whether that defines a function or is abstract."""

    made: object
    reads: frozenset[str]
    is_function: bool
    is_abstract: bool = False
    body: frozenset[Chain] = frozenset()  # of a function: what it reads when it is called
    asks: frozenset[str] = frozenset()  # every name and attribute that it ever asks for


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
    body_binds: frozenset[str]  # bound by the functions in it
    imports: tuple[tuple[str, tuple[str, ...]], ...]
    import_names: tuple[tuple[str, str, str | None], ...]  # name bound, module, attribute
    body_imports: tuple[tuple[str, tuple[str, ...]], ...]
    stars: tuple[str, ...]
    annotates: frozenset[str]  # names of the module that it annotates
    deletes: frozenset[str]
    sets: frozenset[Chain]  # attributes of names that it sets or deletes
    doubt: str  # why its effects cannot be told, or the empty string
    reads_anything: bool
    body_reads_anything: bool  # the functions in it do
    is_alias: bool  # one name more for what another one stands for, and nothing else
    members: Mapping[str, Member]  # of a class, by attribute
    head: object  # of a class: all but its body
    bases: frozenset[Chain]  # of a class: what its statement reads beside the body
    asks: frozenset[str]  # every name and attribute that its code, or that of functions in it, ever asks for
    body_beside: frozenset[Chain]  # of a class: what functions in it read that are no members
    asks_beside: frozenset[str]  # of a class: what is asked for by all but its members
    calls_unnamed: bool  # its code, or that of functions in it, calls what no name stands for: ``TABLE[key]()``
    is_decorated: bool
    is_future: bool
    is_inert: bool
    is_independent: bool  # it reads no name and imports nothing while it runs
    signature: object

    def __post_init__(self) -> None:
        """Share one empty set: Python makes each anew, ten for a statement, and the collector visits all of them."""
        for name in _SETS:
            if not getattr(self, name):
                object.__setattr__(self, name, _NOTHING)

    @property
    def reads(self) -> frozenset[Chain]:
        """All chains that are read while it runs."""
        return self.held | self.used


_NOTHING: Final = frozenset[Any]()
_SETS: Final = tuple(field.name for field in fields(Facts) if str(field.type).startswith("frozenset"))


def facts_of(text: str, code: types.CodeType) -> Facts:
    """Return what the code of a statement says; its text tells decorators and metaclasses from the rest."""
    top = scanned(code)
    parts = [(inner, is_run, scanned(inner)) for inner, is_run in _parts(code)]
    along = [scan for _, is_run, scan in parts if is_run]
    bodies = [scan for _, is_run, scan in parts if not is_run]
    found = tuple(imports(code, "", is_deep=False)) if "import" in text else ()
    everywhere = tuple(imports(code, "")) if "import" in text else ()
    kind = _kind(text, code, is_import=bool(found) and not top.computes)
    beside = {id(inner): (is_run, scan) for inner, is_run, scan in parts}
    members = _members(code, beside) if kind is Kind.CLASS else {}
    is_definition = kind in {Kind.FUNCTION, Kind.CLASS}
    is_decorated = is_definition and text.startswith("@")
    is_known = _is_known_effect(top, text)
    held, used = _chains_read(top, along, is_known=is_known, is_plain_class=kind is Kind.CLASS and not is_decorated)
    anything = next((scan.anything for scan in (top, *along) if scan.anything), "")
    mutates = _union(scan.mutates for scan in (top, *along)) | (_decorated_by(text) if is_decorated else set())
    if ("next",) in used:
        mutates |= {chain[0] for chain in used if len(chain) == 1}
    body_binds = _union(scan.binds for scan in bodies)
    return Facts(
        kind=kind,
        name=next(iter(top.binds), "") if is_definition else "",
        # a walrus in a comprehension binds as well
        binds=frozenset(top.binds).union(*(s.binds for inner, is_run, s in parts if is_run and inner.co_flags & OPTIMIZED)),
        held=frozenset(held),
        used=frozenset(used),
        metaclass=_metaclass(text) if kind is Kind.CLASS else frozenset(),
        body=frozenset(_union(scan.chains for scan in bodies)),
        mutates=frozenset(mutates - _builtin_names),
        body_binds=frozenset(body_binds),
        body_mutates=frozenset(_union(scan.mutates for scan in bodies) | body_binds) - _builtin_names,
        imports=found,
        import_names=tuple(_import_names(code)) if found else (),
        body_imports=tuple(one for one in everywhere if one not in found),
        stars=tuple(base for base, names in found if "*" in names),
        annotates=frozenset(top.annotates),
        deletes=frozenset(top.deletes),
        sets=frozenset(_union(scan.sets for scan in (top, *along))),
        doubt=_doubt(anything, is_effect=(top.effects > 0 and not is_known) or any(scan.effects > 0 for scan in along)),
        reads_anything=bool(anything),
        body_reads_anything=any(scan.anything for scan in bodies),
        is_alias=kind is Kind.OTHER and _is_alias(code),
        members=members,
        head=_head(code) if kind is Kind.CLASS else None,
        bases=frozenset(top.chains) if kind is Kind.CLASS else frozenset(),
        asks=frozenset(_union(scan.asks for scan in (top, *along, *bodies))),
        body_beside=frozenset(_union(scan.chains for is_run, scan in beside.values() if not is_run)),
        asks_beside=frozenset(top.asks | _union(scan.asks for _, scan in beside.values())),
        calls_unnamed=_calls_unnamed(code) or any(len(chain) == 1 and chain[0] in top.binds for chain in used),
        is_decorated=is_decorated,
        is_inert=is_inert(code),
        is_independent=not (held or used or found or anything or kind is Kind.CLASS),
        is_future=any(base == "__future__" for base, _ in found),
        signature=signature(code),
    )


def _union(sets: Iterable[set[_T]]) -> set[_T]:
    return set[_T]().union(*sets)


def _chains_read(top: Scan, along: Iterable[Scan], *, is_known: bool, is_plain_class: bool) -> tuple[set[Chain], set[Chain]]:
    """Return what a statement only holds, and what it computes with.

    Args:
        top: what the statement itself does.
        along: what code does that runs along with it.
        is_known: it adds to a container, in a way that is known.
        is_plain_class: it is a class without decorators, whose making is no more than one call.
    """
    held: set[Chain] = set()
    used: set[Chain] = set()
    (used if top.computes and not (is_plain_class and top.calls == 1) else held).update(top.chains)
    if is_known and top.calls == 1:  # what a container is given, it only holds
        held.update(chain for chain in used if chain[-1] not in MUTATORS)
        used -= held
    for scan in along:
        (used if scan.computes else held).update(scan.chains)
    return held, used


def _kind(text: str, code: types.CodeType, *, is_import: bool) -> Kind:
    if not (text.startswith("@") or DEFINITION.match(text)):
        return Kind.IMPORT if is_import else Kind.OTHER
    return Kind.CLASS if _BUILD_CLASS in code.co_code[::2] else Kind.FUNCTION


_BUILD_CLASS: Final = dis.opmap["LOAD_BUILD_CLASS"]


def _members(code: types.CodeType, parts: dict[int, tuple[bool, Scan]]) -> dict[str, Member]:
    """Return what makes each attribute of a class, as long as the class body just runs down.

    Takes from the parts of the class, by the identity of their code, those that are of its functions.
    """
    body = next((inner for inner in inside(code) if not inner.co_flags & OPTIMIZED), None)
    steps = instructions(body) if body is not None else []
    if any("JUMP" in name or name.startswith(("FOR_", "SETUP_FINALLY", "SETUP_WITH")) for name, _ in steps):
        return {}
    found: dict[str, Member] = {}
    made: list[object] = []
    reads: set[str] = set()
    functions: list[types.CodeType] = []
    for name, value in steps:
        if name == "STORE_NAME" and value == "__firstlineno__":
            made = []
        elif name == "STORE_NAME":
            scans = [parts.pop(id(inner))[1] for function in functions for inner in (function, *codes_in(function))]
            before = [found[value]] if value in found else []  # of a property that gets a setter
            found[value] = Member(
                tuple(made),
                frozenset(reads),
                bool(functions),
                any((load, "str", "'abstractmethod'") in made for load in ("LOAD_ATTR", "LOAD_NAME")),
                frozenset().union(*(scan.chains for scan in scans), *(member.body for member in before)),
                frozenset().union(*(scan.asks for scan in scans), *(member.asks for member in before)),
            )
            made, reads, functions = [], set(), []
        elif name == "STORE_SUBSCR" and made[-2:-1] == [("LOAD_NAME", "str", "'__annotations__'")]:
            found[f"{made[-1]}:"] = Member(tuple(made), frozenset(reads), bool(functions))  # no name is like an annotation's
            made, reads, functions = [], set(), []
        elif isinstance(value, types.CodeType):
            if runs_at_once(value):
                reads |= {
                    chain[0]
                    for inner, is_run in [(value, True), *_parts(value)]
                    if is_run
                    for chain in scanned(inner).chains
                }
            else:
                functions.append(value)
            made.append(signature(value, is_body=True))
        elif name not in SILENT:
            made.append((name, type(value).__name__, repr(value)))
            reads |= {str(value)} if name in LOADS else set()
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
    for inner in inside(code):
        runs = is_run and runs_at_once(inner)
        yield inner, runs
        yield from _parts(inner, is_run=runs)


def _calls_unnamed(code: types.CodeType) -> bool:
    return any(calls_unnamed(one) for one in (code, *codes_in(code)))


def _doubt(anything: str, *, is_effect: bool) -> str:
    if anything:
        return f"{anything} may read or write anything"
    return "its effects are unknown" if is_effect else ""


def _is_alias(code: types.CodeType) -> bool:
    names = [name for name, _ in instructions(code) if name not in SILENT]
    return names[:2] == ["LOAD_NAME", "STORE_NAME"] and set(names[2:]) <= {"LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


def _is_known_effect(scan: Scan, text: str) -> bool:
    """Tell whether an expression statement changes a container in a way that is known, and does no more."""
    match = _MUTATION.match(text)
    return match is not None and match[1] in MUTATORS and scan.effects == 1


_MUTATION: Final = re.compile(r"\w+(?:\.\w+)*\.(\w+)\(")
_DECORATOR: Final = re.compile(r"^@[ \t]*(\w+)[ \t]*\.", re.MULTILINE)
_KEEPS_NOTHING: Final = frozenset({"abc", "contextlib", "dataclasses", "enum", "functools", "typing"})
_METACLASS: Final = re.compile(r"\bmetaclass[ \t]*=[ \t]*([\w.]+)")


def _decorated_by(text: str) -> set[str]:
    """Return the objects whose methods decorate a definition: ``@app.route("/")`` leaves something in ``app``."""
    return set(_DECORATOR.findall(text)) - _KEEPS_NOTHING


def _metaclass(text: str) -> frozenset[Chain]:
    found = _METACLASS.search(text)
    return frozenset([tuple(found[1].split("."))]) if found else frozenset()


def _import_names(code: types.CodeType) -> Iterator[tuple[str, str, str | None]]:
    """Yield what import statements bind at the top level: name, module (with its dots), attribute."""
    constants: list[object] = [None, None]
    base, attribute, is_from, is_open = "", None, False, False
    for name, value in instructions(code):
        if name == "IMPORT_NAME":
            level, names = constants[-2:]
            is_from = isinstance(names, tuple)
            base = absolute("", level if isinstance(level, int) else 0, str(value))
            attribute, is_open = None, True
        elif name == "IMPORT_FROM":
            attribute = str(value)
        elif name in STORES and is_open:
            if is_from:
                yield str(value), base, attribute
            elif attribute is not None:  # import a.b as x: CPython fetches the parts one by one
                yield str(value), base, None
            else:
                yield str(value), base if str(value) != base.partition(".")[0] else str(value), None
            is_open = is_from
        elif name == "POP_TOP" and is_from:
            is_open = False
        elif name.startswith("LOAD_"):
            constants.append(value)
