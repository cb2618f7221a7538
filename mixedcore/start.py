"""Where the search starts: variances by equating quadratic forms of the outcome to their expectations.

With V = σ²(I + Σ_p ψ_p V̇_p) and y the outcome's least-squares residual, E[y'V̇_p y] = tr(V̇_p V) is linear in
(σ², σ²ψ): MIVQUE(0) (Rao 1970; Searle, Casella & McCulloch 1992, ch. 11) but for the degrees of freedom
that the fixed effects take. One pass over the cross-products, no factorisation.
"""

from __future__ import annotations

import numpy as np

from mixedcore.crossproducts import CrossProducts
from mixedcore.groupings import Grouping
from mixedcore.terms import Floats

LEAST_RESIDUAL = 0.01  # share of the outcome's variance that is left to the residual at least
LEAST_SD = 0.1  # over σ: at zero itself all derivatives in θ vanish
MOST_SD = 100.0


def moments_start(cp: CrossProducts) -> Floats:
    """θ (k,) in the engine's units."""
    k = cp.k
    N, right = np.zeros((k + 1, k + 1)), np.zeros(k + 1)
    N[k, k], right[k] = cp.n, cp.WW[-1, -1]
    for s, g in enumerate(cp.groupings):
        own = _selector(g, k)
        z = cp.ZW[s][-1]
        right[:k] += own @ (z @ z.T).ravel()
        N[:k, k] += own @ cp.ZZ[s].sum(axis=2).ravel()
        N[:k, :k] += own @ _squares(cp.ZZ[s]) @ own.T
        for t in range(s + 1, len(cp.groupings)):
            cross = own @ _squares(cp.pairs[s, t].values) @ _selector(cp.groupings[t], k).T
            N[:k, :k] += cross + cross.T
    N[k, :k] = N[:k, k]
    size = np.sqrt(np.diag(N))
    found = np.linalg.lstsq(N / np.outer(size, size), right / size)[0] / size
    psi = found[:k] / max(found[k], LEAST_RESIDUAL * right[k] / cp.n)
    theta = np.zeros(k)
    for g in cp.groupings:
        _root(g, psi, theta)
    return theta


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


def _root(g: Grouping, psi: Floats, theta: Floats) -> None:
    """Set the entries of θ for one grouping from ψ, its Ψ made positive definite."""
    rows, cols, index = g.template.rows, g.template.cols, g.template.index
    full = np.zeros((g.q, g.q))
    full[rows, cols] = full[cols, rows] = psi[index]
    values, vectors = np.linalg.eigh(full)
    values = np.clip(values, LEAST_SD**2, MOST_SD**2)
    T = np.linalg.cholesky((vectors * values) @ vectors.T)
    theta[index] = T[rows, cols]
