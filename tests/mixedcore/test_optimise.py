"""The Newton search on functions whose minimum is known, and on functions that fail or mislead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from mixedcore.engine.optimise import ACCEPTED_DECREMENT, OptSummary
from mixedcore.engine.optimise import minimise as minimise_in
from mixedcore.errors import NotPositiveDefiniteError
from mixedcore.terms import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    value: float
    gradient: Floats
    hessian: Floats


Function = Callable[[Floats], Value]


class Flat:
    """The function's own coordinates."""

    def moved(self, theta: Floats, step: Floats) -> Floats:
        """A sum."""
        return theta + step

    def derivatives(self, theta: Floats, point: Value) -> tuple[Floats, Floats, Floats]:
        """As the point has them."""
        return point.gradient, point.hessian, np.eye(theta.size)

    def secant(
        self, thetas: tuple[Floats, Floats], points: tuple[Value, Value]
    ) -> tuple[Floats, Floats, Floats]:
        """As the points have them."""
        average = (points[0].hessian + points[1].hessian) / 2
        return thetas[1] - thetas[0], points[1].gradient - points[0].gradient, average


FLAT = Flat()


def minimise(function: Function, start: Floats, *, max_steps: int = 200) -> tuple[Value, OptSummary]:
    return minimise_in(function, start, FLAT, max_steps=max_steps)


def quadratic(x: Floats) -> Value:
    """Condition number 1e4, minimum −3.5 at (1, 2, …)."""
    curvature, centre = np.logspace(-2, 2, x.size), np.arange(1.0, x.size + 1)
    off = x - centre
    return Value(0.5 * float(off @ (curvature * off)) - 3.5, curvature * off, np.diag(curvature))


def rosenbrock(x: Floats) -> Value:
    a, b = x
    gradient = np.array([-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)])
    hessian = np.array([[1200 * a * a - 400 * b + 2, -400 * a], [-400 * a, 200.0]])
    return Value(100 * (b - a * a) ** 2 + (1 - a) ** 2, gradient, hessian)


def double_well(x: Floats) -> Value:
    """A saddle at the origin, minima −0.25 at (±1, 0)."""
    a, b = x
    return Value(a**4 / 4 - a**2 / 2 + b**2, np.array([a**3 - a, 2 * b]), np.diag([3 * a * a - 1, 2.0]))


def barrier(x: Floats) -> Value:
    """x − log x, minimum 1 at 1; nothing can be evaluated at or below zero."""
    a = float(x[0])
    if a <= 0:
        raise NotPositiveDefiniteError("outside")
    return Value(a - np.log(a), np.array([1 - 1 / a]), np.array([[a**-2]]))


def missing_barrier(x: Floats) -> Value:
    """The same with a missing value for an error."""
    return barrier(x) if x[0] > 0 else Value(np.nan, np.zeros(1), np.eye(1))


MINIMA: dict[str, tuple[Function, list[float], list[float]]] = {
    "quadratic": (quadratic, [0.0] * 5, [1, 2, 3, 4, 5]),
    "quadratic from far": (quadratic, [1e6, -1e6, 1e6], [1, 2, 3]),
    "rosenbrock": (rosenbrock, [-1.2, 1.0], [1, 1]),
    "saddle": (double_well, [1e-3, 0.7], [1, 0]),
    "other side": (double_well, [-1e-3, 0.7], [-1, 0]),
    "back off from an error": (barrier, [8.0], [1]),
    "back off from a missing value": (missing_barrier, [8.0], [1]),
}


@pytest.mark.parametrize(("function", "start", "minimum"), MINIMA.values(), ids=MINIMA)
def test_finds_the_minimum(function: Function, start: list[float], minimum: list[float]) -> None:
    begun = np.array(start)
    point, summary = minimise(function, begun)
    assert summary.theta == pytest.approx(np.array(minimum, dtype=float), abs=1e-6)
    assert summary.converged
    assert summary.decrement < 1e-12
    assert summary.objective == point.value == function(summary.theta).value
    assert point.gradient == pytest.approx(np.zeros(begun.size), abs=1e-5)
    assert (begun == start).all(), "the start is the caller's own"


def test_one_step_is_enough_for_a_quadratic_within_reach() -> None:
    _, summary = minimise(quadratic, np.array([1.5, 2.5]))
    assert summary.evaluations == 2
    assert len(summary.path) == 2


@pytest.mark.parametrize(("function", "start", "minimum"), MINIMA.values(), ids=MINIMA)
def test_the_path_goes_down_from_the_start_to_the_end(
    function: Function, start: list[float], minimum: list[float]
) -> None:
    _, summary = minimise(function, np.array(start))
    values = [value for _, value in summary.path]
    assert summary.path[0][0] == pytest.approx(np.array(start))
    assert (summary.path[-1][0] == summary.theta).all()
    assert values == sorted(values, reverse=True)
    assert len(values) <= summary.evaluations


def test_an_approximate_hessian_is_enough() -> None:
    """A constant in place of the curvature: more steps, the same minimum."""

    def rough(x: Floats) -> Value:
        exact = rosenbrock(x)
        return Value(exact.value, exact.gradient, np.diag([800.0, 200.0]))

    _, summary = minimise(rough, np.array([0.9, 0.8]), max_steps=100_000)
    assert summary.converged
    assert summary.theta == pytest.approx(np.ones(2), abs=1e-3)


@pytest.mark.parametrize("share", [1 / 3, 2.0, 6.0])
def test_what_the_hessian_leaves_out_is_learned(share: float) -> None:
    """A Hessian off by one factor in one direction: Newton's own speed again after a few steps."""

    def off(x: Floats) -> Value:
        exact = quadratic(x)
        hessian = exact.hessian.copy()
        hessian[0, 0] *= share
        return Value(exact.value, exact.gradient, hessian)

    _, summary = minimise(off, np.zeros(4))
    assert summary.converged
    assert summary.theta == pytest.approx([1, 2, 3, 4], abs=1e-4)
    assert summary.evaluations <= 8


def test_rounding_ends_a_search_soon() -> None:
    """Noise of 1e-9 in value and gradient: no creeping on, no claim of more than can be seen."""
    rng = np.random.default_rng(0)

    def noisy(x: Floats) -> Value:
        exact = quadratic(x)
        return Value(
            exact.value + 1e-9 * rng.random(), exact.gradient + 1e-9 * rng.random(x.size), exact.hessian
        )

    _, summary = minimise(noisy, np.zeros(4))
    assert summary.theta == pytest.approx([1, 2, 3, 4], abs=1e-3)
    assert summary.evaluations < 100


def test_a_search_cut_short_says_so() -> None:
    _, summary = minimise(rosenbrock, np.array([-1.2, 1.0]), max_steps=3)
    assert not summary.converged
    assert "3 steps" in summary.message
    assert summary.decrement > ACCEPTED_DECREMENT


def test_a_gradient_that_points_uphill_is_not_called_converged() -> None:
    def wrong(x: Floats) -> Value:
        right = quadratic(x)
        return Value(right.value, -right.gradient, right.hessian)

    start = np.array([3.0, 5.0])
    _, summary = minimise(wrong, start)
    assert not summary.converged
    assert summary.theta == pytest.approx(start, abs=1e-6)


def test_nothing_to_search_is_an_optimum() -> None:
    def constant(x: Floats) -> Value:
        return Value(2.0, np.zeros(0), np.zeros((0, 0)))

    _, summary = minimise(constant, np.zeros(0))
    assert summary.converged
    assert (summary.objective, summary.evaluations) == (2.0, 1)


def test_a_start_that_cannot_be_evaluated_is_an_error() -> None:
    with pytest.raises(NotPositiveDefiniteError, match="outside"):
        minimise(barrier, np.array([-1.0]))


def test_a_mistake_in_the_function_is_not_swallowed() -> None:
    def mistaken(x: Floats) -> Value:
        if x[0] == 8:
            return barrier(x)
        raise KeyError("typo")

    with pytest.raises(KeyError, match="typo"):
        minimise(mistaken, np.array([8.0]))
