"""Who imports whom decides what runs again, and in which order (scenarios 69 to 77)."""

import pytest
from conftest import World

RAN = "from __main__ import ran\n"  # ``X = ran(name, value)`` leaves the name in ``log`` each time it runs


def loads_of(world: World, files: dict[str, str | bytes | None]) -> object:
    """Return which modules ran something because of a save, in order; each has to begin with RAN."""
    world.ok("log.clear()")
    world.save(files)
    world.settle()
    return world.value("log")


def watch_logged(world: World, files: dict[str, str]) -> None:
    world.ok("log = []\ndef ran(name, value):\n    log.append(name)\n    return value")
    world.watch({name: RAN + text for name, text in files.items()})


DIAMOND = {
    "top.py": "from PKG.left import X as L\nfrom PKG.right import X as R\nexports = ran('top', L + R)\n",
    "left.py": "from PKG.base import X as B\nX = ran('left', B)\n",
    "right.py": "from PKG.base import X as B\nX = ran('right', B)\n",
    "base.py": "X = ran('base', 1)\n",
}


def test_a_diamond_runs_each_module_once_and_dependencies_first(world: World) -> None:
    watch_logged(world, DIAMOND)
    order = loads_of(world, {"base.py": RAN + "X = ran('base', 2)\n"})
    assert isinstance(order, list)
    assert (order[0], sorted(order[1:3]), order[3:]) == ("base", ["left", "right"], ["top"])


def test_both_sides_of_a_diamond_see_the_new_value(world: World) -> None:
    watch_logged(world, DIAMOND)
    world.save({"base.py": RAN + "X = ran('base', 2)\n"})
    assert world.value("hot.handlers.top") == 4


def test_an_edit_runs_only_the_file_and_what_imports_it(world: World) -> None:
    watch_logged(world, DIAMOND)
    text = RAN + "from PKG.base import X as B\nX = ran('left', B + 1)\n"
    assert loads_of(world, {"left.py": text}) == ["left", "top"]


def test_the_first_load_runs_each_file_once(world: World) -> None:
    watch_logged(world, DIAMOND)
    assert world.value("sorted(log)") == ["base", "left", "right", "top"]


FROM_A = "from PKG.a import X\nY = ran('b', X)\n"


def test_after_an_import_is_removed_the_old_dependency_does_not_run_the_module(world: World) -> None:
    watch_logged(world, {"a.py": "X = ran('a', 1)\n", "b.py": FROM_A})
    world.save({"b.py": RAN + "X = 5\nY = ran('b', X)\n"})
    assert loads_of(world, {"a.py": RAN + "X = ran('a', 2)\n"}) == ["a"]


def test_after_an_import_is_added_the_new_dependency_runs_the_module(world: World) -> None:
    watch_logged(world, {"a.py": "X = ran('a', 1)\n", "b.py": "X = 0\nY = ran('b', X)\n"})
    world.save({"b.py": RAN + FROM_A})
    assert loads_of(world, {"a.py": RAN + "X = ran('a', 2)\n"}) == ["a", "b"]


def test_an_inverted_graph_is_followed_in_its_new_order(world: World) -> None:
    def link(name: str, dependency: str) -> str:
        return f"from PKG.{dependency} import X as V\nX = ran({name!r}, V)\n"

    watch_logged(world, {"i.py": link("i", "j"), "j.py": link("j", "k"), "k.py": "X = ran('k', 1)\n"})
    world.save(
        {
            "i.py": RAN + "X = ran('i', 2)\n",
            "j.py": RAN + link("j", "i"),
            "k.py": RAN + link("k", "j") + "exports = X\n",
        }
    )
    world.settle()
    assert (world.value("hot.handlers.k"), world.errors) == (2, {})
    assert loads_of(world, {"i.py": RAN + "X = ran('i', 3)\n"}) == ["i", "j", "k"]


def test_a_cycle_that_python_allows_goes_live(world: World) -> None:
    world.watch({"a.py": "X = 1\n", "b.py": "import PKG.a\ndef f():\n    return PKG.a.X\n"})
    world.save({"a.py": "import PKG.b\nX = 2\ndef g():\n    return PKG.b.f() * 10\n"})
    assert (world.value("hot.handlers.a.g()"), world.errors) == (20, {})


def test_both_modules_of_a_cycle_follow_later_edits(world: World) -> None:
    world.watch(
        {
            "a.py": "import PKG.b\nX = 1\ndef g():\n    return PKG.b.f()\n",
            "b.py": "import PKG.a\ndef f():\n    return PKG.a.X\n",
        }
    )
    world.save({"b.py": "import PKG.a\ndef f():\n    return PKG.a.X + 100\n"})
    world.save({"a.py": "import PKG.b\nX = 2\ndef g():\n    return PKG.b.f()\n"})
    assert world.value("hot.handlers.a.g()") == 102


def test_the_modules_of_a_cycle_hold_each_other_and_not_retired_ones(world: World) -> None:
    world.watch({"a.py": "import PKG.b as b\nX = 1\n", "b.py": "import PKG.a as a\n"})
    world.save({"a.py": "from PKG import b\nX = 2\n"})
    assert world.value("hot.handlers.a.b is hot.handlers.b and hot.handlers.b.a is hot.handlers.a")


def test_a_cycle_that_python_forbids_is_rejected(world: World) -> None:
    world.watch({"a.py": "X = 1\n", "b.py": "from PKG.a import X\nY = X\n"})
    world.save({"a.py": "from PKG.b import Y\nX = Y\n"})
    assert world.value("(hot.handlers.a.X, hot.handlers.b.Y)") == (1, 1)
    assert world.errors


def test_the_error_of_a_forbidden_cycle_shows_the_way_around_it(world: World) -> None:
    world.watch({"a.py": "X = 1\n", "b.py": "from PKG.a import X\nY = X\n"})
    world.save({"a.py": "from PKG.b import Y\nX = Y\n"})
    text = str(world.value("'\\n'.join(failure.text for failure in hot.errors.values())"))
    assert f"{world.folder}/a.py" in text
    assert f"{world.folder}/b.py" in text


def test_the_error_of_a_forbidden_cycle_says_that_it_is_one(world: World) -> None:
    world.watch({"a.py": "X = 1\n", "b.py": "from PKG.a import X\nY = X\n"})
    world.save({"a.py": "from PKG.b import Y\nX = Y\n"})
    assert "circular import" in str(world.errors)


def test_breaking_a_forbidden_cycle_recovers(world: World) -> None:
    world.watch({"a.py": "X = 1\n", "b.py": "from PKG.a import X\nY = X\n"})
    world.save({"a.py": "from PKG.b import Y\nX = Y\n"})
    world.save({"a.py": "X = 3\n"})
    assert (world.value("(hot.handlers.a.X, hot.handlers.b.Y)"), world.errors) == ((3, 3), {})


def test_a_module_may_import_itself(world: World) -> None:
    world.watch({"a.py": "import PKG.a\nX = 1\ndef f():\n    return PKG.a.X\n"})
    world.save({"a.py": "import PKG.a\nX = 2\ndef f():\n    return PKG.a.X\n"})
    assert (world.value("hot.handlers.a.f()"), world.errors) == (2, {})


def test_a_self_import_meets_the_module_that_is_being_loaded(world: World) -> None:
    world.watch({"a.py": "X = 1\nimport PKG.a as me\nexports = me.X\n"})
    world.save({"a.py": "X = 2\nimport PKG.a as me\nexports = me.X\n"})
    assert world.value("hot.handlers.a") == 2


def test_an_import_inside_a_function_that_loading_calls_is_a_dependency(world: World) -> None:
    text = "def f():\n    from PKG.a import X\n    return X\nexports = f()\n"
    world.watch({"a.py": "X = 1\n", "b.py": text})
    world.save({"a.py": "X = 2\n"})
    assert world.value("hot.handlers.b") == 2


def test_an_import_inside_a_function_that_a_cell_calls_meets_the_newest(world: World) -> None:
    world.watch({"a.py": "X = 1\n", "b.py": "def f():\n    from PKG.a import X\n    return X\n"})
    world.ok("from PKG.b import f; f()")
    world.save({"a.py": "X = 2\n"})
    assert world.value("f()") == 2


def test_an_import_by_string_is_a_dependency(world: World) -> None:
    text = "import importlib\nexports = importlib.import_module(__package__ + '.a').X\n"
    world.watch({"a.py": "X = 1\n", "b.py": text})
    world.save({"a.py": "X = 2\n"})
    assert world.value("hot.handlers.b") == 2


def test_a_relative_import_by_string_is_a_dependency(world: World) -> None:
    text = "import importlib\nexports = importlib.import_module('.a', __package__).X\n"
    world.watch({"a.py": "X = 1\n", "b.py": text})
    world.save({"a.py": "X = 2\n"})
    assert world.value("hot.handlers.b") == 2


def test_a_star_import_is_a_dependency(world: World) -> None:
    world.watch({"a.py": "X = 1\n", "b.py": "from PKG.a import *\nexports = X\n"})
    world.save({"a.py": "X = 2\n"})
    assert world.value("hot.handlers.b") == 2


def test_a_star_import_forgets_a_name_that_was_removed(world: World) -> None:
    world.watch({"a.py": "X = 1\nY = 1\n", "b.py": "from PKG.a import *\n"})
    world.save({"a.py": "X = 2\n"})
    assert world.value("(hot.handlers.b.X, hasattr(hot.handlers.b, 'Y'))") == (2, False)


def test_a_lazy_getattr_of_a_package_is_a_dependency_of_who_reads_it(world: World) -> None:
    init = "import importlib\ndef __getattr__(name):\n    return importlib.import_module('.inner', __name__).X\n"
    world.watch({"p/__init__.py": init, "p/inner.py": "X = 1\n", "b.py": "from PKG.p import X\nexports = X\n"})
    world.save({"p/inner.py": "X = 2\n"})
    assert world.value("hot.handlers.b") == 2


def test_a_package_import_of_a_submodule_is_a_dependency(world: World) -> None:
    world.watch({"p/a.py": "X = 1\n", "b.py": "from PKG.p import a\nexports = a.X\n"})
    world.save({"p/a.py": "X = 2\n"})
    assert world.value("hot.handlers.b") == 2


def test_a_module_reached_through_another_one_is_fresh(world: World) -> None:
    world.watch({"a.py": "X = 1\n", "b.py": "import PKG.a as a\n", "c.py": "from PKG.b import a\nexports = a.X\n"})
    world.save({"a.py": "X = 2\n"})
    assert world.value("hot.handlers.c") == 2


def test_an_import_that_failed_and_was_caught_is_a_dependency(world: World) -> None:
    world.watch({"b.py": "try:\n    from PKG.a import X\nexcept ImportError:\n    X = 0\nexports = X\n"})
    world.save({"a.py": "X = 2\n"})
    world.settle()
    assert world.value("hot.handlers.b") == 2


def test_an_installed_package_is_never_reloaded(world: World) -> None:
    site = world.top / "site"
    site.mkdir()
    (site / f"installed_{world.package}.py").write_text("from __main__ import log\nlog.append('installed')\n")
    world.ok(f"import sys; sys.path.insert(0, {str(site)!r}); log = []")
    world.watch({"a.py": "import installed_PKG\nexports = 1\n"})
    world.save({"a.py": "import math, installed_PKG\nexports = 2\n"})  # the import runs again
    world.ok("hot.reload()")
    assert world.value("log") == ["installed"]


def test_a_c_extension_is_never_reloaded(world: World) -> None:
    world.watch({"a.py": "import zlib\nexports = 1\n"})
    world.ok("import sys, zlib; before = zlib, zlib.crc32")
    world.save({"a.py": "import math, zlib\nexports = 2\n"})  # the import runs again
    world.ok("hot.reload()")
    assert world.value("hot.handlers.a == 2 and before == (sys.modules['zlib'], sys.modules['zlib'].crc32)")


def test_a_second_importer_that_came_later_is_refreshed_too(world: World) -> None:
    world.watch({"a.py": "X = 1\n", "first.py": "from PKG.a import X\nexports = X\n"})
    world.save({"second.py": "from PKG.a import X\nexports = X\n"})
    world.save({"a.py": "X = 2\n"})
    assert world.value("(hot.handlers.first, hot.handlers.second)") == (2, 2)


def test_a_deep_chain_is_refreshed_to_its_end(world: World) -> None:
    files = {f"m{i}.py": f"from PKG.m{i - 1} import X\nexports = X\n" for i in range(1, 30)}
    world.watch({"m0.py": "X = 1\n", **files})
    world.save({"m0.py": "X = 2\n"})
    assert world.value("hot.handlers.m29") == 2


def test_an_edit_of_a_file_that_its_package_reexports_goes_live(world: World) -> None:
    world.watch({"p/__init__.py": "from .x import N\n", "p/x.py": "N = 1\n"})
    world.save({"p/x.py": "N = 2\n"})
    assert (world.value("(hot.handlers.p.N, hot.handlers['p.x'].N)"), world.errors) == ((2, 2), {})


@pytest.mark.parametrize("text", ["import PKG.b\n", "import PKG.b as b\n", "from PKG import b\n", "from PKG.b import f\n"])
def test_a_file_whose_import_never_loaded_does_not_go_live(world: World, text: str) -> None:
    world.watch({"a.py": text, "b.py": "raise ValueError('b')\n"})
    assert (world.handlers, sorted(dict(world.errors))) == ([], ["a", "b"])
