"""The order of elimination and where every update lands: the symbolic part of the factor, free of θ.

The nested groupings 1 … E are eliminated level by level, each block on its own. What is left, the remainder,
is dense; it is split into connected components, and components of like size are stored as one stack
(c, s, s), padded with coefficients that no row uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mixedcore.engine.couplings import Coupling, DenseCoupling, SparseCoupling
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.terms import Floats, Ints

GEMM_ADVANTAGE = 16.0  # multiplications of a dense product in the time of one that is looked up
MOST_DENSE = 5e7  # numbers in a dense coupling
FEWER = 2  # levels for each distinct Z_f'Z_f from which summing equal ones beforehand pays


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Components of one shape: `count` matrices of `size` × `size`, coefficients grouping by grouping.

    first  : position of the stack's first coefficient among all padded ones of the remainder
    flat   : position of its first matrix cell among all cells of the remainder
    levels : levels of each remainder grouping in one component, padding included
    """

    count: int
    size: int
    first: int
    flat: int
    levels: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Remainder:
    """Layout of the dense part.

    position : per remainder grouping (m,), padded position of each level's first coefficient
    """

    stacks: tuple[Stack, ...]
    position: tuple[Ints, ...]
    size: int
    cells: int
    row_start: Ints  # (size,) cell of column 0 of each coefficient's row
    origin: Ints  # (size,) first coefficient of its component

    @property
    def diagonal(self) -> Ints:
        """Cell of each coefficient with itself, (size,)."""
        return self.cell(np.arange(self.size), np.arange(self.size))

    def cell(self, row: Ints, col: Ints) -> Ints:
        """Cell of (row, col), two coefficients of one component."""
        out: Ints = self.row_start[row] + col - self.origin[row]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything symbolic. run_starts[k, t] (m_t,): first level of k inside each level of t."""

    run_starts: dict[tuple[int, int], Ints]
    couplings: tuple[Coupling, ...]
    remainder: Remainder | None
    dense: Floats  # (cells,) Z_R'Z_R


def plan(cp: CrossProducts) -> Plan:
    """Lay out the elimination of these cross-products."""
    run_starts = {(k, t): np.flatnonzero(np.diff(up, prepend=-1)) for (k, t), up in cp.parents.items()}
    if cp.nested == len(cp.groupings):
        return Plan(run_starts, (), None, np.zeros(0))
    remainder = _remainder(cp)
    entries = [_entries(cp, k, remainder) for k in range(cp.nested)]
    couple = _dense_coupling if _pays_dense(cp, entries, remainder) else _sparse_coupling
    couplings = tuple(couple(cp, k, entries, remainder, run_starts) for k in range(cp.nested))
    return Plan(run_starts, couplings, remainder, _dense(cp, remainder))


def _components(cp: CrossProducts) -> tuple[int, list[Ints]]:
    """Number of connected components, and the component of each level of each remainder grouping."""
    m = np.array([g.m for g in cp.groupings])
    first = np.cumsum([0, *m[:-1]])
    rows = np.concatenate([p.rows + first[s] for (s, _), p in cp.pairs.items()] or [np.zeros(0, np.intp)])
    cols = np.concatenate([p.cols + first[t] for (_, t), p in cp.pairs.items()] or [np.zeros(0, np.intp)])
    graph = coo_array((np.ones(rows.size), (rows, cols)), shape=(m.sum(), m.sum()))
    count, labels = connected_components(graph, directed=False)
    return count, [labels[first[t] : first[t] + m[t]].astype(np.intp) for t in range(cp.nested, len(m))]


def _remainder(cp: CrossProducts) -> Remainder:
    count, component = _components(cp)
    widths = [g.q for g in cp.groupings[cp.nested :]]
    levels = np.array([np.bincount(c, minlength=count) for c in component])  # (groupings, components)
    stack_of = np.unique(_shape_class(np.array(widths) @ levels), return_inverse=True)[1]
    stacks: list[Stack] = []
    base = np.zeros(count, dtype=np.intp)
    inside = np.zeros((len(widths), count), dtype=np.intp)
    size = cells = 0
    for number in range(stack_of.max() + 1):
        members = np.flatnonzero(stack_of == number)
        room = levels[:, members].max(axis=1)
        length = int(room @ widths)
        stacks.append(Stack(members.size, length, size, cells, tuple(int(r) for r in room)))
        base[members] = size + length * np.arange(members.size)
        inside[:, members] = np.cumsum([0, *(room * widths)[:-1]])[:, None]
        size += length * members.size
        cells += length * length * members.size
    position = tuple(
        base[c] + inside[t, c] + widths[t] * _rank_within(c, count) for t, c in enumerate(component)
    )
    row_start = np.concatenate([s.flat + s.size * np.arange(s.count * s.size) for s in stacks])
    origin = np.concatenate([s.first + np.repeat(np.arange(s.count), s.size) * s.size for s in stacks])
    return Remainder(tuple(stacks), position, size, cells, row_start, origin)


def _shape_class(size: Ints) -> Ints:
    """Components whose sizes differ by less than a fifth share a stack: little padding, few stacks."""
    out: Ints = np.floor(np.log(size) / np.log(1.2)).astype(np.intp)
    return out


def _rank_within(label: Ints, count: int) -> Ints:
    """0, 1, 2, … within equal labels, in order."""
    order = np.argsort(label, kind="stable")
    begins = np.cumsum([0, *np.bincount(label, minlength=count)[:-1]])
    rank = np.empty_like(label, dtype=np.intp)
    rank[order] = np.arange(label.size) - begins[label[order]]
    return rank


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Level, coefficient and values (q, nnz) of all couplings of a grouping, by level, then coefficient."""

    level: Ints
    coef: Ints
    values: Floats

    @property
    def per_level(self) -> Ints:
        """Entries of each level that has any."""
        return np.diff(np.flatnonzero(np.diff(self.level, prepend=-1)), append=self.level.size)


def _entries(cp: CrossProducts, k: int, remainder: Remainder) -> _Entries:
    level, coef, values = [], [], []
    for t in range(cp.nested, len(cp.groupings)):
        pairs = cp.pairs[k, t]
        for j in range(cp.groupings[t].q):
            level.append(pairs.rows)
            coef.append(remainder.position[t - cp.nested][pairs.cols] + j)
            values.append(pairs.values[:, j])
    rows, cols = np.concatenate(level), np.concatenate(coef)
    order = np.argsort(rows * remainder.size + cols)
    together = np.ascontiguousarray(np.concatenate(values, axis=1)[:, order])
    return _Entries(rows[order], cols[order], together)


def _pays_dense(cp: CrossProducts, entries: list[_Entries], remainder: Remainder) -> bool:
    """Whether matrix products over all coefficients are faster than sums over the pairs that meet."""
    q = np.array([g.q for g in cp.groupings[: cp.nested]], dtype=float)
    m = np.array([g.m for g in cp.groupings[: cp.nested]], dtype=float)
    pairs = np.array([float(e.per_level @ (e.per_level + 1)) / 2 for e in entries])
    one_matrix = len(remainder.stacks) == 1 and remainder.stacks[0].count == 1
    fits = (m * q).sum() * remainder.size < MOST_DENSE
    return bool(one_matrix and fits and (m * q).sum() * remainder.size**2 < GEMM_ADVANTAGE * (pairs @ q**2))


def _dense_coupling(
    cp: CrossProducts,
    k: int,
    entries: list[_Entries],
    remainder: Remainder,
    run_starts: dict[tuple[int, int], Ints],
) -> DenseCoupling:
    own, later = entries[k], range(k + 1, cp.nested)
    values = np.zeros((cp.groupings[k].q, cp.groupings[k].m, remainder.size))
    values[:, own.level, own.coef] = own.values
    parents = {t: cp.parents[k, t] for t in later}
    return DenseCoupling(values, remainder.size, parents, {t: run_starts[k, t] for t in later})


def _sparse_coupling(
    cp: CrossProducts,
    k: int,
    entries: list[_Entries],
    remainder: Remainder,
    run_starts: dict[tuple[int, int], Ints],
) -> SparseCoupling:
    own, later = entries[k], range(k + 1, cp.nested)
    counts = np.bincount(own.level, minlength=cp.groupings[k].m)
    keys = {t: entries[t].level * remainder.size + entries[t].coef for t in later}
    return SparseCoupling(
        values=own.values,
        level=own.level,
        coef=own.coef,
        starts=np.cumsum(counts) - counts,
        remainder=remainder,
        lifts={
            t: np.searchsorted(key, cp.parents[k, t][own.level] * remainder.size + own.coef)
            for t, key in keys.items()
        },
        sizes={t: key.size for t, key in keys.items()},
        alike=_alike(cp.ZZ[0][0, 0], own, remainder) if k == 0 and cp.groupings[0].q == 1 else None,
    )


def _alike(ZZ: Floats, own: _Entries, remainder: Remainder) -> Ints | None:
    """The number of each level's Z_f'Z_f among the distinct ones, if these are few enough."""
    distinct, number = np.unique(ZZ, return_inverse=True)
    few = FEWER * distinct.size <= ZZ.size
    return number if few and distinct.size * remainder.size <= own.per_level @ own.per_level else None


def _dense(cp: CrossProducts, remainder: Remainder) -> Floats:
    """Cells of Z_R'Z_R, lower and upper."""
    out = np.zeros(remainder.cells)
    for t in range(cp.nested, len(cp.groupings)):
        at = remainder.position[t - cp.nested]
        _scatter(out, remainder, at, at, cp.ZZ[t])
        for s in range(cp.nested, t):
            pairs = cp.pairs[s, t]
            rows, cols = remainder.position[s - cp.nested][pairs.rows], at[pairs.cols]
            _scatter(out, remainder, rows, cols, pairs.values)
            _scatter(out, remainder, cols, rows, pairs.values.swapaxes(0, 1))
    return out


def _scatter(out: Floats, remainder: Remainder, rows: Ints, cols: Ints, values: Floats) -> None:
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            out[remainder.cell(rows + i, cols + j)] = values[i, j]
