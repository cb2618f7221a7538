"""Observed information of the variance parameters (ψ, σ²), and what depends on it.

    d(ψ, σ²) = log|Ω| (+ log|R_X|²) + df · log(2πσ²) + r²/σ²
    ∂²d/∂ψ_i∂ψ_j = 2 y'PV̇_iPV̇_jPy/σ² − tr(PV̇_iPV̇_j)   (ML: V⁻¹ for P in the trace)

The first part is twice the average information, which is analytic; the second, the expected information, is
the derivative of tr(PV̇_i). The engine's factor exists on both sides of the boundary, so the Hessian of a
singular fit is as well defined as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine import crossed
from mixedcore.engine.criterion import Evaluation
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.expected import known
from mixedcore.inference.derivatives import (
    Coordinates,
    along_entries,
    congruence_jacobian,
    coordinates,
    derivative,
)
from mixedcore.terms import Floats, RandomTerm
from mixedcore.units import UserUnits

FAR = 100.0  # times a variance that V can bear it to fall: beyond, too little of it is left to divide by
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
    def coordinates(self) -> Coordinates:
        """Coordinates c of the covariances that cost no digits."""
        return coordinates(self.evaluation)

    @cached_property
    def to_engine(self) -> Floats:
        """∂(ψ, σ²)/∂(c, σ²), (k + 1, k + 1)."""
        k = self.evaluation.cp.k
        out = np.eye(k + 1)
        out[:k, :k] = self.coordinates.J
        return out

    @cached_property
    def differences(self) -> tuple[Floats, Floats]:
        """−∂/∂c of tr(PV̇_c) (ML: of V⁻¹), (k, k), and of X'V⁻¹V̇_cV⁻¹X for X R_inverse, (k, k, p, p)."""
        k, p, c = self.evaluation.cp.k, self.evaluation.cp.p, self.coordinates
        found = -derivative(self.evaluation, lambda at: np.append(c.traces(at), c.slopes(at)), c.J)
        products = found[:, k:].reshape(k, k, p, p)
        return (found[:, :k] + found[:, :k].T) / 2, (products + products.swapaxes(0, 1)) / 2

    @cached_property
    def traces(self) -> Floats:
        """tr(PV̇_iPV̇_j) (ML: of V⁻¹) for c, (k, k): by differences where the factor does not know it.

        A difference in the direction of one parameter finds its products with all others.
        """
        point, c, sought = self.evaluation, self.coordinates, ~self._known
        if crossed.applies(point.factor) and (point.factor.stacks[0].inverses is None or self._large.all()):
            U = [u[: len(u) * point.reml, 0] for u in point.fixed_share]
            return np.asarray(c.J.T @ crossed.expected_information(point.factor, U) @ c.J)
        if sought.all():
            return self.differences[0]
        found = -derivative(point, c.traces, c.J[:, sought])
        out = np.asarray(c.J.T @ point.expected_information @ c.J)
        out[sought], out[:, sought] = found, found.T
        out[np.ix_(sought, sought)] = (found[:, sought] + found[:, sought].T) / 2
        return out

    @property
    def _known(self) -> Mask:
        """The parameters whose products the factor knows, and that keep their digits there, (k,)."""
        return known(self.evaluation.factor) & self._large

    @property
    def _large(self) -> Mask:
        """The parameters that keep their digits beside 1/ψ, (k,).

        In 1/ψ − G/ψ² those of 1/(ψ z'z) go, and twice that when it is squared.
        """
        return np.asarray(np.diag(self.coordinates.J) <= FAR * covariances(self.evaluation))

    @cached_property
    def expected(self) -> Floats:
        """tr(PV̇_iPV̇_j) (ML: of V⁻¹) for (c, σ²) in units of σ², the Hessian's expectation, (k + 1, k + 1)."""
        return self._bordered(self.traces, self.coordinates.traces(self.evaluation))

    @cached_property
    def observed(self) -> Floats:
        """∂²d/∂(c, σ²)² at the optimum in the engine's units, (k + 1, k + 1)."""
        wPw, wPy = self.working
        return self._bordered(2 * wPw - self.traces, wPy)

    @cached_property
    def working(self) -> tuple[Floats, Floats]:
        """y'PV̇_iPV̇_jPy/σ², (k, k), and y'PV̇_iPy/σ², (k,), for c."""
        wPw, wPy = self.evaluation.working_along(self.coordinates.T)
        return wPw / self.evaluation.sigma2, wPy / self.evaluation.sigma2

    def _bordered(self, of_c: Floats, with_sigma2: Floats) -> Floats:
        """The information (k + 1, k + 1) from that of c (k, k), and of c with σ² (k,) times σ²."""
        point, k = self.evaluation, self.evaluation.cp.k
        out = np.empty((k + 1, k + 1))
        out[:k, :k] = of_c
        out[k, :k] = out[:k, k] = with_sigma2 / point.sigma2
        out[k, k] = point.df / point.sigma2**2
        return out

    @cached_property
    def hessian(self) -> Floats:
        """∂²d/∂(ψ, σ²)² at the optimum, in the engine's units, (k + 1, k + 1)."""
        half = np.linalg.solve(self.to_engine.T, self.observed)
        return np.asarray(np.linalg.solve(self.to_engine.T, half.T), dtype=np.float64)

    @cached_property
    def directions(self) -> Floats | None:
        """(k + 1, f + 1) changes of (ψ, σ²) in which a restricted fit was free to move; None if in all."""
        restriction = self.user.estimate.restriction
        if restriction is None or restriction.psi.all():
            return None
        k = self.evaluation.cp.k
        inverse = np.eye(k + 1)
        inverse[:k, :k] = np.linalg.inv(self.to_user)
        return inverse[:, np.append(restriction.psi, True)]

    @cached_property
    def _estimated(self) -> Floats:
        """∂(c, σ²) along what was estimated, (k + 1, f + 1)."""
        if self.directions is None:
            return np.eye(len(self.to_engine))
        return np.asarray(np.linalg.solve(self.to_engine, self.directions), float)

    def _on_estimated(self, information: Floats) -> Floats:
        """The part of the information on (c, σ²) that is on what was estimated, (f + 1, f + 1)."""
        D = self._estimated
        return D.T @ information @ D

    @cached_property
    def definite(self) -> bool:
        """Whether the observed information on what was estimated is positive definite."""
        information = self._on_estimated(self.observed)
        if (np.diag(information) <= 0).any():
            return False
        return bool(np.linalg.eigvalsh(_standardised(information)[0]).min() > KNOWN)

    @cached_property
    def cov_engine(self) -> Floats:
        """Covariance of (ψ, σ²) in the engine's units: twice the inverse of the Hessian of −2ℓ.

        Average information takes the observed one's place where that is not positive definite.
        """
        return self.to_engine @ self.covariance(self._usable) @ self.to_engine.T

    @property
    def _usable(self) -> Floats:
        """The observed information on (c, σ²), or the average information."""
        return self.observed if self.definite else self._bordered(*self.working)

    def covariance(self, information: Floats) -> Floats:
        """Twice the inverse of an information on (c, σ²), (k + 1, k + 1); what was held does not vary."""
        half = self._estimated @ root_of_inverse(self._on_estimated(information))
        return np.asarray(2 * half @ half.T)

    @cached_property
    def cov_by_root(self) -> Floats:
        """Covariance of (c, σ²) in the engine's units by way of θ: J · 2H⁻¹ · J', H the Hessian in (θ, σ²).

        In the interior that of `cov_engine`. On its boundary a zero variance counts as known, as it does
        in lmerTest, which works in θ too; directions of H that are not positive count as known as well.
        """
        if self.directions is not None:
            return self.covariance(self._usable)
        J, H = self._by_root
        half = J @ root_of_inverse(H)
        return np.asarray(2 * half @ half.T)

    @cached_property
    def _by_root(self) -> tuple[Floats, Floats]:
        """∂(c, σ²)/∂(θ, σ²) and ∂²d/∂(θ, σ²)², each (k + 1, k + 1), in the engine's units."""
        point, k = self.evaluation, self.evaluation.cp.k
        J = np.eye(k + 1)
        J[:k, :k] = np.linalg.solve(self.coordinates.J, point.jacobian)
        H = J.T @ self.observed @ J
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
        return engine_to_user(self.evaluation.cp, self.user.estimate.terms)

    @cached_property
    def cov_ratios(self) -> Floats:
        """Covariance of the user's ψ (variances over σ²), (k, k)."""
        k = self.evaluation.cp.k
        out = self.to_user @ self.cov_engine[:k, :k] @ self.to_user.T
        restriction = self.user.estimate.restriction
        return out if restriction is None else np.where(np.outer(restriction.psi, restriction.psi), out, 0.0)

    @cached_property
    def cov_variances(self) -> Floats:
        """Covariance of (σ²ψ, σ²) in the user's units, (k + 1, k + 1), by the delta method."""
        point, user = self.evaluation, self.user
        k, unit = point.cp.k, user.y_scale**2
        J = np.zeros((k + 1, k + 1))
        J[:k, :k] = user.sigma2 * self.to_user
        J[:k, k] = unit * self.user.ratios
        J[k, k] = unit
        return J @ self.cov_engine @ J.T


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


def engine_to_user(cp: CrossProducts, terms: Sequence[RandomTerm]) -> Floats:
    """Jacobian of the user's ψ with respect to the engine's, (k, k), block diagonal by term."""
    out = np.zeros((cp.k, cp.k))
    for t, (term, scaled) in enumerate(zip(terms, cp.scaled_terms, strict=True)):
        own = slice(cp.offsets[t], cp.offsets[t + 1])
        if term.structure == "isotropic":
            out[own, own] = scaled.unit**2
        else:
            out[own, own] = congruence_jacobian(scaled.A, diagonal=term.structure == "diagonal")
    return out


def covariances(point: Evaluation) -> Floats:
    """ψ, the free entries of the covariances over σ², (k,), in the engine's units."""
    out = np.zeros(point.cp.k)
    for g, root in zip(point.cp.groupings, point.factor.roots, strict=True):
        out[g.template.index] = root.psi[g.template.rows, g.template.cols]
    return out


def quadratics(point: Evaluation) -> Floats:
    """a'V̇_pa for every ψ_p, a = Z'Py, (k,)."""
    return along_entries(point, [point.quadratic(t) for t in range(len(point.scores))])
