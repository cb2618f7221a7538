"""Stacks of dense symmetric systems: the remainder that block elimination leaves.

A stack of one matrix is kept as its lower triangle and never mirrored: LAPACK and BLAS work on it in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.blas import dsymm, dtrmm
from scipy.linalg.lapack import dlauum, dpotrf, dpotrs, dtrtri

from mixedcore.engine.elimination import Stack
from mixedcore.errors import NotPositiveDefiniteError
from mixedcore.terms import Floats

if TYPE_CHECKING:
    from mixedcore.engine.factor import Root

INVERTIBLE = 1e-2  # smallest over largest singular value of a root from which Ψ⁻¹ + K keeps twelve digits
TINY = 1e-50  # singular values whose inverse still has a square
SMALL = 100  # rows of a triangle that is inverted at once
WELL_CONDITIONED = 1e-3  # smallest singular value of a root, itself too, from which Ψ⁻¹ keeps ten digits


@dataclass(frozen=True, eq=False)
class Cholesky:
    """Upper factor U (s, s) of D = U'U, and G = ΛD⁻¹Λ for a diagonal Λ given as (s,), or D⁻¹."""

    U: Floats
    lam: Floats | None

    @classmethod
    def of(cls, D: Floats, lam: Floats | None = None) -> Cholesky:
        """Factorise D (s, s), given by its lower triangle, in its place.

        Raises NotPositiveDefiniteError.
        """
        U, info = dpotrf(D.T, lower=0, clean=0, overwrite_a=1)
        if info != 0:
            raise NotPositiveDefiniteError("The dense part of Λ'Z'ZΛ + I is not positive definite.")
        return cls(U, lam)

    @property
    def logdet(self) -> float:
        """log|D|."""
        return 2 * float(np.log(np.diag(self.U)).sum())

    def solve(self, rows: Floats) -> Floats:
        """G times each row (w, s)."""
        right = rows.T if self.lam is None else rows.T * self.lam[:, None]
        solved, _ = dpotrs(self.U, right, lower=0)
        return np.asarray(solved.T if self.lam is None else solved.T * self.lam)

    def inverse(self) -> Floats:
        """G, lower triangle (s, s)."""
        inverse, _ = dlauum(inverse_of_upper(self.U), lower=0, overwrite_c=1)
        if self.lam is not None:
            inverse *= self.lam
            inverse *= self.lam[:, None]
        return np.asarray(inverse.T)


def inverse_of_upper(U: Floats) -> Floats:
    """U⁻¹ of an upper triangle (s, s), whose lower one may hold anything: halves, joined by matrix products.

    More of the work is in large products than in LAPACK's dtrtri, which takes half as long again.
    """
    s = len(U)
    if s <= SMALL:
        return np.asarray(dtrtri(U, lower=0)[0])
    h, out = s // 2, np.empty((s, s), order="F")
    one, two = inverse_of_upper(U[:h, :h]), inverse_of_upper(U[h:, h:])
    above = dtrmm(-1.0, one, U[:h, h:], lower=0)
    out[:h, :h], out[h:, h:] = one, two
    out[:h, h:] = dtrmm(1.0, two, above, side=1, lower=0, overwrite_b=1)
    return out


@dataclass(frozen=True, eq=False)
class DenseStack:
    """One stack: information K (c, s, s), and G = Λ(I + Λ'KΛ)⁻¹Λ' or what it is made of; log|I + Λ'KΛ|.

    Where c is 1, only the lower triangles of K and G hold, and G is made when first asked for: the criterion
    alone does without it. inverses: Ψ⁻¹ of each grouping of the remainder, or None unless all of them are
    well conditioned; they serve instead of K, which is then not kept.
    """

    layout: Stack
    K: Floats | None
    source: Floats | Cholesky
    logdet: float
    inverses: tuple[Floats, ...] | None

    @cached_property
    def G(self) -> Floats:
        """Conditional covariance over σ², (c, s, s)."""
        return self.source.inverse()[None] if isinstance(self.source, Cholesky) else self.source

    def part(self, dense: Floats) -> Floats:
        """View (w, c, s) of this stack's coefficients in a border's dense rows (w, size)."""
        first, count, size = self.layout.first, self.layout.count, self.layout.size
        return dense[:, first : first + count * size].reshape(len(dense), count, size)

    def solve(self, part: Floats) -> Floats:
        """G times each column, (w, c, s)."""
        if isinstance(self.source, Cholesky) and "G" not in self.__dict__:
            return self.source.solve(part[:, 0])[:, None]
        return _times(self.G, part)

    def scores(self, part: Floats, solved: Floats) -> Floats:
        """(I − KG) times each column: Ψ⁻¹G times it where that keeps its digits, (w, c, s)."""
        if self.K is not None:
            return part - _times(self.K, solved)
        assert self.inverses is not None
        return np.moveaxis(_template_rows(self.inverses, self.layout, np.moveaxis(solved, 0, 2)), 2, 0)

    def information_columns(self, columns: slice) -> Floats:
        """K[:, :, columns], both triangles, (c, s, width)."""
        assert self.K is not None
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
    sizes = [np.linalg.svd(root.T, compute_uv=False) for root in roots]
    smallest = min(float(size[-1]) for size in sizes)
    evenness = min(float(size[-1] / size[0]) if size[-1] else 0.0 for size in sizes)
    well = min(smallest, evenness) > WELL_CONDITIONED
    inverses = tuple(_inverse_of(root) for root in roots) if well else None
    kept = K if inverses is None else None
    if layout.count == 1 and all((root.signs > 0).all() for root in roots):
        if evenness > INVERTIBLE and smallest > TINY:
            D, logdet = _with_inverses(layout, K if kept is None else K.copy(), roots)
            found = Cholesky.of(D)
            return DenseStack(layout, kept, found, found.logdet + logdet, inverses)
        if all(len(root.T) == 1 for root in roots):
            found = _with_scalars(layout, K, roots)
            return DenseStack(layout, kept, found, found.logdet, inverses)
    K = mirrored(K)
    D = _congruence([root.T.T for root in roots], layout, K)
    signs = np.concatenate([np.tile(r.signs, n) for r, n in zip(roots, layout.levels, strict=True)])
    D[:, np.arange(layout.size), np.arange(layout.size)] += signs
    C = np.asarray(np.linalg.inv(D), dtype=np.float64)
    logdet = float(np.linalg.slogdet(D).logabsdet.sum())
    G = _congruence([root.T for root in roots], layout, C)
    return DenseStack(layout, K if inverses is None else None, G, logdet, inverses)


def _inverse_of(root: Root) -> Floats:
    """Ψ⁻¹ from its root, which is only half as ill conditioned."""
    inverse = np.asarray(np.linalg.inv(root.T), dtype=np.float64)
    return (inverse.T * root.signs) @ inverse


def _with_inverses(layout: Stack, K: Floats, roots: Sequence[Root]) -> tuple[Floats, float]:
    """Ψ⁻¹ + K of a single matrix in the place of K, lower triangle (s, s), and log|Ψ|."""
    D, at, logdet = K[0], 0, 0.0
    for root, levels in zip(roots, layout.levels, strict=True):
        inverse = _inverse_of(root)
        q, end = len(inverse), at + levels * len(inverse)
        for i in range(q):
            for j in range(i + 1):
                D[np.arange(at + i, end, q), np.arange(at + j, end, q)] += inverse[i, j]
        logdet += 2 * levels * float(np.linalg.slogdet(root.T).logabsdet)
        at = end
    return D, logdet


def _with_scalars(layout: Stack, K: Floats, roots: Sequence[Root]) -> Cholesky:
    """I + ΛKΛ of a single matrix for diagonal Λ, which may be zero."""
    lam = np.concatenate([np.tile(r.T[0], n) for r, n in zip(roots, layout.levels, strict=True)])
    D = K[0] * lam
    D *= lam[:, None]
    D[np.diag_indices(len(lam))] += 1.0
    return Cholesky.of(D, lam)


def _congruence(templates: Sequence[Floats], layout: Stack, M: Floats) -> Floats:
    """B M B' with B = diag(I ⊗ T_1, I ⊗ T_2, …) for each symmetric (s, s) matrix of the stack."""
    half = _template_rows(templates, layout, M)
    return _template_rows(templates, layout, half.swapaxes(1, 2))


def _template_rows(templates: Sequence[Floats], layout: Stack, M: Floats) -> Floats:
    """Block-diagonal (I ⊗ T_1, I ⊗ T_2, …) times each matrix (s, w) of a stack (c, s, w)."""
    out = np.empty_like(M, order="C")
    begin = 0
    for T, levels in zip(templates, layout.levels, strict=True):
        q = len(T)
        rows = slice(begin, begin + q * levels)
        if q == 1:
            np.multiply(M[:, rows], T[0, 0], out=out[:, rows])
        else:
            part = M[:, rows].reshape(len(M), levels, q, M.shape[2])
            out[:, rows] = np.matmul(T, part).reshape(len(M), levels * q, M.shape[2])
        begin = rows.stop
    return out
