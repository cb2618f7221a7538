"""What the widgets of the Model page say, as a value, and the call it stands for; no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from pages.ui.model.modelcall import WHOLE_DATA, ModelCall
from pages.ui.model.notation import Factor, plus

Crossing = Literal["none", "two-way", "all"]
Kind = Literal["factor", "slope", "slope_in_factor"]
Pair = tuple[str, str]

MOST_FULLY_CROSSED = 6
"""Every combination of more predictors than this is not offered: 7 would already make 127 terms."""


@dataclass(frozen=True, slots=True)
class Component:
    """One variance component.

    factor          : an effect of each level of `column` within a group, 0 + C(column)
    slope           : an independent slope of `column` for each group, 0 + column
    slope_in_factor : an independent slope of `column` for each level of `factor`, 0 + C(factor):column
    """

    name: str
    kind: Kind
    column: str
    factor: str = ""

    def __post_init__(self) -> None:
        if self.kind != "slope_in_factor":
            object.__setattr__(self, "factor", "")

    @property
    def formula(self) -> str:
        """The one-sided formula of this component."""
        marked = Factor(self.column, categorical=self.kind == "factor")
        inside = f"{Factor(self.factor, categorical=True)}:" if self.kind == "slope_in_factor" else ""
        return f"0 + {inside}{marked}"


def slope_name(column: str) -> str:
    """The name of the variance component that holds the uncorrelated slopes of `column`."""
    return f"{column} slope"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the widgets say. Equal models have equal choices: redundant ones are settled on creation.

    outcome          : column
    fixed            : predictors, in order, without repeats
    categorical      : those of `fixed` and `slopes` that are categories even if written as numbers
    pairs            : interactions of two predictors each, in the order of `fixed`
    crossing         : 'two-way' adds every pair, 'all' every combination; then `pairs` is empty
    intercept        : of the fixed part
    groups           : grouping column; '' makes the whole data set one group
    random_intercept : whether groups differ in their level
    slopes           : columns whose effect differs between groups
    correlated       : whether slopes may be correlated with the intercept and each other; true without
                       slopes, and for slopes of categories
    components       : variance components. An independent slope with the name that uncorrelated slopes
                       carry is one of those.
    """

    outcome: str
    fixed: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    crossing: Crossing = "none"
    intercept: bool = True
    groups: str = WHOLE_DATA
    random_intercept: bool = True
    slopes: tuple[str, ...] = ()
    correlated: bool = True
    components: tuple[Component, ...] = ()
    reml: bool = True
    missing: str = "drop"

    def __post_init__(self) -> None:
        self._settle(fixed=unique(self.fixed), slopes=unique(self.slopes))
        marked = [name for name in unique(self.fixed + self.slopes) if name in set(self.categorical)]
        self._settle(categorical=tuple(marked))
        self._settle_interactions()
        if not self.slopes or set(self.slopes) & set(self.categorical):
            self._settle(correlated=True)
        if not self.slopes or not self.correlated:
            self._take_slopes_from_components()

    def _settle(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _settle_interactions(self) -> None:
        """Each pair once and in order; all pairs of three or more predictors are 'two-way'."""
        wanted = {frozenset(pair) for pair in self.pairs}
        every = tuple(combinations(self.fixed, 2))
        pairs = every if self.crossing != "none" else tuple(p for p in every if frozenset(p) in wanted)
        crossing = self.crossing
        if pairs == every and (crossing == "none" or len(self.fixed) > MOST_FULLY_CROSSED):
            crossing = "two-way"
        if len(self.fixed) < 3:
            crossing = "none"
        self._settle(crossing=crossing, pairs=pairs if crossing == "none" else ())

    def _take_slopes_from_components(self) -> None:
        marked = set(self.categorical)
        found = [row for row in self.components if _is_free_slope(row) and row.column not in marked]
        if found:
            rest = tuple(row for row in self.components if row not in found)
            slopes = unique((*self.slopes, *(row.column for row in found)))
            self._settle(components=rest, slopes=slopes, correlated=False)

    def factor(self, column: str) -> Factor:
        """The column as it stands in a formula."""
        return Factor(column, categorical=column in self.categorical)


def _is_free_slope(row: Component) -> bool:
    return row.kind == "slope" and row.name == slope_name(row.column)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names in order, each once."""
    return tuple(dict.fromkeys(names))


def to_call(choices: Choices) -> ModelCall:
    """The call that says exactly what was chosen."""
    return ModelCall(
        formula=f"{Factor(choices.outcome)} ~ {_fixed_text(choices)}",
        groups=choices.groups,
        re_formula=_random_text(choices),
        vc_formula=tuple((row.name, row.formula) for row in all_components(choices)),
        reml=choices.reml,
        missing=choices.missing,
    )


def all_components(choices: Choices) -> tuple[Component, ...]:
    """The variance components of the call: uncorrelated slopes first, then the chosen rows."""
    free = () if choices.correlated else choices.slopes
    return tuple(Component(slope_name(column), "slope", column) for column in free) + choices.components


def _fixed_text(choices: Choices) -> str:
    factors = [str(choices.factor(column)) for column in choices.fixed]
    if not factors:
        return "1" if choices.intercept else "0"
    written: dict[Crossing, str] = {"two-way": f"({plus(factors)})**2", "all": " * ".join(factors)}
    if len(factors) == 2 and choices.pairs:
        written["none"] = " * ".join(factors)
    pairs = [f"{choices.factor(left)}:{choices.factor(right)}" for left, right in choices.pairs]
    terms = written.get(choices.crossing, plus([*factors, *pairs]))
    return terms if choices.intercept else f"0 + {terms}"


def _random_text(choices: Choices) -> str | None:
    slopes = [str(choices.factor(column)) for column in choices.slopes] if choices.correlated else []
    if slopes or choices.random_intercept:
        return plus(["1" if choices.random_intercept else "0", *slopes])
    # Beside components, no formula means no group term; alone it would mean a random intercept.
    return None if all_components(choices) else "0"
