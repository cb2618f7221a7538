"""Expected information of crossed groupings by dense products, against differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, mixedlm
from mixedcore.engine import crossed
from mixedcore.engine.couplings import DenseCoupling, SparseCoupling

DIFFERENCED = 1e-8


def ratings(pupils: int, raters: int, each: int, seed: int = 4) -> pd.DataFrame:
    """Marks of pupils by raters on four tasks, which do not differ; rows weigh differently."""
    rng = np.random.default_rng(seed)
    pupil = np.repeat(np.arange(pupils), each)
    rater, x = rng.integers(raters, size=pupil.size), rng.normal(size=pupil.size)
    y = x + rng.normal(size=pupils)[pupil] + 0.5 * rng.normal(size=raters)[rater] + rng.normal(size=x.size)
    weights = rng.uniform(0.5, 2, size=x.size)
    columns = {"pupil": pupil, "rater": rater, "task": np.arange(x.size) % 4}
    return pd.DataFrame({**columns, "x": x, "w": weights, "y": y})


def close(r: MixedLMResults) -> None:
    info = r._information
    assert crossed.applies(info.evaluation.factor)
    found, expected = info.traces, info.differences[0]
    size = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(
        found / np.outer(size, size), expected / np.outer(size, size), rtol=0, atol=DIFFERENCED
    )


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("fixed", ["x", "0"])
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize(
    ("shape", "coupling"),
    [((600, 80, 3), SparseCoupling), ((30, 12, 8), DenseCoupling)],
    ids=["sparse", "dense"],
)
def test_a_grouping_before_the_remainder(
    shape: tuple[int, int, int], coupling: type, fixed: str, weights: str | None, reml: bool
) -> None:
    data = ratings(*shape)
    r = mixedlm(f"y ~ {fixed} + (1 | pupil) + (1 | rater)", data, weights=weights).fit(reml=reml)
    (own,) = r._information.evaluation.factor.plan.couplings
    assert isinstance(own, coupling)
    close(r)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
def test_a_variance_of_zero_in_the_remainder(reml: bool) -> None:
    data = ratings(600, 80, 3, seed=1)
    data["y"] -= data.groupby("task")["y"].transform("mean")
    r = mixedlm("y ~ x + (1 | pupil) + (1 | rater) + (1 | task)", data).fit(reml=reml)
    assert r.singular
    assert r._information.evaluation.factor.stacks[0].inverses is None
    close(r)


def test_slopes_are_left_to_differences() -> None:
    r = mixedlm("y ~ x + (x | pupil) + (1 | rater)", ratings(60, 12, 8)).fit()
    assert not crossed.applies(r._information.evaluation.factor)
