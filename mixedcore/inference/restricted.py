"""The information on the parameters that a fit with others held was free to estimate."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mixedcore.columns import Mask
from mixedcore.inference.information import VarianceInformation
from mixedcore.terms import Floats
from mixedcore.units import UserUnits

KNOWN = 1e-10  # share of the largest eigenvalue from which a direction of standardised information counts


class RestrictedInformation(VarianceInformation):
    """Covariances of the variance parameters; what was held does not vary."""

    @cached_property
    def directions(self) -> Floats:
        """(k + 1, f + 1) changes of (ψ, σ²), in the engine's units, in which the fit was free to move."""
        k = self.evaluation.cp.k
        inverse = np.eye(k + 1)
        inverse[:k, :k] = np.linalg.inv(self.to_user)
        return inverse[:, np.append(self._estimated, True)]

    @property
    def _estimated(self) -> Mask:
        restriction = self.user.estimate.restriction
        return np.ones(self.evaluation.cp.k, dtype=bool) if restriction is None else restriction.psi

    @cached_property
    def half(self) -> Floats:
        """(k + 1, r) with half @ half.T the covariance of (ψ, σ²), in the engine's units.

        Twice the inverse of the Hessian over what was estimated; directions in which the information is not
        positive count as known.
        """
        information = self.directions.T @ self.hessian @ self.directions
        scale = 1 / np.sqrt(np.maximum(np.diag(information), 1e-300))
        values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
        known = values > KNOWN
        root = scale[:, None] * vectors[:, known] / np.sqrt(values[known])
        return np.asarray(np.sqrt(2) * self.directions @ root)

    @cached_property
    def cov_engine(self) -> Floats:
        """Covariance of (ψ, σ²), (k + 1, k + 1)."""
        return np.asarray(self.half @ self.half.T)

    @property
    def cov_engine_by_root(self) -> Floats:
        """The same: in θ what is held is no plane."""
        return self.cov_engine

    @cached_property
    def cov_ratios(self) -> Floats:
        """Covariance of the user's ψ (variances over σ²), (k, k), zeros of what was held exact."""
        half = self.to_user @ self.half[: self.evaluation.cp.k]
        half[~self._estimated] = 0.0
        return np.asarray(half @ half.T)

    @cached_property
    def cov_variances(self) -> Floats:
        """Covariance of (σ²ψ, σ²) in the user's units, (k + 1, k + 1), by the delta method."""
        k, user = self.evaluation.cp.k, self.user
        of_psi = self.to_user @ self.half[:k]
        of_psi[~self._estimated] = 0.0
        of_sigma2 = user.y_scale**2 * self.half[k:]
        half = np.vstack([user.sigma2 * of_psi + self.ratios[:, None] * of_sigma2, of_sigma2])
        return np.asarray(half @ half.T)


def information_of(user: UserUnits) -> VarianceInformation:
    """The information of any fit."""
    return VarianceInformation(user) if user.estimate.restriction is None else RestrictedInformation(user)
