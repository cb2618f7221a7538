"""The studentised range and the largest |t|: against SciPy, closed forms, one another, and draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedcore.effects.adjust import Family, adjusted_p, critical_values, resolved
from mixedcore.errors import ModelError
from mixedcore.inference.maxima import LargestT, range_quantile, range_tail

EXACT = 1e-8  # two integrals to near double precision; SciPy's stops at about 1e-9
LATTICE = 2.5e-3  # of a probability: 32,768 points, tried on up to 28 comparisons of 8 means


def pairs(k: int) -> np.ndarray:
    """Correlations of all pairwise differences of k independent means of one variance."""
    C = np.array([np.eye(k)[i] - np.eye(k)[j] for i in range(k) for j in range(i + 1, k)])
    return C @ C.T / 2


@pytest.mark.parametrize(
    "q, k, df", [(3.5, 3, 10), (1.0, 6, 5.3), (5.0, 15, 200), (0.2, 4, 3), (8.0, 20, 2.5)]
)
def test_range_equals_scipy(q: float, k: int, df: float) -> None:
    assert range_tail(q, k, df) == pytest.approx(stats.studentized_range.sf(q, k, df), rel=EXACT)


@pytest.mark.parametrize("df", [1.0, 3.7, 20.0, 1000.0, 1e6, np.inf])
@pytest.mark.parametrize("t", [0.3, 2.0, 8.0, 30.0])
def test_range_of_two_is_a_t_test_whose_small_p_keep_their_digits(t: float, df: float) -> None:
    assert range_tail(np.sqrt(2) * t, 2, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-7)


def test_range_quantile_is_the_inverse() -> None:
    for p, k, df in ((0.05, 3, 51.0), (0.001, 8, 4.2), (0.5, 5, np.inf)):
        assert range_tail(range_quantile(p, k, df), k, df) == pytest.approx(p, rel=1e-9)
    assert range_tail(0.0, 3, 10) == range_tail(-1.0, 3, 10) == 1.0


@pytest.mark.parametrize("k, df", [(3, 20.0), (5, 6.5), (4, np.inf), (8, 10.0)])
@pytest.mark.parametrize("c", [1.0, 2.5, 4.0, 9.0])
def test_largest_t_of_equal_means_is_the_range(k: int, df: float, c: float) -> None:
    """R is singular: of k (k − 1)/2 differences k − 1 determine the rest."""
    assert LargestT(pairs(k), df).tail(c) == pytest.approx(range_tail(np.sqrt(2) * c, k, df), rel=LATTICE)


def test_largest_of_independent_normals() -> None:
    found = LargestT(np.eye(4), np.inf)
    for c in (0.5, 2.0, 6.0, 12.0):
        p = 2 * stats.norm.sf(c)
        assert found.tail(c) == pytest.approx(-np.expm1(4 * np.log1p(-p)), rel=LATTICE)
    assert found.tail(0.0) == 1.0
    assert found.tail(found.quantile(0.05)) == pytest.approx(0.05, rel=LATTICE)


def test_largest_t_of_uneven_correlations_by_draws() -> None:
    rng = np.random.default_rng(3)
    root = rng.normal(size=(5, 3))
    root /= np.linalg.norm(root, axis=1, keepdims=True)
    T = rng.normal(size=(400_000, 3)) @ root.T / np.sqrt(rng.chisquare(7.5, (400_000, 1)) / 7.5)
    largest, found = np.abs(T).max(axis=1), LargestT(root @ root.T, 7.5)
    for c in (1.0, 2.0, 3.0):
        share = (largest >= c).mean()
        assert abs(found.tail(c) - share) < 3.5 * np.sqrt(share * (1 - share) / len(T)) + LATTICE * share


@pytest.mark.parametrize("how", ["none", "tukey", "holm", "bonferroni", "sidak", "scheffe", "mvt"])
def test_an_interval_excludes_zero_where_its_test_rejects(how: str) -> None:
    """At the critical value the p-value is 1 − level; Holm's is Bonferroni's for the largest |t|."""
    family, df = Family(4, pairs(4)), np.full(6, 12.0)
    c = critical_values(0.9, df, how, family)  # type: ignore[arg-type]
    p = adjusted_p(np.array([c[0], 0, 0, 0, 0, 0]), df, how, family)  # type: ignore[arg-type]
    assert p[0] == pytest.approx(0.1, rel=LATTICE if how == "mvt" else 1e-8)


def test_orders_of_the_adjustments() -> None:
    t, df, family = np.array([0.5, 1.2, 2.2, 2.9, 3.4, 5.0]), np.full(6, 15.0), Family(4, pairs(4))
    p = {
        how: adjusted_p(t, df, how, family)
        for how in ("none", "tukey", "holm", "bonferroni", "sidak", "scheffe")
    }
    assert (p["none"] <= p["holm"]).all()
    assert (p["holm"] <= p["bonferroni"]).all()
    assert (p["none"] <= p["tukey"]).all()
    assert (p["tukey"] <= p["scheffe"] + 1e-12).all()
    assert (p["sidak"] <= p["bonferroni"]).all()
    tiny = adjusted_p(np.full(6, 60.0), df, "sidak", family)
    assert tiny == pytest.approx(6 * 2 * stats.t.sf(60, 15), rel=1e-10)


def test_which_adjustment_is_used() -> None:
    assert resolved("tukey", pairwise=True, several=True) == "tukey"
    assert resolved("tukey", pairwise=False, several=True) == "sidak"
    assert resolved("mvt", pairwise=True, several=False) == "none"
    assert resolved("scheffe", pairwise=True, several=False) == "scheffe"
    with pytest.raises(ModelError, match="'holm'"):
        resolved("fdr", pairwise=True, several=True)
