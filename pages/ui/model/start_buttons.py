"""Buttons that lead to a standard model in one click, and the size of the present one against the data."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui import state, text
from pages.ui.model import changes as changes
from pages.ui.model import roles, selected, size, starting, support
from pages.ui.model.choices import Block, Choices, as_blocks
from pages.ui.model.form import Form
from pages.ui.model.random_part import merged


def buttons(form: Form) -> None:
    """Start from the null model, random intercepts, or all random slopes."""
    locked = any(form.locked(part) for part in ("formula", "re_formula", "vc_formula", "bars"))
    slopes = bool(form.choices.fixed) and bool(form.choices.groups or random_part(form))
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="model_start"):
        st.caption("Start from", width="content")
        st.button(
            "Null model",
            key="model_start_null",
            type="tertiary",
            disabled=locked,
            on_click=_null,
            help="No predictors: its intraclass correlation (ICC) says which share of the variance lies "
            "between groups. Snijders & Bosker (2012), section 4.3.",
        )
        st.button(
            "Random intercept",
            key="model_start_intercept",
            type="tertiary",
            disabled=locked,
            on_click=_intercepts,
            help="The predictors as chosen; groups differ in their level, not in effects.",
        )
        st.button(
            "Maximal",
            key="model_start_maximal",
            type="tertiary",
            disabled=locked or not slopes,
            on_click=_maximal,
            args=(form,),
            help="Every predictor that varies within groups also gets a random slope, as far as the data "
            "have room. Barr et al. (2013), J. Mem. Lang. 68(3)."
            if slopes
            else "Choose predictors and groups first: their effects then may differ between groups.",
        )


def _null() -> None:
    changes.apply(starting.null)
    state.set_remark("The null model: its ICC, below, is the share of the variance that lies between groups.")


def _intercepts() -> None:
    changes.apply(starting.intercepts)


def _maximal(form: Form) -> None:
    levels = level_counts(form)
    rows = len(form.data.frame)
    choices = form.choices
    if choices.components and random_part(form):  # inner and crossed groups have slopes as well
        choices = replace(choices, blocks=random_part(form))
    new, reasons = starting.maximal(
        choices,
        lambda path: support.varying(form.data, form.choices.fixed, path),
        lambda path: (rows - 1) // max(support.levels(form.data, path), 1),
        levels,
    )
    changes.apply(lambda _: new)
    said = [f"{text.escape(text.shorten(name))} {why}" for name, why in reasons.items()]
    if said:
        state.set_remark(f"Without a random slope: {'; '.join(said)}.")


def level_counts(form: Form) -> dict[str, int]:
    """The columns that make a coefficient a level in this model, with how many levels they have."""
    texts = {*roles.texts(form.columns), *form.choices.categorical}
    return {column.name: column.levels for column in form.columns if column.name in texts}


def show_size(form: Form) -> None:
    """The number of parameters against the rows and groups in use, and a caution when there are too many."""
    choices: Choices = form.choices
    blocks = random_part(form)
    if form.reading.unread or not blocks:
        return
    form = selected.of(form)
    levels, rows = level_counts(form), len(form.data.frame)
    named = [(_plural(block), support.levels(form.data, block.factor)) for block in blocks]
    groups = list(dict.fromkeys(named))
    st.caption(size.sentence(size.of(choices, blocks, levels), rows, groups))
    said = size.caution(choices, blocks, levels, rows, lambda path: support.levels(form.data, path))
    if said:
        st.caption(f":material/warning: {said}")


def _plural(block: Block) -> str:
    return f"groups ({' in '.join(text.shorten(name, 24) for name in reversed(block.factor))})"


def random_part(form: Form) -> tuple[Block, ...]:
    """What differs between groups as blocks; nothing where a component has no equal among them."""
    if form.choices.blocks:
        return form.choices.blocks
    blocks, lost = as_blocks(form.choices, roles.texts(form.columns))
    return () if lost else merged(blocks)
