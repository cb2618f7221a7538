"""What the Data page offers with one button: codes that mean missing, a wide table made long."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.data import columns, likely_codes, scales
from pages.ui.data.parsing import Marks
from pages.ui.data.recipe.reshape import likely_long
from pages.ui.data.sources import USUAL_MISSING, Choices
from tests.pages.test_data_page import app, frame, upload

__all__ = ["app"]


def likely(marks: Marks | None = None, **values: list[str]) -> dict[str, tuple[int, tuple[str, ...]]]:
    table = pd.DataFrame(values, dtype="str")
    settled = columns.settle(table, Choices(), marks)
    found = likely_codes.likely(table, settled, USUAL_MISSING, marks)
    return {each.code: (each.times, each.columns) for each in found}


def test_codes_far_from_all_else_are_likely_and_values_are_not() -> None:
    ages = ["9", "10", "11", "12", "13"]
    assert likely(age=[*ages, "999", "-99", "-99"]) == {"-99": (2, ("age",)), "999": (1, ("age",))}
    assert likely(cold=["-120", "-99", "-80", "-60"]) == {}
    assert likely(points=["90", "95", "99", "88"]) == {}
    assert likely(same=["5", "5", "99"]) == {}


def test_words_among_numbers_are_likely_whatever_their_case() -> None:
    values = ["1", "2", "3", "4", "k.A.", "n.a.", "-", "N.A."]
    assert set(likely(x=values)) == {"k.A.", "n.a.", "-", "N.A."}
    assert likely(x=["1", "2", "3", "four"]) == {}
    assert set(likely(Marks(","), x=["1,5", "2,5", "3,5", "-99,0", "k.A."])) == {"-99", "k.A."}


MESSY = (
    "school,score,age\n"
    + "".join(f"{i % 6 + 1},{50 + i % 7 + i / 10},{9 + i % 5}\n" for i in range(30))
    + "1,-99,999\n2,k.A.,10\n"
)


def test_one_button_makes_the_codes_missing_and_the_column_a_number(app: AppTest) -> None:
    upload(app, MESSY.encode())
    assert not any(button.label.startswith("Read it as") for button in app.button)
    app.button(key="take_codes").click().run()
    assert not app.exception
    assert frame(app)["score"].dtype == "float64"
    assert frame(app)["score"].isna().sum() == 2
    assert frame(app)["age"].max() == 13
    assert "take_codes" not in {button.key for button in app.button}


def test_codes_kept_as_values_are_not_asked_about_again(app: AppTest) -> None:
    upload(app, MESSY.encode())
    app.button(key="keep_codes").click().run()
    assert not app.exception
    assert "take_codes" not in {button.key for button in app.button}
    assert any(button.label.startswith("Read it as") for button in app.button)
    upload(app, MESSY.encode(), "other.csv")
    assert app.button(key="take_codes")


def wide(**more: object) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    scores = {f"score_t{k}": rng.normal(50, 5, 12).round(1) for k in (1, 2, 3)}
    moods = {f"mood_t{k}": rng.normal(0, 1, 12).round(2) for k in (1, 2, 3)}
    return pd.DataFrame({"id": range(1, 13), "arm": ["a", "b"] * 6, **scores, **moods, **more})


def test_a_wide_table_is_made_long_with_one_button(app: AppTest) -> None:
    upload(app, wide().to_csv(index=False).encode())
    app.button(key="take_wide").click().run()
    assert not app.exception
    assert list(frame(app)) == ["id", "arm", "time", "score", "mood"]
    assert len(frame(app)) == 36
    assert "take_wide" not in {button.key for button in app.button}
    app.button(key="prepare_undo").click().run()
    app.button(key="keep_wide").click().run()
    assert len(frame(app)) == 12
    assert "take_wide" not in {button.key for button in app.button}


def test_items_of_pupils_in_schools_are_not_taken_for_times(app: AppTest) -> None:
    upload(app, wide(school=np.repeat(range(6), 2)).to_csv(index=False).encode())
    assert "take_wide" not in {button.key for button in app.button}


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame({"a1": [1.0, 2], "a2": [3.0, 4]}), pd.DataFrame({f"i{k}": [1.0, 2] for k in range(40)})],
    ids=["two", "many"],
)
def test_few_and_many_numbered_columns_are_not_taken_for_times(frame: pd.DataFrame) -> None:
    assert likely_long(frame) is None


def test_new_columns_find_free_names() -> None:
    frame = wide(time=1.0, score=2.0).drop(columns="id")
    step = likely_long(frame)
    assert step is not None
    made = step.apply(frame)
    assert list(made) == ["arm", "time", "score", "person", "time (2)", "score (2)", "mood"]


AGREE = ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"]


@pytest.mark.parametrize(
    "levels",
    [
        AGREE,
        ["Never", "Sometimes", "Always"],
        ["low", "medium", "high"],
        ["nie", "selten", "manchmal", "immer"],
    ],
)
def test_answers_of_a_scale_are_put_in_order(levels: list[str]) -> None:
    assert scales.in_order(sorted(levels)) == levels
    series = columns.settle(
        pd.DataFrame({"x": sorted(levels)}, dtype="str"), Choices(kinds=(("x", "ordered"),))
    ).frame["x"]
    assert list(series.cat.categories) == levels


@pytest.mark.parametrize(
    "levels", [["a", "b", "c"], ["low", "medium", "never"], ["neither", "neutral", "agree"]]
)
def test_other_labels_are_no_scale(levels: list[str]) -> None:
    assert scales.in_order(levels) is None


def test_all_answers_are_ordered_with_one_button(app: AppTest) -> None:
    rows = "".join(f"{i % 6},{AGREE[i % 5]},{AGREE[(i * 2) % 5]},{50 + i % 7}\n" for i in range(30))
    upload(app, f"school,item1,item2,score\n{rows}".encode())
    app.button(key="take_scales").click().run()
    assert not app.exception
    assert all(list(frame(app)[name].cat.categories) == AGREE for name in ("item1", "item2"))
    assert "take_scales" not in {button.key for button in app.button}
    app.switch_page("pages/model.py").run()
    app.multiselect(key="model_fixed").set_value(["item1"]).run()
    assert not app.exception
    assert not app.error
    terms = [list(table.value["Term"]) for table in (*app.dataframe, *app.table) if "Term" in table.value]
    assert ["Intercept", *(f"item1: {answer}" for answer in AGREE[1:])] in terms


@pytest.mark.parametrize(
    "written, first",
    [
        (["23.09.23", "01.02.23"], "2023-09-23"),
        (["23.09.2023 14:30", "1.2.2023 08:05"], "2023-09-23 14:30"),
        (["23-Sep-2023", "1-Feb-2023"], "2023-09-23"),
        (["09/23/23", "02/01/23"], "2023-09-23"),
    ],
)
def test_what_looks_like_dates_is_offered_as_dates(written: list[str], first: str) -> None:
    table = pd.DataFrame({"day": written}, dtype="str")
    offer = columns.settle(table, Choices()).columns[0].offer
    assert offer is not None
    assert offer[0] == "date"
    read = columns.settle(table, Choices(kinds=(("day", "date"),))).frame["day"]
    assert read[0] == pd.Timestamp(first)


def test_codes_with_dashes_are_not_offered_as_dates() -> None:
    table = pd.DataFrame({"code": ["1-2-34", "1-3-01"], "time": ["14:30", "08:05"]}, dtype="str")
    assert all(column.offer is None for column in columns.settle(table, Choices()).columns)


def test_a_single_row_is_counted_as_one_and_two_values_are_no_measurement(app: AppTest) -> None:
    upload(app, b"school,score\n1,50\n")
    assert any("1 row × 2 columns" in label.label for label in app.page_link)
    assert any("One row, 2 columns" in each.value for each in app.caption)
    upload(app, ("g,passed\n" + "".join(f"{i % 6},{i % 2}\n" for i in range(36))).encode(), "b.csv")
    app.switch_page("pages/model.py").run()
    assert any("two values only" in each.value for each in app.caption)


def test_the_check_of_groups_follows_a_table_that_became_long(app: AppTest) -> None:
    upload(app, wide().to_csv(index=False).encode())
    app.button(key="take_wide").click().run()
    compared = next(each for each in app.multiselect if each.label == "Columns to compare")
    assert compared.value == ["id"]
    chosen = next(each for each in app.multiselect if each.label == "Columns to compare")
    chosen.set_value(["arm"]).run()
    app.switch_page("pages/explore.py").run().switch_page("pages/data.py").run()
    assert next(each for each in app.multiselect if each.label == "Columns to compare").value == ["arm"]
