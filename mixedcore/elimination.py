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

from mixedcore.crossproducts import CrossProducts
from mixedcore.terms import Floats, Ints


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

    def cell(self, row: Ints, col: Ints) -> Ints:
        """Cell of (row, col), two coefficients of one component."""
        out: Ints = self.row_start[row] + col - self.origin[row]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Coupling:
    """Z_k'Z_R of one eliminated grouping: entry e joins level `level[e]` and coefficient `coef[e]`.

    Entries stand by level, then coefficient. `starts` (m,) first entry of each level. Pairs of entries of one
    level, first ≥ second, land in `cell`; `pair_starts`, `pair_counts` (m,) are the pairs of each level,
    `twice` (pairs,) is 2 off the diagonal and 1 on it, and `products` (pairs,) the products of their values
    for the first grouping, if q = 1.
    """

    level: Ints
    coef: Ints
    starts: Ints
    values: Floats  # (q, nnz)
    first: Ints
    second: Ints
    pair_starts: Ints
    pair_counts: Ints
    cell: Ints
    twice: Floats
    products: Floats | None

    def pair_products(self, values: Floats) -> Floats:
        """Products of the values (1, nnz) of each pair; formed once where nothing precedes the grouping."""
        if values is self.values and self.products is not None:
            return self.products
        out: Floats = values[0, self.first] * values[0, self.second]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything symbolic. run_starts[k, t] (m_t,): first level of k inside each level of t.

    lift[k, t] (nnz_k,): entry of t's coupling that holds the parent's entry for each entry of k's.
    """

    run_starts: dict[tuple[int, int], Ints]
    lift: dict[tuple[int, int], Ints]
    couplings: tuple[Coupling, ...]
    remainder: Remainder | None
    dense: Floats  # (cells,) Z_R'Z_R


def plan(cp: CrossProducts) -> Plan:
    """Lay out the elimination of these cross-products."""
    run_starts = {(k, t): np.flatnonzero(np.diff(up, prepend=-1)) for (k, t), up in cp.parents.items()}
    if cp.nested == len(cp.groupings):
        return Plan(run_starts, {}, (), None, np.zeros(0))
    remainder = _remainder(cp)
    couplings = tuple(_coupling(cp, k, remainder) for k in range(cp.nested))
    lift = {
        (k, t): _lift(couplings[k], couplings[t], up, remainder.size) for (k, t), up in cp.parents.items()
    }
    return Plan(run_starts, lift, couplings, remainder, _dense(cp, remainder))


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


def _coupling(cp: CrossProducts, k: int, remainder: Remainder) -> Coupling:
    level, coef, values = [], [], []
    for t in range(cp.nested, len(cp.groupings)):
        pairs = cp.pairs[k, t]
        for j in range(cp.groupings[t].q):
            level.append(pairs.rows)
            coef.append(remainder.position[t - cp.nested][pairs.cols] + j)
            values.append(pairs.values[:, j])
    rows, cols = np.concatenate(level), np.concatenate(coef)
    order = np.lexsort((cols, rows))
    rows, cols = rows[order], cols[order]
    counts = np.bincount(rows, minlength=cp.groupings[k].m)
    starts = np.cumsum(counts) - counts
    first, second = _pairs_within(rows, counts, starts)
    entries = np.ascontiguousarray(np.concatenate(values, axis=1)[:, order])
    pair_counts = counts * (counts + 1) // 2
    return Coupling(
        level=rows,
        coef=cols,
        starts=starts,
        values=entries,
        first=first,
        second=second,
        pair_starts=np.cumsum(pair_counts) - pair_counts,
        pair_counts=pair_counts,
        cell=remainder.cell(cols[first], cols[second]),
        twice=np.where(first == second, 1.0, 2.0),
        products=entries[0, first] * entries[0, second] if k == 0 and len(entries) == 1 else None,
    )


def _pairs_within(level: Ints, counts: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """All pairs of entries first ≥ second of one level, by level."""
    how_many = np.arange(level.size) - starts[level] + 1
    first = np.repeat(np.arange(level.size), how_many)
    begins = np.cumsum(how_many) - how_many
    second = np.arange(first.size) - begins[first] + starts[level[first]]
    return first, second


def _lift(fine: Coupling, coarse: Coupling, parent: Ints, size: int) -> Ints:
    return np.searchsorted(coarse.level * size + coarse.coef, parent[fine.level] * size + fine.coef)


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
