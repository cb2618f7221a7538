"""The sections of the Residuals page, a question each; only the one that is open is computed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import charts, display, drawn, jobs, text
from pages.ui.charts import Chart, Ink
from pages.ui.numbers import p_value
from pages.ui.residuals import computed
from pages.ui.residuals.computed import Fitted
from pages.ui.results import fitview, picking
from pages.ui.results.fitview import Grouping

if TYPE_CHECKING:
    from streamlit.elements.lib.grid_container import GridContainer

    from mixedcore import MixedLMResults

SLOW_ROWS = 20_000
"""More rows than this are simulated when asked only: it takes seconds."""
MOST_LEVELS = 300
"""Categories of a column that is offered to plot residuals against."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What every section draws from.

    augmented : rows with residuals, and the chosen grouping as a column of its own
    group, chosen : the grouping's name and the label highlighted in it; row : the row looked at
    most : points drawn; controls : where the page's controls stand; a section adds its own
    """

    fitted: Fitted
    result: MixedLMResults
    augmented: pd.DataFrame
    groupings: list[Grouping]
    group: str | None
    chosen: str | None
    row: Hashable | None
    most: int
    ink: Ink
    controls: GridContainer

    @property
    def marks(self) -> charts.Marks:
        """What charts of rows highlight."""
        return charts.Marks(self.group, self.chosen, self.row, self.most, self.ink)

    def drawn(self, draw: Callable[[], Chart], *what: str) -> Chart:
        """A chart of this fit with these marks, drawn once."""
        return drawn.once(draw, "residuals", *what, self.fitted.call, self.fitted.data.digest, self.marks)


def fits(shown: Shown) -> None:
    """Does a curve or a column remain in the residuals?"""
    names = _columns(shown.fitted.data.frame, shown)
    with shown.controls:
        name = picking.choose_column("Residuals against", names, "residuals_column") if names else None
    left, right = st.columns(2, gap="large")
    clicked = picking.choose_row(shown.augmented.index)
    with left:
        fitted = shown.drawn(
            lambda: charts.residuals_against_fitted(shown.augmented, shown.marks), "against fitted"
        )
        display.chart(fitted, "residuals_against_fitted", on_click=clicked)
    if name is not None:
        with right:
            _against_any(shown, name)


def _against_any(shown: Shown, name: str) -> None:
    """A column of the data, in the model or not."""
    frame = shown.fitted.data.frame
    values = frame[name].reindex(shown.augmented.index)
    if _is_number(values):
        clicked = picking.choose_row(shown.augmented.index[values.notna().to_numpy()])
        against = shown.drawn(
            lambda: charts.residuals_against(shown.augmented, values, shown.marks), "against column", name
        )
        display.chart(against, "residuals_against_column", on_click=clicked)
        return
    known = values.notna().to_numpy()
    labelled = shown.augmented[known].assign(**{name: values[known].astype(str)})
    chosen = shown.chosen if name == shown.group else None
    boxes = shown.drawn(
        lambda: charts.residuals_by_group(labelled, name, chosen=chosen, ink=shown.ink), "boxes", name
    )
    display.chart(boxes, "residuals_against_column", on_click=picking.choose_row(labelled.index))


def _columns(frame: pd.DataFrame, shown: Shown) -> list[str]:
    """Columns to plot against: numbers first, then categories of a readable number of levels."""
    outcome = fitview.outcome_name(shown.result)
    names = [str(name) for name in frame.columns if name != outcome]
    numbers = [name for name in names if _is_number(frame[name])]
    rest = [name for name in names if name not in numbers and _has_few_levels(frame[name])]
    return numbers + rest


def _is_number(column: pd.Series) -> bool:
    kind = column.dtype
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _has_few_levels(column: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return False
    return 1 < column.nunique() <= MOST_LEVELS


def normal(shown: Shown) -> None:
    """Are errors and group effects about normal?"""
    blups = shown.result.tidy(effects="blups")
    with shown.controls:
        effect = picking.choose_effect(
            fitview.random_effects(blups), "residuals_effect", label="Group effects in the Q–Q plot"
        )
    left, right = st.columns(2, gap="large")
    with left:
        mine = fitview.is_chosen(shown.augmented, shown.group, shown.chosen)
        values = shown.augmented["studentised"].to_numpy()
        index = shown.augmented.index
        quantiles = shown.drawn(
            lambda: charts.normal_qq(values, index, chosen=mine, row=shown.row, ink=shown.ink), "quantiles"
        )
        display.chart(quantiles, "residuals_qq", on_click=picking.choose_row(index))
    with right:
        found = computed.effect_quantiles(shown.fitted, effect.group)
        own = found[found["term"] == effect.term] if isinstance(found, pd.DataFrame) else None
        if own is None or len(own) < 2:
            st.info(text.escape(found if isinstance(found, str) else "These effects do not vary."))
            return
        own = own.reset_index(drop=True)
        labels = own["level"].astype(str).tolist()
        chosen = picking.highlighted(labels, effect.group)
        display.chart(
            charts.effects_qq(own, effect.name, chosen=chosen, ink=shown.ink),
            "effects_qq",
            on_click=picking.highlight_clicked(labels, effect.group),
        )


def even(shown: Shown) -> None:
    """Is the spread the same everywhere?"""
    clicked = picking.choose_row(shown.augmented.index)
    spread = shown.drawn(lambda: charts.scale_location(shown.augmented, shown.marks), "scale and location")
    display.chart(spread, "scale_location", on_click=clicked)
    if shown.group is None:
        st.caption("The model has no groups to compare the spread of.")
        return
    by_group = charts.residuals_by_group(shown.augmented, shown.group, chosen=shown.chosen, ink=shown.ink)
    display.chart(by_group, "residuals_by_group", on_click=clicked)


def whole(shown: Shown) -> None:
    """Would the model give data like these?"""
    st.markdown(
        "The model makes new outcomes many times, and each observation is placed among those made for it "
        "(simulated quantile residuals; Dunn & Smyth 1996, Hartig 2022)."
    )
    if shown.result.nobs > SLOW_ROWS and not st.toggle(
        f"Simulate {shown.result.nobs:,} rows {computed.simulations(shown.result.nobs)} times",
        key="residuals_simulate",
        persist_state="session",
        help="Takes a few seconds; done once for this model.",
    ):
        return
    try:
        found = computed.quantile_residuals(shown.fitted)
    except MixedCoreError as err:
        st.warning(text.escape(err), icon=":material/warning:")
        return
    _tests(found.tests, found.n)
    left, right = st.columns(2, gap="large")
    clicked = picking.choose_row(shown.augmented.index)
    with left:
        uniform = charts.uniform_qq(found.residuals, row=shown.row, ink=shown.ink)
        display.chart(uniform, "uniform_qq", on_click=clicked)
    with right:
        against = charts.simulated_against_fitted(shown.augmented, found.residuals, shown.marks)
        display.chart(against, "simulated_against_fitted", on_click=clicked)


def _tests(tests: pd.DataFrame, n: int) -> None:
    """Three tests in words."""
    questions = {
        "uniformity": "Spread evenly (Kolmogorov–Smirnov)",
        "dispersion": "As variable as simulated data",
        "outliers": "As many beyond all simulations as expected",
    }
    p = tests["p_value"].astype(float).to_dict()
    said = [f"{question}: p {_equals(p[name])}" for name, question in questions.items()]
    st.caption(
        f"{' · '.join(said)}. From {n:,} simulations with the fitted group effects. With many rows small "
        "departures give small p-values: look at the pictures first."
    )


def _equals(p: float) -> str:
    shown = p_value(p)
    return shown if shown.startswith(("<", ">")) else f"= {shown}"


def single(shown: Shown) -> None:
    """Does the fit rest on a few rows or groups?"""
    clicked = picking.choose_row(shown.augmented.index)
    try:
        by_row = computed.row_influence(shown.fitted)
        mine = fitview.is_chosen(shown.augmented, shown.group, shown.chosen)
        distance = pd.Series(by_row["cooks_distance"].to_numpy(), index=shown.augmented.index)
        left, right = st.columns(2, gap="large")
        with left:
            needles = charts.cooks_by_row(distance, mine=mine, row=shown.row, ink=shown.ink)
            display.chart(needles, "cooks_by_row", on_click=clicked)
        with right:
            leverage = charts.leverage_against_residual(shown.augmented, shown.marks)
            display.chart(leverage, "leverage", on_click=clicked)
        _by_group(shown)
    except MixedCoreError as err:
        st.warning(text.escape(err), icon=":material/warning:")


def _by_group(shown: Shown) -> None:
    """Whole groups left out, for each grouping factor of the random part."""
    blups = shown.result.tidy(effects="blups")
    factors = list(dict.fromkeys(map(str, blups["group"])))
    factor = picking.choose_column("Groups to leave out in turn", factors, "residuals_influence_by")
    levels = int(blups[blups["group"] == factor]["level"].nunique())
    found = computed.group_influence(shown.fitted, factor, levels)
    if found is None:
        key = f"residuals_leave_out_{shown.fitted.data.digest[:12]}_{hash((shown.fitted.call, factor))}"
        label = f"Leave out each of {levels:,} groups of {text.escape(text.shorten(factor))}"
        jobs.offer(key, label, computed.leaving_out(shown.fitted, factor))
        return
    ranked = found[found["cooks_distance"].notna()].sort_values(
        "cooks_distance", ascending=False, kind="stable"
    )
    if ranked.empty:
        st.caption("No group can be left out: the fixed effects cannot be estimated without any one of them.")
        return
    labels = ranked["level"].astype(str).tolist()
    chosen = picking.highlighted(labels, factor)
    chart = charts.cooks_by_group(found, factor, chosen=chosen, ink=shown.ink)
    display.chart(chart, "cooks_by_group", on_click=picking.highlight_clicked(labels, factor))


SECTIONS = {
    "Does it fit?": fits,
    "Normal?": normal,
    "Even spread?": even,
    "The whole model?": whole,
    "Single rows and groups?": single,
}


def choose() -> str:
    """Which question is open."""
    said = "Each answers one question; only the open one is computed."
    return picking.choose_section(list(SECTIONS), "residuals_section", said, label="What to check")
