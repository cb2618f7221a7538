"""What one session remembers. The only file that names session keys (widgets' own keys apart).

Everything here outlives the page that set it. A Dataset or ModelCall is a value: it is replaced, never
changed in place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import streamlit as st

from pages.ui.data import examples
from pages.ui.data.dataset import Dataset
from pages.ui.data.exclusions import Exclusion, absent, possible, without
from pages.ui.data.recipe.preparation import Preparation, Typed, same_rows
from pages.ui.data.recipe.step import Step
from pages.ui.data.sources import Choices, Inspected, Opened, Source
from pages.ui.model.kept import Kept
from pages.ui.model.modelcall import ModelCall
from pages.ui.model.suiting import fits
from pages.ui.report.choices import ReportChoices

__all__ = [
    "Choices", "Dataset", "Exclusion", "Inspected", "Kept", "ModelCall", "Opened", "Source", "Step", "fits",
]  # fmt: skip

_APP_RAN = "_app_ran"
_AWAITED_PAGE = "_awaited_page"
_DATA_BY_NAME = "_data_page_by_name"
_LINK_READ = "_link_read"
_DATASET = "_dataset"
_ALL_ROWS = "_dataset_with_all_rows"
_EXCLUSIONS = "_rows_left_out"
_KEPT = "_kept_models"
_JOBS = "_long_work"
_CALL = "_call"
_GROUP = "_chosen_group"
_GROUPED_BY = "_chosen_group_is_of"
_COMPARED = "_compared_groups"
_ROW = "_chosen_row"
_SOURCE = "_source"
_OPENED = "_opened"
_TO_READ = "_to_read"
_TO_SETTLE = "_to_settle"
_INSPECTED = "_inspected"
_CHOICES = "_choices"
_SERIAL = "_source_serial"
_TYPED = "_typed"
_PREPARATION = "_preparation"
_READABLE_CALL = "_readable_call"
_GOOD_FIT = "_good_fit"
_REMARK = "_model_remark"
_BEFORE = "_what_if_before"
_REPORT = "_report_choices"
_PROJECT_SAID = "_project_said"


T = TypeVar("T")


def _slot(key: str, default: T) -> tuple[Callable[[], T], Callable[[T], None]]:
    """Reader and writer of what is remembered under a key just as it is."""

    def read() -> T:
        return cast("T", st.session_state.get(key, default))

    def write(value: T) -> None:
        st.session_state[key] = value

    return read, write


# --- data and model ------------------------------------------------------------------------------


def data() -> Dataset | None:
    """The data in use: those loaded, without the rows left out."""
    return cast("Dataset | None", st.session_state.get(_DATASET))


def all_rows() -> Dataset | None:
    """The data loaded in this session, rows left out included."""
    return cast("Dataset | None", st.session_state.get(_ALL_ROWS))


def set_data(dataset: Dataset) -> None:
    """Load `dataset`; the model stays if it fits the new columns, the highlighted group does not.

    Rows left out stay so in another version of the same source.
    """
    previous = all_rows()
    again = previous is not None and previous.source == dataset.source
    if previous is not None and again and (previous.digest, previous.code) == (dataset.digest, dataset.code):
        return
    st.session_state[_ALL_ROWS] = dataset
    if not again:
        st.session_state[_EXCLUSIONS] = ()
    set_exclusions(exclusions())
    chosen = call()
    if chosen is not None and not fits(chosen, dataset):
        set_call(None)
    set_chosen_group(None)


def exclusions() -> tuple[Exclusion, ...]:
    """The rows left out, in the order in which that was decided."""
    loaded = all_rows()
    return possible(_asked_exclusions(), loaded) if loaded else ()


def _asked_exclusions() -> tuple[Exclusion, ...]:
    """Rows that a filter took away included: they are left out again should they come back."""
    return cast("tuple[Exclusion, ...]", st.session_state.get(_EXCLUSIONS, ()))


def set_exclusions(chosen: Sequence[Exclusion]) -> None:
    """Leave these rows out, and no others; rows that the data do not have are passed over."""
    loaded = all_rows()
    if loaded is None:
        return
    st.session_state[_EXCLUSIONS] = (*absent(_asked_exclusions(), loaded), *chosen)
    st.session_state[_DATASET] = without(loaded, exclusions())


def call() -> ModelCall | None:
    """The model as last chosen."""
    return cast("ModelCall | None", st.session_state.get(_CALL))


def set_call(chosen: ModelCall | None) -> None:
    """Choose a model, or none."""
    st.session_state[_CALL] = chosen


def chosen_group() -> str | None:
    """The label of the group highlighted in every plot."""
    return cast("str | None", st.session_state.get(_GROUP))


def set_chosen_group(label: str | None, grouping: str = "") -> None:
    """Highlight one group in every plot, or none; `grouping` is the factor it belongs to, '' if not known."""
    st.session_state[_GROUP] = label
    st.session_state[_GROUPED_BY] = grouping if label is not None else ""


def chosen_grouping() -> str:
    """The factor to which the highlighted group belongs: two factors may share a label. '' if not known."""
    return cast("str", st.session_state.get(_GROUPED_BY, ""))


def chosen_row() -> Hashable | None:
    """The label of the row looked at; None when none is, or when the data do not have it in use."""
    loaded = data()
    source, row = st.session_state.get(_ROW, ("", None))
    known = loaded is not None and loaded.source == source and row in loaded.frame.index
    return cast("Hashable", row) if known else None


def set_chosen_row(row: Hashable | None) -> None:
    """Look at one row of the data, or at none."""
    loaded = data()
    st.session_state[_ROW] = (loaded.source if loaded else "", row)


def kept() -> tuple[Kept, ...]:
    """The models kept to be compared, oldest first; their names differ."""
    return cast("tuple[Kept, ...]", st.session_state.get(_KEPT, ()))


def set_kept(models: Sequence[Kept]) -> None:
    """Keep these models, and no others."""
    st.session_state[_KEPT] = tuple(models)


def job(key: str) -> Any:
    """The long work begun under this key, or None."""
    return st.session_state.get(_JOBS, {}).get(key)


def set_job(key: str, begun: Any) -> None:
    """Remember the long work begun under this key, or forget it."""
    st.session_state[_JOBS] = st.session_state.get(_JOBS, {}) | {key: begun}


# --- where the data came from, and what was decided about them -----------------------------------


def use_example(name: str) -> None:
    """Load an example with its suggested model."""
    dataset = examples.dataset(name)
    set_opened(None, is_new=True)
    st.session_state[_SOURCE] = Source.example(dataset)
    set_choices(Choices())
    set_preparation(Preparation())
    set_call(None)
    set_data(dataset)
    set_call(examples.suggested(name))


def use_upload(source: Source) -> None:
    """Take a file as read; decisions about columns stay where a column of that name is there again."""
    previous = st.session_state.get(_SOURCE)
    st.session_state[_SOURCE] = source
    again = previous is not None and previous.origin == source.origin
    names = set(source.frame.columns)
    kinds = tuple((name, kind) for name, kind in choices().kinds if name in names)
    set_choices(replace(choices(), kinds=kinds) if again else Choices())
    if not again:
        set_preparation(Preparation())
    elif previous is not None and not same_rows(previous, source):
        hold_rows(edits=True)


def source() -> Source | None:
    """What the Data page works on: an example or a file as read."""
    return cast("Source | None", st.session_state.get(_SOURCE))


# The file last chosen, whether or not it could be read; `set_opened_as` notes what was found out about it.
opened, set_opened_as = _slot(_OPENED, cast("Opened | None", None))


def set_opened(opened: Opened | None, *, is_new: bool) -> None:
    """Choose a file, or the same file with other options; it is read when the next page begins."""
    st.session_state[_OPENED] = opened
    st.session_state[_TO_READ] = opened is not None
    if is_new:
        st.session_state[_SERIAL] = serial() + 1


def take_to_read() -> Opened | None:
    """The file that waits to be read, once."""
    return opened() if st.session_state.pop(_TO_READ, False) else None


def take_to_settle() -> Source | None:
    """The source whose columns wait to be typed, once."""
    return source() if st.session_state.pop(_TO_SETTLE, False) else None


def serial() -> int:
    """Changes with every new source; part of the keys of widgets that belong to one."""
    return cast("int", st.session_state.get(_SERIAL, 0))


def choices() -> Choices:
    """Types and missing-value codes decided for the current source."""
    return cast("Choices", st.session_state.get(_CHOICES, Choices()))


def set_choices(chosen: Choices) -> None:
    """Decide types and missing-value codes; columns are typed again when the next page begins."""
    st.session_state[_CHOICES] = chosen
    st.session_state[_TO_SETTLE] = True


# The typed columns of the current source, and what the recipe made of them.
typed, set_typed = _slot(_TYPED, cast("Typed | None", None))


def preparation() -> Preparation:
    """The steps that prepare the data, those before the last changes, and what is held back."""
    return cast("Preparation", st.session_state.get(_PREPARATION, Preparation()))


def set_preparation(chosen: Preparation) -> None:
    """Prepare the data in another way; applied when the next page begins."""
    # A fresh one begins where the last one ended: keys of widgets that add a step must never repeat.
    revision = preparation().revision + 1
    st.session_state[_PREPARATION] = replace(chosen, revision=revision)


def recipe() -> tuple[Step, ...]:
    """The steps that prepare the data, in order, those that do not fit included."""
    return preparation().steps


def set_recipe(steps: Sequence[Step]) -> None:
    """Prepare the data by these steps."""
    set_preparation(preparation().changed(steps))


def hold_rows(*, edits: bool) -> None:
    """Leave no row out any more, nor change single cells: labels mean other rows now. Can be put back."""
    set_preparation(preparation().holding(_asked_exclusions(), edits=edits))
    st.session_state[_EXCLUSIONS] = ()


# What is known of the columns of the current source.
inspected, set_inspected = _slot(_INSPECTED, cast("Inspected | None", None))


# --- the Model page ------------------------------------------------------------------------------


def show(key: str, value: object) -> str:
    """Let the widget of this key show `value` when it is drawn next; gives the key back."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def shown(key: str) -> Any:
    """What the widget of this key shows; None where it was never drawn."""
    return st.session_state.get(key)


# The last model that the widgets could express: where they go back to after something else was typed.
readable_call, set_readable_call = _slot(_READABLE_CALL, cast("ModelCall | None", None))


def good_call() -> ModelCall | None:
    """The last model that could be fitted to the present data."""
    loaded = data()
    chosen, digest = st.session_state.get(_GOOD_FIT, (None, None))
    return cast("ModelCall | None", chosen) if loaded and loaded.digest == digest else None


def set_good_call(chosen: ModelCall) -> None:
    """Remember a model that could be fitted to the present data."""
    loaded = data()
    st.session_state[_GOOD_FIT] = (chosen, loaded.digest if loaded else None)


# What the last choice changed besides itself, as Markdown; '' when nothing.
remark, set_remark = _slot(_REMARK, "")


# --- the Effects page ----------------------------------------------------------------------------


# A factor, and groups of it to compare with the highlighted one, each at the place of its colour.
compared_groups, set_compared_groups = _slot(_COMPARED, cast("tuple[str, tuple[str | None, ...]]", ("", ())))


def before() -> Any:
    """The prediction that "what if" compares with, of the present data and model; None when there is none."""
    loaded = data()
    chosen, digest, kept_as = st.session_state.get(_BEFORE, (None, None, None))
    same = loaded is not None and (chosen, digest) == (call(), loaded.digest)
    return kept_as if same else None


def set_before(prediction: object) -> None:
    """Remember a prediction to compare the next ones with."""
    loaded = data()
    st.session_state[_BEFORE] = (call(), loaded.digest if loaded else None, prediction)


# --- the report and the project file -------------------------------------------------------------


# What shall stand in the report.
report, set_report = _slot(_REPORT, ReportChoices())
# Whether the last project file was opened, and the sentence about it; '' when there was none.
project_said, say_of_project = _slot(_PROJECT_SAID, (True, ""))


# --- the way in ----------------------------------------------------------------------------------


def app_ran() -> bool:
    """Whether app.py, and with it the menu, has run in this session."""
    return bool(st.session_state.get(_APP_RAN))


def mark_app_ran() -> None:
    """Remember that app.py has run."""
    st.session_state[_APP_RAN] = True


def await_page(path: str) -> None:
    """Remember the page that a deep link asked for while app.py runs first."""
    st.session_state[_AWAITED_PAGE] = path


def take_awaited_page() -> str | None:
    """The page that a deep link asked for, once."""
    return cast("str | None", st.session_state.pop(_AWAITED_PAGE, None))


def awaited_page() -> str | None:
    """The page that a deep link asked for and that has not been opened yet."""
    return cast("str | None", st.session_state.get(_AWAITED_PAGE))


# Whether Data lives at /data (True) or at / (False), for its address must not move within a session; None
# before that is known.
data_by_name, set_data_by_name = _slot(_DATA_BY_NAME, cast("bool | None", None))


def first_look_at_link() -> bool:
    """True once a session: a link is followed when it is opened, not again after other choices."""
    first = _LINK_READ not in st.session_state
    st.session_state[_LINK_READ] = True
    return first
