"""Formulas and data to the numbers of a model: y, X and its random terms, rows accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
import patsy
from patsy.eval import EvalEnvironment

from mixedcore.data.columns import Settled
from mixedcore.data.frame import Frame, drop_rows, make_frame, new_frame
from mixedcore.data.tables import open_table
from mixedcore.design.components import component, of_formulas
from mixedcore.design.evaluation import (
    Formula,
    Namespace,
    NotFiniteError,
    design_infos,
    environment,
    evaluate,
    matrix,
    resolve,
)
from mixedcore.design.factors import factor_names, factors_of
from mixedcore.design.groups import (
    Grouping,
    group_term,
    grouped_term,
    interaction,
    make_grouping,
    named_apart,
)
from mixedcore.design.keep import coding_of, keep_coding
from mixedcore.design.outcome import check_rows, numbers_beside, outcome_numbers, varying
from mixedcore.design.spec import Spec, Texts, read_spec
from mixedcore.errors import DataError
from mixedcore.terms import Floats, Ints, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A model's numbers, and where they come from.

    y            : (n,) outcome
    X            : (n, p) fixed-effects design, C-contiguous; p may be 0
    fe_names     : p column names, as patsy gives them; arrays give x1, x2, …
    endog_name   : name of the outcome
    terms        : the group term first (if any), then the components in sorted order; or the bar terms
    group_name   : the grouping column, or 'Group'; with bar terms that of the first
    group_labels : labels of the top-level groups, sorted where they can be
    group_codes  : (n,) group of each row
    row_index    : labels of the rows in use
    rows         : (n,) their positions in the data as given
    notes        : what was dropped or changed, in plain sentences
    frame        : the columns used; None for a model from arrays
    fixed_info   : patsy's coding of X, None for a model from arrays
    re_infos     : patsy's coding of each group term or bar term
    bars         : whether the random terms were written in bars, as in lme4
    fixed_columns: the columns of data that X needs
    fixed_terms  : names of the terms of X as the formula has them; empty for a model from arrays
    weights      : (n,) prior weights w > 0, the residual variance of a row being σ²/w; None for equal ones
    offset       : (n,) known part of the mean, or None
    weights_column, offset_column: the columns of data that these are; None for values given beside the data
    groups_column: the column of data that names the groups; None for labels given beside the data, or bars
    texts        : the formulas, None for a model from arrays
    namespace    : the variables of the caller that the formulas of variance components use
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
    re_infos: tuple[patsy.DesignInfo, ...] = ()
    fixed_columns: tuple[str, ...] = ()
    fixed_terms: tuple[str, ...] = ()
    bars: bool = False
    weights: Floats | None = None
    offset: Floats | None = None
    weights_column: str | None = None
    offset_column: str | None = None
    groups_column: str | None = None
    texts: Texts | None = None
    namespace: Namespace | None = None

    @property
    def spec(self) -> Spec | None:
        """The formulas, read; None for a model from arrays."""
        return None if self.texts is None else self.texts.spec()

    def plain(self) -> dict[str, Any]:
        """All fields by name, patsy's codings as plain values: what is pickled, and saved."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        columns = () if self.frame is None else tuple(self.frame.columns)
        if self.fixed_info is not None:
            found["fixed_info"] = keep_coding(self.fixed_info, columns)
        found["re_infos"] = tuple(keep_coding(info, columns) for info in self.re_infos)
        return found

    @classmethod
    def of_plain(cls, found: Mapping[str, Any]) -> Design:
        """The design whose `plain` values these are."""
        fixed = found["fixed_info"]
        codings = {
            "fixed_info": None if fixed is None else coding_of(fixed),
            "re_infos": tuple(map(coding_of, found["re_infos"])),
        }
        return cls(**{**found, **codings})

    def __reduce__(self) -> tuple[Any, ...]:
        return Design.of_plain, (self.plain(),)

    @property
    def response(self) -> Floats:
        """(n,) what X and the random terms explain: the outcome less the offset."""
        return self.y if self.offset is None else self.y - self.offset

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
            return array_matrix(new_data, len(self.fe_names))
        columns = {c: self.frame.columns[c] for c in self.fixed_columns}
        X, frame = new_rows(self.fixed_info, columns, new_data, self.offset_column)
        return X, frame.index

    def fixed_part(self, new_data: Any, beta: Floats) -> pd.Series:
        """Xβ on new data as in `fixed_matrix`, for β (p,); with the offset where it is a column."""
        if self.fixed_info is None or self.frame is None:
            return array_part(new_data, beta)
        columns = {c: self.frame.columns[c] for c in self.fixed_columns}
        return new_fixed_part(self.fixed_info, columns, new_data, self.offset_column, beta)

    def factor_of(self, t: int) -> str:
        """Grouping factor of a random term, which several terms may share, or a component's name."""
        return factor_name(self.spec, self.terms, t)

    def has(self, role: str) -> bool:
        """Whether the model has 'weights' or an 'offset'."""
        return getattr(self, role) is not None

    @property
    def group_sizes(self) -> Ints:
        """Rows of each group."""
        return np.bincount(self.group_codes, minlength=len(self.group_labels))


def factor_name(spec: Spec | None, terms: Sequence[RandomTerm], t: int) -> str:
    """'school' for both terms of (1 | school) + (0 + x | school), whose names differ; else a term's name."""
    return terms[t].name if spec is None or not spec.bars else ":".join(spec.bars[t].keys)


def new_rows(
    info: patsy.DesignInfo, fitted: Mapping[str, Settled], new_data: Any, offset: str | None = None
) -> tuple[Floats, Frame]:
    """X (k, p) on new data, coded as in the fit, and the frame of its k rows without missing values.

    fitted : the columns that X needs, as they were in the fit, with or without their rows
    offset : the column that the fit's offset was
    """
    frame = new_frame(open_table(new_data), fitted, {} if offset is None else {"offset": offset})
    try:
        return matrix(info, frame.values(), frame.n), frame
    except NotFiniteError as found:
        frame = frame.keep(~found.bad)
        return matrix(info, frame.values(), frame.n), frame


def new_fixed_part(
    info: patsy.DesignInfo, fitted: Mapping[str, Settled], new_data: Any, offset: str | None, beta: Floats
) -> pd.Series:
    """Xβ on new data as in `new_rows`, for β (p,); with the offset where it is a column."""
    X, frame = new_rows(info, fitted, new_data, offset)
    own = frame.numbers("offset")
    return pd.Series(X @ beta if own is None else X @ beta + own, index=frame.index)


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
    weights: Any = None,
    offset: Any = None,
) -> Design:
    """The design of a model written in formulas; arguments as in `mixedlm`.

    `eval_env=0` is the caller of this function. Raises FormulaError, DataError, MissingValuesError and
    ModelError with a sentence on what was found and what to do.
    """
    env = environment(eval_env, reference=1)
    spec = read_spec(formula, groups, re_formula, vc_formula)
    table = open_table(data)
    names = resolve(spec.factors(), table, env)
    frame = make_frame(
        table,
        names.columns,
        groups=groups,
        keys=spec.key_columns(),
        extra=names.extra,
        beside={"weights": weights, "offset": offset},
        subset=subset,
        missing=missing,
    )
    group_name = groups if isinstance(groups, str) else "Group"
    weights_column, offset_column, groups_column = (
        column if isinstance(column, str) else None for column in (weights, offset, groups)
    )
    while True:  # every turn drops at least one row or ends
        try:
            return replace(
                _assemble(spec, frame, group_name, env),
                weights_column=weights_column,
                offset_column=offset_column,
                groups_column=groups_column,
                texts=Texts.of(formula, groups, re_formula, vc_formula),
            )
        except NotFiniteError as found:
            frame = drop_rows(frame, found.bad, found.term, missing)


def _assemble(spec: Spec, frame: Frame, group_name: str, env: EvalEnvironment) -> Design:
    values = frame.values()
    y, notes = outcome_numbers(spec.outcome.name(), evaluate(spec.outcome, values, env), frame.n)
    sides = [
        spec.fixed,
        *(bar.covariates for bar in spec.bars),
        *([] if spec.group is None else [spec.group]),
    ]
    fixed_info, *random_infos = design_infos(sides, values, env, frame.n)
    X = matrix(fixed_info, values, frame.n)
    check_rows(frame.n, X.shape[1])
    bases = [_covariates(info, fixed_info, X, values, frame.n) for info in random_infos]
    if spec.bars:
        random = _bar_terms(spec, frame, random_infos, bases)
    else:
        random = _seed_terms(spec, frame, random_infos, bases, group_name, env)
    beside = numbers_beside(frame)
    used = {name for factor in factors_of(spec.fixed) for name in factor_names(factor)}
    return Design(
        y=varying(y, beside.offset, spec.outcome.name()),
        X=X,
        fe_names=list(fixed_info.column_names),
        endog_name=spec.outcome.name(),
        terms=random.terms,
        group_name=random.grouping.name,
        group_labels=random.grouping.labels,
        group_codes=random.grouping.codes,
        row_index=frame.index,
        rows=frame.rows,
        notes=(
            *(*frame.notes, *frame.conversions(), *numbers_as_text(spec, frame.columns)),
            *(*notes, *beside.notes),
        ),
        frame=frame,
        fixed_info=fixed_info,
        re_infos=random.infos,
        bars=bool(spec.bars),
        fixed_columns=tuple(name for name in frame.columns if name in used and name not in frame.extra),
        fixed_terms=tuple(term.name() for term in spec.fixed),
        weights=beside.weights,
        offset=beside.offset,
        namespace=of_formulas(spec, env, frame.columns),
    )


def numbers_as_text(spec: Spec, columns: Mapping[str, Settled]) -> Iterator[str]:
    """A note for each column whose text is all numbers, where the formula uses it as if it were one."""
    for factor in spec.factors():
        values = columns[factor.name()].values if factor.name() in columns else None
        if not isinstance(values, pd.Series) or not isinstance(values.dtype, pd.CategoricalDtype):
            continue
        if not _reads_as_number(values.dtype.categories[0]):
            continue
        levels = pd.Series(values.dtype.categories)
        numeric = pd.to_numeric(levels, errors="coerce").notna().all()
        if numeric and pd.api.types.infer_dtype(levels) == "string":
            yield f"{factor.name()} is text, though its values are numbers: used as {len(levels)} categories."


def _reads_as_number(value: Any) -> bool:
    """Whether a value is a number or text that spells one: quick, where all values take their time."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True, eq=False)
class _Random:
    """The random terms, the grouping that the model is known by, and the coding of each group term."""

    terms: tuple[RandomTerm, ...]
    grouping: Grouping
    infos: tuple[patsy.DesignInfo, ...]


def _covariates(
    info: patsy.DesignInfo, fixed: patsy.DesignInfo, X: Floats, values: Mapping[str, Any], n: int
) -> Floats:
    """Covariates (n, q) of a random term: the columns of X themselves where they stand there in a row."""
    own, all_names = list(info.column_names), list(fixed.column_names)
    for first in range(len(all_names) - len(own) + 1):
        if all_names[first : first + len(own)] == own:
            return X[:, first : first + len(own)]
    return matrix(info, values, n)


def _seed_terms(
    spec: Spec,
    frame: Frame,
    infos: Sequence[patsy.DesignInfo],
    bases: Sequence[Floats],
    group_name: str,
    env: EvalEnvironment,
) -> _Random:
    """The group term of `re_formula`, then the components."""
    grouping = make_grouping(frame.group_labels(), group_name)
    group = [
        group_term(basis, info.column_names, grouping, spec.components)
        for info, basis in zip(infos, bases, strict=True)
    ]
    components = [component(name, terms, frame, grouping, env) for name, terms in spec.components.items()]
    return _Random((*group, *components), grouping, tuple(infos))


def _bar_terms(
    spec: Spec, frame: Frame, infos: Sequence[patsy.DesignInfo], bases: Sequence[Floats]
) -> _Random:
    """One term a bar, each on the combinations of its own columns; the first names the model's groups."""
    one_column = {key: make_grouping(frame.group_labels(key), key) for key in spec.key_columns()}
    groupings = [interaction([one_column[key] for key in bar.keys]) for bar in spec.bars]
    columns = [list(info.column_names) for info in infos]
    named, shared = named_apart(groupings, columns)
    terms = tuple(
        grouped_term(basis, own, grouping, correlated=bar.correlated, ambiguous=shared)
        for bar, basis, own, grouping in zip(spec.bars, bases, columns, named, strict=True)
    )
    return _Random(terms, groupings[0], tuple(infos))


def array_part(new_data: Any, beta: Floats) -> pd.Series:
    """Xβ for X (k, p) given as an array, and β (p,)."""
    X, index = array_matrix(new_data, len(beta))
    return pd.Series(X @ beta, index=index)


def array_matrix(new_data: Any, p: int) -> tuple[Floats, pd.Index]:
    """Columns of X (k, p) as given, and labels of the rows; DataError for another number of columns."""
    index = new_data.index if isinstance(new_data, (pd.DataFrame, pd.Series)) else None
    X = np.asarray(new_data, dtype=np.float64)
    X = X[:, None] if X.ndim == 1 and p == 1 else np.atleast_2d(X)
    if X.shape[1] != p:
        raise DataError(f"New data have {X.shape[1]} columns and the model has {p}.")
    return X, pd.RangeIndex(len(X)) if index is None else index
