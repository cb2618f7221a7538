"""Rows by group with the line of each group, prepared for the charts that draw them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from pages.ui.charts.base import Floats, Ints
from pages.ui.charts.curves import every_nth, joined_lines, lines_with_slopes, straight_lines

Drawn = Literal["joined", "model", "least squares"]
POINTS_OF_A_LINE = (30, 1_000)
"""Fewest and most points of a joined line; between them as many as keep all lines within the next number."""
POINTS_OF_LINES = 60_000


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Rows with their group, and the points of each group's line.

    x, y         : (n,) predictor and outcome
    code, labels : (n,) group of each row; name of each group
    line_code, line_x, line_y : points of all lines, sorted by group then x
    average_x, average_y      : the line of the average group
    rows         : (n,) row labels of the data
    names        : (predictor, outcome, grouping) for the axes
    drawn        : how the lines were made
    """

    x: Floats
    y: Floats
    code: Ints
    labels: tuple[str, ...]
    line_code: Ints
    line_x: Floats
    line_y: Floats
    average_x: Floats
    average_y: Floats
    rows: tuple[str, ...]
    names: tuple[str, str, str]
    drawn: Drawn


def grouped(
    augmented: pd.DataFrame,
    x: str,
    group: str,
    *,
    outcome: str,
    slopes: tuple[float, Mapping[str, float]] | None = None,
    joined: bool = True,
    between: bool = False,
) -> Grouped:
    """Prepare `result.augment()` for the charts of lines.

    joined : nothing but `x` moves the fitted values within a group, so they are joined as they are.
             Otherwise each line is straight:
    slopes : with the model's slope of the average group and what each group's differs by; or, without,
             the least-squares line through the group's fitted values
    between : whether other predictors differ between groups; the average group's line is then straight too,
             for joined it would follow which groups happen to have rows where
    """
    usable = augmented[augmented[x].notna() & augmented[group].notna()]
    code, levels = pd.factorize(usable[group], sort=True)
    labels = tuple(str(level) for level in levels)
    values, fitted, fixed, resid = (
        usable[name].to_numpy(dtype=float) for name in (x, "fitted", "fitted_fixed", "resid")
    )
    everyone = np.zeros(len(code), dtype=np.intp)
    if joined:
        fewest, most = POINTS_OF_A_LINE
        each = min(max(POINTS_OF_LINES // max(len(labels), 1), fewest), most)
        lines = every_nth(*joined_lines(code, values, fitted), each)
        average = (
            straight_lines(everyone, values, fixed)
            if between
            else every_nth(*joined_lines(everyone, values, fixed), most)
        )
    elif slopes is not None:
        own = np.array([slopes[0] + _difference(slopes[1], label) for label in labels])
        lines = lines_with_slopes(code, values, fitted, own)
        average = lines_with_slopes(everyone, values, fixed, np.array([slopes[0]]))
    else:
        lines, average = straight_lines(code, values, fitted), straight_lines(everyone, values, fixed)
    drawn: Drawn = "joined" if joined else "model" if slopes is not None else "least squares"
    rows = tuple(str(row) for row in usable.index)
    return Grouped(
        values, fitted + resid, code, labels, *lines, *average[1:], rows, (x, outcome, group), drawn
    )


def _difference(differences: Mapping[str, float], label: str) -> float:
    """A group's own; that of the group around it for a unit within; zero where slopes do not vary."""
    return differences.get(label, differences.get(label.partition(" / ")[0], 0.0))
