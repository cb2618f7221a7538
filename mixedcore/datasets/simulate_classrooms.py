"""Makes the simulated example `classrooms`. Usage: python -m mixedcore.datasets.simulate_classrooms

The truth is read from `data/classrooms.toml`, so that the description and the data cannot differ:

    test_score = intercept + age·x1 + pretest·x2 + school intercept + school slope·x2 + classroom + residual

with school intercept and slope correlated, everything normal, and the score rounded to whole points.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from mixedcore.datasets import catalogue

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEED = 6
N_SCHOOLS = 20
PUPILS = (12, 20)  # fewest and most in a class
CLASSES = (2, 4)  # fewest and most in a school


def simulate() -> pd.DataFrame:
    """The data set: columns school, classroom, student, age (years), pretest and test_score (points)."""
    rng = np.random.default_rng(SEED)
    roll = _roll(rng)
    truth = dict(catalogue.find("classrooms").truth)
    age = np.round(rng.uniform(12.0, 13.0, len(roll)), 2)
    pretest = _pretest(rng, roll)
    score = _expected(rng, roll, age, pretest, truth) + rng.normal(0, truth["sd residual"], len(roll))
    return roll.assign(age=age, pretest=pretest, test_score=np.round(score).astype(int))


def _roll(rng: Generator) -> pd.DataFrame:
    """One row a pupil. Class labels start again at 7A in every school."""
    rows = []
    for school in range(1, N_SCHOOLS + 1):
        for letter in "ABCD"[: rng.integers(*CLASSES, endpoint=True)]:
            rows += [(f"S{school:02d}", f"7{letter}")] * int(rng.integers(*PUPILS, endpoint=True))
    roll = pd.DataFrame(rows, columns=["school", "classroom"])
    return roll.assign(student=[f"P{number:04d}" for number in range(1, len(roll) + 1)])


def _pretest(rng: Generator, roll: pd.DataFrame) -> Ints:
    """Points above or below the national mean; pupils differ more than schools do."""
    school = pd.factorize(roll["school"])[0]
    return np.round(rng.normal(0, 3, N_SCHOOLS)[school] + rng.normal(0, 10, len(roll))).astype(int)


def _expected(
    rng: Generator, roll: pd.DataFrame, age: Floats, pretest: Ints, truth: Mapping[str, float]
) -> Floats:
    """The score of each pupil before the residual, shape (n,)."""
    school = pd.factorize(roll["school"])[0]
    classroom, labels = pd.factorize(roll["school"] + roll["classroom"])
    sd, slope_sd, corr = truth["sd school"], truth["sd school pretest"], truth["corr school pretest"]
    cov = [[sd**2, corr * sd * slope_sd], [corr * sd * slope_sd, slope_sd**2]]
    intercept, slope = rng.multivariate_normal([0, 0], cov, N_SCHOOLS, method="cholesky").T
    room = rng.normal(0, truth["sd classroom"], len(labels))
    fixed = truth["Intercept"] + truth["age"] * age + truth["pretest"] * pretest
    return np.asarray(fixed + intercept[school] + slope[school] * pretest + room[classroom])


def csv_text() -> str:
    """The data set as the stored file has it."""
    text = io.StringIO()
    simulate().to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


if __name__ == "__main__":
    # mtime=0: the same data give the same bytes
    (catalogue.FOLDER / "classrooms.csv.gz").write_bytes(gzip.compress(csv_text().encode(), mtime=0))
