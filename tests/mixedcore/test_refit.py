"""The same model on another outcome, against a fit of the whole model anew and against lme4.

Reference: lme4's fits of outcomes that it drew itself, tests/reference/simulations.json by simulations.R.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLM, MixedLMResults, datasets, mixedlm
from mixedcore.errors import DataError, MixedCoreError, ModelError
from mixedcore.terms import Floats
from tests.mixedcore.models_of_all_kinds import DATA, MODELS, OTHER, RNG, SCHOOL, N, X

models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
# Both searches start alike and stop where the criterion still falls by 1e-12 at most; their cross-products
# are summed in different ways, so estimates may differ by the root of that, and more so θ, whose curvature
# is small with a predictor far from zero.
CRITERION_TOL = 1e-9
ESTIMATE_TOL = 1e-5
THETA_TOL = 1e-4
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "simulations.json").read_text("utf-8"))


def same(found: MixedLMResults, expected: MixedLMResults) -> None:
    assert found.criterion == pytest.approx(expected.criterion, rel=CRITERION_TOL)
    for name in ("fe_params", "bse_fe", "resid", "fittedvalues"):
        one, two = getattr(found, name), getattr(expected, name)
        size = float(np.abs(two).max(initial=0.0) if isinstance(two, np.ndarray) else two.abs().max())
        assert type(one) is type(two)
        np.testing.assert_allclose(one, two, rtol=ESTIMATE_TOL, atol=ESTIMATE_TOL * size)
    size = expected.sigma
    np.testing.assert_allclose(found.sigma, size, rtol=ESTIMATE_TOL)
    np.testing.assert_allclose(found.theta, expected.theta, rtol=THETA_TOL, atol=THETA_TOL)


@models
@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
def test_a_refit_is_the_fit_of_a_new_model(model: dict[str, Any], reml: bool) -> None:
    result = mixedlm(data=DATA, **model).fit(reml=reml)
    before = result.criterion, result.model.endog.copy()
    found = result.refit(OTHER)
    same(found, mixedlm(data=DATA.assign(y=OTHER), **model).fit(reml=reml))
    assert type(found) is MixedLMResults
    assert found.reml is reml
    assert found.aliased == result.aliased
    assert result.criterion == before[0]  # a result is a value
    np.testing.assert_array_equal(result.model.endog, before[1])


@models
def test_tables_and_moments_are_those_of_the_new_outcome(model: dict[str, Any]) -> None:
    """augment shows the new outcome, and the model of the refit can be fitted again, by ML."""
    found = mixedlm(data=DATA, **model).fit().refit(OTHER)
    fresh = mixedlm(data=DATA.assign(y=OTHER), **model)
    expected = fresh.fit()
    pd.testing.assert_frame_equal(found.augment(), expected.augment(), rtol=1e-6, atol=1e-4)
    pd.testing.assert_frame_equal(found.glance(), expected.glance(), rtol=1e-4, atol=1e-8)
    same(found.model.fit(reml=False), fresh.fit(reml=False))
    one, two = (r._estimate.evaluation.cp.units.moments for r in (found, expected))
    for name in ("mean", "M2", "low", "high", "nonzero", "origin"):
        scale = np.abs(getattr(two, name)).max()
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-9, atol=1e-12 * scale)


def test_the_same_outcome_gives_the_same_fit() -> None:
    result = mixedlm(data=DATA, **MODELS["weights and offset"]).fit()
    same(result.refit(DATA["y"]), result)


def test_arrays() -> None:
    exog = np.column_stack([np.ones(N), X])
    result = MixedLM(DATA["y"].to_numpy(), exog, SCHOOL, exog_re=exog).fit()
    same(result.refit(OTHER), MixedLM(OTHER, exog, SCHOOL, exog_re=exog).fit())


def test_an_outcome_that_is_an_expression() -> None:
    data = DATA.assign(y=np.exp(DATA["y"] / 10))
    result = mixedlm("np.log(y) ~ x + (1 | school)", data).fit()
    found = result.refit(OTHER)
    same(found, mixedlm("y ~ x + (1 | school)", DATA.assign(y=OTHER)).fit())
    assert found.model.endog_names == "np.log(y)"


def test_an_outcome_explained_to_many_digits_keeps_them() -> None:
    """The residual is 1e-3 of the random part: cross-products alone would lose six of its digits."""
    exact = 100 * RNG.normal(size=8)[SCHOOL] + 0.1 * RNG.normal(size=N)
    result = mixedlm("y ~ x + (1 | school)", DATA).fit()
    same(result.refit(exact), mixedlm("y ~ x + (1 | school)", DATA.assign(y=exact)).fit())


def test_a_series_is_paired_by_its_index() -> None:
    result = mixedlm("y ~ x + (1 | school)", DATA).fit()
    series = pd.Series(OTHER, index=DATA.index)
    same(result.refit(series.iloc[::-1]), result.refit(OTHER))
    with pytest.raises(DataError, match="index of y"):
        result.refit(pd.Series(OTHER))


def test_rows_that_were_dropped_stay_out() -> None:
    gaps = DATA.assign(x=DATA["x"].where(np.arange(N) % 10 > 0))
    result = mixedlm("y ~ x + (1 | school)", gaps, missing="drop").fit()
    kept = gaps["x"].notna().to_numpy()
    found = result.refit(pd.Series(OTHER, index=DATA.index)[kept])
    same(found, mixedlm("y ~ x + (1 | school)", gaps.assign(y=OTHER), missing="drop").fit())
    with pytest.raises(DataError, match="108 rows in use"):
        result.refit(OTHER)


@pytest.mark.parametrize(
    "y, message",
    [
        (np.zeros(N), "nothing to explain"),
        (np.where(np.arange(N) == 3, np.nan, OTHER), "missing or infinite in 1 of 120"),
        (np.ones((N, 2)), r"shape \(120, 2\)"),
        (["a"] * N, "not numeric"),
        (X * 3 + 1, "reproduce the outcome exactly"),
    ],
)
def test_what_is_no_outcome_is_refused(y: Any, message: str) -> None:
    with pytest.raises(MixedCoreError, match=message):
        mixedlm("y ~ x + (1 | school)", DATA).fit().refit(y)


def test_rows_that_were_not_kept_are_needed() -> None:
    result = mixedlm("y ~ x + (1 | school)", [DATA.iloc[:60], DATA.iloc[60:]]).fit()
    for asked in (lambda: result.refit(OTHER), lambda: result.simulate(1), lambda: result.bootstrap(2)):
        with pytest.raises(DataError, match="not kept"):
            asked()


def test_one_column_of_a_table_will_do() -> None:
    result = mixedlm("y ~ x + (1 | school)", DATA).fit()
    same(result.refit(OTHER[:, None]), result.refit(OTHER))
    with pytest.raises(ModelError, match="9 parameters"):
        result.refit(OTHER).model.fit(start_params=[1.0] * 9)


def psi_of(theta: list[float], formula: str, q: int) -> Floats:
    L = np.zeros((q, q))
    if "||" in formula:
        return np.diag(np.square(theta))
    cols, rows = np.triu_indices(q)
    L[rows, cols] = theta
    return L @ L.T


@pytest.mark.parametrize(
    "case",
    REFERENCE["refits"],
    ids=lambda c: f"{c['data']}-{c['formula'][-16:]}-{'REML' if c['REML'] else 'ML'}",
)
def test_refits_are_those_of_lme4(case: dict[str, Any]) -> None:
    """lme4's criterion is good to 1e-9, its θ to 1e-7. R and patsy order columns differently."""
    result = mixedlm(case["formula"], datasets.load(case["data"])).fit(reml=case["REML"])
    for fit in case["fits"]:
        found = result.refit(np.array(fit["y"]))
        assert found.criterion == pytest.approx(fit["objective"], abs=2e-8, rel=1e-11)
        assert found.sigma == pytest.approx(fit["sigma"], rel=1e-6)
        np.testing.assert_allclose(np.sort(found.fe_params), np.sort(fit["beta"]), rtol=1e-6)
        assert found.singular is fit["singular"]
        psi = sorted(found._user.psi(t)[i, i] for t, term in enumerate(found._estimate.terms)
                     for i in range(len(term.columns)))  # fmt: skip
        q = 2 if len(fit["theta"]) == 3 else len(fit["theta"])
        expected = psi_of(fit["theta"], case["formula"] if len(fit["theta"]) == 3 else "||", q)
        np.testing.assert_allclose(psi, np.sort(np.diag(expected)), rtol=2e-5, atol=1e-9)
