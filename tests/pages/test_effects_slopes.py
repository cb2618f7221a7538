"""Slopes on the Effects page: in words, as a chart, and for models of every kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from mixedcore import datasets
from pages.ui.charts.effects_slopes import RUG, johnson_neyman
from pages.ui.effects import slope_words, tabled
from pages.ui.model.modelcall import ModelCall
from tests.pages import fits
from tests.pages.test_effects_page import odd_rows, said, showing

COLUMNS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]


def hsb(formula: str, *, reml: bool = True) -> AppTest:
    call = ModelCall(formula, "school", "1 + cses", reml=reml)
    return showing(fits.opened_with("effects", datasets.load("Hsb82"), call), "Slopes")


@pytest.mark.parametrize("reml", [True, False])
def test_two_numbers_that_interact_have_slopes_and_regions(reml: bool) -> None:
    app = hsb("mAch ~ cses * meanses + sector", reml=reml)
    assert not app.exception
    assert not app.error
    assert len(fits.charts_of(app)) == 2
    assert "where meanses has any value in the data (positive slope, all rows)" in said(app)
    assert "For each unit of meanses the slope of cses changes by 0.29" in said(app)
    assert not any("comparisons" in each for each in fits.texts(app))


def test_a_category_has_slopes_but_no_regions() -> None:
    app = showing(fits.opened("effects", "BodyWeight"), "Slopes")
    assert not app.exception
    assert len(fits.charts_of(app)) == 1
    assert "At Diet 1 weight rises, 0.3596 for each unit of Time" in said(app)
    assert not any("normal distribution" in caption.value for caption in app.caption)
    next(box for box in app.selectbox if box.label == "Adjustment").set_value("holm").run()
    next(box for box in app.selectbox if box.label == "Degrees of freedom").set_value("normal").run()
    assert not app.exception


def test_slopes_at_every_combination_of_several_moderators() -> None:
    app = hsb("mAch ~ cses * meanses * sector")
    assert "sector changes the slope of cses too" in said(app)
    app.multiselect[0].set_value(["meanses", "sector"]).run()
    assert not app.exception
    assert "At meanses −0.4134 and sector Public mAch rises" in said(app)
    assert "too; each slope here is averaged" not in said(app)
    assert len(app.table[0].value) == 6
    assert "of 15 comparisons" in said(app)
    assert len(fits.charts_of(app)) == 1
    along = next(box for box in app.selectbox if box.label == "Compare levels of")
    along.set_value("sector").run()
    assert "of 3 comparisons" in said(app)
    assert "Public − Catholic" in said(app)
    assert not app.exception


def test_many_moderators_have_limits_and_lines_that_can_be_told_apart() -> None:
    app = hsb("mAch ~ cses * meanses + cses * sector + cses * minrty")
    app.multiselect[0].set_value(["meanses", "sector", "minrty"]).run()
    assert not app.exception
    assert "7 of 12 lines are drawn" in said(app)
    assert "6 more are in the table" in said(app)


def test_where_a_slope_is_taken_is_said_where_it_matters() -> None:
    assert "for the line bends" not in said(hsb("mAch ~ cses * sector"))
    app = hsb("mAch ~ (cses + I(cses ** 2)) * sector")
    assert "At the mean of cses, 0, for the line bends." in said(app)


def test_without_an_interaction_the_one_slope_and_the_way_to_one() -> None:
    app = showing(fits.opened("effects", "Hsb82"), "Slopes")
    assert "mAch rises with cses: 2.195 for each unit" in said(app)
    assert "there is no interaction" in app.info[0].value
    assert not fits.charts_of(app)


def test_without_a_number_it_is_said() -> None:
    app = showing(fits.opened("effects", "Machines"), "Slopes")
    assert "no numeric predictor" in app.info[0].value


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x * yes",
        "y ~ bs(x, df=4) * C(code)",
        "np.log(y) ~ x * I(x * 2)",
        "y ~ x * day",
        "y ~ np.log(x) * code",
    ],
)
def test_odd_formulas(formula: str) -> None:
    app = showing(fits.opened_with("effects", odd_rows(), ModelCall(formula, "g")), "Slopes")
    assert not app.exception
    assert "nan" not in said(app).split()
    assert ("scale of the logarithm of y" in said(app)) == formula.startswith("np.log(y)")


def regions(*rows: tuple[float, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["low", "high", "sign"])


def test_regions_in_words() -> None:
    values = pd.Series(np.linspace(0, 10, 101))
    found = regions((-np.inf, -4, -1), (-4, 5, 0), (5, np.inf, 1))
    assert slope_words.regions(found, values, "x", "m", 0.95) == (
        "The slope of x differs from zero (95% interval) where m is below −4.000 (negative slope, none of "
        "the rows) and m is above 5.000 (positive slope, 50% of the rows). The data have m from 0 to 10."
    )
    middle = regions((-np.inf, 2, 0), (2, 3, -1), (3, np.inf, 0))
    assert "m is between 2.000 and 3.000 (negative slope, 11% of the rows)" in slope_words.regions(
        middle, values, "x", "m", 0.95
    )
    nowhere = slope_words.regions(regions((-np.inf, np.inf, 0)), values, "x", "m", 0.95)
    assert nowhere.startswith("At no value of m")


def contrast(p: float, estimate: float = 2.0) -> dict[str, object]:
    numbers = dict(zip(COLUMNS, (estimate, 1.0, 10.0, 2.0, p, estimate - 1, estimate + 1), strict=True))
    return {"contrast": "a − b", **numbers}


def test_differences_in_words() -> None:
    one = slope_words.differences(pd.DataFrame([contrast(0.2)]), "difference", 0.95)
    assert one == (
        "The difference a − b is 2.000 (95% interval 1.000 to 3.000, p = 0.200): it is not clearly "
        "different from zero."
    )
    two = slope_words.differences(pd.DataFrame([contrast(1e-9, 3.0), contrast(0.5)]), "difference", 0.95)
    assert two.startswith(
        "1 of 2 comparisons differ from zero (p < 0.05). The largest difference is a − b: 3.0"
    )
    within = pd.DataFrame([{"f": "u", "n": 0.5} | contrast(0.01), {"f": "w", "n": 0.5} | contrast(0.5)])
    assert "is a − b at f u and n 0.5000: 2.000" in slope_words.differences(within, "difference", 0.95)
    none = pd.DataFrame([{**contrast(0.1), "estimate": np.nan}])
    assert (
        slope_words.differences(none, "difference", 0.95) == "The data determine none of these comparisons."
    )


def test_a_table_leaves_out_infinite_degrees_of_freedom() -> None:
    found = pd.DataFrame([{**contrast(0.01), "df": np.inf}])
    assert tabled.estimates(found, "Slope", 0.95, alt="", name="n").shown.columns.tolist() == [
        "Comparison", "Slope", "Standard error", "z", "p", "Lower 95%", "Upper 95%",
    ]  # fmt: skip


def test_the_plot_shades_what_differs_and_thins_the_rug() -> None:
    grid = np.linspace(0, 1, 21)
    slopes = pd.DataFrame(
        {"<b>m</b>": grid, "estimate": grid, "conf_low": grid - 0.5, "conf_high": grid + 0.5}
    )
    found = regions((-np.inf, -3, -1), (-3, 0.5, 0), (0.5, np.inf, 1))
    chart = johnson_neyman(
        slopes, found, np.random.default_rng(0).random(5000), names=("x", "<b>m</b>"), level=0.95, words="w"
    )
    shaded = [shape for shape in chart.figure.layout.shapes if shape.type == "rect"]
    assert [(shape.x0, shape.x1) for shape in shaded] == [(0.5, 1.0)]
    assert chart.note == f"{RUG} of 5,000 values are marked."
    assert "<b>" not in str(chart.figure.layout.xaxis.title.text)
