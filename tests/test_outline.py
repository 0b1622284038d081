"""A file as statements: cut without loss, described by its code, and brought up to date statement by statement."""

import dis
import importlib
import os
import textwrap
import types
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipyhot.core.codes import codes_in, imports, instructions
from ipyhot.core.facts import Facts, Kind
from ipyhot.core.outline import NotSeparable, Outline, Statement, cut, outline, prepared, revised, rooted
from ipyhot.core.scan import is_inert

FUZZ = int(os.environ.get("IPYHOT_FUZZ", "0"))


def outlined(text: str) -> Outline:
    return outline(text.encode(), "m.py", "p.q")


def newer(old: Outline, text: str) -> Outline:
    return revised(old, text.encode(), "m.py")


def texts(found: Outline) -> list[str]:
    return [statement.text for statement in found.statements]


def facts(text: str) -> Facts:
    """Return the facts of the last statement of a text."""
    return outlined(textwrap.dedent(text)).statements[-1].facts


def chains(found: Iterable[tuple[str, ...]]) -> set[str]:
    return {".".join(chain) for chain in found}


def named(names: str) -> set[str]:
    return set(names.split())


def whole(text: str) -> types.CodeType:
    return compile(text, "m.py", "exec", dont_inherit=True)


def places(codes: Iterable[types.CodeType]) -> list[tuple[object, ...]]:
    """Return where code objects stand: all that a traceback, a debugger or ``inspect`` would say of them."""
    return [(c.co_qualname, c.co_filename, c.co_firstlineno, list(c.co_lines()), list(c.co_positions())) for c in codes]


# -- cutting

TRICKY = {
    "nothing": "",
    "lines only": "\n\n\n",
    "a comment only": "# x = 1",
    "no newline at the end": "x = 1\ny = 2",
    "a triple quoted string": 'x = """a\nb = 1\n\ndef c(): pass\n"""\ny = 2\n',
    "a quote in a triple quoted string": "x = '''a\\'''\nb = 1\n''' '\"\"\"'\ny = 2\n",
    "quotes of the other kind": "x = '\"\"\"'\ny = \"'''\"\nz = '''\"'''\n",
    "a string over two lines": "x = 'a\\\nb = 1'\ny = 2\n",
    "backslashes in strings": "x = '\\\\'\ny = r'\\''\nz = b'\\\\\\''\n",
    "brackets over lines": "x = [\n1,\n(2,\n{3:\n4}),\n]\ny = f(\n)\n",
    "brackets in strings and comments": "x = '(['\ny = 1  # {\n# ((\nz = ')'\n",
    "a quote in a comment": 'x = 1  # it\'s\n# """\ny = 2\n',
    "a line continuation": "x = 1 + \\\n2\ny = 3\n",
    "a continued head of a block": "with a as b, \\\nc as d:\n    pass\ny = 3\n",
    "a backslash at the end of a comment": "x = 1  # \\\ny = 2\n",
    "else at column 0": "if x:\n    y\nelif z:\n    y\nelse:\n    y\nz = 1\n",
    "except at column 0": "try:\n    x\nexcept A:\n    y\nelse:\n    z\nfinally:\n    z\ntry:\n    x\nexcept* B:\n    y\nz = 1\n",
    "names that begin like else": "x = 1\nelse_ = 1\nexceptional = 2\nfinally_ = 3\n",
    "comments between a block and its else": "if x:\n    y\n# why\n\n# not\nelse:\n    y\nz = 1\n",
    "comments at column 0 in a body": "def f():\n    x\n# c\n    return x\ny = 1\n",
    "blank lines in a body": "def f():\n\n    x\n\n\n    return x\n\n\ny = 1\n",
    "decorators": "@a\n@b(\n1)\ndef f(): pass\n@c\nclass C: pass\n@d\nasync def g(): pass\n",
    "comments between decorators": "@a\n# c\n\n@b\n# d\ndef f(): pass\nx = 1\n",
    "semicolons": "x = 1; y = 2;\nz = 3\n",
    "form feeds": "x = 1\n\f\ny = 2\n\fz = 3\n",
    "an f-string over lines": "x = f'''\n{\ny\n}\n{{\n'''\nz = 1\n",
    "brackets in an f-string": "x = f'{a[\"(\"]}'\ny = f'{{'\nz = 1\n",
    "a match": "match x:\n    case [a, *b]:\n        pass\n    case _:\n        pass\nmatch = 1\ncase = 2\n",
    "tabs": "if x:\n\ty = [\n1]\n\n\tz\nx = 1\n",
    "an indented comment first": "   # c\nx = 1\n",
    "a coding line": "# -*- coding: utf-8 -*-\nx = 1\n",
    "other letters": "\u00e4 = '\u20ac'\ny = '\u2028'\n",
    "carriage returns": "x = 1\r\ny = '''\r\n'''\r\n",
}


@pytest.mark.parametrize("text", TRICKY.values(), ids=TRICKY)
def test_the_pieces_are_the_text_and_each_compiles_alone(text: str) -> None:
    pieces = cut(text)
    assert "".join(pieces) == text
    for piece in pieces:
        whole(piece)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("x = 1\ny = 2", ["x = 1\n", "y = 2"]),
        ('x = """\ny = 1\n"""\nz = 2\n', ['x = """\ny = 1\n"""\n', "z = 2\n"]),
        ("x = (\n1,\n)\ny = 2\n", ["x = (\n1,\n)\n", "y = 2\n"]),
        ("x = 1 + \\\n2\ny = 3\n", ["x = 1 + \\\n2\n", "y = 3\n"]),
        ("if x:\n    y\n# c\nelse:\n    y\nz\n", ["if x:\n    y\n# c\nelse:\n    y\n", "z\n"]),
        ("try:\n    x\nexcept A: y\nfinally: z\na\n", ["try:\n    x\nexcept A: y\nfinally: z\n", "a\n"]),
        ("@a\n# c\n\n@b\ndef f(): pass\n@c\nclass C: pass\n", ["@a\n# c\n\n@b\ndef f(): pass\n", "@c\nclass C: pass\n"]),
        ("x\n\n# about y\ny\n", ["x\n\n# about y\n", "y\n"]),
        ("# c\n\nx\n", ["# c\n\n", "x\n"]),
        ("x = 1; y = 2\nz = 3\n", ["x = 1; y = 2\n", "z = 3\n"]),
        ("x = f'''\n{\ny}\n'''\nz\n", ["x = f'''\n{\ny}\n'''\n", "z\n"]),
        ("x\n\f\ny\n", ["x\n\f\n", "y\n"]),
        ("", []),
    ],
)
def test_each_piece_begins_with_a_statement(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces


@pytest.mark.parametrize(
    "text",
    ["x = (\n", "x = '''\n", "x = 'a\n", "if x:\n", "@a\n", "x = 1 +\\\n", "x = )\n", "  x = 1\n", "if x: y\n  z\n", "x\0"],
)
def test_a_text_that_does_not_compile_has_no_outline(text: str) -> None:
    with pytest.raises(NotSeparable):
        outlined(f"a = 1\n{text}")
    with pytest.raises(NotSeparable):
        newer(outlined("a = 1\nb = 2\n"), f"a = 1\n{text}")


@pytest.mark.parametrize("above", ["import os\n", "X = 1\n", "'doc'\n'no doc'\n"])
def test_a_future_import_below_other_statements_is_the_error_it_is_for_the_whole(above: str) -> None:
    text = f"{above}from __future__ import annotations\n"
    with pytest.raises(SyntaxError):
        whole(text)
    with pytest.raises(NotSeparable):
        outlined(text)
    with pytest.raises(NotSeparable):
        newer(outlined("from __future__ import annotations\n"), text)


def test_bytes_that_are_not_in_the_encoding_they_say_have_no_outline() -> None:
    with pytest.raises(NotSeparable):
        outline(b"x = '\xff'\n", "m.py", "")
    with pytest.raises(NotSeparable):
        outline(b"# coding: no-such-thing\nx = 1\n", "m.py", "")


def test_the_encoding_and_the_line_ends_of_a_file_are_read_as_python_reads_them() -> None:
    found = outline(b"# coding: latin-1\r\nx = '\xe4'\r\n", "m.py", "")
    assert texts(found) == ["# coding: latin-1\n", "x = '\xe4'\n"]
    assert texts(outline(b"\xef\xbb\xbfx = 1\n", "m.py", "")) == ["x = 1\n"]


# -- code

RESOLVED = {*dis.hasname, *dis.hasconst, *dis.hasfree} - {dis.opmap.get("KW_NAMES")}  # of which dis tells no value
UNSEEN = {"CACHE", "EXTENDED_ARG"}


@pytest.mark.parametrize("module", ["ast", "dataclasses", "enum", "functools", "inspect", "typing"])
def test_instructions_are_read_as_dis_reads_them(module: str) -> None:
    code = importlib.import_module(module).__spec__.loader.get_code(module)
    for one in [code, *codes_in(code)]:
        expected = [
            (i.opname, i.argval if i.opcode in RESOLVED else i.arg or 0)
            for i in dis.get_instructions(one)
            if i.opname not in UNSEEN
        ]
        found = [(name, value) for name, value in instructions(one) if name != "KW_NAMES"]
        assert list(map(repr, found)) == [repr(row) for row in expected if row[0] != "KW_NAMES"]


# -- facts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = 1", "x"),
        ("x: int = 1", "x"),
        ("x: int", ""),
        ("x = y = z", "x y"),
        ("a, (b, *c) = z", "a b c"),
        ("x += 1", "x"),
        ("x = 1; y = 2", "x y"),
        ("x[0] = y.z = 1", ""),
        ("del x", "x"),
        ("def f():\n    a = 1", "f"),
        ("async def f(): a = 1", "f"),
        ("class C:\n    a = 1", "C"),
        ("x = lambda: (a := 1)", "x"),
        ("import a", "a"),
        ("import a.b.c", "a"),
        ("import a.b as x, c", "x c"),
        ("from a import b, c as d", "b d"),
        ("from a import *", ""),
        ("for i, j in x:\n    k = i", "i j k"),
        ("with x as y:\n    pass", "y"),
        ("try:\n    x = 1\nexcept A as e:\n    y = 2", "x e y"),
        ("if (n := f()):\n    pass", "n"),
        ("match z:\n    case {'a': a, **b}:\n        pass\n    case [*c] | C(c):\n        pass", "a b c"),
        ("x = [i for i in y]", "x"),
        ("x = [last := i for i in y]", "x last"),
        ("if any((hit := i) for i in y):\n    pass", "hit"),
        ("print(x)", ""),
        ("# x = 1", ""),
        ("", ""),
    ],
)
def test_what_a_statement_binds(text: str, names: str) -> None:
    assert facts(f"\n{text}").binds == named(names)


@pytest.mark.parametrize(
    ("text", "held", "used"),
    [
        ("x = y", "y", ""),
        ("x = a.b.c", "a.b.c", ""),
        ("x = y, [z]", "y z", ""),
        ("x = {'f': f, 'g': m.g}", "f m.g", ""),
        ("x: T = y", "T y", ""),
        ("x: T", "T", ""),
        ("def f(a=y, *, b=m.z) -> T: pass", "y m.z T", ""),
        ("def f():\n    return y", "", ""),
        ("x = lambda a=y: z", "y", ""),
        ("class C(B, m.D):\n    a = y\n    def f(self, b=z): return w", "B m.D y z", ""),
        ("class C:\n    a = 1\n    b = a", "", ""),
        ("class C:\n    a = a", "a", ""),
        ("class C:\n    class D(B):\n        a = y", "y", "B"),
        ("x = y()", "", "y"),
        ("x = y + 1", "", "y"),
        ("x = -y", "", "y"),
        ("x = y[0]", "", "y"),
        ("x = f'{y}'", "", "y"),
        ("x = y if z else w", "", "y z w"),
        ("x = not y", "", "y"),
        ("x = y < z", "", "y z"),
        ("x = {y, z}", "", "y z"),
        ("x = [*y]", "", "y"),
        ("x, z = y", "", "y"),
        ("x += y", "", "x y"),
        ("x[y] = z", "", "x y z"),
        ("x = a.b.c(d.e)", "", "a.b.c d.e"),
        ("x = a.b().c", "", "a.b"),
        ("for i in y: z", "", "y z"),
        ("with y: pass", "", "y"),
        ("if y: x = 1", "", "y"),
        ("assert y", "", "y"),
        ("raise y", "", "y"),
        ("x = [f(i) for i in y]", "", "f y"),
        ("x = [i for i in y if z]", "", "y z"),
        ("@y\ndef f(): pass", "", "y"),
        ("@y(z)\nclass C: pass", "", "y z"),
        ("@y\nclass C(B): pass", "", "y B"),
        ("class C(y()): pass", "", "y"),
        ("class C(B):\n    a = y()", "B", "y"),
        ("def f(a=y()): pass", "", "y"),
        ("import y", "", ""),
        ("from y import z", "", ""),
    ],
)
def test_what_a_statement_only_stores_and_what_it_computes_with(text: str, held: str, used: str) -> None:
    found = facts(text)
    assert (chains(found.held), chains(found.used)) == (named(held), named(used))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f():\n    return y + a.b.c", "y a.b.c"),
        ("def f(x):\n    z = x\n    return z", ""),
        ("def f():\n    def g(): return y\n    return [h for h in z]", "y z"),
        ("class C:\n    def m(self): return y", "y"),
        ("class C:\n    a = 1\n    def m(self): return a", "a"),
        ("x = lambda: y", "y"),
        ("x = f(lambda: y)", "y"),
        ("@d\nasync def f(): await y", "y"),
        ("if x:\n    def f(): return y\nelse:\n    def f(): return z", "y z"),
        ("x = y", ""),
    ],
)
def test_what_the_functions_of_a_statement_read_when_they_are_called(text: str, names: str) -> None:
    assert chains(facts(text).body) == named(names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x.append(1)", "x"),
        ("x.update(y)", "x"),
        ("x.a.append(1)", "x"),
        ("x.setdefault('k', []).append(1)", "x"),
        ("x[0] = 1", "x"),
        ("x[0][1] = 1", "x"),
        ("x[:] = 1, 2", "x"),
        ("x[0] += 1", "x"),
        ("del x[0]", "x"),
        ("x.a = 1", "x"),
        ("x.a.b = 1", "x"),
        ("x.a += 1", "x"),
        ("del x.a", "x"),
        ("for i in range(3):\n    x.append(i)", "x"),
        ("y = x.pop()", "x"),
        ("y = next(x)", "x"),
        ("@x.register\ndef f(): pass", "x"),
        ("@x.register(1)\n@y.register\nclass C: pass", "x y"),
        ("y = x.get('k')", ""),
        ("y = x", ""),
        ("y = x(1)", ""),
        ("x: int = 1", ""),
        ("def f():\n    x.append(1)", ""),
    ],
)
def test_what_a_statement_changes_in_place(text: str, names: str) -> None:
    assert facts(text).mutates == named(names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f():\n    x.append(1)", "x"),
        ("def f():\n    x[0] = 1", "x"),
        ("def f():\n    x['k'].append(1)", "x"),
        ("def f():\n    x['k']['l'] = 1", "x"),
        ("def f():\n    x.a = 1", "x"),
        ("def f():\n    global x\n    x = 1", "x"),
        ("def f():\n    global x\n    x += 1", "x"),
        ("def f():\n    def g():\n        x.add(1)", "x"),
        ("class C:\n    def __init_subclass__(cls):\n        x.append(cls)", "x"),
        ("y = map(lambda a: x.append(a), z)", "x"),
        ("def f(x):\n    x.append(1)\n    x[0] = 1\n    x.a = 1", ""),
        ("def f():\n    return x.get(1)", ""),
    ],
)
def test_what_the_functions_of_a_statement_change_in_place_or_bind(text: str, names: str) -> None:
    assert facts(text).body_mutates == named(names)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("def f(): pass", Kind.FUNCTION, "f"),
        ("async def f(): pass", Kind.FUNCTION, "f"),
        ("@d\n@e(1)\ndef f(): pass", Kind.FUNCTION, "f"),
        ("class C: pass", Kind.CLASS, "C"),
        ("@d\nclass C(B): pass", Kind.CLASS, "C"),
        ("import a", Kind.IMPORT, ""),
        ("from a import b", Kind.IMPORT, ""),
        ("x = 1", Kind.OTHER, ""),
        ("x = lambda: 1", Kind.OTHER, ""),
        ("default = 1", Kind.OTHER, ""),
        ("classes = 1", Kind.OTHER, ""),
        ("asynchronous = 1", Kind.OTHER, ""),
        ("if x:\n    def f(): pass", Kind.OTHER, ""),
        ("try:\n    import a\nexcept ImportError:\n    a = None", Kind.OTHER, ""),
        ("default = '''\nclass C: pass\n'''", Kind.OTHER, ""),
        ("@d('''\nclass C: pass\n''')\ndef f(): pass", Kind.FUNCTION, "f"),
        ("# x", Kind.OTHER, ""),
    ],
)
def test_what_a_statement_is(text: str, kind: Kind, name: str) -> None:
    found = facts(text)
    assert (found.kind, found.name) == (kind, name)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import a", [("a", "a", None)]),
        ("import a as a", [("a", "a", None)]),
        ("import a.b.c", [("a", "a", None)]),
        ("import a as x", [("x", "a", None)]),
        ("import a.b as x", [("x", "a.b", None)]),
        ("import a.b.c as x", [("x", "a.b.c", None)]),
        ("import a.b.c.d as x, e", [("x", "a.b.c.d", None), ("e", "e", None)]),
        ("import a, b as c", [("a", "a", None), ("c", "b", None)]),
        ("from a import b, c as d", [("b", "a", "b"), ("d", "a", "c")]),
        ("from . import b", [("b", ".", "b")]),
        ("from ..a.b import c", [("c", "..a.b", "c")]),
        ("from a import b; x = 1", [("b", "a", "b")]),
        ("try:\n    import a\nexcept ImportError:\n    a = None", [("a", "a", None)]),
        ("from a import *", []),
        ("def f():\n    import a", []),
        ("x = 1", []),
    ],
)
def test_what_import_statements_bind(text: str, names: list[tuple[str, str, str | None]]) -> None:
    assert list(facts(text).import_names) == names


def test_imports_that_wait_in_functions_are_told_apart_from_those_that_run() -> None:
    found = facts("class C:\n    import a\n    def f(self):\n        from b import c\n")
    assert (found.imports, found.body_imports) == ((("a", ()),), (("b", ("c",)),))


def test_star_imports_are_known() -> None:
    assert facts("from ..a import *").stars == ("..a",)
    assert outlined("from ..a import *\nfrom b import *\n").stars == ("p.a", "b")


@pytest.mark.parametrize("text", ["app.register(f)", "print(x)", "f()", "x.append(1); y.append(2)", "if a:\n    print(x)"])
def test_the_effects_of_an_expression_are_unknown(text: str) -> None:
    assert facts(text).doubt == "its effects are unknown"


@pytest.mark.parametrize(
    "text",
    ["exec(x)", "y = eval(x)", "globals()['x'] = 1", "y = vars()", "x = __import__('a')", "y = [locals() for i in z]"],
)
def test_what_may_read_or_write_any_name_is_doubted(text: str) -> None:
    assert "may read or write anything" in facts(text).doubt


@pytest.mark.parametrize(
    "text",
    [
        "x = f()",
        "x.append(1)",
        "x.update(a=1)",
        "x['k'] = f()",
        "@f\ndef g(): pass",
        "class C(f()): pass",
        "x = re.compile('a')",
        "'a string'",
        "x",
        "def f(): print(1)",
        "for i in y:\n    x = i",
        "import a",
    ],
)
def test_other_effects_are_known(text: str) -> None:
    assert facts(text).doubt == ""


@pytest.mark.parametrize(
    ("text", "itself", "body"),
    [
        ("x = globals()", True, False),
        ("def f(): return globals()", False, True),
        ("x = lambda: eval(y)", False, True),
        ("class C:\n    a = vars()", True, False),
        ("def f(): return g()", False, False),
    ],
)
def test_code_that_may_read_any_name_is_known(text: str, itself: bool, body: bool) -> None:
    found = facts(text)
    assert (found.reads_anything, found.body_reads_anything) == (itself, body)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.b = 1", "a.b"),
        ("a.b.c = d.e = 1", "a.b.c d.e"),
        ("del a.b", "a.b"),
        ("a.b += 1", "a.b"),
        ("a[0] = 1", ""),
        ("x = a.b", ""),
    ],
)
def test_the_attributes_that_a_statement_sets(text: str, found: str) -> None:
    assert chains(facts(text).sets) == named(found)


@pytest.mark.parametrize(
    ("text", "is_alias"),
    [("x = y", True), ("x = y.z", False), ("x = y()", False), ("x = 1", False), ("x = [y]", False), ("import y", False)],
)
def test_a_mere_second_name_is_known(text: str, is_alias: bool) -> None:
    assert facts(text).is_alias is is_alias


def test_a_metaclass_is_known() -> None:
    assert chains(facts("class C(B, metaclass=m.M): pass").metaclass) == {"m.M"}
    assert facts("class C(B): pass").metaclass == frozenset()


@pytest.mark.parametrize("note", ["", ": int"])
def test_the_attributes_of_a_class_are_told_with_what_they_read(note: str) -> None:
    members = facts(f"class C:\n    a{note} = 1\n    b = a + K\n    c{note} = f(K)\n    def m(self, x=K): pass\n").members
    assert {name: (set(members[name].reads), members[name].is_function) for name in "abcm"} == {
        "a": (set(), False),
        "b": ({"a", "K"}, False),
        "c": ({"f", "K"}, False),
        "m": ({"K"}, True),
    }


def test_attributes_that_are_made_alike_are_equal_and_others_are_not() -> None:
    text = "class C:\n    a = f(K)\n    b = {0}\n    def m(self): return 1\n    def n(self): return {0}\n"
    one, two = (facts(text.format(value)).members for value in (1, 2))
    assert {name: one[name] == two[name] for name in "abmn"} == {"a": True, "b": False, "m": True, "n": False}


@pytest.mark.parametrize("body", ["if x:\n        a = 1", "for i in x:\n        a = i"])
def test_a_class_body_that_does_more_than_run_down_tells_nothing_of_its_attributes(body: str) -> None:
    assert facts(f"class C:\n    {body}\n").members == {}


@pytest.mark.parametrize(
    ("text", "is_same"),
    [
        ("class C(B):\n    a = 2\n    def m(self): pass\n", True),
        ("class C(A):\n    a = 1\n", False),
        ("class C(B, metaclass=M):\n    a = 1\n", False),
        ("@d\nclass C(B):\n    a = 1\n", False),
    ],
)
def test_the_head_of_a_class_is_told_apart_from_its_body(text: str, is_same: bool) -> None:
    assert (facts(text).head == facts("class C(B):\n    a = 1\n").head) is is_same


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = y.a", "y a"),
        ("x = y.a().b", "y a b"),
        ("def f(x): return x.a + y", "a y"),
        ("x = [lambda: i.a for i in y]", "a y"),
        ("from y import a", "a"),
        ("x = 1", ""),
    ],
)
def test_every_name_and_attribute_that_code_asks_for_is_known(text: str, names: str) -> None:
    assert facts(text).asks == named(names)


@pytest.mark.parametrize(
    ("text", "does_nothing"),
    [
        ("import a\nfrom b import c\nx = 1\ny = [x, c]\ndef f(z=y): return z()\n", True),
        ("def f():\n    return g()\nx = {'f': f}\n", True),
        ("x = f()", False),
        ("x = y + 1", False),
        ("class C: pass", False),
        ("from a import *", False),
        ("x = a.b", False),
        ("@d\ndef f(): pass", False),
        ("if x:\n    y = 1\n", False),
    ],
)
def test_code_that_only_defines_imports_and_stores_is_inert(text: str, does_nothing: bool) -> None:
    assert is_inert(whole(text)) is does_nothing
    assert all(statement.facts.is_inert for statement in outlined(text).statements) is does_nothing


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("def f(): return 1", "def f(): return 2", True),
        ("def f(a): return 1", "def f(b, c): return 1", True),
        ("class C:\n    def m(self): return 1", "class C:\n    def m(self): return 2", True),
        ("x = lambda: 1", "x = lambda: 2", True),
        ("x = 1", "x  =  1  # why", True),
        ("x = 1", "x = 2", False),
        ("x = 1", "x = True", False),
        ("x = 0.0", "x = -0.0", False),
        ("x = 1", "x = (1)", True),
        ("x = f(1)", "x = f(2)", False),
        ("x = f(a=1)", "x = f(b=1)", False),
        ("x = [a for i in z]", "x = [b for i in z]", False),
        ("def f(x=1): pass", "def f(x=2): pass", False),
        ("def f(x): pass", "def f(x: int): pass", False),
        ("def f(): return 1", "async def f(): return 1", True),
        ("class C:\n    a = 1", "class C:\n    a = 2", False),
        ("class C(A): pass", "class C(B): pass", False),
        ("@a\ndef f(): pass", "@b\ndef f(): pass", False),
        ("@a\ndef f(): return 1", "@a\ndef f(): return 2", True),
        ("def f(): pass", "def g(): pass", False),
    ],
)
def test_statements_do_the_same_when_nothing_but_bodies_of_functions_differs(old: str, new: str, is_same: bool) -> None:
    assert (facts(old).signature == facts(new).signature) is is_same


@pytest.mark.parametrize(
    "text", ["x = 1", "def f():\n    return 1", "class C:\n    a = 1", "x = [f(i) for i in y]", "@d\ndef f(): pass"]
)
def test_facts_do_not_depend_on_where_a_statement_stands(text: str) -> None:
    assert facts(text) == facts(f"a = 1\n\n\n{text}") == facts(f"'doc'\n{text}")


# -- outlines


@pytest.mark.parametrize(
    ("text", "doc"),
    [
        ("'doc'\nx = 1\n", "doc"),
        ("# c\n\n   # d\n'doc'\n", "doc"),
        ("# a\fb\n'doc'\n", "doc"),
        ("'doc'\nfrom __future__ import annotations\n", "doc"),
        ("'doc'; x = 1\n", "doc"),
        ("('a'\n'b')\n", "ab"),
        ("x = 1\n'no doc'\n", None),
        ("import os\n'no doc'\n", None),
        ("'doc'\n'no doc'\n", "doc"),
        ("x = 1\n('no'\n'doc')\n", None),
        ("x = 1\n(  # c\n('no doc'))\n", None),
        ("from __future__ import annotations\n'no doc'\n", None),
        ("f'no doc'\n", None),
        ("b'no doc'\n", None),
    ],
)
def test_a_string_is_a_docstring_only_where_a_file_begins(text: str, doc: str | None) -> None:
    found = outlined(text)
    assert ("__doc__" in found.names) is (doc is not None)
    assert run(found.statements, text)[1]["__doc__"] == repr(doc)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("'doc'\nY = 1\n", "X = 1\n'doc'\nY = 1\n"),
        ("X = 1\n'doc'\nY = 1\n", "'doc'\nY = 1\n"),
        ("X = 1\n'doc'\nY = 1\n", "# X = 1\n'doc'\nY = 1\n"),
        ("'doc'\nY = 1\n", "'other'\n'doc'\nY = 1\n"),
    ],
)
def test_a_string_that_moves_begins_or_ceases_to_be_the_docstring(old: str, new: str) -> None:
    found = newer(outlined(old), new)
    assert [statement.facts.binds for statement in found.statements] == [
        statement.facts.binds for statement in outlined(new).statements
    ]


def test_the_writers_of_a_name_are_told_in_order() -> None:
    found = outlined("X = []\nY = X\nX.append(1)\nimport os\nos.x = 1\nother.x = 1\ndef X(): pass\n")
    assert found.writers == {"X": [0, 2, 6], "Y": [1], "os": [3, 4]}


def test_relative_names_are_resolved_from_the_package() -> None:
    found = outlined("from . import a\nfrom .. import b\nfrom ..c.d import e as f\nimport g.h\nimport i.j as k\n")
    assert found.imported == {
        "a": [("p.q", "a")],
        "b": [("p", "b")],
        "f": [("p.c.d", "e")],
        "g": [("g", None)],
        "k": [("i.j", None)],
    }
    assert [base for base, _ in found.imports] == ["p.q", "p", "p.c.d", "g.h", "i.j"]


def test_code_objects_that_share_a_name_are_numbered_in_the_order_of_the_text() -> None:
    found = outlined(
        "if x:\n    def f(): pass\nelse:\n    def f(): pass\nclass C:\n    def f(self): pass\ng = lambda: (lambda: 1)\n"
    )
    assert list(found.codes) == [
        ("f", 0),
        ("f", 1),
        ("C", 0),
        ("C.f", 0),
        ("<lambda>", 0),
        ("<lambda>.<locals>.<lambda>", 0),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a.b", [("a.b", ())]),
        ("from a import b, c as d", [("a", ("b", "c"))]),
        ("from . import x", [("p.q", ("x",))]),
        ("from .. import x", [("p", ("x",))]),
        ("from ..r import x", [("p.r", ("x",))]),
        ("def f():\n    from a import b", [("a", ("b",))]),
        ("from a import *", [("a", ("*",))]),
    ],
)
def test_import_statements_are_read_from_code(text: str, found: list[tuple[str, tuple[str, ...]]]) -> None:
    assert list(imports(whole(text), "p.q")) == found


@pytest.mark.parametrize("text", TRICKY.values(), ids=TRICKY)
def test_functions_stand_in_the_lines_in_which_the_whole_text_has_them(text: str) -> None:
    text = f"{text.rstrip()}\ndef last(x):\n    return [lambda: i for i in x]\nclass C:\n    def m(self): return self\n"
    text = text.replace("\r\n", "\n")
    assert places(code for statement in outlined(text).statements for code in statement.codes) == places(
        codes_in(whole(text))
    )


def test_an_outline_may_be_made_of_the_code_that_runs() -> None:
    text = (
        "x = 1\ndef f(): return lambda: 1\n\n@f\nclass C:\n    def m(self): pass\ny = list(i for i in ()); z = lambda: 1\n"
    )
    code = whole(text)
    for found in (outline(text.encode(), "m.py", "p.q", code=code), rooted(outlined(text), code, None)):
        assert [id(c) for s in found.statements for c in s.codes] == [id(c) for c in codes_in(code)]
        assert [len(statement.roots) for statement in found.statements] == [0, 1, 1, 2]
        assert [statement.facts for statement in found.statements] == [
            statement.facts for statement in outlined(text).statements
        ]


# -- newer outlines


@pytest.mark.parametrize("above", ["", "'doc'\n", "from __future__ import annotations\n"])
def test_statements_away_from_the_edit_are_the_same_objects(above: str) -> None:
    old = outlined(f"{above}a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n")
    new = newer(old, f"{above}a = 1\nb = 2\nc = 30\nd = 4\ne = 5\n")
    assert texts(new)[-3:] == ["c = 30\n", "d = 4\n", "e = 5\n"]
    for index in (-5, -2, -1):  # the one just above was looked at again, as it may have gone on
        assert new.statements[index] is old.statements[index]


def test_flags_of_a_future_import_hold_for_what_is_compiled_later() -> None:
    old = outlined("from __future__ import annotations\na: x = 1\nb: x = 2\n")
    new = newer(old, "from __future__ import annotations\na: x = 1\nc: y = 3\nb: x = 2\n")
    assert run(prepared(new, range(4), "m.py", None).statements, "")[1]["__annotations__"] == repr(
        {"a": "x", "c": "y", "b": "x"}
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x: y\n", "from __future__ import annotations\nx: y\n"),
        ("from __future__ import annotations\nx: y\n", "x: y\n"),
        ("'doc'\nx: y\ndef f(a: b): pass\n", "'doc'\nfrom __future__ import annotations\nx: y\ndef f(a: b): pass\n"),
    ],
)
def test_a_future_import_that_comes_or_goes_changes_every_statement(old: str, new: str) -> None:
    found = newer(outlined(old), new)
    assert found.flags == outlined(new).flags
    assert [statement.facts for statement in found.statements] == [statement.facts for statement in outlined(new).statements]


def test_only_what_changed_lines_is_made_anew_and_nothing_of_it_is_ready_to_run() -> None:
    old = outlined("a = 1\nb = 2\nc = 3\ndef f():\n    return [lambda: 1]\n")
    new = newer(old, "a = 1\nb = 2\nx = (\n1)\nc = 3\ndef f():\n    return [lambda: 1]\n")
    assert new.statements[0] is old.statements[0]
    assert [statement.line for statement in new.statements] == [1, 2, 3, 5, 6]
    assert [statement.code is None for statement in new.statements] == [False, False, False, True, True]
    assert new.statements[-1].facts is old.statements[-1].facts


def test_a_newer_outline_keeps_the_lines_of_each_version_by_its_pin() -> None:
    first, second = object(), object()
    old = outline(b"def a(): 1\ndef b(): 2\ndef c(): 3\n", "one", "", pin=first)
    new = revised(old, b"def a(): 1\ndef b(): 2\ndef d(): 4\ndef c(): 3\n", "two", pin=second)
    assert [statement.pin for statement in new.statements] == [first, first, second, second]


def test_a_statement_that_no_function_is_made_of_keeps_no_lines() -> None:
    (statement,) = outline(b"a = 1\n", "one", "", pin=object()).statements
    assert statement.pin is None


def test_moved_functions_are_called_what_the_newer_text_is_called() -> None:
    old = outline(b"a = 1\ndef f(): return lambda: 1\n", "one", "")
    new = revised(old, b"a = 1\nb = 2\ndef f(): return lambda: 1\n", "two")
    assert {code.co_filename for code in new.statements[-1].codes} == {"two"}
    assert {code.co_filename for code in old.statements[-1].codes} == {"one"}


def test_the_older_outline_stays_as_it_is() -> None:
    old = outlined("a = 1\ndef f(): pass\n")
    before = places(old.codes.values())
    newer(old, "x = 1\na = 1\ndef f(): pass\n")
    assert (texts(old), places(old.codes.values())) == (["a = 1\n", "def f(): pass\n"], before)


REVISIONS = {
    "the last statement goes on": ("a = 1\nb = 2", "a = 1\nb = 23"),
    "the last statement gets a block": ("a = 1\nif a: b", "a = 1\nif a: b\nelse: c\n"),
    "a statement in the middle goes on": ("a = 1\nif a:\n    b\nc\n", "a = 1\nif a:\n    b\nelse:\n    d\nc\n"),
    "a comment is added behind": ("a = 1\nb = 2\n", "a = 1\n# c\nb = 2\n"),
    "a comment is added above": ("a = 1\nb = 2\n", "# c\na = 1\nb = 2\n"),
    "a text with a comment above gets a statement above that": ("# c\na = 1\n", "b = 1\n# c\na = 1\n"),
    "a text with a blank line above gets a statement above that": ("\na = 1\n", "b = 1\n\na = 1\n"),
    "a decorator is taken away": ("@d\ndef f(): pass\nb = 1\n", "def f(): pass\nb = 1\n"),
    "a string is opened and closed": ("a = 1\nb = 2\n", "a = '''\nb = 2\n'''\nb = 2\n"),
    "a string swallows the end": ("a = 1\nb = 2\nc = '''\n'''\n", "a = '''\nb = 2\nc = '''\n"),
    "everything goes": ("a = 1\nb = 2\n", ""),
    "everything comes": ("", "a = 1\nb = 2\n"),
    "all but the end goes": ("a = 1\nb = 2\nc = 3", "c = 3"),
    "a statement is doubled": ("a = 1\nb = 2\n", "a = 1\na = 1\nb = 2\n"),
    "a statement is doubled at the end": ("a = 1\nb = 2\n", "a = 1\nb = 2\nb = 2\n"),
    "the last newline goes": ("a = 1\nb = 2\n", "a = 1\nb = 2"),
    "an else of its own gets an if": ("if a: b\nelse: c\n", "if x: y\nif a: b\nelse: c\n"),
    "a body grows": ("def f():\n    a\ndef g():\n    b\n", "def f():\n    a\n\n    c\ndef g():\n    b\n"),
}


@pytest.mark.parametrize(("old", "new"), REVISIONS.values(), ids=REVISIONS)
def test_a_newer_outline_is_what_the_newer_text_gives(old: str, new: str) -> None:
    same(newer(outlined(old), new), outlined(new), new)


@pytest.mark.parametrize(
    "new", ["a = 1 + \\\nb = 2\n", "a = (\nb = 2\n", "a = '''\nb = 2\n", "if a:\nb = 2\n", "@a\nb = 2\n"]
)
def test_a_statement_that_would_swallow_the_next_one_is_no_boundary(new: str) -> None:
    with pytest.raises(NotSeparable):
        newer(outlined("a = 1\nb = 2\n"), new)


def test_a_decorator_takes_the_next_statement_along() -> None:
    with pytest.raises(NotSeparable):  # it is cut anew then
        newer(outlined("a = 1\ndef f(): pass\n"), "a = 1\n@d\ndef f(): pass\n")


def test_prepared_statements_can_run_and_the_others_stay() -> None:
    old = outlined("a = 1\nb = a\nc = 3\ndef f(): return b\n")
    new = newer(old, "a = 1\nb = a\n\n\nc = 3\ndef f(): return b\n")
    ready = prepared(new, [3], "m.py", "pin")
    assert [statement.code is not None for statement in ready.statements] == [True, True, False, True]
    assert ready.statements[:3] == new.statements[:3]
    assert places(ready.statements[3].codes) == places(new.statements[3].codes)
    assert ready.statements[3].pin == "pin"


# -- any text

FRAGMENTS = (
    "x = 1",
    "y = x + 1",
    "z = [x, (y := 3)]",
    "x: int = 2",
    "w: 'x'",
    "a = 1; b = [a]; c = lambda: (a, b)",
    'x = """a\n\nb = 1\n"""',
    "y = (1,\n2,\n# c\n)",
    "x = 1 + \\\n  2",
    "x = 'a\\\nb'",
    "s = '#('  # it's",
    "r = r'\\'' '\"\"\"'",
    "t = f'''\n{\n1}\n'''",
    "f'{x}' 'y'",
    "'doc'",
    "'''doc\n'''",
    "('doc')",
    "# comment",
    "    # indented comment",
    "",
    "\f",
    "    ",
    "from __future__ import annotations",
    "import os.path as p",
    "def f(): pass",
    "def f(a=1, *, b: int = 2):\n    'doc'\n    return lambda: [a for b in (a, b)]",
    "@deco\n# c\n\n@deco\ndef g():\n\n    def f(x): return x\n    return f\n",
    "async def co():\n    async for a in b:\n        yield a",
    "class C(object):\n    '''doc'''\n    n = 1\n\n    def m(self):\n        return super().__init__()\n# c\n    k = [i for i in (1, 2)]",
    "@deco\nclass D: pass",
    "if x:\n    z = 1\n# between\nelif 0:\n\tz = 2\nelse:\n    z = (\n3)",
    "try:\n    z = undefined\nexcept NameError as e:\n    z = 3\nfinally:\n    y = 4",
    "for i in (1, 2):\n    v = {\ni: i}\nelse:\n    w = 1",
    "with deco(manager()) as m:\n    def f():\n        return m",
    "match x:\n    case [a, *b]:\n        pass\n    case _:\n        k = 1",
    "undefined",
    "del x",
    "z = [last := i for i in (1, 2)]",
)
_fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=6)


class Manager:
    def __enter__(self) -> int:
        return 1

    def __exit__(self, *_: object) -> None:
        pass


@st.composite
def _edits(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a text and another one: statements are replaced, moved or doubled, or a few letters are."""
    before = draw(_fragments)
    after = list(before)
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(after)))
        end = draw(st.integers(start, len(after)))
        put = draw(st.integers(0, len(after)))
        after[put:put] = draw(st.sampled_from([after[start:end], []])) if draw(st.booleans()) else draw(_fragments)[:2]
        if draw(st.booleans()):
            del after[start:end]
    old, new = ("\n".join(lines) + draw(st.sampled_from(["\n", ""])) for lines in (before, after))
    if draw(st.integers(0, 3)) == 0:
        start = draw(st.integers(0, len(new)))
        end = start + draw(st.integers(0, 3))
        new = new[:start] + draw(st.text("\n \"'#()\\:@;x=\f", max_size=3)) + new[end:]
    return old, new


def shape(value: object) -> object:
    """Return what can be compared of a value that was made by another run."""
    if isinstance(value, types.FunctionType):
        return places([value.__code__, *codes_in(value.__code__)]), value.__defaults__, value.__doc__, value.__annotations__
    if isinstance(value, type):
        return {key: shape(member) for key, member in vars(value).items() if key not in {"__dict__", "__weakref__"}}
    if isinstance(value, list | tuple):
        return [shape(item) for item in value]
    return repr(value)


def run(statements: Iterable[Statement | types.CodeType], text: str) -> tuple[str, dict[str, object]]:
    """Run statements, or a text as a whole, and return the error that ended it and the names it left."""
    namespace: dict[str, object] = {"__name__": "m", "deco": lambda f: f, "manager": Manager}
    error = ""
    try:
        for one in statements:
            code = one.code if isinstance(one, Statement) else one
            assert code is not None, text
            exec(code, namespace)  # noqa: S102 - that is what is tested
    except Exception as raised:
        error = repr(raised)
    if namespace.get("__annotations__") == {}:  # a whole text makes it before its first statement
        del namespace["__annotations__"]
    namespace.setdefault("__doc__", None)
    return error, {key: shape(value) for key, value in namespace.items() if key not in {"__builtins__", "deco", "manager"}}


def described(found: Outline) -> list[tuple[object, ...]]:
    return [(s.text, s.line, s.facts, places(s.codes)) for s in found.statements]


def same(found: Outline, expected: Outline, text: str) -> None:
    assert texts(found) == texts(expected)
    assert described(found) == described(expected)
    assert places(found.codes.values()) == places(expected.codes.values()) == places(codes_in(whole(text)))
    ready = prepared(found, range(len(found.statements)), "m.py", None)
    assert places(ready.codes.values()) == places(expected.codes.values())
    assert run(ready.statements, text) == run([whole(text)], text)


@pytest.mark.timeout(0 if FUZZ else 60)
@settings(max_examples=FUZZ or 300, derandomize=not FUZZ, database=None, deadline=None)
@given(_edits())
@example(("'doc'\n", "x = 1\n'doc'\n"))
def test_bringing_an_outline_up_to_date_is_as_good_as_making_it_anew(edit: tuple[str, str]) -> None:
    before, after = edit
    try:
        old = outlined(before)
    except NotSeparable:
        with pytest.raises((SyntaxError, ValueError)):
            whole(before)
        return
    try:
        expected = whole(after) and outlined(after)
    except (SyntaxError, ValueError):
        with pytest.raises(NotSeparable):
            newer(old, after)
        return
    try:
        new = newer(old, after)
    except NotSeparable:  # a boundary was guessed wrongly: the text is then cut anew
        new = expected
    same(new, expected, after)
