"""Steps from the chosen model with their likelihood-ratio tests, each fitted once for the same data."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import streamlit as st

from mixedcore import MixedLMResults, compare
from mixedcore.errors import MixedCoreError
from pages.ui import fitting
from pages.ui.compare.comparing import as_ml
from pages.ui.data import nesting, nesting_model
from pages.ui.data.dataset import Dataset
from pages.ui.model import builder, ladder, start_buttons, support
from pages.ui.model.form import Form
from pages.ui.model.ladder import Path, Step, Support
from pages.ui.model.modelcall import ModelCall


@dataclass(frozen=True, slots=True)
class Rung:
    """A step and its test.

    call : the model after the step;  aic : by how much its AIC is above that of the present one
    note : what the p-value is taken from;  trouble : why there is no test, '' when there is one
    """

    step: Step
    call: ModelCall
    df: float = nan
    chisq: float = nan
    p_value: float = nan
    aic: float = nan
    note: str = ""
    trouble: str = ""


def known(form: Form) -> Support:
    """What the steps must know of the data."""
    data, rows = form.data, len(form.data.frame)
    blocks = start_buttons.random_part(form)
    return Support(
        blocks,
        lambda path: support.varying(data, form.choices.predictors, path),
        lambda path: (rows - 1) // max(support.levels(data, path), 1),
        start_buttons.level_counts(form),
        form.columns,
        _grouping(form, [block.factor for block in blocks]),
    )


def _grouping(form: Form, paths: list[Path]) -> tuple[tuple[Path, str], ...]:
    """Columns that look like groups and are none in the model; with those around them where labels recur."""
    data = form.data
    used = {name for path in paths for name in path}
    found: list[tuple[Path, str]] = []
    for name in nesting_model.suggested(form.columns, None):
        if name in used or name == form.choices.outcome or name in form.choices.predictors:
            continue
        if any(support.same_groups(data, path, [name]) for path in paths):
            continue
        path = _path(data.digest, name, paths[0], data)
        found.append((path, support.not_varying_groups(data, path)))
    return tuple(found)


@st.cache_data(max_entries=256, ttl="2h", show_spinner=False)
def _path(digest: str, name: str, outer: Path, _data: Dataset) -> Path:
    """The column alone; inside the groups of `outer` where its labels begin again in each."""
    if len(outer) > 1:
        return (name,)
    structure = nesting.examine(_data.frame, [*outer, name], outer[0])
    return (*outer, name) if name in nesting_model.unanswered(structure, {}) else (name,)


def tested(step: Step, call: ModelCall, form: Form) -> Rung:
    """The step from `call` with its test, or why there is none."""
    after = builder.write(builder.Reading(step.choices, {}), call)
    return _tested(step, call, after, form.data.digest, form.data)


@st.cache_data(max_entries=512, ttl="2h", show_spinner=False)
def _tested(step: Step, call: ModelCall, after: ModelCall, digest: str, _data: Dataset) -> Rung:
    now, then = (as_ml(call), as_ml(after)) if step.part == "fixed" else (call, after)
    try:
        present, other = fitting.fit(now, _data), fitting.fit(then, _data)
        trouble = _incomparable(present, other)
        if trouble:
            return Rung(step, after, trouble=trouble)
        row, note = _compared(present, other)
    except MixedCoreError as err:
        return Rung(step, after, trouble=str(err))
    rising = other.aic - present.aic
    return Rung(step, after, row["df"], row["chisq"], row["p_value"], float(rising), note)


def _incomparable(present: MixedLMResults, other: MixedLMResults) -> str:
    """Why two fits cannot be tested against each other, a sentence; '' when they can."""
    if len(present.fittedvalues) != len(other.fittedvalues):
        return f"it has values in {len(other.fittedvalues):,} of the {len(present.fittedvalues):,} rows only."
    same = len(present.fe_params) == len(other.fe_params) and len(present.theta) == len(other.theta)
    return "it adds nothing: what is in the model already determines it." if same else ""


def _compared(one: MixedLMResults, other: MixedLMResults) -> tuple[dict[str, float], str]:
    """Of the test of the smaller against the larger: df, χ² and p, and what p is taken from."""
    frame = compare(one, other)
    last = frame.iloc[-1]
    note: str = frame.attrs["notes"][-1].rpartition(": ")[2]
    return {name: float(last[name]) for name in ("df", "chisq", "p_value")}, note


def steps(form: Form) -> tuple[list[Step], list[Step], list[Step]]:
    """Steps up, those that the data cannot support, and steps down."""
    facts = known(form)
    larger, refused = ladder.up(form.choices, facts)
    return larger, refused, ladder.down(form.choices, facts)
