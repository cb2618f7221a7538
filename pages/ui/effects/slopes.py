"""The last section of the Effects page: simple slopes, and where a slope differs from zero."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import display, tables, text
from pages.ui.charts import effects_predictions as pictures
from pages.ui.charts.effects_predictions import Curve
from pages.ui.charts.effects_slopes import johnson_neyman
from pages.ui.effects import comparing, predictions, slope_words, tabled, words
from pages.ui.effects.comparing import Ddf
from pages.ui.effects.setting import MEAN_GROUP, Setting, stale_key
from pages.ui.effects.variables import Variable

MOST_VALUES = 12
POINTS = 81
SAME = 1e-6
BANDS = "Bands are from the normal distribution."


def section(known: Setting) -> None:
    """Choose slope and moderator; slopes at its values, their differences, and the regions."""
    numeric = [v for v in known.fixed if v.kind == "number" and v.low < v.high]
    if not numeric:
        st.info("The model has no numeric predictor, so there is no slope. Look at means and contrasts.")
        return
    top = st.columns(3, vertical_alignment="bottom")
    with top[0]:
        x = _choose("Slope of", numeric, known, "effects_slope")
    with top[2]:
        ddf = comparing.choose_ddf("effects_slopes_ddf")
    others = [v for v in known.fixed if v.name != x.name and v.kind != "date"]
    partners = [v for v in others if depends(known, x, v)]
    if not partners:
        _alone(known, x, others, ddf)
        return
    with top[1]:
        moderator = _choose("That depends on", partners, known, "effects_moderator")
    try:
        _simple(known, x, moderator, ddf)
        if moderator.kind == "number":
            _regions(known, x, moderator, ddf)
    except MixedCoreError as err:
        comparing.refused(err)


def _choose(label: str, among: Sequence[Variable], known: Setting, key: str) -> Variable:
    names = [variable.name for variable in among]
    chosen = st.selectbox(
        label, names, format_func=text.one_line, key=stale_key(known, key), persist_state="session"
    )
    return known.named(chosen if chosen in names else names[0])


def depends(known: Setting, x: Variable, moderator: Variable) -> bool:
    """Whether the slope of `x` differs between values of another variable: whether the two interact."""
    values = values_of(moderator)
    if len(values) < 2:
        return False
    try:
        found = known.result.trends(x.name, moderator.name, {moderator.name: values}, ddf="normal")
    except MixedCoreError:
        return False
    slopes = found["estimate"].dropna()
    return len(slopes) > 1 and float(np.ptp(slopes)) > SAME * float(slopes.abs().max())


def values_of(moderator: Variable) -> list[Any]:
    """Where the slope is looked at."""
    return moderator.chosen()[:MOST_VALUES]


def _alone(known: Setting, x: Variable, others: Sequence[Variable], ddf: Ddf) -> None:
    """A slope that no other predictor changes."""
    try:
        row = known.result.trends(x.name, ddf=ddf, level=known.level).iloc[0]
    except MixedCoreError as err:
        comparing.refused(err)
        return
    st.markdown(text.escape(slope_words.one_slope(row, x.name, known.outcome, known.level)))
    st.caption(text.escape(f"{where_taken(known, x)} {words.of_tests(ddf)}".strip()))
    if others:
        st.info(
            f"In this model no other predictor changes the slope of {text.escape(text.shorten(x.name))}: "
            f"there is no interaction. To let {text.escape(text.shorten(others[0].name))} change it, add the "
            "interaction of the two on the Model page.",
            icon=":material/info:",
        )
        st.page_link("pages/model.py", label="Add an interaction", icon=":material/tune:")


def _simple(known: Setting, x: Variable, moderator: Variable, ddf: Ddf) -> None:
    """Slopes at values of the moderator: lines, table, differences."""
    values = values_of(moderator)
    trends = known.result.trends(x.name, moderator.name, {moderator.name: values}, ddf=ddf, level=known.level)
    tested = with_tests(known, trends, ddf)
    said = slope_words.simple_slopes(tested, x.name, moderator.name, known.outcome, known.level)
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        display.chart(_lines(known, x, moderator, values, said), "effects_slope_lines")
    with right:
        st.markdown(text.escape(said))
        if len(moderator.chosen()) > MOST_VALUES:
            st.caption(f"The first {MOST_VALUES} of {len(moderator.levels):,} levels are shown.")
        if moderator.kind == "number":
            st.caption("Values are the mean, and one standard deviation below and above (Aiken & West 1991).")
    table = tabled.estimates(tested, "Slope", known.level, alt="Simple slopes", name="simple-slopes")
    tables.show(table, "effects_simple_slopes", "Simple slopes")
    st.caption(text.escape(f"{where_taken(known, x)} {words.of_tests(ddf)}".strip()))
    if len(values) > 1:
        adjust = comparing.choose_adjustment("effects_slopes_adjust", "tukey")
        found = known.result.contrasts(trends, adjust=adjust, ddf=ddf, level=known.level)
        pairs = combinations(map(words.value, values), 2)
        found["contrast"] = [f"{one} less {other}" for one, other in pairs]
        comparing.show(found, "difference", known.level, "effects_slope_differences", "Differences of slopes")


def where_taken(known: Setting, x: Variable) -> str:
    """Where along `x` a slope is, and in which units of the outcome."""
    name = text.shorten(x.name, 30)
    place = f"At the mean of {name}, {words.value(x.mean)}: this matters only where a line bends."
    if known.scale is None:
        return place
    kind = "root" if known.scale.log is None else "logarithm"
    return f"{place} On the scale of the {kind} of {text.shorten(known.scale.column, 30)}."


def with_tests(known: Setting, trends: pd.DataFrame, ddf: Ddf) -> pd.DataFrame:
    """Slopes with their tests against zero, which `trends` leaves out."""
    each = known.result.contrasts(trends, np.eye(len(trends)), adjust="none", ddf=ddf, level=known.level)
    found = trends.assign(statistic=each["statistic"].to_numpy(), p_value=each["p_value"].to_numpy())
    numbers = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]
    own = [name for name in trends.columns if name not in (*numbers, "note")]
    return found[[*own, *numbers, *(["note"] if "note" in found else [])]]


def _lines(known: Setting, x: Variable, moderator: Variable, values: Sequence[Any], said: str) -> Any:
    """The outcome over `x`, a line at each value of the moderator, all else at the mean or first level."""
    held = {v.name: v.middle for v in known.variables if v.name not in (x.name, moderator.name)}
    curves, along = [], x.along()
    for value in values:
        at = {**{name: [where] for name, where in held.items()}, moderator.name: [value], x.name: along}
        found = predictions.predicted(
            known.result, predictions.crossed(known.rows.iloc[[0]], at), (), "confidence", known.level
        )
        curves.append(Curve(f"{text.shorten(moderator.name, 20)} {words.value(value)}", along, found))
    where = words.held(known.variables, held)
    chart = pictures.predictions(
        curves,
        None,
        names=(x.name, known.outcome),
        category=False,
        words=said,
        caption=" ".join(filter(None, [f"For {MEAN_GROUP.lower()}.", where, BANDS])),
        ink=display.ink(),
    )
    return pictures.titled(chart, f"Lines for {text.shorten(moderator.name, 30)}")


def _regions(known: Setting, x: Variable, moderator: Variable, ddf: Ddf) -> None:
    """Johnson and Neyman's plot, and the regions in words."""
    options: dict[str, Any] = {"ddf": ddf, "level": known.level}
    regions = known.result.johnson_neyman(x.name, moderator.name, **options)
    grid = {moderator.name: moderator.along(POINTS)}
    slopes = known.result.trends(x.name, moderator.name, grid, **options)
    observed = known.rows[moderator.name]
    said = slope_words.regions(regions, observed, x.name, moderator.name, known.level)
    chart = johnson_neyman(
        slopes,
        regions,
        observed.to_numpy(dtype=float),
        names=(x.name, moderator.name),
        level=known.level,
        words=said,
        ink=display.ink(),
    )
    display.chart(chart, "effects_johnson_neyman")
    st.markdown(text.escape(said))
    what = f"Slope of {text.shorten(x.name)}"
    table = {"alt": f"{what} over {text.shorten(moderator.name)}", "name": "johnson-neyman"}
    tables.export(
        "effects_johnson_neyman",
        lambda: [tabled.estimates(slopes, what, known.level, **table)],
        label="Export the numbers",
    )
    st.caption("Johnson & Neyman 1936; Bauer & Curran 2005. Each value is tested by itself.")
