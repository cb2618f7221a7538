"""The seed interface: `mixedlm` and `MixedLM`, composing the layers below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.crossproducts import CrossProducts, sum_rows
from mixedcore.design import Design
from mixedcore.design_arrays import from_arrays
from mixedcore.design_eval import environment
from mixedcore.design_stream import StreamDesign
from mixedcore.elimination import Plan, plan
from mixedcore.errors import ModelError, rows_not_kept
from mixedcore.estimate import estimate
from mixedcore.keywords import check_fit_keywords, check_model_keywords
from mixedcore.parameters import covariance_names, effect_names, start_theta
from mixedcore.results import MixedLMResults
from mixedcore.rows import Rows, gather
from mixedcore.stream import make_design, sum_stream
from mixedcore.terms import Floats, Ints
from mixedcore.units import UserUnits


@dataclass(frozen=True, slots=True, eq=False)
class VCSpec:
    """Variance components as matrices, as statsmodels has them.

    names: component names; colnames[j][g]: column names of component j in group g; mats[j][g]: its matrix
    (n_g, k).
    """

    names: list[str]
    colnames: list[list[list[str]]]
    mats: list[list[Floats]]


class MixedLM:
    """A linear mixed model y = Xβ + Zb + ε for given data; `fit` estimates it.

    From arrays: endog (n,), exog (n, p), groups (n,) labels, exog_re (n, q) covariates of the group term
    (None: a random intercept, unless there are components), exog_vc a `VCSpec`. `missing` is 'none', 'drop'
    or 'raise'. From formulas: `MixedLM.from_formula` or `mixedlm`. `use_sqrt` is accepted for
    compatibility; the engine always works on square roots.

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
        self._design = from_arrays(endog, exog, groups, exog_re, exog_vc, missing, weights, offset)
        self.use_sqrt = use_sqrt
        self.formula: str | None = None
        self.re_formula: str | None = None
        self.vc_formula: Mapping[str, Any] | None = None

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
        self.use_sqrt = kwargs.get("use_sqrt", True)
        self.formula = formula if isinstance(formula, str) else formula.describe()
        self.re_formula = re_formula
        self.vc_formula = vc_formula
        return self

    # -- what the model is -----------------------------------------------------------------------------

    _design: Design | StreamDesign

    @property
    def design(self) -> Design | StreamDesign:
        """Outcome, fixed design and random terms."""
        return self._design

    @property
    def endog(self) -> Floats:
        """Outcome (n,)."""
        return self._design.y

    @property
    def exog(self) -> Floats:
        """Fixed-effects design (n, p), aliased columns included."""
        return self._design.X

    @property
    def weights(self) -> Floats | None:
        """Prior weights (n,), or None."""
        return self._design.weights

    @property
    def offset(self) -> Floats | None:
        """Known part of the mean (n,), or None."""
        return self._design.offset

    @property
    def endog_names(self) -> str:
        """Name of the outcome."""
        return self._design.endog_name

    @property
    def exog_names(self) -> list[str]:
        """Names of all columns of `exog`, aliased ones included."""
        return list(self._design.fe_names)

    @property
    def exog_re_names(self) -> list[str]:
        """Names of the group term's effects; empty without one."""
        return [name for term in self._design.terms if term.role == "group" for name in effect_names(term)]

    @property
    def exog_re(self) -> Floats | None:
        """Covariates of the group term (n, q), or None."""
        if isinstance(self._design, StreamDesign):
            raise rows_not_kept("a row of exog_re")
        found = [term.blocks[0].basis for term in self._design.terms if term.role == "group"]
        return np.column_stack(found) if found else None

    @property
    def groups(self) -> Any:
        """Group label of each row in use, (n,)."""
        return np.asarray(self.group_labels, dtype=object)[self.group_codes]

    @property
    def group_name(self) -> str:
        """The grouping column, or 'Group'."""
        return self._design.group_name

    @property
    def group_labels(self) -> list[Any]:
        """Labels of the groups, sorted."""
        return self._design.group_labels

    @property
    def group_codes(self) -> Ints:
        """(n,) position of each row's group in `group_labels`."""
        return self._design.group_codes

    @property
    def row_index(self) -> pd.Index:
        """Labels of the rows in use."""
        return self._design.row_index

    @property
    def notes(self) -> tuple[str, ...]:
        """What was dropped or changed, in plain sentences."""
        return self._design.notes

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self._design.group_labels)

    @property
    def nobs(self) -> int:
        """Rows in use."""
        return self._design.n

    n_totobs = nobs

    @property
    def k_fe(self) -> int:
        """Columns of the fixed design."""
        return len(self._design.fe_names)

    @property
    def k_re(self) -> int:
        """Effects of the group term."""
        return len(self.exog_re_names)

    @property
    def k_re2(self) -> int:
        """Covariance parameters of the group term."""
        return len(covariance_names([term for term in self._design.terms if term.role == "group"]))

    @property
    def k_vc(self) -> int:
        """Variance components."""
        return sum(term.role == "component" for term in self._design.terms)

    def used_columns(self) -> pd.DataFrame:
        """The columns of the data that the model uses, rows in use, as they were given."""
        frame = self._design.frame
        if frame is None:
            table = pd.DataFrame({self.endog_names: self.endog}, index=self.row_index)
            return table.assign(**self._beside_columns())
        columns = {
            name: np.asarray(values) if np.ndim(values) == 1 else list(values)
            for name, values in frame.raw.items()
        }
        table = pd.DataFrame(columns, index=self.row_index)
        if self.group_name not in table:
            table[self.group_name] = self.groups
        return table.assign(**{name: v for name, v in self._beside_columns().items() if name not in table})

    def _beside_columns(self) -> dict[str, Floats]:
        """Weights and offset that were given beside the data, each under the name of its argument."""
        given = {"weights": self.weights, "offset": self.offset}
        columns = {"weights": self._design.weights_column, "offset": self._design.offset_column}
        return {k: v for k, v in given.items() if v is not None and columns[k] is None}

    # -- what can be done with it ----------------------------------------------------------------------

    @cached_property
    def _rows(self) -> Rows | StreamDesign:
        design, names = self._design, [*self.exog_names, self.endog_names]
        if isinstance(design, StreamDesign):
            return design
        return gather(design.response, design.X, design.terms, design.weights, names)

    @cached_property
    def _products(self) -> tuple[CrossProducts, Plan]:
        rows = self._rows
        cp = sum_rows(rows, self._design.terms) if isinstance(rows, Rows) else sum_stream(rows)
        return cp, plan(cp)

    def fit(
        self, start_params: Any = None, reml: bool = True, *, full_output: bool = False, **fit_kwargs: Any
    ) -> MixedLMResults:
        """Estimate the model by REML, or by maximum likelihood with `reml=False`.

        start_params : packed parameters to start from, (p + k,) or (k,); the optimum does not depend on them.
        Arguments of statsmodels' optimisers are accepted and not needed. Newton steps on the average
        information (Gilmour, Thompson & Cullis 1995) find the optimum, on the boundary too.
        """
        check_fit_keywords(fit_kwargs)
        cp, layout = self._products
        start = None
        if start_params is not None:
            start = start_theta(start_params, self._design.terms, cp.scaled_terms, (cp.p, self.k_fe))
        found = estimate(cp, layout, self._design.terms, reml=reml, start=start, rows=self._rows)
        return MixedLMResults(self, UserUnits(found, self._rows))

    def predict(self, params: Any, exog: Any = None, *, transform: bool = False) -> pd.Series | Floats:
        """Xβ at fixed effects (p,) for the rows in use or for `exog` (columns of X, or a table).

        With the offset for the rows in use, and for a table where the offset is one of its columns.
        """
        beta = self._full_beta(params)
        if exog is None:
            return self.exog @ beta if self.offset is None else self.exog @ beta + self.offset
        if not transform or self._design.fixed_info is None:
            matrix = np.asarray(exog, dtype=float)
            if matrix.ndim == 1:
                matrix = matrix[:, None] if self.k_fe == 1 else matrix[None]
            if matrix.shape[1] != self.k_fe:
                raise ModelError(
                    f"exog has {matrix.shape[1]} columns and the model has {self.k_fe} fixed effects."
                )
            return matrix @ beta
        return self._design.fixed_part(exog, beta)

    def _full_beta(self, params: Any) -> Floats:
        """Coefficients of all columns of X, zero for aliased ones, which `params` may hold or leave out."""
        if isinstance(params, pd.Series):
            return np.array([params.get(name, 0.0) for name in self.exog_names])
        values, (cp, _) = np.asarray(params, dtype=float).ravel(), self._products
        if values.size in (self.k_fe, self.k_fe + cp.k):
            return values[: self.k_fe]
        if values.size not in (cp.p, cp.p + cp.k):
            raise ModelError(f"params has {values.size} values and the model has {self.k_fe} fixed effects.")
        beta = np.zeros(self.k_fe)
        beta[cp.fixed.kept] = values[: cp.p]
        return beta


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
