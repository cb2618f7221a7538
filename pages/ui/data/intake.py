"""From an opened file and the decisions about it to the session's data. Work is done when a page begins."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mixedcore import datasets
from pages.ui import state
from pages.ui.data import columns, likely_codes, making, profile
from pages.ui.data.dataset import Dataset
from pages.ui.data.parsing import Marks
from pages.ui.data.readers import apart
from pages.ui.data.readers.base import ReadError, ReadOptions
from pages.ui.data.recipe import steps
from pages.ui.data.recipe.preparation import Typed
from pages.ui.data.sources import Inspected, Opened, Source
from pages.ui.model.modelcall import ModelCall

PASTED = "Pasted cells"


def open_file(name: str, content: bytes) -> None:
    """Take a file that a person chose; it is read when the page begins."""
    state.set_opened(Opened(name, content, ReadOptions()), is_new=True)


def paste(text: str) -> None:
    """Take cells that a person pasted; they are read as a file of text is."""
    opened = Opened(PASTED, text.encode("utf-8", "surrogatepass"), ReadOptions(encoding="utf-8"), by="paste")
    state.set_opened(opened, is_new=True)


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
    typed, source = state.typed(), state.source()
    if typed is not None and source is not None and not typed.is_done(state.recipe()):
        with st.spinner("Preparing the data…"):
            _prepare(source, typed)


def _read(opened: Opened) -> None:
    try:
        result = apart.read(opened.name, opened.content, opened.asked)
    except ReadError as err:
        # What was loaded before stays loaded; the sentence is shown beside the upload box.
        kind, sheets = err.kind or opened.kind, err.sheets or opened.sheets
        state.set_opened_as(replace(opened, error=str(err), kind=kind, sheets=sheets))
        return
    opened = replace(opened, kind=result.kind, sheets=result.sheets)
    state.set_opened_as(opened)
    state.use_upload(Source.upload(opened, result))


def _settle(source: Source) -> None:
    """Type the columns; the recipe is then applied to what they are now."""
    settled = making.settled(source, state.choices())
    marks = Marks(source.options.decimal or ".", source.options.thousands)
    codes = likely_codes.likely(source.frame, settled, state.choices().missing, marks)
    found = Typed(settled, columns.suspects(source.frame), codes if not source.is_example else ())
    before, loaded = state.typed(), state.all_rows()
    if before and loaded and loaded.source == source.origin:
        found = replace(found, done=before.done, lost_call=before.lost_call)
    state.set_typed(found)


def _prepare(source: Source, typed: Typed) -> None:
    """Apply the recipe to the typed columns, and make the result the session's data."""
    settled, before = typed.settled, typed.done
    done = steps.run(settled.frame, state.recipe(), before)
    if before is not None and before.rows_made_by != done.rows_made_by:
        state.hold_rows(edits=False)
    after = steps.settled_after(settled, done.frame)
    state.set_inspected(
        Inspected(
            after.columns,
            profile.table(after, _meanings(source), _known_values(done, before)),
            profile.missing_table(after),
            int(after.frame.notna().all(axis=1).sum()),
            typed.suspects,
        )
    )
    dataset = making.dataset(source, settled, done, state.choices())
    state.set_typed(replace(typed, done=done, lost_call=_set_data(dataset, typed.lost_call)))


def _set_data(dataset: Dataset, lost: ModelCall | None) -> ModelCall | None:
    """Load the data; the model put aside because a step took a column of it, taken up when that is undone."""
    chosen, loaded = state.call(), state.all_rows()
    state.set_data(dataset)
    if chosen is None and lost is not None and state.fits(lost, dataset):
        state.set_call(lost)
    gone = chosen if loaded and loaded.source == dataset.source else None
    return (gone or lost) if state.call() is None else None


def _known_values(done: steps.Done, before: steps.Done | None) -> dict[str, tuple[int, str]]:
    """What is known of the values of columns that the last change left as they were."""
    found = state.inspected()
    if found is None or before is None:
        return {}
    return profile.looked_at(found.profile, done.same_columns(before))


def _meanings(source: Source) -> dict[str, str]:
    if not source.is_example:
        return dict(source.meanings)
    example = datasets.describe(source.origin.partition(":")[2])
    return {column.name: column.meaning for column in example.columns}
