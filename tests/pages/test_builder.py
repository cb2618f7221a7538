"""Widgets ↔ formulas: choices survive the way to text and back; text beyond the widgets is left alone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixedcore.errors import FormulaError
from mixedcore.formula import check_formula
from pages.ui.model.builder import from_call, read, to_call, write
from pages.ui.model.choices import Block, Choices, Component, Effects, columns, slope_name
from pages.ui.model.modelcall import ModelCall
from pages.ui.model.random_part import slope_key
from pages.ui.model.shape import Shape

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


TRANSFORMS = st.sampled_from(["none", "log", "sqrt", "standardise", "centre"])
SHAPES = st.builds(
    Shape,
    transform=TRANSFORMS,
    degree=st.integers(1, 5),
    spline=st.sampled_from(["none", "none", "bs", "cr"]),
    df=st.integers(0, 20),
    contrast=st.sampled_from(["none", "Treatment", "Sum", "Helmert", "Diff", "Poly"]),
    reference=st.one_of(
        st.none(), st.sampled_from(HOSTILE), st.integers(-(2**53), 2**53), st.floats(-1e6, 1e6), st.booleans()
    ),
)


@st.composite
def choices(draw: st.DrawFn) -> Choices:
    """Any choices over a few columns of any names."""
    columns = draw(st.lists(NAMES, min_size=2, max_size=6, unique=True))
    column = st.sampled_from(columns)
    names = st.one_of(NAMES, column.map(slope_name))
    kinds = st.sampled_from(["factor", "slope", "slope_in_factor"])
    component = st.builds(Component, names, kinds, column, column, TRANSFORMS)
    some = st.lists(column, max_size=3).map(tuple)
    slope = st.builds(slope_key, column, st.sampled_from([0, 0, 1, 2, 3]))
    slopes = st.lists(slope, max_size=3).map(tuple)
    effects = st.builds(Effects, st.booleans(), slopes)
    path = st.lists(column, min_size=1, max_size=3).map(tuple)
    block = st.builds(Block, path, st.lists(effects, max_size=3).map(tuple))
    beside = st.one_of(st.just(""), column)
    return draw(
        st.builds(
            Choices,
            outcome=column,
            outcome_transform=st.sampled_from(["none", "log", "sqrt"]),
            fixed=st.lists(column, max_size=5).map(tuple),
            categorical=some,
            shapes=st.lists(st.tuples(column, SHAPES), max_size=4).map(tuple),
            interactions=st.lists(some, max_size=6).map(tuple),
            crossing=st.sampled_from(["none", "two-way", "all"]),
            curved=st.booleans(),
            intercept=st.booleans(),
            groups=st.one_of(column, st.just("")),
            random_intercept=st.booleans(),
            slopes=slopes,
            correlated=st.booleans(),
            components=st.lists(component, max_size=3).map(tuple),
            blocks=st.one_of(st.just(()), st.lists(block, max_size=3).map(tuple)),
            reml=st.booleans(),
            missing=st.sampled_from(["drop", "raise"]),
            weights=beside,
            offset=beside,
            subset=st.sampled_from(["", "x > 3"]),
        )
    )


@settings(deadline=None)
@given(choices())
def test_choices_survive_the_way_to_text_and_back(chosen: Choices) -> None:
    call = to_call(chosen)
    assert call.in_bars == bool(chosen.blocks)
    assert from_call(call, columns(chosen)) == chosen


@settings(deadline=None)
@given(choices())
def test_writing_what_was_read_changes_nothing(chosen: Choices) -> None:
    call = to_call(chosen)
    assert write(read(call, columns(chosen)), call) == call


@settings(deadline=None)
@given(choices())
def test_choices_are_settled_once(chosen: Choices) -> None:
    assert replace(chosen) == chosen


ELSEWHERE = "hides the function|at most|Rename"
"""What a formula in the language may be refused for: said where the formula is shown."""


def refusal(text: str, names: set[str]) -> str:
    try:
        check_formula(text, names)
    except FormulaError as err:
        return str(err)
    return ""


@settings(deadline=None)
@given(choices())
def test_what_is_written_is_in_the_language(chosen: Choices) -> None:
    for _, text in to_call(chosen).parts():
        said = refusal(text, set(columns(chosen)))
        assert not said or re.search(ELSEWHERE, said)


@pytest.mark.parametrize(
    ("chosen", "formula"),
    [
        (Choices("y"), "y ~ 1"),
        (Choices("y", intercept=False), "y ~ 0"),
        (Choices("y", ("x", "z")), "y ~ x + z"),
        (Choices("y", ("x", "z"), intercept=False), "y ~ 0 + x + z"),
        (Choices("y", ("x", "z"), ("x",)), "y ~ C(x) + z"),
        (Choices("y", ("x", "z"), interactions=(("z", "x"),)), "y ~ x * z"),
        (Choices("y", ("x", "z"), crossing="all", intercept=False), "y ~ 0 + x * z"),
        (Choices("y", ("x", "z", "w"), interactions=(("w", "x"),)), "y ~ x + z + w + x:w"),
        (Choices("y", ("x", "z", "w"), crossing="two-way"), "y ~ (x + z + w)**2"),
        (Choices("y", ("x", "z", "w"), crossing="all"), "y ~ x * z * w"),
        (Choices("y", ("a b",)), 'y ~ Q("a b")'),
        (Choices("y", ("x", "z", "w"), interactions=(("w", "z", "x"),)), "y ~ x + z + w + x:z:w"),
        (
            Choices("y", ("x",), shapes=(("x", Shape("log")),), outcome_transform="log"),
            "np.log(y) ~ np.log(x)",
        ),
        (
            Choices("y", ("x",), shapes=(("x", Shape("centre", 3)),)),
            "y ~ center(x) + I(center(x)**2) + I(center(x)**3)",
        ),
        (Choices("y", ("x",), shapes=(("x", Shape(spline="bs", df=5)),)), "y ~ bs(x, df=5)"),
        (Choices("y", ("x",), shapes=(("x", Shape(spline="cr")),)), 'y ~ cr(x, df=3, constraints="center")'),
        (Choices("y", ("x",), ("x",), shapes=(("x", Shape(contrast="Sum")),)), "y ~ C(x, Sum)"),
        (
            Choices("y", ("x",), ("x",), shapes=(("x", Shape(contrast="Treatment", reference='say "b"')),)),
            'y ~ C(x, Treatment("say \\"b\\""))',
        ),
        (
            Choices("y", ("x", "z", "w"), crossing="two-way", shapes=(("x", Shape(degree=2)),)),
            "y ~ x + I(x**2) + z + w + (x + I(x**2)):z + (x + I(x**2)):w + z:w",
        ),
        (
            Choices("y", ("x",), blocks=(Block(("g",), (Effects(True, ("x",)),)), Block(("g", "h")))),
            "y ~ x + (1 + x | g) + (1 | g:h)",
        ),
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
        ("y ~ x*z", Choices("y", ("x", "z"), interactions=(("x", "z"),))),
        ("y~(x+z+w)**3", Choices("y", ("x", "z", "w"), crossing="all")),
        ("y ~ x + z + w + w:x", Choices("y", ("x", "z", "w"), interactions=(("x", "w"),))),
        ("y ~ x*(z + w)", Choices("y", ("x", "z", "w"), interactions=(("x", "z"), ("x", "w")))),
        ("y ~ x - 1", Choices("y", ("x",), intercept=False)),
        ("y ~ 1 + x + x", Choices("y", ("x",))),
        ("Q(\"y\") ~ C(Q('x'))", Choices("y", ("x",), ("x",))),
        ("y ~ x + z + w + x:z:w", Choices("y", ("x", "z", "w"), interactions=(("x", "z", "w"),))),
        ("y ~ C(x, Treatment)", Choices("y", ("x",), ("x",))),
        (
            "np.log(y) ~ z + I(z**2)",
            Choices("y", ("z",), shapes=(("z", Shape(degree=2)),), outcome_transform="log"),
        ),
        (
            "y ~ x*z + I(x**2)",
            Choices(
                "y",
                ("x", "z"),
                interactions=(("x", "z"),),
                shapes=(("x", Shape(degree=2)),),
                curved=False,
            ),
        ),
        (
            "y ~ (x + I(x ** 2))*z",
            Choices("y", ("x", "z"), interactions=(("x", "z"),), shapes=(("x", Shape(degree=2)),)),
        ),
        (
            "y ~ C(x, Treatment('b'))",
            Choices("y", ("x",), ("x",), shapes=(("x", Shape(contrast="Treatment", reference="b")),)),
        ),
    ],
)
def test_other_ways_to_write_a_model_are_understood(formula: str, expected: Choices) -> None:
    assert from_call(ModelCall(formula, "g", "1"), COLUMNS) == replace(expected, groups="g")


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("y ~ np.log10(x)", "cannot show 'np'"),
        ("np.exp(y) ~ x", "outcome is calculated"),
        ("center(y) ~ x", "outcome is calculated"),
        ("y ~ I(x**2)", "combination of ways"),
        ("y ~ x + np.log(x)", "combination of ways"),
        ("y ~ x + I(x**2) + z + w + z:I(x**2)", "not all, of the powers"),
        ("y ~ x + I(x**2) + x:I(x**2)", "two powers"),
        ("y ~ bs(x, 4)", "'4' at this place"),
        ("y ~ cr(x, df=4)", "cannot show ')' at this place"),
        ("y ~ bs(x, df=40)", "df"),
        ("y ~ I(x**9)", "power"),
        ("y ~ C(x, Sum(1))", "'('"),
        ("y ~ C(x, [1, 2])", "coding '['"),
        ("y ~ C(x, Treatment(z))", "reference level"),
        ("y ~ C(x, Treatment((1, 2)))", "reference level"),
        ("y ~ x:z", "without its own predictors"),
        ("y ~ x*z*w - x:z", "take terms away"),
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


@pytest.mark.parametrize("text", ["1 + x:z", "1 + np.exp(x)", "y ~ x", "1 + C(x) + x", "(", "1 + np.log(x)"])
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


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y ~ x + (1 + x | g)", Choices("y", ("x",), groups="g", slopes=("x",))),
        ("y ~ x + (1 + x || g)", Choices("y", ("x",), groups="g", slopes=("x",), correlated=False)),
        ("y ~ x + (1 | g) + (0 + x | g)", Choices("y", ("x",), groups="g", slopes=("x",), correlated=False)),
        ("y ~ 1 + (x | g)", Choices("y", groups="g", slopes=("x",))),
        ("y ~ (1 | g/h)", Choices("y", blocks=(Block(("g",)), Block(("g", "h"))))),
        ("y ~ (1 | g) + (1 | h)", Choices("y", blocks=(Block(("g",)), Block(("h",))))),
        (
            "y ~ (1 + x | g) + (0 + z | g)",
            Choices("y", blocks=(Block(("g",), (Effects(True, ("x",)), Effects(False, ("z",)))),)),
        ),
        (
            "y ~ (1 + C(x) | g) + (1 | h)",
            Choices("y", (), ("x",), blocks=(Block(("g",), (Effects(True, ("x",)),)), Block(("h",)))),
        ),
    ],
)
def test_bars_are_understood(formula: str, expected: Choices) -> None:
    assert from_call(ModelCall(formula, ""), COLUMNS) == expected


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("y ~ x + (1 + x:z | g)", "interaction"),
        ("y ~ x + (1 | g) + (1 | g)", "twice"),
        ("y ~ x + (1 + w || g)", "split a category"),
        ("y ~ x + (1 + C(z) || g)", "split a category"),
        ("y ~ x + (0 | g)", "no effects"),
        ("y ~ x + (1 + np.log(x) | g)", "another way"),
        ("y ~ x + (1 + C(x) | g)", "category in one place"),
        ("y ~ x + (1 + I(x**2) | g)", "power that the predictors do not have"),
        ("y ~ x + (1 | nowhere)", "no column"),
    ],
)
def test_bars_beyond_the_widgets_are_kept(formula: str, reason: str) -> None:
    call = ModelCall(formula, "")
    reading = read(call, COLUMNS, {"w"})
    assert reason in reading.unread["bars"]
    assert "formula" not in reading.unread
    changed = replace(reading, choices=replace(reading.choices, fixed=("z",)))
    assert write(changed, call) == replace(call, formula=formula.replace("y ~ x +", "y ~ z +"))


def test_a_fixed_part_beyond_the_widgets_is_kept_beside_bars() -> None:
    call = ModelCall("np.exp(y) ~ x + (1 | g) + (1 | h)", "")
    reading = read(call, COLUMNS)
    assert set(reading.unread) == {"formula"}
    assert write(reading, call) == call
    one = replace(reading, choices=replace(reading.choices, blocks=(Block(("g",)),)))
    assert write(one, call) == ModelCall("np.exp(y) ~ x", "g", "1")


def test_an_independent_slope_of_text_has_several_columns_and_stays_in_bars() -> None:
    """As a component all of its columns would have one variance."""
    call = ModelCall("y ~ x + (1 | g) + (0 + w | g)", "")
    assert write(read(call, COLUMNS, {"w"}), call) == call
    assert read(call, COLUMNS).choices.groups == "g"
