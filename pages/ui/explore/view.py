"""The parts of the Explore page, each a chart or two with its sentence."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import charts, display, text
from pages.ui.charts import Chart, explore_groups, nesting
from pages.ui.charts.base import Floats
from pages.ui.charts.lines import PANELS
from pages.ui.data.dataset import Dataset
from pages.ui.explore import choosing, groups, words
from pages.ui.explore.choosing import Asked
from pages.ui.explore.groups import Explored, Lines
from pages.ui.results import fitview, picking

OWN = "Each line is a group's own least-squares line, of its own rows alone: no model yet."
MEANS = "Each line joins a group's means in the categories of the predictor: no model yet."


def at_a_glance(data: Dataset, asked: Asked, found: Explored) -> None:
    """Rows, groups, and how much of the variance lies between groups, from the null model."""
    try:
        icc = choosing.null_icc(data, asked)
    except MixedCoreError as err:
        st.info(f"No intraclass correlation: {text.escape(err)}", icon=":material/info:")
        return
    sentence = words.icc(icc, asked.outcome, asked.group, len(found.y), len(found.labels))
    st.markdown(f":material/pie_chart: {sentence}")
    if found.dropped:
        st.caption(f"{found.dropped:,} rows lack one of the chosen columns and are not drawn.")


def choose_group(found: Explored) -> str | None:
    """The group highlighted in every plot of every page."""
    return fitview.find_label(picking.choose_group(found.labels, "explore_chosen"), found.labels)


def distribution(found: Explored, five: Floats, chosen: str | None) -> None:
    """The outcome over all rows, and group by group."""
    left, right = st.columns(2, gap="large")
    with left:
        display.chart(
            explore_groups.histogram(found, chosen=chosen, ink=display.ink()), "explore_distribution"
        )
    order = groups.by_median(found, five)
    with right:
        display.chart(
            explore_groups.by_group(found, five, chosen=chosen, ink=display.ink()),
            "explore_by_group",
            on_click=picking.highlight_clicked(order),
        )


def lines(found: Explored, own: Lines | None, chosen: str | None) -> None:
    """Trellis and spaghetti; for a number also within against between."""
    shown = charts.spread(groups.ranking(found, own), chosen, PANELS)
    drawn = groups.drawn_lines(found, own, shown)
    said = OWN if found.numeric else MEANS
    panels = charts.panels(drawn, shown, chosen=chosen, ink=display.ink())
    spaghetti = charts.all_lines(drawn, chosen=chosen, ink=display.ink())
    trellis = replace(
        panels,
        title="Group by group",
        caption=f"{said} The dotted line is that of all rows together, the same in each panel. Panels are in "
        f"the order of {'slopes' if found.numeric else 'means'}.",
        alt=panels.alt.replace("the group's fitted line", "the group's own line"),
    )
    together = replace(
        spaghetti,
        title=f"Own lines of all {len(found.labels):,} groups",
        caption=f"{said} The thick line is that of all rows together.",
        alt=spaghetti.alt.replace("Fitted ", "", 1),
    )
    for trace in together.figure.data:
        if trace.name == "Average group":
            trace.update(name="All rows together", hovertemplate="All rows: %{y:.4g}<extra></extra>")
    display.chart(_named(trellis, found), "explore_panels")
    if own is None:
        display.chart(_named(together, found), "explore_lines")
        return
    left, right = st.columns(2, gap="large")
    with left:
        display.chart(together, "explore_lines")
    with right:
        _two_slopes(found, own, chosen)


def _named(chart: Chart, found: Explored) -> Chart:
    """The chart with the names of categories on its axis."""
    if found.places:
        names = [text.plain(text.shorten(place, 12)) for place in found.places]
        chart.figure.update_xaxes(tickmode="array", tickvals=list(range(len(names))), ticktext=names)
    return chart


def _two_slopes(found: Explored, own: Lines, chosen: str | None) -> None:
    chart = explore_groups.within_between(found, own, chosen=chosen, ink=display.ink())
    display.chart(chart, "explore_within_between", on_click=picking.highlight_clicked(found.labels))
    outcome, predictor, group = found.names
    st.markdown(words.slopes(own, outcome, predictor, group))


def sizes(found: Explored) -> None:
    """How many rows each group has."""
    chart = nesting.group_sizes(found.sizes, found.labels, found.names[2], ink=display.ink())
    display.chart(chart, "explore_sizes")
