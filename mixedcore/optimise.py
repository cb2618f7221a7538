"""Minimisation of a smooth function with an approximate Hessian. Knows nothing of models.

A Newton step on the Hessian's eigenvalues made positive, shortened until the function falls
(Moré & Sorensen-like damping by a trust radius). The function is unconstrained in signed θ. Where the
approximate Hessian serves badly, so that the search goes on for long, differences of gradients replace it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from mixedcore.errors import NotPositiveDefiniteError
from mixedcore.terms import Floats

DECREMENT_TOL = 1e-12  # expected further fall of the criterion at convergence, in units of −2 log-likelihood
ACCEPTED_DECREMENT = 1e-7  # the largest at which a search that rounding has stopped still counts as converged
ROUNDING = 1e-14  # relative noise in the criterion
FLOOR = 1e-8  # eigenvalues below this share of the largest are raised to it
BLIND_STEPS = 5  # steps in a row that may be taken on trust once rounding hides what they gain
PATIENCE = 25  # steps on the function's own Hessian before one from differences of gradients takes its place
DIFFERENCE = 1e-5  # step of such a difference, of 1 + |θ|


class Point(Protocol):
    """A function value with derivatives computed on demand."""

    @property
    def value(self) -> float: ...
    @property
    def gradient(self) -> Floats: ...
    @property
    def hessian(self) -> Floats: ...


@dataclass(frozen=True, slots=True, eq=False)
class OptSummary:
    """What the search did; carried by the result, never guessed again from θ.

    theta (k,); objective; evaluations of the criterion; decrement: g'H⁻¹g/2, the fall still to be expected;
    path: θ and criterion after each accepted step
    """

    theta: Floats
    objective: float
    evaluations: int
    converged: bool
    message: str
    gradient: Floats
    decrement: float
    path: tuple[tuple[Floats, float], ...]


P = TypeVar("P", bound=Point)


@dataclass(slots=True, eq=False)
class _Search(Generic[P]):
    function: Callable[[Floats], P]
    theta: Floats
    point: P
    radius: float
    evaluations: int
    path: list[tuple[Floats, float]]
    blind: int = 0

    def advance(self, direction: _Model) -> bool:
        """Move to a better point inside the trust radius; False when none can be found."""
        slack = ROUNDING * max(1.0, abs(self.point.value))
        may_trust = self.blind < BLIND_STEPS
        while self.radius > 1e-14:
            step = direction.step(self.radius)
            expected = direction.fall(step)
            trial = self._try(self.theta + step)
            fall = self.point.value - trial.value if trial is not None else -np.inf
            seen = fall > 0.1 * expected
            if trial is not None and (seen or (may_trust and expected < 10 * slack and fall > -slack)):
                if fall > 0.7 * expected:
                    self.radius = max(self.radius, 3 * float(np.linalg.norm(step)))
                self.blind = 0 if seen and expected > slack else self.blind + 1
                self.theta, self.point = self.theta + step, trial
                self.path.append((self.theta, trial.value))
                return True
            may_trust = False  # a shorter step on trust would creep along
            self.radius = 0.25 * min(self.radius, float(np.linalg.norm(step)))
        return False

    def model(self) -> _Model:
        """Quadratic model at the point reached."""
        return _Model.of(self.point.gradient, self._hessian())

    def _hessian(self) -> Floats:
        if len(self.path) <= PATIENCE:
            return self.point.hessian
        columns = []
        for e in np.diag(DIFFERENCE * (1 + np.abs(self.theta))):
            up, down = self._try(self.theta + e), self._try(self.theta - e)
            if up is None or down is None:
                return self.point.hessian
            columns.append((up.gradient - down.gradient) / (2 * e.max()))
        differences = np.array(columns)
        return np.asarray((differences + differences.T) / 2)

    def _try(self, theta: Floats) -> P | None:
        self.evaluations += 1
        try:
            trial = self.function(theta)
        except NotPositiveDefiniteError:
            return None
        return trial if np.isfinite(trial.value) else None


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """Quadratic model at a point: gradient in the eigenbasis of the Hessian, eigenvalues made positive."""

    vectors: Floats
    values: Floats
    slope: Floats

    @classmethod
    def of(cls, gradient: Floats, hessian: Floats) -> _Model:
        values, vectors = np.linalg.eigh(hessian)
        values = np.maximum(np.abs(values), FLOOR * max(float(np.abs(values).max(initial=0.0)), 1e-300))
        return cls(vectors, values, vectors.T @ gradient)

    @property
    def decrement(self) -> float:
        """Fall that the full step promises, g'H⁻¹g/2."""
        return 0.5 * float(self.slope @ (self.slope / self.values))

    def step(self, radius: float) -> Floats:
        """Newton step, damped to the trust radius."""
        damping = 0.0
        for _ in range(60):
            step = -self.slope / (self.values + damping)
            length = float(np.linalg.norm(step))
            if length <= radius * 1.1:
                break
            curvature = float(step @ (step / (self.values + damping))) / length**2
            damping += (length / radius - 1.0) / curvature
        return np.asarray(self.vectors @ step)

    def fall(self, step: Floats) -> float:
        """Fall that the model expects of a step."""
        along = self.vectors.T @ step
        return -float(self.slope @ along + 0.5 * along @ (self.values * along))


def minimise(function: Callable[[Floats], P], start: Floats, *, max_steps: int = 200) -> tuple[P, OptSummary]:
    """Search from `start` (k,); the best point and what was done.

    Raises NotPositiveDefiniteError when the function cannot be evaluated at the start.
    """
    first = function(start)
    search = _Search(function, start, first, 1.0 + float(np.linalg.norm(start)), 1, [(start, first.value)])
    message = f"Stopped after {max_steps} steps."
    model = search.model()
    for _ in range(max_steps):
        if model.decrement < DECREMENT_TOL:
            message = "The expected further fall of the criterion is below tolerance."
            break
        if not search.advance(model):
            message = "No step lowers the criterion any further."
            break
        model = search.model()
    summary = OptSummary(
        theta=search.theta,
        objective=search.point.value,
        evaluations=search.evaluations,
        converged=model.decrement < ACCEPTED_DECREMENT,
        message=message,
        gradient=search.point.gradient,
        decrement=model.decrement,
        path=tuple(search.path),
    )
    return search.point, summary
