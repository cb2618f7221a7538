"""Editing cells by hand: a part of the table, found by row or by search; every change is a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui import state, text
from pages.ui.data.recipe.cells import Edit, Value, same, value_of
from pages.ui.data.recipe.form import Form
from pages.ui.data.recipe.step import kind

ROWS = 50
Positions = np.ndarray


def show(form: Form) -> tuple[()]:
    """A page of rows; what is changed in it is added to the steps at once."""
    st.caption("Click into a cell and write. Each change becomes a step: the row, the old and the new value.")
    frame = form.frame
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input("Go to row", key=f"prepare_row_{state.serial()}", placeholder="0", width=140)
        searched = st.text_input(
            "Or search all cells",
            type="search",
            key=f"prepare_search_{state.serial()}",
            placeholder="A part of a value",
            width=300,
        )
    places = _found(frame, (wanted or "").strip(), (searched or "").strip())
    if not len(places):
        st.caption("No row has that.")
        return ()
    part = frame.iloc[places]
    key = form.key(f"cells_{places[0]}_{places[-1]}_{len(places)}")
    st.data_editor(
        part,
        key=key,
        height=min(38 + 35 * len(part), 390),
        on_change=_take,
        args=(key, part),
        alt=f"{len(part)} rows to edit",
    )
    first, last = text.escape(part.index[0]), text.escape(part.index[-1])
    st.caption(f"{len(part):,} of {len(frame):,} rows, from row {first} to row {last}.")
    return ()


def _found(frame: pd.DataFrame, row: str, searched: str) -> Positions:
    """Positions of the rows to show: those with the searched text, else those from a row on."""
    if searched:
        return np.flatnonzero(matches(frame, searched))[:ROWS]
    start = 0
    if row:
        labels = frame.index.astype("str")
        exact = np.flatnonzero(labels == row)
        if not len(exact):
            return exact
        start = int(exact[0])
    return np.arange(start, min(start + ROWS, len(frame)))


def matches(frame: pd.DataFrame, searched: str) -> Positions:
    """Whether a cell of the row holds the text, in whatever letters; numbers must be equal to it."""
    found = np.zeros(len(frame), dtype=bool)
    as_number = pd.to_numeric(searched, errors="coerce")
    for name in frame.columns:
        values = frame[name]
        if kind(values) == "number":
            if not np.isnan(as_number):
                found |= (values == as_number).to_numpy(dtype=bool)
            continue
        codes, levels = pd.factorize(values)
        hits = levels.astype("str").str.contains(searched, case=False, regex=False)
        found |= np.append(np.asarray(hits, dtype=bool), False)[codes]
    return found


def _take(key: str, part: pd.DataFrame) -> None:
    """Make steps of what was written."""
    changed: dict[Any, dict[str, Any]] = st.session_state[key]["edited_rows"]
    state.set_recipe((*state.recipe(), *edits(part, changed)))


def edits(part: pd.DataFrame, changed: dict[Any, dict[str, Any]]) -> list[Edit]:
    """A step for each cell that holds something else now.

    changed : position in `part` → column → what was written
    """
    made = []
    for place, cells in changed.items():
        label = part.index[int(place)]
        for name, written in cells.items():
            values = part[name]
            of, was = kind(values), value_of(values.iloc[int(place)])
            value = _written(of, written)
            if not same(value, was):
                made.append(Edit(label if isinstance(label, str) else int(label), name, of, value, was))
    return made


def _written(of: str, value: Value) -> Value:
    """What the editor gives, as a step stores it."""
    if of == "date" and value is not None:
        stamp = pd.to_datetime(str(value), errors="coerce")
        return str(value) if stamp is pd.NaT else value_of(stamp.tz_localize(None))
    if of == "yes_no" and isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    return value
