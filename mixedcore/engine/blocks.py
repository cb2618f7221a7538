"""Algebra of many small matrices at once: arrays of shape (rows, columns, m), the batch last.

With the batch contiguous, a q × q step is a handful of vector operations over all m levels; nothing here
loops over levels. Large blocks (q > `UNROLL`) go through LAPACK's batched routines instead.
"""

from __future__ import annotations

import numpy as np

from mixedcore.terms import Floats, Ints

UNROLL = 6  # up to this q, q³/3 vector operations over the batch beat LAPACK's call per block


def transpose(A: Floats) -> Floats:
    """(a, b, m) → (b, a, m), a view."""
    return A.swapaxes(0, 1)


def multiply(A: Floats, B: Floats) -> Floats:
    """Batched product: (a, b, m), (b, c, m) → (a, c, m)."""
    if A.shape[1] > UNROLL:
        return np.moveaxis(np.matmul(np.moveaxis(A, -1, 0), np.moveaxis(B, -1, 0)), 0, -1)
    out = A[:, 0, None] * B[None, 0]
    for k in range(1, A.shape[1]):
        out += A[:, k, None] * B[None, k]
    return out


def apply(A: Floats, B: Floats) -> Floats:
    """Blocks A (r, q, m) on columns B (w, q, m) → (w, r, m)."""
    out = B[:, 0, None] * A[None, :, 0]
    for j in range(1, A.shape[1]):
        out += B[:, j, None] * A[None, :, j]
    return out


def congruence(T: Floats, A: Floats) -> Floats:
    """T'AT for one (q, q) matrix T and a batch A (q, q, m)."""
    if T.shape[0] == 1:
        return A * float(T[0, 0]) ** 2
    q, _, m = A.shape
    half = (T.T @ A.reshape(q, q * m)).reshape(q, q, m)
    whole: Floats = (T.T @ transpose(half).reshape(q, q * m)).reshape(q, q, m)
    return whole


def inverse_and_logdet(D: Floats) -> tuple[Floats, Floats]:
    """Inverse (q, q, m) and log|det| (m,) of symmetric blocks, definite or not (see `Root`)."""
    q = D.shape[0]
    if q == 1:
        return 1.0 / D, np.log(np.abs(D[0, 0]))
    if q == 2:
        return _inverse_of_two(D)
    if q > UNROLL:
        stacked = np.moveaxis(D, -1, 0)
        inverse = np.asarray(np.linalg.inv(stacked), dtype=np.float64)
        return np.moveaxis(inverse, 0, -1), np.linalg.slogdet(stacked).logabsdet
    L_inv, pivots = _inverse_factor(D)
    return multiply(transpose(L_inv), L_inv / pivots[:, None]), np.log(np.abs(pivots)).sum(axis=0)


def _inverse_of_two(D: Floats) -> tuple[Floats, Floats]:
    """The same for q = 2, written out."""
    low = D[1, 0] / D[0, 0]
    pivot = D[1, 1] - low * D[1, 0]
    inverse = np.empty_like(D)
    np.divide(1.0, pivot, out=inverse[1, 1])
    np.multiply(-low, inverse[1, 1], out=inverse[1, 0])
    inverse[0, 1] = inverse[1, 0]
    np.divide(1.0, D[0, 0], out=inverse[0, 0])
    inverse[0, 0] -= low * inverse[1, 0]
    return inverse, np.log(np.abs(D[0, 0] * pivot))


def _inverse_factor(D: Floats) -> tuple[Floats, Floats]:
    """L⁻¹ (unit lower triangular) and pivots d (q, m) of D = L diag(d) L'."""
    q = len(D)
    L, inverse, pivots = np.zeros_like(D), np.zeros_like(D), np.empty(D.shape[1:])
    for j in range(q):
        scaled = L[j, :j] * pivots[:j]
        pivots[j] = D[j, j] - (L[j, :j] * scaled).sum(axis=0)
        for i in range(j + 1, q):
            L[i, j] = (D[i, j] - (L[i, :j] * scaled).sum(axis=0)) / pivots[j]
        inverse[j, j] = 1.0
        for i in range(j):
            inverse[j, i] = -(L[j, i:j] * inverse[i:j, i]).sum(axis=0)
    return inverse, pivots


def sum_runs(A: Floats, starts: Ints) -> Floats:
    """Sums over consecutive runs of the last axis, the runs beginning at `starts`."""
    return np.add.reduceat(A, starts, axis=-1)


def sum_by(A: Floats, index: Ints, size: int) -> Floats:
    """Sums over equal `index` along the last axis: (…, m) → (…, size)."""
    flat = A.reshape(-1, A.shape[-1])
    out = np.empty((flat.shape[0], size))
    for row, values in zip(out, flat, strict=True):
        row[:] = np.bincount(index, values, minlength=size)
    return out.reshape(*A.shape[:-1], size)
