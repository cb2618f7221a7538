"""The programs for mixedcore and statsmodels, run: they give the numbers of the app's own fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pages.ui import fitting
from pages.ui.data import columns, examples, loading
from pages.ui.data.dataset import Dataset
from pages.ui.data.exclusions import Exclusion, without
from pages.ui.data.readers.base import ReadOptions
from pages.ui.data.reading import read
from pages.ui.data.recipe import steps
from pages.ui.data.recipe.rows import Between, Filter
from pages.ui.data.recipe.step import Step
from pages.ui.data.recipe.transforms import GroupCentre, GroupMean, Transform
from pages.ui.data.sources import Choices, Opened, Source
from pages.ui.model import scripts
from pages.ui.model.modelcall import ModelCall
from tests.pages import fits

ROOT = Path(__file__).parents[2]
CRITERION = 1e-5
"""statsmodels stops where its gradient is small; on these models within 1e-7 of the best log-likelihood."""
ESTIMATE = 1e-3
"""Of a standard error, or of a variance beside the residual variance: twenty times what was seen."""


def pupils() -> pd.DataFrame:
    """Names that need quoting, labels that are numbers, every kind of column, missing values in most."""
    rng = np.random.default_rng(7)
    school = np.repeat(np.arange(24), 15)
    dose = rng.choice(["low", "medium", "high"], size=school.size)
    x = rng.normal(size=school.size)
    age = (10 + rng.normal(size=24)[school] + 1.5 * rng.normal(size=school.size)).round(1)
    room = rng.choice(list("abc"), size=school.size)
    y = 20 + 0.8 * x + 0.5 * age + (dose == "high")
    y = y + rng.normal(size=24)[school] + 0.7 * rng.normal(size=24)[school] * x
    y = y + rng.normal(size=(24, 3))[school, np.searchsorted(list("abc"), room)]
    frame = pd.DataFrame(
        {
            "test score": (y + rng.normal(size=school.size)).round(4),
            "x": x.round(4),
            "age": age,
            "dose": dose,
            "room": room,
            "girl": rng.random(school.size) < 0.5,
            "school": [f"0{label:02d}" for label in school],
        }
    )
    frame.loc[5::31, "x"] = np.nan
    frame.loc[9::41, "school"] = None
    frame.loc[[3, 77], "room"] = None
    return frame


def written(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def upload(frame: pd.DataFrame, *recipe: Step, left_out: tuple[int, ...] = ()) -> Dataset:
    """A file as the Data page takes it, prepared by steps, some rows left out."""
    name, content = "my data.csv", written(frame)
    result = read(name, content)
    source = Source.upload(Opened(name, content, ReadOptions()), result)
    settled = columns.settle(result.frame, Choices())
    done = steps.run(settled.frame, recipe)
    assert not any(done.refused)
    reader = loading.lines(source, settled, Choices())
    data = Dataset.of(name, done.frame, source.origin, result.notes, done.code, reader)
    return without(data, [Exclusion(row, "a\ntyping error") for row in left_out])


def prepared() -> Dataset:
    made = (
        GroupMean("x", "x between", ("school",)),
        GroupCentre("x", "x within", ("school",)),
        Transform("age", "log_age", "log"),
        Filter((Between("age", 8.0, None),)),
    )
    return upload(pupils(), *made, left_out=(1, 40))


def without_dose(level: str) -> Dataset:
    frame = pupils()
    return upload(frame, left_out=tuple(frame.index[frame["dose"] == level]))


SCORE = 'Q("test score") ~ '
ROOM = (("room", "0 + C(room)"),)
CASES: dict[str, tuple[Any, ModelCall]] = {
    "intercept": ("sleepstudy", ModelCall("Reaction ~ Days", "Subject")),
    "maximum likelihood": ("sleepstudy", ModelCall("Reaction ~ Days + I(Days**2)", "Subject", reml=False)),
    "slope": ("sleepstudy", ModelCall("Reaction ~ Days", "Subject", "1 + Days")),
    "slope alone": ("sleepstudy", ModelCall("Reaction ~ Days", "Subject", "0 + Days")),
    "uncorrelated": ("sleepstudy", ModelCall("Reaction ~ Days", "Subject", "1", (("Days", "0 + Days"),))),
    "logarithm": ("sleepstudy", ModelCall("np.log(Reaction) ~ Days", "Subject", missing="raise")),
    "categories": ("sleepstudy", ModelCall("Reaction ~ C(Days, Poly)", "Subject")),
    "spline": ("sleepstudy", ModelCall("Reaction ~ bs(Days, df=4)", "Subject")),
    "natural spline": ("sleepstudy", ModelCall('Reaction ~ cr(Days, df=3, constraints="center")', "Subject")),
    "centred": ("sleepstudy", ModelCall("Reaction ~ center(Days)", "Subject", "1 + center(Days)")),
    "condition": ("sleepstudy", ModelCall("Reaction ~ Days", "Subject", subset="np.log(Days + 1) > 1")),
    "nested": ("classrooms", examples.suggested("classrooms")),
    "crossed": ("Penicillin", examples.suggested("Penicillin")),
    "component alone": ("cake", examples.suggested("cake")),
    "a word of Python": ("Oats", examples.suggested("Oats")),
    "a level without rows": ("Machines", ModelCall("score ~ Machine", "Worker", subset='Machine != "A"')),
    "missing values": (lambda: upload(pupils()), ModelCall(f"{SCORE}x * dose + girl", "school", "1 + x")),
    "missing in groups": (lambda: upload(pupils()), ModelCall(f"{SCORE}age", "school", "1", ROOM)),
    "difference": (lambda: upload(pupils()), ModelCall(f"{SCORE}C(dose, Diff) + x", "school")),
    "sum": (lambda: upload(pupils()), ModelCall(f"{SCORE}C(dose, Sum) * girl", "school")),
    "Helmert": (lambda: upload(pupils()), ModelCall(f"{SCORE}C(dose, Helmert)", "school", "1 + x")),
    "reference": (lambda: upload(pupils()), ModelCall(f'{SCORE}C(dose, Treatment("low"))', "school")),
    "condition on text": (
        lambda: upload(pupils()),
        ModelCall(f"{SCORE}x + dose", "school", subset='dose != "high" and Q("test score") > 18'),
    ),
    "prepared": (prepared, ModelCall(f'{SCORE}Q("x within") + Q("x between") + log_age', "school", "1 + x")),
    "plain names, prepared": (prepared, ModelCall("log_age ~ dose", "school")),
    "a level left out": (lambda: without_dose("high"), ModelCall("age ~ dose", "school")),
    "hostile": (lambda: upload(fits.hostile_data()), replace(fits.HOSTILE_CALL, re_formula="1")),
}
"""Models whose best fit statsmodels finds. It stops short, with a warning, on the slopes of Orthodont and
BodyWeight, and of course on variances that are zero; the page says so."""
NOT_IN_STATSMODELS: dict[str, tuple[Any, ModelCall]] = {
    "bars": ("sleepstudy", ModelCall("Reaction ~ Days + (1 + Days || Subject)", "")),
    "bars, prepared": (prepared, ModelCall(f"{SCORE}log_age + (1 | school/room)", "", subset="age < 12")),
    "weights and offset": (
        lambda: upload(pupils()),
        ModelCall(f"{SCORE}x", "school", "1", weights="age", offset="x", subset='dose != "low"'),
    ),
}
ALL = CASES | NOT_IN_STATSMODELS
RUN = [*(("mixedcore", case) for case in ALL), *(("statsmodels", case) for case in CASES)]
"""Engine and case of every program."""


@cache
def data_of(case: str) -> Dataset:
    where = ALL[case][0]
    return examples.dataset(where) if isinstance(where, str) else where()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What every program found, run beside the file that it reads."""
    everything = {}
    write = {"mixedcore": scripts.mixedcore, "statsmodels": scripts.statsmodels}
    for hostile, frame in ((False, pupils()), (True, fits.hostile_data())):
        folder = tmp_path_factory.mktemp("programs")
        (folder / "my data.csv").write_bytes(written(frame))
        programs = {
            f"{engine} {case}": write[engine](ALL[case][1], data_of(case))
            for engine, case in RUN
            if (case == "hostile") == hostile
        }
        everything |= ran(programs, folder)
    return everything


def ran(programs: dict[str, str], folder: Path) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.pages.run_programs"],
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("engine, case", RUN)
def test_a_program_gives_the_numbers_of_the_app(
    engine: str, case: str, found: dict[str, dict[str, Any]]
) -> None:
    ours, theirs = fitting._fit(ALL[case][1], data_of(case).frame), found[f"{engine} {case}"]
    assert "error" not in theirs, theirs["error"]
    assert theirs["converged"]
    assert theirs["nobs"] == ours.nobs
    assert theirs["llf"] == pytest.approx(ours.llf, abs=CRITERION)
    assert list(theirs["fixed"]) == list(ours.fe_params.index)
    apart = np.abs(np.array(list(theirs["fixed"].values())) - ours.fe_params.to_numpy())
    assert (apart < ESTIMATE * ours.bse_fe.to_numpy()).all()
    for name in ("cov_re", "vcomp"):
        near = pytest.approx(np.ravel(getattr(ours, name)), rel=ESTIMATE, abs=ESTIMATE * ours.scale)
        assert np.ravel(theirs[name]) == near
    assert theirs["scale"] == pytest.approx(ours.scale, rel=ESTIMATE)
    assert theirs["printed"].strip()


def test_what_is_said_of_the_program_for_statsmodels() -> None:
    plain, chosen = CASES["slope"][1], CASES["condition"][1]
    data = data_of("slope")
    assert "only the import differs" in scripts.about_statsmodels(plain, data)
    assert "it chooses the rows before the model" in scripts.about_statsmodels(chosen, data)
    bars = ModelCall("Reaction ~ Days + (1 | Subject)", "")
    assert "cannot fit this model" in scripts.about_statsmodels(bars, data)
