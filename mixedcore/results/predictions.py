"""What the model expects of rows: the fitted ones or new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from mixedcore.design.design import Design, array_matrix
from mixedcore.design.new import NewRows, fitted_rows, new_rows_of, rows_of_arrays
from mixedcore.design.stream import StreamDesign
from mixedcore.effects.prediction import PredictionErrors, random_means
from mixedcore.errors import ModelError, rows_not_kept
from mixedcore.inference.tails import check_level, upper_normal, upper_t
from mixedcore.results.fitted import Fitted
from mixedcore.terms import Floats

Interval = Literal["confidence", "prediction"]
IntervalDdf = Literal["normal", "satterthwaite"]


class Predictions(Fitted):
    """Predicted means, and intervals for them and for new observations."""

    def predict(
        self,
        exog: Any = None,
        transform: bool = True,
        *,
        random: str | Sequence[str] = "none",
        interval: Interval | None = None,
        level: float = 0.95,
        ddf: IntervalDdf = "normal",
        groups: Any = None,
        exog_re: Any = None,
    ) -> pd.Series | pd.DataFrame | Floats:
        """Predicted means x'β + z'b (+ offset) of the fitted rows or of new data, and their intervals.

        exog     : a table with the columns that the prediction needs (rows in which one of them is missing
                   are left out), or with `transform=False`, and for a model from arrays, the columns of X
                   themselves. New data need the offset's column if the offset was given as one; otherwise
                   their prediction has none.
        random   : the random effects that belong to the mean: 'none' (Xβ, as statsmodels has it), 'all', or
                   a list of grouping factors and components as `tidy('random')` names them; a factor's name
                   stands for all of its terms. A level that the fit has not seen, or a missing label, has
                   the population's value, 0.
        interval : None gives the means. 'confidence' or 'prediction' gives a frame `fit, std_error, conf_low,
                   conf_high`, intervals at `level`, std_error (outcome's units) being the standard
                   deviation of
                   – confidence: the error of that mean, √var(x'(β̂ − β) + z'(b̂ − b)) from the joint
                     covariance of β̂ and b̂; of a level not seen b̂ = 0, so that it adds z'Ψz σ².
                   – prediction: the error for a new observation: the same, plus z'Ψz σ² of every term left
                     out of `random`, whose levels count as new ones, plus σ²/w (weight one where new data
                     have no column of weights).
                   The variance parameters count as known in it, as in lme4's conditional variances.
        ddf      : 'normal' intervals, as if these variances were known, or t intervals with 'satterthwaite'
                   degrees of freedom, which the frame then has as a column `df`: wider with few groups.
        groups, exog_re : labels (k,) of new rows where the groups were given beside the data, and for a
                   model from arrays the covariates (k, q) of the group's effects.

        Henderson (1975), Biometrics 31; McLean, Sanders & Stroup (1991), Am. Stat. 45(1). Raises
        FormulaError for an absent column, DataError for values that the fit has not seen where it must have,
        ModelError for an argument that does not fit the model.
        """
        _check(interval, ddf, level)
        terms = self._terms_named(random)
        if not terms and interval is None:
            return self._fixed_prediction(exog, transform)
        others = [t for t in range(len(self._estimate.terms)) if t not in terms]
        unknown = others if interval == "prediction" else []
        rows = self._rows_for(exog, transform, terms, unknown, interval == "prediction", groups, exog_re)
        mean = self._mean_of(rows, terms, fitted=exog is None)
        if interval is None:
            return pd.Series(mean, index=rows.index)
        return self._with_intervals(
            pd.Series(mean, index=rows.index), self._errors(rows, terms, interval), level, ddf
        )

    def _with_intervals(
        self, mean: pd.Series, errors: PredictionErrors, level: float, ddf: IntervalDdf
    ) -> pd.DataFrame:
        table = pd.DataFrame({"fit": mean, "std_error": np.sqrt(errors.variance())})
        if ddf == "normal":
            quantile: Floats | float = upper_normal((1 - level) / 2)
        else:
            table["df"] = df = errors.df(self._information)
            quantile = upper_t((1 - level) / 2, df)
        half = quantile * table["std_error"]
        return table.assign(conf_low=mean - half, conf_high=mean + half)

    def _fixed_prediction(self, exog: Any, transform: bool) -> pd.Series | Floats:
        if exog is None:
            return pd.Series(self._fixed_part, index=self.model.row_index)
        return self.model.predict(self.fe_params, exog, transform=transform)

    def _terms_named(self, random: str | Sequence[str]) -> list[int]:
        """Numbers of the terms that `random` names."""
        terms = self._estimate.terms
        if isinstance(random, str) and random in ("none", "all"):
            return list(range(len(terms))) if random == "all" else []
        names = [self.model.design.factor_of(t) for t in range(len(terms))]
        wanted = [random] if isinstance(random, str) else list(random)
        known = {*names, *(term.name for term in terms)}
        for name in wanted:
            if name not in known:
                raise ModelError(
                    f"random={name!r} is no grouping factor of this model; it has "
                    f"{', '.join(map(repr, dict.fromkeys(names)))}. Or say 'none' or 'all'."
                )
        own = set(wanted)
        return [t for t, name in enumerate(names) if name in own or terms[t].name in own]

    def _rows_for(
        self, exog: Any, transform: bool, known: list[int], unknown: list[int], weights: bool, groups: Any,
        exog_re: Any,
    ) -> NewRows:  # fmt: skip
        design = self.model.design
        if exog is None:
            if isinstance(design, StreamDesign):
                raise rows_not_kept("a prediction")
            return fitted_rows(design, [*known, *unknown])
        if isinstance(design, Design) and design.fixed_info is None:
            X, index = design.fixed_matrix(exog)
            return rows_of_arrays(design, X, index, known, unknown, groups, exog_re)
        if not transform:
            if known or unknown:
                raise ModelError(
                    "With transform=False exog holds columns of X alone, which do not say what the random "
                    "effects need; give a table of the data's columns."
                )
            X, index = array_matrix(exog, len(design.fe_names))
            return NewRows(X, (), None, None, index)
        return new_rows_of(design, exog, known=known, unknown=unknown, weights=weights, groups=groups)

    def _mean_of(self, rows: NewRows, terms: list[int], *, fitted: bool) -> Floats:
        if fitted and len(terms) == len(self._estimate.terms):
            return np.asarray(self.fittedvalues)
        pieces = [piece for piece in rows.pieces if piece.term in terms]
        fixed = rows.X[:, self._user.kept] @ self._user.beta
        if fitted:
            fixed = self._fixed_part
        elif rows.offset is not None:
            fixed = fixed + rows.offset
        return np.asarray(fixed + random_means(self._user, pieces, len(rows.X)))

    def _errors(self, rows: NewRows, terms: list[int], interval: Interval) -> PredictionErrors:
        """The errors that an interval covers."""
        X, own = rows.X[:, self._user.kept], [piece for piece in rows.pieces if piece.term in terms]
        if interval == "confidence":
            return PredictionErrors(self._user, X, own)
        others = [piece for piece in rows.pieces if piece.term not in terms]
        noise = 1.0 if rows.weights is None else 1 / rows.weights
        return PredictionErrors(self._user, X, own, others, noise)


def _check(interval: Interval | None, ddf: IntervalDdf, level: float) -> None:
    check_level(level)
    if interval not in (None, *get_args(Interval)):
        raise ModelError(f"interval={interval!r} is not known; choose None, 'confidence' or 'prediction'.")
    if ddf not in get_args(IntervalDdf):
        raise ModelError(f"ddf={ddf!r} is not known here; choose 'normal' or 'satterthwaite'.")
