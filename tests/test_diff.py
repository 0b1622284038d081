import pytest

from ipyhot.core import diff
from ipyhot.core.model import Source, Way


def edit(old: str, new: str) -> tuple[str, ...]:
    return diff.edit(Source("m", "/m.py", old.encode(), "1"), Source("m", "/m.py", new.encode(), "2")).names


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("A = 1\nB = 2\n", "A = 1\nB = 3\n", ("B",)),
        ("def f():\n    return 1\n", "def f():\n    return 2\n", ("f",)),
        ("class C:\n    x = 1\n", "class C:\n    x = 2\n", ("C",)),
        ("def f(): pass\n", "def g(): pass\n", ("g", "f")),
        ("A: int = 1\n", "A: int = 2\n", ("A",)),
        ("print(1)\n", "print(2)\n", ()),
    ],
)
def test_the_names_that_an_edit_touches_are_told(old: str, new: str, names: tuple[str, ...]) -> None:
    assert edit(old, new) == names


def test_a_module_without_a_past_is_loaded() -> None:
    assert diff.edit(None, Source("m", "/m.py", b"A = 1", "1")).way is Way.LOAD


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
def test_import_statements_are_read_from_code(text: str, found: list) -> None:
    assert list(diff.imports(compile(text, "m", "exec"), "p.q")) == found
