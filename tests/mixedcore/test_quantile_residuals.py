"""Quantile residuals: DHARMa's definitions computed another way, and p-values as uniform as they ought."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.diagnostics.quantile_residuals import examine, quantile_residuals
from mixedcore.errors import DataError, ModelError

SLEEP = datasets.load("sleepstudy")


@pytest.fixture(scope="module")
def sleep() -> MixedLMResults:
    return mixedlm("Reaction ~ Days + (Days | Subject)", SLEEP).fit()


def binomial_two_sided(count: int, n: int, p: float) -> float:
    """R's binom.test: all counts no likelier than the one observed."""
    chance = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    return sum(c for c in chance if c <= chance[count] * (1 + 1e-7))


@pytest.mark.parametrize("random", ["new", "fitted"])
def test_the_tests_are_those_of_dharma(sleep: MixedLMResults, random: Any) -> None:
    """Each from its definition, row by row, and Kolmogorov–Smirnov by SciPy."""
    n, y = 99, sleep.model.endog
    found = sleep.simulated_residuals(n, seed=1, random=random)
    draws = sleep.simulate(n, seed=1, random=random).to_numpy()
    centre = (sleep.predict() if random == "new" else sleep.fittedvalues).to_numpy()
    less = np.array([sum(draw < value for draw in row) for row, value in zip(draws, y, strict=True)])
    scaled = found.residuals.to_numpy() * (n + 1)
    assert (np.floor(scaled) == less).all()  # DHARMa's is less / n
    assert found.residuals.index.equals(SLEEP.index)
    ks = stats.kstest(found.residuals, "uniform")
    assert found.uniformity.statistic == pytest.approx(ks.statistic)
    assert found.uniformity.p_value == pytest.approx(ks.pvalue)
    outside = int(((less == 0) | (less == n)).sum())
    assert found.outliers.statistic == outside
    assert found.outliers.p_value == pytest.approx(binomial_two_sided(outside, len(y), 2 / (n + 1)))
    spread = [np.var(draws[:, r] - centre, ddof=1) for r in range(n)]
    own = np.var(y - centre, ddof=1)
    assert found.dispersion.statistic == pytest.approx(own / np.mean(spread))
    beyond = min(sum(s >= own for s in spread), sum(s <= own for s in spread))
    assert found.dispersion.p_value == pytest.approx(min(1, 2 * (1 + beyond) / (n + 1)))


def test_ties_are_broken_at_random() -> None:
    rng = np.random.default_rng(1)
    observed, draws = rng.integers(0, 3, 4000).astype(float), rng.integers(0, 3, (4000, 20)).astype(float)
    u = quantile_residuals(observed, draws, rng)
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    less, equal = (draws < observed[:, None]).sum(axis=1), (draws == observed[:, None]).sum(axis=1)
    assert (u * 21 >= less).all()
    assert (u * 21 <= less + equal + 1).all()


def test_p_values_are_uniform_under_the_true_model() -> None:
    """1,000 samples of 60 independent numbers among 40 draws each, few enough for the steps to show."""
    rng, found = np.random.default_rng(2), []
    for _ in range(1000):
        sizes = rng.gamma(2.0, size=60)
        observed, draws = rng.normal(0, sizes), rng.normal(0, sizes[:, None], (60, 40))
        u, uniformity, dispersion, outliers = examine(observed, np.zeros(60), draws, rng)
        found.append((u[0], uniformity.p_value, dispersion.p_value, outliers.p_value))
    table = np.array(found)
    for column in (0, 1):  # continuous ones
        assert stats.kstest(table[:, column], "uniform").pvalue > 1e-3
    for column in (2, 3):  # with steps: never too often small, and not much too seldom
        for level in (0.05, 0.2, 0.5):
            share = (table[:, column] <= level).mean()
            assert share < level + 4 * np.sqrt(level * (1 - level) / 1000)
            assert share > 0.4 * level


def test_sums_by_group_are_independent_and_uniform() -> None:
    """From data drawn by the fitted model itself, sums over subjects: 100 fits' worth of 18 residuals.

    One subject moves the estimates by a little, so the shares are held to a band and not to their error.
    """
    result = mixedlm("Reaction ~ Days + (Days | Subject)", SLEEP).fit()
    draws = result.simulate(100, seed=3)
    pooled = [
        result.refit(draws[r]).simulated_residuals(60, seed=r, by="Subject").residuals for r in range(100)
    ]
    values = np.concatenate(pooled)
    assert values.size == 1800
    for level in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert abs((values < level).mean() - level) < 0.04


def test_what_is_wrong_shows(sleep: MixedLMResults) -> None:
    """A random effect left out makes the simulated groups too alike; a heavy tail makes outliers."""
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(40), 10)
    y = (3 * rng.normal(size=40))[g] + rng.normal(size=400)
    heavy = rng.standard_t(1.5, size=400)
    data = pd.DataFrame({"y": y, "heavy": heavy, "g": g, "h": np.tile(np.arange(20), 20)})
    missing = mixedlm("y ~ 1 + (1 | h)", data).fit().simulated_residuals(200, seed=1, by=g)
    assert missing.uniformity.p_value < 0.01
    assert missing.dispersion.statistic > 5
    assert missing.dispersion.p_value == pytest.approx(2 / 201)  # the least that 200 draws can say
    assert missing.outliers.p_value < 1e-10
    tails = mixedlm("heavy ~ 1 + (1 | g)", data).fit().simulated_residuals(200, seed=1)
    assert tails.uniformity.p_value < 1e-3
    right = mixedlm("y ~ 1 + (1 | g)", data).fit().simulated_residuals(200, seed=1, by="g")
    assert right.tests["p_value"].min() > 0.01


def test_groups_by_factor_column_or_labels(sleep: MixedLMResults) -> None:
    factor = sleep.simulated_residuals(20, seed=1, by="Subject")
    assert list(factor.residuals.index) == sleep.model.group_labels
    labels = sleep.simulated_residuals(20, seed=1, by=SLEEP["Subject"].to_numpy())
    np.testing.assert_allclose(labels.residuals.to_numpy(), factor.residuals.to_numpy())
    days = sleep.simulated_residuals(20, seed=1, by="Days")
    assert len(days.residuals) == 10
    assert "groups of Days" in repr(days)
    with pytest.raises(ModelError, match="by='nothing'"):
        sleep.simulated_residuals(20, by="nothing")
    with pytest.raises(ModelError, match=r"by has shape \(3,\)"):
        sleep.simulated_residuals(20, by=[1, 2, 3])


def test_seed_and_shape(sleep: MixedLMResults) -> None:
    one, two = (sleep.simulated_residuals(30, seed=9) for _ in range(2))
    pd.testing.assert_series_equal(one.residuals, two.residuals)
    assert ((one.residuals > 0) & (one.residuals < 1)).all()
    assert list(one.tests.columns) == ["statistic", "expected", "p_value"]
    assert list(one.tests.index) == ["uniformity", "dispersion", "outliers"]
    assert "180 rows from 30 simulations" in repr(one)
    with pytest.raises(ModelError, match="n=0"):
        sleep.simulated_residuals(0)


@pytest.mark.parametrize(
    "formula, more",
    [
        ("test_score ~ 0 + (1 | school)", {}),
        ("test_score ~ age + (1 | school) + (1 | classroom)", {"weights": "w", "offset": "pretest"}),
        ("test_score ~ age", {"groups": "school", "vc_formula": {"room": "0 + C(classroom)"}}),
    ],
)
def test_any_model_has_them(formula: str, more: dict[str, Any]) -> None:
    data = datasets.load("classrooms").assign(w=lambda d: 0.5 + d.index % 3)
    fitted = mixedlm(formula, data, eval_env=-1, **more).fit()
    result = fitted.refit(fitted.simulate(1, seed=1)[0])
    found = result.simulated_residuals(50, seed=2, random="fitted")
    assert found.residuals.notna().all()
    assert found.dispersion.statistic == pytest.approx(1, abs=0.2)


def test_rows_are_needed() -> None:
    result = mixedlm("Reaction ~ Days + (1 | Subject)", [SLEEP.iloc[:90], SLEEP.iloc[90:]]).fit()
    with pytest.raises(DataError, match="not kept"):
        result.simulated_residuals(10)
