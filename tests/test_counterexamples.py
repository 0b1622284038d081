"""What random programs found: stories that did not end as in a fresh process, each in both ways to take an edit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fresh import Fresh
from shorten import Story
from walk import replay

DECORATED = """\
def deco1(fn):
    def wrapper(*args):
        return ('deco1', fn(*args))
    return wrapper
@deco1
@deco1
def f1(x=1):
    return ('f1', h0())
"""
WRAPPED = """\
import functools
def deco1(fn):
    @functools.wraps(fn)
    def wrapper(*args):
        return ('deco1', fn(*args))
    return wrapper
@deco1
def f1(x = 1):
    return ('f1')
"""
DELETED = """\
class C1:
    def __init__(self, x=0):
        self.x = x
    def m1(self):
        return ('C1.m1')
obj1 = C1()
del C1
"""
REGISTRY = """\
REG1 = {}
def register1(fn):
    REG1[f'{fn.__module__}:{fn.__qualname__}'] = fn
    return fn
"""
BRANCH = """\
if 0 > 0:
    def f2(x=0):
        return ('then')
else:
    def f2(x=0):
        return ('else')
"""
SHADOWED = "class C1:\n    l0 = lambda self: ('C1.l0')\nclass C1(C1):\n    def m3(self):\n        return 1\n"
NESTED = "    class Inner:\n        def m1(self):\n            return 1\n    l0"

STORIES: dict[str, Story] = {
    "an own function in place of a decorated one from a star import leaves that alone": [
        {"a": DECORATED, "b": "from .a import *\n"},
        {"b": "def f1(x=1):\n    return ('f1', h0())\n"},
    ],
    "a base of the same name gets a nested class": [{"c": SHADOWED}, {"c": SHADOWED.replace("    l0", NESTED, 1)}],
    "a star import gives no more what a statement behind it changes": [
        {
            "a": "exec('K1 = 1')\n",
            "b": "from .a import K1\n",
            "c": "from .b import *\nK1 = K1 if K1 > 0 else 0\nfrom .b import *\n",
        },
        {"b": "", "d": "from .c import K1\n"},
    ],
    "a wrapped function becomes plain and wrapped again, and who held it sees its docstring": [
        {"c": WRAPPED},
        {"c": 'def f1(x=1):\n    "f1 says 1"\n'},
        {"c": WRAPPED},
    ],
    "a name that no text shows arrives through a star import": [
        {"a": "", "b": "from .a import *\n"},
        {"a": "exec('K1 = 1')\n"},
    ],
    "two star imports give one name, and one of them no more": [
        {
            "b": "def f2(x=1):\n    return ('f2')\n",
            "c": "from .b import *\n",
            "e": "from .b import *\nfrom .c import *\nclass C1:\n    def m0(self):\n        return ('C1', f2())\n",
        },
        {"c": ""},
    ],
    "the last of two star imports gives a name, and the first one changes it": [
        {
            "a": "def f2(): return 'a'\nX = 1\n",
            "b": "def f2(): return 'b'\nY = 1\n",
            "d": "from .b import *\nfrom .a import *\n",
        },
        {"b": "globals()['Y'] = 2\ndef f2(): return 'b2'\n"},
    ],
    "an instance of a class whose name is deleted": [{"a": ""}, {"a": DELETED}, {"a": DELETED.replace("'C1.m1'", "2")}],
    "what failed to follow a removed name goes on failing when something else comes": [
        {"a": BRANCH, "b": "from .a import f2\n"},
        {"a": "", "b": "from .a import f2\ndef deco2(fn):\n    return fn\n"},
        {"d": "from .b import deco2\n"},
        {"a": BRANCH.replace("f2", "f0")},
        {"a": BRANCH},
    ],
    "a new file imports a partial from one that only passes it on": [
        {
            "a": "import functools\ndef f1(x = 1):\n    return ('f1')\npart1 = functools.partial(f1)\n",
            "b": "from .a import part1\n",
            "d": "",
        },
        {"d": "from .e import f2\n", "e": f"from .b import part1\n{BRANCH}"},
    ],
    "a file that comes back with a new one that imports it": [
        {"a": ""},
        {"a": None},
        {"a": "", "d": "import PKG.a as mod2\n"},
        {"b": "from . import a\n"},
    ],
    "a function of a module that comes through two star imports changes": [
        {
            "a": "def f0(x=1):\n    return ('f0')\n",
            "b": "from . import a\n",
            "d": "from .b import *\n",
            "c": "from .d import *\nT0 = a.f0()\n",
        },
        {"a": "def f0(x=1, y=1):\n    return ('f0', y)\n"},
    ],
    "a function comes by its name and through a star import behind": [
        {
            "a": "def f0(x=1):\n    return ('f0')\n",
            "b": "from .a import f0\n",
            "c": "from .a import f0\nfrom .b import *\nT0 = f0()\n",
        },
        {"a": "def f0(x=1, y=1):\n    return ('f0', y)\nK2 = 0\n"},
    ],
    "a name that a class statement reads through a star import is not in __all__ any more": [
        {"a": "K0 = 1\n", "b": "from .a import *\nclass C1:\n    def s0(i=K0):\n        return ('C1.s0')\n"},
        {"a": "def f0(x = 1):\n    return ('f0')\n__all__ = ['f0']\nK0 = 1\n"},
    ],
    "a closure made here gives way to one that is imported": [
        {
            "a": "def make0(k=1):\n    def inner(x=0):\n        return k\n    return inner\ng0 = make0(0)\n",
            "b": "from . import a\ng0 = a.make0(0)\n",
        },
        {"b": "from .a import g0\n"},
    ],
    "what is held back stays with what its live text needs": [
        {"a": "class C2:\n    x = 1\n", "b": "from .a import C2\nD0 = {1, C2}\n", "c": "from .b import D0\n"},
        {"b": "", "a": ""},
        {"b": "from .a import C2\nD0 = {1, C2}\n"},
    ],
    "a file that fails as before does not keep others from following what it imports": [
        {"a": "", "b": "from .a import *\n", "c": "from .b import *\n"},
        {"b": "raise ValueError('broken 0')\n"},
        {"a": "K2 = 1\n"},
    ],
    "a file that was gone comes back with another function under an imported name": [
        {"a": WRAPPED, "b": "from .a import f1\n", "d": "from .b import f1 as f0\n"},
        {"c": "def f0(x=1):\n    return ('f0', b.f1())\n", "d": None},
        {"d": "from .c import f0\n"},
    ],
    "a class that a base from two files away took note of is removed": [
        {
            "a": "class R0:\n    REG = {}\n    def __init_subclass__(cls):\n        cls.REG[cls.__qualname__] = 1\n",
            "c": "from .a import R0\n",
            "d": "from .c import R0\nclass C1(R0):\n    x = 1\n",
        },
        {"d": ""},
    ],
    "an entry is removed, and the file of the registry cannot be run again": [
        {
            "b": "from .e import register0\n@register0\nclass C2:\n    x = 1\n",
            "c": "",
            "e": "import PKG.c as mod0\nREG0 = {}\ndef register0(fn):\n    REG0[fn.__qualname__] = fn\n",
        },
        {"c": None, "b": ""},
        {"c": ""},
    ],
    "a broken file returns to the text that is live, and what it imports went on without it": [
        {"a": "def deco2(fn):\n    return fn\n", "b": "from .a import deco2\n", "c": "from .b import deco2\n"},
        {"b": "raise SystemExit(1)\n"},
        {"a": ""},
        {"b": "from .a import deco2\n"},
        {"a": "def deco2(fn):\n    return 1\n"},
    ],
    "a name means another function after its former one was put into a partial": [
        {"d": f"{WRAPPED}part0 = functools.partial(f1)\n"},
        {"d": f"{WRAPPED}part0 = functools.partial(f1)\n@functools.lru_cache(maxsize=1)\ndef f1(x=1):\n    return 2\n"},
    ],
    "a name is deleted behind the star import that gives it": [
        {"a": "K1 = 1\n", "b": "from .a import *\ndel K1\n"},
        {"a": "K1 = 1\nK0 = 1\n"},
    ],
    "a decorator takes on functools.wraps": [
        {"b": DECORATED.partition("@")[0], "c": "from .b import *\n@deco1\ndef f2(x=1):\n    return ('f2')\n"},
        {"b": WRAPPED.partition("@deco1")[0]},
    ],
    "the lines of a reloaded file stay when its statements run again beside a broken text": [
        {"a": "", "b": "", "c": "", "d": "import PKG.c as mod0\nfrom .a import *\ndef register0(fn):\n    return fn\n"},
        {"d": "from .a import *\nimport PKG.c as mod0\ndef register0(fn):\n    return fn\n"},
        {"d": "K0 = 1 / 0\n"},
        {"c": "from .b import *\n"},
    ],
    "a plain function gives way to an imported one whose docstring changes": [
        {"c": "def f2(x=1):\n    return ('f2')\n", "d": "def f2(x=1):\n    return ('f2', h0())\n"},
        {"c": 'def f2(x=1):\n    "f2 says 1"\n', "d": "from .c import *\n"},
    ],
    "a new file registers through a star import from two files away": [
        {"c": REGISTRY, "d": "from .c import *\n"},
        {"e": "from .d import *\n@register1\ndef f0(x=1):\n    return ('f0', f1())\n"},
    ],
    "a new file calls what is registered": [
        {"c": f"{REGISTRY}@register1\ndef f0(x = 1, y = 1):\n    return ('f0', y)\n"},
        {"e": "from .c import *\nT2 = f0()\n"},
    ],
    "a name that only a function binds is gone, and a file imports it": [
        {"a": "def init0():\n    global G2\n    G2 = ('init0')\ninit0()\n", "b": "from .a import G2\n"},
        {"a": ""},
        {"b": ""},
    ],
    "a cached function gives way to an imported one of the same text": [
        dict.fromkeys("ac", "import functools\n@functools.lru_cache(maxsize=2)\ndef f2(x=1):\n    return 1\n"),
        {"c": "from .a import f2\n"},
    ],
    "a star import under an if passes a constant on": [
        {
            "a": "K2 = 2\n",
            "b": "from .a import K2\n",
            "c": "if True < 3:\n    from .b import *\n",
            "d": "from .c import K2\n",
        },
        {"a": "K2 = 0\n"},
    ],
    "a name that exec binds is read by a nested class": [
        {"d": "exec('K2 = 1')\n", "e": "from .d import K2\nclass C1:\n    class Inner:\n        i0 = K2\n"},
        {"d": "exec('K2 = 2')\n"},
    ],
    "a function is registered through a module from a star import, and its name means another one": [
        {"e": "", "d": "def f2(x = 1):\n    return 2\n", "a": "REG1 = {}\n", "c": "from . import a\n"},
        {"e": "from .c import *\ndef f1(x = 1):\n    return 1\na.REG1['e'] = f1\nfrom .d import f2 as f1\n"},
    ],
    "two imports of one name change places around a statement": [
        {
            "a": "def f0(x = 1):\n    return 'a'\n",
            "c": "def f0(x=1):\n    return 'c'\n",
            "e": "from .a import f0\nfrom .c import f0\nLOG2 = [1]\nLOG2 += [f0]\n",
        },
        {"e": "from .c import f0\nLOG2 = [1]\nfrom .a import f0\nLOG2 += [f0]\n"},
    ],
    "a statement behind a star import changes a name that comes from there": [
        {"a": "K2 = max(1, 1) + 1\n", "b": "from .a import *\n"},
        {"b": "from .a import *\ntry:\n    K2 = 1 // K2\nexcept ZeroDivisionError:\n    K2 = 0\n"},
    ],
    "exec and the name that it binds change places": [
        {"a": "K0 = 1\nexec('K0 = 0')\n"},
        {"a": "exec('K0 = 0')\nK0 = 1\n"},
    ],
    "a star import takes the name of a function above that is called": [
        {"c": "def f0(x=1):\n    return 'c'\n", "d": "def f0(x=1):\n    return 'd'\n"},
        {
            "d": "def f0(x=1):\n    return 'd'\nfrom .c import *\nclass C0:\n"
            "    def __call__(self=1):\n        return f0()\nobj0 = C0()\n"
        },
    ],
    "a star import in place of an own registry": [{"b": "REG0 = {}\n", "c": "REG0 = {}\n"}, {"c": "from .b import *\n"}],
    "a new file that fails has registered a class": [
        {"b": "class R:\n    REG = {}\n    ALL = []\n    def __init_subclass__(cls):\n        cls.REG[cls.__name__] = 0\n"},
        {"c": "from .b import R\nclass C1(R): pass\nclass C0(nothing): pass\n"},
        {"c": "from .b import R\nclass C2(R): pass\n"},
    ],
    "a name that goes with a star import is missed by a file that is restored": [
        {
            "a": "def f0(x=1, y=1):\n    return y\n",
            "b": "from .a import *\nT1 = [f0(i) for i in range(1)]\n",
            "c": "from .b import *\n",
            "d": "from .c import T1 as T0\nfrom . import a as mod0\n",
        },
        {"c": ""},
        {"a": None, "b": "", "d": "from .c import T1 as T0\n"},
        {"a": "", "d": "from .c import T1 as T0\nfrom . import a as mod0\n"},
    ],
    "a table between two functions of one name, the first of which runs again": [
        {
            "a": "def f0(x=1):\n    return 1\nK0 = 1\nT1 = f0(K0)\n",
            "e": "from .a import T1\ndef f1(x=1):\n    return ('f1', T1)\nREG0 = {}\nREG0['1'] = f1\n"
            "TABLE1 = {'0': f1, '1': f1}\ndef f1(x = 1):\n    return 2\n",
        },
        {"a": "def f0(x=1, y=1):\n    return 3\nK0 = 1\nT1 = f0(K0)\n"},
    ],
    "exec binds a name that another file only tries to import": [
        {"b": "try:\n    from .a import K2\nexcept ImportError:\n    K2 = 1\n", "a": "if True < 1:\n    K2 = 0\n"},
        {"a": "if True < 1:\n    K2 = 0\nexec('K2 = 2')\n"},
    ],
    "a star import takes a name no more that an own function has, too": [
        {"d": "def deco1(fn):\n    return 1\n", "e": "def deco1(fn):\n    return 2\nfrom .d import *\n"},
        {"d": ""},
    ],
    "a class of a class that is defined in a branch and takes note goes": [
        {
            "a": "if True < 3:\n    class R2:\n        REG = {}\n        def __init_subclass__(cls):\n"
            "            cls.REG[cls.__name__] = 1\n",
            "b": "from .a import *\nclass C0(R2):\n    pass\n",
        },
        {"b": ""},
    ],
    "a default was computed from what a name stood for only for a while": [
        {
            "b": "from .a import *\nglobals()['K0'] = 1\n",
            "a": "if True < 3:\n    K1 = 1 * 1 + 1\ndef f1(x=1, y=K1):\n    y = (lambda: (x))()\n    return ('f1', y)\nK1 = 0\n",
        },
        {"a": "if True < 3:\n    K1 = 1 * 1 + 1\ndef f1(x=1, y=K1):\n    return ('f1', y)\nK1 = 0\n"},
    ],
    "a closure of another file's maker takes the name of one from there": [
        {
            "b": "K0 = 0\ndef make0(k=1):\n    def inner(x=1):\n        return ('make0', k)\n    return inner\ng0 = make0(K0)\n",
            "d": "from .b import *\n",
        },
        {"d": "from . import b\ng0 = b.make0(b.K0)\n"},
    ],
    "a file that registers through a module of another file comes in later": [
        {
            "a": "REG1 = {}\n",
            "b": "from . import a\ndef register1(fn):\n    a.REG1[fn.__module__] = (fn, 1)\n    return fn\n"
            "@register1\nclass C1:\n    def m1(self):\n        return 1\n",
            "c": "",
        },
        {"c": "from .b import register1\n@register1\nclass C1:\n    def q0(self):\n        return 2\n"},
    ],
    "a star import takes over the same object that the import before it has": [
        {
            "a": "K1 = 1\nK2 = 0\n",
            "b": "from .a import K2 as K1\nfrom .a import *\nclass C:\n    v = K1\n",
        },
        {"a": "K2 = 0\nK1 = 0\n"},
    ],
    "a new file takes what another one has, beside one that failed at the start and makes use of that": [
        {
            "a": "def par(p=1):\n    return decorate\nREG = {}\n",
            "d": "import PKG.a as mod\ndef f(): return mod.g()\nf = deco(f)\n@mod.par(1)\ndef g(): return mod.f()\n",
        },
        {"b": "from .a import *\n"},
    ],
    "a star import takes over the name of a list that was added to": [
        {"a": "LOG = [1]\n", "b": "LOG = [1]\nfor i in range(1):\n    LOG.append(i)\n"},
        {"b": "from .a import *\nLOG = [1]\nfrom .a import *\n"},
    ],
    "a name that hid an imported registry goes": [
        {
            "a": "TABLE1 = {}\n",
            "b": "from .a import TABLE1 as TABLE2\n",
            "c": "from .b import TABLE2 as TABLE1\nTABLE1 = {}\n",
        },
        {"c": "from .b import TABLE2 as TABLE1\n"},
    ],
    "a file fails that had registered a class through a module of another file": [
        {
            "a": "class R2:\n    REG = {}\n    def __init_subclass__(cls):\n        cls.REG[cls.__name__] = 1\n",
            "b": "from . import a as mod2\n",
            "d": "from .b import *\nclass C0(mod2.R2):\n    def q0(self):\n        return 1\n",
        },
        {"d": "from .b import *\nK0 = 1 / 0\n"},
        {"d": "from .b import *\nK0 = 1\n"},
    ],
}

F = "def f(x): return x * {n}\n"
DISPATCH = "from functools import singledispatch\n@singledispatch\ndef show(x): return 'other'\n"
METHOD = (
    "import functools\nclass V:\n    @functools.singledispatchmethod\n    def show(self, x): return 'other'\n"
    "    @show.register\n    def _(self, x: int): return {n}\n"
)
HOOK = (
    "class Hook:\n    def __init__(self): self.fs = []\n    def add(self, f): self.fs.append(f); return f\n"
    "    def fire(self): return [f() for f in self.fs]\nhook = Hook()\n@hook.add\ndef one(): return {n}\n"
)
PLUGINS = (
    "class Base:\n    made = []\n    def __init_subclass__(cls): Base.made.append(cls)\n"
    "    @classmethod\n    def all(cls): return [c().go() for c in cls.made]\n"
)
TABLE = "H = {}\ndef reg(n):\n    def d(f): f.n = n; H[n] = f; return f\n    return d\ndef run(n): return H[n](1)\n"
# What a file computes through something without a name while it loads; the 1 in ``a`` becomes a 7.
UNNAMED: dict[str, dict[str, str]] = {
    "an alias of a module": {"a": F, "b": "from . import a\nm = a\nV = m.f(1)"},
    "a module that is chosen": {"a": F, "b": "from . import a\nm = a if True else None\nV = m.f(1)"},
    "a module that is passed on": {"a": F, "b": "from . import a\ndef run(m): return m.f(1)\nV = run(a)"},
    "a module in a closure": {"a": F, "b": "from . import a\ndef run(m): return lambda: m.f(1)\nV = run(a)()"},
    "a module that is returned": {"a": F, "b": "from . import a\ndef get(): return a\nV = get().f(1)"},
    "a module in a list": {"a": F, "b": "from . import a\nV = [m.f(1) for m in [a]]"},
    "a module in another module": {"a": F, "c": "from . import a as m", "b": "from . import c\nV = c.m.f(1)"},
    "a module from another module": {"a": F, "c": "from . import a as m", "b": "from .c import m\nV = m.f(1)"},
    "getattr": {"a": F, "b": "from . import a\nV = getattr(a, 'f')(1)"},
    "vars": {"a": F, "b": "from . import a\nV = vars(a)['f'](1)"},
    "sys.modules": {"a": F, "b": "import sys\nfrom . import a as m\nV = sys.modules[m.__name__].f(1)"},
    "importlib": {"a": F, "b": "import importlib\nm = importlib.import_module('.a', __package__)\nV = m.f(1)"},
    "eval": {"a": F, "b": "from .a import f\nV = eval('f(1)')"},
    "exec": {"a": F, "b": "from .a import f\nexec('V = f(2)')"},
    "a dispatcher": {"a": DISPATCH + "@show.register\ndef _(x: int): return {n}\n", "b": "from .a import show\nV = show(1)"},
    "a dispatcher elsewhere": {
        "d": DISPATCH,
        "a": "from .d import show\n@show.register(int)\ndef g(x): return {n}\n",
        "b": "from . import a\nfrom .d import show\nV = show(1)",
    },
    "a dispatcher in its file": {
        "a": DISPATCH + "@show.register\ndef _(x: int): return {n}\nV = show(1)",
        "b": "from .a import V",
    },
    "a dispatching method": {"a": METHOD, "b": "from .a import V as K\nV = K().show(1)"},
    "an alias in a class": {
        "a": "class K:\n    def m(self): return {n}\n    go = m\n",
        "b": "from .a import K\nV = K().go()",
    },
    "a registry": {
        "r": TABLE,
        "a": "from .r import reg\n@reg('x')\ndef fx(x): return {n}\n",
        "c": "from .r import reg\n@reg('y')\ndef fy(x): return 5\n",
        "b": "from . import a, c\nfrom .r import H, run\nV = run('x'), H['y'](1), sorted(H)",
    },
    "a registry in its file": {"a": TABLE + "@reg('x')\ndef fx(x): return {n}\nV = run('x')", "b": "from .a import V"},
    "a constant behind a registered function": {
        "r": TABLE,
        "a": "from .r import reg\nK = {n}\n@reg('x')\ndef fx(x): return K\n",
        "b": "from . import a\nfrom .r import H\nV = H['x'](1)",
    },
    "a constant behind a registered class": {
        "r": PLUGINS,
        "a": "from .r import Base\nK = {n}\nclass X(Base):\n    def go(self): return K\n",
        "b": "from . import a\nfrom .r import Base\nV = Base.all()",
    },
    "a constant behind a module in a list": {
        "a": "K = {n}\ndef f(x): return x * K\n",
        "b": "from . import a\nV = [m.f(1) for m in [a]]",
    },
    "a hook": {"a": HOOK, "b": "from .a import hook\nV = hook.fire()"},
    "registered classes": {
        "r": PLUGINS,
        "a": "from .r import Base\nclass X(Base):\n    def go(self): return {n}\n",
        "b": "from . import a\nfrom .r import Base\nV = Base.all()",
    },
}
STORIES |= {
    f"computed through {through}": [
        {name: text.replace("{n}", "1") for name, text in files.items()},
        {"a": files["a"].replace("{n}", "7")},
    ]
    for through, files in UNNAMED.items()
}


@pytest.fixture(scope="module")
def fresh() -> Iterator[Fresh]:
    fresh = Fresh()
    yield fresh
    fresh.stop()


@pytest.mark.parametrize("patches", [True, False], ids=["as it is", "by reload"])
@pytest.mark.parametrize("claim", STORIES)
def test_it_ends_as_in_a_fresh_process(tmp_path: Path, fresh: Fresh, claim: str, *, patches: bool) -> None:
    replay(tmp_path, fresh, STORIES[claim], patches=patches)
