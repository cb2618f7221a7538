"""What is loaded: its rows, its columns and their types, its missing values, how the file was read."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from mixedcore import datasets
from pages.ui import state, tables
from pages.ui.data import grouping, likely_codes, offers, upload
from pages.ui.data.columns import KIND_NAMES, KINDS, Column, Kind
from pages.ui.data.dataset import Dataset
from pages.ui.data.recipe import show as recipe
from pages.ui.data.sources import USUAL_MISSING, Inspected, Source
from pages.ui.text import escape, listing, shorten

ROWS_SHOWN = 1_000
COPIED = 100
"""Rows of the data to copy as Markdown or LaTeX; the CSV has all."""
TABS = {
    "rows": ":material/table_rows: Rows",
    "columns": ":material/view_column: Columns",
    "missing": ":material/indeterminate_question_box: Missing values",
    "prepare": ":material/construction: Prepare",
}
AS_FOUND = "found"


def show(data: Dataset, source: Source, found: Inspected) -> None:
    """The name, the way on, and one tab a question."""
    _heading(data, source)
    _doubts(data, source, found)
    rows, columns, missing, prepare = st.tabs(list(TABS.values()), key="data_tabs")
    with rows:
        _rows(data)
    with columns:
        _columns(source, found)
    with missing:
        _missing(data, found)
    with prepare:
        recipe.show()
    grouping.show(data)


def _heading(data: Dataset, source: Source) -> None:
    st.header(escape(shorten(data.name, 80)), anchor=False)
    if source.is_example:
        example = datasets.describe(source.origin.partition(":")[2])
        st.markdown(escape(example.story))
        _way_on()
        st.caption(f"{escape(example.source)} Licence: {escape(example.licence)}.")
        return
    _way_on()
    opened = state.opened()
    if opened is not None and not opened.error and upload.has_options(opened):
        with st.expander("How the file was read", icon=":material/settings:", key="reading"):
            upload.options(opened, source.options)


def _way_on() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if state.call() is None:
            if st.button("Choose a model", key="to_model", type="primary", icon=":material/tune:"):
                st.switch_page("pages/model.py")
            return
        if st.button("See the estimates", key="to_estimates", type="primary", icon=":material/functions:"):
            st.switch_page("pages/estimates.py")
        st.page_link("pages/group_effects.py", label="Group effects", icon=":material/stacked_bar_chart:")
        st.page_link("pages/residuals.py", label="Residuals", icon=":material/scatter_plot:")
        st.page_link("pages/model.py", label="Change the model", icon=":material/tune:")


def _doubts(data: Dataset, source: Source, found: Inspected) -> None:
    """What to look at before going on, and what was changed on the way."""
    recipe.notices()
    for sentence in source.warnings:
        st.warning(escape(sentence), icon=":material/help:")
    codes = offers.missing_codes()
    known = state.choices().missing
    offers.scales(found.columns, _set_kinds)
    for column in found.columns:
        if column.offer is None or column.offer[0] == "ordered":
            continue
        if not likely_codes.clears(codes, column, source, known):
            _offer(column, *column.offer)
    if not source.is_example:
        offers.wide_table(data)
    loaded = state.data()
    if loaded is not None and loaded.notes:
        with st.expander(_notes_title(len(loaded.notes)), icon=":material/info:", key="notes"):
            st.markdown("\n".join(f"- {escape(note)}" for note in loaded.notes))


def _notes_title(count: int) -> str:
    return "One note on reading these data" if count == 1 else f"{count} notes on reading these data"


def _offer(column: Column, kind: Kind, cost: str) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"offer_{column.name}"):
        st.markdown(f"**{escape(shorten(column.name))}** is text. {escape(cost)}", width="stretch")
        st.button(
            f"Read it as {KIND_NAMES[kind].lower()}",
            key=f"take_{state.serial()}_{column.name}",
            on_click=_set_kinds,
            args=([column.name], kind),
        )


def _rows(data: Dataset) -> None:
    total, width = data.frame.shape
    head = data.frame.head(ROWS_SHOWN)
    st.dataframe(
        head,
        hide_index=True,
        height=min(38 + 35 * len(head), 390),
        column_config={name: st.column_config.DateColumn(format="YYYY-MM-DD") for name in _whole_days(head)},
        alt=f"The first rows of {shorten(data.name)}",
    )
    every = f"All {total:,} rows" if total > 1 else "One row"
    first = f"The first {ROWS_SHOWN:,} of {total:,} rows" if total > ROWS_SHOWN else every
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{first}, {width:,} columns.", width="content")
        _export("rows", head.head(COPIED), "The rows in use", data.frame)


def _whole_days(frame: pd.DataFrame) -> list[str]:
    """The dates without a time of day."""
    dates = frame.select_dtypes("datetime")
    return [
        str(name) for name in dates if (dates[name].dropna() == dates[name].dropna().dt.normalize()).all()
    ]


def _export(name: str, frame: pd.DataFrame, alt: str, raw: pd.DataFrame | None = None) -> None:
    tables.export(f"data_{name}", lambda: [tables.plain(frame, alt, name, raw)])


def _columns(source: Source, found: Inspected) -> None:
    st.dataframe(
        found.profile,
        hide_index=True,
        height=min(38 + 35 * len(found.profile), 390),
        alt="One row a column: type, missing values, distinct values, range",
    )
    _export("columns", found.profile, "The columns")
    st.markdown("### Change what a column is")
    with st.form(f"types_{state.serial()}", border=False):
        _retype([column.name for column in found.columns if column.name in source.frame.columns])
    _costs(found)


def _retype(names: list[str]) -> None:
    """Columns, a type, a button; inside a form, so that nothing is typed again before the button."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Columns", names, key=f"retype_{state.serial()}", placeholder="Choose one or more", width=380
        )
        kind = st.selectbox(
            "Type",
            [*KINDS, AS_FOUND],
            format_func=lambda key: KIND_NAMES.get(key, "As their values show"),
            key=f"kind_{state.serial()}",
            help="A number enters a model as one slope; a category as one effect a level. Group labels "
            "are categories, whether or not they look like numbers.",
            width=240,
        )
        pressed = st.form_submit_button("Set type")
    if pressed and not chosen:
        st.warning("Choose at least one column first.")
    elif pressed:
        _set_kinds(chosen, kind)
        st.rerun()


def _costs(found: Inspected) -> None:
    """What types set by hand made missing."""
    for column in found.columns:
        if column.lost:
            st.warning(
                f"{column.lost:,} values of **{escape(shorten(column.name))}** cannot be read as "
                f"{KIND_NAMES[column.kind].lower()} and count as missing: {listing(column.lost_values)}.",
                icon=":material/help:",
            )


def _set_kinds(names: list[str], kind: str) -> None:
    kept = {name: each for name, each in state.choices().kinds if name not in names}
    if kind != AS_FOUND:
        kept |= dict.fromkeys(names, kind)
    state.set_choices(replace(state.choices(), kinds=tuple(kept.items())))


def _missing(data: Dataset, found: Inspected) -> None:
    _codes(found)
    if found.missing.empty:
        st.markdown(":material/check_circle: No value is missing.")
        return
    total = len(data.frame)
    st.markdown(
        f"**{total - found.complete:,} of {total:,} rows** lack at least one value. A model leaves out a row "
        "only if a column that the model uses is missing there."
    )
    st.dataframe(
        found.missing,
        hide_index=True,
        column_config={"Share": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)},
        alt="Missing values by column",
    )
    _export("missing", found.missing, "Missing values by column")


def _codes(found: Inspected) -> None:
    key = f"codes_{state.serial()}"
    chosen = state.choices().missing
    options = list(dict.fromkeys([*chosen, *found.suspects, *USUAL_MISSING]))
    st.multiselect(
        "What stands for a missing value",
        options,
        default=list(chosen),
        format_func=lambda code: _code_name(code, found.suspects),
        key=key,
        accept_new_options=True,
        on_change=lambda: state.set_choices(replace(state.choices(), missing=tuple(st.session_state[key]))),
        help="Type any other code and press Enter. Codes such as -99 are only offered, never assumed.",
    )
    offered = [code for code in found.suspects if code not in chosen]
    if offered:
        st.caption(f"These occur in the data and may stand for a missing value: {listing(offered)}.")


def _code_name(code: str, counts: object) -> str:
    name = code or "(empty)"
    times = counts.get(code) if isinstance(counts, dict) else None
    return f"{name} ({times:,}×)" if times else name
