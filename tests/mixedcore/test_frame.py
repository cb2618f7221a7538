"""Rows are rows: subset, groups and missing values pair by position or by matching labels, or say why not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixedcore.data.columns import settle
from mixedcore.data.frame import Frame, drop_rows, make_frame, new_frame, subset_rows
from mixedcore.data.tables import open_table
from mixedcore.errors import DataError, FormulaError, MissingValuesError

DATA = pd.DataFrame(
    {
        "x": [1.0, np.nan, 3.0, 4.0, np.inf],
        "k": pd.array([1, 2, None, 4, 5], dtype="Int64"),
        "g": list("aabbc"),
    },
    index=list("vwxyz"),
)


def frame(data: Any = DATA, names: tuple[str, ...] = ("x", "k"), **arguments: Any) -> Frame:
    return make_frame(open_table(data), names, **{"groups": "g", "missing": "drop", **arguments})


def test_drop_removes_every_row_with_a_gap_and_says_why() -> None:
    found = frame()
    assert found.rows.tolist() == [0, 3]
    assert list(found.index) == ["v", "y"]
    assert found.group_labels().tolist() == ["a", "b"]
    assert found.values()["k"].tolist() == [1, 4]
    assert found.values()["k"].dtype == np.int64
    assert found.notes == ("3 of 5 rows dropped: missing in x (1), x (infinite: 1), k (1).",)


@pytest.mark.parametrize("missing", ["none", "raise"])
def test_a_gap_is_an_error_that_names_columns_and_rows(missing: str) -> None:
    sentence = r"3 of 5 rows have missing or infinite values: x \(1\), x \(infinite: 1\), k \(1\)"
    with pytest.raises(MissingValuesError, match=sentence):
        frame(missing=missing)


def test_a_gap_in_the_groups_counts_once() -> None:
    data = DATA.assign(g=["a", None, "b", "b", "c"])
    with pytest.raises(MissingValuesError, match=r"1 of 5 rows have missing or infinite values: g \(1\)\."):
        frame(data, ("g",), missing="none")
    with pytest.raises(MissingValuesError, match=r"groups \(1\)"):
        frame(DATA, (), groups=data["g"], missing="none")


def test_gaps_in_columns_that_are_not_used_do_not_matter() -> None:
    assert frame(names=("g",), missing="none").n == 5


def test_gaps_outside_the_subset_do_not_matter() -> None:
    assert frame(subset=["v", "y"], missing="none").n == 2


@pytest.mark.parametrize(
    ("given_", "sentence"), [("keep", "'keep' is not known"), (None, "None is not known")]
)
def test_other_words_for_missing_are_refused(given_: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        frame(missing=given_)


def test_no_rows_left_is_an_error() -> None:
    with pytest.raises(DataError, match=r"No rows are left\. 2 of 2 rows dropped: missing in x"):
        frame(DATA.iloc[[1, 4]], ("x",))
    with pytest.raises(DataError, match="The data have no rows"):
        frame(DATA.iloc[:0], ("x",))
    with pytest.raises(DataError, match="the subset selects none"):
        frame(subset=[False] * 5)


LABELS = pd.Index(list("vwxyz"))
INTEGERS = pd.Index([10, 11, 12, 13, 14])
SUBSETS = {
    "mask": ([True, False, True, False, False], LABELS, [0, 2]),
    "boolean Series, shuffled": (pd.Series([True, False, False, False, True], list("zyxwv")), LABELS, [0, 4]),
    "nullable mask": (pd.array([True, False, True, False, False], dtype="boolean"), LABELS, [0, 2]),
    "labels": (["x", "v"], LABELS, [2, 0]),
    "positions where labels are text": ([2, 0], LABELS, [2, 0]),
    "default index": (np.array([2, 0]), pd.RangeIndex(5), [2, 0]),
    "integer labels": ([12, 10], INTEGERS, [2, 0]),
    "repeated labels": (["v"], pd.Index(list("vvxyz")), [0, 1]),
    "an Index": (LABELS[:2], LABELS, [0, 1]),
    "a Series of labels": (pd.Series(["x", "v"]), LABELS, [2, 0]),
}


@pytest.mark.parametrize(("subset", "index", "rows"), SUBSETS.values(), ids=SUBSETS)
def test_subset_selects(subset: Any, index: pd.Index, rows: list[int]) -> None:
    assert subset_rows(subset, index).tolist() == rows


BAD_SUBSETS = {
    "short mask": ([True], LABELS, "1 booleans and the data have 5 rows"),
    "mask with gaps": (pd.array([True, None, True, False, False], dtype="boolean"), LABELS, "missing"),
    "unpaired mask": (pd.Series([True] * 5), LABELS, "index does not match"),
    "unknown label": (["q"], LABELS, "'q', which is no label"),
    "positions where labels are integers": (
        [0, 1],
        INTEGERS,
        r"0, which is no label .* `data.index\[positions\]`",
    ),
    "position outside": ([9], LABELS, "position 9 and the data have 5 rows"),
    "negative": ([-1], LABELS, "position -1"),
    "twice": (["v", "v"], LABELS, "more than once"),
    "text": ("x > 1", LABELS, "not text"),
    "function": (len, LABELS, "not text"),
}


@pytest.mark.parametrize(("subset", "index", "sentence"), BAD_SUBSETS.values(), ids=BAD_SUBSETS)
def test_a_subset_that_cannot_be_meant_is_explained(subset: Any, index: pd.Index, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        subset_rows(subset, index)


def test_subset_keeps_groups_and_columns_together() -> None:
    found = frame(subset=["z", "v"], names=("g",), groups=np.arange(5))
    assert found.group_labels().tolist() == [4, 0]
    assert found.values()["g"].tolist() == ["c", "a"]
    assert list(found.index) == ["z", "v"]


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)))
def test_a_series_of_groups_is_aligned_on_the_index(order: list[int]) -> None:
    labels = pd.Series(list("ABCDE"), index=DATA.index).iloc[order]
    assert frame(groups=labels, names=("g",)).group_labels().tolist() == list("ABCDE")


BAD_GROUPS = {
    "other labels": (pd.Series(list("ABCDE")), "index does not match"),
    "other length": (pd.Series(list("ABC"), index=list("vwx")), "3 values cannot be paired with the 5 rows"),
    "short array": (np.arange(4), "groups has 4 values and the data have 5 rows"),
    "two columns": (np.zeros((5, 2)), "one label a row"),
    "one value": (3, "single value"),
}


@pytest.mark.parametrize(("groups", "sentence"), BAD_GROUPS.values(), ids=BAD_GROUPS)
def test_groups_that_cannot_be_paired_are_refused(groups: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        frame(names=("g",), groups=groups)


def test_an_unknown_grouping_column_is_named() -> None:
    with pytest.raises(FormulaError, match="no grouping column 'G' in the data; did you mean 'g'"):
        frame(groups="G")


def test_an_equal_index_needs_no_unique_labels() -> None:
    data = DATA.set_axis(list("aaabb"), axis=0)
    groups = pd.Series(range(5), index=list("aaabb"))
    assert frame(data, ("g",), groups=groups).group_labels().tolist() == [0, 1, 2, 3, 4]


def test_rows_without_a_finite_value_are_dropped_or_refused() -> None:
    clean = frame(names=("g",), missing="none")
    bad = np.array([False, True, False, False, True])
    kept = drop_rows(clean, bad, "np.log(x)", "drop")
    assert kept.rows.tolist() == [0, 2, 3]
    assert list(kept.values()["g"].cat.categories) == ["a", "b"]
    assert kept.notes == ("2 of 5 rows dropped: no finite value in np.log(x) (2).",)
    with pytest.raises(MissingValuesError, match=r"np.log\(x\) has no finite value in 2 of 5 rows"):
        drop_rows(clean, bad, "np.log(x)", "none")
    with pytest.raises(DataError, match="No rows are left"):
        drop_rows(clean, np.ones(5, dtype=bool), "np.log(x)", "drop")


def test_formulas_see_what_the_source_holds() -> None:
    assert isinstance(frame().values()["x"], pd.Series)
    arrays = frame({name: DATA[name].to_numpy() for name in DATA}).values()
    assert isinstance(arrays["x"], np.ndarray)


def test_new_rows_with_gaps_are_left_out() -> None:
    found = new_frame(open_table(DATA), {"x": settle(pd.Series([1.0, 2.0]), "x")})
    assert found.rows.tolist() == [0, 2, 3]
    assert list(found.index) == ["v", "x", "y"]


def test_grouping_columns_keep_their_labels() -> None:
    """A date that only groups rows stays a date."""
    data = DATA.assign(day=pd.to_datetime(["2024-01-01"] * 5))
    found = frame(data, ("g",), keys=("day",))
    assert found.group_labels("day").tolist() == [pd.Timestamp("2024-01-01")] * 5
    assert found.conversions() == ()
    assert "day" not in found.values()
