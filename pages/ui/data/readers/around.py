"""Which rows of a file are left out around its table, and the sentences that say so. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.data.readers import base, layout
from pages.ui.data.readers.base import ReadOptions

SAMPLED = 200
WHERE = "under “How the file was read”"


@dataclass(frozen=True, slots=True)
class Around:
    """Rows of a column, the names' own first, that are no rows of the table.

    explained : right under the names;  below : at the end
    meanings  : what the first of the explanations says of each column, '' where it says nothing
    """

    explained: int = 0
    below: int = 0
    meanings: tuple[str, ...] = ()
    last: str = ""

    def notes(self) -> list[str]:
        """What was taken as an explanation."""
        if not self.explained:
            return []
        one = self.explained == 1
        rows = "The row under the names seems" if one else f"The {self.explained} rows under the names seem"
        kept = [meaning for meaning in self.meanings if meaning]
        return [
            f"{rows} to explain them ({base.listed(kept, 3, 'more')}), so the table begins below. If "
            f"{'it is' if one else 'they are'} data, set “Rows that explain the names” to 0 {WHERE}."
        ]

    def warnings(self) -> list[str]:
        """What was left out at the end."""
        if not self.last:
            return []
        remedy = f"data, set “Rows left out at the end” to 0 {WHERE}."
        if self.below == 1:
            return [
                f"The last row, “{self.last}”, seems to be no row of the table and was left out. If it is "
                f"{remedy}"
            ]
        return [
            f"The last {self.below} rows, from “{self.last}” on, seem to be no rows of the table and were "
            f"left out. If they are {remedy}"
        ]


def found(columns: Sequence[pa.ChunkedArray], header: bool, asked: ReadOptions) -> Around:
    """What is asked for, else what the rows show; `columns` are text, the row of names among them."""
    count = len(columns[0])
    explained, meanings = 0, cast("tuple[str, ...]", ())
    if header:
        first = _rows(columns, 1, SAMPLED)
        explained = layout.explanations(first) if asked.explained is None else asked.explained
        explained = max(min(explained, count - 2), 0)
        meanings = tuple(cell.strip() for cell in first[0]) if explained else ()
    start = header + explained
    last = _rows(columns, max(start + layout.FEWEST, count - layout.MOST_BELOW), layout.MOST_BELOW)
    below = (
        layout.below(last, lambda place, cell: _times(columns[place], cell))
        if asked.below is None
        else asked.below
    )
    below = max(min(below, count - start - 1), 0)
    names = [cell for row in last[len(last) - below :] for cell in row if cell][:1] if below else []
    said = names[0] if names and asked.below is None else ""
    return Around(explained, below, meanings, said)


def _rows(columns: Sequence[pa.ChunkedArray], start: int, most: int) -> list[list[str]]:
    cut = [column.slice(start, most).to_pylist() for column in columns]
    return [[cell.strip() for cell in row] for row in zip(*cut, strict=True)]


def _times(column: pa.ChunkedArray, cell: str) -> int:
    return pc.sum(pc.equal(pc.utf8_trim_whitespace(column), cell)).as_py() or 0
