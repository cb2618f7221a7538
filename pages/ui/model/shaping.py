"""How each predictor enters: a small button each, with transform, curve and coding behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui import state, text
from pages.ui.model import block_changes
from pages.ui.model.choices import Choices
from pages.ui.model.form import Form
from pages.ui.model.roles import Column
from pages.ui.model.shape import HIGHEST_POWER, LEAST_DF, MOST_DF, Contrast, Level, Transform

MOST_SHOWN = 16
MOST_LEVELS = 200
TRANSFORMS: Mapping[Transform, str] = {
    "none": "As it is",
    "log": "Logarithm",
    "sqrt": "Square root",
    "centre": "Centred (minus its mean)",
    "standardise": "Standardised (mean 0, SD 1)",
}
WORDS: Mapping[Transform, str] = {
    "none": "",
    "log": "log",
    "sqrt": "√",
    "centre": "centred",
    "standardise": "standardised",
}
CONTRASTS: Mapping[Contrast, str] = {
    "Treatment": "Against one level (treatment)",
    "Sum": "Against the mean of all (sum)",
    "Helmert": "Against those before (Helmert)",
    "Diff": "Against the one before (difference)",
    "Poly": "Trend over levels (polynomial)",
}
SHORT: Mapping[Contrast, str] = {
    "Sum": "sum coding",
    "Helmert": "Helmert coding",
    "Diff": "difference coding",
    "Poly": "polynomial coding",
}
LINE, POWERS, BS, CR = "line", "powers", "bs", "cr"
CURVES = {LINE: "Straight line", POWERS: "Polynomial", BS: "B-spline", CR: "Natural spline"}


def predictors(form: Form) -> None:
    """A button for each predictor that opens how it enters."""
    if not form.choices.fixed:
        return
    with st.container(horizontal=True, gap="small", key="model_shapes"):
        for position, name in enumerate(form.choices.fixed[:MOST_SHOWN]):
            column = form.column(name)
            if column is not None:
                _button(form, position, column)
    shaped = [name for name, _ in form.choices.shapes if name in form.choices.fixed]
    if shaped:
        st.caption(f"Enters as: {text.listing(described(form.choices, name) for name in shaped)}.")


def _button(form: Form, position: int, column: Column) -> None:
    shown = st.popover(  # with a label that stays: a new one would close it
        text.escape(text.shorten(column.name, 24)),
        key=f"model_shape_{position}",
        type="tertiary",
        icon=":material/tune:",
        disabled=form.locked("formula"),
        on_change="rerun",
        help="How this predictor enters: transformed, as a curve, or with another coding of its levels.",
    )
    if not shown.open:
        return
    with shown:
        if is_category(form, column):
            _coding(form, position, column)
        else:
            _numbers(form, position, column)


def is_category(form: Form, column: Column) -> bool:
    """Whether the column has an effect a level."""
    return column.kind != "number" or column.name in form.choices.categorical


def described(choices: Choices, name: str) -> str:
    """A predictor as it enters, in a few words."""
    shape, short = choices.shape(name), text.shorten(name, 24)
    if shape.contrast == "Treatment":
        return f"{short} against {text.shorten(shape.reference, 16)}"
    if shape.contrast != "none":
        return f"{short}, {SHORT[shape.contrast]}"
    word = WORDS[shape.transform]
    base = f"{short}, {word}" if shape.transform in ("centre", "standardise") else f"{word} {short}".strip()
    if shape.spline != "none":
        return f"{base}, {CURVES[shape.spline]} with {shape.df} df"
    return base if shape.degree == 1 else f"{base}, power 1 to {shape.degree}"


# --- numbers -------------------------------------------------------------------------------------


def _numbers(form: Form, position: int, column: Column) -> None:
    shape = form.choices.shape(column.name)
    values = form.data.frame[column.name]
    least = float(values.min())
    able = [kind for kind in TRANSFORMS if not impossible(kind, least) or kind == shape.transform]
    _select("Scale", able, TRANSFORMS, shape.transform, position, column, "transform")
    for kind in ("log", "sqrt"):
        if reason := impossible(kind, least):
            st.caption(f"{TRANSFORMS[kind]} is not offered: {reason}.")
    curve = shape.spline if shape.spline != "none" else POWERS if shape.degree > 1 else LINE
    most = min(HIGHEST_POWER, column.levels - 1)
    curves = [LINE, *([POWERS] if most > 1 else []), *([BS, CR] if column.levels > LEAST_DF + 1 else [])]
    key = state.show(f"model_shape_{position}_curve", curve)
    st.segmented_control(
        "Curve",
        curves if curve in curves else [*curves, curve],
        format_func=CURVES.__getitem__,
        required=True,
        key=key,
        on_change=block_changes.change_shape,
        args=(column.name, lambda: _curve(state.shown(key))),
        help="A polynomial has powers of the predictor; a spline is a smooth curve of pieces that bend where "
        "the data do. Harrell (2015), Regression Modeling Strategies, chapter 2.",
    )
    if curve == POWERS and most > 2:
        _number("Highest power", 2, most, shape.degree, position, column, "degree")
    if curve in (BS, CR):
        most = min(MOST_DF, column.levels - 1)
        _number("Degrees of freedom (how far it may bend)", LEAST_DF, most, shape.df, position, column, "df")
    st.page_link(
        "pages/data.py",
        label="Centre in each group (new column)",
        icon=":material/table_chart:",
        help="Its effect is then that within groups, and the group mean's that between them. Enders & "
        "Tofighi (2007), Psychol. Methods 12(2).",
    )


def impossible(kind: str, least: float) -> str:
    """Why numbers of which `least` is the smallest have no such transform; '' when they have."""
    if kind == "log" and least <= 0:
        return "there are values of zero or below"
    return "there are values below zero" if kind == "sqrt" and least < 0 else ""


def _curve(chosen: str) -> dict[str, Any]:
    if chosen in (BS, CR):
        return {"spline": chosen, "df": 4, "degree": 1}
    return {"spline": "none", "df": 0, "degree": 2 if chosen == POWERS else 1}


def _number(label: str, least: int, most: int, value: int, position: int, column: Column, field: str) -> None:
    key = state.show(f"model_shape_{position}_{field}", min(max(value, least), most))
    st.slider(
        label,
        least,
        max(most, least + 1),
        key=key,
        on_change=block_changes.change_shape,
        args=(column.name, lambda: {field: state.shown(key)}),
    )


def _select(
    label: str,
    able: list[Any],
    words: Mapping[Any, str],
    value: object,
    position: int,
    column: Column,
    field: str,
) -> None:
    key = state.show(f"model_shape_{position}_{field}", value)
    st.selectbox(
        label,
        able,
        format_func=words.__getitem__,
        key=key,
        on_change=block_changes.change_shape,
        args=(column.name, lambda: {field: state.shown(key)}),
    )


# --- categories ----------------------------------------------------------------------------------


def _coding(form: Form, position: int, column: Column) -> None:
    shape = form.choices.shape(column.name)
    known = levels_of(form.data.frame[column.name])
    coding = "Treatment" if shape.contrast == "none" else shape.contrast
    key = state.show(f"model_shape_{position}_contrast", coding)
    st.selectbox(
        "What its effects compare (contrast coding)",
        list(CONTRASTS),
        format_func=CONTRASTS.__getitem__,
        key=key,
        on_change=block_changes.change_shape,
        args=(column.name, lambda: _coded(state.shown(key), None, known)),
        help="The fit is the same; the coefficients answer another question. Schad et al. (2020), J. Mem. "
        "Lang. 110.",
    )
    if coding != "Treatment" or len(known) < 2:
        return
    first = shape.reference if shape.reference is not None else known[0]
    able = known if first in known else [*known, first]
    held = state.show(f"model_shape_{position}_reference", able.index(first))
    st.selectbox(
        "Compared with",
        range(len(able)),
        format_func=lambda place: text.shorten(able[place]),
        key=held,
        on_change=block_changes.change_shape,
        args=(column.name, lambda: _coded("Treatment", able[state.shown(held)], known)),
        help="The level that every other one is compared with; the intercept is its mean.",
    )


def _coded(contrast: Contrast, reference: Level | None, known: list[Level]) -> dict[str, Any]:
    """The parts of a shape; the first level is what everybody compares with anyway."""
    if contrast == "Treatment" and (reference is None or reference == known[0]):
        return {"contrast": "none", "reference": None}
    return {"contrast": contrast, "reference": reference}


def levels_of(values: pd.Series) -> list[Level]:
    """The levels of a column in the order in which a model takes them, at most `MOST_LEVELS`."""
    present = values.dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        used = set(present.unique())
        found = [level for level in values.cat.categories if level in used]
    else:
        found = sorted(present.unique())
    plain = (level.item() if hasattr(level, "item") else level for level in found[:MOST_LEVELS])
    return [level if isinstance(level, bool | int | float) else str(level) for level in plain]
