"""What people write around a table is left out, said, and can be taken back; rows of the table never go."""

from __future__ import annotations

import io
import string

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui.data.readers import layout
from pages.ui.data.readers.base import ReadOptions, ReadResult
from pages.ui.data.reading import read
from tests.pages import files

NAMES = "school,hours,score"
ROWS = ["A,1.5,50", "A,2.5,51", "B,0,49.5", "B,4,60", "C,3,55"]
TITLES = ["Reading study 2023", "by Anna, Bo and others; 2024-01-05", "", ""]


def text(*lines: str) -> ReadResult:
    return read("d.csv", "\n".join(lines).encode())


def table(result: ReadResult) -> list[str]:
    return result.frame.to_csv(index=False).splitlines()


def test_titles_above_the_names_are_left_out_and_said() -> None:
    found = text(*TITLES, NAMES, *ROWS)
    assert table(found) == [NAMES, *ROWS]
    assert found.options.header_row == 5
    assert "The names stand on line 5; what is above was left out." in found.notes


@pytest.mark.parametrize("above", [["Study,,"], ["Study,,", ",,"], ["a, b and c", "d; e"]])
def test_titles_may_have_as_many_separators_as_the_rows_or_others(above: list[str]) -> None:
    assert table(text(*above, NAMES, *ROWS)) == [NAMES, *ROWS]


def test_headings_stand_before_names_that_repeat() -> None:
    rows = ["1,2,3,4,5", "2,3,4,5,6", "3,4,5,6,7"]
    found = text(",Reading,,Maths,", "school,pre,post,pre,post", *rows)
    assert list(found.frame) == ["school", "Reading pre", "Reading post", "Maths pre", "Maths post"]
    assert len(found.frame) == 3


def test_a_row_that_explains_the_names_becomes_their_meaning() -> None:
    found = text(NAMES, "label,hours a week,points", *ROWS)
    assert table(found) == [NAMES, *ROWS]
    assert found.meanings == {"school": "label", "hours": "hours a week", "score": "points"}
    assert "explain them (“label”, “hours a week”, “points”)" in found.notes[0]


def test_a_survey_with_two_rows_under_the_names() -> None:
    asked = '"{""ImportId"":""Q1""}","{""ImportId"":""Q2""}","{""ImportId"":""Q3""}"'
    found = text(NAMES, '"Your school,\nplease",Hours?,Score?', asked, *ROWS)
    assert table(found) == [NAMES, *ROWS]
    assert found.meanings["school"] == "Your school,\nplease"


@pytest.mark.parametrize(
    "below",
    [["Total,11.5,265.5"], ["Mean:,2.3,53.1"], [",,", "Summe,,265.5"], ["", ",,", ",,"]],
    ids=["total", "mean", "after a blank row", "blank rows"],
)
def test_totals_and_blank_rows_at_the_end_are_left_out(below: list[str]) -> None:
    found = text(NAMES, *ROWS, *below)
    assert table(found) == [NAMES, *ROWS]


def test_what_was_left_out_at_the_end_is_said_and_can_be_had() -> None:
    lines = [NAMES, *ROWS, "Total,11.5,265.5", "Source: the Ministry of Schools"]
    found = text(*lines)
    assert table(found) == [NAMES, *ROWS]
    assert found.warnings == (
        "The last 2 rows, from “Total” on, seem to be no rows of the table and were left out. If they are "
        "data, set “Rows left out at the end” to 0 under “How the file was read”.",
    )
    content = "\n".join(lines).encode()
    assert len(read("d.csv", content, ReadOptions(below=0)).frame) == 7
    assert read("d.csv", content, ReadOptions(below=2)).warnings == ()


def test_blank_rows_inside_the_table_are_left_out_and_said() -> None:
    found = text(NAMES, *ROWS[:2], ",,", *ROWS[2:])
    assert table(found) == [NAMES, *ROWS]
    assert "One blank row was left out." in found.notes


@pytest.mark.parametrize(
    "lines",
    [
        ["statistic,y,z", "Mean,1,2", "SD,3,4", "Mean,5,6", "SD,7,8", "Mean,1,1"],
        [",school,,", "1,A,2,3", "2,A,2,3", "3,B,4,3", "4,B,5,3"],
        ["name,x,y", "absent,no,no", "a,1,yes", "b,2,no", "c,3,yes", "d,4,no"],
        ["id,x,y", "p1,1,2", "p2,3,4", "p3,5,6", "p4,,"],
        ["comment", "I like it, yes", "so, so", "no, thanks", "well, well"],
        ["x", "1,5", "2,5", "3,5", "4,5"],
        ["class,pupil", "A,1", "A,2", "B,3", "B,4"],
        ["g,a,b", "NA,NA,NA", "u,1,2", "v,3,4", "w,5,6"],
    ],
    ids=["levels", "few names", "one number", "missing", "words", "decimal commas", "plain", "a gap"],
)
def test_rows_of_the_table_stay(lines: list[str]) -> None:
    assert len(text(*lines).frame) == len(lines) - 1


WORDS = st.text(alphabet=string.ascii_letters + " .%", min_size=1, max_size=9).filter(str.strip)
CELLS = st.one_of(WORDS, st.integers(-99, 99).map(str), st.just(""), st.just("NA"))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(CELLS, max_size=5), min_size=1, max_size=9))
def test_the_rows_around_a_table_are_found_in_any_rows(rows: list[list[str]]) -> None:
    assert 0 <= layout.names_row(rows) < len(rows)
    even = [[*row, *[""] * 5][:5] for row in rows]
    assert 0 <= layout.explanations(even) <= max(len(rows) - layout.FEWEST, 0)
    assert 0 <= layout.below(even, lambda place, cell: sum(r[place] == cell for r in even)) <= len(rows)


def test_asked_for_rows_are_never_more_than_there_are() -> None:
    content = "\n".join([NAMES, *ROWS]).encode()
    assert len(read("d.csv", content, ReadOptions(explained=99, below=99)).frame) == 1
    assert read("d.csv", content, ReadOptions(header_row=3)).frame.columns[0] == "A"


# --- workbooks -----------------------------------------------------------------------------------

BOOK: list[list[object]] = [
    ["Reading study"],
    [None, "Reading", None, "Maths", None],
    ["school", "pre", "post", "pre", "post"],
    ["label", "points", "points", "%", "%"],
    ["A", 1, 2, 3, 4.5],
    ["A", 2, 3, 4, 5],
    [],
    ["B", 3, 4, 5, 6],
    ["B", 4, 5, 6, 7],
    ["Total", 10, 14, 18, 22.5],
]


def test_a_sheet_as_people_make_it() -> None:
    found = read("d.xlsx", files.xlsx(("Notes", [["Ask Anna"]]), ("Data", BOOK)))
    assert found.options.sheet == "Data"
    assert list(found.frame) == ["school", "Reading pre", "Reading post", "Maths pre", "Maths post"]
    assert found.frame["school"].tolist() == ["A", "A", "B", "B"]
    assert found.frame["Maths post"].tolist() == [4.5, 5, 6, 7]
    assert found.meanings["Maths pre"] == "%"
    assert "“Total”" in found.warnings[0]


def test_the_first_sheet_is_taken_unless_another_is_far_larger() -> None:
    one, other = [["x"], [1], [2]], [["z"], *[[i] for i in range(20)]]
    assert read("d.xlsx", files.xlsx(("One", one), ("Other", other))).options.sheet == "One"
    assert (
        read("d.xlsx", files.xlsx(("One", one), ("Other", [["z"], *[[i] for i in range(40)]]))).options.sheet
        == "Other"
    )


def test_a_table_with_nothing_around_it_stays_as_it_is() -> None:
    frame = pd.DataFrame({"g": list("aabb"), "x": [1, 2, 3, 4], "y": [0.5, 1.5, 2.5, 3.5]})
    file = io.StringIO()
    frame.to_csv(file, index=False)
    found = read("d.csv", file.getvalue().encode())
    assert (found.options.header_row, found.options.explained, found.options.below) == (1, 0, 0)
    assert (found.notes, found.warnings) == ((), ())
