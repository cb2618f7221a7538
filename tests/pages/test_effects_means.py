"""Means and comparisons on the Effects page: choices, limits, words, and models of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from mixedcore import datasets
from pages.ui.effects import comparing, interacting, mean_comparisons, mean_words, predictions, tabled, words
from pages.ui.effects.variables import Variable
from pages.ui.model.modelcall import ModelCall
from tests.pages import fits
from tests.pages.test_effects_page import odd_rows, said, showing

SECTION = "Means"
CAKE = ModelCall("angle ~ recipe * C(temp)", "replicate", None, (("mix", "0 + C(recipe)"),))


def cakes() -> AppTest:
    return showing(fits.opened_with("effects", datasets.load("cake"), CAKE), SECTION)


def moderators(app: AppTest) -> Any:
    return next(box for box in app.multiselect if box.label == "At each level of")


def cells(app: AppTest, table: int) -> list[list[Any]]:
    """Rows of a table of the page, texts with plain spaces."""
    return [
        [cell.replace("\N{NO-BREAK SPACE}", " ") if isinstance(cell, str) else cell for cell in row]
        for row in app.table[table].value.to_numpy().tolist()
    ]


def test_simple_effects_at_every_combination_of_several_moderators() -> None:
    """Each comparison is the difference of the two means that its name and its levels say."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"a": list("uvw") * 80, "b": ["p", "p", "q", "q"] * 60, "g": np.repeat(range(24), 10)}
    )
    frame["x"] = rng.normal(size=240)
    frame["y"] = rng.normal(size=240) + (frame["a"] == "v") * frame["x"]
    app = showing(fits.opened_with("effects", frame, ModelCall("y ~ a * b * x", "g")), SECTION)
    moderators(app).set_value(["b", "x"]).run()
    assert not app.exception
    means_, pairs = cells(app, 0), cells(app, 2)
    assert (len(means_), len(pairs)) == (18, 18)
    mean = {(a, b, x): value for a, b, x, value, *_ in means_}
    for b, x, name, difference, *_ in pairs:
        one, other = name.split(" − ")
        assert difference == pytest.approx(mean[one, b, x] - mean[other, b, x])


def test_a_number_can_be_a_moderator_of_means() -> None:
    app = showing(fits.opened("effects", "BodyWeight"), SECTION)
    moderators(app).set_value(["Time"]).run()
    assert not app.exception
    assert [row[0].replace("\\", "") for row in cells(app, 2)[:3]] == ["14.04"] * 3
    assert cells(app, 2)[0][1] == "Diet 1 − Diet 2"
    assert "Numbers at their mean" not in said(app)


def test_means_and_all_pairs() -> None:
    app = showing(fits.opened("effects", "Machines"), SECTION)
    assert not app.exception
    assert len(fits.charts_of(app)) == 1
    assert "lowest for Machine A, 52.36" in said(app)
    assert "2 of 3 comparisons differ from zero" in said(app)


def test_combinations_and_comparisons_within() -> None:
    app = cakes()
    app.multiselect[0].set_value(["recipe", "temp"]).run()
    assert "12 of 153 comparisons" in said(app)
    app.multiselect[0].set_value(["recipe"]).run()
    moderators(app).set_value(["temp"]).run()
    assert not app.exception
    assert "of 18 comparisons" in said(app)
    assert cells(app, 2)[0][:2] == ["175", "A − B"]


@pytest.mark.parametrize("adjust", ["tukey", "holm", "bonferroni", "sidak", "scheffe", "mvt", "none"])
def test_every_adjustment(adjust: str) -> None:
    app = showing(fits.opened("effects", "Machines"), SECTION)
    next(box for box in app.selectbox if box.label == "Adjustment").set_value(adjust).run()
    assert not app.exception
    assert not app.error


def test_a_reference_a_trend_and_own_weights() -> None:
    app = showing(fits.opened("effects", "Machines"), SECTION)
    method = app.selectbox(key="effects_means_method")
    method.set_value("trt.vs.ctrl").run()
    next(box for box in app.selectbox if box.label == "Reference").set_value(2).run()
    assert "is A − C: −13.92" in said(app)
    app.selectbox(key="effects_means_method").set_value("poly").run()
    assert "The largest trend is" in said(app)
    app.selectbox(key="effects_means_method").set_value("own").run()
    assert "The weights cancel" in said(app)
    app.number_input[1].set_value(-0.5).run()
    assert "add up to 0.5000, not to zero" in said(app)
    app.number_input[2].set_value(-0.5).run()
    assert "The sum A − 0.5 B − 0.5 C is −10.9" in said(app)
    assert not app.exception


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "normal"])
def test_degrees_of_freedom(ddf: str) -> None:
    app = showing(fits.opened("effects", "Machines"), SECTION)
    app.selectbox(key="effects_means_ddf").set_value(ddf).run()
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("example", ["Hsb82", "Orthodont", "Early", "ScotsSec", "Assay", "BodyWeight"])
def test_every_kind_of_model(example: str) -> None:
    app = showing(fits.opened("effects", example), SECTION)
    assert not app.exception
    assert "nan" not in said(app).split()


def test_without_a_category_it_is_said() -> None:
    app = showing(fits.opened("effects", "sleepstudy"), SECTION)
    assert "no category" in app.info[0].value


@pytest.mark.parametrize(
    "formula", ["np.log(y) ~ yes + C(code, Sum)", "y ~ yes * bs(x, df=4)", "y ~ C(code) + day"]
)
def test_odd_formulas(formula: str) -> None:
    call = ModelCall(formula, "g", reml=False)
    app = showing(fits.opened_with("effects", odd_rows(), call), SECTION)
    assert not app.exception
    assert not app.error
    if "log" in formula:
        assert "the logarithm of a ratio" in said(app)


def test_an_empty_cell_is_named() -> None:
    frame = datasets.load("Oats")
    frame = frame[~((frame["Variety"] == "Victory") & (frame["nitro"] == 0.6))]
    call = ModelCall('Q("yield") ~ C(nitro) * Variety', "Block")
    app = showing(fits.opened_with("effects", frame, call), SECTION)
    app.multiselect[0].set_value(["nitro", "Variety"]).run()
    assert not app.exception
    assert "1 of 12 means are empty" in said(app)


def test_many_levels_have_limits() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"f": np.repeat([f"L{i:03d}" for i in range(110)], 6), "g": np.tile(list("abcdef"), 110)}
    )
    frame["y"] = rng.normal(size=len(frame))
    app = showing(fits.opened_with("effects", frame, ModelCall("y ~ f", "g")), SECTION)
    assert not app.exception
    assert "110 means" in app.warning[0].value
    few = frame[frame["f"] < "L090"]
    app = showing(fits.opened_with("effects", few, ModelCall("y ~ f", "g")), SECTION)
    assert "All pairs of 90 means are 4,005 comparisons" in app.info[0].value
    showing(app, "Predictions")
    assert "The first 30 of 90 categories are shown" in said(app)


def test_limits_say_what_to_do() -> None:
    assert mean_comparisons.too_many(3, "pairwise", "tukey") == ""
    assert "take Tukey" in mean_comparisons.too_many(20, "pairwise", "mvt")
    assert "one category" in mean_comparisons.too_many(6, "poly", "none", 2)
    assert "only one mean" in mean_comparisons.too_many(1, "pairwise", "tukey")
    assert "at most 12" in mean_comparisons.too_many(18, "own", "none")


def test_weights_in_words() -> None:
    names = ["A", "B", "C"]
    assert "All weights are zero" in mean_words.weights(names, [0, 0, 0])
    assert "weighted mean" in mean_words.weights(names, [0.5, 0.5, 0])
    assert mean_words.label(names, [1, -0.5, -0.5]) == "A − 0.5 B − 0.5 C"
    assert mean_words.label(names, [-1, 0, 2]) == "− A + 2 C"


def test_comparisons_are_named_as_emmeans_does() -> None:
    assert words.difference("A", "B") == "A − B"
    assert words.difference("a - b", "−0.5") == "(a - b) − (−0.5)"
    assert words.difference("non-smoker", "smoker") == "non-smoker − smoker"
    assert words.cell(["f", "n"], ["Victory", 0.6]) == "Victory n 0.6000"
    assert words.label("Diet", "1") == "Diet 1"
    assert comparing.pairs(["A", "B", "C"], "trt.vs.ctrl", 1) == ["A − B", "C − B"]
    assert comparing.pairs(["same", "same"], "pairwise") == ["same − same"]
    assert comparing.pairs(["A", "B"], "poly") is None


def test_a_mean_has_no_digits_that_are_not_there() -> None:
    assert words.mean(Variable("t", "number", mean=33.545, sd=19.8)) == "33.5"
    assert words.mean(Variable("t", "number", mean=12_345.6, sd=5_000.0)) == "12,350"
    assert words.mean(Variable("t", "number", mean=4.5, sd=2.88)) == "4.50"
    assert words.mean(Variable("t", "number", mean=1e-4, sd=0.4)) == "0"


def test_means_that_average_over_an_interaction_say_so_until_it_is_taken() -> None:
    app = showing(fits.opened("effects", "BodyWeight"), SECTION)
    assert "Time changes the effect of Diet" in app.info[0].value
    moderators(app).set_value(["Time"]).run()
    assert not app.info
    assert not showing(fits.opened("effects", "Machines"), SECTION).info


def test_partners_are_read_from_products() -> None:
    terms = ("Intercept", "a", "b", "a:C(b)", "np.log(x):a", "Q('my z'):b")
    assert interacting.partners(terms, ["a"]) == ["b", "x"]
    assert interacting.partners(terms, ["b"]) == ["a", "my z"]
    assert interacting.partners(terms, ["a", "b"]) == ["x", "my z"]
    assert interacting.partners(terms[:3], ["a"]) == []
    assert interacting.warning(["a"], ["b", "x"]).startswith("b and x change the effect of a")
    assert interacting.warning(["a"], []) == ""


def test_whether_means_differ_at_all_is_said_first() -> None:
    app = showing(fits.opened("effects", "Machines"), SECTION)
    assert (
        "The 3 means together differ by more than chance would make them (F(2, 10.0) = 20.6, p < 0.001)."
        in said(app)
    )
    app.selectbox(key="effects_means_ddf").set_value("normal").run()
    assert "(χ²(2) = 41.2, p < 0.001)" in said(app)


def test_simple_effects_are_tested_at_each_level() -> None:
    app = cakes()
    moderators(app).set_value(["temp"]).run()
    assert "Simple effects of recipe" in [header.value for header in app.header]
    assert len(cells(app, 1)) == 6
    assert cells(app, 1)[0][0] == "175"
    assert tabled.joint(
        pd.DataFrame({"f": ["a"], "num_df": 0.0, "den_df": np.nan, "statistic": np.nan, "p_value": np.nan}),
        ["f"],
        "t",
    ).shown.to_numpy().tolist() == [["a", "–", "–", "–", "–"]]


def test_two_means_need_no_test_beside_that_of_their_difference() -> None:
    app = showing(fits.opened("effects", "ScotsSec"), SECTION)
    assert "means together" not in said(app)


def test_differences_of_logarithms_are_ratios() -> None:
    call = ModelCall("np.log(score) ~ Machine", "Worker")
    app = showing(fits.opened_with("effects", datasets.load("Machines"), call), SECTION)
    ratio = [row[-1] for row in cells(app, 1)]
    difference = [row[1] for row in cells(app, 1)]
    assert ratio == pytest.approx(np.exp(difference))
    assert "is a ratio of 0.789 (95% interval" in said(app)
    app.selectbox(key="effects_means_method").set_value("poly").run()
    assert "ratio of" not in said(app)
    assert predictions.scale_of("np.log1p(y)").ratios is None  # type: ignore[union-attr]
    assert predictions.scale_of("np.log2(y)").ratios == 2  # type: ignore[union-attr]
