"""Types of columns: what each pandas type becomes, dates and categories, and new data like old."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore.data.columns import missing_rows, settle
from mixedcore.data.tables import as_values
from mixedcore.errors import DataError

NUMBERS = {
    "int64": (pd.Series([1, 2]), "int64"),
    "int8": (np.array([1, 2], dtype=np.int8), "int8"),
    "Int64": (pd.array([1, 2], dtype="Int64"), "int64"),
    "arrow int": (pd.array([1, 2], dtype="int32[pyarrow]"), "int64"),
    "float32": (np.array([1, 2], dtype=np.float32), "float64"),
    "Float64": (pd.array([1, 2], dtype="Float64"), "float64"),
    "arrow double": (pd.array([1.0, 2.0], dtype="double[pyarrow]"), "float64"),
    "objects": (np.array([1, 2.0], dtype=object), "int64"),
    "decimals": ([Decimal(1), Decimal(2)], "float64"),
    "sparse": (pd.arrays.SparseArray([1.0, 2.0]), "float64"),
    "durations": (pd.to_timedelta([1, 2], unit="D"), "float64"),
}


@pytest.mark.parametrize(("column", "dtype"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_become_plain(column: Any, dtype: str) -> None:
    values = settle(as_values(column, "x"), "x").values
    assert values.dtype == dtype
    assert values.tolist() == [1, 2]


BOOLEANS = [np.array([True, False]), pd.array([True, False], dtype="boolean"), [True, False]]


@pytest.mark.parametrize("column", [*BOOLEANS, pd.array([True, False], dtype="bool[pyarrow]")])
def test_booleans_stay_boolean(column: Any) -> None:
    assert settle(as_values(column, "x"), "x").values.dtype == bool


TEXT = {
    "list": ["b", "a"],
    "object": np.array(["b", "a"], dtype=object),
    "fixed width": np.array(["b", "a"]),
    "string": pd.array(["b", "a"], dtype="string"),
    "arrow": pd.array(["b", "a"], dtype="string[pyarrow]"),
}


@pytest.mark.parametrize("column", TEXT.values(), ids=TEXT)
def test_text_becomes_sorted_categories(column: Any) -> None:
    values = settle(as_values(column, "x"), "x").values
    assert list(values.cat.categories) == ["a", "b"]
    assert values.tolist() == ["b", "a"]


def test_categories_keep_their_order_and_lose_those_without_rows() -> None:
    column = pd.Series(pd.Categorical(["c", "a"], categories=["c", "b", "a"]))
    settled = settle(column, "x")
    assert list(settled.values.cat.categories) == ["c", "a"]
    assert settled.notes == ("x: 1 categories without rows were left out (b).",)


DATES = {
    "datetime": pd.to_datetime(["2024-01-03", "2024-01-01"]),
    "zoned": pd.to_datetime(["2024-01-03", "2024-01-01"]).tz_localize("Europe/Berlin"),
    "objects": [dt.date(2024, 1, 3), dt.date(2024, 1, 1)],
    "periods": pd.PeriodIndex(["2024-01-03", "2024-01-01"], freq="D"),
    "arrow": pd.array([dt.date(2024, 1, 3), dt.date(2024, 1, 1)], dtype="date32[pyarrow]"),
}


@pytest.mark.parametrize("column", DATES.values(), ids=DATES)
def test_dates_become_days_since_the_first(column: Any) -> None:
    settled = settle(as_values(column, "when"), "when")
    assert settled.values.tolist() == [2.0, 0.0]
    assert "used as days since" in settled.notes[0]


def test_new_dates_count_from_the_first_date_of_the_fit() -> None:
    fitted = settle(pd.Series(pd.to_datetime(["2024-01-03", "2024-01-01"])), "when")
    new = settle(pd.Series(pd.to_datetime(["2024-01-11"])), "when", like=fitted)
    assert new.values.tolist() == [10.0]


def test_new_categories_are_those_of_the_fit() -> None:
    fitted = settle(pd.Series(["a", "b", "c"]), "x")
    new = settle(pd.Series(["c", "c"]), "x", like=fitted)
    assert list(new.values.cat.categories) == ["a", "b", "c"]
    assert new.values.tolist() == ["c", "c"]
    with pytest.raises(DataError, match="'x' holds 'z', which the fit has not seen; it knows 'a', 'b', 'c'"):
        settle(pd.Series(["z"]), "x", like=fitted)


def test_new_data_of_another_kind_are_refused_or_converted() -> None:
    numbers, truth = settle(pd.Series([1.0, 2.0]), "x"), settle(pd.Series([True, False]), "x")
    with pytest.raises(DataError, match="holds text here and numbers in the fit"):
        settle(pd.Series(["1"]), "x", like=numbers)
    with pytest.raises(DataError, match="holds numbers here and true or false in the fit"):
        settle(pd.Series([2]), "x", like=truth)
    assert settle(pd.Series([1, 0]), "x", like=truth).values.tolist() == [True, False]
    assert settle(pd.Series([True]), "x", like=numbers).values.tolist() == [1.0]
    codes = settle(pd.Series([1, 2]).astype("category"), "x")
    assert settle(pd.Series([2]), "x", like=codes).values.cat.codes.tolist() == [1]


@pytest.mark.parametrize(("column", "sentence"), [([1j, 2j], "complex"), ([[1], [2, 3]], "neither")])
def test_values_that_no_model_can_use_are_refused(column: Any, sentence: str) -> None:
    series = pd.Series(column)
    with pytest.raises(DataError, match=sentence):
        settle(series, "x")


MISSING = {
    "float": ([1.0, np.nan, np.inf, -np.inf], [1], [2, 3]),
    "Float64": (pd.array([1.0, None, np.inf, 2.0], dtype="Float64"), [1], [2]),
    "Float64 with NaN inside": (
        pd.array([0.0, 1.0], dtype="Float64") / pd.array([0.0, 1.0], "Float64"),
        [0],
        [],
    ),
    "objects": ([1.0, None, float("inf"), 2], [1], [2]),
    "Int64": (pd.array([1, None], dtype="Int64"), [1], []),
    "boolean": ([True, None], [1], []),
    "text": (["a", None, ""], [1], []),
    "category": (pd.Categorical(["a", None]), [1], []),
    "dates": (pd.to_datetime(["2024-01-01", None]), [1], []),
    "matrix": (np.array([[1, 2], [np.nan, 2], [3, np.inf]]), [1], [2]),
}


@pytest.mark.parametrize(("column", "absent", "infinite"), MISSING.values(), ids=MISSING)
def test_missing_and_infinite_rows(column: Any, absent: list[int], infinite: list[int]) -> None:
    found = missing_rows(as_values(column, "x"))
    assert [np.flatnonzero(mask).tolist() for mask in found] == [absent, infinite]


def test_integers_beyond_64_bits_are_numbers() -> None:
    assert settle(as_values([10**30, 1], "x"), "x").values.tolist() == [1e30, 1.0]
