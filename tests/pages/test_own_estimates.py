"""Each group's own estimate beside the model's: against NumPy's least squares, and against theory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import datasets, mixedlm
from pages.ui import charts
from pages.ui.charts.shrinkage import DRAWN
from pages.ui.results.own_estimates import Pooling, least_squares, pooling
from tests.pages import fits


def pooled(result: Any, factor: str, term: str = "Intercept") -> Pooling:
    found = pooling(result, result.tidy(effects="blups"), factor, term)
    assert found is not None
    return found


def test_own_lines_are_those_of_least_squares_on_the_rows_of_each_group() -> None:
    found = pooled(fits.fitted("sleepstudy"), "Subject", "Days")
    data = datasets.load("sleepstudy")
    for label, own in zip(found.labels, found.own, strict=True):
        rows = data[data["Subject"].astype(str) == label]
        slope, intercept = np.polyfit(rows["Days"], rows["Reaction"], 1)
        assert own == pytest.approx([intercept, slope])
    assert not found.adjusted
    assert found.complete == pytest.approx([251.405, 10.467], abs=1e-3)
    assert found.cov == pytest.approx(fits.fitted("sleepstudy").cov_re.to_numpy())


def test_a_balanced_random_intercept_is_its_own_mean_and_the_average_weighted_by_reliability() -> None:
    result = mixedlm("Yield ~ 1", datasets.load("Dyestuff"), groups="Batch").fit()
    found = pooled(result, "Batch")
    weighted = found.complete[0] + found.weight * (found.own[:, 0] - found.complete[0])
    assert found.partial[:, 0] == pytest.approx(weighted)


def test_other_effects_are_taken_away_first() -> None:
    result = fits.fitted("classrooms")
    found = pooled(result, "classroom")
    augmented = result.augment()
    rest = augmented["resid"].to_numpy() + found.partial[result.model.design.terms[1].blocks[0].codes, 0]
    assert found.own[:, 0] == pytest.approx(
        pd.Series(rest).groupby(result.model.design.terms[1].blocks[0].codes).mean().to_numpy()
    )
    assert found.adjusted


def test_groups_whose_rows_determine_no_line_have_none() -> None:
    codes = np.array([0, 0, 0, 1, 2, 2])
    x = np.array([1.0, 2.0, 3.0, 5.0, 4.0, 4.0]) + 1e6
    basis = np.column_stack([np.ones(6), x])
    own = least_squares(codes, 4, basis, 2 + 3 * x)
    assert own[0] == pytest.approx([2, 3], abs=1e-3)
    assert np.isnan(own[1:]).all()


@pytest.mark.parametrize("groups", [3, 40, 400, 3_000, 100_000])
def test_charts_of_any_number_of_groups_stay_small(groups: int) -> None:
    rng = np.random.default_rng(0)
    own = rng.normal(size=(groups, 2))
    size, labels = rng.integers(1, 30, groups), tuple(f"g{i}" for i in range(groups))
    own[0] = np.nan
    one = charts.shrinkage(
        labels, size, own[:, 0], own[:, 0] / 2, 0.0, name="x", factor="g",
        weight=np.full(groups, 0.5), adjusted=True, chosen="g1",
    )  # fmt: skip
    both = charts.plane(
        labels, size, own, own / 2, np.zeros(2), np.eye(2), names=("a", "b"), factor="g", chosen="g1"
    )
    for chart in (one, both):
        assert len(chart.figure.to_json()) < 2_000_000
        assert chart.alt.endswith(".")
        assert "1 group has no estimate of their own" in chart.note
        assert "g1" in {trace.name for trace in chart.figure.data}
        assert ("are drawn" in chart.note) == (groups > DRAWN)


def test_prior_weights_count_in_what_a_group_says_on_its_own() -> None:
    data = datasets.load("sleepstudy").assign(w=lambda frame: 1.0 + frame["Days"] % 3)
    result = mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="1 + Days", weights="w").fit()
    found = pooled(result, "Subject", "Days")
    for label, own in zip(found.labels, found.own, strict=True):
        rows = data[data["Subject"].astype(str) == label]
        slope, intercept = np.polyfit(rows["Days"], rows["Reaction"], 1, w=np.sqrt(rows["w"]))
        assert own == pytest.approx([intercept, slope])
    assert found.weighted


def test_equal_weights_change_nothing_and_a_weight_of_two_is_two_rows() -> None:
    dye = datasets.load("Dyestuff")
    plain = pooled(mixedlm("Yield ~ 1", dye, groups="Batch").fit(), "Batch")
    twos = mixedlm("Yield ~ 1", dye.assign(w=2.0), groups="Batch", weights="w").fit()
    found = pooled(twos, "Batch")
    assert found.own == pytest.approx(plain.own)
    assert found.weight == pytest.approx(plain.weight, rel=1e-5)  # σ² is that of weight one: twice as large
    weighted = found.complete[0] + found.weight * (found.own[:, 0] - found.complete[0])
    assert found.partial[:, 0] == pytest.approx(weighted)
