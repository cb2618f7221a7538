"""Tails of the normal, of t and of F: small probabilities keep their digits.

`scipy.stats` need not be loaded for them: loading it takes longer than all of this package.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from mixedcore.errors import ModelError
from mixedcore.terms import Floats


def two_sided_normal(z: Floats) -> Floats:
    """P(|Z| ≥ |z|) for a standard normal Z."""
    return np.asarray(2 * special.ndtr(-np.abs(z)))


def two_sided_t(t: Floats, df: Floats) -> Floats:
    """P(|T| ≥ |t|) for T with df degrees of freedom."""
    return np.asarray(2 * special.stdtr(df, -np.abs(t)))


def upper_normal(p: float) -> float:
    """The number that a standard normal exceeds with probability p."""
    return -float(special.ndtri(p))


def upper_t(p: float | Floats, df: Floats) -> Floats:
    """The number that T with df degrees of freedom exceeds with probability p."""
    return np.asarray(-special.stdtrit(df, p))


def upper_tail_of_f(F: float, num_df: float, den_df: float) -> float:
    """P(F_{num, den} ≥ F); den_df may be infinite, when num_df · F is chi-squared."""
    if np.isinf(den_df):
        return float(special.chdtrc(num_df, num_df * F))
    return float(special.fdtrc(num_df, den_df, F))


def check_level(level: float) -> float:
    """A confidence level strictly between 0 and 1, or ModelError."""
    if not 0 < level < 1:
        raise ModelError(
            f"level={level} is not a confidence level; give a number between 0 and 1, such as 0.95."
        )
    return level
