"""Two outlines of one file side by side: what was kept, what runs, whose body changed, which code follows which."""

from collections.abc import Iterable

import pytest

from ipyhot.core import diff
from ipyhot.core.codes import own_codes
from ipyhot.core.outline import Outline, outline, revised


def outlined(text: str) -> Outline:
    return outline(text.encode(), "m.py", "")


class Edited:
    """An edit in words: statements by the first line of their text."""

    def __init__(self, old: str, new: str) -> None:
        self.old = outlined(old)
        self.new = outlined(new)
        self.edit = diff.edit(self.old, self.new)

    @property
    def changed(self) -> list[str]:
        return _lines(self.new, self.edit.changed)

    @property
    def removed(self) -> list[str]:
        return _lines(self.old, self.edit.removed)

    @property
    def kept(self) -> list[str]:
        return _lines(self.new, sorted(self.edit.kept))

    @property
    def touched(self) -> set[str]:
        return set(self.edit.touched)

    @property
    def followed(self) -> set[tuple[str, str]]:
        """Names of old and new code objects, where each has a constant of its own: ``f 1`` returns 1."""
        return {(_shown(one), _shown(other)) for one, other in diff.pairs(self.old, self.new, self.edit)}


def _lines(found: Outline, indexes: Iterable[int]) -> list[str]:
    return [found.statements[index].text.partition("\n")[0] for index in indexes]


def _shown(code) -> str:
    numbers = [str(const) for const in code.co_consts if isinstance(const, int)]
    return " ".join([code.co_qualname.rpartition(">.")[2], *numbers[:1]])


# -- what runs


@pytest.mark.parametrize(
    ("old", "new", "changed", "removed"),
    [
        ("A = 1\nB = 2\n", "A = 1\nB = 3\n", ["B = 3"], ["B = 2"]),
        ("A = 1\n", "A = 1\nB = 2\n", ["B = 2"], []),
        ("A = 1\nB = 2\n", "A = 1\n", [], ["B = 2"]),
        ("A = 1\n", "A = 1\nA = 1\n", ["A = 1"], []),
        ("A: int = 1\n", "A: int = 2\n", ["A: int = 2"], ["A: int = 1"]),
        ("A: int = 1\n", "A: str = 1\n", ["A: str = 1"], ["A: int = 1"]),
        ("class C:\n    x = 1\n", "class C:\n    x = 2\n", ["class C:"], ["class C:"]),
        ("def f(x=1): pass\n", "def f(x=2): pass\n", ["def f(x=2): pass"], ["def f(x=1): pass"]),
        ("def f(): pass\n", "@d\ndef f(): pass\n", ["@d"], ["def f(): pass"]),
        ("def f(): pass\n", "def g(): pass\n", ["def g(): pass"], ["def f(): pass"]),
        ("print(1)\n", "print(2)\n", ["print(2)"], ["print(1)"]),
        ("from a import b\n", "from a import c\n", ["from a import c"], ["from a import b"]),
        ("x = [f(i) for i in y]\n", "x = [g(i) for i in y]\n", ["x = [g(i) for i in y]"], ["x = [f(i) for i in y]"]),
        ("", "A = 1\n", ["A = 1"], []),
        ("A = 1\n", "", [], ["A = 1"]),
    ],
)
def test_statements_that_do_something_else_run(old: str, new: str, changed: list[str], removed: list[str]) -> None:
    edited = Edited(old, new)
    assert (edited.changed, edited.removed) == (changed, removed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A = 1\nB = 2\n", "A = 1\nB = 2"),
        ("A = 1\nB = 2\n", "# c\n\nA = 1  # d\n\n\nB   =   2\n"),
        ("A = [1, 2]\n", "A = [\n    1,\n    2,\n]\n"),
        ("def f(): return 1\n", "# c\ndef f():\n\n    # d\n    return 1\n"),
        ("'doc'\nA = 1\n", "# c\n'doc'\nA = 1\n"),
        ("", "# c\n"),
        ("# c\n", "# d\n"),
        ("A = 1\n", "A = 1\n"),
    ],
)
def test_comments_and_lines_run_nothing_and_touch_nothing(old: str, new: str) -> None:
    edited = Edited(old, new)
    assert [line for line in edited.changed + edited.removed if line.strip("# cd")] == []
    assert (edited.touched, edited.edit.is_reordered) == (set(), False)


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("def f(): return 1\n", "def f(): return 2\n", {"f"}),
        ("def f(a): return 1\n", "def f(a, *b): return 1\n", {"f"}),
        ("async def f(): return 1\n", "def f(): return 1\n", {"f"}),
        ("def f():\n    'doc'\n", "def f():\n    'other'\n", {"f"}),
        ("@d(1)\ndef f(): return 1\n", "@d(1)\ndef f(): return 2\n", {"f"}),
        ("class C:\n    def m(self): return 1\n", "class C:\n    def m(self): return 2\n", {"C.m"}),
        (
            "class C:\n    def a(self): return 1\n    def b(self): return 1\n",
            "class C:\n    def a(self): return 1\n    def b(self): return 2\n",
            {"C.b"},
        ),
        (
            "def f():\n    def g(): return 1\n    return g\n",
            "def f():\n    def g(): return 2\n    return g\n",
            {"f", "f.<locals>.g"},
        ),
        ("def f():\n    return lambda: 1\n", "def f():\n    return 1\n", {"f", "f.<locals>.<lambda>"}),
        ("h = lambda: 1\n", "h = lambda: 2\n", {"<lambda>", "h"}),
        ("if x:\n    def f(): return 1\n", "if x:\n    def f(): return 2\n", {"f"}),
        (
            "class C:\n    class D:\n        def m(self): return 1\n",
            "class C:\n    class D:\n        def m(self): return 2\n",
            {"C.D.m"},
        ),
    ],
)
def test_a_statement_of_which_only_bodies_of_functions_changed_does_not_run(old: str, new: str, touched: set[str]) -> None:
    edited = Edited(old, new)
    assert (edited.changed, edited.removed, edited.touched) == ([], [], touched)


@pytest.mark.parametrize("above", ["import os\n", "X = 1\n", "'doc'\n"])
def test_a_line_above_the_first_definition_does_not_make_it_run(above: str) -> None:
    edited = Edited("def f(): return 1\n", f"{above}def f(): return 2\n")
    assert (edited.changed, edited.kept, edited.touched) == ([above.strip()], ["def f(): return 2"], {"f"})
    edited = Edited(f"{above}def f(): return 1\n", "def f(): return 2\n")
    assert (edited.changed, edited.removed, edited.touched) == ([], [above.strip()], {"f"})


def test_a_function_under_another_name_runs_although_its_body_is_the_same() -> None:
    edited = Edited("def f(): return 1\ndef h(): return 3\n", "def g(): return 1\ndef h(): return 3\n")
    assert (edited.changed, edited.removed, edited.touched) == (["def g(): return 1"], ["def f(): return 1"], set())


def test_an_edit_in_a_long_file_keeps_everything_else() -> None:
    lines = [f"x{number} = {number}\n" for number in range(500)]
    edited = Edited(
        "".join(lines), "".join([*lines[:100], "y = 1\n", *lines[100:300], *lines[301:400], "x400 = 0\n", *lines[401:]])
    )
    assert (edited.changed, edited.removed) == (["y = 1", "x400 = 0"], ["x300 = 300", "x400 = 400"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A = 1\nB = 2\nC = 3\n", "C = 3\nA = 1\nB = 2\n"),
        ("A = 1\nB = 2\nC = 3\n", "C = 3\nB = 2\nA = 1\n"),
        ("def f(): return 1\nA = 1\n", "A = 1\ndef f(): return 2\n"),
        ("A = 1\n\n\nB = 2\n", "B = 2\n\n\nA = 1\n"),
    ],
)
def test_statements_that_change_places_are_kept_and_said_to_be_reordered(old: str, new: str) -> None:
    edited = Edited(old, new)
    assert (edited.changed, edited.removed, edited.edit.is_reordered) == ([], [], True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A = 1\nB = 2\n", "A = 1\nX = 0\nB = 2\n"),
        ("A = 1\nB = 2\nC = 3\n", "A = 1\nC = 3\n"),
        ("A = 1\nB = 2\n", "A = 9\nB = 2\n"),
    ],
)
def test_what_is_only_added_removed_or_changed_is_not_reordered(old: str, new: str) -> None:
    assert Edited(old, new).edit.is_reordered is False


def test_each_old_statement_is_followed_by_one_at_most() -> None:
    edited = Edited("x.append(1)\nA = 1\nx.append(1)\n", "x.append(1)\nx.append(1)\nx.append(1)\nA = 1\n")
    assert (edited.changed, edited.removed) == (["x.append(1)"], [])
    assert len(set(edited.edit.kept.values())) == len(edited.edit.kept)


@pytest.mark.parametrize(
    ("old", "new", "changed", "removed"),
    [
        ("'doc'\nA = 1\n", "X = 1\n'doc'\nA = 1\n", ["X = 1", "'doc'"], ["'doc'"]),
        ("X = 1\n'doc'\nA = 1\n", "'doc'\nA = 1\n", ["'doc'"], ["X = 1", "'doc'"]),
        ("'doc'\nX = 1\n", "X = 1\n'doc'\n", ["'doc'"], ["'doc'"]),
    ],
)
def test_a_string_that_begins_or_ceases_to_be_the_docstring_is_another_statement(
    old: str, new: str, changed: list[str], removed: list[str]
) -> None:
    edited = Edited(old, new)
    assert (edited.changed, edited.removed) == (changed, removed)


def test_an_outline_that_was_brought_up_to_date_gives_the_same_edit_as_one_made_anew() -> None:
    old = outlined("A = 1\ndef f(): return 1\nB = 2\ndef g(): return 2\n")
    text = "A = 1\n\ndef f(): return 10\nB = 2\nC = 3\ndef g(): return 2\n"
    assert diff.edit(old, revised(old, text.encode(), "m.py")) == diff.edit(old, outlined(text))


def test_nothing_is_different_between_an_outline_and_itself() -> None:
    old = outlined("A = 1\ndef f(): return 1\nf()\n")
    edit = diff.edit(old, old)
    assert (edit.kept, edit.changed, edit.removed, edit.touched) == ({0: 0, 1: 1, 2: 2}, (), (), frozenset())
    assert list(diff.pairs(old, old, edit)) == []


# -- which code follows which


@pytest.mark.parametrize(
    ("old", "new", "followed"),
    [
        ("def f(): return 1\n", "def f(): return 2\n", {("f 1", "f 2")}),
        ("def f(): return 1\n", "@d\ndef f(): return 2\n", {("f 1", "f 2")}),
        ("def f(x=0): return 1\n", "def f(x=3): return 2\n", {("f 1", "f 2")}),
        ("def f(): return 1\nA = 1\n", "A = 2\ndef f(): return 2\n", {("f 1", "f 2")}),
        ("if x:\n    def f(): return 1\n", "def f(): return 2\n", {("f 1", "f 2")}),
        ("def f(): return 1\n", "def g(): return 1\n", set()),
        ("def f(): return 1\n", "f = 1\n", set()),
        (
            "a = lambda: 1\nb = lambda: 2\n",
            "a = lambda: 1\nb = lambda: 3\n",
            {("<lambda> 2", "<lambda> 3"), ("<lambda> 1", "<lambda> 1")},
        ),
        (
            "a = lambda: 1\nb = lambda: 2\n",
            "b = lambda: 2\na = lambda: 3\n",
            {("<lambda> 2", "<lambda> 2"), ("<lambda> 1", "<lambda> 3")},
        ),
        (
            "t = [lambda: 1, lambda: 2]\n",
            "t = [lambda: 2, lambda: 1]\n",
            {("<lambda> 1", "<lambda> 1"), ("<lambda> 2", "<lambda> 2")},
        ),
        (
            "t = [lambda: 1, lambda: 2]\n",
            "t = [lambda: 3, lambda: 2]\n",
            {("<lambda> 1", "<lambda> 3"), ("<lambda> 2", "<lambda> 2")},
        ),
        (
            "t = [lambda: 1, lambda: 2]\n",
            "t = [lambda: 3, lambda: 4]\n",
            {("<lambda> 1", "<lambda> 3"), ("<lambda> 2", "<lambda> 4")},
        ),
        ("t = [lambda: 1, lambda: 2]\n", "t = [lambda: 3, lambda: 2, lambda: 4]\n", {("<lambda> 2", "<lambda> 2")}),
        ("t = [lambda: 1, lambda: 2]\n", "t = [lambda: 2]\n", {("<lambda> 2", "<lambda> 2")}),
        ("t = [lambda: 1, lambda: 2]\n", "t = [lambda: 3]\n", set()),
        (
            "def f(): return 1\ndef f(): return 2\n",
            "def f(): return 1\ndef f(): return 3\n",
            {("f 1", "f 1"), ("f 2", "f 3")},
        ),
        (
            "def f():\n    def g(): return 1\n    return 5\n",
            "def f():\n    def g(): return 2\n    return 5\n",
            {("f 5", "f 5"), ("g 1", "g 2")},
        ),
    ],
)
def test_functions_of_the_same_name_follow_each_other(old: str, new: str, followed: set[tuple[str, str]]) -> None:
    assert Edited(old, new).followed == followed


def test_a_method_follows_the_method_of_its_class() -> None:
    edited = Edited(
        "class A:\n    def m(self): return 1\nclass B:\n    def m(self): return 2\n",
        "class B:\n    x = 0\n    def m(self): return 4\nclass A:\n    def m(self): return 3\n",
    )
    assert {("A.m 1", "A.m 3"), ("B.m 2", "B.m 4")} <= edited.followed


def test_code_that_stayed_the_same_object_follows_nothing() -> None:
    old = outlined("def a(): return 1\ndef b(): return 2\ndef c(): return 3\ndef d(): return 4\n")
    new = revised(old, b"def a(): return 1\ndef b(): return 2\ndef c(): return 5\ndef d(): return 4\n", "m.py")
    found = {code.co_name: other for code, other in diff.pairs(old, new, diff.edit(old, new))}
    assert not {"a", "d"} & found.keys()
    assert found["c"] is new.codes["c", 0]


def test_code_that_only_moved_follows_so_that_lines_are_right() -> None:
    old = outlined("A = 1\nB = 2\ndef f():\n    return [lambda: 1]\n")
    new = revised(old, b"A = 1\n\n\n\nB = 2\ndef f():\n    return [lambda: 1]\n", "m.py")
    found = list(diff.pairs(old, new, diff.edit(old, new)))
    assert [(code.co_qualname, other.co_firstlineno - code.co_firstlineno) for code, other in found] == [
        ("f", 3),
        ("f.<locals>.<lambda>", 3),
    ]


def test_no_code_follows_two_and_none_is_followed_by_two() -> None:
    old = outlined("a = lambda: 1\nb = [lambda: 1, lambda: 2]\nc = lambda: 1\n")
    new = outlined("c = lambda: 1\nb = [lambda: 2, lambda: 1, lambda: 1]\na = lambda: 1\n")
    found = list(diff.pairs(old, new, diff.edit(old, new)))
    assert len({id(one) for one, _ in found}) == len({id(other) for _, other in found}) == len(found)


def test_successors_may_be_told_for_any_two_sets_of_code() -> None:
    one, two = (own_codes(outlined(f"def f(): return {n}\ndef g{n}(): pass\n").codes.values()) for n in (1, 2))
    assert list(diff.successors(one, two)) == [(one["f", 0], two["f", 0])]
