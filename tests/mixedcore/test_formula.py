"""The parts of a formula, the columns it uses, and the quoting of names: text to text, then through patsy."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixedcore.errors import FormulaError
from mixedcore.formula import (
    BarTerm,
    FormulaParts,
    check_formula,
    formula_columns,
    one_sided,
    quote_name,
    safe_environment,
    split,
)
from mixedcore.formula.functions import FUNCTION_NAMES
from mixedcore.formula.limits import MAX_STRING

G = BarTerm("1", "g", correlated=True)
PARTS = {
    "y ~ x": FormulaParts("y", "x", ()),
    "  y~x*z  ": FormulaParts("y", "x*z", ()),
    "y ~ x +\n  z": FormulaParts("y", "x +   z", ()),
    "y ~ x + (1 | g)": FormulaParts("y", "x", (G,)),
    "y ~ (1|g) + x": FormulaParts("y", "x", (G,)),
    "y ~ (1|g)": FormulaParts("y", "1", (G,)),
    "y ~ 0 + (1|g) + x": FormulaParts("y", "0 + x", (G,)),
    "y ~ (1|g) - 1": FormulaParts("y", "- 1", (G,)),
    "y ~ (1|g) + (1|h)": FormulaParts("y", "1", (G, BarTerm("1", "h", True))),
    "y ~ x + (1|g) + (0 + x | g) - z": FormulaParts("y", "x - z", (G, BarTerm("0 + x", "g", True))),
    "y ~ (x || g)": FormulaParts("y", "1", (BarTerm("x", "g", False),)),
    "y ~ (1 | a/b)": FormulaParts("y", "1", (BarTerm("1", "a", True), BarTerm("1", "a:b", True))),
    "y ~ (1 | a / b:c)": FormulaParts("y", "1", (BarTerm("1", "a", True), BarTerm("1", "a:b:c", True))),
    "y ~ (1 | b : a)": FormulaParts("y", "1", (BarTerm("1", "b:a", True),)),
    "y ~ (1 | C(g))": FormulaParts("y", "1", (G,)),
    'y ~ (1 | Q("a|b:c/d"))': FormulaParts("y", "1", (BarTerm("1", 'Q("a|b:c/d")', True),)),
    'y ~ (I(x * (z > 1)) | g) + Q("(1|g)")': FormulaParts(
        "y", 'Q("(1|g)")', (BarTerm("I(x * (z > 1))", "g", True),)
    ),
    # A notebook's own Python is handed on untouched: only bars outside of calls are random terms.
    "np.log(y) ~ f(x | z, g=(a | b)) + d['~']": FormulaParts("np.log(y)", "f(x | z, g=(a | b)) + d['~']", ()),
}


@pytest.mark.parametrize("formula", PARTS)
def test_split(formula: str) -> None:
    assert split(formula) == PARTS[formula]


def test_deeper_nesting_adds_a_level_at_a_time() -> None:
    assert [bar.group for bar in split("y ~ (1 | a/b/c)").bars] == ["a", "a:b", "a:b:c"]


def test_group_columns_are_unquoted_names() -> None:
    assert split('y ~ (1 | g:Q("class no"))').bars[0].group_columns() == ("g", "class no")


BROKEN = {
    "y x": "has no ~",
    "~ x": "no outcome before",
    "y ~": "nothing after",
    "y ~ x ~ z": "more than one ~",
    "": "is empty",
    " \n": "is empty",
    "y ~ x + 1 | g": "in parentheses",
    "y ~ x - (1 | g)": "cannot be subtracted",
    "y ~ x * (1 | g)": "by itself",
    "y ~ (1 | g):x": "by itself",
    "y ~ (x + (1 | g))": "by itself",
    "y ~ ((1 | g))": "by itself",
    "y ~ (1 | g | h)": "more than one bar",
    "y ~ (1 | )": "lacks a side",
    "y ~ ( | g)": "lacks a side",
    "y ~ (1 | g + h)": "two terms",
    "y ~ (1 | g*h)": "cannot group rows",
    "y ~ (1 | f(g))": "cannot group rows",
    "y ~ (1 | )(g": "closed|lacks",
    "(1 | g) ~ x": "right of the ~",
    "y ~ (x": "never closed",
    "y ~ x)": "closes nothing",
    "y ~ Q('x": "never closed",
}


@pytest.mark.parametrize("formula", BROKEN)
def test_a_broken_formula_says_what_is_wrong(formula: str) -> None:
    with pytest.raises(FormulaError, match=BROKEN[formula]):
        split(formula)


def test_a_formula_is_text() -> None:
    with pytest.raises(FormulaError, match="type int"):
        split(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0 + x", "~ 0 + x", " ~0 + x "])
def test_one_sided_strips_the_tilde(text: str) -> None:
    assert one_sided(text) == "0 + x"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("y ~ x", "no outcome"),
        ("~", "nothing after"),
        ("", "empty"),
        ("~ x ~ z", "one ~"),
        ("(1 | g)", "main"),
    ],
)
def test_one_sided_refuses(text: str, reason: str) -> None:
    with pytest.raises(FormulaError, match=reason):
        one_sided(text)


COLUMNS_USED = {
    "y ~ x": ("y", "x"),
    "~ x + x:z": ("x", "z"),
    "0 + C(g, Treatment)": ("g",),
    'np.log(y) ~ Q("odd name") * center(x) + (z | g/Q("h i"))': ("y", "odd name", "x", "z", "g", "h i"),
    "y ~ C(x, contrast=Sum, levels=['a', 'b']) + I(np.pi * z == 'w')": ("y", "x", "z"),
    "y ~ my_function(x, power=k)[0] + z.clip(a)": ("y", "x", "k", "z", "a"),
    "y ~ Q(name='x') + bs(z, df=4)": ("y", "x", "z"),
    "y ~ 1": ("y",),
}


@pytest.mark.parametrize("formula", COLUMNS_USED)
def test_formula_columns(formula: str) -> None:
    assert formula_columns(formula) == COLUMNS_USED[formula]


def test_formula_columns_of_what_cannot_be_read() -> None:
    with pytest.raises(FormulaError, match="cannot be read"):
        formula_columns("y ~ x +")


# Names that someone's file may hold; each is tried beside plain neighbours.
ODD_NAMES = [
    'a"b\\c', "a'b", "$x", ":red[x]", "<script>", "θ", "µ", "ﬁt", "", "two\nlines", "🧪",
    "\U0001f469\u200d\U0001f52c", "  padded ", "1", "1e5", "NaN", "l·l", "inf", "Intercept",
    "class", "None", "True",
    "__debug__", "_patsy_stobj0__center__", "a.b", "a~b", "(1|g)", "`x`", "{x}", "x;y", "#x", "\x00", "\\",
    '"', "\\\"", "\\n", "\u2028", "\u202eabc", "x" * MAX_STRING,
]  # fmt: skip


def _column_by_its_name(name: str, values: np.ndarray) -> np.ndarray:
    """The column as a checked formula finds it, in a frame with other columns."""
    formula = f"0 + {quote_name(name)} + other"
    names = [name, "other"]
    check_formula(formula, names)
    assert formula_columns(formula) == (name, "other")
    frame = pd.DataFrame(
        np.column_stack([values, np.ones(len(values))]), columns=pd.Index(names, dtype=object)
    )
    return np.asarray(patsy.dmatrix(formula, frame, eval_env=safe_environment()))[:, 0]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_quoted_name_is_the_column(name: str) -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert _column_by_its_name(name, values) == pytest.approx(values)


@pytest.mark.parametrize("name", sorted(FUNCTION_NAMES - {"Q"}))
def test_a_column_with_the_name_of_a_function_is_the_column(name: str) -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert quote_name(name) == name
    assert _column_by_its_name(name, values) == pytest.approx(values)


@given(st.text(max_size=40).filter(lambda name: name != "other"))
@example("Q")
@settings(max_examples=150, deadline=None)
def test_any_name_can_be_quoted(name: str) -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert _column_by_its_name(name, values) == pytest.approx(values)


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_a_quoted_name_prints_on_one_line_and_groups_rows(name: str) -> None:
    assert quote_name(name).isprintable()
    (bar,) = split(f"y ~ (1 | {quote_name(name)})").bars
    assert bar.group_columns() == (name,)


@pytest.mark.parametrize("name", ["x", "score_2", "θ", "Größe", "np", "C"])
def test_a_plain_name_is_not_quoted(name: str) -> None:
    assert quote_name(name) == name


def test_the_safe_environment_has_no_builtins() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    for code in ("abs(x)", "__import__('os')", "open('x')", "np.load('x')"):
        with pytest.raises(patsy.PatsyError, match=r"NameError|AttributeError"):
            patsy.dmatrix(code, frame, eval_env=safe_environment())


def test_transforms_remember_their_training_data_in_the_safe_environment() -> None:
    frame = pd.DataFrame({"odd name": [1.0, 2.0, 6.0]})
    design = patsy.dmatrix('0 + center(Q("odd name"))', frame, eval_env=safe_environment())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (again,) = patsy.build_design_matrices([design.design_info], {"odd name": np.array([3.0])})
    assert np.asarray(again) == pytest.approx(np.zeros((1, 1)))
