"""The pure parts behind predictions and what if: variables, groups, rows, scales, words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import datasets, mixedlm
from pages.ui.charts.effects_predictions import Curve
from pages.ui.effects import predictions, variables, words
from pages.ui.effects.variables import Variable
from tests.pages import fits

SLEEP = datasets.load("sleepstudy")


def test_variables_are_columns_not_coefficients() -> None:
    frame = datasets.load("Hsb82")
    fit = mixedlm("mAch ~ bs(cses, df=4) * sector", frame, groups="school", re_formula="1 + meanses").fit()
    found = variables.variables(fit, variables.rows_of(fit, frame))
    assert [(v.name, v.kind, v.fixed) for v in found] == [
        ("cses", "number", True),
        ("sector", "category", True),
        ("meanses", "number", False),
    ]


@pytest.mark.parametrize("formula", ["Reaction ~ Days", "Reaction ~ np.log(Days + 1)"])
def test_a_groups_prediction_has_its_own_effects(formula: str) -> None:
    fit = mixedlm(formula, SLEEP, groups="Subject", re_formula="1 + Days").fit()
    (way,) = variables.ways(fit, SLEEP)
    row = SLEEP[SLEEP["Subject"] == "335"].iloc[[0]]
    new = predictions.crossed(row, {"Days": [0.0, 4.0, 9.0]})
    found = predictions.predicted(fit, new, way.terms)["fit"]
    own = fit.fittedvalues[SLEEP["Subject"] == "335"].to_numpy()[[0, 4, 9]]
    np.testing.assert_allclose(found, own)


def test_bars_and_components_are_ways_to_choose_a_group() -> None:
    frame = datasets.load("Machines")
    seed = mixedlm(
        "score ~ Machine", frame, groups="Worker", re_formula="1", vc_formula={"m": "0 + C(Machine)"}
    ).fit()
    bars = mixedlm("score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", frame).fit()
    (way,) = variables.ways(seed, frame)
    (other,) = variables.ways(bars, frame)
    assert way.grouping.columns == other.grouping.columns == ("Worker",)
    new = predictions.crossed(frame.iloc[[0]], {"Machine": ["A", "B", "C"]})
    one, two = (predictions.predicted(fit, new, w.terms)["fit"] for fit, w in [(seed, way), (bars, other)])
    np.testing.assert_allclose(one, two, rtol=1e-5)


def test_crossed_rows_keep_their_types() -> None:
    row = pd.DataFrame({"f": pd.Categorical(["a"], ["a", "b"]), "n": [1], "t": [True]})
    new = predictions.crossed(row, {"f": ["a", "b"], "n": [1.5, 2.0]})
    assert new["f"].dtype == row["f"].dtype
    assert new["n"].tolist() == [1.5, 2.0, 1.5, 2.0]
    assert new["t"].tolist() == [True] * 4


@pytest.mark.parametrize(
    "written", ["np.log(y)", "np.log2(y)", "np.log10(y)", "np.log1p(Q('a b'))", "np.sqrt(y)"]
)
def test_a_transformed_outcome_goes_back(written: str) -> None:
    scale = predictions.scale_of(written)
    assert scale is not None
    name = written.partition("(")[0].removeprefix("np.")
    there = getattr(np, name)(np.array([0.5, 3.0]))
    np.testing.assert_allclose(scale.back(there), [0.5, 3.0])
    assert scale.column in ("y", "a b")
    assert predictions.scale_of("y") is None


def test_the_mean_of_a_log_normal_outcome() -> None:
    fit = mixedlm("np.log(Reaction) ~ Days", SLEEP, groups="Subject").fit()
    scale = predictions.scale_of("np.log(Reaction)")
    assert scale is not None
    variance = float(fit.cov_re.iloc[0, 0])
    row = SLEEP.iloc[[0]]
    own = predictions.mean_factor(fit, row, ("Subject",), scale)
    average = predictions.mean_factor(fit, row, (), scale)
    assert own == pytest.approx(np.exp(fit.scale / 2))
    assert average == pytest.approx(np.exp((fit.scale + variance) / 2))


def test_partial_residuals_keep_each_rows_residual() -> None:
    frame = datasets.load("Hsb82")
    fit = mixedlm("mAch ~ cses + sector", frame, groups="school").fit()
    moved = predictions.partial_residuals(fit, frame, {"sector": "Public"}, ())
    expected = fit.fe_params["Intercept"] + fit.fe_params["cses"] * frame["cses"] + fit.resid
    np.testing.assert_allclose(moved, expected)


def test_a_combination_outside_of_the_data_is_noticed() -> None:
    x = np.linspace(0, 1, 50)
    rows = pd.DataFrame({"a": x, "b": x + 0.01 * np.sin(40 * x), "f": np.where(x < 0.5, "u", "v")})
    assert predictions.unusual(rows, {"a": 0.5, "b": 0.5}, {"f": "u"}) == ""
    assert "together" in predictions.unusual(rows, {"a": 0.1, "b": 0.9}, {})
    assert "beyond" in predictions.unusual(rows, {"a": 2.0}, {})
    assert "no row" in predictions.unusual(rows, {}, {"f": "w"})


@pytest.mark.parametrize(
    ("low", "high", "whole"), [(0.0, 9.0, True), (-3.65, 2.86, False), (1e-7, 3e-7, False), (3.0, 8e6, True)]
)
def test_a_slider_stays_inside_the_data(low: float, high: float, whole: bool) -> None:
    variable = Variable("x", "number", (), low, high, (low + high) / 2, 1.0, whole)
    first, last, start, step = variable.slider()
    assert low - 1e-12 <= first <= start <= last <= high + 1e-12
    assert 10 <= (last - first) / step <= 1000 or whole
    assert last - first > 0.9 * (high - low)


def test_a_curve_in_words() -> None:
    x = [0.0, 1.0, 2.0]
    found = pd.DataFrame({"fit": [1.0, 3.0, 2.0], "conf_low": [0.5, 2.0, 1.0], "conf_high": [1.5, 4.0, 3.0]})
    said = words.curves([Curve("The average group", x, found)], "dose", "yield", 0.9)
    assert said == (
        "Predicted yield goes from 1.000 (90% interval 0.5000 to 1.500) at dose 0 to 2.000 (90% interval "
        "1.000 to 3.000) at 2, highest at 1 (3.000)."
    )
    said = words.curves([Curve("g", ["u", "v", "w"], found)], "f", "yield", 0.9)
    assert said.startswith(
        "Predicted yield is lowest for f u, 1.000 (90% interval 0.5000 to 1.500), and highest for f v"
    )
    empty = found.assign(fit=np.nan)
    assert words.curves([Curve("g", x, empty)], "f", "y", 0.9) == "Predicted y has no value here."


def test_a_change_in_words() -> None:
    assert words.change(3.0, 2.0, "y", ratio=False) == "1.000 more y than before (2.000)."
    assert words.change(1.0, 2.0, "y", ratio=True) == "1.000 less y than before (2.000), 0.500 times as much."
    assert words.change(2.0, 2.0, "y", ratio=True).endswith("the same as before.")


def test_hostile_labels_can_be_chosen() -> None:
    fit, frame = fits.hostile(), fits.hostile_data()
    (way,) = variables.ways(fit, frame)
    assert set(variables.in_order(variables.labels_of(way, frame))) == set(fits.NAMES)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "normal"])
def test_the_distribution_of_intervals_is_said(ddf: str) -> None:
    said = words.of_tests(ddf)
    assert ("t distribution" in said) == (ddf != "normal")
    assert ("normal distribution" in said) == (ddf == "normal")
    assert "t distribution" in words.OF_PREDICTIONS


def test_intervals_are_from_the_distribution_that_is_said() -> None:
    fit = fits.fitted("sleepstudy")
    found = predictions.predicted(fit, predictions.crossed(SLEEP.iloc[[0]], {"Days": [4.5]}))
    half = (found["conf_high"] - found["fit"]) / found["std_error"]
    slope = fit.trends("Days").iloc[0]
    assert found["df"].iloc[0] == pytest.approx(17, rel=1e-4)
    assert half.iloc[0] == pytest.approx(
        (slope["conf_high"] - slope["estimate"]) / slope["std_error"], rel=1e-4
    )
