"""Mixtures of χ²: against closed forms, a quadratic program, and simulated data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import compare, mixedlm
from mixedcore.inference import chi_bar
from mixedcore.inference.chi_bar import chi_bar_p, projected, upper_chi2
from mixedcore.terms import Floats


def correlated(rho: float) -> Floats:
    return np.array([[1.0, rho], [rho, 1.0]])


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("free", [0, 2])
def test_two_variances_have_the_weights_of_their_angle(rho: float, free: int) -> None:
    """Self & Liang (1987), case 7: weights ½ − φ/2π, ½, φ/2π, cos φ = the correlation of the estimates."""
    information = np.linalg.inv(correlated(rho)) * np.outer([3.0, 50.0], [3.0, 50.0])
    share = (np.pi - np.arccos(rho)) / (2 * np.pi)
    for x in (0.5, 3.0, 40.0):
        tails = [upper_chi2(x, free + j) for j in range(3)]
        expected = (0.5 - share) * tails[0] + 0.5 * tails[1] + share * tails[2]
        assert chi_bar_p(x, free, (1, 1), information) == pytest.approx(expected, rel=0.03)


def test_projections_are_those_of_a_quadratic_program() -> None:
    """Of a 2 × 2 covariance and a variance, beside SciPy's search over Cholesky factors."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(5)
    A = rng.normal(size=(4, 9))
    information = A @ A.T
    U = rng.normal(size=(12, 4))
    found = projected(U, (2, 1), information)
    z = np.linalg.solve(np.linalg.cholesky(information).T, U.T).T

    def distance(p: Floats, own: Floats) -> float:
        k = np.array([p[0] ** 2, p[0] * p[1], p[1] ** 2 + p[2] ** 2, p[3] ** 2])
        return float((own - k) @ information @ (own - k))

    for own, length in zip(z, found, strict=True):
        starts = rng.normal(size=(12, 4))
        least = min(minimize(distance, s, args=(own,), tol=1e-12).fun for s in starts)
        assert own @ information @ own - length == pytest.approx(least, rel=1e-4, abs=1e-5)


def test_the_mixture_for_two_correlated_effects_is_what_simulated_data_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """(x | g) against nothing, of data without groups: the share of p-values below 0.05 and 0.2, 400 sets."""
    monkeypatch.setattr(chi_bar, "DIRECTIONS", 500)
    rng = np.random.default_rng(20240711)
    data = pd.DataFrame({"g": np.repeat(np.arange(60), 8), "x": np.tile(np.arange(8.0), 60)})
    p = []
    for _ in range(400):
        data["y"] = rng.normal(size=480)
        p.append(compare(mixedlm("y ~ x + (x | g)", data).fit(reml=False)).iloc[1]["p_value"])
    for level in (0.05, 0.2):
        share, error = float(np.mean(np.array(p) < level)), np.sqrt(level * (1 - level) / 400)
        assert abs(share - level) < 3 * error, level
