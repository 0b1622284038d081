"""An ordinary import meets the live module, under the name that Python gives it, and what a cell holds stays fresh."""

import re

import pytest
from conftest import Output, World

SHAPES = """
class Base:
    def name(self):
        return "base 1"

class Shape(Base):
    def name(self):
        return "shape 1 of " + super().name()

def area(side):
    return side

async def fetch(url):
    return 1

class Odd(Exception):
    pass

def fail():
    raise Odd
"""
NEXT_SHAPES = SHAPES.replace("1", "2").replace("(side)", "(side, height=3)").replace("(url)", "(url, retries)")


def plain(output: Output) -> str:
    """Return a cell's traceback without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", output.traceback)


def in_src(world: World, files: dict[str, str | bytes | None]) -> None:
    """Make a package under ./src the folder of this world, and watch it."""
    world.folder = world.top / "src" / world.package
    world.folder.mkdir(parents=True)
    world.write({"__init__.py": "", **files})
    world.ok(f"import sys; sys.path.insert(0, {str(world.top / 'src')!r})")
    world.ok(f"log = []\n%hotwatch ./src/{world.package}")


def in_place(world: World, files: dict[str, str | bytes | None], options: str = "") -> str:
    """Watch the current folder, in which file names begin with the returned prefix (FILE in texts)."""
    world.folder = world.top
    prefix = f"top_{world.package}"
    world.write({name.replace("FILE", prefix): str(text).replace("FILE", prefix) for name, text in files.items()})
    world.ok(f"log = []\n%hotwatch . {options}")
    return prefix


# -- every way to import meets the same live module


@pytest.mark.parametrize(
    "cell",
    [
        "import PKG.x; found = PKG.x",
        "import PKG.x as found",
        "from PKG import x as found",
        "import PKG; found = PKG.x",
        "import importlib; found = importlib.import_module('PKG.x')",
        "import importlib; found = importlib.import_module('.x', 'PKG')",
        "found = __import__('PKG.x').x",
        "import sys; found = sys.modules['PKG.x']",
        "from PKG.others import absolute as found",
        "from PKG.others import relative as found",
        "from PKG.others import sibling; found = sibling()",
    ],
)
@pytest.mark.parametrize("saves", [0, 2])
def test_every_import_meets_the_module_in_hot_handlers(world: World, cell: str, saves: int) -> None:
    others = """
        import PKG.x as absolute
        from . import x as relative
        def sibling():
            from .x import me
            return me()
    """
    text = "import sys\nNUMBER = {}\ndef me():\n    return sys.modules[__name__]\n"
    world.watch({"x.py": text.format(0), "others.py": others})
    for number in range(1, saves + 1):
        world.save({"x.py": text.format(number)})
    world.ok(cell)
    assert world.value("found is hot.handlers.x and found.NUMBER") == saves


def test_a_module_imported_before_a_save_answers_from_the_newest(world: World) -> None:
    world.watch({"x.py": "N = 1\n"})
    world.ok("import PKG.x; box = [PKG.x]")
    world.save({"x.py": "N = 2\n"})
    assert world.value("(PKG.x.N, box[0].N)") == (2, 2)


def test_a_name_imported_before_a_save_is_the_newest(world: World) -> None:
    world.watch({"x.py": "N = 1\n"})
    world.ok("from PKG.x import N, N as other")
    world.save({"x.py": "N = 2\n"})
    assert world.value("(N, other)") == (2, 2)


def test_a_relative_import_in_a_cell_of_a_watched_package_function_is_fresh(world: World) -> None:
    world.watch({"x.py": "N = 1\n", "p/y.py": "from ..x import N\nexports = N\n"})
    world.save({"x.py": "N = 2\n"})
    assert world.value("hot.handlers['p.y']") == 2


def test_an_import_inside_a_function_of_the_notebook_is_fresh(world: World) -> None:
    world.watch({"x.py": "N = 1\n"})
    world.ok("def f():\n    from PKG.x import N\n    return N\nf()")
    world.save({"x.py": "N = 2\n"})
    assert world.value("f()") == 2


def test_a_package_that_exports_names_of_its_files_exports_the_newest(world: World) -> None:
    world.watch({"p/__init__.py": "from .x import N\nfrom . import x\n", "p/x.py": "N = 1\n"})
    world.ok("from PKG.p import N; import PKG.p as p")
    world.save({"p/x.py": "N = 2\n"})
    assert world.value("(N, p.N, p.x.N)") == (2, 2, 2)


def test_a_package_holds_its_live_submodule(world: World) -> None:
    world.watch({"p/__init__.py": "from .x import N\n", "p/x.py": "N = 1\n"})
    world.save({"p/x.py": "N = 2\n"})
    world.ok("import PKG.p")
    assert world.value("PKG.p.x is hot.handlers['p.x'] and hot.handlers.p is PKG.p")


def test_an_edit_of_a_package_file_leaves_its_submodules_in_place(world: World) -> None:
    world.watch({"p/__init__.py": "A = 1\n", "p/x.py": "N = 1\n"})
    world.ok("import PKG.p.x")
    world.save({"p/__init__.py": "A = 2\n"})
    assert world.value("(PKG.p.A, PKG.p.x.N, PKG.p.x is hot.handlers['p.x'])") == (2, 1, True)


def test_a_file_in_a_folder_without_init_is_imported_and_fresh(world: World) -> None:
    world.watch({"plain/deep/x.py": "N = 1\n"})
    world.ok("from PKG.plain.deep import x; from PKG.plain.deep.x import N")
    world.save({"plain/deep/x.py": "N = 2\n"})
    assert world.value("(x.N, N, x is hot.handlers['plain.deep.x'])") == (2, 2, True)


def test_a_folder_without_init_is_no_handler_itself(world: World) -> None:
    world.watch({"plain/x.py": "N = 1\n"})
    assert world.handlers == ["plain.x"]


def test_an_init_file_that_appears_makes_a_package_of_the_folder(world: World) -> None:
    world.watch({"plain/x.py": "N = 1\n"})
    world.save({"plain/__init__.py": "A = 5\n"})
    world.settle()
    world.ok("import PKG.plain.x")
    assert world.value("(PKG.plain.A, PKG.plain.x.N)") == (5, 1)


# -- names


def test_a_folder_of_handlers_is_loaded_whole(world: World) -> None:
    world.ok("log = []")
    world.watch(
        {"a.py": "import __main__\n__main__.log.append(1)\n", "sub/b.py": "import __main__\n__main__.log.append(2)\n"}
    )
    assert world.value("sorted(log)") == [1, 2]
    assert world.handlers == ["a", "sub.b"]


def test_load_imported_executes_nothing_of_a_folder_of_handlers(world: World) -> None:
    world.ok("log = []")
    world.watch({"a.py": "import __main__\n__main__.log.append(1)\n"}, "--load imported")
    assert (world.value("log"), world.handlers) == ([], [])


def test_load_imported_follows_what_was_imported(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"}, "--load imported")
    world.ok("import PKG.a")
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


def test_a_package_under_src_keeps_its_dotted_name(world: World) -> None:
    in_src(world, {"x.py": "name = __name__\n"})
    world.ok("from PKG.x import name")
    assert world.value("name") == f"{world.package}.x"


def test_watching_a_package_executes_nothing_of_it(world: World) -> None:
    in_src(world, {"x.py": "import __main__\n__main__.log.append(1)\n"})
    assert world.value("(log, 'PKG' in sys.modules, dict(hot.handlers))") == ([], False, {})


def test_a_file_of_a_package_is_followed_once_it_is_imported(world: World) -> None:
    in_src(world, {"x.py": "N = 1\n"})
    world.ok("from PKG.x import N")
    world.save({"x.py": "N = 2\n"})
    assert world.value("(N, hot.handlers.x.N)") == (2, 2)


def test_a_file_of_a_package_that_nothing_imports_is_not_executed_by_its_save(world: World) -> None:
    in_src(world, {"x.py": "N = 1\n", "y.py": "N = 1\n"})
    world.ok("import PKG.x")
    world.write({"y.py": "import __main__\n__main__.log.append(1)\n"})
    world.save({"x.py": "N = 2\n"})
    world.save({"x.py": "N = 3\n"})
    assert world.value("log") == []


def test_a_broken_file_of_a_package_that_nothing_imports_is_no_error(world: World) -> None:
    in_src(world, {"x.py": "N = 1\n", "y.py": "def f(:\n"})
    world.ok("import PKG.x")
    world.save({"x.py": "N = 2\n"})
    assert world.errors == {}


def test_a_package_that_was_imported_before_it_is_watched_is_followed(world: World) -> None:
    world.write({"__init__.py": "", "x.py": "N = 1\n"})
    world.ok("from PKG.x import N; import PKG.x")
    world.watch()
    world.save({"x.py": "N = 2\n"})
    assert world.value("PKG.x.N") == 2


def test_a_package_in_a_package_keeps_its_whole_dotted_name(world: World) -> None:
    world.write({"__init__.py": "", "inner/__init__.py": "", "inner/x.py": "N = __name__, 1\n"})
    world.ok("%hotwatch ./PKG/inner")
    world.ok("from PKG.inner.x import N")
    world.save({"inner/x.py": "N = __name__, 2\n"})
    assert world.value("N") == (f"{world.package}.inner.x", 2)


def test_load_all_executes_a_whole_package(world: World) -> None:
    world.watch({"__init__.py": "", "x.py": "exports = 1\n"}, "--load all")
    assert world.value("hot.handlers.x") == 1


def test_a_file_beside_the_notebook_is_a_top_level_module(world: World) -> None:
    prefix = in_place(world, {"FILE.py": "N = 1\n"})
    world.ok(f"from {prefix} import N")
    world.save({f"{prefix}.py": "N = 2\n"})
    assert world.value(f"(N, hot.handlers[{prefix!r}].__name__)") == (2, prefix)


def test_watching_the_current_folder_executes_nothing_in_it(world: World) -> None:
    in_place(world, {"FILE.py": "import __main__\n__main__.log.append(1)\n"})
    assert world.value("log") == []


def test_load_all_executes_the_files_of_the_current_folder(world: World) -> None:
    prefix = in_place(world, {"FILE.py": "import __main__\n__main__.log.append(1)\n"}, "--load all")
    assert world.value("(log, list(hot.handlers))") == ([1], [prefix])


def test_files_beside_the_notebook_follow_each_other(world: World) -> None:
    prefix = in_place(world, {"FILE.py": "from FILE_base import N\n", "FILE_base.py": "N = 1\n"})
    world.ok(f"from {prefix} import N")
    world.save({f"{prefix}_base.py": "N = 2\n"})
    assert world.value("N") == 2


@pytest.mark.parametrize("name", ["json", "sys", "pytest_timeout"])
def test_a_folder_whose_name_is_taken_is_an_error_that_names_it(world: World, name: str) -> None:
    (world.top / name).mkdir()
    (world.top / name / "a.py").write_text("exports = 1\n")
    output = world.run(f"import {name}; %hotwatch ./{name}".replace("; %", "\n%"))
    told = output.text + plain(output)
    assert "UsageError" in told
    assert f"{world.top}/{name}: its name, '{name}', already means another module" in told


def test_a_folder_whose_name_is_taken_leaves_other_folders_watched(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    (world.top / "json").mkdir()
    world.run("%hotwatch ./json")
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


def test_a_folder_whose_name_is_taken_leaves_the_other_module_as_it_is(world: World) -> None:
    (world.top / "json").mkdir()
    world.run("%hotwatch ./json")
    world.ok("import json; json.loads('1')")


def test_a_folder_whose_name_is_taken_by_an_installed_package_not_yet_imported_is_an_error(world: World) -> None:
    site = world.top / "site"
    (site / f"taken_{world.package}").mkdir(parents=True)
    (site / f"taken_{world.package}" / "__init__.py").write_text("")
    (world.top / f"taken_{world.package}").mkdir()
    world.ok(f"import sys; sys.path.insert(0, {str(site)!r})")
    output = world.run("%hotwatch ./taken_PKG")
    assert "already means another module" in output.text + plain(output)


def test_a_folder_that_cannot_be_a_module_name_is_an_error(world: World) -> None:
    (world.top / "my-hots").mkdir()
    output = world.run("%hotwatch ./my-hots")
    assert "'my-hots' can be no module name" in output.text + plain(output)


# -- importing what is broken


def test_importing_a_file_that_raises_raises_its_own_error(world: World) -> None:
    world.watch({"a.py": "x = 1\n1 / 0\n"})
    output = world.run("import PKG.a")
    assert output.error == "ZeroDivisionError"
    assert "a.py, line 2" in plain(output)


def test_importing_a_file_that_does_not_compile_shows_its_file_and_line(world: World) -> None:
    world.watch({"a.py": "x = 1\ndef f(:\n"})
    output = world.run("import PKG.a")
    assert output.error == "SyntaxError"
    assert re.search(r"a\.py[:\", ]+(line )?2", plain(output))
    assert "def f(:" in plain(output)


@pytest.mark.parametrize("text", ["1 / 0\n", "def f(:\n", "import PKG.b\n", "from PKG.b import f\n"])
def test_importing_a_broken_file_shows_no_frame_of_ipyhot(world: World, text: str) -> None:
    world.watch({"a.py": text, "b.py": "raise ValueError('b')\n"})
    shown = plain(world.run("import PKG.a"))
    assert shown
    assert "ipyhot" not in shown.replace(str(world.top), "")
    assert "importlib" not in shown


def test_importing_a_name_that_is_not_there_raises_an_import_error(world: World) -> None:
    world.watch({"a.py": "X = 1\n"})
    output = world.run("from PKG.a import Y")
    assert output.error == "ImportError"
    assert "cannot import name 'Y'" in plain(output)


def test_importing_a_file_that_is_not_there_raises_module_not_found(world: World) -> None:
    world.watch({"a.py": "X = 1\n"})
    assert world.run("import PKG.nowhere").error == "ModuleNotFoundError"


def test_importing_a_broken_file_that_has_a_good_version_gives_that(world: World) -> None:
    world.watch({"a.py": "X = 1\n"})
    world.save({"a.py": "def f(:\n"})
    world.ok("from PKG.a import X")
    assert world.value("X") == 1


def test_a_cell_that_imports_a_broken_file_works_when_it_is_fixed(world: World) -> None:
    world.watch({"a.py": "def f(:\n"})
    assert world.run("from PKG.a import X").error == "SyntaxError"
    world.save({"a.py": "X = 1\n"})
    world.ok("from PKG.a import X")
    assert world.value("X") == 1


def test_a_file_of_a_package_that_failed_to_import_works_when_it_is_fixed(world: World) -> None:
    in_src(world, {"x.py": "1 / 0\n"})
    assert world.run("import PKG.x").error == "ZeroDivisionError"
    world.write({"x.py": "N = 1\n"})
    world.ok("from PKG.x import N")
    world.save({"x.py": "N = 2\n"})
    assert world.value("N") == 2


# -- what is held


def hold(world: World, cell: str) -> None:
    """Hold something of the first version of shapes.py, then save the second one."""
    world.watch({"shapes.py": SHAPES})
    world.ok(cell)
    world.save({"shapes.py": NEXT_SHAPES})


def test_a_held_instance_is_an_instance_of_the_new_class(world: World) -> None:
    hold(world, "from PKG.shapes import Shape, Base; shape = Shape()")
    assert world.value("isinstance(shape, hot.handlers.shapes.Shape) and isinstance(shape, hot.handlers.shapes.Base)")


def test_a_held_class_and_a_new_instance_still_match(world: World) -> None:
    hold(world, "from PKG.shapes import Shape; held = [Shape]")
    assert world.value("isinstance(hot.handlers.shapes.Shape(), held[0])")


def test_an_instance_of_a_held_class_is_an_instance_of_the_new_class(world: World) -> None:
    hold(world, "from PKG.shapes import Shape; held = [Shape]")
    assert world.value("isinstance(held[0](), hot.handlers.shapes.Shape)")


def test_a_held_instance_runs_the_new_methods_with_super(world: World) -> None:
    hold(world, "from PKG.shapes import Shape; shape = Shape()")
    assert world.value("shape.name()") == "shape 2 of base 2"


def test_a_held_bound_method_runs_the_new_one_with_super(world: World) -> None:
    hold(world, "from PKG.shapes import Shape; name = Shape().name")
    assert world.value("name()") == "shape 2 of base 2"


def test_a_subclass_in_the_notebook_follows_its_base(world: World) -> None:
    hold(
        world,
        """
        from PKG.shapes import Shape
        class Mine(Shape):
            def name(self):
                return "mine, " + super().name()
        mine = Mine()
        """.replace("\n        ", "\n"),
    )
    assert world.value("(mine.name(), Mine().name())") == ("mine, shape 2 of base 2",) * 2
    assert world.value("isinstance(mine, hot.handlers.shapes.Shape) and issubclass(Mine, hot.handlers.shapes.Base)")


def test_a_held_instance_can_be_pickled(world: World) -> None:
    hold(world, "import pickle; from PKG.shapes import Shape; shape = Shape(); shape.side = 5")
    assert world.value("(lambda s: (s.side, s.name()))(pickle.loads(pickle.dumps(shape)))") == (5, "shape 2 of base 2")


def test_a_pickle_made_before_a_save_loads_as_the_new_class(world: World) -> None:
    hold(world, "import pickle; from PKG.shapes import Shape; data = pickle.dumps(Shape())")
    assert world.value("type(pickle.loads(data)) is hot.handlers.shapes.Shape")


def test_a_held_function_can_be_pickled(world: World) -> None:
    hold(world, "import pickle; from PKG.shapes import area; held = [area]")
    assert world.value("pickle.loads(pickle.dumps(held[0]))(1)") == 1


def test_a_held_class_can_be_pickled(world: World) -> None:
    hold(world, "import pickle; from PKG.shapes import Shape; held = [Shape]")
    assert world.value("pickle.loads(pickle.dumps(held[0]))().name()") == "shape 2 of base 2"


def test_an_except_clause_with_the_imported_class_catches_the_new_exception(world: World) -> None:
    hold(
        world,
        "from PKG.shapes import Odd, fail\ndef safe():\n    try:\n        fail()\n    except Odd:\n        return 'caught'",
    )
    assert world.value("safe()") == "caught"


def test_an_except_clause_with_a_held_class_catches_the_new_exception(world: World) -> None:
    hold(world, "from PKG.shapes import Odd, fail; held = [Odd]")
    world.ok("try:\n    fail()\nexcept held[0]:\n    caught = True")


def test_the_signature_of_a_held_function_is_the_new_one(world: World) -> None:
    hold(world, "import inspect; from PKG.shapes import area; held = [area]")
    assert world.value("str(inspect.signature(held[0]))") == "(side, height=3)"


def test_the_signature_of_an_imported_function_is_the_new_one(world: World) -> None:
    hold(world, "import inspect; from PKG.shapes import area")
    assert world.value("str(inspect.signature(area))") == "(side, height=3)"


def test_a_held_function_takes_the_new_arguments(world: World) -> None:
    hold(world, "from PKG.shapes import area; held = [area]")
    assert world.value("held[0](1, height=7)") == 1


def test_the_source_of_a_held_function_is_the_new_one(world: World) -> None:
    hold(world, "import inspect; from PKG.shapes import area; held = [area]")
    assert world.value("inspect.getsource(held[0])") == "def area(side, height=3):\n    return side\n"


def test_a_held_coroutine_function_is_still_one(world: World) -> None:
    hold(world, "import inspect; from PKG.shapes import fetch; held = [fetch]")
    assert world.value("inspect.iscoroutinefunction(held[0]) and inspect.iscoroutinefunction(fetch)")


def test_a_held_coroutine_function_is_awaited_as_the_new_one(world: World) -> None:
    hold(world, "from PKG.shapes import fetch; held = [fetch]")
    assert world.ok("await held[0]('u', retries=3)").result == "2"


def test_a_held_function_that_becomes_a_coroutine_function_is_told_as_one(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.ok("import inspect; from PKG.a import f; held = [f]")
    world.save({"a.py": "async def f():\n    return 2\n"})
    assert world.value("(inspect.iscoroutinefunction(f), inspect.iscoroutinefunction(held[0]))") == (True, True)
