"""The Model page with hostile names, formulas that fail and data that cannot work: sentences, and no loss."""

from __future__ import annotations

import pytest

from pages.ui.model.modelcall import ModelCall
from tests.pages.model_page import (
    ODD,
    call,
    errors,
    fitted,
    formula,
    odd_frame,
    opened,
    with_data,
)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Reaction ~ __import__('os').system('true')", "__import__"),
        ("Reaction ~ Dayz", "Did you mean Days"),
        ("Reaction ~", "after the ~"),
        ("", "empty"),
        ("Reaction ~ (Days", "never closed"),
        ("Reaction ~ Days.__class__", "__class__"),
        ("Reaction ~ I(Subject * 10**9)", "not a number"),
        ("Subject ~ Days", "numeric outcome"),
        ("Reaction ~ Reaction", "also a predictor"),
        ("Reaction ~ Days + :red[x] `$", "Not fitted"),
    ],
)
def test_a_formula_that_fails_costs_nothing(typed: str, said: str) -> None:
    app = opened()
    app.text_input(key="model_text_formula").set_value(typed).run()
    assert said in errors(app)
    assert formula(app) == typed
    assert "last fit that worked" in " ".join(text.value for text in app.markdown)
    assert len(app.dataframe) == 2
    app.button(key="model_back").click().run()
    assert formula(app) == "Reaction ~ Days"
    assert fitted(app)


def test_what_widgets_cannot_show_greys_only_its_own_part() -> None:
    app = opened()
    app.text_input(key="model_text_formula").set_value("np.log10(Reaction) ~ Days").run()
    assert fitted(app)
    assert app.selectbox(key="model_outcome").disabled
    assert app.multiselect(key="model_fixed").disabled
    assert not app.multiselect(key="model_slopes").disabled
    app.multiselect(key="model_slopes").set_value([]).run()
    assert call(app) == ModelCall("np.log10(Reaction) ~ Days", "Subject", "1")
    app.button(key="model_unlock_formula").click().run()
    assert call(app) == ModelCall("Reaction ~ Days", "Subject", "1")
    assert not app.selectbox(key="model_outcome").disabled


def test_hostile_names_are_chosen_like_any_other() -> None:
    app = with_data(odd_frame())
    for name in ODD:
        others = [other for other in ODD if other != name]
        app.selectbox(key="model_outcome").set_value(name).run()
        app.multiselect(key="model_fixed").set_value(others[:3]).run()
        assert fitted(app), (name, errors(app))
        shown = [
            *(c.value for c in app.caption),
            *(m.value for m in app.markdown),
            *(e.value for e in app.error),
        ]
        assert not any(":red[x]" in text or "<script>" in text or "](http" in text for text in shown)


def test_an_outcome_leaves_the_predictors_and_that_is_said() -> None:
    app = with_data(odd_frame())
    app.multiselect(key="model_fixed").set_value(["µ", "code"]).run()
    app.selectbox(key="model_outcome").set_value("µ").run()
    assert app.multiselect(key="model_fixed").value == ["code"]
    assert "µ is the outcome now" in " ".join(caption.value for caption in app.caption)
    assert fitted(app)


def test_what_cannot_work_is_not_offered_and_the_reason_given() -> None:
    app = with_data(odd_frame())
    said = " ".join(caption.value for caption in app.caption)
    assert not {"text", "constant", "empty", "row", "group"} & set(app.selectbox(key="model_outcome").options)
    assert not {"text", "constant", "empty", "row"} & set(app.multiselect(key="model_fixed").options)
    assert "text and row are text, and an outcome must be a number" in said
    assert "row has a different text in every row" in said
    assert "text and constant have one group only" in said


def test_twins_and_billions_are_fitted_with_a_remark() -> None:
    app = with_data(odd_frame())
    app.selectbox(key="model_outcome").set_value("µ").run()
    app.multiselect(key="model_fixed").set_value(["a b", "twin", "billions"]).run()
    assert fitted(app)
    assert "twin" in " ".join(caption.value for caption in app.caption if "info" in caption.value)


def test_a_slope_that_cannot_vary_is_explained() -> None:
    app = with_data(odd_frame())
    app.multiselect(key="model_slopes").set_value(["of_group"]).run()
    assert "never varies within a group" in " ".join(warning.value for warning in app.warning)
    assert "not among the predictors" in " ".join(caption.value for caption in app.caption)


def test_data_without_an_outcome_are_explained() -> None:
    app = with_data(odd_frame()[["text", "row", "group"]])
    assert not app.exception
    assert "No column of these data can be an outcome" in app.warning[0].value


def test_data_without_groups_say_what_is_needed() -> None:
    app = with_data(odd_frame()[["µ", "row"]])
    assert errors(app)
    assert call(app).groups == ""
