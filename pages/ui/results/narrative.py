"""The whole reading of a fit: how it was made, its fixed effects, its random part, shares of the variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from pages.ui.model import notation
from pages.ui.results import reading, reading_random
from pages.ui.results.facts import Facts
from pages.ui.results.reading_random import Random
from pages.ui.results.voice import Voice

if TYPE_CHECKING:
    from mixedcore import MixedLMResults


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What the page has computed already, so that words and tables agree.

    fixed, random : as `result.tidy`, with the chosen intervals and degrees of freedom
    tests         : F tests of terms, or None
    intervals     : what they are called; ddf: as in `tidy`; excluded: rows that a person left out
    """

    fixed: pd.DataFrame
    random: pd.DataFrame
    icc: pd.DataFrame
    glance: pd.Series
    tests: pd.DataFrame | None = None
    level: float = 0.95
    ddf: str = "satterthwaite"
    intervals: str = "Wald"
    excluded: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph: its heading and sentences."""

    title: str
    sentences: tuple[str, ...]


def tell(result: MixedLMResults, facts: Facts, told: Told, voice: Voice) -> list[Part]:
    """Every paragraph of the reading, empty ones left out."""
    counts = level_counts(result)
    slopes, within = slope_components(result, facts), units_within(result)
    random = Random(told.random, told.fixed, slopes, counts, within)
    made = reading_random.method(
        rows=int(told.glance["nobs"]),
        groups=list(counts.items()),
        reml=result.reml,
        ddf=told.ddf,
        intervals=told.intervals,
        voice=voice,
    )
    marginal, conditional = (float(told.glance[name]) for name in ("r2_marginal", "r2_conditional"))
    parts = [
        Part("Fixed effects", tuple(_fixed(facts, told, voice))),
        Part("Random effects", tuple(reading_random.random_part(random, facts, voice, level=told.level))),
        Part(
            "Variance",
            tuple(
                reading_random.shares(
                    told.icc, marginal, conditional, facts, voice, predictors=_has_predictors(told.fixed)
                )
            ),
        ),
        Part("Method", (made, *reading_random.rows_left_out(result.notes, told.excluded, voice))),
    ]
    return [part for part in parts if part.sentences]


def as_text(parts: Sequence[Part]) -> str:
    """The paragraphs as plain text, told with `voice.PLAIN`."""
    return "\n\n".join(" ".join(part.sentences) for part in parts)


def _fixed(facts: Facts, told: Told, voice: Voice) -> list[str]:
    if not len(told.fixed):
        return ["The model has no fixed effects: it describes how rows and groups differ, about zero."]
    return reading.fixed_effects(told.fixed, facts, voice, level=told.level, tests=told.tests)


def _has_predictors(fixed: pd.DataFrame) -> bool:
    return bool((fixed["term"] != "Intercept").any())


def level_counts(result: MixedLMResults) -> dict[str, int]:
    """Levels of each grouping factor and component, by the name it has in tables."""
    return {term.name: max(block.n_levels for block in term.blocks) for term in result.model.design.terms}


def units_within(result: MixedLMResults) -> dict[str, str]:
    """For each variance component, the groups in which its levels lie, where there are several groups."""
    model = result.model
    if model.design.bars or model.n_groups < 2:
        return {}
    return {term.name: model.group_name for term in model.design.terms if term.role == "component"}


def slope_components(result: MixedLMResults, facts: Facts) -> frozenset[str]:
    """Variance components whose covariate is a number, or that cannot be read: their levels have slopes."""
    return frozenset(
        name for name, formula in (result.model.vc_formula or {}).items() if _measures(formula, facts)
    )


def _measures(formula: str, facts: Facts) -> bool:
    try:
        terms = notation.read(formula).terms
    except notation.UnreadError:
        return True
    factors = [factor for term in terms for factor in term]
    return any(not factor.categorical and factor.column in facts.ranges for factor in factors)
