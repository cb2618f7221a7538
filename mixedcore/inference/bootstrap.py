"""Parametric bootstrap: the model refitted to outcomes drawn from it.

Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 6.5; percentile intervals, chapter 13.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.random import SeedSequence

from mixedcore.data.columns import Mask
from mixedcore.errors import ModelError
from mixedcore.inference.jobs import Jobs
from mixedcore.inference.refits import Refits, Refitter
from mixedcore.inference.simulate import RandomEffects, Seed, Simulator, seed_sequence
from mixedcore.inference.tails import check_level
from mixedcore.parameters import parameter_labels, parameter_values
from mixedcore.terms import Floats
from mixedcore.units import UserUnits


@dataclass(frozen=True, eq=False, repr=False)
class Bootstrap:
    """Replicates of a fit.

    replicates : DataFrame, one row a replicate and one column a parameter: SDs, correlations, sigma, fixed
                 effects, in the units of the data; missing in a replicate that failed, and a correlation also
                 where one of its SDs is zero
    estimates  : Series, the fit itself by the same names
    converged, singular : (done,) booleans; criterion (done,): −2 log-likelihood or REML criterion
    asked      : replicates asked for; there are fewer where it was cancelled
    seed       : gives the same replicates again
    """

    replicates: pd.DataFrame
    estimates: pd.Series
    converged: Mask
    singular: Mask
    criterion: Floats
    asked: int
    seed: int | Sequence[int] | None

    @property
    def done(self) -> int:
        """Replicates there are."""
        return len(self.replicates)

    @property
    def cancelled(self) -> bool:
        """Whether it ended before all replicates were there."""
        return self.done < self.asked

    @property
    def failures(self) -> int:
        """Replicates whose fit failed or did not reach an optimum."""
        return int((~self.converged).sum())

    @property
    def singular_share(self) -> float:
        """Share of the converged replicates with a variance of zero or a correlation of ±1."""
        return float(self.singular[self.converged].mean()) if self.converged.any() else float("nan")

    @property
    def std_error(self) -> pd.Series:
        """Standard deviation of each parameter over the converged replicates."""
        return self._good.std().rename("std_error")

    @property
    def bias(self) -> pd.Series:
        """Mean of each parameter over the converged replicates, less its estimate."""
        return (self._good.mean() - self.estimates).rename("bias")

    @property
    def _good(self) -> pd.DataFrame:
        return self.replicates[self.converged]

    def confint(self, level: float = 0.95) -> pd.DataFrame:
        """Percentile intervals, index `term`, columns `conf_low, conf_high`.

        Quantiles of the converged replicates by linear interpolation (R's type 7); those of a correlation are
        of the replicates in which it exists.
        """
        tail = (1 - check_level(level)) / 2
        if not self.converged.any():
            raise ModelError(f"None of {self.done} bootstrap replicates converged, so there is no interval.")
        found = self._good.quantile([tail, 1 - tail]).T
        return found.set_axis(["conf_low", "conf_high"], axis=1).rename_axis("term")

    def __iter__(self) -> Iterator[Floats]:
        """Mean, standard deviation (divisor: replicates) and all replicates, as statsmodels' returns them."""
        values = self._good.to_numpy()
        return iter((np.nanmean(values, axis=0), np.nanstd(values, axis=0), values))

    def __repr__(self) -> str:
        facts = [
            f"{self.done:,} of {self.asked:,} parametric bootstrap replicates"
            f"{' (cancelled)' if self.cancelled else ''}",
            f"{self.failures} failed; {100 * self.singular_share:.1f} % of the others singular",
        ]
        table = pd.DataFrame({"estimate": self.estimates, "bias": self.bias, "std_error": self.std_error})
        return "\n".join([*facts, table.to_string()])


def bootstrap(
    user: UserUnits, names: Sequence[str], n: int, seed: Seed, *, random: RandomEffects, jobs: Jobs
) -> Bootstrap:
    """Draw n outcomes from a fit and fit the model to each; `names` are those of the fixed effects."""
    root, refitter = seed_sequence(seed), Refitter(user)
    parts = jobs.run(partial(refit_draws, user, random, root), n, refitter.block)
    found = Refits.joined(parts) if parts else refitter.room(0)
    terms = user.estimate.terms
    labels = parameter_labels(terms, names)
    values = np.concatenate([parameter_values(terms, found.psi, found.sigma), found.beta], axis=1)
    own = parameter_values(terms, [user.psi(t) for t in range(len(terms))], np.sqrt(user.sigma2))
    return Bootstrap(
        replicates=pd.DataFrame(values, columns=labels).rename_axis("replicate"),
        estimates=pd.Series(np.append(own, user.beta), index=labels, name="estimate"),
        converged=found.converged,
        singular=found.singular,
        criterion=found.criterion,
        asked=n,
        seed=root.entropy,
    )


def refit_draws(user: UserUnits, random: RandomEffects, root: SeedSequence, numbers: range) -> Refits:
    """The refits of draws `numbers`: what one task does.

    A criterion does not depend on Xβ̂, so draws are fitted without it and β̂ is added.
    """
    refitter = Refitter(user)
    Y = Simulator(user, random, refitter.columns).residual_draws(root, numbers)
    return refitter.fit(Y * user.y_scale).shifted(user.beta)
