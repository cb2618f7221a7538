"""A small picture of an example's data: lines by group over a predictor, or points by group. Pure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui.charts import Ink

MOST_GROUPS = 14
MOST_POINTS = 24
HEIGHT = 110


def picture(frame: pd.DataFrame, outcome: str, group: str, over: str | None, ink: Ink) -> go.Figure:
    """A drawing without axes, of a few groups.

    over : a numeric column to draw lines over; None for one column of points a group
    """
    few = _few_groups(frame, outcome, group)
    figure = go.Figure(_lines(few, outcome, over, ink) if over else _points(few, outcome, ink))
    figure.update_layout(
        height=HEIGHT, margin={"l": 4, "r": 4, "t": 6, "b": 6}, showlegend=False, hovermode=False,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(**hidden)
    figure.update_yaxes(**hidden)
    return figure


def _few_groups(frame: pd.DataFrame, outcome: str, group: str) -> pd.DataFrame:
    """Rows of groups spread evenly over the order of their means, a limited number of rows each."""
    known = frame.dropna(subset=[outcome, group])
    means = known.groupby(group, observed=True)[outcome].mean().sort_values()
    chosen = means.index[np.unique(np.linspace(0, len(means) - 1, MOST_GROUPS).round().astype(int))]
    rows = known[known[group].isin(chosen)]
    few = rows.groupby(group, observed=True).head(MOST_POINTS)
    order = few.groupby(group, observed=True)[outcome].mean().sort_values().index
    place = pd.Series(np.arange(len(order)), index=order)
    return few.assign(_place=few[group].astype(object).map(place).astype(int))


def _lines(few: pd.DataFrame, outcome: str, over: str, ink: Ink) -> list[go.Scatter]:
    """One thin line a group, the middle one strong."""
    groups = [rows.sort_values(over) for _, rows in few.groupby("_place")]
    means = [rows.groupby(over, observed=True)[outcome].mean() for rows in groups]
    x = [value for line in means for value in (*line.index, None)]
    y = [value for line in means for value in (*line, None)]
    middle = means[len(means) // 2]
    return [
        go.Scatter(x=x, y=y, mode="lines", line={"width": 1.3, "color": ink.main}, opacity=0.5),
        go.Scatter(x=middle.index, y=middle, mode="lines", line={"width": 2.8, "color": ink.accent}),
    ]


def _points(few: pd.DataFrame, outcome: str, ink: Ink) -> list[go.Scatter]:
    """A column of points a group, in the order of the means, which are short strokes."""
    means = few.groupby("_place")[outcome].mean()
    dots = {"size": 5, "color": ink.main}
    strokes = {"symbol": "line-ew", "size": 9, "line": {"width": 2.8, "color": ink.accent}}
    return [
        go.Scatter(x=few["_place"], y=few[outcome], mode="markers", marker=dots, opacity=0.55),
        go.Scatter(x=means.index, y=means, mode="markers", marker=strokes),
    ]


def line_variable(frame: pd.DataFrame, outcome: str, group: str, candidates: list[str]) -> str | None:
    """The first numeric candidate that takes several values within groups but not one for each row."""
    for name in candidates:
        if name == outcome or not pd.api.types.is_numeric_dtype(frame[name]):
            continue
        rows = frame.dropna(subset=[name])
        distinct = rows.groupby(group, observed=True)[name].nunique()
        if distinct.median() >= 3 and rows[name].nunique() <= 40:
            return name
    return None
