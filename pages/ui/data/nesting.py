"""The grouping structure of columns: what lies in what, what crosses, where labels come again. Pure.

Every answer comes from the distinct pairs of labels of two columns, found once for each pair: O(rows) in
time for a pair, so that a million rows take a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pages.ui.model.roles import width_of

Ints = NDArray[np.intp]
Relation = Literal["same", "inside", "around", "crossed", "partly"]

NEARLY_ALL = 0.9
"""From this share of all combinations on, two columns are crossed."""
NEARLY_ONE = 0.8
"""From this share of labels that lie in one group only, the others are movers."""
NEARLY_ROWS = 0.95
"""From this share of groups with a single row on, groups cannot be told from rows."""
MOST_SORTED = 50_000
"""More labels than this keep the order of the rows: nobody reads them in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """The labels of one column.

    code   : (rows,) place of each row's label in `labels`; −1 where it is missing
    labels : in their own order; 10 after 9 where all are numbers
    sizes  : (levels,) rows of each label
    """

    name: str
    code: Ints
    labels: pd.Index
    sizes: Ints

    @property
    def levels(self) -> int:
        """Number of different labels."""
        return len(self.labels)

    @property
    def missing(self) -> int:
        """Rows without a label."""
        return int((self.code < 0).sum())

    @property
    def names_rows(self) -> bool:
        """Whether no label comes twice, so that the column names rows rather than groups."""
        return bool(self.levels and self.sizes.max() == 1)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The distinct combinations of the labels of two columns, and how many rows each has.

    one, other : (pairs,) codes of the two columns; count : (pairs,) rows
    """

    one: Ints
    other: Ints
    count: Ints

    @property
    def others_of_one(self) -> Ints:
        """For each label of the first that occurs, with how many of the second."""
        found = np.bincount(self.one)
        return found[found > 0]

    @property
    def ones_of_other(self) -> Ints:
        """For each label of the second that occurs, with how many of the first."""
        return self.turned.others_of_one

    @property
    def turned(self) -> Pair:
        """The same with the columns exchanged."""
        return Pair(self.other, self.one, self.count)

    @property
    def possible(self) -> int:
        """Number of combinations that could occur."""
        return len(self.others_of_one) * len(np.unique(self.other))

    @property
    def filled(self) -> float:
        """Share of the possible combinations that occur."""
        return len(self.count) / max(self.possible, 1)

    @property
    def relation(self) -> Relation:
        """How the first column stands to the second: inside, around, the same, crossed or partly crossed."""
        inside = bool((self.others_of_one == 1).all())
        around = bool((self.ones_of_other == 1).all())
        if inside and around:
            return "same"
        if inside or around:
            return "inside" if inside else "around"
        return "crossed" if self.filled >= NEARLY_ALL else "partly"


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Columns from the widest groups to the smallest, and how each stands to each.

    rows    : number of rows
    factors : in an order in which no column lies in a later one
    pairs   : (name, name) → their combinations, both ways
    """

    rows: int
    factors: tuple[Factor, ...]
    pairs: Mapping[tuple[str, str], Pair]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in order."""
        return tuple(factor.name for factor in self.factors)

    def factor(self, name: str) -> Factor:
        """The column of that name."""
        return next(factor for factor in self.factors if factor.name == name)

    def relation(self, one: str, other: str) -> Relation:
        """How the first column stands to the second."""
        return self.pairs[one, other].relation

    def open(self, name: str) -> list[str]:
        """Earlier columns in which the labels of this one come again: each may be the same, or another."""
        earlier = self.names[: self.names.index(name)]
        return [other for other in earlier if self.relation(name, other) in ("crossed", "partly")]

    def parent(self, name: str) -> str | None:
        """The smallest groups that the labels of this column lie in; None when they lie in none."""
        around = [n for n in self.names if n != name and self.relation(name, n) == "inside"]
        return max(around, key=lambda other: self.factor(other).levels, default=None)


def examine(frame: pd.DataFrame, names: Sequence[str], top: str = "") -> Structure:
    """The structure of these columns; `top` comes first where it may."""
    factors = [factor_of(frame[name]) for name in names]
    pairs: dict[tuple[str, str], Pair] = {}
    for one, other in combinations(factors, 2):
        found = pair_of(one, other)
        pairs[one.name, other.name], pairs[other.name, one.name] = found, found.turned
    return Structure(len(frame), tuple(_ordered(factors, pairs, top)), pairs)


def factor_of(values: pd.Series) -> Factor:
    """The labels of a column with their counts."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        sizes = np.bincount(values.cat.codes.to_numpy() + 1, minlength=len(values.cat.categories) + 1)[1:]
        place = np.append(np.cumsum(sizes > 0) - 1, -1)
        code, labels = place[values.cat.codes.to_numpy()], values.cat.categories[sizes > 0]
        return Factor(str(values.name), code.astype(np.intp), labels, sizes[sizes > 0])
    code, labels = pd.factorize(values)
    labels = pd.Index(labels)
    if len(labels) <= MOST_SORTED:
        order = _natural_order(labels)
        place = np.append(np.argsort(order), -1)
        code, labels = place[code], labels[order]
    sizes = np.bincount(code[code >= 0], minlength=len(labels))
    return Factor(str(values.name), code.astype(np.intp), labels, sizes)


def _natural_order(labels: pd.Index) -> Ints:
    """Places of the labels in order; by value where all are written numbers."""
    numbers = pd.to_numeric(labels.to_series(), errors="coerce")
    keys = numbers if numbers.notna().all() else labels.to_series().astype(str)
    return np.argsort(keys.to_numpy(), kind="stable")


def pair_of(one: Factor, other: Factor) -> Pair:
    """The distinct combinations of two columns; rows where either is missing have none."""
    known = (one.code >= 0) & (other.code >= 0)
    width = max(other.levels, 1)
    place, keys = pd.factorize(one.code[known].astype(np.int64) * width + other.code[known])
    return Pair((keys // width).astype(np.intp), (keys % width).astype(np.intp), np.bincount(place))


def _ordered(factors: list[Factor], pairs: Mapping[tuple[str, str], Pair], top: str) -> list[Factor]:
    """Each column after those it lies in; `top` first where it may be, then columns that others lie in, then
    those whose names say so, then those with many labels: few labels come again in each of many groups."""
    inside = {names for names, pair in pairs.items() if pair.relation == "inside"}
    outer = {names[1] for names in inside}
    left, done = list(factors), list[Factor]()
    while left:
        free = [f for f in left if not any((f.name, other.name) in inside for other in left)]
        found = max(
            free,
            key=lambda f: (f.name == top, f.name in outer, not f.names_rows, -width_of(f.name), f.levels),
        )
        done.append(found)
        left.remove(found)
    return done


# --- labels that come again ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Labels of one column that occur in several groups of another: the same thing, or each group's own?

    label         : the label found in most groups, and in how many (`groups`, of `all_groups`)
    fewest, most  : different labels in a group
    begins_again  : in nearly every group the labels are the first ones, as when counting starts anew
    identified_by : a column that names each combination, as if each were a thing of its own; '' if none
    single        : whether nearly each combination is one row
    filled        : share of the possible combinations that occur
    moving        : labels found in more than one group, of `levels`
    """

    name: str
    group: str
    label: str
    groups: int
    all_groups: int
    fewest: int
    most: int
    begins_again: bool
    identified_by: str
    single: bool
    filled: float
    moving: int
    levels: int

    @property
    def nearly_nested(self) -> bool:
        """Whether most labels lie in one group only, so that the others look like movers."""
        return self.moving <= (1 - NEARLY_ONE) * self.levels

    @property
    def doubtful(self) -> bool:
        """Whether the labels may well be each group's own."""
        return not self.nearly_nested and (
            self.begins_again or bool(self.identified_by) or self.filled >= NEARLY_ALL or self.single
        )


def recurrence(structure: Structure, name: str, group: str) -> Recurrence:
    """What the labels themselves say about whether `name` is each `group`'s own."""
    pair, own, outer = structure.pairs[name, group], structure.factor(name), structure.factor(group)
    spread = np.bincount(pair.one, minlength=own.levels)
    often = int(spread.argmax())
    inside = pair.ones_of_other
    return Recurrence(
        name,
        group,
        str(own.labels[often]),
        int(spread[often]),
        outer.levels,
        int(inside.min()),
        int(inside.max()),
        _begins_again(pair, inside),
        _identified_by(structure, pair, (name, group)),
        bool((pair.count == 1).mean() >= NEARLY_ROWS),
        pair.filled,
        int((spread > 1).sum()),
        own.levels,
    )


def _begins_again(pair: Pair, inside: Ints) -> bool:
    """Whether groups hold unequally many labels, and nearly all of them the first ones in order."""
    last = np.zeros(int(pair.other.max()) + 1, dtype=np.intp)
    np.maximum.at(last, pair.other, pair.one + 1)
    last = last[last > 0]
    return bool(np.ptp(inside) > 0 and inside.max() > 1 and (last == inside).mean() >= NEARLY_ALL)


def _identified_by(structure: Structure, pair: Pair, names: tuple[str, str]) -> str:
    """Another column with one label for each combination, which lies in both columns."""
    for factor in structure.factors:
        around = all(
            factor.name not in names and structure.relation(factor.name, n) == "inside" for n in names
        )
        if around and factor.levels == len(pair.count) and not factor.names_rows:
            return factor.name
    return ""
