"""`MixedLM.fit`: REML or ML, start values, and the arguments of statsmodels' own search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.engine.criterion import Evaluation, evaluate
from mixedcore.errors import ModelError

SCORE = "test_score ~ age + pretest"
CLASSES = {"classroom": "0 + C(classroom)"}
DATA = datasets.load("classrooms")
SMALL = DATA[DATA["school"].isin([f"S0{k}" for k in range(1, 9)])]

SAME = 1e-6  # two searches end within 1e-12 of the same criterion, so variances agree to about 1e-6


def same(one: MixedLMResults, two: MixedLMResults) -> None:
    assert one.params.to_numpy() == pytest.approx(two.params.to_numpy(), rel=SAME, abs=SAME)
    assert one.llf == pytest.approx(two.llf, abs=1e-8)


def test_reml_is_the_default_and_a_result_is_a_value() -> None:
    model = mixedlm(SCORE, SMALL, groups="school")
    by_reml = model.fit()
    before = by_reml.llf
    by_ml = model.fit(reml=False)
    assert (by_reml.method, by_ml.method) == ("REML", "ML")
    assert by_reml.llf == before != by_ml.llf
    assert model.fit(None, False).llf == by_ml.llf


def test_start_params_may_be_packed_or_only_covariances() -> None:
    model = mixedlm(SCORE, SMALL, groups="school", re_formula="pretest", vc_formula=CLASSES)
    expected = model.fit()
    for start in (
        expected.params,
        expected.params.to_numpy(),
        expected.params.iloc[3:],
        [2.0, 0.1, 1.0, 0.3],
    ):
        same(model.fit(start_params=start), expected)
    assert model.fit(start_params=expected.params).optimisation.evaluations <= 3


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        ([1.0, 2.0], "There are 2 parameters; give 3 fixed effects and 1 covariance"),
        (pd.Series([-1.0], ["school Var"]), "not a covariance matrix"),
        ([np.nan], "finite"),
        ([1.0, 2.0, 3.0, np.inf], "finite"),
    ],
)
def test_start_params_that_are_none_are_explained(start: Any, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        mixedlm(SCORE, SMALL, groups="school").fit(start_params=start)


def test_arguments_of_statsmodels_search_are_accepted() -> None:
    model = mixedlm(SCORE, SMALL, groups="school")
    found = model.fit(niter_sa=0, method=["bfgs"], full_output=True, maxiter=10, disp=False)
    same(found, model.fit())


def test_an_unknown_argument_of_fit_warns() -> None:
    with pytest.warns(FutureWarning, match="no argument 'restarts'"):
        mixedlm(SCORE, SMALL, groups="school").fit(restarts=3)


@pytest.mark.parametrize("name", ["Dyestuff2", "Dyestuff"])
def test_every_evaluation_of_the_criterion_is_counted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the boundary and of snapping to it included."""
    calls: list[object] = []

    def counted(*args: Any, **kwargs: Any) -> Evaluation:
        calls.append(args)
        return evaluate(*args, **kwargs)

    monkeypatch.setattr("mixedcore.engine.estimate.evaluate", counted)
    result = mixedlm("Yield ~ 1", datasets.load(name), groups="Batch").fit()
    assert result.optimisation.evaluations == len(calls)
