"""Edits of what is in a file: each behaves as if a fresh kernel had imported the new text."""

import shutil

import pytest
from conftest import World


def generations_of(world: World, module: str) -> object:
    """Return the number of each generation that touched a module."""
    return world.value(f"[r.generation for r in hot.history if 'PKG.{module}' in r.ways]")


# -- 1, 2: bodies and additions


def test_a_changed_return_value_is_in_the_next_call(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.ok("from PKG.a import f")
    assert world.value("f()") == 1
    world.save({"a.py": "def f():\n    return 2\n"})
    assert world.value("(f(), hot.handlers.a.f())") == (2, 2)


def test_an_edit_leaves_the_handlers_that_do_not_depend_on_it_identical(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n", "b.py": "def g(): pass\n", "c.py": "exports = object()\n"})
    world.ok("before = hot.handlers.b, hot.handlers.b.g, hot.handlers.c")
    world.save({"a.py": "def f():\n    return 2\n"})
    assert world.value("all(map(__import__('operator').is_, before, (hot.handlers.b, hot.handlers.b.g, hot.handlers.c)))")


def test_an_added_function_is_there(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.ok("import PKG.a as m")
    world.save({"a.py": "def f():\n    return 1\n\ndef g():\n    return 2\n"})
    assert world.value("(m.g(), hot.handlers.a.g())") == (2, 2)


def test_an_added_function_can_be_imported_by_name(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.save({"a.py": "def f():\n    return 1\n\ndef g():\n    return 2\n"})
    world.ok("from PKG.a import g")
    assert world.value("g()") == 2


def test_an_added_function_is_in_the_cells_that_imported_everything(world: World) -> None:
    world.watch({"a.py": "def star_old():\n    return 1\n"})
    world.ok("from PKG.a import *")
    world.save({"a.py": "def star_old():\n    return 2\n\ndef star_new():\n    return 3\n"})
    assert world.value("(star_old(), star_new())") == (2, 3)


def test_exports_added_to_a_file_replaces_the_module_as_its_handler(world: World) -> None:
    world.watch({"a.py": "value = 1\n"})
    world.save({"a.py": "value = 1\nexports = value\n"})
    assert world.value("hot.handlers.a") == 1


def test_exports_removed_from_a_file_makes_the_module_the_handler(world: World) -> None:
    world.watch({"a.py": "value = 1\nexports = value\n"})
    world.save({"a.py": "value = 2\n"})
    assert world.value("hot.handlers.a.value") == 2


# -- 3, 4: deletions and renames


def test_a_deleted_function_is_gone_from_its_module(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n\ndef g():\n    return 2\n"})
    world.ok("import PKG.a as m")
    world.save({"a.py": "def f():\n    return 1\n"})
    assert world.value("(hasattr(m, 'g'), hasattr(hot.handlers.a, 'g'), 'g' in dir(m))") == (False, False, False)


def test_a_deleted_function_can_no_longer_be_imported(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n\ndef g():\n    return 2\n"})
    world.save({"a.py": "def f():\n    return 1\n"})
    assert world.run("from PKG.a import g").error == "ImportError"


def test_a_deleted_method_is_gone_from_the_instances(world: World) -> None:
    world.watch({"a.py": "class C:\n    def m(self): pass\n    def n(self): pass\n"})
    world.ok("from PKG.a import C\nc = C()")
    world.save({"a.py": "class C:\n    def m(self): pass\n"})
    assert world.value("(hasattr(c, 'm'), hasattr(c, 'n'))") == (True, False)


RENAMED = {"a.py": "def f():\n    return 1\n", "b.py": "from PKG.a import f\n\ndef call():\n    return f()\n"}


def test_a_rename_of_what_a_module_imports_is_rejected_and_names_that_module(world: World) -> None:
    world.watch(RENAMED)
    world.save({"a.py": "def renamed():\n    return 2\n"})
    assert sorted(world.errors) == ["a", "b"]
    assert world.value("hot.errors['a'].held_by") == (f"{world.package}.b",)
    assert world.errors["b"].startswith("ImportError: cannot import name 'f'")


def test_a_rejected_rename_leaves_the_old_pair_live(world: World) -> None:
    world.watch(RENAMED)
    before = world.generation
    world.save({"a.py": "def renamed():\n    return 2\n"})
    assert world.value("(hot.handlers.b.call(), hot.handlers.a.f(), hasattr(hot.handlers.a, 'renamed'))") == (1, 1, False)
    assert world.generation == before


def test_a_rejected_rename_goes_live_when_the_importer_follows(world: World) -> None:
    world.watch(RENAMED)
    world.save({"a.py": "def renamed():\n    return 2\n"})
    world.save({"b.py": "from PKG.a import renamed\n\ndef call():\n    return renamed()\n"})
    assert world.value("(hot.handlers.b.call(), hasattr(hot.handlers.a, 'f'))") == (2, False)
    assert world.errors == {}


# -- 5, 6: lines and docstrings


def test_moved_lines_give_a_traceback_with_the_new_line_numbers(world: World) -> None:
    world.watch({"a.py": "def fail():\n    raise KeyError('here')\n"})
    world.ok("from PKG.a import fail")
    world.save({"a.py": "# a comment\n\n\n\ndef fail():\n    raise KeyError('here')\n"})
    world.run(
        "import sys, traceback\ntry:\n    fail()\nexcept KeyError:\n    found = traceback.extract_tb(sys.exc_info()[2])[-1]"
    )
    assert world.value("(found.lineno, found.line)") == (6, "raise KeyError('here')")


def test_moved_lines_are_where_inspect_finds_them(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.ok("import inspect\nfrom PKG.a import f")
    world.save({"a.py": "# a comment\n\ndef f():\n    # another\n    return 1\n"})
    assert world.value("inspect.getsourcelines(f)") == (["def f():\n", "    # another\n", "    return 1\n"], 3)


def test_a_held_function_shows_the_newest_source(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.ok("import inspect\nfrom PKG.a import f\nheld = [f]")
    world.save({"a.py": "\n\ndef f():\n    return 2\n"})
    assert world.value("inspect.getsourcelines(held[0])") == (["def f():\n", "    return 2\n"], 3)


def test_a_changed_docstring_is_in_help(world: World) -> None:
    world.watch({"a.py": "def f():\n    '''The old one.'''\n"})
    world.ok("from PKG.a import f\nheld = [f]")
    world.save({"a.py": "def f():\n    '''The new one.'''\n"})
    assert world.value("(f.__doc__, held[0].__doc__)") == ("The new one.", "The new one.")
    assert "The new one." in world.ok("help(held[0])").text


def test_a_changed_module_docstring_is_in_the_module(world: World) -> None:
    world.watch({"a.py": "'''The old one.'''\n"})
    world.ok("import PKG.a as m\nheld = [m]")
    world.save({"a.py": "'''The new one.'''\n"})
    assert world.value("(m.__doc__, held[0].__doc__)") == ("The new one.", "The new one.")


def test_a_changed_class_docstring_is_in_the_class_and_its_instances(world: World) -> None:
    world.watch({"a.py": "class C:\n    '''The old one.'''\n"})
    world.ok("from PKG.a import C\nc = C()")
    world.save({"a.py": "class C:\n    '''The new one.'''\n"})
    assert world.value("(C.__doc__, c.__doc__)") == ("The new one.", "The new one.")


# -- 7, 8: no change, and back


def test_a_save_without_a_change_makes_no_generation(world: World) -> None:
    world.watch({"a.py": "value = 1\n"})
    world.write({"a.py": "value = 1\n"})
    world.settle()
    assert len(generations_of(world, "a")) == 1


def test_a_save_without_a_change_calls_no_callback(world: World) -> None:
    world.watch({"a.py": "value = 1\n"})
    world.ok("calls = []\nhot.on_change('a')(calls.append)")
    world.write({"a.py": "value = 1\n"})
    world.settle()
    assert world.value("len(calls)") == 0
    world.save({"a.py": "value = 2\n"})
    assert world.value("len(calls)") == 1


def test_a_touched_file_makes_no_generation(world: World) -> None:
    world.watch({"a.py": "value = 1\n"})
    (world.folder / "a.py").touch()
    world.settle()
    assert len(generations_of(world, "a")) == 1


def test_going_back_to_the_previous_text_brings_the_old_behaviour_back(world: World) -> None:
    old = "def f():\n    return 'old'\n"
    world.watch({"a.py": old})
    world.ok("from PKG.a import f")
    world.save({"a.py": "def f():\n    return 'new'\n"})
    assert world.value("f()") == "new"
    world.save({"a.py": old})
    assert world.value("(f(), hot.handlers.a.f())") == ("old", "old")


# -- 9, 10, 11: decorators and defaults

DECORATED = """
import functools

def shout(function):
    @functools.wraps(function)
    def inner():
        return function() + "!"
    return inner

@shout
def f():
    return "a"
"""


@pytest.mark.parametrize("held", ["f", "held[0]", "hot.handlers.a.f"])
def test_a_wrapped_function_is_fresh_when_only_the_decorator_changes(world: World, held: str) -> None:
    world.watch({"a.py": DECORATED})
    world.ok("from PKG.a import f\nheld = [f]")
    world.save({"a.py": DECORATED.replace('"!"', '"?"')})
    assert world.value(f"{held}()") == "a?"


@pytest.mark.parametrize("held", ["f", "held[0]", "hot.handlers.a.f"])
def test_a_wrapped_function_is_fresh_when_only_what_it_wraps_changes(world: World, held: str) -> None:
    world.watch({"a.py": DECORATED})
    world.ok("from PKG.a import f\nheld = [f]")
    world.save({"a.py": DECORATED.replace('"a"', '"b"')})
    assert world.value(f"{held}()") == "b!"


def test_a_function_is_fresh_when_its_decorator_is_removed(world: World) -> None:
    world.watch({"a.py": DECORATED})
    world.ok("from PKG.a import f\nheld = [f]")
    world.save({"a.py": DECORATED.replace("\n@shout", "")})
    assert world.value("(f(), held[0]())") == ("a", "a")


def test_a_function_is_fresh_when_a_decorator_is_added(world: World) -> None:
    world.watch({"a.py": DECORATED.replace("\n@shout", "")})
    world.ok("from PKG.a import f\nheld = [f]")
    world.save({"a.py": DECORATED})
    assert world.value("(f(), held[0]())") == ("a!", "a!")


def test_a_cached_function_forgets_what_its_old_body_returned(world: World) -> None:
    cached = "import functools\n\n@functools.cache\ndef f(x):\n    return x + 1\n"
    world.watch({"a.py": cached})
    world.ok("from PKG.a import f\nf(1)")
    world.save({"a.py": cached.replace("+ 1", "+ 2")})
    assert world.value("(f(1), hot.handlers.a.f(1))") == (3, 3)


def test_a_changed_default_is_used(world: World) -> None:
    world.watch({"a.py": "def f(x=1, *, y=1):\n    return x, y\n"})
    world.ok("from PKG.a import f\nheld = [f]")
    world.save({"a.py": "def f(x=2, *, y=2):\n    return x, y\n"})
    assert world.value("(f(), held[0](), held[0](5))") == ((2, 2), (2, 2), (5, 2))


def test_a_changed_signature_is_what_inspect_shows_of_a_held_function(world: World) -> None:
    world.watch({"a.py": "def f(x=1): pass\n"})
    world.ok("import inspect\nfrom PKG.a import f\nheld = [f]")
    world.save({"a.py": "def f(x, y=2, *, z): pass\n"})
    assert world.value("str(inspect.signature(held[0]))") == "(x, y=2, *, z)"


FACTORY = """
import functools

def tagged(tag):
    def decorate(function):
        @functools.wraps(function)
        def inner():
            return f"<{tag}>{function()}"
        return inner
    return decorate
"""


def test_a_changed_decorator_factory_is_in_all_that_it_decorates(world: World) -> None:
    using = "from PKG.util import tagged\n\n@tagged('x')\ndef f():\n    return 1\n"
    world.watch({"util.py": FACTORY, "a.py": using, "b.py": using})
    world.ok("from PKG.a import f\nheld = [f]")
    world.save({"util.py": FACTORY.replace("<{tag}>", "[{tag}]")})
    assert world.value("(hot.handlers.a.f(), hot.handlers.b.f(), f(), held[0]())") == ("[x]1",) * 4


def test_a_held_wrapper_without_a_name_of_its_own_is_fresh(world: World) -> None:
    plain = FACTORY.replace("        @functools.wraps(function)\n", "")
    using = "from PKG.util import tagged\n\n@tagged('x')\ndef f():\n    return 1\n"
    world.watch({"util.py": plain, "a.py": using})
    world.ok("from PKG.a import f\nheld = [f]")
    world.save({"a.py": using.replace("return 1", "return 2")})
    assert world.value("(f(), held[0]())") == ("<x>2", "<x>2")


# -- 12, 13: definitions that are chosen or made while loading

CHOSEN = """
FLAG = True
if FLAG:
    def f():
        return "on"
else:
    def f():
        return "off"
    def only_off():
        return 1
"""


def test_a_changed_flag_chooses_the_other_definition(world: World) -> None:
    world.watch({"a.py": CHOSEN})
    world.ok("from PKG.a import f")
    world.save({"a.py": CHOSEN.replace("FLAG = True", "FLAG = False")})
    assert world.value("(f(), hot.handlers.a.only_off())") == ("off", 1)
    world.save({"a.py": CHOSEN})
    assert world.value("(f(), hasattr(hot.handlers.a, 'only_off'))") == ("on", False)


MADE = """
def make(name):
    def handler():
        return name
    return handler

for name in ("one", "two"):
    globals()[f"on_{name}"] = make(name)
"""


def test_a_function_made_in_a_loop_is_gone_when_its_name_leaves_the_list(world: World) -> None:
    world.watch({"a.py": MADE})
    world.save({"a.py": MADE.replace('"two"', '"three"')})
    assert world.value("sorted(n for n in dir(hot.handlers.a) if n.startswith('on_'))") == ["on_one", "on_three"]
    assert world.value("hot.handlers.a.on_three()") == "three"


def test_held_functions_made_in_a_loop_each_follow_their_own_name(world: World) -> None:
    world.watch({"a.py": MADE})
    world.ok("held = [hot.handlers.a.on_one, hot.handlers.a.on_two]")
    world.save({"a.py": MADE.replace("return name\n", "return name.upper()\n")})
    assert world.value("[f() for f in held]") == ["ONE", "TWO"]


# -- 14: two files of one name


def test_a_package_wins_over_a_file_of_its_name_as_in_python(world: World) -> None:
    world.watch({"a.py": "exports = 'file'\n", "a/__init__.py": "exports = 'package'\n"})
    assert world.value("dict(hot.handlers)") == {"a": "package"}


def test_a_package_put_beside_a_file_of_its_name_takes_over(world: World) -> None:
    world.watch({"a.py": "exports = 'file'\n"})
    world.save({"a/__init__.py": "exports = 'package'\n"})
    assert world.value("dict(hot.handlers)") == {"a": "package"}


def test_deleting_the_package_leaves_the_file_of_its_name(world: World) -> None:
    world.watch({"a.py": "exports = 'file'\n", "a/__init__.py": "exports = 'package'\n"})
    shutil.rmtree(world.folder / "a")
    world.settle()
    assert world.value("hot.handlers.a") == "file"


def test_deleting_the_file_leaves_the_package_of_its_name(world: World) -> None:
    world.watch({"a.py": "exports = 'file'\n", "a/__init__.py": "exports = 'package'\n"})
    world.write({"a.py": None})
    world.settle()
    assert world.value("hot.handlers.a") == "package"
    assert world.errors == {}


# -- 15, 16: enums and constants


def test_enum_members_come_and_go_while_one_is_held(world: World) -> None:
    world.watch({"a.py": "import enum\n\nclass Color(enum.Enum):\n    RED = 1\n    BLUE = 2\n"})
    world.ok("from PKG.a import Color\nred = Color.RED")
    world.save({"a.py": "import enum\n\nclass Color(enum.Enum):\n    GREEN = 3\n    RED = 1\n"})
    assert world.value("([c.name for c in Color], red.name, red.value)") == (["GREEN", "RED"], "RED", 1)
    assert world.errors == {}


CONSTANT_USERS = {
    "by_name.py": "from PKG.a import K\n",
    "by_module.py": "import PKG.a\n\ndef get():\n    return PKG.a.K\n",
    "by_alias.py": "import PKG.a as x\n\ndef get():\n    return x.K\n",
    "by_default.py": "from PKG.a import K\n\ndef get(k=K):\n    return k\n",
    "by_star.py": "from PKG.a import *\n",
    "by_relative.py": "from .a import K as renamed\n",
    "by_computation.py": "from . import a\nDOUBLE = a.K * 2\n",
}


def test_a_changed_constant_is_in_every_module_that_imports_it(world: World) -> None:
    world.watch({"a.py": "K = 1\n", **CONSTANT_USERS})
    world.save({"a.py": "K = 2\n"})
    handlers = "hot.handlers"
    assert world.value(
        f"[{handlers}.by_name.K, {handlers}.by_module.get(), {handlers}.by_alias.get(), {handlers}.by_default.get(),"
        f" {handlers}.by_star.K, {handlers}.by_relative.renamed, {handlers}.by_computation.DOUBLE]"
    ) == [2, 2, 2, 2, 2, 2, 4]


def test_a_changed_constant_is_in_every_name_that_cells_imported(world: World) -> None:
    world.watch({"a.py": "K = 1\n"})
    world.ok("from PKG.a import K\nfrom PKG.a import K as other\nimport PKG.a\nimport PKG.a as m\nfrom PKG import a as n")
    world.save({"a.py": "K = 2\n"})
    assert world.value("[K, other, PKG.a.K, m.K, n.K]") == [2] * 5


def test_a_changed_constant_is_in_a_held_function_that_has_it_as_default(world: World) -> None:
    world.watch({"a.py": "K = 1\n", "b.py": "from PKG.a import K\n\ndef get(k=K):\n    return k\n"})
    world.ok("from PKG.b import get\nheld = [get]")
    world.save({"a.py": "K = 2\n"})
    assert world.value("(get(), held[0]())") == (2, 2)


def test_a_name_that_a_cell_rebound_stays_the_users(world: World) -> None:
    world.watch({"a.py": "K = 1\n"})
    world.ok("from PKG.a import K")
    world.ok("K = 'mine'")
    world.save({"a.py": "K = 2\n"})
    assert world.value("K") == "mine"


# -- 17: base classes

BASE = "class Base:\n    def who(self):\n        return 'base'\n"
DERIVED = "from PKG.base import Base\n\nclass Derived(Base):\n    pass\n"


def test_a_changed_base_is_in_the_order_of_its_subclasses(world: World) -> None:
    world.watch({"base.py": BASE, "derived.py": DERIVED})
    world.save({"base.py": "class Root: pass\n\nclass Base(Root):\n    def who(self):\n        return 'new'\n"})
    assert world.value("[c.__name__ for c in hot.handlers.derived.Derived.__mro__]") == ["Derived", "Base", "Root", "object"]
    assert world.value("hot.handlers.derived.Derived.__mro__[1] is hot.handlers.base.Base") is True


def test_a_changed_base_is_in_the_instances_of_its_subclasses(world: World) -> None:
    world.watch({"base.py": BASE, "derived.py": DERIVED})
    world.ok("from PKG.derived import Derived\nfrom PKG.base import Base\nd = Derived()")
    world.save({"base.py": BASE.replace("'base'", "'new'")})
    assert world.value("(d.who(), isinstance(d, Derived), isinstance(d, Base))") == ("new", True, True)


def test_a_changed_base_has_no_ghost_among_its_subclasses(world: World) -> None:
    world.watch({"base.py": BASE, "derived.py": DERIVED})
    world.save({"base.py": BASE.replace("'base'", "'new'")})
    assert world.value(
        "[c is hot.handlers.derived.Derived for c in hot.handlers.base.Base.__subclasses__()]",
    ) == [True]


def test_a_changed_subclass_leaves_no_ghost_in_its_base(world: World) -> None:
    world.watch({"base.py": BASE, "derived.py": DERIVED})
    world.save({"derived.py": DERIVED.replace("pass", "x = 1")})
    assert world.value(
        "[c is hot.handlers.derived.Derived for c in hot.handlers.base.Base.__subclasses__()]",
    ) == [True]


def test_a_changed_base_is_in_the_subclass_that_a_cell_defined(world: World) -> None:
    world.watch({"base.py": BASE})
    world.ok("from PKG.base import Base\n\nclass Mine(Base): pass\n\nmine = Mine()")
    world.save({"base.py": BASE.replace("'base'", "'new'")})
    assert world.value("(mine.who(), Mine().who(), isinstance(mine, Base), issubclass(Mine, Base))") == (
        "new",
        "new",
        True,
        True,
    )


def test_super_finds_the_changed_base(world: World) -> None:
    calling = DERIVED.replace("pass", "def who(self):\n        return 'derived ' + super().who()")
    world.watch({"base.py": BASE, "derived.py": calling})
    world.ok("from PKG.derived import Derived\nheld = Derived().who")
    world.save({"base.py": BASE.replace("'base'", "'new'")})
    assert world.value("held()") == "derived new"


# -- 18: files that are not loaded


def test_an_edit_of_a_file_that_is_not_loaded_does_not_execute_it(world: World) -> None:
    lazy = "import builtins\nbuiltins.lazy_was_loaded = True\n"
    world.watch({"used.py": "value = 1\n", "lazy.py": lazy}, "--load imported")
    world.ok("import builtins\nbuiltins.lazy_was_loaded = False\nimport PKG.used")
    world.write({"lazy.py": lazy + "value = 1\n"})
    world.save({"used.py": "value = 2\n"})
    assert world.value("(PKG.used.value, builtins.lazy_was_loaded, 'PKG.lazy' in __import__('sys').modules)") == (
        2,
        False,
        False,
    )


def test_a_file_that_is_not_loaded_is_imported_with_its_newest_text(world: World) -> None:
    world.watch({"used.py": "value = 1\n", "lazy.py": "value = 1\n"}, "--load imported")
    world.ok("import PKG.used")
    world.write({"lazy.py": "value = 2\n"})
    world.save({"used.py": "value = 2\n"})
    world.ok("import PKG.lazy")
    assert world.value("PKG.lazy.value") == 2
    world.save({"lazy.py": "value = 3\n"})
    assert world.value("PKG.lazy.value") == 3


def test_a_file_nobody_imports_is_not_loaded_by_an_edit_of_its_dependency(world: World) -> None:
    world.watch({"used.py": "value = 1\n", "lazy.py": "from PKG import used\n"}, "--load imported")
    world.ok("import PKG.used")
    world.save({"used.py": "value = 2\n"})
    assert world.handlers == ["used"]
