"""Shrinkage: each group's own estimate, where the model draws it, and the average of all groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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
    figures,
    opacity,
    path,
    scatter,
    segments,
    span,
    thinned,
    thinning_note,
)

HEIGHT = 460
ARROWS = 400
"""Up to here moves are arrows; more are plain lines."""
DRAWN = 1_500
ELLIPSE = 5.991
"""The 95 % quantile of χ² with two degrees of freedom."""


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """m groups, each moved from its own estimate (x0, y0) to the model's (x1, y1); labels and sizes."""

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    labels: tuple[str, ...]
    size: Ints
    told: list[str]
    """What hover adds about each group."""


def shrinkage(
    labels: tuple[str, ...],
    size: Ints,
    own: Floats,
    partial: Floats,
    complete: float,
    *,
    name: str,
    factor: str,
    weight: Floats,
    adjusted: bool,
    weighted: bool = False,
    chosen: str | None = None,
    ink: Ink = LIGHT,
) -> Chart:
    """One coefficient of each group, by group size: own estimate → the model's, and the average as a line.

    own, partial : (m,) estimates; complete : the average group's; weight : (m,) reliability or NaN
    """
    order = np.lexsort((partial, size))
    place = np.empty(len(order))
    place[order] = np.arange(1, len(order) + 1)
    told = [
        f"{n:,} rows" + ("" if np.isnan(w) else f", weight on its own rows {w:.0%}")
        for n, w in zip(size, weight, strict=True)
    ]
    moves = Moves(place, own, place, partial, labels, size, told)
    figure, note = _moves(moves, chosen, ink)
    figure.add_trace(
        go.Scatter(
            x=[0.5, len(labels) + 0.5],
            y=[complete, complete],
            mode="lines",
            name="Average group",
            line={"color": ink.text, "width": 1.5, "dash": "dash"},
            hovertemplate="Average group: %{y:.4g}<extra></extra>",
        )
    )
    along = (
        "from the fewest rows to the most" if np.ptp(size) else "from the smallest estimate to the largest"
    )
    figure.update_layout(xaxis=axis(f"Groups, {along}", showgrid=False), yaxis=axis(name))
    return Chart(
        figure,
        f"Shrinkage: {text.shorten(name, 40)}",
        _caption(adjusted, weighted),
        _described(own, partial, complete, size, factor),
        " ".join(filter(None, [note, _undetermined(own)])),
    )


def plane(
    labels: tuple[str, ...],
    size: Ints,
    own: Floats | None,
    partial: Floats,
    complete: Floats,
    cov: Floats,
    *,
    names: tuple[str, str],
    factor: str,
    adjusted: bool = False,
    weighted: bool = False,
    chosen: str | None = None,
    ink: Ink = LIGHT,
) -> Chart:
    """Two coefficients of each group against each other, with the model's 95 % ellipse around the average.

    own : (m, 2) each group's own estimates, from which arrows lead to `partial` (m, 2); None draws none
    """
    start = partial if own is None else own
    told = [f"{n:,} rows" for n in size]
    moves = Moves(start[:, 0], start[:, 1], partial[:, 0], partial[:, 1], labels, size, told)
    figure, note = _moves(moves, chosen, ink, arrows=own is not None)
    _add_ellipse(figure, complete, cov, ink)
    figure.add_trace(
        go.Scatter(
            x=[complete[0]],
            y=[complete[1]],
            mode="markers",
            name="Average group",
            marker={"size": 13, "symbol": "diamond", "color": ink.text,
                    "line": {"color": ink.surface, "width": 1.5}},
            hovertemplate="Average group<br>%{x:.4g}, %{y:.4g}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(xaxis=axis(names[0]), yaxis=axis(names[1]))
    r = _correlation(cov)
    return Chart(
        figure,
        _plane_title(names, own is not None),
        ("" if own is None else f"{_caption(adjusted, weighted)} ")
        + "The ellipse is the model's: it holds 95% of the groups to be expected. Leaning up, groups that "
        "start higher also rise more steeply; leaning down, less.",
        f"{names[1]} against {names[0]} of {len(labels):,} groups of {text.shorten(factor)}; "
        f"{'the model has no correlation between them' if np.isnan(r) else f'correlation {r:.2f}'}.",
        " ".join(filter(None, [note, "" if own is None else _undetermined(own)])),
    )


def _plane_title(names: tuple[str, str], moved: bool) -> str:
    together = "intercept and slope" if names[0].startswith("Intercept") else "two effects"
    if moved:
        return f"Shrinkage of {together}"
    return "Intercept against slope" if names[0].startswith("Intercept") else "One effect against another"


def _caption(adjusted: bool, weighted: bool) -> str:
    first = (
        "Hollow: the group's own estimate, least squares on its rows alone"
        + (", weighted as in the model" if weighted else "")
        + (", after what the model says of all other effects is taken away" if adjusted else "")
        + " (no pooling). Filled: the mixed model's (partial pooling). "
    )
    return (
        first
        + "All groups are drawn towards the average group (complete pooling), those with few rows or with "
        "estimates far out the most: they say least for themselves and borrow most from the others."
    )


def _undetermined(own: Floats) -> str:
    missing = int(np.isnan(own.reshape(len(own), -1)).any(axis=1).sum())
    if not missing:
        return ""
    which = "1 group has" if missing == 1 else f"{missing:,} groups have"
    return f"{which} no estimate of their own: their rows do not determine one."


def _described(own: Floats, partial: Floats, complete: float, size: Ints, factor: str) -> str:
    known = np.isfinite(own)
    far, near = np.abs(own[known] - complete).mean(), np.abs(partial[known] - complete).mean()
    share = f"by {1 - near / far:.0%} on average" if known.any() and far > 0 else "not at all"
    return (
        f"Estimates of {len(own):,} groups of {text.shorten(factor)} with "
        f"{span(int(size.min()), int(size.max()))}; the model draws them towards the average "
        f"{figures(complete)} {share}."
    )


def _correlation(cov: Floats) -> float:
    product = float(cov[0, 0] * cov[1, 1])
    return float(cov[0, 1] / np.sqrt(product)) if product > 0 else np.nan


def _add_ellipse(figure: go.Figure, centre: Floats, cov: Floats, ink: Ink) -> None:
    """The 95 % contour of the estimated normal distribution of the groups; a line when it is singular."""
    values, vectors = np.linalg.eigh(cov)
    angle = np.linspace(0, 2 * np.pi, 121)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    x, y = vectors @ (np.sqrt(ELLIPSE * np.maximum(values, 0))[:, None] * circle) + centre[:, None]
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="lines", name="95% of groups, by the model", hoverinfo="skip",
            line={"color": ink.muted, "width": 1.5, "dash": "dot"},
        )
    )  # fmt: skip


def _moves(moves: Moves, chosen: str | None, ink: Ink, *, arrows: bool = True) -> tuple[go.Figure, str]:
    """Lines from own to partial estimates, hollow and filled points, the chosen group on top."""
    figure = canvas(HEIGHT, legend=True)
    far = np.nan_to_num(np.hypot(moves.x1 - moves.x1.mean(), moves.y1 - moves.y1.mean()))
    drawn = thinned(far, DRAWN)
    at = moves.labels.index(chosen) if chosen is not None and chosen in moves.labels else None
    if arrows:
        _add_lines(figure, moves, drawn, ink)
        _add_points(figure, moves, drawn, ink, own=True)
    _add_points(figure, moves, drawn, ink, own=False)
    if at is not None:
        _add_chosen(figure, moves, at, ink, arrows=arrows)
    return figure, thinning_note(len(drawn), len(far), "groups")


def _add_lines(figure: go.Figure, moves: Moves, drawn: Ints, ink: Ink) -> None:
    x, y = segments(moves.x0[drawn], moves.x1[drawn]), segments(moves.y0[drawn], moves.y1[drawn])
    pointed = len(drawn) <= ARROWS
    marker = {"symbol": "arrow", "angleref": "previous", "size": [0, 9, 0] * len(drawn), "color": ink.muted}
    figure.add_trace(
        path(len(x))(
            x=x,
            y=y,
            mode="lines+markers" if pointed else "lines",
            line={"color": ink.muted, "width": 1},
            opacity=max(0.35, opacity(len(drawn))),
            hoverinfo="skip",
            showlegend=False,
            **({"marker": marker} if pointed else {}),
        )
    )


def _sizes(size: Ints, largest: float) -> Floats:
    """Diameters whose areas go with the number of rows, from 4 pixels up."""
    return np.maximum(largest * np.sqrt(size / max(int(size.max()), 1)), 4)


def _add_points(figure: go.Figure, moves: Moves, drawn: Ints, ink: Ink, *, own: bool) -> None:
    x, y = (moves.x0, moves.y0) if own else (moves.x1, moves.y1)
    figure.add_trace(
        scatter(len(drawn))(
            x=x[drawn],
            y=y[drawn],
            mode="markers",
            name="Own estimate" if own else "Mixed model",
            marker={
                "size": _sizes(moves.size[drawn], 12 if len(drawn) <= ARROWS else 7),
                "symbol": "circle-open" if own else "circle",
                "color": ink.muted if own else ink.main,
                "opacity": 0.85 if len(drawn) <= ARROWS else max(0.35, opacity(len(drawn))),
            },
            customdata=[[text.plain(moves.labels[i]), moves.told[i], int(i)] for i in drawn],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
        )
    )


def _add_chosen(figure: go.Figure, moves: Moves, at: int, ink: Ink, *, arrows: bool) -> None:
    ends = [0, 1] if arrows else [1]
    x, y = ([(moves.x0[at], moves.x1[at])[e] for e in ends], [(moves.y0[at], moves.y1[at])[e] for e in ends])
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines+markers",
            name=text.plain(text.shorten(moves.labels[at], 30)),
            line={"color": ink.accent, "width": 3},
            marker={
                "size": 13,
                "color": ink.accent,
                "symbol": ["circle-open", "circle"][-len(ends) :],
                "line": {"width": 2},
            },
            hovertemplate="%{x:.4g}, %{y:.4g}<extra></extra>",
        )
    )
