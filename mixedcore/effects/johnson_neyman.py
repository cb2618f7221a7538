"""Where a slope that depends on another variable differs from zero: Johnson and Neyman's regions.

The slope of x at the value m of a moderator is l(m)'β, with l(m) = l₀ + m l₁ where the two interact linearly.
It is on the edge of significance where

    (b₀ + b₁m)² = c² (V₀₀ + 2V₀₁m + V₁₁m²),        b = (l₀'β̂, l₁'β̂),  V their covariance,

with c the critical value of t: a quadratic in m. Johnson & Neyman (1936), Statistical Research Memoirs 1;
Bauer & Curran (2005), Multivariate Behav. Res. 40(3), for mixed models. Where the degrees of freedom depend
on m, each edge is solved with its own. A slope that bends in m is searched for edges between the ends of the
data.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from mixedcore.effects.marginal_means import Estimator
from mixedcore.errors import ModelError
from mixedcore.inference.tails import upper_t
from mixedcore.terms import Floats

Rows = Callable[[Floats], Floats]
SAME = 1e-7  # share of the size of L that rounding in differences leaves
TURNS = 100
POINTS = 401


def edges(b: Floats, V: Floats, critical: float) -> Floats:
    """Values m, ascending, at which |b₀ + b₁m| is `critical` standard errors: none, one or two of them."""
    a, half, c = (
        b[i] * b[j] - critical**2 * V[i, j] for i, j in ((1, 1), (0, 1), (0, 0))
    )  # a m² + 2 half m + c = 0
    if a == 0:
        return np.array([-c / (2 * half)]) if half else np.empty(0)
    root = half**2 - a * c
    if root < 0:
        return np.empty(0)
    q = -(half + np.copysign(np.sqrt(root), half))  # the sum that does not cancel
    return np.sort(np.array([q / a, c / q] if q else [0.0]))


def regions(estimator: Estimator, rows: Rows, low: float, high: float, level: float) -> pd.DataFrame:
    """Stretches of the moderator: `low, high, sign`: 1 or −1 where the interval excludes zero, else 0.

    rows : L (k, p) of the slope at k values of the moderator, which ranges from `low` to `high`
    """
    middle, half = (high + low) / 2, (high - low) / 2
    at = rows(middle + half * np.array([-1.0, -0.5, 0.0, 0.5, 1.0]))
    if not estimator.estimable(at).all():
        raise ModelError("The data do not determine this slope at every value of the moderator.")
    constant, change = (at[4] + at[0]) / 2, (at[4] - at[0]) / 2
    size = np.abs(at).max()
    if np.abs(at - at[2]).max() <= SAME * size:
        raise ModelError(
            "The slope does not depend on the moderator: the model has no interaction of the two."
        )
    bend = max(np.abs(at[i] - constant - u * change).max() for i, u in ((1, -0.5), (2, 0.0), (3, 0.5)))
    if bend <= SAME * size:
        line = np.array([constant, change])
        found = middle + half * _line_edges(estimator, line, level)
        return _signs(
            estimator, lambda m: line[0] + ((m - middle) / half)[:, None] * line[1], found, half, level
        )
    grid = np.linspace(low, high, POINTS)
    found = _searched(lambda m: _excess(estimator, rows(m), level), grid)
    return _signs(estimator, rows, found, half, level, (low, high))


def _line_edges(estimator: Estimator, line: Floats, level: float) -> Floats:
    """Edges for the rows l₀ + u l₁, each with the degrees of freedom that the slope has there."""
    own = line[:, estimator.tests.info.user.kept]
    b, V = own @ estimator.tests.info.user.beta, own @ estimator.tests.cov_beta @ own.T
    critical = _critical(estimator, own[:1], level)
    found = []
    for which, u in enumerate(edges(b, V, critical)):
        for _ in range(TURNS):
            near = edges(b, V, _critical(estimator, own[:1] + u * own[1:], level))
            if which >= near.size:
                break
            step, u = abs(near[which] - u), near[which]
            if step <= 1e-12 * max(1.0, abs(u)):
                break
        found.append(u)
    return np.array(found)


def _critical(estimator: Estimator, own: Floats, level: float) -> float:
    return float(upper_t((1 - level) / 2, estimator.tests.df(own))[0])


def _excess(estimator: Estimator, L: Floats, level: float) -> Floats:
    """|t| less the critical value, with the estimate's sign beside it in `_signs`."""
    found = estimator.table(L)
    t = np.abs(found["estimate"].to_numpy()) / found["std_error"].to_numpy()
    return np.asarray(t - upper_t((1 - level) / 2, found["df"].to_numpy()))


def _searched(excess: Rows, grid: Floats) -> Floats:
    """Zeros of `excess`, one for each change of sign on the grid."""
    from scipy.optimize import brentq  # here, because it loads slowly

    values = excess(grid)
    turns = np.flatnonzero(np.signbit(values[:-1]) != np.signbit(values[1:]))
    return np.array([brentq(lambda m: excess(np.array([m]))[0], grid[i], grid[i + 1]) for i in turns])


def _signs(
    estimator: Estimator, rows: Rows, found: Floats, half: float, level: float,
    ends: tuple[float, float] = (-np.inf, np.inf),
) -> pd.DataFrame:  # fmt: skip
    """The stretches between edges, and what the slope is on each."""
    cuts = np.array([ends[0], *found, ends[1]])
    outer = np.clip(cuts, *(found[[0, -1]] + [-half, half] if found.size else (-half, half)))
    inside = (outer[:-1] + outer[1:]) / 2
    L = rows(inside)
    sign = np.sign(estimator.table(L)["estimate"].to_numpy()) * (_excess(estimator, L, level) > 0)
    return pd.DataFrame({"low": cuts[:-1], "high": cuts[1:], "sign": sign.astype(int)})
