"""Bytes and the text in them."""

import importlib.util
import os
from pathlib import Path

import pytest

from ipyhot.core.sources import contents, text_of

TEXTS = [
    b"",
    b"x = 1\n",
    b"x = 1\r\ny = 2\r",
    b"\xef\xbb\xbfx = 1\n",
    "x = 'é'\n".encode(),
    "# coding: latin-1\nx = 'é'\n".encode("latin-1"),
    b"# coding: utf-7\nx = '+AGEA4Q-'\n",
    b"x = '\0'\n",
    b"# coding: ascii\r\nx = 1\r\n",
]


@pytest.mark.parametrize("data", TEXTS, ids=range(len(TEXTS)))
def test_a_text_is_what_python_reads(data: bytes) -> None:
    assert text_of(data) == importlib.util.decode_source(data)


@pytest.mark.parametrize("data", [b"x = '\xe9'\n", b"# coding: nonsense\n", b"# coding: ascii\nx = '\xe9'\n"])
def test_bytes_that_are_no_text_are_an_error_as_they_are_for_python(data: bytes) -> None:
    with pytest.raises((SyntaxError, UnicodeDecodeError)) as expected:
        importlib.util.decode_source(data)
    with pytest.raises(expected.type):
        text_of(data)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 100])
def test_a_file_that_became_another_size_is_read_to_its_end(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.py").write_bytes(b"0123456789")
    file = os.open(tmp_path / "a.py", os.O_RDONLY)
    try:
        assert contents(file, size) == b"0123456789"
    finally:
        os.close(file)
