"""The Residuals page through app.py: sections, a row chosen, left out with a reason, taken back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import jobs, state
from pages.ui.model.modelcall import ModelCall
from pages.ui.residuals import computed
from pages.ui.residuals.sections import SECTIONS
from tests.pages import fits


def section(app: AppTest, name: str) -> AppTest:
    """The page with another question open."""
    app.segmented_control(key="residuals_section").set_value(name)
    return app.run()


def choose_row(app: AppTest, label: object) -> AppTest:
    return app.text_input(key="row_label").set_value(str(label)).run()


def strip(app: AppTest) -> str:
    return " ".join(str(link.proto.label) for link in app.get("page_link"))


@pytest.mark.parametrize("example", ["sleepstudy", "Dyestuff2", "Penicillin", "classrooms", "Oats"])
def test_every_section_of_every_kind_of_model_is_drawn(example: str) -> None:
    app = fits.opened("residuals", example)
    assert not app.exception
    for name in SECTIONS:
        section(app, name)
        assert not app.exception, name
        assert fits.charts_of(app), name
        for element in app.get("plotly_chart"):
            assert element.proto.alt.endswith(".")


def test_residuals_can_be_grouped_by_a_predictor() -> None:
    app = section(fits.opened("residuals", "Machines"), "Even spread?")
    app.selectbox(key="residuals_grouping").select_index(1).run()
    assert not app.exception
    assert app.header[-1].value.startswith("Residuals by ")
    assert app.header[-1].value != "Residuals by Worker"


def test_seventy_thousand_rows_are_sampled_with_a_note_and_simulated_when_asked_only() -> None:
    app = fits.opened("residuals", "InstEval")
    assert not app.exception
    assert "1\\,500 of 73\\,421 rows are drawn" in " ".join(caption.value for caption in app.caption)
    app.toggle(key="residuals_more_points").set_value(True).run()
    assert "20\\,000 of 73\\,421 rows are drawn" in " ".join(caption.value for caption in app.caption)
    section(app, "The whole model?")
    assert not fits.charts_of(app)
    assert app.toggle(key="residuals_simulate").value is False


def test_many_groups_are_left_out_in_turn_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computed, "QUICK_TO_LEAVE_OUT", 1)
    jobs.kept.clear()  # type: ignore[attr-defined]
    app = section(fits.opened("residuals", "Penicillin"), "Single rows and groups?")
    label = "Leave out each of 24 groups of plate"
    before = len(fits.charts_of(app))
    fits.finish(app, label)
    assert not app.exception
    assert len(fits.charts_of(app)) == before + 1
    app.selectbox(key="residuals_influence_by").set_value("sample").run()
    assert len(fits.charts_of(app)) == before
    assert "Leave out each of 6 groups of sample" in [button.label for button in app.button]


def test_a_row_is_left_out_with_a_reason_and_taken_back() -> None:
    app = choose_row(fits.opened("residuals", "sleepstudy"), 57)
    assert any("Studentised residual" in said.value for said in app.markdown)
    app.text_input(key="row_reason").set_value("fell *asleep*").run()
    app.button(key="row_out").click().run()
    assert not app.exception
    assert "179 rows (1 left out)" in strip(app)
    assert any("Row 57: fell \\*asleep\\*" in said.value for said in app.markdown)
    assert any("standard error" in said.value for said in app.markdown)
    app.switch_page("pages/estimates.py").run()
    assert "179 rows (1 left out)" in strip(app)
    app.switch_page("pages/residuals.py").run()
    app.button(key="left_out_back_0").click().run()
    assert not app.exception
    assert "180 rows ×" in strip(app)


def test_a_group_is_left_out_as_one_and_single_rows_of_it_come_back() -> None:
    app = choose_row(fits.opened("residuals", "sleepstudy"), 0)
    app.button(key="row_group_out_0").click().run()
    assert not app.exception
    assert "170 rows (10 left out)" in strip(app)
    app.selectbox(key="left_out_single").select_index(3).run()
    assert "171 rows (9 left out)" in strip(app)
    app.button(key="left_out_all").click().run()
    assert "180 rows ×" in strip(app)


def test_a_row_that_is_not_there_is_said() -> None:
    app = choose_row(fits.opened("residuals", "sleepstudy"), "nobody")
    assert not app.exception
    assert "row_out" not in {button.key for button in app.button}
    assert any("nobody" in toast.value for toast in app.toast)


def test_a_model_that_cannot_do_without_the_rows_says_so_with_a_way_back() -> None:
    frame = pd.DataFrame({"y": np.arange(8.0) ** 1.5, "g": list("aabbccdd")})
    app = fits.opened_with("residuals", frame, ModelCall("y ~ 1", "g"))
    app.session_state[state._ALL_ROWS] = app.session_state[state._DATASET]
    app.run()
    for row in range(8):
        if any(box.key == "row_label" for box in app.text_input):
            choose_row(app, row)
            app.button(key="row_out").click().run()
            assert not app.exception
    assert app.error
    app.button(key="offer_rows_back").click().run()
    assert not app.exception
    assert not app.error


def test_hostile_names_stay_text() -> None:
    data = fits.hostile_data()
    data.index = np.array([f"<b>{i}</b>" for i in range(len(data))])
    app = fits.opened_with("residuals", data, fits.HOSTILE_CALL)
    app.session_state[state._ALL_ROWS] = app.session_state[state._DATASET]
    choose_row(app, "<b>7</b>")
    for name in SECTIONS:
        section(app, name)
        assert not app.exception
        assert "<b>" not in str(fits.charts_of(app)).replace("<br>", "")
        for said in fits.texts(app):
            assert ":red[" not in said
            assert "](http" not in said
    app.text_input(key="row_reason").set_value("=1+1 [a](http://b) :red[x]").run()
    app.button(key="row_out").click().run()
    assert not app.exception
    for said in fits.texts(app):
        assert ":red[" not in said
        assert "](http" not in said
