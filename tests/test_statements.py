"""An edit runs what it changes and what computes with that; everything else keeps its value.

The measure is a cold process that runs the same text (``Cold``), and a list outside of all watched files that tells
which statements were run (``ran``).
"""

import gc
import inspect
import sys
import traceback
import types
from collections.abc import Callable
from functools import partial

import pytest
from conftest import Files, Story
from modes import Cold, Snapshot, failing_everywhere, fill, names_of, value_of

from ipyhot.core.commit import Deed, commit
from ipyhot.core.model import Way

RAN = "from ran import ran\n"


# -- the modes themselves


def test_each_mode_does_what_it_says(story: Story) -> None:
    story.start(a="def f(): return 1")
    report = story.save(a="def f(): return 2")
    way = {"patch": Way.PATCH, "reload": Way.RELOAD, "failing": Way.PATCH}[story.mode]
    assert story.ways(report) == {"a": way}
    assert (story["a"].f(), sum(story.failed) > 1) == (2, story.mode == "failing")


@pytest.mark.parametrize(
    "change",
    [
        lambda a, held: setattr(a, "K", 2),
        lambda a, held: delattr(a, "K"),
        lambda a, held: setattr(a.f, "__code__", a.g.__code__),
        lambda a, held: setattr(a.f, "__defaults__", (2,)),
        lambda a, held: setattr(a.f, "__kwdefaults__", {"x": 2}),
        lambda a, held: setattr(a.f, "__doc__", "other"),
        lambda a, held: setattr(a.f, "mark", 1),
        lambda a, held: a.f.__annotations__.update(x=int),
        lambda a, held: setattr(a.C, "x", 2),
        lambda a, held: setattr(a.C, "__bases__", (a.B,)),
        lambda a, held: setattr(a.C.m, "__code__", a.g.__code__),
        lambda a, held: a.REGISTRY.update(x=1),
        lambda a, held: a.C.seen.append(1),
        lambda a, held: setattr(held["closure"].__closure__[0], "cell_contents", 2),
        lambda a, held: setattr(held["closure"], "__code__", (lambda: held).__code__),
        lambda a, held: setattr(held["instance"], "x", 2),
        lambda a, held: setattr(held["instance"], "__class__", a.B),
        lambda a, held: setattr(held["slotted"], "x", 2),
        lambda a, held: setattr(a, "__class__", type("Module", (types.ModuleType,), {})),
    ],
)
def test_what_a_failing_commit_must_leave_alone_is_seen(files: Files, change: Callable) -> None:
    files.start(
        a="""
        K, REGISTRY = 1, {}
        def f(x=1): pass
        def g(x=1): pass
        def make(x): return lambda: x
        class A: pass
        class B(A): pass
        class C(A):
            seen = []
            def m(self): pass
        class S:
            __slots__ = 'x'
        """
    )
    a = files["a"]
    held = {"closure": a.make(1), "instance": a.C(), "slotted": a.S()}
    before = Snapshot(files.package)
    assert before.changes() == []
    change(a, held)
    assert before.changes() != []


def test_a_deed_whose_inverse_is_wrong_is_caught(files: Files) -> None:
    files.start(a="K = 1")
    namespace = vars(files["a"])
    deed = Deed(partial(namespace.__setitem__, "K", 2), partial(namespace.get, "K"))
    with pytest.raises(AssertionError, match=r"failed at step 1 has changed \['files_\d+.a.K'\]"):
        failing_everywhere(commit, files.package, [])([deed])


# -- one file: what computes with a change. {n} is 1, then 2; the expression is compared with a cold run

DERIVED = {
    "expression": ("K = {n}\nB = K + 1", "B"),
    "chain": ("K = {n}\nB = K + 1\nC = B * 10\nD = [C]", "B, C, D"),
    "one line": ("K = {n}; B = K + 1", "B"),
    "annotated": ("K = {n}\nB: int = K", "B"),
    "several targets": ("K = {n}\n(A, B), *C = (K, K + 1), K\nD = E = [C]", "A, B, C, D is E"),
    "walrus": ("K = {n}\nB = (C := K) + 1", "B, C"),
    "f-string": ("K = {n}\nB = f'{K}!'", "B"),
    "comprehension": ("K = {n}\nB = [i * K for i in range(3)]", "B"),
    "generator expression": ("K = {n}\nB = sum(i for i in range(K + 1))", "B"),
    "if": ("K = {n}\nif K == 1:\n    def f(): return 'one'\nelse:\n    def f(): return 'two'", "f()"),
    "if without else": ("K = {n}\nif K == 1:\n    B = 1\n    def f(): pass", "'B' in globals(), 'f' in globals()"),
    "for": ("K = {n}\nB = []\nfor i in range(K):\n    B.append(i)", "B, i"),
    "while": ("K = {n}\nB = 0\nwhile B < K:\n    B += 1", "B"),
    "with": ("from contextlib import nullcontext\nK = {n}\nwith nullcontext(K) as B:\n    C = B", "B, C"),
    "try": (
        "K = {n}\ntry:\n    B = 1 / (K - 2)\nexcept ArithmeticError:\n    C = 'none'",
        "globals().get('B'), globals().get('C')",
    ),
    "match": ("K = {n}\nmatch K:\n    case 1:\n        B = 'one'\n    case C:\n        B = 'other'", "B"),
    "augmented": ("K = {n}\nB = 10\nB += K", "B"),
    "augmented by hand": ("K = {n}\nB = 10\nB = B + K", "B"),
    "augmented list": ("K = {n}\nB = [0]\nB += [K]", "B"),
    "augmented twice": ("K = {n}\nB = 1\nB += 1\nB *= K\nB += 1", "B"),
    "del": ("K = {n}\nA = K\nB = A\ndel A", "B, 'A' in globals()"),
    "bound twice": ("A = {n}\nB = A\nA = 5\nC = A", "A, B, C"),
    "default": ("K = {n}\ndef f(x=K): return x", "f()"),
    "keyword default": ("K = {n}\ndef f(*, x=K): return x", "f()"),
    "default of a lambda": ("K = {n}\nf = lambda x=K: x", "f()"),
    "default of an async def": ("K = {n}\nasync def f(x=K): return x", "f.__defaults__"),
    "annotation": ("K = {n}\ndef f(x: K) -> K: pass", "f.__annotations__"),
    "decorator": ("K = {n}\ndef deco(k): return lambda g: lambda: g() * k\n@deco(K)\ndef f(): return 5", "f()"),
    "body of a decorator": ("def deco(g): return lambda: g() * {n}\n@deco\ndef f(): return 5", "f()"),
    "decorator that calls": ("def call(g): return g()\n@call\ndef T(): return {n}", "T"),
    "what a decorator calls": (
        "def k(): return {n}\ndef deco(g):\n    m = k()\n    return lambda: g() * m\n@deco\ndef f(): return 5",
        "f()",
    ),
    "class body": ("K = {n}\nclass C:\n    x = K\n    y = [x]", "C.x, C.y"),
    "class body, nested": ("K = {n}\nclass C:\n    class D:\n        x = K", "C.D.x"),
    "default from a class body": ("class C:\n    K = {n}\n    def m(self, x=K): return x", "C().m()"),
    "base": (
        "K = {n}\nclass A: x = 'a'\nclass B: x = 'b'\nclass C(A if K == 1 else B): pass",
        "C.x, C.__bases__[0].__name__",
    ),
    "base's base": ("class A: x = {n}\nclass B(A): pass\nclass C(B): y = B.x\nT = C.x", "C.x, C.y, T"),
    "class keyword": ("K = {n}\nclass A:\n    def __init_subclass__(cls, k): cls.k = k\nclass B(A, k=K): pass", "B.k"),
    "metaclass": ("K = {n}\nclass M(type):\n    def __init__(cls, *_): cls.k = K\nclass A(metaclass=M): pass", "A.k"),
    "class decorator": ("K = {n}\ndef deco(c):\n    c.k = K\n    return c\n@deco\nclass A: pass", "A.k"),
    "dataclass": ("from dataclasses import dataclass\nK = {n}\n@dataclass\nclass P:\n    x: int = K\nT = P()", "P().x, T.x"),
    "namedtuple": ("from typing import NamedTuple\nK = {n}\nclass P(NamedTuple):\n    x: int = K", "P().x"),
    "enum": ("from enum import Enum\nK = {n}\nclass E(Enum):\n    A = K\nT = E.A.value", "E.A.value, T"),
    "class attribute": ("class C:\n    x = {n}\nT = C.x", "T"),
    "class attribute set later": ("class C: pass\nC.x = {n}\nT = C.x", "C.x, T"),
    "instance": ("class C:\n    def __init__(self): self.x = {n}\nc = C()\nT = c.x", "c.x, T"),
    "attribute of an instance": ("class C: pass\nc = C()\nc.x = {n}\nT = c.x", "c.x, T"),
    "method": ("K = {n}\nclass C:\n    def m(self): return K\nT = C().m()", "T"),
    "property": ("K = {n}\nclass C:\n    @property\n    def p(self): return K\nc = C()\nT = c.p", "T"),
    "special method": ("class C:\n    def __len__(self): return {n}\nc = C()\nT = len(c), [*range(len(c))]", "T"),
    "inherited method": ("class A:\n    def m(self): return {n}\nclass B(A): pass\nT = B().m()", "T"),
    "function called": ("def build(): return {n}\nT = build()", "T"),
    "function called by one called": ("def k(): return {n}\ndef build(): return k()\nT = build()", "T"),
    "constant read by one called": ("K = {n}\ndef k(): return K\ndef build(): return k()\nT = build()", "T"),
    "function called through an alias": ("def build(): return {n}\nmake = build\nT = make()", "T"),
    "function called out of a dict": ("def build(): return {n}\nH = {'b': build}\nT = H['b']()", "T"),
    "function handed over": ("def key(x): return x * -{n} % 3\nT = sorted([1, 2, 3], key=key)", "T"),
    "lambda called": ("g = lambda x: x * {n}\nT = list(map(g, [5]))", "T"),
    "partial": ("from functools import partial\ndef f(x): return x * {n}\ng = partial(f, 5)\nT = g()", "T, g()"),
    "generator function": ("def gen(): yield {n}\nT = list(gen())", "T"),
    "closure": ("def make():\n    k = {n}\n    return lambda: k\nf = make()\nT = f()", "f(), T"),
    "recursion": ("def f(i): return {n} if i == 0 else f(i - 1)\nT = f(3)", "T"),
    "global in a function": ("K = {n}\ndef setup():\n    global B\n    B = K\nsetup()\nC = B", "B, C"),
    "counter in a function": (
        "K = {n}\nN = 0\ndef new():\n    global N\n    N += 1\n    return N\nA = new()\nB = new() + K",
        "A, B, N",
    ),
    "list filled by a function": (
        "K = {n}\nN = []\ndef new():\n    N.append(1)\n    return len(N)\nA = new()\nB = new() + K",
        "A, B, N",
    ),
    "iterator": ("K = {n}\nI = iter('abc')\nA = next(I)\nB = next(I) * K", "A, B"),
    "pop": ("K = {n}\nS = [1, 2, 3]\nA = S.pop()\nB = S.pop() * K", "A, B, S"),
    "shadowed builtin": ("if {n} == 2:\n    def max(*_): return 'mine'\nT = max(1, 2)", "T"),
    "assert": ("K = {n}\nassert K\nB = K", "B"),
    "type of a constant": ("K = 1 if {n} == 1 else True\nB = repr(K)", "B"),
    "dict": ("D = {}\nD['k'] = {n}\nT = D['k']", "D, T"),
    "key of a dict": ("K = {n}\nD = {}\nD[K] = 'x'", "D"),
    "slice": ("L = [0, 0, 0]\nL[:{n}] = []\nT = len(L)", "L, T"),
    "list": ("L = []\nL.append({n})\nL.append(0)\nT = L[0]", "L, T"),
    "alias of a list": ("L = []\nM = L\nM.append({n})\nT = L[0]", "L, M is L, T"),
    "list in a dict": ("L = []\nD = {'l': L}\nD['l'].append({n})\nT = L[0]", "L, D['l'] is L, T"),
    "set": ("S = set()\nS.add({n})\nS |= {9}", "S"),
    "update": ("D = dict(a=0)\nD.update(a={n})\nE = {**D, 'b': 1}", "D, E"),
    "sort": ("L = [3, 1, 2]\nL.sort(reverse={n} == 2)\nT = L[0]", "L, T"),
    "del of an item": ("D = {1: 'a', 2: 'b'}\ndel D[{n}]\nT = list(D)", "D, T"),
    "attribute of a function": ("def f(): return f.x\nf.x = {n}\nT = f()", "f.x, T"),
    "setattr": ("class C: pass\nsetattr(C, 'x', {n})\nT = C.x", "C.x, T"),
    "globals()": (
        "K = {n}\nfor name in ['x', 'y', 'z'][K:]:\n    globals()[name] = K",
        "[globals().get(name) for name in 'xyz']",
    ),
    "exec": ("K = {n}\nexec(f'B{K} = K')", "globals().get('B1'), globals().get('B2')"),
    "eval": ("K = {n}\nB = eval('K + 1')", "B"),
    "locals()": ("K = {n}\nlocals()['B'] = K\nC = B", "B, C"),
    "vars of a class": ("K = {n}\nclass C:\n    locals()['x'] = K", "C.x"),
    "import of a module": (
        "if {n} == 1:\n    import json as m\nelse:\n    import string as m\nT = m.__name__",
        "T, m.__name__",
    ),
    "__all__": ("K, L = 1, 2\n__all__ = ['K', 'L'][:{n}]\nT = len(__all__)", "T, __all__"),
}


@pytest.mark.parametrize(("text", "expression"), DERIVED.values(), ids=DERIVED)
def test_what_computes_with_a_change_is_as_in_a_cold_process(story: Story, text: str, expression: str) -> None:
    versions = {number: Cold(fill(text, number)) for number in (1, 2)}
    assert versions[1].value(expression) != versions[2].value(expression)
    story.start(a=versions[1].text)
    for number in (2, 1):  # there and back
        story.save(a=versions[number].text)
        assert story.failures == set()
        assert value_of(vars(story["a"]), expression) == versions[number].value(expression)
        assert names_of(vars(story["a"])) == versions[number].names


EDITS = {
    "constant added": ("A = 1", "A = 1\nB = A + 1"),
    "constant added above": ("A = 1", "B = 1\nA = 1"),
    "statement added between": ("A = 1\nC = A", "A = 1\nA += 1\nC = A"),
    "statement removed between": ("A = 1\nA += 1\nC = A", "A = 1\nC = A"),
    "order that matters": ("A = 1\nB = A + 1\nA = 5", "A = 1\nA = 5\nB = A + 1"),
    "order of two bindings": ("X = 1\nX = 2", "X = 2\nX = 1"),
    "definition exchanged for a constant": ("def f(): pass\nT = callable(f)", "f = 1\nT = callable(f)"),
    "del added": ("X = 1\nY = X", "X = 1\nY = X\ndel X"),
    "del removed": ("X = 1\nY = X\ndel X", "X = 1\nY = X"),
    "builtin no longer shadowed": ("def len(_): return 5\nT = len([])", "T = len([])"),
    "builtin shadowed": ("T = max(1, 2)", "def max(*_): return 5\nT = max(1, 2)"),
    "builtin shadowed in a function": (
        "def f(): return len([])\nT = f()",
        "def f(): return len([])\ndef len(_): return 5\nT = f()",
    ),
    "second of two equal statements removed": ("N = []\nN.append(1)\nN.append(1)", "N = []\nN.append(1)"),
    "third equal statement added": ("N = []\nN.append(1)\nN.append(1)", "N = []\nN.append(1)\nN.append(1)\nN.append(1)"),
    "equal counters": ("N = 0\nN += 1\nN += 1", "N = 0\nN += 1"),
    "1 to True": ("K = 1\nT = [K]", "K = True\nT = [K]"),
    "1 to 1.0": ("K = 1\nT = [K]", "K = 1.0\nT = [K]"),
    "0.0 to -0.0": ("K = 0.0\nT = [K]", "K = -0.0\nT = [K]"),
    "1 to 1.0 in a function": ("def f(): return 1\nT = f()", "def f(): return 1.0\nT = f()"),
    "1 to True in a default": ("def f(x=1): return x\nT = f()", "def f(x=True): return x\nT = f()"),
    "text to bytes": ("K = 'a'\nT = [K]", "K = b'a'\nT = [K]"),
    "nothing left": ("A = 1\ndef f(): pass", ""),
    "module docstring": ("'one'\nT = __doc__", "'two'\nT = __doc__"),
    "module docstring removed": ("'one'\nA = 1", "A = 1"),
    "name in a loop": ("for name in 'ab': pass", "A = 1"),
    "imports removed": ("import json, string as s\nfrom os import path\nA = 1", "A = 1"),
    "unpacking": ("A, (B, *C) = 1, (2, 3)", "A, B = 1, 2"),
    "with target": ("import io\nwith io.StringIO() as s: pass", "import io\nwith io.StringIO() as t: pass"),
    "handlers of a loop": (
        "H = {}\nfor name in ['x', 'y']:\n    H[name] = name * 2",
        "H = {}\nfor name in ['x', 'z']:\n    H[name] = name * 2",
    ),
    "functions of a loop": (
        "for name in ['x', 'y']:\n    exec(f'def {name}(): return 1')",
        "for name in ['x', 'z']:\n    exec(f'def {name}(): return 1')",
    ),
    "future annotations": (
        "A = 1\ndef f(x: int): pass\nT = f.__annotations__['x']",
        "from __future__ import annotations\nA = 1\ndef f(x: int): pass\nT = f.__annotations__['x']",
    ),
}


@pytest.mark.parametrize(("old", "new"), EDITS.values(), ids=EDITS)
def test_after_any_edit_names_and_values_are_those_of_a_cold_process(story: Story, old: str, new: str) -> None:
    story.start(a=old)
    for text in (new, old):
        story.save(a=text)
        cold = Cold(text)
        assert story.failures == set()
        assert names_of(vars(story["a"])) == cold.names
        plain = [name for name in sorted(cold.names) if not callable(cold.namespace[name])]
        expression = f"[repr(value) for value in ({''.join(name + ', ' for name in plain)})], __doc__"
        if "import io" not in text:
            assert value_of(vars(story["a"]), expression) == cold.value(expression)


def test_annotations_of_a_module_come_change_and_go(story: Story) -> None:
    story.start(a="A: int = 1\nB: str")
    story.save(a="A: float = 1\nC: bytes")
    assert story["a"].__annotations__ == {"A": float, "C": bytes}


# -- across files

IMPORTS = {
    "from": "from .a import K\nB = K + 1",
    "from, by full name": "from PKG.a import K\nB = K + 1",
    "from, as": "from .a import K as Q\nB = Q + 1",
    "from the package": "from . import a\nB = a.K + 1",
    "from the package, as": "from . import a as x\nB = x.K + 1",
    "import": "import PKG.a\nB = PKG.a.K + 1",
    "import as": "import PKG.a as x\nB = x.K + 1",
    "star": "from .a import *\nB = K + 1",
    "by string": "import importlib\nx = importlib.import_module('.a', __package__)\nB = x.K + 1",
    "from sys.modules": "import sys\nfrom . import a\nB = sys.modules['PKG.a'].K + 1",
    "getattr": "from . import a\nB = getattr(a, 'K') + 1",
    "in a function": "def k():\n    from .a import K\n    return K + 1\nB = k()",
    "in a function, by module": "def k():\n    from . import a\n    return a.K + 1\nB = k()",
    "by a function of the other file": "from .a import k\nB = k() + 1",
    "by a method of the other file": "from .a import C\nB = C().m() + 1",
    "as a base": "from .a import C\nclass D(C): pass\nB = D.x + 1",
    "as a default": "from .a import K\ndef f(x=K): return x + 1\nB = f()",
    "as a decorator": "from .a import plus\n@plus\ndef f(): return 1\nB = f()",
    "in a class body": "from . import a\nclass D:\n    y = a.K + 1\nB = D.y",
    "under try": "try:\n    from .a import K\nexcept ImportError:\n    K = 0\nB = K + 1",
    "under if": "if True:\n    from .a import K\nB = K + 1",
    "through a list": "from .a import L\nB = L[0] + 1",
    "through a dict filled elsewhere": "from .a import D\nB = D['k'] + 1",
    "by a lazy attribute": "from .a import lazy\nB = lazy + 1",
}
EXPORTER = """
K = {n}
L = [K]
D = {}
D['k'] = K
def k(): return K
def plus(g): return lambda: g() + K
class C:
    x = K
    def m(self): return K
def __getattr__(name):
    if name == 'lazy': return K
    raise AttributeError(name)
"""


@pytest.mark.parametrize("importer", IMPORTS.values(), ids=IMPORTS)
def test_what_another_file_computes_with_a_change_is_new(story: Story, importer: str) -> None:
    story.start(
        a=fill(EXPORTER, 1), b=importer, c="from .b import B\nC = B * 10", d="from . import c as last\nD = last.C + 1"
    )
    for number in (2, 1, 5):
        story.save(a=fill(EXPORTER, number))
        expected = number + 1
        assert (expected, expected * 10, expected * 10 + 1) == (story["b"].B, story["c"].C, story["d"].D)
        assert story.failures == set()


@pytest.mark.parametrize(
    ("init", "importer"),
    [
        ("from .x import N", "from .p import N\nB = N + 1"),
        ("from .x import N as M", "from .p import M as N\nB = N + 1"),
        ("from .x import *", "from .p import *\nB = N + 1"),
        ("from . import x", "from .p import x\nB = x.N + 1"),
        ("from .x import N\n__all__ = ['N']", "from . import p\nB = p.N + 1"),
        ("", "import PKG.p.x\nB = PKG.p.x.N + 1"),
    ],
    ids=["from", "as", "star", "module", "through the package", "not at all"],
)
def test_what_a_package_reexports_is_new_for_who_computes_with_it(story: Story, init: str, importer: str) -> None:
    story.start(p____init__=init, p__x="N = 1", b=importer)
    story.save(p__x="N = 2")
    assert (story["b"].B, story.failures) == (3, set())


def test_editing_a_package_keeps_its_modules_and_their_state(patching: Story) -> None:
    patching.start(p____init__="K = 1", p__x=RAN + "cache = ran('x', {})", b="from .p import x\nfrom . import p")
    module, cache = patching["p.x"], patching["p.x"].cache
    patching.save(p____init__="K = 2")
    assert (patching["p"].x is module, module.cache is cache, patching["b"].p.K, patching.ran) == (True, True, 2, [])


def test_a_deep_chain_is_new_to_its_end(story: Story) -> None:
    chain = {f"m{i}": f"from .m{i - 1} import X as Y\nX = Y + 1" for i in range(1, 20)}
    story.start(m0="X = 0", **chain)
    story.save(m0="X = 100")
    assert story["m19"].X == 119


def test_a_diamond_runs_each_statement_once_and_in_order(story: Story) -> None:
    files = {
        "left": RAN + "from .base import X\nL = ran('left', X + 1)",
        "right": RAN + "from .base import X\nR = ran('right', X + 2)",
        "top": RAN + "from .left import L\nfrom .right import R\nT = ran('top', L + R)",
    }
    story.start(base="X = 1", **files)
    story.save(base="X = 10")
    assert (sorted(story.ran[:2]), story.ran[2:], story["top"].T) == (["left", "right"], ["top"], 23)


def test_of_three_importers_each_runs_what_it_computes_with_the_change(patching: Story) -> None:
    patching.start(
        a="K = 1\nJ = 1\ndef f(): return 1",
        b1=RAN + "from .a import K\ncache = ran('cache of b1', {})\nX = ran('K in b1', K)",
        b2=RAN + "from .a import f\ncache = ran('cache of b2', {})\nH = [f]",
        b3=RAN + "from . import a\ncache = ran('cache of b3', {})\nX = ran('J in b3', a.J)\ndef late(): return a.K",
    )
    caches = [patching[name].cache for name in ("b1", "b2", "b3")]
    patching.save(a="K = 2\nJ = 1\ndef f(): return 1")
    assert (patching.ran, patching["b1"].X, patching["b3"].late()) == (["K in b1"], 2, 2)
    patching.save(a="K = 2\nJ = 5\ndef f(): return 2")
    assert (sorted(patching.ran), patching["b3"].X, patching["b2"].H[0]()) == (["J in b3"], 5, 2)
    assert [cache is patching[name].cache for cache, name in zip(caches, ("b1", "b2", "b3"), strict=True)] == [True] * 3


def test_what_is_only_held_is_not_run_again(patching: Story) -> None:
    patching.start(
        a="def f(): return 1\nclass C:\n    def m(self): return 1",
        b=RAN + "from .a import f, C\nH = {'f': f, 'C': C}\nran('b')",
    )
    held = patching["b"].H
    report = patching.save(a="def f(): return 2\nclass C:\n    def m(self): return 2")
    assert (patching["b"].H is held, held["f"](), held["C"]().m(), patching.ran) == (True, 2, 2, [])
    assert patching.ways(report) == {"a": Way.PATCH}


def test_what_holds_a_function_that_only_changed_its_defaults_is_not_run_again(patching: Story) -> None:
    patching.start(a="def f(x=1): return x", b=RAN + "from .a import f\nH = {'f': f}\nran('b')")
    held = patching["b"].H
    patching.save(a="def f(x=2): return x")
    assert (patching["b"].H is held, held["f"](), patching.ran) == (True, 2, [])


def test_a_call_in_another_file_is_run_again_when_what_it_reaches_changed(patching: Story) -> None:
    patching.start(
        c="def deep(): return 1\ndef other(): return 1",
        b="from . import c\ndef build(): return c.deep()",
        a=RAN + "from .b import build\nT = ran('T', build())\ncache = ran('cache', {})",
    )
    patching.save(c="def deep(): return 2\ndef other(): return 1")
    assert (patching["a"].T, patching.ran) == (2, ["T"])
    patching.save(c="def deep(): return 2\ndef other(): return 2")
    assert patching.ran == []


def test_a_name_read_only_when_called_runs_nothing(patching: Story) -> None:
    text = RAN + "K = {n}\ndef f(): return K\nH = [f]\nclass C:\n    def m(self): return K\nran('a')"
    patching.start(a=fill(text, 1), b=RAN + "from . import a\ndef g(): return a.K\nran('b')")
    patching.save(a=fill(text, 2))
    assert (patching["a"].f(), patching["a"].C().m(), patching["b"].g(), patching.ran) == (2, 2, 2, [])


def test_after_an_import_is_removed_the_old_dependency_runs_nothing(patching: Story) -> None:
    patching.start(a="K = 1", b=RAN + "from .a import K\nB = ran('B', K)")
    patching.save(b=RAN + "K = 5\nB = ran('B', K)")
    assert (patching["b"].B, patching.ran) == (5, ["B"])
    report = patching.save(a="K = 2")
    assert (patching["b"].B, patching.ran, patching.ways(report)) == (5, [], {"a": Way.PATCH})


def test_after_an_import_is_added_the_new_dependency_is_followed(story: Story) -> None:
    story.start(a="K = 1", b="B = 0", c="from .b import B\nC = B + 1")
    story.save(b="from .a import K\nB = K")
    story.save(a="K = 2")
    assert (story["b"].B, story["c"].C) == (2, 3)


@pytest.mark.parametrize("first", ["a", "b"])
def test_two_files_saved_together_may_have_a_new_edge(story: Story, first: str) -> None:
    story.start(a="K = 1", b="B = 0", c="from .b import B\nC = B + 1")
    files = {"a": "K = 1\nNEW = 5", "b": "from .a import NEW\nB = NEW"}
    story.save(**{first: files.pop(first)}, **files)
    assert (story["b"].B, story["c"].C, story.failures) == (5, 6, set())


@pytest.mark.parametrize("first", ["a", "b"])
def test_two_files_saved_together_with_an_old_edge_agree(story: Story, first: str) -> None:
    story.start(a="K = 1\ndef f(): return K", b="from .a import K, f\nB = K, f()")
    files = {"a": "L = 2\ndef g(): return L", "b": "from .a import L, g\nB = L, g()"}
    story.save(**{first: files.pop(first)}, **files)
    assert (story["b"].B, hasattr(story["b"], "K"), story.failures) == ((2, 2), False, set())


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_function_may_move_to_another_file(story: Story, first: str) -> None:
    story.start(a="def f(): return 1", b="", c="from .a import f\nT = f()")
    files = {"a": "from .b import f", "b": "def f(): return 2"}
    story.save(**{first: files.pop(first)}, **files)
    assert (story["a"].f(), story["c"].f(), story["c"].T, story["a"].f is story["b"].f) == (2, 2, 2, True)


def test_an_edge_that_turns_round_is_followed(story: Story) -> None:
    story.start(a="K = 1", b="from .a import K\nB = K + 1")
    story.save(a="from .b import B\nK = B + 1", b="B = 10")
    assert (story["a"].K, story["b"].B) == (11, 10)
    story.save(b="B = 20")
    assert story["a"].K == 21


def test_the_files_of_a_cycle_follow_each_other(story: Story) -> None:
    story.start(a="from . import b\nK = 1\ndef f(): return b.V", b="from . import a\nV = 5\ndef g(): return a.K\nheld = a")
    story.save(a="from . import b\nK = 2\ndef f(): return b.V * 10")
    story.save(b="from . import a\nV = 6\ndef g(): return a.K * 10\nheld = a")
    assert (story["a"].f(), story["b"].g(), story["b"].held is story["a"], story.failures) == (60, 20, True, set())


def test_what_a_cycle_computes_is_new(story: Story) -> None:
    story.start(a="from .d import K\nV = K + 1", d="from . import a\nK = 1\ndef g(): return a.V")
    for number in (5, 6):
        story.save(d=f"from . import a\nK = {number}\ndef g(): return a.V")
        assert (story["a"].V, story["d"].g(), story.failures) == (number + 1, number + 1, set())


def test_a_star_import_takes_new_names_and_forgets_removed_ones(story: Story) -> None:
    story.start(a="X = 1\nY = 1\n_p = 1", b="from .a import *\nfrom .a import X as Z")
    story.save(a="X = 2\nW = 2\n_p = 2")
    assert (names_of(vars(story["b"])), story["b"].X, story["b"].Z) == ({"X", "W", "Z"}, 2, 2)
    story.save(a="X = 3\nW = 3\n_p = 3\n__all__ = ['_p', 'X']")
    assert (names_of(vars(story["b"])), story["b"]._p) == ({"X", "_p", "Z"}, 3)


def test_a_name_bound_after_a_star_import_stays_the_files_own(story: Story) -> None:
    story.start(a="X = 1", b="from .a import *\nX = 'own'\nT = X")
    story.save(a="X = 2\nT = 2")
    assert (story["b"].X, story["b"].T) == ("own", "own")


def test_a_caught_import_follows_a_file_that_comes_and_goes(story: Story) -> None:
    story.start(b="try:\n    from .a import X\nexcept ImportError:\n    X = 0\nB = X + 1")
    story.save(a="X = 5")
    assert (story["b"].B, story.failures) == (6, set())
    story.save(a=None)
    assert (story["b"].B, story.failures) == (1, set())


def test_an_import_for_type_checkers_is_no_dependency(patching: Story) -> None:
    text = (
        RAN + "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import K\nran('b')\ndef f(x: 'K'): return x"
    )
    patching.start(a="K = 1", b=text)
    report = patching.save(a="K = 2")
    assert (patching.ways(report), patching.ran) == ({"a": Way.PATCH}, [])
    patching.save(a="L = 2")
    assert (patching.failures, patching["b"].f(1)) == (set(), 1)


def test_what_another_file_puts_into_a_list_comes_and_goes(story: Story) -> None:
    story.start(a="D = {}", b="from .a import D\nD['x'] = 1")
    story.save(b="from .a import D\nD['y'] = 2")
    assert (story["a"].D, story["b"].D is story["a"].D) == ({"y": 2}, True)
    story.save(b="")
    assert story["a"].D == {}


def test_what_another_file_sets_on_a_module_is_there_and_goes_with_its_statement(story: Story) -> None:
    story.start(a="K = 1\ndef f(): return K", b="from . import a\na.K = 10")
    story.save(b="from . import a\na.K = 20")
    assert (story["a"].K, story["a"].f()) == (20, 20)
    story.save(b="from . import a")
    assert (story["a"].K, story["a"].f()) == (1, 1)


def test_what_another_file_sets_on_a_class_outlives_an_edit_of_the_class(story: Story) -> None:
    text = "class C:\n    def m(self): return 'own'\n    x = {n}"
    story.start(a=fill(text, 1), b="from .a import C\nC.m = lambda self: 'put'")
    held = story["a"].C()
    story.save(a=fill(text, 2))
    assert (held.x, held.m(), story["b"].C is story["a"].C) == (2, "put", True)


# -- what is not run again

KEPT = {
    "dict": "cache = ran('cache', {})",
    "connection": "class Connection: pass\nconn = ran('conn', Connection())",
    "list of calls": "L = [ran('L', 1), ran('L', 2)]",
    "lock": "import threading\nlock = ran('lock', threading.Lock())",
    "expression": "ran('expression')",
    "default": "def g(x=ran('default', [])): return x",
    "decorator": "def deco(g):\n    ran('deco')\n    return g\n@deco\ndef g(): pass",
    "class body": "class C:\n    x = ran('body', {})\n    def m(self): pass",
    "base": "class B: pass\nclass C(ran('base', B)): pass",
    "if": "if ran('if', True):\n    x = ran('then', {})",
    "for": "for i in ran('for', range(3)):\n    ran('turn')",
    "with": "from contextlib import nullcontext\nwith ran('with', nullcontext()):\n    ran('inside')",
    "try": "try:\n    x = ran('try', {})\nfinally:\n    ran('finally')",
    "registration": "R = {}\nR['x'] = ran('item', 1)\nR.setdefault('y', ran('default', 2))",
    "chain": "a = ran('a', {})\nb = ran('b', [a])\nc = ran('c', {'b': b})",
    "print": "print(ran('print', ''), end='')",
    "annotated": "x: dict = ran('x', {})",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_has_nothing_to_do_with_an_edit_keeps_its_value(patching: Story, text: str) -> None:
    edits = "def f(): return {n}\nclass E:\n    def m(self): return {n}\n", "K = {n}\n", "import json as m{n}\n"
    patching.start(a=RAN + text + "\n" + fill("".join(edits), 1))
    names = names_of(Cold(RAN + text).namespace)
    before = {name: vars(patching["a"])[name] for name in names}
    for done in range(1, 4):
        new = fill("".join(edits[:done]), 2) + fill("".join(edits[done:]), 1)
        report = patching.save(a=RAN + text + "\n" + new)
        assert (patching.ran, patching.ways(report)) == ([], {"a": Way.PATCH})
        assert [name for name in names if vars(patching["a"])[name] is not before[name]] == []


@pytest.mark.parametrize(
    "text",
    [
        "if {r}:\n    def f(): return {n}",
        "for _ in {r}, :\n    def f(): return {n}",
        "class C:\n    x = {r}\n    def f(self=0): return {n}\nf = C.f",
        "def f(x={r}): return {n}",
    ],
    ids=["if", "for", "class", "default"],
)
def test_a_body_edit_does_not_run_what_is_around_the_body(patching: Story, text: str) -> None:
    text = RAN + text.replace("{r}", "ran('around', True)")
    patching.start(a=fill(text, 1))
    patching.save(a=fill(text, 2))
    assert (patching["a"].f(), patching.ran) == (2, [])


def test_only_the_statements_downstream_of_a_change_run_in_their_order(patching: Story) -> None:
    text = (
        RAN
        + """
A = {n}
U = ran('U', {})
B = ran('B', A + 1)
V = ran('V', [])
def f(x=A): return B
C = ran('C', f() + 1)
W = ran('W', U)
D = ran('D', [B, C])
"""
    )
    patching.start(a=fill(text, 1))
    kept = patching["a"].U, patching["a"].V, patching["a"].W
    patching.save(a=fill(text, 10))
    assert (patching.ran, patching["a"].D) == (["B", "C", "D"], [11, 12])
    assert all(old is new for old, new in zip(kept, (patching["a"].U, patching["a"].V, patching["a"].W), strict=True))


def test_what_was_put_into_a_cache_survives_an_edit_of_who_fills_it(patching: Story) -> None:
    text = "cache = {}\ndef put(key): cache[key] = {n}"
    patching.start(a=fill(text, 1))
    patching["a"].put("old")
    patching.save(a=fill(text, 2))
    patching["a"].put("new")
    assert patching["a"].cache == {"old": 1, "new": 2}


def test_a_counter_counts_on_until_its_own_statement_is_edited(patching: Story) -> None:
    text = "N = {n}\ndef bump():\n    global N\n    N += 1\n    return N\ndef f(): return {m}"
    patching.start(a=fill(text, 0).replace("{m}", "1"))
    patching["a"].bump()
    patching.save(a=fill(text, 0).replace("{m}", "2"))
    assert (patching["a"].bump(), patching["a"].f()) == (2, 2)
    patching.save(a=fill(text, 10).replace("{m}", "2"))
    assert patching["a"].bump() == 11


def test_an_object_kept_by_an_edit_is_still_of_its_class(patching: Story) -> None:
    text = "class Model:\n    def run(self): return {n}\nmodel = Model()\nmodel_list = [model]"
    patching.start(a=fill(text, 1))
    patching.save(a=fill(text, 2))
    a = patching["a"]
    assert (a.model.run(), type(a.model) is a.Model, a.model_list[0] is a.model) == (2, True, True)


def test_names_put_into_a_module_from_outside_stay(patching: Story) -> None:
    text = "K = {n}\nB = K\ndef f(): return {n}\ndef g(): return 'own'"
    patching.start(a=fill(text, 1))
    patching["a"].x = held = object()
    patching["a"].g = patched = lambda: "patched"
    patching.save(a=fill(text, 2))
    a = patching["a"]
    assert (a.x is held, a.g is patched, a.B, a.f()) == (True, True, 2, 2)


def test_a_name_put_into_a_module_gives_way_to_one_its_file_defines(story: Story) -> None:
    story.start(a="K = 1")
    story["a"].x = 5
    story.save(a="K = 1\nx = 7")
    assert story["a"].x == 7
    story.save(a="K = 1")
    assert not hasattr(story["a"], "x")


# -- what changes nothing

COSMETIC = {
    "comment above": lambda text: "# why\n\n" + text,
    "comment between": lambda text: text.replace("\n", "\n# why\n", 1),
    "comment at the end of a line": lambda text: text.replace("\n", "  # why\n", 1),
    "blank lines": lambda text: text.replace("\n", "\n\n\n", 2),
    "quotes": lambda text: text.replace("'", '"'),
    "spaces": lambda text: text.replace(" = ", "  =  ").replace(", ", ",   "),
    "line break": lambda text: text.replace("ran('cache', {})", "ran(\n    'cache',\n    {},\n)"),
    "parentheses": lambda text: text.replace("ran('cache', {})", "(ran(('cache'), {}))"),
    "spelling of a number": lambda text: text.replace("16", "0x10"),
    "functions moved up": lambda text: (
        RAN + "def f():\n    raise ValueError('here')\n" + text.replace(RAN, "").split("def f")[0]
    ),
    "statements exchanged": lambda text: text.replace("B = ran('B', 16)\n", "").replace(
        "cache", "B = ran('B', 16)\ncache", 1
    ),
    "module docstring": lambda text: "'''What it is for.'''\n" + text,
}


@pytest.mark.parametrize("edit", COSMETIC.values(), ids=COSMETIC)
def test_an_edit_without_a_meaning_runs_nothing_and_its_lines_are_right(patching: Story, edit: Callable) -> None:
    text = RAN + "cache = ran('cache', {})\nB = ran('B', 16)\ndef f():\n    raise ValueError('here')\n"
    patching.start(a=text)
    held, cache = patching["a"].f, patching["a"].cache
    new = edit(text)
    assert new != text
    report = patching.save(a=new)
    assert (patching.ways(report), patching.ran, patching["a"].cache is cache) == ({"a": Way.PATCH}, [], True)
    with pytest.raises(ValueError, match="here") as caught:
        held()
    frame = traceback.extract_tb(caught.tb)[-1]
    assert new.splitlines()[(frame.lineno or 0) - 1].strip() == frame.line
    assert (frame.line or "").startswith("raise ValueError")


def test_a_class_is_shown_with_its_new_lines(story: Story) -> None:
    text = "class C:\n    x = 1\n    def m(self): return 1\n"
    story.start(a=text)
    held = story["a"].C
    story.save(a="# why\n" + text.replace("x = 1", "x = 1  # one"))
    assert inspect.getsourcelines(held) == (["class C:\n", "    x = 1  # one\n", "    def m(self): return 1\n"], 2)


def test_a_save_of_the_same_text_is_no_generation(story: Story) -> None:
    story.start(a="K = 1")
    generation = story.engine.generation
    story.save(a="K = 1")
    assert story.engine.generation == generation


# -- registries

REGISTER = """
REG = {}
ORDER = []
def register(f):
    REG[f.__name__] = f
    ORDER.append(f.__name__)
    return f
"""


def entries(*names: str, body: str = "1") -> str:
    """Return definitions that register themselves."""
    return "".join(f"@register\ndef {name}(): return {body}\n" for name in names)


@pytest.mark.parametrize(
    "names",
    [["one", "two", "three"], ["one"], ["two"], [], ["zero", "one", "two"], ["one", "mid", "two"], ["two", "one"], ["one", "other"]],
    ids=["added", "last removed", "first removed", "all removed", "added first", "added between", "exchanged", "renamed"],
)  # fmt: skip
def test_a_registry_has_what_its_file_registers_in_order(story: Story, names: list[str]) -> None:
    story.start(a=REGISTER + entries("one", "two"))
    story.save(a=REGISTER + entries(*names, body="2"))
    a = story["a"]
    assert ([*a.REG], a.ORDER) == (names, names)
    assert [(function(), function is vars(a)[name]) for name, function in a.REG.items()] == [(2, True)] * len(names)


def test_a_body_edit_leaves_a_registry_as_it_is(patching: Story) -> None:
    patching.start(a=REGISTER + entries("one", "two"))
    held, order = patching["a"].REG, patching["a"].ORDER
    held["outside"] = len
    patching.save(a=REGISTER + entries("one", "two", body="2"))
    assert (patching["a"].REG is held, [*held], order, held["one"]()) == (True, ["one", "two", "outside"], ["one", "two"], 2)


def test_an_entry_added_last_runs_no_other(patching: Story) -> None:
    text = RAN + "REG = []\ndef register(f):\n    ran(f.__name__)\n    REG.append(f)\n    return f\n"
    patching.start(a=text + entries("one", "two"))
    held = patching["a"].REG
    patching.save(a=text + entries("one", "two", "three"))
    assert (patching.ran, patching["a"].REG is held, len(held)) == (["three"], True, 3)


@pytest.mark.parametrize(
    "line",
    [
        "R['{k}'] = {n}",
        "R.update({'{k}': {n}})",
        "R.setdefault('{k}', {n})",
        "R |= {'{k}': {n}}",
        "R = {**R, '{k}': {n}}",
        "R.update({k}={n})",
    ],
)
def test_an_entry_made_by_a_statement_comes_changes_and_goes(story: Story, line: str) -> None:
    def text(**items: int) -> str:
        return "R = {}\n" + "".join(line.replace("{k}", key).replace("{n}", str(n)) + "\n" for key, n in items.items())

    story.start(a=text(x=1, y=1), b="from .a import R\nT = dict(R)")
    for items in ({"x": 1, "y": 2}, {"y": 2}, {"y": 2, "x": 3}, {"z": 4, "y": 2, "x": 3}, {}):
        story.save(a=text(**items))
        assert (story["a"].R, list(story["a"].R)) == (items, list(items))
        assert (story["b"].T, story["b"].R is story["a"].R) == (items, True)


@pytest.mark.parametrize(
    "line",
    ["L.append({n})", "L += [{n}]", "L.extend([{n}])", "L.insert(len(L), {n})", "L[len(L):] = [{n}]", "L = L + [{n}]"],
)
def test_an_item_of_a_list_comes_changes_and_goes(story: Story, line: str) -> None:
    def text(items: list[int]) -> str:
        return "L = [0]\n" + "".join(fill(line, number) + "\n" for number in items)

    story.start(a=text([1, 2]), b="from .a import L\nT = tuple(L)")
    for items in ([1, 3], [3], [3, 1], [1, 1, 3], [1, 3], []):
        story.save(a=text(items))
        assert (story["a"].L, story["b"].T, story["b"].L is story["a"].L) == ([0, *items], (0, *items), True)


def both(**files: str) -> dict[str, str]:
    """Put the import of ``register`` above each text."""
    return {name: "from .reg import register\n" + text for name, text in files.items()}


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        ({"b": entries("one", "two", body="2")}, {"one", "two", "three"}),
        ({"b": entries("one", "new")}, {"one", "new", "three"}),
        ({"b": entries("two")}, {"two", "three"}),
        ({"b": entries("one", "two", "new")}, {"one", "two", "new", "three"}),
        ({"b": "", "c": entries("three", "new")}, {"three", "new"}),
        ({"d": entries("new")}, {"one", "two", "three", "new"}),
    ],
    ids=["body", "renamed", "removed", "added", "two files", "new file"],
)
def test_a_registry_in_another_file_has_each_entry_once(story: Story, texts: dict[str, str], names: set[str]) -> None:
    story.start(reg=REGISTER, **both(b=entries("one", "two"), c=entries("three")))
    story.save(**both(**texts))
    assert (set(story["reg"].REG), sorted(story["reg"].ORDER)) == (names, sorted(names))
    assert all(function.__module__ in sys.modules for function in story["reg"].REG.values())


def test_a_deleted_file_leaves_no_entry_in_a_registry(story: Story) -> None:
    story.start(reg=REGISTER, **both(b=entries("one", "two"), c=entries("three")))
    story.save(b=None)
    assert ([*story["reg"].REG], story["reg"].ORDER) == (["three"], ["three"])


@pytest.mark.parametrize(
    "text",
    [
        REGISTER.replace("REG = {}", "REG = dict()"),
        REGISTER.replace("ORDER.append(f.__name__)", "ORDER += [f.__name__]"),
        REGISTER.replace("ORDER = []", "ORDER = []\nORDER.clear()"),
    ],
    ids=["registry", "decorator", "statement added"],
)
def test_an_edit_of_a_registry_registers_all_again(story: Story, text: str) -> None:
    story.start(reg=REGISTER, **both(b=entries("one", "two"), c=entries("three")))
    story.save(reg=text)
    assert (set(story["reg"].REG), sorted(story["reg"].ORDER)) == ({"one", "two", "three"}, ["one", "three", "two"])
    assert story["reg"].REG["one"] is story["b"].one


def test_an_edit_beside_a_registry_registers_nothing_again(patching: Story) -> None:
    patching.start(reg=REGISTER + "K = 1", **both(b=RAN + entries("one") + "ran('b')"))
    held = patching["reg"].REG
    patching.save(reg=REGISTER + "K = 2")
    assert (patching["reg"].REG is held, patching["reg"].ORDER, patching.ran) == (True, ["one"], [])


SUBCLASSES = """
class Base:
    found = []
    def __init_subclass__(cls, **named): Base.found.append(cls)
"""


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        ("class A(Base):\n    x = 2\nclass B(Base): pass", ["A", "B"]),
        ("class A(Base):\n    def m(self): pass\nclass B(Base): pass", ["A", "B"]),
        ("class A(Base): pass\nclass C(Base): pass", ["A", "C"]),
        ("class B(Base): pass", ["B"]),
        ("class A(Base): pass\nclass B(A): pass\nclass C(B): pass", ["A", "B", "C"]),
        ("class A(Base): pass\nclass B: pass", ["A"]),
    ],
    ids=["attribute", "method", "renamed", "removed", "deeper", "base removed"],
)
@pytest.mark.parametrize("is_apart", [False, True], ids=["same file", "another file"])
def test_a_registry_of_subclasses_has_each_once(story: Story, classes: str, names: list[str], is_apart: bool) -> None:
    head = "from .base import Base\n" if is_apart else SUBCLASSES
    story.start(base=SUBCLASSES, a=head + "class A(Base): pass\nclass B(Base): pass")
    story.save(a=head + classes)
    a = story["a"]
    assert [cls.__name__ for cls in a.Base.found] == names
    assert all(cls is vars(a)[cls.__name__] for cls in a.Base.found)
    gc.collect()
    expected = [name for name in names if vars(a)[name].__bases__ == (a.Base,)]
    assert sorted(cls.__name__ for cls in a.Base.__subclasses__()) == expected


def test_a_callback_put_into_a_foreign_list_is_not_put_there_twice(patching: Story) -> None:
    foreign = types.ModuleType("foreign")
    vars(foreign)["callbacks"] = callbacks = []
    sys.modules["foreign"] = foreign
    try:
        text = "from foreign import callbacks\nK = {n}\ndef f(): return {n}\ncallbacks.append(f)"
        patching.start(a=fill(text, 1))
        patching.save(a=fill(text, 2))
        assert [function() for function in callbacks] == [2]
    finally:
        del sys.modules["foreign"]


def test_routes_of_an_app_are_neither_doubled_nor_left_behind(story: Story) -> None:
    text = """
        class App:
            def __init__(self): self.routes = {}
            def route(self, path): return lambda f: self.routes.setdefault(path, f)
            def add(self, path, f): self.routes[path] = f
        app = App()
        @app.route('/{n}')
        def view(): return {n}
        app.add('/also{n}', view)
        """
    story.start(a=fill(text, 1), b="from .a import app\n@app.route('/b')\ndef view(): return 'b'")
    story.save(a=fill(text, 2))
    routes = story["a"].app.routes
    assert ({path: view() for path, view in routes.items()}, story["b"].app is story["a"].app) == (
        {"/2": 2, "/also2": 2, "/b": "b"},
        True,
    )


# -- what static reading cannot tell

UNKNOWN = {
    "exec": ("K = {n}\nexec('V = K')", "exec"),
    "globals": ("K = {n}\nglobals()['V'] = K", "globals"),
    "call": ("from foreign import app\nK = {n}\napp.register(K)", "app.register"),
    "call that changed": ("from foreign import app\napp.register({n})", "app.register"),
    "call of a changed function": ("from foreign import app\ndef f(x={n}): pass\napp.register(f())", "app.register"),
    "print": ("K = {n}\nprint(K, end='')", "print"),
    "attribute of another module": ("import foreign\nforeign.level = {n}", "foreign.level"),
    "attribute of what another module gives": ("from foreign import app\nK = {n}\napp.level = K", "app.level"),
    "star import": ("from foreign{n} import *", "import"),
}


@pytest.mark.parametrize(("text", "culprit"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_effect_reloads_the_file_and_the_report_says_why(
    story: Story, text: str, culprit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = types.ModuleType("foreign")
    vars(foreign).update(app=types.SimpleNamespace(register=lambda _: None), level=0)
    for name in ("foreign", "foreign1", "foreign2"):
        monkeypatch.setitem(sys.modules, name, foreign)
    text = RAN + "cache = ran('cache', {})\ndef keep(): pass\nclass Keep: pass\n" + text
    story.start(a=fill(text, 1))
    held, cls = story["a"].keep, story["a"].Keep
    report = story.save(a=fill(text, 2))
    assert (story.ways(report), story.ran) == ({"a": Way.RELOAD}, ["cache"])
    assert (story["a"].keep is held, story["a"].Keep is cls) == (True, True)
    assert report is not None
    if story.mode != "reload":
        line = next(
            number for number, line in enumerate(fill(text, 2).splitlines(), start=1) if culprit in line and number > 4
        )
        reason = report.reasons[story["a"].__name__]
        assert culprit in reason or f"line {line} " in reason + " "


def test_a_removed_call_with_unknown_effects_reloads_the_file(story: Story) -> None:
    text = RAN + "cache = ran('cache', {})\n"
    story.start(a=text + "print(end='')")
    report = story.save(a=text)
    assert (story.ways(report), story.ran) == ({"a": Way.RELOAD}, ["cache"])


# -- names that are missing


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("X = 1\nB = X + 1", "B = X + 1"),
        ("A = 1\nB = A + 1", "B = A + 1\nA = 1"),
        ("def f(): return 1\nB = f()", "B = f()\ndef f(): return 1"),
        ("X = 1\ndef f(): return X\nB = f()", "def f(): return X\nB = f()"),
        ("X = 1\nclass C:\n    x = X", "class C:\n    x = X"),
        ("if True:\n    X = 1\nB = X", "if False:\n    X = 1\nB = X"),
        ("X = 1\nB = X", "X = 1\ndel X\nB = X"),
        ("import json\nB = json.dumps(1)", "B = json.dumps(1)"),
    ],
    ids=[
        "removed",
        "too early",
        "function too early",
        "read in a function",
        "class body",
        "no longer bound",
        "deleted",
        "import",
    ],
)
def test_what_a_cold_process_would_not_find_is_not_found(story: Story, old: str, new: str) -> None:
    story.start(a=old)
    before = Snapshot(story.package)
    story.save(a=new)
    assert (story.failures, before.changes()) == ({"a"}, [])


def test_a_removed_name_is_missing_when_a_function_reads_it(story: Story) -> None:
    story.start(a="K = 1\ndef f(): return K")
    story.save(a="def f(): return K")
    with pytest.raises(NameError):
        story["a"].f()


def test_a_name_that_an_importer_needs_cannot_leave(story: Story) -> None:
    story.start(a="X = 1\nY = 1", b="from .a import X\nB = X")
    before = Snapshot(story.package)
    story.save(a="Y = 2")
    assert (before.changes(), story.failures) == ([], {"a", "b"})
    story.save(b="B = 0")
    assert (hasattr(story["a"], "X"), story["a"].Y, story["b"].B, story.failures) == (False, 2, 0, set())


# -- edits that fail

GOOD = """
K = 1
REG = {}
LIST = [1]
def f(x=1): "one"; return K
def put(v): REG['put'] = v
class Base:
    subs = []
    x = 1
    def __init_subclass__(cls): Base.subs.append(cls)
    def m(self): return 1
class Child(Base): pass
REG['f'] = f
f.limit = 1
V = f() + 1
made = Child()
"""
BAD = {
    "syntax": lambda good: good.replace("1", "2") + "def g(:",
    "null byte": lambda good: good + "\0",
    "at the end": lambda good: good.replace("1", "2") + "1 / 0",
    "in the middle": lambda good: good.replace("K = 1", "K = 2").replace("REG['f']", "1 / 0\nREG['f']"),
    "after a change of each object": lambda good: (
        good + "REG['x'] = 2\nLIST.append(2)\nf.limit = 2\nBase.x = 2\nmade.x = 2\nclass New(Base): pass\nput(2)\n1 / 0"
    ),
    "after a def": lambda good: good.replace('"one"', '"two"').replace("x=1", "x=2") + "f(1, 2, 3)",
    "in a derived statement": lambda good: good.replace("K = 1", "K = None"),
    "in a function that is called": lambda good: good.replace("return K", "return 1 / 0"),
    "in a class body": lambda good: good.replace("    x = 1", "    x = 1\n    y = missing"),
    "missing package": lambda good: "import not_there_at_all\n" + good,
    "missing name": lambda good: "from json import not_there\n" + good,
    "exit": lambda good: good.replace("1", "2") + "raise SystemExit",
    "interrupt": lambda good: good.replace("1", "2") + "raise KeyboardInterrupt",
    "in a registry": lambda good: good + "@put\ndef g(): pass\nLIST += [2]\nraise ValueError",
    "global statement": lambda good: good + "def setup():\n    global K\n    K = 5\nsetup()\n1 / 0",
    "after del": lambda good: good + "del K, f\n1 / 0",
    "exec": lambda good: good + "exec('K = 7')\n1 / 0",
    "globals()": lambda good: good + "globals()['K'] = 7\n1 / 0",
}


@pytest.mark.parametrize("break_", BAD.values(), ids=BAD)
def test_an_edit_that_fails_leaves_everything_as_it_was(story: Story, break_: Callable) -> None:
    story.start(a=GOOD, b="from .a import K, REG\nB = K + 1")
    held, instance = story["a"].f, story["a"].Child()
    before = Snapshot(story.package)
    story.save(a=break_(GOOD))
    assert (story.failures, before.changes()) == ({"a"}, [])
    story.save(a=GOOD)
    assert (story.failures, held(), instance.m(), story["b"].B, held is story["a"].f) == (set(), 1, 1, 2, True)
    story.save(a=GOOD.replace("1", "3"))
    assert (held(), instance.m(), story["b"].B, story["a"].V, held is story["a"].f) == (3, 3, 4, 6, True)


def test_an_edit_that_fails_in_a_dependent_leaves_everything_as_it_was(story: Story) -> None:
    story.start(a=GOOD, b="from .a import K, REG\nREG['b'] = K\nB = 10 / (2 - K)")
    before = Snapshot(story.package)
    story.save(a=GOOD.replace("K = 1", "K = 2"))
    assert (story.failures, before.changes()) == ({"a", "b"}, [])
    story.save(b="from .a import K, REG\nREG['b'] = K\nB = K")
    assert (story.failures, story["a"].K, story["b"].B, story["a"].REG["b"]) == (set(), 2, 2, 2)


def test_a_file_that_fails_leaves_a_registry_elsewhere_as_it_was(story: Story) -> None:
    story.start(reg=REGISTER, **both(b=entries("one")))
    before = Snapshot(story.package)
    story.save(**both(b=entries("one", "two", body="2") + "1 / 0"))
    assert (before.changes(), [*story["reg"].REG]) == ([], ["one"])
    story.save(**both(b=entries("one", "two", body="2")))
    assert ([*story["reg"].REG], story["reg"].ORDER) == (["one", "two"], ["one", "two"])


def test_going_back_to_the_text_before_brings_everything_back(story: Story) -> None:
    story.start(a=GOOD, b="from .a import K, f\nB = K + f()")
    held, instance = story["a"].f, story["a"].made
    for text, number in (
        (GOOD.replace("1", "2"), 2),
        (GOOD, 1),
        (GOOD + "1 / 0", 1),
        (GOOD, 1),
        (GOOD.replace("1", "4"), 4),
    ):
        story.save(a=text)
        a = story["a"]
        values = a.K, a.f(), a.V, a.f.limit, a.Base.x, held(), instance.m(), story["b"].B, len(a.Base.subs)
        assert values == (number, number, number * 2, number, number, number, number, number * 2, 1)
        assert (a.f is held, isinstance(instance, a.Base)) == (True, True)
    assert story.failures == set()


# -- lazy attributes, guards and the rest of a module


def test_a_lazy_attribute_of_a_module_follows(story: Story) -> None:
    story.start(a="def __getattr__(name): return name * {n}".replace("{n}", "1"))
    story.save(a="def __getattr__(name): return name * 2")
    assert story["a"].ab == "abab"
    story.save(a="")
    assert not hasattr(story["a"], "ab")


def test_a_module_knows_who_it_is_after_any_edit(story: Story) -> None:
    story.start(a="N = __name__, __package__\nK = 1\nif __name__ == '__main__':\n    K = 5")
    spec, file = story["a"].__spec__, story["a"].__file__
    story.save(a="N = __name__, __package__\nK = 2\nif __name__ == '__main__':\n    K = 5\nF = __file__")
    a = story["a"]
    assert (a.N, a.K, a.__spec__.name, a.__spec__.origin) == ((spec.name, story.package), 2, spec.name, spec.origin)
    assert a.F == a.__file__ == file


def test_each_save_is_one_generation(story: Story) -> None:
    story.start(a="K = 1", b="from .a import K\nB = K", c="C = 1")
    generation = story.engine.generation
    report = story.save(a="K = 2", c="C = 2")
    assert (story.engine.generation, set(story.ways(report))) == (generation + 1, {"a", "b", "c"})


def test_an_edit_that_nobody_computes_with_is_a_matter_of_its_file(patching: Story) -> None:
    importers = {f"b{i}": "from . import a\nfrom .a import f\ndef g(): return f() + a.K" for i in range(20)}
    patching.start(a="K = 1\nC = 1\ndef f(): return 1", **importers)
    report = patching.save(a="K = 1\nC = 2\ndef f(): return 2")
    assert (patching.ways(report), patching["b7"].g()) == ({"a": Way.PATCH}, 3)


# -- edits that run nothing


def test_what_a_new_file_sets_on_a_module_of_which_only_a_body_changed_goes_live(story: Story) -> None:
    story.start(a="X = 1\ndef f(): return 1\n")
    story.save(a="X = 1\ndef f(): return 2\n", b="from . import a\na.X = 5\n")
    assert (story["a"].X, story["a"].f()) == (5, 2)


def test_an_edit_of_a_body_leaves_everything_else_of_the_module_the_object_it_is(patching: Story) -> None:
    text = "'''Doc.'''\nimport math\nx: int = 1\ny: list = [1]\ndef f(): return {n}\nz: str = 'z'\n"
    patching.start(a=text.replace("{n}", "1"))
    module = patching["a"]
    notes, names = module.__annotations__, {key: value for key, value in vars(module).items() if not key.startswith("__")}
    patching.save(a=text.replace("{n}", "2"))
    assert (module.f(), type(module), module.__doc__) == (2, types.ModuleType, "Doc.")
    assert module.__annotations__ is notes
    assert all(vars(module)[key] is value for key, value in names.items())


def test_an_annotation_that_is_removed_with_a_body_changed_is_gone(story: Story) -> None:
    story.start(a="x: int\ny: int\ndef f(): return 1\n")
    story.save(a="y: int\ndef f(): return 2\n")
    assert (list(story["a"].__annotations__), story["a"].f()) == (["y"], 2)
