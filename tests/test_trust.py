"""Files are executed, so those that others may write are refused, by name."""

import os
from pathlib import Path

import pytest
from conftest import Files, World

from ipyhot.core.trust import doubt

NOBODY = 65534


def test_a_folder_that_everybody_may_write_is_refused(world: World) -> None:
    world.write({"a.py": "exports = 1\n"})
    world.folder.chmod(0o777)
    output = world.run("%hotwatch ./PKG")
    told = output.text + output.traceback
    assert f"{world.package} may be written by everybody" in told
    assert "--trust overrides it" in told
    assert world.handlers == []


def test_a_folder_of_everybody_is_watched_if_it_is_trusted(world: World) -> None:
    world.write({"a.py": "exports = 1\n"})
    world.folder.chmod(0o777)
    (world.folder / "a.py").chmod(0o666)
    world.ok("%hotwatch ./PKG --trust")
    assert world.value("hot.handlers.a") == 1
    world.save({"a.py": "exports = 2\n"})
    assert world.value("hot.handlers.a") == 2


def test_a_file_that_everybody_may_write_is_refused_and_the_others_are_not(world: World) -> None:
    world.write({"a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    (world.folder / "a.py").chmod(0o646)
    world.watch()
    assert world.handlers == ["b"]
    assert "is not trusted" in world.errors["a"]
    assert "a.py may be written by everybody" in world.errors["a"]
    assert "--trust" in world.errors["a"]


def test_a_file_that_becomes_everybodys_is_refused_until_it_no_longer_is(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    (world.folder / "a.py").write_text("exports = 2\n")
    world.ok("hot.wait(lambda: hot.handlers.a == 2)")
    (world.folder / "a.py").chmod(0o666)
    (world.folder / "a.py").write_text("exports = 3\n")
    world.ok("hot.wait(lambda: 'a' in hot.errors)")
    assert world.value("hot.handlers.a") == 2
    (world.folder / "a.py").chmod(0o644)
    world.ok("hot.wait(lambda: hot.handlers.a == 3)")
    assert world.errors == {}


def test_a_folder_that_is_no_longer_everybodys_is_trusted_without_another_save(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "sub/b.py": "exports = 1\n"})
    (world.folder / "sub").chmod(0o777)
    (world.folder / "sub" / "b.py").write_text("exports = 2\n")
    world.ok("hot.wait(lambda: 'sub.b' in hot.errors)")
    (world.folder / "sub").chmod(0o755)
    world.ok("hot.wait(lambda: hot.handlers.sub.b == 2)")
    assert world.errors == {}


def test_an_import_of_a_file_that_is_not_trusted_says_why(world: World) -> None:
    world.write({"a.py": "exports = 1\n"})
    (world.folder / "a.py").chmod(0o666)
    world.watch(options="--load imported")
    output = world.run("import PKG.a")
    assert output.error == "ImportError"
    assert "may be written by everybody" in output.traceback


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(world: World) -> None:
    world.write({"a.py": "exports = 1\n"})
    os.chown(world.folder / "a.py", NOBODY, NOBODY)
    world.watch()
    assert f"belongs to another user (number {NOBODY})" in world.errors["a"]


def look(path: Path, root: Path) -> str | None:
    return doubt(str(path), str(root), path.stat())


def test_a_folder_between_the_file_and_the_watched_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "deep" / "a.py"
    path.parent.mkdir(parents=True)
    path.touch()
    assert look(path, tmp_path) is None
    (tmp_path / "sub").chmod(0o777)
    assert look(path, tmp_path) == f"{tmp_path / 'sub'} may be written by everybody"


def test_a_folder_above_the_watched_one_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "above" / "hots" / "a.py"
    path.parent.mkdir(parents=True)
    path.touch()
    (tmp_path / "above").chmod(0o1777)
    assert look(path, tmp_path / "above" / "hots") is None


@pytest.mark.parametrize("what", ["the file", "its folder"])
def test_what_a_link_leads_to_counts(tmp_path: Path, what: str) -> None:
    (tmp_path / "hots").mkdir()
    (tmp_path / "outside").mkdir()
    target = tmp_path / "outside" / "a.py"
    target.touch()
    os.symlink(target, tmp_path / "hots" / "a.py")
    assert look(tmp_path / "hots" / "a.py", tmp_path / "hots") is None
    (target if what == "the file" else target.parent).chmod(0o777)
    told = look(tmp_path / "hots" / "a.py", tmp_path / "hots")
    assert told is not None
    assert str(tmp_path / "outside") in told


def test_a_link_counts_although_its_folder_was_trusted_for_the_file_before(tmp_path: Path, files: Files) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.py").write_text("exports = 1\n")
    outside.chmod(0o777)
    os.symlink(outside / "b.py", files.folder / "b.py")
    files.start(a="exports = 1\n", c="exports = 1\n")
    assert files.failures == {"b"}
    assert f"{outside} may be written by everybody" in files.engine.failures[f"{files.package}.b"].summary


def test_a_folder_that_everybody_may_write_counts_for_each_of_its_files(files: Files) -> None:
    files.write(p__a="exports = 1\n", p__b="exports = 1\n", q__c="exports = 1\n")
    (files.folder / "p").chmod(0o777)
    files.start()
    assert files.failures == {"p.a", "p.b"}


def test_what_lies_in_a_linked_folder_counts(tmp_path: Path) -> None:
    (tmp_path / "hots").mkdir()
    (tmp_path / "outside" / "sub").mkdir(parents=True)
    (tmp_path / "outside" / "sub" / "a.py").touch()
    os.symlink(tmp_path / "outside", tmp_path / "hots" / "link")
    path = tmp_path / "hots" / "link" / "sub" / "a.py"
    assert look(path, tmp_path / "hots") is None
    (tmp_path / "outside" / "sub").chmod(0o777)
    assert look(path, tmp_path / "hots") == f"{tmp_path}/hots/link/sub may be written by everybody"


def test_what_comes_from_a_file_is_escaped_in_the_panel(world: World) -> None:
    world.watch({"<b>.py": "raise ValueError('<script>alert(1)</script>')\n"})
    shown = [display["data"]["text/html"] for display in world.ok(f"%hotwatch {world.folder}").displays]
    assert shown
    assert not any("<script>" in html or "<b>.py" in html for html in shown)
