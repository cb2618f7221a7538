"""Whether the model suits the data: residuals, and findings in plain words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mixedcore.diagnostics.findings import Finding, findings
from mixedcore.results.fitted import Fitted


class Diagnostics(Fitted):
    """What to look at before a model is believed."""

    def augment(self) -> pd.DataFrame:
        """The columns used, with `fitted, fitted_fixed, resid, resid_std` (residual over its SD, σ/√w)."""
        sd = self.sigma if self.model.weights is None else self.sigma / np.sqrt(self.model.weights)
        return self.model.used_columns().assign(
            fitted=np.asarray(self.fittedvalues),
            fitted_fixed=self._fixed_part,
            resid=np.asarray(self.resid),
            resid_std=np.asarray(self.resid) / sd,
        )

    def diagnose(self) -> list[Finding]:
        """Findings in plain words, the most serious first: each with evidence, meaning and remedy.

        Among equally serious ones those on the search and the boundary of `optimisation` come first.
        """
        return findings(self._user, self.optimisation, self.aliased)
