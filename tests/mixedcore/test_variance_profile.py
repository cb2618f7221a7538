"""`profile_re`: the profile likelihood of one variance against lme4's, dense algebra and its definition.

tests/reference/profile_re.json, made by profile_re.R beside it: ζ² = 2(ℓ − ℓ_p) of standard deviations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from mixedcore import MixedLM, MixedLMResults, datasets, mixedlm
from mixedcore.engine.estimate import estimate
from mixedcore.errors import ModelError
from mixedcore.units import UserUnits

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "profile_re.json").read_text(encoding="utf-8")
)["sets"]
# lme4 searches every point by BOBYQA to about 1e-7 of the deviance; near ζ = 0 its root is that of rounding.
ZETA_TOL = 2e-4

PASTES = {"cask": "0 + C(cask)"}
CROSSED = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}

# (set, lme4's name): (data, arguments of mixedlm, re_ix, vtype)
SAME: Mapping[tuple[str, str], tuple[str, dict[str, Any], int | str, str]] = {
    ("sleepstudy", "sd_(Intercept)|Subject"): (
        "sleepstudy", {"formula": "Reaction ~ Days", "groups": "Subject", "re_formula": "Days"}, 0, "re",
    ),
    ("sleepstudy", "sd_Days|Subject"): (
        "sleepstudy", {"formula": "Reaction ~ Days + (Days | Subject)"}, "Days", "re",
    ),
    ("sleepstudy_apart", "sd_(Intercept)|Subject"): (
        "sleepstudy", {"formula": "Reaction ~ Days + (Days || Subject)"}, 0, "re",
    ),
    ("sleepstudy_apart", "sd_Days|Subject"): (
        "sleepstudy", {"formula": "Reaction ~ Days + (Days || Subject)"}, 1, "re",
    ),
    ("Pastes", "sd_(Intercept)|cask:batch"): (
        "Pastes",
        {"formula": "strength ~ 1", "groups": "batch", "re_formula": "1", "vc_formula": PASTES}, "cask", "vc",
    ),
    ("Pastes", "sd_(Intercept)|batch"): (
        "Pastes", {"formula": "strength ~ 1", "groups": "batch", "re_formula": "1", "vc_formula": PASTES},
        0, "re",
    ),
    ("Dyestuff2", "sd_(Intercept)|Batch"): (
        "Dyestuff2", {"formula": "Yield ~ 1", "groups": "Batch"}, 0, "re",
    ),
    ("Penicillin", "sd_(Intercept)|plate"): (
        "Penicillin",
        {"formula": "diameter ~ 1", "groups": np.ones(144), "vc_formula": CROSSED}, "plate", "vc",
    ),
    ("Penicillin", "sd_(Intercept)|sample"): (
        "Penicillin", {"formula": "diameter ~ 1 + (1 | plate) + (1 | sample)"}, 1, "re",
    ),
}  # fmt: skip


@cache
def fitted(key: tuple[str, str]) -> MixedLMResults:
    name, arguments, _, _ = SAME[key]
    return mixedlm(data=datasets.load(name), **arguments).fit(reml=False)


def profile_at(result: MixedLMResults, re_ix: int | str, vtype: str, variances: list[float]) -> np.ndarray:
    """ℓ_p at given variances, by distances from the estimate that `profile_re` takes."""
    estimate = result.profile_re(re_ix, vtype, num_low=0, num_high=0)[0, 0]
    out = []
    for v in variances:
        if v > estimate:
            out.append(result.profile_re(re_ix, vtype, 0, None, 1, v - estimate)[-1, 1])
        else:
            out.append(result.profile_re(re_ix, vtype, 1, estimate - v, 0)[0, 1])
    return np.array(out)


@pytest.mark.parametrize("key", SAME, ids=" ".join)
def test_equals_lme4(key: tuple[str, str]) -> None:
    stored = STORED[key[0]][key[1]]
    _, _, re_ix, vtype = SAME[key]
    found = profile_at(fitted(key), re_ix, vtype, [sd**2 for sd in stored["sd"]])
    zeta = np.sqrt(np.maximum(2 * (fitted(key).llf - found), 0.0)) * np.sign(stored["zeta"])
    assert zeta == pytest.approx(np.array(stored["zeta"]), abs=ZETA_TOL)


def small() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(12), [3, 4, 5, 5, 4, 6] * 2)
    x = rng.normal(size=g.size) + 1
    y = 2 + x + 2 * rng.normal(size=12)[g] + rng.normal(size=12)[g] * x + rng.normal(size=g.size)
    return pd.DataFrame({"y": y, "x": x, "g": g, "w": rng.uniform(0.5, 2, size=g.size)})


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("j", [0, 1])
def test_equals_dense_algebra(reml: bool, j: int) -> None:
    """Nelder–Mead over the other parameters on n × n matrices, prior weights included."""
    data = small()
    result = mixedlm("y ~ x", data, groups="g", re_formula="x", weights="w").fit(reml=reml)
    X = np.column_stack([np.ones(len(data)), data["x"]])
    y, same = data["y"].to_numpy(), data["g"].to_numpy()[:, None] == data["g"].to_numpy()
    residual = np.diag(1 / data["w"].to_numpy())

    def deviance(free: np.ndarray, v: float) -> float:
        sd = np.array([0.0, 0.0])
        sd[j], sd[1 - j] = np.sqrt(v), np.exp(free[0])
        corr = np.tanh(free[1])
        psi = np.array([[sd[0] ** 2, corr * sd[0] * sd[1]], [corr * sd[0] * sd[1], sd[1] ** 2]])
        V = np.where(same, X @ psi @ X.T, 0.0) + np.exp(2 * free[2]) * residual
        half = np.linalg.solve(V, X)
        beta = np.linalg.solve(X.T @ half, half.T @ y)
        r = y - X @ beta
        value = np.linalg.slogdet(V).logabsdet + r @ np.linalg.solve(V, r) + len(y) * np.log(2 * np.pi)
        if reml:
            value += np.linalg.slogdet(X.T @ half).logabsdet - 2 * np.log(2 * np.pi)
        return float(value)

    curve = result.profile_re(j, "re", num_low=1, num_high=1)
    for v, log_likelihood in curve[[0, 2]]:
        psi = result.cov_re.to_numpy()
        corr = psi[0, 1] / np.sqrt(psi[0, 0] * psi[1, 1])
        start = [np.log(psi[1 - j, 1 - j]) / 2, np.arctanh(corr), np.log(result.scale) / 2]
        options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 5000, "maxfev": 5000}
        found = minimize(deviance, start, args=(v,), method="Nelder-Mead", options=options)
        again = minimize(deviance, found.x, args=(v,), method="Nelder-Mead", options=options)
        assert log_likelihood == pytest.approx(-again.fun / 2, abs=1e-6)


def test_the_estimate_is_the_peak_and_the_curve_falls_from_it() -> None:
    result = mixedlm("Reaction ~ Days", datasets.load("sleepstudy"), groups="Subject").fit()
    curve = result.profile_re(0, "re", num_low=4, num_high=6)
    assert curve.shape == (11, 2)
    assert curve[4] == pytest.approx([result.cov_re.iloc[0, 0], result.llf], rel=1e-9)
    assert (np.diff(curve[:, 0]) > 0).all()
    assert (np.diff(curve[:5, 1]) > 0).all()
    assert (np.diff(curve[4:, 1]) < 0).all()
    assert curve[-1, 0] - curve[4, 0] == pytest.approx(2 * result.bse_re.iloc[0])


def test_distances_are_in_units_of_the_variance() -> None:
    result = mixedlm("Reaction ~ Days", datasets.load("sleepstudy"), groups="Subject").fit()
    estimate = result.cov_re.iloc[0, 0]
    curve = result.profile_re(0, vtype="re", num_low=2, dist_low=100, num_high=1, dist_high=50, maxiter=3)
    assert curve[:, 0] == pytest.approx(estimate + np.array([-100, -50, 0, 50]))


def test_units_do_not_matter() -> None:
    data = datasets.load("sleepstudy")
    one = mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="Days").fit()
    moved = data.assign(r=data["Reaction"] * 1e3, d=data["Days"] * 1e-2 + 7)
    other = mixedlm("r ~ d", moved, groups="Subject", re_formula="d").fit()
    a, b = one.profile_re(1, "re", 3), other.profile_re(1, "re", 3)
    assert b[:, 0] == pytest.approx(a[:, 0] * 1e10, rel=1e-6)
    assert b[:, 1] - other.llf == pytest.approx(a[:, 1] - one.llf, abs=1e-6)


def test_at_a_variance_of_zero_there_is_nothing_below() -> None:
    result = mixedlm("Yield ~ 1", datasets.load("Dyestuff2"), groups="Batch").fit()
    curve = result.profile_re(0, "re", num_low=5, num_high=3)
    assert curve.shape == (4, 2)
    assert curve[0].tolist() == pytest.approx([0.0, result.llf])
    assert (np.diff(curve[:, 1]) < 0).all()


def test_down_to_zero_is_the_fit_without_the_term() -> None:
    data = datasets.load("Pastes")
    result = mixedlm("strength ~ 1", data, groups="batch", re_formula="1", vc_formula=PASTES).fit()
    without = mixedlm("strength ~ 1", data, groups="batch", vc_formula=PASTES).fit()
    curve = result.profile_re(0, "re", num_low=2)
    assert curve[0, 0] == 0
    assert curve[0, 1] == pytest.approx(without.llf, abs=1e-8)


def test_a_fit_that_is_not_at_its_optimum_has_no_profile() -> None:
    model = mixedlm("y ~ x + (x | g)", small())
    cp, layout = model._products
    start = np.array([0.2, 0.0, 0.2])
    early = estimate(cp, layout, model.design.terms, reml=True, start=start, max_steps=1)
    result = MixedLMResults(model, UserUnits(early, model._rows))
    with pytest.raises(ModelError, match="not converged"):
        result.profile_re(0, "re")


def test_rows_in_chunks() -> None:
    data = small()
    streamed = mixedlm("y ~ x + (x | g)", [data[:20], data[20:]]).fit()
    whole = mixedlm("y ~ x + (x | g)", data).fit()
    assert streamed.profile_re("x", "re") == pytest.approx(whole.profile_re("x", "re"), rel=1e-6)


def test_models_from_arrays_and_without_fixed_effects() -> None:
    data = small()
    X = np.column_stack([np.ones(len(data)), data["x"]])
    arrays = MixedLM(data["y"].to_numpy(), X, data["g"].to_numpy()).fit()
    formula = mixedlm("y ~ x", data, groups="g").fit()
    assert arrays.profile_re(0, "re") == pytest.approx(formula.profile_re(0, "re"), rel=1e-7)
    none = mixedlm("y ~ 0", data, groups="g").fit()
    assert none.profile_re("g", "re")[5, 1] == pytest.approx(none.llf, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((0, "not-a-vtype"), "vtype"), ((2, "re"), r"0 \('Subject'\), 1 \('Days"), (("cask", "vc"), "none"),
        (("cask", "re"), "Subject"), ((0, "re", 2, 1e9), "negative variance"), ((0, "re", 2, -1), "positive"),
    ],
)  # fmt: skip
def test_what_cannot_be_profiled_is_explained(arguments: tuple[Any, ...], sentence: str) -> None:
    result = mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load("sleepstudy")).fit()
    with pytest.raises(ModelError, match=sentence):
        result.profile_re(*arguments)
