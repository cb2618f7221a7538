"""A file that brings its reader down is a sentence for one person, and the next file is read."""

from __future__ import annotations

import os
import signal

import pytest

from pages.ui.data import reading
from pages.ui.data.readers import apart
from pages.ui.data.readers.base import ReadError, ReadOptions, ReadResult
from tests.pages import files


def falls(name: str, content: bytes, asked: ReadOptions) -> ReadResult:
    """What a damaged file has done to a library."""
    os.kill(os.getpid(), signal.SIGSEGV if hasattr(signal, "SIGSEGV") else signal.SIGTERM)
    raise AssertionError


def test_a_reader_that_falls_is_a_sentence_and_the_next_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = files.pupils_sav()
    with monkeypatch.context() as patched:
        patched.setattr(reading, "read", falls)
        with pytest.raises(ReadError, match=r"The file is damaged: reading it broke off\."):
            apart.read("x.sav", content, ReadOptions())
    result = apart.read("x.sav", content, ReadOptions(codes=True))
    assert result.frame.equals(reading.read("x.sav", content).frame)
    assert result.labels == reading.read("x.sav", content).labels
    assert result.options.codes


def test_a_refusal_comes_back_whole() -> None:
    content = files.xlsx(("A", []), ("B", [["x"], [1]]))
    with pytest.raises(ReadError, match="is blank") as caught:
        apart.read("x.xlsx", content, ReadOptions(sheet="A"))
    assert (caught.value.kind, caught.value.sheets) == ("workbook", ("A", "B"))


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", files.parquet(files.PUPILS)])
def test_text_and_parquet_are_read_here(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_running", lambda: pytest.fail("another process was asked"))
    assert len(apart.read("x", content, ReadOptions()).frame)
