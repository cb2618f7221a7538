"""Data in chunks for the tests of streamed fits, and what makes two fits the same."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mixedcore import MixedLMResults

SAME = 1e-9  # the goal for estimates; sums over other chunks differ by rounding, near 1e-13
SAME_ERRORS = 1e-7  # of standard errors, which rest on differences of the gradient over steps of 1e-3

OF_ROWS = {"constant_slope", "influential", "outliers", "unequal_spread", "within_between"}
"""Findings that read the rows."""


def classes(n: int = 2500, seed: int = 5) -> pd.DataFrame:
    """Pupils in rooms in schools, and teachers across them; categories of several kinds; rows unsorted."""
    rng = np.random.default_rng(seed)
    school, teacher = rng.integers(0, 40, n), rng.integers(0, 25, n)
    room = rng.integers(0, 3, n)
    x = rng.normal(size=n)
    effect = rng.normal(size=(40, 2)) @ np.array([[1.0, 0.3], [0.0, 0.4]])
    y = 2 + 0.5 * x + effect[school, 0] + effect[school, 1] * x + rng.normal(size=25)[teacher]
    y += 0.6 * rng.normal(size=120)[3 * school + room] + rng.normal(size=n)
    return pd.DataFrame(
        {
            "y": y,
            "x": x,
            "school": 7 * school - 100,
            "room": [f"{s}-{r}" for s, r in zip(school, room, strict=True)],
            "teacher": pd.Categorical([f"t{t}" for t in teacher]),
            "text": np.array(["late", "early", "never"])[np.minimum(rng.poisson(0.5, n), 2)],
            "number": rng.integers(1, 5, n),
            "truth": rng.random(n) < 0.4,
            "day": pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 90, n), unit="D"),
        }
    )


def chunked(data: pd.DataFrame, size: int) -> list[pd.DataFrame]:
    """The rows in order, `size` at a time."""
    return [data.iloc[first : first + size] for first in range(0, len(data), size)]


def same_fit(found: MixedLMResults, expected: MixedLMResults) -> None:
    """Estimates, their errors and every table that needs no rows are the same."""
    pd.testing.assert_series_equal(found.params, expected.params, rtol=SAME, atol=SAME)
    pd.testing.assert_series_equal(found.bse, expected.bse, rtol=SAME_ERRORS)
    assert abs(found.llf - expected.llf) < SAME * abs(expected.llf)
    for effects in ("random", "blups"):
        own, other = found.tidy(effects), expected.tidy(effects)
        pd.testing.assert_frame_equal(own, other, rtol=SAME_ERRORS, atol=SAME)
    pd.testing.assert_frame_equal(found.glance(), expected.glance(), rtol=SAME)
    pd.testing.assert_frame_equal(found.icc(), expected.icc(), rtol=SAME)
    assert str(found.summary()) == str(expected.summary())
    assert found.diagnose() == [f for f in expected.diagnose() if f.kind not in OF_ROWS]
    assert found.notes == expected.notes
