"""The outcome of a model: one number a row, that varies; anything else is named for what it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from patsy.categorical import guess_categorical

from mixedcore.design_eval import NotFiniteError
from mixedcore.design_factors import unboxed
from mixedcore.errors import DataError, ModelError
from mixedcore.terms import Floats


def outcome(name: str, value: Any, n: int) -> tuple[Floats, tuple[str, ...]]:
    """The outcome (n,) as numbers, and notes on it; DataError for text, ModelError for a constant."""
    y, notes = outcome_numbers(name, value, n)
    return varying(y, name), notes


def outcome_numbers(name: str, value: Any, n: int) -> tuple[Floats, tuple[str, ...]]:
    """The outcome (n,) as numbers whether or not it varies, and notes on it."""
    array = np.asarray(value)
    if array.dtype.kind == "b" and array.shape == (n,):
        return array.astype(np.float64), (f"{name} is true or false: used as 1 and 0.",)
    if guess_categorical(value):
        raise DataError(_text_outcome(name, pd.Series(unboxed(value))))
    y = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if y.shape != (n,) or y.dtype.kind not in "iuf":
        raise DataError(f"The outcome {name} must be one number a row; it has shape {y.shape}.")
    if not np.isfinite(y).all():
        raise NotFiniteError(np.asarray(~np.isfinite(y)), name)
    return y.astype(np.float64), ()


def varying(y: Floats, name: str) -> Floats:
    """The outcome itself; ModelError where it is the same in all rows."""
    if len(y):
        check_varies(name, float(y.min()), float(y.max()), len(y))
    return np.ascontiguousarray(y)


def check_varies(name: str, low: float, high: float, n: int) -> None:
    """ModelError for an outcome whose range over n rows is a single number."""
    if n > 1 and low == high:
        raise ModelError(f"The outcome {name} is {low:g} in all {n} rows: there is nothing to explain.")


def check_rows(n: int, p: int) -> None:
    """ModelError unless there are more rows than fixed effects."""
    if n <= p:
        raise ModelError(
            f"{n} rows cannot support {p} fixed effects; there must be more rows than coefficients."
        )


def _text_outcome(name: str, values: pd.Series) -> str:
    found = values.unique()
    kind = "text" if all(isinstance(value, str) for value in found) else "categorical"
    some = ", ".join(repr(v) for v in list(found)[:4]) + (", …" if len(found) > 4 else "")
    numeric = pd.to_numeric(pd.Series(list(found)), errors="coerce").notna().all()
    hint = " Its values are numbers stored otherwise: convert the column first." if numeric else ""
    return (
        f"The outcome {name} is {kind} with {len(found)} different values ({some}); "
        f"a linear mixed model needs a numeric outcome.{hint}"
    )
