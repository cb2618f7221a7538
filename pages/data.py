"""Data."""

from __future__ import annotations

import streamlit as st

from pages.ui import shell, state

shell.enter("data")
st.title("Data")
state.data_or_stop()
