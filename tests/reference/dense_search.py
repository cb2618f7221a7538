"""The optimum by brute force: dense algebra, many starts, a quasi-Newton search of SciPy's.

Shares nothing with mixedcore's engine: Z is formed from the frame, Ω = Λ'Z'ZΛ + I is one dense matrix, the
search is L-BFGS-B in signed, log-free entries of Λ. What is finally compared is evaluated by a QR
factorisation of the rows themselves, which loses no digits where Λ is large.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve, qr
from scipy.optimize import minimize

from tests.reference.designs import DataSet, Floats, design_matrix, levels

FAR = 1e10  # stands for a criterion that cannot be evaluated
RANDOM_STARTS = 4
OFF_ZERO = 0.01  # where a start has to leave a zero, at which all derivatives vanish
SEARCH = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-8, "maxcor": 40}


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One term: Z (n, m q), level by level, of covariates (n, q) over their root mean squares `size` (q,)."""

    Z: Floats
    m: int
    size: Floats
    full: bool

    @property
    def q(self) -> int:
        return len(self.size)


Factors = tuple[Floats, ...]  # Λ of each term over its scaled covariates, (q, rank)


@dataclass(frozen=True, eq=False)
class Dense:
    """The criterion of one data set."""

    data: DataSet

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._block(t) for t in range(len(self.data.terms)))

    def _block(self, t: int) -> Block:
        term = self.data.terms[t]
        codes, basis = levels(self.data.frame, term)
        n, q, m = len(basis), basis.shape[1], int(codes.max()) + 1
        size = np.sqrt(np.mean(basis**2, axis=0))
        Z = np.zeros((n, m, q))
        Z[np.arange(n), codes] = basis / size
        return Block(Z.reshape(n, m * q), m, size, term.shape == "full")

    @cached_property
    def y(self) -> Floats:
        return self.data.frame["y"].to_numpy()

    @cached_property
    def X(self) -> Floats:
        return design_matrix(self.data.frame, self.data.fixed)

    @cached_property
    def _products(self) -> tuple[Floats, Floats, Floats, float]:
        """Z'Z, Z'[Q y], [Q y]'[Q y] with y free of X and QR = X; log|R|²."""
        Q, R = np.linalg.qr(self.X)
        residual = self.y - Q @ (Q.T @ self.y)
        W = np.column_stack([Q, residual])
        Z = np.column_stack([b.Z for b in self.blocks])
        return Z.T @ Z, Z.T @ W, W.T @ W, 2 * float(np.log(np.abs(np.diag(R))).sum())

    @property
    def df(self) -> int:
        n, p = self.X.shape
        return n - p * self.data.reml

    def _scaled(self, A: Floats, factors: Factors) -> Floats:
        """AΛ for A (·, total)."""
        parts, at = [], 0
        for b, T in zip(self.blocks, factors, strict=True):
            own = A[:, at : at + b.m * b.q].reshape(len(A), b.m, b.q)
            parts.append((own @ T).reshape(len(A), -1))
            at += b.m * b.q
        return np.concatenate(parts, axis=1)

    def value_and_gradient(self, factors: Factors) -> tuple[float, Factors]:
        """The criterion and its derivative with respect to every entry of every Λ.

        ∂d/∂Λ = 2 Σ_f {[(Z'ZΛ)C + (Z'X)C_Xu]_ff − (Z'e)_f u_f' / σ̂²}, C inverse to the system (to Ω for ML).
        """
        ZZ, ZW, WW, logdet_X = self._products
        ZZL, LZW = self._scaled(ZZ, factors), self._scaled(ZW.T, factors).T
        omega = self._scaled(ZZL.T, factors)
        r, p = len(omega), len(WW) - 1
        omega[np.arange(r), np.arange(r)] += 1
        system = np.block([[omega, LZW[:, :p]], [LZW[:, :p].T, WW[:p, :p]]])
        whole = cho_factor(system, lower=True)
        pivots = 2 * np.log(np.diag(whole[0]))
        right = np.append(LZW[:, p], WW[:p, p])
        solution = cho_solve(whole, right)
        r2 = float(WW[p, p] - right @ solution)
        if r2 <= 0:
            raise np.linalg.LinAlgError
        logdet = pivots[:r].sum() + (pivots[r:].sum() + logdet_X) * self.data.reml
        value = logdet + self.df * (1 + np.log(2 * np.pi * r2 / self.df))
        if self.data.reml:
            C = cho_solve(whole, np.eye(r + p))
            left = np.column_stack([ZZL, ZW[:, :p]]) @ C[:, :r]
        else:
            left = ZZL @ cho_solve(cho_factor(omega, lower=True), np.eye(r))
        u = solution[:r]
        Ze = ZW[:, p] - ZW[:, :p] @ solution[r:] - ZZL @ u
        return float(value), self._faces(left, Ze, u * self.df / r2, factors)

    def _faces(self, left: Floats, Ze: Floats, u: Floats, factors: Factors) -> Factors:
        out, row, col = [], 0, 0
        for b, T in zip(self.blocks, factors, strict=True):
            k = T.shape[1]
            rows, cols = slice(row, row + b.m * b.q), slice(col, col + b.m * k)
            faces = np.einsum("fifj->ij", left[rows, cols].reshape(b.m, b.q, b.m, k))
            out.append(2 * (faces - Ze[rows].reshape(b.m, b.q).T @ u[cols].reshape(b.m, k)))
            row, col = rows.stop, cols.stop
        return tuple(out)

    def criterion(self, factors: Factors) -> float:
        """The criterion to all digits, from the triangular factor of [ZΛ X y; I 0 0]."""
        n, p = self.X.shape
        ZL = np.column_stack([self._scaled_block(b, T) for b, T in zip(self.blocks, factors, strict=True)])
        r = ZL.shape[1]
        rows = np.zeros((n + r, r + p + 1))
        rows[:n] = np.column_stack([ZL, self.X, self.y])
        rows[n:, :r] = np.eye(r)
        diagonal = np.abs(np.diag(qr(rows, mode="r")[0]))
        logs = 2 * np.log(diagonal)
        logdet = logs[:r].sum() + logs[r : r + p].sum() * self.data.reml
        return float(logdet + self.df * (1 + np.log(2 * np.pi / self.df) + logs[r + p]))

    @staticmethod
    def _scaled_block(b: Block, T: Floats) -> Floats:
        n = len(b.Z)
        return np.asarray((b.Z.reshape(n, b.m, b.q) @ T).reshape(n, -1))


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The lowest point found: Λ of each term, and the criterion there."""

    factors: Factors
    value: float


def search(dense: Dense, start: Factors) -> Optimum:
    """The local optimum below `start`; entries that are zero there stay zero."""
    frees = [np.nonzero(T) for T in start]
    ends = np.cumsum([rows.size for rows, _ in frees])[:-1]

    def unpacked(x: Floats) -> Factors:
        out = tuple(np.zeros(T.shape) for T in start)
        for T, free, own in zip(out, frees, np.split(x, ends), strict=True):
            T[free] = own
        return out

    def function(x: Floats) -> tuple[float, Floats]:
        try:
            value, gradient = dense.value_and_gradient(unpacked(x))
        except np.linalg.LinAlgError:
            return FAR, np.zeros(x.size)
        return value, np.concatenate([G[free] for G, free in zip(gradient, frees, strict=True)])

    x = np.concatenate([T[free] for T, free in zip(start, frees, strict=True)])
    if x.size:
        x = minimize(function, x, jac=True, method="L-BFGS-B", options=SEARCH).x
    factors = unpacked(x)
    return Optimum(factors, dense.criterion(factors))


def off_zero(dense: Dense, factors: Factors) -> Factors:
    """The same with small numbers for zeros among the free entries."""
    out = []
    for b, T in zip(dense.blocks, factors, strict=True):
        free = np.tri(b.q, T.shape[1], dtype=bool) if b.full else np.eye(b.q, dtype=bool)
        out.append(np.where(free & (T == 0), OFF_ZERO, T))
    return tuple(out)


def starts(dense: Dense, seed: int) -> Iterator[Factors]:
    """Λ = I; small and large; each term alone left out; random ones of several sizes."""
    eyes = tuple(np.eye(b.q) for b in dense.blocks)
    rng = np.random.default_rng(seed)
    for size in (1.0, 0.05, 5.0):
        yield tuple(size * T for T in eyes)
    for t in range(len(eyes) if len(eyes) > 1 else 0):
        yield tuple(T * (0.0 if s == t else 1.0) for s, T in enumerate(eyes))
    for size in 3.0 ** np.arange(-2, RANDOM_STARTS - 2):
        free = (np.tri(b.q) if b.full else np.eye(b.q) for b in dense.blocks)
        yield tuple(size * mask * rng.normal(size=mask.shape) for mask in free)


def best_of(dense: Dense, seed: int, *extra: Factors) -> Optimum:
    """The best from all starts, and from the points given besides as from any other."""
    found = [search(dense, off_zero(dense, start)) for start in (*starts(dense, seed), *extra)]
    return min(found, key=lambda optimum: optimum.value)
