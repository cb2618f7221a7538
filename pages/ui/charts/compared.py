"""Coefficients of several models in one picture."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui import terms as names
from pages.ui import text
from pages.ui.charts.base import LIGHT, Chart, Ink, axis, canvas, figures, labelled_axis

MOST_TERMS, MOST_SAID = 25, 6
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star")


def compared_coefficients(
    fixed: dict[str, pd.DataFrame], *, level: float = 0.95, intercept: bool = False, ink: Ink = LIGHT
) -> Chart:
    """Estimates of the same term under each other, one symbol and colour a model.

    fixed : name of a model → term, estimate, conf_low, conf_high, as `result.tidy(effects="fixed")`
    """
    terms = list(dict.fromkeys(str(term) for frame in fixed.values() for term in frame["term"]))
    if not intercept:
        terms = [term for term in terms if term != "Intercept"] or terms
    drawn = terms[:MOST_TERMS]
    place = {term: row for row, term in enumerate(drawn)}
    figure = canvas(150 + max(34, 16 * len(fixed) + 14) * max(len(drawn), 1), legend=True)
    figure.add_vline(x=0, line={"color": ink.muted, "width": 1, "dash": "dot"})
    shifts = np.linspace(-0.28, 0.28, len(fixed)) if len(fixed) > 1 else np.zeros(1)
    for number, (name, frame) in enumerate(fixed.items()):
        rows = frame[[str(term) in place for term in frame["term"]]]
        figure.add_trace(_model(name, rows, place, shifts[number], number, ink))
    read = names.readable(terms)
    figure.update_layout(
        xaxis=axis("Estimate"), yaxis=labelled_axis([read[term] for term in drawn], 24, two_lines=True)
    )
    note = f"The first {MOST_TERMS} of {len(terms)} effects are drawn." if len(terms) > MOST_TERMS else ""
    return Chart(
        figure,
        "Coefficients side by side",
        f"Each symbol is an estimate, each bar its {level:.0%} interval, each colour a model. A coefficient "
        "that moves when a predictor is added shares what it explains with that predictor.",
        f"Coefficients of {len(drawn)} effects in {len(fixed)} models with {level:.0%} intervals: "
        f"{_said(fixed, read, drawn)}.",
        note,
    )


def _said(fixed: dict[str, pd.DataFrame], read: dict[str, str], drawn: list[str]) -> str:
    """'Days 10.5 in one and 10.2 in two; …' for the first effects, to be heard."""
    said = []
    for term in drawn[:MOST_SAID]:
        found = [
            f"{figures(float(e), 3)} in {text.shorten(name, 30)}"
            for name, frame in fixed.items()
            for e in frame.loc[frame["term"].map(str) == term, "estimate"]
        ]
        said.append(f"{text.shorten(read[term])} {', '.join(found)}")
    return "; ".join(said)


def _model(
    name: str, rows: pd.DataFrame, place: dict[str, int], shift: float, number: int, ink: Ink
) -> go.Scatter:
    estimate, low, high = (rows[key].to_numpy(dtype=float) for key in ("estimate", "conf_low", "conf_high"))
    hover = [
        [text.plain(names.one(term)), f"{figures(e)} ({figures(a)} to {figures(b)})"]
        for term, e, a, b in zip(rows["term"], estimate, low, high, strict=True)
    ]
    return go.Scatter(
        x=estimate,
        y=np.array([place[str(term)] for term in rows["term"]]) + shift,
        error_x={"array": high - estimate, "arrayminus": estimate - low, "thickness": 2, "width": 0},
        mode="markers",
        name=text.plain(text.shorten(name, 30)),
        marker={
            "size": 9,
            "color": ink.categories[number % len(ink.categories)],
            "symbol": SYMBOLS[number % len(SYMBOLS)],
        },
        customdata=hover,
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}",
    )
