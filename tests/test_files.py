"""Files and folders that appear, vanish and move: the handlers follow, and nobody who still needs one loses it."""

import itertools
import os
import shutil

import pytest
from conftest import World


def ways_of(world: World, module: str) -> object:
    """Return what was done with a module, oldest first."""
    return world.value(f"[r.ways['PKG.{module}'].value for r in hot.history if 'PKG.{module}' in r.ways]")


# -- 19, 20: new ones


def test_a_new_file_becomes_a_handler(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"b.py": "exports = 2\n"})
    assert world.value("dict(hot.handlers)") == {"a": 1, "b": 2}


def test_a_new_file_in_an_empty_folder_becomes_a_handler(world: World) -> None:
    world.watch()
    assert world.value("dict(hot.handlers)") == {}
    world.save({"a.py": "exports = 1\n"})
    assert world.value("dict(hot.handlers)") == {"a": 1}


def test_a_new_file_can_be_imported(world: World) -> None:
    world.watch({"a.py": "value = 1\n"})
    world.save({"b.py": "from PKG.a import value\n\ndef f():\n    return value\n"})
    world.ok("from PKG.b import f")
    world.save({"a.py": "value = 2\n"})
    assert world.value("f()") == 2


def test_a_handler_is_an_attribute_of_its_package_from_the_start(world: World) -> None:
    world.watch({"a.py": "value = 1\n"})
    world.ok("import PKG.a")
    assert world.value("PKG.a.value") == 1


def test_a_new_file_is_an_attribute_of_its_package(world: World) -> None:
    world.watch({"a.py": "value = 1\n"})
    world.save({"sub/b.py": "value = 2\n"})
    world.ok("import PKG.sub.b")
    assert world.value("PKG.sub.b.value") == 2


def test_a_new_file_in_a_new_subfolder_becomes_a_handler(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"sub/b.py": "exports = 2\n"})
    assert world.value("(hot.handlers['sub.b'], hot.handlers.sub.b)") == (2, 2)


def test_a_new_file_many_new_subfolders_down_becomes_a_handler(world: World) -> None:
    world.watch()
    world.save({"x/y/z/b.py": "exports = 2\n"})
    assert world.value("(hot.handlers['x.y.z.b'], hot.handlers.x.y.z.b)") == (2, 2)


def test_a_file_in_a_new_subfolder_is_followed_after_its_first_load(world: World) -> None:
    world.watch()
    world.save({"x/y/b.py": "exports = 1\n"})
    world.save({"x/y/b.py": "exports = 2\n"})
    assert world.value("hot.handlers.x.y.b") == 2


def test_a_folder_moved_in_brings_all_of_its_files(world: World) -> None:
    world.watch()
    outside = world.top / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "a.py").write_text("exports = 1\n")
    (outside / "deep" / "b.py").write_text("exports = 2\n")
    os.rename(outside, world.folder / "sub")
    world.settle()
    assert world.value("(hot.handlers['sub.a'], hot.handlers['sub.deep.b'])") == (1, 2)


def test_a_file_in_a_folder_that_was_moved_in_is_followed(world: World) -> None:
    world.watch()
    (world.top / "outside").mkdir()
    (world.top / "outside" / "a.py").write_text("exports = 1\n")
    os.rename(world.top / "outside", world.folder / "sub")
    world.settle()
    world.save({"sub/a.py": "exports = 2\n"})
    assert world.value("hot.handlers.sub.a") == 2


def test_a_new_package_is_one_handler_and_its_files_are_others(world: World) -> None:
    world.watch()
    world.write({"p/__init__.py": "from .a import value\n", "p/a.py": "value = 1\n"})
    world.settle()
    assert world.handlers == ["p", "p.a"]
    assert world.value("(hot.handlers.p.value, hot.handlers['p.a'].value)") == (1, 1)


# -- 21, 22: deleted ones


def test_a_deleted_file_that_nobody_imports_leaves_the_handlers(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 2\n"})
    world.save({"a.py": None})
    assert world.value("dict(hot.handlers)") == {"b": 2}
    assert world.value("hasattr(hot.handlers, 'a')") is False
    assert world.errors == {}


def test_a_deleted_file_is_told_in_the_history(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": None})
    assert ways_of(world, "a") == ["loaded", "dropped"]


def test_a_deleted_file_can_no_longer_be_imported(world: World) -> None:
    world.watch({"a.py": "value = 1\n", "b.py": "value = 1\n"})
    world.ok("import PKG.a, PKG.b")
    world.save({"a.py": None})
    assert world.run("import PKG.a").error == "ModuleNotFoundError"
    assert world.value("(hasattr(PKG, 'a'), hasattr(PKG, 'b'), 'PKG.a' in __import__('sys').modules)") == (
        False,
        True,
        False,
    )


def test_a_deleted_subfolder_takes_its_handlers_along(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "sub/b.py": "exports = 2\n", "sub/deep/c.py": "exports = 3\n"})
    shutil.rmtree(world.folder / "sub")
    world.settle()
    assert world.handlers == ["a"]
    assert world.value("hasattr(hot.handlers, 'sub')") is False


def test_a_subfolder_moved_out_takes_its_handlers_along(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "sub/b.py": "exports = 2\n"})
    os.rename(world.folder / "sub", world.top / "outside")
    world.settle()
    assert world.handlers == ["a"]


IMPORTED = {"a.py": "def f():\n    return 1\n", "b.py": "from PKG.a import f\n\ndef call():\n    return f()\n"}


def test_a_deleted_file_that_is_still_imported_stays_live(world: World) -> None:
    world.watch(IMPORTED)
    world.save({"a.py": None})
    assert world.value("(hot.handlers.b.call(), hot.handlers.a.f())") == (1, 1)
    assert world.handlers == ["a", "b"]


def test_a_deleted_file_that_is_still_imported_is_an_error_that_names_the_importer(world: World) -> None:
    world.watch(IMPORTED)
    world.save({"a.py": None})
    assert f"{world.package}.b" in str(world.value("str(hot.errors['a'])"))


def test_a_deleted_file_put_back_heals(world: World) -> None:
    world.watch(IMPORTED)
    world.save({"a.py": None})
    world.save({"a.py": IMPORTED["a.py"]})
    assert world.errors == {}
    assert world.value("hot.handlers.b.call()") == 1


def test_a_deleted_file_put_back_with_another_text_goes_live(world: World) -> None:
    world.watch(IMPORTED)
    world.save({"a.py": None})
    world.save({"a.py": "def f():\n    return 2\n"})
    assert world.errors == {}
    assert world.value("hot.handlers.b.call()") == 2


def test_a_deleted_file_goes_when_its_last_importer_lets_go(world: World) -> None:
    world.watch(IMPORTED)
    world.save({"a.py": None})
    world.save({"b.py": "def call():\n    return 2\n"})
    assert world.errors == {}
    assert world.value("(hot.handlers.b.call(), 'a' in hot.handlers)") == (2, False)


def test_a_file_deleted_together_with_its_importer_goes(world: World) -> None:
    world.watch({**IMPORTED, "c.py": "exports = 1\n"})
    world.write({"a.py": None, "b.py": None})
    world.settle()
    assert world.handlers == ["c"]
    assert world.errors == {}


# -- 23, 24: gone and back


def test_a_file_replaced_by_deleting_and_writing_it_is_never_absent(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    (world.folder / "a.py").unlink()
    world.write({"a.py": "exports = 2\n"})
    world.settle()
    assert world.value("hot.handlers.a") == 2
    assert ways_of(world, "a") == ["loaded", "patched"]


def test_a_file_that_comes_back_after_it_was_gone_is_a_handler_again(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": None})
    world.save({"a.py": "exports = 2\n"})
    assert world.value("dict(hot.handlers)") == {"a": 2}
    assert ways_of(world, "a") == ["loaded", "dropped", "loaded"]


def test_a_file_that_came_back_is_followed(world: World) -> None:
    world.watch({"a.py": "value = 1\n"})
    world.save({"a.py": None})
    world.save({"a.py": "value = 2\n"})
    world.ok("import PKG.a as m")
    world.save({"a.py": "value = 3\n"})
    assert world.value("(m.value, hot.handlers.a.value)") == (3, 3)


def test_a_function_held_while_its_file_was_gone_follows_the_one_that_came_back(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.ok("from PKG.a import f\nheld = [f]")
    world.save({"a.py": None})
    world.save({"a.py": "def f():\n    return 2\n"})
    assert world.value("(f(), held[0]())") == (2, 2)


def test_a_subfolder_that_went_and_came_back_is_followed(world: World) -> None:
    world.watch({"sub/a.py": "exports = 1\n"})
    os.rename(world.folder / "sub", world.top / "outside")
    world.settle()
    assert world.handlers == []
    os.rename(world.top / "outside", world.folder / "sub")
    world.settle()
    assert world.handlers == ["sub.a"]
    world.save({"sub/a.py": "exports = 2\n"})
    assert world.value("hot.handlers['sub.a']") == 2


# -- 25, 26, 27: moves over several files


def test_a_renamed_file_changes_its_name_in_one_generation(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    os.rename(world.folder / "a.py", world.folder / "b.py")
    world.settle()
    assert world.value("hot.handlers.b") == 1
    assert "a" not in world.handlers
    together = "hot.history[-1].ways['PKG.a'].value, hot.history[-1].ways['PKG.b'].value"
    assert world.value(f"({together})") == ("dropped", "loaded")


def test_a_renamed_subfolder_renames_its_handlers(world: World) -> None:
    world.watch({"old/a.py": "exports = 1\n", "old/b.py": "exports = 2\n"})
    os.rename(world.folder / "old", world.folder / "new")
    world.settle()
    assert world.handlers == ["new.a", "new.b"]


def test_a_file_renamed_over_another_takes_its_place(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 2\n"})
    os.rename(world.folder / "a.py", world.folder / "b.py")
    world.settle()
    assert world.handlers == ["b"]
    assert world.value("hot.handlers.b") == 1


def test_a_renamed_file_that_is_imported_goes_live_with_its_importer(world: World) -> None:
    world.watch(IMPORTED)
    os.rename(world.folder / "a.py", world.folder / "renamed.py")
    world.write({"b.py": "from PKG.renamed import f\n\ndef call():\n    return f() + 1\n"})
    world.settle()
    assert world.handlers == ["b", "renamed"]
    assert world.value("hot.handlers.b.call()") == 2
    assert world.errors == {}


MOVE = {
    "a.py": "",
    "b.py": "def f():\n    return 'b'\n",
    "main.py": "from PKG.b import f\n\ndef call():\n    return f()\n",
}


@pytest.mark.parametrize("order", list(itertools.permutations(MOVE)), ids=" ".join)
def test_a_function_moved_to_another_file_is_never_absent(world: World, order: tuple[str, ...]) -> None:
    world.watch(
        {
            "a.py": "def f():\n    return 'a'\n",
            "b.py": "",
            "main.py": "from PKG.a import f\n\ndef call():\n    return f()\n",
        },
    )
    for name in order:
        assert world.value("hot.handlers.main.call()") in {"a", "b"}
        world.save({name: MOVE[name]})
    assert world.value("hot.handlers.main.call()") == "b"
    assert world.value("hasattr(hot.handlers.a, 'f')") is False
    assert world.errors == {}


def test_a_file_saved_before_what_it_needs_waits_and_then_goes_live(world: World) -> None:
    world.watch({"a.py": "value = 1\n", "b.py": "from PKG.a import value\n"})
    world.save({"b.py": "from PKG.a import value, other\n"})
    assert sorted(world.errors) == ["b"]
    world.save({"a.py": "value = 2\nother = 3\n"})
    assert world.value("(hot.handlers.b.value, hot.handlers.b.other)") == (2, 3)
    assert world.errors == {}


def test_a_new_file_saved_before_the_file_it_imports_goes_live_with_it(world: World) -> None:
    world.watch()
    world.save({"b.py": "from PKG.a import value\nexports = value\n"})
    assert world.errors["b"].startswith("ModuleNotFoundError")
    assert world.handlers == []
    world.save({"a.py": "value = 1\n"})
    assert world.handlers == ["a", "b"]
    assert world.errors == {}


def test_a_file_that_waits_for_a_subfolder_goes_live_with_it(world: World) -> None:
    world.watch({"b.py": "from PKG.sub.deep.a import value\nexports = value\n"})
    assert sorted(world.errors) == ["b"]
    world.write({"sub/deep/a.py": "value = 1\n"})
    world.settle()
    assert world.value("hot.handlers.b") == 1
    assert world.errors == {}


# -- 28: file and folder of one name


def test_a_file_that_becomes_a_package_keeps_its_handler(world: World) -> None:
    world.watch({"a.py": "exports = 'file'\n"})
    world.write({"a/__init__.py": "from .inner import exports\n", "a/inner.py": "exports = 'package'\n", "a.py": None})
    world.settle()
    assert world.handlers == ["a", "a.inner"]
    assert world.value("hot.handlers['a']") == "package"
    assert world.errors == {}


def test_a_package_that_becomes_a_file_keeps_its_handler(world: World) -> None:
    world.watch({"a/__init__.py": "from .inner import exports\n", "a/inner.py": "exports = 'package'\n"})
    world.write({"a.py": "exports = 'file'\n"})
    shutil.rmtree(world.folder / "a")
    world.settle()
    assert world.value("{n: v for n, v in hot.handlers.items() if not n.startswith('probe_')}") == {"a": "file"}
    assert world.errors == {}


def test_importers_follow_a_file_that_becomes_a_package_and_back(world: World) -> None:
    world.watch(IMPORTED)
    (world.folder / "a.py").unlink()
    world.write({"a/__init__.py": "def f():\n    return 'package'\n"})
    world.settle()
    assert world.value("hot.handlers.b.call()") == "package"
    shutil.rmtree(world.folder / "a")
    world.write({"a.py": "def f():\n    return 'file'\n"})
    world.settle()
    assert world.value("hot.handlers.b.call()") == "file"
    assert world.errors == {}


def test_a_file_that_becomes_a_folder_of_files_gives_way_to_them(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    (world.folder / "a.py").unlink()
    world.write({"a/b.py": "exports = 2\n"})
    world.settle()
    assert world.handlers == ["a.b"]
    assert world.value("hot.handlers.a.b") == 2


def test_a_folder_named_like_a_python_file_is_no_handler(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    (world.folder / "a.py").unlink()
    (world.folder / "a.py").mkdir()
    world.settle()
    assert world.handlers == []
    (world.folder / "a.py").rmdir()
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


# -- 30: folders that cannot be watched


def test_watching_a_missing_folder_says_so(world: World) -> None:
    output = world.run("%hotwatch no_such_folder")
    assert "no_such_folder: there is no such folder" in output.text + output.traceback


def test_watching_a_file_says_that_it_is_no_folder(world: World) -> None:
    world.write({"a.py": ""})
    output = world.run("%hotwatch PKG/a.py")
    assert "it is no folder" in output.text + output.traceback


def test_watching_a_folder_named_like_an_importable_module_says_so(world: World) -> None:
    (world.top / "json").mkdir()
    output = world.run("%hotwatch json")
    assert "'json', already means another module" in output.text + output.traceback


def test_watching_a_missing_folder_leaves_the_watched_one_alone(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.run("%hotwatch no_such_folder")
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


# -- 34: files that are none of ours


@pytest.mark.parametrize(
    "name",
    [
        ".a.py.swp",
        "a.py~",
        "#a.py#",
        ".#a.py",
        ".a.py",
        "a.py.bak",
        "a.pyc",
        "a.txt",
        "4913",
        ".goutputstream-X1Y2Z3",
        "__pycache__/a.py",
        ".ipynb_checkpoints/a-checkpoint.py",
        ".git/a.py",
        "__main__.py",
    ],
)
def test_a_file_that_is_no_module_is_ignored(world: World, name: str) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.write({name: "this is no Python\n"})
    world.settle()
    assert world.handlers == ["a"]
    assert world.errors == {}
    assert ways_of(world, "a") == ["loaded"]


def test_an_emacs_lock_that_leads_nowhere_is_ignored(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    os.symlink("user@host.1234:5678", world.folder / ".#a.py")
    world.save({"a.py": "exports = 2\n"})
    (world.folder / ".#a.py").unlink()
    world.settle()
    assert world.handlers == ["a"]
    assert world.errors == {}


def test_files_that_are_no_modules_are_ignored_when_they_are_there_from_the_start(world: World) -> None:
    broken = "this is no Python\n"
    world.watch({"a.py": "exports = 1\n", ".a.py": broken, "#a.py": broken, "__pycache__/b.py": broken, ".git/c.py": broken})
    assert world.handlers == ["a"]
    assert world.errors == {}


# -- 35: unusual names


@pytest.mark.parametrize("stem", ["my file", "[x]", "a-b", "1st", "größe", "数据", "class", "it's"])
def test_a_file_with_an_unusual_name_is_a_handler_and_is_followed(world: World, stem: str) -> None:
    world.watch()
    world.save({f"{stem}.py": "exports = 1\n"})
    assert world.value("dict(hot.handlers)") == {stem: 1}
    world.save({f"{stem}.py": "exports = 2\n"})
    assert world.value("dict(hot.handlers)") == {stem: 2}


@pytest.mark.parametrize("stem", ["keys", "items", "get", "pop", "update", "copy"])
def test_a_file_named_like_a_mapping_method_is_reached_by_item(world: World, stem: str) -> None:
    world.watch({f"{stem}.py": "exports = 1\n"})
    assert world.value(f"hot.handlers[{stem!r}]") == 1
    assert world.value(f"callable(hot.handlers.{stem})") is True


def test_a_name_with_a_dot_is_no_module_and_disturbs_nobody(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.c.py": "exports = 2\n"})
    world.save({"a.py": "exports = 3\n"})
    assert world.value("dict(hot.handlers)") == {"a": 3}
    assert world.errors == {}
    told = "b.c.py: no import can name a file with a dot in its name"
    assert told in world.ok("%hot status").text
    (world.folder / "b.c.py").rename(world.folder / "b_c.py")
    world.ok("hot.wait(lambda: 'b_c' in hot.handlers)")
    world.kernel.wait_for_panel("b_c")


def test_a_file_in_a_folder_with_an_unusual_name_is_a_handler(world: World) -> None:
    world.watch()
    world.save({"my folder/a b.py": "exports = 1\n"})
    assert world.value("hot.handlers['my folder.a b']") == 1


def test_a_rename_that_changes_only_the_case_is_followed(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    os.rename(world.folder / "a.py", world.folder / "A.py")
    world.settle()
    assert world.handlers == ["A"]
    assert world.value("hot.handlers.A") == 1


# -- 36, 37: broken and empty files


def test_a_broken_file_that_nobody_imports_does_not_hold_back_the_others_at_the_start(world: World) -> None:
    world.watch({"broken.py": "def f(:\n", "a.py": "exports = 1\n"})
    assert world.value("dict(hot.handlers)") == {"a": 1}
    assert sorted(world.errors) == ["broken"]


def test_a_broken_file_that_nobody_imports_does_not_hold_back_later_edits(world: World) -> None:
    world.watch({"broken.py": "def f(:\n", "a.py": "exports = 1\n"})
    world.save({"a.py": "exports = 2\n"})
    assert world.value("dict(hot.handlers)") == {"a": 2}


def test_a_file_that_breaks_while_another_is_saved_does_not_hold_it_back(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    world.write({"b.py": "1 / 0\n", "a.py": "exports = 2\n"})
    world.settle()
    assert world.value("(hot.handlers.a, hot.handlers.b)") == (2, 1)
    assert world.errors == {"b": "ZeroDivisionError: division by zero"}


def test_a_broken_file_that_is_deleted_is_no_error_any_more(world: World) -> None:
    world.watch({"broken.py": "def f(:\n", "a.py": "exports = 1\n"})
    world.save({"broken.py": None})
    assert world.errors == {}
    assert world.handlers == ["a"]


def test_an_emptied_file_loses_what_it_defined(world: World) -> None:
    world.watch({"a.py": "def f():\n    return 1\n"})
    world.save({"a.py": ""})
    assert world.value("hasattr(hot.handlers.a, 'f')") is False
    assert world.errors == {}


def test_an_emptied_file_whose_names_are_imported_is_rejected(world: World) -> None:
    world.watch(IMPORTED)
    world.save({"a.py": ""})
    assert sorted(world.errors) == ["a", "b"]
    assert world.value("hot.handlers.b.call()") == 1


def test_an_emptied_file_with_its_text_back_heals(world: World) -> None:
    world.watch(IMPORTED)
    world.save({"a.py": ""})
    world.save({"a.py": IMPORTED["a.py"]})
    assert world.errors == {}
    assert world.value("hot.handlers.b.call()") == 1
