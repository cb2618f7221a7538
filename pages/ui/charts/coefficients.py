"""Charts of estimates: coefficients with intervals, and where the variance lies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui import terms, text
from pages.ui.charts.base import LIGHT, Chart, Ink, axis, canvas, figures, labelled_axis

INTERCEPT = "Intercept"
MOST_SAID = 8
MOST_ROWS = 40
"""Coefficients drawn at most; a longer picture is no longer read."""


def coefficient_plot(
    fixed: pd.DataFrame,
    *,
    level: float = 0.95,
    intercept: bool = True,
    outcome: object = "",
    ink: Ink = LIGHT,
) -> Chart:
    """Fixed-effect estimates with their intervals, one row a term, in the order of the model.

    fixed : term, estimate, conf_low, conf_high, as `result.tidy(effects="fixed")`
    """
    chosen = fixed if intercept else fixed[fixed["term"] != INTERCEPT]
    shown = _clearest(chosen)
    read = terms.readable(fixed["term"])
    names = [read[str(term)] for term in shown["term"]]
    estimate, low, high = (
        shown[name].to_numpy(dtype=float) for name in ("estimate", "conf_low", "conf_high")
    )
    figure = canvas(110 + 34 * max(len(names), 1))
    figure.add_vline(x=0, line={"color": ink.muted, "width": 1, "dash": "dot"})
    figure.add_trace(
        go.Scatter(
            x=estimate,
            y=np.arange(len(names)),
            error_x={"array": high - estimate, "arrayminus": estimate - low, "thickness": 2, "width": 0},
            mode="markers",
            marker={"size": 9, "color": ink.main},
            customdata=_hover_rows(names, estimate, low, high),
            hovertemplate="%{customdata[0]}<br>%{customdata[1]} (%{customdata[2]})<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis=axis("Estimate"),
        yaxis=labelled_axis(names, 24, two_lines=True),
    )
    units = f" in units of {text.shorten(outcome, 30)}" if outcome != "" else ""
    away = [name for name, a, b in zip(names, low, high, strict=True) if a > 0 or b < 0]
    return Chart(
        figure,
        "Coefficients",
        f"Each point is an estimate{units}, each bar its {level:.0%} interval. A bar that crosses the dotted "
        "line at zero leaves open whether the effect is positive or negative.",
        f"Estimates of {len(names)} fixed effect{'' if len(names) == 1 else 's'} with {level:.0%} intervals, "
        f"{len(away)} of which exclude zero: {_each(names, estimate, low, high)}.",
        ""
        if len(shown) == len(chosen)
        else f"Only the {len(shown)} of {len(chosen):,} coefficients that lie furthest from zero for "
        "the width of their intervals are drawn.",
    )


def _each(names: Sequence[str], *columns: np.ndarray) -> str:
    """'Days 10.5 (7.4 to 13.5); …' for the first rows, to be heard."""
    rows = list(zip(names, *columns, strict=True))
    said = [
        f"{text.shorten(name)} {figures(e, 3)} ({figures(a, 3)} to {figures(b, 3)})"
        for name, e, a, b in rows[:MOST_SAID]
    ]
    return "; ".join([*said, f"and {len(rows) - MOST_SAID:,} more"] if len(rows) > MOST_SAID else said)


def _clearest(fixed: pd.DataFrame) -> pd.DataFrame:
    """The rows furthest from zero in widths of their intervals, in the order of the model."""
    if len(fixed) <= MOST_ROWS:
        return fixed
    width = (fixed["conf_high"] - fixed["conf_low"]).replace(0, np.nan)
    distance = (fixed["estimate"].abs() / width).fillna(0).to_numpy()
    return fixed.iloc[np.sort(np.argsort(-distance, kind="stable")[:MOST_ROWS])]


def _hover_rows(names: Sequence[str], *columns: np.ndarray) -> list[list[str]]:
    estimate, low, high = columns
    return [
        [text.plain(name), figures(e), f"{figures(a)} to {figures(b)}"]
        for name, e, a, b in zip(names, estimate, low, high, strict=True)
    ]


def variance_shares(icc: pd.DataFrame, r2_marginal: float = np.nan) -> pd.DataFrame:
    """Shares of the outcome's variance that add to one: part, share, kind ('fixed', 'group', 'residual').

    icc : group, icc, as `result.icc()`: shares of the variance that the predictors leave.
    r2_marginal : the share the fixed effects explain; left out when there is none.
    """
    groups = icc[icc["group"] != "Residual"]
    fixed = float(r2_marginal) if np.isfinite(r2_marginal) else 0.0
    share = groups["icc"].to_numpy(dtype=float) * (1 - fixed)
    rows = [("Predictors", fixed, "fixed")] if fixed > 1e-12 else []
    rows += [(str(name), float(part), "group") for name, part in zip(groups["group"], share, strict=True)]
    rows.append(("Residual", max(0.0, 1 - fixed - float(share.sum())), "residual"))
    return pd.DataFrame(rows, columns=["part", "share", "kind"])


def variance_bar(shares: pd.DataFrame, *, ink: Ink = LIGHT) -> Chart:
    """The variance as a bar cut into its parts, each on its own row and starting where the last one ends.

    shares : part, share, kind, as `variance_shares`
    """
    share = shares["share"].to_numpy(dtype=float)
    names = [_part_name(part, kind) for part, kind in zip(shares["part"], shares["kind"], strict=True)]
    colour = {"fixed": ink.main, "group": ink.accent, "residual": ink.muted}
    figure = canvas(70 + 38 * len(names), bargap=0.25)
    figure.add_trace(
        go.Bar(
            x=share,
            base=np.cumsum(share) - share,
            y=np.arange(len(names)),
            orientation="h",
            marker={"color": [colour[kind] for kind in shares["kind"]], "line": {"width": 0}},
            customdata=[[text.plain(name), f"{part:.1%}"] for name, part in zip(names, share, strict=True)],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        )
    )
    labels = [f"{text.shorten(name, 22)} {part:.0%}" for name, part in zip(names, share, strict=True)]
    figure.update_layout(
        xaxis=axis(range=[0, 1.001], tickformat=".0%", tickvals=[0, 0.5, 1]),
        yaxis=labelled_axis(labels, 28),
        margin={"r": 28},
    )
    if "fixed" in set(shares["kind"]):
        caption = (
            "The parts add up to the variance of the outcome: what the predictors explain, what lies between "
        )
        caption += "groups, and what is left within them."
    else:
        caption = (
            "The parts add up to the variance that the predictors leave: between groups, and within them."
        )
    return Chart(
        figure,
        "Where the variance lies",
        caption,
        "Shares of the variance: "
        + ", ".join(f"{name} {part:.0%}" for name, part in zip(names, share, strict=True))
        + ".",
    )


def _part_name(part: object, kind: str) -> str:
    return f"Between {part}" if kind == "group" else str(part)
