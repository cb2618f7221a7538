"""Batched small matrices against NumPy's, on both sides of the size where LAPACK takes over."""

from __future__ import annotations

import numpy as np
import pytest

from mixedcore.engine import blocks
from mixedcore.terms import Floats

M = 7
sizes = pytest.mark.parametrize("q", [1, 2, 3, blocks.UNROLL, blocks.UNROLL + 1, 9])


def batch(q: int, r: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(q, r, M))


def each(A: Floats) -> Floats:
    """(m, a, b), as NumPy has stacks."""
    return np.ascontiguousarray(np.moveaxis(A, -1, 0))


@sizes
def test_multiply(q: int) -> None:
    A, B = batch(3, q), batch(q, 2, 1)
    np.testing.assert_allclose(each(blocks.multiply(A, B)), each(A) @ each(B), rtol=1e-12, atol=1e-12)


@sizes
def test_congruence(q: int) -> None:
    T, A = np.random.default_rng(2).normal(size=(q, q)), batch(q, q)
    A = A + blocks.transpose(A)
    np.testing.assert_allclose(each(blocks.congruence(T, A)), T.T @ each(A) @ T, rtol=1e-12, atol=1e-12)


@sizes
@pytest.mark.parametrize("definite", [True, False])
def test_inverse_and_logdet(q: int, definite: bool) -> None:
    A = batch(q, q)
    D = blocks.multiply(A, blocks.transpose(A))
    D[np.arange(q), np.arange(q)] += 1.0
    if not definite:
        D = -D
    inverse, logdet = blocks.inverse_and_logdet(D)
    np.testing.assert_allclose(each(inverse) @ each(D), np.tile(np.eye(q), (M, 1, 1)), atol=1e-10)
    np.testing.assert_allclose(logdet, np.linalg.slogdet(each(D)).logabsdet, rtol=1e-12)


def test_sums_over_runs_and_over_labels() -> None:
    A = batch(2, 3)
    runs = blocks.sum_runs(A, np.array([0, 2, 6]))
    np.testing.assert_allclose(runs, np.stack([A[..., :2].sum(-1), A[..., 2:6].sum(-1), A[..., 6]], -1))
    labels = np.array([4, 0, 4, 1, 1, 0, 4])
    sums = blocks.sum_by(A, labels, 6)
    assert sums.shape == (2, 3, 6)
    for label in range(6):
        np.testing.assert_allclose(sums[..., label], A[..., labels == label].sum(-1), atol=1e-15)


def test_transpose_is_a_view() -> None:
    A = batch(2, 3)
    assert np.shares_memory(blocks.transpose(A), A)
    assert (each(blocks.transpose(A)) == each(A).swapaxes(1, 2)).all()
