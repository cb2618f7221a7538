"""The Explore page through app.py: defaults of the model or of the data, every kind of column, odd data."""

from __future__ import annotations

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.data import examples
from pages.ui.explore import view
from tests.pages import fits


def section(app: AppTest, name: str) -> AppTest:
    """The page with another section open."""
    return app.segmented_control(key="explore_section").set_value(name).run()


def said(app: object) -> str:
    return " ".join(fits.texts(app))  # type: ignore[arg-type]


@pytest.mark.parametrize("example", examples.names())
def test_every_example_is_explored(example: str) -> None:
    app = fits.opened("explore", example)
    assert not app.exception
    assert not app.error
    assert len(fits.charts_of(app)) == 3
    assert "lies between the groups" in said(app)
    for name in app.segmented_control(key="explore_section").options[1:]:
        section(app, name)
        assert not app.exception
        assert len(fits.charts_of(app)) == (2 if name == view.LINES else 1)


def test_the_model_gives_the_first_choices() -> None:
    app = fits.opened("explore", "sleepstudy")
    boxes = {box.label: box.value for box in app.selectbox}
    assert (boxes["Outcome"], boxes["Groups"], boxes["Predictor"]) == ("Reaction", "Subject", "Days")
    section(app, view.SLOPES)
    assert "Reaction rises by 10.5 for one more Days" in said(app)


@pytest.mark.parametrize("name", [view.OUTCOME, view.LINES, view.SLOPES])
def test_it_works_before_there_is_a_model(name: str) -> None:
    app = section(fits.opened_with("explore", fits.hostile_data(), None), name)
    assert not app.exception
    assert fits.charts_of(app)
    assert "<script>" not in str(fits.charts_of(app))
    for each in fits.texts(app):
        assert ":red[" not in each
        assert "](http" not in each


def test_a_category_and_no_predictor() -> None:
    app = fits.opened("explore", "Machines")
    box = next(box for box in app.selectbox if box.label == "Predictor")
    box.set_value("Machine").run()
    assert not app.exception
    assert app.segmented_control(key="explore_section").options == [view.OUTCOME, view.LINES]
    section(app, view.LINES)
    assert len(fits.charts_of(app)) == 2
    next(box for box in app.selectbox if box.label == "Predictor").set_value("").run()
    assert len(fits.charts_of(app)) == 3


def test_a_group_is_highlighted_here_and_on_the_next_page() -> None:
    app = fits.opened("explore", "sleepstudy")
    app.selectbox(key="explore_chosen").set_value("370").run()
    assert not app.exception
    drawn = fits.charts_of(app)
    for name in (view.LINES, view.SLOPES):
        drawn += fits.charts_of(section(app, name))
    named = [{trace.get("name") for trace in figure["data"]} for figure in drawn]
    assert sum("370" in names for names in named) >= 4
    app.switch_page("pages/group_effects.py").run()
    assert app.selectbox(key="group_effects_chosen").value == "370"


def test_data_without_an_outcome_or_groups_get_a_sentence() -> None:
    words = pd.DataFrame({"a": list("aabb"), "b": list("abab")})
    assert (
        "No column of these data can be an outcome"
        in fits.opened_with("explore", words, None).warning[0].value
    )
    single = pd.DataFrame({"y": [1.5, 2.5, 3.25, 4.0]})
    assert (
        "No column of these data can be a group" in fits.opened_with("explore", single, None).warning[0].value
    )


def test_no_row_is_complete() -> None:
    frame = pd.DataFrame({"y": [1.0, 2, None, None], "x": [None, None, 1.5, 2.5], "g": list("aabb")})
    app = fits.opened_with("explore", frame, None)
    assert not app.exception
    next(box for box in app.selectbox if box.label == "Predictor").set_value("x").run()
    assert "No row has" in app.warning[0].value
