"""What a fit says: its quantities are defined, consistent with each other, and whole on the boundary too."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import FormulaError, MixedLMResults, datasets, mixedlm
from mixedcore.errors import DataError, ModelError

SCORE = "test_score ~ age + pretest"
CLASSES = {"classroom": "0 + C(classroom)"}
DATA = datasets.load("classrooms")
ROUNDING = 1e-9


@cache
def fitted(reml: bool = True) -> MixedLMResults:
    return mixedlm(SCORE, DATA, "1 + pretest", CLASSES, groups="school").fit(reml=reml)


@cache
def singular(kind: str) -> MixedLMResults:
    if kind == "zero":
        return mixedlm("Yield ~ 1", datasets.load("Dyestuff2"), groups="Batch").fit()
    if kind == "correlation":
        early = datasets.load("Early").eval("tosx = age - 0.5")
        return mixedlm("cog ~ tosx + trt:tosx", early, "tosx", groups="id").fit()
    parts = {**CLASSES, "a": "0 + C(classroom):pretest"}
    return mixedlm(SCORE, DATA, "1 + pretest", parts, groups="school").fit()


BOUNDARY = ["zero", "correlation", "component"]


# -- estimates and their uncertainty -----------------------------------------------------------------------


def test_params_are_in_units_of_scale_and_the_rest_in_those_of_the_data() -> None:
    r = fitted()
    ratios = r.params.iloc[3:].to_numpy() * r.scale
    cov = r.cov_re.to_numpy()
    assert ratios == pytest.approx([cov[0, 0], cov[1, 0], cov[1, 1], r.vcomp[0]])
    assert (r.cov_re_unscaled * r.scale).equals(r.cov_re)
    assert (r.params.iloc[:3] == r.fe_params).all()
    assert r.sigma**2 == pytest.approx(r.scale)


def test_theta_is_the_factor_of_the_covariance_over_scale() -> None:
    r = fitted()
    L = np.array([[r.theta[0], 0], [r.theta[1], r.theta[2]]])
    assert L @ L.T * r.scale == pytest.approx(r.cov_re.to_numpy())
    assert r.theta[3] ** 2 * r.scale == pytest.approx(r.vcomp[0])


@pytest.mark.parametrize("reml", [True, False])
def test_information_criteria_count_all_parameters(reml: bool) -> None:
    """3 fixed effects, 4 covariance parameters and σ, as lme4 counts."""
    r = fitted(reml)
    assert r.llf == pytest.approx(-r.criterion / 2)
    assert r.aic == pytest.approx(-2 * r.llf + 2 * 8)
    assert r.bic == pytest.approx(-2 * r.llf + np.log(949) * 8)
    assert np.isfinite([r.aic, r.bic]).all()
    assert r.df_resid == 949 - 3


def test_tests_and_intervals_follow_from_estimates_and_errors() -> None:
    r = fitted()
    cov = r.cov_params()
    assert r.bse.to_numpy() == pytest.approx(np.sqrt(np.diag(cov)))
    assert (r.bse.iloc[:3] == r.bse_fe).all()
    assert r.tvalues.to_numpy() == pytest.approx(r.params / r.bse)
    assert r.pvalues.to_numpy() == pytest.approx(2 * stats.norm.sf(np.abs(r.tvalues)))
    for alpha in (0.05, 0.2):
        half = stats.norm.isf(alpha / 2) * r.bse
        interval = r.conf_int(alpha)
        assert interval[0].to_numpy() == pytest.approx((r.params - half).to_numpy())
        assert interval[1].to_numpy() == pytest.approx((r.params + half).to_numpy())
    assert list(r.conf_int(cols=[2, 0]).index) == ["pretest", "Intercept"]
    with pytest.raises(ModelError, match=r"level=1\.5"):
        r.conf_int(1.5)


def test_covariances_are_symmetric_and_definite() -> None:
    r = fitted()
    for cov in (
        r.cov_params().to_numpy(),
        r.cov_re.to_numpy(),
        *(c.to_numpy() for c in r.random_effects_cov.values()),
    ):
        assert cov == pytest.approx(cov.T, abs=1e-12)
        assert np.linalg.eigvalsh(cov).min() > 0
    assert (r.cov_params().iloc[:3, 3:] == 0).all(axis=None)


def test_standard_errors_of_variances_are_those_of_the_balanced_case() -> None:
    """One-way layout, a groups of n rows, by ML: σ̂² has variance 2σ⁴/a(n−1), and var(σ̂² + nτ̂²) is 2(…)²/a."""
    data = datasets.load("Dyestuff")
    r = mixedlm("Yield ~ 1", data, groups="Batch").fit(reml=False)
    a, n, s2, t2 = 6, 5, r.scale, float(r.cov_re.iloc[0, 0])
    between, within = 2 * (s2 + n * t2) ** 2 / a, 2 * s2**2 / (a * (n - 1))
    assert r.bse_re.to_numpy() == pytest.approx([np.sqrt((between + within) / n**2)], rel=1e-5)
    assert list(r.bse_re.index) == ["Batch Var"]


# -- rows --------------------------------------------------------------------------------------------------


def test_rows_add_up() -> None:
    r = fitted()
    outcome = DATA["test_score"].to_numpy(dtype=float)
    assert (r.fittedvalues + r.resid).to_numpy() == pytest.approx(outcome, abs=ROUNDING)
    part = {
        label: effects.iloc[0] + effects.iloc[1] * DATA["pretest"]
        for label, effects in r.random_effects.items()
    }
    random = np.array([part[g].iloc[i] for i, g in enumerate(DATA["school"])])
    rooms = [
        r.random_effects[g][f"classroom[C(classroom)[{c}]]"]
        for g, c in zip(DATA["school"], DATA["classroom"], strict=True)
    ]
    assert r.predict().to_numpy() + random + rooms == pytest.approx(r.fittedvalues.to_numpy(), abs=1e-8)
    assert r.fittedvalues.index.equals(DATA.index)


def test_conditional_modes_satisfy_the_penalised_normal_equations() -> None:
    """Z'(y − Xβ − Zb) = Ψ⁻¹b for each school's intercept and slope: nothing of the factor is used."""
    r = fitted()
    inverse = np.linalg.inv(r.cov_re_unscaled.to_numpy())
    for label, effects in r.random_effects.items():
        rows = (DATA["school"] == label).to_numpy()
        resid = r.resid.to_numpy()[rows]
        x = DATA["pretest"].to_numpy()[rows]
        left = np.array([resid.sum(), resid @ x])
        assert left == pytest.approx(inverse @ effects.to_numpy()[:2], abs=1e-6)


def test_predict_is_the_fixed_part_for_new_rows_too() -> None:
    r = fitted()
    new = pd.DataFrame(
        {"age": [11.0, 12.0, np.nan], "pretest": [0.0, 5.0, 1.0], "school": "new"}, index=list("abc")
    )
    b = r.fe_params
    expected = [b["Intercept"] + 11 * b["age"], b["Intercept"] + 12 * b["age"] + 5 * b["pretest"]]
    found = r.predict(new)
    assert isinstance(found, pd.Series)
    assert found.to_numpy() == pytest.approx(expected)
    assert list(found.index) == ["a", "b"]
    assert np.asarray(r.predict({"age": [11.0], "pretest": [0.0]})) == pytest.approx(expected[:1])
    columns = np.array([[1, 11.0, 0], [1, 12, 5]])
    assert np.asarray(r.predict(columns, transform=False)) == pytest.approx(expected)
    assert np.asarray(r.predict(DATA)) == pytest.approx(r.predict())
    assert r.predict().to_numpy() == pytest.approx(r.fittedvalues - r.augment().eval("fitted - fitted_fixed"))
    with pytest.raises(FormulaError, match="pretest"):
        r.predict({"age": [11.0]})
    with pytest.raises(ModelError, match="2 columns"):
        r.predict(columns[:, :2], transform=False)


def test_predict_codes_factors_as_the_fit_did() -> None:
    data = datasets.load("Machines")
    r = mixedlm("score ~ Machine", data, groups="Worker").fit()
    found = r.predict(pd.DataFrame({"Machine": ["C", "A"]}))
    assert np.asarray(found) == pytest.approx([r.fe_params.iloc[[0, 2]].sum(), r.fe_params.iloc[0]])
    with pytest.raises(DataError, match="D"):
        r.predict({"Machine": ["D"]})


def test_augment_is_the_data_beside_the_fit() -> None:
    r = fitted()
    table = r.augment()
    assert table.index.equals(DATA.index)
    assert {"test_score", "age", "pretest", "school", "classroom"} <= set(table)
    assert list(table)[-6:] == ["fitted", "fitted_fixed", "resid", "resid_std", "leverage", "cooks_distance"]
    assert (table["resid"] == r.resid).all()
    assert table["resid_std"].to_numpy() == pytest.approx(r.resid.to_numpy() / r.sigma)
    assert (table["school"].astype(str) == DATA["school"].astype(str)).all()


def test_augment_keeps_the_labels_of_the_rows_that_are_left() -> None:
    data = DATA.set_index("student").assign(age=DATA["age"].where(DATA.index % 7 != 0).to_numpy())
    r = mixedlm(SCORE, data, groups="school", missing="drop").fit()
    kept = data.dropna()
    assert r.augment().index.equals(kept.index)
    assert r.augment()["age"].to_numpy() == pytest.approx(kept["age"].to_numpy())
    assert r.resid.index.equals(kept.index)


# -- boundary, aliasing, and other edges -------------------------------------------------------------------


@pytest.mark.parametrize("kind", BOUNDARY)
def test_a_singular_fit_is_whole(kind: str) -> None:
    r = singular(kind)
    assert r.singular
    assert r.converged
    for values in (
        r.params,
        r.bse,
        r.bse_fe,
        r.bse_re,
        r.conf_int().to_numpy(),
        r.cov_re.to_numpy(),
        r.vcomp,
    ):
        assert np.isfinite(np.asarray(values)).all()
    assert [f.severity for f in r.diagnose() if f.kind == "singular"] == ["warning"]
    effects, covariances = r.random_effects, r.random_effects_cov
    assert len(effects) == len(covariances) == r.model.n_groups
    for label in list(effects)[:5]:
        assert np.isfinite(effects[label]).all()
        assert np.linalg.eigvalsh(covariances[label].to_numpy()).min() > -1e-9
    for table in ("fixed", "random", "blups"):
        assert np.isfinite(r.tidy(table)["estimate"]).all()
    assert np.isfinite(r.tidy("fixed").drop(columns="term").to_numpy(dtype=float)).all()
    assert r.glance()["singular"].item()
    assert r.summary().as_text()


def test_effects_without_variance_are_zero() -> None:
    zero = singular("zero")
    assert all((effects == 0).all() for effects in zero.random_effects.values())
    assert zero.resid.to_numpy() == pytest.approx(zero.model.endog - zero.model.endog.mean())
    component = singular("component").tidy("blups").query("group == 'a'")
    assert (component["estimate"] == 0).all()
    assert (component["std_error"] == 0).all()


def test_a_correlation_of_one_makes_the_effects_multiples_of_each_other() -> None:
    modes = np.array([effects.to_numpy() for effects in singular("correlation").random_effects.values()])
    ratio = modes[:, 1] / modes[:, 0]
    assert ratio == pytest.approx(np.full(len(ratio), ratio[0]))
    assert ratio[0] < 0


def test_aliased_columns_are_left_out_and_named() -> None:
    data = DATA.assign(months=12 * DATA["age"], sum=DATA["age"] + DATA["pretest"])
    r = mixedlm("test_score ~ age + months + pretest + sum", data, groups="school").fit()
    plain = mixedlm(SCORE, DATA, groups="school").fit()
    assert list(r.fe_params.index) == ["Intercept", "age", "pretest"]
    assert r.params.to_numpy() == pytest.approx(plain.params.to_numpy(), rel=1e-6)
    assert r.llf == pytest.approx(plain.llf, abs=1e-8)
    assert r.bic == pytest.approx(plain.bic, abs=1e-7)
    assert any("months, sum" in note for note in r.notes)
    (finding,) = [f for f in r.diagnose() if f.kind == "aliased"]
    assert "months, sum" in finding.evidence
    assert np.asarray(r.predict(data)) == pytest.approx(plain.predict())
    assert list(r.cov_params().index) == list(r.params.index)


@pytest.mark.parametrize("shift", [1e6, 1e9])
def test_nearly_constant_predictors_are_no_aliases(shift: float) -> None:
    """A year or an identifier in billions varies little beside its mean, and still is a predictor."""
    moved = DATA.assign(age=DATA["age"] + shift)
    r, plain = mixedlm(SCORE, moved, groups="school").fit(), mixedlm(SCORE, DATA, groups="school").fit()
    assert r.fe_params["age"] == pytest.approx(plain.fe_params["age"], rel=1e-5)
    assert r.bse_fe["age"] == pytest.approx(plain.bse_fe["age"], rel=1e-5)


def test_no_fixed_effects_at_all() -> None:
    r = mixedlm("test_score ~ 0", DATA, groups="school").fit()
    assert list(r.params.index) == ["school Var"]
    assert np.abs(r.predict()).max() < 1e-12
    assert r.tidy("fixed").empty
    assert len(r.summary().tables[1]) == 1
    assert r.glance()["r2_marginal"].item() == pytest.approx(0)


def test_few_groups_and_single_rows_are_mentioned() -> None:
    few = DATA[DATA["school"].isin(["S01", "S02", "S03"])]
    r = mixedlm(SCORE, few, groups="school").fit()
    assert "few_levels" in [f.kind for f in r.diagnose()]
    rng = np.random.default_rng(0)
    sizes = np.r_[np.repeat(np.arange(30), 1), np.repeat(np.arange(30, 40), 4)]
    single = pd.DataFrame({"y": rng.normal(size=40)[sizes] + rng.normal(size=70), "g": sizes})
    found = mixedlm("y ~ 1", single, groups="g").fit().diagnose()
    assert "single_rows" in [f.kind for f in found]
    assert all(
        isinstance(text, str) and text for f in found for text in (f.title, f.evidence, f.meaning, f.remedy)
    )


def test_a_good_fit_has_nothing_serious_to_say() -> None:
    assert [f for f in fitted().diagnose() if f.severity != "info"] == []
    assert fitted().notes == ()


def test_effects_of_crossed_factors() -> None:
    data = datasets.load("Penicillin")
    parts: dict[str, Any] = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}
    r = mixedlm("diameter ~ 1", data, vc_formula=parts, groups=np.ones(len(data))).fit()
    (effects,), (cov,) = r.random_effects.values(), r.random_effects_cov.values()
    assert len(effects) == 30
    assert list(cov.index) == list(effects.index)
    table = r.tidy("blups")
    assert np.sqrt(np.diag(cov)) == pytest.approx(table["std_error"].to_numpy())
    assert effects.to_numpy() == pytest.approx(table["estimate"].to_numpy())
    assert r.icc()["group"].tolist() == ["plate", "sample"]
