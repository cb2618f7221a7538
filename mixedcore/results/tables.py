"""Tables of a fit, one row a term or one for the whole model."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from mixedcore import tidy as tables
from mixedcore.effects.variance import VarianceShares, variance_shares
from mixedcore.errors import ModelError
from mixedcore.inference.hypotheses import Ddf
from mixedcore.results.fitted import Fitted

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
        """Share of each factor or component in the variance that the fixed effects leave: `group, icc`."""
        return self._shares.by_group()
