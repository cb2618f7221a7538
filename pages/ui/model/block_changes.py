"""What a change of grouping factors, of a predictor's shape, or of where to start does to the choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pages.ui import fitting, state, text
from pages.ui.model import changes, roles
from pages.ui.model.choices import Block, Choices, Correlation, Effects, as_blocks
from pages.ui.model.random_part import slope_column, with_lower
from pages.ui.model.shape import Shape

LEVEL = ""
"""The name of a group's level among its effects."""


# --- several grouping factors --------------------------------------------------------------------


def add_block(column: str) -> None:
    """A new grouping factor with a random intercept; groups and components become factors as well."""

    def add(choices: Choices) -> Choices:
        blocks, lost = (choices.blocks, []) if choices.blocks else as_blocks(choices, _texts())
        if lost:
            state.set_remark(f"{text.listing(lost)} cannot stand beside several factors and was taken out.")
        fixed = tuple(name for name in choices.fixed if name != column)
        return replace(choices, blocks=(*blocks, Block((column,))), fixed=fixed)

    changes.apply(add)


def open_blocks() -> None:
    """Groups and components become factors; the model stays what it is."""
    changes.apply(lambda choices: replace(choices, blocks=as_blocks(choices, _texts())[0]))


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
    _change_block(
        position,
        lambda block: block.with_effects(block.intercept, with_lower(state.shown(key), block.slopes)),
    )


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
        blocks, lost = as_blocks(replace(choices, correlated=True), _texts())
        if lost:
            state.set_remark(f"{text.listing(lost)} cannot stand beside several factors and was taken out.")
        return replace(choices, blocks=(blocks[0].arranged("split"), *blocks[1:]))

    changes.apply(put)


def _slopes(choices: Choices) -> set[str]:
    return {*choices.slopes, *(name for block in choices.blocks for name in block.slopes)}


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
        new = replace(
            choices,
            shapes=tuple({**dict(choices.shapes), column: shape}.items()),
            categorical=tuple(name for name in choices.predictors if name in marked),
        )
        slopes, before = _slopes(new), _slopes(choices)
        if column in slopes and new.factor(column) != choices.factor(column):
            state.set_remark(f"The random slope of {text.escape(column)} enters in the same way now.")
        elif any(slope_column(name) == column and name not in slopes for name in before):
            state.set_remark(
                f"Random slopes of terms that {text.escape(column)} no longer has were taken out."
            )
        return new

    changes.apply(put)
