"""Reading a table row by row, for files that are not rectangular: slow, but it knows the line. Pure."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from itertools import zip_longest

import pyarrow as pa

from pages.ui.data.readers import sniffing


class RaggedError(ValueError):
    """Rows that cannot be laid under the header; the message names the line."""


@dataclass(frozen=True, slots=True)
class Table:
    """columns : text arrays, the header's cell first; notes and warnings in plain sentences."""

    columns: tuple[pa.Array, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tally:
    """What was mended on the way."""

    short: list[int] = field(default_factory=list)
    comments: int = 0
    notes: list[str] = field(default_factory=list)


def read(text: str, separator: str, skipped: int, header: bool) -> Table:
    """All rows as columns of text.

    skipped : lines of the file before `text`, for line numbers
    Raises RaggedError for a row that has more values than there are columns, and for an open quotation mark.
    """
    rows = _rows(text, separator, skipped)
    tally = _Tally()
    width = _width(rows, header, tally)
    even = [fixed for line, row in rows if (fixed := _fitted(row, line, width, tally)) is not None]
    columns = tuple(pa.array(column, pa.string()) for column in zip_longest(*even, fillvalue=""))
    if tally.comments:
        lines = "line was" if tally.comments == 1 else "lines were"
        tally.notes.append(f"{tally.comments} comment {lines} left out.")
    return Table(columns, tuple(tally.notes), _warnings(tally, width))


def _rows(text: str, separator: str, skipped: int) -> list[tuple[int, list[str]]]:
    """(line of the file on which the row begins, values), blank lines left out."""
    reader = sniffing.rows_of(text, separator)
    rows, begins = [], skipped + 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row) or len(row) > 1:
                rows.append((begins, row))
            begins = skipped + reader.line_num + 1
    except csv.Error as err:
        raise RaggedError(
            f"Line {begins} cannot be read: a value is far too long. Check its quotation marks."
        ) from err
    begins, last = rows[-1]
    if text.count('"') % 2 and any("\n" in cell for cell in last):
        raise RaggedError(f"A quotation mark is opened on line {begins} and never closed.")
    return rows


def _width(rows: list[tuple[int, list[str]]], header: bool, tally: _Tally) -> int:
    """The number of columns, after row names without a heading or a separator at each line's end."""
    first = rows[0][1]
    body = [row for _, row in rows[1:] if not row[0].lstrip().startswith("#")]
    # One row that is too long is a slip; a heading that is too short for every row is a habit.
    if not header or not body or any(len(row) != len(first) + 1 for row in body):
        return len(first)
    if not any(row[-1].strip() for row in body):
        tally.notes.append("Every line ends with a separator; the empty last value was left out.")
        return len(first)
    first.insert(0, "row")
    tally.notes.append(
        "The heading has one name fewer than the rows have values; the first column is called “row”."
    )
    return len(first)


def _fitted(row: list[str], line: int, width: int, tally: _Tally) -> list[str] | None:
    """The row with exactly `width` values; None for a comment."""
    if len(row) == width:
        return row
    if row[0].lstrip().startswith("#"):
        tally.comments += 1
        return None
    if len(row) < width:
        tally.short.append(line)
        return row + [""] * (width - len(row))
    if any(cell.strip() for cell in row[width:]):
        raise RaggedError(
            f"Line {line} has {len(row)} values where the table has {width} columns. Check the separator, "
            "and put values that contain it into quotation marks."
        )
    return row[:width]


def _warnings(tally: _Tally, width: int) -> tuple[str, ...]:
    if not tally.short:
        return ()
    lines = ", ".join(str(line) for line in tally.short[:5]) + (", …" if len(tally.short) > 5 else "")
    many = f"{len(tally.short):,} lines have" if len(tally.short) > 1 else "One line has"
    return (
        f"{many} fewer values than the {width} columns (line {lines}); the last ones were taken as missing.",
    )
