"""Satterthwaite's t tests against lmerTest: tests/reference/lmertest.json, made by lmertest.R beside it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore.inference.satterthwaite import joint_df
from tests.reference.fits import coefficient_order, data_of
from tests.reference.models import SEED

FOLDER = Path(__file__).parents[1] / "reference"
RECORDS: list[dict[str, Any]] = json.loads((FOLDER / "lmertest.json").read_text(encoding="utf-8"))

# lmerTest differentiates at the θ where lmer's search stopped, which is good to about 1e-5, by Richardson
# extrapolation; our own information is good to 1e-9 of each entry (see test_engine_dense).
T_TOL = 1e-5
DF_TOL = 1e-5


@cache
def t_tests(name: str, formula: str) -> pd.DataFrame:
    result = SEED[name, formula].model(data_of(name)).fit()
    return result.tidy("fixed", ddf="satterthwaite").set_index("term")


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['data']}: {r['formula'].replace(' ', '')}")
def test_equals_lmertest(record: dict[str, Any]) -> None:
    table = t_tests(record["data"], record["formula"])
    table = table.iloc[coefficient_order(table.index, record["beta_names"])]
    assert table["statistic"].to_numpy() == pytest.approx(np.array(record["t"]), rel=T_TOL, abs=T_TOL)
    assert table["df"].to_numpy() == pytest.approx(np.array(record["df"]), rel=DF_TOL)
    # A p-value's relative error is the statistic's times about t², and some statistics are near 40.
    assert table["p_value"].to_numpy() == pytest.approx(np.array(record["p"]), rel=2e-3)


def test_balanced_designs_have_whole_degrees_of_freedom() -> None:
    """Days and nitro vary within units that all have the same design: 17 = 18 − 1, 51 = 72 − 18 − 3."""
    slopes = t_tests("sleepstudy", "Reaction ~ 1 + Days + (1 + Days|Subject)")
    assert slopes["df"].to_numpy() == pytest.approx([17, 17], rel=1e-6)
    split_plot = t_tests("Oats", "yield ~ nitro * Variety + (1|Block/Variety)")
    assert split_plot.loc["nitro", "df"] == pytest.approx(51, rel=1e-6)


def test_a_zero_variance_counts_as_known() -> None:
    """Dyestuff2 is then an ordinary mean of 30 values."""
    table = t_tests("Dyestuff2", "Yield ~ 1 + (1|Batch)")
    assert table["df"].to_numpy() == pytest.approx([29.0], rel=1e-6)


def test_crossed_factors_have_those_that_lmertest_prints() -> None:
    """lmerTest 3.1-3, Chem97, too slow to regenerate with the rest."""
    table = t_tests("Chem97", "score ~ gcsecnt + (1|school) + (1|lea)")
    assert table["df"].to_numpy() == pytest.approx([67.9347132, 30190.3257454], rel=1e-5)


def test_small_p_values_keep_their_digits() -> None:
    """p 1.1709e-17 and 3.2638e-06 in lmerTest 3.1-3; one minus a distribution function would give 0."""
    table = t_tests("sleepstudy", "Reaction ~ 1 + Days + (1 + Days|Subject)")
    assert table["p_value"].to_numpy() == pytest.approx([1.1709e-17, 3.2638e-06], rel=1e-4)


def test_joint_degrees_of_freedom_of_lmertest() -> None:
    """get_Fstat_ddf of lmerTest 3.1: E of squared t statistics, and 2 where one of them has no mean."""
    assert joint_df(np.array([7.0, 7.0 + 1e-9])) == pytest.approx(7.0, rel=1e-9)
    assert joint_df(np.array([5.0, 10.0])) == pytest.approx(2 * (5 / 3 + 10 / 8) / (5 / 3 + 10 / 8 - 2))
    assert joint_df(np.array([2.0, 10.0])) == joint_df(np.array([1.5, 10.0])) == 2.0
    assert joint_df(np.array([np.inf, np.inf])) == np.inf
