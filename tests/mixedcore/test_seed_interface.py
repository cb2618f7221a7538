"""What a program written for statsmodels 0.15.0 finds: names, order and types as there, and fits as good.

tests/reference/statsmodels.json, made by statsmodels_fits.py from the calls in calls.py.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLM, MixedLMResults, mixedlm
from tests.reference.calls import CALLS, arrays_of, frame_of

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "statsmodels.json").read_text(encoding="utf-8")
)
NAMES = [*CALLS, "arrays"]

# statsmodels stops when its gradient is small in its own units, which leaves variances good to about four
# digits and all that follows from them to as many.
STATSMODELS_TOL = 1e-3
# At `slope by class` it stops 44 short of the optimum and calls that converged (its gradient in a variance
# near zero is scaled away), so its numbers there are no reference.
STOPS_SHORT = "slope by class"
REACHED = [name for name in NAMES if name != STOPS_SHORT]


@cache
def fitted(name: str) -> MixedLMResults:
    if name == "arrays":
        return MixedLM(*arrays_of()).fit()
    data, arguments = CALLS[name]
    return mixedlm(data=frame_of(data), **arguments).fit()


every_call = pytest.mark.parametrize("name", NAMES)
reached_calls = pytest.mark.parametrize("name", REACHED)


@every_call
def test_parameters_have_the_same_names_in_the_same_order(name: str) -> None:
    stored, result = STORED[name], fitted(name)
    assert list(result.summary().tables[1].index) == stored["summary"]
    names = stored["params"]["names"]
    if names is None:  # from bare arrays it gives bare arrays; its summary shows the names
        return
    for values in (result.params, result.bse, result.tvalues, result.pvalues):
        assert list(values.index) == names
    assert list(result.conf_int().index) == names
    assert list(result.conf_int().columns) == [0, 1]
    assert list(result.cov_params().index) == list(result.cov_params().columns) == names
    assert list(result.fe_params.index) == list(result.bse_fe.index) == stored["exog_names"]


@every_call
def test_members_have_the_same_types(name: str) -> None:
    """Bare arrays for a model from bare arrays, else pandas objects."""
    stored, result = STORED[name], fitted(name)
    found = {
        key: type(getattr(result, key)).__name__
        for key in ("params", "fe_params", "cov_re", "vcomp", *stored["types"])
    }
    expected = {key: stored[key]["type"] for key in ("params", "fe_params", "cov_re", "vcomp")}
    assert found == expected | stored["types"]
    assert type(result.cov_params()).__name__ == stored["cov_params"]
    assert type(result.conf_int()).__name__ == stored["conf_int"]


@every_call
def test_random_effects_have_the_same_names_in_the_same_order(name: str) -> None:
    stored, result = STORED[name], fitted(name)
    effects, covariances = result.random_effects, result.random_effects_cov
    first = next(iter(effects))
    assert [str(label) for label in effects][:4] == stored["random_effects"]["labels"]
    assert list(effects[first].index) == stored["random_effects"]["names"]
    assert list(covariances) == list(effects)
    assert list(covariances[first].index) == list(covariances[first].columns)
    assert list(covariances[first].index) == stored["random_effects_cov"]["names"]
    assert isinstance(effects[first], pd.Series)
    assert isinstance(covariances[first], pd.DataFrame)
    if stored["cov_re"]["names"] is not None:
        assert list(result.cov_re.index) == list(result.cov_re.columns) == stored["cov_re"]["names"]


@every_call
def test_the_model_says_the_same_of_itself(name: str) -> None:
    stored, model = STORED[name], fitted(name).model
    assert model.exog_names == stored["exog_names"]
    assert model.endog_names == stored["endog_names"]
    assert {k: getattr(model, k) for k in stored["sizes"]} == stored["sizes"]
    assert [str(label) for label in model.group_labels][:4] == stored["group_labels"]


@every_call
def test_the_fit_is_at_least_as_good(name: str) -> None:
    result = fitted(name)
    assert result.llf >= STORED[name]["llf"] - 1e-9
    assert result.converged


def test_where_statsmodels_stops_short_the_optimum_is_found() -> None:
    """It is the fit without the superfluous component, whose variance is zero."""
    assert fitted(STOPS_SHORT).llf > STORED[STOPS_SHORT]["llf"] + 40
    assert STORED[STOPS_SHORT]["converged"]
    assert fitted(STOPS_SHORT).singular
    without = mixedlm(
        "test_score ~ age + pretest",
        frame_of("classrooms"),
        "1 + pretest",
        {"classroom": "0 + C(classroom)"},
        groups="school",
    ).fit()
    assert fitted(STOPS_SHORT).llf == pytest.approx(without.llf, abs=1e-8)


@reached_calls
def test_estimates_agree(name: str) -> None:
    stored, result = STORED[name], fitted(name)
    assert result.llf == pytest.approx(stored["llf"], abs=1e-6)
    assert result.scale == pytest.approx(stored["scale"], rel=STATSMODELS_TOL)
    assert np.asarray(result.fe_params) == pytest.approx(stored["fe_params"]["values"], rel=STATSMODELS_TOL)
    assert result.vcomp == pytest.approx(stored["vcomp"]["values"], rel=STATSMODELS_TOL)
    found, expected = np.asarray(result.cov_re), np.array(stored["cov_re"]["values"])
    sds = np.sqrt(np.diag(found))
    assert found / np.outer(sds, sds) == pytest.approx(
        expected.reshape(found.shape) / np.outer(sds, sds), abs=STATSMODELS_TOL
    )


@reached_calls
def test_effects_of_the_first_group_agree(name: str) -> None:
    stored, result = STORED[name], fitted(name)
    first = next(iter(result.random_effects))
    cov = result.random_effects_cov[first].to_numpy()
    sds = np.sqrt(np.diag(cov))
    modes = result.random_effects[first].to_numpy()
    assert modes / sds == pytest.approx(np.array(stored["random_effects"]["values"]) / sds, abs=5e-3)
    theirs = np.array(stored["random_effects_cov"]["values"])
    assert cov / np.outer(sds, sds) == pytest.approx(theirs / np.outer(sds, sds), abs=5e-3)


@reached_calls
def test_standard_errors_of_fixed_effects_are_close(name: str) -> None:
    """statsmodels takes them from a joint Hessian, not from σ²(X'V⁻¹X)⁻¹: here within 0.35 %."""
    stored = np.array(STORED[name]["bse_fe"])
    assert np.asarray(fitted(name).bse_fe) == pytest.approx(stored, rel=3.5e-3)


@every_call
def test_the_summary_has_its_two_tables(name: str) -> None:
    stored, summary = STORED[name], fitted(name).summary()
    facts, coefficients = summary.tables
    assert list(coefficients.columns) == stored["columns"]
    ours, theirs = facts.to_numpy().tolist(), stored["facts"]
    assert [row[::2] for row in ours[:5]] == [row[::2] for row in theirs[:5]]
    assert [row[1] for row in ours] == [row[1] for row in theirs]
    assert ours[5][:2] == theirs[5][:2]
