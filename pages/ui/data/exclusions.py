"""Rows that a person leaves out of the analysis, each with a reason. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from pages.ui.data.dataset import Dataset
from pages.ui.text import one_line


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One row left out.

    row    : its label in the index of the data
    reason : in the person's own words
    """

    row: Hashable
    reason: str


def possible(exclusions: Sequence[Exclusion], dataset: Dataset) -> tuple[Exclusion, ...]:
    """Those about rows that the data have, the last word on each row."""
    last = {each.row: each for each in exclusions}
    return tuple(each for row, each in last.items() if row in dataset.frame.index)


def absent(exclusions: Sequence[Exclusion], dataset: Dataset) -> tuple[Exclusion, ...]:
    """Those about rows that the data do not have, perhaps because of a filter that may be taken back."""
    return tuple(each for each in exclusions if each.row not in dataset.frame.index)


def without(dataset: Dataset, exclusions: Sequence[Exclusion]) -> Dataset:
    """The data without these rows; all of them must be there. The same Dataset when there are none."""
    if not exclusions:
        return dataset
    rows = [each.row for each in exclusions]
    # On one line a reason can only ever be a comment.
    reasons = [f"# Row {each.row!r} left out: {one_line(each.reason)}" for each in exclusions]
    return Dataset.of(
        dataset.name,
        dataset.frame.drop(index=rows),
        dataset.source,
        dataset.notes,
        (*dataset.code, *reasons, f"data = data.drop(index={rows!r})"),
        dataset.reader,
    )
