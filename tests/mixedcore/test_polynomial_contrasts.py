"""Polynomial contrasts: emmeans' whole numbers, orthogonal for any number of means."""

from __future__ import annotations

from math import gcd

import numpy as np
import pytest

from mixedcore.effects.contrasts import contrast_set

# Fisher & Yates (1963), Statistical Tables, table XXIII.
PUBLISHED = {
    2: [[-1, 1]],
    3: [[-1, 0, 1], [1, -2, 1]],
    5: [[-2, -1, 0, 1, 2], [2, -1, -2, -1, 2], [-1, 2, 0, -2, 1], [1, -4, 6, -4, 1]],
    7: [
        [-3, -2, -1, 0, 1, 2, 3],
        [5, 0, -3, -4, -3, 0, 5],
        [-1, 1, 1, 0, -1, -1, 1],
        [3, -7, 1, 6, 1, -7, 3],
        [-1, 4, -5, 0, 5, -4, 1],
        [1, -6, 15, -20, 15, -6, 1],
    ],
}


def polynomials(k: int) -> np.ndarray:
    return contrast_set("poly", [str(number) for number in range(k)], 0)[1]


def emmeans_rule(k: int) -> np.ndarray:
    """The steps of emmeans' `poly.emmc`: a smallest positive coefficient of 1, then scaled until whole."""
    powers = np.vander(np.arange(k) - (k - 1) / 2, min(k, 7), increasing=True)
    Q, R = np.linalg.qr(powers)
    found = []
    for column in (Q * np.sign(np.diag(R))).T[1:]:
        own = column / column[column > 0.01].min()
        while (away := np.abs(own - np.round(own)).max()) > 0.05:
            own = own / away
        found.append(np.round(own))
    return np.array(found)


@pytest.mark.parametrize("k", PUBLISHED)
def test_the_published_coefficients(k: int) -> None:
    np.testing.assert_array_equal(polynomials(k), PUBLISHED[k])


@pytest.mark.parametrize("k", range(2, 18))
def test_emmeans_rule_where_it_settles(k: int) -> None:
    np.testing.assert_array_equal(polynomials(k), emmeans_rule(k))


@pytest.mark.parametrize("k", [2, 6, 17, 18, 21, 35, 100])
def test_whole_orthogonal_and_as_small_as_can_be(k: int) -> None:
    found = polynomials(k)
    whole = [[int(value) for value in row] for row in found]
    assert all(gcd(*row) == 1 for row in whole)
    for place, row in enumerate(whole):
        assert sum(row) == 0
        assert row[-1] > 0
        assert all(sum(a * b for a, b in zip(row, other, strict=True)) == 0 for other in whole[:place])
    assert k > 18 or np.abs(found).max() <= 1000  # emmeans' search ends at 4 × 10^16 for 18
