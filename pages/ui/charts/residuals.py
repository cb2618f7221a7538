"""Charts of residuals: against fitted values or any column, scale–location. A click gives the row's place."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui import text
from pages.ui.charts.base import (
    LIGHT,
    POINTS_DRAWN,
    Chart,
    Floats,
    Ink,
    Ints,
    axis,
    canvas,
    figures,
    opacity,
    row_labels,
    scatter,
    steady,
    thinned,
    thinning_note,
)
from pages.ui.charts.curves import smooth

HEIGHT = 400
NEAR = 0.25
"""Standard deviations of the residuals within which their smooth line stays by chance alone."""
ALIKE = 1.5
"""Times as large from which on spreads at two ends are said to differ."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What a chart of rows highlights, how many points it draws, and in which colours.

    group, chosen : a column of groups, and the label in it that stands out; row : the label of one row
    """

    group: str | None = None
    chosen: str | None = None
    row: Hashable | None = None
    most: int = POINTS_DRAWN
    ink: Ink = LIGHT


UNMARKED = Marks()


def residuals_against_fitted(augmented: pd.DataFrame, marks: Marks = UNMARKED) -> Chart:
    """Residuals against fitted values with a smooth line; `augmented` as `result.augment()`."""
    fitted, resid = (steady(augmented[name].to_numpy(dtype=float)) for name in ("fitted", "resid"))
    figure, note = cloud(augmented, fitted, resid, marks)
    figure.add_hline(y=0, line={"color": marks.ink.muted, "width": 1, "dash": "dot"})
    figure.update_layout(xaxis=axis("Fitted value"), yaxis=axis("Residual"))
    return Chart(
        figure,
        "Residuals against fitted values",
        "The line should stay near zero: a bend means that the predictors miss a curve. "
        "The spread should be even: a funnel means that the error grows with the fitted value.",
        f"Residuals of {len(resid):,} rows against fitted values; residuals run from {figures(resid.min())} "
        f"to {figures(resid.max())}, {_drift(fitted, resid)}.",
        note,
        leaves_zero(fitted, resid),
    )


def scale_location(augmented: pd.DataFrame, marks: Marks = UNMARKED) -> Chart:
    """Root absolute standardised residual against fitted value: the spread along the fitted values."""
    fitted = steady(augmented["fitted"].to_numpy(dtype=float))
    root = np.sqrt(np.abs(augmented["resid_std"].to_numpy(dtype=float)))
    figure, note = cloud(augmented, fitted, root, marks)
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
        _widens(fitted, root),
    )


def cloud(
    augmented: pd.DataFrame, x: Floats, y: Floats, marks: Marks, *, line: bool = True
) -> tuple[go.Figure, str]:
    """Points with row labels, the chosen group's on top, and the smooth line of all rows."""
    mine, ink, most = _is_chosen(augmented, marks), marks.ink, marks.most
    size = np.abs(augmented["resid"].to_numpy(dtype=float))
    drawn = thinned(size, most)
    figure = canvas(HEIGHT, legend=bool(mine.any()))
    _add_points(figure, augmented, x, y, drawn, ink.main, "Other groups")
    own = np.flatnonzero(mine)
    own = own[thinned(size[own], most)]
    if len(own):
        _add_points(figure, augmented, x, y, own, ink.accent, text.shorten(marks.chosen, 30), bold=True)
    if line:
        _add_smooth(figure, x, y, ink.text if len(own) else ink.accent)
    ring(figure, augmented.index, x, y, marks.row, ink)
    return figure, _left_out(len(drawn), len(x), len(own), int(mine.sum()))


def _left_out(drawn: int, n: int, own: int, mine: int) -> str:
    """What is not drawn of all rows and, where it is large too, of the chosen group."""
    said = thinning_note(drawn, n)
    return said if own == mine else f"{said} Of the chosen group {own:,} of {mine:,} are."


def _add_smooth(figure: go.Figure, x: Floats, y: Floats, colour: str) -> None:
    line_x, line_y = smooth(x, y)
    figure.add_trace(
        go.Scatter(
            x=line_x,
            y=line_y,
            mode="lines",
            showlegend=False,
            line={"color": colour, "width": 2.5},
            hovertemplate="Smooth line: %{y:.4g}<extra></extra>",
        )
    )


def ring(figure: go.Figure, index: pd.Index, x: Floats, y: Floats, row: Hashable | None, ink: Ink) -> None:
    """A ring around the row that a person looks at, if it is there."""
    if row is None or row not in index:
        return
    at = int(np.flatnonzero(index == row)[0])
    figure.add_trace(
        go.Scatter(
            x=[x[at]],
            y=[y[at]],
            mode="markers",
            showlegend=False,
            hoverinfo="skip",
            name="Chosen row",
            marker={"size": 15, "symbol": "circle-open", "color": ink.text, "line": {"width": 2.5}},
        )
    )


def _is_chosen(augmented: pd.DataFrame, marks: Marks) -> np.ndarray:
    if marks.group is None or marks.chosen is None or marks.group not in augmented:
        return np.zeros(len(augmented), dtype=bool)
    return (augmented[marks.group].astype(str) == marks.chosen).to_numpy()


def customdata(index: pd.Index, rows: Ints) -> list[list[object]]:
    """Label and place of each row drawn, for hover and clicks."""
    return [[label, place] for label, place in zip(row_labels(index, rows), rows.tolist(), strict=True)]


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
            customdata=customdata(frame.index, rows),
            hovertemplate="Row %{customdata[0]}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
        )
    )


def _drift(x: Floats, y: Floats) -> str:
    line = smooth(x, y)[1]
    spread = float(np.std(y))
    if not len(line) or spread == 0:
        return "with too few distinct fitted values for a smooth line"
    worst = float(np.abs(line).max())
    if worst < spread * NEAR:
        return "and the smooth line stays near zero"
    return f"and the smooth line leaves zero by up to {figures(worst, 2)}"


def _trend(x: Floats, root: Floats) -> str:
    line = smooth(x, root)[1]
    if not len(line) or line[0] <= 0:
        return "with too few distinct fitted values for a smooth line"
    ratio = float((line[-1] / line[0]) ** 2)
    if 1 / ALIKE < ratio < ALIKE:
        return "the typical size is about the same at both ends"
    return f"the typical size at the right end is {figures(ratio, 2)} times that at the left end"


def leaves_zero(x: Floats, resid: Floats) -> str:
    """How far the smooth line of residuals leaves zero, for their own spread; '' where none can be drawn."""
    line, spread = smooth(x, resid)[1], float(np.std(resid))
    if not len(line) or spread == 0:
        return ""
    share = float(np.abs(line).max()) / spread
    start = "The line stays near zero, within" if share < NEAR else "The line leaves zero by up to"
    return f"{start} {figures(share, 2)} standard deviations of the residuals."


def _widens(x: Floats, root: Floats) -> str:
    """How much larger residuals are at one end than at the other; '' where no line can be drawn."""
    line = smooth(x, root)[1]
    if not len(line) or min(line[0], line[-1]) <= 0:
        return ""
    ratio = float((line[-1] / line[0]) ** 2)
    if 1 / ALIKE < ratio < ALIKE:
        return "Residuals are typically about as large at one end as at the other."
    more, less = ("large", "small") if ratio > 1 else ("small", "large")
    times = figures(max(ratio, 1 / ratio), 2)
    return f"Residuals are typically {times} times as large for {more} fitted values as for {less} ones."
