"""What the forms that add a step share: the table they work on, keys, names and choices of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.ui import state, text
from pages.ui.data.columns import Kind
from pages.ui.data.recipe.step import kind

NUMBERS: tuple[Kind, ...] = ("number", "yes_no")
LABELS: tuple[Kind, ...] = ("category", "ordered", "yes_no", "number")
WIDE = 300


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A form on the table as it is after the steps there are.

    revision : differs after every step, so that the widgets begin anew
    """

    frame: pd.DataFrame
    revision: int

    def key(self, name: str) -> str:
        """The key of a widget of this form."""
        return f"prepare_{self.revision}_{name}"

    def columns(self, kinds: Sequence[Kind]) -> list[str]:
        """Names of the columns of these kinds."""
        return [str(name) for name in self.frame.columns if kind(self.frame[name]) in kinds]

    def column(self, label: str, kinds: Sequence[Kind], key: str) -> str | None:
        """One column of these kinds; a sentence when there is none."""
        names = self.columns(kinds)
        return st.selectbox(
            label,
            names,
            index=None,
            format_func=text.one_line,
            placeholder="Choose a column" if names else "No column is suited",
            disabled=not names,
            key=self.key(key),
            width=WIDE,
        )

    def groups(
        self, without: str | None, *, label: str = "In the groups of", required: bool = True
    ) -> tuple[str, ...]:
        """The columns that tell groups apart; those of the model are offered first."""
        names = [name for name in self.columns((*LABELS, "date")) if name != without]
        chosen = state.call()
        usual = [chosen.groups] if required and chosen is not None and chosen.groups in names else []
        found = st.multiselect(
            label,
            names,
            default=usual,
            format_func=text.one_line,
            key=self.key(f"groups_{without}"),
            placeholder="Choose one or more" if required else "All rows together",
            help="Choose several where labels repeat: a class 7A in every school is told apart by both.",
            width=WIDE,
        )
        return tuple(found)

    def name(self, default: str, *, label: str = "Name of the new column", key: str = "name") -> str:
        """The name of a new column; a free one is offered."""
        offered = self.free(default)
        typed = st.text_input(label, value=offered, key=self.key(f"{key}_{offered}"), width=WIDE)
        return (typed or "").strip()

    def free(self, name: str) -> str:
        """The name, with a number if there is a column of it."""
        found, number = name, 2
        while found in self.frame.columns:
            found, number = f"{name}_{number}", number + 1
        return found
