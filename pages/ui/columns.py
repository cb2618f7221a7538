"""Text columns → typed columns: what each column is, what is missing, and what a change of kind would cost.

Pure functions on frames. Kinds: 'number', 'category' (text), 'ordered', 'date', 'yes_no'. Nothing is guessed
that loses something: identifiers such as 007 and numbers beyond 2⁵³ stay text, and a column in which only most
values are numbers is offered as a number together with the values that would become missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.sources import Choices

Kind = Literal["number", "category", "ordered", "date", "yes_no"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_NAMES: dict[Kind, str] = {
    "number": "Number",
    "category": "Category (text)",
    "ordered": "Ordered category",
    "date": "Date",
    "yes_no": "Yes / no",
}
MOSTLY = 0.5
"""From this share of readable values a text column is offered as a number."""
SUSPECTS = ("-9", "-99", "-999", "-9999", "99", "999", "9999", "?", "-", "--", "*", "none", "None", "missing", "unknown")
"""Texts that often stand for a missing value but may be real ones: offered when they occur, never assumed."""

_NUMBER = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:inf|infinity))$"
_WHOLE = r"^[+-]?\d+$"
_PADDED = r"^[+-]?0\d+$"
_LONG = r"^[+-]?\d{16,}$"
_ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
_DATE_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d", "%d %b %Y", "%d %B %Y")
_YES = {"true", "yes", "y", "t", "1"}
_NO = {"false", "no", "n", "f", "0"}


@dataclass(frozen=True, slots=True)
class Marks:
    """How numbers are written: the decimal mark and the mark that groups digits ('' for none)."""

    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of one column after typing.

    guessed  : the kind it has unless set by hand
    missing  : values missing, of which `by_code` says which text stood for them
    lost     : values that the kind set by hand could not read, and the first few of them
    offer    : a kind that may be meant instead, with the sentence that says what it would cost
    """

    name: str
    kind: Kind
    guessed: Kind
    missing: int
    by_code: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0
    lost_values: tuple[str, ...] = ()
    infinite: int = 0
    offer: tuple[Kind, str] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """The typed frame, with one `Column` for each of its columns."""

    frame: pd.DataFrame
    columns: tuple[Column, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Plain sentences on what typing changed."""
        return tuple(sentence for column in self.columns for sentence in _sentences(column))


def settle(frame: pd.DataFrame, choices: Choices, marks: Marks | None = None) -> Settled:
    """Give every column its kind: the one chosen by hand, else the one its values show."""
    chosen = dict(choices.kinds)
    typed = [_settled(frame[name], chosen.get(name), choices.missing, marks or Marks()) for name in frame.columns]
    columns = {column.name: series for column, series in typed}
    return Settled(pd.DataFrame(columns, index=frame.index), tuple(column for column, _ in typed))


def _settled(
    series: pd.Series, chosen: str | None, codes: tuple[str, ...], marks: Marks
) -> tuple[Column, pd.Series]:
    """One column's description and its typed values."""
    name, present = str(series.name), kind_of(series)
    if present is not None and chosen in (None, present) and not _holds_code(series, codes):
        return Column(name, present, present, int(series.isna().sum()), infinite=_infinite(series)), series
    text = as_text(series)
    values, by_code = _without_codes(text, codes)
    guessed, note = (present, "") if present else _guess(values, marks)
    kind = cast("Kind", chosen) if chosen in KINDS else guessed
    typed = _converted(values, kind, marks)
    typed.index = series.index
    missing = int(typed.isna().sum())
    lost = missing - values.null_count
    column = Column(
        name, kind, guessed, missing, by_code, lost, _unread(values, typed) if lost else (), _infinite(typed),
        _offer(values, marks) if kind == guessed == "category" else None, note if kind == guessed else "",
    )  # fmt: skip
    return column, typed.rename(name)


def kind_of(series: pd.Series) -> Kind | None:
    """The kind of a column that is typed already; None for text."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        if set(dtype.categories) <= {True, False} and len(dtype.categories):
            return "yes_no"
        return "ordered" if dtype.ordered else "category"
    if pd.api.types.is_bool_dtype(dtype):
        return "yes_no"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    return "date" if pd.api.types.is_datetime64_any_dtype(dtype) else None


def as_text(series: pd.Series) -> pa.Array:
    """The values as a person would write them; null where missing."""
    if pd.api.types.is_float_dtype(series.dtype):
        whole = series.dropna()
        if np.isfinite(whole).all() and (whole == whole.round()).all() and (whole.abs() < 2**53).all():
            series = series.astype("Int64")
    return pa.array(series.astype("object").where(series.notna(), None).map(str, na_action="ignore"), pa.string()) if (
        kind_of(series) is not None
    ) else _chunks(pa.array(series, pa.string()))


def _chunks(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _holds_code(series: pd.Series, codes: Iterable[str]) -> bool:
    """Whether a typed column holds a value that now stands for missing."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return bool({str(level) for level in series.dtype.categories} & set(codes))
    numbers = [float(code) for code in codes if re.match(_NUMBER, code)]
    return bool(numbers) and kind_of(series) == "number" and bool(series.isin(numbers).any())


def _without_codes(text: pa.Array, codes: tuple[str, ...]) -> tuple[pa.Array, dict[str, int]]:
    """The values with null where a code stood, and how often each code did."""
    coded = pc.is_in(text, pa.array(codes, pa.string()))
    if not pc.any(coded).as_py():
        return text, {}
    counts = pc.value_counts(pc.filter(text, coded)).to_pylist()
    by_code = {entry["values"]: entry["counts"] for entry in counts}
    return pc.if_else(coded, pa.scalar(None, pa.string()), text), by_code


def _plain_numbers(values: pa.Array, marks: Marks) -> pa.Array:
    """Numbers as a machine writes them."""
    if marks.thousands:
        # Only whole groups of three: 1.5 must not become 15 because points are said to group digits.
        mark, point = re.escape(marks.thousands), re.escape(marks.decimal)
        grouped = pc.match_substring_regex(values, rf"^[+-]?\d{{1,3}}({mark}\d{{3}})+({point}\d*)?$")
        values = pc.if_else(grouped, pc.replace_substring(values, marks.thousands, ""), values)
    if marks.decimal == ",":
        # A point is no decimal mark here; a value that has one must not slip through as a number.
        pointed = pc.match_substring(values, ".")
        values = pc.if_else(pointed, values, pc.replace_substring(values, ",", "."))
        values = pc.if_else(pointed, pc.binary_join_element_wise("?", values, ""), values)
    return values


def _guess(values: pa.Array, marks: Marks) -> tuple[Kind, str]:
    """The kind that the values show without loss, and why a number is not taken for one."""
    if values.null_count == len(values):
        return "category", "Every value is missing."
    plain = _plain_numbers(values, marks)
    if _all(plain, _NUMBER):
        if _some(values, _PADDED):
            return "category", "Kept as text, so that leading zeros are not lost."
        if _some(values, _LONG):
            return "category", "Kept as text: numbers this long cannot be stored exactly."
        return "number", ""
    if _all(values, r"^(?i:true|false)$"):
        return "yes_no", ""
    if _all(values, _ISO) and pd.to_datetime(_series(values), format="ISO8601", errors="coerce").notna().sum() == (
        len(values) - values.null_count
    ):
        return "date", ""
    return "category", ""


def _all(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _some(values: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())


def _offer(values: pa.Array, marks: Marks) -> tuple[Kind, str] | None:
    """A number, for a text column in which most values are numbers, with what that would cost."""
    present = len(values) - values.null_count
    plain = _plain_numbers(values, marks)
    readable = pc.match_substring_regex(plain, _NUMBER)
    count = pc.sum(readable).as_py() or 0
    if not present or count == present or count / present < MOSTLY:
        return None
    others = pc.unique(pc.filter(values, pc.invert(readable))).to_pylist()
    return "number", (
        f"{count:,} of {present:,} values are numbers. As a number, {present - count:,} would become missing: "
        f"{quoted(other for other in others if other is not None)}."
    )


def _series(values: pa.Array) -> pd.Series:
    return pd.Series(pd.array(values, dtype="str"))


def _converted(values: pa.Array, kind: Kind, marks: Marks) -> pd.Series:
    match kind:
        case "number":
            return _numbers(values, marks)
        case "date":
            return _dates(_series(values))
        case "yes_no":
            return _yes_no(values)
        case "ordered":
            levels = sorted(pc.unique(values.drop_null()).to_pylist(), key=natural)
            return pd.Series(pd.Categorical(_series(values), categories=levels, ordered=True))
        case "category":
            return _series(values)


def _numbers(values: pa.Array, marks: Marks) -> pd.Series:
    """Whole numbers as integers when none is missing, else floats; unreadable values missing."""
    plain = _plain_numbers(values, marks)
    readable = pc.match_substring_regex(plain, _NUMBER)
    kept = pc.if_else(readable, plain, pa.scalar(None, pa.string()))
    whole = not kept.null_count and _all(kept, _WHOLE) and not _some(kept, _LONG)
    numbers = pc.cast(kept, pa.float64()).to_numpy(zero_copy_only=False)
    return pd.Series(numbers.astype(np.int64) if whole and len(numbers) else numbers)


def _dates(text: pd.Series) -> pd.Series:
    """Dates by the format that reads most values, ISO first, day before month."""
    best = pd.to_datetime(text, format="ISO8601", errors="coerce")
    for pattern in _DATE_FORMATS:
        if best.notna().sum() == text.notna().sum():
            break
        read = pd.to_datetime(text, format=pattern, errors="coerce")
        best = read if read.notna().sum() > best.notna().sum() else best
    return best


def _yes_no(values: pa.Array) -> pd.Series:
    """Booleans; with missing values a categorical of False and True, which models read alike."""
    lower = _series(pc.utf8_lower(values))
    known = lower.map({**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)})
    if known.notna().all():
        return known.astype(bool)
    return pd.Series(pd.Categorical(known.astype(object), categories=[False, True]))


def _infinite(series: pd.Series) -> int:
    return int(np.isinf(series).sum()) if pd.api.types.is_float_dtype(series.dtype) else 0


def _unread(values: pa.Array, typed: pd.Series) -> tuple[str, ...]:
    """The first distinct values that the kind could not read."""
    lost = pc.filter(values, pa.array(typed.isna().to_numpy()))
    return tuple(pc.unique(lost.drop_null()).to_pylist()[:5])


def _sentences(column: Column) -> Iterable[str]:
    if column.lost:
        yield f"{column.lost:,} values of “{column.name}” are not readable as {KIND_NAMES[column.kind].lower()} " + (
            f"and count as missing: {quoted(column.lost_values)}."
        )
    if column.infinite:
        yield f"“{column.name}” has {column.infinite:,} infinite values; a model cannot use those rows."
    if column.note:
        yield f"“{column.name}”: {column.note}"


def natural(text: str) -> list[tuple[int, float, str]]:
    """A sort key that puts 'item 2' before 'item 10'."""
    parts = re.split(r"(\d+)", text)
    return [(0, float(part), "") if part.isdigit() and part.isascii() else (1, 0.0, part) for part in parts if part]


def quoted(values: Iterable[str], most: int = 5) -> str:
    """Values in quotation marks, the first few of many."""
    every = list(values)
    shown = ", ".join(f"“{value[:40]}”" for value in every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most:,} more"


def suspects(frame: pd.DataFrame, most_rows: int = 200_000) -> dict[str, int]:
    """Texts that may stand for a missing value and how often each occurs."""
    found: dict[str, int] = {}
    wanted = pa.array(SUSPECTS, pa.string())
    for name in frame.columns:
        text = as_text(frame[name].iloc[:most_rows])
        for entry in pc.value_counts(pc.filter(text, pc.is_in(text, wanted))).to_pylist():
            if entry["values"] is not None:
                found[entry["values"]] = found.get(entry["values"], 0) + entry["counts"]
    return found
