"""Figures as the browser gets them: plain numbers, no template, colours of their own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest

from pages.ui import charts
from pages.ui.charts import DARK, LIGHT, Ink
from pages.ui.charts.sent import sent
from tests.pages import fits


def spec(figure: go.Figure, ink: Ink = LIGHT, **options: Any) -> dict[str, Any]:
    """What Streamlit makes of it."""
    content: dict[str, Any] = json.loads(
        plotly.io.to_json(sent(figure, ink, **options).to_dict(), validate=False)
    )
    return content


def test_numbers_are_plain_and_the_same() -> None:
    figure = charts.residuals_against_fitted(fits.many_rows(300)).figure
    for shown, trace in zip(spec(figure)["data"], figure.data, strict=True):
        assert shown["x"] == list(trace.x)
        assert shown["y"] == list(trace.y)
        assert shown["type"] == trace.type


def test_gaps_in_lines_stay_gaps() -> None:
    figure = charts.caterpillar(fits.many_effects(60), unit="x").figure
    gaps = [each is None for each in spec(figure)["data"][0]["y"]]
    assert gaps == np.isnan(np.asarray(figure.data[0].y, dtype=float)).tolist()
    assert any(gaps)


def test_nothing_is_left_that_a_copy_of_would_be_another() -> None:
    figure = charts.caterpillar(fits.many_effects(5), unit="x").figure
    layout = spec(figure)["layout"]
    assert "template" not in layout
    assert layout["datarevision"]
    assert "bdata" not in json.dumps(spec(figure))


def test_the_figure_itself_stays_as_it_is() -> None:
    figure = charts.residuals_against_fitted(fits.many_rows(50)).figure
    before = figure.to_json()
    sent(figure, DARK, clicked=True)
    assert figure.to_json() == before


@pytest.mark.parametrize("ink", [LIGHT, DARK])
def test_colours_are_those_of_the_appearance(ink: Ink) -> None:
    layout = spec(charts.residuals_against_fitted(fits.many_rows(50), charts.Marks(ink=ink)).figure, ink)[
        "layout"
    ]
    assert (layout["paper_bgcolor"], layout["font"]["color"]) == (ink.surface, ink.faded)
    assert layout["hoverlabel"]["font"]["color"] == ink.text
    assert layout["yaxis"]["showgrid"]
    assert not layout["xaxis"]["showgrid"]


def test_what_a_chart_sets_itself_wins() -> None:
    figure = go.Figure()
    figure.update_layout(plot_bgcolor="#123456", yaxis={"showgrid": False}, margin={"pad": 1})
    layout = spec(figure)["layout"]
    assert layout["plot_bgcolor"] == "#123456"
    assert layout["yaxis"]["showgrid"] is False
    assert layout["margin"]["pad"] == 1


def test_only_what_answers_clicks_takes_them() -> None:
    figure = charts.residuals_against_fitted(fits.many_rows(50)).figure
    assert "clickmode" not in spec(figure)["layout"]
    assert spec(figure, clicked=True)["layout"]["clickmode"] == "event+select"


def test_names_have_room_by_their_length() -> None:
    effects = fits.many_effects(5)
    short = spec(charts.caterpillar(effects.assign(level=list("abcde")), unit="x").figure)
    long = spec(
        charts.caterpillar(effects.assign(level=[f"&lt;group {i}" for i in range(5)]), unit="x").figure
    )
    assert short["layout"]["margin"]["l"] < long["layout"]["margin"]["l"] < 150
