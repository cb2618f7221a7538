"""The type of one column, settled: numbers, booleans or categories, and which rows are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedcore.data.tables import Values
from mixedcore.errors import DataError, MissingValuesError

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A column as formulas see it, and what is needed to treat new data the same way.

    values : Series (n,) of int64, float64, bool or category on a RangeIndex, or a float array (n, k)
    origin : first date of a column of dates (used as days since then), else None
    notes  : what was changed, in plain sentences
    """

    values: Values
    origin: pd.Timestamp | None = None
    notes: tuple[str, ...] = ()


def missing_rows(values: Values) -> tuple[Mask, Mask]:
    """Rows (n,) that are missing, and rows that are infinite."""
    if isinstance(values, np.ndarray):
        return _any(np.isnan(values)), _any(np.isinf(values))
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iub":
        return np.zeros(len(values), bool), np.zeros(len(values), bool)
    if pd.api.types.is_float_dtype(dtype):
        floats = values.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isfinite(floats).all():
            return np.zeros(len(values), bool), np.zeros(len(values), bool)
        return np.isnan(floats), np.isinf(floats)
    return values.isna().to_numpy(dtype=bool), np.zeros(len(values), bool)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing among n rows, additive: incomplete rows, and missing and infinite values by column."""

    n: int = 0
    bad: int = 0
    absent: Mapping[str, int] = field(default_factory=dict)
    infinite: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Gaps) -> Gaps:
        """The gaps of both sets of rows, columns in the order of the first."""
        return Gaps(
            self.n + other.n,
            self.bad + other.bad,
            {name: count + other.absent[name] for name, count in self.absent.items()} or other.absent,
            {name: count + other.infinite[name] for name, count in self.infinite.items()} or other.infinite,
        )

    def sentence(self, missing: str) -> str:
        """What was dropped, empty where nothing was; MissingValuesError unless `missing` is 'drop'."""
        counts: list[str] = []
        for name, absent in self.absent.items():
            counts += [f"{name} ({absent})"] if absent else []
            counts += [f"{name} (infinite: {self.infinite[name]})"] if self.infinite[name] else []
        if not counts:
            return ""
        if missing != "drop":
            raise MissingValuesError(
                f"{self.bad} of {self.n} rows have missing or infinite values: {', '.join(counts)}. "
                "Use missing='drop' to leave these rows out, or fill them in."
            )
        return f"{self.bad} of {self.n} rows dropped: missing in {', '.join(counts)}."


def complete_rows(columns: Mapping[str, Values], n: int) -> tuple[Mask, Gaps]:
    """Rows (n,) complete in every column, and what is missing in the others."""
    complete = np.ones(n, dtype=bool)
    absent, infinite = {}, {}
    for name, values in columns.items():
        gone, beyond = missing_rows(values)
        absent[name], infinite[name] = int(gone.sum()), int(beyond.sum())
        if absent[name] or infinite[name]:
            complete &= ~(gone | beyond)
    return complete, Gaps(n, int(n - complete.sum()), absent, infinite)


def settle(values: Values, name: str, like: Settled | None = None) -> Settled:
    """Settle the type of a column without missing values.

    Text and objects become categories in sorted order, dates and durations become days, nullable and
    arrow-backed types become plain ones; categories that do not occur are left out. `like` is the same
    column at the time of the fit: new data then keep its categories and its first date.
    """
    if isinstance(values, np.ndarray):
        return Settled(values)
    dtype = values.dtype
    if pd.api.types.is_bool_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
        found = Settled(pd.Series(values.to_numpy(dtype=bool), copy=False))
    elif pd.api.types.is_complex_dtype(dtype):
        raise DataError(f"Column {name!r} holds complex numbers, which a mixed model cannot use.")
    elif pd.api.types.is_numeric_dtype(dtype):
        found = Settled(settle_numbers(values))
    elif (days := _days(values, name, like)) is not None:
        found = days
    else:
        found = _categories(values, name, like)
    return _checked_against(found, name, like)


def settle_numbers(values: pd.Series) -> pd.Series:
    """Numbers of any backend as int64 (or the plain integer type they have) or float64."""
    if isinstance(values.dtype, np.dtype) and (values.dtype.kind in "iu" or values.dtype == np.float64):
        return values
    integer = pd.api.types.is_integer_dtype(values.dtype)
    kind = values.dtype if integer and isinstance(values.dtype, np.dtype) else np.dtype(np.int64)
    return pd.Series(values.to_numpy(dtype=kind if integer else np.float64), copy=False)


def _days(values: pd.Series, name: str, like: Settled | None) -> Settled | None:
    """Dates as days since the first of them, durations as days; None for any other type."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in ("timedelta", "timedelta64"):
        days = pd.to_timedelta(values) / pd.Timedelta(days=1)
        return Settled(days.astype(np.float64), notes=(f"{name} holds durations: used as days.",))
    if kind not in ("datetime", "datetime64", "date", "period"):
        return None
    if kind == "period":
        values = pd.Series(pd.PeriodIndex(values).to_timestamp())
    stamps = pd.to_datetime(values, utc=True)
    origin = like.origin if like is not None and like.origin is not None else stamps.min()
    days = ((stamps - origin) / pd.Timedelta(days=1)).astype(np.float64)
    start = origin.strftime("%Y-%m-%d") if len(values) else "the first"
    return Settled(days, origin=origin, notes=(f"{name} holds dates: used as days since {start}.",))


def _categories(values: pd.Series, name: str, like: Settled | None) -> Settled:
    if like is not None and isinstance(like.values, pd.Series) and _is_category(like.values):
        return Settled(_known_categories(values, name, like.values))
    if not _is_category(values):
        try:
            return Settled(pd.Series(pd.Categorical(values)))
        except (TypeError, NotImplementedError) as err:
            raise DataError(f"Column {name!r} holds values that are neither numbers nor text.") from err
    codes = values.cat.codes.to_numpy()
    present = np.bincount(codes[codes >= 0], minlength=len(values.cat.categories)) > 0
    if present.all():
        return Settled(values)
    unused = values.cat.categories[~present]
    some = ", ".join(map(str, unused[:5])) + (", …" if len(unused) > 5 else "")
    note = f"{name}: {len(unused)} categories without rows were left out ({some})."
    return Settled(values.cat.remove_unused_categories(), notes=(note,))


def _known_categories(values: pd.Series, name: str, fitted: pd.Series) -> pd.Series:
    known = fitted.cat.categories
    codes = known.get_indexer(pd.Index(values.astype(object)))
    if (codes < 0).any():
        new = values[codes < 0].iloc[0]
        some = ", ".join(map(repr, known[:8])) + (", …" if len(known) > 8 else "")
        raise DataError(f"Column {name!r} holds {new!r}, which the fit has not seen; it knows {some}.")
    return pd.Series(pd.Categorical.from_codes(codes, categories=known, ordered=bool(fitted.cat.ordered)))


def _checked_against(found: Settled, name: str, like: Settled | None) -> Settled:
    """New data must be of the kind that was fitted: text where there were numbers is an error."""
    if like is None or isinstance(found.values, np.ndarray) or isinstance(like.values, np.ndarray):
        return found
    if _is_category(found.values) and not _is_category(like.values):
        raise DataError(f"Column {name!r} holds text here and numbers in the fit.")
    if _is_category(like.values) and not _is_category(found.values):
        return Settled(_known_categories(found.values, name, like.values))
    if like.values.dtype == bool and found.values.dtype != bool:
        if not found.values.isin([0, 1]).all():
            raise DataError(f"Column {name!r} holds numbers here and true or false in the fit.")
        return Settled(found.values.astype(bool))
    if found.values.dtype == bool and like.values.dtype != bool:
        return Settled(found.values.astype(like.values.dtype))
    return found


def _any(mask: Mask) -> Mask:
    return np.asarray(mask.any(axis=1), dtype=bool)


def _is_category(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)
