"""Estimates before and after rows were left out: every number follows from the two fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from pages.ui.residuals import changes

SLEEP = datasets.load("sleepstudy")


def fitted(
    frame: pd.DataFrame, formula: str = "Reaction ~ Days", re_formula: str = "1 + Days"
) -> MixedLMResults:
    return mixedlm(formula, frame, groups="Subject", re_formula=re_formula).fit()


def test_each_change_is_the_difference_in_standard_errors_of_the_fit_of_all_rows() -> None:
    before, after = fitted(SLEEP), fitted(SLEEP.drop(index=range(10)))
    found = changes.estimates(before, after)
    assert found["kind"].tolist() == ["fixed"] * 2 + ["random"] * 4
    slope = found.iloc[1]
    assert slope["term"] == "Days"
    assert slope["before"] == before.fe_params["Days"]
    assert slope["after"] == after.fe_params["Days"]
    moved = after.fe_params["Days"] - before.fe_params["Days"]
    assert slope["change"] == moved
    assert slope["errors"] == pytest.approx(moved / before.bse_fe["Days"], rel=1e-12)
    sd = found.iloc[2]
    assert sd["before"] == pytest.approx(np.sqrt(before.cov_re.iloc[0, 0]), rel=1e-12)
    assert found["errors"][2:].isna().all()


def test_a_term_that_one_of_the_fits_lacks_has_no_change() -> None:
    rare = SLEEP.assign(rare=np.where(SLEEP.index == 7, "once", "usual"))
    formula = "Reaction ~ Days + C(rare, Treatment('usual'))"
    found = changes.estimates(fitted(rare, formula), fitted(SLEEP.drop(index=[7])))
    gone = found[found["after"].isna()]
    assert len(gone) == 1
    assert gone["change"].isna().all()
    assert "can no longer be estimated" in changes.said(found)


def test_the_sentence_is_about_the_fixed_effect_that_moves_most() -> None:
    frame = pd.DataFrame(
        {
            "term": ["Intercept", "Days", "SD"],
            "before": [250.0, 10.0, 5.0],
            "change": [1.0, -2.0, 90.0],
            "errors": [0.1, -1.5, np.nan],
        }
    )
    assert "moves most is **Days**, by **1.5 standard errors**" in changes.said(frame)
    still = frame.assign(errors=[0.1, -0.2, np.nan])
    assert "hardly change: none moves by more than **0.20 of its standard error**" in changes.said(still)
    none = frame.assign(errors=np.nan)
    assert changes.said(none) == "The model has no fixed effects to compare."


def test_the_table_shows_what_it_exports() -> None:
    found = changes.estimates(fitted(SLEEP), fitted(SLEEP.drop(index=[7])))
    table = changes.table(found)
    assert table.values["Change"].tolist() == found["change"].tolist()
    assert table.shown["Change in standard errors"].tolist()[2:] == [""] * 4
