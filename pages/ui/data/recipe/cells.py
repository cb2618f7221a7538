"""One cell changed by hand. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import numpy as np
import pandas as pd

from pages.ui.data.columns import KIND_NAMES, Stored
from pages.ui.data.recipe.step import Step, StepError, called, cell, column, dates, kind, literal, shown
from pages.ui.text import shorten

Value = bool | int | float | str | None
"""What a cell holds: a date as text such as 2024-12-31 or 2024-12-31T08:30:00; None where it is missing."""
MISSING = "missing"
LARGEST = 2.0**63
"""Beyond this no column of whole numbers reaches."""
YES_NO = "pd.CategoricalDtype([False, True])"


@dataclass(frozen=True, slots=True)
class Edit(Step):
    """The cell in the row labelled `row` becomes `value`.

    of  : the kind of the column
    was : what the cell held; where it holds something else, these are other data and nothing is changed
    """

    kind: ClassVar[str] = "edit"
    row: int | str
    column: str
    of: Stored
    value: Value
    was: Value

    def describe(self) -> str:
        """Row, column, before and after."""
        return f"Row {shorten(self.row, 30)}, {called(self.column)}: {_said(self.was)} → {_said(self.value)}."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The table with one other cell; refused where the cell is not what it was."""
        values = column(frame, self.column)
        place = np.flatnonzero(frame.index == self.row)
        if len(place) != 1:
            raise StepError(f"There is no row {shorten(self.row, 30)} at this point.")
        if kind(values) != self.of:
            raise StepError(
                f"{called(self.column)} is now of the type {KIND_NAMES[kind(values)].lower()}, "
                "which it was not when this cell was changed."
            )
        if self.of == "date":
            dates(frame, self.column)
        holds = value_of(values.iloc[place[0]])
        if not same(holds, self.was):
            raise StepError(
                f"This cell now holds {_said(holds)}, not {_said(self.was)}: it may be another row. "
                "Nothing was changed."
            )
        return frame.assign(**{self.column: self._changed(values)})

    def _changed(self, values: pd.Series) -> pd.Series:
        value = _checked(self.of, self.value)
        others = values.index != self.row
        if value is None:
            return _room_for_missing(values).where(others)
        if isinstance(values.dtype, pd.CategoricalDtype) and self.of != "yes_no":
            values = values.cat.set_categories(list(dict.fromkeys([*values.cat.categories, value])))
        return values.where(others, value)

    def lines(self) -> tuple[str, ...]:
        """`where`, which keeps the type where that is possible."""
        x, row = cell(self.column), literal(self.row)
        imports = ("import pandas as pd",)
        if self.value is None:
            room = f"{x}.astype({YES_NO})" if self.of == "yes_no" else x
            return (*imports, f"{x} = {room}.where(data.index != {row})")
        if self.of == "date":
            return (*imports, f"{x} = {x}.where(data.index != {row}, pd.Timestamp({literal(self.value)}))")
        change = f"{x} = {x}.where(data.index != {row}, {literal(self.value)})"
        if self.of in ("number", "yes_no"):
            return (change,)
        levels = f"list(dict.fromkeys([*{x}.cat.categories, {literal(self.value)}]))"
        room = f"if isinstance({x}.dtype, pd.CategoricalDtype):\n    {x} = {x}.cat.set_categories({levels})"
        return *imports, room, change


def value_of(held: object) -> Value:
    """A cell's content as a plain value."""
    if held is None or held is pd.NaT or (isinstance(held, float | np.floating) and np.isnan(held)):
        return None
    if isinstance(held, pd.Timestamp | datetime):
        stamp = pd.Timestamp(held)
        return stamp.date().isoformat() if stamp == stamp.normalize() else stamp.isoformat()
    if isinstance(held, bool | np.bool_):
        return bool(held)
    if isinstance(held, int | np.integer):
        return int(held)
    if isinstance(held, float | np.floating):
        return float(held)
    return str(held)


def same(one: Value, other: Value) -> bool:
    """Whether two plain values are the same; 52 and 52.0 are, 1 and yes are not."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _checked(of: Stored, value: Value) -> object:
    """The value as the column stores it."""
    if value is None:
        return None
    if of == "number":
        if isinstance(value, bool | str) or not abs(value) < LARGEST:
            raise StepError(f"{_said(value)} is not a number that this column can hold.")
        return value
    if of == "yes_no":
        if not isinstance(value, bool):
            raise StepError(f"{_said(value)} is neither yes nor no.")
        return value
    if of == "date":
        return _stamp(value)
    return value


def _stamp(value: Value) -> pd.Timestamp:
    try:
        return pd.Timestamp(datetime.fromisoformat(str(value)).replace(tzinfo=None))
    except (ValueError, OverflowError) as err:
        raise StepError(f"{_said(value)} is not a date; write it as 2024-12-31.") from err


def _room_for_missing(values: pd.Series) -> pd.Series:
    """Yes and no as categories, which can lack a value."""
    return values.astype(pd.CategoricalDtype([False, True])) if kind(values) == "yes_no" else values


def _said(value: Value) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return shorten(value, 40) or "(empty)"
    return shown(float(value))
