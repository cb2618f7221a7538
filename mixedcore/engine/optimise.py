"""Minimisation of a smooth function with an approximate Hessian. Knows nothing of models.

A Newton step on the Hessian's eigenvalues made positive, shortened until the function falls (Moré &
Sorensen-like damping by a trust radius). What the approximation leaves out is learned from the change of
the gradient over each step (a structured secant update of rank one; Dennis, Gay & Welsch 1981, ACM TOMS 7).
Steps are taken in the coordinates of a `Chart`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mixedcore.errors import NotPositiveDefiniteError
from mixedcore.terms import Floats

DECREMENT_TOL = 1e-12  # expected further fall of the criterion at convergence, in units of −2 log-likelihood
ACCEPTED_DECREMENT = 1e-7  # the largest at which a search that rounding has stopped still counts as converged
ROUNDING = 1e-14  # relative noise in the criterion
HIDDEN = 1e-15  # relative fall foreseen for a point, lost in the last digits of the criterion
HIDDEN_EXACT = 4e-15  # the same where the Hessian is good, so that what it foresees can be relied on
SADDLE = 1e-8  # negative curvature above this share of the largest is no rounding
FLOOR = 1e-8  # eigenvalues below this share of the largest are raised to it
BLIND_STEPS = 5  # steps in a row that may be taken on trust once rounding hides what they gain
TAUGHT = (0.8, 2.5)  # fall over the expected fall between which a step teaches about the curvature
LEAST_BEND = 0.1  # share of the curvature along a step that what is learned leaves of it at least
TURNED = 1e-3  # share of the largest eigenvalue by which what is learned may make one negative
FAST = 0.05  # decrement over the one before, below which the next may be foreseen


class Point(Protocol):
    """A function value; derivatives are asked of the chart."""

    @property
    def value(self) -> float: ...


P = TypeVar("P", bound=Point)
In = TypeVar("In", bound=Point, contravariant=True)


class Chart(Protocol[In]):
    """Coordinates of the steps, K of them, and of what is learned of the curvature, k as in θ."""

    def moved(self, theta: Floats, step: Floats) -> Floats:
        """θ (k,) after a step (K,)."""

    def derivatives(self, theta: Floats, point: In) -> tuple[Floats, Floats, Floats]:
        """Gradient (K,), Hessian (K, K), and the Jacobian (k, K) that carries what is learned to steps."""

    def secant(
        self, thetas: tuple[Floats, Floats], points: tuple[In, In]
    ) -> tuple[Floats, Floats, Floats] | None:
        """From the first point to the second: step and change of gradient (k,), Hessian uncorrected.

        None where the Hessian of the second is so good that nothing is to be learned.
        """


@dataclass(frozen=True, slots=True, eq=False)
class OptSummary:
    """What the search did; carried by the result, never guessed again from θ.

    theta (k,); objective; evaluations of the criterion; decrement: g'H⁻¹g/2, the fall still to be expected;
    path: θ and criterion after each accepted step; eigenvalues (K,) of the last Hessian used, ascending
    """

    theta: Floats
    objective: float
    evaluations: int
    converged: bool
    message: str
    decrement: float
    path: tuple[tuple[Floats, float], ...]
    eigenvalues: Floats


@dataclass(slots=True, eq=False)
class _Search(Generic[P]):
    function: Callable[[Floats], P]
    chart: Chart[P]
    theta: Floats
    point: P
    radius: float
    evaluations: int
    path: list[tuple[Floats, float]]
    correction: Floats
    blind: int = 0
    exact: bool = False  # whether the chart has nothing to learn at the point reached

    def model(self) -> tuple[_Model, float]:
        """Quadratic model at the point reached, and the fall still to be expected.

        What was learned goes if it turns the model over, and may not hide what the plain Hessian expects.
        """
        gradient, hessian, jacobian = self.chart.derivatives(self.theta, self.point)
        plain = _Model.of(gradient, hessian)
        if not self.correction.any():
            return plain, plain.decrement
        learned = _Model.of(gradient, hessian + jacobian.T @ self.correction @ jacobian)
        if learned.eigenvalues[0] < min(plain.eigenvalues[0], 0.0) - TURNED * plain.values[-1]:
            self.correction = np.zeros_like(self.correction)
            return plain, plain.decrement
        return learned, max(learned.decrement, plain.decrement)

    def advance(self, model: _Model) -> _Step[P] | None:
        """Move to a better point inside the trust radius; None when none can be found."""
        slack = ROUNDING * max(1.0, abs(self.point.value))
        may_trust = self.blind < BLIND_STEPS
        while self.radius > 1e-14:
            step = model.step(self.radius)
            expected = model.fall(step)
            theta = self.chart.moved(self.theta, step)
            trial = self._try(theta)
            fall = self.point.value - trial.value if trial is not None else -np.inf
            seen = fall > 0.1 * expected
            if trial is not None and (seen or (may_trust and expected < 10 * slack and fall > -slack)):
                if fall > 0.7 * expected:
                    self.radius = max(self.radius, 3 * float(np.linalg.norm(step)))
                self.blind = 0 if seen and expected > slack else self.blind + 1
                done = _Step(self.theta, self.point, fall / expected if expected > slack else 1.0, step)
                self.theta, self.point = theta, trial
                self.path.append((theta, trial.value))
                return done
            may_trust = False  # a shorter step on trust would creep along
            self.radius = 0.25 * min(self.radius, float(np.linalg.norm(step)))
        return None

    def learn(self, model: _Model, done: _Step[P]) -> None:
        """Correct the Hessian by what the change of the gradient says of it (symmetric rank one)."""
        self.exact = False
        if not TAUGHT[0] < done.gain < TAUGHT[1]:  # so far off that the quadratic model itself is wrong
            self.correction = np.zeros_like(self.correction)
            return
        found = self.chart.secant((done.theta, self.theta), (done.point, self.point))
        self.exact = found is None
        if found is None:
            self.correction = np.zeros_like(self.correction)
            return
        step, change, hessian = found
        off = change - (hessian + self.correction) @ step
        along, most = float(off @ step), (1 - LEAST_BEND) * model.bend(done.step)
        if along < -most:
            off, along = off * (most / -along), -most
        if abs(along) > FLOOR * float(np.linalg.norm(off) * np.linalg.norm(step)):
            self.correction = self.correction + np.outer(off, off) / along

    def _try(self, theta: Floats) -> P | None:
        self.evaluations += 1
        try:
            trial = self.function(theta)
        except NotPositiveDefiniteError:
            return None
        return trial if np.isfinite(trial.value) else None


@dataclass(frozen=True, slots=True, eq=False)
class _Step(Generic[P]):
    """A step taken: from where, and the fall over what was expected of it."""

    theta: Floats
    point: P
    gain: float
    step: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """Quadratic model at a point: gradient in the eigenbasis of the Hessian, eigenvalues made positive."""

    vectors: Floats
    values: Floats
    slope: Floats
    eigenvalues: Floats

    @classmethod
    def of(cls, gradient: Floats, hessian: Floats) -> _Model:
        found, vectors = np.linalg.eigh(hessian)
        size = np.abs(found)
        values = np.maximum(size, FLOOR * max(float(size.max(initial=0.0)), 1e-300))
        return cls(vectors, values, vectors.T @ gradient, found)

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

    def bend(self, step: Floats) -> float:
        """Second derivative along a step, step'H step."""
        along = self.vectors.T @ step
        return float(along @ (self.values * along))

    def fall(self, step: Floats) -> float:
        """Fall that the model expects of a step."""
        return -float(self.slope @ (self.vectors.T @ step)) - 0.5 * self.bend(step)


def negative(eigenvalues: Floats) -> NDArray[np.bool_]:
    """Which are negative by more than rounding."""
    return np.asarray(eigenvalues < -SADDLE * np.abs(eigenvalues).max(initial=0.0))


def minimise(
    function: Callable[[Floats], P], start: Floats, chart: Chart[P], *, max_steps: int = 200
) -> tuple[P, OptSummary]:
    """Search from `start` (k,); the best point and what was done.

    Raises NotPositiveDefiniteError when the function cannot be evaluated at the start.
    """
    first, zero = function(start), np.zeros((start.size, start.size))
    radius = 1.0 + float(np.linalg.norm(start))
    search = _Search(function, chart, start, first, radius, 1, [(start, first.value)], zero)
    message, stuck = f"Stopped after {max_steps} steps.", False
    model, decrement = search.model()
    before = decrement
    for _ in range(max_steps):
        if decrement < DECREMENT_TOL:
            message = "The expected further fall of the criterion is below tolerance."
            break
        done = search.advance(model)
        if done is None:
            message, stuck = "No step lowers the criterion any further.", True
            break
        foreseen = decrement * decrement / before
        hidden = (HIDDEN_EXACT if search.exact else HIDDEN) * abs(search.point.value)
        fast = decrement < FAST * before and TAUGHT[0] < done.gain < TAUGHT[1]
        if fast and foreseen < max(DECREMENT_TOL, hidden):
            decrement, message = foreseen, "The search converges, and the fall foreseen is below tolerance."
            break
        search.learn(model, done)
        before = decrement
        model, decrement = search.model()
    summary = OptSummary(
        theta=search.theta,
        objective=search.point.value,
        evaluations=search.evaluations,
        # Where rounding ends the search, a criterion that still bends down has its least elsewhere.
        converged=decrement < ACCEPTED_DECREMENT and not (stuck and negative(model.eigenvalues).any()),
        message=message,
        decrement=decrement,
        path=tuple(search.path),
        eigenvalues=model.eigenvalues,
    )
    return search.point, summary
