"""Predictions against lme4 and R's own algebra (tests/reference/predictions.json), and against the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import mixedlm
from tests.reference.fits import data_of

FOLDER = Path(__file__).parents[1] / "reference"
RECORDS: list[dict[str, Any]] = json.loads((FOLDER / "predictions.json").read_text(encoding="utf-8"))

# lmer's search stops about 1e-6 from the optimum in θ, on which all of these depend.
TOL = 1e-5

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "sleepstudy": ("Reaction ~ Days + (Days | Subject)", {}),
    "Oats": ("Q('yield') ~ nitro + (1 | Block) + (1 | Block:Variety)", {}),
    "Penicillin": ("diameter ~ 1 + (1 | plate) + (1 | sample)", {}),
}
SEED: dict[str, tuple[str, dict[str, Any]]] = {
    "sleepstudy": ("Reaction ~ Days", {"groups": "Subject", "re_formula": "Days"}),
    "Oats": (
        "Q('yield') ~ nitro",
        {"groups": "Block", "re_formula": "1", "vc_formula": {"Block:Variety": "0 + C(Variety)"}},
    ),
}


@pytest.mark.parametrize("models", [MODELS, SEED], ids=["bars", "seed"])
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["name"])
def test_equals_lme4(record: dict[str, Any], models: dict[str, tuple[str, dict[str, Any]]]) -> None:
    name, what = record["name"].removesuffix(", ML").split(" ")
    formula, how = models.get(name, MODELS[name])
    r = mixedlm(formula, data_of(name), **how).fit(reml=record["REML"])
    random = what if what in ("none", "all") else [what]
    new = pd.DataFrame(record["data"])
    mean = r.predict(new, random=random, interval="confidence")
    error, sigma = np.array(record["error"]), record["sigma"]
    np.testing.assert_allclose(r.predict(new, random=random), record["fit"], rtol=TOL)
    np.testing.assert_allclose(mean["std_error"], error, rtol=TOL)
    found = r.predict(new, random=random, interval="prediction")["std_error"]
    np.testing.assert_allclose(found**2, error**2 + np.array(record["new"]) ** 2 + sigma**2, rtol=TOL)


def draw(rng: np.random.Generator, school: np.ndarray, teacher: np.ndarray, x: np.ndarray) -> pd.DataFrame:
    """Pupils with a slope a school and an effect of a teacher, and what is true of each."""
    b = rng.normal(size=(61, 2)) @ np.array([[1.0, 0.2], [0.0, 0.5]])
    c = 0.7 * rng.normal(size=31)
    of_school = b[school, 0] + b[school, 1] * x
    mean = 1 + 0.5 * x + of_school + c[teacher]
    table = pd.DataFrame({"school": school, "teacher": teacher, "x": x, "school_mean": mean - c[teacher]})
    return table.assign(mean=mean, y=mean + rng.normal(size=x.size))


def test_intervals_cover_the_truth() -> None:
    """120 data sets: 95 % within 3.5 Monte-Carlo standard errors, taken over the data sets.

    School 60 and teacher 30 are in no fit. With 60 schools and 30 teachers the variances are estimated well
    enough that taking them for known costs less than half a percent.
    """
    rng = np.random.default_rng(7)
    inside: dict[str, list[float]] = {}
    for _ in range(120):
        n = 600
        school, teacher = rng.integers(0, 60, n), rng.integers(0, 30, n)
        k = 40
        new_school = np.append(rng.integers(0, 60, k), np.full(10, 60))
        new_teacher = np.append(rng.integers(0, 30, k), np.full(10, 30))
        codes = np.append(school, new_school), np.append(teacher, new_teacher)
        data = draw(rng, *codes, rng.normal(size=n + k + 10) * 1.5)
        r = mixedlm("y ~ x + (x | school) + (1 | teacher)", data[:n]).fit()
        new = data[n:]
        for name, random, interval, truth in (
            ("mean", "all", "confidence", "mean"),
            ("mean of a school", ["school"], "confidence", "school_mean"),
            ("observation of known ones", "all", "prediction", "y"),
            ("observation, teacher unknown", ["school"], "prediction", "y"),
        ):
            found = r.predict(new, random=random, interval=interval)
            hit = (found["conf_low"] <= new[truth]) & (new[truth] <= found["conf_high"])
            inside.setdefault(name, []).append(float(hit.mean()))
    for name, shares in inside.items():
        error = np.std(shares, ddof=1) / np.sqrt(len(shares))
        assert abs(np.mean(shares) - 0.95) < 3.5 * error + 0.005, name
        assert error < 0.01, name
