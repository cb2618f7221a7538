"""Predictions over one column: lines with bands over a number, points with intervals over categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui import text
from pages.ui.charts.base import (
    LIGHT,
    Chart,
    Floats,
    Ink,
    axis,
    canvas,
    faint,
    opacity,
    row_labels,
    scatter,
    thinned,
)

POINTS = 1_500
"""Observations drawn behind predictions: more hide the lines."""
JITTER = 0.16
CROWD = 4
"""Lines from which on their bands are fainter, so that they can be seen through each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One line: its name, where (k,), and `fit, conf_low, conf_high` there; `dashed` for a comparison.

    colour : place of its colour; None is that of the line among the others
    """

    name: str
    x: Sequence[Any]
    found: pd.DataFrame
    dashed: bool = False
    colour: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Observations behind the predictions, (n,) each: x, y, number of the curve or −1, row names."""

    x: pd.Series
    y: Floats
    curve: np.ndarray
    rows: pd.Index


def predictions(
    curves: Sequence[Curve],
    observed: Observed | None,
    *,
    names: tuple[str, str],
    category: bool,
    words: str,
    caption: str,
    ink: Ink = LIGHT,
) -> Chart:
    """Predictions of `names[1]` over `names[0]`, with what was observed behind them.

    words : what it shows, for those who cannot see it
    """
    figure = canvas(460, legend=len(curves) > 1)
    levels = [str(value) for value in curves[0].x] if category else []
    places = [number if curve.colour is None else curve.colour for number, curve in enumerate(curves)]
    colours = [ink.categories[place % len(ink.categories)] for place in places]
    note = _add_observed(figure, observed, levels, colours, ink) if observed is not None else ""
    for number, (curve, colour) in enumerate(zip(curves, colours, strict=True)):
        if category:
            _add_points(figure, curve, _shift(number, len(curves)), colour)
        else:
            _add_line(figure, curve, colour, 0.2 if len(curves) < CROWD else 0.08)
    ticks: dict[str, Any] = {}
    if category:
        shown = [text.plain(text.shorten(level, 18)) for level in levels]
        ticks = {"tickmode": "array", "tickvals": list(range(len(levels))), "ticktext": shown}
        ticks |= {"range": [-0.6, len(levels) - 0.4], "showgrid": False}
    figure.update_layout(xaxis=axis(names[0], **ticks), yaxis=axis(names[1]))
    return Chart(figure, "Predictions", caption, words, note)


def titled(chart: Chart, title: str) -> Chart:
    """The same chart under another heading."""
    return replace(chart, title=title)


def _shift(number: int, of: int) -> float:
    """How far beside its category a curve's point stands."""
    return 0.0 if of == 1 else (number / (of - 1) - 0.5) * min(0.5, 0.14 * of)


def _add_points(figure: go.Figure, curve: Curve, shift: float, colour: str) -> None:
    fit, low, high = (curve.found[name].to_numpy(dtype=float) for name in ("fit", "conf_low", "conf_high"))
    figure.add_trace(
        go.Scatter(
            x=np.arange(len(fit)) + shift,
            y=fit,
            mode="markers",
            name=text.plain(text.shorten(curve.name, 30)),
            marker={"size": 10, "color": colour, "symbol": "diamond" if curve.dashed else "circle"},
            error_y={"type": "data", "symmetric": False, "array": high - fit, "arrayminus": fit - low,
                     "thickness": 2, "width": 0, "color": colour},
            customdata=np.column_stack([low, high]),
            hovertemplate="%{y:.4g}<br>%{customdata[0]:.4g} to %{customdata[1]:.4g}",
        )
    )  # fmt: skip


def _add_line(figure: go.Figure, curve: Curve, colour: str, band: float) -> None:
    fit, low, high = (curve.found[name].to_numpy(dtype=float) for name in ("fit", "conf_low", "conf_high"))
    x, name = list(curve.x), text.plain(text.shorten(curve.name, 30))
    known = np.isfinite(low) & np.isfinite(high)
    inside = [value for value, good in zip(x, known, strict=True) if good]
    figure.add_trace(
        go.Scatter(
            x=[*inside, *inside[::-1]],
            y=[*high[known], *low[known][::-1]],
            fill="toself",
            mode="lines",
            line={"width": 0},
            fillcolor=faint(colour, band),
            hoverinfo="skip",
            showlegend=False,
            legendgroup=name,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=x,
            y=fit,
            mode="lines",
            name=name,
            legendgroup=name,
            line={"color": colour, "width": 3, "dash": "dash" if curve.dashed else "solid"},
            customdata=np.column_stack([low, high]),
            hovertemplate="%{y:.4g}<br>%{customdata[0]:.4g} to %{customdata[1]:.4g}",
        )
    )


def _add_observed(
    figure: go.Figure, data: Observed, levels: list[str], colours: Sequence[str], ink: Ink
) -> str:
    """Draw the observations, each colour behind its curve; gives the note on thinning."""
    finite = np.flatnonzero(np.isfinite(data.y) & data.x.notna().to_numpy())
    places = (
        finite[thinned(np.abs(data.y[finite] - np.median(data.y[finite])), POINTS)] if finite.size else finite
    )
    x: Any = data.x.iloc[places]
    if levels:
        code = x.astype(str).map({level: i for i, level in enumerate(levels)}).to_numpy(dtype=float)
        x = code + np.random.default_rng(0).uniform(-JITTER, JITTER, len(code))
    x = pd.Series(np.asarray(x))
    for number in np.unique(data.curve[places]):
        own = np.flatnonzero(data.curve[places] == number)
        colour = ink.muted if number < 0 else colours[number]
        shift = _shift(int(number), len(colours)) if levels and number >= 0 else 0.0
        figure.add_trace(
            scatter(len(places))(
                x=x.iloc[own] + shift if levels else x.iloc[own],
                y=data.y[places][own],
                mode="markers",
                showlegend=False,
                marker={"size": 5, "color": colour, "opacity": min(0.5, opacity(len(places)))},
                customdata=row_labels(data.rows, places[own]),
                hovertemplate="Row %{customdata}: %{y:.4g}<extra></extra>",
            )
        )
    if len(places) == len(finite):
        return ""
    return f"{len(places):,} of {len(finite):,} observations are drawn."
