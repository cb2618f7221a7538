"""The widgets for how rows are grouped: grouping factor, random intercept and slopes."""

from __future__ import annotations

import streamlit as st

from pages.ui.model import block_changes, blocks, roles
from pages.ui.model.choices import Correlation
from pages.ui.model.form import AS_TYPED, Form, chooser, explain_lock, not_offered, options
from pages.ui.model.modelcall import WHOLE_DATA


def grouping(form: Form) -> None:
    """How rows are grouped: one factor, or a card for each of several."""
    st.header("How rows are grouped", anchor=False)
    if form.choices.blocks or form.locked("bars"):
        blocks.cards(form)
        return
    chosen = form.choices
    able = [*options(form, roles.not_group, [chosen.groups] if chosen.groups else [], set()), WHOLE_DATA]
    st.selectbox(
        "Groups (grouping factor)",
        able,
        format_func=lambda name: name or "No top level: all rows together",
        help="Rows with the same label belong together and share what is special about their group. When "
        "groups cross each other or lie inside each other, add a grouping factor below.",
        **chooser("groups", chosen.groups),
    )
    _say_about_groups(form)
    explain_lock(form, "re_formula")
    if chosen.groups != WHOLE_DATA:
        _random_effects(form)


def _say_about_groups(form: Form) -> None:
    column = form.column(form.choices.groups)
    if column is not None:
        st.caption(roles.group_caution(column))
    elif form.choices.groups == WHOLE_DATA and not form.choices.components:
        st.caption(
            "Add a grouping factor or a variance component for each way in which the rows are grouped."
        )
    # That a measured number is no group goes without saying.
    not_offered(form, lambda column: roles.not_group(column) if column.label else "", "groups")


def _random_effects(form: Form) -> None:
    chosen, locked = form.choices, form.locked("re_formula")
    st.toggle(
        "Groups differ in their level (random intercept)",
        disabled=locked,
        help="Each group has its own level around the overall one; the model estimates how much they vary.",
        **chooser("random_intercept", chosen.random_intercept),
    )
    path = (chosen.groups,)
    st.multiselect(
        "Effects that differ between groups (random slopes)",
        blocks.slope_options(form, path, chosen.slopes),
        format_func=chosen.slope_label,
        disabled=locked,
        placeholder=AS_TYPED if locked else "None",
        wrap=True,
        help="Each group has its own effect of these. They belong among the predictors as well, so that "
        "there is an average effect to vary around. Powers and curves of a predictor are offered as they "
        "enter there. Barr et al. (2013), J. Mem. Lang. 68(3).",
        **chooser("slopes", list(chosen.slopes)),
    )
    blocks.slopes_not_offered(form, path, chosen.slopes)
    if chosen.slopes:
        _correlation(form)


def _correlation(form: Form) -> None:
    chosen = form.choices
    several = [
        name for name in chosen.slopes if chosen.several_columns(name) or blocks.is_category(form, name)
    ]
    kinds: list[Correlation] = ["together"]
    if not several:
        kinds.append("apart")
    if chosen.random_intercept + len(chosen.slopes) > 2:
        kinds.append("split")
    value: Correlation = "together" if chosen.correlated else "apart"
    control = chooser("correlated", value)
    st.segmented_control(
        "Level and slopes of a group",
        kinds if value in kinds else [*kinds, value],
        format_func=blocks.TOGETHER.__getitem__,
        required=True,
        disabled=form.locked("re_formula") or form.locked("vc_formula") or len(kinds) < 2,
        help=blocks.TOGETHER_HELP + (" Slopes of categories are correlated." if several else ""),
        key=control["key"],
        on_change=block_changes.correlate,
        args=(control["key"],),
    )
