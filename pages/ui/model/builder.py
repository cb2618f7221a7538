"""Choices made with widgets ↔ the formulas of a call; pure functions, no Streamlit.

`to_call` writes choices as formulas and `read` understands formulas as choices, part by part: a part that
the widgets cannot express keeps its text (`Reading.unread` says why) while the others stay choosable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from pages.ui.model.choices import MOST_FULLY_CROSSED, Choices, Component, Crossing, Pair, to_call
from pages.ui.model.modelcall import ModelCall
from pages.ui.model.notation import Expression, Factor, Term, UnreadError
from pages.ui.model.notation import read as read_text

__all__ = ["Choices", "Component", "Part", "Reading", "from_call", "read", "to_call", "write"]

Part = Literal["formula", "re_formula", "vc_formula"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A call as choices, and for each part that the widgets cannot express, why."""

    choices: Choices
    unread: Mapping[Part, str]


def from_call(call: ModelCall, columns: Iterable[str]) -> Choices | None:
    """The choices that `call` stands for, or None when the widgets cannot express it."""
    reading = read(call, columns)
    return None if reading.unread else reading.choices


def read(call: ModelCall, columns: Iterable[str]) -> Reading:
    """Understand each part of `call` as far as the widgets can show it."""
    known = set(columns)
    choices = Choices("", groups=call.groups, reml=call.reml, missing=call.missing)
    unread: dict[Part, str] = {}
    for part, reader in READERS:
        try:
            choices = reader(choices, call, known)
        except UnreadError as err:
            unread[part] = str(err)
    return Reading(choices, unread)


def write(reading: Reading, call: ModelCall) -> ModelCall:
    """The call of the choices read, with the text of the parts that could not be read kept as typed."""
    return replace(to_call(reading.choices), **{part: getattr(call, part) for part in reading.unread})


def _read_fixed(choices: Choices, call: ModelCall, known: set[str]) -> Choices:
    found = read_text(call.formula)
    if found.outcome is None:
        raise UnreadError("The formula needs an outcome on the left of '~'.")
    if found.outcome.categorical:
        raise UnreadError("The outcome is calculated, not a column.")
    _must_exist([found.outcome.column], known)
    marked = _marked(found, known)
    mains = tuple(factor for term in found.terms if len(term) == 1 for factor in term)
    crossing, pairs = _interactions(mains, set(found.terms))
    return replace(
        choices,
        outcome=found.outcome.column,
        fixed=tuple(factor.column for factor in mains),
        categorical=marked,
        pairs=pairs,
        crossing=crossing,
        intercept=found.intercept,
    )


def _interactions(mains: tuple[Factor, ...], terms: set[Term]) -> tuple[Crossing, tuple[Pair, ...]]:
    """Which of the offered interactions the terms are."""
    larger = {term for term in terms if len(term) > 1}
    if any(not term <= set(mains) for term in larger):
        raise UnreadError("An interaction stands without its own predictors.")
    if all(len(term) == 2 for term in larger):
        pairs = [(one.column, two.column) for one, two in combinations(mains, 2) if {one, two} in larger]
        return "none", tuple(pairs)
    if len(mains) <= MOST_FULLY_CROSSED and len(terms) == 2 ** len(mains) - 1:
        return "all", ()
    raise UnreadError("Some, but not all, interactions of three or more predictors are in the formula.")


def _read_random(choices: Choices, call: ModelCall, known: set[str]) -> Choices:
    if call.re_formula is None:
        return replace(choices, random_intercept=not call.vc_formula)
    found = read_text(call.re_formula)
    if found.outcome is not None:
        raise UnreadError("The random part must not have an outcome.")
    if any(len(term) > 1 for term in found.terms):
        raise UnreadError("The random part has an interaction.")
    slopes = [factor for term in found.terms for factor in term]
    marked = _marked(found, known)
    for factor in slopes:
        if factor.column in choices.fixed and factor != choices.factor(factor.column):
            raise UnreadError(_both(factor.column))
    return replace(
        choices,
        random_intercept=found.intercept,
        slopes=tuple(factor.column for factor in slopes),
        categorical=(*choices.categorical, *marked),
    )


def _read_components(choices: Choices, call: ModelCall, known: set[str]) -> Choices:
    rows = [_component(name, text, known) for name, text in call.vc_formula]
    return replace(choices, components=tuple(rows))


def _component(name: str, text: str, known: set[str]) -> Component:
    found = read_text(text)
    if found.outcome or found.intercept or len(found.terms) != 1:
        raise UnreadError(f"The component {name!r} is more than one effect or one slope.")
    factors = found.terms[0]
    marked = [factor.column for factor in factors if factor.categorical]
    numbers = [factor.column for factor in factors if not factor.categorical]
    _must_exist([*marked, *numbers], known)
    if len(factors) == 1:
        return Component(name, "factor", marked[0]) if marked else Component(name, "slope", numbers[0])
    if len(factors) == 2 and len(marked) == 1:
        return Component(name, "slope_in_factor", numbers[0], marked[0])
    raise UnreadError(f"The component {name!r} is an interaction that the widgets cannot show.")


READERS: tuple[tuple[Part, Callable[[Choices, ModelCall, set[str]], Choices]], ...] = (
    ("formula", _read_fixed),
    ("re_formula", _read_random),
    ("vc_formula", _read_components),
)


def _marked(found: Expression, known: set[str]) -> tuple[str, ...]:
    """The columns marked as categorical; all columns exist and none is both category and number."""
    factors = {factor for term in found.terms for factor in term}
    _must_exist((factor.column for factor in factors), known)
    for factor in factors:
        if factor.categorical and Factor(factor.column) in factors:
            raise UnreadError(_both(factor.column))
    return tuple(factor.column for factor in factors if factor.categorical)


def _both(column: str) -> str:
    return f"{column!r} is a category in one place and a number in another."


def _must_exist(columns: Iterable[str], known: set[str]) -> None:
    for column in columns:
        if column not in known:
            raise UnreadError(f"There is no column named {column!r}.")
