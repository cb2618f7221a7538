"""Preparing data on the Data page: steps added, previewed, refused, removed; what other pages see of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.data.exclusions import Exclusion
from pages.ui.data.recipe.cells import Edit
from pages.ui.data.recipe.reshape import Lengthen, Measure
from pages.ui.data.recipe.rows import Between, Filter
from pages.ui.data.recipe.step import Step
from pages.ui.data.recipe.transforms import Centre, Transform
from pages.ui.model import scripts
from pages.ui.model.modelcall import ModelCall

APP = Path(__file__).parents[2] / "app.py"
PATIENCE = 60
WIDE = b"id,score_1,score_2,score_3,when\na,1,2,4,2024-01-01\nb,5,0,7,2024-01-05\nc,3,2,1,2024-02-01\n"
NEW, FILTER, LONG, CELL, RENAME = (
    ":material/add_column_right: New column",
    ":material/filter_alt: Filter rows",
    ":material/swap_vert: Wide to long",
    ":material/edit: Edit a cell",
    ":material/label: Rename or leave out",
)
CENTRE = Centre("Days", "Days_c")


def start(example: str = "sleepstudy") -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    app.query_params["example"] = example
    return run(app)


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def upload(app: AppTest, content: bytes, name: str = "wide.csv") -> AppTest:
    app.file_uploader(key="upload").upload(name, content)
    return run(app)


@pytest.fixture
def sleep() -> AppTest:
    return start()


@pytest.fixture
def wide() -> AppTest:
    return upload(run(AppTest.from_file(str(APP), default_timeout=PATIENCE)), WIDE)


def frame(app: AppTest) -> pd.DataFrame:
    return app.session_state["_dataset"].frame


def code(app: AppTest) -> str:
    return "\n".join(app.session_state["_dataset"].code)


def recipe(app: AppTest) -> tuple[Step, ...]:
    return app.session_state["_preparation"].steps


def take(app: AppTest, *steps: Step) -> AppTest:
    """As another page or a project file would set them."""
    app.session_state["_preparation"] = app.session_state["_preparation"].changed(steps)
    return run(app)


def kind(app: AppTest, name: str) -> AppTest:
    key = f"prepare_kind_{app.session_state['_source_serial']}"
    next(each for each in app.button_group if each.key == key).set_value(name)
    return run(app)


def widget(app: AppTest, kind: str, label: str):
    return next(each for each in app.get(kind) if each.label == label)


def choose(app: AppTest, kind: str, label: str, value: object) -> AppTest:
    widget(app, kind, label).set_value(value)
    return run(app)


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return run(app)


def way(app: AppTest, label: str) -> AppTest:
    box = widget(app, "selectbox", "What to make")
    return choose(app, "selectbox", "What to make", next(each for each in box.options if each == label))


def texts(app: AppTest) -> str:
    return "\n".join(
        each.value for name in ("markdown", "caption", "warning", "info") for each in getattr(app, name)
    )


def test_nothing_is_changed_until_something_is_asked(sleep: AppTest) -> None:
    assert "The data are used as they were read." in texts(sleep)
    assert code(sleep) == ""
    assert not [button for button in sleep.button if button.label == "Add this step"]


def test_within_and_between_come_with_one_click_and_use_the_models_groups(sleep: AppTest) -> None:
    kind(sleep, NEW)
    choose(sleep, "selectbox", "From the column", "Days")
    assert widget(sleep, "multiselect", "In the groups of").value == ["Subject"]
    assert "has the same value in every row" in texts(sleep)
    press(sleep, "Add both columns")
    assert frame(sleep)["Days_between"].tolist()[:3] == [4.5] * 3
    assert frame(sleep)["Days_within"].tolist()[:3] == [-4.5, -3.5, -2.5]
    assert "180 rows × 5 columns" in sleep.page_link[0].label
    assert "names the example alone" in texts(sleep)
    assert sleep.query_params["example"] == "sleepstudy"
    assert sleep.session_state["_call"].formula == "Reaction ~ Days"


def test_the_script_makes_the_same_table(sleep: AppTest) -> None:
    take(sleep, CENTRE, Filter((Between("Days", 2.0, None),)), Transform("Reaction", "log_R", "log"))
    script = scripts.mixedcore(sleep.session_state["_call"], sleep.session_state["_dataset"])
    assert script.startswith("import numpy as np\nfrom mixedcore import datasets\n")
    scope: dict[str, object] = {}
    exec(script.partition("model = ")[0], scope)  # noqa: S102 - our own program is what is tested
    pd.testing.assert_frame_equal(scope["data"], frame(sleep))


def test_steps_outlive_a_visit_to_another_page_and_are_not_done_again(sleep: AppTest) -> None:
    take(sleep, CENTRE)
    before = frame(sleep)
    sleep.switch_page("pages/model.py").run()
    sleep.switch_page("pages/data.py").run()
    assert not sleep.exception
    assert frame(sleep) is before


def test_a_logarithm_of_zero_is_refused_with_a_way_on(sleep: AppTest) -> None:
    kind(sleep, NEW)
    way(sleep, "Logarithm")
    choose(sleep, "selectbox", "From the column", "Days")
    assert "“Days” is 0 or below in 18 rows" in texts(sleep)
    press(sleep, "Use log(x + 1)")
    assert "0 or below" not in texts(sleep)
    press(sleep, "Add this step")
    assert frame(sleep)["log_Days"].iloc[0] == 0


@pytest.mark.parametrize(
    "label, name",
    [
        ("Group mean (between)", "Days_between"),
        ("Centre within groups", "Days_within"),
        ("Centre", "Days_c"),
        ("Standardise (z)", "Days_z"),
        ("Square root", "sqrt_Days"),
        ("Square or other power", "Days_squared"),
        ("Cut a number into bands", "Days_bands"),
    ],
)
def test_each_way_offers_a_name_and_is_added(sleep: AppTest, label: str, name: str) -> None:
    kind(sleep, NEW)
    way(sleep, label)
    choose(sleep, "selectbox", "From the column", "Days")
    press(sleep, "Add this step")
    assert name in frame(sleep).columns
    choose(sleep, "selectbox", "From the column", "Days")
    press(sleep, "Add this step")
    assert f"{name}_2" in frame(sleep).columns


def test_two_columns_are_combined_and_a_number_will_do(sleep: AppTest) -> None:
    kind(sleep, NEW)
    way(sleep, "Arithmetic with two columns")
    choose(sleep, "selectbox", "From the column", "Reaction")
    choose(sleep, "selectbox", "With", "Days")
    press(sleep, "Add this step")
    assert frame(sleep)["Reaction_plus_Days"].iloc[1] == pytest.approx(frame(sleep)["Reaction"].iloc[1] + 1)


def test_labels_are_merged(sleep: AppTest) -> None:
    kind(sleep, NEW)
    way(sleep, "Recode or merge categories")
    choose(sleep, "selectbox", "From the column", "Subject")
    widget(sleep, "multiselect", "Labels").set_value(["308", "309"])
    widget(sleep, "text_input", "become").set_value("first two")
    press(run(sleep), "Add this step")
    assert frame(sleep)["Subject_recoded"].eq("first two").sum() == 20


def test_dates_become_days(wide: AppTest) -> None:
    kind(wide, NEW)
    way(wide, "Days since the first date")
    choose(wide, "selectbox", "From the column", "when")
    press(wide, "Add this step")
    assert frame(wide)["when_days"].tolist() == [0, 4, 31]


def test_rows_are_filtered_and_counted_live(sleep: AppTest) -> None:
    kind(sleep, FILTER)
    choose(sleep, "multiselect", "Conditions on", ["Days", "Subject"])
    choose(sleep, "number_input", "At least", 8.0)
    assert "36 of 180 rows stay" in texts(sleep)
    choose(sleep, "multiselect", "Labels", ["308", "309"])
    assert "4 of 180 rows stay" in texts(sleep)
    press(sleep, "Add this step")
    assert frame(sleep).index.tolist() == [8, 9, 18, 19]
    press(sleep, "Undo")
    assert len(frame(sleep)) == 180


def test_wide_becomes_long_by_the_names_of_the_columns(wide: AppTest) -> None:
    kind(wide, LONG)
    press(wide, "Add this step")
    assert frame(wide).columns.tolist() == ["id", "when", "time", "score"]
    assert frame(wide)["time"].tolist() == [1, 2, 3] * 3
    assert "9 rows × 4 columns" in wide.page_link[0].label


def test_columns_are_renamed_and_left_out(wide: AppTest) -> None:
    kind(wide, RENAME)
    choose(wide, "selectbox", "Column", "id")
    choose(wide, "text_input", "New name", "person")
    press(wide, "Add this step")
    assert "person" in frame(wide).columns


def test_a_row_to_edit_is_found_by_number_and_by_text(sleep: AppTest) -> None:
    kind(sleep, CELL)
    assert "50 of 180 rows, from row 0 to row 49." in texts(sleep)
    choose(sleep, "text_input", "Go to row", "170")
    assert "10 of 180 rows, from row 170 to row 179." in texts(sleep)
    choose(sleep, "text_input", "Or search all cells", "309")
    assert "10 of 180 rows, from row 10 to row 19." in texts(sleep)
    choose(sleep, "text_input", "Or search all cells", "nowhere")
    assert "No row has that." in texts(sleep)


# --- steps and the rest of the session -----------------------------------------------------------


def test_a_step_is_removed_and_undone_and_all_are_cleared(sleep: AppTest) -> None:
    take(sleep, CENTRE, Transform("Reaction", "log_R", "log"))
    next(button for button in sleep.button if button.label == "Remove").click()
    run(sleep)
    assert frame(sleep).columns.tolist()[3:] == ["log_R"]
    press(sleep, "Undo")
    assert frame(sleep).columns.tolist()[3:] == ["Days_c", "log_R"]
    press(sleep, "Remove all")
    assert frame(sleep).shape == (180, 3)
    assert recipe(sleep) == ()


def test_a_model_whose_column_goes_comes_back_with_it(sleep: AppTest) -> None:
    take(sleep, CENTRE)
    chosen = ModelCall("Reaction ~ Days_c", "Subject")
    sleep.session_state["_call"] = chosen
    press(run(sleep), "Remove all")
    assert sleep.session_state["_call"] is None
    assert "names a column that is gone" in texts(sleep)
    press(sleep, "Undo")
    assert sleep.session_state["_call"] == chosen


def test_a_step_that_no_longer_fits_stays_listed_with_its_reason(wide: AppTest) -> None:
    take(wide, Transform("score_1", "log_score", "log"))
    upload(wide, WIDE.replace(b"score_1", b"points"))
    assert recipe(wide) == (Transform("score_1", "log_score", "log"),)
    assert "There is no column “score" in texts(wide).replace("\\", "").replace("\u2060", "")
    assert "log_score" not in frame(wide)


def test_steps_are_done_again_when_types_change(wide: AppTest) -> None:
    take(wide, Centre("score_1", "c"))
    assert "c" in frame(wide)
    serial = wide.session_state["_source_serial"]
    wide.multiselect(key=f"retype_{serial}").set_value(["score_1"])
    wide.selectbox(key=f"kind_{serial}").set_value("category")
    press(wide, "Set type")
    assert "c" not in frame(wide)
    assert "is not a number" in texts(wide)


def test_another_file_starts_without_steps(wide: AppTest) -> None:
    take(wide, Centre("score_1", "c"))
    upload(wide, WIDE, "other.csv")
    assert recipe(wide) == ()
    assert not [button for button in wide.button if button.label == "Undo"]


def exclude(app: AppTest, row: int) -> AppTest:
    app.session_state["_rows_left_out"] = (Exclusion(row, "outlier"),)
    return app


EDIT = Edit(1, "score_1", "number", 6, 5)


def test_another_file_of_the_same_name_changes_no_single_row_until_asked(wide: AppTest) -> None:
    take(exclude(wide, 0), EDIT, Centre("score_2", "c"))
    assert frame(wide)["score_1"].tolist() == [6, 3]
    upload(wide, WIDE + b"d,5,5,5,2024-03-01\n")
    assert frame(wide)["score_1"].tolist() == [1, 5, 3, 5]
    assert "one changed cell and one row left out" in texts(wide).replace("\\", "")
    assert recipe(wide) == (Centre("score_2", "c"),)
    press(wide, "Put them back")
    assert frame(wide)["score_1"].tolist() == [6, 3, 5]


def test_what_was_put_aside_can_be_forgotten(wide: AppTest) -> None:
    take(wide, EDIT)
    upload(wide, WIDE + b"d,5,5,5,2024-03-01\n")
    press(wide, "Forget them")
    assert "put aside" not in texts(wide)
    assert recipe(wide) == ()


def test_a_cell_that_holds_something_else_is_not_changed(wide: AppTest) -> None:
    take(wide, EDIT)
    upload(wide, WIDE.replace(b"b,5,", b"b,9,"))
    press(wide, "Put them back")
    assert frame(wide)["score_1"].tolist() == [1, 9, 3]
    assert "now holds 9, not 5" in texts(wide).replace("\\", "")


def test_the_same_file_read_in_another_way_keeps_edits(wide: AppTest) -> None:
    take(exclude(wide, 0), EDIT)
    serial = wide.session_state["_source_serial"]
    wide.selectbox(key=f"encoding_{serial}").set_value("latin-1")
    run(wide)
    assert frame(wide)["score_1"].tolist() == [6, 3]


def test_rows_left_out_are_put_aside_when_rows_become_others(wide: AppTest) -> None:
    exclude(wide, 0)
    long = Lengthen((Measure("score", ("score_1", "score_2", "score_3")),), "time", (1.0, 2.0, 3.0))
    take(wide, long)
    assert len(frame(wide)) == 9
    assert "one row left out" in texts(wide)


def test_a_row_left_out_and_then_filtered_is_still_left_out_without_the_filter(sleep: AppTest) -> None:
    exclude(sleep, 0)
    take(sleep, Filter((Between("Days", 3.0, None),)))
    assert len(frame(sleep)) == 126
    press(sleep, "Remove all")
    assert len(frame(sleep)) == 179


HOSTILE = ["<img src=x onerror=alert(1)>", "**b** $x$ [a](b)", "=1+1", "Ä ö", "n" * 200, "C(x)", ":red[x]"]


@pytest.mark.parametrize("name", [NEW, FILTER, LONG, CELL, RENAME])
def test_hostile_names_reach_markdown_only_escaped(name: str) -> None:
    app = run(AppTest.from_file(str(APP), default_timeout=PATIENCE))
    values = pd.DataFrame({each: [1.0, 2.5, 4.0] for each in HOSTILE})
    upload(app, values.to_csv(index=False).encode())
    kind(app, name)
    if name == NEW:
        way(app, "Standardise (z)")
        choose(app, "selectbox", "From the column", HOSTILE[0])
    if name == FILTER:
        choose(app, "multiselect", "Conditions on", HOSTILE)
    take(app, *(Centre(each, f"{each}_c"[-150:]) for each in HOSTILE))
    assert frame(app).shape[1] == 2 * len(HOSTILE)
    for each in HOSTILE:
        if each not in ("Ä ö", "n" * 200):
            assert each not in texts(app)


def test_many_steps_are_listed_by_the_last_ones(sleep: AppTest) -> None:
    take(sleep, *(Centre("Days", f"c{i}") for i in range(50)))
    assert "The first 10 of 50 steps are not shown." in texts(sleep)
    assert sum(button.label == "Remove" for button in sleep.button) == 40
