"""The Effects page through app.py: predictions, what if, and models of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from mixedcore import datasets
from pages.ui.model.modelcall import ModelCall
from pages.ui.results import picking
from tests.pages import fits


def showing(app: AppTest, section: str) -> AppTest:
    """The same page with another section."""
    return app.segmented_control(key="effects_section").set_value(section).run()


def box(app: AppTest, label: str) -> object:
    """The selectbox with this label."""
    return next(found for found in app.selectbox if found.label == label)


def said(app: AppTest) -> str:
    return " ".join(fits.texts(app)).replace("\\", "")


def odd_rows() -> pd.DataFrame:
    """Eight groups with a boolean, a date, a code, a positive outcome and missing values."""
    rng = np.random.default_rng(4)
    g = np.repeat([f"g{i}" for i in range(8)], 15)
    x = rng.uniform(1, 5, g.size)
    frame = pd.DataFrame(
        {
            "g": g,
            "x": x,
            "yes": rng.random(g.size) < 0.5,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, g.size), unit="D"),
            "code": rng.integers(1, 4, g.size),
            "y": np.exp(0.4 * x + rng.normal(size=8).repeat(15) / 3 + rng.normal(size=g.size) / 4),
        }
    )
    frame.loc[::17, "x"] = np.nan
    return frame


def test_predictions_show_a_line_with_its_numbers_in_words() -> None:
    app = fits.opened("effects", "sleepstudy")
    assert not app.exception
    assert len(fits.charts_of(app)) == 1
    assert "Predicted Reaction goes from 251.4" in said(app)
    assert "at Days 0 to 345.6" in said(app)


def test_a_group_has_a_line_of_its_own_and_stays_chosen() -> None:
    app = fits.opened("effects", "sleepstudy")
    box(app, "Highlight a group").set_value("335").run()  # type: ignore[attr-defined]
    assert not app.exception
    assert "Subject 335" in {trace.get("name") for trace in fits.charts_of(app)[0]["data"]}
    assert "with its own random effects" in said(app)
    assert app.switch_page("pages/residuals.py").run().selectbox(key="residuals_chosen").value == "335"


def test_lines_for_another_predictor() -> None:
    app = fits.opened("effects", "Hsb82")
    box(app, "A line for each").set_value("sector").run()  # type: ignore[attr-defined]
    names = {trace.get("name") for trace in fits.charts_of(app)[0]["data"]}
    assert {"sector Public", "sector Catholic"} <= names
    box(app, "A line for each").set_value("meanses").run()  # type: ignore[attr-defined]
    assert not app.exception


def test_what_if_compares_with_what_was_remembered() -> None:
    app = showing(fits.opened("effects", "sleepstudy"), "What if")
    app.slider[0].set_value(0).run()
    assert app.metric[0].value == "251.4"
    app.button(key="effects_remember").click().run()
    app.slider[0].set_value(9).run()
    assert app.metric[0].value == "345.6"
    assert "94.21 more Reaction than before (251.4)" in said(app)


@pytest.mark.parametrize("section", ["Predictions", "What if"])
@pytest.mark.parametrize(
    "example", ["Machines", "cake", "egsingle", "Oats", "Early", "Assay", "BodyWeight", "ScotsSec", "Chem97"]
)
def test_every_kind_of_model_has_predictions(example: str, section: str) -> None:
    app = showing(fits.opened("effects", example), section)
    assert not app.exception
    groups = [found for found in app.selectbox if found.label == "Highlight a group"]
    if groups and groups[0].options:
        groups[0].set_value(groups[0].options[0]).run()
    assert not app.exception
    assert "nan" not in said(app).split()


@pytest.mark.parametrize("example", ["Dyestuff2", "Penicillin"])
def test_without_predictors_the_one_prediction_is_said(example: str) -> None:
    app = fits.opened("effects", example)
    assert not app.exception
    assert "the prediction is the same everywhere" in said(app)


ODD = [
    "np.log(y) ~ bs(x, df=4) * yes + C(code)",
    "np.log(y) ~ np.log(x) + yes",
    "y ~ day + x",
    "np.sqrt(y) ~ x + I(x**2)",
    "y ~ C(code, Sum) + x + I(2 * x)",
]


@pytest.mark.parametrize("section", ["Predictions", "What if"])
@pytest.mark.parametrize("formula", ODD)
@pytest.mark.parametrize("reml", [True, False])
def test_odd_columns_and_formulas(formula: str, section: str, reml: bool) -> None:
    app = fits.opened_with(
        "effects", odd_rows(), ModelCall(formula, "g", "1 + x", (("code", "0 + C(code)"),), reml=reml)
    )
    assert not app.exception, app.exception
    assert not app.error, app.error
    showing(app, section)
    assert not app.exception, app.exception
    if "log(y)" in formula:
        assert "median" in said(app)
        assert ("the median lies in" if section == "What if" else "intervals of the median") in said(app)


def test_an_aliased_column_is_said() -> None:
    app = fits.opened_with("effects", odd_rows(), ModelCall(ODD[-1], "g"))
    assert "the model leaves that out" in app.warning[0].value


def test_hostile_names_stay_text() -> None:
    app = fits.opened_with("effects", fits.hostile_data(), fits.HOSTILE_CALL)
    for section in ("What if", "Predictions"):
        showing(app, section)
        assert not app.exception
        for sentence in fits.texts(app):
            assert ":red[" not in sentence
            assert "](http" not in sentence
    assert "<b>y" not in str(fits.charts_of(app))


def test_no_data_and_no_model_are_invitations() -> None:
    app = AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT).run()
    assert not app.switch_page("pages/effects.py").run().exception
    assert not app.metric
    assert (
        "No model has been chosen" in fits.opened_with("effects", datasets.load("Rail"), None).info[0].value
    )


def lines_of(app: AppTest) -> dict[str, str]:
    """Each line of the predictions with its colour."""
    drawn = [trace for trace in fits.charts_of(app)[0]["data"] if trace.get("name") and trace.get("line")]
    return {trace["name"]: trace["line"]["color"] for trace in drawn if "color" in trace["line"]}


def more(app: AppTest) -> Any:
    return next(found for found in app.multiselect if found.label == "More groups")


def test_several_groups_have_lines_in_colours_that_they_keep() -> None:
    app = fits.opened("effects", "sleepstudy")
    box(app, "Highlight a group").set_value("335").run()  # type: ignore[attr-defined]
    more(app).set_value(["308", "309", "310"]).run()
    first = lines_of(app)
    assert set(first) == {
        "The average group",
        *(f"Subject {label}" for label in ("335", "308", "309", "310")),
    }
    assert len(set(first.values())) == 5
    more(app).set_value(["308", "310"]).run()
    assert {name: first[name] for name in lines_of(app)} == lines_of(app)
    more(app).set_value(["308", "310", "372"]).run()
    assert lines_of(app)["Subject 372"] == first["Subject 309"]
    assert "for Subject 335, Subject 308, Subject 372 and Subject 310 with their own random effects" in said(
        app
    )
    app.switch_page("pages/residuals.py").run()
    app.switch_page("pages/effects.py").run()
    assert more(app).value == ["308", "372", "310"]
    assert lines_of(app)["Subject 310"] == first["Subject 310"]


def test_the_highlighted_group_is_offered_no_second_time() -> None:
    app = fits.opened("effects", "sleepstudy")
    more(app).set_value(["308"]).run()
    box(app, "Highlight a group").set_value("308").run()  # type: ignore[attr-defined]
    assert not app.exception
    assert "308" not in more(app).options
    assert list(lines_of(app)) == ["The average group", "Subject 308"]


def test_with_a_line_for_each_value_there_are_no_more_groups() -> None:
    app = fits.opened("effects", "Hsb82")
    box(app, "A line for each").set_value("sector").run()  # type: ignore[attr-defined]
    assert "More groups" not in {found.label for found in app.multiselect}


@pytest.mark.parametrize(
    ("before", "chosen", "after"),
    [
        ((), ["a"], ("a", None, None)),
        (("a", "b", None), ["b", "c"], ("c", "b", None)),
        (("a", "b", "c"), [], (None, None, None)),
        (("a", None, "c"), ["c", "a", "d"], ("a", "d", "c")),
        (("a", "b", "c"), ["a", "b", "c", "d"], ("a", "b", "c")),
    ],
)
def test_places_of_colours(before: tuple[str | None, ...], chosen: list[str], after: object) -> None:
    assert picking.places(before, chosen, 3) == after
