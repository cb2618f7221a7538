"""Prior weights and offsets against lme4 and lmerTest: tests/reference/weights.json, made by weights.R."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.terms import Floats, n_parameters

FOLDER = Path(__file__).parents[1] / "reference"
RECORDS: list[dict[str, Any]] = json.loads((FOLDER / "weights.json").read_text(encoding="utf-8"))["fits"]

# As in tests/reference/fits.py: θ of the reference is good to 1e-7, and all follows θ.
CRITERION_TOL = 1e-6
RELATIVE_TOL = 1e-5
DF_TOL = 2e-4  # as in test_satterthwaite.py


def label(record: dict[str, Any]) -> str:
    used = " and ".join(name for name in ("weights", "offset") if record[name])
    return f"{record['data']}: {record['formula']} {used} {'REML' if record['REML'] else 'ML'}"


every = pytest.mark.parametrize("record", RECORDS, ids=label)


@cache
def data_of(name: str) -> pd.DataFrame:
    """The example with the weights w and the offset z of weights.R."""
    data = datasets.load(name)
    i = np.arange(1, len(data) + 1)
    return data.assign(w=0.5 + (7 * i) % 11 / 4, z=((3 * i) % 13 - 6) / 5)


def used(record: dict[str, Any]) -> dict[str, str]:
    return {name: column for name, column in {"weights": "w", "offset": "z"}.items() if record[name]}


@cache
def _fit(number: int) -> MixedLMResults:
    record = RECORDS[number]
    return mixedlm(record["formula"], data_of(record["data"]), **used(record)).fit(reml=record["REML"])


def fit(record: dict[str, Any]) -> MixedLMResults:
    return _fit(RECORDS.index(record))


def close(ours: Any, reference: Any, scale: Any = 0.0) -> None:
    """Equal but for RELATIVE_TOL of the larger of the reference and `scale`."""
    difference = np.abs(np.asarray(ours) - np.asarray(reference))
    assert (difference <= RELATIVE_TOL * np.maximum(np.abs(reference), scale)).all()


@every
def test_likelihood_and_verdict(record: dict[str, Any]) -> None:
    ours = fit(record)
    found = [ours.criterion, ours.llf, ours.aic, ours.bic]
    expected = [record["objective"], record["logLik"], record["AIC"], record["BIC"]]
    assert found == pytest.approx(expected, abs=CRITERION_TOL)
    glance = ours.glance().iloc[0]
    assert glance["log_lik"] == ours.llf
    assert ours.converged
    assert ours.singular == record["singular"]


@every
def test_fixed_effects(record: dict[str, Any]) -> None:
    ours = fit(record)
    close(ours.fe_params, record["beta"], record["se"])
    close(ours.bse_fe, record["se"])
    if record["REML"]:
        assert ours.tidy()["df"].to_numpy() == pytest.approx(np.array(record["df"]), rel=DF_TOL)


@every
def test_variances(record: dict[str, Any]) -> None:
    ours = fit(record)
    close([ours.sigma, np.sqrt(ours.scale), ours.glance()["sigma"][0]], record["sigma"])
    close(ordered_theta(ours), record["theta"], 1.0)
    table = ours.tidy("random")
    sds = table[table["scale"] == "sd"]["estimate"].to_numpy()
    expected = [row["sdcor"] for row in record["varcorr"] if row["var2"] is None]
    close(np.sort(sds), np.sort(expected), record["sigma"])
    correlations = table[table["scale"] == "correlation"]["estimate"]
    close(correlations, [row["sdcor"] for row in record["varcorr"] if row["var2"] is not None], 1.0)


def ordered_theta(ours: MixedLMResults) -> Floats:
    """θ in lme4's order: terms by decreasing number of levels, otherwise as written."""
    terms = ours.model.design.terms
    parts = np.split(ours.theta, np.cumsum([n_parameters(term) for term in terms])[:-1])
    order = sorted(range(len(terms)), key=lambda t: -len(terms[t].levels))
    return np.concatenate([parts[t] for t in order])


@every
def test_conditional_modes_and_their_variances(record: dict[str, Any]) -> None:
    blups = fit(record).tidy("blups").set_index(["group", "level", "term"])
    random = record["ranef"]
    terms = ["Intercept" if term == "(Intercept)" else term for term in random["term"]]
    own = blups.loc[list(zip(random["factor"], random["level"], terms, strict=True))]
    close(own["estimate"], random["mode"], record["sigma"])
    close(own["std_error"], random["sd"], record["sigma"])


@every
def test_rows(record: dict[str, Any]) -> None:
    ours, n = fit(record), len(record["fitted"])
    close(ours.fittedvalues[:n], record["fitted"], record["sigma"])
    close(ours.resid[:n], record["resid"], record["sigma"])
    close(ours.predict()[:n], record["fixed"], record["sigma"])
    rows = ours.augment().iloc[:n]
    close(rows["resid_std"], record["pearson"], 1.0)
    close(rows["fitted_fixed"], record["fixed"], record["sigma"])
    close(ours.predict(data_of(record["data"])[:n]), record["fixed"], record["sigma"])


def test_every_kind_is_there() -> None:
    kinds = {(r["weights"], r["offset"], r["REML"]) for r in RECORDS}
    assert len(RECORDS) == 42
    assert len(kinds) == 6
    assert {r["singular"] for r in RECORDS} == {True, False}
