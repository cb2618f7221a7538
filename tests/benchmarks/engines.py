"""The programs that are compared: whether each is here, and one whole fit by it.

A fit goes from a DataFrame and formulas to a result with standard errors of the fixed effects, by REML, with
the engine's own default optimiser.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tests.benchmarks import lmer
from tests.benchmarks.problems import Problem

OURS = "mixedcore"
PEERS = ("lme4", "mixedlm", "statsmodels")


@dataclass(frozen=True)
class Fitted:
    """REML log-likelihood and evaluations of the criterion; None where the engine does not tell."""

    llf: float | None
    evaluations: int | None


def _mixedcore(problem: Problem, data: pd.DataFrame) -> Fitted:
    from mixedcore import mixedlm

    result = mixedlm(problem.formula, data).fit()
    result.bse_fe  # noqa: B018  # standard errors are part of a fit
    return Fitted(float(result.llf), result.optimisation.evaluations)


def _mixedlm(problem: Problem, data: pd.DataFrame) -> Fitted:
    result = importlib.import_module("mixedlm").lmer(problem.formula, data)
    result.vcov()
    return Fitted(float(result.logLik().value), int(result.function_evals))


def _statsmodels(problem: Problem, data: pd.DataFrame) -> Fitted:
    assert problem.seed is not None
    module = importlib.import_module("statsmodels.formula.api")
    result = module.mixedlm(data=data, **problem.seed).fit()
    result.bse_fe  # noqa: B018
    return Fitted(float(result.llf), None)


def _gram(problem: Problem, data: pd.DataFrame) -> Fitted:
    """No fit but its limit: the columns of `y ~ x` read into [1, x, y], and the Gram matrix formed once."""
    matrix = np.column_stack([np.ones(len(data)), data["x"], data["y"]])
    matrix.T @ matrix
    return Fitted(None, None)


PYTHON: dict[str, Callable[[Problem, pd.DataFrame], Fitted]] = {
    OURS: _mixedcore,
    "mixedlm": _mixedlm,
    "statsmodels": _statsmodels,
    "gram": _gram,
}


def present(engine: str) -> bool:
    """Whether this engine is installed."""
    if engine == "lme4":
        return lmer.versions() is not None
    return importlib.util.find_spec(engine) is not None


def expresses(engine: str, problem: Problem) -> bool:
    """Whether the engine's notation has this model."""
    return engine != "statsmodels" or problem.seed is not None
