"""Power of a test of fixed effects by simulation.

>>> from mixedcore import power
>>> found = power({"school": 20}, 10, test="treated", fixed={"Intercept": 0, "treated": 1},
...               sd={"school": 0.5}, predictors={"treated": ("binary", "school")},
...               grid={"school": [10, 40]}, n=50, seed=1)
>>> bool(found["power"].iloc[0] < found["power"].iloc[1])
True
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import SeedSequence
from scipy.special import betaincinv

from mixedcore.errors import DataError, ModelError
from mixedcore.inference.hypotheses import Ddf, Hypotheses
from mixedcore.inference.information import VarianceInformation
from mixedcore.inference.jobs import Cancel, Jobs, Progress
from mixedcore.inference.refits import Refitter
from mixedcore.inference.simulate import Seed, check_count, seed_sequence, stream
from mixedcore.inference.tails import check_level
from mixedcore.model import mixedlm
from mixedcore.simulate import Count, Kind, Truth, make_truth
from mixedcore.terms import Floats

BLOCK = 50  # replicates of one task
DESIGN = 0  # number of the stream that the design is drawn from; the replicates' follow


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One point of the grid, to be simulated: arguments of the design, and what is tested how."""

    design: Mapping[str, Any]
    formula: str | None
    terms: tuple[str, ...]
    ddf: Ddf
    reml: bool
    root: SeedSequence

    def truth(self) -> Truth:
        """The design, drawn from a stream of its own."""
        return make_truth(rng=stream(self.root, DESIGN), **self.design)

    def p_values(self, numbers: range) -> tuple[Floats, Floats]:
        """p-values of studies (R,), NaN where a fit failed, and which fits are singular, 1 or 0."""
        truth = self.truth()
        outcome = self.design["outcome"]
        Y = np.stack([truth.outcome(stream(self.root, DESIGN + 1 + r)) for r in numbers], axis=1)
        data = truth.frame.assign(**{outcome: Y[:, 0]})
        result = mixedlm(self.formula or truth.formula(outcome), data, eval_env=-1).fit(reml=self.reml)
        L = contrasts(list(result.fe_params.index), self.terms)
        p, singular = np.full(len(numbers), np.nan), np.zeros(len(numbers))
        for r, user in enumerate(Refitter(result._user).each(Y)):
            if user is not None:
                tests = Hypotheses(VarianceInformation(user), self.ddf)
                p[r] = tests.each(L).p_value[0] if len(L) == 1 else tests.together(L).p_value
                singular[r] = user.estimate.singular
        return p, singular


def power(
    groups: Mapping[str, Count],
    size: Count = 10,
    *,
    test: str | Sequence[str],
    fixed: Mapping[str, float],
    sd: Mapping[str, float | Mapping[str, float]] | None = None,
    correlation: Mapping[str, Any] | None = None,
    residual_sd: float = 1.0,
    predictors: Mapping[str, Kind | tuple[Kind, str]] | None = None,
    outcome: str = "y",
    formula: str | None = None,
    grid: Mapping[str, Sequence[Any]] | None = None,
    n: int = 1000,
    seed: Seed = None,
    alpha: float = 0.05,
    ddf: Ddf = "satterthwaite",
    reml: bool = True,
    level: float = 0.95,
    n_jobs: int = 1,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> pd.DataFrame:
    """Share of simulated studies in which a test of fixed effects rejects, for one design or a grid of them.

    groups … outcome : the design and its true model, as in `simulate_nested`; sizes and predictors that are
              random are drawn once for each design, outcomes anew for each study
    test    : the coefficient tested (t test), or a categorical term or several coefficients (F test)
    formula : the model that is fitted; by default the true one, in bars
    grid    : what varies → its values, in all combinations: a level of `groups` (its number), 'size',
              'residual_sd', or a name in `fixed` (its coefficient)
    n       : studies for each design; alpha: level of the test; ddf: as in `tidy` ('normal': Wald)
    level   : of the intervals of the power (Clopper & Pearson 1934, Biometrika 26)
    seed, n_jobs, progress, cancel : as in `result.bootstrap`; a study is the same whoever does it

    Returns a DataFrame, one row a design: the columns of the grid, `n` studies done, `rejected`, `power`
    (rejected / n), `conf_low, conf_high`, `failures` (fits that failed, counted as not rejecting), `singular`
    (share of fits). `attrs`: "seed", "cancelled". Raises DataError for what is no design, ModelError for an
    unknown coefficient or model.
    """
    check_level(alpha)
    base: dict[str, Any] = {"groups": groups, "size": size, "fixed": fixed, "sd": sd}
    base |= {"correlation": correlation, "residual_sd": residual_sd}
    base |= {"predictors": predictors, "outcome": outcome}
    model = formula, (test,) if isinstance(test, str) else tuple(test), ddf, reml
    root, points = seed_sequence(seed), list(_points(base, grid or {}))
    studies = [Study(design, *model, _child(root, g)) for g, (_, design) in enumerate(points)]
    jobs = Jobs(n_jobs, progress, cancel)
    return _table(studies, [values for values, _ in points], check_count(n, "studies"), alpha, level, jobs)


def _table(
    studies: Sequence[Study],
    points: Sequence[Mapping[str, Any]],
    n: int,
    alpha: float,
    level: float,
    jobs: Jobs,
) -> pd.DataFrame:
    tail = (1 - check_level(level)) / 2
    parts = jobs.run(partial(_task, studies, n), n * len(studies), min(BLOCK, n))
    p, singular = (np.concatenate([np.zeros(0), *(part[i] for part in parts)]) for i in (0, 1))
    own = [slice(g * n, (g + 1) * n) for g in range(len(points))]
    table = pd.DataFrame(
        {**values, **_row(p[at], singular[at], alpha, tail)} for values, at in zip(points, own, strict=True)
    )
    table.attrs = {"seed": studies[0].root.entropy, "cancelled": p.size < n * len(points)}
    return table


def _child(root: SeedSequence, number: int) -> SeedSequence:
    """The stream of streams of one design."""
    return SeedSequence(root.entropy, spawn_key=(*root.spawn_key, number), pool_size=root.pool_size)


def _task(studies: Sequence[Study], n: int, numbers: range) -> tuple[Floats, Floats]:
    """p-values and singular fits of studies counted over all designs, n of each."""
    parts = []
    for g in range(numbers.start // n, (numbers.stop - 1) // n + 1):
        own = range(max(numbers.start - g * n, 0), min(numbers.stop - g * n, n))
        parts.append(studies[g].p_values(own))
    p, singular = zip(*parts, strict=True)
    return np.concatenate(p), np.concatenate(singular)


def _points(
    base: Mapping[str, Any], grid: Mapping[str, Sequence[Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each combination of the grid's values, and the arguments of its design."""
    for values in product(*grid.values()):
        design = dict(base)
        for name, value in zip(grid, values, strict=True):
            if name in base["groups"]:
                design["groups"] = {**design["groups"], name: value}
            elif name in base["fixed"]:
                design["fixed"] = {**design["fixed"], name: value}
            elif name in ("size", "residual_sd"):
                design[name] = value
            else:
                known = [*base["groups"], "size", "residual_sd", *base["fixed"]]
                raise DataError(f"grid names {name!r}; what can vary is {', '.join(known)}.")
        yield dict(zip(grid, values, strict=True)), design


def _row(p: Floats, singular: Floats, alpha: float, tail: float) -> dict[str, float]:
    """What p-values (done,) say of the power."""
    n, rejected = p.size, int((p < alpha).sum())
    fitted = ~np.isnan(p)
    return {
        "n": n,
        "rejected": rejected,
        "power": rejected / n if n else np.nan,
        "conf_low": float(betaincinv(rejected, n - rejected + 1, tail)) if rejected else 0.0,
        "conf_high": float(betaincinv(rejected + 1, n - rejected, 1 - tail)) if rejected < n else 1.0,
        "failures": int((~fitted).sum()),
        "singular": float(singular[fitted].mean()) if fitted.any() else np.nan,
    }


def contrasts(names: Sequence[str], terms: Sequence[str]) -> Floats:
    """One row (r, p) for each coefficient that is named, or that belongs to a categorical term that is."""
    chosen: list[int] = []
    for term in terms:
        own = [j for j, name in enumerate(names) if name == term or name.startswith(f"{term}[")]
        if not own:
            raise ModelError(f"test names {term!r}; the fixed effects are {', '.join(names)}.")
        chosen += own
    return np.eye(len(names))[list(dict.fromkeys(chosen))]
