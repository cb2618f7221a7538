"""Cross-products free of θ, formed once per fit: nothing after this file depends on the number of rows.

Two passes over chunks of rows: moments of all columns (`moments`), from which the engine's units follow, then
sums over the levels of products of the engine's columns. Sums add over chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mixedcore.engine.blocks import apply, sum_by, transpose
from mixedcore.engine.groupings import Grouping, Groupings, arrange, offsets_of
from mixedcore.engine.moments import Moments, moments
from mixedcore.engine.rows import CHUNK, Chunk, Rows, gather
from mixedcore.engine.scaling import EngineUnits, FixedScaling, ScaledTerm, engine_units
from mixedcore.engine.sums import ColumnTable, LevelSums
from mixedcore.errors import ModelError
from mixedcore.terms import Floats, Ints, RandomTerm

SAME = 1e-12  # squared share of a covariate outside another term
ROOM = 4  # rows of a chunk for each level, so that adding up the chunks' sums stays cheap


@dataclass(frozen=True, eq=False)
class Pairs:
    """Z_s'Z_t of two groupings: blocks `values` (q_s, q_t, nnz) at levels rows (nnz,) of s, cols (nnz,) of t.

    Sorted by row, then column; shape (m_s, m_t).
    """

    rows: Ints
    cols: Ints
    values: Floats
    shape: tuple[int, int]

    def times(self, columns: Floats) -> Floats:
        """Z_s'Z_t times columns (w, q_t, m_t): (w, q_s, m_s)."""
        if self.rows.size == self.shape[0]:  # each level of s meets one of t: they are nested
            return apply(self.values, columns[:, :, self.cols])
        out = np.zeros((len(columns), self.values.shape[0], self.shape[0]))
        for i, j in np.ndindex(self.values.shape[:2]):
            out[:, i] += (self._matrix(i, j) @ columns[:, j].T).T
        return out

    def transposed_times(self, columns: Floats) -> Floats:
        """Z_t'Z_s times columns (w, q_s, m_s): (w, q_t, m_t)."""
        if self.rows.size == self.shape[0]:
            return sum_by(apply(transpose(self.values), columns), self.cols, self.shape[1])
        out = np.zeros((len(columns), self.values.shape[1], self.shape[1]))
        for i, j in np.ndindex(self.values.shape[:2]):
            out[:, j] += (self._matrix(i, j).T @ columns[:, i].T).T
        return out

    def _matrix(self, i: int, j: int) -> csr_array:
        """Entries (i, j) of all blocks as a matrix (m_s, m_t)."""
        return csr_array((self.values[i, j], *self._pattern), shape=self.shape)

    @cached_property
    def _pattern(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Column numbers and row starts of such a matrix, in SciPy's own integers."""
        counts = np.bincount(self.rows, minlength=self.shape[0])
        return self.cols.astype(np.int32), np.append(0, np.cumsum(counts)).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class CrossProducts:
    """What the criterion needs of the data; W = [X y] in the engine's units, prior weights in every row.

    groupings : T, by decreasing number of levels; nested and parents as in `Groupings`
    ZZ        : per grouping Z_t'Z_t (q, q, m)
    ZW        : per grouping Z_t'W, (p + 1, q, m)
    pairs     : pairs[s, t] for s < t; for s < t < nested they hold one block a row
    WW        : (p + 1, p + 1)
    """

    n: int
    p: int
    k: int
    groupings: tuple[Grouping, ...]
    nested: int
    parents: dict[tuple[int, int], Ints]
    ZZ: tuple[Floats, ...]
    ZW: tuple[Floats, ...]
    pairs: dict[tuple[int, int], Pairs]
    WW: Floats
    units: EngineUnits
    offsets: tuple[int, ...]

    @property
    def fixed(self) -> FixedScaling:
        """The fixed part's units."""
        return self.units.fixed

    @property
    def log_weights(self) -> float:
        """Σ log w over the rows; 0 without prior weights."""
        return self.units.moments.log_weights

    @property
    def scaled_terms(self) -> tuple[ScaledTerm, ...]:
        """The random terms' units."""
        return self.units.terms


def cross_products(
    y: Floats,
    X: Floats,
    terms: tuple[RandomTerm, ...],
    weights: Floats | None = None,
    names: Sequence[str] | None = None,
) -> CrossProducts:
    """Form the cross-products of outcome y (n,), fixed design X (n, p) and random terms; weights (n,).

    names : of the columns of X and of y, for messages
    Raises ModelError when the fixed part leaves no variation.
    """
    return sum_rows(gather(y, X, terms, weights, names), terms)


def sum_rows(rows: Rows, terms: tuple[RandomTerm, ...]) -> CrossProducts:
    """Cross-products of rows in memory."""
    groupings, codes, pair_of = arrange(terms)
    units = engine_units(rows.layout, terms, moments(rows.chunks()), rows.chunks)
    check_distinct(terms, groupings, units)
    sums = RowSums.of(units, groupings, weighted=rows.weights is not None)
    size = max([CHUNK, *(ROOM * each.m for each in sums.by_level)])
    for chunk in rows.chunks([*codes, *pair_of.values()], size):
        sums.add(chunk)
    return assemble(terms, units, groupings, sums)


@dataclass(frozen=True, slots=True, eq=False)
class RowSums:
    """All sums over rows: one `LevelSums` a grouping, then one a pair of groupings that meet, beside W'W.

    A chunk's codes stand in the same order.
    """

    table: ColumnTable
    by_level: tuple[LevelSums, ...]
    XtX: Floats  # (p, p), from the moments unless X is mixed row by row
    to_rest: Floats  # (p + 1,): [X y]'y, summed row by row

    @classmethod
    def of(cls, units: EngineUnits, groupings: Groupings, *, weighted: bool) -> RowSums:
        """Nothing summed yet."""
        table = ColumnTable.of(units, weighted=weighted)
        columns = [_columns(g, table) for g in groupings.each]
        W = [*table.fixed.tolist(), table.width - 1]
        sums = [LevelSums(g.m) for g in groupings.each]
        for s, (own, total) in enumerate(zip(columns, sums, strict=True)):
            total.want(own, own)
            total.want(own, W)
            for t in range(s + 1, groupings.nested):
                total.want(own, columns[t])
        for (s, t), (rows, _) in groupings.meet.items():
            sums.append(LevelSums(rows.size))
            sums[-1].want(columns[s], columns[t])
        basis = units.fixed.basis
        XtX = basis.gram * (0.0 if basis.by_row else units.moments.n)
        return cls(table, tuple(sums), XtX, np.zeros(len(W)))

    def __add__(self, other: RowSums) -> RowSums:
        """The sums over both sets of rows, of one model in the same units."""
        XtX = self.XtX + other.XtX if self.table.units.fixed.basis.by_row else self.XtX
        by_level = tuple(a + b for a, b in zip(self.by_level, other.by_level, strict=True))
        return RowSums(self.table, by_level, XtX, self.to_rest + other.to_rest)

    def add(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        columns = self.table.values(chunk)
        for total, codes in zip(self.by_level, chunk.codes, strict=True):
            total.add(columns, self.table.one, codes)
        X = self.table.of_fixed(columns)
        if self.table.units.fixed.basis.by_row:
            self.XtX[:] += X @ X.T
        self.to_rest[:-1] += X @ columns[-1]
        self.to_rest[-1] += columns[-1] @ columns[-1]


def _columns(g: Grouping, table: ColumnTable) -> list[int]:
    """Columns of a grouping's coefficients in the table."""
    return [int(j) for member in g.members for j in table.bases[member.term][member.block]]


def assemble(
    terms: Sequence[RandomTerm], units: EngineUnits, groupings: Groupings, sums: RowSums
) -> CrossProducts:
    """The cross-products in the engine's units from the sums over all rows."""
    each, table = groupings.each, sums.table
    columns = [_columns(g, table) for g in each]
    mixes = [_mix(g, units.terms) for g in each]
    W = [*table.fixed.tolist(), table.width - 1]
    ZZ, ZW, pairs = [], [], {}
    for t, total in enumerate(sums.by_level[: len(each)]):
        ZZ.append(_mixed(mixes[t], total.blocks(columns[t], columns[t]), mixes[t]))
        ZW.append(_mixed(None, total.blocks(W, columns[t]), mixes[t]))
        for u in range(t + 1, groupings.nested):
            blocks = _mixed(mixes[t], total.blocks(columns[t], columns[u]), mixes[u])
            shape = each[t].m, each[u].m
            pairs[t, u] = Pairs(np.arange(each[t].m), groupings.parents[t, u], blocks, shape)
    for ((s, t), (rows, cols)), total in zip(groupings.meet.items(), sums.by_level[len(each) :], strict=True):
        blocks = _mixed(mixes[s], total.blocks(columns[s], columns[t]), mixes[t])
        pairs[s, t] = Pairs(rows, cols, blocks, (each[s].m, each[t].m))
    p = table.fixed.size
    WW = np.empty((p + 1, p + 1))
    WW[:p, :p], WW[p], WW[:, p] = sums.XtX, sums.to_rest, sums.to_rest
    return CrossProducts(
        n=units.moments.n,
        p=p,
        k=offsets_of(terms)[-1],
        groupings=each,
        nested=groupings.nested,
        parents=groupings.parents,
        ZZ=tuple(ZZ),
        ZW=tuple(ZW),
        pairs=pairs,
        WW=WW,
        units=units,
        offsets=offsets_of(terms),
    )


def _mix(g: Grouping, scaled: Sequence[ScaledTerm]) -> Floats | None:
    """What makes a grouping's coefficients of its columns' sums, (q, q); None where nothing has to."""
    whole, mixes = np.eye(g.q), False
    for member in g.members:
        basis = scaled[member.term].bases[member.block]
        if basis.mix is not None and not basis.by_row:
            whole[member.columns, member.columns], mixes = basis.mix, True
    return whole if mixes else None


def _mixed(left: Floats | None, blocks: Floats, right: Floats | None) -> Floats:
    """left' · blocks · right for blocks (a, b, m)."""
    if right is not None:
        blocks = np.matmul(right.T, blocks)
    if left is not None:
        a, b, m = blocks.shape
        blocks = (left.T @ blocks.reshape(a, b * m)).reshape(a, b, m)
    return blocks


def check_distinct(terms: Sequence[RandomTerm], groupings: Groupings, units: EngineUnits) -> None:
    """ModelError for a covariate that another term has on the same levels."""
    for g in groupings.each:
        for own in g.members:
            if len(units.terms[own.term].bases) > 1 or own.columns.stop - own.columns.start > 1:
                continue
            for other in g.members:
                if other.term != own.term and len(units.terms[other.term].bases) == 1:
                    _check_apart(terms, units, own.term, other.term)


def _check_apart(terms: Sequence[RandomTerm], units: EngineUnits, one: int, two: int) -> None:
    column, basis = (units.layout.bases[t][0] for t in (one, two))
    groups = [basis] if terms[two].structure == "full" else list(basis[:, None])
    if any(_within(column, own, units.moments) for own in groups):
        first, second = sorted((terms[one].name, terms[two].name))
        raise ModelError(
            f"The random terms {first} and {second} give the same rows the same effect, so their "
            "variances cannot be told apart; take one of them out."
        )


def _within(column: Ints, basis: Ints, found: Moments) -> bool:
    """Whether a column is a combination of the columns of a basis, by number."""
    raw = {1: np.zeros(1, dtype=bool), basis.size: np.zeros(basis.size, dtype=bool)}
    size = float(found.products(column, column, (raw[1], raw[1]))[0, 0])
    gram = found.products(basis, basis, (raw[basis.size], raw[basis.size]))
    along = found.products(basis, column, (raw[basis.size], raw[1]))[:, 0]
    return size > 0 and size - float(along @ np.linalg.lstsq(gram, along)[0]) < SAME * size
