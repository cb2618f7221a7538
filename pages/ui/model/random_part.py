"""What differs between groups, as the widgets say it: variance components, blocks of a factor."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from mixedcore.formula import quote_name
from pages.ui.model.shape import Factor, Transform

MARK = "\x1fpower "
"""Stands between column and power where a slope is another term than its column as it enters."""
RAISED = {2: "²", 3: "³", 4: "⁴", 5: "⁵"}
Kind = Literal["factor", "slope", "slope_in_factor"]
Correlation = Literal["together", "apart", "split"]


@dataclass(frozen=True, slots=True)
class Component:
    """One variance component.

    factor          : an effect of each level of `column` within a group, 0 + C(column)
    slope           : an independent slope of `column` for each group, 0 + column
    slope_in_factor : an independent slope of `column` for each level of `factor`, 0 + C(factor):column

    transform, power : of the numbers of a slope
    """

    name: str
    kind: Kind
    column: str
    factor: str = ""
    transform: Transform = "none"
    power: int = 1

    def __post_init__(self) -> None:
        if self.kind != "slope_in_factor":
            object.__setattr__(self, "factor", "")
        if self.kind == "factor":
            object.__setattr__(self, "transform", "none")
            object.__setattr__(self, "power", 1)

    @property
    def formula(self) -> str:
        """The one-sided formula of this component."""
        if self.kind == "factor":
            return f"0 + {Factor(self.column, categorical=True)}"
        inside = f"{Factor(self.factor, categorical=True)}:" if self.kind == "slope_in_factor" else ""
        return f"0 + {inside}{Factor(self.column, transform=self.transform, power=self.power)}"

    @property
    def is_free_slope(self) -> bool:
        """Whether it is called as the uncorrelated slopes of its term are."""
        factor = Factor(self.column, transform=self.transform, power=self.power)
        return self.kind == "slope" and self.name == slope_name(
            self.column if self.power == 1 else str(factor)
        )


def slope_name(what: str) -> str:
    """The name of the variance component that holds the uncorrelated slopes of a column or term."""
    return f"{what} slope"


# A slope is called by its column when it is of the predictor as it enters, its first power or its spline. A
# higher power of it, or the straight line beside a spline (power 1), has the power in its name.


def slope_key(column: str, power: int = 0) -> str:
    """The name of a slope among the choices; power 0 is the column as it enters."""
    return f"{column}{MARK}{power}" if power else column


def slope_column(slope: str) -> str:
    """The column of a slope."""
    return slope.partition(MARK)[0]


def slope_power(slope: str) -> int:
    """The power of a slope; 0 where it is of the column as it enters."""
    return int(slope.partition(MARK)[2] or 0)


def with_lower(slopes: Iterable[str], before: Collection[str]) -> tuple[str, ...]:
    """The slopes; a power that is new brings the lower ones, without which it would mean something else."""
    found: list[str] = []
    for slope in slopes:
        column, power = slope_column(slope), slope_power(slope)
        if slope not in before and power > 1:
            found += [slope_key(column), *(slope_key(column, lower) for lower in range(2, power))]
        found.append(slope)
    return unique(found)


@dataclass(frozen=True, slots=True)
class Effects:
    """Coefficients of a group that may be correlated with each other: its level and slopes of columns."""

    intercept: bool = True
    slopes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of coefficients, each slope counted once."""
        return self.intercept + len(self.slopes)


@dataclass(frozen=True, slots=True)
class Block:
    """One grouping factor with what differs between its groups.

    factor : a column, or columns from the outer to the inner, ('school', 'class'): classes in schools
    sets   : effects correlated within a set and independent between sets. Settled on creation: no effect
             twice, no empty set; at least a random intercept
    """

    factor: tuple[str, ...]
    sets: tuple[Effects, ...] = (Effects(),)

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", unique(self.factor))
        seen: set[str | int] = set()
        kept: list[Effects] = []
        for effects in self.sets:
            own = Effects(
                effects.intercept and 1 not in seen,
                tuple(name for name in unique(effects.slopes) if name not in seen),
            )
            seen |= {*own.slopes, *([1] if own.intercept else [])}
            kept += [own] if own.size else []
        object.__setattr__(self, "sets", tuple(kept) or (Effects(),))

    @property
    def intercept(self) -> bool:
        """Whether the groups differ in their level."""
        return any(effects.intercept for effects in self.sets)

    @property
    def slopes(self) -> tuple[str, ...]:
        """The columns whose effect differs between the groups."""
        return tuple(name for effects in self.sets for name in effects.slopes)

    @property
    def correlation(self) -> Correlation:
        """How the coefficients of a group go together."""
        if len(self.sets) < 2:
            return "together"
        return "apart" if all(effects.size == 1 for effects in self.sets) else "split"

    @property
    def path(self) -> str:
        """The factor as it stands behind a bar."""
        return ":".join(map(quote_name, self.factor))

    def with_effects(self, intercept: bool, slopes: Iterable[str]) -> Block:
        """Other effects in the present sets; new ones join the last set, or stand apart if all do."""
        wanted = unique(slopes)
        if not intercept and not wanted:
            intercept = True
        sets = [Effects(each.intercept and intercept, _among(each.slopes, wanted)) for each in self.sets]
        new = [Effects(False, (name,)) for name in wanted if name not in self.slopes]
        new = [Effects(), *new] if intercept and not self.intercept else new
        if self.correlation != "apart" and new:
            joined = Effects(any(e.intercept for e in new), tuple(n for e in new for n in e.slopes))
            last = sets.pop()
            new = [Effects(last.intercept or joined.intercept, (*last.slopes, *joined.slopes))]
        return replace(self, sets=(*sets, *new))

    def arranged(self, correlation: Correlation) -> Block:
        """The same effects all together, all apart, or the level alone in a first set."""
        whole = Effects(self.intercept, self.slopes)
        if correlation == "together":
            return replace(self, sets=(whole,))
        slopes = tuple(Effects(False, (name,)) for name in self.slopes)
        level = (Effects(),) if self.intercept else ()
        if correlation == "apart" or len(self.slopes) < 2:
            return replace(self, sets=(*level, *slopes))
        return replace(self, sets=(Effects(self.intercept, self.slopes[:1]), Effects(False, self.slopes[1:])))

    def moved(self, effect: str, place: int) -> Block:
        """The effect ('' is the level) in the set at `place`, which may be a new last one."""
        sets = [
            Effects(each.intercept and effect != "", tuple(n for n in each.slopes if n != effect))
            for each in self.sets
        ]
        sets += [Effects(False)] * (place + 1 - len(sets))
        there = sets[place]
        sets[place] = Effects(there.intercept or effect == "", (*there.slopes, *([effect] if effect else [])))
        return replace(self, sets=tuple(sets))


def merged(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """One block a grouping factor, in order; the columns of a path may be named in any order."""
    found: dict[frozenset[str], Block] = {}
    for block in blocks:
        key = frozenset(block.factor)
        if block.factor:
            found[key] = Block(found[key].factor, (*found[key].sets, *block.sets)) if key in found else block
    return tuple(found.values())


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names in order, each once."""
    return tuple(dict.fromkeys(names))


def _among(names: Iterable[str], wanted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name in wanted)
