"""What a change of grouping factors, of a predictor's shape, or of where to start does to the choices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from pages.ui import fitting, state, text
from pages.ui.model import changes, roles
from pages.ui.model.choices import Block, Choices, Correlation, Effects
from pages.ui.model.shape import Shape

LEVEL = ""
"""The name of a group's level among its effects."""


# --- several grouping factors --------------------------------------------------------------------


def blocks_of(choices: Choices, texts: Collection[str] = ()) -> tuple[tuple[Block, ...], list[str]]:
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


def add_block(column: str) -> None:
    """A new grouping factor with a random intercept; groups and components become factors as well."""

    def add(choices: Choices) -> Choices:
        blocks, lost = (choices.blocks, []) if choices.blocks else blocks_of(choices, _texts())
        if lost:
            state.set_remark(f"{text.listing(lost)} cannot stand beside several factors and was taken out.")
        fixed = tuple(name for name in choices.fixed if name != column)
        return replace(choices, blocks=(*blocks, Block((column,))), fixed=fixed)

    changes.apply(add)


def _texts() -> list[str]:
    data = state.data()
    return roles.texts(fitting.profiled(data.digest, data.frame)) if data else []


def remove_block(position: int) -> None:
    """Take a grouping factor away."""
    changes.apply(
        lambda choices: replace(
            choices, blocks=tuple(b for place, b in enumerate(choices.blocks) if place != position)
        )
    )


def _change_block(position: int, change: Callable[[Block], Block]) -> None:
    def put(choices: Choices) -> Choices:
        blocks = list(choices.blocks)
        blocks[position] = change(blocks[position])
        return replace(choices, blocks=tuple(blocks))

    changes.apply(put)


def change_factor(position: int, key: str) -> None:
    """Other columns group the rows."""
    path = tuple(state.shown(key))
    _change_block(position, lambda block: replace(block, factor=path or block.factor))


def change_intercept(position: int, key: str) -> None:
    """The groups differ in their level, or not."""
    _change_block(position, lambda block: block.with_effects(bool(state.shown(key)), block.slopes))


def change_slopes(position: int, key: str) -> None:
    """Other effects differ between the groups."""
    _change_block(position, lambda block: block.with_effects(block.intercept, state.shown(key)))


def change_correlation(position: int, key: str) -> None:
    """The effects of a group go together in another way."""
    _change_block(position, lambda block: block.arranged(state.shown(key)))


def change_set(position: int, place: int, key: str) -> None:
    """Effects join a correlated set; those that leave it stand alone."""

    def change(block: Block) -> Block:
        wanted = set(state.shown(key))
        there = members(block.sets[place]) if place < len(block.sets) else []
        for effect in there:
            if effect not in wanted:
                block = block.moved(effect, len(block.sets))
        for effect in wanted - set(there):
            block = block.moved(effect, place)
        return block

    _change_block(position, change)


def members(effects: Effects) -> list[str]:
    """The effects of a set, its level first."""
    return [*([LEVEL] if effects.intercept else []), *effects.slopes]


def correlate(key: str) -> None:
    """The effects of the one grouping factor go together in another way; in parts they need bars."""
    correlation: Correlation = state.shown(key)

    def put(choices: Choices) -> Choices:
        if correlation != "split":
            return replace(choices, correlated=correlation == "together")
        blocks, lost = blocks_of(replace(choices, correlated=True), _texts())
        if lost:
            state.set_remark(f"{text.listing(lost)} cannot stand beside several factors and was taken out.")
        return replace(choices, blocks=(blocks[0].arranged("split"), *blocks[1:]))

    changes.apply(put)


# --- how a predictor enters ----------------------------------------------------------------------


def change_shape(column: str, values: Callable[[], Mapping[str, Any]]) -> None:
    """Parts of a predictor's shape take new values; a coding marks its column as categories."""

    def put(choices: Choices) -> Choices:
        shape: Shape = replace(choices.shape(column), **values())
        marked = set(choices.categorical)
        numeric = column not in _texts()
        if shape.contrast != "none":
            marked.add(column)
        elif not numeric:
            marked.discard(column)
        return replace(
            choices,
            shapes=tuple({**dict(choices.shapes), column: shape}.items()),
            categorical=tuple(name for name in choices.predictors if name in marked),
        )

    changes.apply(put)


# --- where to start ------------------------------------------------------------------------------


def start(change: Callable[[Choices], Choices], remark: str) -> None:
    """Go on from a standard model."""
    changes.apply(change)
    state.set_remark(remark)
