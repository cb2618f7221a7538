"""`get_distribution`: means and variances by dense algebra, draws by their moments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixedcore import MixedLMParams, mixedlm
from mixedcore.errors import ModelError
from tests.mixedcore.parameter_points import CASES, DATA, covariance, model_of, point_of

DRAWS = 5000
CERTAIN = 4.5  # standard errors that the mean of a row is off by once in 150,000


@pytest.mark.parametrize("name", CASES)
def test_mean_and_variance_are_the_dense_ones(name: str) -> None:
    model, params = model_of(name), point_of(name)
    found = model.get_distribution(params, 2.5)
    offset = 0 if model.offset is None else model.offset
    assert found.mean() == pytest.approx(model.exog @ params.fe_params + offset, rel=1e-12, abs=1e-12)
    assert found.var() == pytest.approx(2.5 * np.diag(covariance(model, params)), rel=1e-10)
    assert found.cov_re == pytest.approx(2.5 * params.cov_re)
    assert found.vcomp == pytest.approx(2.5 * params.vcomp)
    assert found.fe_params == pytest.approx(params.fe_params)


@pytest.mark.parametrize("name", ["components alone", "components", "crossed bars", "weights and offset"])
def test_draws_have_that_mean_and_covariance(name: str) -> None:
    """statsmodels draws none where there are components only."""
    model, params = model_of(name), point_of(name)
    found = model.get_distribution(params, 0.5)
    rng = np.random.default_rng(3)
    y = np.array([found.rvs(1, rng) for _ in range(DRAWS)]) - found.mean()
    V = 0.5 * covariance(model, params)
    sd = np.sqrt(np.diag(V))
    assert np.abs(y.mean(axis=0) / sd).max() < CERTAIN / np.sqrt(DRAWS)
    cov = y.T @ y / DRAWS
    error = np.sqrt((V**2 + np.outer(np.diag(V), np.diag(V))) / DRAWS)  # of Wishart entries
    assert np.abs((cov - V) / error).max() < 5.5  # the largest of 8,100 entries


def test_a_seed_repeats_and_singular_covariances_draw() -> None:
    model = model_of("slopes")
    params = MixedLMParams.from_components(np.ones(3), [[1.0, 2.0], [2.0, 4.0]])
    found = model.get_distribution(params, 1.0)
    assert (found.rvs(1, 9) == found.rvs(1, rng=9)).all()
    assert (found.rvs(1, random_state=9) == found.rvs(1, rng=np.random.default_rng(9))).all()
    assert not (found.rvs() == found.rvs()).all()
    assert np.isfinite(found.rvs(1, np.random.default_rng(0))).all()
    nothing = model.get_distribution(np.zeros(6), 0.0)
    assert (nothing.rvs(1, 1) == 0).all()


def test_estimates_and_other_fixed_effects_go_in() -> None:
    model = model_of("components")
    result = model.fit()
    found = model.get_distribution(result.params, result.scale, None)
    assert found.mean() == pytest.approx(result.predict().to_numpy())
    other = model.get_distribution(result.params.to_numpy(), result.scale, model.exog[::-1])
    assert other.mean() == pytest.approx(found.mean()[::-1])
    assert found.vcomp == pytest.approx(result.vcomp)


@pytest.mark.parametrize(
    ("params", "scale", "exog", "sentence"),
    [
        (np.ones(3), 1.0, None, "must hold the fixed effects"),
        (np.array([1.0, 1, 1, 1, 2, 1]), 1.0, None, "not a covariance"),
        (np.ones(6), -1.0, None, "scale is a variance"),
        (np.ones(6), 1.0, np.ones((4, 3)), "exog has 4 rows and the model has 90"),
        (np.ones(6), 1.0, np.ones((90, 2)), "exog has 2 columns"),
    ],
)
def test_what_is_no_distribution_is_explained(params: Any, scale: float, exog: Any, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        model_of("slopes").get_distribution(params, scale, exog)


def test_rows_by_group_and_matrices_of_components() -> None:
    model = mixedlm(data=DATA.sample(frac=1, random_state=1), **CASES["components"])
    shuffled = model.group_list(np.asarray(model.groups))
    assert shuffled is not None
    assert [set(own) for own in shuffled] == [{label} for label in model.group_labels]
    assert sum(len(own) for own in model.row_indices.values()) == model.nobs
    spec = model.exog_vc
    assert spec.names == model.data.vcomp_names == ["c", "two"]
    assert spec.colnames[0][0] == ["C(c)[a]", "C(c)[b]"]
    assert spec.colnames[1][3] == ["z", "x"]
    for k, (own, Z) in enumerate(zip(model.row_indices.values(), spec.mats[1], strict=True)):
        rows = DATA.loc[model.row_index[own]]
        assert pytest.approx(rows[["z", "x"]].to_numpy()) == Z
        assert spec.mats[0][k].sum(axis=1).tolist() == [1.0] * len(own)
        assert model.endog_li[k] == pytest.approx(rows["y"].to_numpy())
    plain = model_of("intercepts").exog_vc
    assert (plain.names, plain.colnames, plain.mats) == ([], [], [])
    assert model_of("components alone").exog_re_li is None
    assert model_of("components alone").exog_re2_li is None
    assert model.data.param_names == list(model.fit().params.index)
