"""Power by simulation, against the exact power of balanced designs, from the noncentral t and F."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import power
from mixedcore.errors import MixedCoreError
from mixedcore.power import contrasts

CLUSTER: dict[str, Any] = {
    "groups": {"school": 20},
    "size": 10,
    "test": "treated",
    "fixed": {"Intercept": 0, "treated": 0.8},
    "sd": {"school": 0.8},
    "predictors": {"treated": ("binary", "school")},
}
SURE = 4.0  # standard errors of a simulated share


def exact_t(effect: float, se: float, df: float, alpha: float = 0.05) -> float:
    """Power of a two-sided t test."""
    cut = stats.t.isf(alpha / 2, df)
    return float(stats.nct.sf(cut, df, effect / se) + stats.nct.cdf(-cut, df, effect / se))


def close(found: float, exact: float, n: int) -> bool:
    return abs(found - exact) < SURE * np.sqrt(exact * (1 - exact) / n)


def test_a_treatment_of_whole_groups_over_a_grid() -> None:
    """Means of J schools, t with J − 2 df and SE² = 4(τ² + σ²/size)/J."""
    found = power(**CLUSTER, grid={"school": [10, 24], "size": [8, 20]}, n=500, seed=1)
    assert found[["school", "size"]].to_numpy().tolist() == [[10, 8], [10, 20], [24, 8], [24, 20]]
    for row in found.itertuples():
        exact = exact_t(0.8, np.sqrt(4 * (0.64 + 1 / row.size) / row.school), row.school - 2)
        assert close(row.power, exact, 500)
        assert row.conf_low < row.power < row.conf_high
        assert row.failures == 0


def test_a_treatment_within_groups() -> None:
    """SE² = 4σ²/N, N − J − 1 df."""
    own = {**CLUSTER, "predictors": {"treated": "binary"}, "fixed": {"Intercept": 1, "treated": 0.4}}
    found = power(**own, n=800, seed=2)
    assert close(found["power"][0], exact_t(0.4, np.sqrt(4 / 200), 200 - 20 - 1), 800)


def test_a_term_of_several_coefficients() -> None:
    """F of three occasions in each of J groups: 2 and 2(J − 1) df, noncentrality J Σ(μ − μ̄)²/σ²."""
    found = power(
        {"subject": 15},
        3,
        test="C(day)",
        formula="y ~ C(day) + (1 | subject)",
        fixed={"Intercept": 0, "day": 0.45},
        predictors={"day": "index"},
        sd={"subject": 1.5},
        n=800,
        seed=3,
    )
    noncentrality = 15 * 2 * 0.45**2
    exact = stats.ncf.sf(stats.f.isf(0.05, 2, 28), 2, 28, noncentrality)
    assert close(found["power"][0], float(exact), 800)


def test_where_there_is_no_effect_the_test_keeps_its_level() -> None:
    own = {**CLUSTER, "fixed": {"Intercept": 0, "treated": 0}}
    found = power(**own, n=1000, seed=4, alpha=0.1)
    assert close(found["power"][0], 0.1, 1000)


def test_wald_tests_reject_too_often_with_few_groups() -> None:
    own = {**CLUSTER, "groups": {"school": 6}, "fixed": {"Intercept": 0, "treated": 0}}
    wald = power(**own, n=1000, seed=5, ddf="normal")
    exact = 2 * stats.t.sf(stats.norm.isf(0.025), 4)
    assert close(wald["power"][0], float(exact), 1000)
    assert wald["conf_low"][0] > 0.05


def test_effects_and_noise_can_vary() -> None:
    found = power(**CLUSTER, grid={"treated": [0.5, 1.5], "residual_sd": [1, 4]}, n=200, seed=6)
    assert found.groupby("treated")["power"].mean().is_monotonic_increasing
    assert found.groupby("residual_sd")["power"].mean().is_monotonic_decreasing


def test_the_interval_is_clopper_and_pearsons() -> None:
    found = power(**CLUSTER, n=80, seed=7, level=0.9)
    k = int(found["rejected"][0])
    expected = stats.binomtest(k, 80).proportion_ci(0.9, method="exact")
    np.testing.assert_allclose(found[["conf_low", "conf_high"]].to_numpy()[0], expected)
    sure = power(**{**CLUSTER, "fixed": {"Intercept": 0, "treated": 50}}, n=20, seed=7)
    assert sure["power"][0] == sure["conf_high"][0] == 1.0


def test_the_same_studies_whoever_does_them() -> None:
    seen: list[tuple[int, int]] = []
    own = {**CLUSTER, "grid": {"size": [4, 8]}, "n": 120, "seed": 8}
    one = power(**own)
    two = power(**own, n_jobs=2, progress=lambda done, n: seen.append((done, n)))
    pd.testing.assert_frame_equal(one, two)
    assert one.attrs == two.attrs == {"seed": 8, "cancelled": False}
    assert [done for done, _ in seen] == [50, 100, 150, 200, 240]
    pd.testing.assert_frame_equal(power(**{**own, "grid": {"size": [4]}}).iloc[:1], one.iloc[:1])


def test_what_is_done_when_cancelled_is_kept() -> None:
    stop = Event()
    own = {**CLUSTER, "grid": {"size": [4, 8]}, "n": 120, "seed": 8}
    found = power(**own, progress=lambda *_: stop.set(), cancel=stop)
    assert found.attrs["cancelled"]
    assert found["n"].tolist() == [50, 0]
    assert np.isnan(found["power"][1])
    assert found.loc[1, ["conf_low", "conf_high"]].tolist() == [0.0, 1.0]
    assert power(**own, cancel=lambda: True)["n"].tolist() == [0, 0]


def test_three_levels_slopes_and_another_model() -> None:
    found = power(
        {"school": 8, "classroom": (2, 3)},
        (4, 8),
        test="x",
        fixed={"Intercept": 0, "x": 0.5},
        sd={"school": {"Intercept": 1, "x": 0.3}, "classroom": 0.5},
        correlation={"school": 0.5},
        formula="y ~ x + (x || school) + (1 | classroom)",
        n=60,
        seed=9,
        reml=False,
    )
    assert found["n"][0] == 60
    assert found["failures"][0] == 0
    assert 0.2 < found["power"][0] < 1
    assert 0 < found["singular"][0] < 1


def test_coefficients_of_a_term() -> None:
    names = ["Intercept", "C(a)[T.b]", "C(a)[T.c]", "x", "x:C(a)[T.b]"]
    assert contrasts(names, ("C(a)",)).tolist() == np.eye(5)[1:3].tolist()
    assert contrasts(names, ("x",)).tolist() == np.eye(5)[3:4].tolist()
    assert contrasts(names, ("x", "C(a)", "x")).tolist() == np.eye(5)[[3, 1, 2]].tolist()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"test": "nothing"}, "test names 'nothing'; the fixed effects are Intercept, treated"),
        ({"grid": {"pupils": [1]}}, "grid names 'pupils'; what can vary is school, size"),
        ({"grid": {"n": [1]}}, "grid names 'n'"),
        ({"n": 0}, "n=0"),
        ({"alpha": 5}, "5"),
        ({"level": 95}, "95"),
        ({"ddf": "exact"}, "ddf='exact'"),
        ({"n_jobs": 0}, "n_jobs=0"),
        ({"groups": {"school": 0}}, "the number of school is 0"),
        ({"formula": "y ~ treated + other + (1 | school)"}, "other"),
    ],
)
def test_what_is_no_study_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MixedCoreError, match=message):
        power(**{**CLUSTER, "n": 10, "seed": 1, **change})
