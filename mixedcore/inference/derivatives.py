"""Derivatives with respect to ψ of what follows from the factor, by differences of fourth order.

Traces of products of V⁻¹V̇ over pairs of levels, which no factor holds, are derivatives of traces that it does
hold: tr(PV̇_iPV̇_j) = −∂ tr(PV̇_i)/∂ψ_j. So no matrix over rows or over pairs of levels is formed.

Steps are taken in coordinates c in which all effects vary by one and are uncorrelated: Ψ = TΨ̃T' with Ψ̃ near I
and c its free entries. So correlations near ±1 and large variances beside small ones cost few digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mixedcore.engine.blocks import congruence
from mixedcore.engine.criterion import Evaluation, evaluate
from mixedcore.engine.factor import Root
from mixedcore.engine.groupings import Grouping
from mixedcore.terms import Floats, Ints

# Of the way to the nearest Ψ at which V is singular. What is differenced is analytic up to there, so that a
# step of this size leaves out at most 4 STEP⁴ = 1e-10 of a derivative and magnifies rounding 500 times.
STEP = 2e-3
STENCIL = ((1.0, 8 / 12), (-1.0, -8 / 12), (2.0, -1 / 12), (-2.0, 1 / 12))


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """The coordinates c of one fit: each can move by almost one before V is singular.

    T : per grouping, (q, q) such that Ψ = TΨ̃T';  J = ∂ψ/∂c, (k, k);  R_inverse (p, p): X R_inverse has unit
    information X'V⁻¹X at this fit, and takes the place of X
    """

    T: tuple[Floats, ...]
    J: Floats
    R_inverse: Floats

    def traces(self, point: Evaluation) -> Floats:
        """tr(PV̇_c) (ML: of V⁻¹) at any point, (k,)."""
        return along_entries(point, [T.T @ M @ T for T, M in zip(self.T, point.traces, strict=True)])

    def slopes(self, point: Evaluation) -> Floats:
        """X'V⁻¹V̇_cV⁻¹X at any point, (k, p, p)."""
        p = point.cp.p
        out = np.zeros((point.cp.k, p, p))
        for a, grouping, T in zip(point.solution.a, point.cp.groupings, self.T, strict=True):
            t = grouping.template
            own = np.tensordot(self.R_inverse.T, np.matmul(T.T, a[:-1]), 1)
            for r, c, index in zip(t.rows, t.cols, t.index, strict=True):
                product = own[:, r] @ own[:, c].T
                out[index] += product if r == c else product + product.T
        return out


def derivative(point: Evaluation, of: Callable[[Evaluation], Floats], J: Floats) -> Floats:
    """∂ of(evaluation)/∂c for the coordinates of which J = ∂ψ/∂c, (k, …)."""
    return np.asarray(
        [
            sum(weight / STEP * of(_moved(point, move * STEP * direction)) for move, weight in STENCIL)
            for direction in J.T
        ]
    )


def coordinates(point: Evaluation) -> Coordinates:
    """Coordinates near one at a fit.

    T holds the eigenvectors of each Ψ times the roots of its eigenvalues. V − δZvv'Z' is positive definite
    for δ below the eigenvalue of v, and, as V ≥ I, for δ below 1 over the largest eigenvalue of v'Z'Zv:
    whatever the boundary on which Ψ lies, the larger of the two takes the eigenvalue's place.
    """
    cp, k = point.cp, point.cp.k
    J, roots, alone = np.zeros((k, k)), [np.zeros((g.q, g.q)) for g in cp.groupings], _alone(point)
    for g, root, ZZ, T in zip(cp.groupings, point.factor.roots, cp.ZZ, roots, strict=True):
        for member in g.members:
            own = member.columns
            rows, cols, index = _entries(g, own)
            if (rows != cols).any():
                values, vectors = np.linalg.eigh(root.psi[own, own])
                information = np.einsum("iim->im", congruence(vectors, ZZ[own, own])).max(axis=1)
                T[own, own] = vectors * np.sqrt(_reach(values, information))
                J[np.ix_(index, index)] = congruence_jacobian(T[own, own], diagonal=False)
            else:
                T[rows, cols] = np.sqrt(alone[index])
                J[index, index] = alone[index]
    return Coordinates(tuple(roots), J, point.R_inverse)


def _entries(g: Grouping, own: slice) -> tuple[Ints, Ints, Ints]:
    """Rows, columns and parameters of the entries of some columns of a grouping."""
    t = g.template
    here = (t.rows >= own.start) & (t.rows < own.stop)
    return t.rows[here], t.cols[here], t.index[here]


def _alone(point: Evaluation) -> Floats:
    """How far each ψ can fall on its own, as a variance that several coefficients may share, (k,)."""
    smallest, largest = np.full(point.cp.k, np.inf), np.zeros(point.cp.k)
    for g, root, ZZ in zip(point.cp.groupings, point.factor.roots, point.cp.ZZ, strict=True):
        t, here = g.template, g.template.rows == g.template.cols
        np.minimum.at(smallest, t.index[here], np.diag(root.psi)[t.rows[here]])
        np.add.at(largest, t.index[here], np.einsum("iim->im", ZZ).max(axis=1)[t.rows[here]])
    return _reach(np.where(np.isfinite(smallest), smallest, 0.0), largest)


def _reach(variances: Floats, information: Floats) -> Floats:
    """How far variances can fall, (q,); one where there is no information on them."""
    known = np.where(information > 0, information, 1.0)
    return np.asarray(np.maximum(variances, 1 / known))


def congruence_jacobian(A: Floats, *, diagonal: bool) -> Floats:
    """Jacobian of the free entries of AΨA' with respect to those of Ψ."""
    q = len(A)
    cols, rows = (np.arange(q), np.arange(q)) if diagonal else np.triu_indices(q)
    out = np.empty((rows.size, rows.size))
    for e, (r, c) in enumerate(zip(rows, cols, strict=True)):
        change = np.outer(A[:, r], A[:, c])
        if r != c:
            change = change + change.T
        out[:, e] = change[rows, cols]
    return out


def _moved(point: Evaluation, change: Floats) -> Evaluation:
    """The model with ψ moved by `change` (k,), inside the parameter space or out of it."""
    roots = []
    for grouping, root in zip(point.cp.groupings, point.factor.roots, strict=True):
        t = grouping.template
        own = change[t.index]
        if not own.any():
            roots.append(root)
            continue
        psi, off = root.psi, t.rows != t.cols
        psi[t.rows, t.cols] += own
        psi[t.cols[off], t.rows[off]] += own[off]
        roots.append(Root.of_covariance(psi))
    return evaluate(point.cp, point.factor.plan, tuple(roots), reml=point.reml)


def along_entries(point: Evaluation, matrices: Sequence[Floats]) -> Floats:
    """Σ over groupings of tr(Ψ̇_p A_t) for every ψ_p and symmetric A_t (q, q), (k,)."""
    out = np.zeros(point.cp.k)
    for grouping, A in zip(point.cp.groupings, matrices, strict=True):
        rows, cols = grouping.template.rows, grouping.template.cols
        np.add.at(out, grouping.template.index, np.where(rows == cols, 1.0, 2.0) * A[rows, cols])
    return out
