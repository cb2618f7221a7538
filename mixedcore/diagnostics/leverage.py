"""Leverage: the diagonal of the hat matrix, without the matrix.

With ŷ = Xβ + Zb = H y at the estimated variances, M = (X'V⁻¹X)⁻¹, H_b = (Z'Z + Ψ⁻¹)⁻¹, B = H_b Z'X, and rows
times the root of their weights,

    h_i = z_i' H_b z_i + (x_i − B'z_i)' M (x_i − B'z_i),    V⁻¹X = X − ZB.

A row has one level in each grouping, so H_b is needed only between levels that meet in a row: the selected
inverse. The sum of h is the effective number of parameters of Hodges & Sargent (2001), Biometrika 88(2).
Demidenko & Stukel (2005), Stat. Med. 24(6); equal to lme4's `hatvalues`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.estimate import Estimate
from mixedcore.engine.groupings import Grouping, arrange
from mixedcore.engine.rows import Chunk, Rows
from mixedcore.errors import rows_not_kept
from mixedcore.terms import Floats
from mixedcore.units import UserUnits


@dataclass(frozen=True, slots=True, eq=False)
class Leverage:
    """Leverage of each row, split; in the engine's units, rows times the root of their weights.

    given_fixed : (n,) z'H_b z, leverage were β known
    added       : (n,) what estimating β adds
    rest        : (p, n) the rows of V⁻¹X
    """

    given_fixed: Floats
    added: Floats
    rest: Floats

    @property
    def total(self) -> Floats:
        """h, (n,), at most 1."""
        return np.minimum(self.given_fixed + self.added, 1.0)


def kept_rows(user: UserUnits, what: str) -> Rows:
    """The rows in memory; DataError where they were read in chunks, of which there is no `what`."""
    if not isinstance(user.rows, Rows):
        raise rows_not_kept(what)
    return user.rows


def leverage(found: Estimate, rows: Rows) -> Leverage:
    """Leverage of every row of a fit at its variances; O(n) for given numbers of coefficients."""
    point, cp = found.evaluation, found.evaluation.cp
    _, codes, pair_of = arrange(found.terms)
    given, rest, end = np.empty(rows.n), np.empty((cp.p, rows.n)), 0
    for chunk in rows.chunks([*codes, *pair_of.values()]):
        level, met = chunk.codes[: len(codes)], chunk.codes[len(codes) :]
        own, pair = slice(end, end + level[0].size), dict(zip(pair_of, met, strict=True))
        z = [level_columns(g, cp, chunk) for g in cp.groupings]
        h = [quadratic(a, H[:, :, f], a) for a, H, f in zip(z, point.faces.H, level, strict=True)]
        for (s, t), H in point.faces.across.items():  # nested levels pair off: the pair is the finer one
            h.append(2 * quadratic(z[s], H[:, :, pair.get((s, t), level[s])], z[t]))
        X = cp.fixed.basis.values(chunk, cp.units.moments)
        for a, b, f in zip(z, point.solution.b, level, strict=True):
            X -= np.einsum("qr,wqr->wr", a, b[:-1][:, :, f])
        given[own], rest[:, own], end = sum(h), X, own.stop
    return Leverage(given, ((point.R_inverse.T @ rest) ** 2).sum(axis=0), rest)


def level_columns(g: Grouping, cp: CrossProducts, chunk: Chunk) -> Floats:
    """The covariates of a grouping on some rows, (q, r), in the engine's units."""
    bases = [cp.scaled_terms[member.term].bases[member.block] for member in g.members]
    return np.concatenate([basis.values(chunk, cp.units.moments) for basis in bases])


def quadratic(left: Floats, H: Floats, right: Floats) -> Floats:
    """left'H right for each row: (q, r), (q, s, r), (s, r) → (r,)."""
    return np.asarray((left * np.einsum("qsr,sr->qr", H, right)).sum(axis=0))
