"""Programs written for statsmodels 0.15.0 run with another import, and find the same numbers.

tests/reference/programs.py has the programs, statsmodels_programs.json what statsmodels says to each.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import mixedcore
from tests.reference.programs import PROGRAMS

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "statsmodels_programs.json").read_text(encoding="utf-8")
)
LIB = SimpleNamespace(
    mixedlm=mixedcore.mixedlm,
    MixedLM=mixedcore.MixedLM,
    MixedLMParams=mixedcore.MixedLMParams,
    VCSpec=mixedcore.VCSpec,
)

# Functions of given parameters: both are right to rounding.
EXACT = 1e-9
EXACT_PROGRAMS = ("groups_one_by_one", "derivatives", "best_fixed_effects", "draws", "packing")
# statsmodels stops when its gradient is small in its own units, which leaves variances good to about four
# digits and all that follows from them to as many.
ESTIMATES = 1e-3
# It takes standard errors of fixed effects from the joint Hessian, not from σ²(X'V⁻¹X)⁻¹.
ERRORS = {"block": 2e-2, "by position": 2e-3, "by name": 2e-3, "bse": 2e-3}


@cache
def run(name: str) -> dict[str, Any]:
    return PROGRAMS[name](LIB)


def text_or_truth(value: Any) -> bool:
    return isinstance(value, (str, bool)) or (
        isinstance(value, list) and any(isinstance(each, (str, bool)) for each in value)
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_finds_the_same(name: str) -> None:
    found, stored = run(name), STORED[name]
    assert found.keys() == stored.keys()
    for key, expected in stored.items():
        if text_or_truth(expected):
            assert found[key] == expected, key
            continue
        value, known = np.asarray(found[key], dtype=float), np.asarray(expected, dtype=float)
        tolerance = EXACT if name in EXACT_PROGRAMS else ERRORS.get(key, ESTIMATES)
        assert value.size == known.size, key
        if known.size:
            assert value == pytest.approx(known, abs=tolerance * float(np.abs(known).max())), key


@pytest.mark.parametrize("name", [name for name in PROGRAMS if "llf" in STORED[name]])
def test_the_fit_is_at_least_as_good(name: str) -> None:
    assert run(name)["llf"] >= STORED[name]["llf"] - 1e-9
    assert run(name)["loglike"] == pytest.approx(run(name)["llf"], abs=1e-9)
