"""Scaled quantile residuals: where each outcome lies among outcomes that the fitted model would give.

Dunn & Smyth (1996), J. Comput. Graph. Stat. 5; Hartig, DHARMa (R package). Under the right model they are
uniform on (0, 1) whatever the distribution of the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

from mixedcore.terms import Floats, Ints


@dataclass(frozen=True, slots=True)
class SimulationTest:
    """One test: its statistic, what that would be under the model (None if it has no one value), p-value."""

    statistic: float
    expected: float | None
    p_value: float


@dataclass(frozen=True, eq=False, repr=False)
class QuantileResiduals:
    """Residuals on (0, 1) and what tests say of them.

    residuals  : Series (n,), by row or by group
    n          : simulations they rest on; random: 'new' or 'fitted' random effects; by: the grouping, or None
    uniformity : Kolmogorov–Smirnov test of the residuals against the uniform distribution, exact
    dispersion : variance of outcome less fitted value, over its mean in the simulations; p-value by rank
                 among these, two-sided, (1 + count) / (1 + n)
    outliers   : outcomes outside all simulations, of which the model expects 2/(n + 1) each; exact binomial

    Rows of one group share its random effect, so with random='new' the residuals of a group go together and
    the p-values of uniformity and outliers are too small; take `by`, or random='fitted', for these.
    """

    residuals: pd.Series
    n: int
    random: str
    by: str | None
    uniformity: SimulationTest
    dispersion: SimulationTest
    outliers: SimulationTest

    @property
    def tests(self) -> pd.DataFrame:
        """The three tests: index `test`, columns `statistic, expected, p_value`."""
        rows = {name: getattr(self, name) for name in ("uniformity", "dispersion", "outliers")}
        table = {name: (t.statistic, t.expected, t.p_value) for name, t in rows.items()}
        columns = ["statistic", "expected", "p_value"]
        return pd.DataFrame.from_dict(table, "index", float, columns).rename_axis("test")

    def __repr__(self) -> str:
        what = f"groups of {self.by}" if self.by else "rows"
        head = f"Quantile residuals of {len(self.residuals)} {what} from {self.n} simulations"
        return f"{head} ({self.random} random effects)\n{self.tests.to_string()}"


def quantile_residuals(observed: Floats, draws: Floats, rng: Generator) -> Floats:
    """(#{draw < y} + U (1 + #{draw = y})) / (R + 1) for outcomes y (n,), draws (n, R), U uniform; (n,).

    The rank of y among R draws of its own distribution, broken at random: exactly uniform for any R and for
    ties. DHARMa's #{draw < y}/R differs by less than 1/R, and its outliers are the same.
    """
    less = (draws < observed[:, None]).sum(axis=1)
    ties = (draws == observed[:, None]).sum(axis=1)
    return np.asarray((less + rng.uniform(size=less.size) * (1 + ties)) / (draws.shape[1] + 1))


def sum_by_group(values: Floats, codes: Ints, m: int) -> Floats:
    """Sums (m, R) over the rows of each group of values (n, R)."""
    out = np.zeros((m, values.shape[1]))
    np.add.at(out, codes, values)
    return out


def examine(
    observed: Floats, fitted: Floats, draws: Floats, rng: Generator
) -> tuple[Floats, SimulationTest, SimulationTest, SimulationTest]:
    """Residuals (n,) and the tests of uniformity, dispersion and outliers."""
    u = quantile_residuals(observed, draws, rng)
    return u, _uniformity(u), _dispersion(observed - fitted, draws - fitted[:, None]), _outliers(u, draws)


def _uniformity(u: Floats) -> SimulationTest:
    """Largest distance between the distribution of u (n,) and the uniform one."""
    from scipy.stats import kstwo  # slow to load, and wanted here only

    ordered, n = np.sort(u), u.size
    above = float((np.arange(1, n + 1) / n - ordered).max())
    below = float((ordered - np.arange(n) / n).max())
    distance = max(above, below)
    return SimulationTest(distance, None, float(kstwo.sf(distance, n)))


def _dispersion(residuals: Floats, simulated: Floats) -> SimulationTest:
    """Variance of residuals (n,) over the mean of that of simulated ones (n, R)."""
    ours, theirs = float(residuals.var(ddof=1)), simulated.var(axis=0, ddof=1)
    tail = 1 + min(int((theirs <= ours).sum()), int((theirs >= ours).sum()))
    return SimulationTest(ours / float(theirs.mean()), 1.0, min(1.0, 2 * tail / (1 + theirs.size)))


def _outliers(u: Floats, draws: Floats) -> SimulationTest:
    """Number of residuals below 1/(R + 1) or above R/(R + 1), of which 2/(R + 1) are expected."""
    from scipy.stats import binomtest

    share = 1 / (draws.shape[1] + 1)
    count = int(((u < share) | (u > 1 - share)).sum())
    found = binomtest(count, u.size, min(1.0, 2 * share))
    return SimulationTest(float(count), 2 * share * u.size, float(found.pvalue))
