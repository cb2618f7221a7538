"""What slopes and their regions say, in plain sentences. Plain text; no Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pages.ui import text
from pages.ui.effects import words
from pages.ui.numbers import number, p_value

MOST_SLOPES_SAID = 6
RISES = {1: "rises", -1: "falls", 0: "is not clearly different from flat"}


def p_text(p: float) -> str:
    """'p < 0.001', 'p = 0.030'."""
    shown = p_value(p)
    return f"p {shown}" if shown[0] in "<>" else f"p = {shown}"


def sign_of(row: pd.Series) -> int:
    """Whether an interval lies above (1) or below (−1) zero, or holds it (0)."""
    return int(row["conf_low"] > 0) - int(row["conf_high"] < 0)


def simple_slopes(found: pd.DataFrame, x: str, moderators: Sequence[str], outcome: str, level: float) -> str:
    """The slope at each value, or combination of values, of the moderators."""
    x, outcome = text.shorten(x, 30), text.shorten(outcome, 30)
    parts: list[str] = []
    for _, row in found.iterrows():
        at = [f"{text.shorten(name, 30)} {words.value(row[name])}" for name in moderators]
        where = f"at {words.listed(at)}"
        if np.isnan(row["estimate"]):
            parts.append(f"{where} the data do not determine the slope")
            continue
        parts.append(
            f"{where} {outcome} {RISES[sign_of(row)]}, {number(row['estimate'])} for each unit of {x} "
            f"({level:.0%} interval {words.interval(row)})"
        )
    said = "; ".join(parts[:MOST_SLOPES_SAID])
    more = f"; {len(parts) - MOST_SLOPES_SAID} more are in the table" if len(parts) > MOST_SLOPES_SAID else ""
    return f"{said[:1].upper()}{said[1:]}{more}."


def change(row: pd.Series, x: str, moderator: str, level: float) -> str:
    """By how much a slope changes with a number: the interaction of the two, tested once."""
    x, moderator = text.shorten(x, 30), text.shorten(moderator, 30)
    shown = f"{level:.0%} interval {words.interval(row)}, {p_text(float(row['p_value']))}"
    clear = "" if sign_of(row) else " The data do not show clearly that it changes."
    return (
        f"For each unit of {moderator} the slope of {x} changes by {number(row['estimate'])} ({shown}). All "
        f"differences between these slopes are this one number, their interaction, times a distance.{clear}"
    )


def one_slope(row: pd.Series, x: str, outcome: str, level: float) -> str:
    """A slope that is the same everywhere."""
    return (
        f"{text.shorten(outcome, 30)} {RISES[sign_of(row)]} with {text.shorten(x, 30)}: "
        f"{number(row['estimate'])} for each unit ({level:.0%} interval {words.interval(row)})."
    )


def regions(found: pd.DataFrame, observed: pd.Series, x: str, moderator: str, level: float) -> str:
    """Where the slope differs from zero, and how much of the data lies there."""
    values = observed.dropna().to_numpy(dtype=float)
    low, high = values.min(), values.max()
    x, moderator = text.shorten(x, 30), text.shorten(moderator, 30)
    parts = [_region(row, values, moderator) for _, row in found.iterrows() if row["sign"]]
    if not parts:
        return (
            f"At no value of {moderator} does the {level:.0%} interval of the slope of {x} leave out zero, "
            "so the data do not show where it differs from flat."
        )
    lead = f"The slope of {x} differs from zero ({level:.0%} interval) where {words.listed(parts)}."
    ends = f" The data have {moderator} from {words.value(float(low))} to {words.value(float(high))}."
    return lead + ends


def _region(row: pd.Series, values: np.ndarray, moderator: str) -> str:
    """One stretch, with the share of the rows in it."""
    low, high = float(row["low"]), float(row["high"])
    share = float(((values >= low) & (values <= high)).mean())
    kind = "positive" if row["sign"] > 0 else "negative"
    first, last = low <= values.min(), high >= values.max()
    if first and last:
        where = f"{moderator} has any value in the data"
    elif np.isinf(low) or first:
        where = f"{moderator} is below {number(high)}"
    elif np.isinf(high) or last:
        where = f"{moderator} is above {number(low)}"
    else:
        where = f"{moderator} is between {number(low)} and {number(high)}"
    count = (
        "none of the rows" if share == 0 else f"{100 * share:.0f}% of the rows" if share < 1 else "all rows"
    )
    count = "under 1% of the rows" if 0 < share < 0.005 else count
    return f"{where} ({kind} slope, {count})"


def _where(row: pd.Series) -> str:
    """' at Variety Victory and nitro 0.6': the levels within which a comparison is taken; '' without any."""
    within = list(row.index[: list(row.index).index("contrast")])
    at = [f"{text.shorten(name, 30)} {words.value(row[name])}" for name in within]
    return f" at {words.listed(at)}" if at else ""


def differences(found: pd.DataFrame, what: str, level: float) -> str:
    """How many of the comparisons differ from zero, and the largest."""
    known = found.dropna(subset=["estimate"])
    if known.empty:
        return "The data determine none of these comparisons."
    clear = known["p_value"] < 1 - level
    top: Any = known.iloc[int(known["estimate"].abs().argmax())]
    shown = f"{level:.0%} interval {words.interval(top)}, {p_text(float(top['p_value']))}"
    name = text.shorten(top["contrast"], 50) + _where(top)
    if len(known) == 1:
        verdict = "differs from zero" if clear.iloc[0] else "is not clearly different from zero"
        return f"The {what} {name} is {number(top['estimate'])} ({shown}): it {verdict}."
    return (
        f"{int(clear.sum())} of {len(known)} comparisons differ from zero (p < {1 - level:.2g}). The largest "
        f"{what} is {name}: {number(top['estimate'])} ({shown})."
    )
