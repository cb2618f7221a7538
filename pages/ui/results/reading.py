"""The fixed effects in words, by rules: direction, size, comparison, where it holds, and what stays open.

Pure: a table of estimates and the facts of the fit in, sentences out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from pages.ui import terms
from pages.ui.numbers import number
from pages.ui.results import phrases
from pages.ui.results.facts import Facts, Outcome
from pages.ui.results.meaning import Against, Coefficient, Curve, Slope, Within
from pages.ui.results.phrases import Estimate
from pages.ui.results.voice import Voice, f_apa, t_apa, value
from pages.ui.text import enumerated

NEAR = 0.05
"""Share of a predictor's range by which its zero may lie outside before that is worth a word."""
MOST_OF_A_TERM = 8
"""A term with more coefficients than this is read as a whole."""


CONDITIONAL = (
    "Where predictors interact, the effect of each alone holds only at the stated values of the others."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the coefficient table."""

    coefficient: Coefficient
    estimate: Estimate
    statistic: float
    df: float
    p: float


def fixed_effects(
    tidy: pd.DataFrame, facts: Facts, voice: Voice, *, level: float = 0.95, tests: pd.DataFrame | None = None
) -> list[str]:
    """One sentence or two for each fixed effect, in the order of the model.

    tidy  : as `result.tidy(effects="fixed")`; tests : F tests of whole terms, as `result.anova()`
    """
    rows = [row for row in _rows(tidy, facts) if row is not None]
    said = [*_scale(facts, voice)] if rows else []
    curves: set[tuple[str, ...]] = set()
    for term in dict.fromkeys(row.coefficient.term for row in rows):
        own = [row for row in rows if row.coefficient.term == term]
        curved = [c for row in own if (c := _curve(row.coefficient)) is not None]
        if curved:
            said += [_curved(names, voice) for names in dict.fromkeys(curved) if names not in curves]
            curves |= set(curved)
        elif len(own) > MOST_OF_A_TERM:
            said.append(_many(own, term, facts, voice, level, tests))
        else:
            said += [_sentence(row, facts, voice, level, again=at > 0) for at, row in enumerate(own)]
    if any(row.coefficient.given and not row.coefficient.level_mean for row in rows):
        said.append(CONDITIONAL)
    return said


def _rows(tidy: pd.DataFrame, facts: Facts) -> Iterator[Row]:
    columns = ["term", "estimate", "conf_low", "conf_high", "statistic", "df", "p_value"]
    for name, estimate, low, high, statistic, df, p in tidy[columns].itertuples(index=False):
        known = facts.coefficients.get(str(name))
        if known is not None:
            found = Estimate(float(estimate), float(low), float(high))
            yield Row(known, found, float(statistic), float(df), float(p))


def _scale(facts: Facts, voice: Voice) -> Iterator[str]:
    """What a logarithm of the outcome does to all that follows."""
    if facts.outcome.base is not None:
        yield (
            f"The model is of the logarithm of {_changed(facts.outcome, voice)}: differences are given as "
            "changes in percent of its typical value (geometric mean)."
        )


def _changed(outcome: Outcome, voice: Voice) -> str:
    """What differences are differences of: 'y', or '(y + 1)' where that was logged."""
    name = voice.name(outcome.name)
    if outcome.base is None or outcome.shift == 0:
        return name
    return f"({name} {'+' if outcome.shift > 0 else '−'} {value(abs(outcome.shift))})"


def _sentence(row: Row, facts: Facts, voice: Voice, level: float, *, again: bool) -> str:
    if row.coefficient.level_mean:
        return _mean(row, facts, voice, level, again)
    return _effect(row, facts, voice, level)


# --- expected values ---------------------------------------------------------------------------------------


def _mean(row: Row, facts: Facts, voice: Voice, level: float, again: bool) -> str:
    """The intercept, or a level of a category without one; `again`: where such values hold was said."""
    size, interval = phrases.expected(row.estimate, facts.outcome, voice)
    what = "typical" if facts.outcome.base is not None else "expected"
    where = phrases.at(row.coefficient.given, voice)
    levels = [part for part in row.coefficient.parts if isinstance(part, Within)]
    places = [phrases.inside(levels, voice)] if levels else []
    lead = ", ".join([*places, where] if where else places)
    start = f"{lead[0].upper()}{lead[1:]}, the {what}" if lead else f"The overall {what}"
    notes = [] if levels else ["the intercept"]
    notes += [f"{level:.0%} interval {interval}"] if row.estimate.bounded else []
    closing = f" ({'; '.join(notes)})" if notes else ""
    said = f"{start} {voice.name(facts.outcome.name)} is {size}{closing}."
    return " ".join([said, *([] if again else _outside(row.coefficient, facts, voice))])


def _outside(coefficient: Coefficient, facts: Facts, voice: Voice) -> Iterator[str]:
    """That the data do not reach where the value holds."""
    far: dict[str, str] = {}
    for zero in coefficient.given:
        known = facts.ranges.get(zero.name)
        if zero.value is None or known is None:
            continue
        near = NEAR * (known.high - known.low)
        if not known.low - near <= zero.value <= known.high + near:
            ends = f"{number(known.low, 3)} to {number(known.high, 3)}"
            far[zero.name] = f"{voice.name(zero.name)} runs from {ends}"
    if far:
        yield (
            f"No row of the data is there ({enumerated(list(far.values()), 3)}), so this number is an "
            "extrapolation; it becomes readable when predictors are centred."
        )
    elif any(zero.numeric and zero.value is None for zero in coefficient.given):
        yield "That is a point of the calculation, not one of interest."


# --- differences -------------------------------------------------------------------------------------------


def _effect(row: Row, facts: Facts, voice: Voice, level: float) -> str:
    """A slope, a difference between levels, or what an interaction adds."""
    parts = row.coefficient.parts
    own = [part for part in parts if isinstance(part, Slope | Against)]
    within = [part for part in parts if isinstance(part, Within)]
    if len(own) > 2:
        return _higher_order(row, own, voice, level)
    factor = math.prod(_multiplier(part) for part in own)
    found = row.estimate.times(factor)
    places = [phrases.inside(within, voice)] if within else []
    where = phrases.at(row.coefficient.given, voice)
    places += [where] if where else []
    place = "".join(f", {each}" for each in places)
    # What an interaction adds moves the product's first part; a number reads best as the slope that moves.
    moving, fixed = (own[0], None) if len(own) == 1 else _roles(own[0], own[1])
    start = phrases.lead(fixed or moving, facts, voice) + place
    if fixed is None:
        what = _changed(facts.outcome, voice)
        size = phrases.difference(found, facts.outcome, voice)
        said = f"{start}, {what} is {size} on average"
        return said + _closing(row, found, facts, level, additive=False)
    size = _added(found, facts, voice)
    logged = " on the scale of the logarithm" if facts.outcome.base is not None else ""
    said = f"{start}, {phrases.noun(moving, voice)} is {size}{logged}"
    return said + _closing(row, found, facts, level, additive=True)


def _roles(one: Slope | Against, other: Slope | Against) -> tuple[Slope | Against, Slope | Against]:
    """(what is moved, by what) in a product of two."""
    if isinstance(one, Against) and isinstance(other, Slope):
        return other, one
    return one, other


def _added(found: Estimate, facts: Facts, voice: Voice) -> str:
    """How much an interaction adds, in the units of the model."""
    plain = facts.outcome if facts.outcome.base is None else Outcome(facts.outcome.name)
    return phrases.difference(found, plain, voice)


def _closing(row: Row, found: Estimate, facts: Facts, level: float, *, additive: bool) -> str:
    """Interval and test in brackets, and what an interval over zero leaves open."""
    outcome = facts.outcome
    if additive and outcome.base is not None:
        outcome = Outcome(outcome.name)
    test = t_apa(row.statistic, row.df, row.p)
    if not found.bounded:
        return f" ({test}; no interval could be computed)."
    brackets = f" ({level:.0%} interval {phrases.ends(found, outcome)}; {test})"
    if not found.open:
        return f"{brackets}."
    effect = "no interaction" if additive else "no difference"
    reach = phrases.compatible(found, outcome)
    return f"{brackets}. The interval includes zero: the data are compatible with {effect}, and with {reach}."


def _multiplier(part: Slope | Against) -> float:
    return part.step.multiplier if isinstance(part, Slope) else part.multiplier


def _higher_order(row: Row, own: Sequence[Slope | Against], voice: Voice, level: float) -> str:
    names = [voice.name(p.step.name if isinstance(p, Slope) else p.variable) for p in own]
    ends = phrases.ends(row.estimate, _unitless(row))
    test = t_apa(row.statistic, row.df, row.p)
    return (
        f"{voice.name(terms.one(row.coefficient.name))} says how the interaction of {enumerated(names[:-1])} "
        f"changes with {names[-1]}: {number(row.estimate.value, 3)} ({level:.0%} interval {ends}; {test}). "
        "Such a product is read from a picture: the Effects page draws it."
    )


def _unitless(row: Row) -> Outcome:
    """The scale of the model itself, for numbers that have no plain unit."""
    return Outcome(row.coefficient.name)


# --- what is not read one by one ---------------------------------------------------------------------------


def _curve(coefficient: Coefficient) -> tuple[str, ...] | None:
    """The predictors that several columns describe together, if this is such a column."""
    found = [name for part in coefficient.parts if isinstance(part, Curve) for name in part.names]
    if not found:
        return None
    others = [part.step.name for part in coefficient.parts if isinstance(part, Slope)]
    others += [part.variable for part in coefficient.parts if isinstance(part, Against | Within)]
    return tuple(dict.fromkeys([*found, *others]))


def _curved(names: Sequence[str], voice: Voice) -> str:
    shown = [voice.name(name) for name in names]
    if len(shown) == 1:
        return (
            f"{shown[0]} enters through several columns together (a curve, a trend or contrasts of its own); "
            "none of their coefficients is its effect by itself. The Effects page draws what they say "
            "together, and the F tests tell whether there is anything."
        )
    return (
        f"{enumerated(shown)} work together through several columns; their coefficients are not read one by "
        "one. The Effects page draws what they say together."
    )


def _many(
    own: Sequence[Row], term: str, facts: Facts, voice: Voice, level: float, tests: pd.DataFrame | None
) -> str:
    """A term of many coefficients: how many are clear, the largest and smallest, the test of all."""
    clear = sum(row.estimate.bounded and not row.estimate.open for row in own)
    ordered = sorted(own, key=lambda row: row.estimate.value)
    name = voice.name(_variables(own[0]) or term)
    smallest, largest = (
        f"{voice.plain(_level(row))} ({number(row.estimate.value, 3)})" for row in (ordered[0], ordered[-1])
    )
    said = (
        f"{name} has {len(own):,} coefficients, from {smallest} to {largest}; the {level:.0%} intervals of "
        f"{f'{clear:,}' if clear else 'none'} of them exclude zero."
    )
    row = tests[tests["term"] == term] if tests is not None else pd.DataFrame()
    if len(row):
        found = row.iloc[0]
        test = f_apa(*(float(found[n]) for n in ("statistic", "num_df", "den_df", "p_value")))
        said += f" All of them together: {test}."
    return said


def _variables(row: Row) -> str:
    found = [
        part.step.name if isinstance(part, Slope) else getattr(part, "variable", "")
        for part in row.coefficient.parts
    ]
    return terms.TIMES.join(found) if all(found) else ""


def _level(row: Row) -> str:
    levels = [part.level for part in row.coefficient.parts if isinstance(part, Against | Within)]
    return terms.TIMES.join(levels) or terms.one(row.coefficient.name)
