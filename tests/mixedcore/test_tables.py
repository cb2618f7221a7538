"""Every kind of table gives the same columns: DataFrames, dicts, records, polars, pyarrow, duck types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mixedcore.data.tables import nearest, open_table
from mixedcore.errors import DataError, FormulaError

X = [1.5, 2.0, np.nan]
G = ["b", "a", "b"]


class OnlyGetitem:
    """Defines `__getitem__` and nothing else."""

    def __getitem__(self, name: str) -> Any:
        return {"x": X, "g": G}[name]


RECORDS = np.array(list(zip(X, G, strict=True)), dtype=[("x", "f8"), ("g", "U1")])

SOURCES = {
    "frame": pd.DataFrame({"x": X, "g": G}),
    "shuffled index": pd.DataFrame({"x": X, "g": G}, index=[7, 7, 1]),
    "nullable": pd.DataFrame({"x": X, "g": G}).convert_dtypes(),
    "arrow-backed": pd.DataFrame({"x": X, "g": G}).convert_dtypes(dtype_backend="pyarrow"),
    "objects": pd.DataFrame({"x": [1.5, 2.0, None], "g": G}, dtype=object),
    "dict of lists": {"x": X, "g": G},
    "dict of arrays": {"x": np.array(X), "g": np.array(G)},
    "dict of Series": {"x": pd.Series(X, index=[3, 1, 2]), "g": pd.Series(G, index=[3, 1, 2])},
    "masked array": {"x": np.ma.array([1.5, 2.0, 9.0], mask=[0, 0, 1]), "g": np.array(G)},
    "big-endian": {"x": np.array(X, dtype=">f8"), "g": np.array(G)},
    "structured": RECORDS,
    "records": RECORDS.view(np.recarray),
    "polars": pl.DataFrame({"x": [1.5, 2.0, None], "g": G}),
    "pyarrow": pa.table({"x": pa.array([1.5, 2.0, None]), "g": G}),
    "only __getitem__": OnlyGetitem(),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_source_gives_the_same_columns(source: Any) -> None:
    table = open_table(source)
    assert table.has("x")
    assert not table.has("z")
    x, g = table.column("x"), table.column("g")
    assert isinstance(x, pd.Series)
    np.testing.assert_array_equal(x.to_numpy(dtype=float, na_value=np.nan), X)
    assert g.tolist() == G
    assert list(x.index) == [0, 1, 2]
    assert table.n_rows == 3


def test_unknown_columns_are_named_with_the_nearest() -> None:
    table = open_table({"pretest": [1], "Score": [2]})
    with pytest.raises(FormulaError, match=r"no column 'pretets' in the data; did you mean 'pretest'\?"):
        table.column("pretets")
    with pytest.raises(FormulaError, match="did you mean 'Score'"):
        table.column("score")
    with pytest.raises(FormulaError, match="The columns are 'pretest', 'Score'"):
        table.column("zzz")


def test_a_used_column_name_that_occurs_twice_is_refused() -> None:
    frame = pd.DataFrame(np.arange(6).reshape(2, 3), columns=["a", "a", "b"])
    assert open_table(frame).column("b").tolist() == [2, 5]
    with pytest.raises(DataError, match="2 columns are named 'a'"):
        open_table(frame).column("a")


def test_two_dimensional_columns_stay_together() -> None:
    table = open_table({"x": np.arange(6).reshape(3, 2), "y": np.arange(3).reshape(3, 1)})
    assert table.column("x").shape == (3, 2)
    assert table.column("y").shape == (3,)


def test_names_compare_as_python_compares_them() -> None:
    """The micro sign becomes the Greek letter in Python source, so a formula asks for the letter."""
    assert open_table({"\u00b5": [1.0]}).column("\u03bc").tolist() == [1.0]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (None, "needs `data`"),
        (5, "int does not"),
        ("text", "str does not"),
        (np.zeros((3, 2)), "without column names"),
        ([1, 2], "without column names"),
        (pd.Series([1, 2]), "without column names"),
    ],
)
def test_what_is_no_table_is_refused(source: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        open_table(source)


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (1.0, "single value"),
        (np.zeros((2, 2, 2)), "3 dimensions"),
        ([1.0], "has 1 rows where the others have 2"),
    ],
)
def test_what_is_no_column_is_refused(column: Any, sentence: str) -> None:
    table = open_table({"y": [1.0, 2.0], "x": column})
    table.column("y")
    with pytest.raises(DataError, match=sentence):
        table.column("x")


def test_series_of_a_dict_that_do_not_pair_are_refused() -> None:
    with pytest.raises(DataError, match="'x' and 'y' have different indexes"):
        open_table({"x": pd.Series([1, 2]), "y": pd.Series([1, 2], index=[1, 0])})


def test_nearest_ignores_case_and_gives_up() -> None:
    assert nearest("AGE", ["age", "grade"]) == "age"
    assert nearest("qqq", ["age"]) is None
