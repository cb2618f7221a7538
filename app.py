"""The app: page settings and the menu. Start it with `streamlit run app.py`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui import shell

ICON = Path(__file__).parent / "pages" / "ui" / "assets" / "icon.svg"

st.set_page_config(page_title="Mixed models", page_icon=ICON, layout="wide")
st.logo(ICON, size="large")

DATA = st.Page(
    "pages/data.py",
    title="Data",
    icon=":material/table_chart:",
    url_path="data",
    default=not shell.data_asked_by_name(),
    help="Take an example or open your own file; look at it; set what each column is.",
)
MODEL = st.Page(
    "pages/model.py",
    title="Model",
    icon=":material/tune:",
    url_path="model",
    help="Choose outcome, fixed effects, groups and variance components.",
)
ESTIMATES = st.Page(
    "pages/estimates.py",
    title="Estimates",
    icon=":material/functions:",
    url_path="estimates",
    help="Fixed effects, variance components, fit statistics and the classic summary.",
)
GROUP_EFFECTS = st.Page(
    "pages/group_effects.py",
    title="Group effects",
    icon=":material/stacked_bar_chart:",
    url_path="group_effects",
    help="What is special about each group: predicted effects (BLUPs) with intervals.",
)
RESIDUALS = st.Page(
    "pages/residuals.py",
    title="Residuals",
    icon=":material/scatter_plot:",
    url_path="residuals",
    help="Whether the model fits: residuals against fitted values, Q–Q plot, spread, by group.",
)

menu = {"Data": [DATA], "Model": [MODEL, ESTIMATES, GROUP_EFFECTS, RESIDUALS]}
page = st.navigation(shell.with_start_page(menu))
shell.resume()
page.run()
