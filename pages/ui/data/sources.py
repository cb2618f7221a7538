"""What the Data page works on: an opened file, the table read from it, decisions about its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

from pages.ui.data.dataset import Dataset
from pages.ui.data.readers.base import FileKind, Labels, ReadOptions, ReadResult, Recipe

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

    origin   : 'example:<name>', 'upload:<file name>' or 'paste:<name>'
    frame    : text columns for a file of text, typed columns for another file or an example
    content  : the bytes of the file, so that it can be read in another way
    kind     : what the file is
    sheets   : the sheets of a workbook
    labels   : what the codes of a column stand for, by column
    meanings : what a column holds in the words of the file, by column
    recipe   : how a script reads the same
    """

    name: str
    origin: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    content: bytes | None = None
    options: ReadOptions = field(default_factory=ReadOptions)
    asked: ReadOptions = field(default_factory=ReadOptions)
    kind: FileKind = "text"
    sheets: tuple[str, ...] = ()
    labels: Mapping[str, Labels] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)

    @classmethod
    def example(cls, dataset: Dataset) -> Source:
        """An example as a source."""
        return cls(dataset.name, dataset.source, dataset.frame, dataset.notes)

    @classmethod
    def upload(cls, opened: Opened, result: ReadResult) -> Source:
        """An opened file as a source; used were `result.options`, set by hand `opened.asked`."""
        return cls(
            opened.name,
            f"{opened.by}:{opened.name}",
            result.frame,
            result.notes,
            result.warnings,
            opened.content,
            result.options,
            opened.asked,
            result.kind,
            result.sheets,
            result.labels,
            result.meanings,
            result.recipe,
        )

    @property
    def is_example(self) -> bool:
        """Whether this is a built-in example."""
        return self.origin.startswith("example:")


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A file that a person chose, or cells that a person pasted.

    asked  : how it shall be read, as far as set by hand
    error  : why it could not be read, in a plain sentence; empty when it could
    by     : how it came
    kind   : what it is, as far as known
    sheets : the sheets of a workbook
    """

    name: str
    content: bytes
    asked: ReadOptions
    error: str = ""
    by: Literal["upload", "paste"] = "upload"
    kind: FileKind = "text"
    sheets: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: Source) -> Opened:
        """The file that was read as this source."""
        by: Literal["upload", "paste"] = "paste" if source.origin.startswith("paste:") else "upload"
        return cls(source.name, source.content or b"", source.asked, "", by, source.kind, source.sheets)


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
