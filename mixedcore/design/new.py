"""Rows that a fit has not seen: their X, and what each of them has of every random term.

Levels are found by their labels, variance components by group and labels, so that no result depends on the
order of rows; a level that the fit has not seen is a level all the same, with nothing known of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import patsy

from mixedcore.data.columns import Settled, settle
from mixedcore.data.frame import Frame, new_frame
from mixedcore.data.tables import open_table
from mixedcore.design.by_group import rows_of_groups
from mixedcore.design.design import Design
from mixedcore.design.evaluation import NotFiniteError, design_info, evaluate, matrix
from mixedcore.design.factors import factor_names, unboxed
from mixedcore.design.known import AnyDesign, Known
from mixedcore.design.labels import examples, labels_given, match, nowhere, places
from mixedcore.errors import DataError, ModelError
from mixedcore.terms import Floats, Ints, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What some rows have of one block of a random term: basis[i]'b of the level codes[i].

    term, block : their numbers
    codes       : (k,) levels as the block counts them, −1 for one that the fit has not seen
    basis       : (k, q) covariates; a row of zeros has no part in the block
    """

    term: int
    block: int
    codes: Ints
    basis: Floats


@dataclass(frozen=True, slots=True, eq=False)
class NewRows:
    """k rows as the model sees them.

    X       : (k, p), aliased columns included
    pieces  : of the random terms asked for; a term may have several
    offset, weights : (k,), None where the fit has none or was given them beside the data
    index   : labels of the rows
    """

    X: Floats
    pieces: tuple[Piece, ...]
    offset: Floats | None
    weights: Floats | None
    index: pd.Index


def fitted_rows(design: Design, terms: Collection[int]) -> NewRows:
    """The rows of the fit themselves, with the pieces of the terms numbered."""
    pieces = [
        Piece(t, b, block.codes, block.basis) for t in terms for b, block in enumerate(design.terms[t].blocks)
    ]
    return NewRows(design.X, tuple(pieces), design.offset, design.weights, design.row_index)


def new_rows_of(
    design: AnyDesign,
    new_data: Any,
    *,
    known: Collection[int] = (),
    unknown: Collection[int] = (),
    weights: bool = False,
    groups: Any = None,
) -> NewRows:
    """New data as the model sees them, without the rows in which a column needed has a missing value.

    known   : terms whose levels are looked up; a missing label counts as a level that the fit has not seen
    unknown : terms whose covariates alone are wanted, every level counting as not seen
    weights : whether the column of prior weights is needed, where there is one
    groups  : one label a row, where the fit had them beside the data

    Raises FormulaError for an absent column, DataError for types, and for categories of fixed effects or
    covariates, that the fit has not seen; ModelError for what the model cannot know of new rows.
    """
    return _Reader(Known(design), tuple(known), tuple(unknown), groups).read(new_data, weights)


def rows_of_arrays(
    design: Design, X: Floats, index: pd.Index, known: Collection[int], unknown: Collection[int], groups: Any,
    exog_re: Any,
) -> NewRows:  # fmt: skip
    """New rows of a model from arrays: X (k, p), labels `groups` (k,), covariates `exog_re` (k, q) or None.

    A random intercept needs no exog_re. ModelError for components, whose matrices only the fitted rows have.
    """
    pieces = []
    for t in (*known, *unknown):
        term = design.terms[t]
        if term.role == "component":
            raise ModelError(
                f"The component {term.name!r} was given as matrices, so new rows have no part in it; leave "
                "it out of `random`, or write the model with formulas."
            )
        basis = _array_basis(term, exog_re, len(X))
        codes = nowhere(len(X))
        if t in known:
            codes = match([pd.Series(term.levels)], [labels_given(groups, len(X))])
        pieces.append(Piece(t, 0, codes, basis))
    return NewRows(X, tuple(pieces), None, None, index)


def _array_basis(term: RandomTerm, exog_re: Any, k: int) -> Floats:
    if exog_re is None:
        if term.columns != ("Intercept",):
            raise ModelError(
                f"New rows need the covariates of the group's effects ({', '.join(term.columns)}): give "
                "exog_re, with a row for each row of exog."
            )
        return np.ones((k, 1))
    basis = np.asarray(exog_re, dtype=np.float64)
    basis = basis[:, None] if basis.ndim == 1 else basis
    if basis.shape != (k, len(term.columns)):
        raise ModelError(
            f"exog_re has shape {basis.shape}; it needs {k} rows and {len(term.columns)} columns."
        )
    return basis


@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads new data as a fit does; `known` and `unknown` terms as in `new_rows_of`."""

    fit: Known
    known: tuple[int, ...]
    unknown: tuple[int, ...]
    groups: Any

    def read(self, new_data: Any, weights: bool) -> NewRows:
        """The rows that are complete in every column needed."""
        frame, info = new_frame(open_table(new_data), **self._needs(weights)), self.fit.design.fixed_info
        asked = (*self.known, *self.unknown)
        while True:  # every turn drops at least one row or ends
            try:
                X = matrix(info, frame.values(), frame.n)
                pieces = tuple(piece for t in asked for piece in self._pieces(t, frame))
                break
            except NotFiniteError as found:
                frame = frame.keep(~found.bad)
        return NewRows(X, pieces, frame.numbers("offset"), frame.numbers("weights"), frame.index)

    @cached_property
    def _makings(self) -> dict[int, str]:
        """How each component asked for was made."""
        asked = (t for t in (*self.known, *self.unknown) if t >= self.fit.leading)
        return {t: self.fit.making(t) for t in asked}

    def _needs(self, weights: bool) -> dict[str, Any]:
        """Arguments of `new_frame`: the columns of X and covariates, those of components, labels, groups."""
        fit, strict, also, labels = self.fit, _names(self.fit.spec.fixed), set[str](), set[str]()
        for t in (*self.known, *self.unknown):
            if t in self._makings:
                also |= self._component_names(t)
            else:
                strict |= _names(fit.covariates(t))
            if t in self.known and fit.spec.bars:
                labels |= set(fit.spec.bars[t].keys)
        roles = {
            "offset": fit.design.offset_column,
            "weights": fit.design.weights_column if weights else None,
        }
        return {
            "fitted": {name: settled for name, settled in fit.settled.items() if name in strict},
            "beside": {role: column for role, column in roles.items() if column is not None},
            "also": sorted(also & fit.columns),
            "labels": sorted(labels),
            "groups": self._groups_needed(),
        }

    def _component_names(self, t: int) -> set[str]:
        """Variables of a component; not those that only name levels, where no level is looked up."""
        terms = self.fit.component(t)[1]
        if t in self.known or self._makings[t] != "cells":
            return _names(terms)
        numeric = [f for f in terms[0].factors if not self.fit.categorical(f)]
        return {name for f in numeric for name in factor_names(f)}

    def _groups_needed(self) -> Any:
        """Column or labels of the top-level groups, where a term needs them."""
        design = self.fit.design
        if self.fit.spec.bars or not (self.known or "by group" in self._makings.values()):
            return None
        column = design.groups_column if isinstance(design, Design) else design.group_name
        if self.groups is None and column is None:
            labels_given(None, 0)
        return column if self.groups is None else self.groups

    def _pieces(self, t: int, frame: Frame) -> Iterator[Piece]:
        how = self._makings.get(t)
        if how is None:
            yield Piece(t, 0, self._levels(t, frame), matrix(self.fit.info(t), frame.values(), frame.n))
        elif how == "cells":
            yield self._cells(t, frame)
        elif how == "plain":
            terms = self.fit.component(t)[1]
            info = design_info(terms, self.fit.one_row, self.fit.env, 1)
            basis = matrix(info, self._opened(terms, frame), frame.n)
            yield Piece(t, 0, self._group_levels(t, frame), basis)
        else:
            yield from self._by_group(t, frame)

    def _levels(self, t: int, frame: Frame) -> Ints:
        """Level of each new row in a bar or group term, (k,)."""
        if t not in self.known or not self.fit.spec.bars:
            return self._group_levels(t, frame)
        keys, term = self.fit.spec.bars[t].keys, self.fit.design.terms[t]
        new = [_labels(frame, key) for key in keys]
        if len(keys) == 1:
            return match([pd.Series(term.levels)], new)
        rows = examples(term.blocks[0])
        return match([self.fit.key(key).iloc[rows] for key in keys], new)

    def _group_levels(self, t: int, frame: Frame) -> Ints:
        """Level of each new row in a term whose levels are the groups, (k,)."""
        if t not in self.known or frame.groups is None:
            return nowhere(frame.n)
        return match([self.fit.group_of_level(self.fit.design.terms[t].blocks[0])], [frame.groups])

    def _cells(self, t: int, frame: Frame) -> Piece:
        """A coefficient for each group and levels of the component's factors: `0 + C(a)`, `0 + C(a):x`."""
        terms, block = self.fit.component(t)[1], self.fit.design.terms[t].blocks[0]
        rows, values, basis = examples(block), self._opened(terms, frame), np.ones(frame.n)
        known, new = [self.fit.group_of_level(block)], [frame.groups]
        for factor in terms[0].factors:
            if not self.fit.categorical(factor):
                basis = basis * _numbers(factor, evaluate(factor, values, self.fit.env), frame.n)
            elif t in self.known:
                labels = unboxed(evaluate(factor, values, self.fit.env))
                known.append(self.fit.labels_of(factor, rows))
                new.append(pd.Series(labels).reset_index(drop=True))
        codes = match(known, [own for own in new if own is not None]) if t in self.known else nowhere(frame.n)
        return Piece(t, 0, codes, basis[:, None])

    def _opened(self, terms: Sequence[patsy.Term], frame: Frame, rows: Ints | None = None) -> dict[str, Any]:
        """What a component's formula sees of new rows: categories that the fit has not seen are allowed."""
        found = {}
        for name in sorted(_names(terms) & frame.raw.keys()):
            like = self.fit.settled.get(name)
            category = like is not None and _is_category(like)
            found[name] = settle(frame.raw[name], name, None if category else like)
        return replace(frame, columns=found).values(rows)

    def _by_group(self, t: int, frame: Frame) -> Iterator[Piece]:
        """Each column of a group's own matrix as a piece, since a row may have a part in all of them."""
        assert frame.groups is not None
        term, (name, terms) = self.fit.design.terms[t], self.fit.component(t)
        group = match([pd.Series(self.fit.design.group_labels)], [frame.groups])
        codes, _ = pd.factorize(frame.groups, use_na_sentinel=False)
        known, found = places(term, set(group.tolist())), dict[tuple[int, int, int], _Column]()
        for own in rows_of_groups(codes, codes.max() + 1) if frame.n else ():
            g, values = int(group[own[0]]), self._opened(terms, frame, own)
            info, values = self._coded(terms, g, values, len(own))
            Z = _checked(info, values, own, frame.n)
            for j, column in enumerate(info.column_names):
                block, level, at = known.get((g, f"{name}[{column}]"), (0, -1, 0))
                piece = found.setdefault((j, block, at), _Column(nowhere(frame.n), np.zeros(frame.n)))
                piece.codes[own], piece.values[own] = level if t in self.known else -1, Z[:, j]
        for (_, block, at), piece in found.items():
            basis = np.zeros((frame.n, term.blocks[block].width))
            basis[:, at] = piece.values
            yield Piece(t, block, piece.codes, basis)

    def _coded(
        self, terms: Sequence[patsy.Term], group: int, values: dict[str, Any], k: int
    ) -> tuple[patsy.DesignInfo, dict[str, Any]]:
        """The coding that a group of the fit has, or a new one gets from its rows, and the k rows for it."""
        if group < 0:
            return design_info(terms, values, self.fit.env, k), values
        rows = np.flatnonzero(self.fit.design.group_codes == group)
        fitted = self.fit.frame.values(rows)
        own = {name: _as_in_fit(value, fitted.get(name)) for name, value in values.items()}
        return design_info(terms, fitted, self.fit.env, len(rows)), own


def _as_in_fit(new: Any, fitted: Any) -> Any:
    """New rows with the categories of the fit's, of which they may have only some."""
    both = isinstance(new, pd.Series) and isinstance(fitted, pd.Series)
    if not (both and new.dtype == "category" and fitted.dtype == "category"):
        return new
    known = fitted.cat.categories
    return new.cat.set_categories(known) if new.cat.categories.isin(known).all() else new


class _Column(NamedTuple):
    """One column of a component on all new rows, filled group by group: codes (k,), values (k,)."""

    codes: Ints
    values: Floats


def _checked(info: patsy.DesignInfo, values: Mapping[str, Any], own: Ints, n: int) -> Floats:
    """The matrix of one group's rows; NotFiniteError says where among all n."""
    try:
        return matrix(info, values, len(own))
    except NotFiniteError as found:
        bad = np.zeros(n, dtype=bool)
        bad[own[found.bad]] = True
        raise NotFiniteError(bad, found.term) from found


def _names(terms: Sequence[patsy.Term]) -> set[str]:
    """The variables that some terms use."""
    return {name for term in terms for factor in term.factors for name in factor_names(factor)}


def _numbers(factor: Any, value: Any, k: int) -> Floats:
    """A numeric factor of a component on k rows."""
    numbers = np.asarray(value, dtype=np.float64).reshape(k)
    if not np.isfinite(numbers).all():
        raise NotFiniteError(~np.isfinite(numbers), factor.name())
    return numbers


def _labels(frame: Frame, name: str) -> pd.Series:
    values = frame.raw[name]
    if not isinstance(values, pd.Series):
        raise DataError(f"{name} must be one label a row to group by.")
    return values


def _is_category(settled: Settled) -> bool:
    return isinstance(settled.values, pd.Series) and isinstance(settled.values.dtype, pd.CategoricalDtype)
