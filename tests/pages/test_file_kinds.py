"""A file is what its content shows, whatever its name says; what cannot be read is said in a sentence."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui.data.readers import archive, base
from pages.ui.data.reading import ReadError, read
from tests.pages import files

SIMPLE = pd.DataFrame({"g": ["a", "b"], "y": [1.5, 2.5]})
ROWS = [["g", "y"], ["a", 1.5], ["b", 2.5]]
CSV = b"g,y\na,1.5\nb,2.5\n"
EVERY_KIND = {
    "csv": (CSV, "text"),
    "csv in gzip": (files.gzipped(CSV), "text"),
    "csv in zip": (files.zipped({"a/data.csv": CSV, "__MACOSX/a/._data.csv": b"x"}), "text"),
    "xlsx": (files.xlsx(("S", ROWS)), "workbook"),
    "xls": (files.xls(ROWS), "workbook"),
    "ods": (files.ods(ROWS), "workbook"),
    "parquet": (files.parquet(SIMPLE), "parquet"),
    "sav": (files.sav(SIMPLE), "spss"),
    "zsav": (files.sav(SIMPLE, ".zsav", compress=True), "spss"),
    "por": (files.portable(SIMPLE), "portable"),
    "dta": (files.stata(SIMPLE), "stata"),
    "dta of 2003": (files.stata(SIMPLE, version=8), "stata"),
    "xpt 5": (files.transport(SIMPLE, 5), "transport"),
    "xpt 8": (files.transport(SIMPLE, 8), "transport"),
}
every_kind = pytest.mark.parametrize("content, kind", EVERY_KIND.values(), ids=EVERY_KIND)


def sentence(content: bytes, name: str = "file") -> str:
    with pytest.raises(ReadError) as caught:
        read(name, content)
    assert str(caught.value).endswith(".")
    return str(caught.value)


def table_or_sentence(content: bytes) -> pd.DataFrame | str:
    try:
        return read("file", content).frame
    except ReadError as err:
        return str(err)


@every_kind
@pytest.mark.parametrize("name", ["data", "data.csv", "data.xls", "data.sav"])
def test_a_file_is_what_its_content_says(content: bytes, kind: str, name: str) -> None:
    result = read(name, content)
    assert result.kind == kind
    assert [str(each).lower() for each in result.frame.columns] == ["g", "y"]
    assert result.frame.iloc[:, 0].tolist() == ["a", "b"]
    assert result.frame.iloc[:, 1].astype(float).tolist() == [1.5, 2.5]


@every_kind
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_short_is_a_sentence(content: bytes, kind: str, share: float) -> None:
    cut = content[: int(len(content) * share)]
    found = table_or_sentence(cut)
    # Text ends anywhere; some files keep only labels or padding at their end.
    assert isinstance(found, str) or kind in ("text", "transport", "portable") or share == 0.99


@every_kind
@settings(deadline=None, max_examples=15)
@given(noise=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_file_is_a_table_or_a_sentence(
    content: bytes, kind: str, noise: list[tuple[float, int]]
) -> None:
    damaged = bytearray(content)
    for place, byte in noise:
        damaged[int(place * (len(damaged) - 1))] = byte
    found = table_or_sentence(bytes(damaged))
    assert found.endswith(".") if isinstance(found, str) else found.columns.is_unique


@pytest.mark.parametrize(
    "content, part",
    [
        (files.zipped({"a.csv": b"a,b\n1,2\n", "b.csv": b"x"}), "holds 2 files: “a.csv”, “b.csv”"),
        (files.zipped({"empty.csv": b""}), "archive is empty"),
        (files.zipped({"data.sav": files.sav(SIMPLE)}), "holds no text"),
        (files.zipped({"inner.zip": files.zipped({"a.csv": b"a\n1\n"})}), "holds no text"),
        (files.gzipped(files.gzipped(CSV)), "holds no text"),
        (files.gzipped(CSV)[:-12], "cut short"),
        (b"\x1f\x8b\x08" + b"x" * 50, "damaged gzip"),
        (b"PK\x03\x04" + b"x" * 100, "damaged or cut-short zip"),
        (files.zipped({"word/document.xml": b"<w/>"}), "Word document"),
        (files.zipped({"ppt/presentation.xml": b"<p/>"}), "PowerPoint"),
        (files.zipped({"xl/workbook.bin": b"x"}), ".xlsb"),
        (files.zipped({"Index/Document.iwa": b"x"}), "Numbers document"),
        (
            files.zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}),
            "no spread",
        ),
        (files.zipped({"xl/workbook.xml": b"<not a workbook"}), "This is a workbook, but it is damaged"),
        (files.ods(ROWS, encrypted=True), "protected by a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "This is a workbook, but it is damaged"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + b"x" * 600,
            "protected by a password",
        ),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "saved as XML"),
        (b"<html><table><tr><td>1</td></tr></table>", "a web page"),
        (b"$FL2@(#) SPSS DATA FILE" + b"x" * 300, "This is an SPSS file, but it is damaged"),
        (b"<stata_dta><header><release>118</release>", "This is a Stata file, but it is damaged"),
        (b"PAR1\x00\x01\x02", "This is a Parquet file, but it is damaged"),
        (b"\x80\x04\x95\x10\x00\x00", "never opened here"),
        (b"RDX3\nX\n\x00\x00\x00\x03", "R workspace"),
        (files.gzipped(b"RDX3\nX\n\x00\x00\x00\x03"), "R workspace"),
    ],
)
def test_what_cannot_be_read_is_called_by_its_name(content: bytes, part: str) -> None:
    assert part in sentence(content)


def test_a_protected_archive_is_a_sentence() -> None:
    content = bytearray(files.zipped({"data.csv": CSV}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        content[content.index(mark) + (6 if mark == b"PK\x03\x04" else 8)] |= 1
    assert "protected by a password" in sentence(bytes(content))


# --- files made to fill the memory -----------------------------------------------------------------


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = b"0" * 3_000_000
    for module in (archive, base):
        monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    monkeypatch.setattr(archive, "MOST_UNPACKED", 1_000_000)
    assert "Unpacked" in sentence(files.gzipped(bomb))
    assert "Unpacked" in sentence(files.zipped({"a.csv": bomb}))
    assert "Unpacked" in sentence(
        files.zipped({"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": bomb})
    )


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    content = bytearray(files.zipped({"a.csv": CSV * 1000}))
    place = content.index(b"PK\x01\x02")
    content[place + 24 : place + 28] = (5).to_bytes(4, "little")
    assert "damaged" in sentence(bytes(content))


@pytest.mark.parametrize("corner", ["XFD1048576", "ZZZ2", "A99999999", "ALL1048576"])
def test_a_stray_cell_far_away_does_not_end_the_server(corner: str) -> None:
    """The workbook's library would lay out every cell up to it."""
    content = files.xlsx(("S", ROWS))
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        members = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = members[sheet].replace(b'r="B3"', f"r='{corner}'".encode())
    assert "stray cell" in sentence(files.zipped(members))


def test_a_sheet_of_many_columns_and_few_rows_is_no_bomb() -> None:
    names = [f"v{i}" for i in range(900)]
    assert read("wide.xlsx", files.xlsx(("S", [names, [1] * 900]))).frame.shape == (1, 900)


def test_the_limits_hold_for_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    many = pd.DataFrame({"x": np.arange(50.0)})
    monkeypatch.setattr(base, "MAX_ROWS", 49)
    for content in (
        files.sav(many),
        files.stata(many),
        files.portable(many),
        files.transport(many),
        files.parquet(many),
        files.xlsx(("S", [["x"], *([i] for i in range(50))])),
    ):
        assert "50 rows and 1 columns" in sentence(content)
