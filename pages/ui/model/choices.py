"""What the widgets of the Model page say, as a value, and the call it stands for; no Streamlit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal

from pages.ui.model.modelcall import WHOLE_DATA, ModelCall
from pages.ui.model.notation import Factor, plus
from pages.ui.model.random_part import (
    MARK,
    RAISED,
    Block,
    Component,
    Correlation,
    Effects,
    Kind,
    merged,
    slope_column,
    slope_key,
    slope_name,
    slope_power,
    unique,
)
from pages.ui.model.shape import PLAIN, Shape, Transform

__all__ = [
    "Block",
    "Choices",
    "Component",
    "Correlation",
    "Crossing",
    "Effects",
    "Interaction",
    "Kind",
    "all_components",
    "as_blocks",
    "fixed_text",
    "slope_name",
    "to_call",
    "unique",
]

Crossing = Literal["none", "two-way", "all"]
Interaction = tuple[str, ...]

MOST_FULLY_CROSSED = 6
"""Every combination of more predictors than this is not offered: 7 would already make 127 terms."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the widgets say. Equal models have equal choices: redundant ones are settled on creation.

    outcome          : column;  outcome_transform : 'none', 'log' or 'sqrt'
    fixed            : predictors, in order, without repeats
    categorical      : those of `fixed` and of the slopes that are marked with C(): numbers that are
                       categories, and categories with a coding of their own
    shapes           : (column, how it enters), for those that do not enter as they are
    interactions     : of two or more predictors each, in the order of `fixed`
    crossing         : 'two-way' adds every pair, 'all' every combination; then `interactions` is empty
    curved           : whether interactions take all powers of a predictor or its first alone; true where
                       that is no question
    intercept        : of the fixed part
    groups           : grouping column; '' makes the whole data set one group
    random_intercept : whether groups differ in their level
    slopes           : columns whose effect differs between groups, and powers of them (`slope_key`)
    correlated       : whether slopes may be correlated with the intercept and each other; true without
                       slopes, and for slopes of several columns
    components       : variance components. An independent slope with the name that uncorrelated slopes
                       carry is one of those.
    texts            : columns of the data that are text, of which a slope has several columns unmarked; a
                       fact, not a choice
    blocks           : several grouping factors, or one whose slopes are correlated in parts; then the five
                       above are empty. One simple factor is said by those.
    """

    outcome: str
    fixed: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    crossing: Crossing = "none"
    curved: bool = True
    intercept: bool = True
    groups: str = WHOLE_DATA
    random_intercept: bool = True
    slopes: tuple[str, ...] = ()
    correlated: bool = True
    components: tuple[Component, ...] = ()
    blocks: tuple[Block, ...] = ()
    shapes: tuple[tuple[str, Shape], ...] = ()
    outcome_transform: Transform = "none"
    reml: bool = True
    missing: str = "drop"
    weights: str = ""
    offset: str = ""
    subset: str = ""
    texts: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        self._settle(fixed=unique(self.fixed), slopes=unique(self.slopes), blocks=merged(self.blocks))
        self._settle_slopes()
        if self.blocks:
            self._settle_blocks()
        self._settle_marks()
        self._settle_interactions()
        if not self.bent_interactions:
            self._settle(curved=True)
        if not self.slopes or any(self.several_columns(name) for name in self.slopes):
            self._settle(correlated=True)
        if not self.slopes or not self.correlated:
            self._take_slopes_from_components()

    def _settle(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _settle_marks(self) -> None:
        """Marks and shapes of the columns in use, in their order."""
        used, shapes = self.predictors, dict(self.shapes)
        marked = tuple(name for name in used if name in set(self.categorical))
        settled = {
            name: shapes[name].settled(categorical=name in marked, fixed=name in self.fixed)
            for name in used
            if name in shapes
        }
        kept = tuple((name, shape) for name, shape in settled.items() if shape != PLAIN)
        self._settle(categorical=marked, shapes=kept)

    def _settle_slopes(self) -> None:
        """Slopes of powers that the predictors have, and of straight lines beside their splines alone."""
        if not any(MARK in name for name in (*self.slopes, *(n for b in self.blocks for n in b.slopes))):
            return
        self._settle(slopes=self._possible(self.slopes))
        blocks = (
            replace(b, sets=tuple(Effects(e.intercept, self._possible(e.slopes)) for e in b.sets))
            for b in self.blocks
        )
        self._settle(blocks=tuple(blocks))

    def _possible(self, slopes: tuple[str, ...]) -> tuple[str, ...]:
        found = []
        for slope in slopes:
            column, power = slope_column(slope), slope_power(slope)
            numeric = column not in self.categorical + self.texts
            shape = self.shape(column) if numeric else PLAIN
            beside = shape.spline != "none" and column in self.fixed
            if power < 2:
                found.append(slope if beside else column)
            elif power <= shape.degree and column in self.fixed:
                found.append(slope)
        return unique(found)

    def _settle_blocks(self) -> None:
        """One simple factor needs no bars; bars leave nothing to groups and components."""
        (only, *others) = self.blocks
        single = len(only.factor) == 1 and not others
        apart = only.correlation == "apart" and not any(self.several_columns(n) for n in only.slopes)
        if single and (only.correlation == "together" or apart):
            self._settle(blocks=(), groups=only.factor[0], components=(), correlated=not apart)
            self._settle(random_intercept=only.intercept, slopes=only.slopes)
        else:
            self._settle(groups=WHOLE_DATA, random_intercept=True, slopes=(), correlated=True, components=())

    def _settle_interactions(self) -> None:
        """Each once and in order; all pairs of three or more predictors are 'two-way', and so on."""
        place = {name: number for number, name in enumerate(self.fixed)}
        wanted = {
            tuple(sorted(set(each), key=place.__getitem__))
            for each in self.interactions
            if len(set(each)) > 1 and set(each) <= set(place)
        }
        crossing = self.crossing if len(self.fixed) > 2 else "none"
        if self.crossing != "none" and len(self.fixed) == 2:
            wanted = {self.fixed}
        if crossing == "none" and len(self.fixed) > 2:
            crossing = self._whole(wanted)
        elif len(self.fixed) > MOST_FULLY_CROSSED and crossing == "all":
            crossing = "two-way"
        ordered = sorted(wanted, key=lambda each: (len(each), [place[name] for name in each]))
        self._settle(crossing=crossing, interactions=() if crossing != "none" else tuple(ordered))

    def _whole(self, wanted: set[Interaction]) -> Crossing:
        """Whether interactions chosen one by one are every pair, or every combination."""
        pairs, count = len(self.fixed) * (len(self.fixed) - 1) // 2, len(self.fixed)
        if len(wanted) == pairs and all(len(each) == 2 for each in wanted):
            return "two-way"
        return "all" if count <= MOST_FULLY_CROSSED and len(wanted) == 2**count - count - 1 else "none"

    def _take_slopes_from_components(self) -> None:
        for row in self.components:
            if not row.is_free_slope or row.column in self.categorical + self.texts:
                continue
            known = row.column in (*self.fixed, *map(slope_column, self.slopes))
            shape = self.shape(row.column)
            line = shape.spline != "none"
            if (known and shape.transform != row.transform) or (line and row.column not in self.fixed):
                continue
            if row.power > 1 and (row.power > shape.degree or row.column not in self.fixed):
                continue
            shapes = self.shapes if known else (*self.shapes, (row.column, Shape(row.transform)))
            rest = list(self.components)
            rest.remove(row)
            key = slope_key(row.column, row.power if row.power > 1 else int(line))
            slopes = unique((*self.slopes, key))
            self._settle(components=tuple(rest), slopes=slopes, correlated=False, shapes=shapes)
            self._settle_marks()

    @property
    def predictors(self) -> tuple[str, ...]:
        """Every column with a fixed effect or a slope."""
        blocks = (name for block in self.blocks for name in block.slopes)
        return unique((*self.fixed, *map(slope_column, (*self.slopes, *blocks))))

    def shape(self, column: str) -> Shape:
        """How the column enters."""
        return dict(self.shapes).get(column, PLAIN)

    def several_columns(self, slope: str) -> bool:
        """Whether the slope makes several columns, which are correlated."""
        if slope_power(slope):
            return False
        return slope in self.categorical or slope in self.texts or self.shape(slope).spline != "none"

    def factors(self, column: str) -> tuple[Factor, ...]:
        """The column as it stands in the fixed part: its base, then its powers."""
        return self.shape(column).factors(column, categorical=column in self.categorical)

    def factor(self, slope: str) -> Factor:
        """A slope as it stands in the random part."""
        base = self.factors(slope_column(slope))[0]
        power = slope_power(slope)
        return replace(base, spline="none", df=0, power=power) if power else base

    def slope_terms(self) -> Iterator[str]:
        """Every term of a fixed predictor that may have a slope, as slopes are called."""
        for column in self.fixed:
            yield column
            yield from (slope_key(column, power) for power in range(2, self.shape(column).degree + 1))
            if self.shape(column).spline != "none":
                yield slope_key(column, 1)

    def slope_label(self, slope: str) -> str:
        """A slope in words."""
        column, power = slope_column(slope), slope_power(slope)
        if power > 1:
            return f"{column}{RAISED.get(power, f'^{power}')}"
        if self.shape(column).spline == "none":
            return column
        return f"{column} (line)" if power else f"{column} (curve)"

    def product_factors(self, column: str) -> tuple[Factor, ...]:
        """The column as it stands in interactions."""
        return self.factors(column) if self.curved else self.factors(column)[:1]

    @property
    def bent_interactions(self) -> bool:
        """Whether a predictor with powers is in an interaction."""
        bent = {name for name, shape in self.shapes if shape.degree > 1}
        crossed = (
            set(self.fixed) if self.crossing != "none" else {n for each in self.interactions for n in each}
        )
        return bool(bent & crossed)

    def all_interactions(self) -> Iterator[Interaction]:
        """The interactions, with 'two-way' and 'all' spelled out."""
        largest = {"none": 1, "two-way": 2, "all": len(self.fixed)}[self.crossing]
        yield from self.interactions
        for size in range(2, largest + 1):
            yield from combinations(self.fixed, size)


def to_call(choices: Choices) -> ModelCall:
    """The call that says exactly what was chosen."""
    bars = [bar_text(block.path, each, choices) for block in choices.blocks for each in block.sets]
    return ModelCall(
        formula=plus([fixed_text(choices), *bars]),
        groups=choices.groups,
        re_formula=None if bars else _random_text(choices),
        vc_formula=tuple((row.name, row.formula) for row in all_components(choices)),
        reml=choices.reml,
        missing=choices.missing,
        weights=choices.weights,
        offset=choices.offset,
        subset=choices.subset,
    )


def bar_text(path: str, effects: Effects, choices: Choices) -> str:
    """One random term in bars."""
    return f"({_effects_text(effects, choices)} | {path})"


def _effects_text(effects: Effects, choices: Choices) -> str:
    slopes = [str(choices.factor(column)) for column in effects.slopes]
    return plus([*(["1"] if effects.intercept else ["0"]), *slopes])


def all_components(choices: Choices) -> tuple[Component, ...]:
    """The variance components of the call: uncorrelated slopes first, then the chosen rows."""
    free = () if choices.correlated else choices.slopes
    return (*(_free_slope(choices.factor(name)) for name in free), *choices.components)


def _free_slope(factor: Factor) -> Component:
    """The component that holds uncorrelated slopes of a term."""
    name = slope_name(factor.column if factor.power == 1 else str(factor))
    return Component(name, "slope", factor.column, transform=factor.transform, power=factor.power)


def fixed_text(choices: Choices) -> str:
    """Outcome and fixed effects as a formula."""
    outcome = Factor(choices.outcome, transform=choices.outcome_transform)
    return f"{outcome} ~ {_right_side(choices)}"


def _right_side(choices: Choices) -> str:
    sums = {column: plus(choices.factors(column)) for column in choices.fixed}
    if not sums:
        return "1" if choices.intercept else "0"
    powers = any(len(choices.factors(column)) > 1 for column in sums)
    inside = {column: _in_product(choices.product_factors(column)) for column in sums}
    if choices.crossing == "two-way" and not powers:
        terms = f"({plus(sums.values())})**2"
    elif choices.curved and (choices.crossing == "all" or (len(sums) == 2 and choices.interactions)):
        terms = " * ".join(inside.values())
    else:
        products = (":".join(inside[name] for name in each) for each in choices.all_interactions())
        terms = plus([*sums.values(), *products])
    return terms if choices.intercept else f"0 + {terms}"


def _in_product(factors: tuple[Factor, ...]) -> str:
    return str(factors[0]) if len(factors) == 1 else f"({plus(factors)})"


def _random_text(choices: Choices) -> str | None:
    slopes = choices.slopes if choices.correlated else ()
    if slopes or choices.random_intercept:
        return _effects_text(Effects(choices.random_intercept, slopes), choices)
    # Beside components, no formula means no group term; alone it would mean a random intercept.
    return None if all_components(choices) else "0"


def columns(choices: Choices) -> Iterable[str]:
    """Every column that the choices name."""
    rows = (name for row in choices.components for name in (row.column, row.factor))
    paths = (name for block in choices.blocks for name in block.factor)
    own = (choices.outcome, choices.groups, choices.weights, choices.offset)
    return {name for name in (*own, *choices.predictors, *rows, *paths) if name}


def as_blocks(choices: Choices, texts: Collection[str] = ()) -> tuple[tuple[Block, ...], list[str]]:
    """The groups and components of the choices as blocks, and the names of components that have no equal.

    texts : columns of text, of which a slope is an effect of each level
    """
    top = (choices.groups,) if choices.groups else ()
    found: list[Block] = []
    if top and (choices.random_intercept or choices.slopes):
        block = Block(top, (Effects(choices.random_intercept, choices.slopes),))
        found.append(block if choices.correlated else block.arranged("apart"))
    lost: list[str] = []
    for row in choices.components:
        of_levels = row.kind == "factor" or row.column in texts
        inner = {"factor": row.column, "slope": "", "slope_in_factor": row.factor}[row.kind]
        path = (*top, *filter(None, [inner]), *([row.column] if of_levels and row.kind != "factor" else []))
        if not path or (not of_levels and row.transform != choices.shape(row.column).transform):
            lost.append(row.name)
        else:
            found.append(Block(path, (Effects() if of_levels else Effects(False, (row.column,)),)))
    return tuple(found), lost
