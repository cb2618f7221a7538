"""The log-likelihood of a model at given parameters, its score and its Hessian, in the user's units.

σ² is always profiled out, fixed effects only where none are given: with d the criterion of `criterion`,

    ℓ(β, ψ) = −d/2,   −2ℓ = log|Ω| (+ log|R_X|²) + df (1 + log 2πr²(β)/df),   r²(β) = r̂² + |R_X(β − β̂)|²,
    ∂ℓ/∂β = df X'V⁻¹e/r²,   ∂²ℓ/∂β∂β' = −df (X'V⁻¹X/r² − 2 X'V⁻¹e e'V⁻¹X/r⁴),   e = y − Xβ.

The score is analytic; what the Hessian has in ψ is the central difference of it, extrapolated (Richardson).
The factor exists outside the parameter space too, so a variance of zero is a point like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixedcore.criterion import Evaluation, at_beta, evaluate
from mixedcore.crossproducts import CrossProducts
from mixedcore.elimination import Plan
from mixedcore.exact import with_exact_residual
from mixedcore.factor import Root
from mixedcore.inference.information import congruence_jacobian
from mixedcore.rows import Rows
from mixedcore.scaling import ScaledTerm
from mixedcore.terms import Floats, RandomTerm

# Of the way that a variance can fall before V is singular: extrapolated truncation 1e-10, rounding less.
STEP = 2e-3


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
        by_psi = np.linalg.solve(self._to_user().T, -0.5 * point.gradient_psi)
        return self._beta_to_user(_score_of_beta(point, best)), np.asarray(by_psi)

    def hessian(self, best: Evaluation, beta: Floats | None = None) -> Floats:
        """∂²ℓ over (β, ψ), (p + k, p + k), at the ψ of `best` and β (p,) or the best β."""
        p, k = self.cp.p, self.cp.k
        own = best.beta if beta is None else self.cp.fixed.beta_to_engine(beta)
        point = at_beta(best, own)
        out = np.empty((p + k, p + k))
        G, g = best.R_X.T @ best.R_X, best.R_X.T @ (best.R_X @ (best.beta - own))
        out[:p, :p] = -best.df * (G / point.r2 - 2 * np.outer(g, g) / point.r2**2)
        for j, reach in enumerate(_reaches(best)):
            column = self._difference(best, own, j, STEP * reach)
            out[p + j], out[:p, p + j] = column, column[:p]
        out[p:, p:] = (out[p:, p:] + out[p:, p:].T) / 2
        back = np.zeros((p + k, p + k))
        back[:p, :p] = np.linalg.inv(self.cp.fixed.A) / self.cp.fixed.y_scale
        back[p:, p:] = np.linalg.inv(self._to_user())
        return np.asarray(back.T @ out @ back)

    def _difference(self, best: Evaluation, beta: Floats, j: int, step: float) -> Floats:
        """Derivative of the score in the engine's units with respect to ψ_j, (p + k,)."""

        def score(size: float) -> Floats:
            moved = evaluate(self.cp, self.plan, _moved_roots(best, j, size), reml=self.reml)
            point = at_beta(moved, beta)
            return np.concatenate([_score_of_beta(point, moved), -0.5 * point.gradient_psi])

        near, far = ((score(h) - score(-h)) / (2 * h) for h in (step, 2 * step))
        return np.asarray((4 * near - far) / 3)

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

    def _to_user(self) -> Floats:
        """Jacobian of the user's ψ with respect to the engine's, (k, k)."""
        out = np.zeros((self.cp.k, self.cp.k))
        for t, (term, scaled) in enumerate(zip(self.terms, self.cp.scaled_terms, strict=True)):
            own = slice(self.cp.offsets[t], self.cp.offsets[t + 1])
            diagonal = term.structure != "full"
            A = np.array([[scaled.unit]]) if term.structure == "isotropic" else scaled.A
            out[own, own] = congruence_jacobian(A, diagonal=diagonal)
        return out

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


def _reaches(point: Evaluation) -> list[float]:
    """About how far each ψ can move before V is singular, (k,): its variances, or 1/(most information)."""
    out = np.full(point.cp.k, np.inf)
    for grouping, root, ZZ in zip(point.cp.groupings, point.factor.roots, point.cp.ZZ, strict=True):
        most = np.einsum("iim->im", ZZ).max(axis=1)
        size = np.maximum(np.abs(np.diag(root.psi)), 1 / np.where(most > 0, most, 1.0))
        t = grouping.template
        np.minimum.at(out, t.index, np.sqrt(size[t.rows] * size[t.cols]))
    return [float(reach) for reach in out]


def _moved_roots(point: Evaluation, p: int, step: float) -> tuple[Root, ...]:
    """The roots of every grouping with ψ_p, in the engine's units, moved by `step`."""
    roots = []
    for grouping, root in zip(point.cp.groupings, point.factor.roots, strict=True):
        psi, t = root.psi, grouping.template
        own = t.index == p
        if own.any():
            psi[t.rows[own], t.cols[own]] += step
            off = own & (t.rows != t.cols)
            psi[t.cols[off], t.rows[off]] += step
            root = Root.of_covariance(psi)
        roots.append(root)
    return tuple(roots)
