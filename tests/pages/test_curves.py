"""The arithmetic of charts: smooth lines, normal quantiles, lines by group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pages.ui.charts import curves


def test_a_smooth_line_follows_a_straight_one_exactly() -> None:
    x = np.random.default_rng(0).normal(size=500)
    line_x, line_y = curves.smooth(x, 3 - 2 * x)
    assert line_y == pytest.approx(3 - 2 * line_x, abs=1e-8)


def test_a_smooth_line_finds_a_bend() -> None:
    x = np.linspace(-1, 1, 2_000)
    line_x, line_y = curves.smooth(x, x**2 + np.random.default_rng(0).normal(scale=0.1, size=x.size))
    assert np.abs(line_y - line_x**2).max() < 0.12


@pytest.mark.parametrize("distinct", [1, 2, 3])
def test_too_few_places_have_no_smooth_line(distinct: int) -> None:
    x = np.arange(60.0) % distinct
    assert len(curves.smooth(x, x)[0]) == 0


@given(st.integers(4, 12), st.integers(0, 10_000))
def test_a_smooth_line_of_few_places_is_finite(distinct: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(distinct, size=50).astype(float)
    _, line = curves.smooth(x, rng.normal(size=50))
    assert np.isfinite(line).all()


def test_bins_hold_every_row_once_and_split_no_tie() -> None:
    x = np.repeat(np.arange(300.0), 7)
    centre, mean, count = curves.binned_means(x, 2 * x)
    assert count.sum() == x.size
    assert np.all(count % 7 == 0)
    assert mean == pytest.approx(2 * centre)
    assert len(centre) <= curves.BINS


def test_ranks_keep_both_tails() -> None:
    ranks = curves.normal_ranks(1_000_000)
    assert len(ranks) <= 2_000
    assert ranks[:100].tolist() == list(range(1, 101))
    assert ranks[-1] == 1_000_000
    assert curves.normal_ranks(5).tolist() == [1, 2, 3, 4, 5]


def test_the_envelope_covers_normal_order_statistics() -> None:
    """Simulated: the pointwise range of each rank holds 95 % of samples."""
    n, times = 40, 4_000
    ranks = np.arange(1, n + 1)
    _, low, high = curves.normal_quantiles(ranks, n)
    samples = np.sort(np.random.default_rng(0).normal(size=(times, n)), axis=1)
    inside = ((samples >= low) & (samples <= high)).mean(axis=0)
    assert inside == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / times))


def test_expected_quantiles_are_symmetric_and_near_the_exact_ones() -> None:
    expected, _, _ = curves.normal_quantiles(np.arange(1, 6), 5)
    # Exact means of normal order statistics, n = 5 (Harter 1961, Biometrika 48).
    assert expected == pytest.approx([-1.16296, -0.49502, 0, 0.49502, 1.16296], abs=0.02)


def test_straight_lines_match_numpy_group_by_group() -> None:
    rng = np.random.default_rng(1)
    code = rng.integers(6, size=80)
    x, y = rng.normal(size=80), rng.normal(size=80)
    line_code, line_x, line_y = curves.straight_lines(code, x, y)
    for group in range(6):
        mine = line_code == group
        fit = stats.linregress(x[code == group], y[code == group])
        assert line_y[mine] == pytest.approx(fit.intercept + fit.slope * line_x[mine])


def test_a_group_at_one_place_has_a_level_line() -> None:
    _, _, line = curves.straight_lines(np.zeros(3, dtype=np.intp), np.ones(3), np.array([1.0, 2.0, 6.0]))
    assert line == pytest.approx([3.0, 3.0])


def test_codes_that_do_not_occur_make_no_line() -> None:
    code, _, line = curves.straight_lines(
        np.array([0, 0, 2, 2]), np.array([0.0, 1, 0, 1]), np.array([0.0, 1, 5, 3])
    )
    assert code.tolist() == [0, 0, 2, 2]
    assert line == pytest.approx([0, 1, 5, 3])


def test_gaps_separate_lines() -> None:
    (x,) = curves.with_gaps(np.array([0, 0, 1, 3]), np.array([1.0, 2, 3, 4]))
    assert np.isnan(x).nonzero()[0].tolist() == [2, 4]


def test_a_long_line_keeps_its_ends_and_an_even_choice_of_points() -> None:
    code = np.repeat([0, 3], [1_000, 4])
    x = np.r_[np.arange(1_000.0), np.arange(4.0)]
    line_code, line_x, line_y = curves.every_nth(code, x, 2 * x, 50)
    long = line_x[line_code == 0]
    assert len(long) == 50
    assert long[[0, -1]].tolist() == [0, 999]
    assert np.ptp(np.diff(long)) <= 1
    assert line_x[line_code == 3].tolist() == [0, 1, 2, 3]
    assert (line_y == 2 * line_x).all()


def test_no_points_make_no_line() -> None:
    code, x, _ = curves.every_nth(np.empty(0, dtype=np.intp), np.empty(0), np.empty(0), 5)
    assert len(code) == len(x) == 0


@pytest.mark.parametrize("most", [1, 3, 30])
def test_points_along_lines_lie_on_them(most: int) -> None:
    code = np.array([0, 0, 0, 2, 2, 5])
    x, y = np.array([0.0, 1, 3, 2, 2, 7]), np.array([0.0, 2, 2, 5, 5, 9])
    found, at, height = curves.along_lines(code, x, y, most)
    assert found.tolist() == [0] * most + [2] * most + [5] * most
    first = found == 0
    assert height[first] == pytest.approx(np.minimum(2 * at[first], 2))
    assert ((at[first] >= 0) & (at[first] <= 3)).all()
    assert set(height[found == 2]) == {5.0}
    assert set(height[found == 5]) == {9.0}
