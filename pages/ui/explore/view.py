"""The parts of the Explore page, each a chart or two with its sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import charts, display, drawn, text
from pages.ui.charts import Chart, Ink, explore_groups, nesting
from pages.ui.charts.base import Floats
from pages.ui.charts.lines import PANELS
from pages.ui.data.dataset import Dataset
from pages.ui.explore import choosing, groups, words
from pages.ui.explore.choosing import Asked
from pages.ui.explore.groups import Explored, Lines
from pages.ui.results import fitview, picking

OWN = "Each line is a group's own least-squares line, of its own rows alone: no model yet."
MEANS = "Each line joins a group's means in the categories of the predictor: no model yet."
OUTCOME, LINES, SLOPES = "Outcome", "Group lines", "Within and between"


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What the charts are drawn from.

    digest : of the data; five : quantiles of each group; own : lines of the groups over a number
    chosen : the group highlighted
    """

    digest: str
    asked: Asked
    found: Explored
    five: Floats
    own: Lines | None
    chosen: str | None
    ink: Ink

    def drawn(self, what: str, draw: Callable[[], Chart]) -> Chart:
        """A chart of these choices, drawn once."""
        return drawn.once(draw, "explore", what, self.digest, self.asked, self.chosen, self.ink)


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


def choose(found: Explored) -> str:
    """Which section is open: lines need a predictor, two slopes a numeric one."""
    sections = [OUTCOME, *([LINES] if found.names[1] else []), *([SLOPES] if found.numeric else [])]
    return picking.choose_section(
        sections,
        "explore_section",
        "The outcome in each group; its line over the predictor in each group; the slope within groups "
        "against the slope between them (Snijders & Bosker 2012, section 4.6).",
    )


def choose_group(found: Explored) -> str | None:
    """The group highlighted in every plot of every page."""
    return fitview.find_label(picking.choose_group(found.labels, "explore_chosen"), found.labels)


def distribution(shown: Shown) -> None:
    """The outcome over all rows and group by group, and how many rows each group has.

    A few groups are a tall picture of boxes beside the others; many are a wide one below them.
    """
    found, five, chosen, ink = shown.found, shown.five, shown.chosen, shown.ink
    many = len(found.labels) > explore_groups.BOXES
    left, right = st.columns(2, gap="large")
    with left:
        bars = shown.drawn("histogram", lambda: explore_groups.histogram(found, chosen=chosen, ink=ink))
        display.chart(bars, "explore_distribution")
    with right if many else left:
        sizes = shown.drawn(
            "sizes",
            lambda: nesting.group_sizes(found.sizes, found.labels, found.names[2], chosen=chosen, ink=ink),
        )
        display.chart(sizes, "explore_sizes", on_click=picking.highlight_clicked(found.labels))
    order = groups.by_median(found, five)
    with st.container() if many else right:
        by_group = shown.drawn(
            "by group", lambda: explore_groups.by_group(found, five, chosen=chosen, ink=ink)
        )
        display.chart(by_group, "explore_by_group", on_click=picking.highlight_clicked(order))


def lines(shown: Shown) -> None:
    """Each group's line, all together and in a panel of its own."""
    clicked = picking.highlight_clicked(shown.found.labels)
    display.chart(shown.drawn("lines", lambda: _together(shown)), "explore_lines", on_click=clicked)
    display.chart(shown.drawn("panels", lambda: _trellis(shown)), "explore_panels", on_click=clicked)


def _in_panels(shown: Shown) -> list[str]:
    """The groups that have a panel."""
    return charts.spread(groups.ranking(shown.found, shown.own), shown.chosen, PANELS)


def _trellis(shown: Shown) -> Chart:
    found, labels = shown.found, _in_panels(shown)
    drawn_lines = groups.drawn_lines(found, shown.own, labels)
    panels = charts.panels(drawn_lines, labels, chosen=shown.chosen, ink=shown.ink)
    said = OWN if found.numeric else MEANS
    trellis = replace(
        panels,
        title="Group by group",
        caption=f"{said} The dotted line is that of all rows together, the same in each panel. Panels are in "
        f"the order of {'slopes' if found.numeric else 'means'}.",
        alt=panels.alt.replace("the group's fitted line", "the group's own line"),
    )
    return _named(trellis, found)


def _together(shown: Shown) -> Chart:
    found = shown.found
    drawn_lines = groups.drawn_lines(found, shown.own, _in_panels(shown))
    spaghetti = charts.all_lines(drawn_lines, chosen=shown.chosen, ink=shown.ink)
    said = OWN if found.numeric else MEANS
    together = replace(
        spaghetti,
        title=f"Own lines of all {len(found.labels):,} groups",
        caption=f"{said} The thick line is that of all rows together.",
        alt=spaghetti.alt.replace("Fitted ", "", 1),
    )
    for trace in together.figure.data:
        if trace.name == "Average group":
            trace.update(name="All rows together", hovertemplate="All rows: %{y:.4g}<extra></extra>")
    return _named(together, found)


def _named(chart: Chart, found: Explored) -> Chart:
    """The chart with the names of categories on its axis."""
    if found.places:
        names = [text.plain(text.shorten(place, 12)) for place in found.places]
        chart.figure.update_xaxes(tickmode="array", tickvals=list(range(len(names))), ticktext=names)
    return chart


def two_slopes(shown: Shown, own: Lines) -> None:
    """The slope within groups against the slope between their means."""
    found = shown.found
    chart = shown.drawn(
        "within and between",
        lambda: explore_groups.within_between(found, own, chosen=shown.chosen, ink=shown.ink),
    )
    outcome, predictor, group = found.names
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        display.chart(chart, "explore_within_between", on_click=picking.highlight_clicked(found.labels))
    with right:
        st.markdown(words.slopes(own, outcome, predictor, group))
