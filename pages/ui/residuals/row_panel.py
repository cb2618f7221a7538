"""The row looked at: chosen by a click or by its label, its values, and what can be done with it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui import state, tables, text
from pages.ui.numbers import number
from pages.ui.residuals import left_out
from pages.ui.results.fitview import Grouping

LONGEST_REASON = 300
REASON = "row_reason"
NO_REASON = "no reason given"
MEASURES = {
    "fitted": "Fitted value",
    "resid": "Residual",
    "studentised": "Studentised residual",
    "leverage": "Leverage",
    "cooks_distance": "Cook's distance of its own fit",
}


def choose(index: pd.Index) -> None:
    """The box to choose a row, which a click in any plot fills too."""
    row = _row_in(index)
    key = "row_label"
    st.text_input(
        "Look at a row",
        key=state.show(key, "" if row is None else text.one_line(row)),
        placeholder="Click a point, or type",
        on_change=lambda: _typed(index, key),
        help="Click a point in any plot of this page, or type the row's label. Rows are numbered from 0 in "
        "the order of the file, unless the data name them.",
    )


def show(augmented: pd.DataFrame, groupings: list[Grouping]) -> None:
    """The row chosen, its values, and what can be done with it; nothing where none is chosen."""
    row = _row_in(augmented.index)
    if row is None:
        return
    with st.container(border=True, key="row_panel"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.header(f"Row {text.escape(text.shorten(row))}", anchor=False)
            place = int(np.flatnonzero(augmented.index == row)[0])
            with st.container(horizontal=True, width="content", vertical_alignment="center"):
                tables.export("row", lambda: [listed(augmented.iloc[[place]])])
                st.button("Clear", key="row_clear", icon=":material/close:", type="tertiary",
                          on_click=state.set_chosen_row, args=(None,))  # fmt: skip
        _values(augmented.iloc[place])
        _actions(augmented, row, groupings)


def _row_in(index: pd.Index) -> Hashable | None:
    """The row chosen, if it is one of these."""
    row = state.chosen_row()
    return row if row is not None and row in index else None


def find(index: pd.Index, typed: str) -> Hashable | None:
    """The row whose label reads as typed; None when there is none."""
    wanted = typed.strip()
    if pd.api.types.is_integer_dtype(index.dtype):
        label = int(wanted) if wanted.removeprefix("-").isdecimal() else None
        return label if label is not None and label in index else None
    at = np.flatnonzero(index.astype(str) == wanted)
    return index[int(at[0])] if len(at) else None


def _typed(index: pd.Index, key: str) -> None:
    typed = state.shown(key)
    found = find(index, typed)
    state.set_chosen_row(found)
    if typed.strip() and found is None:
        st.toast(f"No row in use is called {text.escape(text.shorten(typed))}.", icon=":material/search_off:")


def _values(row: pd.Series) -> None:
    """What the model says of the row, then its values."""
    said = [f"**{label}** {_cell(row[name])}" for name, label in MEASURES.items() if name in row]
    st.markdown(" · ".join(said))
    own = [f"{text.escape(text.shorten(name))} = {_cell(row[name])}" for name in _own(row.index)]
    st.markdown(" · ".join(own))


def _own(columns: pd.Index) -> list[Any]:
    """The columns of the data among those of `augment`."""
    return [name for name in columns if name not in {*MEASURES, "fitted_fixed", "resid_std"}]


def listed(one: pd.DataFrame) -> tables.Table:
    """The row, (1, columns), to take away: to read a line a value, as CSV one row with the data's columns."""
    row = one.iloc[0]
    cells = {"Row": text.one_line(one.index[0])}
    cells |= {label: number(float(row[name])) for name, label in MEASURES.items() if name in row}
    pairs = [*cells.items(), *((text.one_line(name), _plain(row[name])) for name in _own(one.columns))]
    shown = pd.DataFrame(pairs, columns=["What", "Value"], dtype=object)
    own = one[_own(one.columns)].reset_index(drop=True)
    measures = one[[name for name in MEASURES if name in one]].reset_index(drop=True)
    raw = pd.concat([own, measures], axis=1)
    raw.insert(0, "row", one.index, allow_duplicates=True)
    name = f"Row {text.shorten(one.index[0])}: what the model says of it, and its values"
    return tables.Table(shown, shown, raw, name, "row")


def _plain(value: object) -> str:
    """A cell as text: numbers with four digits."""
    return number(float(value)) if isinstance(value, float | np.floating) else text.one_line(value)


def _cell(value: object) -> str:
    return text.escape(text.shorten(_plain(value), 60))


def _actions(augmented: pd.DataFrame, row: Hashable, groupings: list[Grouping]) -> None:
    """Highlight its group; leave it, or its group, out with a reason."""
    st.text_input(
        "Reason to leave it out",
        key=REASON,
        max_chars=LONGEST_REASON,
        placeholder="Such as: typing error in the source",
        help="Kept with the row and listed in the report. Leave a row out because it is wrong, or to see "
        "what rests on it; not because it does not fit.",
    )
    mine = augmented.loc[[row]]
    with st.container(horizontal=True):
        st.button(
            "Leave this row out", key="row_out", type="primary", icon=":material/remove_circle:",
            on_click=_leave_row_out, args=(row,),
            help="The model is fitted again without it; the old fit stays beside the new one.",
        )  # fmt: skip
        for place, grouping in enumerate(groupings):
            label = grouping.labels(mine).iloc[0]
            if not pd.isna(label):
                _group_actions(augmented, grouping, str(label), place)


def _reason() -> str:
    """What is typed when a button is pressed: the press itself ends the typing. Empty for the next row."""
    typed = str(state.shown(REASON) or "").strip()
    state.show(REASON, "")
    return typed


def _leave_row_out(row: Hashable) -> None:
    left_out.leave_out([row], _reason() or NO_REASON)


def _group_actions(augmented: pd.DataFrame, grouping: Grouping, label: str, place: int) -> None:
    name = f"{text.escape(text.shorten(grouping.name, 24))} {text.escape(text.shorten(label, 30))}"
    st.button(
        f"Highlight {name}", key=f"row_highlight_{place}", icon=":material/highlight:",
        on_click=state.set_chosen_group, args=(label, grouping.name),
    )  # fmt: skip
    st.button(
        f"Leave all of {name} out", key=f"row_group_out_{place}", icon=":material/group_remove:",
        on_click=_leave_group_out, args=(augmented, grouping, label),
        help="Every row of this group; the reason then names the group.",
    )  # fmt: skip


def _leave_group_out(augmented: pd.DataFrame, grouping: Grouping, label: str) -> None:
    rows = augmented.index[(grouping.labels(augmented).astype(str) == label).to_numpy()]
    why = ", ".join(filter(None, [f"all of {grouping.name} {label}", _reason()]))
    left_out.leave_out(rows.tolist(), why)
