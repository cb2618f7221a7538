"""The rows of a model as distinct columns, read in chunks: the only place where the engine touches n.

X and the covariates of random terms mostly hold the same columns (the constant, a predictor and its slope),
so each distinct column is kept once. Everything that is summed over rows is summed over chunks that fit the
processor's cache, whether the rows are in memory or come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mixedcore.errors import rows_not_kept
from mixedcore.terms import Floats, Ints, RandomTerm

CHUNK = 16_384  # rows: a dozen columns of them stay in a core's second-level cache


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which distinct column serves where; the outcome is the last one, number `outcome`.

    names : a name for each distinct column, for messages
    fixed : (p,) number of each column of X
    bases : per term and block, (q,) numbers of its covariates
    """

    names: tuple[str, ...]
    fixed: Ints
    bases: tuple[tuple[Ints, ...], ...]

    @property
    def outcome(self) -> int:
        """Number of the outcome's column."""
        return len(self.names) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Some rows: `columns`, each (r,), as in a `Layout`; `weights` (r,) or None; `codes`, each (r,)."""

    columns: Sequence[Floats]
    weights: Floats | None
    codes: Sequence[Ints] = ()


class Chunked(Protocol):
    """All rows of a model, in memory or read anew each time."""

    def chunks(self, codes: Sequence[Ints] = (), size: int = CHUNK) -> Iterator[Chunk]:
        """The rows in order, up to `size` at a time, with codes beside them as terms have them."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class NoRows:
    """In place of rows that are gone."""

    def chunks(self, codes: Sequence[Ints] = (), size: int = CHUNK) -> Iterator[Chunk]:
        """There are none: DataError."""
        raise rows_not_kept("a term of each sum")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """All rows in memory. columns: each (n,), as in `layout`; weights (n,) or None."""

    layout: Layout
    columns: tuple[Floats, ...]
    weights: Floats | None

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.columns[-1].size)

    def chunks(self, codes: Sequence[Ints] = (), size: int = CHUNK) -> Iterator[Chunk]:
        """The rows in order, with the given codes (n,) beside them."""
        for first in range(0, self.n, size):
            own = slice(first, first + size)
            weights = None if self.weights is None else self.weights[own]
            yield Chunk([column[own] for column in self.columns], weights, [code[own] for code in codes])


def gather(
    y: Floats,
    X: Floats,
    terms: Sequence[RandomTerm],
    weights: Floats | None = None,
    names: Sequence[str] | None = None,
) -> Rows:
    """The distinct columns of X (n, p), the terms' covariates and y (n,); `names` of those of X, then y.

    Weights (n,) that are all one are left out: the same sums without a multiplication.
    """
    given = names or [*(f"x{j + 1}" for j in range(X.shape[1])), "y"]
    table = _Distinct()
    fixed = table.numbers(X, given[:-1])
    bases = tuple(
        tuple(table.numbers(b.basis, [f"a covariate of {term.name}"] * b.width) for b in term.blocks)
        for term in terms
    )
    weights = None if weights is None or (weights == 1.0).all() else weights
    return Rows(Layout((*table.names, given[-1]), fixed, bases), (*table.columns, y), weights)


class _Distinct:
    """Columns met so far; equal ones, told apart by a few of their values first, have one number."""

    def __init__(self) -> None:
        self.columns: list[Floats] = []
        self.names: list[str] = []
        self._by_values: dict[tuple[float, ...], list[int]] = {}

    def numbers(self, matrix: Floats, names: Sequence[str]) -> Ints:
        """Number of each column of a matrix (n, k)."""
        return np.array(
            [self._number(column, name) for column, name in zip(matrix.T, names, strict=True)], np.intp
        )

    def _number(self, column: Floats, name: str) -> int:
        n = column.size
        change = int((column != column[0]).argmax())  # tells the indicator columns of a factor apart
        seen = (float(column[0]), float(column[n // 2]), float(column[-1]), float(change))
        likely = self._by_values.setdefault(seen, [])
        for number in likely:
            known = self.columns[number]
            if known.ctypes.data == column.ctypes.data and known.strides == column.strides:
                return number
            if np.array_equal(known, column):
                return number
        likely.append(len(self.columns))
        self.columns.append(column)
        self.names.append(name)
        return len(self.columns) - 1
