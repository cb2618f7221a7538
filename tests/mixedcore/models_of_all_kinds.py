"""One small data set and models of every kind for it: what the tests of simulation go through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

RNG = np.random.default_rng(20240615)
N = 120
SCHOOL, ROOM, TEACHER = np.arange(N) % 8, RNG.integers(0, 3, N), RNG.integers(0, 9, N)
X = RNG.normal(size=N) + 2020
DATA = pd.DataFrame(
    {
        "y": X - 2018 + RNG.normal(size=8)[SCHOOL] + RNG.normal(size=9)[TEACHER] + RNG.normal(size=N),
        "x": X,
        "copy": 2 * X,
        "school": SCHOOL,
        "room": ROOM,
        "teacher": TEACHER,
        "single": np.maximum(np.arange(N) - 20, 0),
        "wide": np.arange(N) // 8 % 7,
        "w": RNG.gamma(2.0, size=N) + 0.05,
        "z": RNG.normal(size=N) * 3,
    },
    index=[f"row{i}" for i in range(N)],
)
OTHER = 1e6 + 40 * RNG.normal(size=8)[SCHOOL] + 60 * RNG.normal(size=N)
MODELS: dict[str, dict[str, Any]] = {
    "intercept": {"formula": "y ~ x + (1 | school)"},
    "slope": {"formula": "y ~ x + (x | school)"},
    "uncorrelated": {"formula": "y ~ x + (x || school)"},
    "nested": {"formula": "y ~ x + (1 | school/room)"},
    "crossed": {"formula": "y ~ x + (1 | school) + (x | teacher)"},
    "components": {
        "formula": "y ~ x",
        "groups": "school",
        "re_formula": "1",
        "vc_formula": {"room": "0 + C(room)", "slope": "0 + C(room):x"},
    },
    "as many effects as rows": {"formula": "y ~ x + (0 + C(room) | teacher)"},
    "mostly groups of one row": {"formula": "y ~ x + (1 | single)"},
    "wide blocks": {"formula": "y ~ x + (0 + C(wide) | school)"},
    "no intercept": {"formula": "y ~ 0 + x + (1 | school)"},
    "no fixed effects": {"formula": "y ~ 0 + (1 | school)"},
    "aliased": {"formula": "y ~ x + copy + (1 | school)"},
    "weights and offset": {"formula": "y ~ x + (x | school)", "weights": "w", "offset": "z"},
}
