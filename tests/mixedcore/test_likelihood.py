"""`loglike`, `score` and `hessian` at any parameters, by dense n × n algebra and by differences.

The dense route is V = W⁻¹ + Σ ZΨZ' with Z from each term's codes and covariates, in the user's units.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixedcore import MixedLM, MixedLMParams, datasets, mixedlm
from mixedcore.errors import MixedCoreError, ModelError
from mixedcore.packed import root_of
from mixedcore.terms import Floats
from tests.mixedcore.parameter_points import CASES, DATA, covariance, model_of, point_of

EXACT = 1e-9
DIFFERENCE = 1e-6  # of central differences against the analytic score
SECOND = 1e-5  # of second differences of the log-likelihood


def dense_loglike(model: MixedLM, params: MixedLMParams, *, reml: bool, profile: bool) -> float:
    V = covariance(model, params)
    kept = [j for j, name in enumerate(model.exog_names) if name != "I(2 * z)"]
    X, inverse = model.exog[:, kept], np.linalg.inv(V)
    y = model.endog - (0 if model.offset is None else model.offset)
    information = X.T @ inverse @ X
    best = np.linalg.solve(information, X.T @ inverse @ y) if len(kept) else np.zeros(0)
    e = y - (X @ best if profile else model.exog @ params.fe_params)
    df = len(y) - len(kept) * reml
    value = np.linalg.slogdet(V)[1] + df * (1 + np.log(2 * np.pi * (e @ inverse @ e) / df))
    return float(-(value + (np.linalg.slogdet(information)[1] if reml and len(kept) else 0)) / 2)


every_case = pytest.mark.parametrize("name", CASES)
both = pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])


@both
@every_case
def test_the_likelihood_is_the_dense_one(name: str, reml: bool) -> None:
    model = model_of(name)
    model.reml = reml
    for seed in range(3):
        params = point_of(name, seed)
        for profile in (True, False):
            expected = dense_loglike(model, params, reml=reml, profile=profile)
            assert model.loglike(params, profile_fe=profile) == pytest.approx(expected, rel=EXACT)


def differences(function: Any, x: Floats) -> Floats:
    steps = 1e-5 * np.maximum(1, np.abs(x)) * np.eye(len(x))
    return np.array([(function(x + h) - function(x - h)) / (2 * h.max()) for h in steps])


def packed(model: MixedLM, params: MixedLMParams, *, use_sqrt: bool) -> Floats:
    """As arrays are packed for a model: the free entries of each term, by rows."""
    parts, first = [], 0
    variances = iter(params.vcomp)
    for term in model.design.terms:
        if term.role == "component":
            value = next(variances)
            parts.append([np.sqrt(value) if use_sqrt else value])
            continue
        own = slice(first, first + len(term.columns))
        first, psi = own.stop, params.cov_re[own, own]
        whole = root_of(psi, term.name) if use_sqrt else psi
        parts.append(np.diag(whole) if term.structure == "diagonal" else whole[np.tril_indices(len(psi))])
    return np.concatenate([np.zeros(0), *parts])


@both
@every_case
@pytest.mark.parametrize("use_sqrt", [True, False], ids=["roots", "covariances"])
def test_the_score_is_the_slope_of_the_likelihood(name: str, reml: bool, use_sqrt: bool) -> None:
    model = model_of(name, use_sqrt)
    model.reml = reml
    params = point_of(name, 5)
    x = packed(model, params, use_sqrt=use_sqrt)
    scale = max(1.0, float(np.abs(model.score(x)).max()))
    assert model.score(x) == pytest.approx(differences(model.loglike, x), abs=DIFFERENCE * scale)
    assert model.score(params) == pytest.approx(model.score(x), rel=1e-8, abs=1e-8 * scale)
    if name == "aliased":
        return  # its fixed effects are counted with and without the aliased column
    whole = np.append(params.fe_params, x)
    found = model.score(whole, profile_fe=False)
    expected = differences(lambda v: model.loglike(v, profile_fe=False), whole)
    assert found / (1 + np.abs(expected)) == pytest.approx(expected / (1 + np.abs(expected)), abs=1e-5)


@pytest.mark.parametrize("signs", [(-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)])
def test_signs_are_right_at_negative_diagonals_of_a_root(signs: tuple[float, float]) -> None:
    """statsmodels takes the Cholesky root anew there, and its score has the wrong sign."""
    model = model_of("slopes")
    x = np.array([signs[0] * 0.8, 0.3, signs[1] * 0.6])
    assert model.score(x) == pytest.approx(differences(model.loglike, x), abs=DIFFERENCE)
    L = np.array([[x[0], 0], [x[1], x[2]]])
    same = MixedLMParams.from_components(None, cov_re_sqrt=L)
    assert model.loglike(x) == pytest.approx(model.loglike(same), rel=1e-12)


@pytest.mark.parametrize("name", ["slopes", "components", "crossed bars"])
def test_variances_of_zero_are_points_like_any_other(name: str) -> None:
    """A variance below 1e-10 is as good as infinite to statsmodels."""
    model, params = model_of(name, False), point_of(name, 3)
    params.cov_re[0] = params.cov_re[:, 0] = 0.0
    params.vcomp[:1] = 0.0
    model.reml = True
    assert model.loglike(params) == pytest.approx(
        dense_loglike(model, params, reml=True, profile=True), rel=EXACT
    )
    tiny = params.copy()
    tiny.cov_re[0, 0] += 1e-7
    slope = (model.loglike(tiny) - model.loglike(params)) / 1e-7
    assert model.score(params)[0] == pytest.approx(slope, rel=1e-3, abs=1e-3)
    assert model.hessian(params)[1]
    nothing = MixedLMParams.from_components(None, 0 * params.cov_re, None, 0 * params.vcomp)
    beta, singular = model.get_fe_params(nothing.cov_re, nothing.vcomp)
    assert beta == pytest.approx(np.linalg.lstsq(model.exog, model.endog)[0], rel=1e-8)
    assert singular


@both
@pytest.mark.parametrize("name", ["slopes", "components", "no fixed effects", "weights and offset"])
def test_the_hessian_is_the_slope_of_the_score_anywhere(name: str, reml: bool) -> None:
    model, params = model_of(name, False), point_of(name, 8)
    model.reml = reml
    whole = np.append(params.fe_params, packed(model, params, use_sqrt=False))
    expected = differences(lambda v: model.score(v, profile_fe=False), whole)
    found, singular = model.hessian(whole)
    size = np.sqrt(np.abs(np.outer(np.diag(expected), np.diag(expected))))
    assert found / size == pytest.approx(expected / size, abs=SECOND)
    assert not singular
    assert model.information(whole) == pytest.approx(-found)


@every_case
def test_the_optimum_has_no_slope_and_its_likelihood(name: str) -> None:
    model = model_of(name)
    for reml in (False, True):
        result = model.fit(reml=reml)
        for params in (result.params_object, result.params):
            assert model.loglike(params) == pytest.approx(result.llf, abs=1e-8)
            assert model.loglike(params, profile_fe=not model.k_fe) == pytest.approx(result.llf, abs=1e-8)
        sizes = packed(model, result.params_object, use_sqrt=True)
        assert np.abs(model.score(result.params_object) * sizes).max() < 1e-5


def test_the_best_fixed_effects_and_scale() -> None:
    model = model_of("weights and offset")
    result = model.fit()
    beta, singular = model.get_fe_params(result.cov_re_unscaled, result.vcomp)
    assert beta == pytest.approx(result.fe_params.to_numpy(), rel=1e-9)
    assert singular == result.singular
    found = model.get_scale(result.fe_params, result.cov_re_unscaled, result.vcomp)
    assert found == pytest.approx(result.scale, rel=1e-9)


def test_a_year_costs_no_digits() -> None:
    """The covariate's mean is 700 standard deviations from zero."""
    data = DATA.assign(year=DATA["x"] + 2017)
    model = mixedlm("y ~ year", data, groups="g", re_formula="year")
    psi = np.array([[0.5, 0.1], [0.1, 0.2]])
    params = MixedLMParams.from_components([-400.0, 0.2], psi)
    expected = dense_loglike(model, params, reml=True, profile=False)
    assert model.loglike(params, profile_fe=False) == pytest.approx(expected, rel=1e-7)
    to_x = np.array([[1.0, 2017.0], [0.0, 1.0]])
    moved = MixedLMParams.from_components([-400 + 0.2 * 2017, 0.2], to_x @ psi @ to_x.T)
    shifted = mixedlm("y ~ x", data, groups="g", re_formula="x")
    assert shifted.loglike(moved) == pytest.approx(model.loglike(params), rel=1e-9)


def test_coefficients_of_aliased_columns_count_where_they_are_given() -> None:
    model = model_of("aliased")
    cov = np.diag([0.5, 0.2])
    whole = MixedLMParams.from_components([1.0, 0.5, 0.25, 0.1], cov)
    kept = MixedLMParams.from_components([1.0, 1.0, 0.1], cov)
    assert model.loglike(whole, profile_fe=False) == pytest.approx(
        model.loglike(kept, profile_fe=False), rel=1e-9
    )


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (np.ones(7), "There are 7 parameters; give 3 fixed effects and 3 covariance"),
        (np.array([1.0, np.nan, 1.0]), "finite"),
        (MixedLMParams.from_components([1.0], np.eye(2)), "fe_params has the size 1"),
        (MixedLMParams.from_components(None, np.eye(3)), "cov_re has the size"),
        (MixedLMParams.from_components(None, np.eye(2), None, [1.0]), "vcomp has the size 1"),
        (MixedLMParams.from_components(None, [[1.0, 9.0], [9.0, 1.0]]), "no value at these parameters"),
    ],
)
def test_what_does_not_fit_the_model_is_explained(params: Any, sentence: str) -> None:
    with pytest.raises(MixedCoreError, match=sentence):
        model_of("slopes").loglike(params)


def test_fixed_effects_must_be_given_to_be_used() -> None:
    with pytest.raises(ModelError, match="must hold the fixed effects"):
        model_of("slopes").score([1.0, 0.0, 1.0], profile_fe=False)
    correlated = MixedLMParams.from_components(None, np.full((2, 2), 0.5) + np.eye(2))
    with pytest.raises(ModelError, match="independent in this model"):
        model_of("uncorrelated bars").loglike(correlated)


def test_streamed_rows_have_a_likelihood_too(tmp_path: Any) -> None:
    sleep = datasets.load("sleepstudy")
    call = {"formula": "Reaction ~ Days", "groups": "Subject", "re_formula": "Days"}
    kept = mixedlm(data=sleep, **call)
    chunks = [sleep.iloc[:70], sleep.iloc[70:]]
    streamed = mixedlm(data=lambda: iter(chunks), **call)
    params = MixedLMParams.from_components([250.0, 10.0], [[1.0, 0.1], [0.1, 0.05]])
    for ask in ("loglike", "score"):
        assert getattr(streamed, ask)(params) == pytest.approx(getattr(kept, ask)(params), rel=1e-8)
    assert streamed.data.xnames == kept.data.xnames
    for ask_rows in (lambda m: m.exog_vc, lambda m: m.endog_li, lambda m: m.get_distribution(params, 1.0)):
        with pytest.raises(MixedCoreError, match="not kept"):
            ask_rows(streamed)
