"""patsy, kept in one place: parse a formula, find its columns, evaluate factors and build matrices.

patsy's own sentences are kept where they help and come out as FormulaError.
"""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import patsy
from numpy.typing import NDArray
from patsy.build import build_design_matrices, design_matrix_builders
from patsy.categorical import categorical_to_int
from patsy.eval import EvalEnvironment

from mixedcore.data.columns import Mask
from mixedcore.data.frame import align
from mixedcore.data.tables import Table
from mixedcore.design.factors import (
    called_names,
    factor_names,
    origin_text,
    translated,
    with_own_factors,
)
from mixedcore.errors import FormulaError, ModelError
from mixedcore.terms import Floats

Formula = Any  # str or patsy.ModelDesc, which has no types
MAX_CELLS = 2.5e8
"""Numbers in a dense design matrix (2 GB) or a coding matrix beyond which a formula is refused."""


class NotFiniteError(Exception):
    """Private: evaluating `term` gave no finite value in the rows `bad` (n,)."""

    def __init__(self, bad: Mask, term: str) -> None:
        super().__init__(term)
        self.bad, self.term = bad, term


class FiniteOnly(patsy.NAAction):  # type: ignore[misc]  # patsy has no types
    """Stops at the first factor with a missing or infinite value, instead of dropping rows in silence."""

    def is_numerical_NA(self, arr: Any) -> Mask:
        values = np.asarray(arr)
        if values.dtype.kind not in "fc":
            return np.zeros(len(values), dtype=bool)
        return np.asarray(~np.isfinite(values).reshape(len(values), -1).all(axis=1))

    def handle_NA(self, values: list[Any], is_NAs: list[Any], origins: list[Any]) -> list[Any]:
        for bad, origin in zip(is_NAs, origins, strict=True):
            if np.any(bad):
                raise NotFiniteError(np.asarray(bad, dtype=bool), origin_text(origin))
        return values


@dataclass(frozen=True, slots=True)
class Names:
    """What the factors of a model refer to: columns of the table, and row-long variables of the caller."""

    columns: tuple[str, ...]
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Namespace:
    """Variables of the caller that formulas use: plain values, and modules by the name to import."""

    values: Mapping[str, Any]
    modules: Mapping[str, str]

    @classmethod
    def of(cls, env: EvalEnvironment, names: Iterable[str]) -> Namespace:
        """Those of some names that an environment has."""
        found = {name: env.namespace[name] for name in names if name in env.namespace}
        modules = {name: v.__name__ for name, v in found.items() if isinstance(v, ModuleType)}
        return cls({name: v for name, v in found.items() if name not in modules}, modules)

    def environment(self) -> EvalEnvironment:
        """Where formulas find them."""
        modules = {name: importlib.import_module(module) for name, module in self.modules.items()}
        return EvalEnvironment([{**self.values, **modules}])


def parse(formula: Formula, *, one_sided: bool = False, what: str = "formula") -> patsy.ModelDesc:
    """A formula as patsy's terms; `one_sided` ones may be written with or without '~'."""
    if isinstance(formula, patsy.ModelDesc):
        desc = formula
    elif not isinstance(formula, str):
        raise FormulaError(f"The {what} must be text or a patsy ModelDesc, not {type(formula).__name__}.")
    elif not formula.strip():
        raise FormulaError(f"The {what} is empty.")
    else:
        with translated(what):
            desc = _parsed(formula)
    desc = patsy.ModelDesc(with_own_factors(desc.lhs_termlist), with_own_factors(desc.rhs_termlist))
    if one_sided and desc.lhs_termlist:
        raise FormulaError(f"The {what} has no outcome: write only what stands right of '~'.")
    return desc


@lru_cache(maxsize=256)
def _parsed(formula: str) -> patsy.ModelDesc:
    return patsy.ModelDesc.from_formula(formula)


def environment(eval_env: int | EvalEnvironment, reference: int = 0) -> EvalEnvironment:
    """Where formulas look for what is no column: 0 the caller, k frames further out, −1 only `np`."""
    if isinstance(eval_env, EvalEnvironment):
        return eval_env
    if isinstance(eval_env, bool) or not isinstance(eval_env, (int, np.integer)) or eval_env < -1:
        raise ModelError("eval_env must be −1, 0, a number of frames, or a patsy EvalEnvironment.")
    if eval_env == -1:
        return EvalEnvironment([{"np": np}])
    try:
        return EvalEnvironment.capture(int(eval_env), reference=reference + 1)
    except ValueError as err:
        raise ModelError(f"eval_env={eval_env} is deeper than the stack of callers.") from err


def resolve(factors: Sequence[Any], table: Table, env: EvalEnvironment) -> Names:
    """Find every name; FormulaError with the nearest column for one that is nowhere."""
    wanted = list(dict.fromkeys(name for factor in factors for name in factor_names(factor)))
    columns = [name for name in wanted if table.has(name)]
    for name in columns:
        table.column(name)
    extra: dict[str, Any] = {}
    for name in wanted:
        if name in columns:
            continue
        if name in env.namespace:
            extra |= _row_long(name, env.namespace[name], table)
        elif not (hasattr(patsy.builtins, name) or hasattr(builtins, name)):
            raise FormulaError(table.unknown(name))
    _check_calls(factors, columns, env)
    return Names(tuple(columns), extra)


def evaluate(factor: Any, values: Mapping[str, Any], env: EvalEnvironment) -> Any:
    """The value of one factor on all rows, stateful transforms included."""
    with translated("formula"):
        state: dict[str, Any] = {}
        for which_pass in range(factor.memorize_passes_needed(state, env)):
            factor.memorize_chunk(state, which_pass, values)
            factor.memorize_finish(state, which_pass)
        return factor.eval(state, values)


def design_info(
    terms: Sequence[patsy.Term], values: Mapping[str, Any], env: EvalEnvironment, n: int
) -> patsy.DesignInfo:
    """The coding of some terms on these rows: column names, levels, states of transforms."""
    return design_infos([terms], values, env, n)[0]


def design_infos(
    sides: Sequence[Sequence[patsy.Term]], values: Mapping[str, Any], env: EvalEnvironment, n: int
) -> list[patsy.DesignInfo]:
    """The coding of several sets of terms, each factor looked at once."""
    for terms in sides:
        check_size(terms, values, n)
    with translated("formula"):
        found: list[patsy.DesignInfo] = design_matrix_builders(
            [list(terms) for terms in sides], lambda: iter([values]), env, FiniteOnly()
        )
    return found


def matrix(info: patsy.DesignInfo, values: Mapping[str, Any], n: int) -> Floats:
    """The matrix (n, p) of a coding on these rows, column by column in memory.

    NotFiniteError where a factor has no finite value.
    """
    if not info.factor_infos:
        return np.ones((len(info.column_names), n)).T
    found = {factor: _factor(known, values, n) for factor, known in info.factor_infos.items()}
    if all(value is not None for value in found.values()):
        return _columns(info, found, n)
    try:  # something is unusual, and patsy knows how to say what
        with translated("formula"):
            (built,) = build_design_matrices([info], values, FiniteOnly())
    except NotFiniteError as bad:
        _check_length(len(bad.bad), n)
        raise
    X = np.asfortranarray(np.asarray(built, dtype=np.float64))
    _check_length(len(X), n)
    return _finite(X)


def _factor(known: Any, values: Mapping[str, Any], n: int) -> NDArray[Any] | None:
    """Numbers (n, k) of a numerical factor, or level codes (n,) of a categorical one; None if unusual."""
    with translated("formula"):
        value = known.factor.eval(known.state, values)
        if known.type == "categorical":
            codes = np.asarray(categorical_to_int(value, known.categories, FiniteOnly(), known.factor))
            return codes if codes.shape == (n,) and (codes >= 0).all() else None
    numbers = np.asarray(value)
    numbers = numbers[:, None] if numbers.ndim == 1 else numbers
    if numbers.shape != (n, known.num_columns) or numbers.dtype.kind not in "iuf":
        return None
    if not (finite := np.isfinite(numbers)).all():
        raise NotFiniteError(~finite.all(axis=1), origin_text(known.factor.origin))
    return numbers


def _columns(info: patsy.DesignInfo, found: Mapping[Any, Any], n: int) -> Floats:
    """The columns of a coding as products of its factors' columns, the first factor's changing fastest.

    The same as patsy's, without a pass over all of the matrix for each column and factor.
    """
    out, column = np.empty((len(info.column_names), n)), 0
    for subterm in (part for parts in info.term_codings.values() for part in parts):
        codings = [subterm.contrast_matrices.get(factor) for factor in subterm.factors]
        counts = [
            found[factor].shape[1] if coding is None else coding.matrix.shape[1]
            for factor, coding in zip(subterm.factors, codings, strict=True)
        ]
        for places in product(*(range(count) for count in reversed(counts))):
            parts = [
                found[factor][:, j] if coding is None else coding.matrix[:, j][found[factor]]
                for factor, coding, j in zip(subterm.factors, codings, places[::-1], strict=True)
            ]
            out[column] = parts[0] if parts else 1.0
            for part in parts[1:]:
                out[column] *= part
            column += 1
    products = any(len(part.factors) > 1 for parts in info.term_codings.values() for part in parts)
    return _finite(out.T) if products else out.T


def _finite(X: Floats) -> Floats:
    if not np.isfinite(X).all():
        raise NotFiniteError(np.asarray(~np.isfinite(X).all(axis=1)), "a product of terms")
    return X


def _check_length(length: int, n: int) -> None:
    if length != n:
        raise FormulaError(f"A term of the formula gives {length} values for the {n} rows of data.")


def check_size(terms: Sequence[patsy.Term], values: Mapping[str, Any], n: int) -> None:
    """Refuse a term whose coding would not fit in memory, before patsy makes it."""
    for term in terms:
        counts = {f: _levels(f, values) for f in term.factors}
        columns = float(np.prod(list(counts.values()), dtype=float)) if counts else 1.0
        check_levels(term.name(), columns, n, max(counts.values(), default=1))


def check_levels(name: str, columns: float, n: int, levels: int | None = None) -> None:
    """Refuse n rows of `columns`, or the coding of a factor of so many `levels` (as many, if not given)."""
    if max(columns * n, float(columns if levels is None else levels) ** 2) > MAX_CELLS:
        raise ModelError(
            f"{name} has {columns:,.0f} levels, too many for one coefficient each: make it the grouping "
            "factor or a variance component instead."
        )


def _levels(factor: Any, values: Mapping[str, Any]) -> int:
    """Levels of a categorical factor that is a column or C(column), else 1."""
    named = factor_names(factor)
    column = values.get(named[0]) if named else None
    if column is None or getattr(column, "ndim", 2) != 1:
        return 1
    category = isinstance(column.dtype, pd.CategoricalDtype)
    boxed = factor.name().startswith("C(")
    if not boxed and not (category and factor.name() in (named[0], f"Q({named[0]!r})")):
        return 1
    return len(column.dtype.categories) if category else int(pd.Series(column).nunique())


def _row_long(name: str, value: Any, table: Table) -> dict[str, Any]:
    """A variable of the caller with one value a row is treated as a column, so that rows stay paired."""
    if not isinstance(value, (np.ndarray, pd.Series, list, pd.Categorical)) or not np.ndim(value):
        return {}
    if table._rows is None or len(value) != table._rows:
        return {}
    return {name: align(value, table.index, name) if isinstance(value, pd.Series) else value}


def _check_calls(factors: Sequence[Any], columns: Sequence[str], env: EvalEnvironment) -> None:
    for factor in factors:
        for name in called_names(factor):
            if name in columns:
                raise FormulaError(
                    f"The column {name!r} hides the function {name} in {factor.name()!r}; rename it."
                )
            if not (name in env.namespace or hasattr(patsy.builtins, name) or hasattr(builtins, name)):
                hint = f"; write np.{name}(…)" if callable(getattr(np, name, None)) else ""
                raise FormulaError(f"There is no function {name!r} in {factor.name()!r}{hint}.")
