"""pandas objects and NumPy scalars as a name and plain parts, for `archive`."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

PLAIN_KINDS = "biufcmMUS"  # kinds of arrays that hold no Python objects
Parts = tuple[Any, ...]


def to_parts(value: Any) -> tuple[str, Parts] | None:
    """The name of a kind and the parts that `MAKE` makes the value of; None for anything else."""
    for name, known, parts in _KINDS:
        if isinstance(value, known):
            return name, parts(value)
    return None


def _extension(value: Any) -> Parts:
    """An array of pandas' by its values, missing ones as None."""
    return [None if pd.isna(v) else v for v in value.tolist()], str(value.dtype)


def _values(value: Any) -> Any:
    """The array under an Index or Series: NumPy's own where it is one."""
    return value.to_numpy() if isinstance(value.dtype, np.dtype) else value.array


_KINDS: tuple[tuple[str, Any, Callable[[Any], Parts]], ...] = (
    ("timestamp", pd.Timestamp, lambda v: (v.isoformat(),)),
    ("timedelta", pd.Timedelta, lambda v: (v.isoformat(),)),
    ("datetime", datetime.datetime, lambda v: (v.isoformat(),)),
    ("date", datetime.date, lambda v: (v.isoformat(),)),
    ("datetime64", (np.datetime64, np.timedelta64), lambda v: (np.asarray([v]),)),
    ("scalar", np.generic, lambda v: (v.dtype.str, v.item())),
    ("range", pd.RangeIndex, lambda v: (v.start, v.stop, v.step, v.name)),
    ("multi", pd.MultiIndex, lambda v: (v.tolist(), list(v.names))),
    (
        "frame",
        pd.DataFrame,
        lambda v: ([_values(v.iloc[:, j]) for j in range(v.shape[1])], v.columns, v.index),
    ),
    ("series", pd.Series, lambda v: (_values(v), v.index, v.name)),
    ("index", pd.Index, lambda v: (_values(v), v.name)),
    ("categorical", pd.Categorical, lambda v: (v.codes, v.categories, bool(v.ordered))),
    ("extension", pd.api.extensions.ExtensionArray, _extension),
)


def _frame(columns: list[Any], names: Any, index: Any) -> pd.DataFrame:
    found = pd.DataFrame(dict(enumerate(columns)), index=index)
    return found.set_axis(names, axis=1)


MAKE: Mapping[str, Callable[..., Any]] = {
    "timestamp": pd.Timestamp,
    "timedelta": pd.Timedelta,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "datetime64": lambda array: array[0],
    "scalar": lambda dtype, value: np.dtype(dtype).type(value),
    "range": lambda start, stop, step, name: pd.RangeIndex(start, stop, step, name=name),
    "multi": lambda rows, names: pd.MultiIndex.from_tuples(rows, names=names),
    "frame": _frame,
    "series": lambda values, index, name: pd.Series(values, index=index, name=name),
    "index": lambda values, name: pd.Index(values, name=name),
    "categorical": lambda codes, categories, ordered: pd.Categorical.from_codes(codes, categories, ordered),
    "extension": lambda values, dtype: pd.array(values, dtype=dtype),
}
