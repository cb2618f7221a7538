"""Wald tests and intervals of a fit, by definition, with statsmodels' containers, and at the edges."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import MixedLM, MixedLMResults, datasets, mixedlm
from mixedcore.errors import FormulaError, MixedCoreError, ModelError
from mixedcore.inference.hypothesis_text import Linear, read_hypotheses
from mixedcore.inference.wald import joint_test, single_tests
from mixedcore.results.contrast import ContrastResults
from tests.reference.calls import frame_of


@cache
def cake() -> MixedLMResults:
    data = frame_of("cake").astype({"temperature": float})
    return mixedlm("angle ~ recipe * temperature", data, groups="replicate").fit()


@cache
def bars() -> MixedLMResults:
    data = frame_of("cake").astype({"temperature": float})
    return mixedlm("angle ~ recipe * temperature + (1 | replicate)", data).fit()


@cache
def aliased() -> MixedLMResults:
    data = frame_of("sleepstudy")
    return mixedlm("Reaction ~ Days + I(2 * Days) + I(Days ** 2)", data, groups="Subject").fit()


# -- the numbers -------------------------------------------------------------------------------------------


def random_problem(seed: int, P: int = 5, r: int = 3) -> tuple[Linear, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(P, P))
    return Linear(rng.normal(size=(r, P)), rng.normal(size=r)), rng.normal(size=P), root @ root.T


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("df", [np.inf, 17.0])
def test_single_tests_by_definition(seed: int, df: float) -> None:
    linear, b, C = random_problem(seed)
    found = single_tests(linear, b, C, df)
    for i, (row, value) in enumerate(zip(linear.R, linear.q, strict=True)):
        z = (row @ b - value) / np.sqrt(row @ C @ row)
        assert found.statistic[i] == pytest.approx(z, rel=1e-12)
        p = 2 * (stats.norm.sf(abs(z)) if np.isinf(df) else stats.t.sf(abs(z), df))
        assert found.p[i] == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("df", [np.inf, 17.0])
def test_joint_tests_by_definition(seed: int, df: float) -> None:
    linear, b, C = random_problem(seed)
    found = joint_test(linear, b, C, df=df)
    left = linear.R @ b - linear.q
    W = left @ np.linalg.solve(linear.R @ C @ linear.R.T, left)
    assert found.statistic == pytest.approx(W, rel=1e-9)
    assert found.rank == 3
    p = stats.chi2.sf(W, 3) if np.isinf(df) else stats.f.sf(W / 3, 3, df)
    assert found.p == pytest.approx(p, rel=1e-9)
    inverse = np.linalg.inv(linear.R @ C @ linear.R.T)
    assert joint_test(linear, b, C, df=df, inverse=inverse).statistic == pytest.approx(W, rel=1e-9)


def test_small_p_values_keep_their_digits() -> None:
    """1 − distribution function is 0 from z = 8.3 on."""
    assert cake().t_test(np.eye(6)[0] * 1e-9).pvalue == pytest.approx(
        2 * stats.norm.sf(abs(cake().tvalues.iloc[0])), rel=1e-9
    )
    linear = Linear(np.eye(1), np.zeros(1))
    assert joint_test(linear, np.array([30.0]), np.eye(1)).p == pytest.approx(stats.chi2.sf(900, 1), rel=1e-9)
    assert single_tests(linear, np.array([30.0]), np.eye(1)).p == pytest.approx(
        2 * stats.norm.sf(30), rel=1e-9
    )


def test_scales_of_the_parameters_do_not_matter() -> None:
    """A rank judged in the units of the data would take a slope in millions for nothing."""
    linear, b, C = random_problem(7)
    D = np.diag([1e-8, 1.0, 1e9, 1e-3, 1e5])
    moved = Linear(linear.R @ np.linalg.inv(D), linear.q)
    assert joint_test(moved, D @ b, D @ C @ D).statistic == pytest.approx(joint_test(linear, b, C).statistic)
    rows = Linear(np.array([1e-9, 1.0, 1e9])[:, None] * linear.R, np.array([1e-9, 1.0, 1e9]) * linear.q)
    assert joint_test(rows, b, C).statistic == pytest.approx(joint_test(linear, b, C).statistic)


def test_redundant_hypotheses_count_once_and_contradictions_are_refused() -> None:
    once = cake().wald_test("temperature = 0.1")
    twice = cake().wald_test("temperature = 0.1, 3 * temperature = 0.3")
    assert twice.df_denom == once.df_denom == 1
    assert twice.statistic == pytest.approx(once.statistic)
    with pytest.raises(ModelError, match="contradict"):
        cake().wald_test("temperature = 1, temperature = 2")


# -- statsmodels 0.15.0, from the same estimates -------------------------------------------------------------

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "statsmodels_results.json").read_text(encoding="utf-8")
)["tests"]
ESTIMATE, COV = np.array(STORED["params"]), np.array(STORED["cov"])
ROUNDING = 1e-9  # both compute the same from the same numbers; the covariance's condition number is 1e6


@pytest.mark.parametrize("stored", STORED["joint"], ids=lambda stored: stored[0])
def test_joint_tests_equal_statsmodels(stored: list[Any]) -> None:
    text, statistic, rank, p, F, p_of_F = stored
    linear = read_hypotheses(text, STORED["names"])
    found = joint_test(linear, ESTIMATE, COV)
    assert (found.rank, found.statistic) == (rank, pytest.approx(statistic, rel=ROUNDING))
    assert found.p == pytest.approx(p, rel=1e-7)
    with_f = joint_test(linear, ESTIMATE, COV, df=STORED["df_resid"])
    assert with_f.statistic / with_f.rank == pytest.approx(F, rel=ROUNDING)
    assert with_f.p == pytest.approx(p_of_F, rel=1e-7)


def test_single_tests_equal_statsmodels() -> None:
    R, df = np.array(STORED["R"]), STORED["df_resid"]
    p = R.shape[1]
    linear, estimate, cov = Linear(R, np.zeros(len(R))), ESTIMATE[:p], COV[:p, :p]
    z, t = single_tests(linear, estimate, cov), single_tests(linear, estimate, cov, df)
    low = ContrastResults.of_single(z, None).conf_int()[:, 0]
    high = ContrastResults.of_single(t, df).conf_int(0.1)[:, 1]
    for found, expected in zip(
        (z.effect, z.sd, z.statistic, z.p, t.p, low, high), STORED["single"], strict=True
    ):
        assert found == pytest.approx(np.array(expected), rel=1e-7, abs=1e-9)


# -- containers, as statsmodels 0.15 has them ---------------------------------------------------------------


def test_several_single_tests() -> None:
    result = cake()
    test = result.t_test(np.eye(6))
    assert test.distribution == "norm"
    assert test.effect == pytest.approx(result.fe_params.to_numpy())
    assert test.sd == pytest.approx(result.bse_fe.to_numpy())
    assert test.statistic == pytest.approx(result.tvalues.to_numpy()[:6])
    assert test.pvalue == pytest.approx(result.pvalues.to_numpy()[:6])
    assert test.tvalue is test.statistic
    assert test.conf_int() == pytest.approx(result.conf_int().to_numpy()[:6])
    assert test.conf_int(0.1).shape == (6, 2)
    assert test.c_names == ["c0", "c1", "c2", "c3", "c4", "c5"]
    assert test.dist is stats.norm
    assert test.dist_args == ()
    assert not hasattr(test, "fvalue")


def test_one_single_test_has_the_shapes_of_statsmodels() -> None:
    test = cake().t_test("temperature = 0.1")
    assert test.effect is not None
    assert test.effect.shape == (1,)
    assert test.sd.shape == test.statistic.shape == test.tvalue.shape == (1, 1)
    assert test.pvalue.shape == ()
    assert test.conf_int().shape == (1, 2)
    assert test.statistic.item() == pytest.approx(
        (cake().params["temperature"] - 0.1) / cake().bse["temperature"]
    )


def test_t_has_the_residual_degrees_of_freedom() -> None:
    test = cake().t_test("temperature", use_t=True)
    assert (test.distribution, test.df_denom, test.dist_args) == ("t", 264, (264.0,))
    assert test.dist is stats.t
    assert test.pvalue == pytest.approx(2 * stats.t.sf(abs(test.statistic.item()), 264), rel=1e-9)
    half = stats.t.ppf(0.975, 264) * test.sd.item()
    assert test.conf_int()[0] == pytest.approx(test.effect + np.array([-half, half]))
    assert not cake().use_t


def test_joint_tests() -> None:
    wald = cake().wald_test("recipe[T.B] = recipe[T.C] = 0")
    f = cake().f_test("recipe[T.B] = recipe[T.C] = 0")
    assert (wald.distribution, wald.df_denom, wald.dist_args) == ("chi2", 2, (2.0,))
    assert (f.distribution, f.df_num, f.df_denom, f.dist_args) == ("F", 2, 264, (2.0, 264.0))
    assert f.fvalue == f.statistic == pytest.approx(wald.statistic / 2)
    assert wald.tvalue == wald.statistic
    assert wald.pvalue == pytest.approx(stats.chi2.sf(wald.statistic, 2))
    assert f.pvalue == pytest.approx(stats.f.sf(f.statistic, 2, 264))
    assert f.effect is None
    assert f.c_names is None
    assert wald.dist is stats.chi2
    assert f.dist is stats.f
    assert not hasattr(f, "tvalue")
    with pytest.raises(ModelError, match="t_test"):
        f.conf_int()
    with pytest.raises(ModelError, match="t_test"):
        f.summary_frame()


def test_arguments_of_wald_test() -> None:
    result, R = cake(), np.eye(6)[1:3]
    plain = result.wald_test(R)
    assert result.wald_test(R, scalar=False).statistic.shape == (1, 1)
    assert result.wald_test(R, use_f=True).statistic == pytest.approx(result.f_test(R).statistic)
    cov = np.asarray(result.cov_params())
    assert result.wald_test(R, cov_p=cov[:6, :6]).statistic == pytest.approx(plain.statistic)
    full = np.eye(7)[1:3]
    assert result.wald_test(full, cov_p=4 * cov).statistic == pytest.approx(plain.statistic / 4)
    inverse = np.linalg.inv(cov[1:3, 1:3])
    assert result.wald_test(R, invcov=inverse).statistic == pytest.approx(plain.statistic)
    assert result.wald_test(R, df_constraints=1).df_denom == 1
    assert result.f_test(R, cov_p=cov[:6, :6]).statistic == pytest.approx(plain.statistic / 2)
    on_variance = result.wald_test("replicate Var = 0")
    assert on_variance.statistic == pytest.approx(result.tvalues["replicate Var"] ** 2)


EQUAL: list[Any] = [
    "recipe[T.B] = 1, temperature = 0.1",
    ["recipe[T.B] = 1", "temperature = 0.1"],
    {"recipe[T.B]": 1, "temperature": 0.1},
    (np.eye(6)[[1, 3]], [1, 0.1]),
    (np.eye(7)[[1, 3]], [1, 0.1]),
    (pd.DataFrame({"temperature": [0, 1.0], "recipe[T.B]": [1.0, 0]}), [1, 0.1]),
]


@pytest.mark.parametrize("given", EQUAL, ids=lambda g: type(g).__name__)
def test_hypotheses_may_be_written_in_any_way(given: Any) -> None:
    expected = cake().wald_test(EQUAL[0]).statistic
    assert cake().wald_test(given).statistic == pytest.approx(expected)
    assert bars().wald_test(given).statistic == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "one_row", [[0, 1, -1, 0, 0, 0], np.array([0, 1, -1, 0, 0, 0]), "recipe[T.B]=recipe[T.C]"]
)
def test_one_row_needs_no_second_dimension(one_row: Any) -> None:
    test = cake().t_test(one_row)
    assert test.effect == pytest.approx(cake().fe_params.iloc[1] - cake().fe_params.iloc[2])


# -- terms and pairs -----------------------------------------------------------------------------------------


def test_terms() -> None:
    result = cake()
    terms = result.wald_test_terms()
    assert list(terms.table.index) == ["Intercept", "recipe", "temperature", "recipe:temperature"]
    assert terms.df_constraints.tolist() == [1, 2, 1, 2]
    assert terms.distribution == "chi2"
    assert list(terms.summary_frame().columns) == ["chi2", "P>chi2", "df constraint"]
    interaction = result.wald_test(np.eye(6)[4:])
    assert terms.table.loc["recipe:temperature", "statistic"] == pytest.approx(interaction.statistic)
    assert terms.pvalues[3] == pytest.approx(interaction.pvalue)
    assert terms.statistic[2] == pytest.approx(result.tvalues["temperature"] ** 2)
    assert list(result.wald_test_terms(skip_single=True).table.index) == ["recipe", "recipe:temperature"]
    assert "recipe:temperature" in str(terms)


def test_terms_taken_together() -> None:
    result = cake()
    table = result.wald_test_terms(
        combine_terms=["temp"],
        extra_constraints=[("B at 200", "recipe[T.B] + 200 * recipe[T.B]:temperature")],
    ).table
    assert table.loc["temp", "df_constraint"] == 3
    assert table.loc["temp", "statistic"] == pytest.approx(result.wald_test(np.eye(6)[3:]).statistic)
    assert table.loc["B at 200", "df_constraint"] == 1
    with pytest.raises(ModelError, match="no term has 'weight'"):
        result.wald_test_terms(combine_terms=["weight"])


def test_terms_of_a_model_from_arrays_are_its_columns() -> None:
    data = frame_of("sleepstudy")
    X = np.column_stack([np.ones(len(data)), data["Days"]])
    result = MixedLM(data["Reaction"].to_numpy(), X, data["Subject"].to_numpy()).fit()
    assert list(result.wald_test_terms().table.index) == ["const", "x1"]
    assert result.wald_test("x1 = 10").df_denom == 1


@pytest.mark.parametrize("coding", ["recipe", "C(recipe, Sum)", "C(recipe, Treatment('B'))", "0 + recipe"])
def test_pairs_do_not_depend_on_the_coding(coding: str) -> None:
    data = frame_of("cake").astype({"temperature": float})
    result = mixedlm(f"angle ~ {coding} + temperature", data, groups="replicate").fit()
    found = result.t_test_pairwise(coding.removeprefix("0 + "), method=["hs", "bonferroni", "fdr_bh"])
    table = found.result_frame
    assert list(table.index) == ["B-A", "C-A", "C-B"] == found.contrast_labels
    reference = mixedlm("angle ~ recipe + temperature", data, groups="replicate").fit()
    assert table["coef"].to_numpy() == pytest.approx(
        [
            reference.fe_params.iloc[1],
            reference.fe_params.iloc[2],
            np.diff(reference.fe_params.iloc[1:3]).item(),
        ],
        rel=1e-6,
    )
    assert list(table.columns[6:8]) == ["pvalue-hs", "reject-hs"]
    assert table["pvalue-bonferroni"].to_numpy() == pytest.approx(
        np.minimum(3 * table["P>|z|"], 1).to_numpy()
    )
    assert (table["reject-bonferroni"] == (table["pvalue-bonferroni"] <= 0.05)).all()
    assert found.contrasts.shape == (3, len(result.params))
    assert found.contrasts @ result.params.to_numpy() == pytest.approx(table["coef"].to_numpy())
    assert found.term_encoding_matrix.shape[0] == 3


def test_pairs_of_a_model_in_bars_with_own_labels() -> None:
    table = bars().t_test_pairwise("recipe", factor_labels=["one", "two", "three"]).result_frame
    assert list(table.index) == ["two-one", "three-one", "three-two"]
    with pytest.raises(ModelError, match="wrong length"):
        bars().t_test_pairwise("recipe", factor_labels=["one"])
    with pytest.raises(ModelError, match="'recipe'"):
        bars().t_test_pairwise("temperature")


# -- what cannot be tested -----------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "t test of a variance": (lambda: cake().t_test("replicate Var = 0"), "no fixed effect"),
    "t test of all parameters": (lambda: cake().t_test(np.eye(7)), "should have 6 columns"),
    "wrong width": (lambda: cake().wald_test(np.eye(8)), "8 columns; give 6"),
    "nothing": (lambda: cake().t_test(np.zeros(6)), "no parameter"),
    "nothing jointly": (lambda: cake().wald_test(np.zeros((1, 6))), "no standard error"),
    "unknown": (lambda: cake().f_test("recipe[T.D]"), "Did you mean 'recipe"),
    "aliased by name": (lambda: aliased().t_test("I(2 * Days) = 0"), "left out"),
    "aliased by place": (lambda: aliased().t_test(np.eye(4)[2]), "left out"),
    "covariance of another size": (lambda: cake().wald_test(np.eye(6)[0], cov_p=np.eye(3)), "cov_p"),
    "use_t of another type": (lambda: cake().t_test(np.eye(6)[0], use_t="yes"), "True, False or None"),  # type: ignore[arg-type]
    "names of another number": (lambda: cake().t_test(np.eye(6)).summary_frame(xname=["a"]), "1 names for 6"),
    "method": (lambda: cake().t_test_pairwise("recipe", "tukey"), "not known"),
}


@pytest.mark.parametrize(("call", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_tested_is_explained(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(MixedCoreError, match=sentence):
        call()


def test_aliased_columns_are_left_out_of_arrays_and_terms() -> None:
    result = aliased()
    assert result.wald_test_terms().table.index.tolist() == ["Intercept", "Days", "I(Days ** 2)"]
    expected = result.t_test("I(Days ** 2)").statistic
    assert result.t_test(np.eye(3)[2]).statistic == pytest.approx(expected)
    assert result.t_test(np.eye(4)[3]).statistic == pytest.approx(expected)
    assert result.wald_test(np.eye(4)[2]).statistic == pytest.approx(result.tvalues.iloc[2] ** 2)


EDGES: dict[str, Callable[[], MixedLMResults]] = {
    "singular": lambda: mixedlm("Yield ~ 1", datasets.load("Dyestuff2"), groups="Batch").fit(),
    "no intercept": lambda: mixedlm("Reaction ~ 0 + Days", frame_of("sleepstudy"), groups="Subject").fit(),
    "components": lambda: mixedlm(
        "strength ~ 1", frame_of("Pastes"), groups="batch", vc_formula={"cask": "0 + C(cask)"}
    ).fit(),
}  # fmt: skip


@pytest.mark.parametrize("fit", EDGES.values(), ids=EDGES)
def test_one_fixed_effect(fit: Callable[[], MixedLMResults]) -> None:
    result = fit()
    name = result.fe_params.index[0]
    test = result.t_test(f"{name} = 0")
    assert test.statistic.item() == pytest.approx(result.tvalues.iloc[0])
    assert result.f_test([1.0]).statistic == pytest.approx(result.tvalues.iloc[0] ** 2)
    assert result.wald_test_terms().df_constraints.tolist() == [1]


def test_rows_in_chunks() -> None:
    data = frame_of("cake").astype({"temperature": float})
    streamed = mixedlm("angle ~ recipe * temperature + (1 | replicate)", [data[:100], data[100:]]).fit()
    assert str(streamed.wald_test_terms()) == str(bars().wald_test_terms())
    pairs, expected = (r.t_test_pairwise("recipe").result_frame for r in (streamed, bars()))
    pd.testing.assert_frame_equal(pairs, expected, rtol=1e-6)


def test_no_fixed_effects() -> None:
    result = mixedlm(
        "y ~ 0", frame_of("sleepstudy").assign(y=lambda d: d["Reaction"] - 298), groups="Subject"
    ).fit()
    assert result.wald_test_terms().table.empty
    assert result.wald_test("Subject Var = 0").df_denom == 1
    with pytest.raises(MixedCoreError, match="no fixed effects"):
        result.t_test([1.0])
    with pytest.raises(FormulaError, match="Subject Var"):
        result.t_test("Intercept")
