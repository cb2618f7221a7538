"""Parquet → a typed frame. Pure."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from pages.ui.data.readers import base, typed
from pages.ui.data.readers.base import ReadError, ReadOptions, ReadResult, Recipe

MOST_UNPACKED = 2 * 2**30
"""Bytes: what the columns may take once unpacked."""
_DAMAGED = (
    "This is a Parquet file, but it is damaged, was cut short or uses an unknown feature. Write it again, or "
    "save the table as CSV."
)


def read(content: bytes, asked: ReadOptions) -> ReadResult:
    """The table in a Parquet file. Raises ReadError."""
    try:
        _check(parquet.read_metadata(pa.BufferReader(content)))
        frame = pd.read_parquet(io.BytesIO(content))
    # Arrow raises ValueErrors and OSErrors of its own, pandas also KeyErrors over what it noted in the file.
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError) as err:
        if isinstance(err, ReadError):
            raise
        raise ReadError(_DAMAGED, "parquet") from err
    lines = []
    if not isinstance(frame.index, pd.RangeIndex):
        named = any(each is not None for each in frame.index.names)
        frame = frame.reset_index(drop=not named)
        lines.append(f"data = data.reset_index({'' if named else 'drop=True'})")
    given = [str(each) for each in frame.columns]
    names, name_notes = base.unique_names([each.strip() for each in given])
    if names != list(frame.columns):
        frame.columns = pd.Index(names)
        lines.append(f"data.columns = {base.literals(names)}")
    done = typed.plain(frame)
    base.check_extent(*done.frame.shape, "parquet")
    return ReadResult(
        done.frame,
        asked,
        (*name_notes, *done.notes),
        kind="parquet",
        recipe=Recipe("pd.read_parquet", after=(*lines, *done.lines)),
    )


def _check(about: parquet.FileMetaData) -> None:
    base.check_extent(about.num_rows, about.num_columns, "parquet")
    unpacked = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    if unpacked > MOST_UNPACKED:
        raise ReadError(
            f"Unpacked, this Parquet file takes {unpacked / 2**30:.1f} GB, which is too much here. Leave out "
            "columns that you do not need.",
            "parquet",
        )
