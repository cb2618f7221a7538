"""What the widgets of the Model page are drawn from; each shows the present call and writes a new one.

The call in the session is the only truth: widgets are set from it before they are drawn, so formulas typed
by hand move the widgets and the widgets move the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import state, text
from pages.ui.data.dataset import Dataset
from pages.ui.model import changes as changes
from pages.ui.model.builder import Part, Reading
from pages.ui.model.choices import Choices, columns
from pages.ui.model.roles import Column

TYPED: dict[Part, str] = {
    "formula": "Outcome and predictors are used as you typed them.",
    "re_formula": "What differs between groups is used as you typed it.",
    "vc_formula": "The variance components are used as you typed them.",
    "bars": "The random effects in bars are used as you typed them.",
}
SEVERAL = {
    "is a date": "are dates",
    "is a measured number": "are measured numbers",
    "is ": "are ",
    "has ": "have ",
}
"""How a reason begins that holds for several columns."""
AS_TYPED = "As typed in the formula"


@dataclass(frozen=True, slots=True)
class Form:
    """What the widgets are drawn from."""

    reading: Reading
    columns: tuple[Column, ...]
    data: Dataset

    @property
    def choices(self) -> Choices:
        return self.reading.choices

    def locked(self, part: Part) -> bool:
        """Whether a part was typed in a way that widgets cannot show."""
        return part in self.reading.unread

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)


def options(form: Form, reason: Callable[[Column], str], chosen: Sequence[str], taken: set[str]) -> list[str]:
    """Names of the columns without a reason against them and not taken, and whatever is chosen already."""
    able = [column.name for column in form.columns if not reason(column) and column.name not in taken]
    return [*able, *(name for name in chosen if name not in able)]


def not_offered(form: Form, reason: Callable[[Column], str], role: str) -> None:
    """Say which columns are left out, and why; those with another role in the model explain themselves."""
    chosen = form.choices
    in_use = columns(chosen)
    why: dict[str, list[str]] = {}
    for column in form.columns:
        if column.name not in in_use and (clause := reason(column)):
            why.setdefault(clause, []).append(column.name)
    if why:
        said = [f"{text.listing(names, 4)} {_of(clause, len(names))}" for clause, names in why.items()]
        st.caption(f"Not offered as {role}: {'; '.join(said)}.")


def _of(clause: str, columns_: int) -> str:
    """A reason of `roles` as it is said of so many columns."""
    if columns_ == 1:
        return clause
    one = next(one for one in SEVERAL if clause.startswith(one))
    return SEVERAL[one] + clause.removeprefix(one)


def explain_lock(form: Form, part: Part) -> None:
    """Why the widgets of a part are greyed, and the way back."""
    if not form.locked(part):
        return
    with st.container(border=True):
        st.markdown(f"{TYPED[part]} {text.escape(form.reading.unread[part])}")
        st.button(
            "Use the widgets again",
            key=f"model_unlock_{part}",
            icon=":material/undo:",
            on_click=changes.unlock,
            args=(part,),
            help="Puts back what the widgets last showed here; your text for this part goes away.",
        )


def chooser(field: str, value: object) -> dict[str, Any]:
    """Key and callback of the widget for one field of the choices, showing `value`."""
    key = state.show(f"model_{field}", value)
    return {"key": key, "on_change": changes.choose, "args": (field, key)}
