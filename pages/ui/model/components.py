"""The rows of variance components on the Model page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui import state, text
from pages.ui.model import blocks, roles, support
from pages.ui.model import changes as changes
from pages.ui.model.choices import Component, Kind
from pages.ui.model.form import Form, explain_lock, options

NESTED: Mapping[Kind, str] = {
    "factor": "Own level (nested factor)",
    "slope": "Own slope by group (slope)",
    "slope_in_factor": "Own slope (in nested factor)",
}
CROSSED: Mapping[Kind, str] = {
    "factor": "Own level (crossed factor)",
    "slope_in_factor": "Own slope (by crossed factor)",
}


def rows(form: Form, problems: Mapping[str, str]) -> None:
    """Every variance component with its controls, and buttons for more; none beside several factors."""
    if form.choices.blocks or form.locked("bars"):
        blocks.adder(form)
        return
    st.markdown("### Further groupings (variance components)")
    st.caption(
        "Groups inside the groups above, such as classes in schools; their labels may repeat elsewhere."
        if form.choices.groups
        else "Groups that cross each other, such as students and teachers; each its own variance."
    )
    explain_lock(form, "vc_formula")
    free = 0 if form.choices.correlated else len(form.choices.slopes)
    for position, row in enumerate(form.choices.components):
        _row(form, position, row, problems.get(f"vc_name.{free + position}", ""))
    with st.container(horizontal=True):
        blocks.adder(form)
        _adder(form)
        blocks.opener(form)


def _row(form: Form, position: int, row: Component, problem: str) -> None:
    """One component: what varies, over which columns, under which name."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _kind(form, position, row)
            _remover(position)
        with st.grid(2 if row.kind != "slope_in_factor" else 3, min_column_width=110, gap="small"):
            _columns(form, position, row)
            st.text_input(
                "Name", max_chars=80, help="How results call it.", **_bound(position, "name", row.name)
            )
        reason = "" if row.kind == "slope" else not_inside(form, row.factor or row.column)
        if reason:
            st.warning(f"{text.listing([row.factor or row.column])} {reason}.", icon=":material/info:")
        if problem:
            st.error(text.escape(problem), icon=":material/error:")


def not_inside(form: Form, column: str) -> str:
    """Why the levels of a column within the groups cannot vary in the model; '' when they can."""
    top = [form.choices.groups] if form.choices.groups else []
    if top and support.same_groups(form.data, top, [*top, column]):
        return "has one level in each group, so its variance cannot be told from the groups'"
    return support.not_varying_groups(form.data, [*top, column])


def _remover(position: int) -> None:
    st.button(
        "Remove",
        key=f"model_vc_{position}_remove",
        icon=":material/delete:",
        type="tertiary",
        on_click=changes.remove_component,
        args=(position,),
    )


def _bound(position: int, field: str, value: object) -> dict[str, Any]:
    key = state.show(f"model_vc_{position}_{field}", value)
    return {"key": key, "on_change": changes.change_component, "args": (position, field, key)}


def _kind(form: Form, position: int, row: Component) -> None:
    words = NESTED if form.choices.groups else CROSSED
    kinds = [*words, *([row.kind] if row.kind not in words else [])]
    key = state.show(f"model_vc_{position}_kind", row.kind)
    slopes = _numbers(form, [])
    st.selectbox(
        "What varies",
        kinds if slopes else [row.kind],
        format_func=lambda kind: words.get(kind) or NESTED[kind],
        key=key,
        on_change=changes.change_kind,
        args=(position, key, row.factor or row.column, slopes[0] if slopes else row.column),
        help="Either every smaller group has a level of its own, or an effect of its own.",
    )


def _columns(form: Form, position: int, row: Component) -> None:
    if row.kind != "factor":
        _column_choice("Slope of", _numbers(form, [row.column]), position, "column", row.column)
    if row.kind == "factor":
        _column_choice("Groups", _labels(form, [row.column]), position, "column", row.column)
    if row.kind == "slope_in_factor":
        _column_choice("In each", _labels(form, [row.factor]), position, "factor", row.factor)


def _column_choice(label: str, able: list[str], position: int, field: str, value: str) -> None:
    st.selectbox(label, able, **_bound(position, field, value))


def _labels(form: Form, chosen: list[str]) -> list[str]:
    """Columns whose labels can be groups."""
    return options(form, roles.not_group, chosen, {form.choices.groups, form.choices.outcome})


def _numbers(form: Form, chosen: list[str]) -> list[str]:
    """Columns whose effect can vary."""
    taken = {form.choices.groups, form.choices.outcome}
    able = options(form, roles.not_predictor, chosen, taken)
    return [n for n in able if n in chosen or ((column := form.column(n)) and column.kind == "number")]


def _adder(form: Form) -> None:
    used = {row.factor or row.column for row in form.choices.components}
    able = [name for name in _labels(form, []) if not not_inside(form, name)]
    best = max(
        (n for n in able if n not in used),
        key=lambda n: blocks.likely(form, n),
        default=able[0] if able else "",
    )
    st.button(
        "Add a variance component",
        key="model_vc_add",
        icon=":material/add:",
        type="tertiary",
        disabled=form.locked("vc_formula") or not best,
        on_click=changes.add_component,
        args=(best,),
        help="A grouping inside or across the groups above, with a variance of its own."
        if best
        else "No other column has labels that repeat within the groups.",
    )
