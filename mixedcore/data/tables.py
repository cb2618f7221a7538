"""Anything that gives columns by name, opened once: names, row index and plain pandas columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.errors import DataError, FormulaError

Values = pd.Series | np.ndarray
"""One column as extracted: a Series (n,) on a RangeIndex, or a float array (n, k)."""

# What `__getitem__` of the many table types raises for a name that is not there.
_ABSENT = (KeyError, IndexError, ValueError, TypeError, AttributeError)


@dataclass(slots=True, eq=False)
class Table:
    """A table-like object, read column by column and only where a model needs it.

    source : the object as given; rows are rows, whatever its index holds
    names  : its column names, or None where it cannot list them
    index  : row labels, or None where it has none (arrays, dicts of arrays)
    series : True when formulas should see pandas Series, as they would in the source itself
    """

    source: Any
    names: tuple[Any, ...] | None
    index: pd.Index | None
    series: bool
    _read: dict[str, Values] = field(default_factory=dict)
    _rows: int | None = None

    def has(self, name: str) -> bool:
        """Whether `name` is a column; as Python does in formulas, compared after NFKC normalisation."""
        return self.own_name(name) is not None

    def column(self, name: str) -> Values:
        """Column `name`, (n,) or (n, k); FormulaError if absent, DataError if it is no column of rows."""
        if name not in self._read:
            own = self.own_name(name)
            if own is None:
                raise FormulaError(self.unknown(name))
            self._read[name] = self._extract(own)
        return self._read[name]

    @property
    def n_rows(self) -> int:
        """Rows of the table; for a source that cannot tell, those of the first column read."""
        if self._rows is None:
            raise DataError("The data have no columns that the model uses, so they have no rows.")
        return self._rows

    def unknown(self, name: str, role: str = "column") -> str:
        """The sentence for a name that is not there, with the nearest that is."""
        known = [str(n) for n in self.names or ()]
        near = nearest(name, known)
        if near is not None:
            return f"There is no {role} {name!r} in the data; did you mean {near!r}?"
        some = ", ".join(repr(n) for n in known[:8]) + (", …" if len(known) > 8 else "")
        return f"There is no {role} {name!r} in the data." + (f" The columns are {some}." if known else "")

    def own_name(self, name: str) -> Any:
        """The source's own spelling of `name`, or None."""
        if self.names is None:
            try:
                self.source[name]
            except _ABSENT:
                return None
            return name
        if name in self.names:
            return name
        return next((n for n in self.names if isinstance(n, str) and _nfkc(n) == _nfkc(name)), None)

    def _extract(self, own: Any) -> Values:
        if self.names is not None and self.names.count(own) > 1:
            raise DataError(f"{self.names.count(own)} columns are named {own!r}; rename them first.")
        values = as_values(self.source[own], str(own))
        if self._rows is None:
            self._rows = len(values)
        if len(values) != self._rows:
            raise DataError(f"Column {own!r} has {len(values)} rows where the others have {self._rows}.")
        return values


def open_table(data: Any) -> Table:
    """Open a DataFrame, dict, structured or record array, polars or pyarrow table, or any `__getitem__`."""
    if data is None:
        raise DataError("A formula needs `data`: a DataFrame, or a dict of columns.")
    if isinstance(data, pd.DataFrame):
        return Table(data, tuple(data.columns), data.index, series=True, _rows=len(data))
    if not hasattr(data, "__getitem__") or isinstance(data, (str, bytes)):
        raise DataError(f"The data must give columns by name; {type(data).__name__} does not.")
    names = _names_of(data)
    if isinstance(data, pd.Series) or (names is None and isinstance(data, (np.ndarray, list, tuple))):
        raise DataError(
            f"The data are {type(data).__name__} without column names; give a DataFrame or a dict of columns."
        )
    index = _shared_index(data) if isinstance(data, dict) else None
    return Table(data, names, index, series=index is not None)


def as_values(column: Any, name: str) -> Values:
    """One column of any array library as a Series on a RangeIndex, or as a float array (n, k)."""
    column = _to_pandas(column)
    if isinstance(column, pd.Series):
        plain = column.index.equals(pd.RangeIndex(len(column)))
        return _plain(column if plain else pd.Series(column.array, copy=False))
    if isinstance(column, (pd.Index, pd.api.extensions.ExtensionArray)):
        return _plain(pd.Series(column).reset_index(drop=True))
    if isinstance(column, np.ma.MaskedArray):
        return _plain(pd.Series(column.ravel()))
    array = np.asarray(column) if not isinstance(column, (list, tuple)) else _array_of_list(column)
    if array.ndim == 0:
        raise DataError(f"Column {name!r} is a single value, not one value a row.")
    if array.ndim == 1:
        return _plain(pd.Series(_native(array), copy=False))
    if array.ndim == 2 and array.shape[1] == 1:
        return _plain(pd.Series(_native(array[:, 0]), copy=False))
    if array.ndim == 2 and array.dtype.kind in "iufb":
        return array.astype(np.float64)
    raise DataError(f"Column {name!r} has {array.ndim} dimensions; one value a row is needed.")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, upper and lower case alike, or None."""
    by_folded = {k.casefold(): k for k in known}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _to_pandas(column: Any) -> Any:
    """pandas form of a polars or pyarrow column, without importing either."""
    if isinstance(column, (pd.Series, np.ndarray)) or not hasattr(column, "to_pandas"):
        return column
    try:
        return column.to_pandas()
    except ImportError:
        return column.to_numpy()


def _plain(series: pd.Series) -> pd.Series:
    """A Series with the type its values have: object columns of numbers or text become such."""
    if isinstance(series.dtype, pd.SparseDtype):
        series = pd.Series(np.asarray(series))
    if series.dtype != object:
        return series
    kind = pd.api.types.infer_dtype(series, skipna=True)
    found = series if kind == "decimal" else series.convert_dtypes()
    # Decimals, and integers beyond 64 bits, are numbers that no pandas type holds.
    return found.astype(float) if found.dtype == object and kind in ("decimal", "integer") else found


def _native(array: np.ndarray) -> np.ndarray:
    """Native byte order and aligned: record arrays and foreign files may have neither."""
    if array.dtype.kind in "SU":
        return array.astype(object)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _array_of_list(column: list[Any] | tuple[Any, ...]) -> np.ndarray:
    """A list as an array; text beside None or numbers keeps its values as they are."""
    plain = all(isinstance(v, (int, float, np.number)) for v in column)
    try:
        return np.asarray(column) if plain else np.asarray(column, dtype=object)
    except ValueError:
        return np.array(0)


def _names_of(data: Any) -> tuple[Any, ...] | None:
    dtype_names = getattr(getattr(data, "dtype", None), "names", None)
    for names in (dtype_names, getattr(data, "column_names", None), getattr(data, "columns", None)):
        if names is not None and not callable(names):
            return tuple(names)
    return tuple(data.keys()) if callable(getattr(data, "keys", None)) else None


def _shared_index(data: dict[Any, Any]) -> pd.Index | None:
    """The index of the Series in a dict; DataError when they disagree, since rows would mispair."""
    indexed = [(k, v.index) for k, v in data.items() if isinstance(v, pd.Series)]
    for name, index in indexed[1:]:
        if not index.equals(indexed[0][1]):
            raise DataError(
                f"Columns {indexed[0][0]!r} and {name!r} have different indexes, so their rows cannot be "
                "paired; make one DataFrame of them, or give plain arrays."
            )
    return indexed[0][1] if indexed else None


def _nfkc(name: str) -> str:
    return unicodedata.normalize("NFKC", name)
