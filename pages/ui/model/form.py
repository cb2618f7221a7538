"""The widgets of the Model page. Each shows the present call and, when changed, writes a new one.

The call in the session is the only truth: widgets are set from it before they are drawn, so formulas typed
by hand move the widgets and the widgets move the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import streamlit as st

from pages.ui import state, text
from pages.ui.data.dataset import Dataset
from pages.ui.model import changes as changes
from pages.ui.model import roles
from pages.ui.model.builder import Part, Reading
from pages.ui.model.choices import MOST_FULLY_CROSSED, Choices
from pages.ui.model.roles import Column

MOST_PAIRS = 500
TYPED: dict[Part, str] = {
    "formula": "Outcome and predictors are used as you typed them.",
    "re_formula": "What differs between groups is used as you typed it.",
    "vc_formula": "The variance components are used as you typed them.",
}
AS_TYPED = "As typed in the formula"
WHOLE = {"two-way": "Every pair", "all": "Every combination"}


@dataclass(frozen=True, slots=True)
class Form:
    """What the widgets are drawn from."""

    reading: Reading
    columns: tuple[Column, ...]
    data: Dataset

    @property
    def choices(self) -> Choices:
        return self.reading.choices

    def locked(self, part: Part) -> bool:
        """Whether a part was typed in a way that widgets cannot show."""
        return part in self.reading.unread

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)


def options(form: Form, reason: Callable[[Column], str], chosen: Sequence[str], taken: set[str]) -> list[str]:
    """Names of the columns without a reason against them and not taken, and whatever is chosen already."""
    able = [column.name for column in form.columns if not reason(column) and column.name not in taken]
    return [*able, *(name for name in chosen if name not in able)]


def not_offered(form: Form, reason: Callable[[Column], str], role: str) -> None:
    """Say which columns are left out, and why; those with another role in the model explain themselves."""
    chosen = form.choices
    in_use = {chosen.outcome, chosen.groups, *chosen.fixed, *(row.column for row in chosen.components)}
    why = {column.name: reason(column) for column in form.columns if column.name not in in_use}
    named = [f"{text.escape(text.shorten(name))} {clause}" for name, clause in why.items() if clause]
    if named:
        more = f"; and {len(named) - 4:,} more" if len(named) > 4 else ""
        st.caption(f"Not offered as {role}: {'; '.join(named[:4])}{more}.")


def explain_lock(form: Form, part: Part) -> None:
    """Why the widgets of a part are greyed, and the way back."""
    if not form.locked(part):
        return
    with st.container(border=True):
        st.markdown(f"{TYPED[part]} {text.escape(form.reading.unread[part])}")
        st.button(
            "Use the widgets again",
            key=f"model_unlock_{part}",
            icon=":material/undo:",
            on_click=changes.unlock,
            args=(part,),
            help="Puts back what the widgets last showed here; your text for this part goes away.",
        )


def chooser(field: str, value: object) -> dict[str, Any]:
    """Key and callback of the widget for one field of the choices, showing `value`."""
    key = state.show(f"model_{field}", value)
    return {"key": key, "on_change": changes.choose, "args": (field, key)}


# --- the sections --------------------------------------------------------------------------------


def outcome(form: Form) -> None:
    """What is measured."""
    st.subheader("What is measured", anchor=False)
    explain_lock(form, "formula")
    chosen = form.choices.outcome
    able = options(form, roles.not_outcome, [chosen] if chosen else [], set())
    st.selectbox(
        "Outcome (dependent variable)",
        able,
        disabled=form.locked("formula"),
        placeholder=AS_TYPED if form.locked("formula") else "Choose a column",
        help="The number that the model explains, one value a row. Snijders & Bosker (2012), chapter 4.",
        **chooser("outcome", chosen or None),
    )
    not_offered(form, roles.not_outcome, "outcome")


def fixed(form: Form) -> None:
    """What explains it: predictors, categories, interactions, intercept."""
    st.subheader("What explains it", anchor=False)
    chosen, locked = form.choices, form.locked("formula")
    able = options(form, roles.not_predictor, chosen.fixed, {chosen.outcome, chosen.groups})
    st.multiselect(
        "Predictors (fixed effects)",
        able,
        disabled=locked,
        placeholder=AS_TYPED if locked else "None yet: the mean alone",
        wrap=True,
        help="Each gets one effect that is the same for all groups; a text column gets one for each of its "
        "levels but the first.",
        **chooser("fixed", list(chosen.fixed)),
    )
    not_offered(form, roles.not_predictor, "predictor")
    _categories(form)
    if len(chosen.fixed) > 1:
        _interactions(form)
    st.toggle(
        "Start from an overall level (intercept)",
        disabled=locked,
        help="The expected outcome where every predictor is zero. Leave it out only if zero must give zero.",
        **chooser("intercept", chosen.intercept),
    )


def _categories(form: Form) -> None:
    chosen = form.choices
    used = [*chosen.fixed, *(name for name in chosen.slopes if name not in chosen.fixed)]
    able = [name for name in used if (column := form.column(name)) and column.codes]
    able += [name for name in chosen.categorical if name not in able]
    if able:
        st.pills(
            "Numbers that stand for categories",
            able,
            selection_mode="multi",
            format_func=text.escape,
            wrap=True,
            disabled=form.locked("formula"),
            help="A code such as 1 = north, 2 = south is a name, not an amount: mark it, and each value gets "
            "an effect of its own, written C( ) in the formula.",
            **chooser("categorical", list(chosen.categorical)),
        )


def _interactions(form: Form) -> None:
    chosen = form.choices
    pairs: list[Any] = list(combinations(chosen.fixed, 2))[:MOST_PAIRS]
    whole = ["two-way"] if len(chosen.fixed) > 2 else []
    whole += ["all"] if 2 < len(chosen.fixed) <= MOST_FULLY_CROSSED else []
    labels = _interaction_labels(whole + pairs)
    st.multiselect(
        "Effects that depend on each other (interactions)",
        list(labels),
        format_func=lambda value: labels.get(value, str(value)),
        disabled=form.locked("formula"),
        placeholder="None",
        wrap=True,
        help="With the interaction of two predictors, the effect of one changes with the value of the other.",
        **chooser("interactions", changes.interactions_of(chosen)),
    )


def _interaction_labels(values: Iterable[str | tuple[str, str]]) -> dict[str | tuple[str, str], str]:
    """A label for each, no two alike: Streamlit tells options apart by their labels."""
    labels: dict[str | tuple[str, str], str] = {}
    for value in values:
        label = WHOLE[value] if isinstance(value, str) else " × ".join(value)
        labels[value] = f"{label} ({len(labels)})" if label in labels.values() else label
    return labels


def settings(form: Form) -> bool:
    """How the model is fitted; gives whether fits wait for a button."""
    st.subheader("Settings", anchor=False)
    st.segmented_control(
        "Estimation",
        [True, False],
        format_func=lambda reml: "REML" if reml else "ML",
        required=True,
        help="REML (restricted maximum likelihood) estimates variances without the bias of small samples. ML "
        "(full maximum likelihood) is for comparing models with different predictors.",
        **chooser("reml", form.choices.reml),
    )
    st.segmented_control(
        "Rows with missing values",
        ["drop", "raise"],
        format_func=lambda choice: "Leave out, and say so" if choice == "drop" else "Stop",
        required=True,
        help="Only columns that the model uses count.",
        **chooser("missing", form.choices.missing),
    )
    return st.toggle(
        "Wait for the Fit button (hold)",
        key="model_hold",
        persist_state="session",
        help="Usually the model is fitted again with every change. Hold that back when a fit takes long.",
    )
