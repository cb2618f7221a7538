"""Linear functions of the fixed effects: means over a reference grid, and slopes along it.

The grid has every combination of the factors' levels, with covariates at their means; a mean is an average of
its cells: Searle, Speed & Milliken (1980), Am. Stat. 34(4), "population marginal means"; the grid and its
defaults are those of the R package emmeans (Lenth 2023, version 1.8.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from mixedcore.design.grid import FixedGrid, Variable
from mixedcore.errors import ModelError
from mixedcore.terms import Floats

Weights = Literal["equal", "proportional", "outer", "cells"]
LARGEST = 2.5e7  # numbers in the design of a grid
STEP = 5e-5  # of a variable's range, to either side: differences of polynomials up to squares are exact


@dataclass(frozen=True, slots=True, eq=False)
class Functions:
    """r linear functions Lβ: the level of each factor asked for, and L (r, p), aliased columns included."""

    table: pd.DataFrame
    L: Floats


@dataclass(frozen=True, eq=False)
class Grid:
    """The cells of a reference grid: the variables' values in it, and X (G, p) there.

    Cells stand with the first variable changing fastest.
    """

    fixed: FixedGrid
    values: Mapping[str, tuple[Any, ...]]
    X: Floats

    @classmethod
    def of(cls, fixed: FixedGrid, first: Sequence[str], at: Mapping[str, Any]) -> Grid:
        """The grid with some variables first and values `at`; ModelError for one with too many cells."""
        for name in (*first, *at):
            fixed.named(name)
        order = dict.fromkeys((*first, *fixed.variables))
        values = {name: _values(fixed.variables[name], at) for name in order}
        cells = float(np.prod([len(v) for v in values.values()]))
        if cells * len(fixed.design.fe_names) > LARGEST:
            raise ModelError(
                f"The reference grid has {cells:,.0f} cells; fix some variables: at={{'name': value}}."
            )
        return cls(fixed, values, fixed.matrix(columns_of(values)))

    def averages(self, kept: Sequence[str], weights: Weights) -> Functions:
        """Mean of the cells for each combination of the variables `kept`."""
        rows = int(np.prod([len(self.values[name]) for name in kept], dtype=int))
        W = self._cell_weights(len(kept), weights).reshape(rows, -1, order="F")
        X = self.X.reshape(*W.shape, -1, order="F")
        table = pd.DataFrame(columns_of({name: self.values[name] for name in kept}), columns=list(kept))
        if not kept:
            table = pd.DataFrame(index=range(1))
        return Functions(table, np.einsum("rc,rcp->rp", W, X))

    def _cell_weights(self, kept: int, weights: Weights) -> Floats:
        """Weights of the cells (G,), those of one mean adding up to one."""
        names, shape = list(self.values), [len(v) for v in self.values.values()]
        if weights not in get_args(Weights):
            known = ", ".join(map(repr, get_args(Weights)))
            raise ModelError(f"weights={weights!r} is not known; choose one of {known}.")
        counts = np.ones(shape)
        if weights != "equal":
            counts = self._counts(names, shape)
        averaged = tuple(range(kept, len(shape)))
        if weights in ("proportional", "outer"):
            counts = counts.sum(axis=tuple(range(kept)), keepdims=True)
        if weights == "outer":
            others = [tuple(a for a in averaged if a != own) for own in averaged]
            margins = [counts.sum(axis=other, keepdims=True) for other in others]
            counts = np.prod(np.broadcast_arrays(*margins), axis=0) if margins else counts
        whole = np.broadcast_to(counts, shape)
        total = whole.sum(axis=averaged, keepdims=True)
        with np.errstate(invalid="ignore"):
            return np.asarray(whole / total).ravel(order="F")

    def _counts(self, names: Sequence[str], shape: Sequence[int]) -> Floats:
        """Rows of the fit in each cell, by its factors; whatever their prior weights, as in emmeans."""
        design, key, room = self.fixed.design, np.zeros(self.fixed.design.n, dtype=np.intp), 1
        inside = np.ones(design.n, dtype=bool)
        factors = [self.fixed.variables[name].factor for name in names]
        for name, factor, size in zip(names, factors, shape, strict=True):
            if factor:
                codes = self.fixed.codes(name, self.values[name])
                inside &= codes >= 0
                key, room = key + room * codes, room * size
        counts = np.bincount(key[inside], minlength=room)
        own = [size if factor else 1 for factor, size in zip(factors, shape, strict=True)]
        return np.broadcast_to(counts.reshape(own, order="F"), shape).astype(float)


def means(
    fixed: FixedGrid, terms: Sequence[str], at: Mapping[str, Any], weights: Weights = "equal"
) -> Functions:
    """Marginal means for every combination of the levels of some variables."""
    return Grid.of(fixed, terms, at).averages(terms, weights)


def slopes(
    fixed: FixedGrid, var: str, by: Sequence[str], at: Mapping[str, Any], weights: Weights = "equal"
) -> Functions:
    """Derivatives of the means with respect to one number, for every combination of the levels of others.

    Central differences over a ten-thousandth of its range, at its mean or at the value given.
    """
    found = fixed.named(var)
    if found.low is None or found.high is None:
        raise ModelError(f"{var!r} is no number, so the means have no slope along it; compare its levels.")
    if var in by:
        raise ModelError(f"{var!r} cannot be both the variable of the slope and in by.")
    middle = _values(found, at) if var in at or len(found.levels) == 1 else ((found.low + found.high) / 2,)
    if len(middle) != 1:
        raise ModelError(f"A slope along {var!r} is taken at one value of it; at gives {len(middle)}.")
    step = STEP * (found.high - found.low)
    if step == 0:
        raise ModelError(f"{var!r} is {found.low:g} in all rows, so there is no slope along it.")
    up, down = (means(fixed, by, {**at, var: [middle[0] + sign * step]}, weights) for sign in (1.0, -1.0))
    return Functions(up.table, (up.L - down.L) / (2 * step))


def columns_of(values: Mapping[str, tuple[Any, ...]]) -> dict[str, list[Any]]:
    """A column for each variable with every combination of the values, the first changing fastest."""
    cells = list(product(*reversed(list(values.values()))))
    return {name: [cell[-1 - j] for cell in cells] for j, name in enumerate(values)}


def _values(variable: Variable, at: Mapping[str, Any]) -> tuple[Any, ...]:
    if variable.name not in at:
        if not variable.levels:
            raise ModelError(
                f"The rows were not kept, and the mean of {variable.name!r} is not known without them; say "
                f"where: at={{{variable.name!r}: value}}."
            )
        return variable.levels
    given = at[variable.name]
    single = isinstance(given, (str, bytes)) or np.ndim(given) == 0
    values = (given,) if single else tuple(given)
    if not values:
        raise ModelError(f"at has no value for {variable.name!r}.")
    return values
