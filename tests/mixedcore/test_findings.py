"""Findings: each appears where its evidence is, names what it is about, and stays away elsewhere."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.diagnostics.findings.finding import p_text

RNG = np.random.default_rng(11)
GROUPS = np.repeat(np.arange(30), 6)
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=30)[GROUPS] + RNG.normal(size=180),
        "x": RNG.normal(size=180),
        "g": GROUPS,
        "few": GROUPS % 3,
    }
)


def kinds(result: MixedLMResults) -> list[str]:
    return [finding.kind for finding in result.diagnose()]


def test_a_sound_fit_has_no_findings() -> None:
    assert kinds(mixedlm("y ~ x", DATA, groups="g").fit()) == []


def test_aliased_columns_are_named_and_start_values_may_leave_them_out() -> None:
    model = mixedlm("y ~ x + again", DATA.assign(again=2 * DATA["x"]), groups="g")
    result = model.fit()
    (finding,) = result.diagnose()
    assert finding.kind == "aliased"
    assert "again" in finding.evidence
    for start in (result.params, [0.0, *result.params]):
        assert model.fit(start_params=start).criterion == pytest.approx(result.criterion, abs=1e-8)


def test_few_levels() -> None:
    result = mixedlm("y ~ x", DATA, groups="few").fit()
    assert "few_levels" in kinds(result)


def test_as_many_effects_as_rows() -> None:
    """Two rows and two effects a subject: lme4 1.1-31 refuses this model for the same reason."""
    first_two = datasets.load("sleepstudy").query("Days < 2")
    result = mixedlm("Reaction ~ Days", first_two, groups="Subject", re_formula="Days").fit()
    finding = result.diagnose()[0]
    assert finding.kind == "saturated"
    assert finding.severity == "serious"
    assert finding.evidence == "36 random effects of Subject for 36 rows."
    full = mixedlm("Reaction ~ Days", datasets.load("sleepstudy"), groups="Subject", re_formula="Days").fit()
    assert "saturated" not in kinds(full)


def test_units_of_one_row() -> None:
    sparse = DATA.assign(g=np.r_[np.arange(150), np.zeros(30)])
    assert "single_rows" in kinds(mixedlm("y ~ x", sparse, groups="g").fit())


def test_serious_findings_come_first() -> None:
    sleep = datasets.load("sleepstudy")
    first_two = sleep[(sleep["Days"] < 2) & sleep["Subject"].isin(["308", "309", "310", "330"])]
    result = mixedlm("Reaction ~ Days", first_two, groups="Subject", re_formula="Days").fit()
    severities = [finding.severity for finding in result.diagnose()]
    assert len(set(severities)) > 1
    assert severities == sorted(severities, key=["serious", "warning", "info"].index)


def test_small_p_values_are_said_to_be_small() -> None:
    said = [p_text(p) for p in (2e-68, 0.0009, 0.0123, 0.5)]
    assert said == ["p < 0.001", "p < 0.001", "p = 0.012", "p = 0.500"]
    result = mixedlm("score ~ gcsecnt", datasets.load("Chem97"), groups="school").fit()
    evidence = " ".join(found.evidence for found in result.diagnose())
    assert "p < 0.001" in evidence
    assert not re.search(r"\de-\d", evidence)
