"""The exact test of one variance: against RLRsim (tests/reference/comparison.json), F tests, simulation."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import MixedLMResults, compare, datasets, mixedlm
from mixedcore.errors import DataError, ModelError
from mixedcore.inference.exact_rlrt import null_draws, spectrum

REFERENCE = Path(__file__).parents[1] / "reference" / "comparison.json"
RECORD: dict[str, Any] = json.loads(REFERENCE.read_text(encoding="utf-8"))
# 200,000 draws there and as many here: the standard error of the share above a quantile is at most 0.0016.
SHARE_TOL = 0.004


@cache
def fitted(name: str, formula: str, reml: bool = False) -> MixedLMResults:
    return mixedlm(formula, datasets.load(name)).fit(reml=reml)


def sleep(formula: str, reml: bool = False) -> MixedLMResults:
    return fitted("sleepstudy", formula, reml)


@pytest.mark.parametrize("record", RECORD["exact"], ids=lambda r: f"{r['data']}: {r['formula']}")
def test_draws_have_the_quantiles_of_rlrsim(record: dict[str, Any]) -> None:
    cp, _ = fitted(record["data"], record["formula"], True).model._products
    for kind, reml in (("RLRT", True), ("LRT", False)):
        draws = null_draws(spectrum(cp), 200_000, 7, reml=reml)
        for share, quantile in zip(record["shares"], record[kind], strict=True):
            if quantile > 0:
                assert (draws <= quantile).mean() == pytest.approx(share, abs=SHARE_TOL), (kind, share)
    draws = null_draws(spectrum(cp), 200_000, 7, reml=True)
    assert (draws < 1e-8).mean() == pytest.approx(record["RLRT_zero"], abs=2 * SHARE_TOL)


@pytest.mark.parametrize("name", ["Dyestuff", "Rail"])
def test_of_balanced_groups_the_exact_test_is_the_f_test(name: str) -> None:
    """RLRT is then a rising function of F where F > 1, and zero elsewhere."""
    formula = {"Dyestuff": "Yield ~ 1 + (1|Batch)", "Rail": "travel ~ 1 + (1|Rail)"}[name]
    result, n = fitted(name, formula, True), 100_000
    y, codes = result.model.endog, result.model.group_codes
    groups = [y[codes == g] for g in range(codes.max() + 1)]
    expected = float(stats.f_oneway(*groups).pvalue)
    p = compare(result, test="exact", n=n)["p_value"].iloc[1]
    assert abs(p - expected) < 4 * np.sqrt(expected * (1 - expected) / n) + 1 / n


def test_the_exact_test_holds_its_level_with_few_groups() -> None:
    """Five groups of four, none of them different: p-values are uniform below the mass at zero."""
    rng = np.random.default_rng(11)
    data = pd.DataFrame({"g": np.repeat(np.arange(5), 4), "x": rng.normal(size=20)})
    p = []
    for _ in range(300):
        data["y"] = rng.normal(size=20)
        p.append(compare(mixedlm("y ~ x + (1 | g)", data).fit(), test="exact", n=500).iloc[1]["p_value"])
    for level in (0.05, 0.2):
        assert abs(np.mean(np.array(p) < level) - level) < 3 * np.sqrt(level * (1 - level) / 300)


def test_the_exact_test_depends_on_its_seed_alone() -> None:
    result = fitted("Dyestuff", "Yield ~ 1 + (1|Batch)", True)
    one, two, other = (compare(result, test="exact", seed=s)["p_value"].iloc[1] for s in (1, 1, 2))
    assert one == two
    assert one != other
    assert "10,000 simulations of the exact distribution" in compare(result, test="exact").attrs["notes"][0]


def test_an_exact_test_beside_other_effects_is_said_to_be_approximate() -> None:
    small, large = (
        fitted("Pastes", f"strength ~ 1 + {t}", True) for t in ("(1|batch:cask)", "(1|batch/cask)")
    )
    table = compare(small, large, test="exact")
    assert "approximate" in table.attrs["notes"][0]
    limit = compare(small, large)["p_value"].iloc[1]
    assert table["p_value"].iloc[1] == pytest.approx(limit, rel=0.3)


def test_one_of_several_uncorrelated_effects_is_tested_exactly() -> None:
    fits = [sleep(f"Reaction ~ Days + {t}", True) for t in ("(1|Subject)", "(Days||Subject)")]
    table = compare(*fits, test="exact", n=1000)
    assert table["p_value"].iloc[1] == pytest.approx(1 / 1001)


@pytest.mark.parametrize("pair", [("(1|Subject)", "(Days|Subject)"), ("(Days||Subject)", "(Days|Subject)")])
def test_what_is_no_single_variance_is_refused_by_the_exact_test(pair: tuple[str, str]) -> None:
    with pytest.raises(ModelError, match="differ in one variance component and in nothing else"):
        compare(*(sleep(f"Reaction ~ Days + {t}") for t in pair), test="exact")
    with pytest.raises(ModelError, match="differ in one variance component"):
        compare(sleep("Reaction ~ 1 + (1|Subject)"), sleep("Reaction ~ Days + (Days||Subject)"), test="exact")


def test_too_many_effects_and_streamed_rows_are_refused_by_the_exact_test() -> None:
    rng = np.random.default_rng(0)
    many = pd.DataFrame({"y": rng.normal(size=9000), "g": np.repeat(np.arange(4500), 2)})
    with pytest.raises(ModelError, match="4,500 random effects"):
        compare(mixedlm("y ~ 1 + (1 | g)", many).fit(), test="exact")
    data = datasets.load("Pastes")
    fits = [mixedlm(f"strength ~ 1 + {t}", [data]).fit() for t in ("(1|batch)", "(1|batch/cask)")]
    with pytest.raises(DataError, match="not kept"):
        compare(*fits, test="exact")


def test_components_of_several_columns_are_tested_exactly() -> None:
    """Equal to the spectrum of a dense Z."""
    data = datasets.load("sleepstudy")
    result = mixedlm("Reaction ~ Days", data, None, {"c": "1 + Days"}, groups="Subject").fit()
    cp, _ = result.model._products
    found = spectrum(cp)
    X = result.model.exog
    codes, unit = result.model.group_codes, cp.scaled_terms[0].unit
    Z = np.zeros((180, 36))
    Z[np.arange(180), codes], Z[np.arange(180), 18 + codes] = 1.0, data["Days"]
    Z *= unit
    mu = np.linalg.eigvalsh(Z.T @ (Z - X @ np.linalg.lstsq(X, Z)[0]))
    expected = np.sort(mu[mu > 1e-8 * mu[-1]])
    assert np.repeat(found.mu, found.mu_count.astype(int)) == pytest.approx(expected, rel=1e-8)
    assert found.xi @ found.xi_count == pytest.approx(np.sum(Z * Z), rel=1e-10)
