"""Residuals."""

from __future__ import annotations

import streamlit as st

from pages.ui import shell, state

shell.enter("residuals")
st.title("Residuals")
state.data_or_stop()
