"""New columns from one column of numbers: logarithm, root, power, standardised, centred. Pure.

Group means and deviations from them split a predictor into what differs between groups and what differs
within (Enders & Tofighi 2007, Psychological Methods 12, 121–138).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from pages.ui.data.recipe.step import (
    LEAST_VALUES,
    Step,
    StepError,
    called,
    cell,
    column,
    finite,
    floats,
    literal,
    numeric,
    rows,
    several,
    shown,
    with_column,
)

How = Literal["log", "log10", "log2", "log1p", "sqrt", "power"]
IN_WORDS: dict[How, str] = {
    "log": "the natural logarithm of",
    "log10": "the logarithm to base 10 of",
    "log2": "the logarithm to base 2 of",
    "log1p": "the natural logarithm of 1 +",
    "sqrt": "the square root of",
    "power": "a power of",
}
NUMPY = "import numpy as np"


@dataclass(frozen=True, slots=True)
class Transform(Step):
    """`new` = how(column + shift); `power` is the exponent where `how` is 'power'."""

    kind: ClassVar[str] = "transform"
    column: str
    new: str
    how: How
    shift: float = 0.0
    power: float = 2.0

    def describe(self) -> str:
        """The new column in words."""
        inner = called(self.column)
        if self.shift:
            sign, size = "+" if self.shift > 0 else "−", shown(abs(self.shift))
            inner = f"({inner} {sign} {size})"
        if self.how == "power":
            exponents = {2.0: "the square of {}", 3.0: "the cube of {}", -1.0: "1 divided by {}"}
            words = exponents.get(self.power, "{} to the power of " + shown(self.power))
            return f"New column {called(self.new)}: {words.replace('{}', inner)}."
        return f"New column {called(self.new)}: {IN_WORDS[self.how]} {inner}."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column, when every value has a result."""
        values = numeric(frame, self.column)
        shifted = values + self.shift
        self._check(shifted)
        with np.errstate(all="ignore"):
            result = self._computed(shifted)
        return with_column(frame, self.new, finite(result, values, self.column))

    def _computed(self, x: pd.Series) -> pd.Series:
        if self.how == "power":
            return x**self.power
        function = {"log": np.log, "log10": np.log10, "log2": np.log2, "log1p": np.log1p, "sqrt": np.sqrt}
        result: pd.Series = function[self.how](x)
        return result

    def _check(self, x: pd.Series) -> None:
        """Refuse values without a result, with their number and a way on."""
        inside = called(self.column) + (f" + {shown(self.shift)}" if self.shift else "")
        if self.how in ("log", "log10", "log2", "log1p"):
            least, edge = (-1.0, "−1") if self.how == "log1p" else (0.0, "0")
            count = int((x <= least).sum())
            if count:
                raise StepError(
                    f"{inside} is {edge} or below in {rows(count)} (the smallest is {least_of(x)}), and a "
                    "logarithm needs more than that. Add a constant first, log(x + c), or filter."
                )
        elif self.how == "sqrt" or (self.how == "power" and not self.power.is_integer()):
            count = int((x < 0).sum())
            if count:
                raise StepError(
                    f"{inside} is negative in {rows(count)} (the smallest is {least_of(x)}), and "
                    "has no such root there. Add a constant first, or filter."
                )
        if self.how == "power" and self.power < 0 and (x == 0).any():
            raise StepError(f"{inside} is 0 in {rows(int((x == 0).sum()))}, and nothing is divided by 0.")

    def lines(self) -> tuple[str, ...]:
        """The NumPy function of the same name."""
        x = floats(self.column) + (f" + {literal(self.shift)}" if self.shift else "")
        if self.how == "power":
            return (f"{cell(self.new)} = ({x}) ** {literal(self.power)}",)
        return NUMPY, f"{cell(self.new)} = np.{self.how}({x})"


def least_of(values: pd.Series) -> str:
    """The smallest value, in a sentence."""
    return shown(float(values.min()))


def shift_for(values: pd.Series) -> float:
    """A round constant c for log(x + c): the smallest value plus c is about 1."""
    least = float(values.min())
    return 1.0 if least >= 0 else float(math.ceil(1 - least))


@dataclass(frozen=True, slots=True)
class Standardise(Step):
    """`new` = (column − mean) / SD, with n − 1 in the SD."""

    kind: ClassVar[str] = "standardise"
    column: str
    new: str

    def describe(self) -> str:
        """The new column in words."""
        return f"New column {called(self.new)}: {called(self.column)} standardised (mean 0, SD 1)."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column, when the values differ."""
        values = numeric(frame, self.column)
        if not values.min() < values.max():
            raise StepError(f"To be standardised, {called(self.column)} needs {LEAST_VALUES}.")
        result = (values - values.mean()) / values.std()
        return with_column(frame, self.new, finite(result, values, self.column))

    def lines(self) -> tuple[str, ...]:
        """Mean and SD over all rows."""
        x = floats(self.column)
        return (f"{cell(self.new)} = ({x} - {x}.mean()) / {x}.std()",)


@dataclass(frozen=True, slots=True)
class Centre(Step):
    """`new` = column − its mean over all rows, or − `at`."""

    kind: ClassVar[str] = "centre"
    column: str
    new: str
    at: float | None = None

    def describe(self) -> str:
        """The new column in words."""
        where = "its mean (grand mean)" if self.at is None else shown(self.at)
        return f"New column {called(self.new)}: {called(self.column)} centred at {where}."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column."""
        values = numeric(frame, self.column)
        result = values - (values.mean() if self.at is None else self.at)
        return with_column(frame, self.new, finite(result, values, self.column))

    def lines(self) -> tuple[str, ...]:
        """A subtraction."""
        x = floats(self.column)
        return (f"{cell(self.new)} = {x} - {f'{x}.mean()' if self.at is None else f'({literal(self.at)})'}",)


@dataclass(frozen=True, slots=True)
class GroupMean(Step):
    """`new` = the mean of the column in the row's group; groups are told apart by all of `groups`."""

    kind: ClassVar[str] = "group_mean"
    column: str
    new: str
    groups: tuple[str, ...]

    def describe(self) -> str:
        """The new column in words."""
        return (
            f"New column {called(self.new)}: the mean of {called(self.column)} in each group of "
            f"{several(self.groups)} (between groups)."
        )

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column; missing where the group is."""
        values = numeric(frame, self.column)
        means = group_means(values, frame, self.groups)
        return with_column(frame, self.new, finite(means, means, self.column))

    def lines(self) -> tuple[str, ...]:
        """A transform by group."""
        return (f"{cell(self.new)} = {_means(self.column, self.groups)}",)


@dataclass(frozen=True, slots=True)
class GroupCentre(Step):
    """`new` = column − its mean in the row's group."""

    kind: ClassVar[str] = "group_centre"
    column: str
    new: str
    groups: tuple[str, ...]

    def describe(self) -> str:
        """The new column in words."""
        return (
            f"New column {called(self.new)}: {called(self.column)} minus its mean in each group of "
            f"{several(self.groups)} (within groups)."
        )

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column; missing where the group is."""
        values = numeric(frame, self.column)
        return with_column(frame, self.new, values - group_means(values, frame, self.groups))

    def lines(self) -> tuple[str, ...]:
        """A transform by group, taken off."""
        return (f"{cell(self.new)} = {floats(self.column)} - {_means(self.column, self.groups)}",)


def group_means(values: pd.Series, frame: pd.DataFrame, groups: tuple[str, ...]) -> pd.Series:
    """The mean of each row's group."""
    if not groups:
        raise StepError("Choose the column that says which group a row belongs to.")
    keys = [column(frame, name) for name in groups]
    means: pd.Series = values.groupby(keys, observed=True).transform("mean")
    return means


def _means(name: str, groups: tuple[str, ...]) -> str:
    keys = ", ".join(cell(group) for group in groups)
    return f'{floats(name)}.groupby([{keys}], observed=True).transform("mean")'
