"""Observed information of the variance parameters (ψ, σ²), and what depends on it.

    d(ψ, σ²) = log|Ω| (+ log|R_X|²) + df · log(2πσ²) + r²/σ²
    ∂²d/∂ψ_i∂ψ_j = 2 y'PV̇_iPV̇_jPy/σ² − tr(PV̇_iPV̇_j)   (ML: V⁻¹ for P in the trace)

The first part is twice the average information, which is analytic; the second, the expected information, is
the derivative of tr(PV̇_i). The engine's factor exists on both sides of the boundary, so the Hessian of a
singular fit is as well defined as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.criterion import Evaluation
from mixedcore.inference.derivatives import along_entries, derivative
from mixedcore.terms import Floats
from mixedcore.units import UserUnits, free_entries

KNOWN = 1e-10  # share of the largest eigenvalue from which a direction of standardised information counts


@dataclass(frozen=True, eq=False)
class VarianceInformation:
    """Asymptotic covariance of the variance parameters of one fit.

    In the user's units, v = (σ²ψ, σ²): the free entries of each term's covariance, counted as in
    `free_entries`, then the residual variance.
    """

    user: UserUnits

    @property
    def evaluation(self) -> Evaluation:
        return self.user.estimate.evaluation

    @cached_property
    def hessian(self) -> Floats:
        """∂²d/∂(ψ, σ²)² at the optimum, in the engine's units, (k + 1, k + 1)."""
        point = self.evaluation
        k, s2 = point.cp.k, point.sigma2
        out = np.empty((k + 1, k + 1))
        out[:k, :k] = 2 * point.working[0] / s2 - self.expected
        out[k, :k] = out[:k, k] = (
            along_entries(point, [point.quadratic(t) for t in range(len(point.scores))]) / s2**2
        )
        out[k, k] = point.df / s2**2
        return out

    @cached_property
    def expected(self) -> Floats:
        """tr(PV̇_iPV̇_j) (ML: of V⁻¹), the expectation of the Hessian in ψ at σ² known, (k, k)."""
        point = self.evaluation
        found = -derivative(point, lambda at: along_entries(at, at.traces))
        return np.asarray((found + found.T) / 2)

    @cached_property
    def definite(self) -> bool:
        """Whether the observed information is positive definite."""
        if (np.diag(self.hessian) <= 0).any():
            return False
        return bool(np.linalg.eigvalsh(_standardised(self.hessian)[0]).min() > KNOWN)

    @cached_property
    def cov_engine(self) -> Floats:
        """Covariance of (ψ, σ²) in the engine's units: twice the inverse of the Hessian of −2ℓ.

        Average information takes the observed one's place where that is not positive definite.
        """
        if self.definite:
            return np.asarray(2 * np.linalg.inv(self.hessian))
        point = self.evaluation
        k, s2 = point.cp.k, point.sigma2
        wPw, wPy = point.working
        average = np.empty((k + 1, k + 1))
        average[:k, :k] = wPw / s2
        average[k, :k] = average[:k, k] = wPy / s2**2
        average[k, k] = point.df / s2**2
        half = root_of_inverse(average)
        return np.asarray(2 * half @ half.T)

    @cached_property
    def cov_engine_by_root(self) -> Floats:
        """Covariance of (ψ, σ²) in the engine's units by way of θ: J · 2H⁻¹ · J', H the Hessian in (θ, σ²).

        In the interior equal to `cov_engine`. On its boundary a zero variance counts as known, as it does
        in lmerTest, which works in θ too; directions of H that are not positive count as known as well.
        """
        J, H = self._by_root
        half = J @ root_of_inverse(H)
        return np.asarray(2 * half @ half.T)

    @cached_property
    def _by_root(self) -> tuple[Floats, Floats]:
        """∂(ψ, σ²)/∂(θ, σ²) and ∂²d/∂(θ, σ²)², each (k + 1, k + 1), in the engine's units."""
        point, k = self.evaluation, self.evaluation.cp.k
        J = np.eye(k + 1)
        J[:k, :k] = point.jacobian
        H = J.T @ self.hessian @ J
        H[:k, :k] += point.curvature
        return J, H

    @property
    def hessian_by_root(self) -> Floats:
        """∂²d/∂θ∂θ' with σ² profiled out, in the engine's units, (k, k); exact where `hessian` is."""
        H = self._by_root[1]
        return np.asarray(H[:-1, :-1] - np.outer(H[:-1, -1], H[-1, :-1]) / H[-1, -1])

    @cached_property
    def to_user(self) -> Floats:
        """Jacobian of the user's ψ with respect to the engine's, (k, k), block diagonal by term."""
        cp = self.evaluation.cp
        out = np.zeros((cp.k, cp.k))
        for t, term in enumerate(self.user.estimate.terms):
            own = slice(cp.offsets[t], cp.offsets[t + 1])
            scaled = cp.scaled_terms[t]
            if term.structure == "isotropic":
                out[own, own] = scaled.unit**2
                continue
            out[own, own] = congruence_jacobian(scaled.A, diagonal=term.structure == "diagonal")
        return out

    @cached_property
    def cov_ratios(self) -> Floats:
        """Covariance of the user's ψ (variances over σ²), (k, k)."""
        k = self.evaluation.cp.k
        return self.to_user @ self.cov_engine[:k, :k] @ self.to_user.T

    @cached_property
    def cov_variances(self) -> Floats:
        """Covariance of (σ²ψ, σ²) in the user's units, (k + 1, k + 1), by the delta method."""
        point, user = self.evaluation, self.user
        k, unit = point.cp.k, user.y_scale**2
        J = np.zeros((k + 1, k + 1))
        J[:k, :k] = user.sigma2 * self.to_user
        J[:k, k] = unit * self.ratios
        J[k, k] = unit
        return J @ self.cov_engine @ J.T

    @cached_property
    def ratios(self) -> Floats:
        """The user's ψ, (k,)."""
        parts = [self.user.psi(t)[free_entries(term)] for t, term in enumerate(self.user.estimate.terms)]
        return np.concatenate(parts) if parts else np.zeros(0)


def _standardised(information: Floats) -> tuple[Floats, Floats]:
    """Information for parameters in units of 1/√(its diagonal), (k, k), and those units, (k,)."""
    scale = 1 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    return information * scale[:, None] * scale, scale


def root_of_inverse(information: Floats) -> Floats:
    """R (k, r) with RR' the inverse, in the directions of which the information is positive.

    Each parameter counts in its own unit: variances differ by any factor, none is rounding beside another.
    """
    shape, scale = _standardised(information)
    values, vectors = np.linalg.eigh(shape)
    known = values > KNOWN
    return np.asarray(scale[:, None] * vectors[:, known] / np.sqrt(values[known]))


def congruence_jacobian(A: Floats, *, diagonal: bool) -> Floats:
    """Jacobian of the free entries of AΨA' with respect to those of Ψ."""
    q = len(A)
    cols, rows = (np.arange(q), np.arange(q)) if diagonal else np.triu_indices(q)
    out = np.empty((rows.size, rows.size))
    for e, (r, c) in enumerate(zip(rows, cols, strict=True)):
        change = np.outer(A[:, r], A[:, c])
        if r != c:
            change = change + change.T
        out[:, e] = change[rows, cols]
    return out
