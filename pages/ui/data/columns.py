"""Columns as read → typed columns: what each column is, what is missing, what a change of kind would cost.

Pure functions on frames. Kinds: 'number', 'category', 'ordered', 'date', 'days' (since the first date),
'yes_no'. Nothing is guessed that loses something: identifiers such as 007 and numbers beyond 2⁵³ stay text,
and a column in which only most values are numbers is offered as a number together with the values that
would become missing. Labelled codes become their labels, in the order of the codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.data import labelled, parsing, scales
from pages.ui.data.readers.base import Labels
from pages.ui.data.sources import Choices

Stored = Literal["number", "category", "ordered", "date", "yes_no"]
"""What a typed column holds: days since the first date are numbers."""
Kind = Literal["number", "category", "ordered", "date", "days", "yes_no"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_NAMES: dict[Kind, str] = {
    "number": "Number",
    "category": "Category (text)",
    "ordered": "Ordered category",
    "date": "Date",
    "days": "Days since the first date",
    "yes_no": "Yes / no",
}
_DIGITS = re.compile(r"-?\d+$")
MOSTLY = 0.5
"""From this share of readable values a text column is offered as a number."""
MOST_ANSWERS = 9
"""A scale has no more different answers."""
SUSPECTS = (
    "-9",
    "-99",
    "-999",
    "-9999",
    "99",
    "999",
    "9999",
    "?",
    "-",
    "--",
    "*",
    "none",
    "None",
    "missing",
    "unknown",
)
"""Texts that often stand for a missing value but may be real ones: offered when they occur, never assumed."""


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
        sentences = tuple(sentence for column in self.columns for sentence in _sentences(column))
        dates = [f"“{column.name}”" for column in self.columns if column.kind == "date"]
        return (*sentences, _about_dates(dates)) if dates else sentences


def settle(
    frame: pd.DataFrame,
    choices: Choices,
    marks: parsing.Marks | None = None,
    labels: Mapping[str, Labels] | None = None,
    *,
    by_codes: bool = False,
) -> Settled:
    """Give every column its kind: the one chosen by hand, else the one its values show.

    labels   : what the codes of a column stand for, by column
    by_codes : take labelled columns by their codes unless a category was chosen by hand
    """
    chosen, known = dict(choices.kinds), labels or {}
    typed = []
    for name in frame.columns:
        series, kind = frame[name], chosen.get(name)
        if name in known:
            found = labelled.labelled(series, known[name], choices.missing, by_codes=by_codes)
            typed.append(_labelled(series, kind, found, choices.missing, marks or parsing.Marks()))
        else:
            typed.append(_settled(series, kind, choices.missing, marks or parsing.Marks()))
    columns = {column.name: series for column, series in typed}
    return Settled(pd.DataFrame(columns, index=frame.index), tuple(column for column, _ in typed))


def _labelled(
    series: pd.Series,
    chosen: str | None,
    found: labelled.Labelled,
    codes: tuple[str, ...],
    marks: parsing.Marks,
) -> tuple[Column, pd.Series]:
    """A column of labelled codes, by its labels or by its codes."""
    kind = chosen or found.guessed
    if kind not in ("category", "ordered"):
        column, typed = _settled(series, chosen, codes, marks)
        return replace(column, guessed=found.guessed or column.guessed, note=column.note or found.note), typed
    values = labelled.as_kind(found.values, "ordered" if kind == "ordered" else "category")
    native = found.guessed or kind_of(series) or "category"
    name, missing = str(series.name), int(values.isna().sum())
    return Column(
        name, "ordered" if kind == "ordered" else "category", native, missing, found.by_code
    ), values


def _settled(
    series: pd.Series, chosen: str | None, codes: tuple[str, ...], marks: parsing.Marks
) -> tuple[Column, pd.Series]:
    """One column's description and its typed values."""
    name, present = str(series.name), kind_of(series)
    by_code: dict[str, int] = {}
    if present in ("category", "ordered"):
        series, by_code = labelled.without_levels(series, codes)
        if chosen in (None, "category", "ordered"):
            series = labelled.as_kind(series, "ordered" if (chosen or present) == "ordered" else "category")
            kind: Kind = kind_of(series) or "category"
            return Column(name, kind, present, int(series.isna().sum()), by_code), series
    if present is not None and chosen in (None, present) and not _holds_code(series, codes):
        return Column(name, present, present, int(series.isna().sum()), infinite=_infinite(series)), series
    if present == "date" and chosen == "days" and not _holds_code(series, codes):
        return Column(name, "days", "date", int(series.isna().sum())), parsing.days(series)
    text = as_text(series)
    values, found = without_codes(text, codes)
    by_code = by_code or found
    guessed, note = (present, "") if present else _guess(values, marks)
    kind = next((kind for kind in KINDS if kind == chosen), guessed)
    typed = _converted(values, kind, marks)
    typed.index = series.index
    missing = int(typed.isna().sum())
    lost = missing - values.null_count
    column = Column(
        name,
        kind,
        guessed,
        missing,
        by_code,
        lost,
        _unread(values, typed) if lost else (),
        _infinite(typed),
        offer=_offer(values, marks) if kind == guessed == "category" else None,
        note=note if kind == guessed else "",
    )
    return column, typed.rename(name)


def kind_of(series: pd.Series) -> Stored | None:
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


def is_whole(series: pd.Series) -> bool:
    """Whether a column of floats holds whole numbers only."""
    if not pd.api.types.is_float_dtype(series.dtype):
        return False
    present = series.dropna()
    return bool(
        np.isfinite(present).all() and (present == present.round()).all() and (present.abs() < 2**53).all()
    )


def as_text(series: pd.Series) -> pa.Array:
    """The values as a person would write them; null where missing."""
    if is_whole(series):
        series = series.astype("Int64")
    if kind_of(series) is not None:
        series = series.astype("object").where(series.notna(), None).map(str, na_action="ignore")
    array = pa.array(series, pa.string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _holds_code(series: pd.Series, codes: Iterable[str]) -> bool:
    """Whether a typed column holds a value that now stands for missing."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return bool({str(level) for level in series.dtype.categories} & set(codes))
    numbers = [float(code) for code in codes if re.match(parsing.NUMBER, code)]
    return bool(numbers) and kind_of(series) == "number" and bool(series.isin(numbers).any())


def without_codes(text: pa.Array, codes: tuple[str, ...]) -> tuple[pa.Array, dict[str, int]]:
    """The values with null where a code stood, and how often each code did."""
    # 'Minus 99' may be written -99.0 where other values have decimals.
    written = [
        *codes,
        *(f"{code}{zeros}" for code in codes if _DIGITS.match(code) for zeros in (".0", ".00")),
    ]
    coded = pc.is_in(text, pa.array(written, pa.string()))
    if not pc.any(coded).as_py():
        return text, {}
    counts = pc.value_counts(pc.filter(text, coded)).to_pylist()
    by_code = {entry["values"]: entry["counts"] for entry in counts}
    return pc.if_else(coded, pa.scalar(None, pa.string()), text), by_code


def _guess(values: pa.Array, marks: parsing.Marks) -> tuple[Kind, str]:
    """The kind that the values show without loss, and why a number is not taken for one."""
    if values.null_count == len(values):
        return "category", "Every value is missing."
    plain = parsing.plain_numbers(values, marks)
    if parsing.all_numbers(plain):
        if parsing.has_padded(values):
            return "category", "Kept as text, so that leading zeros are not lost."
        if parsing.has_long(values):
            return "category", "Kept as text: numbers this long cannot be stored exactly."
        beside = [sign for sign in parsing.signs(values) if sign != parsing.MINUS]
        left_out = f"The {' and '.join(beside)} beside the numbers was left out." if beside else ""
        return "number", left_out
    if parsing.every(values, r"^(?i:true|false)$"):
        return "yes_no", ""
    if parsing.date_format(values, sure=True) is not None:
        return "date", ""
    return "category", ""


def _offer(values: pa.Array, marks: parsing.Marks) -> tuple[Kind, str] | None:
    """A date or number, for a text column in which most values are one, with what that would cost."""
    present = len(values) - values.null_count
    if present and any(parsing.every(values, shape) for shape in (parsing.SLASHED, *parsing.LIKE_DATES)):
        return _offer_date(values)
    levels = pc.unique(values.drop_null())
    if scales.FEWEST <= len(levels) <= MOST_ANSWERS and (order := scales.in_order(levels.to_pylist())):
        return "ordered", scales.described(order)
    plain = parsing.plain_numbers(values, marks)
    readable = pc.match_substring_regex(plain, parsing.NUMBER)
    count = pc.sum(readable).as_py() or 0
    if not present or count == present or count / present < MOSTLY:
        return None
    others = pc.unique(pc.filter(values, pc.invert(readable))).to_pylist()
    return "number", (
        f"{count:,} of {present:,} values are numbers. As a number, {present - count:,} would become "
        f"missing: {quoted(other for other in others if other is not None)}."
    )


def _offer_date(values: pa.Array) -> tuple[Kind, str] | None:
    """A date for values of that shape, when one format reads all of them."""
    pattern = parsing.date_format(values)
    if pattern is None or parsing.dates(values).isna().sum() > values.null_count:
        return None
    first, second = ("month", "day") if pattern.startswith("%m") else ("day", "month")
    return (
        "date",
        f"Its values look like dates. As a date, the {first} is read before the {second}; if that is wrong, "
        "write the dates as 2026-01-31 in the file.",
    )


def _converted(values: pa.Array, kind: Kind, marks: parsing.Marks) -> pd.Series:
    match kind:
        case "number":
            return parsing.numbers(values, marks)
        case "date":
            return parsing.dates(values)
        case "days":
            return parsing.days(parsing.dates(values))
        case "yes_no":
            return parsing.yes_no(values)
        case "ordered":
            return parsing.ordered(values)
        case "category":
            return parsing.as_series(values)


def _infinite(series: pd.Series) -> int:
    return int(np.isinf(series).sum()) if pd.api.types.is_float_dtype(series.dtype) else 0


def _unread(values: pa.Array, typed: pd.Series) -> tuple[str, ...]:
    """The first distinct values that the kind could not read."""
    lost = pc.filter(values, pa.array(typed.isna().to_numpy()))
    return tuple(pc.unique(lost.drop_null()).to_pylist()[:5])


def _sentences(column: Column) -> Iterable[str]:
    if column.lost:
        kind = KIND_NAMES[column.kind].lower()
        count = "One value" if column.lost == 1 else f"{column.lost:,} values"
        yield f"{count} of “{column.name}” not readable as {kind}, now missing: {quoted(column.lost_values)}."
    if column.infinite:
        yield f"“{column.name}” has {column.infinite:,} infinite values; a model cannot use those rows."
    if column.note:
        yield f"“{column.name}”: {column.note}"


def _about_dates(names: list[str]) -> str:
    are = "is a date" if len(names) == 1 else "are dates"
    return (
        f"{', '.join(names)} {are}. A model calculates with numbers: to use a date in one, set its type to "
        f"“{KIND_NAMES['days']}”."
    )


def quoted(values: Iterable[str], most: int = 5) -> str:
    """Values in quotation marks, the first few of many."""
    every = list(values)
    shown = ", ".join(f"“{value[:40]}”" for value in every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most:,} more"


def suspects(frame: pd.DataFrame, most_rows: int = 200_000) -> dict[str, int]:
    """Texts that may stand for a missing value and how often each occurs."""
    found: dict[str, int] = {}
    plain = {code: code for code in SUSPECTS} | {
        f"{code}.0": code for code in SUSPECTS if _DIGITS.match(code)
    }
    wanted = pa.array(list(plain), pa.string())
    for name in frame.columns:
        text = as_text(frame[name].iloc[:most_rows])
        for entry in pc.value_counts(pc.filter(text, pc.is_in(text, wanted))).to_pylist():
            if entry["values"] is not None:
                code = plain[entry["values"]]
                found[code] = found.get(code, 0) + entry["counts"]
    return found
