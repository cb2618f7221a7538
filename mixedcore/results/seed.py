"""What statsmodels' results have beside the estimates: tests and intervals of `params`, the summary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mixedcore.diagnostics.findings import findings
from mixedcore.inference.tails import check_level, two_sided_normal, upper_normal
from mixedcore.parameters import packed_order
from mixedcore.results.fitted import Fitted
from mixedcore.summary import Summary, beside_facts, number, p_text


class SeedInterface(Fitted):
    """Members of statsmodels' `MixedLMResults`, with its names and its order of parameters."""

    @property
    def pvalues(self) -> Any:
        """Two-sided normal p-values of `tvalues`; `tidy` has t tests with finite degrees of freedom."""
        p_values = two_sided_normal(np.asarray(self.tvalues))
        return self._as_given(pd.Series(p_values, index=self._param_names))

    def conf_int(self, alpha: float = 0.05, cols: Any = None) -> Any:
        """Normal intervals of `params`, columns 0 and 1."""
        half = upper_normal(check_level(alpha) / 2) * self.bse
        out = pd.DataFrame({0: self.params - half, 1: self.params + half}, index=self._param_names)
        return self._as_given(out if cols is None else out.iloc[np.asarray(cols)])

    def summary(self, alpha: float = 0.05) -> Summary:
        """The classic summary: facts and coefficients, covariances in the user's units."""
        sizes = self.model.design.group_sizes
        facts = (
            ("Model:", "MixedLM", "Dependent Variable:", self.model.endog_names),
            ("No. Observations:", str(self.nobs), "Method:", self.method),
            ("No. Groups:", str(self.model.n_groups), "Scale:", number(self.scale)),
            ("Min. group size:", str(sizes.min()), "Log-Likelihood:", f"{self.llf:.4f}"),
            ("Max. group size:", str(sizes.max()), "Converged:", "Yes" if self.converged else "No"),
            ("Mean group size:", f"{sizes.mean():.1f}", "Singular:", "Yes" if self.singular else "No"),
            *beside_facts(self.model.design),
        )
        notes = tuple(
            f"{f.title}. {f.evidence}"
            for f in findings(self._user, self.optimisation, self.aliased)
            if f.severity != "info"
        )
        return Summary("Mixed Linear Model Regression Results", facts, self._summary_table(alpha), notes)

    def _summary_table(self, alpha: float) -> pd.DataFrame:
        order = packed_order(self._estimate.terms)
        low, high = f"[{alpha / 2:g}", f"{1 - alpha / 2:g}]"
        interval = self.conf_int(alpha)
        fixed = [
            [number(e), number(s), f"{t:.3f}", p_text(p), number(a), number(b)]
            for e, s, t, p, (a, b) in zip(
                self.fe_params, self.bse_fe, self.tvalues, self.pvalues, np.asarray(interval), strict=False
            )
        ]
        variances = (self._information.ratios * self.scale)[order]
        random = [[number(v), number(s), "", "", "", ""] for v, s in zip(variances, self.bse_re, strict=True)]
        columns = ["Coef.", "Std.Err.", "z", "P>|z|", low, high]
        return pd.DataFrame([*fixed, *random], index=self._param_names, columns=columns)
