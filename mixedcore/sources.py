"""Data that need not fit in memory: Parquet, or frames that come one after the other, as often as asked.

A source falls into pieces, each read on its own (on another machine, if need be) as a few tables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from mixedcore.errors import DataError
from mixedcore.tables import Table, open_table

BATCH = 1_000_000  # rows that Parquet is read by
ROWS_OF_HEAD = 256


class Piece(Protocol):
    """A part of a source that can be sent elsewhere and read there."""

    def tables(self) -> Iterator[Table]:
        """The piece, a bounded number of rows at a time."""
        ...


class Source(Protocol):
    """Data in pieces. rows: how many there are, None where only reading tells."""

    @property
    def rows(self) -> int | None: ...

    def head(self) -> Table:
        """Names and types of all columns, and a few rows."""
        ...

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """The pieces in order, with the columns named."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ParquetPiece:
    """Some rows of a Parquet file; `fragment` is pyarrow's."""

    fragment: Any
    schema: Any
    columns: list[str]

    def tables(self) -> Iterator[Table]:
        """Batches of at most `BATCH` rows, read without running ahead."""
        from pyarrow.dataset import ParquetFragmentScanOptions

        options = ParquetFragmentScanOptions(use_buffered_stream=True, pre_buffer=False)
        batches = self.fragment.to_batches(
            schema=self.schema,
            columns=self.columns,
            batch_size=BATCH,
            batch_readahead=0,
            fragment_readahead=0,
            fragment_scan_options=options,
            use_threads=False,
        )
        for batch in batches:
            if batch.num_rows:
                yield open_table(dict(zip(batch.schema.names, map(_values, batch.columns), strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class ParquetSource:
    """A pyarrow dataset of Parquet files."""

    dataset: Any

    @property
    def rows(self) -> int | None:
        """Rows of all files, from their footers."""
        return int(self.dataset.count_rows())

    def head(self) -> Table:
        """A table whose columns are read when they are asked for: there may be many."""
        return open_table(_Head(self.dataset))

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """A piece a row group."""
        names = self.head()
        own = [str(names.own_name(name)) for name in columns]
        for fragment in self.dataset.get_fragments():
            for group in fragment.split_by_row_group():
                yield ParquetPiece(group, self.dataset.schema, own)


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """The first rows of a dataset, column by column."""

    dataset: Any

    @property
    def column_names(self) -> list[str]:
        return list(self.dataset.schema.names)

    def __getitem__(self, name: str) -> Any:
        return self.dataset.head(ROWS_OF_HEAD, columns=[name]).column(0)


@dataclass(frozen=True, slots=True, eq=False)
class FramePiece:
    """One frame, reduced to the columns in use."""

    table: Table

    def tables(self) -> Iterator[Table]:
        """The frame itself."""
        yield self.table


@dataclass(frozen=True, slots=True, eq=False)
class FrameSource:
    """Frames from `make()`, which gives them anew each time."""

    make: Callable[[], Iterable[Any]]
    rows: int | None = None

    def head(self) -> Table:
        """The first frame; DataError where there is none."""
        for table in self._tables():
            return table
        raise DataError("The data have no rows.")

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """A piece a frame, those without rows left out."""
        for table in self._tables():
            own = open_table({name: table.column(name) for name in columns})
            if table.n_rows:
                yield FramePiece(own)

    def _tables(self) -> Iterator[Table]:
        frames = self.make()
        if not isinstance(frames, Iterable):
            raise DataError(f"The function given as data returned {type(frames).__name__}, no frames.")
        yield from map(open_table, frames)


def open_source(data: Any) -> Source | None:
    """The source that `data` is, or None for a table in memory.

    A path to a Parquet file or folder, a `pyarrow.dataset.Dataset`, a list or other iterable of tables, or a
    function without arguments that gives such an iterable. DataError for an iterator, which ends after one
    pass.
    """
    if isinstance(data, (str, os.PathLike)):
        return ParquetSource(_dataset(data))
    if hasattr(data, "get_fragments") and hasattr(data, "count_rows"):
        return ParquetSource(data)
    if callable(data) and not hasattr(data, "__getitem__"):
        return FrameSource(data)
    if hasattr(data, "__next__"):
        raise DataError(
            "An iterator can be read only once, and every row is needed twice. Give a function that makes it "
            "anew, as in mixedlm(formula, lambda: read_chunks(path)), or a list."
        )
    if isinstance(data, (list, tuple)) and data and all(map(_is_table, data)):
        return FrameSource(lambda: data)
    if hasattr(data, "__iter__") and not hasattr(data, "__getitem__"):
        return FrameSource(lambda: data)
    return None


def _is_table(item: Any) -> bool:
    return isinstance(item, (pd.DataFrame, dict)) or hasattr(item, "column_names") or hasattr(item, "columns")


def _dataset(path: str | os.PathLike[str]) -> Any:
    try:
        import pyarrow as pa
        from pyarrow import dataset
    except ImportError as err:
        raise DataError("Reading Parquet needs the package pyarrow: install it first.") from err
    if not Path(path).exists():
        raise DataError(f"There is no file or folder {os.fspath(path)!r}.")
    try:
        found = dataset.dataset(path, format="parquet", partitioning="hive")
        if not found.schema.names:
            raise DataError(f"{os.fspath(path)!r} holds no Parquet file.")
        return found
    except (pa.ArrowException, OSError) as err:
        raise DataError(f"{os.fspath(path)!r} cannot be read as Parquet: {err}") from err


def _values(column: Any) -> Any:
    """A pyarrow array for pandas; integers stay integers where some are missing."""
    if column.null_count == 0 or str(column.type)[:3] not in ("int", "uin"):
        return column.to_pandas()
    return column.to_pandas(types_mapper=lambda _: pd.Int64Dtype())
