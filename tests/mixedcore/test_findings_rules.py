"""Findings from predictors and rows: each rule where it speaks and where it is silent, and its numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLM, MixedLMResults, datasets, mixedlm
from mixedcore.diagnostics.findings import Finding, Seen, of_the_fit
from mixedcore.diagnostics.findings.design import condition_number, inflation
from mixedcore.diagnostics.findings.rows import levene
from mixedcore.diagnostics.findings.within import contextual, times_inverse
from mixedcore.engine.estimate import estimate
from mixedcore.inference.information import VarianceInformation
from mixedcore.optimisation import Optimisation
from mixedcore.terms import Floats
from mixedcore.units import UserUnits
from tests.mixedcore.streams import chunked

RNG = np.random.default_rng(21)
M, K = 30, 8
G = np.repeat(np.arange(M), K)
X = RNG.normal(size=M * K)
DATA = pd.DataFrame(
    {
        "x": X,
        "z": RNG.normal(size=M * K),
        "g": [f"g{i:02d}" for i in G],
        "of_g": RNG.normal(size=M)[G],
        "h": np.tile(np.arange(K), M),
        "w": RNG.uniform(0.5, 2.0, M * K),
        "half": np.where(np.arange(M * K) % K < K // 2, "a", "b"),
    }
)
DATA["y"] = 2 + DATA["x"] + RNG.normal(size=M)[G] + RNG.normal(size=M * K)
NOTATIONS: dict[str, dict[str, Any]] = {
    "seed": {"formula": "y ~ x", "groups": "g"},
    "bars": {"formula": "y ~ x + (1 | g)"},
    "weights": {"formula": "y ~ x + (1 | g)", "weights": "w"},
    "crossed": {"formula": "y ~ x + (1 | g) + (1 | h)"},
    "nested": {"formula": "y ~ x + (1 | g / half)"},
}
each_notation = pytest.mark.parametrize("how", NOTATIONS.values(), ids=NOTATIONS)


def found(result: MixedLMResults, kind: str) -> list[Finding]:
    return [finding for finding in result.diagnose() if finding.kind == kind]


def fit(data: pd.DataFrame = DATA, **how: Any) -> MixedLMResults:
    return mixedlm(data=data, **(how or NOTATIONS["bars"])).fit()


def seen_of(result: MixedLMResults) -> Seen:
    return result._seen


# -- search and boundary -------------------------------------------------------------------------------------


def test_a_search_that_was_cut_short() -> None:
    model = mixedlm("y ~ x + (x | g)", DATA)
    cp, layout = model._products
    short = estimate(cp, layout, model.design.terms, reml=True, start=np.array([3.0, 1.0, 3.0]), max_steps=1)
    user = UserUnits(short, model._rows)
    (finding,) = of_the_fit(user, Optimisation(VarianceInformation(user)), [])
    assert finding.kind == "not_converged"
    assert "gradient" in finding.evidence
    assert not found(model.fit(), "not_converged")


def balanced(ratio: float) -> pd.DataFrame:
    """Groups whose mean square is `ratio` times the residual's."""
    e = RNG.normal(size=(M, K))
    e -= e.mean(axis=1, keepdims=True)
    u = RNG.normal(size=M)
    u -= u.mean()
    within, between = (e**2).sum() / (M * (K - 1)), K * (u**2).sum() / (M - 1)
    return DATA.assign(y=(u * np.sqrt(ratio * within / between))[G] + e.ravel())


@pytest.mark.parametrize(("ratio", "kinds"), [(1.05, ["near_boundary"]), (6.0, []), (0.5, ["singular"])])
def test_near_the_boundary_is_neither_on_it_nor_far(ratio: float, kinds: list[str]) -> None:
    """σ_b² = (ratio − 1) MSW/8 with SE about √(2/29) · ratio · MSW/8: 0.18 and 3.2 SEs, and below zero."""
    result = fit(balanced(ratio), formula="y ~ 1 + (1 | g)")
    assert [f.kind for f in result.diagnose() if f.kind in ("near_boundary", "singular")] == kinds


@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_the_origin_of_a_predictor_does_not_make_a_correlation_suspect(shift: float) -> None:
    """Far from zero intercept and slope go together whatever the data: no boundary is near."""
    slope = RNG.normal(size=M)[G]
    data = DATA.assign(y=DATA["y"] + slope * DATA["x"], x=DATA["x"] + shift)
    result = fit(data, formula="y ~ x + (x | g)")
    assert not found(result, "near_boundary")
    assert not found(result, "collinear")


# -- predictors ----------------------------------------------------------------------------------------------


def test_predictors_that_go_together() -> None:
    data = DATA.assign(twin=DATA["x"] + 0.1 * DATA["z"])
    (finding,) = found(fit(data, formula="y ~ x + twin + h + (1 | g)"), "collinear")
    assert finding.severity == "warning"
    assert "x 1" in finding.evidence
    assert "twin 1" in finding.evidence
    assert "h " not in finding.evidence
    assert not found(fit(formula="y ~ x + z + h + (1 | g)"), "collinear")


def test_powers_far_from_zero() -> None:
    data = DATA.assign(x=DATA["x"] + 100)
    (finding,) = found(fit(data, formula="y ~ x + I(x ** 2) + (1 | g)"), "collinear")
    assert finding.severity == "info"
    assert "condition number" in finding.evidence
    assert not found(fit(formula="y ~ x + I(x ** 2) + (1 | g)"), "collinear")


def test_the_condition_number_is_that_of_the_scaled_columns() -> None:
    result = fit(formula="y ~ x + z + h + (1 | g)")
    columns = result.model.exog[:, 1:] - result.model.exog[:, 1:].mean(axis=0)
    size = np.linalg.svd(columns / np.linalg.norm(columns, axis=0), compute_uv=False)
    size = np.append(size, 1.0)  # the constant, at right angles to all others
    assert condition_number(result._user)[0] == pytest.approx(size.max() / size.min())


def test_a_predictor_in_a_strange_unit() -> None:
    (finding,) = found(fit(DATA.assign(x=1e5 * DATA["x"])), "badly_scaled")
    assert finding.evidence == f"Standard deviations: x {1e5 * DATA['x'].std():.3g}."
    assert not found(fit(), "badly_scaled")
    assert not found(fit(formula="y ~ x + C(half) + (1 | g)"), "badly_scaled")
    rare = DATA.assign(rare=(np.arange(len(DATA)) == 3).astype(float))
    assert not found(fit(rare, formula="y ~ x + rare + (1 | g)"), "badly_scaled")


def sloped(x: str) -> dict[str, dict[str, Any]]:
    """Models with a random slope of x."""
    parts = {x: f"0 + {x}"}
    return {
        "seed": {"formula": f"y ~ {x}", "groups": "g", "re_formula": x},
        "bars": {"formula": f"y ~ {x} + ({x} || g)"},
        "component": {"formula": f"y ~ {x}", "groups": "g", "re_formula": "1", "vc_formula": parts},
    }


@pytest.mark.parametrize("notation", sloped("x"))
def test_a_slope_along_nothing(notation: str) -> None:
    (finding,) = found(fit(**sloped("of_g")[notation]), "constant_slope")
    assert "of_g" in finding.title
    assert not found(fit(**sloped("x")[notation]), "constant_slope")


# -- within and between --------------------------------------------------------------------------------------


def contextual_data(difference: float) -> pd.DataFrame:
    x = DATA["x"] + DATA["of_g"]
    means = x.groupby(DATA["g"]).transform("mean")
    return DATA.assign(x=x, mean=means, y=DATA["y"] - DATA["x"] + x + difference * means)


@each_notation
def test_slopes_within_and_between_that_differ(how: dict[str, Any]) -> None:
    (finding,) = found(fit(contextual_data(2.0), **how), "within_between")
    assert "x has one slope within levels of g" in finding.title
    assert not found(fit(contextual_data(0.0), **how), "within_between")


def test_a_model_that_has_the_means_is_not_told_to_add_them() -> None:
    assert not found(fit(contextual_data(2.0), formula="y ~ x + mean + (1 | g)"), "within_between")


@each_notation
def test_the_contextual_test_equals_the_wider_model(how: dict[str, Any]) -> None:
    """γ, its t and the slope within from GLS with the means in X, by the dense V at the same variances."""
    data = contextual_data(0.5)
    result = fit(data, **how)
    seen = seen_of(result)
    (test,) = contextual(seen, next(codes for _, term, codes in seen.factors if term.name == "g"))
    V = dense(result)
    wide = np.column_stack([np.ones(len(data)), data["x"], data["mean"]])
    A = np.linalg.solve(V, np.column_stack([wide, data["y"]]))
    cov = np.linalg.inv(wide.T @ A[:, :3])
    beta = cov @ (wide.T @ A[:, 3])
    rest = data["y"] - wide @ beta
    sigma2 = rest @ np.linalg.solve(V, rest) / (len(data) - 3)
    assert test.difference == pytest.approx(beta[2], rel=1e-8)
    assert test.within == pytest.approx(beta[1], rel=1e-8)
    assert test.t == pytest.approx(beta[2] / np.sqrt(sigma2 * cov[2, 2]), rel=1e-8)


def dense(result: MixedLMResults) -> Floats:
    """V over σ², (n, n)."""
    w = result.model.weights
    V = np.eye(result.nobs) if w is None else np.diag(1 / w)
    for t, term in enumerate(result.model.design.terms):
        block = term.blocks[0]
        same = block.codes[:, None] == block.codes
        V = V + (block.basis @ result._user.psi(t) @ block.basis.T) * same
    return V


@pytest.mark.parametrize("formula", ["y ~ x + (x | g) + (z | h)", "y ~ x + (x | g / half) + (1 | h)"])
def test_columns_times_the_inverse(formula: str) -> None:
    result = fit(formula=formula)
    C = np.random.default_rng(0).normal(size=(2, len(DATA)))
    assert times_inverse(seen_of(result), C) == pytest.approx(np.linalg.solve(dense(result), C.T).T)


# -- rows and levels -----------------------------------------------------------------------------------------


@each_notation
def test_levels_that_scatter_more(how: dict[str, Any]) -> None:
    noise = np.random.default_rng(2).normal(size=len(DATA))
    wild = DATA.assign(y=DATA["y"] + np.where(np.isin(G, range(10)), 4 * noise, 0.0))
    (finding,) = [f for f in found(fit(wild, **how), "unequal_spread") if f.title.endswith(" g")]
    assert "Residuals are largest in g0" in finding.evidence
    assert not found(fit(**how), "unequal_spread")


def test_equal_spread_is_called_unequal_no_more_often_than_promised() -> None:
    """Levels of five rows, whose residuals are much correlated: p-values at most as small as uniform ones."""
    rng = np.random.default_rng(4)
    codes, p_values = np.repeat(np.arange(60), 5), []
    data = pd.DataFrame({"g": codes, "x": np.tile(np.arange(5.0), 60)})
    for _ in range(200):
        b = rng.normal(size=(60, 2))[codes]
        data["y"] = b[:, 0] + b[:, 1] * data["x"] + rng.normal(size=300)
        result = mixedlm("y ~ x + (x | g)", data).fit()
        size = np.abs(result.residuals("studentised").to_numpy())
        one = levene(size, codes, result.leverage().to_numpy())
        assert one is not None
        p_values.append(one.p_value)
    assert np.mean(np.array(p_values) < 0.05) < 0.08
    assert np.mean(np.array(p_values) < 0.5) > 0.3  # and not hopelessly few


def test_a_row_far_out() -> None:
    data = DATA.assign(y=DATA["y"] + 12.0 * (np.arange(len(DATA)) == 77)).set_index(DATA.index + 1000)
    (finding,) = found(fit(data), "outliers")
    assert finding.evidence.startswith("Residuals in units of their standard deviation: row 1077 (")
    assert not found(fit(), "outliers")


def lever(height: float) -> pd.DataFrame:
    """One group far out along a predictor of groups, and off the line by `height`."""
    far = np.where(G == 4, 15.0, DATA["of_g"])
    return DATA.assign(of_g=far, y=DATA["y"] + height * (G == 4))


@pytest.mark.parametrize("how", ["y ~ of_g + (1 | g)", "y ~ of_g + (1 | g / half)"])
def test_a_group_that_the_fixed_effects_rest_on(how: str) -> None:
    (finding,) = found(fit(lever(12.0), formula=how), "influential")
    assert "rest much on g04 of g" in finding.title
    assert "coefficient of of_g" in finding.evidence
    assert not found(fit(formula=how), "influential")


# -- reference -----------------------------------------------------------------------------------------------

FOLDER = Path(__file__).parents[1] / "reference"
RECORDS: list[dict[str, Any]] = json.loads((FOLDER / "findings.json").read_text(encoding="utf-8"))["fits"]
# lmer's θ is good to about 1e-6.
REFERENCE_TOL = 2e-5


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['data']}: {r['formula']}")
def test_numbers_of_car_and_lme4(record: dict[str, Any]) -> None:
    data = datasets.load(record["data"])
    if record["data"] == "egsingle":
        data["grade"] = data["grade"].astype(str).astype(float)
    seen = seen_of(mixedlm(record["formula"], data).fit())
    if record["vif"] is not None:
        ours = dict(zip([t.name for t in seen.terms], inflation(seen.user, seen.terms), strict=True))
        theirs = dict(zip(record["vif"]["names"], record["vif"]["gvif"], strict=True))
        assert ours == pytest.approx(theirs, rel=REFERENCE_TOL)
    _, _, codes = next(f for f in seen.factors if f[1].name == record["factor"])
    if record["contextual"] is not None:
        test = next(test for test in contextual(seen, codes) if test.name == record["column"])
        for name, value in record["contextual"].items():
            assert getattr(test, name) == pytest.approx(value, rel=REFERENCE_TOL, abs=1e-6)
    if record["levene"] is not None:
        found = levene(np.abs(seen.studentised), codes, seen.leverages().total)
        assert found is not None
        assert pytest.approx(record["levene"]["F"], rel=REFERENCE_TOL) == found.F
        assert found.p_value == pytest.approx(record["levene"]["p"], rel=1e-3)


# -- noise and edges -----------------------------------------------------------------------------------------


def test_sound_fits_are_left_alone() -> None:
    """Of 200 data sets that follow the model few have anything to be told, and that by chance."""
    rng, told = np.random.default_rng(6), 0
    for _ in range(200):
        x = rng.normal(size=M * K) + rng.normal(size=M)[G]
        y = 1 + x + rng.normal(size=M)[G] + rng.normal(size=M * K)
        told += bool(mixedlm("y ~ x + (1 | g)", pd.DataFrame({"y": y, "x": x, "g": G})).fit().diagnose())
    assert told <= 10


EXPECTED = {
    "Assay": {"few_levels", "near_boundary"},
    "Chem97": {"within_between", "unequal_spread", "outliers"},
    "Dyestuff2": {"singular"},
    "Early": {"singular"},
    "Orthodont": {"outliers"},
    "egsingle": {"unequal_spread", "within_between", "outliers"},
    "sleepstudy": {"outliers"},
}


@pytest.mark.parametrize("name", [name for name in datasets.list()["name"] if name != "InstEval"])
def test_findings_of_the_examples(name: str) -> None:
    """The suggested model of each example, as the app fits it; most have nothing to be told."""
    example, data = datasets.describe(name), datasets.load(name)
    groups: Any = example.groups or np.ones(len(data))
    parts = example.vc_formula or None
    result = mixedlm(example.formula, data, example.re_formula, parts, groups=groups).fit()
    assert {finding.kind for finding in result.diagnose()} == EXPECTED.get(name, set())


def test_rows_that_were_not_kept_leave_the_other_rules() -> None:
    data = DATA.assign(
        y=DATA["y"] + 12.0 * (np.arange(len(DATA)) == 77),
        twin=DATA["x"] + 0.1 * DATA["of_g"],
        z=1e6 * DATA["z"],
    )
    result = mixedlm("y ~ x + twin + z + (1 | g)", chunked(data, 50)).fit()
    assert [f.kind for f in result.diagnose()] == ["collinear", "badly_scaled"]
    assert "outliers" in [f.kind for f in fit(data, formula="y ~ x + twin + z + (1 | g)").diagnose()]


def test_models_from_arrays() -> None:
    data = contextual_data(2.0)
    arrays = MixedLM(data["y"].to_numpy(), np.column_stack([np.ones(M * K), data["x"]]), data["g"].to_numpy())
    (finding,) = found(arrays.fit(), "within_between")
    assert "x1 has one slope within levels of Group" in finding.title


EDGES: dict[str, dict[str, Any]] = {
    "no fixed effects": {"formula": "y ~ 0 + (1 | g)"},
    "one": {"formula": "y ~ 1 + (1 | g)"},
    "no intercept": {"formula": "y ~ 0 + x + (1 | g)"},
    "aliased": {"formula": "y ~ x + I(2 * x) + half + (1 | g)"},
    "offset": {"formula": "y ~ x + (1 | g)", "offset": "z"},
    "components": {"formula": "y ~ x", "groups": "g", "vc_formula": {"half": "0 + C(half)"}},
}


@pytest.mark.parametrize("how", EDGES.values(), ids=EDGES)
def test_every_rule_runs_on(how: dict[str, Any]) -> None:
    kinds = {f.kind for f in fit(**how).diagnose()}
    assert kinds <= {"aliased", "near_boundary", "singular"}


def test_as_many_effects_as_rows() -> None:
    """Residuals of next to nothing: rules on rows have nothing to say and do not fail."""
    first_two = datasets.load("sleepstudy").query("Days < 2")
    result = mixedlm("Reaction ~ Days", first_two, groups="Subject", re_formula="Days").fit()
    assert found(result, "saturated")


def test_the_summary_keeps_to_the_fit() -> None:
    """Its notes are for search and boundary; a look at the rows is a matter of `diagnose`."""
    text = str(fit(contextual_data(2.0)).summary())
    assert "one slope within" not in text
