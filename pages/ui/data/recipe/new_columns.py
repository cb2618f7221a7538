"""Forms for new columns: what can be made of a column, why one would, and the widgets it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.ui import state, text
from pages.ui.data.columns import Kind
from pages.ui.data.recipe import categories
from pages.ui.data.recipe.arithmetic import SIGNS, Combine, Days, Lag, Sign
from pages.ui.data.recipe.categories import Bands, Recode
from pages.ui.data.recipe.form import LABELS, NUMBERS, WIDE, Form
from pages.ui.data.recipe.step import Step, numeric, shown
from pages.ui.data.recipe.transforms import (
    Centre,
    GroupCentre,
    GroupMean,
    How,
    Standardise,
    Transform,
    shift_for,
)

Steps = tuple[Step, ...]
SMALL = 170
MOST_LABELS = 2_000
LOGARITHMS: dict[How, str] = {"log": "Natural", "log10": "Base 10", "log2": "Base 2", "log1p": "log(1 + x)"}
A_NUMBER = ""
"""Stands among columns for a number typed beside them; no column has an empty name."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make a new column.

    why   : what it is for, in a sentence or two
    kinds : of the column that it is made of
    build : further widgets → steps; none while something is missing
    """

    label: str
    why: str
    kinds: tuple[Kind, ...]
    build: Callable[[Form, str], Steps]


def show(form: Form) -> Steps:
    """The whole form: way, column, and what the way asks for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.selectbox(
            "What to make",
            WAYS,
            format_func=lambda way: way.label,
            key=f"prepare_way_{state.serial()}",
            persist_state="session",
            width=WIDE,
        )
        chosen = way or WAYS[0]
        column = form.column("From the column", chosen.kinds, f"of_{chosen.label}")
    st.caption(chosen.why)
    if column is None:
        return ()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return chosen.build(form, column)


# --- one column of numbers -----------------------------------------------------------------------


def _logarithm(form: Form, column: str) -> Steps:
    values = numeric(form.frame, column)
    least = float(values.min())
    choices = [how for how in LOGARITHMS if how != "log1p" or least == 0]
    how: How = st.segmented_control(
        "Logarithm",
        choices,
        default="log",
        required=True,
        format_func=lambda how: LOGARITHMS[how],
        key=form.key(f"log_{column}"),
        help="The base changes the unit only, not the shape. log(1 + x) is offered when there are zeros.",
    )
    key, shift = form.key(f"shift_{column}"), 0.0
    if how != "log1p":
        shift = st.number_input("Add first (c)", value=0.0, key=key, width=SMALL, help="log(x + c)")
        if least + shift <= 0:
            offer = shift_for(values)
            st.button(
                f"Use log(x + {shown(offer)})", key=f"{key}_offer", on_click=_set_number, args=(key, offer)
            )
    return (Transform(column, form.name(f"{how}_{column}"), how, shift),)


def _set_number(key: str, value: float) -> None:
    st.session_state[key] = value


def _root(form: Form, column: str) -> Steps:
    return (Transform(column, form.name(f"sqrt_{column}"), "sqrt"),)


def _power(form: Form, column: str) -> Steps:
    power = st.number_input(
        "Exponent",
        value=2.0,
        step=1.0,
        key=form.key("power"),
        width=SMALL,
        help="2 squares; −1 is 1/x.",
    )
    names = {2.0: f"{column}_squared", 3.0: f"{column}_cubed"}
    return (Transform(column, form.name(names.get(power, f"{column}_power")), "power", 0.0, power),)


def _standardise(form: Form, column: str) -> Steps:
    return (Standardise(column, form.name(f"{column}_z")),)


def _centre(form: Form, column: str) -> Steps:
    at_mean = st.segmented_control(
        "Centre at",
        [True, False],
        default=True,
        required=True,
        format_func=lambda mean: "The grand mean" if mean else "A value",
        key=form.key("centre"),
    )
    at = None if at_mean else st.number_input("Value", value=0.0, key=form.key("at"), width=SMALL)
    return (Centre(column, form.name(f"{column}_c"), at),)


def _within(form: Form, column: str) -> Steps:
    groups = form.groups(column)
    return (GroupCentre(column, form.name(f"{column}_within"), groups),) if groups else ()


def _between(form: Form, column: str) -> Steps:
    groups = form.groups(column)
    return (GroupMean(column, form.name(f"{column}_between"), groups),) if groups else ()


def _both(form: Form, column: str) -> Steps:
    groups = form.groups(column)
    if not groups:
        return ()
    within = form.name(f"{column}_within", label="Name, within groups", key="within")
    between = form.name(f"{column}_between", label="Name, between groups", key="between")
    return GroupCentre(column, within, groups), GroupMean(column, between, groups)


# --- two columns, dates, the row before ----------------------------------------------------------


def _arithmetic(form: Form, column: str) -> Steps:
    sign: Sign = st.segmented_control(
        "Sign",
        list(SIGNS),
        default="+",
        required=True,
        format_func=lambda sign: SIGNS[sign],
        key=form.key("sign"),
    )
    other = st.selectbox(
        "With",
        [*form.columns(NUMBERS), A_NUMBER],
        index=None,
        format_func=lambda name: text.one_line(name) or "A number …",
        placeholder="Choose a column or a number",
        key=form.key("other"),
        width=WIDE,
    )
    if other is None:
        return ()
    right = other or st.number_input("Number", value=1.0, key=form.key("number"), width=SMALL)
    words = {"+": "plus", "-": "minus", "*": "times", "/": "per"}[sign]
    default = f"{column}_{words}_{other or 'number'}"
    return (Combine(column, sign, right, form.name(default)),)


def _days(form: Form, column: str) -> Steps:
    groups = form.groups(column, label="First date of each", required=False)
    return (Days(column, form.name(f"{column}_days"), groups),)


def _lag(form: Form, column: str) -> Steps:
    groups = form.groups(column)
    order = form.column("In the order of", ("number", "date", "ordered"), "order")
    if not groups or order is None:
        return ()
    return (Lag(column, form.name(f"{column}_before"), groups, order),)


# --- categories ----------------------------------------------------------------------------------


def _recode(form: Form, column: str) -> Steps:
    values = form.frame[column]
    chosen = st.multiselect(
        "Labels",
        categories.levels(values)[:MOST_LABELS],
        format_func=text.one_line,
        key=form.key(f"labels_{column}"),
        placeholder="Choose one or more",
        width=WIDE,
    )
    after = st.text_input("become", key=form.key(f"become_{column}"), width=SMALL) or ""
    if not chosen or not after.strip():
        return ()
    changes = tuple((before, after.strip()) for before in chosen)
    in_place = st.toggle(
        "Change the column itself", key=form.key("in_place"), width="content", help="Else a new one is made."
    )
    new = column if in_place else form.name(f"{column}_recoded")
    return (Recode(column, new, changes, categories.order_after(values, changes)),)


def _bands(form: Form, column: str) -> Steps:
    equal_counts = st.segmented_control(
        "Bands",
        [True, False],
        default=True,
        required=True,
        format_func=lambda counts: "Equal counts" if counts else "Equal widths",
        key=form.key("bands"),
    )
    number = st.number_input("How many", 2, 20, 3, key=form.key("bands_number"), width=SMALL)
    cut = categories.equal_counts if equal_counts else categories.equal_widths
    offered = "; ".join(f"{edge:.10g}" for edge in cut(numeric(form.frame, column), int(number)))
    typed = st.text_input(
        "Cut at",
        value=offered,
        key=form.key(f"cuts_{column}_{offered}"),
        help="Numbers separated by semicolons; a value equal to a cut falls below it.",
        width=WIDE,
    )
    edges = parsed_numbers(typed or "")
    if edges is None:
        st.warning("“Cut at” needs numbers separated by semicolons, such as 10; 20.")
        return ()
    return (Bands(column, form.name(f"{column}_bands"), edges, categories.band_labels(edges)),)


def parsed_numbers(typed: str) -> tuple[float, ...] | None:
    """Numbers separated by semicolons; None when a part is no number."""
    try:
        return tuple(float(part.replace("−", "-")) for part in typed.split(";") if part.strip())
    except ValueError:
        return None


WAYS = (
    Way(
        "Within and between groups",
        "Splits a predictor in two: the group mean says how groups differ, the deviation from it how members "
        "of a group differ. One slope for both would mix two effects (Enders & Tofighi 2007).",
        NUMBERS,
        _both,
    ),
    Way(
        "Group mean (between)",
        "The mean of the row's group: a predictor at the level of groups.",
        NUMBERS,
        _between,
    ),
    Way(
        "Centre within groups",
        "Each value minus the mean of its group: how members of a group differ, without how groups do.",
        NUMBERS,
        _within,
    ),
    Way(
        "Centre",
        "Minus the grand mean, or a value you choose: the intercept is then the outcome there.",
        NUMBERS,
        _centre,
    ),
    Way(
        "Standardise (z)",
        "Minus the mean, divided by the standard deviation: a slope then means one standard deviation more.",
        NUMBERS,
        _standardise,
    ),
    Way(
        "Logarithm",
        "Makes ratios differences and pulls in a long right tail: reaction times, incomes, concentrations.",
        NUMBERS,
        _logarithm,
    ),
    Way("Square root", "Pulls in a right tail less than a logarithm; often for counts.", NUMBERS, _root),
    Way("Square or other power", "Lets a line bend: add x and its square to the model.", NUMBERS, _power),
    Way(
        "Arithmetic with two columns",
        "Sum, difference, product or ratio of two columns.",
        NUMBERS,
        _arithmetic,
    ),
    Way(
        "Recode or merge categories", "Gives labels another name; the same name merges them.", LABELS, _recode
    ),
    Way(
        "Cut a number into bands",
        "An ordered category instead of a number: it loses detail.",
        NUMBERS,
        _bands,
    ),
    Way("Days since the first date", "Turns dates into numbers, to be used as time.", ("date",), _days),
    Way("Value of the row before (lag)", "What was measured one occasion earlier.", NUMBERS, _lag),
)
