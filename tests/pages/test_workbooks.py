"""Sheets as people keep them: titles above, blank and merged cells, several sheets, dates, mixed columns."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from pages.ui.data.readers.base import ReadError, ReadOptions, ReadResult
from pages.ui.data.reading import read
from tests.pages import files

DAY = dt.date(2024, 2, 29)
TABLE = [["school", "when", "score", "ok"], ["A", DAY, 1.5, True], ["B", dt.date(2024, 3, 1), 2, False]]


def opened(*rows: list[object], asked: ReadOptions | None = None, change: Any = None) -> ReadResult:
    return read("book.xlsx", files.xlsx(("Data", rows), change=change), asked)


def test_numbers_dates_and_truth_values_have_their_types() -> None:
    frame = opened(*TABLE).frame
    assert [str(dtype) for dtype in frame.dtypes] == ["str", "datetime64[us]", "float64", "bool"]
    assert frame["when"].tolist() == [pd.Timestamp(DAY), pd.Timestamp("2024-03-01")]


def test_the_row_of_names_may_be_lower() -> None:
    result = opened(["Results of 2024"], [], ["made by", "us"], *TABLE)
    assert list(result.frame.columns) == ["school", "when", "score", "ok"]
    assert result.options.header_row == 4
    assert "The names stand in row 4; what is above was left out." in result.notes


def test_the_row_of_names_can_be_set() -> None:
    result = opened(["a", "b"], ["id", "x"], [1, 2], asked=ReadOptions(header_row=2))
    assert result.frame.to_dict("list") == {"id": [1], "x": [2]}
    bare = opened([1, 2], [3, 4], asked=ReadOptions(header=False))
    assert bare.frame.to_dict("list") == {"column 1": [1, 3], "column 2": [2, 4]}
    assert "holds only numbers" in opened([1, 2], [3, 4]).warnings[0]


def test_blank_rows_and_columns_are_left_out_and_said() -> None:
    result = opened(["g", None, "y", "empty"], ["a", None, 1], [], ["b", None, 2], [None])
    assert result.frame["g"].tolist() == ["a", "b"]
    assert list(result.frame.columns) == ["g", "y", "empty"]  # a name is a column, even without values
    assert "One blank row was left out." in result.notes
    assert "One blank column was left out." in result.notes


def test_a_column_without_a_name_is_kept_and_named() -> None:
    result = opened(["g", None], ["a", 1])
    assert list(result.frame.columns) == ["g", "column 2"]


def test_every_row_that_a_merged_cell_covers_has_its_value() -> None:
    rows = [["class", "pupil"], ["7A", 1], [None, 2], [None, 3], ["7B", 4], [None, 5]]

    def merge(book: Any) -> None:
        book["Data"].merge_cells("A2:A4")

    result = opened(*rows, change=merge)
    assert result.frame["class"].tolist() == ["7A", "7A", "7A", "7B", ""]  # a blank cell stays one
    assert any("Merged cells in “class”" in note for note in result.notes)


def test_a_column_of_mixed_cells_is_text_as_written() -> None:
    result = opened(["x"], [1], ["n/a"], [DAY], [2.5])
    assert result.frame["x"].tolist() == ["1", "n/a", "2024-02-29", "2.5"]


def test_times_are_seconds_and_numbers_as_text_keep_their_zeros() -> None:
    result = opened(["t", "id"], [dt.time(1, 0, 5), "007"], [None, "012"])
    assert result.frame["t"].tolist()[0] == 3605
    assert result.frame["id"].tolist() == ["007", "012"]


def test_the_sheet_is_chosen_and_the_others_are_named() -> None:
    content = files.xlsx(("Blank", []), ("One", [["x"], [1]]), ("Two", [["y"], [2]]))
    first = read("book.xlsx", content)
    assert (first.options.sheet, first.sheets) == ("One", ("Blank", "One", "Two"))
    assert "The sheet “One” was read. Others: “Blank”, “Two”." in first.notes
    assert list(read("book.xlsx", content, ReadOptions(sheet="Two")).frame.columns) == ["y"]


def test_hidden_sheets_and_charts_are_not_opened_first() -> None:
    def hide(book: Any) -> None:
        book["Secret"].sheet_state = "hidden"
        book.create_chartsheet("Chart", 0)

    result = read("book.xlsx", files.xlsx(("Secret", [["x"], [1]]), ("Seen", [["y"], [2]]), change=hide))
    assert (result.options.sheet, result.sheets) == ("Seen", ("Secret", "Seen"))


@pytest.mark.parametrize("rows, sentence", [([], "The workbook is blank."), ([["a", "b"]], "no rows")])
def test_a_sheet_without_rows_is_a_sentence(rows: list[list[object]], sentence: str) -> None:
    with pytest.raises(ReadError, match=sentence):
        opened(*rows)


def test_names_that_are_numbers_or_dates_or_repeat() -> None:
    result = opened(["id", 2019, 2020, DAY, "id"], [1, 2, 3, 4, 5])
    assert list(result.frame.columns) == ["id", "2019", "2020", "2024-02-29", "id (2)"]


def test_formulas_are_their_values_and_hostile_names_stay_letters() -> None:
    result = opened(["<b>x</b>", "$y$ **b**"], ["=1+1", 1], ["a", 2])
    assert list(result.frame.columns) == ["<b>x</b>", "$y$ **b**"]
    assert result.frame.iloc[:, 0].tolist() == ["", "a"]  # written without a value: nothing is computed here
