"""The problems: data made from a seed, and the model in the notation that mixedcore and statsmodels share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mixedcore import datasets


@dataclass(frozen=True)
class Problem:
    """title; data on demand; arguments of `mixedlm`; whether `--quick` includes it."""

    title: str
    data: Callable[[], pd.DataFrame]
    arguments: dict[str, Any] = field(default_factory=dict)
    quick: bool = True


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


def insteval() -> pd.DataFrame:
    """InstEval with one group for the whole, so that its factors may cross."""
    return datasets.load("InstEval").assign(all=1)


PROBLEMS = (
    Problem(
        "sleepstudy, correlated slope",
        lambda: datasets.load("sleepstudy"),
        {"formula": "Reaction ~ Days", "groups": "Subject", "re_formula": "Days"},
    ),
    Problem(
        "10,000 groups × 10 rows, correlated slope",
        lambda: slopes(10_000, 10),
        {"formula": "y ~ x", "groups": "g", "re_formula": "x"},
    ),
    Problem(
        "200 schools × 20 classes × 20 pupils",
        lambda: nested(200, 20, 20),
        {"formula": "y ~ x", "groups": "school", "re_formula": "1", "vc_formula": {"room": "0 + C(room)"}},
        quick=False,
    ),
    Problem(
        "InstEval, three crossed factors",
        insteval,
        {
            "formula": "y ~ service",
            "groups": "all",
            "vc_formula": {"s": "0 + C(s)", "d": "0 + C(d)", "dept": "0 + C(dept)"},
        },
        quick=False,
    ),
)
