"""Random small programs over several files, as data: statements with names, so that edits are edits of structure.

A program is a dict of file → statements; ``render`` gives the text. ``Seed`` and ``Edit`` are what Hypothesis draws:
a few small numbers each, which mean something only beside a program (the third function above, the second file), so
that a shorter list of them is a shorter program and still a sensible one.

The kind of thing that a name stands for is told by its letters (f0 is a function, K1 an int, C0 a class ...; see PREFIXES),
in every file and through every import. Calls never change state after loading, so a fresh process has the same.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

FILES = "abcde"
LONGEST = 10
PREFIXES = {
    "K": "an int",
    "D": "data",
    "T": "what a call gave while loading",
    "f": "a function",
    "gen": "a generator function",
    "co": "a coroutine function",
    "h": "a lambda",
    "make": "a factory of closures",
    "g": "a closure made by a factory",
    "part": "a functools.partial",
    "deco": "a decorator",
    "par": "a decorator with an argument",
    "register": "a decorator that fills a REG",
    "REG": "a dict that any file may fill; its order is nobody's business",
    "TABLE": "a dict that its own file fills",
    "LOG": "a list that its own file fills",
    "STATE": "something that is made once",
    "C": "a class",
    "R": "a class that keeps its subclasses in a REG",
    "E": "an Enum",
    "P": "a dataclass",
    "N": "a NamedTuple",
    "obj": "an instance",
    "init": "a function that sets a global",
    "G": "the global that it sets",
    "mod": "a module; so are a, b, c, d, e",
}
CALLS = "f h g part"
IMPORTS = ("from", "optional", "module", "any module", "star")
HEADERS = ("abc", "dataclasses", "enum", "functools", "typing")

Program = dict[str, "tuple[Statement, ...]"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One top-level statement: the name it binds, the names it uses, a number and a shape (bits) to vary."""

    kind: str
    name: str = ""
    refs: tuple[str, ...] = ()
    n: int = 0
    v: int = 0
    guard: str = ""

    def ref(self, at: int, other: object = "") -> str:
        return (self.refs[at] if at < len(self.refs) else "") or str(other)

    def has(self, bit: int) -> bool:
        return bool(self.v >> bit & 1)

    def one(self, *shapes: str) -> str:
        return shapes[self.v % len(shapes)]

    def __str__(self) -> str:
        text = KINDS[self.kind].render(self)
        if not self.guard:
            return text
        return f"if {self.guard} < 3:\n" + "".join(f"    {line}\n" for line in text.splitlines())


@dataclass(frozen=True, slots=True)
class Kind:
    """How statements of a kind look.

    Attributes:
        prefix: of the names they bind.
        wants: for each name they use the prefixes it may have; with ``!`` it must be there, with ``.`` it must be of this file.
        weight: how often they are drawn.
    """

    render: Callable[[Statement], str]
    prefix: str = ""
    wants: tuple[str, ...] = ()
    weight: int = 1


# -- how statements look


def _const(s: Statement) -> str:
    return f"{s.name} = {s.n}" if not s.v & 1 else f"{s.name}: int = {s.n}"


def _derived(s: Statement) -> str:
    a, b = s.ref(0, s.n), s.ref(1, 1)
    return f"{s.name} = " + s.one(
        f"{a} + {s.n}", f"max({a}, {b}) + {s.n}", f"{a} * 2 + {b}", f"{a} if {b} > {s.n} else {s.n}"
    )


def _data(s: Statement) -> str:
    a, b = s.ref(0, s.n), s.ref(1, s.n)
    shown = a if prefix(a) == "K" else s.n  # a set is shown in an order of its own in each process
    return f"{s.name} = " + s.one(
        f"({a}, {s.n})",
        f"[{a}, {b}]",
        f"{{'k': {a}, {s.n}: {b}}}",
        f"f'{{{shown}}}-{s.n}'",
        f"{{{s.n}, {b}}}",
        f"[i + {s.n} for i in range(2)]",
    )


def _call(s: Statement) -> str:
    f = s.ref(0)
    return f"{s.name} = " + s.one(f"{f}()", f"{f}({s.ref(1, s.n)})", f"[{f}(i) for i in range(2)]", f"{{'r': {f}({s.n})}}")


def _listed(s: Statement) -> str:
    return f"{s.name} = list({s.ref(0)}({s.n}))"


def _decorators(s: Statement, *places: int) -> str:
    shown = [s.ref(place) for place in places if s.ref(place)]
    return "".join(f"@{one}({s.n})\n" if prefix(one) == "par" else f"@{one}\n" for one in shown)


def _function(s: Statement) -> str:
    a, f, d = s.ref(0), s.ref(1), s.ref(3)
    returned = [f"'{s.name}'", "x", "y", str(s.n), *([a] if a else []), *([f"{f}()"] if f else []), *([d] if d else [])]
    y = a if s.has(1) and a else str(s.n)
    parameters = f"x: int = 1, y: 'int' = {y}" if s.has(2) else f"x=1, y={y}"
    lines = [
        f"def {s.name}({parameters}{f', *, z={s.n}' if s.has(3) else ''}){' -> tuple' if s.has(2) else ''}:",
        *([f'    "{s.name} says {s.n}"'] if s.has(0) else []),
        *([f"    def inner(i=x): return (i, {a or s.n})", "    x = inner()"] if s.has(4) else []),
        *([f"    y = (lambda: (x, {s.n}))()"] if s.has(5) else []),
        *(["", "    # a comment"] if s.has(6) else []),
        f"    return ({', '.join(returned)})",
    ]
    return _decorators(s, 2, 4) + "\n".join(lines)


def _cached(s: Statement) -> str:
    return f"@functools.lru_cache(maxsize={s.ref(0, s.n)})\ndef {s.name}(x=1):\n    return ('{s.name}', x, {s.n})"


def _generator(s: Statement) -> str:
    return (
        f"def {s.name}(x={s.n}):\n    yield ('{s.name}', x)\n    for i in range({s.n}):\n        yield (i, {s.ref(0, s.n)})"
    )


def _coroutine(s: Statement) -> str:
    return (
        f"async def {s.name}(x={s.n}):\n    return ('{s.name}', x, {s.ref(0, s.n)}{f', {s.ref(1)}()' if s.ref(1) else ''})"
    )


def _lambda(s: Statement) -> str:
    f = s.ref(1)
    return f"{s.name} = lambda x={s.ref(0, s.n)}: ('{s.name}', x, {s.n}, {f'{f}()' if f else s.ref(2, s.n)})"


def _factory(s: Statement) -> str:
    extra = [f"    own = (k, {s.n})"] if s.has(0) else []
    inner = f"    def inner(x={s.n}):\n        return ('{s.name}', {'own' if s.has(0) else 'k'}, x, {s.n}, {s.ref(0, s.n)})"
    return "\n".join([f"def {s.name}(k=1):", *extra, inner, "    return inner"])


def _closure(s: Statement) -> str:
    return f"{s.name} = {s.ref(0)}({s.ref(1, s.n)})"


def _partial(s: Statement) -> str:
    return f"{s.name} = functools.partial({s.ref(0)}, {s.ref(1, s.n)})"


def _wrapper(s: Statement, depth: str) -> str:
    a = s.ref(0, s.n)
    if s.v % 4 == 3:
        return f"{depth}fn.mark = ('{s.name}', {a})\n{depth}return fn"
    wraps = f"{depth}@functools.wraps(fn)\n" if s.v % 4 else ""
    return f"{wraps}{depth}def wrapper(*args, **names):\n{depth}    return ('{s.name}', {a}, {'p, ' if len(depth) > 4 else ''}fn(*args, **names))\n{depth}return wrapper"


def _decorator(s: Statement) -> str:
    return f"def {s.name}(fn):\n{_wrapper(s, '    ')}"


def _with_argument(s: Statement) -> str:
    return f"def {s.name}(p=1):\n    def decorate(fn):\n{_wrapper(s, '        ')}\n    return decorate"


def _register(s: Statement) -> str:
    key = "f'{fn.__module__}:{fn.__qualname__}'"
    return f"def {s.name}(fn):\n    {s.ref(0)}[{key}] = {s.one('fn', f'(fn, {s.n})')}\n    return fn"


def _write(s: Statement) -> str:
    t, a = s.ref(0), s.ref(1) or s.ref(2, s.n)
    if prefix(t) == "REG":
        return f"{t}[__name__ + ':{s.n}'] = {a}"
    if prefix(t) == "LOG":
        return s.one(
            f"{t}.append({a})",
            f"{t} += [{a}]",
            f"{t}.extend([{a}, {s.n}])",
            f"{t}.insert(0, {a})",
            f"for _i in range({s.n}):\n    {t}.append(_i)",
        )
    return s.one(
        f"{t}['k{s.n}'] = {a}", f"{t}.update(k{s.n}={a})", f"{t}.setdefault('k{s.n}', {a})", f"{t} |= {{'k{s.n}': {a}}}"
    )


def _class(s: Statement) -> str:
    base, a, f = s.ref(0), s.ref(1, s.n), s.ref(2)
    members = [
        f"a0 = {a}",
        f"def __init__(self, x={s.n}):\n{'    super().__init__()' if base else '    self.w = 0'}\n    self.x = (x, {s.n})",
        f"def m0(self):\n    return ('{s.name}.m0', {s.n}, {a})",
        f"@property\ndef p0(self):\n    return ('{s.name}.p0', {s.n}, {a})",
        f"@classmethod\ndef c0(cls, i={s.n}):\n    return (cls.__name__, i, {a})",
        f"@staticmethod\ndef s0(i={a}):\n    return ('{s.name}.s0', i, {s.n})",
        f"def m1(self):\n    return ('{s.name}.m1', {'super().m1()' if base else s.n})",
        f"class Inner:\n    i0 = {a}\n    def m2(self):\n        return {s.n}",
        f"def __call__(self, i=1):\n    return ('{s.name}', i, {f'{f}()' if f else s.n})",
        f"def __secret(self):\n    return {s.n}\ndef m3(self):\n    return self.__secret()",
        f"def __repr__(self):\n    return '<{s.name} {s.n}>'",
        f"@functools.cached_property\ndef q0(self):\n    return ('{s.name}.q0', {s.n})",
        f"l0 = lambda self: ('{s.name}.l0', {a})",
        f"y0: int = {s.n}",
    ]
    body = "\n".join(member for at, member in enumerate(members) if s.has(at)) or "pass"
    return f"{_decorators(s, 3)}class {s.name}{f'({base})' if base else ''}:\n{_indent(body)}"


def _registry(s: Statement) -> str:
    stored = s.one("cls", "(cls.__name__, cls)", f"{s.ref(0, s.n)}")
    return (
        f"class {s.name}:\n    REG = {{}}\n    def __init_subclass__(cls, **names):\n        super().__init_subclass__(**names)\n"
        f"        cls.REG[f'{{cls.__module__}}:{{cls.__qualname__}}'] = {stored}"
    )


def _enum(s: Statement) -> str:
    base = s.one("enum.Enum", "enum.Enum", "enum.IntEnum", "enum.IntFlag", "str, enum.Enum")
    values = [f"{s.ref(0, s.n)}", f"{s.n + 10}", f"{s.n + 20}", "enum.auto()"]
    if base.startswith("str"):
        values = [f"'v{s.n}'", f"'w{s.n}'", "'x'", "'y'"]
    members = [f"{name} = {value}" for at, (name, value) in enumerate(zip("ABCD", values, strict=True)) if s.has(at + 1)]
    method = f"def m0(self):\n    return ('{s.name}.m0', self.name, {s.n})" if s.has(0) else ""
    return f"class {s.name}({base}):\n{_indent(chr(10).join(filter(None, ['Z = 40', *members, method])))}"


def _dataclass(s: Statement) -> str:
    fields = [
        f"y: int = {s.ref(0, s.n)}",
        "z: list = dataclasses.field(default_factory=list)",
        f"w: 'int' = dataclasses.field(default={s.n}, repr=False)",
        f"def m0(self):\n    return ('{s.name}.m0', self.x, {s.n})",
    ]
    option = ("", "(frozen=True)", "(order=True)", "(kw_only=True)")[s.v >> 4 & 3]
    body = "\n".join([f"x: int = {s.n}", *(one for at, one in enumerate(fields) if s.has(at))])
    return f"@dataclasses.dataclass{option}\nclass {s.name}:\n{_indent(body)}"


def _named(s: Statement) -> str:
    extra = [f"y: int = {s.ref(0, s.n)}"] * s.has(0) + [f"def m0(self):\n    return ('{s.name}.m0', self.x, {s.n})"] * s.has(
        1
    )
    return f"class {s.name}(typing.NamedTuple):\n{_indent(chr(10).join([f'x: int = {s.n}', *extra]))}"


def _handlers(s: Statement) -> str:
    items = [f"'{at}': {one}" for at, one in enumerate(s.refs) if one]
    return f"{s.name} = {{{', '.join(items)}}}"


def _if(s: Statement) -> str:
    a = s.ref(0, s.n)
    one = f"    def {s.name}(x={s.n}):\n        return ('then', x, {s.n})"
    return f"if {a} > {s.n}:\n{one}\nelse:\n    def {s.name}(x={a}):\n        return ('else', x, {a})"


def _try(s: Statement) -> str:
    return f"try:\n    {s.name} = {s.n + 5} // {s.ref(0, s.n)}\nexcept ZeroDivisionError:\n    {s.name} = {s.ref(1, s.n)}"


def _from(s: Statement) -> str:
    file, name = s.refs
    text = f"from .{file} import {name}" + (f" as {s.name}" if s.name != name else "")
    return text if s.kind == "from" else f"try:\n    {text}\nexcept ImportError:\n    {s.name} = {s.n}"


def _module(s: Statement) -> str:
    file = s.refs[0]
    if s.name == file:
        return f"from . import {file}"
    return f"from . import {file} as {s.name}" if s.v & 1 else f"import PKG.{file} as {s.name}"


def _attribute(s: Statement) -> str:
    return s.one(f"{s.ref(0)}.note{s.n} = {s.ref(1, s.n)}", f"setattr({s.ref(0)}, 'note', {s.ref(1, s.n)})")


def _init(s: Statement) -> str:
    return f"def {s.name}():\n    global G{s.n}\n    G{s.n} = ('{s.name}', {s.ref(0, s.n)})\n{s.name}()"


def _broken(s: Statement) -> str:
    return (
        f"def broken{s.n}(:",
        f"raise ValueError('broken {s.n}')",
        f"from .{s.ref(0, 'a')} import missing{s.n}",
        f"import no_such_module_{s.n}",
        f"K0 = 1 / 0  # {s.n}",
        f"raise SystemExit({s.n})",
    )[s.v % 6]


KINDS = {
    "const": Kind(_const, "K", weight=5),
    "derived": Kind(_derived, "K", ("K", "K"), weight=4),
    "data": Kind(_data, "D", ("K D", "K f C E"), weight=2),
    "function": Kind(_function, "f", ("K", CALLS, "deco par register", "D T K E obj TABLE", "deco par"), weight=9),
    "plain": Kind(_function, "f", ("K", CALLS, "none", "D T K E obj"), weight=5),
    "cached": Kind(_cached, "f", ("K",)),
    "generator": Kind(_generator, "gen", ("K",)),
    "coroutine": Kind(_coroutine, "co", ("K", CALLS)),
    "lambda": Kind(_lambda, "h", ("K", CALLS, "K D"), weight=2),
    "factory": Kind(_factory, "make", ("K",), weight=2),
    "closure": Kind(_closure, "g", ("!make", "K"), weight=3),
    "partial": Kind(_partial, "part", ("!f", "K")),
    "decorator": Kind(_decorator, "deco", ("K",), weight=3),
    "with argument": Kind(_with_argument, "par", ("K",), weight=2),
    "call": Kind(_call, "T", (f"!{CALLS}", "K"), weight=5),
    "listed": Kind(_listed, "T", ("!gen",)),
    "shared": Kind(lambda s: f"{s.name} = {{}}", "REG"),
    "register": Kind(_register, "register", ("!REG",), weight=2),
    "table": Kind(lambda s: f"{s.name} = {{}}", "TABLE"),
    "handlers": Kind(_handlers, "TABLE", ("f C", "f g h C E", "K f"), weight=2),
    "log": Kind(lambda s: f"{s.name} = [{s.n}]", "LOG"),
    "write": Kind(_write, "", ("!.TABLE .LOG REG", "K", "f C"), weight=5),
    "state": Kind(lambda s: f"{s.name} = {s.one('object()', '{}', '[]')}", "STATE"),
    "class": Kind(_class, "C", ("C R", "K", CALLS, "register"), weight=9),
    "registry": Kind(_registry, "R", ("K",)),
    "enum": Kind(_enum, "E", ("K",), weight=3),
    "dataclass": Kind(_dataclass, "P", ("K",), weight=3),
    "named": Kind(_named, "N", ("K",)),
    "instance": Kind(lambda s: f"{s.name} = {s.ref(0)}()", "obj", ("!C P N",), weight=3),
    "member": Kind(lambda s: f"{s.name} = {s.ref(0)}.Z", "D", ("!E",)),
    "if": Kind(_if, "f", ("K",), weight=2),
    "try": Kind(_try, "K", ("K", "K")),
    "from": Kind(_from, weight=9),
    "optional": Kind(_from),
    "module": Kind(_module, weight=3),
    "any module": Kind(_module),
    "star": Kind(lambda s: f"from .{s.refs[0]} import *", weight=2),
    "all": Kind(lambda s: f"__all__ = [{', '.join(f'{name!r}' for name in s.refs if name)}]", "", ("!f K C", "C f", "K T")),
    "again": Kind(lambda s: f"{s.name} = {s.ref(0)}", "f", ("!f",)),
    "wrapped": Kind(lambda s: f"{s.ref(1)} = {s.ref(0)}({s.ref(1)})", "", ("!deco", "!.f")),
    "class again": Kind(lambda s: f"{s.name} = {s.ref(0)}", "C", ("!C",)),
    "del": Kind(lambda s: f"del {s.ref(0)}", "", ("!.K .f .C .T",)),
    "add": Kind(lambda s: f"{s.ref(0)} += {s.ref(1, s.n)}", "", ("!.K", "K")),
    "attribute": Kind(_attribute, "", ("!.f .C", "K f"), weight=2),
    "init": Kind(_init, "init", ("K",)),
    "expression": Kind(lambda s: f"{s.ref(0)}()", "", (f"!{CALLS}",)),
    "assert": Kind(lambda s: f"assert {s.ref(0)} != {s.n + 60}", "", ("!K",)),
    "exec": Kind(lambda s: s.one(f"exec('{s.name} = {s.n}')", f"globals()['{s.name}'] = {s.n}"), "K"),
    "comment": Kind(lambda s: f"# comment {s.n}", weight=2),
    "blank": Kind(lambda s: "\n" * s.n),
    "doc": Kind(lambda s: f'"says {s.n}"'),
    "broken": Kind(_broken, weight=0),
}


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())


def render(statements: "tuple[Statement, ...]") -> str:
    """Return the text of a file, with the imports of the standard library that it needs."""
    body = "".join(f"{statement}\n" for statement in statements)
    header = "".join(f"import {name}\n" for name in HEADERS if re.search(rf"(?<!\w){name}\.", body))
    if statements and statements[0].kind == "doc":
        first, _, rest = body.partition("\n")
        return f"{first}\n{header}{rest}"
    return header + body


# -- what names mean


def prefix(name: str) -> str:
    """Return what kind of thing a name, dotted or not, stands for."""
    last = name.rpartition(".")[2]
    return "mod" if last in FILES and len(last) == 1 else last.rstrip("0123456789")


def names_in(program: Program, file: str, end: int | None = None, seen: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the names that a file has bound before a statement, each with the file it was imported from (or itself is)."""
    found: dict[str, str] = {}
    for s in program.get(file, ())[:end]:
        if s.kind == "star" and s.refs[0] not in seen:
            found |= dict.fromkeys(names_in(program, s.refs[0], None, seen | {file}), s.refs[0])
        elif s.kind == "del":
            found.pop(s.refs[0], None)
        elif s.kind == "init":
            found |= {s.name: "", f"G{s.n}": ""}
        elif s.name:
            found.pop(s.name, None)
            found[s.name] = s.refs[0] if s.kind in {"from", "optional", "module", "any module"} else ""
    return found


def _candidates(program: Program, names: dict[str, str], wanted: str) -> list[str]:
    """Return the names of the wanted kinds, those through a module included."""
    kinds = wanted.removeprefix("!").split()
    found = [name for name, origin in names.items() if prefix(name) in kinds or (f".{prefix(name)}" in kinds and not origin)]
    for name, origin in names.items():
        if prefix(name) == "mod" and origin:
            found += [f"{name}.{one}" for one in names_in(program, origin) if prefix(one) in kinds]
    return found


# -- seeds


@dataclass(frozen=True, slots=True)
class Seed:
    """What is drawn for one statement; ``at`` finds it a place in a program."""

    kind: str
    i: int = 0
    picks: tuple[int, int, int] = (0, 0, 0)
    n: int = 0
    v: int = 0

    def at(self, program: Program, file: str, end: int | None = None) -> tuple[Statement, ...]:
        """Return the statement that this is at a place, after one that gives what it needs if nothing does."""
        kind = KINDS[self.kind]
        if self.kind in IMPORTS:
            return (self._import(program, file),)
        names = names_in(program, file, end)
        refs = [self._pick(at, _candidates(program, names, wanted), wanted) for at, wanted in enumerate(kind.wants)]
        for wanted, ref in zip(kind.wants, refs, strict=True):
            if wanted.startswith("!") and not ref:
                given = self._what_is_lacking(wanted, program, file, end)
                body = program.get(file, ())
                end = len(body) if end is None else end
                return (*given, *self.at({**program, file: (*body[:end], *given, *body[end:])}, file, end + len(given)))
        name = f"{kind.prefix}{self.i}" if kind.prefix else ""
        if self.kind == "broken":
            refs = [_wrap(sorted(set(FILES) - {file}), self.i)]
        return (Statement(self.kind, name, tuple(refs), self.n, self.v),)

    def _pick(self, at: int, found: list[str], wanted: str) -> str:
        pick = self.picks[at % 3]
        if not found or (pick == 0 and not wanted.startswith("!")):
            return ""
        return _wrap(found[::-1], pick - (not wanted.startswith("!")))

    def _what_is_lacking(self, wanted: str, program: Program, file: str, end: int | None) -> tuple[Statement, ...]:
        """Return what gives this statement something to use."""
        prefixes = [one.lstrip("!.") for one in wanted.split()]
        lacking = _wrap(prefixes, self.n)
        return replace(self, kind=next(name for name, kind in KINDS.items() if kind.prefix == lacking)).at(
            program, file, end
        )

    def _constant(self) -> Statement:
        return Statement("const", f"K{self.i}", (), self.n, 0)

    def _import(self, program: Program, file: str) -> Statement:
        others = [one for one in program if one != file and (one < file or self.kind == "any module")]
        if not others:
            return self._constant()
        other = _wrap(others[::-1], self.picks[0])
        if self.kind == "star":
            return Statement("star", "", (other,))
        if "module" in self.kind:
            return Statement(self.kind, other if self.v % 3 == 0 else f"mod{self.i}", (other,), 0, self.v % 3)
        names = [name for name in names_in(program, other) if prefix(name) != "mod"]
        if not names:
            return self._constant()
        name = _wrap(names[::-1], self.picks[1])
        bound = f"{prefix(name)}{self.i}" if self.v % 4 == 3 and prefix(name) != "REG" else name
        return Statement(self.kind, bound, (other, name), self.n)


def _wrap(items: list[str], at: int) -> str:
    return items[at % len(items)]


def grow(plan: "list[tuple[Seed, ...]] | tuple[tuple[Seed, ...], ...]") -> Program:
    """Return the program of some files' seeds."""
    program: Program = {}
    for file, seeds in zip(FILES, plan, strict=False):
        program[file] = ()
        for seed in seeds:
            program[file] += seed.at(program, file)
    return program


# -- edits


@dataclass(frozen=True, slots=True)
class Edit:
    """What is drawn for one edit; ``apply`` does it."""

    op: str
    file: int = 0
    at: int = 0
    bit: int = 0
    seed: Seed = field(default_factory=lambda: Seed("const"))

    def apply(self, program: Program) -> Program:
        """Return the program with one edit done to one file (to more of them, for a name that is renamed everywhere)."""
        if not program:
            return program
        file = _wrap(sorted(program), self.file)
        for shift in range(len(program[file])):  # the first place from there on where it means something
            changed = self._apply(program, file, self.at + shift)
            if any(render(changed[name]) != render(program[name]) for name in program):
                return changed
        return {**program, file: (*program[file], *self.seed.at(program, file))}

    def _apply(self, program: Program, file: str, at: int) -> Program:
        statements = list(program[file])
        if self.op == "add":
            at %= len(statements) + 1
            if len(statements) < LONGEST:
                statements[at:at] = self.seed.at(program, file, at)
            return {**program, file: tuple(statements)}
        at %= len(statements)
        old = statements[at]
        if self.op == "rename everywhere":
            return self._rename_everywhere(program, file, old.name)
        statements[at : at + 1] = self._changed(program, file, at)
        if self.op == "move":
            statements.insert(self.bit % (len(statements) + 1), old)
        return {**program, file: tuple(statements)}

    def _changed(self, program: Program, file: str, at: int) -> list[Statement]:
        old = program[file][at]
        match self.op:
            case "number":
                return [replace(old, n=(old.n + 1) % 5)]
            case "shape":
                return [replace(old, v=old.v ^ 1 << self.bit)]
            case "uses":
                new = replace(self.seed, kind=old.kind, n=old.n, v=old.v).at(program, file, at)[-1]
                return [replace(old, refs=new.refs) if new.kind == old.kind and "from" not in old.kind else old]
            case "rename":
                return [replace(old, name=self._other(old.name))] if KINDS[old.kind].prefix else [old]
            case "guard":
                names = [name for name in names_in(program, file, at) if prefix(name) == "K"]
                return (
                    [replace(old, guard="" if old.guard else _wrap(names or ["True"], self.bit))]
                    if old.kind not in {"doc", "comment", "blank"}
                    else [old]
                )
            case "replace":
                return [*self.seed.at(program, file, at)]
            case "comment":
                return [Statement("comment", n=self.bit % 4), old]
            case "line":
                return [Statement("blank", n=1), old]
            case "twice":
                return [old, old] if len(program[file]) < LONGEST else [old]
        return []

    def _other(self, name: str) -> str:
        return f"{prefix(name)}{(int(name[-1]) + 1 + self.bit) % 4}"

    def _rename_everywhere(self, program: Program, file: str, old: str) -> Program:
        if not old or prefix(old) == "mod" or old not in names_in(program, file):
            return program
        new = self._other(old)
        return {
            name: tuple(_renamed(program, s, name, of=file, old=old, new=new) for s in statements)
            for name, statements in program.items()
        }


def _renamed(program: Program, s: Statement, here: str, *, of: str, old: str, new: str) -> Statement:
    if s.kind in {"from", "optional"}:
        s = replace(s, refs=(of, new)) if s.refs == (of, old) else s
        return replace(s, name=new) if here == of and s.name == old else s
    if here == of:
        s = replace(s, name=new if s.name == old else s.name, guard=new if s.guard == old else s.guard)
        return replace(s, refs=tuple(new if ref == old else ref for ref in s.refs))
    modules = {name for name, origin in names_in(program, here).items() if origin == of and prefix(name) == "mod"}
    return replace(s, refs=tuple(ref.replace(f".{old}", f".{new}") if _is_of(ref, modules, old) else ref for ref in s.refs))


def _is_of(ref: str, modules: set[str], name: str) -> bool:
    module, _, last = ref.rpartition(".")
    return module in modules and last == name


def without_imports_of(program: Program, file: str) -> Program:
    """Return a program whose files do not import one of them."""
    return {
        name: tuple(s for s in statements if not (s.kind in IMPORTS and s.refs[0] == file))
        for name, statements in program.items()
    }


def moved(program: Program, file: str, to: str, *, is_followed: bool) -> Program:
    """Return a program with a file renamed, and the imports of it, too, if they follow."""
    program = {to if name == file else name: statements for name, statements in program.items()}
    return (
        {name: tuple(_led(s, file, to) for s in statements) for name, statements in program.items()}
        if is_followed
        else program
    )


def _led(s: Statement, file: str, to: str) -> Statement:
    if s.kind not in IMPORTS or s.refs[0] != file:
        return s
    return replace(s, refs=(to, *s.refs[1:]), name=s.name if s.name != file else f"mod{s.v % 3}")


# -- strategies


def _weighted() -> Iterator[str]:
    for name, kind in KINDS.items():
        yield from [name] * kind.weight


_SMALL = st.integers(0, 3)


def _seeds(kinds: "st.SearchStrategy[str]") -> "st.SearchStrategy[Seed]":
    return st.builds(Seed, kinds, st.integers(0, 2), st.tuples(*[st.integers(0, 4)] * 3), _SMALL, st.integers(0, 2**14 - 1))


seeds = _seeds(st.sampled_from([*_weighted()]))
broken = _seeds(st.just("broken"))
_imports = _seeds(st.sampled_from(["from", "from", "from", "module", "star"]))
_bodies = st.lists(seeds, min_size=1, max_size=6).map(tuple)
bodies = st.tuples(st.lists(_imports, max_size=3), _bodies).map(lambda both: (*both[0], *both[1]))
programs = st.one_of(*[st.tuples(_bodies, *[bodies] * more) for more in (2, 3)]).map(grow)

_OPS = ["number"] * 5 + ["shape"] * 6 + ["add"] * 5 + ["uses"] * 3 + ["remove"] * 2 + ["move"] * 2 + ["replace"] * 2
_OPS += ["rename", "rename everywhere", "guard", "comment", "line", "twice"]
edits = st.builds(Edit, st.sampled_from(_OPS), st.integers(0, 4), st.integers(0, 11), st.integers(0, 13), seeds)
