"""Formulas and data to the numbers of a model: y, X and its random terms, rows accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import patsy
from patsy.categorical import guess_categorical
from patsy.eval import EvalEnvironment

from mixedcore.design_components import Grouping, component, parse_components
from mixedcore.design_eval import (
    Formula,
    NotFiniteError,
    design_info,
    environment,
    evaluate,
    factor_names,
    factors_of,
    matrix,
    parse,
    resolve,
)
from mixedcore.errors import DataError, FormulaError, ModelError
from mixedcore.frame import Frame, drop_rows, make_frame, new_frame
from mixedcore.tables import open_table
from mixedcore.terms import Block, Floats, Ints, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A model's numbers, and where they come from.

    y            : (n,) outcome
    X            : (n, p) fixed-effects design, C-contiguous; p may be 0
    fe_names     : p column names, as patsy gives them; arrays give x1, x2, …
    endog_name   : name of the outcome
    terms        : the group term first (if any), then the components in sorted order
    group_name   : the grouping column, or 'Group'
    group_labels : labels of the top-level groups, sorted where they can be
    group_codes  : (n,) group of each row
    row_index    : labels of the rows in use
    rows         : (n,) their positions in the data as given
    notes        : what was dropped or changed, in plain sentences
    frame        : the columns used; None for a model from arrays
    fixed_info   : patsy's coding of X, None for a model from arrays
    re_info      : patsy's coding of the group term, None without one or for '1'
    """

    y: Floats
    X: Floats
    fe_names: list[str]
    endog_name: str
    terms: tuple[RandomTerm, ...]
    group_name: str
    group_labels: list[Any]
    group_codes: Ints
    row_index: pd.Index
    rows: Ints
    notes: tuple[str, ...] = ()
    frame: Frame | None = None
    fixed_info: patsy.DesignInfo | None = None
    re_info: patsy.DesignInfo | None = None
    fixed_columns: tuple[str, ...] = field(default=())

    @property
    def n(self) -> int:
        """Rows in use."""
        return len(self.y)

    @property
    def re_names(self) -> tuple[str, ...]:
        """Covariates of the group term ('Intercept', 'Days'); empty without one."""
        return tuple(c for term in self.terms if term.role == "group" for c in term.columns)

    @property
    def vc_names(self) -> tuple[str, ...]:
        """Names of the variance components, sorted."""
        return tuple(term.name for term in self.terms if term.role == "component")

    def fixed_matrix(self, new_data: Any) -> tuple[Floats, pd.Index]:
        """X (k, p) on new data, coded as in the fit, and the labels of its k rows without missing values.

        For a model from arrays `new_data` is an array (k, p). Raises FormulaError for an absent column,
        DataError for types or categories that the fit has not seen.
        """
        if self.fixed_info is None or self.frame is None:
            return _array_matrix(new_data, len(self.fe_names))
        frame = new_frame(open_table(new_data), {c: self.frame.columns[c] for c in self.fixed_columns})
        try:
            return matrix(self.fixed_info, frame.values(), frame.n), frame.index
        except NotFiniteError as found:
            frame = frame.keep(~found.bad)
            return matrix(self.fixed_info, frame.values(), frame.n), frame.index


@dataclass(frozen=True, slots=True, eq=False)
class _Spec:
    """The formulas of a model, parsed. `re` is None without a group term."""

    outcome: Any
    fixed: list[patsy.Term]
    re: list[patsy.Term] | None
    components: Mapping[str, list[patsy.Term]]

    def terms(self) -> list[patsy.Term]:
        parts = [self.fixed, self.re or [], *self.components.values()]
        return [term for part in parts for term in part]


def build(
    formula: Formula,
    data: Any,
    *,
    groups: Any = None,
    re_formula: Formula | None = None,
    vc_formula: Mapping[str, Any] | None = None,
    subset: Any = None,
    missing: str = "none",
    eval_env: int | EvalEnvironment = 0,
) -> Design:
    """The design of a model written in formulas; arguments as in `mixedlm`.

    `eval_env=0` is the caller of this function. Raises FormulaError, DataError, MissingValuesError and
    ModelError with a sentence on what was found and what to do.
    """
    env = environment(eval_env, reference=1)
    spec = _read(formula, re_formula, vc_formula)
    if groups is None:
        raise ModelError(
            "Say which rows belong together: groups='column'. For crossed factors, give one constant group "
            "and the factors as variance components."
        )
    table = open_table(data)
    names = resolve([spec.outcome, *factors_of(spec.terms())], table, env)
    frame = make_frame(table, names.columns, groups=groups, extra=names.extra, subset=subset, missing=missing)
    name = groups if isinstance(groups, str) else "Group"
    while True:  # every turn drops at least one row or ends
        try:
            return _assemble(spec, frame, name, env, names.columns)
        except NotFiniteError as found:
            frame = drop_rows(frame, found.bad, found.term, missing)


def _read(formula: Formula, re_formula: Formula | None, vc_formula: Mapping[str, Any] | None) -> _Spec:
    desc = parse(formula)
    if not desc.lhs_termlist:
        raise FormulaError("The formula has no outcome: write it left of '~', as in 'score ~ age'.")
    if len(desc.lhs_termlist) != 1 or len(desc.lhs_termlist[0].factors) != 1:
        raise FormulaError("The formula must have one outcome left of '~'; for a sum write I(a + b).")
    outcome = desc.lhs_termlist[0].factors[0]
    components = {
        name: list(parse(text, one_sided=True, what=f"formula of component {name!r}").rhs_termlist)
        for name, text in parse_components(vc_formula).items()
    }
    spec = _Spec(outcome, list(desc.rhs_termlist), _read_re(re_formula, bool(components)), components)
    if outcome in factors_of(spec.terms()):
        raise ModelError(f"{outcome.name()} is the outcome and also a predictor; take it out on the right.")
    return spec


def _read_re(re_formula: Formula | None, has_components: bool) -> list[patsy.Term] | None:
    """Terms of the group term: a random intercept by default, none beside components unless asked for."""
    if re_formula is None:
        return None if has_components else [patsy.Term([])]
    terms = list(parse(re_formula, one_sided=True, what="re_formula").rhs_termlist)
    if not terms and not has_components:
        raise ModelError("re_formula='0' leaves no random effects; give a vc_formula, or re_formula='1'.")
    return terms or None


def _assemble(
    spec: _Spec, frame: Frame, group_name: str, env: EvalEnvironment, columns: Sequence[str]
) -> Design:
    values = frame.values()
    endog, notes = _outcome(spec.outcome, evaluate(spec.outcome, values, env), frame.n)
    fixed_info = design_info(spec.fixed, values, env, frame.n)
    X = matrix(fixed_info, values, frame.n)
    _check_rows(frame.n, X.shape[1])
    grouping = make_grouping(frame.group_labels(), group_name)
    terms: list[RandomTerm] = []
    re_info = None
    if spec.re is not None:
        re_info = design_info(spec.re, values, env, frame.n)
        terms.append(group_term(matrix(re_info, values, frame.n), re_info.column_names, grouping))
    terms += [component(name, rhs, frame, grouping, env) for name, rhs in spec.components.items()]
    used = {name for f in factors_of(spec.fixed) for name in factor_names(f)}
    return Design(
        y=endog,
        X=X,
        fe_names=list(fixed_info.column_names),
        endog_name=spec.outcome.name(),
        terms=tuple(terms),
        group_name=group_name,
        group_labels=grouping.labels,
        group_codes=grouping.codes,
        row_index=frame.index,
        rows=frame.rows,
        notes=(*frame.notes, *frame.conversions(), *notes),
        frame=frame,
        fixed_info=fixed_info,
        re_info=re_info,
        fixed_columns=tuple(c for c in columns if c in used),
    )


def group_term(basis: Floats, columns: Sequence[str], grouping: Grouping) -> RandomTerm:
    """The term of `re_formula`: correlated coefficients of `columns` in every group."""
    n, m = len(basis), grouping.m
    if m == 1:
        raise ModelError(
            f"All rows are in one group ({grouping.name} = {grouping.labels[0]!r}), and a variance between "
            "groups needs at least two. Choose another grouping factor; for crossed effects in one "
            "constant group give only variance components."
        )
    if m == n and "Intercept" in columns:
        raise ModelError(
            f"Every group of {grouping.name} has one row, so the variance between groups cannot be told from "
            "the residual. Choose a coarser grouping factor."
        )
    names = tuple(grouping.name if c == "Intercept" else c for c in columns)
    block = Block(grouping.codes, m, basis, np.arange(m, dtype=np.intp), names * m)
    return RandomTerm(grouping.name, "group", "full", tuple(columns), (block,))


def make_grouping(groups: pd.Series, name: str) -> Grouping:
    """Codes and sorted labels of the groups."""
    codes, labels = pd.factorize(groups)
    found = labels.tolist()
    try:
        order = sorted(range(len(found)), key=found.__getitem__)
    except TypeError:  # labels of different types have no order of their own
        order = sorted(range(len(found)), key=lambda i: (type(found[i]).__name__, str(found[i])))
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return Grouping(rank[codes], [found[i] for i in order], name)


def _outcome(factor: Any, value: Any, n: int) -> tuple[Floats, tuple[str, ...]]:
    """The outcome as numbers (n,) and notes on it."""
    name, array = factor.name(), np.asarray(value)
    if array.dtype.kind == "b":
        return _varying(array.astype(np.float64), name), (f"{name} is true or false: used as 1 and 0.",)
    if guess_categorical(value):
        raise DataError(_text_outcome(name, pd.Series(getattr(value, "data", value))))
    y = np.asarray(array, dtype=np.float64)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.shape != (n,):
        raise DataError(f"The outcome {name} must be one number a row; it has shape {y.shape}.")
    if not np.isfinite(y).all():
        raise NotFiniteError(~np.isfinite(y), name)
    return _varying(y, name), ()


def _varying(y: Floats, name: str) -> Floats:
    if len(y) > 1 and np.ptp(y) == 0:
        raise ModelError(f"The outcome {name} is {y[0]:g} in all {len(y)} rows: there is nothing to explain.")
    return np.ascontiguousarray(y)


def _text_outcome(name: str, values: pd.Series) -> str:
    found = values.unique()
    some = ", ".join(repr(v) for v in list(found)[:4]) + (", …" if len(found) > 4 else "")
    numeric = pd.to_numeric(pd.Series(list(found)), errors="coerce").notna().all()
    hint = " They look like numbers stored as text: convert the column first." if numeric else ""
    return (
        f"The outcome {name} is text with {len(found)} different values ({some}); a linear mixed model needs "
        f"a numeric outcome.{hint}"
    )


def _check_rows(n: int, p: int) -> None:
    if n <= p:
        raise ModelError(
            f"{n} rows cannot support {p} fixed effects; there must be more rows than coefficients."
        )


def _array_matrix(new_data: Any, p: int) -> tuple[Floats, pd.Index]:
    index = new_data.index if isinstance(new_data, (pd.DataFrame, pd.Series)) else None
    X = np.asarray(new_data, dtype=np.float64)
    X = X[:, None] if X.ndim == 1 and p == 1 else np.atleast_2d(X)
    if X.shape[1] != p:
        raise DataError(f"New data have {X.shape[1]} columns and the model has {p}.")
    return X, pd.RangeIndex(len(X)) if index is None else index
