"""Derivatives with respect to ψ of what follows from the factor, by differences of fourth order.

Traces of products of V⁻¹V̇ over pairs of levels, which no factor holds, are derivatives of traces that it does
hold: tr(PV̇_iPV̇_j) = −∂ tr(PV̇_i)/∂ψ_j. So no matrix over rows or over pairs of levels is formed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mixedcore.criterion import Evaluation, evaluate
from mixedcore.factor import Root
from mixedcore.terms import Floats

# Of the way to the nearest Ψ at which V is singular. What is differenced is analytic up to there, so that a
# step of this size leaves out at most 4 STEP⁴ = 1e-10 of a derivative and magnifies rounding 500 times.
STEP = 2e-3
ZERO = 1e-8  # share of Ψ's largest eigenvalue at which one is taken for zero
TINY = 1e-100
STENCIL = ((1.0, 8 / 12), (-1.0, -8 / 12), (2.0, -1 / 12), (-2.0, 1 / 12))


def derivative(point: Evaluation, of: Callable[[Evaluation], Floats]) -> Floats:
    """∂ of(evaluation)/∂ψ_p for every free entry p of the covariances Ψ, (k, …)."""
    steps = STEP * radii(point)
    return np.asarray(
        [
            sum(weight / h * of(_moved(point, p, move * h)) for move, weight in STENCIL)
            for p, h in enumerate(steps)
        ]
    )


def radii(point: Evaluation) -> Floats:
    """Lower bound of how far each ψ can move before V is singular, (k,).

    With E the entry's pattern, 1 at one coefficient or two, Ψ − δE is positive definite for δ below the
    smallest eigenvalue of what these coefficients vary by given the others. As V ≥ I, V − δZEZ' is so too for
    δ below 1 over the largest of Z'Z, whatever the boundary on which Ψ lies.
    """
    smallest, largest = np.full(point.cp.k, np.inf), np.zeros(point.cp.k)
    for g, root, ZZ in zip(point.cp.groupings, point.factor.roots, point.cp.ZZ, strict=True):
        values, vectors = np.linalg.eigh(root.psi)
        values = np.maximum(values, max(ZERO * values[-1], TINY))
        inverse, t = (vectors / values) @ vectors.T, g.template
        for p in np.unique(t.index):
            own = np.unique(np.append(t.rows[t.index == p], t.cols[t.index == p]))
            smallest[p] = min(smallest[p], 1 / float(np.linalg.eigvalsh(inverse[np.ix_(own, own)])[-1]))
            largest[p] += float(ZZ[own, own].sum(axis=0).max())
    return np.asarray(np.maximum(smallest, 1 / largest))


def _moved(point: Evaluation, p: int, step: float) -> Evaluation:
    """The model with ψ_p moved by `step`, inside the parameter space or out of it."""
    roots = []
    for grouping, root in zip(point.cp.groupings, point.factor.roots, strict=True):
        psi, t = root.psi, grouping.template
        own = t.index == p
        if not own.any():
            roots.append(root)
            continue
        psi[t.rows[own], t.cols[own]] += step
        off = own & (t.rows != t.cols)
        psi[t.cols[off], t.rows[off]] += step
        roots.append(Root.of_covariance(psi))
    return evaluate(point.cp, point.factor.plan, tuple(roots), reml=point.reml)


def along_entries(point: Evaluation, matrices: Sequence[Floats]) -> Floats:
    """Σ over groupings of tr(Ψ̇_p A_t) for every ψ_p and symmetric A_t (q, q), (k,)."""
    out = np.zeros(point.cp.k)
    for grouping, A in zip(point.cp.groupings, matrices, strict=True):
        rows, cols = grouping.template.rows, grouping.template.cols
        np.add.at(out, grouping.template.index, np.where(rows == cols, 1.0, 2.0) * A[rows, cols])
    return out
