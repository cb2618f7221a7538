"""`compare` against lme4's anova and RLRsim (tests/reference/comparison.json), known mixtures, simulation."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedcore
from mixedcore import MixedLM, MixedLMResults, compare, datasets, mixedlm
from mixedcore.errors import DataError, ModelError
from mixedcore.inference import chi_bar
from mixedcore.inference.chi_bar import chi_bar_p, projected, upper_chi2
from mixedcore.inference.exact_rlrt import null_draws, spectrum
from mixedcore.inference.nesting import embed
from mixedcore.terms import Floats

REFERENCE = Path(__file__).parents[1] / "reference" / "comparison.json"
RECORD: dict[str, Any] = json.loads(REFERENCE.read_text(encoding="utf-8"))
# 200,000 draws there and as many here: the standard error of the share above a quantile is at most 0.0016.
SHARE_TOL = 0.004


@cache
def fitted(name: str, formula: str, reml: bool = False) -> MixedLMResults:
    return mixedlm(formula, datasets.load(name), missing="drop").fit(reml=reml)


def sleep(formula: str, reml: bool = False) -> MixedLMResults:
    return fitted("sleepstudy", formula, reml)


# -- likelihood-ratio tests --------------------------------------------------------------------------------


@pytest.mark.parametrize("record", RECORD["lrt"], ids=lambda r: f"{r['data']}: {r['large']} {r['REML']}")
def test_equals_anova_of_lme4(record: dict[str, Any]) -> None:
    """But for p-values, in which lme4 takes no notice of the boundary."""
    small, large = (fitted(record["data"], record[which], record["REML"]) for which in ("small", "large"))
    table = compare(large, small)
    assert list(table.columns) == ["aic", "bic", "log_lik", "df", "chisq", "p_value"]
    assert table.index.name == "model"
    assert list(table.index) == [record["small"], record["large"]]
    assert table["aic"].to_numpy() == pytest.approx(np.array(record["AIC"]), abs=1e-5)
    assert table["bic"].to_numpy() == pytest.approx(np.array(record["BIC"]), abs=1e-5)
    assert table["log_lik"].to_numpy() == pytest.approx(np.array(record["logLik"]), abs=1e-6)
    assert table["chisq"].iloc[1] == pytest.approx(record["chisq"], abs=2e-6)
    assert table["df"].iloc[1] == record["df"]
    assert table.iloc[0, 3:].isna().all()


ONE, SLOPE, APART, BOTH = "(1|Subject)", "(0 + Days|Subject)", "(Days||Subject)", "(Days|Subject)"
P_VALUES = {
    "fixed effect": ("1 + (1|Subject)", "Days + (1|Subject)", {1: 1.0}),
    "one more correlated": (f"Days + {ONE}", f"Days + {BOTH}", {1: 0.5, 2: 0.5}),
    "one more alone": (f"Days + {ONE}", f"Days + {APART}", {0: 0.5, 1: 0.5}),
    "a correlation": (f"Days + {APART}", f"Days + {BOTH}", {1: 1.0}),
    "terms apart": (f"Days + {ONE} + {SLOPE}", f"Days + {BOTH}", {1: 1.0}),
    "fixed and correlated": (f"1 + {ONE}", f"Days + {BOTH}", {2: 0.5, 3: 0.5}),
    "slope first": (f"Days + {SLOPE}", f"Days + {BOTH}", {1: 0.5, 2: 0.5}),
    "another coding": ("Days + (0 + I(Days + 2)|Subject)", f"Days + {BOTH}", {1: 0.5, 2: 0.5}),
}


@pytest.mark.parametrize("case", P_VALUES)
def test_p_values_are_those_of_the_right_mixture(case: str) -> None:
    """Stram & Lee (1994): q → q + 1 effects give ½χ²_q + ½χ²_{q+1}; what may go either way gives χ²."""
    small, large, weights = P_VALUES[case]
    row = compare(sleep(f"Reaction ~ {small}"), sleep(f"Reaction ~ {large}")).iloc[1]
    expected = sum(w * stats.chi2.sf(row["chisq"], df) if df else 0.0 for df, w in weights.items())
    assert row["p_value"] == pytest.approx(expected, rel=1e-10)


def test_components_are_nested_as_terms_are() -> None:
    classes = datasets.load("classrooms")

    def fit(re: str | None, **vc: str) -> MixedLMResults:
        return mixedlm("test_score ~ age", classes, re, vc or None, groups="school").fit()

    one, two = fit("1"), fit("1", classroom="0 + C(classroom)")
    three = fit("1 + pretest", classroom="0 + C(classroom)")
    table = compare(three, one, two)
    assert list(table["df"].iloc[1:]) == [1, 2]
    assert "½χ²(0) + ½χ²(1)" in table.attrs["notes"][0]
    assert "½χ²(1) + ½χ²(2)" in table.attrs["notes"][1]
    assert table.index[1].endswith("vc_formula={'classroom': '0 + C(classroom)'}")


def test_one_fit_is_tested_against_no_random_effects() -> None:
    result = sleep("Reaction ~ Days + (1|Subject)")
    table = compare(result)
    data = datasets.load("sleepstudy")
    X = np.column_stack([np.ones(180), data["Days"]])
    rest = data["Reaction"] - X @ np.linalg.lstsq(X, data["Reaction"])[0]
    loglik = -90 * (np.log(2 * np.pi * float(rest @ rest) / 180) + 1)
    assert table["log_lik"].iloc[0] == pytest.approx(loglik, abs=1e-8)
    assert table["aic"].iloc[0] == pytest.approx(-2 * loglik + 6, abs=1e-8)
    assert table.index[0] == "Reaction ~ Days + (1|Subject) without random effects"
    assert table["chisq"].iloc[1] == pytest.approx(2 * (result.llf - loglik), abs=1e-8)
    assert table["p_value"].iloc[1] == pytest.approx(stats.chi2.sf(table["chisq"].iloc[1], 1) / 2)


def test_small_p_values_keep_their_digits_in_mixtures_too() -> None:
    p = compare(sleep("Reaction ~ Days + (Days|Subject)")).iloc[1]["p_value"]
    assert 1e-33 < p < 1e-31


def test_a_variance_of_zero_has_a_p_value_of_one() -> None:
    table = compare(fitted("Dyestuff2", "Yield ~ 1 + (1|Batch)", reml=True))
    assert table["chisq"].iloc[1] == pytest.approx(0.0, abs=1e-9)
    assert table["p_value"].iloc[1] == pytest.approx(1.0, abs=1e-4)


def test_a_singular_smaller_model_is_said() -> None:
    data = datasets.load("Dyestuff2").assign(z=np.arange(30) % 5)
    small, large = (mixedlm(f, data).fit() for f in ("Yield ~ 1 + (1|Batch)", "Yield ~ 1 + (z|Batch)"))
    assert "singular itself" in compare(small, large).attrs["notes"][0]


def test_no_test_lists_criteria_of_any_models() -> None:
    fits = [sleep("Reaction ~ Days + (1|Subject)"), sleep("Reaction ~ Days + (0 + Days|Subject)")]
    table = compare(*fits, test=None)
    assert table["aic"].tolist() == [fit.aic for fit in fits]
    assert table[["df", "chisq", "p_value"]].isna().all(axis=None)
    assert table.attrs["notes"] == []


def test_streamed_rows_are_compared_by_their_names() -> None:
    data = datasets.load("sleepstudy")
    formulas = ("Reaction ~ 1 + (1|Subject)", "Reaction ~ Days + (Days|Subject)")
    small, large = (mixedlm(f, [data.iloc[:70], data.iloc[70:]]).fit(reml=False) for f in formulas)
    expected = compare(*(sleep(f) for f in formulas))
    pd.testing.assert_frame_equal(compare(small, large), expected, rtol=1e-7)
    pd.testing.assert_frame_equal(compare(small, sleep(formulas[1])), expected, rtol=1e-7)
    data["Reaction"] += 1.0
    with pytest.raises(ModelError, match="differ in their outcome"):
        compare(small, mixedlm(formulas[1], data).fit(reml=False))


def test_arrays_weights_and_offsets_are_compared() -> None:
    data = datasets.load("sleepstudy")
    X, w, o = np.column_stack([np.ones(180), data["Days"]]), 1 + np.arange(180) % 3, np.arange(180) % 7
    more = {"weights": w, "offset": o}
    small = MixedLM(data["Reaction"], X, data["Subject"], **more).fit(reml=False)
    large = MixedLM(data["Reaction"], X, data["Subject"], exog_re=X, **more).fit(reml=False)
    table = compare(small, large)
    assert table["chisq"].iloc[1] == pytest.approx(small.criterion - large.criterion)
    for name in more:
        other = MixedLM(data["Reaction"], X, data["Subject"], **{name: more[name]}).fit(reml=False)
        with pytest.raises(ModelError, match="their weights or their offset"):
            compare(other, large)


MORE = "Days + I(Days**2) + I(Days**3)"
BAD = {
    "criteria": ((f"Days + {ONE}", False), (f"Days + {BOTH}", True), "fitted by REML and some by ML"),
    "REML": ((f"1 + {ONE}", True), (f"Days + {ONE}", True), r"Fit both with fit\(reml=False\)"),
    "random": (
        (f"Days + {SLOPE}", False),
        (f"{MORE} + {ONE}", False),
        "the random effects of the first are not",
    ),
    "uncorrelated": (
        (f"Days + {BOTH}", False),
        (f"{MORE} + {APART}", False),
        "the random effects of the first",
    ),
    "fixed": (
        (f"I(Days**2) + {ONE}", False),
        (f"Days + {BOTH}", False),
        "the fixed effects of the first are not",
    ),
    "equal": ((f"Days + {ONE}", False), (f"Days + {ONE}", False), "equally many parameters"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_compared_is_refused_with_the_remedy(case: str) -> None:
    *fits, sentence = BAD[case]
    with pytest.raises(ModelError, match=sentence):
        compare(*(sleep(f"Reaction ~ {formula}", reml) for formula, reml in fits))


def test_what_is_no_fit_is_refused() -> None:
    for given in ((), (sleep(f"Reaction ~ Days + {ONE}").model,)):
        with pytest.raises(ModelError, match="compare takes fitted models"):
            compare(*given)  # type: ignore[arg-type]


def test_other_rows_are_refused() -> None:
    data = datasets.load("sleepstudy")
    small = mixedlm("Reaction ~ 1 + (1|Subject)", data.iloc[:-1]).fit(reml=False)
    with pytest.raises(ModelError, match="179 and 180 rows"):
        compare(small, sleep("Reaction ~ Days + (1|Subject)"))
    other = mixedlm("Reaction ~ 1 + (1|Subject)", data.assign(Reaction=data["Reaction"][::-1].to_numpy()))
    with pytest.raises(ModelError, match="differ in their outcome"):
        compare(other.fit(reml=False), sleep("Reaction ~ Days + (1|Subject)"))


def test_an_unknown_test_is_refused() -> None:
    with pytest.raises(ModelError, match="test='wald' is not known"):
        compare(sleep("Reaction ~ Days + (1|Subject)"), test="wald")  # type: ignore[arg-type]


def test_other_names_of_the_same_columns_are_nested() -> None:
    """Another coding of the fixed effects, and levels that are called otherwise."""
    data = datasets.load("sleepstudy")
    data = data.assign(who=data["Subject"].astype(str).radd("s"), later=data["Days"] + 3)
    small = mixedlm("Reaction ~ later + (1|who)", data).fit(reml=False)
    table = compare(small, sleep("Reaction ~ Days + (Days|Subject)"))
    assert table["chisq"].iloc[1] == pytest.approx(42.139298542, abs=1e-5)


def test_terms_embed_where_their_levels_and_covariates_are() -> None:
    slopes = sleep("Reaction ~ Days + (Days|Subject)").model.design.terms
    alone = sleep("Reaction ~ Days + (0 + I(Days + 2)|Subject)").model.design.terms
    [place] = embed(alone, slopes) or []
    assert place.C[:, 0].tolist() == pytest.approx([2.0, 1.0])
    assert embed(slopes, alone) is None
    plate, sample = fitted("Penicillin", "diameter ~ 1 + (1|plate) + (1|sample)").model.design.terms
    assert embed([plate], [sample]) is None


# -- mixtures ----------------------------------------------------------------------------------------------


def correlated(rho: float) -> Floats:
    return np.array([[1.0, rho], [rho, 1.0]])


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("free", [0, 2])
def test_two_variances_have_the_weights_of_their_angle(rho: float, free: int) -> None:
    """Self & Liang (1987), case 7: weights ½ − φ/2π, ½, φ/2π, cos φ = the correlation of the estimates."""
    information = np.linalg.inv(correlated(rho)) * np.outer([3.0, 50.0], [3.0, 50.0])
    share = (np.pi - np.arccos(rho)) / (2 * np.pi)
    for x in (0.5, 3.0, 40.0):
        tails = [upper_chi2(x, free + j) for j in range(3)]
        expected = (0.5 - share) * tails[0] + 0.5 * tails[1] + share * tails[2]
        assert chi_bar_p(x, free, (1, 1), information) == pytest.approx(expected, rel=0.03)


def test_projections_are_those_of_a_quadratic_program() -> None:
    """Of a 2 × 2 covariance and a variance, beside SciPy's search over Cholesky factors."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(5)
    A = rng.normal(size=(4, 9))
    information = A @ A.T
    U = rng.normal(size=(12, 4))
    found = projected(U, (2, 1), information)
    z = np.linalg.solve(np.linalg.cholesky(information).T, U.T).T

    def distance(p: Floats, own: Floats) -> float:
        k = np.array([p[0] ** 2, p[0] * p[1], p[1] ** 2 + p[2] ** 2, p[3] ** 2])
        return float((own - k) @ information @ (own - k))

    for own, length in zip(z, found, strict=True):
        starts = rng.normal(size=(12, 4))
        least = min(minimize(distance, s, args=(own,), tol=1e-12).fun for s in starts)
        assert own @ information @ own - length == pytest.approx(least, rel=1e-4, abs=1e-5)


def test_the_mixture_for_two_correlated_effects_is_what_simulated_data_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """(x | g) against nothing, of data without groups: the share of p-values below 0.05 and 0.2, 400 sets."""
    monkeypatch.setattr(chi_bar, "DIRECTIONS", 500)
    rng = np.random.default_rng(20240711)
    data = pd.DataFrame({"g": np.repeat(np.arange(60), 8), "x": np.tile(np.arange(8.0), 60)})
    p = []
    for _ in range(400):
        data["y"] = rng.normal(size=480)
        p.append(compare(mixedlm("y ~ x + (x | g)", data).fit(reml=False)).iloc[1]["p_value"])
    for level in (0.05, 0.2):
        share, error = float(np.mean(np.array(p) < level)), np.sqrt(level * (1 - level) / 400)
        assert abs(share - level) < 3 * error, level


# -- exact tests -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", RECORD["exact"], ids=lambda r: f"{r['data']}: {r['formula']}")
def test_draws_have_the_quantiles_of_rlrsim(record: dict[str, Any]) -> None:
    cp, _ = fitted(record["data"], record["formula"], True).model._products
    for kind, reml in (("RLRT", True), ("LRT", False)):
        draws = null_draws(spectrum(cp), 200_000, 7, reml=reml)
        for share, quantile in zip(record["shares"], record[kind], strict=True):
            if quantile > 0:
                assert (draws <= quantile).mean() == pytest.approx(share, abs=SHARE_TOL), (kind, share)
    draws = null_draws(spectrum(cp), 200_000, 7, reml=True)
    assert (draws < 1e-8).mean() == pytest.approx(record["RLRT_zero"], abs=2 * SHARE_TOL)


@pytest.mark.parametrize("name", ["Dyestuff", "Rail"])
def test_of_balanced_groups_the_exact_test_is_the_f_test(name: str) -> None:
    """RLRT is then a rising function of F where F > 1, and zero elsewhere."""
    formula = {"Dyestuff": "Yield ~ 1 + (1|Batch)", "Rail": "travel ~ 1 + (1|Rail)"}[name]
    result, n = fitted(name, formula, True), 100_000
    y, codes = result.model.endog, result.model.group_codes
    groups = [y[codes == g] for g in range(codes.max() + 1)]
    expected = float(stats.f_oneway(*groups).pvalue)
    p = compare(result, test="exact", n=n)["p_value"].iloc[1]
    assert abs(p - expected) < 4 * np.sqrt(expected * (1 - expected) / n) + 1 / n


def test_the_exact_test_holds_its_level_with_few_groups() -> None:
    """Five groups of four, none of them different: p-values are uniform below the mass at zero."""
    rng = np.random.default_rng(11)
    data = pd.DataFrame({"g": np.repeat(np.arange(5), 4), "x": rng.normal(size=20)})
    p = []
    for _ in range(300):
        data["y"] = rng.normal(size=20)
        p.append(compare(mixedlm("y ~ x + (1 | g)", data).fit(), test="exact", n=500).iloc[1]["p_value"])
    for level in (0.05, 0.2):
        assert abs(np.mean(np.array(p) < level) - level) < 3 * np.sqrt(level * (1 - level) / 300)


def test_the_exact_test_depends_on_its_seed_alone() -> None:
    result = fitted("Dyestuff", "Yield ~ 1 + (1|Batch)", True)
    one, two, other = (compare(result, test="exact", seed=s)["p_value"].iloc[1] for s in (1, 1, 2))
    assert one == two
    assert one != other
    assert "10,000 simulations of the exact distribution" in compare(result, test="exact").attrs["notes"][0]


def test_an_exact_test_beside_other_effects_is_said_to_be_approximate() -> None:
    small, large = (
        fitted("Pastes", f"strength ~ 1 + {t}", True) for t in ("(1|batch:cask)", "(1|batch/cask)")
    )
    table = compare(small, large, test="exact")
    assert "approximate" in table.attrs["notes"][0]
    limit = compare(small, large)["p_value"].iloc[1]
    assert table["p_value"].iloc[1] == pytest.approx(limit, rel=0.3)


def test_one_of_several_uncorrelated_effects_is_tested_exactly() -> None:
    fits = [sleep(f"Reaction ~ Days + {t}", True) for t in ("(1|Subject)", "(Days||Subject)")]
    table = compare(*fits, test="exact", n=1000)
    assert table["p_value"].iloc[1] == pytest.approx(1 / 1001)


@pytest.mark.parametrize("pair", [("(1|Subject)", "(Days|Subject)"), ("(Days||Subject)", "(Days|Subject)")])
def test_what_is_no_single_variance_is_refused_by_the_exact_test(pair: tuple[str, str]) -> None:
    with pytest.raises(ModelError, match="differ in one variance component and in nothing else"):
        compare(*(sleep(f"Reaction ~ Days + {t}") for t in pair), test="exact")
    with pytest.raises(ModelError, match="differ in one variance component"):
        compare(sleep("Reaction ~ 1 + (1|Subject)"), sleep("Reaction ~ Days + (Days||Subject)"), test="exact")


def test_too_many_effects_and_streamed_rows_are_refused_by_the_exact_test() -> None:
    rng = np.random.default_rng(0)
    many = pd.DataFrame({"y": rng.normal(size=9000), "g": np.repeat(np.arange(4500), 2)})
    with pytest.raises(ModelError, match="4,500 random effects"):
        compare(mixedlm("y ~ 1 + (1 | g)", many).fit(), test="exact")
    data = datasets.load("Pastes")
    fits = [mixedlm(f"strength ~ 1 + {t}", [data]).fit() for t in ("(1|batch)", "(1|batch/cask)")]
    with pytest.raises(DataError, match="not kept"):
        compare(*fits, test="exact")


def test_components_of_several_columns_are_tested_exactly() -> None:
    """Equal to the spectrum of a dense Z."""
    data = datasets.load("sleepstudy")
    result = mixedlm("Reaction ~ Days", data, None, {"c": "1 + Days"}, groups="Subject").fit()
    cp, _ = result.model._products
    found = spectrum(cp)
    X = result.model.exog
    codes, unit = result.model.group_codes, cp.scaled_terms[0].unit
    Z = np.zeros((180, 36))
    Z[np.arange(180), codes], Z[np.arange(180), 18 + codes] = 1.0, data["Days"]
    Z *= unit
    mu = np.linalg.eigvalsh(Z.T @ (Z - X @ np.linalg.lstsq(X, Z)[0]))
    expected = np.sort(mu[mu > 1e-8 * mu[-1]])
    assert np.repeat(found.mu, found.mu_count.astype(int)) == pytest.approx(expected, rel=1e-8)
    assert found.xi @ found.xi_count == pytest.approx(np.sum(Z * Z), rel=1e-10)


def test_more_models_are_tested_one_after_the_other() -> None:
    formulas = ["1 + (1|Subject)", "Days + (1|Subject)", "Days + (Days||Subject)", "Days + (Days|Subject)"]
    fits = [sleep(f"Reaction ~ {f}") for f in formulas]
    table = compare(*reversed(fits))
    apart = [compare(a, b).iloc[1] for a, b in pairwise(fits)]
    pd.testing.assert_frame_equal(table.iloc[1:], pd.DataFrame(apart), check_names=False)


def test_compare_is_public() -> None:
    assert mixedcore.compare is compare
