"""Observed information of the variance parameters (ψ, σ²), and what depends on it.

    d(ψ, σ²) = log|Ω| (+ log|R_X|²) + df · log(2πσ²) + r²/σ²

Its gradient is analytic; the Hessian is the central difference of that gradient. The engine's factor exists
on both sides of the boundary, so the Hessian of a singular fit is as well defined as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.criterion import Evaluation, evaluate
from mixedcore.factor import Root
from mixedcore.terms import Floats
from mixedcore.units import UserUnits, free_entries

LEAST = 1e-4  # of the expected information: the step stays where the model can be evaluated
KNOWN = 1e-10  # share of the largest eigenvalue from which a direction of standardised information counts
STEP = 1e-3  # of the parameter's approximate standard error: truncation near 1e-6 of it, rounding less


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
        steps = STEP / np.sqrt(np.maximum(np.diag(point.average_information), LEAST * _expected(point)))
        for p in range(k):
            up, down = (self._gradient(p, sign * steps[p]) for sign in (1.0, -1.0))
            out[p, :k] = (up - down) / (2 * steps[p])
        out[:k, :k] = (out[:k, :k] + out[:k, :k].T) / 2
        out[k, :k] = out[:k, k] = _quadratics(point) / s2**2
        out[k, k] = point.df / s2**2
        return out

    def _gradient(self, p: int, step: float) -> Floats:
        """∂d/∂ψ at σ² fixed, with ψ_p moved by `step`."""
        point = self.evaluation
        roots = []
        for grouping, root in zip(point.cp.groupings, point.factor.roots, strict=True):
            psi, t = root.psi, grouping.template
            own = t.index == p
            if not own.any():
                roots.append(root)
                continue
            psi[t.rows[own], t.cols[own]] += step
            off = own & (t.rows != t.cols)
            psi[t.cols[off], t.rows[off]] += step
            roots.append(Root.of_covariance(psi))
        moved = evaluate(point.cp, point.factor.plan, tuple(roots), reml=point.reml)
        return moved.gradient_psi + _quadratics(moved) * (1 / moved.sigma2 - 1 / point.sigma2)

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
        half = _root_of_inverse(average)
        return np.asarray(2 * half @ half.T)

    @cached_property
    def cov_engine_by_root(self) -> Floats:
        """Covariance of (ψ, σ²) in the engine's units by way of θ: J · 2H⁻¹ · J', H the Hessian in (θ, σ²).

        In the interior equal to `cov_engine`. On its boundary a zero variance counts as known, as it does
        in lmerTest, which works in θ too; directions of H that are not positive count as known as well.
        """
        J, H = self._by_root
        half = J @ _root_of_inverse(H)
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


def _root_of_inverse(information: Floats) -> Floats:
    """R (k, r) with RR' the inverse, in the directions of which the information is positive.

    Each parameter counts in its own unit: variances differ by any factor, none is rounding beside another.
    """
    shape, scale = _standardised(information)
    values, vectors = np.linalg.eigh(shape)
    known = values > KNOWN
    return np.asarray(scale[:, None] * vectors[:, known] / np.sqrt(values[known]))


def _expected(point: Evaluation) -> Floats:
    """Lower bound of the expected information of each ψ, as a Hessian of −2ℓ: (Σ_f [Z'PZ]_ff)²/m, (k,).

    The average information of a variance that the data put far below zero can be next to nothing.
    """
    out = np.full(point.cp.k, 1e-12)
    for g, M in zip(point.cp.groupings, point.traces, strict=True):
        size, t = np.diag(M), g.template
        np.maximum.at(out, t.index, size[t.rows] * size[t.cols] / g.m)
    return out


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


def _quadratics(point: Evaluation) -> Floats:
    """a'Ba for the free entries of every Ψ, (k,)."""
    out = np.zeros(point.cp.k)
    for t, grouping in enumerate(point.cp.groupings):
        rows, cols = grouping.template.rows, grouping.template.cols
        Q = point.quadratic(t)
        np.add.at(out, grouping.template.index, np.where(rows == cols, 1.0, 2.0) * Q[rows, cols])
    return out
