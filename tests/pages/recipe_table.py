"""A small table with every kind of column, for tests of steps."""

from __future__ import annotations

import numpy as np
import pandas as pd


def table() -> pd.DataFrame:
    """Each kind of column, some with missing values; labels of rows that are not places."""
    return pd.DataFrame(
        {
            "x": [1.0, 2.0, np.nan, 8.0, 0.5, 3.0],
            "n": [3, 1, 2, 5, 4, 0],
            "g": ["p", "p", "q", "q", None, "r"],
            "h": ["1", "2", "1", "1", "1", "2"],
            "c": pd.Categorical(["lo", "hi", "lo", None, "mid", "hi"], ["lo", "mid", "hi"], ordered=True),
            "b": [True, False, True, True, False, True],
            "m": pd.Categorical([True, False, None, True, True, False], [False, True]),
            "d": pd.to_datetime(["2024-01-02", "2024-01-01", None, "2024-03-01", "2024-02-01", "2024-01-05"]),
            "t1": [1, 2, 3, 4, 5, 6],
            "t2": [1.5, 2.5, 3.5, np.nan, 5.5, 6.5],
            "s1": list("uvwxyz"),
            "s2": list("UVWXYZ"),
        },
        index=[10, 11, 12, 13, 14, 15],
    )
