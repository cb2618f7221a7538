"""The engine against dense n × n algebra (`dense_algebra`): criterion, derivatives, estimates, modes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pytest

from mixedcore.engine.chart import factor_of
from mixedcore.engine.criterion import NEAR, Evaluation, evaluate, roots_of
from mixedcore.engine.crossproducts import CrossProducts, cross_products
from mixedcore.engine.dense import WELL_CONDITIONED
from mixedcore.engine.elimination import Plan, plan
from mixedcore.engine.estimate import Estimate, estimate, null_directions
from mixedcore.engine.expected import known
from mixedcore.engine.optimise import OptSummary
from mixedcore.engine.rows import gather
from mixedcore.group_effects import covariances_by_group
from mixedcore.inference.information import VarianceInformation
from mixedcore.inference.satterthwaite import Satterthwaite
from mixedcore.terms import Floats
from mixedcore.units import UserUnits
from tests.mixedcore.dense_algebra import Data, Dense, designs, identity, random_theta, with_variance

DESIGNS = designs()
SEEDS = range(3)

# V is inverted with a condition number of up to 1e5 here, so the dense route itself is good to about 1e-11.
EXACT = 1e-9
# Central differences of the criterion (about 600) with steps of 1e-5: rounding 1e-13 · 600 / 1e-5, truncation
# 1e-10 times a third derivative.
FINITE = 2e-5
# The engine's expected information is a difference of fourth order: truncation and rounding near 1e-10 of it.
DIFFERENCED = 1e-8
# Both routes leave out different terms in the gradient, which the search leaves at about 1e-7 of its scale.
AT_OPTIMUM = 1e-6


@dataclass(frozen=True, eq=False)
class Case:
    """Both routes at one θ."""

    name: str
    reml: bool
    seed: int

    @property
    def data(self) -> Data:
        return DESIGNS[self.name]

    @cached_property
    def engine(self) -> tuple[CrossProducts, Plan]:
        cp = cross_products(self.data.y, self.data.X, self.data.terms)
        return cp, plan(cp)

    @cached_property
    def theta(self) -> Floats:
        return random_theta(self.data.terms, self.seed)

    def at(self, theta: Floats) -> Evaluation:
        cp, layout = self.engine
        return evaluate(cp, layout, roots_of(cp, theta), reml=self.reml)

    @cached_property
    def point(self) -> Evaluation:
        return self.at(self.theta)

    @cached_property
    def dense(self) -> Dense:
        return Dense(self.data, self.engine[0], self.theta, self.reml)

    @cached_property
    def user(self) -> UserUnits:
        """The estimate that a search ending here would give."""
        o = self.engine[0].offsets
        factors = tuple(factor_of(t, self.theta[o[i] : o[i + 1]]) for i, t in enumerate(self.data.terms))
        nothing = OptSummary(self.theta, self.point.value, 1, True, "", 0.0, (), np.zeros(0))
        null = tuple(null_directions(T) for T in factors)
        rows = gather(self.data.y, self.data.X, self.data.terms)
        return UserUnits(Estimate(self.data.terms, self.point, nothing, factors, null), rows)


CASES = [Case(name, reml, seed) for name in DESIGNS for reml in (True, False) for seed in SEEDS]
each_case = pytest.mark.parametrize(
    "case", CASES, ids=lambda c: f"{c.name.replace(' ', '-')}-{'REML' if c.reml else 'ML'}-{c.seed}"
)


def close(found: Floats, expected: Floats, tolerance: float, *, at_least: float = 1e-300) -> None:
    """Equal to a share of the largest entry (or of `at_least`): entries near zero are sums of large ones."""
    scale = max(float(np.abs(expected).max(initial=0.0)), at_least)
    assert np.shape(found) == np.shape(expected)
    assert float(np.abs(np.asarray(found) - expected).max(initial=0.0)) / scale < tolerance


def test_the_designs_reach_every_part_of_the_engine() -> None:
    """Otherwise the tests below would say less than they seem to."""
    plans = {name: Case(name, True, 0).engine for name in DESIGNS}
    assert plans["nested chain"][0].nested == len(plans["nested chain"][0].groupings) == 3
    assert plans["nested chain"][1].remainder is None
    both = plans["nested and crossed"]
    assert (both[0].nested, len(both[0].groupings)) == (3, 4)
    stacks = plans["crossed within groups"][1].remainder
    assert stacks is not None
    assert len({stack.size for stack in stacks.stacks}) > 1
    assert max(stack.count for stack in stacks.stacks) > 1
    lone = plans["crossed"][1].remainder
    assert lone is not None
    assert [stack.count for stack in lone.stacks] == [1]
    assert max(g.q for g in plans["slopes 8"][0].groupings) == 8


@each_case
def test_criterion_estimates_and_gradient(case: Case) -> None:
    point, dense = case.point, case.dense
    assert point.value == pytest.approx(dense.criterion, rel=EXACT)
    assert case.user.sigma2 == pytest.approx(dense.sigma2, rel=EXACT)
    close(case.user.beta, dense.beta, EXACT)
    close(case.user.cov_beta, dense.sigma2 * dense.M, EXACT)
    close(point.gradient, dense.gradient, EXACT)


@each_case
def test_gradient_is_the_slope_of_the_criterion(case: Case) -> None:
    step = 1e-5 * np.eye(case.theta.size)
    slopes = [(case.at(case.theta + e).value - case.at(case.theta - e).value) / 2e-5 for e in step]
    close(case.point.gradient, np.array(slopes), FINITE, at_least=1.0)


@each_case
def test_average_information(case: Case) -> None:
    close(case.point.average_information, case.dense.average_information, EXACT)


EXACT_HESSIAN = [c for c in CASES if c.name in ("intercept", "crossed three ways", "crossed slopes")]


@pytest.mark.parametrize("case", EXACT_HESSIAN, ids=str)
def test_near_the_optimum_the_hessian_is_exact_in_what_the_remainder_knows(case: Case) -> None:
    point, observed = case.at(case.theta), case.dense.hessian
    here = known(point.factor)
    healthy = all(abs(root.T[0, 0]) > WELL_CONDITIONED for root in point.factor.roots[1:])
    assert here.sum() == (2 if case.name == "crossed three ways" and healthy else 0)
    assert healthy or case.seed > 0
    point.__dict__["refined"] = bool(here.any())  # wherever this is, take it for near
    profiled = observed[:-1, :-1] - np.outer(observed[-1, :-1], observed[-1, :-1]) / observed[-1, -1]
    both = np.outer(here, here)
    close(point.information[both], profiled[both], EXACT)
    close(point.information[~both], case.dense.average_information[~both], EXACT)


@each_case
def test_far_from_the_optimum_the_hessian_is_the_average_information(case: Case) -> None:
    far = case.at(case.theta)
    decrement = 0.5 * far.gradient_psi @ np.linalg.pinv(far.average_information) @ far.gradient_psi
    assert far.refined == bool(known(far.factor).any() and decrement < NEAR)
    if not far.refined:
        close(far.information, case.dense.average_information, EXACT)


@each_case
def test_traces_sum_over_the_diagonal_faces(case: Case) -> None:
    """∂d/∂ψ from the traces on Z'PZ and the scores, which the gradient at Λ = 0 cannot show."""
    dense = case.dense
    expected = [
        np.sum(dense.inner * D) - q / dense.sigma2 for D, q in zip(dense.V_psi, dense.quadratics, strict=True)
    ]
    close(case.point.gradient_psi, np.array(expected), EXACT)


@each_case
def test_conditional_modes_and_their_covariances(case: Case) -> None:
    dense, user = case.dense, case.user
    residual = dense.V_inv @ (case.data.y - case.data.X @ dense.beta)
    fitted = np.zeros_like(residual)
    numbers = [(t, b) for t, term in enumerate(case.data.terms) for b in range(len(term.blocks))]
    for (t, number), (_, b, Z) in zip(numbers, dense.blocks, strict=True):
        psi = np.kron(np.eye(b.n_levels), dense.psi(t, b.width))
        expected = (psi @ Z.T @ residual).reshape(b.n_levels, b.width).T
        fitted += Z @ expected.T.ravel()
        close(user.modes(t, number), expected, EXACT)
        cov = np.asarray(dense.sigma2 * (psi - psi @ Z.T @ dense.V_inv @ Z @ psi))
        q, m = b.width, b.n_levels
        blocks: Floats = cov.reshape(m, q, m, q)[np.arange(m), :, np.arange(m)]
        close(np.moveaxis(user.mode_covariances(t, number), -1, 0), blocks, EXACT)
    close(user.random_part, fitted, EXACT)
    close(user.marginal_resid, case.data.y - case.data.X @ dense.beta, EXACT)


JOINT = [
    c for c in CASES if c.name not in ("nested and crossed", "crossed slopes")
]  # those cross their groups


@pytest.mark.parametrize(
    "case", [c for c in JOINT if c.reml and c.seed < 2], ids=lambda c: f"{c.name}-{c.seed}"
)
def test_joint_conditional_covariances_of_a_group(case: Case) -> None:
    single = len(case.data.terms) == 1  # its levels are then the groups themselves
    codes = case.data.terms[0].blocks[0].codes if single else case.data.group
    labels = list(range(codes.max() + 1))
    found = covariances_by_group(case.user, labels, lambda: codes)
    assert list(found) == labels
    for label in labels:
        close(found[label].to_numpy(), case.dense.joint_covariance(np.flatnonzero(codes == label)), EXACT)


@each_case
def test_observed_information(case: Case) -> None:
    found = VarianceInformation(case.user).hessian
    expected = case.dense.hessian
    # In the engine's units of the outcome, and each entry on the scale of its two parameters.
    unit = np.append(np.ones(case.engine[0].k), case.engine[0].fixed.y_scale ** 2)
    expected = expected * np.outer(unit, unit)
    size = np.sqrt(np.append(np.diag(case.point.average_information), expected[-1, -1]))
    close(found / np.outer(size, size), expected / np.outer(size, size), DIFFERENCED)


@pytest.mark.parametrize("reml", [True, False])
def test_the_dense_hessian_is_that_of_the_deviance(reml: bool) -> None:
    """Second differences of the dense unprofiled deviance: the formula that the test above relies on."""
    case = Case("uncorrelated", reml, 0)
    k, s2 = case.theta.size, case.dense.sigma2

    def deviance(move: Floats) -> float:
        theta = np.sqrt(case.theta**2 + move[:k])  # a diagonal term: ψ = θ²
        return Dense(case.data, case.engine[0], theta, reml).deviance(s2 + move[k])

    steps = np.diag(np.append(np.full(k, 2e-4), 2e-4 * s2))
    found = [
        [
            sum(i * j * deviance(i * a + j * b) for i in (-1, 1) for j in (-1, 1)) / (4 * a.max() * b.max())
            for a in steps
        ]
        for b in steps
    ]
    close(np.array(found), case.dense.hessian, 1e-4)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize(
    "name", ["intercept", "slopes 2", "nested chain", "crossed", "crossed within groups"]
)
def test_satterthwaite_degrees_of_freedom_at_the_optimum(name: str, reml: bool) -> None:
    """ν = 2f²/(∇f'A∇f) with C(η) differentiated by C X'V⁻¹V̇V⁻¹X C and A twice the dense inverse Hessian."""
    data = with_variance(DESIGNS[name])
    cp = cross_products(data.y, data.X, data.terms)
    found = estimate(cp, plan(cp), data.terms, reml=reml)
    rows = gather(data.y, data.X, data.terms)
    assert not found.singular
    dense = Dense(data, cp, found.optimum.theta, reml)
    L = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 7, 0.5]])
    VX = dense.V_inv @ data.X
    C = [dense.sigma2 * dense.M @ VX.T @ D @ VX @ dense.M for D in dense.V_psi] + [dense.M]
    gradient = np.array([[row @ slope @ row for slope in C] for row in L])
    f = np.array([dense.sigma2 * row @ dense.M @ row for row in L])
    A = 2 * np.linalg.inv(dense.hessian)
    expected = 2 * f**2 / np.einsum("rk,kl,rl->r", gradient, A, gradient)
    assert Satterthwaite(VarianceInformation(UserUnits(found, rows))).df(L) == pytest.approx(
        expected, rel=AT_OPTIMUM
    )


@pytest.mark.parametrize("tiny", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-9, 0.0])
@pytest.mark.parametrize("name", ["crossed slopes", "crossed", "nested and crossed"])
def test_a_nearly_singular_covariance_costs_no_digits(name: str, tiny: float) -> None:
    """Where the effects explain most of the outcome, an error in the remainder's inverse is seen in r²."""
    data = with_variance(DESIGNS[name])
    noise = np.random.default_rng(5).normal(size=data.y.size)
    data = replace(data, y=data.y + 0.02 * noise - least_squares_rest(data))
    cp = cross_products(data.y, data.X, data.terms)
    theta = 5.0 * identity(data.terms)
    for t, term in enumerate(data.terms):
        own = theta[cp.offsets[t] : cp.offsets[t + 1]]
        if term.structure == "full":
            own[1:] = 4.0, tiny
        elif t:
            own[:] = max(tiny, 1e-9)
    found = evaluate(cp, plan(cp), roots_of(cp, theta), reml=True).value
    assert found == pytest.approx(Dense(data, cp, theta, True).criterion, abs=1e-7)


def least_squares_rest(data: Data) -> Floats:
    """What fixed and random effects together, taken as fixed, leave of the outcome (n,)."""
    cp = cross_products(data.y, data.X, data.terms)
    W = np.column_stack([data.X, *(Z for _, _, Z in Dense(data, cp, identity(data.terms), True).blocks)])
    return np.asarray(data.y - W @ np.linalg.lstsq(W, data.y, rcond=None)[0])
