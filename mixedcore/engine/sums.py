"""Second pass over the rows: products of the engine's columns summed over the levels of each grouping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.basis import engine_columns
from mixedcore.engine.moments import Moments
from mixedcore.engine.rows import Chunk
from mixedcore.engine.scaling import EngineUnits, outcome_column
from mixedcore.terms import Floats, Ints

SHORT_RUN = 6  # mean rows in a run of one level from which summing runs beats summing by level


@dataclass(frozen=True, slots=True, eq=False)
class ColumnTable:
    """The distinct columns that the engine sums: affine ones, then mixed ones, then the scaled residual of y.

    numbers, centred, scale (e,): the affine ones; mixed: their columns and the matrix of each mixed set;
    one: the column that is 1 throughout, or −1; fixed (p,): the columns of X; bases: those of each block
    """

    units: EngineUnits
    numbers: Ints
    centred: Mask
    scale: Floats
    mixed: tuple[tuple[Ints, Floats], ...]
    one: int
    fixed: Ints
    bases: tuple[tuple[Ints, ...], ...]
    width: int

    @classmethod
    def of(cls, units: EngineUnits, *, weighted: bool) -> ColumnTable:
        """The table of a model; no column is 1 throughout where rows are `weighted`."""
        every = [units.fixed.basis, *(basis for term in units.terms for basis in term.bases)]
        keys: dict[tuple[int, bool], float] = {}
        for basis in every:
            keys |= {(int(j), bool(c)): float(s) for j, c, s in basis.affine.columns()}
        position = {key: e for e, key in enumerate(keys)}
        mixed, placed, width = [], [], len(keys)
        for basis in every:
            own = np.array([position[int(j), bool(c)] for j, c, _ in basis.affine.columns()], dtype=np.intp)
            if basis.by_row and basis.mix is not None:
                mixed.append((own, basis.mix))
                own, width = np.arange(width, width + own.size), width + own.size
            placed.append(own)
        blocks = iter(placed[1:])
        return cls(
            units=units,
            numbers=np.array([j for j, _ in keys], dtype=np.intp),
            centred=np.array([c for _, c in keys], dtype=bool),
            scale=np.array(list(keys.values())),
            mixed=tuple(mixed),
            one=-1 if weighted else _one(keys, units.moments),
            fixed=placed[0],
            bases=tuple(tuple(next(blocks) for _ in term.bases) for term in units.terms),
            width=width + 1,
        )

    def values(self, chunk: Chunk) -> Floats:
        """All columns on some rows, times the root of the rows' weights, (width, r)."""
        moments, fixed = self.units.moments, self.units.fixed
        out = np.empty((self.width, len(chunk.columns[-1])))
        first = self.numbers.size
        affine = engine_columns(chunk, moments, self.numbers, self.centred, self.scale, out=out[:first])
        for own, mix in self.mixed:
            np.matmul(mix.T, affine[own], out=out[first : first + own.size])
            first += own.size
        rest = outcome_column(chunk, moments, self.units.layout.outcome, fixed.about_mean)
        np.subtract(rest, fixed.start @ self.of_fixed(out), out=out[-1])
        out[-1] /= fixed.y_scale
        return out

    def of_fixed(self, values: Floats) -> Floats:
        """The rows of `values` that are columns of X: the first, unless X is mixed or one stands twice."""
        p = self.fixed.size
        return values[:p] if np.array_equal(self.fixed, np.arange(p)) else values[self.fixed]


def _one(keys: dict[tuple[int, bool], float], moments: Moments) -> int:
    """Position of a column that, as the engine scales it, is 1 in every row."""
    for e, ((j, centred), scale) in enumerate(keys.items()):
        if not centred and moments.low[j] == moments.high[j] and moments.low[j] * scale == 1.0:
            return e
    return -1


@dataclass(slots=True, eq=False)
class LevelSums:
    """Sums over m levels of products of columns: `products` are pairs of columns, `total` (pairs, m)."""

    m: int
    products: dict[tuple[int, int], int] = field(default_factory=dict)
    total: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def want(self, left: Iterable[int], right: Iterable[int]) -> None:
        """Ask for the products of two sets of columns, before any are added."""
        right = list(right)
        for i in left:
            for j in right:
                self.products.setdefault((min(i, j), max(i, j)), len(self.products))

    def add(self, columns: Floats, one: int, codes: Ints) -> None:
        """Add rows: columns (width, r), codes (r,) their levels; column `one` is 1 throughout."""
        if not self.total.size:
            self.total = np.zeros((len(self.products), self.m))
        values = np.empty((len(self.products), codes.size))
        for (i, j), e in self.products.items():
            if i == one or j == one:
                values[e] = columns[j if i == one else i]
            else:
                np.multiply(columns[i], columns[j], out=values[e])
        breaks = np.flatnonzero(codes[1:] != codes[:-1]) + 1
        starts = np.concatenate([np.zeros(1, dtype=np.intp), breaks])
        if starts.size * SHORT_RUN <= codes.size and (codes[1:] >= codes[:-1]).all():
            self.total[:, codes[starts]] += np.add.reduceat(values, starts, axis=1)
            return
        for row, value in zip(self.total, values, strict=True):
            row += np.bincount(codes, value, minlength=self.m)

    def __add__(self, other: LevelSums) -> LevelSums:
        """Both sums, of the same products."""
        if not self.total.size or not other.total.size:
            return self if self.total.size else other
        return LevelSums(self.m, self.products, self.total + other.total)

    def blocks(self, left: Sequence[int], right: Sequence[int]) -> Floats:
        """The sums for two sets of columns, (left, right, m)."""
        where = [[self.products[min(i, j), max(i, j)] for j in right] for i in left]
        return self.total[np.array(where, dtype=np.intp).reshape(len(left), len(right))]
