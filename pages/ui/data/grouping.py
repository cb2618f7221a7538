"""The nesting check: how columns group the rows, drawn and in words, and the model that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import display, drawn, fitting, state
from pages.ui.charts import Chart, Ink
from pages.ui.charts import nesting as drawing
from pages.ui.data import nesting, nesting_model, nesting_words
from pages.ui.data.dataset import Dataset
from pages.ui.data.nesting import Structure
from pages.ui.data.nesting_model import SAME, Answers, Plan
from pages.ui.model import changes
from pages.ui.model.modelcall import ModelCall
from pages.ui.text import escape, one_line, shorten

MOST_COLUMNS = 5
CHOICE = "nesting_columns"
Key = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...], tuple[str, ...]]
"""Digest of the data, columns in order, answers, predictors: what a plan depends on."""


def show(data: Dataset) -> None:
    """The check of the columns that look like groups, or of those chosen."""
    st.header("How the rows are grouped", anchor=False)
    columns = fitting.profiled(data.digest, data.frame)
    able = nesting_model.possible(columns)
    if not able:
        st.caption("No column has labels that could group the rows.")
        return
    call = state.call()
    names = _chosen(able, nesting_model.suggested(columns, call))
    if not names:
        st.caption("Choose the columns whose labels say which rows belong together.")
        return
    top = nesting_model.top_of(call, columns)
    structure = _examined(data.digest, tuple(names), top if top in names else "", data)
    fixed = nesting_model.predictors(call, [column.name for column in columns])
    left, right = st.columns([5, 6], gap="large")
    with left:
        answers = _answers(structure, nesting_model.answers_of(call, structure, fixed), fixed)
        key = (data.digest, structure.names, tuple(answers.items()), fixed)
        plan, tree = _planned(key, structure)
        _say(structure, answers, plan)
        _use(structure, answers, plan)
    _draw(structure, answers, tree, key, right)


@st.cache_data(max_entries=32, ttl="2h", show_spinner="Comparing the labels…")
def _examined(digest: str, names: tuple[str, ...], top: str, _data: Dataset) -> Structure:
    return nesting.examine(_data.frame, names, top)


@st.cache_data(max_entries=32, ttl="2h", show_spinner=False)
def _planned(key: Key, _structure: Structure) -> tuple[Plan, pd.DataFrame | None]:
    """The levels for a model, and the nested ones among them with their rows; None without any."""
    plan = nesting_model.plan(_structure, dict(key[2]), key[3])
    levels = nesting_model.chain(_structure, plan)
    return plan, nesting_model.tree(_structure, levels) if len(levels) > 1 else None


def _chosen(able: Sequence[str], suggested: Sequence[str]) -> list[str]:
    """The columns to look at: those suggested until others are chosen for these data.

    When other columns can be groups, as after a reshape, what was chosen is chosen anew.
    """
    key = f"{CHOICE}_{state.serial()}_{crc32(repr(able).encode('utf-8', 'surrogatepass'))}"
    return st.multiselect(
        "Columns to compare",
        able,
        default=[name for name in suggested if name in able],
        key=key,
        persist_state="session",
        max_selections=MOST_COLUMNS,
        format_func=one_line,
        placeholder="Choose columns with labels",
        help="Schools and classes, patients and visits, raters and items: columns whose labels come again. "
        "Found out is which lie within which (nested), which meet each other (crossed), and where the same "
        "label may mean different things.",
    )


# --- the label trap ------------------------------------------------------------------------------


def _answers(structure: Structure, modelled: Answers, fixed: Sequence[str]) -> dict[str, str]:
    """What each column's recurring labels mean: as answered here, as the model has it, else unknown."""
    found: dict[str, str] = {}
    for name in structure.names:
        groups = [g for g in structure.open(name) if not structure.factor(g).names_rows]
        if not groups or structure.factor(name).names_rows:
            continue
        known = modelled.get(name, SAME if nesting_model.harmless(structure, name) else None)
        doubts = [nesting.recurrence(structure, name, group) for group in groups]
        doubts = [each for each in doubts if each.doubtful]
        answer = _ask(name, groups, doubts, known) if doubts and name not in fixed else known
        if answer is not None:
            found[name] = answer
    return found


def _ask(
    name: str, groups: Sequence[str], doubts: Sequence[nesting.Recurrence], known: str | None
) -> str | None:
    """The question of one column, its evidence, and the answers as buttons."""
    key = f"nesting_answer_{state.serial()}_{name}"
    with st.container(border=True, gap="small"):
        for found in doubts:
            st.markdown(f":material/help: {nesting_words.question(found)} {nesting_words.evidence(found)}")
        options = [SAME, *groups]
        answer: str | None = st.segmented_control(
            f"What a label of {escape(shorten(name, 30))} means",
            options,
            default=known if known in options else None,
            format_func=lambda choice: nesting_words.answer(name, choice),
            key=key,
            persist_state="session",
            help="This is the label trap: when class 7A of one school and class 7A of another are taken for "
            "one class, what classes differ by is put in the wrong place. The labels alone cannot tell; you "
            "know where they come from.",
        )
    return answer


# --- in words and in the model -------------------------------------------------------------------


def _say(structure: Structure, answers: Answers, plan: Plan) -> None:
    lines = [nesting_words.sizes(factor) for factor in structure.factors]
    lines += list(nesting_words.relations(structure, answers))
    lines += list(nesting_words.left_out(plan))
    st.markdown("\n".join(f"- {line}" for line in lines))


def _use(structure: Structure, answers: Answers, plan: Plan) -> None:
    """What the model would be, and the button that makes it so."""
    waiting = nesting_model.unanswered(structure, answers)
    if waiting:
        st.caption("Answer the question above; then the model can follow the structure.")
        return
    st.markdown(nesting_words.consequence(plan))
    data, call = state.data(), state.call() or changes.first_call()
    if not plan.units or call is None or data is None:
        return
    wanted = nesting_model.apply(plan, call, [str(name) for name in data.frame.columns])
    with st.container(horizontal=True, vertical_alignment="center"):
        if wanted == state.call():
            st.markdown(":material/check_circle: The model has this structure.")
        else:
            st.button(
                "Use this structure in the model",
                key="nesting_use",
                type="primary",
                icon=":material/account_tree:",
                on_click=_take,
                args=(wanted,),
            )
        st.page_link("pages/model.py", label="See the model", icon=":material/tune:")


def _take(wanted: ModelCall) -> None:
    state.set_remark("")
    state.set_call(wanted)


def _draw(
    structure: Structure, answers: Answers, tree: pd.DataFrame | None, key: Key, beside: DeltaGenerator
) -> None:
    """Nested groups as boxes, crossed ones as a matrix; a single grouping by its sizes.

    beside : the column beside the words; a second picture lies below both, at full width
    """
    ink = display.ink()
    crossed = nesting_model.crossed_pair(structure, answers)
    if tree is not None:
        boxes = drawn.once(lambda: drawing.nested_boxes(tree, ink=ink), "boxes", *key, ink)
        with beside:
            display.chart(boxes, "nesting_boxes")
    if crossed is not None:
        matrix = drawn.once(lambda: _matrix(structure, *crossed, ink), "matrix", *key, ink)
        with beside if tree is None else st.container():
            display.chart(matrix, "nesting_matrix")
    if tree is None and crossed is None:
        factor = next((f for f in structure.factors if not f.names_rows), structure.factors[0])
        sizes = drawn.once(
            lambda: drawing.group_sizes(factor.sizes, factor.labels, factor.name, ink=ink), "sizes", *key, ink
        )
        with beside:
            display.chart(sizes, "nesting_sizes")


def _matrix(structure: Structure, inner: str, outer: str, ink: Ink) -> Chart:
    pair = structure.pairs[inner, outer]
    one, other = structure.factor(inner), structure.factor(outer)
    return drawing.crossing(
        pair.one,
        pair.other,
        pair.count,
        (one.labels, other.labels),
        (inner, outer),
        ink=ink,
    )
