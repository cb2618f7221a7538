"""Every fit of lme4 in tests/reference/lme4.json, written in the seed notation and fitted through `mixedlm`.

Reference: lme4 1.1-31 on R 4.2.2, refined to the exact optimum; tests/reference/README.md and lme4.R.
`python -m tests.reference` prints the differences.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.fits import TOLERANCE, Comparison, comparisons
from tests.reference.models import SEED

EVERY = comparisons()
SINGULAR = [each for each in EVERY if each.record["singular"]]


def label(each: Comparison) -> str:
    return each.label


def test_all_reference_models_are_written_and_used() -> None:
    assert {(each.name, each.record["formula"]) for each in EVERY} == set(SEED)
    assert len(EVERY) == 70
    assert len({each.label for each in EVERY}) == 70


@pytest.mark.parametrize("each", EVERY, ids=label)
def test_equals_the_reference(each: Comparison) -> None:
    beyond = {name: d for name, d in each.differences.items() if not d <= TOLERANCE[name]}
    assert beyond == {}
    assert set(each.differences) == set(TOLERANCE)
    assert each.result.singular == each.record["singular"]
    assert each.result.converged
    assert each.result.nobs == each.record["n"]


@pytest.mark.parametrize("each", SINGULAR, ids=label)
def test_a_singular_fit_is_reported_and_its_fixed_effects_have_standard_errors(each: Comparison) -> None:
    result = each.result
    assert np.isfinite(result.bse_fe).all()
    assert (result.bse_fe > 0).all()
    assert np.isfinite(result.conf_int().loc[result.fe_params.index]).all(axis=None)
    (finding,) = [f for f in result.diagnose() if f.kind == "singular"]
    component = result.model.group_name
    assert component in finding.title
    assert component in result.summary().as_text()
    assert finding.meaning
    assert finding.remedy


def test_a_zero_variance_and_a_correlation_of_one_are_told_apart() -> None:
    found = {each.name: each.result.diagnose() for each in SINGULAR}
    titles = {name: [f.title for f in findings if f.kind == "singular"] for name, findings in found.items()}
    assert titles == {
        "Dyestuff2": ["The intercept does not vary over Batch"],
        "Early": ["A correlation over id is −1"],
    }


def test_shares_of_variance_equal_those_of_the_r_package_performance() -> None:
    """performance 0.10.2, sleepstudy with a random slope, REML; printed to three decimals."""
    formula = "Reaction ~ 1 + Days + (1 + Days|Subject)"
    (each,) = [e for e in EVERY if e.record["formula"] == formula and e.record["REML"]]
    glance = each.result.glance().iloc[0]
    shares = [glance["r2_marginal"], glance["r2_conditional"], glance["icc"]]
    assert shares == pytest.approx([0.279, 0.799, 0.722], abs=5e-4)
