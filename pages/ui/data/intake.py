"""From an opened file and the decisions about it to the session's data. Work is done when a page begins."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mixedcore import datasets
from pages.ui import state
from pages.ui.data import columns, profile
from pages.ui.data.dataset import Dataset
from pages.ui.data.parsing import Marks
from pages.ui.data.reading import ReadError, ReadOptions, read
from pages.ui.data.sources import Inspected, Opened, Source


def open_file(name: str, content: bytes) -> None:
    """Take a file that a person chose; it is read when the page begins."""
    state.set_opened(Opened(name, content, ReadOptions()), is_new=True)


def reopen(asked: ReadOptions) -> None:
    """Read the opened file again with other options."""
    opened = state.opened()
    if opened is not None:
        state.set_opened(replace(opened, asked=asked, error=""), is_new=False)


def catch_up() -> None:
    """Read what was opened and type what was decided, if either changed since the last page began."""
    opened = state.take_to_read()
    if opened is not None:
        with st.spinner("Reading the file…"):
            _read(opened)
    source = state.take_to_settle()
    if source is not None:
        with st.spinner("Looking at the columns…"):
            _settle(source)


def _read(opened: Opened) -> None:
    try:
        result = read(opened.content, opened.asked)
    except ReadError as err:
        # What was loaded before stays loaded; the sentence is shown beside the upload box.
        state.set_failed(replace(opened, error=str(err)))
        return
    state.use_upload(Source.upload(opened.name, opened.content, opened.asked, result))


def _settle(source: Source) -> None:
    marks = Marks(source.options.decimal or ".", source.options.thousands)
    settled = columns.settle(source.frame, state.choices(), marks)
    meanings = _meanings(source)
    state.set_inspected(
        Inspected(
            settled.columns,
            profile.table(settled, meanings),
            profile.missing_table(settled),
            int(settled.frame.notna().all(axis=1).sum()),
            columns.suspects(source.frame),
        )
    )
    notes = (*source.notes, *settled.notes)
    state.set_data(Dataset.of(source.name, settled.frame, source.origin, notes))


def _meanings(source: Source) -> dict[str, str]:
    if not source.is_example:
        return {}
    example = datasets.describe(source.origin.partition(":")[2])
    return {column.name: column.meaning for column in example.columns}
