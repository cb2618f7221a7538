"""The last section of the Effects page: simple slopes, and where a slope differs from zero."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from mixedcore.errors import MixedCoreError
from mixedcore.inference.hypotheses import Ddf
from pages.ui import display, tables, text
from pages.ui.charts.effects_slopes import johnson_neyman
from pages.ui.effects import comparing, slope_lines, slope_words, tabled, words
from pages.ui.effects.setting import Setting, stale_key
from pages.ui.effects.variables import Variable

MOST_VALUES = 12
POINTS = 81
MOST_SLOPES = 27
SAME = 1e-6


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
        moderators = _choose_moderators(partners, known, x)
    count = prod(len(values_of(each)) for each in moderators)
    if count > MOST_SLOPES:
        st.warning(f"That makes {count} slopes; at most {MOST_SLOPES} can be read. Choose fewer moderators.")
        return
    try:
        _say_averaged(partners, moderators, x)
        _simple(known, x, moderators, ddf)
        if len(moderators) == 1 and moderators[0].kind == "number":
            _regions(known, x, moderators[0], ddf)
    except MixedCoreError as err:
        comparing.refused(err)


def _choose(label: str, among: Sequence[Variable], known: Setting, key: str) -> Variable:
    names = [variable.name for variable in among]
    chosen = st.selectbox(
        label, names, format_func=text.one_line, key=stale_key(known, key), persist_state="session"
    )
    return known.named(chosen if chosen in names else names[0])


def _choose_moderators(partners: Sequence[Variable], known: Setting, x: Variable) -> list[Variable]:
    """By which predictors the slope is looked at; the first one unless told otherwise."""
    names = [variable.name for variable in partners]
    chosen = st.multiselect(
        "That depends on",
        names,
        default=names[:1],
        max_selections=3,
        wrap=True,
        format_func=text.one_line,
        key=stale_key(known, f"effects_moderators_{x.name}"),
        persist_state="session",
        help="Predictors that interact with it (moderators). With several, a slope is shown at every "
        "combination of their levels; the others are averaged over.",
    )
    return [known.named(name) for name in chosen or names[:1]]


def _say_averaged(partners: Sequence[Variable], moderators: Sequence[Variable], x: Variable) -> None:
    """Name the predictors that change the slope too and are averaged over."""
    left = [each.name for each in partners if each not in moderators]
    if left:
        they = "changes" if len(left) == 1 else "change"
        name = text.escape(text.shorten(x.name))
        st.caption(
            f"{text.listing(left)} {they} the slope of {name} too; each slope here is averaged over that. "
            "Add it above to see it apart."
        )


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


def _simple(known: Setting, x: Variable, moderators: Sequence[Variable], ddf: Ddf) -> None:
    """Slopes at values of the moderators: lines, table, differences."""
    values = {each.name: values_of(each) for each in moderators}
    trends = known.result.trends(x.name, list(values), values, ddf=ddf, level=known.level)
    tested = with_tests(known, trends, ddf)
    said = slope_words.simple_slopes(tested, x.name, list(values), known.outcome, known.level)
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        display.chart(slope_lines.chart(known, x, values, said), "effects_slope_lines")
    with right:
        st.markdown(text.unbroken(text.escape(said)))
        _about_values(moderators)
    table = tabled.estimates(tested, "Slope", known.level, alt="Simple slopes", name="simple-slopes")
    tables.show(table, "effects_simple_slopes", "Simple slopes")
    st.caption(text.escape(f"{where_taken(known, x)} {words.of_tests(ddf)}".strip()))
    if len(moderators) == 1 and changes_evenly(trends, moderators[0]):
        _change(known, trends, x, moderators[0], ddf)
    elif len(trends) > 1:
        _differences(known, trends, list(values), ddf)


def _about_values(moderators: Sequence[Variable]) -> None:
    """Which values of the moderators are looked at."""
    for each in moderators:
        if len(each.chosen()) > MOST_VALUES:
            st.caption(f"The first {MOST_VALUES} of {len(each.levels):,} levels are shown.")
    if any(each.kind == "number" for each in moderators):
        st.caption(
            "A number is taken at its mean, and one standard deviation below and above (Aiken & West 1991)."
        )


def changes_evenly(trends: pd.DataFrame, moderator: Variable) -> bool:
    """Whether the slope changes by the same for each unit of a number: one interaction, one test."""
    if moderator.kind != "number" or len(trends) < 2 or trends["estimate"].isna().any():
        return False
    change = np.diff(trends["estimate"]) / np.diff(trends[moderator.name].to_numpy(dtype=float))
    return float(np.ptp(change)) <= SAME * float(np.abs(change).max())


def _change(known: Setting, trends: pd.DataFrame, x: Variable, moderator: Variable, ddf: Ddf) -> None:
    """By how much the slope changes for a unit of the moderator: the differences are all this one number."""
    values = trends[moderator.name].to_numpy(dtype=float)
    weights = np.zeros(len(values))
    weights[[0, -1]] = np.array([-1, 1]) / (values[-1] - values[0])
    found = known.result.contrasts(trends, {"change": weights}, ddf=ddf, level=known.level).iloc[0]
    said = slope_words.change(found, x.name, moderator.name, known.level)
    st.markdown(text.unbroken(text.escape(said)))


def _differences(known: Setting, trends: pd.DataFrame, names: list[str], ddf: Ddf) -> None:
    """Slopes compared: all pairs, or along one moderator at each level of the others."""
    top = st.columns(3, vertical_alignment="bottom")
    with top[0]:
        adjust = comparing.choose_adjustment("effects_slopes_adjust", "tukey")
    along = None
    if len(names) > 1:
        with top[1]:
            along = _choose_along(names, known)
    own, within = (names, []) if along is None else ([along], [n for n in names if n != along])
    cells = trends[own].drop_duplicates().itertuples(index=False, name=None)
    found = known.result.contrasts(trends, adjust=adjust, by=within, ddf=ddf, level=known.level)
    pairs = comparing.pairs([words.cell(own, cell) for cell in cells], "pairwise")
    found = comparing.renamed(found, pairs)
    comparing.show(found, "difference", known.level, "effects_slope_differences", "Differences of slopes")


def _choose_along(names: Sequence[str], known: Setting) -> str | None:
    return st.selectbox(
        "Compare levels of",
        names,
        index=None,
        placeholder="All pairs",
        format_func=text.one_line,
        key=stale_key(known, f"effects_slopes_along_{names}"),
        help="All pairs of slopes (Dawson & Richter 2006), or the levels of one moderator at each level of "
        "the others, each of these adjusted by itself.",
    )


def where_taken(known: Setting, x: Variable) -> str:
    """Where along `x` a slope is, if that matters, and in which units of the outcome; '' if neither does."""
    name = text.shorten(x.name, 30)
    place = f"At the mean of {name}, {words.mean(x)}, for the line bends." if bends(known, x) else ""
    if known.scale is None:
        return place
    kind = "root" if known.scale.log is None else "logarithm"
    return f"{place} On the scale of the {kind} of {text.shorten(known.scale.column, 30)}.".strip()


def bends(known: Setting, x: Variable) -> bool:
    """Whether the slope of `x` differs along `x` itself, as that of a polynomial or a spline does."""
    try:
        found = [
            float(known.result.trends(x.name, (), {x.name: [at]}, ddf="normal")["estimate"].iloc[0])
            for at in (x.low, x.mean, x.high)
        ]
    except MixedCoreError:
        return True
    return not np.ptp(found) <= SAME * np.abs(found).max()


def with_tests(known: Setting, trends: pd.DataFrame, ddf: Ddf) -> pd.DataFrame:
    """Slopes with their tests against zero, which `trends` leaves out."""
    each = known.result.contrasts(trends, np.eye(len(trends)), adjust="none", ddf=ddf, level=known.level)
    found = trends.assign(statistic=each["statistic"].to_numpy(), p_value=each["p_value"].to_numpy())
    numbers = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]
    own = [name for name in trends.columns if name not in (*numbers, "note")]
    return found[[*own, *numbers, *(["note"] if "note" in found else [])]]


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
