"""Degrees of freedom of t and F statistics by Satterthwaite's method.

For a contrast l with variance f(η) = l'C(η)l, C = (X'V⁻¹X)⁻¹ and η the variance parameters with covariance A,

    ν = 2 f² / (∇f' A ∇f).

Giesbrecht & Burns (1985), Biometrics 41; Fai & Cornelius (1996), J. Stat. Comput. Simul. 54, for joint tests;
Kuznetsova, Brockhoff & Christensen (2017), J. Stat. Softw. 82(13).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.inference.information import VarianceInformation
from mixedcore.terms import Floats

EQUAL = 1e-8  # degrees of freedom that differ less count as one number, as in lmerTest


def covariance_slopes(info: VarianceInformation) -> Floats:
    """∂C/∂(c, σ²) with σ² in the engine's units, C in the user's, (k + 1, p, p); c as in `derivatives`.

    ∂C/∂c = σ² M (X'V⁻¹V̇_cV⁻¹X) M with M = (X'V⁻¹X)⁻¹; ∂C/∂σ² = M.
    """
    point, user = info.evaluation, info.user
    unit = user.y_scale**2
    root = point.cp.fixed.A @ point.R_inverse
    if user.estimate.restriction is not None:  # M has zeros for what was held
        root = np.asarray(np.linalg.solve(root, user.cov_beta_over_sigma2).T, dtype=np.float64)
    moved = unit * point.sigma2 * (root @ info.coordinates.slopes(point) @ root.T)
    return np.concatenate([moved, unit * user.cov_beta_over_sigma2[None]])


@dataclass(frozen=True, eq=False)
class Satterthwaite:
    """What all tests of one fit share, each found when first asked for."""

    info: VarianceInformation

    @cached_property
    def slopes(self) -> Floats:
        """∂C/∂(c, σ²), (k + 1, p, p)."""
        return covariance_slopes(self.info)

    def df(self, L: Floats) -> Floats:
        """Degrees of freedom of each row of L (r, p), contrasts of the fixed effects."""
        variance = np.einsum("rp,pq,rq->r", L, self.info.user.cov_beta, L)
        slopes = np.einsum("rp,kpq,rq->rk", L, self.slopes, L)
        spread = np.einsum("rk,kl,rl->r", slopes, self.info.cov_by_root, slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(2 * variance**2 / spread)

    def joint(self, L: Floats) -> float:
        """Denominator degrees of freedom of the F statistic of independent rows L (q, p).

        F is the mean of q squared t statistics along the eigenvectors of LCL', each with its own degrees.
        """
        return joint_df(self.df(uncorrelated(L, self.info.user.cov_beta)))


def uncorrelated(L: Floats, cov: Floats) -> Floats:
    """Rows P'L of the eigenvectors P of LCL', whose estimates are uncorrelated, (q, p)."""
    return np.asarray(np.linalg.eigh(L @ cov @ L.T)[1].T @ L)


def joint_df(nu: Floats) -> float:
    """Denominator df of F = mean of q independent squared t statistics with df `nu`, (q,).

    Matches E[F] to E[F(q, ν)] = ν/(ν − 2): with E = Σ νᵢ/(νᵢ − 2), ν = 2E/(E − q). A t² with νᵢ ≤ 2 has no
    mean, so ν is then 2, as in lmerTest 3.1 (get_Fstat_ddf).
    """
    if np.isinf(nu).all() or np.ptp(nu) < EQUAL:
        return float(nu.mean())
    if (nu <= 2).any():
        return 2.0
    E = float((1 / (1 - 2 / nu)).sum())
    return 2 * E / (E - nu.size)
