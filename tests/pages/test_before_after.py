"""The small distributions shown before a column is added."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pages.ui.charts.before_after import BINS, MOST_LEVELS, before_after


def bars(*columns: pd.Series) -> list:
    return list(before_after(list(columns)).figure.data)


def test_numbers_are_binned_and_every_one_counted() -> None:
    values = pd.Series([*np.arange(100.0), np.nan, np.inf], name="x")
    [drawn] = bars(values)
    assert len(drawn.x) == BINS
    assert drawn.y.sum() == 100


def test_few_different_numbers_have_a_bin_each() -> None:
    [drawn] = bars(pd.Series([1, 1, 2, 3], name="x"))
    assert drawn.y.tolist() == [2, 1, 1]


def test_labels_stand_in_their_order_and_the_rarest_of_many_are_left_out() -> None:
    ordered = pd.Series(pd.Categorical(["hi", "hi", "lo"], ["lo", "hi"], ordered=True), name="c")
    [drawn] = bars(ordered)
    assert list(drawn.x) == ["lo", "hi"]
    [drawn] = bars(pd.Series([f"g{i}" for i in range(99)], name="g"))
    assert len(drawn.x) == MOST_LEVELS


def test_what_is_shown_is_said_with_its_numbers() -> None:
    chart = before_after([pd.Series([1.0, 3.0], name="x"), pd.Series([None, None], name="y", dtype=float)])
    assert chart.alt == "x goes from 1 to 3, mean 2. y has no values."


def test_hostile_text_stays_text() -> None:
    [drawn] = bars(pd.Series(["<b>a</b>", "$x$"], name="<img src=x>"))
    assert not any("<" in label or "$" in label for label in drawn.x)
    figure = before_after([pd.Series([1.0], name="<img src=x>")]).figure
    assert "<" not in figure.layout.xaxis.title.text
