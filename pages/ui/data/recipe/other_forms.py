"""Forms that change rows or columns as a whole: filter, wide to long, rename, leave out."""

from __future__ import annotations

from datetime import date

import streamlit as st

from pages.ui import text
from pages.ui.data.profile import number
from pages.ui.data.recipe import categories
from pages.ui.data.recipe.form import WIDE, Form
from pages.ui.data.recipe.names import Drop, Rename
from pages.ui.data.recipe.new_columns import MOST_LABELS, SMALL, Steps
from pages.ui.data.recipe.reshape import Family, Lengthen, Measure, families, identifies, stem_of, times_of
from pages.ui.data.recipe.rows import Between, Condition, DatesBetween, Filter, OneOf, Present
from pages.ui.data.recipe.step import kind

TESTS = {"value": "Values", "present": "Not missing", "absent": "Missing"}


# --- filter --------------------------------------------------------------------------------------


def filtering(form: Form) -> Steps:
    """Conditions on columns, all of which a row must fulfil."""
    st.caption("Keep the rows that fulfil every condition. Remove the step, and the others are back.")
    chosen = st.multiselect(
        "Conditions on",
        [str(name) for name in form.frame.columns],
        format_func=text.one_line,
        key=form.key("conditions"),
        placeholder="Choose one or more columns",
    )
    conditions = [found for name in chosen if (found := _condition(form, name)) is not None]
    return (Filter(tuple(conditions)),) if conditions else ()


def _condition(form: Form, name: str) -> Condition | None:
    """The widgets of one column; None until something is asked of it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        test = st.segmented_control(
            text.escape(text.shorten(name)),
            list(TESTS),
            default="value",
            required=True,
            format_func=TESTS.__getitem__,
            key=form.key(f"test_{name}"),
        )
        if test != "value":
            return Present(name, keep=test == "present")
        match kind(form.frame[name]):
            case "number":
                return _range(form, name)
            case "date":
                return _days(form, name)
        return _labels(form, name)


def _range(form: Form, name: str) -> Condition | None:
    values = form.frame[name].dropna()
    ends = (number(values.min()), number(values.max())) if len(values) else ("", "")
    low, high = (
        st.number_input(label, value=None, placeholder=end, key=form.key(f"{label}_{name}"), width=SMALL)
        for label, end in zip(("At least", "At most"), ends, strict=True)
    )
    if low is None and high is None:
        return None
    return Between(name, *(None if end is None else float(end) for end in (low, high)))


def _days(form: Form, name: str) -> Condition | None:
    first, last = (
        st.date_input(
            label, None, date(1, 1, 1), date(9999, 12, 31), key=form.key(f"{label}_{name}"), width=SMALL
        )
        for label in ("From", "Until")
    )
    if first is None and last is None:
        return None
    return DatesBetween(name, *(None if day is None else day.isoformat() for day in (first, last)))


def _labels(form: Form, name: str) -> Condition | None:
    labels = st.multiselect(
        "Labels",
        categories.levels(form.frame[name])[:MOST_LABELS],
        format_func=text.one_line,
        key=form.key(f"levels_{name}"),
        placeholder="Choose one or more",
        width=WIDE,
    )
    leave_out = st.toggle("Leave these out", key=form.key(f"out_{name}"), width="content")
    return OneOf(name, tuple(labels), keep=not leave_out) if labels else None


# --- wide to long --------------------------------------------------------------------------------


def lengthening(form: Form) -> Steps:
    """The columns that hold one thing at several times, and names for what becomes of them."""
    st.caption(
        "One row a person, with a column a time, becomes one row a measurement, as a mixed model needs "
        "it. All other columns are repeated."
    )
    measures = _measures(form)
    if not measures:
        return ()
    times = _times(form, measures)
    if times is None:
        return ()
    taken = [name for each in measures for name in each.columns]
    named = []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        time = form.name("time", label="Name of the time column", key="time")
        for place, each in enumerate(measures):
            label = "Name of the value column" + (f" {place + 1}" if len(measures) > 1 else "")
            named.append(Measure(form.name(each.name, label=label, key=f"value_{place}"), each.columns))
        row_id = form.name(
            "" if identifies(form.frame, taken) else "row", label="Name of a row number (optional)", key="row"
        )
    return (Lengthen(tuple(named), time, times, row_id),)


def _measures(form: Form) -> list[Measure]:
    """What is measured, from families of names or chosen by hand."""
    found = families(form.frame)
    by_hand = not found or st.toggle("Choose the columns myself", key=form.key("by_hand"), width="content")
    if by_hand:
        columns = st.multiselect(
            "Columns that hold the same thing at different times",
            [str(name) for name in form.frame.columns],
            format_func=text.one_line,
            key=form.key("measured"),
            placeholder="Choose two or more",
        )
        return [Measure(stem_of(columns), tuple(columns))] if len(columns) > 1 else []
    chosen = st.multiselect(
        "Measured repeatedly",
        found,
        default=[max(found, key=lambda family: len(family.columns))],
        format_func=_family_name,
        key=form.key("families"),
        help="Columns whose names differ in their last number only. Choose several if they share the times.",
    )
    if len({family.times for family in chosen}) > 1:
        st.warning(
            "These were measured at different times and cannot share a time column. Take one at a time."
        )
        return []
    return [Measure(stem_of(family.columns), family.columns) for family in chosen]


def _family_name(family: Family) -> str:
    first, last = text.shorten(family.columns[0], 24), text.shorten(family.columns[-1], 24)
    return f"{first} … {last} ({len(family.columns)} columns)"


def _times(form: Form, measures: list[Measure]) -> tuple[float, ...] | tuple[str, ...] | None:
    """The time of each column; None while what is typed does not give one each."""
    columns = measures[0].columns
    found = times_of(columns)
    offered = "; ".join(text.one_line(each) if isinstance(each, str) else f"{each:.10g}" for each in found)
    typed = st.text_input(
        "Their times",
        value=offered,
        key=form.key(f"times_{offered}"),
        help="One a column, separated by semicolons; numbers if all of them are.",
    )
    if typed == offered:
        return found
    parts = [part.strip() for part in (typed or "").split(";") if part.strip()]
    if len(parts) != len(columns):
        st.warning(f"There are {len(columns)} columns, but {len(parts)} times. Separate them by semicolons.")
        return None
    try:
        return tuple(float(part) for part in parts)
    except ValueError:
        return tuple(parts)


# --- names ---------------------------------------------------------------------------------------


def renaming(form: Form) -> Steps:
    """A column under another name, or columns left out."""
    rename = st.segmented_control(
        "Columns",
        [True, False],
        default=True,
        required=True,
        format_func=lambda rename: "Rename" if rename else "Leave out",
        key=form.key("rename_or_drop"),
        label_visibility="collapsed",
    )
    names = [str(name) for name in form.frame.columns]
    if not rename:
        gone = st.multiselect(
            "Columns to leave out",
            names,
            format_func=text.one_line,
            key=form.key("drop"),
            placeholder="Choose",
        )
        return (Drop(tuple(gone)),) if gone else ()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = st.selectbox(
            "Column", names, index=None, format_func=text.one_line, placeholder="Choose a column",
            key=form.key("rename"), width=WIDE,
        )  # fmt: skip
        new = st.text_input("New name", key=form.key("rename_to"), width=WIDE) or ""
    return (Rename(column, new.strip()),) if column is not None and new.strip() else ()
