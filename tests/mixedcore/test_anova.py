"""Tests of terms and coefficients against lmerTest, pbkrtest and car: tests/reference/anova.json."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import patsy
import pytest

from mixedcore import MixedLM, MixedLMResults, mixedlm
from mixedcore.errors import ModelError
from mixedcore.inference.hypotheses import Ddf, Hypotheses
from mixedcore.inference.term_hypotheses import AnovaType
from mixedcore.terms import Floats
from tests.reference.fits import coefficient_order, data_of

FOLDER = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((FOLDER / "anova.json").read_text(encoding="utf-8"))
RECORDS: list[dict[str, Any]] = REFERENCE["fits"]
DDF: dict[str, Ddf] = {"Satterthwaite": "satterthwaite", "Kenward-Roger": "kenward-roger"}
# lmerTest does not see that these second terms contain the first, which it then tests at the first level.
NESTED = ("angle ~ recipe + recipe:temp", "cog ~ tosx + trt:tosx")
TYPES = {"I": 1, "II": 2, "III": 3}

# θ of the reference is refined, so that statistics agree to 1e-6.
STATISTIC = 1e-6
# Satterthwaite's degrees in lmerTest come from numerical second derivatives of the deviance (numDeriv); ours,
# and Kenward and Roger's in both, do not.
DEGREES = {"satterthwaite": 2e-6, "kenward-roger": 1e-6}


def label(record: dict[str, Any]) -> str:
    return f"{record['data']}: {record['formula'].replace(' ', '')} {record['keep']}"


@cache
def fitted(number: int) -> MixedLMResults:
    """The same model of the same rows: rows count from 1, as in anova.R.

    Searched twice: the first search ends where the criterion can fall by 1e-10, with θ good to 2e-6.
    """
    record = RECORDS[number]
    data = data_of(record["data"])
    for new, old in {"temp": "temperature", "dose": "nitro"}.items():
        if old in data:
            data[new] = data[old].astype(str)
    i = np.arange(1, len(data) + 1)
    rows = {"all": i > 0, "most": (7 * i) % 11 > 2, "few": (7 * i) % 11 < 4}
    if record["keep"] == "cell":
        rows["cell"] = (data["recipe"] != "C") | (data["temp"] != "225")
    formula = record["formula"].replace("yield", "Q('yield')")
    model = mixedlm(formula, data[rows[record["keep"]]])
    return model.fit(start_params=model.fit().params)


def cases() -> list[Any]:
    return [
        pytest.param(number, theirs, id=f"{label(record)} {theirs}")
        for number, record in enumerate(RECORDS)
        for theirs in record["t"]
    ]


@pytest.mark.parametrize("number, theirs", cases())
def test_t_tests_are_those_of_lmertest_and_pbkrtest(number: int, theirs: str) -> None:
    expected, ddf = RECORDS[number]["t"][theirs], DDF[theirs]
    table = fitted(number).tidy(ddf=ddf)
    table = table.iloc[coefficient_order(table["term"], expected["names"])]
    errors = np.array(expected.get("adjusted", expected["std_error"]))
    estimate = np.array(expected["estimate"])
    near_zero = STATISTIC * errors.max()
    assert table["estimate"].to_numpy() == pytest.approx(estimate, rel=STATISTIC, abs=near_zero)
    assert table["std_error"].to_numpy() == pytest.approx(errors, rel=STATISTIC)
    assert table["df"].to_numpy() == pytest.approx(np.array(expected["df"]), rel=DEGREES[ddf])


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("number, theirs", cases())
def test_f_tests_are_those_of_lmertest_and_pbkrtest(number: int, theirs: str, type_: str) -> None:
    record, ddf = RECORDS[number], DDF[theirs]
    if theirs not in record["F"]:
        assert len(fitted(number).anova(TYPES[type_], ddf=ddf)) == 0
        return
    expected = pd.DataFrame(record["F"][theirs][type_])
    table = fitted(number).anova(TYPES[type_], ddf=ddf)
    if record["formula"].split(" + (")[0] in NESTED and type_ != "I":
        table, expected = table[1:], expected[1:]
    assert [factors(t) for t in table["term"]] == [factors(t) for t in expected["term"]]
    assert table["num_df"].to_list() == expected["num_df"].to_list()
    for column in ("statistic", "sum_sq"):
        assert table[column].to_numpy() == pytest.approx(expected[column].to_numpy(), rel=STATISTIC)
    assert table["den_df"].to_numpy() == pytest.approx(expected["den_df"].to_numpy(), rel=DEGREES[ddf])
    logs = logarithms(expected["p_value"])
    assert logarithms(table["p_value"]) == pytest.approx(logs, rel=DEGREES[ddf], abs=DEGREES[ddf])


def logarithms(p: pd.Series) -> Floats:
    """Of p-values, the smallest number for zero."""
    return np.log(np.maximum(p.to_numpy(dtype=float), np.finfo(float).tiny))


WITH_CHISQ = [pytest.param(n, id=label(r)) for n, r in enumerate(RECORDS) if "chisq" in r]


@pytest.mark.parametrize("number", WITH_CHISQ)
def test_wald_chi_squares_are_those_of_car(number: int) -> None:
    """Of the terms in no other: for those, car goes by the covariance of β where lmerTest goes by X'X."""
    expected = pd.DataFrame(RECORDS[number]["chisq"])
    table = fitted(number).anova(2, ddf="normal")
    assert np.isinf(table["den_df"]).all()
    terms = [factors(t) for t in table["term"]]
    same = np.array([not any(t < u for u in terms) for t in terms])
    assert same.any()
    ours, theirs = table[same], expected[same]
    assert (ours["statistic"] * ours["num_df"]).to_numpy() == pytest.approx(
        theirs["statistic"].to_numpy(), rel=STATISTIC
    )
    assert logarithms(ours["p_value"]) == pytest.approx(logarithms(theirs["p_value"]), rel=1e-5, abs=1e-5)


def factors(term: str) -> frozenset[str]:
    """R and patsy may order the factors of an interaction otherwise."""
    return frozenset(term.split(":"))


# -- hypotheses by their definition ------------------------------------------------------------------------


def unbalanced(seed: int = 4) -> pd.DataFrame:
    """Groups without effects, so that V = I and tests are those of least squares."""
    rng = np.random.default_rng(seed)
    n = 80
    data = pd.DataFrame(
        {
            "a": rng.choice(list("pqr"), n, p=[0.5, 0.3, 0.2]),
            "b": rng.choice(list("uv"), n),
            "x": rng.normal(size=n) + 3,
            "g": np.arange(n) % 10,
        }
    )
    noise = pd.Series(rng.normal(size=n))
    noise -= noise.groupby(data["g"]).transform("mean")
    return data.assign(y=data["x"] + (data["a"] == "q") * 2 + noise)


@cache
def least_squares(formula: str) -> MixedLMResults:
    result = mixedlm(f"y ~ {formula} + (1 | g)", unbalanced()).fit()
    assert result.cov_re.to_numpy() == pytest.approx(0)
    return result


def rss(formula: str) -> float:
    """Residual sum of squares of a fixed part."""
    X, y = np.asarray(patsy.dmatrix(formula, unbalanced())), unbalanced()["y"].to_numpy()
    return float(np.sum((y - X @ np.linalg.lstsq(X, y)[0]) ** 2))


def test_type_one_sums_of_squares_are_those_of_adding_terms() -> None:
    table = least_squares("x + a * b").anova(1).set_index("term")
    steps = ["1", "1 + x", "1 + x + a", "1 + x + a + b", "1 + x + a * b"]
    expected = -np.diff([rss(f) for f in steps])
    assert list(table.index) == ["x", "a", "b", "a:b"]
    assert table["sum_sq"].to_numpy() == pytest.approx(expected, rel=1e-6)
    assert table["num_df"].to_list() == [1, 2, 1, 2]


def test_type_two_sums_of_squares_are_those_of_the_terms_that_do_not_contain_one() -> None:
    table = least_squares("x + a * b").anova(2).set_index("term")["sum_sq"]
    assert table["a"] == pytest.approx(rss("x + b") - rss("x + a + b"), rel=1e-6)
    assert table["b"] == pytest.approx(rss("x + a") - rss("x + a + b"), rel=1e-6)
    assert table["a:b"] == pytest.approx(rss("x + a + b") - rss("x + a * b"), rel=1e-6)
    assert table["x"] == pytest.approx(rss("a * b") - rss("x + a * b"), rel=1e-6)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "normal"])
@pytest.mark.parametrize("coding", ["C({}, Sum)", "C({}, Helmert)", "C({}, Treatment(1))", "C({}, Poly)"])
def test_type_three_does_not_depend_on_the_coding(coding: str, ddf: Ddf) -> None:
    def tests(a: str, b: str) -> pd.DataFrame:
        formula = f"angle ~ {a} * {b} + (1 | replicate)"
        return mixedlm(formula, uneven_cake()).fit().anova(3, ddf=ddf).drop(columns="term")

    plain, coded = tests("recipe", "temp"), tests(coding.format("recipe"), coding.format("temp"))
    np.testing.assert_allclose(coded, plain, rtol=1e-6)


@cache
def uneven_cake() -> pd.DataFrame:
    data = data_of("cake")
    data = data.assign(
        temp=data["temperature"].astype(str), w=1 + np.arange(len(data)) % 3, x=np.arange(len(data)) % 8
    )
    return data[np.arange(len(data)) % 7 > 1]


def test_type_three_tests_coefficients_of_contrasts_that_sum_to_zero() -> None:
    """For them the model's own columns are the hypotheses; with prior weights and a number that interacts."""
    formula = "angle ~ C(recipe, Sum) * C(temp, Sum) + x * C(recipe, Sum) + (1 | recipe:replicate)"
    result = mixedlm(formula, uneven_cake(), weights="w").fit()
    table = result.anova(3, ddf="kenward-roger").set_index("term")
    info = result.model.design.fixed_info
    tests = Hypotheses(result._information, "kenward-roger")
    for term, columns in info.term_name_slices.items():
        if term != "Intercept":
            expected = tests.together(np.eye(len(result.fe_params))[columns])
            found = table.loc[term]
            assert found["statistic"] == pytest.approx(expected.statistic, rel=1e-8)
            assert (found["num_df"], found["den_df"]) == pytest.approx((expected.num_df, expected.den_df))


@pytest.mark.parametrize(
    "formula, expected",
    {
        "a * b": {"a": 2, "b": 1, "a:b": 2},
        "a + a:b": {"a": 2, "a:b": 3},
        "0 + a": {"a": 3},
        "0 + a * b": {"a": 3, "b": 1, "a:b": 2},
        "1 + a:b": {"a:b": 5},
        "a + a:x": {"a": 2, "a:x": 3},
        "a * x": {"a": 2, "x": 1, "a:x": 2},
        "a * bs(x, 3)": {"a": 2, "bs(x, 3)": 3, "a:bs(x, 3)": 6},
        "1": {},
    }.items(),
)
@pytest.mark.parametrize("type_", [1, 2, 3])
def test_ranks_of_the_hypotheses(formula: str, expected: dict[str, int], type_: AnovaType) -> None:
    table = least_squares(formula).anova(type_)
    assert dict(zip(table["term"], table["num_df"], strict=True)) == expected
    assert np.isfinite(table.drop(columns="term").to_numpy()).all()


def test_a_term_that_others_determine_in_part_keeps_the_rest() -> None:
    """z is a function of a: type I gives it its one degree of freedom where it comes first."""
    data = unbalanced().assign(z=lambda d: d["a"].map({"p": 1.0, "q": 2.0, "r": 5.0}))
    first = mixedlm("y ~ z + a + (1 | g)", data).fit()
    assert first.aliased
    table = first.anova(1).set_index("term")
    assert table["num_df"].to_dict() == {"z": 1, "a": 1}
    whole = least_squares("a").anova(1)["sum_sq"].item()
    assert table["sum_sq"].sum() == pytest.approx(whole)
    assert first.anova(2).set_index("term")["num_df"].to_dict() == {"z": 0, "a": 1}


def test_empty_cells_leave_what_can_be_estimated() -> None:
    data = unbalanced()
    data = data[(data["a"] != "q") | (data["b"] != "v")]
    result = mixedlm("y ~ a * b + (1 | g)", data).fit()
    assert result.aliased
    for type_, ranks in {1: [2, 1, 1], 2: [2, 1, 1], 3: [1, 0, 1]}.items():
        table = result.anova(type_)  # type: ignore[arg-type]
        assert table["num_df"].to_list() == ranks
        assert table["p_value"].notna().to_list() == [rank > 0 for rank in ranks]


def test_arrays_have_one_row_a_column() -> None:
    data = unbalanced()
    X = np.column_stack([np.ones(len(data)), data["x"], data["x"] ** 2])
    result = MixedLM(data["y"], X, data["g"]).fit()
    table, each = result.anova(3), result.tidy()
    assert table["term"].to_list() == ["const", "x1", "x2"]
    assert table["statistic"].to_numpy() == pytest.approx(each["statistic"].to_numpy() ** 2)
    assert table["den_df"].to_numpy() == pytest.approx(each["df"].to_numpy())
    second = result.anova(1)
    assert second["sum_sq"].to_numpy()[1:] == pytest.approx(
        [rss("1") - rss("x"), rss("x") - rss("x + I(x**2)")], rel=1e-6
    )


def test_no_fixed_effects_have_no_tests() -> None:
    data = unbalanced()
    table = MixedLM(data["y"], np.zeros((len(data), 0)), data["g"]).fit().anova()
    assert list(table) == ["term", "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value"]
    assert len(table) == 0


@pytest.mark.parametrize("weights", [None, "w"])
def test_rows_that_are_not_kept_have_the_same_tests(weights: str | None) -> None:
    formula, data = "angle ~ x + recipe * temp + (1 | recipe:replicate)", uneven_cake()
    parts = [data.iloc[:100], data.iloc[100:]]
    for type_ in (1, 2, 3):
        whole = mixedlm(formula, data, weights=weights).fit().anova(type_, ddf="kenward-roger")  # type: ignore[arg-type]
        chunks = mixedlm(formula, parts, weights=weights).fit().anova(type_, ddf="kenward-roger")  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(chunks, whole, rtol=1e-6)


def test_the_seed_notation_has_the_same_tests() -> None:
    bars = mixedlm("angle ~ recipe * temp + (1 | replicate)", uneven_cake()).fit().anova()
    seed = mixedlm("angle ~ recipe * temp", uneven_cake(), groups="replicate").fit().anova()
    pd.testing.assert_frame_equal(seed, bars)


def test_ml_fits_have_tests_but_kenward_and_rogers() -> None:
    result = mixedlm("angle ~ recipe + (1 | replicate)", uneven_cake()).fit(reml=False)
    assert result.anova()["p_value"].notna().all()
    with pytest.raises(ModelError, match="reml=True"):
        result.anova(ddf="kenward-roger")


def test_unknown_words_are_refused_with_the_known_ones() -> None:
    result = least_squares("a")
    with pytest.raises(ModelError, match="type=4 is not known; choose 1, 2 or 3"):
        result.anova(4)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"ddf='kr' is not known.*'kenward-roger'"):
        result.anova(ddf="kr")  # type: ignore[arg-type]
