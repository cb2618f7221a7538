"""Widgets ↔ formulas: choices survive the way to text and back; text beyond the widgets is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui.model.builder import Choices, Component, from_call, read, to_call, write
from pages.ui.model.choices import slope_name
from pages.ui.model.modelcall import ModelCall

HOSTILE = [
    "a b",
    'say "hi"',
    "it's",
    "a~b",
    "a:b",
    "C",
    "Q",
    "I",
    "class",
    "None",
    "µ",
    "ﬁ",
    "$x$",
    "`",
    "[",
    "\\",
    "a\nb",
    ":red[x]",
    "<script>",
    "0",
    "1",
    "a+b",
    "C(x)",
    "Reaktionszeit",
    "x1",
    "#",
    "{",
    "\u2028",
    "a slope",
]
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=6))
COLUMNS = ["y", "x", "z", "w", "g", "h"]


@st.composite
def choices(draw: st.DrawFn) -> Choices:
    """Any choices over a few columns of any names."""
    columns = draw(st.lists(NAMES, min_size=2, max_size=6, unique=True))
    column = st.sampled_from(columns)
    names = st.one_of(NAMES, column.map(slope_name))
    component = st.builds(
        Component, names, st.sampled_from(["factor", "slope", "slope_in_factor"]), column, column
    )
    return draw(
        st.builds(
            Choices,
            outcome=column,
            fixed=st.lists(column, max_size=5).map(tuple),
            categorical=st.lists(column, max_size=3).map(tuple),
            pairs=st.lists(st.tuples(column, column), max_size=4).map(tuple),
            crossing=st.sampled_from(["none", "two-way", "all"]),
            intercept=st.booleans(),
            groups=st.one_of(column, st.just("")),
            random_intercept=st.booleans(),
            slopes=st.lists(column, max_size=3).map(tuple),
            correlated=st.booleans(),
            components=st.lists(component, max_size=3).map(tuple),
            reml=st.booleans(),
            missing=st.sampled_from(["drop", "raise"]),
        )
    )


def _columns(chosen: Choices) -> set[str]:
    rows = [name for row in chosen.components for name in (row.column, row.factor)]
    return {chosen.outcome, *chosen.fixed, *chosen.slopes, *rows}


@settings(deadline=None)
@given(choices())
def test_choices_survive_the_way_to_text_and_back(chosen: Choices) -> None:
    assert from_call(to_call(chosen), _columns(chosen)) == chosen


@settings(deadline=None)
@given(choices())
def test_writing_what_was_read_changes_nothing(chosen: Choices) -> None:
    call = to_call(chosen)
    assert write(read(call, _columns(chosen)), call) == call


@settings(deadline=None)
@given(choices())
def test_choices_are_settled_once(chosen: Choices) -> None:
    assert replace(chosen) == chosen


@pytest.mark.parametrize(
    ("chosen", "formula"),
    [
        (Choices("y"), "y ~ 1"),
        (Choices("y", intercept=False), "y ~ 0"),
        (Choices("y", ("x", "z")), "y ~ x + z"),
        (Choices("y", ("x", "z"), intercept=False), "y ~ 0 + x + z"),
        (Choices("y", ("x", "z"), ("x",)), "y ~ C(x) + z"),
        (Choices("y", ("x", "z"), pairs=(("z", "x"),)), "y ~ x * z"),
        (Choices("y", ("x", "z"), crossing="all", intercept=False), "y ~ 0 + x * z"),
        (Choices("y", ("x", "z", "w"), pairs=(("w", "x"),)), "y ~ x + z + w + x:w"),
        (Choices("y", ("x", "z", "w"), crossing="two-way"), "y ~ (x + z + w)**2"),
        (Choices("y", ("x", "z", "w"), crossing="all"), "y ~ x * z * w"),
        (Choices("y", ("a b",)), 'y ~ Q("a b")'),
    ],
)
def test_the_fixed_part_is_written_plainly(chosen: Choices, formula: str) -> None:
    assert to_call(chosen).formula == formula


def test_correlated_slopes_go_into_the_random_formula() -> None:
    assert to_call(Choices("y", slopes=("x", "z"), groups="g")).re_formula == "1 + x + z"


def test_uncorrelated_slopes_become_components() -> None:
    call = to_call(Choices("y", slopes=("x", "z"), groups="g", correlated=False))
    assert (call.re_formula, call.vc_formula) == ("1", (("x slope", "0 + x"), ("z slope", "0 + z")))


def test_components_alone_leave_the_random_formula_out() -> None:
    rows = (Component("g", "factor", "g"), Component("h", "factor", "h"))
    call = to_call(Choices("y", random_intercept=False, components=rows))
    assert (call.groups, call.re_formula) == ("", None)
    assert call.vc_formula == (("g", "0 + C(g)"), ("h", "0 + C(h)"))


def test_no_random_effect_at_all_says_so() -> None:
    assert to_call(Choices("y", groups="g", random_intercept=False)).re_formula == "0"


def test_a_slope_within_a_nested_factor() -> None:
    row = Component("pretest", "slope_in_factor", "pretest", "classroom")
    assert row.formula == "0 + C(classroom):pretest"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y ~ x*z", Choices("y", ("x", "z"), pairs=(("x", "z"),))),
        ("y~(x+z+w)**3", Choices("y", ("x", "z", "w"), crossing="all")),
        ("y ~ x + z + w + w:x", Choices("y", ("x", "z", "w"), pairs=(("x", "w"),))),
        ("y ~ x*(z + w)", Choices("y", ("x", "z", "w"), pairs=(("x", "z"), ("x", "w")))),
        ("y ~ x - 1", Choices("y", ("x",), intercept=False)),
        ("y ~ 1 + x + x", Choices("y", ("x",))),
        ("Q(\"y\") ~ C(Q('x'))", Choices("y", ("x",), ("x",))),
    ],
)
def test_other_ways_to_write_a_model_are_understood(formula: str, expected: Choices) -> None:
    assert from_call(ModelCall(formula, "g", "1"), COLUMNS) == replace(expected, groups="g")


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("y ~ np.log(x)", "cannot show 'np'"),
        ("np.log(y) ~ x", "outcome is calculated"),
        ("y ~ x:z", "without its own predictors"),
        ("y ~ x*z*w - x:z", "take terms away"),
        ("y ~ x + z + w + x:z:w", "Some, but not all"),
        ("y ~ x + C(x)", "category in one place"),
        ("y ~ nowhere", "no column named 'nowhere'"),
        ("y ~ x +", "ends too early"),
        ("y ~ (x", "open"),
        ("x + z", "needs an outcome"),
        ("", "ends too early"),
        ("y ~ " + "(" * 400 + "x" + ")" * 400, "brackets"),
        ("y ~ x # no", "comment"),
        ("y ~ (x + z)**99", "power"),
        ("y ~ __import__('os').system('true')", "cannot show"),
        ("y ~ Q(f'{x}')", "quotes"),
        ("y ~ lambda", "cannot show 'lambda'"),
    ],
)
def test_what_widgets_cannot_express_is_left_as_typed(formula: str, reason: str) -> None:
    call = ModelCall(formula, "g", "1 + x", (("v", "0 + C(h)"),))
    reading = read(call, COLUMNS)
    assert from_call(call, COLUMNS) is None
    assert reason in reading.unread["formula"]
    changed = replace(reading, choices=replace(reading.choices, slopes=("z",), reml=False))
    assert write(changed, call) == replace(call, re_formula="1 + z", reml=False)


@pytest.mark.parametrize("text", ["1 + x:z", "1 + np.exp(x)", "y ~ x", "1 + C(x) + x", "("])
def test_a_random_formula_beyond_the_widgets_is_kept(text: str) -> None:
    call = ModelCall("y ~ x", "g", text)
    assert set(read(call, COLUMNS).unread) == {"re_formula"}
    assert write(read(call, COLUMNS), call) == call


@pytest.mark.parametrize(
    "text", ["C(h)", "0 + C(h) + x", "0 + C(h):C(g)", "0 + C(h):x:z", "0 + bs(x, 3)", ""]
)
def test_a_component_beyond_the_widgets_is_kept(text: str) -> None:
    call = ModelCall("y ~ x", "g", "1", (("v", text),))
    assert set(read(call, COLUMNS).unread) == {"vc_formula"}
    assert write(read(call, COLUMNS), call) == call


def test_a_category_in_one_place_and_a_number_in_another_is_not_guessed() -> None:
    assert "re_formula" in read(ModelCall("y ~ C(x)", "g", "1 + x"), COLUMNS).unread


def test_slopes_of_categories_stay_correlated() -> None:
    chosen = Choices("y", ("x",), ("x",), slopes=("x",), correlated=False)
    assert chosen.correlated
    assert to_call(chosen).re_formula == "1 + C(x)"


def test_repeated_component_names_survive_until_they_are_mended() -> None:
    rows = (Component("v", "factor", "g"), Component("v", "factor", "h"))
    chosen = Choices("y", components=rows)
    assert from_call(to_call(chosen), COLUMNS) == chosen
