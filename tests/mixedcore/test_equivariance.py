"""The same fit in its own units: y × 10^k, x × 10^k, x + 10^k; and relabelled, reordered, rewritten.

With x' = cx + s the coefficients of (1, x) become A b, A = [[1, −s/c], [0, 1/c]]; covariances A Ψ A'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, mixedlm

# Searches in equivalent units end within 5e-6 standard errors of the optimum: the criterion and β depend on
# the variances to second order, the rest to first.
SAME = 1e-5
SAME_CRITERION = 1e-7
# x + 10^6 has lost six of its own digits before a fit sees it.
SHIFTED_CRITERION = 1e-6

POWERS = range(-6, 7)
MODELS = {
    "slope": "y ~ x + (x | g)",
    "a correlation of one": "flat ~ x + (x | g)",
    "no variance": "noise ~ x + (1 | g) + (1 | b)",
    "crossed": "y ~ x + (x | g) + (1 | b)",
    "nested": "y ~ x + (x | g) + (1 | g:room)",
}
SINGULAR = {"a correlation of one", "no variance"}
OUTCOMES = ["y", "flat", "noise"]


@cache
def frame() -> pd.DataFrame:
    """240 rows: 12 groups g with 3 rooms each, crossed with 8 levels b; three outcomes."""
    rng = np.random.default_rng(8)
    n = 240
    g, room, b, x = np.arange(n) % 12, rng.integers(0, 3, n), rng.integers(0, 8, n), rng.normal(size=n)
    u, v, w, e = rng.normal(size=(12, 2)), rng.normal(size=(12, 3)), rng.normal(size=8), rng.normal(size=n)
    y = 2 + x + u[g, 0] + 0.7 * u[g, 1] * x + 0.8 * v[g, room] + 0.6 * w[b] + e
    flat = 2 + x + u[g, 0] * (1 + 0.5 * x) + e
    noise = e - pd.Series(e).groupby(g).transform("mean") - 0.3 * pd.Series(e).groupby(b).transform("mean")
    return pd.DataFrame({"y": y, "flat": flat, "noise": noise, "x": x, "g": g, "room": room, "b": b})


@cache
def original(model: str) -> MixedLMResults:
    return mixedlm(MODELS[model], frame()).fit()


@dataclass(frozen=True)
class Units:
    """y' = y · outcome, x' = x · factor + shift."""

    outcome: float = 1.0
    factor: float = 1.0
    shift: float = 0.0

    def data(self) -> pd.DataFrame:
        changed = {name: frame()[name] * self.outcome for name in OUTCOMES}
        return frame().assign(x=frame()["x"] * self.factor + self.shift, **changed)

    def change(self, q: int) -> np.ndarray:
        """A, (q, q), of the coefficients of 1 or (1, x)."""
        A = np.array([[1.0, -self.shift / self.factor], [0.0, 1 / self.factor]])
        return self.outcome * A[:q, :q]

    def criterion(self, expected: MixedLMResults) -> float:
        return expected.criterion + 2 * np.log(self.factor) + 2 * expected.df_resid * np.log(self.outcome)


def covariances(result: MixedLMResults) -> dict[str, np.ndarray]:
    """Covariance of the effects of every bar term, in the user's units."""
    table, out = result.tidy("random"), {}
    for name, rows in table[table["group"] != "Residual"].groupby("group"):
        terms = list(dict.fromkeys(rows["term"]))
        psi = np.zeros((len(terms), len(terms)))
        for row in rows[rows["scale"].isin(["variance", "covariance"])].itertuples():
            i = terms.index(row.term)
            j = i if row.scale == "variance" else terms.index(row.term2)
            psi[i, j] = psi[j, i] = row.estimate
        out[str(name)] = psi
    return out


def verdict(result: MixedLMResults) -> tuple[bool, bool, list[str]]:
    """Converged, singular, findings; but the sign of a correlation depends on where x has its zero."""
    # A finding about units is the one that may come and go with them.
    titles = (f.title.replace("−1", "+1") for f in result.diagnose() if f.kind != "badly_scaled")
    return result.converged, result.singular, sorted(titles)


def close(found: np.ndarray, expected: np.ndarray, sizes: np.ndarray) -> None:
    """Equal beside the sizes of what they are sums of."""
    assert np.abs(np.asarray(found) - expected) / sizes == pytest.approx(
        np.zeros(np.shape(expected)), abs=SAME
    )


def same_in_units(found: MixedLMResults, model: str, units: Units) -> None:
    expected, tolerance = original(model), SHIFTED_CRITERION if units.shift else SAME_CRITERION
    assert found.criterion == pytest.approx(units.criterion(expected), abs=tolerance)
    assert verdict(found) == verdict(expected)
    A = units.change(2)
    error = np.sqrt(np.diag(A @ expected.cov_params().to_numpy()[:2, :2] @ A.T))
    close(found.fe_params.to_numpy(), A @ expected.fe_params.to_numpy(), error)
    close(found.bse_fe.to_numpy(), error, error)
    assert found.sigma == pytest.approx(units.outcome * expected.sigma, rel=SAME)
    assert np.isfinite(found.bse_re).all()
    close(found.resid.to_numpy(), units.outcome * expected.resid.to_numpy(), np.array(found.sigma))
    for name, psi in covariances(found).items():
        own = units.change(len(psi))
        theirs = own @ covariances(expected)[name] @ own.T
        sds = np.sqrt(np.diag(theirs)) + 1e-3 * np.diag(np.abs(own)) * expected.sigma
        close(psi, theirs, np.outer(sds, sds))
        modes = expected.random_effects[name].to_numpy() @ own.T
        close(found.random_effects[name].to_numpy(), modes, sds)


each_model = pytest.mark.parametrize("model", MODELS)
each_power = pytest.mark.parametrize("k", POWERS)


@each_model
def test_the_models_are_what_they_are_called(model: str) -> None:
    assert original(model).converged
    assert original(model).singular == (model in SINGULAR)


@each_model
@each_power
def test_units_of_the_outcome(model: str, k: int) -> None:
    units = Units(outcome=10.0**k)
    same_in_units(found := mixedlm(MODELS[model], units.data()).fit(), model, units)
    expected = original(model).bse_re.to_numpy() * units.outcome**2
    close(found.bse_re.to_numpy(), expected, 10 * expected)


@each_model
@each_power
def test_units_of_a_predictor(model: str, k: int) -> None:
    units = Units(factor=10.0**k)
    same_in_units(mixedlm(MODELS[model], units.data()).fit(), model, units)


@each_model
@each_power
def test_origin_of_a_predictor(model: str, k: int) -> None:
    units = Units(shift=10.0**k)
    same_in_units(mixedlm(MODELS[model], units.data()).fit(), model, units)


def relabelled(data: pd.DataFrame) -> pd.DataFrame:
    """Groups under names whose order is another."""
    names = np.random.default_rng(1).permutation(100)
    return data.assign(
        **{column: [f"unit {names[i]}" for i in data[column]] for column in ("g", "room", "b")}
    )


def reordered(data: pd.DataFrame) -> pd.DataFrame:
    return data.sample(frac=1.0, random_state=3)


@each_model
@pytest.mark.parametrize("change", [relabelled, reordered], ids=["labels", "rows"])
def test_labels_and_rows(model: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    found, expected = mixedlm(MODELS[model], change(frame())).fit(), original(model)
    same_numbers(found, expected)
    assert found.resid.sort_index().to_numpy() == pytest.approx(expected.resid.to_numpy(), abs=SAME)


REWRITTEN = {
    "bars first": ("y ~ (1 | b) + (x | g) + x", "crossed"),
    "bars in another order": ("y ~ x + (1 | b) + (x | g)", "crossed"),
    "effects in another order": ("y ~ x + (0 + x + I(x ** 0) | g)", "slope"),
    "nested the other way about": ("y ~ x + (1 | room:g) + (x | g)", "nested"),
    "singular": ("noise ~ x + (1 | b) + (1 | g)", "no variance"),
}


@pytest.mark.parametrize(("formula", "model"), REWRITTEN.values(), ids=REWRITTEN)
def test_order_of_terms(formula: str, model: str) -> None:
    found, expected = mixedlm(formula, frame()).fit(), original(model)
    assert found.criterion == pytest.approx(expected.criterion, abs=SAME_CRITERION)
    assert (found.converged, found.singular) == (expected.converged, expected.singular)
    assert [f.kind for f in found.diagnose()] == [f.kind for f in expected.diagnose()]
    assert found.fe_params.sort_index().to_numpy() == pytest.approx(
        expected.fe_params.sort_index().to_numpy(), rel=SAME
    )
    assert found.resid.to_numpy() == pytest.approx(expected.resid.to_numpy(), abs=SAME)


def same_numbers(found: MixedLMResults, expected: MixedLMResults) -> None:
    assert found.criterion == pytest.approx(expected.criterion, abs=SAME_CRITERION)
    assert verdict(found) == verdict(expected)
    assert found.params.to_numpy() == pytest.approx(expected.params.to_numpy(), rel=SAME, abs=SAME)
    assert found.bse.to_numpy() == pytest.approx(expected.bse.to_numpy(), rel=10 * SAME, abs=SAME)
    for name, modes in expected.random_effects.items():
        theirs = np.sort(found.random_effects[name].to_numpy(), axis=0)
        assert theirs == pytest.approx(np.sort(modes.to_numpy(), axis=0), abs=SAME)


def test_order_of_fixed_effects() -> None:
    more = frame().assign(z=np.cos(np.arange(240)))
    one, other = (mixedlm(f"y ~ {fixed} + (x | g)", more).fit() for fixed in ("x + z", "z + x"))
    assert one.criterion == pytest.approx(other.criterion, abs=SAME_CRITERION)
    pd.testing.assert_series_equal(one.fe_params.sort_index(), other.fe_params.sort_index(), rtol=SAME)
    pd.testing.assert_series_equal(one.bse_fe.sort_index(), other.bse_fe.sort_index(), rtol=SAME)
    assert verdict(one) == verdict(other)
