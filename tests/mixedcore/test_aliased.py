"""Columns of X that others determine: left out, named, and no trace of them in any number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLM, MixedLMResults, mixedlm
from mixedcore.errors import ModelError

RNG = np.random.default_rng(5)
N = 160
G, A, B = np.arange(N) % 20, RNG.integers(0, 4, N), RNG.integers(0, 3, N)
B = np.where((A == 2) & (B == 1), 0, B)  # an empty cell
DATA = pd.DataFrame({"g": G, "a": A, "b": B, "x": RNG.normal(size=N), "z": RNG.normal(size=N)})
DATA["again"] = 2 * DATA["x"] - 3 * DATA["z"] + 1
DATA["y"] = DATA["x"] + 0.3 * A + RNG.normal(size=20)[G] + RNG.normal(size=N)

# formula, what is left out, and the same model written without it.
CASES: dict[str, tuple[str, list[str], str]] = {
    "a combination": ("y ~ x + z + again", ["again"], "y ~ x + z"),
    "the first of them stays": ("y ~ again + x + z", ["z"], "y ~ again + x"),
    "two factors coded in full": (
        "y ~ 0 + x + C(a) + C(b) + C(a, Treatment(1))",
        [f"C(a, Treatment(1))[T.{i}]" for i in (0, 2, 3)],
        "y ~ 0 + x + C(a) + C(b)",
    ),
    "an empty cell": (
        "y ~ x + C(a) * C(b)",
        ["C(a)[T.2]:C(b)[T.1]"],
        "y ~ x + C(a) + C(b) + I((a == 1) * (b == 1)) + I((a == 3) * (b == 1)) + I((a == 1) * (b == 2))"
        " + I((a == 2) * (b == 2)) + I((a == 3) * (b == 2))",
    ),
}
cases = pytest.mark.parametrize(("formula", "out", "without"), CASES.values(), ids=CASES)


def fit(formula: str, *, reml: bool = True) -> MixedLMResults:
    return mixedlm(formula, DATA, groups="g").fit(reml=reml)


@cases
def test_they_are_named_wherever_a_user_looks(formula: str, out: list[str], without: str) -> None:
    result = fit(formula)
    assert result.aliased == out
    assert fit(without).aliased == []
    assert set(out) <= set(result.model.exog_names)
    (note,) = result.notes
    (finding,) = [f for f in result.diagnose() if f.kind == "aliased"]
    for name in out:
        assert name in note
        assert name in finding.evidence
        assert name in "\n".join(result.summary().notes)
        assert name in result.summary().as_html().replace("&amp;", "&")


@cases
def test_no_table_has_a_row_for_them(formula: str, out: list[str], without: str) -> None:
    result = fit(formula)
    tables: dict[str, Any] = {
        "fe_params": result.fe_params.index,
        "params": result.params.index,
        "bse": result.bse.index,
        "cov_params": result.cov_params().index,
        "conf_int": result.conf_int().index,
        "tidy": result.tidy()["term"],
        "summary": result.summary().coefficients.index,
    }
    for name, index in tables.items():
        assert not set(out) & set(index), name
        assert len(index) in (len(result.fe_params), len(result.params)), name
    assert np.isfinite(result.cov_params().to_numpy()).all()
    assert result.df_resid == N - len(result.fe_params)


@cases
@pytest.mark.parametrize("reml", [True, False])
def test_the_fit_is_that_of_the_model_without_them(
    formula: str, out: list[str], without: str, reml: bool
) -> None:
    ours, same = fit(formula, reml=reml), fit(without, reml=reml)
    assert ours.criterion == pytest.approx(same.criterion, abs=1e-7)
    assert (ours.aic, ours.bic) == pytest.approx((same.aic, same.bic), abs=1e-6)
    assert ours.fe_params.to_numpy() == pytest.approx(same.fe_params.to_numpy(), rel=1e-6, abs=1e-8)
    assert ours.bse_fe.to_numpy() == pytest.approx(same.bse_fe.to_numpy(), rel=1e-6)
    assert ours.tidy()["df"].to_numpy() == pytest.approx(same.tidy()["df"].to_numpy(), rel=1e-4)
    new = DATA.iloc[[3, 50, 77]]
    for data in (None, new):
        assert np.asarray(ours.predict(data)) == pytest.approx(np.asarray(same.predict(data)), rel=1e-6)


def test_new_data_may_break_the_tie_and_their_column_has_no_part() -> None:
    result = fit("y ~ x + z + again")
    new = DATA.iloc[:5].assign(again=99.0)
    assert result.predict(new).to_numpy() == pytest.approx(result.predict(DATA.iloc[:5]).to_numpy())
    X = result.model.exog[:5]
    assert np.asarray(result.predict(X, transform=False)) == pytest.approx(result.predict(new).to_numpy())


def test_plain_arrays_of_parameters_may_leave_them_out() -> None:
    result = fit("y ~ again + x + z")
    model, expected = result.model, result.predict().to_numpy()
    kept = result.fe_params.to_numpy()
    for params in (kept, [*kept, 0.0], [*kept, 0.0, 0.5]):
        assert model.predict(params) == pytest.approx(expected)
    with pytest.raises(ModelError, match="params has 2 values and the model has 4 fixed effects"):
        model.predict(kept[:2])


def test_arrays_name_theirs() -> None:
    X = np.column_stack([np.ones(N), DATA["x"], -DATA["x"]])
    result = MixedLM(DATA["y"].to_numpy(), X, G).fit()
    assert result.aliased == ["x2"]
    assert list(result.summary().tables[1].index) == ["const", "x1", "Group Var"]
    assert result.predict(X[:4], transform=False) == pytest.approx(np.asarray(result.predict())[:4])


def test_a_sentence_lists_the_first_of_many() -> None:
    many = {f"copy{i}": (i + 2) * DATA["x"] for i in range(12)}
    result = mixedlm("y ~ x + " + " + ".join(many), DATA.assign(**many), groups="g").fit()
    assert result.aliased == list(many)
    (finding,) = [f for f in result.diagnose() if f.kind == "aliased"]
    assert finding.evidence.endswith("copy7 and 4 more.")
    assert "copy11" in result.notes[0]


@pytest.mark.parametrize("size", [1.0, 1e-9, 1e9])
def test_a_column_that_is_constant_but_for_rounding_is_left_out(size: float) -> None:
    """0.1 + 0.2 is not 0.3 to a computer; a coefficient of 10¹⁵ for the difference is no answer."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"y": rng.normal(size=60), "g": np.arange(60) % 6, "z": rng.normal(size=60)})
    data["x"] = size * np.where(data.index % 2 == 0, 0.3, 0.1 + 0.2)
    found = mixedlm("y ~ x + z + (1 | g)", data).fit()
    assert found.aliased == ["x"]
    assert found.llf == pytest.approx(mixedlm("y ~ z + (1 | g)", data).fit().llf, rel=1e-12)
    with pytest.raises(ModelError, match=r"effect of x over g cannot be estimated.* constant"):
        mixedlm("y ~ z + (x | g)", data).fit()
