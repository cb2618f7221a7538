"""Which coefficient of a model stands at which level: rows, groups, groups of groups. Pure; no LaTeX.

After Raudenbush & Bryk (2002), Hierarchical Linear Models: the coefficients of one level are the outcomes of
the next. A term's factors that vary between rows stand at level 1; those that are constant within groups
explain, at level 2 or 3, the coefficient of the rest of the term.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from pages.ui.model.choices import Block, Choices
from pages.ui.model.shape import Factor

Path = tuple[str, ...]
Product = tuple[Factor, ...]
Key = tuple[Product, ...]
"""The parts of a term by level, rows first; () is the coefficient's own average."""

MOST_TERMS = 12


@dataclass(frozen=True, slots=True)
class Facts:
    """What equations must know of the data.

    categories : columns of text, so with a coefficient a level
    constant   : path of a grouping factor → columns that are constant within its groups
    nested     : whether the groups of one path lie inside those of another
    """

    categories: frozenset[str] = frozenset()
    constant: Mapping[Path, Collection[str]] | None = None
    nested: Callable[[Path, Path], bool] = lambda inner, outer: set(outer) < set(inner)


@dataclass(frozen=True, slots=True)
class Effect:
    """A random effect: of a block, on the coefficient with this key, times a product (() is one)."""

    block: int
    key: Key
    times: Product = ()


@dataclass(frozen=True, slots=True)
class Levels:
    """A model by levels.

    stages : groups of block numbers, the level above the rows first; crossed factors share a stage
    fixed  : keys of the fixed coefficients, in order; more : whether some were left out
    random : effects, in the order of the blocks and their sets, set by set
    """

    blocks: tuple[Block, ...]
    stages: tuple[tuple[int, ...], ...]
    level_of: Mapping[str, int]
    owner: Mapping[str, int]
    fixed: tuple[Key, ...]
    more: bool
    random: tuple[tuple[Effect, ...], ...]

    @property
    def keys(self) -> list[Key]:
        """Every coefficient, fixed or random alone; the intercept of each level first."""
        found = dict.fromkeys([*self.fixed, *(e.key for effects in self.random for e in effects)])
        return list(found)


def of(choices: Choices, blocks: Sequence[Block], facts: Facts) -> Levels:
    """The model of the choices, its random part as blocks, by levels."""
    stages = _stages(blocks, facts)
    level_of, owner = _columns(choices, blocks, stages, facts)
    terms = list(islice(_terms(choices), MOST_TERMS + 1))
    depth = len(stages) + 1
    fixed = [_key(term, level_of, depth) for term in terms[:MOST_TERMS]]
    if choices.intercept:
        fixed.insert(0, ((),) * depth)
    random = tuple(
        tuple(_effects(choices, number, block, place, level_of, stages))
        for number, block in enumerate(blocks)
        for place in range(len(block.sets))
    )
    return Levels(tuple(blocks), stages, level_of, owner, tuple(fixed), len(terms) > MOST_TERMS, random)


def _stages(blocks: Sequence[Block], facts: Facts) -> tuple[tuple[int, ...], ...]:
    """Two factors, one inside the other, are two levels; any other blocks share one."""
    if len(blocks) != 2:
        return (tuple(range(len(blocks))),) if blocks else ()
    for inner, outer in ((0, 1), (1, 0)):
        if facts.nested(blocks[inner].factor, blocks[outer].factor):
            return ((inner,), (outer,))
    return ((0, 1),)


def _columns(
    choices: Choices, blocks: Sequence[Block], stages: Sequence[Sequence[int]], facts: Facts
) -> tuple[dict[str, int], dict[str, int]]:
    """Column → its level (0 for rows), and → the block within whose groups it is constant."""
    level_of: dict[str, int] = {}
    owner: dict[str, int] = {}
    for name in choices.predictors:
        level_of[name] = 0
        for stage, numbers in enumerate(stages, start=1):
            for number in numbers:
                if name in (facts.constant or {}).get(blocks[number].factor, ()):
                    level_of[name] = stage
                    owner[name] = number if len(numbers) == 1 else owner.get(name, number)
    return level_of, owner


def _terms(choices: Choices) -> Iterator[Product]:
    """Every fixed term as a product of factors: predictors with their powers, then interactions."""
    for column in choices.fixed:
        yield from ((factor,) for factor in choices.factors(column))
    for columns in choices.all_interactions():
        yield from product(*(choices.product_factors(column) for column in columns))


def _key(term: Product, level_of: Mapping[str, int], depth: int) -> Key:
    return tuple(
        tuple(factor for factor in term if level_of[factor.column] == level) for level in range(depth)
    )


def _effects(
    choices: Choices,
    number: int,
    block: Block,
    place: int,
    level_of: Mapping[str, int],
    stages: Sequence[Sequence[int]],
) -> list[Effect]:
    """The random effects of one set: each on its coefficient, where that is of a lower level."""
    depth = len(stages) + 1
    stage = next(level for level, numbers in enumerate(stages, start=1) if number in numbers)
    own = block.sets[place]
    found = [Effect(number, ((),) * depth)] if own.intercept else []
    for slope in own.slopes:
        factor = choices.factor(slope)
        if level_of[factor.column] < stage:
            found.append(Effect(number, _key((factor,), level_of, depth)))
        else:
            found.append(Effect(number, ((),) * depth, (factor,)))
    return found
