"""The Group effects page through app.py: effects, search, one highlighted group in every plot."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import state
from pages.ui.model.modelcall import ModelCall
from pages.ui.results import picking
from pages.ui.results.group_sections import SECTIONS
from tests.pages import fits


def legend_names(app: object) -> set[str]:
    return {trace.get("name", "") for figure in fits.charts_of(app) for trace in figure["data"]}  # type: ignore[arg-type]


def section(app: AppTest, name: str) -> AppTest:
    """The page with another section open."""
    app.segmented_control(key="group_effects_section").set_value(name)
    return app.run()


def test_an_example_shows_caterpillar_table_shrinkage_and_lines() -> None:
    app = fits.opened("group_effects", "sleepstudy")
    assert not app.exception
    assert len(fits.charts_of(app)) == 1
    effects = app.dataframe[0].value
    assert effects["Group"].tolist()[0] == "337"
    assert effects["Rank"].tolist() == list(range(1, 19))
    for name in list(SECTIONS)[1:]:
        section(app, name)
        assert not app.exception
        assert len(fits.charts_of(app)) == 2


def test_what_the_residuals_page_computes_is_no_predictor() -> None:
    app = section(fits.opened("group_effects", "Penicillin"), "Lines over the data")
    assert not [box for box in app.selectbox if box.key == "group_effects_predictor"]
    (means,) = [element.proto.alt for element in app.get("plotly_chart")]
    assert means.startswith("Observed diameter in 24 groups with the fitted mean of each")
    app = section(fits.opened("group_effects", "sleepstudy"), "Lines over the data")
    assert "Each line joins" in " ".join(fits.texts(app))  # no other column moves them


def test_the_effect_can_be_chosen() -> None:
    app = fits.opened("group_effects", "sleepstudy")
    box = app.selectbox(key="group_effects_effect")
    assert box.options == ["Intercept by Subject", "Slope of Days by Subject"]
    box.select_index(1).run()
    assert app.dataframe[0].value["Group"].tolist()[0] == "308"


def test_a_highlighted_group_is_in_every_plot_and_on_the_next_page() -> None:
    app = fits.opened("group_effects", "sleepstudy")
    app.selectbox(key="group_effects_chosen").set_value("370").run()
    for name in SECTIONS:
        section(app, name)
        for figure in fits.charts_of(app):
            assert "370" in {trace.get("name") for trace in figure["data"]}
    app.switch_page("pages/residuals.py").run()
    assert app.selectbox(key="residuals_chosen").value == "370"
    assert "370" in legend_names(app)


def test_a_class_highlights_its_school_where_classes_are_not_drawn() -> None:
    app = fits.opened("group_effects", "classrooms")
    app.selectbox(key="group_effects_effect").select_index(2).run()
    label = app.dataframe[0].value["Group"].iloc[0]
    app.selectbox(key="group_effects_chosen").set_value(label).run()
    assert not app.exception
    assert label in legend_names(app)
    section(app, "Lines over the data")
    assert label.split(" / ")[0] in legend_names(app)


def test_a_label_that_two_factors_share_is_highlighted_in_its_own_alone() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(list("abcdef"), 20), "h": np.tile(list("abcde"), 24)})
    frame["y"] = rng.normal(size=6)[np.repeat(range(6), 20)] + rng.normal(size=120)
    frame["y"] += 2 * rng.normal(size=5)[np.tile(range(5), 24)]
    call = ModelCall("y ~ 1", "", None, (("g", "0 + C(g)"), ("h", "0 + C(h)")))
    app = fits.opened_with("group_effects", frame, call)
    app.selectbox(key="group_effects_chosen").set_value("b").run()
    assert "b" in legend_names(app)
    app.selectbox(key="group_effects_effect").select_index(1).run()
    assert not app.exception
    assert "b" not in legend_names(app)
    assert app.selectbox(key="group_effects_chosen").value is None


def test_the_table_can_be_searched() -> None:
    app = fits.opened("group_effects", "sleepstudy")
    search = app.text_input(key="group_effects_table_search")
    search.set_value("37").run()
    assert sorted(app.dataframe[0].value["Group"]) == ["337", "370", "371", "372"]
    search.set_value("[").run()
    assert not app.exception
    assert not app.dataframe


@pytest.mark.parametrize("example", ["Dyestuff2", "Penicillin", "Machines", "BodyWeight", "cake"])
def test_every_kind_of_model_is_drawn(example: str) -> None:
    app = fits.opened("group_effects", example)
    assert not app.exception
    for name in SECTIONS:
        section(app, name)
        assert not app.exception
        assert fits.charts_of(app)


def test_hostile_names_stay_text() -> None:
    app = fits.opened_with("group_effects", fits.hostile_data(), fits.HOSTILE_CALL)
    assert not app.exception
    app.selectbox(key="group_effects_chosen").set_value(fits.NAMES[0]).run()
    assert not app.exception
    for said in fits.texts(app):
        assert ":red[" not in said
        assert "](http" not in said
    assert sorted(app.dataframe[0].value["Group"]) == sorted(fits.NAMES)
    for name in SECTIONS:
        section(app, name)
        assert not app.exception
        assert "<script>" not in str(fits.charts_of(app))


@pytest.mark.parametrize("point", [{"x": 1.0}, {"customdata": [1]}])
def test_a_click_on_the_mark_of_the_chosen_group_changes_nothing(
    point: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That mark carries no place in the list of groups; only points that do choose another."""
    chosen: list[tuple[str, str]] = []
    clicked = SimpleNamespace(selection=SimpleNamespace(points=[point]))
    monkeypatch.setattr("pages.ui.results.picking.st.session_state", {"chart": clicked})
    monkeypatch.setattr(state, "set_chosen_group", lambda *group: chosen.append(group))
    picking.highlight_clicked(["a", "b"], "g")("chart")
    assert chosen == ([("b", "g")] if "customdata" in point else [])
