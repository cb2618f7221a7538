"""Other outcomes for one design: only Z'y, X'y and y'y change, each outcome in a unit of its own.

Whatever does not depend on the outcome (the engine's units of X and Z, their cross-products, the order of
elimination) stays as the fit has it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.groupings import Grouping
from mixedcore.engine.rows import Rows
from mixedcore.engine.scaling import FixedScaling
from mixedcore.terms import Floats, Ints, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """R outcomes in the engine's units, ys = (y − Xs start) / scale, with unit root mean square.

    start (p, R): least-squares coefficients on Xs; scale (R,)
    Zy : per grouping Z'ys (q, m, R);  Xy (p, R): Xs'ys, zero but for rounding;  yy (R,): ys'ys
    """

    start: Floats
    scale: Floats
    Zy: tuple[Floats, ...]
    Xy: Floats
    yy: Floats

    def take(self, which: Ints) -> Outcomes:
        """Some of the outcomes, by number."""
        Zy = tuple(zy[..., which] for zy in self.Zy)
        return Outcomes(self.start[:, which], self.scale[which], Zy, self.Xy[:, which], self.yy[which])


@dataclass(frozen=True, slots=True, eq=False)
class DesignColumns:
    """The engine's columns of one design on all its rows, times the roots of the weights.

    X (p, n); Z: per grouping a sparse (q·m, n), coefficient j of level f in row j·m + f
    """

    cp: CrossProducts
    X: Floats
    Z: tuple[csr_array, ...]

    @classmethod
    def of(cls, cp: CrossProducts, rows: Rows, terms: tuple[RandomTerm, ...]) -> DesignColumns:
        """From rows in memory."""
        every = next(rows.chunks(size=rows.n))
        X = cp.fixed.basis.values(every, cp.units.moments)
        return cls(cp, X, tuple(_sparse(g, cp, rows, terms) for g in cp.groupings))

    def outcomes(self, Y: Floats) -> Outcomes:
        """Outcomes Y (n, R), rows times the roots of their weights, in the unit that they come in."""
        Y, start = Y.copy(), np.zeros((len(self.X), Y.shape[1]))
        if start.size:
            XtX = self.cp.WW[:-1, :-1]
            for _ in range(2):  # the second time takes what rounding left of the first
                more = np.linalg.solve(XtX, self.X @ Y)
                start += more
                Y -= self.X.T @ more
        scale = np.sqrt(np.einsum("nr,nr->r", Y, Y) / len(Y))
        Y /= np.where(scale > 0, scale, 1.0)
        Zy = tuple(
            np.asarray(Z @ Y).reshape(g.q, g.m, -1) for Z, g in zip(self.Z, self.cp.groupings, strict=True)
        )
        return Outcomes(start, scale, Zy, self.X @ Y, np.einsum("nr,nr->r", Y, Y))


def _sparse(g: Grouping, cp: CrossProducts, rows: Rows, terms: tuple[RandomTerm, ...]) -> csr_array:
    """Z' of one grouping."""
    values, where = [], []
    every = next(rows.chunks(size=rows.n))
    for member in g.members:
        own = cp.scaled_terms[member.term].bases[member.block].values(every, cp.units.moments)
        level = g.order[terms[member.term].blocks[member.block].codes]
        values.append(own.ravel())
        where += [j * g.m + level for j in range(member.columns.start, member.columns.stop)]
    columns = np.tile(np.arange(rows.n), g.q)
    return csr_array((np.concatenate(values), (np.concatenate(where), columns)), shape=(g.q * g.m, rows.n))


def products_of(cp: CrossProducts, found: Outcomes, r: int, fixed: FixedScaling) -> CrossProducts:
    """Cross-products of the same design with outcome r, whose way to the user's units is `fixed`."""
    WW, p = cp.WW.copy(), cp.p
    WW[p, :p] = WW[:p, p] = found.Xy[:, r]
    WW[p, p] = found.yy[r]
    ZW = tuple(np.concatenate([zw[:-1], zy[None, ..., r]]) for zw, zy in zip(cp.ZW, found.Zy, strict=True))
    return replace(cp, WW=WW, ZW=ZW, units=replace(cp.units, fixed=fixed))
