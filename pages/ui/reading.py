"""Bytes of a text table → a frame of text columns and plain notes. Pure: no Streamlit, no evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a file; None means: find out.

    separator : one character between values; ' ' stands for any run of spaces
    decimal   : '.' or ','
    thousands : the mark that groups digits, '' for none; never guessed
    encoding  : a Python codec name
    header    : whether the first row holds the column names
    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str = ""
    encoding: str | None = None
    header: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ReadResult:
    """A file as read: every column text, nothing typed yet.

    frame    : text columns with unique names
    options  : what was used, nothing left open
    notes    : what was changed or found, in plain sentences
    warnings : what a person should look at before going on
    """

    frame: pd.DataFrame
    options: ReadOptions
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
