"""Uncertainty of what a fit says of rows, from the joint covariance of β̂ and b̂ − b.

With C the coefficient matrix of Henderson's mixed-model equations, given the variance parameters,

    var(x'(β̂ − β) + z'(b̂ − b)) = σ² [x z] C⁻¹ [x z]' = σ² ( z'Hz + d'(X'V⁻¹X)⁻¹d ),   d = x − X'ZHz,

H = (Ψ⁻¹ + Z'Z)⁻¹ being the covariance of b̂ − b over σ² where β is known. Henderson (1975), Biometrics 31;
McLean, Sanders & Stroup (1991), Am. Stat. 45(1). HZ'X is part of every evaluation, and so are the diagonal
faces of H; its other faces, which rows with several random terms need, come from solves with the factor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mixedcore.design.new import NewRows, Piece
from mixedcore.engine.criterion import Evaluation, dense_rows
from mixedcore.engine.factor import Border, reduce, solve
from mixedcore.terms import Floats, Ints
from mixedcore.units import UserUnits

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


def error_variance(user: UserUnits, X: Floats, pieces: Sequence[Piece]) -> Floats:
    """Variance (k,) of x'(β̂ − β) + Σ z'(b̂ − b) for X (k, p) and pieces, b̂ = 0 for levels not seen.

    X holds the columns in the model, without aliased ones.
    """
    point = user.estimate.evaluation
    parts = _parts(user, pieces)
    fixed = np.asarray(X @ point.cp.fixed.A)
    total = _spread(point, parts, len(X))
    for part in parts:
        HZX = point.solution.b[part.grouping][:-1, part.columns]
        for own in _chunks(len(X), HZX.shape[0] * HZX.shape[1]):
            fixed[own] -= np.einsum("pqk,qk->kp", HZX[:, :, part.levels[own]], part.z[:, own])
    total += ((fixed @ point.R_inverse) ** 2).sum(axis=1)
    return np.asarray(user.sigma2 * np.maximum(total, 0.0) + new_level_variance(user, pieces, len(X)))


def new_level_variance(user: UserUnits, pieces: Sequence[Piece], k: int, *, every: bool = False) -> Floats:
    """Σ z'Ψz σ² (k,) over the pieces whose level the fit has not seen, or over all pieces."""
    total = np.zeros(k)
    for piece in pieces:
        own = np.arange(k) if every else np.flatnonzero(piece.codes < 0)
        psi, basis = user.psi(piece.term), piece.basis[own]
        Psi = psi * np.eye(basis.shape[1]) if len(psi) == 1 else psi
        total[own] += np.einsum("kq,qr,kr->k", basis, Psi, basis, optimize=True)
    return np.asarray(user.sigma2 * total)


def observation_variance(user: UserUnits, rows: NewRows) -> Floats:
    """Residual variance σ²/w of each row, (k,); weight one where rows have none."""
    return np.full(len(rows.X), user.sigma2) if rows.weights is None else user.sigma2 / rows.weights


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
    cp, plan, q = point.cp, point.factor.plan, part.z.shape[0]
    size = sum(g.q * g.m for g in cp.groupings)
    step = max(1, min(MOST_COLUMNS, CELLS // size) // q)
    for first in range(0, used.size, step):
        levels = used[first : first + step]
        w = levels.size * q
        unit = [np.zeros((w, g.q, g.m)) for g in cp.groupings]
        coefficient = np.tile(np.arange(part.columns.start, part.columns.stop), levels.size)
        unit[part.grouping][np.arange(w), coefficient, np.repeat(levels, q)] = 1.0
        dense = dense_rows(cp, plan, tuple(unit[cp.nested :]), w)
        border = Border(tuple(unit[: cp.nested]), dense, np.zeros((w, w)))
        yield first, solve(point.factor, reduce(point.factor, border)).b


def _chunks(k: int, width: int) -> Iterator[slice]:
    """Slices of k rows such that `width` numbers for each of them make no large array."""
    step = max(1, CELLS // max(1, width))
    for first in range(0, k, step):
        yield slice(first, first + step)
