"""What Explore looks at: outcome, predictor and groups, first as the model has them; and the null model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.ui import fitting, state
from pages.ui.charts.base import Floats
from pages.ui.data.dataset import Dataset
from pages.ui.explore import groups
from pages.ui.explore.groups import Explored, Lines
from pages.ui.model import builder, roles
from pages.ui.model.choices import Choices
from pages.ui.model.modelcall import ModelCall
from pages.ui.model.notation import Factor
from pages.ui.model.roles import Column
from pages.ui.text import one_line

NONE = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The columns to look at; `predictor` may be ''."""

    outcome: str
    predictor: str
    group: str


def ask(data: Dataset) -> Asked | None:
    """The three choices; None, with a sentence, when the data have no outcome or no groups."""
    columns = fitting.profiled(data.digest, data.frame)
    outcomes = [c.name for c in columns if not roles.not_outcome(c)]
    able = [c.name for c in columns if not roles.not_group(c)]
    if not outcomes or not able:
        lacking = "a group, whose labels repeat" if outcomes else "an outcome, a number that differs by row"
        st.warning(f"No column of these data can be {lacking}.", icon=":material/info:")
        st.page_link("pages/data.py", label="Go to Data", icon=":material/table_chart:")
        return None
    first = _first(columns)
    with st.grid(3, min_column_width=180):
        outcome = _choice("Outcome", outcomes, first.outcome, "What is to be explained.")
        group = _choice("Groups", able, first.groups, "Labels that say which rows belong together.")
        offered = [c.name for c in columns if not roles.not_predictor(c) and c.name not in (outcome, group)]
        offered = [n for n in offered if _few_places(columns, n)]
        wanted = next((name for name in (*first.slopes, *first.fixed) if name in offered), NONE)
        predictor = _choice(
            "Predictor",
            [NONE, *offered],
            wanted,
            "Each group's own line over it is drawn; a category joins the means of its levels.",
        )
    return Asked(outcome, predictor, group)


def _few_places(columns: Sequence[Column], name: str) -> bool:
    column = next(c for c in columns if c.name == name)
    return column.kind == "number" or column.levels <= roles.MOST_CODES


def _choice(label: str, options: list[str], first: str, explanation: str) -> str:
    chosen = st.selectbox(
        label,
        options,
        index=options.index(first) if first in options else 0,
        format_func=lambda name: one_line(name) or "None",
        key=f"explore_{label.lower()}_{state.serial()}",
        persist_state="session",
        help=explanation,
    )
    return chosen or ""


def _first(columns: Sequence[Column]) -> Choices:
    """The model's outcome, groups and predictors, or those that a new table starts from."""
    call = state.call()
    guess = roles.guess(columns) or Choices("")
    if call is None:
        return guess
    chosen = builder.read(call, [column.name for column in columns]).choices
    inner = next((row.column for row in chosen.components if row.kind == "factor"), guess.groups)
    return Choices(
        chosen.outcome or guess.outcome, chosen.fixed, groups=chosen.groups or inner, slopes=chosen.slopes
    )


@st.cache_data(max_entries=16, ttl="2h", show_spinner="Looking at the groups…")
def _explored(digest: str, asked: Asked, _data: Dataset) -> Explored:
    return groups.explored(_data.frame, asked.outcome, asked.predictor, asked.group)


def rows(data: Dataset, asked: Asked) -> Explored:
    """The rows by group, once for the same data and choices."""
    return _explored(data.digest, asked, data)


@st.cache_data(max_entries=16, ttl="2h", show_spinner=False)
def _summed(digest: str, asked: Asked, _rows: Explored) -> tuple[Floats, Lines | None]:
    return groups.quantiles(_rows), groups.own_lines(_rows) if _rows.numeric else None


def summed(data: Dataset, asked: Asked, found: Explored) -> tuple[Floats, Lines | None]:
    """Quantiles of each group, and the lines over a numeric predictor; once for the same data and choices."""
    return _summed(data.digest, asked, found)


def null_icc(data: Dataset, asked: Asked) -> float:
    """The intraclass correlation of the null model of the outcome by group. Raises MixedCoreError."""
    call = ModelCall(f"{Factor(asked.outcome)} ~ 1", asked.group)
    found = fitting.fit(call, data).icc()
    return float(found.loc[found["group"] != "Residual", "icc"].sum())
