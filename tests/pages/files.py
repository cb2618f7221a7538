"""Files as people have them, made for the tests: workbooks, files of statistics programs, archives."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import openpyxl
import pandas as pd
import pyreadstat
import xlwt

PUPILS = pd.DataFrame(
    {
        "school": ["N", "N", "S", "S", "S", "W"],
        "sex": [1.0, 2.0, 2.0, 1.0, 2.0, 1.0],
        "mood": [1.0, 3.0, 7.0, 5.0, 7.0, 2.0],
        "income": [10.5, 98.0, 20.0, 99.0, None, 7.25],
        "born": pd.to_datetime(
            pd.Series(["2010-01-31", "1999-12-31", None, "2011-02-28", "2012-02-29", "1950-06-01"])
        ),
    }
)
SEX = {1: "male", 2: "female"}


def written(write: Callable[[str], object], suffix: str) -> bytes:
    """What `write` puts into the file whose path it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        write(str(path))
        return path.read_bytes()


def sav(frame: pd.DataFrame = PUPILS, suffix: str = ".sav", **how: Any) -> bytes:
    """An SPSS file."""
    return written(lambda path: pyreadstat.write_sav(frame, path, **how), suffix)


def pupils_sav(**how: Any) -> bytes:
    """An SPSS file with value labels, variable labels and values marked as missing."""
    return sav(
        PUPILS,
        variable_value_labels={"sex": SEX, "mood": {1: "never", 7: "always"}, "income": {98: "refused"}},
        column_labels={"sex": "Sex of the pupil", "income": "Income in thousands"},
        missing_ranges={"income": [98, 99]},
        **how,
    )


def stata(frame: pd.DataFrame = PUPILS, **how: Any) -> bytes:
    """A Stata file."""
    return written(lambda path: pyreadstat.write_dta(frame, path, **how), ".dta")


def portable(frame: pd.DataFrame) -> bytes:
    """An SPSS portable file."""
    return written(lambda path: pyreadstat.write_por(frame, path), ".por")


def transport(frame: pd.DataFrame, version: Literal[5, 8] = 5) -> bytes:
    """A SAS transport file."""
    return written(lambda path: pyreadstat.write_xport(frame, path, file_format_version=version), ".xpt")


def parquet(frame: pd.DataFrame, **how: Any) -> bytes:
    """A Parquet file."""
    file = io.BytesIO()
    frame.to_parquet(file, **how)
    return file.getvalue()


def xlsx(
    *sheets: tuple[str, Sequence[Sequence[object]]], change: Callable[[Any], None] | None = None
) -> bytes:
    """An Excel workbook; `change` may do to it what rows cannot say."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    if change:
        change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def xls(rows: Sequence[Sequence[object]]) -> bytes:
    """A workbook as Excel 97 wrote it."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    style = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell is not None:
                sheet.write(r, c, cell, *([style] if hasattr(cell, "year") else []))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


_ODS = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body>'
    "</office:document-content>"
)
_MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
    'manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet">'
    "{inside}</manifest:file-entry></manifest:manifest>"
)


def ods(rows: Sequence[Sequence[object]], *, encrypted: bool = False) -> bytes:
    """An OpenDocument spreadsheet."""
    body = "".join(
        f"<table:table-row>{''.join(_ods_cell(cell) for cell in row)}</table:table-row>" for row in rows
    )
    inside = "<manifest:encryption-data/>" if encrypted else ""
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": _ODS.format(rows=body).encode(),
            "META-INF/manifest.xml": _MANIFEST.format(inside=inside).encode(),
        }
    )


def _ods_cell(cell: object) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, int | float):
        return (
            f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p>'
            "</table:table-cell>"
        )
    return f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def gzipped(content: bytes) -> bytes:
    """A gzip file."""
    return gzip.compress(content, mtime=0)
