"""Charts of residuals: against fitted values, normal Q–Q, scale–location."""

from __future__ import annotations

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
    faint,
    figures,
    opacity,
    scatter,
    steady,
    thinned,
    thinning_note,
)
from pages.ui.charts.curves import normal_quantiles, normal_ranks, smooth

HEIGHT = 400


def residuals_against_fitted(
    augmented: pd.DataFrame, *, group: str | None = None, chosen: str | None = None, ink: Ink = LIGHT
) -> Chart:
    """Residuals against fitted values with a smooth line; `augmented` as `result.augment()`."""
    fitted, resid = (steady(augmented[name].to_numpy(dtype=float)) for name in ("fitted", "resid"))
    figure, note = _cloud(augmented, fitted, resid, group, chosen, ink)
    figure.add_hline(y=0, line={"color": ink.muted, "width": 1, "dash": "dot"})
    figure.update_layout(xaxis=axis("Fitted value"), yaxis=axis("Residual"))
    return Chart(
        figure,
        "Residuals against fitted values",
        "The line should stay near zero: a bend means that the predictors miss a curve. "
        "The spread should be even: a funnel means that the error grows with the fitted value.",
        f"Residuals of {len(resid):,} rows against fitted values; residuals run from {figures(resid.min())} "
        f"to {figures(resid.max())}, {_drift(fitted, resid)}.",
        note,
    )


def scale_location(
    augmented: pd.DataFrame, *, group: str | None = None, chosen: str | None = None, ink: Ink = LIGHT
) -> Chart:
    """Root absolute standardised residual against fitted value: the spread along the fitted values."""
    fitted = steady(augmented["fitted"].to_numpy(dtype=float))
    root = np.sqrt(np.abs(augmented["resid_std"].to_numpy(dtype=float)))
    figure, note = _cloud(augmented, fitted, root, group, chosen, ink)
    figure.update_layout(
        xaxis=axis("Fitted value"), yaxis=axis("√|standardised residual|", rangemode="tozero")
    )
    return Chart(
        figure,
        "Scale–location",
        "The line is the typical size of a residual. It should be level; a slope means that the spread "
        "changes with the fitted value.",
        f"Size of the residuals of {len(root):,} rows against fitted values; {_trend(fitted, root)}.",
        note,
    )


def _cloud(
    augmented: pd.DataFrame, x: Floats, y: Floats, group: str | None, chosen: str | None, ink: Ink
) -> tuple[go.Figure, str]:
    """Points with row labels, the chosen group's on top, and the smooth line of all rows."""
    mine = _is_chosen(augmented, group, chosen)
    drawn = thinned(np.abs(augmented["resid"].to_numpy(dtype=float)))
    figure = canvas(HEIGHT, legend=bool(mine.any()))
    _add_points(figure, augmented, x, y, drawn, ink.main, "Other groups")
    if mine.any():
        _add_points(
            figure, augmented, x, y, np.flatnonzero(mine), ink.accent, text.shorten(chosen, 30), bold=True
        )
    line_x, line_y = smooth(x, y)
    figure.add_trace(
        go.Scatter(
            x=line_x,
            y=line_y,
            mode="lines",
            showlegend=False,
            line={"color": ink.text if mine.any() else ink.accent, "width": 2.5},
            hovertemplate="Smooth line: %{y:.4g}<extra></extra>",
        )
    )
    return figure, thinning_note(len(drawn), len(x))


def _is_chosen(augmented: pd.DataFrame, group: str | None, chosen: str | None) -> np.ndarray:
    if group is None or chosen is None or group not in augmented:
        return np.zeros(len(augmented), dtype=bool)
    return (augmented[group].astype(str) == chosen).to_numpy()


def _add_points(
    figure: go.Figure,
    frame: pd.DataFrame,
    x: Floats,
    y: Floats,
    rows: Ints,
    colour: str,
    name: str,
    *,
    bold: bool = False,
) -> None:
    figure.add_trace(
        scatter(len(rows))(
            x=x[rows],
            y=y[rows],
            mode="markers",
            name=text.plain(name),
            marker={
                "size": 7 if bold else 5,
                "color": colour,
                "opacity": 0.9 if bold else opacity(len(rows)),
            },
            customdata=[text.plain(row) for row in frame.index[rows]],
            hovertemplate="Row %{customdata}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
        )
    )


def _drift(x: Floats, y: Floats) -> str:
    line = smooth(x, y)[1]
    spread = float(np.std(y))
    if not len(line) or spread == 0:
        return "with too few distinct fitted values for a smooth line"
    worst = float(np.abs(line).max())
    if worst < spread / 4:
        return "and the smooth line stays near zero"
    return f"and the smooth line leaves zero by up to {figures(worst, 2)}"


def _trend(x: Floats, root: Floats) -> str:
    line = smooth(x, root)[1]
    if not len(line) or line[0] <= 0:
        return "with too few distinct fitted values for a smooth line"
    ratio = float((line[-1] / line[0]) ** 2)
    if 2 / 3 < ratio < 1.5:
        return "the typical size is about the same at both ends"
    return f"the typical size at the right end is {figures(ratio, 2)} times that at the left end"


def normal_qq(
    values: np.ndarray,
    labels: pd.Index,
    *,
    title: str = "Normal Q–Q plot: residuals",
    what: str = "Standardised residual",
    each: str = "Row",
    chosen: np.ndarray | None = None,
    ink: Ink = LIGHT,
) -> Chart:
    """Sorted standardised values against normal quantiles, with the line y = x and a pointwise 95 % envelope.

    values : (n,) with mean zero and variance one under the model; labels : what each is called on hover
    chosen : (n,) marks to highlight, or None
    """
    order = np.argsort(values, kind="stable")
    n = len(values)
    ranks = normal_ranks(n)
    expected, low, high = normal_quantiles(ranks, n)
    sample = values[order][ranks - 1]
    figure = canvas(HEIGHT)
    _add_envelope(figure, expected, low, high, ink)
    colours = ink.main
    if chosen is not None and chosen.any():
        colours = np.where(chosen[order][ranks - 1], ink.accent, ink.main).tolist()
    figure.add_trace(
        scatter(len(ranks))(
            x=expected,
            y=sample,
            mode="markers",
            marker={"size": 5, "color": colours, "opacity": 0.8},
            customdata=[text.plain(label) for label in labels[order[ranks - 1]]],
            hovertemplate=f"{each} %{{customdata}}<br>%{{y:.4g}}, expected %{{x:.3g}}<extra></extra>",
        )
    )
    figure.update_layout(xaxis=axis("Normal quantile"), yaxis=axis(what))
    outside = float(((sample < low) | (sample > high)).mean())
    return Chart(
        figure,
        title,
        "Points on the line are as a normal distribution would have them; 95% of the points at each place "
        "should fall in the band. Ends that turn away mean more extreme values than normal, or fewer.",
        f"Normal Q–Q plot of {n:,} values; {outside:.0%} of the points lie outside the 95% band.",
        f"{len(ranks):,} of {n:,} points are drawn, both tails in full." if len(ranks) < n else "",
    )


def effects_qq(
    values: np.ndarray, labels: pd.Index, name: str, *, chosen: str | None = None, ink: Ink = LIGHT
) -> Chart:
    """Normal Q–Q plot of one random effect; `values` standardised, `labels` the groups."""
    return normal_qq(
        values,
        labels,
        title="Normal Q–Q plot: group effects",
        what=f"{text.shorten(name, 34)}, standardised",
        each="Group",
        chosen=np.asarray(labels == chosen, dtype=bool),
        ink=ink,
    )


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
