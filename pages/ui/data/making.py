"""From a source to the table in use: how a Dataset is made, and how it was made as a value. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from pages.ui.data import columns, loading
from pages.ui.data.columns import Settled
from pages.ui.data.dataset import Dataset
from pages.ui.data.exclusions import Exclusion, possible, without
from pages.ui.data.parsing import Marks
from pages.ui.data.recipe import steps as recipe
from pages.ui.data.recipe.step import Step
from pages.ui.data.recipe.steps import Done
from pages.ui.data.sources import Choices, Source


@dataclass(frozen=True, slots=True)
class Made:
    """All that was decided between a source and a table made of it, in this order.

    choices, steps, exclusions : types and missing values, the recipe, rows left out with reasons
    complete : columns in which every row must have a value;  dropped : labels of further rows taken out
    """

    choices: Choices = field(default_factory=Choices)
    steps: tuple[Step, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    complete: tuple[str, ...] = ()
    dropped: tuple[Hashable, ...] = ()

    def less(self, complete: Sequence[str], dropped: Sequence[Hashable]) -> Made:
        """The same with fewer rows: complete in these columns too, and without these."""
        return replace(self, complete=(*self.complete, *complete), dropped=(*self.dropped, *dropped))


def settled(source: Source, choices: Choices) -> Settled:
    """The columns of the source with their types."""
    marks = Marks(source.options.decimal or ".", source.options.thousands)
    return columns.settle(source.frame, choices, marks, source.labels, by_codes=source.options.codes)


def dataset(source: Source, typed: Settled, done: Done, choices: Choices) -> Dataset:
    """The table that the steps made of the typed columns, with the lines that make it."""
    notes = (*source.notes, *typed.notes)
    reader = loading.lines(source, typed, choices)
    return Dataset.of(source.name, done.frame, source.origin, notes, done.code, reader)


def restricted(data: Dataset, complete: Sequence[str], dropped: Sequence[Hashable]) -> Dataset:
    """The rows that have a value in each of these columns, without those of these labels."""
    frame = data.frame.dropna(subset=list(complete)) if complete else data.frame
    lines = [f"data = data.dropna(subset={list(complete)!r})"] if complete else []
    if len(dropped):
        frame = frame.drop(index=list(dropped))
        lines.append(f"data = data.drop(index={list(dropped)!r})")
    if not lines:
        return data
    return Dataset.of(data.name, frame, data.source, data.notes, (*data.code, *lines), data.reader)


def again(source: Source, made: Made) -> Dataset:
    """The table made once more in the same way; rows that are not there any more are passed over."""
    typed = settled(source, made.choices)
    data = dataset(source, typed, recipe.run(typed.frame, made.steps), made.choices)
    data = without(data, possible(made.exclusions, data))
    there = data.frame.columns
    rows = pd.Index(data.frame.dropna(subset=(complete := [n for n in made.complete if n in there])).index)
    return restricted(data, complete, [row for row in made.dropped if row in rows])
