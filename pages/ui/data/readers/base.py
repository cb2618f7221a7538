"""What every reader takes and gives, the limits, and what all of them do alike. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NoReturn

import pandas as pd

MAX_BYTES = 200 * 1024 * 1024
MAX_ROWS = 2_000_000
MAX_COLUMNS = 1_000
MAX_CELLS = 40_000_000
PASSWORD = "The workbook is protected by a password. Remove the password in the spreadsheet program."

FileKind = Literal["text", "workbook", "parquet", "spss", "portable", "stata", "sas", "transport"]
Code = float | str


class ReadError(ValueError):
    """A file that is not a table this app can read; the message says why and what to do.

    sheets : the sheets of a workbook, when another one of them may be meant
    kind   : what the file is, when that is known
    """

    def __init__(self, message: str, kind: FileKind | None = None, sheets: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind: FileKind | None = kind
        self.sheets = sheets


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a file; None means: find out.

    separator  : one character between values; ' ' stands for any run of spaces
    decimal    : '.' or ','
    thousands  : the mark that groups digits; '' for none but one beyond doubt
    encoding   : a Python codec name
    header     : whether there is a row of column names
    sheet      : the sheet of a workbook
    header_row : the row of a sheet, or the line of a text, in which the names stand, counted from 1
    explained  : rows right under the names that explain them and are no rows of the table
    below      : rows at the end that are none either, such as a total
    codes      : whether labelled values are taken by their codes and not by their labels
    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str = ""
    encoding: str | None = None
    header: bool | None = None
    sheet: str | None = None
    header_row: int | None = None
    explained: int | None = None
    below: int | None = None
    codes: bool = False


@dataclass(frozen=True, slots=True)
class Labels:
    """What the codes of one column stand for.

    pairs   : (code, label) in the order of the codes; no label occurs twice
    ordered : whether the order of the codes has a meaning (SPSS calls such a variable ordinal)
    """

    pairs: tuple[tuple[Code, str], ...]
    ordered: bool = False

    @classmethod
    def of(cls, pairs: Iterable[tuple[Code, str]], *, ordered: bool = False) -> Labels:
        """Labels in the order of their codes; a label that stands for two codes gets each code added."""
        known = sorted(pairs, key=lambda pair: (isinstance(pair[0], str), pair[0]))
        times = Counter(label for _, label in known)
        unique = tuple(
            (code, label if times[label] == 1 else f"{label} ({code_text(code)})") for code, label in known
        )
        return cls(unique, ordered)


def code_text(code: object) -> str:
    """A code as a person writes it: 2, not 2.0."""
    return str(int(code)) if isinstance(code, float) and code.is_integer() else str(code)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a script reads the same table.

    call      : the function that reads; it is given the file's name and `arguments`
    target    : what its result is called
    after     : lines that mend `data`
    trimmed   : columns of text from which spaces around values were removed
    """

    call: str = "pd.read_csv"
    arguments: tuple[str, ...] = ()
    target: str = "data"
    imports: tuple[str, ...] = ("import pandas as pd",)
    after: tuple[str, ...] = ()
    trimmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ReadResult:
    """A file as read, before types and missing values are settled.

    frame    : unique names; text columns where the file holds text, else typed ones
    options  : what was used, nothing left open
    notes    : what was changed or found, in plain sentences
    warnings : what a person should look at before going on
    kind     : what the file was
    sheets   : the sheets of a workbook
    labels   : what the codes of a column stand for, by column
    meanings : what a column holds in the words of the file, by column
    recipe   : how a script reads the same
    """

    frame: pd.DataFrame
    options: ReadOptions
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    kind: FileKind = "text"
    sheets: tuple[str, ...] = ()
    labels: Mapping[str, Labels] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)


def check_size(content: bytes) -> None:
    """Refuse what is empty or larger than the limit. Raises ReadError."""
    if len(content) > MAX_BYTES:
        raise ReadError(
            f"The file has {len(content) / 2**20:.0f} MB; the limit is {MAX_BYTES // 2**20} MB. Leave out "
            "columns that you do not need."
        )
    if not content.strip():
        raise ReadError("The file is empty.")


def check_extent(rows: int, columns: int, kind: FileKind = "text", sheets: tuple[str, ...] = ()) -> None:
    """Refuse a table with no rows, or beyond the limits. Raises ReadError."""
    if columns > MAX_COLUMNS:
        raise ReadError(
            f"The table has {columns:,} columns; the limit is {MAX_COLUMNS:,}. Keep the outcome, the groups "
            "and the predictors that you need.",
            kind,
            sheets,
        )
    if rows > MAX_ROWS or rows * columns > MAX_CELLS:
        raise ReadError(
            f"The table has {rows:,} rows and {columns:,} columns; the limits are {MAX_ROWS:,} rows "
            f"and {MAX_CELLS:,} cells. Leave out columns that you do not need, or take some of the groups.",
            kind,
            sheets,
        )
    if rows == 0 or columns == 0:
        refuse_empty(kind, sheets)


def refuse_empty(kind: FileKind, sheets: tuple[str, ...] = ()) -> NoReturn:
    """Say that there are names but no rows. Raises ReadError."""
    remedy = " If its only line is data, say so below." if kind in ("text", "workbook") else ""
    raise ReadError(f"The file has column names but no rows.{remedy}", kind, sheets)


def unique_names(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Unique, non-empty names and what had to be changed."""
    names: list[str] = []
    notes = []
    taken: set[str] = set()
    originals = set(given)
    times: Counter[str] = Counter()
    for position, name in enumerate(given, start=1):
        if not name:
            name = f"column {position}"
            notes.append(f"Column {position} has no name and is called “{name}”.")
        times[name] += 1
        unique = name
        while unique in taken or (unique != name and unique in originals):
            times[name] += unique != name
            unique = f"{name} ({max(times[name], 2)})"
        if unique != name:
            notes.append(f"The name “{name}” occurs more than once; column {position} is called “{unique}”.")
        names.append(unique)
        taken.add(unique)
    return names, notes


def listed(names: Sequence[str], most: int = 5, what: str = "more columns") -> str:
    """Names in quotation marks, the first few of many."""
    shown = ", ".join(f"“{name}”" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} {what}"


def literal(value: object) -> str:
    """A Python literal; double quotes where that is as short, as formatters prefer."""
    plain = repr(value)
    if isinstance(value, str) and plain.startswith("'") and '"' not in value:
        return f'"{plain[1:-1]}"'
    return plain


def literals(values: Iterable[object]) -> str:
    """A Python list of literals."""
    return f"[{', '.join(literal(value) for value in values)}]"
