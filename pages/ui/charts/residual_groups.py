"""Residuals group by group: boxes, or dots where groups are small."""

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
    box_rows,
    canvas,
    figures,
    labelled_axis,
)

GROUPS_SHOWN = 40
BOX_FROM = 8
"""Groups of at least this many rows (median) are boxes; smaller ones show every row as a dot."""
OUTLIERS_DRAWN = 1_000
TOLD_FROM = 3


def residuals_by_group(
    augmented: pd.DataFrame, group: str, *, chosen: str | None = None, ink: Ink = LIGHT
) -> Chart:
    """Residuals of each group as a box, or as dots when groups are small; the widest of many groups."""
    code, levels = pd.factorize(augmented[group], sort=True)
    resid = augmented["resid"].to_numpy(dtype=float)
    names = np.array([str(level) for level in levels], dtype=object)
    shown = _widest(code, resid, names, chosen)
    frame = pd.DataFrame({"row": augmented.index, "resid": resid, "code": code, "at": np.arange(len(code))})
    frame = frame[frame["code"].isin(shown)]
    frame["place"] = frame["code"].map({code: place for place, code in enumerate(shown)})
    boxes = frame.groupby("place").size().median() >= BOX_FROM
    figure = canvas(96 + 19 * max(len(shown), 5))
    figure.add_vline(x=0, line={"color": ink.muted, "width": 1, "dash": "dot"})
    colours = np.array([ink.accent if names[code] == chosen else ink.main for code in shown], dtype=object)
    if boxes:
        frame = _add_boxes(figure, frame, colours)
    _add_dots(figure, frame, colours, [text.plain(names[code]) for code in shown])
    figure.update_layout(xaxis=axis("Residual"), yaxis=labelled_axis([names[code] for code in shown], 22))
    return Chart(
        figure,
        f"Residuals by {text.shorten(group)}",
        ("Each box holds the middle half of a group's residuals, its line the median. " if boxes else "")
        + "Groups should be alike: centred near zero and about equally wide.",
        f"Residuals of {len(shown)} groups of {text.shorten(group)}; "
        f"the widest is {text.shorten(names[shown[0]])}.",
        f"The {len(shown)} groups with the widest residuals, of {len(names):,}."
        if len(shown) < len(names)
        else "",
        _widths(code, resid, names),
    )


def _widths(code: Ints, resid: Floats, names: np.ndarray) -> str:
    """The typical residual of the widest and the narrowest group of at least `TOLD_FROM` rows."""
    size = np.bincount(code, minlength=len(names))
    width = np.sqrt(np.bincount(code, resid**2, minlength=len(names)) / np.maximum(size, 1))
    told = np.flatnonzero(size >= TOLD_FROM)
    if len(told) < 2:
        return ""
    low, high = told[np.argmin(width[told])], told[np.argmax(width[told])]
    narrowest, widest = (f"{figures(width[at], 3)} in {text.shorten(names[at])}" for at in (low, high))
    return f"The typical residual (root mean square) runs from {narrowest} to {widest}."


def _widest(code: Ints, resid: Floats, names: np.ndarray, chosen: str | None) -> list[int]:
    """Codes of up to GROUPS_SHOWN groups by root mean square residual, widest first, with the chosen one."""
    size = np.bincount(code, minlength=len(names))
    width = np.sqrt(np.bincount(code, resid**2, minlength=len(names)) / np.maximum(size, 1))
    order = np.argsort(-width, kind="stable")
    mine = [int(i) for i in np.flatnonzero(names == chosen)] if chosen is not None else []
    if len(order) > GROUPS_SHOWN and mine and mine[0] not in order[:GROUPS_SHOWN]:
        return [*order[: GROUPS_SHOWN - 1].tolist(), mine[0]]
    return [int(i) for i in order[:GROUPS_SHOWN]]


def _add_boxes(figure: go.Figure, frame: pd.DataFrame, colours: np.ndarray) -> pd.DataFrame:
    """A box for each place from its five numbers; returns the rows beyond the fences."""
    five = frame.groupby("place")["resid"].quantile(np.array([0.25, 0.5, 0.75])).unstack()
    reach = 1.5 * (five[0.75] - five[0.25])
    place = frame["place"]
    inside = (frame["resid"] >= place.map(five[0.25] - reach)) & (
        frame["resid"] <= place.map(five[0.75] + reach)
    )
    fences = frame[inside].groupby("place")["resid"].agg(["min", "max"]).reindex(five.index)
    for colour in dict.fromkeys(colours):
        mine = five.index[colours[five.index] == colour]
        quartiles = five.loc[mine, [0.25, 0.5, 0.75]].to_numpy()
        whiskers = fences.loc[mine, ["min", "max"]].to_numpy()
        rows = np.column_stack([whiskers[:, 0], quartiles, whiskers[:, 1]])
        figure.add_trace(box_rows(mine.to_numpy(), rows, colour))
    return frame[~inside].sample(frac=1, random_state=0).head(OUTLIERS_DRAWN)


def _add_dots(figure: go.Figure, frame: pd.DataFrame, colours: np.ndarray, names: list[str]) -> None:
    place = frame["place"].to_numpy(dtype=int)
    figure.add_trace(
        go.Scatter(
            x=frame["resid"],
            y=place,
            mode="markers",
            showlegend=False,
            marker={"size": 5, "color": colours[place].tolist(), "opacity": 0.75},
            customdata=[
                [names[i], text.plain(row), int(at)]
                for i, row, at in zip(place, frame["row"], frame["at"], strict=True)
            ],
            hovertemplate="%{customdata[0]}, row %{customdata[1]}<br>%{x:.4g}<extra></extra>",
        )
    )
