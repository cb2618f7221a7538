"""What stands around the table in a file: titles above the names, explanations below them, totals. Pure.

People keep such rows for other people. Each is left out only where the rows of the table show that it is none
of them, each is said, and each can be taken back by a number among the options of the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

Row = Sequence[str]
SEARCHED = 30
"""Rows in which the names are looked for."""
MOST_EXPLAINED = 3
MOST_BELOW = 15
FEWEST = 3
"""Rows that a table must have before anything around it can be told from it."""
FILLED = 0.6
"""A row of names names at least this share of the columns."""
MOSTLY = 0.8
NUMBER = re.compile(r"[+\-\u2212]?(\d[\d.,' \u00a0]*|[.,]\d+)([eE][+-]?\d+)?\s?%?")
MISSING = frozenset(("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", ".", "-", "#N/A", "#NV"))
TOTAL = re.compile(
    r"(grand |sub)?totals?|sum|mean|average|avg\.?|median|sd|std\.?( ?dev\.?)?|standard deviation|summe"
    r"|gesamt(summe|ergebnis)?|insgesamt|mittelwert|durchschnitt|mw|somme|moyenne|promedio|media|totaal"
    r"|totale|gemiddelde",
    re.IGNORECASE,
)
FOOTNOTE = re.compile(
    r"[*†©].*|(sources?|notes?|quellen?|anm\w*|hinweise?|stand|legend|legende)\b.*|(\S+\s+){3,}\S+",
    re.IGNORECASE | re.DOTALL,
)


def names_row(rows: Sequence[Row]) -> int:
    """Which of the first rows, blank ones left out, holds the names: 0 unless titles stand above them."""
    if len(rows) <= FEWEST:
        return 0
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if width < 2:
        return 0
    if len(rows[0]) == width and _filled(rows[0]) >= FILLED * width:
        return int(is_heading(rows))
    for position, row in enumerate(rows[1:SEARCHED], start=1):
        if len(row) == width and _are_names(row) and _numeric(rows[position + 1 :], width):
            return position
        if _filled(row) >= FILLED * width and any(map(_is_number, row)):
            return 0  # the rows have begun
    return 0


def is_heading(rows: Sequence[Row]) -> bool:
    """Whether the first row holds headings over several columns each, and the second row the names."""
    return (
        len(rows) > 1
        and is_over(rows[0], rows[1])
        and _are_names(rows[1])
        and bool(_numeric(rows[2:], len(rows[1])))
    )


def is_over(heading: Row, names: Row) -> bool:
    """Whether a row has a gap where the row below it has names."""
    return len(heading) == len(names) and 1 < _filled(heading) < _filled(names)


def joined(heading: Row, names: Row) -> list[str]:
    """The names; those that repeat with their heading before them."""
    times, over, found = Counter(names), "", []
    for above, name in zip(heading, names, strict=True):
        over = above or over
        found.append(f"{over} {name}" if over and name and times[name] > 1 else name)
    return found


def explanations(rows: Sequence[Row]) -> int:
    """How many rows right under the names (not among `rows`) explain them: units, full questions, codes.

    Such a row has words where at least two columns hold numbers, and repeats no label of the others.
    """
    found = 0
    while found < min(MOST_EXPLAINED, len(rows) - FEWEST) and _explains(rows[found], rows[found + 1 :]):
        found += 1
    return found


def below(rows: Sequence[Row], times: Callable[[int, str], int]) -> int:
    """How many of the last rows are no rows of the table: blank ones, totals, means and footnotes.

    times : how often a column (by its place) holds a value; a label that others share is no total
    """
    found = 0
    for row in reversed(rows[-MOST_BELOW:]):
        if any(row) and not _is_total(row, times) and not _is_footnote(row):
            break
        found += 1
    return found


def _filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_number(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell.strip()))


def _are_names(row: Row) -> bool:
    named = [cell for cell in row if cell.strip()]
    return len(named) >= FILLED * len(row) and not any(map(_is_number, named))


def _numeric(rows: Sequence[Row], width: int) -> list[int]:
    """The columns in which most values are numbers."""
    if len(rows) < FEWEST:
        return []
    found = []
    for place in range(width):
        present = [row[place] for row in rows if len(row) == width and row[place].strip() not in MISSING]
        if len(present) >= FEWEST and sum(map(_is_number, present)) >= MOSTLY * len(present):
            found.append(place)
    return found


def _explains(row: Row, others: Sequence[Row]) -> bool:
    numeric = _numeric(others, len(row))
    words = [row[place].strip() for place in numeric]
    if any(_is_number(word) or (word and word in MISSING) for word in words):
        return False
    if sum(map(bool, words)) < 2:
        return False
    labels = [place for place in range(len(row)) if place not in numeric and row[place].strip()]
    return not any(
        row[place] == other[place] for place in labels for other in others if len(other) == len(row)
    )


def _is_total(row: Row, times: Callable[[int, str], int]) -> bool:
    place = next(place for place, cell in enumerate(row) if cell)
    return place < 2 and bool(TOTAL.fullmatch(row[place].rstrip(": "))) and times(place, row[place]) == 1


def _is_footnote(row: Row) -> bool:
    return len(row) > 2 and _filled(row) == 1 and bool(row[0]) and bool(FOOTNOTE.fullmatch(row[0]))
