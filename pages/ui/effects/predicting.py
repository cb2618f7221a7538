"""The first section of the Effects page: predictions over one column, with the data behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui import display, tables, text
from pages.ui.charts import effects_predictions as pictures
from pages.ui.charts.effects_predictions import Curve, Observed
from pages.ui.effects import predictions, tabled, words
from pages.ui.effects.predictions import Interval, Scale
from pages.ui.effects.setting import (
    MEAN_GROUP,
    MOST_LEVELS,
    Setting,
    Whose,
    choose_more,
    choose_scale,
    choose_whose,
    hold,
    stale_key,
)
from pages.ui.effects.variables import Variable

MOST_LINES = 7
NOTHING = "Only one line"


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is drawn: over which column, by which values of another, others held, for whom."""

    x: Variable
    by: Variable | None
    by_values: tuple[Any, ...]
    held: Mapping[str, Any]
    whose: tuple[Whose, ...]
    interval: Interval
    scale: Scale | None
    outcome: str


def section(known: Setting) -> None:
    """Choose, predict, draw, say."""
    asked = _choose(known)
    lines = curves(known, asked)
    behind = _observed(known, asked)
    sentences = words.each_curve(lines, asked.x.name, asked.outcome, known.level)
    said = " ".join(sentences)
    chart = pictures.predictions(
        lines,
        behind,
        names=(asked.x.name, asked.outcome),
        category=asked.x.kind == "category",
        words=said,
        caption=caption(known, asked),
        ink=display.ink(),
    )
    display.chart(replace(chart, message="\n".join(sentences)), "effects_predictions")
    tables.export(
        "effects_predictions",
        lambda: [tabled.predictions(lines, asked.x.name, known.level)],
        label="Export the numbers",
    )
    if asked.scale is not None:
        st.caption(text.escape(back_sentence(known, asked)))


def _choose(known: Setting) -> Asked:
    """The section's controls."""
    with st.grid(4, min_column_width=180):
        x = _choose_variable("Over", known.fixed, known, "effects_x")
        others = [variable for variable in known.variables if variable.name != x.name]
        by = _choose_by(others, known)
        who = choose_whose(known, stale_key(known, "effects_predictions"))
        more = () if by else choose_more(known, who, stale_key(known, "effects_more"))
    with st.container(horizontal=True, vertical_alignment="center"):
        interval = _choose_interval()
        scale, outcome = choose_scale(known, "effects_predictions_units")
    by_values = tuple(by.chosen()[:MOST_LINES]) if by else ()
    rest = [variable for variable in others if by is None or variable.name != by.name]
    held = _choose_held(rest, known)
    group = () if who.group is None else (who.group,)
    whose = group if by and group else (who.everyone, *group, *more)
    return Asked(x, by, by_values, held, whose, interval, scale, outcome)


def _choose_variable(label: str, among: Sequence[Variable], known: Setting, key: str) -> Variable:
    names = [variable.name for variable in among]
    chosen = st.selectbox(
        label,
        names,
        format_func=text.one_line,
        key=stale_key(known, key),
        persist_state="session",
        help="The column along the horizontal axis.",
    )
    return known.named(chosen or names[0])


def _choose_by(others: Sequence[Variable], known: Setting) -> Variable | None:
    """Another column, for a line at each of some of its values."""
    if not others:
        return None
    chosen = st.selectbox(
        "A line for each",
        [variable.name for variable in others],
        index=None,
        placeholder=NOTHING,
        format_func=text.one_line,
        key=stale_key(known, "effects_by"),
        persist_state="session",
        help="A category gets a line for each level; a number gets one at its mean and one a standard "
        "deviation below and above, as Aiken & West (1991) suggest.",
    )
    return known.named(chosen) if chosen else None


def _choose_interval() -> Interval:
    kinds: dict[Interval, str] = {"confidence": "Of the mean", "prediction": "Of a new observation"}
    return st.segmented_control(
        "The band is the interval",
        list(kinds),
        default="confidence",
        required=True,
        format_func=kinds.__getitem__,
        key="effects_interval",
        persist_state="session",
        help="Of the mean (confidence interval): where the mean lies. Of a new observation (prediction "
        "interval): where one more observation falls; it holds the residual and unknown groups too. Both "
        "allow for variances that were estimated from few groups (Satterthwaite 1946).",
    )


def _choose_held(rest: Sequence[Variable], known: Setting) -> dict[str, Any]:
    """Where all other columns stand; the boxes are made only when they are asked for."""
    held = {variable.name: variable.middle for variable in rest}
    if not rest:
        return held
    with (
        st.expander("Hold the other predictors elsewhere", icon=":material/push_pin:"),
        st.grid(4, min_column_width=150),
    ):
        for place, variable in enumerate(rest):
            held[variable.name] = hold(variable, stale_key(known, f"effects_hold_{place}"))
    return held


def curves(known: Setting, asked: Asked) -> list[Curve]:
    """A line for each value of `by`, or for each of those asked about."""
    along = asked.x.along()[: MOST_LEVELS if asked.x.kind == "category" else None]
    found = []
    for whose in asked.whose:
        at = {**{name: [value] for name, value in asked.held.items()}}
        if asked.by is not None:
            at[asked.by.name] = list(asked.by_values)
        new = predictions.crossed(whose.row, {**at, asked.x.name: along})
        table = predictions.predicted(known.result, new, whose.terms, asked.interval, known.level)
        table = predictions.in_units(table, asked.scale)
        for number in range(len(table) // len(along)):
            own = table.iloc[number * len(along) : (number + 1) * len(along)].reset_index(drop=True)
            colour = None if asked.by else whose.colour
            found.append(Curve(_name(asked, whose, number), along, own, colour=colour))
    return found


def _name(asked: Asked, whose: Whose, number: int) -> str:
    if asked.by is None:
        return whose.name
    return f"{text.shorten(asked.by.name, 20)} {words.value(asked.by_values[number])}"


def _observed(known: Setting, asked: Asked) -> Observed | None:
    """The rows behind the lines, as they are or adjusted, if wanted."""
    with st.container(horizontal=True):
        shown = st.toggle(
            "Show the data", value=True, key="effects_show_data", persist_state="session",
            help="The observations behind the predictions.",
        )  # fmt: skip
        adjusted = shown and st.toggle(
            "Adjust them for the other predictors",
            key="effects_adjusted",
            persist_state="session",
            help="Partial residuals: each observation is moved to where the other predictors are held and "
            "keeps its own residual (Larsen & McCleary 1972).",
        )
    if not shown:
        return None
    own = asked.whose[-1]
    y = predictions.observed(known.result)
    if adjusted:
        y = predictions.partial_residuals(known.result, known.rows, asked.held, own.terms)
    y = asked.scale.back(y) if asked.scale else y
    curve = _curve_of_row(known.rows, asked)
    keep = np.ones(len(y), dtype=bool)
    if asked.x.kind == "category":
        keep = known.rows[asked.x.name].isin(asked.x.levels[:MOST_LEVELS]).to_numpy()
    if own.mask is not None and asked.by is not None:
        keep &= own.mask.to_numpy()
    return Observed(known.rows[asked.x.name][keep], y[keep], curve[keep], known.rows.index[keep])


def _curve_of_row(rows: pd.DataFrame, asked: Asked) -> np.ndarray:
    """Which line each row belongs to, (n,); −1 for none in particular."""
    if asked.by is not None and asked.by.kind == "category":
        found = pd.Index(asked.by_values).get_indexer(pd.Index(rows[asked.by.name]))
        return np.asarray(found, dtype=int)
    found = np.full(len(rows), -1)
    for place, whose in enumerate(asked.whose):
        if whose.mask is not None and asked.by is None:
            found[whose.mask.to_numpy()] = place
    return found


def caption(known: Setting, asked: Asked) -> str:
    """How to read the chart: for whom, where the others stand, what the band is."""
    last = asked.whose[-1]
    if last.name == MEAN_GROUP:
        whom = "For the average group."
    elif len(asked.whose) > 2:
        listed = words.listed([whose.name for whose in asked.whose[1:]])
        whom = f"For the average group, and for {listed} with their own random effects."
    elif len(asked.whose) > 1:
        whom = f"For the average group, and for {last.name} with its own random effects."
    else:
        whom = f"For {last.name} with its own random effects."
    middle = "the mean" if asked.scale is None else "the median"
    band = middle if asked.interval == "confidence" else "a new observation"
    few = ""
    if asked.x.kind == "category" and len(asked.x.levels) > MOST_LEVELS:
        few = f"The first {MOST_LEVELS} of {len(asked.x.levels):,} categories are shown."
    if asked.by is not None and len(asked.by.chosen()) > MOST_LINES:
        few += f" Lines for the first {MOST_LINES} of {len(asked.by.levels):,} levels are shown."
    interval = f"Bands and bars are {known.level:.0%} intervals of {band}."
    where = words.held(known.variables, asked.held)
    return " ".join(filter(None, [whom, interval, where, few.strip(), words.OF_PREDICTIONS]))


def back_sentence(known: Setting, asked: Asked) -> str:
    """What a prediction in the outcome's own units is."""
    assert asked.scale is not None, "asked in units of the outcome"
    if asked.scale.log is None:
        return "Predictions of the root, squared: they are medians, not means."
    first, last = asked.whose[0], asked.whose[-1]
    at = {**{name: [value] for name, value in asked.held.items()}, asked.x.name: [asked.x.middle]}
    if asked.by is not None:
        at[asked.by.name] = [asked.by_values[0]]
    times = predictions.mean_factor(known.result, predictions.crossed(last.row, at), last.terms, asked.scale)
    whom = "" if first is last else f" For {last.name} it is"
    lead = whom or " Here the mean is"
    return (
        "The model is about the logarithm, so what is drawn is the median: half of such observations lie "
        f"below it.{lead} about {times:.3g} times the median."
    )
