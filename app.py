"""The app: page settings and the menu. Start it with `streamlit run app.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import shell

# A page's icon would also become the tab's, which the browser fetches from another machine: so the menu's
# icons stand in the titles, where they come from a font of Streamlit's own.
ICON = Path(__file__).parent / "pages" / "ui" / "assets" / "icon.svg"


def page(name: str, icon: str, title: str, about: str) -> Any:
    """The page of pages/<name>.py, at the address /<name>."""
    return st.Page(
        f"pages/{name}.py",
        title=f":material/{icon}: {title}",
        icon="",
        url_path=name,
        default=name == "data" and not shell.data_asked_by_name(),
        help=about,
    )


menu = {
    "Data": [
        page(
            "data",
            "table_chart",
            "Data",
            "Take an example or open your own file; look at it; set what each column is.",
        ),
        page(
            "explore",
            "query_stats",
            "Explore",
            "The outcome by group before any model: distributions, own lines, within and between.",
        ),
    ],
    "Model": [
        page("model", "tune", "Model", "Choose outcome, fixed effects, groups and variance components."),
        page(
            "estimates",
            "functions",
            "Estimates",
            "Fixed effects, variance components, fit statistics and the classic summary.",
        ),
        page(
            "group_effects",
            "stacked_bar_chart",
            "Group effects",
            "What is special about each group: predicted effects (BLUPs) with intervals.",
        ),
        page(
            "residuals",
            "scatter_plot",
            "Residuals",
            "Whether the model fits: residuals against fitted values, Q–Q plot, spread, by group.",
        ),
        page(
            "compare",
            "compare_arrows",
            "Compare",
            "The models you kept, side by side: tests, AIC and BIC, coefficients.",
        ),
        page(
            "effects", "insights", "Effects", "What the model predicts, what if, means and contrasts, slopes."
        ),
        page(
            "report",
            "description",
            "Report",
            "Tables, plots and text in one file; the project file; programs that give the same numbers.",
        ),
    ],
}
opened = st.navigation(shell.with_start_page(menu))
shell.name_sections(menu)
name = opened.title.rpartition(": ")[2]
st.set_page_config(page_title=f"{name} · Mixed models", page_icon=ICON, layout="wide")
st.logo(ICON, size="large")
shell.resume()
opened.run()
