"""The Residuals page through app.py: five charts for every kind of model, grouping, sampling, names."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pages import fits


def test_an_example_shows_five_charts() -> None:
    app = fits.opened("residuals", "sleepstudy")
    assert not app.exception
    assert [heading.value for heading in app.subheader] == [
        "Residuals against fitted values",
        "Normal Q–Q plot\\: residuals",
        "Scale–location",
        "Normal Q–Q plot\\: group effects",
        "Residuals by Subject",
    ]
    assert len(fits.charts_of(app)) == 5


def test_residuals_can_be_grouped_by_a_predictor() -> None:
    app = fits.opened("residuals", "Machines")
    app.selectbox(key="residuals_grouping").select_index(1).run()
    assert not app.exception
    assert app.subheader[-1].value.startswith("Residuals by ")
    assert app.subheader[-1].value != "Residuals by Worker"


@pytest.mark.parametrize("example", ["Dyestuff2", "Penicillin", "classrooms", "Oats"])
def test_every_kind_of_model_is_drawn(example: str) -> None:
    app = fits.opened("residuals", example)
    assert not app.exception
    assert len(fits.charts_of(app)) == 5


def test_seventy_thousand_rows_are_sampled_with_a_note() -> None:
    app = fits.opened("residuals", "InstEval")
    assert not app.exception
    assert "20\\,000 of 73\\,421 rows are drawn" in " ".join(caption.value for caption in app.caption)


def test_every_chart_has_a_name_for_those_who_cannot_see_it() -> None:
    app = fits.opened("residuals", "sleepstudy")
    for element in app.get("plotly_chart"):
        assert element.proto.alt.endswith(".")


def test_hostile_names_stay_text() -> None:
    data = fits.hostile_data()
    data.index = np.array([f"<b>{i}</b>" for i in range(len(data))])
    app = fits.opened_with("residuals", data, fits.HOSTILE_CALL)
    assert not app.exception
    assert "<b>" not in str(fits.charts_of(app)).replace("<br>", "")
    for said in fits.texts(app):
        assert ":red[" not in said
        assert "](http" not in said
