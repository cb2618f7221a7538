"""How much the fit rests on one row or one group: Cook's distance in order, leverage against residual."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui import text
from pages.ui.charts.base import (
    LIGHT,
    Chart,
    Floats,
    Ink,
    Ints,
    axis,
    canvas,
    figures,
    labelled_axis,
    path,
    scatter,
    segments,
    thinned,
    thinning_note,
)
from pages.ui.charts.residuals import UNMARKED, Marks, cloud, ring

HEIGHT = 400
GROUPS_SHOWN = 30
NEEDLES = 2_000


def cooks_by_row(
    distance: pd.Series, *, mine: np.ndarray, row: Hashable | None = None, ink: Ink = LIGHT
) -> Chart:
    """A needle for each row, in the order of the data; distance : Cook's distance, indexed by row."""
    values = distance.to_numpy(dtype=float)
    at = np.flatnonzero(np.isfinite(values))
    at = at[thinned(values[at], NEEDLES)]
    limit = 4 / max(len(values), 1)
    place = np.arange(len(values), dtype=float)
    figure = canvas(HEIGHT)
    figure.add_trace(
        path(3 * len(at))(
            x=segments(place[at], place[at]),
            y=segments(np.zeros(len(at)), values[at]),
            mode="lines",
            line={"color": ink.main, "width": 1},
            hoverinfo="skip",
        )
    )
    _points(figure, distance.index, place, values, at, np.where(mine[at], ink.accent, ink.main), ink)
    ring(figure, distance.index, place, values, row, ink)
    _rule_of_thumb(figure, limit, ink)
    figure.update_layout(
        xaxis=axis("Row, in the order of the data"), yaxis=axis("Cook's distance", rangemode="tozero")
    )
    return Chart(
        figure,
        "Cook's distance by row",
        "How far all fixed effects move together when one row is left out, at the variances of the fit "
        "(Cook 1977). The dotted line, 4 ÷ number of rows, is a rule of thumb for a closer look, not a test.",
        _described(values, distance.index, limit, "rows"),
        thinning_note(len(at), len(values)),
        _most(values, distance.index, limit, "row"),
    )


def _points(
    figure: go.Figure, index: pd.Index, x: Floats, y: Floats, at: Ints, colours: np.ndarray, ink: Ink
) -> None:
    figure.add_trace(
        scatter(len(at))(
            x=x[at],
            y=y[at],
            mode="markers",
            marker={"size": 5, "color": colours.tolist(), "opacity": 0.85},
            customdata=[[text.plain(label), int(i)] for label, i in zip(index[at], at, strict=True)],
            hovertemplate="Row %{customdata[0]}<br>%{y:.4g}<extra></extra>",
        )
    )


def _rule_of_thumb(figure: go.Figure, limit: float, ink: Ink) -> None:
    figure.add_hline(y=limit, line={"color": ink.muted, "width": 1.5, "dash": "dot"})


def _most(values: Floats, names: pd.Index, limit: float, what: str) -> str:
    """How many lie above the rule of thumb, and which one most; '' where none has a distance."""
    known = np.isfinite(values)
    if not known.any():
        return ""
    top, above = int(np.nanargmax(values)), int((values[known] > limit).sum())
    count = "None" if above == 0 else f"{above:,}"
    lie = "lies" if above == 1 else "lie"
    return (
        f"{count} of the {len(values):,} {what}s {lie} above the dotted line. The most influential is "
        f"{what} {text.shorten(names[top])}: {figures(values[top], 2)}."
    )


def _described(values: Floats, names: pd.Index, limit: float, what: str) -> str:
    known = np.isfinite(values)
    if not known.any():
        return f"Cook's distance of {len(values):,} {what}; none has one."
    top = int(np.nanargmax(values))
    above = int((values[known] > limit).sum())
    return (
        f"Cook's distance of {len(values):,} {what}; the largest is {figures(values[top], 3)} "
        f"({what[:-1]} {text.shorten(names[top])}); {above:,} lie above the rule of thumb "
        f"{figures(limit, 2)}."
    )


def cooks_by_group(
    influence: pd.DataFrame, name: str, *, chosen: str | None = None, ink: Ink = LIGHT
) -> Chart:
    """The groups that move the fixed effects most; influence : level, cooks_distance."""
    known = influence[influence["cooks_distance"].notna()]
    ranked = known.sort_values("cooks_distance", ascending=False, kind="stable")
    levels = ranked["level"].astype(str)
    kept = np.arange(len(ranked)) < GROUPS_SHOWN
    kept |= (levels == chosen).to_numpy()
    shown, places = ranked[kept], np.flatnonzero(kept)
    names, values = levels[kept].tolist(), shown["cooks_distance"].to_numpy(dtype=float)
    limit = 4 / max(len(influence), 1)
    y = np.arange(len(shown), dtype=float)
    figure = canvas(96 + 19 * max(len(shown), 5))
    figure.add_trace(
        go.Scatter(
            x=segments(np.zeros(len(shown)), values), y=segments(y, y), mode="lines", hoverinfo="skip",
            line={"color": ink.main, "width": 2},
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=values,
            y=y,
            mode="markers",
            marker={"size": 9, "color": [ink.accent if each == chosen else ink.main for each in names]},
            customdata=[[text.plain(each), int(i)] for each, i in zip(names, places, strict=True)],
            hovertemplate="%{customdata[0]}<br>%{x:.4g}<extra></extra>",
        )
    )
    figure.add_vline(x=limit, line={"color": ink.muted, "width": 1.5, "dash": "dot"})
    figure.update_layout(
        xaxis=axis("Cook's distance", rangemode="tozero", side="top"), yaxis=labelled_axis(names, 22)
    )
    return Chart(
        figure,
        f"Cook's distance by {text.shorten(name, 30)}",
        "How far all fixed effects move together when a whole group is left out. The dotted line, 4 ÷ number "
        "of groups, is a rule of thumb.",
        _described(ranked["cooks_distance"].to_numpy(dtype=float), pd.Index(levels), limit, "groups"),
        f"The {len(shown):,} most influential of {len(influence):,} groups."
        if len(shown) < len(influence)
        else "",
        _most(ranked["cooks_distance"].to_numpy(dtype=float), pd.Index(levels), limit, "group"),
    )


def leverage_against_residual(augmented: pd.DataFrame, marks: Marks = UNMARKED) -> Chart:
    """Studentised residual against leverage: rows that pull, and rows that do not fit."""
    leverage = augmented["leverage"].to_numpy(dtype=float)
    resid = augmented["studentised"].to_numpy(dtype=float)
    figure, note = cloud(augmented, leverage, resid, marks, line=False)
    figure.add_hline(y=0, line={"color": marks.ink.muted, "width": 1, "dash": "dot"})
    figure.update_layout(xaxis=axis("Leverage", rangemode="tozero"), yaxis=axis("Studentised residual"))
    top = int(np.argmax(leverage))
    return Chart(
        figure,
        "Residual against leverage",
        "Leverage is how far a row pulls its own fitted value, from 0 to 1: rows far to the right and far "
        "from zero shape the fit most. Their values deserve a second look.",
        f"Studentised residuals of {len(resid):,} rows against leverage; the mean leverage is "
        f"{figures(float(leverage.mean()), 3)}, the largest {figures(float(leverage[top]), 3)} "
        f"(row {text.shorten(augmented.index[top])}).",
        note,
        f"The largest leverage is {figures(float(leverage[top]), 2)}, of row "
        f"{text.shorten(augmented.index[top])}; the mean is {figures(float(leverage.mean()), 2)}.",
    )
