"""Every table can be taken away as CSV, Markdown and LaTeX, and every chart as a page."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import exports, tables
from pages.ui.charts.effects_predictions import Curve
from pages.ui.data import examples
from pages.ui.data.exclusions import Exclusion
from pages.ui.effects import tabled
from pages.ui.model import ladder_view
from pages.ui.model.ladder import Step
from pages.ui.model.laddered import Rung
from pages.ui.residuals import left_out, row_panel
from tests.pages import fits
from tests.pages.test_data_page import upload
from tests.pages.test_equations import SLEEP

PAGES = Path(__file__).parents[2] / "pages"
DRAWN = {
    "pages/ui/tables.py": "st.table: in show, with its export",
    "pages/ui/model/brief.py": "the tables of the Estimates page in short, exported in full",
    "pages/ui/results/picking.py": "searchable, with its export",
    "pages/ui/data/loaded.py": "rows, columns and missing values, each with its export",
    "pages/ui/data/recipe/adding.py": "the first rows of a step that is not taken yet",
    "pages/ui/display.py": "chart, with its download",
    "pages/ui/data/gallery.py": "the small picture of an example",
}
"""Files that draw a table or a chart by themselves, and why they may."""


def test_every_table_and_chart_goes_through_what_exports_it() -> None:
    draws = re.compile(
        r"st\.(dataframe|table|plotly_chart|pyplot|image|line_chart|bar_chart|scatter_chart)\("
    )
    found = {
        path.relative_to(PAGES.parent).as_posix()
        for path in PAGES.rglob("*.py")
        if draws.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(DRAWN)


def opened(app: AppTest, *keys: str) -> AppTest:
    for key in keys:
        app.session_state[key] = True
    return app.run()


def copied(app: AppTest) -> tuple[int, int]:
    """How many tables the page offers to copy as Markdown, and as LaTeX."""
    assert not app.exception
    shown = [each.value for each in app.get("code")]
    return sum(each.startswith("| ") for each in shown), sum("\\begin{tabular}" in each for each in shown)


@pytest.mark.parametrize(
    ("name", "key", "times"),
    [
        ("group_effects", "group_effects_table", 1),
        ("model", "model_fit", 2),
        ("data", "data_rows", 1),
        ("data", "data_columns", 1),
        ("effects", "effects_predictions", 1),
    ],
)
def test_a_table_can_be_taken_away(name: str, key: str, times: int) -> None:
    app = fits.opened(name, "sleepstudy")
    markdown, latex = copied(app)
    app = opened(app, f"{key}_export")
    assert copied(app) == (markdown + times, latex + times)
    assert f"{key}_csv" in {button.key for button in app.get("download_button")}


def test_missing_values_can_be_taken_away() -> None:
    app = AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT).run()
    app = opened(upload(app, b"g,x\na,1\nb,\na,2\n"), "data_missing_export")
    assert not app.exception
    assert "data_missing_csv" in {button.key for button in app.get("download_button")}


def test_rows_left_out_can_be_taken_away() -> None:
    table = left_out.listed([Exclusion(3, "=1+1"), Exclusion("a", "<b>")])
    assert exports.csv(table.raw).decode("utf-8-sig").splitlines() == ["Row,Reason", "3,'=1+1", "a,<b>"]
    assert exports.markdown(table.shown).splitlines()[2] == r"| 3 | =1\+1 |"


def test_the_row_that_was_clicked_can_be_taken_away() -> None:
    app = fits.opened("residuals", "sleepstudy")
    app.text_input(key="row_label").set_value("57").run()
    markdown, latex = copied(app)
    app = opened(app, "row_export")
    assert copied(app) == (markdown + 1, latex + 1)
    said = next(each.value for each in app.get("code") if "| Studentised" in each.value)
    assert "| Row | 57 |" in said
    assert "| Reaction | 346.8 |" in said
    assert "row_csv" in {button.key for button in app.get("download_button")}


def test_a_row_is_one_line_of_its_file_with_every_column() -> None:
    augmented = fits.fitted("sleepstudy").augment().assign(studentised=0.5)
    raw = row_panel.listed(augmented.iloc[[57]]).raw
    written = exports.csv(raw).decode("utf-8-sig").splitlines()
    assert written[0].startswith("row,Reaction,Days,Subject,fitted,resid,studentised")
    assert len(written) == 2
    hostile = fits.hostile().augment()
    shown = row_panel.listed(hostile.iloc[[0]]).shown
    assert fits.OUTCOME in shown["What"].tolist()
    assert "\\<b\\>" in exports.markdown(shown)


def test_a_prediction_can_be_taken_away() -> None:
    app = fits.opened("effects", "sleepstudy")
    app.segmented_control(key="effects_section").set_value("What if")
    markdown, latex = copied(app.run())
    app = opened(app, "effects_what_if_export")
    assert copied(app) == (markdown + 1, latex + 1)
    said = next(each.value for each in app.get("code") if "new observation" in each.value)
    assert app.metric[0].value in said
    assert "effects_what_if_csv" in {button.key for button in app.get("download_button")}


def test_steps_can_be_taken_away() -> None:
    call = examples.suggested("sleepstudy")
    step = Step("a slope of Days", "random", SLEEP)
    table = ladder_view.tested([Rung(step, call, 2, 42.8, 1e-9, -38.7)], [Rung(step, call, trouble="no")])
    assert table.shown.iloc[0].tolist() == ["up", "a slope of Days", "42.8", "2.0", "< 0.001", "−38.7", ""]
    assert table.shown.iloc[1]["Note"] == "no"


def test_the_numbers_behind_lines_of_predictions() -> None:
    found = pd.DataFrame(
        {"fit": [1.0, 2.0], "std_error": 0.1, "conf_low": [0.8, 1.8], "conf_high": [1.2, 2.2]}
    )
    table = tabled.predictions([Curve("a", [0, 1], found), Curve("b", [0, 1], found)], "x", 0.9)
    assert list(table.shown) == ["Line", "x", "Prediction", "Standard error", "Lower 90%", "Upper 90%"]
    assert table.shown["Line"].tolist() == ["a", "a", "b", "b"]
    assert table.raw["fit"].tolist() == [1.0, 2.0, 1.0, 2.0]


def test_a_long_table_is_copied_in_part_and_saved_whole() -> None:
    table = tables.group_effects(fits.many_effects(3000))
    assert len(table.shown) == len(table.raw) == 3000
    assert table.shown["Effect"][0] == f"{table.raw['estimate'][0]:.3f}"
    copied = exports.markdown(table.shown.head(tables.MOST_TO_COPY))
    assert copied.count("\n") == tables.MOST_TO_COPY + 1


def test_any_frame_is_a_table_with_missing_cells_empty() -> None:
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": ["x\ny", None], "c": pd.Categorical(["u", None])})
    assert tables.plain(frame, "t", "n").shown.to_numpy().tolist() == [["1.5", "x y", "u"], ["", "", ""]]
