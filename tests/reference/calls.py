"""Calls that statsmodels and mixedcore both understand; `statsmodels_fits` stores what the former says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mixedcore import datasets

SCORE = "test_score ~ age + pretest"
CLASSES = {"classroom": "0 + C(classroom)"}

# name: (data, arguments of mixedlm). The first three are the seed's examples.
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "classes in schools": (
        "classrooms",
        {"formula": SCORE, "groups": "school", "re_formula": "1", "vc_formula": CLASSES},
    ),
    "independent slope": (
        "classrooms",
        {
            "formula": SCORE,
            "groups": "school",
            "re_formula": "1",
            "vc_formula": {**CLASSES, "pretest": "0 + pretest"},
        },
    ),
    "correlated slope": ("classrooms", {"formula": SCORE, "groups": "school", "re_formula": "1 + pretest"}),
    "components alone": ("classrooms", {"formula": SCORE, "groups": "school", "vc_formula": CLASSES}),
    "slope by class": (
        "classrooms",
        {
            "formula": SCORE,
            "groups": "school",
            "re_formula": "1 + pretest",
            "vc_formula": {**CLASSES, "a slope": "0 + C(classroom):pretest"},
        },
    ),
    "random slope": ("sleepstudy", {"formula": "Reaction ~ Days", "groups": "Subject", "re_formula": "Days"}),
}


def frame_of(name: str) -> pd.DataFrame:
    """Example data with plain text for categories, as a CSV file gives them."""
    data = datasets.load(name)
    text = {c: str for c in data if isinstance(data[c].dtype, pd.CategoricalDtype)}
    return data.astype(text)


def arrays_of() -> tuple[Any, ...]:
    """endog, exog, groups and exog_re of the sleepstudy model."""
    data = frame_of("sleepstudy")
    X = np.column_stack([np.ones(len(data)), data["Days"]])
    return data["Reaction"].to_numpy(), X, data["Subject"].astype(int).to_numpy(dtype=float), X
