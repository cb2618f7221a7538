"""The random part in words: spread, slopes of opposite sign, correlations, edges, shares, method."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.formula import safe_environment
from pages.ui.results import narrative, phrases, reading_random
from pages.ui.results.facts import Facts, Outcome, facts, units_of
from pages.ui.results.reading_random import Random
from pages.ui.results.voice import PLAIN, df_text, f_apa, p_apa, rounded, t_apa, value
from tests.pages import fits

COLUMNS = ["group", "term", "term2", "estimate", "scale", "conf_low", "conf_high"]


@cache
def sleepstudy(formula: str = "Reaction ~ Days", re_formula: str = "1 + Days") -> MixedLMResults:
    data = datasets.load("sleepstudy")
    environment = safe_environment()
    return mixedlm(formula, data, groups="Subject", re_formula=re_formula, eval_env=environment).fit()


def random_of(result: MixedLMResults, **changes: Any) -> Random:
    known = facts(result)
    whole = {
        "tidy": result.tidy(effects="random"),
        "fixed": result.tidy(),
        "slopes": narrative.slope_components(result, known),
        "counts": narrative.level_counts(result),
        "within": narrative.units_within(result),
    }
    return Random(**(whole | changes))


def read(result: MixedLMResults, units: dict[str, str] | None = None, **changes: Any) -> str:
    return " ".join(reading_random.random_part(random_of(result, **changes), facts(result, units), PLAIN))


def table(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


RESIDUAL = ("Residual", None, None, 5.0, "sd", 4.0, 6.0)


def test_spread_slopes_correlation_and_residual_of_the_example() -> None:
    said = read(sleepstudy(), units_of("example:sleepstudy"))
    assert "Between the 18 levels of Subject, Reaction where Days = 0 differs with" in said
    assert "a standard deviation of 24.7 ms" in said
    assert "The slope of Days (per unit) differs between the 18 levels of Subject" in said
    share = stats.norm.sf(10.4673 / 5.9221)
    assert f"about {100 * share:.1f}% have the opposite sign" in said
    assert "they hardly go together" in said
    assert said.endswith("a standard deviation of 25.6 ms (95% interval 22.8 to 28.7).")


def test_under_an_interaction_no_share_of_opposite_signs_is_given() -> None:
    data = datasets.load("sleepstudy")
    data = data.assign(odd=data["Subject"].astype(str).str[-1].isin(list("13579")))
    result = mixedlm("Reaction ~ Days * odd", data, groups="Subject", re_formula="1 + Days").fit()
    assert "opposite" not in read(result)


def test_a_slope_of_log_days_is_not_called_per_doubling() -> None:
    result = sleepstudy("Reaction ~ np.log(Days + 1)", "1 + np.log(Days + 1)")
    assert "The coefficient of np.log(Days + 1) differs between" in read(result)


@pytest.mark.parametrize(
    ("rho", "said"),
    [
        (0.6, "with a higher value of the first strongly tend to have a higher second"),
        (-0.3, "with a higher value of the first tend to have a lower second"),
        (0.05, "they hardly go together"),
        (1.0, "estimated as exactly +1, the edge"),
        (-1.0, "estimated as exactly −1, the edge"),
    ],
)
def test_correlations(rho: float, said: str) -> None:
    tidy = table(
        ("Subject", "Intercept", None, 3.0, "sd", np.nan, np.nan),
        ("Subject", "Days", None, 2.0, "sd", np.nan, np.nan),
        ("Subject", "Intercept", "Days", rho, "correlation", np.nan, np.nan),
        RESIDUAL,
    )
    assert said in read(sleepstudy(), tidy=tidy)


def test_a_correlation_whose_interval_includes_zero_is_not_certain() -> None:
    tidy = table(("Subject", "Intercept", "Days", 0.4, "correlation", -0.1, 0.8), RESIDUAL)
    assert "The sign is not certain" in read(sleepstudy(), tidy=tidy)


def test_a_variance_of_zero_is_an_edge_and_no_proof() -> None:
    said = read(fits.fitted("Dyestuff2"))
    assert "The variance of Yield between levels of Batch is estimated as zero" in said
    assert "does not show that they are all the same" in said
    tidy = table(("Subject", "Days", None, 0.0, "sd", np.nan, np.nan), RESIDUAL)
    assert "The variance of the slope of Days (per unit) between levels of Subject is" in read(
        sleepstudy(), tidy=tidy
    )


def test_units_of_a_component_lie_within_their_groups() -> None:
    assert "the 58 levels of classroom within school" in read(fits.fitted("classrooms"))


def test_a_component_of_slopes_is_no_difference_of_levels() -> None:
    data = datasets.load("sleepstudy")
    result = mixedlm(
        "Reaction ~ Days", data, groups="Subject", re_formula="1", vc_formula={"tilt": "0 + Days"}
    )
    assert "The coefficient of tilt differs between" in read(result.fit())


def test_bars_are_read_like_groups() -> None:
    data = datasets.load("sleepstudy")
    bars = read(mixedlm("Reaction ~ Days + (1 + Days | Subject)", data).fit())
    assert bars == read(sleepstudy())


def test_a_log_outcome_gives_percent_about_the_average() -> None:
    said = read(sleepstudy("np.log(Reaction) ~ Days", "1"))
    assert "on the scale of the logarithm" in said
    assert "% below and" in said


def test_shares_of_variance() -> None:
    icc = pd.DataFrame({"group": ["a", "b", "c"], "icc": [0.4, 0.0, np.nan]})
    said = reading_random.shares(icc, 0.0, 0.4, facts(sleepstudy()), PLAIN)
    assert "40% lies between levels of a and 0% lies between levels of b (intraclass correlations)" in said[0]
    assert "The predictors account for 0%" in said[1]
    logged = Facts(Outcome("y", base=np.e), {})
    said = reading_random.shares(icc, 0.2, 0.4, logged, PLAIN)
    assert "Of the variance in the logarithm of y" in said[0]
    assert "20% of the variance of the logarithm of y" in said[1]
    assert reading_random.shares(icc.iloc[2:], np.nan, np.nan, facts(sleepstudy()), PLAIN) == []


def test_the_method_says_how_many_rows_and_groups_and_what_was_left_out() -> None:
    made = reading_random.method(
        rows=180,
        groups=[("Subject", 18), ("all", 1)],
        reml=False,
        ddf="normal",
        intervals="Wald",
        voice=PLAIN,
    )
    assert made == (
        "A linear mixed model of 180 rows in 18 levels of Subject, fitted by maximum likelihood (ML); tests "
        "from the normal distribution; Wald intervals."
    )
    assert reading_random.rows_left_out(["3 rows were dropped."], 1, PLAIN) == [
        "3 rows were dropped.",
        "1 row was left out by decision, each with a reason.",
    ]


def test_a_model_without_fixed_effects_says_so() -> None:
    result = sleepstudy("Reaction ~ 0", "1")
    told = narrative.Told(result.tidy(), result.tidy(effects="random"), result.icc(), result.glance().iloc[0])
    text = narrative.as_text(narrative.tell(result, facts(result), told, PLAIN))
    assert text.startswith("The model has no fixed effects")
    assert "nan" not in text


# --- how numbers and tests are set -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "shown"), [(1e-9, "p < .001"), (0.0341, "p = .034"), (0.9999, "p > .999"), (np.nan, "no p-value")]
)
def test_p_values_as_journals_set_them(p: float, shown: str) -> None:
    assert p_apa(p) == shown


def test_tests_as_journals_set_them() -> None:
    assert t_apa(6.771, 17.0, 3e-6) == "t(17) = 6.77, p < .001"
    assert t_apa(-2.1, 12.34, 0.05) == "t(12.3) = −2.10, p = .050"
    assert t_apa(1.96, np.inf, 0.05) == "z = 1.96, p = .050"
    assert t_apa(np.nan, np.nan, np.nan) == "no test"
    assert f_apa(5.2, 2, 34.12, 0.011) == "F(2, 34.1) = 5.20, p = .011"
    assert f_apa(5.2, 2, np.inf, 0.011) == "χ²(2) = 10.40, p = .011"
    assert f_apa(np.nan, 0, np.nan, np.nan) == "no test"
    assert df_text(12345.6) == "12,346"


def test_numbers_that_belong_together_share_their_decimals() -> None:
    assert rounded(10.467, 7.211, 13.72) == ["10.5", "7.2", "13.7"]
    assert rounded(0.5, 0.003, 1.2) == ["0.50", "0.0030", "1.20"]
    assert rounded(1234567.0, -2.0) == ["1,234,567", "−2"]
    assert [value(v) for v in (1.0, 0.25, -3.0, 1e6, 2.89765)] == ["1", "0.25", "−3", "1,000,000", "2.90"]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1.2, 3.4, " (95% interval 1.20 to 3.40)"),
        (0.0, 7.2, " (95% interval 0.00 to 7.20)"),
        (5e-7, 1e7, " (the data do not tell how large it is: almost any size is compatible with them)"),
    ],
)
def test_an_interval_without_useful_ends_is_said_to_be_that(low: float, high: float, said: str) -> None:
    assert reading_random._interval(phrases.Estimate(2.0, low, high), 0.95) == said
