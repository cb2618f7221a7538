"""Outcomes drawn from a fit, and the model on other outcomes."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from mixedcore.design import Design
from mixedcore.design_outcome import varying
from mixedcore.errors import DataError, rows_not_kept
from mixedcore.estimate import estimate
from mixedcore.inference.bootstrap import Bootstrap, bootstrap
from mixedcore.inference.jobs import Cancel, Jobs, Progress
from mixedcore.inference.simulate import (
    RandomEffects,
    Seed,
    Simulator,
    check_count,
    check_random,
    seed_sequence,
)
from mixedcore.outcomes import with_other_outcome
from mixedcore.results.fitted import Fitted
from mixedcore.rows import Rows
from mixedcore.terms import Floats
from mixedcore.units import UserUnits

if TYPE_CHECKING:
    from mixedcore.model import MixedLM


class Simulations(Fitted):
    """What data the model would give, and what it makes of other data."""

    def simulate(self, n: int = 1, seed: Seed = None, *, random: RandomEffects = "new") -> pd.DataFrame:
        """n draws of the outcome at the estimates: (rows, n), indexed by the rows in use.

        y* = offset + Xβ + Zb* + ε*, ε* ~ N(0, σ²/w) with prior weights w, and b* drawn anew from their normal
        distribution, or with random='fitted' the conditional modes (as R's `simulate(fit, use.u = TRUE)`).
        Draw r depends on the seed and on r alone. Raises ModelError for what is no number of draws, DataError
        where rows were not kept.
        """
        draws = Simulator.of(self._user, random).draws(seed_sequence(seed), range(check_count(n, "draws")))
        draws += self._fixed_part[:, None]
        return pd.DataFrame(draws, index=self.model.row_index).rename_axis(columns="draw")

    def refit(self, y: Any) -> Self:
        """The same model fitted to another outcome y (n,), one number for each row in use.

        The same as a fit of a new model, without building the design again: only Z'y, X'y and y'y are summed
        anew. A Series is paired by its index with the rows in use, so a column of `simulate` can be handed in
        as it is. Raises DataError for another length or index and for what is no finite number, ModelError
        for an outcome that does not vary.
        """
        model = with_outcome(self.model, y)
        cp, plan = model._products
        found = estimate(cp, plan, self._estimate.terms, reml=self.reml, rows=model._rows)
        return type(self)(model, UserUnits(found, model._rows))

    def bootstrap(
        self,
        n: int = 1000,
        seed: Seed = None,
        *,
        random: RandomEffects = "new",
        n_jobs: int = 1,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        nrep: int | None = None,
        rng: Seed = None,
    ) -> Bootstrap:
        """Parametric bootstrap: n outcomes drawn as by `simulate`, each fitted as by `refit`.

        Replicate r depends on the seed and on r alone, whoever computes it. Singular replicates are results;
        those whose fit fails are counted, shown and left out of intervals.

        n_jobs   : processes, −1 for all processors, each on one thread; where the environment variable
                   MIXEDCORE_SCHEDULER holds the address of a Dask scheduler, the work is done on its workers
        progress : function called with (done, n) as the work goes on
        cancel   : a threading.Event, or a function that says whether to stop; what is done by then is kept
        nrep, rng: statsmodels' names of `n` and `seed`

        Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 6.5; lme4's `bootMer`.
        """
        check_random(random)
        n = check_count(n if nrep is None else nrep, "replicates")
        jobs = Jobs(n_jobs, progress, cancel)
        seed = seed if rng is None else rng
        return bootstrap(self._user, self._fe_names, n, seed, random=random, jobs=jobs)


def with_outcome(model: MixedLM, y: Any) -> MixedLM:
    """The model of another outcome y (n,); its design and cross-products of X and Z are shared."""
    design = model.design
    rows = model._rows
    if not isinstance(design, Design) or not isinstance(rows, Rows):
        raise rows_not_kept("another outcome")
    values = varying(_numbers(y, model.row_index), design.offset, design.endog_name)
    frame, name = design.frame, design.endog_name
    if frame is not None and name in frame.raw:
        frame = replace(frame, raw={**frame.raw, name: pd.Series(values)})
    other = copy.copy(model)
    other._design = replace(design, y=values, frame=frame)
    cp, plan = model._products
    cp, rows = with_other_outcome(cp, rows, design.terms, other._design.response)
    other.__dict__ |= {"_rows": rows, "_products": (cp, plan)}  # in the place of what would be computed
    return other


def _numbers(y: Any, index: pd.Index) -> Floats:
    """The outcome (n,) as finite numbers, a Series in the order of `index`."""
    if isinstance(y, pd.Series) and not y.index.equals(index):
        if not (y.index.is_unique and index.is_unique and len(y) == len(index) and y.index.isin(index).all()):
            raise DataError(
                "The index of y is not that of the rows in use, so it is not clear which value belongs to "
                "which row. Give a Series indexed as `result.fittedvalues` is, or an array in its order."
            )
        y = y.reindex(index)
    try:
        values = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as err:
        raise DataError("y is not numeric; give one number for each row in use.") from err
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (len(index),):
        raise DataError(f"y has shape {values.shape}; give one number for each of {len(index)} rows in use.")
    if bad := int((~np.isfinite(values)).sum()):
        raise DataError(f"y is missing or infinite in {bad} of {len(index)} rows; give finite numbers.")
    return values
