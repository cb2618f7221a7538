"""Tests of fixed effects with every kind of degrees of freedom, against dense n × n algebra."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from mixedcore import MixedLM, MixedLMParams, MixedLMResults, datasets, mixedlm
from mixedcore.engine.crossproducts import cross_products
from mixedcore.engine.elimination import plan
from mixedcore.engine.estimate import Estimate, estimate
from mixedcore.engine.rows import gather
from mixedcore.errors import ModelError
from mixedcore.inference.hypotheses import Ddf, Hypotheses
from mixedcore.inference.information import VarianceInformation
from mixedcore.inference.kenward_roger import KenwardRoger
from mixedcore.inference.satterthwaite import joint_df
from mixedcore.terms import Floats
from mixedcore.units import UserUnits
from tests.mixedcore.dense_algebra import Data, Dense, designs, with_variance
from tests.reference.designs import data_set

DESIGNS = {name: data for name, data in designs().items() if data.X.shape[1]}
# Differences of fourth order: 1e-10 of a derivative, times the condition of the information, up to 1e3 here.
DIFFERENCED = 1e-7
L = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 7, 0.5]])
SLOPES = L[1:3]


@cache
def fitted(name: str, noise: float = 1.0) -> tuple[Data, Estimate, VarianceInformation]:
    """A REML fit to an outcome in which every random effect varies, or none does (noise = 0: singular)."""
    data = with_variance(DESIGNS[name])
    if not noise:
        rng = np.random.default_rng(8)
        data = replace(data, y=data.X.sum(axis=1) + rng.normal(size=data.y.size))
    cp = cross_products(data.y, data.X, data.terms)
    found = estimate(cp, plan(cp), data.terms, reml=True)
    rows = gather(data.y, data.X, data.terms)
    return data, found, VarianceInformation(UserUnits(found, rows))


class DensePbkrtest:
    """vcovAdj_internal and .KR_adjust of pbkrtest 0.5.2, line by line, from n × n matrices."""

    def __init__(self, dense: Dense, X: Floats) -> None:
        sigma = dense.sigma2 * dense.V
        G = [*dense.V_psi, np.eye(len(X))]
        inverse = np.linalg.inv(sigma)
        self.Phi = np.linalg.inv(X.T @ inverse @ X)
        self.P = [-X.T @ inverse @ g @ inverse @ X for g in G]
        Q = [[X.T @ inverse @ a @ inverse @ b @ inverse @ X for b in G] for a in G]
        projected = [(inverse - inverse @ X @ self.Phi @ X.T @ inverse) @ g for g in G]
        self.W = 2 * np.linalg.inv([[np.sum(a * b.T) for b in projected] for a in projected])
        every = range(len(G))
        U = sum(self.W[i, j] * (Q[i][j] - self.P[i] @ self.Phi @ self.P[j]) for i in every for j in every)
        self.PhiA = self.Phi + 2 * self.Phi @ U @ self.Phi

    def test(self, L: Floats) -> tuple[float, float]:
        """Degrees of freedom and scaling."""
        theta = L.T @ np.linalg.solve(L @ self.Phi @ L.T, L)
        u = [theta @ self.Phi @ p @ self.Phi for p in self.P]
        A1 = np.einsum("ij,i,j->", self.W, np.trace(u, axis1=1, axis2=2), np.trace(u, axis1=1, axis2=2))
        A2 = np.einsum("ij,iab,jba->", self.W, u, u)
        q = len(L)
        B = (1 / (2 * q)) * (A1 + 6 * A2)
        g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
        c1, c2, c3 = (c / (3 * q + 2 * (1 - g)) for c in (g, q - g, q + 2 - g))
        rho = 1 / q * ((1 - A2 / q) / (1 - c2 * B)) ** 2 * (1 + c1 * B) / (1 - c3 * B)
        df = 4 + (q + 2) / (q * rho - 1)
        return df, df * (1 - A2 / q) / (df - 2)


@pytest.mark.parametrize("noise", [1.0, 0.0], ids=["interior", "singular"])
@pytest.mark.parametrize("name", DESIGNS)
def test_kenward_roger_is_that_of_dense_algebra(name: str, noise: float) -> None:
    data, found, info = fitted(name, noise)
    assert noise or found.singular
    dense = DensePbkrtest(Dense(data, info.evaluation.cp, found.optimum.theta, True), data.X)
    ours = KenwardRoger(info)
    scale = np.sqrt(np.diag(dense.PhiA))
    assert ours.cov_beta / np.outer(scale, scale) == pytest.approx(
        dense.PhiA / np.outer(scale, scale), rel=DIFFERENCED, abs=DIFFERENCED
    )
    assert ours.df(L) == pytest.approx([dense.test(row[None])[0] for row in L], rel=DIFFERENCED)
    for rows in (SLOPES, L[:3]):
        assert ours.joint(rows) == pytest.approx(dense.test(rows), rel=DIFFERENCED)


def test_kenward_roger_with_prior_weights_is_that_of_dense_algebra() -> None:
    """Weights multiply rows by √w; pbkrtest itself leaves them out."""
    data, _, _ = fitted("nested chain")
    w = 0.5 + np.arange(data.y.size) % 7
    cp = cross_products(data.y, data.X, data.terms, w)
    found = estimate(cp, plan(cp), data.terms, reml=True)
    info = VarianceInformation(UserUnits(found, gather(data.y, data.X, data.terms, w)))
    root = np.sqrt(w)[:, None]
    blocks = [
        replace(t, blocks=tuple(replace(b, basis=b.basis * root) for b in t.blocks)) for t in data.terms
    ]
    weighted = replace(data, y=data.y * root[:, 0], X=data.X * root, terms=tuple(blocks))
    dense = DensePbkrtest(Dense(weighted, cp, found.optimum.theta, True), weighted.X)
    assert KenwardRoger(info).cov_beta == pytest.approx(dense.PhiA, rel=DIFFERENCED)
    assert KenwardRoger(info).joint(SLOPES) == pytest.approx(dense.test(SLOPES), rel=DIFFERENCED)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "normal"])
def test_a_joint_test_of_one_row_is_its_t_test_squared(ddf: Ddf) -> None:
    tests = Hypotheses(fitted("nested chain")[2], ddf)
    each = tests.each(L, rhs=0.3)
    for i, row in enumerate(L):
        joint = tests.together(row, rhs=0.3)
        assert (joint.num_df, joint.scaling) == (1, 1.0)
        assert joint.statistic == pytest.approx(each.statistic[i] ** 2)
        assert joint.den_df == pytest.approx(each.df[i])
        assert joint.p_value == pytest.approx(each.p_value[i])


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "normal"])
def test_rows_that_others_determine_do_not_count(ddf: Ddf) -> None:
    tests = Hypotheses(fitted("crossed slopes")[2], ddf)
    once = tests.together(SLOPES)
    more = tests.together(np.array([[0.0, 3, 1], [0, 0, 0], [0, 1, 2], [0, 4, 3]]))
    assert (once.num_df, more.num_df) == (2, 2)
    assert more.statistic == pytest.approx(once.statistic)
    # Fai and Cornelius' axes depend on how the rows are written, up to a rotation; nothing else does.
    if ddf == "satterthwaite":
        more = tests.together(np.array([[0.0, 0.6, 0.8], [0, -0.8, 0.6]]))
    assert more.den_df == pytest.approx(once.den_df, rel=1e-9)


def test_the_statistic_and_p_value_are_those_of_the_definition() -> None:
    _, _, info = fitted("slopes 2")
    user = info.user
    for ddf in ("satterthwaite", "residual", "normal"):
        test = Hypotheses(info, ddf).together(SLOPES)
        wald = SLOPES @ user.beta @ np.linalg.solve(SLOPES @ user.cov_beta @ SLOPES.T, SLOPES @ user.beta)
        assert test.statistic == pytest.approx(wald / 2)
        expected = stats.chi2.sf(wald, 2) if ddf == "normal" else stats.f.sf(wald / 2, 2, test.den_df)
        assert test.p_value == pytest.approx(expected)


def test_joint_degrees_of_freedom() -> None:
    """Fai and Cornelius by hand, and lmerTest's rule where a squared t has no mean."""
    assert joint_df(np.array([5.0, 10.0])) == pytest.approx(2 * (5 / 3 + 10 / 8) / (5 / 3 + 10 / 8 - 2))
    assert joint_df(np.array([1.5, 10.0])) == 2.0
    assert joint_df(np.array([2.0, 10.0])) == 2.0
    assert joint_df(np.array([7.0, 7.0 + 1e-9])) == pytest.approx(7.0)
    assert joint_df(np.array([np.inf, np.inf])) == np.inf
    assert joint_df(np.array([np.inf, 4.0])) == pytest.approx(2 * 3 / (3 - 2))


@cache
def sleep(reml: bool = True) -> MixedLMResults:
    return mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load("sleepstudy")).fit(reml=reml)


def test_kenward_roger_of_a_balanced_design_adjusts_nothing() -> None:
    """Every subject has the same days, so that generalised and ordinary least squares agree."""
    table = sleep().tidy(ddf="kenward-roger")
    assert table["df"].to_numpy() == pytest.approx([17, 17], rel=1e-6)
    assert table["std_error"].to_numpy() == pytest.approx(sleep().bse_fe.to_numpy(), rel=1e-8)


def test_kenward_roger_by_ml_is_refused_with_the_remedy() -> None:
    with pytest.raises(ModelError, match=r"reml=True.*satterthwaite"):
        sleep(reml=False).tidy(ddf="kenward-roger")


def test_hypotheses_about_nothing_are_refused() -> None:
    tests = Hypotheses(fitted("slopes 2")[2], "satterthwaite")
    with pytest.raises(ModelError, match="Contrast 2 is zero"):
        tests.each(np.array([[1.0, 0, 0], [0, 0, 0]]))
    with pytest.raises(ModelError, match="restricts none"):
        tests.together(np.zeros((2, 3)))


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "normal"])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_units_do_not_matter(ddf: Ddf, unit: float) -> None:
    data = datasets.load("sleepstudy").query("Subject != 308 or Days > 3").copy()
    plain = mixedlm("Reaction ~ Days + (Days | Subject)", data).fit().tidy(ddf=ddf)
    data["Days"] *= unit
    other = mixedlm("Reaction ~ Days + (Days | Subject)", data).fit().tidy(ddf=ddf)
    for column in ("statistic", "df", "p_value"):
        assert other[column].to_numpy() == pytest.approx(plain[column].to_numpy(), rel=1e-5)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "normal"])
def test_no_fixed_effects_make_an_empty_table(ddf: Ddf) -> None:
    data = datasets.load("sleepstudy")
    model = MixedLM(data["Reaction"] - data["Reaction"].mean(), np.zeros((len(data), 0)), data["Subject"])
    assert len(model.fit().tidy(ddf=ddf)) == 0


@pytest.mark.parametrize("name", ["Dyestuff2", "Early"])
def test_singular_fits_have_tests(name: str) -> None:
    data = datasets.load(name)
    if name == "Early":
        formula, data = "cog ~ tosx + trt:tosx + (tosx | id)", data.assign(tosx=data["age"] - 0.5)
    else:
        formula = "Yield ~ 1 + (1 | Batch)"
    table = mixedlm(formula, data).fit().tidy(ddf="kenward-roger")
    assert np.isfinite(table.drop(columns="term").to_numpy()).all()


@pytest.mark.parametrize("number", [301, 913])
def test_effects_much_larger_than_the_residual_and_nearly_one_lose_few_digits(number: int) -> None:
    """Six groups whose effects decide everything: every row of one group is worth the same, so df are near 5.

    Intercepts and slopes of variance up to 10⁴ times the residual's correlate with 0.9999 or more.
    """
    data = data_set(number, 1234)
    result = mixedlm(data=data.frame, **data.call).fit()
    for ddf in ("satterthwaite", "kenward-roger"):
        table = result.tidy(ddf=ddf)  # type: ignore[arg-type]
        assert table["df"].to_numpy() == pytest.approx([5, 5], rel=0.01)
        growth = table["std_error"].to_numpy() / result.bse_fe.to_numpy()
        assert ((growth >= 1 - 1e-12) & (growth < 1 + 1e-3)).all()


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
def test_parameters_held_count_as_known(ddf: Ddf) -> None:
    """No covariance is the model of two bars; with every ratio to σ² held, tests have n − p degrees."""
    data = datasets.load("sleepstudy").query("Subject != 308 or Days > 3")
    model = mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="Days")
    apart = model.fit(free=MixedLMParams.from_components(np.ones(2), np.eye(2))).tidy(ddf=ddf)
    bars = mixedlm("Reaction ~ Days + (Days || Subject)", data).fit().tidy(ddf=ddf)
    np.testing.assert_allclose(apart.drop(columns="term"), bars.drop(columns="term"), rtol=1e-5)
    whole = model.fit()
    nothing = MixedLMParams.from_components(np.ones(2), np.zeros((2, 2)))
    held = model.fit(whole.params_object, free=nothing).tidy(ddf=ddf)
    assert held["df"].to_numpy() == pytest.approx(len(data) - 2)
    assert held["std_error"].to_numpy() == pytest.approx(whole.bse_fe.to_numpy(), rel=1e-6)
