"""The equations of the model that a form shows, with what they must know of the data."""

from __future__ import annotations

from pages.ui.model import roles, start_buttons, support
from pages.ui.model.choices import Block
from pages.ui.model.equations import Equations, equations
from pages.ui.model.form import Form
from pages.ui.model.levels import Facts

NONE = "Equations are drawn for models that the widgets can show and that have groups."


def of(form: Form) -> Equations | None:
    """The model in mathematics; None, which `NONE` explains, where the widgets cannot express it."""
    blocks = start_buttons.random_part(form)
    if form.reading.unread or not blocks:
        return None
    return equations(form.choices, blocks, _facts(form, blocks))


def _facts(form: Form, blocks: tuple[Block, ...]) -> Facts:
    data, names = form.data, form.choices.predictors
    constant = {
        block.factor: frozenset(names) - support.varying(data, names, block.factor) for block in blocks
    }

    def nested(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
        return support.levels(data, inner) == support.levels(data, (*inner, *outer)) and (
            support.levels(data, outer) < support.levels(data, inner)
        )

    return Facts(frozenset(roles.texts(form.columns)), constant, nested)
