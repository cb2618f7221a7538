"""How the levels of an eliminated grouping meet the coefficients of the remainder, and the sums over them.

A_f (q, size) couples level f with the remainder. Eliminating f subtracts A_f'G_f A_f there; going back needs
A_f H A_f' with the remainder's H. Two forms, chosen by what they cost: sparse, over the pairs of coefficients
that a level meets, and dense, one matrix product, where most levels meet most coefficients.

Both keep all A_f in one array, called values here: (q, nnz) or (q, m, size). `dense` and `cells` hold the
remainder's matrix, of which the lower triangle counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from mixedcore.engine.blocks import sum_by, sum_runs
from mixedcore.terms import Floats, Ints

if TYPE_CHECKING:
    from mixedcore.engine.elimination import Remainder


PORTION = 32_768  # pairs that are made at once: they stay in a core's second-level cache


@dataclass(frozen=True, eq=False)
class DenseCoupling:
    """values (q, m, size) of the data; the remainder is one matrix.

    parents[t] (m,) level of t that holds each level; runs[t] (m_t,) the first level in each of t
    """

    values: Floats
    size: int
    parents: dict[int, Ints]
    runs: dict[int, Ints]

    def scaled(self, G: Floats, values: Floats) -> Floats:
        """G_f A_f for G (r, q, m)."""
        return np.asarray(np.einsum("ijm,jms->ims", G, values))

    def eliminate(self, dense: Floats, G: Floats, values: Floats) -> Floats:
        """The remainder less Σ_f A_f'G_f A_f."""
        GA = self.scaled(G, values).reshape(-1, self.size)
        return np.asarray(dense - (values.reshape(-1, self.size).T @ GA).ravel())

    def to_parents(self, values: Floats, t: int) -> Floats:
        """Sums over the levels of each parent, as values of its own coupling."""
        return np.asarray(np.add.reduceat(values, self.runs[t], axis=1))

    def from_parents(self, values: Floats, t: int) -> Floats:
        """The parent's values at each level."""
        return values[:, self.parents[t]]

    def down(self, columns: Floats, values: Floats) -> Floats:
        """Σ_f A_f' times columns (w, q, m): (w, size)."""
        return np.asarray(columns.reshape(len(columns), -1) @ values.reshape(-1, self.size))

    def up(self, rows: Floats, values: Floats) -> Floats:
        """A_f times rows (w, size): (w, q, m)."""
        q, m, _ = values.shape
        return np.asarray((rows @ values.reshape(-1, self.size).T).reshape(-1, q, m))

    def along(self, one: Floats, two: Floats) -> Floats:
        """Σ over the remainder of two sets of values, (q1, q2, m)."""
        return np.asarray(np.einsum("ims,jms->ijm", one, two))

    def times(self, cells: Floats, values: Floats) -> Floats:
        """A_f H as values."""
        H = cells.reshape(self.size, self.size)
        whole = np.tril(H) + np.tril(H, -1).T
        return np.asarray((values.reshape(-1, self.size) @ whole).reshape(values.shape))

    def quadratic(self, cells: Floats, values: Floats) -> Floats:
        """A_f H A_f', (q, q, m)."""
        return self.along(self.times(cells, values), values)

    def at(self, values: Floats, level: Ints, coefs: Ints) -> Floats:
        """The values at levels (r,) and coefficients (c, r) that they meet, (q, c, r)."""
        return values[:, level, coefs]


@dataclass(frozen=True, eq=False)
class SparseCoupling:
    """values (q, nnz) of the data: entry e joins level `level[e]` and coefficient `coef[e]`.

    Entries stand by level, then coefficient; `starts` (m,) is the first of each level. lifts[t] (nnz,) entry
    of t's coupling that holds the parent's; sizes[t] the entries there. alike (m,): equal numbers mark levels
    of equal Z_f'Z_f, so equal G_f, as long as nothing was eliminated before; None where that is no use.
    """

    values: Floats
    level: Ints
    coef: Ints
    starts: Ints
    remainder: Remainder
    lifts: dict[int, Ints]
    sizes: dict[int, int]
    alike: Ints | None

    def scaled(self, G: Floats, values: Floats) -> Floats:
        """G_f A_f for G (r, q, m)."""
        return np.asarray((G[:, :, self.level] * values).sum(axis=1))

    def eliminate(self, dense: Floats, G: Floats, values: Floats) -> Floats:
        """The remainder less Σ_f A_f'G_f A_f."""
        if values is self.values and len(values) == 1:
            update = self.by_set @ G[0, 0, self.examples]
            update[self.remainder.diagonal] *= 2
            return np.asarray(np.subtract(dense, update, out=update))
        first, second, cell, _ = self.pairs
        update = (values[:, first] * self.scaled(G, values)[:, second]).sum(axis=0)
        return np.asarray(dense - np.bincount(cell, update, minlength=dense.size))

    def to_parents(self, values: Floats, t: int) -> Floats:
        """Sums over the levels of each parent, as values of its own coupling."""
        return sum_by(values, self.lifts[t], self.sizes[t])

    def from_parents(self, values: Floats, t: int) -> Floats:
        """The parent's values at each level."""
        return values[:, self.lifts[t]]

    def down(self, columns: Floats, values: Floats) -> Floats:
        """Σ_f A_f' times columns (w, q, m): (w, size)."""
        out = [self._matrix(row).T @ part.T for row, part in zip(values, columns.swapaxes(0, 1), strict=True)]
        return np.ascontiguousarray(sum(out[1:], out[0]).T)

    def up(self, rows: Floats, values: Floats) -> Floats:
        """A_f times rows (w, size): (w, q, m)."""
        return np.stack([(self._matrix(row) @ rows.T).T for row in values], axis=1)

    def along(self, one: Floats, two: Floats) -> Floats:
        """Σ over the remainder of two sets of values, (q1, q2, m)."""
        return sum_runs(one[:, None] * two[None], self.starts)

    def times(self, cells: Floats, values: Floats) -> Floats:
        """A_f H as values, on the pattern of A_f."""
        first, second, cell, _ = self.pairs
        H = cells[cell]
        out = sum_by(values[:, second] * H, first, values.shape[1])
        apart = first != second
        return out + sum_by(values[:, first[apart]] * H[apart], second[apart], values.shape[1])

    def quadratic(self, cells: Floats, values: Floats) -> Floats:
        """A_f H A_f', (q, q, m)."""
        first, second, cell, begins = self.pairs
        H = cells[cell] * np.where(first == second, 0.5, 1.0)
        half = sum_runs(values[:, None, first] * (values[:, second] * H)[None], begins)
        return half + half.swapaxes(0, 1)

    def at(self, values: Floats, level: Ints, coefs: Ints) -> Floats:
        """The values at levels (r,) and coefficients (c, r) that they meet, (q, c, r)."""
        size = self.remainder.size
        return values[:, np.searchsorted(self.level * size + self.coef, level * size + coefs)]

    def quadratic_by_set(self, cells: Floats) -> Floats:
        """A_f H A_f' for the data's own values with q = 1, summed over each set of like levels, (sets,)."""
        return np.asarray(2 * (self.by_set.T @ cells))

    @cached_property
    def examples(self) -> Ints:
        """One level of each set of like levels; every level where `alike` is None."""
        if self.alike is None:
            return np.arange(self.starts.size)
        return np.unique(self.alike, return_index=True)[1]

    @cached_property
    def by_set(self) -> csc_array:
        """For q = 1, Σ A_f'A_f over each set of like levels, diagonals halved, (cells, sets).

        Products of different levels of a set stand side by side: to sum them here takes longer than to do so
        each time.
        """
        sets = self.examples.size
        number = (np.arange(sets) if self.alike is None else self.alike)[self.level]
        order = np.argsort(number, kind="stable")
        coef, values = self.coef[order].astype(np.int32), self.values[0, order]
        row = (self.remainder.row_start - self.remainder.origin).astype(np.int32)[coef]
        start, how_many = _partners(self.level[order])
        ends = np.cumsum(how_many)
        products, cell = np.empty(ends[-1]), np.empty(ends[-1], dtype=np.int32)
        for own in _portions(ends):
            second = _in_turn(start[own], how_many[own])
            pairs = slice(ends[own.stop - 1] - second.size, ends[own.stop - 1])
            np.add(np.repeat(row[own], how_many[own]), coef[second], out=cell[pairs])
            np.multiply(np.repeat(values[own], how_many[own]), values[second], out=products[pairs])
        products[ends - 1] *= 0.5
        begins = np.append(0, ends)[np.searchsorted(number[order], np.arange(sets + 1))].astype(np.int32)
        return csc_array((products, cell, begins), shape=(self.remainder.cells, sets))

    @cached_property
    def pairs(self) -> tuple[Ints, Ints, Ints, Ints]:
        """All pairs of entries first ≥ second of one level, their cell, and the first pair of each level."""
        start, how_many = _partners(self.level)
        second = _in_turn(start, how_many)
        first = np.repeat(np.arange(self.level.size), how_many)
        cell = self.remainder.cell(self.coef[first], self.coef[second])
        return first, second, cell, np.append(0, np.cumsum(how_many))[self.starts]

    def _matrix(self, row: Floats) -> csr_array:
        """One row of values as a matrix (m, size)."""
        return csr_array((row, *self._pattern), shape=(self.starts.size, self.remainder.size))

    @cached_property
    def _pattern(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Column numbers and row starts of such a matrix, in SciPy's own integers."""
        return self.coef.astype(np.int32), np.append(self.starts, self.level.size).astype(np.int32)


def _partners(level: Ints) -> tuple[Ints, Ints]:
    """First entry of the level of each entry, and how many there are from it up to the entry, (nnz,)."""
    begins = np.flatnonzero(np.diff(level, prepend=-1))
    start = np.repeat(begins, np.diff(begins, append=level.size))
    return start, np.arange(level.size) - start + 1


def _in_turn(start: Ints, how_many: Ints) -> Ints:
    """start, start + 1, … for each entry, `how_many` of them, one entry after the other."""
    ends = np.cumsum(how_many)
    return np.arange(how_many.sum()) - np.repeat(ends - how_many - start, how_many)


def _portions(ends: Ints) -> Iterator[slice]:
    """Entries by the portion, each of about `PORTION` pairs; `ends` counts the pairs up to each entry."""
    cuts = np.searchsorted(ends, np.arange(PORTION, ends[-1], PORTION))
    for first, last in pairwise(np.unique([0, *cuts, ends.size]).tolist()):
        yield slice(first, last)


Coupling = DenseCoupling | SparseCoupling
