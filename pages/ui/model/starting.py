"""Standard models to start from, made of the present choices. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from pages.ui.model.choices import Block, Choices, Effects

MOST_SLOPES = 8
"""Random slopes offered at once: more correlated ones are seldom supported by any data."""

Varying = Callable[[Sequence[str]], Collection[str]]
"""Path of a grouping factor → the columns that vary within its groups."""


def null(choices: Choices) -> Choices:
    """No predictors: how much of the variance lies between groups."""
    return intercepts(replace(choices, fixed=(), interactions=(), crossing="none", intercept=True))


def intercepts(choices: Choices) -> Choices:
    """The predictors as chosen, and groups that differ in their level only."""
    blocks = tuple(replace(block, sets=(Effects(),)) for block in choices.blocks)
    rows = tuple(row for row in choices.components if row.kind == "factor")
    level = bool(choices.groups) or choices.random_intercept
    return replace(
        choices, random_intercept=level, slopes=(), correlated=True, components=rows, blocks=blocks
    )


def maximal(choices: Choices, varying: Varying, room: Callable[[Sequence[str]], int]) -> Choices:
    """Every predictor that varies within the groups has a random slope, as far as the data have room.

    room : path of a factor → coefficients that its groups can have with fewer of them than rows
    Barr, Levy, Scheepers & Tily (2013), J. Mem. Lang. 68(3).
    """

    def slopes(path: Sequence[str]) -> tuple[str, ...]:
        able = [name for name in choices.fixed if name in varying(path)]
        return tuple(able[: max(0, min(room(path) - 1, MOST_SLOPES))])

    blocks = tuple(Block(block.factor, (Effects(True, slopes(block.factor)),)) for block in choices.blocks)
    own = slopes((choices.groups,)) if choices.groups else ()
    return replace(intercepts(choices), random_intercept=bool(choices.groups), slopes=own, blocks=blocks)
