"""From one row a person with several columns to one row a measurement: wide → long. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import ClassVar

import numpy as np
import pandas as pd

from pages.ui.data.recipe.step import (
    Step,
    StepError,
    called,
    check_new,
    column,
    kind,
    literal,
    several,
    shown,
)

SEPARATORS = " _.-"
MOST_CELLS = 40_000_000
_UNIT = re.compile(r"[\s_.\-]+(t|time|w|wave|day|d|v|visit|week|m|month|y|year)$", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<stem>.*?)[\s_.\-]*(?P<number>\d{1,9})$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing measured several times: the new column `name` takes the values of `columns`, in turn."""

    kind: ClassVar[str] = "measure"
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lengthen(Step):
    """Each row becomes one row a time.

    measures : all with as many columns as there are times
    time     : name of the new column that says which time; `times` its values, all numbers or all text
    row_id   : name of a new column that numbers the rows there were; '' for none
    """

    kind: ClassVar[str] = "lengthen"
    measures: tuple[Measure, ...]
    time: str
    times: tuple[float, ...] | tuple[str, ...]
    row_id: str = ""

    def describe(self) -> str:
        """What becomes what."""
        said = "; ".join(f"{several(each.columns)} → {called(each.name)}" for each in self.measures)
        times = [called(each) if isinstance(each, str) else shown(each) for each in self.times]
        listed = ", ".join(times[:4]) + (" …" if len(times) > 4 else "")
        row = f" {called(self.row_id)} numbers the rows there were." if self.row_id else ""
        return f"Wide to long: {said}, with {called(self.time)} = {listed}.{row}"

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One row for each row and time, in that order, numbered from 0."""
        self._check(frame)
        wide = frame
        if self.row_id:
            wide = wide.assign(**{self.row_id: range(1, len(wide) + 1)})
        count, times = len(wide), len(self.times)
        # Long rows by their place when the columns stand one below the other: row by row, then time by time.
        order = np.arange(count * times).reshape(times, count).T.ravel()
        places = np.argsort(wide.index, kind="stable")
        long = wide.drop(columns=self._taken()).take(np.repeat(places, times)).reset_index(drop=True)
        columns = {self.time: np.tile(self._whens(), count)} | {
            each.name: pd.concat([wide[name].take(places) for name in each.columns], ignore_index=True)
            .take(order)
            .reset_index(drop=True)
            for each in self.measures
        }
        return long.assign(**columns)

    def _taken(self) -> list[str]:
        return [name for each in self.measures for name in each.columns]

    def _whens(self) -> list[float | int | str]:
        """The times; whole numbers as such when all are."""
        whens: list[float | int | str] = list(self.times)
        if all(isinstance(each, float) and each.is_integer() for each in whens):
            return [int(each) for each in whens]
        return whens

    def _check(self, frame: pd.DataFrame) -> None:
        if not self.measures or len(self.times) < 2:
            raise StepError("Choose at least two columns that hold the same thing at different times.")
        if len(set(self.times)) < len(self.times):
            raise StepError("Each column needs a time of its own.")
        taken = self._taken()
        if len(set(taken)) < len(taken):
            raise StepError("A column can be used only once.")
        for each in self.measures:
            self._check_measure(frame, each)
        made = [self.time, *(each.name for each in self.measures), *filter(None, [self.row_id])]
        if len(set(made)) < len(made):
            raise StepError("The new columns need different names.")
        rest = frame.drop(columns=taken)
        for name in made:
            check_new(rest, name)
        cells = len(frame) * len(self.times) * (rest.shape[1] + len(made))
        if cells > MOST_CELLS:
            raise StepError(
                f"The long table would have {cells:,} cells; {MOST_CELLS:,} are the most. Leave out columns "
                "that you do not need."
            )

    def _check_measure(self, frame: pd.DataFrame, measure: Measure) -> None:
        if len(measure.columns) != len(self.times):
            raise StepError(
                f"{called(measure.name)} has {len(measure.columns)} columns for {len(self.times)} times."
            )
        columns = [column(frame, name) for name in measure.columns]
        first = kind(columns[0])
        for series in columns[1:]:
            if kind(series) != first:
                raise StepError(
                    f"{called(columns[0].name)} and {called(series.name)} are of different types, so "
                    "they cannot stand in one column. Set their types under Columns first."
                )
            if isinstance(columns[0].dtype, pd.CategoricalDtype) and series.dtype != columns[0].dtype:
                raise StepError(
                    f"{called(columns[0].name)} and {called(series.name)} have different levels. Set "
                    "the type of both to category (text) under Columns first."
                )

    def lines(self) -> tuple[str, ...]:
        """A concatenation of one table a time."""
        lines = ["import pandas as pd"]
        if self.row_id:
            lines.append(f"data = data.assign(**{{{literal(self.row_id)}: range(1, len(data) + 1)}})")
        lines.append(f"rest = data.drop(columns={literal(self._taken())})")
        parts = []
        for place, when in enumerate(self._whens()):
            values = [f"{literal(each.name)}: data[{literal(each.columns[place])}]" for each in self.measures]
            parts.append(
                f"    rest.assign(**{{{', '.join([f'{literal(self.time)}: {literal(when)}', *values])}}}),"
            )
        joined = "\n".join(["data = pd.concat([", *parts, "])"])
        return (*lines, f'{joined}.sort_index(kind="stable", ignore_index=True)')


# --- what the names of columns suggest -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Family:
    """Columns whose names differ in their last number only: score_1, score_2, score_3."""

    stem: str
    columns: tuple[str, ...]
    times: tuple[float, ...]


def families(frame: pd.DataFrame) -> list[Family]:
    """Families of at least two columns of one kind, in the order of their times."""
    found: dict[tuple[str, str], dict[float, str]] = {}
    for name in map(str, frame.columns):
        match = _NUMBERED.match(name)
        if match:
            members = found.setdefault((match["stem"], kind(frame[name])), {})
            members.setdefault(float(match["number"]), name)
    return [
        Family(stem, tuple(members[when] for when in sorted(members)), tuple(sorted(members)))
        for (stem, _), members in found.items()
        if len(members) > 1
    ]


LIKELY = range(3, 31)
"""So many numbered columns of numbers may be one thing at several times; more are rather items."""


def likely_long(frame: pd.DataFrame) -> Lengthen | None:
    """The step that makes a long table of one that looks wide, a row a person; None where it does not."""
    known = [f for f in families(frame) if len(f.columns) in LIKELY and kind(frame[f.columns[0]]) == "number"]
    if not known:
        return None
    first = max(known, key=lambda family: len(family.columns))
    together = [family for family in known if family.times == first.times]
    taken = [name for family in together for name in family.columns]
    left = {str(name) for name in frame.columns} - set(taken)
    measures = []
    for family in together:
        name = _free(_UNIT.sub("", stem_of(family.columns)) or stem_of(family.columns), left)
        left.add(name)
        measures.append(Measure(name, family.columns))
    time = _free("time", left)
    row_id = "" if identifies(frame, taken) else _free("person", left | {time})
    return Lengthen(tuple(measures), time, first.times, row_id)


def _free(name: str, taken: set[str]) -> str:
    number = 2
    found = name
    while found in taken:
        found, number = f"{name} ({number})", number + 1
    return found


def times_of(columns: Sequence[str]) -> tuple[float, ...] | tuple[str, ...]:
    """The times that names end in, when all do and they differ; else what they do not share; else them."""
    numbers = [_NUMBERED.match(name) for name in columns]
    found = tuple(float(match["number"]) for match in numbers if match)
    if len(found) == len(columns) and len(set(found)) == len(found):
        return found
    start = len(_shared(columns))
    ends = [name[start:] for name in columns]
    end = len(_shared([name[::-1] for name in ends]))
    parts = tuple(name[: len(name) - end].strip(SEPARATORS) for name in ends)
    return parts if all(parts) and len(set(parts)) == len(parts) else tuple(columns)


def stem_of(columns: Sequence[str]) -> str:
    """What names have in common at their beginning, to name the values by; 'value' when nothing."""
    found = [_NUMBERED.match(name) for name in columns]
    stems = {match["stem"] if match else None for match in found}
    common = stems.pop() if len(stems) == 1 else None
    return (_shared(columns) if common is None else common).strip(SEPARATORS) or "value"


def _shared(names: Sequence[str]) -> str:
    """The whole words, up to a separator, with which all names begin."""
    # Words, not letters: morning and evening do not share "ning".
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(min(names), max(names), strict=False))
    beginning = "".join(one for one, _ in pairs)
    return beginning[
        : max((place + 1 for place, sign in enumerate(beginning) if sign in SEPARATORS), default=0)
    ]


def identifies(frame: pd.DataFrame, measured: Sequence[str]) -> bool:
    """Whether a column besides the measured ones tells every row apart, and no value of it is missing."""
    rest = [name for name in frame.columns if name not in set(measured)]
    return any(frame[name].is_unique and frame[name].notna().all() for name in rest)
