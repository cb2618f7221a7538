"""One measurement in a process of its own, so that a peer can be stopped and memory starts clean."""

from __future__ import annotations

import importlib
import multiprocessing
import statistics
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection

from tests.benchmarks.problems import PROBLEMS, Problem

RUNS = 5
ENOUGH = 5.0  # seconds of measurement after which a problem is not repeated
MODULES = {"mixedcore": "mixedcore", "statsmodels": "statsmodels.formula.api"}


@dataclass(frozen=True)
class Measured:
    """CPU seconds (median), REML log-likelihood, or neither where the limit was reached."""

    seconds: float | None
    llf: float | None


def _fit(peer: str, problem: Problem, data: object) -> float:
    module = importlib.import_module(MODULES[peer])
    result = module.mixedlm(data=data, **problem.arguments).fit()
    result.bse_fe  # noqa: B018  # standard errors are part of a fit
    return float(result.llf)


def _measure(peer: str, number: int, out: Connection) -> None:
    warnings.simplefilter("ignore")
    problem = PROBLEMS[number]
    data = problem.data()
    if peer == "mixedcore":
        _fit(peer, problem, data.iloc[:])  # imports and first calls
    times: list[float] = []
    while len(times) < RUNS and sum(times) < ENOUGH:
        start = time.process_time()
        llf = _fit(peer, problem, data)
        times.append(time.process_time() - start)
    out.send((statistics.median(times), llf))


def measure(peer: str, number: int, limit: float) -> Measured:
    """One peer on one problem, in a process of its own that can be stopped."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(peer, number, send))
    process.start()
    send.close()
    try:
        found = receive.recv() if receive.poll(limit) else None
    except EOFError:
        found = None
    process.kill()
    process.join()
    return Measured(*found) if found else Measured(None, None)
