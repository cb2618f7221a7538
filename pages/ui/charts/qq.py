"""Normal Q–Q plots of residuals and of random effects, and the uniform one of simulated residuals."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy import special

from pages.ui import text
from pages.ui.charts.base import LIGHT, Chart, Floats, Ink, axis, canvas, faint, scatter
from pages.ui.charts.curves import normal_quantiles, normal_ranks
from pages.ui.charts.residuals import ring

HEIGHT = 400
READ = (
    "Points on the line are as a normal distribution would have them; 95% of the points at each place "
    "should fall in the band. Ends that turn away mean more extreme values than normal, or fewer."
)


def normal_qq(
    values: np.ndarray,
    labels: pd.Index,
    *,
    title: str = "Q–Q plot: residuals",
    what: str = "Studentised residual",
    chosen: np.ndarray | None = None,
    row: Hashable | None = None,
    ink: Ink = LIGHT,
) -> Chart:
    """Sorted standardised values against normal quantiles, with the line y = x and a pointwise 95 % envelope.

    values : (n,) of variance one under the model; those that are not finite are left out
    labels : what each is called on hover; chosen : (n,) marks to highlight, or None
    """
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order])]
    n = len(order)
    ranks = normal_ranks(n)
    expected, low, high = normal_quantiles(ranks, n)
    at = order[ranks - 1]
    marks = None if chosen is None else chosen[at]
    named = [[text.plain(label), int(place)] for label, place in zip(labels[at], at, strict=True)]
    figure = _figure((expected, values[at], low, high), named, marks, "Row", ink)
    figure.update_layout(xaxis=axis("Normal quantile"), yaxis=axis(what))
    ring(figure, labels[at], expected, values[at], row, ink)
    return Chart(
        figure,
        title,
        READ,
        f"Normal Q–Q plot of {n:,} values; {_outside(values[at], low, high)}.",
        f"{len(ranks):,} of {n:,} points are drawn, both tails in full." if len(ranks) < n else "",
        _beyond(values[at], low, high),
    )


def effects_qq(quantiles: pd.DataFrame, name: str, *, chosen: str | None = None, ink: Ink = LIGHT) -> Chart:
    """Normal Q–Q plot of one random effect.

    quantiles : level, theoretical, sample, low, high; one term of `result.qq(factor)`
    """
    ranks = normal_ranks(len(quantiles)) - 1
    drawn = quantiles.iloc[ranks]
    names = drawn["level"].astype(str).to_numpy()
    columns = tuple(
        drawn[column].to_numpy(dtype=float) for column in ("theoretical", "sample", "low", "high")
    )
    named = [[text.plain(label), int(place)] for label, place in zip(names, ranks, strict=True)]
    figure = _figure(columns, named, names == chosen, "Group", ink)
    figure.update_layout(xaxis=axis("Normal quantile"), yaxis=axis(f"{text.shorten(name, 34)}, standardised"))
    return Chart(
        figure,
        f"Q–Q plot: {text.shorten(name, 40)}",
        f"{READ} Each predicted effect (BLUP) is divided by its standard deviation under the model.",
        f"Normal Q–Q plot of {len(quantiles):,} group effects; {_outside(*columns[1:])}.",
        f"{len(drawn):,} of {len(quantiles):,} points are drawn." if len(drawn) < len(quantiles) else "",
        _beyond(*columns[1:]),
    )


def uniform_qq(residuals: pd.Series, *, row: Hashable | None = None, ink: Ink = LIGHT) -> Chart:
    """Sorted simulated quantile residuals, on (0, 1), against uniform quantiles with a 95 % envelope."""
    values = residuals.to_numpy(dtype=float)
    order, n = np.argsort(values, kind="stable"), len(values)
    ranks = normal_ranks(n)
    at = order[ranks - 1]
    low, expected, high = (
        np.asarray(special.betaincinv(ranks, n + 1 - ranks, p), dtype=float) for p in (0.025, 0.5, 0.975)
    )
    named = [[text.plain(label), int(p)] for label, p in zip(residuals.index[at], at, strict=True)]
    figure = _figure((expected, values[at], low, high), named, None, "Row", ink)
    figure.update_layout(xaxis=axis("Uniform quantile"), yaxis=axis("Simulated quantile residual"))
    ring(figure, residuals.index[at], expected, values[at], row, ink)
    return Chart(
        figure,
        "Q–Q plot: simulated residuals",
        "Each residual says where an observation lies among outcomes simulated from the model: 0.5 is the "
        "middle, 0 and 1 the ends. If the model is right, they are spread evenly and lie on the line.",
        f"Uniform Q–Q plot of {n:,} simulated residuals; {_outside(values[at], low, high)}.",
        f"{len(ranks):,} of {n:,} points are drawn." if len(ranks) < n else "",
        _beyond(values[at], low, high),
    )


def _beyond(sample: Floats, low: Floats, high: Floats) -> str:
    """How many of the points drawn lie outside the band, and on which side the ends do."""
    out = (sample < low) | (sample > high)
    count = "None" if not out.any() else f"{int(out.sum()):,}"
    said = f"{count} of the {len(sample):,} points lie{'s' if out.sum() == 1 else ''} outside the band."
    ends = [
        f"the {name} end lies {'above' if sample[place] > high[place] else 'below'} it"
        for name, place in (("left", 0), ("right", -1))
        if out[place]
    ]
    return said if not ends else f"{said[:-1]}; {' and '.join(ends)}."


def _outside(sample: Floats, low: Floats, high: Floats) -> str:
    share = float(((sample < low) | (sample > high)).mean())
    return f"{share:.0%} of the points lie outside the 95% band"


def _figure(
    columns: tuple[Floats, ...], named: list[list[object]], marks: np.ndarray | None, each: str, ink: Ink
) -> go.Figure:
    """Band, line and points; columns : expected, sample, low, high."""
    expected, sample, low, high = columns
    figure = canvas(HEIGHT)
    _add_envelope(figure, expected, low, high, ink)
    colours: object = ink.main
    if marks is not None and marks.any():
        colours = np.where(marks, ink.accent, ink.main).tolist()
    figure.add_trace(
        scatter(len(expected))(
            x=expected,
            y=sample,
            mode="markers",
            marker={"size": 5, "color": colours, "opacity": 0.8},
            customdata=named,
            hovertemplate=f"{each} %{{customdata[0]}}<br>%{{y:.4g}}, expected %{{x:.3g}}<extra></extra>",
        )
    )
    return figure


def _add_envelope(figure: go.Figure, expected: Floats, low: Floats, high: Floats, ink: Ink) -> None:
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_trace(go.Scatter(x=expected, y=low, **edge))
    figure.add_trace(go.Scatter(x=expected, y=high, fill="tonexty", fillcolor=faint(ink.muted), **edge))
    ends = expected[[0, -1]]
    figure.add_trace(
        go.Scatter(
            x=ends,
            y=ends,
            mode="lines",
            hoverinfo="skip",
            line={"color": ink.muted, "width": 1.5, "dash": "dot"},
        )
    )
