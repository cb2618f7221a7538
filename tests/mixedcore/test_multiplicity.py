"""Adjusted p-values against R's `p.adjust` and statsmodels' `multipletests`, and what they promise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixedcore.errors import ModelError
from mixedcore.inference.multiplicity import METHODS, SHORT, adjusted_p

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "multiplicity.json").read_text(encoding="utf-8")
)
CASES = [(case, method) for case in STORED["cases"] for method in STORED["cases"][case]["adjusted"]]


@pytest.mark.parametrize("case, method", CASES)
def test_equals_the_reference(case: str, method: str) -> None:
    stored = STORED["cases"][case]
    found = adjusted_p(np.array(stored["p"]), method)
    for system, expected in stored["adjusted"][method].items():
        assert found == pytest.approx(expected, rel=1e-12), system


@pytest.mark.parametrize("method", METHODS)
def test_order_is_kept_and_nothing_falls(method: str) -> None:
    p = np.random.default_rng(4).uniform(size=30) ** 3
    found = adjusted_p(p, method)
    assert (found >= p).all()
    assert (found <= 1).all()
    order = np.argsort(p)
    assert (np.diff(found[order]) >= 0).all()
    shuffled = np.random.default_rng(5).permutation(30)
    assert adjusted_p(p[shuffled], method) == pytest.approx(found[shuffled], rel=1e-14)
    assert adjusted_p(p[:1], method) == pytest.approx(p[:1])


def test_small_p_values_keep_their_digits() -> None:
    """1 − (1 − p)^m in plain arithmetic gives 0 for p below 1e-16."""
    assert adjusted_p(np.array([1e-30, 0.5]), "sidak")[0] == pytest.approx(2e-30, rel=1e-12)
    assert adjusted_p(np.array([1e-30, 0.5]), "hs")[0] == pytest.approx(2e-30, rel=1e-12)


def test_a_missing_p_value_does_not_count() -> None:
    found = adjusted_p(np.array([0.01, np.nan, 0.02]), "bonferroni")
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])
    assert adjusted_p(np.zeros(0), "holm").size == 0


def test_methods_by_name() -> None:
    p = np.array([0.01, 0.02, 0.5])
    for short, name in SHORT.items():
        assert adjusted_p(p, short).tolist() == adjusted_p(p, name).tolist()
    with pytest.raises(ModelError, match="choose one of 'bonferroni'"):
        adjusted_p(p, "tukey")
