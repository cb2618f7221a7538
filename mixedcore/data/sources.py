"""Data that need not fit in memory: Parquet, or frames that come one after the other, as often as asked.

A source falls into pieces, each read on its own (on another machine, if need be) as a few tables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from mixedcore.data.tables import Table, open_table
from mixedcore.errors import DataError

BATCH = 1_000_000  # rows that Parquet is read by
BUFFER = 1 << 20  # bytes of a column that are read at a time
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
    """Some row groups of a Parquet file, which is pyarrow's `fragment`."""

    fragment: Any
    groups: list[int]
    columns: list[str]
    batch: int = BATCH

    def tables(self) -> Iterator[Table]:
        """Batches of at most `batch` rows, decoded one at a time however long the row groups are."""
        from pyarrow.dataset import get_partition_keys
        from pyarrow.parquet import ParquetFile

        same = get_partition_keys(self.fragment.partition_expression)
        with _readable(self.fragment.path), self.fragment.open() as opened:
            file = ParquetFile(opened, buffer_size=BUFFER, pre_buffer=False)
            own = [name for name in self.columns if name not in same]
            for batch in file.iter_batches(self.batch, self.groups, own, use_threads=False):
                yield open_table({name: _column(batch, name, same) for name in self.columns})


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
        """Runs of row groups of one file, of about `BATCH` rows where the row groups are smaller."""
        names = self.head()
        own = [str(names.own_name(name)) for name in columns]
        for fragment in self.dataset.get_fragments():
            run, rows = [], 0
            for group in fragment.row_groups:
                run.append(group.id)
                rows += group.num_rows
                if rows >= BATCH:
                    yield ParquetPiece(fragment, run, own)
                    run, rows = [], 0
            if run:
                yield ParquetPiece(fragment, run, own)


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """The first rows of a dataset, column by column."""

    dataset: Any

    @property
    def column_names(self) -> list[str]:
        return list(self.dataset.schema.names)

    def __getitem__(self, name: str) -> Any:
        for fragment in self.dataset.get_fragments():
            groups = [group.id for group in fragment.row_groups if group.num_rows]
            for table in ParquetPiece(fragment, groups[:1], [name], ROWS_OF_HEAD).tables():
                return table.column(name)
        return ()


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
    if hasattr(data, "get_fragments") and hasattr(data, "to_batches"):
        return ParquetSource(_whole_files(data))
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


def _whole_files(dataset: Any) -> Any:
    """The dataset itself; DataError where it is not all rows of Parquet files."""
    try:
        parquet = all(hasattr(fragment, "row_groups") for fragment in dataset.get_fragments())
    except ValueError:  # pyarrow's word for a filtered dataset
        parquet = False
    if not parquet:
        raise DataError(
            "The dataset is not of whole Parquet files (it has a filter, or another format). Give a function "
            "that reads it, as in mixedlm(formula, lambda: dataset.to_batches())."
        )
    return dataset


def _dataset(path: str | os.PathLike[str]) -> Any:
    try:
        from pyarrow import dataset
    except ImportError as err:
        raise DataError("Reading Parquet needs the package pyarrow: install it first.") from err
    if not Path(path).exists():
        raise DataError(f"There is no file or folder {os.fspath(path)!r}.")
    with _readable(path):
        found = dataset.dataset(path, format="parquet", partitioning="hive")
    if not found.schema.names:
        raise DataError(f"{os.fspath(path)!r} holds no Parquet file.")
    return found


@contextmanager
def _readable(what: str | os.PathLike[str]) -> Iterator[None]:
    """pyarrow's errors as DataError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as err:
        raise DataError(f"{os.fspath(what)} cannot be read as Parquet: {err}") from err


def _column(batch: Any, name: str, same: Mapping[str, Any]) -> Any:
    """A column of a batch for pandas: from the file, from its folder's name, or all missing.

    Integers stay integers where some are missing.
    """
    if name not in batch.schema.names:
        return pd.Series([same.get(name)] * batch.num_rows)
    column = batch.column(name)
    if column.null_count == 0 or str(column.type)[:3] not in ("int", "uin"):
        return column.to_pandas()
    return column.to_pandas(types_mapper=lambda _: pd.Int64Dtype())
