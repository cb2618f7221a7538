"""The levels of the grouping columns that occur together, additive over chunks, and where each row's are.

Rows that agree in all grouping columns are one cell: all that a model needs to know of its levels (which
there are, how they nest, which of them meet) it knows from its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import pandas as pd

from mixedcore.errors import DataError, ModelError
from mixedcore.terms import Ints

ROOM = 16  # integers find their level in a table while that has at most this many entries a value
LARGEST_KEY = 2.0**62


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Distinct combinations of the levels of K columns.

    labels : levels of each column, in no order
    codes  : (K, c) level of each cell in each column
    counts : (c,) rows of each cell
    """

    labels: tuple[pd.Index, ...]
    codes: Ints
    counts: Ints

    @classmethod
    def of(cls, columns: Sequence[pd.Series]) -> Cells:
        """The cells of some rows: columns (n,) each, nothing missing."""
        found = [distinct(values) for values in columns]
        labels = tuple(index for index, _ in found)
        return _collected(labels, np.stack([codes for _, codes in found]), None)

    def __add__(self, other: Cells) -> Cells:
        """The cells of both sets of rows."""
        labels, parts = [], []
        for own, more, codes in zip(self.labels, other.labels, other.codes, strict=True):
            where = own.get_indexer(more)
            new = where < 0
            where[new] = len(own) + np.arange(int(new.sum()))
            labels.append(own.append(more[new]) if new.any() else own)
            parts.append(where[codes])
        both = np.concatenate([self.codes, np.stack(parts)], axis=1)
        return _collected(tuple(labels), both, np.concatenate([self.counts, other.counts]))

    def column(self, k: int) -> pd.Series:
        """Label of each cell in column k, (c,)."""
        return pd.Series(self.labels[k].take(self.codes[k])).reset_index(drop=True)


def _collected(labels: tuple[pd.Index, ...], codes: Ints, counts: Ints | None) -> Cells:
    """Equal cells as one; codes (K, r), counts (r,) or None for one each."""
    sizes = [len(index) for index in labels]
    key, room = _keys(codes, sizes), np.prod(np.array(sizes, dtype=float))
    if room <= ROOM * key.size:
        table = np.bincount(key, counts, minlength=int(room)).astype(np.intp)
        cells = np.flatnonzero(table)
        added = table[cells]
    else:
        which, cells = pd.factorize(key)
        added = np.bincount(which, counts, minlength=len(cells)).astype(np.intp)
    apart = []
    for size in reversed(sizes[1:]):
        cells, last = np.divmod(cells, size)
        apart.append(last)
    return Cells(labels, np.stack([cells, *apart[::-1]]).astype(np.intp), added)


def _keys(codes: Sequence[Ints] | Ints, sizes: Sequence[int]) -> Ints:
    """One number for each combination of codes, (r,)."""
    if np.prod(np.array(sizes, dtype=float)) > LARGEST_KEY:
        raise ModelError(
            f"The grouping columns have {' × '.join(map(str, sizes))} levels, too many to cross."
        )
    pairs = zip(codes[1:], sizes[1:], strict=True)
    return reduce(lambda key, pair: key * pair[1] + pair[0], pairs, np.asarray(codes[0], dtype=np.intp))


def distinct(values: pd.Series) -> tuple[pd.Index, Ints]:
    """Levels of a column in no order, and the level of each row, (n,)."""
    integers = _integers(values)
    if integers is not None:
        low, high = int(integers.min()), int(integers.max())
        if high - low <= ROOM * integers.size:
            shifted = integers - low
            present = np.flatnonzero(np.bincount(shifted, minlength=high - low + 1))
            position = np.empty(high - low + 1, dtype=np.intp)
            position[present] = np.arange(present.size)
            return pd.Index(present + low), position[shifted]
    try:
        codes, levels = pd.factorize(values)
    except (TypeError, NotImplementedError) as err:
        raise DataError("A grouping column holds values that cannot be labels, such as lists.") from err
    plain = np.asarray(levels) if isinstance(values.dtype, pd.CategoricalDtype) else levels
    return pd.Index(plain), codes


def _integers(values: pd.Series) -> Ints | None:
    """The values of a column of integers as int64, else None."""
    dtype = values.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iu" or dtype == np.uint64 or not len(values):
        return None
    return values.to_numpy().astype(np.int64, copy=False)


@dataclass(frozen=True, eq=False)
class CellIndex:
    """Finds the cell of each row again, in the order of `cells`."""

    cells: Cells

    def find(self, columns: Sequence[pd.Series]) -> Ints:
        """Cell of each row, (n,), from its labels; DataError for one that was not there before."""
        codes = [self._levels(k, values) for k, values in enumerate(columns)]
        key = _keys(codes, self._sizes)
        where = self._by_key.get_indexer(pd.Index(key)) if self._table is None else self._table[key]
        return _known(where)

    def _levels(self, k: int, values: pd.Series) -> Ints:
        integers, table = _integers(values), self._tables[k]
        if integers is None or table is None:
            levels, codes = distinct(values)
            return _known(self.cells.labels[k].get_indexer(levels))[codes]
        low, position = table
        if integers.min() < low or integers.max() - low >= position.size:
            raise DataError(_CHANGED)
        return _known(position[integers - low])

    @property
    def _sizes(self) -> list[int]:
        return [len(index) for index in self.cells.labels]

    @cached_property
    def _tables(self) -> list[tuple[int, Ints] | None]:
        """For each column of integers close together: the lowest, and the level of each from there on."""
        return [_table_of(index) for index in self.cells.labels]

    @cached_property
    def _table(self) -> Ints | None:
        """Cell by key, −1 where there is none; None where that would be mostly empty."""
        room = float(np.prod(np.array(self._sizes, dtype=float)))
        if room > ROOM * self.cells.counts.size:
            return None
        table = np.full(int(room), -1, dtype=np.intp)
        table[_keys(self.cells.codes, self._sizes)] = np.arange(self.cells.counts.size)
        return table

    @cached_property
    def _by_key(self) -> pd.Index:
        return pd.Index(_keys(self.cells.codes, self._sizes))


_CHANGED = "The data changed between two passes: a level is there that was not before."


def _known(where: Ints) -> Ints:
    if (where < 0).any():
        raise DataError(_CHANGED)
    return where


def _table_of(index: pd.Index) -> tuple[int, Ints] | None:
    integers = _integers(index.to_series())
    if integers is None:
        return None
    low, high = int(integers.min()), int(integers.max())
    if high - low > ROOM * integers.size:
        return None
    table = np.full(high - low + 1, -1, dtype=np.intp)
    table[integers - low] = np.arange(integers.size)
    return low, table
