"""The seed interface: `mixedlm` and `MixedLM`, composing the layers below."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd

from mixedcore.design.arrays import from_arrays
from mixedcore.design.evaluation import environment
from mixedcore.engine.estimate import Progress
from mixedcore.engine.penalties import check_penalty
from mixedcore.errors import ModelError
from mixedcore.keywords import check_fit_keywords, check_model_keywords
from mixedcore.model.fitting import Wanted, fit_lasso, fit_model
from mixedcore.model.functions import Functions
from mixedcore.packed import MixedLMParams
from mixedcore.results import MixedLMResults
from mixedcore.stream import make_design


class MixedLM(Functions):
    """A linear mixed model y = Xβ + Zb + ε for given data; `fit` estimates it.

    From arrays: endog (n,), exog (n, p), groups (n,) labels, exog_re (n, q) covariates of the group term
    (None: a random intercept, unless there are components), exog_vc a `VCSpec`. `missing` is 'none', 'drop'
    or 'raise'. From formulas: `MixedLM.from_formula` or `mixedlm`. `use_sqrt`: whether packed arrays of
    covariance parameters, given to a method or as start values, and the score are those of triangular roots
    and standard deviations; the engine always works on roots.

    weights (n,) > 0: prior weights as in lme4, Var(ε_i) = σ²/w_i, so that `scale` is the residual variance at
    weight one. offset (n,): a known part of the mean. Either is an array, a Series with the index of the data
    (paired by it, as groups are), or None; with formulas also the name of a column.

    Raises DataError, MissingValuesError, FormulaError or ModelError, all MixedCoreError, with what was
    found and what to do.
    """

    def __init__(
        self,
        endog: Any,
        exog: Any,
        groups: Any,
        exog_re: Any = None,
        exog_vc: Any = None,
        use_sqrt: bool = True,
        missing: str = "none",
        *,
        weights: Any = None,
        offset: Any = None,
    ) -> None:
        if isinstance(exog_vc, Mapping):
            text = "Using deprecated variance components format: give exog_vc as a VCSpec, not as a dict."
            warnings.warn(text, FutureWarning, stacklevel=2)
        self._design = from_arrays(endog, exog, groups, exog_re, exog_vc, missing, weights, offset)
        self._set(use_sqrt, None, None, None)
        self.labelled = any(isinstance(given, (pd.Series, pd.DataFrame)) for given in (endog, exog))

    @classmethod
    def from_formula(
        cls,
        formula: Any,
        data: Any,
        re_formula: Any = None,
        vc_formula: Mapping[str, Any] | None = None,
        subset: Any = None,
        use_sparse: bool = False,
        missing: str = "none",
        *args: Any,
        **kwargs: Any,
    ) -> MixedLM:
        """A model from formulas; see `mixedlm`."""
        eval_env = environment(kwargs.pop("eval_env", 0), reference=1)
        return cls._from_formula(
            formula, data, re_formula, vc_formula, subset, missing, eval_env, args, kwargs
        )

    @classmethod
    def _from_formula(
        cls,
        formula: Any,
        data: Any,
        re_formula: Any,
        vc_formula: Mapping[str, Any] | None,
        subset: Any,
        missing: str,
        eval_env: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> MixedLM:
        check_model_keywords(args, kwargs)
        self = cls.__new__(cls)
        self._design = make_design(
            formula,
            data,
            groups=kwargs.get("groups"),
            re_formula=re_formula,
            vc_formula=vc_formula,
            subset=subset,
            missing=missing,
            eval_env=eval_env,
            weights=kwargs.get("weights"),
            offset=kwargs.get("offset"),
            client=kwargs.get("client"),
            progress=kwargs.get("progress"),
        )
        text = formula if isinstance(formula, str) else formula.describe()
        self._set(kwargs.get("use_sqrt", True), text, re_formula, vc_formula)
        return self

    def _set(
        self, use_sqrt: bool, formula: str | None, re_formula: Any, vc_formula: Mapping[str, Any] | None
    ) -> None:
        self.use_sqrt, self.labelled = use_sqrt, True
        self.formula, self.re_formula, self.vc_formula = formula, re_formula, vc_formula
        # What `loglike` and `score` are of; each fit sets them, no result depends on them.
        self.reml, self.fe_pen, self.cov_pen = True, None, None

    def fit(
        self,
        start_params: Any = None,
        reml: bool = True,
        niter_sa: int = 0,
        do_cg: bool = True,
        fe_pen: Any = None,
        cov_pen: Any = None,
        free: MixedLMParams | None = None,
        full_output: bool = False,
        method: Any = None,
        *,
        progress: Progress | None = None,
        **fit_kwargs: Any,
    ) -> MixedLMResults:
        """Estimate the model by REML, or by maximum likelihood with `reml=False`.

        start_params : `MixedLMParams`, a Series as `result.params`, or a packed array as `loglike` takes it;
                 the optimum does not depend on them
        do_cg  : False makes no search: the result is the point of `start_params`, by default that of
                 variances as large as the residual's, with the best fixed effects
        free   : `MixedLMParams` of ones and zeros. Where it is 0 a parameter is held at its start value, by
                 default 0 of a fixed effect, 1 of a variance, 0 of a covariance, over the residual variance.
                 An identity for `cov_re` gives independent effects. No `fe_params` holds none of them. The
                 restricted likelihood stays that of all columns of exog
        fe_pen : penalty with `func` and `deriv` of the fixed effects, taken from the log-likelihood
        cov_pen: penalty with both of the group term's covariance over the residual variance and its inverse
        progress: called with (evaluations so far, criterion there) after each, four to ten of them for most
                 models; an error that it raises ends the search and comes out of here
        method, niter_sa, full_output and arguments of statsmodels' optimisers are accepted and not needed:
                 Newton steps on the average information (Gilmour, Thompson & Cullis 1995) find the optimum,
                 on the boundary too, and the result always has `hist`

        Standard errors are those of the parameters that were estimated, 0 for held ones; penalties do not
        enter them. Unlike in statsmodels, held fixed effects are held, and penalised ones are shrunk.
        """
        check_fit_keywords(fit_kwargs)
        check_penalty(fe_pen, "fe_pen")
        check_penalty(cov_pen, "cov_pen")
        self.reml, self.fe_pen, self.cov_pen = bool(reml), fe_pen, cov_pen
        wanted = Wanted(start_params, free, fe_pen, cov_pen, bool(do_cg), progress)
        return MixedLMResults(self, fit_model(self, wanted))

    def fit_regularized(
        self,
        start_params: Any = None,
        method: Any = "l1",
        alpha: Any = 0,
        ceps: float = 1e-4,
        ptol: float = 1e-6,
        maxit: int = 200,
        **fit_kwargs: Any,
    ) -> MixedLMResults:
        """Fixed effects penalised by Σ α_j|β_j|, the covariances and `scale` being those of the plain fit.

        method : 'l1', or a penalty with `func` and `deriv` of the fixed effects, whose `alpha` is set
        alpha  : weight of the penalty, one for all columns of exog or one for each, against −2 log-likelihood
        ceps   : penalised coefficients smaller than this are zero
        ptol, maxit : largest change of a coefficient in the last pass over them, and most passes; the
                 coefficients that are not zero then are exact
        fit_kwargs, start_params : as in `fit`, for the plain fit

        A coefficient that the penalty has made zero has no standard error (NaN); those of the others are for
        the model without it. Friedman, Hastie & Tibshirani (2010), J. Stat. Softw. 33(1).
        """
        if not isinstance(method, str):
            check_penalty(method, "method")
            penalty = copy.copy(method)
            penalty.alpha = alpha
            return self.fit(start_params, **{**fit_kwargs, "fe_pen": penalty})
        if method.lower() != "l1":
            raise ModelError(f"method={method!r} is no known penalty; give 'l1' or a penalty object.")
        plain = self.fit(start_params, **fit_kwargs)
        return MixedLMResults(self, fit_lasso(self, plain, alpha, ceps, (ptol, maxit)))


def mixedlm(
    formula: Any,
    data: Any,
    re_formula: Any = None,
    vc_formula: Mapping[str, Any] | None = None,
    subset: Any = None,
    use_sparse: bool = False,
    missing: str = "none",
    *args: Any,
    **kwargs: Any,
) -> MixedLM:
    """A linear mixed model from formulas, with the interface of `statsmodels.formula.api.mixedlm`.

    formula    : 'outcome ~ fixed effects' or a patsy ModelDesc
    data       : DataFrame, dict of arrays, structured or record array, or a table of polars or pyarrow; or
                 more than fits in memory (below)
    re_formula : one-sided formula of the group term's correlated effects; None is a random intercept, or no
                 group term beside a vc_formula; '0' none
    vc_formula : component name → one-sided formula, evaluated within each group; independent effects of
                 one variance
    subset     : booleans, integers or index values: the rows to use
    use_sparse : accepted; the engine picks its own storage and the answer is the same
    missing    : 'none' and 'raise' (a missing value in a used column is an error), 'drop'
    groups     : column name, or one label a row
    weights    : column name, or one number > 0 a row: prior weights w as in lme4, a row's residual variance
                 being σ²/w; `scale` is the one at weight one
    offset     : column name, or one number a row: a known part of the mean
    eval_env   : where names that are no columns are looked up: 0 the caller, k frames further out, −1 a
                 clean namespace, or a patsy EvalEnvironment

    Data larger than memory: the path of a Parquet file or folder, a pyarrow Dataset, a list or other iterable
    of tables, or a function without arguments that gives such an iterable anew each time it is called.
    The first chunk is looked at, and then all rows are read twice: once here, for levels and moments, and
    once at the first fit, for sums. Text, categories, dates and C(number) take a pass before these; each step
    of a patsy transform such as center(x) or bs(x) takes another. The estimates are those of the same rows
    in memory; what has an entry for every row (fittedvalues, resid, augment) is not there. groups, weights
    and offset are names of columns.

    client     : a dask.distributed Client on which to read and sum the chunks; only totals come back
    progress   : function called with (pass_number, rows_done, rows_total) as one value, after each chunk

    Raises FormulaError, DataError, MissingValuesError or ModelError, each a MixedCoreError and a ValueError.

    >>> from mixedcore import datasets, mixedlm
    >>> sleep = datasets.load("sleepstudy")
    >>> result = mixedlm("Reaction ~ Days", sleep, groups="Subject", re_formula="Days").fit()
    >>> round(result.fe_params["Days"], 4)
    10.4673

    formula may have random terms in bars, as in lme4: 'y ~ x + (1 + x | school) + (1 | teacher)', with no
    `groups`. With several, names of parameters begin with their factor: 'school Var', 'school x x Cov',
    'school: x Var', 'teacher Var'.

    Unlike statsmodels, `subset` is honoured, an aligned `groups` Series is paired by its index, no result
    depends on the data's index or row order, and an estimate on the boundary is reported as such.
    """
    eval_env = environment(kwargs.pop("eval_env", 0), reference=1)
    return MixedLM._from_formula(
        formula, data, re_formula, vc_formula, subset, missing, eval_env, args, kwargs
    )
