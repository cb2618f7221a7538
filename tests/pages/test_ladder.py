"""Steps up and down from a model: which are offered, why others are not, and their tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from mixedcore import compare, datasets, mixedlm
from pages.ui.model import ladder, ladder_view
from pages.ui.model.choices import Block, Choices, Component, Effects, as_blocks, to_call
from pages.ui.model.ladder import Step, Support, down, up, with_block
from pages.ui.model.ladder_view import said
from pages.ui.model.laddered import Rung
from pages.ui.model.modelcall import ModelCall
from pages.ui.model.roles import Column
from pages.ui.text import JOINER
from tests.pages import fits
from tests.pages.model_page import call, odd_frame, opened, with_data

SIMPLE = Choices("y", ("x", "z", "ses"), groups="school")
ANY, CALL = Step("", "fixed", SIMPLE), ModelCall("", "")


def number(name: str) -> Column:
    return Column(name, "number", 100, 100, 50, whole=False)


def known(choices: Choices, **changed: object) -> Support:
    facts: dict[str, object] = {
        "blocks": choices.blocks or as_blocks(choices)[0],
        "varying": lambda path: frozenset({"x", "z"}),
        "room": lambda path: 10,
        "levels": {},
        "columns": tuple(map(number, ["y", "x", "z", "ses", "age", "pupil_id"])),
        **changed,
    }
    return Support(**facts)  # type: ignore[arg-type]


def words(steps: list[Step]) -> list[str]:
    return [step.words for step in steps]


def test_each_kind_of_step_is_offered_and_the_impossible_has_its_reason() -> None:
    facts = known(SIMPLE, grouping=((("school", "class"), ""), (("row",), "has a single row in every level")))
    offered, refused = up(SIMPLE, facts)
    assert words(offered) == [
        "Random slope of x by school",
        "Groups of class in school differ in their level",
        "Interaction x × ses",
        "Predictor age",
        "Random slope of z by school",
        "Interaction z × ses",
    ]
    assert [(step.words, step.reason) for step in refused] == [
        ("Random slope of ses by school", "does not vary within the groups"),
        ("Groups of row differ in their level", "has a single row in every level"),
    ]


def test_each_step_is_the_model_with_one_thing_more() -> None:
    facts = known(SIMPLE, grouping=((("room",), ""),))
    calls = {step.words: to_call(step.choices) for step in up(SIMPLE, facts)[0]}
    assert calls["Random slope of x by school"].re_formula == "1 + x"
    assert calls["Interaction x × ses"].formula == "y ~ x + z + ses + x:ses"
    assert calls["Predictor age"].formula == "y ~ x + z + ses + age"
    assert calls["Groups of room differ in their level"].formula.endswith("(1 | school) + (1 | room)")


def test_groups_without_room_have_no_slope() -> None:
    offered, refused = up(SIMPLE, known(SIMPLE, room=lambda path: 1))
    assert not any("slope" in each for each in words(offered))
    assert refused[0].reason == "would give the groups as many coefficients as there are rows"


def test_independent_effects_may_become_correlated_and_the_other_way_round() -> None:
    apart = replace(SIMPLE, slopes=("x",), correlated=False)
    (step,) = [s for s in up(apart, known(apart))[0] if s.words.startswith("Correlated")]
    assert step.choices == replace(apart, correlated=True)
    together = replace(SIMPLE, slopes=("x",))
    found = down(together, known(together))
    assert words(found) == [
        "Without the random slope of x by school",
        "Without correlations between level and slopes by school",
    ]
    assert [step.choices for step in found] == [SIMPLE, apart]


def test_the_last_kind_of_groups_can_be_left_out_but_not_the_only_one() -> None:
    assert down(SIMPLE, known(SIMPLE)) == []
    two = replace(SIMPLE, blocks=(Block(("school",)), Block(("rater",))))
    (step,) = down(two, known(two))
    assert step.words == "Without differences between groups of rater"
    assert step.choices == SIMPLE


def test_a_slope_alone_stays() -> None:
    alone = replace(SIMPLE, random_intercept=False, slopes=("x",))
    assert down(alone, known(alone)) == []


def test_a_simple_factor_keeps_its_components() -> None:
    row = Component("class", "factor", "class")
    choices = replace(SIMPLE, components=(row,))
    blocks = as_blocks(choices)[0]
    new = with_block(choices, blocks, 0, Block(("school",), (Effects(True, ("x",)),)))
    assert (new.components, new.slopes) == ((row,), ("x",))
    inner = with_block(choices, blocks, 1, Block(("school", "class"), (Effects(True, ("x",)),)))
    assert [block.slopes for block in inner.blocks] == [(), ("x",)]


def test_no_more_than_a_few_are_offered() -> None:
    many = replace(SIMPLE, fixed=tuple(f"x{n}" for n in range(20)))
    facts = known(many, varying=lambda path: frozenset())
    offered, refused = up(many, facts)
    assert len(offered) == ladder.MOST_UP
    assert len(refused) == ladder.MOST_REFUSED


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (Rung(ANY, CALL, 2, 42.14, 1e-9, -38.12), "χ² = 42.1, df = 2, p < 0.001 · AIC −38.1"),
        (Rung(ANY, CALL, 1, -1e-9, 1.0, 2.0), "χ² = 0, df = 1, p > 0.999 · AIC +2.0"),
        (Rung(ANY, CALL, trouble="Other *rows*."), "Not tested: Other *rows*."),
    ],
)
def test_the_test_in_a_line(found: Rung, line: str) -> None:
    assert said(found).replace("\\", "").replace(JOINER, "") == line


# --- on the page ---------------------------------------------------------------------------------


def shown(app: AppTest) -> AppTest:
    """The page with the steps open."""
    app.session_state["model_steps"] = True
    return app.run()


def captions(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(each.value for each in app.caption).replace("\\", "")


def test_the_steps_of_sleepstudy_have_the_tests_of_compare() -> None:
    app = shown(opened())
    data = datasets.load("sleepstudy")
    slopes = mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="1 + Days").fit()
    level = mixedlm("Reaction ~ Days", data, groups="Subject").fit()
    chisq = compare(level, slopes)["chisq"].iloc[-1]
    assert f"χ² = {chisq:.1f}, df = 2, p < 0.001" in captions(app)
    app.button(key="model_step_down_0").click().run()
    assert call(app).re_formula == "1"
    assert f"χ² = {chisq:.1f}, df = 2, p < 0.001" in captions(app)
    app.button(key="model_step_up_0").click().run()
    assert call(app).re_formula == "1 + Days"


@pytest.mark.parametrize("example", ["classrooms", "Penicillin", "Machines", "Dyestuff2", "Hsb82"])
def test_other_models_have_steps(example: str) -> None:
    app = shown(opened(example))
    assert "nan" not in captions(app)


def test_steps_that_take_long_say_how_far_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(ladder_view, "PATIENCE", -1.0)
    monkeypatch.setattr(DeltaGenerator, "progress", lambda self, value, text: told.append(text))
    app = shown(opened())
    assert "χ²" in captions(app)
    assert "Starting…" in told[0]
    assert all(f"{done} of {len(told)} done, about " in text for done, text in enumerate(told[1:], 1))


def test_closed_steps_are_not_fitted() -> None:
    app = opened()
    assert not app.exception
    assert "χ²" not in captions(app)


def test_labels_that_begin_again_are_taken_within_their_groups() -> None:
    rng = np.random.default_rng(1)
    school, room = np.repeat(np.arange(12), 30), np.tile(np.repeat([1, 2, 3], 10), 12)
    frame = pd.DataFrame({"score": rng.normal(size=360), "school": school, "classroom": room})
    app = with_data(frame)
    app.session_state["model_steps"] = True
    app.selectbox(key="model_groups").set_value("school").run()
    found = " ".join(each.value for each in app.markdown)
    assert "Groups of classroom in school differ in their level" in found


def test_hostile_names_stay_words() -> None:
    app = shown(with_data(odd_frame()))
    assert not app.exception
    app = shown(with_data(fits.hostile_data()))
    assert not app.exception


def test_what_cannot_be_tested_says_why() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"score": rng.normal(size=120), "school": np.repeat(np.arange(12), 10)})
    frame = frame.assign(x=rng.normal(size=120), holes=rng.normal(size=120)).assign(twin=lambda d: 2 * d["x"])
    frame.loc[:9, "holes"] = np.nan
    app = with_data(frame)
    app.multiselect(key="model_fixed").set_value(["x"]).run()
    found = captions(shown(app))
    assert "Not tested: it has values in 110 of the 120 rows only." in found
    assert "Not tested: it adds nothing: what is in the model already determines it." in found
