"""Degrees of freedom of t statistics by Satterthwaite's method.

For a contrast l with variance f(η) = l'C(η)l, C = (X'V⁻¹X)⁻¹ and η the variance parameters with covariance A,

    ν = 2 f² / (∇f' A ∇f).

Giesbrecht & Burns (1985), Biometrics 41; Kuznetsova, Brockhoff & Christensen (2017), J. Stat. Softw. 82(13).
"""

from __future__ import annotations

import numpy as np

from mixedcore.inference.information import VarianceInformation
from mixedcore.terms import Floats


def covariance_slopes(info: VarianceInformation) -> Floats:
    """∂C/∂(ψ, σ²) in the engine's variance units and the user's coefficient units, (k + 1, p, p).

    ∂C/∂ψ_p = σ² M (Σ_f X'V⁻¹Z_f B_p Z_f'V⁻¹X) M with M = (X'V⁻¹X)⁻¹; ∂C/∂σ² = M.
    """
    point, user = info.evaluation, info.user
    p, k = point.cp.p, point.cp.k
    out = np.zeros((k + 1, p, p))
    left = np.linalg.solve(point.cp.fixed.A, user.cov_beta_over_sigma2).T
    unit = user.y_scale**2
    for a, grouping in zip(point.solution.a, point.cp.groupings, strict=True):
        moved = np.tensordot(left, a[:-1], 1)  # (p, q, m): M X'V⁻¹Z
        template = grouping.template
        for r, c, index in zip(template.rows, template.cols, template.index, strict=True):
            product = moved[:, r] @ moved[:, c].T
            out[index] += unit * point.sigma2 * (product if r == c else product + product.T)
    out[k] = unit * user.cov_beta_over_sigma2
    return out


def satterthwaite_df(info: VarianceInformation, contrasts: Floats) -> Floats:
    """Degrees of freedom of each contrast, (r,), for contrasts (r, p) of the fixed effects."""
    L = np.atleast_2d(contrasts)
    variance = np.einsum("rp,pq,rq->r", L, info.user.cov_beta, L)
    slopes = np.einsum("rp,kpq,rq->rk", L, covariance_slopes(info), L)
    spread = np.einsum("rk,kl,rl->r", slopes, info.cov_engine_by_root, slopes)
    with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 where nothing was estimated
        return np.asarray(2 * variance**2 / spread)
