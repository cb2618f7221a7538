"""Predictions with random effects against dense algebra over the rows, for both notations and arrays."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag

from mixedcore import FormulaError, MixedLM, MixedLMResults, VCSpec, mixedlm
from mixedcore.errors import DataError, ModelError
from mixedcore.terms import Floats
from tests.mixedcore.dense_algebra import indicator
from tests.mixedcore.streams import chunked, classes

DATA = classes(400)
DATA["w"] = np.random.default_rng(1).uniform(0.5, 2, len(DATA))
DATA["off"] = np.cos(np.arange(len(DATA)))
DATA["twice"] = 2 * DATA["x"]

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "slope": ("y ~ x + (x | school)", {}),
    "nested": ("y ~ x + (x | school) + (1 | school:room)", {}),
    "three crossed": ("y ~ x + text + (x || school) + (1 | teacher) + (1 | school:text)", {}),
    "two terms of one factor": ("y ~ x + (1 | school) + (0 + x | school)", {}),
    "weights and offset": ("y ~ x + (x | school) + (1 | teacher)", {"weights": "w", "offset": "off"}),
    "no fixed effects": ("y ~ 0 + (x | school)", {}),
    "no intercept": ("y ~ 0 + x + (1 | school)", {}),
    "aliased": ("y ~ x + twice + text + (1 | school)", {}),
    "singular": ("y ~ x + (x | number) + (1 | school)", {}),
    "seed": ("y ~ x", {"groups": "school", "re_formula": "x", "vc_formula": {"room": "0 + C(room)"}}),
    "components": (
        "y ~ x",
        {
            "groups": "school",
            "vc_formula": {"a": "0 + C(room):x", "b": "1 + x", "c": "0 + C(text) + C(truth)"},
        },
    ),
    "components made by group": (
        "y ~ x",
        {"groups": "school", "re_formula": "1", "vc_formula": {"a": "0 + center(x)", "b": "1 + C(number)"}},
    ),
}
every_model = pytest.mark.parametrize("name", MODELS)

# Two routes to one number in double precision; the dense one inverts an n × n matrix.
SAME = 1e-9


def fit(name: str) -> MixedLMResults:
    formula, how = MODELS[name]
    return mixedlm(formula, DATA, **how).fit()


def dense_error(r: MixedLMResults, terms: list[int]) -> tuple[Floats, Floats]:
    """Var(x'(β̂ − β) + z'(b̂ − b)) of the fitted rows for some terms, and z'Ψz σ² of all others, (n,) each."""
    design, n = r.model.design, r.nobs
    Z, G, mine, others = [], [], [], np.zeros(n)
    for t, term in enumerate(design.terms):
        psi = r._user.psi(t)
        for b in term.blocks:
            own = indicator(b)
            Psi = np.kron(np.eye(b.n_levels), psi * np.eye(b.width) if len(psi) == 1 else psi)
            Z.append(own)
            G.append(Psi)
            mine += [t in terms] * own.shape[1]
            others += 0 if t in terms else np.einsum("ij,jk,ik->i", own, Psi, own)
    Zall, Gall = np.hstack(Z), block_diag(*G)
    X = design.X[:, r._user.kept]
    w = np.ones(n) if design.weights is None else design.weights
    V_inv = np.linalg.inv(Zall @ Gall @ Zall.T + np.diag(1 / w))
    M = np.linalg.inv(X.T @ V_inv @ X) if X.shape[1] else np.zeros((0, 0))
    H = Gall - Gall @ Zall.T @ V_inv @ Zall @ Gall
    z = Zall * np.array(mine)
    d = X - z @ Gall @ Zall.T @ V_inv @ X
    error = np.einsum("ij,jk,ik->i", z, H, z) + np.einsum("ij,jk,ik->i", d, M, d)
    return r.scale * error, r.scale * others


def subsets(r: MixedLMResults) -> list[Any]:
    names = [r.model.design.factor_of(t) for t in range(len(r.model.design.terms))]
    return ["none", "all", *[[name] for name in dict.fromkeys(names)]]


@every_model
def test_errors_are_those_of_the_mixed_model_equations(name: str) -> None:
    r = fit(name)
    for random in subsets(r):
        terms = r._terms_named(random)
        error, others = dense_error(r, terms)
        mean = r.predict(random=random, interval="confidence")
        np.testing.assert_allclose(mean["std_error"] ** 2, error, rtol=SAME, atol=SAME * r.scale)
        w = 1.0 if r.model.weights is None else r.model.weights
        new = r.predict(random=random, interval="prediction")
        np.testing.assert_allclose(new["std_error"] ** 2, error + others + r.scale / w, rtol=SAME)
        pd.testing.assert_series_equal(mean["fit"], new["fit"])
        half = 1.959963984540054 * mean["std_error"]
        np.testing.assert_allclose(mean["conf_high"], mean["fit"] + half)
        np.testing.assert_allclose(mean["conf_low"], mean["fit"] - half)


@every_model
def test_new_rows_equal_to_those_of_the_fit_have_the_same_predictions(name: str) -> None:
    r = fit(name)
    order = np.random.default_rng(3).permutation(len(DATA))
    for random in subsets(r):
        for interval in ("confidence", "prediction"):
            own = r.predict(random=random, interval=interval).iloc[order]
            new = r.predict(DATA.iloc[order], random=random, interval=interval)
            pd.testing.assert_frame_equal(new, own, rtol=SAME, atol=SAME)


@every_model
def test_rows_are_predicted_alone_as_among_others(name: str) -> None:
    """A single row of a group has only some of the group's categories."""
    r = fit(name)
    together = r.predict(random="all", interval="confidence")
    for row in range(0, 60, 7):
        alone = r.predict(DATA.iloc[[row]], random="all", interval="confidence")
        pd.testing.assert_frame_equal(alone, together.iloc[[row]], rtol=SAME, atol=SAME)


@every_model
def test_parts_of_the_mean_add_up(name: str) -> None:
    r = fit(name)
    fixed = r.predict()
    parts = [r.predict(random=random) - fixed for random in subsets(r)[2:]]
    np.testing.assert_allclose(fixed + sum(parts), r.fittedvalues, atol=1e-9)
    pd.testing.assert_series_equal(r.predict(random="all"), r.fittedvalues)


@every_model
def test_new_levels_have_the_value_and_the_variance_of_the_population(name: str) -> None:
    r = fit(name)
    new = DATA.iloc[:6].assign(school=10_000, room="elsewhere", number=99, teacher="nobody")
    found = r.predict(new, random="all", interval="confidence")
    np.testing.assert_allclose(found["fit"], r.predict(new), rtol=SAME)
    w = 1.0 if r.model.weights is None else new["w"]
    of_an_observation = r.predict(new, interval="prediction")["std_error"] ** 2
    np.testing.assert_allclose(found["std_error"] ** 2, of_an_observation - r.scale / w, rtol=SAME)


def test_known_and_new_levels_in_one_row() -> None:
    """A known pupil's teacher is new: her part is the population's, his is not."""
    r = fit("three crossed")
    new = DATA.iloc[:5].assign(teacher="nobody")
    found = r.predict(new, random="all", interval="confidence")
    same = r.predict(new, random=["school", "school:text"], interval="confidence")
    psi = float(r.tidy("random").query("group == 'teacher' and scale == 'variance'")["estimate"].item())
    np.testing.assert_allclose(found["fit"], same["fit"])
    np.testing.assert_allclose(found["std_error"] ** 2, same["std_error"] ** 2 + psi, rtol=SAME)


def test_levels_that_never_met_are_told_apart_from_their_own_pairs() -> None:
    """A room of one school and the mean of another: H between levels that no row of the fit joins."""
    formula = "y ~ x + (1 | school) + (1 | room)"
    r = mixedlm(formula, DATA).fit()
    new = pd.DataFrame({"x": [0.0], "school": [DATA["school"][0]], "room": [DATA["room"][1]]})
    assert not ((DATA["school"] == new["school"][0]) & (DATA["room"] == new["room"][0])).any()
    Z = np.hstack([indicator(term.blocks[0]) for term in r.model.design.terms])
    variances = [r._user.psi(t)[0, 0] for t in range(2)]
    sizes = [term.blocks[0].n_levels for term in r.model.design.terms]
    G = np.diag(np.repeat(variances, sizes))
    X = r.model.design.X
    V_inv = np.linalg.inv(Z @ G @ Z.T + np.eye(len(DATA)))
    H = G - G @ Z.T @ V_inv @ Z @ G
    z = np.zeros(Z.shape[1])
    z[list(r.model.design.terms[0].levels).index(new["school"][0])] = 1
    z[sizes[0] + list(r.model.design.terms[1].levels).index(new["room"][0])] = 1
    d = np.array([1.0, 0.0]) - z @ G @ Z.T @ V_inv @ X
    expected = r.scale * (z @ H @ z + d @ np.linalg.solve(X.T @ V_inv @ X, d))
    found = r.predict(new, random="all", interval="confidence")
    assert found["std_error"].item() ** 2 == pytest.approx(expected, rel=SAME)


def test_missing_values() -> None:
    """A row without a covariate is left out; one without a label belongs to nobody known."""
    r = fit("slope")
    new = DATA.iloc[:4].copy().astype({"school": float})
    new.loc[new.index[0], "x"] = np.nan
    new.loc[new.index[1], "school"] = np.nan
    found = r.predict(new, random="all", interval="confidence")
    assert list(found.index) == list(new.index[1:])
    assert found["fit"].iloc[0] == pytest.approx(r.predict(new).iloc[0])
    assert found["fit"].iloc[1] == pytest.approx(r.fittedvalues[new.index[2]])


def test_a_covariate_that_is_no_number_leaves_its_row_out() -> None:
    r = mixedlm("y ~ np.log(x + 10) + (1 | school)", DATA).fit()
    new = DATA.iloc[:3].copy()
    new.loc[new.index[1], "x"] = -11.0
    assert list(r.predict(new, random="all").index) == [new.index[0], new.index[2]]


def test_groups_beside_the_data_are_given_again() -> None:
    by_name = mixedlm("y ~ x", DATA, groups="school", re_formula="x").fit()
    by_value = mixedlm("y ~ x", DATA, groups=DATA["school"].to_numpy(), re_formula="x").fit()
    new = DATA.iloc[:7]
    expected = by_name.predict(new, random="all", interval="prediction")
    found = by_value.predict(new, random="all", interval="prediction", groups=new["school"])
    pd.testing.assert_frame_equal(found, expected)
    with pytest.raises(ModelError, match=r"groups=labels"):
        by_value.predict(new, random="all")
    assert np.isfinite(by_value.predict(new, interval="prediction")["std_error"]).all()


def test_arrays() -> None:
    X = np.column_stack([np.ones(len(DATA)), DATA["x"]])
    r = MixedLM(DATA["y"].to_numpy(), X, DATA["school"].to_numpy(), X).fit()
    expected = mixedlm("y ~ x + (x | school)", DATA).fit()
    for interval in ("confidence", "prediction"):
        own = expected.predict(random="all", interval=interval)
        fitted = r.predict(random="all", interval=interval)
        new = r.predict(X, random="all", interval=interval, groups=DATA["school"], exog_re=X)
        np.testing.assert_allclose(fitted, own, rtol=1e-6)
        np.testing.assert_allclose(new, own, rtol=1e-6)
    none = r.predict(X, interval="confidence")
    np.testing.assert_allclose(none, expected.predict(interval="confidence"), rtol=1e-6)
    with pytest.raises(ModelError, match="exog_re"):
        r.predict(X, random="all", groups=DATA["school"])
    with pytest.raises(ModelError, match="shape"):
        r.predict(X, random="all", groups=DATA["school"], exog_re=X[:, :1])
    with pytest.raises(ModelError, match="labels"):
        r.predict(X, random="all", groups=[1], exog_re=X)


def test_components_of_arrays_have_no_new_rows() -> None:
    rooms = [pd.get_dummies(own["room"], dtype=float) for _, own in DATA.groupby("school")]
    room = VCSpec(["room"], [[list(own.columns) for own in rooms]], [[own.to_numpy() for own in rooms]])
    X = np.column_stack([np.ones(len(DATA)), DATA["x"]])
    r = MixedLM(DATA["y"].to_numpy(), X, DATA["school"].to_numpy(), exog_vc=room).fit()
    assert np.isfinite(r.predict(random="all", interval="prediction")).all(axis=None)
    with pytest.raises(ModelError, match="matrices"):
        r.predict(X, random="all", groups=DATA["school"])


def test_rows_that_were_not_kept() -> None:
    for formula, how in (
        ("y ~ x + (x | school) + (1 | school:room)", {}),
        ("y ~ x", {"groups": "school", "re_formula": "1", "vc_formula": {"r": "0 + C(room)", "x": "0 + x"}}),
    ):
        streamed = mixedlm(formula, chunked(DATA, 100), **how).fit()
        whole = mixedlm(formula, DATA, **how).fit()
        new = DATA.iloc[:9].astype({"school": float})
        new.loc[new.index[0], "school"] = 12345.0
        for random in subsets(whole):
            for interval in ("confidence", "prediction"):
                found = streamed.predict(new, random=random, interval=interval)
                expected = whole.predict(new, random=random, interval=interval)
                pd.testing.assert_frame_equal(found, expected, rtol=1e-6)
        with pytest.raises(DataError, match="not kept"):
            streamed.predict(random="all")


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"random": ["pupil"]}, ModelError, "'school'"),
        ({"random": "Subject"}, ModelError, "no grouping factor"),
        ({"interval": "credible"}, ModelError, "'confidence'"),
        ({"interval": "confidence", "level": 95}, ModelError, "level"),
        ({"exog": DATA.drop(columns="school"), "random": "all"}, FormulaError, "school"),
        ({"exog": DATA[["x"]].to_numpy(), "transform": False, "random": "all"}, ModelError, "transform"),
    ],
)
def test_what_cannot_be_asked(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit("slope").predict(**arguments)


def test_columns_of_x_have_intervals_of_their_mean() -> None:
    r = fit("slope")
    found = r.predict(r.model.exog, transform=False, interval="confidence")
    np.testing.assert_allclose(found, r.predict(interval="confidence"))


def fitted_elsewhere() -> MixedLMResults:
    def bent(x: Any) -> Any:
        return np.sqrt(np.abs(x))

    components = {"log": "0 + np.log(x + 10)", "bent": "0 + bent(x)", "room": "0 + C(room)"}
    return mixedlm("y ~ bent(x)", DATA, groups="school", vc_formula=components).fit()


def test_components_keep_what_they_use_of_their_callers() -> None:
    """Functions and modules by name; formulas as text, so that all of it can be stored."""
    r = fitted_elsewhere()
    found = r.predict(DATA, random="all", interval="confidence")
    pd.testing.assert_frame_equal(found, r.predict(random="all", interval="confidence"), rtol=SAME)
    namespace = r.model.design.namespace
    assert dict(namespace.modules) == {"np": "numpy"}
    assert list(namespace.values) == ["bent"]
    texts = r.model.design.texts
    assert pickle.loads(pickle.dumps(texts)) == texts  # noqa: S301


def test_the_types_of_labels_are_of_no_matter() -> None:
    data = DATA.assign(day=pd.Timestamp("2024-01-01") + pd.to_timedelta(DATA["number"], unit="D"))
    r = mixedlm("y ~ x + (1 | school) + (1 | truth:teacher) + (1 | day:room)", data).fit()
    for new in (
        data.convert_dtypes(),
        data.astype({"teacher": str, "school": float}),
        data.astype({"truth": object, "room": "category", "school": object}),
        data.to_dict("list"),
    ):
        np.testing.assert_allclose(r.predict(new, random="all"), r.fittedvalues, rtol=SAME)
    nobody = r.predict(data.astype({"school": str}), random=["school"])  # text is no number
    np.testing.assert_allclose(nobody, r.predict())


def test_no_rows() -> None:
    found = fit("components").predict(DATA.iloc[:0], random="all", interval="prediction")
    assert found.shape == (0, 4)
