"""From any table-like to the rows and columns a model uses: subset, groups, missing values, types.

Rows are rows: after extraction everything is positional, so neither a repeated index nor shuffled rows
can pair a value with the wrong row. The row labels are only carried along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeGuard

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedcore.data.columns import Mask, Settled, complete_rows, settle, settle_numbers
from mixedcore.data.tables import Table, Values, as_values
from mixedcore.errors import DataError, FormulaError, MissingValuesError
from mixedcore.terms import Floats

Missing = Literal["none", "drop", "raise"]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The columns a model uses, row by row.

    raw     : name → column as extracted, (n,) or (n, k); those that only group rows included
    columns : name → column of the formulas with its type settled
    groups  : (n,) group labels as given, or None
    beside  : role → numbers (n,) that no formula names: 'weights', 'offset'
    rows    : (n,) position of each row in the data as given
    index   : (n,) row labels as given
    n_given : rows of the data as given
    series  : formulas see pandas Series (else arrays)
    extra   : columns that are variables of the caller, not of the data
    notes   : what was dropped or changed, in plain sentences
    """

    raw: Mapping[str, Values]
    columns: Mapping[str, Settled]
    groups: pd.Series | None
    rows: Rows
    index: pd.Index
    n_given: int
    series: bool
    notes: tuple[str, ...] = ()
    extra: frozenset[str] = frozenset()
    beside: Mapping[str, pd.Series] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Rows in use."""
        return len(self.rows)

    def values(self, rows: Rows | None = None) -> dict[str, Any]:
        """What formulas see under each name, on all rows or some: Series on a RangeIndex, or arrays.

        Of a column of categories, only those in the rows asked for.
        """
        found = {name: settled.values for name, settled in self.columns.items()}
        if rows is not None:
            found = {name: _own_categories(_take(values, rows)) for name, values in found.items()}
        return dict(found) if self.series else {name: _as_array(v) for name, v in found.items()}

    def group_labels(self, column: str | None = None) -> pd.Series:
        """(n,) label of each row's group, or of a column; integers are plain even if it once had gaps."""
        labels = self.groups if column is None else self.raw[column]
        if not isinstance(labels, pd.Series):
            raise DataError(f"{column or 'groups'} must be one label a row to group by.")
        return settle_numbers(labels) if pd.api.types.is_integer_dtype(labels.dtype) else labels

    def numbers(self, role: str) -> Floats | None:
        """(n,) numbers beside the formulas, such as 'weights'; None where none were given."""
        values = self.beside.get(role)
        return None if values is None else as_numbers(values, role)

    def take(self, rows: Rows) -> Frame:
        """The frame of some of its rows, types settled anew (a category may have lost its last row)."""
        if len(rows) == self.n and bool((rows[1:] > rows[:-1]).all()):  # all of them, in their order
            return self.settled()
        raw = {name: _take(v, rows) for name, v in self.raw.items()}
        return replace(
            self,
            raw=raw,
            columns={name: settle(raw[name], name) for name in self.columns},
            groups=None if self.groups is None else _take(self.groups, rows),
            beside={role: _take(v, rows) for role, v in self.beside.items()},
            rows=self.rows[rows],
            index=self.index[rows],
        )

    def settled(self) -> Frame:
        """The frame itself, types settled anew."""
        return replace(self, columns={name: settle(self.raw[name], name) for name in self.columns})

    def keep(self, good: Mask) -> Frame:
        """The frame of the rows `good` (n,), types as they are: for new data, whose coding is given."""
        rows = np.flatnonzero(good)
        columns = {k: replace(s, values=_take(s.values, rows)) for k, s in self.columns.items()}
        raw = {name: _take(v, rows) for name, v in self.raw.items()}
        beside = {role: _take(v, rows) for role, v in self.beside.items()}
        return replace(
            self,
            raw=raw,
            columns=columns,
            groups=None if self.groups is None else _take(self.groups, rows),
            beside=beside,
            rows=self.rows[rows],
            index=self.index[rows],
        )

    def conversions(self) -> tuple[str, ...]:
        """What settling the types changed, in plain sentences."""
        return tuple(note for settled in self.columns.values() for note in settled.notes)


def make_frame(
    table: Table,
    names: Sequence[str],
    *,
    groups: Any = None,
    keys: Sequence[str] = (),
    extra: Mapping[str, Any] | None = None,
    beside: Mapping[str, Any] | None = None,
    subset: Any = None,
    missing: str = "none",
) -> Frame:
    """The columns `names` of a table, with `subset` and `missing` applied.

    groups : a column name or one label a row of the data as given (a Series is aligned on the index)
    keys   : names of columns that only group rows (those of bar terms)
    extra  : further columns that are not in the table, by name
    beside : role → numbers that no formula names ('weights', 'offset'), given as groups are; None is left out
    subset : booleans, labels of the index, or positions; see `subset_rows`
    missing: 'none' and 'raise' refuse missing or infinite values in any used column, 'drop' drops the rows

    Raises FormulaError for an unknown column, DataError for lengths or indexes that do not match,
    MissingValuesError naming columns and numbers of rows.
    """
    if missing not in ("none", "drop", "raise"):
        raise DataError(f"missing={missing!r} is not known; use 'none', 'drop' or 'raise'.")
    raw = {name: table.column(name) for name in names}
    labels = None if groups is None else one_a_row(table, groups, "groups")
    raw |= {name: as_values(values, name) for name, values in (extra or {}).items()}
    formula_names = list(raw)
    raw |= {name: table.column(name) for name in keys}
    if labels is not None and isinstance(groups, str):
        raw[groups] = labels
    given = {role: value for role, value in (beside or {}).items() if value is not None}
    numbers = {role: one_a_row(table, value, role) for role, value in given.items()}
    raw |= {value: numbers[role] for role, value in given.items() if isinstance(value, str)}
    n, index = table.n_rows, _row_labels(table)
    keep = None if subset is None else subset_rows(subset, index)
    named = {_shown(value, f"the {role}"): numbers[role] for role, value in given.items()}
    used = dict(raw)
    if labels is not None:
        used.setdefault(_shown(groups, "groups"), labels)
    used |= named
    in_use = used if keep is None else {k: _take(v, keep) for k, v in used.items()}
    chosen = n if keep is None else len(keep)
    complete, gaps = complete_rows(in_use, chosen)
    note = gaps.sentence(missing)
    if not chosen:
        raise DataError("No rows are left: the subset selects none." if n else "The data have no rows.")
    if not complete.any():
        raise DataError(f"No rows are left. {note}")
    unsettled = {name: Settled(raw[name]) for name in formula_names}
    rows = np.arange(n, dtype=np.intp)
    whole = Frame(raw, unsettled, labels, rows, index, n, table.series, beside=numbers)
    notes = (note,) if note else ()
    whole = replace(whole, notes=notes, extra=frozenset(extra or ()))
    if keep is None and not note:
        return whole.settled()
    return whole.take((rows if keep is None else keep)[complete])


def new_frame(
    table: Table,
    fitted: Mapping[str, Settled],
    beside: Mapping[str, str] | None = None,
    *,
    also: Sequence[str] = (),
    labels: Sequence[str] = (),
    groups: Any = None,
) -> Frame:
    """Rows of new data without missing values, its columns settled as those of the fit were.

    beside : role → the column that the fit's 'offset' or 'weights' were
    also   : further columns that must not be missing, kept as given in `raw`
    labels : columns that name levels, kept as given in `raw`; a missing one leaves its row in
    groups : a column name or one label a row, missing ones included, as `groups`

    Raises FormulaError for an absent column, DataError for categories or types the fit has not seen.
    """
    raw = {name: table.column(name) for name in (*fitted, *also)}
    numbers = {role: one_a_row(table, column, role) for role, column in (beside or {}).items()}
    keys = {name: table.column(name) for name in labels}
    own = None if groups is None else one_a_row(table, groups, "groups")
    if table._rows is None and table.names:
        table.column(str(table.names[0]))
    n = table.n_rows
    complete, gaps = complete_rows({**raw, **numbers}, n)
    note = gaps.sentence("drop")
    rows = np.flatnonzero(complete)
    raw = {name: _take(values, rows) for name, values in raw.items()}
    columns = {name: settle(raw[name], name, like=like) for name, like in fitted.items()}
    return Frame(
        raw={**raw, **{name: _take(values, rows) for name, values in keys.items()}},
        columns=columns,
        groups=None if own is None else _take(own, rows),
        rows=rows,
        index=_row_labels(table)[rows],
        n_given=n,
        series=table.series,
        notes=(note,) if note else (),
        beside={role: _take(values, rows) for role, values in numbers.items()},
    )


def drop_rows(frame: Frame, bad: Mask, why: str, missing: str) -> Frame:
    """Drop rows in which evaluating a formula gave no finite value; an error unless missing is 'drop'."""
    count = int(bad.sum())
    if missing != "drop":
        raise MissingValuesError(
            f"{why} has no finite value in {count} of {frame.n} rows (such as the logarithm of zero). "
            "Use missing='drop' to leave these rows out, or change the term."
        )
    if count == frame.n:
        raise DataError(f"No rows are left: {why} has no finite value in any of the {count} rows.")
    note = f"{count} of {frame.n} rows dropped: no finite value in {why} ({count})."
    return replace(frame.take(np.flatnonzero(~bad)), notes=(*frame.notes, note))


def subset_rows(subset: Any, index: pd.Index) -> Rows:
    """Positions of the rows that `subset` selects.

    Booleans are a mask (a boolean Series is aligned on the index). Anything else is taken as labels of
    the index; integers are positions when the index holds no integers. With the default index labels and
    positions are the same.
    """
    if isinstance(subset, (str, bytes)) or callable(subset):
        raise DataError("subset takes booleans, row labels or row positions, one entry a row; not text.")
    chosen = subset if isinstance(subset, pd.Series) else pd.Series(np.atleast_1d(np.asarray(subset)))
    if chosen.isna().any():
        raise DataError("subset holds missing values; say of every row whether it is in.")
    if len(chosen) and pd.api.types.infer_dtype(chosen, skipna=False) == "boolean":
        own_index = subset.index if isinstance(subset, pd.Series) else None
        return np.flatnonzero(_mask(chosen, own_index, index))
    positions = _label_positions(pd.Index(chosen), index)
    if len(np.unique(positions)) < len(positions):
        raise DataError("subset names some rows more than once; each row can be used once.")
    return positions


def align(values: pd.Series, index: pd.Index | None, what: str) -> pd.Series:
    """A Series brought into the order of `index` by its labels; DataError where they do not match."""
    if index is None or values.index.equals(index):
        return values
    matches = len(values) == len(index) and values.index.is_unique and index.is_unique
    order = values.index.get_indexer(index) if matches else np.array([-1])
    if (order < 0).any():
        raise DataError(
            f"{what} is a Series whose index does not match that of the data, so its {len(values)} values "
            f"cannot be paired with the {len(index)} rows. Give it the index of the data, or pass "
            "`.to_numpy()` to go by position."
        )
    return values.iloc[order]


def _mask(chosen: pd.Series, own_index: pd.Index | None, index: pd.Index) -> Mask:
    if len(chosen) != len(index):
        raise DataError(f"subset has {len(chosen)} booleans and the data have {len(index)} rows.")
    if own_index is not None:
        chosen = align(chosen, index, "subset")
    return chosen.to_numpy(dtype=bool)


def _label_positions(labels: pd.Index, index: pd.Index) -> Rows:
    found = labels.isin(index)
    if found.all():
        if index.is_unique:
            return index.get_indexer(labels)
        return np.flatnonzero(index.isin(labels))
    if pd.api.types.is_integer_dtype(labels.dtype) and not pd.api.types.is_integer_dtype(index.dtype):
        inside = (labels >= 0) & (labels < len(index))
        if inside.all():
            return labels.to_numpy(dtype=np.intp)
        raise DataError(
            f"subset holds position {labels[~inside].tolist()[0]} and the data have {len(index)} rows."
        )
    raise DataError(
        f"subset holds {labels[~found].tolist()[0]!r}, which is no label of the data's index "
        "(its entries are taken as labels). For positions, give the labels `data.index[positions]`."
    )


def as_numbers(values: pd.Series, role: str) -> Floats:
    """Weights or an offset as numbers (n,), nothing missing; DataError for values that are none."""
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_complex_dtype(values.dtype):
        raise DataError(f"{role} must be one number a row; it holds {values.dtype} values.")
    return values.to_numpy(dtype=np.float64)


def one_a_row(table: Table, given: Any, role: str) -> pd.Series:
    """What `groups`, `weights` or `offset` is, (n,) in the order of the data: a column name, or values."""
    if isinstance(given, str):
        if not table.has(given):
            noun = "grouping column" if role == "groups" else f"column for {role}"
            raise FormulaError(table.unknown(given, noun))
        values: Values = table.column(given)
    else:
        aligned = align(given, table.index, role) if isinstance(given, pd.Series) else given
        values = as_values(aligned, role)
        if table._rows is not None and len(values) != table._rows:
            raise DataError(f"{role} has {len(values)} values and the data have {table._rows} rows.")
    if isinstance(values, np.ndarray):
        what = "label" if role == "groups" else "number"
        raise DataError(f"{role} must be one {what} a row, not several columns.")
    return values


def _shown(given: Any, role: str) -> str:
    """The name that messages use: the column, or the argument."""
    return given if isinstance(given, str) else role


def _row_labels(table: Table) -> pd.Index:
    return pd.RangeIndex(table.n_rows) if table.index is None else table.index


def _take(values: Any, rows: Rows) -> Any:
    if isinstance(values, np.ndarray):
        return values[rows]
    return pd.Series(values.array.take(rows), copy=False)


def _as_array(values: Values) -> Any:
    return values.array if _is_category(values) else np.asarray(values)


def _own_categories(values: Values) -> Values:
    return values.cat.remove_unused_categories() if _is_category(values) else values


def _is_category(values: Values) -> TypeGuard[pd.Series]:
    return isinstance(values, pd.Series) and isinstance(values.dtype, pd.CategoricalDtype)
