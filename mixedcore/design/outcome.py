"""The outcome of a model: one number a row, that varies; anything else is named for what it is.

And what goes with it: prior weights and an offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from patsy.categorical import guess_categorical

from mixedcore.data.frame import Frame
from mixedcore.design.evaluation import NotFiniteError
from mixedcore.design.factors import unboxed
from mixedcore.errors import DataError, ModelError
from mixedcore.terms import Floats

FARTHEST = 1e15  # ratio of weights beyond which a sum over rows holds no digit of the light ones
LARGEST = 1e37  # weights from its inverse up to here: times y² they have squares, the variances of variances


def outcome_numbers(name: str, value: Any, n: int) -> tuple[Floats, tuple[str, ...]]:
    """The outcome (n,) as numbers whether or not it varies, and notes on it; DataError for text."""
    array = np.asarray(value)
    if array.dtype.kind == "b" and array.shape == (n,):
        return array.astype(np.float64), (f"{name} is true or false: used as 1 and 0.",)
    if array.dtype.kind not in "iuf" and guess_categorical(value):
        raise DataError(_text_outcome(name, pd.Series(unboxed(value))))
    y = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if y.shape != (n,) or y.dtype.kind not in "iuf":
        raise DataError(f"The outcome {name} must be one number a row; it has shape {y.shape}.")
    if not np.isfinite(y).all():
        raise NotFiniteError(np.asarray(~np.isfinite(y)), name)
    return y.astype(np.float64, copy=False), ()


@dataclass(frozen=True, slots=True)
class Range:
    """Of n numbers: how many are not positive, the least and the largest; additive."""

    n: int = 0
    not_positive: int = 0
    low: float = np.inf
    high: float = -np.inf

    @classmethod
    def of(cls, values: Floats | None) -> Range:
        """The range of some numbers (n,)."""
        if values is None or not len(values):
            return cls()
        low, high = float(values.min()), float(values.max())
        return cls(len(values), 0 if low > 0 else int((values <= 0).sum()), low, high)

    def __add__(self, other: Range) -> Range:
        """The range of both sets of numbers."""
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Range(self.n + other.n, self.not_positive + other.not_positive, low, high)


def varying(y: Floats, offset: Floats | None, name: str) -> Floats:
    """The outcome itself; ModelError where it, less the offset, is the same in all rows."""
    found = Range.of(y if offset is None else y - offset)
    check_varies(name, found.low, found.high, found.n, less_offset=offset is not None)
    return np.ascontiguousarray(y)


def check_varies(name: str, low: float, high: float, n: int, *, less_offset: bool) -> None:
    """ModelError for an outcome whose range over n rows, less any offset, is a single number."""
    if n > 1 and low == high:
        what = f"{name} less the offset" if less_offset else name
        raise ModelError(f"The outcome {what} is {low:g} in all {n} rows: there is nothing to explain.")


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
    return Beside(weights, offset, notes_beside(Range.of(weights), Range.of(offset)))


def notes_beside(weights: Range, offset: Range) -> tuple[str, ...]:
    """Plain sentences on weights and offset where there are any; DataError for weights out of range."""
    notes = []
    if weights.n:
        _check_positive(weights)
        low, high = weights.low, weights.high
        notes.append(f"Weights from {low:g} to {high:g}: a row's residual variance is σ² over its weight.")
    if offset.n:
        low, high = offset.low, offset.high
        notes.append(f"An offset from {low:g} to {high:g} is part of the mean, with a coefficient of one.")
    return tuple(notes)


def summable(weights: Range) -> bool:
    """Whether sums over rows of these weights are finite, and so are those of their logarithms."""
    return not weights.n or 1 / LARGEST < weights.low <= weights.high < LARGEST


def _check_positive(weights: Range) -> None:
    """A weight of zero would be an infinite variance and a likelihood of zero (lme4 reports it as −Inf)."""
    low, high = weights.low, weights.high
    if weights.not_positive:
        raise DataError(
            f"weights must be positive: {weights.not_positive} of {weights.n} rows have a weight of zero or "
            f"less (the smallest is {low:g}). A row's residual variance is σ² over its weight. Leave those "
            "rows out of the data."
        )
    if high > FARTHEST * low or not summable(weights):
        raise DataError(
            f"weights range from {low:.3g} to {high:.3g}, which is more than double precision holds: light "
            "rows would be lost beside heavy ones, or all of them. Choose other units, or leave those rows "
            "out of the data."
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
