"""Rows left out: which, why, and the same in a script."""

from __future__ import annotations

import pandas as pd

from pages.ui.data.dataset import Dataset
from pages.ui.data.exclusions import Exclusion, absent, possible, without

FOUR = pd.DataFrame({"y": [1.0, 2.0, 3.0, 4.0]}, index=[10, 11, 12, 13])
DATA = Dataset.of("Four", FOUR, "upload:four.csv")


def test_the_rows_are_gone_and_the_data_are_other_data() -> None:
    less = without(DATA, [Exclusion(11, "typing error"), Exclusion(13, "left early")])
    assert less.frame.index.tolist() == [10, 12]
    assert less.digest != DATA.digest
    assert len(DATA.frame) == 4


def test_without_exclusions_nothing_changes() -> None:
    assert without(DATA, []) is DATA


def test_the_code_leaves_the_same_rows_out_and_says_why_on_one_line() -> None:
    less = without(DATA, [Exclusion(11, "bad\nimport os")])
    scope = {"data": DATA.frame}
    exec("\n".join(less.code), scope)  # noqa: S102 - our own lines, which is what is tested
    pd.testing.assert_frame_equal(scope["data"], less.frame)
    assert less.code[0] == "# Row 11 left out: bad import os"


def test_the_last_word_on_a_row_counts_and_rows_that_are_not_there_are_passed_over() -> None:
    asked = [Exclusion(11, "first"), Exclusion(99, "gone"), Exclusion(11, "second")]
    assert possible(asked, DATA) == (Exclusion(11, "second"),)


def test_what_is_not_there_now_is_remembered_apart() -> None:
    """A filter may bring the row back; it must then still be left out."""
    asked = (Exclusion(11, "typing error"), Exclusion(99, "filtered away"))
    assert possible(asked, DATA) == asked[:1]
    assert absent(asked, DATA) == asked[1:]
