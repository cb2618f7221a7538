"""Charts drawn once for the same data and choices: Plotly takes longer to build a figure than to send it."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import streamlit as st

from pages.ui.charts import Chart

KEPT_CHARTS = 96
"""A chart of 20,000 points holds about a megabyte."""


def once(draw: Callable[[], Chart], *key: Hashable) -> Chart:
    """The chart that `draw` gives, kept for everyone under `key`; nobody may change it.

    key : the chart's name, the digest of its data, and everything else that it depends on, colours included
    """
    return _kept(key, draw)


@st.cache_resource(max_entries=KEPT_CHARTS, ttl="2h", show_spinner=False)
def _kept(key: tuple[Hashable, ...], _draw: Callable[[], Chart]) -> Chart:
    return _draw()
