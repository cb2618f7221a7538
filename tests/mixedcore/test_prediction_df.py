"""Degrees of freedom of prediction intervals: closed forms of balanced data, dense algebra, two routes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedcore import MixedLM, MixedLMParams, MixedLMResults, datasets, mixedlm
from mixedcore.effects import prediction
from mixedcore.errors import ModelError
from mixedcore.terms import Floats
from tests.mixedcore import test_predict
from tests.mixedcore.streams import chunked
from tests.mixedcore.test_predict import every_model, subsets

M, N = 7, 5


def balanced() -> pd.DataFrame:
    """M groups of N rows, whose means vary more than chance alone makes them."""
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(M), N)
    return pd.DataFrame({"g": g, "y": 3 + 2 * rng.normal(size=M)[g] + rng.normal(size=M * N)})


def mean_squares(data: pd.DataFrame) -> tuple[float, float]:
    """Between and within groups, with M − 1 and M(N − 1) degrees of freedom."""
    means = data.groupby("g")["y"].transform("mean")
    return (
        float(((means - data["y"].mean()) ** 2).sum() / (M - 1)),
        float(((data["y"] - means) ** 2).sum() / (M * (N - 1))),
    )


def of_squares(v: float, by_a: float, by_e: float, A: float, E: float) -> float:
    """Satterthwaite's (1946) formula for v with the derivatives ∂v/∂A and ∂v/∂E."""
    return v**2 / ((by_a * A) ** 2 / (M - 1) + (by_e * E) ** 2 / (M * (N - 1)))


def test_balanced_groups_have_closed_forms() -> None:
    data = balanced()
    r, (A, E) = mixedlm("y ~ 1 + (1 | g)", data).fit(), mean_squares(data)
    shrunk = (1 - 1 / M) * E**2 / (N * A)  # what the known mean of a group loses by knowing the others'
    cases: dict[tuple[str, Any], tuple[float, float, float]] = {
        ("none", "confidence"): (A / (M * N), 1 / (M * N), 0.0),
        ("none", "prediction"): ((1 + 1 / M) * A / N + (1 - 1 / N) * E, (1 + 1 / M) / N, 1 - 1 / N),
        ("all", "confidence"): (E / N - shrunk, shrunk / A, 1 / N - 2 * shrunk / E),
        ("all", "prediction"): (E + E / N - shrunk, shrunk / A, 1 + 1 / N - 2 * shrunk / E),
    }
    for (random, interval), (v, by_a, by_e) in cases.items():
        found = r.predict(random=random, interval=interval, ddf="satterthwaite", level=0.9)
        df = of_squares(v, by_a, by_e, A, E)
        np.testing.assert_allclose(found["std_error"], np.sqrt(v), rtol=1e-6)
        np.testing.assert_allclose(found["df"], df, rtol=1e-5)
        half = stats.t.ppf(0.95, df) * np.sqrt(v)
        np.testing.assert_allclose(found["conf_high"] - found["fit"], half, rtol=1e-5)
        np.testing.assert_allclose(found["fit"] - found["conf_low"], half, rtol=1e-5)
        assert list(found) == ["fit", "std_error", "df", "conf_low", "conf_high"]


@every_model
def test_two_routes_to_the_slopes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows: every level's share in each. Many: differences of the variance itself."""
    r, rows = test_predict.fit(name), test_predict.DATA.iloc[:30]
    for random in subsets(r):
        for interval in ("confidence", "prediction"):
            few = r.predict(rows, random=random, interval=interval, ddf="satterthwaite")
            with monkeypatch.context() as patch:
                patch.setattr(prediction, "CELLS", 30)
                many = r.predict(rows, random=random, interval=interval, ddf="satterthwaite")
            pd.testing.assert_frame_equal(few, many, rtol=1e-8)


def test_population_means_have_the_degrees_of_freedom_of_contrasts() -> None:
    r = test_predict.fit("three crossed")
    means = r.marginal_means("text", at={"x": 0.7})
    new = pd.DataFrame({"text": means["text"].astype(str), "x": 0.7})
    found = r.predict(new, interval="confidence", ddf="satterthwaite")
    np.testing.assert_allclose(found, means[["estimate", "std_error", "df", "conf_low", "conf_high"]])


def dense_variance(r: MixedLMResults, psi: Floats, sigma2: float, x: Floats, z: Floats) -> float:
    """σ²(z'Hz + d'Md) of one row by n × n algebra, for a random intercept and slope with σ²ψ = `psi`."""
    block = r.model.design.terms[0].blocks[0]
    Z = test_predict.indicator(block)
    G = np.kron(np.eye(block.n_levels), [[psi[0], psi[1]], [psi[1], psi[2]]])
    X = r.model.design.X
    V_inv = np.linalg.inv(Z @ G @ Z.T + sigma2 * np.eye(len(X)))
    H = G - G @ Z.T @ V_inv @ Z @ G
    d = x - z @ G @ Z.T @ V_inv @ X
    return float(z @ H @ z + d @ np.linalg.solve(X.T @ V_inv @ X, d))


def test_a_slope_against_dense_algebra() -> None:
    data = datasets.load("sleepstudy")
    r = mixedlm("Reaction ~ Days + (Days | Subject)", data).fit()
    at = np.append(r._user.ratios * r.scale, r.scale)
    for row in (0, 57, 179):
        x = r.model.design.X[row]
        z = test_predict.indicator(r.model.design.terms[0].blocks[0])[row]
        steps = np.diag(1e-4 * np.abs(at))
        up, down = (
            [dense_variance(r, (at + s * h)[:3], (at + s * h)[3], x, z) for h in steps] for s in (1, -1)
        )
        slopes = (np.array(up) - down) / (2 * np.diag(steps))
        v = dense_variance(r, at[:3], at[3], x, z)
        df = 2 * v**2 / (slopes @ r._information.cov_variances @ slopes)
        found = r.predict(data.iloc[[row]], random="all", interval="confidence", ddf="satterthwaite")
        assert found["std_error"].item() ** 2 == pytest.approx(v, rel=1e-9)
        assert found["df"].item() == pytest.approx(df, rel=1e-6)


def test_units_and_order_do_not_matter() -> None:
    data = test_predict.DATA
    own = mixedlm("y ~ x + (x | school)", data).fit()
    other = data.assign(y=1000 * data["y"] - 7, x=data["x"] / 50).iloc[::-1]
    moved = mixedlm("y ~ x + (x | school)", other).fit()
    for interval in ("confidence", "prediction"):
        found = moved.predict(random="all", interval=interval, ddf="satterthwaite")["df"]
        expected = own.predict(random="all", interval=interval, ddf="satterthwaite")["df"]
        np.testing.assert_allclose(found.iloc[::-1], expected, rtol=1e-4)  # two searches, each to its optimum


def test_a_variance_of_zero_counts_as_known() -> None:
    r = test_predict.fit("singular")
    assert r.singular
    found = r.predict(random="all", interval="confidence", ddf="satterthwaite")
    assert (found["df"] > 1).all()
    assert np.isfinite(found).all(axis=None)


def test_rows_that_were_not_kept() -> None:
    formula, data = "y ~ x + (x | school) + (1 | school:room)", test_predict.DATA
    streamed, whole = (mixedlm(formula, table).fit() for table in (chunked(data, 100), data))
    found, expected = (
        r.predict(data.iloc[:9], random="all", interval="prediction", ddf="satterthwaite")
        for r in (streamed, whole)
    )
    pd.testing.assert_frame_equal(found, expected, rtol=1e-4)


def test_fixed_effects_that_were_held_have_no_error() -> None:
    data = datasets.load("sleepstudy")
    model = MixedLM.from_formula("Reaction ~ Days", data, groups="Subject", re_formula="Days")
    free = MixedLMParams.from_components(fe_params=np.array([0.0, 1.0]), cov_re=np.ones((2, 2)))
    r = model.fit(free=free)
    for random in ("none", "all"):
        days = pd.DataFrame({"Days": [0.0, 2.0], "Subject": -1})
        found = r.predict(days, random=random, interval="confidence", ddf="satterthwaite")
        own = [0.0, 2 * r.bse_fe["Days"]]
        variances = r.scale * np.array([r.cov_re_unscaled.iloc[0, 0], 0.0])
        if random == "none":
            np.testing.assert_allclose(found["std_error"], own, atol=1e-9)
        else:  # a subject not seen adds its own variance
            assert found["std_error"][0] ** 2 == pytest.approx(variances[0], rel=1e-9)
            assert found["df"][0] > 1


def test_what_has_no_error_has_an_interval_without_width() -> None:
    found = test_predict.fit("no fixed effects").predict(interval="confidence", ddf="satterthwaite")
    assert (found["conf_low"] == found["fit"]).all()
    assert (found["conf_high"] == found["fit"]).all()
    assert np.isinf(found["df"]).all()


def test_other_degrees_of_freedom_are_refused() -> None:
    with pytest.raises(ModelError, match="'satterthwaite'"):
        test_predict.fit("slope").predict(interval="confidence", ddf="kenward-roger")  # type: ignore[arg-type]
