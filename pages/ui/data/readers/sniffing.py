"""What a file of bytes is: plain text or something else, its encoding, separator and decimal mark. Pure."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Protocol

from pages.ui.data.readers import layout

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1", "utf-16-le", "utf-16-be", "mac-roman", "shift-jis")
SAMPLE_LINES = 200
DRESS = " \u00a0%‰$€£¥"
"""What may stand around a number."""
SAMPLE_CHARACTERS = 200_000

_MAGIC = (
    (b"%PDF", "a PDF document", "Copy the table out of it, or ask for the data as CSV."),
    (b"PK\x05\x06", "an empty zip archive", "Choose the CSV file itself."),
    (b"\x89PNG", "a PNG picture", "A table is needed: text with one row a line."),
    (b"\xff\xd8\xff", "a JPEG picture", "A table is needed: text with one row a line."),
    (b"GIF8", "a GIF picture", "A table is needed: text with one row a line."),
    (b"BZh", "a bzip2 archive", "Unpack it first, then open the file inside."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first, then open the file inside."),
    (b"Rar!", "a RAR archive", "Unpack it first, then open the file inside."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Unpack it first, then open the file inside."),
    (b"RDX", "an R workspace", "In R, use write.csv()."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV first."),
    (b"\x7fELF", "a program", "A table is needed: text with one row a line."),
    (b"MZ", "a program", "A table is needed: text with one row a line."),
    (b"\x80\x04\x95", "a Python pickle", "Pickles are never opened here; in pandas, use to_csv()."),
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_DOT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


class Reader(Protocol):
    """What `csv.reader` gives: rows, and the number of the line last read."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


def is_binary(content: bytes) -> bool:
    """Whether the first bytes hold control characters, as no text does."""
    return bool(_CONTROL.search(content[:512]))


def foreign(content: bytes) -> str | None:
    """What the file really is and what to do, when its first bytes are not those of a text table."""
    for magic, what, remedy in _MAGIC:
        # A heading may begin with letters that also mark a file type; such files then hold control bytes.
        if content.startswith(magic) and (not magic.isalnum() or is_binary(content)):
            return f"This is {what}, whatever its name says. {remedy}"
    if content[:512].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return (
            "This is a web page, whatever its name says, as some programs save “Excel” files. Open it in a "
            "spreadsheet and save it as .xlsx, or use the site's own download button for the CSV file."
        )
    return None


def encoding(content: bytes) -> tuple[str, str | None]:
    """The codec of a text and, when it had to be guessed, a sentence that says so."""
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return codec, None
    nulls = content[:4096].count(0)
    if nulls > len(content[:4096]) // 4:
        codec = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
        return codec, f"The file was taken as {codec.upper()}, for every second byte is null."
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as err:
        return _western(content, err.start)
    return "utf-8", None


def _western(content: bytes, position: int) -> tuple[str, str]:
    line = content.count(b"\n", 0, position) + 1
    try:
        content.decode("cp1252")
        codec, name = "cp1252", "Windows-1252"
    except UnicodeDecodeError:
        codec, name = "latin-1", "Latin-1"
    return codec, (
        f"The file is not UTF-8 (first on line {line}), so it was read as {name}. If accented letters look "
        "wrong, choose another encoding."
    )


def declared_separator(text: str) -> str | None:
    """The separator that a spreadsheet wrote as a first line `sep=;`."""
    found = re.match(r"sep=(.)\r?\n", text)
    return found[1] if found else None


def separator(text: str) -> str:
    """The separator that cuts the first lines into equally many values; else one that cuts nothing."""
    found = max(SEPARATORS, key=lambda candidate: _agreement(text, candidate))
    if _agreement(text, found)[0] > 0.3:
        return found
    for mark in SEPARATORS:  # lines of a title, with other separators or none, may stand above the names
        if mark != " " and layout.names_row(sample(text, mark)):
            return mark
    whole = (mark for mark in SEPARATORS if mark != " " and all(len(row) == 1 for row in sample(text, mark)))
    return next(whole, ",")


def _agreement(text: str, candidate: str) -> tuple[float, int]:
    """(share of lines with the usual number of values, that number); zero if the first line differs."""
    widths = [len(row) for row in sample(text, candidate)]
    if not widths:
        return 0.0, 0
    width, times = Counter(widths).most_common(1)[0]
    share = times / len(widths)
    # R writes one name fewer than values when it writes row names.
    header_agrees = widths[0] == width or widths[0] == width - 1 >= 2
    # A space also cuts ordinary words, so it must cut every line alike to count.
    if width < 2 or not header_agrees or (candidate == " " and times < len(widths) - 1):
        return 0.0, width
    return round(share, 1), width


def sample(text: str, separator: str) -> list[list[str]]:
    """The first rows of a text, cut at `separator`; blank lines left out, and what follows a broken row."""
    head = text[:SAMPLE_CHARACTERS]
    rows: list[list[str]] = []
    # A row that cannot be cut ends the sample; whoever reads the whole table names its line.
    with suppress(csv.Error):
        rows.extend(
            row for row in islice(iter(rows_of(head, separator)), SAMPLE_LINES) if "".join(row).strip()
        )
    cut_short = len(head) < len(text) and len(rows) < SAMPLE_LINES
    return rows[:-1] if cut_short and len(rows) > 1 else rows


def rows_of(text: str, separator: str) -> Reader:
    """A csv reader of a text; a space as separator stands for any run of spaces."""
    lines: Iterable[str] = io.StringIO(text, newline="")
    if separator == " ":
        lines = (line.strip(" \t\r\n") + "\n" for line in lines)
    return csv.reader(lines, delimiter=separator, skipinitialspace=separator == " ")


def decimal(rows: list[list[str]], separator: str) -> tuple[str, str | None]:
    """The decimal mark of the values, and a sentence when they can be read in two ways."""
    cells = [cell.strip() for row in rows for cell in row]
    dots = sum(bool(_DOT.fullmatch(cell)) for cell in cells)
    commas = [cell for cell in cells if _COMMA.fullmatch(cell) or _GROUPED.fullmatch(cell)]
    if not commas:
        return ".", None
    grouped = [cell for cell in commas if _GROUPED.fullmatch(cell) and not cell.lstrip("+-").startswith("0")]
    if len(grouped) == len(commas):
        return ".", (
            f"Values such as “{grouped[0]}” can mean a decimal comma or digits grouped in thousands. Nothing "
            "was guessed; choose the decimal mark or the thousands mark under “How the file was read”."
        )
    mark = "," if not dots or (len(commas) > dots and separator != ",") else "."
    if min(dots, len(commas)) * 10 < max(dots, len(commas)):
        return mark, None
    names = {".": "point", ",": "comma"}
    return mark, (
        f"Numbers with a decimal point and with a comma occur, such as “{commas[0]}”. The {names[mark]} "
        "was taken for the decimal mark; the other numbers are text."
    )


def thousands(rows: list[list[str]], decimal: str) -> str:
    """The mark that groups digits beyond doubt, '' when none does.

    Beyond doubt: groups with a decimal mark behind them, several groups in one number, or groups of three
    where other numbers of the table show that the decimal mark is another sign.
    """
    cells = [cell.strip(DRESS) for row in rows for cell in row]
    plain = any(re.fullmatch(rf"[+-]?\d+{re.escape(decimal)}\d+", cell) for cell in cells)
    for mark in ("'", ".") if decimal == "," else ("'", ","):
        group, point = re.escape(mark), re.escape(decimal)
        grouped = [
            found
            for cell in cells
            if (found := re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}((?:{group}\d{{3}})+)({point}\d*)?", cell))
        ]
        others = any(re.fullmatch(rf"[+-]?\d+{group}\d+", cell) for cell in cells if not _three(cell, group))
        sure = mark == "'" or plain or any(found[2] or found[1].count(mark) > 1 for found in grouped)
        if grouped and sure and not others:
            return mark
    return ""


def _three(cell: str, group: str) -> bool:
    """Whether a cell groups its digits by threes."""
    return bool(re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}(?:{group}\d{{3}})+", cell))


def all_numbers(row: list[str]) -> bool:
    """Whether every value of a row is a number, so that it is hardly a row of names."""
    cells = [cell.strip() for cell in row]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)
