"""Marginal means, contrasts and trends against emmeans (tests/reference/emmeans.json)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, mixedlm
from tests.reference.fits import data_of

FOLDER = Path(__file__).parents[1] / "reference"
RECORDS: list[dict[str, Any]] = json.loads((FOLDER / "emmeans.json").read_text(encoding="utf-8"))

# lmer stops about 1e-6 from the optimum in θ; degrees of freedom rest on its numerical derivatives there.
TOL = 1e-5
DF_TOL = 2e-4
P_TOL = 1e-3
# mvtnorm integrates to 1e-3 and rounds the degrees of freedom; ours is good to 5e-4 of a probability.
MVT_TOL = 3e-3
MVT_P = 5e-3
NUMBERS = {"estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high"}

SPLIT = " + (1 | Block) + (1 | Block:Variety)"
FORMULAS = {
    "oats_line": ("oats", "Q('yield') ~ nitro * Variety" + SPLIT),
    "oats": ("oats", "Q('yield') ~ N * Variety" + SPLIT),
    "unbalanced": ("unbalanced", "Q('yield') ~ N * Variety" + SPLIT),
    "weighted": ("unbalanced", "Q('yield') ~ N * Variety" + SPLIT),
    "unbalanced_line": ("unbalanced", "Q('yield') ~ nitro + I(nitro ** 2) + Variety" + SPLIT),
    "hole": ("hole", "Q('yield') ~ N * Variety" + SPLIT),
    "cake": ("cake", "angle ~ recipe * temperature + (1 | recipe:replicate)"),
    "machines": ("machines", "score ~ Machine + (Machine | Worker)"),
    "orthodont": ("orthodont", "distance ~ age * Sex + (age | Subject)"),
}


@cache
def frame(name: str) -> pd.DataFrame:
    if name == "machines":
        return data_of("Machines")
    if name == "orthodont":
        return data_of("Orthodont")
    if name == "cake":
        table = data_of("cake")
        return table.assign(temperature=table["temperature"].astype(str))
    oats = data_of("Oats")
    oats = oats.assign(N=oats["nitro"].map("{:g}".format), Variety=oats["Variety"].astype(str))
    if name == "unbalanced":
        table = oats.drop(index=oats.index[[0, 4, 7, 22, 39, 40, 59]])
        return table.assign(w=0.5 + (7 * np.arange(1, len(table) + 1) % 11) / 4)
    if name == "hole":
        return oats[(oats["Variety"] != "Victory") | (oats["N"] != "0.6")]
    return oats


@cache
def fit(model: str) -> MixedLMResults:
    name, formula = FORMULAS[model]
    return mixedlm(formula, frame(name), weights="w" if model == "weighted" else None).fit()


def ours(record: dict[str, Any]) -> pd.DataFrame:
    r, call, kind = fit(record["model"]), dict(record["call"]), record["kind"]
    call["at"] = call.get("at") or None
    if kind == "means":
        return r.marginal_means(**call)
    if kind == "contrasts":
        return r.contrasts(**{**call, "by": call["by"] or ()})
    trends = r.trends(call["var"], call["by"], ddf=call["ddf"])
    return trends if kind == "trends" else r.contrasts(trends, adjust=call["adjust"], ddf=call["ddf"])


def label(record: dict[str, Any]) -> str:
    call = {k: v for k, v in record["call"].items() if v is not None and k != "terms"}
    return f"{record['model']} {record['kind']} {record['call'].get('terms', '')} {call}"


@pytest.mark.parametrize("record", RECORDS, ids=label)
def test_equals_emmeans(record: dict[str, Any]) -> None:
    found, expected, call = ours(record), record["table"], record["call"]
    tolerance = dict.fromkeys(NUMBERS, TOL) | {"df": DF_TOL, "p_value": P_TOL}
    if call.get("adjust") == "mvt":
        tolerance |= dict.fromkeys(["conf_low", "conf_high"], MVT_TOL)
    errors = numbers(expected["std_error"])
    for name in expected.keys() - NUMBERS - {"contrast"}:
        assert [_level(v) for v in found[name]] == [_level(v) for v in expected[name]]
    for name in NUMBERS & expected.keys():
        number, own = numbers(expected[name]), found[name].to_numpy()
        if name == "df" and call["ddf"] == "normal":
            number = np.where(np.isnan(errors), np.nan, np.inf)
        scale = np.abs(number) if name in ("df", "p_value") else np.abs(number) + 3 * errors
        room = MVT_P if name == "p_value" and call.get("adjust") == "mvt" else 1e-10
        assert np.isnan(own).tolist() == np.isnan(number).tolist()
        known = np.isfinite(number)
        assert (own[~known & ~np.isnan(number)] == np.inf).all()
        away = np.abs(own[known] - number[known])
        assert (away <= tolerance[name] * scale[known] + room).all(), name
    assert ("note" in found) == np.isnan(errors).any()


def numbers(values: Any) -> np.ndarray:
    return np.array([np.nan if v is None else float(v) for v in np.atleast_1d(values)])


def _level(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
