"""The next steps from the chosen model: what each would add, its test, and a button that takes it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.ui import jobs, state, tables, text
from pages.ui.model import laddered, start_buttons
from pages.ui.model.form import Form
from pages.ui.model.ladder import Step
from pages.ui.model.laddered import Rung
from pages.ui.model.modelcall import ModelCall
from pages.ui.numbers import fixed, number, numbers, p_value

LONGEST = 70
PATIENCE = 0.5
"""Seconds of fitting after which it is said how far it is."""


def offer(form: Form, call: ModelCall) -> None:
    """The steps behind a heading, fitted and tested when that is opened."""
    if form.reading.unread or not start_buttons.random_part(form):
        return
    opened = st.expander(
        "One step up, one step down", icon=":material/stairs:", key="model_steps", on_change="rerun"
    )
    if not opened.open:
        return
    with opened:
        larger, refused, smaller = laddered.steps(form)
        rungs = _tested([*larger, *smaller], call, form)
        up, down = rungs[: len(larger)], rungs[len(larger) :]
        _listed("Up: what could be added", up, "up")
        _refused(refused)
        _listed("Down: what could be left out", down, "down")
        st.caption(
            "Likelihood-ratio tests; changes of predictors are tested on fits by ML. A lower AIC is "
            "better. These are hints: the smallest p-value of several promises more than it keeps, so "
            "take a step because your question asks for it. Barr et al. (2013), J. Mem. Lang. 68(3); "
            "Matuschek et al. (2017), J. Mem. Lang. 94."
        )
        tables.export("model_steps_tests", lambda: [tested(up, down)])


def _tested(steps: Sequence[Step], call: ModelCall, form: Form) -> list[Rung]:
    """Each step with its test. Whatever the person does next ends it, and what is fitted by then is kept."""
    found, began, place = list[Rung](), time.monotonic(), st.empty()
    for step in steps:
        seconds = time.monotonic() - began
        if seconds > PATIENCE:
            far = jobs.how_far(len(found), len(steps), seconds)
            place.progress(
                len(found) / len(steps), f"Fitting the models next to this one: {far}. Close this to stop."
            )
        found.append(laddered.tested(step, call, form))
    place.empty()
    return found


def _listed(title: str, found: Sequence[Rung], key: str) -> None:
    st.markdown(f"**{title}**")
    if not found:
        st.caption("Nothing that these columns offer." if key == "up" else "Nothing: this is the smallest.")
    for place, each in enumerate(found):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width="stretch"):
                st.markdown(text.escape(text.shorten(each.step.words, LONGEST)))
                st.caption(said(each), help=_help(each))
            st.button(
                "Take this step",
                key=f"model_step_{key}_{place}",
                type="tertiary",
                icon=":material/arrow_upward:" if key == "up" else ":material/arrow_downward:",
                on_click=_take,
                args=(each.call,),
            )


def tested(up: Sequence[Rung], down: Sequence[Rung]) -> tables.Table:
    """Every step with its test, as a table."""
    both = [*(("up", each) for each in up), *(("down", each) for each in down)]
    values = pd.DataFrame(
        {
            "Direction": [way for way, _ in both],
            "Step": [each.step.words for _, each in both],
            "χ²": [max(each.chisq, 0.0) for _, each in both],
            "df": [each.df for _, each in both],
            "p": [each.p_value for _, each in both],
            "AIC change": [each.aic for _, each in both],
            "Note": [each.trouble or each.note for _, each in both],
        }
    )
    shown = values.assign(
        **{
            "χ²": numbers(values["χ²"], 3),
            "df": numbers(values["df"], 2),
            "p": [p_value(value) for value in values["p"]],
            "AIC change": [fixed(value, 1) for value in values["AIC change"]],
        }
    )
    return tables.Table(shown, values, values, "Steps from this model, with their tests", "steps")


def said(each: Rung) -> str:
    """The test in one line of Markdown."""
    if each.trouble:
        return f"Not tested: {text.escape(each.trouble)}"
    p = p_value(each.p_value)
    equal = "" if p.startswith(("<", ">")) else "= "
    test = f"χ² = {number(max(each.chisq, 0.0), 3)}, df = {each.df:.0f}, p {equal}{p}"
    change = f"{each.aic:+.1f}".replace("-", "−")
    return text.escape(f"{test} · AIC {change}")


def _help(each: Rung) -> str | None:
    """Where a variance is tested at its edge, what the p-value is taken from."""
    if not ("½" in each.note or "mixture" in each.note):
        return None
    return f"A variance cannot be below zero: {text.escape(each.note)} Stram & Lee (1994), Biometrics 50."


def _refused(steps: Sequence[Step]) -> None:
    """What the data cannot support, with the reason."""
    for step in steps:
        words, reason = text.shorten(step.words, LONGEST), step.reason
        st.caption(f"Not possible: {text.escape(words)}. It {text.escape(reason)}.")


def _take(call: ModelCall) -> None:
    state.set_remark("")
    state.set_call(call)
