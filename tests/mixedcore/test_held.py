"""`fit(free=…)`: held parameters stay, the others are at their best, on the boundary too.

Second routes: a fit of the model that the held values make, and a search by SciPy on the public likelihood.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from mixedcore import MixedLM, MixedLMParams, MixedLMResults, compare, datasets, mixedlm
from mixedcore.errors import ModelError
from mixedcore.terms import Floats
from tests.mixedcore.parameter_points import CASES, model_of

SAME = 1e-6  # two searches end within 1e-12 of the same criterion
NO_BETTER = 1e-8  # what another search may gain on the log-likelihood

SLEEP = datasets.load("sleepstudy")
CALL: dict[str, Any] = {"formula": "Reaction ~ Days", "groups": "Subject", "re_formula": "Days"}
INDEPENDENT = MixedLMParams.from_components(np.ones(2), np.eye(2))


def model(**changes: Any) -> MixedLM:
    return mixedlm(data=SLEEP, **(CALL | changes))


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
def test_no_covariance_is_the_model_of_two_bars(reml: bool) -> None:
    found = model().fit(free=INDEPENDENT, reml=reml)
    other = mixedlm("Reaction ~ Days + (Days || Subject)", SLEEP).fit(reml=reml)
    assert found.llf == pytest.approx(other.llf, abs=1e-9)
    kept = ["Intercept", "Days", "Subject Var", "Days Var"]
    assert found.params[kept].to_numpy() == pytest.approx(other.params.to_numpy(), rel=SAME)
    assert found.bse[kept].to_numpy() == pytest.approx(other.bse.to_numpy(), rel=1e-4)
    assert found.params["Subject x Days Cov"] == found.bse["Subject x Days Cov"] == 0
    assert np.isnan(found.tvalues["Subject x Days Cov"])
    assert np.isnan(found.pvalues["Subject x Days Cov"])
    assert found.converged
    assert found.cov_re.iloc[0, 1] == 0
    for label, effects in other.random_effects["Subject"].iterrows():
        assert found.random_effects[label].to_numpy() == pytest.approx(effects.to_numpy(), abs=1e-4)


def simulated(seed: int, q: int) -> tuple[Floats, Floats, Floats, Floats]:
    """endog, exog, groups and exog_re; every second time an effect varies little or not at all."""
    rng = np.random.default_rng(seed)
    groups, n = np.repeat(np.arange(12), 8), 96
    X = np.column_stack([np.ones(n), rng.normal(size=n)])
    Z = np.column_stack([np.ones(n), rng.normal(size=(n, q - 1))])
    L = np.tril(rng.normal(size=(q, q)))
    L[seed % q] *= 0.1 * (seed % 2)
    effects = rng.normal(size=(12, q)) @ L.T
    return X @ [1.0, 2.0] + (Z * effects[groups]).sum(axis=1) + rng.normal(size=n), X, groups, Z


def frame(seed: int, q: int) -> pd.DataFrame:
    y, X, groups, Z = simulated(seed, q)
    columns = {f"z{j}": Z[:, j] for j in range(1, q)}
    return pd.DataFrame({"y": y, "x": X[:, 1], "g": groups, **columns})


@pytest.mark.parametrize("q", [2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_singular_fits_without_covariances_equal_those_of_bars(seed: int, q: int) -> None:
    data = frame(seed, q)
    names = " + ".join(f"z{j}" for j in range(1, q))
    free = MixedLMParams.from_components(cov_re=np.eye(q))
    found = mixedlm("y ~ x", data, groups="g", re_formula=names).fit(free=free)
    other = mixedlm(f"y ~ x + ({names} || g)", data).fit()
    assert found.llf == pytest.approx(other.llf, abs=1e-8)
    assert (found.singular, found.converged) == (other.singular, True)
    assert np.diag(found.cov_re) == pytest.approx(np.diag(other.cov_re), rel=1e-4, abs=1e-6)


MASKS = {
    "a variance": [[0, 1], [1, 1]],
    "both variances": [[0, 1], [1, 0]],
    "the covariance": [[1, 0], [0, 1]],
    "a variance of three": [[0, 1, 1], [1, 1, 1], [1, 1, 1]],
    "one covariance of three": [[1, 0, 1], [0, 1, 1], [1, 1, 1]],
    "a block of three": [[0, 0, 1], [0, 0, 1], [1, 1, 1]],
    "a chain": [[1, 1, 0], [1, 1, 1], [0, 1, 1]],
}


def better_elsewhere(result: MixedLMResults, mask: Floats) -> float:
    """The best log-likelihood that a simplex search from the result finds over the free entries."""
    given, m = result.params_object, result.model
    rows, cols = np.tril_indices(len(mask))
    chosen = np.flatnonzero(mask[rows, cols])
    start = given.get_packed(use_sqrt=False)

    def loss(values: Floats) -> float:
        packed = start.copy()
        packed[chosen] = values
        params = MixedLMParams.from_packed(packed, m.k_fe, m.k_re, use_sqrt=False, has_fe=False)
        if np.linalg.eigvalsh(params.cov_re)[0] < -1e-12:
            return np.inf
        return -m.loglike(params)

    first = start[chosen]
    options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 400}
    found = minimize(loss, first, method="Nelder-Mead", options=options)
    return -float(found.fun)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("seed", range(2))
def test_held_entries_stay_and_the_others_are_at_their_best(seed: int, name: str, reml: bool) -> None:
    mask = np.array(MASKS[name], dtype=float)
    q = len(mask)
    held = 0.6 * np.eye(q) + 0.2
    start = MixedLMParams.from_components(np.zeros(2), held)
    m = MixedLM(*simulated(seed, q))
    result = m.fit(start, reml, free=MixedLMParams.from_components(np.ones(2), mask))
    assert result.converged
    unscaled = result.params_object.cov_re
    assert unscaled[mask == 0] == pytest.approx(held[mask == 0], rel=1e-12)
    assert np.linalg.eigvalsh(unscaled)[0] > -1e-12
    assert better_elsewhere(result, mask) <= result.llf + NO_BETTER
    assert m.loglike(result.params_object) == pytest.approx(result.llf, abs=1e-9)
    bse = np.asarray(result.bse)[2:][np.tril(np.ones((q, q)))[np.tril_indices(q)] > 0]
    assert (bse[mask[np.tril_indices(q)] == 0] == 0).all()


def test_a_variance_held_at_its_estimate_gives_the_same_fit() -> None:
    whole = model().fit()
    mask = np.ones((2, 2))
    mask[0, 0] = 0
    found = model().fit(whole.params_object, free=MixedLMParams.from_components(np.ones(2), mask))
    assert found.llf == pytest.approx(whole.llf, abs=1e-9)
    assert found.params.to_numpy() == pytest.approx(whole.params.to_numpy(), rel=SAME)
    assert (found.bse < whole.bse + 1e-9).all()


def test_a_variance_held_at_zero_takes_the_effect_out() -> None:
    start = MixedLMParams.from_components(np.zeros(2), np.diag([1.0, 0.0]))
    free = MixedLMParams.from_components(np.ones(2), np.diag([1.0, 0.0]))
    found = model().fit(start, free=free)
    other = model(re_formula="1").fit()
    assert found.llf == pytest.approx(other.llf, abs=1e-9)
    assert found.cov_re.iloc[1].tolist() == [0.0, 0.0]


def test_everything_held_is_a_point_of_the_likelihood() -> None:
    start = MixedLMParams.from_components([250.0, 11.0], [[1.0, 0.1], [0.1, 0.05]])
    nothing = MixedLMParams.from_components(np.zeros(2), np.zeros((2, 2)))
    m = model()
    found = m.fit(start, free=nothing)
    assert found.params.to_numpy() == pytest.approx([250, 11, 1, 0.1, 0.05], rel=1e-12)
    assert (found.bse == 0).all()
    assert found.llf == pytest.approx(m.loglike(start, profile_fe=False), abs=1e-9)
    assert "Converged" in repr(found.optimisation)
    assert np.isfinite(found.bse_re).all()  # that of the residual variance is in them


@pytest.mark.parametrize("name", ["school", "classroom"])
def test_components_and_intercepts_can_be_held(name: str) -> None:
    data = datasets.load("classrooms")
    m = mixedlm(
        "test_score ~ age", data, "1", {"classroom": "0 + C(classroom)"}, groups="school"
    )  # fmt: skip
    whole = m.fit()
    start = whole.params_object
    held = MixedLMParams.from_components(np.ones(2), np.eye(1), None, np.ones(1))
    at = {"school": (held.cov_re, start.cov_re), "classroom": (held.vcomp, start.vcomp)}[name]
    at[0][...] = 0.0
    at[1][...] = 2 * at[1]
    found = m.fit(start, free=held)
    assert found.params[f"{name} Var"] == pytest.approx(2 * whole.params[f"{name} Var"], rel=1e-12)
    other = "classroom" if name == "school" else "school"
    for value in np.array([0.999, 1.001]) * found.params[f"{other} Var"]:
        near = found.params_object
        (near.vcomp if other == "classroom" else near.cov_re)[...] = value
        assert m.loglike(near) < found.llf
    assert found.bse[f"{name} Var"] == 0 < found.bse[f"{other} Var"]


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
def test_fixed_effects_are_held_at_their_start(reml: bool) -> None:
    """statsmodels puts the best ones back in."""
    start = MixedLMParams.from_components([0.0, 8.0], np.eye(2))
    free = MixedLMParams.from_components([1.0, 0.0], np.ones((2, 2)))
    m = model()
    found = m.fit(start, reml, free=free)
    assert found.fe_params["Days"] == pytest.approx(8.0, rel=1e-12)
    assert found.bse_fe["Days"] == 0
    assert np.abs(np.delete(m.score(found.params_object, profile_fe=False), 1)).max() < 1e-4
    if not reml:  # the same as with the effect in the offset
        moved = SLEEP.assign(known=8.0 * SLEEP["Days"])
        call = {"groups": "Subject", "re_formula": "Days", "offset": "known"}
        other = mixedlm("Reaction ~ 1", moved, **call).fit(reml=False)
        assert found.llf == pytest.approx(other.llf, abs=1e-9)
        assert found.bse_fe["Intercept"] == pytest.approx(other.bse_fe["Intercept"], rel=1e-6)
        assert found.resid.to_numpy() == pytest.approx(other.resid.to_numpy(), abs=1e-4)
        test, expected = found.tidy().iloc[0, 1:], other.tidy().iloc[0, 1:]
        assert test.astype(float).to_numpy() == pytest.approx(expected.astype(float).to_numpy(), rel=1e-4)
        assert found.tidy().iloc[1, 3:].isna().all()


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_model_can_hold_its_first_variance(name: str) -> None:
    m = model_of(name)
    whole = m.fit(reml=False)
    point, mask = whole.params_object, whole.params_object
    mask.fe_params[:], mask.cov_re[:], mask.vcomp[:] = 1, 1, 1
    for values, held in ((point.cov_re[:1, :1], mask.cov_re[:1, :1]), (point.vcomp[:1], mask.vcomp[:1])):
        values[...] = 1.5 * values + 0.1
        held[...] = 0
    found = m.fit(point, reml=False, free=mask)
    kept = found.params_object
    assert kept.cov_re[:1, :1] == pytest.approx(point.cov_re[:1, :1], rel=1e-12)
    assert kept.vcomp[:1] == pytest.approx(point.vcomp[:1], rel=1e-12)
    assert found.converged
    assert found.llf <= whole.llf + NO_BETTER
    errors = np.sqrt(np.diag(found.cov_params()))
    assert found.bse_fe.to_numpy() == pytest.approx(errors[: found.fe_params.size])
    rng = np.random.default_rng(0)
    for _ in range(20):  # no covariance near it with the same variances is better
        near = kept.copy()
        root = np.eye(len(kept.cov_re)) + 0.01 * np.diag(rng.normal(size=len(kept.cov_re)))
        root[:1, :1] = 1.0
        near.cov_re = root @ near.cov_re @ root.T
        near.vcomp[1:] *= 1 + 0.01 * rng.normal(size=near.vcomp.size - 1) if near.vcomp.size else 1.0
        assert m.loglike(near) <= found.llf + NO_BETTER


def test_streamed_rows_and_no_fixed_effects() -> None:
    chunks = [SLEEP.iloc[:70], SLEEP.iloc[70:]]
    streamed = mixedlm(data=lambda: iter(chunks), **CALL)
    found, expected = streamed.fit(free=INDEPENDENT), model().fit(free=INDEPENDENT)
    assert found.params.to_numpy() == pytest.approx(expected.params.to_numpy(), rel=1e-5)
    nothing = model(formula="Reaction ~ 0").fit(free=MixedLMParams.from_components(cov_re=np.eye(2)))
    bars = mixedlm("Reaction ~ 0 + (Days || Subject)", SLEEP).fit()
    assert nothing.llf == pytest.approx(bars.llf, abs=1e-8)
    assert nothing.fe_params.size == 0


START = MixedLMParams.from_components([250.0, 8.0], [[1.0, 0.1], [0.1, 0.05]])
FITS: dict[str, dict[str, Any]] = {
    "independent effects": {"free": INDEPENDENT},
    "a variance": {"free": MixedLMParams.from_components([1, 1], [[0, 1], [1, 1]])},
    "a fixed effect": {"free": MixedLMParams.from_components([1, 0], np.ones((2, 2)))},
    "everything": {"free": MixedLMParams.from_components([0, 0], np.zeros((2, 2)))},
    "no search": {"do_cg": False},
}


@pytest.mark.parametrize("name", FITS)
def test_every_table_of_such_a_fit_can_be_read(name: str) -> None:
    result = model().fit(START, **FITS[name])
    for ddf in ("satterthwaite", "residual", "normal"):
        table = result.tidy(ddf=ddf)
        assert table[["estimate", "std_error"]].notna().all(axis=None)
        assert (table["p_value"].isna() == (table["std_error"] == 0)).all()
    assert result.tidy("random")["estimate"].notna().all()
    assert result.tidy("blups").notna().all(axis=None)
    assert result.glance()["log_lik"].item() == result.llf
    assert result.hist[0]["fopt"] == -result.llf
    assert result.optimisation.path.notna().all(axis=None)
    assert len(result.summary().tables[1]) == 5
    assert not [f for f in result.diagnose() if f.kind in ("saddle", "undetermined")]
    assert result.conf_int().notna().all(axis=None)


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.refit(SLEEP["Reaction"]),
        lambda r: r.bootstrap(2, 1),
        lambda r: r.confint(),
        lambda r: r.profile_re(0, vtype="re"),
        lambda r: r.influence("Subject"),
        lambda r: compare(r, r.model.fit()),
    ],
)
def test_what_would_fit_without_the_restrictions_is_refused(ask: Any) -> None:
    result = model().fit(free=INDEPENDENT)
    with pytest.raises(ModelError, match="held or penalised"):
        ask(result)
    assert result.confint("wald")["conf_low"].notna().sum() >= 5
    assert result.simulate(2, 1).shape == (180, 2)
    assert result.influence("Subject", refit=False)["cooks_distance"].notna().all()


def test_kenward_and_roger_need_all_fixed_effects() -> None:
    held = MixedLMParams.from_components([1, 0], np.ones((2, 2)))
    start = MixedLMParams.from_components([250.0, 8.0], np.eye(2))
    with pytest.raises(ModelError, match="all fixed effects"):
        model().fit(start, free=held).tidy(ddf="kenward-roger")


def test_held_parameters_are_not_counted() -> None:
    found, bars = model().fit(free=INDEPENDENT), mixedlm("Reaction ~ Days + (Days || Subject)", SLEEP).fit()
    assert (found.aic, found.bic) == pytest.approx((bars.aic, bars.bic), abs=1e-8)


def test_a_result_that_fits_again_leaves_the_model_as_it_was() -> None:
    m = model()
    result = m.fit()
    result.confint(terms="sigma")
    assert m.reml
    assert m.loglike(result.params_object) == pytest.approx(result.llf, abs=1e-8)


def test_nothing_held_is_the_fit() -> None:
    every = MixedLMParams.from_components(np.ones(2), np.ones((2, 2)))
    found, expected = model().fit(free=every), model().fit()
    assert found.params.to_numpy() == pytest.approx(expected.params.to_numpy(), rel=SAME)
    assert found.bse.to_numpy() == pytest.approx(expected.bse.to_numpy(), rel=1e-5)


def test_units_do_not_matter() -> None:
    """A slope in thousandths and an outcome in millions: the same independent effects."""
    data = SLEEP.assign(Reaction=1e6 * SLEEP["Reaction"], Days=1e-3 * SLEEP["Days"])
    found = mixedlm(data=data, **CALL).fit(free=INDEPENDENT)
    expected = model().fit(free=INDEPENDENT)
    assert found.params["Subject Var"] == pytest.approx(expected.params["Subject Var"], rel=1e-5)
    assert found.params["Days Var"] == pytest.approx(1e6 * expected.params["Days Var"], rel=1e-5)
    assert found.tvalues["Days"] == pytest.approx(expected.tvalues["Days"], rel=1e-6)


def test_without_a_search_the_start_is_the_result() -> None:
    m = model()
    start = MixedLMParams.from_components([250.0, 10.0], [[1.0, 0.1], [0.1, 0.05]])
    found = m.fit(start, do_cg=False)
    assert found.params.iloc[2:].tolist() == pytest.approx([1.0, 0.1, 0.05], rel=1e-12)
    assert found.llf == pytest.approx(m.loglike(start), abs=1e-9)
    assert not found.converged
    assert m.fit(do_cg=False).params.iloc[2:].tolist() == pytest.approx([1.0, 0.0, 1.0], abs=1e-12)


@pytest.mark.parametrize(
    ("free", "sentence"),
    [
        (np.eye(2), "free must be a MixedLMParams"),
        (MixedLMParams.from_components(np.ones(5), np.eye(2)), "free.fe_params has 5 values"),
        (MixedLMParams.from_components(np.ones(2), np.eye(3)), "cov_re has the size"),
        (MixedLMParams.from_components(np.ones(2), np.eye(2), None, np.ones(2)), "vcomp has the size"),
    ],
)
def test_what_is_no_mask_is_explained(free: Any, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        model().fit(free=free)


def test_a_covariance_of_no_variance_is_explained() -> None:
    start = MixedLMParams.from_components(np.zeros(2), [[0.0, 0.5], [0.5, 1.0]])
    with pytest.raises(ModelError, match="covariance matrix"):
        model().fit(start, free=INDEPENDENT)
