"""One step of a recipe: what every kind of step can do, and what their parts share. Pure.

A step is a frozen value. It says itself in a sentence, makes a new frame of a frame, prints the pandas lines
that do the same to `data`, and survives JSON, strictly checked when it is read back.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from mixedcore.errors import DataError
from pages.ui.data.columns import Stored, kind_of
from pages.ui.data.recipe import plain
from pages.ui.text import enumerated, one_line, shorten

LONGEST_NAME = 200
LEAST_VALUES = "at least two different values"


class StepError(DataError):
    """A step that these data do not allow, or that cannot be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Step(ABC):
    """A change of the data; `kind` names its class in JSON."""

    kind: ClassVar[str]

    @abstractmethod
    def describe(self) -> str:
        """The step in a sentence, as plain text."""

    @abstractmethod
    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The changed table; `frame` stays as it is. Raises StepError with a sentence."""

    @abstractmethod
    def lines(self) -> tuple[str, ...]:
        """Python lines that do the same to `data`; imports first."""

    def code(self) -> tuple[str, ...]:
        """`lines` under a comment that says what they do."""
        # On one line a sentence can only ever be a comment.
        return (f"# {one_line(self.describe())}", *self.lines())

    def to_mapping(self) -> dict[str, Any]:
        """Plain values for JSON; `from_mapping` gives the same step back."""
        return {"kind": self.kind, **plain.written(self)}

    @classmethod
    def from_mapping(cls, content: object) -> Self:
        """A step from what `to_mapping` wrote; raises StepError naming the part that is wrong."""
        try:
            return plain.read(cls, content)
        except plain.UnreadError as err:
            raise StepError(f"This step cannot be read: {err}") from err


# --- columns of a frame --------------------------------------------------------------------------


def called(name: object) -> str:
    """A column's name in a sentence."""
    return f"“{shorten(name, 60)}”"


def several(names: Sequence[object], most: int = 4) -> str:
    """Names in a sentence, the first few of many."""
    return enumerated([called(name) for name in names], most)


def rows(count: int) -> str:
    """'one row', '1,234 rows'."""
    return "one row" if count == 1 else f"{count:,} rows"


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """The column of that name."""
    if name not in frame.columns:
        raise StepError(f"There is no column {called(name)} at this point.")
    return frame[name]


def kind(series: pd.Series) -> Stored:
    """What a column is; text is a category."""
    return kind_of(series) or "category"


def numeric(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column of numbers, or of yes and no as 1 and 0, in floating point."""
    values = column(frame, name)
    if kind(values) not in ("number", "yes_no"):
        raise StepError(f"{called(name)} is not a number, so nothing can be calculated with it.")
    values = values.astype(float)
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise StepError(
            f"{called(name)} is infinite in {rows(infinite)}. Filter them out, or mend them, first."
        )
    return values


def dates(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column of dates without a time zone."""
    values = column(frame, name)
    if not pd.api.types.is_datetime64_dtype(values.dtype):
        raise StepError(f"{called(name)} is not a date. Set its type under Columns if it should be one.")
    return values


def check_new(frame: pd.DataFrame, name: str) -> None:
    """Refuse a name that a new column cannot have."""
    if not name.strip():
        raise StepError("The new column needs a name.")
    if name != one_line(name):
        raise StepError("A name is one line, without blanks at its ends and two in a row.")
    if len(name) > LONGEST_NAME:
        raise StepError(f"A name has at most {LONGEST_NAME} letters.")
    if name in frame.columns:
        raise StepError(f"There is a column {called(name)} already. Take another name.")


def with_column(frame: pd.DataFrame, name: str, values: pd.Series) -> pd.DataFrame:
    """The table with a new last column."""
    check_new(frame, name)
    return frame.assign(**{name: values})


def finite(values: pd.Series, source: pd.Series, name: str) -> pd.Series:
    """The values, when each number gave a number."""
    bad = int((source.notna() & ~np.isfinite(values)).sum())
    if bad:
        raise StepError(f"{rows(bad).capitalize()} of {called(name)} would become too large for a number.")
    return values


# --- Python text ---------------------------------------------------------------------------------


def literal(value: object) -> str:
    """A Python literal of text, a number, a truth value, None, or a sequence of those."""
    if isinstance(value, str):
        shown = repr(value)
        return f'"{shown[1:-1]}"' if shown.startswith("'") and '"' not in value else shown
    if isinstance(value, tuple | list):
        return f"[{', '.join(literal(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(each)}' for key, each in value.items())}}}"
    if isinstance(value, float) and not math.isfinite(value):
        raise StepError("A number that is not finite cannot be used here.")
    return repr(value)


def cell(name: str) -> str:
    """A column in Python: data["x"]."""
    return f"data[{literal(name)}]"


def floats(name: str) -> str:
    """A column in Python, in floating point."""
    return f"{cell(name)}.astype(float)"


def shown(value: float) -> str:
    """A number in a sentence: as short as it can be without loss, up to ten digits."""
    return f"{value:.10g}".replace("-", "−")
