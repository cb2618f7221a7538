"""The model as formulas that can be typed, as mathematics and as a program, for the Model page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui import state, text
from pages.ui.model import changes, equated, lme4, roles, scripts
from pages.ui.model.form import Form
from pages.ui.model.modelcall import ModelCall

LONGEST_FORMULA = 4000


def formulas(form: Form, call: ModelCall, problems: Mapping[str, str]) -> None:
    """The model in both notations, each in fields of its own, with what is wrong with it right below."""
    texts = roles.texts(form.columns)
    if call.in_bars:
        _in_bars(call.formula, problems.get("formula"))
        try:
            other = lme4.to_mixedlm(call, texts)
        except lme4.UntranslatableError as err:
            st.caption(f"No equal in mixedlm notation. {text.escape(err)}")
        else:
            with st.expander("The same in mixedlm notation", icon=":material/swap_horiz:"):
                _in_groups(other, {})
        return
    _in_groups(call, problems)
    try:
        _in_bars(lme4.to_lme4(call, texts), None)
    except lme4.UntranslatableError as err:
        st.caption(f"No equal in lme4 notation. {text.escape(err)}")


def _in_bars(formula: str, problem: str | None) -> None:
    _field(
        "Formula in lme4 notation",
        "bars",
        formula,
        problem,
        on_change=changes.type_bars,
        args=(),
        help="(1 + x | g) is a level and a slope of x for each g, correlated; (1 + x || g) independent; "
        "(1 | a/b) is b inside a; (1 | a) + (1 | b) are crossed. Bates et al. (2015), table 2.",
    )


def _in_groups(call: ModelCall, problems: Mapping[str, str]) -> None:
    """The formulas of `mixedlm`: fixed part, random part, components."""
    _field(
        "Formula",
        "formula",
        call.formula,
        problems.get("formula"),
        on_change=changes.type_formula,
        args=(),
        help="outcome ~ predictors. Type what widgets do not offer, such as np.exp(x) or te(cr(x, df=4), z).",
    )
    _field(
        "Random part of each group (re_formula)",
        "re_formula",
        call.re_formula or "",
        problems.get("re_formula"),
        on_change=changes.type_random,
        args=(),
        placeholder="none",
        help="1 is a random intercept, 1 + x adds a correlated slope of x, 0 + x is the slope alone.",
    )
    if call.vc_formula:
        st.caption("Variance components (vc_formula), evaluated within each group; an emptied one goes away.")
    for position, (name, formula) in enumerate(call.vc_formula):
        field = f"vc_formula.{position}"
        _field(
            text.escape(text.shorten(name)) or "(no name)",
            field.replace(".", "_"),
            formula,
            problems.get(field),
            on_change=changes.type_component,
            args=(position,),
            help="0 + C(class) is a level for each class of a group, 0 + x an independent slope.",
        )
    _groups(call, problems)


def _field(
    label: str, field: str, value: str, problem: str | None, args: tuple[Any, ...], **more: Any
) -> None:
    key = state.show(f"model_text_{field}", value)
    st.text_input(label, key=key, args=(*args, key), max_chars=LONGEST_FORMULA, **more)
    if problem:
        st.error(text.escape(problem), icon=":material/error:")


def _groups(call: ModelCall, problems: Mapping[str, str]) -> None:
    if "groups" in problems:
        st.error(text.escape(problems["groups"]), icon=":material/error:")
    grouped = "one group of all rows" if call.one_group else text.code(call.groups)
    st.caption(f"Groups: {grouped} · {'REML' if call.reml else 'ML'}")


def mathematics(form: Form) -> None:
    """The model as equations, by level or in one, when the widgets can express it."""
    drawn = equated.of(form)
    if drawn is None:
        st.caption(equated.NONE)
        return
    shown = st.segmented_control(
        "Equations",
        ["By level", "Combined"],
        default="By level",
        required=True,
        key="model_equations",
        persist_state="session",
        help="By level: each coefficient of a group is itself explained one level up. Raudenbush & Bryk "
        "(2002), chapter 2. Combined: all of it in one equation.",
    )
    if shown == "Combined":
        st.latex(drawn.combined)
    else:
        for title, body in drawn.by_level:
            st.caption(text.escape(title))
            st.latex(body)
    st.caption(text.escape(drawn.legend))


def programs(form: Form, call: ModelCall) -> None:
    """The same fit in code."""
    with st.expander("The same fit as a program", icon=":material/code:"):
        st.caption("mixedcore")
        st.code(scripts.mixedcore(call, form.data), language="python")
        st.caption(scripts.about_statsmodels(call, form.data))
        if not scripts.not_in_statsmodels(call):
            st.code(scripts.statsmodels(call, form.data), language="python")
        st.caption("lme4, in R; it reads the prepared data, which the Report page offers")
        st.code(scripts.lme4(call, form.data.frame), language="r")
