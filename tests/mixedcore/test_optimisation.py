"""result.optimisation: the path in the user's θ, derivatives, boundary, flat directions, and findings."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.engine.chart import factor_of
from mixedcore.engine.criterion import evaluate, roots_of
from mixedcore.engine.estimate import Estimate, estimate
from mixedcore.engine.optimise import DECREMENT_TOL, HIDDEN
from mixedcore.terms import Floats
from tests.mixedcore.dense_algebra import indicator

SLEEP = datasets.load("sleepstudy")
SLOPE = "Reaction ~ Days + (Days | Subject)"


def fit(formula: str, data: pd.DataFrame = SLEEP, **kwargs: Any) -> MixedLMResults:
    return mixedlm(formula, data, **kwargs).fit()


SOUND: dict[str, tuple[str, pd.DataFrame]] = {
    "slope": (SLOPE, SLEEP),
    "a predictor near a million": (SLOPE, SLEEP.assign(Days=1e6 + SLEEP["Days"])),
    "a predictor in millionths": (SLOPE, SLEEP.assign(Days=1e-6 * SLEEP["Days"])),
    "an outcome in millions": (SLOPE, SLEEP.assign(Reaction=1e6 * SLEEP["Reaction"])),
    "three groups": ("Reaction ~ Days + (1 | Subject)", SLEEP[:30]),
    "uncorrelated": ("Reaction ~ Days + (Days || Subject)", SLEEP),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", datasets.load("Penicillin")),
    "large variances": (
        "y ~ 1 + (1 | Subject)",
        SLEEP.assign(y=100 * SLEEP["Subject"].cat.codes + SLEEP["Reaction"] / 100),
    ),
}
sound = pytest.mark.parametrize(("formula", "data"), SOUND.values(), ids=SOUND)


def dense_criterion(result: MixedLMResults, theta: Floats) -> float:
    """REML criterion at the user's θ from V = I + ZΛΛ'Z', (n, n)."""
    model, at = result.model, 0
    V = np.eye(model.nobs)
    for term in model.design.terms:
        (b,) = term.blocks
        k = b.width * (b.width + 1) // 2 if term.structure == "full" else b.width
        T = factor_of(term, theta[at : at + k])
        V += indicator(b) @ np.kron(np.eye(b.n_levels), T @ T.T) @ indicator(b).T
        at += k
    X, y = model.exog, model.endog
    VX = np.linalg.solve(V, X)
    beta = np.linalg.solve(X.T @ VX, VX.T @ y)
    r, df = y - X @ beta, len(y) - X.shape[1]
    logdet = np.linalg.slogdet(V).logabsdet + np.linalg.slogdet(X.T @ VX).logabsdet
    return float(logdet + df * (1 + np.log(2 * np.pi * r @ np.linalg.solve(V, r) / df)))


@pytest.mark.parametrize("name", ["slope", "uncorrelated", "crossed", "three groups"])
def test_the_path_is_in_the_users_units(name: str) -> None:
    """The criterion of each row is that of its θ by dense algebra."""
    result = fit(*SOUND[name])
    path = result.optimisation.path
    for criterion, *theta in path.itertuples(index=False):
        assert dense_criterion(result, np.array(theta)) == pytest.approx(criterion, rel=1e-9)
    assert (np.diff(path["criterion"]) < 1e-8).all()
    assert path["criterion"].iloc[-1] == result.criterion == result.optimisation.criterion
    assert path.iloc[-1, 1:].to_numpy() == pytest.approx(result.theta, abs=0)
    assert path.iloc[0, 1:].to_numpy() != pytest.approx(result.theta, rel=1e-3)
    assert len(path) <= result.optimisation.evaluations


def test_theta_has_names() -> None:
    assert fit(SLOPE).optimisation.names == ("Subject", "Subject.Days.Intercept", "Subject.Days")
    classes = datasets.load("classrooms")
    components = {"room": "0 + C(classroom)", "slope": "0 + C(classroom):pretest"}
    model = mixedlm("test_score ~ age + pretest", classes, "1", components, groups="school")
    result = model.fit()
    assert result.optimisation.names == ("school", "room", "slope")
    assert result.optimisation.theta.tolist() == result.theta.tolist()
    assert result.theta[1:] == pytest.approx(np.sqrt(result.vcomp / result.scale))


@sound
def test_a_sound_fit_says_so(formula: str, data: pd.DataFrame) -> None:
    result = fit(formula, data)
    found = result.optimisation
    assert found.converged
    assert found.decrement < max(DECREMENT_TOL, HIDDEN * found.criterion)
    assert found.gradient_norm < 1e-4
    assert found.hessian_eigenvalues.min() > 0
    assert found.boundary == ()
    assert found.flat == ()
    assert not {"not_converged", "saddle", "undetermined", "singular"} & {f.kind for f in result.diagnose()}


@pytest.mark.parametrize(
    ("formula", "data"),
    [SOUND["slope"], SOUND["crossed"], ("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff2"))],
)
def test_eigenvalues_are_those_of_differences_of_the_criterion(formula: str, data: pd.DataFrame) -> None:
    """By second differences of the criterion itself in the engine's θ; the result's are from its gradient."""
    result = fit(formula, data)
    cp, layout = result.model._products
    theta, h = result._estimate.optimum.theta, 1e-3

    def value(step: Floats) -> float:
        return evaluate(cp, layout, roots_of(cp, theta + step), reml=True).value

    E = h * np.eye(theta.size)
    H = [[value(a + b) - value(a - b) - value(b - a) + value(-a - b) for a in E] for b in E]
    expected = np.linalg.eigvalsh(np.array(H) / (4 * h**2))
    assert result.optimisation.hessian_eigenvalues == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("k", [-6, 0, 6])
def test_units_change_neither_gradient_nor_eigenvalues(k: int) -> None:
    one, other = fit(SLOPE), fit(SLOPE, SLEEP.assign(Days=10.0**k * SLEEP["Days"]))
    assert other.optimisation.hessian_eigenvalues == pytest.approx(
        one.optimisation.hessian_eigenvalues, rel=1e-6
    )
    assert other.optimisation.evaluations == one.optimisation.evaluations


def no_slope(seed: int) -> pd.DataFrame:
    """Intercepts that vary over 20 groups and slopes of x that do not, if anything too little."""
    rng = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(20), 8), np.tile(np.linspace(-1, 1, 8), 20)
    noise = rng.normal(size=160)
    noise -= x * (np.bincount(g, noise * x) / np.bincount(g, x * x))[g]  # every group's slope is the same
    return pd.DataFrame({"y": x + 2 * rng.normal(size=20)[g] + noise, "x": x, "g": g})


BOUNDARY: dict[str, tuple[MixedLMResults, list[str]]] = {
    "a zero intercept": (fit("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff2")), ["Batch Var"]),
    "a correlation of −1": (
        fit(
            "cog ~ tosx + trt:tosx + (tosx | id)",
            datasets.load("Early").assign(tosx=lambda d: d["age"] - 0.5),
        ),
        ["id x tosx Cov"],
    ),
    "a zero slope": (fit("y ~ x + (x || g)", no_slope(1)), ["x Var"]),
    "a zero slope, correlated": (fit("y ~ x + (x | g)", no_slope(1)), ["x Var"]),
    "a zero component": (
        mixedlm("y ~ x", no_slope(2), "1", {"slope": "0 + x"}, groups="g").fit(),
        ["slope Var"],
    ),
    "a term that is singular as a whole": (
        fit("distance ~ age + (age + Sex | Subject)", datasets.load("Orthodont")),
        ["Subject x Sex[T.Female] Cov", "Subject x age Cov", "Sex[T.Female] x age Cov"],
    ),
}


@pytest.mark.parametrize(("result", "names"), BOUNDARY.values(), ids=BOUNDARY)
def test_boundary_components_are_named_as_in_params(result: MixedLMResults, names: list[str]) -> None:
    assert list(result.optimisation.boundary) == names
    assert set(names) <= set(result.params.index)
    assert result.singular
    assert np.isfinite(result.bse_re).all()
    assert not any(direction.falls for direction in result.optimisation.flat)
    kinds = [f.kind for f in result.diagnose()]
    assert "singular" in kinds
    assert "undetermined" not in kinds
    assert names[0] in str(result.optimisation)


FLAT: dict[str, tuple[MixedLMResults, set[str]]] = {
    "two intercepts of one factor": (
        fit(SLOPE + " + (z | Subject)", SLEEP.assign(z=np.random.default_rng(19).normal(size=180))),
        {"Subject Var", "Subject.1 Var"},
    ),
    "a slope of what is constant within groups": (
        fit("distance ~ age + (Sex | Subject)", datasets.load("Orthodont")),
        {"Subject x Sex[T.Female] Cov", "Sex[T.Female] Var"},
    ),
    "as many effects as rows": (
        fit(SLOPE, SLEEP.query("Days < 2")),
        {"Subject Var", "Subject x Days Cov", "Days Var"},
    ),
}


@pytest.mark.parametrize(("result", "names"), FLAT.values(), ids=FLAT)
def test_what_the_data_do_not_determine_is_named(result: MixedLMResults, names: set[str]) -> None:
    (direction,) = result.optimisation.flat
    assert set(direction.names) == names
    assert not direction.falls
    assert abs(direction.curvature) < 1e-3
    (finding,) = [f for f in result.diagnose() if f.kind == "undetermined"]
    assert all(name in finding.evidence for name in names)


def test_along_a_flat_direction_the_criterion_stays() -> None:
    """Intercept variances of two terms on one factor: only their sum matters."""
    result, _ = FLAT["two intercepts of one factor"]

    def moved(taken: float, given: float) -> float:
        """The criterion with the second term's intercept variance less, and the first's more."""
        parts = zip(result.model.design.terms, np.split(result.theta, 2), (given, -taken), strict=True)
        theta = []
        for term, own, change in parts:
            psi = factor_of(term, own) @ factor_of(term, own).T
            psi[0, 0] += change
            theta.append(np.linalg.cholesky(psi)[[0, 1, 1], [0, 0, 1]])
        return dense_criterion(result, np.concatenate(theta))

    assert moved(0.1, 0.1) == pytest.approx(result.criterion, abs=1e-6)
    assert moved(0.0, 0.1) > result.criterion + 0.01


def test_a_search_cut_short_is_the_first_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixedcore.model.fitting.estimate", partial(estimate, max_steps=1))
    result = fit(SLOPE)
    assert not result.converged
    finding = result.diagnose()[0]
    assert (finding.kind, finding.severity) == ("not_converged", "serious")
    assert f"After {result.optimisation.evaluations} evaluations" in finding.evidence
    assert f"{result.optimisation.gradient_norm:.2g}" in finding.evidence
    assert str(result.optimisation).startswith("Not converged")


def at_zero(*args: Any, **kwargs: Any) -> Estimate:
    """An estimate of Λ = 0 whatever the data say, as a search in standard deviations may end."""
    found = estimate(*args, **kwargs)
    cp = args[0]
    zero = np.zeros(cp.k)
    point = evaluate(cp, args[1], roots_of(cp, zero), reml=True)
    return replace(found, evaluation=point, factors=(np.zeros((1, 1)),), null=(np.ones((1, 1)),))


def test_a_saddle_is_told_from_a_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixedcore.model.fitting.estimate", at_zero)
    false = fit("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff"))
    (direction,) = false.optimisation.flat
    assert direction.falls
    assert direction.names == ("Batch Var",)
    assert false.diagnose()[0].kind == "saddle"
    true = fit("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff2"))
    assert true.optimisation.flat == ()


def test_uneven_weights_are_a_finding() -> None:
    weights = np.where(np.arange(180) < 9, 100.0, 1.0)
    (finding,) = [f for f in fit(SLOPE, weights=weights).diagnose() if f.kind == "uneven_weights"]
    assert "180 rows count as 13 equal ones" in finding.evidence  # (900 + 171)² / (9 · 100² + 171) = 12.7
    assert all(f.kind != "uneven_weights" for f in fit(SLOPE, weights=1 + np.arange(180) % 3).diagnose())
