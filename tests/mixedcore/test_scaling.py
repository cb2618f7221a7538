"""The engine's units: the way there and back loses nothing, and aliased columns are told from awkward."""

from __future__ import annotations

import numpy as np
import pytest

from mixedcore.engine.moments import moments
from mixedcore.engine.rows import gather
from mixedcore.engine.scaling import FixedScaling, ScaledTerm, outcome_column, scale_fixed, scale_term
from mixedcore.errors import ModelError
from mixedcore.terms import Block, Floats, RandomTerm

N = 80
RNG = np.random.default_rng(9)
ONE, X1, X2 = np.ones(N), RNG.normal(size=N), RNG.normal(size=N)
Y = 3 + 2 * X1 + RNG.normal(size=N)


def fixed_part(y: Floats, X: Floats) -> tuple[FixedScaling, Floats, Floats]:
    """The fixed part's scaling, and Xs (n, p) and ys (n,) made with it."""
    rows = gather(y, X, ())
    found = moments(rows.chunks())
    fixed = scale_fixed(rows.layout, found, rows.chunks)
    (chunk,) = rows.chunks()
    Xs = fixed.basis.values(chunk, found).T
    left = outcome_column(chunk, found, rows.layout.outcome, fixed.about_mean) - Xs @ fixed.start
    return fixed, Xs, left / fixed.y_scale


def random_part(term: RandomTerm) -> tuple[ScaledTerm, list[Floats]]:
    """The term's scaling, and the covariates (n, q) of each block made with it."""
    rows = gather(Y, ONE[:, None], (term,))
    found = moments(rows.chunks())
    scaled = scale_term(term, rows.layout.bases[0], found, rows.chunks)
    (chunk,) = rows.chunks()
    return scaled, [basis.values(chunk, found).T for basis in scaled.bases]


MATRICES: dict[str, Floats] = {
    "one column": ONE[:, None],
    "ordinary": np.column_stack([ONE, X1, X2]),
    "no constant": np.column_stack([X1, X2]),
    "constant last": np.column_stack([X1, X2, 5 * ONE]),
    "millions": np.column_stack([ONE, 1e6 * X1, 1e-6 * X2]),
    "a year": np.column_stack([ONE, 2000 + np.arange(N) % 20, X1]),
    "far from zero": np.column_stack([ONE, X1 + 1e7, X2]),
    "nearly collinear": np.column_stack([ONE, X1, X1 + 1e-5 * X2]),
    "none": np.zeros((N, 0)),
}


@pytest.mark.parametrize("X", MATRICES.values(), ids=MATRICES)
def test_there_and_back(X: Floats) -> None:
    """Least squares in the engine's units, carried back, is least squares in the user's."""
    fixed, Xs, ys = fixed_part(Y, X)
    assert fixed.kept.tolist() == list(range(X.shape[1]))
    lengths = np.sqrt((Xs**2).mean(axis=0))
    np.testing.assert_allclose(lengths, 1.0, rtol=1e-6)
    # Where the columns are far from zero the product itself loses the digits that the scaled columns keep.
    np.testing.assert_allclose(X @ fixed.A, Xs, atol=1e-8)
    np.testing.assert_allclose(np.sqrt((ys**2).mean()), 1.0)
    step = np.linalg.lstsq(Xs, ys, rcond=None)[0]
    beta = fixed.beta_to_user(step)
    residual = Y - X @ beta
    np.testing.assert_allclose(residual, fixed.y_scale * (ys - Xs @ step), atol=1e-6)
    np.testing.assert_allclose(X.T @ residual / (np.abs(X).sum(axis=0) + 1), 0, atol=1e-7)
    expected = np.linalg.slogdet(fixed.A).logabsdet if X.shape[1] else 0.0
    assert fixed.logdet == pytest.approx(expected)


ALIASED: dict[str, tuple[Floats, list[int]]] = {
    "the same twice": (np.column_stack([ONE, X1, X1]), [0, 1]),
    "a multiple": (np.column_stack([ONE, X1, 1e6 * X1, X2]), [0, 1, 3]),
    "a sum": (np.column_stack([ONE, X1, X2, X1 + X2]), [0, 1, 2]),
    "the constant shifted": (np.column_stack([X1, X2, ONE, 2 * ONE]), [0, 1, 2]),
    "all dummies and the constant": (
        np.column_stack([ONE, np.arange(N) % 2 == 0, np.arange(N) % 2 == 1]).astype(float),
        [0, 1],
    ),
    "a column of zeros": (np.column_stack([ONE, 0 * X1, X2]), [0, 2]),
    "two families": (np.column_stack([ONE, X1, X2, X1 - X2, 3 + X1, X2**2]), [0, 1, 2, 5]),
}


@pytest.mark.parametrize(("X", "kept"), ALIASED.values(), ids=ALIASED)
def test_aliased_columns_are_left_out_the_later_ones_first(X: Floats, kept: list[int]) -> None:
    fixed, Xs, _ = fixed_part(Y, X)
    assert fixed.kept.tolist() == kept
    np.testing.assert_allclose(X[:, kept] @ fixed.A, Xs, atol=1e-8)


@pytest.mark.parametrize("y", [2 * X1 - 1, np.full(N, 7.0), 1e8 * X1])
def test_an_outcome_without_residual_is_refused(y: Floats) -> None:
    with pytest.raises(ModelError, match="exactly"):
        fixed_part(y, np.column_stack([ONE, X1]))


def term(structure: str, *bases: Floats) -> RandomTerm:
    codes = (np.arange(N) % 8).astype(np.intp)
    blocks = tuple(Block(codes, 8, basis, np.zeros(8, np.intp), [""] * 8 * basis.shape[1]) for basis in bases)
    names = tuple(f"x{j}" for j in range(bases[0].shape[1]))
    return RandomTerm("t", "group", structure, names, blocks)  # type: ignore[arg-type]


def test_a_full_term_with_a_constant_is_centred_and_scaled() -> None:
    basis = np.column_stack([ONE, 1e4 + X1, 1e-3 * X2])
    scaled, bases = random_part(term("full", basis))
    np.testing.assert_allclose(basis @ scaled.A, bases[0], atol=1e-9)
    np.testing.assert_allclose(bases[0][:, 1:].mean(axis=0), 0, atol=1e-11)
    np.testing.assert_allclose((bases[0] ** 2).mean(axis=0), 1)


def test_other_terms_are_only_scaled_since_their_origin_means_something() -> None:
    basis = np.column_stack([ONE, 100 + X1])
    for structure, other in (("diagonal", basis), ("full", basis[:, 1:])):
        scaled, bases = random_part(term(structure, other))
        assert (np.count_nonzero(scaled.A - np.diag(np.diag(scaled.A)))) == 0
        np.testing.assert_allclose(other @ scaled.A, bases[0])
        np.testing.assert_allclose((bases[0] ** 2).mean(axis=0), 1)


def test_a_component_has_one_unit_for_all_its_blocks() -> None:
    """Its coefficients share a variance, so scaling their columns apart would change the model."""
    scaled, bases = random_part(term("isotropic", 10 * np.column_stack([X1, X2]), 1000 * ONE[:, None]))
    np.testing.assert_allclose(bases[0], 10 * scaled.unit * np.column_stack([X1, X2]))
    np.testing.assert_allclose(bases[1], 1000 * scaled.unit * ONE[:, None])


def test_rows_of_zeros_take_no_part_in_a_components_unit() -> None:
    few = np.where(np.arange(N) % 10 == 0, 4.0, 0.0)[:, None]
    assert random_part(term("isotropic", few))[0].unit == pytest.approx(0.25)
