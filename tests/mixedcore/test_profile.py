"""Profile intervals: against lme4 (tests/reference/profile.json), dense constrained fits, and themselves."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLM, MixedLMResults, datasets, mixedlm
from mixedcore.engine.estimate import estimate
from mixedcore.errors import ModelError
from mixedcore.inference.constrained import Likelihood
from mixedcore.inference.section_kinds import sections
from mixedcore.parameters import parameter_labels
from mixedcore.units import UserUnits
from tests.mixedcore.dense_profile import DenseModel
from tests.reference.fits import coefficient_order, data_of
from tests.reference.models import SEED

FOLDER = Path(__file__).parents[1] / "reference"
RECORDS: list[dict[str, Any]] = json.loads((FOLDER / "profile.json").read_text(encoding="utf-8"))
CHI2 = 3.841458820694124  # 95 % quantile of χ²₁
# Bounds are found where the deviance is this near its target; the dense search itself ends within 1e-8.
DEVIANCE_TOL = 1e-6
# lme4 reads bounds off a spline: so far from them the deviance misses its target, in shares of the interval.
SPLINE_TOL = 1e-3
LME4_MISSES = 1e-2


# Bounds that lme4 misses, all of correlations: its steps stop short of another branch, or fall off the one.
IMPRECISE = {"distance ~ age + (age|Subject)": 1, "score ~ Machine + (Machine|Worker)": 6}


@cache
def fitted(name: str, formula: str, reml: bool = False) -> MixedLMResults:
    return mixedlm(formula, datasets.load(name)).fit(reml=reml)


def in_patsy(name: str, formula: str) -> str:
    """lme4's formula as it is written here: `yield` is a word of Python's, temperature ordered."""
    formula = formula.replace("yield", "Q('yield')")
    return formula.replace("temperature", "C(temperature, Poly)") if name == "cake" else formula


def our_name(theirs: str) -> str:
    """'sd_Days|Subject' → 'sd Subject Days', 'cor_x.(Intercept)|g' → 'cor g Intercept x'."""
    found = re.fullmatch(r"(sd|cor)_(.*)\|(.*)", theirs)
    if found is None:
        return theirs
    kind, effects, group = found.groups()
    names = [re.sub(r"^Machine([BC])$", r"Machine[T.\1]", e.strip("()")) for e in effects.split(".")]
    factor = group if group == "recipe:replicate" else ":".join(reversed(group.split(":")))
    return " ".join([kind, factor, *reversed(names)])


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['data']}: {r['formula'].replace(' ', '')}")
def test_agrees_with_lme4(record: dict[str, Any]) -> None:
    result = fitted(record["data"], in_patsy(record["data"], record["formula"]))
    table = result.confint()
    k = record["names"].index("sigma") + 1
    fixed = table.iloc[k:]
    fixed = fixed.iloc[coefficient_order(fixed.index, record["names"][k:])]
    both = pd.concat([table.loc[[our_name(name) for name in record["names"][:k]]], fixed])
    names, ours = list(both.index), both.to_numpy()
    theirs = np.column_stack([record["low"], record["high"]]).astype(float)
    off = np.abs(ours - theirs) > SPLINE_TOL * (theirs[:, 1:] - theirs[:, :1])
    dense = DenseModel(result)
    for i, j in np.argwhere(off):  # who is right? the deviance says
        name = names[i]
        assert misses(dense, name, ours[i, j]) < DEVIANCE_TOL
        assert misses(dense, name, theirs[i, j]) > LME4_MISSES
    assert off.sum() <= IMPRECISE.get(record["formula"], 0)


def misses(dense: DenseModel, name: str, bound: float) -> float:
    """How far the deviance at a bound is from its target, by the dense search; at an edge it may be below."""
    over = dense.least(name, bound) - dense.result.criterion - CHI2
    edge = bound == 0 if name.startswith("sd") else abs(bound) == 1 and name.startswith("cor")
    return max(over, 0.0) if edge else abs(over)


def sleep(**columns: Any) -> pd.DataFrame:
    data = datasets.load("sleepstudy")
    return data.assign(w=1 + np.arange(len(data)) % 3, o=np.arange(len(data)) % 5, **columns)


DENSE = {
    "correlated slopes": (lambda: mixedlm("Reaction ~ Days + (Days | Subject)", sleep()), None),
    "weights and offset": (
        lambda: mixedlm("Reaction ~ Days + (Days | Subject)", sleep(), weights="w", offset="o"),
        ["sd Subject Days", "cor Subject Intercept Days", "Days"],
    ),
    "no intercept": (
        lambda: mixedlm("Reaction ~ 0 + Days + (1 + Days || Subject)", sleep()),
        ["sd Subject Intercept", "sigma", "Days"],
    ),
    "no fixed effects": (lambda: mixedlm("Reaction ~ 0", sleep(), groups="Subject"), None),
    "crossed": (
        lambda: mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", datasets.load("Penicillin")),
        ["sd plate Intercept", "sd sample Intercept", "Intercept"],
    ),
    "nested": (lambda: mixedlm("strength ~ 1 + (1 | batch/cask)", datasets.load("Pastes")), None),
    "seed notation": (
        lambda: mixedlm("Thickness ~ 1", datasets.load("Oxide"), "1", {"W": "0 + C(Wafer)"}, groups="Lot"),
        None,
    ),
    "a component of two columns": (
        lambda: mixedlm("Reaction ~ Days", sleep(), None, {"c": "1 + Days"}, groups="Subject"),
        ["sd c", "sigma"],
    ),
    "three effects": (
        lambda: mixedlm("score ~ Machine + (Machine | Worker)", datasets.load("Machines")),
        ["sd Worker Machine[T.B]", "cor Worker Intercept Machine[T.C]", "sigma", "Intercept"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DENSE)
def test_a_dense_constrained_fit_has_the_target_deviance_at_every_bound(case: str) -> None:
    make, terms = DENSE[case]
    result = make().fit(reml=False)
    dense = DenseModel(result)
    assert dense.deviance(dense.estimates) == pytest.approx(result.criterion, abs=1e-8)
    table = result.confint(terms=terms)
    for name, bounds in table.iterrows():
        for bound in bounds:
            assert misses(dense, str(name), bound) < DEVIANCE_TOL, (name, bound)


def models(*names: str) -> list[MixedLM]:
    return [SEED[key].model(data_of(key[0])) for key in SEED if key[0] in names]


def test_sleepstudy_has_the_published_intervals() -> None:
    """lme4 1.1-31, to the digits that its splines give."""
    table = fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)", reml=True).confint()
    expected = {
        "sd Subject Intercept": (14.381486, 37.715996),
        "sd Subject Days": (3.801164, 8.753383),
        "cor Subject Intercept Days": (-0.481501, 0.684986),
        "sigma": (22.898267, 28.857997),
        "Intercept": (237.680695, 265.129515),
        "Days": (7.358653, 13.575919),
    }
    assert list(table.index) == list(expected)
    assert list(table.columns) == ["conf_low", "conf_high"]
    assert table.index.name == "term"
    assert table.to_numpy() == pytest.approx(np.array(list(expected.values())), rel=1e-5, abs=4e-5)


def test_a_reml_fit_is_profiled_by_ml() -> None:
    one, two = (
        fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)", reml).confint() for reml in (True, False)
    )
    pd.testing.assert_frame_equal(one, two, rtol=1e-9)


@pytest.mark.parametrize("model", models("sleepstudy", "Dyestuff2", "Early", "Orthodont", "Pastes", "Assay"))
def test_intervals_grow_with_the_level_and_hold_the_estimate(model: MixedLM) -> None:
    result = model.fit(reml=False)
    narrow, middle, wide = (result.confint(level=level) for level in (0.5, 0.9, 0.99))
    random = result.tidy("random")
    estimate_ = [*random.loc[random["scale"].isin(["sd", "correlation"]), "estimate"], *result.fe_params]
    held = pd.Series(estimate_, index=narrow.index).dropna()
    for inner, outer in ((narrow, middle), (middle, wide)):
        assert not outer.isna().any().any()
        assert (outer["conf_low"] <= inner["conf_low"]).all()
        assert (outer["conf_high"] >= inner["conf_high"]).all()
    slack = 1e-9 * (1 + held.abs())
    assert (narrow.loc[held.index, "conf_low"] <= held + slack).all()
    assert (narrow.loc[held.index, "conf_high"] >= held - slack).all()


def test_a_zero_variance_has_a_lower_bound_of_zero_that_is_said() -> None:
    table = fitted("Dyestuff2", "Yield ~ 1 + (1 | Batch)").confint()
    assert table.loc["sd Batch Intercept", "conf_low"] == 0
    assert table.loc["sd Batch Intercept", "conf_high"] > 0.5
    assert table.attrs["notes"] == [
        "sd Batch Intercept: the lower bound is 0, which the data do not exclude."
    ]


def test_a_correlation_of_one_is_a_bound_that_is_said() -> None:
    table = SEED["Early", "cog ~ tosx + trt:tosx + (tosx|id)"].model(data_of("Early")).fit().confint()
    low, high = table.loc["cor id Intercept tosx"]
    assert low == -1
    assert -0.6 < high < 0
    assert "lower bound is -1" in table.attrs["notes"][0]


def test_a_correlation_may_be_anything_where_an_sd_may_be_zero() -> None:
    """At a zero SD the correlation has no part in the likelihood, so none is worse than that zero."""
    result = fitted("Orthodont", "distance ~ age * Sex + (age | Subject)")
    table = result.confint()
    assert table.loc["sd Subject age", "conf_low"] == 0
    assert tuple(table.loc["cor Subject Intercept age"]) == (-1, 1)
    assert "may be anything" in table.attrs["notes"][1]
    without = fitted("Orthodont", "distance ~ age * Sex + (1 | Subject)")
    assert without.criterion - result.criterion < CHI2
    alone = result.confint(terms="cor Subject Intercept age")
    assert tuple(alone.loc["cor Subject Intercept age"]) == (-1, 1)


def test_a_residual_sd_that_may_be_zero_has_a_lower_bound_of_zero() -> None:
    """Nearly all rows are groups of their own: what is residual and what between groups hardly differs."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"y": rng.normal(size=21), "g": np.append(np.arange(20), 19)})
    data.loc[20, "y"] = data.loc[19, "y"] + 0.01
    result = mixedlm("y ~ 1", data, groups="g").fit(reml=False)
    table = result.confint()
    assert not table.isna().any().any()
    assert table.loc["sigma", "conf_low"] >= 0
    assert table.loc["sd g Intercept", "conf_high"] > table.loc["sd g Intercept", "conf_low"] >= 0


@pytest.mark.parametrize("scale", [1e-6, 1e5])
def test_intervals_follow_the_units(scale: float) -> None:
    table = fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)").confint()
    data = sleep()
    data["Reaction"] *= scale
    moved = mixedlm("Reaction ~ Days + (Days | Subject)", data).fit(reml=False).confint()
    factor = np.where(table.index.str.startswith("cor"), 1.0, scale)[:, None]
    np.testing.assert_allclose(moved.to_numpy(), table.to_numpy() * factor, rtol=1e-7)


def test_intervals_follow_a_predictor_that_is_moved() -> None:
    """Days counted from the year 2020 on: intercepts mean something else, but slopes and σ do not."""
    table = fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)").confint()
    data = sleep().assign(year=lambda d: 2020.0 + d["Days"])
    moved = mixedlm("Reaction ~ year + (year | Subject)", data).fit().confint()
    assert not moved.isna().any().any()
    same = {"sd Subject year": "sd Subject Days", "year": "Days", "sigma": "sigma"}
    np.testing.assert_allclose(moved.loc[list(same)], table.loc[list(same.values())], rtol=1e-6)
    assert moved.loc["cor Subject Intercept year", "conf_high"] < -0.999


def test_a_subset_of_terms_keeps_their_order_and_values() -> None:
    result = fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)")
    some = result.confint(terms=["Days", "sigma"])
    assert list(some.index) == ["Days", "sigma"]
    pd.testing.assert_frame_equal(some, result.confint().loc[["Days", "sigma"]], rtol=1e-12)


def test_aliased_columns_have_no_interval() -> None:
    data = sleep(twice=2 * datasets.load("sleepstudy")["Days"])
    table = mixedlm("Reaction ~ Days + twice + (1 | Subject)", data).fit().confint()
    assert list(table.index) == ["sd Subject Intercept", "sigma", "Intercept", "Days"]


def test_rows_that_were_not_kept_are_not_needed() -> None:
    data = sleep()
    stream = mixedlm("Reaction ~ Days + (Days | Subject)", [data.iloc[:90], data.iloc[90:]]).fit()
    expected = fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)").confint()
    np.testing.assert_allclose(stream.confint().to_numpy(), expected.to_numpy(), rtol=1e-7)


def test_arrays_name_their_parameters() -> None:
    data = sleep()
    X = np.column_stack([np.ones(len(data)), data["Days"]])
    result = MixedLM(data["Reaction"], X, data["Subject"], exog_re=X).fit()
    expected = fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)").confint()
    table = result.confint()
    assert list(table.index[-3:]) == ["sigma", *result.model.exog_names]
    np.testing.assert_allclose(table.to_numpy(), expected.to_numpy(), rtol=1e-7)


def test_a_fit_that_is_no_optimum_is_replaced_by_the_better_one() -> None:
    """The search for a bound comes upon lower deviances, and the profile starts over from there."""
    model = mixedlm("Reaction ~ Days + (Days | Subject)", sleep())
    expected = model.fit(reml=False).confint()
    cp, layout = model._products
    start = np.array([0.3, 0.1, 0.3])
    poor = estimate(cp, layout, model.design.terms, reml=False, start=start, max_steps=0)
    result = MixedLMResults(model, UserUnits(poor, model._rows))
    assert result.criterion > model.fit(reml=False).criterion + 1
    np.testing.assert_allclose(result.confint().to_numpy(), expected.to_numpy(), rtol=1e-6)


def test_wald_intervals_are_those_of_tidy() -> None:
    result = fitted("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", reml=True)
    table = result.confint("wald", level=0.9)
    random, fixed = result.tidy("random", level=0.9), result.tidy("fixed", level=0.9)
    assert list(table.index) == ["sd plate Intercept", "sd sample Intercept", "sigma", "Intercept"]
    expected = [*random.loc[random["scale"] == "sd", "conf_low"], *fixed["conf_low"]]
    assert table["conf_low"].tolist() == expected


def test_bootstrap_intervals_are_percentiles_of_the_bootstrap() -> None:
    result = fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)")
    table = result.confint("bootstrap", n=200, seed=1, level=0.9)
    draws = result.bootstrap(200, 1)
    pd.testing.assert_frame_equal(table, draws.confint(0.9), check_flags=False)
    assert table.attrs["notes"] == ["Percentiles of 200 parametric bootstrap replicates."]
    some = result.confint("bootstrap", n=200, seed=1, terms="Days")
    assert list(some.index) == ["Days"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"method": "likelihood"},
            "method='likelihood' is not known; choose 'profile', 'wald' or 'bootstrap'",
        ),
        ({"level": 95}, "level=95 is not a confidence level"),
        ({"terms": "sd Subject day"}, "did you mean 'sd Subject Days'"),
        ({"terms": ["zzzzzzzz"]}, "the parameters are 'sd Subject Intercept'"),
    ],
)
def test_what_cannot_be_answered_is_explained(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)").confint(**arguments)


@pytest.mark.parametrize("model", models("sleepstudy", "Machines", "Oxide", "Early"))
def test_derivatives_of_every_section_are_those_of_its_deviance(model: MixedLM) -> None:
    """Analytic slopes in x and c beside central differences, at points off the optimum."""
    user = model.fit(reml=False)._user
    labels = parameter_labels(user.estimate.terms, model.exog_names)
    rng, h = np.random.default_rng(1), 1e-5
    for section in sections(Likelihood(user), labels):
        x, c = section.optimum
        x = x + 0.05 * rng.normal(size=x.size)
        c = 0.9 * c + 0.01 * (1 + abs(c))
        point, step = section.at(x, c), h * (1 + abs(c))
        by_x = [
            (section.at(x + h * e, c).value - section.at(x - h * e, c).value) / (2 * h)
            for e in np.eye(x.size)
        ]
        by_c = (section.at(x, c + step).value - section.at(x, c - step).value) / (2 * step)
        size = max(1.0, float(np.abs(by_x).max(initial=0.0)))
        np.testing.assert_allclose(point.derivatives[0], by_x, atol=1e-6 * size)
        assert point.slope == pytest.approx(by_c, rel=1e-5, abs=1e-5), section.name


def test_a_long_profile_says_how_far_it_is_and_can_be_cancelled() -> None:
    result = mixedlm("Reaction ~ Days + (1 | Subject)", datasets.load("sleepstudy")).fit()
    whole, heard = result.confint("profile"), list[tuple[int, int]]()
    assert result.confint("profile", progress=lambda *far: heard.append(far)).equals(whole)
    assert heard == [(done, len(whole)) for done in range(1, len(whole) + 1)]
    heard.append((0, 0))
    cut = result.confint("profile", progress=lambda *far: heard.append(far), cancel=lambda: heard[-1][0] == 2)
    assert cut.equals(whole.iloc[:2])
    assert result.confint("profile", cancel=lambda: True).empty
