"""Shares of variance: intraclass correlation and R².

The variance that a term adds to an observation is the mean over the rows of z'Ψz σ² (Johnson 2014, Methods
Ecol. Evol. 5, for random slopes); for a random intercept it is the variance itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mixedcore.terms import Floats
from mixedcore.units import UserUnits


@dataclass(frozen=True, slots=True, eq=False)
class VarianceShares:
    """fixed: variance of Xβ over the rows; random: mean variance each term adds, (T,); residual: σ²."""

    fixed: float
    random: Floats
    residual: float
    names: tuple[str, ...]

    @property
    def icc(self) -> float:
        """Share of all random terms in what the fixed effects leave (the adjusted ICC)."""
        return float(self.random.sum() / (self.random.sum() + self.residual))

    @property
    def r2_marginal(self) -> float:
        """Share of the fixed effects. Nakagawa & Schielzeth (2013), Methods Ecol. Evol. 4, eq. 29."""
        return self.fixed / (self.fixed + float(self.random.sum()) + self.residual)

    @property
    def r2_conditional(self) -> float:
        """Share of the fixed effects and all random terms. Nakagawa & Schielzeth (2013), eq. 30."""
        return 1 - self.residual / (self.fixed + float(self.random.sum()) + self.residual)

    def by_group(self) -> pd.DataFrame:
        """One row a grouping factor or component: `group, icc`."""
        table = pd.DataFrame({"group": self.names, "icc": self.random / (self.random.sum() + self.residual)})
        return table.groupby("group", sort=False, as_index=False).sum()


def variance_shares(user: UserUnits) -> VarianceShares:
    """Shares from the moments of the columns, in which means over the rows are exact: no row is read."""
    terms, units = user.estimate.terms, user.estimate.evaluation.cp.units
    of_mean = units.moments.n / units.moments.weight
    added = [
        sum(_added(basis.gram, T) for basis in scaled.bases) * of_mean
        for scaled, T in zip(units.terms, user.estimate.factors, strict=True)
    ]
    return VarianceShares(
        fixed=_fixed_variance(user),
        random=user.sigma2 * np.array(added),
        residual=user.sigma2,
        names=tuple(term.name for term in terms),
    )


def _added(gram: Floats, T: Floats) -> float:
    """Mean of z'Ψz over rows z with mean products zz' = gram (q, q), for Ψ = TT', T (q, q) or one number."""
    psi = T @ T.T
    return float((gram * (psi * np.eye(len(gram)) if len(psi) == 1 else psi)).sum())


def _fixed_variance(user: UserUnits) -> float:
    """Variance of Xβ over the rows: β'Cβ for the covariance C (p, p) of the engine's columns of X."""
    cp = user.estimate.evaluation.cp
    moments, fixed, basis = cp.units.moments, cp.fixed, cp.fixed.basis
    affine, n = basis.affine, moments.n
    if basis.mix is not None:  # mixed row by row: orthonormal but for their means
        mean = (np.where(affine.centred, 0.0, moments.centre[affine.numbers]) * affine.scale) @ basis.mix
        C = n * (np.eye(mean.size) - np.outer(mean, mean))
    else:
        own = np.ix_(affine.numbers, affine.numbers)
        C = moments.M2[own] * np.outer(affine.scale, affine.scale)
    beta = fixed.start + user.y_scale * user.estimate.evaluation.beta
    return float(beta @ C @ beta) / moments.weight * n / (n - 1)
