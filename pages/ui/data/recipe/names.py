"""Columns renamed or left out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from pages.ui.data.recipe.step import Step, StepError, called, check_new, column, literal, several


@dataclass(frozen=True, slots=True)
class Rename(Step):
    """The column `column` is called `new` from here on."""

    kind: ClassVar[str] = "rename"
    column: str
    new: str

    def describe(self) -> str:
        """Both names."""
        return f"Column {called(self.column)} renamed {called(self.new)}."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The same columns with one other name."""
        column(frame, self.column)
        check_new(frame, self.new)
        return frame.rename(columns={self.column: self.new})

    def lines(self) -> tuple[str, ...]:
        """`rename`."""
        return (f"data = data.rename(columns={literal({self.column: self.new})})",)


@dataclass(frozen=True, slots=True)
class Drop(Step):
    """These columns are left out."""

    kind: ClassVar[str] = "drop"
    columns: tuple[str, ...]

    def describe(self) -> str:
        """The columns."""
        return f"Column{'s' if len(self.columns) > 1 else ''} {several(self.columns)} left out."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The other columns; refused when none would be left."""
        if not self.columns:
            raise StepError("Choose at least one column.")
        for name in self.columns:
            column(frame, name)
        if set(self.columns) >= set(frame.columns):
            raise StepError("These are all columns; at least one has to stay.")
        return frame.drop(columns=list(self.columns))

    def lines(self) -> tuple[str, ...]:
        """`drop`."""
        return (f"data = data.drop(columns={literal(self.columns)})",)
