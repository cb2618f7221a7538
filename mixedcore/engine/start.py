"""Where the search starts: variances by equating quadratic forms of the outcome to their expectations.

With V = σ²(I + Σ_p ψ_p V̇_p) and y the outcome's least-squares residual, E[y'V̇_p y] = tr(V̇_p V) is linear in
(σ², σ²ψ): MIVQUE(0) (Rao 1970; Searle, Casella & McCulloch 1992, ch. 11) but for the degrees of freedom
that the fixed effects take. One pass over the cross-products, no factorisation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.groupings import Grouping
from mixedcore.terms import Floats

LEAST_RESIDUAL = 0.01  # share of the outcome's variance that is left to the residual at least
LEAST_SD = 0.1  # over σ: at zero itself all derivatives in θ vanish
MOST_SD = 100.0


def moments_start(cp: CrossProducts) -> Floats:
    """θ (k,) in the engine's units."""
    theta = np.zeros(cp.k)
    for g, T in zip(
        cp.groupings, moment_roots(cp, [zw[-1][..., None] for zw in cp.ZW], cp.WW[-1:, -1]), strict=True
    ):
        theta[g.template.index] = T[0][g.template.rows, g.template.cols]
    return theta


def moment_roots(cp: CrossProducts, Zy: Sequence[Floats], yy: Floats) -> list[Floats]:
    """Root T of Ψ (R, q, q) of each grouping, for outcomes with Z'y (q, m, R) per grouping and y'y (R,)."""
    k = cp.k
    N, right = np.zeros((k + 1, k + 1)), np.zeros((k + 1, yy.size))
    N[k, k], right[k] = cp.n, yy
    for s, g in enumerate(cp.groupings):
        own = _selector(g, k)
        right[:k] += own @ np.einsum("imr,jmr->ijr", Zy[s], Zy[s]).reshape(g.q * g.q, -1)
        N[:k, k] += own @ cp.ZZ[s].sum(axis=2).ravel()
        N[:k, :k] += own @ _squares(cp.ZZ[s]) @ own.T
        for t in range(s + 1, len(cp.groupings)):
            cross = own @ _squares(cp.pairs[s, t].values) @ _selector(cp.groupings[t], k).T
            N[:k, :k] += cross + cross.T
    N[k, :k] = N[:k, k]
    size = np.sqrt(np.diag(N))[:, None]
    found = np.linalg.lstsq(N / (size * size.T), right / size)[0] / size
    psi = found[:k] / np.maximum(found[k], LEAST_RESIDUAL * right[k] / cp.n)
    return [_root(g, psi) for g in cp.groupings]


def _selector(g: Grouping, k: int) -> Floats:
    """(k, q²): sums a (q, q) matrix over the places where each ψ stands in Ψ."""
    out = np.zeros((k, g.q, g.q))
    rows, cols, index = g.template.rows, g.template.cols, g.template.index
    out[index, rows, cols] = out[index, cols, rows] = 1.0
    return out.reshape(k, -1)


def _squares(B: Floats) -> Floats:
    """Σ_f B_bc B_ad as a matrix from (a, b) to (c, d), for blocks B (q_s, q_t, nnz)."""
    q, r, nnz = B.shape
    flat = B.reshape(q * r, nnz)
    products = (flat @ flat.T).reshape(q, r, q, r)  # b c a d
    return np.asarray(products.transpose(2, 0, 1, 3).reshape(q * q, r * r))


def _root(g: Grouping, psi: Floats) -> Floats:
    """T (R, q, q) of one grouping from ψ (k, R), its Ψ made positive definite."""
    rows, cols, index = g.template.rows, g.template.cols, g.template.index
    full = np.zeros((psi.shape[1], g.q, g.q))
    full[:, rows, cols] = full[:, cols, rows] = psi[index].T
    values, vectors = np.linalg.eigh(full)
    values = np.clip(values, LEAST_SD**2, MOST_SD**2)
    return np.linalg.cholesky((vectors * values[:, None]) @ np.swapaxes(vectors, 1, 2))
