"""Start, steps and exact residuals of the search, each against dense algebra or differences."""

from __future__ import annotations

import numpy as np
import pytest

from mixedcore.engine import exact
from mixedcore.engine.chart import Roots
from mixedcore.engine.criterion import evaluate, roots_of
from mixedcore.engine.crossproducts import cross_products
from mixedcore.engine.elimination import plan
from mixedcore.engine.rows import gather
from mixedcore.engine.rowwise import outcome_less_fixed
from mixedcore.engine.start import LEAST_SD, moments_start
from mixedcore.terms import Floats
from tests.mixedcore.dense_algebra import Data, Dense, designs, identity, random_theta

DESIGNS = designs()
each_design = pytest.mark.parametrize("name", DESIGNS)


def dense_moments(data: Data) -> Floats:
    """ψ from y'V̇y = tr(V̇V) by explicit matrices."""
    cp = cross_products(data.y, data.X, data.terms)
    V = [*Dense(data, cp, identity(data.terms), True).V_psi, np.eye(data.y.size)]
    expected = np.array([[np.sum(a * b) for b in V] for a in V])
    ys = outcome_less_fixed(gather(data.y, data.X, data.terms), cp, np.zeros(cp.p))
    found = np.linalg.solve(expected, [ys @ D @ ys for D in V])
    return found[:-1] / found[-1]


@each_design
def test_the_start_solves_the_moment_equations_where_that_gives_covariances(name: str) -> None:
    data = DESIGNS[name]
    cp = cross_products(data.y, data.X, data.terms)
    chart, psi = Roots(cp, data.terms), dense_moments(data)
    found = chart.factors(moments_start(cp))
    for t, (term, T) in enumerate(zip(data.terms, found, strict=True)):
        own = psi[cp.offsets[t] : cp.offsets[t + 1]]
        assert np.linalg.svd(T, compute_uv=False).min() > 0.99 * LEAST_SD
        expected = np.diag(own)
        if term.structure == "full":
            cols, rows = np.triu_indices(len(T))
            expected = np.zeros_like(T)
            expected[rows, cols] = expected[cols, rows] = own
        if np.linalg.eigvalsh(expected).min() > LEAST_SD**2:
            np.testing.assert_allclose(T @ T.T, expected, rtol=1e-6, atol=1e-8)


def test_some_moments_are_covariances_and_some_are_not() -> None:
    smallest = [min(dense_moments(data)) for data in DESIGNS.values()]
    assert min(smallest) < 0 < LEAST_SD**2 < max(smallest)


@each_design
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
def test_the_model_of_a_step_is_the_criterion_s_own(name: str, seed: int, reml: bool) -> None:
    """First and second differences along a step in all entries of the roots, singular ones (seed 1) too.

    With the exact Hessian in ψ for the approximate one, what is left is the geometry of the roots.
    """
    data = DESIGNS[name]
    cp = cross_products(data.y, data.X, data.terms)
    layout, chart, theta = plan(cp), Roots(cp, data.terms), random_theta(data.terms, seed)
    point = evaluate(cp, layout, roots_of(cp, theta), reml=reml)
    observed = Dense(data, cp, theta, reml).hessian
    profiled = observed[:-1, :-1] - np.outer(observed[-1, :-1], observed[-1, :-1]) / observed[-1, -1]
    gradient, hessian, jacobian = chart.derivatives(theta, point)
    hessian = hessian + jacobian.T @ (profiled - point.information) @ jacobian
    step = np.random.default_rng(seed).normal(size=gradient.size)

    def value(h: float) -> float:
        moved = chart.moved(theta, h * step)
        return evaluate(cp, layout, roots_of(cp, moved), reml=reml).value

    h = 1e-4
    up, here, down = value(h), value(0.0), value(-h)
    size = np.abs(hessian).max()
    assert (up - down) / (2 * h) == pytest.approx(gradient @ step, rel=1e-4, abs=1e-4 * size)
    assert (up - 2 * here + down) / h**2 == pytest.approx(step @ hessian @ step, rel=1e-3, abs=1e-3 * size)


@each_design
@pytest.mark.parametrize("seed", range(2))
def test_rows_and_cross_products_give_one_residual(
    name: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DESIGNS[name]
    cp = cross_products(data.y, data.X, data.terms)
    point = evaluate(cp, plan(cp), roots_of(cp, random_theta(data.terms, seed)), reml=True)
    rows = gather(data.y, data.X, data.terms)
    assert exact.with_exact_residual(point, rows, data.terms) is point
    monkeypatch.setattr(exact, "EXPLAINED", np.inf)
    found = exact.with_exact_residual(point, rows, data.terms)
    assert found is not point
    assert found.value == pytest.approx(point.value, abs=1e-8)
    assert found.beta == pytest.approx(point.beta, rel=1e-8, abs=1e-10)
    assert np.abs(found.R_X) == pytest.approx(np.abs(point.R_X), rel=1e-8, abs=1e-8)
