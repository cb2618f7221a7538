"""Charts of a fit: frames in, Plotly figures with their words out; no Streamlit here."""

from __future__ import annotations

from pages.ui.charts.base import DARK, LIGHT, Chart, Ink
from pages.ui.charts.coefficients import coefficient_plot, variance_bar, variance_shares
from pages.ui.charts.group_rows import grouped
from pages.ui.charts.lines import all_lines, group_means, panels, spread
from pages.ui.charts.ranked_effects import caterpillar
from pages.ui.charts.residual_groups import residuals_by_group
from pages.ui.charts.residuals import (
    effects_qq,
    normal_qq,
    residuals_against_fitted,
    scale_location,
)

__all__ = [
    "DARK",
    "LIGHT",
    "Chart",
    "Ink",
    "all_lines",
    "caterpillar",
    "coefficient_plot",
    "effects_qq",
    "group_means",
    "grouped",
    "normal_qq",
    "panels",
    "residuals_against_fitted",
    "residuals_by_group",
    "scale_location",
    "spread",
    "variance_bar",
    "variance_shares",
]
