"""Bytes of a text table → a frame of text columns and plain notes. Pure: no Streamlit, no evaluation.

Rectangular files go through pyarrow; anything irregular (ragged rows, runs of spaces, stray quotation marks)
goes through `csv`, which can tell the line.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from pages.ui.data import careful, sniffing

MAX_BYTES = 100 * 1024 * 1024
MAX_ROWS = 2_000_000
MAX_COLUMNS = 1_000
MAX_CELLS = 40_000_000


class ReadError(ValueError):
    """A file that is not a table this app can read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a file; None means: find out.

    separator : one character between values; ' ' stands for any run of spaces
    decimal   : '.' or ','
    thousands : the mark that groups digits, '' for none; never guessed
    encoding  : a Python codec name
    header    : whether the first row holds the column names
    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str = ""
    encoding: str | None = None
    header: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ReadResult:
    """A file as read: every column text, nothing typed yet.

    frame    : text columns with unique names
    options  : what was used, nothing left open
    notes    : what was changed or found, in plain sentences
    warnings : what a person should look at before going on
    """

    frame: pd.DataFrame
    options: ReadOptions
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read(content: bytes, asked: ReadOptions | None = None) -> ReadResult:
    """The table in a file of text.

    Raises ReadError when there is none, or none within the limits.
    """
    asked = asked or ReadOptions()
    text, codec, notes = _decoded(content, asked.encoding)
    text, skipped, declared, skip_notes = _without_preamble(text)
    separator = asked.separator or declared or sniffing.separator(text)
    first = sniffing.sample(text, separator)
    _check_first(first, separator)
    header = True if asked.header is None else asked.header
    columns, body_notes, body_warnings = _columns(text, separator, skipped, header, len(first[0]))
    names, name_notes = _names(columns, header)
    frame, trim_notes = _frame(columns, names, header)
    decimal, doubt = sniffing.decimal(first[header:], separator)
    options = replace(
        asked, separator=separator, decimal=asked.decimal or decimal, encoding=codec, header=header
    )
    doubts = [doubt] if doubt and asked.decimal is None and not asked.thousands else []
    warnings = [*_header_doubt(first, header, asked), *doubts, *body_warnings]
    return ReadResult(
        frame, options, (*notes, *skip_notes, *body_notes, *name_notes, *trim_notes), tuple(warnings)
    )


def _decoded(content: bytes, encoding: str | None) -> tuple[str, str, list[str]]:
    """The text, its codec and notes."""
    if len(content) > MAX_BYTES:
        size, limit = len(content) / 2**20, MAX_BYTES // 2**20
        raise ReadError(
            f"The file has {size:.0f} MB; the limit is {limit} MB. Leave out columns that you do not need."
        )
    if not content.strip():
        raise ReadError("The file is empty.")
    what = sniffing.foreign(content)
    if what:
        raise ReadError(what)
    codec, note = (encoding, None) if encoding else sniffing.encoding(content)
    try:
        text = content.decode(codec).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError) as err:
        raise ReadError(f"The file cannot be read as {codec.upper()}. Choose another encoding.") from err
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ReadError(
            f"The file has null bytes (first on line {line}): it is not plain text, or not in this encoding."
        )
    if not text.strip():
        raise ReadError("The file holds nothing but blanks.")
    return text, codec, [note] if note else []


def _without_preamble(text: str) -> tuple[str, int, str | None, list[str]]:
    """The text after a `sep=` line, blank lines and # comments; lines left out; declared mark; notes."""
    declared = sniffing.declared_separator(text)
    position = text.index("\n") + 1 if declared else 0
    comments = 0
    while position < len(text):
        end = text.find("\n", position) + 1 or len(text)
        line = text[position:end].strip()
        if line and not line.startswith("#"):
            break
        comments += bool(line)
        position = end
    notes = [f"{comments} comment lines before the table were left out."] if comments > 1 else []
    notes += ["One comment line before the table was left out."] if comments == 1 else []
    if position >= len(text):
        raise ReadError("The file holds only comments and blank lines.")
    return text[position:], text.count("\n", 0, position), declared, notes


def _check_first(first: list[list[str]], separator: str) -> None:
    if not first:
        raise ReadError("No row could be read. Check the separator and the quotation marks.")
    width = max(len(row) for row in first)
    if width > MAX_COLUMNS:
        raise ReadError(
            f"The table has {width:,} columns; the limit is {MAX_COLUMNS:,}. Keep the outcome, the groups "
            "and the predictors that you need."
        )


def _columns(
    text: str, separator: str, skipped: int, header: bool, width: int
) -> tuple[list[pa.ChunkedArray], list[str], list[str]]:
    """Text columns, the header row included; notes; warnings."""
    if separator != " " and text.count('"') % 2 == 0:
        try:
            table = _fast(text, separator, width)
            if table.num_columns == width:  # else pyarrow has typed the columns that were not foreseen
                return table.columns, [], []
        except pa.ArrowInvalid:
            pass  # an irregular file: the careful reader says where
    try:
        table = careful.read(text, separator, skipped, header)
    except careful.RaggedError as err:
        raise ReadError(str(err)) from err
    return [pa.chunked_array([column]) for column in table.columns], list(table.notes), list(table.warnings)


def _fast(text: str, separator: str, width: int) -> pa.Table:
    return arrow_csv.read_csv(
        io.BytesIO(text.encode("utf-8", "surrogatepass")),
        arrow_csv.ReadOptions(autogenerate_column_names=True, block_size=8 << 20),
        arrow_csv.ParseOptions(delimiter=separator, newlines_in_values='"' in text),
        arrow_csv.ConvertOptions(
            column_types={f"f{i}": pa.string() for i in range(width)}, strings_can_be_null=False
        ),
    )


def _names(columns: list[pa.ChunkedArray], header: bool) -> tuple[list[str], list[str]]:
    """Unique, non-empty names and what had to be changed."""
    if not header:
        return [f"column {i + 1}" for i in range(len(columns))], []
    names, notes = [], []
    given = [column[0].as_py().strip() for column in columns]
    times: Counter[str] = Counter()
    for position, name in enumerate(given, start=1):
        if not name:
            name = f"column {position}"
            notes.append(f"Column {position} has no name and is called “{name}”.")
        times[name] += 1
        unique = name
        while unique in names or (unique != name and unique in given):
            times[name] += unique != name
            unique = f"{name} ({max(times[name], 2)})"
        if unique != name:
            notes.append(f"The name “{name}” occurs more than once; column {position} is called “{unique}”.")
        names.append(unique)
    return names, notes


def _frame(columns: list[pa.ChunkedArray], names: list[str], header: bool) -> tuple[pd.DataFrame, list[str]]:
    """The rows as text, blanks around values removed, an unnamed empty last column left out."""
    bodies = [column.slice(1) if header else column for column in columns]
    n_rows = len(bodies[0])
    if n_rows == 0:
        raise ReadError("The file has column names but no rows. If its only line is data, say so below.")
    if n_rows > MAX_ROWS or n_rows * len(bodies) > MAX_CELLS:
        raise ReadError(
            f"The table has {n_rows:,} rows and {len(bodies):,} columns; the limits are {MAX_ROWS:,} rows "
            f"and {MAX_CELLS:,} cells. Leave out columns that you do not need, or take some of the groups."
        )
    trimmed = [pc.utf8_trim_whitespace(body) for body in bodies]
    touched = [name for name, a, b in zip(names, bodies, trimmed, strict=True) if not a.equals(b)]
    notes = [f"Spaces around values were removed in {_listed(touched)}."] if touched else []
    if (
        header
        and len(names) > 1
        and names[-1] == f"column {len(names)}"
        and not pc.any(pc.not_equal(trimmed[-1], "")).as_py()
    ):
        names, trimmed = names[:-1], trimmed[:-1]
        notes.append("Every line ends with a separator; the empty last column was left out.")
    return pd.DataFrame({name: _series(column) for name, column in zip(names, trimmed, strict=True)}), notes


def _series(column: pa.ChunkedArray) -> pd.Series:
    text: pd.Series = column.to_pandas()
    return text


def _header_doubt(first: list[list[str]], header: bool, asked: ReadOptions) -> list[str]:
    if asked.header is None and header and sniffing.all_numbers(first[0]):
        return [
            "The first row holds only numbers. If it is data, switch “First row holds the names” off under "
            "“How the file was read”."
        ]
    return []


def _listed(names: list[str], most: int = 5) -> str:
    """Names in quotation marks, the first few of many."""
    shown = ", ".join(f"“{name}”" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more columns"
