"""Prior weights and offset: by dense algebra, by what they must not change, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLM, MixedLMResults, datasets, mixedlm
from mixedcore.errors import DataError, FormulaError, MissingValuesError, ModelError
from mixedcore.terms import Floats
from tests.mixedcore import models_of_all_kinds
from tests.mixedcore.dense_algebra import indicator

RNG = np.random.default_rng(20240611)
N = 120
SCHOOL, CLASS, TEACHER = np.arange(N) % 8, RNG.integers(0, 3, N), RNG.integers(0, 9, N)
X = RNG.normal(size=N) + 2020
DATA = pd.DataFrame(
    {
        "y": X - 2018 + RNG.normal(size=8)[SCHOOL] + RNG.normal(size=9)[TEACHER] + RNG.normal(size=N),
        "x": X,
        "school": SCHOOL,
        "room": CLASS,
        "teacher": TEACHER,
        "w": RNG.gamma(2.0, size=N) + 0.05,
        "z": RNG.normal(size=N) * 3,
    },
    index=[f"row{i}" for i in range(N)],
)
KINDS = ("intercept", "slope", "uncorrelated", "crossed", "components", "no fixed effects")
MODELS: dict[str, dict[str, Any]] = {kind: models_of_all_kinds.MODELS[kind] for kind in KINDS}
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
both = pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
# The search stops where the criterion still falls by 1e-12 at most, so θ, and with it the rest, has an error
# near the root of that.
ESTIMATE_TOL = 1e-5
ROUNDING = 1e-8  # digits left of a covariance of x near 2020 when its sums are formed in another order


def fit(
    model: dict[str, Any], data: pd.DataFrame = DATA, *, reml: bool = True, **kwargs: Any
) -> MixedLMResults:
    return mixedlm(data=data, **model, **kwargs).fit(reml=reml)


def dense(result: MixedLMResults) -> tuple[float, Floats, Floats]:
    """Criterion, β and its covariance at the fit's θ and σ² from V = ZΨZ'σ² + σ²W⁻¹, (n, n)."""
    model, user = result.model, result._user
    w = np.ones(model.nobs) if model.weights is None else model.weights
    V = np.diag(1 / w)
    for t, term in enumerate(model.design.terms):
        for b in term.blocks:
            psi = user.psi(t) * np.eye(b.width) if term.structure == "isotropic" else user.psi(t)
            Z = indicator(b)
            V += Z @ np.kron(np.eye(b.n_levels), psi) @ Z.T
    V *= result.scale
    y = model.endog - (0 if model.offset is None else model.offset)
    M = np.linalg.inv(model.exog.T @ np.linalg.solve(V, model.exog))
    beta = M @ (model.exog.T @ np.linalg.solve(V, y))
    r = y - model.exog @ beta
    n, p = model.exog.shape
    d = np.linalg.slogdet(V).logabsdet + r @ np.linalg.solve(V, r)
    d += n * np.log(2 * np.pi) if not result.reml else (n - p) * np.log(2 * np.pi)
    return float(d - np.linalg.slogdet(M).logabsdet * result.reml), beta, M


@models
@both
def test_equals_the_dense_marginal_model(model: dict[str, Any], reml: bool) -> None:
    result = fit(model, reml=reml, weights="w", offset="z")
    criterion, beta, cov = dense(result)
    assert result.criterion == pytest.approx(criterion, abs=1e-8)
    assert result.fe_params.to_numpy() == pytest.approx(beta, rel=1e-6)
    p = len(beta)
    assert result.cov_params().to_numpy()[:p, :p] == pytest.approx(cov, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("model", [MODELS["components"], MODELS["slope"]])
def test_the_joint_covariance_of_a_group_uses_its_weights(model: dict[str, Any]) -> None:
    """σ²(Ψ − ΨZ'V⁻¹ZΨ), V = ZΨZ' + W⁻¹ over the rows of one group."""
    result = fit(model, weights="w")
    rows = np.flatnonzero(result.model.group_codes == 3)
    Zs, psis = [], []
    for t, term in enumerate(result.model.design.terms):
        for b in term.blocks:
            own = (
                result._user.psi(t) * np.eye(b.width)
                if term.structure == "isotropic"
                else result._user.psi(t)
            )
            used = np.unique(b.codes[rows])
            columns = (used[:, None] * b.width + np.arange(b.width)).ravel()
            Zs.append(indicator(b)[np.ix_(rows, columns)])
            psis.append(np.kron(np.eye(used.size), own))
    Z, psi = np.column_stack(Zs), np.zeros((sum(map(len, psis)),) * 2)
    at = 0
    for own in psis:
        psi[at : at + len(own), at : at + len(own)] = own
        at += len(own)
    assert result.model.weights is not None
    V = Z @ psi @ Z.T + np.diag(1 / result.model.weights[rows])
    expected = result.scale * (psi - psi @ Z.T @ np.linalg.solve(V, Z @ psi))
    found = result.random_effects_cov
    (cov,) = [found["school"][3]] if result.model.design.bars else [found[3]]
    # The covariates near 2020 leave differences of numbers a million times as large.
    assert cov.to_numpy() == pytest.approx(expected, rel=1e-4, abs=1e-6 * np.abs(expected).max())


@models
def test_weights_of_one_and_no_offset_change_nothing(model: dict[str, Any]) -> None:
    """But for the order in which sums are formed."""
    plain, one = fit(model), fit(model, weights=np.ones(N), offset=np.zeros(N))
    assert plain.criterion == pytest.approx(one.criterion, abs=1e-10)
    pd.testing.assert_series_equal(plain.params, one.params, rtol=ROUNDING, atol=ROUNDING)
    pd.testing.assert_series_equal(plain.bse_re, one.bse_re, rtol=ESTIMATE_TOL)
    pd.testing.assert_series_equal(plain.fittedvalues, one.fittedvalues, rtol=ROUNDING)


@models
@both
@pytest.mark.parametrize("c", [1e-6, 0.3, 1e6])
def test_weights_in_another_unit(model: dict[str, Any], reml: bool, c: float) -> None:
    """w × c: σ² × c and Ψ/σ² over c; the likelihood stays, and every covariance in the units of the data."""
    one = fit(model, reml=reml, weights="w")
    other = fit(model, DATA.assign(w=c * DATA["w"]), reml=reml, weights="w")
    assert other.criterion == pytest.approx(one.criterion, abs=1e-7)
    assert other.scale == pytest.approx(c * one.scale, rel=ESTIMATE_TOL)
    size = np.abs(one.theta).max(initial=0)
    assert np.sqrt(c) * other.theta == pytest.approx(one.theta, rel=ESTIMATE_TOL, abs=ESTIMATE_TOL * size)
    assert other.fe_params.to_numpy() == pytest.approx(one.fe_params.to_numpy(), rel=ESTIMATE_TOL)
    assert other.bse_fe.to_numpy() == pytest.approx(one.bse_fe.to_numpy(), rel=ESTIMATE_TOL)
    sd = np.std(one.fittedvalues)
    assert other.fittedvalues.to_numpy() == pytest.approx(one.fittedvalues.to_numpy(), abs=ESTIMATE_TOL * sd)
    assert other.augment()["resid_std"].to_numpy() == pytest.approx(one.augment()["resid_std"], abs=1e-4)


def test_whole_weights_are_means_of_as_many_rows() -> None:
    """A row of weight w is the mean of w rows: at the same θ they give the same β and covariance over σ².

    GLS on the long data is written out here; nothing of it is taken from the weighted fit but θ and σ².
    """
    w = RNG.integers(1, 4, N)
    long = DATA.loc[DATA.index.repeat(w)]
    means = fit({"formula": "y ~ x + (1 | school)"}, DATA.assign(w=w), weights="w")
    theta = means.theta[0]
    design = mixedlm("y ~ x + (1 | school)", long).design
    Z = indicator(design.terms[0].blocks[0])
    V = np.eye(len(long)) + theta**2 * Z @ Z.T
    M = np.linalg.inv(design.X.T @ np.linalg.solve(V, design.X))
    assert means.fe_params.to_numpy() == pytest.approx(
        M @ (design.X.T @ np.linalg.solve(V, design.y)), rel=1e-7
    )
    assert means.bse_fe.to_numpy() == pytest.approx(np.sqrt(means.scale * np.diag(M)), rel=1e-6)


def test_a_balanced_design_has_its_closed_form() -> None:
    """Groups of four rows of equal weight w, with K = 4w and λ = θ².

    A mode is its group's mean deviation times Kλ/(1 + Kλ), its variance σ²λ/(1 + Kλ), and β the mean of the
    groups' means with weights K/(1 + Kλ).
    """
    w = np.repeat([1.0, 2.0, 5.0], 40)
    y = np.repeat(RNG.normal(size=30) * 3, 4) + RNG.normal(size=120) / np.sqrt(w)
    data = pd.DataFrame({"y": y, "g": np.repeat(np.arange(30), 4), "w": w})
    result = fit({"formula": "y ~ 1 + (1 | g)"}, data, weights="w")
    kw = 4 * w[::4]
    means = data.groupby("g")["y"].mean().to_numpy()
    share = kw * result.theta[0] ** 2 / (1 + kw * result.theta[0] ** 2)
    expected = share * (means - result.fe_params.iloc[0])
    assert result.random_effects["g"]["Intercept"].to_numpy() == pytest.approx(expected, rel=1e-9)
    precision = kw / (1 + kw * result.theta[0] ** 2)
    assert result.fe_params.iloc[0] == pytest.approx(precision @ means / precision.sum(), rel=1e-9)
    sd = result.tidy("blups")["std_error"].to_numpy()
    assert sd == pytest.approx(np.sqrt(result.scale * result.theta[0] ** 2 / (1 + kw * result.theta[0] ** 2)))


@models
def test_an_offset_is_taken_from_the_outcome_and_given_back(model: dict[str, Any]) -> None:
    whole = fit(model, offset="z")
    rest = fit(model, DATA.assign(y=DATA["y"] - DATA["z"]))
    assert whole.criterion == pytest.approx(rest.criterion, abs=1e-9)
    pd.testing.assert_series_equal(whole.params, rest.params, rtol=1e-6)
    pd.testing.assert_series_equal(whole.fittedvalues, rest.fittedvalues + DATA["z"], rtol=1e-7)
    pd.testing.assert_series_equal(whole.predict(), rest.predict() + DATA["z"], rtol=1e-7)
    assert whole.glance()["r2_marginal"][0] == pytest.approx(rest.glance()["r2_marginal"][0], rel=1e-6)
    assert (whole.augment()["fitted"] + whole.augment()["resid"]).to_numpy() == pytest.approx(DATA["y"])


def test_arrays_formulas_and_series_agree() -> None:
    by_name = fit({"formula": "y ~ x", "groups": "school"}, weights="w", offset="z")
    shuffled = DATA.sample(frac=1, random_state=1)
    by_series = fit({"formula": "y ~ x", "groups": "school"}, weights=shuffled["w"], offset=shuffled["z"])
    by_values = fit(
        {"formula": "y ~ x", "groups": "school"}, weights=list(DATA["w"]), offset=DATA["z"].to_numpy()
    )
    exog = np.column_stack([np.ones(N), DATA["x"]])
    arrays = MixedLM(DATA["y"], pd.DataFrame(exog, index=DATA.index), DATA["school"], weights=shuffled["w"],
                     offset=shuffled["z"]).fit()  # fmt: skip
    for other in (by_series, by_values, arrays):
        assert other.criterion == pytest.approx(by_name.criterion, abs=1e-9)
        assert other.fittedvalues.to_numpy() == pytest.approx(by_name.fittedvalues.to_numpy())
    assert set(by_series.augment()) - set(by_name.augment()) == {"weights", "offset"}
    assert {"weights", "offset"} <= set(arrays.augment())
    assert by_series.augment()["weights"].to_numpy() == pytest.approx(DATA["w"].to_numpy())


def test_subset_and_missing_values_keep_rows_together() -> None:
    holes = DATA.assign(w=DATA["w"].where(np.arange(N) != 5), z=DATA["z"].where(np.arange(N) != 7))
    whole = DATA.drop(index=["row5", "row7", "row0"])
    expected = fit(MODELS["slope"], whole, weights="w", offset="z")
    found = fit(MODELS["slope"], holes, weights="w", offset="z", missing="drop", subset=DATA.index[1:])
    assert found.criterion == pytest.approx(expected.criterion, abs=1e-9)
    assert list(found.model.row_index) == list(whole.index)
    assert "missing in w (1), z (1)" in found.notes[0]
    by_series = fit(MODELS["slope"], DATA, weights=holes["w"], missing="drop")
    assert "missing in the weights (1)" in by_series.notes[0]
    for name in ("none", "raise"):
        with pytest.raises(MissingValuesError, match=r"w \(1\)"):
            fit(MODELS["slope"], holes, weights="w", missing=name)


def test_what_is_refused() -> None:
    slope = MODELS["slope"]
    with pytest.raises(DataError, match="2 of 120 rows have a weight of zero or less"):
        fit(slope, weights=np.r_[0.0, -1.0, np.ones(N - 2)])
    for heavy, light in ((1e20, 1.0), (1e200, 1e200), (1e300, 1e-300)):
        with pytest.raises(DataError, match=f"weights range from {light:.3g} to".replace("+", r"\+")):
            fit(slope, weights=np.r_[heavy, np.full(N - 1, light)])
    with pytest.raises(FormulaError, match="no column for weights 'ww' in the data; did you mean 'w'"):
        fit(slope, weights="ww")
    with pytest.raises(DataError, match="weights has 3 values and the data have 120 rows"):
        fit(slope, weights=[1, 2, 3])
    with pytest.raises(DataError, match="offset must be one number a row, not several columns"):
        fit(slope, offset=np.ones((N, 2)))
    with pytest.raises(DataError, match="weights must be one number a row; it holds"):
        fit(slope, DATA.assign(w="heavy"), weights="w")
    with pytest.raises(DataError, match="index does not match"):
        fit(slope, weights=pd.Series(np.ones(N)))
    with pytest.raises(MissingValuesError, match="infinite: 1"):
        fit(slope, weights=np.r_[np.inf, np.ones(N - 1)])


def test_the_outcome_less_the_offset_is_what_has_to_vary() -> None:
    flat = fit(MODELS["slope"], DATA.assign(y=3.0), offset="z")
    assert flat.llf == pytest.approx(fit(MODELS["slope"], DATA.assign(y=3 - DATA["z"])).llf, abs=1e-9)
    with pytest.raises(ModelError, match="y less the offset is 0 in all 120 rows"):
        fit(MODELS["slope"], DATA.assign(y=DATA["z"]), offset="z")


def test_new_data_bring_their_offset() -> None:
    new = DATA.iloc[:4].assign(z=[1.0, np.nan, 3.0, 4.0])
    by_name = fit(MODELS["slope"], offset="z")
    fixed = by_name.model.exog[[0, 2, 3]] @ by_name.fe_params.to_numpy()
    predicted = by_name.predict(new)
    assert list(predicted.index) == ["row0", "row2", "row3"]
    assert predicted.to_numpy() == pytest.approx(fixed + np.array([1, 3, 4]))
    with pytest.raises(FormulaError, match="no column for offset 'z'"):
        by_name.predict(new.drop(columns="z"))
    by_values = fit(MODELS["slope"], offset=DATA["z"])
    assert by_values.predict(new).to_numpy()[[0, 2, 3]] == pytest.approx(fixed, rel=1e-6)
    assert by_name.model.predict(by_name.params) == pytest.approx(by_name.predict().to_numpy())


def test_summary_and_notes_say_so() -> None:
    result = fit(MODELS["slope"], weights="w", offset="z")
    assert ("Weights:", "w", "Offset:", "z") in result.summary().facts
    assert ("Weights:", "Yes", "Offset:", "No") in fit(MODELS["slope"], weights=DATA["w"]).summary().facts
    assert "Weights:" not in fit(MODELS["slope"]).summary().as_text()
    assert [note.split(" from")[0] for note in result.notes] == ["Weights", "An offset"]


def test_far_centred_covariates_cost_no_digits_under_uneven_weights() -> None:
    """x near 2020 beside the same about zero: the same slope and likelihood."""
    uneven = DATA.assign(w=10.0 ** RNG.uniform(-3, 3, N))
    far = fit(MODELS["slope"], uneven, weights="w")
    near = fit(MODELS["slope"], uneven.assign(x=uneven["x"] - 2020), weights="w")
    assert far.criterion == pytest.approx(near.criterion, abs=1e-7)
    assert far.fe_params["x"] == pytest.approx(near.fe_params["x"], rel=1e-6)
    assert far.bse_fe["x"] == pytest.approx(near.bse_fe["x"], rel=1e-6)


def test_a_known_example() -> None:
    """lme4 1.1-31: Reaction ~ Days + (Days | Subject), weights = 1 + (1:180) %% 3, offset = 0.3 * Days^2."""
    sleep = datasets.load("sleepstudy")
    result = mixedlm(
        "Reaction ~ Days + (Days | Subject)",
        sleep,
        weights=1 + np.arange(1, 181) % 3,
        offset=0.3 * sleep["Days"] ** 2,
    ).fit()
    assert result.llf == pytest.approx(-870.3515471, abs=1e-6)
