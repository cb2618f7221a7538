"""What the search did, and what the criterion looks like where it ended, in the user's units and names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from mixedcore.inference.information import VarianceInformation
from mixedcore.parameters import covariance_names, packed_order, theta_names
from mixedcore.terms import Floats
from mixedcore.units import UserUnits, free_entries

ZERO_SHARE = 1e-10  # a variance adding less than this share of σ² to an observation is zero
CERTAIN = 1e-9  # a correlation of ±1, but for rounding
SMALL_SD = 0.1  # of σ: effects smaller than this count as this large when a direction is called flat
FLAT = 1e-3  # curvature of −2 log-likelihood over a change of parameters by their own size
NOISE = 1e-6  # share of the largest curvature that differences of gradients may be wrong by
CHANGES = 1e-2  # relative change of a covariance from which a direction of θ changes it
MOVES = 0.2  # share of the largest relative change from which a parameter belongs to a direction


@dataclass(frozen=True, slots=True)
class Direction:
    """A combination of covariance parameters along which the criterion is flat, or falls.

    curvature : second derivative of the criterion for a change of the parameters by their own size
    names     : parameters that change along it, as in `params`
    falls     : whether the criterion falls along it by more than rounding, so that the end is no minimum
    """

    curvature: float
    names: tuple[str, ...]
    falls: bool


@dataclass(frozen=True, eq=False, repr=False)
class Optimisation:
    """What the search for the optimum did, and what the criterion looks like where it ended.

    evaluations   times that the criterion was computed, restarts and checks of the boundary included
    converged     whether the criterion can fall by 1e-7 at most; message: the search's own words
    criterion     −2 log-likelihood or REML criterion at the end; decrement: the fall still to be expected
    theta         (k,) Λ's free entries in units of σ, as `result.theta`; names: theirs
    path          DataFrame, one row an accepted step: `criterion`, and θ by its names; the last is the result
    gradient_norm         length of ∂criterion/∂θ
    hessian_eigenvalues   (k,) of ∂²criterion/∂θ∂θ', ascending, σ² at its best for each θ
    boundary      names, as in `params`, of variances that are zero and covariances of a correlation of ±1
    flat          directions in which the data do not determine the covariance parameters

    Gradient and Hessian are those of θ for covariates scaled to unit size, so that no unit enters them. Of a
    fit with parameters held or penalised they are those in which it searched, and `flat` is empty.
    The path starts from variances by the method of moments, unless start values are given. Where there were
    several searches, it is that of the one that ended lowest, from its last restart on.
    """

    information: VarianceInformation = field(repr=False)

    @property
    def _user(self) -> UserUnits:
        return self.information.user

    @property
    def evaluations(self) -> int:
        return self._user.estimate.optimum.evaluations

    @property
    def converged(self) -> bool:
        return self._user.estimate.optimum.converged

    @property
    def message(self) -> str:
        return self._user.estimate.optimum.message

    @property
    def criterion(self) -> float:
        return self._user.estimate.evaluation.value

    @property
    def decrement(self) -> float:
        return self._user.estimate.optimum.decrement

    @property
    def theta(self) -> Floats:
        return self._user.theta

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(theta_names(self._user.estimate.terms))

    @cached_property
    def path(self) -> pd.DataFrame:
        steps = [(value, *self._user.theta_at(theta)) for theta, value in self._user.estimate.optimum.path]
        end = (self.criterion, *self.theta)
        steps += [end] if not steps or not np.array_equal(steps[-1], end) else []
        return pd.DataFrame(steps, columns=["criterion", *self.names]).rename_axis("step")

    @property
    def gradient_norm(self) -> float:
        restriction = self._user.estimate.restriction
        if restriction is not None:
            return restriction.gradient_norm
        return float(np.linalg.norm(self.information.evaluation.gradient))

    @cached_property
    def hessian_eigenvalues(self) -> Floats:
        if self._user.estimate.restriction is not None:
            return self._user.estimate.optimum.eigenvalues
        return np.asarray(np.linalg.eigvalsh(self.information.hessian_by_root))

    @cached_property
    def boundary(self) -> tuple[str, ...]:
        return tuple(_boundary(self._user))

    @cached_property
    def flat(self) -> tuple[Direction, ...]:
        if self._user.estimate.restriction is not None:
            return ()
        return tuple(_flat(self.information, self._sizes()))

    def _sizes(self) -> Floats:
        """The SD over σ of the effect that each θ belongs to, in the engine's units, (k,)."""
        user, parts = self._user, []
        for term, T in zip(user.estimate.terms, user.estimate.factors, strict=True):
            rows = np.maximum(np.linalg.norm(T, axis=1), SMALL_SD)
            parts.append(rows[np.triu_indices(len(T))[1]] if term.structure == "full" else rows)
        return np.concatenate(parts) if parts else np.zeros(0)

    def __repr__(self) -> str:
        low, high = (
            (f"{v:.3g}" for v in self.hessian_eigenvalues[[0, -1]])
            if self.hessian_eigenvalues.size
            else ("–", "–")
        )
        return "\n".join([
            f"{'Converged' if self.converged else 'Not converged'} after {self.evaluations} evaluations. "
            f"{self.message}",
            f"Criterion {self.criterion:.6f}; expected further fall {self.decrement:.1e}",
            f"Gradient norm {self.gradient_norm:.1e}; Hessian eigenvalues from {low} to {high}",
            f"On the boundary: {', '.join(self.boundary) or 'nothing'}",
        ])  # fmt: skip


def zero_variances(user: UserUnits, t: int) -> list[str]:
    """Covariates of a group term whose variance is zero."""
    term, psi = user.estimate.terms[t], user.psi(t)
    units = user.estimate.evaluation.cp.units
    share = np.diag(psi) * units.moments.mean_squares(units.layout.bases[t][0])
    return [name for name, s in zip(term.columns, share, strict=True) if s < ZERO_SHARE]


def _boundary(user: UserUnits) -> Iterator[str]:
    """Zero variances, and correlations of ±1; all covariances of a term that is singular in no such way."""
    for t, term in enumerate(user.estimate.terms):
        if not user.estimate.null[t].shape[1]:
            continue
        if term.role == "component":
            yield from covariance_names([term])
            continue
        (rows, cols), order = free_entries(term), packed_order([term])
        named = dict(zip(zip(rows[order], cols[order], strict=True), covariance_names([term]), strict=True))
        lost = zero_variances(user, t)
        zero = [c in lost for c in term.columns]
        yield from (named[i, i] for i, is_zero in enumerate(zero) if is_zero)
        pairs = [(i, j) for i, j in named if i > j and not zero[i] and not zero[j]]
        certain = [(i, j) for i, j in pairs if abs(_correlation(user.psi(t), i, j)) > 1 - CERTAIN]
        yield from (named[pair] for pair in (certain or ([] if any(zero) else pairs)))


def _correlation(psi: Floats, i: int, j: int) -> float:
    return float(psi[i, j] / np.sqrt(psi[i, i] * psi[j, j]))


def _flat(information: VarianceInformation, sizes: Floats) -> Iterator[Direction]:
    """Directions of no or negative curvature.

    At a zero variance, or where Λ has columns of zeros, some directions of θ change no covariance to first
    order: unless the criterion falls along them, they say no more than the boundary does.
    """
    terms = information.user.estimate.terms
    names, order = np.array(covariance_names(terms)), packed_order(terms)
    values, vectors = np.linalg.eigh(information.hessian_by_root * np.outer(sizes, sizes))
    limit = max(FLAT, NOISE * float(np.abs(values).max(initial=0.0)))
    for value, vector in zip(values, vectors.T, strict=True):
        if value < limit:
            changes, falls = _relative_changes(information, sizes * vector), bool(value < -limit)
            if changes.max() <= CHANGES:
                if not falls:
                    continue
                changes = np.abs(vector)  # θ is counted as the covariances are
            moved = names[changes[order] > MOVES * changes.max()]
            yield Direction(float(value), tuple(moved.tolist()), falls)


def _relative_changes(information: VarianceInformation, step: Floats) -> Floats:
    """|change| of each ψ over its size, (k,), for a step in the engine's θ; 0 for what is zero."""
    user = information.user
    change = np.abs(information.to_user @ (information.evaluation.jacobian @ step))
    parts = []
    for t, term in enumerate(user.estimate.terms):
        sd = np.sqrt(np.diag(user.psi(t)))
        rows, cols = free_entries(term)
        parts.append(sd[rows] * sd[cols])
    size = np.concatenate(parts) if parts else np.zeros(0)
    return np.divide(change, size, out=np.zeros_like(change), where=size > 0)
