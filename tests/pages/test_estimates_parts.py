"""Parts of the Estimates page: steps of predictors, further tables, what predictors explain, intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import datasets, mixedlm
from pages.ui.charts.coefficients import MOST_ROWS, coefficient_plot
from pages.ui.charts.explained import MOST_STEPS, explained_bars
from pages.ui.results import computed, explained_words, result_tables
from pages.ui.results.estimates_options import references
from pages.ui.results.facts import facts
from pages.ui.results.standardised import standardised
from pages.ui.results.steps import Range, Step, column_of, columns_in, log_base, step
from pages.ui.results.voice import MARKDOWN, PLAIN
from tests.pages import fits

RANGES = {"x": Range(2, 50, 20), "t": Range(0, 1, 0.4, two_valued=True), "n": Range(40, 50, 45)}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("x", Step("unit", "x")),
        ("Q('x')", Step("unit", "x")),
        ("I(x / 10)", Step("unit", "x", 10.0)),
        ("I(10 - x)", Step("unit", "x", 1.0, -1.0, 10.0)),
        ("I(-x)", Step("unit", "x", 1.0, -1.0)),
        ("I(2 * (x - 5))", Step("unit", "x", 0.5, 1.0, 5.0)),
        ("t", Step("pair", "t", 1.0, 1.0)),
        ("I(t * 2)", Step("pair", "t", 1.0, 2.0)),
        ("center(x)", Step("unit", "x", zero=20, centred=True)),
        ("standardize(x)", Step("deviation", "x", zero=20, centred=True)),
        ("np.log2(x)", Step("log", "x", 2.0, 1.0, 1.0)),
        ("I(x ** 2)", Step("code", "I(x ** 2)", zero=0.0)),
        ("np.sqrt(x)", Step("code", "np.sqrt(x)", zero=None)),
        ("x * (", Step("code", "x * (", zero=None)),
    ],
)
def test_one_more_of_a_predictor(code: str, found: Step) -> None:
    assert step(code, RANGES) == found


def test_a_logarithm_steps_by_what_the_data_span() -> None:
    assert step("np.log(x)", RANGES).size == 2
    assert step("np.log(n)", RANGES).size == pytest.approx(1.1)
    assert step("np.log(unknown)", RANGES).size == 2


def test_columns_of_a_code() -> None:
    assert columns_in("bs(x, df=4)") == {"x"}
    assert columns_in("C(a, Treatment(reference='b'))") == {"a"}
    assert columns_in("C(Q('a b'), Sum)") == {"a b"}
    assert column_of("C(Q('a b'), Sum)") == "a b"
    assert column_of("np.log(x)") is None
    assert log_base("np.log(-x)") is None
    assert log_base("np.log10(2 * x)") == ("x", 10.0, 0.0)


# --- tables ------------------------------------------------------------------------------------------------


def test_f_tests_show_f_or_chi_square() -> None:
    result = fits.fitted("sleepstudy")
    assert result_tables.f_tests(result.anova()).shown["F"].tolist() == ["45.9"]
    table = result_tables.f_tests(result.anova(ddf="normal"))
    assert "Wald χ²" in table.shown
    assert "Residual df" not in table.shown


def test_correlations_have_rows_with_intervals_where_there_are_any() -> None:
    found = result_tables.correlations(fits.fitted("sleepstudy").tidy(effects="random"), 0.9)
    assert found is not None
    assert found.shown.to_numpy().tolist() == [["Subject", "Intercept and Days", "0.07", "−0.52", "0.61"]]
    assert "Lower 90%" in found.shown
    assert result_tables.correlations(fits.fitted("Dyestuff2").tidy(effects="random")) is None


def steps_of(*names: str, groups: tuple[str, ...] = ("g", "Residual"), value: float = 0.5) -> pd.DataFrame:
    rows = [(name, group, value, 0.1, 0.1) for name in ("Null model", *names) for group in groups]
    return pd.DataFrame(rows, columns=["step", "group", "variance", "explained", "added"])


def test_steps_stand_in_their_order_even_when_names_repeat() -> None:
    table = result_tables.variance_steps(steps_of("b", "a", "b"))
    assert table.shown.columns.tolist() == [
        "Step",
        "Between g",
        "Within (residual)",
        "Explained: Between g",
        "Explained: Within (residual)",
    ]
    assert table.shown["Step"].tolist() == ["Null model", "b", "a", "b"]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.51, "51%"), (-0.078, "−7.8%"), (0.0, "0%"), (np.nan, "–"), (-0.0001, "> −0.1%")]
)
def test_shares_may_be_negative(value: float, shown: str) -> None:
    assert result_tables.signed_share(value) == shown


def test_the_levels_that_others_are_compared_with_are_named_once() -> None:
    data = datasets.load("Hsb82")
    said = {
        "cses * sector + sx": "Categories are compared with Public (sector) and Male (sx).",
        "C(sector, Sum) + cses": "",
        "cses": "",
    }
    for formula, expected in said.items():
        result = mixedlm(f"mAch ~ {formula}", data, groups="school").fit()
        assert references(facts(result), PLAIN) == expected


def test_standardised_coefficients_by_kind() -> None:
    data = datasets.load("Hsb82")
    result = mixedlm("mAch ~ cses * sector + I(cses ** 2)", data, groups="school").fit()
    found = standardised(result, facts(result))
    spread = data["mAch"].std()
    assert found["sector[T.Catholic]"] == pytest.approx(result.fe_params["sector[T.Catholic]"] / spread)
    for name in ("Intercept", "cses", "cses:sector[T.Catholic]", "I(cses ** 2)"):
        assert np.isnan(found[name])
    plain = mixedlm("mAch ~ cses", data, groups="school").fit()
    share = plain.fe_params["cses"] * data["cses"].std() / spread
    assert standardised(plain, facts(plain))["cses"] == pytest.approx(share)


# --- what predictors explain -------------------------------------------------------------------------------


def test_words_say_what_each_predictor_explains_and_why_a_share_is_negative() -> None:
    steps = fits.fitted("sleepstudy").variance_steps()
    said = explained_words.explained(steps, PLAIN)
    assert said[0] == (
        "Days explains −7.8% of the variance between levels of Subject and 51% of the variance within groups."
    )
    assert said[1:] == [explained_words.SLOPES, explained_words.NEGATIVE]


def test_words_on_nothing_explained_and_on_missing_shares() -> None:
    steps = steps_of("x").assign(added=[0.0, 0.0, 0.001, np.nan])
    assert explained_words.explained(steps, PLAIN) == [
        "x explains practically nothing of the variance between levels of g."
    ]
    steps = steps_of("x").assign(added=[0.0, 0.0, 0.001, -0.004])
    assert explained_words.explained(steps, PLAIN) == ["x explains practically nothing at any level."]
    steps = steps_of("x").assign(added=[0.0, 0.0, np.nan, np.nan])
    assert "could not be computed" in explained_words.explained(steps, PLAIN)[0]


@pytest.mark.parametrize("name", fits.NAMES)
def test_names_in_bars_and_words_are_text(name: str) -> None:
    steps = steps_of(name, groups=(name, "Residual"))
    assert "<" not in str(explained_bars(steps).figure.data[0].name)
    said = explained_words.explained(steps, MARKDOWN)[0]
    assert ":red[" not in said
    assert "](http" not in said


def test_bars_are_stacked_by_level_and_thinned() -> None:
    chart = explained_bars(fits.fitted("classrooms").variance_steps())
    assert len(chart.figure.data) == 3
    assert "between school from" in chart.alt
    many = explained_bars(steps_of(*(f"x{i}" for i in range(30))))
    assert len(many.figure.data[0].y) == MOST_STEPS
    assert "31 steps" in many.note


def test_a_long_coefficient_plot_keeps_the_clearest_in_their_order() -> None:
    n = 100
    estimate = np.linspace(-1, 5, n)
    fixed = pd.DataFrame(
        {
            "term": [f"x{i}" for i in range(n)],
            "estimate": estimate,
            "conf_low": estimate - 1,
            "conf_high": estimate + 1,
        }
    )
    chart = coefficient_plot(fixed)
    drawn = list(chart.figure.layout.yaxis.ticktext)
    assert drawn == [f"x{i}" for i in range(n - MOST_ROWS, n)]
    assert f"Only the {MOST_ROWS} of {n}" in chart.note


# --- intervals ---------------------------------------------------------------------------------------------


def test_intervals_find_their_rows() -> None:
    result = fits.fitted("classrooms")
    bounds = result.confint("profile")
    found = computed.Intervals(bounds)
    fixed = computed.in_fixed(result.tidy(), found).set_index("term")
    random = computed.in_random(result.tidy(effects="random"), found)
    assert fixed.loc["age", "conf_low"] == bounds.loc["age", "conf_low"]
    sds = random[random["scale"] == "sd"].set_index(["group", "term"])["conf_high"]
    assert sds["school", "pretest"] == bounds.loc["sd school pretest", "conf_high"]
    assert sds.iloc[-1] == bounds.loc["sigma", "conf_high"]
    correlation = random[random["scale"] == "correlation"].iloc[0]
    assert correlation["conf_low"] == bounds.loc["cor school Intercept pretest", "conf_low"]
    variances = random[random["scale"] == "variance"]["conf_high"].to_numpy()
    assert variances == pytest.approx(random[random["scale"] == "sd"]["conf_high"].to_numpy() ** 2)
    assert random[random["scale"] == "covariance"]["conf_low"].isna().all()


def test_intervals_of_variances_alone_leave_fixed_effects_as_they_are() -> None:
    result = fits.fitted("sleepstudy")
    found = computed.Intervals(result.confint("profile", terms=computed.variance_names(result)))
    assert computed.in_fixed(result.tidy(), found)["conf_low"].equals(result.tidy()["conf_low"])
    assert computed.in_random(result.tidy(effects="random"), found)["conf_low"].notna().any()


def test_what_is_quick() -> None:
    assert computed.quick_to_profile(fits.fitted("sleepstudy"))
    assert not computed.quick_to_profile(fits.fitted("classrooms"))
    assert not computed.slow(fits.fitted("sleepstudy"), "profile")
    assert computed.slow(fits.fitted("classrooms"), "profile")
    assert computed.slow(fits.fitted("sleepstudy"), "bootstrap")
    assert not computed.slow(fits.fitted("classrooms"), "auto")
