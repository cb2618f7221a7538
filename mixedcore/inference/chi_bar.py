"""Tails of χ̄²: the squared length of a normal vector's projection onto a cone.

A likelihood-ratio test of variances at zero compares tangent cones; under the null hypothesis its limit is

    T = χ²_a + min_{k = 0} (z − k)'I(z − k) − min_{k ∈ K} (z − k)'I(z − k),    z ~ N(0, I⁻¹),

with `a` parameters that may go either way, K the cone of the others, and I their information with everything
else profiled out (Self & Liang 1987, JASA 82; Shapiro 1988, Int. Stat. Rev. 56). For one variance it is the
even mixture of χ²_a and χ²_{a+1} (Stram & Lee 1994, Biometrics 50, case 3). As K is a cone, T = R² h(U) with
R² the squared length of the whole vector, χ², and U its direction; so P(T ≥ x) is the mean over directions of
P(χ² ≥ x/h(U)), which keeps the digits of the smallest p-values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc

from mixedcore.terms import Floats

DIRECTIONS = 10_000
STEPS = 2_000
FLAT = 1e-9  # of a variance's information, added to all: there may be none along a combination of them
STILL = 1e-6  # change of a projection, over its length, at which it is found: its square is in the length


def upper_chi2(x: float, df: float) -> float:
    """P(χ²_df ≥ x); χ²_0 is zero."""
    if df == 0:
        return float(x <= 0)
    return float(chdtrc(df, x))


def chi_bar_p(x: float, free: int, sizes: Sequence[int], information: Floats, seed: int = 0) -> float:
    """P(T ≥ x) for `free` parameters without a bound and a cone of covariance matrices.

    sizes       : r of each (r, r) positive semidefinite matrix that the cone is made of; 1 for a variance
    information : (d, d) for their lower triangles by columns, one after the other
    """
    if x <= 0:
        return 1.0
    if not sizes:
        return upper_chi2(x, free)
    if list(sizes) == [1]:
        return (upper_chi2(x, free) + upper_chi2(x, free + 1)) / 2
    d = len(information)
    U = np.random.default_rng(seed).normal(size=(DIRECTIONS, free + d))
    U /= np.linalg.norm(U, axis=1, keepdims=True)
    h = (U[:, :free] ** 2).sum(axis=1) + projected(U[:, free:], sizes, information)
    ratio = np.divide(x, h, out=np.full_like(h, np.inf), where=h > 0)
    return float(chdtrc(free + d, ratio).mean())


def projected(U: Floats, sizes: Sequence[int], information: Floats) -> Floats:
    """Squared lengths (N,) of the projections onto the cone, in the metric I, of z with I^½ z = U (N, d).

    By accelerated projected gradients (Beck & Teboulle 2009, SIAM J. Imaging Sci. 2), in units that
    give every variance the same information.
    """
    scale, weight = _units(sizes, information)
    metric = information * np.outer(scale, scale) / np.outer(weight, weight)
    target = U @ np.linalg.cholesky(metric + FLAT * np.eye(len(metric))).T  # I z
    rate = 1.0 / float(np.linalg.eigvalsh(metric)[-1])
    k = np.zeros_like(U)
    ahead, momentum = k, 1.0
    for _ in range(STEPS):
        moved = _onto(ahead + rate * (target - ahead @ metric), sizes, weight)
        step, following = moved - k, (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead, k = moved + (momentum - 1) / following * step, moved
        momentum = 1.0 if float((step * (moved - ahead)).sum()) > 0 else following
        if float(np.abs(step).max()) < STILL * max(float(np.abs(k).max()), STILL):
            break
    return np.asarray(((2 * target - k @ metric) * k).sum(axis=1), dtype=np.float64)


def _units(sizes: Sequence[int], information: Floats) -> tuple[Floats, Floats]:
    """Units (d,) in which each variance has information one, and √2 for what stands twice in a matrix."""
    scales, weights, first = [], [], 0
    for r in sizes:
        cols, rows = np.triu_indices(r)
        own = first + np.flatnonzero(rows == cols)
        sd = np.diag(information)[own] ** -0.25
        scales.append(sd[rows] * sd[cols])
        weights.append(np.where(rows == cols, 1.0, np.sqrt(2.0)))
        first += rows.size
    return np.concatenate(scales), np.concatenate(weights)


def _onto(k: Floats, sizes: Sequence[int], weight: Floats) -> Floats:
    """Nearest points of the cone, (N, d)."""
    out, first = np.empty_like(k), 0
    for r in sizes:
        cols, rows = np.triu_indices(r)
        own = slice(first, first + rows.size)
        if r == 1:
            np.maximum(k[:, own], 0.0, out=out[:, own])
        else:
            M = np.empty((len(k), r, r))
            M[:, rows, cols] = M[:, cols, rows] = k[:, own] / weight[own]
            values, vectors = np.linalg.eigh(M)
            M = np.einsum("nij,nj,nkj->nik", vectors, np.maximum(values, 0.0), vectors)
            out[:, own] = M[:, rows, cols] * weight[own]
        first += rows.size
    return out
