"""Rows left out: which and why, each way back, and the fit of all rows beside that of the rows in use."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import pandas as pd
import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import state, tables, text
from pages.ui.data.exclusions import Exclusion
from pages.ui.residuals import changes, computed

LINES = 30
"""Reasons listed; more than this are read in the report."""
SINGLE = 500
"""Rows offered to be taken back one by one."""


def leave_out(rows: Iterable[Hashable], reason: str) -> None:
    """Leave rows out, beside those that are out already."""
    added = [Exclusion(row, reason) for row in rows]
    state.set_exclusions((*state.exclusions(), *added))
    state.set_chosen_row(None)


def take_back(rows: Iterable[Hashable]) -> None:
    """Use rows again."""
    back = set(rows)
    state.set_exclusions([each for each in state.exclusions() if each.row not in back])


def by_reason(exclusions: Sequence[Exclusion]) -> dict[str, list[Hashable]]:
    """Reason → the rows left out for it, in the order in which that was decided."""
    found: dict[str, list[Hashable]] = {}
    for each in exclusions:
        found.setdefault(each.reason, []).append(each.row)
    return found


def show() -> None:
    """The panel; nothing where every row is in use."""
    exclusions = state.exclusions()
    if not exclusions:
        return
    with st.container(border=True, key="rows_left_out"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            rows = "1 row is" if len(exclusions) == 1 else f"{len(exclusions):,} rows are"
            st.header(f"{rows} left out", anchor=False)
            st.button(
                "Take all back", key="left_out_all", icon=":material/undo:", on_click=take_back,
                args=([each.row for each in exclusions],),
            )  # fmt: skip
        _lines(by_reason(exclusions))
        tables.export("left_out_rows", lambda: [listed(exclusions)], label="Export the list")
        _comparison()


def listed(exclusions: Sequence[Exclusion]) -> tables.Table:
    """Every row left out with its reason, as a table."""
    frame = pd.DataFrame({"Row": [each.row for each in exclusions], "Reason": [e.reason for e in exclusions]})
    return tables.plain(frame, "Rows left out, with the reason", "rows-left-out")


def _lines(reasons: dict[str, list[Hashable]]) -> None:
    for place, (reason, rows) in enumerate(list(reasons.items())[:LINES]):
        with st.container(horizontal=True, vertical_alignment="center", key=f"left_out_{place}"):
            which = "Row" if len(rows) == 1 else f"{len(rows):,} rows:"
            st.markdown(f"{which} {text.listing(rows)}: {text.escape(text.shorten(reason, 200))}")
            st.button(
                "Take back", key=f"left_out_back_{place}", type="tertiary", icon=":material/undo:",
                on_click=take_back, args=(rows,), help="Use what this line names again.",
            )  # fmt: skip
    if len(reasons) > LINES:
        st.caption(f"{len(reasons) - LINES:,} more reasons are listed in the report.")
    several = [row for rows in reasons.values() if len(rows) > 1 for row in rows][:SINGLE]
    if several:
        key = "left_out_single"
        st.selectbox(
            "Take back a single row", several, index=None, key=key, format_func=text.one_line,
            placeholder="Choose a row", on_change=lambda: _take_one_back(key),
            help="Of rows left out together, such as those of a group.",
        )  # fmt: skip


def _take_one_back(key: str) -> None:
    row = st.session_state[key]
    if row is not None:
        take_back([row])


def _comparison() -> None:
    """All rows beside the rows in use; why not, where a fit fails."""
    call, before, after = state.call(), state.all_rows(), state.data()
    if call is None or before is None or after is None:
        return
    try:
        found = computed.before_and_after(call, before, after)
    except MixedCoreError as err:
        st.warning(
            f"The fits with and without cannot be compared. {text.escape(err)}", icon=":material/warning:"
        )
        return
    st.markdown(changes.said(found))
    tables.show(changes.table(found), "left_out_changes", "With all rows, and without those left out")
