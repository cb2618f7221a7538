"""A file that brings its reader down is a sentence for one person, and the next file is read."""

from __future__ import annotations

import io
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from pages.ui.data import reading
from pages.ui.data.readers import apart
from pages.ui.data.readers.base import ReadError, ReadOptions, ReadResult
from tests.pages import files


def falls(name: str, content: bytes, asked: ReadOptions) -> ReadResult:
    """What a damaged file has done to a library."""
    os.kill(os.getpid(), signal.SIGSEGV if hasattr(signal, "SIGSEGV") else signal.SIGTERM)
    raise AssertionError


def waits(begun: str, over: str) -> str:
    """A long reading: says that it has begun, and goes on until it may end."""
    Path(begun).touch()
    while not Path(over).exists():
        time.sleep(0.01)
    return "read"


def test_a_reader_that_falls_is_a_sentence_and_the_next_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = files.pupils_sav()
    with monkeypatch.context() as patched:
        patched.setattr(apart, "_bearable", falls)
        with pytest.raises(ReadError, match=r"The file is damaged: reading it broke off\."):
            apart.read("x.sav", content, ReadOptions())
    result = apart.read("x.sav", content, ReadOptions(codes=True))
    assert result.frame.equals(reading.read("x.sav", content).frame)
    assert result.labels == reading.read("x.sav", content).labels
    assert result.options.codes


@pytest.mark.parametrize("how", ["falls", "ended"])
def test_a_sound_file_is_read_whatever_another_person_opens_beside_it(how: str, tmp_path: Path) -> None:
    """A process that falls, or is ended because it takes too long, takes its neighbour with it."""
    begun, over = str(tmp_path / "begun"), str(tmp_path / "over")
    with ThreadPoolExecutor(1) as person:
        sound = person.submit(apart.run, waits, begun, over)
        while not Path(begun).exists():
            time.sleep(0.01)
        if how == "falls":
            with pytest.raises(apart.BrokenOffError):
                apart.run(falls, "x.sav", b"", ReadOptions())
        else:
            apart._end(apart._running())
        Path(over).touch()
        assert sound.result(60) == "read"
    assert apart.run(len, "abc") == 3


def test_too_long_a_reading_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apart, "PATIENCE", 0.01)
    with pytest.raises(apart.BrokenOffError):
        apart.run(waits, str(tmp_path / "begun"), str(tmp_path / "over"))


def test_a_table_that_unpacks_to_more_than_the_server_can_bear_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Parquet that says one text again and again declares, and is, almost nothing."""
    rows = np.zeros(500_000, dtype=np.int32)
    table = pa.table({"s": pa.DictionaryArray.from_arrays(pa.array(rows), pa.array(["x" * 100]))})
    file = io.BytesIO()
    parquet.write_table(table, file, store_schema=False)
    assert len(file.getvalue()) < 10_000
    monkeypatch.setattr(apart, "MOST_HELD", 2**24)
    with pytest.raises(ReadError, match=r"GB of memory, which is too much"):
        apart._bearable("x.parquet", file.getvalue(), ReadOptions())


def test_a_refusal_comes_back_whole() -> None:
    content = files.xlsx(("A", []), ("B", [["x"], [1]]))
    with pytest.raises(ReadError, match="is blank") as caught:
        apart.read("x.xlsx", content, ReadOptions(sheet="A"))
    assert (caught.value.kind, caught.value.sheets) == ("workbook", ("A", "B"))


def test_text_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_running", lambda: pytest.fail("another process was asked"))
    assert len(apart.read("x", b"a,b\n1,2\n", ReadOptions()).frame)
