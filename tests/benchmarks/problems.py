"""The problems: data made from a seed, and the model in the notations of lme4 and statsmodels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from mixedcore import datasets


@dataclass(frozen=True)
class Problem:
    """One model of one data set, and what is to be reached on it.

    key        short name
    data       makes the rows, the same ones at every call
    formula    with terms in bars, as lme4, PyPI's mixedlm and mixedcore read it
    seed       arguments of statsmodels' `mixedlm` for the same model; None where its notation has none
    goals      engine → how many times its time ours should be
    not_quick  engines that `--quick` leaves out because one fit takes seconds
    """

    key: str
    title: str
    data: Callable[[], pd.DataFrame]
    formula: str
    seed: Mapping[str, Any] | None = None
    goals: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    not_quick: frozenset[str] = frozenset()


def slopes(groups: int, size: int, seed: int = 1) -> pd.DataFrame:
    """`groups` groups of `size` rows with correlated intercepts and slopes."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    x = rng.normal(size=g.size)
    effects = rng.multivariate_normal([0, 0], [[1.0, 0.3], [0.3, 0.5]], size=groups)
    y = 1 + x + effects[g, 0] + effects[g, 1] * x + rng.normal(size=g.size)
    return pd.DataFrame({"y": y, "x": x, "g": g})


def nested(schools: int, classes: int, pupils: int, seed: int = 2) -> pd.DataFrame:
    """Pupils in classes in schools; class labels are used again in every school."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), classes * pupils)
    room = np.tile(np.repeat(np.arange(classes), pupils), schools)
    x = rng.normal(size=school.size)
    y = (
        1
        + x
        + rng.normal(size=schools)[school]
        + 0.7 * rng.normal(size=schools * classes)[school * classes + room]
    )
    return pd.DataFrame({"y": y + rng.normal(size=school.size), "x": x, "school": school, "room": room})


def vector_terms(first: int, second: int, size: int, seed: int = 5) -> pd.DataFrame:
    """Two crossed factors `a` and `b`, `size` rows a cell; an intercept and three slopes vary over each."""
    rng = np.random.default_rng(seed)
    a = np.repeat(np.arange(first), second * size)
    b = np.tile(np.repeat(np.arange(second), size), first)
    x = rng.normal(size=(a.size, 3))
    basis = np.column_stack([np.ones(a.size), x])
    y = 1 + x.sum(axis=1)
    for codes, levels in ((a, first), (b, second)):
        root = np.tril(rng.normal(size=(4, 4))) * 0.5
        effects = rng.normal(size=(levels, 4)) @ root.T
        y = y + (effects[codes] * basis).sum(axis=1)
    y = y + rng.normal(size=a.size)
    return pd.DataFrame({"y": y, "x1": x[:, 0], "x2": x[:, 1], "x3": x[:, 2], "a": a, "b": b})


def insteval() -> pd.DataFrame:
    """InstEval with one group for the whole, inside which statsmodels may cross its factors."""
    return datasets.load("InstEval").assign(all=1)


def _goals(lme4: float, mixedlm: float, statsmodels: float | None = None) -> Mapping[str, float]:
    peers = {"lme4": lme4, "mixedlm": mixedlm}
    return MappingProxyType(peers | ({"statsmodels": statsmodels} if statsmodels else {}))


# statsmodels needs seconds to hours for these, or more memory than there is.
SLOW = frozenset({"statsmodels"})

PROBLEMS = (
    Problem(
        "sleepstudy",
        "sleepstudy, correlated slope",
        lambda: datasets.load("sleepstudy"),
        "Reaction ~ Days + (Days | Subject)",
        {"formula": "Reaction ~ Days", "groups": "Subject", "re_formula": "Days"},
        _goals(3, 1),
    ),
    Problem(
        "hsb82",
        "Hsb82, correlated slope",
        lambda: datasets.load("Hsb82"),
        "mAch ~ cses*sector + (cses | school)",
        {"formula": "mAch ~ cses*sector", "groups": "school", "re_formula": "cses"},
        _goals(10, 1.5),
        SLOW,
    ),
    Problem(
        "chem97",
        "Chem97, schools in 131 authorities",
        lambda: datasets.load("Chem97"),
        "score ~ gcsecnt + (1 | school) + (1 | lea)",
        # Every school lies in one authority, so a component inside `lea` is the same model.
        {
            "formula": "score ~ gcsecnt",
            "groups": "lea",
            "re_formula": "1",
            "vc_formula": {"school": "0 + C(school)"},
        },
        _goals(15, 2, 100),
        SLOW,
    ),
    Problem(
        "slopes",
        "10,000 groups × 10, correlated slope",
        lambda: slopes(10_000, 10),
        "y ~ x + (x | g)",
        {"formula": "y ~ x", "groups": "g", "re_formula": "x"},
        _goals(25, 2.5, 100),
        SLOW,
    ),
    Problem(
        "nested",
        "200 schools × 20 classes × 20 pupils",
        lambda: nested(200, 20, 20),
        "y ~ x + (1 | school/room)",
        {"formula": "y ~ x", "groups": "school", "re_formula": "1", "vc_formula": {"room": "0 + C(room)"}},
        _goals(30, 3, 100),
        SLOW,
    ),
    Problem(
        "million",
        "1,000,000 rows, 1,000 groups, slope",
        lambda: slopes(1_000, 1_000),
        "y ~ x + (x | g)",
        {"formula": "y ~ x", "groups": "g", "re_formula": "x"},
        _goals(100, 2.5, 100),
        SLOW | {"lme4"},
    ),
    Problem(
        "insteval",
        "InstEval, three crossed factors",
        insteval,
        "y ~ service + (1 | s) + (1 | d) + (1 | dept)",
        {
            "formula": "y ~ service",
            "groups": "all",
            "vc_formula": {"s": "0 + C(s)", "d": "0 + C(d)", "dept": "0 + C(dept)"},
        },
        _goals(15, 8, 100),
        SLOW | {"lme4", "mixedlm"},
    ),
    Problem(
        # As in statsmodels issue 9097: 125,066 groups, a random intercept, 41 minutes there.
        "many_groups",
        "125,000 groups × 4, random intercept",
        lambda: slopes(125_000, 4),
        "y ~ x + (1 | g)",
        {"formula": "y ~ x", "groups": "g"},
        _goals(20, 2, 100),
        SLOW | {"lme4"},
    ),
    Problem(
        "vector_terms",
        "20 θ: two crossed terms of four effects",
        lambda: vector_terms(32, 28, 2),
        "y ~ x1 + x2 + x3 + (x1 + x2 + x3 | a) + (x1 + x2 + x3 | b)",
        None,  # statsmodels correlates effects within one grouping factor only
        _goals(20, 30),
        frozenset({"lme4", "mixedlm"}),
    ),
)
