"""Linear hypotheses: the language patsy's `DesignInfo.linear_constraint` reads, and never more than that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import patsy
import pytest

from mixedcore import FormulaError
from mixedcore.errors import ModelError
from mixedcore.inference.hypothesis_text import read_hypotheses

NAMES = [
    "Intercept",
    "C(recipe)[T.B]",
    "C(recipe)[T.C]",
    "temp",
    "temp2",
    "C(recipe)[T.B]:temp",
    "g x temp Cov",
]

UNDERSTOOD: dict[str, Any] = {
    "one": "temp = 0",
    "no equals sign": "temp",
    "value": "temp2 = -3.5e-1",
    "several": "temp = 1, temp2 = 2",
    "chain": "temp = temp2 = Intercept = 2",
    "brackets of levels": "C(recipe)[T.B] = C(recipe)[T.C]",
    "interaction": "C(recipe)[T.B]:temp - temp",
    "spaces in a name": "2 * g x temp Cov = 1",
    "arithmetic": "(temp + 2*temp2)/4 - 1 = 3*(Intercept - 2) + -temp",
    "bracketed hypotheses": "(temp = temp2), (Intercept = 2)",
    "one name inside another": "temp + temp2 = 1",
    "list of texts": ["temp", "temp2 = 1"],
    "mapping": {"temp": 2, 4: 1},
    "row": [0, 0, 0, 1, -1, 0, 0],
    "rows": np.eye(7)[2:5],
    "rows and values": (np.eye(7)[2:5], [1, 2, 3]),
}


@pytest.mark.parametrize("given", UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_reads_what_patsy_reads(given: Any) -> None:
    expected = patsy.DesignInfo(NAMES).linear_constraint(given)
    found = read_hypotheses(given, NAMES)
    assert found.R.tolist() == expected.coefs.tolist()
    assert found.q == pytest.approx(np.broadcast_to(expected.constants.ravel(), found.q.shape))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tempp = 0", "Did you mean 'temp'"),
        ("weight", "The parameters are Intercept"),
        ("temp * temp2", "not linear"),
        ("temp / temp2", "not linear"),
        ("temp / 0", "not linear"),
        ("temp +", "ends where"),
        ("(temp", "ends where"),
        ("temp)", "not an operator"),
        ("temp temp2", "not an operator"),
        ("temp = 2x", "not a parameter or a number"),
        ("temp, 2 = 2", "no parameter is left"), ("temp - temp", "no parameter is left"),
        ("", "ends where"),
        (" , ", "not a parameter or a number"),
        ("__import__('os').getcwd()", "not a parameter or a number"),
        ("temp.__class__", "not a parameter or a number"),
        ("(" * 10_000 + "temp", "brackets"),
    ],
)  # fmt: skip
def test_text_that_is_no_hypothesis_is_explained(text: str, sentence: str) -> None:
    with pytest.raises(FormulaError, match=sentence.replace("(", r"\(")):
        read_hypotheses(text, NAMES)


def test_brackets_cost_no_more_than_their_number() -> None:
    found = read_hypotheses("(" * 150 + "temp" + ")" * 150, NAMES)
    assert found.R.tolist() == [np.eye(7)[3].tolist()]


def test_labelled_coefficients_are_paired_by_name() -> None:
    """By position a Series in another order would test something else without a word."""
    expected = read_hypotheses("temp - temp2", NAMES)
    series = read_hypotheses(pd.Series({"temp2": -1.0, "temp": 1.0}), NAMES)
    frame = read_hypotheses(pd.DataFrame({"temp2": [-1.0], "temp": [1.0]}), NAMES)
    assert series.named
    assert series.R.tolist() == frame.R.tolist() == expected.R.tolist()
    plain = read_hypotheses(pd.DataFrame(np.eye(7)), NAMES)
    assert not plain.named
    assert plain.R.tolist() == np.eye(7).tolist()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([[np.nan, 1.0]], "finite"), (np.zeros((0, 7)), "one row each"), (np.zeros((1, 1, 7)), "each"),
        (object(), "as text"), ((np.eye(7)[:2], [1, 2, 3]), "one or as many"), ([1, "temp"], "as text"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_hypotheses_are_refused(given: Any, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        read_hypotheses(given, NAMES)


def test_what_patsy_does_not_read() -> None:
    found = read_hypotheses((np.eye(7)[2:5], 3.0), NAMES)
    assert found.q.tolist() == [3.0, 3.0, 3.0]
    found = read_hypotheses({"temp2 - temp": 1}, NAMES)
    assert found.R.tolist() == read_hypotheses("temp2 - temp", NAMES).R.tolist()
    assert found.q.tolist() == [1.0]


def test_a_mapping_holds_one_sum_a_key() -> None:
    with pytest.raises(FormulaError, match="one sum"):
        read_hypotheses({"temp = 2": 3}, NAMES)
