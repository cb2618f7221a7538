"""The sentence above a chart says what the chart comes to, with its numbers, and is true at the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pages.ui import charts
from pages.ui.charts import base, coefficients
from pages.ui.charts.influence import cooks_by_group
from pages.ui.charts.residuals import leaves_zero
from pages.ui.charts.sent import sent
from pages.ui.report import still
from tests.pages import fits


def effects(estimate: list[float], error: float = 1.0) -> pd.DataFrame:
    value = np.array(estimate)
    return fits.many_effects(len(value)).assign(
        estimate=value, conf_low=value - 1.96 * error, conf_high=value + 1.96 * error
    )


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        ([-3.0, 0.5, 4.0], "2 of 3 groups differ clearly from the average (95% interval without zero). "),
        ([-1.0, 0.5, 4.0], "1 of 3 groups differs clearly from the average"),
        ([-1.0, 1.0], "None of 2 groups differ clearly from the average"),
        ([0.0, 0.0], ""),
    ],
)
def test_how_many_groups_differ(estimate: list[float], said: str) -> None:
    assert charts.caterpillar(effects(estimate)).message.startswith(said)


def test_the_ends_of_the_ranking_are_named() -> None:
    message = charts.caterpillar(effects([-3.0, 0.5, 4.0])).message
    assert message.endswith("The highest is level 2 (4.00), the lowest level 0 (−3.00).")


def test_a_curve_that_remains_is_said_for_the_spread_of_the_residuals() -> None:
    x = np.linspace(-1, 1, 400)
    noise = np.random.default_rng(0).normal(size=400)
    assert leaves_zero(x, noise).startswith("The line stays near zero, within 0.")
    assert leaves_zero(x, noise + 4 * x**2).startswith("The line leaves zero by up to ")
    assert leaves_zero(np.repeat([1.0, 2.0], 50), noise[:100]) == ""
    assert leaves_zero(x, np.zeros(400)) == ""


def test_a_funnel_is_said_with_its_size() -> None:
    rng = np.random.default_rng(1)
    fitted = rng.uniform(1, 10, size=2000)
    frame = pd.DataFrame({"fitted": fitted, "resid": rng.normal(size=2000) * fitted})
    frame["resid_std"] = frame["resid"] / frame["resid"].std()
    assert "times as large for large fitted values as for small ones" in charts.scale_location(frame).message
    even = frame.assign(resid_std=rng.normal(size=2000))
    assert charts.scale_location(even).message.startswith("Residuals are typically about as large")


def test_points_outside_of_the_band_are_counted_and_ends_named() -> None:
    rng = np.random.default_rng(2)
    heavy = pd.Series(rng.standard_t(2, size=500))
    message = charts.normal_qq(heavy.to_numpy(), heavy.index).message
    assert "the left end lies below it and the right end lies above it." in message
    normal = pd.Series(np.sort(rng.normal(size=50)))
    assert "of the 50 points lie" in charts.normal_qq(normal.to_numpy(), normal.index).message


def test_influence_and_widths_are_said() -> None:
    found = pd.DataFrame({"level": ["a", "b", "c"], "cooks_distance": [0.1, 5.0, np.nan]})
    assert cooks_by_group(found, "g").message == (
        "1 of the 2 groups lies above the dotted line. The most influential is group b: 5."
    )
    rows = fits.many_rows(600, groups=4)
    assert charts.residuals_by_group(rows, "g").message.startswith("The typical residual (root mean square)")
    single = rows.head(4).assign(g=list("abcd"))
    assert charts.residuals_by_group(single, "g").message == ""


LONG = "cses × sector: Catholic × minrty: Yes"


def test_a_long_product_breaks_into_two_lines_where_rows_are_high_enough() -> None:
    (two,) = base.labelled_axis([LONG], 24, two_lines=True)["ticktext"]
    assert two == "cses × sector: Catholic<br>× minrty: Yes"
    (one,) = base.labelled_axis([LONG], 24)["ticktext"]
    assert "<br>" not in one
    assert still.words(two) == "cses × sector: Catholic\n× minrty: Yes"
    (hostile,) = base.labelled_axis(["<b>x</b> × <br> × a very long name"], 24, two_lines=True)["ticktext"]
    assert hostile.count("<") == 1


def test_the_margin_is_as_wide_as_the_longer_line() -> None:
    fixed = pd.DataFrame({"term": [LONG], "estimate": 1.0, "conf_low": 0.0, "conf_high": 2.0})
    figure = sent(coefficients.coefficient_plot(fixed).figure, charts.LIGHT)
    assert figure.to_dict()["layout"]["margin"]["l"] < 38 + 6.2 * 26
