"""Newton's method on many replicates of one nested design at once; those that have arrived drop out.

The steps are those of `optimise`: on the eigenvalues of the Hessian made positive, inside a trust radius, in
the entries of the roots of the covariances, where a variance of zero is an ordinary stationary point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.optimise import SADDLE
from mixedcore.engine.outcomes import Outcomes
from mixedcore.inference.batch import NestedDesign, Points
from mixedcore.inference.batch_criterion import evaluate
from mixedcore.terms import Floats, Ints

MAX_STEPS = 100
DECREMENT = 1e-12  # expected further fall of the criterion at convergence
LITTLE = 1e-8  # the same where rounding ends the search: no step as long as LEAST_RADIUS falls, nor a kick
SLACK = 1e-13  # relative noise of the criterion, below which a step is taken on trust
FLOOR = 1e-8  # eigenvalues below this share of the largest are raised to it
LEAST_RADIUS = 1e-7
KICK = 0.1  # in units of σ: how far a saddle is left


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Where R replicates ended: coordinates x (K, R), what is known there, whether it is an optimum.

    steps (R,) that were tried on the way
    """

    x: Floats
    points: Points
    found: Mask
    steps: Ints


@dataclass(slots=True, eq=False)
class _State:
    """The replicates still on their way; `which` (r,) are their numbers."""

    which: Ints
    outcomes: Outcomes
    x: Floats
    points: Points
    radius: Floats

    def take(self, some: Mask) -> _State:
        at = np.flatnonzero(some)
        return _State(
            self.which[at], self.outcomes.take(at), self.x[:, at], self.points.take(at), self.radius[at]
        )


def search(design: NestedDesign, outcomes: Outcomes, start: Floats) -> Found:
    """Minimise the criterion of every outcome from coordinates `start` (K, R)."""
    points, radius = evaluate(design, start, outcomes), 1.0 + np.linalg.norm(start, axis=0)
    state = _State(np.arange(radius.size), outcomes, start, points, radius)
    ended: list[_State] = []
    arrived: list[Mask] = []
    steps: list[Ints] = []
    for step in range(MAX_STEPS):
        model = _Model.of(state.points)
        over = ((model.decrement < DECREMENT) & ~model.saddle) | (state.radius < LEAST_RADIUS)
        if over.any():
            ended.append(state.take(over))
            arrived.append(model.decrement[over] < LITTLE)
            steps.append(np.full(arrived[-1].size, step))
            state, model = state.take(~over), model.take(~over)
        if not state.which.size:
            break
        _advance(design, state, model)
    ended.append(state)
    arrived.append(np.zeros(state.which.size, dtype=bool))
    steps.append(np.full(state.which.size, MAX_STEPS))
    order = np.argsort(np.concatenate([s.which for s in ended]))
    x = np.concatenate([s.x for s in ended], axis=1)[:, order]
    points = Points.joined([s.points for s in ended]).take(order)
    return Found(x, points, np.concatenate(arrived)[order], np.concatenate(steps)[order])


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """Quadratic models of r replicates.

    Eigenvectors (r, K, K), eigenvalues made positive (r, K), slopes along them (r, K), the least eigenvalue,
    the fall still to be expected, and whether the criterion bends down (r,)
    """

    vectors: Floats
    values: Floats
    slope: Floats
    least: Floats
    decrement: Floats
    saddle: Mask

    @classmethod
    def of(cls, points: Points) -> _Model:
        found, vectors = np.linalg.eigh(np.moveaxis(points.hessian, -1, 0))
        size = np.abs(found)
        largest = size.max(axis=1, keepdims=True, initial=0.0)
        values = np.maximum(size, FLOOR * np.maximum(largest, 1e-300))
        slope = np.einsum("rKe,Kr->re", vectors, points.gradient)
        least = found.min(axis=1, initial=0.0)
        decrement = 0.5 * (slope**2 / values).sum(axis=1)
        return cls(vectors, values, slope, least, decrement, least < -SADDLE * largest[:, 0])

    def take(self, some: Mask) -> _Model:
        return _Model(
            self.vectors[some],
            self.values[some],
            self.slope[some],
            self.least[some],
            self.decrement[some],
            self.saddle[some],
        )

    def steps(self, radius: Floats) -> tuple[Floats, Floats]:
        """Newton steps (r, K) along the eigenvectors inside the radius (r,), and the falls expected (r,)."""
        damping = np.zeros((len(radius), 1))
        for _ in range(20):
            step = -self.slope / (self.values + damping)
            length = np.linalg.norm(step, axis=1)
            far = length > 1.1 * radius
            if not far.any():
                break
            bend = (step**2 / (self.values + damping)).sum(axis=1) / np.maximum(length, 1e-300) ** 2
            more = (length / radius - 1.0) / np.maximum(bend, 1e-300)
            damping[far, 0] += more[far]
        stuck = self.saddle & (self.decrement < DECREMENT)
        if stuck.any():  # eigenvalues ascend: the first bends down most
            step[stuck] = 0.0
            step[stuck, 0] = np.where(self.slope[stuck, 0] > 0, -1, 1) * np.minimum(KICK, radius[stuck])
        signs = np.where(stuck, -1.0, 1.0)[:, None]
        expected = -(self.slope * step).sum(axis=1) - 0.5 * (signs * self.values * step**2).sum(axis=1)
        return step, expected


def _advance(design: NestedDesign, state: _State, model: _Model) -> None:
    """One step of every replicate, taken where the criterion falls."""
    step, expected = model.steps(state.radius)
    x = state.x + np.einsum("rKe,re->Kr", model.vectors, step)
    trial = evaluate(design, x, state.outcomes)
    fall = state.points.value - trial.value
    slack = SLACK * np.maximum(1.0, np.abs(trial.value))
    with np.errstate(invalid="ignore"):
        better = fall > 0.1 * expected
        trusted = (expected < 10 * slack) & (fall > -slack)
        good = np.isfinite(trial.value) & (better | trusted)
    length = np.linalg.norm(step, axis=1)
    wider = np.where(fall > 0.7 * expected, np.maximum(state.radius, 3 * length), state.radius)
    state.radius = np.where(good, wider, 0.25 * np.minimum(state.radius, length))
    state.x = np.where(good, x, state.x)
    state.points = trial.where(good, state.points)
