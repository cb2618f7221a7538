"""What predictions, means and slopes say, in plain sentences with their numbers. Plain text; no Streamlit.

Callers escape for the place where the text goes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pages.ui import text
from pages.ui.charts.effects_predictions import Curve
from pages.ui.effects.variables import Variable
from pages.ui.numbers import fixed, number

MOST_SAID = 7
OF_PREDICTIONS = "Intervals are from the t distribution with Satterthwaite’s degrees of freedom."
_NUMBER = re.compile(r"\s*[-−+]?[\d.,]+\s*$")
_SIGNS = re.compile(r"^[-−+]|\s[-−+]\s")


def of_tests(ddf: str) -> str:
    """From which distribution tests and intervals of means and slopes are."""
    if ddf == "normal":
        return "Tests and intervals are from the normal distribution."
    how = {"satterthwaite": "Satterthwaite’s", "kenward-roger": "Kenward and Roger’s"}
    found = f"{how[ddf]} degrees of freedom" if ddf in how else "rows less coefficients as degrees of freedom"
    return f"Tests and intervals are from the t distribution with {found}."


def value(given: Any) -> str:
    """A value of a column: a number with four digits, a date as a date, text shortened."""
    if isinstance(given, pd.Timestamp):
        return f"{given:%Y-%m-%d}" if given == given.normalize() else f"{given:%Y-%m-%d %H:%M}"
    if isinstance(given, (bool, np.bool_)):
        return "yes" if given else "no"
    if isinstance(given, (int, float, np.number)):
        whole = float(given).is_integer() and abs(float(given)) < 1e6
        return f"{int(given):,}".replace("-", "−") if whole else number(float(given))
    return text.shorten(given, 40)


def mean(variable: Variable) -> str:
    """The mean of a number, without the digits that say nothing beside its spread: 0.0001 of 0.4 is 0."""
    spread = variable.sd
    if not np.isfinite(spread) or spread <= 0:
        return value(variable.mean)
    places = 2 - int(np.floor(np.log10(spread)))
    found = round(variable.mean, places)
    whole = found.is_integer() and abs(found) < 1e6
    return value(found) if whole or not 0 < places <= 6 else fixed(found, places)


def label(name: str, given: Any) -> str:
    """A level as it is called beside others: 'Public'; with its column where it is a number: 'Diet 1'."""
    said = value(given)
    text_alone = isinstance(given, str) and not _NUMBER.match(given)
    return said if text_alone else f"{text.shorten(name, 20)} {said}"


def cell(names: Sequence[str], values: Sequence[Any]) -> str:
    """A combination of levels: 'Victory nitro 0.6'."""
    return " ".join(label(name, each) for name, each in zip(names, values, strict=True)) or "overall"


def difference(one: str, other: str) -> str:
    """'A − B'; a name with a sign or a space between signs of its own stands in brackets."""
    first, second = (f"({name})" if _SIGNS.search(name) else name for name in (one, other))
    return f"{first} − {second}"


def listed(items: Sequence[str]) -> str:
    """'a, b and c'."""
    return text.enumerated(items, len(items))


def held(variables: Sequence[Variable], at: Mapping[str, Any]) -> str:
    """Where the other columns stand, as a sentence; '' when there are none."""
    parts = []
    for variable in variables:
        if variable.name in at:
            given, name = at[variable.name], text.shorten(variable.name)
            middle = variable.kind == "number" and np.isclose(given, variable.mean)
            parts.append(f"{name} at {mean(variable)} (its mean)" if middle else f"{name} at {value(given)}")
    return f"Held still: {listed(parts)}." if parts else ""


def curves(drawn: Sequence[Curve], x: str, outcome: str, level: float) -> str:
    """What lines or points of predictions show."""
    return " ".join(each_curve(drawn, x, outcome, level))


def each_curve(drawn: Sequence[Curve], x: str, outcome: str, level: float) -> list[str]:
    """The same, one sentence a line."""
    what = f"redicted {text.shorten(outcome)}"
    return [
        _curve(curve, what, text.shorten(x), level, several=len(drawn) > 1) for curve in drawn[:MOST_SAID]
    ]


def _curve(curve: Curve, what: str, x: str, level: float, *, several: bool) -> str:
    known = curve.found["fit"].notna().to_numpy()
    lead = f"{curve.name}: p{what}" if several else f"P{what}"
    if not known.any():
        return f"{lead} has no value here."
    fit, places = curve.found["fit"].to_numpy()[known], np.flatnonzero(known)
    first, last = places[0], places[-1]
    if fit.size == 1:
        return f"{lead} is {_with_interval(curve.found.iloc[first], level)} at {x} {value(curve.x[first])}."
    if not isinstance(curve.x[0], (int, float, pd.Timestamp)) or isinstance(curve.x[0], bool):
        low, high = places[fit.argmin()], places[fit.argmax()]
        return (
            f"{lead} is lowest for {x} {value(curve.x[low])}, {_with_interval(curve.found.iloc[low], level)},"
            f" and highest for {x} {value(curve.x[high])}, {_with_interval(curve.found.iloc[high], level)}."
        )
    start, end = (_with_interval(curve.found.iloc[place], level) for place in (first, last))
    return (
        f"{lead} goes from {start} at {x} {value(curve.x[first])} to {end} at {value(curve.x[last])}"
        f"{_turn(curve, fit, places)}."
    )


def _turn(curve: Curve, fit: np.ndarray, places: np.ndarray) -> str:
    """Where a curve has its top or bottom, if that is inside."""
    slack = 1e-6 * max(float(np.ptp(fit)), 1e-300)
    for extreme, what in ((int(fit.argmax()), "highest"), (int(fit.argmin()), "lowest")):
        if min(abs(fit[extreme] - fit[0]), abs(fit[extreme] - fit[-1])) > slack:
            return f", {what} at {value(curve.x[places[extreme]])} ({number(float(fit[extreme]))})"
    return ""


def _with_interval(row: pd.Series, level: float) -> str:
    return f"{number(row['fit'])} ({level:.0%} interval {interval(row)})"


def interval(row: pd.Series) -> str:
    """'1.2 to 3.4'."""
    return f"{number(float(row['conf_low']))} to {number(float(row['conf_high']))}"


def change(now: float, before: float, outcome: str, ratio: bool) -> str:
    """How a prediction differs from the one before."""
    if not np.isfinite(now) or not np.isfinite(before):
        return "One of the two predictions has no value."
    difference = now - before
    if abs(difference) <= 1e-9 * max(abs(now), abs(before)):
        return f"The predicted {text.shorten(outcome)} is the same as before."
    more = "more" if difference > 0 else "less"
    times = f", {number(now / before, 3)} times as much" if ratio and before > 0 else ""
    return f"{number(abs(difference))} {more} {text.shorten(outcome)} than before ({number(before)}){times}."
