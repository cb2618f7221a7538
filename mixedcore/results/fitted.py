"""The fitted model as a value: estimates, their covariances, fitted values and conditional modes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixedcore.errors import ModelError
from mixedcore.given import to_params
from mixedcore.group_effects import (
    covariances_by_factor,
    covariances_by_group,
    modes_by_factor,
    modes_by_group,
)
from mixedcore.inference.information import VarianceInformation
from mixedcore.optimisation import Optimisation
from mixedcore.packed import MixedLMParams
from mixedcore.parameters import covariance_names, effect_names, packed_order
from mixedcore.terms import Floats
from mixedcore.units import UserUnits

if TYPE_CHECKING:
    from mixedcore.model import MixedLM


class Fitted:
    """The estimates, in the units of the data; `MixedLMResults` lists its members."""

    def __init__(self, model: MixedLM, user: UserUnits) -> None:
        self.model = model
        self._user = user
        self._estimate = user.estimate
        self._information = VarianceInformation(self._user)

    def _as_given(self, labelled: pd.Series | pd.DataFrame) -> Any:
        """The same without labels for a model from bare arrays, as statsmodels has it."""
        return labelled if self.model.labelled else labelled.to_numpy()

    def _refuse_restricted(self, what: str) -> None:
        """ModelError for what takes all parameters as free, where this fit held or penalised some."""
        if self._estimate.restriction is not None:
            raise ModelError(
                f"In this fit parameters were held or penalised, and {what} takes them all as free. "
                "Fit such models yourself with the same `free` or penalties, and compare those fits."
            )

    # -- estimates -------------------------------------------------------------------------------------

    @property
    def reml(self) -> bool:
        """Whether the fit maximises the restricted likelihood."""
        return self._estimate.evaluation.reml

    @property
    def method(self) -> str:
        """'REML' or 'ML'."""
        return "REML" if self.reml else "ML"

    @property
    def _fe_names(self) -> list[str]:
        return [self.model.exog_names[j] for j in self._user.kept]

    @property
    def _re_names(self) -> list[str]:
        return [name for term in self._group_terms for name in effect_names(term[1])]

    @property
    def _group_terms(self) -> list[tuple[int, Any]]:
        return [(t, term) for t, term in enumerate(self._estimate.terms) if term.role == "group"]

    @cached_property
    def fe_params(self) -> Any:
        """Fixed effects (p,)."""
        return self._as_given(pd.Series(self._user.beta, index=self._fe_names))

    @cached_property
    def params(self) -> Any:
        """Fixed effects, then covariance parameters divided by `scale`, (p + k,)."""
        ratios = self._user.ratios[packed_order(self._estimate.terms)]
        return self._as_given(pd.Series(np.append(self._user.beta, ratios), index=self._param_names))

    @property
    def _param_names(self) -> list[str]:
        return [*self._fe_names, *covariance_names(self._estimate.terms)]

    @cached_property
    def cov_re_unscaled(self) -> Any:
        """Covariance of the group term's effects over `scale`, (q, q)."""
        names = self._re_names
        out, first = np.zeros((len(names), len(names))), 0
        for t, _ in self._group_terms:
            psi = self._user.psi(t)
            if self._estimate.terms[t].structure == "diagonal":
                psi = np.diag(np.diag(psi))
            out[first : first + len(psi), first : first + len(psi)] = psi
            first += len(psi)
        return self._as_given(pd.DataFrame(out, index=names, columns=names))

    @cached_property
    def cov_re(self) -> Any:
        """Covariance of the group term's effects, (q, q)."""
        return self.cov_re_unscaled * self.scale

    @cached_property
    def vcomp(self) -> Floats:
        """Variances of the components, (k_vc,)."""
        found = [
            self._user.psi(t)[0, 0] for t, term in enumerate(self._estimate.terms) if term.role == "component"
        ]
        return self.scale * np.array(found)

    @property
    def scale(self) -> float:
        """Residual variance σ², at weight one."""
        return float(self._user.sigma2)

    @property
    def sigma(self) -> float:
        """Residual standard deviation σ."""
        return float(np.sqrt(self.scale))

    @property
    def theta(self) -> Floats:
        """Free entries of Λ, terms in order, lower triangles by columns."""
        return self._user.theta

    @property
    def criterion(self) -> float:
        """−2 log-likelihood, or the REML criterion."""
        return self._estimate.evaluation.criterion

    @property
    def llf(self) -> float:
        """Log-likelihood; restricted log-likelihood of a REML fit."""
        return -self.criterion / 2

    @property
    def params_object(self) -> MixedLMParams:
        """The estimates as `MixedLM.loglike`, `score` and `hessian` take them: covariances over `scale`."""
        psi = [self._user.psi(t) for t in range(len(self._estimate.terms))]
        return to_params(self._user.beta, psi, self._estimate.terms)

    @property
    def hist(self) -> list[dict[str, Any]]:
        """The search for programs written for statsmodels: one entry, as `optimisation` tells it.

        converged, fopt (minus `llf`), iterations, fcalls, and allvecs: θ after each step.
        """
        found = self._estimate.optimum
        return [
            {
                "converged": found.converged,
                "fopt": -self.llf,
                "iterations": len(found.path) - 1,
                "fcalls": found.evaluations,
                "allvecs": [self._user.theta_at(theta) for theta, _ in found.path],
            }
        ]

    @property
    def _n_params(self) -> int:
        restriction = self._estimate.restriction
        if restriction is not None:
            return int(restriction.beta.sum() + restriction.psi.sum()) + 1
        return len(self._user.beta) + self._estimate.evaluation.cp.k + 1

    @property
    def aic(self) -> float:
        """−2 llf + 2 × number of parameters, σ counted, as in lme4; under REML only for equal fixed parts."""
        return self.criterion + 2 * self._n_params

    @property
    def bic(self) -> float:
        """−2 llf + log(n) × number of parameters; otherwise as `aic`."""
        return self.criterion + float(np.log(self.nobs)) * self._n_params

    @property
    def nobs(self) -> int:
        """Rows in the model."""
        return self._estimate.evaluation.cp.n

    @property
    def df_resid(self) -> int:
        """n − p."""
        return self.nobs - len(self._user.beta)

    @property
    def converged(self) -> bool:
        """Whether the search reached the optimum: expected further fall of the criterion under 1e-7."""
        return self._estimate.optimum.converged

    @property
    def singular(self) -> bool:
        """Whether a variance is zero or a correlation ±1."""
        return self._estimate.singular

    @cached_property
    def optimisation(self) -> Optimisation:
        """What the search did, and what the criterion looks like where it ended."""
        return Optimisation(self._information)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was dropped or changed on the way to this fit, in plain sentences."""
        extra = f"Left out of the fixed effects because the others determine them: {', '.join(self.aliased)}."
        return (*self.model.notes, extra) if self.aliased else self.model.notes

    @cached_property
    def aliased(self) -> list[str]:
        """Columns of X left out because earlier ones determine them; their coefficient counts as zero.

        No result has a row for them; `predict` takes them in new data and gives them no part.
        """
        kept = set(self._user.kept.tolist())
        return [name for j, name in enumerate(self.model.exog_names) if j not in kept]

    # -- uncertainty -----------------------------------------------------------------------------------

    @cached_property
    def bse_fe(self) -> Any:
        """Standard errors of the fixed effects from σ²(X'V⁻¹X)⁻¹, (p,)."""
        return self._as_given(pd.Series(self._user.beta_errors, index=self._fe_names))

    @cached_property
    def bse_re(self) -> Any:
        """Standard errors of the variances and covariances in the user's units, (k,).

        From the observed information of all variance parameters, the residual variance included, by the
        delta method.
        """
        return self._as_given(pd.Series(self._bse_re, index=covariance_names(self._estimate.terms)))

    @property
    def _bse_re(self) -> Floats:
        errors = np.sqrt(np.maximum(np.diag(self._information.cov_variances), 0.0))[:-1]
        return errors[packed_order(self._estimate.terms)]

    @cached_property
    def _cov_params(self) -> Floats:
        """Covariance of `params`, (p + k, p + k); zero between fixed effects and covariance parameters."""
        order = packed_order(self._estimate.terms)
        p, k = len(self._user.beta), order.size
        out = np.zeros((p + k, p + k))
        out[:p, :p] = self._user.cov_beta
        out[p:, p:] = self._information.cov_ratios[np.ix_(order, order)]
        return out

    @cached_property
    def bse(self) -> Any:
        """Standard errors of `params`, (p + k,)."""
        errors = np.sqrt(np.diag(self._cov_params))
        errors[: len(self._user.beta)] = self._user.beta_errors
        return self._as_given(pd.Series(errors, index=self._param_names))

    @property
    def tvalues(self) -> Any:
        """params / bse; missing where a parameter was held."""
        ratio = pd.Series(self.params, self._param_names) / pd.Series(self.bse, self._param_names)
        return self._as_given(ratio.where(np.asarray(self.bse) > 0))

    # -- rows and groups -------------------------------------------------------------------------------

    @cached_property
    def resid(self) -> Any:
        """Conditional residuals y − offset − Xβ − Zb, (n,), not weighted, indexed by the rows in use."""
        values = self._user.marginal_resid - self._user.random_part
        return self._as_given(pd.Series(values, index=self.model.row_index))

    @cached_property
    def fittedvalues(self) -> Any:
        """Xβ + Zb + offset, (n,), indexed by the rows in use."""
        values = self.model.endog - np.asarray(self.resid)
        return self._as_given(pd.Series(values, index=self.model.row_index))

    @property
    def _fixed_part(self) -> Floats:
        """Xβ + offset, (n,)."""
        return self.model.endog - self._user.marginal_resid

    @cached_property
    def random_effects(self) -> dict[Any, Any]:
        """Group label → conditional modes (BLUPs) of its effects; for bar terms, factor → table of levels."""
        if self.model.design.bars:
            return dict(modes_by_factor(self._user))
        return modes_by_group(self._user, self.model.group_labels)

    @cached_property
    def random_effects_cov(self) -> dict[Any, Any]:
        """Group label → joint conditional covariance of its effects given β and the variances.

        For bar terms, factor → level → covariance.
        """
        if self.model.design.bars:
            return dict(covariances_by_factor(self._user))
        return covariances_by_group(self._user, self.model.group_labels, lambda: self.model.group_codes)
