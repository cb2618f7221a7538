"""Conditions on rows: checked like formulas, evaluated without builtins, written as Python that agrees."""

from __future__ import annotations

import ast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixedcore.errors import FormulaError
from pages.ui.model import condition

FRAME = pd.DataFrame(
    {
        "age": [1.0, 5.0, None, 7.0],
        "sex": pd.Categorical(["f", "m", "f", "f"]),
        "a b": [1, 2, 3, 4],
        "yes": [True, False, True, True],
    },
    index=[9, 8, 8, 7],
)
NAMES = [str(name) for name in FRAME.columns]
NUMBERS = {"age", "a b", "yes"}
RIGHT = [
    ("age > 3", [False, True, False, True]),
    ('age > 3 and sex == "f"', [False, False, False, True]),
    ('Q("a b") <= 2 and yes', [True, False, False, False]),
    ("(age > 6) + (age < 2)", [True, False, False, True]),
    ("np.abs(age - 5) < 3", [False, True, False, True]),
]


@pytest.mark.parametrize(("text", "expected"), RIGHT)
def test_rows_that_meet_a_condition(text: str, expected: list[bool]) -> None:
    condition.check(text, NAMES, NUMBERS)
    assert condition.rows(text, FRAME).tolist() == expected


@pytest.mark.parametrize(("text", "expected"), RIGHT)
def test_the_python_of_a_condition_says_the_same(text: str, expected: list[bool]) -> None:
    found = eval(condition.as_python(text), {"data": FRAME, "np": np})  # noqa: S307 - our own program
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("age > 3 and", "lacks a side"),
        ("nowhere > 3", "no column 'nowhere'"),
        ("sex * 2 == 4", "not a number"),
        ("age > 3) + I(age", "closes nothing"),
        ("age > 3 or sex", "'or'"),
        ("__import__('os').system('true')", "__import__"),
        ("age.__class__", "__class__"),
        ("age[0] > 1", "age"),
        ("center(age) > 0", "'center'"),
        ("(age > 1", "never closed"),
        ("age ~ 3", "~"),
        ("x for x in age", "for"),
        ("age > 10**10**10", "exponent"),
        ("age > ", "cannot be read"),
    ],
)
def test_what_is_no_condition_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(FormulaError, match=said.replace("(", r"\(").replace("*", r"\*")):
        condition.check(text, NAMES, NUMBERS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sex > 3", "texts with numbers"),
        ("age", "no comparison"),
        ("age > 3 and __import__('os').system('true')", "__import__"),
        ("(lambda: age)() > 1", "lambda"),
    ],
)
def test_what_cannot_be_compared_is_refused_when_evaluated(text: str, said: str) -> None:
    with pytest.raises(FormulaError, match=said):
        condition.rows(text, FRAME)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_becomes_one_expression(text: str) -> None:
    assert isinstance(ast.parse(f"f({condition.as_python(text)})").body[0], ast.Expr)
