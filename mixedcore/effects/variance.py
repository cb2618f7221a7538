"""Shares of variance: intraclass correlation and R².

The variance that a term adds to an observation is the mean over the rows of z'Ψz σ² (Johnson 2014, Methods
Ecol. Evol. 5, for random slopes); for a random intercept it is the variance itself. The variance of the fixed
effects is that of Xβ, without an offset. With prior weights these are shares of a row's variance at weight
one, where the residual variance is σ²: so the R package insight has it (Lüdecke, Waggoner & Makowski 2019,
J. Open Source Softw. 4(38)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mixedcore.engine.basis import Basis
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
        return self.fixed / self.total

    @property
    def r2_conditional(self) -> float:
        """Share of the fixed effects and all random terms. Nakagawa & Schielzeth (2013), eq. 30."""
        return 1 - self.residual / self.total

    @property
    def total(self) -> float:
        """Variance of the fixed effects, all random terms and the residual."""
        return self.fixed + float(self.random.sum()) + self.residual

    @property
    def icc_unadjusted(self) -> float:
        """Share of all random terms in everything, the fixed effects' variance included.

        Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14, who call it conditional.
        """
        return float(self.random.sum()) / self.total

    def by_group(self) -> pd.DataFrame:
        """One row a random term's name: `group, icc, icc_unadjusted`; they add up to those of the model."""
        table = pd.DataFrame(
            {
                "group": self.names,
                "icc": self.random / (self.random.sum() + self.residual),
                "icc_unadjusted": self.random / self.total,
            }
        )
        return table.groupby("group", sort=False, as_index=False).sum()


def variance_shares(user: UserUnits) -> VarianceShares:
    """Shares from the moments of the columns, rows counting alike whatever their prior weights."""
    cp = user.estimate.evaluation.cp
    added = [
        sum(_added(_products(user, basis)[0], T) for basis in scaled.bases)
        for scaled, T in zip(cp.units.terms, user.estimate.factors, strict=True)
    ]
    products, mean = _products(user, cp.fixed.basis)
    covariance = (products - np.outer(mean, mean)) * (cp.n / (cp.n - 1))
    beta = cp.fixed.start + user.y_scale * user.estimate.evaluation.beta
    return VarianceShares(
        fixed=float(beta @ covariance @ beta),
        random=user.sigma2 * np.array(added),
        residual=user.sigma2,
        names=tuple(term.name for term in user.estimate.terms),
    )


def _added(gram: Floats, T: Floats) -> float:
    """Mean of z'Ψz over rows z with mean products zz' = gram (q, q), for Ψ = TT', T (q, q) or one number."""
    psi = T @ T.T
    return float((gram * (psi * np.eye(len(gram)) if len(psi) == 1 else psi)).sum())


def _products(user: UserUnits, basis: Basis) -> tuple[Floats, Floats]:
    """Mean products (q, q) and means (q,) over the rows of the engine's columns, without prior weights."""
    affine, own, found = basis.affine, user.estimate.evaluation.cp.units.moments, user.plain_moments
    numbers = affine.numbers
    centre = np.where(affine.centred, found.mean[numbers] - own.mean[numbers], found.centre[numbers])
    mean = centre * affine.scale
    if basis.by_row and basis.mix is not None:
        return user.mean_products(basis), mean @ basis.mix
    spread = found.M2[np.ix_(numbers, numbers)] / found.n * np.outer(affine.scale, affine.scale)
    products = spread + np.outer(mean, mean)
    if basis.mix is None:
        return products, mean
    return basis.mix.T @ products @ basis.mix, mean @ basis.mix
