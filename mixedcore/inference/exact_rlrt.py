"""The exact null distribution of the (restricted) likelihood-ratio statistic of one variance component.

Under y = Xβ + ε, with μ_s the K eigenvalues of Z'P₀Z (P₀ = I − X(X'X)⁻¹X'), ξ_s those of Z'Z, and independent
standard normals w_s,

    RLRT = sup_λ {(n − p) log[1 + N(λ)/D(λ)] − Σ log(1 + λμ_s)},
    LRT  = sup_λ {n log[1 + N(λ)/D(λ)] − Σ log(1 + λξ_s)},
    N(λ) = Σ λμ_s/(1 + λμ_s) w_s²,    D(λ) = Σ w_s²/(1 + λμ_s) + Σ_{s>K} w_s².

Crainiceanu & Ruppert (2004), J. R. Stat. Soc. B 66(1), theorems 1 and 2. Equal eigenvalues share one χ².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.errors import ModelError
from mixedcore.terms import Floats

GRID = np.exp(np.linspace(-12.0, 10.0, 220))
"""λ times the largest eigenvalue; the supremum is read off a parabola through the best three."""
MOST_EFFECTS = 4_000  # coefficients whose (K, K) eigenvalues are taken
EQUAL = 1e-8  # of the largest: eigenvalues this close count as one
CHUNK = 2_000_000  # numbers at a time


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Distinct eigenvalues of Z'P₀Z (mu) and of Z'Z (xi), and their numbers; n rows, p columns of X."""

    mu: Floats
    mu_count: Floats
    xi: Floats
    xi_count: Floats
    n: int
    p: int


def spectrum(cp: CrossProducts) -> Spectrum:
    """Of a model with one variance parameter, from its cross-products.

    ModelError where the component has too many coefficients.
    """
    K = sum(g.q * g.m for g in cp.groupings)
    if K > MOST_EFFECTS:
        raise ModelError(
            f"The exact test takes eigenvalues of a matrix of {K:,} random effects, more than the "
            f"{MOST_EFFECTS:,} it can; use test='lrt', which is accurate with so many."
        )
    ZZ, ZX = _dense(cp)
    inside = np.linalg.solve(cp.WW[:-1, :-1], ZX) if cp.p else ZX
    mu, mu_count = _distinct(ZZ - ZX.T @ inside)
    xi, xi_count = _distinct(ZZ)
    return Spectrum(mu, mu_count, xi, xi_count, cp.n, cp.p)


def _dense(cp: CrossProducts) -> tuple[Floats, Floats]:
    """Z'Z (K, K) and X'Z (p, K) of all groupings side by side, coefficient by coefficient."""
    first = np.cumsum([0, *(g.q * g.m for g in cp.groupings)])
    ZZ = np.zeros((first[-1], first[-1]))
    for t, (g, blocks) in enumerate(zip(cp.groupings, cp.ZZ, strict=True)):
        levels = np.arange(g.m)
        for i, j in np.ndindex(g.q, g.q):
            ZZ[first[t] + i * g.m + levels, first[t] + j * g.m + levels] = blocks[i, j]
    for (s, t), pairs in cp.pairs.items():
        for i, j in np.ndindex(pairs.values.shape[:2]):
            rows = first[s] + i * cp.groupings[s].m + pairs.rows
            cols = first[t] + j * cp.groupings[t].m + pairs.cols
            ZZ[rows, cols] = ZZ[cols, rows] = pairs.values[i, j]
    parts = [ZW[:-1].reshape(cp.p, -1) for ZW in cp.ZW]
    return ZZ, np.concatenate(parts, axis=1)


def _distinct(matrix: Floats) -> tuple[Floats, Floats]:
    """Distinct eigenvalues above zero, and how often each stands."""
    values = np.linalg.eigvalsh(matrix)
    values = values[values > EQUAL * values[-1]]
    breaks = np.flatnonzero(np.diff(values) > EQUAL * values[-1]) + 1
    groups = np.split(values, breaks)
    return np.array([g.mean() for g in groups]), np.array([float(g.size) for g in groups])


def null_draws(found: Spectrum, n: int, seed: int, *, reml: bool) -> Floats:
    """n draws of the statistic under the null hypothesis, (n,)."""
    rng = np.random.default_rng(seed)
    size = max(1, CHUNK // max(GRID.size, found.mu.size))
    parts = [_draw(found, min(size, n - first), rng, reml=reml) for first in range(0, n, size)]
    return np.concatenate(parts)


def _draw(found: Spectrum, n: int, rng: np.random.Generator, *, reml: bool) -> Floats:
    w = rng.chisquare(found.mu_count, size=(n, found.mu.size))
    left = found.n - found.p - found.mu_count.sum()
    rest = rng.chisquare(left, size=n) if left > 0 else np.zeros(n)
    lam = GRID / found.mu[-1]
    shrunk = 1 / (1 + np.outer(found.mu, lam))
    total = w.sum(axis=1) + rest
    D = w @ shrunk + rest[:, None]
    roots, counts = (found.mu, found.mu_count) if reml else (found.xi, found.xi_count)
    penalty = counts @ np.log1p(np.outer(roots, lam))
    df = found.n - found.p if reml else found.n
    return _highest(df * (np.log(total)[:, None] - np.log(D)) - penalty)


def _highest(curve: Floats) -> Floats:
    """The supremum of each curve (n, g) over the grid and zero: a parabola's through the best three."""
    curve = np.column_stack([np.zeros(len(curve)), curve])
    best = np.clip(curve.argmax(axis=1), 1, curve.shape[1] - 2)
    at = np.arange(len(curve))
    low, mid, high = curve[at, best - 1], curve[at, best], curve[at, best + 1]
    bend = 2 * mid - low - high
    top = np.maximum(mid, np.maximum(low, high))
    inside = (mid > low) & (mid > high) & (best > 1)
    gain = np.divide((high - low) ** 2, 8 * bend, out=np.zeros_like(bend), where=inside & (bend > 0))
    return np.asarray(np.maximum(top + gain, 0.0))
