"""Cells of a spreadsheet → columns: numbers, dates, yes / no, or text where they are mixed. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pages.ui.data.readers.base import code_text

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta
_NUMBERS: set[type] = {int, float}
_DATES: set[type] = {dt.date, dt.datetime}
_SPANS: set[type] = {dt.time, dt.timedelta}


def text(cell: Cell) -> str:
    """A cell as a person would write it."""
    match cell:
        case dt.datetime() if cell.time() == dt.time():
            return cell.date().isoformat()
        case dt.datetime():
            return cell.isoformat(" ")
        case dt.date() | dt.time():
            return cell.isoformat()
        case str():
            return cell.strip()
        case _:
            return code_text(cell)


def column(values: Sequence[Cell]) -> pd.Series:
    """One column; blank cells missing, or empty where the column is text."""
    kinds = set(map(type, values))
    present = kinds - {str} if "" in values and all(v == "" for v in values if type(v) is str) else kinds
    if not present or present == {str}:
        return pd.Series([str(value).strip() for value in values], dtype="str")
    filled = [None if value == "" else value for value in values]
    if present == {bool}:
        return _yes_no(filled)
    if present <= _NUMBERS:
        return _numbers(filled)
    if present <= _DATES:
        return pd.to_datetime(pd.Series(filled, dtype="object")).astype("datetime64[us]")
    if present <= _SPANS:
        return pd.Series([np.nan if v is None else _seconds(v) for v in filled])
    return pd.Series([text(value) for value in values], dtype="str")


def _yes_no(values: list[Cell | None]) -> pd.Series:
    if None in values:
        return pd.Series(pd.Categorical(values, categories=[False, True]))
    return pd.Series(values, dtype="bool")


def _numbers(values: list[Cell | None]) -> pd.Series:
    """Whole numbers as such when none is missing, as in a file of text."""
    numbers = np.array(values, dtype="float64")
    if not np.isnan(numbers).any() and (numbers == np.round(numbers)).all() and (abs(numbers) < 2**53).all():
        return pd.Series(numbers.astype("int64"))
    return pd.Series(numbers)


def _seconds(value: object) -> float:
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    assert isinstance(value, dt.time)
    return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
