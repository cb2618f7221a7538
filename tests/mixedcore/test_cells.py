"""Cells of grouping columns: they add over chunks, and each row finds its own again."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add

import numpy as np
import pandas as pd
import pytest

from mixedcore.data.passes import add_up
from mixedcore.engine.cells import CellIndex, Cells
from mixedcore.errors import DataError, ModelError

N = 600
COLUMNS: dict[str, Callable[[np.ndarray], pd.Series]] = {
    "integers": lambda codes: pd.Series(codes - 7),
    "small integers": lambda codes: pd.Series((codes - 7).astype(np.int8)),
    "integers far apart": lambda codes: pd.Series(codes * 10**15),
    "unsigned integers": lambda codes: pd.Series(codes.astype(np.uint64) + np.uint64(2**63)),
    "floats": lambda codes: pd.Series(codes / 4),
    "text": lambda codes: pd.Series([f"s{code}" for code in codes]),
    "categories": lambda codes: pd.Series(pd.Categorical([f"s{code}" for code in codes])),
    "truth": lambda codes: pd.Series(codes % 2 == 0),
    "dates": lambda codes: pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(codes, unit="D")),
    "mixed": lambda codes: pd.Series([code if code % 2 else f"s{code}" for code in codes], dtype=object),
}


def columns(kind: str, number: int) -> list[pd.Series]:
    rng = np.random.default_rng(8)
    return [COLUMNS[kind](rng.integers(0, 20 + 30 * k, N)) for k in range(number)]


def table_of(cells: Cells) -> dict[tuple[object, ...], int]:
    """Labels of each cell and its rows."""
    labels = zip(*(cells.column(k) for k in range(len(cells.labels))), strict=True)
    return dict(zip(labels, cells.counts.tolist(), strict=True))


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("kind", COLUMNS)
def test_cells_are_the_combinations_that_occur(kind: str, number: int) -> None:
    given = columns(kind, number)
    expected = pd.Series(list(zip(*given, strict=True))).value_counts().to_dict()
    parts = [Cells.of([c.iloc[a : a + 70].reset_index(drop=True) for c in given]) for a in range(0, N, 70)]
    assert table_of(Cells.of(given)) == expected
    assert table_of(reduce(add, parts)) == expected
    assert table_of(add_up(parts, add) or parts[0]) == expected


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("kind", COLUMNS)
def test_rows_find_their_cell(kind: str, number: int) -> None:
    given = columns(kind, number)
    cells = Cells.of(given)
    where = CellIndex(cells).find(given)
    for k, values in enumerate(given):
        assert cells.column(k).take(where).tolist() == values.tolist()
    assert np.bincount(where).tolist() == cells.counts.tolist()


@pytest.mark.parametrize("kind", ["integers", "text"])
def test_a_new_level_or_cell_is_no_level(kind: str) -> None:
    one = CellIndex(Cells.of(columns(kind, 1)))
    for code in (-500, 500):
        with pytest.raises(DataError, match="changed between two passes"):
            one.find([COLUMNS[kind](np.array([code]))])
    two = CellIndex(Cells.of([COLUMNS[kind](np.array([1, 2])), COLUMNS[kind](np.array([1, 2]))]))
    with pytest.raises(DataError, match="changed between two passes"):
        two.find([COLUMNS[kind](np.array([1])), COLUMNS[kind](np.array([2]))])


def test_more_combinations_than_numbers() -> None:
    index = pd.Index(np.arange(2**21))
    one = Cells((index,) * 3, np.zeros((3, 1), dtype=np.intp), np.ones(1, dtype=np.intp))
    with pytest.raises(ModelError, match="too many to cross"):
        _ = one + one


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 100])
def test_parts_add_in_order_and_in_pairs(n: int) -> None:
    deepest = 0

    def join(one: tuple[str, int], two: tuple[str, int]) -> tuple[str, int]:
        nonlocal deepest
        deepest = max(deepest, 1 + max(one[1], two[1]))
        return one[0] + two[0], 1 + max(one[1], two[1])

    total = add_up([(f"{k},", 0) for k in range(n)], join)
    assert total is not None
    assert total[0] == "".join(f"{k}," for k in range(n))
    assert deepest <= 2 * int(np.ceil(np.log2(n)))
