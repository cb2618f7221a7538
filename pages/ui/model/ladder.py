"""Models one step larger or smaller than the chosen one; what the data cannot support is told apart. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, zip_longest
from typing import Literal

from pages.ui.model import roles, size
from pages.ui.model.choices import Block, Choices, Effects, columns
from pages.ui.model.random_part import slope_column, slope_key, slope_power
from pages.ui.model.roles import GROUP_WORDS, Column

Path = tuple[str, ...]
Part = Literal["random", "fixed"]
MOST_UP = 6
MOST_REFUSED = 4
MOST_LEVELS = 12
"""A category of more levels than this is no likely predictor."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the model.

    words   : what is added or left out, plain text with names from the data
    part    : whether it changes the random or the fixed part
    choices : the model after the step
    reason  : why the data cannot support it, a clause; '' when they can
    """

    words: str
    part: Part
    choices: Choices
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Support:
    """What must be known of the data.

    blocks   : the random part of the model
    varying  : path of a factor → the columns that vary within its groups
    room     : path → coefficients that its groups can have so that there are fewer of them than rows
    levels   : columns that make a coefficient a level → how many
    columns  : of the data
    grouping : groups that the model leaves out, as the nesting check takes them, and what is against each
    """

    blocks: tuple[Block, ...]
    varying: Callable[[Path], frozenset[str]]
    room: Callable[[Path], int]
    levels: Mapping[str, int]
    columns: tuple[Column, ...]
    grouping: tuple[tuple[Path, str], ...] = ()


def up(choices: Choices, known: Support) -> tuple[list[Step], list[Step]]:
    """Steps to a larger model, of each kind the likeliest first; and those that the data cannot support."""
    kinds = [list(kind(choices, known)) for kind in (_slopes, _correlated, _grouped, _crossed, _predictors)]
    able = [[step for step in steps if not step.reason] for steps in kinds]
    taken = [step for each in zip_longest(*able) for step in each if step is not None]
    refused = [step for steps in kinds for step in steps if step.reason]
    return taken[:MOST_UP], refused[:MOST_REFUSED]


def down(choices: Choices, known: Support) -> list[Step]:
    """Steps to a smaller random part: without a slope, without correlations, without a kind of groups."""
    found: list[Step] = []
    sloped = [number for number, block in enumerate(known.blocks) if block.slopes]
    if sloped:
        number = sloped[-1]
        block = known.blocks[number]
        *kept, last = block.slopes
        if block.intercept or kept:
            new = with_block(choices, known.blocks, number, block.with_effects(block.intercept, kept))
            words = f"Without the random slope of {choices.slope_label(last)} by {block_name(block)}"
            found.append(Step(words, "random", new))
    for number, block in enumerate(known.blocks):
        several = any(choices.several_columns(name) for name in block.slopes)
        if block.correlation == "together" and block.intercept + len(block.slopes) > 1 and not several:
            new = with_block(choices, known.blocks, number, block.arranged("apart"))
            words = f"Without correlations between level and slopes by {block_name(block)}"
            found.append(Step(words, "random", new))
    if not sloped and len(known.blocks) > 1:
        blocks = known.blocks[:-1]
        words = f"Without differences between groups of {block_name(known.blocks[-1])}"
        found.append(Step(words, "random", replace(choices, blocks=blocks)))
    return found[:2]


def block_name(block: Block) -> str:
    """'class in school'."""
    return " in ".join(reversed(block.factor))


def with_block(choices: Choices, blocks: Sequence[Block], number: int, new: Block) -> Choices:
    """The choices with another block in this place; a grouping factor alone keeps its simple form."""
    old, top = blocks[number], Block((choices.groups,), (Effects(choices.random_intercept, choices.slopes),))
    simple = old == (top if choices.correlated else top.arranged("apart"))
    if choices.groups and simple and not choices.blocks and new.correlation != "split":
        return replace(
            choices,
            random_intercept=new.intercept,
            slopes=new.slopes,
            correlated=new.correlation == "together",
        )
    return replace(choices, blocks=(*blocks[:number], new, *blocks[number + 1 :]))


# --- each kind of step ---------------------------------------------------------------------------


def _slopes(choices: Choices, known: Support) -> Iterator[Step]:
    """A predictor's effect may differ between groups."""
    for number, block in enumerate(known.blocks):
        vary, room = known.varying(block.factor), known.room(block.factor)
        for name in choices.slope_terms():
            column, power = slope_column(name), slope_power(name)
            lower = slope_key(column, power - 1 if power > 2 else 0)
            if name in block.slopes or column in block.factor or power == 1:
                continue  # a straight line beside a spline is no step up
            if power and lower not in block.slopes:
                continue
            new = block.with_effects(block.intercept, (*block.slopes, name))
            wanted = sum(size.coefficients(choices, each, known.levels) for each in new.sets)
            reason = "does not vary within the groups" if column not in vary else ""
            if not reason and wanted > room:
                reason = "would give the groups as many coefficients as there are rows"
            after = choices if reason else with_block(choices, known.blocks, number, new)
            words = f"Random slope of {choices.slope_label(name)} by {block_name(block)}"
            yield Step(words, "random", after, reason)


def _correlated(choices: Choices, known: Support) -> Iterator[Step]:
    """Effects of a group that were independent may be correlated."""
    for number, block in enumerate(known.blocks):
        if len(block.sets) > 1:
            new = with_block(choices, known.blocks, number, block.arranged("together"))
            yield Step(f"Correlated level and slopes by {block_name(block)}", "random", new)


def _grouped(choices: Choices, known: Support) -> Iterator[Step]:
    """One more kind of groups."""
    for path, reason in known.grouping:
        new = Block(path)
        fixed = tuple(name for name in choices.fixed if name != path[-1])
        after = choices if reason else replace(choices, fixed=fixed, blocks=(*known.blocks, new))
        yield Step(f"Groups of {block_name(new)} differ in their level", "random", after, reason)


def _crossed(choices: Choices, known: Support) -> Iterator[Step]:
    """An interaction of two predictors; of one that describes groups with one that varies in them first."""
    if choices.crossing != "none":
        return
    constant = {name for b in known.blocks for name in choices.fixed if name not in known.varying(b.factor)}
    sloped = {slope_column(name) for block in known.blocks for name in block.slopes}
    pairs = [pair for pair in combinations(choices.fixed, 2) if pair not in choices.interactions]
    pairs.sort(key=lambda pair: -2 * (len(constant & set(pair)) == 1) - len(sloped & set(pair)))
    for pair in pairs:
        after = replace(choices, interactions=(*choices.interactions, pair))
        yield Step(f"Interaction {pair[0]} × {pair[1]}", "fixed", after)


def _predictors(choices: Choices, known: Support) -> Iterator[Step]:
    """One more predictor, in the order of the columns."""
    used = columns(choices)
    able = (
        column.name
        for column in known.columns
        if column.name not in used
        and not roles.not_predictor(column)
        and not GROUP_WORDS.search(column.name)
        and (column.kind == "number" or column.levels <= MOST_LEVELS)
    )
    for name in islice(able, MOST_UP):
        yield Step(f"Predictor {name}", "fixed", replace(choices, fixed=(*choices.fixed, name)))
