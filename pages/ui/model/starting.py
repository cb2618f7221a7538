"""Standard models to start from, made of the present choices. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pages.ui.model import size
from pages.ui.model.choices import Block, Choices, Effects
from pages.ui.model.random_part import slope_column, slope_power

MOST_COEFFICIENTS = 8
"""Random coefficients of a group that are tried at once: more correlated ones are seldom supported."""

Path = tuple[str, ...]
Reasons = dict[str, str]
"""Predictor → why it has no random slope."""


def null(choices: Choices) -> Choices:
    """No predictors: how much of the variance lies between groups."""
    return intercepts(replace(choices, fixed=(), interactions=(), crossing="none", intercept=True))


def intercepts(choices: Choices) -> Choices:
    """The predictors as chosen, and groups that differ in their level only."""
    blocks = tuple(replace(block, sets=(Effects(),)) for block in choices.blocks)
    rows = tuple(row for row in choices.components if row.kind == "factor")
    level = bool(choices.groups)
    return replace(
        choices, random_intercept=level, slopes=(), correlated=True, components=rows, blocks=blocks
    )


def maximal(
    choices: Choices,
    varying: Callable[[Path], frozenset[str]],
    room: Callable[[Path], int],
    levels: Mapping[str, int],
) -> tuple[Choices, Reasons]:
    """Every predictor that varies within the groups has a random slope, as far as the data have room.

    varying : path of a factor → the columns that vary within its groups
    room    : path → coefficients that its groups can have so that there are fewer of them than rows
    levels  : columns that make a coefficient a level → how many

    Gives the choices and why predictors were left out. Barr, Levy, Scheepers & Tily (2013), J. Mem. Lang.
    68(3).
    """
    reasons: Reasons = {}

    def slopes(path: Path) -> tuple[str, ...]:
        found: list[str] = []
        free = min(room(path), MOST_COEFFICIENTS)
        for name in choices.slope_terms():
            if slope_power(name) == 1:
                continue  # the spline beside it says more
            wanted = size.coefficients(choices, Effects(True, (*found, name)), levels)
            if slope_column(name) not in varying(path):
                reasons[slope_column(name)] = "does not vary within the groups"
            elif wanted > free:
                reasons[choices.slope_label(name)] = (
                    "would give the groups more coefficients than the data bear"
                )
            else:
                found.append(name)
        return tuple(found)

    blocks = tuple(Block(block.factor, (Effects(True, slopes(block.factor)),)) for block in choices.blocks)
    own = slopes((choices.groups,)) if choices.groups else ()
    new = replace(intercepts(choices), slopes=own, blocks=blocks)
    every = (*new.slopes, *(name for block in new.blocks for name in block.slopes))
    used = {choices.slope_label(name) for name in every}
    return new, {name: why for name, why in reasons.items() if name not in used}
