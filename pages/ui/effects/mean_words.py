"""What marginal means and weights say, in plain sentences. Plain text; no Streamlit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pages.ui import text
from pages.ui.effects import words
from pages.ui.effects.slope_words import p_text
from pages.ui.numbers import number

ZERO = 1e-9


def means(found: pd.DataFrame, names: Sequence[str], outcome: str, level: float) -> str:
    """The lowest and the highest mean, and how many the data do not determine."""
    known = found.dropna(subset=["estimate"])
    lost = len(found) - len(known)
    if known.empty:
        return "The data determine none of these means."
    low, high = (known.iloc[int(place)] for place in (known["estimate"].argmin(), known["estimate"].argmax()))
    outcome = text.shorten(outcome, 30)
    if len(known) == 1:
        said = f"The mean of {outcome} for {_cell(low, names)} is {_with_interval(low, level)}."
    else:
        said = (
            f"The mean of {outcome} is lowest for {_cell(low, names)}, {_with_interval(low, level)}, and "
            f"highest for {_cell(high, names)}, {_with_interval(high, level)}."
        )
    if lost:
        said += f" {lost} of {len(found)} means are empty: the data have no rows for them."
    return said


def _cell(row: pd.Series, names: Sequence[str]) -> str:
    return words.listed([f"{text.shorten(name, 20)} {words.value(row[name])}" for name in names])


def _with_interval(row: pd.Series, level: float) -> str:
    return f"{number(row['estimate'])} ({level:.0%} interval {words.interval(row)})"


def together(test: pd.Series, count: int) -> str:
    """Whether means differ at all: one F test of them together (χ² where nothing limits its df)."""
    if not test["num_df"]:
        return "The data do not determine whether these means differ."
    p, q = float(test["p_value"]), float(test["num_df"])
    name = f"F({q:.0f}, {number(float(test['den_df']), 3)}) = {number(float(test['statistic']), 3)}"
    if np.isinf(test["den_df"]):
        name = f"χ²({q:.0f}) = {number(q * float(test['statistic']), 3)}"
    verdict = "differ by more than chance would make them" if p < 0.05 else "may differ by chance alone"
    return f"The {count} means together {verdict} ({name}, {p_text(p)})."


def ratio(found: pd.DataFrame, base: float | None, level: float) -> str:
    """The largest difference of logarithms as what it is in the outcome's own units: a ratio."""
    known = found.dropna(subset=["estimate"])
    if known.empty or base is None:
        return ""
    top = known.iloc[int(known["estimate"].abs().to_numpy().argmax())]
    ends = [number(float(base ** top[name]), 3) for name in ("conf_low", "conf_high")]
    name = text.shorten(top["contrast"], 50)
    return (
        f"In the outcome’s own units these are ratios of medians: {name} is a ratio of "
        f"{number(float(base ** top['estimate']), 3)} ({level:.0%} interval {ends[0]} to {ends[1]})."
    )


def weights(names: Sequence[str], given: Sequence[float]) -> str:
    """What a weighted sum of means is: a comparison if the weights cancel, else a sum."""
    total = sum(given)
    if not any(given):
        return "All weights are zero; give two of the means a weight, such as 1 and −1."
    if abs(total) <= ZERO * max(map(abs, given)):
        return "The weights cancel, so this is a comparison: zero means no difference."
    if abs(total - 1) <= ZERO:
        return "The weights add up to 1, so this is a weighted mean; its test asks whether that mean is zero."
    return (
        f"The weights add up to {number(total)}, not to zero, so this is not a comparison: its test asks "
        "whether the weighted sum of means is zero."
    )


def label(names: Sequence[str], given: Sequence[float]) -> str:
    """The sum as text: '1 A − 0.5 B − 0.5 C'."""
    parts: list[str] = []
    for name, weight in zip(names, given, strict=True):
        if weight:
            sign = "− " if weight < 0 else "+ " if parts else ""
            size = "" if abs(weight) == 1 else f"{abs(weight):g} "
            parts.append(f"{sign}{size}{text.shorten(name, 24)}")
    return " ".join(parts)
