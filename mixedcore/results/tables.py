"""Tables of a fit, one row a term or one for the whole model."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from mixedcore import tidy as tables
from mixedcore.design.design import Design
from mixedcore.design.stream import StreamDesign
from mixedcore.effects.explained import (
    by_factor,
    explained,
    intercept_terms,
    intercepts_fit,
    mean_variances,
    null_fit,
    steps_table,
)
from mixedcore.effects.variance import VarianceShares, variance_shares
from mixedcore.errors import ModelError, rows_not_kept
from mixedcore.inference.hypotheses import Ddf
from mixedcore.inference.jobs import Cancel, Progress, in_turn
from mixedcore.results.fitted import Fitted
from mixedcore.terms import Floats

INTERCEPT = "Intercept"
CONSTANT = 1e-8  # what rounding leaves of a constant that the columns of X add up to
EFFECTS = ("fixed", "random", "blups")


class Tables(Fitted):
    """Estimates with their uncertainty as frames with lower-case columns."""

    def tidy(
        self, effects: str = "fixed", *, ddf: Ddf = "satterthwaite", level: float = 0.95
    ) -> pd.DataFrame:
        """One row a term: 'fixed' effects, 'random' (variances, SDs, correlations), or 'blups'.

        `ddf` of the fixed effects' t tests: 'satterthwaite', 'kenward-roger' (which also adjusts their
        standard errors; REML only), 'residual' (n − p) or 'normal'.
        """
        if effects == "fixed":
            return tables.fixed_table(self._information, self._fe_names, ddf=ddf, level=level)
        if effects == "random":
            return tables.random_table(self._information, level=level)
        if effects == "blups":
            return tables.blups_table(self._user, self.model.group_labels, level=level)
        raise ModelError(f"effects={effects!r} is not known; choose one of {', '.join(map(repr, EFFECTS))}.")

    @cached_property
    def _shares(self) -> VarianceShares:
        return variance_shares(self._user)

    def glance(self) -> pd.DataFrame:
        """One row: size, likelihood, residual SD, ICC, R², verdicts. `reml_criterion` is missing under ML."""
        shares = self._shares
        return pd.DataFrame(
            {
                "nobs": [self.nobs],
                "n_groups": [self.model.n_groups],
                "log_lik": [self.llf],
                "aic": [self.aic],
                "bic": [self.bic],
                "reml_criterion": [self.criterion if self.reml else np.nan],
                "sigma": [self.sigma],
                "icc": [shares.icc],
                "r2_marginal": [shares.r2_marginal],
                "r2_conditional": [shares.r2_conditional],
                "converged": [self.converged],
                "singular": [self.singular],
            }
        )

    def icc(self) -> pd.DataFrame:
        """Share of each factor or component in the variance: `group, icc, icc_unadjusted`.

        icc is the share in what the fixed effects leave (adjusted), icc_unadjusted that in everything, the
        variance of Xβ included; those of all random effects together are the sums. With random slopes the
        variance that a term adds is its mean over the rows (Johnson 2014, Methods Ecol. Evol. 5).
        Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14.
        """
        return self._shares.by_group()

    def r2(self) -> pd.DataFrame:
        """One row `r2_marginal, r2_conditional`: share of the fixed effects, and with all random ones.

        Nakagawa & Schielzeth (2013), Methods Ecol. Evol. 4; with random slopes Johnson (2014), ibid. 5.
        """
        shares = self._shares
        return pd.DataFrame({"r2_marginal": [shares.r2_marginal], "r2_conditional": [shares.r2_conditional]})

    def variance_explained(self, null: Fitted | None = None) -> pd.DataFrame:
        """What the predictors explain at each level: `group, null, model, explained, snijders_bosker`.

        One row a grouping factor, then the residual: its variance (outcome's units, squared) in the null
        model and in this one, and the proportional reduction of it (Raudenbush & Bryk 2002), negative where
        it grew, missing where the null model has none. snijders_bosker is R₂² of the means of the factor's
        levels, and R₁² of observations in the residual's row (Snijders & Bosker 1994, Sociol. Methods
        Res. 22). Variances of terms with random slopes are their means over the rows.

        null : a fit to compare with; None fits an intercept with this model's random intercepts. Its factors
               must be among this model's, its rows and method (REML or ML) the same; ModelError otherwise.
        """
        design = _in_memory(self.model.design)
        model = by_factor(_factors(design), self._shares.random, self.scale)
        if null is None:
            user = null_fit(design, reml=self.reml)
            names = [design.factor_of(t) for t in intercept_terms(design)]
        else:
            user, names = null._user, _factors(_in_memory(null.model.design))
            _check_comparable(self, null, set(names) - set(model))
        variances = by_factor(names, variance_shares(user).random, user.sigma2)
        codes = {name: design.terms[t].blocks[0].codes for t, name in enumerate(_factors(design))}
        of_means = mean_variances({name: codes[name] for name in dict.fromkeys(names)})
        return explained(variances, model, of_means)

    def variance_steps(
        self, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> pd.DataFrame:
        """What each term of the fixed part explains, one after the other: `step, group, variance, …`.

        One row a step and grouping factor, the residual last. The steps are 'Null model', each
        term added in the order of the formula, and 'Random slopes' where the model has random effects other
        than intercepts: the model itself. Columns: `variance` left (outcome's units, squared), `explained`,
        the reduction since the null model as in `variance_explained`, and `added`, this step's part of it.
        Both may be negative: a predictor that varies only within groups lowers the residual variance; less of
        the differences between group means is then put down to it, so the groups' variance rises (Snijders &
        Bosker 2012, Multilevel Analysis, section 7.1).

        All steps have the rows, the method (REML or ML) and the random intercepts of this model. Random
        slopes come last: without its fixed slope the whole effect of a predictor would count as slopes.
        `progress` hears of each step that is fitted; where `cancel` says so, the rest is left out.
        Raises ModelError for a model without random intercepts, without predictors, or without an intercept.
        """
        design = _in_memory(self.model.design)
        terms = _term_columns(design)
        names = [design.factor_of(t) for t in intercept_terms(design)]
        columns: list[int] = []
        steps: list[tuple[str, dict[str, float]]] = []
        for name, own in in_turn([("Null model", []), *terms], progress, cancel):
            columns += own
            user = intercepts_fit(design, columns, reml=self.reml)
            steps.append((name, by_factor(names, variance_shares(user).random, user.sigma2)))
        if len(steps) <= len(terms):
            return steps_table(steps)  # cancelled
        if intercept_terms(design) != list(range(len(design.terms))) or any(
            term.role == "group" and len(term.columns) > 1 for term in design.terms
        ):
            model = by_factor(_factors(design), self._shares.random, self.scale)
            if set(model) == set(steps[0][1]):
                steps.append(("Random slopes", model))
        return steps_table(steps)


def _term_columns(design: Design) -> list[tuple[str, list[int]]]:
    """The terms of the fixed part, the intercept left out, and their columns; in the order of the formula."""
    info = design.fixed_info
    if info is None:
        found = [(name, [j]) for j, name in enumerate(design.fe_names)]
    else:
        at = {term.name(): own for term, own in info.term_slices.items()}
        found = [(name, list(range(*at[name].indices(len(design.fe_names))))) for name in design.fixed_terms]
    terms = [(name, own) for name, own in found if name != INTERCEPT]
    if not terms:
        raise ModelError("The model has no predictors, so there is nothing that explains variance.")
    if not _spans(design.X, np.ones(design.n)):
        raise ModelError(
            "The model has no intercept, so the null model is not part of it; add the intercept to see what "
            "each predictor explains."
        )
    return terms


def _spans(X: Floats, ones: Floats) -> bool:
    """Whether a constant is a combination of the columns of X."""
    if (X == 1).all(axis=0).any():
        return True
    left = ones - X @ np.linalg.lstsq(X, ones, rcond=None)[0]
    return bool(np.abs(left).max() < CONSTANT)


def _in_memory(design: Design | StreamDesign) -> Design:
    if isinstance(design, StreamDesign):
        raise rows_not_kept("a level")
    return design


def _factors(design: Design) -> list[str]:
    """The grouping factor, or component, of each random term."""
    return [design.factor_of(t) for t in range(len(design.terms))]


def _check_comparable(model: Fitted, null: Fitted, unknown: set[str]) -> None:
    if unknown:
        raise ModelError(
            f"The null model has random effects of {', '.join(sorted(unknown))}, which this model has not; "
            "compare models with the same grouping factors."
        )
    if null.nobs != model.nobs or null.reml != model.reml:
        raise ModelError(
            f"The null model has {null.nobs} rows by {null.method} and this one {model.nobs} by "
            f"{model.method}; fit both to the same rows by the same method."
        )
