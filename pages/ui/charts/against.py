"""Residuals against any column: points for numbers, boxes come from `residuals_by_group` for categories."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pages.ui import text
from pages.ui.charts.base import Chart, axis, figures
from pages.ui.charts.curves import smooth
from pages.ui.charts.residuals import UNMARKED, Marks, cloud, leaves_zero


def residuals_against(augmented: pd.DataFrame, values: pd.Series, marks: Marks = UNMARKED) -> Chart:
    """Residuals against a numeric column, perhaps one that is not in the model.

    values : the column at the rows of `augmented`; rows where it is missing are not drawn
    """
    x = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(x)
    usable, x = augmented[known], x[known]
    resid = usable["resid"].to_numpy(dtype=float)
    figure, note = cloud(usable, x, resid, marks)
    figure.add_hline(y=0, line={"color": marks.ink.muted, "width": 1, "dash": "dot"})
    name = text.shorten(values.name, 40)
    figure.update_layout(xaxis=axis(values.name), yaxis=axis("Residual"))
    missing = int((~known).sum())
    return Chart(
        figure,
        f"Residuals against {name}",
        "The line should stay near zero. A slope or a bend means that this column says more about the "
        "outcome than the model uses: add it, or a curve in it.",
        f"Residuals of {len(resid):,} rows against {name}; {_leaves_zero(x, resid)}.",
        " ".join(filter(None, [note, f"{missing:,} rows have no value of it." if missing else ""])),
        leaves_zero(x, resid),
    )


def _leaves_zero(x: np.ndarray, resid: np.ndarray) -> str:
    line = smooth(x, resid)[1]
    if not len(line):
        return "there are too few distinct values for a smooth line"
    return f"the smooth line leaves zero by up to {figures(float(np.abs(line).max()), 2)}"


def simulated_against_fitted(augmented: pd.DataFrame, residuals: pd.Series, marks: Marks = UNMARKED) -> Chart:
    """Simulated quantile residuals against fitted values: level at one half if the model is right."""
    fitted, values = augmented["fitted"].to_numpy(dtype=float), residuals.to_numpy(dtype=float)
    figure, note = cloud(augmented, fitted, values, marks)
    for y in (0.25, 0.5, 0.75):
        figure.add_hline(y=y, line={"color": marks.ink.muted, "width": 1, "dash": "dot"})
    figure.update_layout(xaxis=axis("Fitted value"), yaxis=axis("Simulated quantile residual"))
    line = smooth(fitted, values)[1]
    reach = f"from {figures(line.min(), 2)} to {figures(line.max(), 2)}" if len(line) else "not drawn"
    return Chart(
        figure,
        "Simulated against fitted values",
        "The points should fill the height evenly everywhere, and the line should stay near 0.5.",
        f"Simulated quantile residuals of {len(values):,} rows against fitted values; the smooth line is "
        f"{reach}.",
        note,
    )
