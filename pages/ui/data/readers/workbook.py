"""Excel and OpenDocument workbooks → a frame: the sheet, the row of names, blank and merged cells. Pure."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from pages.ui.data.readers import around as surroundings
from pages.ui.data.readers import base, cells, layout
from pages.ui.data.readers.around import Around
from pages.ui.data.readers.base import PASSWORD, ReadError, ReadOptions, ReadResult, Recipe, literal, literals
from pages.ui.data.readers.cells import Cell

HEADER_SEARCHED = 50
"""Rows in which the names are looked for; a title, a date and a logo come first in many sheets."""
FILLED = 0.6
"""A row of names names at least this share of the columns."""
MUCH = 10
"""So many times the cells of the first sheet make another one the table."""
MOST_CELLS = 20_000_000
DAMAGED = (
    "This is a workbook, but it is damaged, was cut short or is none that can be read. Save it again in the "
    "spreadsheet program, or save the sheet as CSV."
)
DAMAGES = (CalamineError, ValueError, OSError, OverflowError)
_Merge = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """The cells of one sheet from its corner on, its merged cells as (first, last), and all sheets' names."""

    name: str
    rows: list[list[Cell]]
    merged: list[_Merge]
    sheets: tuple[str, ...]


def read(content: bytes, asked: ReadOptions) -> ReadResult:
    """The table on one sheet of a workbook. Raises ReadError."""
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            sheet = _sheet(book, asked.sheet)
    except ReadError:
        raise
    except PasswordError as err:
        raise ReadError(PASSWORD, "workbook") from err
    except DAMAGES as err:  # the library may also seek before the beginning of a damaged file
        raise ReadError(DAMAGED, "workbook") from err
    except BaseException as err:
        # A panic of the library is no Exception, and its class cannot be imported.
        if type(err).__name__ != "PanicException":
            raise
        raise ReadError(DAMAGED, "workbook") from err
    return _Work(sheet, asked).result()


def _sheet(book: CalamineWorkbook, asked: str | None) -> _Sheet:
    """The sheet asked for, else the first visible one with a table, not a page about it."""
    known = [each for each in book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    sheets = tuple(each.name for each in known)
    seen = [each.name for each in known if each.visible == SheetVisibleEnum.Visible]
    chosen = [asked] if asked in sheets else [*seen, *(name for name in sheets if name not in seen)]
    filled = [found for name in chosen if (found := book.get_sheet_by_name(str(name))).start is not None]
    shown = [found for found in filled if found.name in seen] or filled
    if shown:
        found = _main(shown)
        name = found.name
        if found.total_height * found.total_width > MOST_CELLS:
            raise ReadError(
                f"The sheet “{name}” has {found.total_height:,} rows and {found.total_width:,} columns; the "
                f"limit for a workbook is {MOST_CELLS:,} cells. Save the sheet as CSV.",
                "workbook",
                sheets,
            )
        rows = found.to_python(skip_empty_area=False)
        return _Sheet(str(name), rows, list(found.merged_cell_ranges or []), sheets)
    blank = f"The sheet “{asked}” is blank." if asked in sheets else "The workbook is blank."
    raise ReadError(blank, "workbook", sheets)


def first_row(rows: Sequence[Sequence[Cell]]) -> int:
    """Where the names stand: the first row in which nearly as many cells are filled as in any."""
    filled = [len(row) - row.count("") for row in rows[:HEADER_SEARCHED]]
    found = next(i for i, count in enumerate(filled) if count and count >= FILLED * max(filled))
    if any(filled[found + 1 :]) or len(rows) > HEADER_SEARCHED:
        return found
    return next(i for i, count in enumerate(filled) if count)


def _main(sheets: Sequence[CalamineSheet]) -> CalamineSheet:
    """The first sheet, unless another one is so much larger that the first can only be about it."""
    size = {sheet.name: sheet.height * sheet.width for sheet in sheets}
    largest = max(sheets, key=lambda sheet: size[sheet.name])
    return largest if size[largest.name] >= MUCH * size[sheets[0].name] else sheets[0]


@dataclass(slots=True, eq=False)
class _Work:
    """One sheet on its way to a result."""

    sheet: _Sheet
    asked: ReadOptions
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def result(self) -> ReadResult:
        """The frame, what was left out of the sheet, and the lines that read the same."""
        rows = self.sheet.rows
        header = self.asked.header is not False
        top = min(self.asked.header_row - 1, len(rows) - 1) if self.asked.header_row else self._top(header)
        given = self._given(top) if header else [""] * len(rows[top])
        body = range(top + header, len(rows))
        kept = [row for row in body if rows[row].count("") < len(rows[row])]
        around = self._around(kept, given, header)
        last = kept[len(kept) - around.below] if around.below else len(rows)
        kept = kept[around.explained : len(kept) - around.below]
        body = range(top + header, last)
        columns = [c for c, name in enumerate(given) if name or any(rows[row][c] != "" for row in kept)]
        base.check_extent(len(kept), len(columns), "workbook", self.sheet.sheets)
        names = self._names([given[c] for c in columns], header)
        self._say(top, header, len(body) - len(kept) - around.explained, self._inner_blank(columns))
        self.notes += around.notes()
        self.warnings += around.warnings()
        lines = self._merged(kept, columns, names)
        arguments = self._arguments(top, header, columns, names, given)
        out = sorted({*body}.difference(kept))
        arguments += (f"skiprows={out}",) if out else ()
        arguments += (f"nrows={len(kept)}",) if around.below else ()
        frame = pd.DataFrame(
            {
                name: cells.column([rows[row][c] for row in kept])
                for name, c in zip(names, columns, strict=True)
            }
        )
        return ReadResult(
            frame,
            replace(
                self.asked,
                sheet=self.sheet.name,
                header=header,
                header_row=top + 1,
                explained=around.explained,
                below=around.below,
            ),
            tuple(self.notes),
            tuple(self.warnings),
            "workbook",
            self.sheet.sheets,
            meanings=self._meanings(around, columns, names),
            recipe=Recipe("pd.read_excel", (*arguments, 'engine="calamine"'), after=tuple(lines)),
        )

    def _top(self, header: bool) -> int:
        """The row of the names; where headings stand over names, the lower row."""
        top = first_row(self.sheet.rows)
        near = self._words(range(top, min(top + surroundings.SAMPLED, len(self.sheet.rows))))
        return top + (header and layout.is_heading(near))

    def _given(self, top: int) -> list[str]:
        """The names; a name that repeats has its heading before it."""
        names = self._words([top])[0]
        over = self._words([top - 1])[0] if top else []
        return layout.joined(over, names) if layout.is_over(over, names) else names

    def _words(self, rows: Sequence[int]) -> list[list[str]]:
        return [[cells.text(cell) for cell in self.sheet.rows[row]] for row in rows]

    def _around(self, kept: list[int], given: list[str], header: bool) -> Around:
        """Rows around the table; far inside it they cannot be, so that few cells become text."""
        near = [*kept[: surroundings.SAMPLED], *kept[surroundings.SAMPLED :][-layout.MOST_BELOW :]]
        words = [*([given] if header else []), *self._words(near)]
        columns = [pa.chunked_array([list(column)], pa.string()) for column in zip(*words, strict=True)]
        return surroundings.found(columns, header, self.asked)

    def _meanings(self, around: Around, columns: list[int], names: list[str]) -> dict[str, str]:
        if not around.meanings:
            return {}
        return {
            name: around.meanings[c] for name, c in zip(names, columns, strict=True) if around.meanings[c]
        }

    def _names(self, given: list[str], header: bool) -> list[str]:
        if not header:
            return [f"column {position}" for position in range(1, len(given) + 1)]
        names, notes = base.unique_names(given)
        self.notes += notes
        return names

    def _inner_blank(self, columns: list[int]) -> int:
        return columns[-1] - columns[0] + 1 - len(columns)

    def _say(self, top: int, header: bool, blank_rows: int, blank_columns: int) -> None:
        """Sentences on what of the sheet is not in the table."""
        others = [name for name in self.sheet.sheets if name != self.sheet.name]
        if others:
            self.notes.append(f"The sheet “{self.sheet.name}” was read. Others: {base.listed(others)}.")
        if top:
            what = "The names stand" if header else "The table begins"
            self.notes.append(f"{what} in row {top + 1}; what is above was left out.")
        if blank_rows:
            rows = "One blank row was" if blank_rows == 1 else f"{blank_rows:,} blank rows were"
            self.notes.append(f"{rows} left out.")
        if blank_columns:
            some = "One blank column was" if blank_columns == 1 else f"{blank_columns:,} blank columns were"
            self.notes.append(f"{some} left out.")
        heading = [cell for cell in self.sheet.rows[top] if cell != ""]
        if header and self.asked.header is None and all(isinstance(cell, int | float) for cell in heading):
            self.warnings.append(
                "The row of names holds only numbers. If it is data, switch “First row holds the names” off "
                "under “How the file was read”."
            )

    def _arguments(
        self, top: int, header: bool, columns: list[int], names: list[str], given: list[str]
    ) -> tuple[str, ...]:
        arguments = []
        if self.sheet.sheets[0] != self.sheet.name:
            arguments.append(f"sheet_name={literal(self.sheet.name)}")
        if not header:
            arguments.append("header=None")
            arguments += [f"skiprows={top}"] if top else []
        elif top:
            arguments.append(f"header={top}")
        if columns != list(range(len(given))):
            arguments.append(f"usecols={columns}")
        written = [cells.text(self.sheet.rows[top][c]) for c in columns]
        if names != written or self._numbers_as_names(top, columns):
            arguments.append(f"names={literals(names)}")
        return tuple(arguments)

    def _numbers_as_names(self, top: int, columns: list[int]) -> bool:
        row = self.sheet.rows[top]
        return any(row[c] != cells.text(row[c]) for c in columns)

    def _merged(self, kept: list[int], columns: list[int], names: list[str]) -> list[str]:
        """Give every row that a merged cell covers its value; the lines that do so too."""
        rows, place = self.sheet.rows, {row: i for i, row in enumerate(kept)}
        found: dict[str, list[tuple[int, int]]] = {}
        for (r0, c0), (r1, c1) in self.sheet.merged:
            covered = [row for row in range(r0, min(r1 + 1, len(rows))) if row in place]
            if c0 != c1 or c0 not in columns or r0 not in place or len(covered) < 2 or rows[r0][c0] == "":
                continue
            for row in covered[1:]:
                rows[row][c0] = rows[r0][c0]
            found.setdefault(names[columns.index(c0)], []).append((place[r0], place[covered[-1]]))
        if found:
            self.notes.append(
                f"Merged cells in {base.listed(list(found))}: each row that they cover got their value."
            )
        return [
            f"data.loc[{a}:{b}, {literal(name)}] = data.loc[{a}, {literal(name)}]"
            for name, spans in found.items()
            for a, b in spans
        ]
