"""Bytes of a text table → a frame of text columns and plain notes. Pure: no Streamlit, no evaluation.

Rectangular files go through pyarrow; anything irregular (ragged rows, runs of spaces, stray quotation marks)
goes through `csv`, which can tell the line.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from itertools import islice

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from pages.ui.data.readers import around as surroundings
from pages.ui.data.readers import base, careful, layout, sniffing
from pages.ui.data.readers.base import (
    MAX_COLUMNS,
    ReadError,
    ReadOptions,
    ReadResult,
    Recipe,
)

MOST_ABOVE = sniffing.SAMPLE_LINES * 2
"""Lines in which the names must stand, blank ones included."""


def read(content: bytes, asked: ReadOptions | None = None) -> ReadResult:
    """The table in a file of text.

    Raises ReadError when there is none, or none within the limits.
    """
    asked = asked or ReadOptions()
    text, codec, notes = _decoded(content, asked.encoding)
    text, skipped, declared, skip_notes = _without_preamble(text, asked.header_row)
    separator = asked.separator or declared or sniffing.separator(text)
    header = True if asked.header is None else asked.header
    above: list[str] = []
    if header and asked.header_row is None:
        text, skipped, above, skip_notes = _without_titles(text, separator, skipped, skip_notes)
    first = sniffing.sample(text, separator)
    _check_first(first, separator)
    columns, body_notes, body_warnings = _columns(text, separator, skipped, header, len(first[0]))
    names, name_notes = _names(columns, header, above)
    around = surroundings.found(columns, header, asked)
    bodies, blank_notes = _rows(columns, header + around.explained, around.below)
    frame, trimmed, trim_notes = _frame(bodies, names, header, spaced=_is_spaced(text, separator))
    marks, mark_notes, doubts = _marks(first[header:], separator, asked)
    options = replace(
        asked,
        separator=separator,
        decimal=marks[0],
        thousands=marks[1],
        encoding=codec,
        header=header,
        header_row=skipped + 1,
        explained=around.explained,
        below=around.below,
    )
    short = [] if around.below else body_warnings  # rows below the table are often short
    warnings = [*_header_doubt(first, header, asked), *doubts, *around.warnings(), *short]
    raw = [column[0].as_py() for column in columns] if header else []
    blank = _blank_lines(text, separator, skipped) if blank_notes else []
    out = _Out(skipped, (*range(skipped + 1, skipped + 1 + around.explained), *blank), len(frame))
    return ReadResult(
        frame,
        options,
        (
            *notes,
            *mark_notes,
            *skip_notes,
            *body_notes,
            *around.notes(),
            *blank_notes,
            *name_notes,
            *trim_notes,
        ),
        tuple(warnings),
        meanings={name: said for name, said in zip(names, around.meanings, strict=False) if said},
        recipe=Recipe(arguments=_arguments(options, out, raw, frame), trimmed=tuple(trimmed)),
    )


def _marks(
    rows: list[list[str]], separator: str, asked: ReadOptions
) -> tuple[tuple[str, str], list[str], list[str]]:
    """The decimal mark and that of thousands; notes; doubts."""
    decimal, doubt = sniffing.decimal(rows, separator)
    decimal = asked.decimal or decimal
    grouped = asked.thousands or sniffing.thousands(rows, decimal)
    notes = []
    if grouped and not asked.thousands:
        notes.append(
            f"“{grouped}” groups the digits of large numbers, as other numbers show, and was left out."
        )
    return (decimal, grouped), notes, [doubt] if doubt and asked.decimal is None and not grouped else []


@dataclass(frozen=True, slots=True)
class _Out:
    """What of the file is no row: lines above the names, lines below them, all but so many rows."""

    above: int
    lines: tuple[int, ...]
    rows: int


def _arguments(options: ReadOptions, out: _Out, raw: list[str], frame: pd.DataFrame) -> tuple[str, ...]:
    """What pandas must be told to read the same; it guesses the rest alike."""
    separator = r"\s+" if options.separator == " " else options.separator
    found = {"sep": separator} if separator != "," else {}
    found |= {"decimal": ","} if options.decimal == "," else {}
    found |= {"thousands": options.thousands} if options.thousands else {}
    plain = {"utf-8", "utf-8-sig"}
    found |= {"encoding": options.encoding} if options.encoding not in plain else {}
    given = [f"{key}={base.literal(value)}" for key, value in found.items()]
    if out.lines:
        given.append(f"skiprows={[*range(out.above), *out.lines]}")
    elif out.above:
        given.append(f"skiprows={out.above}")
    given += [f"nrows={out.rows}"] if options.below else []
    names = list(frame.columns)
    if raw != names:
        given += [f"header={0 if options.header else None}", f"names={base.literals(names)}"]
        # An unnamed last column that is empty is none.
        given += [f"usecols={list(range(len(names)))}"] if len(raw) > len(names) else []
    return tuple(given)


def _decoded(content: bytes, encoding: str | None) -> tuple[str, str, list[str]]:
    """The text, its codec and notes."""
    base.check_size(content)
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


def _without_preamble(text: str, row: int | None) -> tuple[str, int, str | None, list[str]]:
    """The text after a `sep=` line, blank lines and # comments; lines left out; declared mark; notes.

    row : the line on which the names stand, if that was said
    """
    declared = sniffing.declared_separator(text)
    position = _begin(text, row - 1) if row else text.index("\n") + 1 if declared else 0
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


def _begin(text: str, lines: int) -> int:
    """Where the text begins after so many lines; the last line at the latest."""
    position = 0
    for _ in range(lines):
        position = text.find("\n", position) + 1 or position
    return position


def _without_titles(
    text: str, separator: str, skipped: int, notes: list[str]
) -> tuple[str, int, list[str], list[str]]:
    """The text from the row of names on, lines left out, the row above the names, notes."""
    position = layout.names_row(sniffing.sample(text, separator))
    if not position:
        return text, skipped, [], notes
    reader = sniffing.rows_of(text, separator)
    ends = [(reader.line_num, row) for row in islice(reader, MOST_ABOVE)]
    names = [place for place, (_, row) in enumerate(ends) if "".join(row).strip()][position]
    lines, above = ends[names - 1]
    skipped += lines
    said = f"The names stand on line {skipped + 1}; what is above was left out."
    return text[_begin(text, lines) :], skipped, [cell.strip() for cell in above], [said]


def _rows(columns: list[pa.ChunkedArray], start: int, below: int) -> tuple[list[pa.ChunkedArray], list[str]]:
    """The rows of the table without those around it and without blank ones; notes."""
    bodies = [column.slice(start, len(column) - start - below) for column in columns]
    if len(bodies) < 2:
        return bodies, []
    blank = pc.equal(bodies[0], "")
    for body in bodies[1:]:
        if not pc.any(blank).as_py():
            return bodies, []
        blank = pc.and_(blank, pc.equal(body, ""))
    count = pc.sum(blank).as_py() or 0
    if not count:
        return bodies, []
    rows = "One blank row was" if count == 1 else f"{count:,} blank rows were"
    return [body.filter(pc.invert(blank)) for body in bodies], [f"{rows} left out."]


def _blank_lines(text: str, separator: str, skipped: int) -> list[int]:
    """Where blank rows stand, as pandas counts: rows with their line breaks as one line, from 0."""
    rows = enumerate(sniffing.rows_of(text, separator), start=skipped)
    return [line for line, row in rows if len(row) > 1 and not any(row)]


def _check_first(first: list[list[str]], separator: str) -> None:
    if not first:
        raise ReadError("No row could be read. Check the separator and the quotation marks.")
    width = max(len(row) for row in first)
    if width > MAX_COLUMNS:
        base.check_extent(1, width)


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


def _names(columns: list[pa.ChunkedArray], header: bool, above: list[str]) -> tuple[list[str], list[str]]:
    """Unique, non-empty names and what had to be changed."""
    if not header:
        return [f"column {i + 1}" for i in range(len(columns))], []
    names = [column[0].as_py().strip() for column in columns]
    return base.unique_names(layout.joined(above, names) if layout.is_over(above, names) else names)


def _is_spaced(text: str, separator: str) -> bool:
    """Whether blanks may stand around a value; most large files have none, and removing them takes time."""
    return not text.isascii() or any(blank in text for blank in ' "\t\x0b\x0c' if blank != separator)


def _frame(
    bodies: list[pa.ChunkedArray], names: list[str], header: bool, *, spaced: bool
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """The rows as text, blanks around values removed, an unnamed empty last column left out."""
    n_rows = len(bodies[0])
    base.check_extent(n_rows, len(bodies))
    trimmed = [pc.utf8_trim_whitespace(body) for body in bodies] if spaced else bodies
    pairs = zip(names, bodies, trimmed, strict=True)
    touched = [name for name, a, b in pairs if a is not b and not a.equals(b)]
    notes = [f"Spaces around values were removed in {base.listed(touched)}."] if touched else []
    if (
        header
        and len(names) > 1
        and names[-1] == f"column {len(names)}"
        and not pc.any(pc.not_equal(trimmed[-1], "")).as_py()
    ):
        names, trimmed = names[:-1], trimmed[:-1]
        notes.append("Every line ends with a separator; the empty last column was left out.")
    frame = pd.DataFrame({name: _series(column) for name, column in zip(names, trimmed, strict=True)})
    return frame, touched, notes


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
