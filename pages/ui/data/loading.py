"""The lines of a script that load the very table that the Data page shows. Pure.

A reader says how its kind of file is read (`Recipe`); here follows what was decided about the columns: what
stands for a missing value, labels, and kinds that a script would not find by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pyarrow.compute as pc

from pages.ui.data import columns, parsing
from pages.ui.data.columns import Column, Settled
from pages.ui.data.readers.base import Labels, code_text, literal, literals
from pages.ui.data.sources import Choices, Source

PASTED_FILE = "pasted.txt"
GUESSING = ("pd.read_csv", "pd.read_excel")
"""Functions that find types and missing values by themselves."""
LONG = 1e15
"""From here on pandas may read as a whole number what is a number here."""
PANDAS_MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""What pandas takes for missing unless told otherwise."""
_TRUTHS = {"true": True, "false": False}


def lines(source: Source, settled: Settled, choices: Choices) -> tuple[str, ...]:
    """Imports, then the lines that make `data`; none for an example."""
    if source.is_example:
        return ()
    recipe = source.recipe
    work = [
        _Work(column, source.frame[column.name], settled.frame[column.name], source, choices)
        for column in settled.columns
    ]
    pasted = source.origin.startswith("paste:")
    arguments = [literal(PASTED_FILE if pasted else source.name), *recipe.arguments]
    if recipe.call in GUESSING:
        arguments += _missing(settled, choices)
        texts = [f'{literal(each.column.name)}: "str"' for each in work if each.is_kept_text]
        arguments += [f"dtype={{{', '.join(texts)}}}"] if texts else []
    body = [f"# The pasted cells, saved as {PASTED_FILE}."] if pasted else []
    body.append(f"{recipe.target} = {recipe.call}({', '.join(arguments)})")
    body += [*recipe.after, *(line for each in work for line in each.lines())]
    return (*recipe.imports, *body)


def _missing(settled: Settled, choices: Choices) -> list[str]:
    """What stands for a missing value, unless that is what pandas takes for one anyway."""
    met = {code for column in settled.columns for code in column.by_code}
    unusual = PANDAS_MISSING - set(choices.missing)
    kept = any(
        settled.frame[column.name].isin(unusual).any()
        for column in settled.columns
        if column.kind in ("category", "ordered")
    )
    if met <= PANDAS_MISSING and not kept:
        return []
    return [f"na_values={literals(choices.missing)}", "keep_default_na=False"]


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """One column: as read, as settled, and what lies between."""

    column: Column
    raw: pd.Series
    typed: pd.Series
    source: Source
    choices: Choices

    @property
    def guessing(self) -> bool:
        """Whether pandas finds types by itself in this kind of file."""
        return self.source.recipe.call in GUESSING

    @property
    def is_text(self) -> bool:
        """Whether the column was read as text."""
        return isinstance(self.raw.dtype, pd.StringDtype)

    @property
    def is_kept_text(self) -> bool:
        """Whether pandas would take text that is meant for numbers or truth values."""
        if not self.is_text or self.column.kind == "number":
            return False
        return not (self.column.kind == "yes_no" and self._says_truth()) and self._looks_typed()

    def _values(self, most: int | None = None) -> list[str]:
        """Different texts that stand for no missing value."""
        raw = self.raw if most is None else self.raw.iloc[:most]
        found = pc.unique(columns.as_text(raw)).to_pylist()
        return [text for text in found if text is not None and text not in self.choices.missing]

    def _looks_typed(self) -> bool:
        return all(
            pd.to_numeric(pd.Series(some, dtype="str"), errors="coerce").notna().all()
            or {text.lower() for text in some} <= set(_TRUTHS)
            for some in (self._values(100), self._values())
        )

    def _says_truth(self) -> bool:
        return {text.lower() for text in self._values()} <= set(_TRUTHS)

    @property
    def at(self) -> str:
        """The column in a script."""
        return f"data[{literal(self.column.name)}]"

    def lines(self) -> Iterator[str]:
        """What makes the column as read the column as settled."""
        if self.is_text and self.column.name in self.source.recipe.trimmed:
            yield from self._trimmed()
        labels = self.source.labels.get(self.column.name)
        if labels is not None and isinstance(self.typed.dtype, pd.CategoricalDtype):
            yield self._labelled(labels)
        elif isinstance(self.raw.dtype, pd.CategoricalDtype):
            yield from self._levels()
        else:
            yield from self._without_codes()
            yield from self._kind()

    def _labelled(self, labels: Labels) -> str:
        names = dict(labels.pairs)
        codes = sorted(self.raw.dropna().unique().tolist())
        levels = set(self.typed.cat.categories)
        pairs = [(code, names.get(code, code_text(code))) for code in codes]
        known = ", ".join(
            f"{literal(code) if isinstance(code, str) else code_text(code)}: {literal(label)}"
            for code, label in pairs
            if label in levels
        )
        return f"{self.at} = {self._categorical(f'{self.at}.map({{{known}}})')}"

    def _categorical(self, values: str) -> str:
        levels = literals(self.typed.cat.categories)
        ordered = ", ordered=True" if self.typed.cat.ordered else ""
        return f"pd.Categorical({values}, categories={levels}{ordered})"

    def _levels(self) -> Iterator[str]:
        """A column that is a category in the file."""
        if not isinstance(self.typed.dtype, pd.CategoricalDtype):
            yield f'{self.at} = {self.at}.astype("str")'
            yield from self._kind()
            return
        if (
            self.guessing
        ):  # a sheet has no categories but yes / no with blank cells, which pandas reads as 1 and 0
            values = f"{self.at}.map({{1: True, 0: False}})"
            yield f"{self.at} = pd.Categorical({values}, categories=[False, True])"
        gone = [level for level in self.raw.cat.categories if level not in self.typed.cat.categories]
        if gone:
            yield f"{self.at} = {self.at}.cat.remove_categories({literals(gone)})"
        if self.typed.cat.ordered != self.raw.cat.ordered:
            yield f"{self.at} = {self.at}.cat.as_{'' if self.typed.cat.ordered else 'un'}ordered()"

    def _without_codes(self) -> Iterator[str]:
        codes = self.column.by_code
        if self.guessing or not codes:
            return
        yield self._masked()

    def _trimmed(self) -> Iterator[str]:
        """Pandas looks for what stands for missing before the spaces are gone."""
        if self.column.kind != "number":
            yield f"{self.at} = {self.at}.str.strip()"
        if any(code not in PANDAS_MISSING for code in self.column.by_code):
            yield self._masked()

    def _masked(self) -> str:
        codes = list(self.column.by_code)
        if self.column.kind == "number" and (self.guessing or not self.is_text):
            shown = f"[{', '.join(code for code in codes if re.match(parsing.NUMBER, code))}]"
        else:
            shown = literals(codes) if self.is_text else f"[{', '.join(codes)}]"
        return f"{self.at} = {self.at}.mask({self.at}.isin({shown}))"

    def _kind(self) -> Iterator[str]:
        kind = self.column.kind
        present = "category" if self.is_text else columns.kind_of(self.raw)
        if kind == "number" and present != "number":
            yield from self._number()
        elif kind in ("date", "days"):
            yield from self._date(present == "date")
        elif kind == "yes_no" and present != "yes_no":
            yield from self._yes_no()
        elif kind in ("category", "ordered"):
            if not self.is_text or self._is_mixed():
                yield self._as_text()
            if kind == "ordered":
                yield f"{self.at} = {self._categorical(self.at)}"

    def _is_mixed(self) -> bool:
        """Whether the column is text because its cells are of several types."""
        return self.source.kind == "workbook" and not self._is_worded()

    def _is_worded(self) -> bool:
        """Whether no text looks like a number, date or truth value."""
        typed_text = rf"{parsing.NUMBER}|{parsing.ISO}|^(?i:true|false)$"
        return not any(re.match(typed_text, text) for text in self._values())

    def _as_text(self) -> str:
        whole = '.astype("Int64")' if columns.is_whole(self.raw) else ""
        return f'{self.at} = {self.at}{whole}.astype("str")'

    def _number(self) -> Iterator[str]:
        values = columns.without_codes(columns.as_text(self.raw), self.choices.missing)[0]
        signs = parsing.signs(values)
        if self.guessing and self.is_text and not self.column.lost and not signs:
            if self.typed.dtype == "float64" and self.typed.abs().max() >= LONG:
                yield f'{self.at} = {self.at}.astype("float64")'
            return
        options, text = self.source.options, f'{self.at}.astype("str")'
        if signs:
            text += f'.str.replace(r"{parsing.AROUND}", "", regex=True)'
        if parsing.MINUS in signs:
            text += f'.str.replace("{parsing.MINUS}", "-")'
        if options.thousands:
            text += f'.str.replace({literal(options.thousands)}, "")'
        if options.decimal == ",":
            text += '.str.replace(",", ".")'
        lost = ', errors="coerce"' if self.column.lost else ""
        yield f"{self.at} = pd.to_numeric({text}{lost})"

    def _date(self, is_date: bool) -> Iterator[str]:
        if not is_date:
            if not self.is_text:
                yield self._as_text()
            values = columns.without_codes(columns.as_text(self.raw), self.choices.missing)[0]
            lost = ', errors="coerce"' if self.column.lost else ""
            pattern = literal(parsing.date_format(values) or "ISO8601")
            yield f"{self.at} = pd.to_datetime({self.at}, format={pattern}{lost})"
        if self.column.kind == "days":
            whole = '.astype("int64")' if self.typed.dtype == "int64" else ""
            yield f"{self.at} = (({self.at} - {self.at}.min()).dt.total_seconds() / 86_400){whole}"

    def _yes_no(self) -> Iterator[str]:
        if self.guessing and self._says_truth():
            if self.column.missing:
                yield f"{self.at} = pd.Categorical({self.at}, categories=[False, True])"
            return
        known = parsing.YES | parsing.NO
        meant = {text: text.lower() in parsing.YES for text in self._values() if text.lower() in known}
        text = f'{self.at}.astype("str").map({meant!r})'
        if isinstance(self.typed.dtype, pd.CategoricalDtype):
            text = f"pd.Categorical({text}, categories=[False, True])"
        yield f"{self.at} = {text}"
