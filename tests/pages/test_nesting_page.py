"""The nesting check on the Data page through app.py: shown at once, asked, answered, set in the model."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.data import examples
from tests.pages import fits
from tests.pages.test_nesting import classes


def opened(example: str) -> AppTest:
    app = fits.opened("data", example)
    assert not app.exception
    return app


def uploaded() -> AppTest:
    app = AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT).run()
    app.file_uploader(key="upload").upload("classes.csv", classes().to_csv(index=False).encode())
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(fits.texts(app))


def picker(app: AppTest) -> object:
    return next(box for box in app.multiselect if box.label == "Columns to compare")


@pytest.mark.parametrize("example", examples.names())
def test_every_example_shows_its_groups_without_a_click(example: str) -> None:
    app = opened(example)
    assert "How the rows are grouped" in said(app)
    assert "In a model:" in said(app) or "Answer the question" in said(app)


def test_crossed_and_nested_at_once() -> None:
    words = said(opened("InstEval"))
    assert "**d** is nested in **dept**" in words
    assert "73,421 of 3,352,416 combinations occur (2.2%)" in words
    assert "The model has this structure" in words


def test_a_raw_file_is_asked_about_its_labels_and_the_answer_becomes_the_model() -> None:
    app = uploaded()
    picker(app).set_value(["school", "room"]).run()  # type: ignore[attr-defined]
    assert "“7A” occurs in 12 of 12 groups" in said(app)
    assert "Answer the question above" in said(app)
    question = next(each for each in app.segmented_control if "room" in each.label)
    question.set_value("school").run()
    assert not app.exception
    assert "its labels coming again: 36 different ones" in said(app)
    app.button(key="nesting_use").click().run()
    call = app.session_state["_call"]
    assert (call.groups, call.vc_formula) == ("school", (("room", "0 + C(room)"),))
    assert "The model has this structure" in said(app)
    question = next(each for each in app.segmented_control if "room" in each.label)
    question.set_value("").run()
    app.button(key="nesting_use").click().run()
    assert app.session_state["_call"].groups == ""
    app.switch_page("pages/estimates.py").run()
    assert not app.exception
    assert "The fit converged" in said(app)


def test_no_column_and_no_labels() -> None:
    app = uploaded()
    picker(app).set_value([]).run()  # type: ignore[attr-defined]
    assert not app.exception
    assert "Choose the columns" in said(app)


def test_hostile_names_and_labels_stay_text() -> None:
    frame = fits.hostile_data().assign(**{"C(x) <b>": lambda f: [i % 12 for i in range(len(f))]})
    content = frame.to_csv(index=False).encode()
    app = AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT).run()
    app.file_uploader(key="upload").upload("mine.csv", content)
    app.run()
    picker(app).set_value([fits.GROUP, "C(x) <b>"]).run()  # type: ignore[attr-defined]
    assert not app.exception
    assert "<script>" not in str(fits.charts_of(app))
    for each in fits.texts(app):
        assert ":red[" not in each
        assert "](http" not in each
