"""How many numbers a model estimates, and whether the data are enough for them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from pages.ui.model.choices import Block, Choices, Effects
from pages.ui.model.random_part import slope_power
from pages.ui.text import listing

ROWS_A_COEFFICIENT = 10
"""Fewer rows for each fixed effect than this are said to be few (Harrell 2015, section 4.4)."""
FEW_GROUPS = 5


@dataclass(frozen=True, slots=True)
class Size:
    """fixed : coefficients;  random : variances and covariances without the residual's"""

    fixed: int
    random: int

    @property
    def total(self) -> int:
        """Everything estimated, the residual variance included."""
        return self.fixed + self.random + 1


def of(choices: Choices, blocks: Sequence[Block], levels: Mapping[str, int]) -> Size:
    """The parameters of a model; `levels` has the columns that make a coefficient a level."""
    width = {name: width_of(choices, name, levels) for name in choices.fixed}
    inside = {name: width_of(choices, name, levels, product=True) for name in choices.fixed}
    fixed = sum(width.values())
    fixed += sum(prod(inside[name] for name in term) for term in choices.all_interactions())
    categories = any(levels_of(choices, name, levels) for name in choices.fixed)
    fixed += choices.intercept or categories  # without an intercept, a category has all of its levels
    random = sum(_covariances(choices, each, levels) for block in blocks for each in block.sets)
    return Size(int(fixed), random)


def levels_of(choices: Choices, name: str, levels: Mapping[str, int]) -> int:
    """How many levels a column has in the model; 0 for numbers."""
    return levels.get(name, 0) if choices.shape(name).spline == "none" else 0


def width_of(choices: Choices, name: str, levels: Mapping[str, int], *, product: bool = False) -> int:
    """Coefficients of one predictor beside an intercept, or what it multiplies an interaction's by."""
    factors = choices.product_factors(name) if product else choices.factors(name)
    several = levels_of(choices, name, levels)
    return max(several - 1, 1) if several else choices.shape(name).df or len(factors)


def coefficients(choices: Choices, effects: Effects, levels: Mapping[str, int]) -> int:
    """Random coefficients of each group in one set."""
    whole = [name for name in effects.slopes if not slope_power(name)]
    widths = [
        max(levels_of(choices, name, levels) - 1, 1)
        if levels_of(choices, name, levels)
        else choices.shape(name).df or 1
        for name in whole
    ]
    categories = any(levels_of(choices, name, levels) for name in whole)
    return sum(widths) + len(effects.slopes) - len(whole) + int(effects.intercept or categories)


def _covariances(choices: Choices, effects: Effects, levels: Mapping[str, int]) -> int:
    q = coefficients(choices, effects, levels)
    return q * (q + 1) // 2


def sentence(size: Size, rows: int, groups: Sequence[tuple[str, int]]) -> str:
    """What is estimated against what there is, as Markdown. groups : (name, how many)."""
    parts = f"{_count(size.fixed, 'fixed effect')}, {_count(size.random, 'variance')}"
    if size.random > 1:
        parts = f"{_count(size.fixed, 'fixed effect')}, {size.random} variances and covariances"
    there = [f"{count:,} {name}" for name, count in groups]
    grouped = f" in {listing(there)}" if there else ""
    return (
        f"**{size.total:,} parameters** ({parts} of groups, the residual variance) from **{rows:,} rows**"
        f"{grouped}."
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def caution(
    choices: Choices,
    blocks: Sequence[Block],
    levels: Mapping[str, int],
    rows: int,
    count: Callable[[tuple[str, ...]], int],
) -> str:
    """The first reason why the data may be too few, as Markdown; '' when none."""
    for block in blocks:
        there, name = count(block.factor), listing([" in ".join(reversed(block.factor))])
        q = sum(coefficients(choices, each, levels) for each in block.sets)
        needed = sum(_covariances(choices, each, levels) for each in block.sets)
        if q > 1 and there * q >= rows:
            return (
                f"The groups of {name} would have {there * q:,} coefficients of their own, and there are "
                f"{rows:,} rows: take out slopes until there are fewer coefficients than rows."
            )
        if needed > 1 and needed >= there:
            return (
                f"{there:,} groups of {name} must tell {needed:,} variances and covariances: too few. "
                "Take out slopes, or let them be independent."
            )
        if 1 < there < FEW_GROUPS:
            return f"Only {there:,} groups of {name}: how much they vary will be known very roughly."
    fixed = of(choices, blocks, levels).fixed
    if rows < ROWS_A_COEFFICIENT * fixed:
        return f"{rows / max(fixed, 1):.2g} rows for each fixed effect are few; estimates may be chance."
    return ""
