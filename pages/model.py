"""Model."""

from __future__ import annotations

import streamlit as st

from pages.ui import shell, state

shell.enter("model")
st.title("Model")
state.data_or_stop()
