"""Data in chunks whose sums would lose digits: the fit is that in memory, after a further pass if need be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import mixedlm
from mixedcore.data.passes import Progress
from tests.mixedcore.streams import SAME, chunked, classes, same_fit

DATA = classes()


@pytest.mark.parametrize("shift, random", [(2024.0, "x"), (1e6, "1"), (-1e9, "1")])
def test_far_from_zero(shift: float, random: str) -> None:
    data = DATA.assign(x=DATA["x"] + shift)
    formula = f"y ~ x + ({random} | school)"
    same_fit(mixedlm(formula, chunked(data, 300)).fit(), mixedlm(formula, data).fit())


def test_nearly_collinear_columns_are_read_once_more() -> None:
    noise = np.random.default_rng(3).normal(size=len(DATA))
    data = DATA.assign(z=DATA["x"] + 1e-5 * noise, twin=2 * DATA["x"])
    formula, seen = "y ~ x + z + twin + (1 | school)", []
    found = mixedlm(formula, chunked(data, 700), progress=seen.append).fit()
    expected = mixedlm(formula, data).fit()
    assert list(found.params.index) == list(expected.params.index)
    assert "twin" in found.notes[-1]
    np.testing.assert_allclose(found.predict(data), expected.predict(data), rtol=SAME)
    assert max(each.pass_number for each in seen) > 2


def test_an_outcome_explained_almost_wholly_is_read_once_more() -> None:
    """Differences of sums alone are 5e-7 off in the log-likelihood."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 100, 4000)
    data = pd.DataFrame({"g": group, "x": rng.normal(size=4000)})
    data["y"] = 1 + rng.normal(size=100)[group] + 1e-3 * (0.3 * data["x"] + rng.normal(size=4000))
    seen: list[Progress] = []
    found = mixedlm("y ~ x + (x | g)", chunked(data, 1000), progress=seen.append).fit()
    expected = mixedlm("y ~ x + (x | g)", data).fit()
    assert found.llf == pytest.approx(expected.llf, abs=1e-8)
    assert found.scale == pytest.approx(expected.scale, rel=SAME)
    assert seen[-1].pass_number == 3
