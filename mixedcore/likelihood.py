"""The log-likelihood of a model at given parameters, its score and its Hessian, in the user's units.

σ² is always profiled out, fixed effects only where none are given: with d the criterion of `criterion`,

    ℓ(β, ψ) = −d/2,   −2ℓ = log|Ω| (+ log|R_X|²) + df (1 + log 2πr²(β)/df),   r²(β) = r̂² + |R_X(β − β̂)|²,
    ∂ℓ/∂β = df X'V⁻¹e/r²,   ∂²ℓ/∂β∂β' = −df (X'V⁻¹X/r² − 2 X'V⁻¹e e'V⁻¹X/r⁴),   e = y − Xβ.

The score is analytic; what the Hessian has in ψ is a difference of it, of fourth order.
The factor exists outside the parameter space too, so a variance of zero is a point like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixedcore.engine.criterion import Evaluation, at_beta, evaluate
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.elimination import Plan
from mixedcore.engine.exact import with_exact_residual
from mixedcore.engine.factor import Root
from mixedcore.engine.rows import Rows
from mixedcore.engine.scaling import ScaledTerm
from mixedcore.inference.derivatives import coordinates, derivative
from mixedcore.inference.information import engine_to_user
from mixedcore.terms import Floats, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """The criterion of one model as a function of parameters in the user's units.

    rows : those in memory, for outcomes so well explained that cross-products lose the residual's digits
    """

    cp: CrossProducts
    plan: Plan
    terms: tuple[RandomTerm, ...]
    reml: bool
    rows: Rows | None = None

    def at(self, psi: Sequence[Floats], beta: Floats | None = None) -> Evaluation:
        """The criterion at covariances over σ² (one a term) and fixed effects (p,), or the best ones.

        Raises NotPositiveDefiniteError where it has no value.
        """
        point = evaluate(self.cp, self.plan, self._roots(psi), reml=self.reml)
        if self.rows is not None and all((root.signs > 0).all() for root in point.factor.roots):
            point = with_exact_residual(point, self.rows, self.terms)
        return point if beta is None else at_beta(point, self.cp.fixed.beta_to_engine(beta))

    def score(self, point: Evaluation, best: Evaluation) -> tuple[Floats, Floats]:
        """∂ℓ/∂β (p,) and ∂ℓ/∂ψ (k,), the free entries counted as the engine does.

        point, best : from `at`, with the fixed effects asked for and with the best ones
        """
        to_user = engine_to_user(self.cp, self.terms)
        by_psi = np.linalg.solve(to_user.T, -0.5 * point.gradient_psi)
        return self._beta_to_user(_score_of_beta(point, best)), np.asarray(by_psi)

    def hessian(self, best: Evaluation, beta: Floats | None = None) -> Floats:
        """∂²ℓ over (β, ψ), (p + k, p + k), at the ψ of `best` and β (p,) or the best β."""
        p, k = self.cp.p, self.cp.k
        own = best.beta if beta is None else self.cp.fixed.beta_to_engine(beta)
        point = at_beta(best, own)
        out = np.empty((p + k, p + k))
        G, g = best.R_X.T @ best.R_X, best.R_X.T @ (best.R_X @ (best.beta - own))
        out[:p, :p] = -best.df * (G / point.r2 - 2 * np.outer(g, g) / point.r2**2)

        def score(moved: Evaluation) -> Floats:
            there = at_beta(moved, own)
            return np.concatenate([_score_of_beta(there, moved), -0.5 * there.gradient_psi])

        along = coordinates(best)
        out[p:] = np.linalg.solve(along.J.T, derivative(best, score, along.J))
        out[:p, p:] = out[p:, :p].T
        out[p:, p:] = (out[p:, p:] + out[p:, p:].T) / 2
        back = np.zeros((p + k, p + k))
        back[:p, :p] = np.linalg.inv(self.cp.fixed.A) / self.cp.fixed.y_scale
        back[p:, p:] = np.linalg.inv(engine_to_user(self.cp, self.terms))
        return np.asarray(back.T @ out @ back)

    def _roots(self, psi: Sequence[Floats]) -> tuple[Root, ...]:
        """A root of each grouping's covariance in the engine's units."""
        out = []
        for grouping in self.cp.groupings:
            whole = np.zeros((grouping.q, grouping.q))
            for m in grouping.members:
                width = m.columns.stop - m.columns.start
                own = engine_psi(psi[m.term], self.terms[m.term], self.cp.scaled_terms[m.term], width)
                whole[m.columns, m.columns] = own
            out.append(Root.of_covariance(whole))
        return tuple(out)

    def _beta_to_user(self, gradient: Floats) -> Floats:
        """A gradient in β (p,), from the engine's units."""
        fixed = self.cp.fixed
        return np.asarray(np.linalg.solve(fixed.A.T, gradient) / fixed.y_scale)


def engine_psi(psi: Floats, term: RandomTerm, scaled: ScaledTerm, width: int) -> Floats:
    """Covariance over σ² of one block's coefficients in the engine's units, (width, width)."""
    if term.structure == "isotropic":
        return np.asarray(np.eye(width) * psi[0, 0] / scaled.unit**2)
    half = np.linalg.solve(scaled.A, psi)
    return np.asarray(np.linalg.solve(scaled.A, half.T))


def _score_of_beta(point: Evaluation, best: Evaluation) -> Floats:
    """∂ℓ/∂β (p,) in the engine's units."""
    along = best.R_X.T @ (best.R_X @ (best.beta - point.beta))
    return np.asarray(point.df * along / point.r2)
