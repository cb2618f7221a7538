"""Rows that fulfil conditions stay; their labels in the index stay with them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

import numpy as np
import pandas as pd

from pages.ui.data.recipe.categories import as_labels
from pages.ui.data.recipe.step import (
    Step,
    StepError,
    called,
    cell,
    column,
    dates,
    literal,
    rows,
    several,
    shown,
)

PANDAS = "import pandas as pd"


@dataclass(frozen=True, slots=True)
class Between:
    """Numbers from `low` to `high`, ends included; None is no limit. Missing values do not fulfil it."""

    kind: ClassVar[str] = "between"
    column: str
    low: float | None = None
    high: float | None = None

    def words(self) -> str:
        """The condition in words."""
        return _range_words(
            self.column, *(None if end is None else shown(end) for end in (self.low, self.high))
        )

    def fulfilled(self, frame: pd.DataFrame) -> pd.Series:
        """One truth value a row."""
        values = column(frame, self.column)
        if not pd.api.types.is_numeric_dtype(values.dtype):
            raise StepError(f"{called(self.column)} is not a number, so it has no range.")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise StepError(f"The lower limit of {called(self.column)} lies above the upper one.")
        values = values.astype(float)
        return _all(values.notna(), self.low, values.ge, self.high, values.le)

    def expression(self) -> str:
        """The condition in Python."""
        x = f"{cell(self.column)}.astype(float)"
        parts = [] if self.low is None else [f"({x} >= {literal(self.low)})"]
        parts += [] if self.high is None else [f"({x} <= {literal(self.high)})"]
        return " & ".join(parts) or f"{cell(self.column)}.notna()"


@dataclass(frozen=True, slots=True)
class DatesBetween:
    """Dates from the day `first` to the day `last` (2024-12-31), both included; None is no limit."""

    kind: ClassVar[str] = "dates"
    column: str
    first: str | None = None
    last: str | None = None

    def words(self) -> str:
        """The condition in words."""
        return _range_words(self.column, self.first, self.last)

    def fulfilled(self, frame: pd.DataFrame) -> pd.Series:
        """One truth value a row."""
        values = dates(frame, self.column)
        first, after = self._ends()
        if first and after and first >= after:
            raise StepError(f"The first day of {called(self.column)} lies after the last one.")
        return _all(
            values.notna(),
            None if first is None else pd.Timestamp(first),
            values.ge,
            None if after is None else pd.Timestamp(after),
            values.lt,
        )

    def expression(self) -> str:
        """The condition in Python."""
        first, after = self._ends()
        x = cell(self.column)
        parts = [] if first is None else [f"({x} >= pd.Timestamp({literal(first.isoformat())}))"]
        parts += [] if after is None else [f"({x} < pd.Timestamp({literal(after.isoformat())}))"]
        return " & ".join(parts) or f"{x}.notna()"

    def _ends(self) -> tuple[date | None, date | None]:
        """The first day, and the day after the last."""
        try:
            first = None if self.first is None else date.fromisoformat(self.first)
            after = None if self.last is None else date.fromisoformat(self.last) + timedelta(days=1)
        except (ValueError, OverflowError) as err:
            raise StepError("A day is written as year-month-day, such as 2024-12-31.") from err
        return first, after


@dataclass(frozen=True, slots=True)
class OneOf:
    """Labels that are among `levels` (`keep`), or are not. Missing values do not fulfil it."""

    kind: ClassVar[str] = "one_of"
    column: str
    levels: tuple[str, ...]
    keep: bool = True

    def words(self) -> str:
        """The condition in words."""
        many = len(self.levels) > 1
        verb = ("is one of" if many else "is") if self.keep else ("is none of" if many else "is not")
        return f"{called(self.column)} {verb} {several(self.levels)}"

    def fulfilled(self, frame: pd.DataFrame) -> pd.Series:
        """One truth value a row."""
        values = column(frame, self.column)
        if not self.levels:
            raise StepError(f"Choose at least one value of {called(self.column)}.")
        labels = as_labels(values)
        chosen = labels.isin(self.levels)
        return chosen if self.keep else ~chosen & labels.notna()

    def expression(self) -> str:
        """The condition in Python."""
        chosen = f'{cell(self.column)}.astype("str").isin({literal(self.levels)})'
        return chosen if self.keep else f"~{chosen} & {cell(self.column)}.notna()"


@dataclass(frozen=True, slots=True)
class Present:
    """A value is there (`keep`), or is missing."""

    kind: ClassVar[str] = "present"
    column: str
    keep: bool = True

    def words(self) -> str:
        """The condition in words."""
        return f"{called(self.column)} is {'not missing' if self.keep else 'missing'}"

    def fulfilled(self, frame: pd.DataFrame) -> pd.Series:
        """One truth value a row."""
        values = column(frame, self.column)
        return values.notna() if self.keep else values.isna()

    def expression(self) -> str:
        """The condition in Python."""
        return f"{cell(self.column)}.{'notna' if self.keep else 'isna'}()"


Condition = Between | DatesBetween | OneOf | Present


@dataclass(frozen=True, slots=True)
class Filter(Step):
    """Keep the rows that fulfil all conditions; levels that no row has any more are gone."""

    kind: ClassVar[str] = "filter"
    conditions: tuple[Condition, ...]

    def describe(self) -> str:
        """All conditions in a sentence."""
        return f"Keep rows where {' and '.join(each.words() for each in self.conditions)}."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that stay; refused when none would."""
        kept = frame[self.fulfilled(frame)]
        if kept.empty:
            raise StepError("No row fulfils this, so nothing would be left.")
        return kept.assign(**{name: kept[name].cat.remove_unused_categories() for name in _categorical(kept)})

    def fulfilled(self, frame: pd.DataFrame) -> np.ndarray:
        """One truth value a row."""
        if not self.conditions:
            raise StepError("Choose at least one condition.")
        masks = [each.fulfilled(frame).to_numpy(dtype=bool) for each in self.conditions]
        fulfilled: np.ndarray = np.logical_and.reduce(masks)
        return fulfilled

    def lines(self) -> tuple[str, ...]:
        """A boolean selection."""
        both = " & ".join(f"({each.expression()})" for each in self.conditions)
        imports = (PANDAS,) if any(isinstance(each, DatesBetween) for each in self.conditions) else ()
        return (
            *imports,
            f"data = data[{both}].copy()",
            'for name in data.select_dtypes("category").columns:\n'
            "    data[name] = data[name].cat.remove_unused_categories()",
        )


def staying(found: Filter, frame: pd.DataFrame) -> str:
    """How many rows would stay, in words."""
    kept, total = int(found.fulfilled(frame).sum()), len(frame)
    return f"{kept:,} of {rows(total)} stay" if kept < total else f"All {total:,} rows stay"


def _categorical(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)]


def _range_words(name: str, low: str | None, high: str | None) -> str:
    match low, high:
        case None, None:
            return f"{called(name)} is not missing"
        case None, _:
            return f"{called(name)} is at most {high}"
        case _, None:
            return f"{called(name)} is at least {low}"
    return f"{called(name)} is from {low} to {high}"


def _all(
    start: pd.Series,
    low: float | pd.Timestamp | None,
    above: Callable[..., pd.Series[bool]],
    high: float | pd.Timestamp | None,
    below: Callable[..., pd.Series[bool]],
) -> pd.Series:
    """`start` and the two comparisons, where there is a limit."""
    if low is not None:
        start = start & above(low)
    return start if high is None else start & below(high)
