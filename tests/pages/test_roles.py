"""What columns can be in a model, why not, and what a new table starts from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from mixedcore import datasets
from pages.ui import fitting
from pages.ui.data.dataset import Dataset
from pages.ui.model import roles, support
from pages.ui.model.builder import to_call
from pages.ui.model.roles import Column

ROWS = 12
FRAME = pd.DataFrame(
    {
        "measure": np.linspace(0.1, 2, ROWS),
        "count": range(ROWS),
        "code": [1, 2, 3] * 4,
        "constant": 1.0,
        "empty": np.nan,
        "label": list("abc") * 4,
        "unique": [f"row {i}" for i in range(ROWS)],
        "one": "same",
        "flag": [True, False] * 6,
        "day": pd.date_range("2024-01-01", periods=ROWS),
        "nullable": pd.array([1, None] * 6, dtype="Int64"),
        "infinite": [np.inf, 1.0, 2.0] * 4,
        "level": pd.Categorical(list("ab") * 6, categories=list("abc")),
    }
)
COLUMNS = {column.name: column for column in roles.profile(FRAME)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("measure", Column("measure", "number", 12, 12, 12, whole=False)),
        ("code", Column("code", "number", 12, 12, 3, whole=True)),
        ("nullable", Column("nullable", "number", 12, 6, 1, whole=True)),
        ("flag", Column("flag", "yes or no", 12, 12, 2, whole=False)),
        ("day", Column("day", "date", 12, 12, 12, whole=False)),
        ("level", Column("level", "category", 12, 12, 2, whole=False)),
        ("infinite", Column("infinite", "number", 12, 12, 3, whole=True)),
    ],
)
def test_a_column_is_described(name: str, expected: Column) -> None:
    assert COLUMNS[name] == expected


@pytest.mark.parametrize(
    ("reason", "possible"),
    [
        (roles.not_outcome, {"measure", "count", "code", "infinite"}),
        (roles.not_predictor, {"measure", "count", "code", "label", "flag", "infinite", "level"}),
        (roles.not_group, {"code", "label", "flag", "infinite", "level"}),
    ],
)
def test_only_what_can_work_is_offered(reason: Callable[[Column], str], possible: set[str]) -> None:
    assert {name for name, column in COLUMNS.items() if not reason(column)} == possible


def test_two_columns_of_one_name_are_both_described() -> None:
    frame = pd.DataFrame([[1, "a"], [2, "b"]], columns=["x", "x"])
    assert [column.kind for column in roles.profile(frame)] == ["number", "category"]


def test_a_slope_needs_a_predictor_that_varies_within_groups() -> None:
    frame = pd.DataFrame({"g": list("aabb"), "own": [1, 2, 1, 2], "of_group": [1, 1, 2, 2]})
    assert support.varying_of(frame, ["own", "of_group"], ["g"]) == {"own"}


@pytest.mark.parametrize(
    ("levels", "present", "said"),
    [
        (50_000, 100_000, "50,000 groups"),
        (90, 100, "single row"),
        (3, 100, "Only 3"),
        (18, 180, "10 rows each"),
    ],
)
def test_unusual_groups_are_said_to_be_so(levels: int, present: int, said: str) -> None:
    column = Column("g", "category", present, present, levels, whole=False)
    assert not roles.not_group(column)
    assert said in roles.group_caution(column)


GROUPS = {
    "sleepstudy": "Subject",
    "classrooms": "school",
    "Exam": "school",
    "Hsb82": "school",
    "Rail": "Rail",
    "Orthodont": "Subject",
    "Dyestuff": "Batch",
    "Pastes": "batch",
    "egsingle": "schoolid",
    "BodyWeight": "Rat",
}


@pytest.mark.parametrize("name", datasets.list()["name"])
def test_the_first_model_of_every_example_can_be_fitted(name: str) -> None:
    frame = datasets.load(name)
    choices = roles.guess(roles.profile(frame))
    assert choices is not None
    if name in GROUPS:
        assert choices.groups == GROUPS[name]
    result = fitting.fit(to_call(choices), Dataset.of(name, frame, f"example:{name}"))
    assert result.converged


@pytest.mark.parametrize("names", [["label"], ["constant", "label"], ["empty"], ["unique", "flag", "day"]])
def test_without_an_outcome_there_is_no_first_model(names: list[str]) -> None:
    assert roles.guess(roles.profile(FRAME[names])) is None


def test_without_groups_the_first_model_has_none() -> None:
    choices = roles.guess(roles.profile(FRAME[["measure", "unique"]]))
    assert choices is not None
    assert (choices.groups, choices.random_intercept) == ("", False)


PUPILS = pd.DataFrame(
    [(s, c, p, 50 + s + p / 3) for s in range(1, 9) for c in "ABC" for p in range(1, 9)],
    columns=["school", "class", "pupil", "score"],
)
GERMAN = PUPILS.rename(columns={"school": "Schule", "class": "Klasse", "score": "Leistung"})
BARE = PUPILS[["school", "score"]].rename(columns={"school": "x"}).assign(sex=list("fm") * 96)
ESSAYS = pd.DataFrame(
    [
        (e, r, e % 7 + len(r) / 3)
        for e in range(1, 31)
        for r in ("Ann", "Bo", "Cyrus", "Di", "Ed", "Florence")
    ],
    columns=["text", "who", "rating"],
)


@pytest.mark.parametrize(
    "frame, groups, outcome",
    [
        (PUPILS, "school", "score"),
        (GERMAN, "Schule", "Leistung"),
        (PUPILS.assign(item1=list("abcde") * 38 + ["a", "b"], sex=list("fm") * 96), "school", "score"),
        (BARE, "x", "score"),
        (ESSAYS, "who", "rating"),
    ],
    ids=["classes in schools", "German", "answers of a scale", "no words", "numbers of essays"],
)  # fmt: skip
def test_the_first_model_groups_rows_as_a_person_would(
    frame: pd.DataFrame, groups: str, outcome: str
) -> None:
    choices = roles.guess(roles.profile(frame))
    assert choices is not None
    assert (choices.groups, choices.outcome) == (groups, outcome)


@pytest.mark.parametrize(
    "name, values, said",
    [
        ("passed", [0, 1] * 20, "two values only"),
        ("school", list(range(8)) * 5, "label of groups"),
        ("class_score", list(range(8)) * 5, ""),
        ("score", [k / 3 for k in range(40)], ""),
    ],
)
def test_an_unusual_outcome_is_said(name: str, values: list[float], said: str) -> None:
    caution = roles.outcome_caution(roles.profile(pd.DataFrame({name: values}))[0])
    assert said in caution if said else caution == ""
