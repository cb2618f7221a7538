"""The Data page with workbooks, files of statistics programs and pasted cells: options and refusals."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import files

APP = Path(__file__).parents[2] / "app.py"
PATIENCE = 60  # seconds: the first run imports everything, perhaps on a busy machine
BOOK = files.xlsx(
    ("Notes", [["About these data", "made by us"], ["more", "text"]]),
    ("Data", [["Results"], [], ["g", "y", "z"], ["a", 1.5, 1], ["b", 2.5, 2]]),
)


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=PATIENCE).run()


def upload(app: AppTest, name: str, content: bytes) -> None:
    app.file_uploader(key="upload").upload(name, content)
    app.run()
    assert not app.exception


def paste(app: AppTest, cells: str) -> None:
    app.text_area(key="pasted_cells").set_value(cells)
    next(button for button in app.button if button.label == "Use these cells").click().run()
    assert not app.exception


def frame(app: AppTest) -> pd.DataFrame:
    loaded: pd.DataFrame = app.session_state["_dataset"].frame
    return loaded


def serial(app: AppTest) -> int:
    return int(app.session_state["_source_serial"])


def test_a_sheet_and_its_row_of_names_are_chosen(app: AppTest) -> None:
    upload(app, "book.xlsx", BOOK)
    assert list(frame(app).columns) == ["About these data", "made by us"]
    app.selectbox(key=f"sheet_{serial(app)}").set_value("Data").run()
    assert not app.exception
    assert frame(app).to_dict("list") == {"g": ["a", "b"], "y": [1.5, 2.5], "z": [1, 2]}
    row = app.number_input(key=f"header_row_Data_{serial(app)}")
    assert row.value == 3
    row.set_value(4).run()
    assert list(frame(app).columns) == ["a", "1.5", "1"]
    assert (
        app.session_state["_dataset"]
        .reader[1]
        .startswith('data = pd.read_excel("book.xlsx", sheet_name="Data"')
    )


def test_a_blank_sheet_is_a_sentence_and_another_can_be_chosen(app: AppTest) -> None:
    upload(app, "book.xlsx", files.xlsx(("A", [["x"], [1]]), ("B", [])))
    app.selectbox(key=f"sheet_{serial(app)}").set_value("B").run()
    assert "The sheet “B” is blank" in app.error[0].value.replace("\\", "")
    assert frame(app)["x"].tolist() == [1]
    app.selectbox(key=f"sheet_{serial(app)}").set_value("A").run()
    assert not app.error


def test_labels_are_shown_and_codes_can_be_had(app: AppTest) -> None:
    upload(app, "pupils.sav", files.pupils_sav())
    assert frame(app)["sex"].tolist()[:2] == ["male", "female"]
    profile = next(each.value for each in app.dataframe if "Meaning" in each.value)
    assert profile.set_index("Column").loc["sex", "Meaning"] == "Sex of the pupil"
    app.selectbox(key=f"codes_or_labels_{serial(app)}").set_value(True).run()
    assert not app.exception
    assert frame(app)["sex"].tolist()[:2] == [1, 2]


def test_a_date_becomes_days_since_the_first(app: AppTest) -> None:
    upload(app, "pupils.sav", files.pupils_sav())
    app.multiselect(key=f"retype_{serial(app)}").set_value(["born"])
    app.selectbox(key=f"kind_{serial(app)}").set_value("days")
    next(button for button in app.button if button.label == "Set type").click().run()
    assert not app.exception
    days = (files.PUPILS["born"] - files.PUPILS["born"].min()).dt.days
    pd.testing.assert_series_equal(frame(app)["born"], days, check_dtype=False)


@pytest.mark.parametrize("mark", ["\t", ",", ";"])
def test_pasted_cells_are_read_as_a_file_is(app: AppTest, mark: str) -> None:
    paste(app, f"class{mark}score\n7A{mark}1.5\n7B{mark}2.5\n")
    assert frame(app).to_dict("list") == {"class": ["7A", "7B"], "score": [1.5, 2.5]}
    assert app.session_state["_dataset"].source == "paste:Pasted cells"
    app.selectbox(key=f"separator_{serial(app)}").set_value("|").run()
    assert frame(app).shape == (2, 1)


@pytest.mark.parametrize(
    "cells, sentence", [("", "empty"), ("a,b\n1,2,3\n1,2\n", "Line 2"), ("a\tb", "no rows")]
)
def test_cells_that_are_no_table_are_a_sentence_and_nothing_is_lost(
    app: AppTest, cells: str, sentence: str
) -> None:
    app.button(key="use_sleepstudy").click().run()
    paste(app, cells)
    assert "were not read" in app.error[0].value
    assert sentence in app.error[0].value
    assert frame(app).shape == (180, 3)


def test_letters_of_any_language_can_be_pasted(app: AppTest) -> None:
    paste(app, "Größe\t名前\n1\tπ\n2\t\U0001f600\n")
    assert list(frame(app).columns) == ["Größe", "名前"]


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("cut.xlsx", BOOK[:900], "zip archive"),
        (
            "locked.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "password",
        ),
        ("cut.sav", files.pupils_sav()[:300], "SPSS file"),
        ("cut.parquet", files.parquet(files.PUPILS)[:300], "Parquet file"),
        ("page.xls", b"<html><body>Please log in</body></html>", "web page"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence_and_nothing_is_lost(
    app: AppTest, name: str, content: bytes, sentence: str
) -> None:
    app.button(key="use_sleepstudy").click().run()
    upload(app, name, content)
    assert sentence in app.error[0].value.replace("\\", "")
    assert frame(app).shape == (180, 3)


def test_a_workbook_that_is_named_csv_is_read_as_what_it_is(app: AppTest) -> None:
    upload(app, "book.csv", BOOK)
    assert frame(app).shape == (1, 2)


def test_rows_around_a_table_can_be_taken_back(app: AppTest) -> None:
    upload(app, "d.csv", b"By us\n\ng,x,y\nlabel,m,cm\na,1,2\nb,3,4\nc,5,6\nTotal,9,12\n")
    assert frame(app).to_dict("list") == {"g": ["a", "b", "c"], "x": [1, 3, 5], "y": [2, 4, 6]}
    assert "“Total”" in app.warning[0].value
    below = app.number_input(key=f"below_None_{serial(app)}")
    assert below.value == 1
    below.set_value(0).run()
    assert frame(app)["g"].tolist() == ["a", "b", "c", "Total"]
    app.number_input(key=f"header_row_None_{serial(app)}").set_value(4).run()
    assert not app.exception
    assert list(frame(app)) == ["label", "m", "cm"]
    assert not app.warning
