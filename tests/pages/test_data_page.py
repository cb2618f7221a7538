"""The Data page through app.py: examples, uploads, types, missing values; refusals beside the control."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[2] / "app.py"
PATIENCE = 60  # seconds: the first run imports everything, perhaps on a busy machine

SCORES = b"class;hours;score\n001;1,5;10\n001;2,5;eleven\n002;3,5;-99\n002;4,5;13\n003;5,5;14\n"


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=PATIENCE).run()


@pytest.fixture
def scores(app: AppTest) -> AppTest:
    return upload(app, SCORES, "scores.csv")


def upload(app: AppTest, content: bytes, name: str = "data.csv") -> AppTest:
    app.file_uploader(key="upload").upload(name, content)
    app.run()
    assert not app.exception
    return app


def frame(app: AppTest) -> pd.DataFrame:
    return app.session_state["_dataset"].frame


def labels(app: AppTest) -> list[str]:
    return [link.label for link in app.page_link]


def test_the_first_screen_offers_examples_and_a_box(app: AppTest) -> None:
    assert not app.exception
    assert app.title[0].value == "Begin with data"
    assert sum(button.label == "Use this example" for button in app.button) == 6
    assert app.file_uploader(key="upload")
    assert not labels(app)


def test_an_example_is_loaded_with_its_model(app: AppTest) -> None:
    app.button(key="use_sleepstudy").click().run()
    assert not app.exception
    assert frame(app).shape == (180, 3)
    assert "180 rows × 3 columns" in labels(app)[0]
    assert labels(app)[1].startswith("Reaction")
    assert app.button(key="to_estimates")
    assert app.query_params["example"] == "sleepstudy"


def test_see_the_fit_is_one_click(app: AppTest) -> None:
    app.button(key="fit_sleepstudy").click().run()
    assert not app.exception
    assert app.session_state["_call"].formula == "Reaction ~ Days"
    assert app.title[0].value == "Estimates"


@pytest.mark.parametrize("name", ["data", "model", "estimates", "group_effects", "residuals"])
def test_a_link_loads_its_example_on_any_page(name: str) -> None:
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    app.query_params["example"] = "classrooms"
    app.run()
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    assert app.session_state["_dataset"].source == "example:classrooms"


def test_a_link_is_not_followed_again_after_an_upload() -> None:
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    app.query_params["example"] = "sleepstudy"
    app.run()
    upload(app, SCORES)
    assert app.session_state["_dataset"].source == "upload:data.csv"
    assert "example" not in app.query_params
    app.run()
    assert app.session_state["_dataset"].source == "upload:data.csv"


def test_an_upload_is_read_and_typed(scores: AppTest) -> None:
    assert [str(dtype) for dtype in frame(scores).dtypes] == ["str", "float64", "str"]
    assert frame(scores)["class"].tolist()[0] == "001"
    assert frame(scores)["hours"].tolist()[0] == 1.5
    assert scores.button(key="to_model")


def test_a_number_stored_as_text_is_taken_as_number_by_one_click(scores: AppTest) -> None:
    [offer] = [button for button in scores.button if button.label == "Read it as number"]
    offer.click().run()
    assert not scores.exception
    assert frame(scores)["score"].isna().tolist() == [False, True, False, False, False]
    assert any("cannot be read as number" in warning.value for warning in scores.warning)


def test_types_are_set_for_several_columns_and_given_back(scores: AppTest) -> None:
    serial = scores.session_state["_source_serial"]

    def set_type(names: list[str], kind: str) -> None:
        scores.multiselect(key=f"retype_{serial}").set_value(names)
        scores.selectbox(key=f"kind_{serial}").set_value(kind)
        next(button for button in scores.button if button.label == "Set type").click().run()
        assert not scores.exception

    set_type(["class", "hours"], "ordered")
    assert [str(frame(scores)[name].dtype) for name in ("class", "hours")] == ["category", "category"]
    set_type(["class"], "number")
    assert frame(scores)["class"].tolist() == [1, 1, 2, 2, 3]
    set_type(["class", "hours"], "found")
    assert [str(dtype) for dtype in frame(scores).dtypes] == ["str", "float64", "str"]


def test_setting_a_type_of_no_column_is_answered_in_words(scores: AppTest) -> None:
    next(button for button in scores.button if button.label == "Set type").click().run()
    assert "Choose at least one column first." in [warning.value for warning in scores.warning]


def test_a_code_for_missing_values_outlives_a_visit_to_another_page(scores: AppTest) -> None:
    key = f"codes_{scores.session_state['_source_serial']}"
    codes = scores.multiselect(key=key)
    codes.set_value([*codes.value, "-99", "eleven"]).run()
    assert str(frame(scores)["score"].dtype) == "float64"
    scores.switch_page("pages/model.py").run()
    scores.switch_page("pages/data.py").run()
    assert not scores.exception
    assert "eleven" in scores.multiselect(key=key).value
    assert np.isnan(frame(scores)["score"].tolist()[1])


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"%PDF-1.4", "PDF"),
        (b"a,b\n1,2,3\n1,2\n", "Line 2"),
        ((",".join(f"v{i}" for i in range(2500)) + "\n").encode() * 2, "limit"),
    ],
    ids=["empty", "header only", "PDF", "ragged", "wide"],
)
def test_a_bad_file_is_refused_beside_the_box_and_nothing_is_lost(
    scores: AppTest, content: bytes, sentence: str
) -> None:
    before = frame(scores)
    upload(scores, content, "bad.csv")
    assert sentence in scores.error[0].value
    assert frame(scores) is before
    assert "What was loaded before is still there." in [caption.value for caption in scores.caption]


def test_a_refused_file_can_be_read_in_another_way(app: AppTest) -> None:
    upload(app, b"1,2\n", "one.csv")
    assert "no rows" in app.error[0].value
    toggle = next(toggle for toggle in app.toggle if toggle.label == "First row holds the names")
    toggle.set_value(False).run()
    assert not app.error
    assert frame(app).shape == (1, 2)


def test_how_a_file_was_read_can_be_changed(scores: AppTest) -> None:
    serial = scores.session_state["_source_serial"]
    scores.selectbox(key=f"separator_{serial}").set_value("|").run()
    assert not scores.exception
    assert frame(scores).shape == (5, 1)
    scores.selectbox(key=f"separator_{serial}").set_value("auto").run()
    assert frame(scores).shape == (5, 3)


def test_a_model_stays_when_a_corrected_file_has_its_columns(app: AppTest) -> None:
    app.button(key="use_sleepstudy").click().run()
    chosen = app.session_state["_call"]
    upload(
        app,
        b"Reaction,Days,Subject,more\n" + b"".join(b"%d,%d,s%d,0\n" % (i, i % 5, i % 3) for i in range(30)),
    )
    assert app.session_state["_call"] == chosen
    upload(app, b"a,b\n1,2\n3,4\n", "other.csv")
    assert app.session_state["_call"] is None


HOSTILE = [
    ":red[x]",
    "$y$",
    "<script>alert(1)</script>",
    "`t`",
    "[a](http://b)",
    "Größe",
    "**b**",
    ":material/home:",
]


def test_hostile_names_reach_markdown_only_escaped(app: AppTest) -> None:
    values = pd.DataFrame({name: ["1", "2", "$z$ :red[w]"] for name in HOSTILE})
    upload(app, values.to_csv(index=False).encode(), ":blue[f]$.csv")
    shown = [
        element.value
        for kind in ("markdown", "caption", "warning", "header", "error")
        for element in getattr(app, kind)
    ]
    shown += labels(app)
    for text in shown:
        for name in HOSTILE:
            if name != "Größe":
                assert name not in text, (name, text)


def test_a_large_file_is_shown_by_its_first_rows(app: AppTest) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"g": rng.integers(0, 99, 50_000), "y": rng.normal(size=50_000).round(3)})
    upload(app, rows.to_csv(index=False).encode())
    assert len(app.dataframe[0].value) == 1_000
    assert "The first 1,000 of 50,000 rows, 2 columns." in [caption.value for caption in app.caption]


def test_yes_and_no_with_a_missing_value_go_all_the_way(app: AppTest) -> None:
    rows = "".join(f"{'abcd'[i // 6]},{('true', 'false', '')[i % 3]},{i % 7 + i / 9}\n" for i in range(24))
    upload(app, f"g,ok,y\n{rows}".encode())
    assert not app.exception
    profile = app.session_state["_inspected"].profile.set_index("Column")
    assert profile.loc["ok", "Values"] == "yes 8 · no 8"
    for page in ("explore", "model"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
    app.multiselect(key="model_fixed").set_value(["ok"]).run()
    assert not app.exception
    assert not app.error
    app.switch_page("pages/estimates.py").run()
    assert not app.exception


def test_dates_are_shown_as_days_and_moments_with_their_time(app: AppTest) -> None:
    upload(app, b"g,day,moment\na,2024-01-02,2024-01-02 10:30\nb,2024-02-29,2024-01-03 00:00\n")
    shown = json.loads(app.dataframe[0].proto.columns)
    assert shown["day"]["type_config"]["format"] == "YYYY-MM-DD"
    assert "moment" not in shown
