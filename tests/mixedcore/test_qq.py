"""Q–Q plots: exact order statistics, coverage of the envelopes, and modes over their SDs under the model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import MixedCoreError, datasets, mixedlm
from mixedcore.diagnostics.qq import local_level, quantiles, standardised_modes
from mixedcore.group_effects import coefficients
from tests.mixedcore.streams import chunked

SLEEP = datasets.load("sleepstudy")
SLOPES = "Reaction ~ Days + (Days | Subject)"


def test_limits_are_quantiles_of_order_statistics() -> None:
    """R 4.2.2: qnorm(qbeta(c(0.025, 0.5, 0.975), i, 11 - i)) for i = 1, 5, 10."""
    _, table = quantiles(np.random.default_rng(0).normal(size=10), 0.95, "pointwise", 0, None)
    rows = table[["low", "theoretical", "high"]].to_numpy()[[0, 4, 9]]
    expected = [
        [-2.803370283, -1.498767275, -0.500114843],
        [-0.888685629, -0.121382203, 0.636031098],
        [0.500114843, 1.498767275, 2.803370283],
    ]
    assert rows == pytest.approx(np.array(expected), abs=1e-8)
    by_scipy = stats.norm.ppf(stats.beta.ppf(0.025, np.arange(1, 11), 10 - np.arange(10)))
    assert table["low"].to_numpy() == pytest.approx(by_scipy)


@pytest.mark.parametrize("size", [5, 40])
def test_pointwise_limits_hold_each_point(size: int) -> None:
    draws = np.sort(np.random.default_rng(1).normal(size=(20_000, size)), axis=1)
    _, table = quantiles(draws[0], 0.9, "pointwise", 0, None)
    inside = (draws > table["low"].to_numpy()) & (draws < table["high"].to_numpy())
    assert inside.mean(axis=0) == pytest.approx(np.full(size, 0.9), abs=0.01)


@pytest.mark.parametrize("size", [5, 40])
def test_simultaneous_limits_hold_all_points(size: int) -> None:
    draws = np.sort(np.random.default_rng(1).normal(size=(20_000, size)), axis=1)
    _, table = quantiles(draws[0], 0.9, "simultaneous", 20_000, 2)
    inside = (draws > table["low"].to_numpy()) & (draws < table["high"].to_numpy())
    assert inside.all(axis=1).mean() == pytest.approx(0.9, abs=0.01)
    assert not (inside.mean(axis=0) < 0.9).any()


def test_a_seed_gives_the_same_band() -> None:
    assert local_level(30, 0.05, 500, 3) == local_level(30, 0.05, 500, 3)
    assert local_level(30, 0.05, 500, 3) != local_level(30, 0.05, 500, 4)


def test_residuals_keep_their_rows() -> None:
    r = mixedlm(SLOPES, SLEEP).fit()
    table = r.qq()
    assert list(table) == ["theoretical", "sample", "low", "high"]
    studentised = r.residuals("studentised")
    assert table["sample"].to_numpy() == pytest.approx(studentised.loc[table.index].to_numpy())
    assert table["sample"].is_monotonic_increasing
    # Two rows of sleepstudy are known to lie far out; their places are the ends.
    assert sorted(table.index[(table["sample"] < table["low"]) & (table["sample"] < -3)]) == [7, 59]


def test_modes_are_over_their_sds_under_the_model() -> None:
    """Var(b̂) = σ²ΨZ'PZΨ by dense algebra, on an unbalanced part of the data."""
    data = SLEEP.drop(index=[3, 4, 5, 22, 23, 57, 90, 91, 92, 93])
    r = mixedlm(SLOPES, data).fit()
    term, psi = r.model.design.terms[0], r._user.psi(0)
    block, n = term.blocks[0], len(data)
    Z = np.zeros((n, 36))
    for j in range(2):
        Z[np.arange(n), 2 * block.codes + j] = block.basis[:, j]
    Psi = np.kron(np.eye(18), psi)
    V_inv = np.linalg.inv(Z @ Psi @ Z.T + np.eye(n))
    X = r.model.exog
    P = V_inv - V_inv @ X @ np.linalg.solve(X.T @ V_inv @ X, X.T @ V_inv)
    variance = np.diag(Psi @ Z.T @ P @ Z @ Psi) * r.scale
    expected = coefficients(r._user)["mode"].to_numpy() / np.sqrt(variance)
    assert standardised_modes(r._user) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    "how",
    [
        {"formula": "strength ~ 1 + (1 | batch / cask)"},
        {
            "formula": "strength ~ 1",
            "groups": "batch",
            "re_formula": "1",
            "vc_formula": {"batch:cask": "0 + C(cask)"},
        },
    ],
    ids=["bars", "seed"],
)
def test_both_notations(how: dict[str, object]) -> None:
    r = mixedlm(data=datasets.load("Pastes"), **how).fit()  # type: ignore[arg-type]
    table = r.qq("batch:cask")
    assert list(table) == ["term", "level", "theoretical", "sample", "low", "high"]
    assert len(table) == 30
    blups = r.tidy("blups").set_index(["group", "level"])["estimate"]
    by_level = table.set_index("level")["sample"]
    assert (np.sign(by_level) == np.sign(blups.loc["batch:cask"].reindex(by_level.index))).all()


def test_slopes_have_their_own_rows() -> None:
    table = mixedlm(SLOPES, SLEEP).fit().qq("Subject")
    assert table["term"].value_counts().to_dict() == {"Intercept": 18, "Days": 18}
    for _, own in table.groupby("term"):
        assert own["sample"].is_monotonic_increasing
        assert own["sample"].std() == pytest.approx(1, abs=0.15)


def test_an_effect_without_variance_is_left_out_beside_one_that_has_some() -> None:
    data = pd.DataFrame({"g": np.repeat(np.arange(12), 6), "x": np.tile(np.arange(6.0), 12)})
    rng = np.random.default_rng(3)
    data["y"] = 2 * rng.normal(size=12)[data["g"]] + rng.normal(size=72)
    r = mixedlm("y ~ x + (x || g)", data).fit()
    assert r.singular
    assert list(r.qq("g")["term"].unique()) == ["Intercept"]


def refused() -> dict[str, tuple[object, str]]:
    r = mixedlm(SLOPES, SLEEP).fit()
    flat = mixedlm("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff2")).fit()
    return {
        "factor": (lambda: r.qq("Days"), "'resid' or one of 'Subject'"),
        "band": (lambda: r.qq(band="both"), "'pointwise' or 'simultaneous'"),  # type: ignore[arg-type]
        "level": (lambda: r.qq(level=95), "0.95"),
        "draws": (lambda: r.qq(band="simultaneous", n=10), "n=10 draws"),
        "no variance": (lambda: flat.qq("Batch"), "3 values that vary, and there are 0"),
        "rows": (
            lambda: mixedlm("Reaction ~ Days + (1 | Subject)", chunked(pd.DataFrame(SLEEP), 60)).fit().qq(),
            "not kept",
        ),
    }


REFUSED = refused()


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drawn_says_why(case: str) -> None:
    call, message = REFUSED[case]
    with pytest.raises(MixedCoreError, match=message):
        call()  # type: ignore[operator]
