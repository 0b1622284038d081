"""What was compiled and compared ahead of an update: it is used if it still holds, and can never be seen."""

import importlib
import sys
import threading

import pytest
from conftest import Files

from ipyhot.core import outline
from ipyhot.core.model import Way

ONE = "import math\n\ndef f():\n    return 1\n\nclass K:\n    def g(self):\n        return 1\n"
TWO = ONE.replace("return 1", "return 2")


def prepare(files: Files, name: str, text: str) -> None:
    """Write a file and show it to the engine, which is not told yet that it is complete."""
    files.write(**{name: text})
    path = files.folder / (name + ".py")
    files.engine.prepare(f"{files.package}.{name}", str(path), path.read_bytes())


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that were compiled since."""
    found: list[str] = []
    original = outline.compile_piece
    monkeypatch.setattr(outline, "compile_piece", lambda piece, *a, **k: found.append(piece) or original(piece, *a, **k))
    return found


def test_what_was_prepared_goes_live_without_being_compiled_again(files: Files, compiled: list[str]) -> None:
    files.start(a=ONE)
    kept, kept_class = files["a"].f, files["a"].K
    prepare(files, "a", TWO)
    assert compiled
    compiled.clear()
    report = files.engine.update([f"{files.package}.a"])
    assert report.ways == {f"{files.package}.a": Way.PATCH}
    assert (kept(), kept_class().g()) == (2, 2)
    assert compiled == []


def test_what_was_prepared_cannot_be_seen(files: Files) -> None:
    files.start(a=ONE)
    before = dict(vars(files["a"]))
    prepare(files, "a", TWO)
    prepare(files, "b", "raise OSError\n")
    assert vars(files["a"]) == before
    assert files["a"].f() == 1
    assert f"{files.package}.b" not in sys.modules
    assert files.engine.generation == 1
    assert files.failures == set()


def test_what_was_prepared_of_another_text_is_not_used(files: Files) -> None:
    files.start(a=ONE)
    kept = files["a"].f
    prepare(files, "a", TWO)
    files.save(a=ONE.replace("return 1", "return 3"))
    assert kept() == 3


def test_what_was_prepared_for_a_version_that_is_live_no_more_is_not_used(files: Files) -> None:
    files.start(a=ONE)
    kept, kept_class = files["a"].f, files["a"].K
    prepare(files, "a", TWO)
    files.save(a="def f():\n    return 3\n")
    files.save(a=TWO)
    assert kept() == 2
    assert files["a"].K().g() == 2
    assert kept_class().g() == 2


def test_a_text_that_is_prepared_twice_is_the_newer_one(files: Files) -> None:
    files.start(a=ONE)
    prepare(files, "a", TWO)
    prepare(files, "a", ONE.replace("return 1", "return 3"))
    files.engine.update([f"{files.package}.a"])
    assert files["a"].f() == 3


def test_a_text_that_does_not_compile_is_told_when_it_was_to_go_live(files: Files) -> None:
    files.start(a=ONE)
    prepare(files, "a", "def f(:\n")
    prepare(files, "b", "def f(:\n")
    assert files.failures == set()
    files.engine.update([f"{files.package}.a", f"{files.package}.b"])
    assert files.failures == {"a", "b"}
    assert files["a"].f() == 1
    files.save(a=TWO, b=TWO)
    assert (files["a"].f(), files["b"].f()) == (2, 2)


def test_a_new_file_that_was_prepared_is_loaded_as_any_other(files: Files) -> None:
    files.start(a=ONE)
    prepare(files, "b", "from PKG.a import f\nVALUE = f()\n")
    files.engine.update([f"{files.package}.b"])
    assert files["b"].VALUE == 1
    files.save(a=TWO)
    assert files["b"].VALUE == 2


def test_nothing_is_prepared_while_a_file_is_loaded(files: Files, compiled: list[str]) -> None:
    import builtins

    files.start(a=ONE)
    builtins.show = lambda: prepare(files, "a", TWO)
    try:
        files.save(b="show()\n")
    finally:
        del builtins.show
    assert files.failures == set()
    assert not any("return 2" in piece for piece in compiled)


def test_an_import_that_comes_while_something_is_prepared_is_taken_up(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.start(a=ONE)
    files.write(b="VALUE = 1\n")
    original = files.engine._revisions.prepare

    def preparing(*given: object) -> None:
        thread = threading.Thread(target=importlib.import_module, args=[f"{files.package}.b"])
        thread.start()
        thread.join(10)
        original(*given)

    monkeypatch.setattr(files.engine._revisions, "prepare", preparing)
    prepare(files, "a", TWO)
    assert f"{files.package}.b" in files.engine.live
