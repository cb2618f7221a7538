"""Tails against SciPy's distributions, far out and for every kind of degrees of freedom."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedcore.inference.tails import two_sided_normal, two_sided_t, upper_normal, upper_t, upper_tail_of_f

POINTS = np.array([0.0, 0.3, -2.0, 12.0, 30.0])


@pytest.mark.parametrize("df", [1.0, 2.5, 17.0, 500.0, np.inf])
def test_t_is_that_of_scipy(df: float) -> None:
    every = np.full(POINTS.size, df)
    np.testing.assert_allclose(two_sided_t(POINTS, every), 2 * stats.t.sf(np.abs(POINTS), df), rtol=1e-12)
    np.testing.assert_allclose(upper_t(0.025, every), stats.t.isf(0.025, df), rtol=1e-12)


def test_the_normal_is_that_of_scipy() -> None:
    np.testing.assert_allclose(two_sided_normal(POINTS), 2 * stats.norm.sf(np.abs(POINTS)), rtol=1e-12)
    assert upper_normal(0.025) == pytest.approx(stats.norm.isf(0.025), rel=1e-14)


@pytest.mark.parametrize("num_df", [1, 3, 40])
@pytest.mark.parametrize("den_df", [1.0, 2.5, 17.0, 500.0, np.inf])
def test_f_is_that_of_scipy(num_df: int, den_df: float) -> None:
    for F in (0.0, 0.3, 12.0, 300.0):
        expected = stats.chi2.sf(num_df * F, num_df) if np.isinf(den_df) else stats.f.sf(F, num_df, den_df)
        assert upper_tail_of_f(F, num_df, den_df) == pytest.approx(expected, rel=1e-10)


def test_a_small_p_value_keeps_its_digits() -> None:
    """1 − cdf would be 0 here; the value is that of the survival function to 30 decimals."""
    assert two_sided_t(np.array([12.0]), np.array([500.0]))[0] == pytest.approx(2.486e-29, rel=1e-3)
