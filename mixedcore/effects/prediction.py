"""Uncertainty of what a fit says of rows, from the joint covariance of β̂ and b̂ − b.

With C the coefficient matrix of Henderson's mixed-model equations, given the variance parameters,

    var(x'(β̂ − β) + z'(b̂ − b)) = σ² [x z] C⁻¹ [x z]' = σ² ( z'Hz + d'(X'V⁻¹X)⁻¹d ),   d = x − X'ZHz,

H = (Ψ⁻¹ + Z'Z)⁻¹ being the covariance of b̂ − b over σ² where β is known. Henderson (1975), Biometrics 31;
McLean, Sanders & Stroup (1991), Am. Stat. 45(1). HZ'X is part of every evaluation, and so are the diagonal
faces of H; its other faces, which rows with several random terms need, come from solves with the factor.

These variances depend on estimated variance parameters as those of contrasts do, and Satterthwaite's degrees
of freedom say how much: Giesbrecht & Burns (1985), Biometrics 41; for predicted effects Kackar & Harville
(1984), J. Am. Stat. Assoc. 79.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.design.new import Piece
from mixedcore.engine.criterion import Evaluation, dense_rows
from mixedcore.engine.factor import Border, Solution, reduce, solve
from mixedcore.inference.derivatives import derivative
from mixedcore.inference.information import VarianceInformation
from mixedcore.inference.satterthwaite import covariance_slopes
from mixedcore.terms import Floats, Ints, RandomTerm
from mixedcore.units import UserUnits, free_entries

CELLS = 4_000_000  # numbers in one array of a solve, or of a chunk of rows
MOST_COLUMNS = 256


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A piece in the engine's coefficients, seen levels only: columns of a grouping, levels (k,), z (q, k).

    A level that the row does not have, or that the fit has not seen, is 0 with z of zeros.
    """

    grouping: int
    columns: slice
    levels: Ints
    z: Floats

    @property
    def used(self) -> Ints:
        """Levels that some row has, sorted."""
        return np.unique(self.levels)


def random_means(user: UserUnits, pieces: Sequence[Piece], k: int) -> Floats:
    """Σ z'b̂ over the pieces, (k,), in the outcome's units; a level that the fit has not seen adds nothing."""
    total = np.zeros(k)
    for part in _parts(user, pieces):
        modes = user.estimate.evaluation.modes[part.grouping][part.columns]
        total += np.einsum("qk,qk->k", part.z, modes[:, part.levels])
    return np.asarray(user.y_scale * total)


@dataclass(frozen=True, eq=False)
class PredictionErrors:
    """What the errors of k predictions are made of: x'(β̂ − β) + Σ z'(b̂ − b) − Σ z'b − ε.

    X     : (k, p) columns in the model, without aliased ones
    known : pieces whose b̂ belongs to the prediction; b̂ = 0 for levels that the fit has not seen
    new   : pieces left out of it, whose levels count as new ones
    noise : (k,) or a number: variance of ε over σ², 0 where a mean is predicted, not an observation
    """

    user: UserUnits
    X: Floats
    known: Sequence[Piece]
    new: Sequence[Piece] = ()
    noise: Floats | float = 0.0

    def variance(self) -> Floats:
        """Variances (k,) of the errors, given the variance parameters, in the outcome's units squared."""
        estimated = self._of_estimates(self.user.estimate.evaluation)
        return np.asarray(
            self.user.sigma2 * (estimated + self._of_new_levels @ self.user.ratios + self.noise)
        )

    def df(self, info: VarianceInformation) -> Floats:
        """Satterthwaite's degrees of freedom 2v² / (∇v' A ∇v) of each variance v, (k,)."""
        slopes = self._slopes(info)
        spread = np.einsum("rk,kl,rl->r", slopes, info.cov_by_root, slopes)
        square = 2 * self.variance() ** 2
        return np.asarray(np.divide(square, spread, out=np.full(len(spread), np.inf), where=spread > 0))

    def _slopes(self, info: VarianceInformation) -> Floats:
        """∂ variance/∂(c, σ²) with (c, σ²) in the engine's units, (k, K + 1); c as in `derivatives`."""
        user, J = self.user, info.coordinates.J
        along = user.sigma2 * (self._of_new_levels @ info.to_user @ J)
        point, parts = info.evaluation, self._parts
        if not parts:
            along += np.einsum("rp,kpq,rq->rk", self.X, covariance_slopes(info)[:-1], self.X)
        elif len(self.X) * sum(g.q * g.m for g in point.cp.groupings) <= CELLS:
            along += user.sigma2 * (self._slopes_of_few(point) @ J)
        else:
            along += user.sigma2 * derivative(point, self._of_estimates, J).T
        return np.column_stack([along, self.variance() * user.y_scale**2 / user.sigma2])

    def _slopes_of_few(self, point: Evaluation) -> Floats:
        """∂ of the part of estimates/∂ψ in the engine's units, (k, K), from every level's share in each row.

        A prediction λ'y has the error variance σ²(λ'Vλ − 2λ'ZΨz + z'Ψz), and λ makes that least: its own
        change does not count, and with g = Z'λ − z = Z'V⁻¹XMd − (I + Z'ZΨ)⁻¹z, M = (X'V⁻¹X)⁻¹,

            ∂/∂ψ = g' (∂Ψ/∂ψ) g.
        """
        z = [np.zeros((len(self.X), g.q, g.m)) for g in point.cp.groupings]
        for part in self._parts:
            columns = np.arange(part.columns.start, part.columns.stop)
            z[part.grouping][np.arange(len(self.X)), columns[:, None], part.levels] += part.z
        root = self.user.fixed_root(point)
        weights, out = self._fixed_part(point) @ root @ root.T, np.zeros((point.cp.k, len(self.X)))
        of_X, of_z = point.solution.a, _solve_columns(point, z).a
        for grouping, a, own in zip(point.cp.groupings, of_X, of_z, strict=True):
            g, t = np.tensordot(weights, a[:-1], 1) - own, grouping.template
            products = (
                np.where(t.rows == t.cols, 1.0, 2.0) * np.matmul(g, g.swapaxes(1, 2))[:, t.rows, t.cols]
            )
            np.add.at(out, t.index, products.T)
        return out.T

    def _of_estimates(self, point: Evaluation) -> Floats:
        """Variance (k,) over σ² of x'(β̂ − β) + Σ z'(b̂ − b) at an evaluation, for the levels seen."""
        given_beta = _spread(point, self._parts, len(self.X))
        of_beta = ((self._fixed_part(point) @ self.user.fixed_root(point)) ** 2).sum(axis=1)
        return np.asarray(np.maximum(given_beta + of_beta, 0.0))

    def _fixed_part(self, point: Evaluation) -> Floats:
        """d = x − X'ZHz of each row in the engine's units, (k, p)."""
        d = np.asarray(self.X @ point.cp.fixed.A)
        for part in self._parts:
            HZX = point.solution.b[part.grouping][:-1, part.columns]
            for own in _chunks(len(d), HZX.shape[0] * HZX.shape[1]):
                d[own] -= np.einsum("pqk,qk->kp", HZX[:, :, part.levels[own]], part.z[:, own])
        return d

    @cached_property
    def _parts(self) -> list[_Part]:
        return _parts(self.user, self.known)

    @cached_property
    def _of_new_levels(self) -> Floats:
        """What each free entry of the covariances adds to Σ z'Ψz over the levels not seen, (k, K)."""
        out = np.zeros((len(self.X), self.user.ratios.size))
        seen = [(piece, np.flatnonzero(piece.codes < 0)) for piece in self.known]
        left = [(piece, np.arange(len(self.X))) for piece in self.new]
        offsets = self.user.estimate.evaluation.cp.offsets
        for piece, own in [*seen, *left]:
            entries = slice(offsets[piece.term], offsets[piece.term + 1])
            out[own, entries] += _products(self.user.estimate.terms[piece.term], piece.basis[own])
        return out


def _products(term: RandomTerm, z: Floats) -> Floats:
    """z'Ψz of rows z (r, q) for a one in each free entry of Ψ, (r, entries)."""
    if term.structure == "isotropic":
        return np.asarray((z**2).sum(axis=1, keepdims=True))
    rows, cols = free_entries(term)
    return np.asarray(np.where(rows == cols, 1.0, 2.0) * z[:, rows] * z[:, cols])


def _parts(user: UserUnits, pieces: Sequence[Piece]) -> list[_Part]:
    found = []
    for piece in pieces:
        number, grouping, member = user.place(piece.term, piece.block)
        seen = piece.codes >= 0
        if not seen.any():
            continue
        z = (piece.basis @ user.to_user(piece.term, piece.basis.shape[1])).T
        if seen.all():
            found.append(_Part(number, member.columns, grouping.order[piece.codes], z))
        else:
            codes = np.where(seen, piece.codes, 0)
            found.append(_Part(number, member.columns, grouping.order[codes], z * seen))
    return found


def _spread(point: Evaluation, parts: Sequence[_Part], k: int) -> Floats:
    """z'Hz of every row, (k,)."""
    total = np.zeros(k)
    for part in parts:
        _add(total, point.faces.H[part.grouping][part.columns, part.columns], part.levels, part, part)
    order = sorted(parts, key=lambda part: part.used.size)
    for i, one in enumerate(order[:-1]):
        apart = []
        for two in order[i + 1 :]:
            if two.grouping == one.grouping and np.array_equal(two.levels, one.levels):
                H = point.faces.H[one.grouping][one.columns, two.columns]
                _add(total, 2 * H, one.levels, one, two)
            else:
                apart.append(two)
        for two, H, pair in _cross(point, one, apart):
            _add(total, 2 * H, pair, one, two)
    return total


def _add(total: Floats, H: Floats, index: Ints, one: _Part, two: _Part) -> None:
    """Add z1'H z2 with H (q1, q2, cells), of which each row has the one at `index` (k,)."""
    for own in _chunks(total.size, H.shape[0] * H.shape[1]):
        total[own] += np.einsum("ak,abk,bk->k", one.z[:, own], H[:, :, index[own]], two.z[:, own])


def _cross(point: Evaluation, one: _Part, others: Sequence[_Part]) -> Iterator[tuple[_Part, Floats, Ints]]:
    """Faces of H between the levels of one part and of others, for the pairs that rows have.

    Each as the other part, the faces (q1, q2, pairs) and the pair of each row, (k,).
    """
    if not others:
        return
    used, place = np.unique(one.levels, return_inverse=True)
    pairs = []
    for two in others:
        m = point.cp.groupings[two.grouping].m
        key, pair = np.unique(place * m + two.levels, return_inverse=True)
        q = one.z.shape[0], two.z.shape[0]
        pairs.append((two, key // m, key % m, pair, np.empty((*q, key.size))))
    for first, b in _columns_of_H(point, one, used):
        last = first + b[0].shape[0] // one.z.shape[0]
        for two, row, level, _, H in pairs:
            own = slice(*np.searchsorted(row, (first, last)))
            columns = b[two.grouping][:, two.columns]
            split = columns.reshape(last - first, one.z.shape[0], *columns.shape[1:])
            H[:, :, own] = np.moveaxis(split[row[own] - first, :, :, level[own]], 0, -1)
    yield from ((two, H, pair) for two, _, _, pair, H in pairs)


def _columns_of_H(point: Evaluation, part: _Part, used: Ints) -> Iterator[tuple[int, tuple[Floats, ...]]]:
    """H's columns at the coefficients of some levels: the first level of a batch, and H a grouping.

    Those are (levels · q, q_t, m_t), by level, then coefficient.
    """
    cp, q = point.cp, part.z.shape[0]
    size = sum(g.q * g.m for g in cp.groupings)
    step = max(1, min(MOST_COLUMNS, CELLS // size) // q)
    for first in range(0, used.size, step):
        levels = used[first : first + step]
        w = levels.size * q
        unit = [np.zeros((w, g.q, g.m)) for g in cp.groupings]
        coefficient = np.tile(np.arange(part.columns.start, part.columns.stop), levels.size)
        unit[part.grouping][np.arange(w), coefficient, np.repeat(levels, q)] = 1.0
        yield first, _solve_columns(point, unit).b


def _solve_columns(point: Evaluation, columns: Sequence[Floats]) -> Solution:
    """H times and (I + Z'ZΨ)⁻¹ times columns, given and found a grouping, each (w, q, m)."""
    cp, w = point.cp, len(columns[0])
    dense = dense_rows(cp, point.factor.plan, tuple(columns[cp.nested :]), w)
    border = Border(tuple(columns[: cp.nested]), dense, np.zeros((w, w)))
    return solve(point.factor, reduce(point.factor, border))


def _chunks(k: int, width: int) -> Iterator[slice]:
    """Slices of k rows such that `width` numbers for each of them make no large array."""
    step = max(1, CELLS // max(1, width))
    for first in range(0, k, step):
        yield slice(first, first + step)
