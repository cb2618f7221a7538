"""The examples' data: CSV files → data frames with the types that their descriptions give."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from mixedcore.datasets.catalogue import FOLDER, find
from mixedcore.datasets.example import Column


@cache
def parsed(name: str) -> pd.DataFrame:
    """The data of the example called exactly `name`; kept, so callers must hand out copies."""
    raw = pd.read_csv(FOLDER / f"{name.lower()}.csv.gz", keep_default_na=False, na_values=[""])
    return pd.DataFrame({column.name: _typed(raw[column.name], column) for column in find(name).columns})


def _typed(values: pd.Series, column: Column) -> pd.Series:
    if column.kind == "number":
        return values
    ordered = column.kind == "ordered"
    if column.levels:
        dtype = pd.CategoricalDtype(list(column.levels), ordered=ordered)
        return values.astype(str).astype(dtype)
    # Sorting before the turn to text puts label 10 after label 9; np.unique is much faster than
    # letting pandas find the categories of 73,000 strings.
    levels, codes = np.unique(values.to_numpy(), return_inverse=True)
    dtype = pd.CategoricalDtype(pd.Index(levels.astype(str)), ordered=ordered)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype), index=values.index)
