"""The parametric bootstrap: replicates are refits of draws, whoever computes them; nothing goes unsaid."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import ModuleType
from typing import Any

import dask
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.engine.estimate import Estimate
from mixedcore.errors import ModelError
from mixedcore.inference import refits
from tests.mixedcore.models_of_all_kinds import DATA, MODELS

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "simulations.json").read_text("utf-8"))
SLEEP = datasets.load("sleepstudy")
SURE = 5.0  # standard errors of a Monte Carlo mean


@pytest.fixture(scope="module")
def sleep() -> MixedLMResults:
    return mixedlm("Reaction ~ Days + (Days | Subject)", SLEEP).fit()


@pytest.fixture(scope="module")
def crossed() -> MixedLMResults:
    return mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", datasets.load("Penicillin")).fit()


@pytest.mark.parametrize("name", ["sleep", "crossed"])
@pytest.mark.parametrize("random", ["new", "fitted"])
def test_replicates_are_refits_of_draws(name: str, random: Any, request: pytest.FixtureRequest) -> None:
    result: MixedLMResults = request.getfixturevalue(name)
    found = result.bootstrap(4, seed=5, random=random)
    draws = result.simulate(4, seed=5, random=random)
    for r in range(4):
        fresh = result.refit(draws[r])
        assert found.criterion[r] == pytest.approx(fresh.criterion, abs=1e-8)
        table = fresh.tidy("random")
        sds = table.loc[table["scale"] == "sd", "estimate"].to_numpy()
        own = found.replicates.iloc[r]
        np.testing.assert_allclose(own.filter(regex="^(sd|sigma)"), sds, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(own[fresh.fe_params.index], fresh.fe_params, rtol=1e-7)
        assert found.singular[r] == fresh.singular


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
def test_any_model_can_be_bootstrapped(model: dict[str, Any], reml: bool) -> None:
    """The first replicate is the fit of a new model to the first draw, whichever way it was found."""
    result = mixedlm(data=DATA, eval_env=-1, **model).fit(reml=reml)
    found = result.bootstrap(2, seed=3)
    fresh = mixedlm(data=DATA.assign(y=result.simulate(1, seed=3)[0]), eval_env=-1, **model).fit(reml=reml)
    assert found.criterion[0] == pytest.approx(fresh.criterion, abs=1e-6)
    own = found.replicates.iloc[0]
    assert own["sigma"] == pytest.approx(fresh.sigma, rel=1e-3)
    scale = float(fresh.bse_fe.max()) if len(fresh.fe_params) else 1.0
    np.testing.assert_allclose(own[fresh.fe_params.index], fresh.fe_params, atol=1e-3 * scale)
    assert found.failures == 0
    assert found.replicates.columns.is_unique


def test_parameters_are_named_and_the_estimates_stand_beside(sleep: MixedLMResults) -> None:
    found = sleep.bootstrap(3, seed=1)
    names = [
        "sd Subject Intercept", "sd Subject Days", "cor Subject Intercept Days", "sigma", "Intercept", "Days",
    ]  # fmt: skip
    assert list(found.replicates.columns) == list(found.estimates.index) == names
    assert found.estimates["sigma"] == sleep.sigma
    assert found.estimates["Days"] == sleep.fe_params["Days"]
    assert found.estimates["sd Subject Days"] == pytest.approx(np.sqrt(sleep.cov_re.iloc[1, 1]))


def test_the_distribution_is_that_of_lme4s_bootstrap(sleep: MixedLMResults) -> None:
    """1,000 replicates of bootMer and 1,000 of ours: mean, spread and quantiles within Monte Carlo error."""
    found, theirs = sleep.bootstrap(1000, seed=2), REFERENCE["boot"]
    assert list(found.replicates.columns) == theirs["order"]
    mean, sd = np.array(theirs["mean"]), np.array(theirs["sd"])
    assert (np.abs(found.replicates.mean() - mean) < SURE * sd * np.sqrt(2 / 1000)).all()
    # The variance of a sample SD goes with the kurtosis; that of correlations is below the normal's 3.
    assert (np.abs(found.replicates.std() / sd - 1) < SURE * np.sqrt(1.5 / 1000)).all()
    low, middle, high = np.array(theirs["quantiles"]).T.reshape(-1, 3).T
    for tail, quantile in ((0.025, low), (0.5, middle), (0.975, high)):
        below = (found.replicates <= quantile).mean()  # no density is needed to compare shares
        assert (np.abs(below - tail) < SURE * np.sqrt(tail * (1 - tail) * 2 / 1000)).all()


def test_intervals_are_percentiles(sleep: MixedLMResults) -> None:
    found = sleep.bootstrap(200, seed=3)
    interval = found.confint(0.9)
    assert list(interval.columns) == ["conf_low", "conf_high"]
    assert interval.index.name == "term"
    for name in found.replicates:
        expected = np.nanquantile(found.replicates[name], [0.05, 0.95])
        np.testing.assert_allclose(interval.loc[name], expected)
    with pytest.raises(ModelError, match="level"):
        found.confint(95)


def test_statsmodels_names_and_triple(sleep: MixedLMResults) -> None:
    mean, std, values = sleep.bootstrap(nrep=10, rng=4)
    found = sleep.bootstrap(10, seed=4)
    np.testing.assert_array_equal(values, found.replicates)
    np.testing.assert_allclose(mean, found.replicates.mean())
    np.testing.assert_allclose(std, found.replicates.std(ddof=0))
    np.testing.assert_allclose(found.bias, mean - found.estimates)
    np.testing.assert_allclose(found.std_error, std * np.sqrt(10 / 9))


def test_the_seed_is_kept_where_none_is_given(sleep: MixedLMResults) -> None:
    found = sleep.bootstrap(3)
    pd.testing.assert_frame_equal(sleep.bootstrap(3, seed=found.seed).replicates, found.replicates)


def test_singular_replicates_are_results(sleep: MixedLMResults) -> None:
    found = mixedlm("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff2")).fit().bootstrap(100, seed=1)
    assert found.failures == 0
    assert found.singular_share == ((found.replicates["sd Batch Intercept"] == 0).mean()) > 0.4
    zero = sleep.bootstrap(300, seed=2)
    sds = zero.replicates[["sd Subject Intercept", "sd Subject Days"]]
    missing = zero.replicates["cor Subject Intercept Days"].isna()
    assert (missing == (sds == 0).any(axis=1)).all()
    assert "singular" in repr(zero)


def test_failures_are_counted_shown_and_left_out(
    crossed: MixedLMResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = refits.estimate, iter(range(100))

    def sometimes(*args: Any, **kwargs: Any) -> Estimate:
        if next(calls) % 3 == 0:
            raise ModelError("made to fail")
        return whole(*args, **kwargs)

    def never(*args: Any, **kwargs: Any) -> Estimate:
        raise ModelError("made to fail")

    monkeypatch.setattr(refits, "estimate", sometimes)
    found = crossed.bootstrap(7, seed=1)
    assert found.failures == 3
    assert found.converged.tolist() == [r % 3 > 0 for r in range(7)]
    assert found.replicates[~found.converged].isna().all(axis=None)
    assert found.replicates[found.converged].notna().all(axis=None)
    assert found.confint().notna().all(axis=None)
    assert "3 failed" in repr(found)
    monkeypatch.setattr(refits, "estimate", never)
    none = crossed.bootstrap(2, seed=1)
    assert none.failures == 2
    with pytest.raises(ModelError, match="None of 2"):
        none.confint()


def test_two_processes_give_the_same_numbers(crossed: MixedLMResults) -> None:
    seen: list[tuple[int, int]] = []
    one = crossed.bootstrap(60, seed=6)
    two = crossed.bootstrap(60, seed=6, n_jobs=2, progress=lambda done, n: seen.append((done, n)))
    pd.testing.assert_frame_equal(one.replicates, two.replicates, check_exact=True)
    assert seen == [(25, 60), (50, 60), (60, 60)]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_is_done_when_cancelled_is_kept(crossed: MixedLMResults, n_jobs: int) -> None:
    stop = Event()
    found = crossed.bootstrap(500, seed=6, n_jobs=n_jobs, progress=lambda *_: stop.set(), cancel=stop)
    assert found.cancelled
    assert 25 <= found.done < 500
    assert f"{found.done} of 500" in repr(found)
    assert "cancelled" in repr(found)
    pd.testing.assert_frame_equal(found.replicates, crossed.bootstrap(found.done, seed=6).replicates)


def test_cancelled_before_it_began(sleep: MixedLMResults) -> None:
    found = sleep.bootstrap(50, seed=1, cancel=lambda: True)
    assert found.done == 0
    assert found.cancelled
    assert list(found.replicates.columns) == list(found.estimates.index)
    assert "0 of 50" in repr(found)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_of_the_callers_passes_through(crossed: MixedLMResults, n_jobs: int) -> None:
    def progress(done: int, n: int) -> None:
        raise KeyError(done)

    with pytest.raises(KeyError, match="25"):
        crossed.bootstrap(100, seed=1, n_jobs=n_jobs, progress=progress)


@pytest.mark.parametrize(
    "how, message", [({"n": 0}, "n=0"), ({"n_jobs": 0}, "n_jobs=0"), ({"random": "x"}, "random")]
)
def test_what_makes_no_sense_is_refused(sleep: MixedLMResults, how: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        sleep.bootstrap(**how)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Workers in processes of their own; see test_stream_cluster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as own:
            yield own


def test_a_cluster_gives_the_same_numbers(
    crossed: MixedLMResults, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = crossed.bootstrap(60, seed=6)
    monkeypatch.setenv("MIXEDCORE_SCHEDULER", cluster.scheduler_address)
    seen: list[int] = []
    found = crossed.bootstrap(60, seed=6, progress=lambda done, _: seen.append(done))
    pd.testing.assert_frame_equal(found.replicates, expected.replicates, check_exact=True)
    assert seen == [25, 50, 60]
    with Client(cluster, set_as_default=False) as own:  # the only one that the scheduler knows
        known = own.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.clients))
        assert [name for name in known if "worker" not in name and name.startswith("Client")] == [own.id]


def test_a_scheduler_that_does_not_answer_is_named(
    crossed: MixedLMResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXEDCORE_SCHEDULER", "tcp://127.0.0.1:9")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(ModelError, match=r"No Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"),
    ):
        crossed.bootstrap(60, seed=6)
