"""Files of SPSS, Stata and SAS → a typed frame, with what codes and columns mean. Pure; read from memory.

A labelled column keeps its codes here; `columns` gives it its labels, so that a person can have either.
Values that the file marks as missing become missing, with a note that names them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyreadstat

from pages.ui.data.readers import base, typed
from pages.ui.data.readers.base import Code, FileKind, Labels, ReadError, ReadOptions, ReadResult, Recipe

WESTERN = "CP1252"
"""Tried when letters do not fit the encoding that the file states: most old files were made on Windows."""
DAMAGES = (
    *(pyreadstat.ReadstatError, pyreadstat.PyreadstatError),
    # What the conversion of one value raises: a date beyond all calendars, letters of another alphabet.
    *(ValueError, OverflowError, TypeError, KeyError, IndexError, AttributeError, OSError),
)
MOST_NOTES = 12
_KINDS: dict[FileKind, tuple[str, str]] = {
    "spss": ("an SPSS file", "read_sav"),
    "portable": ("an SPSS portable file", "read_por"),
    "stata": ("a Stata file", "read_dta"),
    "sas": ("a SAS file", "read_sas7bdat"),
    "transport": ("a SAS transport file", "read_xport"),
}
_PERIODS = re.compile(r"(MOYR|QYR|WKYR)\d*$")
_TIMES = re.compile(r"TIME[\d.]*$")
_COUNTS = {"%tw": "weeks", "%tm": "months", "%tq": "quarters", "%th": "half-years"}


@dataclass(frozen=True, slots=True, eq=False)
class _Raw:
    """What the library gave, and the arguments that gave it."""

    frame: pd.DataFrame
    meta: Any
    how: Mapping[str, Any]


def read(content: bytes, name: str, kind: FileKind, asked: ReadOptions) -> ReadResult:
    """The table in a file of SPSS, Stata or SAS. Raises ReadError."""
    head = _call(content, kind, _codec(asked), {"metadataonly": True})
    rows, columns = head.meta.number_rows, len(head.meta.column_names)
    base.check_extent(1 if rows is None or rows < 0 else rows, columns, kind)
    most = min(base.MAX_ROWS, base.MAX_CELLS // columns) + 1
    encoding = {key: value for key, value in head.how.items() if key == "encoding"}
    raw = _call(content, kind, encoding, _conversions(head.meta) | {"row_limit": most})
    base.check_extent(len(raw.frame), columns, kind)
    return _Work(content, name, kind, raw).result(asked)


def _codec(asked: ReadOptions) -> dict[str, str]:
    return {"encoding": asked.encoding.upper()} if asked.encoding else {}


def _conversions(meta: Any) -> dict[str, Any]:
    """Dates as dates, months and quarters too, which the library leaves as seconds."""
    periods = sorted({form for form in _formats(meta).values() if _PERIODS.match(form)})
    return {"dates_as_pandas_datetime": True} | ({"extra_date_formats": periods} if periods else {})


def _without_dates(how: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in how.items() if "date" not in key}
    return kept | {"disable_datetime_conversion": True}


def _formats(meta: Any) -> dict[str, str]:
    return {name: str(form or "") for name, form in meta.original_variable_types.items()}


def _call(content: bytes, kind: FileKind, encoding: dict[str, str], how: Mapping[str, Any]) -> _Raw:
    """Read; in a western encoding if the stated one does not fit, without dates if one is impossible."""
    reader: Callable[..., Any] = getattr(pyreadstat, _KINDS[kind][1])
    marked = {"user_missing": True} if kind in ("spss", "stata", "sas") and "row_limit" in how else {}
    trouble: Exception | None = None
    for codec in [encoding] if encoding else [{}, {"encoding": WESTERN}]:
        for chosen in (how, _without_dates(how)):
            arguments = {**chosen, **codec}
            try:
                frame, meta = reader(io.BytesIO(content), **arguments, **marked)
                return _Raw(frame, meta, arguments)
            except DAMAGES as err:
                trouble = trouble or err
    raise ReadError(
        f"This is {_KINDS[kind][0]}, but it is damaged, was cut short or uses an unknown feature. Save it "
        "again in the program that made it, or save it there as CSV.",
        kind,
    ) from trouble


@dataclass(slots=True, eq=False)
class _Work:
    """One file on its way to a result: the frame is mended step by step, each step with its line."""

    content: bytes
    name: str
    kind: FileKind
    raw: _Raw

    def result(self, asked: ReadOptions) -> ReadResult:
        """The frame, its labels and meanings, and the lines that read the same."""
        meta = self.raw.meta
        notes = [*self._encoding_note(), *self._missing()]
        lines = self._times(notes)
        done = typed.plain(self.raw.frame)
        notes += done.notes
        lines += done.lines
        frame = done.frame
        given = [str(name) for name in frame.columns]
        names, name_notes = base.unique_names([name.strip() for name in given])
        if names != given:
            frame.columns = pd.Index(names)
            lines.append(f"data.columns = {base.literals(names)}")
        notes += [*name_notes, *self._counted()]
        return ReadResult(
            frame,
            replace(asked, encoding=self.raw.how.get("encoding")),
            tuple(notes),
            self._warnings(),
            self.kind,
            labels=dict(_labels(frame, meta, dict(zip(given, names, strict=True)))),
            meanings=_meanings(names, meta.column_labels or []),
            recipe=Recipe(
                f"pyreadstat.{_KINDS[self.kind][1]}",
                _arguments(self.raw.how),
                "data, meta",
                ("import pandas as pd", "import pyreadstat"),
                tuple(lines),
            ),
        )

    def _encoding_note(self) -> list[str]:
        if self.raw.how.get("encoding") != WESTERN:
            return []
        return ["The letters do not fit the encoding that the file states; it was read as Windows-1252."]

    def _warnings(self) -> tuple[str, ...]:
        if "disable_datetime_conversion" not in self.raw.how:
            return ()
        return (
            "A date in this file is too far away to be one, so that dates and times were left as the numbers "
            "that the file holds.",
        )

    def _missing(self) -> list[str]:
        """Take values marked as missing for missing; sentences that name them."""
        frame, meta = self.raw.frame, self.raw.meta
        notes = []
        for name in frame.columns:
            marked = _marked(frame[name], meta, str(name))
            if marked is None or not marked.any():
                continue
            codes = frame[name][marked].unique().tolist()
            frame[name] = frame[name].mask(marked)
            known = meta.variable_value_labels.get(name, {})
            notes.append(_marked_note(str(name), int(marked.sum()), codes, known))
        more = len(notes) - MOST_NOTES
        rest = [f"{more} more columns have values that the file marks as missing."] if more > 0 else []
        return notes[:MOST_NOTES] + rest

    def _times(self, notes: list[str]) -> list[str]:
        """Times of day and durations as seconds, read once more, for the library starts again after 24 h."""
        if "disable_datetime_conversion" in self.raw.how:
            return []
        columns = [name for name, form in _formats(self.raw.meta).items() if _TIMES.match(form)]
        if not columns:
            return []
        how = {key: value for key, value in self.raw.how.items() if key in ("encoding", "row_limit")}
        how |= {"usecols": columns, "disable_datetime_conversion": True}
        again = _call(self.content, self.kind, {}, how)
        for name in columns:
            self.raw.frame[name] = again.frame[name]
            notes.append(f"“{name}” is a time; it was read as a number of seconds.")
        chosen = base.literals(columns)
        asked = ", ".join([base.literal(self.name), *_arguments(how)])
        return [
            f"seconds, _ = pyreadstat.{_KINDS[self.kind][1]}({asked})",
            f"data[{chosen}] = seconds[{chosen}]",
        ]

    def _counted(self) -> list[str]:
        """Stata's months, quarters and so on are counts."""
        return [
            f"“{name}” counts {_COUNTS[form[:3]]} since the beginning of 1960."
            for name, form in _formats(self.raw.meta).items()
            if form[:3] in _COUNTS and self.kind == "stata"
        ]


def _arguments(how: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{key}={base.literals(value) if isinstance(value, list) else base.literal(value)}"
        for key, value in how.items()
        if key != "row_limit"
    )


def _labels(frame: pd.DataFrame, meta: Any, renamed: Mapping[str, str]) -> Iterator[tuple[str, Labels]]:
    """Labels by column, those of missing values left out."""
    for given, pairs in meta.variable_value_labels.items():
        name = renamed.get(given)
        if name is None or pd.api.types.is_datetime64_any_dtype(frame[name].dtype):
            continue
        text = not pd.api.types.is_numeric_dtype(frame[name].dtype)
        known: list[tuple[Code, str]] = [
            (code.strip() if isinstance(code, str) else float(code), label.strip())
            for code, label in pairs.items()
            if isinstance(code, str) is text and label.strip()
        ]
        if known:
            yield name, Labels.of(known, ordered=meta.variable_measure.get(given) == "ordinal")


def _marked(column: pd.Series, meta: Any, name: str) -> pd.Series | None:
    """Which values the file marks as missing: ranges in SPSS, letters in Stata and SAS."""
    letters = meta.missing_user_values.get(name)
    if letters:
        return column.isin(letters)
    ranges = meta.missing_ranges.get(name)
    if not ranges:
        return None
    marked = pd.Series(False, index=column.index)
    for each in ranges:
        lo, hi = each["lo"], each["hi"]
        if isinstance(lo, str) or isinstance(hi, str):
            marked |= column == str(lo).strip()
        elif pd.api.types.is_numeric_dtype(column.dtype):
            marked |= column.between(lo, hi)
    return marked


def _marked_note(name: str, count: int, codes: list[Any], labels: Mapping[Any, str]) -> str:
    """A sentence on the values of one column that the file marks as missing."""
    shown = [
        base.code_text(code) + (f" = {str(labels[code]).strip()}" if code in labels else "")
        for code in codes[:5]
    ]
    more = ", …" if len(codes) > 5 else ""
    values = "One value" if count == 1 else f"{count:,} values"
    return f"{values} of “{name}” marked as missing in the file: {', '.join(shown)}{more}."


def _meanings(names: list[str], labels: list[str | None]) -> dict[str, str]:
    return {
        name: label.strip()
        for name, label in zip(names, labels, strict=False)
        if label and label.strip() and label.strip() != name
    }
