"""Labels of levels in the fit and in new rows, matched by their values; no formulas."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.errors import ModelError
from mixedcore.terms import Block, Ints, RandomTerm


def match(known: Sequence[pd.Series], new: Sequence[pd.Series]) -> Ints:
    """Place among m distinct combinations `known`, (m,) a column, of each of `new`, (k,); −1 if not there."""
    key_known = np.zeros(len(known[0]), dtype=np.intp)
    key_new, unseen = np.zeros(len(new[0]), dtype=np.intp), np.zeros(len(new[0]), dtype=bool)
    for own, other in zip(known, new, strict=True):
        labels = _plain(own)
        levels = labels.unique()
        place = levels.get_indexer(_plain(other))
        unseen |= place < 0
        key_known = key_known * len(levels) + levels.get_indexer(labels)
        key_new = key_new * len(levels) + place
    found = np.asarray(pd.Index(key_known).get_indexer(pd.Index(key_new)), dtype=np.intp)
    found[unseen] = -1
    return found


def _plain(labels: pd.Series) -> pd.Index:
    """Labels in the type that their values have: of categories, of nullable numbers."""
    values: Any = labels
    if isinstance(labels.dtype, pd.CategoricalDtype):
        values = np.asarray(labels)
    elif pd.api.types.is_bool_dtype(labels.dtype):
        values = labels.astype(object)
    elif pd.api.types.is_numeric_dtype(labels.dtype) and not isinstance(labels.dtype, np.dtype):
        values = labels.to_numpy(dtype=np.float64, na_value=np.nan)
    index: pd.Index = pd.Index(values)
    return index


def labels_given(groups: Any, k: int) -> pd.Series:
    """The groups of k new rows where those of the fit were given beside the data; ModelError without them."""
    if groups is None:
        raise ModelError(
            "The groups were given beside the data, so new rows need them too: predict(…, groups=labels), or "
            "random='none' for the fixed part."
        )
    labels = pd.Series(groups).reset_index(drop=True)
    if len(labels) != k:
        raise ModelError(f"groups has {len(labels)} labels and the new data have {k} rows.")
    return labels


def nowhere(k: int) -> Ints:
    """k codes of levels that the fit has not seen."""
    return np.full(k, -1, dtype=np.intp)


def examples(block: Block) -> Ints:
    """A row (or cell) of each level of a block, (m,)."""
    out = np.zeros(block.n_levels, dtype=np.intp)
    out[block.codes] = np.arange(block.codes.size)
    return out


def places(term: RandomTerm, groups: Collection[int]) -> dict[tuple[int, str], tuple[int, int, int]]:
    """(group, label) → block, level and column of every coefficient of a component in some groups."""
    out = {}
    for b, block in enumerate(term.blocks):
        for f in np.flatnonzero(np.isin(block.group_of_level, list(groups))).tolist():
            for at in range(block.width):
                label = block.labels[f * block.width + at]
                if label:
                    out[int(block.group_of_level[f]), label] = b, f, at
    return out
