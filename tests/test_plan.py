"""Who is run, which of its statements, why, and who holds whom back.

base ◀── left ◀── top        lone
     ◀── right ◀─┘
"""

import textwrap
from collections.abc import Callable, Collection

import pytest

from ipyhot.core import plan
from ipyhot.core.graph import Graph
from ipyhot.core.model import Change, Source, Step, Version, Way
from ipyhot.core.outline import NotSeparable, Outline, outline
from ipyhot.core.scan import is_inert
from ipyhot.core.verdict import held_back

FILES = {
    "base": "K = 1\ndef f(): return 1\n",
    "left": "from base import K, f\nL = K + 1\ndef g(): return f()\n",
    "right": "import base\nR = base.K + 2\n",
    "top": "from left import L\nfrom right import R\nT = L + R\nQUIET = 1\n",
    "lone": "X = 1\nY = [X]\n",
}
EDGES = {"base": set(), "left": {"base"}, "right": {"base"}, "top": {"left", "right"}, "lone": set()}
MORE = FILES["base"].replace("K = 1", "K = 2")

Trace = dict[str, list[str] | Way]


def outlined(text: str) -> Outline | None:
    try:
        return outline(text.encode(), "m.py", "")
    except NotSeparable:
        return None


def source(name: str, text: str) -> Source:
    return Source(name, f"/{name}.py", text.encode(), text)


class Planned:
    """A plan and what it runs, in words."""

    def __init__(self, plan: plan.Plan, newest: dict[str, Outline | None]) -> None:
        self.plan = plan
        self.newest = newest

    def __getitem__(self, name: str) -> Step:
        return self.plan.steps[name]

    @property
    def ran(self) -> Trace:
        """The first lines of the statements of each patched module that run, and how others are taken, in order."""
        return {
            name: step.way if step.run is None else self._lines(step, step.run) for name, step in self.plan.steps.items()
        }

    def aside(self, name: str) -> list[str]:
        return self._lines(self[name], self[name].aside)

    def held_back(self, *failed: str) -> dict[str, set[str]]:
        return {name: set(by) for name, by in held_back(self.plan, failed, EDGES).items()}

    def _lines(self, step: Step, indexes: Collection[int]) -> list[str]:
        found = self.newest[step.name]
        assert found is not None
        lines = [found.statements[index].text.partition("\n")[0] for index in indexes]
        return [line for line in lines if line.strip() and not line.startswith("#")]


class World:
    """Live modules that were loaded in the order in which they are named."""

    def __init__(self, files: dict[str, str], edges: dict[str, set[str]] | None = None) -> None:
        self.texts = {name: textwrap.dedent(text) for name, text in files.items()}
        self.outlines = {name: outlined(text) for name, text in self.texts.items()}
        self.live = {name: Version(source(name, text), 1) for name, text in self.texts.items()}
        self.entered = {name: turn for turn, name in enumerate(files)}
        self.graph = Graph()
        for name, found in self.outlines.items():
            shown = {base for base, _ in found.imports} if found is not None else set()
            inert = is_inert(compile(self.texts[name], name, "exec"))
            self.graph.replace(name, edges.get(name, shown) if edges is not None else shown, is_inert=inert)

    def saved(
        self,
        *,
        failing: tuple[str, ...] = (),
        forced: tuple[str, ...] = (),
        patches: bool = True,
        grows: Callable[[str, str], bool] = lambda module, name: False,
        **texts: str | None,
    ) -> Planned:
        """Plan for files that were written, or deleted for None."""
        new = {name: None if text is None else textwrap.dedent(text) for name, text in texts.items()}
        sources = {name: None if text is None else source(name, text) for name, text in new.items()}
        newest = self.outlines | {name: None if text is None else outlined(text) for name, text in new.items()}
        made = plan.make(
            {
                name: Change(name, f"/{name}.py", found, "it was asked for" if name in forced else "")
                for name, found in sources.items()
            },
            {name: plan.Revision(self.outlines.get(name) if name in self.live else None, newest[name]) for name in new},
            self.graph,
            self.live,
            failing,
            self.entered,
            outline_of=self.outlines.get,
            is_watched=lambda name: name in self.outlines or name in new,
            grows=grows,
            patches=patches,
        )
        return Planned(made, newest)


@pytest.fixture
def world() -> World:
    return World(FILES)


def saved(old: str, new: str, **others: str) -> Planned:
    """Plan for one file that changes, among others that import from it."""
    return World({"a": old, **others}).saved(a=new)


# -- which modules, in which order


def test_a_change_runs_what_computes_with_it_in_its_dependents_and_nothing_else(world: World) -> None:
    assert world.saved(base=MORE).ran == {
        "base": ["K = 2"],
        "left": ["from base import K, f", "L = K + 1"],
        "right": ["R = base.K + 2"],
        "top": ["from left import L", "from right import R", "T = L + R"],
    }
    assert world.saved(lone="X = 2\nY = [X]\n").ran == {"lone": ["X = 2", "Y = [X]"]}


def test_modules_run_in_the_order_in_which_they_were_first_entered_and_new_ones_last(world: World) -> None:
    world.entered = {"top": 0, "right": 1, "left": 2, "base": 3}
    assert list(world.saved(base=MORE, brand_new="", another="").ran) == [
        "top",
        "right",
        "left",
        "base",
        "another",
        "brand_new",
    ]


def test_a_changed_file_runs_its_new_text_and_a_dependent_the_live_one(world: World) -> None:
    planned = world.saved(base=MORE)
    assert (planned["base"].source, planned["left"].source) == (source("base", MORE), world.live["left"].source)


def test_a_dependent_that_changed_as_well_runs_its_new_text(world: World) -> None:
    planned = world.saved(base=MORE, top="from left import L\nT = L\n")
    assert planned.ran["top"] == ["from left import L", "T = L"]


def test_a_change_that_nobody_computes_with_stays_where_it_is(world: World) -> None:
    assert world.saved(base=FILES["base"] + "NEW = 1\n").ran == {"base": ["NEW = 1"]}
    assert world.saved(top=FILES["top"].replace("QUIET = 1", "QUIET = 2")).ran == {"top": ["QUIET = 2"]}


def test_a_body_that_nobody_calls_while_loading_runs_nothing(world: World) -> None:
    assert world.saved(base=FILES["base"].replace("return 1", "return 2")).ran == {"base": []}


def test_lines_and_comments_run_nothing(world: World) -> None:
    planned = world.saved(base="# why\n\nK = 1  # one\n\n\ndef f():\n    return 1\n")
    assert planned.ran == {"base": []}


def test_a_file_that_is_gone_is_dropped(world: World) -> None:
    planned = world.saved(lone=None)
    assert (planned.ran, planned["lone"].source, planned["lone"].reason) == ({"lone": Way.DROP}, None, "its file is gone")


def test_who_takes_from_a_file_that_is_gone_imports_again(world: World) -> None:
    assert world.saved(base=None).ran == {
        "base": Way.DROP,
        "left": ["from base import K, f", "L = K + 1"],
        "right": ["import base", "R = base.K + 2"],
        "top": ["from left import L", "from right import R", "T = L + R"],
    }


def test_a_file_that_was_not_live_is_loaded(world: World) -> None:
    del world.live["lone"]
    planned = world.saved(lone="X = 2\n", brand_new="")
    assert planned.ran == {"lone": Way.LOAD, "brand_new": Way.LOAD}
    assert planned["brand_new"].reason == "it is new"


def test_a_module_that_is_not_live_is_reached_by_nobody(world: World) -> None:
    del world.live["top"]
    assert "top" not in world.saved(base=MORE).ran


# -- how a file is taken


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("print(1)\n", "print(2)\n", "its effects are unknown"),
        ("X = 1\nprint(1)\n", "X = 1\n", "line 2 of the old text is gone, and its effects are unknown"),
        ("X = 1\nprint(X)\n", "X = 2\nprint(X)\n", "line 2 depends on what changed, and its effects are unknown"),
        ("exec('')\n", "exec('1')\n", "exec() may read or write anything"),
        ("x: y = 1\n", "from __future__ import annotations\nx: y = 1\n", "its __future__ imports changed"),
        (
            "from elsewhere import *\nX = 1\n",
            "from elsewhere import *\nX = 2\n",
            "everything from a module that is not watched",
        ),
        (
            "import elsewhere\nelsewhere.x = 1\n",
            "import elsewhere\nelsewhere.x = 2\n",
            "it changes elsewhere, which another module made",
        ),
        ("def __hot_getstate__(): pass\nX = 1\n", "def __hot_getstate__(): pass\nX = 2\n", "it hands over its state itself"),
    ],
)
def test_a_file_is_executed_as_a_whole_when_an_edit_cannot_be_followed(old: str, new: str, reason: str) -> None:
    planned = saved(old, new)
    assert planned.ran == {"a": Way.RELOAD}
    assert reason in planned["a"].reason


def test_a_file_is_executed_as_a_whole_when_that_was_asked_for(world: World) -> None:
    planned = world.saved(base=FILES["base"], forced=("base",))
    assert (planned.ran["base"], planned["base"].reason) == (Way.RELOAD, "it was asked for")


def test_a_text_without_an_outline_is_executed_as_a_whole_and_says_so(world: World) -> None:
    planned = world.saved(base="K = (\n")
    assert (planned.ran["base"], planned["base"].reason) == (Way.RELOAD, "its text cannot be taken apart")
    assert planned.ran["left"] == ["from base import K, f", "L = K + 1"]


def test_every_file_that_is_reached_is_executed_as_a_whole_when_patches_are_off(world: World) -> None:
    planned = world.saved(base=MORE, patches=False)
    assert planned.ran == dict.fromkeys(["base", "left", "right", "top"], Way.RELOAD)


def test_an_unknown_effect_at_the_end_of_a_file_is_merely_added() -> None:
    assert saved("X = 1\n", "X = 1\nprint(X)\n").ran == {"a": ["print(X)"]}


def test_a_body_may_change_beside_unknown_effects() -> None:
    assert saved("def f(): return 1\nprint(1)\n", "def f(): return 2\nprint(1)\n").ran == {"a": []}


def test_a_file_with_hooks_of_its_own_takes_new_bodies_without_running() -> None:
    old = "def __hot_getstate__(): return 1\ndef f(): return 1\nX = 1\n"
    assert saved(old, old.replace("return 1", "return 2")).ran == {"a": []}


def test_an_import_that_the_text_does_not_show_reloads_the_file_whatever_it_does_with_it() -> None:
    world = World({"base": "K = 1\n", "odd": "Y = 1\n"}, edges={"odd": {"base"}})
    planned = world.saved(base="K = 2\n")
    assert planned.ran == {"base": ["K = 2"], "odd": Way.RELOAD}
    assert "in a way that its text does not show" in planned["odd"].reason


# -- why


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("X = 1\n", "X = 2\n", "X changed"),
        ("X = 1\n", "X = 1\nY = 2\n", "Y changed"),
        ("X = 1\nY = 2\n", "X = 1\n", "Y changed"),
        ("def f(): return 1\n", "def f(): return 2\n", "f changed"),
        ("class C:\n    def m(self): return 1\n", "class C:\n    def m(self): return 2\n", "C.m changed"),
        ("A = B = C = D = 1\n", "A = B = C = D = 2\n", "A, B, C and 1 more changed"),
        ("X = 1\n", "# c\n\nX = 1\n", "comments or lines changed"),
        ("x.y = 1\n", "x.y = 2\n", "its text changed"),
    ],
)
def test_a_reason_names_what_changed(old: str, new: str, reason: str) -> None:
    assert saved(old, new)["a"].reason == reason


def test_a_dependent_says_what_it_depends_on(world: World) -> None:
    planned = world.saved(base=MORE)
    assert (planned["left"].reason, planned["right"].reason) == ("K changed", "K changed")
    assert planned["top"].reason in {"L changed", "R changed", "left changed", "right changed"}


# -- which statements


@pytest.mark.parametrize(
    ("old", "new", "ran"),
    [
        ("cache = {}\nX = 1\n", "cache = {}\nX = 2\n", ["X = 2"]),
        (
            "X = 1\nY = X + 1\nZ = Y + 1\nW = 0\n",
            "X = 2\nY = X + 1\nZ = Y + 1\nW = 0\n",
            ["X = 2", "Y = X + 1", "Z = Y + 1"],
        ),
        ("def f(): return 1\nX = f()\n", "def f(): return 2\nX = f()\n", ["X = f()"]),
        (
            "def g(): return 1\ndef f(): return g()\nX = f()\n",
            "def g(): return 2\ndef f(): return g()\nX = f()\n",
            ["X = f()"],
        ),
        ("def f(): return 1\nX = {'f': f}\n", "def f(): return 2\nX = {'f': f}\n", []),
        ("def f(): return 1\nX = f\n", "def f(): return 2\nX = f\n", []),
        ("K = 1\ndef f(): return K\n", "K = 2\ndef f(): return K\n", ["K = 2"]),
        ("K = 1\ndef f(): return K\nX = f()\n", "K = 2\ndef f(): return K\nX = f()\n", ["K = 2", "X = f()"]),
        ("K = 1\ndef f(x=K): pass\n", "K = 2\ndef f(x=K): pass\n", ["K = 2", "def f(x=K): pass"]),
        ("K = 1\nclass C:\n    a = K\n", "K = 2\nclass C:\n    a = K\n", ["K = 2", "class C:"]),
        ("K = 1\nclass C:\n    K = K\n", "K = 2\nclass C:\n    K = K\n", ["K = 2", "class C:"]),
        (
            "class B:\n    def m(self): return 1\nclass C(B): pass\n",
            "class B:\n    def m(self): return 2\nclass C(B): pass\n",
            [],
        ),
        ("K = 1\nX = [i + K for i in ()]\n", "K = 2\nX = [i + K for i in ()]\n", ["K = 2", "X = [i + K for i in ()]"]),
        ("K = 1\nX = lambda: K\n", "K = 2\nX = lambda: K\n", ["K = 2"]),
        ("A = 1\nT = f(A)\n", "A = 1\n\n\nT = f(A)\n", []),
        ("A = 1\nT = f(A)\n", "A = 1  # why\nT = f(A)\n", []),
        (
            "Y = [last := i for i in (1, 2)]\nX = last + 1\n",
            "Y = [last := i for i in (1, 3)]\nX = last + 1\n",
            ["Y = [last := i for i in (1, 3)]", "X = last + 1"],
        ),
    ],
)
def test_what_changed_and_what_computes_with_it_runs(old: str, new: str, ran: list[str]) -> None:
    assert saved(old, new).ran == {"a": ran}


@pytest.mark.parametrize(
    ("old", "new", "imports", "ran"),
    [
        ("def f(): return 1\n", "def f(): return 2\n", "from a import f\nX = f()\n", ["X = f()"]),
        ("def f(): return 1\n", "def f(): return 2\n", "from a import f\nX = [f]\n", []),
        ("def f(): return 1\n", "def f(): return 2\n", "import a\nX = a.f()\nY = a.other()\n", ["X = a.f()"]),
        ("def f(): return 1\n", "def f(): return 2\n", "import a as z\nX = z.f()\n", ["X = z.f()"]),
        ("def f(): return 1\n", "def f(): return 2\n", "from a import f as g\ndef h(): return g()\nX = h()\n", ["X = h()"]),
        (
            "def f(): return 1\n",
            "def f(): return 2\n",
            "def h():\n    from a import f\n    return f()\nimport a\nX = h()\n",
            ["X = h()"],
        ),
        ("def f(): return 1\n", "def f(): return 2\n", "from a import *\nX = f()\n", ["X = f()"]),
        ("def f(): return 1\n", "def f(): return 2\n", "from a import f\n@f\ndef g(): pass\n", ["@f"]),
        ("K = 1\n", "K = 2\n", "from a import K\n", ["from a import K"]),
        ("K = 1\n", "K = 2\n", "from a import K\nX = [K]\n", ["from a import K", "X = [K]"]),
        ("K = 1\n", "K = 2\n", "import a\nX = a.K\n", ["X = a.K"]),
        ("K = 1\n", "K = 2\n", "import a\nX = a\n", []),
        ("K = 1\n", "K = 2\n", "import a\ndef f(): return a.K\nX = f()\n", ["X = f()"]),
        ("K = 1\n", "K = 2\n", "import a\ndef f(): return a.K\n", []),
        ("K = 1\nL = 1\n", "K = 1\nL = 2\n", "from a import K\nX = K + 1\n", []),
        ("K = 1\n", "K = 2\n", "from a import *\nX = K + 1\n", ["from a import *", "X = K + 1"]),
        ("K = 1\n", "K = 1\nL = 1\n", "from a import *\n", ["from a import *"]),
        ("class C:\n    x = 1\n", "class C:\n    x = 2\n", "from a import C\nX = C().x\nY = C()\n", ["X = C().x"]),
        (
            "class C: pass\n",
            "class C:\n    def __init__(self): pass\n",
            "from a import C\nclass D(C): pass\nX = C()\n",
            ["X = C()"],
        ),
    ],
)
def test_what_another_file_takes_and_computes_with_runs(old: str, new: str, imports: str, ran: list[str]) -> None:
    assert saved(old, new, b=imports).ran.get("b", []) == ran


STORE = """\
LIMIT = 1
START = 1
def text(): return "x"
class Store:
    def __init__(self): self.begin()
    def begin(self): self.items = [START]; self.level = 0
    def full(self): return len(self.items) > LIMIT
    def show(self): return text()
    def __repr__(self): return "a store"
    @property
    def level(self): return 0
    @level.setter
    def level(self, value): self.top = TOP
TOP = 1
"""


@pytest.mark.parametrize(
    ("before", "after", "use", "ran"),
    [
        ("LIMIT = 1", "LIMIT = 2", "s = Store()", []),
        ("LIMIT = 1", "LIMIT = 2", "s = Store()\nx = s.full()", ["x = s.full()"]),
        ("LIMIT = 1", "LIMIT = 2", "def make(): return Store()\ns = make()", []),
        ("LIMIT = 1", "LIMIT = 2", "class More(Store): pass\ns = More()", []),
        ("LIMIT = 1", "LIMIT = 2", "class More(Store):\n    def __init__(self): self.full()\ns = More()", ["s = More()"]),
        ("LIMIT = 1", "LIMIT = 2", "s = getattr(Store(), 'full')()", ["s = getattr(Store(), 'full')()"]),
        ("START = 1", "START = 2", "s = Store()", ["s = Store()"]),
        ("LIMIT = 1", "LIMIT = 2", "s = Store()\nclass Of:\n    def __init__(self, s): self.s = s\no = Of(s)", []),
        ("LIMIT = 1", "LIMIT = 2", "s = Store()\ns.begin()\nx = s.full()", ["x = s.full()"]),
        ("LIMIT = 1", "LIMIT = 2", "import json\ns = Store()\nx = json.dumps(s)", ["x = json.dumps(s)"]),
        ("LIMIT = 1", "LIMIT = 2", "import json\ndef d(s): return json.dumps(s)\ns = Store()\nx = d(s)", ["x = d(s)"]),
        ("TOP = 1", "TOP = 2", "s = Store()", ["s = Store()"]),
        ('return "x"', 'return "y"', "s = Store()", []),
        ('return "x"', 'return "y"', "s = Store().show()", ["s = Store().show()"]),
        ("a store", "the store", "s = Store()", []),
        ("a store", "the store", "s = Store()\nx = f'{s}'", ["x = f'{s}'"]),
        ("a store", "the store", "s = Store()\nx = '%s' % s", ["x = '%s' % s"]),
        ("a store", "the store", "s = Store()\nx = repr(s)", ["x = repr(s)"]),
        ("a store", "the store", "import json\ns = json.dumps(Store())", ["s = json.dumps(Store())"]),
    ],
)
def test_an_object_is_made_again_only_if_what_makes_it_is_other(before: str, after: str, use: str, ran: list[str]) -> None:
    planned = saved(STORE, STORE.replace(before, after), b=f"from a import *\n{use}\n")
    assert [line for line in planned.ran.get("b", []) if line != "from a import *"] == ran


def test_a_module_under_a_long_name_is_followed_through_a_short_one() -> None:
    world = World({"p": "", "p.q": "", "p.q.r": "def f(): return 1\n", "b": "import p.q.r as x\nX = x.f()\n"})
    assert world.saved(**{"p.q.r": "def f(): return 2\n"}).ran == {"p.q.r": [], "b": ["X = x.f()"]}


def test_what_a_statement_calls_is_there_for_it_alone_in_its_new_version() -> None:
    planned = saved(
        "def f(): return 1\nX = 1\n", "def f(): return 2\nX = 1\n", b="from a import f\n", c="from b import f\nX = f()\n"
    )
    assert planned.ran == {"a": [], "b": [], "c": ["X = f()"]}
    assert (planned.aside("a"), planned.aside("b"), planned.aside("c")) == (
        ["def f(): return 2"],
        ["from a import f"],
        ["from b import f"],
    )


REGISTRY = """\
HANDLERS = []
def register(f):
    HANDLERS.append(f)
    return f
"""


@pytest.mark.parametrize(
    ("old", "new", "ran"),
    [
        (
            "X = []\nX.append(1)\nX.append(2)\n",
            "X = []\nX.append(1)\nX.append(3)\n",
            ["X = []", "X.append(1)", "X.append(3)"],
        ),
        ("X = []\nX.append(1)\nX.append(2)\n", "X = []\nX.append(2)\n", ["X = []", "X.append(2)"]),
        ("X = {}\nX['a'] = 1\nY = 1\n", "X = {}\nX['a'] = 2\nY = 1\n", ["X = {}", "X['a'] = 2"]),
        ("X = 0\nX += 1\nX += 2\n", "X = 0\nX += 1\nX += 3\n", ["X = 0", "X += 1", "X += 3"]),
        ("X = []\nX.append(1)\nY = len(X)\n", "X = []\nX.append(2)\nY = len(X)\n", ["X = []", "X.append(2)", "Y = len(X)"]),
        (
            "X = []\nX.append(1)\nX.append(2)\n",
            "X = []\nX.append(2)\nX.append(1)\n",
            ["X = []", "X.append(2)", "X.append(1)"],
        ),
        (
            f"{REGISTRY}@register\ndef f(): pass\n@register\ndef g(): pass\n",
            f"{REGISTRY}@register\ndef f(): pass\n",
            ["HANDLERS = []", "@register"],
        ),
        (
            f"{REGISTRY}@register\ndef f(): pass\nX = 1\n",
            f"{REGISTRY}@register\ndef f(x): pass\nX = 1\n",
            [],
        ),
        (
            REGISTRY.replace("HANDLERS.append(f)", "HANDLERS['f'].append(f)")
            + "@register\ndef f(): pass\n@register\ndef g(): pass\n",
            REGISTRY.replace("HANDLERS.append(f)", "HANDLERS['f'].append(f)") + "@register\ndef f(): pass\n",
            ["HANDLERS = []", "@register"],
        ),
    ],
)
def test_all_who_write_an_object_run_in_order_when_one_of_them_changed(old: str, new: str, ran: list[str]) -> None:
    assert saved(old, new).ran == {"a": ran}


def test_writers_of_an_object_are_found_in_other_files() -> None:
    users = {name: f"from a import register\n@register\ndef {name}(): pass\nX = 1\n" for name in ("b", "c")}
    planned = World({"a": REGISTRY, **users}).saved(b="from a import register\nX = 1\n")
    assert planned.ran == {"a": ["HANDLERS = []"], "b": [], "c": ["@register"]}


def test_a_statement_behind_all_other_writers_only_adds_to_what_is_there() -> None:
    world = World({"a": "X = []\nX.append(1)\n"})
    planned = world.saved(a="X = []\nX.append(1)\nX.append(2)\n", grows=lambda module, name: True)
    assert (planned.ran, planned["a"].grown) == ({"a": ["X.append(2)"]}, {"X"})


def test_nothing_is_added_to_what_cannot_grow() -> None:
    world = World({"a": "X = []\nX.append(1)\n"})
    planned = world.saved(a="X = []\nX.append(1)\nX.append(2)\n", grows=lambda module, name: False)
    assert (planned.ran, planned["a"].grown) == ({"a": ["X = []", "X.append(1)", "X.append(2)"]}, set())


def test_statements_that_change_places_run_when_the_order_matters() -> None:
    assert saved("X = 1\nY = X\n", "Y = X\nX = 1\n").ran == {"a": ["Y = X"]}
    assert saved("X = 1\nY = 2\n", "Y = 2\nX = 1\n").ran == {"a": []}


# -- what else a step says


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("X = 1\nY = 2\n", "X = 1\n", {"Y"}),
        ("import b, c\n", "import b\n", {"c"}),
        ("X = 1\nX = 2\n", "X = 1\n", set()),
        ("X = 1\n", "def X(): pass\n", set()),
        ("def f(): pass\n", "def g(): pass\n", {"f"}),
    ],
)
def test_names_that_no_statement_binds_any_more_are_gone(old: str, new: str, gone: set[str]) -> None:
    assert saved(old, new)["a"].gone == gone


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("class C:\n    a = 1\n    b = 1\n", "class C:\n    a = 1\n    b = 2\n", {"a"}),
        ("class C:\n    a: int = 1\n    b: int = 1\n", "class C:\n    a: int = 1\n    b: int = 2\n", {"a"}),
        ("class C:\n    a = 1\n    b = 1\n", "class C:\n    b = 1\n    c = 1\n", {"b"}),
        ("K = 1\nclass C:\n    a = K\n    b = 1\n", "K = 2\nclass C:\n    a = K\n    b = 1\n    c = 1\n", {"b"}),
    ],
)
def test_attributes_of_a_class_that_are_computed_as_before_keep_their_value(old: str, new: str, kept: set[str]) -> None:
    assert saved(old, new)["a"].remade["C"].kept & {"a", "b", "c"} == kept


def test_what_the_text_of_a_class_bound_before_is_known_unless_something_else_may_have_bound_it() -> None:
    old, new = "class C:\n    a = 1\n", "class C:\n    a = 2\n"
    assert {"a"} <= saved(old, new)["a"].remade["C"].bound
    assert saved(f"@d\n{old}", f"@d\n{new}")["a"].remade["C"].bound == set()
    assert saved(f"{old}C.b = 1\n", f"{new}C.b = 1\n")["a"].remade == {}


def test_definitions_that_cache_results_are_stale_when_what_they_call_changed() -> None:
    cached = "from functools import cache\nfrom a import f\n@cache\ndef g(): return f()\n@cache\ndef h(): return 1\n"
    planned = saved("def f(): return 1\n", "def f(): return 2\n", b=f"{cached}X = g()\n")
    assert (planned["b"].stale, planned["a"].stale) == ({"g"}, set())


def test_a_definition_whose_cache_is_stale_needs_a_step_though_nothing_runs() -> None:
    cached = "from functools import cache\nfrom a import f\n@cache\ndef g(): return f()\n"
    planned = saved("def f(): return 1\n", "def f(): return 2\n", b=cached)
    assert (planned.ran, planned["b"].stale) == ({"a": [], "b": []}, {"g"})


# -- who holds whom back


def test_a_failing_file_holds_back_what_depends_on_it_and_what_that_depends_on(world: World) -> None:
    assert world.saved(base=MORE, lone="X = 2\n").held_back("left").keys() == {"base", "left", "right", "top"}


def test_an_independent_file_of_the_burst_is_not_held_back(world: World) -> None:
    assert "lone" not in world.saved(base=MORE, lone="X = 2\n").held_back("top")


def test_what_was_failing_before_has_no_veto(world: World) -> None:
    planned = world.saved(base=MORE, top=FILES["top"], failing=("top",))
    assert planned.plan.without_veto == {"top"}
    assert planned.held_back("top") == {}


def test_what_was_never_live_has_no_veto(world: World) -> None:
    del world.live["top"]
    planned = world.saved(base=MORE, top=FILES["top"])
    assert planned.plan.without_veto == {"top"}
    assert planned.held_back("top") == {}


def test_a_file_without_a_veto_does_not_tie_what_it_imports_together(world: World) -> None:
    del world.live["top"]
    left, right = (FILES[name] + "NEW = 1\n" for name in ("left", "right"))
    assert world.saved(left=left, right=right, top=FILES["top"]).held_back("left").keys() == {"left", "top"}


def test_everyone_knows_who_holds_it_back(world: World) -> None:
    assert world.saved(base=MORE).held_back("left", "right")["base"] == {"left", "right"}


def test_what_the_plan_does_not_run_is_not_held_back(world: World) -> None:
    assert world.saved(left=FILES["left"] + "NEW = 1\n").held_back("left").keys() == {"left"}
