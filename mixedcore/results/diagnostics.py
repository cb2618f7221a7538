"""Whether the model suits the data: residuals, and findings in plain words."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from mixedcore.diagnostics.findings import Finding, findings
from mixedcore.diagnostics.leverage import Leverage, kept_rows, leverage
from mixedcore.diagnostics.residuals import Kind, cooks_distance, residuals
from mixedcore.errors import ModelError
from mixedcore.results.fitted import Fitted


class Diagnostics(Fitted):
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
        """
        if newdata is not None:
            raise ModelError("augment takes no new data yet: result.predict(newdata) gives their fixed part.")
        user, hat = self._user, self._leverage.total
        standardised = residuals(user, "standardised")
        return self.model.used_columns().assign(
            fitted=self.fittedvalues.to_numpy(),
            fitted_fixed=self._fixed_part,
            resid=self.resid.to_numpy(),
            resid_std=standardised,
            leverage=hat,
            cooks_distance=cooks_distance(standardised, hat, user.beta.size),
        )

    def diagnose(self) -> list[Finding]:
        """Findings in plain words, the most serious first: each with evidence, meaning and remedy.

        Among equally serious ones those on the search and the boundary of `optimisation` come first.
        """
        return findings(self._user, self.optimisation, self.aliased)
