"""Cells edited by hand: what was written becomes steps, and rows are found by what they hold."""

from __future__ import annotations

from pages.ui.data.recipe.cell_editor import edits, matches
from tests.pages.recipe_table import table


def test_what_was_written_becomes_steps() -> None:
    made = edits(
        table(),
        {
            0: {"x": 5, "g": "new", "d": "2024-02-03T00:00:00.000Z", "b": False, "m": "false"},
            2: {"x": None, "n": 2, "c": "hi"},
        },
    )
    assert [(each.row, each.column, each.value, each.was) for each in made] == [
        (10, "x", 5, 1.0),
        (10, "g", "new", "p"),
        (10, "d", "2024-02-03", "2024-01-02"),
        (10, "b", False, True),
        (10, "m", False, True),
        (12, "c", "hi", "lo"),
    ]
    frame = table()
    for step in made:
        frame = step.apply(frame)
    assert frame.loc[10, "x"] == 5


def test_cells_are_searched_as_they_are_read() -> None:
    assert matches(table(), "3").tolist() == [True, False, True, True, False, True]
    assert matches(table(), "Q").tolist() == [False, False, True, True, False, False]
