"""Random terms on the cells of rows that are not kept: what `design` makes of rows, made of their levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from patsy.categorical import guess_categorical

from mixedcore.design.coding import Coding
from mixedcore.design.components import FactorValues, cell_block, check_not_residual
from mixedcore.design.evaluation import evaluate
from mixedcore.design.groups import Grouping, grouped_term, interaction, make_grouping, named_apart
from mixedcore.design.kinds import kind_of
from mixedcore.engine.cells import Cells
from mixedcore.errors import ModelError
from mixedcore.terms import Block, RandomTerm


def terms_of(coding: Coding, cells: Cells) -> tuple[tuple[RandomTerm, ...], Grouping]:
    """The random terms, and the grouping that the model is known by; codes are those of the cells."""
    one_column = {key: make_grouping(cells.column(k), key) for k, key in enumerate(coding.keys)}
    return (_bar_terms if coding.spec.bars else _seed_terms)(coding, cells, one_column)


def _bar_terms(
    coding: Coding, cells: Cells, one_column: dict[str, Grouping]
) -> tuple[tuple[RandomTerm, ...], Grouping]:
    """One term a bar, each on the combinations of its own columns."""
    groupings = [interaction([one_column[key] for key in bar.keys]) for bar in coding.spec.bars]
    columns = [list(info.column_names) for info in coding.infos[1:]]
    named, shared = named_apart(groupings, columns)
    terms = [
        _grouped(own, grouping, cells, correlated=bar.correlated, ambiguous=shared)
        for bar, own, grouping in zip(coding.spec.bars, columns, named, strict=True)
    ]
    return tuple(terms), groupings[0]


def _seed_terms(
    coding: Coding, cells: Cells, one_column: dict[str, Grouping]
) -> tuple[tuple[RandomTerm, ...], Grouping]:
    """The group term, then the components: one-hot ones on cells of their own, plain columns on the group."""
    spec = coding.spec
    grouping, plain = one_column[str(coding.texts[1])], iter(coding.infos[1:])
    terms: list[RandomTerm] = []
    if spec.group is not None:
        columns = next(plain).column_names
        terms.append(_grouped(columns, grouping, cells, correlated=True, top=True, ambiguous=spec.components))
    for name, parts in spec.components.items():
        column = coding.level_column(parts)
        if column is not None:
            block = _one_hot(name, parts[0], one_column[column], grouping, cells)
        else:
            block = _plain(name, parts, next(plain).column_names, grouping, coding, cells)
        terms.append(RandomTerm(name, "component", "isotropic", (), (block,)))
    return tuple(terms), grouping


def _grouped(names: Sequence[str], grouping: Grouping, cells: Cells, **how: Any) -> RandomTerm:
    return grouped_term(np.empty((0, len(names))), names, grouping, counts=cells.counts, **how)


def _one_hot(name: str, term: Any, inner: Grouping, grouping: Grouping, cells: Cells) -> Block:
    """A coefficient for each level of a column in each group."""
    truth = all(isinstance(label, (bool, np.bool_)) for label in inner.labels)
    values = FactorValues(inner.codes, [str(label) for label in inner.labels], None, truth)
    block = cell_block(name, term, [values], grouping)
    check_not_residual(name, (block,), int(cells.counts.sum()))
    return replace(block, basis=np.empty((0, 1)), counts=cells.counts)


def _plain(
    name: str, parts: Any, columns: Sequence[str], grouping: Grouping, coding: Coding, cells: Cells
) -> Block:
    """Numeric columns within each group."""
    for factor in (factor for term in parts for factor in term.factors):
        stateful = kind_of(factor, coding.sample, coding.env).stateful
        if stateful or guess_categorical(evaluate(factor, coding.sample, coding.env)):
            raise ModelError(
                f"The component {name!r} has to be made group by group, and the data come in chunks. Write "
                "the random effects in bars, such as (1 | group) + (1 | group:room)."
            )
    labels = tuple(f"{name}[{column}]" for column in columns) * grouping.m
    every = np.arange(grouping.m, dtype=np.intp)
    return Block(grouping.codes, grouping.m, np.empty((0, len(columns))), every, labels, cells.counts)
