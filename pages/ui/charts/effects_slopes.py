"""The slope of one predictor along another: Johnson and Neyman's plot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui import text
from pages.ui.charts.base import LIGHT, Chart, Floats, Ink, axis, canvas, faint

RUG = 400
"""Marks of observed values drawn."""


def johnson_neyman(
    slopes: pd.DataFrame,
    regions: pd.DataFrame,
    observed: Floats,
    *,
    names: tuple[str, str],
    level: float,
    words: str,
    ink: Ink = LIGHT,
) -> Chart:
    """Slope of `names[0]` over `names[1]` with its band; where the band excludes zero is shaded.

    slopes  : a column named as the moderator, `estimate, conf_low, conf_high`
    regions : `low, high, sign`, as `result.johnson_neyman` gives them
    """
    x = slopes[names[1]].to_numpy(dtype=float)
    figure = canvas(420)
    for low, high, sign in regions[["low", "high", "sign"]].itertuples(index=False, name=None):
        start, end = max(low, x[0]), min(high, x[-1])
        if sign and start < end:
            figure.add_vrect(
                start, end, fillcolor=ink.categories[2], opacity=0.16, line_width=0, layer="below"
            )
        for edge in (low, high):
            if x[0] < edge < x[-1]:
                figure.add_vline(edge, line={"color": ink.muted, "width": 1.5, "dash": "dot"})
    figure.add_hline(0, line={"color": ink.text, "width": 1.5})
    _add_band(figure, slopes, x, ink)
    note = _add_rug(
        figure, observed, float(min(slopes["conf_low"].min(), 0)), float(np.ptp(slopes["conf_high"])), ink
    )
    figure.update_layout(
        xaxis=axis(names[1]), yaxis=axis(f"Slope of {text.shorten(names[0], 30)}", zeroline=False)
    )
    return Chart(
        figure,
        f"Where the slope of {text.shorten(names[0], 30)} differs from zero",
        f"The line is the slope, the band its {level:.0%} interval. Where the band leaves zero out the plot "
        "is shaded. Marks at the bottom are values in the data.",
        words,
        note,
    )


def _add_band(figure: go.Figure, slopes: pd.DataFrame, x: Floats, ink: Ink) -> None:
    low, high = slopes["conf_low"].to_numpy(dtype=float), slopes["conf_high"].to_numpy(dtype=float)
    figure.add_trace(
        go.Scatter(
            x=[*x, *x[::-1]],
            y=[*high, *low[::-1]],
            fill="toself",
            mode="lines",
            line={"width": 0},
            fillcolor=faint(ink.main, 0.22),
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=x,
            y=slopes["estimate"],
            mode="lines",
            line={"color": ink.main, "width": 3},
            customdata=np.column_stack([low, high]),
            hovertemplate="At %{x:.4g}: %{y:.4g}<br>%{customdata[0]:.4g} to %{customdata[1]:.4g}"
            "<extra></extra>",
        )
    )


def _add_rug(figure: go.Figure, observed: Floats, bottom: float, height: float, ink: Ink) -> str:
    """Marks below the band at the moderator's distinct values, or at evenly spaced ranks of many."""
    values = np.unique(observed[np.isfinite(observed)])
    drawn = values
    if len(values) > RUG:
        drawn = values[np.linspace(0, len(values) - 1, RUG).round().astype(int)]
    figure.add_trace(
        go.Scatter(
            x=drawn,
            y=np.full(len(drawn), bottom - 0.06 * max(height, abs(bottom))),
            mode="markers",
            marker={"symbol": "line-ns", "size": 9, "line": {"width": 1, "color": ink.muted}, "opacity": 0.6},
            hoverinfo="skip",
        )
    )
    return "" if len(drawn) == len(values) else f"{RUG} of {len(values):,} values are marked."
