"""Stacks of dense symmetric systems: the remainder that block elimination leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from mixedcore.elimination import Stack
from mixedcore.errors import NotPositiveDefiniteError
from mixedcore.terms import Floats

if TYPE_CHECKING:
    from mixedcore.factor import Root


@dataclass(frozen=True, slots=True, eq=False)
class DenseStack:
    """One stack: K (c, s, s) information, G = Λ(I + Λ'KΛ)⁻¹Λ' (c, s, s), log|I + Λ'KΛ|."""

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
        return np.asarray(np.matmul(part.swapaxes(0, 1), self.G).swapaxes(0, 1))

    def information(self, part: Floats) -> Floats:
        """K times each column, (w, c, s)."""
        return np.asarray(np.matmul(part.swapaxes(0, 1), self.K).swapaxes(0, 1))


def factorise_stack(layout: Stack, dense: Floats, roots: Sequence[Root]) -> DenseStack:
    """Factorise the components of one stack; `dense` holds their lower triangles."""
    cells = dense[layout.flat : layout.flat + layout.count * layout.size**2]
    lower = cells.reshape(layout.count, layout.size, layout.size)
    K = np.tril(lower) + np.tril(lower, -1).swapaxes(1, 2)
    D = _template_rows([root.T.T for root in roots], layout, K)
    D = _template_rows([root.T.T for root in roots], layout, D.swapaxes(1, 2))
    signs = np.concatenate([np.tile(r.signs, n) for r, n in zip(roots, layout.levels, strict=True)])
    D[:, np.arange(layout.size), np.arange(layout.size)] += signs
    C, logdet = _inverse(D, definite=bool((signs > 0).all()))
    G = _template_rows([root.T for root in roots], layout, C)
    G = _template_rows([root.T for root in roots], layout, G.swapaxes(1, 2))
    return DenseStack(layout, K, G, logdet)


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


def _inverse(D: Floats, *, definite: bool) -> tuple[Floats, float]:
    """Inverse and log|det| of each matrix; LAPACK's Cholesky for a single definite one."""
    if len(D) == 1 and definite:
        L, info = dpotrf(D[0], lower=1, clean=1)
        logdet = 2 * np.log(np.diag(L)).sum() if info == 0 else np.nan
        if info == 0:
            C, info = dpotri(L, lower=1)
        if info != 0:
            raise NotPositiveDefiniteError("The dense part of Λ'Z'ZΛ + I is not positive definite.")
        C = np.tril(C)
        C += np.tril(C, -1).T
        return np.ascontiguousarray(C)[None], float(logdet)
    inverse = np.asarray(np.linalg.inv(D), dtype=np.float64)
    return inverse, float(np.linalg.slogdet(D).logabsdet.sum())
