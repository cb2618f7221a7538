"""Variances and their standard errors where sizes differ by many powers of ten."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, mixedlm

# The zero variance leaves the others' standard errors to the average information, which differs from the
# observed one by what 15 groups are short of many.
OTHER_INFORMATION = 0.05


def strong(noise: float) -> pd.DataFrame:
    """Effects of g a hundred times as large as the residual; none of a, which crosses it."""
    rng = np.random.default_rng(5)
    g, a, x = rng.integers(0, 15, 240), rng.integers(0, 8, 240), rng.normal(size=240)
    residual = pd.Series(rng.normal(size=240))
    y = rng.normal(size=15)[g] + x * rng.normal(size=15)[g]
    y += noise * (residual - residual.groupby(a).transform("mean"))
    return pd.DataFrame({"g": g, "a": a, "x": x, "y": y})


def errors(result: MixedLMResults) -> np.ndarray:
    return result.bse_re.to_numpy()[:3] / result.cov_re.to_numpy()[0, 0]


@pytest.mark.parametrize("noise", [0.1, 0.01])
def test_a_zero_variance_does_not_change_the_errors_of_large_ones(noise: float) -> None:
    """The information on them differs by many powers of ten, which is no reason to drop any."""
    with_zero = mixedlm("y ~ x + (x | g) + (1 | a)", strong(noise)).fit()
    without = mixedlm("y ~ x + (x | g)", strong(noise)).fit()
    assert with_zero.singular
    assert with_zero.llf == pytest.approx(without.llf, abs=1e-6)
    assert errors(with_zero) == pytest.approx(errors(without), rel=OTHER_INFORMATION)
    table = with_zero.tidy("random").set_index(["group", "scale"])
    assert table.loc[("g", "correlation"), ["conf_low", "conf_high"]].notna().all(axis=None)


@pytest.mark.parametrize("origin", [0.0, 1.7e18])
def test_a_slope_over_nanoseconds_has_its_variance(origin: float) -> None:
    """Times since 1970 in nanoseconds, over weeks: an intercept's SD is 10¹⁵ times as large, or more."""
    data = strong(1.0)
    plain = mixedlm("y ~ x + (x | g)", data).fit()
    timed = mixedlm("y ~ x + (x | g)", data.assign(x=origin + 1e15 * data["x"])).fit()
    expected = plain.cov_re.to_numpy()[1, 1]
    assert 1e30 * timed.cov_re.to_numpy()[1, 1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("size_of_x", [1e-36, 1.0, 1e36])
@pytest.mark.parametrize("size_of_y", [1e-36, 1.0, 1e36])
def test_numbers_of_any_size_that_is_accepted_have_tests_and_errors(
    size_of_y: float, size_of_x: float
) -> None:
    """Degrees of freedom and errors, in their own units, are those of ordinary numbers."""
    data, sizes = strong(1.0), {"y": size_of_y, "x": size_of_x}
    plain = mixedlm("y ~ x + (x | g)", data).fit()
    sized = mixedlm("y ~ x + (x | g)", data.assign(**{c: data[c] * s for c, s in sizes.items()})).fit()
    assert sized.tidy()["df"].to_numpy() == pytest.approx(plain.tidy()["df"].to_numpy(), rel=1e-5)
    unit = size_of_y / np.array([1.0, size_of_x])
    assert sized.bse_fe.to_numpy() / unit == pytest.approx(plain.bse_fe.to_numpy(), rel=1e-6)
    squares = np.array([unit[0] * unit[0], unit[0] * unit[1], unit[1] * unit[1]])
    assert sized.bse_re.to_numpy() / squares == pytest.approx(plain.bse_re.to_numpy(), rel=1e-5)


@pytest.mark.parametrize("seed", [1, 18])
def test_nothing_is_missing_where_hardly_a_residual_is_left(seed: int) -> None:
    """61 rows, 57 levels of c: the information is not positive, and its inverse has no negative variances.

    What the data do not determine has an interval from zero to infinity, without a warning.
    """
    rng = np.random.default_rng(seed)
    c = np.append(np.arange(57), [3, 8, 20, 41])
    a, b = c % 35, rng.integers(0, 21, 61)
    data = pd.DataFrame({"a": a, "b": b, "c": c, "x": rng.normal(size=61)})
    data["y"] = 10 * (rng.normal(size=35)[a] + data["x"] * rng.normal(size=21)[b]) + rng.normal(size=57)[c]
    result = mixedlm("y ~ x + (1 | a) + (x | b) + (1 | c)", data).fit()
    assert np.isfinite(result.bse).all()
    variances = result.tidy("random").query("scale == 'variance'")
    assert (variances["conf_low"] <= variances["estimate"]).all()
    assert (variances["conf_high"] >= variances["estimate"]).all()
