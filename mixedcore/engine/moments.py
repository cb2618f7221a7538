"""First pass over the rows: means, centred cross-products and ranges of all columns, additive over chunks.

Chan, Golub & LeVeque (1983), Am. Stat. 37(3), eq. 2.1, for pairs of samples. Columns far from zero are first
brought near it by subtracting a number close to them, which loses no digits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.rows import Chunk
from mixedcore.errors import DataError
from mixedcore.terms import Floats, Ints

FEW = 8  # columns up to which their products are formed one by one
FAR = 100.0  # standard deviations from zero at which a column gets an origin of its own


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over rows of c columns, each less its `origin` (c,).

    n rows of total weight `weight`; log_weights, square_weights: sums of the weights' logarithms and squares;
    mean (c,) weighted; M2 (c, c) weighted sums of squares and products about it; low and high (c,) the range
    of the columns as given; nonzero (c,) rows in which each is not zero; plain: the same without weights,
    None where there are none
    """

    n: int
    weight: float
    log_weights: float
    square_weights: float
    origin: Floats
    mean: Floats
    M2: Floats
    low: Floats
    high: Floats
    nonzero: Ints
    plain: Moments | None = None

    def __add__(self, other: Moments) -> Moments:
        """Moments of both samples; their origins must be the same."""
        weight = self.weight + other.weight
        step = other.mean - self.mean
        return Moments(
            self.n + other.n,
            weight,
            self.log_weights + other.log_weights,
            self.square_weights + other.square_weights,
            self.origin,
            self.mean + step * (other.weight / weight),
            self.M2 + other.M2 + np.outer(step, step) * (self.weight * other.weight / weight),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.nonzero + other.nonzero,
            None if self.plain is None or other.plain is None else self.plain + other.plain,
        )

    @cached_property
    def centre(self) -> Floats:
        """Mean of the columns as given, (c,)."""
        return np.where(self.low == self.high, self.low, self.origin + self.mean)

    def constant(self, numbers: Ints) -> int | None:
        """Position among `numbers` of the first column that is one non-zero number throughout."""
        found = np.flatnonzero((self.low[numbers] == self.high[numbers]) & (self.low[numbers] != 0))
        return int(found[0]) if found.size else None

    def mean_squares(self, numbers: Ints) -> Floats:
        """Weighted mean over the rows of the squares of some columns, (k,)."""
        return np.asarray(self.M2[numbers, numbers] / self.weight + self.centre[numbers] ** 2)

    def products(self, left: Ints, right: Ints, centred: tuple[Mask, Mask]) -> Floats:
        """Mean products over the n rows of two sets of columns, less their means where `centred`."""
        offsets = np.outer(
            np.where(centred[0], 0.0, self.centre[left]), np.where(centred[1], 0.0, self.centre[right])
        )
        return np.asarray((self.M2[np.ix_(left, right)] + self.weight * offsets) / self.n)


def moments(chunks: Iterable[Chunk], origin: Floats | None = None) -> Moments:
    """Moments of all chunks, about the origin that the first suggests or the given one.

    Only moments about the same origin add. DataError where there are no rows.
    """
    parts = iter(chunks)
    first = next(parts, None)
    if first is None:
        raise DataError("The data have no rows.")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # sizes are checked afterwards
        start = moments_of(first, origin_of(first) if origin is None else origin)
        return reduce(lambda total, chunk: total + moments_of(chunk, start.origin), parts, start)


def moments_of(chunk: Chunk, origin: Floats) -> Moments:
    """Moments of one chunk."""
    table, w = np.stack(chunk.columns), chunk.weights
    low, high, n = table.min(axis=1), table.max(axis=1), table.shape[1]
    full = (low > 0) | (high < 0)
    nonzero = np.array(
        [n if all_of_it else np.count_nonzero(row) for row, all_of_it in zip(table, full, strict=True)]
    )
    if origin.any():
        table -= origin[:, None]
    weight = float(n) if w is None else float(w.sum())
    mean = table.mean(axis=1) if w is None else table @ w / weight
    table -= mean[:, None]
    M2 = _gram(table if w is None else table * w, table)
    logs, squares = (0.0, float(n)) if w is None else (float(np.log(w).sum()), float(w @ w))
    plain = None if w is None else moments_of(Chunk(chunk.columns, None), origin)
    return Moments(n, weight, logs, squares, origin, mean, M2, low, high, nonzero, plain)


def _gram(left: Floats, right: Floats) -> Floats:
    """left @ right.T, symmetric (c, c); a few long rows are multiplied one by one, which BLAS does faster."""
    if len(left) > FEW:
        return np.asarray(left @ right.T)
    out = np.empty((len(left), len(left)))
    for i in range(len(left)):
        for j in range(i + 1):
            out[i, j] = out[j, i] = left[i] @ right[j]
    return out


def origin_of(chunk: Chunk) -> Floats:
    """An origin (c,) from which the columns are not far, judged by some rows: zero where that will do."""
    table = np.stack(chunk.columns)
    mean, size = table.mean(axis=1), table.std(axis=1)
    near = np.where(table[:, 0] == table[:, -1], table[:, 0], mean)
    return np.asarray(near * (np.abs(mean) > FAR * size))
