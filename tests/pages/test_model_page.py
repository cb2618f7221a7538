"""The Model page through the app: widgets and formulas move each other, a fit appears, nothing is lost."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.model_page import (
    APP,
    TIMEOUT,
    call,
    errors,
    fitted,
    formula,
    odd_frame,
    opened,
    with_data,
)


def test_without_data_there_is_an_invitation() -> None:
    app = AppTest.from_file(APP, default_timeout=TIMEOUT).run().switch_page("pages/model.py").run()
    assert not app.exception
    assert "no data yet" in " ".join(heading.value for heading in app.header)


@pytest.mark.parametrize("example", ["sleepstudy", "classrooms", "Penicillin", "Machines", "Dyestuff2"])
def test_an_example_is_fitted_at_once(example: str) -> None:
    app = opened(example)
    assert fitted(app)
    assert len(app.dataframe) == 2


def test_the_numbers_are_those_of_the_fit() -> None:
    app = opened()
    assert "REML criterion **1,743.63**" in " ".join(text.value for text in app.markdown)
    assert app.dataframe[0].value["Estimate"].tolist() == ["251.4", "10.5"]


def test_new_data_start_from_a_model_that_fits() -> None:
    app = with_data(odd_frame())
    assert fitted(app)
    assert call(app).groups == "group"
    assert call(app).formula.endswith("~ 1")


def test_widgets_move_the_formulas() -> None:
    app = opened("classrooms")
    app.multiselect(key="model_fixed").set_value(["age"]).run()
    app.multiselect(key="model_slopes").set_value([]).run()
    assert call(app).re_formula == "1"
    app.toggle(key="model_random_intercept").set_value(False).run()
    assert call(app).re_formula is None
    app.toggle(key="model_intercept").set_value(False).run()
    assert formula(app) == "test_score ~ 0 + age"
    app.segmented_control(key="model_reml").set_value(False).run()
    app.segmented_control(key="model_missing").set_value("raise").run()
    assert (call(app).reml, call(app).missing) == (False, "raise")
    assert fitted(app)


def test_interactions_categories_and_uncorrelated_slopes() -> None:
    app = opened()
    app.pills(key="model_categorical").set_value(["Days"]).run()
    assert formula(app) == "Reaction ~ C(Days)"
    assert app.segmented_control(key="model_correlated").disabled
    app.pills(key="model_categorical").set_value([]).run()
    app.segmented_control(key="model_correlated").set_value("apart").run()
    assert call(app).vc_formula == (("Days slope", "0 + Days"),)
    assert app.multiselect(key="model_slopes").value == ["Days"]
    assert fitted(app)
    app = opened("Orthodont")
    assert formula(app) == "distance ~ age * Sex"
    app.multiselect(key="model_interactions").set_value([]).run()
    assert formula(app) == "distance ~ age + Sex"


def test_formulas_move_the_widgets() -> None:
    app = opened("classrooms")
    app.text_input(key="model_text_formula").set_value("test_score ~ 0 + age").run()
    app.text_input(key="model_text_re_formula").set_value("1").run()
    assert app.multiselect(key="model_fixed").value == ["age"]
    assert not app.toggle(key="model_intercept").value
    assert app.multiselect(key="model_slopes").value == []
    assert formula(app) == "test_score ~ 0 + age"
    assert fitted(app)


def test_components_are_added_changed_and_removed() -> None:
    app = opened("classrooms")
    assert app.text_input(key="model_vc_0_name").value == "classroom"
    app.text_input(key="model_vc_0_name").set_value("room").run()
    app.selectbox(key="model_vc_0_kind").set_value("slope_in_factor").run()
    app.selectbox(key="model_vc_0_column").set_value("pretest").run()
    assert call(app).vc_formula == (("room", "0 + C(classroom):pretest"),)
    assert fitted(app)
    app.button(key="model_vc_add").click().run()
    assert len(call(app).vc_formula) == 2
    app.text_input(key="model_vc_1_name").set_value("room").run()
    assert "Two variance components are named 'room'" in errors(app)
    app.button(key="model_vc_1_remove").click().run()
    app.button(key="model_vc_0_remove").click().run()
    assert call(app).vc_formula == ()
    assert fitted(app)


def test_a_component_emptied_by_hand_goes_away() -> None:
    app = opened("classrooms")
    app.text_input(key="model_text_vc_formula_0").set_value(" ").run()
    assert call(app).vc_formula == ()


def test_all_rows_together_and_back() -> None:
    app = opened()
    app.selectbox(key="model_groups").set_value("").run()
    assert (call(app).groups, call(app).re_formula) == ("", "0")
    assert errors(app)
    app.button(key="model_vc_add").click().run()
    assert call(app).vc_formula == (("Subject", "0 + C(Subject)"),)
    assert fitted(app)
    app.selectbox(key="model_groups").set_value("Subject").run()
    assert (call(app).groups, call(app).re_formula, call(app).vc_formula) == ("Subject", "1", ())
    assert fitted(app)


def test_hold_waits_for_the_button() -> None:
    app = opened()
    app.toggle(key="model_hold").set_value(True).run()
    assert fitted(app)
    app.multiselect(key="model_slopes").set_value([]).run()
    assert "last fit that worked" in " ".join(text.value for text in app.markdown)
    app.button(key="model_fit").click().run()
    assert fitted(app)
    assert "REML criterion **1,786.47**" in " ".join(text.value for text in app.markdown)


def test_everything_survives_leaving_the_page() -> None:
    app = opened()
    app.toggle(key="model_hold").set_value(True).run()
    app.text_input(key="model_text_formula").set_value("np.log(Reaction) ~ Days +").run()
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/model.py").run()
    assert formula(app) == "np.log(Reaction) ~ Days +"
    assert app.toggle(key="model_hold").value
    assert app.multiselect(key="model_slopes").value == ["Days"]


def test_the_program_is_shown_for_all_three_packages() -> None:
    programs = [block.value for block in opened().code]
    assert [program.splitlines()[1] for program in programs[:2]] == [
        "from mixedcore import mixedlm",
        "from statsmodels.formula.api import mixedlm",
    ]
    assert "Reaction ~ Days + (1 + Days | Subject)" in programs[2]
