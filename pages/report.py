"""Report: chosen tables, plots and text in one file; the project file; the programs."""

from __future__ import annotations

import streamlit as st

from pages.ui import fitting, shell, state
from pages.ui.project import opening
from pages.ui.report import page

shell.enter("report")
st.title("Report")
result = fitting.current_fit_or_stop()
call = state.call()
kept = bool(state.kept())

left, right = st.columns([3, 2], gap="large")
with left:
    st.header("What goes in", anchor=False)
    chosen = page.choose(kept=kept)
with right:
    st.header("The report", anchor=False)
    page.outline(chosen, result, kept=kept)
    if call is not None:
        page.downloads(page.material(chosen, call, result))
    st.header("The whole session", anchor=False)
    st.caption("A project file brings everything back later or elsewhere; open it on the Data page.")
    opening.show_save()
    page.link_to_copy()

if call is not None:
    st.header("Programs that give these numbers", anchor=False)
    page.programs(call)
