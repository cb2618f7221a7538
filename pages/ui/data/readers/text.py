"""Bytes of a text table → a frame of text columns and plain notes. Pure: no Streamlit, no evaluation.

Rectangular files go through pyarrow; anything irregular (ragged rows, runs of spaces, stray quotation marks)
goes through `csv`, which can tell the line.
"""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from pages.ui.data.readers import base, careful, sniffing
from pages.ui.data.readers.base import MAX_COLUMNS, ReadError, ReadOptions, ReadResult, Recipe


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
    frame, trimmed, trim_notes = _frame(columns, names, header, spaced=_is_spaced(text, separator))
    decimal, doubt = sniffing.decimal(first[header:], separator)
    options = replace(
        asked, separator=separator, decimal=asked.decimal or decimal, encoding=codec, header=header
    )
    doubts = [doubt] if doubt and asked.decimal is None and not asked.thousands else []
    warnings = [*_header_doubt(first, header, asked), *doubts, *body_warnings]
    raw = [column[0].as_py() for column in columns] if header else []
    return ReadResult(
        frame,
        options,
        (*notes, *skip_notes, *body_notes, *name_notes, *trim_notes),
        tuple(warnings),
        recipe=Recipe(arguments=_arguments(options, skipped, raw, frame), trimmed=tuple(trimmed)),
    )


def _arguments(options: ReadOptions, skipped: int, raw: list[str], frame: pd.DataFrame) -> tuple[str, ...]:
    """What pandas must be told to read the same; it guesses the rest alike."""
    separator = r"\s+" if options.separator == " " else options.separator
    found = {"sep": separator} if separator != "," else {}
    found |= {"decimal": ","} if options.decimal == "," else {}
    found |= {"thousands": options.thousands} if options.thousands else {}
    plain = {"utf-8", "utf-8-sig"}
    found |= {"encoding": options.encoding} if options.encoding not in plain else {}
    given = [f"{key}={base.literal(value)}" for key, value in found.items()]
    given += [f"skiprows={skipped}"] if skipped else []
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


def _names(columns: list[pa.ChunkedArray], header: bool) -> tuple[list[str], list[str]]:
    """Unique, non-empty names and what had to be changed."""
    if not header:
        return [f"column {i + 1}" for i in range(len(columns))], []
    return base.unique_names([column[0].as_py().strip() for column in columns])


def _is_spaced(text: str, separator: str) -> bool:
    """Whether blanks may stand around a value; most large files have none, and removing them takes time."""
    return not text.isascii() or any(blank in text for blank in ' "\t\x0b\x0c' if blank != separator)


def _frame(
    columns: list[pa.ChunkedArray], names: list[str], header: bool, *, spaced: bool
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """The rows as text, blanks around values removed, an unnamed empty last column left out."""
    bodies = [column.slice(1) if header else column for column in columns]
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
