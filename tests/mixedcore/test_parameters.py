"""The packed parameter vector: names and order, and the way from start values to the engine's θ and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixedcore import datasets, mixedlm
from mixedcore.engine.chart import factor_of
from mixedcore.engine.crossproducts import cross_products
from mixedcore.engine.elimination import plan
from mixedcore.engine.estimate import estimate
from mixedcore.engine.rows import gather
from mixedcore.errors import ModelError
from mixedcore.given import engine_theta, read
from mixedcore.parameters import (
    covariance_names,
    effect_names,
    packed_order,
    parameter_labels,
    parameter_values,
)
from mixedcore.terms import Block, Floats, RandomTerm
from mixedcore.units import UserUnits, free_entries

RNG = np.random.default_rng(5)
N = 60
G = np.arange(N) % 6
BASIS = np.column_stack([np.ones(N), RNG.normal(size=(2, N)).T * [3, 0.1] + [50, 0]])
NAMES = ("school", "x", "z")


def block(codes: np.ndarray, basis: Floats, names: tuple[str, ...]) -> Block:
    m = int(codes.max()) + 1
    return Block(codes.astype(np.intp), m, basis, np.zeros(m, np.intp), names * m)


def group(structure: str = "full") -> RandomTerm:
    own = block(G, BASIS, NAMES)
    return RandomTerm("school", "group", structure, ("Intercept", "x", "z"), (own,))  # type: ignore[arg-type]


def part(name: str, column: int) -> RandomTerm:
    own = block(np.arange(N) % 12, BASIS[:, [column]], (f"{name}[c]",))
    return RandomTerm(name, "component", "isotropic", (), (own,))


TERMS = (group(), part("a", 0), part("b", 1))
Y = RNG.normal(size=6)[G] + RNG.normal(size=12)[np.arange(N) % 12] + RNG.normal(size=N)


def test_names_go_by_rows_of_the_lower_triangle_then_components() -> None:
    assert effect_names(TERMS[0]) == NAMES
    assert covariance_names(TERMS) == [
        "school Var", "school x x Cov", "x Var", "school x z Cov", "x x z Cov", "z Var", "a Var", "b Var",
    ]  # fmt: skip
    assert covariance_names([group("diagonal")]) == ["school Var", "x Var", "z Var"]
    assert covariance_names([]) == []


def test_packed_order_leads_from_columns_to_rows() -> None:
    """Entry e of the packed vector is entry packed_order[e] of the engine's, which counts by columns."""
    rows, cols = free_entries(TERMS[0])
    order = packed_order(TERMS)
    assert [(rows[e], cols[e]) for e in order[:6]] == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]
    assert order[6:].tolist() == [6, 7]
    assert packed_order([]).size == 0


def through_the_engine(terms: tuple[RandomTerm, ...], packed: Floats, k_fe: int = 1) -> Floats:
    """Start values taken to θ, and the user's covariances of a search that would end there."""
    cp = cross_products(Y, np.ones((N, 1)), terms)
    theta = engine_theta(read(packed, terms, [k_fe], use_sqrt=False), terms, cp.scaled_terms)
    factors = tuple(factor_of(t, theta[cp.offsets[i] : cp.offsets[i + 1]]) for i, t in enumerate(terms))
    found = estimate(cp, plan(cp), terms, reml=True)
    user = UserUnits(replace(found, factors=factors), gather(Y, np.ones((N, 1)), terms))
    values = np.concatenate([user.psi(t)[free_entries(term)] for t, term in enumerate(terms)])
    return np.asarray(values[packed_order(terms)])


def random_packed(seed: int) -> Floats:
    root = np.random.default_rng(seed).normal(size=(3, 3))
    psi = root @ root.T
    return np.array([*psi[np.tril_indices(3)], 0.3, 2.0])


@pytest.mark.parametrize("seed", range(4))
def test_start_values_come_back_in_the_users_units(seed: int) -> None:
    packed = random_packed(seed)
    assert through_the_engine(TERMS, packed) == pytest.approx(packed, rel=1e-8)
    with_fixed = np.append([99.0], packed)
    assert through_the_engine(TERMS, with_fixed) == pytest.approx(packed, rel=1e-8)


def test_diagonal_terms_take_variances() -> None:
    packed = np.array([0.5, 1e-4, 4.0])
    assert through_the_engine((group("diagonal"),), packed) == pytest.approx(packed)


def test_a_singular_start_is_a_covariance_too() -> None:
    v = np.array([1.0, -0.5, 0.2])
    packed = np.array([*np.outer(v, v)[np.tril_indices(3)], 0.0, 1.0])
    cp = cross_products(Y, np.ones((N, 1)), TERMS)
    theta = engine_theta(read(packed, TERMS, [1], use_sqrt=False), TERMS, cp.scaled_terms)
    assert np.isfinite(theta).all()
    assert theta[6] == 0.0


@pytest.mark.parametrize(
    ("packed", "sentence"),
    [
        (np.ones(3), "3 parameters; give 1 fixed effects and 8 covariance"),
        (np.full(8, np.nan), "finite"),
        (np.array([1.0, 2, 1, 0, 0, 1, 1, 1]), "school is not a covariance matrix"),
        (np.array([1.0, 0, 1, 0, 0, 1, -1, 1]), "a is not a covariance matrix"),
    ],
)
def test_what_is_no_start_is_explained(packed: Floats, sentence: str) -> None:
    cp = cross_products(Y, np.ones((N, 1)), TERMS)
    with pytest.raises(ModelError, match=sentence):
        engine_theta(read(packed, TERMS, [1], use_sqrt=False), TERMS, cp.scaled_terms)


def test_labels_of_sds_and_correlations_stand_before_the_fixed_effects() -> None:
    assert parameter_labels(TERMS, ["Intercept", "x"]) == [
        "sd school Intercept", "sd school x", "sd school z",
        "cor school Intercept x", "cor school Intercept z", "cor school x z",
        "sd a", "sd b", "sigma", "Intercept", "x",
    ]  # fmt: skip
    assert parameter_labels([group("diagonal")], []) == [
        "sd school Intercept", "sd school x", "sd school z", "sigma",
    ]  # fmt: skip
    assert parameter_labels([], ["x"]) == ["sigma", "x"]


def test_labels_are_unique_whatever_the_names() -> None:
    twice = parameter_labels([group(), group(), part("school Intercept", 0)], ["sigma", "sd school x"])
    assert len(set(twice)) == len(twice)
    assert twice[-2:] == ["sigma", "sd school x"]


def test_values_are_those_that_tidy_shows() -> None:
    """The same numbers as `tidy(effects="random")`, which takes them another way, under names made of it."""
    classes = datasets.load("classrooms")
    result = mixedlm("test_score ~ age + (pretest | school) + (1 | classroom)", classes).fit()
    user = result._user
    terms = user.estimate.terms
    values = parameter_values(terms, [user.psi(t) for t in range(len(terms))], np.array(result.sigma))
    table = result.tidy(effects="random")
    table = table[table["scale"].isin(["sd", "correlation"])]
    kinds = {"sd": "sd", "correlation": "cor"}
    named = {
        " ".join(
            [kinds[row.scale], *(part for part in (row.group, row.term, row.term2) if part)]
        ): row.estimate
        for row in table.itertuples()
    }
    named["sigma"] = named.pop("sd Residual")
    labels = parameter_labels(terms, ["Intercept"])[:-1]
    assert set(labels) == set(named)
    assert dict(zip(labels, values, strict=True)) == pytest.approx(named, rel=1e-12)


def test_values_take_leading_axes_and_leave_out_correlations_of_nothing() -> None:
    psi = np.stack([np.diag([4.0, 1.0, 0.0]), np.full((3, 3), 9.0)])
    values = parameter_values([group()], [psi], np.array([2.0, 1.0]))
    nan = np.nan
    np.testing.assert_allclose(values, [[4, 2, 0, 0, nan, nan, 2], [3, 3, 3, 1, 1, 1, 1]])
