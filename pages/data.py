"""Data: take an example or open a file, look at it, set what its columns are."""

from __future__ import annotations

import streamlit as st

from pages.ui import shell, state
from pages.ui.data import gallery, loaded, upload
from pages.ui.project import opening

shell.enter("data")

data, source, found = state.data(), state.source(), state.inspected()
if data is None or source is None or found is None:
    st.title("Begin with data", anchor=False)
    st.markdown(
        "Pupils in schools, visits of patients, samples from batches: wherever rows come in groups, a mixed "
        "model fits. Take an example and see one, or open your own table."
    )
else:
    st.title("Data", anchor=False)
    loaded.show(data, source, found)
    st.header("Other data", anchor=False)

upload.show()
opening.show_open()
gallery.show(folded=data is not None)
