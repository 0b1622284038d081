"""What you hold follows: functions of every kind run the newest code, whoever holds them, and stay who they are."""

import asyncio
import copy
import functools
import inspect
import operator
import pickle
import traceback
import types
import typing
import weakref
from collections.abc import AsyncIterator, Callable
from weakref import WeakMethod

import pytest
from conftest import Story
from modes import fill

from ipyhot.core.model import Way


async def _first(values: AsyncIterator[object]) -> object:
    async for value in values:
        return value
    return None


def _collected(setter: Callable[[list], None]) -> object:
    seen: list[object] = []
    setter.__get__(seen)(seen)
    return seen[0]


# -- kinds of functions: text, the function in its module, how to call it

TIMES = """\
from functools import wraps
def times(k):
    def deco(g):
        @wraps(g)
        def wrapper(*args): return g(*args) * k
        return wrapper
    return deco
"""
FUNCTIONS = {
    "plain": ("def f(): return {n}", lambda a: a.f, lambda f: f()),
    "async": ("async def f(): return {n}", lambda a: a.f, lambda f: asyncio.run(f())),
    "generator": ("def f(): yield {n}", lambda a: a.f, lambda f: next(f())),
    "async generator": ("async def f(): yield {n}", lambda a: a.f, lambda f: asyncio.run(_first(f()))),
    "lambda": ("f = lambda: {n}", lambda a: a.f, lambda f: f()),
    "one of two lambdas on a line": ("e, f = lambda: 0, lambda: {n}", lambda a: a.f, lambda f: f()),
    "lambda under a lambda": ("f = lambda: (lambda: {n})", lambda a: a.f, lambda f: f()()),
    "under if": ("if True:\n    def f(): return {n}", lambda a: a.f, lambda f: f()),
    "under else": ("if '':\n    pass\nelse:\n    def f(): return {n}", lambda a: a.f, lambda f: f()),
    "under try": ("try:\n    def f(): return {n}\nfinally:\n    pass", lambda a: a.f, lambda f: f()),
    "under except": ("try:\n    1 / 0\nexcept ArithmeticError:\n    def f(): return {n}", lambda a: a.f, lambda f: f()),
    "under with": (
        "from contextlib import suppress\nwith suppress(OSError):\n    def f(): return {n}",
        lambda a: a.f,
        lambda f: f(),
    ),
    "under for": ("for _ in range(2):\n    def f(): return {n}", lambda a: a.f, lambda f: f()),
    "under match": ("match 1:\n    case 1:\n        def f(): return {n}", lambda a: a.f, lambda f: f()),
    "closure": (
        "def make():\n    x = 10\n    def inner(): return x * {n} // 10\n    return inner\nf = make()",
        lambda a: a.f,
        lambda f: f(),
    ),
    "method": ("class C:\n    def f(self): return {n}", lambda a: a.C.f, lambda f: f(None)),
    "staticmethod": ("class C:\n    @staticmethod\n    def f(): return {n}", lambda a: a.C.f, lambda f: f()),
    "classmethod": (
        "class C:\n    @classmethod\n    def f(cls): return {n}",
        lambda a: a.C.f.__func__,
        lambda f: f(None),
    ),
    "property": (
        "class C:\n    @property\n    def f(self): return {n}",
        lambda a: a.C.f.fget,
        lambda f: f(None),
    ),
    "property setter": (
        "class C:\n    @property\n    def f(self): return 0\n    @f.setter\n    def f(self, to): to.append({n})",
        lambda a: a.C.f.fset,
        _collected,
    ),
    "cached property": (
        "from functools import cached_property\nclass C:\n    @cached_property\n    def f(self): return {n}",
        lambda a: a.C.f.func,
        lambda f: f(None),
    ),
    "partialmethod": (
        "from functools import partialmethod\nclass C:\n    def g(self, x): return x * {n}\n    f = partialmethod(g, 1)",
        lambda a: vars(a.C)["f"].func,
        lambda f: f(None, 1),
    ),
    "async method": ("class C:\n    async def f(self): return {n}", lambda a: a.C.f, lambda f: asyncio.run(f(None))),
    "method with a private name": ("class C:\n    def __f(self): return {n}", lambda a: a.C._C__f, lambda f: f(None)),
    "lambda in a class": ("class C:\n    f = lambda self: {n}", lambda a: a.C.f, lambda f: f(None)),
    "method of a nested class": (
        "class C:\n    class D:\n        def f(self): return {n}",
        lambda a: a.C.D.f,
        lambda f: f(None),
    ),
    "method under if": ("class C:\n    if True:\n        def f(self): return {n}", lambda a: a.C.f, lambda f: f(None)),
    "method of a class under if": (
        "if True:\n    class C:\n        def f(self): return {n}",
        lambda a: a.C.f,
        lambda f: f(None),
    ),
    "wraps": (TIMES + "@times(1)\ndef f(): return {n}", lambda a: a.f, lambda f: f()),
    "wrapped": (TIMES + "@times(1)\ndef f(): return {n}", lambda a: a.f.__wrapped__, lambda f: f()),
    "two decorators": (TIMES + "@times(1)\n@times(1)\ndef f(): return {n}", lambda a: a.f, lambda f: f()),
    "decorated method": (
        TIMES + "class C:\n    @times(1)\n    def f(self): return {n}",
        lambda a: a.C.f,
        lambda f: f(None),
    ),
    "decorated staticmethod": (
        TIMES + "class C:\n    @staticmethod\n    @times(1)\n    def f(): return {n}",
        lambda a: a.C.f,
        lambda f: f(),
    ),
    "decorator without wraps": (
        "def deco(g):\n    def inner(): return g()\n    return inner\n@deco\ndef f(): return {n}",
        lambda a: a.f,
        lambda f: f(),
    ),
    "contextmanager": (
        "from contextlib import contextmanager\n@contextmanager\ndef f(): yield {n}",
        lambda a: a.f,
        lambda f: f().__enter__(),
    ),
    "singledispatch": (
        "from functools import singledispatch\n@singledispatch\ndef f(x): return {n}",
        lambda a: a.f,
        lambda f: f(""),
    ),
    "registered in singledispatch": (
        "from functools import singledispatch\n@singledispatch\ndef f(x): return 0\n@f.register\ndef _(x: int): return {n}",
        lambda a: a.f,
        lambda f: f(5),
    ),
    "singledispatchmethod": (
        "from functools import singledispatchmethod\nclass C:\n    @singledispatchmethod\n    def f(self, x): return {n}",
        lambda a: vars(a.C)["f"].func,
        lambda f: f(None, ""),
    ),
    "lru_cache": ("from functools import lru_cache\n@lru_cache\ndef f(): return {n}", lambda a: a.f, lambda f: f()),
    "lru_cache with a size": (
        "from functools import lru_cache\n@lru_cache(maxsize=2)\ndef f(): return {n}",
        lambda a: a.f,
        lambda f: f(),
    ),
    "lru_cache on a method": (
        "from functools import lru_cache\nclass C:\n    @lru_cache\n    def f(self): return {n}",
        lambda a: a.C.f,
        lambda f: f(None),
    ),
    "that calls itself": ("def f(i=3): return {n} if i == 0 else f(i - 1)", lambda a: a.f, lambda f: f()),
    "with a default": ("def f(x=0, *, y=0): return {n} + x + y", lambda a: a.f, lambda f: f()),
}


@pytest.mark.parametrize(("text", "get", "call"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_held_function_runs_the_new_body_and_stays_the_one_of_its_name(
    story: Story, text: str, get: Callable, call: Callable
) -> None:
    story.start(a=fill(text, 1))
    held = get(story["a"])
    assert call(held) == 1
    story.save(a=fill(text, 2))
    assert (call(held), call(get(story["a"])), get(story["a"]) is held) == (2, 2, True)


@pytest.mark.parametrize(("text", "get", "call"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_comments_above_a_function_move_its_lines_and_run_nothing(
    patching: Story, text: str, get: Callable, call: Callable
) -> None:
    text = "from ran import ran\nran('file')\n" + fill(text, 1)
    patching.start(a=text)
    held = get(patching["a"])
    inner = inspect.unwrap(held)
    line = inner.__code__.co_firstlineno
    report = patching.save(a="# one\n\n# two\n" + text)
    assert (patching.ways(report), patching.ran) == ({"a": Way.PATCH}, [])
    assert (get(patching["a"]) is held, call(held), inner.__code__.co_firstlineno) == (True, 1, line + 3)


# -- ways to hold one

HOLDABLE = """\
from functools import cached_property, partialmethod
def f(x=0): return {n}
class C:
    def m(self, x=0): return {n}
    @classmethod
    def c(cls): return {n}
    @staticmethod
    def s(): return {n}
    @property
    def p(self): return {n}
    @cached_property
    def q(self): return {n}
    def __call__(self): return {n}
    def __len__(self): return {n}
    pm = partialmethod(m, 5)
    class D:
        def m(self): return {n}
"""
HOLDERS = {
    "itself": lambda a: a.f,
    "a partial": lambda a: functools.partial(a.f, 1),
    "a dict": lambda a: {"f": a.f}["f"].__call__,
    "a method made of it": lambda a: types.MethodType(a.f, 3),
    "a weak reference": lambda a: functools.partial(lambda reference: reference()(), weakref.ref(a.f)),
    "an iterator": lambda a: map(a.f, range(9)).__next__,
    "a default": lambda a: functools.partial(lambda f=a.f: f()),
    "a bound method": lambda a: a.C().m,
    "a bound special method": lambda a: a.C().__len__,
    "a bound class method": lambda a: a.C.c,
    "a static method": lambda a: a.C.s,
    "a weak method": lambda a: functools.partial(lambda method, _: method()(), WeakMethod((held := a.C()).m), held),
    "an instance, for a property": lambda a: functools.partial(operator.attrgetter("p"), a.C()),
    "an instance, for a cached property": lambda a: functools.partial(operator.attrgetter("q"), a.C()),
    "an instance, for a method's name": lambda a: functools.partial(operator.methodcaller("m"), a.C()),
    "a callable instance": lambda a: a.C(),
    "a partial method": lambda a: a.C().pm,
    "a method of a nested class": lambda a: a.C.D().m,
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_whoever_holds_it_follows(story: Story, hold: Callable) -> None:
    story.start(a=fill(HOLDABLE, 1))
    held = hold(story["a"])
    story.save(a=fill(HOLDABLE, 2))
    assert held() == 2


def test_functions_held_since_any_generation_all_run_the_newest(story: Story) -> None:
    story.start(a="def f(): return 0")
    held = [story["a"].f]
    for number, decorator in enumerate(["", "@times(1)\n", "@times(1)\n", "", "@times(1)\n"], start=1):
        story.save(a=TIMES + decorator + f"def f(): return {number}")
        held.append(story["a"].f)
        assert [function() for function in held] == [number] * len(held)


def test_a_held_function_survives_a_broken_file_and_follows_the_mended_one(story: Story) -> None:
    story.start(a="def f(x=1): return x")
    held = story["a"].f
    story.save(a="def f(x=2): return x\n1 / 0")
    assert (held(), held is story["a"].f) == (1, True)
    story.save(a="def f(x=2): return x")
    assert (held(), held is story["a"].f) == (2, True)


def test_a_removed_function_leaves_its_module_and_works_for_its_holder(story: Story) -> None:
    story.start(a="def f(): return 1\ndef g(): pass")
    held = story["a"].f
    story.save(a="def g(): pass")
    assert (hasattr(story["a"], "f"), held()) == (False, 1)


def test_a_renamed_function_leaves_no_ghost(story: Story) -> None:
    story.start(a="def f(): return 1")
    held = story["a"].f
    story.save(a="def g(): return 1")
    assert (hasattr(story["a"], "f"), story["a"].g(), held()) == (False, 1, 1)


# -- what a body edit leaves alone


def test_a_body_edit_touches_no_importer(patching: Story) -> None:
    patching.start(
        a="def f(): return 1",
        b="from .a import f\nfrom ran import ran\nran('b')",
        c="from . import a\ndef g(): return a.f()",
    )
    report = patching.save(a="def f(): return 2")
    assert (patching.ways(report), patching.ran) == ({"a": Way.PATCH}, [])
    assert (patching["b"].f(), patching["c"].g()) == (2, 2)


def test_a_body_edit_binds_no_name(patching: Story) -> None:
    text = "cache, lock, RATE = {}, object(), 1.5\nclass C: pass\ndef f(): return {n}\ng = lambda: {n}\nTABLE = {'f': f}"
    patching.start(a=fill(text, 1))
    before = dict(vars(patching["a"]))
    patching.save(a=fill(text, 2))
    after = vars(patching["a"])
    of_the_version = {"__loader__", "__spec__"}
    assert [name for name in before.keys() - of_the_version if after[name] is not before[name]] == []
    assert before["TABLE"]["f"]() == 2


def test_a_module_and_its_namespace_stay_the_same_objects(story: Story) -> None:
    story.start(a="def f(): return 1", b="import PKG.a as a")
    module, namespace = story["a"], vars(story["a"])
    story.save(a="K = 1\ndef f(): return K")
    story.save(a="K = 2\ndef f(): return K")
    assert (story["a"] is module, vars(story["a"]) is namespace, story["b"].a is module) == (True, True, True)
    assert type(module) is types.ModuleType


def test_a_body_edit_keeps_what_a_default_has_collected(patching: Story) -> None:
    patching.start(a="def f(x=[]):\n    x.append(1)\n    return len(x)")
    patching["a"].f()
    patching.save(a="def f(x=[]):\n    x.append(2)\n    return len(x)")
    assert patching["a"].f() == 2


def test_a_body_edit_keeps_attributes_put_on_a_function(patching: Story) -> None:
    patching.start(a="def f(): return 1")
    patching["a"].f.mark = held = object()
    patching.save(a="def f(): return 2")
    assert (patching["a"].f(), patching["a"].f.mark) == (2, held)


def test_a_body_edit_keeps_the_attributes_its_file_gives_a_function(story: Story) -> None:
    story.start(a="def f(): return 1\nf.limit = 3")
    story.save(a="def f(): return 2\nf.limit = 3")
    assert (story["a"].f(), story["a"].f.limit) == (2, 3)


def test_a_body_edit_calls_no_decorator(patching: Story) -> None:
    text = "from ran import ran\ndef deco(g):\n    ran('deco')\n    return g\n@deco\ndef f(): return {n}"
    patching.start(a=fill(text, 1))
    patching.save(a=fill(text, 2))
    assert (patching.ran, patching["a"].f()) == ([], 2)


# -- all but the body

HEADERS = {
    "default": ("def f(x=1): return x", "def f(x=2): return x", lambda f: f(), 2),
    "default added": ("def f(x): return x", "def f(x, y=2): return x + y", lambda f: f(1), 3),
    "default removed": ("def f(x=1): return x", "def f(x): return x", lambda f: f.__defaults__, None),
    "keyword default": ("def f(*, x=1): return x", "def f(*, x=2): return x", lambda f: f(), 2),
    "keyword default removed": ("def f(*, x=1): return x", "def f(*, x): return x", lambda f: f.__kwdefaults__, None),
    "default turned keyword": (
        "def f(x=1): return x",
        "def f(*, x=2): return x",
        lambda f: (f(x=3), f.__defaults__),
        (3, None),
    ),
    "parameter added": ("def f(x): return x", "def f(x, y): return x + y", lambda f: f(1, 2), 3),
    "parameter renamed": ("def f(x): return x", "def f(y): return y", lambda f: f(y=2), 2),
    "any parameters": ("def f(x): return x", "def f(*x, **y): return x, y", lambda f: f(1, z=2), ((1,), {"z": 2})),
    "annotation": ("def f(x: int): pass", "def f(x: str): pass", lambda f: f.__annotations__, {"x": str}),
    "annotation added": ("def f(x): pass", "def f(x) -> str: pass", lambda f: f.__annotations__, {"return": str}),
    "annotation removed": ("def f(x: int): pass", "def f(x): pass", lambda f: f.__annotations__, {}),
    "text of an annotation": ("def f(x: 'int'): pass", "def f(x: 'str'): pass", typing.get_type_hints, {"x": str}),
    "docstring": ("def f(): 'one'", "def f(): 'two'", inspect.getdoc, "two"),
    "docstring added": ("def f(): pass", "def f(): 'two'", inspect.getdoc, "two"),
    "docstring removed": ("def f(): 'one'", "def f(): pass", lambda f: f.__doc__, None),
    "attribute": ("def f(): pass\nf.limit = 1", "def f(): pass\nf.limit = 2", lambda f: f.limit, 2),
    "attribute added": ("def f(): pass", "def f(): pass\nf.limit = 2", lambda f: f.limit, 2),
    "attribute removed": ("def f(): pass\nf.limit = 1", "def f(): pass", vars, {}),
    "plain to async": ("def f(): return 1", "async def f(): return 2", lambda f: asyncio.run(f()), 2),
    "plain to generator": ("def f(): return 1", "def f(): yield 2", lambda f: list(f()), [2]),
    "generator to plain": ("def f(): yield 1", "def f(): return 2", lambda f: f(), 2),
    "lambda to def": ("f = lambda: 1", "def f(): return 2", lambda f: (f(), f.__name__), (2, "f")),
    "def to lambda": ("def f(): return 1", "f = lambda: 2", lambda f: (f(), f.__name__), (2, "<lambda>")),
    "default of a lambda": ("f = lambda x=1: x", "f = lambda x=2: x", lambda f: f(), 2),
    "lambda as default": ("def f(x=lambda: 1): return x()", "def f(x=lambda: 2): return x()", lambda f: f(), 2),
    "put under if": ("def f(): return 1", "if True:\n    def f(): return 2", lambda f: f(), 2),
    "nothing to a nonlocal one": ("def f(): return 1", "def f():\n    x = 2\n    return (lambda: x)()", lambda f: f(), 2),
}


@pytest.mark.parametrize(("old", "new", "look", "seen"), HEADERS.values(), ids=HEADERS)
def test_a_held_function_takes_over_the_new_head(story: Story, old: str, new: str, look: Callable, seen: object) -> None:
    story.start(a=old)
    held = story["a"].f
    story.save(a=new)
    assert (look(held), held is story["a"].f) == (seen, True)


@pytest.mark.parametrize(
    ("old", "new", "look", "seen"),
    [
        ("def m(self, x=1): return x", "def m(self, x=2): return x", lambda c: c().m(), 2),
        ("K = 1\n    def m(self, x=K): return x", "K = 2\n    def m(self, x=K): return x", lambda c: c().m(), 2),
        ("def m(self): return 1", "def m(self, *x: int): return x", lambda c: c().m(2), (2,)),
        ("def m(self): 'one'", "def m(self): 'two'", lambda c: c.m.__doc__, "two"),
        ("@property\n    def m(self): 'one'", "@property\n    def m(self): 'two'", lambda c: c.m.__doc__, "two"),
        ("def m(self, x: int): pass", "def m(self, x: str): pass", lambda c: c.m.__annotations__, {"x": str}),
        ("def m(self): pass\n    m.limit = 1", "def m(self): pass\n    m.limit = 2", lambda c: c.m.limit, 2),
    ],
    ids=[
        "default",
        "default from the class",
        "parameters",
        "docstring",
        "docstring of a property",
        "annotation",
        "attribute",
    ],
)
def test_a_method_takes_over_the_new_head(story: Story, old: str, new: str, look: Callable, seen: object) -> None:
    story.start(a="class C:\n    " + old)
    cls, bound = story["a"].C, vars(story["a"].C)["m"]
    story.save(a="class C:\n    " + new)
    assert (look(cls), cls is story["a"].C) == (seen, True)
    if isinstance(bound, types.FunctionType):
        assert cls.m is bound


def test_the_signature_of_a_held_function_is_the_newest(story: Story) -> None:
    story.start(a="def f(x): return x")
    held = story["a"].f
    story.save(a="def f(x, y: int = 2, *, z=None): return x")
    assert str(inspect.signature(held)) == "(x, y: int = 2, *, z=None)"


def test_the_signature_of_a_function_that_forwards_is_the_newest(story: Story) -> None:
    story.start(a=TIMES + "def f(x): return x")
    held = story["a"].f
    story.save(a=TIMES + "@times(1)\ndef f(x, y=2): return x + y")
    assert (held(1, 3), str(inspect.signature(held))) == (4, "(x, y=2)")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def m(self): return 1", "@property\n    def m(self): return 2"),
        ("@property\n    def m(self): return 1", "def m(self): return 2"),
        ("def m(self): return 1", "@staticmethod\n    def m(): return 2"),
        ("@staticmethod\n    def m(): return 1", "@classmethod\n    def m(cls): return 2"),
        ("@classmethod\n    def m(cls): return 1", "def m(self): return 2"),
        ("m = 1", "def m(self): return 2"),
        ("def m(self): return 1", "m = 2"),
    ],
    ids=["property", "no property", "static", "static to class", "class to plain", "from a value", "to a value"],
)
def test_a_member_that_changes_its_kind_is_followed_by_old_instances(story: Story, old: str, new: str) -> None:
    story.start(a="class C:\n    " + old)
    held = story["a"].C()
    story.save(a="class C:\n    " + new)
    assert (held.m() if callable(held.m) else held.m) == 2


# -- closures made earlier


@pytest.mark.parametrize(
    "text",
    [
        "def make(x):\n    def inner(): return x * {n}\n    return inner",
        "def make(x):\n    return lambda: x * {n}",
        "def make(x):\n    def middle():\n        def inner(): return x * {n}\n        return inner\n    return middle()",
        "class C:\n    def make(self):\n        return lambda: self * {n}\nmake = C.make",
        "def make(x):\n    class Local:\n        def m(self): return x * {n}\n    return Local().m",
        "def make(x):\n    from functools import partial\n    return partial(lambda y: y * {n}, x)",
        "def make(x):\n    return [lambda: x * {n} for _ in '1'][0]",
        "def make(x):\n    return next((lambda: y * {n}) for y in [x])",
    ],
    ids=["def", "lambda", "two deep", "method", "local class", "no free variable", "in a list", "in a generator"],
)
def test_closures_made_earlier_follow_and_keep_their_variables(story: Story, text: str) -> None:
    story.start(a=fill(text, 1))
    held = [story["a"].make(10), story["a"].make(20)]
    story.save(a=fill(text, 2))
    assert [inner() for inner in held] == [20, 40]


def test_a_closure_goes_on_counting(story: Story) -> None:
    text = "def make():\n    n = 0\n    def bump():\n        nonlocal n\n        n += {n}\n        return n\n    return bump"
    story.start(a=fill(text, 1))
    held = story["a"].make()
    held()
    story.save(a=fill(text, 10))
    assert held() == 11


def test_a_function_whose_free_variables_changed_leads_to_the_new_one(story: Story) -> None:
    text = "def make():\n    x = 1\n    y = 5\n    def inner(): return {n}\n    return inner\nf = make()"
    story.start(a=text.replace("{n}", "x"))
    held = story["a"].f
    for body, result in [("x + y", 6), ("y", 5), ("7", 7), ("x * y * 2", 10)]:
        story.save(a=text.replace("{n}", body))
        assert (held(), story["a"].f()) == (result, result)


def test_the_signature_of_one_whose_free_variables_changed_is_the_newest(story: Story) -> None:
    text = "def make():\n    k = 5\n    def inner({n}): return {n} * k\n    return inner\nf = make()"
    story.start(a=text.replace("{n}", "x").replace(" * k", ""))
    held = story["a"].f
    story.save(a=text.replace("{n}", "y"))
    assert (held(2), str(inspect.signature(held))) == (10, "(y)")


def test_a_closure_never_reads_another_variable_than_it_captured(story: Story) -> None:
    text = "def make():\n    a, b = 'a', 'b'\n    def inner(): return {n}\n    return inner\nf = make()"
    story.start(a=text.replace("{n}", "a"))
    named, outside = story["a"].f, story["a"].make()
    story.save(a=text.replace("{n}", "b"))
    assert (named(), story["a"].f(), outside()) == ("b", "b", "a")


def test_renaming_a_variable_never_exchanges_what_a_closure_captured(story: Story) -> None:
    text = "def make():\n    {n}, m = 'first', 'm'\n    def inner(): return {n} + m\n    return inner\nf = make()"
    story.start(a=text.replace("{n}", "a"))
    named, outside = story["a"].f, story["a"].make()
    story.save(a=text.replace("{n}", "z"))  # free variables are sorted by name: a, m and m, z
    assert (named(), outside()) == ("firstm", "firstm")


def test_a_closure_made_outside_that_cannot_follow_is_named_in_the_report(story: Story) -> None:
    text = "def make(x, y=5):\n    def inner(): return {n}\n    return inner"
    story.start(a=text.replace("{n}", "x"))
    held = story["a"].make(1)
    report = story.save(a=text.replace("{n}", "x + y"))
    assert (held(), story["a"].make(1)()) == (1, 6)
    assert report is not None
    assert any("inner" in note for note in report.notes)


def test_inner_functions_of_one_name_are_not_confused(story: Story) -> None:
    text = """
        def make(flag):
            if flag:
                def inner(): return 1
            else:
                def inner(): return {n}
            return inner
        """
    story.start(a=fill(text, 2))
    held = story["a"].make(True), story["a"].make(False)
    story.save(a=fill(text, 3))
    assert [inner() for inner in held] == [1, 3]


# -- re-pointed names


def test_an_alias_turned_to_another_function_changes_neither(story: Story) -> None:
    text = "def foo(): return 1\ndef bar(): return 2\nf = {n}"
    story.start(a=text.replace("{n}", "foo"))
    foo, bar = story["a"].foo, story["a"].bar
    story.save(a=text.replace("{n}", "bar"))
    assert (story["a"].foo(), story["a"].bar(), story["a"].f()) == (1, 2, 2)
    assert (story["a"].foo is foo, story["a"].bar is bar, story["a"].f is bar) == (True, True, True)


def test_a_function_whose_name_now_means_another_one_leads_to_that(story: Story) -> None:
    story.start(a="def bar(): return 2\ndef f(): return 1")
    held, bar = story["a"].f, story["a"].bar
    story.save(a="def bar(): return 2\nf = bar")
    assert (held(), bar(), story["a"].f is bar, bar.__name__) == (2, 2, True, "bar")
    story.save(a="def bar(): return 3\nf = bar")
    assert (held(), bar()) == (3, 3)
    story.save(a="def bar(): return 3\ndef f(): return 4")
    assert (held(), story["a"].f(), bar(), story["a"].bar()) == (4, 4, 3, 3)


def test_a_function_whose_name_now_means_an_imported_one_leads_to_that(story: Story) -> None:
    story.start(a="def f(): return 1", b="def g(): return 2")
    held, other = story["a"].f, story["b"].g
    story.save(a="from .b import g as f")
    assert (held(), other()) == (2, 2)
    story.save(b="def g(): return 3")
    assert (held(), other(), story["a"].f is other) == (3, 3, True)


@pytest.mark.parametrize(("meaning", "result"), [("f = 3", 1), ("f = str", ""), ("import json as f", 1)])
def test_a_function_whose_name_means_something_else_leads_there_if_it_can_be_called(
    story: Story, meaning: str, result: object
) -> None:
    story.start(a="def f(): return 1")
    held = story["a"].f
    story.save(a=meaning)
    assert held() == result


def test_two_functions_that_exchange_their_names_do_not_chase_each_other(story: Story) -> None:
    text = "def f(): return 1\ndef g(): return 2\n"
    story.start(a=text)
    f, g = story["a"].f, story["a"].g
    story.save(a=text + "f, g = g, f")
    assert (story["a"].f(), story["a"].g()) == (2, 1)
    assert {f(), g()} == {1, 2}


def test_two_functions_that_exchange_their_bodies_stay_who_they_are(story: Story) -> None:
    story.start(a="def f(): return 1\ndef g(): return 2")
    f, g = story["a"].f, story["a"].g
    story.save(a="def g(): return 1\ndef f(): return 2")
    assert (f(), g(), f is story["a"].f, g is story["a"].g) == (2, 1, True, True)


def test_a_second_name_follows_the_definition_it_was_given(story: Story) -> None:
    text = "def f(): return {n}\ng = f\ndef f(): return 0"
    story.start(a=fill(text, 1))
    first, second = story["a"].g, story["a"].f
    story.save(a=fill(text, 2))
    assert (story["a"].g(), story["a"].f(), first(), second()) == (2, 0, 2, 0)


def test_a_function_with_two_names_has_them_after_an_edit(story: Story) -> None:
    story.start(a="def f(): return 1\ng = f")
    held = story["a"].g
    story.save(a="def f(x=2): return x\ng = f")
    assert (held(), story["a"].g is story["a"].f) == (2, True)


# -- decorators

TEN = TIMES + "@times(10)\n"


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        (TIMES + "def f(): return 1", TEN + "def f(): return 1", 10),
        (TIMES + "def f(): return 1", TEN + "def f(): return 2", 20),
        ("def f(): return 1", TEN + "def f(): return 1", 10),
        (TEN + "def f(): return 1", TIMES + "def f(): return 1", 1),
        (TEN + "def f(): return 1", "def f(): return 1", 1),
        (TEN + "def f(): return 1", TIMES + "@times(20)\ndef f(): return 1", 20),
        (TEN + "def f(): return 1", TEN.replace("* k", "* k + 1") + "def f(): return 1", 11),
        (TEN + "def f(): return 1", TEN + "@times(2)\ndef f(): return 1", 20),
        (TEN + "@times(2)\ndef f(): return 1", TEN + "def f(): return 1", 10),
        (TEN + "def f(): return 1", TEN.replace("g(*args) * k", "-g(*args)") + "def f(): return 1", -1),
        (TEN + "def f(): return 1", TEN.replace("@times(10)", "@lambda g: lambda: 5") + "def f(): return 1", 5),
        (TEN + "def f(): return 1", TIMES + "def f(): return 1\nf = times(10)(f)", 10),
        ("def f(): return 1", "from functools import lru_cache\n@lru_cache\ndef f(): return 2", 2),
        ("from functools import lru_cache\n@lru_cache\ndef f(): return 1", "def f(): return 2", 2),
        ("from functools import lru_cache\n@lru_cache\ndef f(): return 1", TEN + "def f(): return 2", 20),
    ],
    ids=[
        "added", "added with a new body", "added with its import", "removed", "removed with its import", "argument",
        "wrapper's body", "second added", "second removed", "free variable of the wrapper gone", "replaced",
        "called by hand", "cache added", "cache removed", "cache replaced",
    ],
)  # fmt: skip
def test_a_held_function_follows_its_decorators(story: Story, old: str, new: str, result: int) -> None:
    story.start(a=old)
    held = story["a"].f
    held()
    story.save(a=new)
    assert (held(), held(), story["a"].f()) == (result, result, result)


def test_a_decorator_that_comes_and_goes_leaves_no_layer(story: Story) -> None:
    story.start(a=TIMES + "def f(): return 1")
    held = [story["a"].f]
    for _ in range(3):
        story.save(a=TEN + "def f(): return 1")
        held.append(story["a"].f)
        assert [function() for function in held] == [10] * len(held)
        story.save(a=TIMES + "def f(): return 1")
        assert [function() for function in held] == [1] * len(held)


def test_the_order_of_decorators_is_followed(story: Story) -> None:
    text = "def plus(g): return lambda: g() + 1\ndef double(g): return lambda: g() * 2\n@{}\n@{}\ndef f(): return 3"
    story.start(a=text.format("plus", "double"))
    held = story["a"].f
    story.save(a=text.format("double", "plus"))
    assert (held(), story["a"].f()) == (8, 8)


@pytest.mark.parametrize("importer", ["from .deco import times", "from . import deco\ntimes = deco.times"])
def test_a_decorator_in_another_file_is_followed(story: Story, importer: str) -> None:
    story.start(
        deco=TIMES, b=importer + "\n@times(10)\ndef f(): return 1\nclass C:\n    @times(10)\n    def m(self): return 1"
    )
    held, instance = story["b"].f, story["b"].C()
    story.save(deco=TIMES.replace("* k", "* k + 1"))
    assert (held(), story["b"].f(), instance.m()) == (11, 11, 11)
    story.save(deco=TIMES.replace("return deco", "return lambda g: lambda *args: 'other'"))
    assert (held(), story["b"].f(), instance.m()) == ("other", "other", "other")


def test_a_held_instance_that_decorates_a_function_follows_its_body(patching: Story) -> None:
    text = """
        class Deco:
            def __init__(self, g): self.g = g
            def __call__(self): return self.g() * 10
        @Deco
        def f(): return {n}
        """
    patching.start(a=fill(text, 1))
    held = patching["a"].f
    patching.save(a=fill(text, 2))
    assert (held(), held is patching["a"].f) == (20, True)


def test_a_bound_method_follows_a_decorator_added_to_it(story: Story) -> None:
    text = TIMES + "class C:\n    {n}\n    def m(self): return 1"
    story.start(a=text.replace("{n}", ""))
    bound, instance = story["a"].C().m, story["a"].C()
    story.save(a=text.replace("{n}", "@times(10)"))
    assert (bound(), instance.m()) == (10, 10)


# -- caches and dispatch

CACHED = "from functools import lru_cache\n"


@pytest.mark.parametrize("body", ["def f(x): return x * {n}", "def f(x, y={n}): return x * y"], ids=["body", "default"])
def test_a_cache_is_emptied_when_its_function_changed(story: Story, body: str) -> None:
    text = CACHED + "@lru_cache\n" + body
    story.start(a=fill(text, 1))
    held = story["a"].f
    held(10)
    story.save(a=fill(text, 2))
    assert (held(10), story["a"].f(10), held is story["a"].f) == (20, 20, True)


def test_a_cache_is_kept_when_another_function_changed(patching: Story) -> None:
    text = CACHED + "@lru_cache\ndef f(x): return x\ndef g(): return {n}"
    patching.start(a=fill(text, 1))
    patching["a"].f(10)
    patching.save(a=fill(text, 2))
    assert patching["a"].f.cache_info().currsize == 1


def test_a_held_cache_leads_to_one_of_another_size(story: Story) -> None:
    text = CACHED + "@lru_cache(maxsize={n})\ndef f(x): return x * {n}"
    story.start(a=fill(text, 1))
    held = story["a"].f
    held(10)
    story.save(a=fill(text, 2))
    assert (held(10), story["a"].f(10), story["a"].f.cache_info().maxsize) == (20, 20, 2)


DISPATCH = "from functools import singledispatch\n@singledispatch\ndef f(x): return 'any'\n"


def test_a_type_registered_in_singledispatch_comes_and_goes(story: Story) -> None:
    story.start(a=DISPATCH)
    held = story["a"].f
    story.save(a=DISPATCH + "@f.register\ndef _(x: int): return 'int'\n@f.register\ndef _(x: str): return 'str'")
    assert (held(1), held(""), held(1.5)) == ("int", "str", "any")
    story.save(a=DISPATCH + "@f.register\ndef _(x: str): return 'text'")
    assert (held(1), held(""), held is story["a"].f) == ("any", "text", True)


def test_singledispatch_finds_old_instances_of_an_edited_class(story: Story) -> None:
    text = DISPATCH + "class C:\n    x = {n}\n@f.register\ndef _(x: C): return x.x"
    story.start(a=fill(text, 1))
    held, instance = story["a"].f, story["a"].C()
    story.save(a=fill(text, 2))
    assert (held(instance), held(story["a"].C()), story["a"].f(instance)) == (2, 2, 2)


def test_what_another_file_registers_in_singledispatch_follows(story: Story) -> None:
    text = "from .a import f\n@f.register\ndef _(x: int): return {n}"
    story.start(a=DISPATCH, b=fill(text, 1))
    held = story["a"].f
    story.save(b=fill(text, 2))
    assert held(0) == 2
    story.save(a=DISPATCH.replace("any", "other"))
    assert (held(0), held("")) == (2, "other")


# -- one function's code never lands in another


def test_an_identical_function_in_another_file_stays(story: Story) -> None:
    text = "def f(): return 1\ng = lambda: 1\nclass C:\n    def m(self): return 1"
    story.start(a=text, b=text)
    story.save(a=text.replace("1", "2"))
    a, b = story["a"], story["b"]
    assert (a.f(), a.g(), a.C().m(), b.f(), b.g(), b.C().m()) == (2, 2, 2, 1, 1, 1)


def test_a_function_decorated_alike_in_another_file_stays(story: Story) -> None:
    text = "from .d import times\n@times(1)\ndef load(): return {n}"
    story.start(
        d=TIMES, a=fill(text, 1), b="X = 1\nfrom .d import times\n@times(1)\ndef load(): return 5", c="from .d import times"
    )
    held = story["b"].load
    story.save(a=fill(text, 2))
    story.save(c="from .d import times\nX = 1")
    assert (story["a"].load(), held(), story["b"].load(), hasattr(story["c"], "load")) == (2, 5, 5, False)


@pytest.mark.parametrize(
    ("old", "new", "results"),
    [
        ("f, g = lambda: 1, lambda: 2", "f, g = lambda: 1, lambda: 3", (1, 3)),
        ("f, g = lambda: 1, lambda: 2", "f, g = lambda: 3, lambda: 2", (3, 2)),
        ("f, g = lambda: 1, lambda: 2", "f, g = lambda: 3, lambda: 4", (3, 4)),
        ("f, g = lambda: 1, lambda: 1", "f, g = lambda: 1, lambda: 2", (1, 2)),
        ("f, g = lambda: 1, lambda: 2", "e, f, g = lambda: 0, lambda: 1, lambda: 2", (1, 2)),
        ("f, g = lambda: 1, lambda: 2", "g, f = lambda: 2, lambda: 1", (1, 2)),
        ("f = lambda: 1; g = lambda: 2", "f = lambda: 1; e = lambda: 0; g = lambda: 3", (1, 3)),
        ("f = lambda: 1; g = lambda: 2", "g = lambda: 4; f = lambda: 3", (3, 4)),
        ("f, g = [lambda i=i: i for i in (1, 2)]", "f, g = [lambda i=i: i * 10 for i in (1, 2)]", (10, 20)),
    ],
    ids=[
        "second",
        "first",
        "both",
        "equal ones",
        "one added",
        "exchanged",
        "statement added",
        "statements exchanged",
        "loop",
    ],
)
def test_lambdas_on_one_line_are_told_apart(story: Story, old: str, new: str, results: tuple[int, int]) -> None:
    story.start(a=old)
    f, g = story["a"].f, story["a"].g
    story.save(a=new)
    assert (story["a"].f(), story["a"].g(), f(), g()) == (*results, *results)


def test_a_lambda_in_a_container_follows_where_it_lies(patching: Story) -> None:
    text = "T = {'f': lambda: {n}, 'g': lambda: 0}\nL = [lambda: {n} for _ in range(2)]\ndef h(x=lambda: {n}): return x"
    patching.start(a=fill(text, 1))
    table, first, default = patching["a"].T, patching["a"].L[0], patching["a"].h()
    patching.save(a=fill(text, 2))
    assert (table["f"](), table["g"](), first(), default(), patching["a"].T is table) == (2, 0, 2, 2, True)


def test_an_added_function_sees_what_later_edits_do(story: Story) -> None:
    story.start(a="K = 1")
    story.save(a="K = 1\ndef f(): return K")
    held = story["a"].f
    story.save(a="K = 2\ndef f(): return K")
    assert (held(), held is story["a"].f, held.__globals__ is vars(story["a"])) == (2, True, True)


# -- where its lines are


def test_a_comment_moves_what_inspect_and_tracebacks_show(story: Story) -> None:
    text = "def f():\n    raise ValueError('here')\n"
    story.start(a=text)
    held = story["a"].f
    story.save(a="# one\n# two\n" + text)
    assert inspect.getsourcelines(held) == (["def f():\n", "    raise ValueError('here')\n"], 3)
    with pytest.raises(ValueError, match="here") as caught:
        held()
    frame = traceback.extract_tb(caught.tb)[-1]
    assert (frame.lineno, frame.line) == (4, "raise ValueError('here')")


def test_a_comment_inside_a_function_is_in_its_source(story: Story) -> None:
    story.start(a="def f():\n    return 1\n")
    held = story["a"].f
    story.save(a="def f():\n    # why\n    return 1\n")
    assert inspect.getsource(held) == "def f():\n    # why\n    return 1\n"


@pytest.mark.parametrize(
    ("text", "get"),
    [
        ("def make():\n    def inner(): return 1\n    return inner\nf = make()", lambda a: a.f),
        ("class C:\n    def m(self): return 1", lambda a: a.C().m),
        (TEN + "def f(): return 1", lambda a: a.f),
        ("f = (\n    lambda: 1\n)", lambda a: a.f),
    ],
    ids=["closure", "method", "wrapped", "lambda"],
)
def test_lines_of_all_that_is_held_move_along(story: Story, text: str, get: Callable) -> None:
    story.start(a=text)
    held = get(story["a"])
    source, line = inspect.getsourcelines(held)
    story.save(a="\n\n" + text)
    assert inspect.getsourcelines(held) == (source, line + 2)


def test_lines_are_right_when_functions_change_places(story: Story) -> None:
    f, g = "def f():\n    # f\n    return 1\n", "def g():\n    return 2\n"
    story.start(a=f + g)
    held = story["a"].f, story["a"].g
    story.save(a=g + "\n" + f)
    assert [inspect.getsourcelines(function)[1] for function in held] == [4, 1]
    assert [inspect.getsource(function) for function in held] == [f, g]


def test_a_file_that_does_not_go_live_moves_no_line(story: Story) -> None:
    text = "def f():\n    raise ValueError('here')\n"
    story.start(a=text)
    held = story["a"].f
    story.save(a="# one\n# two\n" + text + "1 / 0\n")
    with pytest.raises(ValueError, match="here") as caught:
        held()
    frame = traceback.extract_tb(caught.tb)[-1]
    assert (frame.lineno, frame.line) == (2, "raise ValueError('here')")


# -- code that is running


def test_a_generator_begun_earlier_ends_in_its_own_code(story: Story) -> None:
    text = "def f():\n    for i in range(3):\n        yield i * {n}"
    story.start(a=fill(text, 1))
    begun = story["a"].f()
    next(begun)
    story.save(a=fill(text, 10))
    assert (list(begun), list(story["a"].f())) == ([1, 2], [0, 10, 20])


def test_a_coroutine_begun_earlier_ends_in_its_own_code(story: Story) -> None:
    text = "async def f(begun, gate):\n    begun.set()\n    await gate.wait()\n    return {n}"
    story.start(a=fill(text, 1))

    async def main() -> tuple[int, int]:
        has_begun, gate = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(story["a"].f(has_begun, gate))
        await has_begun.wait()
        story.save(a=fill(text, 2))
        gate.set()
        return await task, await story["a"].f(has_begun, gate)

    assert asyncio.run(main()) == (1, 2)


def test_a_context_begun_earlier_ends_in_its_own_code(story: Story) -> None:
    text = "from contextlib import contextmanager\n@contextmanager\ndef f(log):\n    yield\n    log.append({n})"
    story.start(a=fill(text, 1))
    log: list[int] = []
    with story["a"].f(log):
        story.save(a=fill(text, 2))
    with story["a"].f(log):
        pass
    assert log == [1, 2]


def test_a_running_function_ends_in_its_own_code_and_calls_new_ones(story: Story) -> None:
    text = "def f(save):\n    save()\n    return helper() + {n}0\ndef helper(): return {n}"
    story.start(a=fill(text, 1))
    held = story["a"].f
    assert held(lambda: story.save(a=fill(text, 2))) == 12
    assert held(lambda: None) == 22


def test_a_running_recursion_goes_on_with_the_new_code(story: Story) -> None:
    text = "def f(i, save):\n    if i == 2:\n        save()\n    return [{n}] + (f(i - 1, save) if i else [])"
    story.start(a=fill(text, 1))
    assert story["a"].f(3, lambda: story.save(a=fill(text, 2))) == [1, 1, 2, 2]


def test_a_running_loop_calls_the_new_code_in_its_next_turn(story: Story) -> None:
    text = "def step(): return {n}\ndef loop(save):\n    for i in range(3):\n        yield step()\n        save(i)"
    story.start(a=fill(text, 0))
    running = story["a"].loop(lambda i: story.save(a=fill(text, i + 1)))
    assert list(running) == [0, 1, 2]


# -- it is the same to everybody


def test_a_held_function_can_be_pickled(story: Story) -> None:
    story.start(a="def f(): return 1\nclass C:\n    def m(self): return 1\n    @staticmethod\n    def s(): return 1")
    held, bound, static = story["a"].f, story["a"].C().m, story["a"].C.s
    before = pickle.dumps([held, bound, static])
    story.save(a="def f(): return 2\nclass C:\n    def m(self): return 2\n    @staticmethod\n    def s(): return 2")
    after = pickle.dumps([held, bound, static])
    for data in (before, after):
        assert [function() for function in pickle.loads(data)] == [2, 2, 2]  # noqa: S301 - our own bytes
    assert pickle.loads(after)[0] is held  # noqa: S301 - our own bytes


def test_a_held_function_is_its_own_deep_copy_and_key(story: Story) -> None:
    story.start(a="def f(x=1): return x", b="from .a import f")
    held = {story["a"].f: "f"}
    story.save(a="def f(x=2): return x")
    assert (held[story["a"].f], held[story["b"].f], held[copy.deepcopy(story["a"].f)]) == ("f", "f", "f")


def test_a_held_function_says_where_it_lives(story: Story) -> None:
    story.start(a="class C:\n    def m(self): return 1")
    held = story["a"].C.m
    story.save(a="class C:\n    def m(self, x=2): return x")
    assert (held.__module__, held.__qualname__, held.__name__) == (story["a"].__name__, "C.m", "m")


def test_users_of_two_files_share_one_function(story: Story) -> None:
    story.start(a="def f(): return 1", b="from .a import f\nT = {'f': f}", c="from .b import f as g\nH = [g]")
    held = story["a"].f
    for text in ("def f(): return 2", "def f(x=2): return x", TIMES + "def f(): return 2"):
        story.save(a=text)
        all_of_it = [story["a"].f, story["b"].f, story["b"].T["f"], story["c"].g, story["c"].H[0]]
        assert [function is held for function in all_of_it] == [True] * 5
    assert held() == 2
