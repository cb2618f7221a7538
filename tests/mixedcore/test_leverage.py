"""Leverage, residuals and Cook's distance of a fit: against lme4, the dense hat matrix, and at the edges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedCoreError, MixedLM, MixedLMResults, datasets, mixedlm
from mixedcore.diagnostics.leverage import leverage
from mixedcore.engine.criterion import evaluate, roots_of
from mixedcore.engine.crossproducts import sum_rows
from mixedcore.engine.elimination import plan
from mixedcore.engine.estimate import estimate
from mixedcore.engine.rows import gather
from mixedcore.terms import Floats
from mixedcore.units import UserUnits
from tests.mixedcore.dense_algebra import Dense, designs, random_theta
from tests.reference.deletions import RECORDS, label, ours

# θ of both sides is good to 1e-7 and the leverage follows it; residuals near zero count in units of σ.
REFERENCE_TOL = 1e-6
# The dense route inverts V, so that some digits go.
DENSE_TOL = 1e-12

DESIGNS = designs()
every = pytest.mark.parametrize("record", RECORDS, ids=label)


@every
def test_equals_lme4(record: dict[str, Any]) -> None:
    """hatvalues, cooks.distance, rstudent and Pearson residuals of the first 30 rows, and two sums."""
    r = ours(record)
    table, n = r.augment(), len(record["hat"])
    assert table["leverage"].to_numpy()[:n] == pytest.approx(np.array(record["hat"]), rel=REFERENCE_TOL)
    assert r.leverage().sum() == pytest.approx(record["hat_sum"], rel=REFERENCE_TOL)
    cooks = np.array(record["cooks"])
    # A square: its root is known as well as the residual is.
    assert np.sqrt(table["cooks_distance"].to_numpy()[:n]) == pytest.approx(np.sqrt(cooks), abs=REFERENCE_TOL)
    assert table["cooks_distance"].sum() == pytest.approx(record["cooks_sum"], rel=REFERENCE_TOL)
    for kind, unit in (("rstudent", 1.0), ("pearson", r.sigma)):
        found = r.residuals({"rstudent": "studentised"}.get(kind, kind)).to_numpy()[:n]  # type: ignore[arg-type]
        assert found == pytest.approx(np.array(record[kind]), abs=REFERENCE_TOL * unit)


def test_equals_the_figures_known_beforehand() -> None:
    """ML leverages and Cook's distances of sleepstudy, of the project's reference notes (lme4 1.1-31)."""
    data = datasets.load("sleepstudy")
    table = mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="Days").fit(reml=False).augment()
    hat = [0.2224706, 0.1650966, 0.1239447, 0.0990150, 0.0903075, 0.0978221]
    cooks = [0.0061027, 0.0410034, 0.2227562, 0.0068719, 0.0498436, 0.3613431]
    assert table["leverage"].head(6).to_numpy() == pytest.approx(hat, abs=1e-7)
    assert table["leverage"].sum() == pytest.approx(28.6116, abs=1e-4)
    assert table["cooks_distance"].head(6).to_numpy() == pytest.approx(cooks, abs=1e-6)


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", DESIGNS)
def test_equals_the_dense_hat_matrix(name: str, seed: int, weighted: bool) -> None:
    """h = 1 − P_ii for P of V in units of σ² and rows times √w, at variances of every kind, zero too."""
    data = DESIGNS[name]
    n, p = data.X.shape
    w = np.random.default_rng(seed).uniform(0.2, 3.0, n) if weighted else None
    rows = gather(data.y, data.X, data.terms, w)
    cp = sum_rows(rows, data.terms)
    theta = random_theta(data.terms, seed)
    point = evaluate(cp, plan(cp), roots_of(cp, theta), reml=True)
    found = estimate(cp, plan(cp), data.terms, reml=True, start=theta, max_steps=0)
    parts = leverage(replace(found, evaluation=point), rows)
    dense = Dense(data, cp, theta, True)
    root = np.ones(n) if w is None else np.sqrt(w)
    V = (dense.V - np.eye(n)) * np.outer(root, root) + np.eye(n)
    X, V_inv = data.X * root[:, None], np.linalg.inv(V)
    P = V_inv - V_inv @ X @ np.linalg.solve(X.T @ V_inv @ X, X.T @ V_inv) if p else V_inv
    assert parts.total == pytest.approx(1 - np.diag(P), abs=DENSE_TOL)
    assert parts.given_fixed == pytest.approx(1 - np.diag(V_inv), abs=DENSE_TOL)


def test_fitted_values_move_with_their_outcome_by_the_leverage() -> None:
    """h_i = ∂ŷ_i/∂y_i at fixed variances: the definition itself, by adding one to an outcome."""
    data = datasets.load("sleepstudy")
    model = MixedLM.from_formula("Reaction ~ Days", data, re_formula="Days", groups="Subject")
    r = model.fit()
    for i in (0, 57):
        moved = data.assign(Reaction=data["Reaction"] + (np.arange(180) == i))
        other = MixedLM.from_formula("Reaction ~ Days", moved, re_formula="Days", groups="Subject")
        cp, layout = other._products
        point = evaluate(cp, layout, roots_of(cp, r._estimate.optimum.theta), reml=True)
        user = UserUnits(replace(r._estimate, evaluation=point), other._rows)
        fitted = moved["Reaction"].to_numpy() - user.marginal_resid + user.random_part
        assert fitted[i] - r.fittedvalues.iloc[i] == pytest.approx(r.leverage().iloc[i], rel=1e-9)


def test_its_sum_lies_between_the_numbers_of_coefficients() -> None:
    """p at least, p + mq at most; p exactly where the random effects have no variance."""
    r = mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load("sleepstudy")).fit()
    assert 2 < r.leverage().sum() < 2 + 36
    flat = mixedlm("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff2")).fit()
    assert flat.leverage().to_numpy() == pytest.approx(np.full(30, 1 / 30))


# -- edges -------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(5)
G = np.repeat(np.arange(12), 5)
DATA = pd.DataFrame(
    {
        "x": RNG.normal(size=60),
        "g": G,
        "h": np.tile(np.arange(5), 12),
        "half": np.tile([0, 0, 0, 1, 1], 12),
        "w": RNG.uniform(0.5, 2.0, 60),
        "z": RNG.normal(size=60),
    }
)
DATA["y"] = 1 + DATA["x"] + RNG.normal(size=12)[G] + RNG.normal(size=60)
EDGES: dict[str, dict[str, Any]] = {
    "seed": {"formula": "y ~ x", "groups": "g", "re_formula": "x"},
    "component": {"formula": "y ~ x", "groups": "g", "re_formula": "1", "vc_formula": {"x": "0 + x"}},
    "crossed": {"formula": "y ~ x + (1 | g) + (1 | h)"},
    "nested": {"formula": "y ~ x + (1 | g / half)"},
    "one fixed effect": {"formula": "y ~ 1 + (1 | g)"},
    "no intercept": {"formula": "y ~ 0 + x + (1 | g)"},
    "weights and offset": {"formula": "y ~ x + (x | g)", "weights": "w", "offset": "z"},
    "aliased": {"formula": "y ~ x + I(2 * x) + (1 | g)"},
}


@pytest.mark.parametrize("how", EDGES.values(), ids=EDGES)
def test_a_row_deleted_at_fixed_variances_moves_beta_as_its_leverage_says(how: dict[str, Any]) -> None:
    """e_i/(1 − h_i) is the residual of a row from the fit without it: here by GLS on the other rows."""
    r = mixedlm(data=DATA, **how).fit()
    V, X, y = dense_of(r)
    i, keep = 7, np.arange(60) != 7
    A = np.linalg.solve(V[np.ix_(keep, keep)], np.column_stack([X[keep], V[keep, i]]))
    beta = np.linalg.solve(X[keep].T @ A[:, :-1], A[:, :-1].T @ y[keep])
    expected = y[i] - X[i] @ beta - A[:, -1] @ (y[keep] - X[keep] @ beta)
    assert r.resid.iloc[i] / (1 - r.leverage().iloc[i]) == pytest.approx(expected, rel=1e-8)


def dense_of(r: MixedLMResults) -> tuple[Floats, Floats, Floats]:
    """V over σ² (n, n), X (n, p) without aliased columns, and the outcome less the offset."""
    w = r.model.weights
    V = np.eye(60) if w is None else np.diag(1 / w)
    for t, term in enumerate(r.model.design.terms):
        for block in term.blocks:
            same = block.codes[:, None] == block.codes
            psi = r._user.psi(t) * np.eye(block.width) if len(r._user.psi(t)) == 1 else r._user.psi(t)
            V = V + (block.basis @ psi @ block.basis.T) * same
    return V, r.model.exog[:, r._user.kept], r.model.design.response


def test_no_fixed_effects() -> None:
    """The leverage is that of the random effects; nothing to measure the change of β against."""
    r = mixedlm("y ~ 0 + (1 | g)", DATA).fit()
    assert r.leverage().to_numpy() == pytest.approx(1 - np.diag(np.linalg.inv(dense_of(r)[0])))
    assert r.augment()["cooks_distance"].isna().all()


def test_a_row_that_determines_its_own_fit() -> None:
    """A fixed effect of one row: h = 1, residual 0, and neither can be divided by 1 − h."""
    r = mixedlm("y ~ x + I(1.0 * (z == z.max())) + (1 | g)", DATA).fit()
    own = DATA["z"].idxmax()
    table = r.augment()
    assert table.loc[own, "leverage"] == pytest.approx(1)
    assert np.isnan(table.loc[own, "cooks_distance"])
    assert np.isnan(r.residuals("studentised")[own])
    assert table["cooks_distance"].isna().sum() == 1


def test_models_from_arrays() -> None:
    X = np.column_stack([np.ones(60), DATA["x"]])
    arrays = MixedLM(DATA["y"].to_numpy(), X, DATA["g"].to_numpy()).fit()
    formula = mixedlm("y ~ x", DATA, groups="g").fit()
    assert arrays.augment()["leverage"].to_numpy() == pytest.approx(formula.leverage().to_numpy())


def test_kinds_of_residuals() -> None:
    r = mixedlm("y ~ x + (x | g)", DATA, weights="w", offset="z").fit()
    root = np.sqrt(DATA["w"].to_numpy())
    marginal = r.residuals("marginal").to_numpy()
    assert marginal == pytest.approx(DATA["y"] - DATA["z"] - r.model.exog @ r.fe_params.to_numpy())
    assert r.residuals().to_numpy() == pytest.approx(r.resid.to_numpy())
    assert r.residuals("pearson").to_numpy() == pytest.approx(r.resid.to_numpy() * root)
    assert r.residuals("standardised").to_numpy() == pytest.approx(r.augment()["resid_std"].to_numpy())
    with pytest.raises(MixedCoreError, match="'conditional', 'marginal'"):
        r.residuals("deviance")  # type: ignore[arg-type]


def test_studentised_residuals_vary_alike() -> None:
    """Over outcomes drawn from the model their variance is one in every row, whatever the leverage."""
    r = mixedlm("y ~ x + (x | g)", DATA).fit()
    V, X, _ = dense_of(r)
    V_inv = np.linalg.inv(V)
    P = V_inv - V_inv @ X @ np.linalg.solve(X.T @ V_inv @ X, X.T @ V_inv)
    scale = np.sqrt(1 - r.leverage().to_numpy())  # P is both: e = Py, and Cov(e) = σ²PVP = σ²P
    draws = np.linalg.cholesky(V) @ np.random.default_rng(0).normal(size=(60, 20_000))
    assert np.std(P @ draws / scale[:, None], axis=1) == pytest.approx(np.ones(60), abs=0.025)


@pytest.mark.parametrize(
    "how",
    [{"formula": "y ~ x + (x | g)"}, {"formula": "y ~ x", "groups": "g", "re_formula": "x"}],
    ids=["bars", "seed"],
)
def test_new_data_come_back_with_their_predictions(how: dict[str, Any]) -> None:
    """Old rows as `augment()` has them, whatever their labels; a new level at the population's value."""
    r = mixedlm(data=DATA, **how).fit()
    old, again = r.augment(), r.augment(DATA.set_index(np.zeros(60, dtype=int)))
    for name in ("fitted", "fitted_fixed"):
        assert again[name].to_numpy() == pytest.approx(old[name].to_numpy())
    new = r.augment(pd.DataFrame({"x": [1.0, np.nan, 2.0], "g": [0, 1, 99]}))
    assert new["fitted"].isna().tolist() == [False, True, False]
    assert new["fitted"].iloc[2] == pytest.approx(r.fe_params @ [1.0, 2.0])
    assert new["fitted_fixed"].iloc[0] == pytest.approx(r.fe_params.sum())
