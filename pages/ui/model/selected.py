"""The rows that the condition of a model selects, so that what is said of its size is about those."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import fitting
from pages.ui.data.dataset import Dataset
from pages.ui.model import condition
from pages.ui.model.form import Form


def of(form: Form) -> Form:
    """The form with the selected rows alone; as it is where there is no condition that can be used."""
    data = _rows(form.data.digest, form.choices.subset, form.data) if form.choices.subset else None
    return replace(form, data=data, columns=fitting.profiled(data.digest, data.frame)) if data else form


@st.cache_resource(max_entries=8, ttl="2h", show_spinner=False)
def _rows(digest: str, subset: str, _data: Dataset) -> Dataset | None:
    """The data in which the condition holds; None where it cannot be used, or holds nowhere."""
    try:
        met = condition.rows(subset, _data.frame)
    except MixedCoreError:
        return None
    return Dataset.of(_data.name, _data.frame[met.to_numpy()], _data.source) if met.any() else None
