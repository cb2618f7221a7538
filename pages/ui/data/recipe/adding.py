"""Adding a step: which kind, its form, what it would do, and the button that adds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
import streamlit as st

from pages.ui import display, state, text
from pages.ui.charts.before_after import STATIC, before_after
from pages.ui.data.recipe import cell_editor, new_columns, other_forms
from pages.ui.data.recipe.categories import Recode
from pages.ui.data.recipe.form import Form
from pages.ui.data.recipe.reshape import Lengthen
from pages.ui.data.recipe.rows import Filter, staying
from pages.ui.data.recipe.step import Step, StepError, called, kind, rows
from pages.ui.numbers import counted

SHOWN = 6
FORMS: dict[str, Callable[[Form], tuple[Step, ...]]] = {
    ":material/add_column_right: New column": new_columns.show,
    ":material/filter_alt: Filter rows": other_forms.filtering,
    ":material/swap_vert: Wide to long": other_forms.lengthening,
    ":material/edit: Edit a cell": cell_editor.show,
    ":material/label: Rename or leave out": other_forms.renaming,
}


def show(frame: pd.DataFrame) -> None:
    """The kinds of steps; below, the form of the one chosen."""
    chosen = st.pills(
        "Add a step", list(FORMS), key=f"prepare_kind_{state.serial()}", persist_state="session"
    )
    if chosen is None:
        return
    form = Form(frame, state.preparation().revision)
    with st.container(border=True, key="prepare_form"):
        try:
            proposed = FORMS[chosen](form)
            if proposed:
                _propose(form, proposed)
        except StepError as err:
            st.warning(text.escape(err), icon=":material/help:")


def _propose(form: Form, proposed: tuple[Step, ...]) -> None:
    """What would come of it, and the button. Raises StepError when it cannot be done."""
    after = form.frame
    for step in proposed:
        after = step.apply(after)
    _preview(form.frame, after, proposed[0])
    st.button(
        "Add this step" if len(proposed) == 1 else "Add both columns",
        type="primary",
        icon=":material/add:",
        key=form.key("add"),
        on_click=_add,
        args=(proposed,),
    )


def _add(proposed: tuple[Step, ...]) -> None:
    state.set_recipe((*state.recipe(), *proposed))


def _preview(before: pd.DataFrame, after: pd.DataFrame, step: Step) -> None:
    new = [name for name in after.columns if name not in before.columns]
    if isinstance(step, Filter):
        st.markdown(f"**{staying(step, before)}.**")
    elif isinstance(step, Lengthen):
        st.markdown(f"**{_size(before)} become {_size(after)}.**")
        _table(after, "The first rows afterwards")
    elif isinstance(step, Recode):
        _columns(before, after, step.column, [step.new])
    elif new and getattr(step, "column", None) not in new and len(after) == len(before):
        old = getattr(step, "column", getattr(step, "left", ""))
        if old in after.columns:
            _columns(before, after, old, new)


def _columns(before: pd.DataFrame, after: pd.DataFrame, old: str, new: list[str]) -> None:
    """The first rows of a column and of what it becomes, beside how both are spread."""
    first = before[old]
    named = after[new] if old not in new else after[new].rename(columns={old: f"{old} (new)"})
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _table(pd.concat([first.head(SHOWN), named.head(SHOWN)], axis=1), "The first rows")
        for sentence in _remarks(first, named):
            st.caption(sentence)
    with right:
        # A histogram of dates would look like the one of days below it.
        drawn = [] if kind(first) == "date" else [first]
        chart = before_after([*drawn, *(named[name] for name in named.columns)], ink=display.ink())
        st.plotly_chart(chart.figure, key=f"prepare_chart_{state.serial()}", config=STATIC, alt=chart.alt)


def _remarks(before: pd.Series, new: pd.DataFrame) -> Iterator[str]:
    """What to know before the columns are added."""
    lost = int((new.isna().any(axis=1) & before.notna()).sum())
    if lost:
        yield f"No new value in {rows(lost)}: something else is missing there."
    for name in new.columns:
        if _constant(new[name]) and not _constant(before):
            yield f"{text.escape(called(name))} has the same value in every row, so it explains nothing."


def _constant(values: pd.Series) -> bool:
    present = values.dropna()
    return bool(len(present)) and bool((present == present.iloc[0]).all())


def _table(frame: pd.DataFrame, alt: str) -> None:
    st.dataframe(frame.head(SHOWN), alt=alt)


def _size(frame: pd.DataFrame) -> str:
    return f"{counted(len(frame), 'row')} × {counted(frame.shape[1], 'column')}"
