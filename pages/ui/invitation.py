"""A friendly way on for a page that has nothing to work with."""

from __future__ import annotations

import streamlit as st

from pages.ui import state
from pages.ui.data import examples
from pages.ui.data.dataset import Dataset


def data_or_stop() -> Dataset:
    """The data; or an invitation to load some, and the end of the run."""
    found = state.data()
    if found is None:
        invite("There are no data yet", "Take an example or open your own file; this page then fills itself.")
        st.stop()
    return found


def invite(title: str, sentence: str) -> None:
    """What is missing, and two ways on."""
    with st.container(border=True, key="invitation"):
        st.header(title, anchor=False)
        st.markdown(sentence)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Use an example now",
                key="invitation_example",
                type="primary",
                icon=":material/play_arrow:",
                on_click=state.use_example,
                args=(examples.FIRST,),
            )
            st.page_link("pages/data.py", label="Go to Data", icon=":material/table_chart:")
