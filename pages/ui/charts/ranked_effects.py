"""Group effects with their intervals, sorted: three groups or a hundred thousand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui import text
from pages.ui.charts.base import (
    LEGEND,
    LIGHT,
    Chart,
    Floats,
    Ink,
    axis,
    canvas,
    faint,
    figures,
    labelled_axis,
    opacity,
    path,
    scatter,
    segments,
    thinned,
    thinning_note,
)
from pages.ui.numbers import number

LABELLED = 45
"""Up to here each group has a row with its name."""
INTERVALS_DRAWN = 4_000
"""Above, the intervals become a band, averaged over neighbouring ranks."""
BAND_POINTS = 600
NAMED = 3_000
"""Points drawn, each with its name on hover."""


def caterpillar(
    blups: pd.DataFrame,
    *,
    level: float = 0.95,
    unit: object = "",
    chosen: str | None = None,
    ink: Ink = LIGHT,
) -> Chart:
    """Effects of one random term with their intervals, sorted by size.

    blups  : level, estimate, conf_low, conf_high; one row a group: one term of `result.tidy(effects="blups")`
    unit   : what the effect is, for the axis ('Slope of Days by Subject')
    chosen : the label of the group to highlight
    """
    ranked = blups.sort_values("estimate", ignore_index=True, kind="stable")
    few = len(ranked) <= LABELLED
    figure = _rows(ranked, ink) if few else _ranks(ranked, ink)
    at = (
        np.flatnonzero(ranked["level"].astype(str).to_numpy() == chosen)
        if chosen is not None
        else np.empty(0, int)
    )
    if len(at):
        _highlight(figure, ranked.iloc[int(at[0])], int(at[0]), few=few, ink=ink)
    effects = axis(unit)
    if few:
        figure.update_layout(
            xaxis=effects, yaxis=labelled_axis([str(name) for name in ranked["level"]][::-1])
        )
    else:
        span = [-0.02 * len(ranked), 1.02 * len(ranked)]
        figure.update_layout(xaxis=axis("Rank of the group", showgrid=False, range=span), yaxis=effects)
    said = _message(ranked, level)
    return Chart(figure, "Caterpillar plot", _caption(level), _described(ranked, level), _note(ranked), said)


def _caption(level: float) -> str:
    return (
        "Each point is a group's predicted difference from the average group (BLUP, conditional mode), "
        f"the bar its {level:.0%} interval. Groups are sorted; small groups are drawn towards zero."
    )


def _note(ranked: pd.DataFrame) -> str:
    n = len(ranked)
    if not ranked["estimate"].any():
        return "Here all effects are zero: the model found no variation between these groups."
    if n <= INTERVALS_DRAWN:
        return ""
    band = f"With {n:,} groups the intervals are shown as a band, averaged over neighbouring ranks."
    return f"{band} {thinning_note(min(n, NAMED), n, 'points')}".strip()


def _message(ranked: pd.DataFrame, level: float) -> str:
    """How many groups differ clearly from the average, and which are at the ends; '' where all are zero."""
    if not ranked["estimate"].any():
        return ""
    clear = int(((ranked["conf_low"] > 0) | (ranked["conf_high"] < 0)).sum())
    few = "None" if clear == 0 else f"{clear:,}"
    ends = [
        f"{text.shorten(row['level'])} ({number(float(row['estimate']), 3)})"
        for row in (ranked.iloc[-1], ranked.iloc[0])
    ]
    return (
        f"{few} of {len(ranked):,} groups {'differs' if clear == 1 else 'differ'} clearly from the average "
        f"({level:.0%} interval without zero). The highest is {ends[0]}, the lowest {ends[1]}."
    )


def _described(ranked: pd.DataFrame, level: float) -> str:
    first, last = ranked.iloc[0], ranked.iloc[-1]
    clear = int(((ranked["conf_low"] > 0) | (ranked["conf_high"] < 0)).sum())
    return (
        f"Effects of {len(ranked):,} groups, "
        f"from {figures(first['estimate'])} ({text.shorten(first['level'])}) "
        f"to {figures(last['estimate'])} ({text.shorten(last['level'])}); "
        f"{clear:,} of the {level:.0%} intervals exclude zero."
    )


def _columns(ranked: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    estimate, low, high = (
        ranked[name].to_numpy(dtype=float) for name in ("estimate", "conf_low", "conf_high")
    )
    return estimate, low, high


def _hover(ranked: pd.DataFrame) -> tuple[list[list[object]], str]:
    """Customdata (name, estimate, interval, place from the smallest) and the template that shows it."""
    rows: list[list[object]] = [
        [text.plain(name), figures(e), f"{figures(a)} to {figures(b)}", int(place)]
        for place, name, e, a, b in zip(ranked.index, ranked["level"], *_columns(ranked), strict=True)
    ]
    return rows, "%{customdata[0]}<br>%{customdata[1]} (%{customdata[2]})<extra></extra>"


def _rows(ranked: pd.DataFrame, ink: Ink) -> go.Figure:
    """Few groups: a named row each, the largest effect on top."""
    estimate, low, high = _columns(ranked)
    figure = canvas(84 + 19 * max(len(ranked), 4))
    figure.add_vline(x=0, line={"color": ink.muted, "width": 1, "dash": "dot"})
    custom, template = _hover(ranked)
    figure.add_trace(
        go.Scatter(
            x=estimate,
            y=np.arange(len(ranked))[::-1],
            error_x={"array": high - estimate, "arrayminus": estimate - low, "thickness": 1.75, "width": 0},
            mode="markers",
            marker={"size": 8, "color": ink.main},
            customdata=custom,
            hovertemplate=template,
        )
    )
    return figure


def _ranks(ranked: pd.DataFrame, ink: Ink) -> go.Figure:
    """Many groups: effect against rank, names on hover only."""
    estimate, low, high = _columns(ranked)
    rank = np.arange(1, len(ranked) + 1, dtype=float)
    figure = canvas(440)
    figure.add_hline(y=0, line={"color": ink.muted, "width": 1, "dash": "dot"})
    if len(ranked) > INTERVALS_DRAWN:
        _add_band(figure, low, high, ink)
    else:
        figure.add_trace(
            path(3 * len(ranked))(
                x=segments(rank, rank),
                y=segments(low, high),
                mode="lines",
                line={"color": ink.main, "width": 1},
                opacity=max(0.3, opacity(len(ranked))),
                hoverinfo="skip",
            )
        )
    drawn = thinned(np.abs(estimate), NAMED)
    custom, template = _hover(ranked.iloc[drawn])
    figure.add_trace(
        scatter(len(drawn))(
            x=rank[drawn],
            y=estimate[drawn],
            mode="markers",
            marker={"size": 3 if len(ranked) > 500 else 5, "color": ink.main},
            customdata=custom,
            hovertemplate=template,
        )
    )
    return figure


def _add_band(figure: go.Figure, low: Floats, high: Floats, ink: Ink) -> None:
    edges = np.linspace(0, len(low), BAND_POINTS + 1).astype(int)
    size = np.diff(edges)
    middle = edges[:-1] + (size + 1) / 2
    low, high = (np.add.reduceat(bound, edges[:-1]) / size for bound in (low, high))
    figure.add_trace(go.Scatter(x=middle, y=low, mode="lines", line={"width": 0}, hoverinfo="skip"))
    figure.add_trace(
        go.Scatter(
            x=middle,
            y=high,
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
            fill="tonexty",
            fillcolor=faint(ink.main),
        )
    )


def _highlight(figure: go.Figure, row: pd.Series, at: int, *, few: bool, ink: Ink) -> None:
    """The chosen group on top, in the accent colour, named in the legend."""
    estimate, low, high = (float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    error = {"array": [high - estimate], "arrayminus": [estimate - low], "thickness": 3, "width": 0}
    place = (
        {"x": [estimate], "y": [at], "error_x": error}
        if few
        else {"x": [at + 1], "y": [estimate], "error_y": error}
    )
    name = text.plain(text.shorten(row["level"], 30))
    figure.add_trace(
        go.Scatter(
            **place,
            mode="markers",
            name=name,
            showlegend=True,
            marker={"size": 11, "color": ink.accent, "line": {"color": ink.surface, "width": 1.5}},
            hovertemplate=f"{name}<br>{figures(estimate)} ({figures(low)} to {figures(high)})<extra></extra>",
        )
    )
    for trace in figure.data[:-1]:
        trace.showlegend = False
    figure.update_layout(showlegend=True, margin={"t": LEGEND})
