"""The outcome of a model: one number a row, that varies; anything else is named for what it is.

And what goes with it: prior weights and an offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from patsy.categorical import guess_categorical

from mixedcore.design_eval import NotFiniteError
from mixedcore.design_factors import unboxed
from mixedcore.errors import DataError, ModelError
from mixedcore.frame import Frame
from mixedcore.terms import Floats

FARTHEST = 1e15  # ratio of weights beyond which a sum over rows holds no digit of the light ones
LARGEST = 1e37  # weights from its inverse up to here: times y² they have squares, the variances of variances


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
    return y.astype(np.float64, copy=False), ()


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


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """weights (n,) > 0 and offset (n,), each None where not given; notes: plain sentences on them."""

    weights: Floats | None
    offset: Floats | None
    notes: tuple[str, ...]


def numbers_beside(frame: Frame) -> Beside:
    """Weights and offset of a frame; DataError for weights that are not positive, or values but numbers."""
    weights, offset = frame.numbers("weights"), frame.numbers("offset")
    notes = []
    if weights is not None:
        _check_positive(weights)
        low, high = weights.min(), weights.max()
        notes.append(f"Weights from {low:g} to {high:g}: a row's residual variance is σ² over its weight.")
    if offset is not None:
        low, high = offset.min(), offset.max()
        notes.append(f"An offset from {low:g} to {high:g} is part of the mean, with a coefficient of one.")
    return Beside(weights, offset, tuple(notes))


def _check_positive(weights: Floats) -> None:
    """A weight of zero would be an infinite variance and a likelihood of zero (lme4 reports it as −Inf)."""
    if (bad := int((weights <= 0).sum())) > 0:
        raise DataError(
            f"weights must be positive: {bad} of {weights.size} rows have a weight of zero or less (the "
            f"smallest is {weights.min():g}). A row's residual variance is σ² over its weight. Leave rows "
            "out with subset."
        )
    low, high = float(weights.min()), float(weights.max())
    if high > FARTHEST * low or not 1 / LARGEST < low <= high < LARGEST:
        raise DataError(
            f"weights range from {low:.3g} to {high:.3g}, which is more than double precision holds: light "
            "rows would be lost beside heavy ones, or all of them. Choose other units, or leave those rows "
            "out with subset."
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
