"""Tests of fixed effects by Kenward and Roger: adjusted covariance, degrees of freedom, scaling of F.

With Φ = (X'Σ⁻¹X)⁻¹, Σ = Σ_i γ_i G_i linear in the variances and covariances γ, and W their covariance by the
expected information of REML, 2 [tr(PG_iPG_j)]⁻¹,

    Φ_A = Φ + 2 Φ {Σ_ij W_ij (Q_ij − P_iΦP_j)} Φ,    P_i = −X'Σ⁻¹G_iΣ⁻¹X,    Q_ij = X'Σ⁻¹G_iΣ⁻¹G_jΣ⁻¹X.

All of it is the same for any linear coordinates of γ; here these are c (see `derivatives`) at a constant σ²,
and σ², whose G is V itself and adds nothing to the sum. Derivatives give what the factor does not hold:
Q_ij + Q_ji = ∂P_i/∂c_j, and tr(PG_iPG_j) = −∂tr(PG_i)/∂c_j. Prior weights, which pbkrtest leaves out,
multiply the rows by their roots, as everywhere.

Kenward & Roger (1997), Biometrics 53, 983–997; Alnosaier (2007), Kenward–Roger approximate F test for fixed
effects in mixed linear models; Halekoh & Højsgaard (2014), J. Stat. Softw. 59(9): pbkrtest, the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.errors import ModelError
from mixedcore.inference.information import VarianceInformation
from mixedcore.inference.satterthwaite import covariance_slopes, joint_df, uncorrelated
from mixedcore.terms import Floats

AT_TWO = 0.01  # degrees of freedom as near 2 as this take λ = 1, as in pbkrtest: it has a pole there


@dataclass(frozen=True, eq=False)
class KenwardRoger:
    """What all tests of one fit share, each found when first asked for.

    ModelError for a fit by ML, or one with fixed effects held.
    """

    info: VarianceInformation

    def __post_init__(self) -> None:
        if not self.info.evaluation.reml:
            raise ModelError(
                "Kenward and Roger's method corrects REML estimates, and this fit is by ML. "
                "Fit with reml=True, or use ddf='satterthwaite'."
            )
        restriction = self.info.user.estimate.restriction
        if restriction is not None and not restriction.beta.all():
            raise ModelError(
                "Kenward and Roger's method is for fits that estimate all fixed effects, and in this one "
                "some were held or penalised to zero. Use ddf='satterthwaite'."
            )

    @cached_property
    def cov_variances(self) -> Floats:
        """W for (c, σ²), (k + 1, k + 1).

        Directions of which the data tell nothing count as known, as by pbkrtest's pseudoinverse.
        """
        return self.info.covariance(self.info.expected)

    @cached_property
    def slopes(self) -> Floats:
        """∂Φ/∂(c, σ²) = −Φ (∂Φ⁻¹) Φ in the user's units of β, (k + 1, p, p)."""
        return covariance_slopes(self.info)

    @cached_property
    def cov_beta(self) -> Floats:
        """Φ_A, (p, p), in the user's units.

        For X R_inverse, Φ is σ²I. The sum in braces is a covariance, so what rounding has below zero is zero.
        """
        user, point, W = self.info.user, self.info.evaluation, self.cov_variances[:-1, :-1]
        N = self.info.coordinates.slopes(point)
        between = np.einsum("ij,iab,jbc->ac", W, N, N, optimize=True)
        values, vectors = np.linalg.eigh(np.tensordot(W, self.info.differences[1], 2) / 2 - between)
        added = (vectors * np.maximum(values, 0.0)) @ vectors.T
        root = point.cp.fixed.A @ point.R_inverse
        return np.asarray(user.cov_beta + 2 * user.sigma2 * root @ added @ root.T)

    def df(self, L: Floats) -> Floats:
        """Degrees of freedom of each row of L (r, p): 2/A₁, to which the joint formulas reduce for q = 1."""
        variance = np.einsum("rp,pq,rq->r", L, self.info.user.cov_beta, L)
        slopes = np.einsum("rp,kpq,rq->rk", L, self.slopes, L)
        spread = np.einsum("rk,kl,rl->r", slopes, self.cov_variances, slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(2 * variance**2 / spread)

    def joint(self, L: Floats) -> tuple[float, float]:
        """Degrees of freedom and λ for the F statistic of independent rows L (q, p).

        Where no F distribution matches, Fai and Cornelius' degrees of freedom from the same W, and λ = 1.
        """
        q = len(L)
        if q == 1:
            return float(self.df(L)[0]), 1.0
        whitened = np.linalg.solve(np.linalg.cholesky(L @ self.info.user.cov_beta @ L.T), L)
        M = whitened @ self.slopes @ whitened.T  # (k + 1, q, q)
        traces = np.trace(M, axis1=1, axis2=2)
        A1 = float(traces @ self.cov_variances @ traces)
        A2 = float(np.einsum("ij,iab,jba->", self.cov_variances, M, M, optimize=True))
        return _matched(q, A1, A2) or (joint_df(self.df(uncorrelated(L, self.info.user.cov_beta))), 1.0)


def _matched(q: int, A1: float, A2: float) -> tuple[float, float] | None:
    """Degrees of freedom m and λ such that λF has mean and variance of F(q, m) to the order of 1/n; or None.

    Kenward & Roger (1997), section 3, with the modified E* and V* that are exact for balanced one-way layouts
    and Hotelling's T². None where such numbers are negative, as they can be for A2 > q, when F has no mean.
    """
    if A2 <= 0:
        return np.inf, 1.0
    B = (A1 + 6 * A2) / (2 * q)
    g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
    d = 3 * q + 2 * (1 - g)
    V0, V1, V2 = 1 + g / d * B, 1 - (q - g) / d * B, 1 - (q + 2 - g) / d * B
    excess = (1 - A2 / q) ** 2 * V0 - V1**2 * V2  # of the variance over a chi-square's, times V1² V2
    if excess == 0:
        return None
    m = 4 + (q + 2) * V1**2 * V2 / excess
    scaling = 1.0 if abs(m - 2) < AT_TWO else m * (1 - A2 / q) / (m - 2)
    return (m, scaling) if m > 0 and scaling > 0 else None
