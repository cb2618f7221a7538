"""Names, groupings and predictors of a fit, as the pages offer them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from pages.ui import charts
from pages.ui.results import fitview
from pages.ui.results.fitview import Grouping, RandomEffect
from tests.pages import fits


@pytest.fixture(scope="module")
def crossed() -> MixedLMResults:
    data = datasets.load("Penicillin")
    parts = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}
    return mixedlm("diameter ~ 1", data, groups=np.ones(len(data)), vc_formula=parts).fit()


def test_effects_have_readable_names() -> None:
    effects = fitview.random_effects(fits.fitted("sleepstudy").tidy(effects="blups"))
    assert [effect.name for effect in effects] == ["Intercept by Subject", "Slope of Days by Subject"]


def test_the_rows_of_an_effect_are_its_own() -> None:
    blups = fits.fitted("classrooms").tidy(effects="blups")
    parts = [fitview.of_effect(blups, effect) for effect in fitview.random_effects(blups)]
    assert sum(map(len, parts)) == len(blups)
    assert all(part["level"].is_unique for part in parts)


def test_nested_units_are_named_within_their_group() -> None:
    """Class labels come again in every school, so a class alone is not a group."""
    result = fits.fitted("classrooms")
    augmented = result.augment()
    found = fitview.groupings(result, augmented)
    assert found == [Grouping(("school",)), Grouping(("school", "classroom"))]
    blups = result.tidy(effects="blups")
    of_class = fitview.of_effect(blups, RandomEffect("classroom", "Intercept"))
    assert set(found[1].labels(augmented)) == set(of_class["level"])


def test_crossed_factors_stand_alone(crossed: MixedLMResults) -> None:
    augmented = crossed.augment()
    found = fitview.groupings(crossed, augmented)
    assert [grouping.name for grouping in found] == ["plate", "sample"]
    blups = crossed.tidy(effects="blups")
    of_plate = fitview.of_effect(blups, RandomEffect("plate", "Intercept"))
    assert set(found[0].labels(augmented).astype(str)) == set(of_plate["level"])


def test_factors_among_the_predictors_are_offered_when_asked() -> None:
    data = datasets.load("Machines")
    result = mixedlm("score ~ Machine", data, groups="Worker").fit()
    augmented = result.augment()
    assert fitview.groupings(result, augmented) == [Grouping(("Worker",))]
    assert fitview.groupings(result, augmented, factors=True)[1:] == [Grouping(("Machine",))]


def test_predictors_with_a_random_slope_come_first() -> None:
    result = fits.fitted("classrooms")
    assert fitview.numeric_predictors(result, result.augment()) == ["pretest", "age"]


def test_the_outcome_is_no_predictor_even_when_transformed() -> None:
    data = datasets.load("sleepstudy")
    result = mixedlm("np.log(Reaction) ~ Days", data, groups="Subject").fit()
    assert fitview.numeric_predictors(result, result.augment()) == ["Days"]


@pytest.mark.parametrize(
    "formula",
    ["Reaction ~ Days + I(Days**2)", "Reaction ~ np.sqrt(Days)", "Reaction ~ 1", "Reaction ~ C(Days)"],
)
def test_no_slope_is_claimed_where_there_is_no_single_one(formula: str) -> None:
    result = mixedlm(formula, datasets.load("sleepstudy"), groups="Subject").fit()
    assert fitview.line_slopes(result, result.tidy(effects="blups"), "Days") is None


def test_slopes_are_fixed_plus_random() -> None:
    result = fits.fitted("sleepstudy")
    found = fitview.line_slopes(result, result.tidy(effects="blups"), "Days")
    assert found is not None
    assert found[0] == pytest.approx(result.fe_params["Days"])
    assert found[1]["308"] == pytest.approx(result.random_effects["308"]["Days"])


@pytest.mark.parametrize(
    ("chosen", "found"), [("a", "a"), ("a / 1", "a"), ("z", None), ("z / 1", None), (None, None)]
)
def test_a_unit_is_found_in_its_group(chosen: str | None, found: str | None) -> None:
    assert fitview.find_label(chosen, ["a", "b"]) == found


def test_the_order_of_a_ranking_is_kept_when_it_is_about_the_same_groups() -> None:
    labels = pd.Series([3, 1, 2, 1])
    assert fitview.in_order(labels, ["2", "3", "1"]) == ["2", "3", "1"]
    assert fitview.in_order(labels, ["x"]) == ["1", "2", "3"]


def test_a_quoted_outcome_is_no_predictor_and_shows_its_own_name() -> None:
    """A name with quotes is escaped in a formula, and a short name may be a word of a longer one."""
    data = datasets.load("sleepstudy").rename(columns={"Reaction": 'the "x" time', "Days": "x"})
    result = mixedlm('Q("the \\"x\\" time") ~ x', data, groups="Subject").fit()
    assert fitview.numeric_predictors(result, result.augment()) == ["x"]
    assert fitview.outcome_name(result) == 'the "x" time'


def test_a_calculated_outcome_is_named_as_written() -> None:
    result = mixedlm("np.log(Reaction) ~ Days", datasets.load("sleepstudy"), groups="Subject").fit()
    assert fitview.outcome_name(result) == "np.log(Reaction)"


def rats_on_diets() -> MixedLMResults:
    data = datasets.load("BodyWeight")
    return mixedlm("weight ~ Time * Diet", data, groups="Rat", re_formula="1 + Time").fit()


def test_a_predictor_of_groups_moves_no_line_within_them() -> None:
    result = rats_on_diets()
    augmented, rats = result.augment(), fitview.Grouping(("Rat",))
    assert not fitview.moved_by_more(result, augmented, "Time", rats)
    assert fitview.moved_between(result, augmented, "Time", rats)
    assert fitview.moved_by_more(result, augmented, "Time", fitview.Grouping(("Diet",)))
    alone = mixedlm("weight ~ Time", datasets.load("BodyWeight"), groups="Rat").fit()
    assert not fitview.moved_between(alone, alone.augment(), "Time", rats)


def test_the_average_line_is_straight_where_groups_differ_in_more() -> None:
    result = rats_on_diets()
    augmented = result.augment()
    data = charts.grouped(augmented, "Time", "Rat", outcome="weight", joined=True, between=True)
    assert data.drawn == "joined"
    assert len(data.average_x) == 2
    own = augmented[augmented["Rat"] == "9"]
    code = data.labels.index("9")
    assert data.line_y[data.line_code == code] == pytest.approx(own.sort_values("Time")["fitted"].to_numpy())
