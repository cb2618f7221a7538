"""The sections of the Model page: what is measured, what explains it, and how the model is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, combinations, islice
from typing import Any

import streamlit as st

from pages.ui import text
from pages.ui.model import changes as changes
from pages.ui.model import roles, shaping
from pages.ui.model.choices import MOST_FULLY_CROSSED, Interaction
from pages.ui.model.form import AS_TYPED, Form, chooser, explain_lock, not_offered, options
from pages.ui.model.shape import Transform

MOST_INTERACTIONS = 500
WHOLE = {"two-way": "Every pair", "all": "Every combination"}
LONGEST_CONDITION = 400
WEIGHTS_HELP = (
    "How much each row counts: the variance of its error is the residual variance divided by its weight, as "
    "for a mean of that many values. Bates et al. (2015), J. Stat. Softw. 67(1)."
)
OFFSET_HELP = "A known part of the outcome, taken off before the rest is explained."
SCALES: dict[Transform, str] = {"none": "As it is", "log": "Logarithm", "sqrt": "Square root"}


def outcome(form: Form) -> None:
    """What is measured."""
    st.header("What is measured", anchor=False)
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
    column = form.column(chosen)
    if column is not None and (caution := roles.outcome_caution(column)):
        st.caption(f":material/warning: {text.listing([chosen])} {caution}.")
    not_offered(form, roles.not_outcome, "outcome")


def fixed(form: Form) -> None:
    """What explains it: predictors, categories, interactions, intercept."""
    st.header("What explains it", anchor=False)
    chosen, locked = form.choices, form.locked("formula")
    groups = {chosen.groups, *(block.factor[0] for block in chosen.blocks if len(block.factor) == 1)}
    able = options(form, roles.not_predictor, chosen.fixed, {chosen.outcome, *groups})
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
    shaping.predictors(form)
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
    used = [*chosen.fixed, *(name for name in chosen.predictors if name not in chosen.fixed)]
    able = [name for name in used if (column := form.column(name)) and column.codes]
    texts = roles.texts(form.columns)
    marked = [name for name in chosen.categorical if name not in texts]
    able += [name for name in marked if name not in able]
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
            **chooser("categorical", marked),
        )


def _interactions(form: Form) -> None:
    chosen = form.choices
    every = chain(*(combinations(chosen.fixed, size) for size in (2, 3)), chosen.interactions)
    single: list[Any] = list(dict.fromkeys(islice(every, MOST_INTERACTIONS)))
    single += [each for each in chosen.interactions if each not in single]
    whole = ["two-way"] if len(chosen.fixed) > 2 else []
    whole += ["all"] if 2 < len(chosen.fixed) <= MOST_FULLY_CROSSED else []
    labels = _interaction_labels(whole + single)
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
    if chosen.bent_interactions:
        st.toggle(
            "Interactions take the whole curve",
            disabled=form.locked("formula"),
            help="With it, the bend of a polynomial may also depend on the other predictor; without it only "
            "its slope does, which needs fewer effects.",
            **chooser("curved", chosen.curved),
        )


def _interaction_labels(values: Iterable[str | Interaction]) -> dict[str | Interaction, str]:
    """A label for each, no two alike: Streamlit tells options apart by their labels."""
    labels: dict[str | Interaction, str] = {}
    for value in values:
        label = WHOLE[value] if isinstance(value, str) else " × ".join(value)
        labels[value] = f"{label} ({len(labels)})" if label in labels.values() else label
    return labels


def settings(form: Form, problems: Mapping[str, str]) -> bool:
    """How the model is fitted; gives whether fits wait for a button."""
    st.header("Settings", anchor=False)
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
    _more(form, problems)
    return st.toggle(
        "Wait for the Fit button (hold)",
        key="model_hold",
        persist_state="session",
        help="Usually the model is fitted again with every change. Hold that back when a fit takes long.",
    )


def _more(form: Form, problems: Mapping[str, str]) -> None:
    """What few models need, behind a button; what is in use is named beside it."""
    chosen = form.choices
    said = {"weights": chosen.weights, "offset": chosen.offset, "rows where": chosen.subset}
    in_use = [f"{what} {text.code(text.shorten(value))}" for what, value in said.items() if value]
    with st.popover("Scale, rows and weights", icon=":material/more_horiz:", key="model_more"):
        _outcome_scale(form)
        _condition(form)
        _column("Weights", "weights", chosen.weights, form, WEIGHTS_HELP)
        _column("Offset", "offset", chosen.offset, form, OFFSET_HELP)
    if in_use:
        st.caption(f"In use: {', '.join(in_use)}.")
    for field in ("subset", "weights", "offset"):
        if field in problems:
            st.error(text.escape(problems[field]), icon=":material/error:")


def _outcome_scale(form: Form) -> None:
    chosen, column = form.choices, form.column(form.choices.outcome)
    least = float(form.data.frame[chosen.outcome].min()) if column and column.kind == "number" else 1.0
    able = [
        kind for kind in SCALES if not shaping.impossible(kind, least) or kind == chosen.outcome_transform
    ]
    st.selectbox(
        "Scale of the outcome",
        able,
        format_func=SCALES.__getitem__,
        disabled=form.locked("formula"),
        help="On the logarithm, effects are proportional changes; its values must be above zero. "
        "Gelman & Hill (2007), chapter 4.",
        **chooser("outcome_transform", chosen.outcome_transform),
    )


def _condition(form: Form) -> None:
    st.text_input(
        "Only rows where",
        placeholder="all rows",
        max_chars=LONGEST_CONDITION,
        help='A comparison such as age > 3, or several joined by and: age > 3 and sex == "f". A column with '
        'an odd name is written Q("its name").',
        **chooser("subset", form.choices.subset),
    )


def _column(label: str, field: str, value: str, form: Form, about: str) -> None:
    numbers = [column.name for column in form.columns if column.kind == "number"]
    able = ["", *numbers, *([value] if value and value not in numbers else [])]
    st.selectbox(label, able, format_func=lambda name: name or "None", help=about, **chooser(field, value))
