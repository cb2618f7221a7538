"""Outcomes drawn from a fit, and the model on other outcomes."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from mixedcore.design.design import Design
from mixedcore.design.outcome import varying
from mixedcore.diagnostics.quantile_residuals import QuantileResiduals, examine, sum_by_group
from mixedcore.engine.crossproducts import sum_rows
from mixedcore.engine.estimate import estimate
from mixedcore.engine.rows import Rows
from mixedcore.errors import DataError, ModelError, rows_not_kept
from mixedcore.inference.bootstrap import Bootstrap, bootstrap
from mixedcore.inference.jobs import Cancel, Jobs, Progress
from mixedcore.inference.simulate import (
    RandomEffects,
    Seed,
    Simulator,
    check_count,
    check_random,
    seed_sequence,
    stream,
)
from mixedcore.results.fitted import Fitted
from mixedcore.terms import Floats, Ints
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

        The same as a fit of a new model, without building the design again: rows are summed anew, and that is
        all. A Series is paired by its index with the rows in use, so a column of `simulate` can be handed in
        as it is. Raises DataError for another length or index and for what is no finite number, ModelError
        for an outcome that does not vary.
        """
        self._refuse_restricted("refit()")
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
        self._refuse_restricted("bootstrap()")
        check_random(random)
        n = check_count(n if nrep is None else nrep, "replicates")
        jobs = Jobs(n_jobs, progress, cancel)
        seed = seed if rng is None else rng
        return bootstrap(self._user, self._fe_names, n, seed, random=random, jobs=jobs)

    def simulated_residuals(
        self, n: int = 250, seed: Seed = None, *, random: RandomEffects = "new", by: Any = None
    ) -> QuantileResiduals:
        """Scaled quantile residuals from n simulations, and tests of uniformity, dispersion and outliers.

        random : 'new' random effects in every simulation, or the 'fitted' ones
        by     : a grouping factor, another column or one label a row; sums over its groups are then compared,
                 which are independent between the groups of the highest level
        Raises ModelError for an unknown grouping, DataError where rows were not kept. Hartig, DHARMa; see
        `QuantileResiduals`.
        """
        root, fixed = seed_sequence(seed), self._fixed_part
        draws = self.simulate(check_count(n, "simulations"), root, random=random).to_numpy()
        fitted = fixed if random == "new" else np.asarray(self.fittedvalues)
        observed, index, name = self.model.endog, self.model.row_index, None
        if by is not None:
            codes, index, name = grouping_of(self.model, by)
            parts = (observed[:, None], fitted[:, None], draws)
            sums = [sum_by_group(part, codes, len(index)) for part in parts]
            observed, fitted, draws = sums[0][:, 0], sums[1][:, 0], sums[2]
        found, *tests = examine(observed, fitted, draws, stream(root, n))
        return QuantileResiduals(pd.Series(found, index, name="residual"), n, random, name, *tests)


def grouping_of(model: MixedLM, by: Any) -> tuple[Ints, pd.Index, str]:
    """Group of each row (n,), labels and name of a grouping factor, another column, or labels (n,) given."""
    if not isinstance(by, str):
        labels, name = np.asarray(by), "the given groups"
        if labels.shape != (model.nobs,):
            raise ModelError(f"by has shape {labels.shape}; give one label for each of {model.nobs} rows.")
    else:
        for term in model.design.terms:
            if term.role == "group" and term.name == by:
                return term.blocks[0].codes, pd.Index(term.levels, name=by), by
        columns = model.used_columns()
        if by not in columns:
            raise ModelError(
                f"by={by!r} is no grouping factor and no column of the model, which has "
                f"{', '.join(map(str, columns))}. Give the labels of other groups as an array."
            )
        labels, name = columns[by].to_numpy(), by
    codes, levels = pd.factorize(labels, sort=False)
    return codes.astype(np.intp), pd.Index(levels, name=name), name


def with_outcome(model: MixedLM, y: Any) -> MixedLM:
    """The model of another outcome y (n,); its design and the order of elimination are shared."""
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
    rows = replace(rows, columns=(*rows.columns[:-1], other._design.response))
    products = sum_rows(rows, design.terms), model._products[1]
    other.__dict__ |= {"_rows": rows, "_products": products}  # in the place of what would be computed
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
