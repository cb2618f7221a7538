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

from pages.ui.data import scales

NUMBER = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:inf|infinity))$"
WHOLE = r"^[+-]?\d+$"
PADDED = r"^[+-]?0\d+$"
LONG = r"^[+-]?\d{16,}$"
LONGEST = 16
MINUS = "\u2212"
SIGNS = ("%", "‰", "$", "€", "£", "¥", MINUS)
AROUND = r"\s*[%‰$€£¥]\s*"
_DIGITS = "[0-9.,' \u00a0]*[0-9][0-9.,]*"
_LESS = f"[+{MINUS}-]?"
DRESSED = rf"^{_LESS}\s*[$€£¥]\s*{_LESS}{_DIGITS}$|^{_LESS}{_DIGITS}\s*[%‰$€£¥]$|^{MINUS}{_DIGITS}$"
"""A number with a sign of money or shares on one side, or with the minus of print."""
SAMPLED = 1_000
ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
SLASHED = r"^\d{1,2}/\d{1,2}/\d{4}$"
SURE = (r"^\d{1,2}\.\d{1,2}\.\d{4}$", SLASHED, r"^\d{4}/\d{1,2}/\d{1,2}$")
"""Shapes that only dates have."""
LIKE_DATES = (
    r"^\d{1,2}[./-]\d{1,2}[./-]\d{2}(\d{2})?( \d{1,2}:\d{2}(:\d{2})?)?$",
    r"^\d{1,2}[ -][A-Za-z]{3,9}\.?[ -]\d{2}(\d{2})?$",
)
"""Shapes that dates have, and sometimes other things."""
DATE_FORMATS = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d", "%d %b %Y", "%d %B %Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%Y", "%d-%b-%y"),
    *(f"{day} {time}" for day in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y") for time in ("%H:%M", "%H:%M:%S")),
)
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
    """Whether every value that is not missing has the pattern; the first few are asked first."""
    first = values.slice(0, 100)
    return bool(pc.all(pc.match_substring_regex(first, pattern)).as_py()) and bool(
        pc.all(pc.match_substring_regex(values, pattern)).as_py()
    )


def some(values: pa.Array, pattern: str) -> bool:
    """Whether a value has the pattern."""
    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())


def has_padded(values: pa.Array) -> bool:
    """Whether a value is a number with a leading zero that means something, such as 007."""
    # Asked of all values only where one begins so: patterns are slow on a million values.
    begins = any(pc.any(pc.starts_with(values, start)).as_py() for start in ("0", "-0", "+0"))
    return begins and some(values, PADDED)


def has_long(values: pa.Array) -> bool:
    """Whether a value is a whole number of so many digits that it cannot be stored exactly."""
    longest = pc.max(pc.binary_length(values)).as_py() or 0
    return longest >= LONGEST and some(values, LONG)


def signs(values: pa.Array) -> tuple[str, ...]:
    """The signs of money and shares that stand beside numbers, and the long minus, by the first values."""
    first = values.slice(0, SAMPLED).drop_null()
    if not some(first, DRESSED):
        return ()
    return tuple(sign for sign in SIGNS if some(first, sign if sign != "$" else r"\$"))


def undressed(values: pa.Array) -> pa.Array:
    """Values without signs of money and shares beside a number, and with the minus of a keyboard."""
    if not signs(values):
        return values
    dressed = pc.match_substring_regex(values, DRESSED)
    bare = pc.replace_substring(pc.replace_substring_regex(values, AROUND, ""), MINUS, "-")
    return pc.if_else(dressed, bare, values)


def plain_numbers(values: pa.Array, marks: Marks) -> pa.Array:
    """Numbers as a machine writes them."""
    values = undressed(values)
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


def all_numbers(plain: pa.Array) -> bool:
    """Whether every value that is not missing is a number."""
    return _parsed(plain) is not None or every(plain, NUMBER)


def _parsed(plain: pa.Array) -> np.ndarray | None:
    """The values as floats when each is a plain number; None sends them to the pattern, which allows more.

    Reading costs a fraction of matching the pattern, but failing to read costs more: the first few are
    asked first.
    """
    if not every(plain.slice(0, 100), NUMBER):
        return None
    try:
        found = pc.cast(plain, pa.float64())
    except pa.ArrowInvalid:
        return None
    values: np.ndarray = found.to_numpy(zero_copy_only=False)
    # The word “nan” is read too, but is no number.
    return values if np.isnan(values).sum() == found.null_count else None


def numbers(values: pa.Array, marks: Marks) -> pd.Series:
    """Whole numbers as integers when none is missing, else floats; unreadable values missing."""
    kept = plain_numbers(values, marks)
    parsed = _parsed(kept)
    if parsed is None:
        kept = pc.if_else(pc.match_substring_regex(kept, NUMBER), kept, pa.scalar(None, pa.string()))
        parsed = pc.cast(kept, pa.float64()).to_numpy(zero_copy_only=False)
    whole = not kept.null_count and len(parsed) and every(kept, WHOLE) and not has_long(kept)
    return pd.Series(parsed.astype(np.int64) if whole else parsed)


def date_format(values: pa.Array, *, sure: bool = False) -> str | None:
    """The format that reads most values as dates, ISO first, day before month; None when none reads any.

    sure : only one that reads every value and cannot be mistaken
    """
    present = values.drop_null()
    if sure and not (len(present) and any(every(present, shape) for shape in (ISO, *SURE))):
        return None
    text = as_series(pc.unique(present))
    best, most = None, 0
    for pattern in ("ISO8601", *DATE_FORMATS):
        read = int(pd.to_datetime(text, format=pattern, errors="coerce").notna().sum())
        if read > most:
            best, most = pattern, read
        if most == len(text):
            break
    if not sure:
        return best
    doubtful = best == "%d/%m/%Y" and pd.to_datetime(text, format="%m/%d/%Y", errors="coerce").notna().all()
    return best if most == len(text) and not doubtful else None


def dates(values: pa.Array) -> pd.Series:
    """Dates by the format that reads most values; others missing."""
    pattern = date_format(values) or "ISO8601"
    # Each text once: a day is rarely alone in a long table.
    coded = values.dictionary_encode()
    read = pd.to_datetime(as_series(coded.dictionary), format=pattern, errors="coerce")
    return pd.Series(read.reindex(coded.indices.to_pandas()).to_numpy())


def days(moments: pd.Series) -> pd.Series:
    """Days since the first of some dates, whole ones as integers when none is missing."""
    since: pd.Series = (moments - moments.min()).dt.total_seconds() / 86_400
    return since.astype("int64") if since.notna().all() and (since % 1 == 0).all() else since


def yes_no(values: pa.Array) -> pd.Series:
    """Booleans; with missing values a categorical of False and True, which models read alike."""
    lower = as_series(pc.utf8_lower(values))
    known = lower.map({**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)})
    if known.notna().all():
        return known.astype(bool)
    return pd.Series(pd.Categorical(known.astype(object), categories=[False, True]))


def ordered(values: pa.Array) -> pd.Series:
    """An ordered category, its levels in the order of a usual scale, else in natural order."""
    found = pc.unique(values.drop_null()).to_pylist()
    levels = scales.in_order(found) or sorted(found, key=natural)
    return pd.Series(pd.Categorical(as_series(values), categories=levels, ordered=True))


def natural(text: str) -> list[tuple[int, float, str]]:
    """A sort key that puts 'item 2' before 'item 10'."""
    parts = re.split(r"(\d+)", text)
    return [
        (0, float(part), "") if part.isdigit() and part.isascii() else (1, 0.0, part)
        for part in parts
        if part
    ]
