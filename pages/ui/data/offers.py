"""What a person would do next with these data, each with a button: codes that mean missing, wide to long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from pages.ui import fitting, state
from pages.ui.data import nesting_model
from pages.ui.data.columns import Column
from pages.ui.data.dataset import Dataset
from pages.ui.data.likely_codes import Likely
from pages.ui.data.recipe.reshape import Lengthen, likely_long
from pages.ui.data.recipe.step import Step
from pages.ui.text import escape, listing

FEWEST_GROUPS = 5
"""A column that groups the rows into so many groups shows that a table is long already."""
WIDE, SCALES = "wide", "scales"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a button says, and what it does."""

    label: str
    act: Callable[..., None]
    arguments: tuple[Any, ...]
    icon: str


def missing_codes() -> tuple[Likely, ...]:
    """Ask about codes that very probably mean missing; gives those asked about."""
    typed = state.typed()
    codes = (
        ()
        if typed is None
        else tuple(e for e in typed.likely if f"value {e.code}" not in state.preparation().declined)
    )
    if not codes:
        return ()
    shown = ", ".join(f"“{escape(each.code)}” ({each.times:,}×)" for each in codes)
    places = listing(dict.fromkeys(name for each in codes for name in each.columns), 4)
    _ask(
        "codes",
        f"**Probably missing values:** {shown} in {places}. They lie far from the other values, or are words "
        "among numbers; counted as values, they distort every estimate.",
        Answer("Treat as missing", _take, (codes,), ":material/check:"),
        "Keep as values",
        *(f"value {each.code}" for each in codes),
    )
    return codes


def _ask(key: str, question: str, yes: Answer, no: str, *declined: str) -> None:
    """A question with two answers; a no is remembered as these offers declined."""
    with st.container(border=True, gap="small", key=f"likely_{key}"):
        st.markdown(f":material/help: {question}")
        with st.container(horizontal=True):
            st.button(yes.label, key=f"take_{key}", on_click=yes.act, args=yes.arguments, icon=yes.icon)
            st.button(no, key=f"keep_{key}", type="tertiary", on_click=_decline, args=declined)


def _take(codes: tuple[Likely, ...]) -> None:
    before = state.choices().missing
    new = (each.code for each in codes if each.code not in before)
    state.set_choices(replace(state.choices(), missing=(*before, *new)))


def _decline(*offers: str) -> None:
    state.set_preparation(state.preparation().declining(*offers))


def scales(columns: Sequence[Column], set_kinds: Callable[[list[str], str], None]) -> None:
    """Offer to put the answers of usual scales in their order, all columns at once."""
    found = {c.name: c.offer[1] for c in columns if c.offer is not None and c.offer[0] == "ordered"}
    if not found or SCALES in state.preparation().declined:
        return
    orders = "; ".join(escape(order) for order in list(dict.fromkeys(found.values()))[:3])
    hold = "holds" if len(found) == 1 else "hold"
    _ask(
        SCALES,
        f"**{listing(found, 4)}** {hold} answers of a scale: {orders}. As text they have the order of the "
        "alphabet, in tables and in what a model compares them with.",
        Answer("Order the answers", set_kinds, (list(found), "ordered"), ":material/sort:"),
        "Leave as text",
        SCALES,
    )


def wide_table(data: Dataset) -> None:
    """Offer to make a table long that has a row a person, with a column a time."""
    if WIDE in state.preparation().declined or any(isinstance(step, Lengthen) for step in state.recipe()):
        return
    step = _likely_long(data)
    if step is None:
        return
    measures = listing(f"{each.columns[0]} … {each.columns[-1]}" for each in step.measures)
    _ask(
        WIDE,
        f"**{measures}** look like the same thing measured {len(step.times)} times, in columns side by side "
        "(wide). A mixed model needs a row a measurement (long).",
        Answer("Make it long", _add, (step,), ":material/table_rows:"),
        "They are different things",
        WIDE,
    )


def _likely_long(data: Dataset) -> Lengthen | None:
    """The step, unless a column groups the rows already."""
    columns = fitting.profiled(data.digest, data.frame)
    grouping = set(nesting_model.suggested(columns, None))
    if any(c.name in grouping and FEWEST_GROUPS <= c.levels <= c.present / 2 for c in columns):
        return None
    return likely_long(data.frame)


def _add(step: Step) -> None:
    state.set_recipe((*state.recipe(), step))
