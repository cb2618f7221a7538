"""Programs written for statsmodels, run with the import changed: what a fit tells.

tests/reference/statsmodels_results.json holds what statsmodels 0.15.0 says in each of result_programs.py;
made by statsmodels_results.py beside it. Below are programs that fail there, or say something wrong.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLM, MixedLMResults, datasets, mixedlm
from tests.reference.calls import frame_of
from tests.reference.result_containers import PROGRAMS

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "statsmodels_results.json").read_text(encoding="utf-8")
)["programs"]
LIB = SimpleNamespace(mixedlm=mixedlm, MixedLM=MixedLM)

# statsmodels stops when its gradient is small in its own units, which leaves variances good to about four
# digits and all that follows from them to as many.
STATSMODELS_TOL = 1e-3


def numeric(value: Any) -> bool:
    return isinstance(value, float) or (
        isinstance(value, list) and bool(value) and any(isinstance(v, float) for v in value)
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_says_the_same(name: str) -> None:
    found, expected = PROGRAMS[name](LIB), STORED[name]
    assert list(found) == list(expected)
    for what, value in expected.items():
        if numeric(value):
            size = float(np.max(np.abs(value)))
            close = pytest.approx(np.array(value), rel=STATSMODELS_TOL, abs=STATSMODELS_TOL * size)
            assert np.array(found[what]) == close, what
        else:
            assert found[what] == value, what


# -- what fails there ---------------------------------------------------------------------------------------


def sleep() -> MixedLMResults:
    return mixedlm("Reaction ~ Days", frame_of("sleepstudy"), groups="Subject", re_formula="~Days").fit()


def cake() -> MixedLMResults:
    data = frame_of("cake").astype({"temperature": float})
    return mixedlm("angle ~ recipe + temperature", data, groups="replicate").fit()


def test_hypotheses_in_words() -> None:
    """There: 'str' object has no attribute 'shape'."""
    test = sleep().t_test("Days = 10, Intercept = 250")
    assert test.statistic == pytest.approx(
        (sleep().fe_params.to_numpy() - [250, 10])[::-1] / sleep().bse_fe.to_numpy()[::-1]
    )


def test_a_contrast_of_one_dimension() -> None:
    """There: tuple index out of range."""
    assert sleep().t_test([0, 1]).effect == pytest.approx([10.467286])


def test_pairs_of_levels() -> None:
    """There: r_matrix for t-test should have 4 columns."""
    table = cake().t_test_pairwise("recipe").result_frame
    assert list(table.index) == ["B-A", "C-A", "C-B"]
    assert table["coef"].to_numpy() == pytest.approx([-1.477778, -1.522222, -0.044444], abs=1e-6)


def test_blocks_of_the_covariance() -> None:
    """There: shape of passed values is (2, 2), indices imply (5, 5); one number comes as a table."""
    result = cake()
    whole = result.cov_params().to_numpy()
    assert result.cov_params(column=[1, 2]) == pytest.approx(whole[1:3, 1:3])
    assert result.cov_params(column=1) == pytest.approx(whole[1, 1])
    assert result.cov_params(r_matrix=np.eye(5)[1:3]) == pytest.approx(whole[1:3, 1:3])


def test_criteria_under_reml() -> None:
    """There: NaN. lme4 1.1-31: AIC 1755.628, BIC 1774.786."""
    assert [sleep().aic, sleep().bic] == pytest.approx([1755.628, 1774.786], abs=1e-3)


def test_errors_of_variances_with_components() -> None:
    """There: wrong shapes and units. Here by the delta method, whatever the unit of the outcome."""
    data = frame_of("Pastes")
    parts = {"cask": "0 + C(cask)"}
    one = mixedlm("strength ~ 1", data, groups="batch", re_formula="1", vc_formula=parts).fit()
    data["grams"] = 1000 * data["strength"]
    other = mixedlm("grams ~ 1", data, groups="batch", re_formula="1", vc_formula=parts).fit()
    assert list(one.bse_re.index) == ["batch Var", "cask Var"]
    assert other.bse_re.to_numpy() == pytest.approx(1e6 * one.bse_re.to_numpy(), rel=1e-6)


def test_a_result_is_a_value() -> None:
    """There: the log-likelihood of a REML result changes when its model is fitted by ML."""
    model = mixedlm("Reaction ~ Days", frame_of("sleepstudy"), groups="Subject")
    first = model.fit()
    before = (first.llf, first.params.copy(), str(first.summary()))
    model.fit(reml=False)
    assert (first.llf, str(first.summary())) == before[::2]
    assert first.params.equals(before[1])


def test_random_effects_of_a_singular_fit() -> None:
    """There: cannot predict random effects from singular covariance structure."""
    result = mixedlm("Yield ~ 1", datasets.load("Dyestuff2"), groups="Batch").fit()
    assert {float(v.iloc[0]) for v in result.random_effects.values()} == {0.0}
    assert all(float(c.iloc[0, 0]) == 0.0 for c in result.random_effects_cov.values())


def test_data_let_go_at_once() -> None:
    """There: remove_data() on a fresh result fails, and summary() after it unless asked for before."""
    result = sleep()
    text = str(sleep().summary())
    result.remove_data()
    assert str(result.summary()) == text
    assert result.predict(pd.DataFrame({"Days": [1.0]})).iloc[0] == pytest.approx(261.872391, abs=1e-5)


def test_sparse_storage_has_all_results() -> None:
    """There: fittedvalues, resid and random_effects_cov fail."""
    data, parts = frame_of("Pastes"), {"cask": "0 + C(cask)"}
    plain = mixedlm("strength ~ 1", data, groups="batch", re_formula="1", vc_formula=parts).fit()
    sparse = mixedlm(
        "strength ~ 1", data, groups="batch", re_formula="1", vc_formula=parts, use_sparse=True
    ).fit()
    assert sparse.resid.equals(plain.resid)
    assert sparse.random_effects_cov["A"].equals(plain.random_effects_cov["A"])


def test_small_outcomes_are_printed() -> None:
    """There: 0.000 in every column, by '%.3f'."""
    data = frame_of("sleepstudy").assign(y=lambda d: d["Reaction"] * 1e-6)
    table = mixedlm("y ~ Days", data, groups="Subject").fit().summary().tables[1]
    assert float(table.loc["Days", "Coef."]) == pytest.approx(1.0467e-5, rel=1e-3)
    assert float(table.loc["Subject Var", "Coef."]) == pytest.approx(1.378e-9, rel=1e-3)


# -- small members ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "constant"),
    [("angle ~ temperature", 1), ("angle ~ 0 + temperature", 0), ("angle ~ 0 + recipe", 1), ("angle ~ 0", 0)],
)
def test_a_constant_may_be_implied(formula: str, constant: int) -> None:
    data = frame_of("cake").astype({"temperature": float}).assign(angle=lambda d: d["angle"] - 32)
    for weights in (None, np.linspace(1, 2, len(data))):
        result = mixedlm(formula, data, groups="replicate", weights=weights).fit()
        assert result.k_constant == constant
        assert result.df_modelwc == len(result.params)
        assert result.df_resid == result.nobs - len(result.fe_params)


def test_an_effect_has_a_name_of_its_own() -> None:
    """There: from arrays without exog_re the effect is called 'Group Var', as its variance is."""
    data = frame_of("sleepstudy")
    exog = pd.DataFrame({"const": 1.0, "Days": data["Days"]})
    result = MixedLM(data["Reaction"], exog, groups=data["Subject"]).fit()
    assert list(result.cov_re.index) == list(result.random_effects["308"].index) == ["Group"]


def test_names_of_another_number_are_refused() -> None:
    for names, sentence in (({"xname_fe": ["a"]}, "length 2"), ({"xname_re": ["a"]}, "length 3")):
        with pytest.raises(ValueError, match=sentence):
            sleep().summary(**names)
