"""p-values and intervals of several contrasts at once.

    none                each on its own
    tukey               studentised range of the k means of a family: Tukey (1953), Kramer (1956)
    holm, bonferroni    Holm (1979), Scand. J. Stat. 6; intervals of both are Bonferroni's
    sidak               1 − (1 − p)^r: Šidák (1967), JASA 62
    scheffe             F of all contrasts of the family's rank: Scheffé (1953), Biometrika 40
    mvt                 largest of correlated |t|, exact but for the integral: Hothorn, Bretz & Westfall
                        (2008), Biom. J. 50; of comparisons with one control it is Dunnett's test

As in the R package emmeans, a family is the contrasts of one combination of the levels of `by`, one contrast
alone needs no adjustment but Scheffé's, and Tukey's is for pairwise comparisons alone: for others Šidák's
takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, get_args

import numpy as np
from scipy import special

from mixedcore.errors import ModelError
from mixedcore.inference import multiplicity
from mixedcore.inference.maxima import LargestT, range_quantile, range_tail
from mixedcore.inference.tails import two_sided_t, upper_t, upper_tail_of_f
from mixedcore.terms import Floats

Adjust = Literal["none", "tukey", "holm", "bonferroni", "sidak", "scheffe", "mvt"]
DIGITS = 5  # of degrees of freedom, which are good to 1e-6: those that agree so far are one
KNOWN = 1e-8  # share of the largest eigenvalue of the correlations from which a direction counts


@dataclass(frozen=True, eq=False)
class Family:
    """r contrasts that are judged together, of k means; R (r, r) their correlations."""

    k: int
    R: Floats

    @property
    def r(self) -> int:
        """Number of contrasts."""
        return len(self.R)

    @cached_property
    def rank(self) -> int:
        """Dimension of the contrasts."""
        values = np.linalg.eigvalsh(self.R)
        return int(np.count_nonzero(values > KNOWN * values[-1]))

    def largest(self, df: float) -> LargestT:
        """Distribution of the largest |t|."""
        return _largest(self.R.tobytes(), self.r, round(df, DIGITS))


@lru_cache(maxsize=16)
def _largest(R: bytes, r: int, df: float) -> LargestT:
    return LargestT(np.frombuffer(R).reshape(r, r), df)


def resolved(adjust: str, *, pairwise: bool, several: bool) -> Adjust:
    """The adjustment in use: one contrast alone has none, and what is not pairwise Šidák's for Tukey's."""
    if adjust not in get_args(Adjust):
        known = ", ".join(map(repr, get_args(Adjust)))
        raise ModelError(f"adjust={adjust!r} is not known; choose one of {known}.")
    if not several and adjust != "scheffe":
        return "none"
    return "sidak" if adjust == "tukey" and not pairwise else adjust  # type: ignore[return-value]


def adjusted_p(t: Floats, df: Floats, how: Adjust, family: Family) -> Floats:
    """p-values (r,) of the contrasts of one family; missing where t is."""
    p = two_sided_t(t, df)
    if how in ("bonferroni", "holm", "sidak"):  # one that is missing counts among the r, as in emmeans
        return np.where(np.isnan(p), np.nan, multiplicity.adjusted_p(np.where(np.isnan(p), 1.0, p), how))
    tails: dict[str, Callable[[float, float], float]] = {
        "tukey": lambda c, nu: range_tail(np.sqrt(2) * c, family.k, nu),
        "scheffe": lambda c, nu: upper_tail_of_f(c**2 / family.rank, family.rank, nu),
        "mvt": lambda c, nu: family.largest(nu).tail(c),
    }
    if how not in tails:
        return p
    known = zip(np.abs(t).tolist(), df.tolist(), strict=True)
    return np.array([tails[how](c, nu) if np.isfinite(c) else np.nan for c, nu in known])


def critical_values(level: float, df: Floats, how: Adjust, family: Family) -> Floats:
    """What the standard errors are multiplied by for intervals that hold together at `level`, (r,)."""
    alpha, r = 1 - level, family.r
    if how in ("none", "bonferroni", "holm"):
        return upper_t(alpha / 2 / (1 if how == "none" else r), df)
    if how == "sidak":
        return upper_t(-np.expm1(np.log1p(-alpha) / r) / 2, df)
    quantiles: dict[str, Callable[[float], float]] = {
        "tukey": lambda nu: range_quantile(alpha, family.k, nu) / np.sqrt(2),
        "scheffe": lambda nu: np.sqrt(family.rank * _upper_f(alpha, family.rank, nu)),
        "mvt": lambda nu: family.largest(nu).quantile(alpha),
    }
    nus = np.round(df, DIGITS)
    found = {nu: quantiles[how](nu) for nu in set(nus[~np.isnan(nus)].tolist())}
    return np.array([found.get(nu, np.nan) for nu in nus.tolist()])


def _upper_f(alpha: float, num_df: int, den_df: float) -> float:
    """The number that F exceeds with probability alpha."""
    if np.isinf(den_df):
        return float(special.chdtri(num_df, alpha) / num_df)
    return float(special.fdtri(num_df, den_df, 1 - alpha))
