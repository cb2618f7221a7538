"""Several grouping factors, shapes of predictors and lme4's notation on the Model page."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from mixedcore import datasets
from pages.ui.model.modelcall import ModelCall
from pages.ui.model.random_part import slope_key
from tests.pages.model_page import call, errors, fitted, formula, odd_frame, opened, with_data


def bars(app: AppTest) -> str:
    return str(app.text_input(key="model_text_bars").value)


def type_bars(app: AppTest, text: str) -> None:
    app.text_input(key="model_text_bars").set_value(text).run()


def reopen(app: AppTest) -> AppTest:
    """Open what is behind the first predictor's button: the test client forgets that it is open."""
    app.session_state["model_shape_0"] = True
    return app.run()


# --- several grouping factors --------------------------------------------------------------------


def test_a_second_factor_makes_bars_and_without_it_there_are_none() -> None:
    app = opened("cake")
    assert bars(app) == "angle ~ recipe + temp + (1 | replicate:recipe)"
    app.selectbox(key="model_vc_0_column").set_value("temperature").run()
    app.button(key="model_block_add").click().run()
    assert call(app).formula == "angle ~ temp + (1 | replicate:temperature) + (1 | recipe)"
    assert not errors(app)
    app.button(key="model_block_0_remove").click().run()
    assert call(app) == ModelCall("angle ~ temp", "recipe", "1")
    assert fitted(app)


def test_components_become_factors_of_the_same_model() -> None:
    app = opened("Penicillin")
    before = [text.value for text in app.markdown if "criterion" in text.value]
    app.button(key="model_block_open").click().run()
    assert call(app).formula == "diameter ~ 1 + (1 | plate) + (1 | sample)"
    assert [text.value.split(" · ")[0] for text in app.markdown if "criterion" in text.value] == [
        text.split(" · ")[0] for text in before
    ]


def test_what_groups_the_rows_already_is_not_added() -> None:
    app = opened("Pastes")
    assert bars(app) == "strength ~ 1 + (1 | batch) + (1 | batch:cask)"
    assert app.button(key="model_block_add").disabled  # samples are the casks of batches under another name


def test_crossed_factors_have_slopes_of_their_own() -> None:
    app = with_data(datasets.load("Oats").rename(columns={"yield": "y"}))
    type_bars(app, "y ~ nitro + (1 | Block) + (1 | Variety)")
    app.multiselect(key="model_block_0_slopes").set_value(["nitro"]).run()
    assert call(app).formula == "y ~ nitro + (1 + nitro | Block) + (1 | Variety)"
    app.segmented_control(key="model_block_0_correlation").set_value("apart").run()
    assert call(app).formula == "y ~ nitro + (1 | Block) + (0 + nitro | Block) + (1 | Variety)"
    app.toggle(key="model_block_0_intercept").set_value(False).run()
    app.multiselect(key="model_block_1_factor").set_value(["Block", "Variety"]).run()
    assert call(app).formula == "y ~ nitro + (0 + nitro | Block) + (1 | Block:Variety)"
    assert fitted(app)


def test_slopes_are_correlated_in_parts() -> None:
    app = with_data(odd_frame().rename(columns={"a b": "a"}))
    app.selectbox(key="model_outcome").set_value("µ").run()
    app.multiselect(key="model_fixed").set_value(["a", "C"]).run()
    app.multiselect(key="model_slopes").set_value(["a", "C"]).run()
    app.segmented_control(key="model_correlated").set_value("split").run()
    assert call(app).formula == 'Q("µ") ~ a + C + (1 + a | group) + (0 + C | group)'
    app.multiselect(key="model_block_0_part_1").set_value(["C", "a"]).run()
    assert call(app).formula == 'Q("µ") ~ a + C + (1 | group) + (0 + C + a | group)'
    app.segmented_control(key="model_block_0_correlation").set_value("together").run()
    assert call(app).re_formula == "1 + C + a"
    assert not errors(app)


def test_groups_of_single_rows_are_explained() -> None:
    app = with_data(odd_frame())
    type_bars(app, "C ~ 1 + (1 | group) + (1 | row)")
    assert "a single row in every level" in " ".join(warning.value for warning in app.warning)


def test_a_predictor_that_cannot_vary_is_not_offered_as_a_slope() -> None:
    app = with_data(odd_frame())
    app.multiselect(key="model_fixed").set_value(["of_group", "C"]).run()
    assert "of_group" not in app.multiselect(key="model_slopes").options
    assert "Not offered as slopes: of\\_group" in " ".join(caption.value for caption in app.caption)


@pytest.mark.parametrize(
    "name", ["<script>alert(2)</script>", "$x$ **b** [l](http://x)", ":blue[x]", "Intercept"]
)
def test_hostile_names_of_groups_and_predictors_stay_text(name: str) -> None:
    app = with_data(odd_frame().rename(columns={"group": name, "code": f"{name} 2"}))
    app.multiselect(key="model_fixed").set_value(["C", "µ"]).run()
    app.button(key="model_block_add").click().run()
    app.multiselect(key="model_block_0_slopes").set_value(["µ"]).run()
    assert call(app).in_bars
    assert not errors(app)
    shown = [element.value for element in (*app.caption, *app.markdown, *app.warning)]
    assert not any("<script>" in text or "](http" in text or ":blue[x]" in text for text in shown)


def test_a_component_of_single_rows_is_explained() -> None:
    app = with_data(odd_frame())
    app.button(key="model_vc_add").click().run()
    assert call(app).vc_formula[0][1] == "0 + C(code)"
    app.text_input(key="model_text_vc_formula_0").set_value("0 + C(row)").run()
    assert "a single row in every level" in " ".join(warning.value for warning in app.warning)


# --- both notations ------------------------------------------------------------------------------


def test_lme4_notation_moves_the_widgets() -> None:
    app = opened()
    assert bars(app) == "Reaction ~ Days + (1 + Days | Subject)"
    type_bars(app, "Reaction ~ 1 + (1 | Subject)")
    assert app.multiselect(key="model_slopes").value == []
    assert formula(app) == "Reaction ~ 1"
    assert fitted(app)
    app.text_input(key="model_text_formula").set_value("Reaction ~ Days").run()
    assert call(app) == ModelCall("Reaction ~ Days", "Subject", "1")
    app.text_input(key="model_text_formula").set_value("Reaction ~ Days + (Days || Subject)").run()
    assert call(app) == ModelCall("Reaction ~ Days + (Days || Subject)", "")
    assert app.segmented_control(key="model_correlated").value == "apart"
    assert fitted(app)


def test_bars_beyond_the_widgets_are_used_as_typed_and_can_be_left() -> None:
    app = opened("Orthodont")
    typed = "distance ~ age + Sex + (1 + age:Sex | Subject)"
    type_bars(app, typed)
    assert call(app).formula == typed
    assert not errors(app)
    app.multiselect(key="model_fixed").set_value(["age"]).run()
    assert call(app).formula == "distance ~ age + (1 + age:Sex | Subject)"
    app.button(key="model_unlock_bars").click().run()
    assert call(app).groups == "Subject"
    assert fitted(app)


@pytest.mark.parametrize("typed", ["Reaction ~ (1 | Subject", "Reaction ~ (1 | nobody)", "|"])
def test_bars_that_fail_cost_nothing(typed: str) -> None:
    app = opened()
    type_bars(app, "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)")
    type_bars(app, typed)
    assert errors(app)
    assert "last fit that worked" in " ".join(text.value for text in app.markdown)
    app.button(key="model_back").click().run()
    assert fitted(app)


# --- how a predictor enters ----------------------------------------------------------------------


def test_a_number_is_transformed_and_bent() -> None:
    app = reopen(opened("sleepstudy"))
    assert "Logarithm is not offered" in " ".join(caption.value for caption in app.caption)
    app.selectbox(key="model_shape_0_transform").set_value("centre").run()
    assert formula(app) == "Reaction ~ center(Days)"
    assert call(app).re_formula == "1 + center(Days)"
    assert "The random slope of Days" in " ".join(caption.value for caption in app.caption)
    reopen(app).segmented_control(key="model_shape_0_curve").set_value("powers").run()
    assert formula(app) == "Reaction ~ center(Days) + I(center(Days)**2)"
    reopen(app).slider(key="model_shape_0_degree").set_value(3).run()
    assert "**3" in formula(app)
    assert fitted(app)
    app.multiselect(key="model_slopes").set_value([]).run()
    reopen(app).segmented_control(key="model_shape_0_curve").set_value("cr").run()
    assert formula(app) == 'Reaction ~ cr(center(Days), df=4, constraints="center")'
    assert fitted(app)


def test_levels_are_compared_in_another_way() -> None:
    app = reopen(opened("Machines"))
    app.selectbox(key="model_shape_0_contrast").set_value("Sum").run()
    assert formula(app) == "score ~ C(Machine, Sum)"
    assert fitted(app)
    reopen(app).selectbox(key="model_shape_0_contrast").set_value("Treatment").run()
    assert formula(app) == "score ~ Machine"
    reopen(app).selectbox(key="model_shape_0_reference").set_value(1).run()
    assert formula(app) == 'score ~ C(Machine, Treatment("B"))'
    assert fitted(app)


def test_an_interaction_of_three_brings_its_pairs() -> None:
    app = with_data(odd_frame())
    app.selectbox(key="model_outcome").set_value("µ").run()
    app.multiselect(key="model_fixed").set_value(["C", "code", "twin", "billions"]).run()
    app.multiselect(key="model_interactions").set_value([("C", "code", "twin")]).run()
    assert formula(app).endswith("C:code + C:twin + code:twin + C:code:twin")
    assert "came with it" in " ".join(caption.value for caption in app.caption)
    assert fitted(app)


def test_an_interaction_takes_the_curve_or_its_slope_alone() -> None:
    app = opened("Orthodont")
    app.text_input(key="model_text_formula").set_value("distance ~ (age + I(age**2)) * Sex").run()
    app.toggle(key="model_curved").set_value(False).run()
    assert formula(app) == "distance ~ age + I(age**2) + Sex + age:Sex"
    assert not app.toggle(key="model_curved").value
    assert not errors(app)


def test_scale_rows_and_weights() -> None:
    app = opened()
    app.selectbox(key="model_outcome_transform").set_value("log").run()
    assert formula(app) == "np.log(Reaction) ~ Days"
    app.text_input(key="model_subset").set_value("Days > 1 ").run()
    app.selectbox(key="model_weights").set_value("Days").run()
    assert (call(app).subset, call(app).weights) == ("Days > 1", "Days")
    assert "144** rows" in " ".join(text.value for text in app.markdown)
    assert fitted(app)
    app.text_input(key="model_subset").set_value("Days >").run()
    assert "cannot be read" in errors(app)


def test_a_slope_of_a_power_is_chosen_and_goes_with_its_term() -> None:
    app = opened()
    reopen(app).segmented_control(key="model_shape_0_curve").set_value("powers").run()
    square = slope_key("Days", 2)
    app.multiselect(key="model_slopes").set_value([square]).run()
    assert not app.exception
    assert call(app).re_formula == "1 + Days + I(Days**2)"  # the lower power came with it
    assert app.multiselect(key="model_slopes").value == ["Days", square]
    assert fitted(app)
    reopen(app).segmented_control(key="model_shape_0_curve").set_value("line").run()
    assert call(app).re_formula == "1 + Days"
    assert any("no longer has were taken out" in each.value for each in app.caption)


def test_a_straight_slope_beside_a_spline_in_cards() -> None:
    app = opened()
    app.text_input(key="model_text_bars").set_value(
        "Reaction ~ bs(Days, df=4) + (1 | Subject) + (0 + Days | Subject)"
    ).run()
    assert not app.exception
    assert fitted(app)
    assert slope_key("Days", 1) in app.multiselect(key="model_slopes").value
