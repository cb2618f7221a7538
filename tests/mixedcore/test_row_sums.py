"""The two passes over rows: sums over chunks equal sums over all rows, and each column is kept once."""

from __future__ import annotations

import numpy as np
import pytest

from mixedcore.engine.moments import Moments, moments
from mixedcore.engine.rows import Rows, gather
from mixedcore.engine.sums import LevelSums
from mixedcore.errors import DataError, ModelError
from mixedcore.terms import Block, Floats, RandomTerm

RNG = np.random.default_rng(4)
N = 1000
TABLE = np.column_stack([np.ones(N), RNG.normal(size=N), 1e9 + RNG.normal(size=N), RNG.integers(0, 2, N)])
Y = RNG.normal(size=N)


def term(basis: Floats, m: int = 8) -> RandomTerm:
    codes = (np.arange(len(basis)) % m).astype(np.intp)
    block = Block(codes, m, basis, np.zeros(m, np.intp), [""] * m * basis.shape[1])
    return RandomTerm("g", "group", "full", tuple(f"x{j}" for j in range(basis.shape[1])), (block,))


def rows(weights: Floats | None = None) -> Rows:
    return gather(Y, TABLE, (), weights)


@pytest.mark.parametrize("size", [1, 7, 300, 999, 5000])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_of_chunks_add_up_to_those_of_all_rows(size: int, weighted: bool) -> None:
    w = RNG.uniform(0.1, 5, N) if weighted else None
    found: Moments = moments(rows(w).chunks(size=size))
    columns = np.column_stack([TABLE, Y]) - np.array([0, 0, 1e9, 0, 0])
    ones = np.ones(N) if w is None else w
    mean = ones @ columns / ones.sum()
    assert found.n == N
    assert found.weight == pytest.approx(ones.sum())
    np.testing.assert_allclose(found.centre - [0, 0, 1e9, 0, 0], mean, atol=1e-6)  # 1e9 has 1e-7 to spare
    deviations = columns - mean
    expected = (deviations * ones[:, None]).T @ deviations
    np.testing.assert_allclose(found.M2, expected, rtol=1e-6, atol=1e-6 * N)
    np.testing.assert_array_equal(found.low, [1, *columns.min(axis=0)[1:2], TABLE[:, 2].min(), 0, Y.min()])
    np.testing.assert_array_equal(found.nonzero, [N, N, N, TABLE[:, 3].sum(), N])


def test_a_mean_far_from_zero_costs_no_digits() -> None:
    """1e9 and a unit spread: the naive sum of squares would have no digit of the variance left."""
    found = moments(rows().chunks(size=100))
    expected = np.var(TABLE[:, 2] - 1e9) * N
    assert found.M2[2, 2] == pytest.approx(expected, rel=1e-12)


def test_no_rows_are_an_error() -> None:
    with pytest.raises(DataError, match="no rows"):
        moments(iter([]))


def test_equal_columns_are_kept_once_wherever_they_stand() -> None:
    basis = TABLE[:, [1, 0]].copy()
    found = gather(Y, TABLE, (term(basis),))
    assert len(found.columns) == 5
    assert found.layout.bases[0][0].tolist() == [1, 0]
    assert found.layout.fixed.tolist() == [0, 1, 2, 3]


def test_columns_that_differ_in_one_row_are_two() -> None:
    other = TABLE[:, [1]].copy()
    other[17] += 1e-9
    found = gather(Y, TABLE, (term(other),))
    assert found.layout.bases[0][0].tolist() == [4]


@pytest.mark.parametrize("kind", ["sorted", "shuffled", "long runs", "one level"])
def test_sums_by_level_are_those_of_a_loop(kind: str) -> None:
    codes = {
        "sorted": np.repeat(np.arange(250), 4),
        "shuffled": RNG.integers(0, 40, N),
        "long runs": np.repeat(np.arange(10), 100),
        "one level": np.zeros(N, dtype=int),
    }[kind].astype(np.intp)
    m = int(codes.max()) + 2  # the last level has no row
    columns = np.vstack([np.ones(N), TABLE[:, 1], Y])
    sums = LevelSums(m)
    sums.want([0, 1], [0, 1, 2])
    for own in np.array_split(np.arange(N), 3):
        sums.add(columns[:, own], 0, codes[own])
    for i in (0, 1):
        for j in (0, 1, 2):
            expected = [columns[i, codes == f] @ columns[j, codes == f] for f in range(m)]
            np.testing.assert_allclose(sums.blocks([i], [j])[0, 0], expected, atol=1e-12)


@pytest.mark.parametrize("value", [1e150, 1e-150, 1e60, 1e-60])
def test_numbers_whose_powers_are_no_numbers_are_named(value: float) -> None:
    from mixedcore import mixedlm

    data = {"y": Y, "x": TABLE[:, 1] * value, "g": np.arange(N) % 9}
    with pytest.raises(ModelError, match=r"largest value of x is .*other units"):
        mixedlm("y ~ x", data, groups="g").fit()
