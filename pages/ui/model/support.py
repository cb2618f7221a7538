"""What the data can support of a model: which columns vary within groups, how many levels there are.

The functions of frames are pure; `varying` and `levels` keep their answers for the same data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.data.dataset import Dataset

Codes = np.ndarray
MOST_CELLS = 60_000_000
"""Rows × columns looked at in advance; a second's work."""


def group_codes(frame: pd.DataFrame, path: Sequence[str]) -> tuple[Codes, int]:
    """The level of each row among the combinations of columns, (n,), −1 where one is missing; how many."""
    codes = np.zeros(len(frame), dtype=np.int64)
    size = 1
    for name in path:
        own, labels = pd.factorize(frame[name])
        missing = (own < 0) | (codes < 0)
        codes, found = pd.factorize(codes * max(len(labels), 1) + own)
        codes = np.where(missing, -1, codes)
        size = len(found)
        if missing.any():  # what stood for rows with a missing value is no level
            kept = np.unique(codes[~missing])
            place = np.full(len(found) + 1, -1)
            place[kept] = np.arange(len(kept))
            codes, size = place[codes], len(kept)
    return codes, size


def varies_within(values: pd.Series, codes: Codes, size: int) -> bool:
    """Whether a column has two different values in any group; a slope that differs by group needs it."""
    own = pd.factorize(values)[0]
    used = (codes >= 0) & (own >= 0)
    own, codes = own[used], codes[used]
    first = np.zeros(size, dtype=own.dtype)
    first[codes[::-1]] = own[::-1]
    return bool((own != first[codes]).any())


def varying_of(frame: pd.DataFrame, columns: Sequence[str], path: Sequence[str]) -> frozenset[str]:
    """Those of the columns that vary within the groups of `path`."""
    codes, size = group_codes(frame, path)
    return frozenset(name for name in columns if varies_within(frame[name], codes, size))


def varying(data: Dataset, columns: Sequence[str], path: Sequence[str]) -> frozenset[str]:
    """The same, kept; of very large data every column is taken to vary, and the fit finds out."""
    known = [name for name in path if name in data.frame]
    present = tuple(name for name in columns if name in data.frame)
    if len(known) < len(path) or len(present) * len(data.frame) > MOST_CELLS:
        return frozenset(present)
    return _varying(data.digest, present, tuple(known), data)


def levels(data: Dataset, path: Sequence[str]) -> int:
    """How many levels the combinations of the columns have; 0 where there is no such column."""
    if any(name not in data.frame for name in path):
        return 0
    return _levels(data.digest, tuple(path), data)


@st.cache_data(max_entries=256, ttl="2h", show_spinner=False)
def _varying(digest: str, columns: tuple[str, ...], path: tuple[str, ...], _data: Dataset) -> frozenset[str]:
    return varying_of(_data.frame, columns, path)


@st.cache_data(max_entries=256, ttl="2h", show_spinner=False)
def _levels(digest: str, path: tuple[str, ...], _data: Dataset) -> int:
    return group_codes(_data.frame, path)[1]


def same_groups(data: Dataset, one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two ways to group the rows are the same."""
    return levels(data, one) == levels(data, other) == levels(data, [*one, *other])


def not_varying_groups(data: Dataset, path: Sequence[str]) -> str:
    """Why groups of these columns cannot differ from each other in the model; '' when they can."""
    if not path:
        return "Choose what groups the rows."
    count, rows = levels(data, path), len(data.frame)
    if count and count == rows:
        return "has a single row in every level, so its variance is the residual's and cannot be told from it"
    return "has one level only, and a variance needs several" if count == 1 else ""
