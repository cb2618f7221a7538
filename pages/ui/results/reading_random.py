"""The random part in words: how far groups differ, how slopes vary, what goes together, what is at zero."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
from scipy import special

from pages.ui.numbers import share
from pages.ui.results import phrases
from pages.ui.results.facts import Facts, Outcome
from pages.ui.results.meaning import Against, Slope
from pages.ui.results.voice import Voice, rounded
from pages.ui.text import enumerated

EDGE = 1e-6
"""An SD below this share of the residual SD is zero, a correlation this near ±1 is ±1."""
WEAK, STRONG = 0.1, 0.5
INTERCEPT, RESIDUAL = "Intercept", "Residual"


@dataclass(frozen=True, eq=False)
class Random:
    """The random part as the reading takes it.

    tidy   : as `result.tidy(effects="random")`, in whose `conf_low, conf_high` the chosen intervals stand
    fixed  : as `result.tidy(effects="fixed")`
    slopes : variance components whose covariate is a number, by name; all others are intercepts
    counts : number of levels by group, where it is known
    within : for a component, the grouping factor in which its levels lie
    """

    tidy: pd.DataFrame
    fixed: pd.DataFrame
    slopes: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)
    within: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def sds(self) -> list[tuple[str, str, phrases.Estimate]]:
        """(group, term, SD) of each coefficient; the term of a component is '' and the residual is last."""
        rows = self.tidy[self.tidy["scale"] == "sd"]
        return [
            (str(group), "" if pd.isna(term) else str(term), phrases.Estimate(*map(float, numbers)))
            for group, term, *numbers in rows[
                ["group", "term", "estimate", "conf_low", "conf_high"]
            ].itertuples(index=False)
        ]

    @property
    def sigma(self) -> float:
        """The residual SD."""
        return self.sds[-1][2].value


def random_part(random: Random, facts: Facts, voice: Voice, *, level: float = 0.95) -> list[str]:
    """One sentence a coefficient, a correlation and the residual; edges are named as such."""
    said = []
    for group, term, sd in random.sds:
        if group == RESIDUAL and not term:
            said.append(_residual(sd, facts, voice, level, alone=len(random.sds) == 1))
        elif sd.value <= EDGE * random.sigma:
            said.append(_none(group, term, sd, random, facts, voice, level))
        elif term in ("", INTERCEPT) and group not in random.slopes:
            said.append(_intercepts(group, term, sd, random, facts, voice, level))
        else:
            said.append(_slopes(group, term, sd, random, facts, voice, level))
    correlations = [*_correlations(random, facts, voice, level)]
    return [*said[:-1], *correlations, *said[-1:]]


def _between(group: str, random: Random, voice: Voice) -> str:
    count = random.counts.get(group)
    inside = f" within {voice.name(random.within[group])}" if group in random.within else ""
    return f"{f'the {count:,} levels' if count else 'levels'} of {voice.name(group)}{inside}"


def _interval(sd: phrases.Estimate, level: float) -> str:
    if not sd.bounded:
        return ""
    if sd.vague:
        return " (the data do not tell how large it is: almost any size is compatible with them)"
    _, low, high = rounded(sd.value, sd.low, sd.high)
    return f" ({level:.0%} interval {low} to {high})"


def _sd(sd: phrases.Estimate, outcome: Outcome, voice: Voice, level: float) -> str:
    """'a standard deviation of 24.7 ms (95% interval 15.6 to 39.3)'."""
    logged = " on the scale of the logarithm" if outcome.base is not None else ""
    unit = f" {outcome.unit}" if outcome.unit and outcome.base is None else ""
    with_ends = (sd.value,) if sd.vague else (sd.value, sd.low, sd.high)
    size = voice.strong(f"{rounded(*with_ends)[0]}{unit}")
    return f"a standard deviation of {size}{logged}{_interval(sd, level)}"


def _reach(sd: phrases.Estimate, outcome: Outcome) -> str:
    """How far about two thirds of the groups lie from the average."""
    if outcome.base is None:
        return f"about two in three lie within {rounded(sd.value, sd.low, sd.high)[0]} of the average"
    up, down = phrases.percent(sd.value, outcome.base), phrases.percent(-sd.value, outcome.base)
    high, low = rounded(up, down)
    return f"about two in three lie between {low.lstrip('−')}% below and {high}% above the average"


def _intercepts(
    group: str, term: str, sd: phrases.Estimate, random: Random, facts: Facts, voice: Voice, level: float
) -> str:
    own = [t for g, t, _ in random.sds if g == group and t not in ("", INTERCEPT)]
    zero = enumerated([f"{voice.name(t)} = 0" for t in own if _is_column(t, facts)], 3)
    where = f" where {zero}" if zero and term == INTERCEPT else ""
    what = voice.name(facts.outcome.name)
    return (
        f"Between {_between(group, random, voice)}, {what}{where} differs with "
        f"{_sd(sd, facts.outcome, voice, level)}: {_reach(sd, facts.outcome)}."
    )


def _is_column(term: str, facts: Facts) -> bool:
    """Whether the covariate is a number that is zero where its column is."""
    found = facts.coefficients.get(term)
    own = found.parts[0] if found is not None and len(found.parts) == 1 else None
    return isinstance(own, Slope) and own.step.kind == "unit" and own.step.zero == 0 and own.step.name == term


def _effect_name(group: str, term: str, facts: Facts, voice: Voice) -> str:
    """'the slope of Days (per unit)', 'the difference between B and A', or the coefficient's own name."""
    found = facts.coefficients.get(term)
    if found is not None and len(found.parts) == 1 and isinstance(found.parts[0], Slope | Against):
        part = found.parts[0]
        return phrases.noun(part, voice) if _as_is(part) else f"the coefficient of {voice.name(term)}"
    return f"the coefficient of {voice.name(term or group)}"


def _as_is(part: Slope | Against) -> bool:
    """Whether the coefficient itself is the step or difference that its phrase names."""
    multiplier = part.step.multiplier if isinstance(part, Slope) else part.multiplier
    return abs(multiplier) == 1


def _slopes(
    group: str, term: str, sd: phrases.Estimate, random: Random, facts: Facts, voice: Voice, level: float
) -> str:
    name = _effect_name(group, term, facts, voice)
    said = (
        f"{name[0].upper()}{name[1:]} differs between {_between(group, random, voice)} with "
        f"{_sd(sd, facts.outcome, voice, level)}"
    )
    return f"{said}{_opposite(term, sd.value, random, facts)}."


def _opposite(term: str, sd: float, random: Random, facts: Facts) -> str:
    """Share of groups whose slope has the other sign, by the normal distribution of the model."""
    found, row = facts.coefficients.get(term), random.fixed[random.fixed["term"] == term]
    if found is None or found.given or len(found.parts) != 1 or len(row) != 1:
        return ""
    if not isinstance(found.parts[0], Slope | Against):
        return ""
    mean = float(row["estimate"].iloc[0])
    if mean == 0:
        return ""
    other = float(special.ndtr(-abs(mean) / sd))
    average = rounded(mean)[0]
    if other < 0.001:
        return f", about the average of {average}: practically all have its sign"
    return (
        f", about the average of {average}: if they are normally distributed, about {share(other)} have "
        "the opposite sign"
    )


def _correlations(random: Random, facts: Facts, voice: Voice, level: float) -> Iterator[str]:
    rows = random.tidy[random.tidy["scale"] == "correlation"]
    columns = ["group", "term", "term2", "estimate", "conf_low", "conf_high"]
    for group, one, two, rho, low, high in rows[columns].itertuples(index=False):
        if not math.isnan(rho):
            found = phrases.Estimate(float(rho), float(low), float(high))
            yield _correlation(str(group), str(one), str(two), found, facts, voice, level)


def _correlation(
    group: str, one: str, two: str, found: phrases.Estimate, facts: Facts, voice: Voice, level: float
) -> str:
    what = enumerated([_term(term, group, facts, voice) for term in (one, two)])
    size = f"{found.value:.2f}".replace("-", "−")
    where = voice.name(group)
    if 1 - abs(found.value) < EDGE:
        return (
            f"In {where}, the correlation of {what} is estimated as exactly "
            f"{'+1' if found.value > 0 else '−1'}, the edge of what is possible: the data do not show that "
            "the two vary apart from each other."
        )
    interval = ""
    if found.bounded:
        low, high = (f"{end:.2f}".replace("-", "−") for end in (found.low, found.high))
        interval = f" ({level:.0%} interval {low} to {high})"
    said = f"In {where}, {what} have a correlation of {voice.strong(size)}{interval}: "
    if abs(found.value) < WEAK:
        return f"{said}they hardly go together."
    strength = "strongly tend" if abs(found.value) >= STRONG else "tend"
    direction = "higher" if found.value > 0 else "lower"
    closing = ". The sign is not certain: the interval includes zero" if found.open else ""
    return f"{said}levels with a higher value of the first {strength} to have a {direction} second{closing}."


def _term(term: str, group: str, facts: Facts, voice: Voice) -> str:
    return "the intercept" if term == INTERCEPT else _effect_name(group, term, facts, voice)


def _none(
    group: str, term: str, sd: phrases.Estimate, random: Random, facts: Facts, voice: Voice, level: float
) -> str:
    """A variance at zero."""
    what = voice.name(facts.outcome.name)
    if term not in ("", INTERCEPT) or group in random.slopes:
        name = _effect_name(group, term, facts, voice)
        what = f"{name} between levels of {voice.name(group)}"
    else:
        what = f"{what} between levels of {voice.name(group)}"
    reach = ""
    if sd.bounded and sd.high > 0:
        high = rounded(sd.high)[0]
        reach = f": a standard deviation of up to {high} is compatible with the data ({level:.0%} interval)"
    return (
        f"The variance of {what} is estimated as zero, the edge of what is possible: they differ no more "
        "than chance within them would make them differ. That does not show that they are all the same"
        f"{reach}."
    )


def _residual(sd: phrases.Estimate, facts: Facts, voice: Voice, level: float, *, alone: bool) -> str:
    start = "Rows" if alone else "Within all of these, rows"
    return f"{start} differ from what the model expects of them with {_sd(sd, facts.outcome, voice, level)}."


# --- shares of the variance, and how it was done -----------------------------------------------------------


def shares(
    icc: pd.DataFrame,
    marginal: float,
    conditional: float,
    facts: Facts,
    voice: Voice,
    *,
    predictors: bool = True,
) -> list[str]:
    """Intraclass correlations and R² in one sentence each.

    icc : as `result.icc()`; predictors : whether there are any beside the intercept
    """
    what = voice.name(facts.outcome.name)
    what = what if facts.outcome.base is None else f"the logarithm of {what}"
    known = [
        f"{voice.strong(share(float(value)))} lies between levels of {voice.name(group)}"
        for group, value in zip(icc["group"], icc["icc"], strict=True)
        if math.isfinite(value)
    ]
    said, left = [], " that the predictors leave" if predictors else ""
    if known:
        said.append(
            f"Of the variance in {what}{left}, {enumerated(known)} "
            f"(intraclass correlation{'s' if len(known) > 1 else ''})."
        )
    if predictors and math.isfinite(marginal) and math.isfinite(conditional):
        explained = share(0.0 if marginal < 1e-12 else marginal)
        said.append(
            f"The predictors account for {voice.strong(explained)} of the variance of {what} (marginal R²), "
            f"predictors and groups together for {voice.strong(share(conditional))} (conditional R²)."
        )
    return said


DF_NAMES = {
    "satterthwaite": "degrees of freedom by Satterthwaite's method",
    "kenward-roger": "degrees of freedom and standard errors by the method of Kenward and Roger",
    "residual": "residual degrees of freedom",
    "normal": "tests from the normal distribution",
}


def method(
    *, rows: int, groups: Sequence[tuple[str, int]], reml: bool, ddf: str, intervals: str, voice: Voice
) -> str:
    """How the model was fitted, in one sentence.

    groups : (name, number of levels) of the grouping factors; intervals : 'Wald', 'profile', 'bootstrap' …
    """
    levels = enumerated([f"{count:,} levels of {voice.name(name)}" for name, count in groups if count > 1])
    by = "restricted maximum likelihood (REML)" if reml else "maximum likelihood (ML)"
    placed = f" in {levels}" if levels else ""
    return (
        f"A linear mixed model of {rows:,} rows{placed}, fitted by {by}; {DF_NAMES[ddf]}; {intervals} "
        "intervals."
    )


def rows_left_out(notes: Sequence[str], excluded: int, voice: Voice) -> list[str]:
    """What was dropped on the way, and how many rows a person left out."""
    said = [voice.line(note) for note in notes]
    if excluded:
        were = "rows were" if excluded > 1 else "row was"
        said.append(f"{excluded:,} {were} left out by decision, each with a reason.")
    return said
