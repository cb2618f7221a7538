"""The hypotheses of an analysis of variance: rows L of contrasts for every term, of type I, II or III.

I   : a term's effect beyond the terms before it, which are in the formula's order, main effects first
II  : beyond all terms that do not contain it
III : on the means with equal weights (`fixed_terms.marginal_rows`)

Types I and II are those of least squares on X, rows counting alike, as in lmerTest: with X = QR in the order
of the terms, the rows of diag(R)⁻¹R that belong to the term. Goodnight (1980), SAS Technical Report R-101;
Kuznetsova, Brockhoff & Christensen (2017), J. Stat. Softw. 82(13), section 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from mixedcore.errors import ModelError
from mixedcore.fixed_terms import FixedTerm, marginal_rows
from mixedcore.inference.hypotheses import Ddf, Hypotheses
from mixedcore.inference.information import VarianceInformation
from mixedcore.terms import Floats, Ints
from mixedcore.units import UserUnits

AnovaType = Literal[1, 2, 3, "I", "II", "III"]
TYPES: dict[object, int] = {1: 1, 2: 2, 3: 3, "I": 1, "II": 2, "III": 3, "1": 1, "2": 2, "3": 3}
DEPENDENT = 1e-6  # share of a column outside earlier ones below which it is the aliased one
ESTIMABLE = 1e-8  # share of a contrast along aliased combinations that is rounding


@dataclass(frozen=True, eq=False)
class Columns:
    """All columns of X, aliased ones included, in coordinates (p) in which products are those of the rows."""

    user: UserUnits

    @cached_property
    def aliases(self) -> Floats:
        """(p, all): column j of X is X[:, kept] @ aliases[:, j]."""
        units = self.user.estimate.evaluation.cp.units
        fixed, m, numbers = units.fixed, units.moments, units.layout.fixed
        affine, kept = fixed.basis.affine, fixed.kept
        out = np.zeros((kept.size, numbers.size))
        out[np.arange(kept.size), kept] = 1.0
        constant = m.constant(numbers[kept])
        for j in np.setdiff1d(np.arange(numbers.size), kept):
            about = (affine.centred, np.array([constant is not None]))
            cross = affine.scale * m.products(affine.numbers, numbers[[j]], about)[:, 0]
            cross = cross if fixed.basis.mix is None else fixed.basis.mix.T @ cross
            out[:, j] = fixed.A @ np.linalg.solve(fixed.basis.gram, cross)
            if constant is not None:
                out[constant, j] += m.centre[numbers[j]] / m.centre[numbers[kept[constant]]]
        return out

    @cached_property
    def coordinates(self) -> Floats:
        """M (p, all) with M'M the mean products of the columns."""
        fixed = self.user.estimate.evaluation.cp.fixed
        gram = self.user.mean_products(fixed.basis)
        return np.linalg.cholesky(gram).T @ np.linalg.solve(fixed.A, self.aliases)

    @property
    def null(self) -> Floats:
        """Combinations (all, d) of the columns that are zero in every row."""
        kept = self.user.kept
        aliased = np.setdiff1d(np.arange(self.aliases.shape[1]), kept)
        out = np.zeros((self.aliases.shape[1], aliased.size))
        out[kept] = -self.aliases[:, aliased]
        out[aliased, np.arange(aliased.size)] = 1.0
        return out

    def sequential(self, order: Ints) -> Floats:
        """Rows of diag(R)⁻¹R, (all, all), for X = QR with the columns in this order, in the columns' places.

        A column that earlier ones determine has a row of zeros.
        """
        M = self.coordinates
        size = np.linalg.norm(M, axis=0)
        size = np.where(size > 0, size, 1.0)
        M, basis = M / size, np.zeros((len(M), 0))
        out, dependent = np.zeros((size.size, size.size)), DEPENDENT if size.size > len(M) else 0.0
        for j in order:
            rest = M[:, j]
            for _ in range(2):  # Gram-Schmidt, and twice is enough
                rest = rest - basis @ (basis.T @ rest)
            length = float(np.linalg.norm(rest))
            if length > dependent and basis.shape[1] < len(M):
                basis = np.column_stack([basis, rest / length])
                out[j] = (rest @ M) / length**2 * size / size[j]
        done = np.zeros(size.size, dtype=bool)
        for j in order:  # a row says nothing of the columns before its own
            out[j, done] = 0.0
            done[j] = True
        return out

    def estimable(self, L: Floats) -> Floats:
        """Combinations of the rows of L (r, all) that every solution of the normal equations agrees on."""
        null, size = self.null, np.linalg.norm(self.coordinates, axis=0)
        size = np.where(size > 0, size, 1.0)
        off = (L / size) @ (null * size[:, None])
        if not off.size or np.abs(off).max() < ESTIMABLE * np.abs(L / size).max():
            return L
        left, values, _ = np.linalg.svd(off)
        rank = np.count_nonzero(values > ESTIMABLE * values[0])
        return np.asarray(left[:, rank:].T @ L)


def term_rows(columns: Columns, terms: Sequence[FixedTerm], type_: int) -> list[tuple[str, Floats]]:
    """Name and hypothesis (r, p) of every term but the intercept, for the columns that are not aliased."""
    found, width = [], columns.aliases.shape[1]
    in_order = np.concatenate([term.columns for term in terms]) if terms else np.zeros(0, dtype=np.intp)
    sequential = columns.sequential(in_order) if type_ == 1 else np.zeros(0)
    for term in terms:
        if not term.categories and not term.numbers:
            continue
        if type_ == 1:
            L = sequential[term.columns]
        elif type_ == 2:
            L = _beyond_others(columns, term, terms)
        else:
            L = columns.estimable(marginal_rows(term, terms, width))
        found.append((term.name, L[:, columns.user.kept]))
    return found


def _beyond_others(columns: Columns, term: FixedTerm, terms: Sequence[FixedTerm]) -> Floats:
    """Rows for a term after all that do not contain it; coefficient by coefficient where none contains it."""
    containing = [other for other in terms if other.contains(term)]
    before = [other for other in terms if other is not term and not other.contains(term)]
    order = np.concatenate([part.columns for part in (*before, term, *containing)])
    L = columns.sequential(order)[term.columns]
    own = np.flatnonzero(L.any(axis=1))
    if containing or not own.size:
        return L
    return np.asarray(np.linalg.solve(L[np.ix_(own, term.columns[own])], L[own]))


def anova_table(
    info: VarianceInformation, terms: Sequence[FixedTerm], *, type_: AnovaType, ddf: Ddf
) -> pd.DataFrame:
    """One row a term: `term, sum_sq, mean_sq, num_df, den_df, statistic, p_value`.

    mean_sq is the F statistic times σ², Kenward and Roger's scaling left out, and sum_sq is num_df times
    that, both as in lmerTest. num_df is the rank of the hypothesis; where empty cells leave nothing of it, it
    is 0 and there is no test.
    """
    if type_ not in TYPES:
        raise ModelError(f"type={type_!r} is not known; choose 1, 2 or 3.")
    tests, sigma2, rows = Hypotheses(info, ddf), info.user.sigma2, []
    for name, L in term_rows(Columns(info.user), terms, TYPES[type_]):
        if not L.any():
            rows.append((name, 0.0, np.nan, 0, np.nan, np.nan, np.nan))
            continue
        test = tests.together(L)
        mean_sq = test.statistic / test.scaling * sigma2
        rows.append(
            (name, test.num_df * mean_sq, mean_sq, test.num_df, test.den_df, test.statistic, test.p_value)
        )
    names = ["term", "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value"]
    table = pd.DataFrame(rows, columns=names)
    return table if rows else table.astype({**dict.fromkeys(names[1:], float), "num_df": int})
