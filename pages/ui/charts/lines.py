"""Each group's fitted line over its own points: all groups faint in one panel, or up to a dozen panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.ui import text
from pages.ui.charts.base import (
    LIGHT,
    TICKS,
    Chart,
    Ink,
    axis,
    canvas,
    figures,
    opacity,
    path,
    scatter,
    steady,
    thinned,
    thinning_note,
)
from pages.ui.charts.curves import along_lines, straight_lines, with_gaps
from pages.ui.charts.group_rows import Grouped

PANELS = 12
LINES_DRAWN = 2_000
PLACES_TO_CLICK = 2_000
"""Unseen points on all lines together: a browser answers clicks on points, not on lines."""
PLACES_OF_A_LINE = 30
REACH = 40
"""Pixels from a click to such a point at most."""
GROUP_POINTS = 250
"""Points drawn of one group: a dozen panels of it are as much as a browser draws at once."""


def spread(labels_by_effect: Sequence[str], chosen: str | None = None, panels: int = PANELS) -> list[str]:
    """Up to `panels` labels evenly spaced over the ranking: lowest, highest and the chosen one included."""
    if len(labels_by_effect) <= panels:
        return list(labels_by_effect)
    places = np.linspace(0, len(labels_by_effect) - 1, panels).round().astype(int)
    picked = [labels_by_effect[place] for place in places]
    if chosen is not None and chosen in labels_by_effect and chosen not in picked:
        rank = list(labels_by_effect).index(chosen)
        picked[int(np.abs(places - rank).argmin())] = chosen
    return picked


def all_lines(data: Grouped, *, chosen: str | None = None, ink: Ink = LIGHT) -> Chart:
    """Every group's line, faint; the average group's line and the chosen group's on top."""
    drawn = np.unique(data.line_code)
    if len(drawn) > LINES_DRAWN:
        drawn = drawn[thinned(np.abs(drawn - drawn.mean()), LINES_DRAWN)]
    kept = np.isin(data.line_code, drawn)
    x, y = with_gaps(data.line_code[kept], data.line_x[kept], data.line_y[kept])
    figure = canvas(460, legend=True)
    figure.add_trace(
        path(len(x))(
            x=x,
            y=y,
            mode="lines",
            name=text.plain(f"Each {text.shorten(data.names[2], 24)}"),
            line={"color": ink.main, "width": 1.25},
            opacity=max(0.12, opacity(4 * len(drawn))),
            hoverinfo="skip",
        )
    )
    _add_places_to_click(figure, data, kept)
    _add_average(figure, data, ink)
    if chosen is not None and chosen in data.labels:
        _add_group(figure, data, data.labels.index(chosen), ink.accent, {}, named=True)
    figure.update_layout(xaxis=axis(data.names[0]), yaxis=axis(data.names[1]), hoverdistance=REACH)
    return Chart(
        figure,
        f"Fitted lines of all {len(data.labels):,} groups",
        CAPTIONS[data.drawn] + " The thick line is the average group.",
        f"Fitted {text.shorten(data.names[1])} against {text.shorten(data.names[0])}, one line for each of "
        f"{len(data.labels):,} groups, {_fan(data)}.",
        f"{len(drawn):,} of {len(data.labels):,} lines are drawn." if len(drawn) < len(data.labels) else "",
    )


def _add_places_to_click(figure: go.Figure, data: Grouped, kept: np.ndarray) -> None:
    """Unseen points along the lines, which name a line where the pointer is and take clicks on it."""
    lines = len(np.unique(data.line_code[kept]))
    each = int(np.clip(PLACES_TO_CLICK // max(lines, 1), 1, PLACES_OF_A_LINE))
    code, x, y = along_lines(data.line_code[kept], data.line_x[kept], data.line_y[kept], each)
    names = [text.plain(text.shorten(label, 30)) for label in data.labels]
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="markers",
            marker={"size": 8, "opacity": 0},
            showlegend=False,
            customdata=[[names[own], int(own)] for own in code],
            hovertemplate="%{customdata[0]}: %{y:.4g}<extra></extra>",
        )
    )


CAPTIONS = {
    "joined": "Each line joins a group's fitted values.",
    "model": "Each line is the model's for a group; other predictors are at the group's average.",
    "least squares": "Other predictors vary too: each line is straight, through a group's fitted values.",
}


def _fan(data: Grouped) -> str:
    """Whether the lines are nearly parallel, in words."""
    _, x, y = straight_lines(data.line_code, data.line_x, data.line_y)
    run = x[1::2] - x[::2]
    slope = (y[1::2] - y[::2])[run > 0] / run[run > 0]
    if len(slope) < 2 or np.ptp(slope) <= 1e-6 * np.abs(slope).max():
        return "all parallel"
    return f"with slopes from {figures(slope.min(), 3)} to {figures(slope.max(), 3)}"


def _add_average(figure: go.Figure, data: Grouped, ink: Ink) -> None:
    figure.add_trace(
        go.Scatter(
            x=data.average_x,
            y=data.average_y,
            mode="lines",
            name="Average group",
            line={"color": ink.text, "width": 3},
            hovertemplate="Average group: %{y:.4g}<extra></extra>",
        )
    )


def _add_group(
    figure: go.Figure, data: Grouped, code: int, colour: str, place: dict[str, Any], *, named: bool = False
) -> None:
    """One group's points and, over them, its line."""
    rows = np.flatnonzero(data.code == code)
    rows = rows[thinned(np.abs(data.y[rows] - data.y[rows].mean()), GROUP_POINTS)]
    line = data.line_code == code
    name = text.plain(text.shorten(data.labels[code], 30))
    figure.add_trace(
        scatter(len(rows))(
            x=data.x[rows],
            y=data.y[rows],
            mode="markers",
            showlegend=False,
            marker={"size": 6, "color": colour, "opacity": max(0.35, opacity(len(rows)))},
            customdata=[[text.plain(data.rows[row]), code] for row in rows],
            hovertemplate=f"{name}, row %{{customdata[0]}}<br>%{{x:.4g}}, %{{y:.4g}}<extra></extra>",
        ),
        **place,
    )
    figure.add_trace(
        go.Scatter(
            x=data.line_x[line],
            y=data.line_y[line],
            mode="lines",
            name=name,
            showlegend=named,
            line={"color": colour, "width": 2.5},
            hovertemplate=f"{name}: %{{y:.4g}}<extra></extra>",
        ),
        **place,
    )


def panels(data: Grouped, labels: Sequence[str], *, chosen: str | None = None, ink: Ink = LIGHT) -> Chart:
    """A panel for each named group: its points, its line, and the average group's line dotted."""
    shown = [label for label in labels if label in data.labels][:PANELS]
    columns = min(3, max(len(shown), 1))
    rows = -(-max(len(shown), 1) // columns)
    figure = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.025,
        vertical_spacing=min(0.09, 0.4 / rows),
        subplot_titles=[text.plain(text.shorten(label, 16)) for label in shown],
        x_title=text.plain(text.shorten(data.names[0], 40)),
        y_title=text.plain(text.shorten(data.names[1], 30)),
    )
    for i, label in enumerate(shown):
        place = {"row": i // columns + 1, "col": i % columns + 1}
        figure.add_trace(
            go.Scatter(
                x=data.average_x,
                y=data.average_y,
                mode="lines",
                showlegend=False,
                hoverinfo="skip",
                line={"color": ink.muted, "width": 1.5, "dash": "dot"},
            ),
            **place,
        )
        _add_group(figure, data, data.labels.index(label), ink.accent if label == chosen else ink.main, place)
    return Chart(
        _panel_layout(figure, rows, ink),
        "Fitted lines over the data",
        CAPTIONS[data.drawn] + " The dotted line is the average group, the same in each panel.",
        f"{len(shown)} panels, one a group, with observed {text.shorten(data.names[1])} against "
        f"{text.shorten(data.names[0])} and the group's fitted line.",
        _panels_note(data, shown),
    )


def _panels_note(data: Grouped, shown: Sequence[str]) -> str:
    """What the panels leave out, or nothing."""
    few = len(shown) < len(data.labels)
    codes = [data.labels.index(label) for label in shown]
    large = bool((np.bincount(data.code, minlength=len(data.labels))[codes] > GROUP_POINTS).any())
    notes = [
        f"{len(shown)} of {len(data.labels):,} groups are shown." if few else "",
        f"Of a group with more than {GROUP_POINTS:,} rows that many are drawn." if large else "",
    ]
    return " ".join(filter(None, notes))


def _panel_layout(figure: go.Figure, rows: int, ink: Ink) -> go.Figure:
    base = canvas(120 + 165 * rows).layout
    figure.update_layout(height=base.height, hoverlabel=base.hoverlabel, showlegend=False)
    figure.update_layout(margin={"l": 64, "r": 8, "t": 28, "b": 56})
    figure.update_xaxes(nticks=4, zeroline=False, **TICKS)
    figure.update_yaxes(nticks=5, zeroline=False, **TICKS)
    figure.update_annotations(font={"size": 13, "color": ink.text})
    return figure


def group_means(
    augmented: pd.DataFrame, group: str, *, outcome: str, chosen: str | None = None, ink: Ink = LIGHT
) -> Chart:
    """Without a numeric predictor: each group's observations and, over them, its fitted mean, sorted.

    Points carry the place of their group among the sorted labels.
    """
    code, levels = pd.factorize(augmented[group], sort=True)
    fitted = steady(augmented["fitted"].to_numpy(dtype=float))
    y = fitted + augmented["resid"].to_numpy(dtype=float)
    mean = np.bincount(code, fitted) / np.bincount(code)
    order = np.argsort(mean, kind="stable")
    place = np.argsort(order)
    names = [str(levels[i]) for i in order]
    rows = thinned(np.abs(y - fitted))
    colours = [ink.accent if name == chosen else ink.main for name in names]
    few = len(names) <= 30
    figure = canvas(420)
    figure.add_trace(
        scatter(len(rows))(
            x=place[code[rows]],
            y=y[rows],
            mode="markers",
            marker={"size": 6 if few else 3, "color": ink.muted, "opacity": opacity(len(rows))},
            customdata=[[text.plain(augmented.index[row]), int(code[row])] for row in rows],
            hovertemplate="Row %{customdata[0]}: %{y:.4g}<extra></extra>",
        )
    )
    figure.add_trace(
        scatter(len(names))(
            x=np.arange(len(names)),
            y=mean[order],
            mode="markers",
            marker={"size": 18 if few else 5, "color": colours, "symbol": "line-ew" if few else "circle"}
            | ({"line": {"width": 3, "color": colours}} if few else {}),
            customdata=[[text.plain(name), int(i)] for name, i in zip(names, order, strict=True)],
            hovertemplate="%{customdata[0]}: fitted mean %{y:.4g}<extra></extra>",
        )
    )
    ticks = {"tickmode": "array", "tickvals": list(range(len(names)))} if few else {}
    ticks |= {"ticktext": [text.plain(text.shorten(name, 14)) for name in names]} if few else {}
    figure.update_layout(
        xaxis=axis(group if few else f"{group}, by rank", showgrid=False, **ticks), yaxis=axis(outcome)
    )
    return Chart(
        figure,
        "Fitted means over the data",
        "Points are observations; each mark is a group's fitted mean. Groups are sorted by it.",
        f"Observed {text.shorten(outcome)} in {len(names):,} groups with the fitted mean of each, "
        f"from {figures(mean.min())} to {figures(mean.max())}.",
        thinning_note(len(rows), len(y)),
    )
