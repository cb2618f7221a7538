"""Values that very probably stand for a missing one: codes far from all else, and words among numbers. Pure.

Only offered, never assumed: -99 is a good temperature somewhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pages.ui.data import columns, parsing
from pages.ui.data.columns import Settled
from pages.ui.data.sources import Source

NUMBERS = (-7, -8, -9, -77, -88, -97, -98, -99, -777, -888, -999, -9999, 88, 99, 888, 998, 999, 9999, 99999)
WORDS = frozenset(
    (
        *("-", "--", "?", "*", "x", "none", "na", "n.a.", "n.a", "n. a.", "k.a.", "k. a.", "k.a", "missing"),
        *("unknown", "refused", "no answer", "not available", "not applicable", "don't know", "dk", "blank"),
        *("keine angabe", "fehlt", "unbekannt", "weiß nicht", "weiss nicht", "<na>"),
        *("#nv", "#value!", "#wert!", "#div/0!", "#ref!", "#bezug!", "#name?", "#num!", "#zahl!"),
    )
)
MOST_WORDS = 20
"""A text column with more different texts that are no numbers is not a number with a few words."""


@dataclass(frozen=True, slots=True)
class Likely:
    """code : as it is written;  times : how often it stands in these columns, which are text or numbers"""

    code: str
    times: int
    columns: tuple[str, ...]


def likely(
    frame: pd.DataFrame, settled: Settled, known: Collection[str], marks: parsing.Marks | None = None
) -> tuple[Likely, ...]:
    """The codes, in the order in which they are met.

    frame : the columns as read;  known : texts that count as missing already
    """
    found: dict[str, list[tuple[str, int]]] = {}
    for column in settled.columns:
        codes: dict[str, int] = {}
        if column.kind == "number":
            codes = _far(settled.frame[column.name])
        elif column.kind == "category" and column.offer is not None and column.offer[0] == "number":
            codes = _among_numbers(frame[column.name], known, marks or parsing.Marks())
        for code, times in codes.items():
            if code not in known:
                found.setdefault(code, []).append((column.name, times))
    return tuple(
        Likely(code, sum(times for _, times in each), tuple(name for name, _ in each))
        for code, each in found.items()
    )


def _far(values: pd.Series) -> dict[str, int]:
    """The codes in a column of numbers that lie far from its other values, and how often each occurs."""
    coded = values.isin(NUMBERS)
    rest = values[~coded].dropna()
    rest = rest[np.isfinite(rest)]
    if not coded.any() or rest.empty:
        return {}
    low, high = float(rest.min()), float(rest.max())
    span = high - low
    whole = [int(code) for code in values[coded]]
    return {
        f"{code}": whole.count(code)
        for code in sorted(set(whole))
        if (code < 0 and (low >= 0 or code < low - span)) or (span > 0 and code > high + span)
    }


def _among_numbers(raw: pd.Series, known: Collection[str], marks: parsing.Marks) -> dict[str, int]:
    """The words for missing in a column that else holds numbers, and the codes among these."""
    text = columns.without_codes(columns.as_text(raw), tuple(known))[0]
    plain = parsing.plain_numbers(text, marks).to_pandas()
    numbers = pd.to_numeric(plain, errors="coerce")
    words = text.to_pandas()[numbers.isna()].dropna().value_counts(sort=False)
    if len(words) > MOST_WORDS:
        return {}
    return {word: int(n) for word, n in words.items() if word.casefold() in WORDS} | _far(numbers)


def clears(codes: Collection[Likely], column: columns.Column, source: Source, known: Collection[str]) -> bool:
    """Whether a text column holds numbers alone once these codes count as missing."""
    gone = {each.code for each in codes if column.name in each.columns}
    if not gone or column.name not in source.frame:
        return False
    values = columns.as_text(source.frame[column.name])
    rest = columns.without_codes(values, (*known, *gone))[0].drop_null()
    marks = parsing.Marks(source.options.decimal or ".", source.options.thousands)
    return parsing.all_numbers(parsing.plain_numbers(rest, marks))
