"""The outcome by group before any model: its distribution, and what is within against what is between."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from pages.ui import text
from pages.ui.charts.base import (
    LEGEND,
    LIGHT,
    Chart,
    Floats,
    Ink,
    Ints,
    axis,
    box_rows,
    canvas,
    faint,
    figures,
    labelled_axis,
    scatter,
    thinned,
    thinning_note,
)
from pages.ui.explore.groups import Explored, Lines

HEIGHT = 280
"""Of the distribution, as of the sizes of the groups, which it stands beside or above."""
BINS = 50
BOXES = 40
BAND = 60
POINTS = 4_000


def histogram(data: Explored, *, chosen: str | None = None, ink: Ink = LIGHT) -> Chart:
    """How the outcome is spread over all rows, and over those of the chosen group."""
    ends = _ends(data.y)
    count = np.histogram(data.y, bins=ends)[0]
    figure = canvas(HEIGHT, legend=chosen is not None, bargap=0.04, barmode="overlay")
    _bars(figure, ends, count / len(data.y), "All rows", ink.main)
    if chosen in data.labels:
        own = data.y[data.code == data.labels.index(str(chosen))]
        share = np.histogram(own, bins=ends)[0] / len(own)
        _bars(figure, ends, share, text.plain(text.shorten(chosen, 30)), ink.accent, 0.6)
    figure.update_layout(
        xaxis=axis(data.names[0], showgrid=False), yaxis=axis("Share of rows", tickformat=".1%")
    )
    low, middle, high = np.quantile(data.y, [0.25, 0.5, 0.75])
    return Chart(
        figure,
        f"Distribution of {text.shorten(data.names[0], 30)}",
        "Each bar is the share of rows with about that value.",
        f"{len(data.y):,} values of {text.shorten(data.names[0])} from {figures(data.y.min())} to "
        f"{figures(data.y.max())}; median {figures(middle)}, middle half {figures(low)} to {figures(high)}.",
    )


def _ends(y: Floats) -> Floats:
    """Ends of the bars: a bar a value where there are few whole ones, else some dozens of equal width."""
    low, high = float(y.min()), float(y.max())
    if high - low < BINS and (y == np.round(y)).all():
        return np.arange(low, high + 2) - 0.5
    return np.histogram_bin_edges(y, bins=int(np.clip(np.sqrt(len(y)), 8, BINS)))


def _bars(figure: go.Figure, ends: Floats, share: Floats, name: str, colour: str, alpha: float = 1) -> None:
    figure.add_trace(
        go.Bar(
            x=(ends[:-1] + ends[1:]) / 2,
            y=share,
            width=np.diff(ends) * 0.96,
            name=name,
            marker={"color": colour},
            opacity=alpha,
            hovertemplate="About %{x:.4g}: %{y:.1%}<extra></extra>",
        )
    )


def by_group(data: Explored, five: Floats, *, chosen: str | None = None, ink: Ink = LIGHT) -> Chart:
    """The outcome of each group: boxes for some groups, a band over the ranks of many. Sorted by median.

    five : (groups, 5) as `groups.quantiles`
    """
    order = np.argsort(five[:, 2], kind="stable")
    five, names = five[order], [data.labels[i] for i in order]
    at = names.index(chosen) if chosen in names else None
    few = len(names) <= BOXES
    figure = _boxes(data, five, names, at, ink) if few else _ranked(data, five, names, at, ink)
    ends = f"from {figures(five[0, 2])} ({text.shorten(names[0])}) to {figures(five[-1, 2])}"
    return Chart(
        figure,
        f"{text.shorten(data.names[0], 30)} by {text.shorten(data.names[2], 30)}",
        "Each box holds the middle half of a group, its line the median, its whiskers the middle 80%."
        if few
        else "Groups are sorted by their median, a point each; the band holds the middle half of their rows, "
        "averaged over neighbouring ranks.",
        f"Medians of {len(names):,} groups, {ends} ({text.shorten(names[-1])}).",
        thinning_note(min(len(names), POINTS), len(names), "groups") if not few else "",
    )


def _boxes(data: Explored, five: Floats, names: list[str], at: int | None, ink: Ink) -> go.Figure:
    figure = canvas(96 + 19 * max(len(names), 5))
    place = np.arange(len(names))
    for colour, mine in ((ink.main, place != at), (ink.accent, place == at)):
        if not mine.any():
            continue
        figure.add_trace(box_rows(place[mine], five[mine], colour))
    figure.add_trace(_median_points(five[:, 2], place, names, place, ink, across=False))
    figure.update_layout(xaxis=axis(data.names[0]), yaxis=labelled_axis(names, 22))
    return figure


def _ranked(data: Explored, five: Floats, names: list[str], at: int | None, ink: Ink) -> go.Figure:
    figure = canvas(400)
    edges = np.unique(np.linspace(0, len(names), min(BAND, len(names)) + 1).astype(int))
    size = np.diff(edges)
    middle = edges[:-1] + (size + 1) / 2
    low, high = (np.add.reduceat(five[:, column], edges[:-1]) / size for column in (1, 3))
    line = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_trace(go.Scatter(x=middle, y=low, **line))
    figure.add_trace(go.Scatter(x=middle, y=high, fill="tonexty", fillcolor=faint(ink.main), **line))
    drawn = thinned(np.abs(five[:, 2] - np.median(five[:, 2])), POINTS)
    figure.add_trace(_median_points(five[drawn, 2], drawn + 1, names, drawn, ink, across=True))
    if at is not None:
        _mark(figure, float(at + 1), float(five[at, 2]), names[at], ink)
    figure.update_layout(
        xaxis=axis(f"{text.shorten(data.names[2], 24)}, by rank", showgrid=False), yaxis=axis(data.names[0])
    )
    return figure


def _median_points(
    values: Floats, place: Ints, names: list[str], which: Ints, ink: Ink, *, across: bool
) -> go.Scatter:
    """A point a group that can be pointed at and clicked; the last of its data is its place in the order."""
    x, y = (place, values) if across else (values, place)
    return scatter(len(place))(
        x=x,
        y=y,
        mode="markers",
        marker={"size": 4 if across else 7, "color": ink.main},
        customdata=[[text.plain(names[i]), int(i)] for i in which],
        hovertemplate="%{customdata[0]}: median "
        + ("%{y:.4g}" if across else "%{x:.4g}")
        + "<extra></extra>",
        showlegend=False,
    )


def _mark(figure: go.Figure, x: float, y: float, name: str, ink: Ink) -> None:
    """The chosen group on top, named in the legend."""
    figure.add_trace(
        go.Scatter(
            x=[x],
            y=[y],
            mode="markers",
            name=text.plain(text.shorten(name, 30)),
            showlegend=True,
            marker={"size": 12, "color": ink.accent, "line": {"color": ink.surface, "width": 1.5}},
            hoverinfo="skip",
        )
    )
    figure.update_layout(
        showlegend=True, margin={"t": LEGEND}, legend={"orientation": "h", "y": 1, "yanchor": "bottom"}
    )


def within_between(data: Explored, lines: Lines, *, chosen: str | None = None, ink: Ink = LIGHT) -> Chart:
    """The means of the groups with the slope between them, and the slope within through the middle."""
    sizes = data.sizes.astype(float)
    drawn = thinned(np.abs(lines.y_mean - lines.y_mean.mean()), POINTS)
    figure = canvas(460, legend=True)
    figure.add_trace(
        scatter(len(drawn))(
            x=lines.x_mean[drawn],
            y=lines.y_mean[drawn],
            mode="markers",
            name="Group means",
            marker={
                "size": 4 + 8 * np.sqrt(sizes[drawn] / sizes.max()),
                "color": ink.main,
                "opacity": 0.6,
                "line": {"width": 0},
            },
            customdata=[[text.plain(data.labels[i]), int(sizes[i]), int(i)] for i in drawn],
            hovertemplate="%{customdata[0]}, %{customdata[1]:,} rows<br>%{x:.4g}, %{y:.4g}<extra></extra>",
        )
    )
    centre = (float(data.x.mean()), float(data.y.mean()))
    _line(figure, lines.between, centre, lines.x_mean, "Between groups", {"color": ink.text, "width": 3})
    reach = np.quantile(data.x, [0.02, 0.98])
    _line(
        figure,
        lines.within,
        centre,
        reach,
        "Within groups",
        {"color": ink.categories[2], "width": 3, "dash": "dash"},
    )
    if chosen in data.labels:
        i = data.labels.index(str(chosen))
        _mark(figure, float(lines.x_mean[i]), float(lines.y_mean[i]), str(chosen), ink)
    figure.update_layout(
        xaxis=axis(f"Mean of {text.shorten(data.names[1], 36)}"),
        yaxis=axis(f"Mean of {text.shorten(data.names[0], 36)}"),
    )
    return Chart(
        figure,
        "Within against between",
        "A point is a group's mean, larger with more rows. The full line is the slope between groups, "
        "weighted by rows; the dashed one that within groups, each row about its group's mean.",
        f"Means of {len(data.labels):,} groups; slope between them {_slope(lines.between)}, "
        f"slope within them {_slope(lines.within)}.",
        thinning_note(len(drawn), len(data.labels), "groups"),
    )


def _slope(value: float) -> str:
    return "undefined" if np.isnan(value) else figures(value, 3)


def _line(
    figure: go.Figure,
    slope: float,
    centre: tuple[float, float],
    over: Floats,
    name: str,
    style: dict[str, object],
) -> None:
    if np.isnan(slope):
        return
    ends = np.array([over.min(), over.max()])
    figure.add_trace(
        go.Scatter(
            x=ends,
            y=centre[1] + slope * (ends - centre[0]),
            mode="lines",
            name=name,
            line=style,
            hoverinfo="skip",
        )
    )
