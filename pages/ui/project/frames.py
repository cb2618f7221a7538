"""A frame as Parquet and back, the same to the last value, label and level. Pure.

Types, names and levels stand in a description of our own, checked on the way back: what Parquet files say
about pandas can name any class and is not read. Text is stored without dictionaries, so that the sizes a
file declares are those it will take in memory.
"""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pages.ui.project.problem import ProjectError, damaged, listing, mapping, text

MOST_ROWS = 10_000_000
MOST_COLUMNS = 1_000
MOST_CELLS = 200_000_000
MOST_BYTES = 2**30
MOST_LEVELS = 1_000_000
TOO_LARGE = "The project file holds a table that is too large to open."
_DTYPE = re.compile(
    r"(u?int(8|16|32|64)|float(32|64)|bool|U?Int(8|16|32|64)|Float(32|64)|boolean|str|object"
    r"|datetime64\[(s|ms|us|ns)\])$"
)
_LEVELS = ("str", "object", "int64", "float64", "bool")
Description = dict[str, Any]


def unsupported(frame: pd.DataFrame) -> list[str]:
    """Columns of a type that no project can hold, such as times with a time zone."""
    return [
        str(name)
        for name, dtype in zip(frame.columns, frame.dtypes, strict=True)
        if not isinstance(dtype, pd.CategoricalDtype) and not _DTYPE.match(str(dtype))
    ]


def write(frame: pd.DataFrame) -> tuple[bytes, Description]:
    """The frame as Parquet with its description. Raises ProjectError for a type that no project can hold."""
    columns, described = {}, []
    for place, name in enumerate(frame.columns):
        column, what = _stored(frame.iloc[:, place])
        columns[f"c{place}"] = column
        described.append({"name": str(name), **what})
    labels, index = _stored_index(frame.index)
    table = pa.table({**columns, "index": labels})
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd", use_dictionary=False, store_schema=False)
    return file.getvalue(), {"rows": len(frame), "index": index, "columns": described}


def _stored(column: pd.Series) -> tuple[pa.Array, Description]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = column.dtype.categories
        kind = str(levels.dtype)
        if kind not in _LEVELS:
            kind = "object"
            levels = pd.Index([str(level) for level in levels], dtype="object")
        return pa.array(column.cat.codes.to_numpy(np.int32)), {
            "dtype": "category",
            "ordered": bool(column.dtype.ordered),
            "levels": [_plain(level) for level in levels],
            "level_dtype": kind,
        }
    dtype = str(column.dtype)
    if not _DTYPE.match(dtype):
        raise ProjectError(f"A project file cannot hold the column {str(column.name)!r} of type {dtype}.")
    if dtype in ("object", "str"):
        letters = column.map(str, na_action="ignore").astype("object").where(column.notna(), None)
        return pa.array(letters, pa.string()), {"dtype": dtype}
    return pa.array(column), {"dtype": dtype}


def _plain(level: Any) -> str | int | float | bool:
    found: str | int | float | bool = level.item() if isinstance(level, np.generic) else level
    return found


def _stored_index(index: pd.Index) -> tuple[pa.Array, str]:
    """Row labels: numbers, or else text."""
    if pd.api.types.is_integer_dtype(index.dtype):
        return pa.array(index.to_numpy(np.int64)), "range" if isinstance(index, pd.RangeIndex) else "int64"
    return pa.array([str(label) for label in index], pa.string()), "str"


def read(content: bytes, description: object) -> pd.DataFrame:
    """The frame back. Raises ProjectError when file and description do not fit each other."""
    what = mapping(description, "the description of a table", ("rows", "index", "columns"))
    columns = listing(what["columns"], "the columns of a table", MOST_COLUMNS)
    table = _table(content, len(columns), what["rows"])
    names, found = list[str](), list[pd.Series]()
    for place, column in enumerate(columns):
        names.append(text(column.get("name") if isinstance(column, dict) else None, "a column's name"))
        found.append(_restored(table.column(f"c{place}"), column))
    if len(set(names)) != len(names):
        raise damaged("two columns have the same name")
    index = _restored_index(table.column("index"), what["index"])
    frame = pd.DataFrame(dict(enumerate(found)), index=pd.RangeIndex(table.num_rows))
    frame.columns = pd.Index(names)
    frame.index = index
    return frame


def _table(content: bytes, columns: int, rows: object) -> pa.Table:
    """The table, once its size is known to be bearable."""
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        _check_size(file.metadata, columns, rows)
        table = file.read()
    except (pa.ArrowException, OSError, ValueError, MemoryError) as err:
        if isinstance(err, ProjectError):
            raise
        raise damaged("a table in it cannot be read") from err
    if table.nbytes > MOST_BYTES:  # what a file declares may be a lie
        raise ProjectError(TOO_LARGE)
    return table.combine_chunks()


def _check_size(found: pq.FileMetaData, columns: int, rows: object) -> None:
    expected = [*(f"c{place}" for place in range(columns)), "index"]
    if found.num_rows != rows or [found.schema.column(i).path for i in range(found.num_columns)] != expected:
        raise damaged("a table is not the one described")
    groups = [found.row_group(place) for place in range(found.num_row_groups)]
    if (
        found.num_rows > MOST_ROWS
        or found.num_rows * columns > MOST_CELLS
        or sum(group.total_byte_size for group in groups) > MOST_BYTES
    ):
        raise ProjectError(TOO_LARGE)
    stored = {name for group in groups for i in range(columns + 1) for name in group.column(i).encodings}
    if stored & {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}:
        raise damaged("a table is not stored as this app stores one")


def _restored(values: pa.ChunkedArray, what: Description) -> pd.Series:
    """One column in the type that it had."""
    dtype = what.get("dtype")
    try:
        if dtype == "category":
            return _category(values, what)
        if not isinstance(dtype, str) or not _DTYPE.match(dtype) or set(what) != {"name", "dtype"}:
            raise damaged("a column has a type that is not known")
        if dtype in ("str", "object"):
            return _text_column(values, dtype)
        if dtype[0] in "IUFb" and dtype != "bool":
            return pd.Series(pd.array(values.to_pylist(), dtype=dtype))
        return _typed(pd.Series(values.to_numpy()), dtype)
    except (TypeError, ValueError, OverflowError, pa.ArrowException) as err:
        if isinstance(err, ProjectError):
            raise
        raise damaged("a column does not have the values of its type") from err


def _typed(values: pd.Series, dtype: str) -> pd.Series:
    """The values in a type whose name was checked."""
    found: pd.Series = values.astype(pd.api.types.pandas_dtype(dtype))
    return found


def _text_column(values: pa.ChunkedArray, dtype: str) -> pd.Series:
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        raise damaged("a column of text holds something else")
    return _typed(pd.Series(values.to_pandas()), dtype)


def _category(values: pa.ChunkedArray, what: Description) -> pd.Series:
    known = mapping(what, "a column of categories", ("name", "dtype", "ordered", "levels", "level_dtype"))
    levels = listing(known["levels"], "the levels of a column", MOST_LEVELS)
    if known["level_dtype"] not in _LEVELS or not all(
        isinstance(level, str | int | float) for level in levels
    ):
        raise damaged("the levels of a column are not known")
    if not isinstance(known["ordered"], bool):
        raise damaged("a column does not say whether its levels have an order")
    codes = values.to_numpy()
    if codes.dtype.kind != "i" or (len(codes) and (codes.min() < -1 or codes.max() >= len(levels))):
        raise damaged("a column refers to a level that it does not have")
    index = pd.Index(levels, dtype=known["level_dtype"])
    return pd.Series(pd.Categorical.from_codes(codes, categories=index, ordered=known["ordered"]))


def _restored_index(values: pa.ChunkedArray, kind: object) -> pd.Index:
    if kind == "str" and pa.types.is_string(values.type):
        labels = pd.Index(values.to_pylist(), dtype="str")
    elif kind in ("int64", "range") and pa.types.is_int64(values.type) and not values.null_count:
        labels = pd.Index(values.to_numpy())
    else:
        raise damaged("the rows of a table have no labels")
    if not labels.is_unique:
        raise damaged("two rows have the same label")
    if kind == "range" and len(labels) > 1:
        step = int(labels[1] - labels[0])
        if step:
            exact = pd.RangeIndex(int(labels[0]), int(labels[0]) + step * len(labels), step)
            labels = exact if exact.equals(labels) else labels
    found: pd.Index = labels
    return found
