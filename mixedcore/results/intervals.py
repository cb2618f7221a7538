"""Intervals of fixed effects, SDs, correlations and sigma."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from mixedcore import tidy
from mixedcore.data.tables import nearest
from mixedcore.engine.chart import Roots, lower_root
from mixedcore.engine.estimate import estimate
from mixedcore.errors import ModelError
from mixedcore.inference.jobs import Cancel, Progress
from mixedcore.inference.profile import Interval, LowerFoundError, profile_intervals
from mixedcore.inference.simulate import Seed
from mixedcore.parameters import parameter_labels
from mixedcore.results.simulations import Simulations
from mixedcore.terms import Floats
from mixedcore.units import UserUnits

Method = Literal["profile", "wald", "bootstrap"]
ATTEMPTS = 5  # optima found below the one that is profiled, before a model is given up


class Intervals(Simulations):
    """Confidence intervals, one row a parameter."""

    def confint(
        self,
        method: Method = "profile",
        *,
        level: float = 0.95,
        terms: str | Sequence[str] | None = None,
        n: int = 1000,
        seed: Seed = None,
        n_jobs: int = 1,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> pd.DataFrame:
        """Confidence intervals: index `term`, columns `conf_low, conf_high`, in the units of the data.

        SDs and correlations ('sd Subject Intercept', 'sd Subject Days', 'cor Subject Intercept Days',
        'sd classroom'), the residual SD 'sigma', then the fixed effects. `terms`: the names of those wanted;
        with many fixed effects, asking for few saves time.

        method
            'profile': where the ML deviance, at its least over all other parameters, exceeds its minimum by
            the χ²₁ quantile of the level. A REML fit is refitted by ML for it, as in lme4's `confint`. A
            bound may be the edge of what is possible: 0 for an SD that the data do not tell from none, −1 or
            1 for a correlation; `attrs["notes"]` of the frame says which, and why. `progress` hears of each
            parameter that is done; where `cancel` says so, those done by then are all there are.
            'wald': estimate and standard error, as in `tidy`: t intervals with Satterthwaite's degrees of
            freedom, on the log scale for SDs and on Fisher's z for correlations; missing at a boundary.
            'bootstrap': percentiles of `n` parametric bootstrap replicates; `n`, `seed`, `n_jobs`, `progress`
            and `cancel` as in `bootstrap`, whose own `confint` gives them again without drawing anew.

        Venzon & Moolgavkar (1988), Appl. Stat. 37; Bates et al. (2015), J. Stat. Softw. 67(1), section 5.1.
        Raises ModelError for an unknown method, level or name.
        """
        labels = parameter_labels(self._estimate.terms, self._fe_names)
        wanted = _chosen(terms, labels)
        if method == "profile":
            self._refuse_restricted("a profile")
            return _table(self._profiled(labels, wanted, level, progress, cancel))
        if method == "wald":
            bounds = self._wald(level)
            return _table([Interval(name, *bounds[labels.index(name)]) for name in wanted])
        if method == "bootstrap":
            draws = self.bootstrap(n, seed, n_jobs=n_jobs, progress=progress, cancel=cancel)
            table = draws.confint(level).loc[wanted]
            failed = f", of which {draws.failures} failed" if draws.failures else ""
            table.attrs["notes"] = [f"Percentiles of {draws.done:,} parametric bootstrap replicates{failed}."]
            return table
        raise ModelError(f"method={method!r} is not known; choose 'profile', 'wald' or 'bootstrap'.")

    def _profiled(
        self,
        labels: Sequence[str],
        wanted: Sequence[str],
        level: float,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> list[Interval]:
        self._check_determined(set(labels[: len(labels) - len(self._fe_names)]) & set(wanted))
        user = copy.copy(self.model).fit(reml=False)._user if self.reml else self._user
        for _ in range(ATTEMPTS):
            try:
                return profile_intervals(user, labels, wanted, level, progress, cancel)
            except LowerFoundError as lower:
                user = _refitted(user, lower.factors)
        raise ModelError(
            "The likelihood has so many optima that no profile of it can be trusted. Look for terms with few "
            "levels or covariates that nearly determine each other; method='wald' gives intervals without it."
        )

    def _check_determined(self, variances: set[str]) -> None:
        """ModelError where the likelihood is flat along what profiles are asked of: they have no end."""
        flat = [name for direction in self.optimisation.flat for name in direction.names]
        if variances and flat:
            raise ModelError(
                f"The data do not determine {', '.join(dict.fromkeys(flat))}, so the likelihood is flat "
                "along a combination of them and their profiles have no end. Take out an effect, or give "
                f"terms={self._fe_names!r} for the intervals of the fixed effects."
            )

    def _wald(self, level: float) -> Floats:
        """Bounds (k + 1 + p, 2), in the order of `parameter_labels`."""
        random = tidy.random_table(self._information, level=level)
        fixed = tidy.fixed_table(self._information, self._fe_names, ddf="satterthwaite", level=level)
        shown = random[random["scale"].isin(["sd", "correlation"])]
        return pd.concat([shown, fixed])[["conf_low", "conf_high"]].to_numpy(dtype=float)


def _refitted(user: UserUnits, factors: Sequence[Floats]) -> UserUnits:
    """The ML fit from other roots of the covariances, (q, q) each, in the engine's units."""
    found = user.estimate
    chart = Roots(found.evaluation.cp, found.terms)
    full = [
        T if term.structure != "full" else lower_root(T) for term, T in zip(found.terms, factors, strict=True)
    ]
    better = estimate(
        chart.cp,
        found.evaluation.factor.plan,
        found.terms,
        reml=False,
        start=chart.theta(full),
        rows=user.rows,
    )
    return UserUnits(better, user.rows)


def _chosen(terms: str | Sequence[str] | None, labels: Sequence[str]) -> list[str]:
    """The names asked for, in their order; ModelError for an unknown one."""
    if terms is None:
        return list(labels)
    asked = [terms] if isinstance(terms, str) else list(terms)
    for name in asked:
        if name not in labels:
            near = nearest(name, labels)
            hint = (
                f"did you mean {near!r}?" if near else f"the parameters are {', '.join(map(repr, labels))}."
            )
            raise ModelError(f"There is no parameter {name!r}; {hint}")
    return asked


def _table(intervals: Sequence[Interval]) -> pd.DataFrame:
    bounds = np.array([(own.low, own.high) for own in intervals]).reshape(-1, 2)
    index = pd.Index([own.name for own in intervals], name="term", dtype=object)
    table = pd.DataFrame(bounds, index=index, columns=["conf_low", "conf_high"])
    table.attrs["notes"] = [f"{own.name}: {own.note}" for own in intervals if own.note]
    return table
