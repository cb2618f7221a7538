"""Choices made with widgets ↔ the formulas of a call; pure functions, no Streamlit.

`to_call` writes choices as formulas and `read` understands formulas as choices, part by part: a part that
the widgets cannot express keeps its text (`Reading.unread` says why) while the others stay choosable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

from mixedcore.errors import FormulaError
from mixedcore.formula import BarTerm, split
from pages.ui.model.choices import (
    Block,
    Choices,
    Component,
    Effects,
    Interaction,
    fixed_text,
    to_call,
    unique,
)
from pages.ui.model.modelcall import WHOLE_DATA, ModelCall
from pages.ui.model.notation import Factor, Term, UnreadError, plus
from pages.ui.model.notation import read as read_text
from pages.ui.model.random_part import MARK, slope_key
from pages.ui.model.shape import PLAIN, Shape

__all__ = ["Choices", "Component", "Part", "Reading", "from_call", "read", "to_call", "write"]

Part = Literal["formula", "re_formula", "vc_formula", "bars"]
Known = Collection[str]
"""The columns there are."""
Reader = Callable[[Choices, ModelCall, Known], Choices]


@dataclass(frozen=True, slots=True)
class Reading:
    """A call as choices, and for each part that the widgets cannot express, why."""

    choices: Choices
    unread: Mapping[Part, str]


def from_call(call: ModelCall, columns: Iterable[str]) -> Choices | None:
    """The choices that `call` stands for, or None when the widgets cannot express it."""
    reading = read(call, columns)
    return None if reading.unread else reading.choices


def read(call: ModelCall, columns: Iterable[str], texts: Collection[str] = ()) -> Reading:
    """Understand each part of `call` as far as the widgets can show it; `texts` are columns of text."""
    known = frozenset(columns)
    choices = Choices(
        "",
        groups=call.groups,
        reml=call.reml,
        missing=call.missing,
        weights=call.weights,
        offset=call.offset,
        subset=call.subset,
        texts=tuple(texts),
    )
    unread: dict[Part, str] = {}
    for part, reader in BAR_READERS if call.in_bars else READERS:
        try:
            choices = reader(choices, call, known)
        except (UnreadError, FormulaError) as err:
            unread[part] = str(err)
    return Reading(choices, unread)


def write(reading: Reading, call: ModelCall) -> ModelCall:
    """The call of the choices read, with the text of the parts that could not be read kept as typed."""
    new = to_call(reading.choices)
    fixed, bars = texts_of(call)
    written, random = fixed_text(reading.choices), texts_of(new)[1]
    if "bars" in reading.unread:
        random = bars
        new = replace(new, groups=WHOLE_DATA, re_formula=None, vc_formula=())
    formula = plus([fixed if "formula" in reading.unread else written, *([random] if random else [])])
    kept = {part: getattr(call, part) for part in ("re_formula", "vc_formula") if part in reading.unread}
    return replace(new, formula=formula, **({} if random else kept))


def texts_of(call: ModelCall) -> tuple[str, str]:
    """The formula without its random terms in bars, and these ('' without any)."""
    if not call.in_bars:
        return call.formula, ""
    try:
        parts = split(call.formula)
    except FormulaError:
        return call.formula, ""
    bars = (f"({bar.covariates} {'|' if bar.correlated else '||'} {bar.group})" for bar in parts.bars)
    return f"{parts.response} ~ {parts.fixed}", plus(bars)


# --- the fixed part ------------------------------------------------------------------------------


def _read_fixed(choices: Choices, call: ModelCall, known: Known) -> Choices:
    found = read_text(texts_of(call)[0])
    outcome = found.outcome
    if outcome is None:
        raise UnreadError("The formula needs an outcome on the left of '~'.")
    if outcome not in (Factor(outcome.column, transform=kind) for kind in ("none", "log", "sqrt")):
        raise UnreadError("The outcome is calculated in a way that the widgets do not have.")
    _must_exist([outcome.column], known)
    mains = [factor for term in found.terms if len(term) == 1 for factor in term]
    _must_exist((factor.column for factor in mains), known)
    shapes = _shapes(mains)
    interactions, curved = _interactions(mains, [term for term in found.terms if len(term) > 1])
    return replace(
        choices,
        outcome=outcome.column,
        outcome_transform=outcome.transform,
        fixed=tuple(shapes),
        categorical=_marked(mains),
        shapes=tuple(shapes.items()),
        interactions=interactions,
        curved=curved,
        intercept=found.intercept,
    )


def _shapes(factors: Sequence[Factor]) -> dict[str, Shape]:
    """Column → how it enters, in order; the powers of a column must follow each other from the first."""
    own: dict[str, list[Factor]] = {}
    for factor in factors:
        own.setdefault(factor.column, []).append(factor)
    found: dict[str, Shape] = {}
    for column, several in own.items():
        base = replace(several[0], power=1)
        if len({factor.categorical for factor in several}) > 1:
            raise UnreadError(_both(column))
        if set(several) != {replace(base, power=power) for power in range(1, len(several) + 1)}:
            raise UnreadError(f"{column!r} enters in a combination of ways that the widgets do not have.")
        found[column] = replace(base.shape, degree=len(several))
    return found


def _interactions(mains: Sequence[Factor], larger: Sequence[Term]) -> tuple[tuple[Interaction, ...], bool]:
    """The interactions, and whether they have all powers of their predictors; else they have the first."""
    width = Counter(factor.column for factor in mains)
    terms: Counter[frozenset[str]] = Counter()
    linear = all(factor.power == 1 for term in larger for factor in term)
    for term in larger:
        if not term <= set(mains):
            raise UnreadError("An interaction stands without its own predictors.")
        columns = frozenset(factor.column for factor in term)
        if len(columns) < len(term):
            raise UnreadError("An interaction joins two powers of one predictor.")
        terms[columns] += 1
    for columns, count in terms.items():
        if not linear and count != prod(width[column] for column in columns):
            raise UnreadError("An interaction has some, but not all, of the powers of a predictor.")
    return tuple(tuple(columns) for columns in terms), not linear


def _marked(factors: Iterable[Factor]) -> tuple[str, ...]:
    return unique(factor.column for factor in factors if factor.categorical)


# --- the random part -----------------------------------------------------------------------------


def _read_random(choices: Choices, call: ModelCall, known: Known) -> Choices:
    if call.re_formula is None:
        return replace(choices, random_intercept=not call.vc_formula)
    choices, effects = _effects(choices, call.re_formula, known)
    return replace(choices, random_intercept=effects.intercept, slopes=effects.slopes)


def _effects(choices: Choices, text: str, known: Known) -> tuple[Choices, Effects]:
    """The coefficients of a group, and the choices that know how their columns enter."""
    found = read_text(text)
    if found.outcome is not None:
        raise UnreadError("The random part must not have an outcome.")
    if any(len(term) > 1 for term in found.terms):
        raise UnreadError("The random part has an interaction.")
    factors = [factor for term in found.terms for factor in term]
    _must_exist((factor.column for factor in factors), known)
    keys = {factor: _own_term(choices, factor) for factor in factors}
    plain = [factor for factor in factors if not keys[factor]]
    shapes = _shapes(plain)
    for factor in plain:
        if factor.column in choices.predictors and factor != choices.factor(factor.column):
            raise UnreadError(
                _both(factor.column)
                if factor.categorical != choices.factor(factor.column).categorical
                else f"{factor.column!r} enters the random part in another way than elsewhere."
            )
    new = tuple((name, shape) for name, shape in shapes.items() if name not in choices.predictors)
    slopes = unique(keys[factor] or factor.column for factor in factors)
    # Marks and shapes are settled with the columns in use, so those have to be there first.
    known_as = replace(
        choices,
        slopes=(*choices.slopes, *slopes) if not choices.blocks else choices.slopes,
        categorical=(*choices.categorical, *_marked(plain)),
        shapes=(*choices.shapes, *((name, shape) for name, shape in new if shape != PLAIN)),
    )
    return known_as, Effects(found.intercept, slopes)


def _own_term(choices: Choices, factor: Factor) -> str:
    """The slope of a power of a predictor, or of the straight line beside its spline; '' for any other."""
    if MARK in factor.column:
        raise UnreadError("The name of a column has a control character.")
    entered = choices.factors(factor.column) if factor.column in choices.fixed else ()
    if factor.power > 1:
        if factor not in entered:
            raise UnreadError("The random part has a power that the predictors do not have.")
        return slope_key(factor.column, factor.power)
    line = entered and factor == replace(entered[0], spline="none", df=0) and factor != entered[0]
    return slope_key(factor.column, 1) if line else ""


def _read_components(choices: Choices, call: ModelCall, known: Known) -> Choices:
    rows = [_component(name, text, known) for name, text in call.vc_formula]
    found = replace(choices, components=tuple(rows))
    for row in found.components:
        if row.power > 1:
            raise UnreadError(f"The component {row.name!r} is a slope of a power.")
    return found


def _component(name: str, text: str, known: Known) -> Component:
    found = read_text(text)
    if found.outcome or found.intercept or len(found.terms) != 1:
        raise UnreadError(f"The component {name!r} is more than one effect or one slope.")
    factors = found.terms[0]
    _must_exist((factor.column for factor in factors), known)
    marked = [factor for factor in factors if factor.categorical]
    slopes = [factor for factor in factors if not factor.categorical]
    simple = [*(Factor(f.column, True) for f in marked), *(_transformed(f) for f in slopes)]
    if set(simple) == factors and len(marked) < 2 and len(slopes) < 2:
        if not slopes:
            return Component(name, "factor", marked[0].column)
        kind: Literal["slope_in_factor", "slope"] = "slope_in_factor" if marked else "slope"
        return Component(
            name,
            kind,
            slopes[0].column,
            marked[0].column if marked else "",
            slopes[0].transform,
            slopes[0].power,
        )
    raise UnreadError(f"The component {name!r} is an interaction that the widgets cannot show.")


def _transformed(factor: Factor) -> Factor:
    return Factor(factor.column, transform=factor.transform, power=factor.power)


def _read_bars(choices: Choices, call: ModelCall, known: Known) -> Choices:
    blocks: list[Block] = []
    seen: set[tuple[frozenset[str], str]] = set()
    for bar in split(call.formula).bars:
        path = bar.group_columns()
        _must_exist(path, known)
        choices, sets = _sets(choices, bar, known)
        for effects in sets:
            for name in (*effects.slopes, *([""] if effects.intercept else [])):
                if (frozenset(path), name) in seen:
                    raise UnreadError(f"The groups {bar.group} have the same effect twice.")
                seen.add((frozenset(path), name))
        blocks.append(Block(path, sets))
    return replace(choices, slopes=(), blocks=tuple(blocks))


def _sets(choices: Choices, bar: BarTerm, known: Known) -> tuple[Choices, tuple[Effects, ...]]:
    """The effects of one bar: one set, or each alone after two bars."""
    choices, effects = _effects(choices, bar.covariates, known)
    if not effects.size:
        raise UnreadError(f"({bar.covariates} | {bar.group}) has no effects.")
    if bar.correlated or effects.size < 2:
        if not bar.correlated and any(choices.several_columns(name) for name in effects.slopes):
            raise UnreadError("Two bars split a category into its levels.")
        return choices, (effects,)
    if any(choices.several_columns(name) for name in effects.slopes):
        raise UnreadError("Two bars split a category into its levels.")
    alone = tuple(Effects(False, (name,)) for name in effects.slopes)
    return choices, (*([Effects()] if effects.intercept else []), *alone)


READERS: tuple[tuple[Part, Reader], ...] = (
    ("formula", _read_fixed),
    ("re_formula", _read_random),
    ("vc_formula", _read_components),
)
BAR_READERS: tuple[tuple[Part, Reader], ...] = (("formula", _read_fixed), ("bars", _read_bars))


def _both(column: str) -> str:
    return f"{column!r} is a category in one place and a number in another."


def _must_exist(columns: Iterable[str], known: Known) -> None:
    for column in columns:
        if column not in known:
            raise UnreadError(f"There is no column named {column!r}.")
