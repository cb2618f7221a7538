"""What the Data page works on: an opened file, the table read from it, decisions about its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from pages.ui.data.dataset import Dataset
from pages.ui.data.reading import ReadOptions, ReadResult

if TYPE_CHECKING:
    from pages.ui.data.columns import Column

USUAL_MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", ".", "#N/A")
"""Texts that mean 'missing' unless decided otherwise: those of R, SAS, Stata, SQL and spreadsheets."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Decisions about the columns of a source.

    missing : texts that stand for a missing value
    kinds   : (column, kind) for each column whose kind was set by hand
    """

    missing: tuple[str, ...] = USUAL_MISSING
    kinds: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A table as it was read, before types and missing values are settled.

    origin  : 'example:<name>' or 'upload:<file name>'
    frame   : text columns for a file, typed columns for an example
    content : the bytes of the file, so that it can be read in another way
    """

    name: str
    origin: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    content: bytes | None = None
    options: ReadOptions = field(default_factory=ReadOptions)
    asked: ReadOptions = field(default_factory=ReadOptions)

    @classmethod
    def example(cls, dataset: Dataset) -> Source:
        """An example as a source."""
        return cls(dataset.name, dataset.source, dataset.frame, dataset.notes)

    @classmethod
    def upload(cls, name: str, content: bytes, asked: ReadOptions, result: ReadResult) -> Source:
        """An opened file as a source; `asked` is what was set by hand, `result.options` what was used."""
        return cls(
            name,
            f"upload:{name}",
            result.frame,
            result.notes,
            result.warnings,
            content,
            result.options,
            asked,
        )

    @property
    def is_example(self) -> bool:
        """Whether this is a built-in example."""
        return self.origin.startswith("example:")


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A file that a person chose.

    asked : how it shall be read, as far as set by hand
    error : why it could not be read, in a plain sentence; empty when it could
    """

    name: str
    content: bytes
    asked: ReadOptions
    error: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Inspected:
    """What the Data page shows of the columns.

    profile  : one row a column
    missing  : one row a column that has missing values
    complete : rows without any missing value
    suspects : texts that may stand for missing values, with their counts
    """

    columns: tuple[Column, ...]
    profile: pd.DataFrame
    missing: pd.DataFrame
    complete: int
    suspects: Mapping[str, int]
