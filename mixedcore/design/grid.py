"""The fixed design at chosen values of its variables: what marginal means and trends are made of."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.data.columns import Settled
from mixedcore.data.tables import nearest
from mixedcore.design.design import Design, new_rows
from mixedcore.design.factors import factor_names, factors_of
from mixedcore.design.known import AnyDesign, Known
from mixedcore.design.stream import StreamDesign
from mixedcore.errors import DataError, ModelError, rows_not_kept
from mixedcore.terms import Floats, Ints

TWO_VALUES = 1e-9  # share of (mean − low)(high − mean) by which the variance of two values may differ from it


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """A variable of the fixed part.

    levels : the values it takes in the reference grid: all of a factor's (text, categories, booleans, numbers
             in C(…)) and of a number with only two; else its mean alone
    factor : whether its rows can be counted by level
    low, high : range of a number, None of anything else
    """

    name: str
    levels: tuple[Any, ...]
    factor: bool
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class FixedGrid:
    """The fixed part of a model from formulas, to be evaluated anywhere."""

    design: AnyDesign

    @cached_property
    def _known(self) -> Known:
        if isinstance(self.design, Design) and self.design.spec is None:
            raise ModelError(
                "The model was given as arrays, whose columns have no variables to average over; write it "
                "with a formula."
            )
        return Known(self.design)

    @cached_property
    def _columns(self) -> dict[str, Settled]:
        """The columns that X needs, as they were in the fit."""
        names = [name for factor in factors_of(self._known.spec.fixed) for name in factor_names(factor)]
        if isinstance(self.design, Design) and self.design.frame is not None:
            for name in names:
                if name in self.design.frame.extra:
                    raise ModelError(f"{name!r} is a variable beside the data; make it a column of the data.")
        return {
            name: self._known.settled[name] for name in dict.fromkeys(names) if name in self._known.settled
        }

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """The variables of the fixed part by name; ModelError where there are no fixed effects."""
        if not self.design.fe_names:
            raise ModelError("The model has no fixed effects, so there are no means to compare.")
        return {name: self._variable(name, settled) for name, settled in self._columns.items()}

    def _variable(self, name: str, settled: Settled) -> Variable:
        values = settled.values
        if isinstance(values, np.ndarray):
            return Variable(name, (values.mean(axis=0),), factor=False)
        if isinstance(values.dtype, pd.CategoricalDtype):
            return Variable(name, tuple(values.cat.categories), factor=True)
        if values.dtype == bool:
            return Variable(name, (False, True), factor=True)
        if isinstance(self.design, StreamDesign):
            return self._streamed(name, self.design)
        low, high = float(values.min()), float(values.max())
        two = bool(values.isin([low, high]).all())
        if two or name in self._boxed:
            levels = (low, high) if two and name not in self._boxed else np.sort(values.unique()).tolist()
            return Variable(name, tuple(dict.fromkeys(levels)), True, low, high)
        return Variable(name, (float(values.mean()),), False, low, high)

    @cached_property
    def _boxed(self) -> set[str]:
        """Columns that the formula takes for categories: those in C(…) by themselves."""
        factors = factors_of(self._known.spec.fixed)
        return {name for name in map(_boxed_column, factors) if name is not None}

    def _streamed(self, name: str, design: StreamDesign) -> Variable:
        """A number of a fit whose rows were not kept: from levels and moments."""
        for factor in factors_of(self._known.spec.fixed) if name in self._boxed else ():
            levels = design.coding.levels.get(factor.name()) if _boxed_column(factor) == name else None
            if levels is not None:
                return Variable(name, tuple(levels.tolist()), True, float(levels.min()), float(levels.max()))
        if name not in design.coding.names:
            return Variable(name, (), factor=False)  # no column of the model, so its mean is not known
        at, found = design.coding.names.index(name), design.moments.plain or design.moments
        low, mean, high = float(found.low[at]), float(found.centre[at]), float(found.high[at])
        most = (mean - low) * (high - mean)  # variance of a number that is always low or high, else less
        if abs(found.M2[at, at] / found.n - most) <= TWO_VALUES * most:
            return Variable(name, tuple(dict.fromkeys((low, high))), False, low, high)
        return Variable(name, (mean,), False, low, high)

    def named(self, name: str) -> Variable:
        """A variable of the fixed part; ModelError for any other name."""
        if name not in self.variables:
            near = nearest(name, list(self.variables))
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(map(repr, self.variables))}."
            raise ModelError(f"{name!r} is no variable of the fixed part; {hint}")
        return self.variables[name]

    def matrix(self, values: Mapping[str, Sequence[Any]]) -> Floats:
        """X (G, p), aliased columns included, for G values of every variable.

        DataError for levels that the fit has not seen, and where a term has no finite value.
        """
        if not values:
            return np.ones((1, 1))  # y ~ 1
        plain = {name: np.asarray(column) for name, column in values.items()}
        table: Any = plain
        if all(column.ndim == 1 for column in plain.values()):
            table = pd.DataFrame({name: pd.Series(list(column)) for name, column in values.items()})
        rows = len(next(iter(plain.values())))
        X, frame = new_rows(self.design.fixed_info, self._columns, table)
        if frame.n != rows:
            raise DataError(
                "A term of the model has no finite value at some of the values asked for (such as the "
                "logarithm of zero), or one of them is missing; choose others with at={…}."
            )
        return X

    def codes(self, name: str, levels: Sequence[Any]) -> Ints:
        """Which of some levels of a factor each row of the fit has, (n,); −1 for none of them."""
        if isinstance(self.design, StreamDesign):
            raise rows_not_kept("a level")
        values = self._columns[name].values
        assert isinstance(values, pd.Series)
        return np.asarray(pd.Index(list(levels)).get_indexer(pd.Index(np.asarray(values))), dtype=np.intp)


def _boxed_column(factor: Any) -> str | None:
    """The column in C(column) or C(column, …), else None."""
    match ast.parse(str(factor.name()), mode="eval").body:
        case ast.Call(func=ast.Name(id="C"), args=[ast.Name() | ast.Call(func=ast.Name(id="Q")), *_]):
            return factor_names(factor)[0]
    return None
