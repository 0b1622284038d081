"""A look at many files answers as the disk does."""

import os
from pathlib import Path

import pytest

from ipyhot.core.glance import Glance

QUESTIONS = {"is_folder": os.path.isdir, "is_file": os.path.isfile, "is_link": os.path.islink}


@pytest.fixture
def entries(tmp_path: Path) -> list[str]:
    """One of each thing that may stand in a folder, and nothing at all."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner").touch()
    os.symlink(tmp_path / "file", tmp_path / "to_file")
    os.symlink(tmp_path / "folder", tmp_path / "to_folder")
    os.symlink(tmp_path / "nothing", tmp_path / "to_nothing")
    os.symlink(tmp_path / "circle", tmp_path / "circle")
    os.mkfifo(tmp_path / "pipe")
    return [*map(str, tmp_path.iterdir()), str(tmp_path / "nothing"), str(tmp_path / "nothing" / "inner")]


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_answer_is_that_of_the_system_however_often_it_is_asked(entries: list[str], question: str) -> None:
    glance = Glance()
    for _ in range(20):
        assert [getattr(glance, question)(path) for path in entries] == [QUESTIONS[question](path) for path in entries]


def test_a_folder_that_much_is_asked_about_is_looked_at_once(tmp_path: Path) -> None:
    glance = Glance()
    assert not any(glance.is_file(str(tmp_path / "a.py")) for _ in range(20))
    (tmp_path / "a.py").touch()
    assert not glance.is_file(str(tmp_path / "a.py"))
    assert Glance().is_file(str(tmp_path / "a.py"))


def test_a_folder_with_very_many_files_is_not_listed_for_a_few(tmp_path: Path) -> None:
    for index in range(1000):
        (tmp_path / f"{index}.py").touch()
    glance = Glance()
    assert not any(glance.is_file(str(tmp_path / "a.py")) for _ in range(20))
    (tmp_path / "a.py").touch()
    assert glance.is_file(str(tmp_path / "a.py"))
