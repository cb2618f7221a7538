"""Fixed effects with an L1 penalty, the covariances held: a lasso in the metric of V⁻¹.

    minimise  (y − Xβ)'V⁻¹(y − Xβ) + Σ_j α_j |β_j|,   V with the residual variance in it,

which is (β − β̂)'G(β − β̂) + Σ α_j |β_j| and a constant, with G = X'V⁻¹X and β̂ the unpenalised estimate. Cyclic
coordinate descent (Friedman, Hastie & Tibshirani 2010, J. Stat. Softw. 33(1)) finds which coefficients are
zero and the signs of the others, which then solve a linear system.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from mixedcore.engine.criterion import Evaluation, at_beta
from mixedcore.terms import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Lasso:
    """beta (p,); converged: whether the last pass changed no coefficient by `tol`; passes: how many."""

    beta: Floats
    converged: bool
    passes: int


def lasso(G: Floats, best: Floats, alpha: Floats, *, tol: float, max_passes: int) -> Lasso:
    """The minimum of (β − best)'G(β − best) + Σ α_j|β_j|, from β = best (p,); G (p, p), α (p,) ≥ 0."""
    beta, pull, size = best.copy(), G @ best, np.diag(G)
    converged, passes = False, 0
    while passes < max_passes and not converged:
        before, passes = beta.copy(), passes + 1
        for j in range(beta.size):
            along = pull[j] - G[j] @ beta + size[j] * beta[j]
            beta[j] = np.sign(along) * max(abs(along) - alpha[j] / 2, 0.0) / size[j]
        converged = float(np.abs(beta - before).max(initial=0.0)) < tol
    return Lasso(_solved(G, pull, alpha, beta), converged, passes)


def _solved(G: Floats, pull: Floats, alpha: Floats, beta: Floats) -> Floats:
    """The exact minimum with the zeros and signs of β, or β itself where those were not final."""
    signs, on = np.sign(beta), beta != 0
    exact = np.zeros_like(beta)
    exact[on] = np.linalg.solve(G[np.ix_(on, on)], (pull - alpha * signs / 2)[on])
    slack = np.abs(pull - G @ exact) <= alpha / 2 * (1 + 1e-9)
    return exact if (np.sign(exact) == signs).all() and slack[~on].all() else beta


@dataclass(frozen=True, eq=False)
class AtScale(Evaluation):
    """An evaluation at a σ² that is given, in the engine's units, instead of the best one."""

    scale: float

    @property
    def sigma2(self) -> float:
        return self.scale

    @cached_property
    def criterion(self) -> float:
        """−2 log-likelihood, or the REML criterion, at this σ²."""
        return self.determinants + self.df * float(np.log(2 * np.pi * self.scale)) + self.r2 / self.scale


def held_scale(point: Evaluation, beta: Floats) -> AtScale:
    """The same θ and σ² at other fixed effects (p,)."""
    moved = at_beta(point, beta)
    return AtScale(**{f.name: getattr(moved, f.name) for f in fields(Evaluation)}, scale=point.sigma2)
