"""Text columns → typed columns: nothing lost without a count, nothing guessed that loses something."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixedcore import datasets
from pages.ui.data import profile
from pages.ui.data.columns import Column, Settled, as_text, kind_of, settle, suspects
from pages.ui.data.parsing import Marks, natural
from pages.ui.data.sources import USUAL_MISSING, Choices

PATIENT = settings(deadline=None, max_examples=40)
"""A busy machine may take its time over one example."""


def text(*values: str, name: str = "x") -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype="str")})


def one(
    frame: pd.DataFrame, choices: Choices | None = None, marks: Marks | None = None
) -> tuple[Column, pd.Series]:
    settled = settle(frame, choices or Choices(), marks)
    return settled.columns[0], settled.frame.iloc[:, 0]


@pytest.mark.parametrize(
    "values, kind, dtype",
    [
        (["1", "2"], "number", "int64"),
        (["1.5", "-2e3", "+.5"], "number", "float64"),
        (["1", "NA"], "number", "float64"),
        (["1", "inf", "-Inf"], "number", "float64"),
        (["007", "012"], "category", "str"),
        (["12345678901234567", "1"], "category", "str"),
        (["1", "2", "x"], "category", "str"),
        (["true", "FALSE"], "yes_no", "bool"),
        (["true", ""], "yes_no", "category"),
        (["yes", "no"], "category", "str"),
        (["2024-01-02", "2024-02-29"], "date", "datetime64[us]"),
        (["2024-01-02", "2024-02-30"], "category", "str"),
        (["01/02/2024", "13/02/2024"], "date", "datetime64[us]"),
        (["01/02/2024", "12/02/2024"], "category", "str"),
        (["31.12.2023", "1.1.2024"], "date", "datetime64[us]"),
        (["31.12.2023", "31.2.2024"], "category", "str"),
        (["", "NA"], "category", "str"),
        (["0", "0.5"], "number", "float64"),
        (["1_000", "2"], "category", "str"),
        (["0x10", "2"], "category", "str"),
    ],
)
def test_the_kind_that_values_show(values: list[str], kind: str, dtype: str) -> None:
    column, series = one(text(*values))
    assert column.kind == kind
    assert str(series.dtype) == dtype


def test_missing_codes_are_counted_by_their_text() -> None:
    column, series = one(text("1", "NA", "", "NA", "."))
    assert column.missing == 4
    assert dict(column.by_code) == {"NA": 2, "": 1, ".": 1}
    assert series.isna().tolist() == [False, True, True, True, True]


@pytest.mark.parametrize("written", ["-99", "-99.0", "-99.00"])
def test_a_code_that_is_a_number_is_found_however_it_is_written(written: str) -> None:
    column, series = one(text("1.25", written), Choices(missing=(*USUAL_MISSING, "-99")))
    assert column.missing == 1
    assert series.tolist()[0] == 1.25


def test_no_code_is_assumed_that_may_be_a_value() -> None:
    frame = text("1", "-99", "999", "-99.0")
    assert one(frame)[0].missing == 0
    assert suspects(frame) == {"-99": 2, "999": 1}


def test_mostly_numbers_are_offered_as_numbers_with_the_cost() -> None:
    column, _ = one(text("1", "2", "three", "4"))
    assert column.kind == "category"
    assert column.offer is not None
    kind, cost = column.offer
    assert kind == "number"
    assert "3 of 4 values are numbers" in cost
    assert "“three”" in cost


def test_mostly_words_are_not_offered() -> None:
    assert one(text("a", "b", "c", "4"))[0].offer is None


def test_a_kind_set_by_hand_counts_what_it_cannot_read() -> None:
    column, series = one(text("1", "two", "3"), Choices(kinds=(("x", "number"),)))
    assert (column.lost, column.lost_values) == (1, ("two",))
    assert series.isna().tolist() == [False, True, False]
    assert "“two”" in " ".join(settle(text("1", "two"), Choices(kinds=(("x", "number"),))).notes)


@pytest.mark.parametrize(
    "marks, written, value",
    [
        (Marks(","), "1,5", 1.5),
        (Marks(",", "."), "1.234,5", 1234.5),
        (Marks(".", ","), "-1,234,567.5", -1234567.5),
        (Marks(".", " "), "12 345", 12345),
        (Marks(".", "'"), "1'000", 1000),
    ],
)
def test_numbers_as_people_write_them(marks: Marks, written: str, value: float) -> None:
    column, series = one(text(written, "1"), marks=marks)
    assert column.kind == "number"
    assert series[0] == value


@pytest.mark.parametrize(
    "marks, written",
    [(Marks(","), "1.5"), (Marks(".", ","), "1,5"), (Marks(".", "."), "1.5.1"), (Marks("."), "1,5")],
)
def test_a_number_in_the_wrong_notation_is_not_taken_for_another_number(marks: Marks, written: str) -> None:
    assert one(text(written, "1"), marks=marks)[0].kind == "category"


def test_ordered_levels_come_in_natural_order() -> None:
    _, series = one(text("item 10", "item 2", "item 1"), Choices(kinds=(("x", "ordered"),)))
    assert series.cat.ordered
    assert list(series.cat.categories) == ["item 1", "item 2", "item 10"]


@PATIENT
@given(st.lists(st.text(max_size=6), max_size=8))
def test_the_natural_order_is_defined_for_any_texts(values: list[str]) -> None:
    keys = [natural(value) for value in sorted(values, key=natural)]
    assert all(first <= second for first, second in pairwise(keys))


@pytest.mark.parametrize("written", ["31.12.2024", "31/12/2024", "12/31/2024", "2024/12/31", "20241231"])
def test_dates_in_other_orders_when_asked(written: str) -> None:
    _, series = one(text(written, written), Choices(kinds=(("x", "date"),)))
    assert series[0] == pd.Timestamp("2024-12-31")


def test_infinite_values_are_kept_and_said() -> None:
    column, _ = one(text("1", "inf", "-inf"))
    assert column.infinite == 2
    assert "2 infinite values" in " ".join(settle(text("1", "inf", "-inf"), Choices()).notes)


def test_an_example_is_left_as_it_is() -> None:
    for name in ("sleepstudy", "cake", "egsingle"):
        frame = datasets.load(name)
        pd.testing.assert_frame_equal(settle(frame, Choices()).frame, frame)


def test_types_of_an_example_can_be_changed_and_back() -> None:
    frame = datasets.load("sleepstudy")
    changed = settle(frame, Choices(kinds=(("Days", "category"), ("Subject", "number"))))
    assert changed.frame["Days"].tolist()[:3] == ["0", "1", "2"]
    assert changed.frame["Subject"].tolist()[0] == 308


def test_a_typed_column_takes_codes_too() -> None:
    frame = pd.DataFrame({"x": [1.5, -99.0, 2.0]})
    assert one(frame, Choices(missing=("-99",)))[1].isna().tolist() == [False, True, False]


@PATIENT
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_numbers_come_back_exactly(values: list[float]) -> None:
    _, series = one(text(*[repr(value) for value in values]))
    np.testing.assert_array_equal(series.astype(float), np.array(values))


@PATIENT
@given(st.lists(st.one_of(st.integers(-(2**52), 2**52), st.none()), min_size=1, max_size=10))
def test_as_text_writes_whole_numbers_without_decimals(values: list[int | None]) -> None:
    series = pd.Series([np.nan if value is None else float(value) for value in values])
    assert as_text(series).to_pylist() == [None if value is None else str(value) for value in values]


@pytest.mark.parametrize("kind", ["number", "category", "ordered", "date", "yes_no"])
@PATIENT
@given(values=st.lists(st.text(max_size=8), min_size=1, max_size=8))
def test_every_kind_accounts_for_every_value(kind: str, values: list[str]) -> None:
    """Each value is read, or missing by a code, or counted as lost."""
    column, series = one(text(*values), Choices(kinds=(("x", kind),)))
    assert column.missing == sum(column.by_code.values()) + column.lost == int(series.isna().sum())
    assert kind_of(series) in {kind, None}


def test_the_profile_says_what_a_column_holds() -> None:
    frame = pd.DataFrame(
        {"n": ["1", "3", "NA"], "g": ["a", "a", "b"], "f": ["true", "false", "true"]}
    ).astype("str")
    settled: Settled = settle(frame, Choices(kinds=(("n", "number"),)))
    table = profile.table(settled).set_index("Column")
    assert table.loc["n", "Values"] == "1 to 3, mean 2"
    assert table.loc["n", "Missing"] == 1
    assert table.loc["g", "Values"] == "a (2) · b (1)"
    assert table.loc["f", "Values"] == "yes 2 · no 1"
    missing = profile.missing_table(settled)
    assert missing.to_dict("records") == [
        {"Column": "n", "Missing": 1, "Share": 1 / 3, "Written as": "NA (1)"}
    ]


@pytest.mark.parametrize(
    "values, words",
    [
        ([np.nan, np.nan], "none"),
        ([np.inf, -np.inf], "all infinite"),
        ([1.23456, 9.0, np.inf], "1.235 to 9, mean 5.117"),
        ([1e9, 3e9], "1e+09 to 3e+09, mean 2e+09"),
    ],
)
def test_the_profile_of_difficult_numbers(values: list[float], words: str) -> None:
    assert profile.values(pd.Series(values)) == words
