"""Derivatives with respect to ψ of what follows from the factor, by differences of fourth order.

Traces of products of V⁻¹V̇ over pairs of levels, which no factor holds, are derivatives of traces that it does
hold: tr(PV̇_iPV̇_j) = −∂ tr(PV̇_i)/∂ψ_j. So no matrix over rows or over pairs of levels is formed.

Steps are taken in coordinates c in which all effects vary by one and are uncorrelated: Ψ = TΨ̃T' with Ψ̃ near I
and c its free entries. So correlations near ±1 and large variances beside small ones cost few digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mixedcore.blocks import congruence
from mixedcore.criterion import Evaluation, evaluate
from mixedcore.factor import Root
from mixedcore.terms import Floats

# Of the way to the nearest Ψ at which V is singular. What is differenced is analytic up to there, so that a
# step of this size leaves out at most 4 STEP⁴ = 1e-10 of a derivative and magnifies rounding 500 times.
STEP = 2e-3
STENCIL = ((1.0, 8 / 12), (-1.0, -8 / 12), (2.0, -1 / 12), (-2.0, 1 / 12))


def derivative(point: Evaluation, of: Callable[[Evaluation], Floats], J: Floats) -> Floats:
    """∂ of(evaluation)/∂c for the coordinates of which J = ∂ψ/∂c, (k, …)."""
    return np.asarray(
        [
            sum(weight / STEP * of(_moved(point, move * STEP * direction)) for move, weight in STENCIL)
            for direction in J.T
        ]
    )


def coordinates(point: Evaluation) -> Floats:
    """J = ∂ψ/∂c, (k, k): each of c can move by almost one before V is singular.

    T holds the eigenvectors of each Ψ times the roots of its eigenvalues. V − δZvv'Z' is positive definite
    for δ below the eigenvalue of v, and, as V ≥ I, for δ below 1 over the largest eigenvalue of v'Z'Zv:
    whatever the boundary on which Ψ lies, the larger of the two takes the eigenvalue's place.
    """
    k = point.cp.k
    J, smallest, largest = np.zeros((k, k)), np.full(k, np.inf), np.zeros(k)
    for g, root, ZZ in zip(point.cp.groupings, point.factor.roots, point.cp.ZZ, strict=True):
        t = g.template
        for member in g.members:
            own = member.columns
            here = (t.rows >= own.start) & (t.rows < own.stop)
            index, psi = t.index[here], root.psi[own, own]
            if (t.rows[here] != t.cols[here]).any():
                values, vectors = np.linalg.eigh(psi)
                information = np.einsum("iim->im", congruence(vectors, ZZ[own, own])).max(axis=1)
                scales = np.sqrt(_reach(values, information))
                J[np.ix_(index, index)] = congruence_jacobian(vectors * scales, diagonal=False)
            else:
                np.minimum.at(smallest, index, np.diag(psi))
                np.add.at(largest, index, np.einsum("iim->im", ZZ[own, own]).max(axis=1))
    alone = np.isfinite(smallest)
    J[alone, alone] = _reach(smallest[alone], largest[alone])
    return J


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


def slope_products(point: Evaluation) -> Floats:
    """X'V⁻¹V̇_iV⁻¹X for every ψ_i, in the engine's units, (k, p, p)."""
    p = point.cp.p
    out = np.zeros((point.cp.k, p, p))
    for a, grouping in zip(point.solution.a, point.cp.groupings, strict=True):
        t = grouping.template
        for r, c, index in zip(t.rows, t.cols, t.index, strict=True):
            product = a[:-1, r] @ a[:-1, c].T
            out[index] += product if r == c else product + product.T
    return out
