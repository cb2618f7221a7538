"""Many replicates of one nested design at once, against the engine that does one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.engine.chart import Roots
from mixedcore.engine.criterion import evaluate, roots_of
from mixedcore.engine.estimate import estimate
from mixedcore.engine.outcomes import DesignColumns, Outcomes, products_of
from mixedcore.inference.batch import NestedDesign
from mixedcore.inference.batch_criterion import evaluate as evaluate_all
from mixedcore.inference.refits import Refitter, outcome_units
from mixedcore.inference.simulate import Simulator, seed_sequence
from mixedcore.terms import Floats
from mixedcore.units import UserUnits
from tests.reference.designs import data_set

SLEEP = datasets.load("sleepstudy")
CLASSES = datasets.load("classrooms")
CLASSES["w"] = 0.3 + CLASSES.index.to_numpy() % 5
BY_GROUP: dict[str, Any] = {"groups": "school", "re_formula": "1 + pretest"}
MODELS: dict[str, tuple[str, pd.DataFrame, dict[str, Any]]] = {
    "slope": ("Reaction ~ Days + (Days | Subject)", SLEEP, {}),
    "uncorrelated": ("Reaction ~ Days + (Days || Subject)", SLEEP, {}),
    "nested": ("test_score ~ age + pretest + (pretest | school) + (1 | school:classroom)", CLASSES, {}),
    "component": ("test_score ~ age", CLASSES, {**BY_GROUP, "vc_formula": {"room": "0 + C(classroom)"}}),
    "one variance in two places": (
        "test_score ~ age",
        CLASSES,
        {"groups": "school", "vc_formula": {"room": "0 + C(classroom)", "pair": "0 + pretest + age"}},
    ),
    "many slopes": (
        "test_score ~ 0 + age + (pretest + age | school) + (age || school:classroom)",
        CLASSES,
        {},
    ),
    "weights": ("test_score ~ age + (pretest | school/classroom)", CLASSES, {"weights": "w"}),
    "no fixed effects": ("test_score ~ 0 + (pretest | school)", CLASSES, {}),
}
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
both = pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
# Of two optima found in different ways, the criterion differs by what either search leaves.
CRITERION_TOL = 1e-8


def fit(model: tuple[str, pd.DataFrame, dict[str, Any]], *, reml: bool = True) -> MixedLMResults:
    formula, data, more = model
    return mixedlm(formula, data, eval_env=-1, **more).fit(reml=reml)


def drawn(result: MixedLMResults, n: int, seed: int = 1) -> Floats:
    """Outcomes as a `Refitter` takes them, (rows, n)."""
    simulator = Simulator.of(result._user, "new")
    return simulator.residual_draws(seed_sequence(seed), range(n)) * result._user.y_scale


@models
@both
def test_every_replicate_is_evaluated_as_by_the_engine(
    model: tuple[str, pd.DataFrame, dict[str, Any]], reml: bool
) -> None:
    """Criterion, gradient, Hessian, β and σ² at a θ of its own for each replicate."""
    result = fit(model, reml=reml)
    estimate = result._estimate
    cp, plan, terms = estimate.evaluation.cp, estimate.evaluation.factor.plan, estimate.terms
    outcomes = DesignColumns.of(cp, result._user.kept_rows, terms).outcomes(drawn(result, 3))
    design = NestedDesign.of(cp, plan, terms, reml=reml)
    rng = np.random.default_rng(3)
    thetas = [estimate.optimum.theta + 0.2 * rng.normal(size=cp.k) for _ in range(3)]
    x = np.stack([design.coordinates_of(Roots(cp, terms).factors(theta)) for theta in thetas], axis=1)
    points = evaluate_all(design, x, outcomes)
    shift = []
    for r, theta in enumerate(thetas):
        own = products_of(cp, outcomes, r, outcome_units(cp.fixed, outcomes, r))
        point = evaluate(own, plan, roots_of(own, theta), reml=reml)
        gradient, hessian, _ = Roots(own, terms).derivatives(theta, point)
        size = np.abs(hessian).max()
        np.testing.assert_allclose(points.gradient[:, r], gradient, rtol=1e-9, atol=1e-9 * size)
        np.testing.assert_allclose(points.hessian[..., r], hessian, rtol=1e-9, atol=1e-11 * size)
        np.testing.assert_allclose(points.beta[:, r], point.beta, rtol=1e-9, atol=1e-11)
        assert points.sigma2[r] == pytest.approx(point.sigma2, rel=1e-11)
        assert Refitter(result._user)._criterion(design, outcomes, points)[r] == pytest.approx(point.value)
        shift.append(point.value - points.value[r] - 2 * point.df * np.log(outcomes.scale[r]))
        for t in range(len(terms)):
            expected = Roots(own, terms).slope(point, t)
            expected = np.diag(np.diag(expected)) if terms[t].structure == "diagonal" else expected
            np.testing.assert_allclose(design.slope(points, t)[r], expected, rtol=1e-8, atol=1e-9 * size)
    np.testing.assert_allclose(shift, shift[0], rtol=1e-11)  # what no θ changes


def from_moments(refitter: Refitter, outcomes: Outcomes, Y: Floats, r: int) -> UserUnits:
    """A fit as that of a new model: from moments, other optima looked for."""
    cp, rows = refitter._data(outcomes, Y, r)
    own = refitter.user.estimate
    plan, reml = own.evaluation.factor.plan, own.evaluation.reml
    return UserUnits(estimate(cp, plan, own.terms, reml=reml, rows=rows), rows)


SINGULAR = ("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff2"), {})
FEW = ("score ~ Machine + (Machine | Worker)", datasets.load("Machines"), {})
PASTES = ("strength ~ 1 + (1 | batch/cask)", datasets.load("Pastes"), {})


@pytest.mark.parametrize(
    "model", [*MODELS.values(), SINGULAR, FEW, PASTES], ids=[*MODELS, "singular", "few levels", "Pastes"]
)
@both
def test_all_searched_at_once_end_where_each_alone_does(
    model: tuple[str, pd.DataFrame, dict[str, Any]], reml: bool
) -> None:
    """The engine starts from moments and looks for other optima; neither may find a lower one."""
    result = fit(model, reml=reml)
    refitter, Y = Refitter(result._user), drawn(result, 12)
    found = refitter.fit(Y)
    assert found.converged.all()
    outcomes = refitter.columns.outcomes(Y)
    for r in range(Y.shape[1]):
        alone = from_moments(refitter, outcomes, Y, r)
        assert found.criterion[r] == pytest.approx(alone.estimate.evaluation.value, abs=CRITERION_TOL)
        np.testing.assert_allclose(found.beta[r], alone.beta, rtol=1e-5, atol=1e-5 * result.sigma)
        assert found.sigma[r] ** 2 == pytest.approx(alone.sigma2, rel=1e-5)
        assert found.singular[r] == alone.estimate.singular


@pytest.mark.parametrize("number, n", [(22, 10), (23, 4), (55, 14), (58, 30), (275, 9)])
def test_of_several_optima_the_lowest_is_found(number: int, n: int) -> None:
    """Simulated data with few levels, among whose replicates are some that one search ends too high on."""
    data = data_set(number, 20240607)
    result = mixedlm(data=data.frame, **data.call).fit(reml=data.reml)
    refitter, Y = Refitter(result._user), drawn(result, n, seed=number)
    found, outcomes = refitter.fit(Y), refitter.columns.outcomes(Y)
    for r in range(Y.shape[1]):
        alone = from_moments(refitter, outcomes, Y, r).estimate.evaluation.value
        assert found.criterion[r] < alone + 1e-6


def test_singular_replicates_are_common_and_zeros_are_zeros() -> None:
    """Of Dyestuff2's replicates most have no variance between batches: exactly zero, as the engine has it."""
    result = fit(SINGULAR)
    found = Refitter(result._user).fit(drawn(result, 200))
    sd = np.sqrt(found.psi[0][:, 0, 0])
    assert 0.4 < found.singular.mean() < 0.8
    assert ((sd == 0) == found.singular).all()
    assert sd[~found.singular].min() > 1e-3


def test_what_the_batch_cannot_do_is_done_by_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that is given up early leaves its replicates to the engine: the same answers."""
    result = fit(MODELS["nested"])
    refitter, Y = Refitter(result._user), drawn(result, 5)
    expected = refitter.fit(Y)
    monkeypatch.setattr("mixedcore.inference.batch_search.MAX_STEPS", 3)
    found = Refitter(result._user).fit(Y)
    np.testing.assert_allclose(found.criterion, expected.criterion, atol=CRITERION_TOL)
    np.testing.assert_allclose(found.beta, expected.beta, rtol=1e-5, atol=1e-4)


def test_a_residual_lost_beside_the_effects_is_left_to_the_rows() -> None:
    """Effects of 1e5 residual SDs: the batch says that it cannot, and the engine asks the rows."""
    rng = np.random.default_rng(9)
    g = np.arange(80) % 8
    data = pd.DataFrame({"g": g, "y": 1e5 * rng.normal(size=8)[g] + rng.normal(size=80)})
    result = mixedlm("y ~ 1 + (1 | g)", data).fit()
    refitter, Y = Refitter(result._user), drawn(result, 4)
    found = refitter.fit(Y)
    for r in range(4):
        fresh = mixedlm("y ~ 1 + (1 | g)", data.assign(y=Y[:, r])).fit()
        assert found.criterion[r] == pytest.approx(fresh.criterion, abs=1e-6)
        assert found.sigma[r] == pytest.approx(fresh.sigma, rel=1e-6)


def test_replicates_do_not_depend_on_their_neighbours() -> None:
    result = fit(MODELS["slope"])
    refitter, Y = Refitter(result._user), drawn(result, 40)
    together = refitter.fit(Y)
    for own in (slice(0, 1), slice(7, 20)):
        apart = refitter.fit(np.ascontiguousarray(Y[:, own]))
        np.testing.assert_allclose(apart.criterion, together.criterion[own], rtol=1e-12)
        np.testing.assert_allclose(apart.psi[0], together.psi[0][own], rtol=1e-6, atol=1e-6)
