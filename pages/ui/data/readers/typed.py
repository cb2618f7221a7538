"""Columns of any type that a file can hold → the few that the app works with, and the lines that do the same.

Whole numbers (int64), numbers (float64), yes / no, dates, categories and text; what is none of these is left
out with a note. Pure.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pages.ui.data.readers.base import literal, literals

_WHOLE = 'data[{names}] = data[{names}].astype("int64")'
_FLOAT = 'data[{names}] = data[{names}].astype("float64")'
_EACH = "for name in {names}:\n    data[name] = "
_NUMERIC = _EACH + "pd.to_numeric(data[name])"
_DATE = _EACH + "pd.to_datetime(data[name])"
_NAIVE = _EACH + "data[name].dt.tz_localize(None)"
_LASTS = _EACH + "data[name].dt.total_seconds()"
_TIME = _EACH + 'pd.to_timedelta(data[name].astype("str"), errors="coerce").dt.total_seconds()'
_YES_NO = _EACH + "pd.Categorical(data[name], categories=[False, True])"
_TEXT = _EACH + 'data[name].astype("str")'
_LABELS = _EACH + 'data[name].cat.rename_categories(data[name].cat.categories.astype("str"))'
_OUT = "data = data.drop(columns={names})"


@dataclass(slots=True, eq=False)
class Plain:
    """A frame of plain columns; `lines` make it of the frame as first read; `notes` in plain sentences."""

    frame: pd.DataFrame
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plain(frame: pd.DataFrame) -> Plain:
    """Every column as one of the few types."""
    done: dict[str, list[str]] = {}
    columns, notes = {}, []
    for name in frame.columns:
        series, steps, note = _plain(frame[name])
        for step in steps:
            done.setdefault(step, []).append(str(name))
        notes += [f"“{name}” {note}"] if note else []
        if series is not None:
            columns[name] = series
    # In the order in which a column can pass through them.
    order = (_NAIVE, _LASTS, _TIME, _DATE, _NUMERIC, _FLOAT, _WHOLE, _YES_NO, _TEXT, _LABELS, _OUT)
    lines = [line for step in order if step in done for line in _lines(step, done[step])]
    return Plain(pd.DataFrame(columns, index=frame.index), lines, notes)


def _lines(step: str, names: list[str]) -> Iterator[str]:
    if step.startswith(_EACH) and len(names) == 1:
        step, names = step.removeprefix(_EACH), names
        one = step.replace("data[name]", f"data[{literal(names[0])}]")
        yield f"data[{literal(names[0])}] = {one}"
        return
    yield from step.format(names=literals(names)).split("\n")


def _plain(series: pd.Series) -> tuple[pd.Series | None, list[str], str]:
    """(the column or None, the steps taken, what to say)."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _labels(series)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return series.dt.tz_localize(None), [_NAIVE], f"has times of {dtype.tz}; the zone was left out."
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return series, [], ""
    if pd.api.types.is_timedelta64_dtype(dtype):
        return series.dt.total_seconds(), [_LASTS], "holds durations; they were read as seconds."
    if pd.api.types.is_bool_dtype(dtype):
        return (series, [], "") if dtype == np.bool_ else _yes_no(series)
    if pd.api.types.is_numeric_dtype(dtype):
        return *_number(series), ""
    if isinstance(dtype, pd.StringDtype):
        return (series, [], "") if str(dtype) == "str" else (series.astype("str"), [_TEXT], "")
    return _objects(series)


def _number(series: pd.Series) -> tuple[pd.Series, list[str]]:
    """Whole numbers as such when none is missing, as in a file of text; and no narrow types."""
    if series.dtype == np.int64:
        return series, []
    if series.notna().all() and (series % 1 == 0).all() and (series.abs() < 2**53).all() and len(series):
        return series.astype("int64"), [_WHOLE]
    return (series, []) if series.dtype == np.float64 else (series.astype("float64"), [_FLOAT])


def _yes_no(series: pd.Series) -> tuple[pd.Series, list[str], str]:
    values = pd.Categorical(series.astype(object).where(series.notna(), None), categories=[False, True])
    return pd.Series(values, index=series.index), [_YES_NO], ""


def _labels(series: pd.Series) -> tuple[pd.Series, list[str], str]:
    levels = series.cat.categories
    if set(levels) <= {True, False} or isinstance(levels.dtype, pd.StringDtype):
        return series, [], ""
    return series.cat.rename_categories(list(levels.astype("str"))), [_LABELS], ""


def _objects(series: pd.Series) -> tuple[pd.Series | None, list[str], str]:
    """A column of Python values: by what they are."""
    kinds = set(map(type, series.dropna()))
    if not kinds or kinds <= {str}:
        return series.astype("str"), [_TEXT], ""
    if kinds == {bool}:
        return _yes_no(series)
    if kinds <= {int, float, decimal.Decimal, np.float64, np.int64}:
        number, steps = _number(pd.to_numeric(series))
        return number, [_NUMERIC, *steps], ""
    if kinds <= {dt.date, dt.datetime, pd.Timestamp}:
        return pd.to_datetime(series), [_DATE], ""
    if kinds == {dt.time}:
        seconds = pd.to_timedelta(series.astype("str"), errors="coerce").dt.total_seconds()
        return seconds, [_TIME], "holds times of day; they were read as seconds since midnight."
    return None, [_OUT], "holds lists or other values that are no single number or text; it was left out."
