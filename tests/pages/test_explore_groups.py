"""Own least-squares lines, within against between, and the charts of Explore: against numpy, and odd data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import datasets
from pages.ui.charts import explore_groups
from pages.ui.explore import groups, words
from tests.pages import fits


def reversal() -> pd.DataFrame:
    """Within each of six groups y falls by 2 for one more x; between them it rises by 3."""
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(6), 20)
    inside = np.tile(np.linspace(-1, 1, 20), 6)
    y = 3.0 * g - 2 * inside + rng.normal(scale=0.01, size=g.size)
    return pd.DataFrame({"g": g.astype(str), "x": g + inside, "y": y})


def test_own_lines_are_those_of_numpy() -> None:
    frame = datasets.load("sleepstudy")
    data = groups.explored(frame, "Reaction", "Days", "Subject")
    lines = groups.own_lines(data)
    for place, label in enumerate(data.labels):
        own = frame[frame["Subject"] == label]
        slope, intercept = np.polyfit(own["Days"], own["Reaction"], 1)
        assert lines.slope[place] == pytest.approx(slope)
        assert lines.y_mean[place] - slope * lines.x_mean[place] == pytest.approx(intercept)
    assert lines.pooled == pytest.approx(np.polyfit(frame["Days"], frame["Reaction"], 1)[0])
    assert lines.within == pytest.approx(lines.pooled)
    assert np.isnan(lines.between)


def test_a_reversal_is_found_and_said() -> None:
    data = groups.explored(reversal(), "y", "x", "g")
    lines = groups.own_lines(data)
    assert lines.within == pytest.approx(-2, abs=0.02)
    assert lines.between == pytest.approx(3, abs=0.02)
    said = words.slopes(lines, "y", "x", "g")
    assert "Simpson's reversal" in said
    assert "y falls by 2" in said
    chart = explore_groups.within_between(data, lines, chosen="3")
    assert "slope between them 3" in chart.alt


def test_the_pooled_slope_mixes_the_two() -> None:
    data = groups.explored(datasets.load("Hsb82"), "mAch", "ses", "school")
    lines = groups.own_lines(data)
    assert lines.within < lines.pooled < lines.between
    assert lines.within == pytest.approx(2.191, abs=0.001)  # Raudenbush & Bryk (2002), table 5.11


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_units_of_the_predictor_do_not_matter(factor: float) -> None:
    frame = reversal()
    frame["x"] *= factor
    lines = groups.own_lines(groups.explored(frame, "y", "x", "g"))
    assert lines.within * factor == pytest.approx(-2, abs=0.02)


def test_rows_without_a_value_are_left_out_and_counted() -> None:
    frame = reversal()
    frame.loc[0, "y"], frame.loc[1, "x"], frame.loc[2, "g"], frame.loc[3, "y"] = np.nan, np.nan, None, np.inf
    data = groups.explored(frame, "y", "x", "g")
    assert data.dropped == 4
    assert data.rows[0] == 4
    assert data.sizes.sum() == len(data.y) == 116


def test_a_predictor_of_the_group_has_no_own_slopes() -> None:
    frame = reversal().assign(level=lambda f: f["g"].astype(int))
    lines = groups.own_lines(groups.explored(frame, "y", "level", "g"))
    assert np.isnan(lines.slope).all()
    assert np.isnan(lines.within)
    assert "never varies within" in words.slopes(lines, "y", "level", "g")


def test_a_category_is_drawn_at_its_places() -> None:
    frame = datasets.load("Machines")
    data = groups.explored(frame, "score", "Machine", "Worker")
    assert data.places == ("A", "B", "C")
    assert not data.numeric
    drawn = groups.drawn_lines(data, None, list(data.labels[:2]))
    assert len(drawn.line_x) == 18
    assert len(drawn.x) == 18


@pytest.mark.parametrize("n_groups", [2, 40, 41, 9_000])
def test_the_distribution_of_any_number_of_groups(n_groups: int) -> None:
    rng = np.random.default_rng(0)
    g = np.arange(3 * n_groups) % n_groups
    frame = pd.DataFrame({"y": rng.normal(size=g.size), "g": [f"<b>{i}</b>" for i in g]})
    data = groups.explored(frame, "y", "", "g")
    chosen, five = data.labels[-1], groups.quantiles(data)
    assert np.allclose(five[0], np.quantile(data.y[data.code == 0], groups.QUANTILES))
    for chart in (
        explore_groups.histogram(data, chosen=chosen),
        explore_groups.by_group(data, five, chosen=chosen),
    ):
        assert chart.alt
        assert "<b>" not in str([trace.name for trace in chart.figure.data])
        assert all(len(trace.x if trace.x is not None else trace.y) <= 4_000 for trace in chart.figure.data)
    assert groups.by_median(data, five)[0] in explore_groups.by_group(data, five).alt


def test_hostile_names_stay_text() -> None:
    data = groups.explored(fits.hostile_data(), fits.OUTCOME, fits.PREDICTOR, fits.GROUP)
    chart = explore_groups.within_between(data, groups.own_lines(data), chosen=fits.NAMES[0])
    assert "<script>" not in str(chart.figure.to_dict())


def test_the_words_of_the_icc() -> None:
    assert "design effect 1.9" in words.icc(0.1, "y", "g", 1_000, 100)
    assert "hardly matter" in words.icc(0.0, "y", "g", 1_000, 100)
    assert "could not be computed" in words.icc(float("nan"), "y", "g", 10, 2)
