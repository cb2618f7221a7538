"""Draws from a fit: their mean and covariance are the model's, and one seed gives one set of draws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.errors import ModelError
from mixedcore.terms import Floats
from tests.mixedcore.dense_algebra import indicator

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "simulations.json").read_text("utf-8"))
RNG = np.random.default_rng(20240616)
N = 40
SCHOOL, ROOM, TEACHER = np.arange(N) % 5, RNG.integers(0, 3, N), RNG.integers(0, 4, N)
X = RNG.normal(size=N) + 20
DATA = pd.DataFrame(
    {
        "y": X + (2 * RNG.normal(size=5))[SCHOOL] + 2 * RNG.normal(size=4)[TEACHER] + RNG.normal(size=N),
        "x": X,
        "school": SCHOOL,
        "room": ROOM,
        "teacher": TEACHER,
        "w": RNG.gamma(2.0, size=N) + 0.1,
        "z": 100 * RNG.normal(size=N),
    },
    index=[f"row{i}" for i in range(N)],
)
MODELS: dict[str, dict[str, Any]] = {
    "slope": {"formula": "y ~ x + (x | school)"},
    "crossed": {"formula": "y ~ x + (1 | school) + (1 | teacher)"},
    "components": {
        "formula": "y ~ x",
        "groups": "school",
        "vc_formula": {"room": "0 + C(room)", "s": "0 + x"},
    },
    "weights and offset": {"formula": "y ~ 0 + (x || school)", "weights": "w", "offset": "z"},
}
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
DRAWS = 20_000
SURE = 5.0  # standard errors of a Monte Carlo mean that no correct program passes but once in a million


def marginal_covariance(result: MixedLMResults, *, residual_only: bool = False) -> Floats:
    """σ²(ZΨZ' + W⁻¹) by dense algebra, (n, n)."""
    V = np.diag(np.ones(N) if result.model.weights is None else 1 / result.model.weights)
    for t, term in enumerate(result._estimate.terms):
        for block in term.blocks if not residual_only else ():
            psi = result._user.psi(t)
            psi = psi * np.eye(block.width) if len(psi) == 1 else psi
            Z = indicator(block)
            V = V + Z @ np.kron(np.eye(block.n_levels), psi) @ Z.T
    return result.scale * V


def check_moments(draws: Floats, mean: Floats, V: Floats) -> None:
    """Mean and covariance of draws (n, R) within Monte Carlo error of N(mean, V)."""
    R, sd = draws.shape[1], np.sqrt(np.diag(V))
    assert (np.abs(draws.mean(axis=1) - mean) < SURE * sd / np.sqrt(R)).all()
    error = np.sqrt((V**2 + np.outer(sd**2, sd**2)) / R)  # of a normal sample covariance
    assert (np.abs(np.cov(draws) - V) < SURE * error).all()


@models
def test_new_draws_have_the_marginal_mean_and_covariance(model: dict[str, Any]) -> None:
    result = mixedlm(data=DATA, eval_env=-1, **model).fit()
    draws = result.simulate(DRAWS, seed=1)
    assert draws.shape == (N, DRAWS)
    assert draws.index.equals(DATA.index)
    check_moments(draws.to_numpy(), result.predict().to_numpy(), marginal_covariance(result))


@models
def test_draws_at_the_fitted_effects_vary_by_the_residual_alone(model: dict[str, Any]) -> None:
    result = mixedlm(data=DATA, eval_env=-1, **model).fit()
    draws = result.simulate(DRAWS, seed=2, random="fitted").to_numpy()
    check_moments(draws, result.fittedvalues.to_numpy(), marginal_covariance(result, residual_only=True))


def test_draws_are_normal() -> None:
    """Kurtosis of 40 × 20,000 standardised, uncorrelated numbers; its standard error is √(24/n)."""
    result = mixedlm(data=DATA, **MODELS["slope"]).fit()
    draws = result.simulate(DRAWS, seed=3, random="fitted").to_numpy()
    z = (draws - result.fittedvalues.to_numpy()[:, None]) / result.sigma
    assert abs(float((z**4).mean()) - 3) < SURE * np.sqrt(24 / z.size)
    assert abs(float((z**3).mean())) < SURE * np.sqrt(6 / z.size)


@pytest.mark.parametrize("random, use_u", [("new", "new"), ("fitted", "fitted")])
def test_row_sums_are_distributed_as_lme4_draws_them(random: Any, use_u: str) -> None:
    """Sums over the ten rows of the first four subjects, 4,000 draws of R and as many of ours."""
    result = mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load("sleepstudy")).fit()
    draws = result.simulate(4000, seed=4, random=random).to_numpy()
    sums = draws[:40].reshape(4, 10, -1).sum(axis=1)
    theirs = {name: np.array(values) for name, values in REFERENCE["draws"][use_u].items()}
    error = theirs["sd"] * np.sqrt(2 / 4000)
    assert (np.abs(sums.mean(axis=1) - theirs["mean"]) < SURE * error).all()
    assert (np.abs(sums.std(axis=1) - theirs["sd"]) < SURE * error / np.sqrt(2)).all()


def test_a_draw_depends_on_the_seed_and_its_number_alone() -> None:
    result = mixedlm(data=DATA, **MODELS["crossed"]).fit()
    five, two = result.simulate(5, seed=7), result.simulate(2, seed=7)
    pd.testing.assert_frame_equal(five[[0, 1]], two, rtol=1e-13)
    assert not np.allclose(five[0], five[1])
    assert not np.allclose(five[0], result.simulate(1, seed=8)[0])
    assert not np.allclose(result.simulate(1)[0], result.simulate(1)[0])
    root = np.random.SeedSequence(7)
    pd.testing.assert_frame_equal(result.simulate(2, seed=root), two)
    pd.testing.assert_frame_equal(result.simulate(2, seed=root), two)  # the root itself stays as it was


def test_draws_of_a_singular_fit() -> None:
    result = mixedlm("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff2")).fit()
    assert result.singular
    draws = result.simulate(2000, seed=1).to_numpy()
    assert abs(np.corrcoef(draws[:2])[0, 1]) < SURE / np.sqrt(2000)  # two rows of one batch


@pytest.mark.parametrize(
    "how, message",
    [
        ({"n": 0}, "n=0"),
        ({"n": 2.5}, "n=2.5"),
        ({"n": True}, "n=True"),
        ({"n": 1, "seed": -1}, "seed=-1"),
        ({"n": 1, "seed": "a"}, "seed='a'"),
        ({"n": 1, "random": "old"}, "random='old'"),
    ],
)
def test_what_is_no_number_of_draws_or_seed_is_refused(how: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        mixedlm(data=DATA, **MODELS["slope"]).fit().simulate(**how)
