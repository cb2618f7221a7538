"""The optimum, boundary included: against a dense multi-start search, and from starts that mislead."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.optimize import minimize

from mixedcore.engine.chart import lower_root, rectify
from mixedcore.engine.crossproducts import cross_products
from mixedcore.engine.elimination import plan
from mixedcore.engine.estimate import NULL, Estimate, estimate, null_directions
from mixedcore.terms import Floats
from tests.mixedcore.dense_algebra import Data, Dense, block, component, full, identity

# The search ends when the expected further fall is below 1e-12; scipy's stops at about 1e-8 of the criterion.
SAME_OPTIMUM = 1e-6


def simulated(
    seed: int, sds: tuple[float, ...], *, n: int = 48, groups: int = 6, structure: str = "full"
) -> Data:
    """Random effects with these standard deviations (residual 1), independent but for chance."""
    rng = np.random.default_rng(seed)
    g = np.arange(n) % groups
    basis = np.column_stack([np.ones(n), *rng.normal(size=(len(sds) - 1, n))])
    effects = rng.normal(size=(groups, len(sds))) * sds
    y = 3 + np.einsum("ij,ij->i", basis, effects[g]) + rng.normal(size=n)
    return Data(y, basis, (full(g, basis, g, structure),), g)


def nested(seed: int, sds: tuple[float, float, float]) -> Data:
    """Group intercept, class intercept and group slope as components, some of them absent from the data."""
    rng = np.random.default_rng(seed)
    n = 48
    g, c, x = np.arange(n) % 4, np.arange(n) % 12, rng.normal(size=n)
    a, b, s = rng.normal(size=4) * sds[0], rng.normal(size=12) * sds[1], rng.normal(size=4) * sds[2]
    y = a[g] + b[c] + s[g] * x + rng.normal(size=n)
    one = np.ones(n)
    terms = (full(g, one, g), component("c", block(c, one, g)), component("s", block(g, x, g)))
    return Data(y, np.column_stack([one, x]), terms, g)


def crossed(seed: int, sds: tuple[float, float]) -> Data:
    rng = np.random.default_rng(seed)
    n = 48
    a, b, zero, one = rng.integers(0, 8, n), rng.integers(0, 5, n), np.zeros(n, dtype=np.intp), np.ones(n)
    y = rng.normal(size=8)[a] * sds[0] + rng.normal(size=5)[b] * sds[1] + rng.normal(size=n)
    terms = (component("a", block(a, one, zero)), component("b", block(b, one, zero)))
    return Data(y, one[:, None], terms, zero)


# Variances of ordinary size, near zero, and exactly zero in the population, which puts about half of the
# estimates on the boundary.
SETS: dict[str, Data] = {
    **{f"intercept {s} {sd}": simulated(s, (sd,)) for s, sd in enumerate([1.0, 0.3, 0.1, 0.0, 0.0])},
    **{f"slope {s} {sd}": simulated(s, sd) for s, sd in enumerate([(1, 1), (1, 0.1), (1, 0), (0, 0.3)])},
    **{f"two slopes {s} {sd}": simulated(s, sd) for s, sd in enumerate([(1, 0.5, 0.2), (0.5, 0, 0.3)])},
    **{
        f"uncorrelated {s} {sd}": simulated(s, sd, structure="diagonal")
        for s, sd in enumerate([(1, 0.2, 0), (0, 0, 0)])
    },
    **{f"nested {s} {sd}": nested(s, sd) for s, sd in enumerate([(1, 1, 0.5), (0, 0.5, 0), (0.3, 0, 0.1)])},
    **{f"crossed {s} {sd}": crossed(s, sd) for s, sd in enumerate([(1, 0.5), (0.2, 0), (0, 0)])},
}  # fmt: skip


@cache
def fitted(name: str, reml: bool) -> Estimate:
    return fit(SETS[name], reml)


def fit(data: Data, reml: bool, start: Floats | None = None) -> Estimate:
    cp = cross_products(data.y, data.X, data.terms)
    return estimate(cp, plan(cp), data.terms, reml=reml, start=start)


def dense_optimum(data: Data, reml: bool) -> float:
    """The lowest criterion that scipy finds by dense algebra from five starts, without our derivatives."""
    cp = cross_products(data.y, data.X, data.terms)
    centre, rng = identity(data.terms), np.random.default_rng(0)
    starts = [centre, 0.1 * centre, *(rng.normal(size=(3, centre.size)))]

    def criterion(theta: Floats) -> float:
        return Dense(data, cp, theta, reml).criterion

    return min(float(minimize(criterion, s, method="BFGS", options={"gtol": 1e-5}).fun) for s in starts)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", SETS)
def test_no_dense_search_finds_a_lower_optimum(name: str, reml: bool) -> None:
    found = fitted(name, reml)
    assert found.optimum.converged
    assert found.evaluation.value == pytest.approx(dense_optimum(SETS[name], reml), abs=SAME_OPTIMUM)


def test_the_data_sets_lie_on_both_sides_of_the_boundary() -> None:
    singular = sum(fitted(name, reml).singular for name in SETS for reml in (True, False))
    assert 10 <= singular <= 2 * len(SETS) - 10


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", SETS)
def test_singular_means_exactly_on_the_boundary(name: str, reml: bool) -> None:
    """A direction has some variance, or it has none to the last digit."""
    found = fitted(name, reml)
    for factor, null in zip(found.factors, found.null, strict=True):
        size = np.linalg.svd(factor, compute_uv=False)
        assert ((size < 1e-12) | (size > NULL)).all()
        assert null.shape == (len(factor), int((size < NULL).sum()))
        assert np.abs(null.T @ factor).max(initial=0.0) < 1e-12
        assert (np.diag(factor) >= 0).all()


ON_THE_BOUNDARY = [name for name in SETS if fitted(name, True).singular]


@pytest.mark.parametrize("name", ON_THE_BOUNDARY)
def test_a_zero_is_accepted_only_where_variance_would_raise_the_criterion(name: str) -> None:
    """Along every direction without variance, at sizes from 1e-4 to 1."""
    found = fitted(name, True)
    for t, null in enumerate(found.null):
        for v in null.T:
            for size in (1e-4, 1e-2, 0.1, 1.0):
                factors = [*found.factors]
                factors[t] = lower_root(np.column_stack([factors[t], size * v]))
                moved = Dense(SETS[name], found.evaluation.cp, theta_of(factors, SETS[name]), True)
                assert moved.criterion > found.evaluation.value - 1e-9


def theta_of(factors: list[Floats], data: Data) -> Floats:
    """θ whose Λ are these."""
    parts = []
    for term, T in zip(data.terms, factors, strict=True):
        cols, rows = np.triu_indices(len(T))
        parts.append(T[rows, cols] if term.structure == "full" else np.diag(T))
    return np.concatenate(parts)


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-3, 30.0, 1e4])
@pytest.mark.parametrize(
    "name", ["intercept 0 1.0", "slope 0 (1, 1)", "nested 0 (1, 1, 0.5)", "crossed 0 (1, 0.5)"]
)
def test_the_optimum_does_not_depend_on_the_start(name: str, size: float) -> None:
    """At Λ = 0 the gradient vanishes whatever the data say; the search has to see that there is variance."""
    start = size * identity(SETS[name].terms)
    found = fit(SETS[name], True, start)
    assert not found.singular
    assert found.optimum.converged
    assert found.evaluation.value == pytest.approx(fitted(name, True).evaluation.value, abs=1e-9)
    assert found.optimum.theta == pytest.approx(fitted(name, True).optimum.theta, rel=1e-4, abs=1e-6)


def strong_groups(seed: int) -> Data:
    """Slopes 200 times the residual, beside a crossed factor of ordinary size."""
    rng = np.random.default_rng(seed)
    n, g, w = 25, np.arange(25) % 5, rng.integers(0, 6, 25)
    basis = np.column_stack([np.ones(n), rng.normal(size=n)])
    effects = rng.normal(size=(5, 2)) * [5, 100]
    y = np.einsum("ij,ij->i", basis, effects[g]) + rng.normal(size=6)[w] * 2 + 0.5 * rng.normal(size=n)
    zero = np.zeros(n, dtype=np.intp)
    return Data(y, basis, (full(g, basis, g), component("w", block(w, np.ones(n), zero))), g)


@pytest.mark.parametrize(("seed", "size"), [(40, 1.0), (79, 0.3), (80, 1.0), (110, 0.3)])
def test_a_search_does_not_end_on_a_saddle(seed: int, size: float) -> None:
    """On the way the variance of w passes near zero, where rounding hides its slope but not its curvature."""
    data = strong_groups(seed)
    found = fit(data, True, size * identity(data.terms))
    lowest = min(fit(data, True, s * identity(data.terms)).evaluation.value for s in (0.1, 1.0, 3.0))
    assert found.evaluation.value == pytest.approx(lowest, abs=SAME_OPTIMUM)
    assert not found.singular
    assert np.linalg.eigvalsh(found.evaluation.hessian).min() > 0


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_correlation_of_one_is_found(sign: float) -> None:
    """The slope of every group is a multiple of its intercept."""
    rng = np.random.default_rng(3)
    n, g = 200, np.arange(200) % 10
    x, a = rng.normal(size=n), rng.normal(size=10) * 2
    y = a[g] * (1 + sign * 0.5 * x) + rng.normal(size=n)
    basis = np.column_stack([np.ones(n), x])
    found = fit(Data(y, basis, (full(g, basis, g),), g), True)
    (factor,), (null,) = found.factors, found.null
    assert found.singular
    assert null.shape == (2, 1)
    assert factor[1, 1] == 0.0
    assert np.sign(factor[1, 0]) == sign
    assert found.optimum.converged


@pytest.mark.parametrize("seed", range(5))
def test_lower_root_is_a_rectified_root_of_the_same_covariance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, 5))
    root[2] = root[0] * seed  # singular
    L = lower_root(root)
    assert np.abs(np.triu(L, 1)).max() == 0
    assert (np.diag(L) >= 0).all()
    np.testing.assert_allclose(L @ L.T, root @ root.T, atol=1e-12)
    np.testing.assert_allclose(rectify(-L) @ rectify(-L).T, L @ L.T, atol=1e-12)


def test_null_directions_are_those_without_variance() -> None:
    T = np.array([[2.0, 0.0], [1.0, 0.0]])
    (v,) = null_directions(T).T
    assert v @ T == pytest.approx(np.zeros(2), abs=1e-15)
    assert np.abs(v) == pytest.approx(np.array([1.0, 2.0]) / np.sqrt(5))
    assert null_directions(np.eye(3)).shape == (3, 0)
