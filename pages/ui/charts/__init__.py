"""Charts of a fit: frames in, Plotly figures with their words out; no Streamlit here."""

from __future__ import annotations

from pages.ui.charts.against import residuals_against, simulated_against_fitted
from pages.ui.charts.base import DARK, LIGHT, Chart, Ink
from pages.ui.charts.coefficients import coefficient_plot, variance_bar, variance_shares
from pages.ui.charts.group_rows import grouped
from pages.ui.charts.influence import cooks_by_group, cooks_by_row, leverage_against_residual
from pages.ui.charts.lines import all_lines, group_means, panels, spread
from pages.ui.charts.qq import effects_qq, normal_qq, uniform_qq
from pages.ui.charts.ranked_effects import caterpillar
from pages.ui.charts.residual_groups import residuals_by_group
from pages.ui.charts.residuals import Marks, residuals_against_fitted, scale_location
from pages.ui.charts.shrinkage import plane, shrinkage

__all__ = [
    "DARK",
    "LIGHT",
    "Chart",
    "Ink",
    "Marks",
    "all_lines",
    "caterpillar",
    "coefficient_plot",
    "cooks_by_group",
    "cooks_by_row",
    "effects_qq",
    "group_means",
    "grouped",
    "leverage_against_residual",
    "normal_qq",
    "panels",
    "plane",
    "residuals_against",
    "residuals_against_fitted",
    "residuals_by_group",
    "scale_location",
    "shrinkage",
    "simulated_against_fitted",
    "spread",
    "uniform_qq",
    "variance_bar",
    "variance_shares",
]
