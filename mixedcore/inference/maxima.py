"""Tails of the largest of several statistics: the studentised range, and the largest of correlated |t|.

Both come as sums of positive terms, so that small probabilities keep their digits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import special

from mixedcore.inference.tails import two_sided_t, upper_t
from mixedcore.terms import Floats

NODES = 200  # of a trapezoidal rule in log s; its error is then under 1e-9 for one degree of freedom
STEPS = 64  # of one over 24 standard deviations
POINTS = 32_768  # of the lattice; the error of a probability is then some 5e-4 of it, and under 2.5e-3
STIRLING = 50.0  # half the degrees of freedom from which Stirling's series has 16 digits
KNOWN = 1e-12  # variance, of statistics of variance one, that is more than rounding


def range_tail(q: float, k: int, df: float) -> float:
    """P(Q ≥ q) for the studentised range Q of k independent normals with a variance on df ≥ 1 or ∞.

    With W the range's distribution and s = χ_df/√df, ∫ g(s) (1 − W(qs)) ds in t = log s, whose integrand
    decays like exp(df t) to the left of its peak near df/(df + q²/2) and double exponentially to the right,
    by the trapezoidal rule. Copenhaver & Holland (1988), J. Stat. Comput. Simul. 30.
    """
    if q <= 0:
        return 1.0
    if np.isinf(df):
        return float(_range_tail_known(np.array([q]), k)[0])
    peak, width = 0.5 * np.log(df / (df + q * q / 2)), 1 / np.sqrt(2 * df)
    t = np.linspace(peak - 30 / df - 10 * width, peak + 6 * width, NODES)
    with np.errstate(under="ignore"):
        values = np.exp(_log_density(t, df)) * _range_tail_known(q * np.exp(t), k)
    return float(min(1.0, values.sum() * (t[1] - t[0])))


def _log_density(t: Floats, df: float) -> Floats:
    """Log density of log(χ_df/√df); by Stirling's series where the constant would cancel."""
    x = df / 2
    if x < STIRLING:
        return np.asarray(np.log(2) + x * np.log(x) - special.gammaln(x) + 2 * x * t - x * np.exp(2 * t))
    constant = np.log(2) + 0.5 * np.log(x / (2 * np.pi)) - 1 / (12 * x) + 1 / (360 * x**3)
    return np.asarray(constant - x * (np.expm1(2 * t) - 2 * t))


def _range_tail_known(w: Floats, k: int) -> Floats:
    """P(range of k standard normals ≥ w), for each w.

    k ∫ φ(z) {Φ(z)^(k−1) − [Φ(z) − Φ(z − w)]^(k−1)} dz, the difference by its logarithm.
    """
    z = w[:, None] / 2 + np.linspace(-12, 12, STEPS)
    log_below, log_far = special.log_ndtr(z), special.log_ndtr(z - w[:, None])
    with np.errstate(under="ignore", divide="ignore"):
        share = np.minimum(np.exp(log_far - log_below), 1.0)
        inside = -np.expm1((k - 1) * np.log1p(-share))
        density = np.exp(-(z**2) / 2 + (k - 1) * log_below) / np.sqrt(2 * np.pi)
        return np.asarray(k * (density * inside).sum(axis=1) * (24 / (STEPS - 1)))


def range_quantile(p: float, k: int, df: float) -> float:
    """The number that the studentised range exceeds with probability p."""
    low, high = (np.sqrt(2) * each for each in _bounds(p, k * (k - 1) // 2, df))
    return _solved(lambda q: range_tail(q, k, df), p, low, high, 1e-10)


class LargestT:
    """The largest of |T₁|, …, |T_r|, multivariate t with correlations R (r, r), singular ones included.

    P(∪ A_j) = Σ_j P(A_j) E[1/N | A_j] for A_j = {|T_j| ≥ c} and N the number of them that hold; the mean is
    taken over a lattice, in which T_j is drawn from its tail and the others given T_j. Its relative error
    does not grow as the probability falls: Adler, Blanchet & Liu (2012), Ann. Appl. Probab. 22, on such
    unions. The lattice is Kronecker's on the square roots of primes, always the same.
    """

    def __init__(self, R: Floats, df: float) -> None:
        self.df = df
        self._first = np.arange(POINTS) % len(R)
        self._slope = R[self._first]
        roots = [_root(R - np.outer(row, row)) for row in R]
        self._tail, spread, normal = _lattice(max(root.shape[1] for root in roots))
        self._scale = (
            np.sqrt(special.chdtri(df + 1, spread) / (df + 1)) if np.isfinite(df) else np.ones(POINTS)
        )
        self._rest = np.empty((POINTS, len(R)))
        for j, root in enumerate(roots):
            self._rest[j :: len(R)] = normal[j :: len(R), : root.shape[1]] @ root.T

    def tail(self, c: float) -> float:
        """P(max |T_j| ≥ c)."""
        r, df = self._slope.shape[1], self.df
        if c <= 0:
            return 1.0
        each = float(two_sided_t(np.array(c), np.array(df)))
        t = upper_t(self._tail * each / 2, np.array(df))
        widening = np.sqrt((df + t**2) / (df + 1)) if np.isfinite(df) else 1.0
        others = np.abs(self._slope * t[:, None] + self._rest * (widening / self._scale)[:, None])
        others[np.arange(POINTS), self._first] = np.inf
        return float(min(1.0, r * each * (1 / (others >= c).sum(axis=1)).mean()))

    def quantile(self, p: float) -> float:
        """The number that the largest exceeds with probability p."""
        return _solved(self.tail, p, *_bounds(p, self._slope.shape[1], self.df), 1e-5)


@lru_cache(maxsize=4)
def _lattice(width: int) -> tuple[Floats, Floats, Floats]:
    """Kronecker's lattice: two uniform columns (POINTS,), and normal ones (POINTS, width)."""
    steps = np.arange(1.0, POINTS + 1)[:, None] * np.sqrt(_primes(width + 2)) % 1.0
    return steps[:, 0], steps[:, 1], np.asarray(special.ndtri(steps[:, 2:]))


def _bounds(p: float, r: int, df: float) -> tuple[float, float]:
    """Between one |t| and Bonferroni's bound for r of them; a little more, for the lattice's error."""
    one, all_apart = (float(upper_t(p / 2 / n, np.array(df))) for n in (1, r))
    return 0.98 * one, 1.02 * all_apart


def _solved(tail: Callable[[float], float], p: float, low: float, high: float, tolerance: float) -> float:
    """c between low and high with tail(c) = p."""
    from scipy.optimize import brentq  # here, because it loads slowly

    return float(brentq(lambda c: tail(c) - p, low, high, xtol=tolerance, rtol=1e-12))


def _root(V: Floats) -> Floats:
    """L (r, rank) with LL' = V, its longest column first."""
    values, vectors = np.linalg.eigh(V)
    order = np.argsort(-values)[: np.count_nonzero(values > KNOWN)]
    return np.asarray(vectors[:, order] * np.sqrt(values[order]))


def _primes(k: int) -> Floats:
    """The first k primes."""
    found: list[int] = []
    number = 2
    while len(found) < k:
        if all(number % p for p in found):
            found.append(number)
        number += 1
    return np.array(found, dtype=float)
