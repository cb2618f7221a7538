"""The widgets for how rows are grouped: grouping factor, random intercept and slopes."""

from __future__ import annotations

import streamlit as st

from pages.ui import text
from pages.ui.data.dataset import Dataset
from pages.ui.model import roles
from pages.ui.model.form import AS_TYPED, Form, chooser, explain_lock, not_offered, options
from pages.ui.model.modelcall import WHOLE_DATA


def grouping(form: Form) -> None:
    """How rows are grouped: factor, random intercept and slopes."""
    st.subheader("How rows are grouped", anchor=False)
    chosen = form.choices
    able = [*options(form, roles.not_group, [chosen.groups] if chosen.groups else [], set()), WHOLE_DATA]
    st.selectbox(
        "Groups (grouping factor)",
        able,
        format_func=lambda name: name or "No top level: all rows together",
        help="Rows with the same label belong together and share what is special about their group. Take all "
        "rows together when the groups cross each other, and add each as a variance component below.",
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
        st.caption("Add a variance component below for each way in which the rows are grouped.")
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
    able = options(form, roles.not_predictor, chosen.slopes, {chosen.outcome, chosen.groups})
    st.multiselect(
        "Effects that differ between groups (random slopes)",
        able,
        disabled=locked,
        placeholder=AS_TYPED if locked else "None",
        wrap=True,
        help="Each group has its own effect of these. They belong among the predictors as well, so that "
        "there is an average effect to vary around. Barr et al. (2013), J. Mem. Lang. 68(3).",
        **chooser("slopes", list(chosen.slopes)),
    )
    _say_about_slopes(form)
    if chosen.slopes:
        _correlation(form)


def _correlation(form: Form) -> None:
    chosen = form.choices
    marked = [name for name in chosen.slopes if (c := form.column(name)) and c.kind != "number"]
    stuck = bool(marked or set(chosen.slopes) & set(chosen.categorical))
    st.toggle(
        "Level and slopes may go together (correlated)",
        disabled=form.locked("re_formula") or form.locked("vc_formula") or stuck,
        help="For example: groups that start higher rise faster. Without it each slope is an independent "
        "variance component." + (" Slopes of categories are always correlated." if stuck else ""),
        **chooser("correlated", chosen.correlated),
    )


def _say_about_slopes(form: Form) -> None:
    """What to know about the slopes chosen, before the fit."""
    chosen = form.choices
    absent = [name for name in chosen.slopes if name not in chosen.fixed]
    if absent and not form.locked("formula"):
        verb = "is" if len(absent) == 1 else "are"
        st.caption(f"{text.listing(absent)} {verb} not among the predictors, so the slopes vary around zero.")
    if form.column(chosen.groups) is None:
        return
    still = [
        n
        for n in chosen.slopes
        if form.column(n) and not _varies(form.data.digest, n, chosen.groups, form.data)
    ]
    if still:
        st.warning(
            f"{text.listing(still)} never varies within a group, so no group shows an effect of its own. "
            "Remove the slope.",
            icon=":material/info:",
        )


@st.cache_data(max_entries=256, ttl="2h", show_spinner=False)
def _varies(digest: str, column: str, groups: str, _data: Dataset) -> bool:
    return roles.varies_within(_data.frame, column, groups)
