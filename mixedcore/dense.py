"""Stacks of dense symmetric systems: the remainder that block elimination leaves.

A stack of one matrix is kept as its lower triangle and never copied: LAPACK and BLAS work on it in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.blas import dsymm
from scipy.linalg.lapack import dpotrf, dpotri

from mixedcore.elimination import Stack
from mixedcore.errors import NotPositiveDefiniteError
from mixedcore.terms import Floats

if TYPE_CHECKING:
    from mixedcore.factor import Root


@dataclass(frozen=True, slots=True, eq=False)
class DenseStack:
    """One stack: K (c, s, s) information, G = Λ(I + Λ'KΛ)⁻¹Λ' (c, s, s), log|I + Λ'KΛ|.

    Where c is 1, only the lower triangles of K and G hold.
    """

    layout: Stack
    K: Floats
    G: Floats
    logdet: float

    def part(self, dense: Floats) -> Floats:
        """View (w, c, s) of this stack's coefficients in a border's dense rows (w, size)."""
        first, count, size = self.layout.first, self.layout.count, self.layout.size
        return dense[:, first : first + count * size].reshape(len(dense), count, size)

    def solve(self, part: Floats) -> Floats:
        """G times each column, (w, c, s)."""
        return _times(self.G, part)

    def information(self, part: Floats) -> Floats:
        """K times each column, (w, c, s)."""
        return _times(self.K, part)

    def information_columns(self, columns: slice) -> Floats:
        """K[:, :, columns], both triangles, (c, s, width)."""
        if len(self.K) > 1:
            return np.ascontiguousarray(self.K[:, :, columns])
        return mirrored(self.K)[:, :, columns]


def _times(A: Floats, part: Floats) -> Floats:
    """Symmetric A (c, s, s) times each column of a part (w, c, s)."""
    if len(A) > 1:
        return np.asarray(np.matmul(part.swapaxes(0, 1), A).swapaxes(0, 1))
    product = dsymm(1.0, A[0].T, part[:, 0].T, lower=0)  # the transpose's upper triangle, without a copy
    return np.asarray(product.T[:, None])


def mirrored(A: Floats) -> Floats:
    """Both triangles from the lower ones, (c, s, s)."""
    return np.asarray(np.tril(A) + np.tril(A, -1).swapaxes(1, 2))


def factorise_stack(layout: Stack, dense: Floats, roots: Sequence[Root]) -> DenseStack:
    """Factorise the components of one stack; `dense` holds their lower triangles."""
    cells = dense[layout.flat : layout.flat + layout.count * layout.size**2]
    K = cells.reshape(layout.count, layout.size, layout.size)
    signs = np.concatenate([np.tile(r.signs, n) for r, n in zip(roots, layout.levels, strict=True)])
    scalars = all(len(root.T) == 1 for root in roots)
    if layout.count == 1 and scalars and (signs > 0).all():
        lam = np.concatenate([np.tile(r.T[0], n) for r, n in zip(roots, layout.levels, strict=True)])
        G, logdet = _scalar_inverse(K[0], lam)
        return DenseStack(layout, K, G[None], logdet)
    K = mirrored(K)
    D = _congruence([root.T.T for root in roots], layout, K)
    D[:, np.arange(layout.size), np.arange(layout.size)] += signs
    C = np.asarray(np.linalg.inv(D), dtype=np.float64)
    logdet = float(np.linalg.slogdet(D).logabsdet.sum())
    return DenseStack(layout, K, _congruence([root.T for root in roots], layout, C), logdet)


def _scalar_inverse(K: Floats, lam: Floats) -> tuple[Floats, float]:
    """Λ(I + ΛKΛ)⁻¹Λ and log|I + ΛKΛ| for diagonal Λ, lower triangles (s, s); LAPACK works in place."""
    D = K * lam
    D *= lam[:, None]
    D[np.diag_indices(len(lam))] += 1.0
    U, info = dpotrf(D.T, lower=0, clean=0, overwrite_a=1)
    logdet = 2 * float(np.log(np.diag(U)).sum()) if info == 0 else np.nan
    if info == 0:
        U, info = dpotri(U, lower=0, overwrite_c=1)
    if info != 0:
        raise NotPositiveDefiniteError("The dense part of Λ'Z'ZΛ + I is not positive definite.")
    G = U.T
    G *= lam
    G *= lam[:, None]
    return G, logdet


def _congruence(templates: Sequence[Floats], layout: Stack, M: Floats) -> Floats:
    """B M B' with B = diag(I ⊗ T_1, I ⊗ T_2, …) for each symmetric (s, s) matrix of the stack."""
    half = _template_rows(templates, layout, M)
    return _template_rows(templates, layout, half.swapaxes(1, 2))


def _template_rows(templates: Sequence[Floats], layout: Stack, M: Floats) -> Floats:
    """Block-diagonal (I ⊗ T_1, I ⊗ T_2, …) times each (s, s) matrix of the stack."""
    out = np.empty_like(M, order="C")
    begin = 0
    for T, levels in zip(templates, layout.levels, strict=True):
        q = len(T)
        rows = slice(begin, begin + q * levels)
        if q == 1:
            np.multiply(M[:, rows], T[0, 0], out=out[:, rows])
        else:
            part = M[:, rows].reshape(layout.count, levels, q, layout.size)
            out[:, rows] = np.matmul(T, part).reshape(layout.count, levels * q, layout.size)
        begin = rows.stop
    return out
