"""What each fixed coefficient of a fit means, read from the coding of its design: values, no words.

A category's contrasts are turned round: with levels' means m = [1 C] (β₀, β), a coefficient is the
combination of means in its row of [1 C]⁻¹, whatever the coding is called. In a product with other factors a
coefficient holds where those that stand in larger terms are at their zero: a number at zero, a category at
the levels in the first row of [1 C]⁻¹.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pages.ui.results.steps import Range, Step, column_of, columns_in, step

Floats = NDArray[np.float64]
SAME = 1e-8


@dataclass(frozen=True, slots=True)
class Slope:
    """One step more of a numeric predictor."""

    step: Step


@dataclass(frozen=True, slots=True)
class Against:
    """One level against others: the coefficient times `multiplier` is its mean less the mean of `others`.

    everything : whether the others are all levels, this one included (sum coding)
    """

    variable: str
    level: str
    others: tuple[str, ...]
    multiplier: float = 1.0
    everything: bool = False
    boolean: bool = False


@dataclass(frozen=True, slots=True)
class Within:
    """The level itself: the coding has a column for every level."""

    variable: str
    level: str
    boolean: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """One of several columns that describe a predictor together, or a contrast without a plain name."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Zero:
    """Where a factor stands at its zero.

    value  : of a number, None where it is not one number (a curve, a calculation)
    level  : of a category; average : all levels alike; mean : whether the value is the number's mean
    """

    name: str
    numeric: bool
    value: float | None = None
    level: str | None = None
    average: bool = False
    mean: bool = False
    boolean: bool = False


Part = Slope | Against | Within | Curve


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A fixed coefficient.

    name  : as in the table; term : the term of the formula it belongs to
    parts : what it is a product of; none for the intercept
    given : where it holds
    """

    name: str
    term: str
    parts: tuple[Part, ...]
    given: tuple[Zero, ...]

    @property
    def level_mean(self) -> bool:
        """Whether it is an expected value, not a difference: the intercept, or a level without one."""
        return all(isinstance(part, Within) for part in self.parts)


@dataclass(frozen=True, eq=False)
class _Coded:
    """One factor in one product: what its columns are, and its zero; None where every level has a column."""

    name: str
    parts: tuple[Part, ...]
    zero: Zero | None


def coefficients(info: Any, names: Sequence[str], ranges: Mapping[str, Range]) -> list[Coefficient]:
    """The meaning of every column of X, in its order.

    info : patsy's coding of X; None for a model from arrays, whose columns stand for themselves
    """
    if info is None:
        return [Coefficient(name, name, (Slope(Step("code", name, zero=None)),), ()) for name in names]
    curves = _curved(info)
    coded = {
        term.name(): [_subterm(info, own, ranges, curves) for own in info.term_codings[term]]
        for term in info.terms
    }
    found: list[Coefficient] = []
    for term in info.terms:
        for own in coded[term.name()]:
            # A level without an intercept is an expected value: it holds at the zeros of all other terms.
            mean = all(isinstance(part, Within) for each in own for part in each.parts)
            given = tuple(_zeros(coded, frozenset(each.name for each in own), everything=mean))
            columns = info.column_names[len(found) : len(found) + _width(own)]
            found += [
                Coefficient(name, term.name(), parts, given)
                for name, parts in zip(columns, _products(own), strict=True)
            ]
    return found


def _curved(info: Any) -> frozenset[str]:
    """Columns that several factors use: no coefficient of these is an effect by itself."""
    counted = Counter(column for f in info.factor_infos for column in columns_in(f.name()))
    return frozenset(column for column, count in counted.items() if count > 1)


def _subterm(info: Any, own: Any, ranges: Mapping[str, Range], curves: frozenset[str]) -> list[_Coded]:
    out = []
    for factor in own.factors:
        kind, code = info.factor_infos[factor], factor.name()
        if kind.type == "categorical":
            matrix = np.asarray(own.contrast_matrices[factor].matrix, dtype=float)
            out.append(_category(code, [*kind.categories], matrix, curves))
        else:
            out.append(_number(code, kind.num_columns, ranges, curves))
    return out


def _number(code: str, width: int, ranges: Mapping[str, Range], curves: frozenset[str]) -> _Coded:
    names = columns_in(code)
    if width > 1 or names & curves:
        shown = tuple(sorted(names)) or (code,)
        at = step(code, ranges).zero if width == 1 else None
        return _Coded(code, (Curve(shown),) * width, Zero(", ".join(shown), numeric=True, value=at))
    own = step(code, ranges)
    zero = Zero(own.name, numeric=True, value=own.zero, mean=own.centred)
    return _Coded(code, (Slope(own),), zero)


def _category(code: str, levels: Sequence[Any], matrix: Floats, curves: frozenset[str]) -> _Coded:
    name, labels = column_of(code) or code, [str(level) for level in levels]
    boolean = set(levels) <= {True, False} and all(isinstance(level, bool | np.bool_) for level in levels)
    k, c = matrix.shape
    if c == k:
        within = tuple(Within(name, label, boolean) for label in labels)
        return _Coded(code, within, None)
    whole = np.column_stack([np.ones(k), matrix])
    if c != k - 1 or name in curves or np.linalg.matrix_rank(whole) < k:
        return _Coded(code, (Curve((name,)),) * c, Zero(name, numeric=False))
    weights = np.linalg.inv(whole)
    parts = tuple(_contrast(name, labels, row, boolean) for row in weights[1:])
    return _Coded(code, parts, _baseline(name, labels, weights[0], boolean))


def _contrast(name: str, labels: Sequence[str], weights: Floats, boolean: bool) -> Part:
    """The plain name of a combination of levels that sums to zero: one level against others, or none."""
    weights = np.where(np.abs(weights) < SAME, 0.0, weights)
    above = np.flatnonzero(weights > 0)
    k = len(labels)
    if len(above) != 1:
        return Curve((name,))
    at = int(above[0])
    if k > 2 and np.allclose(weights, np.eye(k)[at] - 1 / k):
        return Against(name, labels[at], tuple(labels), 1.0, everything=True, boolean=boolean)
    below = weights[weights < 0]
    if np.ptp(below) > SAME:
        return Curve((name,))
    others = tuple(label for label, w in zip(labels, weights, strict=True) if w < 0)
    return Against(name, labels[at], others, 1 / float(weights[at]), boolean=boolean)


def _baseline(name: str, labels: Sequence[str], weights: Floats, boolean: bool) -> Zero:
    k, at = len(labels), int(np.argmax(weights))
    if np.allclose(weights, np.eye(k)[at]):
        return Zero(name, numeric=False, level=labels[at], boolean=boolean)
    return Zero(name, numeric=False, average=bool(np.allclose(weights, 1 / k)))


def _zeros(coded: Mapping[str, Any], factors: frozenset[str], *, everything: bool) -> Iterator[Zero]:
    """Zeros of the factors that stand beside these in a larger term; of all others for an expected value."""
    seen = set(factors)
    for subterms in coded.values():
        for own in subterms:
            beside = {each.name for each in own}
            if not (everything or factors < beside):
                continue
            for each in own:
                if each.name not in seen and each.zero is not None:
                    seen.add(each.name)
                    yield each.zero


def _width(own: Sequence[_Coded]) -> int:
    return int(np.prod([len(each.parts) for each in own], dtype=int))


def _products(own: Sequence[_Coded]) -> Iterator[tuple[Part, ...]]:
    """The parts of each column of a product, the first factor changing fastest."""
    shape = [len(each.parts) for each in own]
    for column in range(_width(own)):
        places = np.unravel_index(column, shape, order="F") if shape else ()
        yield tuple(each.parts[int(place)] for each, place in zip(own, places, strict=True))
