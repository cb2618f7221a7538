"""`fit(fe_pen=…, cov_pen=…)` and `fit_regularized`: penalised likelihoods at their optimum.

Second routes: BFGS on `loglike` and `score` over all parameters; the conditions of Karush, Kuhn and Tucker.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from mixedcore import MixedLM, MixedLMParams, datasets, mixedlm
from mixedcore.errors import ModelError
from mixedcore.terms import Floats
from tests.mixedcore.parameter_points import CASES, model_of

NO_BETTER = 1e-8  # what another search may gain on the penalised log-likelihood


class Ridge:
    """alpha Σ β², as statsmodels' L2."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def func(self, params: Floats) -> Any:
        return self.alpha * np.sum(params**2)

    def deriv(self, params: Floats) -> Floats:
        return 2 * self.alpha * params


class Smooth(Ridge):
    """Pseudo-Huber: quadratic near zero, linear beyond."""

    def func(self, params: Floats) -> Any:
        return self.alpha * np.sum(0.09 * (np.sqrt(1 + (params / 0.3) ** 2) - 1))

    def deriv(self, params: Floats) -> Floats:
        return self.alpha * params / np.sqrt(1 + (params / 0.3) ** 2)


class Barrier:
    """−w log|Ψ|, as statsmodels' PSD: infinite at the boundary."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def func(self, mat: Floats, mat_inv: Floats) -> float:
        sign, logdet = np.linalg.slogdet(mat)
        return -self.weight * logdet if sign > 0 else np.inf

    def deriv(self, mat: Floats, mat_inv: Floats) -> Floats:
        slope = -self.weight * (2 * mat_inv - np.diag(np.diag(mat_inv)))
        return slope[np.tril_indices(len(mat))]


def simulated(seed: int, q: int) -> MixedLM:
    """Four fixed effects; for seed 0 no random effect at all."""
    rng = np.random.default_rng(seed)
    groups, n = np.repeat(np.arange(15), 8), 120
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    Z = np.column_stack([np.ones(n), rng.normal(size=(n, q - 1))])
    L = np.tril(rng.normal(size=(q, q))) * (seed > 0)
    effects = rng.normal(size=(15, q)) @ L.T
    y = X @ [1, 2, 0.3, 0] + (Z * effects[groups]).sum(axis=1) + rng.normal(size=n)
    return MixedLM(y, X, groups, Z)


PENALTIES = {
    "ridge": (Ridge(3.0), None),
    "smooth": (Smooth(3.0), None),
    "barrier": (None, Barrier(2.0)),
    "both": (Ridge(2.0), Barrier(0.5)),
}


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("q", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_the_penalised_likelihood_is_at_its_best(seed: int, q: int, name: str, reml: bool) -> None:
    fe_pen, cov_pen = PENALTIES[name]
    m = simulated(seed, q)
    result = m.fit(reml=reml, fe_pen=fe_pen, cov_pen=cov_pen)
    assert result.converged
    x = result.params_object.get_packed(use_sqrt=True, has_fe=True)

    def loss(v: Floats) -> float:
        return -m.loglike(v, profile_fe=False)

    def slope(v: Floats) -> Floats:
        return -m.score(v, profile_fe=False)

    start = x + 0.1 * np.random.default_rng(seed).normal(size=x.size)
    other = minimize(loss, start, jac=slope, method="BFGS", options={"gtol": 1e-8})
    assert loss(x) <= other.fun + NO_BETTER
    assert np.abs(slope(x)).max() < 1e-3
    assert result.optimisation.criterion == pytest.approx(2 * loss(x), abs=1e-8)


def test_the_log_likelihood_of_a_result_has_no_penalty_in_it() -> None:
    m = simulated(1, 2)
    found = m.fit(fe_pen=Ridge(5.0), cov_pen=Barrier(1.0))
    params = found.params_object
    with_penalty = m.loglike(params, profile_fe=False)
    plain = m.fit()
    assert m.loglike(params, profile_fe=False) == pytest.approx(found.llf, abs=1e-9)
    assert with_penalty < found.llf < plain.llf
    assert np.abs(found.fe_params).sum() < np.abs(plain.fe_params).sum()


def test_the_ridge_has_its_closed_form() -> None:
    """At the covariances of the fit β = (X'V⁻¹X/σ² + 2αI)⁻¹ X'V⁻¹y/σ², σ² being at its best for β (ML)."""
    m = simulated(2, 1)
    found = m.fit(reml=False, fe_pen=Ridge(7.0))
    psi = found.params_object.cov_re[0, 0]
    same = np.asarray(m.groups)[:, None] == np.asarray(m.groups)
    inverse = np.linalg.inv(np.eye(m.nobs) + psi * same)
    G = m.exog.T @ inverse @ m.exog / found.scale
    beta = np.linalg.solve(G + 14 * np.eye(4), m.exog.T @ inverse @ m.endog / found.scale)
    assert found.fe_params == pytest.approx(beta, rel=1e-7)
    e = m.endog - m.exog @ beta
    assert found.scale == pytest.approx(e @ inverse @ e / m.nobs, rel=1e-8)


def test_a_penalty_of_nothing_changes_nothing() -> None:
    m = simulated(1, 2)
    found, plain = m.fit(fe_pen=Ridge(0.0), cov_pen=Barrier(0.0)), simulated(1, 2).fit()
    assert found.params == pytest.approx(plain.params, rel=1e-6)
    assert found.bse == pytest.approx(plain.bse, rel=1e-5)


def test_penalties_go_with_components_bars_and_held_parameters() -> None:
    data = datasets.load("classrooms")
    parts = {"classroom": "0 + C(classroom)"}
    m = mixedlm("test_score ~ age + pretest", data, "pretest", parts, groups="school")
    found = m.fit(cov_pen=Barrier(1.0), fe_pen=Ridge(0.01))
    assert found.converged
    assert np.abs(m.score(found.params_object, profile_fe=False)).max() < 1e-3
    bars = mixedlm("test_score ~ age + pretest + (pretest || school) + (1 | classroom)", data)
    assert bars.fit(cov_pen=Barrier(1.0)).converged
    assert np.abs(bars.score(bars.fit(cov_pen=Barrier(1.0)).params_object)).max() < 1e-3
    mask = MixedLMParams.from_components([1, 0, 1], np.eye(2), None, [1])
    both = m.fit(free=mask, fe_pen=Ridge(0.01))
    assert both.fe_params["age"] == 0
    assert both.cov_re.iloc[0, 1] == 0
    assert abs(both.fe_params["pretest"]) > 0
    only = mixedlm("test_score ~ 1", data, vc_formula=parts, groups="school")
    assert only.fit(cov_pen=Barrier(1.0)).llf == pytest.approx(only.fit().llf, abs=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_model_can_be_penalised(name: str) -> None:
    m = model_of(name)
    found = m.fit(fe_pen=Ridge(2.0), cov_pen=Barrier(0.5))
    assert found.converged
    slope = m.score(found.params_object, profile_fe=not m.k_fe)
    if name == "aliased":  # the penalty has no part in the column that is left out
        assert found.fe_params.size == m.k_fe - 1
    assert np.abs(slope[: found.fe_params.size + m.k_re2]).max() < 2e-3
    none = m.fit_regularized(alpha=1e9)
    assert (np.asarray(none.fe_params) == 0).all()
    assert np.isfinite(np.asarray(none.resid)).all()


def test_streamed_rows_can_be_penalised() -> None:
    sleep = datasets.load("sleepstudy")
    call: dict[str, Any] = {"formula": "Reaction ~ Days", "groups": "Subject", "re_formula": "Days"}
    chunks = [sleep.iloc[:70], sleep.iloc[70:]]
    streamed, kept = mixedlm(data=lambda: iter(chunks), **call), mixedlm(data=sleep, **call)
    for ask in (
        lambda m: m.fit(fe_pen=Ridge(0.01), cov_pen=Barrier(1.0)),
        lambda m: m.fit_regularized(alpha=2.0),
    ):
        assert ask(streamed).params.to_numpy() == pytest.approx(ask(kept).params.to_numpy(), rel=1e-5)


@pytest.mark.parametrize("name", ["fe_pen", "cov_pen"])
def test_what_is_no_penalty_is_explained(name: str) -> None:
    with pytest.raises(ModelError, match=f"{name} must be a penalty with the methods func and deriv"):
        simulated(1, 1).fit(**{name: object()})


# -- fit_regularized ---------------------------------------------------------------------------------------


def subgradient(m: MixedLM, beta: Floats, cov_re: Floats, scale: float) -> Floats:
    """∂/∂β of (y − Xβ)'V⁻¹(y − Xβ), dense, in the user's units."""
    Z, codes = m.exog_re, m.group_codes
    V = scale * np.eye(m.nobs)
    if Z is not None:
        V += (codes[:, None] == codes) * (Z @ cov_re @ Z.T)
    return np.asarray(-2 * m.exog.T @ np.linalg.solve(V, m.endog - m.exog @ beta))


@pytest.mark.parametrize("alpha", [0.5, 5.0, 40.0, np.array([0.0, 10.0, 80.0, 5.0]), 1e6])
@pytest.mark.parametrize("q", [1, 2])
def test_the_lasso_meets_its_conditions(q: int, alpha: Any) -> None:
    m = simulated(1, q)
    plain, found = m.fit(), m.fit_regularized(alpha=alpha)
    weights = np.broadcast_to(np.asarray(alpha, dtype=float), 4)
    slope = subgradient(m, found.fe_params, plain.cov_re, plain.scale)
    on = found.fe_params != 0
    size = max(1.0, float(np.abs(slope).max()))
    assert slope[on] == pytest.approx(-weights[on] * np.sign(found.fe_params[on]), abs=1e-8 * size)
    assert (np.abs(slope[~on]) <= weights[~on] * (1 + 1e-9)).all()
    assert found.cov_re == pytest.approx(plain.cov_re, rel=1e-12)
    assert found.scale == pytest.approx(plain.scale, rel=1e-12)
    assert found.converged


def test_coefficients_at_zero_have_no_standard_error() -> None:
    m = simulated(1, 1)
    found = m.fit_regularized(alpha=60.0)
    zero = found.fe_params == 0
    assert zero.any()
    assert not zero.all()
    assert np.isnan(found.bse_fe[zero]).all()
    assert (found.bse_fe[~zero] > 0).all()
    smaller = MixedLM(m.endog, m.exog[:, ~zero], m.groups, m.exog_re)
    point = smaller.fit(m.fit().params_object.get_packed(use_sqrt=True), do_cg=False)
    expected = point.bse_fe * np.sqrt(found.scale / point.scale)
    assert found.bse_fe[~zero] == pytest.approx(expected, rel=1e-6)
    assert len(found.summary().tables[1]) == 5
    assert np.isnan(found.pvalues[:4][zero]).all()


def test_a_large_weight_leaves_what_is_not_penalised() -> None:
    m = simulated(1, 1)
    found = m.fit_regularized(alpha=[0, 1e9, 1e9, 1e9])
    assert found.fe_params[1:].tolist() == [0, 0, 0]
    assert found.fe_params[0] != 0
    assert np.asarray(found.resid).size == m.nobs
    tiny = m.fit_regularized(alpha=1e-3, ceps=100.0)
    assert tiny.fe_params.tolist() == [0.0] * 4


def test_a_penalty_object_shrinks_smoothly_and_stays_as_it_was() -> None:
    m, penalty = simulated(1, 1), Ridge(1.0)
    found = m.fit_regularized(method=penalty, alpha=4.0, reml=False)
    assert penalty.alpha == 1.0
    assert found.fe_params == pytest.approx(m.fit(reml=False, fe_pen=Ridge(4.0)).fe_params, rel=1e-9)


def test_too_few_passes_are_said() -> None:
    data = datasets.load("sleepstudy").assign(
        second=lambda d: d["Days"] + np.random.default_rng(0).normal(0, 0.1, len(d))
    )
    m = mixedlm("Reaction ~ Days + second", data, groups="Subject")
    found = m.fit_regularized(alpha=5.0, maxit=1)
    assert not found.converged
    assert "passes" in found.optimisation.message
    assert m.fit_regularized(alpha=5.0, maxit=5000).converged


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "l2"}, "no known penalty"),
        ({"alpha": -1.0}, "alpha must be"),
        ({"alpha": [1.0, 2.0]}, "one for each of the 4 columns"),
        ({"method": object()}, "method must be a penalty"),
    ],
)
def test_what_cannot_be_asked_is_explained(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        simulated(1, 1).fit_regularized(**arguments)
