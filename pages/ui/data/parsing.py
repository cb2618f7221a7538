"""Texts as people write them → numbers, dates, yes / no. Pure.

Values that a kind cannot read become missing; `columns` counts and shows them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:inf|infinity))$"
WHOLE = r"^[+-]?\d+$"
PADDED = r"^[+-]?0\d+$"
LONG = r"^[+-]?\d{16,}$"
ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
DATE_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d", "%d %b %Y", "%d %B %Y")
YES = {"true", "yes", "y", "t", "1"}
NO = {"false", "no", "n", "f", "0"}


@dataclass(frozen=True, slots=True)
class Marks:
    """How numbers are written: the decimal mark and the mark that groups digits ('' for none)."""

    decimal: str = "."
    thousands: str = ""


def as_series(values: pa.Array) -> pd.Series:
    """A text column."""
    text: pd.Series = values.to_pandas()
    return text


def every(values: pa.Array, pattern: str) -> bool:
    """Whether every value that is not missing has the pattern."""
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def some(values: pa.Array, pattern: str) -> bool:
    """Whether a value has the pattern."""
    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())


def plain_numbers(values: pa.Array, marks: Marks) -> pa.Array:
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


def numbers(values: pa.Array, marks: Marks) -> pd.Series:
    """Whole numbers as integers when none is missing, else floats; unreadable values missing."""
    plain = plain_numbers(values, marks)
    readable = pc.match_substring_regex(plain, NUMBER)
    kept = pc.if_else(readable, plain, pa.scalar(None, pa.string()))
    whole = not kept.null_count and every(kept, WHOLE) and not some(kept, LONG)
    parsed = pc.cast(kept, pa.float64()).to_numpy(zero_copy_only=False)
    return pd.Series(parsed.astype(np.int64) if whole and len(parsed) else parsed)


def dates(text: pd.Series) -> pd.Series:
    """Dates by the format that reads most values, ISO first, day before month."""
    best = pd.to_datetime(text, format="ISO8601", errors="coerce")
    for pattern in DATE_FORMATS:
        if best.notna().sum() == text.notna().sum():
            break
        read = pd.to_datetime(text, format=pattern, errors="coerce")
        best = read if read.notna().sum() > best.notna().sum() else best
    return best


def yes_no(values: pa.Array) -> pd.Series:
    """Booleans; with missing values a categorical of False and True, which models read alike."""
    lower = as_series(pc.utf8_lower(values))
    known = lower.map({**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)})
    if known.notna().all():
        return known.astype(bool)
    return pd.Series(pd.Categorical(known.astype(object), categories=[False, True]))


def ordered(values: pa.Array) -> pd.Series:
    """An ordered category, its levels in natural order."""
    levels = sorted(pc.unique(values.drop_null()).to_pylist(), key=natural)
    return pd.Series(pd.Categorical(as_series(values), categories=levels, ordered=True))


def natural(text: str) -> list[tuple[int, float, str]]:
    """A sort key that puts 'item 2' before 'item 10'."""
    parts = re.split(r"(\d+)", text)
    return [
        (0, float(part), "") if part.isdigit() and part.isascii() else (1, 0.0, part)
        for part in parts
        if part
    ]
