"""What statsmodels' results have beside the estimates: tests and intervals of `params`, the summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.diagnostics.findings import of_the_fit
from mixedcore.errors import ModelError
from mixedcore.inference.tails import check_level, two_sided_normal, upper_normal
from mixedcore.inference.variance_profile import (
    profile_grid,
    profile_variance,
    profiled_term,
    variance_position,
)
from mixedcore.parameters import packed_order
from mixedcore.results.linear_tests import LinearTests
from mixedcore.summary import Summary, beside_facts, number, p_text
from mixedcore.terms import Floats

PEAK = 1e-5  # log-likelihood by which a profile may stand above the fit: two searches, and nothing more


class SeedInterface(LinearTests):
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

    def cov_params(
        self,
        r_matrix: Any = None,
        column: Any = None,
        scale: Any = None,
        cov_p: Any = None,
        other: Any = None,
    ) -> Any:
        """Covariance of `params`, (p + k, p + k), or of linear combinations of them.

        Zero between fixed effects and covariance parameters. σ²(X'V⁻¹X)⁻¹ of the former, as lme4 has it,
        where statsmodels takes a joint Hessian.

        r_matrix : R (r, P) or (P,), coefficients on all params or on the fixed effects: R C R', or R C other'
        column   : number or numbers of parameters, the rows and columns of C wanted
        scale    : taken for the residual variance that C is proportional to
        cov_p    : (P, P), taken for C
        other    : (s, P) or (P,), as r_matrix
        """
        cov = self._cov_params if scale is None else self._cov_params * (float(scale) / self.scale)
        if cov_p is not None:
            cov = np.asarray(cov_p, dtype=np.float64)
            if cov.shape != self._cov_params.shape:
                raise ModelError(f"cov_p is {cov.shape}; it must be {self._cov_params.shape}.")
        if column is not None:
            at = np.asarray(column)
            return cov[at, at] if at.ndim == 0 else cov[at[:, None], at]
        if r_matrix is None:
            return self._as_given(pd.DataFrame(cov, index=self._param_names, columns=self._param_names))
        left = self._combinations(r_matrix)
        right = left if other is None else self._combinations(other)
        return left @ cov[: left.shape[-1], : right.shape[-1]] @ right.T

    def _combinations(self, given: Any) -> Floats:
        R = np.asarray(given, dtype=np.float64)
        if R.ndim not in (1, 2) or R.shape[-1] not in (len(self._user.beta), len(self._cov_params)):
            raise ModelError(
                f"r_matrix has shape {R.shape}; give {len(self._cov_params)} columns, one a parameter, or "
                f"{len(self._user.beta)}, one a fixed effect."
            )
        return R

    @property
    def normalized_cov_params(self) -> Any:
        """`cov_params()` over `scale`, (p + k, p + k)."""
        cov = self._cov_params / self.scale
        return self._as_given(pd.DataFrame(cov, index=self._param_names, columns=self._param_names))

    @property
    def k_fe(self) -> int:
        """Columns of X, aliased ones included."""
        return self.model.k_fe

    @property
    def k_re(self) -> int:
        """Effects of the group term."""
        return self.model.k_re

    @property
    def k_re2(self) -> int:
        """Covariance parameters of the group term."""
        return self.model.k_re2

    @property
    def k_vc(self) -> int:
        """Variance components."""
        return self.model.k_vc

    @property
    def use_sqrt(self) -> bool:
        """As given to the model; the engine always works on square roots."""
        return bool(self.model.use_sqrt)

    @property
    def k_constant(self) -> int:
        """1 if the fixed effects contain a constant, written or implied by a factor's levels; else 0."""
        return int(self._user.spans_constant)

    @property
    def df_modelwc(self) -> int:
        """Number of `params`, p + k."""
        return len(self._param_names)

    def profile_re(
        self,
        re_ix: int | str,
        vtype: str,
        num_low: int = 5,
        dist_low: float | None = None,
        num_high: int = 5,
        dist_high: float | None = None,
        **fit_kwargs: Any,
    ) -> Floats:
        """Profile log-likelihood of one variance, (num_low + 1 + num_high, 2): variance, log-likelihood.

        re_ix     : position or name of a random effect of the group term, or name of a variance component
        vtype     : 're' or 'vc' accordingly
        num_low, num_high   : points below and above the estimate, which is row `num_low`
        dist_low, dist_high : how far they reach, in units of the variance; by default two standard errors of
                    it (statsmodels: 1.0 whatever its unit), and below at most to zero
        fit_kwargs: accepted for statsmodels' optimisers

        The variance itself is held and all else maximised (`profile_variance`); under REML the restricted
        likelihood. For an estimate of zero there are no points below it by default. Intervals:
        `confint(method="profile")`. Raises ModelError for a random effect that there is not, a distance that
        reaches below zero, and a fit that is not at the optimum of all its parameters.
        """
        self._refuse_restricted("profile_re()")
        t, j = profiled_term(self._estimate.terms, self._re_names, re_ix, vtype)
        estimate = self.scale * float(self._user.psi(t)[j, j])
        at = self._estimate.evaluation.cp.offsets[t] + variance_position(self._estimate.terms[t], j)
        error = float(np.sqrt(max(self._information.cov_variances[at, at], 0.0)))
        values = profile_grid(estimate, error, (num_low, dist_low), (num_high, dist_high))
        found = profile_variance(self._user, t, j, values)
        if float(found.max()) > self.llf + PEAK:
            raise ModelError(
                f"With this variance held the log-likelihood is {found.max():.6f}, above the fit's "
                f"{self.llf:.6f}: the fit has not converged, or holds or penalises parameters, which no "
                "profile here does."
            )
        return np.column_stack([values, found])

    def summary(
        self,
        yname: str | None = None,
        xname_fe: Sequence[str] | None = None,
        xname_re: Sequence[str] | None = None,
        title: str | None = None,
        alpha: float = 0.05,
    ) -> Summary:
        """The classic summary: facts, coefficients, covariances in the user's units, notes on the boundary.

        yname, title       : another name for the outcome, another title
        xname_fe, xname_re : other names for all fixed effects (p) and all covariance parameters (k)
        alpha              : one minus the level of the intervals

        Numbers have significant digits, where statsmodels prints zeros for a small outcome; standard errors
        of variances are in their units, where it has them wrong by √scale. As text, HTML and LaTeX by
        `as_text`, `as_html` and `as_latex`; `tidy` has the numbers. ModelError for too few or many names.
        """
        sizes = self.model.design.group_sizes
        facts = (
            ("Model:", "MixedLM", "Dependent Variable:", self.model.endog_names if yname is None else yname),
            ("No. Observations:", str(self.nobs), "Method:", self.method),
            ("No. Groups:", str(self.model.n_groups), "Scale:", number(self.scale)),
            ("Min. group size:", str(sizes.min()), "Log-Likelihood:", f"{self.llf:.4f}"),
            ("Max. group size:", str(sizes.max()), "Converged:", "Yes" if self.converged else "No"),
            ("Mean group size:", f"{sizes.mean():.1f}", "Singular:", "Yes" if self.singular else "No"),
            *beside_facts(self.model.design),
        )
        notes = tuple(
            f"{f.title}. {f.evidence}"
            for f in of_the_fit(self._user, self.optimisation, self.aliased)
            if f.severity != "info"
        )
        p = len(self._user.beta)
        names = [
            *_renamed(self._param_names[:p], xname_fe, "xname_fe"),
            *_renamed(self._param_names[p:], xname_re, "xname_re"),
        ]
        table = self._summary_table(alpha).set_axis(names, axis=0)
        return Summary(
            "Mixed Linear Model Regression Results" if title is None else title, facts, table, notes
        )

    def _summary_table(self, alpha: float) -> pd.DataFrame:
        order, user = packed_order(self._estimate.terms), self._user
        low, high = f"[{alpha / 2:g}", f"{1 - alpha / 2:g}]"
        errors, half = np.sqrt(np.diag(user.cov_beta)), upper_normal(check_level(alpha) / 2)
        fixed = [_test_cells(b, s, half) for b, s in zip(user.beta, errors, strict=True)]
        variances = (self._user.ratios * self.scale)[order]
        random = [
            [number(v), number(s), "", "", "", ""] for v, s in zip(variances, self._bse_re, strict=True)
        ]
        columns = ["Coef.", "Std.Err.", "z", "P>|z|", low, high]
        return pd.DataFrame([*fixed, *random], index=self._param_names, columns=columns)


def _test_cells(estimate: float, error: float, half: float) -> list[str]:
    """One row of the summary: estimate, error, z, p and interval; z and p need an error."""
    ends = [number(estimate - half * error), number(estimate + half * error)]
    if not error > 0:
        return [number(estimate), number(error), "", "", *ends]
    z = estimate / error
    return [
        number(estimate),
        number(error),
        f"{z:.3f}",
        p_text(float(two_sided_normal(np.asarray(z)))),
        *ends,
    ]


def _renamed(names: Sequence[str], given: Sequence[str] | None, argument: str) -> list[str]:
    if given is not None and len(given) != len(names):
        raise ModelError(f"{argument} should be a list of length {len(names)}; it has {len(given)}.")
    return list(names if given is None else given)
