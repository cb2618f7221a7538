"""Both notations of one model: what is written, and that both fits are the same."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pandas as pd
import pytest

from mixedcore import datasets
from pages.ui import fitting
from pages.ui.data import examples
from pages.ui.data.dataset import Dataset
from pages.ui.model import builder
from pages.ui.model.lme4 import UntranslatableError, to_lme4, to_mixedlm
from pages.ui.model.modelcall import ModelCall

CLASSROOMS = ModelCall("score ~ age", "school", "1 + pre", (("room", "0 + C(room)"),))
SAME = 1e-6
"""Of a log-likelihood: both searches stop closer than that to the same optimum."""


@cache
def data(example: str) -> Dataset:
    frame = datasets.load(example)
    return Dataset.of(example, frame.sample(min(len(frame), 2_000), random_state=1), f"example:{example}")


def texts(frame: pd.DataFrame) -> set[str]:
    return {str(name) for name in frame if not pd.api.types.is_numeric_dtype(frame[name].dtype)}


@pytest.mark.parametrize(
    ("call", "written"),
    [
        (ModelCall("y ~ x", "g"), "y ~ x + (1 | g)"),
        (ModelCall("y ~ x", "g", "~ 1 + x"), "y ~ x + (1 + x | g)"),
        (CLASSROOMS, "score ~ age + (1 + pre | school) + (1 | school:room)"),
        (
            ModelCall("y ~ 1", "", None, (("a", "0 + C(a)"), ("b", "0 + C(b)"))),
            "y ~ 1 + (1 | a) + (1 | b)",
        ),
        (ModelCall("y ~ x", "g", "1", (("x slope", "0 + x"),)), "y ~ x + (1 | g) + (0 + x | g)"),
        (ModelCall("y ~ x", "g", "0", (("p", "0 + C(h):x"),)), "y ~ x + (0 + x | g:h)"),
        (ModelCall("y ~ x", "g", "0", (("v", "0 + x:z"),)), "y ~ x + (0 + x:z | g)"),
        (ModelCall("y ~ x", "g", "0", (("v", "0 + np.log(x)"),)), "y ~ x + (0 + np.log(x) | g)"),
        (ModelCall("y ~ x", "a b", "1"), 'y ~ x + (1 | Q("a b"))'),
        (ModelCall("y ~ x + (1 | g)", ""), "y ~ x + (1 | g)"),
    ],
)
def test_groups_are_written_in_bars(call: ModelCall, written: str) -> None:
    assert to_lme4(call) == written
    assert replace(call, formula=written, groups="", re_formula=None, vc_formula=()).in_bars


def test_a_component_of_text_is_a_grouping_even_if_unmarked() -> None:
    call = ModelCall("y ~ 1", "g", "1", (("m", "0 + m"),))
    assert to_lme4(call, {"m"}) == "y ~ 1 + (1 | g) + (1 | g:m)"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (ModelCall("y ~ x", "g", "0"), "Nothing varies"),
        (ModelCall("y ~ x", "", "1"), "no column to stand behind a bar"),
        (ModelCall("y ~ x", "g", "1", (("v", "0 + x + z"),)), "several terms"),
        (ModelCall("y ~ x", "g", "1", (("v", "C(h)"),)), "several terms"),
        (ModelCall("y ~ x", "g", "1", (("v", "0 + C(h, Sum)"),)), "several columns"),
        (ModelCall("y ~ x", "g", "1", (("v", "0 + bs(x, df=4)"),)), "several columns"),
        (ModelCall("y ~ x", "g", "1", (("v", "0 + np.exp(x)"),)), "no equal in bars"),
        (ModelCall("y ~ x", "", None, (("v", "0 + x"),)), "all rows together"),
    ],
)
def test_what_bars_cannot_say_has_a_reason(call: ModelCall, reason: str) -> None:
    with pytest.raises(UntranslatableError, match=reason):
        to_lme4(call)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y ~ x + (1 + x | g)", ModelCall("y ~ x", "g", "1 + x")),
        ("y ~ x + (1 + x || g)", ModelCall("y ~ x", "g", "1", (("x slope", "0 + x"),))),
        ("y ~ (0 + np.log(x) | g)", ModelCall("y ~ 1", "g", "0 + np.log(x)")),
        (
            "y ~ x + (1 | g) + (0 + I(x**2) | g)",
            ModelCall("y ~ x", "g", "1", (("I(x**2) slope", "0 + I(x**2)"),)),
        ),
        ("y ~ x + (1 | g) + (0 + bs(x, df=4) || g:h)", None),
        ("y ~ x + (x | g/h)", None),
        ("y ~ x + (1 | g/h)", ModelCall("y ~ x", "g", "1", (("h", "0 + C(h)"),))),
        ("y ~ (1 | g:h)", ModelCall("y ~ 1", "g", None, (("h", "0 + C(h)"),))),
        ("y ~ 1 + (1 | a) + (1 | b)", ModelCall("y ~ 1", "", None, (("a", "0 + C(a)"), ("b", "0 + C(b)")))),
        ("y ~ x + (1 + x | a) + (1 | b)", None),
        ("y ~ x + (1 | g) + (1 + z | g)", None),
        ("y ~ x + (0 + t | a) + (1 | b)", None),
        ("y ~ x + (1 | g) + (1 | g)", None),
        ("y ~ (1 | g", None),
    ],
)
def test_bars_are_written_as_groups(formula: str, expected: ModelCall | None) -> None:
    call = ModelCall(formula, "", reml=False, weights="w")
    if expected is None:
        with pytest.raises(UntranslatableError):
            to_mixedlm(call, {"t"})
    else:
        assert to_mixedlm(call, {"t"}) == replace(expected, reml=False, weights="w")


@pytest.mark.parametrize("example", examples.names())
def test_both_notations_give_the_same_fit(example: str) -> None:
    call, loaded = examples.suggested(example), data(example)
    own = texts(loaded.frame)
    bars = ModelCall(to_lme4(call, own), "")
    back = to_mixedlm(bars, own)
    fits = [fitting.fit(each, loaded).llf for each in (call, bars, back)]
    assert fits == pytest.approx([fits[0]] * 3, abs=SAME)


@pytest.mark.parametrize(
    ("example", "formula"),
    [
        ("sleepstudy", "np.log(Reaction) ~ Days + I(Days**2) + (Days || Subject)"),
        ("sleepstudy", "Reaction ~ bs(Days, df=4) + (0 + bs(Days, df=4) | Subject)"),
        ("sleepstudy", "Reaction ~ center(Days) + I(center(Days) ** 2) + (center(Days) | Subject)"),
        ("Machines", "score ~ C(Machine, Sum) + (1 | Worker/Machine)"),
        ("Machines", "score ~ C(Machine, Treatment('C')) + (0 + C(Machine, Treatment('C')) | Worker)"),
        ("Machines", "score ~ 0 + Machine + (0 + Machine | Worker)"),
        ("Orthodont", "distance ~ standardize(age)*Sex + (1 | Subject) + (0 + standardize(age) | Subject)"),
        ("Penicillin", 'diameter ~ 1 + (1 | plate) + (1 | Q("sample"))'),
        ("classrooms", "test_score ~ age + pretest + (1 + pretest | school) + (0 + age | school)"),
    ],
)
def test_the_way_through_the_widgets_keeps_the_meaning(example: str, formula: str) -> None:
    call, loaded = ModelCall(formula, "", reml=False), data(example)
    reading = builder.read(call, list(loaded.frame.columns), texts(loaded.frame))
    assert not reading.unread
    again = builder.to_call(reading.choices)
    assert fitting.fit(again, loaded).llf == pytest.approx(fitting.fit(call, loaded).llf, abs=SAME)


@pytest.mark.parametrize(
    ("example", "formula"),
    [
        ("sleepstudy", "Reaction ~ Days + (1 + Days || Subject)"),
        ("sleepstudy", "Reaction ~ Days + (0 + Days | Subject)"),
        ("classrooms", "test_score ~ age + (1 | school) + (0 + pretest | school:classroom)"),
        ("Oats", "Q('yield') ~ nitro + (1 | Block/Variety)"),
        ("Machines", "score ~ Machine + (1 | Worker:Machine)"),
    ],
)
def test_bars_and_groups_give_the_same_fit(example: str, formula: str) -> None:
    call, loaded = ModelCall(formula, ""), data(example)
    other = to_mixedlm(call, texts(loaded.frame))
    assert not other.in_bars
    assert fitting.fit(other, loaded).llf == pytest.approx(fitting.fit(call, loaded).llf, abs=SAME)
