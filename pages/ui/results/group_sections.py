"""The sections of the Group effects page; only the one that is open is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.ui import charts, display, drawn, tables
from pages.ui.charts import Ink
from pages.ui.residuals.computed import Fitted
from pages.ui.results import fitview, own_estimates, picking
from pages.ui.results.fitview import RandomEffect
from pages.ui.results.own_estimates import Pooling

if TYPE_CHECKING:
    from mixedcore import MixedLMResults


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What every section draws from; blups of all effects, mine of the effect chosen, level of intervals."""

    fitted: Fitted
    result: MixedLMResults
    augmented: pd.DataFrame
    blups: pd.DataFrame
    mine: pd.DataFrame
    effect: RandomEffect
    level: float
    ink: Ink

    @property
    def ranking(self) -> list[str]:
        """Labels from the smallest effect to the largest."""
        return fitview.labels_by_effect(self.mine)


def ranked(shown: Shown) -> None:
    """Which groups differ from the average: caterpillar and table."""
    labels, factor = shown.ranking, shown.effect.group
    here = picking.highlighted(labels, factor)
    of = (shown.fitted.call, shown.fitted.data.digest, shown.effect, shown.level, here, shown.ink)
    caterpillar = drawn.once(
        lambda: charts.caterpillar(
            shown.mine, level=shown.level, unit=shown.effect.name, chosen=here, ink=shown.ink
        ),
        "caterpillar",
        *of,
    )
    display.chart(caterpillar, "caterpillar", on_click=picking.highlight_clicked(labels, factor))
    st.header("All group effects", anchor=False)
    picking.searchable(tables.group_effects(shown.mine, shown.level), "group_effects_table", factor)


def pulled(shown: Shown) -> None:
    """How far the model draws each group towards the average."""
    found = own_estimates.pooling(shown.result, shown.blups, shown.effect.group, shown.effect.term)
    if found is None:
        st.info("Groups of this component have several coefficients of one kind: there is no view of them.")
        return
    at = found.names.index(shown.effect.term)
    here = picking.highlighted(found.labels, found.factor)
    clicked = picking.highlight_clicked(found.labels, found.factor)
    one = charts.shrinkage(
        found.labels, found.size, found.own[:, at], found.partial[:, at], float(found.complete[at]),
        name=shown.effect.name, factor=found.factor, weight=found.weight, adjusted=found.adjusted,
        weighted=found.weighted, chosen=here, ink=shown.ink,
    )  # fmt: skip
    display.chart(one, "shrinkage", on_click=clicked)
    if len(found.names) > 1:
        _plane(shown, found, at)


def _plane(shown: Shown, found: Pooling, at: int) -> None:
    """Two coefficients together: the chosen one and the first other one."""
    pair = sorted({at, 1 if at == 0 else 0})
    with_own = st.toggle(
        "Show each group's own estimates",
        value=True,
        key="group_effects_own",
        persist_state="session",
        help="Off: the mixed model's estimates alone, intercept against slope.",
    )
    names = [RandomEffect(found.factor, found.names[i]).name for i in pair]
    both = charts.plane(
        found.labels, found.size, found.own[:, pair] if with_own else None, found.partial[:, pair],
        found.complete[pair], found.cov[pair][:, pair], names=(names[0], names[1]), factor=found.factor,
        adjusted=found.adjusted, weighted=found.weighted,
        chosen=picking.highlighted(found.labels, found.factor), ink=shown.ink,
    )  # fmt: skip
    display.chart(both, "plane", on_click=picking.highlight_clicked(found.labels, found.factor))


def lines(shown: Shown) -> None:
    """Each group's line over its data."""
    result, augmented = shown.result, shown.augmented
    outcome, groupings = fitview.outcome_name(result), fitview.groupings(result, augmented)
    if not groupings:
        st.info("No column tells the rows of these groups apart, so there are no lines to draw.")
        return
    predictors = fitview.numeric_predictors(result, augmented)
    left, right = st.columns(2)
    with left:
        grouping = picking.choose_grouping(groupings, "group_effects_grouping")
    beside = right if len(groupings) > 1 else left
    augmented = augmented.assign(**{grouping.name: grouping.labels(augmented)})
    labels = fitview.in_order(augmented[grouping.name], shown.ranking)
    here = picking.highlighted(labels, grouping.name)
    if not predictors:
        means = charts.group_means(augmented, grouping.name, outcome=outcome, chosen=here, ink=shown.ink)
        places = [str(label) for label in pd.factorize(augmented[grouping.name], sort=True)[1]]
        display.chart(means, "group_means", on_click=picking.highlight_clicked(places, grouping.name))
        return
    with beside:
        x = picking.choose_column("Predictor", predictors, "group_effects_predictor")
    slopes = fitview.line_slopes(result, shown.blups, x)
    joined = not fitview.moved_by_more(result, augmented, x, grouping)
    between = fitview.moved_between(result, augmented, x, grouping)
    # Straight lines with the model's own slopes need no rows to lie on.
    joined &= slopes is None or not between
    prepared = charts.grouped(
        augmented, x, grouping.name, outcome=outcome, slopes=slopes, joined=joined, between=between
    )
    panels = charts.panels(prepared, charts.spread(labels, here), chosen=here, ink=shown.ink)
    clicked = picking.highlight_clicked(prepared.labels, grouping.name)
    display.chart(panels, "group_panels", on_click=clicked)
    together = charts.all_lines(prepared, chosen=here, ink=shown.ink)
    display.chart(together, "group_lines", on_click=clicked)


SECTIONS = {
    "Which groups differ?": ranked,
    "How far are they pulled in?": pulled,
    "Lines over the data": lines,
}


def choose() -> str:
    """Which section is open."""
    said = "Shrinkage, also called partial pooling: Gelman & Hill 2007, chapter 12."
    return picking.choose_section(list(SECTIONS), "group_effects_section", said)
