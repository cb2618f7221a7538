"""What the columns of a dataset hold, as a table to read. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from pages.ui.data.columns import KIND_NAMES, Settled
from pages.ui.numbers import figures

TOP = 3
ROUNDING = 1e-12
"""Share of the range below which a mean is what rounding left of zero."""


def table(
    settled: Settled,
    meanings: dict[str, str] | None = None,
    known: Mapping[str, tuple[int, str]] | None = None,
) -> pd.DataFrame:
    """One row a column: name, type, missing, distinct values, what the values are, meaning if known.

    known : distinct values, and what they are, of columns that were looked at before
    """
    looked = {
        column.name: (known or {}).get(column.name) or _looked_at(settled.frame[column.name])
        for column in settled.columns
    }
    rows = [
        {
            "Column": column.name,
            "Type": KIND_NAMES[column.kind],
            "Set by": "you" if column.kind != column.guessed else "its values",
            "Missing": column.missing,
            "Distinct": looked[column.name][0],
            "Values": looked[column.name][1],
            "Meaning": (meanings or {}).get(column.name, ""),
        }
        for column in settled.columns
    ]
    profile = pd.DataFrame(rows)
    if not meanings:
        return profile.drop(columns="Meaning")
    return profile.drop(columns="Set by") if (profile["Set by"] == "its values").all() else profile


def _looked_at(series: pd.Series) -> tuple[int, str]:
    return int(series.nunique()), values(series)


def looked_at(profile: pd.DataFrame, names: Collection[str]) -> dict[str, tuple[int, str]]:
    """What `table` found out of these columns, to be taken over into another one."""
    rows = profile[profile["Column"].isin(names)]
    return {
        str(name): (int(distinct), str(shown))
        for name, distinct, shown in zip(rows["Column"], rows["Distinct"], rows["Values"], strict=True)
    }


def values(series: pd.Series) -> str:
    """The range and mean of numbers, the range of dates, the most frequent of other values."""
    present = series.dropna()
    if present.empty:
        return "none"
    if pd.api.types.is_bool_dtype(series.dtype):  # of categories True and False too
        yes = int((present == True).sum())  # noqa: E712 - a category has no other way to be asked
        return f"yes {yes:,} · no {len(present) - yes:,}"
    if pd.api.types.is_numeric_dtype(series.dtype):
        finite = present[np.isfinite(present)]
        if finite.empty:
            return "all infinite"
        low, high, mean = (float(found) for found in (finite.min(), finite.max(), finite.mean()))
        mean = 0.0 if abs(mean) < ROUNDING * (high - low) else mean
        return f"{number(low)} to {number(high)}, mean {number(mean)}"
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return f"{present.min():%Y-%m-%d} to {present.max():%Y-%m-%d}"
    counts = present.value_counts().head(TOP)
    shown = " · ".join(f"{str(level)[:30]} ({count:,})" for level, count in counts.items())
    return shown + (" · …" if present.nunique() > TOP else "")


def number(value: float) -> str:
    """Four significant digits, whole numbers in full."""
    if float(value).is_integer() and abs(value) < 1e7:
        return f"{int(value):,}"
    return figures(value)


def missing_table(settled: Settled) -> pd.DataFrame:
    """Columns that have missing values, the most first: number, share, and the texts that stood for them."""
    rows = [
        {
            "Column": column.name,
            "Missing": column.missing,
            "Share": column.missing / max(len(settled.frame), 1),
            "Written as": ", ".join(
                f"{code or 'empty'} ({count:,})" for code, count in column.by_code.items()
            ),
        }
        for column in settled.columns
        if column.missing
    ]
    return (
        pd.DataFrame(rows).sort_values("Missing", ascending=False, kind="stable") if rows else pd.DataFrame()
    )
