"""How many rows the plots of residuals draw."""

from __future__ import annotations

import streamlit as st

from pages.ui.charts.base import POINTS_ASKED, POINTS_DRAWN


def choose(n: int) -> int:
    """How many points a plot draws of n rows; more where somebody asks for them."""
    if n <= POINTS_DRAWN:
        return POINTS_DRAWN
    asked = st.toggle(
        f"Draw all {n:,} rows" if n <= POINTS_ASKED else f"Draw {POINTS_ASKED:,} rows",
        key="residuals_more_points",
        persist_state="session",
        help=f"Otherwise the plots draw {POINTS_DRAWN:,} of the rows, the most extreme among them, which is "
        "faster. Smooth lines and boxes come from all rows either way.",
    )
    return POINTS_ASKED if asked else POINTS_DRAWN
