"""Estimates."""

from __future__ import annotations

import streamlit as st

from pages.ui import shell, state

shell.enter("estimates")
st.title("Estimates")
state.data_or_stop()
