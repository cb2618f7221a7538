"""Fits for the pages: the only file that joins Streamlit's cache and `mixedcore`.

A fit is shared by everyone who asks for the same model of the same data, so no page may change one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

import mixedcore
from mixedcore import formula as language
from mixedcore.errors import FormulaError, MixedCoreError
from pages.ui import invitation, state, text, waiting
from pages.ui.data.dataset import Dataset
from pages.ui.model import builder, condition, notation, roles
from pages.ui.model.modelcall import ModelCall
from pages.ui.model.roles import Column

KEPT_FITS = 64
LARGE = 20_000
"""Rows from which on a fit may hold a hundred megabytes, as that of 73,421 crossed ratings does."""
KEPT_LARGE_FITS = 8
KEPT_FOR = "2h"
NUMERIC = ("number", "yes or no")
MOST_SLOPES = 25
"""Correlated coefficients a group: 25 already have 325 variances and covariances to estimate."""
NO_GROUPS = (
    "Nothing groups the rows yet, and a mixed model compares groups. Choose a grouping factor, a column "
    "whose labels repeat, or add a variance component."
)
NO_EFFECTS = (
    "Nothing differs between the groups yet. Switch their random intercept on, choose a random slope, or add "
    "a variance component."
)


@st.cache_data(max_entries=KEPT_FITS, ttl=KEPT_FOR, show_spinner=False)
def profiled(digest: str, _frame: pd.DataFrame) -> tuple[Column, ...]:
    """What each column can be in a model; once for the same data."""
    return roles.profile(_frame)


# --- what can be said before the fit -------------------------------------------------------------


def problems(call: ModelCall, columns: Sequence[Column]) -> dict[str, str]:
    """What is wrong with the text of a call, before anything is evaluated: field → plain sentence.

    Fields are those of `ModelCall.parts` plus 'groups', 'weights', 'offset', 'subset' and
    'vc_name.<position>'; empty when all is well.
    """
    found: dict[str, str] = {}
    for field, formula in call.parts():
        try:
            _check(field, formula, columns)
        except MixedCoreError as err:
            found[field] = str(err)
    if call.groups and call.groups not in {column.name for column in columns}:
        found["groups"] = f"There is no column named {call.groups!r}; choose how the rows are grouped."
    found |= _beside_problems(call, columns)
    if not found and _nothing_varies(call):
        found["groups" if call.one_group else "re_formula"] = NO_GROUPS if call.one_group else NO_EFFECTS
    return found | _name_problems([name for name, _ in call.vc_formula])


def _beside_problems(call: ModelCall, columns: Sequence[Column]) -> dict[str, str]:
    """What is wrong with weights, offset and the condition on the rows."""
    found: dict[str, str] = {}
    kinds = {column.name: column.kind for column in columns}
    for field, name in (("weights", call.weights), ("offset", call.offset)):
        if name and name not in kinds:
            found[field] = f"There is no column named {name!r}; choose another for the {field}."
        elif name and kinds[name] != "number":
            found[field] = f"The {field} must be numbers, and {name!r} holds none."
    if call.subset:
        try:
            condition.check(call.subset, list(kinds), {n for n, kind in kinds.items() if kind in NUMERIC})
        except MixedCoreError as err:
            found["subset"] = str(err)
    return found


def _nothing_varies(call: ModelCall) -> bool:
    """Whether the random part is written as nothing, such as 0, and no variance component makes up for it."""
    if call.vc_formula or call.re_formula is None:
        return False
    try:
        found = notation.read(call.re_formula)
    except notation.UnreadError:
        return False
    return not (found.intercept or found.terms)


def _check(field: str, formula: str, columns: Sequence[Column]) -> None:
    """Refuse a formula outside the language, on the wrong kind of columns, or too wide for the data."""
    names = [column.name for column in columns]
    numbers = {column.name for column in columns if column.kind in NUMERIC}
    language.check_formula(formula, names)
    for name in sorted(language.numeric_columns(formula, names) - numbers):
        raise FormulaError(f"The formula calculates with {name!r}, which is not a number.")
    if field.startswith("vc_formula") and _is_plain_component(formula, names):
        return  # its levels are codes, not columns: any number of them is cheap
    parts = language.split(formula) if field == "formula" else None
    levels = {column.name: column.levels for column in columns}
    language.check_width(parts.fixed if parts else formula, levels, numbers)
    for random in [bar.covariates for bar in parts.bars] if parts else [formula]:
        language.check_width(random, levels, numbers)
        if field in ("formula", "re_formula"):
            _check_slopes(ModelCall("", "", random), columns)


def _is_plain_component(formula: str, names: Sequence[str]) -> bool:
    """Whether the engine keeps a component as codes: as the widgets have it, or categories crossed alone."""
    if "vc_formula" not in builder.read(ModelCall("", "", None, (("", formula),)), names).unread:
        return True
    try:
        found = notation.read(formula)
    except notation.UnreadError:
        return False
    crossed = len(found.terms) == 1 and not found.intercept
    return crossed and all(f.categorical and f.contrast == "none" for f in found.terms[0])


def _check_slopes(call: ModelCall, columns: Sequence[Column]) -> None:
    """Refuse more correlated coefficients a group than anyone could read or the server bear."""
    chosen = builder.read(call, [column.name for column in columns]).choices
    several = {c.name for c in columns if c.kind != "number"} | set(chosen.categorical)
    known = {c.name: c for c in columns}
    width = sum(
        known[name].levels if name in several else max(1, chosen.shape(name).df)
        for name in chosen.slopes
        if name in known
    )
    if width > MOST_SLOPES:
        raise FormulaError(
            f"The random part gives every group {width:,} coefficients that are correlated with each other; "
            f"{MOST_SLOPES} are the most. Take a slope out, or make it a variance component."
        )


def _name_problems(names: list[str]) -> dict[str, str]:
    """Empty and repeated names of variance components."""
    found: dict[str, str] = {}
    for position, name in enumerate(names):
        if not name.strip():
            found[f"vc_name.{position}"] = "Each variance component needs a name."
        elif name in names[:position]:
            found[f"vc_name.{position}"] = (
                f"Two variance components are named {name!r}; give each its own name."
            )
    return found


# --- the fit -------------------------------------------------------------------------------------


def fit(call: ModelCall, data: Dataset, stop: Callable[[], None] | None = None) -> mixedcore.MixedLMResults:
    """The fit of `call` to `data`, from the cache when anyone has asked for it before.

    stop : what the button does that is shown while a fit takes long; None for no button

    Raises MixedCoreError with a plain sentence when the model is not allowed or cannot be fitted.
    """
    for sentence in problems(call, profiled(data.digest, data.frame)).values():
        raise FormulaError(sentence)
    if len(data.frame) < LARGE:
        outcome = _cached_outcome(call, data.digest, data.frame)
    else:
        place = _large_place(call, data.digest)
        outcome = waiting.filled(place, lambda tell: _outcome(call, data.frame, tell), stop)
    if isinstance(outcome, MixedCoreError):
        raise type(outcome)(str(outcome))
    return outcome


@st.cache_resource(show_spinner="Fitting the model…", max_entries=KEPT_FITS, ttl=KEPT_FOR)
def _cached_outcome(
    call: ModelCall, digest: str, _frame: pd.DataFrame
) -> mixedcore.MixedLMResults | MixedCoreError:
    """One outcome per (call, content of the data); a refusal is kept too, for it cost as much to find.

    The frame is left out of the key because Streamlit samples long frames: `digest` stands for it.
    """
    return _outcome(call, _frame)


@st.cache_resource(show_spinner=False, max_entries=KEPT_LARGE_FITS, ttl=KEPT_FOR)
def _large_place(call: ModelCall, digest: str) -> waiting.Place:
    """Where the same stands for large data; fewer are kept, so that they do not fill the server."""
    return waiting.Place()


def awaits_button(call: ModelCall, data: Dataset) -> bool:
    """Whether fits of large data are held back and this one has not been asked for with the button.

    The cache is not asked: to ask it for a fit that is not there makes room for that one, and so takes one
    of the few that are kept away from everyone.
    """
    return bool(state.shown("model_hold")) and len(data.frame) >= LARGE and call != state.good_call()


def hold_back() -> None:
    """From now on fits wait for the button of the Model page."""
    state.show("model_hold", True)


def _outcome(
    call: ModelCall, frame: pd.DataFrame, tell: waiting.Tell | None = None
) -> mixedcore.MixedLMResults | MixedCoreError:
    try:
        return _fit(call, frame, tell)
    except MixedCoreError as err:
        return err.with_traceback(None)  # the traceback would keep the frame alive


def _fit(call: ModelCall, frame: pd.DataFrame, tell: waiting.Tell | None = None) -> mixedcore.MixedLMResults:
    model = mixedcore.mixedlm(
        call.formula,
        frame,
        re_formula=call.re_formula,
        vc_formula=dict(call.vc_formula) or None,
        missing=call.missing,
        groups=np.ones(len(frame)) if call.one_group else call.groups or None,
        subset=condition.rows(call.subset, frame).to_numpy() if call.subset else None,
        weights=call.weights or None,
        offset=call.offset or None,
        eval_env=language.safe_environment(),
    )
    return model.fit(reml=call.reml, progress=tell)


def fit_or_stop(call: ModelCall, data: Dataset) -> mixedcore.MixedLMResults:
    """The fit; or what prevents it as a plain sentence with the way back, and the end of the run."""
    if awaits_button(call, data):
        st.info(
            "This model is not fitted yet: fits wait for the button (hold is on).", icon=":material/pause:"
        )
        st.page_link("pages/model.py", label="Go to the Fit button", icon=":material/arrow_forward:")
        st.stop()
    try:
        return fit(call, data, hold_back)
    except MixedCoreError as err:
        st.error(f"The model cannot be fitted. {text.escape(err)}", icon=":material/error:")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link("pages/model.py", label="Change the model", icon=":material/tune:")
            _offer_last_model(call)
        _offer_rows_back()
        st.stop()


def _offer_last_model(call: ModelCall) -> None:
    """The way back to the last model that could be fitted."""
    last = state.good_call()
    if last is not None and last != call:
        st.button(
            "Go back to the last model that worked",
            key="last_model",
            icon=":material/undo:",
            on_click=state.set_call,
            args=(last,),
        )


def _offer_rows_back() -> None:
    """Where rows are left out, perhaps the model cannot be fitted without them."""
    left_out = len(state.exclusions())
    if left_out:
        st.button(
            "Take the row left out back" if left_out == 1 else f"Take all {left_out:,} rows left out back",
            key="offer_rows_back",
            icon=":material/undo:",
            on_click=state.set_exclusions,
            args=((),),
            help="The model may be one that cannot be fitted without them.",
        )


def current_fit_or_stop() -> mixedcore.MixedLMResults:
    """The fit of the model now chosen; an invitation to the page that is missing when there is none."""
    data = invitation.data_or_stop()
    call = state.call()
    if call is None:
        st.info("No model has been chosen for these data yet.", icon=":material/tune:")
        st.page_link("pages/model.py", label="Choose a model", icon=":material/arrow_forward:")
        st.stop()
    return fit_or_stop(call, data)
