"""A column before and after a step: two small distributions, one above the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.ui import text
from pages.ui.charts.base import LIGHT, Chart, Ink, axis, figures

BINS = 40
MOST_LEVELS = 12
HEIGHT = 150
STATIC = {"staticPlot": True, "displayModeBar": False}


def before_after(columns: list[pd.Series], *, ink: Ink = LIGHT) -> Chart:
    """The distribution of each column, drawn in its order: numbers as a histogram, labels as counts."""
    figure = make_subplots(rows=len(columns), cols=1, vertical_spacing=0.5 / len(columns))
    for row, column in enumerate(columns, start=1):
        colour = ink.muted if row == 1 < len(columns) else ink.main
        figure.add_trace(_bars(column, colour), row=row, col=1)
        figure.update_xaxes(axis(column.name, showgrid=False, fixedrange=True), row=row, col=1)
        if not _is_number(column):
            figure.update_xaxes(type="category", row=row, col=1)
    figure.update_yaxes(visible=False, fixedrange=True)
    figure.update_layout(
        height=HEIGHT * len(columns),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        bargap=0.04,
    )
    return Chart(
        figure,
        "Before and after",
        "How the values are spread: first the column there is, then what is made of it.",
        " ".join(_said(column) for column in columns),
    )


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _bars(column: pd.Series, colour: str) -> go.Bar:
    present = column.dropna()
    if not _is_number(column):
        counts = present.value_counts().head(MOST_LEVELS)
        if isinstance(column.dtype, pd.CategoricalDtype):
            counts = counts.sort_index()
        labels = [text.plain(text.shorten(label, 18)) for label in counts.index]
        return go.Bar(x=labels, y=counts.to_numpy(), marker={"color": colour})
    values = present.to_numpy(dtype=float)
    heights, edges = np.histogram(values[np.isfinite(values)], bins=_bins(values))
    return go.Bar(x=(edges[:-1] + edges[1:]) / 2, y=heights, width=np.diff(edges), marker={"color": colour})


def _bins(values: np.ndarray) -> int:
    """A bin a value when there are few different ones, as an even part of the rows shows."""
    part = values[:: max(len(values) // 5_000, 1)]
    return min(BINS, max(len(np.unique(part)), 1))


def _said(column: pd.Series) -> str:
    name, present = text.shorten(column.name), column.dropna()
    if present.empty:
        return f"{name} has no values."
    if not _is_number(column):
        return f"{name} has {present.nunique():,} different values."
    low, high, mean = (figures(float(value)) for value in (present.min(), present.max(), present.mean()))
    return f"{name} goes from {low} to {high}, mean {mean}."
