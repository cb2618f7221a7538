"""The three tables of a fit: columns, order, and numbers that follow from the rest of the result."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.errors import ModelError

SCORE = "test_score ~ age + pretest"
CLASSES = {"classroom": "0 + C(classroom)"}
DATA = datasets.load("classrooms")


@cache
def fitted() -> MixedLMResults:
    return mixedlm(SCORE, DATA, "1 + pretest", CLASSES, groups="school").fit()


@cache
def sleep() -> MixedLMResults:
    return mixedlm("Reaction ~ Days", datasets.load("sleepstudy"), "Days", groups="Subject").fit()


def test_fixed_effects() -> None:
    r, table = fitted(), fitted().tidy()
    assert list(table) == [
        "term", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high",
    ]  # fmt: skip
    assert list(table["term"]) == list(r.fe_params.index)
    assert (table["estimate"].to_numpy() == r.fe_params.to_numpy()).all()
    assert (table["std_error"].to_numpy() == r.bse_fe.to_numpy()).all()
    assert table["statistic"].to_numpy() == pytest.approx(r.tvalues.iloc[:3].to_numpy())
    assert ((table["df"] > 10) & (table["df"] < 949)).all()
    assert list(table.index) == [0, 1, 2]


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("ddf", ["satterthwaite", "residual", "normal"])
def test_tests_and_intervals_use_the_degrees_of_freedom_asked_for(ddf: str, level: float) -> None:
    table = fitted().tidy("fixed", ddf=ddf, level=level)  # type: ignore[arg-type]
    t, df = table["statistic"], table["df"]
    half = stats.t.isf((1 - level) / 2, df) * table["std_error"]
    assert table["p_value"].to_numpy() == pytest.approx(2 * stats.t.sf(np.abs(t), df))
    assert table["conf_low"].to_numpy() == pytest.approx((table["estimate"] - half).to_numpy())
    assert table["conf_high"].to_numpy() == pytest.approx((table["estimate"] + half).to_numpy())
    expected = {"residual": 946, "normal": np.inf}
    assert ddf not in expected or (df == expected[ddf]).all()


def test_normal_tests_are_those_of_the_seed_interface() -> None:
    table = fitted().tidy("fixed", ddf="normal")
    assert table["p_value"].to_numpy() == pytest.approx(fitted().pvalues.iloc[:3].to_numpy())
    assert table[["conf_low", "conf_high"]].to_numpy() == pytest.approx(
        fitted().conf_int().iloc[:3].to_numpy()
    )


def test_variances_standard_deviations_covariances_and_correlations() -> None:
    r, table = fitted(), fitted().tidy("random")
    assert list(table) == ["group", "term", "term2", "estimate", "scale", "conf_low", "conf_high"]
    rows = [tuple(row) for row in table[["group", "term", "term2", "scale"]].to_numpy()]
    assert rows == [
        ("school", "Intercept", None, "variance"),
        ("school", "Intercept", None, "sd"),
        ("school", "pretest", None, "variance"),
        ("school", "pretest", None, "sd"),
        ("school", "Intercept", "pretest", "covariance"),
        ("school", "Intercept", "pretest", "correlation"),
        ("classroom", None, None, "variance"),
        ("classroom", None, None, "sd"),
        ("Residual", None, None, "variance"),
        ("Residual", None, None, "sd"),
    ]
    cov = r.cov_re.to_numpy()
    sds = np.sqrt(np.diag(cov))
    expected = [
        cov[0, 0], sds[0], cov[1, 1], sds[1], cov[0, 1], cov[0, 1] / sds.prod(),
        r.vcomp[0], np.sqrt(r.vcomp[0]), r.scale, r.sigma,
    ]  # fmt: skip
    assert table["estimate"].to_numpy() == pytest.approx(expected)
    assert table["estimate"].dtype == float


def test_intervals_of_variances_lie_inside_the_parameter_space() -> None:
    table = fitted().tidy("random")
    assert (table["conf_low"] < table["estimate"]).all()
    assert (table["estimate"] < table["conf_high"]).all()
    by = table.set_index("scale")
    assert (by.loc[["variance", "sd"], "conf_low"] > 0).all()
    assert (by.loc["correlation", ["conf_low", "conf_high"]].abs() < 1).all()
    variances, sds = by.loc["variance"], by.loc["sd"]
    for column in ("conf_low", "conf_high"):
        assert np.sqrt(variances[column].to_numpy()) == pytest.approx(sds[column].to_numpy())


def test_wald_intervals_of_variances_are_symmetric_on_the_log_scale() -> None:
    table = sleep().tidy("random", level=0.9).set_index(["group", "term", "scale"])
    row = table.loc[("Subject", "Days", "variance")]
    se = sleep().bse_re["Days Var"]
    reach = stats.norm.isf(0.05) * se / row["estimate"]
    assert np.log([row["conf_low"], row["conf_high"]]) == pytest.approx(
        np.log(row["estimate"]) + np.array([-reach, reach])
    )


def test_intervals_are_near_those_of_the_profile() -> None:
    """R's profile intervals, sleepstudy by ML (confint of lme4 1.1-31): Wald ones agree to a fifth."""
    r = mixedlm("Reaction ~ Days", datasets.load("sleepstudy"), "Days", groups="Subject").fit(reml=False)
    table = r.tidy("random").set_index(["group", "term", "scale"])
    for key, profile in {
        ("Subject", "Intercept", "sd"): (14.381486, 37.715996),
        ("Subject", "Days", "sd"): (3.801164, 8.753383),
    }.items():
        assert table.loc[key, ["conf_low", "conf_high"]].astype(float).to_numpy() == pytest.approx(
            profile, rel=0.2
        )
    residual = table.xs("Residual").xs("sd", level="scale")[["conf_low", "conf_high"]].to_numpy()[0]
    assert residual == pytest.approx((22.898267, 28.857998), rel=0.02)


def test_intervals_are_missing_where_the_estimate_is_on_its_boundary() -> None:
    zero = mixedlm("Yield ~ 1", datasets.load("Dyestuff2"), groups="Batch").fit().tidy("random")
    assert zero.query("group == 'Batch'")[["conf_low", "conf_high"]].isna().all(axis=None)
    assert zero.query("group == 'Residual'")[["conf_low", "conf_high"]].notna().all(axis=None)
    early = datasets.load("Early").eval("tosx = age - 0.5")
    table = mixedlm("cog ~ tosx + trt:tosx", early, "tosx", groups="id").fit().tidy("random")
    assert table.query("group == 'id'")[["conf_low", "conf_high"]].isna().all(axis=None)
    assert table.set_index("scale").loc["correlation", "estimate"] == pytest.approx(-1)


def test_effects_of_the_levels() -> None:
    r, table = fitted(), fitted().tidy("blups", level=0.9)
    assert list(table) == ["group", "level", "term", "estimate", "std_error", "conf_low", "conf_high"]
    assert len(table) == 20 * 2 + 58
    school = table.query("group == 'school'")
    assert list(school["level"][:3]) == ["S01", "S01", "S02"]
    assert list(school["term"][:2]) == ["Intercept", "pretest"]
    for label, effects in r.random_effects.items():
        own = school[school["level"] == label]
        assert own["estimate"].to_numpy() == pytest.approx(effects.iloc[:2].to_numpy())
        joint = r.random_effects_cov[label].to_numpy()
        assert own["std_error"].to_numpy() == pytest.approx(np.sqrt(np.diag(joint)[:2]))
    z = stats.norm.isf(0.05)
    assert (table["conf_high"] - table["estimate"]).to_numpy() == pytest.approx(
        z * table["std_error"].to_numpy()
    )
    assert (table["estimate"] - table["conf_low"]).to_numpy() == pytest.approx(
        z * table["std_error"].to_numpy()
    )


def test_levels_of_components_carry_their_group() -> None:
    table = fitted().tidy("blups").query("group == 'classroom'")
    pairs = DATA.drop_duplicates(["school", "classroom"])
    expected = {f"{s} / {c}" for s, c in zip(pairs["school"], pairs["classroom"], strict=True)}
    assert set(table["level"]) == expected
    assert set(table["term"]) == {"Intercept"}
    effects = fitted().random_effects["S03"]
    own = table.set_index("level").loc["S03 / 7A", "estimate"]
    assert own == pytest.approx(effects["classroom[C(classroom)[7A]]"])


def test_names_of_slopes_in_components() -> None:
    parts = {"a": "0 + C(classroom):pretest", "b": "0 + pretest"}
    table = mixedlm(SCORE, DATA, "1", parts, groups="school").fit().tidy("blups")
    by_class, by_school = table.query("group == 'a'"), table.query("group == 'b'")
    assert (by_class["level"].iloc[0], by_class["term"].iloc[0]) == ("S01 / 7A", "pretest")
    assert (by_school["level"].iloc[0], by_school["term"].iloc[0]) == ("S01", "pretest")


def test_one_constant_group_is_not_named() -> None:
    data = datasets.load("Penicillin")
    parts = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}
    table = mixedlm("diameter ~ 1", data, vc_formula=parts, groups=np.ones(144)).fit().tidy("blups")
    assert list(table.query("group == 'sample'")["level"]) == list("ABCDEF")


def test_glance_is_one_row() -> None:
    r, row = fitted(), fitted().glance()
    assert list(row) == [
        "nobs", "n_groups", "log_lik", "aic", "bic", "reml_criterion", "sigma", "icc",
        "r2_marginal", "r2_conditional", "converged", "singular",
    ]  # fmt: skip
    first = row.iloc[0]
    assert (first["nobs"], first["n_groups"]) == (949, 20)
    assert (first["log_lik"], first["aic"], first["bic"]) == (r.llf, r.aic, r.bic)
    assert first["reml_criterion"] == r.criterion == -2 * r.llf
    assert first["sigma"] == r.sigma
    assert 0 < first["r2_marginal"] < first["r2_conditional"] < 1
    ml = mixedlm(SCORE, DATA, groups="school").fit(reml=False).glance()
    assert np.isnan(ml["reml_criterion"].item())


def test_shares_of_variance_of_random_intercepts() -> None:
    r = mixedlm(SCORE, DATA, "1", CLASSES, groups="school").fit()
    total = r.cov_re.iloc[0, 0] + r.vcomp[0] + r.scale
    table = r.icc().set_index("group")["icc"]
    assert table.to_dict() == pytest.approx(
        {"school": r.cov_re.iloc[0, 0] / total, "classroom": r.vcomp[0] / total}
    )
    fixed = np.var(np.asarray(r.predict()), ddof=1)
    row = r.glance().iloc[0]
    assert row["icc"] == pytest.approx(table.sum())
    assert row["r2_marginal"] == pytest.approx(fixed / (fixed + total))
    assert row["r2_conditional"] == pytest.approx((fixed + total - r.scale) / (fixed + total))


@pytest.mark.parametrize("level", [0, 1, -0.5, 95])
def test_levels_outside_zero_and_one_are_refused(level: float) -> None:
    for effects in ("fixed", "random", "blups"):
        with pytest.raises(ModelError, match=f"level={level}"):
            fitted().tidy(effects, level=level)


def test_unknown_words_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="'fixed', 'random', 'blups'"):
        fitted().tidy("ran_vals")
    with pytest.raises(ModelError, match="'satterthwaite', 'kenward-roger', 'residual', 'normal'"):
        fitted().tidy("fixed", ddf="kenward")  # type: ignore[arg-type]


def test_tables_are_new_each_time() -> None:
    table = fitted().tidy("fixed")
    table["estimate"] = 0.0
    assert (fitted().tidy("fixed")["estimate"] != 0).all()
    assert isinstance(fitted().tidy("blups"), pd.DataFrame)
