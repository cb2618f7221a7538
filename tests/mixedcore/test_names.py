"""Names of parameters: unique and readable in both notations, and the seed's where the seed has one term."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mixedcore import MixedLM, datasets, mixedlm

CLASSES = datasets.load("classrooms")
SLEEP = datasets.load("sleepstudy")
SCORE = "test_score ~ age + pretest"

NAMES: dict[str, tuple[MixedLM, list[str]]] = {
    "one bar": (
        mixedlm("Reaction ~ Days + (Days | Subject)", SLEEP),
        ["Subject Var", "Subject x Days Cov", "Days Var"],
    ),
    "the same by re_formula": (
        mixedlm("Reaction ~ Days", SLEEP, groups="Subject", re_formula="Days"),
        ["Subject Var", "Subject x Days Cov", "Days Var"],
    ),
    "intercepts": (
        mixedlm(f"{SCORE} + (1 | school) + (1 | classroom)", CLASSES),
        ["school Var", "classroom Var"],
    ),
    "slopes on both": (
        mixedlm(f"{SCORE} + (age + pretest | school) + (pretest | classroom)", CLASSES),
        [
            "school Var", "school x age Cov", "school: age Var", "school x pretest Cov",
            "school: age x pretest Cov", "school: pretest Var",
            "classroom Var", "classroom x pretest Cov", "classroom: pretest Var",
        ],
    ),
    "nested": (
        mixedlm(f"{SCORE} + (pretest | school/classroom)", CLASSES),
        [
            "school Var", "school x pretest Cov", "school: pretest Var", "school:classroom Var",
            "school:classroom x pretest Cov", "school:classroom: pretest Var",
        ],
    ),
    "two terms on one factor": (
        mixedlm("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", SLEEP),
        ["Subject Var", "Subject: Days Var"],
    ),
    "one column in two terms on one factor": (
        mixedlm("Reaction ~ Days + (Days | Subject) + (1 + I(Days ** 2) | Subject)", SLEEP),
        [
            "Subject Var", "Subject x Days Cov", "Subject: Days Var",
            "Subject.1 Var", "Subject.1 x I(Days ** 2) Cov", "Subject.1: I(Days ** 2) Var",
        ],
    ),
    "a component called as the group and the slope are": (
        mixedlm(
            SCORE, CLASSES, "pretest", {"pretest": "0 + C(classroom):pretest", "school": "0 + C(classroom)"},
            groups="school",
        ),
        [
            "school: Intercept Var", "school: Intercept x pretest Cov", "school: pretest Var",
            "pretest Var", "school Var",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("model", "expected"), NAMES.values(), ids=NAMES)
def test_every_result_has_these_names_once(model: MixedLM, expected: list[str]) -> None:
    result = model.fit()
    p = len(result.fe_params)
    every: dict[str, Any] = {
        "params": result.params.index[p:],
        "bse": result.bse.index[p:],
        "bse_re": result.bse_re.index,
        "cov_params": result.cov_params().columns[p:],
        "conf_int": result.conf_int().index[p:],
        "summary": result.summary().coefficients.index[p:],
    }
    assert {name: list(index) for name, index in every.items()} == dict.fromkeys(every, expected)
    assert len(set(expected)) == len(expected)
    assert result.cov_re.index.is_unique
    assert list(result.cov_re.index) == model.exog_re_names
    random, blups = result.tidy("random"), result.tidy("blups")
    assert not random.duplicated(["group", "term", "term2", "scale"]).any()
    assert not blups.duplicated(["group", "level", "term"]).any()


def test_a_name_finds_the_variance_that_it_says() -> None:
    result = NAMES["slopes on both"][0].fit()
    table = result.tidy("random").query("scale == 'variance'").set_index(["group", "term"])["estimate"]
    for factor in ("school", "classroom"):
        ratio = result.params[f"{factor}: pretest Var"]
        assert ratio * result.scale == pytest.approx(table[factor, "pretest"])
        assert result.cov_re.loc[f"{factor}: pretest", f"{factor}: pretest"] == pytest.approx(
            table[factor, "pretest"]
        )


def test_effects_of_bar_terms_are_columns_of_their_factor() -> None:
    effects = NAMES["slopes on both"][0].fit().random_effects
    assert {name: list(table) for name, table in effects.items()} == {
        "school": ["Intercept", "age", "pretest"],
        "classroom": ["Intercept", "pretest"],
    }


def test_components_from_matrices_are_told_apart_too() -> None:
    y, g = SLEEP["Reaction"], SLEEP["Subject"]
    re = pd.DataFrame({"Intercept": 1.0, "x": SLEEP["Days"].to_numpy()}, index=SLEEP.index)
    by_group = {str(label): rows[["Days"]].to_numpy(float) ** 2 for label, rows in SLEEP.groupby("Subject")}
    with pytest.warns(FutureWarning, match="deprecated variance components"):
        model = MixedLM(y, re[["Intercept"]], g.astype(str), re, {"x": by_group})
    assert list(model.fit().bse_re.index) == ["Group Var", "Group x x Cov", "Group: x Var", "x Var"]
