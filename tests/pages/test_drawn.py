"""Charts that are kept: drawn once for the same choices, again for others; labels of rows stay harmless."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from pages.ui import drawn, text
from pages.ui.charts import DARK, LIGHT, Chart
from pages.ui.charts.base import row_labels


def test_a_chart_is_drawn_once_for_the_same_choices() -> None:
    asked: list[str] = []

    def draw() -> Chart:
        asked.append("drawn")
        return Chart(go.Figure(), "Title", "Caption", "Alt")

    first = drawn.once(draw, "test", "digest", "group", None, LIGHT)
    assert drawn.once(draw, "test", "digest", "group", None, LIGHT) is first
    assert drawn.once(draw, "test", "digest", "group", None, DARK) is not first
    assert drawn.once(draw, "test", "digest", "group", "7A", LIGHT) is not first
    assert drawn.once(draw, "test", "other", "group", None, LIGHT) is not first
    assert len(asked) == 4


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 10),
        pd.Index([3, -1, 7, 2, 9]),
        pd.Index(["<b>", "a & b", "$x$", "%{y}", "Ä\nö"]),
        pd.Index([1.5, np.nan, 2.0, 3.0, 4.0]),
        pd.MultiIndex.from_product([["<i>", "b"], [1, 2]]).append(pd.MultiIndex.from_tuples([("c", 3)])),
    ],
)
def test_labels_of_rows_are_those_that_plotly_may_read(index: pd.Index) -> None:
    rows = np.array([4, 0, 2])
    assert row_labels(index, rows) == [text.plain(label) for label in index[rows]]
