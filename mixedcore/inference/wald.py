"""Wald tests of linear hypotheses Rβ = q, from estimates and their covariance.

    z = (r'β̂ − q) / √(r'Cr)                                      one row r at a time
    W = (Rβ̂ − q)' (RCR')⁻ (Rβ̂ − q) ~ χ²(rank RCR'),  F = W / rank    jointly

Wald (1943), Trans. Amer. Math. Soc. 54. Where RCR' is singular because some hypotheses follow from others,
the rank counts; hypotheses that contradict each other are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from mixedcore.errors import ModelError
from mixedcore.inference.hypothesis_text import Linear
from mixedcore.inference.tails import two_sided_normal, two_sided_t
from mixedcore.terms import Floats

KNOWN = 1e-12  # share of the largest eigenvalue of RCR', rows in units of their errors, that has rank
TOLD = 1e-6  # part of Rβ̂ − q, in standard errors, that directions without variance may hold by rounding


@dataclass(frozen=True, slots=True, eq=False)
class SingleTests:
    """effect Rβ̂, its standard error, statistic and two-sided p-value, each (r,)."""

    effect: Floats
    sd: Floats
    statistic: Floats
    p: Floats


@dataclass(frozen=True, slots=True, eq=False)
class JointTest:
    """Wald statistic W, the rank it is on, and its p-value from χ² or F."""

    statistic: float
    rank: int
    p: float


def single_tests(linear: Linear, estimate: Floats, cov: Floats, df: float = np.inf) -> SingleTests:
    """One test a row on t with `df` degrees of freedom, the normal distribution by default.

    estimate (P,), cov (P, P). ModelError for a hypothesis about nothing.
    """
    variance = np.einsum("rp,pq,rq->r", linear.R, cov, linear.R)
    empty = ~linear.R.any(axis=1)
    if empty.any():
        raise ModelError(
            f"Hypothesis {int(empty.argmax()) + 1} is about no parameter: all are multiplied by 0."
        )
    effect, sd = linear.R @ estimate, np.sqrt(np.maximum(variance, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (effect - linear.q) / sd
    p = two_sided_normal(statistic) if np.isinf(df) else two_sided_t(statistic, np.asarray(df))
    return SingleTests(effect, sd, statistic, p)


def joint_test(
    linear: Linear,
    estimate: Floats,
    cov: Floats,
    *,
    df: float = np.inf,
    inverse: Floats | None = None,
    rank: int | None = None,
) -> JointTest:
    """W of all rows together, with its p-value from χ², or from F with `df` in the denominator.

    inverse : (r, r), taken for (RCR')⁻¹;  rank : taken for the number of hypotheses
    """
    left = linear.R @ estimate - linear.q
    if inverse is not None:
        W, found = float(left @ np.asarray(inverse, dtype=np.float64) @ left), left.size
    else:
        W, found = _quadratic(left, linear.R @ cov @ linear.R.T)
    count = found if rank is None else int(rank)
    if count < 1:
        raise ModelError("The hypotheses name no parameter, so there is nothing to test.")
    p = special.chdtrc(count, W) if np.isinf(df) else special.fdtrc(count, df, W / count)
    return JointTest(W, count, float(p))


def _quadratic(left: Floats, cov: Floats) -> tuple[float, int]:
    """left' cov⁻ left and the rank of cov, (r, r)."""
    sd = np.sqrt(np.diag(cov))
    if not (np.isfinite(sd).all() and (sd > 0).all()):
        raise ModelError(
            "A hypothesis has no standard error: its parameters are multiplied by 0, or the estimate is on "
            "its boundary. Leave it out; for variances see confint() and compare()."
        )
    values, vectors = np.linalg.eigh(cov / np.outer(sd, sd))
    along, known = vectors.T @ (left / sd), values > KNOWN * values[-1] * len(values)
    if (np.abs(along[~known]) > TOLD * (1 + np.abs(left / sd).max())).any():
        raise ModelError("The hypotheses contradict each other: no parameters meet all of them.")
    return float(np.sum(along[known] ** 2 / values[known])), int(known.sum())
