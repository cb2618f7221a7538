"""The terms of the fixed part: which columns of X each makes, of which factors, and with which contrasts.

What the contrasts of a term's categories mean is read from the coding of X, whatever that is, so that a
hypothesis about means does not depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixedcore.terms import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Columns [first, end) of X that are products of factors, the first factor's changing fastest.

    codings : factor → (levels, c) contrasts of a category, or identity (c, c) of a numeric one's c columns
    """

    first: int
    end: int
    codings: Mapping[str, Floats]

    def along(self, factors: Sequence[str], operators: Mapping[str, Floats]) -> Floats:
        """What operators (r, levels) along all `factors` make of these columns, (Π r, columns).

        Rows change fastest along the first of `factors`. One that stands in no product acts on a constant.
        """
        tensor = np.ones(())
        for f in factors:
            operator = operators[f]
            own = operator @ self.codings[f] if f in self.codings else operator.sum(axis=1, keepdims=True)
            tensor = np.multiply.outer(tensor, own)
        rows = [2 * i for i in range(len(factors))]
        columns = [2 * factors.index(f) + 1 for f in self.codings]
        rest = [2 * i + 1 for i, f in enumerate(factors) if f not in self.codings]
        ordered = tensor.transpose([*rows, *columns, *rest])
        return np.asarray(ordered.reshape(-1, self.end - self.first, order="F"))


@dataclass(frozen=True, slots=True, eq=False)
class FixedTerm:
    """One term of a formula, or one column of an array: 'a:x' of categories {a} and numbers {x}."""

    name: str
    categories: frozenset[str]
    numbers: frozenset[str]
    parts: tuple[Part, ...]

    @property
    def columns(self) -> Ints:
        """Its columns of X."""
        return np.concatenate([np.arange(part.first, part.end) for part in self.parts])

    def contains(self, other: FixedTerm) -> bool:
        """Whether the other has the same numeric factors and some of the categories, but not all.

        The marginality rule of SAS and lmerTest: the effect of `a` in `a * x` is its effect at x = 0.
        """
        return other.numbers == self.numbers and other.categories < self.categories


def fixed_terms(info: Any, order: Sequence[str], names: Sequence[str]) -> tuple[FixedTerm, ...]:
    """Terms of a design, the intercept included; without patsy's `info`, one for each column.

    Those of fewer factors come first, and equal ones in the order of the formula, as in R.

    order : names of the terms as the formula has them; names : of the columns
    """
    if info is None:
        one = np.ones((1, 1))
        return tuple(
            FixedTerm(name, frozenset(), frozenset([f"{j}"]), (Part(j, j + 1, {f"{j}": one}),))
            for j, name in enumerate(names)
        )
    found = [_term(info, term) for term in info.terms]
    return tuple(sorted(found, key=lambda t: (len(t.categories) + len(t.numbers), order.index(t.name))))


def _term(info: Any, term: Any) -> FixedTerm:
    kinds = {f.name(): info.factor_infos[f] for f in term.factors}
    first, parts = info.term_slices[term].start, []
    for subterm in info.term_codings[term]:
        codings = {f.name(): _coding(subterm, info.factor_infos[f], f) for f in subterm.factors}
        parts.append(Part(first, first + subterm.num_columns, codings))
        first += subterm.num_columns
    categories = frozenset(name for name, kind in kinds.items() if kind.type == "categorical")
    return FixedTerm(term.name(), categories, frozenset(kinds) - categories, tuple(parts))


def _coding(subterm: Any, kind: Any, factor: Any) -> Floats:
    if kind.type == "numerical":
        return np.eye(kind.num_columns)
    return np.asarray(subterm.contrast_matrices[factor].matrix, dtype=float)


def marginal_rows(term: FixedTerm, terms: Sequence[FixedTerm], width: int) -> Floats:
    """That a term has no effect on the means with equal weights, as rows (r, width) for the columns of X.

    The means are those of the term's cells, each averaged over all combinations of the model's other
    categories; where numeric factors take part, of the coefficients of their product, one for each product of
    their columns. A category enters by the differences of its levels from the first; or by its levels, where
    the term's coding has as many columns as levels, because no term before it has what they have in common.
    """
    family = [other for other in terms if other.numbers == term.numbers]
    levels = {f: len(c) for t in family for part in t.parts for f, c in part.codings.items()}
    found = [np.zeros((0, width))]
    for own in term.parts:
        operators = {f: np.full((1, n), 1 / n) for f, n in levels.items()}
        operators |= {f: _restriction(coding) for f, coding in own.codings.items()}
        rows = np.zeros((int(np.prod([len(o) for o in operators.values()])), width))
        for part in (part for other in family for part in other.parts):
            rows[:, part.first : part.end] = part.along(list(levels), operators)
        found.append(rows)
    return np.concatenate(found)


def _restriction(coding: Floats) -> Floats:
    """Differences of the levels from the first, (levels − 1, levels); each level if the coding has all."""
    levels, columns = coding.shape
    if columns == levels:
        return np.eye(levels)
    return np.column_stack([-np.ones(levels - 1), np.eye(levels - 1)])
