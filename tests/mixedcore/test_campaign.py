"""A slice of the campaign anew, its record, and the dense search that it trusts."""

from __future__ import annotations

import numpy as np
import pytest

from mixedcore import datasets
from tests.reference.boundary import titles
from tests.reference.campaign import COUNT, GAP, check, read, summary
from tests.reference.dense_search import Dense, best_of, off_zero, starts
from tests.reference.designs import DESIGNS, DataSet, Term, data_set

RECORD = read()
EVERY = len(DESIGNS)
# The first of every design by REML and the first by ML.
SLICE = range(2 * EVERY)


@pytest.mark.parametrize("number", SLICE)
def test_a_fit_of_the_slice_is_the_optimum_and_the_recorded_one(number: int) -> None:
    row, recorded = check(data_set(number, RECORD.seed)), RECORD.rows[number]
    assert row.hits, row
    assert row.criterion == pytest.approx(recorded.criterion, abs=GAP)
    assert (row.design, row.method, row.n, row.k) == (
        recorded.design,
        recorded.method,
        recorded.n,
        recorded.k,
    )
    assert (row.singular, row.converged) == (recorded.singular, recorded.converged)


# A search from moments of the outcome alone ends in a second optimum here, 0.005 to 1.3 above the best; in
# the last one rounding beside a nearly singular covariance had shown a fall where there is none.
SECOND_OPTIMA = [
    *((762, 20250), (611, 77), (1325, 77), (61, 4711), (15, 99), (160, 201), (1014, 202)),
    *((744, 302), (780, 302), (640, 301)),
]


@pytest.mark.parametrize(("number", "seed"), SECOND_OPTIMA)
def test_a_second_optimum_is_no_end(number: int, seed: int) -> None:
    row = check(data_set(number, seed))
    assert row.hits, row


def test_of_ends_that_only_rounding_tells_apart_a_converged_one_is_taken() -> None:
    """Searches from several starts end within 1e-7 here; the lowest of them did not converge."""
    row = check(data_set(445, RECORD.seed))
    assert row.hits, row


def test_the_record_is_a_whole_campaign_without_a_miss() -> None:
    assert [row.number for row in RECORD.rows] == list(range(COUNT))
    assert COUNT >= 1000
    assert {row.design for row in RECORD.rows} == set(DESIGNS)
    assert [row for row in RECORD.rows if not row.hits] == []
    assert RECORD.summary == pytest.approx(summary(RECORD.rows))


def test_the_designs_are_as_varied_as_they_claim() -> None:
    rows = RECORD.rows
    assert 0.3 < np.mean([row.singular for row in rows]) < 0.7
    assert {row.k for row in rows} >= {1, 2, 3, 4, 6, 10, 20}
    sizes = [data_set(number, RECORD.seed).frame.nunique() for number in range(200)]
    assert min(size["a"] for size in sizes) == 3
    assert max(size["a"] for size in sizes) > 150


def dyestuff(reml: bool) -> DataSet:
    """Criterion of Yield ~ 1 + (1 | Batch): MixedModels.jl 5.8.4, test/pls.jl."""
    frame = datasets.load("Dyestuff").rename(columns={"Yield": "y", "Batch": "a"})
    return DataSet("", 0, frame, {}, ("1",), (Term("a", ("a",), ("1",)),), reml)


@pytest.mark.parametrize(("reml", "expected"), [(True, 319.6542768422576), (False, 327.32705988112673)])
def test_the_dense_search_finds_a_published_optimum(reml: bool, expected: float) -> None:
    assert best_of(Dense(dyestuff(reml)), 0).value == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("number", range(EVERY))
def test_the_dense_gradient_is_that_of_the_dense_criterion(number: int) -> None:
    """Central differences of the criterion from a QR factorisation, along one random direction."""
    dense, rng = Dense(data_set(number, RECORD.seed)), np.random.default_rng(number)
    at = off_zero(dense, list(starts(dense, number))[-1])
    along = [rng.normal(size=T.shape) * (T != 0) for T in at]
    up, down = (tuple(T + h * D for T, D in zip(at, along, strict=True)) for h in (1e-5, -1e-5))
    value, gradient = dense.value_and_gradient(at)
    slope = sum(float(np.vdot(G, D)) for G, D in zip(gradient, along, strict=True))
    assert value == pytest.approx(dense.criterion(at), abs=1e-6)
    assert slope == pytest.approx((dense.criterion(up) - dense.criterion(down)) / 2e-5, rel=1e-4, abs=1e-4)


def test_a_boundary_is_expected_where_the_data_have_it() -> None:
    """Group means without any variation, and with much."""
    rng = np.random.default_rng(1)
    frame = datasets.load("Dyestuff").rename(columns={"Yield": "y", "Batch": "a"})
    noise = rng.normal(size=30)
    flat = frame.assign(y=noise - frame.assign(y=noise).groupby("a", observed=True)["y"].transform("mean"))
    term = (Term("a", ("a",), ("1",)),)
    data = DataSet("", 0, flat, {}, ("1",), term, True)
    assert titles(Dense(data), best_of(Dense(data), 0)) == {"The intercept does not vary over a"}
    assert titles(Dense(dyestuff(True)), best_of(Dense(dyestuff(True)), 0)) == set()
