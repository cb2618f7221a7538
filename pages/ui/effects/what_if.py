"""The second section of the Effects page: one prediction, with a slider or a box for every predictor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui import state, tables, text
from pages.ui.effects import predictions, tabled, words
from pages.ui.effects.predictions import Scale
from pages.ui.effects.setting import Setting, Whose, choose_category, choose_scale, choose_whose, stale_key
from pages.ui.effects.variables import Variable
from pages.ui.numbers import number


@st.fragment
def section(known: Setting) -> None:
    """Choose a combination; show the prediction large, and how it differs from the one remembered.

    A fragment: a slider runs this again and not the page around it.
    """
    left, right = st.columns([3, 2], gap="large")
    with left:
        at = {v.name: _slide(v, known, place) for place, v in enumerate(known.variables)}
        whose = choose_whose(known, stale_key(known, "effects_what_if"))
    with right:
        _answer(known, at, whose.group or whose.everyone)


def _slide(variable: Variable, known: Setting, place: int) -> Any:
    """A slider over the data's range, or a box of categories."""
    key, name = stale_key(known, f"effects_what_if_{place}"), text.escape(text.shorten(variable.name))
    if variable.kind == "category":
        return choose_category(variable, name, key)
    if variable.kind == "date":
        low, high = variable.low.to_pydatetime(), variable.high.to_pydatetime()
        day = st.slider(name, low, high, variable.middle.to_pydatetime(), key=key, persist_state="session")
        return pd.Timestamp(day)
    if variable.low == variable.high:
        return variable.low
    low, high, start, step = variable.slider()
    if variable.step == 1.0 and variable.whole:
        return float(st.slider(name, int(low), int(high), int(start), key=key, persist_state="session"))
    return st.slider(
        name, low, high, start, step, format=f"%.{variable.decimals}f", key=key, persist_state="session"
    )


def _answer(known: Setting, at: Mapping[str, Any], whose: Whose) -> None:
    """The prediction, its interval, the change, and a warning outside of the data."""
    scale, outcome = choose_scale(known, "effects_what_if_units")
    new = predictions.crossed(whose.row, {name: [value] for name, value in at.items()})
    middle = "mean" if scale is None else "median"
    found = {kind: _predicted(known, new, whose, kind, scale) for kind in ("confidence", "prediction")}
    now, before = float(found["confidence"]["fit"]), state.before()
    comparable = before is not None and before[0] == (scale is not None)
    st.metric(
        f"Predicted {text.escape(text.shorten(outcome))}",
        number(now),
        delta=number(now - before[1]) if comparable and now != before[1] else None,
        delta_color="off",
        border=True,
    )
    st.markdown(text.escape(answer_words(found, whose.name, known.level, middle)))
    st.caption(words.OF_PREDICTIONS)
    if comparable:
        st.markdown(text.escape(words.change(now, before[1], outcome, scale is not None)))
    if scale is not None and scale.log is not None:
        mean = now * predictions.mean_factor(known.result, new, whose.terms, scale)
        st.caption(text.escape(f"This is the median; the mean is about {number(mean)}."))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Compare with this from now on",
            key="effects_remember",
            icon=":material/bookmark:",
            on_click=state.set_before,
            args=((scale is not None, now),),
            help="Remembers this prediction; the next ones show by how much they differ from it.",
        )
        tables.export(
            "effects_what_if",
            lambda: [tabled.what_if(at, whose.name, f"{middle} {outcome}", found, known.level)],
        )
    why = predictions.unusual(known.rows, *_by_kind(known, at))
    if why:
        st.warning(
            text.escape(f"Outside of the data: {why}. The model extrapolates, and nothing here checks it."),
            icon=":material/warning:",
        )


def _predicted(known: Setting, new: pd.DataFrame, whose: Whose, kind: Any, scale: Scale | None) -> pd.Series:
    found = predictions.predicted(known.result, new, whose.terms, kind, known.level)
    return predictions.in_units(found, scale).iloc[0]


def answer_words(found: Mapping[str, pd.Series], whom: str, level: float, middle: str = "mean") -> str:
    """The two intervals in words; `middle`: what is predicted, the median where an outcome is put back."""
    if pd.isna(found["confidence"]["fit"]):
        return "A term of the model has no value here, such as the logarithm of zero; move a slider."
    own, new = (words.interval(found[kind]) for kind in ("confidence", "prediction"))
    return (
        f"{whom}: the {middle} lies in {own} ({level:.0%} confidence interval), one new observation in {new} "
        f"({level:.0%} prediction interval)."
    )


def _by_kind(known: Setting, at: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, Any]]:
    """The numbers and the categories of a combination."""
    kinds = {variable.name: variable.kind for variable in known.variables}
    numbers = {name: value for name, value in at.items() if kinds[name] == "number"}
    categories = {name: value for name, value in at.items() if kinds[name] == "category"}
    return numbers, categories
