"""What a formula needs to know of all rows before its columns can be made chunk by chunk."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import patsy
from patsy.eval import EvalEnvironment, EvalFactor

from mixedcore.data.columns import Settled, settle
from mixedcore.data.passes import add_up
from mixedcore.data.tables import Table
from mixedcore.design.coding import ONES, Coding, empty_like
from mixedcore.design.factors import translated, unboxed
from mixedcore.errors import FormulaError

_OF_PATSY = ("C", "I", "Q", "Treatment", "Sum", "Poly", "Helmert", "Diff")
_BY_ROW = (abs, round, *(getattr(patsy.builtins, name) for name in _OF_PATSY))
V = TypeVar("V")


def by_row(factor: Any, env: EvalEnvironment) -> bool:
    """Whether chunks can be evaluated one by one: arithmetic, NumPy's functions of single numbers, patsy's
    own transforms, which remember what they need of earlier chunks.
    """
    if not isinstance(factor, EvalFactor):
        return False
    nodes = list(ast.walk(ast.parse(factor.code, mode="eval")))
    if any(isinstance(node, (ast.Subscript, ast.Lambda, ast.comprehension)) for node in nodes):
        return False
    return all(_call_by_row(node.func, env) for node in nodes if isinstance(node, ast.Call))


def _call_by_row(function: ast.expr, env: EvalEnvironment) -> bool:
    match function:
        case ast.Name(id=name):
            own = getattr(patsy.builtins, name, getattr(builtins, name, None))
            found = env.namespace.get(name, own)
            return any(found is f for f in _BY_ROW) or hasattr(found, "__patsy_stateful_transform__")
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            called = getattr(env.namespace.get(module), name, None)
            return isinstance(called, np.ufunc) or called is np.where
    return False


def check_by_row(factor: Any, env: EvalEnvironment) -> None:
    """FormulaError for a factor whose value in a row could depend on other rows in ways nobody remembers.

    Columns are told apart by their names, so nothing but the constant may be called Intercept.
    """
    if factor.name() == ONES:
        raise FormulaError(f"The column {ONES!r} has the name of the constant; rename it.")
    if not by_row(factor, env):
        raise FormulaError(
            f"{factor.name()} may look at all rows at once, and the data come in chunks. Arithmetic, NumPy's "
            "functions of single numbers (np.log) and patsy's transforms (center, bs) can be used; for "
            "anything else make the column beforehand."
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """What a factor needs of all rows: nothing, the `levels` of its numbers, or patsy's own passes."""

    levels: bool = False
    stateful: bool = False


def kind_of(factor: Any, values: Mapping[str, Any], env: EvalEnvironment) -> Kind:
    """What a factor needs, seen from a few rows."""
    state: dict[str, Any] = {}
    with translated("formula"):
        if factor.memorize_passes_needed(state, env):
            return Kind(stateful=True)
        value = factor.eval(state, values)
    if "levels" in state:
        return Kind(levels=True)
    dtype = getattr(unboxed(value), "dtype", None)
    return Kind(stateful=unboxed(value) is not value and not isinstance(dtype, pd.CategoricalDtype))


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """Categories of a column that occur, and their declared order; None where they are to be sorted."""

    seen: pd.Index
    declared: pd.Index | None
    ordered: bool

    @classmethod
    def of(cls, values: pd.Series, name: str) -> Categories:
        """Those of a column as given, text or categories."""
        seen = pd.Series(settle(values, name).values).cat.categories
        if isinstance(values.dtype, pd.CategoricalDtype):
            return cls(seen, values.cat.categories, bool(values.cat.ordered))
        return cls(seen, None, False)

    def __add__(self, other: Categories) -> Categories:
        """Those of both; where declarations differ they are sorted, as when such columns are joined."""
        seen = self.seen.append(other.seen[~other.seen.isin(self.seen)])
        mine, theirs = self.declared, other.declared
        same = mine is not None and theirs is not None and mine.equals(theirs)
        return Categories(seen, mine if same else None, self.ordered and same)

    def settled(self, name: str) -> Settled:
        """The column as it is over all rows, without them."""
        values = pd.Series(self.seen)
        if self.declared is not None:
            values = pd.Series(pd.Categorical(self.seen, self.declared, ordered=self.ordered))
        return empty_like(settle(values, name))


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of the columns over some rows: categories, first dates, levels of numbers."""

    rows: int
    categories: Mapping[str, Categories] = field(default_factory=dict)
    origins: Mapping[str, pd.Timestamp] = field(default_factory=dict)
    levels: Mapping[str, pd.Index] = field(default_factory=dict)

    def __add__(self, other: Known) -> Known:
        """What is known over both sets of rows."""
        return Known(
            self.rows + other.rows,
            _merged(self.categories, other.categories, lambda a, b: a + b),
            _merged(self.origins, other.origins, min),
            _merged(self.levels, other.levels, lambda a, b: a.union(b)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class FindKnown:
    """A pass that finds categories, first dates, and the levels of the numbers that factors box."""

    coding: Coding
    boxed: tuple[str, ...]

    def over(self, tables: Iterable[Table]) -> Known:
        """What some tables say."""
        return add_up(map(self._of, tables), lambda a, b: a + b) or Known(0)

    def _of(self, table: Table) -> Known:
        columns, gaps = self.coding.complete(table)
        if gaps.bad == gaps.n:
            return Known(gaps.n)
        categories: dict[str, Categories] = {}
        origins: dict[str, pd.Timestamp] = {}
        values: dict[str, Any] = {}
        for name, like in self.coding.settled.items():
            if is_category(like):
                categories[name] = Categories.of(columns[name], name)
                continue
            values[name] = settle(columns[name], name, None if like.origin is not None else like)
            if like.origin is not None:
                origins[name] = values[name].origin
        plain = {name: settled.values for name, settled in values.items()}
        levels = {f.code: self._levels(f, plain) for f in self.coding.factors if f.name() in self.boxed}
        return Known(gaps.n, categories, origins, levels)

    def _levels(self, factor: Any, values: Mapping[str, Any]) -> pd.Index:
        state: dict[str, Any] = {}
        with translated("formula"):
            factor.memorize_passes_needed(state, self.coding.env)
            factor.eval(state, values)
        levels: pd.Index = state["levels"]
        return levels


def with_known(coding: Coding, known: Known) -> Coding:
    """The coding with the types and levels that the columns have over all rows."""
    settled = dict(coding.settled)
    for name, categories in known.categories.items():
        settled[name] = categories.settled(name)
    for name, origin in known.origins.items():
        day = pd.Series([origin])
        settled[name] = empty_like(settle(day, name, replace(settled[name], origin=origin)))
    sample = {name: _as_settled(v, settled.get(name)) for name, v in coding.sample.items()}
    return replace(coding, settled=settled, levels=known.levels, sample=sample)


def _as_settled(values: Any, settled: Settled | None) -> Any:
    """A few settled rows in the categories that the column has over all rows."""
    if settled is None or not is_category(settled):
        return values
    return values.astype(settled.values.dtype)


def is_category(settled: Settled) -> bool:
    """Whether a column holds categories."""
    return isinstance(settled.values.dtype, pd.CategoricalDtype)


def _merged(one: Mapping[str, V], two: Mapping[str, V], add: Callable[[V, V], V]) -> dict[str, V]:
    both = {name: add(one[name], two[name]) for name in one if name in two}
    return {**one, **two, **both}
