"""Group effects."""

from __future__ import annotations

import streamlit as st

from pages.ui import shell, state

shell.enter("group_effects")
st.title("Group effects")
state.data_or_stop()
