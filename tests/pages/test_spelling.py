"""Formulas as people type them: the habits of R are read, what cannot be read stays, and nothing breaks."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui.model import rwords, spelling
from pages.ui.model.lme4 import UntranslatableError
from tests.pages.model_page import call, errors, with_data
from tests.pages.test_roles import PUPILS

NOISY = PUPILS.assign(score=PUPILS["score"] + np.random.default_rng(5).normal(size=len(PUPILS)))
COLUMNS = ["school", "class", "score", "practice", "a b", "sex"]


@pytest.mark.parametrize(
    "typed, written",
    [
        ("score ~ practice + (1|school/class)", 'score ~ practice + (1|school/Q("class"))'),
        ("score ~ practice + I(practice^2)", "score ~ practice + I(practice**2)"),
        ("log(score) ~ sqrt(practice)", "np.log(score) ~ np.sqrt(practice)"),
        ("score ~ factor(sex) + as.factor(school)", "score ~ C(sex) + C(school)"),
        ("score ~ `a b`", 'score ~ Q("a b")'),
        ("lmer(score ~ sex + (1 | school), data = d, REML = FALSE)", "score ~ sex + (1 | school)"),
        ("m <- lme4::lmer(score ~ sex + (1 | school), d)", "score ~ sex + (1 | school)"),
        ("score ~ sex + (1 | school), REML=FALSE", "score ~ sex + (1 | school)"),
    ],
)
def test_habits_of_r_are_read(typed: str, written: str) -> None:
    assert spelling.spelled(typed, COLUMNS).text == written


@pytest.mark.parametrize(
    "typed",
    [
        "score ~ practice + (1 | school)",
        'score ~ C(sex, Treatment("a, b")) + Q("class")',
        "np.log(score) ~ bs(practice, df=3)",
        "score ~ practice + (",
        "score ~ practice + 1 | school)",
        "score ~ poly(practice, 2)",
        "",
        "~",
    ],
)
def test_a_formula_of_the_language_and_a_wrong_one_stay_as_typed(typed: str) -> None:
    assert spelling.spelled(typed, COLUMNS) == spelling.Spelled(typed)


def test_a_column_called_like_a_function_is_the_column() -> None:
    assert spelling.spelled("y ~ log + log(x)", ["y", "x", "log"]).text == "y ~ log + log(x)"


@settings(deadline=None)
@given(st.text(alphabet="ab1~+-*/^|:.,()[]'\"`= \nlogfactorIQC", max_size=40))
def test_no_text_breaks_the_reading(typed: str) -> None:
    once = spelling.spelled(typed, ["a", "b", "log", "class"])
    assert spelling.spelled(once.text, ["a", "b", "log", "class"]).text == once.text
    with suppress(UntranslatableError):
        assert isinstance(rwords.formula(typed), str)


def test_what_was_written_otherwise_is_said_beside_the_model() -> None:
    app = with_data(NOISY)
    app.text_input(key="model_text_bars").set_value("score ~ pupil + (1 | school/class)").run()
    assert not errors(app)
    assert call(app).formula == 'score ~ pupil + (1 | school/Q("class"))'
    assert any("The column class is written" in each.value for each in app.caption)


def test_a_formula_that_r_has_no_words_for_leaves_the_page_whole() -> None:
    app = with_data(NOISY)
    app.text_input(key="model_text_formula").set_value("score ~ I(pupil ^^ 2)").run()
    assert not app.exception
    app.text_input(key="model_text_formula").set_value("score ~ I(pupil @ 2)").run()
    assert not app.exception
    assert errors(app)


def test_a_formula_typed_without_its_bars_keeps_the_random_effects() -> None:
    app = with_data(NOISY)
    app.text_input(key="model_text_bars").set_value("score ~ pupil + (1 | school)").run()
    app.text_input(key="model_text_bars").set_value("score ~ pupil").run()
    assert not errors(app)
    assert call(app).formula == "score ~ pupil + (1 | school)"
    assert any("random effects were kept" in each.value for each in app.caption)


@pytest.mark.parametrize(
    "typed", ["score ~ poly(pupil, 2)", "score ~ offset(pupil)", "score ~ ns(pupil, 3)", "score ~ ."]
)
def test_a_word_of_another_program_is_refused_with_what_to_write(typed: str) -> None:
    app = with_data(NOISY)
    app.text_input(key="model_text_formula").set_value(typed).run()
    assert not app.exception
    said = errors(app)
    assert any(word in said for word in ("powers", "beside the formula", "cr", "name the predictors"))
    assert len(said) < 250


def test_a_broken_model_is_left_on_any_page_with_one_click() -> None:
    app = with_data(NOISY)
    worked = call(app)
    app.text_input(key="model_text_formula").set_value("score ~ pupil + (").run()
    app.switch_page("pages/residuals.py").run()
    assert errors(app).startswith("The model cannot be fitted. A ( is never closed")
    app.button(key="last_model").click().run()
    assert not errors(app)
    assert call(app) == worked
