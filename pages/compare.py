"""Compare: the models kept so far in one table, tested against each other, coefficients side by side."""

from __future__ import annotations

import streamlit as st

from pages.ui import invitation, shell, state
from pages.ui.compare import comparing, keeping, view

shell.enter("compare")
st.title("Compare")
data, call, kept = invitation.data_or_stop(), state.call(), state.kept()

if call is not None:
    keeping.offer(call, data, "compare_keep")
if not kept:
    st.markdown(
        "No model is kept yet. Keep one here or on the Model page, change the model, keep the next: this "
        "page then shows them side by side, with the tests between them."
    )
    st.page_link("pages/model.py", label="Go to Model", icon=":material/tune:")
    st.stop()

with st.expander(f"Kept models: {len(kept)}", icon=":material/bookmarks:", expanded=len(kept) < 2):
    keeping.listed(kept)

found = view.fitted(kept)
entries, ml = found.entries, found.ml
if len(entries) < 2:
    st.markdown("One model alone has nothing to be compared with. Change the model and keep it too.")
    st.page_link("pages/model.py", label="Go to Model", icon=":material/tune:")
    st.stop()

view.rows_or_stop(entries)
view.method(entries, ml)
tested = comparing.tested(entries)
view.tables_and_words(entries, tested)
view.side_by_side(entries)
st.header("Test by simulation", anchor=False)
view.bootstrap(entries, tested)
