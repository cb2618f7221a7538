"""Formulas over rows that come in chunks: what has to be known of all of them, and a chunk's columns.

A `Coding` is made of text, categories and a few rows, so that it can be made again on another machine; only
patsy's stateful transforms (`center(x)`, splines) hold more than that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import patsy
from patsy.build import design_matrix_builders
from patsy.eval import EvalEnvironment, EvalFactor

from mixedcore.data.columns import Gaps, Settled, complete_rows, settle, settle_numbers
from mixedcore.data.frame import as_numbers
from mixedcore.data.tables import Table
from mixedcore.design.evaluation import FiniteOnly, NotFiniteError, check_levels, check_size, evaluate, matrix
from mixedcore.design.factors import Factor, factors_of, translated
from mixedcore.design.outcome import outcome_numbers
from mixedcore.design.spec import Spec, read_spec
from mixedcore.engine.cells import CellIndex
from mixedcore.engine.rows import CHUNK, Chunk, Layout, Rows
from mixedcore.errors import DataError, MissingValuesError, ModelError
from mixedcore.terms import Floats, Ints

ONES = "Intercept"
NO_STATE_ON_A_CLUSTER = (
    "Transforms that look at all rows, such as center(x) or a spline, cannot be used on a cluster; make the "
    "column beforehand, or fit without client."
)
CELLS = 4_000_000  # numbers in the matrices of a chunk


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """The complete rows of a table: `values` that formulas see, `keys` that group rows, what is missing.

    beside : 'weights' and 'offset' (n,), where the model has them
    """

    values: Mapping[str, Any]
    keys: tuple[pd.Series, ...]
    gaps: Gaps
    beside: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Complete rows."""
        return self.gaps.n - self.gaps.bad


@dataclass(frozen=True, eq=False)
class Coding:
    """How the columns of a model are made of a table.

    texts     : formula, groups, re_formula and vc_formula
    beside    : the columns that are 'weights' and 'offset'
    namespace : variables of the caller that formulas use, such as np
    settled   : the formulas' columns, without rows, in the types they have over all rows
    levels    : values of numbers used as categories, by the code of the factor, over all rows
    sample    : a few rows, to see what kind of values factors have
    stateful  : patsy's coding where only patsy can make it, and only by reading all rows
    """

    texts: tuple[str, str | None, str | None, Mapping[str, str] | None]
    beside: Mapping[str, str] = field(default_factory=dict)
    namespace: Mapping[str, Any] = field(default_factory=dict)
    settled: Mapping[str, Settled] = field(default_factory=dict)
    levels: Mapping[str, pd.Index] = field(default_factory=dict)
    sample: Mapping[str, Any] = field(default_factory=dict)
    stateful: tuple[patsy.DesignInfo, ...] | None = None

    @cached_property
    def spec(self) -> Spec:
        """The formulas, read."""
        return read_spec(*self.texts)

    @property
    def sampled(self) -> Read:
        """The sample as rows that were read."""
        gaps = Gaps(len(next(iter(self.sample.values()))))
        return Read(self.sample, (), gaps, self._numbers_beside(self.sample))

    @property
    def env(self) -> EvalEnvironment:
        """Where formulas find what is no column."""
        return EvalEnvironment([dict(self.namespace)])

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Columns that group rows: those of bars, or `groups` and the factors of components."""
        groups = self.texts[1]
        if groups is None:
            return self.spec.key_columns()
        components = map(self.level_column, self.spec.components.values())
        return tuple(dict.fromkeys([groups, *(name for name in components if name is not None)]))

    def level_column(self, terms: Sequence[patsy.Term]) -> str | None:
        """The column a of a component `0 + C(a)`, or `0 + a` for text; None for any other component."""
        if len(terms) != 1 or len(terms[0].factors) != 1:
            return None
        match ast.parse(str(terms[0].factors[0].name()), mode="eval").body:
            case ast.Call(func=ast.Name(id="C"), args=[ast.Name(id=name)], keywords=[]):
                return name
            case ast.Name(id=name) if name in self.sample:
                return None if pd.api.types.is_numeric_dtype(self.sample[name].dtype) else name
        return None

    @cached_property
    def term_lists(self) -> list[list[patsy.Term]]:
        """Terms of the fixed part, then the covariates of each random term."""
        spec = self.spec
        covariates: list[Sequence[patsy.Term]] = [bar.covariates for bar in spec.bars]
        covariates += [] if spec.group is None else [spec.group]
        covariates += [terms for terms in spec.components.values() if self.level_column(terms) is None]
        return [[self._own(term) for term in terms] for terms in (spec.fixed, *covariates)]

    def _own(self, term: patsy.Term) -> patsy.Term:
        return patsy.Term(
            [
                _WithLevels(f, self.levels[f.code]) if getattr(f, "code", None) in self.levels else f
                for f in term.factors
            ]
        )

    @cached_property
    def infos(self) -> tuple[patsy.DesignInfo, ...]:
        """patsy's coding of each of `term_lists`."""
        return self.stateful or self.code(lambda: iter([self.sample]))

    def code(self, chunks: Callable[[], Iterator[Mapping[str, Any]]]) -> tuple[patsy.DesignInfo, ...]:
        """patsy's coding from values in chunks, read as often as it needs them."""
        for terms in self.term_lists:
            check_size(terms, self.sample, CHUNK)
        for code, levels in self.levels.items():
            check_levels(code, len(levels), CHUNK)
        with translated("formula"):
            return tuple(design_matrix_builders(self.term_lists, chunks, self.env, FiniteOnly()))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The distinct columns of the model, those of X first; then the outcome."""
        every = [name for info in self.infos for name in info.column_names]
        needed = [ONES] if any(map(self.level_column, self.spec.components.values())) else []
        return (*dict.fromkeys([*every, *needed]), self.spec.outcome.name())

    @property
    def used(self) -> list[str]:
        """Columns of the table that the model uses."""
        return list(dict.fromkeys([*self.settled, *self.keys, *self.beside.values()]))

    @property
    def factors(self) -> list[Any]:
        """The outcome, then the factors of X and of the random terms' covariates."""
        every = factors_of(term for terms in self.term_lists for term in terms)
        return [self.spec.outcome, *every]

    def complete(self, table: Table) -> tuple[dict[str, Any], Gaps]:
        """The columns in use, complete rows only, as given, and what is missing in the others."""
        columns = {name: table.column(name) for name in self.used}
        complete, gaps = complete_rows(columns, table.n_rows)
        if gaps.bad:
            columns = {name: _some(values, complete) for name, values in columns.items()}
        return columns, gaps

    def read(self, table: Table) -> Read:
        """The complete rows of a table, types as settled."""
        columns, gaps = self.complete(table)
        keys = tuple(_key(columns[name], name) for name in self.keys)
        if gaps.bad == gaps.n:
            return Read({}, keys, gaps)
        values = {name: settle(columns[name], name, like).values for name, like in self.settled.items()}
        return Read(values, keys, gaps, self._numbers_beside(columns))

    def _numbers_beside(self, columns: Mapping[str, Any]) -> dict[str, Floats]:
        return {role: as_numbers(columns[name], role) for role, name in self.beside.items()}

    def rows(self, read: Read, layout: Layout) -> Iterator[Rows]:
        """The columns `names` of the rows read, the outcome less the offset; a slice of them at a time."""
        size = max(CHUNK, CELLS // (sum(len(info.column_names) for info in self.infos) + 1))
        for first in range(0, read.n, size):
            last = min(first + size, read.n)
            whole = last - first == read.n
            values = read.values if whole else {k: _rows(v, first, last) for k, v in read.values.items()}
            *columns, y = self._columns(values, last - first)
            beside = {role: numbers[first:last] for role, numbers in read.beside.items()}
            y = y - beside["offset"] if "offset" in beside else y
            yield Rows(layout, (*columns, y), beside.get("weights"))

    def _columns(self, values: Mapping[str, Any], n: int) -> list[Floats]:
        found: dict[str, Floats] = {}
        try:
            for info in self.infos:
                if not found.keys() >= set(info.column_names):
                    X = matrix(info, values, n)
                    found |= {name: X[:, j] for j, name in enumerate(info.column_names) if name not in found}
            y, _ = outcome_numbers(self.spec.outcome.name(), evaluate(self.spec.outcome, values, self.env), n)
        except NotFiniteError as bad:
            raise MissingValuesError(
                f"{bad.term} has no finite value in some rows (such as the logarithm of zero). Leave those "
                "rows out of the data, or change the term."
            ) from bad
        if ONES in self.names and ONES not in found:
            found[ONES] = np.ones(n)
        return [*(found[name] for name in self.names[:-1]), y]

    def __getstate__(self) -> dict[str, Any]:
        """Without what can be made again: patsy's objects do not travel."""
        if self.stateful is not None:
            raise ModelError(NO_STATE_ON_A_CLUSTER)
        made = {"spec", "keys", "term_lists", "infos", "names"}
        return {name: value for name, value in self.__dict__.items() if name not in made}


@dataclass(frozen=True, slots=True, eq=False)
class RowReader:
    """Reads rows again once the cells of a model are known; can be sent elsewhere."""

    coding: Coding
    layout: Layout
    index: CellIndex

    def chunks(self, table: Table, codes: Sequence[Ints] = (), size: int = CHUNK) -> Iterator[Chunk]:
        """The complete rows of a table; for codes given of each cell, (c,), those of each row."""
        read = self.coding.read(table)
        if not read.n:
            return
        cell, first = self.index.find(read.keys), 0
        for rows in self.coding.rows(read, self.layout):
            own = cell[first : first + rows.n]
            yield from rows.chunks([each[own] for each in codes], size)
            first += rows.n


class _WithLevels(Factor):
    """Numbers as categories whose levels over all rows are known."""

    def __init__(self, factor: EvalFactor, levels: pd.Index) -> None:
        super().__init__(factor.code, factor.origin)
        self._levels = levels

    def eval(self, memorize_state: dict[str, Any], data: Mapping[str, Any]) -> Any:
        memorize_state.setdefault("levels", self._levels)
        return super().eval(memorize_state, data)


def empty_like(settled: Settled) -> Settled:
    """The column without its rows."""
    return replace(settled, values=settled.values[:0])


def few(values: Mapping[str, Any], rows: int = 256) -> dict[str, Any]:
    """The first rows of some values, on their own."""
    return {name: _rows(v, 0, rows).copy() for name, v in values.items()}


def _key(values: Any, name: str) -> pd.Series:
    if not isinstance(values, pd.Series):
        raise DataError(f"{name} must be one label a row to group by.")
    return settle_numbers(values) if pd.api.types.is_integer_dtype(values.dtype) else values


def _some(values: Any, good: Any) -> Any:
    return values[good].reset_index(drop=True) if isinstance(values, pd.Series) else values[good]


def _rows(values: Any, first: int, last: int) -> Any:
    part = values[first:last]
    return part.reset_index(drop=True) if isinstance(part, pd.Series) else part
