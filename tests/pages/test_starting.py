"""Standard models to start from, how many numbers a model estimates, and what the data can support."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixedcore import mixedlm
from pages.ui.data.dataset import Dataset
from pages.ui.model import size, starting, support
from pages.ui.model.builder import to_call
from pages.ui.model.choices import Block, Choices, Component, Effects, as_blocks
from pages.ui.model.random_part import merged
from pages.ui.model.shape import Shape
from tests.pages.model_page import call, fitted, opened

FULL = Choices(
    "y",
    ("x", "z", "c"),
    crossing="two-way",
    groups="g",
    slopes=("x",),
    components=(Component("h", "factor", "h"), Component("s", "slope_in_factor", "z", "h")),
)
CROSSED = Choices("y", ("x", "z", "c"), blocks=(Block(("g",), (Effects(True, ("x",)),)), Block(("h",))))


def test_the_null_model_keeps_the_groups() -> None:
    assert starting.null(FULL) == Choices("y", groups="g", components=FULL.components[:1])
    assert starting.null(CROSSED) == Choices("y", blocks=(Block(("g",)), Block(("h",))))


def test_intercepts_keep_the_predictors() -> None:
    assert starting.intercepts(FULL).slopes == ()
    assert starting.intercepts(FULL).crossing == "two-way"
    assert to_call(starting.intercepts(CROSSED)).formula == "y ~ x + z + c + (1 | g) + (1 | h)"


def test_the_maximal_model_has_a_slope_where_the_data_have_room() -> None:
    new, reasons = starting.maximal(
        CROSSED, lambda path: frozenset({"x", "c"} if path == ("g",) else {"x"}), lambda _: 3, {"c": 4}
    )
    assert to_call(new).formula == "y ~ x + z + c + (1 + x | g) + (1 + x | h)"
    assert set(reasons) == {"z", "c"}
    assert "does not vary" in reasons["z"]


def test_start_buttons_on_the_page() -> None:
    app = opened("classrooms")
    app.button(key="model_start_maximal").click().run()
    assert call(app).formula == (
        "test_score ~ age + pretest + (1 + age + pretest | school) + (1 + age + pretest | school:classroom)"
    )
    app.button(key="model_start_intercept").click().run()
    assert call(app).formula.endswith("(1 | school) + (1 | school:classroom)")
    assert fitted(app)
    app.button(key="model_start_null").click().run()
    assert call(app).formula == "test_score ~ 1 + (1 | school) + (1 | school:classroom)"
    assert fitted(app)
    said = " ".join(caption.value for caption in app.caption)
    assert "The null model" in said
    assert "**4 parameters**" in said


@pytest.mark.parametrize(
    "choices",
    [
        Choices("y", ("x", "c"), groups="g", slopes=("x",)),
        Choices("y", ("x", "c"), interactions=(("x", "c"),), groups="g", slopes=("c",)),
        Choices("y", ("c",), intercept=False, groups="g"),
        Choices("y", ("x",), shapes=(("x", Shape(degree=3)),), groups="g", slopes=("x",), correlated=False),
        Choices("y", ("x",), shapes=(("x", Shape(spline="bs", df=4)),), groups="g"),
        Choices("y", ("x", "c"), crossing="all", curved=False, shapes=(("x", Shape(degree=2)),), groups="g"),
        Choices("y", ("x",), blocks=(Block(("g",), (Effects(True, ("x",)),)), Block(("h",)))),
    ],
)
def test_parameters_are_counted_as_the_fit_has_them(choices: Choices) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"y": rng.normal(size=240), "x": rng.normal(size=240)})
    frame = frame.assign(c=np.tile(list("abc"), 80), g=np.repeat(range(20), 12), h=np.tile(range(8), 30))
    asked = to_call(choices)
    given_groups = {"groups": asked.groups} if asked.groups else {}
    model = mixedlm(
        asked.formula,
        frame,
        re_formula=asked.re_formula,
        vc_formula=dict(asked.vc_formula) or None,
        **given_groups,
    )
    blocks = merged(choices.blocks or as_blocks(choices)[0])
    found = size.of(choices, blocks, {"c": 3})
    assert (found.fixed, found.random) == (model.k_fe, model.k_re2 + model.k_vc)


def test_too_many_parameters_are_said() -> None:
    blocks = as_blocks(Choices("y", ("x", "z"), groups="g", slopes=("x", "z")))[0]
    choices = Choices("y", ("x", "z"))
    assert "coefficients of their own" in size.caution(choices, blocks, {}, 40, lambda _: 20)
    assert "too few" in size.caution(choices, blocks, {}, 400, lambda _: 5)
    assert "very roughly" in size.caution(choices, (Block(("g",)),), {}, 400, lambda _: 3)
    assert "few" in size.caution(choices, (Block(("g",)),), {}, 20, lambda _: 10)
    assert size.caution(choices, blocks, {}, 4000, lambda _: 100) == ""


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(["a", "b", None])] * 3), min_size=1, max_size=12))
def test_groups_and_what_varies_within_them_as_pandas_counts(rows: list[tuple[str | None, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=["g", "h", "x"], dtype=object)
    codes, count = support.group_codes(frame, ["g", "h"])
    known = frame.dropna(subset=["g", "h"])
    grouped = known.groupby(["g", "h"])["x"].nunique()
    assert count == len(grouped)
    assert ((codes < 0) == frame[["g", "h"]].isna().any(axis=1)).all()
    assert support.varying_of(frame, ["x"], ["g", "h"]) == ({"x"} if (grouped > 1).any() else set())


def test_the_same_groups_under_two_names() -> None:
    frame = pd.DataFrame({"g": list("aabb"), "h": [1, 1, 2, 2], "k": [1, 2, 1, 2]})
    data = Dataset.of("d", frame, "upload:d.csv")
    assert support.same_groups(data, ["g"], ["h"])
    assert not support.same_groups(data, ["g"], ["k"])
    assert "single row" in support.not_varying_groups(data, ["g", "k"])
    assert support.not_varying_groups(data, ["g"]) == ""
