"""Whether the model suits the data: residuals, and findings in plain words."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from mixedcore.diagnostics.findings import Finding, Seen, findings, fixed_terms
from mixedcore.diagnostics.influence import MOST_REFITS, influence, sd_names
from mixedcore.diagnostics.leverage import Leverage, kept_rows, leverage
from mixedcore.diagnostics.qq import Band, effect_quantiles, quantiles, standardised_modes
from mixedcore.diagnostics.residuals import Kind, cooks_distance, residuals
from mixedcore.engine.rows import Rows
from mixedcore.errors import ModelError
from mixedcore.inference.jobs import Cancel, Progress
from mixedcore.results.predictions import Predictions
from mixedcore.terms import Ints
from mixedcore.tidy import blups_table, level_labels


class Diagnostics(Predictions):
    """What to look at before a model is believed."""

    @cached_property
    def _leverage(self) -> Leverage:
        return leverage(self._estimate, kept_rows(self._user, "a leverage"))

    def leverage(self) -> pd.Series:
        """Diagonal of the hat matrix H of ŷ = Xβ + Zb = Hy at the estimated variances, (n,).

        lme4's `hatvalues`. Its sum is the effective number of parameters (Hodges & Sargent 2001,
        Biometrika 88(2)).
        """
        return pd.Series(self._leverage.total, index=self.model.row_index)

    def residuals(self, kind: Kind = "conditional") -> pd.Series:
        """Residuals of one kind, (n,), indexed by the rows in use.

        conditional  : y − offset − Xβ − Zb, as `resid`; lme4's `residuals(type = "response")`
        marginal     : y − offset − Xβ, what the fixed effects leave
        pearson      : conditional times √w for prior weights w; lme4's `residuals(type = "pearson")`
        standardised : pearson over σ; `resid_std` of `augment`, lme4's with `scaled = TRUE`
        studentised  : pearson over σ√(1 − leverage), of equal variance under the model; lme4's `rstudent`.
                       NaN where a row determines its own fitted value

        Raises ModelError for another kind.
        """
        hat = self._leverage.total if kind == "studentised" else None
        return pd.Series(residuals(self._user, kind, hat), index=self.model.row_index)

    def augment(self, newdata: Any = None) -> pd.DataFrame:
        """The columns used, with `fitted, fitted_fixed, resid, resid_std, leverage, cooks_distance`.

        resid_std is the residual over its SD given the effects, σ/√w: `residuals("standardised")`.
        cooks_distance is r²h/((1 − h)²p) with standardised residual r and leverage h, as lme4's
        `cooks.distance`: NaN where h is 1, and without fixed effects. `influence` has what a row does to β.

        newdata (a table or mapping of columns) comes back with `fitted, fitted_fixed` alone: predictions
        with and without the random effects, the population's for levels that the fit has not seen, NaN where
        a column that they need is missing.
        """
        if newdata is not None:
            return self._augmented(newdata)
        user, hat = self._user, self._leverage.total
        standardised = residuals(user, "standardised")
        return self.model.used_columns().assign(
            fitted=np.asarray(self.fittedvalues),
            fitted_fixed=self._fixed_part,
            resid=np.asarray(self.resid),
            resid_std=standardised,
            leverage=hat,
            cooks_distance=cooks_distance(standardised, hat, user.beta.size),
        )

    def _augmented(self, newdata: Any) -> pd.DataFrame:
        table = pd.DataFrame(newdata)
        plain = table.reset_index(drop=True)  # labels may repeat; rows with missing values come back as NaN
        every, fixed = (pd.Series(self.predict(plain, random=r)) for r in ("all", "none"))
        return table.assign(
            fitted=every.reindex(plain.index).to_numpy(), fitted_fixed=fixed.reindex(plain.index).to_numpy()
        )

    def influence(
        self,
        by: str | None = None,
        *,
        refit: bool | Literal["auto"] = "auto",
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> pd.DataFrame:
        """What leaving out each row, or each level of a grouping factor, does to the fit: one row a case.

        by       : None for each row, the grouping column, or the name of a random term; 'row' is each row too
                   where no factor has that name, which in field trials one often has
        refit    : True finds the optimum without each case, from cross-products less its own; False holds the
                   variance ratios (Λ) at the fit's. 'auto' refits for up to 1,000 cases
        progress : called with (cases done, cases) after each refit
        cancel   : an Event, or a function that says whether to stop, asked before each refit: the frame
                   then has the cases done by then

        Columns: `row` (label) or `level` (as in `tidy("blups")`); `cooks_distance`
        (β − β₍ᵢ₎)'V̂⁻¹(β − β₍ᵢ₎)/p, for V̂ the covariance of β̂; `mdffits`, the same with V̂₍ᵢ₎; `covratio`
        det V̂₍ᵢ₎/det V̂; `dfbetas[term]` (β − β₍ᵢ₎)/SE₍ᵢ₎; `change[sd …]` (after refits) and `change[sigma]`:
        SD without the case less SD with it; `problem`: why a case has no numbers (NaN), such as a fixed
        effect that rests on it alone, or ''. The first three are NaN without fixed effects. Cook (1977);
        Belsley, Kuh & Welsch (1980); for mixed models Loy & Hofmann (2014), J. Stat. Softw. 56(5).
        """
        rows = kept_rows(self._user, "a measure of influence")
        name, labels, code = self._cases(by)
        again = len(labels) <= MOST_REFITS if refit == "auto" else refit
        if again:
            self._refuse_restricted("influence(refit=True)")
        found = influence(
            self._user, rows, code, lambda: self._leverage, refit=again, progress=progress, cancel=cancel
        )
        names = sd_names(self._estimate) if again else ["sigma"]
        dfbetas = {f"dfbetas[{term}]": v for term, v in zip(self._fe_names, found.dfbetas.T, strict=True)}
        change = {f"change[{sd}]": v for sd, v in zip(names, found.change.T, strict=True)}
        measures = {key: getattr(found, key) for key in ("cooks_distance", "mdffits", "covratio")}
        return pd.DataFrame(
            {name: labels[: len(found.problem)], **measures, **dfbetas, **change, "problem": found.problem}
        )

    def _cases(self, by: str | None) -> tuple[str, Any, Ints]:
        """Column, labels and code of each row, for what `influence` deletes by."""
        groups = self.model.group_labels
        known = dict.fromkeys(
            [self.model.group_name] * (len(groups) > 1) + [t.name for t in self._estimate.terms]
        )
        if by is None or (by == "row" and by not in known):
            return "row", list(self.model.row_index), np.arange(self.nobs)
        if by == self.model.group_name and len(groups) > 1:
            return "level", [str(label) for label in groups], self.model.group_codes
        for term in self._estimate.terms:
            if term.name == by:
                return "level", level_labels(term, groups), term.blocks[0].codes
        raise ModelError(f"by={by!r} is not known; choose 'row' or one of {', '.join(map(repr, known))}.")

    def qq(
        self,
        what: str = "resid",
        *,
        level: float = 0.95,
        band: Band = "pointwise",
        n: int = 1000,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Sorted residuals, or effects of a grouping factor, beside the quantiles of a standard normal.

        what  : 'resid' for studentised residuals, indexed by their rows; or the name of a random term for
                its conditional modes, each over its SD under the model (`term`, `level`)
        band  : 'pointwise' puts each point inside its limits with probability `level`; 'simultaneous' all of
                them at once, by n draws from `seed`: the time goes with n times the number of points

        Columns `theoretical, sample, low, high`. The limits are exact for independent normal values; those
        of one fit are a little dependent, and their SDs are estimated. Values without variance (a row of
        leverage 1, a level without information) are left out, and so are effects with fewer than three, as
        those of a variance of zero; ModelError where nothing is left.
        """
        if what == "resid":
            values = self.residuals("studentised")
            order, table = quantiles(values.to_numpy(), level, band, n, seed)
            return table.set_index(values.index[order])
        blups = blups_table(self._user, self.model.group_labels, level=level)
        return effect_quantiles(
            blups.assign(value=standardised_modes(self._user)), what, level, band, n, seed
        )

    def diagnose(self) -> list[Finding]:
        """Findings in plain words, the most serious first: each with evidence, meaning and remedy.

        Among equally serious ones those on the search and the boundary of `optimisation` come first.
        """
        return findings(self._seen, self.aliased)

    @property
    def _seen(self) -> Seen:
        """The fit as the rules of `diagnose` see it."""
        groups, design, user = self.model.group_labels, self.model.design, self._user
        return Seen(
            user,
            self.optimisation,
            self._fe_names,
            fixed_terms(design.fixed_info, self.model.exog_names, user.kept),
            self.model.row_index if isinstance(user.rows, Rows) else None,
            lambda t: level_labels(self._estimate.terms[t], groups),
            lambda: self._leverage,
        )
