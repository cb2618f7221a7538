"""New columns from two columns, from dates, and from the row before. Pure; nothing typed is evaluated."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from pages.ui.data.recipe.step import (
    Step,
    StepError,
    called,
    cell,
    column,
    dates,
    finite,
    floats,
    literal,
    numeric,
    rows,
    several,
    shown,
    with_column,
)

Sign = Literal["+", "-", "*", "/"]
SIGNS: dict[Sign, str] = {"+": "+", "-": "−", "*": "×", "/": "÷"}
OPERATIONS: dict[Sign, Callable[[pd.Series, pd.Series | float], pd.Series]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Combine(Step):
    """`new` = left sign right; `right` is a column's name, or a number."""

    kind: ClassVar[str] = "combine"
    left: str
    sign: Sign
    right: str | float
    new: str

    def describe(self) -> str:
        """The calculation in words."""
        right = called(self.right) if isinstance(self.right, str) else shown(self.right)
        return f"New column {called(self.new)}: {called(self.left)} {SIGNS[self.sign]} {right}."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column, when every row has a result."""
        left = numeric(frame, self.left)
        right = numeric(frame, self.right) if isinstance(self.right, str) else self.right
        if self.sign == "/":
            zeros = int(np.sum(left.notna() & (right == 0)))
            if zeros:
                raise StepError(f"{rows(zeros).capitalize()} would be divided by 0. Filter them out first.")
        with np.errstate(all="ignore"):
            result = OPERATIONS[self.sign](left, right)
        known = left if isinstance(right, float) else left + right
        return with_column(frame, self.new, finite(result, known, self.new))

    def lines(self) -> tuple[str, ...]:
        """The same sign in Python."""
        right = floats(self.right) if isinstance(self.right, str) else f"({literal(self.right)})"
        return (f"{cell(self.new)} = {floats(self.left)} {self.sign} {right}",)


@dataclass(frozen=True, slots=True)
class Days(Step):
    """`new` = days since the first date: of all rows, or of the row's group."""

    kind: ClassVar[str] = "days"
    column: str
    new: str
    groups: tuple[str, ...] = ()

    def describe(self) -> str:
        """The new column in words."""
        whose = f" of each group of {several(self.groups)}" if self.groups else ""
        return f"New column {called(self.new)}: days in {called(self.column)} since the first date{whose}."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column; missing where the date is."""
        when = dates(frame, self.column)
        if when.notna().sum() == 0:
            raise StepError(f"{called(self.column)} has no date at all.")
        keys = [column(frame, name) for name in self.groups]
        first = when.groupby(keys, observed=True).transform("min") if keys else when.min()
        return with_column(frame, self.new, (when - first).dt.total_seconds() / SECONDS_A_DAY)

    def lines(self) -> tuple[str, ...]:
        """Seconds over seconds a day."""
        when, keys = cell(self.column), ", ".join(cell(name) for name in self.groups)
        first = f'{when}.groupby([{keys}], observed=True).transform("min")' if keys else f"{when}.min()"
        return (f"{cell(self.new)} = ({when} - {first}).dt.total_seconds() / {SECONDS_A_DAY}",)


@dataclass(frozen=True, slots=True)
class Lag(Step):
    """`new` = the column's value in the row before, within the group, in the order of `order`."""

    kind: ClassVar[str] = "lag"
    column: str
    new: str
    groups: tuple[str, ...]
    order: str

    def describe(self) -> str:
        """The new column in words."""
        return (
            f"New column {called(self.new)}: the value of {called(self.column)} one row before, within "
            f"{several(self.groups)}, in the order of {called(self.order)}."
        )

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column; missing in the first row of each group."""
        if not self.groups:
            raise StepError("Choose the column that says which rows belong together.")
        for name in (*self.groups, self.order):
            column(frame, name)
        values = numeric(frame, self.column)
        before = frame[self._keys()].assign(**{self.column: values}).sort_values(self.order, kind="stable")
        shifted = before.groupby(list(self.groups), observed=True)[self.column].shift()
        return with_column(frame, self.new, shifted)

    def _keys(self) -> list[str]:
        """The columns to sort and group by, each once."""
        return list(dict.fromkeys([*self.groups, self.order]))

    def lines(self) -> tuple[str, ...]:
        """A shift by group after sorting."""
        values = f"{{{literal(self.column)}: {floats(self.column)}}}"
        return (
            f"before = data[{literal(self._keys())}].assign(**{values})",
            f'before = before.sort_values({literal(self.order)}, kind="stable")',
            f"{cell(self.new)} = before.groupby({literal(self.groups)}, observed=True)"
            f"[{literal(self.column)}].shift()",
        )
