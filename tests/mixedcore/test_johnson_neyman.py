"""Johnson and Neyman's regions: the quadratic, a dense grid, each edge's own df, bends and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import MixedLMResults, mixedlm
from mixedcore.effects.johnson_neyman import edges
from mixedcore.errors import ModelError
from tests.reference.fits import data_of

DATA = data_of("Hsb82")
FORMULA = "mAch ~ cses * meanses + sector"


@pytest.fixture(scope="module")
def result() -> MixedLMResults:
    return mixedlm(FORMULA, DATA, groups="school", re_formula="1 + cses").fit()


def test_the_edges_are_the_roots_of_the_quadratic() -> None:
    """Bauer & Curran (2005), equation 14, by numpy's polynomial roots."""
    b, V, c = np.array([0.4, -0.3]), np.array([[0.02, -0.004], [-0.004, 0.01]]), 1.98
    square = [c**2 * V[1, 1] - b[1] ** 2, 2 * (c**2 * V[0, 1] - b[0] * b[1]), c**2 * V[0, 0] - b[0] ** 2]
    np.testing.assert_allclose(edges(b, V, c), np.sort(np.roots(square)))


@pytest.mark.parametrize(
    ("b", "V", "expected"),
    [
        ([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], []),
        ([10.0, 0.0], [[1.0, 0.0], [0.0, 0.0]], []),
        ([0.0, 3.0], [[1.0, 0.0], [0.0, 0.0]], [-2 / 3, 2 / 3]),
        ([1.0, 2.0], [[1.0, 0.0], [0.0, 1.0]], [0.75]),
    ],
)
def test_edges_at_the_edge(b: list[float], V: list[list[float]], expected: list[float]) -> None:
    np.testing.assert_allclose(edges(np.array(b), np.array(V), 2.0), expected)


@pytest.mark.parametrize("ddf", ["satterthwaite", "residual", "normal", "kenward-roger"])
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_at_each_edge_the_interval_touches_zero(result: MixedLMResults, ddf: Any, level: float) -> None:
    found = result.johnson_neyman("cses", "meanses", ddf=ddf, level=level)
    inner = found["high"].to_numpy()[:-1]
    assert len(inner) == 2
    there = result.trends("cses", "meanses", {"meanses": inner}, ddf=ddf, level=level)
    touching = np.minimum(there["conf_low"].abs(), there["conf_high"].abs())
    assert touching.max() < 1e-7 * there["std_error"].max()


@pytest.mark.parametrize("formula", [FORMULA, "mAch ~ cses * meanses + cses * I(meanses ** 2)"])
def test_the_regions_are_those_of_a_dense_grid(formula: str) -> None:
    fit = mixedlm(formula, DATA, groups="school").fit()
    low, high = DATA["meanses"].min(), DATA["meanses"].max()
    found = fit.johnson_neyman("cses", "meanses", level=0.9999)
    grid = np.linspace(low, high, 2001)[1:-1]
    there = fit.trends("cses", "meanses", {"meanses": grid}, level=0.9999)
    expected = (there["conf_low"] > 0).astype(int) - (there["conf_high"] < 0).astype(int)
    place = np.searchsorted(found["high"].to_numpy(), grid)
    np.testing.assert_array_equal(found["sign"].to_numpy()[place], expected)


def test_by_hand_from_the_coefficients() -> None:
    """The textbook's way, with coefficients and their covariance, on a fit with normal tests."""
    fit = mixedlm(FORMULA, DATA, groups="school").fit(reml=False)
    names = ["cses", "cses:meanses"]
    b, V = fit.fe_params[names].to_numpy(), fit.cov_params().loc[names, names].to_numpy()
    expected = edges(b, V, stats.norm.ppf(0.975))
    found = fit.johnson_neyman("cses", "meanses", ddf="normal")
    np.testing.assert_allclose(found["high"].to_numpy()[:-1], expected, rtol=1e-6)


def test_units_do_not_matter(result: MixedLMResults) -> None:
    scaled = DATA.assign(meanses=1000 * DATA["meanses"] + 5)
    other = mixedlm(FORMULA, scaled, groups="school", re_formula="1 + cses").fit()
    one, two = (fit.johnson_neyman("cses", "meanses") for fit in (result, other))
    np.testing.assert_allclose(1000 * one["high"][:-1] + 5, two["high"][:-1], rtol=1e-4)
    assert one["sign"].tolist() == two["sign"].tolist()


def test_refusals(result: MixedLMResults) -> None:
    plain = mixedlm("mAch ~ cses + meanses + sector", DATA, groups="school").fit()
    with pytest.raises(ModelError, match="no interaction"):
        plain.johnson_neyman("cses", "meanses")
    with pytest.raises(ModelError, match="no number"):
        result.johnson_neyman("cses", "sector")
    with pytest.raises(ModelError, match="no variable"):
        result.johnson_neyman("cses", "nothing")
    assert isinstance(result.johnson_neyman("cses", "meanses", {"sector": "Public"}), pd.DataFrame)
