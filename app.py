"""The app: page settings and the menu. Start it with `streamlit run app.py`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui import shell

# A page's icon would also become the tab's, which the browser fetches from another machine: so the menu's
# icons stand in the titles, where they come from a font of Streamlit's own.
ICON = Path(__file__).parent / "pages" / "ui" / "assets" / "icon.svg"

DATA = st.Page(
    "pages/data.py",
    title=":material/table_chart: Data",
    icon="",
    url_path="data",
    default=not shell.data_asked_by_name(),
    help="Take an example or open your own file; look at it; set what each column is.",
)
EXPLORE = st.Page(
    "pages/explore.py",
    title=":material/query_stats: Explore",
    icon="",
    url_path="explore",
    help="The outcome by group before any model: distributions, each group's own line, within and between.",
)
MODEL = st.Page(
    "pages/model.py",
    title=":material/tune: Model",
    icon="",
    url_path="model",
    help="Choose outcome, fixed effects, groups and variance components.",
)
ESTIMATES = st.Page(
    "pages/estimates.py",
    title=":material/functions: Estimates",
    icon="",
    url_path="estimates",
    help="Fixed effects, variance components, fit statistics and the classic summary.",
)
GROUP_EFFECTS = st.Page(
    "pages/group_effects.py",
    title=":material/stacked_bar_chart: Group effects",
    icon="",
    url_path="group_effects",
    help="What is special about each group: predicted effects (BLUPs) with intervals.",
)
RESIDUALS = st.Page(
    "pages/residuals.py",
    title=":material/scatter_plot: Residuals",
    icon="",
    url_path="residuals",
    help="Whether the model fits: residuals against fitted values, Q–Q plot, spread, by group.",
)
COMPARE = st.Page(
    "pages/compare.py",
    title=":material/compare_arrows: Compare",
    icon="",
    url_path="compare",
    help="The models you kept, side by side: tests, AIC and BIC, coefficients.",
)
EFFECTS = st.Page(
    "pages/effects.py",
    title=":material/insights: Effects",
    icon="",
    url_path="effects",
    help="What the model predicts, what if, means and contrasts, slopes.",
)
REPORT = st.Page(
    "pages/report.py",
    title=":material/description: Report",
    icon="",
    url_path="report",
    help="Tables, plots and text in one file; the project file; programs that give the same numbers.",
)

menu = {
    "Data": [DATA, EXPLORE],
    "Model": [MODEL, ESTIMATES, GROUP_EFFECTS, RESIDUALS, COMPARE, EFFECTS, REPORT],
}
page = st.navigation(shell.with_start_page(menu))
shell.name_sections(menu)
name = page.title.rpartition(": ")[2]
st.set_page_config(page_title=f"{name} · Mixed models", page_icon=ICON, layout="wide")
st.logo(ICON, size="large")
shell.resume()
page.run()
