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
from mixedcore.inference.bootstrap_lrt import bootstrap_statistics
from mixedcore.inference.jobs import Jobs
from mixedcore.inference.nesting import embed

REFERENCE = Path(__file__).parents[1] / "reference" / "comparison.json"
RECORD: dict[str, Any] = json.loads(REFERENCE.read_text(encoding="utf-8"))


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
    other = datasets.load("sleepstudy")
    other = other.assign(Subject=np.roll(other["Subject"].astype(str), 5))  # as many groups, of other rows
    moved = mixedlm("Reaction ~ Days + (Days|Subject)", other).fit().model.design.terms
    assert embed(moved, slopes) is None
    assert embed(slopes, slopes) is not None


def test_more_models_are_tested_one_after_the_other() -> None:
    formulas = ["1 + (1|Subject)", "Days + (1|Subject)", "Days + (Days||Subject)", "Days + (Days|Subject)"]
    fits = [sleep(f"Reaction ~ {f}") for f in formulas]
    table = compare(*reversed(fits))
    apart = [compare(a, b).iloc[1] for a, b in pairwise(fits)]
    pd.testing.assert_frame_equal(table.iloc[1:], pd.DataFrame(apart), check_names=False)


def test_compare_is_public() -> None:
    assert mixedcore.compare is compare


# -- bootstrap tests ---------------------------------------------------------------------------------------


def test_the_bootstrap_agrees_with_the_exact_test_and_refits() -> None:
    """Its statistics are those of `refit`, one by one."""
    small, large = (
        fitted("Pastes", f"strength ~ 1 + {t}", True) for t in ("(1|batch:cask)", "(1|batch/cask)")
    )
    table = compare(small, large, test="bootstrap", n=400, seed=3)
    draws = small.simulate(400, 3)
    statistics = [small.refit(draws[r]).criterion - large.refit(draws[r]).criterion for r in range(60)]
    found = bootstrap_statistics(small._user, large._user, 60, 3, Jobs())
    np.testing.assert_allclose(found, np.maximum(statistics, 0.0), atol=2e-6)
    p = table["p_value"].iloc[1]
    assert abs(p - compare(small, large, test="exact")["p_value"].iloc[1]) < 4 * np.sqrt(0.25 / 400)
    assert "400 draws of the smaller model" in table.attrs["notes"][0]
    assert (
        table["p_value"].iloc[1] == compare(small, large, test="bootstrap", n=400, seed=3)["p_value"].iloc[1]
    )


def test_the_bootstrap_of_a_fixed_effect_is_near_its_f_test() -> None:
    """Balanced groups: 17 denominator degrees of freedom, which the χ² limit takes for infinitely many."""
    data = datasets.load("sleepstudy").iloc[:50]
    data = data.assign(Reaction=data["Reaction"] - 9.0 * data["Days"])
    fits = [mixedlm(f"Reaction ~ {x} + (Days|Subject)", data).fit(reml=False) for x in ("1", "Days")]
    table = compare(*fits, test="bootstrap", n=2000)
    p, limit = table["p_value"].iloc[1], compare(*fits)["p_value"].iloc[1]
    slopes = [np.polyfit(own["Days"], own["Reaction"], 1)[0] for _, own in data.groupby("Subject")]
    expected = float(stats.ttest_1samp(slopes, 0.0).pvalue)
    assert abs(p - expected) < 0.08
    assert abs(p - expected) <= abs(limit - expected) + 0.02


def test_the_bootstrap_can_be_cancelled_and_tells_how_far_it_is() -> None:
    fits = [sleep(f"Reaction ~ Days + {t}") for t in ("(1|Subject)", "(Days||Subject)")]
    heard: list[tuple[int, int]] = []
    compare(*fits, test="bootstrap", n=50, progress=lambda done, n: heard.append((done, n)))
    assert heard[-1] == (50, 50)
    table = compare(*fits, test="bootstrap", n=50, cancel=lambda: True)
    assert "p from 0 draws" in table.attrs["notes"][0]
    assert table["p_value"].iloc[1] == 1.0


def test_what_the_bootstrap_cannot_do_is_explained() -> None:
    result = sleep("Reaction ~ Days + (1|Subject)")
    with pytest.raises(ModelError, match="needs the smaller model as a fit of its own"):
        compare(result, test="bootstrap")
    with pytest.raises(ModelError, match="simulations"):
        compare(result, test="exact", n=0)
    data = datasets.load("sleepstudy")
    formulas = ("Reaction ~ 1 + (1|Subject)", "Reaction ~ Days + (1|Subject)")
    fits = [mixedlm(f, [data]).fit(reml=False) for f in formulas]
    with pytest.raises(DataError, match="not kept"):
        compare(*fits, test="bootstrap", n=10)
